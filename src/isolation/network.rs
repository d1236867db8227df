//! Addresses that a program tries to reach. Nothing answers within the walls; that it was tried is worth
//! an entry, since on another machine, or by hand, something would.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use super::remote::Thread;

/// A socket that glibc asks for names, on every system and without being told to.
const NAME_CACHE: &str = "/var/run/nscd/socket";

/// The address in memory, as text; none for one that leads nowhere outside.
#[must_use]
pub fn address(thread: Thread, at: u64, length: u64) -> Option<String> {
    let mut bytes = [0; 128];
    let length = usize::try_from(length).ok()?.min(bytes.len());
    let read = thread.read(at, &mut bytes[..length]).ok()?;
    from_bytes(&bytes[..read])
}

/// The addresses of a message, or of many (sendmsg(2), sendmmsg(2)).
#[must_use]
pub fn of_messages(thread: Thread, at: u64, count: u64) -> Vec<String> {
    const HEADER: u64 = 64; // struct mmsghdr
    let name = |index: u64| {
        let header = at + index * HEADER;
        let (name, length) = (thread.word(header).ok()?, thread.word(header + 8).ok()?);
        (name != 0).then(|| address(thread, name, length & 0xffff_ffff)).flatten()
    };
    (0..count.min(16)).filter_map(name).collect()
}

/// A `sockaddr` (socket(7)).
fn from_bytes(bytes: &[u8]) -> Option<String> {
    let family = i32::from(u16::from_ne_bytes(bytes.first_chunk().copied()?));
    let port = || Some(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?));
    match family {
        libc::AF_INET => {
            let ip: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
            Some(SocketAddr::from((Ipv4Addr::from(ip), port()?)).to_string())
        }
        libc::AF_INET6 => {
            let ip: [u8; 16] = bytes.get(8..24)?.try_into().ok()?;
            Some(SocketAddr::from((Ipv6Addr::from(ip), port()?)).to_string())
        }
        libc::AF_UNIX => local(&bytes[2..]),
        libc::AF_NETLINK | libc::AF_UNSPEC => None,
        other => Some(format!("an address of family {other}")),
    }
}

/// A socket in the file system, or by name alone (unix(7)).
fn local(name: &[u8]) -> Option<String> {
    if let [0, rest @ ..] = name {
        return (!rest.is_empty()).then(|| format!("unix:@{}", String::from_utf8_lossy(rest)));
    }
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    let path = String::from_utf8_lossy(&name[..end]);
    let own = [super::PLACE, "/tmp", "/dev/shm"].iter().any(|own| path.starts_with(own)) || !path.starts_with('/');
    (!own && path != NAME_CACHE && !path.is_empty()).then(|| format!("unix:{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_the_kernel_has_them() {
        let mut four = vec![2, 0, 0x1f, 0x90, 127, 0, 0, 1];
        four.extend([0; 8]);
        assert_eq!(from_bytes(&four).as_deref(), Some("127.0.0.1:8080"));
        let mut six = vec![10, 0, 0, 80, 0, 0, 0, 0];
        six.extend([0; 15]);
        six.push(1);
        assert_eq!(from_bytes(&six).as_deref(), Some("[::1]:80"));
        assert_eq!(from_bytes(b"\x01\0/run/x.sock\0").as_deref(), Some("unix:/run/x.sock"));
        assert_eq!(from_bytes(b"\x01\0\0name").as_deref(), Some("unix:@name"));
    }

    #[test]
    fn what_leads_nowhere_outside_is_no_attempt() {
        assert_eq!(from_bytes(b"\x01\0/var/run/nscd/socket\0"), None);
        assert_eq!(from_bytes(b"\x01\0/repro/tmp/own.sock\0"), None);
        assert_eq!(from_bytes(&[0, 0]), None);
        assert_eq!(from_bytes(&[]), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_whatever_break_the_reader(bytes: Vec<u8>) {
            let _ = from_bytes(&bytes);
        }
    }
}
