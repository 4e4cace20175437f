//! One module a command.

mod completions;
mod compliance;
mod coverage;
mod demo;
mod findings;
mod kinds;
mod permissions;
mod query;
mod rules;
mod scan;

use std::sync::Arc;

use nepho_catalog::Catalog;

use crate::Outcome;
use crate::arguments::{Arguments, Command, ScanTarget};

/// Runs the command.
pub fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    let quiet = arguments.quiet;
    // Does not need the catalogue: must answer even when a user's own is broken.
    if let Command::Completions { shell } = arguments.command {
        return completions::run(shell);
    }
    let catalog = Arc::new(match &arguments.catalog {
        Some(folder) => Catalog::with_folder(folder)?,
        None => Catalog::embedded()?,
    });
    match arguments.command {
        Command::Scan { target: ScanTarget::Aws(options) } => scan::run(catalog, *options, quiet),
        Command::Query(options) => query::run(catalog, options),
        Command::Findings(options) => findings::run(catalog, options, quiet),
        Command::Coverage(options) => coverage::run(catalog, options),
        Command::Compliance(options) => compliance::run(catalog, options),
        Command::Rules { action } => rules::run(catalog, action, arguments.catalog.as_deref()),
        Command::Kinds { action } => kinds::run(&catalog, action, arguments.catalog.as_deref()),
        Command::Permissions(options) => permissions::run(&catalog, &options),
        Command::Demo(options) => demo::run(catalog, options, quiet),
        Command::Completions { shell } => completions::run(shell),
    }
}
