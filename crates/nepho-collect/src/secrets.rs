//! What may be secret never leaves this module: values at the places that kind files name are examined and replaced as
//! an answer arrives, before it is recorded or read; everywhere else a safety net masks tokens of known shapes.
//!
//! A replaced text reads `[redacted]`, or `[redacted KIND SAMPLE HASH]` where it was found to hold a secret (several
//! joined by `; `). SAMPLE is at most four leading characters (none of what people choose, such as passwords: there each
//! character counts), `***` and the length; HASH is 16 hex digits of SHA-256(salt ‖ value), so that the same secret is
//! recognised in two places without being known. Redacting again changes nothing.

mod detect;
mod redact;

use serde_json::{Value as Json, json};

pub use detect::{Finding, detect};
pub use redact::Redactor;
pub(crate) use redact::SecretPaths;

/// A redacted text's findings as (kind, sample, hash); `None` when the text is no redacted text.
fn markers(text: &str) -> Option<Vec<(&str, &str, &str)>> {
    let inside = text.strip_prefix("[redacted")?.strip_suffix(']')?;
    if inside.is_empty() {
        return Some(Vec::new());
    }
    inside.strip_prefix(' ')?.split("; ").map(marker).collect()
}

fn marker(text: &str) -> Option<(&str, &str, &str)> {
    let mut words = text.split(' ');
    let (kind, sample, hash) = (words.next()?, words.next()?, words.next()?);
    let (shown, length) = sample.split_once("***")?;
    let kind_fits = !kind.is_empty()
        && kind.len() <= 40
        && kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let sample_fits = shown.chars().count() <= 4
        && !length.is_empty()
        && length.len() <= 9
        && length.bytes().all(|byte| byte.is_ascii_digit());
    let hash_fits = hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    (words.next().is_none() && kind_fits && sample_fits && hash_fits).then_some((kind, sample, hash))
}

/// Kinds of secrets that people choose: of these no character is shown.
const PEOPLES: [&str; 3] = ["password", "connection-string", "generic-secret"];

/// The secrets that were found in a value, from the marks that stand in their places: a list of
/// `{place, kind, sample, hash}`. `place` is the path inside the value; for lists of name and value, the name.
///
/// This is the transform `secret-findings` of kind files.
pub fn findings(value: &Json) -> Json {
    let mut found = Vec::new();
    walk(value, &mut String::new(), &mut found);
    Json::Array(found)
}

/// Field names that hold the name of a name–value pair, and those that hold its value.
const PAIR_NAMES: [&str; 8] =
    ["Name", "name", "Key", "key", "ParameterKey", "OptionName", "ParameterName", "OutputKey"];
const PAIR_VALUES: [&str; 7] =
    ["Value", "value", "ParameterValue", "ResolvedValue", "OutputValue", "DefaultValue", "StringValue"];

/// The name in an object that is a name–value pair.
fn pair_name(value: &Json) -> Option<&str> {
    let fields = value.as_object()?;
    PAIR_VALUES.iter().find(|name| fields.contains_key(**name))?;
    PAIR_NAMES.iter().find_map(|name| fields.get(*name)?.as_str())
}

fn walk(value: &Json, place: &mut String, found: &mut Vec<Json>) {
    let length = place.len();
    match value {
        Json::String(text) => {
            for (kind, sample, hash) in markers(text).unwrap_or_default() {
                // Older recordings show some characters.
                let shown = sample.split_once("***").map_or(0, |(shown, _)| shown.len());
                let sample = sample.get(shown..).filter(|_| PEOPLES.contains(&kind)).unwrap_or(sample);
                found.push(json!({"place": place.as_str(), "kind": kind, "sample": sample, "hash": hash}));
            }
        }
        Json::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                match pair_name(item) {
                    Some(name) => push_name(place, name),
                    None => place.push_str(&format!("[{at}]")),
                }
                walk(item, place, found);
                place.truncate(length);
            }
        }
        Json::Object(fields) => {
            let is_pair = pair_name(value).is_some();
            for (name, field) in fields {
                if !(is_pair && PAIR_VALUES.contains(&name.as_str())) {
                    push_name(place, name);
                }
                walk(field, place, found);
                place.truncate(length);
            }
        }
        _ => {}
    }
}

fn push_name(place: &mut String, name: &str) {
    if !place.is_empty() {
        place.push('.');
    }
    place.push_str(name);
}

#[cfg(test)]
mod tests;
