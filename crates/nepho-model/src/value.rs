//! Property values as facts have them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use crate::Timestamp;

/// The value of one property of one resource.
///
/// `Null` is a fact (the provider says there is none); `Unknown` is the lack of one (the read failed). They are never
/// the same: see `docs/rules.md`, "Three verdicts".
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Value {
    /// Known to be absent.
    #[default]
    Null,
    /// Could not be read. Why stands in the resource's [`crate::UnknownFact`]s.
    Unknown,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A binary floating-point number.
    Float(f64),
    /// Text.
    String(Arc<str>),
    /// A point in time.
    Time(Timestamp),
    /// An ordered list.
    List(Arc<[Value]>),
    /// A map with text keys, in key order.
    Map(Arc<BTreeMap<Arc<str>, Value>>),
}

impl Value {
    /// The value that a JSON document says. Numbers beyond `i64` become floats.
    pub fn from_json(json: &serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::Null,
            Json::Bool(flag) => Self::Bool(*flag),
            Json::Number(number) => match number.as_i64() {
                Some(whole) => Self::Int(whole),
                None => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Self::from(text.as_str()),
            Json::Array(items) => Self::List(items.iter().map(Self::from_json).collect()),
            Json::Object(fields) => Self::Map(Arc::new(
                fields.iter().map(|(name, value)| (Arc::from(name.as_str()), Self::from_json(value))).collect(),
            )),
        }
    }

    /// The JSON form: times as ISO 8601 text; `Unknown` as the object `{"unknown": true}`.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Self::Null => Json::Null,
            Self::Unknown => serde_json::json!({"unknown": true}),
            Self::Bool(flag) => Json::Bool(*flag),
            Self::Int(whole) => Json::from(*whole),
            Self::Float(number) => serde_json::Number::from_f64(*number).map_or(Json::Null, Json::Number),
            Self::String(text) => Json::String(text.to_string()),
            Self::Time(time) => Json::String(time.to_string()),
            Self::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Self::Map(fields) => {
                Json::Object(fields.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect())
            }
        }
    }

    /// The text, when this is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(Arc::from(text))
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(whole: i64) -> Self {
        Self::Int(whole)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Unknown => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("unknown", &true)?;
                map.end()
            }
            Self::Bool(flag) => serializer.serialize_bool(*flag),
            Self::Int(whole) => serializer.serialize_i64(*whole),
            Self::Float(number) => serializer.serialize_f64(*number),
            Self::String(text) => serializer.serialize_str(text),
            Self::Time(time) => serializer.collect_str(time),
            Self::List(items) => {
                let mut sequence = serializer.serialize_seq(Some(items.len()))?;
                for item in items.iter() {
                    sequence.serialize_element(item)?;
                }
                sequence.end()
            }
            Self::Map(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields.iter() {
                    map.serialize_entry(name.as_ref(), value)?;
                }
                map.end()
            }
        }
    }
}
