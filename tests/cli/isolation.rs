//! The namespaces, from within: a program that tries what it may not, by every way that there is. Each attempt is
//! refused, what was reached for is named, and nothing of the program is there afterwards.

use std::net::{SocketAddr, TcpListener};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::interruption::{alive, mark};
use crate::support::{Both, Project, has_namespaces, under};

/// A directory in the home of whoever runs the tests, with a file that is nobody's business.
struct Home {
    directory: TempDir,
    secret: PathBuf,
}

impl Home {
    fn new() -> Self {
        let home = std::env::home_dir().unwrap();
        let directory = tempfile::Builder::new().prefix(".repro-test-").tempdir_in(home).unwrap();
        let secret = directory.path().join("secret.csv");
        std::fs::write(&secret, "hunter2\n").unwrap();
        Self { directory, secret }
    }

    fn secret(&self) -> &str {
        self.secret.to_str().unwrap()
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().unwrap().to_owned()
    }
}

/// A copy of `intruder` that is to make these attempts; its processes carry the project's mark.
fn intruder(attempts: &[&str]) -> Project {
    let project = Project::fixture("intruder");
    let args: Vec<String> = attempts.iter().map(|attempt| format!("{attempt:?}")).collect();
    project.edit("repro.toml", "args = []", &format!("args = [{}]", args.join(", ")));
    let text = project.read("repro.toml");
    project.write("repro.toml", &format!("{text}\n[environment]\nset = {{ MARK = \"{}\" }}\n", mark(&project)));
    project.commit("what to try");
    project
}

/// What came of an attempt, as the program said it.
#[track_caller]
fn said<'a>(both: &'a Both, attempt: &str) -> &'a str {
    let line = both.human.stderr.lines().find_map(|line| line.strip_prefix(&format!("{attempt}: ")));
    line.unwrap_or_else(|| panic!("nothing said of {attempt}:\n{}", both.human.stderr))
}

/// Records: none of the attempts succeeds, these causes are named and keep the lock from being written; without any
/// the lock is written.
#[track_caller]
fn refused(project: &Project, attempts: &[&str], causes: &[String]) -> Both {
    let both = project.both(&["record"]);
    for attempt in attempts {
        assert!(said(&both, attempt).starts_with("refused: "), "{attempt}: {}", said(&both, attempt));
    }
    assert_eq!(both.json.kinds("causes"), causes, "{}", both.human.stderr);
    both.human.code(if causes.is_empty() { 0 } else { 6 });
    assert_eq!(project.root.join("repro.lock").exists(), causes.is_empty());
    assert_eq!(alive(&mark(project)), Vec::<String>::new());
    both
}

fn undeclared(path: &str) -> String {
    format!("undeclared-read {path}")
}

#[test]
fn a_file_of_the_home_directory_is_out_of_reach_and_is_named() {
    if !has_namespaces("a_file_of_the_home_directory_is_out_of_reach_and_is_named") {
        return;
    }
    let home = Home::new();
    let read = format!("read={}", home.secret());
    let project = intruder(&[&read]);
    let both = refused(&project, &[&read], &[undeclared(home.secret())]);
    let text = &both.human.stderr;
    assert!(text.contains("the program reached for what repro.toml does not declare"), "{text}");
    assert!(text.contains("under [data] in repro.toml"), "{text}");
    let cause = &both.json.verdict()["causes"][0];
    assert_eq!((cause["stage"].as_str(), cause["hint"].is_string()), (Some("train"), true));
    assert!(cause["detail"].as_str().unwrap().starts_with("intruder "), "{cause}");
    assert_eq!(both.json.verdict()["error"]["phase"], "train");

    // Declared, it is read like any other data, from where it lies.
    project
        .edit(
            "repro.toml",
            "numbers = \"numbers.csv\"",
            &format!("numbers = \"numbers.csv\"\nsecret = {:?}", home.secret()),
        )
        .commit("declared");
    let both = project.both(&["record"]);
    both.human.code(0);
    assert_eq!(said(&both, &read), "8 bytes");
    assert_eq!(both.json.kinds("notes"), Vec::<String>::new());
}

#[test]
fn nothing_outside_the_package_can_be_written() {
    if !has_namespaces("nothing_outside_the_package_can_be_written") {
        return;
    }
    let home = Home::new();
    let outside = home.path("written");
    let mut attempts = vec![format!("write={outside}"), format!("write={}", home.secret())];
    // Beside the package, above it, its sources, its data, the programs of the system and of the build.
    let places = [
        "../written",
        "/repro/written",
        "/repro/tree/written",
        "src/main.rs",
        "Cargo.lock",
        "numbers.csv",
        "/etc/written",
        "/etc/passwd",
        "/usr/bin/written",
        "/usr/bin/env",
        "/written",
        "/proc/sys/kernel/hostname",
        "/proc/sys/vm/swappiness",
        "/sys/kernel/mm/transparent_hugepage/enabled",
        "/repro/target/release/intruder",
    ];
    attempts.extend(places.map(|place| format!("write={place}")));
    let attempts: Vec<&str> = attempts.iter().map(String::as_str).collect();
    let project = intruder(&attempts);
    refused(&project, &attempts, &[]);
    assert!(!Path::new(&outside).exists());
    assert_eq!(std::fs::read_to_string(&home.secret).unwrap(), "hunter2\n");
}

#[test]
fn temporary_directories_are_the_runs_own() {
    if !has_namespaces("temporary_directories_are_the_runs_own") {
        return;
    }
    let name = format!("written-by-{}", std::process::id());
    let places = ["/tmp", "/var/tmp", "/dev/shm"].map(|place| format!("{place}/{name}"));
    let attempts = places.clone().map(|place| format!("write={place}"));
    let project = intruder(&attempts.each_ref().map(String::as_str));
    let both = project.both(&["record"]);
    both.human.code(0);
    for (attempt, place) in attempts.iter().zip(places) {
        assert_eq!(said(&both, attempt), "written");
        assert!(!Path::new(&place).exists(), "{place} is the machine's");
    }
    // What is there of the machine is not there within, and is named like anything else.
    let there = project.around().join("there");
    std::fs::write(&there, "hunter2\n").unwrap();
    let read = format!("read={}", there.display());
    refused(&intruder(&[&read]), &[&read], &[undeclared(there.to_str().unwrap())]);
}

/// Nobody came by.
fn nobody_asked(listener: &TcpListener) {
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[track_caller]
fn is_unreachable(name: &str, addresses: [&str; 2]) {
    if !has_namespaces(name) {
        return;
    }
    let [by_stream, by_datagram] = addresses;
    let project = intruder(&[&format!("tcp={by_stream}"), &format!("udp={by_datagram}")]);
    let mut causes = [by_stream, by_datagram].map(|address| format!("network {address}"));
    causes.sort();
    let both = refused(&project, &[&format!("tcp={by_stream}"), &format!("udp={by_datagram}")], &causes);
    assert!(both.human.stderr.contains("hint: fetch it beforehand"), "{}", both.human.stderr);
}

#[test]
fn the_network_is_out_of_reach() {
    // Addresses that are far away: nothing says that they are there before they are asked.
    is_unreachable("the_network_is_out_of_reach", ["192.0.2.7:443", "192.0.2.8:53"]);
    is_unreachable("the_network_is_out_of_reach", ["[2001:db8::7]:443", "[2001:db8::8]:53"]);
}

#[test]
fn a_program_talks_to_its_own_servers_and_to_none_of_the_machines() {
    if !has_namespaces("a_program_talks_to_its_own_servers_and_to_none_of_the_machines") {
        return;
    }
    let mut own = vec!["own=127.0.0.1:0".to_owned()];
    let mut machines = vec![TcpListener::bind("127.0.0.1:0").unwrap()];
    if let Ok(listener) = TcpListener::bind("[::1]:0") {
        own.push("own=[::1]:0".to_owned());
        machines.push(listener);
    }
    let others = machines.iter().map(|listener| format!("tcp={}", listener.local_addr().unwrap()));
    let attempts: Vec<String> = own.iter().cloned().chain(others).collect();
    let attempts: Vec<&str> = attempts.iter().map(String::as_str).collect();
    let project = intruder(&attempts);
    // A build has one, too.
    let build = "use std::net::{TcpListener, TcpStream};\n\nfn main() {\n    let server = TcpListener::bind(\"127.0.0.1:0\").unwrap();\n    \
                 TcpStream::connect(server.local_addr().unwrap()).unwrap();\n}\n";
    project.write("build.rs", build).commit("a build that talks to itself");
    let both = project.both(&["record"]);
    both.human.code(0);
    for attempt in &attempts[..own.len()] {
        assert_eq!(said(&both, attempt), "5 and 5 bytes");
    }
    for attempt in &attempts[own.len()..] {
        assert!(said(&both, attempt).starts_with("refused: "), "{attempt}: {}", said(&both, attempt));
    }
    machines.iter().for_each(nobody_asked);
    // Nobody else can answer there, so it is no access to a network.
    assert_eq!(both.json.kinds("causes"), Vec::<String>::new());
    assert_eq!(both.json.kinds("notes"), Vec::<String>::new());
    project.commit("lock").repro(&["verify"]).code(0);
}

#[test]
fn local_sockets_of_the_machine_are_out_of_reach() {
    if !has_namespaces("local_sockets_of_the_machine_are_out_of_reach") {
        return;
    }
    let home = Home::new();
    let path = home.path("socket");
    let name = format!("repro-test-{}", std::process::id());
    let by_name = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
    let listeners = [
        UnixListener::bind(&path).unwrap(),
        UnixListener::bind_addr(&by_name).unwrap(),
    ];
    let attempts = [format!("unix={path}"), format!("unix=@{name}")];
    let attempts = attempts.each_ref().map(String::as_str);
    let causes = [format!("network unix:{path}"), format!("network unix:@{name}")];
    refused(&intruder(&attempts), &attempts, &causes);
    for listener in listeners {
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err(), "somebody asked");
    }
}

#[test]
fn a_network_that_the_manifest_lets_it_into_is_a_note() {
    if !has_namespaces("a_network_that_the_manifest_lets_it_into_is_a_note") {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let attempt = format!("tcp={address}");
    let project = intruder(&[&attempt]);
    let text = project.read("repro.toml");
    project
        .write("repro.toml", &format!("{text}\n[isolation]\nnetwork = \"warn\"\n"))
        .commit("let it");
    let both = project.both(&["record"]);
    both.human.code(0);
    assert_eq!(said(&both, &attempt), "5 bytes sent");
    assert_eq!(both.json.kinds("notes"), [format!("network {address}")]);
    assert_eq!(both.json.kinds("causes"), Vec::<String>::new());
}

#[test]
fn a_ring_opens_nothing_behind_the_audits_back() {
    if !has_namespaces("a_ring_opens_nothing_behind_the_audits_back") {
        return;
    }
    // The second is one that it may read otherwise.
    let home = Home::new();
    let attempts = [format!("ring={}", home.secret()), "ring=numbers.csv".to_owned()];
    let attempts = attempts.each_ref().map(String::as_str);
    let project = intruder(&attempts);
    let both = refused(&project, &attempts, &[]);
    assert!(attempts.iter().all(|attempt| said(&both, attempt).contains("Function not implemented")));
}

#[test]
fn no_way_through_proc_leads_out_or_past_the_audit() {
    if !has_namespaces("no_way_through_proc_leads_out_or_past_the_audit") {
        return;
    }
    let home = Home::new();
    let secret = home.secret();
    let ways = [
        format!("read=/proc/self/root{secret}"),
        format!("read=/proc/thread-self/root/..{secret}"),
        format!("read=/proc/self/cwd/../../../..{secret}"),
        format!("relative={secret}"),
    ];
    for way in &ways {
        refused(&intruder(&[way]), &[way], &[undeclared(secret)]);
    }
    // Other processes: the first within, that which started it, this test, and the tool.
    let others = [
        format!("read=/proc/1/root{secret}"),
        format!("parent={secret}"),
        format!("read=/proc/{}/root{secret}", std::process::id()),
    ];
    for way in &others {
        let both = intruder(&[way]).both(&["record"]);
        assert!(said(&both, way).starts_with("refused: "), "{way}: {}", said(&both, way));
    }
    let attempts = [
        format!("read=/proc/{}/environ", std::process::id()),
        "read=/proc/1/environ".to_owned(),
        "read=/proc/1/mem".to_owned(),
        "read=/proc/kcore".to_owned(),
    ];
    let attempts = attempts.each_ref().map(String::as_str);
    refused(&intruder(&attempts), &attempts, &[]);
}

#[test]
fn a_link_of_the_programs_own_leads_neither_out_nor_past_the_audit() {
    if !has_namespaces("a_link_of_the_programs_own_leads_neither_out_nor_past_the_audit") {
        return;
    }
    let home = Home::new();
    let attempt = format!("link={}", home.secret());
    refused(&intruder(&[&attempt]), &[&attempt], &[undeclared(home.secret())]);
    // One that leads to something that it sees, but that is no part of any lock.
    let shown = "link=/etc/debian_version";
    if Path::new("/etc/debian_version").exists() {
        let both = intruder(&[shown]).both(&["record"]);
        assert_eq!(both.human.code(6).code, Some(6));
        assert_eq!(both.json.kinds("causes"), [undeclared("/etc/debian_version")]);
    }
}

#[test]
fn descriptors_of_the_caller_are_not_inherited() {
    let home = Home::new();
    let project = intruder(&["descriptors="]);
    let opened = ["sh", "-c", "exec 7<\"$0\" 8<\"$0\"; exec \"$@\"", home.secret()];
    let answer = project.answer(&mut under(&opened, &project.command(&["record"])));
    answer.code(0);
    assert!(answer.stderr.contains("descriptors=: none\n"), "{}", answer.stderr);
}

#[test]
fn a_static_program_is_held_and_seen_like_any_other() {
    if !has_namespaces("a_static_program_is_held_and_seen_like_any_other") {
        return;
    }
    let home = Home::new();
    let attempts = [
        format!("read={}", home.secret()),
        "tcp=192.0.2.7:443".to_owned(),
        "linkage=".to_owned(),
    ];
    let project = intruder(&attempts.each_ref().map(String::as_str));
    project.write(".cargo/config.toml", "[build]\nrustflags = [\"-C\", \"target-feature=+crt-static\"]\n");
    project.commit("static");
    let causes = ["network 192.0.2.7:443".to_owned(), undeclared(home.secret())];
    let both = refused(&project, &[&attempts[0], &attempts[1]], &causes);
    assert_eq!(said(&both, "linkage="), "static");
}

#[test]
fn a_child_that_flees_is_ended_with_the_program() {
    let project = intruder(&["daemon="]);
    let began = Instant::now();
    let both = project.both(&["record"]);
    both.human.code(0);
    assert_eq!(said(&both, "daemon="), "left behind");
    assert_eq!(alive(&mark(&project)), Vec::<String>::new());
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}

#[test]
fn a_bomb_of_processes_comes_to_an_end_and_leaves_none() {
    let project = intruder(&["bomb=6000"]);
    let both = project.both(&["record"]);
    both.human.code(0);
    assert_eq!(alive(&mark(&project)), Vec::<String>::new());
    // Where there are no namespaces, a superuser has no such limit.
    if has_namespaces("a_bomb_of_processes_comes_to_an_end_and_leaves_none") {
        assert!(said(&both, "bomb=6000").starts_with("refused after "), "{}", said(&both, "bomb=6000"));
    }
}

#[test]
fn a_program_that_ignores_every_signal_is_ended_when_its_time_is_up() {
    let project = intruder(&["stubborn="]);
    project.edit("repro.toml", "timeout = \"1m\"", "timeout = \"2s\"").commit("two seconds");
    let began = Instant::now();
    let answer = project.json(&["record"]);
    answer.code(6);
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
    let message = answer.verdict()["error"]["message"].clone();
    assert!(message.as_str().unwrap().contains("was still running after its timeout of 2s"), "{message}");
    assert_eq!(alive(&mark(&project)), Vec::<String>::new());
    assert_eq!(project.leftovers(), Vec::<PathBuf>::new());
}

#[test]
fn a_program_that_prints_without_end_is_ended_when_its_time_is_up() {
    let project = crate::interruption::script("exec yes\n");
    project
        .edit("repro.toml", "command = [\"sh\"", "timeout = \"1s\"\ncommand = [\"sh\"")
        .commit("a second");
    let began = Instant::now();
    let answer = project.repro(&["record"]);
    answer.code(6);
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    assert!(answer.stderr.contains("was still running after its timeout of 1s"));
    assert_eq!(alive(&mark(&project)), Vec::<String>::new());
}

#[test]
fn a_committed_file_that_is_read_is_pinned_though_nobody_declared_it() {
    let project = intruder(&["read=extra.csv", "read=deep/er.csv"]);
    project
        .write("extra.csv", "1\n")
        .write("deep/er.csv", "2\n")
        .write("unread.csv", "3\n")
        .commit("more");
    let both = project.both(&["record"]);
    both.human.code(0);
    assert_eq!(said(&both, "read=extra.csv"), "2 bytes");
    assert_eq!(both.json.kinds("notes"), ["undeclared-read deep/er.csv", "undeclared-read extra.csv"]);
    let lock = project.commit("record").read("repro.lock");
    assert!(
        lock.contains("\"extra.csv\"") && lock.contains("\"deep/er.csv\"") && !lock.contains("unread.csv"),
        "{lock}"
    );
    project.repro(&["verify"]).code(0);

    project.write("unread.csv", "4\n").commit("what was not read");
    project.repro(&["status"]).code(0);
    project.write("deep/er.csv", "5\n");
    assert_eq!(project.json(&["status"]).code(3).kinds("drift"), ["source-dirty deep/er.csv"]);
    project.commit("what was read");
    assert_eq!(project.json(&["verify"]).code(3).kinds("drift"), ["source-changed deep/er.csv"]);
    // Recorded anew, it is not the committed file that is refused.
    project.repro(&["record"]).code(0);
}

/// Whatever a call asked for, a file that it read is pinned, and then its change is a drift.
#[test]
fn a_committed_file_is_pinned_by_whichever_call_it_is_read() {
    const NAME: &str = "a_committed_file_is_pinned_by_whichever_call_it_is_read";
    if !has_namespaces(NAME) {
        return;
    }
    // O_EXCL and O_CREAT, both without the other.
    let ways = [
        "flags=200:a/exclusive.csv",
        "flags=100:a/create.csv",
        "denied=a/denied.csv",
        "rooted=a/rooted.csv",
        "moved=b/moved.csv",
        "link=a/linked.csv",
        "relative=/repro/tree/repository/a/relative.csv",
    ];
    let project = intruder(&ways);
    let names = ways.map(|way| way.rsplit([':', '=']).next().unwrap().trim_start_matches("/repro/tree/repository/"));
    for name in names.iter().chain(&["a/unread.csv"]) {
        project.write(name, "1\n");
    }
    project.commit("files");
    let both = project.both(&["record"]);
    for way in ways {
        let said = said(&both, way);
        assert!(said == "2 bytes" || way.starts_with("moved") && said.starts_with("refused"), "{way}: {said}");
    }
    both.human.code(0);
    let lock = project.read("repro.lock");
    for name in names {
        let said = said(&both, ways.iter().find(|way| way.ends_with(name)).unwrap());
        let is_pinned = lock.contains(&format!("\"{name}\" = \"sha256:"));
        assert!(is_pinned || said.starts_with("refused"), "{name} is not pinned:\n{lock}");
    }
    assert!(!lock.contains("unread.csv"), "{lock}");
    // What is pinned is an input.
    project.commit("lock");
    for name in names.into_iter().filter(|name| lock.contains(&format!("\"{name}\" = \"sha256:"))) {
        project.write(name, "2\n").commit("another");
        assert_eq!(project.json(&["status"]).code(3).kinds("drift"), [format!("source-changed {name}")]);
        project.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    }
}

/// What takes a name away, changes it or puts it there says whether it is there.
#[test]
fn a_name_is_looked_for_by_whichever_call() {
    if !has_namespaces("a_name_is_looked_for_by_whichever_call") {
        return;
    }
    let absent = [
        "unlink=switch/unlink",
        "rmdir=switch/rmdir",
        "chmod=switch/chmod",
        "truncate=switch/truncate",
        "rename=switch/rename",
    ];
    let ways: Vec<&str> = absent.iter().copied().chain(["mkdir=switch/there"]).collect();
    let project = intruder(&ways);
    project.write("switch/there", "1\n").write("switch/unasked", "1\n").commit("files");
    let both = project.both(&["record"]);
    both.human.code(0);
    for way in &ways {
        assert!(said(&both, way).starts_with("refused"), "{way}: {}", said(&both, way));
    }
    let lock = project.read("repro.lock");
    assert!(lock.contains("\"switch/there\" = \"sha256:") && !lock.contains("switch/unasked"), "{lock}");
    project.commit("lock");
    for way in absent {
        let (_, name) = way.split_once('=').unwrap();
        project.write(name, "2\n").commit("another");
        assert_eq!(project.json(&["status"]).code(3).kinds("drift"), [format!("source-changed {name}")]);
        project.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    }
}

#[test]
fn no_run_leaves_a_key_to_another_and_none_is_root_anywhere() {
    const NAME: &str = "no_run_leaves_a_key_to_another_and_none_is_root_anywhere";
    if !has_namespaces(NAME) {
        return;
    }
    // The thread's, the process's, the session's, the user's, the user's session's.
    let attempts = [
        "key=-1",
        "key=-2",
        "key=-3",
        "key=-4",
        "key=-5",
        "namespace=numbers.csv",
    ];
    refused(&intruder(&attempts), &attempts, &[]);
}

#[test]
fn a_name_that_is_not_there_is_a_note() {
    let attempts = ["look=local.toml", "read=override.csv", "look=/opt/none/of/it.toml"];
    let project = intruder(&attempts);
    let both = refused(&project, &attempts, &[]);
    let expected = [
        "undeclared-read /opt/none/of/it.toml",
        "undeclared-read local.toml",
        "undeclared-read override.csv",
    ];
    assert_eq!(both.json.kinds("notes"), expected);
    let notes = both.json.verdict()["notes"].as_array().unwrap().clone();
    assert!(
        notes.iter().all(|note| note["detail"].as_str().unwrap().contains("there is none here")),
        "{notes:?}"
    );
}

#[test]
fn a_name_in_the_home_directory_is_a_note_since_by_hand_it_would_be_the_users() {
    let project = intruder(&["look=/repro/home/.trainrc", "read=/proc/uptime"]);
    if !has_namespaces("a_name_in_the_home_directory_is_a_note_since_by_hand_it_would_be_the_users") {
        return;
    }
    let both = project.both(&["record"]);
    both.human.code(0);
    assert_eq!(both.json.kinds("notes"), ["undeclared-read /repro/home/.trainrc", "undeclared-read /proc/uptime"]);
}

#[test]
fn a_read_that_the_manifest_lets_through_is_noted_and_pinned_without_its_path() {
    if !has_namespaces("a_read_that_the_manifest_lets_through_is_noted_and_pinned_without_its_path") {
        return;
    }
    use sha2::Digest as _;
    let home = Home::new();
    let ways = [
        format!("read={}", home.secret()),
        format!("link={}", home.secret()),
        format!("read=/proc/self/root{}", home.secret()),
        format!("relative={}", home.secret()),
    ];
    for way in &ways {
        let project = intruder(&[way]);
        let text = project.read("repro.toml");
        project
            .write("repro.toml", &format!("{text}\n[isolation]\nreads = \"warn\"\n"))
            .commit("let it");
        let both = project.both(&["record"]);
        both.human.code(0);
        assert_eq!(said(&both, way), "8 bytes");
        assert_eq!(both.json.kinds("notes"), [undeclared(home.secret())], "{way}");
        let lock = project.commit("record").read("repro.lock");
        let digest: String = sha2::Sha256::digest("hunter2\n").iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(lock.contains(&format!("sha256:{digest}")), "{way}:\n{lock}");
        // The path is what a lock must not say; what the manifest says itself is another matter.
        let args = lock.lines().filter(|line| line.contains("secret.csv") && !line.starts_with("args = "));
        assert_eq!(args.collect::<Vec<_>>(), Vec::<&str>::new());
        let verified = project.json(&["verify"]);
        assert_eq!(verified.code(0).kinds("notes"), [undeclared(home.secret())]);
    }
    // It is there to be read, and for nothing else.
    let write = format!("write={}", home.secret());
    let project = intruder(&[&write]);
    let text = project.read("repro.toml");
    project
        .write("repro.toml", &format!("{text}\n[isolation]\nreads = \"warn\"\n"))
        .commit("let it");
    refused(&project, &[&write], &[]);
}
