//! What is listed, counted, written, and with which exit code.

use std::path::Path;
use std::process::Output;

use crate::support::recordings::{RULE, buckets};
use crate::support::{expect_code, nephoscope, report};

/// A scan of the small recording.
fn scan(home: &Path, arguments: &[&str]) -> Output {
    let recording = buckets(home);
    nephoscope(home)
        .current_dir(home)
        .env("COLUMNS", "300")
        .args(["scan", "aws", "--services", "s3,s3control", "--replay"])
        .arg(recording)
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn counts_and_exit_codes_do_not_depend_on_what_is_listed() {
    let home = tempfile::tempdir().unwrap();
    let mut counts = Vec::new();
    for (verdicts, severity) in [("fail", "info"), ("unknown", "info"), ("pass", "info"), ("all", "critical")] {
        let output = scan(
            home.path(),
            &["--verdicts", verdicts, "--severity", severity, "--fail-on", "low", "--out", "report.json"],
        );
        expect_code(&output, &[1]);
        counts.push(report(&home.path().join("report.json"))["counts"].clone());
    }
    assert!(counts[0]["open"]["critical"].as_u64().unwrap() > 0, "{}", counts[0]);
    assert!(counts[0]["open"]["medium"].as_u64().unwrap() > 0, "{}", counts[0]);
    assert!(counts.windows(2).all(|pair| pair[0] == pair[1]), "{counts:#?}");

    let shown = expect_code(&scan(home.path(), &["--verdicts", "unknown"]), &[3]);
    assert!(!shown.contains("0 critical") && !shown.contains("No open findings"), "{shown}");
    assert!(shown.contains("Listed is only what could not be judged"), "{shown}");
}

#[test]
fn with_chosen_rules_nothing_is_said_about_compliance() {
    let home = tempfile::tempdir().unwrap();
    expect_code(&scan(home.path(), &["--rule", RULE, "--out", "report.json"]), &[3]);
    let report = report(&home.path().join("report.json"));
    assert_eq!(report["compliance"], serde_json::json!([]));
    assert!(report["notes"].to_string().contains("nothing is said about compliance"), "{}", report["notes"]);
}

#[test]
fn an_unknown_is_listed_with_the_call_and_the_providers_words() {
    let home = tempfile::tempdir().unwrap();
    let recording = buckets(home.path());
    let list = |arguments: &[&str]| {
        let mut command = nephoscope(home.path());
        command.arg("findings").arg("--replay").arg(&recording).args(arguments);
        expect_code(&command.output().unwrap(), &[3])
    };
    let shown = list(&["--verdicts", "unknown"]);
    let line = shown.lines().find(|line| line.contains(RULE)).unwrap();
    assert!(line.contains("arn:aws:s3:::closed") && line.contains("s3:GetBucketPolicy denied AccessDenied"), "{line}");
    let shown = list(&["--rule", RULE, "--verdicts", "pass"]);
    assert!(shown.contains("there is 1 open finding besides"), "{shown}");
}

#[test]
fn compliance_and_coverage_tell_gaps_by_their_exit_code() {
    let home = tempfile::tempdir().unwrap();
    let recording = buckets(home.path());
    let run = |arguments: &[&str]| {
        let output = nephoscope(home.path()).args(arguments).arg("--replay").arg(&recording).output().unwrap();
        expect_code(&output, &[3])
    };
    assert!(run(&["compliance"]).contains("cis-aws-5.0"));
    let one = run(&["compliance", "cis-aws-5.0"]);
    assert!(
        one.lines().any(|line| line.contains("2.1.4") && line.contains("fail") && line.contains("aws.s3.")),
        "{one}"
    );
    let coverage = run(&["coverage"]);
    assert!(coverage.contains("s3:GetBucketPolicy in 111122223333 (us-east-1): missing for 1 resource"), "{coverage}");
    assert!(coverage.contains("AccessDenied: not for you") && coverage.contains("permissions aws"), "{coverage}");
}

#[test]
fn mutes_are_held_against_all_failures_and_their_oddities_are_told() {
    let home = tempfile::tempdir().unwrap();
    let mutes = format!(
        "mutes:\n  - {{rule: {RULE}, resource: open, reason: web site, expires: 2027-01-01}}\n  - {{rule: aws.s3.bucket-public-raed, reason: typo, expires: 2027-01-01}}\n  - {{rule: {RULE}, account: '9*', reason: moved, expires: 2027-01-01}}\n"
    );
    std::fs::write(home.path().join("mutes.yaml"), mutes).unwrap();
    let output = scan(home.path(), &["--mutes", "mutes.yaml", "--severity", "critical", "--out", "report.json"]);
    let shown = expect_code(&output, &[3]);
    assert!(shown.contains("did you mean `aws.s3.bucket-public-read`?"), "{shown}");
    assert!(shown.contains(&format!("mute 3 (rule {RULE}, account 9*): it matches no finding")), "{shown}");
    let report = report(&home.path().join("report.json"));
    assert_eq!(report["mutes"][0]["resource"], "open");
    assert_eq!(report["mutes"][0]["matched"], 1);
    assert_eq!(report["counts"]["muted"], 1);
}

#[cfg(unix)]
#[test]
fn reports_go_where_they_are_told_to() {
    use std::os::unix::fs::symlink;
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    let rule = ["--rule", RULE];
    let to = |arguments: &[&str]| scan(home.path(), &[&rule, arguments].concat());

    // A link stays a link, and what it leads to is written.
    std::fs::write(at("real.json"), "old").unwrap();
    symlink("real.json", at("link.json")).unwrap();
    expect_code(&to(&["--out", "link.json"]), &[3]);
    assert!(at("link.json").is_symlink());
    assert_eq!(report(&at("real.json"))["schema"], "nephoscope-report/1");

    // A pipe stays a pipe.
    let made = std::process::Command::new("mkfifo").arg(at("pipe.json")).status().unwrap();
    assert!(made.success());
    let pipe = at("pipe.json");
    let reader = std::thread::spawn(move || std::fs::read_to_string(pipe).unwrap());
    expect_code(&to(&["--out", "pipe.json"]), &[3]);
    assert!(reader.join().unwrap().contains("nephoscope-report/1"));

    // Standard output, alone.
    for name in ["-", "/dev/stdout"] {
        let shown = expect_code(&to(&["--format", "csv", "--out", name]), &[3]);
        assert!(shown.starts_with("id,verdict,"), "{shown}");
        assert!(!shown.contains("could not be judged"), "{shown}");
    }

    // A format beside a file: both.
    let shown = expect_code(&to(&["--format", "csv", "--out", "both.json"]), &[3]);
    assert!(shown.starts_with("id,verdict,"), "{shown}");
    assert!(at("both.json").is_file());
    // A file without an ending takes the format.
    let shown = expect_code(&to(&["--format", "csv", "--out", "bare"]), &[3]);
    assert!(shown.contains("could not be judged"), "{shown}");
    assert!(std::fs::read_to_string(at("bare")).unwrap().starts_with("id,verdict,"));

    let left: Vec<_> = std::fs::read_dir(home.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".tmp"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn every_format_says_what_could_not_be_read() {
    let home = tempfile::tempdir().unwrap();
    for name in ["r.json", "r.csv", "r.sarif", "r.ocsf.json", "r.junit.xml", "r.html", "r.txt"] {
        expect_code(&scan(home.path(), &["--out", name]), &[3]);
        let text = std::fs::read_to_string(home.path().join(name)).unwrap();
        assert!(text.contains("s3:GetBucketPolicy") && text.contains("not for you"), "{name}");
    }
}
