//! The README's first command.

use crate::support::{expect_code, nephoscope};

#[test]
fn shows_findings_and_writes_a_self_contained_page() {
    let home = tempfile::tempdir().unwrap();
    let page = home.path().join("demo.html");
    let output = nephoscope(home.path()).args(["demo", "--out"]).arg(&page).output().unwrap();
    let shown = expect_code(&output, &[0]);
    assert!(shown.contains("critical") && shown.contains("overage"), "{shown}");
    let html = std::fs::read_to_string(page).unwrap();
    assert!(html.starts_with("<!doctype html>") || html.starts_with("<!DOCTYPE html>"));
    for outside in ["<link rel=\"stylesheet\" href=\"http", "<script src=", "<img src=\"http", "@import"] {
        assert!(!html.contains(outside), "the page loads something from outside: {outside}");
    }
}

#[test]
fn quiet_says_nothing_and_writes_the_page() {
    let home = tempfile::tempdir().unwrap();
    let page = home.path().join("demo.html");
    let output = nephoscope(home.path()).args(["-q", "demo", "--out"]).arg(&page).output().unwrap();
    assert_eq!(expect_code(&output, &[0]), "");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(page.is_file());
}
