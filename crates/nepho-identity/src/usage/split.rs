//! Records out of a stream of JSON, one after the other, without reading the whole of it: a record is all that is held.
//!
//! Takes a document with a list of records (a trail's file, the answers of `lookup-events` and `get-query-results`), a
//! list alone, and one record after the other. Whether a record is JSON at all is for its reader to say: here only
//! strings and brackets are told apart.

use std::io::{self, BufRead};

use memchr::{memchr, memchr3};

use super::{Fault, Limits};

/// Fields of a document that hold the records.
const LISTS: [&[u8]; 3] = [b"Records", b"Events", b"QueryResultRows"];
/// Longer names of fields are none of these.
const LONGEST_NAME: usize = 16;

/// What a stream has.
pub(super) enum Part<'a> {
    /// The bytes of one record.
    Record(&'a [u8]),
    /// Something that is no record, at a byte counted from 0.
    Fault(Fault, u64),
}

/// Where in the stream we are. Depths are those outside of the bracket that opened it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    /// Between values.
    Nothing,
    /// A line that is no JSON.
    Junk,
    /// A value that is a record, or a document that has a list of them further on.
    Value,
    /// A document whose list was found, outside of the list.
    Document,
    /// A list of records.
    List { depth: u32 },
    /// A record of a list.
    Item { list: u32, depth: u32 },
}

struct Splitter<'l> {
    limits: &'l Limits,
    within: Within,
    depth: u32,
    in_string: bool,
    escaped: bool,
    /// What earlier pieces of the stream had of the record.
    record: Vec<u8>,
    /// Where the record goes on in this piece.
    begin: usize,
    /// What is wrong with the record that is being read; it is not kept then.
    fault: Option<Fault>,
    started: u64,
    /// The last string of a document with its closing quote, for the name of a field.
    name: Vec<u8>,
    /// Whether a `[` here would be a list of records.
    before_list: bool,
    /// Whether each line is a value of its own, as the first one was.
    lines: bool,
    on_one_line: bool,
    newline_between: bool,
}

/// Calls `each` with all that a stream has, and says how long it is. Fails with the stream's own error; what was read before
/// counts. `guard` is asked with the number of bytes so far, and can end the reading.
pub(super) fn split(
    input: &mut impl BufRead,
    limits: &Limits,
    guard: impl Fn(u64) -> Option<Fault>,
    each: &mut impl FnMut(Part<'_>),
) -> io::Result<u64> {
    let mut splitter = Splitter {
        limits,
        within: Within::Nothing,
        depth: 0,
        in_string: false,
        escaped: false,
        record: Vec::new(),
        begin: 0,
        fault: None,
        started: 0,
        name: Vec::new(),
        before_list: false,
        lines: false,
        on_one_line: false,
        newline_between: false,
    };
    let mut at = 0u64;
    loop {
        let chunk = match input.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if chunk.is_empty() {
            splitter.end(each);
            return Ok(at);
        }
        let length = chunk.len();
        let goes_on = splitter.take(chunk, at, each);
        input.consume(length);
        at += length as u64;
        if let Some(fault) = guard(at) {
            each(Part::Fault(fault, at));
            return Ok(at);
        }
        if !goes_on {
            return Ok(at);
        }
    }
}

impl Splitter<'_> {
    /// Goes through a piece of the stream that begins at `from`; `false` when the rest cannot be told apart any more.
    fn take(&mut self, chunk: &[u8], from: u64, each: &mut impl FnMut(Part<'_>)) -> bool {
        self.begin = 0;
        let mut at = 0;
        while let Some(&byte) = chunk.get(at) {
            let place = from + at as u64;
            let rest = chunk.get(at..).unwrap_or_default();
            match self.within {
                Within::Junk => match memchr(b'\n', rest) {
                    Some(end) => {
                        at += end;
                        self.within = Within::Nothing;
                    }
                    None => break,
                },
                Within::Nothing => {
                    at += 1;
                    self.between(byte, at - 1, place, each);
                }
                _ if self.in_string => {
                    let (length, newline) = self.string(rest);
                    at += length;
                    if newline && !self.break_off(place + length as u64 - 1, each) {
                        return false;
                    }
                }
                Within::Value if byte == b'\n' && self.lines => {
                    at += 1;
                    self.break_off(place, each);
                }
                _ => {
                    at += 1;
                    self.outside(byte, chunk, at, place, each);
                }
            }
        }
        if self.keeps() {
            self.record.extend_from_slice(chunk.get(self.begin..).unwrap_or_default());
            if self.record.len() > self.limits.most_bytes {
                self.refuse(Fault::TooLarge);
            }
        }
        true
    }

    fn keeps(&self) -> bool {
        self.fault.is_none() && matches!(self.within, Within::Value | Within::Item { .. })
    }

    fn refuse(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
        self.record = Vec::new();
    }

    fn between(&mut self, byte: u8, at: usize, place: u64, each: &mut impl FnMut(Part<'_>)) {
        match byte {
            b'\n' => self.newline_between = true,
            b' ' | b'\t' | b'\r' | b',' => {}
            // A byte order mark.
            0xEF | 0xBB | 0xBF if place < 3 => {}
            b'{' | b'[' => {
                self.lines |= self.on_one_line && self.newline_between;
                self.on_one_line = true;
                self.newline_between = false;
                self.name.clear();
                self.start(at, place);
                self.depth = 1;
                self.within = if byte == b'{' { Within::Value } else { Within::List { depth: 0 } };
            }
            _ => {
                each(Part::Fault(Fault::NotJson, place));
                self.within = Within::Junk;
            }
        }
    }

    fn start(&mut self, at: usize, place: u64) {
        self.record.clear();
        self.begin = at;
        self.fault = None;
        self.started = place;
    }

    /// Takes what belongs to a string; says how much that is and whether a line ended in it, which JSON forbids.
    fn string(&mut self, rest: &[u8]) -> (usize, bool) {
        let skipped = usize::from(std::mem::take(&mut self.escaped));
        let found = memchr3(b'"', b'\\', b'\n', rest.get(skipped..).unwrap_or_default()).map(|found| skipped + found);
        let length = found.map_or(rest.len(), |found| found + 1);
        if self.is_field() && self.name.len() <= LONGEST_NAME {
            self.name.extend_from_slice(rest.get(..length.min(LONGEST_NAME + 1)).unwrap_or_default());
        }
        match found.and_then(|found| rest.get(found)) {
            Some(b'"') => self.in_string = false,
            Some(b'\\') => self.escaped = true,
            Some(_) => return (length, true),
            None => {}
        }
        (length, false)
    }

    /// Whether a string here can be the name of a document's field.
    fn is_field(&self) -> bool {
        self.depth == 1 && matches!(self.within, Within::Value | Within::Document)
    }

    /// Takes a byte outside of strings; `at` is behind it.
    fn outside(&mut self, byte: u8, chunk: &[u8], at: usize, place: u64, each: &mut impl FnMut(Part<'_>)) {
        match byte {
            b'"' => {
                self.in_string = true;
                self.name.clear();
                self.before_list = false;
            }
            b'{' | b'[' => self.open(byte, at, place),
            b'}' | b']' => self.close(chunk, at, each),
            b':' => self.before_list = self.is_field() && self.name_is_list(),
            b'\n' => self.on_one_line = false,
            _ => {}
        }
    }

    fn name_is_list(&self) -> bool {
        self.name.strip_suffix(b"\"").is_some_and(|name| LISTS.contains(&name))
    }

    fn open(&mut self, byte: u8, at: usize, place: u64) {
        let is_list = byte == b'[' && std::mem::take(&mut self.before_list);
        match self.within {
            Within::Value | Within::Document if is_list => {
                self.record = Vec::new();
                self.within = Within::List { depth: self.depth };
            }
            Within::List { depth } if byte == b'{' => {
                self.start(at - 1, place);
                self.within = Within::Item { list: depth, depth: self.depth };
            }
            _ => {}
        }
        self.depth = self.depth.saturating_add(1);
        let outside = match self.within {
            Within::Item { depth, .. } => depth,
            _ => 0,
        };
        if self.depth - outside > self.limits.most_levels && self.keeps() {
            self.refuse(Fault::TooDeep);
        }
    }

    fn close(&mut self, chunk: &[u8], at: usize, each: &mut impl FnMut(Part<'_>)) {
        self.depth = self.depth.saturating_sub(1);
        match self.within {
            Within::Value if self.depth == 0 => {
                self.give(chunk, at, each);
                self.within = Within::Nothing;
            }
            Within::Document if self.depth == 0 => self.within = Within::Nothing,
            Within::List { depth: 0 } if self.depth == 0 => self.within = Within::Nothing,
            Within::List { depth } if self.depth <= depth => self.within = Within::Document,
            Within::Item { list, depth } if self.depth <= depth => {
                self.give(chunk, at, each);
                self.within = Within::List { depth: list };
            }
            _ => {}
        }
    }

    fn give(&mut self, chunk: &[u8], end: usize, each: &mut impl FnMut(Part<'_>)) {
        let last = chunk.get(self.begin..end).unwrap_or_default();
        if self.record.len() + last.len() > self.limits.most_bytes {
            self.refuse(Fault::TooLarge);
        }
        match self.fault.take() {
            Some(fault) => each(Part::Fault(fault, self.started)),
            None if self.record.is_empty() => each(Part::Record(last)),
            None => {
                self.record.extend_from_slice(last);
                each(Part::Record(&self.record));
            }
        }
        self.record.clear();
    }

    /// A line that ends within a value. One record after the other can be gone on with at the next line; in a list nothing
    /// says where the next record begins.
    fn break_off(&mut self, place: u64, each: &mut impl FnMut(Part<'_>)) -> bool {
        self.in_string = false;
        self.record = Vec::new();
        if self.within == Within::Value {
            each(Part::Fault(self.fault.take().unwrap_or(Fault::Malformed), self.started));
            self.within = Within::Nothing;
            self.newline_between = true;
            return true;
        }
        each(Part::Fault(Fault::Broken, place));
        false
    }

    fn end(&mut self, each: &mut impl FnMut(Part<'_>)) {
        if !matches!(self.within, Within::Nothing | Within::Junk) {
            each(Part::Fault(self.fault.take().unwrap_or(Fault::Truncated), self.started));
        }
    }
}
