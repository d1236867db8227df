//! Two or more commands timed in turn, so that whatever slows the machine slows all of them; and the
//! table of what came of it.

use std::process::Command;
use std::time::{Duration, Instant};

/// A command under a name.
pub struct Side {
    name: &'static str,
    command: Command,
    also: i32,
    times: Vec<Duration>,
    /// What the processors did for it in user mode and in the kernel, in seconds.
    cpu: Vec<f64>,
}

/// How far the tool is to get.
pub enum Reach {
    /// At most so long.
    Millis(u32),
    /// At most so many times the first peer.
    Ratio(f64),
}

impl Side {
    pub fn new(name: &'static str, command: Command) -> Self {
        Self {
            name,
            command,
            also: 0,
            times: Vec::new(),
            cpu: Vec::new(),
        }
    }

    /// Another exit code that is as good as 0 here.
    pub fn or_exit(self, code: i32) -> Self {
        Self { also: code, ..self }
    }

    /// Runs it once: by the clock, and by the processors.
    fn time(&mut self) -> (Duration, f64) {
        let (began, cpu) = (Instant::now(), children_cpu());
        let output = self.command.output().expect("the program is there");
        let took = (began.elapsed(), children_cpu() - cpu);
        let code = output.status.code();
        assert!(
            code == Some(0) || code == Some(self.also),
            "{} ended with {code:?}:\n{}{}",
            self.name,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        took
    }

    fn minimum_cpu(&self) -> f64 {
        self.cpu.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn minimum(&self) -> f64 {
        self.times.iter().min().map_or(0.0, Duration::as_secs_f64)
    }

    fn median(&self) -> f64 {
        let mut times = self.times.clone();
        times.sort();
        let middle = times.len() / 2;
        let pair = if times.len().is_multiple_of(2) {
            &times[middle - 1..=middle]
        } else {
            &times[middle..=middle]
        };
        pair.iter().map(Duration::as_secs_f64).sum::<f64>() / pair.len() as f64
    }
}

/// Times all of them in turn, once without counting, and prints.
pub fn compare(title: &str, runs: u32, mut tool: Side, mut peers: Vec<Side>, reach: Reach) {
    // A first run warms caches; one that takes long has none that matter.
    if tool.time().0 < Duration::from_secs(5) {
        for peer in &mut peers {
            peer.time();
        }
    }
    for _ in 0..runs {
        for side in std::iter::once(&mut tool).chain(&mut peers) {
            let (took, cpu) = side.time();
            side.times.push(took);
            side.cpu.push(cpu);
        }
    }
    println!("{title}");
    row(&tool, "");
    for peer in &peers {
        let clock = (tool.minimum() / peer.minimum(), tool.median() / peer.median());
        let cpu = tool.minimum_cpu() / peer.minimum_cpu();
        row(peer, &format!("{:>8.3} {:>8.3} {cpu:>8.3}", clock.0, clock.1));
    }
    let (found, limit, met) = match (reach, peers.first()) {
        (Reach::Ratio(limit), Some(peer)) => {
            let found = tool.minimum() / peer.minimum();
            (format!("{found:.3} times"), format!("{limit} times"), found <= limit)
        }
        (Reach::Ratio(limit), None) => ("nothing".to_owned(), format!("{limit} times"), false),
        (Reach::Millis(limit), _) => {
            let found = tool.minimum() * 1000.0;
            (format!("{found:.1} ms"), format!("{limit} ms"), found <= f64::from(limit))
        }
    };
    println!("  reach: at most {limit}; {found} {}\n", if met { "is within it" } else { "is beyond it" });
}

fn row(side: &Side, ratio: &str) {
    let text = |seconds: f64| {
        if seconds < 2.0 {
            format!("{:.1} ms", seconds * 1000.0)
        } else {
            format!("{seconds:.2} s")
        }
    };
    let (minimum, median, cpu) = (text(side.minimum()), text(side.median()), text(side.minimum_cpu()));
    println!("  {:<26} {:>4} {minimum:>10} {median:>10} {cpu:>10} {ratio}", side.name, side.times.len());
}

/// Processor time of all children that ended, from the kernel's account of this process in ticks of a
/// hundredth of a second (proc(5), `cutime` and `cstime`): little for a short command, exact for a
/// long one, and the same however busy the machine is.
pub fn children_cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    after_name
        .split(' ')
        .skip(13)
        .take(2)
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}
