//! What only a browser can say: that a page fits a desk and a phone, asks for nothing, and complains of nothing.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::{broken, eight, page};
use crate::support::Project;
use crate::support::release::PLAIN;

/// Widths of a desk and of a phone.
const WIDTHS: [u32; 2] = [1280, 375];

/// A browser; if there is none, says that the test was skipped.
#[allow(clippy::disallowed_macros, reason = "a test that was skipped must say so loudly")]
fn chromium(test: &str) -> Option<PathBuf> {
    let given = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let names = ["chromium", "chromium-browser", "google-chrome"].map(PathBuf::from);
    let works = |program: &PathBuf| {
        Command::new(program)
            .arg("--version")
            .output()
            .is_ok_and(|output| output.status.success())
    };
    let found = given.into_iter().chain(names).find(works);
    if found.is_none() {
        eprintln!("SKIPPED {test}: no chromium here; CHROMIUM names one, and .ci/run installs it where it can");
    }
    found
}

/// Runs it without a window, with a profile of its own.
fn browse(chromium: &Path, scratch: &Path, file: &Path, more: &[&str]) -> Output {
    let profile = tempfile::tempdir_in(scratch).unwrap();
    let output = Command::new(chromium)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-sync",
            "--disable-dev-shm-usage",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--enable-logging=stderr",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(more)
        .arg(format!("file://{}", file.display()))
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    // Errors of scripts, refusals by the page's policy, and mistakes in its markup are told there.
    assert!(!stderr.contains(":CONSOLE"), "{stderr}");
    output
}

/// The page in a frame of that width, and a script that tells how wide what is in it is, what reaches over its edge,
/// and how much was asked for. The page itself has none, and allows none.
fn measuring(page: &str, width: u32) -> String {
    let page = page.replace('&', "&amp;").replace('"', "&quot;");
    format!(
        r#"<!DOCTYPE html><meta charset="utf-8"><pre id="told"></pre>
<script>
function tell(event) {{
  const inner = event.target.contentWindow, root = inner.document.documentElement;
  const over = [...inner.document.querySelectorAll("body *")].filter(element =>
    element.getBoundingClientRect().right > root.clientWidth + 1 && !element.closest(".visually-hidden, thead, pre[tabindex] *"));
  document.getElementById("told").textContent = "told " + JSON.stringify({{
    width: root.clientWidth, content: root.scrollWidth, height: root.scrollHeight,
    over: over.map(element => element.outerHTML.slice(0, 200)),
    asked: inner.performance.getEntriesByType("resource").map(entry => entry.name),
    sections: inner.document.querySelectorAll("main > section").length,
    font: Math.min(...[...inner.document.querySelectorAll("p, td, th, text, dd")].map(element =>
      parseFloat(inner.getComputedStyle(element).fontSize))),
  }});
}}
</script>
<iframe width="{width}" height="800" style="border:0" onload="tell(event)" srcdoc="{page}"></iframe>
"#
    )
}

#[track_caller]
fn looks_right(chromium: &Path, scratch: &Path, name: &str, page: &str) {
    let file = scratch.join(format!("{name}.html"));
    std::fs::write(&file, page).unwrap();
    let pdf = scratch.join(format!("{name}.pdf"));
    browse(chromium, scratch, &file, &[&format!("--print-to-pdf={}", pdf.display())]);
    assert!(std::fs::read(&pdf).unwrap().starts_with(b"%PDF"));
    for width in WIDTHS {
        let measuring = measuring(page, width);
        let file = scratch.join(format!("{name}-{width}.html"));
        std::fs::write(&file, measuring).unwrap();
        let output = browse(chromium, scratch, &file, &["--window-size=1600,1000", "--dump-dom"]);
        let dom = String::from_utf8(output.stdout).unwrap();
        let told = dom.split("told {").nth(1).and_then(|rest| rest.split("</pre>").next());
        let told = told.unwrap_or_else(|| panic!("{name}: nothing was told:\n{}", &dom[..dom.len().min(500)]));
        // What is told stands in the document as text.
        let told = format!("{{{told}").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        assert!(told["content"].as_u64() <= told["width"].as_u64(), "{name} at {width}: {told:#}");
        assert_eq!(told["over"], serde_json::json!([]), "{name} at {width}");
        assert_eq!(told["asked"], serde_json::json!([]), "{name} at {width}");
        assert!(told["font"].as_f64() >= Some(12.0), "{name} at {width}: text of {} px", told["font"]);
        assert!(told["sections"].as_u64() >= Some(6), "{name} at {width}: {told:#}");
    }
}

#[test]
fn pages_fit_a_desk_and_a_phone_and_ask_for_nothing() {
    let Some(chromium) = chromium("pages_fit_a_desk_and_a_phone_and_ask_for_nothing") else {
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    let look = |name: &str, page: &str| looks_right(&chromium, scratch.path(), name, page);

    let project = eight();
    look("reproduced", &page(&project, &["verify"], 0));
    // One word without a place to break, and markup in it.
    let long = format!("nothing{}<script>alert(1)</script>", "-x\u{301}ß".repeat(300));
    project.write(&format!("data/{}", "w".repeat(200)), "1\n");
    project.edit("repro.toml", "depth = 3", &format!("depth = '{long}'"));
    look("drifted", &page(&project, &["verify"], 3));
    look("failed", &page(&broken(), &["verify"], 5));

    let switch = Project::recorded("switch");
    switch.write("../switch.txt", "other-accuracy");
    look("diverged", &page(&switch, &["verify"], 4));

    let gated = Project::gated(PLAIN);
    gated.git(&["tag", "v0.1.0"]);
    look("refused", &page(&gated, &["gate", "v0.1.0"], 8));
}
