//! Comments that the files of both forges have: the same reasons in the same words.

use super::{Compiler, Pipeline};
use crate::snapshot::Platform;
use crate::text::quote::yaml;

/// A machine that a forge lends, and the C library that it has.
#[derive(Clone, Copy, Debug)]
pub struct Image {
    /// As the forge calls it.
    pub name: &'static str,
    /// As a lock calls its C library.
    pub libc: &'static str,
}

/// The image with the lock's C library, or else the last.
pub fn image(images: &'static [Image], machine: Option<&Platform>) -> &'static Image {
    let has = |image: &&Image| machine.is_some_and(|machine| machine.libc == image.libc);
    let newest = images.last().expect("every forge has images");
    images.iter().find(has).unwrap_or(newest)
}

/// Why it is this image, unless it is only for want of the lock's own.
pub fn of_image(image: &Image, machine: Option<&Platform>, why: &str) -> String {
    match machine {
        Some(machine) if machine.libc != image.libc => format!(
            "The lock is of {}, and no image known here has that. Equal outputs pass all the same; others are \
             inconclusive (7), and `cargo repro record --add-class` adds this class to the lock.",
            yaml(&machine.libc),
        ),
        _ => why.to_owned(),
    }
}

/// Comment lines that are not too wide, each after `indent`.
pub fn comment(indent: usize, text: &str) -> String {
    let margin = format!("{:indent$}# ", "");
    let options = textwrap::Options::new(112).initial_indent(&margin).subsequent_indent(&margin);
    let options = options.word_splitter(textwrap::WordSplitter::NoHyphenation).break_words(false);
    textwrap::fill(text, options) + "\n"
}

/// Where the tool comes from.
pub fn source(indent: usize) -> String {
    comment(
        indent,
        "What `cargo install` gets, words without quotes. A version or a commit stays what it is; a branch does not.",
    )
}

/// How data gets here that git does not keep: whoever reads this has to say it.
pub fn absent(pipeline: &Pipeline, indent: usize, secret: &str, steps: [&str; 2]) -> String {
    let mut said = String::new();
    for place in &pipeline.absent {
        let path = yaml(&place.path);
        let (how, step) = if place.dvc {
            (format!("DVC keeps it. Fetch it here, with {secret} for its remote:"), steps[0])
        } else {
            ("a clone does not have all of it. Fetch it here:".to_owned(), steps[1])
        };
        said += &comment(indent, &format!("repro.toml declares the data {path}, and {how}"));
        said += &format!("{:indent$}# - {step}\n", "");
    }
    said
}

/// What is to be known of a compiler that no step installs; nothing where one does.
pub fn compiler(pipeline: &Pipeline, indent: usize, whose: &str) -> String {
    match &pipeline.compiler {
        Compiler::Pinned | Compiler::Locked(_) => String::new(),
        Compiler::Unnamed(rustc) => {
            let why = "The lock is of a compiler that is no release; name it in rust-toolchain.toml by its date: ";
            comment(indent, &format!("{why}{}", yaml(rustc)))
        }
        Compiler::Open => {
            let what = "Nothing says which compiler is meant: a rust-toolchain.toml would. Until then it is the";
            comment(indent, &format!("{what} {whose}."))
        }
    }
}

/// Why a compiler is named.
pub fn locked_compiler(indent: usize) -> String {
    comment(indent, "The compiler of the lock. A rust-toolchain.toml would say so for everybody.")
}

/// What may be cached.
pub fn downloads(indent: usize) -> String {
    comment(
        indent,
        "What cargo downloads, which is checked against Cargo.lock each time. Never `target`: a build that `verify` \
         did not make itself proves nothing.",
    )
}

/// What is gated where nobody said what a release is.
pub fn ungated(pipeline: &Pipeline, indent: usize) -> String {
    if pipeline.gated {
        return String::new();
    }
    comment(indent, "repro.toml has no [gate]: what is pushed under these names is held to its defaults.")
}

/// Why a pipeline ends when it does.
pub const TIMEOUTS: &str = "The timeouts of the stages, and half an hour for all else.";
