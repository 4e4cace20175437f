//! Parts of a date, time or duration by name.

use jiff::civil::Time;

use super::as_temporal;
use crate::value::{Date, Duration, ResultValue as V, Temporal};

/// `value.name`; `None` when it has no such part.
pub(in crate::eval) fn component(of: &V, name: &str) -> Option<V> {
    let name = name.to_lowercase();
    match as_temporal(of)? {
        Temporal::Date(date) => of_date(date, &name),
        Temporal::LocalTime(time) => of_time(time, &name),
        Temporal::Time(time, offset) => of_time(time, &name).or_else(|| of_offset(offset, None, &name)),
        Temporal::LocalDateTime(at) => of_date(at.date, &name).or_else(|| of_time(at.time, &name)),
        ref whole @ Temporal::DateTime(at, offset, ref zone) => {
            let nanos = whole.instant_nanos().unwrap_or(0);
            match name.as_str() {
                "epochseconds" => i64::try_from(nanos.div_euclid(1_000_000_000)).ok().map(V::Int),
                "epochmillis" => i64::try_from(nanos.div_euclid(1_000_000)).ok().map(V::Int),
                _ => of_date(at.date, &name)
                    .or_else(|| of_time(at.time, &name))
                    .or_else(|| of_offset(offset, zone.as_deref(), &name)),
            }
        }
        Temporal::Duration(length) => of_duration(length, &name),
    }
}

fn of_date(date: Date, name: &str) -> Option<V> {
    Some(V::Int(match name {
        "year" => date.year(),
        "quarter" => date.quarter().0,
        "month" => date.month(),
        "week" => date.week().1,
        "weekyear" => date.week().0,
        "dayofquarter" | "quarterday" => date.quarter().1,
        "day" => date.day(),
        "ordinalday" => date.day_of_year(),
        "dayofweek" | "weekday" => date.weekday(),
        _ => return None,
    }))
}

fn of_time(time: Time, name: &str) -> Option<V> {
    let nanos = i64::from(time.subsec_nanosecond());
    Some(V::Int(match name {
        "hour" => i64::from(time.hour()),
        "minute" => i64::from(time.minute()),
        "second" => i64::from(time.second()),
        "millisecond" => nanos / 1_000_000,
        "microsecond" => nanos / 1000,
        "nanosecond" => nanos,
        _ => return None,
    }))
}

fn of_offset(offset: i32, zone: Option<&str>, name: &str) -> Option<V> {
    let shown = || {
        // The text of an offset alone is the end of a time's.
        let text = Temporal::Time(Time::midnight(), offset).to_string();
        text.trim_start_matches("00:00").to_owned()
    };
    Some(match name {
        "timezone" => zone.map_or_else(|| V::from(shown()), V::from),
        "offset" => V::from(shown()),
        "offsetminutes" => V::Int(i64::from(offset / 60)),
        "offsetseconds" => V::Int(i64::from(offset)),
        _ => return None,
    })
}

fn of_duration(length: Duration, name: &str) -> Option<V> {
    let nanos = i64::from(length.nanos);
    let seconds = length.seconds;
    let whole = |unit: i128| i64::try_from(length.time_nanos().div_euclid(unit)).ok();
    Some(V::Int(match name {
        "years" => length.months / 12,
        "quarters" => length.months / 3,
        "months" => length.months,
        "weeks" => length.days / 7,
        "days" => length.days,
        "hours" => seconds / 3600,
        "minutes" => seconds / 60,
        "seconds" => seconds,
        "milliseconds" => whole(1_000_000)?,
        "microseconds" => whole(1000)?,
        "nanoseconds" => whole(1)?,
        "quartersofyear" => length.months / 3 % 4,
        "monthsofquarter" => length.months % 3,
        "monthsofyear" => length.months % 12,
        "daysofweek" => length.days % 7,
        "minutesofhour" => seconds / 60 % 60,
        "secondsofminute" => seconds % 60,
        "millisecondsofsecond" => nanos / 1_000_000,
        "microsecondsofsecond" => nanos / 1000,
        "nanosecondsofsecond" => nanos,
        _ => return None,
    }))
}
