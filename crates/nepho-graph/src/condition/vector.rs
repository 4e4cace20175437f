//! Conditions a whole kind at a time.
//!
//! `AND`, `OR` and `NOT` work on words of 64 rows. A part that reads one property only is judged by that column's
//! distinct values (text, booleans, constants) or by a plain loop (numbers and times beside a constant); any other part
//! row by row, and only where the parts before it have not decided.

use crate::bits::Bits;
use crate::exec::Exec;
use crate::functions::Function;
use crate::graph::NodeId;
use crate::graph::column::{Cells, Column};
use crate::ir::CompareOp;
use crate::plan::{Expr, Kind, Reads};
use crate::truth::Truth;
use crate::value::ResultValue as V;

/// One truth value per row: which are true, null and unknown; the rest is false.
#[derive(Clone, Debug)]
pub(crate) struct Tri {
    yes: Bits,
    null: Bits,
    unknown: Bits,
}

impl Tri {
    pub fn filled(length: usize, truth: Truth) -> Self {
        Self {
            yes: Bits::filled(length, truth == Truth::True),
            null: Bits::filled(length, truth == Truth::Null),
            unknown: Bits::filled(length, truth == Truth::Unknown),
        }
    }

    pub fn get(&self, row: usize) -> Truth {
        if self.yes.get(row) {
            Truth::True
        } else if self.unknown.get(row) {
            Truth::Unknown
        } else if self.null.get(row) {
            Truth::Null
        } else {
            Truth::False
        }
    }

    fn set(&mut self, row: usize, truth: Truth) {
        match truth {
            Truth::True => self.yes.set(row),
            Truth::Null => self.null.set(row),
            Truth::Unknown => self.unknown.set(row),
            Truth::False => {}
        }
    }

    pub fn count(&self, truth: Truth) -> usize {
        match truth {
            Truth::True => self.yes.count(),
            Truth::Null => self.null.count(),
            Truth::Unknown => self.unknown.count(),
            Truth::False => self.yes.len() - self.yes.count() - self.null.count() - self.unknown.count(),
        }
    }

    pub fn rows(&self, truth: Truth) -> Vec<usize> {
        match truth {
            Truth::True => self.yes.ones().collect(),
            Truth::Null => self.null.ones().collect(),
            Truth::Unknown => self.unknown.ones().collect(),
            Truth::False => self.no().ones().collect(),
        }
    }

    fn no(&self) -> Bits {
        let words = (self.yes.words(), self.null.words(), self.unknown.words());
        Bits::from_words(self.yes.len(), |at| !(words.0[at] | words.1[at] | words.2[at]))
    }

    fn negate(self) -> Self {
        Self { yes: self.no(), null: self.null, unknown: self.unknown }
    }

    /// `self AND other`; both are of the same length.
    fn and(&self, other: &Self) -> Self {
        let length = self.yes.len();
        let (a, b) = (self.words(), other.words());
        let no = |(yes, null, unknown): (&[u64], &[u64], &[u64]), at: usize| !(yes[at] | null[at] | unknown[at]);
        Self {
            yes: Bits::from_words(length, |at| a.0[at] & b.0[at]),
            unknown: Bits::from_words(length, |at| (a.2[at] | b.2[at]) & !(no(a, at) | no(b, at))),
            null: Bits::from_words(length, |at| (a.1[at] | b.1[at]) & !(no(a, at) | no(b, at)) & !(a.2[at] | b.2[at])),
        }
    }

    fn words(&self) -> (&[u64], &[u64], &[u64]) {
        (self.yes.words(), self.null.words(), self.unknown.words())
    }
}

/// Judges every node of a kind.
pub(super) fn judge(exec: &Exec<'_>, expr: &Expr, kind: u32) -> Tri {
    let length = exec.graph.tables.get(kind as usize).map_or(0, |table| table.nodes.len());
    let mut judge = Judge { exec, kind, length, frame: exec.frame() };
    let all = Bits::filled(length, true);
    judge.expr(expr, &all)
}

/// Judges one node; an error counts as unknown.
pub(super) fn judge_row(exec: &Exec<'_>, expr: &Expr, node: NodeId, frame: &mut Vec<V>) -> Truth {
    if let Some(slot) = frame.first_mut() {
        *slot = V::Node(node);
    }
    exec.subject.set(Some(node));
    exec.truth(expr, frame).unwrap_or(Truth::Unknown)
}

struct Judge<'e, 'g> {
    exec: &'e Exec<'g>,
    kind: u32,
    length: usize,
    frame: Vec<V>,
}

impl Judge<'_, '_> {
    /// The truth in the rows of `wanted`; what it says of other rows means nothing.
    fn expr(&mut self, expr: &Expr, wanted: &Bits) -> Tri {
        match &expr.kind {
            Kind::And(parts) => {
                let mut all = Tri::filled(self.length, Truth::True);
                let mut rest = wanted.clone();
                for part in parts {
                    if !rest.any() {
                        break;
                    }
                    let part = self.expr(part, &rest);
                    all = all.and(&part);
                    let no = all.no();
                    rest = Bits::from_words(self.length, |at| rest.words()[at] & !no.words()[at]);
                }
                all
            }
            Kind::Or(parts) => {
                let mut none = Tri::filled(self.length, Truth::True);
                let mut rest = wanted.clone();
                for part in parts {
                    if !rest.any() {
                        break;
                    }
                    let part = self.expr(part, &rest).negate();
                    none = none.and(&part);
                    let no = none.no();
                    rest = Bits::from_words(self.length, |at| rest.words()[at] & !no.words()[at]);
                }
                none.negate()
            }
            Kind::Not(of) => self.expr(of, wanted).negate(),
            _ => self.leaf(expr, wanted),
        }
    }

    fn leaf(&mut self, expr: &Expr, wanted: &Bits) -> Tri {
        match expr.reads() {
            Reads::Nothing => Tri::filled(self.length, self.truth_with(expr, None)),
            Reads::Property(0, property) => self.column(expr, property, wanted),
            Reads::Property(..) | Reads::More => self.rows(expr, wanted),
        }
    }

    /// The truth of an expression where its one property has this value.
    fn truth_with(&mut self, expr: &Expr, value: Option<(usize, V)>) -> Truth {
        *self.exec.substitute.borrow_mut() = value.map(|(property, value)| (0, property, value));
        let truth = self.exec.truth(expr, &mut self.frame).unwrap_or(Truth::Unknown);
        *self.exec.substitute.borrow_mut() = None;
        truth
    }

    fn column(&mut self, expr: &Expr, property: usize, wanted: &Bits) -> Tri {
        let graph = self.exec.graph;
        let column =
            self.exec.bound.column(self.kind, property).and_then(|at| graph.tables.get(self.kind as usize)?.column(at));
        let Some(column) = column else {
            let truth = self.truth_with(expr, Some((property, V::Null)));
            return Tri::filled(self.length, truth);
        };
        let mut tri = match &column.cells {
            Cells::None => Tri::filled(self.length, Truth::Null),
            Cells::Same(value) => {
                let truth = self.truth_with(expr, Some((property, value.clone())));
                Tri::filled(self.length, truth)
            }
            Cells::Bool(cells) => {
                let yes = self.truth_with(expr, Some((property, V::Bool(true))));
                let no = self.truth_with(expr, Some((property, V::Bool(false))));
                let pick = |truth: Truth| {
                    Bits::from_words(self.length, |at| {
                        let word = cells.words().get(at).copied().unwrap_or(0);
                        (if yes == truth { word } else { 0 }) | (if no == truth { !word } else { 0 })
                    })
                };
                Tri { yes: pick(Truth::True), null: pick(Truth::Null), unknown: pick(Truth::Unknown) }
            }
            Cells::Text { codes, dictionary } if dictionary.len() <= wanted.count().max(16) => {
                let values = dictionary.iter().map(|text| V::String(text.clone()));
                self.coded(expr, property, codes, values)
            }
            Cells::Any { codes, values } if values.len() <= wanted.count().max(16) => {
                self.coded(expr, property, codes, values.iter().cloned())
            }
            _ => match self.numbers(expr, column) {
                Some(tri) => tri,
                None => self.values(expr, property, column, wanted),
            },
        };
        // What absent and unknown cells give is asked once each.
        for (rows, value) in [(&column.absent, V::Null), (&column.unknown, V::Unknown)] {
            if let Some(rows) = rows {
                let truth = self.truth_with(expr, Some((property, value)));
                tri = tri.replaced(rows, truth);
            }
        }
        tri
    }

    /// Once for each distinct value.
    fn coded(&mut self, expr: &Expr, property: usize, codes: &[u32], values: impl Iterator<Item = V>) -> Tri {
        let truths: Vec<Truth> = values.map(|value| self.truth_with(expr, Some((property, value)))).collect();
        let mut tri = Tri::filled(self.length, Truth::False);
        for (row, code) in codes.iter().enumerate() {
            if let Some(truth) = truths.get(*code as usize) {
                tri.set(row, *truth);
            }
        }
        tri
    }

    /// Cell by cell.
    fn values(&mut self, expr: &Expr, property: usize, column: &Column, wanted: &Bits) -> Tri {
        let mut tri = Tri::filled(self.length, Truth::False);
        for row in wanted.ones() {
            let truth = self.truth_with(expr, Some((property, column.get(row))));
            tri.set(row, truth);
        }
        tri
    }

    /// Row by row.
    fn rows(&mut self, expr: &Expr, wanted: &Bits) -> Tri {
        let mut tri = Tri::filled(self.length, Truth::False);
        let first = self.exec.graph.tables.get(self.kind as usize).map_or(0, |table| table.nodes.start);
        for row in wanted.ones() {
            let truth = judge_row(self.exec, expr, NodeId(first + row as u32), &mut self.frame);
            tri.set(row, truth);
        }
        tri
    }
}

impl Tri {
    /// The same with `truth` in the rows of `rows`.
    fn replaced(&self, rows: &Bits, truth: Truth) -> Self {
        let pick = |bits: &Bits, of: Truth| {
            Bits::from_words(bits.len(), |at| {
                let (word, mask) = (bits.words()[at], rows.words().get(at).copied().unwrap_or(0));
                if truth == of { word | mask } else { word & !mask }
            })
        };
        Self {
            yes: pick(&self.yes, Truth::True),
            null: pick(&self.null, Truth::Null),
            unknown: pick(&self.unknown, Truth::Unknown),
        }
    }
}

impl Judge<'_, '_> {
    /// A column of numbers or times beside what reads nothing of the row: a plain loop. `coalesce(column, …)` is the
    /// same but for the absent cells, which are asked apart; `age_days(column)` is the same in days.
    fn numbers(&mut self, expr: &Expr, column: &Column) -> Option<Tri> {
        let Kind::Compare(op, left, right) = &expr.kind else { return None };
        let (op, of, constant) = match (left.reads(), right.reads()) {
            (Reads::Property(..), Reads::Nothing) => (*op, left, right),
            (Reads::Nothing, Reads::Property(..)) => (op.turned(), right, left),
            _ => return None,
        };
        let is_column = |expr: &Expr| matches!(expr.kind, Kind::NodeProperty { slot: 0, .. });
        let (plain, days) = match &of.kind {
            Kind::NodeProperty { slot: 0, .. } => (true, false),
            Kind::Call(Function::Coalesce, arguments) => (arguments.first().is_some_and(is_column), false),
            Kind::Call(Function::AgeDays, arguments) => (arguments.first().is_some_and(is_column), true),
            _ => (false, false),
        };
        if !plain {
            return None;
        }
        let constant = self.exec.eval(constant, &mut self.frame).ok()?;
        let micros = match &constant {
            V::Temporal(of) => of.instant_nanos().filter(|nanos| nanos % 1000 == 0).map(|nanos| nanos / 1000),
            V::Time(time) => Some(i128::from(time.0)),
            V::String(text) => nepho_model::Timestamp::parse(text).ok().map(|time| i128::from(time.0)),
            _ => None,
        };
        let yes = match (&column.cells, &constant) {
            (Cells::Time(cells), V::Int(with)) if days => {
                let clock = self.exec.graph.clock();
                let ages: Vec<i64> = cells.iter().map(|time| nepho_model::Timestamp(*time).days_until(clock)).collect();
                compare(&ages, *with, op)
            }
            _ if days => return None,
            (Cells::Int(cells), V::Int(with)) => compare(cells, *with, op),
            (Cells::Float(cells), V::Float(with)) => compare(cells, *with, op),
            (Cells::Float(cells), V::Int(with)) if with.unsigned_abs() < 1 << 53 => compare(cells, *with as f64, op),
            (Cells::Time(cells), _) => compare(cells, i64::try_from(micros?).ok()?, op),
            _ => return None,
        };
        let none = Bits::filled(yes.len(), false);
        Some(Tri { yes, null: none.clone(), unknown: none })
    }
}

fn compare<T: PartialOrd + Copy>(cells: &[T], with: T, op: CompareOp) -> Bits {
    let holds = op.test();
    let mut chunks = cells.chunks(64);
    Bits::from_words(cells.len(), |_| {
        let chunk = chunks.next().unwrap_or_default();
        chunk.iter().enumerate().fold(0, |word, (at, cell)| word | u64::from(holds(cell, &with)) << at)
    })
}
