//! Streams in, records counted.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;
use hashbrown::HashMap;
use jiff::Timestamp;

use super::names::{Meaning, Names, Rule};
use super::record::{Record, Text};
use super::request::{Actions, OfAction, Request};
use super::split::Part;
use super::{Fault, Limits, Logged, Seen, Usage, csv, extend, split};
use crate::actions::Catalogue;
use crate::principal::Principal;

const MOST_KNOWN: usize = 20_000;

/// What an event means, looked up once.
#[derive(Debug)]
enum Known {
    Actions { rules: Vec<(Rule, Rc<OfAction>)>, passes: bool },
    Free,
    Unmapped,
}

/// Reads records.
pub struct Reader<'c> {
    catalogue: &'c Catalogue,
    limits: Limits,
    only: Option<Principal>,
    usage: Usage,
    /// By event source and name.
    known: HashMap<Box<str>, HashMap<Box<str>, Rc<Known>>>,
    actions: Actions<'c>,
}

impl<'c> Reader<'c> {
    /// Of all principals, or of one only, which needs less memory.
    pub fn new(catalogue: &'c Catalogue, only: Option<Principal>) -> Self {
        Self {
            catalogue,
            limits: Limits::default(),
            only,
            usage: Usage::default(),
            known: HashMap::new(),
            actions: Actions::new(catalogue),
        }
    }

    /// With other limits.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What was read.
    pub fn finish(self) -> Usage {
        self.usage
    }

    /// Says that a file could not be opened.
    pub fn unreadable(&mut self, file: &str) {
        self.usage.files += 1;
        self.usage.trouble(file, Fault::Unreadable, 0);
    }

    /// Reads a file, compressed or not, in any of the forms that this module takes.
    pub fn read(&mut self, file: &str, mut input: impl BufRead) {
        self.usage.files += 1;
        let (head, error) = peek(&mut input);
        if !head.starts_with(&[0x1f, 0x8b]) {
            return self.read_content(file, (head, error), input, |_| None, |_| Fault::Unreadable);
        }
        let taken = Cell::new(0);
        let content = MultiGzDecoder::new(Counted { inner: head.chain(input), taken: &taken });
        let Limits { most_expansion, free_bytes, .. } = self.limits;
        let guard = |bytes: u64| {
            (bytes > free_bytes && bytes > most_expansion.saturating_mul(taken.get())).then_some(Fault::Bomb)
        };
        let fault = |error: &io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Fault::TruncatedGzip,
            _ => Fault::DamagedGzip,
        };
        let mut content = BufReader::with_capacity(64 << 10, content);
        let head = peek(&mut content);
        self.read_content(file, head, content, guard, fault);
    }

    fn read_content(
        &mut self,
        file: &str,
        (head, error): (Vec<u8>, Option<io::Error>),
        input: impl BufRead,
        guard: impl Fn(u64) -> Option<Fault>,
        fault: impl Fn(&io::Error) -> Fault,
    ) {
        let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default().to_ascii_lowercase();
        let starts_json = matches!(line.trim_ascii_start().first(), Some(b'{' | b'['));
        let is_csv = !starts_json && memchr::memmem::find(&line, b"eventjson").is_some();
        // After an error nothing more is to be asked of a stream.
        let rest: &mut dyn BufRead = if error.is_some() { &mut io::empty() } else { &mut { input } };
        let mut content = head.chain(rest);
        let limits = self.limits.clone();
        let mut each = |part: Part<'_>| match part {
            Part::Record(bytes) => self.record(file, bytes),
            Part::Fault(fault, at) => self.usage.trouble(file, fault, at),
        };
        let read = if is_csv {
            csv::split(&mut content, &limits, guard, &mut each)
        } else {
            split::split(&mut content, &limits, guard, &mut each)
        };
        match (read, error) {
            (Ok(bytes), None) => self.usage.bytes += bytes,
            (Ok(_), Some(error)) | (Err(error), _) => self.usage.trouble(file, fault(&error), 0),
        }
    }

    fn record(&mut self, file: &str, bytes: &[u8]) {
        let Ok(record) = serde_json::from_slice::<Record<'_>>(bytes) else {
            return self.usage.trouble(file, Fault::Malformed, 0);
        };
        let inner = match (&record.event_source, &record.event_json, record.detail) {
            (Some(_), ..) => None,
            (None, Some(text), _) => Some(text.0.as_bytes()),
            (None, None, Some(detail)) => Some(detail.get().as_bytes()),
            (None, None, None) => None,
        };
        let counted = match inner.map(serde_json::from_slice::<Record<'_>>) {
            None => self.count(&record),
            Some(Ok(inner)) => self.count(&inner),
            Some(Err(_)) => Err(Fault::Malformed),
        };
        if let Err(fault) = counted {
            self.usage.trouble(file, fault, 0);
        }
    }

    fn count(&mut self, record: &Record<'_>) -> Result<(), Fault> {
        fn need<'r>(text: &'r Option<Text<'_>>, name: &'static str) -> Result<&'r str, Fault> {
            text.as_ref().and_then(Text::filled).ok_or(Fault::Missing(name))
        }
        let source = need(&record.event_source, "eventSource")?;
        let name = need(&record.event_name, "eventName")?;
        let time: Timestamp = need(&record.event_time, "eventTime")?.parse().map_err(|_| Fault::Time)?;
        let identity = record.user_identity.as_ref().ok_or(Fault::Missing("userIdentity"))?;
        self.usage.events += 1;
        extend(&mut self.usage.time, time);
        // Other types are no requests: events of services, sign-ins, what the console does by itself, insights; and what
        // a VPC endpoint saw is in the trail a second time.
        let is_request = record.event_type.as_ref().is_none_or(|of| &*of.0 == "AwsApiCall");
        let known = if is_request { self.known(source, name) } else { Rc::new(Known::Free) };
        let account = record.recipient_account_id.as_ref().and_then(Text::filled);
        let account = account.or_else(|| identity.account_id.as_ref().and_then(Text::filled)).unwrap_or_default();
        if let Known::Actions { rules, .. } = &*known
            && let Some((_, action)) = rules.first()
        {
            let is_data = match (&record.event_category, record.management_event) {
                (Some(category), _) => &*category.0 == "Data",
                (None, Some(management)) => !management,
                (None, None) => action.logged == Logged::Data,
            };
            self.see(account, &action.prefix, is_data, record);
        }
        // Whose request it was is not said of some events of services.
        let Some(principal) = identity.principal() else { return Ok(()) };
        if self.only.as_ref().is_some_and(|only| *only != principal) {
            return Ok(());
        }
        let used = self.usage.principals.entry(principal).or_default();
        used.events += 1;
        extend(&mut used.time, time);
        let denied = record.error_code.as_ref().is_some_and(|code| Names::embedded().is_denied(&code.0));
        used.denied += u64::from(denied);
        match &*known {
            Known::Free => used.free += 1,
            Known::Unmapped => *used.unmapped.entry(format!("{source} {name}").into()).or_default() += 1,
            Known::Actions { rules, passes } => {
                let request = Request { record, source, name, account, denied };
                request.count(rules, *passes, used, &mut self.actions);
                if !denied {
                    used.circumstances.add(record, identity);
                }
            }
        }
        Ok(())
    }

    fn known(&mut self, source: &str, name: &str) -> Rc<Known> {
        if let Some(known) = self.known.get(source).and_then(|names| names.get(name)) {
            return Rc::clone(known);
        }
        let known = Rc::new(match Names::embedded().meaning(source, name, self.catalogue) {
            Meaning::Free => Known::Free,
            Meaning::Unmapped => Known::Unmapped,
            Meaning::Actions(rules) => {
                let of = |rule: Rule| {
                    let action = self.actions.get(&rule.action)?;
                    Some((rule, action))
                };
                let rules: Vec<_> = rules.into_iter().filter_map(of).collect();
                let passes = !matches!(source, "iam.amazonaws.com" | "sts.amazonaws.com");
                if rules.is_empty() { Known::Unmapped } else { Known::Actions { rules, passes } }
            }
        });
        // Hostile names must not fill the memory.
        if self.known.len() < MOST_KNOWN {
            let names = self.known.entry(source.into()).or_default();
            if names.len() < MOST_KNOWN {
                names.insert(name.into(), Rc::clone(&known));
            }
        }
        known
    }

    fn see(&mut self, account: &str, prefix: &str, is_data: bool, record: &Record<'_>) {
        if !self.usage.seen.contains_key(account) {
            self.usage.seen.insert(account.into(), HashMap::new());
        }
        let Some(services) = self.usage.seen.get_mut(account) else { return };
        if !services.contains_key(prefix) {
            services.insert(prefix.into(), Seen::default());
        }
        let Some(seen) = services.get_mut(prefix) else { return };
        if is_data {
            seen.data += 1;
            if prefix == "s3" {
                let arns = record.resources.iter().flatten().filter_map(|of| of.arn.as_ref()?.filled());
                for bucket in arns.filter_map(|arn| arn.split(":::").nth(1)?.split('/').next()) {
                    self.usage.buckets.add(bucket);
                }
            }
        } else {
            seen.management += 1;
        }
    }
}

/// The beginning of a stream, and the error after it if there was one.
fn peek(input: &mut impl Read) -> (Vec<u8>, Option<io::Error>) {
    let mut head = Vec::new();
    let error = input.take(4 << 10).read_to_end(&mut head).err();
    (head, error)
}

/// Counts what is taken out of a stream.
struct Counted<'t, R> {
    inner: R,
    taken: &'t Cell<u64>,
}

impl<R: BufRead> Read for Counted<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.taken.set(self.taken.get() + read as u64);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.taken.set(self.taken.get() + amount as u64);
        self.inner.consume(amount);
    }
}
