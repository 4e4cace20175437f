//! What CloudTrail's names mean to IAM: read from `catalog/cloudtrail/aws.yaml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value as Json;

use crate::actions::Catalogue;
use crate::arn::is_account;
use crate::pattern::Pattern;

static EMBEDDED: LazyLock<Names> = LazyLock::new(|| {
    // A test reads the file, so one that can't be read does not reach a user.
    serde_saphyr::from_str(include_str!("../../../../catalog/cloudtrail/aws.yaml")).unwrap_or_default()
});

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Names {
    sources: BTreeMap<String, Vec<String>>,
    free: BTreeMap<String, Vec<String>>,
    events: BTreeMap<String, BTreeMap<String, Vec<Rule>>>,
    tags: BTreeMap<String, Rule>,
    passes: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    data: BTreeMap<String, Vec<String>>,
    unlogged: BTreeMap<String, Vec<String>>,
    excludable: BTreeMap<String, Vec<String>>,
    denied: Vec<String>,
    resources: BTreeMap<String, Vec<String>>,
    single: Vec<String>,
}

/// One action of an event.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub action: String,
    #[serde(default)]
    pub when: Option<String>,
    #[serde(default)]
    pub unless: Option<String>,
    /// Template of the resource in place of the general ones.
    #[serde(default)]
    pub on: Option<String>,
    /// Templates beside what the event names.
    #[serde(default)]
    pub also: Vec<String>,
    /// Whether the request does not name its resource.
    #[serde(default)]
    pub unnamed: bool,
}

/// What an event means.
#[derive(Clone, Debug)]
pub(super) enum Meaning {
    /// These actions.
    Actions(Vec<Rule>),
    /// No permission is asked for.
    Free,
    /// It is not known.
    Unmapped,
}

/// How a trail has the uses of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Logged {
    /// As management events, which a trail has by default.
    Always,
    /// As management events that a trail may leave out.
    Excludable,
    /// As data events.
    Data,
    /// Not, or not all of them.
    Never,
}

impl Names {
    pub fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// What an event means. Of an event without a line of its own it is the action of its name, if there is one.
    pub(super) fn meaning(&self, source: &str, name: &str, catalogue: &Catalogue) -> Meaning {
        let mut meaning = self.untagged(source, name, catalogue);
        if let Meaning::Actions(rules) = &mut meaning
            && let Some(prefix) = rules.first().and_then(|rule| rule.action.split(':').next())
            && let Some(tags) = self.tags.get(prefix)
            && !name.contains("Tag")
        {
            rules.push(tags.clone());
        }
        meaning
    }

    /// The same without what tags need.
    fn untagged(&self, source: &str, name: &str, catalogue: &Catalogue) -> Meaning {
        let free = self.free.get(source).is_some_and(|names| names.iter().any(|of| of == "*" || of == name));
        if free {
            return Meaning::Free;
        }
        let bare = undated(name);
        if let Some(events) = self.events.get(source)
            && let Some(rules) = events.get(bare).or_else(|| {
                events.iter().find(|(of, _)| of.strip_prefix('~').is_some_and(|of| bare.starts_with(of))).map(|of| of.1)
            })
        {
            return Meaning::Actions(rules.clone());
        }
        let own = [source.split('.').next().unwrap_or_default().to_owned()];
        let prefixes = self.sources.get(source).map_or(&own[..], Vec::as_slice);
        let known = |name: &str| -> Vec<Rule> {
            let actions = prefixes.iter().filter_map(|prefix| catalogue.action(&format!("{prefix}:{name}")));
            actions.map(|action| Rule::of(action.name())).collect()
        };
        let rules = match known(name) {
            none if none.is_empty() => known(bare),
            rules => rules,
        };
        if rules.is_empty() { Meaning::Unmapped } else { Meaning::Actions(rules) }
    }

    /// Whether an event passes a role that its request does not name. `parameters` are those of the request.
    pub fn passes(&self, source: &str, name: &str, parameters: &Json) -> bool {
        let asked = self.passes.get(source).and_then(|events| events.get(undated(name)));
        asked.is_some_and(|any| any.is_empty() || any.iter().any(|path| !values(parameters, path).is_empty()))
    }

    /// Whether an error says that the request was not allowed.
    pub fn is_denied(&self, code: &str) -> bool {
        self.denied.iter().any(|pattern| Pattern::new(pattern).matches(code))
    }

    /// How a trail has an action, named as the catalogue does.
    pub fn logged(&self, action: &str) -> Logged {
        let Some((prefix, name)) = action.split_once(':') else { return Logged::Always };
        let lists = |lists: &BTreeMap<String, Vec<String>>| {
            lists.get(prefix).is_some_and(|of| of.iter().any(|of| Pattern::new(of).matches(name)))
        };
        if lists(&self.unlogged) {
            Logged::Never
        } else if lists(&self.data) {
            Logged::Data
        } else if lists(&self.excludable) {
            Logged::Excludable
        } else {
            Logged::Always
        }
    }

    /// Prefixes of the services that have actions of which a trail need not have the uses.
    pub fn not_always_logged(&self) -> impl Iterator<Item = &str> {
        self.data.keys().chain(self.unlogged.keys()).chain(self.excludable.keys()).map(String::as_str)
    }

    /// Templates of the resources of a service.
    pub fn templates(&self, prefix: &str) -> &[String] {
        self.resources.get(prefix).map_or(&[], Vec::as_slice)
    }

    /// Whether the resources of a service stand for one thing of value each.
    pub fn is_single(&self, prefix: &str) -> bool {
        self.single.iter().any(|of| of == prefix)
    }

    #[cfg(test)]
    pub fn actions(&self) -> impl Iterator<Item = &str> {
        let rules = self.events.values().flat_map(BTreeMap::values).flatten().chain(self.tags.values());
        rules.map(|rule| rule.action.as_str())
    }

    #[cfg(test)]
    pub fn listed(&self) -> impl Iterator<Item = String> {
        let lists = self.data.iter().chain(&self.unlogged).chain(&self.excludable);
        lists.flat_map(|(prefix, names)| names.iter().map(move |name| format!("{prefix}:{name}").to_lowercase()))
    }

    #[cfg(test)]
    pub fn prefixes(&self) -> impl Iterator<Item = &str> {
        self.sources.values().flatten().chain(self.resources.keys()).map(String::as_str)
    }
}

impl Rule {
    pub fn of(action: &str) -> Self {
        Self { action: action.to_owned(), when: None, unless: None, on: None, also: Vec::new(), unnamed: false }
    }
}

/// An event's name without the version of the API: Lambda's `CreateFunction20150331`, CloudFront's
/// `CreateDistribution2020_05_31`.
fn undated(name: &str) -> &str {
    let without = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_' || c == 'v');
    let is_version = name.get(without.len()..).is_some_and(|version| version.starts_with("20") && version.len() >= 8);
    if is_version { without } else { name }
}

/// The texts at a path in parameters; names of fields are compared without regard to the case of their first letter, which
/// differs between services.
pub(super) fn values<'j>(parameters: &'j Json, path: &str) -> Vec<&'j Json> {
    let mut at = vec![parameters];
    for name in path.split('.') {
        let mut next = Vec::new();
        for value in at {
            field(value, name, &mut next);
        }
        at = next;
    }
    let mut found = Vec::new();
    for value in at {
        match value {
            Json::Array(items) => found.extend(items),
            other => found.push(other),
        }
    }
    let is_empty = |value: &Json| match value {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Object(fields) => fields.is_empty(),
        _ => false,
    };
    found.retain(|value| !is_empty(value));
    found
}

fn field<'j>(value: &'j Json, name: &str, into: &mut Vec<&'j Json>) {
    match value {
        Json::Object(fields) => {
            let same = |key: &str| {
                key == name
                    || key.len() == name.len()
                        && key.get(1..).is_some()
                        && key.get(1..) == name.get(1..)
                        && key.get(..1).zip(name.get(..1)).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b))
            };
            into.extend(fields.iter().find(|(key, _)| same(key)).map(|(_, value)| value));
        }
        Json::Array(items) => items.iter().for_each(|item| field(item, name, into)),
        _ => {}
    }
}

/// Who and where, for templates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub partition: &'a str,
    pub region: &'a str,
    pub account: &'a str,
}

/// The resources that a template makes, as patterns: wildcards of the template stay, those of parameters mean themselves.
/// None where a parameter is missing.
pub(super) fn fill(template: &str, parameters: &Json, place: Place<'_>) -> Vec<Pattern> {
    // An ARN is taken as it is, wherever the template has it.
    let mut made = vec![String::new()];
    let mut whole: Vec<String> = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("${") {
        made.iter_mut().for_each(|text| text.push_str(before));
        let Some((variable, after)) = after.split_once('}') else { return Vec::new() };
        rest = after;
        let values: Vec<String> = match variable {
            "partition" => vec![place.partition.to_owned()],
            "region" => vec![place.region.to_owned()],
            "account" => vec![place.account.to_owned()],
            variable => parameter(parameters, variable),
        };
        let (arns, texts): (Vec<_>, Vec<_>) = values.into_iter().partition(|value| value.starts_with("arn:"));
        whole.extend(arns);
        made = texts
            .iter()
            .flat_map(|value| made.iter().map(move |text| format!("{text}{}", crate::pattern::escaped(value))))
            .collect();
    }
    made.iter_mut().for_each(|text| text.push_str(rest));
    let is_arn = |text: &String| text.starts_with("arn:") && text.len() <= LONGEST_ARN;
    let whole = whole.into_iter().filter(is_arn).map(|arn| Pattern::literal(&arn));
    let made: Vec<Pattern> = made.iter().filter(|text| is_arn(text)).map(|text| Pattern::new(text)).collect();
    whole.chain(made).collect()
}

/// S3's keys are the longest of all that can be in an ARN, with 1,024 bytes; IAM takes no more than 2,048.
pub(super) const LONGEST_ARN: usize = 2_048;

fn parameter(parameters: &Json, variable: &str) -> Vec<String> {
    let (function, path) = match variable.split_once('(') {
        Some((function, path)) => (function, path.trim_end_matches(')')),
        None => ("", variable),
    };
    let mut texts = Vec::new();
    for value in values(parameters, path) {
        match (function, value) {
            ("keys", Json::Object(fields)) => texts.extend(fields.keys().cloned()),
            (_, Json::String(text)) if !text.is_empty() => texts.extend(converted(function, text)),
            _ => {}
        }
    }
    texts
}

fn converted(function: &str, text: &str) -> Option<String> {
    if text.starts_with("arn:") {
        return Some(text.to_owned());
    }
    match function {
        "" => Some(text.to_owned()),
        "last" => text.rsplit('/').next().map(str::to_owned),
        "unslashed" => Some(text.strip_prefix('/').unwrap_or(text).to_owned()),
        "family" => text.split(':').next().map(str::to_owned),
        "uuid" => is_uuid(text).then(|| text.to_owned()),
        "queue" => {
            let mut parts = text.rsplit('/');
            let (name, account) = (parts.next()?, parts.next()?);
            is_account(account).then(|| format!("{account}:{name}"))
        }
        "copied" => {
            let path = text.strip_prefix('/').unwrap_or(text).split("?versionId=").next()?;
            let path = percent_encoding::percent_decode_str(path).decode_utf8().ok()?;
            path.contains('/').then(|| path.into_owned())
        }
        _ => None,
    }
}

/// Eight, four, four, four and twelve hexadecimal digits.
pub(crate) fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}
