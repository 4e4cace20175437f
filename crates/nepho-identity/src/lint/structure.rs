//! The elements of a policy: which there are, which there must be, and what their values are.

use std::borrow::Cow;
use std::ops::Range;

use super::document::{Document, Element, Item, PrincipalType, Principals, Statement, Test, member};
use super::json::{Member, Node, Value};
use super::{Checker, PolicyKind, checks, facts, values};
use crate::pattern::Pattern;
use crate::policy;
use crate::policy::Effect;

const OF_POLICY: [&str; 3] = ["Version", "Id", "Statement"];
const OF_STATEMENT: [&str; 9] =
    ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

/// How long it is, and whether IAM takes its characters.
pub fn size_and_characters(checker: &mut Checker<'_>, text: &str, policy: &Node) {
    let policy_text = text.get(policy.span.clone()).unwrap_or_default();
    let without_space = policy_text.chars().filter(|c| !c.is_whitespace()).count();
    let at = policy.span.start..policy.span.start + 1;
    let too_long = |most: usize, of: &str| {
        format!("it has {without_space} characters without white space, more than the {most} of {of}")
    };
    match facts::most_characters(checker.kind) {
        Some((most, of)) if without_space > most => {
            checker.findings.add(&checks::SIZE_EXCEEDED, &at, too_long(most, of));
        }
        _ if *checker.kind == PolicyKind::Identity && without_space > facts::MOST_OF_MANAGED => {
            let message = too_long(facts::MOST_OF_MANAGED, "a managed policy");
            checker.findings.add(&checks::SIZE_INLINE_ONLY, &at, message);
        }
        _ => {}
    }
    if matches!(checker.kind, PolicyKind::Resource(_)) {
        return;
    }
    let forbidden = policy_text.char_indices().filter(|(_, c)| *c > '\u{ff}');
    for (at, c) in forbidden.take(10) {
        let at = policy.span.start + at;
        let message = format!("IAM takes no character `{c}` (U+{:04X}) in a policy", u32::from(c));
        checker.findings.add(&checks::CHARACTER_FORBIDDEN, &(at..at + c.len_utf8()), message);
    }
}

/// The members of a policy, if it has statements.
pub fn policy<'n>(checker: &mut Checker<'_>, policy: &'n Node) -> Option<&'n [Member]> {
    let findings = &mut checker.findings;
    let Some(members) = policy.members() else {
        let message = format!("a policy is an object, not {}", policy.kind());
        findings.add(&checks::ELEMENT_TYPE, &policy.span, message);
        return None;
    };
    unknown_elements(checker, members, &OF_POLICY, "a policy");
    version(checker, policy, members);
    let findings = &mut checker.findings;
    let Some(statement) = member(members, "Statement") else {
        let at = policy.span.start..policy.span.start + 1;
        findings.add(&checks::ELEMENT_MISSING, &at, "the policy has no `Statement`");
        return None;
    };
    match &statement.node.value {
        Value::Object(_) => {}
        Value::List(statements) if statements.is_empty() => {
            findings.add(&checks::LIST_EMPTY, &statement.node.span, "the policy has no statement");
        }
        Value::List(_) => {}
        _ => {
            let message = format!("`Statement` is a statement or a list of them, not {}", statement.node.kind());
            findings.add(&checks::ELEMENT_TYPE, &statement.node.span, message);
            return None;
        }
    }
    Some(members)
}

fn version(checker: &mut Checker<'_>, policy: &Node, members: &[Member]) {
    let findings = &mut checker.findings;
    match member(members, "Version") {
        None => {
            let at = policy.span.start..policy.span.start + 1;
            findings.add(&checks::VERSION_OLD, &at, "the policy has no `Version`, which means 2008-10-17");
        }
        Some(version) => match version.node.text() {
            Some("2012-10-17") => {}
            Some("2008-10-17") => {
                findings.add(&checks::VERSION_OLD, &version.node.span, "this version has no policy variables");
            }
            Some(other) => {
                let message = format!("`{other}` is no version of the policy language");
                findings.add(&checks::VERSION_INVALID, &version.node.span, message);
            }
            None => {
                let message = format!("`Version` is a text, not {}", version.node.kind());
                findings.add(&checks::ELEMENT_TYPE, &version.node.span, message);
            }
        },
    }
}

fn unknown_elements(checker: &mut Checker<'_>, members: &[Member], known: &[&str], of: &str) {
    for found in members.iter().filter(|found| !known.contains(&&*found.name)) {
        let meant = known.iter().find(|name| name.eq_ignore_ascii_case(&found.name));
        let mut message = format!("{of} has no element `{}`", found.name);
        if let Some(meant) = meant {
            message.push_str(&format!(": did you mean `{meant}`?"));
        }
        checker.findings.add(&checks::ELEMENT_UNKNOWN, &found.name_span, message);
    }
}

/// A statement's parts; `None` for what is no statement.
pub fn statement<'n>(checker: &mut Checker<'_>, node: &'n Node, number: usize) -> Option<Statement<'n>> {
    let Some(members) = node.members() else {
        let message = format!("a statement is an object, not {}", node.kind());
        checker.findings.add(&checks::ELEMENT_TYPE, &node.span, message);
        return None;
    };
    let before = checker.findings.found.len();
    unknown_elements(checker, members, &OF_STATEMENT, "a statement");
    which_elements(checker, node, members);
    let sid = sid(checker, members);
    let effect = effect(checker, members);
    let actions = element(checker, members, ["Action", "NotAction"], true);
    let resources = element(checker, members, ["Resource", "NotResource"], false);
    let principals = principals(checker, members);
    let tests = conditions(checker, members);
    let is_whole =
        checker.findings.found.iter().skip(before).all(|(check, ..)| check.severity < super::Severity::Error);
    let span = node.span.clone();
    Some(Statement { span, number, sid, effect, actions, resources, principals, tests, is_whole })
}

/// Which elements there are beside each other, and which this kind of policy needs or does not take.
fn which_elements(checker: &mut Checker<'_>, node: &Node, members: &[Member]) {
    let kind = checker.kind;
    let findings = &mut checker.findings;
    let at = node.span.start..node.span.start + 1;
    let has = |name: &str| member(members, name);
    for (yes, no) in [("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal")] {
        if let (Some(_), Some(other)) = (has(yes), has(no)) {
            let message = format!("the statement has both `{yes}` and `{no}`");
            findings.add(&checks::ELEMENT_CONFLICT, &other.name_span, message);
        }
    }
    let mut need = |names: &[&str], message: &str| {
        if names.iter().all(|name| has(name).is_none()) {
            findings.add(&checks::ELEMENT_MISSING, &at, message);
        }
    };
    need(&["Effect"], "the statement has no `Effect`");
    need(&["Action", "NotAction"], "the statement has no `Action`");
    match kind {
        // Some services' policies are about the one resource that they are attached to and name none (Amazon ECR).
        PolicyKind::Resource(_) | PolicyKind::Trust => {
            need(&["Principal", "NotPrincipal"], "the statement has no `Principal`");
        }
        PolicyKind::Identity | PolicyKind::ServiceControl => {
            need(&["Resource", "NotResource"], "the statement has no `Resource`");
        }
        PolicyKind::ResourceControl => {
            need(&["Principal", "NotPrincipal"], "the statement has no `Principal`");
            need(&["Resource", "NotResource"], "the statement has no `Resource`");
        }
    }
    let refused: &[&str] = match kind {
        PolicyKind::Identity | PolicyKind::ServiceControl => &["Principal", "NotPrincipal"],
        PolicyKind::Trust => &["NotPrincipal", "Resource", "NotResource"],
        // <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html>
        PolicyKind::ResourceControl => &["NotPrincipal", "NotAction"],
        PolicyKind::Resource(_) => &[],
    };
    for found in refused.iter().filter_map(|name| has(name)) {
        let message = format!("a {kind} has no `{}`", found.name);
        findings.add(&checks::ELEMENT_UNSUPPORTED, &found.name_span, message);
    }
}

fn sid<'n>(checker: &mut Checker<'_>, members: &'n [Member]) -> Option<(&'n str, Range<usize>)> {
    let found = member(members, "Sid")?;
    let Some(sid) = found.node.text() else {
        let message = format!("`Sid` is a text, not {}", found.node.kind());
        checker.findings.add(&checks::ELEMENT_TYPE, &found.node.span, message);
        return None;
    };
    // Services' own policies take more, AWS KMS writes spaces itself.
    let is_of_iam = !matches!(checker.kind, PolicyKind::Resource(_));
    if is_of_iam && !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let message = format!("`{sid}` has other characters than letters and digits");
        checker.findings.add(&checks::SID_INVALID, &found.node.span, message);
    }
    (!sid.is_empty()).then(|| (sid, found.node.span.clone()))
}

/// A `Sid` that is there before.
pub fn sids(checker: &mut Checker<'_>, document: &Document<'_>) {
    if matches!(checker.kind, PolicyKind::Resource(_)) {
        return;
    }
    let mut seen = hashbrown::HashMap::new();
    for statement in &document.statements {
        let Some((sid, span)) = &statement.sid else { continue };
        if let Some(first) = seen.insert(sid, statement.number) {
            let message = format!("statement {first} has the Sid `{sid}` as well");
            checker.findings.add(&checks::SID_REPEATED, span, message);
        }
    }
}

fn effect(checker: &mut Checker<'_>, members: &[Member]) -> Option<Effect> {
    let found = member(members, "Effect")?;
    let message = match found.node.text() {
        Some("Allow") => return Some(Effect::Allow),
        Some("Deny") => return Some(Effect::Deny),
        Some(other) => format!("`{other}` is neither `Allow` nor `Deny`"),
        None => format!("`Effect` is `Allow` or `Deny`, not {}", found.node.kind()),
    };
    checker.findings.add(&checks::EFFECT_INVALID, &found.node.span, message);
    None
}

/// A text or the texts of a list; what else is there is said.
fn texts<'n>(checker: &mut Checker<'_>, name: &str, node: &'n Node) -> Vec<(&'n str, Range<usize>)> {
    let mut texts = Vec::new();
    let mut one = |checker: &mut Checker<'_>, node: &'n Node| match node.text() {
        Some(text) => texts.push((text, node.span.clone())),
        None => {
            let message = format!("`{name}` is a text or a list of texts, not {}", node.kind());
            checker.findings.add(&checks::ELEMENT_TYPE, &node.span, message);
        }
    };
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| one(checker, item)),
        _ => one(checker, node),
    }
    if let Value::List(items) = &node.value
        && items.is_empty()
    {
        checker.findings.add(&checks::LIST_EMPTY, &node.span, format!("`{name}` lists nothing"));
    }
    texts
}

fn element<'n>(
    checker: &mut Checker<'_>,
    members: &'n [Member],
    names: [&str; 2],
    is_action: bool,
) -> Option<Element<'n>> {
    let found = names.iter().find_map(|name| member(members, name))?;
    let texts = texts(checker, &found.name, &found.node);
    let item = |(text, span): (&'n str, Range<usize>)| {
        let pattern = match is_action {
            true => Pattern::new(&text.to_ascii_lowercase()),
            false => crate::variables::open(text),
        };
        Item { text: Cow::Borrowed(text), span, pattern }
    };
    let items = texts.into_iter().map(item).collect();
    Some(Element { name_span: found.name_span.clone(), not: found.name.starts_with("Not"), items })
}

fn principals<'n>(checker: &mut Checker<'_>, members: &'n [Member]) -> Option<Principals<'n>> {
    let found = ["Principal", "NotPrincipal"].iter().find_map(|name| member(members, name))?;
    let (not, name_span) = (found.name.starts_with("Not"), found.name_span.clone());
    let mut items = Vec::new();
    let item = |text: &'n str, span: &Range<usize>| Item {
        text: Cow::Borrowed(text),
        span: span.clone(),
        pattern: Pattern::new(text),
    };
    match &found.node.value {
        Value::Text(text) if &**text == "*" => items.push((PrincipalType::Everyone, item(text, &found.node.span))),
        Value::Object(types) => {
            if types.is_empty() {
                checker.findings.add(&checks::LIST_EMPTY, &found.node.span, format!("`{}` names no one", found.name));
            }
            for of_type in types {
                let principal_type = match &*of_type.name {
                    "AWS" => PrincipalType::Aws,
                    "Service" => PrincipalType::Service,
                    "Federated" => PrincipalType::Federated,
                    "CanonicalUser" => PrincipalType::Canonical,
                    other => {
                        let message = format!("`{other}` is no type of principal");
                        checker.findings.add(&checks::PRINCIPAL_INVALID, &of_type.name_span, message);
                        continue;
                    }
                };
                let texts = texts(checker, &of_type.name, &of_type.node);
                items.extend(texts.into_iter().map(|(text, span)| (principal_type, item(text, &span))));
            }
        }
        _ => {
            let message = format!("`{}` is an object, or `\"*\"`", found.name);
            checker.findings.add(&checks::PRINCIPAL_INVALID, &found.node.span, message);
        }
    }
    Some(Principals { name_span, not, items })
}

fn conditions<'n>(checker: &mut Checker<'_>, members: &'n [Member]) -> Vec<Test<'n>> {
    let mut tests: Vec<Test<'n>> = Vec::new();
    let Some(condition) = member(members, "Condition") else { return tests };
    let Some(operators) = condition.node.members() else {
        let message = format!("`Condition` is an object, not {}", condition.node.kind());
        checker.findings.add(&checks::ELEMENT_TYPE, &condition.node.span, message);
        return tests;
    };
    if operators.is_empty() {
        checker.findings.add(&checks::CONDITION_EMPTY, &condition.node.span, "the condition asks for nothing");
    }
    for operator in operators {
        let Some(keys) = operator.node.members() else {
            let message = format!("`{}` is an object of keys and values, not {}", operator.name, operator.node.kind());
            checker.findings.add(&checks::ELEMENT_TYPE, &operator.node.span, message);
            continue;
        };
        if keys.is_empty() {
            let message = format!("`{}` compares nothing", operator.name);
            checker.findings.add(&checks::CONDITION_EMPTY, &operator.node.span, message);
        }
        let read = policy::Test::operator(&operator.name).ok();
        for key in keys {
            let lower = key.name.to_ascii_lowercase();
            let is_repeated = |other: &&Test<'_>| {
                other.lower == lower
                    && other.operator_text.eq_ignore_ascii_case(&operator.name)
                    // Names that are the same to the letter were said when they were read.
                    && (other.key, other.operator_text) != (&key.name, &operator.name)
            };
            if let Some(other) = tests.iter().find(is_repeated) {
                let message = format!("`{}` is the same key as `{}`", key.name, other.key);
                checker.findings.add(&checks::KEY_REPEATED, &key.name_span, message);
            }
            tests.push(Test {
                operator: read,
                operator_text: &operator.name,
                operator_span: operator.name_span.clone(),
                key: &key.name,
                lower,
                key_span: key.name_span.clone(),
                values: values::of(checker, &key.name, &key.node),
            });
        }
    }
    tests
}
