//! Points in time, in UTC, to the microsecond.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

/// The text is no ISO 8601 date or time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseTimestampError(pub String);

impl fmt::Display for ParseTimestampError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` is not an ISO 8601 time such as 2026-01-31T12:00:00Z", self.0)
    }
}

impl std::error::Error for ParseTimestampError {}

impl Timestamp {
    /// The time now, by the machine's clock.
    pub fn now() -> Self {
        Self(jiff::Timestamp::now().as_microsecond())
    }

    /// Reads ISO 8601: a date and time with offset or `Z`, a date and time without (taken as UTC), or a date alone.
    pub fn parse(text: &str) -> Result<Self, ParseTimestampError> {
        let text = text.trim();
        let wrong = || ParseTimestampError(text.chars().take(60).collect());
        if let Ok(time) = text.parse::<jiff::Timestamp>() {
            return Ok(Self(time.as_microsecond()));
        }
        let civil = match text.parse::<jiff::civil::DateTime>() {
            Ok(civil) => civil,
            Err(_) => {
                text.parse::<jiff::civil::Date>().map_err(|_| wrong())?.to_datetime(jiff::civil::Time::midnight())
            }
        };
        let zoned = civil.to_zoned_datetime(jiff::tz::TimeZone::UTC).map_err(|_| wrong())?;
        Ok(Self(zoned.timestamp().as_microsecond()))
    }

    /// From seconds since the epoch, as AWS's JSON protocols carry them; `None` when out of range.
    pub fn from_epoch_seconds(seconds: f64) -> Option<Self> {
        let micros = (seconds * 1e6).round();
        // Year 1 to 9999.
        (-62_135_596_800e6..=253_402_300_799e6).contains(&micros).then_some(Self(micros as i64))
    }

    /// Whole days from `self` to `later`; negative when `later` is earlier.
    pub fn days_until(self, later: Timestamp) -> i64 {
        later.0.saturating_sub(self.0).div_euclid(86_400_000_000)
    }
}

impl fmt::Display for Timestamp {
    /// ISO 8601 in UTC with `Z`; fractions only where there are any.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => write!(formatter, "{time}"),
            Err(_) => write!(formatter, "{}us", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn reads_and_prints_iso_8601() {
        for (text, shown) in [
            ("2026-11-24T03:55:56Z", "2026-11-24T03:55:56Z"),
            ("2026-11-24T03:55:56+00:00", "2026-11-24T03:55:56Z"),
            ("2026-11-24T05:55:56.5+02:00", "2026-11-24T03:55:56.5Z"),
            ("2026-11-24T03:55:56", "2026-11-24T03:55:56Z"),
            ("2026-11-24", "2026-11-24T00:00:00Z"),
        ] {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), shown);
        }
        assert!(Timestamp::parse("N/A").is_err());
    }

    #[test]
    fn counts_days() {
        let day = |text| Timestamp::parse(text).unwrap();
        assert_eq!(day("2026-01-01").days_until(day("2026-04-01")), 90);
        assert_eq!(day("2026-01-02").days_until(day("2026-01-01")), -1);
    }
}
