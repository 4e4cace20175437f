//! `nephoscope demo`: the bundled recording through the very same pipeline as every scan.

use std::sync::Arc;
use std::time::Instant;

use nepho_catalog::Catalog;
use nepho_report::{Format, table};

use crate::arguments::{DemoArguments, ReportArguments, Verdicts};
use crate::reporting::{Plan, Target};
use crate::{Outcome, history, output, pipeline, reporting};

/// The recording of a real collection from a moto server that `demo/seed.py` filled.
const RECORDING: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../demo/recording/answers.jsonl.zst"));
const MANIFEST: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../demo/recording/recording.json"));

/// Replays, prints the summary, writes the report: HTML unless the file's ending says otherwise.
pub fn run(catalog: Arc<Catalog>, options: DemoArguments, quiet: bool) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let target = Target::of(&options.out)?;
    let store = history::writable(&options.store)?;
    let plan = Plan::new(&catalog, &ReportArguments { verdicts: Verdicts::All, ..Default::default() })?;
    let analysis = pipeline::replay_bytes(&catalog, "demo", RECORDING, MANIFEST, quiet)?;
    let report = reporting::build(&analysis, &plan);
    target.write(Format::from_path(&options.out).unwrap_or(Format::Html), &report)?;
    if !quiet && target != Target::Output {
        let shown = options.out.canonicalize().unwrap_or_else(|_| options.out.clone());
        let summary = table::summary(&report, &reporting::style());
        output::text(&format!("{summary}\nReport: {}\n", shown.display()))?;
        eprintln!("{} resources judged in {:.1} s", report.counts.resources, started.elapsed().as_secs_f64());
    }
    history::save(store.as_ref(), &analysis, &plan, quiet)?;
    // A demonstration ends well, whatever it shows.
    Ok(Outcome::Done)
}
