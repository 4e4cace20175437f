//! A folder of snapshots: writing one so that a crash leaves the others as they were, and finding them again.
//!
//! A snapshot is written into a folder `.writing-…`, every file and folder is flushed to the disk, and then the folder
//! gets its final name in one step. INVARIANT: a folder with a snapshot's name is complete; the newest is current. There
//! is no pointer that could disagree. What a crash leaves behind begins with `.` and is removed by the next write.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nepho_graph::Graph;
use nepho_model::Timestamp;

use crate::digest::{self, Digesting};
use crate::disk::Disk;
use crate::error::Error;
use crate::manifest::{MANIFEST, Manifest, SUMS};
use crate::read::{Shared, Snapshot};
use crate::write::{Previous, WriteOptions, write_files};

const WRITING: &str = ".writing-";
const REMOVING: &str = ".removing-";

/// A folder of snapshots.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    disk: Disk,
    shared: Arc<Shared>,
}

/// A snapshot that is there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// The time at which the estate was so.
    pub time: Timestamp,
    /// When it was written, where several are of one time.
    written: Timestamp,
    /// The id: the name of its folder.
    pub id: String,
}

/// What a write did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The id of the snapshot.
    pub id: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Bytes of its Parquet files.
    pub bytes: u64,
    /// Those of them that are shared with the snapshot before.
    pub shared_bytes: u64,
    /// Whether the same snapshot was there before.
    pub existed: bool,
}

impl Store {
    /// The store in `folder`, which must be there.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        if !folder.is_dir() {
            return Err(Error::NotFound(format!(
                "there is no store in `{}`; `nephoscope scan --store {}` makes one",
                folder.display(),
                folder.display()
            )));
        }
        Ok(Self { folder: folder.to_owned(), disk: Disk::default(), shared: Arc::default() })
    }

    /// The store in `folder`, which is made where it is not there.
    pub fn create(folder: &Path) -> Result<Self, Error> {
        let disk = Disk::default();
        disk.create_folders(folder)?;
        Ok(Self { folder: folder.to_owned(), disk, shared: Arc::default() })
    }

    /// A store whose file system stops working after some changes.
    #[cfg(test)]
    pub(crate) fn failing_after(folder: &Path, changes: usize) -> Self {
        Self { folder: folder.to_owned(), disk: Disk::failing_after(changes), shared: Arc::default() }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The snapshots, oldest first.
    pub fn list(&self) -> Result<Vec<Listed>, Error> {
        let mut listed = Vec::new();
        for name in self.names()? {
            if let Some(time) = time_of_id(&name) {
                listed.push(Listed { time, written: Timestamp::default(), id: name });
            }
        }
        listed.sort();
        // Of one time there are several when a recording was judged anew: the one written last is the newest.
        for same in listed.chunk_by_mut(|left, right| left.time == right.time) {
            if same.len() > 1 {
                for one in same.iter_mut() {
                    one.written = self.snapshot(&one.id).map_or(Timestamp(i64::MIN), |found| found.manifest().written);
                }
                same.sort();
            }
        }
        Ok(listed)
    }

    /// The snapshot with this id.
    pub fn snapshot(&self, id: &str) -> Result<Snapshot, Error> {
        if time_of_id(id).is_none() {
            return Err(Error::NotFound(format!("`{id}` is no id of a snapshot")));
        }
        Snapshot::open_with(&self.folder.join(id), self.shared.clone())
    }

    /// The newest snapshot; `None` in an empty store.
    pub fn latest(&self) -> Result<Option<Snapshot>, Error> {
        self.list()?.last().map(|listed| self.snapshot(&listed.id)).transpose()
    }

    /// The snapshot that a text means: `latest`, `latest~1` (the one before), an id or the beginning of one, or a time
    /// (the newest not after it; a day means its end).
    pub fn find(&self, text: &str) -> Result<Snapshot, Error> {
        let listed = self.list()?;
        let Some(found) = find(&listed, text) else { return Err(self.nothing_like(&listed, text)) };
        self.snapshot(&found.id)
    }

    fn nothing_like(&self, listed: &[Listed], text: &str) -> Error {
        let store = self.folder.display();
        if listed.is_empty() {
            return Error::NotFound(format!(
                "the store `{store}` has no snapshots; `nephoscope scan --store {store}` saves one"
            ));
        }
        let mut near: Vec<&Listed> = listed.iter().collect();
        if let Some(time) = end_of(text) {
            near.sort_by_key(|listed| listed.time.0.abs_diff(time.0));
        } else {
            near.reverse();
        }
        let near: Vec<_> = near.iter().take(2).map(|listed| format!("`{}`", listed.id)).collect();
        Error::NotFound(format!(
            "there is no snapshot `{text}` in `{store}`; the nearest {} {}. Name one by id, by a time not before it, or as \
             `latest` or `latest~1`",
            if near.len() == 1 { "is" } else { "are" },
            near.join(" and ")
        ))
    }

    fn names(&self) -> Result<Vec<String>, Error> {
        let folder = std::fs::read_dir(&self.folder).map_err(Error::io("read", &self.folder))?;
        let mut names = Vec::new();
        for entry in folder {
            let entry = entry.map_err(Error::io("read", &self.folder))?;
            names.extend(entry.file_name().into_string());
        }
        Ok(names)
    }

    /// Holds off other writers until the file is closed; removes what crashed ones left.
    fn lock(&self) -> Result<Option<File>, Error> {
        let path = self.folder.join(".lock");
        let file =
            File::options().create(true).truncate(false).write(true).open(&path).map_err(Error::io("create", &path))?;
        match file.lock() {
            Ok(()) => {}
            // Without locks another writer may be at work: nothing of its is removed.
            Err(source) if source.kind() == io::ErrorKind::Unsupported => return Ok(None),
            Err(source) => return Err(Error::io("lock", &path)(source)),
        }
        for name in self.names()? {
            if name.starts_with(WRITING) || name.starts_with(REMOVING) {
                self.disk.remove_folder(&self.folder.join(name))?;
            }
        }
        Ok(Some(file))
    }

    /// Saves a graph. Files with the same content as the newest snapshot's are shared with it.
    pub fn write(&self, graph: &Graph, options: &WriteOptions<'_>) -> Result<Written, Error> {
        let lock = self.lock()?;
        let folder = self.folder.join(format!("{WRITING}{}", std::process::id()));
        let written = self.write_into(&folder, graph, options);
        if written.is_err() {
            // Whether or not this succeeds, the next write does it.
            let _ = self.disk.remove_folder(&folder);
        }
        drop(lock);
        written
    }

    fn write_into(&self, folder: &Path, graph: &Graph, options: &WriteOptions<'_>) -> Result<Written, Error> {
        // A newest snapshot that cannot be opened is none to share with.
        let previous = self.latest().ok().flatten();
        let previous = previous.as_ref().map(|found| Previous { folder: found.folder(), manifest: found.manifest() });
        self.disk.create_folder(folder)?;
        for name in ["kinds", "relations"] {
            self.disk.create_folder(&folder.join(name))?;
        }
        let (manifest, sizes) = write_files(graph, options, folder, previous.as_ref(), &self.disk)?;
        let id = id_of(&manifest)?;
        let json = serde_json::to_vec(&manifest).map_err(|source| Error::Unfit(source.to_string()))?;
        let sum = self.write_file(&folder.join(MANIFEST), &json)?;
        let mut sums = format!("{sum}  {MANIFEST}\n");
        for file in manifest.files() {
            sums.push_str(&format!("{}  {}\n", file.sha256, file.path));
        }
        self.write_file(&folder.join(SUMS), sums.as_bytes())?;
        for name in ["kinds", "relations"] {
            self.disk.sync_folder(&folder.join(name))?;
        }
        self.disk.sync_folder(folder)?;
        let target = self.folder.join(&id);
        let existed = target.exists();
        if existed {
            // The same graph is there; it is replaced only where something is wrong with it.
            if Snapshot::open(&target).is_ok_and(|found| found.verify().is_empty()) {
                self.disk.remove_folder(folder)?;
                return Ok(Written { id, folder: target, bytes: sizes.bytes, shared_bytes: sizes.bytes, existed });
            }
            self.disk.rename(&target, &self.folder.join(format!("{REMOVING}{id}")))?;
        }
        self.disk.rename(folder, &target)?;
        self.disk.sync_folder(&self.folder)?;
        Ok(Written { id, folder: target, bytes: sizes.bytes, shared_bytes: sizes.shared_bytes, existed: false })
    }

    fn write_file(&self, path: &Path, bytes: &[u8]) -> Result<String, Error> {
        let mut file = Digesting::new(BufWriter::new(self.disk.create_file(path)?));
        file.write_all(bytes).map_err(Error::io("write", path))?;
        let (file, _, sum) = file.finish();
        file.into_inner().map_err(|failed| Error::io("write", path)(failed.into_error()))?.sync(path)?;
        Ok(sum)
    }

    /// Removes a snapshot. What it shares with others stays with them.
    pub fn remove(&self, id: &str) -> Result<(), Error> {
        let snapshot = self.folder.join(id);
        if time_of_id(id).is_none() || !snapshot.is_dir() {
            return Err(Error::NotFound(format!("there is no snapshot `{id}` in `{}`", self.folder.display())));
        }
        let _lock = self.lock()?;
        let gone = self.folder.join(format!("{REMOVING}{id}"));
        self.disk.rename(&snapshot, &gone)?;
        self.disk.remove_folder(&gone)
    }
}

/// `2026-11-25T06-30-00Z-1a2b3c4d`: the time, then what the content is: the same content at the same time is the same
/// snapshot.
fn id_of(manifest: &Manifest) -> Result<String, Error> {
    let content = Manifest { written: Timestamp::default(), ..manifest.clone() };
    let json = serde_json::to_vec(&content).map_err(|source| Error::Unfit(source.to_string()))?;
    let digest: String = digest::hex(&json).chars().take(8).collect();
    Ok(format!("{}-{digest}", manifest.time.to_string().replace(':', "-")))
}

/// The time in an id; `None` where it is none.
fn time_of_id(id: &str) -> Option<Timestamp> {
    let (time, digest) = id.rsplit_once('-')?;
    if digest.len() != 8 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let (day, clock) = time.split_once('T')?;
    clock.ends_with('Z').then(|| Timestamp::parse(&format!("{day}T{}", clock.replace('-', ":"))).ok())?
}

/// The last moment that a time means: a day alone means its end.
fn end_of(text: &str) -> Option<Timestamp> {
    let time = Timestamp::parse(text).ok()?;
    let day = text.len() == "2026-11-25".len();
    Some(if day { Timestamp(time.0.saturating_add(86_400_000_000 - 1)) } else { time })
}

fn find<'l>(listed: &'l [Listed], text: &str) -> Option<&'l Listed> {
    if let Some(back) = text.strip_prefix("latest") {
        let back = if back.is_empty() { 0 } else { back.strip_prefix('~')?.parse().ok()? };
        return listed.iter().rev().nth(back);
    }
    if let Some(exact) = listed.iter().find(|listed| listed.id == text) {
        return Some(exact);
    }
    if let Some(time) = end_of(text) {
        return listed.iter().rev().find(|listed| listed.time <= time);
    }
    let mut beginning = listed.iter().filter(|listed| listed.id.starts_with(text));
    beginning.next().filter(|_| !text.is_empty() && beginning.next().is_none())
}

#[cfg(test)]
mod tests;
