//! Who answers the fixture `switch`: one server for all tests of this process. A program within the sandbox can
//! neither find an undeclared file nor leave a mark, so what it may not do is done here.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
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

/// A program says where its data lies; it is told the next line of `switch.txt` beside its project. Within namespaces it
/// knows no path of the machine, but the kernel tells us what is mounted for it.
fn answer(mut stream: TcpStream) {
    let mut data = String::new();
    if stream.read_to_string(&mut data).is_err() {
        return;
    }
    let scratch = scratch_of(&data).or_else(|| scratch_of(&mounts_of(stream.peer_addr().ok()?)?));
    let words = scratch.map(|scratch| words(&scratch)).unwrap_or_default();
    let _ = stream.write_all(words.as_bytes());
    let _ = stream.shutdown(Shutdown::Both);
}

/// The scratch directory in the path, which may begin at another root than ours.
fn scratch_of(data: &str) -> Option<PathBuf> {
    let name = data.split(['/', ' ', '\n']).find(|part| part.starts_with(SCRATCH))?;
    Some(std::env::temp_dir().join(name))
}

/// What is mounted for the process at the other end (proc_pid_net(5), proc_pid_fd(5)).
fn mounts_of(peer: SocketAddr) -> Option<String> {
    let SocketAddr::V4(peer) = peer else {
        return None;
    };
    let end = format!("{:08X}:{:04X}", u32::from_le_bytes(peer.ip().octets()), peer.port());
    let sockets = std::fs::read_to_string("/proc/net/tcp").ok()?;
    let socket = sockets.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        (fields.get(1) == Some(&&*end)).then(|| format!("socket:[{}]", fields[9]))
    })?;
    let has_it = |process: &Path| {
        let open = std::fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        open.into_iter()
            .any(|open| std::fs::read_link(open.path()).is_ok_and(|to| to.as_os_str() == &*socket))
    };
    let processes = std::fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path());
    let process = processes.into_iter().find(|process| has_it(process))?;
    std::fs::read_to_string(process.join("mountinfo")).ok()
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
