//! The main job on the smallest program.

use crate::support::Project;

#[test]
fn what_was_recorded_verifies() {
    let project = Project::fixture("steady");
    project.record();
    project.repro(&["status"]).code(0);
    let answer = project.json(&["verify"]);
    answer.code(0);
    assert_eq!(answer.verdict()["verdict"], "reproduced");
    assert_eq!(answer.verdict()["runs"], 1);
    assert!(project.leftovers().is_empty());
    assert_eq!(project.git(&["status", "--porcelain"]), "");
}
