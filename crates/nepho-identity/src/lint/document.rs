//! A policy's parts with their places: what the checks go through.

use std::borrow::Cow;
use std::ops::Range;

use super::json::{Member, Node, Value};
use super::{Checker, PolicyKind, structure};
use crate::pattern::Pattern;
use crate::policy::{Effect, Operator, Quantifier};

/// A policy.
pub struct Document<'n> {
    /// Whether `${…}` are variables in it.
    pub has_variables: bool,
    /// In the order in which they stand.
    pub statements: Vec<Statement<'n>>,
}

/// A statement. What could not be read of it is left out, and said already.
pub struct Statement<'n> {
    /// The braces and what is between them.
    pub span: Range<usize>,
    /// From 1.
    pub number: usize,
    /// Its `Sid`, with the place.
    pub sid: Option<(&'n str, Range<usize>)>,
    /// What it does.
    pub effect: Option<Effect>,
    /// `Action`, `NotAction`
    pub actions: Option<Element<'n>>,
    /// `Resource`, `NotResource`
    pub resources: Option<Element<'n>>,
    /// `Principal`, `NotPrincipal`
    pub principals: Option<Principals<'n>>,
    /// Under `Condition`.
    pub tests: Vec<Test<'n>>,
    /// Whether all of it could be read, so that what it means is known.
    pub is_whole: bool,
}

/// An element that lists patterns, or its opposite.
pub struct Element<'n> {
    /// Where its name stands.
    pub name_span: Range<usize>,
    /// `NotAction`, `NotResource`
    pub not: bool,
    /// What it lists.
    pub items: Vec<Item<'n>>,
}

/// A text with its place.
pub struct Item<'n> {
    /// As it is written.
    pub text: Cow<'n, str>,
    /// Where.
    pub span: Range<usize>,
    /// What it stands for: actions in lower case, variables as wildcards.
    pub pattern: Pattern,
}

/// Whom a statement is about.
pub struct Principals<'n> {
    /// Where its name stands.
    pub name_span: Range<usize>,
    /// `NotPrincipal`
    pub not: bool,
    /// Each with the type that it stands under.
    pub items: Vec<(PrincipalType, Item<'n>)>,
}

/// The names in a `Principal`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PrincipalType {
    /// `"*"` alone.
    Everyone,
    /// `AWS`
    Aws,
    /// `Service`
    Service,
    /// `Federated`
    Federated,
    /// `CanonicalUser`
    Canonical,
}

/// A condition key under an operator.
pub struct Test<'n> {
    /// The operator, `None` where it is none.
    pub operator: Option<(Option<Quantifier>, Operator, bool)>,
    /// As it is written.
    pub operator_text: &'n str,
    /// Where the operator stands.
    pub operator_span: Range<usize>,
    /// As it is written.
    pub key: &'n str,
    /// In lower case.
    pub lower: String,
    /// Where the key stands.
    pub key_span: Range<usize>,
    /// What it is compared with.
    pub values: Vec<Item<'n>>,
}

impl<'n> Document<'n> {
    /// The parts of a policy; says what is missing, misplaced or of the wrong kind.
    pub fn of(checker: &mut Checker<'_>, policy: &'n Node) -> Option<Self> {
        let members = structure::policy(checker, policy)?;
        let version = member(members, "Version").and_then(|version| version.node.text());
        let mut document = Self { has_variables: version == Some("2012-10-17"), statements: Vec::new() };
        let statements: &[Node] = match &member(members, "Statement")?.node {
            Node { value: Value::List(statements), .. } => statements,
            one => std::slice::from_ref(one),
        };
        for (at, node) in statements.iter().enumerate() {
            document.statements.extend(structure::statement(checker, node, at + 1));
        }
        structure::sids(checker, &document);
        Some(document)
    }
}

/// A member of an object by its name.
pub fn member<'n>(members: &'n [Member], name: &str) -> Option<&'n Member> {
    members.iter().find(|member| &*member.name == name)
}

/// The policy in what AWS's commands print: `{"PolicyVersion": {"Document": {…}}}` and the like.
pub fn unwrapped(root: &Node) -> &Node {
    let mut node = root;
    for _ in 0..3 {
        let Some(members) = node.members().filter(|members| member(members, "Statement").is_none()) else { break };
        let inner = ["PolicyVersion", "Role", "Document", "PolicyDocument", "AssumeRolePolicyDocument"]
            .iter()
            .find_map(|name| member(members, name))
            .filter(|inner| inner.node.members().is_some());
        match inner {
            Some(inner) => node = &inner.node,
            None => break,
        }
    }
    node
}

/// What kind of policy this seems to be.
pub fn kind_of(policy: &Node) -> PolicyKind {
    let statements = policy.members().and_then(|members| member(members, "Statement")).map(|of| match &of.node.value {
        Value::List(statements) => statements.as_slice(),
        _ => std::slice::from_ref(&of.node),
    });
    let statements: Vec<&[Member]> = statements.unwrap_or_default().iter().filter_map(Node::members).collect();
    let has =
        |names: [&str; 2]| statements.iter().any(|members| names.iter().any(|name| member(members, name).is_some()));
    if !has(["Principal", "NotPrincipal"]) {
        return PolicyKind::Identity;
    }
    let mut services = Vec::new();
    for members in &statements {
        let of = ["Action", "NotAction"].iter().find_map(|name| member(members, name)).map(|of| &of.node);
        let items = match of.map(|of| &of.value) {
            Some(Value::List(items)) => items.as_slice(),
            Some(Value::Text(_)) => of.map(std::slice::from_ref).unwrap_or_default(),
            _ => &[],
        };
        services.extend(items.iter().filter_map(Node::text).map(|text| text.split(':').next().unwrap_or_default()));
    }
    services.sort_unstable();
    services.dedup();
    if !has(["Resource", "NotResource"]) && services.iter().all(|service| *service == "sts") {
        return PolicyKind::Trust;
    }
    let is_control = |members: &&[Member]| {
        let is = |name: &str, value: &str| member(members, name).and_then(|of| of.node.text()) == Some(value);
        is("Effect", "Deny") && is("Principal", "*")
    };
    match services.as_slice() {
        [one] if !one.contains(['*', '?']) => PolicyKind::Resource(Some((*one).into())),
        [_, _, ..] if statements.iter().all(is_control) => PolicyKind::ResourceControl,
        _ => PolicyKind::Resource(None),
    }
}

impl Statement<'_> {
    /// How messages call it.
    pub fn name(&self) -> String {
        match &self.sid {
            Some((sid, _)) => format!("`{sid}`"),
            None => format!("statement {}", self.number),
        }
    }

    /// Whether it allows.
    pub fn allows(&self) -> bool {
        self.effect == Some(Effect::Allow)
    }

    /// Whether it denies.
    pub fn denies(&self) -> bool {
        self.effect == Some(Effect::Deny)
    }

    /// The actions that it lists, unless it lists those that are left out.
    pub fn listed_actions(&self) -> &[Item<'_>] {
        self.actions.as_ref().filter(|actions| !actions.not).map_or(&[], |actions| &actions.items)
    }

    /// The resources that it lists, unless it lists those that are left out.
    pub fn listed_resources(&self) -> &[Item<'_>] {
        self.resources.as_ref().filter(|resources| !resources.not).map_or(&[], |resources| &resources.items)
    }

    /// Where an action, named in lower case, is allowed or denied by it.
    pub fn names_action(&self, lower: &str) -> Option<&Range<usize>> {
        let actions = self.actions.as_ref()?;
        let named = actions.items.iter().find(|item| item.pattern.matches(lower));
        match (actions.not, named) {
            (false, Some(item)) => Some(&item.span),
            (true, None) => Some(&actions.name_span),
            _ => None,
        }
    }

    /// The tests of a key, named in lower case.
    pub fn tests_of(&self, lower: &str) -> impl Iterator<Item = &Test<'_>> {
        self.tests.iter().filter(move |test| test.lower == lower)
    }
}

impl Test<'_> {
    /// Whether it can only hold for requests that have the key with one of these values.
    pub fn requires(&self) -> bool {
        match self.operator {
            Some((quantifier, operator, if_exists)) => {
                !if_exists
                    && !operator.is_negated()
                    && operator != Operator::Null
                    && quantifier != Some(Quantifier::All)
                    && !self.values.is_empty()
            }
            None => false,
        }
    }
}
