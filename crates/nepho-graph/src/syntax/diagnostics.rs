//! What the parser says, for people.

use open_cypher::DiagnosticCode;

use super::{span, whole_of};
use crate::error::{ErrorCode, QueryError, Span};
use crate::schema::nearest;

/// The first error of the parser, in our words where it does not know the word at all.
pub(super) fn from_diagnostics(text: &str, diagnostics: &[open_cypher::Diagnostic]) -> Box<QueryError> {
    let Some(first) = diagnostics.iter().find(|diagnostic| diagnostic.is_error()) else {
        return QueryError::new(ErrorCode::UnexpectedSyntax, whole_of(text), "the query does not parse");
    };
    let at = first.primary_span.text(text).unwrap_or_default();
    if let Some(error) = of_word(text, at, span(first.primary_span)) {
        return error;
    }
    let after_digit =
        text.get(..first.primary_span.start).is_some_and(|before| before.ends_with(|sign: char| sign.is_ascii_digit()));
    let code = match first.code {
        DiagnosticCode::InvalidNumber => ErrorCode::InvalidNumberLiteral,
        DiagnosticCode::InvalidEscape => ErrorCode::InvalidUnicodeLiteral,
        DiagnosticCode::InvalidToken if !at.is_ascii() => ErrorCode::InvalidUnicodeCharacter,
        _ if after_digit && at.starts_with(|sign: char| sign.is_alphanumeric() || sign == '_') => {
            ErrorCode::InvalidNumberLiteral
        }
        _ if matches!(at, ".." | "-") && first.message.contains("`WHERE`, `]`") => {
            ErrorCode::InvalidRelationshipPattern
        }
        _ => ErrorCode::UnexpectedSyntax,
    };
    let said = first.message.lines().next().unwrap_or("the query does not parse");
    let message = expectations(said).replacen("unexpected token `identifier`", &format!("unexpected `{at}`"), 1);
    let error = QueryError::new(code, span(first.primary_span), message);
    if let Some(closing) = said.strip_prefix("unclosed delimiter ").map(|open| match open {
        "`(`" => ")",
        "`[`" => "]",
        _ => "}",
    }) {
        return error.with_help(format!("add `{closing}`"));
    }
    if said.starts_with("unexpected token `identifier`")
        && let Some(near) = nearest(&at.to_ascii_uppercase(), CLAUSES.iter().copied())
    {
        return error.with_help(format!("did you mean `{near}`?"));
    }
    match &first.help {
        Some(help) => error.with_help(help.lines().next().unwrap_or_default()),
        None => error,
    }
}

/// Words that people mistype.
const CLAUSES: &[&str] = &[
    "MATCH", "OPTIONAL", "WHERE", "WITH", "UNWIND", "RETURN", "DISTINCT", "ORDER", "SKIP", "LIMIT", "UNION", "STARTS",
    "CONTAINS", "EXISTS",
];

/// The parser names everything that it would have taken; a person is helped by a few, words before signs.
fn expectations(message: &str) -> String {
    const NAMED_MAX: usize = 5;
    let Some((before, list)) = message.split_once("; expected ") else { return message.to_owned() };
    let mut names: Vec<&str> = list.split('`').skip(1).step_by(2).collect();
    if names.len() <= NAMED_MAX {
        return message.to_owned();
    }
    // Where an expression begins, no word of a clause is taken, and a name is.
    if ["CASE", "REDUCE", "identifier"].iter().all(|name| names.contains(name)) {
        return format!("{before}; expected an expression");
    }
    names.sort_by_key(|name| !name.starts_with(char::is_alphabetic));
    let others = names.len().saturating_sub(NAMED_MAX);
    let named: Vec<String> = names.iter().take(NAMED_MAX).map(|name| format!("`{name}`")).collect();
    format!("{before}; expected {} or one of {others} others", named.join(", "))
}

/// Words of Cypher's relatives that the parser stumbles over.
fn of_word(text: &str, word: &str, at: Span) -> Option<Box<QueryError>> {
    let before = text.get(..at.start as usize).unwrap_or_default().trim_end();
    let after_call = matches!(word, "{" | "(") && before.to_ascii_uppercase().ends_with("CALL");
    let (code, message, help) = match word.to_ascii_uppercase().as_str() {
        word @ ("FOREACH" | "INSERT" | "DROP") => {
            let message = format!("{word} writes, and queries only read the graph");
            (ErrorCode::Write, message, "use MATCH, WITH, UNWIND and RETURN")
        }
        "LOAD" => (
            ErrorCode::Unsupported,
            "LOAD CSV is not supported: queries only read the graph".to_owned(),
            "pass the values as a parameter and take them with UNWIND",
        ),
        "NULLS" => (
            ErrorCode::Unsupported,
            "NULLS FIRST and NULLS LAST are not supported".to_owned(),
            "nulls come last; order by `x IS NOT NULL, x` to have them first",
        ),
        "LET" => (ErrorCode::Unsupported, "LET is not supported".to_owned(), "use `WITH *, … AS name`"),
        "FILTER" => (ErrorCode::Unsupported, "FILTER is not supported".to_owned(), "use `WITH * WHERE …`"),
        word @ ("USE" | "FINISH" | "NEXT" | "SELECT") => {
            (ErrorCode::Unsupported, format!("{word} is not supported"), "use MATCH, WITH, UNWIND and RETURN")
        }
        _ if after_call => (
            ErrorCode::Unsupported,
            "CALL with a query in braces is not supported".to_owned(),
            "use `EXISTS { … }`, `COUNT { … }` or `COLLECT { … }`, or WITH",
        ),
        _ => return None,
    };
    Some(QueryError::new(code, at, message).with_help(help))
}
