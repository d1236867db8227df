//! From an instruction to the functions that it belongs to, inlined ones first, with file and line: from
//! the debug information, or from the symbol table where there is none.

use super::image::{Bytes, Image, Place};
use super::names::{self, Name};
use super::origin::{Origin, Packages, Source};
use super::unwind::Step;

/// A function that was running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its name, if there are symbols.
    pub function: Option<String>,
    /// Where it was written.
    pub origin: Origin,
    /// The file, in its package or in the project.
    pub file: Option<String>,
    /// The line.
    pub line: Option<u32>,
    /// Whether it is a guess that it was running.
    pub guessed: bool,
}

/// Inlining is never deeper; damaged debug information might seem to be.
const DEEPEST: usize = 256;

/// The functions of the steps, the innermost first.
#[must_use]
pub fn frames(steps: &[Step], packages: &Packages) -> Vec<Frame> {
    let of_step = |step: &Step| {
        let place = step.place.as_ref();
        let mut frames = place.map_or_else(|| vec![nameless(Origin::Unknown)], |place| at(place, packages));
        frames.iter_mut().for_each(|frame| frame.guessed = step.guessed);
        frames
    };
    steps.iter().flat_map(of_step).collect()
}

/// The functions that an instruction belongs to: the inlined ones, and the one that holds it.
#[must_use]
pub fn at(place: &Place, packages: &Packages) -> Vec<Frame> {
    let symbol = place.image.symbol(place.address).map(|symbol| names::name(&symbol.name));
    let mut frames = by_debug(&place.image, place.address, symbol.as_ref(), packages);
    if frames.is_empty() {
        frames.push(by_symbol(symbol.as_ref(), packages));
    }
    if let Some(library) = library(&place.path) {
        let unknown = frames.iter_mut().filter(|frame| frame.origin == Origin::Unknown);
        unknown.for_each(|frame| frame.origin = Origin::Library(library.to_owned()));
    }
    frames
}

/// The file's name, if it is a shared library and not the program.
fn library(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?;
    (name.ends_with(".so") || name.contains(".so.")).then_some(name)
}

const fn nameless(origin: Origin) -> Frame {
    Frame {
        function: None,
        origin,
        file: None,
        line: None,
        guessed: false,
    }
}

fn by_symbol(symbol: Option<&Name>, packages: &Packages) -> Frame {
    let crate_name = symbol.and_then(|name| name.crate_name.as_deref());
    let origin = crate_name.map_or(Origin::Unknown, |name| packages.named(name));
    Frame {
        function: symbol.map(|name| in_project(name.clone(), &origin)),
        ..nameless(origin)
    }
}

/// A person calls the project's own functions without the crate.
fn in_project(name: Name, origin: &Origin) -> String {
    let inner = || name.path.strip_prefix(name.crate_name.as_deref()?)?.strip_prefix("::").map(str::to_owned);
    let inner = (*origin == Origin::Own).then(inner).flatten();
    inner.unwrap_or(name.path)
}

fn by_debug(image: &Image, address: u64, symbol: Option<&Name>, packages: &Packages) -> Vec<Frame> {
    let Some(mut found) = image.debug().and_then(|debug| debug.find_frames(address).skip_all_loads().ok()) else {
        return Vec::new();
    };
    let mut frames = Vec::new();
    while let (Ok(Some(frame)), true) = (found.next(), frames.len() < DEEPEST) {
        frames.push(frame);
    }
    let last = frames.len().saturating_sub(1);
    frames
        .iter()
        .enumerate()
        // The symbol names the function that holds the instruction, and so the last.
        .map(|(index, frame)| described(frame, symbol.filter(|_| index == last), packages))
        .collect()
}

fn described(frame: &addr2line::Frame<'_, Bytes>, symbol: Option<&Name>, packages: &Packages) -> Frame {
    let location = frame.location.as_ref();
    let source = location.and_then(|location| location.file).map(|file| packages.source(file));
    let raw = frame.function.as_ref().and_then(|function| function.raw_name().ok());
    let name = symbol.cloned().or_else(|| raw.as_deref().map(|raw| full(raw, source.as_ref())));
    let by_name = || {
        let crate_name = name.as_ref()?.crate_name.as_deref()?;
        Some(packages.named(crate_name))
    };
    let by_source = source.as_ref().and_then(|source| source.origin.clone());
    let origin = by_source.or_else(by_name).unwrap_or(Origin::Unknown);
    Frame {
        function: name.map(|name| in_project(name, &origin)),
        origin,
        file: source.map(|source| source.file),
        line: location.and_then(|location| location.line).filter(|line| *line > 0),
        guessed: false,
    }
}

/// With nothing but line tables, debug information gives inlined functions without their path.
fn full(raw: &str, source: Option<&Source>) -> Name {
    let name = names::name(raw);
    match source {
        Some(source) if name.crate_name.is_none() && source.file.ends_with(".rs") => {
            names::qualified(raw, source.crate_name.as_deref(), &source.file)
        }
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_libraries_are_known_by_their_name() {
        assert_eq!(library("/lib/x86_64-linux-gnu/libc.so.6"), Some("libc.so.6"));
        assert_eq!(library("/opt/libopenblas.so"), Some("libopenblas.so"));
        assert_eq!(library("/repro/target/release/resort"), None);
    }
}
