//! DuckDB reads what we write, and sees the same. Needs its Python package: `cargo xtask test` installs it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use nepho_graph::{NodeRef, ResultValue, Walk};
use nepho_model::{Severity, Verdict};
use nepho_snapshot::{Store, VerdictRow, WriteOptions, write};
use serde_json::{Value as Json, json};

use super::{estate, options, schema};

/// Runs each query over the tables of the folder; rows as lists.
fn duckdb(folder: &std::path::Path, queries: &[&str]) -> Vec<Json> {
    const SCRIPT: &str = "
import duckdb, json, os, sys
os.chdir(sys.argv[1])
print(json.dumps([duckdb.sql(query).fetchall() for query in json.load(sys.stdin)], default=str))
";
    let python = std::env::var("NEPHO_PYTHON").expect("NEPHO_PYTHON is not set: run the tests with `cargo xtask test`");
    let mut child = Command::new(python)
        .args(["-c", SCRIPT])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(json!(queries).to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What the graph says of a property, in the form of the query below.
fn cell(node: &NodeRef<'_>, name: &str) -> Json {
    match node.properties().find(|(of, _)| *of == name).map(|(_, value)| value).unwrap_or_default() {
        ResultValue::Bool(flag) => json!(flag),
        ResultValue::Int(whole) => json!(whole),
        ResultValue::Float(number) => json!(number),
        ResultValue::String(text) => json!(text),
        ResultValue::Time(time) => json!(time.0),
        ResultValue::List(items) => {
            let items: Vec<Json> = items.iter().map(|item| item.to_value().to_json()).collect();
            json!(json!(items).to_string())
        }
        _ => Json::Null,
    }
}

#[test]
fn duckdb_sees_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let schema = schema();
    let graph = estate("2026-11-25T06:30:00Z", |_| {});
    let verdict = |rule: &str, key: &str, reason: &str| VerdictRow {
        rule: rule.into(),
        kind: "aws.s3.bucket".into(),
        key: key.into(),
        account: "111".into(),
        verdict: Verdict::Fail,
        severity: Severity::High,
        reason: reason.into(),
    };
    let verdicts = vec![verdict("b", "k", ""), verdict("a", "k", "because")];
    let options = WriteOptions { verdicts: Some(verdicts), ..options(&schema) };
    write(folder.path(), &graph, &options).unwrap();
    let snapshot = Store::open(folder.path()).unwrap().latest().unwrap().unwrap();

    let answers = duckdb(
        snapshot.folder(),
        &[
            "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM 'kinds/aws.s3.bucket.parquet')",
            "SELECT row, kind, key, account, region, name, tags::VARCHAR, size, share, encrypted, encrypted__unknown,
                epoch_us(created), owner, actions::VARCHAR, policy__unknown
                FROM 'kinds/aws.s3.bucket.parquet' ORDER BY row",
            "SELECT f.key, t.key, epoch_us(r.since) FROM 'relations/CAN_READ.parquet' r
                JOIN read_parquet('kinds/*.parquet', union_by_name = true) f ON (f.kind, f.row) = (r.from_kind, r.from_row)
                JOIN read_parquet('kinds/*.parquet', union_by_name = true) t ON (t.kind, t.row) = (r.to_kind, r.to_row)
                ORDER BY 1, 2",
            "SELECT rule, kind, key, account, verdict, severity, reason FROM 'verdicts.parquet'",
            "SELECT actions->>'$[0]', count(*) FROM 'kinds/aws.s3.bucket.parquet' GROUP BY 1 ORDER BY 1",
            "SELECT min(created) < TIMESTAMPTZ '2023-11-14 22:13:21Z' FROM 'kinds/aws.s3.bucket.parquet'",
            "SELECT count(*), min(row), max(row) FROM read_parquet('kinds/*.parquet', union_by_name = true)",
        ],
    );

    let types = json!([
        ["row", "INTEGER"],
        ["kind", "VARCHAR"],
        ["key", "VARCHAR"],
        ["account", "VARCHAR"],
        ["region", "VARCHAR"],
        ["name", "VARCHAR"],
        ["tags", "JSON"],
        ["size", "BIGINT"],
        ["share", "DOUBLE"],
        ["encrypted", "BOOLEAN"],
        ["encrypted__unknown", "BOOLEAN"],
        ["created", "TIMESTAMP WITH TIME ZONE"],
        ["owner", "VARCHAR"],
        ["actions", "JSON"],
        ["policy", "JSON"],
        ["policy__unknown", "BOOLEAN"],
        ["never_seen", "TIMESTAMP WITH TIME ZONE"],
    ]);
    assert_eq!(answers[0], types);

    let unknown = |node: &NodeRef<'_>, name: &str| {
        json!(node.properties().any(|(of, value)| of == name && matches!(value, ResultValue::Unknown)))
    };
    let buckets: Vec<Json> = graph
        .nodes_of("aws.s3.bucket")
        .enumerate()
        .map(|(row, node)| {
            let mut cells = vec![json!(row), json!(node.kind()), json!(node.key()), json!(node.account())];
            cells.push(json!(node.region()));
            cells.extend(["name", "tags", "size", "share", "encrypted"].map(|name| cell(&node, name)));
            cells.push(unknown(&node, "encrypted"));
            cells.extend(["created", "owner", "actions"].map(|name| cell(&node, name)));
            cells.push(unknown(&node, "policy"));
            json!(cells)
        })
        .collect();
    assert_eq!(answers[1], json!(buckets));

    let mut relations: Vec<(String, String, i64)> = Vec::new();
    for node in graph.nodes_of("aws.iam.role") {
        for (relation, bucket) in node.neighbours(Some("CAN_READ"), Walk::Out) {
            let Some((_, ResultValue::Time(since))) = relation.properties().next() else { panic!("no time") };
            relations.push((node.key().to_owned(), bucket.key().to_owned(), since.0));
        }
    }
    relations.sort();
    assert_eq!(answers[2], json!(relations));
    let verdicts = json!([
        ["a", "aws.s3.bucket", "k", "111", "fail", "high", "because"],
        ["b", "aws.s3.bucket", "k", "111", "fail", "high", null],
    ]);
    assert_eq!(answers[3], verdicts);
    assert_eq!(answers[4], json!([["s3:Get0", 14], ["s3:Get1", 13], ["s3:Get2", 13]]));
    assert_eq!(answers[5], json!([[true]]));
    assert_eq!(answers[6], json!([[46, 0, 39]]));
}
