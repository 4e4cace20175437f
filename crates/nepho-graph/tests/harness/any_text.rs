//! What must hold of any text as a query: the tests and the fuzz target `query` share it.

use std::sync::Arc;
use std::time::Duration;

use nepho_graph::{Graph, GraphBuilder, Limits, Parameters, PropertyType, Query, QueryError, Schema};
use nepho_model::Value;

/// Compiles and runs a text with tight limits; what it ends in must be sound.
pub fn run(graph: &Graph, schema: &Schema, text: &str) {
    let limits = Limits { time: Some(Duration::from_millis(200)), memory_rows: 20_000, cancel: None };
    let check = |error: QueryError| {
        assert!(!error.message.contains('\n'), "{text}: {error}");
        assert!(text.get(error.span.clone()).is_some(), "{text}: {:?} is no place in it", error.span);
    };
    match Query::compile(schema, text).and_then(|query| query.run(graph, &Parameters::new(), &limits)) {
        Ok(rows) => {
            for row in &rows.rows {
                assert_eq!(row.len(), rows.columns.len(), "{text}");
            }
            rows.to_json(graph);
        }
        Err(error) => check(error),
    }
}

/// A closed schema of two kinds.
#[allow(dead_code, reason = "the tests make graphs of their own")]
pub fn schema() -> Schema {
    let mut schema = Schema::closed();
    let properties = [
        ("p", PropertyType::Int),
        ("q", PropertyType::Json),
        ("s", PropertyType::String),
        ("t", PropertyType::Time),
        ("f", PropertyType::Bool),
        ("l", PropertyType::List),
    ];
    schema.add_kind("a", ["X"], properties);
    schema.add_kind("b", ["X", "Y"], properties);
    for (of, from, to) in [("T", "a", "b"), ("T", "a", "a"), ("U", "b", "a")] {
        schema.add_relation(of, from, to);
    }
    schema
}

/// A small graph of that schema, in which something of everything is absent and unknown.
#[allow(dead_code, reason = "the tests make graphs of their own")]
pub fn graph(schema: Schema) -> Graph {
    let mut builder = GraphBuilder::new(schema);
    let name = |name: &str| Arc::<str>::from(name);
    let handles: Vec<_> = (0..6i64)
        .map(|at| {
            let properties = vec![
                (name("p"), if at == 2 { Value::Unknown } else { Value::Int(at % 3) }),
                (name("q"), if at == 3 { Value::Null } else { Value::Float(0.5 * at as f64) }),
                (name("s"), Value::from(["a", "b", ""][at as usize % 3])),
                (name("f"), Value::Bool(at % 2 == 0)),
                (name("l"), Value::List(vec![Value::Int(at), Value::Null].into())),
            ];
            let kind = if at < 3 { "a" } else { "b" };
            builder.add_node(kind, format!("n{at}"), "1", "x", Value::from("node"), Value::Null, properties)
        })
        .collect();
    for (from, of, to) in [
        (0, "T", 3),
        (0, "T", 1),
        (1, "T", 2),
        (1, "T", 4),
        (2, "T", 0),
        (2, "T", 2),
        (3, "U", 0),
        (4, "U", 1),
        (4, "U", 1),
    ] {
        builder.add_relation(handles[from], of, handles[to], vec![(name("p"), Value::Int(from as i64))]);
    }
    builder.mark_unknown_relation(handles[5], "U");
    builder.mark_incomplete("b", "1", "x");
    builder.finish()
}
