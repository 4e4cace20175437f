//! The generated graph as CSV files, from which the peers' Parquet files and loading commands are made.

use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context as _;
use nepho_model::{Timestamp, Value};
use serde_json::json;

use super::generator::Generator;
use super::shape::{Draw, KINDS, Property, RELATIONS};

/// What the files depend on.
pub const STAMP: &str = concat!(include_str!("shape.rs"), include_str!("generator.rs"), include_str!("data.rs"));

/// The columns that nodes of every kind have, and the types of their values.
pub const COMMON: [(&str, &str); 8] = [
    ("number", "int"),
    ("key", "string"),
    ("account", "string"),
    ("region", "string"),
    ("name", "string"),
    ("mark", "int"),
    ("environment", "string"),
    ("created", "time"),
];

/// The type of a property's values.
pub fn type_of(property: &Property) -> &'static str {
    match property.draw {
        Draw::Word(_) => "string",
        Draw::Flag(_) => "bool",
        Draw::Small(_) | Draw::Size(_) => "int",
        Draw::Score => "float",
        Draw::Time => "time",
    }
}

/// The name of a relation type's file between two kinds.
pub fn file_of(which: usize) -> String {
    let relation = &RELATIONS[which];
    format!("{}.{}.{}.csv", relation.name, KINDS[relation.from].label, KINDS[relation.to].label)
}

/// Writes the files, where they are not there.
pub fn write(folder: &Path, nodes: u64) -> anyhow::Result<()> {
    let stamp = folder.join("stamp.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|stamp| stamp == STAMP) {
        return Ok(());
    }
    std::fs::remove_dir_all(folder).ok();
    std::fs::create_dir_all(folder)?;
    let generator = Generator::new(nodes);
    let mut tables = Vec::new();
    for (kind, of) in KINDS.iter().enumerate() {
        let file = format!("{}.csv", of.label);
        let mut columns: Vec<_> = COMMON.iter().map(|(name, of)| json!([name, of])).collect();
        columns.extend(of.properties.iter().map(|property| json!([property.name, type_of(property)])));
        let mut out = create(&folder.join(&file))?;
        for index in 0..generator.counts[kind] {
            let node = generator.node(kind, index);
            write!(
                out,
                "{},{},{},{},{},{},{},{}",
                node.number,
                node.key,
                node.account,
                node.region,
                node.name,
                node.mark,
                node.environment,
                node.created.0
            )?;
            for value in &node.values {
                match value {
                    Value::Bool(flag) => write!(out, ",{flag}")?,
                    Value::Int(whole) => write!(out, ",{whole}")?,
                    Value::Float(number) => write!(out, ",{number}")?,
                    Value::String(text) => write!(out, ",{text}")?,
                    Value::Time(Timestamp(time)) => write!(out, ",{time}")?,
                    // Peers have no unknown: it is null to them.
                    _ => write!(out, ",")?,
                }
            }
            writeln!(out)?;
        }
        out.flush()?;
        tables.push(json!({"label": of.label, "file": file, "columns": columns, "rows": generator.counts[kind]}));
    }
    let mut relations = Vec::new();
    for (which, relation) in RELATIONS.iter().enumerate() {
        let file = file_of(which);
        let mut out = create(&folder.join(&file))?;
        let mut rows = 0u64;
        let (from, to) = (generator.first[relation.from], generator.first[relation.to]);
        generator.edges(which, relation, &mut |edge| {
            rows += 1;
            let (from, to) = (from + u64::from(edge.from), to + u64::from(edge.to));
            match edge.port {
                Some(port) => writeln!(out, "{from},{to},{port}"),
                None => writeln!(out, "{from},{to}"),
            }
        })?;
        out.flush()?;
        let columns = if relation.port { json!([["port", "int"]]) } else { json!([]) };
        let (from, to) = (KINDS[relation.from].label, KINDS[relation.to].label);
        relations.push(
            json!({"name": relation.name, "from": from, "to": to, "file": file, "columns": columns, "rows": rows}),
        );
    }
    let described = json!({"nodes": tables, "relations": relations});
    std::fs::write(folder.join("data.json"), serde_json::to_vec_pretty(&described)?)?;
    std::fs::write(stamp, STAMP)?;
    Ok(())
}

fn create(path: &Path) -> anyhow::Result<BufWriter<std::fs::File>> {
    let file = std::fs::File::create(path).with_context(|| format!("writing {}", path.display()))?;
    Ok(BufWriter::with_capacity(1 << 20, file))
}
