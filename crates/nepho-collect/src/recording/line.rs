//! One line of a recording.

use std::sync::Arc;

use nepho_model::{CoverageState, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json};

use super::CallError;
use crate::Call;

/// A line as it is written.
#[derive(Serialize)]
struct Written<'a> {
    account: &'a str,
    region: &'a str,
    service: &'a str,
    operation: &'a str,
    parameters: &'a Map<String, Json>,
    /// Number of the page; 1 begins an answer anew and takes the place of earlier pages.
    page: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<&'a Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<WrittenError<'a>>,
    time: Timestamp,
}

#[derive(Serialize)]
struct WrittenError<'a> {
    code: &'a str,
    message: &'a str,
    state: CoverageState,
}

/// The line for one page (or the failure) of a call, with its line end.
pub(super) fn write(
    call: &Call,
    page: u32,
    answer: Result<&Json, &CallError>,
    time: Timestamp,
) -> serde_json::Result<Vec<u8>> {
    let error =
        answer.err().map(|error| WrittenError { code: &error.code, message: &error.message, state: error.state });
    let written = Written {
        account: &call.account,
        region: &call.region,
        service: &call.service,
        operation: &call.operation,
        parameters: &call.parameters,
        page,
        response: answer.ok(),
        error,
        time,
    };
    let mut line = serde_json::to_vec(&written)?;
    line.push(b'\n');
    Ok(line)
}

/// A line as it is read; tolerant, since people write recordings by hand.
#[derive(Deserialize)]
struct Read<'a> {
    #[serde(default)]
    account: Option<Json>,
    #[serde(default)]
    region: Option<Json>,
    #[serde(default)]
    service: Option<Json>,
    #[serde(default)]
    operation: Option<Json>,
    #[serde(default)]
    parameters: Option<Json>,
    #[serde(default)]
    page: Option<Json>,
    #[serde(default, borrow)]
    response: Option<&'a RawValue>,
    #[serde(default)]
    error: Option<Json>,
    #[serde(default)]
    time: Option<Json>,
}

/// One recorded page or failure.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub account: Arc<str>,
    pub region: Arc<str>,
    pub service: Arc<str>,
    pub operation: Arc<str>,
    pub parameters: Map<String, Json>,
    pub page: Option<u32>,
    pub body: Body,
    pub time: Option<Timestamp>,
}

/// What was answered; large answers are kept compressed.
#[derive(Debug, PartialEq)]
pub(crate) enum Body {
    Text(Box<str>),
    Packed { bytes: Box<[u8]>, length: usize },
    Error(CallError),
}

/// Answers longer than this are kept compressed.
const PACKED_FROM: usize = 2048;

impl Body {
    fn pack(text: &str) -> Self {
        if text.len() >= PACKED_FROM
            && let Ok(bytes) = zstd::bulk::compress(text.as_bytes(), 1)
        {
            return Self::Packed { bytes: bytes.into(), length: text.len() };
        }
        Self::Text(text.into())
    }

    /// The answer.
    pub fn read(&self) -> Result<Json, CallError> {
        let parse = |text: &[u8]| {
            serde_json::from_slice(text).map_err(|error| CallError::malformed("InvalidRecording", error.to_string()))
        };
        match self {
            Self::Text(text) => parse(text.as_bytes()),
            Self::Packed { bytes, length } => {
                let text = zstd::bulk::decompress(bytes, *length)
                    .map_err(|error| CallError::malformed("InvalidRecording", error.to_string()))?;
                parse(&text)
            }
            Self::Error(error) => Err(error.clone()),
        }
    }
}

fn text(value: Option<Json>) -> Option<String> {
    match value? {
        Json::String(text) => Some(text),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Reads a line: `Ok(None)` for what is no answer and to be ignored, `Err` for what is broken.
pub(super) fn read(line: &[u8]) -> Result<Option<Recorded>, String> {
    let read: Read<'_> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let Some(service) = text(read.service) else { return Ok(None) };
    let operation = text(read.operation).ok_or("`operation` is missing")?;
    let account = match read.account {
        // A number lost its leading zeros.
        Some(Json::Number(number)) => format!("{:0>12}", number.to_string()),
        other => text(other).ok_or("`account` is missing")?,
    };
    let body = match (read.response, read.error) {
        (_, Some(error)) if !error.is_null() => Body::Error(error_of(&error)),
        (Some(response), _) => Body::pack(response.get()),
        (None, _) => return Err("neither `response` nor `error`".to_owned()),
    };
    let time = match read.time {
        Some(Json::Number(number)) => number.as_f64().and_then(Timestamp::from_epoch_seconds),
        other => text(other).and_then(|text| Timestamp::parse(&text).ok()),
    };
    let parameters = match read.parameters {
        Some(Json::Object(parameters)) => parameters,
        _ => Map::new(),
    };
    Ok(Some(Recorded {
        account: account.into(),
        region: text(read.region).unwrap_or_default().into(),
        service: service.into(),
        operation: operation.into(),
        parameters,
        page: read.page.as_ref().and_then(Json::as_u64).and_then(|page| u32::try_from(page).ok()),
        body,
        time,
    }))
}

fn error_of(error: &Json) -> CallError {
    let field = |names: [&str; 2]| names.iter().find_map(|name| error.get(*name)?.as_str());
    let code = field(["code", "Code"]).or(error.as_str()).unwrap_or_default();
    let message = field(["message", "Message"]).unwrap_or_default();
    let (code, message) = printed(code).unwrap_or((code, message));
    let state = error.get("state").and_then(|state| serde_json::from_value(state.clone()).ok());
    CallError::new(state.unwrap_or_else(|| state_of(code)), code, message)
}

/// Code and message in what the CLI prints: `An error occurred (CODE) when calling the X operation: MESSAGE`.
fn printed(text: &str) -> Option<(&str, &str)> {
    let (before, after) = text.split_once(") when calling the ")?;
    let (_, code) = before.rsplit_once('(')?;
    let (_, message) = after.split_once("operation").unwrap_or_default();
    let retries = message.trim_start().strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let message = retries.map_or(message, |(_, message)| message).trim_start_matches(':');
    (!code.is_empty()).then_some((code, message.trim()))
}

/// Parts of error codes that say that the credentials (or the clock they are used by) are at fault.
const OF_CREDENTIALS: &[&str] = &[
    "AccountNotEntered",
    "AuthFailure",
    "ExpiredToken",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignature",
    "InvalidToken",
    "MissingAuthenticationToken",
    "NoCredentials",
    "RequestExpired",
    "RequestInTheFuture",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
    "UnrecognizedClient",
];

/// Whether an error says that the credentials are at fault, not the call. A bare 401 or 403 does not say otherwise.
pub(super) fn may_be_of_credentials(code: &str) -> bool {
    matches!(code, "401" | "403") || is_of_credentials(code)
}

fn is_of_credentials(code: &str) -> bool {
    OF_CREDENTIALS.iter().any(|part| code.contains(part))
}

/// What an error code without `state` means, as in a live answer. Recordings made by hand have none.
fn state_of(code: &str) -> CoverageState {
    let has = |parts: &[&str]| parts.iter().any(|part| code.contains(part));
    if is_of_credentials(code) {
        CoverageState::Failed
    } else if has(&["AccessDenied", "Unauthorized", "NotAuthorized", "Forbidden", "AuthorizationError"])
        || code == "403"
    {
        CoverageState::Denied
    } else if has(&["Throttl", "TooManyRequests", "RequestLimitExceeded", "SlowDown", "BandwidthLimitExceeded"]) {
        CoverageState::Throttled
    } else if has(&["InternalError", "InternalFailure", "InternalServer", "ServiceUnavailable", "ServiceFailure"]) {
        CoverageState::ServerFault
    } else {
        CoverageState::Failed
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_as_tools_print_them() {
        let text = "An error occurred (UnauthorizedOperation) when calling the DescribeVolumes operation: You are not";
        let retried = "\nAn error occurred (Throttling) when calling the ListRoles operation (reached max retries: 4): Rate exceeded";
        for (error, state, code, message) in [
            (json!(text), CoverageState::Denied, "UnauthorizedOperation", "You are not"),
            (json!({"code": text}), CoverageState::Denied, "UnauthorizedOperation", "You are not"),
            (json!(retried), CoverageState::Throttled, "Throttling", "Rate exceeded"),
            (json!("AccessDenied"), CoverageState::Denied, "AccessDenied", ""),
            (json!({"Code": "NoSuchKey", "Message": "m"}), CoverageState::Failed, "NoSuchKey", "m"),
        ] {
            assert_eq!(error_of(&error), CallError::new(state, code, message), "{error}");
        }
    }

    #[test]
    fn a_failure_is_read_as_it_was_written() {
        let call = Call {
            account: "1".into(),
            region: "r".into(),
            service: "s".into(),
            operation: "Op".into(),
            parameters: Map::new(),
        };
        let states = [CoverageState::Failed, CoverageState::Denied, CoverageState::ServerFault];
        for (state, code) in states.into_iter().flat_map(|state| {
            ["AuthFailure", "NotAuthorizedHere", "ThrottlingOfSorts", "Other"].map(|code| (state, code))
        }) {
            let error = CallError::new(state, code, "m");
            let line = write(&call, 1, Err(&error), Timestamp::default()).unwrap();
            assert_eq!(read(&line).unwrap().unwrap().body, Body::Error(error));
        }
    }
}
