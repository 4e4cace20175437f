//! A graph as the files of a snapshot.

mod coverage;
pub(crate) mod profile;
pub(crate) mod table;
mod verdicts;

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter};
use std::num::NonZero;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use hashbrown::HashMap;
use nepho_graph::storage::{Bits, Column, KindView, RelationView};
use nepho_graph::{Graph, PropertyType, Schema};
use nepho_model::{CoverageEntry, Timestamp};

use crate::digest::{self, Digesting};
use crate::disk::{Disk, NewFile};
use crate::error::Error;
use crate::manifest::{
    ColumnEntry, FORMAT, FileEntry, KindEntry, Manifest, PairEntry, Place, Recording, RelationEntry, Unread,
};
use crate::names::{ColumnNames, file_name};
use crate::verdict::VerdictRow;
use profile::Profile;
use table::{Data, Failure, Field, GROUP_ROWS, Table};

/// What a snapshot says beside the graph.
#[derive(Debug, Default)]
pub struct WriteOptions<'a> {
    /// Who writes: name and version.
    pub tool: String,
    /// The declared types of properties, for those without any value; without it such columns are text.
    pub schema: Option<&'a Schema>,
    /// The recordings that the graph was made of.
    pub sources: Vec<Recording>,
    /// What could and could not be read.
    pub coverage: &'a [CoverageEntry],
    /// The verdicts, where rules were run.
    pub verdicts: Option<Vec<VerdictRow>>,
    /// Rows in a row group: what is held in memory while a column is written or read. 262,144 when left out.
    pub group_rows: Option<NonZero<usize>>,
}

/// The snapshot before: files with the same content are shared with it.
pub(crate) struct Previous<'a> {
    pub folder: &'a Path,
    pub manifest: &'a Manifest,
}

/// How much was written, and how much was there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub bytes: u64,
    pub shared_bytes: u64,
}

struct Writer<'a> {
    graph: &'a Graph,
    options: &'a WriteOptions<'a>,
    folder: &'a Path,
    previous: Option<&'a Previous<'a>>,
    disk: &'a Disk,
    /// Ids and nodes of the kinds.
    kinds: Vec<(Arc<str>, Range<u32>)>,
}

enum Job<'g> {
    Kind(KindView<'g>),
    Relation(RelationView<'g>),
}

enum Done {
    Kind(KindEntry),
    Relation(RelationEntry),
}

/// Writes all Parquet files into `folder`, which has its subfolders, and gives the manifest for them.
pub(crate) fn write_files(
    graph: &Graph,
    options: &WriteOptions<'_>,
    folder: &Path,
    previous: Option<&Previous<'_>>,
    disk: &Disk,
) -> Result<(Manifest, Sizes), Error> {
    let kinds: Vec<_> = graph.kind_views().map(|view| (view.part().kind, view.nodes())).collect();
    let writer = Writer { graph, options, folder, previous, disk, kinds };
    let mut jobs: Vec<(usize, Job<'_>)> =
        graph.kind_views().map(|view| (view.nodes().len(), Job::Kind(view))).collect();
    jobs.extend(graph.relation_views().map(|view| (view.len(), Job::Relation(view))));
    // The longest first, so that no thread is left with it at the end.
    jobs.sort_by_key(|(rows, _)| std::cmp::Reverse(*rows));
    let done = in_parallel(jobs.len(), |at| match jobs.get(at) {
        Some((_, Job::Kind(view))) => writer.kind(view).map(|(entry, sizes)| (Done::Kind(entry), sizes)),
        Some((_, Job::Relation(view))) => writer.relation(view).map(|(entry, sizes)| (Done::Relation(entry), sizes)),
        None => Err(Error::Unfit("a file has no content".to_owned())),
    })?;
    let mut manifest = Manifest {
        format: FORMAT,
        tool: options.tool.clone(),
        schema: options.schema.map(version).unwrap_or_default(),
        time: graph.clock(),
        written: Timestamp::now(),
        sources: options.sources.clone(),
        places: Vec::new(),
        kinds: Vec::new(),
        relations: Vec::new(),
        verdicts: None,
        coverage: coverage::grouped(options.coverage),
    };
    let mut sizes = Sizes::default();
    for (done, of) in done {
        sizes.add(of);
        match done {
            Done::Kind(entry) => manifest.kinds.push(entry),
            Done::Relation(entry) => manifest.relations.push(entry),
        }
    }
    manifest.kinds.sort_by(|left, right| left.kind.cmp(&right.kind));
    manifest.relations.sort_by(|left, right| left.name.cmp(&right.name));
    manifest.places = writer.places(&manifest.kinds);
    if let Some(rows) = &options.verdicts {
        let (entry, of) = writer.verdicts(rows)?;
        sizes.add(of);
        manifest.verdicts = Some(entry);
    }
    Ok((manifest, sizes))
}

impl Sizes {
    fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.shared_bytes += other.shared_bytes;
    }
}

/// Does numbered pieces of work on all cores; results in order, or the first error.
pub(crate) fn in_parallel<T: Send, E: Send>(
    count: usize,
    work: impl Fn(usize) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(count);
    if threads <= 1 {
        return (0..count).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<Result<T, E>>>> = (0..count).map(|_| Mutex::new(None)).collect();
    // Threads of our own: this may run on a thread of a pool while others of the pool wait for what is read here.
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let at @ 0.. = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(slot) = results.get(at)
                {
                    let result = work(at);
                    let failed = result.is_err();
                    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
                    if failed {
                        next.store(count, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    // What is left out after an error stands behind it, or an error stands before it.
    results.into_iter().filter_map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}

impl Writer<'_> {
    fn kind(&self, view: &KindView<'_>) -> Result<(KindEntry, Sizes), Error> {
        let part = view.part();
        let rows = view.nodes().len();
        let declared = self.options.schema.and_then(|schema| schema.kind(&part.kind)).map(|kind| &kind.properties[..]);
        let own: &[&str] =
            if part.built_in { &["row", "kind", "key", "account", "region"] } else { &["row", "kind", "key"] };
        let mut fields: Vec<(String, Field)> = Vec::new();
        for name in own {
            let field = match *name {
                "row" => Field::Number,
                "key" => Field::Key,
                _ => Field::Name,
            };
            fields.push(((*name).to_owned(), field));
        }
        let properties = self.properties(view.columns(), rows, declared.unwrap_or_default(), own, &mut fields);
        let path = file_name("kinds", &part.kind);
        let file = self.file_of_some(&path, rows, &fields, |range| {
            let mut data = vec![Data::Numbers(row_numbers(range)), Data::Same(&part.kind), Data::Keys(view.keys())];
            if part.built_in {
                for codes in [view.accounts(), view.regions()] {
                    let codes = codes.get(range.clone()).unwrap_or_default();
                    data.push(Data::Codes(codes.into(), self.graph.place_names()));
                }
            }
            data.extend(properties.cells());
            data
        })?;
        let place = |name: &Option<Arc<str>>| name.as_ref().map(|name| name.to_string());
        let mut incomplete: Vec<Place> = part
            .incomplete
            .iter()
            .map(|(account, region)| Place { account: place(account), region: place(region) })
            .collect();
        incomplete.sort();
        let (file, sizes) = file.unzip();
        let entry = KindEntry {
            kind: part.kind.to_string(),
            labels: part.labels.iter().map(|label| label.to_string()).collect(),
            resources: part.built_in,
            rows: rows as u64,
            file,
            // Of what is not there, the schema knows the properties.
            columns: if rows == 0 { Vec::new() } else { properties.entries },
            incomplete,
        };
        Ok((entry, sizes.unwrap_or_default()))
    }

    fn relation(&self, view: &RelationView<'_>) -> Result<(RelationEntry, Sizes), Error> {
        let part = view.part();
        let declared =
            self.options.schema.and_then(|schema| schema.relation(&part.name)).map(|relation| &relation.properties[..]);
        let own = ["from_kind", "from_row", "to_kind", "to_row"];
        let mut fields: Vec<(String, Field)> = own
            .iter()
            .map(|name| ((*name).to_owned(), if name.ends_with("_row") { Field::Number } else { Field::Name }))
            .collect();
        let properties = self.properties(view.columns(), view.len(), declared.unwrap_or_default(), &own, &mut fields);
        let names: Vec<Arc<str>> = self.kinds.iter().map(|(kind, _)| kind.clone()).collect();
        let mut ends = view.ends();
        let path = file_name("relations", &part.name);
        let file = self.file_of_some(&path, view.len(), &fields, |range| {
            let mut rows = [Vec::with_capacity(range.len()), Vec::with_capacity(range.len())];
            let mut kinds = [Vec::with_capacity(range.len()), Vec::with_capacity(range.len())];
            for (from, to) in ends.by_ref().take(range.len()) {
                for ((node, kinds), rows) in [from, to].into_iter().zip(&mut kinds).zip(&mut rows) {
                    let kind = self.kinds.partition_point(|(_, nodes)| nodes.end <= node);
                    let first = self.kinds.get(kind).map_or(0, |(_, nodes)| nodes.start);
                    kinds.push(kind as u32);
                    rows.push((node - first) as i32);
                }
            }
            let [from_rows, to_rows] = rows;
            let [from_kinds, to_kinds] = kinds;
            let mut data = vec![
                Data::Codes(from_kinds.into(), &names),
                Data::Numbers(from_rows),
                Data::Codes(to_kinds.into(), &names),
                Data::Numbers(to_rows),
            ];
            data.extend(properties.cells());
            data
        })?;
        let kind = |number: u32| self.kinds.get(number as usize).map(|(kind, _)| kind.to_string()).unwrap_or_default();
        let pairs =
            part.pairs.iter().map(|pair| PairEntry { from: kind(pair.from), to: kind(pair.to), count: pair.count });
        let mut unread: Vec<Unread> = Vec::new();
        for (of, row) in &part.unknown {
            let name = kind(*of);
            match unread.last_mut().filter(|last| last.kind == name) {
                Some(last) => match last.rows.last_mut() {
                    Some((first, length)) if first.saturating_add(*length) == *row => *length += 1,
                    _ => last.rows.push((*row, 1)),
                },
                None => unread.push(Unread { kind: name, rows: vec![(*row, 1)] }),
            }
        }
        let (file, sizes) = file.unzip();
        let entry = RelationEntry {
            name: part.name.to_string(),
            file,
            pairs: pairs.collect(),
            columns: if view.is_empty() { Vec::new() } else { properties.entries },
            unread,
        };
        Ok((entry, sizes.unwrap_or_default()))
    }

    /// The columns for properties, added to `fields`.
    fn properties<'g>(
        &self,
        columns: impl Iterator<Item = (&'g Arc<str>, &'g Column)>,
        rows: usize,
        declared: &[(Arc<str>, PropertyType)],
        own: &[&str],
        fields: &mut Vec<(String, Field)>,
    ) -> Properties<'g> {
        let declared: HashMap<&str, PropertyType> = declared.iter().map(|(name, of)| (&**name, *of)).collect();
        let built_in = |name: &str| match name {
            "name" if own.contains(&"account") => Some(PropertyType::String),
            "tags" if own.contains(&"account") => Some(PropertyType::Json),
            _ => None,
        };
        let columns: Vec<_> = columns.collect();
        let mut names = ColumnNames::new(own);
        let taken: Vec<String> = columns.iter().map(|(name, _)| names.take(name)).collect();
        let mut properties = Properties { entries: Vec::new(), columns: Vec::new() };
        for ((name, column), taken) in columns.into_iter().zip(taken) {
            let profile = Profile::new(column, rows, declared.get(&**name).copied().or_else(|| built_in(name)));
            fields.push((taken.clone(), Field::Property(profile.of)));
            let unknown_column = (profile.unknown > 0).then(|| names.take(&format!("{taken}__unknown")));
            if let Some(name) = &unknown_column {
                fields.push((name.clone(), Field::Unknown));
            }
            properties.entries.push(ColumnEntry {
                name: name.to_string(),
                column: Some(taken).filter(|taken| **taken != **name),
                of: profile.of,
                distinct: profile.distinct,
                absent: profile.absent,
                unknown: profile.unknown,
                unknown_column,
            });
            properties.columns.push(column);
        }
        properties
    }

    /// Writes a file; `None` where there are no rows.
    fn file_of_some<'d>(
        &self,
        path: &str,
        rows: usize,
        fields: &[(String, Field)],
        group: impl FnMut(&Range<usize>) -> Vec<Data<'d>>,
    ) -> Result<Option<(FileEntry, Sizes)>, Error> {
        if rows == 0 { Ok(None) } else { self.file(path, rows, fields, group).map(Some) }
    }

    /// Writes a file.
    fn file<'d>(
        &self,
        path: &str,
        rows: usize,
        fields: &[(String, Field)],
        mut group: impl FnMut(&Range<usize>) -> Vec<Data<'d>>,
    ) -> Result<(FileEntry, Sizes), Error> {
        let place = self.folder.join(path);
        if rows > i32::MAX as usize {
            return Err(Error::Unfit(format!("`{path}` would have {rows} rows; more than 2 billion do not fit")));
        }
        let file = BufWriter::with_capacity(256 << 10, self.disk.create_file(&place)?);
        let written = (|| {
            let mut table = Table::new(Digesting::new(file), fields)?;
            let size = self.options.group_rows.map_or(GROUP_ROWS, NonZero::get);
            for first in (0..rows).step_by(size) {
                let range = first..rows.min(first + size);
                table.write_group(&range, &group(&range))?;
            }
            Ok(table.finish()?)
        })();
        let (file, bytes, sha256) = written.map_err(|failure: Failure| failure.of(&place))?.finish();
        let file = file.into_inner().map_err(|failed| Error::io("write", &place)(failed.into_error()))?;
        let entry = FileEntry { path: path.to_owned(), rows: rows as u64, bytes, sha256 };
        let shared_bytes = if self.share(&entry, file)? { bytes } else { 0 };
        Ok((entry, Sizes { bytes, shared_bytes }))
    }

    /// Makes a file that was written one with the previous snapshot's when that has the same bytes.
    fn share(&self, entry: &FileEntry, file: NewFile<'_>) -> Result<bool, Error> {
        let new = self.folder.join(&entry.path);
        if let Some(previous) = self.previous
            && previous.manifest.files().any(|known| known == entry)
        {
            let old = previous.folder.join(&entry.path);
            // Byte by byte: a file that was damaged meanwhile is not taken over.
            if same_bytes(&old, &new) {
                drop(file);
                self.disk.remove_file(&new)?;
                self.disk.link(&old, &new)?;
                return Ok(true);
            }
        }
        file.sync(&new)?;
        Ok(false)
    }

    fn verdicts(&self, rows: &[VerdictRow]) -> Result<(FileEntry, Sizes), Error> {
        let (fields, columns) = verdicts::columns(rows);
        self.file("verdicts.parquet", rows.len(), &fields, |_| columns.iter().map(Data::Column).collect())
    }

    /// Accounts and regions in use, in order.
    fn places(&self, kinds: &[KindEntry]) -> Vec<String> {
        let names = self.graph.place_names();
        let mut used = Bits::filled(names.len(), false);
        for view in self.graph.kind_views() {
            view.accounts().iter().chain(view.regions()).for_each(|code| used.set(*code as usize));
        }
        let mut places: Vec<String> =
            used.ones().filter_map(|code| names.get(code)).map(|name| name.to_string()).collect();
        let marks = kinds.iter().flat_map(|kind| &kind.incomplete);
        places.extend(marks.flat_map(|mark| [&mark.account, &mark.region]).flatten().cloned());
        places.sort();
        places.dedup();
        places
    }
}

/// The columns of properties: their entries and their cells.
struct Properties<'g> {
    entries: Vec<ColumnEntry>,
    columns: Vec<&'g Column>,
}

impl<'g> Properties<'g> {
    /// In the order of the fields: each property, then where it is unknown.
    fn cells(&self) -> impl Iterator<Item = Data<'g>> + use<'_, 'g> {
        let columns = self.entries.iter().zip(&self.columns);
        columns.flat_map(|(entry, column)| {
            let unknown = entry.unknown_column.is_some().then_some(Data::Column(column));
            std::iter::once(Data::Column(column)).chain(unknown)
        })
    }
}

/// What a schema declares, as a version of it.
fn version(schema: &Schema) -> String {
    let kinds = schema.kinds().map(|kind| format!("{} {:?} {:?}", kind.id, kind.labels, kind.properties));
    let relations = schema.relations().map(|of| format!("{} {:?} {:?}", of.name, of.ends, of.properties));
    let mut declared: Vec<String> = kinds.chain(relations).collect();
    declared.sort();
    digest::hex(declared.join("\n").as_bytes()).chars().take(16).collect()
}

fn row_numbers(range: &Range<usize>) -> Vec<i32> {
    range.clone().map(|row| row as i32).collect()
}

/// Whether two files hold the same; what cannot be read is not the same.
fn same_bytes(left: &Path, right: &Path) -> bool {
    let open = |path| File::open(path).map(|file| BufReader::with_capacity(256 << 10, file));
    let (Ok(mut left), Ok(mut right)) = (open(left), open(right)) else { return false };
    loop {
        let (Ok(ours), Ok(theirs)) = (left.fill_buf(), right.fill_buf()) else { return false };
        let length = ours.len().min(theirs.len());
        if length == 0 {
            return ours.is_empty() && theirs.is_empty();
        }
        if ours.get(..length) != theirs.get(..length) {
            return false;
        }
        left.consume(length);
        right.consume(length);
    }
}
