//! `nephoscope coverage`

use std::sync::Arc;

use nepho_catalog::Catalog;
use nepho_report::table;

use crate::arguments::{CoverageArguments, TableFormat};
use crate::{Outcome, output, pipeline, reporting};

/// Tells what could not be read, with the provider's own words and what to do; with `--all` lists everything.
pub fn run(catalog: Arc<Catalog>, options: CoverageArguments) -> anyhow::Result<Outcome> {
    let analysis = pipeline::replay(&catalog, &options.replay)?;
    let coverage = &analysis.estate.coverage;
    let missing = coverage.iter().filter(|entry| !entry.state.is_complete()).count();
    let outcome = if missing == 0 { Outcome::Done } else { Outcome::Incomplete };
    if options.format == TableFormat::Table && !options.all {
        output::text(&table::coverage(&reporting::outline(&analysis), &reporting::list_style()))?;
        return Ok(outcome);
    }
    let rows: Vec<_> = coverage
        .iter()
        .filter(|entry| options.all || !entry.state.is_complete())
        .map(|entry| {
            vec![
                entry.account.as_ref().into(),
                entry.region.as_ref().into(),
                entry.kind.as_ref().into(),
                entry.call.as_ref().into(),
                entry.state.as_str().into(),
                entry.items.into(),
                entry.code.as_ref().into(),
                entry.message.as_ref().into(),
            ]
        })
        .collect();
    output::table(options.format, &["account", "region", "kind", "call", "state", "items", "code", "message"], &rows)?;
    Ok(outcome)
}
