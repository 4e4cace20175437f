//! The store of snapshots: which one is meant, and saving one after a scan.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use nepho_estate::schema_of;
use nepho_model::Verdict;
use nepho_rules::{Finding, judge};
use nepho_snapshot::{Recording, Store, VerdictRow, WriteOptions};

use crate::arguments::StoreArguments;
use crate::pipeline::Analysis;
use crate::reporting::Plan;

fn folder(options: &StoreArguments) -> Option<PathBuf> {
    options.store.clone().filter(|folder| !folder.is_empty()).map(PathBuf::from)
}

/// The store to read from.
pub fn readable(options: &StoreArguments) -> anyhow::Result<Store> {
    let folder = folder(options).context(
        "no store of snapshots is given; say --store DIR or set NEPHOSCOPE_STORE (`nephoscope scan aws --store DIR` saves a \
         snapshot)",
    )?;
    Ok(Store::open(&folder)?)
}

/// The store to save in, where one is asked for: made before anything is read, so that a mistake is told at once.
pub fn writable(options: &StoreArguments) -> anyhow::Result<Option<Store>> {
    Ok(folder(options).map(|folder| Store::create(&folder)).transpose()?)
}

/// Saves the graph and the verdicts of all rules.
pub fn save(store: Option<&Store>, analysis: &Analysis, plan: &Plan, quiet: bool) -> anyhow::Result<()> {
    let Some(store) = store else { return Ok(()) };
    let schema = schema_of(&analysis.catalog);
    // Verdicts of chosen rules would look as if the others had vanished.
    let verdicts = plan.runs_all_rules().then(|| {
        let all = judge(&analysis.estate, plan.rules(), &[Verdict::Fail, Verdict::Unknown, Verdict::Pass]);
        all.findings.iter().filter_map(|finding| row(analysis, finding)).collect()
    });
    let recording = |path: String| Recording { path, time: analysis.clock, provider: "aws".to_owned() };
    let sources: Vec<_> = match analysis.recordings.as_slice() {
        [] => vec![recording(analysis.source.clone())],
        paths => {
            let absolute = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone()).display().to_string();
            paths.iter().map(|path| recording(absolute(path))).collect()
        }
    };
    let options = WriteOptions {
        tool: format!("nephoscope {}", env!("CARGO_PKG_VERSION")),
        schema: Some(&schema),
        sources,
        coverage: &analysis.estate.coverage,
        verdicts,
        ..WriteOptions::default()
    };
    let written = store.write(&analysis.estate.graph, &options)?;
    if !quiet {
        let shared = match (written.existed, written.shared_bytes) {
            (true, _) => ", which was there already".to_owned(),
            (false, 0) => String::new(),
            (false, shared) => format!(", of which {} kB are shared with the snapshot before", shared.div_ceil(1000)),
        };
        eprintln!("snapshot: {} ({} kB{shared})", written.folder.display(), written.bytes.div_ceil(1000));
    }
    Ok(())
}

fn row(analysis: &Analysis, finding: &Finding) -> Option<VerdictRow> {
    let node = analysis.estate.graph.node(finding.node)?;
    let reason = finding.reasons.first().map(|reason| match reason.call.is_empty() {
        true => reason.what.clone(),
        false => format!("{}: {}", reason.call, reason.state),
    });
    Some(VerdictRow {
        rule: finding.rule.id.clone(),
        kind: node.kind().into(),
        key: node.key().into(),
        account: node.account().into(),
        verdict: finding.verdict,
        severity: finding.rule.severity,
        reason: Arc::from(reason.unwrap_or_default()),
    })
}
