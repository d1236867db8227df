//! What landlock(7) can hold where there are no namespaces: writing elsewhere, reading elsewhere,
//! TCP. It hides nothing, and UDP goes through, so what it does not hold is listed as not checked.

use std::path::Path;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetError, RulesetStatus, path_beneath_rules,
};

use super::Landlock;

/// What every program may read.
const SYSTEM: [&str; 12] = [
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/sys", "/proc", "/dev", "/nix",
];

/// Puts landlock around this process and all that it becomes. Whether it holds is the answer: an old
/// kernel holds less, and one without landlock nothing.
///
/// # Errors
/// When the kernel refuses what it said it can do.
pub fn raise(landlock: &Landlock) -> Result<bool, RulesetError> {
    let abi = ABI::V4;
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?;
    if !landlock.network {
        rules = rules.handle_access(AccessNet::from_all(abi))?;
    }
    let reading = AccessFs::from_read(abi);
    let everywhere = [Path::new("/")];
    let rules = rules
        .create()?
        .add_rules(path_beneath_rules(&landlock.writable, AccessFs::from_all(abi)))?;
    let rules = if landlock.readable.is_empty() {
        rules.add_rules(path_beneath_rules(everywhere, reading))?
    } else {
        rules
            .add_rules(path_beneath_rules(SYSTEM, reading))?
            .add_rules(path_beneath_rules(&landlock.readable, reading))?
    };
    let devices = ["/dev/null", "/dev/zero", "/dev/tty", "/dev/shm"];
    let rules = rules.add_rules(path_beneath_rules(devices, AccessFs::from_all(abi)))?;
    Ok(rules.restrict_self()?.ruleset == RulesetStatus::FullyEnforced)
}
