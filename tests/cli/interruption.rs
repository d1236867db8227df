//! Ends that come from outside, at any moment: signals, outright kills, a second `record`, a full disk.
//! Whatever comes, the lock is the old one or the new one, artifacts are whole, no process stays behind,
//! and the next `record` works.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::support::{Project, has_namespaces, in_place_of, under};

const OUTPUTS: [&str; 3] = ["repro.lock", "model.json", "metrics.json"];

/// The contents of the lock and the artifacts.
type State = [Option<Vec<u8>>; 3];

/// A project with a lock, changed and committed so that the next recording writes another lock, another
/// binary and other artifacts.
struct Changed {
    project: Project,
    /// Stands in the environment of every process of its runs.
    mark: String,
    old: State,
    new: State,
    /// How long a recording takes that has to compile.
    whole: Duration,
}

impl Changed {
    fn new() -> Self {
        let project = Project::fixture("steady");
        let mark = mark(&project);
        project.edit(
            "repro.toml",
            "[stage.train]",
            &format!("[environment]\nset = {{ MARK = \"{mark}\" }}\n[stage.train]"),
        );
        // Outputs that git does not keep, so that putting the old ones back leaves the work tree clean.
        project.write(".gitignore", "/target\n/repro.lock\n/model.json\n/metrics.json\n");
        project.edit(
            "src/main.rs",
            "println!(",
            "std::thread::sleep(std::time::Duration::from_millis(200));\n    println!(",
        );
        project.commit("slower");
        project.repro(&["record"]).code(0);
        let old = state(&project);
        project
            .edit("src/main.rs", "\\\"sum\\\"", "\\\"total\\\"")
            .edit("data/numbers.csv", "3.5", "4.5")
            .commit("change");
        let mut changed = Self {
            project,
            mark,
            old: old.clone(),
            new: old,
            whole: Duration::ZERO,
        };
        // The shorter of two: others may be at work here.
        changed.whole = Duration::MAX;
        for _ in 0..2 {
            changed.forget_build();
            let began = Instant::now();
            changed.project.repro(&["record"]).code(0);
            changed.whole = changed.whole.min(began.elapsed());
        }
        changed.new = state(&changed.project);
        assert!(changed.old.iter().zip(&changed.new).all(|(old, new)| old != new), "the change changes all of it");
        changed
    }

    /// As before the recording; `cold` makes the next one compile again.
    fn again(&self, cold: bool) {
        for (name, bytes) in OUTPUTS.iter().zip(&self.old) {
            std::fs::write(self.project.root.join(name), bytes.as_ref().unwrap()).unwrap();
        }
        if cold {
            self.forget_build();
        }
    }

    fn forget_build(&self) {
        std::fs::remove_dir_all(self.project.work()).unwrap();
        std::fs::create_dir(self.project.work()).unwrap();
    }

    /// Starts a command in a process group of its own, as a shell does.
    fn start(&self, args: &[&str]) -> Child {
        let mut command = self.project.command(args);
        command
            .env("MARK", &self.mark)
            .process_group(0)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn alive(&self) -> Vec<String> {
        alive(&self.mark)
    }

    /// What must hold however it ended; `settled` is the time that orphans may take to end.
    #[track_caller]
    fn is_whole(&self, output: &Output, settled: Duration) {
        let said = String::from_utf8_lossy(&output.stderr);
        let began = Instant::now();
        while !self.alive().is_empty() {
            assert!(began.elapsed() < settled, "still alive: {:?}\n{said}", self.alive());
            std::thread::sleep(Duration::from_millis(20));
        }
        for ((name, now), (old, new)) in OUTPUTS.iter().zip(state(&self.project)).zip(self.old.iter().zip(&self.new)) {
            assert!(now == *old || now == *new, "{name} is neither the old nor the new one\n{said}");
        }
        assert!(!said.contains("panicked"), "{said}");
        let status = self.project.git(&["status", "--porcelain"]);
        let foreign: Vec<&str> = status.lines().filter(|line| !line.starts_with("?? .cargo-repro-")).collect();
        assert_eq!(foreign, Vec::<&str>::new(), "{said}");
    }

    /// What must hold besides when it could clean up.
    #[track_caller]
    fn is_tidy(&self) {
        assert_eq!(self.project.leftovers(), Vec::<PathBuf>::new());
        assert_eq!(self.project.git(&["status", "--porcelain"]), "");
        let temporary = |path: &Path| path.file_name().unwrap().to_string_lossy().starts_with(".tmp");
        for directory in [self.project.root.join(".git/cargo-repro"), self.project.work()] {
            let found: Vec<PathBuf> = entries(&directory).into_iter().filter(|path| temporary(path)).collect();
            assert_eq!(found, Vec::<PathBuf>::new());
        }
    }
}

fn state(project: &Project) -> State {
    OUTPUTS.map(|name| std::fs::read(project.root.join(name)).ok())
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// Moments spread over the whole of a run and a little beyond.
fn moments(whole: Duration, count: u32) -> impl Iterator<Item = (u32, Duration)> {
    (0..count).map(move |number| (number, whole.mul_f64(f64::from(number) * 1.1 / f64::from(count))))
}

/// Asserts the end of a command that was sent this signal: it says that it was interrupted, unless the
/// signal came when it had done everything, or before it could listen.
#[track_caller]
fn interrupted(output: &Output, signal: Signal, changed: &Changed, done: &State) -> bool {
    let said = String::from_utf8_lossy(&output.stderr);
    match (output.status.code(), output.status.signal()) {
        (Some(130), _) => {
            assert!(said.contains("error: interrupted"), "{said}");
            true
        }
        (Some(0), _) => {
            assert!(state(&changed.project) == *done, "it ended well without its work done\n{said}");
            false
        }
        (None, Some(by)) => {
            assert_eq!(by, signal.as_raw(), "{said}");
            assert_eq!(said, "", "it had begun");
            false
        }
        other => panic!("{other:?}\n{said}"),
    }
}

#[test]
fn record_killed_at_any_moment_leaves_the_old_lock_or_the_new_one() {
    let changed = Changed::new();
    for (number, moment) in moments(changed.whole, 24) {
        changed.again(number % 3 != 2);
        let mut child = changed.start(&["record"]);
        std::thread::sleep(moment);
        let _ = child.kill(); // it may have ended
        let output = child.wait_with_output().unwrap();
        // Nobody is left to end the compiler's own children; they end by themselves.
        changed.is_whole(&output, Duration::from_secs(20));
    }
    changed.again(false);
    changed.project.repro(&["record"]).code(0);
    assert!(state(&changed.project) == changed.new);
}

#[test]
fn record_interrupted_at_any_moment_ends_its_children_and_leaves_nothing_behind() {
    let changed = Changed::new();
    let mut count = 0;
    for (number, moment) in moments(changed.whole, 24) {
        changed.again(number % 3 != 2);
        let child = changed.start(&["record"]);
        std::thread::sleep(moment);
        // A terminal's Ctrl-C goes to the whole group, and impatient people press it again.
        for _ in 0..=number % 3 {
            let _ = kill_process_group(pid(&child), Signal::INT);
            std::thread::sleep(Duration::from_millis(1));
        }
        let output = child.wait_with_output().unwrap();
        count += u32::from(interrupted(&output, Signal::INT, &changed, &changed.new));
        changed.is_whole(&output, Duration::from_millis(500));
        changed.is_tidy();
    }
    // Most of them, unless the measured recording had to share the processors and these had not.
    assert!(count >= 6, "only {count} of 24 were interrupted while at work");
    changed.again(false);
    changed.project.repro(&["record"]).code(0);
    assert!(state(&changed.project) == changed.new);
}

#[test]
fn verify_ended_by_a_supervisor_at_any_moment_leaves_nothing_behind() {
    let changed = Changed::new();
    let began = Instant::now();
    changed.project.repro(&["verify"]).code(0);
    let whole = began.elapsed();
    let mut count = 0;
    for (_, moment) in moments(whole, 16) {
        let child = changed.start(&["verify"]);
        std::thread::sleep(moment);
        let _ = kill_process(pid(&child), Signal::TERM); // to it alone, as systemd and CI runners may
        let output = child.wait_with_output().unwrap();
        count += u32::from(interrupted(&output, Signal::TERM, &changed, &changed.new));
        changed.is_whole(&output, Duration::from_millis(500));
        changed.is_tidy();
    }
    assert!(count >= 4, "only {count} of 16 were interrupted while at work");
}

#[test]
fn what_a_killed_verify_left_is_removed_by_the_next() {
    let changed = Changed::new();
    let mut child = changed.start(&["verify"]);
    let began = Instant::now();
    while changed.project.leftovers().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(5));
    }
    wait_to_read(child.stderr.as_mut().unwrap(), "Compiling");
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    changed.is_whole(&output, Duration::from_secs(20));
    assert_eq!(changed.project.leftovers().len(), 1);
    changed.project.repro(&["verify"]).code(0);
    assert_eq!(changed.project.leftovers(), Vec::<PathBuf>::new());
}

#[test]
fn an_interruption_in_json_ends_with_a_verdict_line() {
    let changed = Changed::new();
    changed.again(true);
    let mut child = changed.start(&["record", "--message-format", "json"]);
    wait_to_read(child.stdout.as_mut().unwrap(), "\"phase\":\"build\"");
    kill_process_group(pid(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let text = String::from_utf8(output.stdout).unwrap();
    let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(last["reason"], "verdict");
    assert_eq!(last["exit_code"], 130);
}

/// Reads until that was said; not a byte more.
#[track_caller]
fn wait_to_read(from: &mut impl std::io::Read, text: &str) {
    let mut read = Vec::new();
    while !read.ends_with(text.as_bytes()) {
        let mut byte = [0];
        assert_eq!(from.read(&mut byte).unwrap(), 1, "it never says {text}: {}", String::from_utf8_lossy(&read));
        read.extend(byte);
    }
}

/// What a script does to be silent until the test says [`go_on`]. The shell is not to say how that ended.
pub const WAIT: &str = "exec 3>&2 2>/dev/null; sleep 600; exec 2>&3 3>&-\n";

/// Wakes the script that waits.
#[track_caller]
pub fn go_on(project: &Project) {
    wait_for_processes(project, "sleep\u{0}600", 1);
    for process in alive(&mark(project)).iter().filter(|line| line.contains("sleep\u{0}600")) {
        let id = process.strip_prefix("/proc/").and_then(|rest| rest.split_once(' ')).unwrap().0;
        let _ = kill_process(Pid::from_raw(id.parse().unwrap()).unwrap(), Signal::TERM); // it may have been woken before
    }
}

/// A copy of `steady` whose training is this shell script, committed. Nothing is compiled, so a run
/// takes a fraction of a second. Its processes carry the project's [`mark`].
pub fn script(body: &str) -> Project {
    let project = Project::fixture("steady");
    project.write("train.sh", body);
    let mark = mark(&project);
    project.edit("repro.toml", "[stage.train]", &format!("[environment]\nset.MARK = \"{mark}\"\n[stage.train]"));
    project.edit("repro.toml", "bin = \"steady\"", "command = [\"sh\", \"train.sh\"]");
    project.commit("a script");
    project
}

#[test]
fn under_nohup_a_hangup_ends_nothing() {
    let project = script(&format!("{WAIT}{GOOD}"));
    let mut child = under(&["nohup"], &project.command(&["record"]))
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    wait_for_processes(&project, "sleep", 1);
    let hangup = std::process::Command::new("kill").args(["-HUP", &child.id().to_string()]).status();
    assert!(hangup.unwrap().success());
    go_on(&project);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(project.root.join("repro.lock").is_file());
}

/// What a script has to do.
pub const GOOD: &str = "echo '{}' > model.json; echo '{\"accuracy\":1}' > metrics.json\n";

/// A text that no other test has.
pub fn mark(project: &Project) -> String {
    format!("mark-of-{}", project.around().file_name().unwrap().to_str().unwrap())
}

/// Processes with the mark in their environment. Where they seem to work does not tell: that may be
/// a place in a mount namespace of their own.
pub fn alive(mark: &str) -> Vec<String> {
    let mut found = Vec::new();
    for process in entries(Path::new("/proc")) {
        let read =
            |name: &str| String::from_utf8_lossy(&std::fs::read(process.join(name)).unwrap_or_default()).into_owned();
        if read("environ").contains(mark) {
            found.push(format!("{} {}", process.display(), read("cmdline")));
        }
    }
    found
}

#[track_caller]
pub fn wait_for_processes(project: &Project, program: &str, count: usize) {
    let began = Instant::now();
    while alive(&mark(project)).iter().filter(|line| line.contains(program)).count() < count {
        assert!(began.elapsed() < Duration::from_secs(60), "the program does not start");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn start(project: &Project, args: &[&str]) -> Child {
    project
        .command(args)
        .process_group(0)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn a_program_that_ignores_signals_and_flees_is_ended_all_the_same() {
    // A child in its group, and one in a session of its own: both ignore what Ctrl-C sends.
    let project = script("trap '' INT TERM HUP\nsleep 543.31 &\nsetsid sleep 543.32 &\nsleep 543.33\n");
    let child = start(&project, &["record"]);
    wait_for_processes(&project, "543.3", 3);
    let began = Instant::now();
    kill_process_group(pid(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(alive(&mark(&project)), Vec::<String>::new());
    assert!(!project.root.join("repro.lock").exists());
}

#[test]
fn a_killed_record_takes_the_running_program_with_it() {
    let project = script("exec sleep 543.34\n");
    let mut child = start(&project, &["record"]);
    wait_for_processes(&project, "543.3", 1);
    child.kill().unwrap();
    child.wait().unwrap();
    let began = Instant::now();
    while !alive(&mark(&project)).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(10), "the program outlives the tool");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_killed_record_takes_the_children_of_the_running_program_with_it() {
    let project = script("sleep 543.35 &\nsleep 543.36\n");
    let mut child = start(&project, &["record"]);
    wait_for_processes(&project, "543.3", 2);
    child.kill().unwrap();
    child.wait().unwrap();
    let began = Instant::now();
    while !alive(&mark(&project)).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(10), "children of the program outlive the tool");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn without_namespaces_a_killed_record_takes_what_fled_from_its_group_with_it() {
    without_namespaces_nothing_outlives(
        "without_namespaces_a_killed_record_takes_what_fled_from_its_group_with_it",
        Signal::KILL,
    );
}

#[test]
fn without_namespaces_an_interrupted_record_takes_what_fled_from_its_group_with_it() {
    without_namespaces_nothing_outlives(
        "without_namespaces_an_interrupted_record_takes_what_fled_from_its_group_with_it",
        Signal::TERM,
    );
}

fn without_namespaces_nothing_outlives(test: &str, signal: Signal) {
    if !has_namespaces(test) {
        return; // then every test is this one
    }
    let project = script("setsid sleep 543.41 &\nsetsid sh -c 'sleep 543.42 & sleep 543.43' &\nsleep 543.44\n");
    for _ in 0..5 {
        let mut command = without_namespaces(&project.command(&["record"]));
        let mut child = command.process_group(0).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_for_processes(&project, "sleep\x00543.4", 4);
        kill_process(pid(&child), signal).unwrap();
        child.wait().unwrap();
        let began = Instant::now();
        while !alive(&mark(&project)).is_empty() {
            let left = alive(&mark(&project));
            assert!(began.elapsed() < Duration::from_secs(10), "what fled outlives the tool: {left:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The same, within namespaces that allow no further ones.
fn without_namespaces(command: &std::process::Command) -> std::process::Command {
    let allow_none = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$0\" \"$@\"";
    under(&["unshare", "--map-root-user", "sh", "-c", allow_none], command)
}

#[test]
fn two_records_at_once_wait_for_each_other_and_both_end_well() {
    let project = script(&format!("{WAIT}{GOOD}"));
    let first = start(&project, &["record"]);
    wait_for_processes(&project, "sleep", 1);
    let mut second = start(&project, &["record"]);
    wait_to_read(second.stderr.as_mut().unwrap(), "Blocking waiting for another `cargo repro record`");
    go_on(&project);
    assert_eq!(first.wait_with_output().unwrap().status.code(), Some(0));
    go_on(&project);
    assert_eq!(second.wait_with_output().unwrap().status.code(), Some(0));
    project.edit("train.sh", "sleep 600", "true");
    project.commit("waits no more");
    project.repro(&["record"]).code(0);
    project.commit("record");
    project.repro(&["verify"]).code(0);
}

#[test]
fn a_record_that_waits_for_another_can_be_interrupted() {
    let project = script(&format!("{WAIT}{GOOD}"));
    let first = start(&project, &["record"]);
    wait_for_processes(&project, "sleep", 1);
    let mut second = start(&project, &["record"]);
    wait_to_read(second.stderr.as_mut().unwrap(), "Blocking");
    kill_process_group(pid(&second), Signal::INT).unwrap();
    assert_eq!(second.wait().unwrap().code(), Some(130));
    go_on(&project);
    assert_eq!(first.wait_with_output().unwrap().status.code(), Some(0), "the first is not disturbed");
}

#[test]
fn a_verify_beside_a_record_disturbs_neither() {
    let project = script(&format!("sleep 1\n{GOOD}"));
    project.record();
    let record = start(&project, &["record"]);
    let verify = start(&project, &["verify"]);
    for child in [record, verify] {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(project.leftovers(), Vec::<PathBuf>::new());
}

/// Whether this machine lets a user mount something in a namespace of their own; if not, says that the
/// test was skipped.
#[allow(clippy::disallowed_macros, reason = "a test that was skipped must say so loudly")]
pub fn can_mount(name: &str) -> bool {
    let mount = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "tried", "/tmp"]).output();
    let can = mount.is_ok_and(|output| output.status.success());
    if !can {
        eprintln!("SKIPPED {name}: this machine allows no mount in a user namespace");
    }
    can
}

/// Runs a shell script where `$FULL` is an empty directory on a small disk of its own, in a user and
/// mount namespace, so that nothing of it outlives the script. `None` where such a thing is not allowed.
fn on_a_small_disk(name: &str, project: &Project, size: &str, body: &str) -> Option<Output> {
    let full = project.around().join("full");
    std::fs::create_dir(&full).unwrap();
    let mount = format!("mount -t tmpfs -o size={size} small \"$FULL\"");
    let run = |body: &str| {
        // The binary's environment is that of every other test.
        let prepared = project.command(&["record"]);
        let mut command = in_place_of(&prepared, "unshare");
        command.args(["-rm", "sh", "-euc", &format!("{mount}\n{body}")]);
        command.env("FULL", &full).env("REPRO", prepared.get_program()).output()
    };
    can_mount(name).then(|| run(body).unwrap())
}

#[test]
fn a_full_work_directory_is_an_error_that_names_the_path_and_loses_nothing() {
    let name = "a_full_work_directory_is_an_error_that_names_the_path_and_loses_nothing";
    let project = script(GOOD);
    project.record();
    project
        .write("large.bin", &"x".repeat(3 << 20))
        .edit("repro.toml", "seed = 42", "seed = 43")
        .commit("large");
    let before = state(&project);
    let Some(output) = on_a_small_disk(name, &project, "2m", "TMPDIR=$FULL exec \"$REPRO\" repro record") else {
        return;
    };
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("error: could not write ") && said.contains("large.bin: No space left"), "{said}");
    assert!(said.contains("hint: free some space"), "{said}");
    assert!(state(&project) == before);
    project.repro(&["record"]).code(0);
}

#[test]
fn a_disk_that_fills_up_during_the_build_is_a_failed_build_and_loses_nothing() {
    let name = "a_disk_that_fills_up_during_the_build_is_a_failed_build_and_loses_nothing";
    let project = Project::fixture("steady");
    project.record();
    project.edit("repro.toml", "seed = 42", "seed = 43").commit("change");
    let before = state(&project);
    let Some(output) = on_a_small_disk(name, &project, "300k", "TMPDIR=$FULL exec \"$REPRO\" repro record") else {
        return;
    };
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("error: the build failed"), "{said}");
    assert!(said.contains("No space left") || said.contains("Bus error") || said.contains("SIGBUS"), "{said}");
    assert!(state(&project) == before);
}

#[test]
fn a_full_disk_when_the_lock_is_written_leaves_the_old_one() {
    let name = "a_full_disk_when_the_lock_is_written_leaves_the_old_one";
    let project = script(GOOD);
    project.record();
    // Another seed makes another lock; the artifacts stay the same, so the lock is what does not fit.
    project.edit("repro.toml", "seed = 42", "seed = 43").commit("change");
    let before = state(&project);
    // `memory.json` is renewed with every recording; what it frees must be gone, too.
    let body = r#"
        cp -a . "$FULL/project"
        cd "$FULL/project"
        rm -rf .git/cargo-repro
        head -c 100m /dev/zero > "$FULL/filler" 2>&1 || true
        set +e
        "$REPRO" repro record
        code=$?
        ls -A > "$BACK/listing"
        cp repro.lock model.json metrics.json "$BACK"
        # Once there is room again, the same command does it.
        rm "$FULL/filler"
        "$REPRO" repro record > "$BACK/again" 2>&1 || exit 99
        exit $code
    "#;
    let back = project.around().join("back");
    std::fs::create_dir(&back).unwrap();
    let body = format!("BACK='{}'\n{body}", back.display());
    let Some(output) = on_a_small_disk(name, &project, "4m", &body) else {
        return;
    };
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("error: could not write ") && said.contains("repro.lock: No space left"), "{said}");
    assert!(said.contains("hint: free some space"), "{said}");
    let after = OUTPUTS.map(|name| std::fs::read(back.join(name)).ok());
    assert!(after == before);
    let listing = std::fs::read_to_string(back.join("listing")).unwrap();
    assert!(!listing.contains(".cargo-repro-"), "{listing}");
}

#[test]
fn a_full_disk_when_an_artifact_is_written_leaves_the_old_lock_and_whole_artifacts() {
    let name = "a_full_disk_when_an_artifact_is_written_leaves_the_old_lock_and_whole_artifacts";
    let project = script(GOOD);
    project.record();
    project
        .write("train.sh", &format!("{GOOD}head -c 2000000 /dev/zero > model.json\n"))
        .commit("large");
    let before = state(&project);
    let back = project.around().join("back");
    std::fs::create_dir(&back).unwrap();
    let body = format!(
        "cp -a . \"$FULL/project\"; cd \"$FULL/project\"\nset +e\n\"$REPRO\" repro record\ncode=$?\nls -A > '{0}/listing'\ncp repro.lock model.json metrics.json '{0}'\nexit $code\n",
        back.display()
    );
    let Some(output) = on_a_small_disk(name, &project, "2m", &body) else {
        return;
    };
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("model.json: No space left"), "{said}");
    let after = OUTPUTS.map(|name| std::fs::read(back.join(name)).ok());
    assert!(after == before);
    let listing = std::fs::read_to_string(back.join("listing")).unwrap();
    assert!(!listing.contains(".cargo-repro-"), "{listing}");
}

/// Starts the command with this search path, waits until the program that it needs waits, asks it to end as a supervisor
/// does, and sees that it does so at once with all that it had started.
#[track_caller]
fn ends_while_it_waits(project: &Project, args: &[&str], path: &std::ffi::OsStr, program: &str) {
    let child = project
        .command(args)
        .env("PATH", path)
        .env("MARK", mark(project))
        .process_group(0)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for_processes(project, program, 1);
    let began = Instant::now();
    kill_process(pid(&child), Signal::TERM).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(alive(&mark(project)), Vec::<String>::new());
    assert_eq!(project.leftovers(), Vec::<PathBuf>::new());
    assert_eq!(project.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_signal_ends_a_question_to_cargo() {
    let project = Project::recorded("steady");
    project.with_compiler("", &["status"]).code(0);
    let cargo = project.around().join("toolchain/bin/cargo");
    let real = std::fs::read_link(&cargo).unwrap();
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in metadata*) exec sleep 543.41 ;; *) exec {} \"$@\" ;; esac\n",
        real.display()
    );
    crate::support::executable(&cargo, &script);
    ends_while_it_waits(&project, &["status"], &project.path_with_compiler(), "543.41");
}

#[test]
fn a_demo_that_is_interrupted_takes_its_package_with_it() {
    let project = Project::bare("steady", "elsewhere");
    for (_, moment) in moments(Duration::from_secs(3), 4) {
        // From when it listens on.
        let moment = moment + Duration::from_millis(300);
        let child = project
            .command(&["demo"])
            .env("CARGO_HOME", crate::support::cargo_home())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        std::thread::sleep(moment);
        kill_process_group(pid(&child), Signal::INT).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{said}");
        assert_eq!(project.leftovers(), Vec::<PathBuf>::new(), "after {moment:?}\n{said}");
    }
}

#[test]
fn a_signal_ends_the_signing_of_a_tag_and_there_is_none() {
    for (format, program) in [("ssh", "ssh-keygen"), ("openpgp", "gpg")] {
        let project = Project::gated("tags = \"v*\"\n");
        for (key, value) in [
            ("gpg.format", format),
            ("user.signingkey", "key"),
            ("tag.gpgSign", "true"),
        ] {
            project.git(&["config", key, value]);
        }
        let bin = project.around().join("signing");
        crate::support::executable(&bin.join(program), "#!/bin/sh\nexec sleep 543.42\n");
        let mut path = bin.into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap());
        ends_while_it_waits(&project, &["tag", "v0.1.0"], &path, "543.42");
        assert_eq!(project.git(&["tag", "--list"]), "");
    }
}
