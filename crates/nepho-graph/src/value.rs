//! Values while a query runs and in its results.
//!
//! Equality, comparison, ordering and hashing are in [`compare`]; points in time and durations in [`temporal`].

use std::collections::BTreeMap;
use std::sync::Arc;

use nepho_model::{Timestamp, Value};

use crate::graph::{Graph, NodeId, RelationId};

mod calendar;
pub(crate) mod compare;
pub(crate) mod temporal;
pub(crate) mod temporal_parse;
mod temporal_text;
pub(crate) mod zone;

pub use calendar::{Date, DateTime, NoDate};
pub use temporal::{Duration, Temporal};

/// A value of openCypher, and `Unknown` beside it.
#[derive(Clone, Debug, Default)]
pub enum ResultValue {
    /// Known to be absent.
    #[default]
    Null,
    /// Could not be read.
    Unknown,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// Text.
    String(Arc<str>),
    /// A point in time in UTC, as properties of resources have it.
    Time(Timestamp),
    /// Any other date, time or duration.
    Temporal(Arc<Temporal>),
    /// A list.
    List(Arc<Vec<ResultValue>>),
    /// A map.
    Map(Arc<BTreeMap<Arc<str>, ResultValue>>),
    /// A node.
    Node(NodeId),
    /// A relation.
    Relation(RelationId),
    /// A path.
    Path(Arc<PathValue>),
}

/// A walk through the graph: one node more than relations.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathValue {
    /// The nodes in order.
    pub nodes: Vec<NodeId>,
    /// The relations between them; each may be walked against its direction.
    pub relations: Vec<RelationId>,
}

impl ResultValue {
    /// A list.
    pub fn list(items: Vec<ResultValue>) -> Self {
        Self::List(Arc::new(items))
    }

    /// The type's name as error messages say it.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Unknown => "unknown",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a float",
            Self::String(_) => "a string",
            Self::Time(_) => "a datetime",
            Self::Temporal(of) => of.type_name(),
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Node(_) => "a node",
            Self::Relation(_) => "a relation",
            Self::Path(_) => "a path",
        }
    }

    /// Whether this is null or unknown.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Null | Self::Unknown)
    }

    /// Null where any is null, unknown where any is unknown (unknown wins); `None` when all are there.
    pub(crate) fn missing<'a>(values: impl IntoIterator<Item = &'a ResultValue>) -> Option<ResultValue> {
        let mut found = None;
        for value in values {
            match value {
                Self::Unknown => return Some(Self::Unknown),
                Self::Null => found = Some(Self::Null),
                _ => {}
            }
        }
        found
    }

    /// The JSON form. Nodes become `{"key", "kind", "labels", "properties"}` objects, relations `{"type", "from", "to",
    /// "properties"}`, paths `{"nodes", "relations"}`, points in time and durations ISO 8601 text, unknown
    /// `{"unknown": true}`.
    pub fn to_json(&self, graph: &Graph) -> serde_json::Value {
        use serde_json::{Value as Json, json};
        match self {
            Self::Null => Json::Null,
            Self::Unknown => json!({"unknown": true}),
            Self::Bool(flag) => Json::Bool(*flag),
            Self::Int(whole) => json!(whole),
            Self::Float(number) => serde_json::Number::from_f64(*number).map_or(Json::Null, Json::Number),
            Self::String(text) => Json::String(text.to_string()),
            Self::Time(time) => Json::String(time.to_string()),
            Self::Temporal(of) => Json::String(of.to_string()),
            Self::List(items) => Json::Array(items.iter().map(|item| item.to_json(graph)).collect()),
            Self::Map(fields) => {
                Json::Object(fields.iter().map(|(name, value)| (name.to_string(), value.to_json(graph))).collect())
            }
            Self::Node(node) => match graph.node(*node) {
                Some(node) => {
                    let properties: serde_json::Map<_, _> = node
                        .properties()
                        .filter(|(_, value)| !matches!(value, Self::Null))
                        .map(|(name, value)| (name.to_string(), value.to_json(graph)))
                        .collect();
                    let labels: Vec<_> = node.labels().collect();
                    json!({"key": node.key(), "kind": node.kind(), "labels": labels, "properties": properties})
                }
                None => Json::Null,
            },
            Self::Relation(relation) => match graph.relation(*relation) {
                Some(relation) => {
                    let properties: serde_json::Map<_, _> = relation
                        .properties()
                        .filter(|(_, value)| !matches!(value, Self::Null))
                        .map(|(name, value)| (name.to_string(), value.to_json(graph)))
                        .collect();
                    let key = |node| graph.node(node).map(|node| node.key().to_owned());
                    let (from, to) = (key(relation.from()), key(relation.to()));
                    json!({"type": relation.relation_type(), "from": from, "to": to, "properties": properties})
                }
                None => Json::Null,
            },
            Self::Path(path) => json!({
                "nodes": path.nodes.iter().map(|node| Self::Node(*node).to_json(graph)).collect::<Vec<_>>(),
                "relations": path.relations.iter().map(|of| Self::Relation(*of).to_json(graph)).collect::<Vec<_>>(),
            }),
        }
    }

    /// The value as facts have it; graph elements become null, durations and dates text.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Null | Self::Node(_) | Self::Relation(_) | Self::Path(_) => Value::Null,
            Self::Unknown => Value::Unknown,
            Self::Bool(flag) => Value::Bool(*flag),
            Self::Int(whole) => Value::Int(*whole),
            Self::Float(number) => Value::Float(*number),
            Self::String(text) => Value::String(text.clone()),
            Self::Time(time) => Value::Time(*time),
            Self::Temporal(of) => Value::from(of.to_string().as_str()),
            Self::List(items) => Value::List(items.iter().map(Self::to_value).collect()),
            Self::Map(fields) => {
                Value::Map(Arc::new(fields.iter().map(|(name, value)| (name.clone(), value.to_value())).collect()))
            }
        }
    }

    /// Writes bytes that are the same for the same value of the same type, and for no other.
    pub(crate) fn write_form(&self, out: &mut Vec<u8>) {
        let text = |out: &mut Vec<u8>, text: &str| {
            out.extend((text.len() as u64).to_le_bytes());
            out.extend(text.as_bytes());
        };
        match self {
            Self::Null => out.push(0),
            Self::Unknown => out.push(1),
            Self::Bool(flag) => out.extend([2, u8::from(*flag)]),
            Self::Int(whole) => {
                out.push(3);
                out.extend(whole.to_le_bytes());
            }
            Self::Float(number) => {
                out.push(4);
                out.extend(number.to_bits().to_le_bytes());
            }
            Self::String(of) => {
                out.push(5);
                text(out, of);
            }
            Self::Time(time) => {
                out.push(6);
                out.extend(time.0.to_le_bytes());
            }
            Self::Temporal(of) => {
                out.extend([7, of.rank()]);
                text(out, &of.to_string());
            }
            Self::List(items) => {
                out.push(8);
                out.extend((items.len() as u64).to_le_bytes());
                items.iter().for_each(|item| item.write_form(out));
            }
            Self::Map(fields) => {
                out.push(9);
                out.extend((fields.len() as u64).to_le_bytes());
                for (name, value) in fields.iter() {
                    text(out, name);
                    value.write_form(out);
                }
            }
            // Elements of a graph are no properties.
            Self::Node(_) | Self::Relation(_) | Self::Path(_) => out.push(10),
        }
    }

    /// Whether it is or holds a date, time or duration that facts have no type for.
    pub(crate) fn holds_temporal(&self) -> bool {
        match self {
            Self::Temporal(_) => true,
            Self::List(items) => items.iter().any(Self::holds_temporal),
            Self::Map(fields) => fields.values().any(Self::holds_temporal),
            _ => false,
        }
    }

    /// Whether lists and maps in it are nested at most `depth` deep and hold at most `left` elements together, each
    /// counted as often as it stands there: values are shared, but what walks or writes them sees every copy.
    pub(crate) fn is_within(&self, depth: usize, left: &mut usize) -> bool {
        let length = match self {
            Self::List(items) => items.len(),
            Self::Map(fields) => fields.len(),
            _ => return true,
        };
        if depth == 0 || length > *left {
            return false;
        }
        *left -= length;
        match self {
            Self::List(items) => items.iter().all(|item| item.is_within(depth - 1, left)),
            Self::Map(fields) => fields.values().all(|item| item.is_within(depth - 1, left)),
            _ => true,
        }
    }

    /// Elements of a list, fields of a map, pieces of 1 KiB of a text: what a row holds beside itself.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::List(items) => items.len(),
            Self::Map(fields) => fields.len(),
            Self::String(text) => text.len() / 1024,
            _ => 0,
        }
    }
}

impl From<&Value> for ResultValue {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Unknown => Self::Unknown,
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Int(whole) => Self::Int(*whole),
            Value::Float(number) => Self::Float(*number),
            Value::String(text) => Self::String(text.clone()),
            Value::Time(time) => Self::Time(*time),
            Value::List(items) => Self::list(items.iter().map(Self::from).collect()),
            Value::Map(fields) => {
                Self::Map(Arc::new(fields.iter().map(|(name, value)| (name.clone(), Self::from(value))).collect()))
            }
        }
    }
}

impl From<&str> for ResultValue {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for ResultValue {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<bool> for ResultValue {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i64> for ResultValue {
    fn from(whole: i64) -> Self {
        Self::Int(whole)
    }
}

impl From<f64> for ResultValue {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<crate::Truth> for ResultValue {
    fn from(truth: crate::Truth) -> Self {
        match truth {
            crate::Truth::True => Self::Bool(true),
            crate::Truth::False => Self::Bool(false),
            crate::Truth::Null => Self::Null,
            crate::Truth::Unknown => Self::Unknown,
        }
    }
}
