//! `identity paths-to-admin`, `identity paths-to`

use std::sync::Arc;

use anyhow::bail;
use nepho_catalog::Catalog;
use nepho_identity::escalation::{Escalations, Path};
use nepho_identity::{Directory, IdentityId, IdentityKind};
use serde_json::{Value as Json, json};

use super::{indented, principal};
use crate::arguments::{PathsArguments, PathsToArguments, TableFormat};
use crate::{Outcome, output, pipeline};

pub fn to_administrator(catalog: &Arc<Catalog>, options: &PathsArguments) -> anyhow::Result<Outcome> {
    let analysis = pipeline::replay(catalog, &options.replay)?;
    let graph = &analysis.estate.graph;
    let directory = Directory::of(graph);
    let escalations = Escalations::of(graph, &directory, catalog);
    let starts = starts(&directory, options)?;
    let paths: Vec<Path<'_>> =
        starts.iter().flat_map(|start| escalations.to_administrator(*start, options.possible)).collect();
    print(&directory, &paths, options.format)?;
    Ok(outcome(&directory))
}

pub fn to(catalog: &Arc<Catalog>, options: &PathsToArguments) -> anyhow::Result<Outcome> {
    let analysis = pipeline::replay(catalog, &options.paths.replay)?;
    let graph = &analysis.estate.graph;
    let directory = Directory::of(graph);
    let escalations = Escalations::of(graph, &directory, catalog);
    let targets = directory.named(&options.target);
    if targets.is_empty() {
        bail!("there is no principal `{}`", options.target);
    }
    let starts = starts(&directory, &options.paths)?;
    let paths: Vec<Path<'_>> =
        starts.iter().flat_map(|start| escalations.to(*start, &targets, options.paths.possible)).collect();
    print(&directory, &paths, options.paths.format)?;
    Ok(outcome(&directory))
}

fn outcome(directory: &Directory) -> Outcome {
    if directory.is_incomplete() {
        eprintln!(
            "some identities or policies could not be read, so ways may be missing or shut; `nephoscope coverage` shows what"
        );
        return Outcome::Incomplete;
    }
    Outcome::Done
}

/// Those named, or every user and role.
fn starts(directory: &Directory, options: &PathsArguments) -> anyhow::Result<Vec<IdentityId>> {
    if !options.from.is_empty() {
        return options.from.iter().map(|name| principal(directory, name)).collect();
    }
    Ok(directory.principals().map(|(id, _)| id).collect())
}

fn print(directory: &Directory, paths: &[Path<'_>], format: TableFormat) -> anyhow::Result<()> {
    let arn = |id: IdentityId| &*directory.identity(id).arn;
    match format {
        TableFormat::Json => {
            let path = |path: &Path<'_>| {
                let hops = path.hops.iter().map(|hop| {
                    json!({
                        "from": arn(hop.from),
                        "to": arn(hop.to),
                        "method": &*hop.method,
                        "title": &*hop.title,
                        "through": hop.through,
                        "condition": hop.condition,
                        "granted_by": hop.grants.iter().map(|grant| json!({
                            "action": &*grant.action,
                            "resource": grant.resource,
                            "policy": grant.policy,
                            "statement": grant.statement,
                        })).collect::<Vec<Json>>(),
                    })
                });
                json!({
                    "start": arn(path.start),
                    "target": arn(path.target),
                    "hops": hops.collect::<Vec<Json>>(),
                })
            };
            output::json(&Json::from(paths.iter().map(path).collect::<Vec<Json>>()))
        }
        TableFormat::Csv => {
            let rows = paths.iter().flat_map(|path| {
                path.hops.iter().enumerate().map(move |(at, hop)| {
                    vec![
                        Json::from(arn(path.start)),
                        Json::from(arn(path.target)),
                        Json::from(at + 1),
                        Json::from(arn(hop.from)),
                        Json::from(arn(hop.to)),
                        Json::from(&*hop.method),
                    ]
                })
            });
            let rows: Vec<Vec<Json>> = rows.collect();
            output::table(format, &["start", "target", "hop", "from", "to", "method"], &rows)
        }
        TableFormat::Table => {
            let line = indented;
            for path in paths {
                let own = path.hops.last().is_some_and(|hop| hop.raises);
                let ends = if own { "which it can make an administrator" } else { "has all of these permissions" };
                line(&format!("{} → {} ({ends})", arn(path.start), arn(path.target)))?;
                for (at, hop) in path.hops.iter().enumerate() {
                    let to = directory.identity(hop.to);
                    let gains = match to.kind {
                        _ if hop.raises && hop.from == hop.to => "any permission".to_owned(),
                        IdentityKind::Group => format!("the group {}", to.name),
                        _ => to.arn.to_string(),
                    };
                    let through = hop.through.as_ref().map(|through| format!(" through {through}")).unwrap_or_default();
                    line(&format!("  {}. {}{through}: gains {gains} [{}]", at + 1, hop.title, hop.method))?;
                    for grant in &hop.grants {
                        line(&format!(
                            "       {} on {}: {}, {}",
                            grant.action, grant.resource, grant.policy, grant.statement
                        ))?;
                    }
                    if let Some(condition) = &hop.condition {
                        line(&format!("       if {condition}"))?;
                    }
                }
            }
            if paths.is_empty() {
                line("no way was found")?;
            }
            Ok(())
        }
    }
}
