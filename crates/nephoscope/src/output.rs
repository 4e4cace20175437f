//! Small tables in the formats that every listing command offers.

use std::io::{IsTerminal as _, Write};

use anyhow::Context as _;
use serde_json::{Map, Value as Json};

use crate::arguments::TableFormat;

/// Writes rows under column names. JSON: a list of objects. Cells of the terminal table have control characters taken out.
pub fn table(format: TableFormat, columns: &[&str], rows: &[Vec<Json>]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match format {
        TableFormat::Json => {
            let all: Vec<Json> = rows
                .iter()
                .map(|row| {
                    Json::Object(
                        columns
                            .iter()
                            .zip(row)
                            .map(|(name, cell)| ((*name).to_owned(), cell.clone()))
                            .collect::<Map<_, _>>(),
                    )
                })
                .collect();
            serde_json::to_writer_pretty(&mut out, &all)?;
            writeln!(out)?;
        }
        TableFormat::Csv => {
            let line = |cells: Vec<String>| cells.iter().map(|cell| csv_cell(cell)).collect::<Vec<_>>().join(",");
            writeln!(out, "{}", line(columns.iter().map(|name| (*name).to_owned()).collect()))?;
            for row in rows {
                writeln!(out, "{}", line(row.iter().map(text).collect()))?;
            }
        }
        TableFormat::Table => {
            let mut table = comfy_table::Table::new();
            table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
            table.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
            if !std::io::stdout().is_terminal() {
                table.set_content_arrangement(comfy_table::ContentArrangement::Disabled);
            }
            table.set_header(columns.iter().copied());
            for row in rows {
                table.add_row(row.iter().map(|cell| printable(&text(cell))));
            }
            writeln!(out, "{table}")?;
        }
    }
    Ok(())
}

/// A cell as text: strings bare, all else as JSON.
fn text(cell: &Json) -> String {
    match cell {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        Json::Object(fields) if fields.len() == 1 && fields.contains_key("unknown") => "unknown".to_owned(),
        other => other.to_string(),
    }
}

/// Quoted where needed; a cell that a spreadsheet would take for a formula gets a leading apostrophe.
fn csv_cell(cell: &str) -> String {
    let cell = match cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{cell}"),
        false => cell.to_owned(),
    };
    match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell,
    }
}

/// Control characters of names from the cloud must not reach a terminal.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|character| if character.is_control() && character != '\n' { '\u{fffd}' } else { character })
        .collect()
}

/// Whether the reader of our output went away.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

/// Writes a line of text to stdout.
pub fn line(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{text}").context("writing to standard output")
}
