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
