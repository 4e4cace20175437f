//! Transforms of listed items: they add what a key or a parameter needs and the API does not say in that form.

use nepho_collect::TransformContext;
use serde_json::{Map, Value as Json};

/// Applies a function to each item's fields; items that are no objects stay as they are.
fn each(value: &Json, change: impl Fn(&mut Map<String, Json>)) -> Json {
    match value {
        Json::Array(items) => Json::Array(items.iter().map(|item| each_field(item, &change)).collect()),
        one => each_field(one, &change),
    }
}

fn each_field(item: &Json, change: &impl Fn(&mut Map<String, Json>)) -> Json {
    let mut item = item.clone();
    if let Json::Object(fields) = &mut item {
        change(fields);
    }
    item
}

/// `arn-name`: `ArnName` is what follows the last `:` or `/` of the ARN in the (alphabetically) first field that is one.
///
/// # Errors
/// None.
pub fn arn_name(value: &Json, _: &TransformContext<'_>) -> Result<Json, String> {
    Ok(each(value, |fields| {
        let arn = fields
            .iter()
            .filter_map(|(name, value)| value.as_str().map(|text| (name, text)))
            .filter(|(_, text)| text.starts_with("arn:"))
            .min_by_key(|(name, _)| *name);
        if let Some(name) = arn.and_then(|(_, arn)| arn.rsplit([':', '/']).next()).map(Json::from) {
            fields.insert("ArnName".to_owned(), name);
        }
    }))
}

/// `queue-url-parts`: `QueueName` and `QueueOwner` are the last two parts of the path of `QueueUrl`.
///
/// # Errors
/// None.
pub fn queue_url_parts(value: &Json, _: &TransformContext<'_>) -> Result<Json, String> {
    Ok(each(value, |fields| {
        let Some(url) = fields.get("QueueUrl").and_then(Json::as_str) else { return };
        let mut parts = url.rsplit('/').map(Json::from);
        let (name, owner) = (parts.next(), parts.next());
        if let (Some(name), Some(owner)) = (name, owner) {
            fields.insert("QueueName".to_owned(), name);
            fields.insert("QueueOwner".to_owned(), owner);
        }
    }))
}

/// `route53-zone-id`: `ListHostedZones` says `/hostedzone/Z1` where ARNs and all other APIs say `Z1`.
///
/// # Errors
/// None.
pub fn route53_zone_id(value: &Json, _: &TransformContext<'_>) -> Result<Json, String> {
    Ok(each(value, |fields| {
        if let Some(Json::String(id)) = fields.get_mut("Id")
            && let Some(plain) = id.strip_prefix("/hostedzone/")
        {
            *id = plain.to_owned();
        }
    }))
}
