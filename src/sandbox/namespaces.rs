//! Namespaces in which a program finds the system's programs and libraries, what it declared,
//! and nothing else (namespaces(7), mount_namespaces(7)). They need no privilege, only that the kernel, or
//! the container's policy, allows user namespaces.

use std::ffi::{CStr, CString, OsStr};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind_recursive, mount_change, mount_remount, unmount,
};
use rustix::process::{chdir, pivot_root};

use super::{Mount, Namespaces, sys};

/// Directories of the system that every program sees.
const SYSTEM: [&str; 9] = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc", "sys"];

/// Devices that every program sees, and those of accelerators, by the beginning of their names.
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
const ACCELERATORS: [&str; 3] = ["nvidia", "dri", "kfd"];

/// The user and the host that every program sees.
const NAMES: [(&str, &str); 6] = [
    ("passwd", "root:x:0:0::/:/usr/sbin/nologin\nrepro:x:1000:1000::/repro/home:/bin/sh\n"),
    ("group", "root:x:0:\nrepro:x:1000:\n"),
    ("hostname", "repro\n"),
    ("hosts", "127.0.0.1 localhost\n::1 localhost\n"),
    ("resolv.conf", ""),
    ("machine-id", "00000000000000000000000000000000\n"),
];

/// A directory in the new root for files of ours that are put over the system's.
const OWN: &str = ".repro";

/// Builds the new root, and makes it this process's. It must be in namespaces of its own.
///
/// # Errors
/// When the kernel does not allow a step.
pub fn enter(namespaces: &Namespaces, directory: &Path) -> io::Result<()> {
    // Nothing that is mounted here may appear outside.
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    let new = &namespaces.mount_point;
    mount("repro", new, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, None::<&CStr>)?;
    system(namespaces, new)?;
    // What holds something hidden must be there first.
    let is_around = |shown: &&PathBuf| namespaces.hidden.iter().any(|hidden| hidden.starts_with(shown));
    for shown in namespaces.shown.iter().filter(is_around) {
        show(shown, new)?;
    }
    let hidden = hide(&namespaces.hidden, new)?;
    devices(&new.join("dev"))?;
    fs::create_dir(new.join("proc"))?;
    let hardened = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", new.join("proc"), "proc", hardened, None::<&CStr>)?;
    for shown in namespaces.shown.iter().filter(|shown| !is_around(shown)) {
        show(shown, new)?;
    }
    for part in &namespaces.mounts {
        put(part, new)?;
    }
    for place in hidden.iter().map(PathBuf::as_path).chain([&**new]) {
        mount_remount(place, MountFlags::BIND | MountFlags::RDONLY, OsStr::new(""))?;
    }
    // pivot_root(2) allows both to be one place; the old root is then on top of it, and goes.
    chdir(new)?;
    pivot_root(".", ".")?;
    unmount(".", UnmountFlags::DETACH)?;
    chdir(directory)?;
    Ok(())
}

/// Puts an empty directory in each one's place, if it is there; gives those places.
fn hide(hidden: &[PathBuf], new: &Path) -> io::Result<Vec<PathBuf>> {
    let mut places = Vec::new();
    for path in hidden {
        let place = new.join(path.strip_prefix("/").unwrap_or(path));
        if place.symlink_metadata().is_ok_and(|meta| meta.is_dir()) {
            mount("repro", &place, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, None::<&CStr>)?;
            places.push(place);
        }
    }
    Ok(places)
}

/// What `/proc` has of the machine that a superuser may change even from here, where he is nobody else.
const MACHINE: [&str; 5] = ["bus", "fs", "irq", "sys", "sysrq-trigger"];

/// Takes away the last that could be written to outside.
///
/// # Errors
/// When the kernel does not allow it.
pub fn seal() -> io::Result<()> {
    for name in MACHINE {
        let path = Path::new("/proc").join(name);
        if path.exists() {
            mount_bind_recursive(&path, &path)?;
            sys::make_read_only(&text(&path)?)?;
        }
    }
    Ok(())
}

fn system(namespaces: &Namespaces, new: &Path) -> io::Result<()> {
    for entry in fs::read_dir("/")? {
        let entry = entry?;
        let name = entry.file_name();
        let ours = ["dev", "proc", "tmp", "repro"].iter().any(|own| name == *own);
        if !ours && (namespaces.open || SYSTEM.iter().any(|shown| name == *shown)) {
            mirror(&entry.path(), &new.join(name))?;
        }
    }
    fs::create_dir_all(new.join("tmp"))?;
    let own = new.join(OWN);
    fs::create_dir(&own)?;
    for (name, content) in NAMES {
        let (from, to) = (own.join(name), new.join("etc").join(name));
        if to.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
            fs::write(&from, content)?;
            mount_bind_recursive(&from, &to)?;
            sys::make_read_only(&text(&to)?)?;
        }
    }
    Ok(())
}

fn devices(new: &Path) -> io::Result<()> {
    fs::create_dir(new)?;
    for entry in fs::read_dir("/dev")? {
        let name = entry?.file_name();
        let text = name.to_string_lossy();
        if DEVICES.contains(&&*text) || ACCELERATORS.iter().any(|start| text.starts_with(start)) {
            let from = Path::new("/dev").join(&name);
            stand_in(&from, &new.join(&name))?;
            mount_bind_recursive(&from, new.join(&name))?;
        }
    }
    for (name, target) in [("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")] {
        symlink(format!("/proc/self/{target}"), new.join(name))?;
    }
    let shared = new.join("shm");
    fs::create_dir(&shared)?;
    mount("repro", &shared, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, None::<&CStr>).map_err(io::Error::from)
}

/// Shows something of the machine at the same place, unless it is seen already as part of what is.
fn show(path: &Path, new: &Path) -> io::Result<()> {
    let place = new.join(path.strip_prefix("/").unwrap_or(path));
    if place.symlink_metadata().is_ok() {
        return Ok(());
    }
    if let Some(parent) = place.parent() {
        fs::create_dir_all(parent)?;
    }
    mirror(path, &place)
}

/// A link is made anew; anything else is mounted, read-only.
fn mirror(from: &Path, place: &Path) -> io::Result<()> {
    if from.symlink_metadata()?.is_symlink() {
        return symlink(fs::read_link(from)?, place);
    }
    stand_in(from, place)?;
    mount_bind_recursive(from, place)?;
    sys::make_read_only(&text(place)?)
}

fn put(part: &Mount, new: &Path) -> io::Result<()> {
    let place = new.join(part.to.strip_prefix("/").unwrap_or(&part.to));
    if !place.exists() {
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)?;
        }
        stand_in(&part.from, &place)?;
    }
    mount_bind_recursive(&part.from, &place)?;
    if part.writable {
        Ok(())
    } else {
        sys::make_read_only(&text(&place)?)
    }
}

/// Something of the same kind to mount upon.
fn stand_in(from: &Path, place: &Path) -> io::Result<()> {
    if from.metadata()?.is_dir() {
        fs::create_dir_all(place)
    } else {
        fs::File::create(place).map(drop)
    }
}

fn text(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(io::Error::other)
}

/// Whether it lies in a directory of the system's.
#[must_use]
pub fn is_of_system(path: &Path) -> bool {
    SYSTEM.iter().any(|name| path.starts_with(Path::new("/").join(name)))
}

/// Whether it is one of them, or holds one: no such place can be hidden.
#[must_use]
pub fn is_above_system(path: &Path) -> bool {
    SYSTEM.iter().any(|name| Path::new("/").join(name).starts_with(path))
}
