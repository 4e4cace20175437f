//! The graph: nodes in one table per kind, relations as adjacency per type, and what could not be read.
//!
//! Immutable and shared by reference. Nodes are numbered by (kind, key), so that the same facts give the same numbers
//! in whatever order they arrived. Knows nothing of queries.

use std::hash::BuildHasher;
use std::ops::Range;
use std::sync::Arc;

use hashbrown::{HashMap, HashTable};
use nepho_model::{Timestamp, Value};

use crate::value::ResultValue;

pub(crate) mod adjacency;
mod builder;
pub(crate) mod column;
mod view;

pub use builder::{GraphBuilder, NodeHandle};
pub use view::{NodeRef, RelationRef};

use adjacency::Adjacency;
use column::{Cells, Column};

/// A node of one graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// A relation of one graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelationId {
    pub(crate) of: u32,
    pub(crate) index: u32,
}

/// Which way a relation is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Walk {
    /// Along its direction.
    Out,
    /// Against its direction.
    In,
    /// Both.
    Both,
}

/// Columns with names.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    pub columns: Vec<Column>,
    pub names: Vec<Arc<str>>,
    pub by_name: HashMap<Arc<str>, u32>,
}

impl Columns {
    /// The column of a property.
    pub fn named(&self, name: &str) -> Option<&Column> {
        self.by_name.get(name).and_then(|index| self.columns.get(*index as usize))
    }
}

/// Nodes of one kind.
#[derive(Debug)]
pub(crate) struct Table {
    pub kind: Arc<str>,
    pub labels: Vec<Arc<str>>,
    pub nodes: Range<u32>,
    pub keys: Arc<Vec<Arc<str>>>,
    /// Codes into `Graph::places`.
    pub accounts: Vec<u32>,
    pub regions: Vec<u32>,
    pub columns: Columns,
}

/// Relations of one type.
#[derive(Debug)]
pub(crate) struct RelationTable {
    pub name: Arc<str>,
    pub forward: Adjacency,
    pub backward: Adjacency,
    pub columns: Columns,
    /// Nodes whose relations of this type could not be read, ascending.
    pub unknown: Vec<u32>,
    /// Where such nodes are: kind → distinct (account, region).
    pub unknown_places: HashMap<u32, Vec<(u32, u32)>>,
}

impl RelationTable {
    /// How many relations there are.
    pub fn len(&self) -> usize {
        self.forward.targets.len()
    }
}

/// Relation type → kinds at its start and at its end, once per declaration.
pub(crate) type DeclaredEnds = HashMap<Arc<str>, Vec<(Vec<u32>, Vec<u32>)>>;

/// A place where a kind was not completely listed; `None` stands for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub account: Option<u32>,
    pub region: Option<u32>,
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Graph {
    pub(crate) tables: Vec<Table>,
    pub(crate) kind_of: Vec<u32>,
    pub(crate) kinds_by_label: HashMap<Arc<str>, Vec<u32>>,
    pub(crate) relations: Vec<RelationTable>,
    pub(crate) relation_index: HashMap<Arc<str>, u32>,
    /// Accounts and regions, by code.
    pub(crate) places: Arc<Vec<Arc<str>>>,
    /// The code of region `global` (and of no region).
    pub(crate) global: [Option<u32>; 2],
    keys: HashTable<u32>,
    hasher: foldhash::fast::FixedState,
    pub(crate) incomplete: HashMap<u32, Vec<Mark>>,
    /// Relation type → kinds at either end by the schema.
    pub(crate) declared_ends: DeclaredEnds,
    clock: Timestamp,
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Graph>();
};

impl Graph {
    /// The time that `age_days` counts from.
    pub fn clock(&self) -> Timestamp {
        self.clock
    }

    /// How many nodes there are.
    pub fn node_count(&self) -> usize {
        self.kind_of.len()
    }

    /// How many relations there are.
    pub fn relation_count(&self) -> usize {
        self.relations.iter().map(RelationTable::len).sum()
    }

    /// Kinds and how many nodes each has, by id; kinds without nodes included.
    pub fn counts_by_kind(&self) -> impl Iterator<Item = (&str, usize)> {
        self.tables.iter().map(|table| (&*table.kind, table.nodes.len()))
    }

    /// Relation types and how many relations each has, by name.
    pub fn counts_by_relation(&self) -> impl Iterator<Item = (&str, usize)> {
        self.relations.iter().map(|relation| (&*relation.name, relation.len()))
    }

    /// Every node, by kind and key.
    pub fn nodes(&self) -> impl Iterator<Item = NodeRef<'_>> {
        (0..self.kind_of.len() as u32).filter_map(|id| self.node(NodeId(id)))
    }

    /// The nodes with a label (kind label, class label or kind id), by kind and key.
    pub fn nodes_of(&self, label: &str) -> impl Iterator<Item = NodeRef<'_>> {
        self.kinds_named(label)
            .into_iter()
            .filter_map(|kind| self.tables.get(kind as usize))
            .flat_map(|table| table.nodes.clone())
            .filter_map(|id| self.node(NodeId(id)))
    }

    /// Kind numbers for a label or kind id.
    pub(crate) fn kinds_named(&self, name: &str) -> Vec<u32> {
        match self.kinds_by_label.get(name) {
            Some(kinds) => kinds.clone(),
            None => match self.tables.binary_search_by(|table| (*table.kind).cmp(name)) {
                Ok(kind) => vec![kind as u32],
                Err(_) => Vec::new(),
            },
        }
    }

    /// The node, when it is of this graph.
    pub fn node(&self, id: NodeId) -> Option<NodeRef<'_>> {
        let kind = *self.kind_of.get(id.0 as usize)?;
        let table = self.tables.get(kind as usize)?;
        Some(NodeRef { graph: self, table, id })
    }

    /// The relation, when it is of this graph.
    pub fn relation(&self, id: RelationId) -> Option<RelationRef<'_>> {
        let table = self.relations.get(id.of as usize)?;
        ((id.index as usize) < table.len()).then_some(RelationRef { graph: self, table, id })
    }

    /// The node with this key. Where several kinds use one key, the first kind's.
    pub fn node_by_key(&self, key: &str) -> Option<NodeRef<'_>> {
        let hash = self.hasher.hash_one(key);
        let found = self.keys.find(hash, |id| self.key_of(*id) == Some(key))?;
        self.node(NodeId(*found))
    }

    fn key_of(&self, id: u32) -> Option<&str> {
        let table = self.tables.get(*self.kind_of.get(id as usize)? as usize)?;
        table.keys.get((id - table.nodes.start) as usize).map(|key| &**key)
    }

    /// The kind number of a node.
    #[inline]
    pub(crate) fn kind_number(&self, node: NodeId) -> u32 {
        self.kind_of.get(node.0 as usize).copied().unwrap_or(u32::MAX)
    }

    /// Account and region codes of a node.
    pub(crate) fn place(&self, node: NodeId) -> Option<(u32, u32)> {
        let table = self.tables.get(self.kind_number(node) as usize)?;
        let row = (node.0 - table.nodes.start) as usize;
        Some((*table.accounts.get(row)?, *table.regions.get(row)?))
    }

    /// Whether a region code means no region.
    pub(crate) fn is_global(&self, region: u32) -> bool {
        self.global.contains(&Some(region))
    }

    /// The text of a place code.
    pub(crate) fn place_name(&self, code: u32) -> Arc<str> {
        self.places.get(code as usize).cloned().unwrap_or_default()
    }

    /// A property of a node by name; null where there is none.
    pub(crate) fn node_property(&self, node: NodeId, name: &str) -> ResultValue {
        let Some(table) = self.tables.get(self.kind_number(node) as usize) else { return ResultValue::Null };
        match table.columns.named(name) {
            Some(column) => column.get((node.0 - table.nodes.start) as usize),
            None => ResultValue::Null,
        }
    }

    /// Start and end of a relation.
    pub(crate) fn ends(&self, id: RelationId) -> Option<(NodeId, NodeId)> {
        let table = self.relations.get(id.of as usize)?;
        let from = table.forward.owner(id.index)?;
        let to = *table.forward.targets.get(id.index as usize)?;
        Some((NodeId(from), NodeId(to)))
    }
}

impl Table {
    /// The columns of the built-in properties, then the others.
    fn built_in_columns(&self, places: &Arc<Vec<Arc<str>>>) -> [(&'static str, Column); 4] {
        let text = |codes: &Vec<u32>| Column::full(Cells::Text { codes: codes.clone(), dictionary: places.clone() });
        [
            ("key", Column::full(Cells::PlainText(self.keys.to_vec()))),
            ("kind", Column::full(Cells::Same(ResultValue::String(self.kind.clone())))),
            ("account", text(&self.accounts)),
            ("region", text(&self.regions)),
        ]
    }
}

/// `Null` for a missing value.
pub(crate) fn value_of(found: ResultValue) -> Value {
    found.to_value()
}
