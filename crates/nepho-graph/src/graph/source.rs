//! Where a graph's columns come from when they are read only as they are needed, and reading each of them once.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::column::Column;
use super::texts::Texts;

/// Reads parts of a graph that was written down. Kinds, relation types and columns are numbered as in the
/// [`crate::storage::GraphParts`] that came with it.
///
/// An error is a sentence that names what is damaged or missing.
pub trait Source: Debug + Send + Sync {
    /// The keys of a kind's nodes, ascending. Graphs may share them, as they may columns.
    fn keys(&self, kind: usize) -> Result<Arc<Texts>, String>;
    /// Account and region of each of a kind's nodes, as numbers of `GraphParts::places`.
    fn places(&self, kind: usize) -> Result<(Vec<u32>, Vec<u32>), String>;
    /// One property of a kind's nodes.
    fn property(&self, kind: usize, column: usize) -> Result<Arc<Column>, String>;
    /// The nodes at which each relation starts and ends, in ascending order of (start, end). Nodes are numbered through
    /// all kinds in the order of [`crate::storage::GraphParts::kinds`].
    fn ends(&self, relation: usize) -> Result<(Vec<u32>, Vec<u32>), String>;
    /// One property of a type's relations.
    fn relation_property(&self, relation: usize, column: usize) -> Result<Arc<Column>, String>;
}

/// A source and what went wrong with it.
#[derive(Debug)]
pub(crate) struct Reader {
    pub source: Arc<dyn Source>,
    faults: Mutex<Vec<String>>,
}

impl Reader {
    pub fn new(source: Arc<dyn Source>) -> Self {
        Self { source, faults: Mutex::default() }
    }

    /// What was read, or `instead` and a note.
    pub fn or<T>(&self, read: Result<T, String>, instead: impl FnOnce() -> T) -> T {
        read.unwrap_or_else(|fault| {
            let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
            if !faults.contains(&fault) {
                faults.push(fault);
            }
            instead()
        })
    }

    pub fn faults(&self) -> Vec<String> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Something that is there from the start or read when first needed.
#[derive(Debug)]
pub(crate) struct Lazy<T>(OnceLock<T>);

impl<T> Lazy<T> {
    /// Not read yet.
    pub fn unread() -> Self {
        Self(OnceLock::new())
    }

    /// The value; `read` is called at most once.
    #[inline]
    pub fn get(&self, read: impl FnOnce() -> T) -> &T {
        self.0.get_or_init(read)
    }
}

impl<T> From<T> for Lazy<T> {
    fn from(value: T) -> Self {
        Self(OnceLock::from(value))
    }
}
