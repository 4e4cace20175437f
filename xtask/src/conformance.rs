//! `cargo xtask conformance`: public suites with expected results that nobody here wrote.

mod aws_protocols;
mod iam_simulate;
mod opencypher_tck;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The outcome of one suite.
#[derive(Debug, Default)]
pub struct SuiteResult {
    /// How many cases passed.
    pub passed: usize,
    /// Ids of the cases that failed.
    pub failed: Vec<String>,
    /// How many cases are outside of what the product does.
    pub not_applicable: usize,
}

type Runner = fn(&Path, bool) -> anyhow::Result<SuiteResult>;

/// Name, file or folder below the suites' folder, runner. A suite whose work has not begun is not listed.
const SUITES: &[(&str, &str, Runner)] = &[
    ("aws_protocols", "aws_protocols", aws_protocols::run),
    ("iam_simulate", "iam_simulate.jsonl", iam_simulate::run),
    ("opencypher_tck", "opencypher_tck.jsonl", opencypher_tck::run),
];

/// Runs the suites; false when a case that is not on the known list fails, or a listed one passes.
pub fn run(root: &Path, arguments: &[&str]) -> anyhow::Result<bool> {
    let verbose = arguments.contains(&"--verbose");
    let only = arguments.iter().position(|word| *word == "--suite").and_then(|at| arguments.get(at + 1)).copied();
    let folder = arguments
        .iter()
        .find(|word| !word.starts_with("--") && Some(**word) != only)
        .context("which folder? cargo xtask conformance DIR [--suite NAME] [--verbose]")?;
    if let Some(name) = only
        && !SUITES.iter().any(|(suite, ..)| *suite == name)
    {
        let names: Vec<&str> = SUITES.iter().map(|(suite, ..)| *suite).collect();
        anyhow::bail!("no suite `{name}`; there are {}", names.join(", "));
    }
    let mut as_known = true;
    for (name, file, runner) in SUITES.iter().filter(|(suite, ..)| only.is_none_or(|wanted| wanted == *suite)) {
        let path = PathBuf::from(folder).join(file);
        if !path.exists() {
            println!("{name}: not in {folder}");
            continue;
        }
        let result = runner(&path, verbose)?;
        println!(
            "{name}: {} passed, {} failed, {} not applicable",
            result.passed,
            result.failed.len(),
            result.not_applicable
        );
        let known = known_failures(root, name)?;
        let failed: BTreeSet<String> = result.failed.into_iter().collect();
        if verbose {
            failed.iter().for_each(|case| println!("  failed: {case}"));
        }
        for case in failed.difference(&known) {
            println!("  {name}: `{case}` fails and is not in conformance/{name}.known.txt");
            as_known = false;
        }
        for case in known.difference(&failed) {
            println!("  {name}: `{case}` is in conformance/{name}.known.txt and does not fail: take it out");
            as_known = false;
        }
    }
    Ok(as_known)
}

/// Case ids on the known list, `id<TAB>reason` a line; a case without a reason is an error.
fn known_failures(root: &Path, suite: &str) -> anyhow::Result<BTreeSet<String>> {
    let path = root.join("conformance").join(format!("{suite}.known.txt"));
    if !path.exists() {
        return Ok(BTreeSet::new());
    }
    std::fs::read_to_string(&path)?
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (id, _reason) =
                line.split_once('\t').with_context(|| format!("{}: no reason in `{line}`", path.display()))?;
            Ok(id.to_owned())
        })
        .collect()
}
