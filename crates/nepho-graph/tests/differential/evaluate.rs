//! Clauses one after the other, over all rows at once.

use super::graph::Graph;
use super::query::{Clause, Expr, Projection, Query};
use super::value::{Truth, Value, number, order, order_rows, same_row};

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It would take too long.
    TooMuch,
    /// The query is wrong, or wrong for a value of the graph.
    Invalid,
}

pub type Outcome<T> = Result<T, Stop>;

/// Variables and their values.
#[derive(Clone, Debug, Default)]
pub struct Row(Vec<(String, Value)>);

impl Row {
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Whether every node is the one of the other row.
    pub fn has_nodes_of(&self, other: &Row) -> bool {
        self.0.iter().all(|(name, value)| match (value, other.get(name)) {
            (Value::Node(at), Some(Value::Node(known))) => at == known,
            _ => true,
        })
    }

    pub fn set(&mut self, name: &str, value: Value) {
        self.0.push((name.to_owned(), value));
    }
}

/// The rows of a query.
#[derive(Debug, Default)]
pub struct Answer {
    /// With the values that they are ordered by.
    pub rows: Vec<(Vec<Value>, Vec<Value>)>,
    /// Which way each of these goes.
    pub descending: Vec<bool>,
    pub incomplete: bool,
    /// `SKIP` or `LIMIT` may cut rows of the same order one way or the other: these are the rows before the cut.
    pub before_cut: Option<Vec<Vec<Value>>>,
    /// The same within the query: nothing can be said.
    pub open: bool,
}

/// One evaluation. See [`super::matching`] for what `eager` means.
pub struct Evaluator<'g> {
    pub graph: &'g Graph,
    pub eager: bool,
    /// Relations at each node.
    pub at_node: Vec<Vec<usize>>,
    /// Rows that there may be at once.
    most_rows: usize,
    /// Steps that may still be made.
    pub steps: usize,
    /// Of these, in looking for what may be there.
    pub possible_steps: usize,
    /// Whether a row that is there once more changes nothing, as before `DISTINCT`.
    pub merges: bool,
    incomplete: bool,
    open: bool,
}

impl<'g> Evaluator<'g> {
    pub fn new(graph: &'g Graph, eager: bool) -> Self {
        let mut at_node = vec![Vec::new(); graph.nodes.len()];
        for (at, relation) in graph.relations.iter().enumerate() {
            at_node[relation.from].push(at);
            if relation.to != relation.from {
                at_node[relation.to].push(at);
            }
        }
        let size = graph.nodes.len();
        Self {
            graph,
            eager,
            at_node,
            most_rows: 3_000 + 5 * size,
            steps: 30_000 + 40 * size,
            possible_steps: 30_000 + 40 * size,
            merges: false,
            incomplete: false,
            open: false,
        }
    }

    pub fn step(&mut self) -> Outcome<()> {
        self.steps = self.steps.checked_sub(1).ok_or(Stop::TooMuch)?;
        Ok(())
    }

    /// The answer to a query.
    pub fn query(mut self, query: &Query) -> Outcome<Answer> {
        let mut answer = Answer::default();
        for clauses in &query.parts {
            let part = self.part(clauses, query.parts.len() > 1 && !query.all)?;
            answer.rows.extend(part.rows);
            answer.descending = part.descending;
            answer.before_cut = part.before_cut;
        }
        if !query.all && query.parts.len() > 1 {
            let mut distinct: Vec<(Vec<Value>, Vec<Value>)> = Vec::new();
            for row in std::mem::take(&mut answer.rows) {
                if !distinct.iter().any(|known| same_row(&known.0, &row.0)) {
                    distinct.push(row);
                }
            }
            answer.rows = distinct;
        }
        if query.parts.len() > 1 {
            self.open |= answer.before_cut.is_some();
            answer.descending.clear();
        }
        answer.incomplete = self.incomplete;
        answer.open = self.open;
        Ok(answer)
    }

    fn part(&mut self, clauses: &[Clause], unites: bool) -> Outcome<Answer> {
        let mut rows = vec![Row::default()];
        for (at, clause) in clauses.iter().enumerate() {
            self.merges = clauses[at..].iter().find_map(merges).unwrap_or(unites);
            match clause {
                Clause::Match { optional, paths, filter } => {
                    let mut next = Vec::new();
                    for row in &rows {
                        let (found, uncertain) = self.matches(row, paths, filter.as_ref())?;
                        if !*optional || !found.is_empty() {
                            self.incomplete |= uncertain;
                            next.extend(found);
                            continue;
                        }
                        // A search that may have missed something gives unknown, not null.
                        let mut bare = row.clone();
                        for name in variables(paths) {
                            if row.get(name).is_none() {
                                bare.set(name, if uncertain { Value::Unknown } else { Value::Null });
                            }
                        }
                        next.push(bare);
                    }
                    rows = next;
                }
                Clause::Unwind { list, variable } => {
                    let mut next = Vec::new();
                    for row in &rows {
                        let items = match self.eval(list, row)? {
                            Value::List(items) => items,
                            Value::Null => Vec::new(),
                            Value::Unknown => {
                                self.incomplete = true;
                                Vec::new()
                            }
                            one => vec![one],
                        };
                        for item in items {
                            let mut unwound = row.clone();
                            unwound.set(variable, item);
                            next.push(unwound);
                        }
                    }
                    rows = next;
                }
                Clause::With { projection, filter } => {
                    let projected = self.project(&rows, projection)?;
                    self.open |= projected.before_cut.is_some();
                    rows = Vec::new();
                    for (values, _) in projected.rows {
                        let names = projection.items.iter().map(|(_, name)| name.clone());
                        let row = Row(names.zip(values).collect());
                        match filter.as_ref().map_or(Ok(Truth::True), |filter| self.truth(filter, &row))? {
                            Truth::True => rows.push(row),
                            // Beside a null nothing can make the whole true.
                            Truth::Unknown => {
                                self.incomplete |= self.eager || !self.has_null_part(filter.as_ref(), &row)?;
                            }
                            _ => {}
                        }
                    }
                }
                Clause::Return(projection) => return self.project(&rows, projection),
            }
            if rows.len() > self.most_rows {
                return Err(Stop::TooMuch);
            }
        }
        Err(Stop::Invalid)
    }

    fn has_null_part(&mut self, filter: Option<&Expr>, row: &Row) -> Outcome<bool> {
        Ok(match filter {
            Some(Expr::And(left, right)) => {
                self.has_null_part(Some(left), row)? || self.has_null_part(Some(right), row)?
            }
            Some(other) => self.truth(other, row)? == Truth::Null,
            None => false,
        })
    }

    fn project(&mut self, rows: &[Row], projection: &Projection) -> Outcome<Answer> {
        let aggregates = projection.items.iter().any(|(expr, _)| expr.is_aggregate());
        // Each projected row, and the row in which `ORDER BY` is read.
        let mut projected: Vec<(Vec<Value>, Row)> = Vec::new();
        let named = |values: &[Value], mut row: Row| {
            for ((_, name), value) in projection.items.iter().zip(values) {
                row.set(name, value.clone());
            }
            row
        };
        if aggregates {
            for values in self.grouped(rows, projection)? {
                let row = named(&values, Row::default());
                projected.push((values, row));
            }
        } else {
            for row in rows {
                let values: Vec<Value> =
                    projection.items.iter().map(|(expr, _)| self.eval(expr, row)).collect::<Outcome<_>>()?;
                let row = named(&values, if projection.distinct { Row::default() } else { row.clone() });
                projected.push((values, row));
            }
        }
        if projection.distinct {
            let mut distinct: Vec<(Vec<Value>, Row)> = Vec::new();
            for row in projected {
                if !distinct.iter().any(|known| same_row(&known.0, &row.0)) {
                    distinct.push(row);
                }
            }
            projected = distinct;
        }
        let mut rows = Vec::new();
        for (values, row) in projected {
            let keys = projection.order.iter().map(|(expr, _)| self.eval(expr, &row)).collect::<Outcome<Vec<_>>>()?;
            rows.push((values, keys));
        }
        let descending: Vec<bool> = projection.order.iter().map(|(_, descending)| *descending).collect();
        rows.sort_by(|left, right| by_keys(&left.1, &right.1, &descending));
        let skip = projection.skip.unwrap_or(0).min(rows.len());
        let end = projection.limit.map_or(rows.len(), |limit| (skip + limit).min(rows.len()));
        // A cut between rows of the same order, unless they are the same rows.
        let cuts = [skip, end].into_iter().any(|at| {
            let Some(last) = at.checked_sub(1).filter(|_| at < rows.len()) else { return false };
            by_keys(&rows[last].1, &rows[at].1, &descending).is_eq() && {
                let tied = || rows.iter().filter(|row| by_keys(&row.1, &rows[at].1, &descending).is_eq());
                !tied().all(|row| same_row(&row.0, &rows[at].0))
            }
        });
        let enough = projection.limit.is_some_and(|limit| skip + limit <= rows.len());
        if !self.eager && (projection.limit == Some(0) || (enough && !aggregates && descending.is_empty())) {
            // Enough rows are enough: nobody needs to look for more.
            self.incomplete = false;
        }
        let before_cut = cuts.then(|| rows.iter().map(|row| row.0.clone()).collect());
        let rows = rows[skip..end].to_vec();
        Ok(Answer { rows, descending, before_cut, ..Answer::default() })
    }

    fn grouped(&mut self, rows: &[Row], projection: &Projection) -> Outcome<Vec<Vec<Value>>> {
        let mut groups: Vec<(Vec<Value>, Vec<Row>)> = Vec::new();
        let keys: Vec<&Expr> =
            projection.items.iter().map(|(expr, _)| expr).filter(|expr| !expr.is_aggregate()).collect();
        for row in rows {
            let values: Vec<Value> = keys.iter().map(|expr| self.eval(expr, row)).collect::<Outcome<_>>()?;
            match groups.iter_mut().find(|(known, _)| same_row(known, &values)) {
                Some((_, members)) => members.push(row.clone()),
                None => groups.push((values, vec![row.clone()])),
            }
        }
        if groups.is_empty() && keys.is_empty() {
            groups.push(Default::default());
        }
        let mut result = Vec::new();
        for (keys, members) in groups {
            let mut keys = keys.into_iter();
            let mut values = Vec::new();
            for (expr, _) in &projection.items {
                values.push(match expr {
                    Expr::CountAll => Value::Int(members.len() as i64),
                    Expr::Aggregate(name, distinct, of) => self.aggregate(name, *distinct, of, &members)?,
                    _ => keys.next().ok_or(Stop::Invalid)?,
                });
            }
            result.push(values);
        }
        Ok(result)
    }

    /// Null does not count; unknown makes the whole unknown, but in a list, where it is an element.
    fn aggregate(&mut self, name: &str, distinct: bool, of: &Expr, rows: &[Row]) -> Outcome<Value> {
        let mut values: Vec<Value> = Vec::new();
        for row in rows {
            let value = self.eval(of, row)?;
            let again = distinct && values.iter().any(|known| order(known, &value).is_eq());
            if !matches!(value, Value::Null) && !again {
                values.push(value);
            }
        }
        if name == "collect" {
            return Ok(Value::List(values));
        }
        if values.iter().any(|value| matches!(value, Value::Unknown)) {
            return Ok(Value::Unknown);
        }
        Ok(match name {
            "count" => Value::Int(values.len() as i64),
            "min" => values.into_iter().min_by(order).unwrap_or(Value::Null),
            "max" => values.into_iter().max_by(order).unwrap_or(Value::Null),
            _ => {
                let numbers: Vec<f64> = values.iter().map(number).collect::<Option<_>>().ok_or(Stop::Invalid)?;
                let sum: f64 = numbers.iter().sum();
                match (name, numbers.len()) {
                    ("avg", 0) => Value::Null,
                    ("avg", count) => Value::Float(sum / count as f64),
                    _ => Value::Float(sum),
                }
            }
        })
    }
}

/// Whether a projection gives the same for rows that are there several times.
fn merges(clause: &Clause) -> Option<bool> {
    let (Clause::With { projection, .. } | Clause::Return(projection)) = clause else { return None };
    let mut aggregates = projection.items.iter().map(|(expr, _)| expr).filter(|expr| expr.is_aggregate()).peekable();
    if aggregates.peek().is_none() {
        // What only passes rows on leaves it to what comes after.
        let cuts = projection.skip.is_some() || projection.limit.is_some();
        return (projection.distinct || cuts).then_some(projection.distinct);
    }
    Some(aggregates.all(|of| matches!(of, Expr::Aggregate("min" | "max", ..) | Expr::Aggregate(_, true, _))))
}

/// How rows stand by their keys.
pub fn by_keys(left: &[Value], right: &[Value], descending: &[bool]) -> std::cmp::Ordering {
    for ((left, right), descending) in left.iter().zip(right).zip(descending) {
        let order = order_rows(std::slice::from_ref(left), std::slice::from_ref(right));
        if order.is_ne() {
            return if *descending { order.reverse() } else { order };
        }
    }
    std::cmp::Ordering::Equal
}

fn variables(paths: &[super::query::Path]) -> impl Iterator<Item = &String> {
    paths.iter().flat_map(|path| {
        let nodes = path.nodes.iter().filter_map(|node| node.variable.as_ref());
        let relations = path.relations.iter().filter_map(|relation| relation.variable.as_ref());
        path.variable.iter().chain(nodes).chain(relations)
    })
}
