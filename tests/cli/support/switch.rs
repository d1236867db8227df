//! Who answers the fixture `switch`: one server for all tests of this process. A program within the walls can
//! neither find an undeclared file nor leave a mark, so what it may not do is done here.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::SCRATCH;

/// The address as the fixture has it before it is known.
pub const NOWHERE: &str = "127.0.0.1:0";

/// Where the server listens.
pub fn address() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| {
        let listener = TcpListener::bind(NOWHERE).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        // What cannot be done for one test, whose directory may be gone, is done for the others all the same.
        std::thread::spawn(move || {
            listener
                .incoming()
                .flatten()
                .for_each(|stream| drop(std::thread::spawn(|| answer(stream)).join()))
        });
        address
    })
}

/// A program says where its data lies; it is told the next line of `switch.txt` beside its project.
fn answer(mut stream: TcpStream) {
    let mut data = String::new();
    if stream.read_to_string(&mut data).is_err() {
        return;
    }
    let words = scratch_of(&data).map(|scratch| words(&scratch)).unwrap_or_default();
    let _ = stream.write_all(words.as_bytes());
    let _ = stream.shutdown(Shutdown::Both);
}

/// The scratch directory in the path, which may begin at another root than ours.
fn scratch_of(data: &str) -> Option<PathBuf> {
    let name = data.split('/').find(|part| part.starts_with(SCRATCH))?;
    Some(std::env::temp_dir().join(name))
}

fn words(scratch: &Path) -> String {
    let switch = scratch.join("switch.txt");
    let Ok(text) = std::fs::read_to_string(&switch) else {
        return String::new();
    };
    let words = match text.split_once('\n') {
        Some((line, rest)) if !rest.is_empty() => {
            std::fs::write(&switch, rest).unwrap();
            line.to_owned()
        }
        _ => text,
    };
    let says = |word: &str| words.split_whitespace().any(|said| said == word);
    if says("hang") {
        // Whoever waits for this run to have begun can see that it has.
        std::fs::write(switch.with_extension("began"), "").unwrap();
    }
    if says("edit-data") {
        std::fs::write(scratch.join("project/numbers.csv"), "4\n").unwrap();
    }
    for word in words.split_whitespace() {
        if let Some(path) = word.strip_prefix("write=") {
            std::fs::write(scratch.join("project").join(path), "4\n").unwrap();
        }
        if let Some(name) = word.strip_prefix("clear=") {
            // A directory goes while the command works, and something else has its name.
            std::fs::remove_dir_all(scratch.join(name)).unwrap();
            std::fs::write(scratch.join(name), "").unwrap();
        }
        if let Some((link, target)) = word.strip_prefix("link=").and_then(|word| word.split_once("->")) {
            let link = scratch.join("project").join(link);
            std::fs::remove_file(&link).unwrap();
            std::os::unix::fs::symlink(target, link).unwrap();
        }
    }
    words
}
