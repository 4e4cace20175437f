//! Evaluation of compiled expressions.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Map, Value as Json};

use super::{Comparator, NULL, Node, functions, is_truthy};

pub(super) type Found<'a> = Result<Cow<'a, Json>, String>;

fn null<'a>() -> Cow<'a, Json> {
    Cow::Borrowed(&NULL)
}

fn field<'a>(value: Cow<'a, Json>, name: &str) -> Cow<'a, Json> {
    match value {
        Cow::Borrowed(value) => Cow::Borrowed(value.get(name).unwrap_or(&NULL)),
        Cow::Owned(Json::Object(mut fields)) => fields.swap_remove(name).map_or_else(null, Cow::Owned),
        Cow::Owned(_) => null(),
    }
}

fn element(value: Cow<'_, Json>, index: i32) -> Cow<'_, Json> {
    let position = |length: usize| {
        let index = i64::from(index);
        let length = i64::try_from(length).ok()?;
        usize::try_from(if index < 0 { length.checked_add(index)? } else { index }).ok()
    };
    match value {
        Cow::Borrowed(Json::Array(items)) => {
            Cow::Borrowed(position(items.len()).and_then(|at| items.get(at)).unwrap_or(&NULL))
        }
        Cow::Owned(Json::Array(mut items)) => match position(items.len()) {
            Some(at) if at < items.len() => Cow::Owned(items.swap_remove(at)),
            _ => null(),
        },
        _ => null(),
    }
}

/// The elements of a list, borrowed where the list is.
fn elements(value: Cow<'_, Json>) -> Option<Vec<Cow<'_, Json>>> {
    match value {
        Cow::Borrowed(Json::Array(items)) => Some(items.iter().map(Cow::Borrowed).collect()),
        Cow::Owned(Json::Array(items)) => Some(items.into_iter().map(Cow::Owned).collect()),
        _ => None,
    }
}

fn list<'a>(items: impl IntoIterator<Item = Cow<'a, Json>>) -> Json {
    Json::Array(items.into_iter().map(Cow::into_owned).collect())
}

/// What a projection's source yields, without copying what is only passed through.
fn project<'a>(node: &'a Node, value: Cow<'a, Json>) -> Result<Option<Vec<Cow<'a, Json>>>, String> {
    match node {
        Node::Flatten(inner) => {
            let Some(items) = project(inner, value)? else { return Ok(None) };
            let mut flat = Vec::with_capacity(items.len());
            for item in items {
                match item {
                    Cow::Borrowed(Json::Array(inner)) => flat.extend(inner.iter().map(Cow::Borrowed)),
                    Cow::Owned(Json::Array(inner)) => flat.extend(inner.into_iter().map(Cow::Owned)),
                    other => flat.push(other),
                }
            }
            Ok(Some(flat))
        }
        Node::ObjectValues(inner) => Ok(match evaluate(inner, value)? {
            Cow::Borrowed(Json::Object(fields)) => Some(fields.values().map(Cow::Borrowed).collect()),
            Cow::Owned(Json::Object(fields)) => Some(fields.into_iter().map(|(_, value)| Cow::Owned(value)).collect()),
            _ => None,
        }),
        Node::Projection(left, right) => {
            let Some(items) = project(left, value)? else { return Ok(None) };
            let mut kept = Vec::with_capacity(items.len());
            for item in items {
                let found = evaluate(right, item)?;
                if !found.is_null() {
                    kept.push(found);
                }
            }
            Ok(Some(kept))
        }
        Node::MultiList(nodes) => {
            if value.is_null() {
                return Ok(None);
            }
            Ok(Some(each(nodes, value)?))
        }
        other => Ok(elements(evaluate(other, value)?)),
    }
}

/// Every node applied to the same value.
fn each<'a>(nodes: &'a [Node], value: Cow<'a, Json>) -> Result<Vec<Cow<'a, Json>>, String> {
    match value {
        Cow::Borrowed(value) => nodes.iter().map(|node| evaluate(node, Cow::Borrowed(value))).collect(),
        Cow::Owned(value) => nodes.iter().map(|node| evaluate(node, Cow::Borrowed(&value)).map(owned)).collect(),
    }
}

/// Cuts the tie to a local value.
pub(super) fn owned<'b>(value: Cow<'_, Json>) -> Cow<'b, Json> {
    Cow::Owned(value.into_owned())
}

/// Evaluates `first`, then lets `then` choose with the value still at hand.
fn choose<'a>(value: Cow<'a, Json>, left: &'a Node, right: &'a Node, take_left: impl Fn(bool) -> bool) -> Found<'a> {
    match value {
        Cow::Borrowed(value) => {
            let found = evaluate(left, Cow::Borrowed(value))?;
            if take_left(is_truthy(&found)) { Ok(found) } else { evaluate(right, Cow::Borrowed(value)) }
        }
        Cow::Owned(value) => {
            let found = evaluate(left, Cow::Borrowed(&value)).map(owned)?;
            if take_left(is_truthy(&found)) { Ok(found) } else { evaluate(right, Cow::Owned(value)) }
        }
    }
}

pub(super) fn evaluate<'a>(node: &'a Node, value: Cow<'a, Json>) -> Found<'a> {
    match node {
        Node::Path(names) => Ok(names.iter().fold(value, |value, name| field(value, name))),
        Node::Identity => Ok(value),
        Node::Index(index) => Ok(element(value, *index)),
        Node::Literal(literal) => Ok(Cow::Borrowed(literal)),
        Node::Sub(left, right) => evaluate(right, evaluate(left, value)?),
        Node::Projection(..) | Node::Flatten(_) | Node::ObjectValues(_) | Node::MultiList(_) => {
            Ok(project(node, value)?.map_or_else(null, |items| Cow::Owned(list(items))))
        }
        Node::Condition(predicate, then) => match value {
            Cow::Borrowed(value) => {
                if is_truthy(&*evaluate(predicate, Cow::Borrowed(value))?) {
                    evaluate(then, Cow::Borrowed(value))
                } else {
                    Ok(null())
                }
            }
            Cow::Owned(value) => {
                let holds = is_truthy(&*evaluate(predicate, Cow::Borrowed(&value))?);
                if holds { evaluate(then, Cow::Owned(value)) } else { Ok(null()) }
            }
        },
        Node::Comparison(comparator, left, right) => {
            let left = evaluate(left, Cow::Borrowed(&*value))?;
            let right = evaluate(right, Cow::Borrowed(&*value))?;
            Ok(compare(*comparator, &left, &right).map_or_else(null, |holds| Cow::Owned(Json::Bool(holds))))
        }
        Node::Or(left, right) => choose(value, left, right, |holds| holds),
        Node::And(left, right) => choose(value, left, right, |holds| !holds),
        Node::Not(inner) => {
            let holds = is_truthy(&*evaluate(inner, value)?);
            Ok(Cow::Owned(Json::Bool(!holds)))
        }
        Node::MultiHash(pairs) => {
            if value.is_null() {
                return Ok(null());
            }
            let mut fields = Map::with_capacity(pairs.len());
            for (name, node) in pairs {
                fields.insert(name.clone(), evaluate(node, Cow::Borrowed(&*value))?.into_owned());
            }
            Ok(Cow::Owned(Json::Object(fields)))
        }
        Node::Slice(start, stop, step) => {
            Ok(elements(value).map_or_else(null, |items| Cow::Owned(list(slice(items, *start, *stop, *step)))))
        }
        Node::Function(function, arguments) => functions::call(*function, arguments, value),
        Node::Reference(_) => Err("`&` stands only in a function's argument".to_owned()),
    }
}

fn slice(items: Vec<Cow<'_, Json>>, start: Option<i32>, stop: Option<i32>, step: i32) -> Vec<Cow<'_, Json>> {
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let step = i64::from(step);
    let bound = |at: Option<i32>, default: i64| match at.map(i64::from) {
        None => default,
        Some(at) => {
            let at = if at < 0 { at.saturating_add(length) } else { at };
            if step < 0 { at.clamp(-1, length.saturating_sub(1)) } else { at.clamp(0, length) }
        }
    };
    let (mut at, end) = if step < 0 {
        (bound(start, length.saturating_sub(1)), bound(stop, -1))
    } else {
        (bound(start, 0), bound(stop, length))
    };
    let mut items: Vec<Option<Cow<'_, Json>>> = items.into_iter().map(Some).collect();
    let mut taken = Vec::new();
    while if step < 0 { at > end } else { at < end } {
        if let Some(item) = usize::try_from(at).ok().and_then(|at| items.get_mut(at)).and_then(Option::take) {
            taken.push(item);
        }
        at = at.saturating_add(step);
    }
    taken
}

/// Deep equality as JMESPath has it: numbers by value.
pub(super) fn equal(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Number(left), Json::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (Json::Array(left), Json::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Json::Object(left), Json::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, value)| right.get(name).is_some_and(|other| equal(value, other)))
        }
        _ => left == right,
    }
}

/// Order of two numbers or two texts.
pub(super) fn order(left: &Json, right: &Json) -> Option<Ordering> {
    match (left, right) {
        (Json::Number(left), Json::Number(right)) => left.as_f64()?.partial_cmp(&right.as_f64()?),
        (Json::String(left), Json::String(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

fn compare(comparator: Comparator, left: &Json, right: &Json) -> Option<bool> {
    // Only numbers have an order in JMESPath's comparisons.
    let ordered = |holds: fn(Ordering) -> bool| {
        (left.is_number() && right.is_number()).then(|| order(left, right)).flatten().map(holds)
    };
    match comparator {
        Comparator::Equal => Some(equal(left, right)),
        Comparator::NotEqual => Some(!equal(left, right)),
        Comparator::Less => ordered(Ordering::is_lt),
        Comparator::LessEqual => ordered(Ordering::is_le),
        Comparator::Greater => ordered(Ordering::is_gt),
        Comparator::GreaterEqual => ordered(Ordering::is_ge),
    }
}
