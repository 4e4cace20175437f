//! Columns that several open snapshots of a store have in common: of equal files each is held once.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use hashbrown::HashMap;
use nepho_graph::storage::{Column, Texts};

use super::file::DataFile;
use crate::manifest::ColumnEntry;

/// What is in use, by the checksum of its file and what the manifest says of it.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    columns: Mutex<HashMap<String, Weak<Column>>>,
    keys: Mutex<HashMap<String, Weak<Texts>>>,
}

impl Shared {
    /// A property's column.
    pub fn column(
        &self,
        file: &DataFile,
        entry: &ColumnEntry,
        read: impl FnOnce() -> Result<Column, String>,
    ) -> Result<Arc<Column>, String> {
        once(&self.columns, file, format!("{} {entry:?}", file.sha256()), read)
    }

    /// The keys of a kind.
    pub fn keys(&self, file: &DataFile, read: impl FnOnce() -> Result<Texts, String>) -> Result<Arc<Texts>, String> {
        once(&self.keys, file, file.sha256().to_owned(), read)
    }
}

fn once<T>(
    held: &Mutex<HashMap<String, Weak<T>>>,
    file: &DataFile,
    name: String,
    read: impl FnOnce() -> Result<T, String>,
) -> Result<Arc<T>, String> {
    let lock = || held.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(fault) = file.fault() {
        return Err(fault.to_owned());
    }
    if let Some(found) = lock().get(&name).and_then(Weak::upgrade) {
        return Ok(found);
    }
    // Not under the lock: other columns are read meanwhile.
    let new = Arc::new(read()?);
    let mut held = lock();
    if held.len() == held.capacity() {
        held.retain(|_, known| known.strong_count() > 0);
    }
    held.insert(name, Arc::downgrade(&new));
    Ok(new)
}
