//! Requests of the query and EC2 protocols: form-encoded, nested names joined by dots.

use base64::Engine as _;
use serde_json::{Map, Value as Json};

use super::{HttpRequest, MAX_DEPTH, SerializeError, timestamp, uri};
use crate::model::{Operation, Protocol, Service, ShapeKind, ShapeRef, TimestampFormat};

/// Builds the request.
pub fn request(
    service: &Service,
    operation: &Operation,
    parameters: &Map<String, Json>,
) -> Result<HttpRequest, SerializeError> {
    let mut form = Form { service, operation, ec2: service.protocol == Protocol::Ec2, pairs: Vec::new() };
    form.pairs.push(("Action".to_owned(), operation.name.clone()));
    form.pairs.push(("Version".to_owned(), service.api_version.clone()));
    if let Some(input) = &operation.input {
        form.structure(parameters, input, "", 0)?;
    }
    let mut request = HttpRequest::new(operation);
    request.headers.push(("Content-Type".to_owned(), "application/x-www-form-urlencoded; charset=utf-8".to_owned()));
    let body: Vec<String> =
        form.pairs.iter().map(|(name, value)| format!("{}={}", uri::encode(name), uri::encode(value))).collect();
    request.body = body.join("&").into_bytes();
    Ok(request)
}

struct Form<'a> {
    service: &'a Service,
    operation: &'a Operation,
    ec2: bool,
    pairs: Vec<(String, String)>,
}

impl Form<'_> {
    fn wrong(&self, name: &str, problem: &'static str) -> SerializeError {
        SerializeError::Value { operation: self.operation.name.clone(), parameter: name.to_owned(), problem }
    }

    /// The member's name on the wire.
    fn name(&self, shape: &ShapeRef, default: &str) -> String {
        let given = shape.traits.location_name.as_deref();
        if !self.ec2 {
            return given.unwrap_or(default).to_owned();
        }
        if let Some(name) = &shape.traits.query_name {
            return name.clone();
        }
        given.map_or_else(
            || default.to_owned(),
            |name| {
                let mut letters = name.chars();
                letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
            },
        )
    }

    fn structure(
        &mut self,
        values: &Map<String, Json>,
        shape: &ShapeRef,
        prefix: &str,
        depth: usize,
    ) -> Result<(), SerializeError> {
        let ShapeKind::Structure(structure) = &self.service.shape(shape).kind else {
            return Err(self.wrong(prefix, "is an object where the model has none"));
        };
        for (key, value) in values {
            let member = structure.member(key).ok_or_else(|| SerializeError::UnknownParameter {
                operation: self.operation.name.clone(),
                parameter: if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") },
            })?;
            let name = self.name(member, key);
            let name = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
            self.value(value, member, &name, depth)?;
        }
        Ok(())
    }

    fn value(&mut self, value: &Json, shape: &ShapeRef, name: &str, depth: usize) -> Result<(), SerializeError> {
        if depth > MAX_DEPTH {
            return Err(self.wrong(name, "is nested too deeply"));
        }
        let depth = depth.saturating_add(1);
        let text = match (&self.service.shape(shape).kind, value) {
            (_, Json::Null) => return Ok(()),
            (ShapeKind::Structure(_), Json::Object(values)) => return self.structure(values, shape, name, depth),
            (ShapeKind::List(member), Json::Array(items)) => return self.list(items, shape, member, name, depth),
            (ShapeKind::Map(parts), Json::Object(entries)) => {
                let base = if shape.traits.flattened { name.to_owned() } else { format!("{name}.entry") };
                let (key, item) = (self.name(&parts.0, "key"), self.name(&parts.1, "value"));
                for ((entry, value), number) in entries.iter().zip(1_u32..) {
                    self.pairs.push((format!("{base}.{number}.{key}"), entry.clone()));
                    self.value(value, &parts.1, &format!("{base}.{number}.{item}"), depth)?;
                }
                return Ok(());
            }
            (ShapeKind::Blob, Json::String(text)) => base64::engine::general_purpose::STANDARD.encode(text),
            (ShapeKind::Timestamp, value) => {
                let format = shape.traits.timestamp_format.unwrap_or(TimestampFormat::Iso8601);
                scalar(&timestamp::write(value, format).ok_or_else(|| self.wrong(name, "is no time"))?)
                    .ok_or_else(|| self.wrong(name, "is no time"))?
            }
            (_, value) => scalar(value).ok_or_else(|| self.wrong(name, "has another type than the model says"))?,
        };
        self.pairs.push((name.to_owned(), text));
        Ok(())
    }

    fn list(
        &mut self,
        items: &[Json],
        shape: &ShapeRef,
        member: &ShapeRef,
        name: &str,
        depth: usize,
    ) -> Result<(), SerializeError> {
        let base = if self.ec2 {
            name.to_owned()
        } else if items.is_empty() {
            self.pairs.push((name.to_owned(), String::new()));
            return Ok(());
        } else if shape.traits.flattened {
            match &member.traits.location_name {
                Some(own) => name.rsplit_once('.').map_or_else(|| own.clone(), |(parent, _)| format!("{parent}.{own}")),
                None => name.to_owned(),
            }
        } else {
            format!("{name}.{}", member.traits.location_name.as_deref().unwrap_or("member"))
        };
        for (item, number) in items.iter().zip(1_u32..) {
            self.value(item, member, &format!("{base}.{number}"), depth)?;
        }
        Ok(())
    }
}

/// Text of a scalar.
pub fn scalar(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}
