//! AWS wire-protocol conformance: serialisation (`input/*.json`) and parsing (`output/*.json`) in botocore's test format.
//!
//! The output cases were written for a server, from value to body. Read from body to value, three kinds of expectation
//! can't be in the body, and are left out on both sides: nulls, empty lists that have no element of their own, and members
//! that are not in the shape. Event streams are not applicable: no call that reads configuration has one.

use std::path::Path;

use anyhow::Context as _;
use nepho_aws::model::Service;
use nepho_aws::protocol::{self, HttpAnswer, ParseError};
use serde_json::{Map, Value as Json, json};

use super::SuiteResult;

/// Runs all cases below `dir` (the folder with `input` and `output`, or its parent).
pub fn run(dir: &Path, verbose: bool) -> anyhow::Result<SuiteResult> {
    let nested = dir.join("aws_protocols");
    let dir = if nested.is_dir() { nested.as_path() } else { dir };
    let mut result = SuiteResult::default();
    for side in ["input", "output"] {
        let mut files: Vec<_> = std::fs::read_dir(dir.join(side))
            .with_context(|| format!("reading `{}`", dir.join(side).display()))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .collect();
        files.sort();
        for file in files {
            let text = std::fs::read_to_string(&file).with_context(|| format!("reading `{}`", file.display()))?;
            let suites: Json = serde_json::from_str(&text).with_context(|| format!("reading `{}`", file.display()))?;
            let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            for (number, suite) in suites.as_array().into_iter().flatten().enumerate() {
                for (case_number, case) in suite["cases"].as_array().into_iter().flatten().enumerate() {
                    let id = format!("{side}/{stem}/{number}/{case_number}");
                    let outcome = match side {
                        "input" => input(suite, case),
                        _ if suite.to_string().contains("\"eventstream\"") => Outcome::NotApplicable,
                        _ => output(suite, case),
                    };
                    match outcome {
                        Outcome::Pass => result.passed += 1,
                        Outcome::NotApplicable => result.not_applicable += 1,
                        Outcome::Fail(why) => {
                            if verbose {
                                println!("{id} ({}): {why}", suite["description"].as_str().unwrap_or_default());
                            }
                            result.failed.push(id);
                        }
                    }
                }
            }
        }
    }
    Ok(result)
}

enum Outcome {
    Pass,
    Fail(String),
    NotApplicable,
}

/// The model of one case: one operation over the suite's shapes.
fn model(suite: &Json, case: &Json) -> Result<(Service, String), String> {
    let name = case["given"]["name"].as_str().unwrap_or("OperationName").to_owned();
    let model = json!({
        "metadata": suite["metadata"],
        "operations": { name.as_str(): case["given"] },
        "shapes": suite["shapes"],
    });
    Ok((Service::from_json("test", &model).map_err(|error| error.to_string())?, name))
}

fn differ(what: &str, expected: &dyn std::fmt::Display, got: &dyn std::fmt::Display) -> Outcome {
    Outcome::Fail(format!("{what}: expected `{expected}`, got `{got}`"))
}

fn input(suite: &Json, case: &Json) -> Outcome {
    let (service, operation) = match model(suite, case) {
        Ok(model) => model,
        Err(error) => return Outcome::Fail(error),
    };
    let parameters = case["params"].as_object().cloned().unwrap_or_default();
    let request = match protocol::serialize(&service, &operation, &parameters) {
        Ok(request) => request,
        Err(error) => return Outcome::Fail(error.to_string()),
    };
    let expected = &case["serialized"];
    if let Some(uri) = expected["uri"].as_str().filter(|uri| *uri != request.target()) {
        return differ("uri", &uri, &request.target());
    }
    if let Some(method) = expected["method"].as_str().filter(|method| *method != request.method) {
        return differ("method", &method, &request.method);
    }
    for (name, value) in expected["headers"].as_object().into_iter().flatten() {
        let got = request.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        if got.map(String::as_str) != value.as_str() {
            return differ(name, value, &got.map_or("nothing", String::as_str));
        }
    }
    if let Some(host) = expected["host"].as_str() {
        let endpoint = suite["clientEndpoint"].as_str().unwrap_or_default().trim_start_matches("https://");
        let got = format!("{}{endpoint}", request.host_prefix.as_deref().unwrap_or_default());
        if host != got {
            return differ("host", &host, &got);
        }
    }
    let body = String::from_utf8_lossy(&request.body).into_owned();
    let wanted = expected["body"].as_str().unwrap_or_default();
    let as_json = |text: &str| serde_json::from_str::<Json>(text).ok();
    if body == wanted || as_json(&body).is_some_and(|body| Some(body) == as_json(wanted)) {
        return Outcome::Pass;
    }
    differ("body", &wanted, &body)
}

fn output(suite: &Json, case: &Json) -> Outcome {
    let (service, operation) = match model(suite, case) {
        Ok(model) => model,
        Err(error) => return Outcome::Fail(error),
    };
    let response = &case["response"];
    let headers: Vec<(String, String)> = response["headers"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect();
    let body = response["body"].as_str().unwrap_or_default();
    let status = response["status_code"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
    let answer = HttpAnswer { status, headers: &headers, body: body.as_bytes() };
    match protocol::parse(&service, &operation, answer) {
        Ok(got) => {
            let shape = case["given"]["output"]["shape"].as_str().unwrap_or_default();
            let expected = expected(&suite["shapes"], &json!({ "shape": shape }), &case["result"]);
            let got = without_nothing(&got);
            if expected == got { Outcome::Pass } else { differ("result", &expected, &got) }
        }
        Err(ParseError::Api(error)) if case.get("errorCode").is_some() => {
            if Some(error.code.as_str()) != case["errorCode"].as_str() {
                return differ("errorCode", &case["errorCode"], &error.code);
            }
            let wanted = case["errorMessage"].as_str().unwrap_or_default();
            if !error.message.contains(wanted) {
                return differ("errorMessage", &wanted, &error.message);
            }
            let fields = protocol::error_fields(&service, &operation, answer, &error.code);
            for (name, value) in case["error"].as_object().into_iter().flatten() {
                // What stood in a header that the case leaves out can't be found.
                let in_header = fields.get(name).is_none() && is_outside(&suite["shapes"], &error.code, name);
                if !in_header && fields.get(name) != Some(value) {
                    return differ(name, value, fields.get(name).unwrap_or(&Json::Null));
                }
            }
            Outcome::Pass
        }
        Err(error) => Outcome::Fail(error.to_string()),
    }
}

/// Whether a member of an error stands outside of the body.
fn is_outside(shapes: &Json, error: &str, member: &str) -> bool {
    let reference = &shapes[error]["members"][member];
    let own = &shapes[reference["shape"].as_str().unwrap_or_default()];
    reference.get("location").or_else(|| own.get("location")).is_some()
}

/// The expected value in our form: timestamps as text, blobs in base64; without what can't have been in the body.
fn expected(shapes: &Json, reference: &Json, value: &Json) -> Json {
    let shape = &shapes[reference["shape"].as_str().unwrap_or_default()];
    let raw = match (shape["type"].as_str().unwrap_or_default(), value) {
        ("structure", Json::Object(fields)) if shape["document"] != true => {
            let members = fields.iter().filter_map(|(name, value)| {
                let member = shape["members"].get(name)?;
                Some((name.clone(), expected(shapes, member, value)))
            });
            Json::Object(members.collect())
        }
        ("list", Json::Array(items)) => {
            Json::Array(items.iter().map(|item| expected(shapes, &shape["member"], item)).collect())
        }
        ("map", Json::Object(entries)) => {
            let entries: Map<String, Json> =
                entries.iter().map(|(key, item)| (key.clone(), expected(shapes, &shape["value"], item))).collect();
            Json::Object(entries)
        }
        ("timestamp", value) => nepho_aws::protocol::timestamp::answer(value),
        ("blob", Json::String(text)) => Json::String(base64(text.as_bytes())),
        (_, value) => value.clone(),
    };
    without_nothing(&raw)
}

/// Without nulls and empty lists in objects.
fn without_nothing(value: &Json) -> Json {
    match value {
        Json::Object(fields) => {
            let kept = fields
                .iter()
                .filter(|(_, value)| !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty()));
            Json::Object(kept.map(|(name, value)| (name.clone(), without_nothing(value))).collect())
        }
        Json::Array(items) => Json::Array(items.iter().map(without_nothing).collect()),
        other => other.clone(),
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}
