//! A writer that is killed at any moment leaves the snapshot before it as it was.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nepho_snapshot::Store;

use super::{estate, options, schema, told};

const STORE: &str = "NEPHO_TEST_STORE_TO_WRITE";

/// Not a test by itself: what the killed process runs.
#[test]
fn writer() {
    let Some(folder) = std::env::var_os(STORE) else { return };
    let store = Store::create(Path::new(&folder)).unwrap();
    let schema = schema();
    for day in 1..=20 {
        store.write(&estate(&format!("2026-12-{day:02}T00:00:00Z"), |_| {}), &options(&schema)).unwrap();
    }
}

#[test]
fn a_killed_writer_leaves_complete_snapshots_only() {
    let folder = tempfile::tempdir().unwrap();
    let schema = schema();
    let store = Store::create(folder.path()).unwrap();
    store.write(&estate("2026-11-25T06:30:00Z", |_| {}), &options(&schema)).unwrap();
    let mut wait = Duration::from_millis(1);
    for _ in 0..12 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["crash::writer", "--exact"])
            .env(STORE, folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // Each time a little later, so that it is killed at another moment.
        let started = Instant::now();
        while started.elapsed() < wait && child.try_wait().unwrap().is_none() {
            std::hint::spin_loop();
        }
        wait = wait * 3 / 2;
        child.kill().ok();
        child.wait().unwrap();
        for listed in store.list().unwrap() {
            let snapshot = store.snapshot(&listed.id).unwrap();
            assert_eq!(snapshot.verify(), Vec::<String>::new());
            let right = estate(&listed.time.to_string(), |_| {});
            assert_eq!(told(&snapshot.graph(&schema)), told(&right));
        }
    }
    let last = store.write(&estate("2027-01-01T00:00:00Z", |_| {}), &options(&schema)).unwrap();
    assert_eq!(store.latest().unwrap().unwrap().id(), last.id);
    let left = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> = left.filter(|name| name.starts_with('.') && name != ".lock").collect();
    assert_eq!(left, Vec::<String>::new());
}
