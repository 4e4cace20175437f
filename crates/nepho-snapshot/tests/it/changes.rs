//! What changed between two snapshots.

use nepho_graph::{Graph, GraphBuilder, Schema};
use nepho_model::{CoverageEntry, CoverageState, Severity, Value, Verdict};
use nepho_snapshot::{Diff, Relation, Resource, Snapshot, Store, VerdictRow, WriteOptions, diff};

use super::{estate, options, schema, time};

/// Buckets by key, account, region and size; relations between them by key; roles whose relations are unread.
struct Facts<'f> {
    buckets: &'f [(&'f str, &'f str, &'f str, Value)],
    relations: &'f [(&'f str, &'f str, i64)],
    unread: &'f [&'f str],
    incomplete: &'f [(&'f str, &'f str)],
}

fn graph(clock: &str, facts: &Facts<'_>) -> Graph {
    let mut builder = GraphBuilder::new(Schema::open());
    builder.set_clock(time(clock));
    for (key, account, region, size) in facts.buckets {
        let properties = vec![("size".into(), size.clone())];
        builder.add_node("a.bucket", key, account, region, Value::Null, Value::Null, properties);
    }
    for (from, to, weight) in facts.relations {
        let (from, to) = (builder.find("a.bucket", from).unwrap(), builder.find("a.bucket", to).unwrap());
        builder.add_relation(from, "NEXT", to, vec![("weight".into(), Value::Int(*weight))]);
    }
    for key in facts.unread {
        let node = builder.find("a.bucket", key).unwrap();
        builder.mark_unknown_relation(node, "NEXT");
    }
    for (account, region) in facts.incomplete {
        builder.mark_incomplete("a.bucket", account, region);
    }
    builder.finish()
}

fn saved(store: &Store, graph: &Graph, coverage: &[CoverageEntry], verdicts: Option<Vec<VerdictRow>>) -> Snapshot {
    let options = WriteOptions { coverage, verdicts, ..WriteOptions::default() };
    let id = store.write(graph, &options).unwrap().id;
    store.snapshot(&id).unwrap()
}

fn difference(old: &Facts<'_>, new: &Facts<'_>, coverage: [&[CoverageEntry]; 2]) -> Diff {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path()).unwrap();
    let [before, after] = coverage;
    let old = saved(&store, &graph("2026-11-25T00:00:00Z", old), before, Some(Vec::new()));
    let new = saved(&store, &graph("2026-11-26T00:00:00Z", new), after, Some(Vec::new()));
    diff(&old, &new)
}

fn keys(resources: &[Resource]) -> Vec<&str> {
    resources.iter().map(|resource| &*resource.key).collect()
}

fn ends(relations: &[Relation]) -> Vec<(&str, &str)> {
    relations.iter().map(|relation| (&*relation.from.key, &*relation.to.key)).collect()
}

#[test]
fn resources_and_properties() {
    let old = Facts {
        buckets: &[
            ("a", "1", "eu", Value::Int(1)),
            ("b", "1", "eu", Value::Int(1)),
            ("c", "1", "eu", Value::Unknown),
            ("d", "1", "eu", Value::Null),
            ("e", "1", "eu", Value::Int(7)),
            ("e", "2", "eu", Value::Int(7)),
        ],
        relations: &[],
        unread: &[],
        incomplete: &[],
    };
    let new = Facts {
        buckets: &[
            ("b", "1", "eu", Value::Int(2)),
            ("bb", "1", "eu", Value::Int(1)),
            ("c", "1", "eu", Value::Null),
            ("d", "1", "us", Value::from("text")),
            ("e", "1", "eu", Value::Int(7)),
            ("e", "3", "eu", Value::Int(7)),
        ],
        ..old
    };
    let diff = difference(&old, &new, [&[], &[]]);
    assert_eq!(keys(&diff.resources.added), ["bb", "e"]);
    assert_eq!(keys(&diff.resources.removed), ["a", "e"]);
    assert_eq!(&*diff.resources.removed[1].account, "2");
    let changes: Vec<String> = diff
        .resources
        .changed
        .iter()
        .flat_map(|changed| changed.properties.iter().map(|of| (changed.resource.key.clone(), of)))
        .map(|(key, of)| format!("{key}.{}: {} -> {}", of.name, of.old, of.new))
        .collect();
    let expected = [
        "b.size: 1 -> 2",
        r#"c.size: {"unknown":true} -> null"#,
        r#"d.region: "eu" -> "us""#,
        r#"d.size: null -> "text""#,
    ];
    assert_eq!(changes, expected);
    assert!(diff.faults.is_empty() && diff.notes.is_empty(), "{diff:?}");
}

#[test]
fn what_was_not_listed_is_not_gone() {
    let buckets = [
        ("a", "1", "eu", Value::Null),
        ("b", "1", "us", Value::Null),
        ("c", "2", "eu", Value::Null),
        ("d", "3", "eu", Value::Null),
    ];
    let old = Facts { buckets: &buckets, relations: &[("a", "b", 1), ("c", "d", 1)], unread: &[], incomplete: &[] };
    let none = Facts { buckets: &[], relations: &[], unread: &[], incomplete: &[("1", "eu"), ("2", "")] };
    let gone = difference(&old, &none, [&[], &[]]);
    assert_eq!(keys(&gone.resources.removed), ["b", "d"]);
    assert_eq!(keys(&gone.resources.not_seen), ["a", "c"]);
    assert_eq!(ends(&gone.relations.not_seen), [("a", "b"), ("c", "d")]);
    // The other way round: not seen before is not new.
    let new = difference(&none, &old, [&[], &[]]);
    assert_eq!(keys(&new.resources.added), ["b", "d"]);
    assert_eq!(keys(&new.resources.newly_seen), ["a", "c"]);
}

#[test]
fn what_was_not_asked_for_is_not_gone() {
    let entry = |account: &str, region: &str, state| CoverageEntry {
        account: account.into(),
        region: region.into(),
        kind: "a.bucket".into(),
        call: "a:List".into(),
        state,
        code: "".into(),
        message: "".into(),
        lists: true,
        items: 1,
    };
    let buckets = [("a", "1", "eu", Value::Null), ("b", "1", "us", Value::Null), ("c", "2", "global", Value::Null)];
    let old = Facts { buckets: &buckets, relations: &[], unread: &[], incomplete: &[] };
    let none = Facts { buckets: &[], ..old };
    let all = [
        entry("1", "eu", CoverageState::Complete),
        entry("1", "us", CoverageState::Complete),
        entry("2", "us", CoverageState::Complete),
    ];
    let gone = |after: &[CoverageEntry]| {
        let diff = difference(&old, &none, [&all, after]);
        diff.resources.removed.iter().map(|resource| resource.key.to_string()).collect::<String>()
    };
    assert_eq!(gone(&all), "abc");
    // Account 2 was no part of the later scan; a denied list is no list.
    assert_eq!(gone(&all[..2]), "ab");
    assert_eq!(gone(&[entry("1", "eu", CoverageState::Complete), entry("1", "us", CoverageState::Denied)]), "a");
    assert_eq!(gone(&[entry("2", "us", CoverageState::Complete)]), "c");
}

#[test]
fn relations() {
    let buckets = ["a", "b", "c", "d"].map(|key| (key, "1", "eu", Value::Null));
    let fewer = ["aa", "b", "c", "d"].map(|key| (key, "1", "eu", Value::Null));
    let old = Facts {
        buckets: &buckets,
        relations: &[("a", "b", 1), ("b", "c", 1), ("b", "d", 1), ("c", "d", 1), ("c", "d", 2)],
        unread: &[],
        incomplete: &[],
    };
    let new = Facts {
        buckets: &fewer,
        relations: &[("aa", "b", 1), ("b", "c", 5), ("c", "d", 1), ("d", "d", 1)],
        unread: &["b"],
        incomplete: &[],
    };
    let diff = difference(&old, &new, [&[], &[]]);
    assert_eq!(ends(&diff.relations.added), [("d", "d")]);
    assert_eq!(ends(&diff.relations.newly_seen), [("aa", "b")]);
    assert_eq!(ends(&diff.relations.removed), [("c", "d")]);
    assert_eq!(ends(&diff.relations.not_seen), [("a", "b"), ("b", "d")]);
    let changed: Vec<_> = diff
        .relations
        .changed
        .iter()
        .map(|changed| (&*changed.relation.from.key, &changed.properties[0].old, &changed.properties[0].new))
        .collect();
    assert_eq!(changed, [("b", &1.into(), &5.into())]);
}

#[test]
fn verdicts() {
    let row = |rule: &str, key: &str, verdict| VerdictRow {
        rule: rule.into(),
        kind: "a.bucket".into(),
        key: key.into(),
        account: "1".into(),
        verdict,
        severity: Severity::High,
        reason: "".into(),
    };
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path()).unwrap();
    let facts = Facts { buckets: &[("a", "1", "eu", Value::Null)], relations: &[], unread: &[], incomplete: &[] };
    let before = vec![row("r", "a", Verdict::Fail), row("r", "b", Verdict::Pass), row("s", "a", Verdict::Pass)];
    let after = vec![row("r", "a", Verdict::Pass), row("r", "c", Verdict::Fail), row("s", "a", Verdict::Pass)];
    let old = saved(&store, &graph("2026-11-25T00:00:00Z", &facts), &[], Some(before));
    let new = saved(&store, &graph("2026-11-26T00:00:00Z", &facts), &[], Some(after));
    let verdicts = diff(&old, &new).verdicts;
    assert_eq!((verdicts.changed[0].old, verdicts.changed[0].row.verdict), (Verdict::Fail, Verdict::Pass));
    let keys = |rows: &[VerdictRow]| rows.iter().map(|row| row.key.to_string()).collect::<String>();
    assert_eq!((keys(&verdicts.added), keys(&verdicts.removed), verdicts.changed.len()), ("c".into(), "b".into(), 1));
    let unjudged = saved(&store, &graph("2026-11-27T00:00:00Z", &facts), &[], None);
    assert!(diff(&new, &unjudged).notes[0].contains("no rules were run for `2026-11-27"));
}

/// Of files that are the same nothing is read: not even damage to them is noticed.
#[test]
fn only_what_differs_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let (store, schema) = (Store::create(folder.path()).unwrap(), schema());
    let old = store.write(&estate("2026-11-25T00:00:00Z", |_| {}), &options(&schema)).unwrap();
    let new = estate("2026-11-26T00:00:00Z", |builder| {
        builder.add_node("other.kind", "k", "111", "eu", Value::Null, Value::Null, Vec::new());
    });
    let new = store.write(&new, &options(&schema)).unwrap();
    let damage = |name: &str| {
        let path = new.folder.join(name);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[20] ^= 1;
        std::fs::write(path, bytes).unwrap();
    };
    damage("kinds/aws.s3.bucket.parquet");
    damage("relations/CAN_READ.parquet");
    let compare = || diff(&store.snapshot(&old.id).unwrap(), &store.snapshot(&new.id).unwrap());
    let before = compare();
    assert!(before.faults.is_empty() && before.resources.changed.is_empty());
    assert_eq!(keys(&before.resources.newly_seen), ["k"]);
    // A damaged file that is needed is told.
    damage("kinds/other.kind.parquet");
    let after = compare();
    assert!(after.faults[0].contains("other.kind.parquet` is damaged"), "{:?}", after.faults);
}
