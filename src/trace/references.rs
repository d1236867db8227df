//! Who could draw on a source, from the program's file alone. A thread fetches the keys of its hash maps
//! once, so a stack shows the first map only, and the guilty one may be another; but every function that
//! makes a map leads to the one that fetches the keys, and the file tells which do.

use std::collections::{BTreeMap, BTreeSet};

use iced_x86::{Decoder, DecoderOptions, OpKind};
use object::Architecture;

use super::call_site::Site;
use super::image::{Image, Place};
use super::origin::Packages;
use super::symbols;

/// The users of the functions whose name has `name` in it, in the order of addresses: whoever leads there,
/// directly or through glue alone. None where the file has no symbols, or is for another machine.
#[must_use]
pub fn users(file: &Place, name: &str, packages: &Packages) -> Option<Vec<Site>> {
    let image = &file.image;
    if image.architecture() != Architecture::X86_64 {
        return None;
    }
    let mut waiting = image.named(name);
    (!waiting.is_empty()).then_some(())?;
    let references = references(image);
    let mut seen: BTreeSet<u64> = waiting.iter().copied().collect();
    let mut users = BTreeMap::new();
    while let Some(target) = waiting.pop() {
        for address in references.get(&target).into_iter().flatten() {
            let frames = symbols::at(
                &Place {
                    address: *address,
                    ..file.clone()
                },
                packages,
            );
            if let Some(site) = Site::find("", &frames) {
                users.insert(*address, site);
            } else if let Some(start) = image.start(*address)
                && seen.insert(start)
            {
                waiting.push(start);
            }
        }
    }
    let mut sites: Vec<Site> = Vec::new();
    for site in users.into_values() {
        if !sites.contains(&site) {
            sites.push(site);
        }
    }
    Some(sites)
}

/// For each function, the instructions that call it or take its address.
fn references(image: &Image) -> BTreeMap<u64, Vec<u64>> {
    let mut references: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for function in image.functions() {
        let code = image.code(function.clone());
        for instruction in Decoder::with_ip(64, code, function.start, DecoderOptions::NONE).iter() {
            let target = if instruction.op0_kind() == OpKind::NearBranch64 {
                instruction.near_branch_target()
            } else if instruction.is_ip_rel_memory_operand() {
                let place = instruction.ip_rel_memory_address();
                image.slot(place).unwrap_or(place)
            } else {
                continue;
            };
            if !function.contains(&target) && image.start(target) == Some(target) {
                references.entry(target).or_default().push(instruction.ip());
            }
        }
    }
    references
}
