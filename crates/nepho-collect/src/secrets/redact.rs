//! Replaces what may be secret in an answer.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::{PAIR_NAMES, PAIR_VALUES, PEOPLES, detect, markers, pair_name};

/// A secret sits in the places that kinds name, by service and operation.
#[derive(Clone, Debug, Default)]
pub(crate) struct SecretPaths(HashMap<(Arc<str>, Arc<str>), Vec<SecretPath>>);

#[derive(Clone, Debug, PartialEq)]
struct SecretPath {
    steps: Vec<Step>,
    base64: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Field(Box<str>),
    Each,
    /// The elements of a list whose field has this text; those without the field too.
    EachWhere(Box<str>, Box<str>),
    Any,
}

/// A path's parts: cut at the dots outside of brackets.
fn parts(path: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0_usize, 0_usize);
    for (at, character) in path.char_indices() {
        match character {
            '[' => depth = depth.saturating_add(1),
            ']' => depth = depth.saturating_sub(1),
            '.' if depth == 0 => {
                parts.extend(path.get(start..at));
                start = at.saturating_add(1);
            }
            _ => {}
        }
    }
    parts.extend(path.get(start..));
    parts
}

/// `[?Field=='text']` at a part's end, and what stands before it.
fn filter(part: &str) -> Option<(&str, Step)> {
    let (name, rest) = part.strip_suffix("']")?.split_once("[?")?;
    let (field, text) = rest.split_once("=='")?;
    let plain = |text: &str| !text.is_empty() && !text.contains(['[', ']', '\'']);
    (plain(field) && plain(text)).then(|| (name, Step::EachWhere(field.into(), text.into())))
}

impl SecretPaths {
    /// Adds a place; the error says what is wrong with the path.
    pub fn add(&mut self, service: &Arc<str>, operation: &Arc<str>, path: &str, base64: bool) -> Result<(), String> {
        let mut steps = Vec::new();
        for part in parts(path) {
            let (part, chosen) = match filter(part) {
                Some((part, chosen)) => (part, Some(chosen)),
                None => (part, None),
            };
            let name = part.trim_end_matches("[]");
            let lists = part.len().saturating_sub(name.len()) / 2;
            match name {
                "*" => steps.push(Step::Any),
                "" | "@" if lists > 0 || part == "@" => {}
                "" => return Err(format!("`{path}` has an empty field name")),
                name if name.contains(['[', ']', '?', '|', '\'', '`', '(', ' ']) => {
                    return Err(format!(
                        "`{path}`: only field names, `[]`, `[?Field=='text']` and `.*` can stand in a secret path"
                    ));
                }
                name => steps.push(Step::Field(name.into())),
            }
            steps.extend(std::iter::repeat_n(Step::Each, lists));
            steps.extend(chosen);
        }
        let paths = self.0.entry((service.clone(), operation.clone())).or_default();
        let path = SecretPath { steps, base64 };
        if !paths.contains(&path) {
            paths.push(path);
        }
        Ok(())
    }
}

/// Redacts answers. One for a whole collection.
#[derive(Clone, Debug)]
pub struct Redactor {
    paths: Arc<SecretPaths>,
    salt: Option<Arc<str>>,
}

/// What a text is replaced in the light of.
struct Light<'a> {
    salt: &'a str,
    base64: bool,
}

impl Redactor {
    pub(crate) fn new(paths: Arc<SecretPaths>, salt: Option<Arc<str>>) -> Self {
        Self { paths, salt }
    }

    fn salt(&self, account: &str) -> Cow<'_, str> {
        match &self.salt {
            Some(salt) => Cow::Borrowed(salt),
            None => Cow::Owned(format!("nephoscope:{account}")),
        }
    }

    /// Redacts an answer in place.
    pub fn redact(&self, account: &str, service: &str, operation: &str, answer: &mut Json) {
        let salt = self.salt(account);
        let key = (Arc::from(service), Arc::from(operation));
        for path in self.paths.0.get(&key).into_iter().flatten() {
            let light = Light { salt: &salt, base64: path.base64 };
            descend(answer, &path.steps, None, &light);
        }
        net(answer, &salt);
    }

    /// Redacts a text of the provider's, such as an error message.
    pub fn redact_text(&self, account: &str, text: &mut String) {
        net_text(text, &self.salt(account));
    }
}

fn descend(value: &mut Json, steps: &[Step], name: Option<&str>, light: &Light<'_>) {
    let Some((step, rest)) = steps.split_first() else {
        replace(value, name, light);
        return;
    };
    match (step, value) {
        (Step::Field(field), Json::Object(fields)) => {
            // A pair's value goes by the pair's name.
            let called = if PAIR_VALUES.contains(&field.as_ref()) {
                PAIR_NAMES.iter().find_map(|name| fields.get(*name)?.as_str().map(str::to_owned))
            } else {
                None
            };
            if let Some(inner) = fields.get_mut(field.as_ref()) {
                descend(inner, rest, Some(called.as_deref().unwrap_or(field)), light);
            }
        }
        (Step::Each, Json::Array(items)) => items.iter_mut().for_each(|item| descend(item, rest, name, light)),
        (Step::EachWhere(field, text), Json::Array(items)) => {
            // An element that does not say which it is counts in: better too much than too little.
            let chosen =
                |item: &Json| item.get(field.as_ref()).and_then(Json::as_str).is_none_or(|held| held == text.as_ref());
            items.iter_mut().filter(|item| chosen(item)).for_each(|item| descend(item, rest, name, light));
        }
        (Step::Any, Json::Object(fields)) => {
            fields.iter_mut().for_each(|(field, inner)| descend(inner, rest, Some(field), light));
        }
        // An answer whose shape is not what the path says: better too much than too little.
        (Step::Field(_) | Step::Any, Json::Array(items)) => {
            items.iter_mut().for_each(|item| descend(item, steps, name, light));
        }
        (Step::Each | Step::EachWhere(..), value @ Json::Object(_)) => descend(value, rest, name, light),
        (_, value @ Json::String(_)) => replace(value, name, light),
        _ => {}
    }
}

/// Replaces all scalars below.
fn replace(value: &mut Json, name: Option<&str>, light: &Light<'_>) {
    match value {
        Json::Null => {}
        Json::Bool(_) => *value = Json::from("[redacted]"),
        Json::Number(number) => *value = Json::String(redacted(name, &number.to_string(), light)),
        Json::String(text) => {
            if !text.is_empty() && markers(text).is_none() {
                *text = redacted(name, text, light);
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| replace(item, name, light)),
        Json::Object(_) => {
            let called = pair_name(value).map(str::to_owned);
            let Json::Object(fields) = value else { return };
            for (field, inner) in fields.iter_mut() {
                if called.is_some() && PAIR_NAMES.contains(&field.as_str()) {
                    // The name of a variable stays, as the keys of maps do, unless it is itself a token.
                    net(inner, light.salt);
                } else if PAIR_VALUES.contains(&field.as_str()) {
                    replace(inner, called.as_deref().or(Some(field)), light);
                } else {
                    replace(inner, Some(field), light);
                }
            }
        }
    }
}

fn redacted(name: Option<&str>, text: &str, light: &Light<'_>) -> String {
    let decoded = if light.base64 { decode(text) } else { None };
    let text = decoded.as_deref().unwrap_or(text);
    let mut marks: Vec<String> = Vec::new();
    for finding in detect::detect(name, text) {
        let mark = mark(finding.kind, text.get(finding.start..finding.end).unwrap_or_default(), light.salt);
        if !marks.contains(&mark) {
            marks.push(mark);
        }
    }
    if marks.is_empty() { "[redacted]".to_owned() } else { format!("[redacted {}]", marks.join("; ")) }
}

fn decode(text: &str) -> Option<String> {
    let compact: String = text.split_ascii_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(compact.as_bytes()).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// `KIND SAMPLE HASH`.
fn mark(kind: &str, secret: &str, salt: &str) -> String {
    let characters = secret.chars().count();
    let shown = if PEOPLES.contains(&kind) || kind == "private-key" { 0 } else { 4 };
    let mut sample: String = secret
        .chars()
        .take(shown)
        .map(|character| if character.is_ascii_alphanumeric() || "_-./+".contains(character) { character } else { '.' })
        .collect();
    sample.push_str("***");
    sample.push_str(&characters.to_string());
    let mut hasher = Sha256::new();
    hasher.update(salt.as_bytes());
    hasher.update(secret.as_bytes());
    let hash: String = hasher.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{kind} {sample} {hash}")
}

/// The safety net over everything else: tokens of precise shape, and what stands in a field (or a pair) whose name
/// promises a secret.
fn net(value: &mut Json, salt: &str) {
    net_named(value, None, salt);
}

fn net_named(value: &mut Json, name: Option<&str>, salt: &str) {
    match value {
        Json::String(text) => match name.and_then(|name| detect::detect_field(name, text)) {
            Some(kind) if markers(text).is_none() => *text = format!("[redacted {}]", mark(kind, text.trim(), salt)),
            _ => net_text(text, salt),
        },
        Json::Array(items) => items.iter_mut().for_each(|item| net_named(item, name, salt)),
        Json::Object(_) => {
            let called = pair_name(value).map(str::to_owned);
            let Json::Object(fields) = value else { return };
            for (field, inner) in fields.iter_mut() {
                let paired = called.as_deref().filter(|_| PAIR_VALUES.contains(&field.as_str()));
                net_named(inner, Some(paired.unwrap_or(field)), salt);
            }
        }
        _ => {}
    }
}

/// Whether a text may hold one of the precise shapes: each has one of these beginnings.
fn may_hold(text: &str) -> bool {
    let bytes = text.as_bytes();
    text.len() >= 20
        && bytes.windows(4).any(|window| {
            matches!(
                window,
                b"PRIV"
                    | b"ghp_"
                    | b"gho_"
                    | b"ghu_"
                    | b"ghs_"
                    | b"ghr_"
                    | b"gith"
                    | b"glpa"
                    | b"gldt"
                    | b"glrt"
                    | b"glcb"
                    | b"glpt"
                    | b"AIza"
                    | b"npm_"
                    | b"AKIA"
                    | b"ASIA"
                    | b"hook"
                    | b"xoxa"
                    | b"xoxb"
                    | b"xoxe"
                    | b"xoxo"
                    | b"xoxp"
                    | b"xoxr"
                    | b"xoxs"
                    | b"k_li"
                    | b"k_te"
                    | b"sk-a"
                    | b"sk-p"
                    | b"sk-s"
            ) || window.starts_with(b"SG.")
        })
}

fn net_text(text: &mut String, salt: &str) {
    if !may_hold(text) {
        return;
    }
    // From the end, so that earlier positions stay right.
    for finding in detect::detect_anywhere(text).into_iter().rev() {
        let Some(secret) = text.get(finding.start..finding.end) else { continue };
        let replacement = format!("[redacted {}]", mark(finding.kind, secret, salt));
        text.replace_range(finding.start..finding.end, &replacement);
    }
}
