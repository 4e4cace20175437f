//! Durations between two points in time.

use std::sync::Arc;

use jiff::civil::Time;

use super::build::in_zone;
use super::{moved, parts_of};
use crate::error::{ErrorCode, Outcome, QueryError, Span};
use crate::eval::wrong_type;
use crate::functions::Function;
use crate::value::temporal::{NANOS, local_from_nanos, local_nanos};
use crate::value::temporal_parse::Parts;
use crate::value::zone::Zone;
use crate::value::{Date, DateTime, Duration, ResultValue as V};

const DAY: i128 = 86_400_000_000_000;

/// `duration.between` and its kin: in the largest units first, all of one sign.
pub(super) fn between(function: Function, from: &V, to: &V, span: Span) -> Outcome<Duration> {
    let of = |value: &V| parts_of(value).ok_or_else(|| wrong_type(span, "a date or time", value));
    let (from, to) = (of(from)?, of(to)?);
    let beyond = || QueryError::new(ErrorCode::NumberOutOfRange, span, "the duration is beyond the range");
    let days_are_known = from.date.is_some() && to.date.is_some();
    let (start, end) = (side(&from, &to, span)?, side(&to, &from, span)?);
    // Seen from the first's zone.
    let zone = start.2.as_deref().and_then(Zone::named);
    let (start_nanos, end_nanos) = (instant(&start), instant(&end));
    let total = end_nanos - start_nanos;
    let end = match &zone {
        Some(zone) => zone.at_instant(end_nanos).ok_or_else(beyond)?.0,
        None => moved(end.0, end.1, start.1).ok_or_else(beyond)?,
    };
    let (start, offset) = (start.0, start.1);
    let found = match function {
        Function::DurationInSeconds => Duration::new(0, 0, total),
        Function::DurationInDays | Function::DurationInMonths if !days_are_known => Some(Duration::default()),
        _ if !days_are_known => Duration::new(0, 0, total),
        Function::DurationInDays => Duration::new(0, ((local_nanos(end) - local_nanos(start)) / DAY) as i64, 0),
        Function::DurationInMonths => Duration::new(whole_months(start, end), 0, 0),
        _ => {
            let months = whole_months(start, end);
            let reached = start.date.plus_months(months).ok_or_else(beyond)?;
            let reached = local_nanos(DateTime::from_parts(reached, start.time));
            let days = (local_nanos(end) - reached) / DAY;
            let reached = local_from_nanos(reached + days * DAY).ok_or_else(beyond)?;
            let reached = match &zone {
                Some(zone) => zone.keep(reached, offset).ok_or_else(beyond)?,
                None => (reached, offset),
            };
            Duration::new(months, days as i64, end_nanos - instant(&(reached.0, reached.1, None)))
        }
    };
    found.ok_or_else(beyond)
}

/// A local time, its offset and its zone's name.
type Side = (DateTime, i32, Option<Arc<str>>);

/// One end; what it has no day or zone for, it has from the other.
fn side(own: &Parts, other: &Parts, span: Span) -> Outcome<Side> {
    let day = own.date.or(other.date).unwrap_or(Date::IN_2000);
    let at = DateTime::from_parts(day, own.time.unwrap_or(Time::midnight()));
    Ok(match (own.offset, &own.zone, &other.zone) {
        (Some(offset), zone, _) => (at, offset, zone.clone()),
        (None, _, Some(name)) => {
            let (at, offset) = in_zone(name, at, None, span)?;
            (at, offset, Some(name.clone()))
        }
        (None, ..) => (at, other.offset.unwrap_or(0), None),
    })
}

fn instant(side: &Side) -> i128 {
    local_nanos(side.0) - i128::from(side.1) * NANOS
}

/// Whole months from one to the other, towards zero.
fn whole_months(start: DateTime, end: DateTime) -> i64 {
    let of = |at: DateTime| at.date.year() * 12 + at.date.month();
    let months = of(end) - of(start);
    let Some(reached) = start.date.plus_months(months) else { return months };
    let reached = DateTime::from_parts(reached, start.time);
    if months > 0 && reached > end {
        months - 1
    } else if months < 0 && reached < end {
        months + 1
    } else {
        months
    }
}
