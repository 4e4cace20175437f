//! Whole queries: text to rows.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use hashbrown::HashMap;

use crate::bind::Bound;
use crate::error::{ErrorCode, Outcome, QueryError, Span};
use crate::exec::Exec;
use crate::explain::{Plan, Profile};
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

/// What the text asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The rows.
    #[default]
    Run,
    /// The plan alone: `EXPLAIN` before the query.
    Explain,
    /// The rows, and the plan with the rows that each step gave: `PROFILE` before the query.
    Profile,
}

impl Mode {
    /// The mode, and the text with its word blanked, so that places stay what they are.
    fn of(text: &str) -> (Self, std::borrow::Cow<'_, str>) {
        let start = text.len() - text.trim_start().len();
        let word = text.get(start..).and_then(|rest| rest.split_whitespace().next()).unwrap_or_default();
        let mode = match word.to_ascii_uppercase().as_str() {
            "EXPLAIN" => Self::Explain,
            "PROFILE" => Self::Profile,
            _ => return (Self::Run, text.into()),
        };
        let rest = text.get(start + word.len()..).unwrap_or_default();
        (mode, format!("{}{}{rest}", " ".repeat(start), " ".repeat(word.len())).into())
    }
}

/// A compiled query.
#[derive(Debug)]
pub struct Query {
    mode: Mode,
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
        let (mode, text) = Mode::of(text);
        let (query, source) = syntax::parse(&text)?;
        let mut compiled = Self::from_ir(schema, &source.text, &query, Some(&source))?;
        compiled.mode = mode;
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
        Ok(Self { mode: Mode::Run, program, plan, source: None })
    }

    /// The names of the columns it returns.
    pub fn columns(&self) -> &[Arc<str>] {
        &self.plan.columns
    }

    /// What the text asks for: [`Query::run`] gives the rows whatever it is.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Runs the query.
    ///
    /// # Errors
    /// A missing parameter, a value of the wrong type, a limit that was reached, or a part of the graph that could not
    /// be read.
    pub fn run(&self, graph: &Graph, parameters: &Parameters, limits: &Limits<'_>) -> Result<Rows, QueryError> {
        let bound = Bound::new(&self.program, graph);
        self.run_bound(graph, &bound, parameters, limits, None)
    }

    /// The plan with estimated rows.
    pub fn explain(&self, graph: &Graph) -> Plan {
        let bound = Bound::new(&self.program, graph);
        self.plan_of(&bound, None)
    }

    /// Runs the query, and gives the plan with estimated and true rows beside its rows.
    ///
    /// # Errors
    /// As [`Query::run`].
    pub fn profile(
        &self,
        graph: &Graph,
        parameters: &Parameters,
        limits: &Limits<'_>,
    ) -> Result<(Rows, Plan), QueryError> {
        let bound = Bound::new(&self.program, graph);
        let profile = Arc::new(Profile::new(&self.plan, &bound));
        let rows = self.run_bound(graph, &bound, parameters, limits, Some(profile.clone()))?;
        Ok((rows, self.plan_of(&bound, Some(&profile))))
    }

    fn plan_of(&self, bound: &Bound, profile: Option<&Profile>) -> Plan {
        let text = self.source.as_ref().map_or("", |source| &source.text);
        Plan::new(&self.program, &self.plan, bound, text, profile)
    }

    fn run_bound(
        &self,
        graph: &Graph,
        bound: &Bound,
        parameters: &Parameters,
        limits: &Limits<'_>,
        profile: Option<Arc<Profile>>,
    ) -> Result<Rows, QueryError> {
        let mut exec = Exec::new(graph, &self.program, bound, parameters);
        exec.deadline = limits.time.and_then(|time| Instant::now().checked_add(time));
        exec.cancel = limits.cancel;
        exec.max_rows = limits.memory_rows;
        exec.profile = profile;
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
