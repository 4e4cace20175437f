//! Conditions of statements: one test compares a request's key with values.

use std::fmt;
use std::net::IpAddr;

use serde_json::Value as Json;

use crate::context::{Context, Known};
use crate::pattern::Pattern;
use crate::variables::{self, Filled};

/// One key's test.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Test {
    /// How values are compared.
    pub operator: Operator,
    /// How several values of the request count.
    pub quantifier: Option<Quantifier>,
    /// Whether it holds where the request has no such key.
    pub if_exists: bool,
    /// As it is written, `aws:SourceIp`.
    pub key: Box<str>,
    /// In lower case, as it is looked up.
    pub lower: Box<str>,
    /// Any of them.
    pub values: Vec<Box<str>>,
    /// Whether `${…}` in the values are variables.
    has_variables: bool,
}

/// `ForAllValues`, `ForAnyValue`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantifier {
    /// Every value of the request must pass; without values it holds.
    All,
    /// One value of the request must pass; without values it does not hold.
    Any,
}

/// How a value of the request is compared with those of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of the policy language")]
pub enum Operator {
    StringEquals,
    StringNotEquals,
    StringEqualsIgnoreCase,
    StringNotEqualsIgnoreCase,
    StringLike,
    StringNotLike,
    NumericEquals,
    NumericNotEquals,
    NumericLessThan,
    NumericLessThanEquals,
    NumericGreaterThan,
    NumericGreaterThanEquals,
    DateEquals,
    DateNotEquals,
    DateLessThan,
    DateLessThanEquals,
    DateGreaterThan,
    DateGreaterThanEquals,
    Bool,
    BinaryEquals,
    IpAddress,
    NotIpAddress,
    ArnEquals,
    ArnLike,
    ArnNotEquals,
    ArnNotLike,
    Null,
}

use Operator as O;

impl Operator {
    const ALL: [Self; 27] = [
        O::StringEquals,
        O::StringNotEquals,
        O::StringEqualsIgnoreCase,
        O::StringNotEqualsIgnoreCase,
        O::StringLike,
        O::StringNotLike,
        O::NumericEquals,
        O::NumericNotEquals,
        O::NumericLessThan,
        O::NumericLessThanEquals,
        O::NumericGreaterThan,
        O::NumericGreaterThanEquals,
        O::DateEquals,
        O::DateNotEquals,
        O::DateLessThan,
        O::DateLessThanEquals,
        O::DateGreaterThan,
        O::DateGreaterThanEquals,
        O::Bool,
        O::BinaryEquals,
        O::IpAddress,
        O::NotIpAddress,
        O::ArnEquals,
        O::ArnLike,
        O::ArnNotEquals,
        O::ArnNotLike,
        O::Null,
    ];

    /// Whether it holds when no value of the policy is the request's.
    pub fn is_negated(self) -> bool {
        self.positive() != self
    }

    /// The operator of which it is the opposite, or itself.
    pub(crate) fn positive(self) -> Self {
        match self {
            O::StringNotEquals => O::StringEquals,
            O::StringNotEqualsIgnoreCase => O::StringEqualsIgnoreCase,
            O::StringNotLike => O::StringLike,
            O::NumericNotEquals => O::NumericEquals,
            O::DateNotEquals => O::DateEquals,
            O::NotIpAddress => O::IpAddress,
            O::ArnNotEquals => O::ArnEquals,
            O::ArnNotLike => O::ArnLike,
            same => same,
        }
    }

    /// Whether a value of the request and one of the policy go together, the operator being a positive one.
    fn holds(self, value: &str, wanted: &Filled) -> bool {
        let number = |with: fn(&f64, &f64) -> bool| {
            let (Ok(value), Ok(wanted)) = (value.trim().parse::<f64>(), wanted.text().trim().parse::<f64>()) else {
                return false;
            };
            with(&value, &wanted)
        };
        let date = |with: fn(&jiff::Timestamp, &jiff::Timestamp) -> bool| {
            let (Some(value), Some(wanted)) = (time(value), time(&wanted.text())) else { return false };
            with(&value, &wanted)
        };
        match self.positive() {
            O::StringEquals | O::BinaryEquals => *value == *wanted.text(),
            O::StringEqualsIgnoreCase => value.to_lowercase() == wanted.text().to_lowercase(),
            O::Bool => value.eq_ignore_ascii_case(&wanted.text()),
            O::StringLike => wanted.pattern().matches(value),
            O::ArnEquals | O::ArnLike => arn_like(value, &wanted.pattern()),
            O::NumericEquals => number(f64::eq),
            O::NumericLessThan => number(f64::lt),
            O::NumericLessThanEquals => number(f64::le),
            O::NumericGreaterThan => number(f64::gt),
            O::NumericGreaterThanEquals => number(f64::ge),
            O::DateEquals => date(jiff::Timestamp::eq),
            O::DateLessThan => date(jiff::Timestamp::lt),
            O::DateLessThanEquals => date(jiff::Timestamp::le),
            O::DateGreaterThan => date(jiff::Timestamp::gt),
            O::DateGreaterThanEquals => date(jiff::Timestamp::ge),
            O::IpAddress => in_range(value, &wanted.text()).unwrap_or(false),
            _ => false,
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// What a test says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// What it asks for is not known.
    Unknown,
}

impl Test {
    /// A test without variables, with any of the values.
    pub(crate) fn plain(
        (quantifier, operator, if_exists): (Option<Quantifier>, Operator, bool),
        key: &str,
        values: Vec<Box<str>>,
    ) -> Self {
        let lower = key.to_ascii_lowercase().into();
        Self { operator, quantifier, if_exists, key: key.into(), lower, values, has_variables: false }
    }

    /// The tests of a `Condition`.
    pub(super) fn all(condition: &Json, has_variables: bool) -> Result<Vec<Self>, String> {
        let Json::Object(operators) = condition else { return Err("`Condition` is no JSON object".to_owned()) };
        let mut tests = Vec::new();
        for (operator, keys) in operators {
            let Json::Object(keys) = keys else { return Err(format!("`Condition.{operator}` is no JSON object")) };
            let (quantifier, operator, if_exists) = Self::operator(operator)?;
            for (key, values) in keys {
                let values = values_of(values).ok_or_else(|| format!("the values of `{key}` are no texts"))?;
                let lower = key.to_ascii_lowercase().into();
                let key = key.as_str().into();
                tests.push(Self { operator, quantifier, if_exists, key, lower, values, has_variables });
            }
        }
        Ok(tests)
    }

    /// What an operator's name says: quantifier, operator, whether `IfExists`.
    pub(crate) fn operator(text: &str) -> Result<(Option<Quantifier>, Operator, bool), String> {
        let lower = text.to_ascii_lowercase();
        let (quantifier, name) = match lower.split_once(':') {
            Some(("forallvalues", name)) => (Some(Quantifier::All), name),
            Some(("foranyvalue", name)) => (Some(Quantifier::Any), name),
            _ => (None, lower.as_str()),
        };
        let (name, if_exists) = match name.strip_suffix("ifexists") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let operator = Operator::ALL.into_iter().find(|operator| operator.to_string().eq_ignore_ascii_case(name));
        match operator {
            Some(O::Null) if if_exists => Err("`Null` has no `IfExists`".to_owned()),
            Some(operator) => Ok((quantifier, operator, if_exists)),
            None => Err(format!("`{text}` is no condition operator")),
        }
    }

    /// Whether it holds for a request.
    pub fn holds(&self, context: &Context) -> Held {
        let yes = |truth: bool| if truth { Held::Yes } else { Held::No };
        let known = context.get(&self.lower);
        if self.operator == O::Null {
            let wants_absent = self.values.iter().any(|value| value.eq_ignore_ascii_case("true"));
            return match known {
                Known::Values(_) | Known::Present => yes(!wants_absent),
                Known::Absent => yes(wants_absent),
                Known::Unknown => Held::Unknown,
            };
        }
        let values = match known {
            Known::Values(values) => values,
            Known::Unknown | Known::Present => return Held::Unknown,
            Known::Absent => {
                return match self.quantifier {
                    _ if self.if_exists => Held::Yes,
                    Some(Quantifier::All) => Held::Yes,
                    Some(Quantifier::Any) => Held::No,
                    None => yes(self.operator.is_negated()),
                };
            }
        };
        let mut wanted = Vec::with_capacity(self.values.len());
        for value in &self.values {
            match self.fill(value, context) {
                Ok(Some(filled)) => wanted.push(filled),
                // A variable without a value is equal to nothing.
                Ok(None) => {}
                Err(variables::Unknown) => return Held::Unknown,
            }
        }
        let one = |value: &str| {
            let any = wanted.iter().any(|wanted| self.operator.holds(value, wanted));
            any != self.operator.is_negated()
        };
        yes(match self.quantifier {
            Some(Quantifier::All) => values.iter().all(|value| one(value)),
            Some(Quantifier::Any) => values.iter().any(|value| one(value)),
            // Of a key with several values each must pass a negated test, one a positive.
            None if self.operator.is_negated() => values.iter().all(|value| one(value)),
            None => values.iter().any(|value| one(value)),
        })
    }

    fn fill(&self, value: &str, context: &Context) -> Result<Option<Filled>, variables::Unknown> {
        if self.has_variables { variables::fill(value, context) } else { Ok(Some(Filled::plain(value))) }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.key)?;
        match self.quantifier {
            Some(Quantifier::All) => f.write_str("ForAllValues:")?,
            Some(Quantifier::Any) => f.write_str("ForAnyValue:")?,
            None => {}
        }
        write!(f, "{}{} ", self.operator, if self.if_exists { "IfExists" } else { "" })?;
        match self.values.as_slice() {
            [one] => f.write_str(one),
            several => write!(f, "[{}]", several.join(", ")),
        }
    }
}

fn values_of(value: &Json) -> Option<Vec<Box<str>>> {
    let text = |value: &Json| -> Option<Box<str>> {
        match value {
            Json::String(text) => Some(text.as_str().into()),
            Json::Bool(_) | Json::Number(_) => Some(value.to_string().into()),
            _ => None,
        }
    };
    match value {
        Json::Array(items) => items.iter().map(text).collect(),
        one => Some(vec![text(one)?]),
    }
}

/// Each of the six parts is compared on its own, so that a `*` does not reach over a colon; the last takes the rest.
fn arn_like(value: &str, pattern: &Pattern) -> bool {
    let parts: Vec<&str> = pattern.text().splitn(6, ':').collect();
    let of: Vec<&str> = value.splitn(6, ':').collect();
    parts.len() == of.len() && parts.iter().zip(of).all(|(pattern, of)| Pattern::new(pattern).matches(of))
}

/// Whether an address, or all of a range, is in a range; `None` where one of them is none.
pub(crate) fn in_range(value: &str, range: &str) -> Option<bool> {
    let (address, length) = prefix(value)?;
    let (network, bits) = prefix(range)?;
    let wide = |address: IpAddr| match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)) << 96, 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    };
    if address.is_ipv4() != network.is_ipv4() {
        return Some(false);
    }
    let ((address, _), (network, _)) = (wide(address), wide(network));
    let mask = if bits == 0 { 0 } else { u128::MAX << (128 - bits) };
    Some(length >= bits && address & mask == network & mask)
}

/// An address and the length of its prefix.
pub(crate) fn prefix(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let address: IpAddr = address.trim().parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(most), |bits| bits.trim().parse().ok())?;
    (bits <= most).then_some((address, bits))
}

/// ISO 8601, or seconds since 1970.
pub(crate) fn time(text: &str) -> Option<jiff::Timestamp> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<i64>() {
        return jiff::Timestamp::from_second(seconds).ok();
    }
    text.parse().ok().or_else(|| {
        let date: jiff::civil::Date = text.parse().ok()?;
        jiff::tz::TimeZone::UTC.to_timestamp(date.to_datetime(jiff::civil::Time::midnight())).ok()
    })
}
