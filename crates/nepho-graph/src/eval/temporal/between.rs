//! Durations between two points in time.

use jiff::civil::{Date, DateTime, Time};

use super::{moved, parts_of};
use crate::error::{ErrorCode, Outcome, QueryError, Span};
use crate::eval::wrong_type;
use crate::functions::Function;
use crate::value::temporal::{date_days, date_plus_months, local_nanos, time_nanos};
use crate::value::{Duration, ResultValue as V};

const DAY: i128 = 86_400_000_000_000;

/// `duration.between` and its kin: in the largest units first, all of one sign.
pub(super) fn between(function: Function, from: &V, to: &V, span: Span) -> Outcome<Duration> {
    let of = |value: &V| parts_of(value).ok_or_else(|| wrong_type(span, "a date or time", value));
    let (from, mut to) = (of(from)?, of(to)?);
    let beyond = || QueryError::new(ErrorCode::NumberOutOfRange, span, "the duration is beyond the range");
    let midnight = Time::midnight();
    // Two offsets: by the instant, seen from the first's.
    let day = Date::constant(2000, 1, 1);
    if let (Some(own), Some(other)) = (from.offset, to.offset)
        && own != other
    {
        let at = DateTime::from_parts(to.date.unwrap_or(day), to.time.unwrap_or(midnight));
        if to.date.is_some() && from.date.is_some() {
            let at = moved(at, other, own).ok_or_else(beyond)?;
            to.date = Some(at.date());
            to.time = Some(at.time());
        } else {
            // Times of day alone: no day to turn over.
            let nanos = time_nanos(to.time.unwrap_or(midnight)) - time_nanos(from.time.unwrap_or(midnight))
                + i128::from(own - other) * 1_000_000_000;
            return match function {
                Function::DurationInMonths | Function::DurationInDays => Ok(Duration::default()),
                _ => Duration::new(0, 0, nanos).ok_or_else(beyond),
            };
        }
    }
    let (first, last) = (from.time.unwrap_or(midnight), to.time.unwrap_or(midnight));
    let (Some(start), Some(end)) = (from.date, to.date) else {
        let nanos = time_nanos(last) - time_nanos(first);
        return match function {
            Function::DurationInMonths | Function::DurationInDays => Ok(Duration::default()),
            _ => Duration::new(0, 0, nanos).ok_or_else(beyond),
        };
    };
    let (start, end) = (DateTime::from_parts(start, first), DateTime::from_parts(end, last));
    let total = local_nanos(end) - local_nanos(start);
    let found = match function {
        Function::DurationInSeconds => Duration::new(0, 0, total),
        Function::DurationInDays => Duration::new(0, (total / DAY) as i64, 0),
        _ => {
            let months = whole_months(start, end);
            if function == Function::DurationInMonths {
                Duration::new(months, 0, 0)
            } else {
                let reached = date_plus_months(start.date(), months).ok_or_else(beyond)?;
                let rest =
                    i128::from(date_days(end.date()) - date_days(reached)) * DAY + time_nanos(last) - time_nanos(first);
                Duration::new(months, (rest / DAY) as i64, rest % DAY)
            }
        }
    };
    found.ok_or_else(beyond)
}

/// Whole months from one to the other, towards zero.
fn whole_months(start: DateTime, end: DateTime) -> i64 {
    let of = |at: DateTime| i64::from(at.year()) * 12 + i64::from(at.month());
    let months = of(end) - of(start);
    let Some(reached) = date_plus_months(start.date(), months) else { return months };
    let reached = DateTime::from_parts(reached, start.time());
    if months > 0 && reached > end {
        months - 1
    } else if months < 0 && reached < end {
        months + 1
    } else {
        months
    }
}
