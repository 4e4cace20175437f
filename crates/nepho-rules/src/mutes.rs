//! Mutes: findings that people decided to live with, for a reason and until a day.
//!
//! ```yaml
//! mutes:
//!   - rule: aws.s3.bucket-public-read     # rule id or pattern with * and ?; earlier ids count
//!     resource: "arn:aws:s3:::website-*"  # key or name, pattern
//!     account: "111122223333"
//!     tag: env=sandbox                    # name=value, or name alone
//!     reason: public website
//!     expires: 2027-01-01
//! ```
//! Fields within a mute must all agree (AND); any one mute suffices (OR).

use std::sync::Arc;

use nepho_catalog::{Catalog, YamlError, nearest, read_yaml};
use nepho_model::{Timestamp, Value};
use serde::Deserialize;

use crate::findings::Finding;
use crate::ruleset::answers_to;

/// A mutes file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MutesError {
    /// It is not in its format.
    #[error("{place}: not a valid mutes file: {message}", place = source.place, message = source.message)]
    Format {
        /// What and where.
        source: YamlError,
    },
    /// A mute that matches everything.
    #[error("`{path}`: mute {number} would mute everything; name a rule, a resource, an account or a tag")]
    Everything {
        /// Which.
        path: String,
        /// Counted from 1.
        number: usize,
    },
    /// A mute without a reason.
    #[error("`{path}`: mute {number} has an empty reason; say why the finding is acceptable")]
    NoReason {
        /// Which.
        path: String,
        /// Counted from 1.
        number: usize,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    mutes: Vec<Mute>,
}

/// One mute.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mute {
    /// Rule id or pattern.
    #[serde(default)]
    pub rule: Option<String>,
    /// Resource key or name, pattern.
    #[serde(default)]
    pub resource: Option<String>,
    /// Account id, pattern.
    #[serde(default)]
    pub account: Option<String>,
    /// `name=value` or `name`, patterns.
    #[serde(default)]
    pub tag: Option<String>,
    /// Why.
    pub reason: String,
    /// Until when.
    pub expires: Timestamp,
}

/// A mute and what became of it in a run.
#[derive(Clone, Debug)]
pub struct MuteState {
    /// The mute.
    pub mute: Mute,
    /// Whether it has expired by the run's clock: it mutes nothing any more.
    pub expired: bool,
    /// How many failures it matches.
    pub matched: u64,
    /// What is odd about it, in one sentence.
    pub problem: Option<String>,
}

/// All mutes of a run.
#[derive(Clone, Debug, Default)]
pub struct Mutes {
    /// In the file's order.
    pub all: Vec<MuteState>,
}

/// Whether text matches a pattern with `*` (any run) and `?` (one character), ignoring nothing.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(one) if *one == '?' || Some(one) == text.get(t) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|one| *one == '*')
}

impl Mute {
    /// Whether it is about everything: it names nothing, or all that it names is `*`.
    fn is_about_everything(&self) -> bool {
        let all = |pattern: &str| !pattern.is_empty() && pattern.chars().all(|c| c == '*');
        let tag = self.tag.as_deref().is_none_or(|tag| tag.split('=').all(all));
        tag && [&self.rule, &self.resource, &self.account].into_iter().flatten().all(|pattern| all(pattern))
    }

    /// What is wrong with the rule that it names, where no rule has that id and it is no pattern that fits one.
    fn unknown_rule(&self, catalog: &Catalog) -> Option<String> {
        let wanted = self.rule.as_deref()?;
        let known = |id: &Arc<str>| id.as_ref() == wanted || glob(wanted, id);
        if catalog.rules.values().any(|rule| std::iter::once(&rule.id).chain(&rule.aliases).any(known)) {
            return None;
        }
        Some(match nearest(wanted, catalog.rules.keys().map(AsRef::as_ref)) {
            Some(near) => format!("there is no rule `{wanted}`; did you mean `{near}`?"),
            None => format!("there is no rule `{wanted}`; `nephoscope rules list` shows them"),
        })
    }

    fn matches(&self, estate: &nepho_estate::Estate, finding: &Finding) -> bool {
        let Some(node) = estate.graph.node(finding.node) else { return false };
        let rule = self.rule.as_ref().is_none_or(|wanted| {
            answers_to(&finding.rule, wanted)
                || std::iter::once(&finding.rule.id).chain(&finding.rule.aliases).any(|id| glob(wanted, id))
        });
        let resource = self.resource.as_ref().is_none_or(|wanted| {
            glob(wanted, node.key()) || node.name().as_str().is_some_and(|name| glob(wanted, name))
        });
        let account = self.account.as_ref().is_none_or(|wanted| glob(wanted, node.account()));
        let tag = self.tag.as_ref().is_none_or(|wanted| {
            let (name, value) = wanted.split_once('=').unwrap_or((wanted, "*"));
            match node.tags() {
                Value::Map(tags) => tags.iter().any(|(key, held)| {
                    glob(name, key) && (value == "*" || held.as_str().is_some_and(|held| glob(value, held)))
                }),
                _ => false,
            }
        });
        rule && resource && account && tag
    }
}

impl Mutes {
    /// Reads a mutes file. Until [`Mutes::as_of`] says what time it is, no mute has expired.
    pub fn parse(path: &str, text: &str, catalog: &Catalog) -> Result<Self, MutesError> {
        let file: File = read_yaml(path, &Arc::from(text)).map_err(|source| MutesError::Format { source })?;
        for (at, mute) in file.mutes.iter().enumerate() {
            let path = path.to_owned();
            if mute.is_about_everything() {
                return Err(MutesError::Everything { path, number: at + 1 });
            }
            if mute.reason.trim().is_empty() {
                return Err(MutesError::NoReason { path, number: at + 1 });
            }
        }
        let state = |mute: Mute| MuteState { problem: mute.unknown_rule(catalog), expired: false, matched: 0, mute };
        Ok(Self { all: file.mutes.into_iter().map(state).collect() })
    }

    /// The same mutes at the time to judge by, which decides what has expired.
    pub fn as_of(mut self, clock: Timestamp) -> Self {
        for state in &mut self.all {
            state.expired = state.mute.expires <= clock;
        }
        self
    }

    /// The first unexpired mute that matches the finding; counts matches of all, expired ones too.
    pub fn apply(&mut self, estate: &nepho_estate::Estate, finding: &Finding) -> Option<&Mute> {
        let mut first = None;
        for (at, state) in self.all.iter_mut().enumerate() {
            if state.mute.matches(estate, finding) {
                state.matched += 1;
                if !state.expired && first.is_none() {
                    first = Some(at);
                }
            }
        }
        first.and_then(|at| self.all.get(at)).map(|state| &state.mute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(glob("arn:aws:s3:::website-*", "arn:aws:s3:::website-eu"));
        assert!(glob("*a*b*c", "xxaxxbxxc"));
        assert!(!glob("*a*b*c", "xxaxxbxx"));
        assert!(glob("a?c", "abc") && !glob("a?c", "ac"));
        assert!(glob("*", "") && !glob("", "a"));
    }

    #[test]
    fn a_mute_needs_a_subject_a_reason_and_an_end() {
        let parse = |text: &str| Mutes::parse("mutes.yaml", text, &Catalog::default());
        for everything in ["", "rule: '*',", "rule: '**', account: '*',", "tag: '*=*',", "resource: '*',"] {
            let text = format!("mutes: [{{{everything} reason: x, expires: 2027-01-01}}]");
            assert!(matches!(parse(&text), Err(MutesError::Everything { number: 1, .. })), "{everything}");
        }
        assert!(parse("mutes: [{rule: '*', account: '1*', reason: x, expires: 2027-01-01}]").is_ok());
        assert!(matches!(
            parse("mutes: [{rule: a, reason: ' ', expires: 2027-01-01}]"),
            Err(MutesError::NoReason { .. })
        ));
        let error = parse("mutes:\n  - {rule: a, reason: x}\n").unwrap_err().to_string();
        assert!(error.starts_with("mutes.yaml:2:") && error.contains("expires"), "{error}");
        let mutes =
            parse("mutes: [{rule: a, reason: x, expires: 2026-11-24}, {rule: a, reason: x, expires: 2026-11-25}]");
        let mutes = mutes.unwrap().as_of(Timestamp::parse("2026-11-24").unwrap());
        let expired: Vec<bool> = mutes.all.iter().map(|state| state.expired).collect();
        assert_eq!(expired, [true, false]);
    }

    #[test]
    fn a_rule_that_does_not_exist_is_told_with_the_nearest() {
        let catalog = Catalog::embedded().unwrap();
        let problem = |rule: &str| {
            let text = format!("mutes: [{{rule: '{rule}', reason: x, expires: 2027-01-01}}]");
            Mutes::parse("mutes.yaml", &text, &catalog).unwrap().all.remove(0).problem
        };
        assert_eq!(problem("aws.s3.bucket-public-read"), None);
        assert_eq!(problem("aws.s3.*"), None);
        assert!(problem("aws.s3.bucket-public-raed").unwrap().contains("`aws.s3.bucket-public-read`"));
        assert!(problem("azure.*").unwrap().contains("nephoscope rules list"));
    }
}
