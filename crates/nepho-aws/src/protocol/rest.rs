//! The REST protocols: paths, query strings, headers and status; bodies are JSON or XML.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value as Json};

use super::{
    HttpAnswer, HttpRequest, Malformed, SerializeError, form, json, structure, timestamp, uri, xml, xml_answer,
    xml_body,
};
use crate::model::{Location, Operation, Protocol, Service, ShapeKind, ShapeRef, Structure, TimestampFormat};

/// Builds the request.
pub fn request(
    service: &Service,
    operation: &Operation,
    parameters: &Map<String, Json>,
) -> Result<HttpRequest, SerializeError> {
    let mut request = HttpRequest::new(operation);
    (request.path, request.query) = uri::render(service, operation, parameters)?;
    let Some(input) = &operation.input else { return Ok(request) };
    let Some(members) = structure(service, input) else { return Ok(request) };
    let mut body = Map::new();
    for (name, value) in parameters {
        let Some(member) = members.member(name) else { continue };
        let key = member.traits.location_name.as_deref().unwrap_or(name);
        let wrong = || SerializeError::Value {
            operation: operation.name.clone(),
            parameter: name.clone(),
            problem: "has another type than the model says",
        };
        match member.traits.location {
            Some(Location::Uri) => {}
            Some(Location::QueryString) => query(service, member, key, value, &mut request).ok_or_else(wrong)?,
            Some(Location::Header) => {
                if value.as_array().is_none_or(|items| !items.is_empty()) {
                    let text = header(service, member, value).ok_or_else(wrong)?;
                    request.headers.push((key.to_owned(), text));
                }
            }
            Some(Location::Headers) => {
                for (suffix, value) in value.as_object().ok_or_else(wrong)? {
                    let text = form::scalar(value).ok_or_else(wrong)?;
                    request
                        .headers
                        .push((format!("{}{suffix}", member.traits.location_name.as_deref().unwrap_or("")), text));
                }
            }
            Some(Location::StatusCode) | None => {
                body.insert(name.clone(), value.clone());
            }
        }
    }
    fill_body(service, operation, input, members, body, &mut request)?;
    Ok(request)
}

/// Writes the body, and its content type.
fn fill_body(
    service: &Service,
    operation: &Operation,
    input: &ShapeRef,
    members: &Structure,
    body: Map<String, Json>,
    request: &mut HttpRequest,
) -> Result<(), SerializeError> {
    let is_json = service.protocol == Protocol::RestJson;
    let mut structured = true;
    let payload = input.traits.payload.as_deref().and_then(|name| Some((name, members.member(name)?)));
    if let Some((name, member)) = payload {
        let value = body.get(name);
        if is_raw(service, member) {
            structured = false;
            request.body = value.and_then(Json::as_str).unwrap_or_default().as_bytes().to_vec();
        } else if let Some(value) = value {
            let default = member.traits.location_name.as_deref().unwrap_or(name);
            request.body = write_body(service, operation, member, value, default)?;
        } else if is_json {
            request.body = b"{}".to_vec();
        }
    } else if !body.is_empty() {
        let root = input.traits.location_name.as_deref().unwrap_or(&service.shape(input).name);
        request.body = write_body(service, operation, input, &Json::Object(body), root)?;
    } else if is_json && members.members.iter().any(|(_, member)| member.traits.location.is_none()) {
        request.body = b"{}".to_vec();
    }
    let given = request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if structured && !given && !request.body.is_empty() {
        let kind = if is_json { "application/json" } else { "application/xml" };
        request.headers.push(("Content-Type".to_owned(), kind.to_owned()));
    }
    Ok(())
}

fn write_body(
    service: &Service,
    operation: &Operation,
    shape: &ShapeRef,
    value: &Json,
    root: &str,
) -> Result<Vec<u8>, SerializeError> {
    if service.protocol == Protocol::RestJson {
        return Ok(json::body(service, operation, shape, value, "", 0)?.to_string().into_bytes());
    }
    let mut out = String::new();
    xml_body::write(service, operation, shape, value, root, &mut out, 0)?;
    Ok(out.into_bytes())
}

/// Whether a payload is the body itself, not a structure written in it.
fn is_raw(service: &Service, member: &ShapeRef) -> bool {
    matches!(service.shape(member).kind, ShapeKind::String | ShapeKind::Blob)
}

/// A scalar as text in a path or query string.
pub fn plain_text(service: &Service, shape: &ShapeRef, value: &Json) -> Option<String> {
    match service.shape(shape).kind {
        ShapeKind::Timestamp => {
            let format = shape.traits.timestamp_format.unwrap_or(TimestampFormat::Iso8601);
            form::scalar(&timestamp::write(value, format)?)
        }
        _ => form::scalar(value),
    }
}

fn query(service: &Service, member: &ShapeRef, key: &str, value: &Json, request: &mut HttpRequest) -> Option<()> {
    match (&service.shape(member).kind, value) {
        (ShapeKind::Map(parts), Json::Object(entries)) => {
            for (key, value) in entries {
                query(service, &parts.1, key, value, request)?;
            }
        }
        (ShapeKind::List(item), Json::Array(values)) => {
            for value in values {
                request.query.push((key.to_owned(), Some(plain_text(service, item, value)?)));
            }
        }
        (_, value) => request.query.push((key.to_owned(), Some(plain_text(service, member, value)?))),
    }
    Some(())
}

/// A value as header text.
fn header(service: &Service, shape: &ShapeRef, value: &Json) -> Option<String> {
    if shape.traits.json_value {
        return Some(BASE64.encode(value.to_string()));
    }
    Some(match (&service.shape(shape).kind, value) {
        (ShapeKind::Timestamp, value) => {
            let format = shape.traits.timestamp_format.unwrap_or(TimestampFormat::Rfc822);
            form::scalar(&timestamp::write(value, format)?)?
        }
        (ShapeKind::List(item), Json::Array(values)) => {
            let texts: Option<Vec<String>> = values
                .iter()
                .map(|value| {
                    let text = header(service, item, value)?;
                    let quote = matches!(service.shape(item).kind, ShapeKind::String) && text.contains(['"', ',']);
                    Some(if quote { format!("\"{}\"", text.replace('"', "\\\"")) } else { text })
                })
                .collect();
            texts?.join(",")
        }
        (_, value) => form::scalar(value)?,
    })
}

/// Whether the body of an answer has anything to bring.
pub fn has_body_members(service: &Service, output: &ShapeRef) -> bool {
    structure(service, output).is_some_and(|structure| {
        structure
            .members
            .iter()
            .any(|(_, member)| service.protocol == Protocol::Json || member.traits.location.is_none())
    })
}

/// Decodes an answer.
pub fn answer(service: &Service, operation: &Operation, answer: HttpAnswer<'_>) -> Result<Json, Malformed> {
    let mut decoded = Map::new();
    let Some(output) = &operation.output else { return Ok(Json::Object(decoded)) };
    let Some(members) = structure(service, output) else { return Ok(Json::Object(decoded)) };
    outside_body(service, members, answer, &mut decoded)?;
    let payload = output.traits.payload.as_deref().and_then(|name| Some((name, members.member(name)?)));
    let Some((name, member)) = payload else {
        if let Json::Object(body) = body(service, output, answer)? {
            decoded.extend(body);
        }
        return Ok(Json::Object(decoded));
    };
    let value = match service.shape(member).kind {
        ShapeKind::String => Json::String(String::from_utf8_lossy(answer.body).into_owned()),
        ShapeKind::Blob => Json::String(BASE64.encode(answer.body)),
        _ => body(service, member, answer)?,
    };
    decoded.insert(name.to_owned(), value);
    Ok(Json::Object(decoded))
}

fn body(service: &Service, shape: &ShapeRef, answer: HttpAnswer<'_>) -> Result<Json, Malformed> {
    if service.protocol == Protocol::RestJson {
        return json::structure_body(service, shape, answer);
    }
    if answer.body.is_empty() {
        let nothing_due = !has_body_members(service, shape) || answer.status == 204;
        return match nothing_due {
            true => Ok(Json::Object(Map::new())),
            false => Err(Malformed("the body is empty".to_owned())),
        };
    }
    let root = xml::read(answer.body)?;
    if root.name.eq_ignore_ascii_case("html") {
        return Err(Malformed("the body is an HTML page".to_owned()));
    }
    xml_answer::structure_body(service, shape, &root)
}

/// Members that stand in headers or the status.
pub fn outside_body(
    service: &Service,
    members: &Structure,
    answer: HttpAnswer<'_>,
    decoded: &mut Map<String, Json>,
) -> Result<(), Malformed> {
    let prefixes: Vec<String> = members
        .members
        .iter()
        .filter(|(_, member)| member.traits.location == Some(Location::Headers))
        .filter_map(|(_, member)| member.traits.location_name.as_deref().map(str::to_ascii_lowercase))
        .collect();
    for (name, member) in &members.members {
        match member.traits.location {
            Some(Location::StatusCode) => {
                decoded.insert(name.clone(), Json::from(answer.status));
            }
            Some(Location::Header) => {
                let key = member.traits.location_name.as_deref().unwrap_or(name);
                if let Some(text) = answer.header(key) {
                    decoded.insert(name.clone(), from_header(service, member, text)?);
                }
            }
            Some(Location::Headers) => {
                let own = member.traits.location_name.as_deref().unwrap_or_default().to_ascii_lowercase();
                let found = answer.headers.iter().filter_map(|(header, text)| {
                    let lower = header.to_ascii_lowercase();
                    let suffix = lower.strip_prefix(own.as_str())?;
                    // A header under a longer prefix belongs to that member alone.
                    let elsewhere = prefixes.iter().any(|other| other.len() > own.len() && lower.starts_with(other));
                    let start = header.len().saturating_sub(suffix.len());
                    (!elsewhere)
                        .then(|| (header.get(start..).unwrap_or_default().to_owned(), Json::String(text.clone())))
                });
                decoded.insert(name.clone(), Json::Object(found.collect()));
            }
            Some(Location::Uri | Location::QueryString) | None => {}
        }
    }
    Ok(())
}

fn from_header(service: &Service, shape: &ShapeRef, text: &str) -> Result<Json, Malformed> {
    if shape.traits.json_value {
        let decoded = BASE64.decode(text).map_err(|_| Malformed("a header is not base64".to_owned()))?;
        return json::read(&decoded);
    }
    Ok(match &service.shape(shape).kind {
        ShapeKind::List(item) => {
            let kind = &service.shape(item).kind;
            Json::Array(text.split(',').map(|part| xml_answer::scalar(kind, part.trim())).collect())
        }
        kind => xml_answer::scalar(kind, text),
    })
}
