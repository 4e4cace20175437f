//! What can go wrong with a store: one error type that names the file and what to do.

use std::io;
use std::path::{Path, PathBuf};

/// What went wrong, and with which file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file system refused.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was being done: "read", "write" …
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A file is missing, or is not what the manifest says.
    #[error("`{}` is damaged: {what}; restore it from a copy, or use another snapshot", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// In which way.
        what: String,
    },
    /// A file could not be read: the whole sentence.
    #[error("{0}")]
    Unreadable(String),
    /// The snapshot was written by a newer nephoscope.
    #[error("`{}` has format {found}, this nephoscope reads format {known}; use a newer one", path.display())]
    Format {
        /// The manifest.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// Ours.
        known: u64,
    },
    /// Something of the graph does not fit into the format.
    #[error("the graph cannot be saved: {0}")]
    Unfit(String),
    /// No snapshot answers to what was asked for.
    #[error("{0}")]
    NotFound(String),
}

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    pub(crate) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), what: what.into() }
    }

    /// The message and what is behind it, in one sentence.
    pub fn full_text(&self) -> String {
        match self {
            Self::Io { source, .. } => format!("{self}: {source}"),
            _ => self.to_string(),
        }
    }
}
