//! JSON bodies: the whole of the JSON protocol, and the bodies of REST-JSON.

use base64::Engine as _;
use serde_json::{Map, Value as Json};

use super::{HttpAnswer, HttpRequest, MAX_DEPTH, Malformed, SerializeError, timestamp};
use crate::model::{Operation, Protocol, Service, ShapeKind, ShapeRef, TimestampFormat};

/// Builds a request of the JSON protocol.
pub fn request(
    service: &Service,
    operation: &Operation,
    parameters: &Map<String, Json>,
) -> Result<HttpRequest, SerializeError> {
    let mut request = HttpRequest::new(operation);
    request.headers.push(("X-Amz-Target".to_owned(), format!("{}.{}", service.target_prefix, operation.name)));
    request.headers.push(("Content-Type".to_owned(), format!("application/x-amz-json-{}", service.json_version)));
    if service.query_compatible {
        request.headers.push(("x-amzn-query-mode".to_owned(), "true".to_owned()));
    }
    let body = match &operation.input {
        Some(input) => body(service, operation, input, &Json::Object(parameters.clone()), "", 0)?,
        None => Json::Object(Map::new()),
    };
    request.body = body.to_string().into_bytes();
    Ok(request)
}

/// A value as it stands in a JSON body.
pub fn body(
    service: &Service,
    operation: &Operation,
    shape: &ShapeRef,
    value: &Json,
    name: &str,
    depth: usize,
) -> Result<Json, SerializeError> {
    let wrong =
        |problem| SerializeError::Value { operation: operation.name.clone(), parameter: name.to_owned(), problem };
    if depth > MAX_DEPTH {
        return Err(wrong("is nested too deeply"));
    }
    let depth = depth.saturating_add(1);
    let inner = |shape: &ShapeRef, value: &Json| body(service, operation, shape, value, name, depth);
    Ok(match (&service.shape(shape).kind, value) {
        (ShapeKind::Structure(structure), value) if structure.document => value.clone(),
        (ShapeKind::Structure(structure), Json::Object(values)) => {
            let mut members = Map::new();
            for (key, value) in values.iter().filter(|(_, value)| !value.is_null()) {
                let path = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                let Some(member) = structure.member(key) else {
                    return Err(SerializeError::UnknownParameter {
                        operation: operation.name.clone(),
                        parameter: path,
                    });
                };
                let wire = member.traits.location_name.as_deref().unwrap_or(key);
                members.insert(wire.to_owned(), body(service, operation, member, value, &path, depth)?);
            }
            Json::Object(members)
        }
        (ShapeKind::List(member), Json::Array(items)) => {
            Json::Array(items.iter().map(|item| inner(member, item)).collect::<Result<_, _>>()?)
        }
        (ShapeKind::Map(parts), Json::Object(entries)) => {
            let entries = entries.iter().map(|(key, value)| Ok((key.clone(), inner(&parts.1, value)?)));
            Json::Object(entries.collect::<Result<_, SerializeError>>()?)
        }
        (ShapeKind::Timestamp, value) => {
            timestamp::write(value, shape.traits.timestamp_format.unwrap_or(TimestampFormat::Unix))
                .ok_or_else(|| wrong("is no time"))?
        }
        (ShapeKind::Blob, Json::String(text)) => Json::String(base64::engine::general_purpose::STANDARD.encode(text)),
        (ShapeKind::Structure(_) | ShapeKind::List(_) | ShapeKind::Map(_) | ShapeKind::Blob, _) => {
            return Err(wrong("has another type than the model says"));
        }
        (_, Json::Object(_) | Json::Array(_)) => return Err(wrong("has another type than the model says")),
        (_, value) => value.clone(),
    })
}

/// Reads a body as JSON; serde_json bounds the depth.
pub fn read(bytes: &[u8]) -> Result<Json, Malformed> {
    serde_json::from_slice(bytes).map_err(|error| {
        Malformed(format!("the body is not JSON ({error}); it begins `{}`", super::error::beginning(bytes)))
    })
}

/// Decodes an answer of the JSON protocol.
pub fn answer(service: &Service, operation: &Operation, answer: HttpAnswer<'_>) -> Result<Json, Malformed> {
    let Some(output) = &operation.output else { return Ok(Json::Object(Map::new())) };
    structure_body(service, output, answer)
}

/// Decodes a body that is a structure. An empty body is an empty answer only where nothing was to come.
pub fn structure_body(service: &Service, output: &ShapeRef, answer: HttpAnswer<'_>) -> Result<Json, Malformed> {
    let expects = super::rest::has_body_members(service, output);
    if answer.body.iter().all(u8::is_ascii_whitespace) {
        return match expects && answer.status != 204 && answer.status != 202 {
            true => Err(Malformed("the body is empty".to_owned())),
            false => Ok(Json::Object(Map::new())),
        };
    }
    let json = read(answer.body)?;
    if let (Json::Object(fields), Some(structure)) = (&json, super::structure(service, output)) {
        let known = |(name, member): &(String, ShapeRef)| {
            fields.contains_key(member.traits.location_name.as_deref().unwrap_or(name))
        };
        if expects && !structure.document && !fields.is_empty() && !structure.members.iter().any(known) {
            let names: Vec<&str> = fields.keys().take(5).map(String::as_str).collect();
            return Err(Malformed(format!("none of the fields is the operation's: `{}`", names.join("`, `"))));
        }
    }
    value(service, output, &json, "", 0)
}

/// A decoded value in the shape that the CLI prints.
pub fn value(service: &Service, shape: &ShapeRef, given: &Json, path: &str, depth: usize) -> Result<Json, Malformed> {
    if depth > MAX_DEPTH {
        return Err(Malformed(format!("`{path}` is nested too deeply")));
    }
    let depth = depth.saturating_add(1);
    let target = service.shape(shape);
    let mismatch = || {
        let path = if path.is_empty() { "the body" } else { path };
        Malformed(format!("{path} is not a `{}`", target.name))
    };
    Ok(match (&target.kind, given) {
        (ShapeKind::Structure(structure), given) if structure.document => given.clone(),
        (ShapeKind::Structure(structure), Json::Object(fields)) => {
            let mut members = Map::new();
            for (name, member) in &structure.members {
                let top = path.is_empty() && service.protocol != Protocol::Json;
                if top && member.traits.location.is_some() {
                    continue;
                }
                let wire = member.traits.location_name.as_deref().unwrap_or(name);
                match fields.get(wire) {
                    None | Some(Json::Null) => {}
                    Some(given) => {
                        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                        members.insert(name.clone(), value(service, member, given, &path, depth)?);
                    }
                }
            }
            if structure.union
                && members.is_empty()
                && let Some((tag, _)) = fields.iter().find(|(key, value)| *key != "__type" && !value.is_null())
            {
                members.insert("SDK_UNKNOWN_MEMBER".to_owned(), serde_json::json!({ "name": tag }));
            }
            Json::Object(members)
        }
        (ShapeKind::List(member), Json::Array(items)) => {
            let items = items.iter().map(|item| match item {
                Json::Null => Ok(Json::Null),
                item => value(service, member, item, path, depth),
            });
            Json::Array(items.collect::<Result<_, _>>()?)
        }
        (ShapeKind::Map(parts), Json::Object(entries)) => {
            let entries = entries.iter().map(|(key, item)| match item {
                Json::Null => Ok((key.clone(), Json::Null)),
                item => Ok((key.clone(), value(service, &parts.1, item, path, depth)?)),
            });
            Json::Object(entries.collect::<Result<_, Malformed>>()?)
        }
        (ShapeKind::Structure(_) | ShapeKind::List(_) | ShapeKind::Map(_), _) => return Err(mismatch()),
        (ShapeKind::Timestamp, given) => timestamp::answer(given),
        (_, given) => given.clone(),
    })
}
