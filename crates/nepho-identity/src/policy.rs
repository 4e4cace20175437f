//! Policies as statements in one form, whatever kind of policy they stand in.

mod condition;

use serde_json::Value as Json;

pub use condition::{Held, Operator, Quantifier, Test};
pub(crate) use condition::{in_range, prefix, time};

use crate::arn::is_account;
use crate::pattern::Pattern;

/// Whether a statement allows or denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// `Allow`
    Allow,
    /// `Deny`
    Deny,
}

/// A policy document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// Whether `${…}` are variables in it: version 2012-10-17 or later.
    pub has_variables: bool,
    /// In the order in which they stand.
    pub statements: Vec<Statement>,
    /// What could not be read. A statement that has a problem is left out.
    pub problems: Vec<Problem>,
}

/// Why a part of a policy could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Number of the statement, from 1; `None` for the document itself.
    pub statement: Option<usize>,
    /// What is wrong.
    pub message: String,
}

/// One statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// Its number in the policy, from 1.
    pub number: usize,
    /// Its `Sid`.
    pub sid: Option<Box<str>>,
    /// What it does.
    pub effect: Effect,
    /// Whom it is about; `None` when it names no one.
    pub principals: Option<Principals>,
    /// Which actions, in lower case.
    pub actions: Patterns,
    /// Which resources; `None` in trust policies, which are about the role that they stand in.
    pub resources: Option<Patterns>,
    /// What else must hold: all of it.
    pub conditions: Vec<Test>,
}

/// Patterns, or all but what they match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patterns {
    /// `NotAction`, `NotResource`
    pub not: bool,
    /// Any of them.
    pub of: Vec<Written>,
}

/// A pattern as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// The same for every request.
    Fixed(Pattern),
    /// With `${…}` to be replaced.
    Variable(Box<str>),
}

/// Principals, or all but those named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Principals {
    /// `NotPrincipal`
    pub not: bool,
    /// Any of them.
    pub of: Vec<Named>,
}

/// Whom a policy names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Named {
    /// `*`: everyone, signed in or not.
    Everyone,
    /// An account: its number, or `arn:aws:iam::NUMBER:root`.
    Account(Box<str>),
    /// A user, role, session or federated user by its ARN, or by the unique id that AWS puts there when it is deleted.
    Aws(Box<str>),
    /// A service, `lambda.amazonaws.com`.
    Service(Box<str>),
    /// A provider of identities, by name or ARN.
    Federated(Box<str>),
    /// An owner of an S3 bucket by canonical id.
    Canonical(Box<str>),
}

/// Most statements that are read of one policy.
const MOST_STATEMENTS: usize = 100_000;

impl Policy {
    /// Reads a document: JSON, or a text that holds JSON. What cannot be read is
    /// said in `problems`; the rest counts.
    pub fn of(document: &Json) -> Self {
        let mut policy = Self::default();
        match document {
            Json::String(text) => match serde_json::from_str::<Json>(text) {
                Ok(document @ Json::Object(_)) => policy.read(&document),
                Ok(_) => policy.problem(None, "the document is no JSON object"),
                Err(error) => policy.problem(None, &format!("the document is no JSON: {error}")),
            },
            document => policy.read(document),
        }
        policy
    }

    fn problem(&mut self, statement: Option<usize>, message: &str) {
        self.problems.push(Problem { statement, message: message.to_owned() });
    }

    fn read(&mut self, document: &Json) {
        let Json::Object(fields) = document else { return self.problem(None, "the document is no JSON object") };
        self.has_variables = match fields.get("Version") {
            Some(Json::String(version)) if version == "2012-10-17" => true,
            Some(Json::String(version)) if version == "2008-10-17" => false,
            None => false,
            Some(other) => {
                self.problem(None, &format!("`{other}` is no version of the policy language"));
                false
            }
        };
        let statements: Vec<&Json> = match fields.get("Statement") {
            Some(Json::Array(statements)) => statements.iter().collect(),
            Some(one @ Json::Object(_)) => vec![one],
            Some(_) => return self.problem(None, "`Statement` is neither a statement nor a list"),
            None => return self.problem(None, "there is no `Statement`"),
        };
        if statements.len() > MOST_STATEMENTS {
            self.problem(None, &format!("only the first {MOST_STATEMENTS} statements are read"));
        }
        for (at, statement) in statements.into_iter().take(MOST_STATEMENTS).enumerate() {
            match Statement::of(statement, at + 1, self.has_variables) {
                Ok(statement) => self.statements.push(statement),
                Err(message) => self.problem(Some(at + 1), &message),
            }
        }
    }

    /// Whether it has a statement for anyone.
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }
}

impl Statement {
    fn of(statement: &Json, number: usize, has_variables: bool) -> Result<Self, String> {
        let Json::Object(fields) = statement else { return Err("it is no JSON object".to_owned()) };
        let effect = match fields.get("Effect") {
            Some(Json::String(effect)) if effect == "Allow" => Effect::Allow,
            Some(Json::String(effect)) if effect == "Deny" => Effect::Deny,
            Some(other) => return Err(format!("`{other}` is neither `Allow` nor `Deny`")),
            None => return Err("there is no `Effect`".to_owned()),
        };
        let patterns = |yes: &str, no: &str, lower: bool| -> Result<Option<Patterns>, String> {
            let (not, value) = match (fields.get(yes), fields.get(no)) {
                (Some(_), Some(_)) => return Err(format!("there are both `{yes}` and `{no}`")),
                (Some(value), None) => (false, value),
                (None, Some(value)) => (true, value),
                (None, None) => return Ok(None),
            };
            let of =
                texts(value).ok_or_else(|| format!("`{}` is no text or list of texts", if not { no } else { yes }))?;
            let written = |text: &str| match (lower, has_variables && text.contains("${")) {
                (true, _) => Written::Fixed(Pattern::new(&text.to_ascii_lowercase())),
                (false, true) => Written::Variable(text.into()),
                (false, false) => Written::Fixed(Pattern::new(text)),
            };
            Ok(Some(Patterns { not, of: of.into_iter().map(written).collect() }))
        };
        let actions = patterns("Action", "NotAction", true)?.ok_or("there is no `Action`")?;
        let resources = patterns("Resource", "NotResource", false)?;
        let principals = match (fields.get("Principal"), fields.get("NotPrincipal")) {
            (Some(_), Some(_)) => return Err("there are both `Principal` and `NotPrincipal`".to_owned()),
            (Some(value), None) => Some(Principals { not: false, of: named(value)? }),
            (None, Some(value)) => Some(Principals { not: true, of: named(value)? }),
            (None, None) => None,
        };
        let conditions = fields.get("Condition").map_or(Ok(Vec::new()), |of| Test::all(of, has_variables))?;
        let sid = fields.get("Sid").and_then(Json::as_str).filter(|sid| !sid.is_empty()).map(Into::into);
        Ok(Self { number, sid, effect, principals, actions, resources, conditions })
    }

    /// How people name it: its `Sid`, else its number.
    pub fn name(&self) -> String {
        self.sid.as_ref().map_or_else(|| format!("statement {}", self.number), ToString::to_string)
    }
}

fn texts(value: &Json) -> Option<Vec<&str>> {
    match value {
        Json::String(text) => Some(vec![text]),
        Json::Array(items) => items.iter().map(Json::as_str).collect(),
        _ => None,
    }
}

fn named(value: &Json) -> Result<Vec<Named>, String> {
    let fields = match value {
        Json::Object(fields) => fields,
        // An ARN or account alone is taken as an AWS principal.
        other => return Ok(texts(other).ok_or("`Principal` names no one")?.into_iter().map(Named::aws).collect()),
    };
    let mut all = Vec::new();
    for (of, value) in fields {
        let names = texts(value).ok_or_else(|| format!("`Principal.{of}` is no text or list of texts"))?;
        for name in names {
            all.push(match of.as_str() {
                "AWS" => Named::aws(name),
                "Service" if name == "*" => Named::Everyone,
                "Service" => Named::Service(name.into()),
                "Federated" if name == "*" => Named::Everyone,
                "Federated" => Named::Federated(name.into()),
                "CanonicalUser" => Named::Canonical(name.into()),
                _ => return Err(format!("`{of}` is no type of principal")),
            });
        }
    }
    Ok(all)
}

impl Named {
    fn aws(name: &str) -> Self {
        if name == "*" {
            return Self::Everyone;
        }
        if is_account(name) {
            return Self::Account(name.into());
        }
        match name.strip_prefix("arn:").map(|rest| rest.splitn(5, ':').collect::<Vec<_>>()).as_deref() {
            Some([_, "iam", "", account, "root"]) if is_account(account) => Self::Account((*account).into()),
            _ => Self::Aws(name.into()),
        }
    }
}
