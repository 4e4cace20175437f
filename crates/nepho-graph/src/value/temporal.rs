//! Dates, times and durations of openCypher: their order and their arithmetic. Text is in `temporal_text`.
//!
//! Zones other than offsets are kept by name with the offset they had at that time.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use jiff::civil::Time;
use nepho_model::Timestamp;

use super::calendar::{Date, DateTime};
use super::zone::Zone;

pub(crate) const NANOS: i128 = 1_000_000_000;
const DAY_NANOS: i128 = 86_400 * NANOS;

/// A date, a time or a duration.
#[derive(Clone, Debug, PartialEq)]
pub enum Temporal {
    /// A day.
    Date(Date),
    /// A time of day without offset.
    LocalTime(Time),
    /// A time of day with an offset in seconds.
    Time(Time, i32),
    /// A day and time without offset.
    LocalDateTime(DateTime),
    /// A local day and time, its offset in seconds, and the zone's name where it has one.
    DateTime(DateTime, i32, Option<Arc<str>>),
    /// A length of time.
    Duration(Duration),
}

/// A length of time in the four parts that openCypher keeps apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Duration {
    /// Whole months.
    pub months: i64,
    /// Whole days.
    pub days: i64,
    /// Whole seconds, of the same sign as the whole or less by one than it.
    pub seconds: i64,
    /// Nanoseconds of a second, 0 to 999,999,999.
    pub nanos: i32,
}

impl Duration {
    /// From months, days and nanoseconds; `None` beyond the range.
    pub fn new(months: i64, days: i64, nanos: i128) -> Option<Self> {
        let seconds = i64::try_from(nanos.div_euclid(NANOS)).ok()?;
        Some(Self { months, days, seconds, nanos: nanos.rem_euclid(NANOS) as i32 })
    }

    /// The part below days, in nanoseconds.
    pub fn time_nanos(self) -> i128 {
        i128::from(self.seconds) * NANOS + i128::from(self.nanos)
    }

    /// The sum; `None` beyond the range.
    pub fn plus(self, other: Self) -> Option<Self> {
        Self::new(
            self.months.checked_add(other.months)?,
            self.days.checked_add(other.days)?,
            self.time_nanos() + other.time_nanos(),
        )
    }

    /// The opposite; `None` beyond the range.
    pub fn negated(self) -> Option<Self> {
        Self::new(self.months.checked_neg()?, self.days.checked_neg()?, -self.time_nanos())
    }

    /// Months, days and nanoseconds out of fractions: what is left of a month becomes days (30.436875 a month), what
    /// is left of a day becomes nanoseconds.
    pub fn from_parts(months: f64, days: f64, nanos: f64) -> Option<Self> {
        let whole = |number: f64| (number.abs() < 9e18).then_some(number as i64);
        let days = days + months.fract() * 30.436_875;
        let nanos = nanos + days.fract() * DAY_NANOS as f64;
        if !nanos.is_finite() || nanos.abs() > 9e27 {
            return None;
        }
        // Cut, not rounded, but for the noise of the fractions.
        let nanos = (nanos * 1000.0).round() / 1000.0;
        Self::new(whole(months.trunc())?, whole(days.trunc())?, nanos as i128)
    }

    /// The average length in nanoseconds, by which durations are ordered.
    fn average(self) -> i128 {
        i128::from(self.months) * 2_629_746 * NANOS + i128::from(self.days) * DAY_NANOS + self.time_nanos()
    }
}

/// Nanoseconds since midnight.
pub(crate) fn time_nanos(time: Time) -> i128 {
    (i128::from(time.hour()) * 3600 + i128::from(time.minute()) * 60 + i128::from(time.second())) * NANOS
        + i128::from(time.subsec_nanosecond())
}

/// The time of day so many nanoseconds after midnight, and the days over.
pub(crate) fn time_from_nanos(nanos: i128) -> (Time, i64) {
    let rest = nanos.rem_euclid(DAY_NANOS);
    let seconds = rest / NANOS;
    let time =
        Time::new((seconds / 3600) as i8, (seconds / 60 % 60) as i8, (seconds % 60) as i8, (rest % NANOS) as i32)
            .unwrap_or(Time::MIN);
    (time, nanos.div_euclid(DAY_NANOS) as i64)
}

/// A day and time as nanoseconds since 1970-01-01T00:00 local.
pub(crate) fn local_nanos(at: DateTime) -> i128 {
    i128::from(at.date.days()) * DAY_NANOS + time_nanos(at.time)
}

/// The day and time so many nanoseconds after 1970-01-01T00:00 local.
pub(crate) fn local_from_nanos(nanos: i128) -> Option<DateTime> {
    let (time, days) = time_from_nanos(nanos);
    Some(DateTime::from_parts(Date::from_days(days)?, time))
}

impl Temporal {
    /// A point in time in UTC.
    pub fn from_timestamp(time: Timestamp) -> Option<Self> {
        Some(Self::DateTime(local_from_nanos(i128::from(time.0) * 1000)?, 0, None))
    }

    /// The point in time, where this is one.
    pub fn instant_nanos(&self) -> Option<i128> {
        match self {
            Self::DateTime(at, offset, _) => Some(local_nanos(*at) - i128::from(*offset) * NANOS),
            _ => None,
        }
    }

    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Date(_) => "a date",
            Self::LocalTime(_) => "a local time",
            Self::Time(..) => "a time",
            Self::LocalDateTime(_) => "a local datetime",
            Self::DateTime(..) => "a datetime",
            Self::Duration(_) => "a duration",
        }
    }

    /// The place among other types in `ORDER BY`.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::DateTime(..) => 0,
            Self::LocalDateTime(_) => 1,
            Self::Date(_) => 2,
            Self::Time(..) => 3,
            Self::LocalTime(_) => 4,
            Self::Duration(_) => 5,
        }
    }

    /// Total order within one type.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank()).then_with(|| match (self, other) {
            (Self::Duration(left), Self::Duration(right)) => left
                .average()
                .cmp(&right.average())
                .then_with(|| (left.months, left.days).cmp(&(right.months, right.days))),
            (Self::Time(_, left), Self::Time(_, right)) => self.nanos().cmp(&other.nanos()).then(right.cmp(left)),
            _ => self.nanos().cmp(&other.nanos()),
        })
    }

    /// `<` within one type; durations have none.
    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        if self.rank() != other.rank() || matches!(self, Self::Duration(_)) {
            return None;
        }
        Some(self.nanos().cmp(&other.nanos()))
    }

    /// `=`.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.order(other).is_eq()
    }

    fn nanos(&self) -> i128 {
        match self {
            Self::Date(date) => i128::from(date.days()) * DAY_NANOS,
            Self::LocalTime(time) => time_nanos(*time),
            Self::Time(time, offset) => time_nanos(*time) - i128::from(*offset) * NANOS,
            Self::LocalDateTime(at) => local_nanos(*at),
            Self::DateTime(at, offset, _) => local_nanos(*at) - i128::from(*offset) * NANOS,
            Self::Duration(length) => length.average(),
        }
    }

    pub(crate) fn hash_into<H: Hasher>(&self, state: &mut H) {
        self.nanos().hash(state);
    }

    /// This moved by a duration; `None` beyond the range.
    pub(crate) fn plus(&self, length: Duration) -> Option<Self> {
        let days_later = |at: DateTime| {
            let date = at.date.plus_months(length.months)?;
            let days = date.days().checked_add(length.days)?;
            Some(DateTime::from_parts(Date::from_days(days)?, at.time))
        };
        let moved = |at: DateTime| local_from_nanos(local_nanos(days_later(at)?) + length.time_nanos());
        let turned = |time: Time| time_from_nanos(time_nanos(time) + length.time_nanos()).0;
        Some(match self {
            Self::Date(date) => {
                let whole_days = (length.time_nanos() / DAY_NANOS) as i64;
                let date = date.plus_months(length.months)?;
                Self::Date(Date::from_days(date.days().checked_add(length.days)?.checked_add(whole_days)?)?)
            }
            Self::LocalTime(time) => Self::LocalTime(turned(*time)),
            Self::Time(time, offset) => Self::Time(turned(*time), *offset),
            Self::LocalDateTime(at) => Self::LocalDateTime(moved(*at)?),
            Self::DateTime(at, offset, name) => match name.as_deref().and_then(Zone::named) {
                // Months and days go by the calendar there, hours by the clock.
                Some(zone) => {
                    let (at, offset) = zone.keep(days_later(*at)?, *offset)?;
                    let instant = local_nanos(at) - i128::from(offset) * NANOS;
                    let (at, offset) = zone.at_instant(instant + length.time_nanos())?;
                    Self::DateTime(at, offset, name.clone())
                }
                None => Self::DateTime(moved(*at)?, *offset, name.clone()),
            },
            Self::Duration(own) => Self::Duration(own.plus(length)?),
        })
    }
}
