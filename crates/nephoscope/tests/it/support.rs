//! What the tests of the command line share.

#![allow(dead_code, reason = "each test file uses its own part")]

pub mod proxy;
pub mod recordings;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value as Json;

/// A run of the binary with no configuration but the given.
pub fn nephoscope(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nephoscope"));
    for (name, _) in std::env::vars() {
        if name.starts_with("AWS_") || name.starts_with("NEPHOSCOPE_") {
            command.env_remove(name);
        }
    }
    command
        .env("NEPHOSCOPE_HOME", home)
        .env("HOME", home)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("NO_COLOR", "1");
    command
}

/// The same, pointed at a server.
pub fn against(home: &Path, url: &str) -> Command {
    let mut command = nephoscope(home);
    command
        .env("AWS_ENDPOINT_URL", url)
        .env("AWS_ACCESS_KEY_ID", "testing")
        .env("AWS_SECRET_ACCESS_KEY", "testing")
        .env("AWS_DEFAULT_REGION", "us-east-1");
    command
}

/// The test server that `cargo xtask test` started; without it, the test says how to run it.
pub fn moto() -> String {
    std::env::var("NEPHO_MOTO").expect("NEPHO_MOTO is not set: run the tests with `cargo xtask test`")
}

/// Runs a Python script with boto3 in account `account` of the test server (each test has an account of its own).
pub fn seed(account: &str, script: &str) {
    let python = std::env::var("NEPHO_PYTHON").expect("NEPHO_PYTHON is not set: run the tests with `cargo xtask test`");
    let preamble = format!(
        r#"
import boto3, json
_c = boto3.client("sts", region_name="us-east-1").assume_role(RoleArn="arn:aws:iam::{account}:role/seed", RoleSessionName="seed")["Credentials"]
session = boto3.Session(aws_access_key_id=_c["AccessKeyId"], aws_secret_access_key=_c["SecretAccessKey"], aws_session_token=_c["SessionToken"], region_name="us-east-1")
"#
    );
    let output = Command::new(python)
        .arg("-c")
        .arg(format!("{preamble}\n{script}"))
        .env("AWS_ENDPOINT_URL", moto())
        .env("AWS_ACCESS_KEY_ID", "testing")
        .env("AWS_SECRET_ACCESS_KEY", "testing")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .output()
        .unwrap();
    assert!(output.status.success(), "seeding failed: {}", String::from_utf8_lossy(&output.stderr));
}

/// A shared configuration file whose profile `test` assumes a role in the account.
pub fn profile(home: &Path, account: &str) -> std::path::PathBuf {
    let path = home.join("aws-config");
    std::fs::write(
        &path,
        format!("[profile test]\nrole_arn = arn:aws:iam::{account}:role/scan\ncredential_source = Environment\nregion = us-east-1\n"),
    )
    .unwrap();
    path
}

/// stdout as text; stderr goes into the message when the exit code is not among the given.
pub fn expect_code(output: &Output, codes: &[i32]) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.code().is_some_and(|code| codes.contains(&code)),
        "exit code {:?}\nstdout: {stdout}\nstderr: {}",
        output.status.code(),
        String::from_utf8_lossy(&output.stderr)
    );
    stdout
}

/// A JSON report read from a file.
pub fn report(path: &Path) -> Json {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The verdict of a rule on a resource in a report made with `--verdicts all`.
pub fn verdict<'a>(report: &'a Json, rule: &str, key: &str) -> Option<&'a str> {
    report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["rule"] == rule && finding["resource"]["key"] == key)
        .and_then(|finding| finding["verdict"].as_str())
}
