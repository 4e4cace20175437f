//! How an operation pages, and how paging that never ends is found out.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use serde_json::Value as Json;

use crate::Pagination;
use crate::expression::Expression;
use crate::recording::CallError;

/// Pages in a row that hold what an earlier page held.
const REPEATED_PAGES: u32 = 50;
/// Pages in a row that hold nothing. Many are no fault: an API that filters may find nothing for long.
const EMPTY_PAGES: u32 = 500;

/// How an operation pages, compiled.
pub(super) struct Paging {
    pub limit_key: Option<String>,
    more_results: Option<Expression>,
    tokens: Vec<(String, Expression)>,
}

/// What an answer says of the page after it.
pub(super) enum Next {
    End,
    /// The tokens that ask for it.
    Page(Vec<(String, Json)>),
    /// There is one, but nothing to ask for it with.
    Unnamed,
}

impl Next {
    pub fn tokens(self) -> Vec<(String, Json)> {
        match self {
            Self::Page(tokens) => tokens,
            Self::End | Self::Unnamed => Vec::new(),
        }
    }
}

impl Paging {
    pub fn compile(pagination: &Pagination) -> Result<Self, CallError> {
        let compile = |text: &String| {
            Expression::compile(text).map_err(|error| CallError::malformed("InvalidPaginator", error.to_string()))
        };
        let tokens = pagination.input_tokens.iter().zip(&pagination.output_tokens);
        Ok(Self {
            limit_key: pagination.limit_key.clone(),
            more_results: pagination.more_results.as_ref().map(compile).transpose()?,
            tokens: tokens.map(|(input, output)| Ok((input.clone(), compile(output)?))).collect::<Result<_, _>>()?,
        })
    }

    pub fn next(&self, answer: &Json) -> Next {
        if self.more_results.as_ref().is_some_and(|more| !more.holds(answer).unwrap_or_default()) {
            return Next::End;
        }
        let found = self.tokens.iter().filter_map(|(name, output)| {
            let token = output.search(answer).ok()?.into_owned();
            let is_none = token.is_null() || token.as_str() == Some("") || token.as_array().is_some_and(Vec::is_empty);
            (!is_none).then(|| (name.clone(), token))
        });
        let tokens: Vec<(String, Json)> = found.collect();
        match (tokens.is_empty(), &self.more_results) {
            (false, _) => Next::Page(tokens),
            (true, None) => Next::End,
            (true, Some(_)) => Next::Unnamed,
        }
    }
}

/// The pages of one call as they pass by.
#[derive(Default)]
pub(super) struct Watch {
    tokens: HashSet<u64>,
    bodies: HashSet<u64>,
    repeated: u32,
    empty: u32,
}

impl Watch {
    /// What is wrong with the page's saying that there is another. Sees answers as they are recorded, so that a replay
    /// comes to the same end.
    pub fn look(&mut self, paging: &Paging, answer: &Json, page: u32) -> Option<CallError> {
        let endless = |message: String| Some(CallError::malformed("EndlessPaging", message));
        let tokens = match paging.next(answer) {
            Next::End => return None,
            Next::Unnamed => {
                let message = format!("the answer to page {page} says that there is more and not how to ask for it");
                return Some(CallError::malformed("NoNextPage", message));
            }
            Next::Page(tokens) => tokens,
        };
        let mut hasher = DefaultHasher::new();
        for (name, token) in &tokens {
            name.hash(&mut hasher);
            token.to_string().hash(&mut hasher);
        }
        if !self.tokens.insert(hasher.finish()) {
            return endless(format!("the answer to page {page} leads back to an earlier page"));
        }
        let mut body = Body { tokens: &tokens, hasher: DefaultHasher::new(), is_empty: true };
        body.hash(answer);
        let is_new = self.bodies.insert(body.hasher.finish());
        self.empty = if body.is_empty { self.empty.saturating_add(1) } else { 0 };
        self.repeated = if is_new || body.is_empty { 0 } else { self.repeated.saturating_add(1) };
        if self.repeated >= REPEATED_PAGES {
            return endless(format!("{REPEATED_PAGES} pages in a row, up to page {page}, brought nothing new"));
        }
        if self.empty >= EMPTY_PAGES {
            return endless(format!("{EMPTY_PAGES} pages in a row, up to page {page}, were empty"));
        }
        None
    }
}

/// An answer but for its tokens.
struct Body<'a> {
    tokens: &'a [(String, Json)],
    hasher: DefaultHasher,
    /// No list in it has an element.
    is_empty: bool,
}

impl Body<'_> {
    fn hash(&mut self, value: &Json) {
        if self.tokens.iter().any(|(_, token)| token == value) {
            return;
        }
        match value {
            Json::Array(items) => {
                self.is_empty &= items.is_empty();
                items.len().hash(&mut self.hasher);
                items.iter().for_each(|item| self.hash(item));
            }
            Json::Object(fields) => {
                fields.len().hash(&mut self.hasher);
                for (name, field) in fields {
                    name.hash(&mut self.hasher);
                    self.hash(field);
                }
            }
            Json::String(text) => text.hash(&mut self.hasher),
            other => other.to_string().hash(&mut self.hasher),
        }
    }
}
