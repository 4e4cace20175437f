//! Recording, replaying, resuming; damage of all kinds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod common;

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use common::*;
use nepho_collect::*;
use serde_json::json;

fn manifest() -> Manifest {
    Manifest { salt: "pepper".into(), ..Manifest::new("aws".into(), &[]) }
}

async fn record(folder: &Path) -> Run {
    let recorder = Recorder::create(folder, &manifest()).unwrap();
    run(collection(&all(), Arc::new(world()), Source::Live, Some(recorder))).await
}

fn open(path: &Path) -> Arc<Replay> {
    Arc::new(Replay::open(&[path.to_owned()], None).unwrap())
}

async fn replayed(replay: Arc<Replay>) -> Run {
    let fake = Arc::new(Fake::default());
    let run = run(collection(&all(), fake.clone(), Source::Replay(replay), None)).await;
    assert_eq!(fake.total(), 0, "a replay calls nothing");
    run
}

#[tokio::test]
async fn a_replay_gives_what_the_collection_gave() {
    let folder = tempfile::tempdir().unwrap();
    let live = record(folder.path()).await;
    let replay = open(folder.path());
    assert_eq!(replay.notes(), &[] as &[String]);
    assert_eq!(replay.accounts()[0].regions.len(), 2);
    let first = replayed(replay.clone()).await;
    assert_eq!(first.text(), live.text());
    let second = replayed(open(&folder.path().join("answers.jsonl.zst"))).await;
    assert_eq!(format!("{:?}", first.resources), format!("{:?}", second.resources), "in the same order, too");
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let text = zstd::decode_all(bytes.as_slice()).unwrap_or(bytes);
        assert!(!String::from_utf8_lossy(&text).contains(SECRET));
    }
    assert!(matches!(Recorder::create(folder.path(), &manifest()), Err(RecordingError::Exists { .. })));
}

/// Cuts the recording's lines into frames of a few lines, so that there is something to lose.
fn reframe(folder: &Path) -> Vec<u8> {
    let path = folder.join("answers.jsonl.zst");
    let text = zstd::decode_all(std::fs::read(&path).unwrap().as_slice()).unwrap();
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let mut compressor = zstd::bulk::Compressor::new(3).unwrap();
    compressor.include_checksum(true).unwrap();
    lines.chunks(4).flat_map(|chunk| compressor.compress(&chunk.concat()).unwrap()).collect()
}

#[tokio::test]
async fn killed_anywhere_it_goes_on_to_the_same_end() {
    let folder = tempfile::tempdir().unwrap();
    let undisturbed = record(folder.path()).await.text();
    let frames = reframe(folder.path());
    let path = folder.path().join("answers.jsonl.zst");
    let full = world();
    drop(full);
    let lengths: Vec<usize> = (0..frames.len()).rev().step_by(7).chain((frames.len() - 120)..=frames.len()).collect();
    for length in lengths {
        std::fs::write(&path, &frames[..length]).unwrap();
        let resumption = Recorder::resume(folder.path(), ReplayOptions::default()).unwrap();
        let kept = resumption.replay.len();
        let fake = Arc::new(world());
        let source = Source::Resume(Arc::new(resumption.replay));
        let run = run(collection(&all(), fake.clone(), source, Some(resumption.recorder))).await;
        assert_eq!(run.text(), undisturbed, "cut at {length}");
        if length == frames.len() {
            assert_eq!(fake.total(), 0, "nothing is asked twice");
        }
        assert!(kept > 0 || length < 700);
        assert_eq!(
            replayed(open(folder.path())).await.text(),
            undisturbed,
            "recording of the resumed, cut at {length}"
        );
    }
}

#[tokio::test]
async fn failures_that_may_pass_are_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::create(folder.path(), &manifest()).unwrap();
    let bad = world()
        .on("GetAcl", |_, _| Err(failure(FailureKind::Failed, "Gone")))
        .on("ListGems", |_, _| Err(failure(FailureKind::Malformed, "Bad")));
    let bad = run(collection(&all(), Arc::new(bad), Source::Live, Some(recorder))).await;
    assert_eq!(replayed(open(folder.path())).await.text(), bad.text());
    let resumption = Recorder::resume(folder.path(), ReplayOptions::default()).unwrap();
    let fake = Arc::new(world());
    let run =
        run(collection(&all(), fake.clone(), Source::Resume(Arc::new(resumption.replay)), Some(resumption.recorder)))
            .await;
    assert_eq!(fake.attempts_at("ListGems"), 1);
    assert_eq!(fake.total(), 1);
    assert_eq!(run.resources.len(), 23);
    assert_eq!(replayed(open(folder.path())).await.text(), run.text());
}

#[tokio::test]
async fn a_damaged_frame_is_named_and_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path()).await;
    let mut frames = reframe(folder.path());
    let middle = frames.len() / 2;
    frames[middle] ^= 0xff;
    std::fs::write(folder.path().join("answers.jsonl.zst"), &frames).unwrap();
    let replay = open(folder.path());
    assert!(replay.notes().iter().any(|note| note.contains("damaged")), "{:?}", replay.notes());
    let run = replayed(replay).await;
    assert!(run.summary.coverage.iter().any(|entry| entry.state == nepho_model::CoverageState::NotRecorded));
}

struct Full(usize, Arc<Mutex<Vec<u8>>>);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.1.lock().unwrap().len() + bytes.len() > self.0 {
            return Err(std::io::Error::from(std::io::ErrorKind::StorageFull));
        }
        self.1.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_full_disk_ends_the_collection_with_an_error() {
    let written = Arc::new(Mutex::new(Vec::new()));
    let recorder = Recorder::to_writer(Box::new(Full(100, written)), "rec", "pepper").unwrap();
    let collection = collection(&all(), Arc::new(world()), Source::Live, Some(recorder));
    let error = collect(collection, |_| {}, |_| {}).await.unwrap_err();
    assert!(error.to_string().contains("cannot write the recording `rec`"), "{error}");
}

#[tokio::test]
async fn reads_what_people_write_by_hand() {
    let line = |operation: &str, parameters: serde_json::Value, response: serde_json::Value| {
        json!({"account": "111122223333", "region": "us-east-1", "service": "s", "operation": operation, "parameters": parameters, "response": response, "extra": 1}).to_string()
    };
    let text = [
        line("ListThings", json!({"MaxItems": 100, "StartingToken": "x"}), json!({"Things": [{"Id": "t0", "Name": "n"}]})),
        line("list-things", json!({}), json!({"Things": [{"Id": "t1"}]})),
        line("GetPolicy", json!({"Id": "arn:aws:s:us-east-1:111122223333:thing/t1"}), json!({"Policy": "{\"a\":1}"})),
        line("ListParts", json!({"ThingId": "t1"}), json!({"Parts": ["x", "y", "z", "q"]})),
        line("DescribeParts", json!({}), json!({"Parts": [{"Name": "x", "Color": "blue"}, {"Name": "y"}]})),
        "not json".to_owned(),
        "{\"other\": 1}".to_owned(),
        json!({"account": 111122223333u64, "region": "eu-west-1", "service": "b", "operation": "ListBuckets", "response": {"Buckets": [{"Name": "k"}]}, "time": "2026-01-02T03:04:05Z"}).to_string(),
    ].join("\n");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.jsonl"), text).unwrap();
    let replay = open(folder.path());
    assert_eq!(replay.clock().to_string(), "2026-01-02T03:04:05Z");
    assert_eq!(replay.notes().len(), 1);
    assert!(replay.notes()[0].contains("a.jsonl:6"), "{:?}", replay.notes());
    let run = replayed(replay).await;
    let t1 = "arn:aws:s:us-east-1:111122223333:thing/t1";
    assert_eq!(run.property(t1, "policy"), json!({"a": 1}));
    assert_eq!(run.property(&format!("{t1}/part/x"), "color"), json!("blue"));
    assert_eq!(run.property(&format!("{t1}/part/y"), "color"), json!(null));
    assert_eq!(run.property(&format!("{t1}/part/z"), "color"), json!({"unknown": true}));
    assert_eq!(&*run.find("arn:aws:b:::k").region, "global");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]
    #[test]
    fn damage_never_breaks_the_reader(cut in 0usize..4000, flips in proptest::collection::vec((0usize..4000, 0u8..255), 0..6), plain in proptest::bool::ANY) {
        let lines: Vec<String> = (0..40).map(|at| json!({"account": "1", "region": "r", "service": "s", "operation": "Op", "parameters": {"at": at}, "response": {"v": at * 7919}}).to_string() + "\n").collect();
        let mut bytes: Vec<u8> = if plain { lines.concat().into_bytes() } else {
            lines.chunks(5).flat_map(|chunk| zstd::encode_all(chunk.concat().as_bytes(), 3).unwrap()).collect()
        };
        bytes.truncate(cut.max(1));
        for (at, value) in flips {
            let length = bytes.len();
            bytes[at % length] ^= value;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        std::fs::write(&path, &bytes).unwrap();
        match Replay::open(&[path], None) {
            Ok(replay) => { let _ = replay.accounts(); }
            Err(error) => { let _ = error.to_string(); }
        }
    }
}
