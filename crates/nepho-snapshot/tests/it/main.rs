//! Snapshots from the outside: what is saved comes back, crashes and damage do no harm, other engines read it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod changes;
mod crash;
mod damage;
mod large;
mod peers;
mod round_trip;
mod sharing;

use std::fmt::Write as _;

use nepho_graph::{Graph, GraphBuilder, PropertyType, Schema, Walk};
use nepho_model::{Timestamp, Value};
use nepho_snapshot::WriteOptions;

/// All that a graph says, as text: two graphs that print the same are the same.
fn told(graph: &Graph) -> String {
    let mut text = format!("clock {}\n", graph.clock().0);
    for view in graph.kind_views() {
        let mut part = view.part();
        part.incomplete.sort();
        writeln!(text, "{} {:?} {} {:?}", part.kind, part.labels, part.rows, part.incomplete).unwrap();
    }
    for node in graph.nodes() {
        let properties: Vec<_> = node.properties().collect();
        writeln!(text, "{} {} {} {properties:?}", node.kind(), node.account(), node.region()).unwrap();
        for (relation, other) in node.neighbours(None, Walk::Out) {
            let properties: Vec<_> = relation.properties().collect();
            writeln!(text, "  {} {} {} {properties:?}", relation.relation_type(), other.kind(), other.key()).unwrap();
        }
        let unknown: Vec<_> = node.unknown_relations().collect();
        writeln!(text, "  {} in, unknown {unknown:?}", node.neighbours(None, Walk::In).len()).unwrap();
    }
    text
}

fn schema() -> Schema {
    let mut schema = Schema::open();
    let properties = [
        ("size", PropertyType::Int),
        ("share", PropertyType::Float),
        ("encrypted", PropertyType::Bool),
        ("created", PropertyType::Time),
        ("owner", PropertyType::String),
        ("actions", PropertyType::List),
        ("policy", PropertyType::Json),
        ("never_seen", PropertyType::Time),
    ];
    schema.add_kind("aws.s3.bucket", ["Bucket"], properties);
    schema.add_kind("aws.iam.role", ["Identity"], [("trusted", PropertyType::List)]);
    schema.add_relation("CAN_READ", "aws.iam.role", "aws.s3.bucket");
    schema.add_relation_property("CAN_READ", "since", PropertyType::Time);
    schema
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// A small estate with every type, absent and unknown cells, an unread relation and an incomplete kind. `change` makes
/// it another one.
fn estate(clock: &str, change: impl FnOnce(&mut GraphBuilder)) -> Graph {
    let mut builder = GraphBuilder::new(schema());
    builder.set_clock(time(clock));
    let mut buckets = Vec::new();
    for at in 0..40_i64 {
        let text = |text: String| Value::from(text.as_str());
        let properties = vec![
            ("size".into(), Value::Int(at * 1_000_000_007 - 5)),
            ("share".into(), if at % 3 == 0 { Value::Null } else { Value::Float(at as f64 / 7.0) }),
            ("encrypted".into(), if at % 5 == 0 { Value::Unknown } else { Value::Bool(at % 2 == 0) }),
            ("created".into(), Value::Time(Timestamp(1_700_000_000_000_000 + at * 1_234_567))),
            ("owner".into(), if at % 4 == 1 { Value::Null } else { text(format!("Übung {}", at % 6)) }),
            ("actions".into(), Value::List(vec![text(format!("s3:Get{}", at % 3)), Value::from("*")].into())),
            ("policy".into(), if at % 7 == 0 { Value::Unknown } else { Value::Int(at) }),
        ];
        let (key, account) = (format!("arn:aws:s3:::bucket-{at:02}"), if at % 2 == 0 { "111" } else { "222" });
        let name = text(format!("bucket-{at}"));
        buckets.push(builder.add_node("aws.s3.bucket", key, account, "eu-west-1", name, Value::Null, properties));
    }
    for at in 0..6 {
        let key = format!("arn:aws:iam::111:role/r{at}");
        let role = builder.add_node("aws.iam.role", key, "111", "global", Value::Null, Value::Null, Vec::new());
        for bucket in buckets.iter().skip(at).step_by(5) {
            let since = vec![("since".into(), Value::Time(time("2026-01-02T03:04:05.000006Z")))];
            builder.add_relation(role, "CAN_READ", *bucket, since);
        }
        if at == 3 {
            builder.mark_unknown_relation(role, "CAN_READ");
        }
    }
    builder.mark_incomplete("aws.iam.role", "222", "");
    change(&mut builder);
    builder.finish()
}

fn options(schema: &Schema) -> WriteOptions<'_> {
    WriteOptions { tool: "nephoscope test".to_owned(), schema: Some(schema), ..WriteOptions::default() }
}
