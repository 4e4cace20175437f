//! A resource as collected: what becomes a node and its relations.

use std::sync::Arc;

use crate::{CoverageState, Value};

/// Which way a link points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the resource that carries the link to the named one.
    Out,
    /// From the named resource to the one that carries the link.
    In,
}

/// A relation to a resource that is named as the provider names it; the graph builder looks the name up.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Relation type, `ATTACHED_TO`.
    pub relation: Arc<str>,
    /// Which way it points.
    pub direction: Direction,
    /// Kinds that the other end may be of.
    pub kinds: Arc<[Arc<str>]>,
    /// The other end's key, or one of its ids (an id, a name, an ARN).
    pub target: Arc<str>,
}

/// Why something about a resource is unknown.
#[derive(Clone, Debug, PartialEq)]
pub struct UnknownFact {
    /// The property or the relation type.
    pub name: Arc<str>,
    /// The call that would have told, `s3:GetBucketPolicy`.
    pub call: Arc<str>,
    /// How it failed.
    pub state: CoverageState,
    /// The provider's own error code.
    pub code: Arc<str>,
    /// The provider's own words.
    pub message: Arc<str>,
}

/// One resource as collected.
///
/// Every resource has the built-in properties `key`, `kind`, `account`, `region`, `name`, `tags`; they are fields here
/// and not repeated in `properties`.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// The kind id, `aws.s3.bucket`.
    pub kind: Arc<str>,
    /// The provider's global name, for AWS the ARN.
    pub key: Arc<str>,
    /// The account that owns it.
    pub account: Arc<str>,
    /// The region it is in; `global` where it belongs to none.
    pub region: Arc<str>,
    /// The name people know it by; `Null` where it has none.
    pub name: Value,
    /// Tags as a map; `Unknown` where they could not be read.
    pub tags: Value,
    /// Other identifiers by which relations may name it (beside the key and the name).
    pub ids: Vec<Arc<str>>,
    /// Properties in the kind's order of declaration; a property left out is `Null`.
    pub properties: Vec<(Arc<str>, Value)>,
    /// Relations by name of the other end.
    pub links: Vec<Link>,
    /// For each unknown property (and each relation that could not be read), why.
    pub unknown: Vec<UnknownFact>,
}
