//! Reads policy documents into statements, whatever the way they were written: objects or text (also URL-encoded), one
//! statement or a list, one action or a list.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

/// A policy is at most a few tens of kilobytes; text beyond this is not read.
const MAX_BYTES: usize = 4 << 20;
/// Statements that are looked at, over all documents of a value.
const MAX_STATEMENTS: usize = 5_000;
/// Patterns and texts longer than this are compared as they are; no ARN and no action comes near.
const MAX_PATTERN_BYTES: usize = 4_096;

/// All documents of a value: one policy, text of one, or a list of either. `None` where there is none (null).
///
/// # Errors
/// When text is no JSON, or a document is no object.
pub fn documents(value: &Json) -> Result<Option<Vec<Cow<'_, Json>>>, String> {
    let mut found = Vec::new();
    match value {
        Json::Null => return Ok(None),
        Json::Array(items) => {
            for item in items {
                found.extend(document(item)?);
            }
        }
        one => found.extend(document(one)?),
    }
    Ok(Some(found))
}

fn document(value: &Json) -> Result<Option<Cow<'_, Json>>, String> {
    match value {
        Json::Null => Ok(None),
        Json::Object(_) => Ok(Some(Cow::Borrowed(value))),
        Json::String(text) if text.trim().is_empty() => Ok(None),
        Json::String(text) => match parse_text(text)? {
            Json::Null => Ok(None),
            parsed @ Json::Object(_) => Ok(Some(Cow::Owned(parsed))),
            _ => Err("a policy document is not a JSON object".to_owned()),
        },
        _ => Err("a policy document is not a JSON object".to_owned()),
    }
}

/// Text as JSON; text that begins with a percent sign is URL-decoded first, as IAM's wire format has it.
///
/// # Errors
/// When it is no JSON.
pub fn parse_text(text: &str) -> Result<Json, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("text of {} bytes; {MAX_BYTES} are read at most", text.len()));
    }
    let text = text.trim_start_matches('\u{feff}').trim();
    let decoded = if text.starts_with('%') {
        percent_encoding::percent_decode_str(text).decode_utf8().map_err(|_| "the text is not UTF-8".to_owned())?
    } else {
        Cow::Borrowed(text)
    };
    serde_json::from_str(&decoded).map_err(|error| format!("not JSON: {error}"))
}

/// One statement, borrowed from its document.
#[derive(Debug)]
pub struct Statement<'a> {
    /// `Effect` is `Allow`.
    pub allow: bool,
    /// Whom it is for.
    pub principals: Principals<'a>,
    /// `Action`, or every action but `NotAction`.
    pub actions: Vec<&'a str>,
    /// Whether `actions` are those left out (`NotAction`).
    pub actions_negated: bool,
    /// `Resource`, or every resource but `NotResource`; empty where the policy's kind has none (trust policies).
    pub resources: Vec<&'a str>,
    /// Whether `resources` are those left out.
    pub resources_negated: bool,
    /// Conditions, all of which must hold.
    pub conditions: Vec<Condition<'a>>,
}

/// Whom a statement is for.
#[derive(Debug, Default)]
pub struct Principals<'a> {
    /// Everyone: `*`, `{"AWS": "*"}`, or everyone but some (`NotPrincipal`).
    pub everyone: bool,
    /// `NotPrincipal`: the principals below are those left out.
    pub negated: bool,
    /// ARNs, account ids and unique ids.
    pub aws: Vec<&'a str>,
    /// Service principals.
    pub service: Vec<&'a str>,
    /// SAML and OpenID Connect providers.
    pub federated: Vec<&'a str>,
}

/// One operator with one key and its values (any of which will do).
#[derive(Debug)]
pub struct Condition<'a> {
    /// Operator in lower case without set prefix and `ifexists`.
    pub operator: String,
    /// `ForAllValues:`, which also holds when the key is missing.
    pub for_all: bool,
    /// `…IfExists`, which also holds when the key is missing.
    pub if_exists: bool,
    /// Key in lower case.
    pub key: String,
    /// Values as text.
    pub values: Vec<Cow<'a, str>>,
}

/// The statements of some documents.
pub fn statements<'a>(documents: &'a [Cow<'_, Json>]) -> Vec<Statement<'a>> {
    documents
        .iter()
        .filter_map(|document| document.get("Statement"))
        .flat_map(|statement| match statement {
            Json::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        })
        .filter_map(Json::as_object)
        .take(MAX_STATEMENTS)
        .filter_map(read)
        .collect()
}

fn read(fields: &Map<String, Json>) -> Option<Statement<'_>> {
    let effect = fields.get("Effect").and_then(Json::as_str)?;
    let (actions, actions_negated) = one_of(fields, "Action", "NotAction");
    let (resources, resources_negated) = one_of(fields, "Resource", "NotResource");
    Some(Statement {
        allow: effect == "Allow",
        principals: read_principals(fields),
        actions,
        actions_negated,
        resources,
        resources_negated,
        conditions: fields.get("Condition").map(read_conditions).unwrap_or_default(),
    })
}

fn one_of<'a>(fields: &'a Map<String, Json>, name: &str, negated: &str) -> (Vec<&'a str>, bool) {
    match (fields.get(name), fields.get(negated)) {
        (Some(value), _) => (texts(value), false),
        (None, Some(value)) => (texts(value), true),
        (None, None) => (Vec::new(), false),
    }
}

/// One text or a list of them.
fn texts(value: &Json) -> Vec<&str> {
    match value {
        Json::String(text) => vec![text.as_str()],
        Json::Array(items) => items.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    }
}

fn read_principals(fields: &Map<String, Json>) -> Principals<'_> {
    let (value, negated) = match (fields.get("Principal"), fields.get("NotPrincipal")) {
        (Some(value), _) => (value, false),
        (None, Some(value)) => (value, true),
        (None, None) => return Principals::default(),
    };
    let mut found = Principals { everyone: negated, negated, ..Principals::default() };
    match value {
        Json::Object(types) => {
            for (kind, named) in types {
                let named = texts(named);
                match kind.as_str() {
                    "AWS" | "*" => found.aws.extend(named),
                    "Service" => found.service.extend(named),
                    "Federated" => found.federated.extend(named),
                    _ => {}
                }
            }
        }
        other => found.aws.extend(texts(other)),
    }
    if !negated {
        found.everyone = found.aws.contains(&"*");
        found.aws.retain(|principal| *principal != "*");
    }
    found
}

fn read_conditions(value: &Json) -> Vec<Condition<'_>> {
    let Json::Object(operators) = value else { return Vec::new() };
    operators
        .iter()
        .filter_map(|(operator, keys)| keys.as_object().map(|keys| (operator, keys)))
        .flat_map(|(operator, keys)| keys.iter().map(move |(key, values)| read_condition(operator, key, values)))
        .collect()
}

fn read_condition<'a>(operator: &str, key: &str, values: &'a Json) -> Condition<'a> {
    let mut operator = operator.to_ascii_lowercase();
    let for_all = operator.starts_with("forallvalues:");
    if let Some((_, plain)) = operator.split_once(':') {
        operator = plain.to_owned();
    }
    let if_exists = operator.ends_with("ifexists");
    if let Some(plain) = operator.strip_suffix("ifexists") {
        operator = plain.to_owned();
    }
    let values = match values {
        Json::Array(items) => items.iter().filter_map(scalar).collect(),
        one => scalar(one).into_iter().collect(),
    };
    Condition { operator, for_all, if_exists, key: key.to_ascii_lowercase(), values }
}

fn scalar(value: &Json) -> Option<Cow<'_, str>> {
    match value {
        Json::String(text) => Some(Cow::Borrowed(text)),
        Json::Bool(_) | Json::Number(_) => Some(Cow::Owned(value.to_string())),
        _ => None,
    }
}

impl Statement<'_> {
    /// Whether the statement's actions include all that the pattern stands for. Patterns compare as IAM does: without
    /// regard to case, `*` for any text and `?` for one character.
    pub fn covers_action(&self, pattern: &str) -> bool {
        if self.actions_negated {
            !self.actions.iter().any(|left_out| overlap(left_out, pattern))
        } else {
            self.actions.iter().any(|action| covers(action, pattern))
        }
    }

    /// Whether the statement is about every resource that the action may be taken on: `*`, or an ARN of the action's
    /// service and type whose resource is a wildcard (`arn:aws:iam::111122223333:role/*` for `iam:PassRole`).
    pub fn all_resources(&self, action: &str) -> bool {
        self.resources_negated || self.resources.iter().any(|resource| is_all(resource, action))
    }
}

/// Whether an ARN pattern stands for every resource that an action may be taken on.
fn is_all(resource: &str, action: &str) -> bool {
    if only_stars(resource) {
        return true;
    }
    let mut parts = resource.splitn(6, ':');
    let (Some(service), Some(specific)) = (parts.nth(2), parts.nth(2)) else { return false };
    let Some((of, verb)) = action.split_once(':') else {
        return only_stars(service) && only_stars(specific);
    };
    // Roles are assumed by an action of STS, and are resources of IAM.
    let of = if of.eq_ignore_ascii_case("sts") { "iam" } else { of };
    if !covers(service, of) {
        return false;
    }
    match specific.split_once(['/', ':']) {
        // Before the slash stands a bucket, not a type.
        Some((bucket, name)) if of.eq_ignore_ascii_case("s3") => only_stars(bucket) && only_stars(name),
        Some((kind, name)) if of.eq_ignore_ascii_case("iam") => only_stars(name) && is_about(verb, kind),
        Some((_, name)) => only_stars(name),
        None => only_stars(specific),
    }
}

/// Whether an IAM or STS action is taken on resources of the type: the one that stands last in its name. `AddUserToGroup`
/// is about a group, `PutRolePolicy` about a role, `CreatePolicyVersion` about a policy.
fn is_about(verb: &str, kind: &str) -> bool {
    let owner = ["Group", "Role", "User"].into_iter().filter_map(|noun| Some((verb.rfind(noun)?, noun))).max();
    let noun = match owner {
        Some((_, noun)) => noun,
        None if verb.contains("Policy") => "Policy",
        // Keys, passwords and the like belong to users.
        None => "User",
    };
    covers(kind, noun)
}

fn only_stars(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte == b'*')
}

/// Whether an action pattern is every action there is.
pub fn is_every_action(action: &str) -> bool {
    only_stars(action) || action.split_once(':').is_some_and(|(service, name)| only_stars(service) && only_stars(name))
}

/// Whether all that `pattern` stands for matches `wide`. Sound, not complete: wildcards in `pattern` count as letters.
pub fn covers(wide: &str, pattern: &str) -> bool {
    if wide.len() > MAX_PATTERN_BYTES || pattern.len() > MAX_PATTERN_BYTES {
        return only_stars(wide) || wide.eq_ignore_ascii_case(pattern);
    }
    glob(wide.as_bytes(), pattern.as_bytes())
}

/// Whether two patterns may stand for the same thing; complete where one of them covers the other.
fn overlap(one: &str, other: &str) -> bool {
    covers(one, other) || covers(other, one)
}

/// `*` and `?` matching without regard to ASCII case, in time proportional to the product of the lengths at worst.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at_pattern, mut at_text) = (0usize, 0usize);
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(at_text) {
        match pattern.get(at_pattern) {
            Some(b'*') => {
                star = Some((at_pattern, at_text));
                at_pattern = at_pattern.saturating_add(1);
            }
            // A `?` in the pattern stands for one character, not for a `*` of the other pattern.
            Some(b'?') if *byte != b'*' => {
                at_pattern = at_pattern.saturating_add(1);
                at_text = at_text.saturating_add(1);
            }
            Some(expected) if *expected != b'?' && expected.eq_ignore_ascii_case(byte) => {
                at_pattern = at_pattern.saturating_add(1);
                at_text = at_text.saturating_add(1);
            }
            _ => {
                let Some((star_pattern, star_text)) = star else { return false };
                at_pattern = star_pattern.saturating_add(1);
                at_text = star_text.saturating_add(1);
                star = Some((star_pattern, at_text));
            }
        }
    }
    pattern.get(at_pattern..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}
