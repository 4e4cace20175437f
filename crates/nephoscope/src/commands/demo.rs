//! `nephoscope demo`: the bundled recording through the very same pipeline as every scan.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use nepho_catalog::Catalog;
use nepho_report::{Format, table};

use crate::arguments::{DemoArguments, ReportArguments, Verdicts};
use crate::{Outcome, pipeline, reporting};

/// The recording of a real collection from a moto server that `demo/seed.py` filled.
const RECORDING: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../demo/recording/answers.jsonl.zst"));
const MANIFEST: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../demo/recording/recording.json"));

/// Replays, prints the summary, writes the HTML report.
pub fn run(catalog: Arc<Catalog>, options: DemoArguments, quiet: bool) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let analysis = pipeline::replay_bytes(&catalog, "demo", RECORDING, MANIFEST, quiet)?;
    let all = ReportArguments {
        out: Vec::new(),
        format: None,
        verdicts: Verdicts::All,
        rules: Vec::new(),
        severity: None,
        fail_on: None,
        mutes: None,
    };
    let report = reporting::build(&analysis, &all)?;
    reporting::write_file(&options.out, Format::Html, &report)?;
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(table::summary(&report, &reporting::style()).as_bytes())?;
    let shown = options.out.canonicalize().unwrap_or_else(|_| options.out.clone());
    writeln!(stdout, "\nReport: {}", shown.display()).context("writing to standard output")?;
    if !quiet {
        eprintln!("{} resources judged in {:.1} s", report.counts.resources, started.elapsed().as_secs_f64());
    }
    // A demonstration ends well, whatever it shows.
    Ok(Outcome::Done)
}
