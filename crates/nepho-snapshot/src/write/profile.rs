//! What a column holds: the state of each cell, its type, and how many distinct values.

use std::hash::Hash;

use hashbrown::HashSet;
use nepho_graph::storage::{Bits, Cells, Column};
use nepho_graph::{PropertyType, ResultValue};

use crate::manifest::ColumnType;

/// Distinct values are counted up to here.
const DISTINCT: usize = 1 << 16;

/// The state of one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Present,
    Absent,
    Unknown,
}

/// The state of a cell.
pub(crate) fn state(column: &Column, row: usize) -> State {
    if column.unknown.as_ref().is_some_and(|unknown| unknown.get(row)) {
        return State::Unknown;
    }
    if column.absent.as_ref().is_some_and(|absent| absent.get(row)) {
        return State::Absent;
    }
    let value = match &column.cells {
        Cells::None => return State::Absent,
        Cells::Same(value) => Some(value),
        Cells::Any { codes, values } => codes.get(row).and_then(|code| values.get(*code as usize)),
        _ => return State::Present,
    };
    match value {
        None | Some(ResultValue::Null) => State::Absent,
        Some(ResultValue::Unknown) => State::Unknown,
        Some(_) => State::Present,
    }
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Profile {
    pub of: ColumnType,
    pub absent: u64,
    pub unknown: u64,
    /// `None` beyond the limit.
    pub distinct: Option<u64>,
}

impl Profile {
    /// Of a column with `rows` rows. The type follows from the values alone, so that the same facts give the same file
    /// however they are held in memory; the declaration counts where there are none, and for structures.
    pub fn new(column: &Column, rows: usize, declared: Option<PropertyType>) -> Self {
        let (mut absent, mut unknown) = (0, 0);
        let mut present = Vec::new();
        let everything = column.absent.is_none() && column.unknown.is_none();
        let typed = !matches!(column.cells, Cells::None | Cells::Same(_) | Cells::Any { .. });
        if !(everything && typed) {
            present.reserve(rows);
            for row in 0..rows {
                let state = state(column, row);
                absent += u64::from(state == State::Absent);
                unknown += u64::from(state == State::Unknown);
                present.push(state == State::Present);
            }
        }
        let here = |row: &usize| present.get(*row).copied().unwrap_or(true);
        let some = absent + unknown < rows as u64;
        Self {
            of: type_of(column, rows, declared, some, &here),
            absent,
            unknown,
            distinct: distinct(column, rows, &here),
        }
    }
}

fn type_of(
    column: &Column,
    rows: usize,
    declared: Option<PropertyType>,
    some: bool,
    here: &dyn Fn(&usize) -> bool,
) -> ColumnType {
    let declared = declared.map(|of| match of {
        PropertyType::Bool => ColumnType::Boolean,
        PropertyType::Int => ColumnType::Bigint,
        PropertyType::Float => ColumnType::Double,
        PropertyType::String => ColumnType::Text,
        PropertyType::Time => ColumnType::Timestamp,
        PropertyType::List | PropertyType::Json => ColumnType::Json,
    });
    if !some || declared == Some(ColumnType::Json) {
        return declared.unwrap_or(ColumnType::Text);
    }
    match &column.cells {
        Cells::Bool(_) => ColumnType::Boolean,
        Cells::Int(_) => ColumnType::Bigint,
        Cells::Float(_) => ColumnType::Double,
        Cells::Time(_) => ColumnType::Timestamp,
        Cells::Text { .. } | Cells::PlainText(_) | Cells::None => ColumnType::Text,
        Cells::Same(value) => type_of_value(value),
        Cells::Any { codes, values } => {
            let mut found = None;
            let mut seen = Bits::filled(values.len(), false);
            for row in (0..rows).filter(|row| here(row)) {
                let Some(code) = codes.get(row).map(|code| *code as usize) else { continue };
                if seen.get(code) {
                    continue;
                }
                seen.set(code);
                let of = values.get(code).map_or(ColumnType::Json, type_of_value);
                if found.is_some_and(|found| found != of) {
                    return ColumnType::Json;
                }
                found = Some(of);
            }
            found.unwrap_or(ColumnType::Json)
        }
    }
}

fn type_of_value(value: &ResultValue) -> ColumnType {
    match value {
        ResultValue::Bool(_) => ColumnType::Boolean,
        ResultValue::Int(_) => ColumnType::Bigint,
        ResultValue::Float(_) => ColumnType::Double,
        ResultValue::Time(_) => ColumnType::Timestamp,
        ResultValue::String(_) => ColumnType::Text,
        _ => ColumnType::Json,
    }
}

fn distinct(column: &Column, rows: usize, here: &dyn Fn(&usize) -> bool) -> Option<u64> {
    fn count<T: Hash + Eq>(values: impl Iterator<Item = T>) -> Option<u64> {
        let mut seen = HashSet::new();
        for value in values {
            seen.insert(value);
            if seen.len() > DISTINCT {
                return None;
            }
        }
        Some(seen.len() as u64)
    }
    let rows = (0..rows).filter(here);
    match &column.cells {
        Cells::None => Some(0),
        Cells::Same(_) => Some(rows.take(1).count() as u64),
        Cells::Bool(cells) => count(rows.map(|row| cells.get(row))),
        Cells::Int(cells) | Cells::Time(cells) => count(rows.filter_map(|row| cells.get(row))),
        Cells::Float(cells) => count(rows.filter_map(|row| cells.get(row)).map(|number| number.to_bits())),
        Cells::Text { codes, .. } => count(rows.filter_map(|row| codes.get(row))),
        Cells::Any { codes, .. } => count(rows.filter_map(|row| codes.get(row))),
        Cells::PlainText(cells) => count(rows.filter_map(|row| cells.get(row))),
    }
}
