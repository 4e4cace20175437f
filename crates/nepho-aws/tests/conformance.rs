//! AWS's protocol tests, where they are at hand: the same runner as `cargo xtask conformance`.

#![allow(clippy::print_stdout, reason = "a test shows which cases fail")]

#[path = "../../../xtask/src/conformance_aws.rs"]
mod conformance_aws;
#[path = "../../../xtask/src/suite.rs"]
mod suite;

use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn protocols_conform() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let cases = std::env::var_os("NEPHO_CONFORMANCE")
        .map_or_else(|| root.join("../shared/conformance"), std::path::PathBuf::from);
    if !cases.join("aws_protocols").is_dir() {
        println!("skipped: no cases in `{}`", cases.display());
        return;
    }
    let result = conformance_aws::run(&cases, true).unwrap();
    println!(
        "{}: {} passed, {} failed, {} not applicable",
        result.name,
        result.passed,
        result.failed.len(),
        result.not_applicable
    );
    let known = std::fs::read_to_string(root.join("conformance/aws_protocols.known.txt")).unwrap_or_default();
    let known: BTreeSet<&str> =
        known.lines().filter_map(|line| line.split_whitespace().next()).filter(|id| !id.starts_with('#')).collect();
    let failed: BTreeSet<&str> = result.failed.iter().map(String::as_str).collect();
    assert_eq!(failed, known);
}
