//! An example report for tests, and one in which every name is an attack.

use std::sync::Arc;

use nepho_model::{CoverageEntry, CoverageState, Severity, Timestamp, Verdict};
use serde_json::{Value, json};

use crate::report::*;
use crate::{Format, render};

/// A resource name that attacks every format at once.
pub(crate) const HOSTILE: &str = "=x\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m</script><!--<img src=x onerror=alert(1)>\"'&\u{202e}gnp.exe]]>\0{{7*7}}{% raw %}";

pub(crate) fn rendered(format: Format, report: &Report) -> String {
    let mut bytes = Vec::new();
    render(format, report, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

pub(crate) fn rule(id: &str, title: &str, severity: Severity) -> Arc<RuleView> {
    Arc::new(RuleView {
        id: id.into(),
        title: title.into(),
        severity,
        why: "Anyone on the internet who knows or guesses the name can list and copy what is inside. Names are guessed by tools that try millions a day.".into(),
        fix: FixView {
            text: "Switch on all four settings of the public access block, then remove the statement that names everyone.".into(),
            cli: Some("aws s3api put-public-access-block --bucket <bucket> \\\n  --public-access-block-configuration BlockPublicPolicy=true,RestrictPublicBuckets=true".into()),
            terraform: Some("resource \"aws_s3_bucket_public_access_block\" \"example\" {\n  bucket              = aws_s3_bucket.example.id\n  block_public_policy = true\n}\n".into()),
        },
        controls: vec!["cis-aws-5.0/2.1.4".into(), "fsbp/S3.2".into(), "pci-dss-4.0/1.3.1".into()],
        references: vec!["https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html".into()],
    })
}

pub(crate) fn finding(rule: &Arc<RuleView>, verdict: Verdict, kind: &str, key: &str, account: &str) -> FindingView {
    use sha2::Digest;
    let id = sha2::Sha256::digest(format!("{}|{key}", rule.id));
    FindingView {
        id: id.iter().take(8).map(|byte| format!("{byte:02x}")).collect(),
        rule: Arc::clone(rule),
        verdict,
        resource: ResourceView {
            key: key.into(),
            kind: kind.into(),
            name: key.rsplit([':', '/']).next().map(Into::into),
            account: account.into(),
            region: "us-east-1".into(),
            tags: Some([("team".to_owned(), "payments".to_owned())].into()),
        },
        evidence: Vec::new(),
        reasons: Vec::new(),
        muted: None,
        path: Vec::new(),
    }
}

fn read(account: &str, kind: &str, call: &str, state: CoverageState, words: (&str, &str), items: u64) -> CoverageEntry {
    CoverageEntry {
        account: account.into(),
        region: "us-east-1".into(),
        kind: kind.into(),
        call: call.into(),
        state,
        code: words.0.into(),
        message: words.1.into(),
        lists: call.contains("List") || call.contains("Describe"),
        items,
    }
}

/// Three accounts; four open findings, one muted, one unknown, one pass.
pub(crate) fn report() -> Report {
    let public = rule("aws.s3.bucket-public-read", "S3 bucket can be read by anyone", Severity::Critical);
    let open = rule("aws.ec2.security-group-open-ssh", "Security group opens SSH to the internet", Severity::High);
    let plain = rule("aws.ec2.volume-unencrypted", "EBS volume is not encrypted", Severity::Medium);
    let (prod, dev) = ("111122223333", "444455556666");
    let denied = "User: arn:aws:sts::444455556666:assumed-role/audit/nephoscope is not authorized to perform: s3:GetBucketPolicy";

    let mut bucket = finding(&public, Verdict::Fail, "aws.s3.bucket", "arn:aws:s3:::acme-exports", prod);
    bucket.evidence =
        vec![("public_read".into(), json!(true)), ("policy".into(), json!({"Effect": "Allow", "Principal": "*"}))];
    let mut unread = finding(&public, Verdict::Unknown, "aws.s3.bucket", "arn:aws:s3:::acme-dev-scratch", dev);
    unread.reasons = vec![ReasonView {
        what: "policy".into(),
        call: "s3:GetBucketPolicy".into(),
        state: "denied".into(),
        code: "AccessDenied".into(),
        message: denied.into(),
    }];
    let mut muted = finding(&public, Verdict::Fail, "aws.s3.bucket", "arn:aws:s3:::acme-website", prod);
    muted.muted = Some(MutedView { reason: "public web site".into(), expires: "2026-12-31".into() });
    let fine = finding(&public, Verdict::Pass, "aws.s3.bucket", "arn:aws:s3:::acme-backups", prod);
    let group = |id: &str, account| {
        finding(
            &open,
            Verdict::Fail,
            "aws.ec2.security-group",
            &format!("arn:aws:ec2:us-east-1:{account}:security-group/{id}"),
            account,
        )
    };
    let volume =
        finding(&plain, Verdict::Fail, "aws.ec2.volume", "arn:aws:ec2:us-east-1:444455556666:volume/vol-0a1b2c3d", dev);

    let complete = |account, kind, call| read(account, kind, call, CoverageState::Complete, ("", ""), 12);
    Report {
        generated_by: GeneratedBy { name: "nephoscope".into(), version: "0.1.0".into() },
        clock: Timestamp(1_764_000_000_000_000),
        source: "acme-2025-11-24".into(),
        partition: "aws".into(),
        accounts: [(prod, "prod"), (dev, "dev"), ("777788889999", "")]
            .map(|(id, name)| AccountView { id: id.into(), name: name.into() })
            .into(),
        regions: vec!["us-east-1".into(), "eu-west-1".into()],
        counts: Counts { resources: 412, relations: 1_530, kinds: 46, rules_run: 158 },
        by_verdict: VerdictCounts { fail: 5, pass: 1_204, unknown: 1, not_applicable: 88 },
        open: [
            (prod, Severity::Critical, 1),
            (prod, Severity::High, 1),
            (dev, Severity::High, 1),
            (dev, Severity::Medium, 1),
        ]
        .map(|(account, severity, count)| OpenCount { account: account.into(), severity, count })
        .into(),
        muted: 1,
        findings: vec![fine, volume, group("sg-1", prod), muted, unread, group("sg-2", dev), bucket],
        coverage: vec![
            complete(prod, "aws.s3.bucket", "s3:ListBuckets"),
            complete(prod, "aws.ec2.volume", "ec2:DescribeVolumes"),
            complete(prod, "aws.ec2.security-group", "ec2:DescribeSecurityGroups"),
            complete(dev, "aws.ec2.volume", "ec2:DescribeVolumes"),
            complete(dev, "aws.s3.bucket", "s3:ListBuckets"),
            complete(dev, "aws.ec2.security-group", "ec2:DescribeSecurityGroups"),
            read(dev, "aws.s3.bucket", "s3:GetBucketPolicy", CoverageState::Denied, ("AccessDenied", denied), 3),
            read(
                "777788889999",
                "aws.s3.bucket",
                "s3:ListBuckets",
                CoverageState::Denied,
                ("AccessDenied", "Access Denied"),
                0,
            ),
            read(
                "777788889999",
                "aws.ec2.volume",
                "ec2:DescribeVolumes",
                CoverageState::Throttled,
                ("RequestLimitExceeded", "Request limit exceeded."),
                0,
            ),
        ],
        notes: vec!["The last frame of the recording was incomplete and was left out.".into()],
        mutes: vec![
            MuteView {
                id: "website".into(),
                rule: "aws.s3.bucket-public-read".into(),
                resource: "arn:aws:s3:::acme-w*".into(),
                account: prod.into(),
                tag: "team=payments".into(),
                problem: String::new(),
                reason: "public web site".into(),
                expires: "2026-12-31".into(),
                matched: 1,
                expired: false,
            },
            MuteView {
                id: "old-lab".into(),
                rule: "aws.ec2.volume-unencrypted".into(),
                resource: String::new(),
                account: String::new(),
                tag: String::new(),
                problem: String::new(),
                reason: "lab is being closed".into(),
                expires: "2025-06-30".into(),
                matched: 1,
                expired: true,
            },
        ],
        issues: Vec::new(),
        compliance: vec![FrameworkView {
            id: "cis-aws-5.0".into(),
            title: "CIS Amazon Web Services Foundations Benchmark 5.0".into(),
            requirements: [
                ("1.1", "Contact details are current", "Identity", RequirementState::NotAutomated, 0, 0, 0),
                ("2.1.4", "Buckets block public access", "Storage", RequirementState::Fail, 1, 1, 1),
                ("2.2.1", "Databases are encrypted", "Storage", RequirementState::NoResources, 0, 0, 0),
                ("3.1", "Trails cover all regions", "Logging", RequirementState::Unknown, 0, 0, 1),
                ("5.1.1", "Volumes are encrypted", "Networking", RequirementState::Pass, 4, 0, 0),
            ]
            .map(|(id, title, section, state, passed, failed, unknown)| RequirementView {
                id: id.into(),
                title: title.into(),
                section: section.into(),
                state,
                passed,
                failed,
                unknown,
                rules: vec!["aws.s3.bucket-public-read".into()],
            })
            .into(),
            score: Some(50.0),
        }],
    }
}

/// The same with every text that may come from a cloud replaced by [`HOSTILE`].
pub(crate) fn hostile() -> Report {
    let mut report = report();
    let bad = || HOSTILE.to_owned();
    report.source = bad();
    report.notes = vec![bad()];
    for account in &mut report.accounts {
        account.name = bad();
    }
    for finding in &mut report.findings {
        finding.resource.name = Some(bad());
        finding.resource.key = format!("arn:aws:s3:::{HOSTILE}");
        finding.resource.region = bad();
        finding.resource.tags = Some([(bad(), bad())].into());
        finding.evidence = vec![(bad(), Value::String(bad())), ("nested".into(), json!({HOSTILE: [HOSTILE]}))];
        for reason in &mut finding.reasons {
            reason.message = bad();
            reason.code = bad();
        }
        if let Some(muted) = &mut finding.muted {
            muted.reason = bad();
        }
    }
    for entry in &mut report.coverage {
        entry.region = HOSTILE.into();
        if !entry.state.is_complete() {
            entry.message = HOSTILE.into();
            entry.code = HOSTILE.into();
        }
    }
    for mute in &mut report.mutes {
        mute.reason = bad();
        mute.resource = bad();
        mute.problem = bad();
    }
    report
}
