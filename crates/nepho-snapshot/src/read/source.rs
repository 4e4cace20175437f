//! The columns of a graph out of a snapshot's files.

use std::collections::BTreeMap;
use std::sync::Arc;

use nepho_graph::ResultValue;
use nepho_graph::storage::{Bits, Cells, Column, Source, Texts};
use parquet::data_type::{DoubleType, Int32Type, Int64Type};

use super::file::{Coded, DataFile};
use super::number;
use super::shared::Shared;
use crate::json;
use crate::manifest::{ColumnEntry, ColumnType, FileEntry, Manifest};

/// Reads columns.
#[derive(Debug)]
pub(crate) struct SnapshotSource {
    manifest: Arc<Manifest>,
    /// By kind; none where there are no rows.
    kinds: Vec<Option<Arc<DataFile>>>,
    relations: Vec<Option<Arc<DataFile>>>,
    /// First node and number of nodes of each kind.
    nodes: Vec<(u32, u32)>,
    shared: Arc<Shared>,
}

impl SnapshotSource {
    pub fn new(manifest: Arc<Manifest>, files: &BTreeMap<String, Arc<DataFile>>, shared: Arc<Shared>) -> Self {
        let file = |entry: &Option<FileEntry>| entry.as_ref().and_then(|entry| files.get(&entry.path)).cloned();
        let mut first = 0;
        let nodes = manifest.kinds.iter().map(|kind| {
            let nodes = (first, kind.rows as u32);
            first += kind.rows as u32;
            nodes
        });
        Self {
            nodes: nodes.collect(),
            kinds: manifest.kinds.iter().map(|kind| file(&kind.file)).collect(),
            relations: manifest.relations.iter().map(|relation| file(&relation.file)).collect(),
            manifest,
            shared,
        }
    }

    fn kind_file(&self, kind: usize) -> Option<&DataFile> {
        self.kinds.get(kind)?.as_deref()
    }

    fn column(&self, file: Option<&DataFile>, entry: Option<&ColumnEntry>) -> Result<Arc<Column>, String> {
        let (Some(file), Some(entry)) = (file, entry) else { return Ok(Arc::new(Column::full(Cells::None))) };
        self.shared.column(file, entry, || property(file, entry))
    }

    fn relation_file(&self, relation: usize) -> Option<&DataFile> {
        self.relations.get(relation)?.as_deref()
    }
}

impl Source for SnapshotSource {
    fn keys(&self, kind: usize) -> Result<Arc<Texts>, String> {
        let Some(file) = self.kind_file(kind) else { return Ok(Arc::default()) };
        self.shared.keys(file, || {
            let (keys, _) = file.texts("key")?;
            if !keys.iter().is_sorted() {
                return Err(file.damaged("its keys are not in order"));
            }
            Ok(keys)
        })
    }

    fn places(&self, kind: usize) -> Result<(Vec<u32>, Vec<u32>), String> {
        let Some(file) = self.kind_file(kind) else { return Ok(Default::default()) };
        let place = |name: &str| {
            let places = &self.manifest.places;
            places.binary_search_by(|known| known.as_str().cmp(name)).map(|code| code as u32).ok()
        };
        if !self.manifest.kinds.get(kind).is_some_and(|kind| kind.resources) {
            let none = place("").unwrap_or(u32::MAX);
            return Ok((vec![none; file.rows()], vec![none; file.rows()]));
        }
        let codes = |name: &str| {
            let Coded { mut codes, dictionary, .. } = file.coded(name, self.manifest.places.len())?;
            let places: Option<Vec<u32>> = dictionary.iter().map(|name| place(name)).collect();
            let Some(places) = places else {
                return Err(file.damaged(format!("column `{name}` has a value that the manifest does not know")));
            };
            codes.iter_mut().for_each(|code| *code = places.get(*code as usize).copied().unwrap_or(u32::MAX));
            Ok(codes)
        };
        Ok((codes("account")?, codes("region")?))
    }

    fn property(&self, kind: usize, column: usize) -> Result<Arc<Column>, String> {
        let entry = self.manifest.kinds.get(kind).and_then(|kind| kind.columns.get(column));
        self.column(self.kind_file(kind), entry)
    }

    fn ends(&self, relation: usize) -> Result<(Vec<u32>, Vec<u32>), String> {
        let Some(file) = self.relation_file(relation) else { return Ok(Default::default()) };
        let pairs = self.manifest.relations.get(relation).map(|entry| &*entry.pairs).unwrap_or_default();
        let (mut from, _) = file.numbers::<Int32Type, u32>("from_row", |row| *row as u32)?;
        let (mut to, _) = file.numbers::<Int32Type, u32>("to_row", |row| *row as u32)?;
        let nodes =
            |kind: &str| number(&self.manifest, kind).and_then(|at| self.nodes.get(at)).copied().unwrap_or((0, 0));
        let outside = || file.damaged("it has relations of nodes that are not there");
        let place = |rows: &mut [u32], (first, count): (u32, u32)| {
            rows.iter_mut().all(|row| {
                let inside = *row < count;
                *row = row.wrapping_add(first);
                inside
            })
        };
        // Relations are in order of their starts, so the counts by kind say where each kind's relations lie; the kinds
        // at the ends are read only where a kind has relations to several.
        let mut ends = None;
        let mut position = 0;
        for pairs in pairs.chunk_by(|left, right| left.from == right.from) {
            let [pair, ..] = pairs else { continue };
            let range = position..position + pairs.iter().map(|pair| pair.count as usize).sum::<usize>();
            position = range.end;
            let (Some(from), Some(to)) = (from.get_mut(range.clone()), to.get_mut(range.clone())) else {
                return Err(outside());
            };
            if !place(from, nodes(&pair.from)) {
                return Err(outside());
            }
            if pairs.len() == 1 {
                if !place(to, nodes(&pair.to)) {
                    return Err(outside());
                }
                continue;
            }
            if ends.is_none() {
                let Coded { codes, dictionary, .. } = file.coded("to_kind", self.nodes.len())?;
                ends = Some((codes, dictionary.iter().map(|kind| nodes(kind)).collect::<Vec<_>>()));
            }
            let Some((codes, kinds)) = &ends else { continue };
            for (row, code) in to.iter_mut().zip(codes.get(range).unwrap_or_default()) {
                let (first, count) = kinds.get(*code as usize).copied().unwrap_or((0, 0));
                if *row >= count {
                    return Err(outside());
                }
                *row += first;
            }
        }
        let ordered = from.windows(2).zip(to.windows(2)).all(|(from, to)| match (from, to) {
            ([left, right], [left_end, right_end]) => (left, left_end) <= (right, right_end),
            _ => true,
        });
        if !ordered {
            return Err(file.damaged("its relations are not in order"));
        }
        Ok((from, to))
    }

    fn relation_property(&self, relation: usize, column: usize) -> Result<Arc<Column>, String> {
        let entry = self.manifest.relations.get(relation).and_then(|relation| relation.columns.get(column));
        self.column(self.relation_file(relation), entry)
    }
}

/// A property's column.
fn property(file: &DataFile, entry: &ColumnEntry) -> Result<Column, String> {
    let (name, rows) = (entry.column(), file.rows());
    let (mut cells, nulls) = match entry.of {
        ColumnType::Boolean => {
            let (bits, nulls) = file.bits(name)?;
            (Cells::Bool(bits), nulls)
        }
        ColumnType::Bigint => {
            let (numbers, nulls) = file.numbers::<Int64Type, i64>(name, |whole| *whole)?;
            (Cells::Int(numbers), nulls)
        }
        ColumnType::Timestamp => {
            let (times, nulls) = file.numbers::<Int64Type, i64>(name, |micros| *micros)?;
            (Cells::Time(times), nulls)
        }
        ColumnType::Double => {
            let (numbers, nulls) = file.numbers::<DoubleType, f64>(name, |number| *number)?;
            (Cells::Float(numbers), nulls)
        }
        ColumnType::Text => match entry.distinct.map(|distinct| distinct as usize) {
            Some(distinct) if distinct <= (rows / 2).max(1024) => {
                let Coded { codes, dictionary, nulls } = file.coded(name, distinct)?;
                (Cells::Text { codes: Arc::new(codes), dictionary: Arc::new(dictionary) }, nulls)
            }
            _ => {
                let (texts, nulls) = file.texts(name)?;
                (Cells::PlainText(Arc::new(texts)), nulls)
            }
        },
        ColumnType::Json => {
            let Coded { codes, dictionary, nulls } = file.coded(name, rows)?;
            let values: Option<Vec<ResultValue>> = dictionary.iter().map(|text| json::from_text(text)).collect();
            let values =
                values.ok_or_else(|| file.damaged(format!("column `{name}` has a value that is no JSON of ours")))?;
            (Cells::Any { codes, values }, nulls)
        }
    };
    let unknown = match &entry.unknown_column {
        Some(name) => Some(file.bits(name)?.0).filter(Bits::any),
        None => None,
    };
    if nulls.as_ref().is_some_and(|nulls| nulls.count() == rows) {
        cells = Cells::None;
    }
    let absent = match (nulls, &unknown) {
        (Some(nulls), Some(unknown)) => Some(Bits::from_words(rows, |word| {
            let of = |bits: &Bits| bits.words().get(word).copied().unwrap_or(0);
            of(&nulls) & !of(unknown)
        })),
        (nulls, _) => nulls,
    };
    Ok(Column { cells, absent: absent.filter(Bits::any), unknown })
}
