use std::sync::Arc;

use nepho_model::{Severity, Verdict};
use serde_json::{Value, json};

use crate::{Format, Report, fixture};

fn page(report: &Report) -> String {
    fixture::rendered(Format::Html, report)
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let from = text.find(start).unwrap_or_else(|| panic!("no {start}")) + start.len();
    &text[from..from + text[from..].find(end).unwrap()]
}

fn data(page: &str) -> Value {
    serde_json::from_str(between(page, "<script type=\"application/json\" id=\"data\">", "</script>")).unwrap()
}

#[test]
fn the_page_says_first_what_matters() {
    let page = page(&fixture::report());
    assert!(page.contains("1 critical and 2 high findings are open</h1>"));
    let places: Vec<_> =
        ["rule-aws.s3.bucket-public-read", "rule-aws.ec2.security-group-open-ssh", "rule-aws.ec2.volume-unencrypted"]
            .map(|id| page.find(&format!("id=\"{id}\"")).unwrap())
            .into();
    assert!(places.is_sorted());
    assert!(page.contains("5 of 8 reads complete"));
    assert!(page.contains("AccessDenied: Access Denied"));
    assert!(page.contains("not automated"));
    assert!(page.contains("1 expired"));
}

#[test]
fn it_loads_nothing_and_runs_only_our_script() {
    let page = page(&fixture::report());
    let policy = between(&page, "Content-Security-Policy\" content=\"", "\"");
    assert!(policy.contains("default-src &#39;none&#39;") && !policy.contains("unsafe"), "{policy}");
    for loader in [" src=", "@import", "url(", "<iframe", "<link rel=\"stylesheet\"", " style=\"", " onclick="] {
        assert!(!page.contains(loader), "{loader}");
    }
    let linked: Vec<_> = page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(
        linked
            .iter()
            .all(|url| url.starts_with('#') || url.starts_with("https://") || url.starts_with("data:image/svg"))
    );
    use base64::Engine;
    use sha2::Digest;
    let script = page.rsplit("<script>").next().unwrap().split("</script>").next().unwrap();
    let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(script));
    // Attribute values escape `+` and `=` nowhere; the hash stands as it is.
    assert!(policy.contains(&hash), "{policy} lacks {hash}");
}

#[test]
fn a_hostile_name_is_only_ever_text() {
    let report = fixture::hostile();
    let page = page(&report);
    assert_eq!(page.matches("<script").count(), 2);
    assert_eq!(page.matches("</script>").count(), 2);
    assert!(!page.contains("<!--") && !page.contains("<img"));
    let rows = data(&page);
    assert!(rows["findings"][0][6].as_str().unwrap().contains("</script><!--<img src=x onerror=alert(1)>"));
}

#[test]
fn a_reference_that_is_no_web_address_is_no_link() {
    let mut report = fixture::report();
    for finding in &mut report.findings {
        let mut rule = (*finding.rule).clone();
        rule.references = vec!["javascript:alert(1)".into(), "data:text/html,x".into()];
        finding.rule = Arc::new(rule);
    }
    let page = page(&report);
    assert!(!page.contains("javascript:") && !page.contains("data:text/html"));
}

#[test]
fn every_finding_has_its_row_with_evidence_and_reasons() {
    let report = fixture::report();
    let rows = data(&page(&report));
    let rows = rows["findings"].as_array().unwrap();
    assert_eq!(rows.len(), report.findings.len());
    assert_eq!(rows[0][7], json!([["public_read", "true"], ["policy", r#"{"Effect":"Allow","Principal":"*"}"#]]));
    let unknown = rows.iter().find(|row| row[1] == 1).unwrap();
    assert!(unknown[8][0][1].as_str().unwrap().starts_with("s3:GetBucketPolicy · denied · AccessDenied"));
    assert!(rows.last().unwrap()[9].as_str().unwrap().contains("public web site"));
}

/// A page like that of a real organisation, to look at: `NEPHO_REPORT_SAMPLE=/tmp/sample cargo nextest run -p
/// nepho-report sample --run-ignored all`.
#[test]
#[ignore = "writes files for people to look at"]
fn sample() {
    let folder = std::path::PathBuf::from(std::env::var("NEPHO_REPORT_SAMPLE").unwrap());
    for (name, size) in [("small", 0), ("big", 20_000)] {
        let report = sample_report(size);
        for (format, ending) in [
            (Format::Html, "html"),
            (Format::Json, "json"),
            (Format::Csv, "csv"),
            (Format::Sarif, "sarif"),
            (Format::Ocsf, "ocsf.json"),
            (Format::Junit, "junit.xml"),
            (Format::Table, "txt"),
        ] {
            std::fs::write(folder.join(format!("{name}.{ending}")), fixture::rendered(format, &report)).unwrap();
        }
        let style = crate::table::Style { colour: false, width: Some(120) };
        std::fs::write(folder.join(format!("{name}.findings.txt")), crate::table::findings(&report, &style)).unwrap();
        std::fs::write(folder.join(format!("{name}.coverage.txt")), crate::table::coverage(&report, &style)).unwrap();
        std::fs::write(folder.join(format!("{name}.compliance.txt")), crate::table::compliance(&report, &style))
            .unwrap();
    }
    std::fs::write(folder.join("hostile.html"), page(&fixture::hostile())).unwrap();
    std::fs::write(folder.join("hostile.sarif"), fixture::rendered(Format::Sarif, &fixture::hostile())).unwrap();
    std::fs::write(folder.join("hostile.junit.xml"), fixture::rendered(Format::Junit, &fixture::hostile())).unwrap();
    std::fs::write(folder.join("empty.html"), page(&Report::default())).unwrap();
}

fn sample_report(extra: usize) -> Report {
    let mut report = fixture::report();
    let rules = [
        ("aws.iam.root-access-key", "Root user has an access key", Severity::Critical, "aws.iam.account-summary", 1),
        (
            "aws.rds.instance-public",
            "Database instance accepts connections from the internet",
            Severity::High,
            "aws.rds.db-instance",
            3,
        ),
        (
            "aws.iam.user-without-mfa",
            "Console user signs in without a second factor",
            Severity::High,
            "aws.iam.user",
            7,
        ),
        (
            "aws.ec2.instance-imds-v1",
            "Instance hands out credentials to any request (IMDSv1)",
            Severity::Medium,
            "aws.ec2.instance",
            14,
        ),
        ("aws.kms.key-rotation-off", "Key is never rotated", Severity::Medium, "aws.kms.key", 5),
        (
            "aws.lambda.function-runtime-ended",
            "Function runs on a runtime without security updates",
            Severity::Medium,
            "aws.lambda.function",
            6,
        ),
        ("aws.logs.group-kept-forever", "Log group has no end of retention", Severity::Low, "aws.logs.log-group", 31),
        ("aws.ecr.repository-mutable-tags", "Image tags can be overwritten", Severity::Low, "aws.ecr.repository", 4),
        ("aws.s3.bucket-without-versioning", "Bucket keeps no versions", Severity::Info, "aws.s3.bucket", 9),
    ];
    for (place, (id, title, severity, kind, number)) in rules.into_iter().enumerate() {
        let rule = fixture::rule(id, title, severity);
        for item in 0..number + extra / rules.len() {
            let account = ["111122223333", "444455556666", "777788889999"][item % 3];
            let mut finding = fixture::finding(
                &rule,
                Verdict::Fail,
                kind,
                &format!("arn:aws:demo:eu-west-1:{account}:thing/payments-{place}-{item}"),
                account,
            );
            finding.resource.region = ["us-east-1", "eu-west-1"][item % 2].into();
            finding.evidence =
                vec![("enabled".into(), json!(false)), ("last_used".into(), json!("2025-03-02T10:00:00Z"))];
            if item % 5 == 1 {
                finding.evidence.push(("policy".into(), json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": ["arn:aws:s3:::acme-exports", "arn:aws:s3:::acme-exports/*"]}]})));
            }
            report.findings.push(finding);
        }
    }
    report
}
