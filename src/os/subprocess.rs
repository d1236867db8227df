//! Runs a program of the machine's own, such as git or cargo, to its end; or until the user interrupts, who is not to
//! wait for a remote that does not answer.

use std::io::{self, ErrorKind, Read, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

use crate::os::bounded;
use crate::os::descendants;
use crate::os::interrupt;

/// How often it is looked at whether the user has interrupted.
const STEP: Duration = Duration::from_millis(50);

/// How long a program may take to end what it started, once it is asked to end.
const GRACE: Duration = Duration::from_millis(300);

/// How long its output may stay open after its end: only a program that it left behind holds it.
const DRAIN: Duration = Duration::from_secs(2);

/// Runs it, with `input` on its standard input or nothing, and gives what it printed.
///
/// # Errors
/// When it cannot be started, prints far too much, or the user has interrupted, which [`crate::error::Error::io`] tells.
pub fn output(command: &mut Command, input: Option<&[u8]>) -> io::Result<Output> {
    interrupted()?;
    command
        .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input.map(<[u8]>::to_vec)) {
        // In a thread of its own, since it may print before it has read all. If it ends without reading, its own
        // words say why.
        std::thread::spawn(move || stdin.write_all(&input));
    }
    let (stdout, stderr) = (gathered(child.stdout.take()), gathered(child.stderr.take()));
    let told = received(&mut child, &stdout).and_then(|stdout| Ok((stdout, received(&mut child, &stderr)?)));
    let ended = told.and_then(|told| Ok((told, waited_for(&mut child)?)));
    let ((stdout, stderr), status) = ended.inspect_err(|_| end(&mut child))?;
    Ok(Output { status, stdout, stderr })
}

/// All that comes out of a pipe, in the end.
fn gathered(pipe: Option<impl Read + Send + 'static>) -> Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = channel();
    let pipe = pipe.expect("it was asked for");
    std::thread::spawn(move || sender.send(bounded::rest(pipe, bounded::HELD, 0)));
    receiver
}

/// What a pipe gave until it was closed, as mostly happens when the child ends.
fn received(child: &mut Child, pipe: &Receiver<io::Result<Vec<u8>>>) -> io::Result<Vec<u8>> {
    let mut last = None;
    loop {
        match pipe.recv_timeout(STEP) {
            Ok(bytes) => return bytes,
            Err(RecvTimeoutError::Timeout) if last.is_none_or(|last| Instant::now() < last) => {
                interrupted()?;
                let has_ended = child.try_wait()?.is_some();
                last = last.or_else(|| has_ended.then(|| Instant::now() + DRAIN));
            }
            Err(_) => return Err(io::Error::new(ErrorKind::TimedOut, "what it left running keeps its output open")),
        }
    }
}

fn waited_for(child: &mut Child) -> io::Result<ExitStatus> {
    // Short at first: it has closed its output already.
    let mut step = Duration::from_micros(200);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        interrupted()?;
        std::thread::sleep(step);
        step = (step * 2).min(STEP);
    }
}

/// Asks it to end, with all that it has started: git leaves whatever signs for it. And ends them if they do not.
fn end(child: &mut Child) {
    let started = below(Pid::from_child(child));
    let _ = kill_process(Pid::from_child(child), Signal::TERM);
    for process in &started {
        let _ = pidfd_send_signal(process, Signal::TERM);
    }
    let last = Instant::now() + GRACE;
    while Instant::now() < last && matches!(child.try_wait(), Ok(None)) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    let _ = child.wait();
    for process in &started {
        let _ = pidfd_send_signal(process, Signal::KILL);
    }
}

/// What a process has started, and that in turn, by handles that mean no other process later.
fn below(process: Pid) -> Vec<OwnedFd> {
    let children = descendants::children(process);
    let handles = children.iter().filter_map(|child| pidfd_open(*child, PidfdFlags::empty()).ok());
    let handles: Vec<OwnedFd> = handles.collect();
    handles.into_iter().chain(children.into_iter().flat_map(below)).collect()
}

fn interrupted() -> io::Result<()> {
    interrupt::check().map_err(|_| ErrorKind::Interrupted.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn what_a_program_reads_and_prints_may_be_more_than_a_pipe_holds() {
        let input = vec![b'x'; 1 << 20];
        let output = output(sh("cat; cat /dev/null >&2; echo done >&2; exit 3").arg("sh"), Some(&input)).unwrap();
        assert_eq!((output.stdout.len(), output.stderr.as_slice()), (1 << 20, b"done\n".as_slice()));
        assert_eq!(output.status.code(), Some(3));
    }

    #[test]
    fn one_that_reads_nothing_is_no_failure() {
        let output = output(&mut sh("echo hello"), Some(&vec![b'x'; 1 << 20])).unwrap();
        assert_eq!(output.stdout, b"hello\n");
    }

    #[test]
    fn one_that_is_not_there_is_an_error() {
        assert_eq!(output(&mut Command::new("/nowhere"), None).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
