//! Snapshots: the security graph on disk as Parquet, and a store of them over time.
//!
//! A snapshot is a folder with one Parquet file for each kind and each relation type, the verdicts, and a manifest;
//! `docs/snapshots.md` describes it. [`Store`] writes and finds snapshots, [`Snapshot::graph`] gives the graph, whose
//! columns are read when they are first needed. The only crate that knows Parquet.

mod diff;
mod digest;
mod disk;
mod error;
mod json;
mod manifest;
mod names;
mod read;
mod store;
mod verdict;
mod write;

use std::path::Path;

use nepho_graph::Graph;

pub use diff::{
    ChangedRelation, ChangedResource, ChangedVerdict, Changes, Diff, PropertyChange, Relation, Resource, diff,
};
pub use error::Error;
pub use manifest::{
    ColumnEntry, ColumnType, CoverageGroup, FORMAT, FileEntry, KindEntry, Manifest, PairEntry, Place, Recording,
    RelationEntry, Unread,
};
pub use read::Snapshot;
pub use store::{Listed, Store, Written};
pub use verdict::VerdictRow;
pub use write::WriteOptions;

/// Saves a graph in the store in `folder`, which is made where it is not there.
pub fn write(folder: &Path, graph: &Graph, options: &WriteOptions<'_>) -> Result<Written, Error> {
    Store::create(folder)?.write(graph, options)
}
