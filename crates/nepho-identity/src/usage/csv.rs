//! Records out of the files that CloudTrail Lake writes for a saved query: CSV with the event in a column `eventJson`.

use std::io::{self, BufRead};

use super::split::Part;
use super::{Fault, Limits};

/// Calls `each` with the column's value of every row.
pub(super) fn split(
    input: &mut impl BufRead,
    limits: &Limits,
    guard: impl Fn(u64) -> Option<Fault>,
    each: &mut impl FnMut(Part<'_>),
) -> io::Result<u64> {
    let mut table = Table { limits, column: None, header: true, at: 0, field: Vec::new(), fault: None, quoted: false };
    let mut quote = false;
    let mut place = 0u64;
    loop {
        let chunk = match input.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if chunk.is_empty() {
            if table.quoted && !quote {
                each(Part::Fault(Fault::Truncated, place));
            } else {
                table.end_field(true, place, each);
            }
            return Ok(place);
        }
        let length = chunk.len();
        for &byte in chunk {
            place += 1;
            match (byte, table.quoted, quote) {
                // A quote within quotes closes them, or is one of two that stand for one.
                (b'"', true, false) => quote = true,
                (b'"', true, true) => {
                    quote = false;
                    table.keep(byte);
                }
                (byte, true, false) => table.keep(byte),
                (b'"', false, _) if table.field.is_empty() => table.quoted = true,
                (b',', ..) => {
                    quote = false;
                    table.end_field(false, place, each);
                }
                (b'\n', ..) => {
                    quote = false;
                    table.end_field(true, place, each);
                }
                (b'\r', ..) => {}
                (byte, ..) => table.keep(byte),
            }
        }
        input.consume(length);
        if let Some(fault) = guard(place) {
            each(Part::Fault(fault, place));
            return Ok(place);
        }
        if !table.header && table.column.is_none() {
            each(Part::Fault(Fault::NotJson, 0));
            return Ok(place);
        }
    }
}

struct Table<'l> {
    limits: &'l Limits,
    column: Option<usize>,
    header: bool,
    /// Which field of the row.
    at: usize,
    field: Vec<u8>,
    fault: Option<Fault>,
    quoted: bool,
}

impl Table<'_> {
    fn keep(&mut self, byte: u8) {
        if !self.header && Some(self.at) != self.column {
            return;
        }
        if self.field.len() >= self.limits.most_bytes {
            self.fault = Some(Fault::TooLarge);
        } else {
            self.field.push(byte);
        }
    }

    fn end_field(&mut self, row: bool, place: u64, each: &mut impl FnMut(Part<'_>)) {
        if self.header {
            if self.field.trim_ascii().eq_ignore_ascii_case(b"eventJson") {
                self.column = Some(self.at);
            }
        } else if Some(self.at) == self.column && !self.field.is_empty() {
            match self.fault.take() {
                Some(fault) => each(Part::Fault(fault, place)),
                None => each(Part::Record(&self.field)),
            }
        }
        self.field.clear();
        self.quoted = false;
        self.at += 1;
        if row {
            self.at = 0;
            self.header = false;
        }
    }
}
