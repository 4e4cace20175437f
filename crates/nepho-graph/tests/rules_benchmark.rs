//! 1,000 conditions over 1 million nodes: run with `cargo nextest run --release --run-ignored all -E 'test(benchmark)'`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "helpers of tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use nepho_graph::{Condition, Graph, GraphBuilder, PropertyType, Schema, Truth, judge_all};
use nepho_model::{Timestamp, Value};

fn schema(kinds: usize) -> Schema {
    let mut schema = Schema::closed();
    schema.add_kind("aws.account.account", ["Account"], [("x", PropertyType::Int)]);
    schema.add_kind("aws.kms.key", ["EncryptionKey"], [("rotates", PropertyType::Bool)]);
    for kind in 0..kinds {
        let id = format!("aws.s{kind}.thing");
        schema.add_kind(
            &id,
            ["DataStore"],
            [
                ("encrypted", PropertyType::Bool),
                ("public", PropertyType::Bool),
                ("days", PropertyType::Int),
                ("class", PropertyType::String),
                ("created", PropertyType::Time),
                ("address", PropertyType::String),
                ("rules", PropertyType::Json),
            ],
        );
        schema.add_relation("IN_ACCOUNT", &id, "aws.account.account");
        schema.add_relation("ENCRYPTED_BY", &id, "aws.kms.key");
    }
    schema
}

/// Deterministic, and mixed enough.
fn number(seed: usize) -> usize {
    let mut state = seed as u64 ^ 0x9e37_79b9_7f4a_7c15;
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (state ^ (state >> 31)) as usize
}

fn graph(kinds: usize, each: usize) -> Graph {
    let mut builder = GraphBuilder::new(schema(kinds));
    builder.set_clock(Timestamp::parse("2026-11-01T00:00:00Z").unwrap());
    let accounts: Vec<_> = (0..50)
        .map(|at| {
            let name = format!("{at:012}");
            builder.add_node("aws.account.account", name.as_str(), &name, "global", Value::Null, Value::Null, vec![])
        })
        .collect();
    let keys: Vec<_> = (0..1000)
        .map(|at| {
            let properties = vec![(Arc::from("rotates"), Value::Bool(at % 3 == 0))];
            let account = format!("{:012}", at % 50);
            builder.add_node(
                "aws.kms.key",
                format!("key-{at}"),
                &account,
                "us-east-1",
                Value::Null,
                Value::Null,
                properties,
            )
        })
        .collect();
    let names = ["encrypted", "public", "days", "class", "created", "address", "rules"].map(Arc::<str>::from);
    let classes = ["standard", "cold", "glacier", "hot"].map(Value::from);
    let rule = |port: i64| {
        let fields = [(Arc::from("port"), Value::Int(port)), (Arc::from("cidr"), Value::from("0.0.0.0/0"))];
        Value::Map(Arc::new(fields.into_iter().collect()))
    };
    let rules: Vec<Value> = [22, 80, 443].map(|port| Value::List([rule(port), rule(port + 1)].into())).to_vec();
    for kind in 0..kinds {
        let id = format!("aws.s{kind}.thing");
        for at in 0..each {
            let seed = number(kind * each + at);
            let bool = |bit: usize| match seed >> bit & 15 {
                0 => Value::Unknown,
                1 => Value::Null,
                other => Value::Bool(other > 8),
            };
            let values = [
                bool(0),
                bool(4),
                Value::Int((seed >> 8 & 511) as i64),
                classes[seed >> 16 & 3].clone(),
                Value::Time(Timestamp(1_700_000_000_000_000 + (seed >> 20 & 0xffff) as i64 * 1_000_000_000)),
                Value::from(format!("10.{}.{}.{}", seed >> 24 & 255, seed >> 32 & 255, seed >> 40 & 255).as_str()),
                rules[seed % 3].clone(),
            ];
            let properties = names.iter().cloned().zip(values).collect();
            let account = format!("{:012}", seed % 50);
            let node = builder.add_node(
                &id,
                format!("arn:aws:s{kind}:us-east-1:{account}:thing/{at}"),
                &account,
                "us-east-1",
                Value::Null,
                Value::Null,
                properties,
            );
            builder.add_relation(node, "IN_ACCOUNT", accounts[seed % 50], vec![]);
            if seed >> 3 & 1 == 0 {
                builder.add_relation(node, "ENCRYPTED_BY", keys[seed % 1000], vec![]);
            }
        }
    }
    builder.mark_incomplete("aws.kms.key", "000000000003", "us-east-1");
    builder.finish()
}

/// As rules are: most over properties, some over lists, some over relations.
const CONDITIONS: [&str; 10] = [
    "NOT r.encrypted",
    "r.public AND NOT r.encrypted",
    "coalesce(r.days, 0) < 365",
    "r.class IN ['standard', 'hot'] AND r.public",
    "r.created < '2024-06-01'",
    "age_days(r.created) > 90 AND NOT r.public",
    "toLower(r.class) STARTS WITH 'gl' OR r.days > 500",
    "any(x IN r.rules WHERE x.port = 22 AND x.cidr = '0.0.0.0/0')",
    "NOT EXISTS { (r)-[:ENCRYPTED_BY]->(k:AwsKmsKey) WHERE k.rotates }",
    "r.public AND ip_in(r.address, '10.0.0.0/9') AND coalesce(r.encrypted, false) = false",
];

fn measure(name: &str, kinds: usize, each: usize) {
    let start = Instant::now();
    let graph = graph(kinds, each);
    println!(
        "{name}: {} nodes, {} relations built in {:?}",
        graph.node_count(),
        graph.relation_count(),
        start.elapsed()
    );
    let start = Instant::now();
    let schema = schema(kinds);
    let conditions: Vec<Condition> = (0..1000)
        .map(|at| {
            let kind = format!("aws.s{}.thing", at % kinds);
            Condition::compile(&schema, &kind, "r", CONDITIONS[at / kinds % 10]).unwrap()
        })
        .collect();
    println!("{name}: 1,000 conditions compiled in {:?}", start.elapsed());
    let start = Instant::now();
    let (judged, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    judge_all(&graph, &conditions, |_, verdicts| {
        judged.fetch_add(Truth::ALL.iter().map(|truth| verdicts.count(*truth)).sum(), Ordering::Relaxed);
        failed.fetch_add(verdicts.count(Truth::True), Ordering::Relaxed);
    });
    println!("{name}: {judged:?} judgements, {failed:?} true, in {:?}", start.elapsed());
    for text in CONDITIONS {
        let condition = Condition::compile(&schema, "aws.s0.thing", "r", text).unwrap();
        let start = Instant::now();
        let verdicts = condition.verdicts(&graph);
        let time = start.elapsed();
        println!(
            "    {time:>12?} {:>7} true {:>6} unknown  {text}",
            verdicts.count(Truth::True),
            verdicts.count(Truth::Unknown)
        );
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    println!("{name}: {}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default());
}

#[test]
#[ignore = "a benchmark"]
fn benchmark_of_a_million_nodes_in_a_hundred_kinds() {
    measure("spread", 100, 10_000);
}

#[test]
#[ignore = "a benchmark"]
fn benchmark_of_a_thousand_rules_over_one_kind() {
    measure("one kind", 1, 100_000);
}
