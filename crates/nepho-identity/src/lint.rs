//! What is wrong with a policy as it is written: what services refuse, what does not do what it says, and what lets in more
//! than anyone means. Each finding names its place in the text.
//!
//! Looks at one policy alone: whether a permission is needed, or another policy takes it away, it does not know. Facts are
//! from AWS's documentation of the policy language (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies.html>)
//! and from the catalogue of actions.

mod actions;
mod checks;
mod conditions;
mod document;
mod facts;
mod json;
mod logic;
mod powers;
mod principals;
mod resources;
mod statements;
mod structure;
#[cfg(test)]
mod tests;
mod trust;
mod values;
mod variables;

use std::fmt;
use std::ops::Range;

use crate::actions::Catalogue;

pub use checks::{ALL as CHECKS, Check};

use document::Document;

/// How bad a finding is. Ordered: `Error` is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Could be written better; nothing is allowed or denied by it.
    Suggestion,
    /// Probably not what was meant.
    Warning,
    /// Lets in more than is safe.
    Security,
    /// Refused by AWS, or without the effect that it is written for.
    Error,
}

impl Severity {
    /// Worst first.
    pub const ALL: [Self; 4] = [Self::Error, Self::Security, Self::Warning, Self::Suggestion];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Suggestion => "suggestion",
            Self::Warning => "warning",
            Self::Security => "security",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a policy is for: what it may hold depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyKind {
    /// Of a user, group or role; also a permissions boundary or session policy.
    Identity,
    /// Of a resource; with the service that the resource belongs to, `s3`, where it is known.
    Resource(Option<Box<str>>),
    /// Who may assume a role.
    Trust,
    /// Of an organisation, for identities.
    ServiceControl,
    /// Of an organisation, for resources.
    ResourceControl,
}

impl fmt::Display for PolicyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity => f.write_str("identity policy"),
            Self::Resource(None) => f.write_str("resource policy"),
            Self::Resource(Some(service)) => write!(f, "resource policy of {service}"),
            Self::Trust => f.write_str("trust policy"),
            Self::ServiceControl => f.write_str("service control policy"),
            Self::ResourceControl => f.write_str("resource control policy"),
        }
    }
}

/// Something wrong, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check's.
    pub id: &'static str,
    /// How bad.
    pub severity: Severity,
    /// What is wrong here.
    pub message: String,
    /// What to do.
    pub help: &'static str,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The place in bytes.
    pub span: Range<usize>,
}

/// Most findings of one policy that are kept.
const MOST_FINDINGS: usize = 1_000;

/// What was found so far.
struct Findings {
    found: Vec<(&'static Check, Range<usize>, String)>,
}

impl Findings {
    fn add(&mut self, check: &'static Check, span: &Range<usize>, message: impl Into<String>) {
        if self.found.len() < MOST_FINDINGS {
            self.found.push((check, span.clone(), message.into()));
        }
    }

    /// In the order of their places, each said once.
    fn of_text(mut self, text: &str) -> Vec<Finding> {
        self.found.sort_by(|a, b| (a.1.start, a.1.end, a.0.id, &a.2).cmp(&(b.1.start, b.1.end, b.0.id, &b.2)));
        self.found.dedup();
        let (mut line, mut line_start, mut read) = (1, 0, 0);
        let place = |(check, span, message): (&'static Check, Range<usize>, String)| {
            for (at, _) in text.get(read..span.start).unwrap_or_default().match_indices('\n') {
                line += 1;
                line_start = read + at + 1;
            }
            read = span.start.max(read);
            let column = text.get(line_start..span.start).map_or(0, |before| before.chars().count()) + 1;
            let (id, severity, help) = (check.id, check.severity, check.help);
            Finding { id, severity, message, help, line, column, span }
        };
        self.found.into_iter().map(place).collect()
    }
}

/// What checks look things up in.
struct Checker<'c> {
    kind: &'c PolicyKind,
    catalogue: &'c Catalogue,
    now: jiff::Timestamp,
    findings: Findings,
}

/// What is wrong with a policy. Without a kind it is guessed ([`guess`]). `now` is the time that dates in conditions are
/// compared with.
pub fn check(text: &str, kind: Option<&PolicyKind>, catalogue: &Catalogue, now: jiff::Timestamp) -> Vec<Finding> {
    let mut findings = Findings { found: Vec::new() };
    let json = match json::read(text) {
        Ok(json) => json,
        Err(broken) => {
            findings.add(&checks::JSON_BROKEN, &broken.span, format!("this is no JSON: {}", broken.message));
            return findings.of_text(text);
        }
    };
    let guessed = guess_of(&json.root);
    let kind = kind.unwrap_or(&guessed);
    let mut checker = Checker { kind, catalogue, now, findings };
    for span in &json.repeated {
        let name = text.get(span.clone()).unwrap_or_default();
        checker.findings.add(&checks::NAME_REPEATED, span, format!("{name} stands twice in this object"));
    }
    let policy = document::unwrapped(&json.root);
    structure::size_and_characters(&mut checker, text, policy);
    if let Some(document) = Document::of(&mut checker, policy) {
        checker.document(&document);
    }
    checker.findings.of_text(text)
}

/// What kind of policy a text seems to be. A service control policy looks like one of an identity, so it is never guessed.
pub fn guess(text: &str) -> PolicyKind {
    json::read(text).map_or(PolicyKind::Identity, |json| guess_of(&json.root))
}

fn guess_of(root: &json::Node) -> PolicyKind {
    document::kind_of(document::unwrapped(root))
}

impl Checker<'_> {
    fn document(&mut self, document: &Document<'_>) {
        variables::document(self, document);
        for statement in &document.statements {
            actions::statement(self, statement);
            resources::statement(self, statement);
            principals::statement(self, statement);
            conditions::statement(self, statement);
            logic::statement(self, statement);
            trust::statement(self, statement);
            powers::statement(self, statement);
        }
        statements::document(self, document);
    }
}
