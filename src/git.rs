//! The git program, for what the library of [`crate::repository`] cannot: signing tags, checking their
//! signatures, and asking a remote. Nothing is fetched, and nobody is asked for a password.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::ambient;
use crate::error::{Error, IoContext as _, Result};
use crate::manifest::Signer;
use crate::repository::{Commit, ObjectId, Repository};
use crate::subprocess;

fn git(directory: &Path, arguments: &[&str], input: Option<&str>) -> Result<Output> {
    let mut command = Command::new("git");
    command
        .args(arguments)
        .current_dir(directory)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C.UTF-8")
        // Else whoever can push `refs/replace/` has a good signature checked in place of theirs.
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env_remove(ambient::PASSPHRASE);
    subprocess::output(&mut command, input.map(str::as_bytes)).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::new(format!("could not start git: {error}"))
            .hint("install git; it makes and checks the signatures of tags"),
        _ => Error::io("run", Path::new("git"), &error),
    })
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
    let output = git(repository.root(), &arguments, Some(message))?;
    let made = repository.reference(&format!("refs/tags/{name}"));
    match made {
        Some(made) if output.status.success() => Ok(made),
        _ => Err(Error::new(format!("git did not make the tag {name}")).context(words(&output)).hint(
            "`git config gpg.format`, `user.signingkey` and `tag.gpgSign` say how tags are signed, and with what key",
        )),
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
    let scratch = ambient::scratch_root();
    let directory = tempfile::tempdir_in(&scratch).at("make a directory in", &scratch)?;
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
    let output = git(repository.root(), &arguments, None)?;
    let said = words(&output);
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
    let output = git(repository.root(), &["ls-remote", "--refs", "--", remote, &reference], None)?;
    if !output.status.success() {
        return Ok(Err(words(&output)));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let found = text.lines().find_map(|line| {
        let (id, name) = line.split_once('\t')?;
        (name == reference).then(|| ObjectId::from_hex(id)).flatten()
    });
    Ok(Ok(found))
}

/// Where git looks for hooks: `core.hooksPath`, or the repository's own.
///
/// # Errors
/// When git cannot be asked.
pub fn hooks_directory(repository: &Repository) -> Result<PathBuf> {
    let output = git(repository.root(), &["rev-parse", "--git-path", "hooks"], None)?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.trim_end_matches('\n') {
        path if output.status.success() && !path.is_empty() => Ok(repository.root().join(path)),
        _ => Err(Error::new("git does not say where its hooks are").context(words(&output))),
    }
}
