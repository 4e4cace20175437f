//! Scans through a proxy that breaks things: what cannot be read becomes coverage, never a wrong answer.

use crate::support::proxy::{Fault, Proxy};
use crate::support::{against, expect_code, moto, profile, report, seed, verdict};
use serde_json::Value as Json;

const SEED: &str = r#"
s3 = session.client("s3")
for number in range(3):
    name = f"faults-{ACCOUNT}-{number}"
    s3.create_bucket(Bucket=name)
ec2 = session.client("ec2")
for number in range(3):
    ec2.create_volume(AvailabilityZone="us-east-1a", Size=8, Encrypted=number > 0)
for name in ["one", "two"]:
    session.client("sqs").create_queue(QueueName=name)
"#;

/// Scans through the proxy; the report with all verdicts.
fn scan(account: &str, decide: impl Fn(&crate::support::proxy::Request) -> Fault + Send + Sync + 'static) -> Json {
    let home = tempfile::tempdir().unwrap();
    let proxy = Proxy::start(&moto(), decide);
    let out = home.path().join("report.json");
    let output = against(home.path(), &proxy.url())
        .env("AWS_CONFIG_FILE", profile(home.path(), account))
        .args(["scan", "aws", "--profile", "test", "--regions", "us-east-1", "--quiet", "--verdicts", "all"])
        .args(["--services", "s3,s3control,ec2,sqs,iam,account", "--call-timeout", "10", "--out"])
        .arg(&out)
        .output()
        .unwrap();
    expect_code(&output, &[0, 3]);
    report(&out)
}

fn prepare(account: &str) {
    seed(account, &format!("ACCOUNT = \"{account}\"\n{SEED}"));
}

fn coverage<'a>(report: &'a Json, call: &str) -> Vec<&'a str> {
    report["coverage"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["call"] == call)
        .filter_map(|entry| entry["state"].as_str())
        .collect()
}

fn volumes(report: &Json) -> Vec<(String, String)> {
    report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["rule"] == "aws.ec2.volume-unencrypted")
        .map(|finding| (finding["resource"]["key"].to_string(), finding["verdict"].to_string()))
        .collect()
}

fn xml_error(status: u16, code: &str) -> Fault {
    Fault::Answer {
        status,
        content_type: "text/xml",
        body: format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>injected</Message></Error></Errors><RequestID>1</RequestID></Response>"
        ),
    }
}

#[test]
fn denied_is_coverage_and_unknown() {
    let account = "222200000011";
    prepare(account);
    let denied = |body: &str| Fault::Answer { status: 403, content_type: "application/xml", body: body.to_owned() };
    let found = scan(account, move |request| {
        if request.mentions("Action=DescribeVolumes") {
            return xml_error(403, "UnauthorizedOperation");
        }
        if request.head.starts_with("GET /faults-") && request.head.contains("?policy ") {
            return denied("<Error><Code>AccessDenied</Code><Message>no</Message></Error>");
        }
        Fault::None
    });
    assert_eq!(coverage(&found, "ec2:DescribeVolumes"), ["denied"]);
    assert!(volumes(&found).is_empty(), "volumes that could not be listed are not judged");
    let key = format!("arn:aws:s3:::faults-{account}-0");
    assert_eq!(verdict(&found, "aws.s3.bucket-public-read", &key), Some("unknown"));
    let reasons = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["rule"] == "aws.s3.bucket-public-read" && finding["resource"]["key"] == key)
        .map(|finding| finding["reasons"].to_string())
        .unwrap();
    assert!(reasons.contains("s3:GetBucketPolicy") && reasons.contains("AccessDenied"), "{reasons}");
}

#[test]
fn storms_and_broken_connections_are_ridden_out() {
    let account = "222200000012";
    prepare(account);
    let calm = scan(account, |_| Fault::None);
    let rough = scan(account, |request| match request.number % 7 {
        1 => xml_error(503, "Throttling"),
        3 => Fault::Answer { status: 500, content_type: "text/plain", body: "oops".to_owned() },
        5 => Fault::Reset,
        _ => Fault::None,
    });
    assert_eq!(volumes(&calm).len(), 3);
    assert_eq!(volumes(&rough), volumes(&calm));
    assert_eq!(rough["counts"]["resources"], calm["counts"]["resources"]);
}

/// The header's value in a request's head.
fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

#[test]
fn a_session_that_expires_in_mid_scan_is_renewed() {
    let account = "222200000016";
    prepare(account);
    let calm = scan(account, |_| Fault::None);
    let expired = std::sync::Mutex::new(None::<String>);
    let refused = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = refused.clone();
    let rough = scan(account, move |request| {
        let Some(token) = header(&request.head, "x-amz-security-token") else { return Fault::None };
        let mut expired = expired.lock().unwrap();
        // The token in use at the thirtieth request is good no more.
        if request.number >= 30 && expired.is_none() {
            *expired = Some(token.to_owned());
        }
        if expired.as_deref() == Some(token) {
            count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            // In the service's own way of saying it.
            let (content_type, body) = if request.mentions("Action=") {
                return xml_error(403, "ExpiredToken");
            } else if header(&request.head, "content-type").is_some_and(|of| of.contains("json")) {
                ("application/x-amz-json-1.1", r#"{"__type": "ExpiredTokenException", "message": "injected"}"#)
            } else {
                ("application/xml", "<Error><Code>ExpiredToken</Code><Message>injected</Message></Error>")
            };
            return Fault::Answer { status: 403, content_type, body: body.to_owned() };
        }
        Fault::None
    });
    assert!(refused.load(std::sync::atomic::Ordering::SeqCst) > 0, "no request had the expired token");
    assert_eq!(volumes(&rough), volumes(&calm));
    assert_eq!(rough["counts"]["resources"], calm["counts"]["resources"]);
    assert!(!rough["coverage"].to_string().contains("ExpiredToken"));
}

#[test]
fn killed_at_any_moment_it_goes_on_to_the_same_end() {
    let account = "222200000017";
    prepare(account);
    let calm = scan(account, |_| Fault::None);
    for moment in [12, 40, 90] {
        let home = tempfile::tempdir().unwrap();
        let proxy = Proxy::start(&moto(), |_| Fault::None);
        let out = home.path().join("report.json");
        let command = || {
            let mut command = against(home.path(), &proxy.url());
            command
                .env("AWS_CONFIG_FILE", profile(home.path(), account))
                .args(["scan", "aws", "--profile", "test", "--regions", "us-east-1", "--quiet", "--verdicts", "all"])
                .args(["--services", "s3,s3control,ec2,sqs,iam,account", "--record"])
                .arg(home.path().join("recording"))
                .arg("--out")
                .arg(&out);
            command
        };
        let mut child = command().spawn().unwrap();
        while proxy.seen.load(std::sync::atomic::Ordering::SeqCst) < moment && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let before = proxy.seen.load(std::sync::atomic::Ordering::SeqCst);
        let output = command().arg("--resume").output().unwrap();
        expect_code(&output, &[0, 3]);
        let resumed = report(&out);
        assert!(proxy.seen.load(std::sync::atomic::Ordering::SeqCst) > before, "killed after the end: {moment}");
        assert_eq!(resumed["counts"], calm["counts"], "killed at request {moment}");
        let all = |report: &Json| {
            let findings = report["findings"].as_array().unwrap().iter();
            findings.map(|one| (one["id"].to_string(), one["verdict"].to_string())).collect::<Vec<_>>()
        };
        assert_eq!(all(&resumed), all(&calm), "killed at request {moment}");
    }
}

#[test]
fn an_interrupt_reports_what_was_read() {
    let account = "222200000015";
    prepare(account);
    let home = tempfile::tempdir().unwrap();
    // Everything but the sign-in and the buckets hangs.
    let proxy = Proxy::start(&moto(), |request| {
        let quick = ["Action=AssumeRole", "Action=GetCallerIdentity", "Action=DescribeRegions", "GET / ", "GET /?"];
        if !quick.iter().any(|text| request.mentions(text)) {
            std::thread::park_timeout(std::time::Duration::from_secs(60));
        }
        Fault::None
    });
    let out = home.path().join("report.json");
    let mut child = against(home.path(), &proxy.url())
        .env("AWS_CONFIG_FILE", profile(home.path(), account))
        .args(["scan", "aws", "--profile", "test", "--regions", "us-east-1", "--services", "sqs,ec2", "--out"])
        .arg(&out)
        .stderr(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // A dozen requests in: the collection is under way.
    while proxy.seen.load(std::sync::atomic::Ordering::SeqCst) < 12 {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    let interrupt = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    assert_eq!(child.wait().unwrap().code(), Some(3));
    let found = report(&out);
    let states: Vec<&str> =
        found["coverage"].as_array().unwrap().iter().filter_map(|entry| entry["state"].as_str()).collect();
    assert!(states.contains(&"cut"), "{states:?}");
}

#[test]
fn cut_off_and_garbled_answers_are_malformed() {
    let account = "222200000013";
    prepare(account);
    let found = scan(account, |request| {
        if request.mentions("Action=DescribeVolumes") {
            return Fault::Answer {
                status: 200,
                content_type: "text/xml",
                body: "<html><p>Welcome to the hotel".to_owned(),
            };
        }
        if request.mentions("Action=DescribeSnapshots") {
            return Fault::Truncate(40);
        }
        Fault::None
    });
    let one_of = |states: Vec<&str>, allowed: &[&str]| states.len() == 1 && allowed.contains(&states[0]);
    assert!(
        one_of(coverage(&found, "ec2:DescribeVolumes"), &["malformed"]),
        "{:?}",
        coverage(&found, "ec2:DescribeVolumes")
    );
    assert!(
        one_of(coverage(&found, "ec2:DescribeSnapshots"), &["malformed", "unreachable"]),
        "{:?}",
        coverage(&found, "ec2:DescribeSnapshots")
    );
}

#[test]
fn a_paginator_that_never_ends_is_noticed() {
    let account = "222200000014";
    prepare(account);
    let found = scan(account, |request| match request.mentions("Action=DescribeVolumes") {
        true => Fault::Replace {
            from: "</DescribeVolumesResponse>".to_owned(),
            to: "<nextToken>again</nextToken></DescribeVolumesResponse>".to_owned(),
        },
        false => Fault::None,
    });
    assert_eq!(coverage(&found, "ec2:DescribeVolumes"), ["malformed"]);
}

#[test]
fn regions_that_are_off_are_told_once_where_the_account_does_not_say() {
    let account = "222200000015";
    prepare(account);
    let home = tempfile::tempdir().unwrap();
    let proxy = Proxy::start(&moto(), |request| {
        if request.mentions("Action=DescribeRegions") {
            return xml_error(403, "UnauthorizedOperation");
        }
        match request.head.contains("/af-south-1/") {
            true => xml_error(401, if request.head.contains("/sts/") { "InvalidClientTokenId" } else { "AuthFailure" }),
            false => Fault::None,
        }
    });
    let out = home.path().join("report.json");
    let output = against(home.path(), &proxy.url())
        .env("AWS_CONFIG_FILE", profile(home.path(), account))
        .args(["scan", "aws", "--profile", "test", "--regions", "us-east-1,af-south-1", "--quiet"])
        .args(["--services", "ec2,sqs", "--call-timeout", "10", "--out"])
        .arg(&out)
        .output()
        .unwrap();
    expect_code(&output, &[0, 3]);
    let found = report(&out);
    let there: Vec<&Json> =
        found["coverage"].as_array().unwrap().iter().filter(|entry| entry["region"] == "af-south-1").collect();
    assert_eq!(there.len(), 1, "{there:?}");
    assert_eq!(there[0]["state"], "region_disabled");
}

#[test]
fn refused_keys_are_told_with_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let proxy = Proxy::start("http://127.0.0.1:1", |_| xml_error(403, "InvalidClientTokenId"));
    let output = against(home.path(), &proxy.url()).args(["scan", "aws"]).output().unwrap();
    expect_code(&output, &[2]);
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(shown.contains("InvalidClientTokenId") && shown.contains("aws configure list"), "{shown}");
}
