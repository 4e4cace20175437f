//! ISO 8601 text to dates, times and durations, in all the forms that openCypher reads.

use std::str::FromStr;
use std::sync::Arc;

use jiff::civil::Time;

use super::calendar::{Date, DateTime, NoDate};
use super::temporal::Duration;

/// What a text or a map says of a point in time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Parts {
    pub date: Option<Date>,
    pub time: Option<Time>,
    /// Seconds east of UTC.
    pub offset: Option<i32>,
    pub zone: Option<Arc<str>>,
}

/// A date, a time, or both; `None` for any other text.
pub(crate) fn parse(text: &str) -> Option<Parts> {
    let text = text.trim();
    if let Some((date, time)) = text.split_once('T') {
        let parts = parse_time(time)?;
        return Some(Parts { date: Some(parse_date(date)?), ..parts });
    }
    if let Some(date) = parse_date(text) {
        return Some(Parts { date: Some(date), ..Parts::default() });
    }
    parse_time(text)
}

impl FromStr for Date {
    type Err = NoDate;

    fn from_str(text: &str) -> Result<Self, NoDate> {
        parse_date(text).ok_or(NoDate)
    }
}

impl FromStr for DateTime {
    type Err = NoDate;

    /// ISO 8601 without an offset.
    fn from_str(text: &str) -> Result<Self, NoDate> {
        match parse(text) {
            Some(Parts { date: Some(date), time: Some(time), offset: None, zone: None }) => Ok(Self { date, time }),
            _ => Err(NoDate),
        }
    }
}

fn digits(text: &str) -> Option<i64> {
    (!text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// `2015-07-21`, `20150721`, `2015-07`, `201507`, `2015-W30-2`, `2015W302`, `2015-W30`, `2015W30`, `2015-202`,
/// `2015202`, `2015`, `+12015-07-21`.
pub(crate) fn parse_date(text: &str) -> Option<Date> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'-' => (-1, text.get(1..)?),
        b'+' => (1, text.get(1..)?),
        _ => (1, text),
    };
    // With a sign a year may be longer, when a dash says where it ends.
    let length = match rest.find('-') {
        Some(length @ 4..=9) if rest.len() < text.len() => length,
        None if rest.len() < text.len() && rest.len() > 8 => rest.len(),
        _ => 4,
    };
    let (year, rest) = (rest.get(..length)?, rest.get(length..)?);
    let year = sign * digits(year)?;
    let (dashed, rest) = match rest.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    if let Some(week) = rest.strip_prefix('W') {
        let number = digits(week.get(..2)?)?;
        let day = week.get(2..)?;
        let day = match (day, dashed) {
            ("", _) => 1,
            (day, true) => digits(day.strip_prefix('-')?)?,
            (day, false) => digits(day)?,
        };
        return Date::from_week(year, number, day);
    }
    match (rest.len(), dashed) {
        (0, false) => Date::new(year, 1, 1),
        (2, _) => Date::new(year, digits(rest)?, 1),
        (3, _) => Date::from_ordinal(year, digits(rest)?),
        (4, false) => Date::new(year, digits(rest.get(..2)?)?, digits(rest.get(2..)?)?),
        (4 | 5, true) => {
            let (month, day) = rest.split_once('-')?;
            Date::new(year, digits(month)?, digits(day)?)
        }
        _ => None,
    }
}

/// `21:40:32.142`, `214032.142`, `21:40`, `2140`, `21`, each with an offset and a zone or without.
pub(crate) fn parse_time(text: &str) -> Option<Parts> {
    let (text, zone) = match text.split_once('[') {
        Some((text, zone)) => (text, Some(zone.strip_suffix(']')?)),
        None => (text, None),
    };
    let (clock, offset) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => (text.get(..at)?, Some(parse_offset(text.get(at..)?)?)),
        None => (text, None),
    };
    let (whole, fraction) = match clock.split_once(['.', ',']) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (clock, None),
    };
    let signs: String = whole.chars().filter(|sign| *sign != ':').collect();
    if whole.contains(':') && !whole.split(':').all(|part| part.len() == 2) {
        return None;
    }
    let part = |from: usize| match signs.get(from..from + 2) {
        Some(part) => digits(part),
        None => (signs.len() == from).then_some(0),
    };
    if !matches!(signs.len(), 2 | 4 | 6) || (fraction.is_some() && signs.len() != 6) {
        return None;
    }
    let hour = part(0)?;
    let minute = if signs.len() >= 4 { part(2)? } else { 0 };
    let second = if signs.len() >= 6 { part(4)? } else { 0 };
    let nanos = match fraction {
        Some(fraction) if !fraction.is_empty() && fraction.len() <= 9 => digits(&format!("{fraction:0<9}"))?,
        Some(_) => return None,
        None => 0,
    };
    let time =
        Time::new(hour.try_into().ok()?, minute.try_into().ok()?, second.try_into().ok()?, nanos.try_into().ok()?)
            .ok()?;
    Some(Parts { date: None, time: Some(time), offset, zone: zone.map(Arc::from) })
}

/// `Z`, `+01:00`, `+0100`, `+01`, `+02:05:59`.
pub(crate) fn parse_offset(text: &str) -> Option<i32> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, text.get(1..)?),
        b'-' => (-1, text.get(1..)?),
        _ => return None,
    };
    let signs: String = rest.chars().filter(|sign| *sign != ':').collect();
    let part = |from: usize| signs.get(from..from + 2).map_or(Some(0), digits);
    if !matches!(signs.len(), 2 | 4 | 6) {
        return None;
    }
    let (hours, minutes, seconds) = (part(0)?, part(2)?, part(4)?);
    let size = hours * 3600 + minutes * 60 + seconds;
    (minutes < 60 && seconds < 60 && size <= 18 * 3600).then_some((sign * size) as i32)
}

/// `P12Y5M14DT16H12M70.5S`, `P2.5W`, `P2012-02-02T14:37:21.545`.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let (sign, text) = match text.trim().strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.trim()),
    };
    let text = text.strip_prefix(['P', 'p'])?;
    if let Some((date, time)) = text.split_once('T')
        && date.contains('-')
        && date.len() == 10
        && !date.contains(|sign: char| sign.is_alphabetic())
    {
        let fields: Vec<i64> = date.split('-').map(digits).collect::<Option<_>>()?;
        let [years, months, days] = fields.as_slice() else { return None };
        let time = parse_time(time)?.time?;
        return Duration::new(years * 12 + months, *days, super::temporal::time_nanos(time));
    }
    let (mut months, mut days, mut nanos) = (0.0, 0.0, 0.0);
    let (mut in_time, mut number, mut any) = (false, String::new(), false);
    for sign in text.chars() {
        match sign {
            'T' | 't' if !in_time && number.is_empty() => in_time = true,
            '0'..='9' | '.' | '-' | '+' => number.push(sign),
            ',' => number.push('.'),
            unit => {
                let amount: f64 = number.parse().ok()?;
                match (unit.to_ascii_uppercase(), in_time) {
                    ('Y', false) => months += amount * 12.0,
                    ('M', false) => months += amount,
                    ('W', false) => days += amount * 7.0,
                    ('D', false) => days += amount,
                    ('H', true) => nanos += amount * 3600e9,
                    ('M', true) => nanos += amount * 60e9,
                    ('S', true) => nanos += amount * 1e9,
                    _ => return None,
                }
                number.clear();
                any = true;
            }
        }
    }
    if !any || !number.is_empty() {
        return None;
    }
    Duration::from_parts(months * sign, days * sign, nanos * sign)
}
