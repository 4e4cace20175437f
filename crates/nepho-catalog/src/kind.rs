//! Kind files: a type of resource, where it is read and what is known of it (`docs/kinds.md`).

use std::sync::Arc;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

/// One or several of something in a YAML file.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// Several.
    Many(Vec<T>),
    /// One.
    One(T),
}

impl<T> OneOrMany<T> {
    /// All of them.
    pub fn as_slice(&self) -> &[T] {
        match self {
            Self::Many(all) => all,
            Self::One(one) => std::slice::from_ref(one),
        }
    }
}

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

/// Where a kind is listed.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Once an account, in the partition's home region.
    Global,
    /// In every enabled region.
    Region,
}

/// A kind of resource.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// The id, `aws.s3.bucket`; follows from the path.
    #[serde(rename = "kind")]
    pub id: Arc<str>,
    /// What people call it.
    pub title: String,
    /// One or two sentences.
    #[serde(default)]
    pub doc: String,
    /// Class labels across clouds.
    #[serde(default)]
    pub classes: Vec<Arc<str>>,
    /// Where it is listed.
    pub scope: Scope,
    /// The calls that list it.
    pub list: OneOrMany<ListCall>,
    /// Each resource stands for the region it is in; where the scan is not for that region, it is left out.
    #[serde(default)]
    pub stands_for_region: bool,
    /// JMESPath to the region an item lives in, where that is not the region it was listed in.
    #[serde(default)]
    pub region: Option<String>,
    /// Template of the key.
    pub key: String,
    /// JMESPath to the name.
    #[serde(default)]
    pub name: Option<String>,
    /// JMESPath expressions to further identifiers.
    #[serde(default)]
    pub ids: Vec<String>,
    /// Template of the console's address.
    #[serde(default)]
    pub console: Option<String>,
    /// One further call that completes the item.
    #[serde(default)]
    pub describe: Option<DescribeCall>,
    /// Further calls an item, by name.
    #[serde(default)]
    pub get: IndexMap<Arc<str>, GetCall>,
    /// Where the tags stand.
    #[serde(default)]
    pub tags: Option<Tags>,
    /// Properties by name.
    #[serde(default)]
    pub properties: IndexMap<Arc<str>, Property>,
    /// Relations by type.
    #[serde(default)]
    pub relations: IndexMap<Arc<str>, OneOrMany<Relation>>,
}

/// A call that lists items.
#[derive(Clone, Debug, Deserialize, PartialEq, Default)]
#[serde(deny_unknown_fields)]
pub struct ListCall {
    /// No call: one empty item a scope.
    #[serde(default)]
    pub singleton: bool,
    /// Service by the provider's own name; for a singleton the default of its `get` calls.
    #[serde(default)]
    pub service: Arc<str>,
    /// Operation.
    #[serde(default)]
    pub action: Arc<str>,
    /// IAM actions needed, where not `<signing prefix>:<action>`.
    #[serde(default)]
    pub permission: OneOrMany<String>,
    /// Parameters with templates.
    #[serde(default)]
    pub params: Map<String, Json>,
    /// JMESPath to the items.
    #[serde(default)]
    pub items: Option<String>,
    /// Field name that plain items are wrapped in.
    #[serde(default)]
    pub wrap: Option<String>,
    /// Page size to ask for.
    #[serde(default)]
    pub page_size: Option<u32>,
    /// Error codes that mean "there are none".
    #[serde(default)]
    pub absent_when: Vec<String>,
    /// The parent kind.
    #[serde(default)]
    pub for_each: Option<Arc<str>>,
    /// Named list transform.
    #[serde(default)]
    pub transform: Option<String>,
    /// Call to make first.
    #[serde(default)]
    pub prepare: Option<Prepare>,
    /// Where a global list is answered, when that is not the partition's home region (in partition `aws` only).
    #[serde(default)]
    pub region: Option<Arc<str>>,
    /// Scope, where it differs from the kind's.
    #[serde(default)]
    pub scope: Option<Scope>,
    /// Paths whose text may be secret.
    #[serde(default)]
    pub secret: Vec<String>,
    /// `base64` where the secret text is encoded.
    #[serde(default)]
    pub secret_encoding: Option<SecretEncoding>,
}

/// How a place that may be secret is encoded.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum SecretEncoding {
    /// Base64 (possibly gzip inside).
    Base64,
}

/// A call made before the list call until a condition holds.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Prepare {
    /// Operation, of the list's service.
    pub action: Arc<str>,
    /// IAM actions needed, where not `<signing prefix>:<action>`.
    #[serde(default)]
    pub permission: OneOrMany<String>,
    /// JMESPath over its answer.
    pub until: String,
}

/// A call that completes an item, or many items at once.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DescribeCall {
    /// Service; the list's without it.
    #[serde(default)]
    pub service: Option<Arc<str>>,
    /// Operation.
    pub action: Arc<str>,
    /// IAM actions needed.
    #[serde(default)]
    pub permission: OneOrMany<String>,
    /// Parameters with templates.
    #[serde(default)]
    pub params: Map<String, Json>,
    /// JMESPath to what is merged over the item; with `batch` to the list of them.
    #[serde(default)]
    pub item: Option<String>,
    /// JMESPath over the item: made only where truthy.
    #[serde(default)]
    pub when: Option<String>,
    /// Error codes that mean the item is gone.
    #[serde(default)]
    pub absent_when: Vec<String>,
    /// Many items a call.
    #[serde(default)]
    pub batch: Option<Batch>,
    /// Paths whose text may be secret.
    #[serde(default)]
    pub secret: Vec<String>,
    /// `base64` where the secret text is encoded.
    #[serde(default)]
    pub secret_encoding: Option<SecretEncoding>,
}

/// How many items go into one describe call.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// The parameter that takes the list.
    pub param: String,
    /// JMESPath over an item to its value in that list.
    pub value: String,
    /// Values a call.
    pub size: usize,
    /// JMESPath over a described item to the value it answers.
    #[serde(rename = "match")]
    pub matches: String,
}

/// A further call an item.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetCall {
    /// Service; the list's without it.
    #[serde(default)]
    pub service: Option<Arc<str>>,
    /// Operation.
    pub action: Arc<str>,
    /// IAM actions needed.
    #[serde(default)]
    pub permission: OneOrMany<String>,
    /// Parameters with templates.
    #[serde(default)]
    pub params: Map<String, Json>,
    /// JMESPath over the item: made only where truthy.
    #[serde(default)]
    pub when: Option<String>,
    /// Error codes that mean "there is none".
    #[serde(default)]
    pub absent_when: Vec<String>,
    /// Another `get` call whose answer may say already that there is none.
    #[serde(default)]
    pub needs: Option<Needs>,
    /// Whether all pages are read (the default).
    #[serde(default = "yes")]
    pub paginate: bool,
    /// Paths whose text may be secret.
    #[serde(default)]
    pub secret: Vec<String>,
    /// `base64` where the secret text is encoded.
    #[serde(default)]
    pub secret_encoding: Option<SecretEncoding>,
}

/// What another call's answer must hold for there to be anything to ask for.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Needs {
    /// The other call's name.
    pub call: Arc<str>,
    /// JMESPath over its answer; where it finds nothing, there is none.
    pub holds: String,
}

fn yes() -> bool {
    true
}

/// Where the tags stand.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(untagged)]
pub enum Tags {
    /// JMESPath over the item.
    Item(String),
    /// JMESPath over the answer of a `get` call.
    Call {
        /// The call's name.
        get: Arc<str>,
        /// JMESPath.
        #[serde(default)]
        api: Option<String>,
        /// A call that brings the tags of all resources of the type in a place; where it fails, `get` is made.
        #[serde(default)]
        bulk: Option<Box<BulkTags>>,
    },
}

/// A call that brings the tags of many resources.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct BulkTags {
    /// Service.
    pub service: Arc<str>,
    /// Operation.
    pub action: Arc<str>,
    /// IAM actions needed, where not `<signing prefix>:<action>`.
    #[serde(default)]
    pub permission: OneOrMany<String>,
    /// Parameters with templates.
    #[serde(default)]
    pub params: Map<String, Json>,
    /// Page size to ask for.
    #[serde(default)]
    pub page_size: Option<u32>,
    /// JMESPath to the list of resources.
    pub items: String,
    /// JMESPath over one of them to its key.
    #[serde(rename = "match")]
    pub matches: String,
    /// JMESPath over one of them to its tags.
    pub api: String,
}

/// The type of a property.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum PropertyType {
    /// True or false.
    Bool,
    /// Whole number.
    Int,
    /// Number.
    Float,
    /// Text.
    String,
    /// Point in time.
    Time,
    /// List of text.
    List,
    /// Any structure.
    Json,
}

impl PropertyType {
    /// The word used in files and reference pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::String => "string",
            Self::Time => "time",
            Self::List => "list",
            Self::Json => "json",
        }
    }
}

/// A property of a kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Property {
    /// Type.
    #[serde(rename = "type")]
    pub kind: PropertyType,
    /// JMESPath to the value; without it the whole item or answer.
    #[serde(default)]
    pub api: Option<String>,
    /// The `get` calls whose answers it reads; none: the item.
    #[serde(default)]
    pub get: OneOrMany<Arc<str>>,
    /// Named transform.
    #[serde(default)]
    pub transform: Option<String>,
    /// Arguments of the transform.
    #[serde(default)]
    pub args: Json,
    /// Value where nothing is found.
    #[serde(default)]
    pub default: Option<Json>,
    /// Closed set of values.
    #[serde(default)]
    pub values: Vec<String>,
    /// Unit.
    #[serde(default)]
    pub unit: Option<String>,
    /// Terraform attribute.
    #[serde(default)]
    pub terraform: OneOrMany<String>,
    /// CloudFormation property.
    #[serde(default)]
    pub cloudformation: OneOrMany<String>,
    /// One line.
    pub doc: String,
}

/// A relation of a kind: exactly one of `to` and `from` is given.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relation {
    /// Kinds at the far end, the relation pointing there.
    #[serde(default)]
    pub to: OneOrMany<Arc<str>>,
    /// Kinds at the far end, the relation pointing here.
    #[serde(default)]
    pub from: OneOrMany<Arc<str>>,
    /// JMESPath to one or several ids.
    pub by: String,
    /// The `get` calls whose answers it reads; none: the item.
    #[serde(default)]
    pub get: OneOrMany<Arc<str>>,
    /// One line.
    #[serde(default)]
    pub doc: Option<String>,
}

impl Kind {
    /// The graph label.
    pub fn label(&self) -> String {
        nepho_model::label_of_kind(&self.id)
    }

    /// Every call of this kind as (service, operation, explicit permissions).
    pub fn calls(&self) -> Vec<(Arc<str>, Arc<str>, &[String])> {
        let mut calls = Vec::new();
        let mut default_service: Arc<str> = Arc::from("");
        for list in self.list.as_slice() {
            default_service = list.service.clone();
            if !list.singleton {
                calls.push((list.service.clone(), list.action.clone(), list.permission.as_slice()));
                if let Some(prepare) = &list.prepare {
                    calls.push((list.service.clone(), prepare.action.clone(), prepare.permission.as_slice()));
                }
            }
        }
        if let Some(describe) = &self.describe {
            let service = describe.service.clone().unwrap_or_else(|| default_service.clone());
            calls.push((service, describe.action.clone(), describe.permission.as_slice()));
        }
        for get in self.get.values() {
            let service = get.service.clone().unwrap_or_else(|| default_service.clone());
            calls.push((service, get.action.clone(), get.permission.as_slice()));
        }
        if let Some(Tags::Call { bulk: Some(bulk), .. }) = &self.tags {
            calls.push((bulk.service.clone(), bulk.action.clone(), bulk.permission.as_slice()));
        }
        calls
    }
}
