//! Functions over dates, times and durations. Text that is no time gives an error; what is beyond the calendar too.

use std::sync::Arc;

use nepho_model::Timestamp;

use super::functions::wrap;
use super::wrong_type;
use crate::error::{ErrorCode, Outcome, QueryError, Span};
use crate::functions::Function;
use crate::ir::BinaryOp;
use crate::value::temporal::{local_from_nanos, local_nanos};
use crate::value::temporal_parse::{Parts, parse, parse_duration, parse_time};
use crate::value::zone::Zone;
use crate::value::{DateTime, Duration, ResultValue as V, Temporal};

mod between;
mod build;
mod component;
mod truncate;

pub(super) use component::component;

/// Which of the five a function makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Want {
    Date,
    LocalTime,
    Time,
    LocalDateTime,
    DateTime,
}

/// Microseconds since the epoch of a point in time, or of text that is one.
pub(super) fn instant_micros(value: &V) -> Option<i64> {
    match value {
        V::Time(time) => Some(time.0),
        V::Temporal(of) => {
            let nanos = match &**of {
                Temporal::Date(date) => local_nanos(DateTime::from_parts(*date, jiff::civil::Time::midnight())),
                Temporal::LocalDateTime(at) => local_nanos(*at),
                of => of.instant_nanos()?,
            };
            i64::try_from(nanos / 1000).ok()
        }
        V::String(text) => Timestamp::parse(text).ok().map(|time| time.0),
        _ => None,
    }
}

/// The temporal that a value is.
fn as_temporal(value: &V) -> Option<Temporal> {
    match value {
        V::Time(time) => Temporal::from_timestamp(*time),
        V::Temporal(of) => Some((**of).clone()),
        _ => None,
    }
}

/// The parts of a point in time; `None` for durations and what is no time.
fn parts_of(value: &V) -> Option<Parts> {
    Some(match as_temporal(value)? {
        Temporal::Date(date) => Parts { date: Some(date), ..Parts::default() },
        Temporal::LocalTime(time) => Parts { time: Some(time), ..Parts::default() },
        Temporal::Time(time, offset) => Parts { time: Some(time), offset: Some(offset), ..Parts::default() },
        Temporal::LocalDateTime(at) => Parts { date: Some(at.date), time: Some(at.time), ..Parts::default() },
        Temporal::DateTime(at, offset, zone) => {
            Parts { date: Some(at.date), time: Some(at.time), offset: Some(offset), zone }
        }
        Temporal::Duration(_) => return None,
    })
}

/// Puts parts together; a time that is missing is midnight, an offset UTC.
fn make(want: Want, parts: Parts, span: Span) -> Outcome<V> {
    let time = parts.time.unwrap_or(jiff::civil::Time::midnight());
    let date = || parts.date.ok_or_else(|| QueryError::new(ErrorCode::InvalidArgumentValue, span, "a date is missing"));
    Ok(wrap(match want {
        Want::Date => Temporal::Date(date()?),
        Want::LocalTime => Temporal::LocalTime(time),
        Want::Time => Temporal::Time(time, build::offset(&parts, span)?),
        Want::LocalDateTime => Temporal::LocalDateTime(DateTime::from_parts(date()?, time)),
        Want::DateTime => {
            let at = DateTime::from_parts(date()?, time);
            let (at, offset) = match &parts.zone {
                Some(name) => build::in_zone(name, at, parts.offset, span)?,
                None => (at, parts.offset.unwrap_or(0)),
            };
            Temporal::DateTime(at, offset, parts.zone.clone())
        }
    }))
}

/// The same instant at another offset.
fn moved(at: DateTime, from: i32, to: i32) -> Option<DateTime> {
    local_from_nanos(local_nanos(at) + i128::from(to - from) * 1_000_000_000)
}

/// Sums and differences.
pub(super) fn arithmetic(op: BinaryOp, left: &V, right: &V, span: Span) -> Outcome<V> {
    let beyond = || QueryError::new(ErrorCode::NumberOutOfRange, span, "the result is beyond the calendar");
    match (op, as_temporal(left), as_temporal(right)) {
        (BinaryOp::Add, Some(Temporal::Duration(length)), Some(time)) if !matches!(time, Temporal::Duration(_)) => {
            time.plus(length).map(wrap).ok_or_else(beyond)
        }
        (BinaryOp::Add, Some(time), Some(Temporal::Duration(length))) => time.plus(length).map(wrap).ok_or_else(beyond),
        (BinaryOp::Subtract, Some(time), Some(Temporal::Duration(length))) => {
            length.negated().and_then(|length| time.plus(length)).map(wrap).ok_or_else(beyond)
        }
        (BinaryOp::Multiply | BinaryOp::Divide, Some(Temporal::Duration(length)), None) => {
            scaled(length, right, op, span)?.map(wrap_duration).ok_or_else(beyond)
        }
        (BinaryOp::Multiply, None, Some(Temporal::Duration(length))) => {
            scaled(length, left, op, span)?.map(wrap_duration).ok_or_else(beyond)
        }
        (_, None, _) => Err(wrong_type(span, "a date, time or duration", left)),
        _ => Err(wrong_type(span, "a duration", right)),
    }
}

fn wrap_duration(length: Duration) -> V {
    wrap(Temporal::Duration(length))
}

fn scaled(length: Duration, by: &V, op: BinaryOp, span: Span) -> Outcome<Option<Duration>> {
    let number = match by {
        V::Int(whole) => *whole as f64,
        V::Float(number) => *number,
        other => return Err(wrong_type(span, "a number", other)),
    };
    let scale = |amount: f64| if op == BinaryOp::Divide { amount / number } else { amount * number };
    Ok(Duration::from_parts(scale(length.months as f64), scale(length.days as f64), scale(length.time_nanos() as f64)))
}

/// A function of dates, times and durations.
pub(super) fn call(function: Function, values: &[V], clock: Timestamp, span: Span) -> Outcome<V> {
    use Function as F;
    let wrong = |message: String| QueryError::new(ErrorCode::InvalidArgumentValue, span, message);
    let want = match function {
        F::Date | F::DateTruncate => Want::Date,
        F::LocalTime | F::LocalTimeTruncate => Want::LocalTime,
        F::Time | F::TimeTruncate => Want::Time,
        F::LocalDateTime | F::LocalDateTimeTruncate => Want::LocalDateTime,
        _ => Want::DateTime,
    };
    match function {
        F::Duration => match values {
            [V::String(text)] => parse_duration(text)
                .map(wrap_duration)
                .ok_or_else(|| wrong(format!("`{text}` is no ISO 8601 duration such as P90D"))),
            [V::Map(fields)] => build::duration(fields, span).map(wrap_duration),
            [V::Temporal(of)] if matches!(**of, Temporal::Duration(_)) => Ok(values[0].clone()),
            [other] => Err(wrong_type(span, "a string or map", other)),
            _ => Ok(V::Null),
        },
        F::DurationBetween | F::DurationInDays | F::DurationInMonths | F::DurationInSeconds => match values {
            [from, to] => between::between(function, from, to, span).map(wrap_duration),
            _ => Ok(V::Null),
        },
        F::DateTimeFromEpoch | F::DateTimeFromEpochMillis => {
            let nanos = match (function, values) {
                (F::DateTimeFromEpoch, [V::Int(seconds), V::Int(nanos)]) => {
                    i128::from(*seconds) * 1_000_000_000 + i128::from(*nanos)
                }
                (F::DateTimeFromEpochMillis, [V::Int(millis)]) => i128::from(*millis) * 1_000_000,
                _ => return Err(wrong("whole numbers are expected here".to_owned())),
            };
            let at = local_from_nanos(nanos).ok_or_else(|| wrong("the time is beyond the calendar".to_owned()))?;
            Ok(wrap(Temporal::DateTime(at, 0, None)))
        }
        F::DateTruncate | F::LocalTimeTruncate | F::TimeTruncate | F::LocalDateTimeTruncate | F::DateTimeTruncate => {
            truncate::truncate(want, values, clock, span)
        }
        _ => match values {
            [] if want == Want::DateTime => Ok(V::Time(clock)),
            [] => make(want, parts_of(&V::Time(clock)).unwrap_or_default(), span),
            [V::String(text)] => {
                // `2140` is a time of day here, and a year elsewhere.
                let time = matches!(want, Want::LocalTime | Want::Time).then(|| parse_time(text)).flatten();
                let Some(parts) = time.or_else(|| parse(text)) else {
                    if Zone::named(text).is_some() {
                        return now(
                            want,
                            &std::iter::once(("timezone".into(), values[0].clone())).collect(),
                            clock,
                            span,
                        );
                    }
                    return Err(wrong(format!("`{text}` is no ISO 8601 date or time")));
                };
                let parts = build::zoned(parts, span)?;
                make(want, parts, span)
            }
            [V::Map(fields)] if fields.len() == 1 && fields.contains_key("timezone") => now(want, fields, clock, span),
            [V::Map(fields)] => build::from_map(want, fields, Parts::default(), span),
            [value @ V::Time(_)] if want == Want::DateTime => Ok(value.clone()),
            [other] => {
                let parts = parts_of(other).ok_or_else(|| wrong_type(span, "a date, time, string or map", other))?;
                make(want, parts, span)
            }
            _ => Ok(V::Null),
        },
    }
}

/// The clock's time in the zone that the fields name.
fn now(want: Want, fields: &build::Fields, clock: Timestamp, span: Span) -> Outcome<V> {
    build::from_map(want, fields, parts_of(&V::Time(clock)).unwrap_or_default(), span)
}

/// A map's field as text.
fn text_field(fields: &std::collections::BTreeMap<Arc<str>, V>, name: &str) -> Option<Arc<str>> {
    match fields.get(name) {
        Some(V::String(text)) => Some(text.clone()),
        _ => None,
    }
}
