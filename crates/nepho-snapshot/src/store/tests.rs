use nepho_graph::{Graph, GraphBuilder, Schema};
use nepho_model::{Timestamp, Value};

use super::{Listed, Store, end_of, find, time_of_id};
use crate::write::WriteOptions;

fn graph(clock: &str, size: i64) -> Graph {
    let mut builder = GraphBuilder::new(Schema::open());
    builder.set_clock(Timestamp::parse(clock).unwrap());
    let bucket = |builder: &mut GraphBuilder, key: &str, size| {
        builder.add_node("a.bucket", key, "1", "eu", Value::Null, Value::Null, vec![("size".into(), Value::Int(size))])
    };
    let (one, other) = (bucket(&mut builder, "k1", size), bucket(&mut builder, "k2", 7));
    builder.add_relation(one, "NEXT", other, Vec::new());
    builder.add_node("b.role", "r", "1", "", Value::Null, Value::Null, Vec::new());
    builder.finish()
}

/// Stops at every single change to the file system, and looks what is left.
#[test]
fn a_crash_at_any_change_leaves_the_old_or_the_new() {
    for changes in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path()).unwrap();
        let old = store.write(&graph("2026-11-25T06:30:00Z", 1), &WriteOptions::default()).unwrap();
        let failing = Store::failing_after(folder.path(), changes);
        let outcome = failing.write(&graph("2026-11-26T06:30:00Z", 2), &WriteOptions::default());
        let latest = store.latest().unwrap().unwrap();
        assert_eq!(latest.verify(), Vec::<String>::new());
        match &outcome {
            Ok(written) => assert_eq!(latest.id(), written.id),
            // The last change of all is the flush of a name that is there already.
            Err(_) => assert!(latest.id() == old.id || latest.manifest().time.to_string().contains("11-26")),
        }
        // The next write finds everything in order.
        let next = store.write(&graph("2026-11-27T06:30:00Z", 3), &WriteOptions::default()).unwrap();
        assert_eq!(store.latest().unwrap().unwrap().id(), next.id);
        let hidden = store.names().unwrap().into_iter().filter(|name| name.starts_with('.')).collect::<Vec<_>>();
        assert_eq!(hidden, [".lock"]);
        if outcome.is_ok() {
            assert!(changes > 15, "only {changes} changes");
            return;
        }
    }
}

#[test]
fn snapshots_are_found_by_id_time_and_place() {
    let listed: Vec<Listed> =
        ["2026-11-24T06-30-00Z-00000001", "2026-11-25T06-30-00.5Z-00000002", "2026-11-25T18-00-00Z-00000003"]
            .map(|id| Listed { time: time_of_id(id).unwrap(), written: Timestamp(0), id: id.to_owned() })
            .to_vec();
    for (text, place) in [
        ("latest", Some(2)),
        ("latest~1", Some(1)),
        ("latest~3", None),
        ("latest~x", None),
        ("2026-11-24T06-30-00Z-00000001", Some(0)),
        ("2026-11-24T06-30", Some(0)),
        ("2026-11-25T", None),
        ("2026-11-25", Some(2)),
        ("2026-11-25T06:30:00Z", Some(0)),
        ("2026-11-25T07:00:00Z", Some(1)),
        ("2026-11-23", None),
        ("", None),
    ] {
        assert_eq!(find(&listed, text), place.map(|place: usize| &listed[place]), "{text}");
    }
    assert_eq!(end_of("2026-11-25").unwrap().to_string(), "2026-11-25T23:59:59.999999Z");
    assert_eq!(time_of_id("2026-11-24T06-30-00Z"), None);
    assert_eq!(time_of_id(".writing-1"), None);
}

#[test]
fn an_error_names_the_nearest_snapshots() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path()).unwrap();
    let none = store.find("latest").unwrap_err().to_string();
    assert!(none.contains("has no snapshots; `nephoscope scan --store"), "{none}");
    for day in 24..27 {
        store.write(&graph(&format!("2026-11-{day}T06:30:00Z"), 1), &WriteOptions::default()).unwrap();
    }
    let error = store.find("2026-11-20").unwrap_err().to_string();
    assert!(error.contains("the nearest are `2026-11-24T") && error.contains("and `2026-11-25T"), "{error}");
}
