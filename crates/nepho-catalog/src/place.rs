//! Places in files that people wrote, and YAML read with them.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::de::DeserializeOwned;

/// A place in a text file, for messages that point at it. Displayed as `path:line:column`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file as people know it.
    pub path: String,
    /// Its text.
    pub text: Arc<str>,
    /// Where in it, in bytes.
    pub span: Range<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.text.get(..self.span.start).unwrap_or(&self.text);
        let line = before.matches('\n').count().saturating_add(1);
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count().saturating_add(1);
        write!(formatter, "{}:{line}:{column}", self.path)
    }
}

impl Place {
    /// Where the word stands: an occurrence that is not part of a longer word, or else the first, or the file's start.
    pub fn of_word(path: &str, text: &Arc<str>, word: &str) -> Self {
        let part = |character: char| character.is_alphanumeric() || "_-./".contains(character);
        let whole = text.match_indices(word).find(|(at, _)| {
            let before = text.get(..*at).and_then(|before| before.chars().next_back());
            let after = text.get(at.saturating_add(word.len())..).and_then(|after| after.chars().next());
            !before.is_some_and(part) && !after.is_some_and(part)
        });
        let span =
            whole.map(|(at, _)| at).or_else(|| text.find(word)).map_or(0..0, |at| at..at.saturating_add(word.len()));
        Self { path: path.to_owned(), text: text.clone(), span }
    }

    /// The word that begins at a line and a column, both counted from 1, the column in characters.
    fn at(path: &str, text: &Arc<str>, line: u64, column: u64) -> Self {
        let line = usize::try_from(line).unwrap_or(1).saturating_sub(1);
        let column = usize::try_from(column).unwrap_or(1).saturating_sub(1);
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at.saturating_add(1)));
        let line_start = starts.take(line.saturating_add(1)).last().unwrap_or(0);
        let rest = text.get(line_start..).unwrap_or_default();
        let rest = rest.split('\n').next().unwrap_or_default();
        let offset = rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at);
        let word = rest.get(offset..).unwrap_or_default();
        let length = word.find(|c: char| c.is_whitespace() || ":,]}".contains(c)).unwrap_or(word.len());
        let start = line_start.saturating_add(offset);
        Self { path: path.to_owned(), text: text.clone(), span: start..start.saturating_add(length) }
    }
}

/// YAML that is not what is expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct YamlError {
    /// What is wrong, in one line.
    pub message: String,
    /// Where.
    pub place: Box<Place>,
}

/// Reads YAML; `path` is for the message when it is not what is expected.
pub fn read_yaml<T: DeserializeOwned>(path: &str, text: &Arc<str>) -> Result<T, YamlError> {
    use serde_saphyr::MessageFormatter as _;
    serde_saphyr::from_str(text).map_err(|error| {
        let error = error.without_snippet();
        let message = serde_saphyr::DefaultMessageFormatter.format_message(error);
        let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
        YamlError {
            message: message.lines().next().unwrap_or_default().to_owned(),
            place: Box::new(Place::at(path, text, line, column)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_in_yaml_is_told_once_with_its_place() {
        let text: Arc<str> = "name: ž\nwrong: [1, x]\n".into();
        let error = read_yaml::<std::collections::BTreeMap<String, String>>("a.yaml", &text).unwrap_err();
        assert!(error.to_string().starts_with("a.yaml:2:8: "), "{error}");
        assert_eq!(error.to_string().matches("line").count(), 0, "{error}");
        assert_eq!(error.to_string().lines().count(), 1);
    }

    #[test]
    fn words_are_found_whole() {
        let text: Arc<str> = "aws.s3.bucket-public\non: aws.s3.bucket\n".into();
        assert_eq!(Place::of_word("a", &text, "aws.s3.bucket").to_string(), "a:2:5");
        assert_eq!(Place::of_word("a", &text, "aws.s3").to_string(), "a:1:1");
        assert_eq!(Place::of_word("a", &text, "nothing").to_string(), "a:1:1");
    }
}
