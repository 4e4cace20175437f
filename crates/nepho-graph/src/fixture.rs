//! Small graphs out of `CREATE` statements, for tests, examples and the conformance kit.
//!
//! Knows `CREATE`, and before it `MATCH`, `UNWIND`, `WITH` and `DELETE` of relations. Nodes have only the labels and
//! properties written: no key, account or region.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::{ErrorCode, Outcome, QueryError, Span};
use crate::graph::{Graph, GraphBuilder, NodeId};
use crate::ir::{self, Clause, ClauseKind, Expr, ExprKind, Item, LabelExpr, Name, Projection};
use crate::query::{Limits, Parameters, Query};
use crate::schema::Schema;
use crate::syntax;
use crate::value::ResultValue as V;

type Properties = Vec<(Arc<str>, V)>;
type Row = BTreeMap<Arc<str>, V>;

/// The graph that the statements make, one after the other.
///
/// # Errors
/// A statement that does not parse, or that does anything but what the module's documentation says.
pub fn graph_from_cypher(statements: &[&str]) -> Result<Graph, QueryError> {
    let mut fixture = Fixture::default();
    for statement in statements {
        fixture.statement(statement).map_err(|error| *error)?;
    }
    Ok(fixture.graph())
}

#[derive(Default)]
struct Fixture {
    nodes: Vec<(Vec<Arc<str>>, Properties)>,
    relations: Vec<Relation>,
}

struct Relation {
    from: u32,
    of: Arc<str>,
    to: u32,
    properties: Properties,
    deleted: bool,
}

impl Fixture {
    fn graph(&self) -> Graph {
        let mut builder = GraphBuilder::new(Schema::open());
        let handles: Vec<_> = self
            .nodes
            .iter()
            .enumerate()
            .map(|(at, (labels, properties))| {
                let labels: Vec<&str> = labels.iter().map(|label| &**label).collect();
                builder.add_labelled(&labels, &format!("{at:010}"), properties)
            })
            .collect();
        for relation in self.relations.iter().filter(|relation| !relation.deleted) {
            let (from, to) = (handles[relation.from as usize], handles[relation.to as usize]);
            builder.add_relation_values(from, &relation.of, to, &relation.properties);
        }
        builder.finish()
    }

    fn statement(&mut self, text: &str) -> Outcome<()> {
        let (query, source) = syntax::parse(text)?;
        let text = source.text.as_str();
        let clauses = query.parts.into_iter().next().unwrap_or_default();
        let mut rows: Vec<Row> = vec![Row::new()];
        let mut reading: Vec<Clause> = Vec::new();
        for clause in clauses {
            match clause.kind {
                ClauseKind::Match { .. } | ClauseKind::Unwind { .. } | ClauseKind::With { .. } => reading.push(clause),
                ClauseKind::Create(paths) => {
                    rows = self.read(text, rows, std::mem::take(&mut reading), None)?;
                    self.create(text, &mut rows, &paths)?;
                }
                ClauseKind::Delete(exprs) => {
                    rows = self.read(text, rows, std::mem::take(&mut reading), None)?;
                    let deleted = self.read(text, rows.clone(), Vec::new(), Some(exprs))?;
                    for value in deleted.iter().flat_map(Row::values) {
                        if let V::Relation(id) = value
                            && let Some(relation) = self.relations.get_mut(id.index as usize)
                        {
                            relation.deleted = true;
                        }
                    }
                }
                ClauseKind::Return(_) => {}
                _ => {
                    let message = "a fixture is made by CREATE alone";
                    return Err(QueryError::new(ErrorCode::Unsupported, clause.span, message));
                }
            }
        }
        Ok(())
    }

    /// Runs reading clauses over rows; with `exprs`, gives their values instead, named by number.
    fn read(&self, text: &str, rows: Vec<Row>, reading: Vec<Clause>, exprs: Option<Vec<Expr>>) -> Outcome<Vec<Row>> {
        if reading.is_empty() && exprs.is_none() {
            return Ok(rows);
        }
        let graph = self.graph();
        let from_id = |id: u32| graph.node(NodeId(id)).and_then(|node| node.key().parse().ok()).unwrap_or(u32::MAX);
        let mut to_id = vec![0; self.nodes.len()];
        for node in graph.nodes() {
            to_id[from_id(node.id().0) as usize] = node.id().0;
        }
        let span = Span::default();
        let name = |text: &str| Name { text: text.into(), span };
        let expr = |kind| Expr { kind, span };
        let item = |expr: Expr, alias: &str| Item { expr, alias: Some(name(alias)), text: alias.into() };
        const ROW: &str = "\u{1}row";
        let names: Vec<Arc<str>> = rows.first().map(|row| row.keys().cloned().collect()).unwrap_or_default();
        let mut clauses = vec![Clause {
            kind: ClauseKind::Unwind { list: expr(ExprKind::Parameter("rows".into())), variable: name(ROW) },
            span,
        }];
        let mut start = Projection { all: true, ..Projection::default() };
        for own in &names {
            let of = Box::new(expr(ExprKind::Variable(ROW.into())));
            start.items.push(item(expr(ExprKind::Property { of, name: name(own) }), own));
        }
        clauses.push(Clause { kind: ClauseKind::With { projection: start, filter: None }, span });
        clauses.extend(reading);
        let mut last = Projection { all: exprs.is_none(), ..Projection::default() };
        for (at, wanted) in exprs.unwrap_or_default().into_iter().enumerate() {
            last.items.push(item(wanted, &at.to_string()));
        }
        if last.items.is_empty() && !last.all {
            last.items.push(item(expr(ExprKind::Literal(V::Null)), ROW));
        }
        clauses.push(Clause { kind: ClauseKind::Return(last), span });
        let query = ir::Query { parts: vec![clauses], distinct: false, mixed: false, span };
        let query = Query::from_ir(&Schema::open(), text, &query, None)?;
        let rows = rows.into_iter().map(|row| {
            let fields = row.into_iter().map(|(name, value)| (name, renumbered(&value, &|at| to_id[at as usize])));
            V::Map(Arc::new(fields.collect()))
        });
        let parameters: Parameters = [("rows".to_owned(), V::list(rows.collect()))].into_iter().collect();
        let relations = self.relation_numbers(&to_id);
        let result = query.run(&graph, &parameters, &Limits::default()).map_err(Box::new)?;
        Ok(result
            .rows
            .into_iter()
            .map(|row| {
                let fields = result.columns.iter().cloned().zip(row).filter(|(name, _)| **name != *ROW);
                fields
                    .map(|(name, value)| {
                        let value = match value {
                            V::Relation(mut id) => {
                                let of = graph.relation(id).map(|of| of.relation_type().clone()).unwrap_or_default();
                                let numbers = relations.get(&of).map_or(&[][..], Vec::as_slice);
                                id.index = numbers.get(id.index as usize).copied().unwrap_or(u32::MAX);
                                V::Relation(id)
                            }
                            other => renumbered(&other, &from_id),
                        };
                        (name, value)
                    })
                    .collect()
            })
            .collect())
    }

    /// Type → position in the graph → position here.
    fn relation_numbers(&self, to_id: &[u32]) -> BTreeMap<Arc<str>, Vec<u32>> {
        let mut all: BTreeMap<Arc<str>, Vec<(u32, u32, u32)>> = BTreeMap::new();
        for (at, relation) in self.relations.iter().enumerate().filter(|(_, relation)| !relation.deleted) {
            let ends = (to_id[relation.from as usize], to_id[relation.to as usize], at as u32);
            all.entry(relation.of.clone()).or_default().push(ends);
        }
        all.into_iter()
            .map(|(of, mut ends)| {
                ends.sort_unstable();
                (of, ends.into_iter().map(|(.., at)| at).collect())
            })
            .collect()
    }

    fn create(&mut self, text: &str, rows: &mut [Row], paths: &[ir::PathPattern]) -> Outcome<()> {
        // One path after the other: a property may be that of a node created just before.
        paths.iter().try_for_each(|path| self.create_path(text, rows, path))
    }

    fn create_path(&mut self, text: &str, rows: &mut [Row], path: &ir::PathPattern) -> Outcome<()> {
        // The values of all property maps at once.
        let maps = path.nodes.iter().map(|node| &node.properties).chain(path.relations.iter().map(|of| &of.properties));
        let exprs: Vec<Expr> = maps.flatten().cloned().collect();
        let values = if exprs.is_empty() {
            vec![Row::new(); rows.len()]
        } else {
            self.read(text, rows.to_vec(), Vec::new(), Some(exprs))?
        };
        for (row, values) in rows.iter_mut().zip(values) {
            let mut at = 0;
            let mut properties = |map: &Option<Expr>| -> Properties {
                if map.is_none() {
                    return Vec::new();
                }
                at += 1;
                match values.get((at - 1).to_string().as_str()) {
                    Some(V::Map(fields)) => {
                        let there = fields.iter().filter(|(_, value)| !matches!(value, V::Null));
                        there.map(|(name, value)| (name.clone(), value.clone())).collect()
                    }
                    _ => Vec::new(),
                }
            };
            let mut nodes = Vec::new();
            for node in &path.nodes {
                let properties = properties(&node.properties);
                let known = node.variable.as_ref().and_then(|name| row.get(&name.text)).cloned();
                if let Some(V::Node(NodeId(known))) = known {
                    nodes.push(known);
                    continue;
                }
                let mut labels = Vec::new();
                node.labels.iter().for_each(|of| label_names(of, &mut labels));
                self.nodes.push((labels, properties));
                let id = self.nodes.len() as u32 - 1;
                nodes.push(id);
                if let Some(name) = &node.variable {
                    row.insert(name.text.clone(), V::Node(NodeId(id)));
                }
            }
            for (at, relation) in path.relations.iter().enumerate() {
                let (mut from, mut to) = (nodes[at], nodes[at + 1]);
                if relation.direction == ir::Direction::In {
                    std::mem::swap(&mut from, &mut to);
                }
                let of = relation.types.first().map(|name| name.text.clone()).unwrap_or_default();
                let properties = properties(&relation.properties);
                self.relations.push(Relation { from, of, to, properties, deleted: false });
            }
        }
        Ok(())
    }
}

fn label_names(labels: &LabelExpr, names: &mut Vec<Arc<str>>) {
    match labels {
        LabelExpr::Name(name) => names.push(name.text.clone()),
        LabelExpr::And(parts) | LabelExpr::Or(parts) => parts.iter().for_each(|part| label_names(part, names)),
        LabelExpr::Not(_) | LabelExpr::Any => {}
    }
}

/// The value with every node numbered anew.
fn renumbered(value: &V, number: &dyn Fn(u32) -> u32) -> V {
    match value {
        V::Node(NodeId(id)) => V::Node(NodeId(number(*id))),
        V::List(items) => V::list(items.iter().map(|item| renumbered(item, number)).collect()),
        other => other.clone(),
    }
}
