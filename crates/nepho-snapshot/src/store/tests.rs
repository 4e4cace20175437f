use nepho_graph::{GraphBuilder, Limits, Parameters, Query, Schema};
use nepho_model::{Timestamp, Value};

use super::Store;
use crate::write::WriteOptions;

#[test]
fn round() {
    let folder = tempfile::tempdir().unwrap();
    let mut builder = GraphBuilder::new(Schema::open());
    builder.set_clock(Timestamp::parse("2026-11-25T06:30:00Z").unwrap());
    let a = builder.add_node(
        "aws.s3.bucket",
        "a",
        "1",
        "eu",
        Value::from("x"),
        Value::Null,
        vec![("size".into(), Value::Int(3)), ("enc".into(), Value::Unknown)],
    );
    let b = builder.add_node(
        "aws.s3.bucket",
        "b",
        "1",
        "eu",
        Value::from("x"),
        Value::Null,
        vec![("size".into(), Value::Null), ("enc".into(), Value::Bool(true))],
    );
    builder.add_relation(a, "TO", b, vec![]);
    let graph = builder.finish();
    let store = Store::create(folder.path()).unwrap();
    let written = store.write(&graph, &WriteOptions::default()).unwrap();
    eprintln!("{written:?}");
    let again = store.write(&graph, &WriteOptions::default()).unwrap();
    assert!(again.existed);
    let snapshot = store.find("latest").unwrap();
    eprintln!("{:?}", snapshot.manifest());
    let read = snapshot.graph(&Schema::open());
    for node in read.nodes() {
        eprintln!("{:?}", node.properties().collect::<Vec<_>>());
    }
    eprintln!("{:?}", read.faults());
}
