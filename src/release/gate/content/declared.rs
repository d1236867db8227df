//! What a manifest declares that no lock has, or only what came of it: held against the manifest of the commit that the
//! lock was recorded at.

use crate::compare::drift::Change;
use crate::compare::{Drift, listed};
use crate::project::manifest::{Build, Declared, Environment, Extent, Manifest, Stage};

/// What the one manifest declares otherwise than the other, where their locks might be the same. Each is taken apart
/// field by field, so that a new field is compared, or left out for a reason, before any of this compiles.
#[must_use]
pub fn declared_otherwise(recorded: &Manifest, tagged: &Manifest) -> Vec<Drift> {
    let Manifest {
        build,
        environment,
        data,
        stages,
        // A lock has all of these, and they are compared there.
        seed: _,
        params: _,
        determinism: _,
        isolation: _,
        // It rules no run, and has rules of its own for whose it is.
        gate: _,
        // No manifest has it: the command line does.
        overridden: _,
    } = recorded;
    let mut changes = asked_of_cargo(build, &tagged.build);
    changes.extend(passed(environment, &tagged.environment));
    for (name, data) in data {
        changes.extend(tagged.data.get(name).and_then(|tagged| extent(name, data, tagged)));
    }
    stages.values().for_each(nothing_unlocked);
    changes
}

/// A lock has the features that came of it, and not which of them were asked for.
fn asked_of_cargo(recorded: &Build, tagged: &Build) -> Vec<Drift> {
    let Build {
        profile: _, // a lock has it, and it is compared there
        features,
        default_features,
    } = recorded;
    let fields = [
        ("features", listed(features), listed(&tagged.features)),
        ("default-features", default_features.to_string(), tagged.default_features.to_string()),
    ];
    let differing = fields.into_iter().filter(|(_, locked, found)| locked != found);
    differing.map(|(name, locked, found)| Drift::Build(change(name, locked, found))).collect()
}

/// A lock has values, and not whose they are: a variable that passes has that of whoever runs.
fn passed(recorded: &Environment, tagged: &Environment) -> Option<Drift> {
    let Environment {
        set: _, // a lock has these values, and they are compared there
        pass,
    } = recorded;
    let other = *pass != tagged.pass;
    other.then(|| Drift::Manifest(change("environment.pass", listed(pass), listed(&tagged.pass))))
}

/// Data that is pinned whole in the lock could be pinned by a sample from the tag on.
fn extent(name: &str, recorded: &Declared, tagged: &Declared) -> Option<Drift> {
    let Declared {
        paths: _, // a lock has these, and they are compared there
        extent,
        tables: _, // they say what the bytes mean, and bytes are compared
    } = recorded;
    let word = |extent: Extent| match extent {
        Extent::Whole => "all of it",
        Extent::Sample => "a sample",
    };
    let name = format!("data.{name}.digest");
    let other = *extent != tagged.extent;
    other.then(|| Drift::Manifest(change(&name, word(*extent).to_owned(), word(tagged.extent).to_owned())))
}

/// Of a stage a lock has whatever an outcome could follow from.
fn nothing_unlocked(stage: &Stage) {
    let Stage {
        program: _,
        args: _,
        data: _,
        needs: _,
        artifacts: _,
        metrics: _,
        stdout: _,
        ignore: _,
        ignore_metrics: _,
        scratch: _,
        timeout: _, // it ends what hangs, and gives no other outcome
    } = stage;
}

fn change(name: &str, locked: String, found: String) -> Change<String> {
    Change {
        name: name.to_owned(),
        locked: Some(locked),
        found: Some(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(more: &str) -> Manifest {
        let text = format!("version = 1\nseed = 1\n[stage.train]\nbin = \"b\"\nartifacts = [\"m\"]\n{more}");
        Manifest::from_text(&text, "repro.toml").unwrap()
    }

    #[test]
    fn what_a_lock_cannot_tell_of_a_manifest_is_told_by_the_manifest_that_was_recorded() {
        let base = "[build]\nfeatures = [\"fast\"]\n[data]\nd = \"d.bin\"\n[environment]\nset = { A = \"1\" }\npass = [\"B\"]\n";
        let recorded = manifest(base);
        assert!(declared_otherwise(&recorded, &recorded).is_empty());
        for (from, to, name) in [
            ("[\"fast\"]", "[]", "features"),
            ("[\"fast\"]", "[\"fast\", \"dep/x\"]", "features"),
            ("[build]", "[build]\ndefault-features = false", "default-features"),
            ("{ A = \"1\" }\npass = [\"B\"]", "{}\npass = [\"A\", \"B\"]", "environment.pass"),
            ("{ A = \"1\" }\npass = [\"B\"]", "{ A = \"1\", B = \"2\" }", "environment.pass"),
            ("pass = [\"B\"]", "pass = [\"B\", \"C\"]", "environment.pass"),
            ("pass = [\"B\"]", "", "environment.pass"),
            ("d = \"d.bin\"", "d = { path = \"d.bin\", digest = \"sample\" }", "data.d.digest"),
        ] {
            let tagged = base.replace(from, to);
            assert_ne!(tagged, base);
            for (one, other) in [(&recorded, &manifest(&tagged)), (&manifest(&tagged), &recorded)] {
                let said: Vec<String> = declared_otherwise(one, other)
                    .into_iter()
                    .map(|drift| match drift {
                        Drift::Build(change) | Drift::Manifest(change) => change.name,
                        other => panic!("{other:?}"),
                    })
                    .collect();
                assert_eq!(said, [name], "{tagged}");
            }
        }
    }
}
