//! The workflow for GitHub Actions: YAML with its reasons as comments. Text from outside stands quoted in `env`, in
//! filters and in paths, and never within `run`.

use std::fmt::Write as _;

use super::filter;
use super::quote::{github as text, yaml};
use super::{Compiler, INSTALL, Input, Pipeline, comment};
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;

/// Where GitHub looks for it.
pub const PLACE: &str = ".github/workflows/repro.yml";

const CHECKOUT: &str = "actions/checkout@v7";
const CACHE: &str = "actions/cache@v6";
const UPLOAD: &str = "actions/upload-artifact@v7";

/// The longest that GitHub's own machines let a job run.
const LONGEST: u64 = 360;

/// An action of another repository, as `uses` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action(String);

impl Action {
    /// Reads `OWNER/REPO@REF`, which may name a directory too.
    ///
    /// # Errors
    /// A usage error when it is something else.
    pub fn read(text: &str) -> Result<Self> {
        let is_word = |word: &str| {
            let known = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
            !word.is_empty() && word.chars().all(known) && word.chars().any(|letter| letter != '.')
        };
        let parts = text.split_once('@').map(|(path, name)| (path.split('/'), name.split('/')));
        let holds = parts
            .is_some_and(|(mut path, mut name)| path.clone().count() >= 2 && path.all(is_word) && name.all(is_word));
        holds.then(|| Self(text.to_owned())).ok_or_else(|| {
            Error::new(format!("`--action {text}` names no action"))
                .code(ExitCode::Usage)
                .hint("write it as `OWNER/REPO@REF`; a full commit as REF stays what it is")
        })
    }
}

/// The whole workflow.
#[must_use]
pub fn workflow(pipeline: &Pipeline, action: Option<&Action>) -> String {
    let writer = Writer { pipeline, action };
    [
        writer.head(),
        writer.triggers(),
        writer.rules(),
        writer.verify(),
        writer.gate(),
    ]
    .concat()
}

struct Writer<'a> {
    pipeline: &'a Pipeline,
    action: Option<&'a Action>,
}

impl Writer<'_> {
    fn head(&self) -> String {
        let action = self.action.map_or_else(String::new, |action| format!(" --action {}", action.0));
        format!("{} github{action}`; yours to edit from here on.\nname: {}\n\n", super::MARK, self.name("repro"))
    }

    /// With the package's name where there are several.
    fn name(&self, word: &str) -> String {
        match self.pipeline.is_member() {
            true => text(&format!("{word} {}", self.pipeline.package)),
            false => word.to_owned(),
        }
    }

    fn triggers(&self) -> String {
        let mut said = String::from("on:\n");
        said += &comment(
            2,
            "Only pull requests that touch an input. Where this check is required, take the paths out: a check that \
             they keep from running never reports, and the pull request waits for it for ever.",
        );
        said += "  pull_request:\n    paths:\n";
        let own = Input::File(PLACE.to_owned());
        for input in self.pipeline.inputs.iter().chain([&own]) {
            let _ = writeln!(said, "      - {}", yaml(&filter::github_path(input)));
        }
        let (minute, hour) = self.pipeline.night();
        said += &comment(2, "Every night, since runners and registries change while the repository does not.");
        let _ = writeln!(said, "  schedule:\n    - cron: \"{minute} {hour} * * *\"");
        if !self.pipeline.gated {
            said += &comment(2, "repro.toml has no [gate]: what is pushed under these names is held to its defaults.");
        }
        said += "  push:\n    tags:\n";
        for pattern in &self.pipeline.tags {
            let _ = writeln!(said, "      - {}", yaml(&filter::github_tag(pattern)));
        }
        said + "  workflow_dispatch:\n\n"
    }

    fn rules(&self) -> String {
        let mut said = comment(0, "Nothing here writes to the repository, comments or publishes.");
        said += "permissions:\n  contents: read\n\n";
        said += "concurrency:\n  group: ${{ github.workflow }}-${{ github.ref }}\n  cancel-in-progress: ${{ github.event_name == 'pull_request' }}\n\njobs:\n";
        said
    }

    fn job(&self, id: &str, condition: &str, minutes: u64, minutes_why: &str) -> String {
        let mut said = format!("  {id}:\n    name: {}\n    if: {condition}\n", self.name(id));
        said += &comment(
            4,
            "By number and not `latest`: equal bytes are promised within one platform class, C library included.",
        );
        let _ = writeln!(said, "    runs-on: {}", self.runner());
        if !minutes_why.is_empty() {
            said += &comment(4, minutes_why);
        }
        let _ = writeln!(said, "    timeout-minutes: {minutes}");
        said
    }

    /// The image with the lock's C library, where there is one.
    fn runner(&self) -> &'static str {
        let (libc, target) = self.pipeline.machine.as_ref().map_or(("", ""), |(libc, target)| (libc, target));
        match (libc, target.starts_with("aarch64")) {
            ("glibc 2.35", false) => "ubuntu-22.04",
            ("glibc 2.35", true) => "ubuntu-22.04-arm",
            (_, false) => "ubuntu-24.04",
            (_, true) => "ubuntu-24.04-arm",
        }
    }

    fn verify(&self) -> String {
        let (minutes, why) = match self.pipeline.minutes {
            Some(minutes) => (minutes, "The timeouts of the stages, and half an hour for all else."),
            None => (LONGEST, "A stage of repro.toml has no timeout, so this is the longest that GitHub allows."),
        };
        let mut said = self.job("verify", "github.event_name != 'push'", minutes, why);
        said += &self.surroundings(true);
        said += "    steps:\n";
        said += &comment(6, "No history is needed to verify, so the clone is shallow (fetch-depth 1 is the default).");
        let _ = writeln!(said, "      - uses: {CHECKOUT}\n        with:\n          persist-credentials: false");
        if self.pipeline.lfs {
            said += &comment(10, "Else the data would be pointers to it.");
            said += "          lfs: true\n";
        }
        if self.pipeline.submodules {
            said += "          submodules: recursive\n";
        }
        said += &self.data();
        said += &self.toolchain();
        said.push('\n');
        said += &comment(
            6,
            "Ubuntu 24.04 lets no ordinary program make user namespaces, so trainings run behind landlock alone, and \
             the verdict lists what that leaves unchecked. To allow them on this runner:",
        );
        said += "      # - run: sudo sysctl --write kernel.apparmor_restrict_unprivileged_userns=0\n\n";
        if let Some(action) = self.action {
            let _ = writeln!(said, "      - uses: {}\n        with:\n          command: verify", action.0);
            said += &self.action_inputs();
            return said + "\n";
        }
        said += &caches();
        said += "      - name: Install cargo repro\n        if: steps.tool.outputs.cache-hit != 'true'\n";
        said += INSTALLING;
        said += "      - name: Verify\n        run: |\n          reports=\"$RUNNER_TEMP/repro-report\"\n          mkdir -p \"$reports\"\n";
        let package = self.chosen();
        let _ = writeln!(
            said,
            "          cargo repro verify{package} --outputs \"$reports/outputs\" \\\n            --report \"$reports/report.html\" --report \"$reports/report.md\" \\\n            --report \"$reports/junit.xml\" --report \"$reports/report.sarif\""
        );
        said += &comment(6, "The reports, and the outputs that differ: what one needs to see why.");
        said += &upload("repro-verify");
        said + "\n"
    }

    fn gate(&self) -> String {
        let mut said = self.job("gate", "github.event_name == 'push'", 60, "");
        said += &self.surroundings(false);
        said += "    steps:\n";
        said += &comment(
            6,
            "The whole history: the gate looks at the commit that the lock was recorded at, and at the protected \
             branch. The token, which can only read, stays for `git fetch` and for the gate's own question to origin.",
        );
        let _ = writeln!(
            said,
            "      - uses: {CHECKOUT}\n        with:\n          fetch-depth: 0\n          persist-credentials: true"
        );
        if let Some(action) = self.action {
            let _ = writeln!(
                said,
                "      - uses: {}\n        with:\n          command: gate\n          tag: ${{{{ github.ref_name }}}}\n          args: --policy-ref origin/${{{{ github.event.repository.default_branch }}}}",
                action.0
            );
            said += &self.action_inputs();
            return said;
        }
        said += &comment(
            6,
            "A checkout can leave an annotated tag as a name of its commit; and it brings no notes, which signed \
             verdicts are kept in, if there are any.",
        );
        said += FETCHING;
        said += &comment(6, "From no cache: what decides on a release leans on nothing that another run left.");
        said += "      - name: Install cargo repro\n";
        said += INSTALLING;
        said += "      - name: Gate\n        env:\n          TAG: ${{ github.ref_name }}\n";
        said += &comment(10, "The rules are those of the branch that you protect, not what the tag brings along.");
        said += "          POLICY: origin/${{ github.event.repository.default_branch }}\n        run: |\n          reports=\"$RUNNER_TEMP/repro-report\"\n          mkdir -p \"$reports\"\n";
        let package = self.chosen();
        let _ = writeln!(
            said,
            "          cargo repro gate{package} --policy-ref \"$POLICY\" \\\n            --report \"$reports/report.html\" --report \"$reports/report.md\" -- \"$TAG\""
        );
        said + &upload("repro-gate")
    }

    /// Where steps run, and what they see.
    fn surroundings(&self, is_verify: bool) -> String {
        let mut said = String::from("    defaults:\n      run:\n        shell: bash\n");
        if !self.pipeline.directory.is_empty() {
            let _ = writeln!(said, "        working-directory: {}", text(&self.pipeline.directory));
        }
        let mut variables = String::new();
        if self.action.is_none() {
            if self.pipeline.is_member() {
                let _ = writeln!(variables, "      PACKAGE: {}", text(&self.pipeline.package));
            }
            variables += &comment(
                6,
                "Where the tool comes from, for `cargo install`. Until it is published:\n`--git URL --rev COMMIT cargo-repro-ml`.",
            );
            let _ = writeln!(variables, "      CARGO_REPRO_INSTALL: {}", yaml(INSTALL));
        }
        match &self.pipeline.compiler {
            _ if !is_verify => variables += "      RUSTUP_TOOLCHAIN: stable\n",
            Compiler::Locked(rustc) => {
                variables += &comment(6, "The compiler of the lock. A rust-toolchain.toml would say so for everybody.");
                let _ = writeln!(variables, "      RUSTUP_TOOLCHAIN: {}", yaml(rustc));
            }
            _ => {}
        }
        if variables.is_empty() {
            return said;
        }
        said + "    env:\n" + &variables
    }

    fn toolchain(&self) -> String {
        let (why, arguments) = match &self.pipeline.compiler {
            Compiler::Pinned => ("", ""),
            Compiler::Locked(_) => ("", " --profile minimal \"$RUSTUP_TOOLCHAIN\""),
            Compiler::Unnamed(rustc) => {
                let why = "The lock is of a compiler that is no release; name it in rust-toolchain.toml by its date: ";
                return comment(6, &format!("{why}{}", yaml(rustc)));
            }
            Compiler::Open => {
                return comment(
                    6,
                    "Nothing says which compiler is meant: a rust-toolchain.toml would. Until then it is the runner's.",
                );
            }
        };
        format!(
            "{why}      - name: Install the compiler\n        run: rustup toolchain install --no-self-update{arguments}\n"
        )
    }

    /// How data gets here that git does not keep: whoever reads this has to say it.
    fn data(&self) -> String {
        let mut said = String::new();
        for absent in &self.pipeline.absent {
            let path = yaml(&absent.path);
            let how = if absent.dvc {
                "DVC keeps it. Fetch it here, with a secret for its remote:"
            } else {
                "a clone does not have it. Fetch it here:"
            };
            said += &comment(6, &format!("repro.toml declares the data {path}, and {how}"));
            said += match absent.dvc {
                true => "      # - run: pipx run dvc pull\n",
                false => "      # - run: ./fetch-data.sh\n",
            };
        }
        said
    }

    fn action_inputs(&self) -> String {
        let mut said = String::new();
        if self.pipeline.is_member() {
            let _ = writeln!(said, "          package: {}", text(&self.pipeline.package));
        }
        if !self.pipeline.directory.is_empty() {
            let _ = writeln!(said, "          working-directory: {}", text(&self.pipeline.directory));
        }
        said
    }

    fn chosen(&self) -> &'static str {
        if self.pipeline.is_member() {
            " -p \"$PACKAGE\""
        } else {
            ""
        }
    }
}

const INSTALLING: &str = "        run: |
          rustup toolchain install stable --profile minimal --no-self-update
          read -r -a source <<< \"$CARGO_REPRO_INSTALL\"
          cargo +stable install --locked \"${source[@]}\"
";

const FETCHING: &str = "      - name: Fetch the tag and what was signed
        env:
          TAG: ${{ github.ref_name }}
        run: |
          git fetch --force origin \"+refs/tags/$TAG:refs/tags/$TAG\"
          if [ -n \"$(git ls-remote origin refs/notes/cargo-repro)\" ]; then
            git fetch origin \"+refs/notes/cargo-repro:refs/notes/cargo-repro\"
          fi
";

fn caches() -> String {
    let mut said = comment(
        6,
        "What cargo downloads, which is checked against Cargo.lock each time. Never `target`: a build that \
         `verify` did not make itself proves nothing.",
    );
    let _ = write!(
        said,
        "      - uses: {CACHE}
        with:
          path: |
            ~/.cargo/registry/index
            ~/.cargo/registry/cache
            ~/.cargo/git/db
          key: cargo-downloads-${{{{ runner.os }}}}-${{{{ hashFiles('**/Cargo.lock') }}}}
          restore-keys: cargo-downloads-${{{{ runner.os }}}}-
      - uses: {CACHE}
        id: tool
        with:
          path: ~/.cargo/bin/cargo-repro
          key: cargo-repro-${{{{ runner.os }}}}-${{{{ runner.arch }}}}-${{{{ env.CARGO_REPRO_INSTALL }}}}
"
    );
    said
}

fn upload(name: &str) -> String {
    format!(
        "      - uses: {UPLOAD}
        if: failure()
        with:
          name: {name}
          path: ${{{{ runner.temp }}}}/repro-report
          if-no-files-found: ignore
"
    )
}
