//! One Parquet file, row group by row group.

use std::borrow::Cow;
use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use hashbrown::HashMap;
use nepho_graph::ResultValue;
use nepho_graph::storage::{Cells, Column, Texts};
use parquet::basic::{Compression, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{ColumnPath, Type};

use super::profile::{State, state};
use crate::error::Error;
use crate::json;
use crate::manifest::ColumnType;

/// Rows in a group, unless asked otherwise.
pub(crate) const GROUP_ROWS: usize = 1 << 18;

/// What a column of the file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// Row numbers.
    Number,
    /// Text that repeats, in every row.
    Name,
    /// Ascending texts, in every row.
    Key,
    /// Values that may be absent.
    Property(ColumnType),
    /// True where a value could not be read.
    Unknown,
}

/// The cells of one column in one row group.
pub(crate) enum Data<'a> {
    /// For [`Field::Number`].
    Numbers(Vec<i32>),
    /// For [`Field::Name`]: the same in every row.
    Same(&'a str),
    /// For [`Field::Name`]: codes and names.
    Codes(Cow<'a, [u32]>, &'a [Arc<str>]),
    /// For [`Field::Key`].
    Keys(&'a Texts),
    /// For [`Field::Property`] and [`Field::Unknown`].
    Column(&'a Column),
}

/// Writes one file.
pub(crate) struct Table<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    fields: Vec<Field>,
}

impl Field {
    fn parquet(self, name: &str) -> Result<Type, ParquetError> {
        let json = Some(LogicalType::Json);
        let text = Some(LogicalType::String);
        let time = Some(LogicalType::timestamp(true, TimeUnit::MICROS));
        let (physical, logical, repetition) = match self {
            Self::Number => (Physical::INT32, None, Repetition::REQUIRED),
            Self::Name | Self::Key => (Physical::BYTE_ARRAY, text, Repetition::REQUIRED),
            Self::Unknown => (Physical::BOOLEAN, None, Repetition::REQUIRED),
            Self::Property(ColumnType::Boolean) => (Physical::BOOLEAN, None, Repetition::OPTIONAL),
            Self::Property(ColumnType::Bigint) => (Physical::INT64, None, Repetition::OPTIONAL),
            Self::Property(ColumnType::Double) => (Physical::DOUBLE, None, Repetition::OPTIONAL),
            Self::Property(ColumnType::Timestamp) => (Physical::INT64, time, Repetition::OPTIONAL),
            Self::Property(ColumnType::Text) => (Physical::BYTE_ARRAY, text, Repetition::OPTIONAL),
            Self::Property(ColumnType::Json) => (Physical::BYTE_ARRAY, json, Repetition::OPTIONAL),
        };
        Type::primitive_type_builder(name, physical).with_repetition(repetition).with_logical_type(logical).build()
    }
}

impl<W: Write + Send> Table<W> {
    /// Starts a file with these columns.
    pub fn new(out: W, columns: &[(String, Field)]) -> Result<Self, ParquetError> {
        // Bytes follow from the graph alone: no version of ours, so that an upgrade leaves unchanged files unchanged.
        let mut properties = WriterProperties::builder()
            .set_created_by(format!("nephoscope version {}.0.0", crate::manifest::FORMAT))
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
            .set_statistics_enabled(EnabledStatistics::Chunk);
        for (name, field) in columns {
            let path = ColumnPath::new(vec![name.clone()]);
            let encoding = match field {
                Field::Number => Encoding::DELTA_BINARY_PACKED,
                // Delta encoding of keys saves 5 % of the bytes and costs a fifth of the time to load.
                Field::Key => Encoding::PLAIN,
                _ => continue,
            };
            properties =
                properties.set_column_dictionary_enabled(path.clone(), false).set_column_encoding(path, encoding);
        }
        let types =
            columns.iter().map(|(name, field)| Ok(Arc::new(field.parquet(name)?))).collect::<Result<_, ParquetError>>();
        let schema = Type::group_type_builder("nephoscope").with_fields(types?).build()?;
        let writer = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties.build()))?;
        Ok(Self { writer, fields: columns.iter().map(|(_, field)| *field).collect() })
    }

    /// Writes the rows of `range`, one entry of `data` for each column.
    pub fn write_group(&mut self, range: &Range<usize>, data: &[Data<'_>]) -> Result<(), Failure> {
        let mut group = self.writer.next_row_group()?;
        for (field, data) in self.fields.iter().zip(data) {
            match (field, data) {
                (Field::Property(of), Data::Column(column)) => write_property(&mut group, *of, column, range)?,
                (_, Data::Column(column)) => {
                    let flags: Vec<bool> = range.clone().map(|row| state(column, row) == State::Unknown).collect();
                    write::<BoolType>(&mut group, &flags, None)?;
                }
                (_, Data::Numbers(numbers)) => write::<Int32Type>(&mut group, numbers, None)?,
                (_, Data::Same(name)) => {
                    write::<ByteArrayType>(&mut group, &vec![ByteArray::from(*name); range.len()], None)?;
                }
                (_, Data::Codes(codes, names)) => {
                    let names: Vec<ByteArray> = names.iter().map(|name| ByteArray::from(&**name)).collect();
                    let values: Vec<_> =
                        codes.iter().map(|code| names.get(*code as usize).cloned().unwrap_or_default()).collect();
                    write::<ByteArrayType>(&mut group, &values, None)?;
                }
                (_, Data::Keys(keys)) => {
                    let mut texts = TextBatch::default();
                    range.clone().for_each(|row| texts.push(keys.get(row).unwrap_or_default()));
                    write::<ByteArrayType>(&mut group, &texts.finish(), None)?;
                }
            }
        }
        group.close()?;
        Ok(())
    }

    /// Ends the file.
    pub fn finish(self) -> Result<W, ParquetError> {
        self.writer.into_inner()
    }
}

/// Why a table cannot be written.
#[derive(Debug)]
pub(crate) enum Failure {
    Parquet(ParquetError),
    /// A value that has no JSON form.
    Value,
}

impl Failure {
    /// As an error about the file at `path`.
    pub fn of(self, path: &Path) -> Error {
        match self {
            Self::Value => Error::Unfit(format!(
                "a value in `{}` is nested more than 100 levels deep; leave the property out of its kind",
                path.file_stem().unwrap_or_default().display()
            )),
            Self::Parquet(ParquetError::External(source)) => {
                Error::io("write", path)(source.downcast().map_or_else(std::io::Error::other, |source| *source))
            }
            Self::Parquet(other) => Error::io("write", path)(std::io::Error::other(other)),
        }
    }
}

impl From<ParquetError> for Failure {
    fn from(source: ParquetError) -> Self {
        Self::Parquet(source)
    }
}

fn write<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else {
        return Err(ParquetError::General("more columns than the schema has".to_owned()));
    };
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()
}

fn write_property(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    of: ColumnType,
    column: &Column,
    range: &Range<usize>,
) -> Result<(), Failure> {
    let levels: Vec<i16> = range.clone().map(|row| i16::from(state(column, row) == State::Present)).collect();
    let rows = || range.clone().zip(&levels).filter(|(_, level)| **level == 1).map(|(row, _)| row);
    let some = Some(levels.as_slice());
    match of {
        ColumnType::Boolean => {
            let values: Vec<bool> = match &column.cells {
                Cells::Bool(cells) => rows().map(|row| cells.get(row)).collect(),
                _ => rows().map(|row| matches!(column.get(row), ResultValue::Bool(true))).collect(),
            };
            write::<BoolType>(group, &values, some)?;
        }
        ColumnType::Bigint | ColumnType::Timestamp => {
            let values: Vec<i64> = match &column.cells {
                Cells::Int(cells) | Cells::Time(cells) => rows().filter_map(|row| cells.get(row).copied()).collect(),
                _ => rows()
                    .map(|row| match column.get(row) {
                        ResultValue::Int(whole) => whole,
                        ResultValue::Time(time) => time.0,
                        _ => 0,
                    })
                    .collect(),
            };
            write::<Int64Type>(group, &values, some)?;
        }
        ColumnType::Double => {
            let values: Vec<f64> = match &column.cells {
                Cells::Float(cells) => rows().filter_map(|row| cells.get(row).copied()).collect(),
                _ => rows()
                    .map(|row| match column.get(row) {
                        ResultValue::Float(number) => number,
                        _ => 0.0,
                    })
                    .collect(),
            };
            write::<DoubleType>(group, &values, some)?;
        }
        ColumnType::Text => {
            let mut texts = TextBatch::default();
            for row in rows() {
                match &column.cells {
                    Cells::Text { codes, dictionary } => {
                        let code = codes.get(row).copied().unwrap_or(0);
                        texts.push_code(code, || dictionary.get(code as usize).map(|text| text.to_string()));
                    }
                    Cells::PlainText(cells) => texts.push(cells.get(row).unwrap_or_default()),
                    _ => match column.get(row) {
                        ResultValue::String(text) => texts.push(&text),
                        _ => texts.push(""),
                    },
                }
            }
            write::<ByteArrayType>(group, &texts.finish(), some)?;
        }
        ColumnType::Json => {
            let mut texts = TextBatch::default();
            for row in rows() {
                let fits = match &column.cells {
                    Cells::Any { codes, values } => {
                        let code = codes.get(row).copied().unwrap_or(0);
                        texts.push_code(code, || json::to_text(values.get(code as usize)?))
                    }
                    _ => json::to_text(&column.get(row)).map(|text| texts.push(&text)),
                };
                fits.ok_or(Failure::Value)?;
            }
            write::<ByteArrayType>(group, &texts.finish(), some)?;
        }
    }
    Ok(())
}

/// Texts in one piece of memory, of which each is a slice.
#[derive(Default)]
struct TextBatch {
    bytes: Vec<u8>,
    spans: Vec<(usize, usize)>,
    by_code: HashMap<u32, (usize, usize)>,
}

impl TextBatch {
    fn push(&mut self, text: &str) {
        self.spans.push((self.bytes.len(), text.len()));
        self.bytes.extend(text.as_bytes());
    }

    /// Adds the text of a code, which is asked for once.
    fn push_code(&mut self, code: u32, text: impl FnOnce() -> Option<String>) -> Option<()> {
        let span = match self.by_code.get(&code) {
            Some(span) => *span,
            None => {
                let text = text()?;
                let span = (self.bytes.len(), text.len());
                self.bytes.extend(text.as_bytes());
                self.by_code.insert(code, span);
                span
            }
        };
        self.spans.push(span);
        Some(())
    }

    fn finish(self) -> Vec<ByteArray> {
        let bytes = ByteArray::from(self.bytes);
        self.spans.into_iter().map(|(start, length)| bytes.slice(start, length)).collect()
    }
}
