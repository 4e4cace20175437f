//! `identity lint`: places, formats, exit codes.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value as Json;

use crate::support::{expect_code, nephoscope};

const POLICY: &str = r#"{
  "Version": "2012-10-17",
  "Statement": {
    "Effect": "Deny", "Action": "s3:GetObjekt", "Resource": "*"
  }
}"#;

/// Runs it with a text on standard input.
fn lint(text: &[u8], arguments: &[&str], codes: &[i32]) -> (String, String) {
    let home = tempfile::tempdir().unwrap();
    let mut command = nephoscope(home.path());
    command.args(["identity", "lint", "-"]).args(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text).unwrap();
    let output = child.wait_with_output().unwrap();
    (expect_code(&output, codes), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_mistake_is_shown_in_its_line() {
    let (shown, _) = lint(POLICY.as_bytes(), &[], &[1]);
    let expected = "error[action-unknown]: AWS lists no action `s3:GetObjekt`: did you mean `s3:GetObject`?
 --> standard input:4:33
  |
4 |     \"Effect\": \"Deny\", \"Action\": \"s3:GetObjekt\", \"Resource\": \"*\"
  |                                 ^^^^^^^^^^^^^^
";
    assert!(shown.starts_with(expected), "{shown}");
    assert!(shown.ends_with("standard input (identity policy): 1 error\n"), "{shown}");
}

#[test]
fn json_has_the_place_and_what_is_asked_for_only() {
    let text = POLICY.replace("Deny", "Allow").replace("\"s3:GetObjekt\"", "[\"sqs:DeleteQueue\", \"iam:PassRole\"]");
    let (shown, _) = lint(text.as_bytes(), &["--format", "json", "--severity", "security"], &[1]);
    let json: Json = serde_json::from_str(&shown).unwrap();
    let findings = json["policies"][0]["findings"].as_array().unwrap();
    let [one] = findings.as_slice() else { panic!("{shown}") };
    assert_eq!((one["check"].as_str(), one["line"].as_u64()), (Some("pass-role-any"), Some(4)));
    let span = one["start"].as_u64().unwrap() as usize..one["end"].as_u64().unwrap() as usize;
    assert_eq!(&text[span], "\"iam:PassRole\"");
    lint(text.as_bytes(), &["--fail-on", "error"], &[0]);
}

#[test]
fn the_kind_decides() {
    let text = POLICY.replace("GetObjekt", "GetObject");
    lint(text.as_bytes(), &[], &[0]);
    let (shown, _) = lint(text.as_bytes(), &["--kind", "rcp"], &[1]);
    assert!(shown.contains("error[element-missing]: the statement has no `Principal`"), "{shown}");
    let (_, error) = lint(text.as_bytes(), &["--kind", "bucket"], &[2]);
    assert!(error.contains("resource:SERVICE"), "{error}");
}

#[test]
fn what_is_no_policy_is_said() {
    let (shown, _) = lint(b"{\"Statement\": [}", &[], &[1]);
    assert!(shown.starts_with("error[json-broken]") && shown.contains("standard input:1:16"), "{shown}");
    let (shown, _) = lint(b"", &[], &[1]);
    assert!(shown.contains("a value is missing, at the end of the text"), "{shown}");
    let (_, error) = lint(b"{\xff}", &[], &[2]);
    assert!(error.contains("`standard input` is no text in UTF-8: see byte 2"), "{error}");
    // Nothing of a policy reaches the terminal as it is.
    let (shown, _) = lint(POLICY.replace("Objekt", r"\u001b[2J\u202e").as_bytes(), &[], &[1]);
    assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
}
