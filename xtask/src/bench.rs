//! `cargo xtask bench`: figures, beside peers where there are any.

mod collect;
mod graph;
mod page;
mod rules;

use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs one bench.
pub fn run(root: &Path, what: &str, arguments: &[&str]) -> anyhow::Result<bool> {
    match what {
        "collect" => collect::run(root, arguments),
        "graph" => graph::run(root, arguments),
        "rules" => rules::run(root, arguments),
        _ => anyhow::bail!("no bench `{what}`; there are collect, graph and rules"),
    }
}

/// See [`in_release`].
enum Release {
    /// This is the release build; its path.
    Here(PathBuf),
    /// The release build ran: whether all was well.
    Ran(bool),
}

/// Builds this command for release and runs it, unless this is it.
fn in_release(root: &Path, what: &str, arguments: &[&str]) -> anyhow::Result<Release> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let xtask = target.join("release/xtask");
    if std::env::current_exe().is_ok_and(|this| this == xtask) {
        return Ok(Release::Here(xtask));
    }
    let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(root)
        .args(["build", "--quiet", "--release", "--package", "xtask"])
        .status()?;
    anyhow::ensure!(built.success(), "the release build failed");
    let status =
        Command::new(&xtask).args(["bench", what]).args(arguments).env("CARGO_TARGET_DIR", &target).status()?;
    match status.code() {
        Some(0) => Ok(Release::Ran(true)),
        Some(1) => Ok(Release::Ran(false)),
        _ => anyhow::bail!("the release build ended with {status}"),
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
