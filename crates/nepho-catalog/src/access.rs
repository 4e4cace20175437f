//! Access files: which actions on which ARNs mean to read, write, delete or administer a kind of resources.

use std::sync::Arc;

use serde::Deserialize;

/// What access to a kind of resources means.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// The kind's id.
    pub kind: Arc<str>,
    /// To read its data.
    #[serde(default)]
    pub read: Vec<AccessGroup>,
    /// To write its data.
    #[serde(default)]
    pub write: Vec<AccessGroup>,
    /// To destroy its data or itself.
    #[serde(default)]
    pub delete: Vec<AccessGroup>,
    /// To give others access to its data.
    #[serde(default)]
    pub administer_data: Vec<AccessGroup>,
    /// To change how it works, is protected or logged.
    #[serde(default)]
    pub administer_configuration: Vec<AccessGroup>,
}

/// Actions that give access.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessGroup {
    /// Any of them.
    pub actions: Vec<Arc<str>>,
    /// The ARN that must be allowed, with `{key}`, `{name}`, `{account}`, `{region}`, `{partition}` and properties.
    pub on: Arc<str>,
    /// Whether all of the actions are needed.
    #[serde(default)]
    pub all: bool,
}
