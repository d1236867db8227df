//! A git directory apart, from where the git program is run: it has the repository's objects, and of the repository's own
//! configuration only what names no program. Whoever made a `.git` could else have git start whatever they like, by
//! `core.sshCommand`, `remote.NAME.uploadpack`, `credential.helper`, `gpg.program`, or a hook. The configuration of the
//! user and of the system holds as ever.

use std::process::Output;

use crate::error::{IoContext as _, Result};
use crate::os::bounded;
use crate::os::env;
use crate::os::scratch::Scratch;
use crate::project::repository::{ObjectId, Repository};

/// What passes of the repository's own configuration; a star stands for a name, which may have dots.
const HARMLESS: [&str; 21] = [
    "user.name",
    "user.email",
    "user.signingkey",
    "author.name",
    "author.email",
    "committer.name",
    "committer.email",
    "gpg.format",
    "gpg.mintrustlevel",
    "gpg.ssh.revocationfile",
    "tag.gpgsign",
    "tag.forcesignannotated",
    "remote.*.url",
    "remote.*.pushurl",
    "url.*.insteadof",
    "url.*.pushinsteadof",
    "http.extraheader",
    "http.*.extraheader",
    "credential.username",
    "credential.*.username",
    "ssh.variant",
];

/// The keys that would have git start a program where it is run here.
const PROGRAMS: [&str; 10] = [
    "core.sshcommand",
    "core.gitproxy",
    "core.askpass",
    "credential.helper",
    "credential.*.helper",
    "remote.*.uploadpack",
    "remote.*.vcs",
    "gpg.program",
    "gpg.*.program",
    "gpg.ssh.defaultkeycommand",
];

/// That directory.
#[derive(Debug)]
pub struct Apart<'a> {
    repository: &'a Repository,
    directory: Scratch,
    /// Keys that name programs, and were left out.
    left_out: Vec<String>,
}

impl<'a> Apart<'a> {
    /// Makes one for a repository.
    ///
    /// # Errors
    /// When it cannot be written, or the repository's configuration cannot be read.
    pub fn from(repository: &'a Repository) -> Result<Self> {
        let directory = Scratch::new("cargo-repro-git-")?;
        let place = directory.path();
        for inner in ["objects", "refs/tags"] {
            std::fs::create_dir_all(place.join(inner)).at("make the directory", place)?;
        }
        let head = place.join("HEAD");
        std::fs::write(&head, "ref: refs/heads/main\n").at("write", &head)?;
        let mut left_out = Vec::new();
        let mut passing = vec![("core.bare".to_owned(), "true".to_owned())];
        for (key, value) in repository.own_configuration()? {
            if HARMLESS.iter().any(|pattern| is_like(&key, pattern)) {
                passing.push((key, value));
            } else if PROGRAMS.iter().any(|pattern| is_like(&key, pattern)) {
                left_out.push(key);
            }
        }
        let file = place.join("config");
        let text: String = passing.iter().map(|(key, value)| setting(key, value)).collect();
        std::fs::write(&file, text).at("write", &file)?;
        left_out.sort();
        left_out.dedup();
        Ok(Self {
            repository,
            directory,
            left_out,
        })
    }

    /// Runs git in it, from the repository's root, to where relative paths lead as ever.
    ///
    /// # Errors
    /// When git cannot be started, or the user interrupts.
    pub fn git(&self, arguments: &[&str], input: Option<&str>) -> Result<Output> {
        // A relative directory of the user's would lead into the repository.
        let quiet = ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"];
        let mut command = super::command(self.repository.root(), &[&quiet[..], arguments].concat());
        command
            .env("GIT_DIR", self.directory.path())
            .env("GIT_OBJECT_DIRECTORY", self.repository.objects())
            .env("GIT_NO_LAZY_FETCH", "1");
        for name in [
            "GIT_WORK_TREE",
            "GIT_INDEX_FILE",
            "GIT_COMMON_DIR",
            "GIT_NAMESPACE",
            "GIT_CONFIG",
        ] {
            command.env_remove(name);
        }
        // Within a hook that decides on a push, what was pushed lies there.
        if let Some(pushed) = env::git_quarantine() {
            command.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", pushed);
        }
        super::run(command, input)
    }

    /// The object that a tag made here is.
    #[must_use]
    pub fn tag(&self, name: &str) -> Option<ObjectId> {
        let place = self.directory.path().join("refs/tags").join(name);
        ObjectId::from_hex(bounded::text(&place, bounded::WRITTEN).ok()?.trim())
    }

    /// What git said, for people; and what it might have done otherwise.
    #[must_use]
    pub fn words(&self, output: &Output) -> String {
        let said = super::words(output);
        if self.left_out.is_empty() || output.status.success() {
            return said;
        }
        format!(
            "{} of the repository's own configuration would run a program, and was not followed (`git config --global` or the environment may name one): {said}",
            self.left_out.join(", ")
        )
    }
}

/// A setting as git's configuration files have it.
fn setting(key: &str, value: &str) -> String {
    let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let (first, rest) = key.split_once('.').unwrap_or((key, ""));
    let (section, name) = match rest.rsplit_once('.') {
        Some((inner, name)) => (format!("{first} \"{}\"", escaped(inner)), name),
        None => (first.to_owned(), rest),
    };
    let value = escaped(value).replace('\n', "\\n").replace('\t', "\\t");
    format!("[{section}]\n\t{name} = \"{value}\"\n")
}

/// Whether a key is one of the pattern.
fn is_like(key: &str, pattern: &str) -> bool {
    let is_called = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    match pattern.split_once(".*.") {
        None => is_called(key, pattern),
        Some((section, name)) => {
            let ends = key.split_once('.').and_then(|(first, rest)| Some((first, rest.rsplit_once('.')?)));
            ends.is_some_and(|(first, (_, last))| is_called(first, section) && is_called(last, name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_a_name_with_dots_and_for_no_part_of_it() {
        assert!(is_like("remote.origin.url", "remote.*.url"));
        assert!(is_like("url.https://host.example/.insteadof", "url.*.insteadof"));
        assert!(is_like("gpg.format", "gpg.format"));
        for (key, pattern) in [
            ("remote.url", "remote.*.url"),
            ("remote.origin.uploadpack", "remote.*.url"),
            ("gpg.ssh.program", "gpg.format"),
            ("gpg.program", "gpg.*.program"),
        ] {
            assert!(!is_like(key, pattern), "{key}");
        }
    }

    #[test]
    fn nothing_passes_that_names_a_program_and_what_does_is_named() {
        let root = tempfile::tempdir().unwrap();
        let git = git2::Repository::init(root.path()).unwrap();
        let mut config = git.config().unwrap();
        let programs = [
            ("core.sshCommand", "x"),
            ("core.fsmonitor", "x"),
            ("core.hooksPath", "x"),
            ("core.gitProxy", "x"),
            ("core.pager", "x"),
            ("core.editor", "x"),
            ("credential.helper", "!x"),
            ("credential.https://host.example.helper", "!x"),
            ("remote.origin.uploadpack", "x"),
            ("remote.origin.vcs", "x"),
            ("gpg.program", "x"),
            ("gpg.ssh.program", "x"),
            ("gpg.ssh.defaultKeyCommand", "x"),
            ("filter.x.smudge", "x"),
            ("diff.x.textconv", "x"),
            ("protocol.ext.allow", "always"),
            ("alias.tag", "!x"),
            ("trailer.x.command", "x"),
            ("include.path", "other"),
        ];
        for (key, value) in programs {
            config.set_str(key, value).unwrap();
        }
        std::fs::write(root.path().join(".git/other"), "[http \"https://h/\"]\n\textraheader = a\n").unwrap();
        config.set_str("remote.origin.url", "ssh://h/r \"quoted\"").unwrap();
        config.set_multivar("url.a.insteadOf", "^$", "b").unwrap();
        config.set_multivar("url.a.insteadOf", "a^", "c").unwrap();
        let repository = Repository::discover(root.path()).unwrap();
        let apart = Apart::from(&repository).unwrap();
        let listed = apart.git(&["config", "--local", "--list"], None).unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        let expected = "core.bare=true\nhttp.https://h/.extraheader=a\nremote.origin.url=ssh://h/r \"quoted\"\nurl.a.insteadof=b\nurl.a.insteadof=c\n";
        let mut lines: Vec<&str> = listed.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines.join("\n") + "\n", expected);
        assert_eq!(apart.left_out.len(), 9, "{:?}", apart.left_out);
    }
}
