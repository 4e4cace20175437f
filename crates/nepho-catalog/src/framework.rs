//! Framework files: numbered requirements that rules point at.

use std::sync::Arc;

use serde::Deserialize;

/// A compliance framework.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Framework {
    /// The id, `cis-aws-5.0`; the file's name.
    pub id: Arc<str>,
    /// Its name.
    pub title: String,
    /// Its version.
    #[serde(default)]
    pub version: String,
    /// The document it stands in.
    pub source: String,
    /// Its requirements in order.
    pub requirements: Vec<Requirement>,
}

/// One numbered requirement.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Its number or name.
    pub id: Arc<str>,
    /// In our own short words.
    pub title: String,
    /// The section it stands in.
    #[serde(default)]
    pub section: Option<String>,
    /// Whether it can be judged from a cloud's API at all.
    #[serde(default)]
    pub automated: Option<bool>,
    /// Profile level, where the framework has such.
    #[serde(default)]
    pub level: Option<u8>,
    /// Not, or no longer, part of the framework: rules may go on naming it, but it is neither shown nor scored.
    #[serde(default)]
    pub retired: bool,
    /// Severity, where the framework gives one.
    #[serde(default)]
    pub severity: Option<nepho_model::Severity>,
}
