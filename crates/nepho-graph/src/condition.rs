//! Conditions over the nodes of one kind or class: what rules are made of.

use std::ops::Range;
use std::sync::Arc;

use hashbrown::HashMap;

use crate::bind::{Bound, Gap};
use crate::error::{ErrorCode, Outcome, QueryError, Span};
use crate::exec::Exec;
use crate::graph::{Graph, NodeId};
use crate::plan::{Expr, Kind, Program};
use crate::resolve::Resolver;
use crate::schema::{Schema, nearest};
use crate::syntax::{self, Source};
use crate::truth::Truth;
use crate::value::ResultValue as V;

mod vector;

use vector::Tri;

/// An expression over one variable, ready to be judged on any graph.
#[derive(Debug)]
pub struct Condition {
    text: Arc<str>,
    label: Arc<str>,
    program: Program,
    expr: Expr,
    source: Source,
}

/// Why a condition is unknown (or null) at a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UnknownCause {
    /// A property could not be read.
    Property {
        /// Of which node.
        node: NodeId,
        /// Which.
        property: Arc<str>,
    },
    /// A node's relations of a type could not be read.
    Relation {
        /// Of which node.
        node: NodeId,
        /// Which type.
        relation: Arc<str>,
    },
    /// A kind was not completely listed.
    KindIncomplete {
        /// The kind id.
        kind: Arc<str>,
        /// The account; empty for all.
        account: Arc<str>,
        /// The region; empty for all.
        region: Arc<str>,
    },
    /// Nodes of a kind have relations of a type that could not be read.
    RelationsOfKind {
        /// The kind id.
        kind: Arc<str>,
        /// Which type.
        relation: Arc<str>,
        /// The account; empty for all.
        account: Arc<str>,
        /// The region; empty for all.
        region: Arc<str>,
    },
    /// The condition ended in an error for this node, such as a text where a number was expected.
    Failed {
        /// The error.
        message: Arc<str>,
        /// Where in the condition's text it begins, in bytes.
        start: usize,
        /// Where it ends.
        end: usize,
    },
}

impl UnknownCause {
    pub(crate) fn of_gap(graph: &Graph, gap: &Gap) -> Self {
        let kind = graph.tables.get(gap.kind as usize).map(|table| table.kind.clone()).unwrap_or_default();
        let place = |code: Option<u32>| code.map(|code| graph.place_name(code)).unwrap_or_default();
        let (account, region) = (place(gap.mark.account), place(gap.mark.region));
        match gap.relation.and_then(|of| graph.relations.get(of as usize)) {
            Some(table) => Self::RelationsOfKind { kind, relation: table.name.clone(), account, region },
            None => Self::KindIncomplete { kind, account, region },
        }
    }
}

/// A condition's value at every node of its label, packed.
#[derive(Debug)]
pub struct Verdicts {
    parts: Vec<(Range<u32>, Tri)>,
}

impl Verdicts {
    /// How many nodes have this value.
    pub fn count(&self, truth: Truth) -> usize {
        self.parts.iter().map(|(_, tri)| tri.count(truth)).sum()
    }

    /// The value at a node; `None` when the condition is not about it.
    pub fn at(&self, node: NodeId) -> Option<Truth> {
        let (nodes, tri) = self.parts.iter().find(|(nodes, _)| nodes.contains(&node.0))?;
        Some(tri.get((node.0 - nodes.start) as usize))
    }

    /// Every node and its value, by kind and key.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, Truth)> + '_ {
        self.parts.iter().flat_map(|(nodes, tri)| nodes.clone().enumerate().map(|(row, id)| (NodeId(id), tri.get(row))))
    }

    /// The nodes that have this value, by kind and key.
    pub fn with(&self, truth: Truth) -> impl Iterator<Item = NodeId> + '_ {
        self.parts
            .iter()
            .flat_map(move |(nodes, tri)| tri.rows(truth).into_iter().map(|row| NodeId(nodes.start + row as u32)))
    }
}

impl Condition {
    /// Compiles a condition on the nodes of a kind (by id or label) or class, bound to `variable`.
    ///
    /// # Errors
    /// Text that does not parse, names that the schema does not have, types that can never fit.
    pub fn compile(schema: &Schema, label_or_kind: &str, variable: &str, text: &str) -> Result<Self, QueryError> {
        Self::compile_boxed(schema, label_or_kind, variable, text).map_err(|error| *error)
    }

    fn compile_boxed(schema: &Schema, label: &str, variable: &str, text: &str) -> Outcome<Self> {
        let kinds = schema.kinds_named(label);
        if kinds.is_none() && !schema.is_open() {
            let message = format!("there is no kind or class `{label}`");
            let error = QueryError::new(ErrorCode::UnknownName, Span::default(), message);
            let names = schema.label_names().chain(schema.kinds().map(|kind| &*kind.id));
            return Err(match nearest(label, names) {
                Some(near) => error.with_help(format!("did you mean `{near}`?")),
                None => error,
            });
        }
        let (expr, source) = syntax::parse_expression(text)?;
        let mut resolver = Resolver::new(schema, &source.text);
        let expr = resolver.condition(variable, kinds, &expr).map_err(|error| source.map(error))?;
        let mut program = resolver.program;
        program.settle(None, std::slice::from_ref(&expr));
        Ok(Self { text: text.into(), label: label.into(), program, expr, source })
    }

    /// The text it was compiled from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The kind id or label that it judges.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Names of the properties of the variable that it reads, in order of appearance.
    pub fn properties_read(&self) -> Vec<String> {
        let mut read = Vec::new();
        let mut add = |name: &Arc<str>| {
            if !read.iter().any(|known: &String| **known == **name) {
                read.push(name.to_string());
            }
        };
        let mut visit = |expr: &Expr| {
            expr.visit(&mut |part| match &part.kind {
                Kind::NodeProperty { slot: 0, property } => {
                    if let Some(name) = self.program.properties.get(*property) {
                        add(name);
                    }
                }
                Kind::Property { of, name } if matches!(of.kind, Kind::Slot(0)) => add(name),
                _ => {}
            });
        };
        visit(&self.expr);
        self.program.each_expr(&mut visit);
        read
    }

    /// The value at every node, by kind and key.
    pub fn evaluate(&self, graph: &Graph) -> Vec<(NodeId, Truth)> {
        self.verdicts(graph).iter().collect()
    }

    /// The value at every node, packed: what to use for many conditions over many nodes.
    pub fn verdicts(&self, graph: &Graph) -> Verdicts {
        let bound = Bound::new(&self.program, graph);
        let parameters = HashMap::new();
        let mut exec = Exec::new(graph, &self.program, &bound, &parameters);
        exec.lenient = true;
        let tables = graph.kinds_named(&self.label).into_iter().filter_map(|kind| {
            let table = graph.tables.get(kind as usize)?;
            (!table.nodes.is_empty()).then(|| (kind, table.nodes.clone()))
        });
        let mut parts: Vec<_> = tables.map(|(kind, nodes)| (nodes, vector::judge(&exec, &self.expr, kind))).collect();
        if !graph.faults().is_empty() {
            // What could not be read may have been relations, whose absence proves nothing.
            parts.iter_mut().for_each(|(nodes, tri)| *tri = Tri::filled(nodes.len(), Truth::Unknown));
        }
        Verdicts { parts }
    }

    /// The value at one node.
    pub fn at(&self, graph: &Graph, node: NodeId) -> Truth {
        let bound = Bound::new(&self.program, graph);
        let parameters = HashMap::new();
        let mut exec = Exec::new(graph, &self.program, &bound, &parameters);
        exec.lenient = true;
        let truth = vector::judge_row(&exec, &self.expr, node, &mut exec.frame());
        if graph.faults().is_empty() { truth } else { Truth::Unknown }
    }

    /// Values of expressions: what an evidence line shows is read with [`crate::NodeRef::property`]; this tells why
    /// the condition is unknown at a node. Empty where it is not, or where an absent value is the reason.
    pub fn unknown_causes(&self, graph: &Graph, node: NodeId) -> Vec<UnknownCause> {
        let bound = Bound::new(&self.program, graph);
        let parameters = HashMap::new();
        let mut exec = Exec::new(graph, &self.program, &bound, &parameters);
        exec.lenient = true;
        exec.causes = Some(std::cell::RefCell::default());
        let mut frame = exec.frame();
        if let Some(slot) = frame.first_mut() {
            *slot = V::Node(node);
        }
        exec.subject.set(Some(node));
        let result = exec.truth(&self.expr, &mut frame);
        let mut causes = exec.causes.map(std::cell::RefCell::into_inner).unwrap_or_default();
        if !matches!(result, Ok(Truth::Unknown)) {
            return Vec::new();
        }
        for cause in &mut causes {
            if let UnknownCause::Failed { start, end, .. } = cause {
                (*start, *end) = (self.source.original(*start), self.source.original(*end));
            }
        }
        causes.sort();
        causes.dedup();
        causes
    }
}

/// Judges many conditions at once on all cores; `take` is called with each condition's number and verdicts, from any
/// thread, so that what is not needed can be dropped at once.
pub fn judge_all<C: AsRef<Condition> + Sync>(graph: &Graph, conditions: &[C], take: impl Fn(usize, Verdicts) + Sync) {
    use rayon::prelude::*;
    conditions.par_iter().enumerate().for_each(|(number, condition)| {
        take(number, condition.as_ref().verdicts(graph));
    });
}

impl AsRef<Condition> for Condition {
    fn as_ref(&self) -> &Condition {
        self
    }
}
