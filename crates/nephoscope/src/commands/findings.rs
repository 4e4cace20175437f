//! `nephoscope findings`

use std::io::Write as _;
use std::sync::Arc;

use nepho_catalog::Catalog;
use nepho_report::table;

use crate::arguments::FindingsArguments;
use crate::{Outcome, pipeline, reporting};

/// Judges the last scan (or a recording) again and lists what it finds.
pub fn run(catalog: Arc<Catalog>, options: FindingsArguments, quiet: bool) -> anyhow::Result<Outcome> {
    let analysis = pipeline::replay(&catalog, &options.replay)?;
    if options.report.format.is_some() || !options.report.out.is_empty() {
        return reporting::report(&analysis, &options.report, quiet);
    }
    let report = reporting::build(&analysis, &options.report)?;
    std::io::stdout().lock().write_all(table::findings(&report, &reporting::style()).as_bytes())?;
    Ok(reporting::outcome(&report, &options.report))
}
