//! `cargo xtask bench`: figures, beside peers where there are any.

mod collect;
mod rules;

use std::path::Path;

/// Runs one bench.
pub fn run(root: &Path, what: &str, arguments: &[&str]) -> anyhow::Result<bool> {
    match what {
        "collect" => collect::run(root, arguments),
        "rules" => rules::run(arguments),
        _ => anyhow::bail!("no bench `{what}`; there are collect and rules"),
    }
}
