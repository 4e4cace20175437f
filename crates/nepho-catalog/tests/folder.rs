//! A user's own folder: what is wrong in it is told, with the place.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;

use nepho_catalog::{Catalog, CatalogError};

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn rule(on: &str, control: &str) -> String {
    format!(
        "id: own.mine\ntitle: Mine\nseverity: low\non: {on}\nfail_when: 'true'\nwhy: because\nfix: {{text: do}}\ncontrols: [{control}]\n"
    )
}

/// The folder of one test, made afresh.
fn folder(name: &str) -> std::path::PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&root);
    std::fs::create_dir_all(&root).unwrap();
    root
}

#[test]
fn a_wrong_name_is_told_with_its_line() {
    let root = folder("wrong-names");
    write(&root, "rules/own/mine.yaml", &rule("aws.s3.bukcet", "cis-aws-5.0/2.1.4"));
    let error = Catalog::with_folder(&root).unwrap_err().to_string();
    assert!(error.contains("mine.yaml:4:5: ") && error.contains("did you mean `aws.s3.bucket`"), "{error}");
    write(&root, "rules/own/mine.yaml", &rule("aws.s3.bucket", "cis-aws-5.0/99.1"));
    let error = Catalog::with_folder(&root).unwrap_err().to_string();
    assert!(error.contains("mine.yaml:8:12: the requirement `cis-aws-5.0/99.1`"), "{error}");
    write(&root, "rules/own/mine.yaml", "id: own.mine\nseverty: low\n");
    let error = Catalog::with_folder(&root).unwrap_err().to_string();
    assert!(error.contains("mine.yaml:2:1: not a valid rule file: unknown field `severty`"), "{error}");
}

#[test]
fn a_folder_with_nothing_to_read_is_an_error() {
    let root = folder("nothing");
    write(&root, "s3/mine.yaml", &rule("aws.s3.bucket", "cis-aws-5.0/2.1.4"));
    assert!(matches!(Catalog::with_folder(&root), Err(CatalogError::Nothing { .. })));
    assert!(matches!(Catalog::with_folder(&root.join("missing")), Err(CatalogError::Read { .. })));
}

#[test]
fn files_that_are_passed_over_are_told() {
    let root = folder("strays");
    write(&root, "rules/own/mine.yaml", &rule("aws.s3.bucket", "cis-aws-5.0/2.1.4"));
    write(&root, "rules/own/other.yml", "id: own.other\n");
    write(&root, "mutes.yaml", "mutes: []\n");
    write(&root, "README.md", "# Mine\n");
    write(&root, ".github/workflow.yaml", "on: push\n");
    let warnings = Catalog::with_folder(&root).unwrap().warnings;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("mutes.yaml` is passed over: it is not in `kinds/`"), "{warnings:?}");
    assert!(warnings[1].contains("other.yml` is passed over: it ends in `.yml`"), "{warnings:?}");
}
