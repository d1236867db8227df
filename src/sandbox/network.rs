//! Addresses that a program tries to reach. Within the namespaces nothing answers but its own servers; that others were
//! tried is worth an entry, since on another machine, or by hand, something would.

use std::net::{IpAddr, SocketAddr};

use super::Namespaces;
use super::process_memory::Thread;

/// A socket that glibc asks for names, on every system and without being told to.
const NAME_CACHE: &str = "/var/run/nscd/socket";

/// Which network a program is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// The machine's.
    Shared,
    /// One of its own, where nobody else listens.
    Own,
}

impl Network {
    /// That of a program within these namespaces, if there are any.
    #[must_use]
    pub fn within(namespaces: Option<&Namespaces>) -> Self {
        match namespaces {
            Some(namespaces) if !namespaces.network => Self::Own,
            _ => Self::Shared,
        }
    }
}

/// The address in memory, as text; none for one that leads nowhere outside.
#[must_use]
pub fn address(network: Network, thread: Thread, at: u64, length: u64) -> Option<String> {
    let mut bytes = [0; 128];
    let length = usize::try_from(length).ok()?.min(bytes.len());
    let read = thread.read(at, &mut bytes[..length]).ok()?;
    let address = from_bytes(network, &bytes[..read])?;
    let is_own = network == Network::Own && address.strip_prefix("unix:@").is_some_and(|name| is_bound(thread, name));
    (!is_own).then_some(address)
}

/// Whether a program of this run listens by that name; in a network of its own no other can.
fn is_bound(thread: Thread, name: &str) -> bool {
    let sockets = std::fs::read(thread.proc("net/unix")).unwrap_or_default();
    let name = format!("@{}", name.replace('\0', "@"));
    String::from_utf8_lossy(&sockets)
        .lines()
        .any(|line| line.split(' ').next_back() == Some(&name))
}

/// The addresses of a message, or of many (sendmsg(2), sendmmsg(2)).
#[must_use]
pub fn of_messages(network: Network, thread: Thread, at: u64, count: u64) -> Vec<String> {
    const HEADER: u64 = 64; // struct mmsghdr
    let name = |index: u64| {
        let header = at + index * HEADER;
        let (name, length) = (thread.word(header).ok()?, thread.word(header + 8).ok()?);
        (name != 0).then(|| address(network, thread, name, length & 0xffff_ffff)).flatten()
    };
    (0..count.min(16)).filter_map(name).collect()
}

/// A `sockaddr` (socket(7)).
fn from_bytes(network: Network, bytes: &[u8]) -> Option<String> {
    let inet = |ip: IpAddr, port: u16| {
        let is_itself = ip.to_canonical().is_loopback() || ip.is_unspecified();
        (network == Network::Shared || !is_itself).then(|| SocketAddr::from((ip, port)).to_string())
    };
    let family = i32::from(u16::from_ne_bytes(bytes.first_chunk().copied()?));
    let port = || Some(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?));
    match family {
        libc::AF_INET => {
            let ip: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
            inet(IpAddr::from(ip), port()?)
        }
        libc::AF_INET6 => {
            let ip: [u8; 16] = bytes.get(8..24)?.try_into().ok()?;
            inet(IpAddr::from(ip), port()?)
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
        assert_eq!(from_bytes(Network::Shared, &four).as_deref(), Some("127.0.0.1:8080"));
        let mut six = vec![10, 0, 0, 80, 0, 0, 0, 0];
        six.extend([0; 15]);
        six.push(1);
        assert_eq!(from_bytes(Network::Shared, &six).as_deref(), Some("[::1]:80"));
        assert_eq!(from_bytes(Network::Shared, b"\x01\0/run/x.sock\0").as_deref(), Some("unix:/run/x.sock"));
        assert_eq!(from_bytes(Network::Shared, b"\x01\0\0name").as_deref(), Some("unix:@name"));
    }

    #[test]
    fn in_a_network_of_its_own_a_program_reaches_itself() {
        let four = |ip: [u8; 4]| [&[2, 0, 0, 80][..], &ip, &[0; 8]].concat();
        let six = |ip: &str| {
            let ip: std::net::Ipv6Addr = ip.parse().unwrap();
            [&[10, 0, 0, 80, 0, 0, 0, 0][..], &ip.octets(), &[0; 4]].concat()
        };
        let itself = [
            four([127, 0, 0, 1]),
            four([127, 9, 9, 9]),
            four([0; 4]),
            six("::1"),
            six("::ffff:127.0.0.1"),
            six("::"),
        ];
        for bytes in itself {
            assert_eq!(from_bytes(Network::Own, &bytes), None);
            assert!(from_bytes(Network::Shared, &bytes).is_some());
        }
        assert_eq!(from_bytes(Network::Own, &four([192, 0, 2, 1])).as_deref(), Some("192.0.2.1:80"));
        assert!(from_bytes(Network::Own, &six("2001:db8::1")).is_some());
    }

    #[test]
    fn what_leads_nowhere_outside_is_no_attempt() {
        assert_eq!(from_bytes(Network::Shared, b"\x01\0/var/run/nscd/socket\0"), None);
        assert_eq!(from_bytes(Network::Shared, b"\x01\0/repro/tmp/own.sock\0"), None);
        assert_eq!(from_bytes(Network::Shared, &[0, 0]), None);
        assert_eq!(from_bytes(Network::Shared, &[]), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_whatever_break_the_reader(bytes: Vec<u8>) {
            let _ = from_bytes(Network::Own, &bytes);
        }
    }
}
