//! Making text from clouds harmless to look at.

use std::borrow::Cow;

/// Whether a terminal, an editor or a browser may act on the character instead of showing it: control characters (also
/// the C1 range, in which terminals know escape sequences), and the marks that turn the direction of text, with which
/// one name can be made to look like another.
pub(crate) fn is_active(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// Text in which every active character but the line feed and the tab is replaced by `�`.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    let bad = |character: char| is_active(character) && !matches!(character, '\n' | '\t');
    match text.contains(bad) {
        true => Cow::Owned(text.chars().map(|c| if bad(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()),
        false => Cow::Borrowed(text),
    }
}

/// The same on one line, white space collapsed: what may stand in a line of a terminal whoever wrote it.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in clean(text).split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// A JSON value for people: text without quotes, what could not be read as `unknown`, all else as compact JSON.
pub(crate) fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(fields) if fields.len() == 1 && fields.contains_key("unknown") => {
            "unknown".to_owned()
        }
        serde_json::Value::String(text) => clean(text).into_owned(),
        other => clean(&other.to_string()).into_owned(),
    }
}

/// At most `limit` characters, the last one `…` where something was cut.
pub(crate) fn cut(text: &str, limit: usize) -> Cow<'_, str> {
    match text.char_indices().nth(limit) {
        None => Cow::Borrowed(text),
        Some(_) => Cow::Owned(text.chars().take(limit.saturating_sub(1)).chain(['…']).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::{clean, cut, one_line};

    #[test]
    fn nothing_that_acts_is_left() {
        assert_eq!(clean("a\u{1b}[31mb\u{9b}c\u{202e}d\r"), "a�[31mb�c�d�");
        assert_eq!(clean("žluťoučký 日本\n"), "žluťoučký 日本\n");
        assert_eq!(one_line(" two\n  lines\there "), "two lines here");
    }

    #[test]
    fn cuts_by_characters() {
        assert_eq!(cut("žluťoučký", 4), "žlu…");
        assert_eq!(cut("four", 4), "four");
    }
}
