//! Decodes XML answers (query, EC2, REST-XML).

use serde_json::{Map, Value as Json};

use super::xml::Element;
use super::{HttpAnswer, MAX_DEPTH, Malformed, json, structure, timestamp, xml};
use crate::model::{Operation, Protocol, Service, Shape, ShapeKind, ShapeRef};

/// Elements about the request rather than the answer.
const ENVELOPE: [&str; 3] = ["ResponseMetadata", "requestId", "RequestId"];

/// Decodes an answer of the query or EC2 protocol.
pub fn query(service: &Service, operation: &Operation, answer: HttpAnswer<'_>) -> Result<Json, Malformed> {
    if answer.body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{') {
        return query_as_json(service, operation, answer.body);
    }
    let root = xml::read(answer.body)?;
    if !root.name.ends_with("Response") {
        return Err(Malformed(format!("the body is `<{}>`, not `<{}Response>`", root.name, operation.name)));
    }
    let Some(output) = &operation.output else { return Ok(Json::Object(Map::new())) };
    let start = match &operation.result_wrapper {
        Some(wrapper) => {
            root.child(wrapper).ok_or_else(|| Malformed(format!("`<{}>` lacks `<{wrapper}>`", root.name)))?
        }
        None => implied_wrapper(service, output, &root).unwrap_or(&root),
    };
    structure_body(service, output, start)
}

/// Some models do not name the wrapper that the service nevertheless sends: `<XResponse><YResult>`.
fn implied_wrapper<'a>(service: &Service, output: &ShapeRef, root: &'a Element) -> Option<&'a Element> {
    if service.protocol != Protocol::Query {
        return None;
    }
    let mut children = root.children.iter().filter(|child| !ENVELOPE.contains(&child.name.as_str()));
    let only = children.next().filter(|child| child.name.ends_with("Result"))?;
    let own = structure(service, output).is_some_and(|structure| structure.member(&only.name).is_some());
    (children.next().is_none() && !own).then_some(only)
}

/// A query service answers in JSON when asked to: the same envelope as objects.
fn query_as_json(service: &Service, operation: &Operation, body: &[u8]) -> Result<Json, Malformed> {
    let json = json::read(body)?;
    let lacks = |name: &str| Malformed(format!("the body lacks `{name}`"));
    let envelope = format!("{}Response", operation.name);
    let response = json.get(&envelope).ok_or_else(|| lacks(&envelope))?;
    let Some(output) = &operation.output else { return Ok(Json::Object(Map::new())) };
    let result = match &operation.result_wrapper {
        Some(wrapper) => response.get(wrapper).ok_or_else(|| lacks(wrapper))?,
        None => response,
    };
    json::value(service, output, result, "", 0)
}

/// Decodes a body that is a structure; one whose elements are all foreign is no answer.
pub fn structure_body(service: &Service, output: &ShapeRef, root: &Element) -> Result<Json, Malformed> {
    let decoded = value(service, output, &[root], 0)?;
    let foreign = root.children.iter().any(|child| !ENVELOPE.contains(&child.name.as_str()));
    if foreign && decoded.as_object().is_some_and(Map::is_empty) && super::rest::has_body_members(service, output) {
        return Err(Malformed(format!("none of the elements in `<{}>` is the operation's", root.name)));
    }
    Ok(decoded)
}

/// A value from its elements: one, or several for a flattened list or map.
pub fn value(service: &Service, shape: &ShapeRef, elements: &[&Element], depth: usize) -> Result<Json, Malformed> {
    let target = service.shape(shape);
    let Some(element) = elements.first() else { return Ok(Json::Null) };
    if depth > MAX_DEPTH {
        return Err(Malformed(format!("`<{}>` is nested too deeply", element.name)));
    }
    let depth = depth.saturating_add(1);
    Ok(match &target.kind {
        ShapeKind::Structure(_) => members(service, target, element, depth)?,
        ShapeKind::List(member) => {
            let items: Vec<&Element> = match shape.traits.flattened {
                true => elements.to_vec(),
                false => element.children.iter().collect(),
            };
            Json::Array(items.into_iter().map(|item| value(service, member, &[item], depth)).collect::<Result<_, _>>()?)
        }
        ShapeKind::Map(parts) => {
            let entries: Vec<&Element> = match shape.traits.flattened {
                true => elements.to_vec(),
                false => element.children.iter().collect(),
            };
            let key_name = parts.0.traits.location_name.as_deref().unwrap_or("key");
            let value_name = parts.1.traits.location_name.as_deref().unwrap_or("value");
            let mut map = Map::new();
            for entry in entries {
                let key = entry
                    .child_text(key_name)
                    .ok_or_else(|| Malformed(format!("an entry in `<{}>` lacks `<{key_name}>`", element.name)))?;
                let item = match entry.child(value_name) {
                    Some(item) => value(service, &parts.1, &[item], depth)?,
                    None => Json::Null,
                };
                map.insert(key.to_owned(), item);
            }
            Json::Object(map)
        }
        kind => scalar(kind, &element.text),
    })
}

/// The members of a structure that are in an element.
fn members(service: &Service, target: &Shape, element: &Element, depth: usize) -> Result<Json, Malformed> {
    let ShapeKind::Structure(structure) = &target.kind else { return Ok(Json::Null) };
    let mut decoded = Map::new();
    for (name, member) in &structure.members {
        if member.traits.location.is_some() {
            continue;
        }
        let wire = member_name(service, name, member);
        let found: Vec<&Element> = element.children.iter().filter(|child| child.name == wire).collect();
        if !found.is_empty() {
            decoded.insert(name.clone(), value(service, member, &found, depth)?);
        } else if member.traits.xml_attribute {
            let attribute = element.attributes.iter().find(|(given, _)| given == wire);
            if let Some((_, text)) = attribute {
                decoded.insert(name.clone(), Json::String(text.clone()));
            }
        }
    }
    if structure.union
        && decoded.is_empty()
        && let Some(first) = element.children.first()
    {
        decoded.insert("SDK_UNKNOWN_MEMBER".to_owned(), serde_json::json!({ "name": first.name }));
    }
    Ok(Json::Object(decoded))
}

/// A member's element: a flattened list goes by its items' name, where they have one.
fn member_name<'a>(service: &'a Service, name: &'a str, member: &'a ShapeRef) -> &'a str {
    if let (true, ShapeKind::List(item)) = (member.traits.flattened, &service.shape(member).kind)
        && let Some(own) = &item.traits.location_name
    {
        return own;
    }
    member.traits.location_name.as_deref().unwrap_or(name)
}

/// A scalar from text. What is not of its type stays text, so that the property alone is unknown.
pub fn scalar(kind: &ShapeKind, text: &str) -> Json {
    let kept = || Json::String(text.to_owned());
    match kind {
        ShapeKind::Boolean => match text.trim() {
            "true" | "True" | "TRUE" | "1" => Json::Bool(true),
            "false" | "False" | "FALSE" | "0" | "" => Json::Bool(false),
            _ => kept(),
        },
        ShapeKind::Integer => text.trim().parse::<i64>().map_or_else(|_| kept(), Json::from),
        ShapeKind::Float => {
            let number = text.trim().parse::<f64>().ok().and_then(serde_json::Number::from_f64);
            number.map_or_else(kept, Json::Number)
        }
        ShapeKind::Timestamp => timestamp::answer(&kept()),
        _ => kept(),
    }
}
