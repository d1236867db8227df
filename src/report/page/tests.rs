//! The page, read back as browsers read it: nothing that others wrote acts in it, it is whole and short whatever
//! there is to say, and the same for the same facts.

mod hostile;
mod long;
mod state;

use std::collections::BTreeSet;
use std::time::Duration;

use scraper::{ElementRef, Html, Selector};

use super::page;
use crate::error::Error;
use crate::history::{Change, Entry, History, Recorded};
use crate::lockfile::{Lockfile, Read};
use crate::report::report_data::{ReportData, items};
use crate::snapshot::Platform;
use crate::timing::{Step, Timing};
use crate::verdict::{Verdict, Word};

/// The sample of a lock that stays in the repository.
pub(super) fn sample() -> Read {
    Lockfile::from_text(include_str!("../../../fixtures/lockfiles/v1.lock"), "v1.lock").unwrap()
}

/// The same after an edit, with the id that it would have.
pub(super) fn edited(edit: impl FnOnce(&mut Lockfile)) -> Read {
    let mut lock = sample().lock;
    edit(&mut lock);
    let id = lock.id();
    Read {
        lock,
        id,
        actual_id: id,
    }
}

/// All that a page is made of, with nothing borrowed.
pub(super) struct Case {
    pub(super) judged: Result<Verdict, Error>,
    pub(super) lock: Option<Read>,
    pub(super) platform: Option<Platform>,
    pub(super) history: Vec<Entry>,
    pub(super) package: String,
    pub(super) timings: Vec<Timing>,
}

impl Case {
    /// A verdict on the sample.
    pub(super) fn of(word: Word) -> Self {
        let lock = sample();
        let mut verdict = Verdict::new(word, "1".repeat(40));
        verdict.lock = Some(lock.id);
        Self {
            judged: Ok(verdict),
            platform: Some(lock.lock.snapshot.platform.clone()),
            lock: Some(lock),
            history: Vec::new(),
            package: "wine-forest".to_owned(),
            timings: vec![Timing {
                step: Step::Inputs,
                took: Duration::from_millis(1500),
            }],
        }
    }

    pub(super) fn verdict(&mut self) -> &mut Verdict {
        self.judged.as_mut().unwrap()
    }

    pub(super) fn page(self) -> String {
        let facts = ReportData {
            command: "verify",
            repeat: "cargo repro verify".to_owned(),
            package: self.package,
            commit: None,
            judged: self.judged.as_ref(),
            lock: self.lock.as_ref(),
            platform: self.platform.as_ref(),
            timings: &self.timings,
            items: items(self.judged.as_ref(), self.lock.as_ref(), None),
            history: History {
                entries: self.history,
                is_shallow: false,
            },
        };
        page(&facts)
    }
}

/// A lock of the history that follows the one before it; 86,400 seconds are a day.
pub(super) fn entry(at: usize, read: Result<Read, String>) -> Entry {
    Entry {
        commit: format!("{at:040x}"),
        time: 1_700_000_000 + 86_400 * i64::try_from(at).unwrap(),
        tags: if at % 4 == 3 {
            vec![format!("v0.{at}")]
        } else {
            Vec::new()
        },
        read: read.map(|read| Recorded::from(&read)),
        path: None,
        before: at.checked_sub(1).map(|before| format!("{before:040x}")),
        change: Change::Unknown,
    }
}

/// The text of every element that a selector finds.
pub(super) fn texts(page: &str, selector: &str) -> Vec<String> {
    let selector = Selector::parse(selector).unwrap();
    let document = Html::parse_document(page);
    document.select(&selector).map(|element| element.text().collect()).collect()
}

/// What must hold of every page there can be.
#[track_caller]
pub(super) fn holds(page: &str) {
    const ELEMENTS: &str = "b bdi body br circle code dd defs desc details div dl dt figcaption figure footer g h1 h2 h3 \
        head header html i li line main meta ol p path pre rect section span strong style summary svg table tbody td \
        text th thead title tr ul use";
    const ATTRIBUTES: &str = "aria-hidden aria-labelledby charset class colspan content cx cy d data-label dy focusable \
        height href http-equiv id lang name r role scope tabindex text-anchor title viewBox width x x1 x2 y y1 y2";
    assert!(page.len() < 300_000, "{} bytes", page.len());
    assert!(page.starts_with("<!DOCTYPE html>"));
    let document = Html::parse_document(page);
    assert_eq!(document.errors, [""; 0], "the parser had to mend something");
    let (elements, attributes): (BTreeSet<_>, BTreeSet<_>) = (words(ELEMENTS), words(ATTRIBUTES));
    let all = Selector::parse("*").unwrap();
    let mut ids = BTreeSet::new();
    let mut level = 0;
    for element in document.select(&all).map(|element| element.value()) {
        assert!(elements.contains(element.name()), "<{}>", element.name());
        for (name, value) in element.attrs() {
            assert!(attributes.contains(name), "<{} {name}={value:?}>", element.name());
            assert!(name != "href" || value.starts_with('#'), "{value}");
            assert!(name != "id" || ids.insert(value.to_owned()), "two of {value}");
        }
        let heading = element.name().strip_prefix('h').and_then(|level| level.parse::<u32>().ok());
        if let Some(heading) = heading {
            assert!(heading <= level + 1, "a heading is left out before h{heading}");
            level = heading;
        }
    }
    assert_eq!(document.select(&Selector::parse("style").unwrap()).count(), 1);
    for name in ["aria-labelledby", "href"] {
        let labelled = Selector::parse(&format!("[{name}]")).unwrap();
        let named = |element: ElementRef<'_>| element.attr(name).unwrap().to_owned();
        for id in document
            .select(&labelled)
            .map(named)
            .flat_map(|ids| ids.split(' ').map(str::to_owned).collect::<Vec<_>>())
        {
            assert!(ids.contains(id.trim_start_matches('#')), "nothing is called {id}");
        }
    }
    let scopeless = Selector::parse("th:not([scope])").unwrap();
    assert_eq!(document.select(&scopeless).count(), 0);
    let headings = texts(page, "h2");
    for heading in ["Not checked", "How to repeat it", "What this proves, and what not"] {
        assert!(headings.iter().any(|found| found == heading), "{headings:?}");
    }
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split_whitespace().collect()
}
