//! `verify --artifacts`: the model that was proved, kept; and nothing else, and over nothing.

use crate::support::Project;

#[test]
fn the_artifacts_of_every_stage_are_kept() {
    let project = Project::fixture("command");
    project.edit(
        "repro.toml",
        "[stage.train]",
        "[stage.prepare]\ncommand = [\"sh\", \"-c\", \"mkdir -p out; echo 1 > out/ready.txt\"]\nartifacts = [\"out/ready.txt\"]\n\n\
         [stage.train]\nneeds = [\"prepare\"]",
    );
    project.commit("two stages").record();
    let proved = project.around().join("proved");
    project.repro(&["verify", "--artifacts", proved.to_str().unwrap()]).code(0);
    for path in ["out/ready.txt", "model.txt"] {
        assert_eq!(std::fs::read(proved.join(path)).unwrap(), project.read(path).into_bytes(), "{path}");
    }
}

#[test]
fn what_reproduces_is_kept_and_nothing_is_overwritten() {
    let project = Project::recorded("steady");
    let proved = project.around().join("proved");
    let to = proved.to_str().unwrap();
    let json = project.json(&["verify", "--artifacts", to]);
    assert_eq!(json.code(0).verdict()["artifacts"], to);
    for path in ["model.json", "metrics.json"] {
        assert_eq!(std::fs::read(proved.join(path)).unwrap(), project.read(path).into_bytes(), "{path}");
    }
    // Once more into the same place: the same file is there, and stays.
    let before = proved.join("model.json").metadata().unwrap().modified().unwrap();
    assert!(project.repro(&["verify", "--artifacts", to]).code(0).stdout.contains(to));
    assert_eq!(proved.join("model.json").metadata().unwrap().modified().unwrap(), before);
    // Another file there, or a link, is refused before anything is trained, and stays as it is.
    std::fs::write(proved.join("model.json"), "mine").unwrap();
    let refused = project.repro(&["verify", "--artifacts", to]);
    assert!(!refused.code(2).stderr.contains("Training"), "{}", refused.stderr);
    assert!(refused.stderr.contains("model.json is there already"), "{}", refused.stderr);
    assert_eq!(std::fs::read_to_string(proved.join("model.json")).unwrap(), "mine");
    std::fs::remove_file(proved.join("model.json")).unwrap();
    std::os::unix::fs::symlink(project.around().join("elsewhere"), proved.join("model.json")).unwrap();
    project.repro(&["verify", "--artifacts", to]).code(2);
    assert!(!project.around().join("elsewhere").exists());
    // The package's own directory is not the place.
    project.repro(&["verify", "--artifacts", "."]).code(2);
    // What drifts is not proved.
    std::fs::remove_dir_all(&proved).unwrap();
    project.edit("repro.toml", "seed = 42", "seed = 43");
    project.repro(&["verify", "--artifacts", to]).code(3);
    assert!(!proved.join("model.json").exists());
}
