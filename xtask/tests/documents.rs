//! The documents name files, folders and pages that are there.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Texts between backticks that look like paths of the repository.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|path| {
        let first = path.split('/').next().unwrap_or_default();
        let ours = ["crates", "catalog", "docs", "xtask", "demo", "bench", "conformance"].contains(&first);
        ours && path.contains('/') && !path.contains([' ', '<', '*', '{'])
    })
}

/// Targets of links that are no web addresses.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://") && !target.starts_with('#'))
}

#[test]
fn paths_and_links_exist() {
    let root = root();
    let mut documents = vec!["README.md".into(), "ARCHITECTURE.md".into(), "CONTRIBUTING.md".into()];
    for entry in std::fs::read_dir(root.join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            documents.push(path.strip_prefix(&root).unwrap().to_owned());
        }
    }
    let mut missing = Vec::new();
    let mut looked_at = 0;
    for document in documents {
        let text = std::fs::read_to_string(root.join(&document)).unwrap();
        let folder = root.join(&document).parent().unwrap().to_owned();
        let named = paths(&text).map(|path| root.join(path));
        let linked = links(&text).map(|link| folder.join(link.split('#').next().unwrap_or(link)));
        for path in named.chain(linked) {
            looked_at += 1;
            if !path.exists() {
                missing.push(format!("{}: {}", document.display(), path.display()));
            }
        }
    }
    assert!(looked_at > 30, "only {looked_at} paths were found in the documents");
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
