//! How many rows a step probably gives: counts of nodes by kind, of relations by type and kinds, and of distinct values
//! by column.

use hashbrown::HashSet;

use super::Bound;
use crate::graph::Graph;
use crate::graph::column::Cells;
use crate::ir::{BinaryOp, CompareOp, Direction};
use crate::plan::{Expr, Kind, Slot};
use crate::value::ResultValue;

/// Estimates over one graph.
pub(super) struct Estimator<'a> {
    pub graph: &'a Graph,
    pub bound: &'a Bound,
}

/// Kinds that a node of a pattern may be of; `None` for any.
pub(super) type KindSet = Option<Vec<bool>>;

impl Estimator<'_> {
    /// How many nodes there are of these kinds.
    pub fn nodes(&self, kinds: &KindSet) -> f64 {
        let tables = self.graph.tables.iter().enumerate();
        tables.filter(|(kind, _)| allows(kinds, *kind)).map(|(_, table)| table.nodes.len() as f64).sum()
    }

    /// How many relations of these types a node of the near kinds has on average to nodes of the far kinds.
    pub fn fan(&self, types: &[u32], way: Direction, near: &KindSet, far: &KindSet) -> f64 {
        let mut relations = 0.0;
        for pair in types.iter().filter_map(|of| self.graph.relations.get(*of as usize)).flat_map(|of| &of.pairs) {
            let (from, to) = (pair.from as usize, pair.to as usize);
            if way != Direction::In && allows(near, from) && allows(far, to) {
                relations += pair.count as f64;
            }
            if way != Direction::Out && allows(near, to) && allows(far, from) {
                relations += pair.count as f64;
            }
        }
        relations / self.nodes(near).max(1.0)
    }

    /// The share of rows that a condition on the node in `slot` leaves, as far as it can be told.
    pub fn share(&self, expr: &Expr, slot: Slot, kinds: &KindSet) -> f64 {
        let share = |expr: &Expr| self.share(expr, slot, kinds);
        match &expr.kind {
            Kind::And(parts) => parts.iter().map(share).product(),
            Kind::Or(parts) => 1.0 - parts.iter().map(|part| 1.0 - share(part)).product::<f64>(),
            Kind::Not(of) => 1.0 - share(of),
            Kind::Compare(CompareOp::Equal, left, right) => match (property(left, slot), property(right, slot)) {
                (Some(of), None) if matches!(right.kind, Kind::Constant(ResultValue::Bool(true))) => {
                    self.share_of_true(of, kinds)
                }
                (Some(of), None) if matches!(right.kind, Kind::Constant(ResultValue::Bool(false))) => {
                    1.0 - self.share_of_true(of, kinds)
                }
                (Some(of), None) | (None, Some(of)) => 1.0 / self.distinct(of, kinds),
                _ => 0.1,
            },
            Kind::Compare(CompareOp::NotEqual, ..) => 0.9,
            Kind::Compare(..) => 0.3,
            Kind::Binary(BinaryOp::In, left, right) => match (property(left, slot), &right.kind) {
                (Some(of), Kind::List(items)) => (items.len() as f64 / self.distinct(of, kinds)).min(1.0),
                _ => 0.2,
            },
            Kind::Binary(BinaryOp::StartsWith | BinaryOp::EndsWith | BinaryOp::Contains, ..) | Kind::Regex(..) => 0.1,
            Kind::IsNull { negated, .. } => 0.1 + 0.8 * f64::from(u8::from(*negated)),
            Kind::NodeProperty { property, .. } => self.share_of_true(*property, kinds),
            _ => 0.5,
        }
    }

    /// About how many nodes of these kinds have one value of a property.
    pub fn equal(&self, property: usize, kinds: &KindSet) -> f64 {
        self.nodes(kinds) / self.distinct(property, kinds)
    }

    /// About how many different values a property has in these kinds.
    fn distinct(&self, property: usize, kinds: &KindSet) -> f64 {
        let mut most = 1.0f64;
        for (kind, table) in self.graph.tables.iter().enumerate().filter(|(kind, _)| allows(kinds, *kind)) {
            let column = self.bound.column(kind as u32, property).and_then(|at| table.column(at));
            most = most.max(match column.map(|column| &column.cells) {
                None | Some(Cells::None | Cells::Same(_)) => 1.0,
                Some(Cells::Bool(_)) => 2.0,
                Some(Cells::Text { codes, dictionary }) => different(codes, dictionary.len()),
                Some(Cells::Any { codes, values }) => different(codes, values.len()),
                Some(Cells::PlainText(texts)) => texts.len() as f64,
                Some(Cells::Int(_) | Cells::Float(_) | Cells::Time(_)) => {
                    (table.nodes.len() as f64 / 4.0).clamp(1.0, 1000.0)
                }
            });
        }
        most
    }

    fn share_of_true(&self, property: usize, kinds: &KindSet) -> f64 {
        let (mut yes, mut all) = (0.0, 0.0);
        for (kind, table) in self.graph.tables.iter().enumerate().filter(|(kind, _)| allows(kinds, *kind)) {
            all += table.nodes.len() as f64;
            let column = self.bound.column(kind as u32, property).and_then(|at| table.column(at));
            if let Some(Cells::Bool(bits)) = column.map(|column| &column.cells) {
                yes += bits.count() as f64;
            }
        }
        if all == 0.0 { 0.5 } else { (yes / all).max(1e-6) }
    }
}

/// About how many of a dictionary's values a column has: all kinds share that of accounts and regions.
fn different(codes: &[u32], all: usize) -> f64 {
    const SAMPLE: usize = 512;
    let step = (codes.len() / SAMPLE).max(1);
    let seen: HashSet<u32> = codes.iter().step_by(step).take(SAMPLE).copied().collect();
    // A sample of mostly different values tells nothing of how many there are.
    if seen.len() * 4 < SAMPLE.min(codes.len()) { seen.len() as f64 } else { all as f64 }
}

fn allows(kinds: &KindSet, kind: usize) -> bool {
    kinds.as_ref().is_none_or(|kinds| kinds.get(kind).copied().unwrap_or(false))
}

fn property(expr: &Expr, of: Slot) -> Option<usize> {
    match &expr.kind {
        Kind::NodeProperty { slot, property } if *slot == of => Some(*property),
        _ => None,
    }
}
