//! A stack that is really one, and files that are hardly any more.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use proptest::prelude::*;

use super::image::{Image, Images, Place};
use super::{Mapping, Packages, Scan, Site, StackSample, Tracer, instructions, references, symbols, unwind};

/// The test that is run again as the process to look at.
const WAITING: &str = "waits_for_a_byte";

/// Waits in a read, two calls deep.
#[test]
#[ignore = "the process that another test looks at"]
fn waits_for_a_byte() {
    assert!(black_box(outer_place(3)) > 2);
}

#[inline(never)]
fn outer_place(number: usize) -> usize {
    let frame = black_box([number; 100]); // so that there is something on the stack
    inner_place(&frame) + frame[99]
}

#[inline(never)]
fn inner_place(numbers: &[usize]) -> usize {
    let mut byte = [0];
    let read = std::io::stdin().lock().read(&mut byte).unwrap_or_default();
    black_box(read + numbers[0])
}

/// A child that ends with its test.
struct Waiting(Child);

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn waiting() -> (Waiting, StackSample) {
    let name = format!("{}::{WAITING}", module_path!().split_once("::").expect("a module has a crate").1);
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &name, "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let child = Waiting(child);
    let tasks = PathBuf::from(format!("/proc/{}/task", child.0.id()));
    for _ in 0..2000 {
        let threads = std::fs::read_dir(&tasks).unwrap().map(|entry| entry.unwrap().path());
        if let Some(thread) = threads.into_iter().find(|thread| reads_stdin(thread)) {
            return (child, StackSample::take(&thread, "read(0)".to_owned()).unwrap());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("no thread of the child reads");
}

fn reads_stdin(thread: &Path) -> bool {
    let call = std::fs::read_to_string(thread.join("syscall")).unwrap_or_default();
    let number = if cfg!(target_arch = "x86_64") { "0" } else { "63" };
    call.starts_with(&format!("{number} 0x0 "))
}

fn packages() -> Packages {
    Packages {
        roots: vec![env!("CARGO_MANIFEST_DIR").to_owned()],
        own: BTreeSet::from([env!("CARGO_CRATE_NAME").to_owned()]),
        ..Packages::default()
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn a_waiting_thread_is_followed_to_where_it_began() {
    let (_child, sample) = waiting();
    let mut tracer = Tracer::new(packages(), |path| path.into());
    let frames = tracer.frames(&sample);
    let functions: Vec<&str> = frames.iter().map(|frame| frame.function.as_deref().unwrap_or("-")).collect();
    let place = |end: &str| functions.iter().position(|function| function.ends_with(end));
    let inner = place("tests::inner_place");
    assert!(inner.is_some() && inner < place("tests::outer_place"), "{functions:#?}");
    assert!(place("tests::outer_place") < place(WAITING), "{functions:#?}");
    assert!(place(WAITING) < place("__rust_begin_short_backtrace"), "{functions:#?}");
    assert!(frames.iter().all(|frame| !frame.guessed), "{frames:#?}");

    let site = Site::find(&sample.what, &frames).unwrap();
    assert!(site.function.ends_with("tests::inner_place") && site.package.is_none(), "{site}");
    assert!(!site.via.is_empty());
    let line = site.file.as_deref().is_none_or(|file| file == "src/trace/tests.rs");
    assert!(line && site.file.is_some() == site.line.is_some(), "{site:?}");
}

#[test]
#[cfg(target_arch = "x86_64")]
fn who_makes_hash_maps_is_known_without_running() {
    let path = std::env::current_exe().unwrap().display().to_string();
    let mut tracer = Tracer::new(packages(), |path| path.into());
    let users = tracer.users(&path, "hashmap_random_keys").unwrap();
    assert!(users.iter().any(|site| site.function.ends_with("tests::makes_a_map")), "{users:#?}");
    assert_eq!(tracer.users(&path, "no function is called so"), None);
}

#[test]
#[allow(clippy::disallowed_types)]
fn makes_a_map() {
    let map: std::collections::HashMap<u32, u32> = black_box([(1, 2)].into_iter().collect());
    assert_eq!(map.len(), 1);
}

#[test]
fn what_is_no_program_is_not_looked_at() {
    let mut tracer = Tracer::new(Packages::default(), |path| path.into());
    for path in ["/proc/self/maps", "/dev/zero", "/", "/no such file"] {
        assert!(matches!(tracer.instructions(path), Scan::NotLookedAt(_)), "{path}");
    }
}

const PATH: &str = "/damaged";

/// A small program that is anywhere.
fn program() -> Option<Vec<u8>> {
    let small = |path: &&str| std::fs::metadata(path).is_ok_and(|file| file.len() < 200_000);
    ["/bin/true", "/bin/echo", "/bin/sh"]
        .iter()
        .find(|path| small(path))
        .and_then(|path| std::fs::read(path).ok())
}

/// A sample with addresses in and around the file, as if it were mapped at its own addresses.
fn sample() -> impl Strategy<Value = StackSample> {
    let address = || prop_oneof![8 => 0..0x1_0000_u64, 2 => 0x7000..0x7100_u64, 1 => any::<u64>()];
    let word = prop_oneof![4 => address(), 1 => 0x10_0000..0x10_0400_u64];
    let stack = prop::collection::vec(word, 0..128);
    (
        address(),
        prop_oneof![9 => Just(0x10_0000), 1 => any::<u64>()],
        any::<Option<u64>>(),
        stack,
        0..0x5000_u64,
    )
        .prop_map(|(pc, sp, bp, stack, offset)| StackSample {
            by: String::new(),
            what: String::new(),
            pc,
            sp,
            bp,
            stack: stack.into_iter().flat_map(u64::to_le_bytes).collect(),
            maps: vec![Mapping {
                start: 0,
                end: 0x1_0000,
                offset: offset & !0xfff,
                executable: true,
                path: Some(PATH.to_owned()),
            }],
        })
}

fn look_at_everything(image: Image, sample: &StackSample) {
    let mut images = Images::of([(PATH.to_owned(), image)]);
    let steps = unwind::walk(sample, &mut images);
    let frames = symbols::frames(&steps, &Packages::default());
    let _ = Site::find("", &frames);
    let image = images.image(PATH).expect("it was put there");
    let file = Place {
        image,
        path: PATH.to_owned(),
        address: 0,
    };
    let _ = instructions::scan(&file, &Packages::default());
    let _ = references::users(&file, "a", &Packages::default());
}

proptest! {
    #[test]
    fn no_bytes_break_the_reader(bytes: Vec<u8>) {
        prop_assert!(Image::parse(bytes).is_none());
    }

    #[test]
    fn no_damage_breaks_the_walk(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..200),
        length in any::<prop::sample::Index>(),
        cut: bool,
        sample in sample(),
    ) {
        let Some(mut bytes) = program() else { return Ok(()) };
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if cut {
            bytes.truncate(length.index(bytes.len()));
        }
        if let Some(image) = Image::parse(bytes) {
            look_at_everything(image, &sample);
        }
    }
}
