//! What a run is given: stage, seed, parameters, data and places, whichever way it was started.
//!
//! It decides between environment and manifest; it reads neither.

use std::{collections::BTreeMap, path::PathBuf};

use crate::{
    environment::Environment,
    error::{Error, Result},
    protocol::{self, DATA_PREFIX, PARAM_PREFIX},
};

/// What a run is given. The keys of both maps are names as [`protocol::variable`] spells them.
#[derive(Debug, PartialEq)]
pub(crate) struct Setup {
    pub(crate) stage: String,
    pub(crate) seed: u64,
    pub(crate) params: BTreeMap<String, String>,
    pub(crate) data: BTreeMap<String, Vec<PathBuf>>,
    pub(crate) out_dir: PathBuf,
    /// Nowhere outside `cargo repro`.
    pub(crate) ledger: Option<PathBuf>,
}

/// What a manifest has to say; all of it can be overridden.
#[derive(Default)]
pub(crate) struct Defaults {
    pub(crate) seed: Option<u64>,
    pub(crate) params: BTreeMap<String, String>,
    pub(crate) data: BTreeMap<String, Vec<PathBuf>>,
    pub(crate) directory: Option<PathBuf>,
}

impl Setup {
    /// The setup of a process in this environment.
    pub(crate) fn new(environment: &Environment) -> Result<Self> {
        match environment.get(protocol::PROTOCOL) {
            Some(version) => Self::inside(environment, version),
            None => Self::outside(environment, defaults(environment)?),
        }
    }

    /// Inside `cargo repro`, the environment says everything.
    fn inside(environment: &Environment, version: &str) -> Result<Self> {
        if version != protocol::VERSION.to_string() {
            return Err(Error::Protocol {
                found: version.into(),
            });
        }
        Ok(Self {
            stage: environment.require(protocol::STAGE)?.into(),
            seed: seed(environment.require(protocol::SEED)?)?,
            params: params(environment)?,
            data: data(environment)?,
            out_dir: environment.require(protocol::OUT_DIR)?.into(),
            ledger: Some(environment.require(protocol::LEDGER)?.into()),
        })
    }

    /// Outside, it says what it wants to, and the manifest the rest.
    fn outside(environment: &Environment, mut defaults: Defaults) -> Result<Self> {
        defaults.params.append(&mut params(environment)?);
        defaults.data.append(&mut data(environment)?);
        let seed = match environment.get(protocol::SEED) {
            Some(text) => seed(text)?,
            // A seed that nobody chose would look like one that somebody did.
            None => defaults.seed.ok_or(Error::NoSeed)?,
        };
        let directory = defaults
            .directory
            .unwrap_or_else(|| environment.current_dir.clone());
        Ok(Self {
            stage: environment
                .get(protocol::STAGE)
                .unwrap_or(protocol::DEFAULT_STAGE)
                .into(),
            seed,
            params: defaults.params,
            data: defaults.data,
            out_dir: environment
                .get(protocol::OUT_DIR)
                .map_or(directory, PathBuf::from),
            ledger: None,
        })
    }
}

#[cfg(feature = "manifest")]
fn defaults(environment: &Environment) -> Result<Defaults> {
    crate::manifest::find(&environment.places).map_or_else(
        || Ok(Defaults::default()),
        |path| crate::manifest::read(&path),
    )
}

#[cfg(not(feature = "manifest"))]
#[expect(
    clippy::unnecessary_wraps,
    reason = "with the feature `manifest` it can fail"
)]
fn defaults(_: &Environment) -> Result<Defaults> {
    Ok(Defaults::default())
}

fn seed(text: &str) -> Result<u64> {
    text.parse().map_err(|_| {
        Error::environment(
            protocol::SEED,
            format!(
                "is `{text}`, but a seed is a whole number from 0 to {}",
                u64::MAX
            ),
        )
    })
}

fn params(environment: &Environment) -> Result<BTreeMap<String, String>> {
    let found = environment.with_prefix(PARAM_PREFIX)?;
    Ok(found
        .into_iter()
        .map(|(name, text)| (name, text.to_owned()))
        .collect())
}

fn data(environment: &Environment) -> Result<BTreeMap<String, Vec<PathBuf>>> {
    let found = environment.with_prefix(DATA_PREFIX)?;
    Ok(found
        .into_iter()
        .map(|(name, text)| (name, paths(text)))
        .collect())
}

/// One path a line; an empty line is none.
fn paths(text: &str) -> Vec<PathBuf> {
    text.split('\n')
        .filter(|line| !line.is_empty())
        .map(PathBuf::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSIDE: [(&str, &str); 5] = [
        (protocol::PROTOCOL, "1"),
        (protocol::STAGE, "prepare"),
        (protocol::SEED, "7"),
        (protocol::OUT_DIR, "/out"),
        (protocol::LEDGER, "/ledger"),
    ];

    #[test]
    fn inside_everything_comes_from_the_environment() {
        let mut variables = INSIDE.to_vec();
        variables.extend([
            ("REPRO_PARAM_DEPTH", "3"),
            ("REPRO_DATA_WINE", "a.csv\nb.csv"),
        ]);
        let setup = Setup::new(&Environment::of(&variables)).unwrap();
        assert_eq!(
            setup,
            Setup {
                stage: "prepare".into(),
                seed: 7,
                params: [("DEPTH".into(), "3".into())].into(),
                data: [("WINE".into(), vec!["a.csv".into(), "b.csv".into()])].into(),
                out_dir: "/out".into(),
                ledger: Some("/ledger".into()),
            }
        );
    }

    #[test]
    fn inside_a_missing_variable_is_named() {
        for (missing, _) in &INSIDE[1..] {
            let rest: Vec<_> = INSIDE
                .into_iter()
                .filter(|(name, _)| name != missing)
                .collect();
            let error = Setup::new(&Environment::of(&rest)).unwrap_err().to_string();
            assert!(error.contains(missing), "{error}");
        }
    }

    #[test]
    fn another_protocol_is_refused_with_what_to_update() {
        for (version, advice) in [
            ("2", "update repro-ml"),
            ("0", "update cargo-repro"),
            ("x", "must be a version"),
        ] {
            let error = Setup::new(&Environment::of(&[(protocol::PROTOCOL, version)])).unwrap_err();
            assert!(error.to_string().contains(advice), "{error}");
        }
    }

    #[test]
    fn outside_no_seed_is_assumed() {
        let error = Setup::outside(&Environment::default(), Defaults::default()).unwrap_err();
        assert!(matches!(error, Error::NoSeed));
    }

    #[test]
    fn outside_the_environment_wins_over_the_manifest() {
        let defaults = Defaults {
            seed: Some(1),
            params: [("A".into(), "1".into()), ("B".into(), "2".into())].into(),
            data: [("D".into(), vec!["x".into()])].into(),
            directory: Some("/project".into()),
        };
        let environment = Environment::of(&[
            ("REPRO_SEED", "9"),
            ("REPRO_PARAM_b", "3"),
            ("REPRO_DATA_D", "y"),
        ]);
        let setup = Setup::outside(&environment, defaults).unwrap();
        assert_eq!(setup.seed, 9);
        assert_eq!(
            setup.params,
            [("A".into(), "1".into()), ("B".into(), "3".into())].into()
        );
        assert_eq!(setup.data, [("D".into(), vec!["y".into()])].into());
        assert_eq!(setup.out_dir, PathBuf::from("/project"));
        assert_eq!(setup.stage, "train");
        assert_eq!(setup.ledger, None);
    }

    #[test]
    fn a_seed_must_be_a_number() {
        let error = Setup::outside(
            &Environment::of(&[("REPRO_SEED", "-1")]),
            Defaults::default(),
        )
        .unwrap_err();
        assert!(error.to_string().contains("`-1`"), "{error}");
    }

    #[test]
    fn one_name_in_two_cases_is_an_error() {
        let environment = Environment::of(&[
            ("REPRO_SEED", "1"),
            ("REPRO_PARAM_A", "1"),
            ("REPRO_PARAM_a", "2"),
        ]);
        assert!(Setup::outside(&environment, Defaults::default()).is_err());
    }
}
