//! Rule files: one judgement on one kind (`docs/rules.md`).

use std::fmt;
use std::sync::Arc;

use nepho_model::Severity;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The id, `aws.ec2.volume-unencrypted`; follows from the path.
    pub id: Arc<str>,
    /// The defect in a few words.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// The kind id or class label that is judged; binds `r`.
    pub on: Arc<str>,
    /// openCypher: which resources are judged.
    #[serde(default)]
    pub applies_when: Option<String>,
    /// openCypher: true means the defect is there.
    pub fail_when: String,
    /// openCypher expressions shown as evidence besides the properties that `fail_when` reads.
    #[serde(default)]
    pub evidence: Vec<String>,
    /// What an attacker does with it, or what goes wrong.
    pub why: String,
    /// What to do.
    pub fix: Fix,
    /// Requirements of frameworks that this defect breaks.
    #[serde(default)]
    pub controls: Vec<ControlId>,
    /// Where to read more.
    #[serde(default)]
    pub references: Vec<String>,
    /// Earlier ids.
    #[serde(default)]
    pub aliases: Vec<Arc<str>>,
    /// Why the rule is no longer run, where it is not.
    #[serde(default)]
    pub deprecated: Option<String>,
}

/// What to do about a finding.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Fix {
    /// For a person.
    pub text: String,
    /// Commands; placeholders in angle brackets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cli: Option<String>,
    /// Terraform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terraform: Option<String>,
}

/// A requirement of a framework: `cis-aws-5.0/1.4`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ControlId {
    /// Framework id.
    pub framework: Arc<str>,
    /// Requirement id.
    pub requirement: Arc<str>,
}

impl fmt::Display for ControlId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.framework, self.requirement)
    }
}

impl Serialize for ControlId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ControlId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (framework, requirement) = text.split_once('/').ok_or_else(|| {
            serde::de::Error::custom(format!("`{text}` is no control; write framework/requirement, cis-aws-5.0/1.4"))
        })?;
        Ok(Self { framework: framework.into(), requirement: requirement.into() })
    }
}
