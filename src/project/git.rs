//! The git program, for what the library of [`crate::project::repository`] cannot: signing tags, checking their
//! signatures, asking a remote, and fetching what it promised to a partial clone. Nobody is asked for a password, and
//! nothing is started that the repository's own configuration names.

mod apart;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use apart::Apart;

use crate::error::{Error, IoContext as _, Result};
use crate::os::env;
use crate::os::scratch::Scratch;
use crate::os::subprocess;
use crate::project::manifest::Signer;
use crate::project::repository::{Commit, ObjectId, Repository};

fn git(directory: &Path, arguments: &[&str], input: Option<&str>) -> Result<Output> {
    run(command(directory, arguments), input)
}

fn run(command: Command, input: Option<&str>) -> Result<Output> {
    run_for("it makes and checks the signatures of tags", command, input)
}

/// What git is wanted for is said where there is none.
fn run_for(what: &str, mut command: Command, input: Option<&str>) -> Result<Output> {
    subprocess::output(&mut command, input.map(str::as_bytes)).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Error::new(format!("could not start git: {error}")).hint(format!("install git; {what}"))
        }
        _ => Error::io("run", Path::new("git"), &error),
    })
}

fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .args(arguments)
        .current_dir(directory)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C.UTF-8")
        // Else whoever can push `refs/replace/` has a good signature checked in place of theirs.
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env_remove(env::PASSPHRASE);
    command
}

/// What git makes of a directory whose repository belongs to another user.
#[derive(Debug)]
pub enum Reads {
    /// It reads this repository.
    Yes(PathBuf),
    /// It does not; a command that would have it read it.
    No(Option<String>),
    /// There is no git to ask.
    Unknown,
}

/// Asks git whether it reads the repository of a directory: `safe.directory` has many forms and places, and git's own
/// word is the one that counts.
///
/// # Errors
/// When the user interrupts.
pub fn reads(directory: &Path) -> Result<Reads> {
    let mut command = command(directory, &["rev-parse", "--absolute-git-dir"]);
    // With these it would not look for itself.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR"] {
        command.env_remove(name);
    }
    let output = match subprocess::output(&mut command, None) {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return Err(Error::interrupted()),
        Err(_) => return Ok(Reads::Unknown),
    };
    if output.status.success() {
        let path = output.stdout.strip_suffix(b"\n").unwrap_or(&output.stdout);
        return Ok(Reads::Yes(PathBuf::from(OsStr::from_bytes(path))));
    }
    let said = words(&output);
    let hint = said.lines().map(str::trim).find(|line| line.starts_with("git config "));
    Ok(Reads::No(hint.map(str::to_owned)))
}

/// The paths that a file of git's configuration would have included, as they stand there.
///
/// # Errors
/// When git cannot be started, or cannot read the file.
pub fn included(file: &Path) -> Result<Vec<PathBuf>> {
    // From where there is no repository to be looked for.
    let mut command = command(Path::new("/"), &["config", "--no-includes", "--null", "--file"]);
    command.arg(file).args(["--get-regexp", r"^include(if\..*)?\.path$"]);
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR"] {
        command.env_remove(name);
    }
    let what = format!("it says what {} includes", file.display());
    let output = run_for(&what, command, None)?;
    // One that has none is answered so.
    if !output.status.success() && output.status.code() != Some(1) {
        return Err(Error::new(format!("git cannot read {}", file.display())).context(words(&output)));
    }
    let entries = output.stdout.split(|byte| *byte == 0);
    let value = |entry: &[u8]| {
        let end = entry.iter().position(|byte| *byte == b'\n')?;
        Some(PathBuf::from(OsStr::from_bytes(&entry[end + 1..])))
    };
    Ok(entries.filter_map(value).collect())
}

/// Has git fetch objects that a remote has promised to a partial clone. The inner error is why it did not: also that
/// the clone's own configuration names a program, which is nobody's to run who only reads the clone.
///
/// # Errors
/// When git cannot be started.
pub fn fetch(repository: &Repository, remote: &str, objects: &[String]) -> Result<Result<(), String>> {
    if remote.starts_with('-') {
        return Ok(Err(format!("its remote is called {remote}, which git would take for an option")));
    }
    let listed = git(repository.root(), &["config", "--show-scope", "--name-only", "-z", "--list"], None)?;
    if !listed.status.success() {
        return Ok(Err(words(&listed)));
    }
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let mut fields = listed.split('\0');
    while let (Some(scope), Some(name)) = (fields.next(), fields.next()) {
        if matches!(scope, "local" | "worktree") && names_a_program(name) {
            return Ok(Err(format!("its configuration has {name}, which is not run from here")));
        }
    }
    let mut input = objects.join("\n");
    input.push('\n');
    let arguments = [
        // What it would start beside the transfer itself.
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "core.fsmonitor=false",
        "-c",
        "maintenance.auto=false",
        "-c",
        "gc.auto=0",
        // As git itself fetches what was promised.
        "-c",
        "fetch.negotiationAlgorithm=noop",
        "fetch",
        remote,
        "--no-tags",
        "--no-write-fetch-head",
        "--recurse-submodules=no",
        "--filter=blob:none",
        "--stdin",
    ];
    let mut command = command(repository.root(), &arguments);
    if !env::is_set(PROTOCOLS) {
        command.env(PROTOCOLS, "file:git:http:https:ssh");
    }
    let output = run(command, Some(&input))?;
    Ok(if output.status.success() {
        Ok(())
    } else {
        Err(words(&output))
    })
}

/// The transports that git may use; others start whatever program an address names.
const PROTOCOLS: &str = "GIT_ALLOW_PROTOCOL";

/// Whether a setting has git start a program, or lets it use transports that do, when it fetches.
fn names_a_program(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let (section, key) = (name.split('.').next().unwrap_or_default(), name.rsplit('.').next().unwrap_or_default());
    match section {
        "core" => ["sshcommand", "gitproxy", "askpass", "alternaterefscommand"].contains(&key),
        "remote" => ["uploadpack", "vcs"].contains(&key),
        "credential" | "protocol" => true,
        _ => false,
    }
}

/// What git said, for people.
fn words(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

/// Makes an annotated tag: signed where git is configured so, or where it must be.
///
/// # Errors
/// When git makes none.
pub fn make_tag(
    repository: &Repository,
    name: &str,
    commit: Commit,
    message: &str,
    must_sign: bool,
) -> Result<ObjectId> {
    let kind = if must_sign { "--sign" } else { "--annotate" };
    let commit = commit.to_string();
    let arguments = ["tag", kind, "--cleanup=verbatim", "--file=-", name, &commit];
    let apart = Apart::from(repository)?;
    let refused = |words: String| {
        Error::new(format!("git did not make the tag {name}")).context(words).hint(
            "`git config gpg.format`, `user.signingkey` and `tag.gpgSign` say how tags are signed, and with what key",
        )
    };
    let output = apart.git(&arguments, Some(message))?;
    match apart.tag(name) {
        Some(made) if output.status.success() => {
            repository.name_tag(name, made).map_err(refused)?;
            Ok(made)
        }
        _ => Err(refused(apart.words(&output))),
    }
}

/// Whether one of these signed a tag; if not, why not.
///
/// # Errors
/// When git cannot be asked.
pub fn check_signature(repository: &Repository, tag: ObjectId, signers: &[Signer]) -> Result<Result<(), String>> {
    let lines: String = signers
        .iter()
        .filter_map(|signer| match signer {
            Signer::Ssh(line) => Some(format!("{line}\n")),
            Signer::OpenPgp(_) => None,
        })
        .collect();
    let directory = Scratch::new("cargo-repro-signers-")?;
    let file = directory.path().join("allowed_signers");
    std::fs::write(&file, lines).at("write", &file)?;
    // Programs by their usual names, whatever the repository's own configuration would have run.
    let settings = [
        format!("gpg.ssh.allowedSignersFile={}", file.display()),
        "gpg.program=gpg".to_owned(),
        "gpg.openpgp.program=gpg".to_owned(),
        "gpg.ssh.program=ssh-keygen".to_owned(),
        "gpg.x509.program=gpgsm".to_owned(),
    ];
    let object = tag.to_string();
    let mut arguments: Vec<&str> = settings.iter().flat_map(|setting| ["-c", setting.as_str()]).collect();
    arguments.extend(["verify-tag", "--raw", &object]);
    let apart = Apart::from(repository)?;
    let output = apart.git(&arguments, None)?;
    let said = apart.words(&output);
    if !output.status.success() {
        return Ok(Err(said));
    }
    // OpenPGP keys are those of this machine's keyring, so the one that signed is looked for here.
    let signed_by = said.lines().filter_map(|line| line.strip_prefix("[GNUPG:] VALIDSIG "));
    let keys: Vec<&str> = signed_by.flat_map(str::split_whitespace).collect();
    let is_allowed = |signer: &Signer| match signer {
        Signer::Ssh(_) => keys.is_empty(),
        Signer::OpenPgp(fingerprint) => keys.contains(&fingerprint.as_str()),
    };
    if signers.iter().any(is_allowed) {
        Ok(Ok(()))
    } else {
        Ok(Err("the signature is good, but of a key that is not among the allowed signers".to_owned()))
    }
}

/// The object that a remote has under the name of a tag; the outer error is why it could not be asked.
///
/// # Errors
/// When git cannot be started.
pub fn tag_of_remote(repository: &Repository, remote: &str, tag: &str) -> Result<Result<Option<ObjectId>, String>> {
    let reference = format!("refs/tags/{tag}");
    let apart = Apart::from(repository)?;
    let output = apart.git(&["ls-remote", "--refs", "--", remote, &reference], None)?;
    if !output.status.success() {
        return Ok(Err(apart.words(&output)));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let found = text.lines().find_map(|line| {
        let (id, name) = line.split_once('\t')?;
        (name == reference).then(|| ObjectId::from_hex(id)).flatten()
    });
    Ok(Ok(found))
}

/// Where git looks for hooks: `core.hooksPath`, of the repository or of the user, or the repository's own.
///
/// # Errors
/// When git cannot be asked.
pub fn hooks_directory(repository: &Repository) -> Result<PathBuf> {
    if let Some(own) = repository.own_hooks_path()? {
        return Ok(own);
    }
    let scopes = ["--global", "--system"];
    let apart = Apart::from(repository)?;
    for scope in scopes {
        let output = apart.git(&["config", scope, "--type=path", "--get", "core.hooksPath"], None)?;
        let text = String::from_utf8_lossy(&output.stdout);
        let path = text.trim_end_matches('\n');
        if output.status.success() && !path.is_empty() {
            return Ok(repository.root().join(path));
        }
    }
    Ok(repository.usual_hooks())
}
