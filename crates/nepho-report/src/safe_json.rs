//! JSON that is safe to look at and safe inside HTML, and still says exactly the same.
//!
//! Characters on which a terminal or a browser could act are written as `\u` escapes. Any JSON reader gives back the
//! original text.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

use crate::text::is_active;

/// How to lay it out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Two spaces of indentation.
    Pretty,
    /// One line.
    Line,
    /// One line, in which also `<`, `>` and `&` are escaped: no `</script>` and no `<!--` can arise.
    Html,
}

/// Writes `value`.
pub(crate) fn write(output: &mut dyn Write, value: &impl Serialize, layout: Layout) -> Result<(), serde_json::Error> {
    match layout {
        Layout::Pretty => value
            .serialize(&mut Serializer::with_formatter(output, Safe { inner: PrettyFormatter::new(), html: false })),
        Layout::Line | Layout::Html => value.serialize(&mut Serializer::with_formatter(
            output,
            Safe { inner: CompactFormatter, html: layout == Layout::Html },
        )),
    }
}

/// Writes `value` for people and programs alike: indented, active characters escaped, a line feed at the end.
pub fn write_pretty(output: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    write(output, value, Layout::Pretty)?;
    output.write_all(b"\n")
}

struct Safe<F> {
    inner: F,
    html: bool,
}

impl<F> Safe<F> {
    fn must_escape(&self, character: char) -> bool {
        is_active(character) || (self.html && matches!(character, '<' | '>' | '&'))
    }
}

impl<F: Formatter> Formatter for Safe<F> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(|character| self.must_escape(character)) {
            let (before, after) = rest.split_at(at);
            writer.write_all(before.as_bytes())?;
            let mut characters = after.chars();
            if let Some(character) = characters.next() {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
            rest = characters.as_str();
        }
        writer.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.inner.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.inner.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.inner.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.inner.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.inner.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.inner.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.inner.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.inner.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.inner.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::{Layout, write};

    #[test]
    fn says_the_same_and_shows_nothing_active() {
        let text = "</script><!-- & \u{1b}[31m \u{9b} \u{202e} \u{7f} \u{e0041} 日本 \"\\";
        for layout in [Layout::Pretty, Layout::Line, Layout::Html] {
            let mut bytes = Vec::new();
            write(&mut bytes, &[text], layout).unwrap();
            let written = String::from_utf8(bytes).unwrap();
            assert_eq!(serde_json::from_str::<Vec<String>>(&written).unwrap(), [text]);
            assert!(!written.contains(|c| crate::text::is_active(c) && c != '\n'), "{written:?}");
            assert_eq!(written.contains('<'), layout != Layout::Html);
        }
    }
}
