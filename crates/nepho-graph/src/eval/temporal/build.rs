//! Points in time and durations out of maps.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Time;

use super::{Want, make, moved, parts_of, text_field};
use crate::error::{ErrorCode, Outcome, QueryError, Span};
use crate::value::temporal::{NANOS, local_nanos};
use crate::value::temporal_parse::{Parts, parse_offset};
use crate::value::zone::Zone;
use crate::value::{Date, DateTime, Duration, ResultValue as V};

pub(super) type Fields = BTreeMap<Arc<str>, V>;

fn wrong(span: Span, message: impl Into<String>) -> Box<QueryError> {
    QueryError::new(ErrorCode::InvalidArgumentValue, span, message)
}

fn whole(fields: &Fields, name: &str, span: Span) -> Outcome<Option<i64>> {
    match fields.get(name) {
        None => Ok(None),
        Some(V::Int(whole)) => Ok(Some(*whole)),
        Some(other) => Err(wrong(span, format!("`{name}` is a whole number, not {}", other.type_name()))),
    }
}

/// Text's zone by the name that the database has; an offset written beside it must be one that the zone has then.
pub(super) fn zoned(mut parts: Parts, span: Span) -> Outcome<Parts> {
    let Some(name) = &parts.zone else { return Ok(parts) };
    let zone = zone(name, span)?;
    if let (Some(date), Some(time), Some(offset)) = (parts.date, parts.time, parts.offset)
        && !zone.has_offset(DateTime::from_parts(date, time), offset)
    {
        return Err(wrong(span, format!("`{name}` has another offset at that time")));
    }
    parts.zone = zone.name().or(parts.zone);
    Ok(parts)
}

fn zone(name: &str, span: Span) -> Outcome<Zone> {
    Zone::named(name).ok_or_else(|| {
        wrong(span, format!("there is no time zone `{name}`"))
            .with_help("write a name such as `Europe/Stockholm`, or an offset such as `+01:00`")
    })
}

/// A local time in a zone, with the offset that was known before where it still holds.
pub(super) fn in_zone(name: &str, at: DateTime, known: Option<i32>, span: Span) -> Outcome<(DateTime, i32)> {
    let zone = zone(name, span)?;
    let found = known.map_or_else(|| zone.local(at), |offset| zone.keep(at, offset));
    found.ok_or_else(|| wrong(span, "the time is beyond the calendar"))
}

/// The offset of a time of day.
pub(super) fn offset(parts: &Parts, span: Span) -> Outcome<i32> {
    match (&parts.zone, parts.offset, parts.date) {
        (_, Some(offset), _) => Ok(offset),
        (None, None, _) => Ok(0),
        (Some(name), None, Some(date)) => {
            let at = DateTime::from_parts(date, parts.time.unwrap_or(Time::midnight()));
            Ok(in_zone(name, at, None, span)?.1)
        }
        (Some(name), None, None) => {
            Err(wrong(span, format!("which offset `{name}` has depends on the day, and a time of day has none"))
                .with_help("write an offset such as `+01:00`"))
        }
    }
}

/// A point in time out of a map, with what it leaves out taken from `base`.
pub(super) fn from_map(want: Want, fields: &Fields, base: Parts, span: Span) -> Outcome<V> {
    let mut parts = base;
    for (name, date, time) in [("date", true, false), ("time", false, true), ("datetime", true, true)] {
        let Some(value) = fields.get(name) else { continue };
        let given = parts_of(value).ok_or_else(|| wrong(span, format!("`{name}` is no date or time")))?;
        if date {
            parts.date = given.date.or(parts.date);
        }
        if time {
            parts.time = given.time.or(parts.time);
            parts.offset = given.offset;
            parts.zone = given.zone;
        }
    }
    // The date first: which offset a zone has depends on it.
    if !matches!(want, Want::LocalTime | Want::Time) {
        parts.date = date(fields, &parts, span)?.or(parts.date);
    }
    if let Some(name) = text_field(fields, "timezone") {
        let to = match parse_offset(&name) {
            Some(offset) => Parts { offset: Some(offset), ..Parts::default() },
            None => zoned(Parts { zone: Some(name), ..Parts::default() }, span)?,
        };
        // A time that has an offset keeps its instant; one that has none gets it.
        if let (Some(mut from), Some(time)) = (parts.offset, parts.time) {
            let day = parts.date.unwrap_or(Date::IN_2000);
            let mut at = DateTime::from_parts(day, time);
            if let (Some(own), Some(_)) = (&parts.zone, parts.date) {
                (at, from) = in_zone(own, at, Some(from), span)?;
            }
            let moved = match (&to.zone, to.offset) {
                (Some(name), _) => {
                    let instant = local_nanos(at) - i128::from(from) * NANOS;
                    zone(name, span)?.at_instant(instant).map(|(at, _)| at)
                }
                (None, offset) => moved(at, from, offset.unwrap_or(0)),
            };
            let at = moved.ok_or_else(|| wrong(span, "the time is beyond the calendar"))?;
            parts.time = Some(at.time);
            parts.date = parts.date.map(|_| at.date);
        }
        parts.offset = to.offset;
        parts.zone = to.zone;
    }
    if want != Want::Date {
        parts.time = time(fields, &parts, span)?.or(parts.time);
    }
    make(want, parts, span)
}

fn date(fields: &Fields, base: &Parts, span: Span) -> Outcome<Option<Date>> {
    let field = |name: &str| whole(fields, name, span);
    let (year, month, day) = (field("year")?, field("month")?, field("day")?);
    let (week, weekday) = (field("week")?, field("dayOfWeek")?);
    let (quarter, of_quarter, ordinal) = (field("quarter")?, field("dayOfQuarter")?, field("ordinalDay")?);
    let given = [year, month, day, week, weekday, quarter, of_quarter, ordinal];
    if given.iter().all(Option::is_none) {
        return Ok(None);
    }
    let known = base.date;
    let missing = || wrong(span, "a date needs a `year`");
    let years = || year.or(known.map(Date::year)).ok_or_else(missing);
    let found = if week.is_some() || weekday.is_some() {
        let of = known.map(Date::week);
        let years = year.or(of.map(|of| of.0)).ok_or_else(missing)?;
        let weeks = week.or(of.map(|of| of.1)).unwrap_or(1);
        let day = weekday.or(known.map(Date::weekday)).unwrap_or(1);
        Date::from_week(years, weeks, day)
    } else if quarter.is_some() || of_quarter.is_some() {
        let own = known.map(Date::quarter);
        let quarter = quarter.or(own.map(|own| own.0)).unwrap_or(1);
        Date::from_quarter(years()?, quarter, of_quarter.or(own.map(|own| own.1)).unwrap_or(1))
    } else if let Some(ordinal) = ordinal {
        Date::from_ordinal(years()?, ordinal)
    } else {
        let month = month.or(known.map(Date::month)).unwrap_or(1);
        let day = day.or(known.map(Date::day)).unwrap_or(1);
        Date::new(years()?, month, day)
    };
    found.map(Some).ok_or_else(|| wrong(span, "there is no such date"))
}

fn time(fields: &Fields, base: &Parts, span: Span) -> Outcome<Option<Time>> {
    let field = |name: &str| whole(fields, name, span);
    let (hour, minute, second) = (field("hour")?, field("minute")?, field("second")?);
    let (milli, micro, nano) = (field("millisecond")?, field("microsecond")?, field("nanosecond")?);
    if [hour, minute, second, milli, micro, nano].iter().all(Option::is_none) {
        return Ok(None);
    }
    let known = base.time.unwrap_or(Time::midnight());
    let own = i64::from(known.subsec_nanosecond());
    // A finer part keeps the coarser ones of the base, unless it is large enough to hold them itself.
    let fine = nano.unwrap_or(own % 1000);
    let middle = micro.unwrap_or(if fine < 1000 { own / 1000 % 1000 } else { 0 });
    let coarse = milli.unwrap_or(if middle < 1000 && fine < 1_000_000 { own / 1_000_000 } else { 0 });
    let nanos = coarse
        .checked_mul(1_000_000)
        .and_then(|sum| sum.checked_add(middle.checked_mul(1000)?))
        .and_then(|sum| sum.checked_add(fine));
    let small = |given: Option<i64>, known: i8| given.map_or(Some(known), |given| i8::try_from(given).ok());
    let built = small(hour, known.hour())
        .zip(small(minute, known.minute()))
        .zip(small(second, known.second()))
        .zip(nanos.and_then(|nanos| i32::try_from(nanos).ok()))
        .and_then(|(((hour, minute), second), nanos)| Time::new(hour, minute, second, nanos).ok());
    built.map(Some).ok_or_else(|| wrong(span, "there is no such time of day"))
}

/// A duration out of a map of amounts, whole or not.
pub(super) fn duration(fields: &Fields, span: Span) -> Outcome<Duration> {
    let (mut months, mut days, mut nanos) = (0.0, 0.0, 0.0);
    let mut exact: i128 = 0;
    for (name, value) in fields {
        let (amount, whole) = match value {
            V::Int(whole) => (*whole as f64, Some(*whole)),
            V::Float(number) => (*number, None),
            other => return Err(wrong(span, format!("`{name}` is a number, not {}", other.type_name()))),
        };
        let mut time = |unit: i128| match whole {
            Some(whole) => exact += i128::from(whole) * unit,
            None => nanos += amount * unit as f64,
        };
        match &**name {
            "years" => months += amount * 12.0,
            "quarters" => months += amount * 3.0,
            "months" => months += amount,
            "weeks" => days += amount * 7.0,
            "days" => days += amount,
            "hours" => time(3_600_000_000_000),
            "minutes" => time(60_000_000_000),
            "seconds" => time(1_000_000_000),
            "milliseconds" => time(1_000_000),
            "microseconds" => time(1000),
            "nanoseconds" => time(1),
            other => return Err(wrong(span, format!("a duration has no `{other}`"))),
        }
    }
    Duration::from_parts(months, days, nanos)
        .and_then(|length| length.plus(Duration::new(0, 0, exact)?))
        .ok_or_else(|| wrong(span, "the duration is beyond the range"))
}
