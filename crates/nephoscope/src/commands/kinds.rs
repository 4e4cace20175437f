//! `nephoscope kinds list|show|test|transforms`

use std::path::Path;
use std::sync::Arc;

use anyhow::bail;
use nepho_catalog::{Catalog, SourceFile, SourceKind, nearest};
use serde_json::Value as Json;

use crate::arguments::KindsAction;
use crate::{Outcome, output};

/// Runs the action.
pub fn run(catalog: &Arc<Catalog>, action: KindsAction, folder: Option<&Path>) -> anyhow::Result<Outcome> {
    match action {
        KindsAction::List { format } => {
            let rows: Vec<_> = catalog
                .kinds
                .values()
                .map(|kind| {
                    vec![
                        Json::from(kind.id.as_ref()),
                        kind.label().into(),
                        kind.classes.join(" ").into(),
                        kind.properties.len().into(),
                        kind.title.as_str().into(),
                    ]
                })
                .collect();
            output::table(format, &["id", "label", "classes", "properties", "title"], &rows)?;
            Ok(Outcome::Done)
        }
        KindsAction::Show { id } => show(catalog, &id),
        KindsAction::Test { prefixes } => test(catalog, &prefixes, folder),
        KindsAction::Transforms { format } => {
            let row = |(name, _, doc): &(&str, _, &str)| vec![Json::from(*name), Json::from(*doc)];
            let rows: Vec<_> = nepho_aws::transforms::TRANSFORMS.iter().map(row).collect();
            output::table(format, &["name", "doc"], &rows)?;
            Ok(Outcome::Done)
        }
    }
}

fn show(catalog: &Catalog, id: &str) -> anyhow::Result<Outcome> {
    let Some(kind) = catalog.kinds.values().find(|kind| kind.id.as_ref() == id || kind.label() == id) else {
        match nearest(id, catalog.kinds.keys().map(AsRef::as_ref)) {
            Some(near) => bail!("there is no kind `{id}`; did you mean `{near}`?"),
            None => bail!("there is no kind `{id}`; `nephoscope kinds list` shows them"),
        }
    };
    let mut text = format!("{}\n{}   (:{})\n{}\n", kind.title, kind.id, kind.label(), kind.doc.trim());
    if !kind.classes.is_empty() {
        text.push_str(&format!("\nclasses    {}\n", kind.classes.join(", ")));
    }
    text.push_str("\nCalls\n");
    for (service, action, _) in kind.calls() {
        text.push_str(&format!("  {service}:{action}\n"));
    }
    text.push_str("\nProperties\n");
    for (name, property) in &kind.properties {
        text.push_str(&format!("  {name:<36} {:<7} {}\n", property.kind.as_str(), property.doc));
    }
    text.push_str("\nRelations\n");
    for (name, relations) in &kind.relations {
        for relation in relations.as_slice() {
            let (arrow, ends) = match relation.to.as_slice() {
                [] => ("<-", relation.from.as_slice()),
                to => ("->", to),
            };
            text.push_str(&format!("  {arrow} {name} {}\n", ends.join(" | ")));
        }
    }
    output::line(text.trim_end())?;
    Ok(Outcome::Done)
}

fn test(catalog: &Arc<Catalog>, prefixes: &[String], folder: Option<&Path>) -> anyhow::Result<Outcome> {
    let wanted = |id: &str| prefixes.is_empty() || prefixes.iter().any(|prefix| id.starts_with(prefix.as_str()));
    let own = folder.map(SourceFile::folder).transpose()?.unwrap_or_default();
    let ids = catalog.kinds.keys().map(AsRef::as_ref).chain(own.iter().map(|file| file.id.as_str()));
    super::check_prefixes("kind", prefixes, ids)?;
    let runtime = crate::pipeline::runtime()?;
    let (mut ran, mut failed) = (0, 0);
    for file in SourceFile::embedded().chain(own) {
        if file.kind != SourceKind::KindCases || !wanted(&file.id) {
            continue;
        }
        let Some(kind) = catalog.kinds.get(file.id.as_str()) else {
            failed += 1;
            output::line(&format!("FAIL {}: {} has no kind beside it", file.id, file.path))?;
            continue;
        };
        let cases = file.kind_cases()?;
        let run = nepho_collect::cases::run(&kind.id, &cases, catalog, Arc::new(nepho_aws::AwsTables));
        let failures = runtime.block_on(run);
        ran += cases.cases.len();
        failed += failures.len();
        for failure in failures {
            output::line(&format!("FAIL {} `{}`: {}", file.id, failure.case, failure.message))?;
        }
    }
    output::line(&format!("{} kinds, {ran} cases, {failed} failed", catalog.kinds.len()))?;
    Ok(if failed == 0 { Outcome::Done } else { Outcome::Findings })
}
