//! A condition that reads one property of one node, made ready for the column of one kind: each distinct value is judged
//! once, numbers and times are compared as they lie.

use std::cell::RefCell;
use std::sync::Arc;

use crate::bits::Bits;
use crate::error::Outcome;
use crate::exec::{Exec, Frame};
use crate::functions::Function;
use crate::graph::column::{Cells, Column};
use crate::graph::texts::Texts;
use crate::ir::CompareOp;
use crate::plan::{Expr, Kind, Slot};
use crate::truth::Truth;
use crate::value::ResultValue as V;

/// What a condition reads of the row, when that is one property of one node and nothing else.
pub(super) fn one_property(expr: &Expr) -> Option<(Slot, usize)> {
    let mut found = None;
    let mut only = true;
    let mut inner: Vec<Slot> = Vec::new();
    expr.visit(&mut |part| match &part.kind {
        Kind::Comprehension { slot, .. } | Kind::Quantified { slot, .. } => inner.push(*slot),
        Kind::Reduce { accumulator, slot, .. } => inner.extend([*accumulator, *slot]),
        _ => {}
    });
    expr.visit(&mut |part| match &part.kind {
        Kind::Slot(slot) | Kind::NodeProperty { slot, .. } if inner.contains(slot) => {}
        Kind::NodeProperty { slot, property } => match found {
            None => found = Some((*slot, *property)),
            Some(known) => only &= known == (*slot, *property),
        },
        Kind::Slot(_)
        | Kind::Exists(_)
        | Kind::Count(_)
        | Kind::CountCompare(..)
        | Kind::Collect(_)
        | Kind::PatternList { .. }
        | Kind::Call(Function::Rand, _) => only = false,
        _ => {}
    });
    found.filter(|_| only)
}

/// See the module's documentation.
pub(super) struct ColumnTest<'g> {
    form: Form<'g>,
    absent: Option<&'g Bits>,
    unknown: Option<&'g Bits>,
    of_absent: Truth,
    of_unknown: Truth,
}

enum Form<'g> {
    /// The same for every row.
    Always(Truth),
    Bool {
        bits: &'g Bits,
        yes: Truth,
        no: Truth,
    },
    /// By code; `None` where the value was not judged yet.
    Codes {
        codes: &'g [u32],
        column: &'g Column,
        truths: RefCell<Vec<Option<Truth>>>,
    },
    Int {
        cells: &'g [i64],
        op: CompareOp,
        with: i64,
    },
    Float {
        cells: &'g [f64],
        op: CompareOp,
        with: f64,
    },
    Text {
        cells: &'g Texts,
        op: CompareOp,
        with: Arc<str>,
    },
    /// Judged row by row.
    Each(&'g Column),
}

impl<'g> ColumnTest<'g> {
    /// The test for the nodes of one kind.
    ///
    /// # Errors
    /// What the condition gives for a value that is absent or unknown.
    pub fn new(
        exec: &Exec<'g>,
        expr: &Expr,
        (slot, property): (Slot, usize),
        kind: u32,
        frame: &mut Frame,
    ) -> Outcome<Self> {
        let graph = exec.graph;
        let table = graph.tables.get(kind as usize);
        let column = exec.bound.column(kind, property).and_then(|at| table?.column(at));
        let mut judge = |value: V| substituted(exec, expr, (slot, property), value, frame);
        let Some(column) = column else {
            let truth = judge(V::Null)?;
            return Ok(Self {
                form: Form::Always(truth),
                absent: None,
                unknown: None,
                of_absent: truth,
                of_unknown: truth,
            });
        };
        let of_absent =
            if column.absent.is_some() || matches!(column.cells, Cells::None) { judge(V::Null)? } else { Truth::Null };
        let of_unknown = if column.unknown.is_some() { judge(V::Unknown)? } else { Truth::Unknown };
        let form = match &column.cells {
            Cells::None => Form::Always(of_absent),
            Cells::Same(value) => Form::Always(judge(value.clone())?),
            Cells::Bool(bits) => Form::Bool { bits, yes: judge(V::Bool(true))?, no: judge(V::Bool(false))? },
            Cells::Text { codes, dictionary } => {
                Form::Codes { codes, column, truths: RefCell::new(vec![None; dictionary.len()]) }
            }
            Cells::Any { codes, values } => {
                Form::Codes { codes, column, truths: RefCell::new(vec![None; values.len()]) }
            }
            _ => compared(exec, expr, column, frame)?.unwrap_or(Form::Each(column)),
        };
        Ok(Self { form, absent: column.absent.as_ref(), unknown: column.unknown.as_ref(), of_absent, of_unknown })
    }

    /// The truth in a row of the kind's table.
    #[inline]
    pub fn at(&self, row: usize, exec: &Exec<'g>, expr: &Expr, of: (Slot, usize), frame: &mut Frame) -> Outcome<Truth> {
        if self.unknown.is_some_and(|unknown| unknown.get(row)) {
            return Ok(self.of_unknown);
        }
        if self.absent.is_some_and(|absent| absent.get(row)) {
            return Ok(self.of_absent);
        }
        Ok(match &self.form {
            Form::Always(truth) => *truth,
            Form::Bool { bits, yes, no } => {
                if bits.get(row) {
                    *yes
                } else {
                    *no
                }
            }
            Form::Codes { codes, column, truths } => {
                let code = codes.get(row).copied().unwrap_or(0) as usize;
                let known = truths.borrow().get(code).copied().flatten();
                match known {
                    Some(truth) => truth,
                    None => {
                        let truth = substituted(exec, expr, of, column.get(row), frame)?;
                        if let Some(place) = truths.borrow_mut().get_mut(code) {
                            *place = Some(truth);
                        }
                        truth
                    }
                }
            }
            Form::Int { cells, op, with } => cells.get(row).is_some_and(|cell| holds(*op, cell, with)).into(),
            Form::Float { cells, op, with } => cells.get(row).is_some_and(|cell| holds(*op, cell, with)).into(),
            Form::Text { cells, op, with } => cells.get(row).is_some_and(|cell| holds(*op, cell, &**with)).into(),
            Form::Each(column) => substituted(exec, expr, of, column.get(row), frame)?,
        })
    }
}

/// A column of numbers, times or plain texts beside a constant.
fn compared<'g>(exec: &Exec<'g>, expr: &Expr, column: &'g Column, frame: &mut Frame) -> Outcome<Option<Form<'g>>> {
    let Kind::Compare(op, left, right) = &expr.kind else { return Ok(None) };
    let is_column = |expr: &Expr| matches!(expr.kind, Kind::NodeProperty { .. });
    let (op, constant) = match (is_column(left), is_column(right)) {
        (true, false) if one_property(right).is_none() => (*op, right),
        (false, true) if one_property(left).is_none() => (op.turned(), left),
        _ => return Ok(None),
    };
    let constant = exec.eval(constant, frame)?;
    Ok(match (&column.cells, constant) {
        (Cells::Int(cells), V::Int(with)) => Some(Form::Int { cells, op, with }),
        (Cells::Float(cells), V::Float(with)) => Some(Form::Float { cells, op, with }),
        (Cells::Float(cells), V::Int(with)) if with.unsigned_abs() < 1 << 53 => {
            Some(Form::Float { cells, op, with: with as f64 })
        }
        (Cells::PlainText(cells), V::String(with)) => Some(Form::Text { cells, op, with }),
        (Cells::Time(cells), V::Time(with)) => Some(Form::Int { cells, op, with: with.0 }),
        (Cells::Time(cells), V::String(text)) => {
            nepho_model::Timestamp::parse(&text).ok().map(|with| Form::Int { cells, op, with: with.0 })
        }
        _ => None,
    })
}

fn holds<T: PartialOrd + ?Sized>(op: CompareOp, left: &T, right: &T) -> bool {
    match op {
        CompareOp::Equal => left == right,
        CompareOp::NotEqual => left != right,
        CompareOp::Less => left < right,
        CompareOp::LessEqual => left <= right,
        CompareOp::Greater => left > right,
        CompareOp::GreaterEqual => left >= right,
    }
}

/// The condition's truth where its one property has this value.
fn substituted(
    exec: &Exec<'_>,
    expr: &Expr,
    (slot, property): (Slot, usize),
    value: V,
    frame: &mut Frame,
) -> Outcome<Truth> {
    *exec.substitute.borrow_mut() = Some((slot, property, value));
    let truth = exec.truth(expr, frame);
    *exec.substitute.borrow_mut() = None;
    truth
}
