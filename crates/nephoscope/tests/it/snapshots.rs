//! Snapshots, their history, and questions to it.

use std::path::Path;
use std::process::Command;

use serde_json::{Value as Json, json};

use crate::support::{expect_code, nephoscope, recordings};

/// Saves two snapshots: in the second, bucket `closed` is gone, `fresh` is new, and `open` has no public policy.
fn two_days(home: &Path) -> Command {
    let first = recordings::buckets(home);
    let text = std::fs::read_to_string(&first).unwrap();
    let second = home.join("second.jsonl");
    let policy = r#"{"Effect":"Allow","Principal":"*""#;
    let changed =
        text.replace(r#"{"Name":"closed""#, r#"{"Name":"fresh""#).replace(policy, &policy.replace("Allow", "Deny"));
    assert_ne!(changed, text);
    std::fs::write(&second, changed).unwrap();
    for (recording, day) in [(first, "2026-11-24T12:00:00Z"), (second, "2026-11-25T12:00:00Z")] {
        let output = with_store(home, &["scan", "aws", "--at", day, "--replay"]).arg(recording).output().unwrap();
        expect_code(&output, &[3]);
        assert!(String::from_utf8_lossy(&output.stderr).contains("snapshot: "));
    }
    nephoscope(home)
}

fn with_store(home: &Path, arguments: &[&str]) -> Command {
    let mut command = nephoscope(home);
    command.args(arguments).env("NEPHOSCOPE_STORE", home.join("store"));
    command
}

fn json_of(command: &mut Command, codes: &[i32]) -> Json {
    serde_json::from_str(&expect_code(&command.output().unwrap(), codes)).unwrap()
}

#[test]
fn nothing_is_saved_unless_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let recording = recordings::buckets(home.path());
    let scan = |store: &str| {
        let mut command = nephoscope(home.path());
        command.args(["scan", "aws", "--replay"]).arg(&recording).env("NEPHOSCOPE_STORE", store);
        expect_code(&command.current_dir(home.path()).output().unwrap(), &[3]);
    };
    scan("");
    let names: Vec<_> = std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["buckets.jsonl"]);
}

#[test]
fn history_is_listed_compared_and_asked() {
    let home = tempfile::tempdir().unwrap();
    two_days(home.path());
    let listed = json_of(&mut with_store(home.path(), &["snapshots", "--format", "json"]), &[0]);
    let times: Vec<&str> = listed.as_array().unwrap().iter().map(|row| row["time"].as_str().unwrap()).collect();
    assert_eq!(times, ["2026-11-25T12:00:00Z", "2026-11-24T12:00:00Z"]);

    let changes = json_of(&mut with_store(home.path(), &["diff", "2026-11-24", "latest", "--format", "json"]), &[0, 3]);
    let keys = |of: &Json| {
        of.as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(keys(&changes["resources"]["added"]), ["arn:aws:s3:::fresh"]);
    assert_eq!(keys(&changes["resources"]["removed"]), ["arn:aws:s3:::closed"]);
    let open = &changes["resources"]["changed"][0];
    assert_eq!(open["key"], "arn:aws:s3:::open");
    let public = open["properties"].as_array().unwrap().iter().find(|of| of["name"] == "policy_public").unwrap();
    assert_eq!((&public["old"], &public["new"]), (&json!(true), &json!(false)));
    let judged = changes["verdicts"]["changed"].as_array().unwrap();
    let judged = judged.iter().find(|of| of["rule"] == recordings::RULE).unwrap();
    assert_eq!((&judged["old"], &judged["verdict"]), (&json!("fail"), &json!("pass")));
    let table = expect_code(&with_store(home.path(), &["diff", "latest~1", "latest"]).output().unwrap(), &[0, 3]);
    let line = |parts: [&str; 3]| table.lines().any(|line| parts.iter().all(|part| line.contains(part)));
    assert!(line(["-", "resource", "arn:aws:s3:::closed"]) && line(["~", "policy_public", "true"]), "{table}");

    let names = "MATCH (b:AwsS3Bucket) RETURN b.name AS name ORDER BY name";
    let at =
        |at: &str| json_of(&mut with_store(home.path(), &["query", names, "--at", at, "--format", "json"]), &[0, 3]);
    assert_eq!(at("2026-11-25T00:00:00Z"), json!([{"name": "closed"}, {"name": "open"}]));
    assert_eq!(at("latest"), json!([{"name": "fresh"}, {"name": "open"}]));
    let between = ["query", names, "--between", "latest~1", "latest", "--format", "json"];
    let between = json_of(&mut with_store(home.path(), &between), &[0, 3]);
    assert_eq!(between, json!([{"change": "-", "name": "closed"}, {"change": "+", "name": "fresh"}]));

    expect_code(&with_store(home.path(), &["snapshots", "prune", "--keep", "1"]).output().unwrap(), &[0]);
    let listed = json_of(&mut with_store(home.path(), &["snapshots", "--format", "json"]), &[0]);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["time"], "2026-11-25T12:00:00Z");
}

#[test]
fn a_kind_that_was_not_scanned_is_not_gone() {
    let home = tempfile::tempdir().unwrap();
    let recording = recordings::buckets(home.path());
    for (day, services) in [("2026-11-24", "s3"), ("2026-11-25", "ec2")] {
        let mut scan = with_store(home.path(), &["scan", "aws", "--at", day, "--services", services, "--replay"]);
        expect_code(&scan.arg(&recording).output().unwrap(), &[0, 3]);
    }
    let changes = json_of(&mut with_store(home.path(), &["diff", "latest~1", "latest", "--format", "json"]), &[3]);
    assert_eq!(changes["resources"]["removed"], json!([]));
    assert_eq!(changes["resources"]["not_seen"].as_array().unwrap().len(), 2);
}

#[test]
fn mistakes_are_told() {
    let home = tempfile::tempdir().unwrap();
    let refused = |command: &mut Command, told: &str| {
        let output = command.output().unwrap();
        expect_code(&output, &[2]);
        let shown = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(shown.contains(told), "{shown}");
    };
    refused(
        nephoscope(home.path()).args(["query", "RETURN 1", "--at", "latest"]),
        "--store DIR or set NEPHOSCOPE_STORE",
    );
    refused(&mut with_store(home.path(), &["snapshots"]), "there is no store in");
    two_days(home.path());
    refused(&mut with_store(home.path(), &["diff", "2026-11-01", "latest"]), "the nearest are `2026-11-24T12-00-00Z-");
    let explain = ["query", "EXPLAIN RETURN 1", "--between", "latest~1", "latest"];
    refused(&mut with_store(home.path(), &explain), "leave out EXPLAIN");
    // A damaged file stops only what needs it.
    let store = home.path().join("store");
    let newest = std::fs::read_dir(&store).unwrap().map(|entry| entry.unwrap().path());
    let newest = newest.filter(|path| path.to_string_lossy().contains("11-25T12")).max().unwrap();
    std::fs::write(newest.join("kinds/aws.s3.bucket.parquet"), "x").unwrap();
    let ask = |query: &str| with_store(home.path(), &["query", query, "--at", "latest"]);
    refused(&mut ask("MATCH (b:AwsS3Bucket) RETURN b.name"), "aws.s3.bucket.parquet` is damaged: it has 1 bytes");
    expect_code(&ask("MATCH (a:AwsAccountAccount) RETURN a.key").output().unwrap(), &[0, 3]);
    let listed = json_of(&mut with_store(home.path(), &["snapshots", "--format", "json"]), &[3]);
    assert_eq!((&listed[0]["state"], &listed[1]["state"]), (&json!("damaged"), &json!("complete")));
}

/// Every SQL statement of the documentation runs on the demo's snapshot, and counts what a query counts.
#[test]
fn the_documentation_is_right() {
    let home = tempfile::tempdir().unwrap();
    let page = home.path().join("demo.html");
    expect_code(&with_store(home.path(), &["demo", "--out"]).arg(page).output().unwrap(), &[0]);
    let listed = json_of(&mut with_store(home.path(), &["snapshots", "--format", "json"]), &[0]);
    let folder = home.path().join("store").join(listed[0]["id"].as_str().unwrap());
    let text = include_str!("../../../../docs/snapshots.md");
    let statements: Vec<&str> = text
        .split("```sql\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().trim().trim_end_matches(';'))
        .collect();
    let python = std::env::var("NEPHO_PYTHON").expect("NEPHO_PYTHON is not set: run the tests with `cargo xtask test`");
    let script = "import duckdb, json, sys
print(json.dumps([duckdb.sql(sql).fetchall() for sql in json.loads(sys.argv[1])], default=str))";
    let output = Command::new(python)
        .args(["-c", script, &json!(statements).to_string()])
        .current_dir(&folder)
        .output()
        .unwrap();
    let answers: Vec<Json> = serde_json::from_str(&expect_code(&output, &[0])).unwrap();
    assert!(answers.len() >= 5 && answers.iter().all(|rows| !rows.as_array().unwrap().is_empty()), "{answers:?}");
    let counts = "MATCH (n) RETURN n.kind AS kind, count(*) AS n ORDER BY kind";
    let counted =
        json_of(&mut with_store(home.path(), &["query", counts, "--at", "latest", "--format", "json"]), &[0, 3]);
    let mut theirs: Vec<(String, u64)> = answers[1]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row[0].as_str().unwrap().to_owned(), row[1].as_u64().unwrap()))
        .collect();
    theirs.sort();
    let ours = counted.as_array().unwrap().iter();
    let ours: Vec<_> = ours.map(|row| (row["kind"].as_str().unwrap().to_owned(), row["n"].as_u64().unwrap())).collect();
    assert_eq!(theirs, ours);
}
