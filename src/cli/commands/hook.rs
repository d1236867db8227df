//! `hook`: installs and takes away git hooks, and is what they run.

use super::done;
use super::gate::rules;
use crate::cli::args::{self, HookAction};
use crate::cli::settings::Settings;
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::os::bounded;
use crate::os::env;
use crate::project::git;
use crate::project::repository::{Commit, Repository};
use crate::release::gate::asked::{Asked, Rules};
use crate::release::gate::evidence::{Evidence, NOTES};
use crate::release::gate::hooks::{self, Installed};
use crate::release::gate::push::{Hook, Update};
use crate::release::gate::refusal::{Place, Refusal, TagFault};
use crate::release::gate::tag_history::TagHistory;
use crate::report;
use crate::verdict::{Verdict, Word};

/// Runs the command.
///
/// # Errors
/// When a hook cannot be written, or git cannot be read.
pub fn run(settings: &Settings, args: &args::Hook) -> Result<ExitCode> {
    match &args.action {
        HookAction::Install(args) => install(settings, args),
        HookAction::Uninstall(args) => uninstall(settings, args),
        HookAction::Run(args) => gate(settings, args),
    }
}

fn kind(server: bool) -> Hook {
    if server { Hook::PreReceive } else { Hook::PrePush }
}

fn install(settings: &Settings, args: &args::HookInstall) -> Result<ExitCode> {
    let repository = Repository::history(&settings.current_directory)?;
    let directory = git::hooks_directory(&repository)?;
    let hook = kind(args.server);
    let mut arguments = Vec::new();
    if let Some(reference) = &args.policy_ref {
        repository.protected(reference)?;
        arguments.extend(["--policy-ref", reference]);
    }
    let installed = hooks::install(&directory, hook, &env::this_program()?, &arguments)?;
    let place = directory.join(hook.file());
    let (verb, rest) = match installed {
        Installed::New => ("Installed", ""),
        Installed::InFront => ("Installed", ", which asks the hook that was there first"),
        Installed::Anew => ("Updated", ""),
        Installed::Unchanged => ("Unchanged", ""),
    };
    settings.console.status(verb, format!("{}{rest}", place.display()));
    if !repository.owns(&directory) {
        settings
            .console
            .warn("core.hooksPath leads outside the repository: the hook holds for every repository that uses it");
    }
    done(settings)
}

fn uninstall(settings: &Settings, args: &args::HookUninstall) -> Result<ExitCode> {
    let repository = Repository::history(&settings.current_directory)?;
    let directory = git::hooks_directory(&repository)?;
    let hook = kind(args.server);
    let place = directory.join(hook.file());
    if hooks::uninstall(&directory, hook)? {
        settings.console.status("Removed", place.display().to_string());
        done(settings)
    } else {
        Err(Error::new(format!("{} is no hook of cargo repro", place.display()))
            .hint("`cargo repro hook install` writes one; `--server` means the one of a repository that is pushed to"))
    }
}

/// Gates everything that a push brings. One tag that is refused refuses the push: git asks a hook about all of
/// it at once.
fn gate(settings: &Settings, args: &args::HookRun) -> Result<ExitCode> {
    let text = bounded::rest(std::io::stdin(), bounded::GENERATED, 0)
        .and_then(|bytes| String::from_utf8(bytes).map_err(std::io::Error::other))
        .map_err(|error| Error::new(format!("could not read what git says of the push: {error}")))?;
    let updates = args.hook.read(&text).ok_or_else(|| {
        Error::new("what stands on stdin is not what git says of a push")
            .hint("git runs this; `cargo repro gate TAG` asks about one tag")
    })?;
    let repository = Repository::history(&settings.current_directory)?;
    let mut history = TagHistory::load(&repository)?;
    if args.hook == Hook::PreReceive {
        // Whatever is here before the push is what it was first.
        history.enter(&repository.tags()?)?;
    }
    let mut evidence = Evidence::of(&repository);
    for update in updates.iter().filter(|update| update.reference == NOTES) {
        if let Some(new) = update.new {
            evidence.add_notes(&new.to_string());
        }
    }
    let pushed = Pushed {
        repository: &repository,
        hook: args.hook,
        remote: args.arguments.first().map_or("the remote", String::as_str),
        rules: rules_of(args, &repository),
        evidence,
    };
    let mut code = ExitCode::Ok;
    for update in &updates {
        let Some(tag) = update.tag() else {
            continue;
        };
        let Some(verdict) = pushed.verdict(tag, update, &history)? else {
            continue;
        };
        if let (Hook::PrePush, Some(old)) = (args.hook, update.old) {
            history.enter(&[(tag.to_owned(), old)])?;
        }
        settings.console.result(&report::human::verdict(&verdict, settings.console.layout()))?;
        code = code.max(verdict.word.exit_code());
    }
    Ok(code)
}

/// A server's policy is that of its own branch, and not what a push brings along; before its first commit there
/// is none.
fn rules_of(args: &args::HookRun, repository: &Repository) -> Rules {
    match (&args.policy_ref, args.hook) {
        (None, Hook::PreReceive) if repository.head().is_ok() => Rules::At("HEAD".to_owned()),
        (reference, _) => rules(reference.as_deref()),
    }
}

/// A push, and by what it is judged.
struct Pushed<'a> {
    repository: &'a Repository,
    hook: Hook,
    remote: &'a str,
    rules: Rules,
    evidence: Evidence<'a>,
}

impl Pushed<'_> {
    fn verdict(&self, tag: &str, update: &Update, history: &TagHistory) -> Result<Option<Verdict>> {
        let asked = Asked {
            repository: self.repository,
            rules: &self.rules,
            package: None,
            evidence: &self.evidence,
            now: env::now(),
        };
        let Some(new) = update.new else {
            return self.deletion(&asked, tag);
        };
        let Some(mut verdict) = asked.answer(tag, Some(new))? else {
            return Ok(None);
        };
        verdict.tag = Some((tag.to_owned(), Some(new)));
        let moved = |place, first| {
            Refusal::Tag(TagFault::Moved {
                place,
                first,
                found: new,
            })
        };
        let earlier = history.first(tag).filter(|first| *first != new);
        let there = update.old.filter(|old| *old != new);
        let refusal = match (there, earlier) {
            (Some(old), _) if self.hook == Hook::PrePush => Some(moved(Place::Remote(self.remote.to_owned()), old)),
            (_, Some(first)) => Some(moved(Place::Earlier, first)),
            (Some(old), None) => Some(moved(Place::Earlier, old)),
            (None, None) => None,
        };
        verdict.refuse(refusal.into_iter().collect());
        Ok(Some(verdict))
    }

    /// A release is not deleted: its name could be given to something else.
    fn deletion(&self, asked: &Asked<'_>, tag: &str) -> Result<Option<Verdict>> {
        let rules: Option<Commit> = match &self.rules {
            Rules::At(reference) => self.repository.protected(reference).ok(),
            Rules::Tagged => self.repository.head().ok(),
        };
        let Some(rules) = rules else {
            return Ok(None);
        };
        if asked.policies(rules, tag)?.is_empty() {
            return Ok(None);
        }
        let mut verdict = Verdict::new(Word::Passed, "");
        verdict.tag = Some((tag.to_owned(), None));
        verdict.refuse(vec![Refusal::Tag(TagFault::Deleted)]);
        Ok(Some(verdict))
    }
}
