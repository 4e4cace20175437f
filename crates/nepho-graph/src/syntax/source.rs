//! The text as the parser is given it: bounded, and with what the parser crate would not take put in other words.

use open_cypher::{Token, TokenKind};

use super::{span, whole_of};
use crate::error::{ErrorCode, Outcome, QueryError};

/// Longest text that is looked at.
const MAX_BYTES: usize = 262_144;
/// Most words and signs.
const MAX_TOKENS: usize = 20_000;
/// Deepest brackets.
const MAX_BRACKETS: usize = 100;
/// Longest run of words without a comma: each may be one level of the parser's tree.
const MAX_RUN: usize = 3_000;
/// What is put into `EXISTS { (a)-->(b) }`, so that a pattern there may begin as any other (the parser crate refuses
/// `(:Label)` without it).
const INSERT: &str = "MATCH ";

/// The text as the parser saw it, and the way back to the text as it was written.
#[derive(Debug)]
pub(crate) struct Source {
    /// What spans refer to.
    pub text: String,
    original: usize,
    prefix: usize,
    /// Where how much more stands than was written, in `text`, ascending.
    longer: Vec<(usize, usize)>,
}

/// A change of the text: so many bytes from a place on give way to others, never fewer.
struct Edit {
    at: usize,
    cut: usize,
    insert: &'static str,
}

impl Source {
    pub(super) fn new(text: &str, prefix: &str, suffix: &str) -> Outcome<Self> {
        let mut source =
            Self { text: prefix.to_owned(), original: text.len(), prefix: prefix.len(), longer: Vec::new() };
        let mut done = 0;
        for Edit { at, cut, insert } in edits(text)? {
            source.text.push_str(text.get(done..at).unwrap_or_default());
            source.longer.push((source.text.len(), insert.len() - cut));
            source.text.push_str(insert);
            done = at + cut;
        }
        source.text.push_str(text.get(done..).unwrap_or_default());
        source.text.push_str(suffix);
        Ok(source)
    }

    /// A place of the parser's text, in the text as it was written.
    pub fn original(&self, at: usize) -> usize {
        let longer: usize = self.longer.iter().map(|(place, more)| at.saturating_sub(*place).min(*more)).sum();
        at.saturating_sub(longer).saturating_sub(self.prefix).min(self.original)
    }

    /// The error with its place in the text as it was written.
    pub fn map(&self, mut error: Box<QueryError>) -> Box<QueryError> {
        // What follows the text of an expression is ours: nobody wrote that bracket.
        if self.prefix > 0
            && self.original(error.span.start) == self.original
            && let Some(rest) = error.message.strip_prefix("unexpected token `)`")
        {
            error.message = format!("the expression ends too early{rest}");
        }
        error.span = self.original(error.span.start)..self.original(error.span.end);
        error
    }
}

/// Bounds length and nesting; gives the changes, ascending.
fn edits(text: &str) -> Outcome<Vec<Edit>> {
    let complex = |message: &str| Err(QueryError::new(ErrorCode::TooComplex, whole_of(text), message));
    if text.len() > MAX_BYTES {
        return complex("the query is longer than 256 KiB");
    }
    let (mut open, mut run) = (0usize, 0);
    let mut words: Vec<Token> = Vec::new();
    let mut edits = Vec::new();
    for token in open_cypher::lex(text).tokens {
        let Some(word) = token.text(text) else { continue };
        match token.kind {
            TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment => continue,
            _ => {}
        }
        run += 1;
        match word {
            "(" | "[" | "{" => open += 1,
            ")" | "]" | "}" => match open.checked_sub(1) {
                Some(less) => open = less,
                None => {
                    let message = format!("`{word}` closes nothing");
                    return Err(QueryError::new(ErrorCode::UnexpectedSyntax, span(token.span), message));
                }
            },
            "," => run = 0,
            _ => {}
        }
        if words.len() >= MAX_TOKENS || run > MAX_RUN {
            return complex("the query has too many words");
        }
        if open > MAX_BRACKETS {
            return complex("the query is nested more than 100 deep");
        }
        let is = |back: usize, wanted: &str| {
            let before = words.len().checked_sub(back).and_then(|at| words.get(at)).and_then(|token| token.text(text));
            before.is_some_and(|word| word.eq_ignore_ascii_case(wanted))
        };
        if word == "(" && is(1, "{") && (is(2, "exists") || is(2, "count") || is(2, "collect")) {
            edits.push(Edit { at: token.span.start, cut: 0, insert: INSERT });
        }
        if word == "("
            && is(1, "collect")
            && let Some(name) = words.last()
        {
            // The parser crate takes this word for that of a subquery in all parts of a UNION but the first.
            edits.extend([name.span.start, name.span.end].map(|at| Edit { at, cut: 0, insert: "`" }));
        }
        words.push(token);
    }
    for at in 0..words.len() {
        if begins_labels(&words, at) {
            choice(&words, at + 1, &mut edits);
        }
    }
    edits.sort_by_key(|edit| edit.at);
    Ok(edits)
}

/// Whether the labels of a node begin here: `(:` or `(name:`.
fn begins_labels(words: &[Token], at: usize) -> bool {
    let kind = |at: Option<usize>| at.and_then(|at| words.get(at)).map(|token| token.kind);
    let opens = |at: Option<usize>| kind(at) == Some(TokenKind::LeftParen);
    kind(Some(at)) == Some(TokenKind::Colon)
        && (opens(at.checked_sub(1)) || (kind(at.checked_sub(1)).is_some_and(is_name) && opens(at.checked_sub(2))))
}

fn is_name(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::Identifier | TokenKind::EscapedIdentifier | TokenKind::Keyword(_))
}

/// Says a choice of labels in other words, `A|B` as `!(!(A)&!(B))`: after a `|` between labels the parser crate takes
/// every later label for a predicate. Gives the place after the expression.
fn choice(words: &[Token], start: usize, edits: &mut Vec<Edit>) -> Option<usize> {
    let kind = |at: usize| words.get(at).map(|token| token.kind);
    let mut end = all_of(words, start, edits)?;
    let mut signs = Vec::new();
    while kind(end) == Some(TokenKind::Pipe) {
        signs.push(end);
        end = all_of(words, end + 1, edits)?;
    }
    if let (false, Some(first), Some(last)) = (signs.is_empty(), words.get(start), words.get(end - 1)) {
        edits.push(Edit { at: first.span.start, cut: 0, insert: "!(!(" });
        edits.extend(signs.iter().map(|at| Edit { at: words[*at].span.start, cut: 1, insert: ")&!(" }));
        edits.push(Edit { at: last.span.end, cut: 0, insert: "))" });
    }
    Some(end)
}

/// Labels joined by `&` or `:`.
fn all_of(words: &[Token], start: usize, edits: &mut Vec<Edit>) -> Option<usize> {
    let kind = |at: usize| words.get(at).map(|token| token.kind);
    let mut at = start;
    loop {
        while kind(at) == Some(TokenKind::Bang) {
            at += 1;
        }
        at = match kind(at)? {
            TokenKind::LeftParen => {
                let end = choice(words, at + 1, edits)?;
                (kind(end) == Some(TokenKind::RightParen)).then_some(end + 1)?
            }
            TokenKind::Percent => at + 1,
            kind if is_name(kind) => at + 1,
            _ => return None,
        };
        match kind(at) {
            Some(TokenKind::Ampersand | TokenKind::Colon) => at += 1,
            _ => return Some(at),
        }
    }
}
