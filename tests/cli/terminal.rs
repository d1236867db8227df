//! What somebody sees who sits before a terminal: narrow and wide, without colour, without a cursor to move; and
//! what becomes of it when nobody reads on.

use crate::interruption::{GOOD, WAIT, go_on, script};
use crate::support::Project;
use crate::support::terminal::{Ended, Terminal};

/// How the live line of a training begins.
const LIVE: &str = "    Training train [";

impl Ended {
    /// Asserts the exit code, and that nothing is left of what was drawn on the way.
    #[track_caller]
    fn is_clean(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{}", self.text);
        assert!(!self.text.contains(LIVE) && !self.text.contains("Building "), "{}", self.text);
        assert!(!self.hides_cursor && self.column == 0, "{}", self.text);
        self
    }

    /// Whether the stream holds a colour, or another attribute of letters.
    fn is_styled(&self) -> bool {
        let text = String::from_utf8_lossy(&self.raw);
        regex::Regex::new("\x1b\\[[0-9;]*m").unwrap().is_match(&text)
    }

    fn is_redrawn(&self) -> bool {
        self.raw.contains(&0x1b)
    }
}

/// A training that speaks, is silent for a while, and speaks at length.
fn slow() -> Project {
    let words = "epoch 2: loss 0.25 and more of it than any narrow terminal could ever show in one row of its own";
    script(&format!("echo epoch 1: loss 0.31\n{WAIT}echo {words}\n{WAIT}{GOOD}"))
}

#[test]
fn a_training_has_a_live_line_that_fits_and_leaves_no_trace() {
    for columns in [60, 200] {
        let project = slow();
        let mut terminal = Terminal::start(&project, columns, &["record"], &[]);
        assert!(terminal.wait_for("s] epoch 1").starts_with(LIVE));
        go_on(&project);
        let row = terminal.wait_for("s] epoch 2");
        let drawn = terminal.rows().iter().filter(|row| row.starts_with(LIVE)).count();
        assert_eq!(drawn, 1);
        assert_eq!(row.ends_with('…'), columns == 60, "{row}");
        assert!(row.chars().count() < columns.into(), "{row}");
        go_on(&project);
        let ended = terminal.end();
        ended.is_clean(0);
        assert!(ended.is_styled());
        insta::assert_snapshot!(format!("a_training_at_{columns}_columns"), ended.redacted);
    }
}

#[test]
fn the_live_line_follows_a_terminal_that_gets_narrower() {
    let project = script(&format!("echo {}\n{WAIT}{GOOD}", "word ".repeat(30)));
    let mut terminal = Terminal::start(&project, 200, &["record"], &[]);
    assert!(!terminal.wait_for("s] word").ends_with('…'));
    terminal.resize(50);
    assert!(terminal.wait_for("…").chars().count() < 50);
    go_on(&project);
    terminal.end().is_clean(0);
}

#[test]
fn a_build_has_a_live_line_with_what_cargo_said_last_and_no_colour_where_none_is_wanted() {
    let project = Project::fixture("steady");
    project.write("build.rs", "fn main() { std::thread::sleep(std::time::Duration::from_secs(2)); }\n");
    project.commit("slow to build");
    let mut terminal = Terminal::start(&project, 60, &["record"], &[("NO_COLOR", "1")]);
    let row = terminal.wait_for("s] Compiling steady v0.1.0");
    assert!(row.starts_with("    Building steady ["), "{row}");
    let ended = terminal.end();
    ended.is_clean(0);
    assert!(!ended.is_styled(), "{:?}", String::from_utf8_lossy(&ended.raw));
    assert!(ended.text.contains("   Compiling steady v0.1.0"), "{}", ended.text);
}

#[test]
fn in_a_dumb_terminal_or_in_ci_no_line_is_drawn_anew() {
    let ended = |project: &Project, args: &[&str], variables: &[(&str, &str)]| {
        let ended = Terminal::start(project, 60, args, variables).end();
        ended.is_clean(0);
        assert!(!String::from_utf8_lossy(&ended.raw).contains(LIVE));
        ended
    };
    let project = script(&format!("printf '\\033[31mred\\033[0m, '; sleep 1.3; echo and then\n{GOOD}"));
    let dumb = ended(&project, &["record"], &[("TERM", "dumb")]);
    assert!(!dumb.is_redrawn());
    assert!(dumb.text.contains("red, and then\n"), "{}", dumb.text);
    let both = ended(&project, &["record"], &[("TERM", "dumb"), ("CI", "true")]);
    assert!(!both.is_redrawn());
    let nameless = ended(&project, &["record"], &[("TERM", "")]);
    assert!(!nameless.is_redrawn());
    let ci = ended(&project, &["record"], &[("CI", "true")]);
    assert!(ci.is_styled() && !String::from_utf8_lossy(&ci.raw).contains("\x1b[J"));
    let quiet = ended(&project, &["record", "--quiet"], &[]);
    assert!(!quiet.text.contains("red, "), "{}", quiet.text);
    let json = ended(&project, &["record", "--message-format", "json"], &[]);
    assert!(!json.is_redrawn());
}

#[test]
fn colours_are_as_the_flag_says_then_as_the_environment_does() {
    let project = Project::recorded("steady");
    let styled = |args: &[&str], variables: &[(&str, &str)]| {
        let ended = Terminal::start(&project, 80, args, variables).end();
        assert_eq!(ended.code, Some(0), "{}", ended.text);
        ended.is_styled()
    };
    let show = ["show"];
    assert!(styled(&show, &[]));
    assert!(!styled(&show, &[("NO_COLOR", "1")]));
    assert!(!styled(&show, &[("TERM", "dumb")]));
    assert!(!styled(&["show", "--color", "never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(styled(&["show", "--color", "always"], &[("NO_COLOR", "1")]));
    assert!(styled(&["show", "--color", "always"], &[("TERM", "dumb")]));
    assert!(styled(&show, &[("TERM", "dumb"), ("CLICOLOR_FORCE", "1")]));
    let piped = |name: &str| {
        let mut command = project.command(&show);
        command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env(name, "1");
        project.answer(&mut command).stdout.contains('\x1b')
    };
    assert!(piped("CLICOLOR_FORCE"));
    assert!(!piped("TERM"));
}

#[test]
fn help_and_refusals_follow_the_colours_that_are_asked_for() {
    let project = Project::empty();
    for (args, variables, code, is_styled) in [
        (&["--help"][..], &[][..], 0, true),
        (&["--color", "never", "--help"], &[], 0, false),
        (&["verify", "--help", "--color=never"], &[], 0, false),
        (&["--help"], &[("NO_COLOR", "1")], 0, false),
        (&["--help"], &[("TERM", "dumb")], 0, false),
        (&["verify", "--no-such-flag"], &[], 2, true),
        (&["verify", "--no-such-flag", "--color=never"], &[], 2, false),
    ] {
        let ended = Terminal::start(&project, 80, args, variables).end();
        assert_eq!(ended.code, Some(code), "{args:?}: {}", ended.text);
        assert_eq!(ended.is_styled(), is_styled, "{args:?} {variables:?}: {}", ended.text);
    }
    let piped = project.repro(&["--color", "always", "--help"]);
    assert!(piped.stdout.contains("\u{1b}["), "{}", piped.stdout);
}

#[test]
fn hashing_for_long_has_a_bar_that_fits_and_leaves_no_trace() {
    for columns in [60, 200] {
        let project = Project::empty();
        // Of a file that is all holes, the disk has nothing.
        std::fs::File::create(project.root.join("large.bin")).unwrap().set_len(12 << 30).unwrap();
        let mut terminal = Terminal::start(&project, columns, &["hash", "large.bin"], &[]);
        let row = terminal.wait_for("     Hashing [");
        assert!(row.contains("GiB") && row.chars().count() < columns.into(), "{row}");
        terminal.press(&[3]);
        let ended = terminal.end();
        assert_eq!(ended.code, Some(130), "{}", ended.text);
        assert!(!ended.text.contains("Hashing"), "{}", ended.text);
    }
}

#[test]
fn a_programs_own_progress_is_shown_in_the_live_line_and_its_last_form_above() {
    let project = script(&format!(
        "printf 'load 10%%\\rload 20%%\\r'\n{WAIT}printf '\\rload 90%%'\n{WAIT}printf '\\rloaded  \\n'\n\
         printf 'one, '; sleep 0.3; echo two\nprintf 'no end'\n{GOOD}"
    ));
    let mut terminal = Terminal::start(&project, 60, &["record"], &[]);
    assert!(terminal.wait_for("s] load 20%").starts_with(LIVE));
    go_on(&project);
    terminal.wait_for("s] load 90%");
    go_on(&project);
    let ended = terminal.end();
    ended.is_clean(0);
    let from = ended.text.find("    Training train\n").unwrap();
    assert!(ended.text[from..].starts_with("    Training train\nloaded\none, two\nno end\n"), "{}", ended.text);
    assert!(!ended.text.contains('%'), "{}", ended.text);
}

#[test]
fn a_program_cannot_move_in_the_terminal_or_colour_what_follows() {
    let project = script(&format!(
        "printf '\\033[2J\\033[9Aup\\007\\n\\033[31mred\\n\\033]0;title\\007\\033[?25l\\033(0plain\\n'\n{WAIT}{GOOD}"
    ));
    let mut terminal = Terminal::start(&project, 60, &["record"], &[]);
    let row = terminal.wait_for("s] plain");
    assert!(row.starts_with(LIVE) && row.ends_with("s] plain"), "{row}");
    go_on(&project);
    let ended = terminal.end();
    ended.is_clean(0);
    assert!(ended.text.contains("    Training train\nup\nred\nplain\n"), "{}", ended.text);
    let raw = String::from_utf8_lossy(&ended.raw);
    assert!(raw.contains("\x1b[31mred\x1b[0m\r\n"), "{raw:?}");
    assert!(!raw.contains("title") && !raw.contains("\x1b[2J"), "{raw:?}");
}

#[test]
fn ctrl_c_leaves_a_clean_screen() {
    for wait in ["s] half a line", "half a line"] {
        let project = script("printf 'half a line'; sleep 60\n");
        let mut terminal = Terminal::start(&project, 60, &["record"], &[]);
        terminal.wait_for(wait);
        terminal.press(b"\x03");
        let ended = terminal.end();
        ended.is_clean(130);
        assert!(ended.text.ends_with("\nhalf a line\nerror: interrupted\n"), "{}", ended.text);
    }
}

#[test]
fn results_are_as_wide_as_a_narrow_terminal_and_the_same_everywhere_else() {
    let project = Project::recorded("steady");
    project.write("data/numbers.csv", "1\n2\n3\n");
    project.write("long.csv", "total sulfur dioxide,fixed acidity\n1.5,2.5\n");
    for args in [
        ["show", ""].as_slice(),
        &["log", "--metric=accuracy"],
        &["log"],
        &["status"],
        &["hash", "data"],
        &["hash", "long.csv"],
        &["explain-code"],
        &["explain-code", "data-changed"],
        &["diff", "HEAD", "repro.lock"],
    ] {
        let args: Vec<&str> = args.iter().copied().filter(|arg| !arg.is_empty()).collect();
        let piped = project.repro(&args);
        let wide = Terminal::start(&project, 200, &args, &[]).end();
        assert_eq!(wide.code, piped.code);
        assert_eq!(wide.text, piped.stdout.trim_end().to_owned() + "\n", "{args:?}");
        let narrow = Terminal::start(&project, 60, &args, &[]).end();
        assert_eq!(narrow.code, piped.code);
        for line in String::from_utf8_lossy(&narrow.raw).lines() {
            let plain = anstream::adapter::strip_str(line).to_string();
            let fits = plain.trim_end().chars().count() <= 60;
            let is_broken_as_can_be = plain.split(' ').any(|word| word.len() > 40);
            assert!(fits || is_broken_as_can_be, "{args:?}: {plain}");
        }
    }
}

#[test]
fn nobody_reading_on_changes_no_exit_code_and_is_no_error() {
    let project = Project::recorded_as("steady-script", || script(GOOD)); // compiles nothing
    let drifted = Project::copy_of(&project.root);
    drifted.write("data/numbers.csv", "9\n");
    for (project, args, code) in [
        (&project, ["show"].as_slice(), 0),
        (&project, &["log"], 0),
        (&project, &["hash", "--files", "data"], 0),
        (&project, &["hash", "data", "--message-format", "json"], 0),
        (&project, &["status"], 0),
        (&project, &["completions", "bash"], 0),
        (&project, &["explain-code"], 0),
        (&project, &["--help"], 0),
        (&project, &["--version"], 0),
        (&project, &["record", "--bogus"], 2),
        (&project, &["verify", "--message-format", "json"], 0),
        (&drifted, &["verify"], 3),
        (&drifted, &["verify", "--message-format", "json"], 3),
    ] {
        let closed = || {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            writer
        };
        let answer = project.answer(project.command(args).stdout(closed()));
        answer.code(code);
        let said = &answer.stderr;
        assert!(!said.contains("panicked") && (code == 2 || !said.contains("error")), "{args:?}: {said}");
        project.answer(project.command(args).stderr(closed())).code(code);
        project.answer(project.command(args).stdout(closed()).stderr(closed())).code(code);
    }
}

#[test]
fn what_is_silent_for_long_still_has_its_live_line() {
    let project = script(&format!("sleep 1.2\n{GOOD}"));
    let args = ["vary", "--only", "user"];
    let mut terminal = Terminal::start(&project, 60, &args, &[]);
    let row = terminal.wait_for(LIVE);
    assert!(row.ends_with("s]"), "{row}");
    terminal.end().is_clean(0);
}
