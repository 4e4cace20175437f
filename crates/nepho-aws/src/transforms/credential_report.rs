//! The IAM credential report: one CSV document for the whole account, base64 in the API's answer.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html> gives the columns and the words
//! for "there is none".

use base64::Engine as _;
use nepho_collect::TransformContext;
use serde_json::{Map, Value as Json};

/// More than 5,000 users (an account's quota) times the longest line.
const MAX_BYTES: usize = 64 << 20;

/// Words of the report that mean that there is no such thing, or that it never happened.
const ABSENT: &[&str] = &["N/A", "n/a", "no_information", "not_supported", ""];

/// The report's `Content` as a list with one object a user; column names are kept, `true` and `false` become booleans,
/// and the words for absence become null.
///
/// # Errors
/// When the content is neither base64 of the report nor the report itself.
pub fn entries(value: &Json, _: &TransformContext<'_>) -> Result<Json, String> {
    let mut all = Vec::new();
    match value {
        Json::Null => {}
        Json::String(content) => read(content, &mut all)?,
        Json::Array(contents) => {
            for content in contents {
                match content {
                    Json::String(content) => read(content, &mut all)?,
                    // Already taken apart by whoever made the recording.
                    Json::Object(_) => all.push(content.clone()),
                    _ => return Err("the credential report is no text".to_owned()),
                }
            }
        }
        _ => return Err("the credential report is no text".to_owned()),
    }
    Ok(Json::Array(all))
}

fn read(content: &str, all: &mut Vec<Json>) -> Result<(), String> {
    if content.len() > MAX_BYTES {
        return Err(format!("the credential report has {} bytes; {MAX_BYTES} are read at most", content.len()));
    }
    // A comma is no base64 character, and every report has one.
    let report = if content.contains(',') {
        content.to_owned()
    } else {
        let compact: String = content.chars().filter(|character| !character.is_ascii_whitespace()).collect();
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(compact)
            .map_err(|error| format!("the credential report is not base64: {error}"))?;
        String::from_utf8(bytes).map_err(|_| "the credential report is not UTF-8".to_owned())?
    };
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(report.as_bytes());
    let header = reader.headers().map_err(|error| format!("the credential report is no CSV: {error}"))?.clone();
    if header.get(0) != Some("user") {
        return Err("the credential report does not begin with the column `user`".to_owned());
    }
    for line in reader.records() {
        let line = line.map_err(|error| format!("the credential report is no CSV: {error}"))?;
        let mut entry = Map::new();
        for (name, field) in header.iter().zip(&line) {
            // A user may be called `true` or `N/A`.
            let value = if name == "user" { Json::from(field) } else { cell(field) };
            entry.insert(name.to_owned(), value);
        }
        all.push(Json::Object(entry));
    }
    Ok(())
}

fn cell(field: &str) -> Json {
    match field {
        "true" | "TRUE" => Json::Bool(true),
        "false" | "FALSE" => Json::Bool(false),
        absent if ABSENT.contains(&absent) => Json::Null,
        text => Json::from(text),
    }
}
