//! The manual pages in `man/`, held against the command line's declaration. `UPDATE_MAN=1 cargo test --test man`
//! writes them.
#![allow(
    clippy::disallowed_methods,
    reason = "whoever wants the pages written says so by a variable"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cargo_repro::cli::args::Args;
use cargo_repro::exit_code::ExitCode;
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

const HOW: &str = "`UPDATE_MAN=1 cargo test --test man` writes the pages anew";

/// Every page by the name of its file.
fn pages() -> BTreeMap<String, String> {
    let mut command = Args::command().disable_help_subcommand(true);
    // Flags that every command takes come to each.
    command.build();
    let mut pages = BTreeMap::new();
    add(&command, &[], &mut pages);
    pages
}

fn add(command: &Command, above: &[&str], pages: &mut BTreeMap<String, String>) {
    let mut path = above.to_vec();
    path.push(if above.is_empty() {
        "cargo-repro"
    } else {
        command.get_name()
    });
    pages.insert(format!("{}.1", path.join("-")), page(command, &path));
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        add(inner, &path, pages);
    }
}

fn page(command: &Command, path: &[&str]) -> String {
    let name = path.join("-");
    let renamed = command
        .clone()
        .name(name.clone())
        .display_name(name.clone())
        .bin_name(path.join(" ").replacen("cargo-repro", "cargo repro", 1))
        .disable_help_subcommand(true);
    let has_inner = renamed.get_subcommands().next().is_some();
    let man = Man::new(renamed)
        .title(name)
        .section("1")
        .date("")
        .source(format!("cargo repro {}", env!("CARGO_PKG_VERSION")))
        .manual("cargo repro");
    let mut text = Vec::new();
    let mut written = vec![
        man.render_title(&mut text),
        man.render_name_section(&mut text),
        man.render_synopsis_section(&mut text),
        man.render_description_section(&mut text),
        man.render_options_section(&mut text),
    ];
    if has_inner {
        written.push(man.render_subcommands_section(&mut text));
    }
    let mut rest = Roff::new();
    if path.len() > 1 {
        after(command, &mut rest);
    }
    exit_status(&mut rest);
    see_also(command, path, &mut rest);
    written.push(rest.to_writer(&mut text));
    assert!(written.into_iter().all(|result| result.is_ok()), "memory takes every page");
    escaped(&String::from_utf8(text).expect("the command line is declared in UTF-8"))
}

/// Troff itself reads one byte a letter.
fn escaped(text: &str) -> String {
    let escape = |letter: char| match letter {
        _ if letter.is_ascii() => letter.to_string(),
        _ => format!("\\[u{:04X}]", u32::from(letter)),
    };
    text.chars().map(escape).collect()
}

/// What stands after the flags, such as the examples, line by line as it is.
fn after(command: &Command, page: &mut Roff) {
    let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let (title, body) = text.split_once(":\n").expect("help ends with a title and what stands under it");
    page.control("SH", [title.to_uppercase().as_str()]);
    page.control("nf", []);
    for line in body.lines() {
        page.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
    }
    page.control("fi", []);
}

fn exit_status(page: &mut Roff) {
    page.control("SH", ["EXIT STATUS"]);
    for code in ExitCode::ALL {
        page.control("TP", []);
        page.text([bold(code.number().to_string())]);
        page.text([roman(code.meaning())]);
    }
}

fn see_also(command: &Command, path: &[&str], page: &mut Roff) {
    let mut others: BTreeSet<String> = BTreeSet::from(["cargo(1)".to_owned(), "git(1)".to_owned()]);
    if path.len() > 1 {
        others.insert(format!("{}(1)", path[..path.len() - 1].join("-")));
        others.insert("cargo-repro(1)".to_owned());
    }
    let inner = command.get_subcommands().filter(|inner| !inner.is_hide_set() && path.len() > 1);
    others.extend(inner.map(|inner| format!("{}-{}(1)", path.join("-"), inner.get_name())));
    page.control("SH", ["SEE ALSO"]);
    let list: Vec<String> = others.into_iter().collect();
    page.text([roman(list.join(", "))]);
}

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("man")
}

#[test]
fn the_manual_pages_are_those_of_the_command_line() {
    let pages = pages();
    let directory = directory();
    let there = || -> BTreeSet<String> {
        let entries = std::fs::read_dir(&directory).into_iter().flatten();
        entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect()
    };
    if std::env::var_os("UPDATE_MAN").is_some() {
        std::fs::create_dir_all(&directory).expect("the repository can be written");
        for name in there().iter().filter(|name| !pages.contains_key(*name)) {
            std::fs::remove_file(directory.join(name)).expect("the repository can be written");
        }
        for (name, text) in &pages {
            std::fs::write(directory.join(name), text).expect("the repository can be written");
        }
    }
    assert_eq!(there(), pages.keys().cloned().collect(), "{HOW}");
    for (name, text) in &pages {
        let found = std::fs::read_to_string(directory.join(name)).expect("it is there");
        assert!(found == *text, "man/{name} is not what the command line says; {HOW}");
    }
}

#[test]
fn every_page_has_its_sections_and_names_pages_that_are_there() {
    let pages = pages();
    assert!(
        pages.len() > 20 && pages.contains_key("cargo-repro-verify.1") && pages.contains_key("cargo-repro-key-new.1")
    );
    assert!(!pages.contains_key("cargo-repro-hook-run.1"), "what only git runs has no page");
    for (name, text) in &pages {
        for section in [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "OPTIONS",
            "\"EXIT STATUS\"",
            "\"SEE ALSO\"",
        ] {
            assert!(text.contains(&format!(".SH {section}\n")), "{name} has no {section}:\n{text}");
        }
        let plain = text.replace("\\-", "-").replace("\\fR", "").replace("\\fB", "");
        let named = plain.split(|letter: char| letter.is_whitespace() || letter == ',');
        for page in named
            .filter_map(|word| word.strip_suffix("(1)"))
            .filter(|page| page.starts_with("cargo-"))
        {
            assert!(pages.contains_key(&format!("{page}.1")), "{name} names {page}(1)");
        }
    }
}
