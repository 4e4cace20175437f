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
    assert!(shown.contains("help: ") && shown.contains("AWS_ENDPOINT_URL") && shown.contains("proxy"), "{shown}");
}

#[test]
fn broken_query_gets_a_caret_and_the_nearest_name() {
    let home = tempfile::tempdir().unwrap();
    let shown = refused(nephoscope(home.path()).args(["query", "MATCH (b:AwsS3Bukcet) RETURN b"]));
    assert!(shown.contains("AwsS3Bucket") && shown.contains('^'), "{shown}");
    let shown = refused(nephoscope(home.path()).args(["query", "MATCH (b:AwsS3Bucket) WHERE b.publik_read RETURN b"]));
    assert!(shown.contains("public_read") && shown.contains('^'), "{shown}");
    let shown = refused(nephoscope(home.path()).args(["query", "MATCH (b:AwsS3Bucket) WHERE b.name = RETURN b"]));
    assert!(shown.contains("`AND`") && shown.contains("others") && shown.matches('`').count() <= 12, "{shown}");
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
    std::fs::write(&file, "id: aws.s3.mine\nseverty: low\n").unwrap();
    let shown = refused(&mut list(home.path()));
    assert!(shown.contains("mine.yaml:2:1") && shown.contains("^^^^^^^") && !shown.contains("<input>"), "{shown}");
    assert_eq!(shown.matches("unknown field").count(), 1, "{shown}");

    // Every error, each with its line in the file, also by the commands that only list.
    let rule = |id: &str, condition: &str| {
        format!(
            "id: aws.s3.{id}\ntitle: Mine\nseverity: low\non: aws.s3.bucket\nfail_when: {condition}\nwhy: because\nfix: {{text: do}}\n"
        )
    };
    std::fs::write(&file, rule("mine", ">-\n  r.versioning_status = 'Enabled'\n  AND r.publik_read")).unwrap();
    std::fs::write(folder.join("other.yaml"), rule("other", "r.public_read AND")).unwrap();
    let mut rules_list = nephoscope(home.path());
    rules_list.args(["rules", "list", "--catalog"]).arg(home.path().join("own"));
    for command in [&mut list(home.path()), &mut rules_list] {
        let shown = refused(command);
        assert!(shown.contains("mine.yaml:7:") && shown.contains('^') && shown.contains("public_read"), "{shown}");
        assert!(shown.contains("other.yaml:5:") && shown.contains("ends too early"), "{shown}");
        assert!(shown.contains("2 errors"), "{shown}");
    }
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

/// A kind with a mistake in an expression, in a folder of one's own.
#[test]
fn broken_kind_file_is_shown_with_its_source() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("own/kinds/aws/s3");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join("mine.yaml"),
        "kind: aws.s3.mine\ntitle: Mine\ndoc: Mine.\nscope: global\nlist: {service: s3, action: ListBuckets, items: Buckets}\nkey: 'mine:{Name}'\nname: Name\nids: [Name]\nproperties:\n  size: {type: int, api: 'Size[', doc: Size.}\n",
    )
    .unwrap();
    let recording = crate::support::recordings::buckets(home.path());
    let shown = refused(
        nephoscope(home.path())
            .args(["findings", "--catalog"])
            .arg(home.path().join("own"))
            .arg("--replay")
            .arg(recording),
    );
    assert!(shown.contains("mine.yaml:10:3") && shown.contains("property `size`") && shown.contains('^'), "{shown}");
}

#[test]
fn a_wrong_catalogue_folder() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("mine.yaml"), "id: x\n").unwrap();
    let shown = refused(nephoscope(home.path()).args(["rules", "list", "--catalog"]).arg(home.path()));
    assert!(shown.contains("`rules/`"), "{shown}");
    // An empty variable is none.
    let output = nephoscope(home.path()).env("NEPHOSCOPE_CATALOG", "").args(["kinds", "list"]).output().unwrap();
    assert!(expect_code(&output, &[0]).contains("aws.s3.bucket"));
    let rules = home.path().join("rules/own");
    std::fs::create_dir_all(&rules).unwrap();
    let rule = "id: own.mine\ntitle: Mine\nseverity: low\non: aws.s3.bucket\nfail_when: r.public_read\nwhy: because\nfix: {text: do}\n";
    std::fs::write(rules.join("mine.yaml"), rule).unwrap();
    std::fs::write(rules.join("other.yml"), rule).unwrap();
    let output = nephoscope(home.path()).args(["rules", "list", "--catalog"]).arg(home.path()).output().unwrap();
    assert!(expect_code(&output, &[0]).contains("own.mine"));
    let warnings = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(warnings.contains("other.yml") && warnings.contains("mine.yaml"), "{warnings}");
}

#[test]
fn options_that_would_do_nothing() {
    let home = tempfile::tempdir().unwrap();
    for (arguments, named) in [
        (&["--accounts", "111122223333"][..], "--organization"),
        (&["--role", "audit"], "--organization"),
        (&["--replay", "x", "--regions", "us-east-1"], "--regions"),
        (&["--replay", "x", "--profile", "audit"], "--profile"),
        (&["--replay", "x", "--organization"], "--organization"),
        (&["--replay", "x", "--record", "y"], "--record"),
    ] {
        let shown = refused(nephoscope(home.path()).args(["scan", "aws"]).args(arguments));
        assert!(shown.contains(named), "{arguments:?}: {shown}");
    }
}

/// Told at once: there is nothing to read from, and that is not what is complained about.
#[test]
fn mistakes_in_what_to_report_are_told_before_anything_is_read() {
    let home = tempfile::tempdir().unwrap();
    let mutes = home.path().join("mutes.yaml");
    std::fs::write(&mutes, "mutes:\n  - {rule: '*', reason: x, expires: 2027-01-01}\n").unwrap();
    let broken = home.path().join("broken.yaml");
    std::fs::write(&broken, "mutes:\n  - {rule: aws.s3.*, reason: x}\n").unwrap();
    let (mutes, broken) = (mutes.to_str().unwrap(), broken.to_str().unwrap());
    for (arguments, named) in [
        (&["--rule", "aws.s3.bucket-public-reed"][..], "aws.s3.bucket-public-read"),
        (&["--format", "pdf"], "sarif"),
        (&["--out", "report.pdf"], "--format"),
        (&["--out", "missing/report.json"], "there is no folder `missing`"),
        (&["--mutes", mutes], "would mute everything"),
        (&["--mutes", broken], "broken.yaml:2:"),
        (&["--mutes", "missing.yaml"], "missing.yaml"),
    ] {
        for command in [&["scan", "aws"][..], &["findings"]] {
            let shown = refused(nephoscope(home.path()).args(command).args(arguments));
            assert!(shown.contains(named), "{arguments:?}: {shown}");
            assert!(!shown.contains("credentials") && !shown.contains("no scan yet"), "{arguments:?}: {shown}");
        }
    }
}

#[test]
fn tests_of_nothing() {
    let home = tempfile::tempdir().unwrap();
    let shown = refused(nephoscope(home.path()).args(["rules", "test", "aws.s4"]));
    assert!(shown.contains("did you mean `aws.s3`?"), "{shown}");
    let shown = refused(nephoscope(home.path()).args(["kinds", "test", "aws.s3.bukket"]));
    assert!(shown.contains("did you mean `aws.s3.bucket`?"), "{shown}");
    let output = nephoscope(home.path()).args(["kinds", "transforms"]).output().unwrap();
    assert!(expect_code(&output, &[0]).lines().any(|line| line.contains("arn-account") && line.contains("account id")));
}
