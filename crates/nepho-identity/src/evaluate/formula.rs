//! What must hold: tests of unknown keys, joined by and, or and not.

use std::fmt;

use crate::policy::Test;
use crate::variables;

/// What must hold, in negation normal form.
#[derive(Clone, Debug, PartialEq)]
pub enum Formula<'p> {
    /// One thing.
    One(Literal<'p>),
    /// All of them; of none: always.
    All(Vec<Formula<'p>>),
    /// Any of them; of none: never.
    Any(Vec<Formula<'p>>),
}

/// One thing that must hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Literal<'p> {
    /// A condition of a statement, or its opposite.
    Test {
        /// The condition.
        test: &'p Test,
        /// Whether it must hold, else it must not.
        holds: bool,
    },
    /// The session has this name.
    SessionName(&'p str),
    /// The session has another name.
    OtherSession(&'p str),
    /// The resource is, or is not, one of a pattern with variables of which a value is not known.
    Resource {
        /// As the statement writes it.
        written: &'p str,
        /// Whether it is.
        is: bool,
    },
}

impl<'p> Formula<'p> {
    /// Holds always.
    pub fn always() -> Self {
        Self::All(Vec::new())
    }

    /// Holds never.
    pub fn never() -> Self {
        Self::Any(Vec::new())
    }

    /// One thing.
    pub fn of(literal: Literal<'p>) -> Self {
        Self::One(literal)
    }

    /// Whether it holds whatever is not known.
    pub fn is_always(&self) -> bool {
        matches!(self, Self::All(of) if of.is_empty())
    }

    /// Whether it holds under no circumstances.
    pub fn is_never(&self) -> bool {
        matches!(self, Self::Any(of) if of.is_empty())
    }

    /// All of them.
    pub fn all(of: Vec<Self>) -> Self {
        let mut parts: Vec<Self> = Vec::with_capacity(of.len());
        for part in of {
            match part {
                never if never.is_never() => return Self::never(),
                Self::All(inner) => parts.extend(inner),
                other => parts.push(other),
            }
        }
        Self::tidy(parts, Self::All)
    }

    /// Any of them.
    pub fn any(of: Vec<Self>) -> Self {
        let mut parts: Vec<Self> = Vec::with_capacity(of.len());
        for part in of {
            match part {
                always if always.is_always() => return Self::always(),
                Self::Any(inner) => parts.extend(inner),
                other => parts.push(other),
            }
        }
        Self::tidy(parts, Self::Any)
    }

    fn tidy(mut parts: Vec<Self>, join: fn(Vec<Self>) -> Self) -> Self {
        let mut at = 0;
        while at < parts.len() {
            let (before, rest) = parts.split_at(at);
            if rest.first().is_some_and(|part| before.contains(part)) {
                parts.remove(at);
            } else {
                at += 1;
            }
        }
        match parts.len() {
            1 => parts.pop().unwrap_or_else(Self::always),
            _ => join(parts),
        }
    }

    /// Holds where this does not.
    pub fn opposite(self) -> Self {
        match self {
            Self::One(Literal::Test { test, holds }) => Self::One(Literal::Test { test, holds: !holds }),
            Self::One(Literal::SessionName(name)) => Self::One(Literal::OtherSession(name)),
            Self::One(Literal::OtherSession(name)) => Self::One(Literal::SessionName(name)),
            Self::One(Literal::Resource { written, is }) => Self::One(Literal::Resource { written, is: !is }),
            Self::All(of) => Self::any(of.into_iter().map(Self::opposite).collect()),
            Self::Any(of) => Self::all(of.into_iter().map(Self::opposite).collect()),
        }
    }

    /// What it is with each thing taken as given or not by `given`; `None` leaves it open.
    pub fn given(&self, given: &impl Fn(&Literal<'p>) -> Option<bool>) -> Self {
        match self {
            Self::One(literal) => match given(literal) {
                Some(true) => Self::always(),
                Some(false) => Self::never(),
                None => self.clone(),
            },
            Self::All(of) => Self::all(of.iter().map(|part| part.given(given)).collect()),
            Self::Any(of) => Self::any(of.iter().map(|part| part.given(given)).collect()),
        }
    }

    /// Calls `f` with each thing.
    pub fn each(&self, f: &mut impl FnMut(&Literal<'p>)) {
        match self {
            Self::One(literal) => f(literal),
            Self::All(of) | Self::Any(of) => of.iter().for_each(|part| part.each(f)),
        }
    }

    /// The condition keys that it asks for, as they are written, each once.
    pub fn keys(&self) -> Vec<&'p str> {
        let mut keys: Vec<&'p str> = Vec::new();
        self.each(&mut |literal| {
            let asked: Vec<&'p str> = match literal {
                Literal::Test { test, .. } => vec![&test.key],
                Literal::Resource { written, .. } => variables::keys(written).collect(),
                Literal::SessionName(_) | Literal::OtherSession(_) => Vec::new(),
            };
            for key in asked {
                if !keys.iter().any(|known| known.eq_ignore_ascii_case(key)) {
                    keys.push(key);
                }
            }
        });
        keys
    }
}

impl fmt::Display for Literal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Test { test, holds: true } => write!(f, "{test}"),
            Self::Test { test, holds: false } => write!(f, "not ({test})"),
            Self::SessionName(name) => write!(f, "the session's name is {name}"),
            Self::OtherSession(name) => write!(f, "the session's name is not {name}"),
            Self::Resource { written, is: true } => write!(f, "the resource is {written}"),
            Self::Resource { written, is: false } => write!(f, "the resource is not {written}"),
        }
    }
}

impl fmt::Display for Formula<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, word) = match self {
            Self::One(literal) => return write!(f, "{literal}"),
            always if always.is_always() => return f.write_str("always"),
            never if never.is_never() => return f.write_str("never"),
            Self::All(of) => (of, " and "),
            Self::Any(of) => (of, " or "),
        };
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                f.write_str(word)?;
            }
            match part {
                Self::One(literal) => write!(f, "{literal}")?,
                nested => write!(f, "({nested})")?,
            }
        }
        Ok(())
    }
}
