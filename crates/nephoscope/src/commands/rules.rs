//! `nephoscope rules list|show|test`

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use nepho_catalog::{Catalog, SourceFile, SourceKind, nearest};
use nepho_rules::cases;

use crate::arguments::RulesAction;
use crate::{Outcome, output, pipeline};

/// Runs the action.
pub fn run(catalog: Arc<Catalog>, action: RulesAction, folder: Option<&Path>) -> anyhow::Result<Outcome> {
    match action {
        RulesAction::List { format } => {
            // A broken rule is no rule to list.
            pipeline::compile_rules(&catalog)?;
            let rows: Vec<_> = catalog
                .rules
                .values()
                .map(|rule| {
                    vec![
                        rule.id.as_ref().into(),
                        rule.severity.as_str().into(),
                        rule.on.as_ref().into(),
                        rule.title.as_str().into(),
                    ]
                })
                .collect();
            output::table(format, &["id", "severity", "on", "title"], &rows)?;
            Ok(Outcome::Done)
        }
        RulesAction::Show { id } => show(&catalog, &id),
        RulesAction::Test { prefixes } => test(&catalog, &prefixes, folder),
    }
}

fn show(catalog: &Catalog, id: &str) -> anyhow::Result<Outcome> {
    let rule = catalog
        .rules
        .values()
        .find(|rule| rule.id.as_ref() == id || rule.aliases.iter().any(|alias| alias.as_ref() == id));
    let Some(rule) = rule else {
        match nearest(id, catalog.rules.keys().map(AsRef::as_ref)) {
            Some(near) => bail!("there is no rule `{id}`; did you mean `{near}`?"),
            None => bail!("there is no rule `{id}`; `nephoscope rules list` shows them"),
        }
    };
    let controls: Vec<String> = rule.controls.iter().map(ToString::to_string).collect();
    let mut text = format!(
        "{}\n{}\n\nseverity   {}\njudges     {}\nfails when {}\n",
        rule.title,
        rule.id,
        rule.severity,
        rule.on,
        rule.fail_when.trim()
    );
    if let Some(applies) = &rule.applies_when {
        text.push_str(&format!("applies to {}\n", applies.trim()));
    }
    text.push_str(&format!(
        "controls   {}\n\nWhy\n  {}\n\nFix\n  {}\n",
        controls.join(", "),
        rule.why.trim(),
        rule.fix.text.trim()
    ));
    for (title, code) in [("Command line", &rule.fix.cli), ("Terraform", &rule.fix.terraform)] {
        if let Some(code) = code {
            text.push_str(&format!("\n{title}\n"));
            code.trim_end().lines().for_each(|line| text.push_str(&format!("  {line}\n")));
        }
    }
    for reference in &rule.references {
        text.push_str(&format!("\n{reference}"));
    }
    output::line(text.trim_end())?;
    Ok(Outcome::Done)
}

fn test(catalog: &Arc<Catalog>, prefixes: &[String], folder: Option<&Path>) -> anyhow::Result<Outcome> {
    // A rule that does not compile is shown with its source before any case is run.
    pipeline::compile_rules(catalog)?;
    let wanted = |id: &str| prefixes.is_empty() || prefixes.iter().any(|prefix| id.starts_with(prefix.as_str()));
    let mut files: BTreeMap<String, SourceFile> = BTreeMap::new();
    let own = folder.map(SourceFile::folder).transpose()?.unwrap_or_default();
    for file in SourceFile::embedded().chain(own).filter(|file| file.kind == SourceKind::RuleCases) {
        files.insert(file.id.clone(), file);
    }
    let ids = catalog.rules.keys().map(AsRef::as_ref).chain(files.keys().map(String::as_str));
    super::check_prefixes("rule", prefixes, ids)?;
    let (mut rules, mut ran, mut failed) = (0, 0, 0);
    for rule in catalog.rules.values().filter(|rule| wanted(&rule.id)) {
        rules += 1;
        let Some(file) = files.get(rule.id.as_ref()) else {
            failed += 1;
            output::line(&format!(
                "FAIL {}: no cases beside it ({}.cases.yaml)",
                rule.id,
                rule.id.rsplit('.').next().unwrap_or("")
            ))?;
            continue;
        };
        let (count, failures) = cases::run(catalog, rule, &file.rule_cases().context("reading cases")?);
        ran += count;
        failed += failures.len();
        for failure in failures {
            output::line(&format!("FAIL {} `{}`: {}", failure.rule, failure.case, failure.message))?;
        }
    }
    for (id, file) in files.iter().filter(|(id, _)| wanted(id) && !catalog.rules.contains_key(id.as_str())) {
        failed += 1;
        output::line(&format!("FAIL {id}: {} has no rule beside it", file.path))?;
    }
    output::line(&format!("{rules} rules, {ran} cases, {failed} failed"))?;
    Ok(if failed == 0 { Outcome::Done } else { Outcome::Findings })
}
