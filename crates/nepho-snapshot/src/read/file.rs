//! One Parquet file: its checksum is verified when it is first touched, its columns are decoded row group by row group
//! on all cores.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use bytes::{Buf, buf::Reader};
use hashbrown::HashMap;
use nepho_graph::storage::{Bits, Texts};
use parquet::column::reader::get_column_reader;
use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;

use crate::digest;
use crate::error::Error;
use crate::manifest::FileEntry;
use crate::write::in_parallel;

/// Rows decoded at a time.
const BATCH: usize = 1 << 14;
/// No footer is larger than this.
const FOOTER_LIMIT: u64 = 256 << 20;

/// A file of a snapshot.
#[derive(Debug)]
pub(crate) struct DataFile {
    path: PathBuf,
    entry: FileEntry,
    opened: OnceLock<Result<Opened, String>>,
}

#[derive(Debug)]
struct Opened {
    file: Mutex<File>,
    metadata: ParquetMetaData,
    columns: HashMap<String, usize>,
}

/// Texts by code: what each row has, and which rows have none.
pub(crate) struct Coded {
    pub codes: Vec<u32>,
    pub dictionary: Vec<Arc<str>>,
    pub nulls: Option<Bits>,
}

impl DataFile {
    /// Looks only whether it is there and has the right size.
    pub fn new(folder: &Path, entry: &FileEntry) -> Self {
        let path = folder.join(&entry.path);
        let opened = OnceLock::new();
        let fault = match std::fs::metadata(&path) {
            Ok(found) if found.len() == entry.bytes => None,
            Ok(found) => Some(format!("it has {} bytes instead of {}", found.len(), entry.bytes)),
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => Some("it is missing".to_owned()),
            Err(source) => Some(format!("it cannot be looked at: {source}")),
        };
        if let Some(what) = fault {
            // Nothing was set before.
            let _ = opened.set(Err(Error::damaged(&path, what).full_text()));
        }
        Self { path, entry: entry.clone(), opened }
    }

    /// What is known to be wrong so far.
    pub fn fault(&self) -> Option<&str> {
        self.opened.get()?.as_ref().err().map(String::as_str)
    }

    /// How many rows the manifest says that there are.
    pub fn rows(&self) -> usize {
        self.entry.rows as usize
    }

    /// The checksum of its content, by the manifest.
    pub fn sha256(&self) -> &str {
        &self.entry.sha256
    }

    /// Reads the whole file and compares its checksum, once.
    pub fn verify(&self) -> Result<(), String> {
        self.opened().map(|_| ())
    }

    /// An error that names the file.
    pub fn damaged(&self, what: impl Into<String>) -> String {
        Error::damaged(&self.path, what).full_text()
    }

    fn opened(&self) -> Result<&Opened, String> {
        self.opened.get_or_init(|| self.open()).as_ref().map_err(Clone::clone)
    }

    fn open(&self) -> Result<Opened, String> {
        let unreadable = |source| Error::io("read", &self.path)(source).full_text();
        let mut file = File::open(&self.path).map_err(unreadable)?;
        if digest::of_file(&mut file).map_err(unreadable)? != self.entry.sha256 {
            return Err(self.damaged("its checksum is not that of the manifest"));
        }
        let metadata = self.guarded(|| footer(&mut file, self.entry.bytes))?;
        let mut rows = 0u64;
        for group in metadata.row_groups() {
            rows = u64::try_from(group.num_rows()).ok().and_then(|more| rows.checked_add(more)).unwrap_or(u64::MAX);
        }
        if rows != self.entry.rows {
            return Err(self.damaged(format!("it has {rows} rows instead of {}", self.entry.rows)));
        }
        let columns = metadata.file_metadata().schema_descr().columns().iter().enumerate();
        let columns = columns.map(|(index, column)| (column.name().to_owned(), index)).collect();
        Ok(Opened { file: Mutex::new(file), metadata, columns })
    }

    /// The Parquet reader's errors as ours. It checks what it reads, but is not written for hostile bytes: a panic of
    /// it is an error too.
    fn guarded<T>(&self, read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, String> {
        match catch_unwind(AssertUnwindSafe(read)) {
            Ok(Ok(read)) => Ok(read),
            Ok(Err(ParquetError::External(source))) => Err(self.damaged(source.to_string())),
            Ok(Err(other)) => Err(self.damaged(other.to_string())),
            Err(_) => Err(self.damaged("its bytes are no Parquet")),
        }
    }

    /// Decodes a column: each row group by `read` in parallel, then by `take` in order.
    fn each_group<T: DataType, D: Send>(
        &self,
        name: &str,
        read: impl Fn(&mut dyn FnMut(&mut Batch<T>) -> Result<bool, ParquetError>, usize) -> Result<D, ParquetError> + Sync,
        mut take: impl FnMut(D) -> Result<(), String>,
    ) -> Result<(), String> {
        let opened = self.opened()?;
        let Some(index) = opened.columns.get(name).copied() else {
            return Err(self.damaged(format!("it has no column `{name}`")));
        };
        let groups = opened.metadata.num_row_groups();
        // A few at a time, so that no more than these are held beside what they are put into.
        for first in (0..groups).step_by(8) {
            let decoded = in_parallel((groups - first).min(8), |at| {
                self.guarded(|| {
                    let mut reader = opened.group_reader::<T>(first + at, index)?;
                    let rows = reader.rows;
                    read(&mut |batch| reader.next(batch), rows)
                })
            })?;
            decoded.into_iter().try_for_each(&mut take)?;
        }
        Ok(())
    }

    /// Numbers; 0 where there are none.
    pub fn numbers<T: DataType, N: Copy + Default + Send>(
        &self,
        name: &str,
        convert: fn(&T::T) -> N,
    ) -> Result<(Vec<N>, Option<Bits>), String> {
        let mut all = Vec::with_capacity(self.rows());
        let mut nulls = Nulls::default();
        let read = |next: &mut dyn FnMut(&mut Batch<T>) -> Result<bool, ParquetError>, rows: usize| {
            let mut numbers: Vec<N> = Vec::with_capacity(rows);
            let mut levels = Vec::new();
            let mut batch = Batch::default();
            while next(&mut batch)? {
                if batch.full() {
                    numbers.extend(batch.values.iter().map(convert));
                } else {
                    let mut values = batch.values.iter().map(convert);
                    let spread =
                        |level: &i16| if *level == 0 { N::default() } else { values.next().unwrap_or_default() };
                    numbers.extend(batch.levels.iter().map(spread));
                }
                batch.keep_levels(&mut levels);
            }
            Ok((numbers, Levels::of(levels, rows)))
        };
        self.each_group::<T, _>(name, read, |(numbers, levels)| {
            all.extend(numbers);
            nulls.add(levels);
            Ok(())
        })?;
        Ok((all, nulls.finish()))
    }

    /// Bits; false where there are none.
    pub fn bits(&self, name: &str) -> Result<(Bits, Option<Bits>), String> {
        let (flags, nulls) = self.numbers::<BoolType, bool>(name, |flag| *flag)?;
        Ok((packed(&flags, |flag| *flag), nulls))
    }

    /// Texts one after the other; empty where there are none.
    pub fn texts(&self, name: &str) -> Result<(Texts, Option<Bits>), String> {
        let mut all = Texts::default();
        let mut nulls = Nulls::default();
        let read = |next: &mut dyn FnMut(&mut Batch<ByteArrayType>) -> Result<bool, ParquetError>, rows: usize| {
            let mut texts = Texts::default();
            let mut levels = Vec::new();
            let mut batch = Batch::default();
            while next(&mut batch)? {
                let mut values = batch.values.iter();
                for row in 0..batch.rows {
                    match batch.levels.get(row) {
                        Some(0) => texts.push(""),
                        _ => texts.push(values.next().map_or(Ok(""), ByteArray::as_utf8)?),
                    }
                }
                batch.keep_levels(&mut levels);
            }
            Ok((texts, Levels::of(levels, rows)))
        };
        self.each_group::<ByteArrayType, _>(name, read, |(texts, levels)| {
            all.append(&texts);
            nulls.add(levels);
            Ok(())
        })?;
        Ok((all, nulls.finish()))
    }

    /// Texts by code, of which there are at most `limit`.
    pub fn coded(&self, name: &str, limit: usize) -> Result<Coded, String> {
        let mut all = Coded { codes: Vec::with_capacity(self.rows()), dictionary: Vec::new(), nulls: None };
        let mut known: HashMap<Arc<str>, u32> = HashMap::new();
        let mut nulls = Nulls::default();
        let read = |next: &mut dyn FnMut(&mut Batch<ByteArrayType>) -> Result<bool, ParquetError>, rows: usize| {
            let mut codes: Vec<u32> = Vec::with_capacity(rows);
            let mut distinct: HashMap<ByBytes, u32> = HashMap::new();
            let mut dictionary: Vec<Arc<str>> = Vec::new();
            let mut levels = Vec::new();
            let mut batch = Batch::default();
            while next(&mut batch)? {
                let mut values = batch.values.iter();
                for row in 0..batch.rows {
                    if batch.levels.get(row) == Some(&0) {
                        codes.push(0);
                        continue;
                    }
                    let Some(value) = values.next() else { break };
                    let code = match distinct.get(value.data()) {
                        Some(code) => *code,
                        None => {
                            let text: Arc<str> = value.as_utf8()?.into();
                            let code = dictionary.len() as u32;
                            distinct.insert(ByBytes(text.clone()), code);
                            dictionary.push(text);
                            code
                        }
                    };
                    codes.push(code);
                }
                batch.keep_levels(&mut levels);
            }
            Ok((codes, dictionary, Levels::of(levels, rows)))
        };
        self.each_group::<ByteArrayType, _>(name, read, |(codes, dictionary, levels)| {
            let mut codes_of = Vec::with_capacity(dictionary.len());
            for text in dictionary {
                let code = *known.entry(text).or_insert_with_key(|text| {
                    all.dictionary.push(text.clone());
                    (all.dictionary.len() - 1) as u32
                });
                codes_of.push(code);
            }
            if all.dictionary.len() > limit {
                return Err(self.damaged(format!("column `{name}` has more values than the manifest says")));
            }
            all.codes.extend(codes.iter().map(|code| codes_of.get(*code as usize).copied().unwrap_or(0)));
            nulls.add(levels);
            Ok(())
        })?;
        all.nulls = nulls.finish();
        Ok(all)
    }
}

/// A text that is looked up by its bytes.
#[derive(PartialEq, Eq)]
struct ByBytes(Arc<str>);

impl std::borrow::Borrow<[u8]> for ByBytes {
    fn borrow(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::hash::Hash for ByBytes {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.as_bytes().hash(state);
    }
}

/// Rows being decoded.
struct Batch<T: DataType> {
    rows: usize,
    /// 1 where there is a value; empty where all have one by the schema.
    levels: Vec<i16>,
    /// Those that are there.
    values: Vec<T::T>,
}

impl<T: DataType> Default for Batch<T> {
    fn default() -> Self {
        Self { rows: 0, levels: Vec::new(), values: Vec::new() }
    }
}

impl<T: DataType> Batch<T> {
    fn full(&self) -> bool {
        self.values.len() == self.rows
    }

    fn keep_levels(&self, levels: &mut Vec<i16>) {
        levels.extend(&self.levels);
    }
}

/// Which rows of a row group have no value.
enum Levels {
    Full(usize),
    Some(Bits),
}

impl Levels {
    fn of(levels: Vec<i16>, rows: usize) -> Self {
        if levels.iter().all(|level| *level == 1) {
            Self::Full(rows)
        } else {
            Self::Some(packed(&levels, |level| *level == 0))
        }
    }
}

/// Which rows of a column have no value.
#[derive(Default)]
struct Nulls {
    rows: usize,
    bits: Option<Bits>,
}

impl Nulls {
    fn add(&mut self, levels: Levels) {
        match levels {
            Levels::Full(rows) => self.rows += rows,
            Levels::Some(more) => {
                let bits = self.bits.get_or_insert_default();
                bits.grow(self.rows);
                bits.append(&more);
                self.rows += more.len();
            }
        }
    }

    fn finish(self) -> Option<Bits> {
        let mut bits = self.bits?;
        bits.grow(self.rows);
        Some(bits)
    }
}

fn packed<T>(cells: &[T], set: fn(&T) -> bool) -> Bits {
    Bits::from_words(cells.len(), |word| {
        let cells = cells.iter().skip(word * 64).take(64);
        cells.enumerate().fold(0, |bits, (at, cell)| bits | u64::from(set(cell)) << at)
    })
}

/// Decodes one column of one row group.
struct GroupReader<T: DataType> {
    reader: parquet::column::reader::ColumnReaderImpl<T>,
    optional: bool,
    rows: usize,
    left: usize,
}

impl<T: DataType> GroupReader<T> {
    fn next(&mut self, batch: &mut Batch<T>) -> Result<bool, ParquetError> {
        batch.values.clear();
        batch.levels.clear();
        if self.left == 0 {
            return Ok(false);
        }
        let levels = self.optional.then_some(&mut batch.levels);
        let (rows, values, _) = self.reader.read_records(BATCH.min(self.left), levels, None, &mut batch.values)?;
        if rows == 0 || values != batch.values.len() || (self.optional && rows != batch.levels.len()) {
            return Err(ParquetError::General("a column has fewer rows than its row group".to_owned()));
        }
        batch.rows = rows;
        self.left -= rows;
        Ok(true)
    }
}

impl Opened {
    fn group_reader<T: DataType>(&self, group: usize, column: usize) -> Result<GroupReader<T>, ParquetError> {
        let wrong = |what: &str| ParquetError::General(what.to_owned());
        let description = self.metadata.file_metadata().schema_descr().column(column);
        if description.physical_type() != T::get_physical_type()
            || description.max_rep_level() != 0
            || description.max_def_level() > 1
        {
            return Err(wrong("a column has another type than the manifest says"));
        }
        let group = self.metadata.row_group(group);
        let rows = usize::try_from(group.num_rows())?;
        let chunk = group.column(column);
        if chunk.num_values() != group.num_rows() || chunk.compressed_size() < 0 {
            return Err(wrong("a column has another length than its row group"));
        }
        let (start, length) = chunk.byte_range();
        let bytes = {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            read_range(&mut file, start, length)?
        };
        let pages = SerializedPageReader::new(Arc::new(Chunk { start, bytes }), chunk, rows, None)?;
        let optional = description.max_def_level() == 1;
        let reader = get_typed_column_reader::<T>(get_column_reader(description, Box::new(pages)));
        Ok(GroupReader { reader, optional, rows, left: rows })
    }
}

fn footer(file: &mut File, bytes: u64) -> Result<ParquetMetaData, ParquetError> {
    let tail = read_range(file, bytes.saturating_sub(8), 8.min(bytes))?;
    let length = tail.first_chunk::<4>().map_or(0, |length| u32::from_le_bytes(*length));
    if u64::from(length) > FOOTER_LIMIT.min(bytes) {
        return Err(ParquetError::General("its footer is too large".to_owned()));
    }
    ParquetMetaDataReader::new().parse_and_finish(file)
}

fn read_range(file: &mut File, start: u64, length: u64) -> Result<Bytes, ParquetError> {
    let size = file.metadata()?.len();
    if start.checked_add(length).is_none_or(|end| end > size) {
        return Err(ParquetError::EOF("a column lies beyond the end".to_owned()));
    }
    let mut bytes = vec![0; usize::try_from(length)?];
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes.into())
}

/// The bytes of one column of one row group, addressed as in the file.
struct Chunk {
    start: u64,
    bytes: Bytes,
}

impl Length for Chunk {
    fn len(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

impl ChunkReader for Chunk {
    type T = Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let from = start.checked_sub(self.start).and_then(|from| usize::try_from(from).ok());
        match from.filter(|from| *from <= self.bytes.len()) {
            Some(from) => Ok(self.bytes.slice(from..).reader()),
            None => Err(ParquetError::EOF("a page lies outside of its column".to_owned())),
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let from = start.checked_sub(self.start).and_then(|from| usize::try_from(from).ok());
        let range = from.and_then(|from| Some(from..from.checked_add(length)?));
        match range.filter(|range| range.end <= self.bytes.len()) {
            Some(range) => Ok(self.bytes.slice(range)),
            None => Err(ParquetError::EOF("a page lies outside of its column".to_owned())),
        }
    }
}
