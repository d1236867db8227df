//! The live line of a long reading: a bar in ASCII as cargo's, then figures. Pure.

use std::time::Duration;

use super::live::Line;
use crate::report::human::size;
use crate::tally::Tally;

/// The letters of the bar.
const WIDTH: u64 = 20;

/// How far the reading has come.
pub(super) fn line(verb: &'static str, colors: bool, tally: &Tally, elapsed: Duration) -> Line {
    let (bytes, all) = tally.bytes();
    let (files, all_files) = tally.files();
    let per_second = (bytes as f64 / elapsed.as_secs_f64().max(1.0)) as u64;
    // The least important stands last, where a narrow terminal cuts.
    let rest = format!(
        "[{}] {}/{}, {files}/{all_files} files, {}/s",
        bar(bytes, all),
        size(bytes),
        size(all),
        size(per_second)
    );
    Line { verb, rest, colors }
}

fn bar(done: u64, all: u64) -> String {
    // More may be read than was expected: a file can grow.
    let place = (u128::from(done) * u128::from(WIDTH) / u128::from(all.max(1))).min(u128::from(WIDTH)) as usize;
    let head = if place < WIDTH as usize { ">" } else { "" };
    format!("{:<1$}", "=".repeat(place) + head, WIDTH as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_at_every_moment() {
        assert_eq!(bar(0, 0), ">                   ");
        assert_eq!(bar(5, 10), "==========>         ");
        assert_eq!(bar(99, 100), "===================>");
        assert_eq!(bar(100, 100), "====================");
        assert_eq!(bar(u64::MAX, 1), "====================");
    }

    #[test]
    fn the_figures_follow() {
        let tally = Tally::default();
        tally.expect(3, 3 << 20);
        tally.read(1 << 20);
        tally.finish_file();
        let line = line("Hashing", false, &tally, Duration::from_secs(2));
        assert_eq!(line.rest, "[======>             ] 1.0 MiB/3.0 MiB, 1/3 files, 512.0 KiB/s");
    }
}
