//! Lists, maps and mixed values as JSON text, and back to exactly what they were.
//!
//! Plain JSON wherever JSON has the type. What it has not is an object with one key that begins with `$`:
//! `{"$unknown": true}`, `{"$float": "NaN"}`, `{"$timestamp": "2026-01-31T12:00:00Z"}`, `{"$date": …}`,
//! `{"$localtime": …}`, `{"$time": …, "offset": seconds}`, `{"$localdatetime": …}`,
//! `{"$datetime": …, "offset": seconds, "zone": name}`, `{"$duration": {"months", "days", "seconds", "nanos"}}`.
//! A map's own key that begins with `$` gets a second one.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use nepho_graph::{Duration, ResultValue, Temporal};
use nepho_model::Timestamp;
use serde_json::{Map, Value as Json, json};

/// How deeply lists and maps may be nested; the parser stops at 128.
const DEPTH: usize = 120;

/// The JSON text; `None` where the value is nested too deeply or is part of a graph.
pub(crate) fn to_text(value: &ResultValue) -> Option<String> {
    serde_json::to_string(&to_json(value, DEPTH)?).ok()
}

/// The value of a JSON text; `None` where it is none of ours.
pub(crate) fn from_text(text: &str) -> Option<ResultValue> {
    from_json(serde_json::from_str(text).ok()?)
}

fn to_json(value: &ResultValue, depth: usize) -> Option<Json> {
    let depth = depth.checked_sub(1)?;
    Some(match value {
        ResultValue::Null => Json::Null,
        ResultValue::Unknown => json!({"$unknown": true}),
        ResultValue::Bool(flag) => Json::Bool(*flag),
        ResultValue::Int(whole) => json!(whole),
        ResultValue::Float(number) if number.is_finite() => json!(number),
        ResultValue::Float(number) => json!({"$float": number.to_string()}),
        ResultValue::String(text) => Json::String(text.to_string()),
        ResultValue::Time(time) => {
            let text = time.to_string();
            match Timestamp::parse(&text) {
                Ok(same) if same == *time => json!({"$timestamp": text}),
                _ => json!({"$timestamp": time.0}),
            }
        }
        ResultValue::Temporal(of) => temporal_to_json(of),
        ResultValue::List(items) => Json::Array(items.iter().map(|item| to_json(item, depth)).collect::<Option<_>>()?),
        ResultValue::Map(fields) => {
            let field = |(name, value): (&Arc<str>, &ResultValue)| {
                let name = if name.starts_with('$') { format!("${name}") } else { name.to_string() };
                Some((name, to_json(value, depth)?))
            };
            Json::Object(fields.iter().map(field).collect::<Option<_>>()?)
        }
        ResultValue::Node(_) | ResultValue::Relation(_) | ResultValue::Path(_) => return None,
    })
}

fn temporal_to_json(of: &Temporal) -> Json {
    match of {
        Temporal::Date(date) => json!({"$date": date.to_string()}),
        Temporal::LocalTime(time) => json!({"$localtime": time.to_string()}),
        Temporal::Time(time, offset) => json!({"$time": time.to_string(), "offset": offset}),
        Temporal::LocalDateTime(at) => json!({"$localdatetime": at.to_string()}),
        Temporal::DateTime(at, offset, None) => json!({"$datetime": at.to_string(), "offset": offset}),
        Temporal::DateTime(at, offset, Some(zone)) => {
            json!({"$datetime": at.to_string(), "offset": offset, "zone": &**zone})
        }
        Temporal::Duration(length) => json!({"$duration": {
            "months": length.months, "days": length.days, "seconds": length.seconds, "nanos": length.nanos,
        }}),
    }
}

fn from_json(json: Json) -> Option<ResultValue> {
    Some(match json {
        Json::Null => ResultValue::Null,
        Json::Bool(flag) => ResultValue::Bool(flag),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => ResultValue::Int(whole),
            None => ResultValue::Float(number.as_f64()?),
        },
        Json::String(text) => ResultValue::from(text),
        Json::Array(items) => ResultValue::list(items.into_iter().map(from_json).collect::<Option<_>>()?),
        Json::Object(fields) => {
            if let Some(tag) = fields.keys().find(|name| name.starts_with('$') && !name.starts_with("$$")) {
                return tagged(tag, &fields);
            }
            let field = |(name, value): (String, Json)| {
                let name = name.strip_prefix('$').unwrap_or(&name);
                Some((Arc::from(name), from_json(value)?))
            };
            ResultValue::Map(Arc::new(fields.into_iter().map(field).collect::<Option<BTreeMap<_, _>>>()?))
        }
    })
}

fn tagged(tag: &str, fields: &Map<String, Json>) -> Option<ResultValue> {
    fn parsed<T: FromStr>(json: &Json) -> Option<T> {
        json.as_str()?.parse().ok()
    }
    let value = fields.get(tag)?;
    let offset = || i32::try_from(fields.get("offset")?.as_i64()?).ok();
    let temporal = match tag {
        "$unknown" => return Some(ResultValue::Unknown),
        "$float" => return Some(ResultValue::Float(parsed(value)?)),
        "$timestamp" => {
            return Some(ResultValue::Time(match value.as_i64() {
                Some(micros) => Timestamp(micros),
                None => Timestamp::parse(value.as_str()?).ok()?,
            }));
        }
        "$date" => Temporal::Date(parsed(value)?),
        "$localtime" => Temporal::LocalTime(parsed(value)?),
        "$time" => Temporal::Time(parsed(value)?, offset()?),
        "$localdatetime" => Temporal::LocalDateTime(parsed(value)?),
        "$datetime" => {
            let zone = match fields.get("zone") {
                Some(zone) => Some(Arc::from(zone.as_str()?)),
                None => None,
            };
            Temporal::DateTime(parsed(value)?, offset()?, zone)
        }
        "$duration" => {
            let part = |name: &str| value.get(name)?.as_i64();
            let nanos = i32::try_from(part("nanos")?).ok().filter(|nanos| (0..1_000_000_000).contains(nanos))?;
            let (months, days, seconds) = (part("months")?, part("days")?, part("seconds")?);
            Temporal::Duration(Duration { months, days, seconds, nanos })
        }
        _ => return None,
    };
    Some(ResultValue::Temporal(Arc::new(temporal)))
}
