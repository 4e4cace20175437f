//! The manifest: everything about a snapshot that is known without reading a Parquet file.

use std::path::{Component, Path};

use nepho_model::{CoverageState, Timestamp};
use serde::{Deserialize, Serialize};

/// The version of the format that is written, and the newest that is read.
pub const FORMAT: u64 = 1;
/// Its file name.
pub(crate) const MANIFEST: &str = "manifest.json";
/// The checksums of the manifest and of all files, as `sha256sum` reads them.
pub(crate) const SUMS: &str = "SHA256SUMS";
/// No manifest is larger than this.
pub(crate) const MANIFEST_LIMIT: u64 = 256 << 20;

/// What `manifest.json` says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the format.
    pub format: u64,
    /// Who wrote it: name and version.
    pub tool: String,
    /// The version of the catalogue's schema by which resources were collected.
    #[serde(default)]
    pub schema: String,
    /// The time at which the estate was as the snapshot says.
    pub time: Timestamp,
    /// When it was written.
    pub written: Timestamp,
    /// The recordings that it was made of.
    #[serde(default)]
    pub sources: Vec<Recording>,
    /// Accounts and regions.
    pub places: Vec<String>,
    /// The kinds, by id; those without resources have no file.
    pub kinds: Vec<KindEntry>,
    /// The relation types, by name.
    pub relations: Vec<RelationEntry>,
    /// The verdicts, where rules were run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdicts: Option<FileEntry>,
    /// What could and could not be read.
    #[serde(default)]
    pub coverage: Vec<CoverageGroup>,
}

impl Manifest {
    /// Every file.
    pub fn files(&self) -> impl Iterator<Item = &FileEntry> {
        let kinds = self.kinds.iter().filter_map(|kind| kind.file.as_ref());
        let relations = self.relations.iter().filter_map(|relation| relation.file.as_ref());
        kinds.chain(relations).chain(&self.verdicts)
    }
}

/// A recording that a snapshot was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// Its folder.
    pub path: String,
    /// When it was made.
    pub time: Timestamp,
    /// The provider, `aws`.
    #[serde(default)]
    pub provider: String,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Where, from the snapshot's folder on, with `/`.
    pub path: String,
    /// How many rows.
    pub rows: u64,
    /// How many bytes.
    pub bytes: u64,
    /// The SHA-256 of the bytes, in hexadecimal.
    pub sha256: String,
}

impl FileEntry {
    /// Whether the path stays within the snapshot.
    pub(crate) fn is_inside(&self) -> bool {
        let path = Path::new(&self.path);
        path.components().count() <= 2 && path.components().all(|part| matches!(part, Component::Normal(_)))
    }
}

/// One kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindEntry {
    /// The id, `aws.s3.bucket`.
    pub kind: String,
    /// The kind label, then the class labels.
    pub labels: Vec<String>,
    /// Whether its nodes are resources, with account and region.
    pub resources: bool,
    /// How many there are.
    pub rows: u64,
    /// Their file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileEntry>,
    /// The properties.
    pub columns: Vec<ColumnEntry>,
    /// Where the kind was not completely listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<Place>,
}

/// One relation type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelationEntry {
    /// The type, `ATTACHED_TO`.
    pub name: String,
    /// Their file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileEntry>,
    /// How many there are between which kinds, in order of the kinds.
    pub pairs: Vec<PairEntry>,
    /// The properties.
    pub columns: Vec<ColumnEntry>,
    /// Nodes whose relations of this type could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Unread>,
}

/// How many relations there are between two kinds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairEntry {
    /// The kind at the start.
    pub from: String,
    /// The kind at the end.
    pub to: String,
    /// How many.
    pub count: u64,
}

/// Nodes of one kind whose relations could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// The kind.
    pub kind: String,
    /// Their rows: runs of first row and length.
    pub rows: Vec<(u32, u32)>,
}

/// An account and a region; neither means all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// One property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnEntry {
    /// Its name.
    pub name: String,
    /// The column of the Parquet file, where it could not have the property's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Its type.
    #[serde(rename = "type")]
    pub of: ColumnType,
    /// How many distinct values there are; left out where there are very many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct: Option<u64>,
    /// How many rows have no value.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub absent: u64,
    /// How many rows have a value that could not be read.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unknown: u64,
    /// The column of the Parquet file that says which rows those are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_column: Option<String>,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl ColumnEntry {
    /// The column of the Parquet file.
    pub fn column(&self) -> &str {
        self.column.as_deref().unwrap_or(&self.name)
    }
}

/// How a property is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// `BOOLEAN`.
    Boolean,
    /// `BIGINT`.
    Bigint,
    /// `DOUBLE`.
    Double,
    /// `TIMESTAMP` in microseconds, in UTC.
    Timestamp,
    /// UTF-8 text.
    Text,
    /// JSON text.
    Json,
}

/// Calls with one outcome and where they had it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageGroup {
    /// The kind; empty for what concerns the whole account or region.
    pub kind: String,
    /// `service:Operation`.
    pub call: String,
    /// Whether it is the call that lists the kind.
    pub lists: bool,
    /// The outcome.
    pub state: CoverageState,
    /// The provider's own error code.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// The provider's own words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Accounts, each with its regions and how many items each had.
    pub places: Vec<(String, Vec<(String, u64)>)>,
}
