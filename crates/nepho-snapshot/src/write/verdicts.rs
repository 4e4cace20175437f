//! Verdicts as columns, in ascending order of rule, kind, key and account.

use std::sync::Arc;

use hashbrown::HashMap;
use nepho_graph::storage::{Bits, Cells, Column, Texts};

use super::table::Field;
use crate::manifest::ColumnType;
use crate::verdict::VerdictRow;

/// The columns of `verdicts.parquet`.
pub(crate) const COLUMNS: [&str; 7] = ["rule", "kind", "key", "account", "verdict", "severity", "reason"];

/// Their fields and cells.
pub(crate) fn columns(rows: &[VerdictRow]) -> (Vec<(String, Field)>, Vec<Column>) {
    let mut sorted: Vec<&VerdictRow> = rows.iter().collect();
    sorted.sort();
    let fields = COLUMNS.iter().map(|name| ((*name).to_owned(), Field::Property(ColumnType::Text))).collect();
    let repeated = |text: fn(&VerdictRow) -> &str| {
        let mut codes = Vec::with_capacity(sorted.len());
        let mut dictionary: Vec<Arc<str>> = Vec::new();
        let mut known: HashMap<&str, u32> = HashMap::new();
        for row in &sorted {
            let text = text(row);
            codes.push(*known.entry(text).or_insert_with(|| {
                dictionary.push(text.into());
                (dictionary.len() - 1) as u32
            }));
        }
        Column::full(Cells::Text { codes: Arc::new(codes), dictionary: Arc::new(dictionary) })
    };
    let keys: Texts = sorted.iter().map(|row| &*row.key).collect();
    let mut silent = Bits::default();
    sorted.iter().for_each(|row| silent.push(row.reason.is_empty()));
    let mut reasons = repeated(|row| &row.reason);
    reasons.absent = Some(silent);
    let columns = vec![
        repeated(|row| &row.rule),
        repeated(|row| &row.kind),
        Column::full(Cells::PlainText(Arc::new(keys))),
        repeated(|row| &row.account),
        repeated(|row| row.verdict.as_str()),
        repeated(|row| row.severity.as_str()),
        reasons,
    ];
    (fields, columns)
}
