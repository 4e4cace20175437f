//! SARIF 2.1.0 (OASIS), with what GitHub code scanning asks for on top.
//!
//! Cloud resources are no files: the artifact is the resource's key as a percent-encoded relative URI, and the logical
//! location says the key as it is.

use std::collections::BTreeMap;
use std::io::Write;

use nepho_model::{Severity, Verdict};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::digest;
use crate::format::{Format, ReportError};
use crate::report::{FindingView, Report, RuleView};
use crate::safe_json::{self, Layout};
use crate::text::{clean, one_line, plain};

/// GitHub keeps at most this many tags of a rule.
const TAGS_MAX: usize = 20;

pub(crate) fn write(report: &Report, output: &mut dyn Write) -> Result<(), ReportError> {
    safe_json::write(output, &document(report), Layout::Pretty).map_err(ReportError::json(Format::Sarif))?;
    output.write_all(b"\n").map_err(ReportError::write(Format::Sarif))
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

/// What is small is a tree; results are written one by one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Value,
    automation_details: Value,
    column_kind: &'static str,
    invocations: Value,
    results: Results<'a>,
}

struct Results<'a> {
    findings: Vec<&'a FindingView>,
    /// Places of rules by id.
    rules: BTreeMap<&'a str, usize>,
}

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.findings.iter().map(|finding| result(finding, &self.rules)))
    }
}

fn document(report: &Report) -> Document<'_> {
    let findings = digest::sorted(report);
    let rules: BTreeMap<&str, &RuleView> =
        findings.iter().map(|finding| (finding.rule.id.as_str(), &*finding.rule)).collect();
    Document {
        schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: json!({"driver": {
                "name": report.generated_by.name,
                "version": report.generated_by.version,
                "informationUri": "https://github.com/nephoscope/nephoscope",
                "rules": rules.values().map(|rule| descriptor(rule)).collect::<Vec<_>>(),
                "notifications": [
                    {
                        "id": "coverage",
                        "shortDescription": {"text": "Something could not be read, so nothing is known about it."},
                    },
                    {"id": "mute", "shortDescription": {"text": "A mute has expired or is odd."}},
                ],
            }}),
            automation_details: json!({"id": "nephoscope/"}),
            column_kind: "unicodeCodePoints",
            invocations: json!([{
                "executionSuccessful": true,
                "endTimeUtc": report.clock,
                "toolExecutionNotifications": notifications(report),
            }]),
            results: Results { findings, rules: rules.keys().enumerate().map(|(place, id)| (*id, place)).collect() },
        }],
    }
}

fn notifications(report: &Report) -> Vec<Value> {
    let notification = |level: &str, descriptor: &str, text: &str| json!({"level": level, "message": {"text": message(text)}, "descriptor": {"id": descriptor}});
    let gap = |gap: &digest::Gap<'_>| {
        let text = format!(
            "{} was not read completely in {}: {} {} {}. What to do: {}.",
            gap.call,
            gap.place(),
            gap.state_words(),
            gap.code,
            one_line(gap.message),
            gap.advice()
        );
        notification("warning", "coverage", &text)
    };
    let gaps = digest::gaps(report);
    let mutes = digest::mute_warnings(report);
    gaps.iter()
        .map(gap)
        .chain(mutes.iter().map(|(name, words)| notification("note", "mute", &format!("{name}: {words}"))))
        .collect()
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// GitHub's bands: critical above 9.0, high from 7.0, medium from 4.0, low above 0.0.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Info => "0.5",
    }
}

fn descriptor(rule: &RuleView) -> Value {
    let mut text = format!("Why: {}\n\nFix: {}", rule.why.trim(), rule.fix.text.trim());
    let mut markdown = format!("**Why.** {}\n\n**Fix.** {}\n", rule.why.trim(), rule.fix.text.trim());
    for (language, name, code) in [("sh", "CLI", &rule.fix.cli), ("hcl", "Terraform", &rule.fix.terraform)] {
        if let Some(code) = code {
            text.push_str(&format!("\n\n{name}:\n{}", code.trim()));
            markdown.push_str(&format!("\n**{name}**\n\n```{language}\n{}\n```\n", code.trim()));
        }
    }
    for reference in &rule.references {
        text.push_str(&format!("\n\n{reference}"));
        markdown.push_str(&format!("\n- <{reference}>"));
    }
    let tags: Vec<&str> =
        ["security", "cloud"].into_iter().chain(rule.controls.iter().map(String::as_str)).take(TAGS_MAX).collect();
    let mut descriptor = json!({
        "id": rule.id,
        // `AwsS3BucketPublicRead`, as SARIF wants names.
        "name": nepho_model::label_of_kind(&rule.id),
        "shortDescription": {"text": message(&rule.title)},
        "fullDescription": {"text": message(&one_line(&rule.why))},
        "help": {"text": clean(&text), "markdown": clean(&markdown)},
        "defaultConfiguration": {"level": level(rule.severity)},
        "properties": {
            "security-severity": security_severity(rule.severity),
            "severity": rule.severity,
            "precision": "high",
            "tags": tags,
            "controls": rule.controls,
        },
    });
    if let Some(reference) = rule.references.first() {
        descriptor["helpUri"] = json!(reference);
    }
    descriptor
}

fn result(finding: &FindingView, places: &BTreeMap<&str, usize>) -> Value {
    let resource = &finding.resource;
    let mut result = json!({
        "ruleId": finding.rule.id,
        "ruleIndex": places.get(finding.rule.id.as_str()),
        "kind": match finding.verdict { Verdict::Fail => "fail", Verdict::Pass => "pass", Verdict::Unknown => "open" },
        // The standard: `none` for whatever is no failure.
        "level": if finding.verdict == Verdict::Fail { level(finding.rule.severity) } else { "none" },
        "message": {"text": message(&sentence(finding))},
        "locations": [{
            "physicalLocation": {
                "artifactLocation": {"uri": uri(&resource.key)},
                "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1},
            },
            "logicalLocations": [{
                "name": one_line(resource.label()),
                "fullyQualifiedName": resource.key,
                "kind": "resource",
            }],
        }],
        "partialFingerprints": {
            "nephoscopeFinding/v1": finding.id,
            // The one that GitHub compares between uploads.
            "primaryLocationLineHash": format!("{}:1", finding.id),
        },
        "properties": {
            "verdict": finding.verdict,
            "severity": finding.rule.severity,
            "resourceKind": resource.kind,
            "account": resource.account,
            "region": resource.region,
            "evidence": crate::json::evidence(finding),
        },
    });
    if let Some(muted) = &finding.muted {
        result["suppressions"] = json!([{
            "kind": "external",
            "status": "accepted",
            "justification": format!("{} (until {})", muted.reason, muted.expires),
        }]);
    }
    result
}

fn sentence(finding: &FindingView) -> String {
    let resource = &finding.resource;
    let mut text = format!(
        "{}: {} `{}` in account {}, {}.",
        one_line(&finding.rule.title),
        one_line(&resource.kind),
        one_line(resource.label()),
        one_line(&resource.account),
        one_line(&resource.region)
    );
    for reason in &finding.reasons {
        text.push_str(&match digest::reason(reason) {
            (what, words) if words.is_empty() => format!(" Not known: {what}."),
            (what, words) => format!(" Not known: {what} ({words})."),
        });
    }
    if !finding.evidence.is_empty() {
        let facts: Vec<_> =
            finding.evidence.iter().map(|(name, value)| format!("{} = {}", one_line(name), plain(value))).collect();
        text.push_str(&format!(" Evidence: {}.", facts.join(", ")));
    }
    text
}

/// Plain text of a SARIF message: braces are placeholders and brackets are links there (SARIF 2.1.0, 3.11.5 and
/// 3.11.6), so both are escaped.
fn message(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in clean(text).chars() {
        match character {
            '{' => escaped.push_str("{{"),
            '}' => escaped.push_str("}}"),
            '[' => escaped.push_str("\\["),
            ']' => escaped.push_str("\\]"),
            '\\' => escaped.push_str("\\\\"),
            other => escaped.push(other),
        }
    }
    escaped
}

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The key as a relative URI that can't climb out of its folder: a slash stays a slash only between two ordinary
/// segments; beside an empty one, `.` or `..` it becomes `%2F`.
fn uri(key: &str) -> String {
    let ordinary = |segment: &str| !segment.is_empty() && !segment.starts_with('.');
    let mut uri = String::new();
    let mut previous: Option<&str> = None;
    for segment in key.split('/') {
        if let Some(previous) = previous {
            uri.push_str(if ordinary(previous) && ordinary(segment) { "/" } else { "%2F" });
        }
        uri.extend(utf8_percent_encode(segment, UNRESERVED));
        previous = Some(segment);
    }
    if matches!(uri.as_str(), "" | "." | "..") {
        uri.insert(0, '_');
    }
    uri
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::uri;
    use crate::{Format, Report, fixture};

    fn sarif(report: &Report) -> Value {
        serde_json::from_str(&fixture::rendered(Format::Sarif, report)).unwrap()
    }

    #[test]
    fn every_result_has_what_code_scanning_needs() {
        let report = fixture::report();
        let sarif = sarif(&report);
        assert_eq!(sarif["version"], "2.1.0");
        let run = &sarif["runs"][0];
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), report.findings.len());
        for (result, finding) in results.iter().zip(crate::digest::sorted(&report)) {
            let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
            assert_eq!(rule["id"], result["ruleId"]);
            assert!(rule["properties"]["security-severity"].as_str().unwrap().parse::<f64>().is_ok());
            assert!(rule["help"]["markdown"].as_str().unwrap().contains("**Fix.**"));
            let place = &result["locations"][0];
            assert_eq!(place["logicalLocations"][0]["fullyQualifiedName"], finding.resource.key);
            assert_eq!(place["physicalLocation"]["region"]["startLine"], 1);
            assert_eq!(result["partialFingerprints"]["nephoscopeFinding/v1"], finding.id);
        }
        assert_eq!(results[0]["level"], "error");
        assert_eq!(
            results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            "arn%3Aaws%3As3%3A%3A%3Aacme-exports"
        );
    }

    #[test]
    fn unknown_is_open_muted_is_suppressed_and_gaps_are_notifications() {
        let sarif = sarif(&fixture::report());
        let run = &sarif["runs"][0];
        let results = run["results"].as_array().unwrap();
        let unknown = results.iter().find(|result| result["kind"] == "open").unwrap();
        assert_eq!(unknown["level"], "none");
        assert!(unknown["message"]["text"].as_str().unwrap().contains("s3:GetBucketPolicy denied AccessDenied"));
        let muted = results.last().unwrap();
        assert_eq!(muted["suppressions"][0]["status"], "accepted");
        let notifications = run["invocations"][0]["toolExecutionNotifications"].to_string();
        assert!(notifications.contains("nephoscope permissions aws"), "{notifications}");
    }

    #[test]
    fn a_reason_without_a_call_has_no_empty_brackets() {
        let mut report = fixture::report();
        for finding in &mut report.findings {
            for reason in &mut finding.reasons {
                *reason = crate::ReasonView { what: "a property is absent".into(), ..Default::default() };
            }
        }
        let text = fixture::rendered(Format::Sarif, &report);
        assert!(text.contains("Not known: a property is absent.") && !text.contains("( )") && !text.contains("()"));
        let text = fixture::rendered(Format::Junit, &report);
        assert!(text.contains("unknown, not passed: a property is absent\""), "{text}");
    }

    #[test]
    fn an_expired_mute_is_a_notification() {
        let sarif = sarif(&fixture::report());
        let notifications = sarif["runs"][0]["invocations"][0]["toolExecutionNotifications"].to_string();
        assert!(notifications.contains("old-lab (rule aws.ec2.volume-unencrypted): expired on 2025-06-30"));
    }

    #[test]
    fn a_key_is_a_relative_uri_that_stays_where_it_is() {
        assert_eq!(uri("arn:aws:iam::1:role/a b"), "arn%3Aaws%3Aiam%3A%3A1%3Arole/a%20b");
        assert_eq!(uri("../../etc/passwd"), "..%2F..%2Fetc/passwd");
        assert_eq!(uri("//host/x"), "%2F%2Fhost/x");
        assert_eq!(uri("a/./b"), "a%2F.%2Fb");
        assert_eq!(uri(""), "_");
        assert_eq!(uri("javascript:alert(1)"), "javascript%3Aalert%281%29");
    }

    #[test]
    fn a_hostile_name_makes_no_link_and_no_placeholder() {
        let mut report = fixture::hostile();
        for finding in &mut report.findings {
            finding.resource.name = Some("[click](https://evil.example) {0}".into());
        }
        let text = sarif(&report)["runs"][0]["results"][0]["message"]["text"].as_str().unwrap().to_owned();
        assert!(text.contains("\\[click\\](https://evil.example) {{0}}"), "{text}");
    }
}
