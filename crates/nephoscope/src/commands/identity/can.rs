//! `identity can`, `identity who-can`

use std::collections::BTreeMap;
use std::sync::Arc;

use nepho_catalog::Catalog;
use nepho_graph::NodeId;
use nepho_identity::{Answer, Asker, Directory, Ground, Outcome as Decided, resource_of};
use serde_json::{Value as Json, json};

use super::{indented, principal};
use crate::arguments::{CanArguments, TableFormat, WhoCanArguments};
use crate::{Outcome, output, pipeline};

pub fn can(catalog: &Arc<Catalog>, options: &CanArguments) -> anyhow::Result<Outcome> {
    let analysis = pipeline::replay(catalog, &options.replay)?;
    let graph = &analysis.estate.graph;
    let directory = Directory::of(graph);
    let id = principal(&directory, &options.principal)?;
    let resource = resource_of(graph, &options.resource).map(|node| node.id());
    let given: BTreeMap<Arc<str>, Arc<str>> =
        options.with.iter().map(|(key, value)| (key.as_str().into(), value.as_str().into())).collect();
    let answer = Asker::new(graph, &directory).ask(id, &options.action, &options.resource, resource, &given);
    let identity = directory.identity(id);
    if options.format == TableFormat::Json {
        let value = json!({
            "principal": &*identity.arn,
            "action": options.action,
            "resource": options.resource,
            "answer": word(&answer),
            "condition": answer.condition,
            "keys": answer.keys,
            "allowed_by": answer.grants.iter().map(ground).collect::<Vec<_>>(),
            "denied_by": answer.denies.iter().map(ground).collect::<Vec<_>>(),
            "not_allowed_by": answer.missing.iter().map(|layer| layer.name()).collect::<Vec<_>>(),
            "unread": answer.unread,
        });
        output::json(&value)?;
    } else {
        print(&answer, &identity.arn, &options.action, &options.resource)?;
    }
    Ok(if answer.unread { Outcome::Incomplete } else { Outcome::Done })
}

/// yes, no, or if.
fn word(answer: &Answer<'_>) -> &'static str {
    match answer.outcome {
        Decided::Allowed => "yes",
        Decided::Conditional => "if",
        Decided::ImplicitlyDenied | Decided::ExplicitlyDenied => "no",
    }
}

fn ground(ground: &Ground<'_>) -> Json {
    json!({
        "kind": ground.layer.name(),
        "policy": ground.policy,
        "statement": ground.statement.name(),
        "certain": ground.certain,
    })
}

fn print(answer: &Answer<'_>, arn: &str, action: &str, resource: &str) -> anyhow::Result<()> {
    let line = |text: String| indented(&text);
    line(format!("{}: {arn} {action} {resource}", word(answer)))?;
    if let Some(condition) = &answer.condition {
        line(format!("  if {condition}"))?;
    }
    let one = |what: &str, ground: &Ground<'_>| {
        let perhaps = if ground.certain { "" } else { ", on a condition" };
        format!("  {what} by the {} `{}`, {}{perhaps}", ground.layer.name(), ground.policy, ground.statement.name())
    };
    for ground in &answer.denies {
        line(one("denied", ground))?;
    }
    if answer.is_possible() {
        for ground in &answer.grants {
            line(one("allowed", ground))?;
        }
    } else {
        for layer in &answer.missing {
            line(format!("  not allowed by any {}", layer.name()))?;
        }
    }
    if answer.unread {
        line("  a policy that counts could not be read: `nephoscope coverage` shows what".to_owned())?;
    }
    Ok(())
}

pub fn who_can(catalog: &Arc<Catalog>, options: &WhoCanArguments) -> anyhow::Result<Outcome> {
    let analysis = pipeline::replay(catalog, &options.replay)?;
    let graph = &analysis.estate.graph;
    let directory = Directory::of(graph);
    let asker = Asker::new(graph, &directory);
    let resource: Option<NodeId> = resource_of(graph, &options.resource).map(|node| node.id());
    let mut unread = directory.is_incomplete();
    let mut rows = Vec::new();
    for (id, identity) in directory.principals() {
        let answer = asker.ask(id, &options.action, &options.resource, resource, &BTreeMap::new());
        unread |= answer.unread;
        if answer.is_possible() {
            let by: Vec<String> =
                answer.grants.iter().map(|ground| format!("{} {}", ground.policy, ground.statement.name())).collect();
            rows.push(vec![
                Json::from(&*identity.arn),
                Json::from(word(&answer)),
                Json::from(answer.condition),
                Json::from(by),
            ]);
        }
    }
    output::table(options.format, &["principal", "answer", "condition", "allowed_by"], &rows)?;
    Ok(if unread { Outcome::Incomplete } else { Outcome::Done })
}
