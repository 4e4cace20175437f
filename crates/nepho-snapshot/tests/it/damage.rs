//! Damaged files are named and refused; the others still open.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use nepho_graph::{ErrorCode, Graph, Limits, Parameters, Query, QueryError, Rows};
use nepho_snapshot::{Error, Snapshot, Store, write};

use super::{estate, options, schema, told};

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn saved() -> (tempfile::TempDir, Snapshot) {
    let folder = tempfile::tempdir().unwrap();
    let schema = schema();
    write(folder.path(), &estate("2026-11-25T06:30:00Z", |_| {}), &options(&schema)).unwrap();
    let snapshot = Store::open(folder.path()).unwrap().latest().unwrap().unwrap();
    (folder, snapshot)
}

fn ask(graph: &Graph, text: &str) -> Result<Rows, QueryError> {
    Query::compile(&schema(), text).unwrap().run(graph, &Parameters::default(), &Limits::default())
}

/// Whatever byte is changed, what comes out is an error or what was saved.
#[test]
fn no_changed_byte_goes_unnoticed() {
    let (_folder, snapshot) = saved();
    let right = told(&snapshot.graph(&schema()));
    for path in files(snapshot.folder()) {
        let bytes = fs::read(&path).unwrap();
        for at in (0..bytes.len()).step_by(1 + bytes.len() / 97) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x41;
            fs::write(&path, &damaged).unwrap();
            let outcome = catch_unwind(AssertUnwindSafe(|| match Snapshot::open(snapshot.folder()) {
                Err(error) => Err(error.full_text()),
                Ok(opened) => {
                    let graph = opened.graph(&schema());
                    let told = told(&graph);
                    match graph.faults().as_slice() {
                        [] => Ok(told),
                        faults => Err(faults.join("\n")),
                    }
                }
            }));
            match outcome.unwrap_or_else(|_| panic!("byte {at} of {} makes a panic", path.display())) {
                Ok(told) => assert!(told == right, "byte {at} of {} changes what is read", path.display()),
                Err(error) => assert!(error.contains("is damaged"), "{error}"),
            }
        }
        fs::write(&path, &bytes).unwrap();
    }
}

/// The same where checksums were made to fit: bytes that somebody wrote on purpose.
#[test]
fn hostile_bytes_make_no_panic() {
    let (_folder, snapshot) = saved();
    for path in files(snapshot.folder()).into_iter().filter(|path| path.extension().is_some_and(|of| of == "parquet")) {
        let bytes = fs::read(&path).unwrap();
        for at in (0..bytes.len()).step_by(1 + bytes.len() / 67) {
            for flip in [0x01, 0xff] {
                let mut hostile = bytes.clone();
                hostile[at] ^= flip;
                fs::write(&path, &hostile).unwrap();
                make_sums_fit(snapshot.folder());
                if let Ok(opened) = Snapshot::open(snapshot.folder()) {
                    told(&opened.graph(&schema()));
                }
            }
        }
        fs::write(&path, &bytes).unwrap();
    }
}

/// Writes the checksums of the files as they are into the manifest and the sums.
fn make_sums_fit(folder: &Path) {
    use sha2::{Digest, Sha256};
    let hex = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let path = folder.join("manifest.json");
    let mut manifest: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for table in ["kinds", "relations"] {
        for entry in manifest[table].as_array_mut().unwrap() {
            if let Some(file) = entry.get_mut("file") {
                let bytes = fs::read(folder.join(file["path"].as_str().unwrap())).unwrap();
                file["sha256"] = hex(&bytes).into();
                file["bytes"] = bytes.len().into();
            }
        }
    }
    let text = serde_json::to_vec(&manifest).unwrap();
    fs::write(folder.join("SHA256SUMS"), format!("{}  manifest.json\n", hex(&text))).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn a_damaged_file_is_named_and_the_others_still_answer() {
    let (_folder, snapshot) = saved();
    let path = snapshot.folder().join("kinds/aws.iam.role.parquet");
    let mut bytes = fs::read(&path).unwrap();
    bytes[30] ^= 1;
    fs::write(&path, bytes).unwrap();
    let graph = Snapshot::open(snapshot.folder()).unwrap().graph(&schema());
    let rows = ask(&graph, "MATCH (b:AwsS3Bucket) RETURN count(b.size) AS n").unwrap();
    assert_eq!(rows.to_json(&graph)["rows"], serde_json::json!([[40]]));
    let error = ask(&graph, "MATCH (r:AwsIamRole) RETURN r.key").unwrap_err();
    assert_eq!(error.code, ErrorCode::Damaged);
    assert!(error.message.contains("aws.iam.role.parquet` is damaged: its checksum"), "{}", error.message);
}

#[test]
fn a_missing_or_cut_file_is_known_at_once() {
    let (_folder, snapshot) = saved();
    fs::remove_file(snapshot.folder().join("kinds/aws.iam.role.parquet")).unwrap();
    let cut = fs::File::options().write(true).open(snapshot.folder().join("relations/CAN_READ.parquet")).unwrap();
    cut.set_len(100).unwrap();
    let faults = Snapshot::open(snapshot.folder()).unwrap().faults();
    assert_eq!(faults.len(), 2);
    assert!(faults[0].contains("aws.iam.role.parquet` is damaged: it is missing"), "{faults:?}");
    assert!(faults[1].contains("CAN_READ.parquet` is damaged: it has 100 bytes instead of"), "{faults:?}");
}

#[test]
fn a_newer_format_is_told_apart_from_damage() {
    let (_folder, snapshot) = saved();
    let path = snapshot.folder().join("manifest.json");
    let text = fs::read_to_string(&path).unwrap().replace("\"format\":1", "\"format\":99");
    fs::write(&path, text).unwrap();
    assert!(matches!(Snapshot::open(snapshot.folder()), Err(Error::Damaged { .. })));
    make_sums_fit(snapshot.folder());
    let error = Snapshot::open(snapshot.folder()).unwrap_err();
    assert!(error.to_string().contains("has format 99, this nephoscope reads format 1"), "{error}");
}
