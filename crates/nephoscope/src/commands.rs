//! One module a command.

mod completions;
mod compliance;
mod coverage;
mod demo;
mod diff;
mod findings;
mod identity;
mod kinds;
mod permissions;
mod query;
mod rules;
mod scan;
mod snapshots;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::bail;
use nepho_catalog::{Catalog, nearest};

use crate::Outcome;
use crate::arguments::{Arguments, Command, ScanTarget};

/// Runs the command.
pub fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    let quiet = arguments.quiet;
    // Does not need the catalogue: must answer even when a user's own is broken.
    if let Command::Completions { shell } = arguments.command {
        return completions::run(shell);
    }
    let folder = arguments.catalog.filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let catalog = Arc::new(match &folder {
        Some(folder) => Catalog::with_folder(folder)?,
        None => Catalog::embedded()?,
    });
    for warning in &catalog.warnings {
        eprintln!("warning: {warning}");
    }
    match arguments.command {
        Command::Scan { target: ScanTarget::Aws(options) } => scan::run(catalog, *options, quiet),
        Command::Query(options) => query::run(catalog, options, quiet),
        Command::Snapshots(options) => snapshots::run(options, quiet),
        Command::Diff(options) => diff::run(options),
        Command::Findings(options) => findings::run(catalog, options, quiet),
        Command::Coverage(options) => coverage::run(catalog, options),
        Command::Compliance(options) => compliance::run(catalog, options),
        Command::Rules { action } => rules::run(catalog, action, folder.as_deref()),
        Command::Identity { action } => identity::run(catalog, action),
        Command::Kinds { action } => kinds::run(&catalog, action, folder.as_deref()),
        Command::Permissions(options) => permissions::run(&catalog, &options),
        Command::Demo(options) => demo::run(catalog, options, quiet),
        Command::Completions { shell } => completions::run(shell),
    }
}

/// Beginnings of ids that begin no id are a mistake; the nearest id, or beginning of one, is named.
fn check_prefixes<'a>(
    what: &str,
    prefixes: &[String],
    ids: impl Iterator<Item = &'a str> + Clone,
) -> anyhow::Result<()> {
    for prefix in prefixes {
        if ids.clone().any(|id| id.starts_with(prefix.as_str())) {
            continue;
        }
        let beginnings = |id: &'a str| id.match_indices('.').filter_map(|(at, _)| id.get(..at)).chain([id]);
        match nearest(prefix, ids.clone().flat_map(beginnings)) {
            Some(near) => bail!("no {what} begins with `{prefix}`; did you mean `{near}`?"),
            None => bail!("no {what} begins with `{prefix}`; `nephoscope {what}s list` shows them"),
        }
    }
    Ok(())
}
