//! Hints as somebody follows them: the last one that was printed, what it quotes, and the shell that it is typed into.

use std::process::Command;

use super::{Answer, Project};

impl Answer {
    /// The rest of the last line on stderr that begins so; cargo's own errors come before ours.
    #[track_caller]
    pub fn after(&self, start: &str) -> String {
        let line = self.stderr.lines().rev().find_map(|line| line.strip_prefix(start));
        line.unwrap_or_else(|| panic!("no {start}\n{}", self.stderr)).to_owned()
    }

    /// The hint.
    #[track_caller]
    pub fn hint(&self) -> String {
        self.after("hint: ")
    }
}

/// What stands between backticks in a hint.
pub fn quotes(hint: &str) -> Vec<&str> {
    hint.split('`').skip(1).step_by(2).collect()
}

/// The text between backticks that begins so.
#[track_caller]
pub fn quoted(hint: &str, start: &str) -> String {
    let found = quotes(hint).into_iter().find(|part| part.starts_with(start));
    found.unwrap_or_else(|| panic!("no {start} in: {hint}")).to_owned()
}

impl Project {
    /// Types a command of a hint into a shell, in the package's directory; it must succeed.
    #[track_caller]
    pub fn type_in(&self, command: &str) -> &Self {
        let output = Command::new("sh")
            .args(["-c", command])
            .current_dir(&self.root)
            .env("CARGO_HOME", self.cargo_home())
            .output()
            .unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        self
    }

    /// Adds a line under a table of the manifest, and commits that.
    pub fn under(&self, table: &str, line: &str) -> &Self {
        let text = self.read("repro.toml");
        let text = if text.contains(table) {
            text.replace(table, &format!("{table}\n{line}"))
        } else {
            format!("{text}\n{table}\n{line}\n")
        };
        self.write("repro.toml", &text).commit("as the hint says")
    }
}
