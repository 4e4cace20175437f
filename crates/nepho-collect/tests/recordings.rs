//! Recording, replaying, resuming; damage of all kinds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod common;

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use common::*;
use nepho_collect::*;
use serde_json::{Value as Json, json};

fn manifest() -> Manifest {
    Manifest { salt: "pepper".into(), ..Manifest::new("aws".into(), &[]).unwrap() }
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
        let resumption = Recorder::resume(folder.path(), &manifest(), ReplayOptions::default()).unwrap();
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
    let resumption = Recorder::resume(folder.path(), &manifest(), ReplayOptions::default()).unwrap();
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
async fn what_expired_credentials_refused_is_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::create(folder.path(), &manifest()).unwrap();
    let expired = world()
        .on("ListGems", |_, _| Err(failure(FailureKind::Failed, "ExpiredTokenException")))
        .on("ListBuckets", |_, _| Err(failure(FailureKind::Failed, "AuthFailure")))
        .on("GetAccount", |_, _| Err(failure(FailureKind::Denied, "403")));
    let live = run(collection(&all(), Arc::new(expired), Source::Live, Some(recorder))).await;
    assert_eq!(replayed(open(folder.path())).await.text(), live.text(), "for the same reason");
    let run = resumed(folder.path(), world()).await;
    assert!(run.summary.coverage.iter().all(|entry| entry.state != nepho_model::CoverageState::Failed));
    assert_eq!(run.entries("s:GetAccount").len(), 0);
    assert_eq!(run.resources.len(), 23);
}

async fn resumed(folder: &Path, fake: Fake) -> Run {
    let resumption = Recorder::resume(folder, &manifest(), ReplayOptions::default()).unwrap();
    let source = Source::Resume(Arc::new(resumption.replay));
    run(collection(&all(), Arc::new(fake), source, Some(resumption.recorder))).await
}

fn lines(folder: &Path) -> Vec<String> {
    let bytes = std::fs::read(folder.join("answers.jsonl.zst")).unwrap();
    let text = String::from_utf8(zstd::decode_all(bytes.as_slice()).unwrap()).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_lost_page_in_the_middle_is_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let undisturbed = record(folder.path()).await.text();
    let mut kept = lines(folder.path());
    kept.retain(|line| !(line.contains("ListThings") && line.contains("\"page\":2")));
    let frame = zstd::encode_all((kept.join("\n") + "\n").as_bytes(), 3).unwrap();
    std::fs::write(folder.path().join("answers.jsonl.zst"), frame).unwrap();
    assert_ne!(replayed(open(folder.path())).await.text(), undisturbed);
    assert_eq!(resumed(folder.path(), world()).await.text(), undisturbed);
    assert_eq!(replayed(open(folder.path())).await.text(), undisturbed);
}

#[tokio::test]
async fn endless_paging_is_replayed_as_it_was() {
    let again = |_: &Call, _: usize| Ok(json!({"Gems": [{"Id": "g"}], "NextToken": "again"}));
    let ever = |_: &Call, _: usize| Ok(json!({"Gems": [{"Id": "g"}], "NextToken": fastrand::u64(..).to_string()}));
    for fake in [world().on("ListGems", again), world().on("ListGems", ever)] {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Recorder::create(folder.path(), &manifest()).unwrap();
        let live = run(collection(&all(), Arc::new(fake), Source::Live, Some(recorder))).await;
        assert!(live.entries("rare:ListGems").iter().any(|entry| &*entry.code == "EndlessPaging" && entry.items > 1));
        assert_eq!(replayed(open(folder.path())).await.text(), live.text());
    }
}

#[tokio::test]
async fn going_on_begins_where_nothing_was_recorded() {
    let undisturbed = record(tempfile::tempdir().unwrap().path()).await.text();
    let parent = tempfile::tempdir().unwrap();
    let missing = parent.path().join("missing");
    assert_eq!(resumed(&missing, world()).await.text(), undisturbed);
    assert_eq!(replayed(open(&missing)).await.text(), undisturbed);
    // Killed as soon as it began.
    let only_manifest = parent.path().join("begun");
    drop(Recorder::create(&only_manifest, &manifest()).unwrap());
    std::fs::remove_file(only_manifest.join("answers.jsonl.zst")).unwrap();
    assert_eq!(resumed(&only_manifest, world()).await.text(), undisturbed);
    let only_answers = parent.path().join("answers");
    std::fs::create_dir(&only_answers).unwrap();
    std::fs::write(only_answers.join("answers.jsonl.zst"), b"").unwrap();
    assert_eq!(resumed(&only_answers, world()).await.text(), undisturbed);
}

#[tokio::test]
async fn going_on_keeps_start_and_salt_and_says_what_is_asked_now() {
    let folder = tempfile::tempdir().unwrap();
    let asking = |account: &str, service: &str, note: &str| Manifest {
        services: vec![service.into()],
        notes: vec![note.into()],
        ..Manifest::new("aws".into(), &[scope(account)]).unwrap()
    };
    let first = asking("111122223333", "s", "was");
    drop(Recorder::create(folder.path(), &first).unwrap());
    let second = asking("111122223333", "b", "is");
    let resumption = Recorder::resume(folder.path(), &second, ReplayOptions::default()).unwrap();
    assert_eq!(
        resumption.manifest,
        Manifest { started: first.started, salt: first.salt.clone(), ..second.clone() },
        "the start and the salt are of the first"
    );
    assert_eq!(resumption.replay.notes(), ["is"]);
    let written = std::fs::read_to_string(folder.path().join("recording.json")).unwrap();
    assert_eq!(serde_json::from_str::<Manifest>(&written).unwrap(), resumption.manifest);
    let other = asking("444455556666", "s", "");
    let error = Recorder::resume(folder.path(), &other, ReplayOptions::default()).unwrap_err().to_string();
    assert!(error.contains("111122223333") && error.contains("444455556666"), "{error}");
    assert_eq!(std::fs::read_to_string(folder.path().join("recording.json")).unwrap(), written);
}

#[test]
fn a_recording_that_cannot_begin_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let error = Recorder::create(&file.join("rec"), &manifest()).unwrap_err().to_string();
    assert!(error.contains("cannot begin a recording in") && !error.contains("--resume"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_recording_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("rec");
    record(&folder).await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for file in std::fs::read_dir(&folder).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
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

fn by_hand(service: &str, operation: &str, parameters: Json, response: Json) -> Json {
    json!({"account": "111122223333", "region": "us-east-1", "service": service, "operation": operation, "parameters": parameters, "response": response})
}

fn written(name: &str, text: &str) -> (tempfile::TempDir, Arc<Replay>) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), text).unwrap();
    let replay = open(&folder.path().join(name));
    (folder, replay)
}

#[tokio::test]
async fn an_answer_about_everybody_is_none_about_us() {
    let own = RARE.replace("action: ListGems", "action: ListGems, params: {Owners: [self], Deprecated: true}");
    let gems = json!({"Gems": [{"Id": "theirs"}]});
    for (parameters, count) in [
        (json!({}), 0),
        (json!({"Deprecated": true}), 0),
        (json!({"Owners": ["self"]}), 1),
        (json!({"Owners": ["111122223333"]}), 1),
        (json!({"Owners": ["444455556666"]}), 0),
    ] {
        let line = by_hand("rare", "ListGems", parameters.clone(), gems.clone()).to_string();
        let (_folder, replay) = written("a.jsonl", &line);
        let run = run(collection(&[&own], Arc::new(Fake::default()), Source::Replay(replay), None)).await;
        assert_eq!(run.resources.len(), count, "{parameters}");
    }
}

#[tokio::test]
async fn what_is_never_asked_for_is_told() {
    let text = [
        by_hand("S", "list-things", json!({}), json!({"Things": [{"Id": "t1"}]})),
        by_hand("rar", "ListGems", json!({}), json!({"Gems": []})),
        by_hand("b", "ListBucket", json!({}), json!({"Buckets": []})),
        by_hand("s", "GetPolicy", json!({"Id": "other"}), json!({"Policy": "{}"})),
        by_hand("s", "GetPolicy", json!({"Id": "another"}), json!({"Policy": "{}"})),
    ]
    .map(|line| line.to_string())
    .join("\n");
    let (_folder, replay) = written("a.jsonl", &text);
    let run = replayed(replay).await;
    assert!(run.resources.iter().any(|one| one.key.ends_with("thing/t1")), "a service's name in any case");
    let note = run.summary.notes.iter().find(|note| note.contains("never asked for")).unwrap();
    for part in [
        "`rar:ListGems` (1; is `rare` meant?)",
        "`b:ListBucket` (1; is `ListBuckets` meant?)",
        "`s:GetPolicy` (2; not with these parameters",
    ] {
        assert!(note.contains(part), "{part} in {note}");
    }
    assert!(!note.contains("hings"), "{note}");
    // A collection's own recording holds what the kinds of its time asked for.
    let folder = tempfile::tempdir().unwrap();
    record(folder.path()).await;
    let few = run_of(&[BUCKET], open(folder.path())).await;
    assert_eq!(few.summary.notes, [] as [String; 0]);
}

async fn run_of(kinds: &[&str], replay: Arc<Replay>) -> Run {
    run(collection(kinds, Arc::new(Fake::default()), Source::Replay(replay), None)).await
}

#[test]
fn a_clock_that_nobody_gave_is_told() {
    let line = by_hand("s", "ListThings", json!({}), json!({})).to_string();
    let (folder, replay) = written("a.jsonl", &line);
    assert!(replay.notes()[0].contains("judged by the file's time") && replay.notes()[0].contains("--at"));
    let given = Replay::open(&[folder.path().to_owned()], Some(nepho_model::Timestamp::default())).unwrap();
    assert_eq!(given.notes(), [] as [String; 0]);
}

#[tokio::test]
async fn reads_lists_and_values_over_several_lines() {
    let things = [
        by_hand("s", "ListThings", json!({}), json!({"Things": [{"Id": "t1"}]})),
        by_hand("s", "GetPolicy", json!({"Id": "t1"}), json!({"Policy": "{\"a\":1}"})),
    ];
    let pretty: Vec<String> = things.iter().map(|one| serde_json::to_string_pretty(one).unwrap()).collect();
    for text in [
        serde_json::to_string(&things).unwrap(),
        serde_json::to_string_pretty(&things).unwrap(),
        pretty.join("\n"),
        pretty.concat(),
        format!("\u{feff}{}\nrest", pretty.concat()),
    ] {
        let (_folder, replay) = written("a.json", &text);
        assert_eq!(replay.len(), 2, "{text}");
        assert_eq!(replay.notes().iter().any(|note| note.contains("no JSON from here on")), text.ends_with("rest"));
        let run = replayed(replay).await;
        assert_eq!(run.property("arn:aws:s:us-east-1:111122223333:thing/t1", "policy"), json!({"a": 1}));
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.jsonl.gz"), [0x1f, 0x8b, 8, 0, 0]).unwrap();
    let error = Replay::open(&[folder.path().to_owned()], None).unwrap_err().to_string();
    assert!(error.contains("gunzip"), "{error}");
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
