//! Projections that gather: grouping, `DISTINCT`, `ORDER BY`, `SKIP`, `LIMIT`.

use std::cmp::Ordering;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::aggregate::{Accumulator, Seen};
use super::{Exec, Flow, Frame};
use crate::error::{ErrorCode, Outcome, QueryError};
use crate::plan::{Expr, Kind, Projection};
use crate::value::ResultValue as V;
use crate::value::compare::{hash_row, order, same_row};

/// The rows of a projection so far.
pub(crate) struct Gathered<'p> {
    projection: &'p Projection,
    rows: Vec<Row>,
    seen: Seen,
    /// Numbers of `states`, by their keys.
    groups: HashTable<usize>,
    hasher: RandomState,
    states: Vec<Group>,
    skip: usize,
    limit: Option<usize>,
    held: usize,
}

struct Row {
    /// How much of the query's memory it counts for: itself, and what the lists and maps made for it hold.
    weight: usize,
    kept: Vec<V>,
    order: Vec<V>,
}

struct Group {
    keys: Vec<V>,
    carried: Vec<V>,
    accumulators: Vec<Accumulator>,
}

impl Exec<'_> {
    /// Starts gathering.
    pub(crate) fn gather<'p>(&self, projection: &'p Projection, frame: &mut Frame) -> Outcome<Gathered<'p>> {
        let skip = self.row_count(projection.skip.as_ref(), frame, "SKIP")?.unwrap_or(0);
        let limit = self.row_count(projection.limit.as_ref(), frame, "LIMIT")?;
        Ok(Gathered {
            projection,
            rows: Vec::new(),
            seen: Seen::default(),
            groups: HashTable::new(),
            hasher: RandomState::default(),
            states: Vec::new(),
            skip,
            limit,
            held: 0,
        })
    }

    fn row_count(&self, expr: Option<&Expr>, frame: &mut Frame, word: &str) -> Outcome<Option<usize>> {
        let Some(expr) = expr else { return Ok(None) };
        match self.eval(expr, frame)? {
            V::Int(count) if count >= 0 => Ok(Some(usize::try_from(count).unwrap_or(usize::MAX))),
            V::Int(_) => {
                let message = format!("{word} takes no negative number");
                Err(QueryError::new(ErrorCode::NegativeIntegerArgument, expr.span, message))
            }
            other => {
                let message = format!("{word} takes a whole number; this is {}", other.type_name());
                Err(QueryError::new(ErrorCode::InvalidArgumentType, expr.span, message))
            }
        }
    }
}

impl<'p> Gathered<'p> {
    /// Takes one row.
    pub fn add(&mut self, exec: &Exec<'_>, frame: &mut Frame) -> Outcome<Flow> {
        if let Some(grouping) = &self.projection.grouped {
            let keys: Vec<V> = grouping.keys.iter().map(|(expr, _)| exec.eval(expr, frame)).collect::<Outcome<_>>()?;
            let number = match self.group(&keys) {
                Some(number) => number,
                None => {
                    let carried = grouping.carried.iter().map(|slot| frame[*slot].clone()).collect();
                    let accumulators = grouping.aggregates.iter().map(Accumulator::new).collect();
                    self.open(exec, Group { keys, carried, accumulators })?
                }
            };
            let Some(group) = self.states.get_mut(number) else { return Ok(Flow::Go) };
            for (aggregate, accumulator) in grouping.aggregates.iter().zip(&mut group.accumulators) {
                self.held += accumulator.add(aggregate, exec, frame)?;
            }
            return Ok(Flow::Go);
        }
        if self.limit == Some(0) {
            return Ok(Flow::Stop);
        }
        exec.assign(&self.projection.items, frame)?;
        self.keep(exec, frame)
    }

    fn keep(&mut self, exec: &Exec<'_>, frame: &mut Frame) -> Outcome<Flow> {
        if self.projection.distinct {
            let visible = &self.projection.visible;
            if !self.seen.first(|at| frame[visible[at]].clone(), visible.len()) {
                return Ok(Flow::Go);
            }
        }
        let order = self.projection.order.iter().map(|(expr, _)| exec.eval(expr, frame)).collect::<Outcome<_>>()?;
        let kept = self.projection.kept.iter().map(|slot| frame[*slot].clone()).collect();
        let made = self.projection.items.iter().filter(|(expr, _)| !matches!(expr.kind, Kind::Slot(_)));
        let weight = 1 + made.map(|(_, slot)| frame[*slot].weight()).sum::<usize>();
        self.push(exec, Row { weight, kept, order })
    }

    fn push(&mut self, exec: &Exec<'_>, row: Row) -> Outcome<Flow> {
        exec.hold(row.weight)?;
        self.held += row.weight;
        self.rows.push(row);
        let Some(wanted) = self.limit.map(|limit| limit.saturating_add(self.skip)) else { return Ok(Flow::Go) };
        if self.projection.order.is_empty() {
            return Ok(if self.rows.len() >= wanted { Flow::Stop } else { Flow::Go });
        }
        // Of many rows only the first by order are needed.
        if self.rows.len() > wanted.saturating_mul(2).saturating_add(1024) {
            self.sort();
            let cut = self.rows.drain(wanted..).map(|row| row.weight).sum();
            exec.release(cut);
            self.held -= cut;
        }
        Ok(Flow::Go)
    }

    /// The group of these keys.
    fn group(&self, keys: &[V]) -> Option<usize> {
        let same = |number: &usize| self.states.get(*number).is_some_and(|group| same_row(&group.keys, keys));
        self.groups.find(hash_row(keys, &self.hasher), same).copied()
    }

    /// Starts a group.
    fn open(&mut self, exec: &Exec<'_>, group: Group) -> Outcome<usize> {
        exec.hold(1)?;
        self.held += 1;
        let Self { groups, states, hasher, .. } = self;
        let number = states.len();
        let hash = hash_row(&group.keys, hasher);
        states.push(group);
        groups
            .insert_unique(hash, number, |number| states.get(*number).map_or(0, |group| hash_row(&group.keys, hasher)));
        Ok(number)
    }

    /// Takes a group as a whole, with the first row's values.
    pub fn add_group(
        &mut self,
        exec: &Exec<'_>,
        keys: Vec<V>,
        carried: Vec<V>,
        accumulators: Vec<Accumulator>,
    ) -> Outcome<()> {
        let Some(grouping) = &self.projection.grouped else { return Ok(()) };
        let Some(number) = self.group(&keys) else {
            return self.open(exec, Group { keys, carried, accumulators }).map(|_| ());
        };
        let Some(group) = self.states.get_mut(number) else { return Ok(()) };
        for ((aggregate, own), other) in grouping.aggregates.iter().zip(&mut group.accumulators).zip(accumulators) {
            own.merge(other, aggregate, exec)?;
        }
        Ok(())
    }

    /// Takes what another one of the same projection has, whose rows come after.
    pub fn merge(&mut self, exec: &Exec<'_>, other: Self) -> Outcome<Flow> {
        // What the two hold of the same is counted twice, until the end.
        self.held += other.held;
        for group in other.states {
            self.add_group(exec, group.keys, group.carried, group.accumulators)?;
        }
        for row in other.rows {
            exec.release(row.weight);
            self.held -= row.weight;
            if self.projection.distinct {
                let of = |at: usize| {
                    let slot = self.projection.visible[at];
                    let position = self.projection.kept.iter().position(|kept| *kept == slot);
                    position.and_then(|position| row.kept.get(position)).cloned().unwrap_or_default()
                };
                if !self.seen.first(of, self.projection.visible.len()) {
                    continue;
                }
            }
            if self.push(exec, row)? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::Go)
    }

    /// Whether any row can still count.
    pub fn wants_rows(&self) -> bool {
        self.limit != Some(0)
    }

    fn sort(&mut self) {
        let directions = &self.projection.order;
        if directions.is_empty() {
            return;
        }
        self.rows.sort_by(|left, right| {
            for ((left, right), (_, descending)) in left.order.iter().zip(&right.order).zip(directions) {
                match order(left, right) {
                    Ordering::Equal => {}
                    found => return if *descending { found.reverse() } else { found },
                }
            }
            Ordering::Equal
        });
    }

    /// The rows, in order.
    pub fn finish(mut self, exec: &Exec<'_>, frame: &mut Frame) -> Outcome<Vec<Vec<V>>> {
        if let Some(grouping) = &self.projection.grouped {
            if self.states.is_empty() && grouping.keys.is_empty() {
                self.states.push(Group {
                    keys: Vec::new(),
                    carried: grouping.carried.iter().map(|_| V::Null).collect(),
                    accumulators: grouping.aggregates.iter().map(Accumulator::new).collect(),
                });
            }
            for group in std::mem::take(&mut self.states) {
                exec.tick()?;
                for (slot, value) in grouping.carried.iter().zip(group.carried) {
                    frame[*slot] = value;
                }
                for ((_, slot), value) in grouping.keys.iter().zip(group.keys) {
                    frame[*slot] = value;
                }
                for (aggregate, accumulator) in grouping.aggregates.iter().zip(group.accumulators) {
                    frame[aggregate.slot] = accumulator.finish(aggregate, exec, frame)?;
                }
                exec.assign(&self.projection.items, frame)?;
                if self.keep(exec, frame)? == Flow::Stop {
                    break;
                }
            }
        }
        self.sort();
        exec.release(self.held);
        let limit = self.limit.unwrap_or(usize::MAX);
        Ok(self.rows.into_iter().skip(self.skip).take(limit).map(|row| row.kept).collect())
    }
}
