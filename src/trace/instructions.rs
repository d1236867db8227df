//! Instructions that draw without asking anybody: the processor's random numbers and its counter of
//! cycles. No supervisor sees the first, so they are looked for in the program's file. That one is
//! there does not mean that it runs.

use std::fmt;

use iced_x86::{Decoder, DecoderOptions, Mnemonic};
use object::Architecture;
use serde::{Deserialize, Serialize};

use super::call_site::Site;
use super::image::Place;
use super::origin::{Origin, Packages};
use super::symbols;

/// An instruction that draws on the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Instruction {
    /// A random number.
    Rdrand,
    /// A random number, for seeds.
    Rdseed,
    /// The count of cycles.
    Rdtsc,
    /// The count of cycles, and on which processor.
    Rdtscp,
}

impl fmt::Display for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rdrand => "rdrand",
            Self::Rdseed => "rdseed",
            Self::Rdtsc => "rdtsc",
            Self::Rdtscp => "rdtscp",
        })
    }
}

/// A function that has such an instruction in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The instruction.
    pub instruction: Instruction,
    /// Where it is: of functions inlined into each other, the one that uses it.
    pub site: Site,
    /// Whether all of these functions are of the standard library or of packages made for drawing, most
    /// of which carry such instructions and do not run them.
    pub glue: bool,
}

/// What was found in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scan {
    /// All that there is, in the order of addresses; each function once.
    Looked(Vec<Holder>),
    /// The file was not looked at, for this reason.
    NotLookedAt(String),
}

/// Looks through a file; the address in `file` does not matter.
#[must_use]
pub fn scan(file: &Place, packages: &Packages) -> Scan {
    let architecture = file.image.architecture();
    if architecture != Architecture::X86_64 {
        return Scan::NotLookedAt(format!("{} is for another processor, and only x86-64 is known", file.path));
    }
    let mut holders: Vec<Holder> = Vec::new();
    for function in file.image.functions() {
        let code = file.image.code(function.clone());
        for (instruction, address) in drawing(code, function.start) {
            let holder = holder(
                instruction,
                &Place {
                    address,
                    ..file.clone()
                },
                packages,
            );
            if !holders.contains(&holder) {
                holders.push(holder);
            }
        }
    }
    Scan::Looked(holders)
}

fn holder(instruction: Instruction, place: &Place, packages: &Packages) -> Holder {
    let frames = symbols::at(place, packages);
    let user = Site::find("", &frames);
    let glue = user.is_none() && frames.iter().all(|frame| frame.origin != Origin::Unknown);
    let site = user
        .or_else(|| frames.iter().rev().find_map(Site::of))
        .unwrap_or_else(|| Site::unnamed(place.address));
    Holder {
        instruction,
        site,
        glue,
    }
}

/// The instructions that draw in a piece of code, which begins with an instruction.
fn drawing(code: &[u8], start: u64) -> Vec<(Instruction, u64)> {
    // Nearly all functions have none, and decoding takes longer than looking for bytes.
    if !memchr::memchr_iter(0x0f, code).any(|at| may_draw(&code[at..])) {
        return Vec::new();
    }
    let decoder = Decoder::with_ip(64, code, start, DecoderOptions::NONE);
    decoder
        .into_iter()
        .filter_map(|instruction| Some((drawn(instruction.mnemonic())?, instruction.ip())))
        .collect()
}

const fn drawn(mnemonic: Mnemonic) -> Option<Instruction> {
    match mnemonic {
        Mnemonic::Rdrand => Some(Instruction::Rdrand),
        Mnemonic::Rdseed => Some(Instruction::Rdseed),
        Mnemonic::Rdtsc => Some(Instruction::Rdtsc),
        Mnemonic::Rdtscp => Some(Instruction::Rdtscp),
        _ => None,
    }
}

const fn may_draw(code: &[u8]) -> bool {
    matches!(code, [0x0f, 0x31, ..] | [0x0f, 0x01, 0xf9, ..] | [0x0f, 0xc7, 0xf0..=0xff, ..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_instruction_is_found_where_it_begins() {
        let code = [
            0x0f, 0x31, // rdtsc
            0x0f, 0x01, 0xf9, // rdtscp
            0x48, 0x0f, 0xc7, 0xf0, // rdrand rax
            0x66, 0x0f, 0xc7, 0xfa, // rdseed dx
            0xf3, 0x0f, 0xc7, 0xf8, // rdpid rax
            0x0f, 0xc7, 0x0f, // cmpxchg8b [rdi]
            0xb8, 0x0f, 0x31, 0x0f, 0x31, // mov eax, 0x310f310f
        ];
        let found = [
            (Instruction::Rdtsc, 100),
            (Instruction::Rdtscp, 102),
            (Instruction::Rdrand, 105),
            (Instruction::Rdseed, 109),
        ];
        assert_eq!(drawing(&code, 100), found);
    }

    #[test]
    fn constants_are_no_instructions() {
        assert_eq!(drawing(&[0xb8, 0x0f, 0x31, 0x0f, 0x31], 0), []);
        assert_eq!(drawing(&[], 0), []);
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(code: Vec<u8>, start: u64) {
            for (_, address) in drawing(&code, start) {
                prop_assert!(address.wrapping_sub(start) < code.len() as u64);
            }
        }
    }
}
