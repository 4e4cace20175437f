//! `nephoscope query`

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use nepho_catalog::Catalog;
use nepho_estate::schema_of;
use nepho_graph::{ErrorCode, Graph, Limits, Mode, Parameters, Plan, Query, QueryError};
use serde_json::Value as Json;

use crate::arguments::{QueryArguments, ReplayArguments, TableFormat, timestamp};
use crate::diagnostics::SourceError;
use crate::{Outcome, history, output, pipeline};

/// Compiles before reading anything: a mistake in the query is told at once.
pub fn run(catalog: Arc<Catalog>, options: QueryArguments, quiet: bool) -> anyhow::Result<Outcome> {
    let schema = schema_of(&catalog);
    let query = Query::compile(&schema, &options.query).map_err(|error| in_query(&options.query, error))?;
    let limits = Limits { time: Some(Duration::from_secs(options.timeout)), ..Limits::default() };
    if let [a, b] = options.between.as_slice() {
        let store = history::readable(&options.store)?;
        let snapshots = [store.find(a)?, store.find(b)?];
        return between(&query, &options, &snapshots.map(|snapshot| snapshot.graph(&schema)), &limits);
    }
    let graph = match &options.at {
        Some(at) if options.replay.is_empty() => {
            let snapshot = history::readable(&options.store)?.find(at)?;
            if !quiet {
                eprintln!("snapshot: {}", snapshot.id());
            }
            snapshot.graph(&schema)
        }
        at => {
            let at = at.as_deref().map(timestamp).transpose().map_err(anyhow::Error::msg)?;
            pipeline::replay(&catalog, &ReplayArguments { replay: options.replay.clone(), at })?.estate.graph
        }
    };
    if query.mode() == Mode::Explain {
        plan(options.format, &query.explain(&graph))?;
        return Ok(Outcome::Done);
    }
    if query.mode() == Mode::Profile {
        let profile = query.profile(&graph, &Parameters::default(), &limits);
        let (_, profile) = profile.map_err(|error| in_query(&options.query, error))?;
        plan(options.format, &profile)?;
        return Ok(Outcome::Done);
    }
    let (columns, table, incomplete) = answer(&query, &options.query, &graph, &limits)?;
    output::table(options.format, &columns.iter().map(AsRef::as_ref).collect::<Vec<_>>(), &table)?;
    Ok(outcome(incomplete))
}

/// An error with its place in the query; what was damaged has none.
fn in_query(query: &str, error: QueryError) -> anyhow::Error {
    if error.code == ErrorCode::Damaged {
        return anyhow::Error::msg(error.message);
    }
    let (message, origin, text) = (error.message, "query".to_owned(), query.to_owned());
    SourceError { message, origin, text, span: error.span, help: error.help }.into()
}

type Answer = (Vec<Arc<str>>, Vec<Vec<Json>>, bool);

/// Columns, rows, and whether rows may be lacking.
fn answer(query: &Query, text: &str, graph: &Graph, limits: &Limits<'_>) -> anyhow::Result<Answer> {
    let rows = query.run(graph, &Parameters::default(), limits).map_err(|error| in_query(text, error))?;
    let json = rows.to_json(graph);
    let table = json
        .get("rows")
        .and_then(Json::as_array)
        .map(|all| all.iter().map(|row| row.as_array().cloned().unwrap_or_default()).collect())
        .unwrap_or_default();
    Ok((rows.columns.clone(), table, rows.incomplete))
}

fn outcome(incomplete: bool) -> Outcome {
    if incomplete {
        eprintln!(
            "the answer may lack rows: something that the query looks for was not listed everywhere or could not be read; `nephoscope coverage` shows what"
        );
        return Outcome::Incomplete;
    }
    Outcome::Done
}

/// Rows of the first graph that the second does not have, then rows that only the second has.
fn between(
    query: &Query,
    options: &QueryArguments,
    graphs: &[Graph; 2],
    limits: &Limits<'_>,
) -> anyhow::Result<Outcome> {
    if query.mode() != Mode::Run {
        bail!("a plan does not change between snapshots; leave out EXPLAIN or PROFILE, or ask one with --at");
    }
    let [old, new] = graphs;
    let (columns, before, lacking) = answer(query, &options.query, old, limits)?;
    let (_, after, lacking_too) = answer(query, &options.query, new, limits)?;
    let form = |row: &Vec<Json>| Json::from(row.clone()).to_string();
    let mut counts: HashMap<String, i64> = HashMap::new();
    after.iter().for_each(|row| *counts.entry(form(row)).or_default() += 1);
    let mut table = Vec::new();
    for row in before {
        let count = counts.entry(form(&row)).or_default();
        *count -= 1;
        if *count < 0 {
            table.push(std::iter::once(Json::from("-")).chain(row).collect());
        }
    }
    // What is left of the counts came anew; of equal rows the last ones.
    for row in after.into_iter().rev() {
        let count = counts.entry(form(&row)).or_default();
        if *count > 0 {
            *count -= 1;
            table.push(std::iter::once(Json::from("+")).chain(row).collect::<Vec<_>>());
        }
    }
    let added = table.iter().position(|row| row.first() == Some(&Json::from("+"))).unwrap_or(table.len());
    table.get_mut(added..).unwrap_or_default().reverse();
    let mut change = "change".to_owned();
    while columns.iter().any(|column| **column == *change) {
        change.insert(0, '_');
    }
    let names: Vec<&str> = std::iter::once(change.as_str()).chain(columns.iter().map(AsRef::as_ref)).collect();
    output::table(options.format, &names, &table)?;
    Ok(outcome(lacking || lacking_too))
}

/// The plan, one operator a line.
fn plan(format: TableFormat, plan: &Plan) -> anyhow::Result<()> {
    let rows = plan.lines.iter().map(|line| {
        vec![
            Json::from(format!("{}{}", "  ".repeat(line.depth), line.operator)),
            Json::from(line.detail.as_str()),
            line.estimated.map_or(Json::Null, |estimated| Json::from(estimated.round() as u64)),
            line.rows.map_or(Json::Null, Json::from),
        ]
    });
    output::table(format, &["operator", "of", "estimated rows", "rows"], &rows.collect::<Vec<_>>())
}
