//! `nephoscope findings`

use std::sync::Arc;

use nepho_catalog::Catalog;

use crate::arguments::FindingsArguments;
use crate::reporting::{Plan, View};
use crate::{Outcome, pipeline, reporting};

/// Judges the last scan (or a recording) again and lists what it finds.
pub fn run(catalog: Arc<Catalog>, options: FindingsArguments, quiet: bool) -> anyhow::Result<Outcome> {
    let plan = Plan::new(&catalog, &options.report)?;
    let analysis = pipeline::replay(&catalog, &options.replay)?;
    reporting::report(&analysis, &plan, View::List, quiet)
}
