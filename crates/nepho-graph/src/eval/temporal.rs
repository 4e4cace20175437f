//! Functions over dates, times and durations. Text that is no time gives an error; what is beyond the calendar too.

use std::sync::Arc;

use nepho_model::Timestamp;

use super::functions::wrap;
use super::wrong_type;
use crate::error::{ErrorCode, Outcome, QueryError, Span};
use crate::functions::Function;
use crate::ir::BinaryOp;
use crate::value::{Duration, ResultValue as V, Temporal};

/// Microseconds since the epoch of a point in time, or of text that is one.
pub(super) fn instant_micros(value: &V) -> Option<i64> {
    match value {
        V::Time(time) => Some(time.0),
        V::Temporal(of) => match &**of {
            Temporal::Date(_) | Temporal::LocalDateTime(_) => Timestamp::parse(&of.to_string()).ok().map(|time| time.0),
            of => i64::try_from(of.instant_nanos()? / 1000).ok(),
        },
        V::String(text) => Timestamp::parse(text).ok().map(|time| time.0),
        _ => None,
    }
}

/// `value.name`.
pub(super) fn component(_of: &V, _name: &Arc<str>) -> Option<V> {
    None
}

/// Sums and differences.
pub(super) fn arithmetic(op: BinaryOp, left: &V, right: &V, span: Span) -> Outcome<V> {
    let beyond = || QueryError::new(ErrorCode::NumberOutOfRange, span, "the result is beyond the calendar");
    let of = |value: &V| match value {
        V::Time(time) => Temporal::from_timestamp(*time),
        V::Temporal(of) => Some((**of).clone()),
        _ => None,
    };
    match (op, of(left), of(right)) {
        (BinaryOp::Add, Some(Temporal::Duration(length)), Some(time)) if !matches!(time, Temporal::Duration(_)) => {
            time.plus(length).map(wrap).ok_or_else(beyond)
        }
        (BinaryOp::Add, Some(time), Some(Temporal::Duration(length))) => {
            time.plus(length).map(wrap).ok_or_else(beyond)
        }
        (BinaryOp::Subtract, Some(time), Some(Temporal::Duration(length))) => {
            length.negated().and_then(|length| time.plus(length)).map(wrap).ok_or_else(beyond)
        }
        (BinaryOp::Multiply | BinaryOp::Divide, Some(Temporal::Duration(length)), None) => {
            scaled(length, right, op, span).and_then(|length| length.map(wrap_duration).ok_or_else(beyond))
        }
        (BinaryOp::Multiply, None, Some(Temporal::Duration(length))) => {
            scaled(length, left, op, span).and_then(|length| length.map(wrap_duration).ok_or_else(beyond))
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
    let factor = if op == BinaryOp::Divide { 1.0 / number } else { number };
    Ok(Duration::from_parts(
        length.months as f64 * factor,
        length.days as f64 * factor,
        length.time_nanos() as f64 * factor,
    ))
}

/// A function of dates, times and durations.
pub(super) fn call(function: Function, values: &[V], clock: Timestamp, span: Span) -> Outcome<V> {
    let unsupported = || QueryError::new(ErrorCode::Unsupported, span, "this form of a time is not supported yet");
    match (function, values) {
        (Function::DateTime, []) => Ok(V::Time(clock)),
        (Function::DateTime, [V::String(text)]) => Timestamp::parse(text).map(V::Time).map_err(|error| {
            QueryError::new(ErrorCode::InvalidArgumentValue, span, error.to_string())
        }),
        (Function::DateTime, [V::Time(_)]) => Ok(values[0].clone()),
        _ => Err(unsupported()),
    }
}
