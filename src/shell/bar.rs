//! The progress bar of a long reading, below all other lines on stderr. It is there on a terminal that
//! somebody watches, once the reading has taken a second, and gone without a trace afterwards.

use std::sync::Mutex;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::tally::Tally;

/// Nothing that is done by then needs a bar.
const PATIENCE: Duration = Duration::from_secs(1);

const INTERVAL: Duration = Duration::from_millis(100);

/// The one bar that is drawn, if any.
static DRAWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Works, with a bar for what `tally` counts.
pub(super) fn watch<T>(verb: &str, colors: bool, tally: &Tally, work: impl FnOnce() -> T) -> T {
    let (done, is_done) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if is_done.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let bar = bar(verb, colors);
            set(Some(bar.clone()));
            while is_done.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                let (bytes, all) = tally.bytes();
                let (files, all_files) = tally.files();
                bar.set_length(all.max(1));
                bar.set_position(bytes);
                bar.set_message(format!("{files}/{all_files} files"));
            }
            set(None);
            bar.finish_and_clear();
        });
        let result = work();
        drop(done);
        result
    })
}

/// Writes a line while no bar is in its way.
pub(super) fn aside<T>(write: impl FnOnce() -> T) -> T {
    let drawn = DRAWN.lock().ok().and_then(|bar| bar.clone());
    match drawn {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

fn set(bar: Option<ProgressBar>) {
    if let Ok(mut drawn) = DRAWN.lock() {
        *drawn = bar;
    }
}

fn bar(verb: &str, colors: bool) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr_with_hz(10));
    let name = if colors {
        "{prefix:>12.cyan.bold}"
    } else {
        "{prefix:>12}"
    };
    // As cargo's: a bar in ASCII, then figures.
    let template = format!("{name} [{{bar:20}}] {{bytes}}/{{total_bytes}}, {{msg}}, {{binary_bytes_per_sec}}");
    let style = ProgressStyle::with_template(&template).expect("the template is ours");
    bar.set_style(style.progress_chars("=> "));
    bar.set_prefix(verb.to_owned());
    bar
}
