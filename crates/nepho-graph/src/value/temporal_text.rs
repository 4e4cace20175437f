//! Dates, times and durations as ISO 8601 text, the way openCypher prints them.

use std::fmt::{self, Write as _};

use jiff::civil::Time;

use super::calendar::{Date, DateTime};
use super::temporal::{Duration, Temporal};

/// A time of day: seconds and fractions only where there are any.
fn write_time(out: &mut fmt::Formatter<'_>, time: Time) -> fmt::Result {
    write!(out, "{:02}:{:02}", time.hour(), time.minute())?;
    if time.second() != 0 || time.subsec_nanosecond() != 0 {
        write!(out, ":{:02}", time.second())?;
        write_fraction(out, time.subsec_nanosecond())?;
    }
    Ok(())
}

fn write_fraction(out: &mut fmt::Formatter<'_>, nanos: i32) -> fmt::Result {
    if nanos == 0 {
        return Ok(());
    }
    let digits = format!("{nanos:09}");
    write!(out, ".{}", digits.trim_end_matches('0'))
}

fn write_date(out: &mut fmt::Formatter<'_>, date: Date) -> fmt::Result {
    let year = date.year();
    match year {
        ..0 => out.write_char('-')?,
        10_000.. => out.write_char('+')?,
        _ => {}
    }
    write!(out, "{:04}-{:02}-{:02}", year.unsigned_abs(), date.month(), date.day())
}

fn write_offset(out: &mut fmt::Formatter<'_>, offset: i32) -> fmt::Result {
    if offset == 0 {
        return out.write_char('Z');
    }
    let size = offset.unsigned_abs();
    write!(out, "{}{:02}:{:02}", if offset < 0 { '-' } else { '+' }, size / 3600, size / 60 % 60)?;
    if !size.is_multiple_of(60) {
        write!(out, ":{:02}", size % 60)?;
    }
    Ok(())
}

impl fmt::Display for Date {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_date(out, *self)
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}T", self.date)?;
        write_time(out, self.time)
    }
}

impl fmt::Display for Temporal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(date) => date.fmt(out),
            Self::LocalTime(time) => write_time(out, *time),
            Self::Time(time, offset) => {
                write_time(out, *time)?;
                write_offset(out, *offset)
            }
            Self::LocalDateTime(at) => at.fmt(out),
            Self::DateTime(at, offset, zone) => {
                at.fmt(out)?;
                write_offset(out, *offset)?;
                match zone {
                    Some(zone) => write!(out, "[{zone}]"),
                    None => Ok(()),
                }
            }
            Self::Duration(length) => length.fmt(out),
        }
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_char('P')?;
        let part = |out: &mut fmt::Formatter<'_>, amount: i64, unit: char| {
            if amount == 0 { Ok(()) } else { write!(out, "{amount}{unit}") }
        };
        part(out, self.months / 12, 'Y')?;
        part(out, self.months % 12, 'M')?;
        part(out, self.days, 'D')?;
        let nanos = self.time_nanos();
        if nanos != 0 {
            out.write_char('T')?;
            let seconds = (nanos / 1_000_000_000) as i64;
            part(out, seconds / 3600, 'H')?;
            part(out, seconds / 60 % 60, 'M')?;
            let (second, fraction) = (seconds % 60, (nanos % 1_000_000_000) as i32);
            if second != 0 || fraction != 0 {
                if nanos < 0 && second == 0 {
                    out.write_char('-')?;
                }
                write!(out, "{second}")?;
                write_fraction(out, fraction.abs())?;
                out.write_char('S')?;
            }
        } else if self.months == 0 && self.days == 0 {
            out.write_str("T0S")?;
        }
        Ok(())
    }
}
