//! What principals did, out of CloudTrail: which actions on which resources, from where, and what was refused.
//!
//! Reads streams record by record ([`Reader`]). Memory grows with the number of different (principal, action, resource),
//! not with that of records. What cannot be read is named and counted, and the rest goes on.
//!
//! Does not know what a trail was told to leave out. Whether it has data events of a service at all is seen from whether
//! there is one ([`Usage::has_data_events`]).

mod accessed;
mod csv;
mod names;
mod reader;
mod record;
mod request;
mod split;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use hashbrown::HashMap;
use jiff::Timestamp;

pub use accessed::LastAccessed;
pub(crate) use names::{Logged, Names, is_uuid};
pub use reader::Reader;

use crate::pattern::Pattern;
use crate::principal::Principal;

/// What reading may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a record. CloudTrail's own limit is 1 MB
    /// (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html>).
    pub most_bytes: usize,
    /// Brackets within each other in a record.
    pub most_levels: u32,
    /// How many times as large as the file its content may be, once it is over `free_bytes`. Trails have a tenth of that.
    pub most_expansion: u64,
    /// Content of compressed files that is read whatever its expansion.
    pub free_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { most_bytes: 4 << 20, most_levels: 100, most_expansion: 250, free_bytes: 64 << 20 }
    }
}

/// Why something was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// The file cannot be read.
    Unreadable,
    /// A line, or all of a file, that is no JSON.
    NotJson,
    /// A record that is not JSON as it should be.
    Malformed,
    /// A list of records after which nothing can be told apart.
    Broken,
    /// The file ends within a record.
    Truncated,
    /// The compressed file ends too early.
    TruncatedGzip,
    /// The compressed file is damaged.
    DamagedGzip,
    /// The compressed file becomes too large.
    Bomb,
    /// A record over [`Limits::most_bytes`].
    TooLarge,
    /// A record over [`Limits::most_levels`].
    TooDeep,
    /// A record without this field.
    Missing(&'static str),
    /// A record whose `eventTime` is no time.
    Time,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "cannot be read",
            Self::NotJson => "is not JSON",
            Self::Malformed => "has a record that is not valid",
            Self::Broken => "is broken within its list of records; what follows is not read",
            Self::Truncated => "ends within a record",
            Self::TruncatedGzip => "is compressed and ends too early",
            Self::DamagedGzip => "is compressed and damaged",
            Self::Bomb => "is compressed and becomes far too large; what follows is not read",
            Self::TooLarge => "has a record that is too large",
            Self::TooDeep => "has a record that is nested too deeply",
            Self::Missing(field) => return write!(f, "has a record without `{field}`"),
            Self::Time => "has a record whose `eventTime` is no time",
        })
    }
}

/// A fault of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The file.
    pub file: Box<str>,
    /// What it has.
    pub fault: Fault,
    /// How often.
    pub count: u64,
    /// Where first, in bytes of its content from 0.
    pub at: u64,
}

/// On what a principal did something.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// The action is about no resource of its own.
    Without,
    /// A resource, or any of a pattern's where the record says no more.
    Of(Pattern),
    /// The record does not say it.
    Unknown,
}

/// How often something was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests that were allowed, whether they succeeded or not.
    pub allowed: u64,
    /// Requests that were not allowed.
    pub denied: u64,
}

/// Different values, up to a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// The values.
    pub of: BTreeSet<Box<str>>,
    /// Whether there are more.
    pub more: bool,
}

const MOST_VALUES: usize = 1_000;

impl Values {
    fn add(&mut self, value: &str) {
        if self.of.contains(value) {
            return;
        }
        if self.of.len() < MOST_VALUES {
            self.of.insert(value.into());
        } else {
            self.more = true;
        }
    }
}

/// How a principal's allowed requests came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// Requests.
    pub requests: u64,
    /// Addresses they came from.
    pub addresses: Values,
    /// How many came from no address: made by a service for the principal.
    pub without_address: u64,
    /// VPC endpoints they came through.
    pub endpoints: Values,
    /// How many came through none.
    pub without_endpoint: u64,
    /// Regions they went to.
    pub regions: Values,
    /// How many are known to have been encrypted.
    pub encrypted: u64,
    /// How many were made after a second factor.
    pub with_mfa: u64,
}

/// What a principal did.
#[derive(Clone, Debug, Default)]
pub struct Used {
    /// Its records.
    pub events: u64,
    /// Those of them that were not allowed.
    pub denied: u64,
    /// Those of them that ask for no permission.
    pub free: u64,
    /// Its first and last record.
    pub time: Option<(Timestamp, Timestamp)>,
    /// By action and resource; the resource is in the form of [`Target::text`].
    actions: HashMap<Box<str>, HashMap<Box<str>, Tally>>,
    /// How its allowed requests came.
    pub circumstances: Circumstances,
    /// Events of which the action is not known, `eventSource eventName`.
    pub unmapped: HashMap<Box<str>, u64>,
}

impl Used {
    /// What it did, by action and resource in the order of their names.
    pub fn actions(&self) -> Vec<(&str, Target, Tally)> {
        let mut all: Vec<_> = self
            .actions
            .iter()
            .flat_map(|(action, on)| on.iter().map(|(target, tally)| (&**action, Target::from_text(target), *tally)))
            .collect();
        all.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        all
    }

    fn add(&mut self, action: &str, target: &str, denied: bool) {
        let on = match self.actions.get_mut(action) {
            Some(on) => on,
            None => self.actions.entry(action.into()).or_default(),
        };
        let tally = match on.get_mut(target) {
            Some(tally) => tally,
            None => on.entry(target.into()).or_default(),
        };
        if denied {
            tally.denied += 1;
        } else {
            tally.allowed += 1;
        }
    }
}

impl Target {
    fn from_text(text: &str) -> Self {
        match text {
            "" => Self::Unknown,
            "*" => Self::Without,
            text => Self::Of(Pattern::new(text)),
        }
    }
}

/// Kinds of events of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Management events.
    pub management: u64,
    /// Data events.
    pub data: u64,
}

/// What is in the records that were read.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// By principal: roles for their sessions.
    pub principals: HashMap<Principal, Used>,
    /// Records.
    pub events: u64,
    /// Files.
    pub files: u64,
    /// Bytes of their content.
    pub bytes: u64,
    /// The first and last record, of whomever.
    pub time: Option<(Timestamp, Timestamp)>,
    /// By the account that the record was delivered to and the prefix of the service.
    seen: HashMap<Box<str>, HashMap<Box<str>, Seen>>,
    /// Buckets that data events are about.
    pub buckets: Values,
    /// What could not be read.
    pub troubles: Vec<Trouble>,
    /// Faults that are not in `troubles`, which is limited.
    pub more_troubles: u64,
}

const MOST_TROUBLES: usize = 1_000;

impl Usage {
    /// What a principal did.
    pub fn of(&self, principal: &Principal) -> Option<&Used> {
        self.principals.get(principal)
    }

    /// Whether the trail has data events of a service for an account.
    pub fn has_data_events(&self, account: &str, prefix: &str) -> bool {
        self.seen(account, prefix).data > 0
    }

    /// The events of a service in an account, whoever made them.
    pub fn seen(&self, account: &str, prefix: &str) -> Seen {
        self.seen.get(account).and_then(|services| services.get(prefix)).copied().unwrap_or_default()
    }

    fn trouble(&mut self, file: &str, fault: Fault, at: u64) {
        // Faults of a file come together.
        let own = self.troubles.iter_mut().rev().take_while(|of| *of.file == *file).find(|of| of.fault == fault);
        if let Some(of) = own {
            of.count += 1;
        } else if self.troubles.len() < MOST_TROUBLES {
            self.troubles.push(Trouble { file: file.into(), fault, count: 1, at });
        } else {
            self.more_troubles += 1;
        }
    }
}

fn extend(time: &mut Option<(Timestamp, Timestamp)>, with: Timestamp) {
    *time = Some(time.map_or((with, with), |(first, last)| (first.min(with), last.max(with))));
}
