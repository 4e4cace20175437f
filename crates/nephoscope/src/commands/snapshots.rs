//! `nephoscope snapshots`

use serde_json::{Value as Json, json};

use crate::arguments::{SnapshotsAction, SnapshotsArguments, StoreArguments};
use crate::{Outcome, history, output};

const COLUMNS: [&str; 8] = ["id", "time", "resources", "relations", "verdicts", "kilobytes", "tool", "state"];

/// Lists them, newest first, or removes old ones.
pub fn run(options: SnapshotsArguments, quiet: bool) -> anyhow::Result<Outcome> {
    if let Some(SnapshotsAction::Prune { keep, store }) = options.action {
        return prune(&StoreArguments { store: store.store.or(options.store.store) }, keep as usize, quiet);
    }
    let store = history::readable(&options.store)?;
    let mut outcome = Outcome::Done;
    let mut rows: Vec<Vec<Json>> = Vec::new();
    for listed in store.list()?.iter().rev() {
        let mut row = vec![json!(listed.id), json!(listed.time)];
        match store.snapshot(&listed.id) {
            Ok(snapshot) => {
                let manifest = snapshot.manifest();
                let resources: u64 = manifest.kinds.iter().map(|kind| kind.rows).sum();
                let pairs = manifest.relations.iter().flat_map(|relation| &relation.pairs);
                let bytes: u64 = manifest.files().map(|file| file.bytes).sum();
                row.extend([
                    json!(resources),
                    json!(pairs.map(|pair| pair.count).sum::<u64>()),
                    manifest.verdicts.as_ref().map_or(Json::Null, |file| json!(file.rows)),
                    json!(bytes.div_ceil(1000)),
                    json!(manifest.tool),
                ]);
                let faults = snapshot.faults();
                if !faults.is_empty() {
                    outcome = Outcome::Incomplete;
                }
                faults.iter().for_each(|fault| eprintln!("{fault}"));
                row.push(json!(if faults.is_empty() { "complete" } else { "damaged" }));
            }
            Err(error) => {
                outcome = Outcome::Incomplete;
                eprintln!("{}", error.full_text());
                row.extend([Json::Null, Json::Null, Json::Null, Json::Null, Json::Null, json!("damaged")]);
            }
        }
        rows.push(row);
    }
    output::table(options.format, &COLUMNS, &rows)?;
    Ok(outcome)
}

fn prune(store: &StoreArguments, keep: usize, quiet: bool) -> anyhow::Result<Outcome> {
    let store = history::readable(store)?;
    let listed = store.list()?;
    for old in listed.iter().rev().skip(keep) {
        store.remove(&old.id)?;
        if !quiet {
            eprintln!("removed {}", old.id);
        }
    }
    Ok(Outcome::Done)
}
