//! The snapshot: the inputs of a training as they are now. One file a recorded input, with its type
//! and how it is observed. Comparing two snapshots is for [`crate::compare`].

pub mod build;
pub mod data;
pub mod dependencies;
pub mod environment;
pub mod params;
pub mod platform;
pub mod seed;
pub mod source;
pub mod stages;
pub mod toolchain;

use std::collections::BTreeMap;
use std::path::Path;

use crate::cache::Cache;
use crate::error::Result;
use crate::progress::Progress;
use crate::project::Project;
use crate::project::manifest::{Declared, Determinism, Isolation};

pub use build::Build;
pub use data::Data;
pub use dependencies::Dependencies;
pub use environment::Environment;
pub use params::Param;
pub use platform::Platform;
pub use seed::Seed;
pub use source::{Closure, Source};
pub use stages::Stage;
pub use toolchain::Toolchain;

/// Every input that is pinned.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The one seed.
    pub seed: Seed,
    /// Parameters by name.
    pub params: BTreeMap<String, Param>,
    /// Which sources of nondeterminism are replaced.
    pub determinism: Determinism,
    /// What becomes of a stage that reaches for what is not declared.
    pub isolation: Isolation,
    /// The files that can reach the program.
    pub source: Source,
    /// The compiler and cargo.
    pub toolchain: Toolchain,
    /// Every package of Cargo.lock.
    pub dependencies: Dependencies,
    /// Profile, features, flags.
    pub build: Build,
    /// The platform class.
    pub platform: Platform,
    /// What the program sees of the environment.
    pub environment: Environment,
    /// Declared data by name.
    pub data: BTreeMap<String, Data>,
    /// The pipeline.
    pub stages: BTreeMap<String, Stage>,
}

impl Snapshot {
    /// Observes every input of the project, with `closure` as what of the repository reaches it; its data was
    /// observed before.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn observe(project: &Project, closure: &Closure, data: BTreeMap<String, Data>) -> Result<Self> {
        let build = Build::observe(&project.manifest.build, &project.package, &project.repository, &project.toolchain)?;
        let source = Source::observe(project.tree(), closure, &|path| project.is_apart(path))?;
        let dependencies = Dependencies::read(&project.package.workspace.join("Cargo.lock"))?;
        let environment = Environment::observe(&project.manifest.environment)?;
        Ok(Self::assemble(project, source, dependencies, build, environment, data))
    }

    /// Puts together what was observed, and what the project itself says.
    #[must_use]
    pub fn assemble(
        project: &Project,
        source: Source,
        dependencies: Dependencies,
        build: Build,
        environment: Environment,
        data: BTreeMap<String, Data>,
    ) -> Self {
        let manifest = &project.manifest;
        Self {
            seed: manifest.seed,
            params: manifest.params.clone(),
            determinism: manifest.determinism,
            isolation: manifest.isolation,
            source,
            toolchain: project.toolchain.identity.clone(),
            dependencies,
            platform: Platform::observe(&build.target),
            build,
            environment,
            data,
            stages: manifest.stages.iter().map(|(name, stage)| (name.clone(), Stage::from(stage))).collect(),
        }
    }
}

/// Digests all declared data.
///
/// # Errors
/// When some of it cannot be read; that something is missing is noted in it.
pub fn observe_data(
    directory: &Path,
    declared: &BTreeMap<String, Declared>,
    cache: &mut Cache,
    progress: &Progress,
) -> Result<BTreeMap<String, Data>> {
    declared
        .iter()
        .map(|(name, declared)| Ok((name.clone(), Data::observe(directory, declared, cache, progress)?)))
        .collect()
}
