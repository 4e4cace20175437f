//! OCSF Compliance Findings (class 2003, schema 1.5.0, <https://schema.ocsf.io/1.5.0/classes/compliance_finding>).
//!
//! What could not be read is an event too, of a check called `Coverage`. One JSON array, one event a line, so that line tools can take it too.

use std::collections::BTreeSet;
use std::io::Write;

use nepho_model::{Severity, Verdict};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::digest::{self, Gap};
use crate::format::{Format, ReportError};
use crate::report::{FindingView, Report};
use crate::safe_json::{self, Layout};
use crate::text::one_line;

const VERSION: &str = "1.5.0";

pub(crate) fn write(report: &Report, output: &mut dyn Write) -> Result<(), ReportError> {
    let failed = ReportError::write(Format::Ocsf);
    output.write_all(b"[").map_err(&failed)?;
    let (findings, gaps) = (digest::sorted(report), digest::gaps(report));
    let events = findings.into_iter().map(|finding| event(report, finding));
    for (place, event) in events.chain(gaps.iter().map(|gap| gap_event(report, gap))).enumerate() {
        output.write_all(if place == 0 { b"\n" } else { b",\n" }).map_err(&failed)?;
        safe_json::write(output, &event, Layout::Line).map_err(ReportError::json(Format::Ocsf))?;
    }
    output.write_all(b"\n]\n").map_err(&failed)
}

fn severity(severity: Severity) -> (u8, &'static str) {
    match severity {
        Severity::Info => (1, "Informational"),
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
        Severity::Critical => (5, "Critical"),
    }
}

/// OCSF knows no "unknown" for a check that ran: `Warning` is "did not yield a result due to missing information".
fn compliance_status(verdict: Verdict) -> (u8, &'static str) {
    match verdict {
        Verdict::Pass => (1, "Pass"),
        Verdict::Unknown => (2, "Warning"),
        Verdict::Fail => (3, "Fail"),
    }
}

/// The life of the finding: new, hidden by a mute, or a check that passed, for which OCSF has no word.
fn life(finding: &FindingView) -> (u8, &'static str) {
    match (finding.verdict, &finding.muted) {
        (_, Some(_)) => (3, "Suppressed"),
        (Verdict::Pass, None) => (99, "Passed"),
        (Verdict::Fail | Verdict::Unknown, None) => (1, "New"),
    }
}

/// The provider's name and, for the account type, OCSF's number and name.
fn provider(kind: &str) -> (String, u8, &'static str) {
    match kind.split('.').next().unwrap_or_default() {
        "aws" => ("AWS".into(), 10, "AWS Account"),
        "azure" => ("Azure".into(), 13, "Azure Subscription"),
        "gcp" => ("GCP".into(), 11, "GCP Project"),
        other => (other.to_owned(), 99, "Other"),
    }
}

fn metadata(report: &Report, code: &str) -> Value {
    json!({
        "version": VERSION,
        "product": {
            "name": report.generated_by.name,
            "vendor_name": "Nephoscope",
            "version": report.generated_by.version,
        },
        "profiles": ["cloud"],
        "event_code": code,
        "log_name": report.source,
        "original_time": report.clock,
    })
}

/// What could not be read, as a check that came to no result.
fn gap_event(report: &Report, gap: &Gap<'_>) -> Value {
    let id = Sha256::digest(format!("coverage\n{}\n{}\n{}", gap.call, gap.state.as_str(), gap.code));
    let id: String = id.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let title = format!("{} could not be read in full", gap.call);
    let words = one_line(&format!("{} {} {}", gap.state_words(), gap.code, gap.message));
    let of_partition = report.partition.split('-').next().unwrap_or_default();
    let (provider, ..) = provider(gap.kinds.first().copied().unwrap_or(of_partition));
    let mut cloud = json!({"provider": provider, "cloud_partition": report.partition});
    if let Some(only) = gap.accounts.first().filter(|_| gap.accounts.len() == 1) {
        cloud["account"] = json!({"uid": only});
        if let Some(name) = digest::account_name(report, only) {
            cloud["account"]["name"] = json!(name);
        }
    }
    json!({
        "class_uid": 2003,
        "class_name": "Compliance Finding",
        "category_uid": 2,
        "category_name": "Findings",
        "activity_id": 1,
        "activity_name": "Create",
        "type_uid": 200_301,
        "type_name": "Compliance Finding: Create",
        "time": report.clock.0.div_euclid(1000),
        "severity_id": 0,
        "severity": "Unknown",
        "status_id": 1,
        "status": "New",
        "message": format!("{title} in {}: {words}", gap.place()),
        "metadata": metadata(report, "coverage"),
        "cloud": cloud,
        "finding_info": {"uid": id, "title": title, "types": ["Coverage"]},
        "compliance": {
            "status_id": 2,
            "status": "Warning",
            "control": "Coverage",
            "status_details": [words],
        },
        "remediation": {"desc": gap.advice()},
        "unmapped": {
            "coverage": {
                "call": gap.call,
                "state": gap.state.as_str(),
                "code": gap.code,
                "accounts": gap.accounts,
                "regions": gap.regions,
                "kinds": gap.kinds,
                "lists": gap.lists,
                "items": gap.items,
            },
        },
    })
}

fn event(report: &Report, finding: &FindingView) -> Value {
    let rule = &finding.rule;
    let resource = &finding.resource;
    let time = report.clock.0.div_euclid(1000);
    let (severity_id, severity_name) = severity(rule.severity);
    let (check_id, check_name) = compliance_status(finding.verdict);
    let (status_id, status) = life(finding);
    // Nothing is created where a check passed.
    let (activity_id, activity) = if finding.verdict == Verdict::Pass { (99, "Passed") } else { (1, "Create") };
    let (provider, account_type_id, account_type) = provider(&resource.kind);
    let standards: BTreeSet<&str> = rule
        .controls
        .iter()
        .map(|control| control.split_once('/').map_or(control.as_str(), |(name, _)| name))
        .collect();
    let reasons: Vec<String> = finding
        .reasons
        .iter()
        .map(|reason| match digest::reason(reason) {
            (what, words) if words.is_empty() => what,
            (what, words) => format!("{what}: {words}"),
        })
        .collect();

    let mut account = json!({"uid": resource.account, "type": account_type, "type_id": account_type_id});
    if let Some(name) = digest::account_name(report, &resource.account) {
        account["name"] = json!(name);
    }
    let mut resource_details = json!({
        "uid": resource.key,
        "name": resource.label(),
        "type": resource.kind,
        "region": resource.region,
        "cloud_partition": report.partition,
    });
    if let Some(tags) = &resource.tags {
        resource_details["tags"] =
            tags.iter().map(|(name, value)| json!({"name": name, "value": value})).collect::<Value>();
    }
    let mut finding_info = json!({
        "uid": finding.id,
        "title": rule.title,
        "desc": rule.why,
        "types": ["Misconfiguration"],
        "analytic": {"type_id": 1, "type": "Rule", "uid": rule.id, "name": rule.title},
    });
    if let Some(reference) = rule.references.first() {
        finding_info["src_url"] = json!(reference);
    }
    let mut event = json!({
        "class_uid": 2003,
        "class_name": "Compliance Finding",
        "category_uid": 2,
        "category_name": "Findings",
        "activity_id": activity_id,
        "activity_name": activity,
        "type_uid": 200_300 + activity_id,
        "type_name": format!("Compliance Finding: {activity}"),
        "time": time,
        "severity_id": severity_id,
        "severity": severity_name,
        "status_id": status_id,
        "status": status,
        "message": format!("{}: {}", rule.title, resource.label()),
        "metadata": metadata(report, &rule.id),
        "cloud": {
            "provider": provider,
            "account": account,
            "region": resource.region,
            "cloud_partition": report.partition,
        },
        "finding_info": finding_info,
        "compliance": {
            "status_id": check_id,
            "status": check_name,
            "control": rule.title,
            "standards": standards,
            "requirements": rule.controls,
            "checks": [{
                "uid": rule.id,
                "name": rule.title,
                "severity_id": severity_id,
                "severity": severity_name,
                "status_id": check_id,
                "status": check_name,
                "standards": standards,
            }],
            "status_details": reasons,
        },
        "resources": [resource_details],
        "remediation": {"desc": rule.fix.text, "references": rule.references},
        "unmapped": {
            "verdict": finding.verdict,
            "fix_cli": rule.fix.cli,
            "fix_terraform": rule.fix.terraform,
            "muted": finding.muted.as_ref().map(|muted| json!({"reason": muted.reason, "expires": muted.expires})),
        },
    });
    if !finding.evidence.is_empty() {
        event["evidences"] = json!([{"data": crate::json::evidence(finding)}]);
    }
    event
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::{Format, Report, fixture};

    fn all(report: &Report) -> Vec<Value> {
        serde_json::from_str(&fixture::rendered(Format::Ocsf, report)).unwrap()
    }

    fn events(report: &Report) -> Vec<Value> {
        all(report).into_iter().filter(|event| event["metadata"]["event_code"] != "coverage").collect()
    }

    #[test]
    fn what_could_not_be_read_is_an_event_without_a_result() {
        let all = all(&fixture::report());
        let gaps: Vec<&Value> = all.iter().filter(|event| event["metadata"]["event_code"] == "coverage").collect();
        assert_eq!(gaps.len(), 3);
        let denied = gaps.iter().find(|event| event["unmapped"]["coverage"]["call"] == "s3:GetBucketPolicy").unwrap();
        assert_eq!(denied["compliance"]["status"], "Warning");
        assert_eq!(denied["cloud"]["account"]["name"], "dev");
        assert!(denied["compliance"]["status_details"][0].as_str().unwrap().starts_with("denied AccessDenied User:"));
    }

    #[test]
    fn every_event_has_what_the_class_requires() {
        let report = fixture::report();
        let events = events(&report);
        assert_eq!(events.len(), report.findings.len());
        for event in &events {
            assert_eq!((event["class_uid"].as_u64(), event["category_uid"].as_u64()), (Some(2003), Some(2)));
            assert_eq!(event["type_uid"], 200_300 + event["activity_id"].as_u64().unwrap());
            assert!(event["finding_info"]["created_time"].is_null(), "only history knows when it was first seen");
            for required in ["activity_id", "severity_id", "time"] {
                assert!(event[required].is_u64(), "{required}");
            }
            assert_eq!(event["metadata"]["version"], "1.5.0");
            assert_eq!(event["cloud"]["provider"], "AWS");
            for (object, required) in
                [("metadata", "product"), ("finding_info", "uid"), ("compliance", "status_id"), ("remediation", "desc")]
            {
                assert!(!event[object][required].is_null(), "{object}.{required}");
            }
        }
        assert_eq!(events[0]["time"], 1_764_000_000_000_u64);
        assert_eq!(events[0]["cloud"]["account"]["name"], "prod");
    }

    #[test]
    fn unknown_is_a_warning_and_a_mute_suppresses() {
        let events = events(&fixture::report());
        let statuses: Vec<_> = events
            .iter()
            .map(|event| (event["compliance"]["status"].as_str().unwrap(), event["status"].as_str().unwrap()))
            .collect();
        assert!(statuses.contains(&("Fail", "New")));
        assert!(statuses.contains(&("Warning", "New")));
        assert!(statuses.contains(&("Pass", "Passed")));
        assert_eq!(statuses.last(), Some(&("Fail", "Suppressed")));
        let unknown = events.iter().find(|event| event["compliance"]["status"] == "Warning").unwrap();
        assert!(unknown["compliance"]["status_details"][0].as_str().unwrap().contains("AccessDenied"));
    }

    #[test]
    fn one_event_a_line() {
        let report = fixture::hostile();
        let text = fixture::rendered(Format::Ocsf, &report);
        assert_eq!(text.lines().count(), all(&report).len() + 2);
    }
}
