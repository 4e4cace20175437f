//! What can be wrong with a query: one error type, with a place in the text and the conformance kit's own name.

use std::fmt;
use std::ops::Range;

/// The class of an error, by the names that the openCypher conformance kit uses where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// Text that does not parse.
    UnexpectedSyntax,
    /// A number that is none.
    InvalidNumberLiteral,
    /// A whole number beyond 64 bits.
    IntegerOverflow,
    /// A floating-point number beyond 64 bits.
    FloatingPointOverflow,
    /// An escape sequence that is none.
    InvalidUnicodeLiteral,
    /// A character that may not stand there.
    InvalidUnicodeCharacter,
    /// A relationship pattern that is none.
    InvalidRelationshipPattern,
    /// A variable that is not in scope.
    UndefinedVariable,
    /// A variable declared twice.
    VariableAlreadyBound,
    /// A variable used as another type than it has.
    VariableTypeConflict,
    /// A relation variable used twice in one pattern.
    RelationshipUniquenessViolation,
    /// An operator or function over a type that it does not take.
    InvalidArgumentType,
    /// A value that the function or operator does not take.
    InvalidArgumentValue,
    /// The wrong number of arguments.
    InvalidNumberOfArguments,
    /// A number outside of the range that is taken.
    NumberOutOfRange,
    /// An aggregation where none may stand.
    InvalidAggregation,
    /// An aggregation within an aggregation.
    NestedAggregation,
    /// An expression that mixes aggregated and plain values.
    AmbiguousAggregationExpression,
    /// A pattern with one variable for a variable-length relation used as a relation, and the like.
    NoSingleRelationshipType,
    /// Two columns of one name.
    ColumnNameConflict,
    /// A projection of nothing.
    NoVariablesInScope,
    /// `WITH` without an alias.
    NoExpressionAlias,
    /// `UNION` over different columns.
    DifferentColumnsInUnion,
    /// Clauses in an order that is none.
    InvalidClauseComposition,
    /// A non-constant `SKIP` or `LIMIT`.
    NonConstantExpression,
    /// A negative `SKIP` or `LIMIT`.
    NegativeIntegerArgument,
    /// A parameter where none may stand.
    InvalidParameterUse,
    /// A parameter that was not given.
    MissingParameter,
    /// A function that does not exist.
    UnknownFunction,
    /// A list or map read by the wrong type of key.
    MapElementAccessByNonString,
    /// A label, relation type or property that the catalogue does not have.
    UnknownName,
    /// A clause that writes.
    Write,
    /// A feature that is not there.
    Unsupported,
    /// The time or memory limit of the query.
    Limit,
    /// A query that the caller cancelled.
    Cancelled,
    /// A part of the graph that the query needs could not be read.
    Damaged,
    /// Nesting or length beyond what is accepted.
    TooComplex,
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

/// A query that is wrong, or that could not be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryError {
    /// What is wrong, in lower case, on one line.
    pub message: String,
    /// Where, in bytes of the query text.
    pub span: Range<usize>,
    /// What to write instead, where that is known.
    pub help: Option<String>,
    /// The class of the error.
    pub code: ErrorCode,
}

impl fmt::Display for QueryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(formatter, " ({help})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for QueryError {}

impl QueryError {
    /// An error of `code` at `span`.
    pub(crate) fn new(code: ErrorCode, span: Span, message: impl Into<String>) -> Box<Self> {
        let mut message: String = message.into();
        // Text of the query or the graph may stand in it; a message is one line all the same.
        if message.contains(char::is_control) {
            message = message.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
        }
        Box::new(Self { message, span: span.range(), help: None, code })
    }

    /// The same error with a suggestion.
    pub(crate) fn with_help(mut self: Box<Self>, help: impl Into<String>) -> Box<Self> {
        self.help = Some(help.into());
        self
    }
}

/// A result within the crate; the error is boxed, so that the good way stays small.
pub(crate) type Outcome<T> = Result<T, Box<QueryError>>;

/// A byte range of the query text, small enough to sit in every expression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// As a standard range.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}
