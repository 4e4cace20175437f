//! Mistakes of a user's: one clear line, what to do next, exit code 2.

use std::process::Command;

use crate::support::{expect_code, nephoscope};

/// Runs it, expects exit code 2, and returns stderr.
fn refused(command: &mut Command) -> String {
    let output = command.output().unwrap();
    expect_code(&output, &[2]);
    let shown = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!shown.contains("panicked"), "{shown}");
    shown
}

#[test]
fn unknown_profile() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("config"), "[profile work]\nregion = eu-west-1\n").unwrap();
    let shown = refused(nephoscope(home.path()).env("AWS_CONFIG_FILE", home.path().join("config")).args([
        "scan",
        "aws",
        "--profile",
        "wrok",
    ]));
    assert!(shown.contains("`wrok`"), "{shown}");
}

#[test]
fn no_credentials() {
    let home = tempfile::tempdir().unwrap();
    let shown = refused(nephoscope(home.path()).args(["scan", "aws"]));
    assert!(shown.contains("credentials"), "{shown}");
}

#[test]
fn unreachable_endpoint() {
    let home = tempfile::tempdir().unwrap();
    let shown = refused(
        nephoscope(home.path())
            .env("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
            .env("AWS_ACCESS_KEY_ID", "a")
            .env("AWS_SECRET_ACCESS_KEY", "b")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .args(["scan", "aws"]),
    );
    assert!(shown.contains("127.0.0.1:1"), "{shown}");
}

#[test]
fn broken_query_gets_a_caret_and_the_nearest_name() {
    let home = tempfile::tempdir().unwrap();
    let shown = refused(nephoscope(home.path()).args(["query", "MATCH (b:AwsS3Bukcet) RETURN b"]));
    assert!(shown.contains("AwsS3Bucket") && shown.contains('^'), "{shown}");
    let shown = refused(nephoscope(home.path()).args(["query", "MATCH (b:AwsS3Bucket) WHERE b.publik_read RETURN b"]));
    assert!(shown.contains("public_read") && shown.contains('^'), "{shown}");
    let shown = refused(nephoscope(home.path()).args(["query", "MATCH (b RETURN b"]));
    assert!(shown.contains('^'), "{shown}");
}

#[test]
fn broken_rule_file_is_shown_with_its_source() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("own/rules/aws/s3");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("mine.yaml");
    let list = |home: &std::path::Path| {
        let mut command = nephoscope(home);
        command.args(["rules", "test", "aws.s3.mine", "--catalog"]).arg(home.join("own"));
        command
    };
    std::fs::write(&file, "id: aws.s3.mine\ntitle: [\n").unwrap();
    let shown = refused(&mut list(home.path()));
    assert!(shown.contains("mine.yaml"), "{shown}");

    let rule = "id: aws.s3.mine\ntitle: Mine\nseverity: low\non: aws.s3.bucket\nfail_when: r.publik_read\nwhy: because\nfix: {text: do}\n";
    std::fs::write(&file, rule).unwrap();
    let shown = refused(&mut list(home.path()));
    assert!(shown.contains("mine.yaml") && shown.contains('^') && shown.contains("public_read"), "{shown}");
}

#[test]
fn unreadable_recording() {
    let home = tempfile::tempdir().unwrap();
    let missing = home.path().join("nowhere");
    let shown = refused(nephoscope(home.path()).args(["findings", "--replay"]).arg(&missing));
    assert!(shown.contains("nowhere"), "{shown}");
    let garbage = home.path().join("garbage.jsonl.zst");
    std::fs::write(&garbage, [0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3]).unwrap();
    let shown = refused(nephoscope(home.path()).args(["findings", "--replay"]).arg(&garbage));
    assert!(shown.contains("garbage.jsonl.zst"), "{shown}");
}

#[test]
fn no_scan_yet() {
    let home = tempfile::tempdir().unwrap();
    let shown = refused(nephoscope(home.path()).arg("findings"));
    assert!(shown.contains("nephoscope scan aws"), "{shown}");
}

#[test]
fn unknown_names_get_the_nearest() {
    let home = tempfile::tempdir().unwrap();
    let shown = refused(nephoscope(home.path()).args(["rules", "show", "aws.s3.bucket-public-reed"]));
    assert!(shown.contains("aws.s3.bucket-public-read"), "{shown}");
    let shown = refused(nephoscope(home.path()).args(["kinds", "show", "AwsS3Buket"]));
    assert!(shown.contains("nephoscope kinds list") || shown.contains("aws.s3.bucket"), "{shown}");
}
