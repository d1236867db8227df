//! From what a supervisor saw of a stopped thread to the place in the program where it drew on a source
//! of nondeterminism: the package and function, with file and line where the debug information gives it.
//!
//! A [`StackSample`] is all that is needed of the process; its files are read later. Nothing here runs,
//! stops or writes to another process.

pub mod call_site;
pub mod code;
pub mod image;
pub mod instructions;
pub mod names;
pub mod origin;
pub mod references;
pub mod registers;
pub mod stack_sample;
pub mod symbols;
pub mod unwind;

use std::path::PathBuf;

pub use call_site::Site;
use image::{Images, Place};
pub use instructions::{Holder, Instruction, Scan};
pub use origin::{Origin, Packages};
pub use stack_sample::{Mapping, StackSample};
pub use symbols::Frame;

/// Understands samples of one program. Files are read once, so it is kept while there are more.
pub struct Tracer<'a> {
    images: Images<'a>,
    packages: Packages,
}

impl<'a> Tracer<'a> {
    /// `readable` gives the path under which a file of the process can be read here.
    pub fn new(packages: Packages, readable: impl Fn(&str) -> PathBuf + 'a) -> Self {
        Self {
            images: Images::new(readable),
            packages,
        }
    }

    /// The functions that were running, the innermost first.
    pub fn frames(&mut self, sample: &StackSample) -> Vec<Frame> {
        let steps = unwind::walk(sample, &mut self.images);
        symbols::frames(&steps, &self.packages)
    }

    /// Where the program drew. None where nobody but the system and the language's runtime did, as when
    /// the loader starts the program, or where nothing has a name.
    pub fn site(&mut self, sample: &StackSample) -> Option<Site> {
        Site::find(&sample.what, &self.frames(sample))
    }

    /// The instructions in a file that draw on the processor, `path` being as the process names it.
    pub fn instructions(&mut self, path: &str) -> Scan {
        match self.file(path) {
            Some(file) => instructions::scan(&file, &self.packages),
            None => Scan::NotLookedAt(format!("{path} cannot be read as an ELF file")),
        }
    }

    /// Who in a file could draw by the function whose symbol has `name` in it, for instance
    /// `hashmap_random_keys`: its callers, and theirs, up to the first that is more than glue. None where
    /// that cannot be told.
    pub fn users(&mut self, path: &str, name: &str) -> Option<Vec<Site>> {
        let file = self.file(path)?;
        references::users(&file, name, &self.packages)
    }

    fn file(&mut self, path: &str) -> Option<Place> {
        let image = self.images.image(path)?;
        let path = path.to_owned();
        Some(Place {
            image,
            path,
            address: 0,
        })
    }
}

#[cfg(test)]
mod tests;
