//! Messages for programs, held against the schema that ships.

use std::path::Path;

use serde_json::Value;

use super::Answer;

/// The schema.
pub fn schema() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/messages.schema.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Holds every line of the answer against the schema; gives the reasons and verdicts that were seen.
#[track_caller]
pub fn holds(answer: &Answer) -> Vec<String> {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let lines = answer.lines();
    assert!(!lines.is_empty(), "a command ends with a verdict; stderr:\n{}", answer.stderr);
    for line in &lines {
        let errors: Vec<String> = validator
            .iter_errors(line)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}\n{line:#}");
    }
    let verdict = answer.verdict();
    assert_eq!(verdict["exit_code"], answer.code.unwrap(), "the line and the process say the same number");
    let (last, others) = lines.split_last().unwrap();
    assert!(others.iter().all(|line| line["reason"] != "verdict"), "the verdict comes last, once");
    let mut seen: Vec<String> = others.iter().map(|line| line["reason"].as_str().unwrap().to_owned()).collect();
    seen.push(format!("verdict {}", last["verdict"].as_str().unwrap()));
    seen
}
