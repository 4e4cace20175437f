//! Cells of two columns side by side.

use std::sync::Arc;

use hashbrown::HashMap;
use nepho_graph::ResultValue;
use nepho_graph::storage::{Cells, Column};
use serde_json::Value as Json;

use crate::json;
use crate::write::profile::{State, state};

/// Two columns of one property.
pub(crate) struct Sides {
    old: Arc<Column>,
    new: Arc<Column>,
    /// For columns of any values: the new one's codes by the old one's.
    codes: Vec<Option<u32>>,
}

impl Sides {
    pub fn new(old: Arc<Column>, new: Arc<Column>) -> Self {
        let mut codes = Vec::new();
        if let (Cells::Any { values: old, .. }, Cells::Any { values: new, .. }) = (&old.cells, &new.cells) {
            let known: HashMap<Option<String>, u32> =
                new.iter().enumerate().map(|(code, value)| (json::to_text(value), code as u32)).collect();
            codes = old.iter().map(|value| known.get(&json::to_text(value)).copied()).collect();
        }
        Self { old, new, codes }
    }

    /// Whether a cell is not what it was.
    pub fn differ(&self, old: usize, new: usize) -> bool {
        let (was, is) = (state(&self.old, old), state(&self.new, new));
        if was != State::Present || is != State::Present {
            return was != is;
        }
        match (&self.old.cells, &self.new.cells) {
            (Cells::Bool(left), Cells::Bool(right)) => left.get(old) != right.get(new),
            (Cells::Int(left), Cells::Int(right)) | (Cells::Time(left), Cells::Time(right)) => {
                left.get(old) != right.get(new)
            }
            (Cells::Float(left), Cells::Float(right)) => {
                left.get(old).map(|number| number.to_bits()) != right.get(new).map(|number| number.to_bits())
            }
            (Cells::Any { codes: left, .. }, Cells::Any { codes: right, .. }) => {
                let old = left.get(old).and_then(|code| self.codes.get(*code as usize)).copied().flatten();
                old.is_none() || old.as_ref() != right.get(new)
            }
            (left, right) => match (text(left, old), text(right, new)) {
                (Some(left), Some(right)) => left != right,
                _ => json::to_text(&self.old.get(old)) != json::to_text(&self.new.get(new)),
            },
        }
    }

    /// The cells, as reports show them.
    pub fn shown(&self, old: usize, new: usize) -> (Json, Json) {
        (shown(&self.old.get(old)), shown(&self.new.get(new)))
    }
}

fn text(cells: &Cells, row: usize) -> Option<&str> {
    match cells {
        Cells::Text { codes, dictionary } => dictionary.get(*codes.get(row)? as usize).map(|text| &**text),
        Cells::PlainText(texts) => texts.get(row),
        _ => None,
    }
}

fn shown(value: &ResultValue) -> Json {
    value.to_value().to_json()
}
