//! Time zones by name, out of the database that is built in: no answer depends on the machine's own.

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};

use super::calendar::DateTime;
use super::temporal::{NANOS, local_from_nanos, local_nanos};

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A zone of the IANA database.
#[derive(Clone, Debug)]
pub(crate) struct Zone(TimeZone);

impl Zone {
    /// The zone of this name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        ZONES.get(name).ok().map(Self)
    }

    /// The name as the database writes it.
    pub fn name(&self) -> Option<Arc<str>> {
        self.0.iana_name().map(Arc::from)
    }

    /// A local time and its offset in seconds. A time that there is twice is the first of the two; one that a change of
    /// the clocks leaves out is as much later as was left out.
    pub fn local(&self, at: DateTime) -> Option<(DateTime, i32)> {
        match self.0.to_ambiguous_timestamp(at.to_civil()?).offset() {
            AmbiguousOffset::Unambiguous { offset } => Some((at, offset.seconds())),
            AmbiguousOffset::Fold { before, .. } => Some((at, before.seconds())),
            AmbiguousOffset::Gap { before, after } => {
                let left_out = i128::from(after.seconds() - before.seconds()) * NANOS;
                Some((local_from_nanos(local_nanos(at) + left_out)?, after.seconds()))
            }
        }
    }

    /// A local time with the offset that it had, where it can have it; else as [`Zone::local`].
    pub fn keep(&self, at: DateTime, offset: i32) -> Option<(DateTime, i32)> {
        if self.has_offset(at, offset) { Some((at, offset)) } else { self.local(at) }
    }

    /// The local time and offset at an instant, in nanoseconds since the epoch.
    pub fn at_instant(&self, nanos: i128) -> Option<(DateTime, i32)> {
        let instant = Timestamp::from_nanosecond(nanos).ok()?;
        let offset = self.0.to_offset(instant).seconds();
        Some((local_from_nanos(nanos + i128::from(offset) * NANOS)?, offset))
    }

    /// Whether a local time can have this offset here.
    pub fn has_offset(&self, at: DateTime, offset: i32) -> bool {
        let wanted = |found: Offset| found.seconds() == offset;
        let Some(civil) = at.to_civil() else { return false };
        match self.0.to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => wanted(offset),
            AmbiguousOffset::Fold { before, after } => wanted(before) || wanted(after),
            AmbiguousOffset::Gap { .. } => false,
        }
    }
}
