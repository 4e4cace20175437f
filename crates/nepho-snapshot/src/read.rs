//! A snapshot's files as a graph whose columns are read when they are first needed.

pub(crate) mod file;
mod shared;
mod source;
mod verdicts;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nepho_graph::storage::{GraphParts, KindPart, Pair, RelationPart};
use nepho_graph::{Graph, Schema};

use crate::digest;
use crate::error::Error;
use crate::manifest::{FORMAT, FileEntry, MANIFEST, MANIFEST_LIMIT, Manifest, SUMS};
use crate::verdict::VerdictRow;
use file::DataFile;
pub(crate) use shared::Shared;
pub(crate) use source::SnapshotSource;

/// One snapshot of a store.
#[derive(Clone, Debug)]
pub struct Snapshot {
    id: String,
    folder: PathBuf,
    manifest: Arc<Manifest>,
    files: BTreeMap<String, Arc<DataFile>>,
    shared: Arc<Shared>,
}

impl Snapshot {
    /// Opens the snapshot in `folder`: reads its manifest, and looks whether its files are there and have their sizes.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        Self::open_with(folder, Arc::default())
    }

    /// The same, where what is equal is held once for all snapshots of a store.
    pub(crate) fn open_with(folder: &Path, shared: Arc<Shared>) -> Result<Self, Error> {
        let path = folder.join(MANIFEST);
        let manifest = read_manifest(folder, &path)?;
        check(&manifest).map_err(|what| Error::damaged(&path, what))?;
        let files =
            manifest.files().map(|entry| (entry.path.clone(), Arc::new(DataFile::new(folder, entry)))).collect();
        let id = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { id, folder: folder.to_owned(), manifest: Arc::new(manifest), files, shared })
    }

    /// Its id: the name of its folder.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Files that are known to be missing or damaged: one sentence each. The checksum of a file is verified when the
    /// file is first read.
    pub fn faults(&self) -> Vec<String> {
        self.files.values().filter_map(|file| file.fault()).map(str::to_owned).collect()
    }

    /// Verifies the checksums of all files now, and gives what is wrong.
    pub fn verify(&self) -> Vec<String> {
        self.files.values().filter_map(|file| file.verify().err()).collect()
    }

    /// The graph. Its columns are read when they are first needed; what cannot be read comes out as unknown, is told by
    /// [`Graph::faults`], and ends queries with an error.
    pub fn graph(&self, schema: &Schema) -> Graph {
        let parts = parts(&self.manifest);
        Graph::from_parts(parts, schema, Arc::new(self.source()))
    }

    pub(crate) fn source(&self) -> SnapshotSource {
        SnapshotSource::new(self.manifest.clone(), &self.files, self.shared.clone())
    }

    /// The verdicts, by rule, kind, key and account; `None` where no rules were run.
    pub fn verdicts(&self) -> Result<Option<Vec<VerdictRow>>, Error> {
        let Some(entry) = &self.manifest.verdicts else { return Ok(None) };
        match self.files.get(&entry.path) {
            Some(file) => verdicts::read(file).map(Some),
            None => Ok(Some(Vec::new())),
        }
    }
}

fn read_manifest(folder: &Path, path: &Path) -> Result<Manifest, Error> {
    let read = |path: &Path| -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => Error::damaged(path, "it is missing"),
            _ => Error::io("read", path)(source),
        })?;
        file.take(MANIFEST_LIMIT + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
        if bytes.len() as u64 > MANIFEST_LIMIT {
            return Err(Error::damaged(path, format!("it has more than {MANIFEST_LIMIT} bytes")));
        }
        Ok(bytes)
    };
    let bytes = read(path)?;
    let sums = read(&folder.join(SUMS))?;
    let sum = digest::hex(&bytes);
    let known = String::from_utf8_lossy(&sums);
    let known = known.lines().find_map(|line| line.strip_suffix(MANIFEST)).map(str::trim_end);
    if known != Some(sum.as_str()) {
        return Err(Error::damaged(path, format!("its checksum is not that of `{SUMS}`")));
    }
    #[derive(serde::Deserialize)]
    struct Version {
        format: u64,
    }
    let malformed = |source: serde_json::Error| Error::damaged(path, format!("it is no manifest: {source}"));
    let Version { format } = serde_json::from_slice(&bytes).map_err(malformed)?;
    if format > FORMAT {
        return Err(Error::Format { path: path.to_owned(), found: format, known: FORMAT });
    }
    serde_json::from_slice(&bytes).map_err(malformed)
}

/// What the graph and its source rely on.
fn check(manifest: &Manifest) -> Result<(), String> {
    let ascending = |names: &mut dyn Iterator<Item = &String>| names.is_sorted_by(|left, right| left < right);
    if !ascending(&mut manifest.kinds.iter().map(|kind| &kind.kind)) {
        return Err("its kinds are not in order".to_owned());
    }
    if !ascending(&mut manifest.relations.iter().map(|relation| &relation.name)) {
        return Err("its relations are not in order".to_owned());
    }
    if !ascending(&mut manifest.places.iter()) {
        return Err("its places are not in order".to_owned());
    }
    let file = |subject: &str, rows: u64, file: &Option<FileEntry>| match file {
        None if rows == 0 => Ok(()),
        // A row group of ours has no more rows for each of its bytes.
        Some(file) if file.rows == rows && file.is_inside() && rows / 1024 <= file.bytes => Ok(()),
        _ => Err(format!("the file of `{subject}` is not what its rows ask for")),
    };
    let mut nodes = 0u64;
    for kind in &manifest.kinds {
        file(&kind.kind, kind.rows, &kind.file)?;
        nodes = nodes.saturating_add(kind.rows);
    }
    if nodes >= u64::from(u32::MAX) {
        return Err(format!("it has {nodes} nodes"));
    }
    let rows = |name: &str| number(manifest, name).and_then(|at| manifest.kinds.get(at)).map(|kind| kind.rows);
    for relation in &manifest.relations {
        let mut count = 0u64;
        for pair in &relation.pairs {
            if rows(&pair.from).is_none() || rows(&pair.to).is_none() {
                return Err(format!("`{}` is between kinds that are not there", relation.name));
            }
            count = count.saturating_add(pair.count);
        }
        if !relation.pairs.is_sorted_by(|left, right| (&left.from, &left.to) < (&right.from, &right.to)) {
            return Err(format!("the pairs of `{}` are not in order", relation.name));
        }
        if count >= u64::from(u32::MAX) {
            return Err(format!("`{}` has {count} relations", relation.name));
        }
        file(&relation.name, count, &relation.file)?;
        for unread in &relation.unread {
            let within = |(first, length): &(u32, u32)| {
                rows(&unread.kind).is_some_and(|rows| u64::from(*first) + u64::from(*length) <= rows)
            };
            if !unread.rows.iter().all(within) {
                return Err(format!("`{}` is unread at nodes that are not there", relation.name));
            }
        }
    }
    if let Some(verdicts) = &manifest.verdicts
        && !verdicts.is_inside()
    {
        return Err("its verdicts lie outside of it".to_owned());
    }
    Ok(())
}

/// The number of a kind.
fn number(manifest: &Manifest, kind: &str) -> Option<usize> {
    manifest.kinds.binary_search_by(|known| known.kind.as_str().cmp(kind)).ok()
}

/// The manifest as the graph wants it.
fn parts(manifest: &Manifest) -> GraphParts {
    let text = |name: &String| Arc::<str>::from(name.as_str());
    let kinds = manifest.kinds.iter().map(|kind| KindPart {
        kind: text(&kind.kind),
        labels: kind.labels.iter().map(text).collect(),
        built_in: kind.resources,
        rows: kind.rows as u32,
        columns: kind.columns.iter().map(|column| text(&column.name)).collect(),
        incomplete: kind
            .incomplete
            .iter()
            .map(|place| (place.account.as_ref().map(text), place.region.as_ref().map(text)))
            .collect(),
    });
    let relations = manifest.relations.iter().map(|relation| {
        let number = |kind: &str| number(manifest, kind).unwrap_or_default() as u32;
        let unread = relation.unread.iter().flat_map(|unread| {
            let kind = number(&unread.kind);
            unread.rows.iter().flat_map(move |(first, length)| (*first..first + length).map(move |row| (kind, row)))
        });
        RelationPart {
            name: text(&relation.name),
            pairs: relation
                .pairs
                .iter()
                .map(|pair| Pair { from: number(&pair.from), to: number(&pair.to), count: pair.count })
                .collect(),
            columns: relation.columns.iter().map(|column| text(&column.name)).collect(),
            unknown: unread.collect(),
        }
    });
    GraphParts {
        clock: manifest.time,
        places: manifest.places.iter().map(text).collect(),
        kinds: kinds.collect(),
        relations: relations.collect(),
    }
}
