//! Links by the names that providers use, looked up among the resources.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use nepho_catalog::Catalog;
use nepho_model::{Direction, Link};

use crate::builder::Row;

/// From row, relation type, to row.
pub(crate) type Edge = (u32, Arc<str>, u32);

/// The links of all rows, as they are looked up.
pub(crate) struct Links<'a> {
    rows: &'a [Row],
    /// (number of the kind, id, row), in order.
    index: Vec<(u32, &'a str, u32)>,
    /// Kind or class label → numbers of kinds.
    kinds: HashMap<&'a str, Vec<u32>>,
    relations: Vec<Arc<str>>,
    edges: Vec<(u32, u32, u32)>,
    dangling: BTreeMap<Arc<str>, u64>,
}

impl<'a> Links<'a> {
    /// Indexes the rows by their keys, names and ids.
    pub fn new(catalog: &'a Catalog, rows: &'a [Row]) -> Self {
        let mut kinds: HashMap<&str, Vec<u32>> = HashMap::new();
        for (number, kind) in (0..).zip(catalog.kinds.values()) {
            kinds.entry(kind.id.as_ref()).or_default().push(number);
            // A class label stands for every kind that carries it.
            kind.classes.iter().for_each(|class| kinds.entry(class.as_ref()).or_default().push(number));
        }
        let mut index = Vec::with_capacity(rows.len().saturating_mul(2));
        for (at, row) in (0..).zip(rows) {
            let Some(number) = kinds.get(row.kind.as_ref()).and_then(|numbers| numbers.first()) else { continue };
            let ids = row.ids.iter().chain(&row.name).chain([&row.key]);
            index.extend(ids.map(|id| (*number, id.as_ref(), at)));
        }
        index.sort_unstable();
        index.dedup();
        Self { rows, index, kinds, relations: Vec::new(), edges: Vec::new(), dangling: BTreeMap::new() }
    }

    /// Adds an edge.
    pub fn add(&mut self, from: u32, relation: &str, to: u32) {
        // There are a few dozen relation types.
        let known = self.relations.iter().position(|known| known.as_ref() == relation);
        let number = known.unwrap_or_else(|| {
            self.relations.push(relation.into());
            self.relations.len().saturating_sub(1)
        });
        self.edges.push((from, u32::try_from(number).unwrap_or(u32::MAX), to));
    }

    /// Adds an edge to (or from) each resource that the link of row `at` names.
    pub fn look_up(&mut self, at: u32, link: &Link) {
        let ends = self.resolve(at, &link.kinds, &link.target);
        if ends.is_empty() {
            *self.dangling.entry(link.relation.clone()).or_default() += 1;
        }
        for end in ends {
            match link.direction {
                Direction::Out => self.add(at, &link.relation, end),
                Direction::In => self.add(end, &link.relation, at),
            }
        }
    }

    /// The edges, each once, and how many links of each type named nothing.
    pub fn finish(mut self) -> (impl Iterator<Item = Edge>, BTreeMap<Arc<str>, u64>) {
        self.edges.sort_unstable();
        self.edges.dedup();
        let relations = self.relations;
        let edges = self
            .edges
            .into_iter()
            .filter_map(move |(from, relation, to)| Some((from, relations.get(relation as usize)?.clone(), to)));
        (edges, self.dangling)
    }

    fn named(&self, kind: u32, id: &str) -> impl Iterator<Item = u32> {
        let start = self.index.partition_point(|(of, known, _)| (*of, *known) < (kind, id));
        let rest = self.index.get(start..).unwrap_or_default();
        rest.iter().take_while(move |(of, known, _)| *of == kind && *known == id).map(|(_, _, row)| *row)
    }

    /// The resources that `target` names, nearest first: the same account and region, the same account, anywhere. Only
    /// the nearest ring counts; an ARN or another globally unique key is found wherever it is.
    fn resolve(&self, from: u32, kinds: &[Arc<str>], target: &str) -> Vec<u32> {
        let Some(from) = self.rows.get(from as usize) else { return Vec::new() };
        let mut found: Vec<u32> = kinds
            .iter()
            .flat_map(|named| self.kinds.get(named.as_ref()).into_iter().flatten())
            .flat_map(|kind| self.named(*kind, target))
            .collect();
        if found.is_empty() {
            return found;
        }
        found.sort_unstable();
        found.dedup();
        let ring = |near: &dyn Fn(&Row) -> bool| -> Option<Vec<u32>> {
            let near: Vec<u32> =
                found.iter().copied().filter(|at| self.rows.get(*at as usize).is_some_and(near)).collect();
            (!near.is_empty()).then_some(near)
        };
        let here = |one: &Row| {
            one.account == from.account
                && (one.region == from.region || one.region.as_ref() == "global" || from.region.as_ref() == "global")
        };
        ring(&|one| one.key.as_ref() == target && one.account == from.account)
            .or_else(|| ring(&|one| one.key.as_ref() == target))
            .or_else(|| ring(&here))
            .or_else(|| ring(&|one| one.account == from.account))
            .unwrap_or_else(|| {
                // In another account a bare name says nothing; an identifier that the provider makes up does.
                let unique = target.starts_with("arn:") || target.chars().any(|character| character.is_ascii_digit());
                if unique { found.clone() } else { Vec::new() }
            })
    }
}
