//! Days of the proleptic Gregorian calendar from the year -999,999,999 to 999,999,999, as openCypher has them.

use jiff::civil::Time;

/// The last year; the first is its opposite.
const MAX_YEAR: i64 = 999_999_999;

/// A day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date {
    year: i32,
    month: u8,
    day: u8,
}

/// A day and a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DateTime {
    /// The day.
    pub date: Date,
    /// The time.
    pub time: Time,
}

/// Text that is no date, or no date with a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoDate;

impl std::fmt::Display for NoDate {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("not an ISO 8601 date")
    }
}

impl std::error::Error for NoDate {}

impl Date {
    /// 1 January 2000.
    pub(crate) const IN_2000: Self = Self { year: 2000, month: 1, day: 1 };

    /// The day of this year, month and day of the month; `None` where there is none.
    pub fn new(year: i64, month: i64, day: i64) -> Option<Self> {
        let there = (1..=12).contains(&month) && day >= 1 && day <= days_of_month(year, month);
        (there && year.abs() <= MAX_YEAR).then_some(Self { year: year as i32, month: month as u8, day: day as u8 })
    }

    /// So many days after 1970-01-01; `None` beyond the calendar.
    pub fn from_days(days: i64) -> Option<Self> {
        // Civil from days, by Howard Hinnant.
        let days = days.checked_add(719_468)?;
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        Self::new(year_of_era + era * 400 + i64::from(month <= 2), month, day)
    }

    /// Days since 1970-01-01.
    pub fn days(self) -> i64 {
        // Days from civil, by Howard Hinnant.
        let (month, day) = (self.month(), self.day());
        let year = if month <= 2 { self.year() - 1 } else { self.year() };
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    }

    /// The day of the year, from 1; `None` where the year has none.
    pub(crate) fn from_ordinal(year: i64, day: i64) -> Option<Self> {
        let date = Self::from_days(Self::new(year, 1, 1)?.days().checked_add(day.checked_sub(1)?)?)?;
        (date.year() == year).then_some(date)
    }

    /// ISO 8601's week-based year, week, and day of the week (Monday is 1).
    pub(crate) fn from_week(year: i64, week: i64, day: i64) -> Option<Self> {
        if !(1..=53).contains(&week) || !(1..=7).contains(&day) {
            return None;
        }
        // The fourth of January is always in the first week.
        let fourth = Self::new(year, 1, 4)?;
        let date = Self::from_days(fourth.days() - fourth.weekday() + 1 + (week - 1) * 7 + day - 1)?;
        (date.week() == (year, week)).then_some(date)
    }

    /// Year, quarter and day of the quarter; a day beyond it is in the next one.
    pub(crate) fn from_quarter(year: i64, quarter: i64, day: i64) -> Option<Self> {
        if !(1..=4).contains(&quarter) || !(1..=92).contains(&day) {
            return None;
        }
        Self::from_days(Self::new(year, quarter * 3 - 2, 1)?.days() + day - 1)
    }

    /// The same day of another month, or the last that the month has.
    pub(crate) fn plus_months(self, months: i64) -> Option<Self> {
        let all = (self.year() * 12 + self.month() - 1).checked_add(months)?;
        let (year, month) = (all.div_euclid(12), all.rem_euclid(12) + 1);
        if year.abs() > MAX_YEAR {
            return None;
        }
        Self::new(year, month, self.day().min(days_of_month(year, month)))
    }

    /// The year.
    pub fn year(self) -> i64 {
        i64::from(self.year)
    }

    /// The month, 1 to 12.
    pub fn month(self) -> i64 {
        i64::from(self.month)
    }

    /// The day of the month.
    pub fn day(self) -> i64 {
        i64::from(self.day)
    }

    /// The day of the week, Monday is 1.
    pub(crate) fn weekday(self) -> i64 {
        // 1970-01-01 was a Thursday.
        (self.days() + 3).rem_euclid(7) + 1
    }

    /// The day of the year, from 1.
    pub(crate) fn day_of_year(self) -> i64 {
        self.days() - Self { month: 1, day: 1, ..self }.days() + 1
    }

    /// The quarter, 1 to 4, and the day of it.
    pub(crate) fn quarter(self) -> (i64, i64) {
        let quarter = (self.month() + 2) / 3;
        let first = Self { month: (quarter * 3 - 2) as u8, day: 1, ..self };
        (quarter, self.days() - first.days() + 1)
    }

    /// ISO 8601's week-based year and week.
    pub(crate) fn week(self) -> (i64, i64) {
        // A week is of the year that its Thursday is in.
        let thursday = self.days() - self.weekday() + 4;
        match Self::from_days(thursday) {
            Some(thursday) => (thursday.year(), (thursday.day_of_year() - 1) / 7 + 1),
            // The last days of the calendar.
            None => (self.year() + self.year().signum(), 1),
        }
    }
}

impl DateTime {
    /// A day and a time.
    pub fn from_parts(date: Date, time: Time) -> Self {
        Self { date, time }
    }

    /// The form of the zone database, which ends with the year 9999.
    pub(crate) fn to_civil(self) -> Option<jiff::civil::DateTime> {
        let Date { year, month, day } = self.date;
        let date = jiff::civil::Date::new(year.try_into().ok()?, month as i8, day as i8).ok()?;
        Some(date.to_datetime(self.time))
    }
}

fn days_of_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::{Date, MAX_YEAR};

    /// Days all over the years -9999 to 9999, and every day of a few years, beside another calendar.
    #[test]
    fn days_are_those_of_jiff() {
        let start = Date::new(-9999, 1, 1).unwrap().days();
        let all = (0..7_304_000).step_by(197);
        let near = (1996..2004).flat_map(|year| {
            let first = Date::new(year, 1, 1).unwrap().days() - start;
            first..first + 366
        });
        for at in all.chain(near) {
            let other = jiff::civil::Date::MIN.checked_add(jiff::Span::new().days(at)).unwrap();
            let date = Date::from_days(start + at).unwrap();
            let week = other.iso_week_date();
            assert_eq!(
                (date.year(), date.month(), date.day()),
                (i64::from(other.year()), i64::from(other.month()), i64::from(other.day()))
            );
            assert_eq!(date.days(), start + at);
            assert_eq!(date.to_string().parse(), Ok(date));
            assert_eq!(date.week(), (i64::from(week.year()), i64::from(week.week())), "{other}");
            assert_eq!(date.weekday(), i64::from(other.weekday().to_monday_one_offset()));
            assert_eq!(date.day_of_year(), i64::from(other.day_of_year()));
            assert_eq!(Date::from_week(date.week().0, date.week().1, date.weekday()), Some(date));
            assert_eq!(Date::from_ordinal(date.year(), date.day_of_year()), Some(date));
            let (quarter, of_quarter) = date.quarter();
            assert_eq!(Date::from_quarter(date.year(), quarter, of_quarter), Some(date));
            for months in [-13, -1, 1, 2, 12] {
                let moved = other.checked_add(jiff::Span::new().months(months)).ok();
                let moved =
                    moved.map(|moved| (i64::from(moved.year()), i64::from(moved.month()), i64::from(moved.day())));
                let own = date.plus_months(months).map(|date| (date.year(), date.month(), date.day()));
                assert!(own == moved || moved.is_none(), "{other} and {months} months");
            }
        }
    }

    #[test]
    fn what_is_no_day_is_none() {
        for (year, month, day) in
            [(2023, 2, 29), (1900, 2, 29), (2024, 13, 1), (2024, 0, 1), (2024, 4, 31), (2024, 1, 0)]
        {
            assert_eq!(Date::new(year, month, day), None);
        }
        assert!(Date::new(2000, 2, 29).is_some());
        for year in [MAX_YEAR, -MAX_YEAR] {
            let date = Date::new(year, 12, 31).unwrap();
            assert_eq!(Date::from_days(date.days()), Some(date));
            assert_eq!(Date::new(year + year.signum(), 1, 1), None);
        }
        assert_eq!(Date::new(MAX_YEAR, 12, 31).unwrap().plus_months(1), None);
        assert_eq!(Date::from_days(i64::MAX), None);
        assert_eq!(Date::from_week(2021, 53, 1), None);
        assert_eq!(Date::from_ordinal(2023, 366), None);
    }
}
