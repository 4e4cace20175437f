//! `cargo xtask bench`: figures, beside peers where there are any.

mod collect;
mod graph;
mod page;
mod rules;

use std::path::Path;

/// Runs one bench.
pub fn run(root: &Path, what: &str, arguments: &[&str]) -> anyhow::Result<bool> {
    match what {
        "collect" => collect::run(root, arguments),
        "graph" => graph::run(root, arguments),
        "rules" => rules::run(arguments),
        _ => anyhow::bail!("no bench `{what}`; there are collect, graph and rules"),
    }
}

/// A line of this process's memory in MiB: `VmRSS`, what is resident; `VmHWM`, the most that was.
fn memory_mib(field: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))
        .and_then(|text| text.split_whitespace().next());
    kib.and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}
