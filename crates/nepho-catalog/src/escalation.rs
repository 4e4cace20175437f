//! Escalation files: a published way to gain more permissions, as what must be allowed and what must exist.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A way to gain more permissions.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// The id, `aws.lambda.create-function`.
    pub id: Arc<str>,
    /// What is done, in a few words.
    pub title: String,
    /// How, and what it gives.
    pub how: String,
    /// What sort of way it is.
    pub form: EscalationForm,
    /// What must exist, by a name that steps use.
    #[serde(rename = "where", default)]
    pub needs: BTreeMap<Arc<str>, Need>,
    /// What must be allowed: all of it.
    pub steps: Vec<Step>,
    /// Whose permissions are gained: a name of `where`, or `administrator`.
    pub becomes: Arc<str>,
    /// Where it was published.
    #[serde(default)]
    pub sources: Sources,
}

/// What sort of way it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EscalationForm {
    /// The own permissions are widened.
    #[serde(rename = "self")]
    Own,
    /// Another principal's credentials are taken.
    PrincipalAccess,
    /// Something new is run with a role.
    NewPassRole,
    /// Something that exists is given a role.
    ExistingPassRole,
    /// Something that runs as a role is made to do one's bidding.
    ExistingCompute,
}

/// Something that must exist.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// `role`, `user`, `group`, `policy`, or a kind of resources.
    pub kind: Arc<str>,
    /// A service that may assume the role.
    #[serde(default)]
    pub trusts: Option<Arc<str>>,
    /// The principal that a policy is attached to: `self`, or a name.
    #[serde(default)]
    pub attached_to: Option<Arc<str>>,
    /// `self`: the attacker is a member of the group.
    #[serde(default)]
    pub member: Option<Arc<str>>,
    /// `self`: it is the attacker.
    #[serde(default)]
    pub is: Option<Arc<str>>,
    /// `self`: a role that the attacker may assume.
    #[serde(default)]
    pub assumable: Option<Arc<str>>,
    /// The role that a resource runs as.
    #[serde(default)]
    pub runs_as: Option<Arc<str>>,
    /// Whether the role must be in an instance profile.
    #[serde(default)]
    pub instance_profile: bool,
    /// Properties of a resource, each of which must have one of these values.
    #[serde(default)]
    pub when: BTreeMap<Arc<str>, Vec<Arc<str>>>,
    /// Whether a machine must be one that Systems Manager manages.
    #[serde(default)]
    pub managed: bool,
    /// Whether a policy must have a version, not in force, that allows everything.
    #[serde(default)]
    pub wider_version: bool,
    /// What a user must have: `login_profile`, `access_key`.
    #[serde(default)]
    pub has: Vec<Arc<str>>,
    /// What a user must not have.
    #[serde(default)]
    pub lacks: Vec<Arc<str>>,
}

/// Something that must be allowed.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "StepFields")]
pub enum Step {
    /// One action.
    One(Permission),
    /// One of several.
    Any(Vec<Steps>),
}

/// A step as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepFields {
    action: Option<Arc<str>>,
    on: Option<Arc<str>>,
    #[serde(default)]
    given: BTreeMap<Arc<str>, Arc<str>>,
    #[serde(default)]
    any: Vec<Steps>,
}

impl TryFrom<StepFields> for Step {
    type Error = String;

    fn try_from(fields: StepFields) -> Result<Self, String> {
        let StepFields { action, on, given, any } = fields;
        match action {
            Some(action) if any.is_empty() => Ok(Self::One(Permission { action, on, given })),
            None if !any.is_empty() && on.is_none() && given.is_empty() => Ok(Self::Any(any)),
            _ => Err("a step is an `action`, or `any` of several".to_owned()),
        }
    }
}

/// A step, or several that belong together.
#[derive(Clone, Debug)]
pub enum Steps {
    /// One.
    One(Permission),
    /// All of them.
    All(Vec<Permission>),
}

impl<'de> Deserialize<'de> for Steps {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrAll;
        impl<'de> Visitor<'de> for OneOrAll {
            type Value = Steps;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a step or a list of steps")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Steps, A::Error> {
                Permission::deserialize(MapAccessDeserializer::new(map)).map(Steps::One)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Steps, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(Steps::All)
            }
        }
        deserializer.deserialize_any(OneOrAll)
    }
}

/// An action that must be allowed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permission {
    /// `iam:PassRole`
    pub action: Arc<str>,
    /// A name of `where`, or a pattern of ARNs; without it, any resource.
    #[serde(default)]
    pub on: Option<Arc<str>>,
    /// Condition keys that the request carries.
    #[serde(default)]
    pub given: BTreeMap<Arc<str>, Arc<str>>,
}

/// Where a way was published.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sources {
    /// Ids of pathfinding.cloud.
    #[serde(default)]
    pub pathfinding: Vec<Arc<str>>,
    /// Names of Cloudsplaining.
    #[serde(default)]
    pub cloudsplaining: Vec<Arc<str>>,
    /// Other pages.
    #[serde(default)]
    pub documents: Vec<String>,
    /// Names in other tools' lists.
    #[serde(default)]
    pub others: Vec<String>,
}

impl Step {
    /// Its alternatives, each a list of what must be allowed together.
    pub fn alternatives(&self) -> Vec<&[Permission]> {
        match self {
            Self::One(one) => vec![std::slice::from_ref(one)],
            Self::Any(any) => any
                .iter()
                .map(|steps| match steps {
                    Steps::One(one) => std::slice::from_ref(one),
                    Steps::All(all) => all.as_slice(),
                })
                .collect(),
        }
    }
}
