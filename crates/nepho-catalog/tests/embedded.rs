//! The catalogue in the repository is whole: every file parses, every name it uses exists.

use std::collections::BTreeSet;

use nepho_catalog::{Catalog, SourceFile, SourceKind};

#[test]
fn every_file_is_valid() {
    let catalog = match Catalog::embedded() {
        Ok(catalog) => catalog,
        Err(error) => panic!("{error}"),
    };
    assert!(catalog.kinds.len() >= 120, "{} kinds", catalog.kinds.len());
    assert!(catalog.rules.len() >= 150, "{} rules", catalog.rules.len());
    assert!(catalog.frameworks.len() >= 6, "{} frameworks", catalog.frameworks.len());
}

#[test]
fn every_cases_file_parses_and_stands_beside_something() {
    let files: Vec<SourceFile> = SourceFile::embedded().collect();
    let ids = |kind: SourceKind| -> BTreeSet<&str> {
        files.iter().filter(|file| file.kind == kind).map(|file| file.id.as_str()).collect()
    };
    let (kinds, rules) = (ids(SourceKind::Kind), ids(SourceKind::Rule));
    for file in &files {
        match file.kind {
            SourceKind::KindCases => {
                assert!(kinds.contains(file.id.as_str()), "{} stands beside nothing", file.path);
                file.kind_cases().unwrap_or_else(|error| panic!("{error}"));
            }
            SourceKind::RuleCases => {
                assert!(rules.contains(file.id.as_str()), "{} stands beside nothing", file.path);
                file.rule_cases().unwrap_or_else(|error| panic!("{error}"));
            }
            _ => {}
        }
    }
    let with_cases = ids(SourceKind::RuleCases);
    let without: Vec<&&str> = rules.iter().filter(|id| !with_cases.contains(**id)).collect();
    assert!(without.is_empty(), "rules without cases: {without:?}");
}
