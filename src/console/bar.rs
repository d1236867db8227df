//! The live line of a long reading: a bar in ASCII as cargo's, then figures. Pure.

use std::time::Duration;

use super::live::Line;
use crate::progress::Progress;
use crate::text::size;

/// The letters of the bar.
const WIDTH: u64 = 20;

/// How far the reading has come.
pub(super) fn line(verb: &'static str, colors: bool, progress: &Progress, elapsed: Duration) -> Line {
    let (bytes, all) = progress.bytes();
    let (files, all_files) = progress.files();
    let per_second = (bytes as f64 / elapsed.as_secs_f64().max(1.0)) as u64;
    let place = place(bytes, all, progress.met(), all_files);
    let come = if all_files == 1 {
        format!("{}/{}", size(bytes), size(all))
    } else {
        format!("{files}/{all_files} files, {}", size(bytes))
    };
    // The least important stands last, where a narrow terminal cuts.
    let rest = format!("[{}] {come}, {}/s", bar(place), size(per_second));
    Line { verb, rest, colors }
}

/// Which of the bar's letters is reached. How large a file is may be known only once it is met, so the bytes tell
/// how far these have come, and the files how many others there are.
fn place(bytes: u64, all: u64, met: u64, files: u64) -> usize {
    let part = |done: u64, all: u64| if all == 0 { 1.0 } else { done as f64 / all as f64 };
    // More may be read than was expected: a file can grow.
    (part(bytes, all).min(1.0) * part(met, files).min(1.0) * WIDTH as f64) as usize
}

fn bar(place: usize) -> String {
    let head = if place < WIDTH as usize { ">" } else { "" };
    format!("{:<1$}", "=".repeat(place) + head, WIDTH as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_at_every_moment() {
        assert_eq!(bar(place(0, 0, 0, 1)), ">                   ");
        assert_eq!(bar(place(5, 10, 1, 1)), "==========>         ");
        assert_eq!(bar(place(5, 10, 2, 4)), "=====>              ");
        assert_eq!(bar(place(99, 100, 3, 3)), "===================>");
        assert_eq!(bar(place(100, 100, 3, 3)), "====================");
        assert_eq!(bar(place(0, 0, 3, 3)), "====================");
        assert_eq!(bar(place(u64::MAX, 1, 1, 1)), "====================");
    }

    #[test]
    fn the_figures_follow() {
        let progress = Progress::default();
        progress.expect(3);
        (0..3).for_each(|_| progress.meet(1 << 20));
        progress.read(1 << 20);
        progress.finish_file();
        let line = line("Hashing", false, &progress, Duration::from_secs(2));
        assert_eq!(line.rest, "[======>             ] 1/3 files, 1.0 MiB, 512.0 KiB/s");
    }

    #[test]
    fn files_whose_sizes_are_not_known_yet_do_not_count_as_read() {
        let progress = Progress::default();
        progress.expect(30);
        for _ in 0..3 {
            progress.meet(1 << 20);
            progress.read(1 << 20);
            progress.finish_file();
        }
        let line = line("Hashing", false, &progress, Duration::from_secs(1));
        assert_eq!(line.rest, "[==>                 ] 3/30 files, 3.0 MiB, 3.0 MiB/s");
    }

    #[test]
    fn of_one_file_the_bytes_tell() {
        let progress = Progress::default();
        progress.expect(1);
        progress.meet(4 << 20);
        progress.read(1 << 20);
        let line = line("Hashing", false, &progress, Duration::from_secs(1));
        assert_eq!(line.rest, "[=====>              ] 1.0 MiB/4.0 MiB, 1.0 MiB/s");
    }
}
