//! The most memory that a command had at a time.

use std::process::{Command, Stdio};
use std::time::Duration;

/// Runs it once and looks at its high-water mark (proc(5), `VmHWM`) until it ends.
pub fn of(command: &mut Command) -> String {
    let mut child = command.stdout(Stdio::null()).spawn().expect("the program is there");
    let path = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().expect("it is our child").is_none() {
        let status = std::fs::read_to_string(&path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(kilobytes.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(2));
    }
    format!("{:.1} MiB", f64::from(peak) / 1024.0)
}
