//! Conditions over a batch: which rows stay.

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::column_test::ColumnTest;
use super::{Batch, Vector};
use crate::error::Outcome;
use crate::eval::compare;
use crate::exec::{Exec, Frame, truth_of};
use crate::graph::NodeId;
use crate::plan::{Expr, Kind, Reads, Slot};
use crate::truth::Truth;
use crate::value::ResultValue as V;

/// Conditions made ready for the kinds that were met, by the place of the expression.
#[derive(Default)]
pub(super) struct Tests<'g> {
    tests: HashMap<(usize, u32), ColumnTest<'g>>,
}

impl<'g> Tests<'g> {
    /// The rows of a batch for which a condition is true or unknown, ascending, and whether it is unknown.
    pub fn rows(
        &mut self,
        exec: &Exec<'g>,
        expr: &Expr,
        batch: &Batch,
        frame: &mut Frame,
    ) -> Outcome<Vec<(u32, Truth)>> {
        let mut rows: Vec<(u32, Truth)> = (0..batch.rows as u32).map(|row| (row, Truth::True)).collect();
        self.narrow(exec, expr, batch, frame, &mut rows)?;
        Ok(rows)
    }

    /// Keeps the rows for which the condition is true, or unknown: those become unknown.
    fn narrow(
        &mut self,
        exec: &Exec<'g>,
        expr: &Expr,
        batch: &Batch,
        frame: &mut Frame,
        rows: &mut Vec<(u32, Truth)>,
    ) -> Outcome<()> {
        if let Kind::And(parts) = &expr.kind {
            // Null is no row whatever else is unknown, so each part may drop its own.
            for part in parts {
                self.narrow(exec, part, batch, frame, rows)?;
            }
            return Ok(());
        }
        if let Reads::Property(slot, property) = expr.reads()
            && let Some(Vector::Nodes(nodes)) = batch.slot(slot)
        {
            return self.column(exec, expr, (slot, property), nodes, frame, rows);
        }
        // Rows that are settled already must not be looked at: what they hold may be an error here.
        let mask: Vec<bool> = match reads(expr, batch) {
            Some(slots) => (0..batch.slots.len()).map(|slot| slots.contains(&slot)).collect(),
            None => vec![true; batch.slots.len()],
        };
        let some: Batch;
        let wanted = if rows.len() == batch.rows {
            batch
        } else {
            let numbers: Vec<u32> = rows.iter().map(|(row, _)| *row).collect();
            some = batch.gathered(&numbers, &mask);
            &some
        };
        let values = exec.vector(expr, wanted, frame)?;
        let (mut at, mut kept) = (0, 0);
        while at < rows.len() {
            let truth = truth_of(&values.get(at), expr.span)?;
            if matches!(truth, Truth::True | Truth::Unknown) {
                rows[kept] = (rows[at].0, rows[at].1.and(truth));
                kept += 1;
            }
            at += 1;
        }
        rows.truncate(kept);
        Ok(())
    }

    fn column(
        &mut self,
        exec: &Exec<'g>,
        expr: &Expr,
        of: (Slot, usize),
        nodes: &[u32],
        frame: &mut Frame,
        rows: &mut Vec<(u32, Truth)>,
    ) -> Outcome<()> {
        let place = std::ptr::from_ref(expr) as usize;
        let (mut at, mut kept) = (0, 0);
        while at < rows.len() {
            // As many rows as are of one kind.
            let node = |at: usize, rows: &[(u32, Truth)]| nodes.get(rows[at].0 as usize).copied().unwrap_or(u32::MAX);
            let kind = exec.graph.kind_number(NodeId(node(at, rows)));
            let range = exec.graph.tables.get(kind as usize).map_or(0..0, |table| table.nodes.clone());
            let test = match self.tests.entry((place, kind)) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(ColumnTest::new(exec, expr, of.1, kind, frame)?),
            };
            exec.tick()?;
            while at < rows.len() {
                let node = node(at, rows);
                if !range.contains(&node) {
                    break;
                }
                let truth = test.at((node - range.start) as usize, exec, expr, of, frame)?;
                if matches!(truth, Truth::True | Truth::Unknown) {
                    rows[kept] = (rows[at].0, rows[at].1.and(truth));
                    kept += 1;
                }
                at += 1;
            }
            if range.is_empty() {
                break;
            }
        }
        rows.truncate(kept);
        Ok(())
    }
}

/// The nodes for which a condition is true or unknown where each stands in `slot` of a frame.
pub(crate) fn nodes_where(
    exec: &Exec<'_>,
    expr: &Expr,
    slot: Slot,
    nodes: Vec<u32>,
    frame: &Frame,
) -> Outcome<Vec<u32>> {
    let mut batch = Batch { rows: nodes.len(), slots: Vec::new(), pending: Vec::new() };
    batch.slots.extend(frame.iter().map(|value| Some(Vector::Same(value.clone()))));
    batch.set(slot, Vector::Nodes(nodes));
    let rows = Tests::default().rows(exec, expr, &batch, &mut frame.clone())?;
    let Some(Vector::Nodes(nodes)) = batch.slot(slot) else { return Ok(Vec::new()) };
    Ok(rows.iter().filter_map(|(row, _)| nodes.get(*row as usize)).copied().collect())
}

impl Exec<'_> {
    /// The value of an expression in each row of a batch.
    pub(crate) fn vector(&self, expr: &Expr, batch: &Batch, frame: &mut Frame) -> Outcome<Vector> {
        match &expr.kind {
            Kind::Constant(value) => return Ok(Vector::Same(value.clone())),
            Kind::Slot(slot) => return Ok(batch.slot(*slot).cloned().unwrap_or(Vector::Same(V::Null))),
            Kind::NodeProperty { slot, property } => {
                if let Some(Vector::Nodes(nodes)) = batch.slot(*slot) {
                    return Ok(Vector::Values(nodes.iter().map(|node| self.cell(NodeId(*node), *property)).collect()));
                }
            }
            Kind::Property { of, name } => {
                if let Kind::Slot(slot) = of.kind
                    && let Some(Vector::Relations(ids)) = batch.slot(slot)
                {
                    return Ok(Vector::Values(ids.iter().map(|id| self.relation_property(*id, name)).collect()));
                }
            }
            // What only depends on its parts needs no frame.
            Kind::Binary(op, left, right) => {
                let (left, right) = (self.vector(left, batch, frame)?, self.vector(right, batch, frame)?);
                let value = |row| self.binary(*op, &left.get(row), &right.get(row), expr.span);
                return Ok(Vector::Values(self.values(batch.rows, value)?));
            }
            Kind::Compare(op, left, right) => {
                let (left, right) = (self.vector(left, batch, frame)?, self.vector(right, batch, frame)?);
                let value = |row| Ok(compare(*op, &left.get(row), &right.get(row)).into());
                return Ok(Vector::Values(self.values(batch.rows, value)?));
            }
            _ => {}
        }
        let slots = reads(expr, batch);
        let value = |row| {
            load(batch, row, slots.as_deref(), frame);
            self.eval(expr, frame)
        };
        Ok(Vector::Values(self.values(batch.rows, value)?))
    }

    /// A value for each row.
    fn values(&self, rows: usize, mut value: impl FnMut(usize) -> Outcome<V>) -> Outcome<Vec<V>> {
        let mut values = Vec::with_capacity(rows);
        let mut weight = 0;
        for row in 0..rows {
            self.tick()?;
            let value = value(row)?;
            // One batch of long lists may be more than the query may hold.
            if value.weight() > 0 {
                weight += value.weight();
                self.hold(value.weight())?;
            }
            values.push(value);
        }
        self.release(weight);
        Ok(values)
    }

    /// A node's property.
    fn cell(&self, node: NodeId, property: usize) -> V {
        let kind = self.graph.kind_number(node);
        let Some(table) = self.graph.tables.get(kind as usize) else { return V::Null };
        let column = self.bound.column(kind, property).and_then(|at| table.column(at));
        column.map_or(V::Null, |column| column.get((node.0 - table.nodes.start) as usize))
    }
}

/// Writes a row's values into a frame, of these slots or all.
fn load(batch: &Batch, row: usize, slots: Option<&[Slot]>, frame: &mut Frame) {
    match slots {
        Some(slots) => {
            for slot in slots {
                frame[*slot] = batch.slot(*slot).map(|vector| vector.get(row)).unwrap_or_default();
            }
        }
        None => batch.load(row, frame),
    }
}

/// The slots that an expression reads; `None` where it may read any.
fn reads(expr: &Expr, batch: &Batch) -> Option<Vec<Slot>> {
    let mut slots = Vec::new();
    let all = expr.slots(&mut |slot| slots.push(slot));
    slots.retain(|slot| *slot < batch.slots.len());
    slots.sort_unstable();
    slots.dedup();
    all.then_some(slots)
}
