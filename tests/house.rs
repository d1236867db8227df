//! The house rules that no lint knows: documents say what is there, copies are equal, files stay
//! short, and lists stay small. Each test's name is the rule.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_repro::exit_code::ExitCode;
use cargo_repro::explanation;
use cargo_repro::project::manifest::Manifest;
use cargo_repro::report::finding::{DIVERGENCE_KINDS, DRIFT_KINDS, REFUSAL_KINDS};

/// No file under `src/` grows beyond what a reader keeps in mind.
const LONGEST: usize = 450;

/// The vocabulary: the same words in code, help, messages and documents.
const WORDS: [&str; 22] = [
    "manifest",
    "lockfile",
    "project",
    "snapshot",
    "closure",
    "stage",
    "run",
    "work directory",
    "ledger",
    "stream",
    "outcome",
    "checkpoint",
    "drift",
    "divergence",
    "cause",
    "verdict",
    "platform class",
    "not checked",
    "gate",
    "policy",
    "attestation",
    "report data",
];

/// Files that the template and the two fixtures share; `model.rs` is what smartcore's differs in.
const SHARED: [&str; 8] = [
    "src/main.rs",
    "src/load.rs",
    "src/split.rs",
    "src/scale.rs",
    "src/evaluate.rs",
    "src/report.rs",
    "data/README.md",
    "data/winequality-red.csv",
];

#[test]
fn the_source_tour_names_every_source_file_and_no_other() {
    let design = read("DESIGN.md");
    let tour = section(&design, "Source tour");
    let named: BTreeSet<&str> = quoted(tour).filter(|text| is_source_path(text)).collect();
    let there = files(&["src", "runtime/src"]);
    let there: BTreeSet<&str> = there.iter().map(String::as_str).collect();
    let missing: Vec<_> = there.difference(&named).collect();
    let absent: Vec<_> = named.difference(&there).collect();
    assert!(missing.is_empty(), "DESIGN.md does not name {missing:?}");
    assert!(absent.is_empty(), "DESIGN.md names what is not there: {absent:?}");
}

#[test]
fn no_message_has_text_as_rust_debugs_it() {
    for path in files(&["src"]) {
        if path.contains("/tests/") || path.ends_with("tests.rs") {
            continue;
        }
        let text = read(&path);
        let shipped = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in shipped.lines().enumerate() {
            let is_format = line
                .match_indices("?}")
                .any(|(at, _)| line[..at].rfind('{').is_some_and(|open| line[open..at].contains(':')));
            assert!(!is_format, "{path}:{} prints what Rust's Debug says", number + 1);
        }
    }
}

#[test]
fn the_glossary_has_every_word() {
    let design = read("DESIGN.md");
    let words = section(&design, "Words");
    for word in WORDS {
        assert!(words.contains(&format!("| **{word}**")), "DESIGN.md does not explain “{word}”");
    }
}

#[test]
fn what_is_tested_has_the_features_of_what_is_shipped() {
    let (shipped, tested) = (features("normal,no-proc-macro"), features("normal,dev,no-proc-macro"));
    assert!(shipped.len() > 100, "cargo tree lists {shipped:?}");
    let differing: Vec<_> = shipped
        .iter()
        .filter(|(package, features)| tested.get(*package) != Some(features))
        .collect();
    assert!(
        differing.is_empty(),
        "dev-dependencies turn on more features of {differing:?} than users get: name these in Cargo.toml"
    );
}

/// The features that cargo turns on along these kinds of dependency, by package. Those of procedural macros are left
/// out: they run in the compiler, not in the program.
fn features(kinds: &str) -> BTreeMap<String, String> {
    let arguments = [
        "tree",
        "--locked",
        "--workspace",
        "--prefix",
        "none",
        "--format",
        "{p}\t{f}",
        "--edges",
        kinds,
    ];
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    text.lines()
        .filter_map(|line| line.trim_end_matches(" (*)").split_once('\t'))
        .map(|(package, features)| (package.to_owned(), features.to_owned()))
        .collect()
}

#[test]
fn the_readme_and_the_ci_script_run_the_same_tests() {
    let readme = read("README.md");
    let command = readme
        .lines()
        .find(|line| line.starts_with("cargo test"))
        .expect("README.md has a test command");
    let command = command.split('#').next().unwrap_or_default().trim();
    let script = read(".ci/run");
    assert!(script.lines().any(|line| line == format!("run {command}")), ".ci/run does not run `{command}`");
}

#[test]
fn the_commands_page_has_the_table_of_exit_codes() {
    let page = read("docs/commands.md");
    let table = rows(section(&page, "Exit codes"));
    let codes: Vec<Vec<String>> = ExitCode::ALL
        .iter()
        .map(|code| vec![code.number().to_string(), code.meaning().to_owned()])
        .collect();
    assert_eq!(table, codes);
}

#[test]
fn the_documents_have_every_kind_of_difference() {
    let causes = cargo_repro::cause::KINDS.map(|(_, word)| word);
    for (page, title, kinds) in [
        ("docs/json.md", "Kinds of drift", &DRIFT_KINDS[..]),
        ("docs/json.md", "Kinds of divergence", &DIVERGENCE_KINDS[..]),
        ("docs/determinism.md", "Kinds of cause", &causes[..]),
        ("docs/releases.md", "Kinds of refusal", &REFUSAL_KINDS[..]),
    ] {
        let first = |row: Vec<String>| row[0].trim_matches('`').to_owned();
        let named: BTreeSet<String> = rows(section(&read(page), title)).into_iter().map(first).collect();
        let kinds: BTreeSet<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        assert_eq!(named, kinds, "{page}, “{title}”");
    }
}

#[test]
fn every_word_of_a_verdict_is_explained_and_no_other() {
    let schema: serde_json::Value =
        serde_json::from_str(&read("docs/messages.schema.json")).expect("the schema is JSON");
    let notes = schema["$defs"]["note-kind"]["enum"].as_array().expect("kinds of notes are listed");
    let lock_changes = schema["$defs"]["lock-change"]["properties"]["kind"]["enum"].as_array();
    let of_schema = notes.iter().chain(lock_changes.expect("so are changes of locks"));
    let mut words: BTreeSet<String> = of_schema.filter_map(|kind| kind.as_str().map(str::to_owned)).collect();
    let kinds = [&DRIFT_KINDS[..], &DIVERGENCE_KINDS[..], &REFUSAL_KINDS[..]].concat();
    words.extend(kinds.into_iter().map(str::to_owned));
    words.extend(cargo_repro::cause::KINDS.map(|(_, word)| word.to_owned()));
    words.extend(ExitCode::ALL.iter().map(|code| code.number().to_string()));
    let call = regex::Regex::new(r#"NotChecked::new\(\s*"([a-z-]+)""#).expect("a regular expression");
    for path in files(&["src"]).into_iter().filter(|path| path.ends_with(".rs")) {
        words.extend(call.captures_iter(&read(&path)).map(|found| found[1].to_owned()));
    }
    // Those that a variable names.
    words.extend(["process-entropy", "clock", "factors"].map(str::to_owned));
    let explained: BTreeSet<String> = explanation::all().iter().map(|found| found.word.to_owned()).collect();
    let missing: Vec<_> = words.difference(&explained).collect();
    let absent: Vec<_> = explained.difference(&words).collect();
    assert!(missing.is_empty(), "docs/kinds.md does not explain {missing:?}");
    assert!(absent.is_empty(), "docs/kinds.md explains what there is not: {absent:?}");
}

#[test]
fn every_manifest_in_the_documents_is_one() {
    let mut shown = BTreeSet::new();
    for page in pages() {
        let text = read(&page);
        for manifest in blocks(&text, "toml").filter(|text| text.contains("\n[stage.")) {
            shown.insert(page.clone());
            if let Err(error) = Manifest::from_text(manifest, &page) {
                panic!("{error}\n{}", error.context_lines().unwrap_or_default());
            }
        }
    }
    for page in ["README.md", "docs/manifest.md", "docs/programs.md"] {
        assert!(shown.contains(page), "{page} shows a manifest");
    }
}

/// The documents for people.
fn pages() -> Vec<String> {
    let mut pages: Vec<String> = files(&["docs"]).into_iter().filter(|path| path.ends_with(".md")).collect();
    pages.extend(
        [
            "README.md",
            "DESIGN.md",
            "CHANGELOG.md",
            "benches/README.md",
            "runtime/README.md",
        ]
        .map(str::to_owned),
    );
    pages
}

#[test]
fn every_link_in_the_documents_leads_to_a_page_and_to_a_heading_of_it() {
    let link = regex::Regex::new(r"\]\(([^)\s]+)\)").expect("a regular expression");
    for page in pages() {
        let text = read(&page);
        for target in link.captures_iter(&text).map(|found| found[1].to_owned()) {
            if target.contains("://") {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let place = root().join(&page);
            let place = if path.is_empty() {
                place
            } else {
                place.with_file_name("").join(path)
            };
            assert!(place.exists(), "{page} links to {path}, which is not there");
            if !anchor.is_empty() {
                let led = std::fs::read_to_string(&place).expect("a page");
                assert!(anchors(&led).contains(anchor), "{page} links to #{anchor}, and {path} has no such heading");
            }
        }
    }
}

/// As forges make them of headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let anchor = |line: &str| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    text.lines().filter(|line| line.starts_with('#')).map(anchor).collect()
}

#[test]
fn the_readme_is_short_and_every_page_is_one_click_from_it() {
    const LONGEST: usize = 12_000;
    let readme = read("README.md");
    assert!(readme.len() <= LONGEST, "README.md has {} bytes", readme.len());
    for page in pages().iter().filter(|page| page.starts_with("docs/")) {
        assert!(readme.contains(&format!("]({page})")), "README.md does not link to {page}");
    }
}

#[test]
fn no_source_file_is_too_long() {
    let long: Vec<String> = files(&["src"])
        .into_iter()
        .filter(|path| path.ends_with(".rs"))
        .map(|path| (read(&path).lines().count(), path))
        .filter(|(lines, _)| *lines > LONGEST)
        .map(|(lines, path)| format!("{path}: {lines}"))
        .collect();
    assert!(long.is_empty(), "longer than {LONGEST} lines: {long:?}");
}

#[test]
fn every_promise_of_the_threat_model_names_tests_that_there_are() {
    let model = read("docs/threat-model.md");
    let promises: Vec<&str> = model
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains("`") && line.contains("::"))
        .collect();
    assert!(promises.len() >= 15, "the promises are rows with the names of their tests");
    let tests = files(&["tests/cli"]);
    for promise in promises {
        for name in quoted(promise).filter(|text| text.contains("::")) {
            let (module, test) = name.rsplit_once("::").expect("it has them");
            let file = tests.iter().find(|path| path.ends_with(&format!("/{module}.rs")));
            let file = file.unwrap_or_else(|| panic!("there is no tests/cli/{module}.rs"));
            assert!(read(file).contains(&format!("fn {test}()")), "{file} has no test {test}");
        }
    }
}

/// Files of others are read through `src/os/bounded.rs`, which waits for no pipe and reads no device.
#[test]
fn every_file_is_read_within_bounds() {
    const ROOMS: [(&str, &str); 7] = [
        ("src/os/bounded.rs", "the room itself"),
        ("src/sandbox/", "files of the kernel's, and what the supervisor itself left"),
        ("src/trace/stack_sample.rs", "files of the kernel's"),
        (
            "src/release/attestation/passphrase.rs",
            "the user names it, and a pipe from a keyring is a usual way",
        ),
        ("src/release/attestation/key_file.rs", "the same, and it reads so many bytes and no more"),
        ("src/os/file_lock.rs", "a directory"),
        ("src/os/atomic.rs", "a directory"),
    ];
    let ways = [
        "fs::read(",
        "fs::read_to_string(",
        "File::open(",
        ".read_to_end(",
        ".read_to_string(",
    ];
    for path in files(&["src"]) {
        if !path.ends_with(".rs") || ROOMS.iter().any(|(room, _)| path.starts_with(room)) {
            continue;
        }
        let text = read(&path);
        let shipped = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let is_test = path.ends_with("/tests.rs") || path.contains("/tests/") || path.starts_with("src/template/");
        let found = ways.into_iter().filter(|way| !is_test && shipped.lines().any(|line| reads(line, way)));
        let found: Vec<&str> = found.collect();
        assert!(found.is_empty(), "{path}: {found:?} has no bounds; src/os/bounded.rs has the functions for it");
    }
}

fn reads(line: &str, way: &str) -> bool {
    line.contains(way) && !line.trim_start().starts_with("//")
}

#[test]
fn a_program_that_links_the_runtime_gets_at_most_three_dependencies() {
    let manifest: toml::Table = read("runtime/Cargo.toml").parse().expect("runtime/Cargo.toml is TOML");
    let mut lists: Vec<&toml::Table> = tables(&manifest);
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    lists.extend(
        targets
            .iter()
            .flat_map(|targets| targets.values())
            .filter_map(toml::Value::as_table)
            .flat_map(tables),
    );
    assert!(!lists.is_empty());
    for list in lists {
        let is_optional = |value: &&toml::Value| value.get("optional").and_then(toml::Value::as_bool) == Some(true);
        let count = list.values().filter(|value| !is_optional(value)).count();
        assert!(count <= 3, "{count} dependencies: {list}");
    }
}

/// What a program is built from; dev-dependencies do not reach it.
fn tables(manifest: &toml::Table) -> Vec<&toml::Table> {
    let names = ["dependencies", "build-dependencies"];
    names.iter().filter_map(|name| manifest.get(*name)?.as_table()).collect()
}

#[test]
fn the_wine_programs_differ_in_the_model_alone() {
    let of = |folder: &str| -> BTreeSet<String> {
        files(&[folder]).into_iter().map(|path| path[folder.len()..].to_owned()).collect()
    };
    for fixture in ["wine-forest", "wine-smartcore"] {
        let folder = format!("fixtures/programs/{fixture}");
        for path in SHARED {
            let template = std::fs::read(root().join("src/template").join(path)).expect(path);
            let shared = std::fs::read(root().join(&folder).join(path)).expect(path);
            assert!(template == shared, "{path} of the template is not that of {fixture}");
        }
        assert_eq!(of("src/template/src"), of(&format!("{folder}/src")));
    }
    assert_eq!(read("src/template/src/model.rs"), read("fixtures/programs/wine-forest/src/model.rs"));
}

#[test]
fn the_changelog_begins_with_the_version_of_the_package() {
    let changelog = read("CHANGELOG.md");
    let top = changelog
        .lines()
        .find_map(|line| line.strip_prefix("## ["))
        .expect("CHANGELOG.md has a version");
    let version = top.split(']').next().unwrap_or_default();
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file below these folders, by its path from the root.
fn files(folders: &[&str]) -> Vec<String> {
    let mut waiting: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    let mut found = Vec::new();
    while let Some(directory) = waiting.pop() {
        for entry in std::fs::read_dir(&directory).expect("a folder of the repository") {
            let path = entry.expect("its entry").path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let inner = path.strip_prefix(root()).expect("it is below the root");
                found.push(inner.to_str().expect("names are UTF-8").to_owned());
            }
        }
    }
    found.sort();
    found
}

fn is_source_path(text: &str) -> bool {
    let inside = text.starts_with("src/") || text.starts_with("runtime/src/");
    inside && !text.ends_with('/')
}

/// What stands under a heading, of whatever level, up to the next one that is not below it.
fn section<'a>(text: &'a str, title: &str) -> &'a str {
    let level = |line: &str| line.len() - line.trim_start_matches('#').len();
    let is_it = |line: &str| level(line) > 0 && line.trim_start_matches('#').trim() == title;
    let mut at = 0;
    let mut begin = None;
    let mut in_block = false;
    for line in text.split_inclusive('\n') {
        in_block ^= line.starts_with("```");
        match begin {
            None if !in_block && is_it(line) => begin = Some((at + line.len(), level(line))),
            Some((start, above)) if !in_block && (1..=above).contains(&level(line)) => return &text[start..at],
            _ => {}
        }
        at += line.len();
    }
    let (start, _) = begin.unwrap_or_else(|| panic!("no section “{title}”"));
    &text[start..]
}

/// The rows of a section's tables without their heads.
fn rows(section: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        line.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let mut rows = Vec::new();
    let mut in_table = false;
    for line in section.lines() {
        let is_rule = line.starts_with("|-");
        if in_table && line.starts_with('|') {
            rows.push(cells(line));
        }
        in_table = is_rule || in_table && line.starts_with('|');
    }
    rows
}

/// Everything between single backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// The fenced blocks of a language.
fn blocks<'a>(text: &'a str, language: &str) -> impl Iterator<Item = &'a str> {
    let fence = format!("\n```{language}\n");
    let starts: Vec<usize> = text.match_indices(&fence).map(|(at, _)| at + fence.len()).collect();
    starts.into_iter().map(|start| {
        let rest = &text[start..];
        &rest[..rest.find("\n```").map_or(rest.len(), |end| end + 1)]
    })
}

/// Rooms that still lead to one another in a circle. Whoever opens it takes them out here; none may come.
const IN_A_CIRCLE: [&str; 22] = [
    "cache",
    "cause",
    "ci",
    "cli",
    "compare",
    "console",
    "diagnose",
    "document",
    "error",
    "explanation",
    "history",
    "inspect",
    "lockfile",
    "os",
    "outcome",
    "project",
    "release",
    "report",
    "run",
    "snapshot",
    "trace",
    "verdict",
];

#[test]
fn rooms_use_only_what_lies_below_them() {
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in files(&["src"]) {
        let is_apart = path.contains("/tests/") || path.ends_with("/tests.rs") || path.starts_with("src/template/src");
        if !path.ends_with(".rs") || is_apart || ["src/lib.rs", "src/main.rs"].contains(&path.as_str()) {
            continue;
        }
        let text = read(&path);
        let shipped = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let code = shipped.lines().filter(|line| !line.trim_start().starts_with("//"));
        let named = code.flat_map(|line| line.split("crate::").skip(1));
        let rooms = named.map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default());
        let own = path["src/".len()..].split(['/', '.']).next().unwrap_or_default().to_owned();
        let others: BTreeSet<String> =
            rooms.filter(|room| *room != own && !room.is_empty()).map(str::to_owned).collect();
        uses.entry(own).or_default().extend(others);
    }
    let leads_to = |from: &str, to: &str| {
        let (mut waiting, mut seen) = (vec![from], BTreeSet::new());
        while let Some(room) = waiting.pop() {
            for next in uses.get(room).into_iter().flatten().filter(|next| seen.insert(next.as_str())) {
                waiting.push(next);
            }
        }
        seen.contains(to)
    };
    let in_a_circle: Vec<&str> = uses.keys().map(String::as_str).filter(|room| leads_to(room, room)).collect();
    assert_eq!(in_a_circle, IN_A_CIRCLE, "{uses:#?}");
}
