//! The jobs for GitLab CI: YAML with its reasons as comments. Text from outside stands quoted for the shell within
//! what is quoted for YAML.

use std::fmt::Write as _;

use super::inputs::join;
use super::remarks::{self, Image, comment};
use super::tool::{Source, Tool};
use super::{Compiler, Input, Pipeline, filter};
use crate::text::quote::{shell, yaml};

/// GitLab's own file.
pub const PLACE: &str = ".gitlab-ci.yml";

/// Where reports go: GitLab takes them from the project's directory alone.
const REPORTS: &str = "repro-report";

const IMAGES: [Image; 3] = [
    Image {
        name: "rust:1-bullseye",
        libc: "glibc 2.31",
    },
    Image {
        name: "rust:1-bookworm",
        libc: "glibc 2.36",
    },
    Image {
        name: "rust:1-trixie",
        libc: "glibc 2.41",
    },
];

/// The file to include where there is one already, or where several packages have jobs.
#[must_use]
pub fn included(pipeline: &Pipeline) -> String {
    format!(".gitlab/{}.yml", pipeline.file_stem())
}

/// The whole file; `place` is where it will be.
#[must_use]
pub fn jobs(pipeline: &Pipeline, source: &Source, place: &str) -> String {
    let writer = Writer { pipeline, source };
    [writer.head(place), writer.verify(place), writer.gate()].concat()
}

struct Writer<'a> {
    pipeline: &'a Pipeline,
    source: &'a Source,
}

impl Writer<'_> {
    fn head(&self, place: &str) -> String {
        let flag = Tool::Source(self.source.clone()).flag();
        let mut said = format!("{} gitlab{flag}`; yours to edit from here on.\n", super::MARK);
        if place != PLACE {
            let _ = write!(said, "# In {PLACE}:\n#   include:\n#     - local: {place}\n");
        }
        let (minute, hour) = self.pipeline.night();
        said += &comment(
            0,
            &format!(
                "Both jobs are of the stage `test`, which GitLab has unless `stages` says otherwise. Nightly runs are no \
                 matter of this file: make one under Build > Pipeline schedules, such as `{minute} {hour} * * *`."
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

    /// What both jobs begin with; nothing of the file that includes them rules them.
    fn job(&self, word: &str, image: &str, depth: &str) -> String {
        let mut said = format!("{}:\n{image}  inherit:\n    default: false\n  variables:\n{depth}", self.name(word));
        let _ = writeln!(said, "{}    CARGO_REPRO_INSTALL: {}", remarks::source(4), yaml(self.source.words()));
        said
    }

    fn verify(&self, place: &str) -> String {
        let machine = self.pipeline.machine.as_ref();
        let image = remarks::image(&IMAGES, machine);
        let why = "The image's C library is part of the platform class that equal bytes are promised for.";
        let named = comment(2, &remarks::of_image(image, machine, why)) + &format!("  image: {}\n", image.name);
        let depth = comment(4, "No history is needed to verify.") + "    GIT_DEPTH: \"1\"\n";
        let mut said = self.job("verify", &named, &depth);
        if self.pipeline.submodules {
            said += "    GIT_SUBMODULE_STRATEGY: recursive\n";
        }
        if self.pipeline.lfs {
            said += &comment(4, "GitLab's runner fetches the files of Git LFS unless this says otherwise.");
            said += "    GIT_LFS_SKIP_SMUDGE: \"0\"\n";
        }
        if let Compiler::Locked(rustc) = &self.pipeline.compiler {
            let _ = writeln!(said, "{}    RUSTUP_TOOLCHAIN: {}", remarks::locked_compiler(4), yaml(rustc));
        }
        said += &self.timeout();
        said += "  interruptible: true\n";
        said += &self.rules(place);
        said += &self.cache();
        said += &self.verify_script();
        said + &artifacts(true) + "\n"
    }

    fn timeout(&self) -> String {
        match self.pipeline.minutes {
            Some(minutes) => comment(2, remarks::TIMEOUTS) + &format!("  timeout: {minutes} minutes\n"),
            None => comment(
                2,
                "A stage of repro.toml has no timeout, so this job has the project's: an hour, unless somebody changed it.",
            ),
        }
    }

    fn verify_script(&self) -> String {
        let mut said = String::from("  script:\n");
        let steps = ["dvc pull", "./fetch-data.sh"];
        said += &remarks::absent(self.pipeline, 4, "a protected variable", steps);
        said += &self.compiler();
        said += INSTALLING;
        said += &comment(4, "Within the project, since GitLab caches nothing outside of it.");
        said += "    - export CARGO_HOME=\"$CI_PROJECT_DIR/.cargo-home\"\n";
        said += &self.enter();
        let package = self.chosen();
        let reports = format!("\"$CI_PROJECT_DIR/{REPORTS}");
        let _ = writeln!(
            said,
            "    - >-\n      cargo repro verify{package} --outputs {reports}/outputs\"\n      --report {reports}/report.html\" --report {reports}/report.md\" --report {reports}/junit.xml\""
        );
        said
    }

    fn gate(&self) -> String {
        let depth = comment(
            4,
            "The whole history: the gate looks at the commit that the lock was recorded at, and at the protected branch.",
        ) + "    GIT_DEPTH: \"0\"\n";
        let image = format!("  image: {}\n", remarks::image(&IMAGES, None).name);
        let mut said = self.job("gate", &image, &depth);
        said += "    RUSTUP_TOOLCHAIN: stable\n";
        said += &remarks::ungated(self.pipeline, 2);
        said += "  rules:\n";
        for pattern in &self.pipeline.tags {
            let _ =
                writeln!(said, "    - if: {}", yaml(&format!("$CI_COMMIT_TAG =~ /^{}$/", filter::gitlab_tag(pattern))));
        }
        said += &comment(2, "What decides on a release leans on nothing that another run left.");
        said += "  cache: []\n  script:\n";
        said += &comment(
            4,
            "The rules are those of the branch that you protect. Notes are where signed verdicts are kept, if there are any.",
        );
        said += FETCHING;
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
        let mut said = remarks::downloads(2);
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

    fn compiler(&self) -> String {
        match &self.pipeline.compiler {
            Compiler::Pinned if self.pipeline.directory.is_empty() => {
                "    - rustup toolchain install --no-self-update\n".to_owned()
            }
            Compiler::Pinned => {
                let directory = shell(&self.pipeline.directory);
                let line = format!("(cd -- {directory} && rustup toolchain install --no-self-update)");
                format!("    - {}\n", yaml(&line))
            }
            Compiler::Locked(_) => {
                "    - rustup toolchain install --profile minimal --no-self-update \"$RUSTUP_TOOLCHAIN\"\n".to_owned()
            }
            Compiler::Unnamed(_) | Compiler::Open => remarks::compiler(self.pipeline, 4, "image's"),
        }
    }

    fn enter(&self) -> String {
        let mut said = format!("    - mkdir -p {REPORTS}\n");
        if !self.pipeline.directory.is_empty() {
            let _ = writeln!(said, "    - {}", yaml(&format!("cd -- {}", shell(&self.pipeline.directory))));
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

const FETCHING: &str = "    - git fetch --force origin \"+refs/heads/$CI_DEFAULT_BRANCH:refs/remotes/origin/$CI_DEFAULT_BRANCH\" \"+refs/tags/$CI_COMMIT_TAG:refs/tags/$CI_COMMIT_TAG\"
    - |
      if [ -n \"$(git ls-remote origin refs/notes/cargo-repro)\" ]; then
        git fetch origin \"+refs/notes/cargo-repro:refs/notes/cargo-repro\"
      fi
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
