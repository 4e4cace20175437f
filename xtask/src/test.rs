//! `cargo xtask test` and `lint`.

use std::path::Path;
use std::process::Command;

use crate::python;

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Installs what the tests need, starts a moto server, runs everything with nextest (else `cargo test`), stops it.
pub fn run(root: &Path, arguments: &[&str]) -> anyhow::Result<bool> {
    let environment = python::test_environment(root)?;
    let moto = python::Moto::start(&environment)?;
    let nextest = cargo().args(["nextest", "--version"]).output().is_ok_and(|output| output.status.success());
    let mut command = cargo();
    command.current_dir(root);
    match nextest {
        true => command.args(["nextest", "run", "--workspace", "--no-fail-fast"]),
        false => command.args(["test", "--workspace", "--no-fail-fast"]),
    };
    command.args(arguments).env("NEPHO_MOTO", &moto.url).env("NEPHO_PYTHON", environment.join("bin/python"));
    Ok(command.status()?.success())
}

/// Formatting, clippy with every warning an error, and whether the fuzz targets still build (they are a workspace of
/// their own).
pub fn lint(root: &Path) -> anyhow::Result<bool> {
    let formatted = cargo().current_dir(root).args(["fmt", "--all", "--check"]).status()?.success();
    let clean = cargo()
        .current_dir(root)
        .args(["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"])
        .status()?
        .success();
    let fuzzed = cargo()
        .current_dir(root)
        .args(["check", "--quiet", "--manifest-path", "fuzz/Cargo.toml", "--no-default-features"])
        .arg("--target-dir")
        .arg(root.join("target"))
        .status()?
        .success();
    Ok(formatted && clean && fuzzed)
}
