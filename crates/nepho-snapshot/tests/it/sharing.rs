//! What does not change is stored once.

use std::fs;

use nepho_graph::GraphBuilder;
use nepho_model::Value;
use nepho_snapshot::Store;

use super::{estate, options, schema, told};

fn one_more(builder: &mut GraphBuilder) {
    builder.add_node("aws.s3.bucket", "arn:new", "111", "eu-west-1", Value::Null, Value::Null, Vec::new());
}

#[test]
fn files_without_changes_are_shared() {
    let folder = tempfile::tempdir().unwrap();
    let (store, schema) = (Store::create(folder.path()).unwrap(), schema());
    let first = store.write(&estate("2026-11-25T06:30:00Z", |_| {}), &options(&schema)).unwrap();
    assert_eq!(first.shared_bytes, 0);
    let second = store.write(&estate("2026-11-26T06:30:00Z", |_| {}), &options(&schema)).unwrap();
    assert_eq!((second.shared_bytes, second.bytes), (first.bytes, first.bytes));
    let third = store.write(&estate("2026-11-27T06:30:00Z", one_more), &options(&schema)).unwrap();
    let role = fs::metadata(third.folder.join("kinds/aws.iam.role.parquet")).unwrap();
    // The bucket is the last of its kind: no row moved, so relations are as they were.
    let relations = fs::metadata(third.folder.join("relations/CAN_READ.parquet")).unwrap();
    assert_eq!(third.shared_bytes, role.len() + relations.len());
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        assert_eq!(role.nlink(), 3);
    }
    // What is shared stays when one of those who share it goes.
    let graph = estate("2026-11-27T06:30:00Z", one_more);
    store.remove(&first.id).unwrap();
    store.remove(&second.id).unwrap();
    let listed: Vec<_> = store.list().unwrap().into_iter().map(|listed| listed.id).collect();
    assert_eq!(listed, std::slice::from_ref(&third.id));
    assert_eq!(told(&store.latest().unwrap().unwrap().graph(&schema)), told(&graph));
}

#[test]
fn the_same_facts_are_the_same_files_and_the_same_snapshot() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let schema = schema();
    let graph = estate("2026-11-25T06:30:00Z", one_more);
    let first = Store::create(one.path()).unwrap().write(&graph, &options(&schema)).unwrap();
    // Also when the graph was read from a snapshot: its columns are held otherwise.
    let read = Store::open(one.path()).unwrap().latest().unwrap().unwrap().graph(&schema);
    let second = Store::create(other.path()).unwrap().write(&read, &options(&schema)).unwrap();
    assert_eq!(second.id, first.id);
    for name in ["kinds/aws.s3.bucket.parquet", "relations/CAN_READ.parquet"] {
        assert_eq!(fs::read(first.folder.join(name)).unwrap(), fs::read(second.folder.join(name)).unwrap());
    }
    let again = Store::open(one.path()).unwrap().write(&graph, &options(&schema)).unwrap();
    assert!(again.existed && again.id == first.id);
}

#[test]
fn a_damaged_file_is_not_shared() {
    let folder = tempfile::tempdir().unwrap();
    let (store, schema) = (Store::create(folder.path()).unwrap(), schema());
    let first = store.write(&estate("2026-11-25T06:30:00Z", |_| {}), &options(&schema)).unwrap();
    let path = first.folder.join("kinds/aws.s3.bucket.parquet");
    let mut bytes = fs::read(&path).unwrap();
    bytes[50] ^= 1;
    fs::write(&path, bytes).unwrap();
    let graph = estate("2026-11-26T06:30:00Z", |_| {});
    store.write(&graph, &options(&schema)).unwrap();
    assert_eq!(told(&store.latest().unwrap().unwrap().graph(&schema)), told(&graph));
    // Saving the damaged one again mends it.
    let mended = store.write(&estate("2026-11-25T06:30:00Z", |_| {}), &options(&schema)).unwrap();
    assert!(!mended.existed);
    assert_eq!(store.snapshot(&mended.id).unwrap().verify(), Vec::<String>::new());
}

#[test]
fn open_snapshots_hold_equal_columns_once() {
    let folder = tempfile::tempdir().unwrap();
    let (store, schema) = (Store::create(folder.path()).unwrap(), schema());
    let graphs = [("2026-11-25T06:30:00Z", false), ("2026-11-26T06:30:00Z", true)].map(|(clock, more)| {
        let graph = estate(clock, |builder| {
            if more {
                one_more(builder)
            }
        });
        let written = store.write(&graph, &options(&schema)).unwrap();
        store.snapshot(&written.id).unwrap().graph(&schema)
    });
    let held = |kind: &str| {
        let views = graphs.each_ref().map(|graph| graph.kind_views().find(|view| *view.part().kind == *kind).unwrap());
        let [old, new] = views.map(|view| (view.keys(), view.columns().last().unwrap().1));
        (std::ptr::eq(old.0, new.0), std::ptr::eq(old.1, new.1))
    };
    assert_eq!(held("aws.iam.role"), (true, true));
    assert_eq!(held("aws.s3.bucket"), (false, false));
}
