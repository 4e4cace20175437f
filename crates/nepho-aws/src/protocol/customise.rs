//! What botocore and the CLI do beyond the models (botocore: `handlers.py`), as far as reading goes.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value as Json};

use super::{ApiError, HttpAnswer, HttpRequest, MAX_DEPTH, Malformed, error, structure, xml};
use crate::model::{Operation, Protocol, Service, ShapeKind, ShapeRef};

/// Changes parameters before they are written.
pub fn before(service: &Service, operation: &Operation, parameters: &mut Map<String, Json>) {
    let members = operation.input.as_ref().and_then(|input| structure(service, input));
    for (name, member) in members.map(|members| members.members.as_slice()).unwrap_or_default() {
        if member.traits.idempotency_token && !parameters.contains_key(name) {
            parameters.insert(name.clone(), Json::String(random_uuid()));
        }
        // `/hostedzone/Z1` is accepted where `Z1` is meant.
        let shape = service.shape(member).name.as_str();
        if service.name == "route53"
            && matches!(shape, "ResourceId" | "DelegationSetId" | "ChangeId")
            && let Some(Json::String(id)) = parameters.get_mut(name)
        {
            *id = id.rsplit('/').next().unwrap_or_default().to_owned();
        }
    }
    if service.name == "s3" && operation.name.starts_with("ListObject") && !parameters.contains_key("EncodingType") {
        parameters.insert("EncodingType".to_owned(), Json::from("url"));
    }
}

/// A version 4 UUID.
fn random_uuid() -> String {
    let bits = (fastrand::u128(..) & !(0xf000 << 64) & !(0xc000 << 48)) | (0x4000 << 64) | (0x8000 << 48);
    let hex = format!("{bits:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

/// Changes a request before it is signed.
pub fn request(service: &Service, request: &mut HttpRequest) {
    if service.name == "apigateway" {
        request.headers.push(("Accept".to_owned(), "application/json".to_owned()));
    }
}

/// S3 says 200 and then sends an error.
pub fn error_in_success(service: &Service, operation: &Operation, answer: HttpAnswer<'_>) -> Option<ApiError> {
    if service.protocol != Protocol::RestXml || raw_payload(service, operation) {
        return None;
    }
    let start: Vec<u8> = answer.body.iter().copied().take(400).collect();
    // Cheap look before the body is parsed a second time.
    if !String::from_utf8_lossy(&start).contains("<Error") {
        return None;
    }
    let root = xml::read(answer.body).ok()?;
    let is_error = root.name == "Error" || root.name == "ErrorResponse";
    error::error_element(&root).filter(|_| is_error).map(|element| error::from_element(element, 500))
}

fn raw_payload(service: &Service, operation: &Operation) -> bool {
    let payload = operation
        .output
        .as_ref()
        .and_then(|output| structure(service, output)?.member(output.traits.payload.as_deref()?));
    payload.is_some_and(|member| matches!(service.shape(member).kind, ShapeKind::String | ShapeKind::Blob))
}

/// Changes an answer after it is decoded.
pub fn after(
    service: &Service,
    operation: &Operation,
    answer: HttpAnswer<'_>,
    decoded: &mut Json,
) -> Result<(), Malformed> {
    match (service.name.as_str(), operation.name.as_str()) {
        ("iam", _) => {
            if let Some(output) = &operation.output {
                decode_policies(service, output, decoded, 0);
            }
        }
        ("s3", "GetBucketLocation") => {
            let root = xml::read(answer.body)?;
            if root.name != "LocationConstraint" {
                return Err(Malformed(format!("the body is `<{}>`, not `<LocationConstraint>`", root.name)));
            }
            // S3 leaves the element empty for us-east-1; the CLI prints null.
            let region = Some(root.text.trim()).filter(|text| !text.is_empty());
            *decoded = serde_json::json!({ "LocationConstraint": region });
        }
        ("s3", name) if name.starts_with("ListObject") => decode_keys(decoded),
        ("cloudformation", "GetTemplate") => {
            if let Some(Json::String(text)) = decoded.get("TemplateBody")
                && let Ok(template) = serde_json::from_str::<Json>(text)
            {
                insert(decoded, "TemplateBody", template);
            }
        }
        ("ec2", "GetConsoleOutput") => {
            use base64::Engine as _;
            let bytes = decoded
                .get("Output")
                .and_then(Json::as_str)
                .and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok());
            if let Some(bytes) = bytes {
                insert(decoded, "Output", Json::String(String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
        _ => {}
    }
    Ok(())
}

fn insert(object: &mut Json, name: &str, value: Json) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

/// IAM sends policy documents as URL-encoded JSON; SDKs give them as objects.
fn decode_policies(service: &Service, shape: &ShapeRef, value: &mut Json, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    let depth = depth.saturating_add(1);
    let target = service.shape(shape);
    match (&target.kind, value) {
        (ShapeKind::Structure(structure), Json::Object(fields)) => {
            for (name, member) in &structure.members {
                if let Some(field) = fields.get_mut(name) {
                    decode_policies(service, member, field, depth);
                }
            }
        }
        (ShapeKind::List(member), Json::Array(items)) => {
            for item in items {
                decode_policies(service, member, item, depth);
            }
        }
        (ShapeKind::String, value) if target.name == "policyDocumentType" => {
            let decoded = value.as_str().and_then(|text| {
                let text = percent_decode_str(text).decode_utf8().ok()?;
                serde_json::from_str::<Json>(&text).ok()
            });
            if let Some(decoded) = decoded {
                *value = decoded;
            }
        }
        _ => {}
    }
}

/// Object keys come URL-encoded when asked for; SDKs give them plain.
fn decode_keys(decoded: &mut Json) {
    if decoded.get("EncodingType").and_then(Json::as_str) != Some("url") {
        return;
    }
    let plain = |value: &mut Json| {
        if let Json::String(text) = value {
            let spaced = text.replace('+', " ");
            *text = percent_decode_str(&spaced).decode_utf8_lossy().into_owned();
        }
    };
    for name in ["KeyMarker", "NextKeyMarker", "Marker", "NextMarker", "Prefix", "Delimiter", "StartAfter"] {
        if let Some(value) = decoded.get_mut(name) {
            plain(value);
        }
    }
    for (list, name) in
        [("Contents", "Key"), ("Versions", "Key"), ("DeleteMarkers", "Key"), ("CommonPrefixes", "Prefix")]
    {
        for item in decoded.get_mut(list).and_then(Json::as_array_mut).into_iter().flatten() {
            if let Some(value) = item.get_mut(name) {
                plain(value);
            }
        }
    }
}
