//! One property of one kind (or relation type): a typed column with a state for each cell.

use std::sync::Arc;

use hashbrown::HashMap;
use nepho_model::{Timestamp, Value};

use super::texts::Texts;
use crate::bits::Bits;
use crate::schema::PropertyType;
use crate::value::ResultValue;

/// The cells that are there; where a cell is absent or unknown the value here means nothing.
#[derive(Clone, Debug)]
pub enum Cells {
    /// Nothing is there in any row.
    None,
    /// The same value in every row.
    Same(ResultValue),
    /// Bit-packed.
    Bool(Bits),
    /// Whole numbers.
    Int(Vec<i64>),
    /// Floating-point numbers.
    Float(Vec<f64>),
    /// Microseconds since the epoch, in UTC.
    Time(Vec<i64>),
    /// Codes into a dictionary.
    Text {
        /// One code a row.
        codes: Arc<Vec<u32>>,
        /// The distinct texts.
        dictionary: Arc<Vec<Arc<str>>>,
    },
    /// Texts that are nearly all distinct.
    PlainText(Arc<Texts>),
    /// Anything else: codes into the distinct values, since policies and rules repeat much.
    Any {
        /// One code a row.
        codes: Vec<u32>,
        /// The distinct values.
        values: Vec<ResultValue>,
    },
}

/// See the module's documentation.
#[derive(Clone, Debug)]
pub struct Column {
    /// The values.
    pub cells: Cells,
    /// Rows without a value; `None` when there are none.
    pub absent: Option<Bits>,
    /// Rows whose value could not be read; `None` when there are none.
    pub unknown: Option<Bits>,
}

impl Column {
    /// A column without states.
    pub fn full(cells: Cells) -> Self {
        Self { cells, absent: None, unknown: None }
    }

    /// A column of which no cell could be read.
    pub(crate) fn unread(rows: usize) -> Self {
        Self { cells: Cells::None, absent: None, unknown: Some(Bits::filled(rows, true)) }
    }

    /// Whether a row's cell is absent or unknown.
    #[inline]
    pub fn is_missing(&self, row: usize) -> bool {
        self.unknown.as_ref().is_some_and(|unknown| unknown.get(row))
            || self.absent.as_ref().is_some_and(|absent| absent.get(row))
    }

    /// The value in a row; null past the end.
    pub fn get(&self, row: usize) -> ResultValue {
        if self.unknown.as_ref().is_some_and(|unknown| unknown.get(row)) {
            return ResultValue::Unknown;
        }
        if self.absent.as_ref().is_some_and(|absent| absent.get(row)) {
            return ResultValue::Null;
        }
        let found = match &self.cells {
            Cells::None => None,
            Cells::Same(value) => Some(value.clone()),
            Cells::Bool(bits) => (row < bits.len()).then(|| ResultValue::Bool(bits.get(row))),
            Cells::Int(cells) => cells.get(row).map(|whole| ResultValue::Int(*whole)),
            Cells::Float(cells) => cells.get(row).map(|number| ResultValue::Float(*number)),
            Cells::Time(cells) => cells.get(row).map(|time| ResultValue::Time(Timestamp(*time))),
            Cells::Text { codes, dictionary } => codes
                .get(row)
                .and_then(|code| dictionary.get(*code as usize))
                .map(|text| ResultValue::String(text.clone())),
            Cells::PlainText(cells) => cells.get(row).map(ResultValue::from),
            Cells::Any { codes, values } => codes.get(row).and_then(|code| values.get(*code as usize)).cloned(),
        };
        found.unwrap_or_default()
    }

    /// The same column with rows in another order: row `i` is what row `order[i]` was.
    pub fn reordered(self, order: &[u32]) -> Self {
        let bits = |bits: Bits| {
            let mut sorted = Bits::default();
            order.iter().for_each(|from| sorted.push(bits.get(*from as usize)));
            sorted
        };
        fn pick<T: Clone>(cells: &[T], order: &[u32]) -> Vec<T> {
            order.iter().filter_map(|from| cells.get(*from as usize).cloned()).collect()
        }
        let cells = match self.cells {
            Cells::Bool(cells) => Cells::Bool(bits(cells)),
            Cells::Int(cells) => Cells::Int(pick(&cells, order)),
            Cells::Float(cells) => Cells::Float(pick(&cells, order)),
            Cells::Time(cells) => Cells::Time(pick(&cells, order)),
            Cells::Text { codes, dictionary } => Cells::Text { codes: Arc::new(pick(&codes, order)), dictionary },
            Cells::PlainText(cells) => Cells::PlainText(Arc::new(cells.reordered(order))),
            Cells::Any { codes, values } => Cells::Any { codes: pick(&codes, order), values },
            same @ (Cells::None | Cells::Same(_)) => same,
        };
        Self { cells, absent: self.absent.map(bits), unknown: self.unknown.map(bits) }
    }
}

/// Grows a column row by row; the type follows from the values (and the declaration, for whole numbers in a float
/// property), and falls back to `Any` where they differ.
#[derive(Debug)]
pub(crate) struct ColumnBuilder {
    declared: Option<PropertyType>,
    length: usize,
    cells: Cells,
    texts: HashMap<Arc<str>, u32>,
    /// Values of a column of any values, by their exact form.
    forms: HashMap<Vec<u8>, u32>,
    dictionary: Vec<Arc<str>>,
    absent: Bits,
    unknown: Bits,
}

impl ColumnBuilder {
    /// An empty column.
    pub fn new(declared: Option<PropertyType>) -> Self {
        Self {
            declared,
            length: 0,
            cells: Cells::None,
            texts: HashMap::new(),
            forms: HashMap::new(),
            dictionary: Vec::new(),
            absent: Bits::default(),
            unknown: Bits::default(),
        }
    }

    /// Sets the value of row `row`; rows in between are absent. Rows must come in ascending order; of two values for
    /// one row the first stays.
    pub fn set(&mut self, row: usize, value: &Value) {
        if row < self.length {
            return;
        }
        self.fill_to(row);
        match value {
            Value::Null => self.absent.set_grown(row),
            Value::Unknown => self.unknown.set_grown(row),
            _ => {}
        }
        self.push(value);
        self.length = row + 1;
    }

    /// Like [`ColumnBuilder::set`], with values that facts do not have, such as dates.
    pub fn set_any(&mut self, row: usize, value: &ResultValue) {
        if !value.holds_temporal() {
            return self.set(row, &value.to_value());
        }
        if row < self.length {
            return;
        }
        self.fill_to(row);
        if !matches!(self.cells, Cells::Any { .. }) {
            self.widen();
        }
        self.push_any(value.clone());
        self.length = row + 1;
    }

    fn fill_to(&mut self, row: usize) {
        while self.length < row {
            self.absent.set_grown(self.length);
            self.push(&Value::Null);
            self.length += 1;
        }
    }

    fn push(&mut self, value: &Value) {
        if let (Value::Int(whole), Some(PropertyType::Float)) = (value, self.declared) {
            return self.push(&Value::Float(*whole as f64));
        }
        if matches!(self.cells, Cells::None) {
            let length = self.length;
            self.cells = match value {
                Value::Null | Value::Unknown => return,
                Value::Bool(_) => Cells::Bool(Bits::filled(length, false)),
                Value::Int(_) => Cells::Int(vec![0; length]),
                Value::Float(_) => Cells::Float(vec![0.0; length]),
                Value::Time(_) => Cells::Time(vec![0; length]),
                Value::String(_) => Cells::Text { codes: Arc::new(vec![0; length]), dictionary: Arc::default() },
                Value::List(_) | Value::Map(_) => {
                    Cells::Any { codes: vec![0; length], values: vec![ResultValue::Null] }
                }
            };
        }
        match (&mut self.cells, value) {
            (Cells::Bool(cells), Value::Bool(flag)) => cells.push(*flag),
            (Cells::Bool(cells), Value::Null | Value::Unknown) => cells.push(false),
            (Cells::Int(cells), Value::Int(whole)) => cells.push(*whole),
            (Cells::Int(cells), Value::Null | Value::Unknown) => cells.push(0),
            (Cells::Float(cells), Value::Float(number)) => cells.push(*number),
            (Cells::Float(cells), Value::Null | Value::Unknown) => cells.push(0.0),
            (Cells::Time(cells), Value::Time(time)) => cells.push(time.0),
            (Cells::Time(cells), Value::Null | Value::Unknown) => cells.push(0),
            (Cells::Text { codes, .. }, Value::String(text)) => {
                let dictionary = &mut self.dictionary;
                let code = *self.texts.entry_ref(text).or_insert_with(|| {
                    dictionary.push(text.clone());
                    (dictionary.len() - 1) as u32
                });
                Arc::make_mut(codes).push(code);
            }
            (Cells::Text { codes, .. }, Value::Null | Value::Unknown) => Arc::make_mut(codes).push(0),
            (Cells::Any { .. }, value) => self.push_any(ResultValue::from(value)),
            (_, value) => {
                self.widen();
                self.push_any(ResultValue::from(value));
            }
        }
    }

    /// Makes it a column of any values.
    fn widen(&mut self) {
        // The state of the row being set is noted already, its cell is not.
        let mixed = self.take_column();
        self.cells = Cells::Any { codes: Vec::new(), values: Vec::new() };
        for row in 0..self.length {
            self.push_any(mixed.get(row));
        }
        self.absent = mixed.absent.unwrap_or_default();
        self.unknown = mixed.unknown.unwrap_or_default();
    }

    fn push_any(&mut self, value: ResultValue) {
        let Cells::Any { codes, values } = &mut self.cells else { return };
        let mut form = Vec::new();
        value.write_form(&mut form);
        let code = *self.forms.entry(form).or_insert_with(|| {
            values.push(value);
            (values.len() - 1) as u32
        });
        codes.push(code);
    }

    fn take_column(&mut self) -> Column {
        let cells = match std::mem::replace(&mut self.cells, Cells::None) {
            Cells::Text { codes, .. } => {
                self.texts = HashMap::new();
                Cells::Text { codes, dictionary: Arc::new(std::mem::take(&mut self.dictionary)) }
            }
            other => other,
        };
        let states = |bits: &mut Bits| Some(std::mem::take(bits)).filter(Bits::any);
        Column { cells, absent: states(&mut self.absent), unknown: states(&mut self.unknown) }
    }

    /// The column, with `length` rows.
    pub fn finish(mut self, length: usize) -> Column {
        self.fill_to(length);
        let mut column = self.take_column();
        if let Cells::Text { codes, dictionary } = &column.cells
            && dictionary.len() > (length / 2).max(1024)
        {
            let texts = codes.iter().map(|code| dictionary.get(*code as usize).map_or("", |text| &**text));
            column.cells = Cells::PlainText(Arc::new(texts.collect()));
        }
        column
    }
}

impl Bits {
    /// Sets a bit, growing where needed.
    fn set_grown(&mut self, index: usize) {
        self.grow(index + 1);
        self.set(index);
    }
}

#[cfg(test)]
mod tests {
    use nepho_model::Value;

    use super::{Cells, ColumnBuilder};
    use crate::schema::PropertyType;
    use crate::value::ResultValue;

    #[test]
    fn every_cell_comes_back_as_it_was_set() {
        let mut builder = ColumnBuilder::new(None);
        builder.set(1, &Value::from("a"));
        builder.set(2, &Value::Unknown);
        builder.set(4, &Value::from("b"));
        let column = builder.finish(6).reordered(&[5, 4, 3, 2, 1, 0]);
        let shown: Vec<_> = (0..6).map(|row| format!("{:?}", column.get(row))).collect();
        assert_eq!(shown, ["Null", "String(\"b\")", "Null", "Unknown", "String(\"a\")", "Null"]);
        assert!(matches!(column.cells, Cells::Text { .. }));
    }

    #[test]
    fn mixed_types_are_kept_apart() {
        let mut builder = ColumnBuilder::new(None);
        builder.set(0, &Value::Unknown);
        builder.set(1, &Value::Int(1));
        builder.set(2, &Value::from("x"));
        builder.set(3, &Value::Null);
        let column = builder.finish(4);
        assert!(matches!(column.get(0), ResultValue::Unknown));
        assert!(matches!(column.get(1), ResultValue::Int(1)));
        assert!(matches!(column.get(2), ResultValue::String(_)));
        assert!(matches!(column.get(3), ResultValue::Null));
    }

    #[test]
    fn whole_numbers_in_a_float_property_become_floats() {
        let mut builder = ColumnBuilder::new(Some(PropertyType::Float));
        builder.set(0, &Value::Int(2));
        assert!(matches!(builder.finish(1).get(0), ResultValue::Float(number) if number == 2.0));
    }
}
