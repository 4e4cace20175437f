//! The four relations between values that openCypher knows, and unknown in each.
//!
//! | | null with x | unknown with x | NaN with NaN | 1 with 1.0 | used by |
//! | --- | --- | --- | --- | --- | --- |
//! | equality `=` | null | unknown | false | true | `=`, `<>`, `IN`, `CASE x` |
//! | comparison `<` | null | unknown | false | by number | `<`, `<=`, `>`, `>=` |
//! | equivalence | equal to itself only | equal to itself only | true | true | `DISTINCT`, grouping |
//! | order | after all but unknown | last | after all numbers | equal | `ORDER BY`, `min`, `max` |
//!
//! Lists are equal when all their elements are; one element pair that is false makes the whole false, else one that is
//! unknown makes it unknown, else one that is null makes it null. Text beside a point in time is read as ISO 8601.

use std::cmp::Ordering;
use std::hash::{BuildHasher, Hash, Hasher};

use nepho_model::Timestamp;

use super::temporal::Temporal;
use super::{ResultValue, ResultValue as V};
use crate::truth::Truth;

/// `left = right`.
pub(crate) fn equals(left: &V, right: &V) -> Truth {
    match (left, right) {
        (V::Unknown, _) | (_, V::Unknown) => Truth::Unknown,
        (V::Null, _) | (_, V::Null) => Truth::Null,
        (V::List(left), V::List(right)) => {
            if left.len() != right.len() {
                return Truth::False;
            }
            all(left.iter().zip(right.iter()).map(|(left, right)| equals(left, right)))
        }
        (V::Map(left), V::Map(right)) => {
            if left.len() != right.len() || !left.keys().eq(right.keys()) {
                return Truth::False;
            }
            all(left.values().zip(right.values()).map(|(left, right)| equals(left, right)))
        }
        (V::Float(left), V::Float(right)) => (left == right).into(),
        (V::Int(whole), V::Float(number)) | (V::Float(number), V::Int(whole)) => {
            (int_with_float(*whole, *number) == Some(Ordering::Equal)).into()
        }
        (V::Bool(left), V::Bool(right)) => (left == right).into(),
        (V::Int(left), V::Int(right)) => (left == right).into(),
        (V::String(left), V::String(right)) => (left == right).into(),
        (V::Node(left), V::Node(right)) => (left == right).into(),
        (V::Relation(left), V::Relation(right)) => (left == right).into(),
        (V::Path(left), V::Path(right)) => (left == right).into(),
        (V::Time(time), V::String(text)) | (V::String(text), V::Time(time)) => {
            Timestamp::parse(text).is_ok_and(|read| read == *time).into()
        }
        _ => temporal_pair(left, right, |left, right| left.same(right).into()).unwrap_or(Truth::False),
    }
}

fn all(parts: impl Iterator<Item = Truth>) -> Truth {
    let mut whole = Truth::True;
    for part in parts {
        whole = whole.and(part);
        if whole == Truth::False {
            break;
        }
    }
    whole
}

/// Calls `f` when both are points in time or durations.
fn temporal_pair<T>(left: &V, right: &V, f: impl FnOnce(&Temporal, &Temporal) -> T) -> Option<T> {
    match (left, right) {
        (V::Temporal(left), V::Temporal(right)) => Some(f(left, right)),
        (V::Time(left), V::Temporal(right)) => Some(f(&Temporal::from_timestamp(*left)?, right)),
        (V::Temporal(left), V::Time(right)) => Some(f(left, &Temporal::from_timestamp(*right)?)),
        (V::Time(left), V::Time(right)) => {
            Some(f(&Temporal::from_timestamp(*left)?, &Temporal::from_timestamp(*right)?))
        }
        _ => None,
    }
}

/// How two values compare by `<`: unknown or null by [`Truth`], incomparable types as null, NaN as `Ok(None)`.
pub(crate) fn compare(left: &V, right: &V) -> Result<Option<Ordering>, Truth> {
    match (left, right) {
        (V::Unknown, _) | (_, V::Unknown) => Err(Truth::Unknown),
        (V::Null, _) | (_, V::Null) => Err(Truth::Null),
        (V::Bool(left), V::Bool(right)) => Ok(Some(left.cmp(right))),
        (V::Int(left), V::Int(right)) => Ok(Some(left.cmp(right))),
        (V::Float(left), V::Float(right)) => Ok(left.partial_cmp(right)),
        (V::Int(whole), V::Float(number)) => Ok(int_with_float(*whole, *number)),
        (V::Float(number), V::Int(whole)) => Ok(int_with_float(*whole, *number).map(Ordering::reverse)),
        (V::String(left), V::String(right)) => Ok(Some(left.cmp(right))),
        (V::Time(left), V::Time(right)) => Ok(Some(left.cmp(right))),
        (V::Time(time), V::String(text)) => match Timestamp::parse(text) {
            Ok(read) => Ok(Some(time.cmp(&read))),
            Err(_) => Err(Truth::Null),
        },
        (V::String(_), V::Time(_)) => compare(right, left).map(|order| order.map(Ordering::reverse)),
        (V::List(left), V::List(right)) => {
            for (left, right) in left.iter().zip(right.iter()) {
                match compare(left, right)? {
                    Some(Ordering::Equal) => {}
                    other => return Ok(other),
                }
            }
            Ok(Some(left.len().cmp(&right.len())))
        }
        _ => match temporal_pair(left, right, Temporal::compare) {
            Some(Some(order)) => Ok(Some(order)),
            _ => Err(Truth::Null),
        },
    }
}

/// A comparison by one of the four signs.
pub(crate) fn less(left: &V, right: &V, holds: impl Fn(Ordering) -> bool) -> Truth {
    match compare(left, right) {
        Ok(Some(order)) => holds(order).into(),
        Ok(None) => Truth::False,
        Err(truth) => truth,
    }
}

/// A whole number beside a floating-point one, exactly.
pub(crate) fn int_with_float(whole: i64, number: f64) -> Option<Ordering> {
    if number.is_nan() {
        return None;
    }
    if number >= 9_223_372_036_854_775_808.0 {
        return Some(Ordering::Less);
    }
    if number < -9_223_372_036_854_775_808.0 {
        return Some(Ordering::Greater);
    }
    let floor = number.floor();
    Some(whole.cmp(&(floor as i64)).then(if floor < number { Ordering::Less } else { Ordering::Equal }))
}

fn rank(value: &V) -> u8 {
    match value {
        V::Map(_) => 0,
        V::Node(_) => 1,
        V::Relation(_) => 2,
        V::List(_) => 3,
        V::Path(_) => 4,
        V::Time(_) => 5,
        V::Temporal(of) => 5 + of.rank(),
        V::String(_) => 20,
        V::Bool(_) => 21,
        V::Int(_) | V::Float(_) => 22,
        V::Null => 23,
        V::Unknown => 24,
    }
}

/// The order of `ORDER BY`: total over all values.
pub(crate) fn order(left: &V, right: &V) -> Ordering {
    rank(left).cmp(&rank(right)).then_with(|| match (left, right) {
        (V::Bool(left), V::Bool(right)) => left.cmp(right),
        (V::Int(left), V::Int(right)) => left.cmp(right),
        (V::Float(left), V::Float(right)) => match (left.is_nan(), right.is_nan()) {
            (false, false) => left.partial_cmp(right).unwrap_or(Ordering::Equal),
            (left, right) => left.cmp(&right),
        },
        (V::Int(whole), V::Float(number)) => int_with_float(*whole, *number).unwrap_or(Ordering::Less),
        (V::Float(number), V::Int(whole)) => {
            int_with_float(*whole, *number).map_or(Ordering::Greater, Ordering::reverse)
        }
        (V::String(left), V::String(right)) => left.cmp(right),
        (V::Node(left), V::Node(right)) => left.cmp(right),
        (V::Relation(left), V::Relation(right)) => left.cmp(right),
        (V::Path(left), V::Path(right)) => left.cmp(right),
        (V::List(left), V::List(right)) => order_all(left.iter(), right.iter()),
        (V::Map(left), V::Map(right)) => {
            left.keys().cmp(right.keys()).then_with(|| order_all(left.values(), right.values()))
        }
        (V::Time(left), V::Time(right)) => left.cmp(right),
        _ => temporal_pair(left, right, Temporal::order).unwrap_or(Ordering::Equal),
    })
}

fn order_all<'a>(left: impl ExactSizeIterator<Item = &'a V>, right: impl ExactSizeIterator<Item = &'a V>) -> Ordering {
    let lengths = left.len().cmp(&right.len());
    left.zip(right).map(|(left, right)| order(left, right)).find(|order| order.is_ne()).unwrap_or(lengths)
}

/// The hash of a row of values; equivalent rows have the same.
pub(crate) fn hash_row(values: &[V], hasher: &impl BuildHasher) -> u64 {
    let mut state = hasher.build_hasher();
    values.iter().for_each(|value| hash(value, &mut state));
    state.finish()
}

/// Whether two rows of values are equivalent.
pub(crate) fn same_row(left: &[V], right: &[V]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| order(left, right).is_eq())
}

/// Values as keys: equality is equivalence.
#[derive(Clone, Debug)]
pub(crate) struct Key(pub Vec<ResultValue>);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        same_row(&self.0, &other.0)
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for value in &self.0 {
            hash(value, state);
        }
    }
}

fn hash<H: Hasher>(value: &V, state: &mut H) {
    rank(value).hash(state);
    match value {
        V::Null | V::Unknown => {}
        V::Bool(flag) => flag.hash(state),
        V::Int(whole) => whole.hash(state),
        V::Float(number) => {
            if number.fract() == 0.0 && (-9e18..9e18).contains(number) {
                (*number as i64).hash(state);
            } else if number.is_nan() {
                u64::MAX.hash(state);
            } else {
                number.to_bits().hash(state);
            }
        }
        V::String(text) => text.hash(state),
        // Points in time in UTC and others are equal by instant.
        V::Time(time) => (i128::from(time.0) * 1000).hash(state),
        V::Temporal(of) => of.hash_into(state),
        V::List(items) => {
            items.len().hash(state);
            items.iter().for_each(|item| hash(item, state));
        }
        V::Map(fields) => fields.iter().for_each(|(name, value)| {
            name.hash(state);
            hash(value, state);
        }),
        V::Node(node) => node.hash(state),
        V::Relation(relation) => relation.hash(state),
        V::Path(path) => path.hash(state),
    }
}
