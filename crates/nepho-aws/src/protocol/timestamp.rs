//! Timestamps on the wire, and as the AWS CLI prints them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Number, Value as Json};

use crate::model::TimestampFormat;

/// Reads a timestamp in any of the wire forms; which one is told by its look, as botocore does.
pub fn read(value: &Json) -> Option<Timestamp> {
    match value {
        Json::Number(number) => from_seconds(number.as_f64()?),
        Json::String(text) => read_text(text.trim()),
        _ => None,
    }
}

fn from_seconds(seconds: f64) -> Option<Timestamp> {
    let time = nepho_model::Timestamp::from_epoch_seconds(seconds)?;
    Timestamp::from_microsecond(time.0).ok()
}

fn read_text(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    if let Ok(seconds) = text.parse::<f64>() {
        return from_seconds(seconds);
    }
    if let Ok(time) = jiff::fmt::rfc2822::parse(text) {
        return Some(time.timestamp());
    }
    // `2020-01-01T00:00:00+0000`, which jiff wants with a colon or not at all.
    if let Ok(time) = jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%S%.f%z", text).and_then(|time| time.to_timestamp()) {
        return Some(time);
    }
    nepho_model::Timestamp::parse(text).ok().and_then(|time| Timestamp::from_microsecond(time.0).ok())
}

/// The same moment in the standard library's terms; `None` before 1970.
pub fn to_system(time: Timestamp) -> Option<std::time::SystemTime> {
    let micros = u64::try_from(time.as_microsecond()).ok()?;
    std::time::SystemTime::UNIX_EPOCH.checked_add(std::time::Duration::from_micros(micros))
}

/// ISO 8601 with offset, as the AWS CLI v2 prints: `2026-01-01T00:00:00+00:00`, with six digits where there is a
/// fraction.
pub fn print(time: Timestamp) -> String {
    let civil: DateTime = TimeZone::UTC.to_datetime(time);
    let micros = civil.subsec_nanosecond().checked_div(1_000).unwrap_or(0);
    let seconds = civil.strftime("%Y-%m-%dT%H:%M:%S");
    if micros == 0 { format!("{seconds}+00:00") } else { format!("{seconds}.{micros:06}+00:00") }
}

/// A timestamp of an answer as JSON text; what can't be read stays as it came, so that only the property is unknown.
pub fn answer(value: &Json) -> Json {
    read(value).map_or_else(|| value.clone(), |time| Json::String(print(time)))
}

/// Writes a parameter (ISO 8601 text or seconds) in a wire form.
pub fn write(value: &Json, format: TimestampFormat) -> Option<Json> {
    let time = read(value)?;
    let whole = time.subsec_nanosecond() == 0;
    Some(match format {
        TimestampFormat::Unix if whole => Json::Number(time.as_second().into()),
        TimestampFormat::Unix => Json::Number(Number::from_f64(time.as_duration().as_secs_f64())?),
        TimestampFormat::Iso8601 if whole => Json::String(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        TimestampFormat::Iso8601 => Json::String(time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()),
        TimestampFormat::Rfc822 => Json::String(time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()),
    })
}
