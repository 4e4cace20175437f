//! Nodes of both snapshots side by side.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use nepho_graph::storage::{Cells, Column, Source as _, Texts};

use super::cells::Sides;
use super::known::Known;
use super::{ChangedResource, Diff, PropertyChange, Resource, Side};
use crate::manifest::{ColumnEntry, FileEntry, KindEntry, Manifest};
use crate::read::{Snapshot, SnapshotSource};

/// No place in the other snapshot.
pub(crate) const NONE: u32 = u32::MAX;

/// One snapshot of the two.
pub(crate) struct Half<'s> {
    pub manifest: &'s Manifest,
    pub source: SnapshotSource,
    pub known: Known<'s>,
    /// By kind: keys, accounts and regions; read where they are needed.
    nodes: Vec<Option<Nodes>>,
    /// First node of each kind.
    pub first: Vec<u32>,
}

/// The nodes of a kind.
struct Nodes {
    keys: Arc<Texts>,
    accounts: Vec<u32>,
    regions: Vec<u32>,
}

/// A kind that is in either snapshot.
pub(crate) struct MatchedKind {
    pub name: Arc<str>,
    pub old: Option<usize>,
    pub new: Option<usize>,
    /// Whether both have the same file: then nothing is different, and rows are the same.
    pub same: bool,
    /// Whether the same resources are in the same rows.
    pub same_rows: bool,
    /// Whether it could be read.
    pub readable: bool,
    /// Old row → new row, and where each row of either comes in the order of both; empty where they are the same.
    pub new_of: Vec<u32>,
    pub old_ranks: Vec<u32>,
    pub new_ranks: Vec<u32>,
    /// How many nodes there are in both together.
    pub ranks: u32,
}

/// Both snapshots.
pub(crate) struct Matched<'s> {
    pub old: Half<'s>,
    pub new: Half<'s>,
    pub kinds: Vec<MatchedKind>,
}

impl<'s> Half<'s> {
    fn new(snapshot: &'s Snapshot) -> Self {
        let manifest = snapshot.manifest();
        let mut next = 0;
        let first = manifest.kinds.iter().map(|kind| {
            let first = next;
            next += kind.rows as u32;
            first
        });
        Self {
            first: first.collect(),
            manifest,
            source: snapshot.source(),
            known: Known::new(manifest),
            nodes: manifest.kinds.iter().map(|_| None).collect(),
        }
    }

    pub fn kind(&self, number: Option<usize>) -> Option<&'s KindEntry> {
        self.manifest.kinds.get(number?)
    }

    fn read(&mut self, kind: Option<usize>) -> Result<(), String> {
        let Some(kind) = kind else { return Ok(()) };
        if let Some(nodes) = self.nodes.get_mut(kind)
            && nodes.is_none()
        {
            let keys = self.source.keys(kind)?;
            let (accounts, regions) = self.source.places(kind)?;
            *nodes = Some(Nodes { keys, accounts, regions });
        }
        Ok(())
    }

    fn place(&self, code: Option<&u32>) -> &'s str {
        code.and_then(|code| self.manifest.places.get(*code as usize)).map_or("", String::as_str)
    }

    /// What nodes are in order of.
    fn identity(&self, kind: usize, row: usize) -> Option<(&str, &'s str)> {
        let nodes = self.nodes.get(kind)?.as_ref()?;
        Some((nodes.keys.get(row)?, self.place(nodes.accounts.get(row))))
    }

    /// The node in this row.
    pub fn resource(&self, kind: usize, row: usize) -> Option<Resource> {
        let nodes = self.nodes.get(kind)?.as_ref()?;
        Some(Resource {
            kind: self.manifest.kinds.get(kind)?.kind.as_str().into(),
            key: nodes.keys.get(row)?.into(),
            account: self.place(nodes.accounts.get(row)).into(),
            region: self.place(nodes.regions.get(row)).into(),
        })
    }

    fn rows(&self, kind: Option<usize>) -> usize {
        self.kind(kind).map_or(0, |kind| kind.rows as usize)
    }
}

/// Whether two files hold the same.
pub(crate) fn same_file(old: Option<&FileEntry>, new: Option<&FileEntry>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => (&old.sha256, old.bytes) == (&new.sha256, new.bytes),
        (None, None) => true,
        _ => false,
    }
}

impl<'s> Matched<'s> {
    pub fn new(old: &'s Snapshot, new: &'s Snapshot, faults: &mut Vec<String>) -> Self {
        let mut matched = Self { old: Half::new(old), new: Half::new(new), kinds: Vec::new() };
        let mut names: BTreeMap<&str, (Option<usize>, Option<usize>)> = BTreeMap::new();
        for (number, kind) in matched.old.manifest.kinds.iter().enumerate() {
            names.entry(&kind.kind).or_default().0 = Some(number);
        }
        for (number, kind) in matched.new.manifest.kinds.iter().enumerate() {
            names.entry(&kind.kind).or_default().1 = Some(number);
        }
        for (name, (old, new)) in names {
            let file = |half: &Half<'s>, number| half.kind(number).and_then(|kind| kind.file.as_ref());
            // The file does not say everything of a column; the manifest says the rest.
            let columns = |half: &Half<'s>, number| half.kind(number).map(|kind| &kind.columns);
            let same = same_file(file(&matched.old, old), file(&matched.new, new))
                && columns(&matched.old, old) == columns(&matched.new, new);
            let mut kind = MatchedKind {
                name: name.into(),
                old,
                new,
                same,
                same_rows: same,
                readable: true,
                new_of: Vec::new(),
                old_ranks: Vec::new(),
                new_ranks: Vec::new(),
                ranks: matched.old.rows(old) as u32,
            };
            if !same {
                let read = matched.old.read(old).and_then(|()| matched.new.read(new));
                match read {
                    Ok(()) => matched.merge(&mut kind),
                    Err(fault) => {
                        kind.readable = false;
                        faults.push(fault);
                    }
                }
            }
            matched.kinds.push(kind);
        }
        matched
    }

    /// Finds which rows are the same resource.
    fn merge(&self, kind: &mut MatchedKind) {
        let (olds, news) = (self.old.rows(kind.old), self.new.rows(kind.new));
        kind.new_of = vec![NONE; olds];
        kind.old_ranks = vec![0; olds];
        kind.new_ranks = vec![0; news];
        let (mut old, mut new, mut rank) = (0, 0, 0);
        while old < olds || new < news {
            let left = kind.old.filter(|_| old < olds).and_then(|kind| self.old.identity(kind, old));
            let right = kind.new.filter(|_| new < news).and_then(|kind| self.new.identity(kind, new));
            let order = match (left, right) {
                (Some(left), Some(right)) => left.cmp(&right),
                (Some(_), None) => Ordering::Less,
                _ => Ordering::Greater,
            };
            if order.is_eq() {
                set(&mut kind.new_of, old, new as u32);
            }
            if order.is_le() {
                set(&mut kind.old_ranks, old, rank);
                old += 1;
            }
            if order.is_ge() {
                set(&mut kind.new_ranks, new, rank);
                new += 1;
            }
            rank += 1;
        }
        kind.ranks = rank;
        kind.same_rows = olds == news && kind.new_of.iter().enumerate().all(|(old, new)| old == *new as usize);
    }

    /// Reads what nodes are called, also of a kind without differences: for relations of it.
    pub fn resource(&mut self, side: Side, kind: usize, row: usize) -> Result<Option<Resource>, String> {
        let half = match side {
            Side::Earlier => &mut self.old,
            Side::Later => &mut self.new,
        };
        half.read(Some(kind))?;
        Ok(half.resource(kind, row))
    }

    /// Whether a resource that is only on one side is known not to be on the other.
    pub fn is_known(&self, resource: &Resource) -> bool {
        self.old.known.completely(resource) && self.new.known.completely(resource)
    }
}

fn set(rows: &mut [u32], row: usize, value: u32) {
    if let Some(cell) = rows.get_mut(row) {
        *cell = value;
    }
}

/// Resources added, removed and changed.
pub(crate) fn compare(matched: &Matched<'_>, diff: &mut Diff) {
    for kind in matched.kinds.iter().filter(|kind| !kind.same && kind.readable) {
        let mut lone = |half: &Half<'_>, number: Option<usize>, row: usize, side: Side| {
            if let Some(resource) = number.and_then(|number| half.resource(number, row)) {
                let known = matched.is_known(&resource);
                diff.resources.push(side, known, resource);
            }
        };
        let mut pairs = Vec::new();
        let mut is_old = vec![false; kind.new_ranks.len()];
        for (old, new) in kind.new_of.iter().enumerate() {
            match is_old.get_mut(*new as usize) {
                Some(both) => {
                    *both = true;
                    pairs.push((old, *new as usize));
                }
                None => lone(&matched.old, kind.old, old, Side::Earlier),
            }
        }
        for (new, _) in is_old.iter().enumerate().filter(|(_, is_old)| !**is_old) {
            lone(&matched.new, kind.new, new, Side::Later);
        }
        if let (Some(old), Some(new)) = (kind.old, kind.new) {
            changed(matched, old, new, &pairs, diff);
        }
    }
}

fn changed(matched: &Matched<'_>, old: usize, new: usize, pairs: &[(usize, usize)], diff: &mut Diff) {
    let mut changes: BTreeMap<(usize, usize), Vec<PropertyChange>> = BTreeMap::new();
    let columns = |half: &Half<'_>, kind| half.kind(Some(kind)).map(|kind| kind.columns.clone()).unwrap_or_default();
    let read = |side: Side, column: usize| match side {
        Side::Earlier => matched.old.source.property(old, column),
        Side::Later => matched.new.source.property(new, column),
    };
    each_column(&columns(&matched.old, old), &columns(&matched.new, new), read, diff, |name, sides| {
        for (old, new) in pairs.iter().filter(|(old, new)| sides.differ(*old, *new)) {
            let (was, is) = sides.shown(*old, *new);
            changes.entry((*old, *new)).or_default().push(PropertyChange { name: name.clone(), old: was, new: is });
        }
    });
    // A resource may also move: its region is no property of the file's, and no part of what it is.
    for (row, other) in pairs {
        let (was, is) = (matched.old.resource(old, *row), matched.new.resource(new, *other));
        if let (Some(was), Some(is)) = (was, is)
            && was.region != is.region
        {
            let change =
                PropertyChange { name: "region".into(), old: (&*was.region).into(), new: (&*is.region).into() };
            changes.entry((*row, *other)).or_default().insert(0, change);
        }
    }
    for ((_, row), properties) in changes {
        if let Some(resource) = matched.new.resource(new, row) {
            diff.resources.changed.push(ChangedResource { resource, properties });
        }
    }
}

/// Goes through the properties of both sides, one column of each at a time. What one side does not have is absent there.
pub(crate) fn each_column(
    old: &[ColumnEntry],
    new: &[ColumnEntry],
    read: impl Fn(Side, usize) -> Result<Arc<Column>, String>,
    diff: &mut Diff,
    mut with: impl FnMut(&Arc<str>, &Sides),
) {
    let place = |columns: &[ColumnEntry], name: &str| columns.iter().position(|column| column.name == name);
    let only_new = new.iter().filter(|column| place(old, &column.name).is_none());
    for column in old.iter().chain(only_new) {
        let side = |side: Side, columns: &[ColumnEntry]| match place(columns, &column.name) {
            Some(at) => read(side, at),
            None => Ok(Arc::new(Column::full(Cells::None))),
        };
        match (side(Side::Earlier, old), side(Side::Later, new)) {
            (Ok(old), Ok(new)) => with(&column.name.as_str().into(), &Sides::new(old, new)),
            (old, new) => diff.faults.extend([old.err(), new.err()].into_iter().flatten()),
        }
    }
}
