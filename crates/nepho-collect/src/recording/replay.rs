//! Reads recordings: ours, and those that people make from CLI output. What is broken is noted and passed over.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nepho_model::{CoverageEntry, Timestamp};
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::frames::{self, Found};
use super::line::{self, Recorded};
use super::{Manifest, RecordingError};
use crate::engine::{AccountScope, RegionScope};

/// Bounds of what is read: recordings come from anybody.
#[derive(Clone, Copy, Debug)]
pub struct ReplayOptions {
    /// The longest line.
    pub line_bytes: usize,
    /// Decompressed bytes in all.
    pub total_bytes: u64,
    /// Notes kept; more are counted.
    pub notes: usize,
}

impl Default for ReplayOptions {
    fn default() -> Self {
        Self { line_bytes: 64 << 20, total_bytes: 16 << 30, notes: 100 }
    }
}

/// A recording that has been read.
#[derive(Debug)]
pub struct Replay {
    pub(super) lines: Vec<Recorded>,
    clock: Timestamp,
    salt: Option<Arc<str>>,
    notes: Vec<String>,
    manifests: Vec<Manifest>,
}

impl Replay {
    /// Reads files and folders of recordings. `at` overrides the clock.
    pub fn open(paths: &[PathBuf], at: Option<Timestamp>) -> Result<Self, RecordingError> {
        Self::open_with(paths, at, ReplayOptions::default())
    }

    /// As [`Replay::open`], with bounds.
    pub fn open_with(paths: &[PathBuf], at: Option<Timestamp>, options: ReplayOptions) -> Result<Self, RecordingError> {
        let mut reading = Reading::new(options);
        let mut manifests = Vec::new();
        let mut modified: Option<Timestamp> = None;
        for path in paths {
            let mut files = Vec::new();
            let folder = if path.is_dir() {
                find_files(path, 4, &mut files)?;
                path.as_path()
            } else {
                files.push(path.clone());
                path.parent().unwrap_or(path)
            };
            manifests.extend(files.iter().filter_map(|file| Manifest::read(file.parent()?).ok().flatten()));
            manifests.extend(Manifest::read(folder).ok().flatten());
            for file in files {
                modified = modified.max(file_time(&file));
                reading.file(&file)?;
            }
        }
        if reading.lines.is_empty() {
            let shown: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
            let note = reading.notes.first().map(|note| format!(" ({note})")).unwrap_or_default();
            return Err(RecordingError::Empty { path: shown.join("`, `"), note });
        }
        manifests.dedup();
        let untimed = manifests.is_empty() && reading.lines.iter().all(|line| line.time.is_none());
        let mut replay = reading.finish(modified, manifests);
        match at {
            Some(at) => replay.clock = at,
            None if untimed => replay.notes.push(format!(
                "no line says when it was asked: judged by the file's time, {}; give another with --at",
                replay.clock
            )),
            None => {}
        }
        Ok(replay)
    }

    /// A recording made of the text of a `.jsonl` file.
    pub fn from_text(text: &str, at: Option<Timestamp>) -> Self {
        let mut reading = Reading::new(ReplayOptions::default());
        let mut lines = Lines::new(Path::new("text"));
        reading.data(&mut lines, text.as_bytes());
        reading.end(&mut lines);
        let mut replay = reading.finish(Some(Timestamp::default()), Vec::new());
        replay.clock = at.unwrap_or(replay.clock);
        replay
    }

    /// A recording held in memory: a compressed answers file and its manifest. `name` stands for it in messages.
    pub fn from_bytes(name: &str, answers: &[u8], manifest: &[u8]) -> Result<Self, RecordingError> {
        let manifest: Manifest = serde_json::from_slice(manifest).map_err(|error| RecordingError::Format {
            path: name.to_owned(),
            message: format!("no manifest of a recording: {error}"),
        })?;
        let mut reading = Reading::new(ReplayOptions::default());
        reading.compressed(Path::new(name), answers)?;
        Ok(reading.finish(None, vec![manifest]))
    }

    /// The accounts and regions that were asked, by the manifests; of accounts that stand in none, the regions that
    /// are in the lines.
    pub fn accounts(&self) -> Vec<AccountScope> {
        let asked = self.manifests.iter().flat_map(|manifest| {
            manifest.scopes.iter().map(|scope| (scope.account.clone(), scope.scope(&manifest.partition)))
        });
        let mut scopes: BTreeMap<String, AccountScope> = BTreeMap::new();
        for (account, scope) in asked {
            match scopes.get_mut(&account) {
                Some(known) => {
                    let further =
                        scope.regions.into_iter().filter(|one| known.regions.iter().all(|two| two.name != one.name));
                    let further: Vec<RegionScope> = further.collect();
                    known.regions.extend(further);
                }
                None => drop(scopes.insert(account, scope)),
            }
        }
        let mut seen: BTreeMap<&Arc<str>, BTreeSet<&str>> = BTreeMap::new();
        for line in self.lines.iter().filter(|line| !scopes.contains_key(line.account.as_ref())) {
            let regions = seen.entry(&line.account).or_default();
            if !is_no_region(&line.region) {
                regions.insert(&line.region);
            }
        }
        let by_lines = seen.into_iter().map(|(account, regions)| {
            let (partition, home_region) = partition_of(&regions);
            AccountScope {
                account: account.clone(),
                partition: partition.into(),
                home_region: home_region.into(),
                regions: regions.iter().map(|name| RegionScope { name: (*name).into(), enabled: true }).collect(),
            }
        });
        let mut all: Vec<AccountScope> = by_lines.collect();
        all.extend(scopes.into_values());
        all.sort_by(|left, right| left.account.cmp(&right.account));
        all
    }

    /// The services that were asked; empty: all.
    pub fn services(&self) -> Vec<String> {
        let lists: Vec<&Vec<String>> = self.manifests.iter().map(|manifest| &manifest.services).collect();
        if lists.iter().any(|services| services.is_empty()) {
            return Vec::new();
        }
        let all: BTreeSet<&String> = lists.into_iter().flatten().collect();
        all.into_iter().cloned().collect()
    }

    /// What was known to be missing before the first call.
    pub fn gaps(&self) -> Vec<CoverageEntry> {
        self.manifests.iter().flat_map(|manifest| manifest.gaps.iter().cloned()).collect()
    }

    /// The time of the recording: when it began, else the newest in its lines, else the file's own.
    pub fn clock(&self) -> Timestamp {
        self.clock
    }

    /// What was odd about it.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Number of recorded pages and failures.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether no collection wrote it: there is no manifest.
    pub(crate) fn is_made_by_hand(&self) -> bool {
        self.manifests.is_empty()
    }

    pub(crate) fn salt(&self) -> Option<Arc<str>> {
        self.salt.clone()
    }
}

/// Names that people write where there is no region.
pub(super) fn is_no_region(region: &str) -> bool {
    matches!(region, "" | "global" | "aws-global" | "aws-cn-global" | "aws-us-gov-global" | "None")
}

/// The partition and its home region, guessed from region names.
fn partition_of(regions: &BTreeSet<&str>) -> (&'static str, &'static str) {
    let any = |start: &str| regions.iter().any(|region| region.starts_with(start));
    if any("us-gov-") {
        ("aws-us-gov", "us-gov-west-1")
    } else if any("cn-") {
        ("aws-cn", "cn-north-1")
    } else {
        ("aws", "us-east-1")
    }
}

fn file_time(path: &Path) -> Option<Timestamp> {
    let modified = std::fs::metadata(path).ok()?.modified().ok()?;
    let since = modified.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_micros()).ok().map(Timestamp)
}

/// Files with answers, in order of their paths.
fn find_files(folder: &Path, depth: u32, files: &mut Vec<PathBuf>) -> Result<(), RecordingError> {
    let failed = |error| RecordingError::read(folder, error);
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let mut paths =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(failed)?;
    paths.sort();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            if depth > 0 && !name.starts_with('.') {
                find_files(&path, depth.saturating_sub(1), files)?;
            }
        } else if [".jsonl", ".jsonl.zst", ".jsonl.zstd", ".jsonl.gz", ".ndjson"].iter().any(|end| name.ends_with(end))
        {
            files.push(path);
        }
    }
    Ok(())
}

/// The first bytes of files that gzip wrote.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Whether what begins a file is JSON, but not a value a line: a list, or an object that its first line does not close.
fn spans_lines(start: &[u8]) -> bool {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    match (start.first(), start.iter().position(|byte| *byte == b'\n')) {
        (Some(b'['), _) => true,
        (Some(b'{'), Some(end)) => {
            let line = start.get(..end).unwrap_or_default();
            serde_json::from_slice::<IgnoredAny>(line).is_err_and(|error| error.is_eof())
        }
        _ => false,
    }
}

/// The lines of one file, as its bytes come.
pub(super) struct Lines {
    name: String,
    number: u64,
    partial: Vec<u8>,
    /// Passing over the rest of a line that is too long.
    skipping: bool,
}

impl Lines {
    fn new(path: &Path) -> Self {
        Self { name: path.display().to_string(), number: 0, partial: Vec::new(), skipping: false }
    }
}

/// A recording being read.
pub(super) struct Reading {
    options: ReplayOptions,
    left: u64,
    lines: Vec<Recorded>,
    names: BTreeSet<Arc<str>>,
    notes: Vec<String>,
    more_notes: u64,
}

impl Reading {
    pub fn new(options: ReplayOptions) -> Self {
        Self {
            options,
            left: options.total_bytes,
            lines: Vec::new(),
            names: BTreeSet::new(),
            notes: Vec::new(),
            more_notes: 0,
        }
    }

    fn note(&mut self, note: String) {
        if self.notes.len() < self.options.notes {
            self.notes.push(note);
        } else {
            self.more_notes = self.more_notes.saturating_add(1);
        }
    }

    fn file(&mut self, path: &Path) -> Result<(), RecordingError> {
        let failed = |error| RecordingError::read(path, error);
        let mut file = std::fs::File::open(path).map_err(failed)?;
        let mut start = Vec::new();
        (&mut file).take(4).read_to_end(&mut start).map_err(failed)?;
        if frames::is_compressed(&start) {
            let mut bytes = start;
            file.take(self.options.total_bytes).read_to_end(&mut bytes).map_err(failed)?;
            self.compressed(path, &bytes)?;
            return Ok(());
        }
        if start.starts_with(&GZIP) {
            self.note(format!("{} is compressed by gzip and passed over; unpack it first: gunzip", path.display()));
            return Ok(());
        }
        let mut lines = Lines::new(path);
        let mut chunk = vec![0u8; 256 << 10];
        let mut whole = None;
        loop {
            let count = file.read(&mut chunk).map_err(failed)?;
            let read = chunk.get(..count).unwrap_or_default();
            let Some(left) = self.left.checked_sub(u64::try_from(count).unwrap_or(u64::MAX)) else {
                return Err(self.too_large(path));
            };
            self.left = left;
            if !start.is_empty() {
                start.extend_from_slice(read);
                let begun = std::mem::take(&mut start);
                if spans_lines(&begun) {
                    whole = Some(begun);
                } else {
                    self.data(&mut lines, &begun);
                }
            } else if let Some(whole) = &mut whole {
                whole.extend_from_slice(read);
            } else {
                self.data(&mut lines, read);
            }
            if count == 0 {
                break;
            }
        }
        match whole {
            Some(whole) => self.values(path, &whole),
            None => self.end(&mut lines),
        }
        Ok(())
    }

    /// Answers that are no lines: JSON values one after the other, or in a list, with line ends wherever.
    fn values(&mut self, path: &Path, bytes: &[u8]) {
        let lines = Lines::new(path);
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let values = serde_json::Deserializer::from_slice(bytes).into_iter::<&RawValue>();
        let mut number = 0u64;
        for value in values {
            let elements = value.and_then(|value| match value.get().starts_with('[') {
                true => serde_json::from_str::<Vec<&RawValue>>(value.get()),
                false => Ok(vec![value]),
            });
            match elements {
                Ok(elements) => {
                    for element in elements {
                        number = number.saturating_add(1);
                        self.line(&Lines { number, ..Lines::new(path) }, element.get().as_bytes());
                    }
                }
                Err(error) => {
                    self.note(format!("{}: no JSON from here on, passed over: {error}", lines.name));
                    return;
                }
            }
        }
    }

    fn too_large(&self, path: &Path) -> RecordingError {
        RecordingError::Format {
            path: path.display().to_string(),
            message: format!("more than {} MiB of answers; that is more than is read", self.options.total_bytes >> 20),
        }
    }

    /// Reads frames; returns where the last good one ends.
    pub fn compressed(&mut self, path: &Path, bytes: &[u8]) -> Result<usize, RecordingError> {
        let mut lines = Lines::new(path);
        let limit = self.left;
        let mut too_much = false;
        let end = frames::read(bytes, limit, |found| match found {
            Found::Data(data) => {
                self.left = self.left.saturating_sub(u64::try_from(data.len()).unwrap_or(u64::MAX));
                self.data(&mut lines, data);
            }
            Found::Damaged { offset, message } => {
                lines.partial.clear();
                self.note(format!("{}: the frame at byte {offset} is damaged and passed over: {message}", lines.name));
            }
            Found::Truncated { offset } => {
                lines.partial.clear();
                self.note(format!("{}: the last frame, at byte {offset}, is cut off and dropped", lines.name));
            }
            Found::TooMuch => too_much = true,
        });
        if too_much {
            return Err(self.too_large(path));
        }
        self.end(&mut lines);
        Ok(end)
    }

    /// Takes bytes of a file and the lines that they complete.
    fn data(&mut self, lines: &mut Lines, data: &[u8]) {
        let mut rest = data;
        while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at(at);
            rest = after.get(1..).unwrap_or_default();
            lines.number = lines.number.saturating_add(1);
            if lines.skipping {
                lines.skipping = false;
            } else if lines.partial.is_empty() {
                self.line(lines, line);
            } else {
                let mut whole = std::mem::take(&mut lines.partial);
                whole.extend_from_slice(line);
                self.line(lines, &whole);
            }
        }
        if !lines.skipping {
            lines.partial.extend_from_slice(rest);
            if lines.partial.len() > self.options.line_bytes {
                lines.partial = Vec::new();
                lines.skipping = true;
                let number = lines.number.saturating_add(1);
                self.note(format!(
                    "{}:{number}: the line is longer than {} bytes; passed over",
                    lines.name, self.options.line_bytes
                ));
            }
        }
    }

    /// The file is at its end: a last line may lack its line end.
    fn end(&mut self, lines: &mut Lines) {
        let last = std::mem::take(&mut lines.partial);
        lines.number = lines.number.saturating_add(1);
        self.line(lines, &last);
    }

    fn line(&mut self, lines: &Lines, line: &[u8]) {
        let line = line.trim_ascii();
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        if line.is_empty() {
            return;
        }
        match line::read(line) {
            Ok(Some(mut recorded)) => {
                for name in
                    [&mut recorded.account, &mut recorded.region, &mut recorded.service, &mut recorded.operation]
                {
                    match self.names.get(name) {
                        Some(known) => *name = known.clone(),
                        None => drop(self.names.insert(name.clone())),
                    }
                }
                self.lines.push(recorded);
            }
            Ok(None) => {}
            Err(message) => {
                self.note(format!("{}:{}: no recorded answer, passed over: {message}", lines.name, lines.number))
            }
        }
    }

    /// The recording; `otherwise` is its clock where neither manifest nor line has a time.
    pub fn finish(mut self, otherwise: Option<Timestamp>, manifests: Vec<Manifest>) -> Replay {
        if self.more_notes > 0 {
            self.notes.push(format!("{} more lines or frames were passed over", self.more_notes));
        }
        let newest = self.lines.iter().filter_map(|line| line.time).max();
        let started = manifests.iter().map(|manifest| manifest.started).max();
        let mut notes: Vec<String> = manifests.iter().flat_map(|manifest| manifest.notes.iter().cloned()).collect();
        notes.extend(self.notes);
        Replay {
            lines: self.lines,
            clock: started.or(newest).or(otherwise).unwrap_or_default(),
            salt: manifests.first().map(|manifest| Arc::from(manifest.salt.as_str())),
            notes,
            manifests,
        }
    }
}
