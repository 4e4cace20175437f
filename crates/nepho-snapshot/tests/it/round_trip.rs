//! What is saved comes back as it was.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::Arc;

use nepho_graph::fixture::graph_from_cypher;
use nepho_graph::{Graph, GraphBuilder, Schema};
use nepho_model::{Severity, Timestamp, Value, Verdict};
use nepho_snapshot::{ColumnType, Store, VerdictRow, WriteOptions, write};
use proptest::prelude::*;

use super::{estate, options, schema, told};

fn saved(graph: &Graph, schema: &Schema) -> (tempfile::TempDir, Graph) {
    let folder = tempfile::tempdir().unwrap();
    let options = WriteOptions { group_rows: NonZero::new(5), ..options(schema) };
    write(folder.path(), graph, &options).unwrap();
    let snapshot = Store::open(folder.path()).unwrap().latest().unwrap().unwrap();
    assert_eq!(snapshot.faults(), Vec::<String>::new());
    let read = snapshot.graph(schema);
    (folder, read)
}

fn comes_back(graph: &Graph, schema: &Schema) {
    let (_folder, read) = saved(graph, schema);
    assert_eq!(told(&read), told(graph));
    assert_eq!(read.faults(), Vec::<String>::new());
}

#[test]
fn every_type_with_absent_and_unknown_cells() {
    let graph = estate("2026-11-25T06:30:00Z", |_| {});
    comes_back(&graph, &schema());
}

#[test]
fn dates_durations_and_mixed_values() {
    let statement = "CREATE (:A:B {key: 'one', v: date('2020-02-29'), w: [1, 1.0, 'x', localtime('12:00:00.000000001')]}), \
        (:A:B {key: 'two', v: duration('P1Y2M3DT4.5S'), w: {a: time('12:00+01:00'), `$b`: 1, `$$c`: 2}}), \
        (:A:B {key: 'three', v: datetime('2020-01-01T00:00:00+02:00'), w: localdatetime('2020-01-01T00:00:00')}), \
        (:A:B {key: 'four', v: 1, w: 0.1}), (:A:B {key: 'five', v: 1.0}), (:C)-[:R {since: date('2020-01-01')}]->(:D {x: true})";
    let graph = graph_from_cypher(&[statement]).unwrap();
    comes_back(&graph, &Schema::open());
}

#[test]
fn names_that_clash_with_the_format() {
    let mut builder = GraphBuilder::new(Schema::open());
    let properties =
        ["row", "key", "Account", "a", "A", "a__unknown", "", "x.y"].map(|name| (Arc::from(name), Value::from(name)));
    builder.add_node("odd/../kind", "k", "1", "eu", Value::Null, Value::Null, properties.to_vec());
    builder.add_node("odd/../kind", "l", "1", "eu", Value::Null, Value::Null, vec![("a".into(), Value::Unknown)]);
    comes_back(&builder.finish(), &Schema::open());
}

#[test]
fn an_empty_graph_and_a_graph_without_relations() {
    comes_back(&GraphBuilder::new(Schema::open()).finish(), &Schema::open());
    let mut builder = GraphBuilder::new(schema());
    builder.mark_incomplete("aws.iam.role", "", "");
    comes_back(&builder.finish(), &schema());
}

/// Row groups end within a word of the bits, and within a node's relations.
#[test]
fn more_rows_than_a_row_group_holds() {
    let mut builder = GraphBuilder::new(Schema::open());
    let mut nodes = Vec::new();
    for at in 0..5000_i64 {
        let properties = vec![
            ("n".into(), if at % 700 == 3 { Value::Null } else { Value::Int(at) }),
            ("late".into(), if at < 4000 { Value::Null } else { Value::Bool(at % 2 == 0) }),
            ("text".into(), Value::from(format!("t{}", at % 1000).as_str())),
            ("odd".into(), if at == 4321 { Value::Unknown } else { Value::from(format!("o{at}").as_str()) }),
        ];
        let key = format!("k{:06}", (at * 7919) % 5000);
        nodes.push(builder.add_node("a.b", key, "1", "eu", Value::Null, Value::Null, properties));
    }
    for at in 0..20_000 {
        builder.add_relation(nodes[at % 5000], "NEXT", nodes[(at * 31 + 7) % 5000], Vec::new());
    }
    let graph = builder.finish();
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &graph, &WriteOptions { group_rows: NonZero::new(333), ..WriteOptions::default() }).unwrap();
    let read = Store::open(folder.path()).unwrap().latest().unwrap().unwrap().graph(&Schema::open());
    assert!(told(&read) == told(&graph), "not the same");
    assert_eq!(read.faults(), Vec::<String>::new());
}

/// The file types follow from the values, and from the schema where there are none.
#[test]
fn columns_have_real_types() {
    let folder = tempfile::tempdir().unwrap();
    let schema = schema();
    write(folder.path(), &estate("2026-11-25T06:30:00Z", |_| {}), &options(&schema)).unwrap();
    let snapshot = Store::open(folder.path()).unwrap().latest().unwrap().unwrap();
    let bucket = &snapshot.manifest().kinds[1];
    let types: BTreeMap<&str, ColumnType> = bucket.columns.iter().map(|column| (&*column.name, column.of)).collect();
    let expected = [
        ("actions", ColumnType::Json),
        ("created", ColumnType::Timestamp),
        ("encrypted", ColumnType::Boolean),
        ("name", ColumnType::Text),
        ("never_seen", ColumnType::Timestamp),
        ("owner", ColumnType::Text),
        ("policy", ColumnType::Json),
        ("share", ColumnType::Double),
        ("size", ColumnType::Bigint),
        ("tags", ColumnType::Json),
    ];
    assert_eq!(types, BTreeMap::from(expected));
}

#[test]
fn verdicts_come_back_sorted() {
    let row = |rule: &str, key: &str, verdict, reason: &str| VerdictRow {
        rule: rule.into(),
        kind: "aws.s3.bucket".into(),
        key: key.into(),
        account: "111".into(),
        verdict,
        severity: Severity::High,
        reason: reason.into(),
    };
    let mut rows = vec![
        row("b", "k2", Verdict::Fail, ""),
        row("a", "k9", Verdict::Unknown, "s3:GetBucketPolicy: denied"),
        row("b", "k1", Verdict::Pass, ""),
    ];
    let folder = tempfile::tempdir().unwrap();
    let options = WriteOptions { verdicts: Some(rows.clone()), ..WriteOptions::default() };
    write(folder.path(), &estate("2026-11-25T06:30:00Z", |_| {}), &options).unwrap();
    let snapshot = Store::open(folder.path()).unwrap().latest().unwrap().unwrap();
    rows.sort();
    assert_eq!(snapshot.verdicts().unwrap(), Some(rows));
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        Just(Value::Unknown),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (-3i64..3).prop_map(Value::Int),
        any::<f64>().prop_map(Value::Float),
        any::<i64>().prop_map(|micros| Value::Time(Timestamp(micros))),
        "[$a-cé\u{0}\"]{0,3}".prop_map(|text| Value::from(text.as_str())),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|items| Value::List(items.into())),
            proptest::collection::btree_map("[$a]{0,3}", inner, 0..4).prop_map(|fields| {
                Value::Map(Arc::new(fields.into_iter().map(|(name, value)| (name.as_str().into(), value)).collect()))
            }),
        ]
    })
}

/// Values of one column: mostly of one type.
fn column() -> impl Strategy<Value = Vec<Value>> {
    prop_oneof![
        proptest::collection::vec(value(), 8),
        proptest::collection::vec(prop_oneof![Just(Value::Null), any::<i64>().prop_map(Value::Int)], 8),
        proptest::collection::vec(prop_oneof![Just(Value::Unknown), any::<bool>().prop_map(Value::Bool)], 8),
        proptest::collection::vec(prop_oneof![Just(Value::Unknown), Just(Value::Null)], 8),
        proptest::collection::vec("[a-b]{0,2}".prop_map(|text| Value::from(text.as_str())), 8),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn any_graph(
        columns in proptest::collection::vec(column(), 1..5),
        edges in proptest::collection::vec((0usize..8, 0usize..8, 0usize..3, value()), 0..20),
        unread in proptest::collection::vec((0usize..8, 0usize..3), 0..4),
    ) {
        let mut builder = GraphBuilder::new(schema());
        let names = ["size", "share", "policy", "é", "actions"];
        let nodes: Vec<_> = (0..8).map(|row| {
            let kind = ["aws.s3.bucket", "aws.iam.role", "other.kind"][row % 3];
            let values = columns.iter().zip(names).map(|(column, name)| (Arc::from(name), column[row].clone()));
            let account = ["", "1", "2"][row % 2];
            builder.add_node(kind, format!("k{}", row / 2), account, "eu", Value::Null, Value::Null, values.collect())
        }).collect();
        let types = ["CAN_READ", "R", "S"];
        for (from, to, of, value) in edges {
            builder.add_relation(nodes[from], types[of], nodes[to], vec![("since".into(), value)]);
        }
        for (node, of) in unread {
            builder.mark_unknown_relation(nodes[node], types[of]);
        }
        comes_back(&builder.finish(), &schema());
    }
}
