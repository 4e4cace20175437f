//! What is known of an expression's type before it runs: enough to refuse what can never work.

/// A type, or what may stand for several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// Nothing is known.
    Any,
    /// The literal null.
    Null,
    Bool,
    Int,
    Float,
    /// A whole or floating-point number.
    Number,
    String,
    List,
    Map,
    Node,
    Relation,
    Path,
    Temporal,
    /// Text or list (as a function's argument).
    Sized,
}

impl Type {
    /// Whether a value of this type may be one of `wanted`.
    pub fn may_be(self, wanted: Type) -> bool {
        use Type::*;
        match (self, wanted) {
            (Any | Null, _) | (_, Any) => true,
            (Int | Float | Number, Number) | (Number, Int | Float) | (String | List, Sized) => true,
            (left, right) => left == right,
        }
    }

    /// The word for messages.
    pub fn word(self) -> &'static str {
        use Type::*;
        match self {
            Any => "anything",
            Null => "null",
            Bool => "a boolean",
            Int => "an integer",
            Float => "a float",
            Number => "a number",
            String => "a string",
            List => "a list",
            Map => "a map",
            Node => "a node",
            Relation => "a relation",
            Path => "a path",
            Temporal => "a date, time or duration",
            Sized => "a string or list",
        }
    }
}
