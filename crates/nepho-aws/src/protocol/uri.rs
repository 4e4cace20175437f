//! Paths, host names and percent encoding.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value as Json};

use super::{SerializeError, rest, structure};
use crate::model::{Location, Operation, Service};

/// RFC 3986 unreserved characters stay.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same, and slashes: for greedy labels.
const GREEDY: &AsciiSet = &COMPONENT.remove(b'/');

/// Percent-encodes a path segment, a query name or value.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, COMPONENT).to_string()
}

fn value_error(operation: &Operation, parameter: &str, problem: &'static str) -> SerializeError {
    SerializeError::Value { operation: operation.name.clone(), parameter: parameter.to_owned(), problem }
}

/// Names and values of a query string; `None` for a bare word.
pub type Query = Vec<(String, Option<String>)>;

/// Fills the labels of a path template, and splits its fixed query off.
pub fn render(
    service: &Service,
    operation: &Operation,
    parameters: &Map<String, Json>,
) -> Result<(String, Query), SerializeError> {
    let (path, fixed) = operation.uri.split_once('?').unwrap_or((&operation.uri, ""));
    let query = fixed
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| match part.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (part.to_owned(), None),
        })
        .collect();
    let mut rendered = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let (label, after) = after.split_once('}').unwrap_or((after, ""));
        rendered.push_str(before);
        let (name, set) = match label.strip_suffix('+') {
            Some(name) => (name, GREEDY),
            None => (label, COMPONENT),
        };
        let (parameter, value) = label_value(service, operation, parameters, name)?;
        if value.is_empty() {
            return Err(value_error(operation, &parameter, "must not be empty: it is part of the path"));
        }
        rendered.extend(utf8_percent_encode(&value, set));
        rest = after;
    }
    rendered.push_str(rest);
    Ok((rendered, query))
}

/// The parameter behind a label, by its name on the wire.
fn label_value(
    service: &Service,
    operation: &Operation,
    parameters: &Map<String, Json>,
    label: &str,
) -> Result<(String, String), SerializeError> {
    let members = operation.input.as_ref().and_then(|input| structure(service, input));
    for (name, member) in members.map(|members| members.members.as_slice()).unwrap_or_default() {
        if member.traits.location == Some(Location::Uri)
            && member.traits.location_name.as_deref().unwrap_or(name) == label
        {
            let value = parameters.get(name).ok_or_else(|| SerializeError::Missing {
                operation: operation.name.clone(),
                parameter: name.clone(),
            })?;
            let text = rest::plain_text(service, member, value)
                .ok_or_else(|| value_error(operation, name, "must be text or a number"))?;
            return Ok((name.clone(), text));
        }
    }
    Err(SerializeError::Missing { operation: operation.name.clone(), parameter: label.to_owned() })
}

/// The operation's host prefix with its labels filled.
pub fn host_prefix(
    service: &Service,
    operation: &Operation,
    parameters: &Map<String, Json>,
) -> Result<Option<String>, SerializeError> {
    let Some(template) = &operation.host_prefix else { return Ok(None) };
    let members = operation.input.as_ref().and_then(|input| structure(service, input));
    let mut prefix = template.clone();
    for (name, member) in members.map(|members| members.members.as_slice()).unwrap_or_default() {
        if !member.traits.host_label {
            continue;
        }
        let value = parameters.get(name).and_then(Json::as_str).unwrap_or_default();
        let fits =
            !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.');
        if !fits {
            return Err(value_error(
                operation,
                name,
                "must be letters, digits, `-` and `.`: it is part of the host name",
            ));
        }
        prefix = prefix.replace(&format!("{{{name}}}"), value);
    }
    Ok(Some(prefix))
}
