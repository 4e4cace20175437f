//! `${…}` in policies: replaced by what a request's key says.

use crate::context::{Context, Known};
use crate::pattern::{LITERAL_QUESTION, LITERAL_STAR, Pattern, escaped};

/// The value of a variable is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown;

/// Text with its variables replaced; what came from a variable has no wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled(String);

impl Filled {
    /// Text without variables.
    pub fn plain(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As text in which nothing is a wildcard.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        if self.0.contains([LITERAL_STAR, LITERAL_QUESTION]) {
            self.0.replace(LITERAL_STAR, "*").replace(LITERAL_QUESTION, "?").into()
        } else {
            self.0.as_str().into()
        }
    }

    /// As a pattern.
    pub fn pattern(&self) -> Pattern {
        Pattern::new(&self.0)
    }
}

/// Replaces the variables of a text. `None` where one of them has no value and no default: such text is equal to nothing.
pub fn fill(text: &str, context: &Context) -> Result<Option<Filled>, Unknown> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        filled.push_str(before);
        let Some((variable, after)) = after.split_once('}') else {
            filled.push_str("${");
            rest = after;
            break;
        };
        rest = after;
        match variable {
            "*" => filled.push(LITERAL_STAR),
            "?" => filled.push(LITERAL_QUESTION),
            "$" => filled.push('$'),
            _ => {
                let (key, default) = match variable.split_once(',') {
                    Some((key, default)) => (key.trim(), Some(default.trim().trim_matches('\''))),
                    None => (variable.trim(), None),
                };
                match (context.get(&key.to_ascii_lowercase()), default) {
                    (Known::Values([value]), _) => filled.push_str(&escaped(value)),
                    // A key with several values cannot stand for one.
                    (Known::Values(_), _) => return Ok(None),
                    (Known::Unknown | Known::Present, _) => return Err(Unknown),
                    (Known::Absent, Some(default)) => filled.push_str(&escaped(default)),
                    (Known::Absent, None) => return Ok(None),
                }
            }
        }
    }
    filled.push_str(rest);
    Ok(Some(Filled(filled)))
}

/// The keys that a text's variables stand for, as they are written.
pub fn keys(text: &str) -> impl Iterator<Item = &str> {
    let variables = text.split("${").skip(1).filter_map(|after| after.split_once('}'));
    let keys = variables.map(|(variable, _)| variable.split(',').next().unwrap_or(variable).trim());
    keys.filter(|key| !["*", "?", "$"].contains(key))
}

/// A pattern of all that a text may be whatever its variables are.
pub fn open(text: &str) -> Pattern {
    let mut open = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        open.push_str(before);
        let Some((variable, after)) = after.split_once('}') else {
            rest = after;
            break;
        };
        rest = after;
        match variable {
            "*" => open.push(LITERAL_STAR),
            "?" => open.push(LITERAL_QUESTION),
            "$" => open.push('$'),
            _ => open.push('*'),
        }
    }
    open.push_str(rest);
    Pattern::new(&open)
}
