//! Error answers: code and message, wherever a protocol puts them.

use serde_json::{Map, Value as Json};

use super::{HttpAnswer, json, rest, structure, xml, xml_answer};
use crate::model::{Operation, Protocol, Service};

/// An error as the service names it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// The service's code (`AccessDenied`); the status as text where there is none.
    pub code: String,
    /// The service's words; may be empty.
    pub message: String,
    /// Another name for the same error: the model's name where `code` is that of a former query API.
    pub other_code: Option<String>,
}

/// The first characters of a body, for messages; control characters dropped.
pub(crate) fn beginning(bytes: &[u8]) -> String {
    let start = bytes.get(..bytes.len().min(240)).unwrap_or_default();
    String::from_utf8_lossy(start).chars().filter(|letter| !letter.is_control()).take(80).collect()
}

/// Reads an error answer. Never fails: what can't be read is known by its status.
pub fn parse(service: &Service, operation: &Operation, answer: HttpAnswer<'_>) -> ApiError {
    let read = match service.protocol {
        Protocol::Query | Protocol::Ec2 | Protocol::RestXml => from_xml(answer).or_else(|| from_query_json(answer)),
        Protocol::Json | Protocol::RestJson => from_json(service, operation, answer),
    };
    read.unwrap_or_else(|| ApiError {
        status: answer.status,
        code: answer.status.to_string(),
        message: reason(answer),
        other_code: None,
    })
}

/// The status in words, and the beginning of a body that is not the protocol's.
fn reason(answer: HttpAnswer<'_>) -> String {
    let words = http::StatusCode::from_u16(answer.status).ok().and_then(|status| status.canonical_reason());
    let words = words.unwrap_or("no reason given");
    match beginning(answer.body) {
        start if start.is_empty() => words.to_owned(),
        start => format!("{words}; the body begins `{start}`"),
    }
}

fn from_xml(answer: HttpAnswer<'_>) -> Option<ApiError> {
    let root = xml::read(answer.body).ok()?;
    error_element(&root).map(|error| from_element(error, answer.status))
}

/// The error in an XML document: `<Error>` at the top (S3), `<ErrorResponse><Error>` (query, REST-XML), or
/// `<Response><Errors><Error>` (EC2).
pub fn error_element(root: &xml::Element) -> Option<&xml::Element> {
    let error = match root.name.as_str() {
        "Error" => root,
        _ => root.child("Error").or_else(|| root.child("Errors")?.child("Error"))?,
    };
    error.child("Code").map(|_| error)
}

/// Code and message of an `<Error>`.
pub fn from_element(error: &xml::Element, status: u16) -> ApiError {
    let text = |upper, lower| error.child_text(upper).or_else(|| error.child_text(lower)).unwrap_or_default().trim();
    ApiError {
        status,
        code: text("Code", "code").to_owned(),
        message: text("Message", "message").to_owned(),
        other_code: None,
    }
}

/// `{"Error": {"Code": …}}`: a query service that was asked for JSON.
fn from_query_json(answer: HttpAnswer<'_>) -> Option<ApiError> {
    let json = json::read(answer.body).ok()?;
    let error = json.get("Error")?;
    let text = |name| error.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    Some(ApiError { status: answer.status, code: text("Code"), message: text("Message"), other_code: None })
}

/// `com.amazon#Name:http://…` is `Name`.
fn clean(code: &str) -> &str {
    let code = code.split(':').next().unwrap_or(code);
    code.rsplit('#').next().unwrap_or(code).trim()
}

fn from_json(service: &Service, operation: &Operation, answer: HttpAnswer<'_>) -> Option<ApiError> {
    let body = json::read(answer.body).ok();
    let field = |name: &str| body.as_ref().and_then(|body| body.get(name)).and_then(Json::as_str);
    let named = match service.protocol {
        Protocol::RestJson => answer
            .header("x-amzn-errortype")
            .or_else(|| field("__type"))
            .or_else(|| field("code"))
            .or_else(|| field("Code")),
        _ => field("__type").or_else(|| answer.header("x-amzn-errortype")).or_else(|| field("code")),
    };
    let model_code = clean(named?).to_owned();
    let mut error = ApiError {
        status: answer.status,
        message: ["message", "Message", "errorMessage"].into_iter().find_map(field).unwrap_or_default().to_owned(),
        code: wire_code(service, operation, &model_code),
        other_code: None,
    };
    if error.code != model_code {
        error.other_code = Some(model_code.clone());
    }
    if let Some((query_code, _)) = answer.header("x-amzn-query-error").and_then(|header| header.split_once(';'))
        && !query_code.is_empty()
    {
        error.code = query_code.to_owned();
        error.other_code = Some(model_code);
    }
    Some(error)
}

/// A query-compatible service's model may give an error a code of its own.
fn wire_code(service: &Service, operation: &Operation, model_code: &str) -> String {
    let modelled = operation.errors.iter().any(|name| name == model_code);
    let shape = service.shapes.iter().find(|shape| modelled && service.query_compatible && shape.name == model_code);
    shape.and_then(|shape| shape.error_code.clone()).unwrap_or_else(|| model_code.to_owned())
}

/// The modelled members of an error.
pub fn fields(service: &Service, _operation: &Operation, answer: HttpAnswer<'_>, code: &str) -> Map<String, Json> {
    let named = |shape: &crate::model::Shape| {
        shape.exception && (shape.name == code || shape.error_code.as_deref() == Some(code))
    };
    let mut decoded = Map::new();
    let Some(shape) = service.shapes.iter().position(named) else { return decoded };
    let reference = crate::model::ShapeRef { shape, traits: crate::model::Traits::default() };
    if let Some(members) = structure(service, &reference) {
        // Only headers that are there; a failure in one leaves the rest.
        drop(rest::outside_body(service, members, answer, &mut decoded));
    }
    let body = match service.protocol {
        Protocol::Json | Protocol::RestJson => {
            json::read(answer.body).and_then(|body| json::value(service, &reference, &body, "", 0))
        }
        _ => match xml::read(answer.body) {
            Ok(root) => xml_answer::value(service, &reference, &[error_element(&root).unwrap_or(&root)], 0),
            Err(_) => json::read(answer.body)
                .and_then(|body| json::value(service, &reference, body.get("Error").unwrap_or(&Json::Null), "", 0)),
        },
    };
    if let Ok(Json::Object(body)) = body {
        decoded.extend(body);
    }
    decoded
}
