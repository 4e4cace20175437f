//! Calls of functions: missing arguments first, then by kind of function.

use std::sync::Arc;

use super::network::Network;
use super::{Exec, numbers, temporal, text, wrong_type};
use crate::error::{ErrorCode, Outcome, QueryError, Span};
use crate::exec::Frame;
use crate::functions::Function;
use crate::plan::Expr;
use crate::truth::Truth;
use crate::value::compare::equals;
use crate::value::{ResultValue as V, Temporal};

impl Exec<'_> {
    pub(super) fn call(&self, function: Function, arguments: &[Expr], span: Span, frame: &mut Frame) -> Outcome<V> {
        use Function as F;
        match function {
            F::Coalesce => {
                for argument in arguments {
                    let value = self.eval(argument, frame)?;
                    if !matches!(value, V::Null) {
                        return Ok(value);
                    }
                }
                return Ok(V::Null);
            }
            F::Exists => {
                return Ok(match arguments.first().map(|argument| self.eval(argument, frame)).transpose()? {
                    Some(V::Unknown) => V::Unknown,
                    Some(V::Null) | None => V::Bool(false),
                    Some(_) => V::Bool(true),
                });
            }
            F::NullIf => {
                let [value, other] = arguments else { return Ok(V::Null) };
                let (value, other) = (self.eval(value, frame)?, self.eval(other, frame)?);
                return Ok(match equals(&value, &other) {
                    Truth::True => V::Null,
                    Truth::Unknown => V::Unknown,
                    _ => value,
                });
            }
            F::Timestamp => return Ok(V::Int(self.graph.clock().0.div_euclid(1000))),
            F::Pi => return Ok(V::Float(std::f64::consts::PI)),
            F::E => return Ok(V::Float(std::f64::consts::E)),
            F::Rand => return Ok(V::Float(self.random())),
            _ => {}
        }
        let values = arguments.iter().map(|argument| self.eval(argument, frame)).collect::<Outcome<Vec<_>>>()?;
        if let Some(missing) = V::missing(&values) {
            return Ok(missing);
        }
        self.apply(function, &values, span)
    }

    /// xorshift64*: the same query over the same graph gives the same numbers.
    fn random(&self) -> f64 {
        let mut state = self.random.get();
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        self.random.set(state);
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A function over values that are all there.
    fn apply(&self, function: Function, values: &[V], span: Span) -> Outcome<V> {
        use Function as F;
        let first = values.first().unwrap_or(&V::Null);
        let second = values.get(1).unwrap_or(&V::Null);
        Ok(match function {
            F::AgeDays => match temporal::instant_micros(first) {
                Some(micros) => V::Int(nepho_model::Timestamp(micros).days_until(self.graph.clock())),
                None => V::Null,
            },
            F::CidrContains | F::IpIn => {
                let (outer, inner) = if function == F::CidrContains { (first, second) } else { (second, first) };
                let (outer, inner) = (self.string(outer, span)?, self.string(inner, span)?);
                match (Network::parse(outer), Network::parse(inner)) {
                    (Some(outer), Some(inner)) => V::Bool(outer.contains(inner)),
                    _ => V::Null,
                }
            }
            F::IsPublicIp => match Network::parse(self.string(first, span)?) {
                Some(network) => V::Bool(network.is_public()),
                None => V::Null,
            },
            F::Glob => V::Bool(text::glob(self.string(first, span)?, self.string(second, span)?)),
            F::Head | F::Last | F::Tail => {
                let V::List(items) = first else { return Err(wrong_type(span, "a list", first)) };
                match function {
                    F::Head => items.first().cloned().unwrap_or_default(),
                    F::Last => items.last().cloned().unwrap_or_default(),
                    _ => V::list(items.get(1..).unwrap_or_default().to_vec()),
                }
            }
            F::Size | F::IsEmpty => {
                let size = match first {
                    V::List(items) => items.len(),
                    V::String(text) => text.chars().count(),
                    V::Map(fields) => fields.len(),
                    other => return Err(wrong_type(span, "a string or list", other)),
                };
                if function == F::Size { V::Int(size as i64) } else { V::Bool(size == 0) }
            }
            F::Range => {
                let whole = |value: &V| match value {
                    V::Int(whole) => Ok(*whole),
                    other => Err(wrong_type(span, "a whole number", other)),
                };
                let step = values.get(2).map_or(Ok(1), whole)?;
                return self.range(whole(first)?, whole(second)?, step, span);
            }
            F::Reverse => match first {
                V::List(items) => V::list(items.iter().rev().cloned().collect()),
                V::String(text) => V::from(text.chars().rev().collect::<String>()),
                other => return Err(wrong_type(span, "a string or list", other)),
            },
            F::Keys => match self.properties(first, span)? {
                // A property that could not be read may be absent.
                V::Map(fields)
                    if !matches!(first, V::Map(_)) && fields.values().any(|value| matches!(value, V::Unknown)) =>
                {
                    V::Unknown
                }
                // A map's own keys include those whose value is null.
                V::Map(fields) => V::list(fields.keys().map(|name| V::String(name.clone())).collect()),
                missing => missing,
            },
            F::Properties => return self.properties(first, span),
            F::Labels | F::Type | F::Id | F::ElementId | F::StartNode | F::EndNode => {
                return self.element(function, first, span);
            }
            F::Length | F::Nodes | F::Relationships | F::Rels => {
                let V::Path(path) = first else { return Err(wrong_type(span, "a path", first)) };
                match function {
                    F::Length => V::Int(path.relations.len() as i64),
                    F::Nodes => V::list(path.nodes.iter().map(|node| V::Node(*node)).collect()),
                    _ => V::list(path.relations.iter().map(|relation| V::Relation(*relation)).collect()),
                }
            }
            F::ToBoolean | F::ToInteger | F::ToFloat | F::ToString => return convert(function, first, span),
            F::ToBooleanOrNull => return Ok(convert(F::ToBoolean, first, span).unwrap_or_default()),
            F::ToFloatOrNull => return Ok(convert(F::ToFloat, first, span).unwrap_or_default()),
            F::ToIntegerOrNull => return Ok(convert(F::ToInteger, first, span).unwrap_or_default()),
            F::ToStringOrNull => return Ok(convert(F::ToString, first, span).unwrap_or_default()),
            F::Split
            | F::Replace
            | F::Substring
            | F::Left
            | F::Right
            | F::Trim
            | F::LTrim
            | F::RTrim
            | F::ToLower
            | F::ToUpper => return self.text(function, values, span),
            F::Date
            | F::DateTime
            | F::DateTimeFromEpoch
            | F::DateTimeFromEpochMillis
            | F::DateTimeTruncate
            | F::DateTruncate
            | F::Duration
            | F::DurationBetween
            | F::DurationInDays
            | F::DurationInMonths
            | F::DurationInSeconds
            | F::LocalDateTime
            | F::LocalDateTimeTruncate
            | F::LocalTime
            | F::LocalTimeTruncate
            | F::Time
            | F::TimeTruncate => return temporal::call(function, values, self.graph.clock(), span),
            _ => return numbers::call(function, values, span),
        })
    }

    fn string<'v>(&self, value: &'v V, span: Span) -> Outcome<&'v str> {
        match value {
            V::String(text) => Ok(text),
            other => Err(wrong_type(span, "a string", other)),
        }
    }

    fn element(&self, function: Function, of: &V, span: Span) -> Outcome<V> {
        use Function as F;
        Ok(match (function, of) {
            (F::Id, V::Node(node)) => V::Int(i64::from(node.0)),
            (F::Id, V::Relation(id)) => V::Int(i64::from(id.of) << 32 | i64::from(id.index)),
            (F::ElementId, V::Node(node)) => V::from(format!("n{}", node.0)),
            (F::ElementId, V::Relation(id)) => V::from(format!("r{}.{}", id.of, id.index)),
            (F::Labels, V::Node(node)) => {
                let table = self.graph.tables.get(self.graph.kind_number(*node) as usize);
                V::list(
                    table.into_iter().flat_map(|table| &table.labels).map(|label| V::String(label.clone())).collect(),
                )
            }
            (F::Type, V::Relation(id)) => {
                let table = self.graph.relations.get(id.of as usize);
                table.map_or(V::Null, |table| V::String(table.name.clone()))
            }
            (F::StartNode | F::EndNode, V::Relation(id)) => match self.graph.ends(*id) {
                Some((start, end)) => V::Node(if function == F::StartNode { start } else { end }),
                None => V::Null,
            },
            (_, other) => {
                let wanted = match function {
                    F::Labels => "a node",
                    F::Id | F::ElementId => "a node or relation",
                    _ => "a relation",
                };
                let mut error = wrong_type(span, wanted, other);
                error.code = ErrorCode::InvalidArgumentValue;
                return Err(error);
            }
        })
    }

    fn text(&self, function: Function, values: &[V], span: Span) -> Outcome<V> {
        use Function as F;
        let text = self.string(values.first().unwrap_or(&V::Null), span)?;
        let part = |at: usize| self.string(values.get(at).unwrap_or(&V::Null), span);
        let whole = |at: usize| match values.get(at) {
            Some(V::Int(whole)) => Ok(*whole),
            other => Err(wrong_type(span, "a whole number", other.unwrap_or(&V::Null))),
        };
        let negative =
            || QueryError::new(ErrorCode::NegativeIntegerArgument, span, "a position or length is no negative number");
        Ok(V::from(match function {
            F::Split => {
                let separator = part(1)?;
                let parts: Vec<V> = if separator.is_empty() {
                    text.chars().map(|sign| V::from(sign.to_string())).collect()
                } else {
                    text.split(separator).map(V::from).collect()
                };
                return Ok(V::list(parts));
            }
            F::Replace => {
                let (old, new) = (part(1)?, part(2)?);
                if old.is_empty() {
                    return Ok(V::from(text));
                }
                self.check_length(text.len() + text.matches(old).count().saturating_mul(new.len()))?;
                text.replace(old, new)
            }
            F::Substring => {
                let length = if values.len() > 2 { Some(whole(2)?) } else { None };
                text::substring(text, whole(1)?, length).ok_or_else(negative)?
            }
            F::Left => text::substring(text, 0, Some(whole(1)?)).ok_or_else(negative)?,
            F::Right => {
                let count = usize::try_from(whole(1)?).map_err(|_| negative())?;
                let skipped = text.chars().count().saturating_sub(count);
                text.chars().skip(skipped).collect()
            }
            F::Trim => text.trim().to_owned(),
            F::LTrim => text.trim_start().to_owned(),
            F::RTrim => text.trim_end().to_owned(),
            F::ToLower => text.to_lowercase(),
            _ => text.to_uppercase(),
        }))
    }
}

fn convert(function: Function, value: &V, span: Span) -> Outcome<V> {
    use Function as F;
    let wrong = || {
        let message = format!("{} cannot be converted so", value.type_name());
        Err(QueryError::new(ErrorCode::InvalidArgumentValue, span, message))
    };
    Ok(match (function, value) {
        (F::ToString, V::String(_)) => value.clone(),
        (F::ToString, V::Bool(_) | V::Int(_) | V::Float(_) | V::Time(_) | V::Temporal(_)) => {
            V::String(Arc::from(text::shown(value)))
        }
        (F::ToBoolean, V::Bool(flag)) => V::Bool(*flag),
        (F::ToBoolean, V::String(text)) => match text.trim().to_lowercase().as_str() {
            "true" => V::Bool(true),
            "false" => V::Bool(false),
            _ => V::Null,
        },
        (F::ToInteger, V::Int(_)) | (F::ToFloat, V::Float(_)) => value.clone(),
        (F::ToInteger, V::Float(number)) => {
            if number.is_finite() && number.abs() < 9.2e18 {
                V::Int(*number as i64)
            } else {
                V::Null
            }
        }
        (F::ToInteger, V::String(text)) => {
            let text = text.trim();
            match (text.parse::<i64>(), text.parse::<f64>()) {
                (Ok(whole), _) => V::Int(whole),
                (_, Ok(number)) if number.is_finite() && number.abs() < 9.2e18 => V::Int(number as i64),
                _ => V::Null,
            }
        }
        (F::ToFloat, V::Int(whole)) => V::Float(*whole as f64),
        (F::ToFloat, V::String(text)) => match text.trim().parse::<f64>() {
            Ok(number) if text.trim().starts_with(|sign: char| sign.is_ascii_digit() || "+-.".contains(sign)) => {
                V::Float(number)
            }
            _ => V::Null,
        },
        _ => return wrong(),
    })
}

/// A value as a shared temporal.
pub(super) fn wrap(of: Temporal) -> V {
    V::Temporal(Arc::new(of))
}
