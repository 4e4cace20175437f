//! Writes XML request bodies (REST-XML).

use base64::Engine as _;
use quick_xml::escape::escape;
use serde_json::Value as Json;

use super::{MAX_DEPTH, SerializeError, form, timestamp};
use crate::model::{Operation, Service, ShapeKind, ShapeRef, TimestampFormat};

/// Appends a value as the element `name`.
pub fn write(
    service: &Service,
    operation: &Operation,
    shape: &ShapeRef,
    value: &Json,
    name: &str,
    out: &mut String,
    depth: usize,
) -> Result<(), SerializeError> {
    let wrong =
        |problem| SerializeError::Value { operation: operation.name.clone(), parameter: name.to_owned(), problem };
    if depth > MAX_DEPTH {
        return Err(wrong("is nested too deeply"));
    }
    let depth = depth.saturating_add(1);
    let namespace = namespace(shape);
    let mismatch = || wrong("has another type than the model says");
    let text = match (&service.shape(shape).kind, value) {
        (_, Json::Null) => return Ok(()),
        (ShapeKind::Structure(structure), Json::Object(values)) => {
            let (mut attributes, mut inner) = (namespace, String::new());
            for (key, value) in values {
                let member = structure.member(key).ok_or_else(|| SerializeError::UnknownParameter {
                    operation: operation.name.clone(),
                    parameter: key.clone(),
                })?;
                let wire = member.traits.location_name.as_deref().unwrap_or(key);
                if member.traits.xml_attribute {
                    let text = form::scalar(value).ok_or_else(mismatch)?;
                    attributes.push_str(&format!(" {wire}=\"{}\"", escape(&text)));
                } else {
                    write(service, operation, member, value, wire, &mut inner, depth)?;
                }
            }
            element(out, name, &attributes, &inner);
            return Ok(());
        }
        (ShapeKind::List(member), Json::Array(items)) => {
            if shape.traits.flattened {
                let item_name = member.traits.location_name.as_deref().unwrap_or(name);
                for item in items {
                    write(service, operation, member, item, item_name, out, depth)?;
                }
            } else {
                let item_name = member.traits.location_name.as_deref().unwrap_or("member");
                let mut inner = String::new();
                for item in items {
                    write(service, operation, member, item, item_name, &mut inner, depth)?;
                }
                element(out, name, &namespace, &inner);
            }
            return Ok(());
        }
        (ShapeKind::Map(parts), Json::Object(entries)) => {
            let entry_name = if shape.traits.flattened { name } else { "entry" };
            let mut all = String::new();
            for (key, value) in entries {
                let mut inner = String::new();
                let key_name = parts.0.traits.location_name.as_deref().unwrap_or("key");
                let value_name = parts.1.traits.location_name.as_deref().unwrap_or("value");
                write(service, operation, &parts.0, &Json::String(key.clone()), key_name, &mut inner, depth)?;
                write(service, operation, &parts.1, value, value_name, &mut inner, depth)?;
                element(&mut all, entry_name, "", &inner);
            }
            if shape.traits.flattened {
                out.push_str(&all);
            } else {
                element(out, name, &namespace, &all);
            }
            return Ok(());
        }
        (ShapeKind::Blob, Json::String(text)) => base64::engine::general_purpose::STANDARD.encode(text),
        (ShapeKind::Timestamp, value) => {
            let format = shape.traits.timestamp_format.unwrap_or(TimestampFormat::Iso8601);
            let written = timestamp::write(value, format).ok_or_else(|| wrong("is no time"))?;
            form::scalar(&written).ok_or_else(mismatch)?
        }
        (_, value) => form::scalar(value).ok_or_else(mismatch)?,
    };
    element(out, name, &namespace, &escape(&text));
    Ok(())
}

fn namespace(shape: &ShapeRef) -> String {
    match &shape.traits.xml_namespace {
        None => String::new(),
        Some((None, uri)) => format!(" xmlns=\"{}\"", escape(uri)),
        Some((Some(prefix), uri)) => format!(" xmlns:{prefix}=\"{}\"", escape(uri)),
    }
}

fn element(out: &mut String, name: &str, attributes: &str, inner: &str) {
    if inner.is_empty() {
        out.push_str(&format!("<{name}{attributes} />"));
    } else {
        out.push_str(&format!("<{name}{attributes}>{inner}</{name}>"));
    }
}
