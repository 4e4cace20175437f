//! Facts in, graph out.

use std::hash::BuildHasher;
use std::ops::Range;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet, HashTable};
use nepho_model::{Timestamp, Value};

use super::adjacency::Adjacency;
use super::column::{Column, ColumnBuilder};
use super::source::Lazy;
use super::texts::Texts;
use super::{BUILT_IN, Graph, Mark, Pair, Places, RelationTable, Table};
use crate::schema::{PropertyType, Schema};
use crate::value::ResultValue;

/// A node while the graph is being built. Its [`super::NodeId`] is known when the graph is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeHandle(u32);

/// Collects nodes, relations and what could not be read.
pub struct GraphBuilder {
    schema: Schema,
    kinds: Vec<KindRows>,
    kind_index: HashMap<Arc<str>, usize>,
    /// Handle → (kind, row).
    nodes: Vec<(u32, u32)>,
    seen: HashTable<u32>,
    hasher: foldhash::fast::FixedState,
    relations: Vec<RelationRows>,
    relation_index: HashMap<Arc<str>, usize>,
    places: HashMap<Arc<str>, u32>,
    place_names: Vec<Arc<str>>,
    incomplete: Vec<(usize, Mark)>,
    removed: HashSet<u32>,
    clock: Timestamp,
}

struct KindRows {
    id: Arc<str>,
    labels: Vec<Arc<str>>,
    /// Whether the nodes have the built-in properties (nodes made by label alone do not).
    built_in: bool,
    keys: Texts,
    accounts: Vec<u32>,
    regions: Vec<u32>,
    columns: ColumnSet,
}

#[derive(Default)]
struct RelationRows {
    name: Arc<str>,
    edges: Vec<(u32, u32)>,
    columns: ColumnSet,
    unknown: HashSet<u32>,
}

#[derive(Default)]
struct ColumnSet {
    names: Vec<Arc<str>>,
    builders: Vec<ColumnBuilder>,
    index: HashMap<Arc<str>, usize>,
}

impl ColumnSet {
    fn declare(&mut self, name: &Arc<str>, of: Option<PropertyType>) -> usize {
        match self.index.entry_ref(name) {
            hashbrown::hash_map::EntryRef::Occupied(entry) => *entry.get(),
            hashbrown::hash_map::EntryRef::Vacant(entry) => {
                self.names.push(name.clone());
                self.builders.push(ColumnBuilder::new(of));
                *entry.insert(self.builders.len() - 1)
            }
        }
    }

    /// Sets a value; `guess` is where the property probably is.
    fn set(&mut self, guess: usize, name: &Arc<str>, row: usize, value: &Value) {
        let column = match self.names.get(guess) {
            Some(known) if known == name => guess,
            _ => self.declare(name, None),
        };
        if let Some(builder) = self.builders.get_mut(column) {
            builder.set(row, value);
        }
    }

    fn set_any(&mut self, guess: usize, name: &Arc<str>, row: usize, value: &ResultValue) {
        let column = match self.names.get(guess) {
            Some(known) if known == name => guess,
            _ => self.declare(name, None),
        };
        if let Some(builder) = self.builders.get_mut(column) {
            builder.set_any(row, value);
        }
    }

    fn finish(self, length: usize, order: &[u32]) -> impl Iterator<Item = (Arc<str>, Lazy<Arc<Column>>)> {
        let column = move |builder: ColumnBuilder| Arc::new(builder.finish(length).reordered(order)).into();
        self.names.into_iter().zip(self.builders.into_iter().map(column))
    }
}

impl GraphBuilder {
    /// An empty graph of this schema.
    pub fn new(schema: Schema) -> Self {
        let mut builder = Self {
            kinds: Vec::new(),
            kind_index: HashMap::new(),
            nodes: Vec::new(),
            seen: HashTable::new(),
            hasher: foldhash::fast::FixedState::default(),
            relations: Vec::new(),
            relation_index: HashMap::new(),
            places: HashMap::new(),
            place_names: Vec::new(),
            incomplete: Vec::new(),
            removed: HashSet::new(),
            clock: Timestamp::default(),
            schema: Schema::open(),
        };
        for kind in schema.kinds() {
            let index = builder.kind(&kind.id, &kind.labels, true);
            if let Some(rows) = builder.kinds.get_mut(index) {
                for (name, of) in &kind.properties {
                    rows.columns.declare(name, Some(*of));
                }
            }
        }
        for relation in schema.relations() {
            let index = builder.relation(&relation.name);
            if let Some(rows) = builder.relations.get_mut(index) {
                for (name, of) in &relation.properties {
                    rows.columns.declare(name, Some(*of));
                }
            }
        }
        builder.schema = schema;
        builder
    }

    fn kind(&mut self, id: &str, labels: &[Arc<str>], built_in: bool) -> usize {
        if let Some(index) = self.kind_index.get(id) {
            return *index;
        }
        let id: Arc<str> = id.into();
        let mut columns = ColumnSet::default();
        if built_in {
            columns.declare(&"name".into(), Some(PropertyType::String));
            columns.declare(&"tags".into(), Some(PropertyType::Json));
        }
        self.kind_index.insert(id.clone(), self.kinds.len());
        self.kinds.push(KindRows {
            id,
            labels: labels.to_vec(),
            built_in,
            keys: Texts::default(),
            accounts: Vec::new(),
            regions: Vec::new(),
            columns,
        });
        self.kinds.len() - 1
    }

    fn relation(&mut self, name: &str) -> usize {
        if let Some(index) = self.relation_index.get(name) {
            return *index;
        }
        let name: Arc<str> = name.into();
        self.relation_index.insert(name.clone(), self.relations.len());
        self.relations.push(RelationRows { name, ..RelationRows::default() });
        self.relations.len() - 1
    }

    fn place(&mut self, name: &str) -> u32 {
        if let Some(code) = self.places.get(name) {
            return *code;
        }
        let name: Arc<str> = name.into();
        self.places.insert(name.clone(), self.place_names.len() as u32);
        self.place_names.push(name);
        self.place_names.len() as u32 - 1
    }

    /// How many nodes were added.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Takes a node out again. It must have no relations.
    pub fn remove(&mut self, node: NodeHandle) {
        self.removed.insert(node.0);
    }

    /// Adds a resource. A second one of the same kind, key and account adds nothing and gives the first one's handle.
    /// A property left out is null.
    #[expect(clippy::too_many_arguments, reason = "the fields of a resource, each once")]
    pub fn add_node(
        &mut self,
        kind: &str,
        key: impl AsRef<str>,
        account: &str,
        region: &str,
        name: Value,
        tags: Value,
        properties: Vec<(Arc<str>, Value)>,
    ) -> NodeHandle {
        let index = match self.kind_index.get(kind) {
            Some(index) => *index,
            None => self.kind(kind, &[nepho_model::label_of_kind(kind).into()], true),
        };
        let (account, region) = (self.place(account), self.place(region));
        let (handle, row) = match self.row(index, key.as_ref(), account, region) {
            Ok(new) => new,
            Err(known) => return known,
        };
        if let Some(kind) = self.kinds.get_mut(index) {
            kind.columns.set(0, &"name".into(), row, &name);
            kind.columns.set(1, &"tags".into(), row, &tags);
            for (position, (name, value)) in properties.iter().enumerate() {
                kind.columns.set(position + 2, name, row, value);
            }
        }
        handle
    }

    /// Adds a node of any labels, without account, region and the other built-in properties: for ad-hoc graphs.
    pub fn add_labelled_node(&mut self, labels: &[&str], key: &str, properties: Vec<(Arc<str>, Value)>) -> NodeHandle {
        let properties: Vec<_> =
            properties.iter().map(|(name, value)| (name.clone(), ResultValue::from(value))).collect();
        self.add_labelled(labels, key, &properties)
    }

    pub(crate) fn add_labelled(
        &mut self,
        labels: &[&str],
        key: &str,
        properties: &[(Arc<str>, ResultValue)],
    ) -> NodeHandle {
        let mut sorted: Vec<Arc<str>> = labels.iter().map(|label| Arc::from(*label)).collect();
        sorted.sort();
        sorted.dedup();
        let id = format!(":{}", sorted.join(":"));
        let index = self.kind(&id, &sorted, false);
        let none = self.place("");
        let (handle, row) = match self.row(index, key, none, none) {
            Ok(new) => new,
            Err(known) => return known,
        };
        if let Some(kind) = self.kinds.get_mut(index) {
            for (position, (name, value)) in properties.iter().enumerate() {
                kind.columns.set_any(position, name, row, value);
            }
        }
        handle
    }

    /// A new row, or the handle of the one that is there.
    fn row(&mut self, kind: usize, key: &str, account: u32, region: u32) -> Result<(NodeHandle, usize), NodeHandle> {
        let Self { kinds, nodes, seen, hasher, .. } = self;
        let hash = |kind: u32, key: &str| hasher.hash_one((kind, key));
        let of = |handle: u32| {
            let (kind, row) = nodes.get(handle as usize)?;
            let rows = kinds.get(*kind as usize)?;
            Some((*kind, rows.keys.get(*row as usize)?, *rows.accounts.get(*row as usize)?))
        };
        if let Some(known) = seen.find(hash(kind as u32, key), |handle| {
            of(*handle).is_some_and(|(of, known, at)| of == kind as u32 && known == key && at == account)
        }) {
            return Err(NodeHandle(*known));
        }
        let handle = nodes.len() as u32;
        seen.insert_unique(hash(kind as u32, key), handle, |handle| {
            of(*handle).map_or(0, |(kind, key, _)| hash(kind, key))
        });
        let row = kinds.get(kind).map_or(0, |kind| kind.keys.len());
        nodes.push((kind as u32, row as u32));
        if let Some(kind) = kinds.get_mut(kind) {
            kind.keys.push(key);
            kind.accounts.push(account);
            kind.regions.push(region);
        }
        Ok((NodeHandle(handle), row))
    }

    /// The node of this kind and key, when it was added.
    pub fn find(&self, kind: &str, key: &str) -> Option<NodeHandle> {
        let kind = *self.kind_index.get(kind)? as u32;
        let found = self.seen.find(self.hasher.hash_one((kind, key)), |handle| {
            self.nodes.get(*handle as usize).is_some_and(|(of, row)| {
                *of == kind
                    && self
                        .kinds
                        .get(kind as usize)
                        .and_then(|rows| rows.keys.get(*row as usize))
                        .is_some_and(|known| known == key)
            })
        })?;
        Some(NodeHandle(*found))
    }

    /// Adds a relation.
    pub fn add_relation(
        &mut self,
        from: NodeHandle,
        relation: &str,
        to: NodeHandle,
        properties: Vec<(Arc<str>, Value)>,
    ) {
        let index = self.relation(relation);
        let count = self.nodes.len() as u32;
        if let Some(rows) = self.relations.get_mut(index)
            && from.0 < count
            && to.0 < count
        {
            for (position, (name, value)) in properties.iter().enumerate() {
                rows.columns.set(position, name, rows.edges.len(), value);
            }
            rows.edges.push((from.0, to.0));
        }
    }

    pub(crate) fn add_relation_values(
        &mut self,
        from: NodeHandle,
        relation: &str,
        to: NodeHandle,
        properties: &[(Arc<str>, ResultValue)],
    ) {
        let index = self.relation(relation);
        if let Some(rows) = self.relations.get_mut(index) {
            for (position, (name, value)) in properties.iter().enumerate() {
                rows.columns.set_any(position, name, rows.edges.len(), value);
            }
            rows.edges.push((from.0, to.0));
        }
    }

    /// The node's relations of this type could not be read.
    pub fn mark_unknown_relation(&mut self, node: NodeHandle, relation: &str) {
        let index = self.relation(relation);
        if let Some(rows) = self.relations.get_mut(index) {
            rows.unknown.insert(node.0);
        }
    }

    /// The kind was not completely listed there. An empty account means all accounts; region `global` or empty means
    /// all regions.
    pub fn mark_incomplete(&mut self, kind: &str, account: &str, region: &str) {
        let index = match self.kind_index.get(kind) {
            Some(index) => *index,
            None => self.kind(kind, &[nepho_model::label_of_kind(kind).into()], true),
        };
        let account = (!account.is_empty()).then(|| self.place(account));
        let region = (!region.is_empty() && region != "global").then(|| self.place(region));
        self.incomplete.push((index, Mark { account, region }));
    }

    /// The time that `age_days` counts from.
    pub fn set_clock(&mut self, clock: Timestamp) {
        self.clock = clock;
    }

    /// The graph.
    pub fn finish(self) -> Graph {
        let Self { schema, kinds, nodes, relations, place_names, incomplete, removed, clock, .. } = self;
        let gone: HashSet<(u32, u32)> =
            removed.iter().filter_map(|handle| nodes.get(*handle as usize)).copied().collect();
        let place_names = Arc::new(place_names);
        let mut kind_order: Vec<usize> = (0..kinds.len()).collect();
        kind_order.sort_by(|left, right| kinds[*left].id.cmp(&kinds[*right].id));
        let mut kind_number = vec![0u32; kinds.len()];
        kind_order.iter().enumerate().for_each(|(number, at)| kind_number[*at] = number as u32);

        // Rows by key, and where each row went.
        let mut row_of: Vec<Vec<u32>> = vec![Vec::new(); kinds.len()];
        let mut tables = Vec::with_capacity(kinds.len());
        let mut count = 0;
        let mut numbered: Vec<_> = kinds.into_iter().enumerate().collect();
        numbered.sort_by_key(|(at, _)| kind_number[*at]);
        for (at, rows) in numbered {
            let mut order: Vec<u32> =
                (0..rows.keys.len() as u32).filter(|row| !gone.contains(&(at as u32, *row))).collect();
            let sorting = |row: u32| (rows.keys.get(row as usize), &place_names[rows.accounts[row as usize] as usize]);
            order.sort_by(|left, right| sorting(*left).cmp(&sorting(*right)));
            row_of[at] = vec![0; rows.keys.len()];
            order.iter().enumerate().for_each(|(row, from)| row_of[at][*from as usize] = count + row as u32);
            let table = rows.finish(&order, count, &place_names);
            count = table.nodes.end;
            tables.push(table);
        }
        let id_of = |handle: u32| {
            nodes
                .get(handle as usize)
                .and_then(|(kind, row)| row_of.get(*kind as usize)?.get(*row as usize))
                .copied()
                .unwrap_or(0)
        };
        let ranges: Arc<Vec<_>> = Arc::new(tables.iter().map(|table| table.nodes.clone()).collect());
        let relations = relations.into_iter().map(|rows| rows.finish(&id_of, &ranges)).collect();
        let mut marks: HashMap<u32, Vec<Mark>> = HashMap::new();
        for (kind, mark) in incomplete {
            marks.entry(kind_number[kind]).or_default().push(mark);
        }
        Graph::new(tables, relations, marks, place_names, clock, &schema, None)
    }
}

impl KindRows {
    fn finish(self, order: &[u32], first: u32, places: &Arc<Vec<Arc<str>>>) -> Table {
        let pick = |codes: &[u32]| Arc::new(order.iter().map(|from| codes[*from as usize]).collect::<Vec<_>>());
        let built_in = BUILT_IN.iter().filter(|_| self.built_in).map(|name| (Arc::from(*name), Lazy::unread()));
        Table {
            kind: self.id,
            labels: self.labels,
            nodes: first..first + order.len() as u32,
            built_in: self.built_in,
            keys: Arc::new(self.keys.reordered(order)).into(),
            places: Places { accounts: pick(&self.accounts), regions: pick(&self.regions) }.into(),
            place_names: places.clone(),
            columns: built_in.chain(self.columns.finish(self.keys.len(), order)).collect(),
            origin: None,
        }
    }
}

impl RelationRows {
    fn finish(self, id_of: &dyn Fn(u32) -> u32, kinds: &Arc<Vec<Range<u32>>>) -> RelationTable {
        let Self { name, edges, columns, unknown } = self;
        let length = edges.len();
        let mut sorted: Vec<(u32, u32, u32)> =
            edges.into_iter().enumerate().map(|(at, (from, to))| (id_of(from), id_of(to), at as u32)).collect();
        sorted.sort_unstable();
        let order: Vec<u32> = sorted.iter().map(|(.., from)| *from).collect();
        let from: Vec<u32> = sorted.iter().map(|(from, ..)| *from).collect();
        let to: Vec<u32> = sorted.iter().map(|(_, to, _)| *to).collect();
        drop(sorted);
        let mut unknown: Vec<u32> = unknown.iter().map(|handle| id_of(*handle)).collect();
        unknown.sort_unstable();
        RelationTable {
            name,
            count: length,
            pairs: pairs(&from, &to, kinds),
            forward: Adjacency::forward(&from, to, kinds).into(),
            backward: Lazy::unread(),
            kinds: kinds.clone(),
            columns: columns.finish(length, &order).collect(),
            origin: None,
            unknown,
            unknown_places: Lazy::unread(),
        }
    }
}

/// How many relations there are between which kinds; `from` is in ascending order.
fn pairs(from: &[u32], to: &[u32], kinds: &[Range<u32>]) -> Vec<Pair> {
    let mut pairs = Vec::new();
    let mut rest = 0;
    for (kind, range) in kinds.iter().enumerate() {
        let end = rest + from.get(rest..).unwrap_or_default().partition_point(|node| *node < range.end);
        let mut counts: HashMap<u32, u64> = HashMap::new();
        for target in to.get(rest..end).unwrap_or_default() {
            let of = kinds.partition_point(|range| range.end <= *target) as u32;
            *counts.entry(of).or_default() += 1;
        }
        let mut found: Vec<Pair> =
            counts.into_iter().map(|(to, count)| Pair { from: kind as u32, to, count }).collect();
        found.sort_unstable_by_key(|pair| pair.to);
        pairs.extend(found);
        rest = end;
    }
    pairs
}
