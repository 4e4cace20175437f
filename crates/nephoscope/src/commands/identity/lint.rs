//! `identity lint`

use std::io::Read as _;
use std::path::{Path, PathBuf};

use annotate_snippets::Level;
use anyhow::{Context as _, bail};
use nepho_identity::actions::Catalogue;
use nepho_identity::lint::{self, CHECKS, Finding, PolicyKind, Severity};
use nepho_model::Timestamp;
use serde_json::{Value as Json, json};

use crate::arguments::{LintArguments, TableFormat};
use crate::diagnostics::{SourceError, render_as};
use crate::{Outcome, output};

/// A policy, and what was found in it.
struct Linted {
    origin: String,
    text: String,
    kind: PolicyKind,
    findings: Vec<Finding>,
}

pub fn run(options: &LintArguments) -> anyhow::Result<Outcome> {
    if options.list {
        return list(options.format);
    }
    // All are read before anything is said of one.
    let texts = options.policies.iter().map(|path| read(path)).collect::<anyhow::Result<Vec<String>>>()?;
    let now = Timestamp::now();
    let of_policy = |(path, text): (&PathBuf, String)| {
        let kind = options.kind.clone().unwrap_or_else(|| lint::guess(&text));
        let findings = lint::check(&text, Some(&kind), Catalogue::embedded(), now);
        Linted { origin: name(path), text, kind, findings }
    };
    let mut linted: Vec<Linted> = options.policies.iter().zip(texts).map(of_policy).collect();
    let fails = linted.iter().flat_map(|of| &of.findings).any(|found| found.severity >= options.fail_on);
    for of in &mut linted {
        of.findings.retain(|found| found.severity >= options.severity);
    }
    match options.format {
        TableFormat::Table => snippets(&linted)?,
        TableFormat::Json => {
            let policies: Vec<Json> = linted.iter().map(as_json).collect();
            output::json(&json!({"schema": "nephoscope.lint/1", "policies": policies}))?;
        }
        format => output::table(format, &COLUMNS, &linted.iter().flat_map(rows).collect::<Vec<_>>())?,
    }
    Ok(if fails { Outcome::Findings } else { Outcome::Done })
}

/// How messages call a policy.
fn name(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}

/// A policy's text.
fn read(path: &Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    // One byte more than is looked at: so the lint says how long it is.
    let most = lint::MOST_BYTES as u64 + 1;
    let name = name(path);
    match path == Path::new("-") {
        true => std::io::stdin().take(most).read_to_end(&mut bytes).context("reading standard input")?,
        false => {
            let file = std::fs::File::open(path).with_context(|| format!("cannot read `{name}`"))?;
            file.take(most).read_to_end(&mut bytes).with_context(|| format!("cannot read `{name}`"))?
        }
    };
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        // The limit may have cut a character.
        Err(error) if error.as_bytes().len() > lint::MOST_BYTES => Ok(String::from_utf8_lossy(error.as_bytes()).into()),
        Err(error) => bail!("`{name}` is no text in UTF-8: see byte {}", error.utf8_error().valid_up_to() + 1),
    }
}

/// Each finding with its place, and a line of counts.
fn snippets(linted: &[Linted]) -> anyhow::Result<()> {
    for of in linted {
        for found in &of.findings {
            let level = match found.severity {
                Severity::Error => Level::ERROR,
                Severity::Security => Level::ERROR.with_name("security"),
                Severity::Warning => Level::WARNING,
                Severity::Suggestion => Level::NOTE.with_name("suggestion"),
            };
            let shown = SourceError {
                message: found.message.clone(),
                origin: of.origin.clone(),
                text: of.text.clone(),
                span: found.span.clone(),
                help: Some(found.help.to_owned()),
            };
            output::line(&format!("{}\n", render_as(level, Some(found.id), &shown)))?;
        }
        let counts: Vec<String> = Severity::ALL
            .iter()
            .map(|severity| (severity, of.findings.iter().filter(|found| found.severity == *severity).count()))
            .filter(|(_, count)| *count > 0)
            .map(|(severity, count)| format!("{count} {severity}"))
            .collect();
        let counts = if counts.is_empty() { "nothing found".to_owned() } else { counts.join(", ") };
        output::line(&format!("{} ({}): {counts}", nepho_report::one_line(&of.origin), of.kind))?;
    }
    Ok(())
}

fn as_json(of: &Linted) -> Json {
    let finding = |found: &Finding| {
        json!({
            "check": found.id,
            "severity": found.severity.as_str(),
            "message": found.message,
            "help": found.help,
            "line": found.line,
            "column": found.column,
            "start": found.span.start,
            "end": found.span.end,
        })
    };
    let findings: Vec<Json> = of.findings.iter().map(finding).collect();
    json!({"file": of.origin, "kind": of.kind.to_string(), "findings": findings})
}

const COLUMNS: [&str; 6] = ["file", "line", "column", "severity", "check", "message"];

fn rows(of: &Linted) -> Vec<Vec<Json>> {
    let row = |found: &Finding| {
        vec![
            json!(of.origin),
            json!(found.line),
            json!(found.column),
            json!(found.severity.as_str()),
            json!(found.id),
            json!(found.message),
        ]
    };
    of.findings.iter().map(row).collect()
}

/// The checks.
fn list(format: TableFormat) -> anyhow::Result<Outcome> {
    let row = |check: &&lint::Check| {
        vec![json!(check.id), json!(check.severity.as_str()), json!(check.title), json!(check.help)]
    };
    let rows: Vec<Vec<Json>> = CHECKS.iter().map(row).collect();
    output::table(format, &["check", "severity", "title", "help"], &rows)?;
    Ok(Outcome::Done)
}
