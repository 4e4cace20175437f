//! A condition that reads one property of one node, made ready for the column of one kind: each distinct value is judged
//! once, when it is first met; numbers, times and texts that are mostly distinct are compared as they lie.

use std::cell::RefCell;
use std::sync::Arc;

use crate::bits::Bits;
use crate::error::Outcome;
use crate::exec::{Exec, Frame};
use crate::graph::column::{Cells, Column};
use crate::graph::texts::Texts;
use crate::plan::{Expr, Kind, Reads, Slot};
use crate::truth::Truth;
use crate::value::ResultValue as V;

/// Most distinct values of which the truth is kept: a table that is larger costs more to make than it saves.
const MAX_CODES: usize = 4096;

/// See the module's documentation.
pub(super) struct ColumnTest<'g> {
    /// `None` where the kind has no such property: absent in every row.
    column: Option<&'g Column>,
    form: Form<'g>,
    /// What was judged, by code; what is absent and what is unknown come first.
    truths: RefCell<Vec<Option<Truth>>>,
}

enum Form<'g> {
    /// By the values' codes.
    Coded(Codes<'g>),
    Int {
        cells: &'g [i64],
        holds: fn(&i64, &i64) -> bool,
        with: i64,
    },
    Float {
        cells: &'g [f64],
        holds: fn(&f64, &f64) -> bool,
        with: f64,
    },
    Text {
        cells: &'g Texts,
        holds: fn(&str, &str) -> bool,
        with: Arc<str>,
    },
    /// Texts out of a dictionary that is too large for a table of truths.
    Named {
        codes: &'g [u32],
        dictionary: &'g [Arc<str>],
        holds: fn(&str, &str) -> bool,
        with: Arc<str>,
    },
    /// Judged row by row.
    Each,
}

enum Codes<'g> {
    /// The same value in every row.
    One,
    Bits(&'g Bits),
    Numbers(&'g [u32]),
}

const ABSENT: usize = 0;
const UNKNOWN: usize = 1;
const FIRST: usize = 2;

impl<'g> ColumnTest<'g> {
    /// The test for the nodes of one kind.
    ///
    /// # Errors
    /// What the other side of a comparison gives.
    pub fn new(exec: &Exec<'g>, expr: &Expr, property: usize, kind: u32, frame: &mut Frame) -> Outcome<Self> {
        let table = exec.graph.tables.get(kind as usize);
        let column = exec.bound.column(kind, property).and_then(|at| table?.column(at));
        let (form, codes) = match column.map(|column| (column, &column.cells)) {
            None | Some((_, Cells::None | Cells::Same(_))) => (Form::Coded(Codes::One), 1),
            Some((_, Cells::Bool(bits))) => (Form::Coded(Codes::Bits(bits)), 2),
            Some((_, Cells::Text { codes, dictionary })) if dictionary.len() <= MAX_CODES => {
                (Form::Coded(Codes::Numbers(codes)), dictionary.len())
            }
            Some((_, Cells::Any { codes, values })) if values.len() <= MAX_CODES => {
                (Form::Coded(Codes::Numbers(codes)), values.len())
            }
            Some((column, _)) => (compared(exec, expr, column, frame)?.unwrap_or(Form::Each), 0),
        };
        Ok(Self { column, form, truths: RefCell::new(vec![None; FIRST + codes]) })
    }

    /// The truth in a row of the kind's table.
    #[inline]
    pub fn at(&self, row: usize, exec: &Exec<'g>, expr: &Expr, of: (Slot, usize), frame: &mut Frame) -> Outcome<Truth> {
        let has = |bits: &Option<Bits>| bits.as_ref().is_some_and(|bits| bits.get(row));
        let code = match (self.column, &self.form) {
            (None, _) => ABSENT,
            (Some(column), _) if has(&column.unknown) => UNKNOWN,
            (Some(column), _) if has(&column.absent) => ABSENT,
            (_, Form::Coded(Codes::One)) => FIRST,
            (_, Form::Coded(Codes::Bits(bits))) => FIRST + usize::from(bits.get(row)),
            (_, Form::Coded(Codes::Numbers(codes))) => FIRST + codes.get(row).copied().unwrap_or(0) as usize,
            (_, Form::Int { cells, holds, with }) => {
                return Ok(cells.get(row).is_some_and(|cell| holds(cell, with)).into());
            }
            (_, Form::Float { cells, holds, with }) => {
                return Ok(cells.get(row).is_some_and(|cell| holds(cell, with)).into());
            }
            (_, Form::Text { cells, holds, with }) => {
                return Ok(cells.get(row).is_some_and(|cell| holds(cell, with)).into());
            }
            (_, Form::Named { codes, dictionary, holds, with }) => {
                let text = codes.get(row).and_then(|code| dictionary.get(*code as usize));
                return Ok(text.is_some_and(|text| holds(text, with)).into());
            }
            (Some(column), Form::Each) => return substituted(exec, expr, of, column.get(row), frame),
        };
        let known = self.truths.borrow().get(code).copied().flatten();
        if let Some(truth) = known {
            return Ok(truth);
        }
        let value = self.column.map_or(V::Null, |column| column.get(row));
        let truth = substituted(exec, expr, of, value, frame)?;
        if let Some(place) = self.truths.borrow_mut().get_mut(code) {
            *place = Some(truth);
        }
        Ok(truth)
    }
}

/// A column of numbers, times or plain texts beside something that is the same for all rows.
fn compared<'g>(exec: &Exec<'g>, expr: &Expr, column: &'g Column, frame: &mut Frame) -> Outcome<Option<Form<'g>>> {
    let Kind::Compare(op, left, right) = &expr.kind else { return Ok(None) };
    let is_column = |expr: &Expr| matches!(expr.kind, Kind::NodeProperty { .. });
    let (op, other) = match (is_column(left), is_column(right)) {
        (true, false) if right.reads() == Reads::Nothing => (*op, right),
        (false, true) if left.reads() == Reads::Nothing => (op.turned(), left),
        _ => return Ok(None),
    };
    let whole = |cells, with| Some(Form::Int { cells, holds: op.test(), with });
    Ok(match (&column.cells, exec.eval(other, frame)?) {
        (Cells::Int(cells), V::Int(with)) => whole(cells.as_slice(), with),
        (Cells::Float(cells), V::Float(with)) => Some(Form::Float { cells, holds: op.test(), with }),
        (Cells::Float(cells), V::Int(with)) if with.unsigned_abs() < 1 << 53 => {
            Some(Form::Float { cells, holds: op.test(), with: with as f64 })
        }
        (Cells::PlainText(cells), V::String(with)) => Some(Form::Text { cells, holds: op.test(), with }),
        (Cells::Text { codes, dictionary }, V::String(with)) => {
            Some(Form::Named { codes, dictionary, holds: op.test(), with })
        }
        (Cells::Time(cells), V::Time(with)) => whole(cells, with.0),
        (Cells::Time(cells), V::String(text)) => {
            nepho_model::Timestamp::parse(&text).ok().and_then(|with| whole(cells, with.0))
        }
        _ => None,
    })
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
