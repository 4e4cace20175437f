//! Statements to be written, and the policies that they fit into.

use serde_json::{Map, Value as Json, json};

use crate::actions::Catalogue;
use crate::pattern::{LITERAL_QUESTION, LITERAL_STAR, Pattern, Shape};
use crate::policy::{Effect, Patterns, Quantifier, Statement, Test, Written};

/// A managed policy's size, white space not counted
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>).
pub const MOST_CHARACTERS: usize = 6_144;
/// So many managed policies can be attached to a user or role where the quota was not raised (the same page).
pub const MOST_POLICIES: usize = 10;

/// Why a statement is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// It allows what was used.
    Used,
    /// Of today's: whether it is used is not known.
    Kept,
    /// Of today's: it denies.
    Denies,
}

/// Operator, key and values.
pub type Condition = (String, String, Vec<String>);

/// A statement to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Why it is there.
    pub reason: Reason,
    /// Its `Sid`.
    pub sid: Option<String>,
    /// What it does.
    pub effect: Effect,
    /// Whether `actions` are those that are left out.
    pub not_actions: bool,
    /// Actions, as a policy writes them.
    pub actions: Vec<String>,
    /// Whether `resources` are those that are left out.
    pub not_resources: bool,
    /// Resources, as a policy writes them.
    pub resources: Vec<String>,
    /// Operator, key and values of its conditions, as a policy writes them.
    pub conditions: Vec<Condition>,
    /// The statements of today's policies that it is a part of, as [`Today`](super::judge::Today) numbers them.
    pub(super) from: Vec<usize>,
}

impl Rule {
    /// A statement of today's, as it is.
    pub(super) fn of(statement: &Statement, has_variables: bool, number: usize, reason: Reason) -> Self {
        let resources = statement.resources.clone().unwrap_or_default();
        Self {
            reason,
            sid: statement.sid.as_ref().map(ToString::to_string),
            effect: statement.effect,
            not_actions: statement.actions.not,
            actions: actions(&statement.actions),
            not_resources: resources.not,
            resources: written(&resources),
            conditions: conditions(&statement.conditions, has_variables),
            from: vec![number],
        }
    }

    /// As JSON.
    pub fn to_json(&self) -> Json {
        let list = |items: &[String]| match items {
            [one] => json!(one),
            several => json!(several),
        };
        let mut fields = Map::new();
        if let Some(sid) = &self.sid {
            fields.insert("Sid".to_owned(), json!(sid));
        }
        let effect = if self.effect == Effect::Allow { "Allow" } else { "Deny" };
        fields.insert("Effect".to_owned(), json!(effect));
        fields.insert(if self.not_actions { "NotAction" } else { "Action" }.to_owned(), list(&self.actions));
        fields.insert(if self.not_resources { "NotResource" } else { "Resource" }.to_owned(), list(&self.resources));
        if !self.conditions.is_empty() {
            let mut operators = Map::new();
            for (operator, key, values) in &self.conditions {
                // A policy may have had an operator twice, written in two ways, with one key: both must hold.
                let taken = |operators: &Map<String, Json>, name: &str| {
                    operators.get(name).is_some_and(|keys| keys.get(key).is_some())
                };
                let mut name = operator.clone();
                if taken(&operators, &name) {
                    name = name.to_lowercase();
                }
                let keys = operators.entry(name).or_insert_with(|| Json::Object(Map::new()));
                if let Json::Object(keys) = keys {
                    keys.insert(key.clone(), list(values));
                }
            }
            fields.insert("Condition".to_owned(), Json::Object(operators));
        }
        Json::Object(fields)
    }
}

/// A policy document.
pub fn document(rules: &[Rule]) -> Json {
    json!({"Version": "2012-10-17", "Statement": rules.iter().map(Rule::to_json).collect::<Vec<_>>()})
}

/// A text that means itself where `${…}` are variables.
fn plain(text: &str) -> String {
    text.replace("${", "${$}{")
}

/// A pattern as a policy writes it.
pub(super) fn pattern(pattern: &Pattern) -> String {
    let mut text = String::with_capacity(pattern.text().len());
    let mut rest = pattern.text().chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            LITERAL_STAR => text.push_str("${*}"),
            LITERAL_QUESTION => text.push_str("${?}"),
            '$' if rest.peek() == Some(&'{') => text.push_str("${$}"),
            c => text.push(c),
        }
    }
    text
}

/// A pattern of a policy, as written there.
pub(super) fn one(written: &Written) -> String {
    match written {
        Written::Fixed(of) => pattern(of),
        Written::Variable(text) => text.to_string(),
    }
}

/// Patterns of a policy, as written there.
pub(super) fn written(patterns: &Patterns) -> Vec<String> {
    patterns.of.iter().map(one).collect()
}

/// Actions of a policy in AWS's own case, as far as it is known: policies are read in lower case.
pub(super) fn actions(patterns: &Patterns) -> Vec<String> {
    let one = |written: &Written| {
        let Written::Fixed(lower) = written else { return one(written) };
        let known = match lower.shape() {
            Shape::Exact | Shape::Prefix => Catalogue::embedded().matching(lower).next(),
            Shape::General => None,
        };
        let length = lower.prefix().len();
        match known.and_then(|action| action.name().get(..length)) {
            Some(name) if lower.shape() == Shape::Exact => name.to_owned(),
            Some(beginning) => format!("{beginning}*"),
            None => pattern(lower),
        }
    };
    patterns.of.iter().map(one).collect()
}

/// Conditions as a policy writes them.
pub(super) fn conditions(tests: &[Test], has_variables: bool) -> Vec<Condition> {
    tests
        .iter()
        .map(|test| {
            let quantifier = match test.quantifier {
                Some(Quantifier::All) => "ForAllValues:",
                Some(Quantifier::Any) => "ForAnyValue:",
                None => "",
            };
            let if_exists = if test.if_exists { "IfExists" } else { "" };
            let value = |value: &str| if has_variables { value.to_owned() } else { plain(value) };
            let values = test.values.iter().map(|of| value(of)).collect();
            (format!("{quantifier}{}{if_exists}", test.operator), test.key.to_string(), values)
        })
        .collect()
}

/// Characters that count for the size of a policy.
fn size(rules: &[Rule]) -> usize {
    document(rules).to_string().chars().filter(|c| !c.is_whitespace()).count()
}

/// Parts of a statement that are each small enough for one policy: what is allowed for each of some actions on each of some
/// resources is the same in parts.
fn parts(rule: Rule) -> Vec<Rule> {
    if size(std::slice::from_ref(&rule)) <= MOST_CHARACTERS || rule.effect == Effect::Deny {
        return vec![rule];
    }
    if !rule.not_resources && rule.resources.len() > 1 {
        let without = Rule { resources: Vec::new(), ..rule.clone() };
        let part = |resources: Vec<String>| Rule { resources, ..rule.clone() };
        return shares(&rule.resources, size(&[without])).into_iter().map(part).flat_map(parts).collect();
    }
    if !rule.not_actions && rule.actions.len() > 1 {
        let without = Rule { actions: Vec::new(), ..rule.clone() };
        let part = |actions: Vec<String>| Rule { actions, ..rule.clone() };
        return shares(&rule.actions, size(&[without])).into_iter().map(part).flat_map(parts).collect();
    }
    vec![rule]
}

/// Items in shares that each have room beside `taken` characters; one item at least.
fn shares(items: &[String], taken: usize) -> Vec<Vec<String>> {
    let room = MOST_CHARACTERS.saturating_sub(taken);
    // Where the rest leaves no room, halves: the rest has to become smaller too.
    let room =
        if room < MOST_CHARACTERS / 4 { items.iter().map(|item| item.len() + 3).sum::<usize>() / 2 } else { room };
    let mut shares: Vec<Vec<String>> = Vec::new();
    let mut left = 0;
    for item in items {
        // Quotes, a comma; what JSON escapes is rare.
        let length = json!(item).to_string().len() + 1;
        match shares.last_mut().filter(|_| length <= left) {
            Some(share) => share.push(item.clone()),
            None => {
                shares.push(vec![item.clone()]);
                left = room;
            }
        }
        left = left.saturating_sub(length);
    }
    shares
}

/// Statements in as few policies as their order allows.
pub(super) fn packed(rules: Vec<Rule>) -> Vec<Vec<Rule>> {
    let mut policies: Vec<Vec<Rule>> = Vec::new();
    for rule in rules.into_iter().flat_map(parts) {
        let fits = policies.last_mut().filter(|policy| {
            let mut with = (*policy).clone();
            with.push(rule.clone());
            size(&with) <= MOST_CHARACTERS
        });
        match fits {
            Some(policy) => policy.push(rule),
            None => policies.push(vec![rule]),
        }
    }
    for policy in &mut policies {
        name_apart(policy);
    }
    policies
}

/// A `Sid` can be in a policy once only.
fn name_apart(rules: &mut [Rule]) {
    let mut seen: Vec<String> = Vec::new();
    for rule in rules {
        let Some(sid) = &mut rule.sid else { continue };
        let mut name = sid.clone();
        let mut number = 1;
        while seen.contains(&name) {
            number += 1;
            name = format!("{sid}{number}");
        }
        seen.push(name.clone());
        *sid = name;
    }
}
