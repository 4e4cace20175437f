//! The policy we ask for: nothing that writes, and everything that is called.

use std::collections::BTreeSet;

use crate::support::{expect_code, nephoscope};

fn policy_actions() -> BTreeSet<String> {
    let home = tempfile::tempdir().unwrap();
    let output = nephoscope(home.path()).args(["permissions", "aws"]).output().unwrap();
    let policy: serde_json::Value = serde_json::from_str(&expect_code(&output, &[0])).unwrap();
    policy["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|statement| statement["Action"].as_array().unwrap())
        .map(|action| action.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn no_action_can_write() {
    let actions = policy_actions();
    assert!(actions.len() > 100, "{}", actions.len());
    for action in &actions {
        let verb = action.split(':').nth(1).unwrap();
        assert!(!action.contains('*'), "{action} is a wildcard");
        let reads = ["Describe", "Get", "List", "Lookup", "Search", "View", "BatchGet", "Select"];
        // Makes a report of what is there; AWS lists its access level as read.
        // API Gateway names its permissions after HTTP methods.
        let allowed = ["iam:GenerateCredentialReport", "apigateway:GET"].contains(&action.as_str())
            || reads.iter().any(|verb_start| verb.starts_with(verb_start));
        assert!(allowed, "{action} does not read");
        // These read the data itself, not its configuration.
        for data in [
            "s3:GetObject",
            "secretsmanager:GetSecretValue",
            "ssm:GetParameter",
            "ssm:GetParameters",
            "dynamodb:GetItem",
            "kinesis:GetRecords",
        ] {
            assert_ne!(action, data);
        }
    }
}

#[test]
fn every_call_of_the_demo_is_in_the_policy() {
    let actions = policy_actions();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demo/recording/answers.jsonl.zst");
    let text = zstd::decode_all(std::fs::File::open(path).unwrap()).unwrap();
    let catalog = std::sync::Arc::new(nepho_catalog::Catalog::embedded().unwrap());
    let permitted = nepho_aws::permissions::by_call(&catalog);
    let mut calls = BTreeSet::new();
    for line in String::from_utf8(text).unwrap().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        if let (Some(service), Some(operation)) = (line["service"].as_str(), line["operation"].as_str()) {
            calls.insert((service.to_owned(), operation.to_owned()));
        }
    }
    assert!(calls.len() > 100, "{}", calls.len());
    for (service, operation) in calls {
        let needed = permitted.get(&(service.clone(), operation.clone()));
        let needed = needed.unwrap_or_else(|| panic!("{service}:{operation} was called and no kind declares it"));
        for action in needed {
            assert!(actions.contains(action), "{service}:{operation} needs {action}");
        }
    }
}

#[test]
fn parts_are_what_a_managed_policy_takes() {
    let home = tempfile::tempdir().unwrap();
    let output = nephoscope(home.path()).args(["permissions", "aws", "--split"]).output().unwrap();
    let lines = expect_code(&output, &[0]);
    let mut actions = BTreeSet::new();
    for line in lines.lines() {
        assert!(line.len() <= 6144, "{}", line.len());
        let part: serde_json::Value = serde_json::from_str(line).unwrap();
        let listed = part["Statement"][0]["Action"].as_array().unwrap();
        actions.extend(listed.iter().map(|action| action.as_str().unwrap().to_owned()));
    }
    assert_eq!(actions, policy_actions());

    let folder = home.path().join("parts");
    let written = format!("--split={}", folder.display());
    let output = nephoscope(home.path()).args(["permissions", "aws", &written]).output().unwrap();
    let paths = expect_code(&output, &[0]);
    assert_eq!(paths.lines().count(), lines.lines().count());
    for (path, line) in paths.lines().zip(lines.lines()) {
        assert_eq!(std::fs::read_to_string(path).unwrap().trim(), line);
    }
}

#[test]
fn entering_and_trust_are_policies_of_their_own() {
    let home = tempfile::tempdir().unwrap();
    let print = |arguments: &[&str]| {
        let output = nephoscope(home.path()).args(["permissions", "aws"]).args(arguments).output().unwrap();
        serde_json::from_str::<serde_json::Value>(&expect_code(&output, &[0])).unwrap()
    };
    let entering = print(&["--assume", "NephoscopeReadOnly"]);
    assert_eq!(entering["Statement"][0]["Action"], "sts:AssumeRole");
    assert_eq!(entering["Statement"][0]["Resource"], "arn:aws:iam::*:role/NephoscopeReadOnly");
    let trust = print(&["--trust", "arn:aws:iam::111122223333:role/scanner", "--external-id", "secret-word"]);
    assert_eq!(trust["Statement"][0]["Principal"]["AWS"], "arn:aws:iam::111122223333:role/scanner");
    assert_eq!(trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"], "secret-word");
}

/// AWS's own managed policies say which actions there are: a name of ours that none of them covers is most likely wrong.
#[test]
fn every_action_is_one_that_aws_knows() {
    let python = std::env::var("NEPHO_PYTHON").expect("NEPHO_PYTHON is not set: run the tests with `cargo xtask test`");
    let script = r#"
import fnmatch, json, sys
from moto.iam.aws_managed_policies import aws_managed_policies_data as data
data = json.loads(data) if isinstance(data, str) else data
patterns = set()
for policy in data.values():
    statements = policy["Document"]["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        actions = statement.get("Action", [])
        patterns.update(action.lower() for action in ([actions] if isinstance(actions, str) else actions))
patterns.discard("*")
exact = {pattern for pattern in patterns if "*" not in pattern and "?" not in pattern}
reading = set()
for name in ["ReadOnlyAccess", "SecurityAudit"]:
    statements = data[name]["Document"]["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        actions = statement.get("Action", [])
        reading.update(action.lower() for action in ([actions] if isinstance(actions, str) else actions))
for action in json.load(sys.stdin):
    known = action.lower() in exact or any(fnmatch.fnmatchcase(action.lower(), pattern) for pattern in reading)
    if not known:
        print(action)
"#;
    let mut child = std::process::Command::new(python)
        .args(["-c", script])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    serde_json::to_writer(child.stdin.take().unwrap(), &policy_actions()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(expect_code(&output, &[0]), "", "no managed policy of AWS's has these actions");
}
