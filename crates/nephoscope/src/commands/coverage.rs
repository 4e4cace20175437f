//! `nephoscope coverage`

use std::sync::Arc;

use nepho_catalog::Catalog;

use crate::arguments::CoverageArguments;
use crate::{Outcome, output, pipeline};

/// Lists what could not be read, with the provider's own words; with `--all` everything.
pub fn run(catalog: Arc<Catalog>, options: CoverageArguments) -> anyhow::Result<Outcome> {
    let analysis = pipeline::replay(&catalog, &options.replay)?;
    let coverage = &analysis.estate.coverage;
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
    let missing = coverage.iter().filter(|entry| !entry.state.is_complete()).count();
    Ok(if missing == 0 { Outcome::Done } else { Outcome::Incomplete })
}
