//! `cargo xtask demo-record`: seeds a moto server and records a real collection from it as `demo/recording/`.

use std::path::Path;
use std::process::Command;

use anyhow::bail;

use crate::python;

/// What the demo's organisation uses and moto answers for: what moto lacks would be all of the demo's coverage.
const SERVICES: &str = "account,iam,organizations,s3,s3control,ec2,autoscaling,elb,elbv2,rds,redshift,dynamodb,efs,lambda,ecr,\
    ecs,eks,kms,secretsmanager,ssm,acm,sns,sqs,kinesis,logs,cloudtrail,cloudwatch,config,guardduty,securityhub,cloudfront,\
    route53,wafv2";

/// Replaces `demo/recording/`.
pub fn record(root: &Path) -> anyhow::Result<bool> {
    let environment = python::test_environment(root)?;
    let moto = python::Moto::start(&environment)?;
    python::script(&environment, &root.join("demo/seed.py"), &moto)?;
    // The binary carries the recording that is there: it is replaced when the new one is whole.
    let recording = environment.join("demo-recording");
    if recording.exists() {
        std::fs::remove_dir_all(&recording)?;
    }
    let mut scan = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    scan.current_dir(root)
        .args(["run", "--release", "--package", "nephoscope", "--", "scan", "aws", "--organization"])
        .args(["--role", "OrganizationAccountAccessRole", "--regions", "us-east-1,eu-west-1"])
        .args(["--services", SERVICES, "--record"])
        .arg(&recording)
        .env("NEPHOSCOPE_HOME", environment.join("home"));
    python::aws_test_environment(&mut scan, &moto.url);
    // 3: moto lacks an operation here and there; that is coverage, and the demo shows it.
    match scan.status()?.code() {
        Some(0 | 3) => {}
        other => bail!("the scan ended with {other:?}"),
    }
    let place = root.join("demo/recording");
    std::fs::create_dir_all(&place)?;
    for entry in std::fs::read_dir(&recording)? {
        let entry = entry?;
        std::fs::copy(entry.path(), place.join(entry.file_name()))?;
    }
    Ok(true)
}
