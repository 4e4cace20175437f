//! Whole queries: text to rows.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use hashbrown::HashMap;

use crate::bind::Bound;
use crate::error::{ErrorCode, Outcome, QueryError, Span};
use crate::exec::Exec;
use crate::graph::Graph;
use crate::plan::{Program, QueryPlan};
use crate::resolve::Resolver;
use crate::schema::Schema;
use crate::syntax::{self, Source};
use crate::value::ResultValue;

/// Values of a query's parameters, by name without `$`.
pub type Parameters = HashMap<String, ResultValue>;

/// What a query may use at most.
#[derive(Clone, Debug)]
pub struct Limits<'a> {
    /// Time; `None` for any.
    pub time: Option<Duration>,
    /// Rows (groups, list elements in aggregation, open path steps) held at one time.
    pub memory_rows: usize,
    /// Set from another thread to end the query.
    pub cancel: Option<&'a AtomicBool>,
}

impl Default for Limits<'_> {
    fn default() -> Self {
        Self { time: Some(Duration::from_secs(60)), memory_rows: 10_000_000, cancel: None }
    }
}

/// A compiled query.
#[derive(Debug)]
pub struct Query {
    program: Program,
    plan: QueryPlan,
    source: Option<Source>,
}

/// The rows of a query.
#[derive(Clone, Debug)]
pub struct Rows {
    /// Names of the columns.
    pub columns: Vec<Arc<str>>,
    /// One value per column in each row.
    pub rows: Vec<Vec<ResultValue>>,
    /// Something that the query looked for was unknown or not completely listed: there may be more rows, and counts may
    /// be higher.
    pub incomplete: bool,
}

impl Rows {
    /// `{"columns": […], "rows": [[…], …]}`; the graph is the one that was asked.
    pub fn to_json(&self, graph: &Graph) -> serde_json::Value {
        let columns: Vec<&str> = self.columns.iter().map(|name| &**name).collect();
        let rows: Vec<Vec<_>> =
            self.rows.iter().map(|row| row.iter().map(|value| value.to_json(graph)).collect()).collect();
        serde_json::json!({ "columns": columns, "rows": rows })
    }
}

impl Query {
    /// Compiles a query.
    ///
    /// # Errors
    /// Text that does not parse, names that the schema does not have, types that can never fit, clauses that write.
    pub fn compile(schema: &Schema, text: &str) -> Result<Self, QueryError> {
        Self::compile_boxed(schema, text).map_err(|error| *error)
    }

    fn compile_boxed(schema: &Schema, text: &str) -> Outcome<Self> {
        let (query, source) = syntax::parse(text)?;
        let mut compiled = Self::from_ir(schema, &source.text, &query, Some(&source))?;
        compiled.source = Some(source);
        Ok(compiled)
    }

    pub(crate) fn from_ir(
        schema: &Schema,
        text: &str,
        query: &crate::ir::Query,
        source: Option<&Source>,
    ) -> Outcome<Self> {
        let mut resolver = Resolver::new(schema, text);
        let plan = resolver.query(query, false).map_err(|error| match source {
            Some(source) => source.map(error),
            None => error,
        })?;
        let mut program = resolver.program;
        program.settle(Some(&plan), &[]);
        Ok(Self { program, plan, source: None })
    }

    /// The names of the columns it returns.
    pub fn columns(&self) -> &[Arc<str>] {
        &self.plan.columns
    }

    /// Runs the query.
    ///
    /// # Errors
    /// A missing parameter, a value of the wrong type, or a limit that was reached.
    pub fn run(&self, graph: &Graph, parameters: &Parameters, limits: &Limits<'_>) -> Result<Rows, QueryError> {
        let bound = Bound::new(&self.program, graph);
        let mut exec = Exec::new(graph, &self.program, &bound, parameters);
        exec.deadline = limits.time.and_then(|time| Instant::now().checked_add(time));
        exec.cancel = limits.cancel;
        exec.max_rows = limits.memory_rows;
        exec.track();
        let rows = crate::batch::rows(&exec, &self.plan).map_err(|error| match &self.source {
            Some(source) => *source.map(error),
            None => *error,
        })?;
        if let Some(fault) = graph.faults().into_iter().next() {
            return Err(*QueryError::new(ErrorCode::Damaged, Span::default(), fault));
        }
        Ok(Rows { columns: self.plan.columns.clone(), rows, incomplete: exec.was_uncertain() })
    }
}
