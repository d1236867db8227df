//! The package that `cargo repro new` writes: the files beside this one, carried in the binary, and
//! the runtime's source, so that nothing of ours has to be published. `{{name}}` stands for the
//! package's name. Writing them is [`crate::cli::commands::new`]'s.

/// Files of the template by their path in the new package.
const FILES: [(&str, &str); 15] = [
    ("Cargo.toml", include_str!("Cargo.toml.in")),
    ("Cargo.lock", include_str!("Cargo.lock")),
    (".gitignore", include_str!("gitignore.in")),
    ("README.md", include_str!("README.md")),
    ("repro.toml", include_str!("repro.toml")),
    ("data/README.md", include_str!("data/README.md")),
    ("data/winequality-red.csv", include_str!("data/winequality-red.csv")),
    ("src/main.rs", include_str!("src/main.rs")),
    ("src/load.rs", include_str!("src/load.rs")),
    ("src/split.rs", include_str!("src/split.rs")),
    ("src/scale.rs", include_str!("src/scale.rs")),
    ("src/model.rs", include_str!("src/model.rs")),
    ("src/evaluate.rs", include_str!("src/evaluate.rs")),
    ("src/report.rs", include_str!("src/report.rs")),
    ("runtime/.gitignore", "/target\n"),
];

/// Names that the package cannot have: its own dependencies', which cargo could not tell apart.
pub const TAKEN: [&str; 8] = [
    "csv",
    "linfa",
    "linfa-ensemble",
    "linfa-trees",
    "ndarray",
    "repro-ml",
    "serde",
    "repro",
];

/// Every file of a new package called `name`: path and content.
#[must_use]
pub fn files(name: &str) -> Vec<(String, String)> {
    let own = FILES.iter().map(|(path, text)| {
        let text = text.replace("{{name}}", name);
        let text = if *path == "Cargo.lock" { sorted(&text) } else { text };
        ((*path).to_owned(), text)
    });
    let runtime = repro::source::FILES.iter();
    own.chain(runtime.map(|(path, text)| (format!("runtime/{path}"), (*text).to_owned())))
        .collect()
}

/// Cargo sorts packages by name; with the new name in its place it leaves the file as it is.
fn sorted(lock: &str) -> String {
    const MARK: &str = "\n[[package]]\n";
    let mut blocks: Vec<&str> = lock.split(MARK).collect();
    let head = blocks.remove(0);
    let name = |block: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix("name = "));
        line.unwrap_or_default().to_owned()
    };
    let mut blocks: Vec<&str> = blocks.into_iter().map(str::trim_end).collect();
    // Stable, so that several versions of one package stay in cargo's order.
    blocks.sort_by_key(|block| name(block));
    let body: Vec<String> = blocks.iter().map(|block| format!("{MARK}{block}\n")).collect();
    format!("{head}{}", body.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filled_lock_is_sorted_by_name() {
        let lock = "# head\nversion = 4\n\n[[package]]\nname = \"b\"\nversion = \"1\"\n\n[[package]]\nname = \"a\"\nversion = \"1\"\n";
        let sorted = sorted(lock);
        assert_eq!(
            sorted,
            "# head\nversion = 4\n\n[[package]]\nname = \"a\"\nversion = \"1\"\n\n[[package]]\nname = \"b\"\nversion = \"1\"\n"
        );
    }

    #[test]
    fn no_placeholder_is_left() {
        for (path, text) in files("wine") {
            assert!(!text.contains("{{name}}"), "{path}");
        }
    }
}
