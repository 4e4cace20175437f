//! Each check has a file of policies under `cases/`, with all that is to be found in each.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use proptest::prelude::*;

use super::{CHECKS, Finding, PolicyKind, check};
use crate::actions::Catalogue;

fn now() -> jiff::Timestamp {
    "2026-11-25T00:00:00Z".parse().unwrap()
}

fn kind(word: &str) -> Option<PolicyKind> {
    match word {
        "identity" => Some(PolicyKind::Identity),
        "trust" => Some(PolicyKind::Trust),
        "resource" => Some(PolicyKind::Resource(None)),
        "scp" => Some(PolicyKind::ServiceControl),
        "rcp" => Some(PolicyKind::ResourceControl),
        "guess" => None,
        service => Some(PolicyKind::Resource(Some(service.strip_prefix("resource:").unwrap().into()))),
    }
}

fn found(text: &str, kind: Option<&PolicyKind>) -> Vec<Finding> {
    check(text, kind, Catalogue::embedded(), now())
}

/// `### name | kind | id:line id:line`, and the policy below.
fn cases(file: &str) -> Vec<(String, String, String, String)> {
    let of_case = |case: &str| {
        let (head, policy) = case.split_once('\n').unwrap();
        let parts: Vec<&str> = head.split('|').map(str::trim).collect();
        let [name, kind, expected] = parts.as_slice() else { panic!("{head}") };
        // `@10000` stands for as many letters.
        let mut text = policy.to_owned();
        while let Some((before, after)) = text.split_once("@@") {
            let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
            text = format!("{before}{}{}", "x".repeat(digits.parse().unwrap()), &after[digits.len()..]);
        }
        ((*name).to_owned(), (*kind).to_owned(), (*expected).to_owned(), text)
    };
    file.split("### ").skip(1).map(of_case).collect()
}

#[test]
fn every_check_finds_what_its_cases_say_and_nothing_else() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/lint/cases");
    let mut wrong = String::new();
    let mut with_cases = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let id = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let (mut finds, mut stays_silent) = (false, false);
        for (name, kind_word, expected, text) in cases(&std::fs::read_to_string(&path).unwrap()) {
            let findings = found(&text, kind(&kind_word).as_ref());
            let written: Vec<String> = findings.iter().map(|found| format!("{}:{}", found.id, found.line)).collect();
            let mut written: Vec<&str> = written.iter().map(String::as_str).collect();
            let mut expected: Vec<&str> = expected.split_whitespace().collect();
            written.sort_unstable();
            expected.sort_unstable();
            let is_found = findings.iter().any(|found| found.id == id);
            finds |= is_found;
            stays_silent |= !is_found;
            if written != expected {
                writeln!(wrong, "{id} `{name}`: expected {expected:?}").unwrap();
                for found in &findings {
                    writeln!(wrong, "    {}:{}:{} {}", found.id, found.line, found.column, found.message).unwrap();
                }
            }
        }
        if !finds || !stays_silent {
            writeln!(wrong, "{id}: needs a case that has it and one that has not").unwrap();
        }
        with_cases.insert(id);
    }
    let all: BTreeSet<String> = CHECKS.iter().map(|check| check.id.to_owned()).collect();
    assert_eq!(all.symmetric_difference(&with_cases).collect::<Vec<_>>(), Vec::<&String>::new());
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn places_are_those_of_the_text() {
    let text = "{\"Version\": \"2012-10-17\",\r\n \"Statement\": {\"Effect\": \"Allow\",\r\n\t\"Resource\": \"*\", \"Sid\": \"ä\", \"Action\": \"s3:GetObjekt\"}}";
    let findings = found(text, None);
    let unknown = findings.iter().find(|found| found.id == "action-unknown").unwrap();
    assert_eq!(&text[unknown.span.clone()], "\"s3:GetObjekt\"");
    // A tab and a letter of two bytes are one character each.
    assert_eq!((unknown.line, unknown.column), (3, 41));
}

#[test]
fn what_commands_print_around_a_policy_is_looked_through() {
    let policy =
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObjekt", "Resource": "*"}}"#;
    for around in [("", ""), (r#"{"PolicyVersion": {"Document": "#, "}}"), (r#"{"PolicyDocument": "#, "}")] {
        let text = format!("{}{policy}{}", around.0, around.1);
        let ids: Vec<&str> = found(&text, None).iter().map(|found| found.id).collect();
        assert_eq!(ids, ["action-unknown"], "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_fail(text in any::<String>()) {
        found(&text, None);
    }

    /// Policies with anything in their elements.
    #[test]
    fn no_policy_makes_it_fail(
        action in r#"[a-z0-9*?:${},' -]{0,16}"#,
        resource in r#"(arn:)?[a-z0-9*?:/${},' -]{0,24}"#,
        operator in r#"(ForAllValues:|ForAnyValue:)?(String|Numeric|Date|Arn|Null|Bool|IpAddress|NotIpAddress|Binary)(Equals|Like|NotEquals|LessThan)?(IfExists)?"#,
        key in r#"(aws:SourceIp|aws:CurrentTime|s3:prefix|aws:TagKeys|[a-z:/]{0,10})"#,
        values in prop::collection::vec(r#"[0-9a-z.:/*?${},' -]{0,12}"#, 0..4),
        principal in r#"[a-zA-Z0-9*:./-]{0,16}"#,
        deny in any::<bool>(),
        word in prop::sample::select(vec!["identity", "trust", "resource", "resource:s3", "scp", "rcp", "guess"]),
    ) {
        let effect = if deny { "Deny" } else { "Allow" };
        let text = serde_json::json!({"Version": "2012-10-17", "Statement": [
            {"Effect": effect, "Action": [action], "Resource": [resource, "*"], "Condition": {operator: {key: values}},
             "Principal": {"AWS": [principal, "*"]}},
            {"Effect": "Deny", "NotAction": "*", "Resource": "*"},
        ]}).to_string();
        for finding in found(&text, kind(word).as_ref()) {
            prop_assert!(text.get(finding.span.clone()).is_some());
            prop_assert!(finding.line == 1 && finding.column >= 1);
        }
    }
}
