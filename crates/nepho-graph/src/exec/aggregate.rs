//! Aggregations. Null does not count. Unknown makes the whole unknown, except in `collect`, which keeps it as an
//! element, and `count(*)`, which looks at no value.
//!
//! A query may have millions of groups, so the state of one is small; what few need is in boxes.

use hashbrown::HashSet;

use super::{Exec, Frame};
use crate::error::{ErrorCode, Outcome, QueryError, Span};
use crate::graph::NodeId;
use crate::plan::{Aggregate, AggregateKind as A};
use crate::value::compare::{Key, order};
use crate::value::{Duration, ResultValue as V, Temporal};

/// The state of one aggregation in one group.
pub(crate) struct Accumulator {
    unknown: bool,
    count: i64,
    state: State,
}

enum State {
    Count,
    Sum {
        whole: i64,
        number: f64,
        is_float: bool,
        length: Option<Box<Duration>>,
    },
    /// `min`, `max`.
    Best(Option<V>),
    /// Mean, and sum of squared differences from it (Welford).
    Spread {
        mean: f64,
        squares: f64,
    },
    Values(Vec<V>),
    /// Values and the second argument.
    Percentile(Box<(Vec<V>, Option<V>)>),
    /// Different values, which are only aggregated in the end.
    Distinct(Box<Different>),
}

/// Different values, in the order they came.
#[derive(Default)]
struct Different {
    seen: Seen,
    /// Left empty where only their number counts.
    values: Vec<V>,
    extra: Option<V>,
}

/// What was seen before; nodes, which are by far the most frequent, apart.
#[derive(Default)]
pub(super) struct Seen {
    nodes: HashSet<NodeId>,
    others: HashSet<Key>,
}

impl Seen {
    /// Whether a row of values is new.
    pub fn first(&mut self, values: impl Fn(usize) -> V, count: usize) -> bool {
        if count == 1
            && let V::Node(node) = values(0)
        {
            return self.nodes.insert(node);
        }
        self.others.insert(Key((0..count).map(values).collect()))
    }

    fn len(&self) -> usize {
        self.nodes.len() + self.others.len()
    }
}

impl State {
    fn new(kind: A) -> Self {
        match kind {
            A::Count => Self::Count,
            A::Sum | A::Avg => Self::Sum { whole: 0, number: 0.0, is_float: false, length: None },
            A::Min | A::Max => Self::Best(None),
            A::StDev | A::StDevP => Self::Spread { mean: 0.0, squares: 0.0 },
            A::Collect => Self::Values(Vec::new()),
            A::PercentileCont | A::PercentileDisc => Self::Percentile(Box::default()),
        }
    }
}

impl Accumulator {
    pub fn new(aggregate: &Aggregate) -> Self {
        // Equal values change neither the least nor the greatest.
        let state = match aggregate.kind {
            kind @ (A::Min | A::Max) => State::new(kind),
            _ if aggregate.distinct => State::Distinct(Box::default()),
            kind => State::new(kind),
        };
        Self { unknown: false, count: 0, state }
    }

    /// Takes one row; gives how many values it holds more.
    pub fn add(&mut self, aggregate: &Aggregate, exec: &Exec<'_>, frame: &mut Frame) -> Outcome<usize> {
        let Some(argument) = &aggregate.argument else {
            self.count += 1;
            return Ok(0);
        };
        self.read_extra(aggregate, exec, frame)?;
        let value = exec.eval(argument, frame)?;
        self.add_value(aggregate, exec, value)
    }

    /// Takes so many rows of `count(*)`.
    pub fn add_rows(&mut self, rows: i64) {
        self.count += rows;
    }

    /// Reads the second argument of the percentiles, which is the same for all rows.
    pub fn read_extra(&mut self, aggregate: &Aggregate, exec: &Exec<'_>, frame: &mut Frame) -> Outcome<()> {
        let extra = match &mut self.state {
            State::Percentile(of) => &mut of.1,
            State::Distinct(of) => &mut of.extra,
            _ => return Ok(()),
        };
        if let (None, Some(expr)) = (&extra, &aggregate.extra) {
            *extra = Some(exec.eval(expr, frame)?);
        }
        Ok(())
    }

    /// Takes the value of one row; gives how many values it holds more.
    pub fn add_value(&mut self, aggregate: &Aggregate, exec: &Exec<'_>, value: V) -> Outcome<usize> {
        match value {
            V::Null => return Ok(0),
            V::Unknown if aggregate.kind != A::Collect => {
                self.unknown = true;
                return Ok(0);
            }
            _ => {}
        }
        if let State::Distinct(different) = &mut self.state {
            if !different.seen.first(|_| value.clone(), 1) {
                return Ok(0);
            }
            if aggregate.kind != A::Count {
                different.values.push(value);
            }
            exec.hold(1)?;
            return Ok(1);
        }
        self.count += 1;
        let span = aggregate.argument.as_ref().map_or(aggregate.span, |argument| argument.span);
        match &mut self.state {
            State::Count | State::Distinct(_) => Ok(0),
            State::Sum { .. } => self.sum(&value, span).map(|()| 0),
            State::Best(best) => {
                better(best, value, aggregate.kind);
                Ok(0)
            }
            State::Spread { mean, squares } => {
                let number = as_number(&value, span)?;
                let delta = number - *mean;
                *mean += delta / self.count as f64;
                *squares += delta * (number - *mean);
                Ok(0)
            }
            State::Values(values) => {
                values.push(value);
                exec.hold(1).map(|()| 1)
            }
            State::Percentile(of) => {
                as_number(&value, span)?;
                of.0.push(value);
                exec.hold(1).map(|()| 1)
            }
        }
    }

    /// Takes what another one of the same aggregation has, whose rows come after.
    pub fn merge(&mut self, other: Self, aggregate: &Aggregate, exec: &Exec<'_>) -> Outcome<()> {
        self.unknown |= other.unknown;
        let overflow = || QueryError::new(ErrorCode::NumberOutOfRange, aggregate.span, "the sum is out of range");
        let (count, more) = (self.count as f64, other.count as f64);
        self.count += other.count;
        match (&mut self.state, other.state) {
            (
                State::Sum { whole, number, is_float, length },
                State::Sum { whole: w, number: n, is_float: f, length: l },
            ) => {
                *number += n;
                *is_float |= f;
                if !*is_float {
                    *whole = whole.checked_add(w).ok_or_else(overflow)?;
                }
                *length = match (length.take(), l) {
                    (Some(left), Some(right)) => Some(Box::new(left.plus(*right).ok_or_else(overflow)?)),
                    (left, right) => left.or(right),
                };
            }
            (State::Best(best), State::Best(Some(value))) => better(best, value, aggregate.kind),
            (State::Spread { mean, squares }, State::Spread { mean: m, squares: s }) if more > 0.0 => {
                let delta = m - *mean;
                *mean += delta * more / (count + more);
                *squares += s + delta * delta * count * more / (count + more);
            }
            (State::Values(values), State::Values(others)) => values.extend(others),
            (State::Percentile(of), State::Percentile(other)) => {
                let (values, extra) = *other;
                of.0.extend(values);
                of.1 = of.1.take().or(extra);
            }
            (State::Distinct(different), State::Distinct(other)) => {
                exec.release(other.seen.len());
                let before = different.seen.len();
                if aggregate.kind == A::Count {
                    different.seen.nodes.extend(other.seen.nodes);
                    different.seen.others.extend(other.seen.others);
                } else {
                    for value in other.values {
                        if different.seen.first(|_| value.clone(), 1) {
                            different.values.push(value);
                        }
                    }
                }
                different.extra = different.extra.take().or(other.extra);
                exec.hold(different.seen.len() - before)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn sum(&mut self, value: &V, span: Span) -> Outcome<()> {
        let State::Sum { whole, number, is_float, length } = &mut self.state else { return Ok(()) };
        let overflow =
            |what: &str| QueryError::new(ErrorCode::NumberOutOfRange, span, format!("the sum is beyond {what}"));
        match value {
            V::Int(more) => {
                *number += *more as f64;
                if !*is_float {
                    *whole = whole.checked_add(*more).ok_or_else(|| overflow("64 bits"))?;
                }
            }
            V::Float(more) => {
                *is_float = true;
                *number += more;
            }
            V::Temporal(of) if matches!(**of, Temporal::Duration(_)) => {
                if let Temporal::Duration(more) = **of {
                    let before = length.take().map(|before| *before).unwrap_or_default();
                    let sum = before.plus(more).ok_or_else(|| overflow("the range of durations"))?;
                    *length = Some(Box::new(sum));
                }
            }
            other => {
                let message = format!("only numbers and durations can be summed; this is {}", other.type_name());
                return Err(QueryError::new(ErrorCode::InvalidArgumentType, span, message));
            }
        }
        Ok(())
    }

    /// The result.
    pub fn finish(self, aggregate: &Aggregate, exec: &Exec<'_>, frame: &mut Frame) -> Outcome<V> {
        if self.unknown {
            return Ok(V::Unknown);
        }
        let (count, number_of) = (self.count as f64, self.count);
        Ok(match self.state {
            State::Count => V::Int(number_of),
            State::Distinct(different) if aggregate.kind == A::Count => V::Int(different.seen.len() as i64),
            State::Distinct(different) => {
                let mut all = Self { unknown: false, count: 0, state: State::new(aggregate.kind) };
                if let State::Percentile(of) = &mut all.state {
                    of.1 = different.extra;
                }
                let mut held = 0;
                for value in different.values {
                    held += all.add_value(aggregate, exec, value)?;
                }
                exec.release(held);
                return all.finish(aggregate, exec, frame);
            }
            State::Sum { whole, number, is_float, length } => match (aggregate.kind, length) {
                (A::Avg, _) if number_of == 0 => V::Null,
                (A::Avg, Some(length)) => {
                    let part = |amount: i64| amount as f64 / count;
                    let nanos = length.time_nanos() as f64 / count;
                    match Duration::from_parts(part(length.months), part(length.days), nanos) {
                        Some(length) => V::Temporal(std::sync::Arc::new(Temporal::Duration(length))),
                        None => V::Null,
                    }
                }
                (A::Avg, None) => V::Float(number / count),
                (_, Some(length)) => V::Temporal(std::sync::Arc::new(Temporal::Duration(*length))),
                _ if is_float => V::Float(number),
                _ => V::Int(whole),
            },
            State::Best(best) => best.unwrap_or_default(),
            State::Values(values) => exec.check_nested(V::list(values), aggregate.span)?,
            State::Spread { squares, .. } => V::Float(match aggregate.kind {
                A::StDev if number_of < 2 => 0.0,
                A::StDev => (squares / (count - 1.0)).sqrt(),
                _ if number_of == 0 => 0.0,
                _ => (squares / count).sqrt(),
            }),
            State::Percentile(of) => {
                let (values, extra) = *of;
                let at = match extra {
                    Some(extra) => extra,
                    None => aggregate.extra.as_ref().map_or(Ok(V::Null), |extra| exec.eval(extra, frame))?,
                };
                percentile(values, aggregate, &at)?
            }
        })
    }
}

/// Keeps the lesser (`min`) or greater (`max`) one.
fn better(best: &mut Option<V>, value: V, kind: A) {
    let is_better = best.as_ref().is_none_or(|best| {
        let order = order(&value, best);
        if kind == A::Min { order.is_lt() } else { order.is_gt() }
    });
    if is_better {
        *best = Some(value);
    }
}

fn percentile(mut values: Vec<V>, aggregate: &Aggregate, at: &V) -> Outcome<V> {
    if at.is_missing() {
        return Ok(at.clone());
    }
    let share = as_number(at, aggregate.span)?;
    if !(0.0..=1.0).contains(&share) {
        let message = format!("a percentile is a number from 0 to 1, not {share}");
        return Err(QueryError::new(ErrorCode::NumberOutOfRange, aggregate.span, message));
    }
    values.sort_by(order);
    let last = match values.len() {
        0 => return Ok(V::Null),
        length => length - 1,
    };
    if aggregate.kind == A::PercentileDisc {
        let rank = (share * (last + 1) as f64).ceil() as usize;
        return Ok(values.get(rank.saturating_sub(1)).cloned().unwrap_or_default());
    }
    let position = share * last as f64;
    let (low, high) = (position.floor(), position.ceil());
    let number = |at: f64| values.get(at as usize).map_or(Ok(0.0), |value| as_number(value, aggregate.span));
    let (below, above) = (number(low)?, number(high)?);
    Ok(V::Float(below + (above - below) * (position - low)))
}

fn as_number(value: &V, span: Span) -> Outcome<f64> {
    match value {
        V::Int(whole) => Ok(*whole as f64),
        V::Float(number) => Ok(*number),
        other => {
            let message = format!("a number is expected here; this is {}", other.type_name());
            Err(QueryError::new(ErrorCode::InvalidArgumentType, span, message))
        }
    }
}
