//! What was denied, in words.

use super::lacking::Part;
use super::{Denied, Scene};
use crate::project::repository::pathspec;

impl Denied {
    /// What was denied to whom.
    pub(super) fn sentence(&self) -> String {
        match self {
            Self::Network { by, address } => format!("`{by}` was denied the network: {address}"),
            Self::Hidden { by, path } => {
                format!("`{by}` was denied {path}, which is on this machine and not among what is declared")
            }
            Self::Uncommitted { by, path } => {
                format!("`{by}` looked for {path}, which is in the work tree and not in the commit")
            }
            Self::History { by } => format!("`{by}` looked for .git, and a checkout has no git history"),
            Self::Variable(name) => format!("the variable {name} is set here and was not passed on"),
            Self::CompileTime(name) => format!("the compiler wants the variable {name}, which is not declared"),
            Self::Missing { program, here } => {
                format!("`{program}` is not on the PATH of a run; yours is {}", here.display())
            }
            Self::Absent { by, program } => format!("`{by}` looked for the program `{program}`, which is not here"),
            Self::Part(Part::Library(name)) => format!("the linker found no library `{name}`"),
            Self::Part(Part::Header(name)) => format!("the C compiler found no {name}"),
            Self::Part(Part::Package(name)) => format!("pkg-config found no package `{name}`"),
            Self::Space => "there was no space left on the disk".to_owned(),
            Self::Home { by, inner } => {
                format!("`{by}` looked for ~/{inner}, which is in your home; a run has an empty one")
            }
            Self::Other { program, run, here } => {
                format!(
                    "`{program}` in a run is {}, and not {}, which comes first for you",
                    run.display(),
                    here.display()
                )
            }
        }
    }

    /// Which line allows it, or what else helps.
    pub(super) fn hint(&self, scene: &Scene<'_>) -> String {
        match self {
            Self::Network { .. } => network_hint(scene.is_stage),
            Self::Hidden { path, .. } => file_hint(path, scene.is_stage),
            Self::Uncommitted { path, .. } => {
                let add = format!("`git add --force {}` and commit it, if it is no secret", pathspec(path));
                let inner = path.strip_prefix(scene.prefix).unwrap_or(path).trim_start_matches('/');
                if scene.is_stage {
                    format!("put `{}` under [data] in repro.toml; or {add}", named(inner))
                } else {
                    add
                }
            }
            Self::History { .. } => {
                "a checkout holds what is committed and no .git: let it do without where `git describe` fails, or set what it wants under [environment] in repro.toml, `set = { VERSION = \"1.0\" }`, and read that".to_owned()
            }
            Self::Variable(name) => {
                format!("`pass = [\"{name}\"]` under [environment] in repro.toml passes it on, and its value stands in the lock")
            }
            Self::CompileTime(name) => format!(
                "`set = {{ {name} = \"…\" }}` under [environment] in repro.toml gives it to builds and stages; `option_env!` does without"
            ),
            Self::Missing { .. } | Self::Other { .. } => self.program_hint(scene),
            Self::Absent { program, .. } => format!(
                "install `{program}` for the whole system, as by its package manager; or, where it lies elsewhere, `set = {{ PATH = \"DIR:{}\" }}` under [environment] in repro.toml, with its directory as DIR",
                scene.path
            ),
            Self::Part(part) => {
                let variable = match part {
                    Part::Library(_) => "LIBRARY_PATH",
                    Part::Header(_) => "CPATH",
                    Part::Package(_) => "PKG_CONFIG_PATH",
                };
                format!(
                    "install it for the whole system, with what is for development; or, where it lies elsewhere, `set = {{ {variable} = \"DIR\" }}` under [environment] in repro.toml, with its directory as DIR"
                )
            }
            Self::Space => {
                "free some, or set TMPDIR to a directory on a larger disk; nothing was half written".to_owned()
            }
            Self::Home { inner, .. } => {
                let place = crate::os::env::home().join(inner);
                let name = name_of(inner);
                let variable = repro::protocol::variable(repro::protocol::DATA_PREFIX, &name);
                format!(
                    "put `{name} = \"{}\"` under [data] in repro.toml, and let the program take its place from {variable}; or install it for the whole system",
                    place.display()
                )
            }
        }
    }

    fn program_hint(&self, scene: &Scene<'_>) -> String {
        let (program, here) = match self {
            Self::Missing { program, here } | Self::Other { program, here, .. } => (program, here),
            _ => return String::new(),
        };
        if scene.program.is_some_and(|(name, _)| name == program) {
            return format!(
                "install what it lacks for the `{program}` that was run; or name the other one by its path: `command = [\"{}\", …]`",
                here.display()
            );
        }
        let directory = here.parent().map_or_else(String::new, |directory| directory.display().to_string());
        if !scene.is_stage {
            return format!(
                "install `{program}` for the whole system; or `set = {{ PATH = \"{directory}:{}\" }}` under [environment] in repro.toml, and a build finds this one",
                scene.path
            );
        }
        format!(
            "install it for the whole system; or put `{} = \"{directory}\"` under [data], which pins it, and `set = {{ PATH = \"{directory}:{}\" }}` under [environment] in repro.toml",
            name_of(program),
            scene.path
        )
    }
}

/// What helps where an address was asked for.
#[must_use]
pub fn network_hint(is_stage: bool) -> String {
    if is_stage {
        "fetch it beforehand and declare the file under [data]; or `network = \"warn\"` under [isolation] in repro.toml lets it through, and says so"
    } else {
        "no build reaches the network: fetch it beforehand and commit it, or take it from a package"
    }
    .to_owned()
}

/// What helps where a file of the machine was asked for.
#[must_use]
pub fn file_hint(path: &str, is_stage: bool) -> String {
    if is_stage {
        format!(
            "put `{}` under [data] in repro.toml; or, where it cannot matter, `reads = \"warn\"` under [isolation]",
            named(path)
        )
    } else {
        "a build reads what is committed, the toolchain, packages and the system's own: commit it beside the sources, or read it in a stage from [data]".to_owned()
    }
}

/// The line that declares a path.
fn named(path: &str) -> String {
    format!("{} = {}", name_of(path), toml::Value::from(path))
}

/// A name under which data can be declared: the file's, as far as it is one.
fn name_of(path: &str) -> String {
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or(path);
    let stem = last.trim_start_matches('.').split('.').next().unwrap_or(last);
    let name: String = stem
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect();
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name
    } else {
        format!("data_{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_declares_a_path_is_toml_whatever_the_path_is() {
        for path in ["/plain/words.txt", "/it's/a \"b\".txt", "/back\\slash", "/ends with \\"] {
            let table: toml::Table = named(path).parse().unwrap();
            assert_eq!(table.values().next().and_then(toml::Value::as_str), Some(path), "{}", named(path));
        }
    }
}
