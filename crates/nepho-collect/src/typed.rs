//! From JSON as answers have it to typed property values, tags and identifiers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use nepho_catalog::kind::PropertyType;
use nepho_model::{Timestamp, Value};
use serde_json::Value as Json;

/// The value in the property's type; the error says what does not fit.
pub(crate) fn value(kind: PropertyType, json: &Json) -> Result<Value, String> {
    if json.is_null() {
        return Ok(Value::Null);
    }
    match kind {
        PropertyType::Bool => boolean(json),
        PropertyType::Int => integer(json),
        PropertyType::Float => match json {
            Json::String(text) => text.trim().parse().map(Value::Float).map_err(|_| misfit("a number", json)),
            other => other.as_f64().map(Value::Float).ok_or_else(|| misfit("a number", json)),
        },
        PropertyType::String => match json {
            Json::String(text) => Ok(Value::from(text.as_str())),
            Json::Number(_) | Json::Bool(_) => Ok(Value::from(json.to_string().as_str())),
            _ => Err(misfit("text", json)),
        },
        PropertyType::Time => time(json),
        PropertyType::List => list(json),
        PropertyType::Json => Ok(match json {
            Json::String(text) => {
                structure(text).map_or_else(|| Value::from_json(json), |found| Value::from_json(&found))
            }
            other => Value::from_json(other),
        }),
    }
}

fn misfit(wanted: &str, json: &Json) -> String {
    let mut shown: String = json.to_string().chars().take(60).collect();
    if shown.len() < json.to_string().len() {
        shown.push('…');
    }
    format!("{wanted} expected, not {shown}")
}

fn boolean(json: &Json) -> Result<Value, String> {
    match json {
        Json::Bool(flag) => Ok(Value::Bool(*flag)),
        Json::String(text) if text.is_empty() => Ok(Value::Null),
        Json::String(text) if text.trim().eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
        Json::String(text) if text.trim().eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
        other => Err(misfit("true or false", other)),
    }
}

fn integer(json: &Json) -> Result<Value, String> {
    let whole = |number: f64| (number.fract() == 0.0 && number.abs() < 9.0e18).then_some(number as i64);
    let found = match json {
        Json::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole)),
        Json::String(text) if text.is_empty() => return Ok(Value::Null),
        Json::String(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| text.parse().ok().and_then(whole))
        }
        _ => None,
    };
    found.map(Value::Int).ok_or_else(|| misfit("a whole number", json))
}

fn time(json: &Json) -> Result<Value, String> {
    // Beyond this, a number counts milliseconds: it is the year 5138 in seconds, 1973 in milliseconds.
    let epoch = |number: f64| Timestamp::from_epoch_seconds(if number.abs() > 1e11 { number / 1000.0 } else { number });
    let found = match json {
        Json::Number(number) => number.as_f64().and_then(epoch),
        Json::String(text) if text.is_empty() => return Ok(Value::Null),
        Json::String(text) => Timestamp::parse(text).ok().or_else(|| text.trim().parse().ok().and_then(epoch)),
        _ => None,
    };
    found.map(Value::Time).ok_or_else(|| misfit("a time", json))
}

fn list(json: &Json) -> Result<Value, String> {
    let mut found = Vec::new();
    gather(json, &mut found)?;
    Ok(Value::List(found.into()))
}

fn gather(json: &Json, found: &mut Vec<Value>) -> Result<(), String> {
    match json {
        Json::Null => {}
        Json::String(text) => found.push(Value::from(text.as_str())),
        Json::Number(_) | Json::Bool(_) => found.push(Value::from(json.to_string().as_str())),
        Json::Array(items) => {
            for item in items {
                gather(item, found)?;
            }
        }
        Json::Object(_) => return Err(misfit("a list of text", json)),
    }
    Ok(())
}

/// The structure in a text that is JSON, or URL-encoded JSON.
pub(crate) fn structure(text: &str) -> Option<Json> {
    let start = text.trim_start();
    if start.starts_with(['{', '[', '"']) {
        return serde_json::from_str(start).ok();
    }
    if start.starts_with("%7B") || start.starts_with("%5B") || start.starts_with("%7b") || start.starts_with("%5b") {
        let decoded = percent_encoding::percent_decode_str(start).decode_utf8().ok()?;
        return serde_json::from_str(&decoded).ok();
    }
    None
}

/// Tags in any of the shapes that APIs use, as a map.
pub(crate) fn tags(json: &Json) -> Result<Value, String> {
    let mut tags: BTreeMap<Arc<str>, Value> = BTreeMap::new();
    let scalar = |value: Option<&Json>| match value {
        None | Some(Json::Null) => Value::from(""),
        Some(Json::String(text)) => Value::from(text.as_str()),
        Some(other) => Value::from(other.to_string().as_str()),
    };
    match json {
        Json::Null => {}
        Json::Object(fields) => {
            tags.extend(fields.iter().map(|(name, value)| (Arc::from(name.as_str()), scalar(Some(value)))));
        }
        Json::Array(items) => {
            for item in items {
                let name =
                    ["Key", "key", "TagKey", "tagKey", "Name", "name"].iter().find_map(|name| item.get(name)?.as_str());
                let value = ["Value", "value", "TagValue", "tagValue"].iter().find_map(|name| item.get(name));
                match (name, item) {
                    (Some(name), _) => {
                        tags.insert(name.into(), scalar(value));
                    }
                    // A bare label.
                    (None, Json::String(label)) => {
                        tags.insert(label.as_str().into(), Value::from(""));
                    }
                    (None, other) => return Err(misfit("a tag", other)),
                }
            }
        }
        other => return Err(misfit("tags", other)),
    }
    Ok(Value::Map(Arc::new(tags)))
}

/// The identifiers in what a relation's `by` (or an `ids` expression) found: one, several, nested lists of them.
pub(crate) fn identifiers<'a>(json: &'a Json, found: &mut Vec<Cow<'a, str>>) {
    match json {
        Json::String(text) if !text.is_empty() => found.push(Cow::Borrowed(text)),
        Json::Number(number) => found.push(Cow::Owned(number.to_string())),
        Json::Array(items) => items.iter().for_each(|item| identifiers(item, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn coerces() {
        let shown = |kind, json: Json| value(kind, &json).map(|value| value.to_json());
        assert_eq!(shown(PropertyType::Bool, json!("true")), Ok(json!(true)));
        assert_eq!(shown(PropertyType::Int, json!("30")), Ok(json!(30)));
        assert_eq!(shown(PropertyType::Int, json!(3.0)), Ok(json!(3)));
        assert_eq!(shown(PropertyType::Time, json!(1_700_000_000)), Ok(json!("2023-11-14T22:13:20Z")));
        assert_eq!(shown(PropertyType::Time, json!(1_700_000_000_000i64)), Ok(json!("2023-11-14T22:13:20Z")));
        assert_eq!(shown(PropertyType::Json, json!("%7B%22a%22%3A1%7D")), Ok(json!({"a": 1})));
        assert_eq!(shown(PropertyType::Json, json!("{\"a\":[1]}")), Ok(json!({"a": [1]})));
        assert_eq!(shown(PropertyType::List, json!([["a"], null, "b"])), Ok(json!(["a", "b"])));
        assert_eq!(shown(PropertyType::String, json!(null)), Ok(json!(null)));
        assert!(shown(PropertyType::Bool, json!("maybe")).is_err());
        assert!(shown(PropertyType::String, json!({})).is_err());
        for shape in [
            json!([{"Key": "a", "Value": "b"}]),
            json!([{"key": "a", "value": "b"}]),
            json!([{"TagKey": "a", "TagValue": "b"}]),
            json!({"a": "b"}),
        ] {
            assert_eq!(tags(&shape).unwrap().to_json(), json!({"a": "b"}));
        }
    }
}
