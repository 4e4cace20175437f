//! The openCypher conformance kit against the graph engine. The runner itself is the graph crate's own test.

use std::path::Path;

pub use runner::SuiteResult;

#[path = "../../crates/nepho-graph/tests/tck/runner.rs"]
mod runner;

/// Runs the kit; with `verbose`, failures are listed by whoever prints the result.
pub fn run(file: &Path, verbose: bool) -> anyhow::Result<SuiteResult> {
    let mut result = runner::run(file).map_err(anyhow::Error::msg)?;
    if !verbose {
        // One line a case is enough for the count.
        for failure in &mut result.failed {
            failure.truncate(failure.floor_char_boundary(160));
        }
    }
    Ok(result)
}
