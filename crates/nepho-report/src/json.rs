//! Our own JSON, versioned: `docs/report.schema.json` describes it, and a test holds both together.

use std::io::Write;

use nepho_model::{CoverageEntry, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::digest;
use crate::format::{Format, ReportError};
use crate::report::{FindingView, FrameworkView, MuteView, Report, RuleView};
use crate::safe_json::{self, Layout};

/// The version of the layout. A new field does not change it; a changed or dropped one does.
pub const SCHEMA: &str = "nephoscope-report/1";

pub(crate) fn write(report: &Report, output: &mut dyn Write) -> Result<(), ReportError> {
    safe_json::write(output, &document(report), Layout::Pretty).map_err(ReportError::json(Format::Json))?;
    output.write_all(b"\n").map_err(ReportError::write(Format::Json))
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    generated_by: GeneratedBy<'a>,
    clock: Timestamp,
    source: &'a str,
    partition: &'a str,
    accounts: Vec<Account<'a>>,
    regions: Vec<&'a str>,
    counts: Counts,
    notes: &'a [String],
    coverage: Vec<Coverage<'a>>,
    findings: Vec<Finding<'a>>,
    issues: &'a [Value],
    compliance: Vec<Framework<'a>>,
    mutes: Vec<Mute<'a>>,
}

#[derive(Serialize)]
struct GeneratedBy<'a> {
    name: &'a str,
    version: &'a str,
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Account<'a> {
    id: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct Counts {
    resources: u64,
    relations: u64,
    kinds: u64,
    rules_run: u64,
    verdicts: Verdicts,
    /// Failed and not muted, also those that `findings` leaves out.
    open: Severities,
    muted: u64,
    reads: Reads,
}

#[derive(Serialize)]
struct Verdicts {
    fail: u64,
    pass: u64,
    unknown: u64,
    not_applicable: u64,
}

#[derive(Serialize)]
struct Severities {
    critical: u64,
    high: u64,
    medium: u64,
    low: u64,
    info: u64,
}

#[derive(Serialize)]
struct Reads {
    complete: u64,
    total: u64,
}

#[derive(Serialize)]
struct Coverage<'a> {
    account: &'a str,
    region: &'a str,
    kind: &'a str,
    call: &'a str,
    state: &'static str,
    code: &'a str,
    message: &'a str,
    lists: bool,
    items: u64,
}

#[derive(Serialize)]
struct Finding<'a> {
    id: &'a str,
    rule: &'a str,
    title: &'a str,
    severity: &'static str,
    verdict: &'static str,
    resource: Resource<'a>,
    account: &'a str,
    region: &'a str,
    evidence: Map<String, Value>,
    reasons: Vec<Reason<'a>>,
    why: &'a str,
    fix: Fix<'a>,
    controls: &'a [String],
    references: &'a [String],
    muted: Option<Muted<'a>>,
    path: &'a [Value],
}

#[derive(Serialize)]
struct Resource<'a> {
    key: &'a str,
    kind: &'a str,
    name: Option<&'a str>,
    account: &'a str,
    region: &'a str,
    tags: Option<&'a std::collections::BTreeMap<String, String>>,
}

#[derive(Serialize)]
struct Reason<'a> {
    what: &'a str,
    call: &'a str,
    state: &'a str,
    code: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct Fix<'a> {
    text: &'a str,
    cli: Option<&'a str>,
    terraform: Option<&'a str>,
}

#[derive(Serialize)]
struct Muted<'a> {
    reason: &'a str,
    expires: &'a str,
}

#[derive(Serialize)]
struct Framework<'a> {
    id: &'a str,
    title: &'a str,
    score: Option<f64>,
    requirements: Vec<Requirement<'a>>,
}

#[derive(Serialize)]
struct Requirement<'a> {
    id: &'a str,
    title: &'a str,
    section: &'a str,
    state: &'static str,
    passed: u64,
    failed: u64,
    unknown: u64,
    rules: &'a [String],
}

#[derive(Serialize)]
struct Mute<'a> {
    id: &'a str,
    rule: &'a str,
    resource: &'a str,
    account: &'a str,
    tag: &'a str,
    reason: &'a str,
    expires: &'a str,
    matched: u64,
    expired: bool,
    problem: &'a str,
}

fn document(report: &Report) -> Document<'_> {
    let mut accounts: Vec<_> =
        report.accounts.iter().map(|account| Account { id: &account.id, name: &account.name }).collect();
    accounts.sort();
    let mut regions: Vec<_> = report.regions.iter().map(String::as_str).collect();
    regions.sort_unstable();
    Document {
        schema: SCHEMA,
        generated_by: GeneratedBy { name: &report.generated_by.name, version: &report.generated_by.version },
        clock: report.clock,
        source: &report.source,
        partition: &report.partition,
        accounts,
        regions,
        counts: counts(report),
        notes: &report.notes,
        coverage: coverage(report),
        findings: digest::sorted(report).into_iter().map(finding).collect(),
        issues: &report.issues,
        compliance: digest::frameworks(report).into_iter().map(framework).collect(),
        mutes: digest::mutes(report).into_iter().map(mute).collect(),
    }
}

fn counts(report: &Report) -> Counts {
    let [critical, high, medium, low, info] = digest::open_by_severity(report).map(|(_, count)| count);
    let (whole, _) = digest::completeness(report);
    let verdicts = report.by_verdict;
    Counts {
        resources: report.counts.resources,
        relations: report.counts.relations,
        kinds: report.counts.kinds,
        rules_run: report.counts.rules_run,
        verdicts: Verdicts {
            fail: verdicts.fail,
            pass: verdicts.pass,
            unknown: verdicts.unknown,
            not_applicable: verdicts.not_applicable,
        },
        open: Severities { critical, high, medium, low, info },
        muted: report.muted,
        reads: Reads { complete: whole.complete, total: whole.total },
    }
}

fn coverage<'a>(report: &'a Report) -> Vec<Coverage<'a>> {
    let mut entries: Vec<_> = report.coverage.iter().collect();
    entries.sort();
    let view = |entry: &'a CoverageEntry| Coverage {
        account: &entry.account,
        region: &entry.region,
        kind: &entry.kind,
        call: &entry.call,
        state: entry.state.as_str(),
        code: &entry.code,
        message: &entry.message,
        lists: entry.lists,
        items: entry.items,
    };
    entries.into_iter().map(view).collect()
}

fn finding(finding: &FindingView) -> Finding<'_> {
    let RuleView { id: rule, title, severity, why, fix, controls, references } = &*finding.rule;
    let resource = &finding.resource;
    Finding {
        id: &finding.id,
        rule,
        title,
        severity: severity.as_str(),
        verdict: finding.verdict.as_str(),
        resource: Resource {
            key: &resource.key,
            kind: &resource.kind,
            name: resource.name.as_deref(),
            account: &resource.account,
            region: &resource.region,
            tags: resource.tags.as_ref(),
        },
        account: &resource.account,
        region: &resource.region,
        evidence: evidence(finding),
        reasons: finding
            .reasons
            .iter()
            .map(|reason| Reason {
                what: &reason.what,
                call: &reason.call,
                state: &reason.state,
                code: &reason.code,
                message: &reason.message,
            })
            .collect(),
        why,
        fix: Fix { text: &fix.text, cli: fix.cli.as_deref(), terraform: fix.terraform.as_deref() },
        controls,
        references,
        muted: finding.muted.as_ref().map(|muted| Muted { reason: &muted.reason, expires: &muted.expires }),
        path: &finding.path,
    }
}

/// Evidence as one JSON object in the rule's order.
pub(crate) fn evidence(finding: &FindingView) -> Map<String, Value> {
    finding.evidence.iter().cloned().collect()
}

fn framework(framework: &FrameworkView) -> Framework<'_> {
    Framework {
        id: &framework.id,
        title: &framework.title,
        score: framework.score,
        requirements: framework
            .requirements
            .iter()
            .map(|requirement| Requirement {
                id: &requirement.id,
                title: &requirement.title,
                section: &requirement.section,
                state: requirement.state.as_str(),
                passed: requirement.passed,
                failed: requirement.failed,
                unknown: requirement.unknown,
                rules: &requirement.rules,
            })
            .collect(),
    }
}

fn mute(mute: &MuteView) -> Mute<'_> {
    Mute {
        id: &mute.id,
        rule: &mute.rule,
        resource: &mute.resource,
        account: &mute.account,
        tag: &mute.tag,
        reason: &mute.reason,
        expires: &mute.expires,
        matched: mute.matched,
        expired: mute.expired,
        problem: &mute.problem,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::{Format, Report, fixture, schema_check};

    fn json(report: &Report) -> Value {
        serde_json::from_str(&fixture::rendered(Format::Json, report)).unwrap()
    }

    #[test]
    fn what_is_written_is_what_the_published_schema_says() {
        let schema = serde_json::from_str(include_str!("../../../docs/report.schema.json")).unwrap();
        for report in [fixture::report(), fixture::hostile(), Report::default()] {
            let faults = schema_check::faults(&schema, &json(&report));
            assert!(faults.is_empty(), "{faults:#?}");
        }
        let mut wrong = json(&fixture::report());
        wrong["findings"][0]["severity"] = "dreadful".into();
        wrong["surprise"] = true.into();
        assert_eq!(schema_check::faults(&schema, &wrong).len(), 2);
    }

    #[test]
    fn the_worst_open_finding_comes_first_and_muted_ones_last() {
        let report = json(&fixture::report());
        assert_eq!(report["schema"], "nephoscope-report/1");
        let findings = report["findings"].as_array().unwrap();
        assert_eq!(findings[0]["severity"], "critical");
        assert_eq!(findings[0]["resource"]["key"], "arn:aws:s3:::acme-exports");
        assert_eq!(findings[0]["evidence"]["public_read"], true);
        assert!(findings.last().unwrap()["muted"]["reason"].is_string());
        assert_eq!(report["counts"]["open"]["critical"], 1);
        assert_eq!(report["counts"]["muted"], 1);
    }

    #[test]
    fn an_unknown_says_which_call_failed_and_in_whose_words() {
        let report = json(&fixture::report());
        let unknown = report["findings"].as_array().unwrap().iter().find(|f| f["verdict"] == "unknown").unwrap();
        assert_eq!(unknown["reasons"][0]["call"], "s3:GetBucketPolicy");
        assert_eq!(unknown["reasons"][0]["code"], "AccessDenied");
        assert_eq!(report["counts"]["reads"], serde_json::json!({"complete": 5, "total": 8}));
    }

    #[test]
    fn a_hostile_name_reads_back_unchanged() {
        let report = json(&fixture::hostile());
        assert_eq!(report["findings"][0]["resource"]["name"], fixture::HOSTILE);
    }
}
