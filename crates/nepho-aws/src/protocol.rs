//! AWS's wire protocols: parameters in, HTTP request out; HTTP answer in, JSON out in the shape the AWS CLI prints.
//!
//! Pure functions over a [`Service`] model. They know nothing of hosts, credentials or signatures. Answers are untrusted:
//! no parser here panics, recursion is bounded, and a body that is not what the protocol says is an error, never an empty
//! answer. Behaviour follows botocore's `serialize.py`, `parsers.py` and `handlers.py` (Apache-2.0, read as the
//! specification).

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

pub mod customise;
mod error;
mod form;
mod json;
mod rest;
pub mod timestamp;
mod uri;
mod xml;
mod xml_answer;
mod xml_body;

use serde_json::{Map, Value as Json};

use crate::model::{Operation, Protocol, Service};

pub use error::ApiError;

/// Structures in structures that are followed at most, in requests and answers.
pub(crate) const MAX_DEPTH: usize = 100;

/// An HTTP request, still without host, date and signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// GET, POST …
    pub method: String,
    /// Path, percent-encoded.
    pub path: String,
    /// Query parameters, not encoded; `None` for a bare word (`?location`).
    pub query: Vec<(String, Option<String>)>,
    /// Headers of the protocol.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// What goes before the host name, where the operation says so.
    pub host_prefix: Option<String>,
}

impl HttpRequest {
    pub(crate) fn new(operation: &Operation) -> Self {
        Self {
            method: operation.method.clone(),
            path: "/".to_owned(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Vec::new(),
            host_prefix: None,
        }
    }

    /// Path and query, percent-encoded.
    pub fn target(&self) -> String {
        let mut target = self.path.clone();
        for (number, (name, value)) in self.query.iter().enumerate() {
            target.push(if number == 0 { '?' } else { '&' });
            target.push_str(&uri::encode(name));
            if let Some(value) = value {
                target.push('=');
                target.push_str(&uri::encode(value));
            }
        }
        target
    }
}

/// Parameters that the operation does not take as they are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SerializeError {
    /// The service has no such operation in the tables.
    #[error("the tables have no operation `{0}`; run `cargo xtask gen` after a kind file names a new one")]
    UnknownOperation(String),
    /// No such parameter.
    #[error("`{operation}` has no parameter `{parameter}`")]
    UnknownParameter {
        /// The operation.
        operation: String,
        /// The parameter, with the path to it.
        parameter: String,
    },
    /// A parameter is lacking.
    #[error("`{operation}` needs the parameter `{parameter}`")]
    Missing {
        /// The operation.
        operation: String,
        /// The parameter.
        parameter: String,
    },
    /// A value of another type, or one that can't stand where it must.
    #[error("`{operation}`: the parameter `{parameter}` {problem}")]
    Value {
        /// The operation.
        operation: String,
        /// The parameter.
        parameter: String,
        /// What is wrong.
        problem: &'static str,
    },
}

/// Why an answer could not be decoded: it is not what the protocol says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

/// What came instead of a decoded answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ParseError {
    /// The service answers with an error.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The answer can't be understood.
    #[error("malformed answer: {0}")]
    Malformed(#[from] Malformed),
}

/// Builds the request for an operation.
pub fn serialize(
    service: &Service,
    operation: &str,
    parameters: &Map<String, Json>,
) -> Result<HttpRequest, SerializeError> {
    let operation = service
        .operation(operation)
        .ok_or_else(|| SerializeError::UnknownOperation(format!("{}:{operation}", service.name)))?;
    let mut parameters = parameters.clone();
    parameters.retain(|_, value| !value.is_null());
    customise::before(service, operation, &mut parameters);
    check_parameters(service, operation, &parameters)?;
    let mut request = match service.protocol {
        Protocol::Query | Protocol::Ec2 => form::request(service, operation, &parameters)?,
        Protocol::Json => json::request(service, operation, &parameters)?,
        Protocol::RestJson | Protocol::RestXml => rest::request(service, operation, &parameters)?,
    };
    request.host_prefix = uri::host_prefix(service, operation, &parameters)?;
    customise::request(service, &mut request);
    Ok(request)
}

/// Fills idempotency tokens, and holds the names at the top against the model.
fn check_parameters(
    service: &Service,
    operation: &Operation,
    parameters: &Map<String, Json>,
) -> Result<(), SerializeError> {
    let structure = operation.input.as_ref().and_then(|input| structure(service, input));
    for name in parameters.keys() {
        if structure.is_none_or(|structure| structure.member(name).is_none()) {
            return Err(SerializeError::UnknownParameter {
                operation: operation.name.clone(),
                parameter: name.clone(),
            });
        }
    }
    for name in structure.map(|structure| structure.required.as_slice()).unwrap_or_default() {
        if !parameters.contains_key(name) {
            return Err(SerializeError::Missing { operation: operation.name.clone(), parameter: name.clone() });
        }
    }
    Ok(())
}

pub(crate) fn structure<'a>(
    service: &'a Service,
    reference: &crate::model::ShapeRef,
) -> Option<&'a crate::model::Structure> {
    match &service.shape(reference).kind {
        crate::model::ShapeKind::Structure(structure) => Some(structure),
        _ => None,
    }
}

/// An answer as it came.
#[derive(Clone, Copy, Debug)]
pub struct HttpAnswer<'a> {
    /// HTTP status.
    pub status: u16,
    /// All headers; names in any case.
    pub headers: &'a [(String, String)],
    /// The body.
    pub body: &'a [u8],
}

impl<'a> HttpAnswer<'a> {
    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Decodes the answer of an operation.
pub fn parse(service: &Service, operation: &str, answer: HttpAnswer<'_>) -> Result<Json, ParseError> {
    let Some(operation) = service.operation(operation) else {
        return Err(Malformed(format!("no operation `{operation}` in the tables")).into());
    };
    if answer.status >= 300 {
        return Err(error::parse(service, operation, answer).into());
    }
    if let Some(error) = customise::error_in_success(service, operation, answer) {
        return Err(error.into());
    }
    let mut decoded = match service.protocol {
        Protocol::Query | Protocol::Ec2 => xml_answer::query(service, operation, answer)?,
        Protocol::Json => json::answer(service, operation, answer)?,
        Protocol::RestJson | Protocol::RestXml => rest::answer(service, operation, answer)?,
    };
    customise::after(service, operation, answer, &mut decoded)?;
    Ok(decoded)
}

/// The members of an error that the model describes, by the error's code; for tests and diagnosis.
pub fn error_fields(service: &Service, operation: &str, answer: HttpAnswer<'_>, code: &str) -> Map<String, Json> {
    service.operation(operation).map(|operation| error::fields(service, operation, answer, code)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
