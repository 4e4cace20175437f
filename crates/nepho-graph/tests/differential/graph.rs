//! The reference's own graph: two vectors and what could not be read.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use nepho_graph::{GraphBuilder, ResultValue, Schema};
use proptest::prelude::*;

use super::query::literal;
use super::value::Value;

/// Kinds by id, with the labels of their nodes. Those that begin with a colon are made by labels alone.
pub const KINDS: [(&str, &[&str]); 5] =
    [("a", &["A", "X"]), ("b", &["B", "X", "Y"]), ("c", &["C"]), (":D:X", &["D", "X"]), (":", &[])];

/// Relation types.
pub const TYPES: [&str; 3] = ["R", "S", "T"];

/// Properties of nodes: anything, a number, a text, a flag, a list.
pub const NODE_PROPERTIES: [&str; 5] = ["p", "w", "s", "f", "l"];

#[derive(Clone, Debug)]
pub struct Node {
    /// Place in [`KINDS`].
    pub kind: usize,
    /// By place in [`NODE_PROPERTIES`].
    pub properties: [Value; 5],
}

#[derive(Clone, Debug)]
pub struct Relation {
    pub from: usize,
    pub to: usize,
    /// Place in [`TYPES`].
    pub of: usize,
    pub w: Value,
    pub s: Value,
}

#[derive(Clone, Debug, Default)]
pub struct Graph {
    pub nodes: Vec<Node>,
    pub relations: Vec<Relation>,
    /// Nodes whose relations of a type could not be read.
    pub unread: BTreeSet<(usize, usize)>,
    /// Kinds that were not completely listed.
    pub incomplete: BTreeSet<usize>,
    /// Whether the schema declares that a type may be between any two kinds.
    pub declared: bool,
}

impl Graph {
    pub fn labels(&self, node: usize) -> &'static [&'static str] {
        KINDS[self.nodes[node].kind].1
    }

    /// The provider's name of a node; those made by labels alone have none that a query could read.
    pub fn key(node: usize) -> String {
        format!("n{node}")
    }

    pub fn node_property(&self, node: usize, name: &str) -> Value {
        if name == "key" {
            let by_labels = KINDS[self.nodes[node].kind].0.starts_with(':');
            return if by_labels { Value::Null } else { Value::Text(Self::key(node)) };
        }
        match NODE_PROPERTIES.iter().position(|known| *known == name) {
            Some(at) => self.nodes[node].properties[at].clone(),
            None => Value::Null,
        }
    }

    pub fn relation_property(&self, relation: usize, name: &str) -> Value {
        let found = &self.relations[relation];
        match name {
            "w" => found.w.clone(),
            "s" => found.s.clone(),
            "id" => Value::Int(relation as i64),
            _ => Value::Null,
        }
    }

    /// Whether relations of a type may start (or end) at nodes of a kind: by the schema or because some do.
    pub fn may_be_at(&self, of: usize, kind: usize, start: bool) -> bool {
        (self.declared && !KINDS[kind].0.starts_with(':'))
            || self.relations.iter().any(|relation| {
                let end = if start { relation.from } else { relation.to };
                relation.of == of && self.nodes[end].kind == kind
            })
    }

    pub fn schema(&self) -> Schema {
        let mut schema = Schema::open();
        let none: [(&str, nepho_graph::PropertyType); 0] = [];
        let kinds = || KINDS.iter().filter(|(id, _)| !id.starts_with(':'));
        for (id, labels) in kinds() {
            schema.add_kind(id, &labels[1..], none);
        }
        if self.declared {
            for of in TYPES {
                for (from, _) in kinds() {
                    kinds().for_each(|(to, _)| schema.add_relation(of, from, to));
                }
            }
        }
        schema
    }

    /// The same graph for the engine.
    pub fn build(&self) -> nepho_graph::Graph {
        let mut builder = GraphBuilder::new(self.schema());
        let mut handles = Vec::new();
        for (at, node) in self.nodes.iter().enumerate() {
            let (id, labels) = KINDS[node.kind];
            let properties: Vec<(Arc<str>, nepho_model::Value)> = NODE_PROPERTIES
                .iter()
                .zip(&node.properties)
                // An absent property may be left out or be given as null.
                .filter(|(_, value)| at % 2 == 0 || !matches!(value, Value::Null))
                .map(|(name, value)| (Arc::from(*name), fact(value)))
                .collect();
            let key = Self::key(at);
            handles.push(if id.starts_with(':') {
                builder.add_labelled_node(labels, &key, properties)
            } else {
                let absent = || nepho_model::Value::Null;
                builder.add_node(id, key, "", "", absent(), absent(), properties)
            });
        }
        for (at, relation) in self.relations.iter().enumerate() {
            let properties = [("id", &Value::Int(at as i64)), ("w", &relation.w), ("s", &relation.s)]
                .map(|(name, value)| (Arc::from(name), fact(value)));
            let (from, to) = (handles[relation.from], handles[relation.to]);
            builder.add_relation(from, TYPES[relation.of], to, properties.to_vec());
        }
        for (node, of) in &self.unread {
            builder.mark_unknown_relation(handles[*node], TYPES[*of]);
        }
        for kind in &self.incomplete {
            builder.mark_incomplete(KINDS[*kind].0, "", "");
        }
        builder.finish()
    }

    /// Statements that make the graph, and in comments what they cannot say.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let properties = |of: &mut dyn Iterator<Item = (&str, &Value)>| {
            let there: Vec<String> = of
                .filter(|(_, value)| !matches!(value, Value::Null))
                .map(|(name, value)| format!("{name}: {}", literal(value)))
                .collect();
            if there.is_empty() { String::new() } else { format!(" {{{}}}", there.join(", ")) }
        };
        for (at, node) in self.nodes.iter().enumerate() {
            let labels: String = self.labels(at).iter().map(|label| format!(":{label}")).collect();
            let own = properties(&mut NODE_PROPERTIES.into_iter().zip(&node.properties));
            let _ = writeln!(text, "CREATE (n{at}{labels}{own})");
        }
        for relation in &self.relations {
            let own = properties(&mut [("w", &relation.w), ("s", &relation.s)].into_iter());
            let (from, of, to) = (relation.from, TYPES[relation.of], relation.to);
            let _ = writeln!(text, "CREATE (n{from})-[:{of}{own}]->(n{to})");
        }
        for (node, of) in &self.unread {
            let _ = writeln!(text, "// the {} relations of n{node} could not be read", TYPES[*of]);
        }
        for kind in &self.incomplete {
            let _ = writeln!(text, "// kind `{}` is incomplete", KINDS[*kind].0);
        }
        if self.declared {
            text.push_str("// every type is declared between every two kinds\n");
        }
        text
    }

    /// Graphs with one thing less.
    pub fn smaller(&self) -> Vec<Graph> {
        let mut found = Vec::new();
        for part in parts(self.nodes.len()) {
            found.push(self.without_nodes(part));
        }
        for part in parts(self.relations.len()) {
            let mut graph = self.clone();
            graph.relations.drain(part);
            found.push(graph);
        }
        for mark in &self.unread {
            let mut graph = self.clone();
            graph.unread.remove(mark);
            found.push(graph);
        }
        for kind in &self.incomplete {
            let mut graph = self.clone();
            graph.incomplete.remove(kind);
            found.push(graph);
        }
        if self.declared {
            found.push(Graph { declared: false, ..self.clone() });
        }
        for at in 0..self.nodes.len() {
            for property in 0..NODE_PROPERTIES.len() {
                if !matches!(self.nodes[at].properties[property], Value::Null) {
                    let mut graph = self.clone();
                    graph.nodes[at].properties[property] = Value::Null;
                    found.push(graph);
                }
            }
            if self.nodes[at].kind > 0 {
                let mut graph = self.clone();
                graph.nodes[at].kind = 0;
                found.push(graph);
            }
        }
        for at in 0..self.relations.len() {
            let relation = &self.relations[at];
            if !matches!((&relation.w, &relation.s), (Value::Null, Value::Null)) {
                let mut graph = self.clone();
                (graph.relations[at].w, graph.relations[at].s) = (Value::Null, Value::Null);
                found.push(graph);
            }
            if relation.of > 0 {
                let mut graph = self.clone();
                graph.relations[at].of = 0;
                found.push(graph);
            }
        }
        found
    }

    fn without_nodes(&self, gone: Range<usize>) -> Graph {
        let moved = |node: usize| match node {
            _ if gone.contains(&node) => None,
            _ if node < gone.start => Some(node),
            _ => Some(node - gone.len()),
        };
        let mut graph = self.clone();
        graph.nodes.drain(gone.clone());
        graph.relations = self
            .relations
            .iter()
            .filter_map(|of| Some(Relation { from: moved(of.from)?, to: moved(of.to)?, ..of.clone() }))
            .collect();
        graph.unread = self.unread.iter().filter_map(|(node, of)| Some((moved(*node)?, *of))).collect();
        graph
    }

    /// A value of the engine as one of ours; `None` for what our graphs and queries cannot give.
    pub fn from_engine(engine: &nepho_graph::Graph, value: &ResultValue) -> Option<Value> {
        let node = |id| engine.node(id)?.key().strip_prefix('n')?.parse::<usize>().ok();
        let relation = |id| match engine.relation(id)?.property("id") {
            nepho_model::Value::Int(at) => usize::try_from(at).ok(),
            _ => None,
        };
        Some(match value {
            ResultValue::Null => Value::Null,
            ResultValue::Unknown => Value::Unknown,
            ResultValue::Bool(flag) => Value::Bool(*flag),
            ResultValue::Int(whole) => Value::Int(*whole),
            ResultValue::Float(number) => Value::Float(*number),
            ResultValue::String(text) => Value::Text(text.to_string()),
            ResultValue::List(items) => {
                Value::List(items.iter().map(|item| Self::from_engine(engine, item)).collect::<Option<_>>()?)
            }
            ResultValue::Node(id) => Value::Node(node(*id)?),
            ResultValue::Relation(id) => Value::Relation(relation(*id)?),
            ResultValue::Path(path) => Value::Path(
                path.nodes.iter().map(|id| node(*id)).collect::<Option<_>>()?,
                path.relations.iter().map(|id| relation(*id)).collect::<Option<_>>()?,
            ),
            ResultValue::Time(_) | ResultValue::Temporal(_) | ResultValue::Map(_) => return None,
        })
    }
}

/// Halves, quarters and so on of a range, each element at last.
fn parts(length: usize) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut size = length.div_ceil(2);
    while size > 0 {
        found.extend((0..length).step_by(size).map(|from| from..(from + size).min(length)));
        size /= 2;
    }
    found
}

fn fact(value: &Value) -> nepho_model::Value {
    use nepho_model::Value as Fact;
    match value {
        Value::Unknown => Fact::Unknown,
        Value::Bool(flag) => Fact::Bool(*flag),
        Value::Int(whole) => Fact::Int(*whole),
        Value::Float(number) => Fact::Float(*number),
        Value::Text(text) => Fact::from(text.as_str()),
        Value::List(items) => Fact::List(items.iter().map(fact).collect()),
        Value::Null | Value::Node(_) | Value::Relation(_) | Value::Path(..) => Fact::Null,
    }
}

fn text() -> impl Strategy<Value = Value> {
    prop::sample::select(vec!["a", "b", "", "ab", "B"]).prop_map(|text| Value::Text(text.to_owned()))
}

fn whole() -> impl Strategy<Value = Value> {
    (-1i64..4).prop_map(Value::Int)
}

fn float() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![0.5, 1.0, 2.5, -1.0, 2.0]).prop_map(Value::Float)
}

fn list() -> impl Strategy<Value = Value> {
    let item = prop_oneof![3 => whole(), 2 => text(), 1 => Just(Value::Null)];
    prop::collection::vec(item, 0..3).prop_map(Value::List)
}

/// A property's value: mostly there, sometimes absent, and unknown only where `unknown` says so.
fn cell(of: impl Strategy<Value = Value> + 'static, unknown: bool) -> BoxedStrategy<Value> {
    if unknown {
        prop_oneof![1 => Just(Value::Null), 5 => of, 1 => Just(Value::Unknown)].boxed()
    } else {
        prop_oneof![1 => Just(Value::Null), 5 => of].boxed()
    }
}

fn node(unknown: bool, kinds: usize, columns: [bool; 5]) -> impl Strategy<Value = Node> {
    let anything = prop_oneof![
        4 => whole(),
        3 => text(),
        2 => float(),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => list(),
        1 => Just(Value::Float(f64::NAN)),
    ];
    let number = prop_oneof![3 => whole(), 1 => float()];
    let properties = (
        cell(anything, unknown && columns[0]),
        cell(number, unknown && columns[1]),
        cell(text(), unknown && columns[2]),
        cell(any::<bool>().prop_map(Value::Bool), unknown && columns[3]),
        cell(list(), unknown && columns[4]),
    );
    (0..kinds, properties).prop_map(|(kind, (p, w, s, f, l))| Node { kind, properties: [p, w, s, f, l] })
}

/// Ends are drawn so that low numbers are more frequent: some nodes have many relations.
fn end() -> impl Strategy<Value = usize> {
    (0usize..9, 0usize..9).prop_map(|(left, right)| left.min(right))
}

/// Small graphs. A third is completely known; in the others values, relations or kinds are unknown.
pub fn graphs() -> impl Strategy<Value = Graph> {
    (0usize..6, prop::sample::select(vec![3usize, 3, 5, 1, 2]), any::<[bool; 5]>(), any::<bool>())
        .prop_flat_map(|(what, kinds, columns, declared)| {
            let (values, marks) = (matches!(what, 2 | 3 | 5), matches!(what, 4 | 5));
            let relation = (end(), end(), 0..TYPES.len(), cell(whole(), values), cell(text(), values));
            (
                prop::collection::vec(node(values, kinds, columns), 0..9),
                prop::collection::vec(relation, 0..16),
                prop::collection::btree_set((0usize..9, 0..TYPES.len()), 0..=2 * usize::from(marks)),
                prop::collection::btree_set(0usize..3, 0..=usize::from(marks)),
                Just(declared),
            )
        })
        .prop_map(|(nodes, relations, unread, incomplete, declared)| {
            let count = nodes.len();
            let relations = relations
                .into_iter()
                .filter(|_| count > 0)
                .map(|(from, to, of, w, s)| Relation { from: from % count, to: to % count, of, w, s })
                .collect();
            let unread = unread.into_iter().filter(|(node, _)| *node < count).collect();
            Graph { nodes, relations, unread, incomplete, declared }
        })
}

/// Graphs of some thousand nodes: more than an engine looks at together.
pub fn wide_graphs() -> impl Strategy<Value = Graph> {
    any::<u64>().prop_map(wide)
}

fn wide(seed: u64) -> Graph {
    let mut state = seed | 1;
    let mut below = |count: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % count as u64) as usize
    };
    let (count, kinds) = (1_000 + below(4_500), [3, 3, 4, 1][below(4)]);
    let what = below(6);
    let value = |below: &mut dyn FnMut(usize) -> usize, of: usize| match below(40) {
        0..4 => Value::Null,
        4 if what == 0 => Value::Unknown,
        _ => match of {
            0 => [Value::Int(1), Value::Text("a".into()), Value::Float(1.0), Value::Int(0), Value::Bool(true)]
                [below(5)]
            .clone(),
            1 => Value::Int(below(5) as i64),
            2 => Value::Text(["a", "b", "ab"][below(3)].to_owned()),
            3 => Value::Bool(below(2) == 0),
            _ => Value::List(vec![Value::Int(below(3) as i64)]),
        },
    };
    let nodes: Vec<Node> = (0..count)
        .map(|_| Node { kind: below(kinds), properties: [0, 1, 2, 3, 4].map(|of| value(&mut below, of)) })
        .collect();
    let relations = (0..count / 2 + below(count))
        .map(|_| {
            // A few nodes have many relations.
            let mut end = || if below(10) == 0 { below(40) } else { below(count) };
            let (from, to) = (end(), end());
            Relation { from, to, of: below(3), w: value(&mut below, 1), s: value(&mut below, 2) }
        })
        .collect();
    let mut graph = Graph { nodes, relations, declared: below(2) == 0, ..Graph::default() };
    if what == 1 {
        graph.unread.insert((below(count), below(3)));
        graph.incomplete.extend((below(2) == 0).then(|| below(3)));
    }
    graph
}
