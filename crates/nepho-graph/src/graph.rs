//! The graph: nodes in one table per kind, relations as adjacency per type, and what could not be read.
//!
//! Immutable and shared by reference. Nodes are numbered by (kind, key), so that the same facts give the same numbers
//! in whatever order they arrived. Knows nothing of queries.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hashbrown::HashMap;
use nepho_model::{Timestamp, Value};

use crate::schema::Schema;
use crate::value::ResultValue;

pub(crate) mod adjacency;
mod builder;
pub(crate) mod column;
mod index;
pub(crate) mod parts;
pub(crate) mod source;
pub(crate) mod texts;
mod view;

pub use builder::{GraphBuilder, NodeHandle};
pub use view::{NodeRef, RelationRef};

use adjacency::Adjacency;
use column::{Cells, Column};
use index::Index;
use source::{Lazy, Reader};
use texts::Texts;

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

/// The built-in properties that every resource has beside `name` and `tags`, in the order of their columns.
const BUILT_IN: [&str; 4] = ["key", "kind", "account", "region"];

/// Columns with names, each read when it is first needed.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    pub names: Vec<Arc<str>>,
    pub by_name: HashMap<Arc<str>, u32>,
    columns: Vec<Lazy<Arc<Column>>>,
    indexes: Vec<Lazy<Index>>,
    /// How often a value was looked for in each.
    asked: Vec<AtomicU32>,
}

impl Columns {
    fn add(&mut self, name: Arc<str>, column: Lazy<Arc<Column>>) {
        if !self.by_name.contains_key(&name) {
            self.by_name.insert(name.clone(), self.columns.len() as u32);
            self.names.push(name);
            self.columns.push(column);
            self.indexes.push(Lazy::unread());
            self.asked.push(AtomicU32::new(0));
        }
    }
}

impl FromIterator<(Arc<str>, Lazy<Arc<Column>>)> for Columns {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Lazy<Arc<Column>>)>>(columns: I) -> Self {
        let mut all = Self::default();
        columns.into_iter().for_each(|(name, column)| all.add(name, column));
        all
    }
}

/// Where something unread is read from: a reader, and the number of the kind or relation type in it.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub reader: Arc<Reader>,
    pub number: usize,
}

/// Nodes of one kind.
#[derive(Debug)]
pub(crate) struct Table {
    pub kind: Arc<str>,
    pub labels: Vec<Arc<str>>,
    pub nodes: Range<u32>,
    /// Whether the nodes have the built-in properties (nodes made by label alone do not).
    pub built_in: bool,
    keys: Lazy<Arc<Texts>>,
    /// Account and region of each node: codes into `place_names`.
    places: Lazy<Places>,
    place_names: Arc<Vec<Arc<str>>>,
    /// The four of `BUILT_IN` where they are there, then the others.
    pub columns: Columns,
    origin: Option<Origin>,
}

/// Account and region of each node of a kind.
#[derive(Debug, Default)]
pub(crate) struct Places {
    pub accounts: Arc<Vec<u32>>,
    pub regions: Arc<Vec<u32>>,
}

impl Table {
    /// The keys, ascending.
    pub fn keys(&self) -> &Arc<Texts> {
        self.keys.get(|| match &self.origin {
            Some(Origin { reader, number }) => reader.or(reader.source.keys(*number), Arc::default),
            None => Arc::default(),
        })
    }

    /// Accounts and regions.
    pub fn places(&self) -> &Places {
        self.places.get(|| match &self.origin {
            Some(Origin { reader, number }) => {
                let (accounts, regions) = reader.or(reader.source.places(*number), Default::default);
                Places { accounts: Arc::new(accounts), regions: Arc::new(regions) }
            }
            None => Places::default(),
        })
    }

    /// The column of this number.
    #[inline]
    pub fn column(&self, index: usize) -> Option<&Column> {
        Some(self.columns.columns.get(index)?.get(|| self.read_column(index)))
    }

    /// The column of a property.
    pub fn column_named(&self, name: &str) -> Option<&Column> {
        self.columns.by_name.get(name).and_then(|index| self.column(*index as usize))
    }

    /// Every column, in order.
    pub fn each_column(&self) -> impl Iterator<Item = (&Arc<str>, &Column)> {
        self.columns.names.iter().enumerate().filter_map(|(index, name)| Some((name, self.column(index)?)))
    }

    /// Whether an index of a property pays: one value is looked for, and was before, so often that reading the column
    /// each time costs more.
    pub fn wants_index(&self, index: usize) -> bool {
        self.columns.asked.get(index).is_some_and(|asked| asked.fetch_add(1, Ordering::Relaxed) >= 3)
    }

    /// The nodes whose property may equal a value, ascending: those that do, and those of which it is not known.
    pub fn with_value(&self, index: usize, value: &ResultValue) -> Vec<u32> {
        let column = self.column(index).filter(|column| Index::is_for(column));
        let found = column
            .zip(self.columns.indexes.get(index))
            .and_then(|(column, of)| of.get(|| Index::new(column, self.nodes.len())).find(column, value));
        match found {
            Some(rows) => rows.into_iter().map(|row| self.nodes.start + row).collect(),
            None => self.nodes.clone().collect(),
        }
    }

    #[cold]
    fn read_column(&self, index: usize) -> Arc<Column> {
        let own = if self.built_in { index.checked_sub(BUILT_IN.len()) } else { Some(index) };
        let place = |codes: &Arc<Vec<u32>>| Cells::Text { codes: codes.clone(), dictionary: self.place_names.clone() };
        match (own, &self.origin) {
            (Some(own), Some(Origin { reader, number })) => {
                reader.or(reader.source.property(*number, own), || Column::unread(self.nodes.len()).into())
            }
            (Some(_), None) => Column::full(Cells::None).into(),
            (None, _) => Arc::new(Column::full(match BUILT_IN.get(index) {
                Some(&"key") => Cells::PlainText(self.keys().clone()),
                Some(&"kind") => Cells::Same(ResultValue::String(self.kind.clone())),
                Some(&"account") => place(&self.places().accounts),
                _ => place(&self.places().regions),
            })),
        }
    }

    /// The nodes with a key: several where accounts share it.
    pub fn with_key(&self, key: &str) -> impl Iterator<Item = u32> {
        let keys = self.keys();
        (keys.lower_bound(key)..keys.len())
            .take_while(move |row| keys.get(*row).is_some_and(|known| known == key))
            .map(|row| self.nodes.start + row as u32)
    }
}

/// Kind → distinct (account, region) of nodes whose relations could not be read.
type UnknownPlaces = HashMap<u32, Vec<(u32, u32)>>;

/// Relations of one type.
#[derive(Debug)]
pub(crate) struct RelationTable {
    pub name: Arc<str>,
    count: usize,
    forward: Lazy<Adjacency>,
    backward: Lazy<Adjacency>,
    /// The nodes of each kind.
    kinds: Arc<Vec<Range<u32>>>,
    pub columns: Columns,
    origin: Option<Origin>,
    /// Kinds at the start and at the end, and how many relations between them; by kinds.
    pub pairs: Vec<Pair>,
    /// Nodes whose relations of this type could not be read, ascending.
    pub unknown: Vec<u32>,
    /// Where such nodes are; read when first needed, since it takes the places of their kinds.
    unknown_places: Lazy<UnknownPlaces>,
}

impl RelationTable {
    /// How many relations there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Adjacency by start.
    #[inline]
    pub fn forward(&self) -> &Adjacency {
        self.forward.get(|| match &self.origin {
            Some(Origin { reader, number }) => {
                let (from, to) = reader.or(reader.source.ends(*number), Default::default);
                Adjacency::forward(&from, to, &self.kinds)
            }
            None => Adjacency::default(),
        })
    }

    /// Adjacency by end.
    #[inline]
    pub fn backward(&self) -> &Adjacency {
        self.backward.get(|| self.forward().reversed(&self.kinds))
    }

    /// The column of a property.
    pub fn column_named(&self, name: &str) -> Option<&Column> {
        self.column(*self.columns.by_name.get(name)? as usize)
    }

    /// Every column, in order.
    pub fn each_column(&self) -> impl Iterator<Item = (&Arc<str>, &Column)> {
        self.columns.names.iter().enumerate().filter_map(|(index, name)| Some((name, self.column(index)?)))
    }

    fn column(&self, index: usize) -> Option<&Column> {
        Some(self.columns.columns.get(index)?.get(|| match &self.origin {
            Some(Origin { reader, number }) => {
                reader.or(reader.source.relation_property(*number, index), || Column::unread(self.count).into())
            }
            None => Column::full(Cells::None).into(),
        }))
    }
}

/// How many relations of a type there are between two kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The number of the kind at the start.
    pub from: u32,
    /// The number of the kind at the end.
    pub to: u32,
    /// How many relations.
    pub count: u64,
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
    pub(crate) incomplete: HashMap<u32, Vec<Mark>>,
    /// Relation type → kinds at either end by the schema.
    pub(crate) declared_ends: DeclaredEnds,
    clock: Timestamp,
    /// Where it is read from, when it was not built here.
    reader: Option<Arc<Reader>>,
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Graph>();
};

impl Graph {
    /// Puts the pieces together; tables are in order of their kinds.
    fn new(
        tables: Vec<Table>,
        mut relations: Vec<RelationTable>,
        mut incomplete: HashMap<u32, Vec<Mark>>,
        places: Arc<Vec<Arc<str>>>,
        clock: Timestamp,
        schema: &Schema,
        reader: Option<Arc<Reader>>,
    ) -> Self {
        let mut kind_of = Vec::with_capacity(tables.last().map_or(0, |table| table.nodes.end as usize));
        let mut kinds_by_label: HashMap<Arc<str>, Vec<u32>> = HashMap::new();
        for (number, table) in tables.iter().enumerate() {
            kind_of.resize(table.nodes.end as usize, number as u32);
            for label in &table.labels {
                kinds_by_label.entry(label.clone()).or_default().push(number as u32);
            }
        }
        relations.sort_by(|left, right| left.name.cmp(&right.name));
        for marks in incomplete.values_mut() {
            marks.sort_unstable();
            marks.dedup();
        }
        let code = |name: &str| places.iter().position(|place| **place == *name).map(|code| code as u32);
        let mut graph = Self {
            kind_of,
            kinds_by_label,
            relation_index: relations.iter().enumerate().map(|(at, of)| (of.name.clone(), at as u32)).collect(),
            global: [code(""), code("global")],
            declared_ends: DeclaredEnds::new(),
            tables,
            relations,
            places,
            incomplete,
            clock,
            reader,
        };
        for relation in schema.relations() {
            let ends =
                relation.ends.iter().map(|(from, to)| (graph.kinds_named(from), graph.kinds_named(to))).collect();
            graph.declared_ends.insert(relation.name.clone(), ends);
        }
        graph
    }

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

    /// Whether a kind was listed completely everywhere.
    pub fn is_listed(&self, kind: &str) -> bool {
        let number = self.tables.binary_search_by(|table| (*table.kind).cmp(kind));
        number.is_ok_and(|number| !self.incomplete.contains_key(&(number as u32)))
    }

    /// The first node of a kind (by id) with a key: several have it where accounts share a resource.
    pub fn find(&self, kind: &str, key: &str) -> Option<NodeRef<'_>> {
        let table = self.tables.binary_search_by(|table| (*table.kind).cmp(kind)).ok()?;
        let id = self.tables.get(table)?.with_key(key).next()?;
        self.node(NodeId(id))
    }

    /// Every relation of a type, by where it starts.
    pub fn relations_of(&self, name: &str) -> impl Iterator<Item = (NodeId, NodeId)> + '_ {
        let table = self.relation_index.get(name).and_then(|of| self.relations.get(*of as usize));
        table.into_iter().flat_map(|table| {
            let forward = table.forward();
            let to = move |from: u32, positions: Range<usize>| {
                let ends = forward.targets.get(positions).unwrap_or_default();
                ends.iter().map(move |to| (NodeId(from), NodeId(*to)))
            };
            forward.rows().flat_map(move |(from, positions)| to(from, positions))
        })
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

    /// The nodes of kinds (by number), when only one of them has any.
    pub(crate) fn one_kind(&self, kinds: &[bool]) -> Option<Range<u32>> {
        let mut counting = self.tables.iter().zip(kinds).filter(|(table, counts)| **counts && !table.nodes.is_empty());
        let (table, _) = counting.next()?;
        counting.next().is_none().then(|| table.nodes.clone())
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
        self.tables.iter().find_map(|table| table.with_key(key).next()).and_then(|id| self.node(NodeId(id)))
    }

    /// What of the graph could not be read, when it is read from a [`crate::storage::Source`]: one sentence each. What
    /// is read later may add to it.
    pub fn faults(&self) -> Vec<String> {
        self.reader.as_ref().map(|reader| reader.faults()).unwrap_or_default()
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
        let places = table.places();
        Some((*places.accounts.get(row)?, *places.regions.get(row)?))
    }

    /// Whether a region code means no region.
    pub(crate) fn is_global(&self, region: u32) -> bool {
        self.global.contains(&Some(region))
    }

    /// Distinct (account, region) of the nodes of a kind whose relations of a type could not be read.
    pub(crate) fn unknown_places(&self, relation: u32, kind: u32) -> &[(u32, u32)] {
        let Some(table) = self.relations.get(relation as usize) else { return &[] };
        let places = table.unknown_places.get(|| {
            let mut places = UnknownPlaces::new();
            for node in &table.unknown {
                if let Some(place) = self.place(NodeId(*node)) {
                    places.entry(self.kind_number(NodeId(*node))).or_default().push(place);
                }
            }
            for of_kind in places.values_mut() {
                of_kind.sort_unstable();
                of_kind.dedup();
            }
            places
        });
        places.get(&kind).map(Vec::as_slice).unwrap_or_default()
    }

    /// The text of a place code.
    pub(crate) fn place_name(&self, code: u32) -> Arc<str> {
        self.places.get(code as usize).cloned().unwrap_or_default()
    }

    /// A property of a node by name; null where there is none.
    pub(crate) fn node_property(&self, node: NodeId, name: &str) -> ResultValue {
        let Some(table) = self.tables.get(self.kind_number(node) as usize) else { return ResultValue::Null };
        match table.column_named(name) {
            Some(column) => column.get((node.0 - table.nodes.start) as usize),
            None => ResultValue::Null,
        }
    }

    /// Start and end of a relation.
    pub(crate) fn ends(&self, id: RelationId) -> Option<(NodeId, NodeId)> {
        let table = self.relations.get(id.of as usize)?;
        let from = table.forward().owner(id.index)?;
        let to = *table.forward().targets.get(id.index as usize)?;
        Some((NodeId(from), NodeId(to)))
    }
}

/// `Null` for a missing value.
pub(crate) fn value_of(found: ResultValue) -> Value {
    found.to_value()
}
