//! SLSA Provenance v1: how the artifacts came to be, for tools that know nothing of locks. It says what the
//! lock says, in the words of <https://slsa.dev/provenance/v1>; it decides nothing here.

use serde_json::{Map, Value, json};

use super::reproduction::{self, Reproduction};
use super::statement::Statement;
use super::time;
use crate::digest::Digest;
use crate::lockfile::Lockfile;
use crate::outcome::Outcome;
use crate::snapshot::data::Form;
use crate::snapshot::dependencies::{CRATES_IO, Package};
use crate::snapshot::{Data, Param, Snapshot};

/// Its type.
pub const TYPE: &str = "https://slsa.dev/provenance/v1";

/// What the parameters mean, and what was done with them.
pub const BUILD_TYPE: &str = "https://crates.io/crates/cargo-repro-ml#training-v1";

/// Who says that it was done: this tool, on the machine of whoever signs.
pub const BUILDER: &str = "https://crates.io/crates/cargo-repro-ml";

/// The provenance of what a lock expects. `repository` is where others can get the commit.
#[must_use]
pub fn statement(
    lock: &Lockfile,
    outcome: &Outcome,
    lock_file: Digest,
    about: &Reproduction,
    repository: Option<&str>,
) -> Statement {
    let snapshot = &lock.snapshot;
    let (tool, version) = about.tool.split_once(' ').unwrap_or((&about.tool, ""));
    let predicate = json!({
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {
                "seed": snapshot.seed,
                "params": params(snapshot),
                "stages": snapshot.stages,
                "profile": snapshot.build.profile,
                "features": snapshot.build.features,
            },
            "internalParameters": {
                "platformClass": about.platform,
                "determinism": snapshot.determinism,
                "isolation": snapshot.isolation,
                "environment": snapshot.environment,
            },
            "resolvedDependencies": dependencies(snapshot, &about.commit, repository),
        },
        "runDetails": {
            "builder": {"id": BUILDER, "version": {tool: version}},
            "metadata": {"startedOn": time::text(about.started), "finishedOn": time::text(about.finished)},
        },
    });
    Statement {
        subject: reproduction::subjects(lock, outcome, lock_file),
        predicate_type: TYPE.to_owned(),
        predicate,
    }
}

/// Where a commit is to be had, as a URI; none for what is no address that others could use. A name or
/// password in it is nobody's business.
#[must_use]
pub fn source_uri(repository: &str, commit: &str) -> Option<String> {
    let (scheme, rest) = match repository.split_once("://") {
        Some(parts) => parts,
        // git's short form for ssh: `git@host:path`.
        None => return short_form(repository, commit),
    };
    if !["http", "https", "ssh", "git"].contains(&scheme) {
        return None;
    }
    let (authority, path) = rest.split_once('/')?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    Some(format!("git+{scheme}://{host}/{path}@{commit}"))
}

fn short_form(repository: &str, commit: &str) -> Option<String> {
    let (authority, path) = repository.split_once(':')?;
    let (_, host) = authority.split_once('@')?;
    let is_plain = !host.is_empty() && !host.contains('/') && !path.is_empty();
    is_plain.then(|| format!("git+ssh://{host}/{}@{commit}", path.trim_start_matches('/')))
}

/// JSON has no infinity and no NaN; these are text.
fn params(snapshot: &Snapshot) -> Map<String, Value> {
    let value = |param: &Param| match param {
        Param::Float(number) if !number.is_finite() => Value::String(param.to_string()),
        _ => json!(param),
    };
    snapshot.params.iter().map(|(name, param)| (name.clone(), value(param))).collect()
}

/// Every input with a digest, as resource descriptors.
fn dependencies(snapshot: &Snapshot, commit: &str, repository: Option<&str>) -> Vec<Value> {
    let mut source = json!({"name": "source", "digest": {"gitCommit": commit}});
    if let Some(uri) = repository.and_then(|repository| source_uri(repository, commit)) {
        source["uri"] = uri.into();
    }
    let closure = json!({
        "name": "source-closure",
        "digest": {"sha256Tree": snapshot.source.closure.hex()},
        "annotations": {"files": snapshot.source.files.len()},
    });
    let lock = json!({"name": "Cargo.lock", "digest": {"sha256": snapshot.dependencies.lock.hex()}});
    let mut all = vec![source, closure];
    all.extend(snapshot.data.iter().map(|(name, entry)| data(name, entry)));
    all.push(lock);
    all.extend(snapshot.dependencies.packages.iter().filter_map(package));
    all.push(rustc(snapshot));
    all
}

/// Only the digest of a whole single file is what others call its SHA-256.
fn data(name: &str, data: &Data) -> Value {
    let algorithm = match (data.form, data.sample) {
        (_, Some(_)) => "sha256Sample",
        (Form::File, None) => "sha256",
        _ => "sha256Tree",
    };
    json!({
        "name": format!("data.{name}"),
        "digest": {algorithm: data.digest.hex()},
        "annotations": {"paths": data.paths, "bytes": data.bytes, "files": data.files.len()},
    })
}

/// As a package URL; none for one that has no published archive.
fn package(package: &Package) -> Option<Value> {
    let checksum = package.checksum.as_ref()?;
    let mut uri = format!("pkg:cargo/{}@{}", escaped(&package.name), escaped(&package.version));
    match package.source.as_deref() {
        None | Some(CRATES_IO) => {}
        Some(registry) => uri += &format!("?repository_url={}", escaped(registry)),
    }
    Some(json!({"uri": uri, "digest": {"sha256": checksum}}))
}

/// Some distributions' compilers do not know their commit.
fn rustc(snapshot: &Snapshot) -> Value {
    let toolchain = &snapshot.toolchain;
    let mut rustc = json!({
        "name": "rustc",
        "uri": format!("https://github.com/rust-lang/rust/releases/tag/{}", escaped(&toolchain.rustc)),
        "annotations": {
            "release": toolchain.rustc,
            "host": toolchain.host,
            "llvm": toolchain.llvm,
            "cargo": toolchain.cargo,
        },
    });
    if toolchain.commit.len() == 40 && toolchain.commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        rustc["digest"] = json!({"gitCommit": toolchain.commit});
    }
    rustc
}

/// Percent-encoded, as package URLs have it.
fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_loses_who_logs_in_there() {
        let uri = |repository| source_uri(repository, "c0ffee");
        let https = Some("git+https://host.example/owner/repo.git@c0ffee".to_owned());
        assert_eq!(uri("https://host.example/owner/repo.git"), https);
        assert_eq!(uri("https://user:secret@host.example/owner/repo.git"), https);
        assert_eq!(uri("https://token@host.example/owner/repo.git"), https);
        let ssh = Some("git+ssh://host.example/owner/repo.git@c0ffee".to_owned());
        assert_eq!(uri("ssh://git@host.example/owner/repo.git"), ssh);
        assert_eq!(uri("git@host.example:owner/repo.git"), ssh);
    }

    #[test]
    fn a_path_on_this_machine_is_no_address() {
        for path in ["/srv/repo", "../repo", "file:///srv/repo", "C:\\repo", ""] {
            assert_eq!(source_uri(path, "c0ffee"), None, "{path}");
        }
    }

    #[test]
    fn a_package_has_the_url_that_its_registry_gives_it() {
        let of = |version: &str, source: Option<&str>, checksum: Option<&str>| {
            let package = super::package(&Package {
                name: "zstd-sys".to_owned(),
                version: version.to_owned(),
                source: source.map(str::to_owned),
                checksum: checksum.map(str::to_owned),
            });
            package.map(|package| package["uri"].as_str().unwrap().to_owned())
        };
        assert_eq!(of("2.0.1+zstd.1.5", Some(CRATES_IO), Some("ab")).unwrap(), "pkg:cargo/zstd-sys@2.0.1%2Bzstd.1.5");
        assert_eq!(
            of("1.0.0", Some("sparse+https://r.example/"), Some("ab")).unwrap(),
            "pkg:cargo/zstd-sys@1.0.0?repository_url=sparse%2Bhttps%3A%2F%2Fr.example%2F"
        );
        assert_eq!(of("1.0.0", None, None), None);
    }
}
