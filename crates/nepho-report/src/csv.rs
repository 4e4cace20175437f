//! CSV: one row a finding, then one for each gap of coverage; safe to open in a spreadsheet.

use std::io::Write;

use nepho_model::CoverageEntry;

use crate::digest;
use crate::format::{Format, ReportError};
use crate::report::{FindingView, Report};
use crate::text::one_line;

const COLUMNS: [&str; 20] = [
    "id",
    "verdict",
    "severity",
    "rule",
    "title",
    "kind",
    "name",
    "key",
    "account",
    "account_name",
    "region",
    "evidence",
    "reasons",
    "why",
    "fix",
    "fix_cli",
    "controls",
    "references",
    "muted_reason",
    "muted_until",
];

pub(crate) fn write(report: &Report, output: &mut dyn Write) -> Result<(), ReportError> {
    let mut writer = csv::Writer::from_writer(output);
    writer.write_record(COLUMNS).map_err(failed)?;
    for finding in digest::sorted(report) {
        writer.write_record(row(report, finding).map(|cell| harmless(&cell))).map_err(failed)?;
    }
    for entry in digest::missing(report) {
        writer.write_record(gap(report, entry).map(|cell| harmless(&cell))).map_err(failed)?;
    }
    writer.flush().map_err(ReportError::write(Format::Csv))
}

fn failed(error: csv::Error) -> ReportError {
    match error.into_kind() {
        csv::ErrorKind::Io(source) => ReportError::Write { format: Format::Csv, source },
        other => ReportError::Encode { format: Format::Csv, source: format!("{other:?}").into() },
    }
}

fn row(report: &Report, finding: &FindingView) -> [String; COLUMNS.len()] {
    let resource = &finding.resource;
    let rule = &finding.rule;
    let muted = finding.muted.as_ref();
    let evidence = match finding.evidence.is_empty() {
        true => String::new(),
        false => serde_json::Value::Object(crate::json::evidence(finding)).to_string(),
    };
    let reasons: Vec<String> = finding
        .reasons
        .iter()
        .map(|reason| match digest::reason(reason) {
            (what, words) if words.is_empty() => what,
            (what, words) => format!("{what}: {words}"),
        })
        .collect();
    [
        finding.id.clone(),
        finding.verdict.to_string(),
        rule.severity.to_string(),
        rule.id.clone(),
        rule.title.clone(),
        resource.kind.clone(),
        resource.name.clone().unwrap_or_default(),
        resource.key.clone(),
        resource.account.clone(),
        digest::account_name(report, &resource.account).unwrap_or_default().to_owned(),
        resource.region.clone(),
        evidence,
        reasons.join("; "),
        rule.why.clone(),
        rule.fix.text.clone(),
        rule.fix.cli.clone().unwrap_or_default(),
        rule.controls.join("; "),
        rule.references.join(" "),
        muted.map(|muted| muted.reason.clone()).unwrap_or_default(),
        muted.map(|muted| muted.expires.clone()).unwrap_or_default(),
    ]
}

/// What could not be read: a row without a rule, whose verdict is `not_read`.
fn gap(report: &Report, entry: &CoverageEntry) -> [String; COLUMNS.len()] {
    let mut row = [const { String::new() }; COLUMNS.len()];
    let mut set = |column: &str, text: String| {
        if let Some(cell) = COLUMNS.iter().position(|name| *name == column).and_then(|at| row.get_mut(at)) {
            *cell = text;
        }
    };
    set("verdict", "not_read".to_owned());
    set("title", format!("{} could not be read in full", entry.call));
    set("kind", entry.kind.to_string());
    set("account", entry.account.to_string());
    set("account_name", digest::account_name(report, &entry.account).unwrap_or_default().to_owned());
    set("region", entry.region.to_string());
    set("reasons", format!("{} {} {} {}", entry.call, entry.state.as_str(), entry.code, entry.message));
    set("fix", digest::advice(&entry.call, entry.state).to_owned());
    row
}

/// One line, and never a formula: a cell that starts as one gets an apostrophe in front (OWASP, "CSV Injection").
pub fn harmless(cell: &str) -> String {
    let starts_a_formula =
        |c: char| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    let line = one_line(cell);
    match cell.starts_with(starts_a_formula) || line.starts_with(starts_a_formula) {
        true => format!("'{line}"),
        false => line,
    }
}

#[cfg(test)]
mod tests {
    use crate::{Format, fixture};

    fn rows(text: &str) -> Vec<csv::StringRecord> {
        csv::Reader::from_reader(text.as_bytes()).records().map(Result::unwrap).collect()
    }

    #[test]
    fn one_row_a_finding_with_the_account_by_name() {
        let report = fixture::report();
        let text = fixture::rendered(Format::Csv, &report);
        let rows = rows(&text);
        assert_eq!(rows.iter().filter(|row| row.get(1) != Some("not_read")).count(), report.findings.len());
        assert_eq!(rows[0].get(2), Some("critical"));
        assert_eq!(rows[0].get(7), Some("arn:aws:s3:::acme-exports"));
        assert_eq!(rows[0].get(9), Some("prod"));
        assert_eq!(rows[0].get(11), Some(r#"{"public_read":true,"policy":{"Effect":"Allow","Principal":"*"}}"#));
    }

    #[test]
    fn what_could_not_be_read_is_a_row_each() {
        let report = fixture::report();
        let rows = rows(&fixture::rendered(Format::Csv, &report));
        let gaps: Vec<_> = rows.iter().filter(|row| row.get(1) == Some("not_read")).collect();
        assert_eq!(gaps.len(), report.coverage.iter().filter(|entry| !entry.state.is_complete()).count());
        let denied =
            gaps.iter().find(|row| row.get(4) == Some("s3:GetBucketPolicy could not be read in full")).unwrap();
        assert!(denied.get(12).unwrap().starts_with("s3:GetBucketPolicy denied AccessDenied User: "), "{denied:?}");
        assert_eq!((denied.get(3), denied.get(9)), (Some(""), Some("dev")));
    }

    #[test]
    fn no_cell_is_a_formula() {
        for name in ["=cmd|' /C calc'!A0", "+1", "-2+3", "@SUM(A1)", "\t=1", " \n=1", "＝1"] {
            let mut report = fixture::report();
            for finding in &mut report.findings {
                finding.resource.name = Some(name.into());
                finding.resource.region = name.into();
            }
            for row in rows(&fixture::rendered(Format::Csv, &report)).iter().take(report.findings.len()) {
                assert!(row.iter().all(|cell| !cell.trim_start().starts_with(['=', '+', '-', '@', '＝'])), "{row:?}");
                assert!(row.get(6).unwrap().starts_with('\''));
            }
        }
    }
}
