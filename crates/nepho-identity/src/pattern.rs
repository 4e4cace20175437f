//! Text with wildcards, as policies write actions and resources: `*` is any run of characters, `?` any one.
//!
//! Patterns stay patterns: what they have in common with another one is computed on the patterns themselves, nothing is
//! ever listed out.

use std::fmt;

/// Stands for a `*` that means itself (policies write `${*}`); from the private use area.
pub(crate) const LITERAL_STAR: char = '\u{E000}';
/// Stands for a `?` that means itself (policies write `${?}`).
pub(crate) const LITERAL_QUESTION: char = '\u{E001}';

/// A pattern.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern {
    /// Runs of wildcards are written with all `?` first and one `*` at most.
    text: Box<str>,
    shape: Shape,
}

/// What a pattern looks like, for the common cases in which it can be compared without looking for wildcards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Shape {
    /// No wildcard.
    Exact,
    /// One `*` at the end.
    Prefix,
    /// Anything else.
    General,
}

/// How the texts of a pattern relate to those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// No text is in both.
    None,
    /// Some are.
    Some,
    /// All texts of the other one are in this.
    All,
}

impl Pattern {
    /// From text as a policy writes it.
    pub fn new(text: &str) -> Self {
        let mut normal = String::with_capacity(text.len());
        let mut star = false;
        for c in text.chars() {
            match c {
                '*' => star = true,
                '?' => normal.push('?'),
                _ => {
                    if std::mem::take(&mut star) {
                        normal.push('*');
                    }
                    normal.push(c);
                }
            }
        }
        if star {
            normal.push('*');
        }
        let shape = match normal.find(['*', '?']) {
            None => Shape::Exact,
            Some(at) if normal.ends_with('*') && at + 1 == normal.len() => Shape::Prefix,
            Some(_) => Shape::General,
        };
        Self { text: normal.into(), shape }
    }

    /// From text that means itself, wildcards and all.
    pub fn literal(text: &str) -> Self {
        Self::new(&escaped(text))
    }

    /// As it is compared: wildcards in their normal order.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it looks like.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// What stands before the first wildcard.
    pub fn prefix(&self) -> &str {
        self.text.split(['*', '?']).next().unwrap_or_default()
    }

    /// Whether it is `*`.
    pub fn is_everything(&self) -> bool {
        &*self.text == "*"
    }

    /// Whether a text (not a pattern) is one of its.
    pub fn matches(&self, text: &str) -> bool {
        match self.shape {
            Shape::Exact => self.matches_exactly(text),
            Shape::Prefix if !self.text.contains([LITERAL_STAR, LITERAL_QUESTION]) => text.starts_with(self.prefix()),
            _ => glob(&self.text, text, |pattern, c| pattern == '?' || means(pattern) == c),
        }
    }

    fn matches_exactly(&self, text: &str) -> bool {
        *self.text == *text
            || (self.text.contains([LITERAL_STAR, LITERAL_QUESTION]) && self.text.chars().map(means).eq(text.chars()))
    }

    /// Whether every text of another pattern is one of this.
    pub fn covers(&self, other: &Self) -> bool {
        match (self.shape, other.shape) {
            (Shape::Exact, _) => self.text == other.text,
            (Shape::Prefix, _) => other.text.starts_with(self.prefix()),
            // With enough characters that no pattern names, a `*` must be taken by a `*`, a `?` by a `?` or a `*`.
            _ => glob(&self.text, &other.text, |pattern, c| pattern == c || (pattern == '?' && c != '*')),
        }
    }

    /// Whether some text is one of both.
    pub fn meets(&self, other: &Self) -> bool {
        match (self.shape, other.shape) {
            (Shape::Exact, Shape::Exact) => self.text == other.text,
            (Shape::Exact, _) => other.covers(self),
            (_, Shape::Exact) => self.covers(other),
            (Shape::Prefix, Shape::Prefix) => {
                let (left, right) = (self.prefix(), other.prefix());
                left.starts_with(right) || right.starts_with(left)
            }
            _ => meet(&self.text, &other.text),
        }
    }

    /// How its texts relate to those of another pattern.
    pub fn overlap(&self, other: &Self) -> Overlap {
        if self.covers(other) {
            Overlap::All
        } else if self.meets(other) {
            Overlap::Some
        } else {
            Overlap::None
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.text.chars() {
            match c {
                LITERAL_STAR => f.write_str("${*}")?,
                LITERAL_QUESTION => f.write_str("${?}")?,
                _ => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Text whose wildcards mean themselves.
pub(crate) fn escaped(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '*' => LITERAL_STAR,
            '?' => LITERAL_QUESTION,
            c => c,
        })
        .collect()
}

fn means(c: char) -> char {
    match c {
        LITERAL_STAR => '*',
        LITERAL_QUESTION => '?',
        c => c,
    }
}

/// Whether a pattern takes all of a text, `one` saying which character of the text a character of the pattern takes. Goes
/// back to the last `*` only, so that the time is at most the product of the lengths.
fn glob(pattern: &str, text: &str, one: impl Fn(char, char) -> bool) -> bool {
    let (mut rest, mut left) = (pattern.chars(), text.chars());
    let mut back: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let mut next = rest.clone();
        match next.next() {
            Some('*') => {
                rest = next;
                back = Some((rest.clone(), left.clone()));
                continue;
            }
            Some(p) => {
                let mut after = left.clone();
                if let Some(c) = after.next()
                    && one(p, c)
                {
                    (rest, left) = (next, after);
                    continue;
                }
            }
            None if left.as_str().is_empty() => return true,
            None => {}
        }
        let Some((after_star, from)) = &mut back else { return false };
        if from.next().is_none() {
            return false;
        }
        (rest, left) = (after_star.clone(), from.clone());
    }
}

/// Whether two patterns have a text in common: which pairs of places in them can be reached together.
fn meet(left: &str, right: &str) -> bool {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let width = right.len() + 1;
    // The row of places in `right` that go with a place in `left`.
    let mut row = vec![false; width];
    row[0] = true;
    let skip_stars = |row: &mut [bool]| {
        for at in 0..right.len() {
            if row[at] && right[at] == '*' {
                row[at + 1] = true;
            }
        }
    };
    skip_stars(&mut row);
    for l in &left {
        let mut next = vec![false; width];
        if *l == '*' {
            // Takes any run of what `right` has from here on.
            let mut reached = false;
            for at in 0..width {
                reached |= row[at];
                next[at] = reached;
            }
        } else {
            for at in 0..right.len() {
                if !row[at] {
                    continue;
                }
                match right[at] {
                    '*' => next[at] = true,
                    r if r == *l || r == '?' || *l == '?' => next[at + 1] = true,
                    _ => {}
                }
            }
            skip_stars(&mut next);
        }
        row = next;
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::{Overlap, Pattern};

    fn overlap(left: &str, right: &str) -> Overlap {
        Pattern::new(left).overlap(&Pattern::new(right))
    }

    #[test]
    fn texts_are_matched() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*", "a", true),
            ("a?", "a", false),
            ("a?", "aé", true),
            ("*/*.iso", "x/y/z.iso", true),
            ("*/*.iso", "x.iso", false),
            ("a*b*c", "abbbbc", true),
            ("a*b*c", "abbbb", false),
            ("abc", "abcd", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(text), expected, "{pattern} {text}");
        }
        assert!(Pattern::literal("a*").matches("a*"));
        assert!(!Pattern::literal("a*").matches("ab"));
        assert!(!Pattern::literal("a?c").matches("abc"));
    }

    #[test]
    fn patterns_are_compared_with_each_other() {
        for (left, right, expected) in [
            ("*", "a*", Overlap::All),
            ("a*", "*", Overlap::Some),
            ("a*", "b*", Overlap::None),
            ("?*", "*?", Overlap::All),
            ("*?", "?*", Overlap::All),
            ("a**", "a*", Overlap::All),
            ("a?", "a*", Overlap::Some),
            ("a*", "a?", Overlap::All),
            ("*/AWSLogs/*", "b/*", Overlap::Some),
            ("*x", "*y", Overlap::None),
            ("*ab*", "*abc*", Overlap::All),
            ("a*c", "a?b", Overlap::None),
            ("a*c", "ab*", Overlap::Some),
            ("abc", "a?c", Overlap::Some),
            ("", "*", Overlap::Some),
        ] {
            assert_eq!(overlap(left, right), expected, "{left} {right}");
        }
    }
}
