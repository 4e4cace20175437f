//! Any text over any graph ends in rows or in an error.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "helpers of tests")]

use std::sync::Arc;
use std::time::Duration;

#[path = "harness/any_text.rs"]
mod any_text;

use nepho_graph::{Condition, Graph, GraphBuilder, Limits, Parameters, Query, Schema, Truth};
use nepho_model::{Timestamp, Value};
use proptest::prelude::*;

const WORDS: &[&str] = &[
    "MATCH",
    "OPTIONAL",
    "WHERE",
    "RETURN",
    "WITH",
    "UNWIND",
    "AS",
    "DISTINCT",
    "ORDER BY",
    "SKIP",
    "LIMIT",
    "UNION",
    "ALL",
    "EXISTS",
    "COUNT",
    "COLLECT",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "AND",
    "OR",
    "XOR",
    "NOT",
    "IN",
    "IS",
    "NULL",
    "null",
    "true",
    "false",
    "a",
    "b",
    "r",
    "p",
    "x",
    "A",
    "B",
    "T",
    "n",
    "n.p",
    "r.q",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "(n)",
    "(n:A)",
    "(r)",
    "-[",
    "]->",
    "-->",
    "<--",
    "--",
    "-[:T]->",
    "-[*1..3]->",
    "-[*]-",
    "-[x:T*0..2]-",
    "-[x:!T]->",
    "-[x:T*0..2 WHERE x.q > 1]->",
    "((u)-[:T]->(v)){1,2}",
    "((u)-[q:T]->(v) WHERE u.p < v.p)+",
    "((u)-->()<--(v)){0,2}",
    "(w = (u)-[:T]->(v) WHERE u.p = 1){2}",
    "((u)--(v))",
    "SHORTEST 2",
    "SHORTEST 1 GROUPS",
    "ANY",
    "ALL SHORTEST",
    "shortestPath((a)-[*]->(b))",
    "datetime('2017-10-29T02:30[Europe/Stockholm]')",
    ":",
    ",",
    ".",
    "..",
    "|",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "=",
    "<>",
    "<",
    "<=",
    ">",
    "=~",
    "STARTS WITH",
    "CONTAINS",
    "1",
    "0",
    "-1",
    "9223372036854775807",
    "1.5",
    "1e308",
    "'a'",
    "''",
    "'2026-01-01'",
    "$p",
    "size(",
    "range(",
    "reduce(",
    "any(",
    "all(x IN",
    "single(x IN [1] WHERE",
    "count(*)",
    "count(",
    "sum(",
    "collect(",
    "shortestPath(",
    "head(",
    "substring(",
    "left('abc', ",
    "toInteger(",
    "date(",
    "duration(",
    "datetime()",
    "duration.between(",
    "labels(n)",
    "nodes(p)",
    "glob(",
    "cidr_contains(",
    "age_days(",
    "p =",
    "*",
    "ä",
    "`q`",
    "//",
    "/*",
];

const STATEMENTS: &[&str] = &[
    "MATCH (n) RETURN n",
    "MATCH p = (n:A)-[x*0..3]-(m) WHERE n.p = m.p RETURN p, length(p) ORDER BY length(p) LIMIT 5",
    "MATCH (n)-[x]->(m) WITH n, collect(m.q) AS c WHERE size(c) > 1 RETURN n.p, c[0], c[1..]",
    "MATCH (n) OPTIONAL MATCH (n)<-[x:T]-(m) RETURN n, m.p + n.p, count(*)",
    "MATCH (n) RETURN EXISTS { (n)-->(:B) }, COUNT { MATCH (n)--(m) WHERE m.p > 1 }, [(n)--(m) | m.q]",
    "UNWIND range(1, 10) AS x RETURN reduce(s = 0, y IN range(0, x) | s + y * x)",
    "MATCH p = allShortestPaths((a:A)-[:T*]->(b:B)) RETURN p",
    "MATCH (n) RETURN DISTINCT n.p ORDER BY n.p DESC UNION RETURN 1 AS `n.p`",
];

const CONDITIONS: &[&str] = &[
    "r.p = 1",
    "NOT r.q OR r.p > 1.5",
    "r.s IN ['a', null] AND coalesce(r.p, 0) < 2",
    "EXISTS { (r)-[:T]->(:B) }",
    "NOT (r)--(:A) XOR r.s STARTS WITH 'a'",
    "any(x IN [r.p, r.q, r.s] WHERE x = 1) AND r.s =~ 'a.*'",
    "COUNT { (r)-->(x) WHERE x.p > 0 } >= 2",
    "CASE WHEN r.q THEN r.p > 0 ELSE r.s IS NULL END",
    "r.t < '2026-01-01' OR age_days(r.t) > 3",
];

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(Value::Unknown),
        any::<bool>().prop_map(Value::Bool),
        (-2i64..3).prop_map(Value::Int),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_map(Value::Float),
        "[a-c]{0,2}".prop_map(|text| Value::from(text.as_str())),
        any::<i64>().prop_map(|time| Value::Time(Timestamp(time))),
        prop::collection::vec(Just(Value::Int(1)), 0..3).prop_map(|items| Value::List(items.into())),
    ]
}

type Parts = (Vec<(bool, Vec<Value>)>, Vec<(usize, usize, bool)>, Vec<usize>, bool);

fn parts() -> impl Strategy<Value = Parts> {
    (
        prop::collection::vec((any::<bool>(), prop::collection::vec(value(), 4)), 1..7),
        prop::collection::vec((0usize..7, 0usize..7, any::<bool>()), 0..10),
        prop::collection::vec(0usize..7, 0..2),
        any::<bool>(),
    )
}

fn graph((nodes, relations, unread, incomplete): &Parts) -> Graph {
    let mut builder = GraphBuilder::new(Schema::open());
    let handles: Vec<_> = nodes
        .iter()
        .enumerate()
        .map(|(at, (first, values))| {
            let names = ["p", "q", "s", "t"].map(Arc::from);
            let properties = names.into_iter().zip(values.iter().cloned()).collect();
            let region = if at % 2 == 0 { "x" } else { "global" };
            builder.add_node(
                if *first { "a" } else { "b" },
                at.to_string(),
                "1",
                region,
                Value::Null,
                Value::Unknown,
                properties,
            )
        })
        .collect();
    for (from, to, first) in relations {
        let (from, to) = (handles[from % handles.len()], handles[to % handles.len()]);
        builder.add_relation(from, if *first { "T" } else { "U" }, to, vec![("p".into(), Value::Int(1))]);
    }
    for node in unread {
        builder.mark_unknown_relation(handles[node % handles.len()], "T");
    }
    if *incomplete {
        builder.mark_incomplete("b", "1", "x");
    }
    builder.finish()
}

fn run(graph: &Graph, text: &str) {
    any_text::run(graph, &Schema::open(), text);
    if let Ok(condition) = Condition::compile(&Schema::open(), "a", "r", text) {
        judge(graph, &condition);
    }
}

/// By column and row by row must say the same, and only the unknown has causes.
fn judge(graph: &Graph, condition: &Condition) {
    for (node, truth) in condition.evaluate(graph) {
        assert_eq!(condition.at(graph, node), truth, "{} at {node:?}", condition.text());
        let causes = condition.unknown_causes(graph, node);
        assert!(truth == Truth::Unknown || causes.is_empty(), "{} is {truth:?}: {causes:?}", condition.text());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn on_words_in_any_order(words in prop::collection::vec(prop::sample::select(WORDS), 0..25), parts in parts()) {
        let graph = graph(&parts);
        run(&graph, &words.join(" "));
        run(&graph, &format!("RETURN {}", words.join(" ")));
    }

    #[test]
    fn on_statements_with_pieces_exchanged(
        text in prop::sample::select(STATEMENTS),
        at in any::<prop::sample::Index>(),
        word in prop::sample::select(WORDS),
        cut in 0usize..6,
        parts in parts(),
    ) {
        let graph = graph(&parts);
        run(&graph, text);
        let mut signs: Vec<char> = text.chars().collect();
        let at = at.index(signs.len());
        let end = (at + cut).min(signs.len());
        signs.splice(at..end, word.chars());
        run(&graph, &signs.into_iter().collect::<String>());
    }

    #[test]
    fn on_any_characters(text in "\\PC{0,60}") {
        run(&graph(&(vec![(true, vec![Value::Null; 4])], vec![], vec![], false)), &text);
    }

    #[test]
    fn conditions_agree_by_column_and_by_row(text in prop::sample::select(CONDITIONS), parts in parts()) {
        let graph = graph(&parts);
        judge(&graph, &Condition::compile(&Schema::open(), "a", "r", text).unwrap());
    }

    #[test]
    fn nodes_are_numbered_alike_in_any_order(parts in parts(), turn in any::<bool>()) {
        let one = graph(&(parts.0.clone(), vec![], vec![], false));
        let mut builder = GraphBuilder::new(Schema::open());
        let mut nodes: Vec<_> = parts.0.iter().enumerate().collect();
        if turn {
            nodes.reverse();
        }
        for (at, (first, values)) in nodes {
            let properties = ["p", "q", "s", "t"].map(Arc::from).into_iter().zip(values.iter().cloned()).collect();
            let region = if at % 2 == 0 { "x" } else { "global" };
            builder.add_node(if *first { "a" } else { "b" }, at.to_string(), "1", region, Value::Null, Value::Unknown, properties);
        }
        let other = builder.finish();
        let shown = |graph: &Graph| graph.nodes().map(|node| format!("{:?} {} {:?}", node.id(), node.key(), node.property("p"))).collect::<Vec<_>>();
        prop_assert_eq!(shown(&one), shown(&other));
    }
}

#[test]
fn deep_and_long_texts_are_refused_or_run() {
    let graph = graph(&(vec![(true, vec![Value::Int(1); 4])], vec![], vec![], false));
    for text in [
        format!("RETURN {}1{}", "(".repeat(5000), ")".repeat(5000)),
        format!("RETURN {}1{}", "[".repeat(90), "]".repeat(90)),
        format!("RETURN {}true", "NOT ".repeat(2900)),
        format!("RETURN {}1", "-".repeat(2900)),
        format!("RETURN 1{}", " + 1".repeat(1400)),
        format!("RETURN true{}", " AND true".repeat(1400)),
        format!("RETURN 1{}", " < 2".repeat(1400)),
        format!("RETURN {}1{}", "CASE WHEN true THEN ".repeat(700), " END".repeat(700)),
        format!("MATCH {} RETURN 1", "(a)".repeat(1000)),
        format!("MATCH (a){} RETURN 1", "-->()".repeat(500)),
        format!("RETURN [{}]", "1,".repeat(9000) + "1"),
        "RETURN reduce(a = [], x IN range(1, 100000) | [a])".to_owned(),
        "RETURN reduce(a = [1], x IN range(1, 100) | a + a)".to_owned(),
        "RETURN range(1, 9223372036854775807)".to_owned(),
        "UNWIND range(1, 19999) AS a UNWIND range(1, 19999) AS b UNWIND range(1, 19999) AS c RETURN count(*)"
            .to_owned(),
    ] {
        run(&graph, &text);
    }
}

/// What the fuzzer starts from, and what it found.
#[test]
fn on_the_corpus_of_the_fuzzer() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/query");
    let graph = any_text::graph(any_text::schema());
    let files: Vec<_> = std::fs::read_dir(corpus).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.len() > 50);
    for file in files {
        if let Ok(text) = std::fs::read_to_string(file) {
            any_text::run(&graph, &Schema::open(), &text);
            any_text::run(&graph, &any_text::schema(), &text);
        }
    }
}

#[test]
fn limits_end_a_query_with_a_clear_error() {
    let graph = graph(&(vec![(true, vec![Value::Int(1); 4])], vec![], vec![], false));
    let run = |text: &str, limits: &Limits<'_>| {
        Query::compile(&Schema::open(), text).unwrap().run(&graph, &Parameters::new(), limits).unwrap_err().message
    };
    let crossed = "UNWIND range(1, 9999) AS a UNWIND range(1, 9999) AS b UNWIND range(1, 9999) AS c RETURN ";
    let time = Limits { time: Some(Duration::from_millis(50)), ..Limits::default() };
    assert_eq!(run(&format!("{crossed} count(*)"), &time), "the query took longer than its time limit");
    let rows = Limits { memory_rows: 10_000, ..Limits::default() };
    assert_eq!(run(&format!("{crossed} a"), &rows), "the query holds more than 10000 rows, its memory limit");
    let cancel = std::sync::atomic::AtomicBool::new(true);
    let cancelled = Limits { cancel: Some(&cancel), ..Limits::default() };
    assert_eq!(run(&format!("{crossed} count(*)"), &cancelled), "the query was cancelled");
}
