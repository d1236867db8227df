//! The jobs for GitLab CI: YAML with its reasons as comments. Text from outside stands quoted for the shell within
//! what is quoted for YAML.

use std::fmt::Write as _;

use super::filter;
use super::inputs::join;
use super::quote::{shell, yaml};
use super::{Compiler, INSTALL, Input, Pipeline, comment};

/// GitLab's own file.
pub const PLACE: &str = ".gitlab-ci.yml";

/// The file to include where there is one already.
pub const INCLUDED: &str = ".gitlab/repro.yml";

/// Where reports go: GitLab takes them from the project's directory alone.
const REPORTS: &str = "repro-report";

/// The whole file; `place` is where it will be.
#[must_use]
pub fn jobs(pipeline: &Pipeline, place: &str) -> String {
    let writer = Writer { pipeline };
    [writer.head(place), writer.verify(place), writer.gate()].concat()
}

struct Writer<'a> {
    pipeline: &'a Pipeline,
}

impl Writer<'_> {
    fn head(&self, place: &str) -> String {
        let mut said = format!("{} gitlab`; yours to edit from here on.\n", super::MARK);
        if place == INCLUDED {
            said += "# In .gitlab-ci.yml:\n#   include:\n#     - local: .gitlab/repro.yml\n";
        }
        let (minute, hour) = self.pipeline.night();
        said += &comment(
            0,
            &format!(
                "Nightly runs are no matter of this file: make one under Build > Pipeline schedules, such as `{minute} {hour} * * *`."
            ),
        );
        said + "\n"
    }

    fn name(&self, word: &str) -> String {
        match self.pipeline.is_member() {
            true => yaml(&format!("repro {word} {}", self.pipeline.package)),
            false => yaml(&format!("repro {word}")),
        }
    }

    /// The Debian with the lock's C library, where there is one.
    fn image(&self) -> &'static str {
        match self.pipeline.machine.as_ref().map(|(libc, _)| libc.as_str()) {
            Some("glibc 2.31") => "rust:1-bullseye",
            Some("glibc 2.36") => "rust:1-bookworm",
            _ => "rust:1-trixie",
        }
    }

    fn job(&self, word: &str, depth: &str) -> String {
        let mut said = format!("{}:\n", self.name(word));
        said += &comment(2, "The image's C library is part of the platform class that equal bytes are promised for.");
        let _ = writeln!(said, "  image: {}", self.image());
        said += "  variables:\n";
        said += depth;
        said += &comment(
            4,
            "Where the tool comes from, for `cargo install`. Until it is published:\n`--git URL --rev COMMIT cargo-repro-ml`.",
        );
        let _ = writeln!(said, "    CARGO_REPRO_INSTALL: {}", yaml(INSTALL));
        said
    }

    fn verify(&self, place: &str) -> String {
        let depth = comment(4, "No history is needed to verify.") + "    GIT_DEPTH: \"1\"\n";
        let mut said = self.job("verify", &depth);
        said += &comment(4, "Within the project, since GitLab caches nothing outside of it.");
        said += "    CARGO_HOME: $CI_PROJECT_DIR/.cargo-home\n";
        if self.pipeline.submodules {
            said += "    GIT_SUBMODULE_STRATEGY: recursive\n";
        }
        if self.pipeline.lfs {
            said += &comment(4, "GitLab's runner fetches the files of Git LFS unless this says otherwise.");
            said += "    GIT_LFS_SKIP_SMUDGE: \"0\"\n";
        }
        if let Compiler::Locked(rustc) = &self.pipeline.compiler {
            said += &comment(4, "The compiler of the lock. A rust-toolchain.toml would say so for everybody.");
            let _ = writeln!(said, "    RUSTUP_TOOLCHAIN: {}", yaml(rustc));
        }
        if let Some(minutes) = self.pipeline.minutes {
            said += &comment(2, "The timeouts of the stages, and half an hour for all else.");
            let _ = writeln!(said, "  timeout: {minutes} minutes");
        }
        said += "  interruptible: true\n";
        said += &self.rules(place);
        said += &self.cache();
        said += "  script:\n";
        said += &self.data();
        said += &self.toolchain();
        said += INSTALLING;
        said += &self.enter();
        let package = self.chosen();
        let reports = format!("\"$CI_PROJECT_DIR/{REPORTS}");
        let _ = writeln!(
            said,
            "    - >-\n      cargo repro verify{package} --outputs {reports}/outputs\"\n      --report {reports}/report.html\" --report {reports}/report.md\" --report {reports}/junit.xml\""
        );
        said + &artifacts(true) + "\n"
    }

    fn gate(&self) -> String {
        let depth = comment(
            4,
            "The whole history: the gate looks at the commit that the lock was recorded at, and at the protected branch.",
        ) + "    GIT_DEPTH: \"0\"\n";
        let mut said = self.job("gate", &depth);
        said += "    RUSTUP_TOOLCHAIN: stable\n";
        if !self.pipeline.gated {
            said += &comment(2, "repro.toml has no [gate]: what is pushed under these names is held to its defaults.");
        }
        said += "  rules:\n";
        for pattern in &self.pipeline.tags {
            let _ =
                writeln!(said, "    - if: {}", yaml(&format!("$CI_COMMIT_TAG =~ /^{}$/", filter::gitlab_tag(pattern))));
        }
        said += &comment(
            2,
            "From no cache: what decides on a release leans on nothing that another run left. Notes are where signed \
             verdicts are kept, if there are any; the rules are those of the branch that you protect.",
        );
        said += "  script:\n    - git fetch --force origin \"+refs/heads/$CI_DEFAULT_BRANCH:refs/remotes/origin/$CI_DEFAULT_BRANCH\" \"+refs/tags/$CI_COMMIT_TAG:refs/tags/$CI_COMMIT_TAG\"\n";
        said += "    - |\n      if [ -n \"$(git ls-remote origin refs/notes/cargo-repro)\" ]; then\n        git fetch origin \"+refs/notes/cargo-repro:refs/notes/cargo-repro\"\n      fi\n";
        said += INSTALLING;
        said += &self.enter();
        let (package, reports) = (self.chosen(), format!("\"$CI_PROJECT_DIR/{REPORTS}"));
        let _ = writeln!(
            said,
            "    - >-\n      cargo repro gate{package} --policy-ref \"origin/$CI_DEFAULT_BRANCH\"\n      --report {reports}/report.html\" --report {reports}/report.md\" -- \"$CI_COMMIT_TAG\""
        );
        said + &artifacts(false)
    }

    fn rules(&self, place: &str) -> String {
        let mut said = String::from(
            "  rules:\n    - if: $CI_PIPELINE_SOURCE == \"schedule\"\n    - if: $CI_PIPELINE_SOURCE == \"web\"\n",
        );
        said += &comment(4, "Only merge requests that touch an input.");
        said += "    - if: $CI_PIPELINE_SOURCE == \"merge_request_event\"\n      changes:\n        paths:\n";
        let own = Input::File(place.to_owned());
        for input in self.pipeline.inputs.iter().chain([&own]) {
            let _ = writeln!(said, "          - {}", yaml(&filter::gitlab_path(input)));
        }
        said
    }

    fn cache(&self) -> String {
        let mut said = comment(
            2,
            "What cargo downloads, which is checked against Cargo.lock each time. Never `target`: a build that \
             `verify` did not make itself proves nothing.",
        );
        // GitLab takes this for a pattern of its own, and a variable's name for its value.
        let lock = join(&self.pipeline.workspace, "Cargo.lock");
        let is_simple = lock.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_./".contains(letter));
        said += "  cache:\n    key:\n";
        let _ = match is_simple {
            true => writeln!(said, "      files:\n        - {lock}"),
            false => writeln!(said, "      files:\n        - Cargo.lock"),
        };
        said += "      prefix: cargo-downloads\n    paths:\n";
        for name in ["registry/index", "registry/cache", "git/db"] {
            let _ = writeln!(said, "      - .cargo-home/{name}");
        }
        said
    }

    fn data(&self) -> String {
        let mut said = String::new();
        for absent in &self.pipeline.absent {
            let path = yaml(&absent.path);
            let how = if absent.dvc {
                "DVC keeps it. Fetch it here, with a protected variable for its remote:"
            } else {
                "a clone does not have it. Fetch it here:"
            };
            said += &comment(4, &format!("repro.toml declares the data {path}, and {how}"));
            said += match absent.dvc {
                true => "    # - dvc pull\n",
                false => "    # - ./fetch-data.sh\n",
            };
        }
        said
    }

    fn toolchain(&self) -> String {
        match &self.pipeline.compiler {
            Compiler::Pinned if self.pipeline.directory.is_empty() => {
                "    - rustup toolchain install --no-self-update\n".to_owned()
            }
            Compiler::Pinned => {
                let line =
                    format!("(cd {} && rustup toolchain install --no-self-update)", shell(&self.pipeline.directory));
                format!("    - {}\n", yaml(&line))
            }
            Compiler::Locked(_) => {
                "    - rustup toolchain install --profile minimal --no-self-update \"$RUSTUP_TOOLCHAIN\"\n".to_owned()
            }
            Compiler::Unnamed(rustc) => {
                let why = "The lock is of a compiler that is no release; name it in rust-toolchain.toml by its date: ";
                comment(4, &format!("{why}{}", yaml(rustc)))
            }
            Compiler::Open => comment(
                4,
                "Nothing says which compiler is meant: a rust-toolchain.toml would. Until then it is the image's.",
            ),
        }
    }

    fn enter(&self) -> String {
        let mut said = format!("    - mkdir -p {REPORTS}\n");
        if !self.pipeline.directory.is_empty() {
            let _ = writeln!(said, "    - {}", yaml(&format!("cd {}", shell(&self.pipeline.directory))));
        }
        if self.pipeline.is_member() {
            let _ = writeln!(said, "    - {}", yaml(&format!("package={}", shell(&self.pipeline.package))));
        }
        said
    }

    fn chosen(&self) -> &'static str {
        match self.pipeline.is_member() {
            true => " -p \"$package\"",
            false => "",
        }
    }
}

const INSTALLING: &str = "    - rustup toolchain install stable --profile minimal --no-self-update
    # Split into words, as it is meant.
    - cargo +stable install --locked $CARGO_REPRO_INSTALL
";

/// Reports of tests are kept however a job ends, the rest where it failed.
fn artifacts(has_tests: bool) -> String {
    let mut said =
        format!("  artifacts:\n    when: on_failure\n    expire_in: 1 week\n    paths:\n      - {REPORTS}/\n");
    if has_tests {
        let _ = writeln!(said, "    reports:\n      junit: {REPORTS}/junit.xml");
    }
    said
}
