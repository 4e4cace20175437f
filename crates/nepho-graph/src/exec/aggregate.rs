//! Aggregations. Null does not count. Unknown makes the whole unknown, except in `collect`, which keeps it as an
//! element, and `count(*)`, which looks at no value.

use hashbrown::HashSet;

use super::{Exec, Frame};
use crate::error::{ErrorCode, Outcome, QueryError, Span};
use crate::graph::NodeId;
use crate::plan::{Aggregate, AggregateKind};
use crate::value::compare::{Key, order};
use crate::value::{Duration, ResultValue as V, Temporal};

/// The state of one aggregation in one group.
pub(crate) struct Accumulator {
    seen: Option<Seen>,
    /// Different values in the order they came, for aggregations that depend on it.
    different: Vec<V>,
    unknown: bool,
    count: i64,
    whole: i64,
    number: f64,
    is_float: bool,
    length: Option<Duration>,
    /// Sum of squared differences from the mean (Welford).
    mean: f64,
    squares: f64,
    best: Option<V>,
    values: Vec<V>,
    extra: Option<V>,
}

/// Different values; nodes, which are by far the most frequent, apart.
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
}

impl Accumulator {
    pub fn new(aggregate: &Aggregate) -> Self {
        Self {
            seen: aggregate.distinct.then(Seen::default),
            different: Vec::new(),
            unknown: false,
            count: 0,
            whole: 0,
            number: 0.0,
            is_float: false,
            length: None,
            mean: 0.0,
            squares: 0.0,
            best: None,
            values: Vec::new(),
            extra: None,
        }
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
        if self.extra.is_none()
            && let Some(extra) = &aggregate.extra
        {
            self.extra = Some(exec.eval(extra, frame)?);
        }
        Ok(())
    }

    /// Takes the value of one row; gives how many values it holds more.
    pub fn add_value(&mut self, aggregate: &Aggregate, exec: &Exec<'_>, value: V) -> Outcome<usize> {
        use AggregateKind as A;
        let span = aggregate.argument.as_ref().map_or(aggregate.span, |argument| argument.span);
        let mut held = 0;
        match value {
            V::Null => return Ok(0),
            V::Unknown if aggregate.kind != A::Collect => {
                self.unknown = true;
                return Ok(0);
            }
            _ => {}
        }
        if let Some(seen) = &mut self.seen {
            if !seen.first(|_| value.clone(), 1) {
                return Ok(0);
            }
            exec.hold(1)?;
            held += 1;
            if !matches!(aggregate.kind, A::Min | A::Max) {
                self.different.push(value.clone());
            }
        }
        self.count += 1;
        match aggregate.kind {
            A::Count => {}
            A::Sum | A::Avg => self.sum(&value, span)?,
            A::Min | A::Max => {
                let better = self.best.as_ref().is_none_or(|best| {
                    let order = order(&value, best);
                    if aggregate.kind == A::Min { order.is_lt() } else { order.is_gt() }
                });
                if better {
                    self.best = Some(value);
                }
            }
            A::Collect => {
                exec.hold(1)?;
                held += 1;
                self.values.push(value);
            }
            A::StDev | A::StDevP => {
                let number = as_number(&value, span)?;
                let delta = number - self.mean;
                self.mean += delta / self.count as f64;
                self.squares += delta * (number - self.mean);
            }
            A::PercentileCont | A::PercentileDisc => {
                as_number(&value, span)?;
                exec.hold(1)?;
                held += 1;
                self.values.push(value);
            }
        }
        Ok(held)
    }

    /// Takes what another one of the same aggregation has, whose rows come after.
    pub fn merge(&mut self, other: Self, aggregate: &Aggregate, exec: &Exec<'_>) -> Outcome<()> {
        use AggregateKind as A;
        self.unknown |= other.unknown;
        if self.extra.is_none() {
            self.extra = other.extra;
        }
        if let (true, A::Min | A::Max) = (aggregate.distinct, aggregate.kind) {
            // Equal values change neither.
            self.seen = None;
        } else if aggregate.distinct {
            exec.release(other.different.len());
            for value in other.different {
                self.add_value(aggregate, exec, value)?;
            }
            return Ok(());
        }
        let (count, more) = (self.count as f64, other.count as f64);
        self.count += other.count;
        match aggregate.kind {
            A::Count => {}
            A::Sum | A::Avg => {
                self.number += other.number;
                self.is_float |= other.is_float;
                let overflow =
                    || QueryError::new(ErrorCode::NumberOutOfRange, aggregate.span, "the sum is out of range");
                if !self.is_float {
                    self.whole = self.whole.checked_add(other.whole).ok_or_else(overflow)?;
                }
                self.length = match (self.length, other.length) {
                    (Some(left), Some(right)) => Some(left.plus(right).ok_or_else(overflow)?),
                    (left, right) => left.or(right),
                };
            }
            A::Min | A::Max => {
                if let Some(value) = other.best
                    && self.best.as_ref().is_none_or(|best| {
                        let order = order(&value, best);
                        if aggregate.kind == A::Min { order.is_lt() } else { order.is_gt() }
                    })
                {
                    self.best = Some(value);
                }
            }
            A::Collect | A::PercentileCont | A::PercentileDisc => self.values.extend(other.values),
            A::StDev | A::StDevP if other.count > 0 => {
                let delta = other.mean - self.mean;
                self.mean += delta * more / (count + more);
                self.squares += other.squares + delta * delta * count * more / (count + more);
            }
            A::StDev | A::StDevP => {}
        }
        Ok(())
    }

    fn sum(&mut self, value: &V, span: Span) -> Outcome<()> {
        match value {
            V::Int(whole) => {
                self.number += *whole as f64;
                if !self.is_float {
                    self.whole = self.whole.checked_add(*whole).ok_or_else(|| {
                        QueryError::new(ErrorCode::NumberOutOfRange, span, "the sum is beyond 64 bits")
                    })?;
                }
            }
            V::Float(number) => {
                self.is_float = true;
                self.number += number;
            }
            V::Temporal(of) if matches!(**of, Temporal::Duration(_)) => {
                if let Temporal::Duration(length) = **of {
                    let sum = self.length.unwrap_or_default().plus(length).ok_or_else(|| {
                        QueryError::new(ErrorCode::NumberOutOfRange, span, "the sum is beyond the range of durations")
                    })?;
                    self.length = Some(sum);
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
    pub fn finish(mut self, aggregate: &Aggregate, exec: &Exec<'_>, frame: &mut Frame) -> Outcome<V> {
        use AggregateKind as A;
        if self.unknown {
            return Ok(V::Unknown);
        }
        let count = self.count as f64;
        Ok(match aggregate.kind {
            A::Count => V::Int(self.count),
            A::Sum => match self.length {
                Some(length) => V::Temporal(std::sync::Arc::new(Temporal::Duration(length))),
                None if self.is_float => V::Float(self.number),
                None => V::Int(self.whole),
            },
            A::Avg if self.count == 0 => V::Null,
            A::Avg => match self.length {
                Some(length) => {
                    let part = |amount: i64| amount as f64 / count;
                    let nanos = length.time_nanos() as f64 / count;
                    match Duration::from_parts(part(length.months), part(length.days), nanos) {
                        Some(length) => V::Temporal(std::sync::Arc::new(Temporal::Duration(length))),
                        None => V::Null,
                    }
                }
                None => V::Float(self.number / count),
            },
            A::Min | A::Max => self.best.unwrap_or_default(),
            A::Collect => V::list(self.values),
            A::StDev => V::Float(if self.count < 2 { 0.0 } else { (self.squares / (count - 1.0)).sqrt() }),
            A::StDevP => V::Float(if self.count == 0 { 0.0 } else { (self.squares / count).sqrt() }),
            A::PercentileCont | A::PercentileDisc => {
                let extra = match self.extra.take() {
                    Some(extra) => extra,
                    None => aggregate.extra.as_ref().map_or(Ok(V::Null), |extra| exec.eval(extra, frame))?,
                };
                self.percentile(aggregate, &extra)?
            }
        })
    }

    fn percentile(mut self, aggregate: &Aggregate, at: &V) -> Outcome<V> {
        if at.is_missing() {
            return Ok(at.clone());
        }
        let share = as_number(at, aggregate.span)?;
        if !(0.0..=1.0).contains(&share) {
            let message = format!("a percentile is a number from 0 to 1, not {share}");
            return Err(QueryError::new(ErrorCode::NumberOutOfRange, aggregate.span, message));
        }
        self.values.sort_by(order);
        let last = match self.values.len() {
            0 => return Ok(V::Null),
            length => length - 1,
        };
        if aggregate.kind == AggregateKind::PercentileDisc {
            let rank = (share * (last + 1) as f64).ceil() as usize;
            return Ok(self.values.get(rank.saturating_sub(1)).cloned().unwrap_or_default());
        }
        let position = share * last as f64;
        let (low, high) = (position.floor(), position.ceil());
        let number = |at: f64| self.values.get(at as usize).map_or(Ok(0.0), |value| as_number(value, aggregate.span));
        let (below, above) = (number(low)?, number(high)?);
        Ok(V::Float(below + (above - below) * (position - low)))
    }
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
