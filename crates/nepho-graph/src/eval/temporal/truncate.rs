//! Points in time cut to a unit.

use jiff::civil::Time;
use nepho_model::Timestamp;

use super::{Want, build, parts_of};
use crate::error::{ErrorCode, Outcome, QueryError, Span};
use crate::eval::wrong_type;
use crate::value::temporal_parse::Parts;
use crate::value::{Date, ResultValue as V};

/// `date.truncate(unit, time, fields)` and its kin.
pub(super) fn truncate(want: Want, values: &[V], clock: Timestamp, span: Span) -> Outcome<V> {
    let now = V::Time(clock);
    let none = V::Map(std::sync::Arc::default());
    let (unit, of, fields) = match values {
        [unit] => (unit, &now, &none),
        [unit, of] => (unit, of, &none),
        [unit, of, fields, ..] => (unit, of, fields),
        [] => return Ok(V::Null),
    };
    let V::String(unit) = unit else { return Err(wrong_type(span, "a unit", unit)) };
    let V::Map(fields) = fields else { return Err(wrong_type(span, "a map", fields)) };
    let parts = parts_of(of).ok_or_else(|| wrong_type(span, "a date or time", of))?;
    let wrong = |message: String| QueryError::new(ErrorCode::InvalidArgumentValue, span, message);
    let unit = unit.to_lowercase();
    let time_unit = matches!(unit.as_str(), "hour" | "minute" | "second" | "millisecond" | "microsecond");
    if want == Want::Date && time_unit {
        return Err(wrong(format!("a date cannot be cut to `{unit}`")));
    }
    let mut cut = Parts { zone: parts.zone.clone(), offset: parts.offset, ..Parts::default() };
    if time_unit {
        cut.date = parts.date;
        cut.time = Some(cut_time(parts.time.unwrap_or(Time::midnight()), &unit));
    } else {
        cut.time = Some(Time::midnight());
        cut.date = match parts.date {
            Some(date) => Some(cut_date(date, &unit).ok_or_else(|| wrong(format!("there is no unit `{unit}`")))?),
            None if unit == "day" => None,
            None => return Err(wrong(format!("a time of day cannot be cut to `{unit}`"))),
        };
    }
    // A zone in the fields names the result's; the cut time is local to it.
    if fields.contains_key("timezone") {
        cut.offset = None;
        cut.zone = None;
    }
    build::from_map(want, fields, cut, span)
}

fn cut_time(time: Time, unit: &str) -> Time {
    let nanos = time.subsec_nanosecond();
    let (minute, second, nanos) = match unit {
        "hour" => (0, 0, 0),
        "minute" => (time.minute(), 0, 0),
        "second" => (time.minute(), time.second(), 0),
        "millisecond" => (time.minute(), time.second(), nanos / 1_000_000 * 1_000_000),
        _ => (time.minute(), time.second(), nanos / 1000 * 1000),
    };
    Time::new(time.hour(), minute, second, nanos).unwrap_or(time)
}

fn cut_date(date: Date, unit: &str) -> Option<Date> {
    let year = date.year();
    let years = |unit: i64| Date::new(year.div_euclid(unit) * unit, 1, 1);
    match unit {
        "millennium" => years(1000),
        "century" => years(100),
        "decade" => years(10),
        "year" => years(1),
        "weekyear" => Date::from_week(date.week().0, 1, 1),
        "quarter" => Date::new(year, date.quarter().0 * 3 - 2, 1),
        "month" => Date::new(year, date.month(), 1),
        "week" => Date::from_days(date.days() - (date.weekday() - 1)),
        "day" => Some(date),
        _ => None,
    }
}
