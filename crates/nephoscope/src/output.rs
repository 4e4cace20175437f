//! Small tables in the formats that every listing command offers.

use std::io::Write;

use anyhow::Context as _;
use nepho_report::{harmless, table, write_pretty};
use serde_json::{Map, Value as Json};

use crate::arguments::TableFormat;
use crate::reporting;

/// Writes rows under column names. JSON: a list of objects. Whatever a name of the cloud's holds, no format passes on
/// what a terminal or a spreadsheet would act on.
pub fn table(format: TableFormat, columns: &[&str], rows: &[Vec<Json>]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match format {
        TableFormat::Json => {
            let object = |row: &Vec<Json>| {
                let fields = columns.iter().zip(row).map(|(name, cell)| ((*name).to_owned(), cell.clone()));
                Json::Object(fields.collect::<Map<_, _>>())
            };
            write_pretty(&mut out, &rows.iter().map(object).collect::<Vec<_>>())?;
        }
        TableFormat::Csv => {
            let names: Vec<Json> = columns.iter().map(|name| Json::from(*name)).collect();
            for row in std::iter::once(&names).chain(rows) {
                writeln!(out, "{}", row.iter().map(csv_cell).collect::<Vec<_>>().join(","))?;
            }
        }
        TableFormat::Table => {
            let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(plain).collect()).collect();
            out.write_all(table::grid(columns, &rows, &reporting::list_style()).as_bytes())?;
        }
    }
    Ok(())
}

/// Writes one JSON value, as harmless as a table.
pub fn json(value: &Json) -> anyhow::Result<()> {
    write_pretty(&mut std::io::stdout().lock(), value).context("writing to standard output")
}

/// A cell as text: strings bare, all else as JSON.
fn plain(cell: &Json) -> String {
    match cell {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        Json::Object(fields) if fields.len() == 1 && fields.contains_key("unknown") => "unknown".to_owned(),
        other => other.to_string(),
    }
}

/// Quoted where needed. Text is made harmless; a number is a number, also a negative one.
fn csv_cell(cell: &Json) -> String {
    let text = match cell {
        Json::Number(number) => number.to_string(),
        other => harmless(&plain(other)),
    };
    match text.contains([',', '"']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

/// Whether the reader of our output went away.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

/// Writes text to stdout as it is.
pub fn text(text: &str) -> anyhow::Result<()> {
    std::io::stdout().lock().write_all(text.as_bytes()).context("writing to standard output")
}

/// Writes a line of text to stdout.
pub fn line(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{text}").context("writing to standard output")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::csv_cell;

    #[test]
    fn a_cell_of_csv_does_nothing() {
        for (cell, written) in [
            (json!("plain"), "plain"),
            (json!("a,\"b\""), "\"a,\"\"b\"\"\""),
            (json!(-1), "-1"),
            (json!(-1.5), "-1.5"),
            (json!("-1"), "'-1"),
            (json!("＝1+1"), "'＝1+1"),
            (json!("a\u{1b}[31m\u{7}\u{202e}b"), "a�[31m��b"),
            (json!("two\nlines"), "two lines"),
            (json!(null), ""),
            (json!({"unknown": true}), "unknown"),
            (json!([1, "x"]), "\"[1,\"\"x\"\"]\""),
        ] {
            assert_eq!(csv_cell(&cell), written);
        }
    }
}
