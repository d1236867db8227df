//! The room with the one `unsafe` block: a mount namespace in which a work directory lies at
//! [`SEEMING`], whatever it is called outside. Cargo hashes the absolute path of a path dependency into
//! its symbols, and programs can ask where they are; under one name everywhere, neither can tell two
//! runs apart. It needs no privilege, only user namespaces; where there are none, runs see the real
//! path and the verdict says so.

use std::ffi::{CStr, OsStr};
use std::io;
use std::path::{Path, PathBuf};

use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_bind_recursive, mount_change,
    mount_remount, unmount,
};
use rustix::process::{chdir, getgid, getuid, pivot_root};
use rustix::thread::UnshareFlags;

/// Where a work directory seems to lie.
pub const SEEMING: &str = "/repro";

/// The directory in a work directory on which the new root is built.
pub const MOUNT_POINT: &str = "root";

/// The path of something in the work directory `root`, as it is seen inside.
#[must_use]
pub fn seen(root: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(root)
        .map_or_else(|_| path.to_path_buf(), |inner| Path::new(SEEMING).join(inner))
}

/// The path outside of something that is seen inside.
#[must_use]
pub fn unseen(root: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(SEEMING).map_or_else(|_| path.to_path_buf(), |inner| root.join(inner))
}

/// Puts this process, which must have one thread only, where the work directory `root` lies at
/// [`SEEMING`]. The current directory follows.
///
/// # Errors
/// When the kernel, or the container's policy, does not allow it.
pub fn enter(root: &Path) -> io::Result<()> {
    let here = std::fs::read_link("/proc/self/cwd")?;
    unshare()?;
    // Nothing that is mounted here may appear outside.
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    let new = root.join(MOUNT_POINT);
    mount("repro", &new, "tmpfs", MountFlags::empty(), None::<&CStr>)?;
    let inside = new.join(SEEMING.trim_start_matches('/'));
    std::fs::create_dir(&inside)?;
    mount_bind(root, &inside)?;
    for entry in std::fs::read_dir("/")? {
        let entry = entry?;
        if entry.path() != Path::new(SEEMING) {
            mirror(&entry, &new.join(entry.file_name()))?;
        }
    }
    mount_remount(&new, MountFlags::BIND | MountFlags::RDONLY, OsStr::new(""))?;
    // pivot_root(2) allows both to be one place; the old root is then on top of it, and goes.
    chdir(&new)?;
    pivot_root(".", ".")?;
    unmount(".", UnmountFlags::DETACH)?;
    chdir(seen(root, &here))?;
    Ok(())
}

/// Shows an entry of the old root at `place` in the new one.
fn mirror(entry: &std::fs::DirEntry, place: &Path) -> io::Result<()> {
    let kind = entry.file_type()?;
    if kind.is_symlink() {
        return std::os::unix::fs::symlink(std::fs::read_link(entry.path())?, place);
    }
    if kind.is_dir() {
        std::fs::create_dir(place)?;
    } else {
        std::fs::File::create(place)?;
    }
    Ok(mount_bind_recursive(entry.path(), place)?)
}

/// A mount namespace, by privilege where there is one (root in a container keeps its view of other
/// users' files so), else in a user namespace in which this user is who it was.
fn unshare() -> io::Result<()> {
    if unshare_into(UnshareFlags::NEWNS).is_ok() {
        return Ok(());
    }
    let (user, group) = (getuid().as_raw(), getgid().as_raw());
    unshare_into(UnshareFlags::NEWUSER | UnshareFlags::NEWNS)?;
    // The kernel wants the first before it allows the third (user_namespaces(7)).
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
    std::fs::write("/proc/self/gid_map", format!("{group} {group} 1"))
}

#[allow(unsafe_code, reason = "the one system call that no library offers as safe")]
fn unshare_into(flags: UnshareFlags) -> io::Result<()> {
    // SAFETY: the call is unsafe because FILES would give threads different file descriptors; neither
    // of the callers asks for that, and the launcher has one thread.
    unsafe { rustix::thread::unshare_unsafe(flags) }.map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_go_in_and_out() {
        let root = Path::new("/var/tmp/x");
        assert_eq!(seen(root, Path::new("/var/tmp/x/tree/a")), Path::new("/repro/tree/a"));
        assert_eq!(unseen(root, Path::new("/repro/tree/a")), Path::new("/var/tmp/x/tree/a"));
        assert_eq!(seen(root, Path::new("/data/a")), Path::new("/data/a"));
    }
}
