//! `cargo xtask`: what developers and CI run. Each command is one module.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a developer's tool talks to the terminal")]

mod bench;
mod conformance;
mod demo;
mod generate;
mod python;
mod test;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "cargo xtask COMMAND
  test                                   install what the tests need, start the test servers, run all tests
  lint                                   formatting and clippy
  gen [--check]                          write (or hold against what is there) tables and reference pages
  conformance DIR [--suite NAME] [--verbose]
                                         run public conformance suites
  bench collect|graph|rules              measure, beside peers where there are any
  demo-record                            make the demo's recording again from a seeded moto server";

/// The repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
}

fn run() -> anyhow::Result<bool> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test", rest @ ..] => test::run(&root(), rest),
        ["lint"] => test::lint(&root()),
        ["gen"] => generate::run(&root(), false),
        ["gen", "--check"] => generate::run(&root(), true),
        ["conformance", rest @ ..] => conformance::run(&root(), rest),
        ["bench", what, rest @ ..] => bench::run(&root(), what, rest),
        ["demo-record"] => demo::record(&root()),
        _ => anyhow::bail!("unknown command\n{USAGE}"),
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::from(2)
        }
    }
}
