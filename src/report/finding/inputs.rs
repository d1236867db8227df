//! The words for each case of drift.

use super::{Words, tables};
use crate::compare::drift::{Change, DataChange, FileChange, Kept, NameChange, SourceName, Tampered};
use crate::compare::{Drift, listed};
use crate::project::repository::pathspec;
use crate::snapshot::data::Sample;
use crate::snapshot::dependencies::Package;
use crate::snapshot::source::looks::TOP;
use crate::snapshot::source::{Dirty, Edit};
use crate::text::quote::shell;
use crate::verdict::Leftover;

/// The name by which rustup knows a recorded compiler, if that is a release.
fn recorded_channel<'a>(change: &'a Change<&'static str>) -> Option<&'a str> {
    let release = change.locked.as_deref().filter(|_| change.name == "rustc")?.split(' ').next()?;
    let is_number = release.split('.').count() == 3 && release.split('.').all(|part| part.parse::<u32>().is_ok());
    is_number.then_some(release)
}

/// What is said of a setting that builds do not follow.
pub(super) fn set_aside(setting: &str) -> String {
    let place = if setting.ends_with("of the repository") {
        ""
    } else {
        " on this machine"
    };
    format!("{setting} is set{place}; plain cargo follows it, builds of cargo repro do not")
}

/// Names a drift.
pub(super) fn drift_words(drift: &Drift) -> Words {
    match drift {
        Drift::LockEdited { stated, actual } => Words::new(
            "lock-edited",
            "repro.lock",
            "its content is not the one that its id was made of",
        )
        .values(Some(stated), Some(actual))
        .hint("`git checkout -- repro.lock` restores the committed one; or record again with `cargo repro record`"),
        Drift::Manifest(change) => {
            let detail = format!("repro.toml declares {} otherwise", change.name);
            changed("manifest-changed", change, detail)
        }
        Drift::Toolchain(change) => {
            let detail = format!("another {}", if change.name == "host" { "host" } else { change.name });
            let hint = match recorded_channel(change) {
                Some(channel) => format!(
                    "`rustup toolchain install {channel}` brings the recorded one, and `cargo +{channel} repro verify` uses it; or `cargo repro record` accepts this one"
                ),
                None => "pin the recorded one in rust-toolchain.toml, and rustup installs it; or `cargo repro record` accepts this one".to_owned(),
            };
            changed("toolchain-changed", change, detail).hint(hint)
        }
        Drift::Dependency { locked, found } => dependency(locked.as_ref(), found.as_ref()),
        Drift::DependencyGraph { locked, found } => {
            let detail = "the same packages, but other bytes: edges between packages, or comments";
            Words::new("dependency-changed", "Cargo.lock", detail).values(Some(locked), Some(found))
        }
        Drift::DependencyTampered(tampered) => {
            let detail = format!("{} on this machine is not what Cargo.lock pins", tampered.what);
            Words::new("dependency-tampered", tampered.package.clone(), detail)
                .values(Some(&tampered.expected), Some(&tampered.found))
                .hint(tampered_hint(tampered))
        }
        Drift::Source(change) => {
            // A file that came among them may have been there before, as data.
            let what = match (&change.locked, &change.found) {
                (None, _) => "is a source now, and was none when the lock was recorded",
                (_, None) => "was removed since the lock was recorded",
                _ => "was changed since the lock was recorded",
            };
            let words = changed("source-changed", change, format!("{} {what}", change.name));
            if change.name.starts_with("../") {
                return words; // git knows nothing of it
            }
            let path = pathspec(&change.name);
            words.hint(format!("`cargo repro record` accepts it; `git log -- {path}` tells who changed it"))
        }
        Drift::SourceName(name) => source_name(name),
        Drift::SourceDirty(dirty) => {
            let detail = format!("{} is {}; a checkout of HEAD would not have this", dirty.path, dirty.how.word());
            Words::new("source-dirty", dirty.path.clone(), detail).hint(dirty_hint(dirty))
        }
        Drift::Build(change) => changed("build-changed", change, format!("{} is set otherwise", change.name)),
        Drift::AmbientBuild { setting } => Words::new("build-changed", setting.clone(), set_aside(setting)),
        Drift::Seed { locked, found } => {
            Words::new("seed-changed", "seed", "another seed").values(Some(locked), Some(found))
        }
        Drift::Param { name, locked, found } => {
            let verb = match (locked, found) {
                (None, _) => "is new",
                (_, None) => "is gone",
                _ => "has another value",
            };
            Words::new("params-changed", format!("params.{name}"), format!("the parameter {name} {verb}"))
                .values(locked.as_ref(), found.as_ref())
        }
        Drift::DataChanged(change) => data(change),
        Drift::DataMissing { name, path, locked } => {
            Words::new("data-missing", format!("data.{name}"), format!("{path} is not there"))
                .values(locked.as_ref(), None::<String>)
                .hint("fetch it from where it is kept; data that git ignores does not come with a clone")
        }
        Drift::DataAdded { name, path, found } => {
            Words::new("data-added", format!("data.{name}"), format!("{path} is not in the lock"))
                .values(None::<String>, Some(found))
        }
        Drift::Environment { name, locked, found } => {
            Words::new("environment-changed", name.clone(), format!("the program would see another {name}"))
                .values(locked.as_ref(), found.as_ref())
        }
        Drift::Platform(change) => {
            let detail =
                format!("another platform class ({}): equal bytes are not promised across classes", change.name);
            changed("platform-changed", change, detail)
        }
        Drift::TagMoved { tag, locked, found } => {
            let detail = format!("the tag {tag} pointed to another commit when the lock was recorded");
            Words::new("tag-moved", tag.clone(), detail).values(Some(locked), Some(found))
        }
        Drift::ArtifactTampered {
            stage,
            path,
            locked,
            found,
        } => {
            let detail = format!("the commit's {path} is not what stage `{stage}` wrote when it was recorded");
            Words::new("artifact-tampered", path.clone(), detail)
                .values(Some(locked.digest), Some(found.digest))
                .hint("commit the recorded file again, or `cargo repro record` anew; a verification tells whether a training gives it")
        }
    }
}

/// What removes the sources that are not the pinned ones, in any shell, and has cargo bring them anew.
fn tampered_hint(tampered: &Tampered) -> String {
    const HOME: &str = "\"${CARGO_HOME:-$HOME/.cargo}\"";
    // Those of a registry are called so, in its directories of archives and of sources; 1.0.1 is not 1.0.10.
    let name = tampered.package.replace(' ', "-");
    let (archive, sources) = (shell(&format!("{name}.crate")), shell(&name));
    match tampered.kept {
        Kept::Downloaded => format!(
            "`rm -rf {HOME}/registry/cache/*/{archive} {HOME}/registry/src/*/{sources}` removes what is here of it, and `cargo fetch --locked` downloads it anew"
        ),
        Kept::Local => format!(
            "put the published archive back into the local registry, and `rm -rf {HOME}/registry/src/*/{sources}` removes what was unpacked"
        ),
        Kept::Git => format!(
            "`rm -r {HOME}/git/checkouts` removes what was checked out, of every project, and `cargo fetch --locked` does it anew"
        ),
    }
}

fn dirty_hint(dirty: &Dirty) -> String {
    let path = pathspec(&dirty.path);
    match dirty.how {
        Edit::Untracked => format!("`git add {path}` and commit it, or remove it"),
        Edit::Modified | Edit::Deleted => format!("commit it, or `git restore {path}` undoes it"),
    }
}

/// Names a file in an artifact's place that is not the recorded one and no part of the commit.
pub(super) fn leftover(leftover: &Leftover) -> Words {
    let path = &leftover.path;
    let detail =
        format!("{path} in the work tree is not the recorded one, as after a run by hand; it is no part of the commit");
    let words =
        Words::new("artifact-leftover", path.clone(), detail).values(Some(leftover.locked), Some(leftover.found));
    match &leftover.restorable {
        Some(committed) => words.hint(format!("`git restore {}` brings the recorded one back", pathspec(committed))),
        None => words.hint("`cargo repro verify --artifacts DIR` trains and keeps the recorded one in DIR"),
    }
}

fn source_name(name: &SourceName) -> Words {
    let path = &name.path;
    let place = |directory: &str| {
        if directory == TOP {
            "the top".to_owned()
        } else {
            directory.to_owned()
        }
    };
    let (detail, is_there) = match &name.how {
        NameChange::Came(directory) => {
            (format!("{path} came to {}, whose names the program or its build reads", place(directory)), true)
        }
        NameChange::Went(directory) => (
            format!("{path} is gone from {}, whose names the program or its build reads", place(directory)),
            false,
        ),
        NameChange::Appeared => {
            (format!("{path} is there now; the program or its build looked for it, and there was none"), true)
        }
        NameChange::Disappeared => (format!("{path} is looked for in vain now, and was not before"), false),
        NameChange::ListedNow => (format!("the names in {path} are read now, and were not before"), true),
        NameChange::ListedBefore => (format!("the names in {path} are not read any more"), false),
    };
    let what = Some(if path.ends_with('/') { "a directory" } else { "a file" });
    let (locked, found) = if is_there { (None, what) } else { (what, None) };
    let words = Words::new("source-changed", path.clone(), detail).values(locked, found);
    if path.starts_with("../") {
        return words; // git knows nothing of it
    }
    let path = pathspec(path);
    words.hint(format!("`cargo repro record` accepts it; `git log -- {path}` tells who changed it"))
}

fn changed<Name: ToString>(kind: &'static str, change: &Change<Name>, detail: String) -> Words {
    Words::new(kind, change.name.to_string(), detail).values(change.locked.as_ref(), change.found.as_ref())
}

fn dependency(locked: Option<&Package>, found: Option<&Package>) -> Words {
    let name = locked.or(found).map_or("", |package| package.name.as_str());
    let words = |detail: String| Words::new("dependency-changed", name, detail);
    match (locked, found) {
        (Some(old), Some(new)) if old.version != new.version => {
            words(format!("{name} {} → {}", old.version, new.version)).values(Some(&old.version), Some(&new.version))
        }
        (Some(old), Some(new)) if old.source != new.source => {
            words(format!("{name} {} comes from elsewhere", old.version))
                .values(old.source.as_ref(), new.source.as_ref())
        }
        (Some(old), Some(new)) => words(format!("{name} {} has another checksum", old.version))
            .values(old.checksum.as_ref(), new.checksum.as_ref())
            .hint("one version never has two checksums; find out who changed Cargo.lock"),
        (None, Some(new)) => words(format!("{name} {} is new", new.version)).values(None::<String>, Some(&new.version)),
        (Some(old), None) => {
            words(format!("{name} {} is gone", old.version)).values(Some(&old.version), None::<String>)
        }
        (None, None) => words(String::new()),
    }
}

fn data(change: &DataChange) -> Words {
    match change {
        DataChange::File(change) => file(change),
        DataChange::Extent { name, locked, found } => {
            let extent = |sample: &Option<Sample>| match sample {
                Some(sample) => format!("a sample, by rules {}", sample.rules),
                None => "every byte".to_owned(),
            };
            let detail = "repro.toml asks for another extent of the digest; the two cannot be compared";
            Words::new("data-changed", format!("data.{name}"), detail).values(Some(extent(locked)), Some(extent(found)))
        }
        DataChange::Link {
            name,
            path,
            locked,
            found,
        } => {
            let detail = format!("the symbolic link {path} leads elsewhere");
            Words::new("data-changed", format!("data.{name}"), detail).values(locked.as_ref(), found.as_ref())
        }
        DataChange::Form { name, locked, found } => {
            let detail = format!("is {} now, was {}", found.phrase(), locked.phrase());
            Words::new("data-changed", format!("data.{name}"), detail)
                .values(Some(locked.phrase()), Some(found.phrase()))
        }
        DataChange::Paths { name, locked, found } => {
            Words::new("data-changed", format!("data.{name}"), "repro.toml leads to other paths")
                .values(Some(listed(locked)), Some(listed(found)))
        }
        DataChange::Tree { name, locked, found } => {
            let detail = "its digest is not that of its files";
            Words::new("data-changed", format!("data.{name}"), detail).values(Some(locked), Some(found))
        }
        DataChange::Meanwhile {
            name,
            path,
            before,
            after,
        } => {
            let detail = format!("{path} changed while the training read it");
            Words::new("data-changed", format!("data.{name}"), detail)
                .values(Some(before), after.as_ref())
                .hint("nothing was recorded; run again when nobody writes to it, and see that the program does not")
        }
    }
}

/// Nobody wrote to such data, and the training would read other bytes all the same.
fn turned(change: &FileChange) -> Words {
    let path = &change.path;
    let how = if change.found.bytes > change.locked.bytes {
        "CRLF, was LF"
    } else {
        "LF, was CRLF"
    };
    let detail = format!("{path} has the same lines with other line ends ({how}), as git's core.autocrlf turns them");
    let is_plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+@".contains(c));
    let pattern = if is_plain { path } else { "*" };
    let file = shell(path);
    Words::new("data-changed", format!("data.{}", change.name), detail)
        .values(Some(change.locked.digest), Some(change.found.digest))
        .hint(format!(
            "`echo '{pattern} -text' >>.gitattributes` keeps git from that, and `rm {file} && git checkout -- {file}` brings the recorded ones back"
        ))
}

/// What changed in the words of the table, where there is one, and else in bytes.
fn file(change: &FileChange) -> Words {
    let FileChange {
        path, locked, found, ..
    } = change;
    if change.turned {
        return turned(change);
    }
    let detail = match (&change.table, &locked.table, &found.no_table) {
        (Some(table), _, _) => format!("{path}: {}", tables::sentence(table)),
        (None, Some(_), Some(why)) => format!("{path} is no table any more: {why}"),
        _ if locked.bytes == found.bytes => {
            format!("{path} has another content, the same {} bytes long", locked.bytes)
        }
        _ => format!("{path} has another content, {} bytes long, was {}", found.bytes, locked.bytes),
    };
    Words::new("data-changed", format!("data.{}", change.name), detail).values(Some(locked.digest), Some(found.digest))
}
