//! JMESPath's built-in functions.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Map, Number, Value as Json};

use super::Node;
use super::evaluate::{Found, equal, evaluate, order, owned};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Abs,
    Avg,
    Ceil,
    Contains,
    EndsWith,
    Floor,
    Join,
    Keys,
    Length,
    Map,
    Max,
    MaxBy,
    Merge,
    Min,
    MinBy,
    NotNull,
    Reverse,
    Sort,
    SortBy,
    StartsWith,
    Sum,
    ToArray,
    ToNumber,
    ToString,
    Type,
    Values,
}

impl Function {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "abs" => Self::Abs,
            "avg" => Self::Avg,
            "ceil" => Self::Ceil,
            "contains" => Self::Contains,
            "ends_with" => Self::EndsWith,
            "floor" => Self::Floor,
            "join" => Self::Join,
            "keys" => Self::Keys,
            "length" => Self::Length,
            "map" => Self::Map,
            "max" => Self::Max,
            "max_by" => Self::MaxBy,
            "merge" => Self::Merge,
            "min" => Self::Min,
            "min_by" => Self::MinBy,
            "not_null" => Self::NotNull,
            "reverse" => Self::Reverse,
            "sort" => Self::Sort,
            "sort_by" => Self::SortBy,
            "starts_with" => Self::StartsWith,
            "sum" => Self::Sum,
            "to_array" => Self::ToArray,
            "to_number" => Self::ToNumber,
            "to_string" => Self::ToString,
            "type" => Self::Type,
            "values" => Self::Values,
            _ => return None,
        })
    }

    pub(super) fn check_arity(self, name: &str, count: usize) -> Result<(), String> {
        let fits = match self {
            Self::Contains | Self::EndsWith | Self::StartsWith | Self::Join => count == 2,
            Self::Map | Self::MaxBy | Self::MinBy | Self::SortBy => count == 2,
            Self::Merge | Self::NotNull => count >= 1,
            _ => count == 1,
        };
        if fits { Ok(()) } else { Err(format!("`{name}` does not take {count} arguments")) }
    }
}

fn type_name(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

fn wrong<T>(function: Function, wanted: &str, value: &Json) -> Result<T, String> {
    Err(format!("{function:?} wants {wanted}, not {}", type_name(value)))
}

fn number(value: f64) -> Json {
    if value.fract() == 0.0 && value.abs() < 9e15 {
        return Json::from(value as i64);
    }
    Number::from_f64(value).map_or(Json::Null, Json::Number)
}

fn ok<'a>(value: Json) -> Found<'a> {
    Ok(Cow::Owned(value))
}

fn numbers(function: Function, value: &Json) -> Result<Vec<f64>, String> {
    let Json::Array(items) = value else { return wrong(function, "a list of numbers", value) };
    items.iter().map(|item| item.as_f64().map_or_else(|| wrong(function, "numbers", item), Ok)).collect()
}

/// All items are numbers, or all are texts.
fn check_sortable(function: Function, items: &[Json]) -> Result<(), String> {
    let Some(first) = items.first() else { return Ok(()) };
    match items.iter().find(|item| order(first, item).is_none()) {
        None => Ok(()),
        Some(odd) => wrong(function, "numbers only or text only", odd),
    }
}

/// The items of the list with the value that the expression finds in each, in the list's order.
fn keyed(function: Function, list: &Json, by: &Node) -> Result<Vec<(Json, Json)>, String> {
    let Json::Array(items) = list else { return wrong(function, "a list", list) };
    let keyed = items
        .iter()
        .map(|item| Ok((evaluate(by, Cow::Borrowed(item))?.into_owned(), item.clone())))
        .collect::<Result<Vec<_>, String>>()?;
    let keys: Vec<Json> = keyed.iter().map(|(key, _)| key.clone()).collect();
    check_sortable(function, &keys)?;
    Ok(keyed)
}

fn compare(left: &Json, right: &Json) -> Ordering {
    order(left, right).unwrap_or(Ordering::Equal)
}

/// The first of the greatest (or smallest) items.
fn extreme<T>(items: Vec<T>, key: impl Fn(&T) -> &Json, wanted: Ordering) -> Option<T> {
    items.into_iter().reduce(|best, item| if compare(key(&item), key(&best)) == wanted { item } else { best })
}

pub(super) fn call<'a>(function: Function, arguments: &'a [Node], value: Cow<'a, Json>) -> Found<'a> {
    if let (Function::Map, [Node::Reference(by), list]) = (function, arguments) {
        let list = evaluate(list, value)?;
        let Json::Array(items) = &*list else { return wrong(function, "a list", &list) };
        let mapped = items.iter().map(|item| evaluate(by, Cow::Borrowed(item)).map(Cow::into_owned));
        return ok(Json::Array(mapped.collect::<Result<_, _>>()?));
    }
    if let [list, Node::Reference(by)] = arguments {
        let list = evaluate(list, value)?;
        let mut items = keyed(function, &list, by)?;
        return match function {
            Function::SortBy => {
                items.sort_by(|left, right| compare(&left.0, &right.0));
                ok(Json::Array(items.into_iter().map(|(_, item)| item).collect()))
            }
            Function::MaxBy => ok(extreme(items, |item| &item.0, Ordering::Greater).map_or(Json::Null, |item| item.1)),
            Function::MinBy => ok(extreme(items, |item| &item.0, Ordering::Less).map_or(Json::Null, |item| item.1)),
            _ => Err(format!("{function:?} takes no `&` argument")),
        };
    }
    match arguments {
        [one] => unary(function, evaluate(one, value)?),
        [left, right] if !matches!(function, Function::NotNull | Function::Merge) => {
            let left = evaluate(left, Cow::Borrowed(&*value)).map(owned)?;
            binary(function, &left, &*evaluate(right, Cow::Borrowed(&*value))?)
        }
        _ => variadic(function, arguments, &value),
    }
}

fn variadic<'a>(function: Function, arguments: &'a [Node], value: &Json) -> Found<'a> {
    match function {
        Function::NotNull => {
            for argument in arguments {
                let found = evaluate(argument, Cow::Borrowed(value))?;
                if !found.is_null() {
                    return Ok(owned(found));
                }
            }
            ok(Json::Null)
        }
        Function::Merge => {
            let mut merged = Map::new();
            for argument in arguments {
                match evaluate(argument, Cow::Borrowed(value))?.into_owned() {
                    Json::Object(fields) => merged.extend(fields),
                    other => return wrong(function, "objects", &other),
                }
            }
            ok(Json::Object(merged))
        }
        _ => Err(format!("{function:?} does not take {} arguments", arguments.len())),
    }
}

fn binary<'a>(function: Function, left: &Json, right: &Json) -> Found<'a> {
    match (function, left, right) {
        (Function::Contains, Json::Array(items), wanted) => {
            ok(Json::Bool(items.iter().any(|item| equal(item, wanted))))
        }
        (Function::Contains, Json::String(text), Json::String(part)) => ok(Json::Bool(text.contains(part.as_str()))),
        (Function::Contains, Json::String(_), _) => ok(Json::Bool(false)),
        (Function::StartsWith, Json::String(text), Json::String(part)) => {
            ok(Json::Bool(text.starts_with(part.as_str())))
        }
        (Function::EndsWith, Json::String(text), Json::String(part)) => ok(Json::Bool(text.ends_with(part.as_str()))),
        (Function::Join, Json::String(glue), Json::Array(items)) => {
            let parts: Result<Vec<&str>, String> =
                items.iter().map(|item| item.as_str().map_or_else(|| wrong(function, "text", item), Ok)).collect();
            ok(Json::String(parts?.join(glue)))
        }
        (Function::Contains, other, _) => wrong(function, "a list or text", other),
        (_, Json::String(_), other) => wrong(function, "another second argument", other),
        (_, other, _) => wrong(function, "text", other),
    }
}

fn unary(function: Function, value: Cow<'_, Json>) -> Found<'_> {
    let sortable = |value: &Json| match value {
        Json::Array(items) => check_sortable(function, items).map(|()| items.clone()),
        other => wrong(function, "a list", other),
    };
    match function {
        Function::NotNull => Ok(value),
        Function::Merge => match &*value {
            Json::Object(_) => Ok(value),
            other => wrong(function, "objects", other),
        },
        Function::Abs | Function::Ceil | Function::Floor => {
            let Some(given) = value.as_f64() else { return wrong(function, "a number", &value) };
            ok(number(match function {
                Function::Abs => given.abs(),
                Function::Ceil => given.ceil(),
                _ => given.floor(),
            }))
        }
        Function::Sum => ok(number(numbers(function, &value)?.iter().sum())),
        Function::Avg => {
            let numbers = numbers(function, &value)?;
            if numbers.is_empty() {
                return ok(Json::Null);
            }
            ok(number(numbers.iter().sum::<f64>() / numbers.len() as f64))
        }
        Function::Keys | Function::Values => {
            let Json::Object(fields) = &*value else { return wrong(function, "an object", &value) };
            ok(Json::Array(match function {
                Function::Keys => fields.keys().map(|name| Json::String(name.clone())).collect(),
                _ => fields.values().cloned().collect(),
            }))
        }
        Function::Length => match &*value {
            Json::String(text) => ok(Json::from(text.chars().count())),
            Json::Array(items) => ok(Json::from(items.len())),
            Json::Object(fields) => ok(Json::from(fields.len())),
            other => wrong(function, "text, a list or an object", other),
        },
        Function::Max => ok(extreme(sortable(&value)?, |item| item, Ordering::Greater).unwrap_or_default()),
        Function::Min => ok(extreme(sortable(&value)?, |item| item, Ordering::Less).unwrap_or_default()),
        Function::Sort => {
            let mut items = sortable(&value)?;
            items.sort_by(compare);
            ok(Json::Array(items))
        }
        Function::Reverse => match value.into_owned() {
            Json::Array(mut items) => {
                items.reverse();
                ok(Json::Array(items))
            }
            Json::String(text) => ok(Json::String(text.chars().rev().collect())),
            other => wrong(function, "a list or text", &other),
        },
        Function::ToArray => match value.into_owned() {
            Json::Array(items) => ok(Json::Array(items)),
            other => ok(Json::Array(vec![other])),
        },
        Function::ToNumber => match &*value {
            Json::Number(_) => Ok(value),
            Json::String(text) => ok(serde_json::from_str::<Number>(text.trim()).map_or(Json::Null, Json::Number)),
            _ => ok(Json::Null),
        },
        Function::ToString => match &*value {
            Json::String(_) => Ok(value),
            other => ok(Json::String(other.to_string())),
        },
        Function::Type => ok(Json::from(type_name(&value))),
        _ => Err(format!("{function:?} takes two arguments")),
    }
}
