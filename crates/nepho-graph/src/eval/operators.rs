//! Operators between two values.

use std::sync::Arc;

use super::{Exec, temporal, whole_regex, wrong_type};
use crate::error::{ErrorCode, Outcome, QueryError, Span};
use crate::ir::BinaryOp;
use crate::truth::Truth;
use crate::value::compare::equals;
use crate::value::{ResultValue as V, Temporal};

impl Exec<'_> {
    pub(crate) fn binary(&self, op: BinaryOp, left: &V, right: &V, span: Span) -> Outcome<V> {
        use BinaryOp as B;
        if op == B::In {
            return self.is_in(left, right, span);
        }
        if let Some(missing) = V::missing([left, right]) {
            // Text operators over what is no text are null whatever the other side is; missing wins the same way.
            return Ok(missing);
        }
        match op {
            B::StartsWith | B::EndsWith | B::Contains => Ok(match (left, right) {
                (V::String(text), V::String(part)) => V::Bool(match op {
                    B::StartsWith => text.starts_with(&**part),
                    B::EndsWith => text.ends_with(&**part),
                    _ => text.contains(&**part),
                }),
                _ => V::Null,
            }),
            B::Regex => match (left, right) {
                (V::String(text), V::String(pattern)) => {
                    let regex = whole_regex(pattern)
                        .map_err(|message| QueryError::new(ErrorCode::InvalidArgumentValue, span, message))?;
                    Ok(V::Bool(regex.is_match(text)))
                }
                _ => Ok(V::Null),
            },
            B::Add | B::Concat => self.add(left, right, span),
            B::In => Ok(V::Null),
            _ => arithmetic(op, left, right, span),
        }
    }

    /// `x IN list`.
    pub(crate) fn is_in(&self, item: &V, list: &V, span: Span) -> Outcome<V> {
        let items = match list {
            V::List(items) => items,
            missing if missing.is_missing() => {
                return Ok(if matches!(item, V::Unknown) { V::Unknown } else { missing.clone() });
            }
            other => return Err(wrong_type(span, "a list", other)),
        };
        let mut found = Truth::False;
        for candidate in items.iter() {
            self.tick()?;
            found = found.or(equals(item, candidate));
            if found == Truth::True {
                break;
            }
        }
        Ok(found.into())
    }

    fn add(&self, left: &V, right: &V, span: Span) -> Outcome<V> {
        Ok(match (left, right) {
            (V::List(left), V::List(right)) => {
                self.check_length(left.len() + right.len())?;
                self.check_nested(V::list(left.iter().chain(right.iter()).cloned().collect()), span)?
            }
            (V::List(left), item) => {
                self.check_length(left.len() + 1)?;
                self.check_nested(V::list(left.iter().chain([item]).cloned().collect()), span)?
            }
            (item, V::List(right)) => {
                self.check_length(right.len() + 1)?;
                self.check_nested(V::list([item].into_iter().chain(right.iter()).cloned().collect()), span)?
            }
            (V::String(left), V::String(right)) => {
                self.check_length(left.len() + right.len())?;
                V::from(format!("{left}{right}"))
            }
            (V::String(left), V::Int(_) | V::Float(_) | V::Bool(_)) => {
                V::from(format!("{left}{}", super::text::shown(right)))
            }
            (V::Int(_) | V::Float(_) | V::Bool(_), V::String(right)) => {
                V::from(format!("{}{right}", super::text::shown(left)))
            }
            _ => return arithmetic(BinaryOp::Add, left, right, span),
        })
    }

    pub(super) fn negate(&self, value: &V, span: Span) -> Outcome<V> {
        Ok(match value {
            V::Null => V::Null,
            V::Unknown => V::Unknown,
            V::Int(whole) => V::Int(whole.checked_neg().ok_or_else(|| overflow(span))?),
            V::Float(number) => V::Float(-number),
            V::Temporal(of) => match **of {
                Temporal::Duration(length) => {
                    V::Temporal(Arc::new(Temporal::Duration(length.negated().ok_or_else(|| overflow(span))?)))
                }
                _ => return Err(wrong_type(span, "a number", value)),
            },
            other => return Err(wrong_type(span, "a number", other)),
        })
    }
}

fn overflow(span: Span) -> Box<QueryError> {
    QueryError::new(ErrorCode::NumberOutOfRange, span, "the result is beyond 64 bits")
}

fn arithmetic(op: BinaryOp, left: &V, right: &V, span: Span) -> Outcome<V> {
    use BinaryOp as B;
    let floats = |a: f64, b: f64| match op {
        B::Add | B::Concat => a + b,
        B::Subtract => a - b,
        B::Multiply => a * b,
        B::Divide => a / b,
        B::Remainder => a % b,
        _ => a.powf(b),
    };
    match (left, right) {
        (V::Int(a), V::Int(b)) => {
            let whole = match op {
                B::Add | B::Concat => a.checked_add(*b),
                B::Subtract => a.checked_sub(*b),
                B::Multiply => a.checked_mul(*b),
                B::Divide | B::Remainder if *b == 0 => {
                    return Err(QueryError::new(ErrorCode::InvalidArgumentValue, span, "division by zero"));
                }
                B::Divide => a.checked_div(*b),
                B::Remainder => Some(a.checked_rem(*b).unwrap_or(0)),
                _ => return Ok(V::Float(floats(*a as f64, *b as f64))),
            };
            whole.map(V::Int).ok_or_else(|| overflow(span))
        }
        (V::Int(a), V::Float(b)) => Ok(V::Float(floats(*a as f64, *b))),
        (V::Float(a), V::Int(b)) => Ok(V::Float(floats(*a, *b as f64))),
        (V::Float(a), V::Float(b)) => Ok(V::Float(floats(*a, *b))),
        (V::Temporal(_) | V::Time(_), _) | (_, V::Temporal(_) | V::Time(_)) => {
            temporal::arithmetic(op, left, right, span)
        }
        (V::Int(_) | V::Float(_), other) | (other, _) => Err(wrong_type(span, "a number", other)),
    }
}
