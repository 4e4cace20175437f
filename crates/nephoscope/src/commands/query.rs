//! `nephoscope query`

use std::sync::Arc;
use std::time::Duration;

use nepho_catalog::Catalog;
use nepho_estate::schema_of;
use nepho_graph::{Limits, Mode, Parameters, Plan, Query, QueryError};
use serde_json::Value as Json;

use crate::arguments::{QueryArguments, TableFormat};
use crate::diagnostics::SourceError;
use crate::{Outcome, output, pipeline};

/// Compiles before reading anything: a mistake in the query is told at once.
pub fn run(catalog: Arc<Catalog>, options: QueryArguments) -> anyhow::Result<Outcome> {
    let source = |error: QueryError| SourceError {
        message: error.message,
        origin: "query".to_owned(),
        text: options.query.clone(),
        span: error.span,
        help: error.help,
    };
    let query = Query::compile(&schema_of(&catalog), &options.query).map_err(source)?;
    let estate = pipeline::replay(&catalog, &options.replay)?.estate;
    let limits = Limits { time: Some(Duration::from_secs(options.timeout)), ..Limits::default() };
    if query.mode() == Mode::Explain {
        plan(options.format, &query.explain(&estate.graph))?;
        return Ok(Outcome::Done);
    }
    if query.mode() == Mode::Profile {
        let (_, profile) = query.profile(&estate.graph, &Parameters::default(), &limits).map_err(source)?;
        plan(options.format, &profile)?;
        return Ok(Outcome::Done);
    }
    let rows = query.run(&estate.graph, &Parameters::default(), &limits).map_err(source)?;
    let columns: Vec<&str> = rows.columns.iter().map(AsRef::as_ref).collect();
    let json = rows.to_json(&estate.graph);
    let table: Vec<Vec<Json>> = json
        .get("rows")
        .and_then(Json::as_array)
        .map(|all| all.iter().map(|row| row.as_array().cloned().unwrap_or_default()).collect())
        .unwrap_or_default();
    output::table(options.format, &columns, &table)?;
    if rows.incomplete {
        eprintln!(
            "the answer may lack rows: something that the query looks for was not listed everywhere or could not be read; `nephoscope coverage` shows what"
        );
        return Ok(Outcome::Incomplete);
    }
    Ok(Outcome::Done)
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
