//! Relations of both snapshots side by side: both are in order of start and end, and so is what both together make.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use hashbrown::HashSet;
use nepho_graph::storage::Source as _;

use super::resources::{Half, Matched, each_column, same_file};
use super::{ChangedRelation, Diff, PropertyChange, Relation, Resource, Side};
use crate::manifest::{Manifest, RelationEntry};

/// Nodes at which relations start and end, and the ranks of both in both snapshots together.
type Ends = (Vec<u32>, Vec<u32>, Vec<(u64, u64)>);

/// Relations added, removed and changed.
pub(crate) fn compare(matched: &mut Matched<'_>, diff: &mut Diff) {
    let mut names: BTreeMap<&str, (Option<usize>, Option<usize>)> = BTreeMap::new();
    let (old, new) = (matched.old.manifest, matched.new.manifest);
    for (number, relation) in old.relations.iter().enumerate() {
        names.entry(&relation.name).or_default().0 = Some(number);
    }
    for (number, relation) in new.relations.iter().enumerate() {
        names.entry(&relation.name).or_default().1 = Some(number);
    }
    for (name, (old, new)) in names {
        if let Err(fault) = compare_one(matched, name, old, new, diff) {
            diff.faults.push(fault);
        }
    }
}

fn entry(manifest: &Manifest, number: Option<usize>) -> Option<&RelationEntry> {
    manifest.relations.get(number?)
}

fn compare_one(
    matched: &mut Matched<'_>,
    name: &str,
    old: Option<usize>,
    new: Option<usize>,
    diff: &mut Diff,
) -> Result<(), String> {
    let (before, after) = (entry(matched.old.manifest, old), entry(matched.new.manifest, new));
    let kinds: BTreeSet<&str> = [before, after]
        .into_iter()
        .flatten()
        .flat_map(|relation| &relation.pairs)
        .flat_map(|pair| [pair.from.as_str(), pair.to.as_str()])
        .collect();
    let of = || matched.kinds.iter().filter(|kind| kinds.contains(&*kind.name));
    let file = |entry: Option<&RelationEntry>| entry.and_then(|entry| entry.file.clone());
    let columns = |entry: Option<&RelationEntry>| entry.map(|entry| entry.columns.clone()).unwrap_or_default();
    let (old_columns, new_columns) = (columns(before), columns(after));
    let same = same_file(file(before).as_ref(), file(after).as_ref()) && old_columns == new_columns;
    // With the same rows at both ends, the same file says the same.
    if same && of().all(|kind| kind.same_rows) {
        return Ok(());
    }
    if let Some(kind) = of().find(|kind| !kind.readable) {
        return Err(format!("relations `{name}` are not compared, since `{}` could not be read", kind.name));
    }
    let (old_ranks, new_ranks) = (ranks(matched, Side::Earlier), ranks(matched, Side::Later));
    let read = |half: &Half<'_>, number: Option<usize>, ranks: &[u64]| -> Result<Ends, String> {
        let (from, to) = number.map(|number| half.source.ends(number)).transpose()?.unwrap_or_default();
        let rank = |node: &u32| ranks.get(*node as usize).copied().unwrap_or(u64::MAX);
        let ends = from.iter().zip(&to).map(|(from, to)| (rank(from), rank(to))).collect();
        Ok((from, to, ends))
    };
    let (old_from, old_to, old_ends) = read(&matched.old, old, &old_ranks)?;
    let (new_from, new_to, new_ends) = read(&matched.new, new, &new_ranks)?;
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    let mut lone: Vec<(Side, usize)> = Vec::new();
    let (mut left, mut right) = (0, 0);
    while left < old_ends.len() || right < new_ends.len() {
        let order = match (old_ends.get(left), new_ends.get(right)) {
            (Some(left), Some(right)) => left.cmp(right),
            (Some(_), None) => Ordering::Less,
            _ => Ordering::Greater,
        };
        match order {
            Ordering::Less => lone.push((Side::Earlier, left)),
            Ordering::Greater => lone.push((Side::Later, right)),
            Ordering::Equal => pairs.push((left, right)),
        }
        left += usize::from(order.is_le());
        right += usize::from(order.is_ge());
    }
    let unread = if lone.is_empty() { HashSet::new() } else { unread(matched, name)? };
    for (side, at) in lone {
        let (from, to) = match side {
            Side::Earlier => (old_from.get(at), old_to.get(at)),
            Side::Later => (new_from.get(at), new_to.get(at)),
        };
        if let Some((relation, known)) = relation(matched, name, side, from.copied(), to.copied())? {
            let known = known && ![&relation.from, &relation.to].iter().any(|end| unread.contains(&identity(end)));
            diff.relations.push(side, known, relation);
        }
    }
    let mut changes: BTreeMap<(usize, usize), Vec<PropertyChange>> = BTreeMap::new();
    let column = |side: Side, column: usize| match side {
        Side::Earlier => matched.old.source.relation_property(old.unwrap_or(usize::MAX), column),
        Side::Later => matched.new.source.relation_property(new.unwrap_or(usize::MAX), column),
    };
    each_column(&old_columns, &new_columns, column, diff, |name, sides| {
        for (old, new) in pairs.iter().filter(|(old, new)| sides.differ(*old, *new)) {
            let (was, is) = sides.shown(*old, *new);
            changes.entry((*old, *new)).or_default().push(PropertyChange { name: name.clone(), old: was, new: is });
        }
    });
    for ((_, at), properties) in changes {
        let (from, to) = (new_from.get(at).copied(), new_to.get(at).copied());
        if let Some((relation, _)) = relation(matched, name, Side::Later, from, to)? {
            diff.relations.changed.push(ChangedRelation { relation, properties });
        }
    }
    Ok(())
}

/// Where each node of a side comes in the order of both.
fn ranks(matched: &Matched<'_>, side: Side) -> Vec<u64> {
    let mut all = Vec::new();
    let mut first = 0u64;
    for kind in &matched.kinds {
        let (half, number, ranks) = match side {
            Side::Earlier => (&matched.old, kind.old, &kind.old_ranks),
            Side::Later => (&matched.new, kind.new, &kind.new_ranks),
        };
        let rows = half.kind(number).map_or(0, |kind| kind.rows);
        match ranks.is_empty() {
            true => all.extend((0..rows).map(|row| first + row)),
            false => all.extend(ranks.iter().map(|rank| first + u64::from(*rank))),
        }
        first += u64::from(kind.ranks).max(rows);
    }
    all
}

/// The relation, and whether both its ends are known on both sides.
fn relation(
    matched: &mut Matched<'_>,
    name: &str,
    side: Side,
    from: Option<u32>,
    to: Option<u32>,
) -> Result<Option<(Relation, bool)>, String> {
    let mut end = |node: Option<u32>| {
        let half = match side {
            Side::Earlier => &matched.old,
            Side::Later => &matched.new,
        };
        let Some(node) = node else { return Ok(None) };
        let kind = half.first.partition_point(|first| *first <= node).saturating_sub(1);
        let row = node - half.first.get(kind).copied().unwrap_or(0);
        matched.resource(side, kind, row as usize)
    };
    let (Some(from), Some(to)) = (end(from)?, end(to)?) else { return Ok(None) };
    let known = matched.is_known(&from) && matched.is_known(&to);
    Ok(Some((Relation { name: name.into(), from, to }, known)))
}

/// Kind, key and account.
type Identity = (Arc<str>, Arc<str>, Arc<str>);

fn identity(resource: &Resource) -> Identity {
    (resource.kind.clone(), resource.key.clone(), resource.account.clone())
}

/// Resources whose relations of this type could not be read in either snapshot.
fn unread(matched: &mut Matched<'_>, name: &str) -> Result<HashSet<Identity>, String> {
    let mut runs: Vec<(Side, usize, Range<u32>)> = Vec::new();
    for (side, half) in [(Side::Earlier, &matched.old), (Side::Later, &matched.new)] {
        let entries = half.manifest.relations.iter().filter(|entry| entry.name == name);
        for unread in entries.flat_map(|entry| &entry.unread) {
            if let Some(kind) = half.manifest.kinds.iter().position(|kind| kind.kind == unread.kind) {
                runs.extend(unread.rows.iter().map(|(first, length)| (side, kind, *first..first + length)));
            }
        }
    }
    let mut found = HashSet::new();
    for (side, kind, rows) in runs {
        for row in rows {
            found.extend(matched.resource(side, kind, row as usize)?.as_ref().map(identity));
        }
    }
    Ok(found)
}
