//! The workflow for GitHub Actions: YAML with its reasons as comments. Text from outside stands quoted in `env`, in
//! filters and in paths, and never within `run`.

use std::fmt::Write as _;

use super::remarks::{self, Image, comment};
use super::tool::{Action, Tool};
use super::{Compiler, Input, Pipeline, filter};
use crate::text::quote::{github as text, yaml};

const CHECKOUT: &str = "actions/checkout@v7";
const CACHE: &str = "actions/cache@v6";
const UPLOAD: &str = "actions/upload-artifact@v7";

/// The longest that GitHub's own machines let a job run, in minutes.
const LONGEST: u64 = 360;

const MACHINES: [Image; 2] = [
    Image {
        name: "ubuntu-22.04",
        libc: "glibc 2.35",
    },
    Image {
        name: "ubuntu-24.04",
        libc: "glibc 2.39",
    },
];

/// Where GitHub looks for it; a package of several has a file of its own.
#[must_use]
pub fn place(pipeline: &Pipeline) -> String {
    format!(".github/workflows/{}.yml", pipeline.file_stem())
}

/// The whole workflow.
#[must_use]
pub fn workflow(pipeline: &Pipeline, tool: &Tool) -> String {
    let writer = Writer { pipeline, tool };
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
    tool: &'a Tool,
}

impl Writer<'_> {
    fn head(&self) -> String {
        let flag = self.tool.flag();
        format!("{} github{flag}`; yours to edit from here on.\nname: {}\n\n", super::MARK, self.name("repro"))
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
        let own = Input::File(place(self.pipeline));
        for input in self.pipeline.inputs.iter().chain([&own]) {
            let _ = writeln!(said, "      - {}", yaml(&filter::github_path(input)));
        }
        let (minute, hour) = self.pipeline.night();
        said += &comment(
            2,
            "Every night, since runners and registries change while the repository does not; on the default branch. \
             In a public repository GitHub stops this after 60 days without a commit, and says so by mail.",
        );
        let _ = writeln!(said, "  schedule:\n    - cron: \"{minute} {hour} * * *\"");
        said += &remarks::ungated(self.pipeline, 2);
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

    fn verify(&self) -> String {
        self.verify_job() + &self.verify_surroundings() + &self.verify_steps() + "\n"
    }

    fn verify_job(&self) -> String {
        let mut said = format!("  verify:\n    name: {}\n    if: github.event_name != 'push'\n", self.name("verify"));
        let machine = self.pipeline.machine.as_ref();
        let is_arm = machine.is_some_and(|machine| machine.target.starts_with("aarch64"));
        let image = remarks::image(&MACHINES, machine);
        let why = "By number and not `latest`: equal bytes are promised within one platform class, C library included.";
        said += &comment(4, &remarks::of_image(image, machine, why));
        let _ = writeln!(said, "    runs-on: {}{}", image.name, if is_arm { "-arm" } else { "" });
        let (minutes, why) = match self.pipeline.minutes {
            Some(minutes) if minutes <= LONGEST => (minutes, remarks::TIMEOUTS),
            Some(_) => (LONGEST, "The timeouts of the stages come to more than GitHub's own machines let a job run."),
            None => (LONGEST, "A stage of repro.toml has no timeout, so this is the longest that GitHub allows."),
        };
        said += &comment(4, why);
        let _ = writeln!(said, "    timeout-minutes: {minutes}");
        let mut variables = self.variables();
        if let Compiler::Locked(rustc) = &self.pipeline.compiler {
            variables += &remarks::locked_compiler(6);
            let _ = writeln!(variables, "      RUSTUP_TOOLCHAIN: {}", yaml(rustc));
        }
        said += &self.place();
        if !variables.is_empty() {
            said += &format!("    env:\n{variables}");
        }
        said + "    steps:\n"
    }

    /// The clone, the data, the compiler, and what the machine allows.
    fn verify_surroundings(&self) -> String {
        let mut said =
            comment(6, "No history is needed to verify, so the clone is shallow (fetch-depth 1 is the default).");
        let _ = writeln!(said, "      - uses: {CHECKOUT}\n        with:\n          persist-credentials: false");
        if self.pipeline.lfs {
            said += &comment(10, "Else the data would be pointers to it.");
            said += "          lfs: true\n";
        }
        if self.pipeline.submodules {
            said += "          submodules: recursive\n";
        }
        let steps = ["run: pipx run dvc pull", "run: ./fetch-data.sh"];
        said += &remarks::absent(self.pipeline, 6, "a secret", steps);
        said += &self.compiler();
        said.push('\n');
        said += &comment(
            6,
            "Ubuntu 24.04 lets no ordinary program make user namespaces, so trainings run behind landlock alone, and \
             the verdict lists what that leaves unchecked. To allow them on this runner:",
        );
        said + "      # - run: sudo sysctl --write kernel.apparmor_restrict_unprivileged_userns=0\n\n"
    }

    fn verify_steps(&self) -> String {
        if let Tool::Action(action) = self.tool {
            return self.uses(action, "verify", "");
        }
        let mut said = caches() + VERIFYING;
        let package = self.chosen();
        let _ = writeln!(
            said,
            "          cargo repro verify{package} --outputs \"$RUNNER_TEMP/repro-outputs\" \\\n            --report \"$reports/report.html\" --report \"$reports/report.md\" \\\n            --report \"$reports/junit.xml\" --report \"$reports/report.sarif\""
        );
        said += &comment(
            6,
            "What one needs to see why: the reports, and the outputs that differ. These in one file, since an upload \
             takes neither hidden files nor every name.",
        );
        said + PACKING + &upload("repro-verify")
    }

    fn gate(&self) -> String {
        let mut said = format!("  gate:\n    name: {}\n    if: github.event_name == 'push'\n", self.name("gate"));
        let newest = remarks::image(&MACHINES, None);
        let _ = writeln!(said, "    runs-on: {}\n    timeout-minutes: 60", newest.name);
        said += &self.place();
        let _ = write!(said, "    env:\n{}      RUSTUP_TOOLCHAIN: stable\n    steps:\n", self.variables());
        said += &comment(
            6,
            "The whole history: the gate looks at the commit that the lock was recorded at, and at the protected \
             branch. The token, which can only read, stays for `git fetch` and for the gate's own question to origin.",
        );
        let _ = writeln!(
            said,
            "      - uses: {CHECKOUT}\n        with:\n          fetch-depth: 0\n          persist-credentials: true"
        );
        said + &self.gate_steps()
    }

    fn gate_steps(&self) -> String {
        if let Tool::Action(action) = self.tool {
            return self.uses(action, "gate", GATING);
        }
        let mut said = comment(
            6,
            "A checkout can leave an annotated tag as a name of its commit; and it brings no notes, which signed \
             verdicts are kept in, if there are any.",
        );
        said += FETCHING;
        said += &comment(6, "From no cache: what decides on a release leans on nothing that another run left.");
        said += "      - name: Install cargo repro\n        run: |\n";
        said += STABLE;
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

    /// Where steps run.
    fn place(&self) -> String {
        let mut said = String::from("    defaults:\n      run:\n        shell: bash\n");
        if !self.pipeline.directory.is_empty() {
            let _ = writeln!(said, "        working-directory: {}", text(&self.pipeline.directory));
        }
        said
    }

    /// What steps are told, if there are steps of ours.
    fn variables(&self) -> String {
        let Tool::Source(source) = self.tool else {
            return String::new();
        };
        let mut said = String::new();
        if self.pipeline.is_member() {
            let _ = writeln!(said, "      PACKAGE: {}", text(&self.pipeline.package));
        }
        let _ = writeln!(said, "{}      CARGO_REPRO_INSTALL: {}", remarks::source(6), yaml(source.words()));
        said
    }

    fn compiler(&self) -> String {
        let arguments = match &self.pipeline.compiler {
            Compiler::Pinned => "",
            Compiler::Locked(_) => " --profile minimal \"$RUSTUP_TOOLCHAIN\"",
            Compiler::Unnamed(_) | Compiler::Open => return remarks::compiler(self.pipeline, 6, "runner's"),
        };
        format!(
            "      - name: Install the compiler\n        run: rustup toolchain install --no-self-update{arguments}\n"
        )
    }

    /// The step that uses an action, with what the command needs beside.
    fn uses(&self, action: &Action, command: &str, more: &str) -> String {
        let mut said = format!("      - uses: {}\n        with:\n          command: {command}\n{more}", action.uses());
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

const GATING: &str = "          tag: ${{ github.ref_name }}
          args: --policy-ref origin/${{ github.event.repository.default_branch }}
";

const STABLE: &str = "          rustup toolchain install stable --profile minimal --no-self-update\n";

const INSTALLING: &str = "          read -r -a source <<< \"$CARGO_REPRO_INSTALL\"
          cargo +stable install --locked --force \"${source[@]}\"
";

const VERIFYING: &str = "      - name: Verify
        run: |
          reports=\"$RUNNER_TEMP/repro-report\"
          mkdir -p \"$reports\"
";

const PACKING: &str = "      - name: Pack the outputs that differ
        if: failure()
        run: |
          if [ -d \"$RUNNER_TEMP/repro-outputs\" ]; then
            tar -C \"$RUNNER_TEMP\" -czf \"$RUNNER_TEMP/repro-report/outputs.tar.gz\" repro-outputs
          fi
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
    let why = "The tool, by the words that it is installed by, its compiler, and the C library that it needs.";
    let (downloads, tool) = (remarks::downloads(6), comment(6, why));
    format!(
        "{downloads}      - uses: {CACHE}
        with:
          path: |
            ~/.cargo/registry/index
            ~/.cargo/registry/cache
            ~/.cargo/git/db
          key: cargo-downloads-${{{{ runner.os }}}}-${{{{ hashFiles('**/Cargo.lock') }}}}
          restore-keys: cargo-downloads-${{{{ runner.os }}}}-
{tool}      - name: Name the tool
        id: name
        run: |
{STABLE}          key=\"$({{ rustc +stable --version --verbose; getconf GNU_LIBC_VERSION; echo \"$CARGO_REPRO_INSTALL\"; }} | sha256sum | cut -c 1-32)\"
          echo \"key=$key\" >> \"$GITHUB_OUTPUT\"
      - uses: {CACHE}
        id: tool
        with:
          path: ~/.cargo/bin/cargo-repro
          key: cargo-repro-${{{{ steps.name.outputs.key }}}}
      - name: Install cargo repro
        if: steps.tool.outputs.cache-hit != 'true'
        run: |
{INSTALLING}"
    )
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
