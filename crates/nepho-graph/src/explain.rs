//! `EXPLAIN` and `PROFILE`: the plan of a query line by line, in the order in which it is carried out, with the rows
//! expected after each line and those that there were.

use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::HashMap;

use crate::bind::{Bound, Expand, Step};
use crate::ir::{Direction, Shortest};
use crate::plan::{Expr, Kind, Labels, MatchPlan, Op, Program, Projection, QueryPlan, Slot};

/// A plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// In the order in which they are carried out.
    pub lines: Vec<PlanLine>,
}

/// One operator.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanLine {
    /// How deeply it is nested: 0 for the query itself, 1 for a subquery in an expression of the line before, and so on.
    pub depth: usize,
    /// What it does, `Expand`.
    pub operator: String,
    /// To what, in the words of the query.
    pub detail: String,
    /// About how many rows it gives, for one row before its `MATCH`; only steps of patterns are estimated.
    pub estimated: Option<f64>,
    /// How many rows it gave, all in all. `None` in `EXPLAIN`.
    pub rows: Option<u64>,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            write!(f, "{:indent$}{} {}", "", line.operator, line.detail, indent = line.depth * 2)?;
            if let Some(estimated) = line.estimated {
                write!(f, " (estimated {estimated:.0})")?;
            }
            if let Some(rows) = line.rows {
                write!(f, " (rows {rows})")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// Rows counted while a query runs.
#[derive(Debug)]
pub(crate) struct Profile {
    /// Pattern × step.
    steps: Vec<Vec<AtomicU64>>,
    /// By the operator's place in memory.
    ops: HashMap<usize, AtomicU64>,
}

impl Profile {
    pub fn new(plan: &QueryPlan, bound: &Bound) -> Self {
        let counters = |count: usize| (0..count).map(|_| AtomicU64::new(0)).collect();
        Self {
            steps: bound.matches.iter().map(|of| counters(of.steps.len())).collect(),
            ops: plan.parts.iter().flatten().map(|op| (place(op), AtomicU64::new(0))).collect(),
        }
    }

    pub fn count_step(&self, matching: usize, at: usize, rows: u64) {
        if let Some(counter) = self.steps.get(matching).and_then(|steps| steps.get(at)) {
            counter.fetch_add(rows, Ordering::Relaxed);
        }
    }

    pub fn count_op(&self, op: &Op, rows: u64) {
        if let Some(counter) = self.ops.get(&place(op)) {
            counter.fetch_add(rows, Ordering::Relaxed);
        }
    }

    fn step(&self, matching: usize, at: usize) -> Option<u64> {
        Some(self.steps.get(matching)?.get(at)?.load(Ordering::Relaxed))
    }

    fn op(&self, op: &Op) -> Option<u64> {
        Some(self.ops.get(&place(op))?.load(Ordering::Relaxed))
    }
}

fn place(op: &Op) -> usize {
    std::ptr::from_ref(op) as usize
}

struct Writer<'a> {
    program: &'a Program,
    bound: &'a Bound,
    text: &'a str,
    profile: Option<&'a Profile>,
    lines: Vec<PlanLine>,
}

impl Plan {
    pub(crate) fn new(
        program: &Program,
        plan: &QueryPlan,
        bound: &Bound,
        text: &str,
        profile: Option<&Profile>,
    ) -> Self {
        let mut writer = Writer { program, bound, text, profile, lines: Vec::new() };
        writer.query(plan, 0);
        Self { lines: writer.lines }
    }
}

impl Writer<'_> {
    fn query(&mut self, plan: &QueryPlan, depth: usize) {
        for (number, ops) in plan.parts.iter().enumerate() {
            if number > 0 {
                let detail = if plan.distinct { "of different rows" } else { "of all rows" };
                self.line(depth, "Union", detail.to_owned(), None, None);
            }
            for op in ops {
                self.op(op, depth);
            }
        }
        if !plan.columns.is_empty() && depth == 0 {
            self.line(depth, "ProduceResults", plan.columns.join(", "), None, None);
        }
    }

    fn line(&mut self, depth: usize, operator: &str, detail: String, estimated: Option<f64>, rows: Option<u64>) {
        self.lines.push(PlanLine { depth, operator: operator.to_owned(), detail, estimated, rows });
    }

    fn op(&mut self, op: &Op, depth: usize) {
        let rows = self.profile.and_then(|profile| profile.op(op));
        match op {
            Op::Match(matching) => {
                let Some(plan) = self.program.matches.get(*matching) else { return };
                if plan.optional {
                    self.line(depth, "Optional", String::new(), None, rows);
                }
                self.pattern(*matching, plan, depth + usize::from(plan.optional));
                return;
            }
            Op::Alternatives { subquery, slots, optional } => {
                let names: Vec<String> = slots.iter().map(|slot| self.name(*slot)).collect();
                let operator = if *optional { "OptionalForms" } else { "Forms" };
                self.line(depth, operator, names.join(", "), None, rows);
                if let Some(subquery) = self.program.subqueries.get(*subquery) {
                    self.query(&subquery.plan, depth + 1);
                }
                return;
            }
            Op::Unwind { list, slot } => {
                let detail = format!("{} AS {}", self.of(list), self.name(*slot));
                self.line(depth, "Unwind", detail, None, rows);
            }
            Op::Let(items) => {
                let detail = self.items(items);
                self.line(depth, "Projection", detail, None, rows);
            }
            Op::Filter(filter) => {
                let detail = self.of(filter);
                self.line(depth, "Filter", detail, None, rows);
            }
            Op::Project(projection) => self.projection(projection, depth, rows),
        }
        let mut nested = Vec::new();
        op.each_expr(&mut |expr| nested.push(expr));
        nested.into_iter().for_each(|expr| self.within(expr, depth + 1));
    }

    fn projection(&mut self, projection: &Projection, depth: usize, rows: Option<u64>) {
        let (operator, mut detail) = match &projection.grouped {
            Some(grouping) => {
                let keys: Vec<String> = grouping.keys.iter().map(|(expr, _)| self.of(expr)).collect();
                let counted = grouping.aggregates.iter().map(|aggregate| self.words(aggregate.span));
                let counted: Vec<String> = counted.collect();
                let by = if keys.is_empty() { String::new() } else { format!(" by {}", keys.join(", ")) };
                ("Aggregation", format!("{}{by}", counted.join(", ")))
            }
            None => ("Projection", self.items(&projection.items)),
        };
        if projection.distinct {
            detail.push_str(", different rows");
        }
        for (expr, descending) in &projection.order {
            let _ = write!(detail, ", by {}{}", self.of(expr), if *descending { " DESC" } else { "" });
        }
        for (word, expr) in [("SKIP", &projection.skip), ("LIMIT", &projection.limit)] {
            if let Some(expr) = expr {
                let _ = write!(detail, ", {word} {}", self.of(expr));
            }
        }
        self.line(depth, operator, detail, None, rows);
    }

    fn pattern(&mut self, matching: usize, plan: &MatchPlan, depth: usize) {
        let Some(of) = self.bound.matches.get(matching) else { return };
        for (at, step) in of.steps.iter().enumerate() {
            let rows = self.profile.and_then(|profile| profile.step(matching, at));
            let (operator, detail) = self.step(plan, step);
            self.line(depth, operator, detail, of.estimates.get(at).copied(), rows);
            if let Step::Filter(number) = step
                && let Some(filter) = plan.filters.get(*number)
            {
                self.within(&filter.expr, depth + 1);
            }
        }
    }

    fn step(&self, plan: &MatchPlan, step: &Step) -> (&'static str, String) {
        match step {
            Step::Check { node } => ("Argument", self.node(plan, *node)),
            Step::Scan { node, .. } if plan.nodes[*node].labels.is_empty() => ("AllNodesScan", self.node(plan, *node)),
            Step::Scan { node, .. } => ("NodeByLabelScan", self.node(plan, *node)),
            Step::Lookup { node, filter, .. } => {
                let by = plan.filters.get(*filter).map(|filter| self.of(&filter.expr)).unwrap_or_default();
                ("NodeIndexSeek", format!("{} {by}", self.node(plan, *node)))
            }
            Step::Filter(number) => {
                ("Filter", plan.filters.get(*number).map(|of| self.of(&of.expr)).unwrap_or_default())
            }
            Step::Path(number) => {
                ("Path", plan.paths.get(*number).map(|path| self.name(path.slot)).unwrap_or_default())
            }
            Step::Fixed { relation } => ("ProjectEndpoints", self.relation(plan, *relation, None)),
            Step::Expand(expand) => {
                let relation = plan.relations.get(expand.relation);
                let operator = match relation.and_then(|relation| relation.shortest) {
                    Some(Shortest::One) => "ShortestPath",
                    Some(Shortest::All) => "AllShortestPaths",
                    None if expand.ends_only => "Reach",
                    None if relation.is_some_and(|relation| relation.length.is_some()) => "VarLengthExpand",
                    None if expand.closes => "ExpandInto",
                    None => "Expand",
                };
                let closings = expand.closings.iter().map(|of| self.relation(plan, of.relation, None));
                let closings: Vec<String> = closings.collect();
                let only = if closings.is_empty() { "" } else { " that meets " };
                let relation = self.relation(plan, expand.relation, Some(expand));
                (operator, format!("{relation}{only}{}", closings.join(", ")))
            }
        }
    }

    fn node(&self, plan: &MatchPlan, node: usize) -> String {
        let Some(node) = plan.nodes.get(node) else { return String::new() };
        let labels = node.labels.iter().filter_map(|label| self.program.labels.get(*label));
        let labels: String = labels.map(|labels| format!(":{}", label_text(labels))).collect();
        format!("({}{labels})", self.name(node.slot))
    }

    /// A relation as it is walked, or as it is written.
    fn relation(&self, plan: &MatchPlan, relation: usize, expand: Option<&Expand>) -> String {
        let Some(relation) = plan.relations.get(relation) else { return String::new() };
        let (from, to, way) = match expand {
            Some(expand) => (expand.from, expand.to, expand.direction),
            None => (relation.from, relation.to, relation.direction),
        };
        let types = relation.types.join("|");
        let colon = if types.is_empty() { "" } else { ":" };
        let length = match relation.length {
            Some((least, most)) => format!("*{least}..{}", most.map(|most| most.to_string()).unwrap_or_default()),
            None => String::new(),
        };
        let name = self.name(relation.slot);
        let (left, right) = match way {
            Direction::Out => ("-", "->"),
            Direction::In => ("<-", "-"),
            Direction::Both => ("-", "-"),
        };
        format!("{}{left}[{name}{colon}{types}{length}]{right}{}", self.node(plan, from), self.node(plan, to))
    }

    /// Patterns and queries within an expression.
    fn within(&mut self, expr: &Expr, depth: usize) {
        let mut subqueries = Vec::new();
        let mut patterns = Vec::new();
        expr.visit(&mut |part| match &part.kind {
            Kind::Exists(number) | Kind::Count(number) | Kind::CountCompare(_, number, _) | Kind::Collect(number) => {
                subqueries.push(*number);
            }
            Kind::PatternList { pattern, .. } => patterns.push(*pattern),
            _ => {}
        });
        for number in subqueries {
            if let Some(subquery) = self.program.subqueries.get(number) {
                let what = if subquery.independent { "once" } else { "for each row" };
                self.line(depth, "Subquery", what.to_owned(), None, None);
                self.query(&subquery.plan, depth + 1);
            }
        }
        for number in patterns {
            if let Some(plan) = self.program.matches.get(number) {
                self.line(depth, "PatternComprehension", "for each row".to_owned(), None, None);
                self.pattern(number, plan, depth + 1);
            }
        }
    }

    fn items(&self, items: &[(Expr, Slot)]) -> String {
        items.iter().map(|(expr, _)| self.of(expr)).collect::<Vec<_>>().join(", ")
    }

    /// The query's own words.
    fn of(&self, expr: &Expr) -> String {
        self.words(expr.span)
    }

    fn words(&self, span: crate::error::Span) -> String {
        let words = self.text.get(span.range()).unwrap_or_default();
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn name(&self, slot: Slot) -> String {
        self.program.names.get(slot).filter(|name| !name.starts_with('\0')).map(ToString::to_string).unwrap_or_default()
    }
}

fn label_text(labels: &Labels) -> String {
    let all = |parts: &[Labels], sign: &str| parts.iter().map(label_text).collect::<Vec<_>>().join(sign);
    match labels {
        Labels::Name(name) => name.to_string(),
        Labels::Any => "%".to_owned(),
        Labels::Not(of) => format!("!{}", label_text(of)),
        Labels::And(parts) => all(parts, "&"),
        Labels::Or(parts) => format!("({})", all(parts, "|")),
    }
}
