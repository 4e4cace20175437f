//! A graph in its pieces: for writing it down, and for reading it back as it is needed.

use std::ops::Range;
use std::sync::Arc;

use hashbrown::HashMap;
use nepho_model::Timestamp;

use super::column::Column;
use super::source::{Lazy, Reader, Source};
use super::texts::Texts;
use super::{BUILT_IN, Graph, Mark, Origin, Pair, RelationTable, Table};
use crate::schema::Schema;

/// What is known of a graph before any of its columns is read.
#[derive(Clone, Debug, Default)]
pub struct GraphParts {
    /// The time that `age_days` counts from.
    pub clock: Timestamp,
    /// Accounts and regions, by the numbers that [`Source::places`] gives.
    pub places: Vec<Arc<str>>,
    /// In ascending order of their kind ids.
    pub kinds: Vec<KindPart>,
    /// In ascending order of their names.
    pub relations: Vec<RelationPart>,
}

/// One kind.
#[derive(Clone, Debug, Default)]
pub struct KindPart {
    /// The id, `aws.s3.bucket`.
    pub kind: Arc<str>,
    /// The kind label, then the class labels.
    pub labels: Vec<Arc<str>>,
    /// Whether the nodes have account, region and the other built-in properties.
    pub built_in: bool,
    /// How many nodes there are.
    pub rows: u32,
    /// Names of the properties, without key, kind, account and region.
    pub columns: Vec<Arc<str>>,
    /// Where the kind was not completely listed.
    pub incomplete: Vec<Place>,
}

/// Account and region; `None` for all.
pub type Place = (Option<Arc<str>>, Option<Arc<str>>);

/// One relation type.
#[derive(Clone, Debug, Default)]
pub struct RelationPart {
    /// The type, `ATTACHED_TO`.
    pub name: Arc<str>,
    /// How many relations there are between which kinds (numbers in [`GraphParts::kinds`]).
    pub pairs: Vec<Pair>,
    /// Names of the properties.
    pub columns: Vec<Arc<str>>,
    /// Nodes whose relations of this type could not be read: number of the kind, row in it.
    pub unknown: Vec<(u32, u32)>,
}

/// The nodes of one kind, for writing them down.
#[derive(Clone, Copy, Debug)]
pub struct KindView<'g> {
    graph: &'g Graph,
    number: usize,
    table: &'g Table,
}

impl<'g> KindView<'g> {
    /// All that is known without the columns.
    pub fn part(&self) -> KindPart {
        let table = self.table;
        let place = |code: u32| self.graph.place_name(code);
        let marks = self.graph.incomplete.get(&(self.number as u32)).map(Vec::as_slice).unwrap_or_default();
        KindPart {
            kind: table.kind.clone(),
            labels: table.labels.clone(),
            built_in: table.built_in,
            rows: table.nodes.len() as u32,
            columns: self.columns().map(|(name, _)| name.clone()).collect(),
            incomplete: marks.iter().map(|mark| (mark.account.map(place), mark.region.map(place))).collect(),
        }
    }

    /// Its nodes.
    pub fn nodes(&self) -> Range<u32> {
        self.table.nodes.clone()
    }

    /// The keys, ascending.
    pub fn keys(&self) -> &'g Texts {
        self.table.keys()
    }

    /// Account of each node, as numbers of [`Graph::place_names`].
    pub fn accounts(&self) -> &'g [u32] {
        &self.table.places().accounts
    }

    /// Region of each node, as numbers of [`Graph::place_names`].
    pub fn regions(&self) -> &'g [u32] {
        &self.table.places().regions
    }

    /// Properties, without key, kind, account and region.
    pub fn columns(&self) -> impl Iterator<Item = (&'g Arc<str>, &'g Column)> + use<'g> {
        self.table.each_column().skip(if self.table.built_in { BUILT_IN.len() } else { 0 })
    }
}

/// The relations of one type, for writing them down.
#[derive(Clone, Copy, Debug)]
pub struct RelationView<'g> {
    graph: &'g Graph,
    table: &'g RelationTable,
}

impl<'g> RelationView<'g> {
    /// All that is known without the columns.
    pub fn part(&self) -> RelationPart {
        let place = |node: &u32| {
            let kind = self.graph.kind_of.get(*node as usize)?;
            Some((*kind, node - self.graph.tables.get(*kind as usize)?.nodes.start))
        };
        RelationPart {
            name: self.table.name.clone(),
            pairs: self.table.pairs.clone(),
            columns: self.columns().map(|(name, _)| name.clone()).collect(),
            unknown: self.table.unknown.iter().filter_map(place).collect(),
        }
    }

    /// How many relations there are.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The nodes at which each relation starts and ends, ascending.
    pub fn ends(&self) -> impl Iterator<Item = (u32, u32)> + use<'g> {
        let forward = self.table.forward();
        forward.rows().flat_map(|(from, positions)| {
            forward.targets.get(positions).unwrap_or_default().iter().map(move |to| (from, *to))
        })
    }

    /// Properties.
    pub fn columns(&self) -> impl Iterator<Item = (&'g Arc<str>, &'g Column)> + use<'g> {
        self.table.each_column()
    }
}

impl Graph {
    /// A graph whose columns are read from `source` as they are needed. Kinds of the schema that the parts do not have
    /// count as not listed anywhere.
    pub fn from_parts(parts: GraphParts, schema: &Schema, source: Arc<dyn Source>) -> Self {
        let reader = Arc::new(Reader::new(source));
        let place_names = Arc::new(parts.places);
        let code = |name: &Arc<str>| place_names.iter().position(|known| known == name).map(|at| at as u32);
        // Numbers of kinds in the parts, and kinds that only the schema has.
        let known = parts.kinds.into_iter().enumerate().map(|(number, part)| (Some(number), part));
        let mut kinds: Vec<(Option<usize>, KindPart)> = known.collect();
        for kind in schema.kinds() {
            if !kinds.iter().any(|(_, part)| part.kind == kind.id) {
                let part = KindPart {
                    kind: kind.id.clone(),
                    labels: kind.labels.clone(),
                    built_in: true,
                    incomplete: vec![(None, None)],
                    ..KindPart::default()
                };
                kinds.push((None, part));
            }
        }
        kinds.sort_by(|(_, left), (_, right)| left.kind.cmp(&right.kind));
        let mut first = 0;
        let mut tables = Vec::with_capacity(kinds.len());
        let mut incomplete: HashMap<u32, Vec<Mark>> = HashMap::new();
        let mut numbers: HashMap<usize, u32> = HashMap::new();
        for (at, (number, part)) in kinds.into_iter().enumerate() {
            let at = at as u32;
            if let Some(number) = number {
                numbers.insert(number, at);
            }
            for (account, region) in &part.incomplete {
                let mark = Mark { account: account.as_ref().and_then(code), region: region.as_ref().and_then(code) };
                incomplete.entry(at).or_default().push(mark);
            }
            let built_in = BUILT_IN.iter().filter(|_| part.built_in).map(|name| Arc::from(*name));
            let nodes = first..first + part.rows;
            first = nodes.end;
            tables.push(Table {
                kind: part.kind,
                labels: part.labels,
                nodes,
                built_in: part.built_in,
                keys: Lazy::unread(),
                places: Lazy::unread(),
                place_names: place_names.clone(),
                columns: built_in.chain(part.columns).map(|name| (name, Lazy::unread())).collect(),
                origin: number.map(|number| Origin { reader: reader.clone(), number }),
            });
        }
        let ranges: Arc<Vec<_>> = Arc::new(tables.iter().map(|table| table.nodes.clone()).collect());
        let kind = |number: u32| numbers.get(&(number as usize)).copied();
        let relations = parts.relations.into_iter().enumerate().map(|(number, part)| {
            let pair = |pair: &Pair| Some(Pair { from: kind(pair.from)?, to: kind(pair.to)?, count: pair.count });
            let node = |(of, row): &(u32, u32)| Some(ranges.get(kind(*of)? as usize)?.start + row);
            let mut unknown: Vec<u32> = part.unknown.iter().filter_map(node).collect();
            unknown.sort_unstable();
            RelationTable {
                name: part.name,
                count: part.pairs.iter().map(|pair| pair.count as usize).sum(),
                forward: Lazy::unread(),
                backward: Lazy::unread(),
                kinds: ranges.clone(),
                columns: part.columns.into_iter().map(|name| (name, Lazy::unread())).collect(),
                origin: Some(Origin { reader: reader.clone(), number }),
                pairs: part.pairs.iter().filter_map(pair).collect(),
                unknown,
                unknown_places: Lazy::unread(),
            }
        });
        let relations = relations.collect();
        Self::new(tables, relations, incomplete, place_names, parts.clock, schema, Some(reader))
    }

    /// Reads all that is not read yet, for who would rather wait once. What could not be read is told by
    /// [`Graph::faults`].
    pub fn read_all(&self) {
        for table in &self.tables {
            table.keys();
            table.places();
            table.each_column().for_each(drop);
        }
        for relation in &self.relations {
            relation.backward();
            relation.each_column().for_each(drop);
        }
    }

    /// The kinds, by id.
    pub fn kind_views(&self) -> impl Iterator<Item = KindView<'_>> {
        self.tables.iter().enumerate().map(|(number, table)| KindView { graph: self, number, table })
    }

    /// The relation types, by name.
    pub fn relation_views(&self) -> impl Iterator<Item = RelationView<'_>> {
        self.relations.iter().map(|table| RelationView { graph: self, table })
    }

    /// Accounts and regions, by number.
    pub fn place_names(&self) -> &[Arc<str>] {
        &self.places
    }
}
