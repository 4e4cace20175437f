//! Four truth values and their logic.
//!
//! | `a AND b` | false | true | null | unknown | | `a OR b` | false | true | null | unknown |
//! | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
//! | **false** | false | false | false | false | | **false** | false | true | null | unknown |
//! | **true** | false | true | null | unknown | | **true** | true | true | true | true |
//! | **null** | false | null | null | unknown | | **null** | null | true | null | unknown |
//! | **unknown** | false | unknown | unknown | unknown | | **unknown** | unknown | true | unknown | unknown |
//!
//! `NOT null` is null, `NOT unknown` is unknown; `XOR` and every other operator and function give unknown as soon as
//! one operand is unknown, else what openCypher says.

/// The value of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It is about something absent.
    Null,
    /// It depends on something that could not be read.
    Unknown,
}

impl Truth {
    /// All four.
    pub const ALL: [Truth; 4] = [Self::True, Self::False, Self::Null, Self::Unknown];

    /// `self AND other`.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Null, _) | (_, Self::Null) => Self::Null,
            (Self::True, Self::True) => Self::True,
        }
    }

    /// `self OR other`.
    pub fn or(self, other: Self) -> Self {
        !(!self).and(!other)
    }

    /// `self XOR other`.
    pub fn xor(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Null, _) | (_, Self::Null) => Self::Null,
            (left, right) => Self::from(left != right),
        }
    }
}

impl std::ops::Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            other => other,
        }
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}
