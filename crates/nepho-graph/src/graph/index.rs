//! From a property's value to the nodes that have it. Made when it is first asked for.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::column::{Cells, Column};
use crate::value::ResultValue;

/// The rows of one column by value.
#[derive(Debug, Default)]
pub(crate) struct Index {
    rows: HashTable<u32>,
    hasher: RandomState,
    /// Rows whose value could not be read: it may be any.
    unknown: Vec<u32>,
}

/// Text and whole numbers; other types are equal to values of more than one form.
fn hash(cell: &Cells, row: usize, hasher: &RandomState) -> Option<u64> {
    match cell {
        Cells::Text { codes, dictionary } => Some(hasher.hash_one(&**dictionary.get(*codes.get(row)? as usize)?)),
        Cells::PlainText(texts) => Some(hasher.hash_one(texts.get(row)?)),
        Cells::Int(cells) => Some(hasher.hash_one(cells.get(row)?)),
        _ => None,
    }
}

impl Index {
    /// Whether there can be an index of a column.
    pub fn is_for(column: &Column) -> bool {
        matches!(column.cells, Cells::Text { .. } | Cells::PlainText(_) | Cells::Int(_))
    }

    pub fn new(column: &Column, rows: usize) -> Self {
        let hasher = RandomState::default();
        let mut index = Self { rows: HashTable::with_capacity(rows), hasher: hasher.clone(), unknown: Vec::new() };
        for row in 0..rows {
            if column.unknown.as_ref().is_some_and(|unknown| unknown.get(row)) {
                index.unknown.push(row as u32);
            } else if !column.is_missing(row)
                && let Some(of) = hash(&column.cells, row, &hasher)
            {
                index
                    .rows
                    .insert_unique(of, row as u32, |row| hash(&column.cells, *row as usize, &hasher).unwrap_or(0));
            }
        }
        index
    }

    /// The rows that may equal a value, ascending: those that do, and those of which it is not known. `None` where the
    /// index can't tell.
    pub fn find(&self, column: &Column, value: &ResultValue) -> Option<Vec<u32>> {
        let hasher = &self.hasher;
        let of = match (value, &column.cells) {
            (ResultValue::String(text), Cells::Text { .. } | Cells::PlainText(_)) => hasher.hash_one(&**text),
            (ResultValue::Int(whole), Cells::Int(_)) => hasher.hash_one(whole),
            _ => return None,
        };
        let same = |row: &u32| match (value, &column.cells) {
            (ResultValue::String(text), Cells::PlainText(texts)) => texts.get(*row as usize) == Some(&**text),
            (ResultValue::Int(whole), Cells::Int(cells)) => cells.get(*row as usize) == Some(whole),
            (ResultValue::String(text), Cells::Text { codes, dictionary }) => {
                let code = codes.get(*row as usize).and_then(|code| dictionary.get(*code as usize));
                code.is_some_and(|known| known == text)
            }
            _ => false,
        };
        let mut rows: Vec<u32> =
            self.rows.iter_hash(of).filter(|row| same(row)).chain(&self.unknown).copied().collect();
        rows.sort_unstable();
        Some(rows)
    }
}
