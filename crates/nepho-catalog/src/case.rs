//! Case files: examples that a kind or a rule must get right.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

/// The cases of a rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleCases {
    /// The time of every case without its own.
    #[serde(default)]
    pub clock: Option<String>,
    /// The cases.
    pub cases: Vec<RuleCase>,
}

/// One example for a rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleCase {
    /// What it shows.
    pub name: String,
    /// What must come out.
    pub verdict: CaseVerdict,
    /// The time of the case.
    #[serde(default)]
    pub clock: Option<String>,
    /// Properties of `r`.
    #[serde(default)]
    pub resource: Map<String, Json>,
    /// Kind of `r`, where the rule is on a class.
    #[serde(default)]
    pub kind: Option<Arc<str>>,
    /// Region of `r`.
    #[serde(default)]
    pub region: Option<Arc<str>>,
    /// Account of `r`.
    #[serde(default)]
    pub account: Option<Arc<str>>,
    /// Properties and relation types of `r` that could not be read.
    #[serde(default)]
    pub unknown: Vec<Arc<str>>,
    /// Kinds that were not completely listed.
    #[serde(default)]
    pub incomplete: Vec<Arc<str>>,
    /// Properties of the account node.
    #[serde(default)]
    pub account_properties: Map<String, Json>,
    /// Further resources.
    #[serde(default)]
    pub with: IndexMap<String, CaseResource>,
    /// Relations as [from, TYPE, to].
    #[serde(default)]
    pub relations: Vec<(String, String, String)>,
}

/// A further resource of a case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseResource {
    /// Its kind.
    pub kind: Arc<str>,
    /// Its name; the same as a property `name`.
    #[serde(default)]
    pub name: Option<String>,
    /// Its properties.
    #[serde(default)]
    pub properties: Map<String, Json>,
    /// What of it could not be read.
    #[serde(default)]
    pub unknown: Vec<Arc<str>>,
    /// Its account.
    #[serde(default)]
    pub account: Option<Arc<str>>,
    /// Its region.
    #[serde(default)]
    pub region: Option<Arc<str>>,
}

/// What a case expects.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum CaseVerdict {
    /// The defect is not there.
    Pass,
    /// It is there.
    Fail,
    /// It cannot be known.
    Unknown,
    /// The resource is not judged.
    NotApplicable,
}

/// The cases of a kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindCases {
    /// The cases.
    pub cases: Vec<KindCase>,
}

/// One example for a kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindCase {
    /// What it shows.
    pub name: String,
    /// Where the answers come from.
    #[serde(default)]
    pub source: Option<String>,
    /// The answers.
    pub answers: Vec<CaseAnswer>,
    /// The resources that must come out.
    pub expect: Vec<ExpectedResource>,
}

/// One recorded answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseAnswer {
    /// Account; 111122223333 without.
    #[serde(default)]
    pub account: Option<String>,
    /// Region; us-east-1 without.
    #[serde(default)]
    pub region: Option<String>,
    /// Service; the kind's list service without.
    #[serde(default)]
    pub service: Option<String>,
    /// Operation.
    pub operation: String,
    /// Parameters.
    #[serde(default)]
    pub parameters: Map<String, Json>,
    /// The answer …
    #[serde(default)]
    pub response: Option<Json>,
    /// … or the error.
    #[serde(default)]
    pub error: Option<CaseError>,
}

/// A recorded error.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseError {
    /// The provider's code.
    pub code: String,
    /// The provider's words.
    #[serde(default)]
    pub message: String,
}

/// What must come out for one resource; only what is named is compared.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedResource {
    /// Its key.
    pub key: String,
    /// Its region.
    #[serde(default)]
    pub region: Option<String>,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// Its tags.
    #[serde(default)]
    pub tags: Option<Json>,
    /// Properties and their values.
    #[serde(default)]
    pub properties: Map<String, Json>,
    /// Properties that must be unknown.
    #[serde(default)]
    pub unknown: Vec<String>,
    /// Targets of its links by relation type.
    #[serde(default)]
    pub links: IndexMap<String, Vec<String>>,
}
