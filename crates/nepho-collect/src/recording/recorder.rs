//! Writes recordings: whole frames with checksums, one after the other, by one thread.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nepho_model::Timestamp;
use serde_json::Value as Json;
use tokio::sync::mpsc;

use super::replay::{Reading, ReplayOptions};
use super::{
    ANSWERS_FILE, CallError, MANIFEST_FILE, Manifest, RecordingError, Replay, line, make_folder, private_file,
};
use crate::Call;

/// A frame is closed when it holds this many bytes …
const FRAME_BYTES: usize = 512 << 10;
/// … or after this time.
const FRAME_TIME: Duration = Duration::from_secs(2);
/// Lines that may wait for the writer.
const WAITING_LINES: usize = 128;

/// Appends answers to a recording. What is lost when the process is killed is at most the open frame.
#[derive(Debug)]
pub struct Recorder {
    sender: mpsc::Sender<Message>,
    thread: JoinHandle<()>,
    failure: Arc<Mutex<Option<RecordingError>>>,
    salt: Arc<str>,
}

#[derive(Debug)]
enum Message {
    Line(Vec<u8>),
    /// Time has passed: close the open frame if it is old.
    Tick,
}

/// What a recording that is gone on with held already.
#[derive(Debug)]
pub struct Resumption {
    /// Goes on writing behind what is there.
    pub recorder: Recorder,
    /// What is there; for [`crate::Source::Resume`].
    pub replay: Replay,
    /// The manifest as it is now.
    pub manifest: Manifest,
}

/// Where frames go.
enum Output {
    /// A file, with the length up to which it is good.
    File(File, u64),
    Other(Box<dyn Write + Send>),
}

impl Output {
    fn append(&mut self, frame: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Other(writer) => writer.write_all(frame).and_then(|()| writer.flush()),
            Self::File(file, good) => {
                let written = file.write_all(frame).and_then(|()| file.flush());
                match written {
                    Ok(()) => *good = good.saturating_add(u64::try_from(frame.len()).unwrap_or_default()),
                    // A half frame is taken back, so that what is there is whole. Best effort: a reader drops it anyway.
                    Err(_) => drop(file.set_len(*good)),
                }
                written
            }
        }
    }
}

impl Recorder {
    /// Begins a recording in a folder, which is made if need be. A folder that holds one already is an error.
    pub fn create(folder: &Path, manifest: &Manifest) -> Result<Self, RecordingError> {
        let failed = |error| RecordingError::begin(folder, error);
        let exists = || RecordingError::Exists { path: folder.display().to_string() };
        let path = folder.join(ANSWERS_FILE);
        if path.try_exists().map_err(failed)? {
            return Err(exists());
        }
        make_folder(folder).map_err(failed)?;
        // First the manifest: killed in between, there is a recording without answers that can be gone on with.
        manifest.write(folder).map_err(failed)?;
        let file = private_file().create_new(true).open(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => exists(),
            _ => failed(error),
        })?;
        Self::start(Output::File(file, 0), path.display().to_string(), &manifest.salt)
    }

    /// Goes on with the recording in a folder: reads what it holds, drops a last frame that is cut off, and appends.
    /// Where nothing was recorded yet, a recording is begun.
    ///
    /// `manifest` says what is asked now. It takes the place of the recording's, but for the start and the salt. It is
    /// an error when the two have accounts and none in common.
    pub fn resume(folder: &Path, manifest: &Manifest, options: ReplayOptions) -> Result<Resumption, RecordingError> {
        let path = folder.join(ANSWERS_FILE);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(RecordingError::read(&path, error)),
        };
        let manifest = match Manifest::read(folder)? {
            Some(begun) => manifest.going_on(begun, folder)?,
            None if bytes.is_empty() => manifest.clone(),
            None => {
                let message =
                    format!("`{MANIFEST_FILE}` is missing beside it, without which it cannot be gone on with");
                return Err(RecordingError::Format { path: path.display().to_string(), message });
            }
        };
        let mut reading = Reading::new(options);
        let good_end = reading.compressed(&path, &bytes)?;
        make_folder(folder).map_err(|error| RecordingError::begin(folder, error))?;
        let failed = |error| RecordingError::write(&path, error);
        manifest.write(folder).map_err(failed)?;
        let replay = reading.finish(None, vec![manifest.clone()]);
        let mut file = private_file().create(true).truncate(false).open(&path).map_err(failed)?;
        let length = u64::try_from(good_end).unwrap_or(u64::MAX);
        file.set_len(length).map_err(failed)?;
        file.seek(SeekFrom::Start(length)).map_err(failed)?;
        let recorder = Self::start(Output::File(file, length), path.display().to_string(), &manifest.salt)?;
        Ok(Resumption { recorder, replay, manifest })
    }

    /// Records into any writer; `name` stands for it in messages.
    pub fn to_writer(writer: Box<dyn Write + Send>, name: &str, salt: &str) -> Result<Self, RecordingError> {
        Self::start(Output::Other(writer), name.to_owned(), salt)
    }

    fn start(output: Output, name: String, salt: &str) -> Result<Self, RecordingError> {
        let (sender, receiver) = mpsc::channel(WAITING_LINES);
        let failure = Arc::new(Mutex::new(None));
        let failed = failure.clone();
        let path = name.clone();
        let thread = std::thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || {
                if let Err(source) = write_frames(receiver, output) {
                    let error = RecordingError::Write { path, source };
                    *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                }
            })
            .map_err(|source| RecordingError::Write { path: name, source })?;
        Ok(Self { sender, thread, failure, salt: salt.into() })
    }

    pub(crate) fn salt(&self) -> Arc<str> {
        self.salt.clone()
    }

    /// Appends one page or failure. `false` when the writer has given up: see [`Recorder::finish`].
    pub(crate) async fn write(&self, call: &Call, page: u32, answer: Result<&Json, &CallError>) -> bool {
        match line::write(call, page, answer, Timestamp::now()) {
            Ok(line) => self.sender.send(Message::Line(line)).await.is_ok(),
            // A value that came from JSON can always be written as JSON.
            Err(_) => true,
        }
    }

    /// Lets the writer close a frame that is open for long.
    pub(crate) fn tick(&self) {
        drop(self.sender.try_send(Message::Tick));
    }

    /// Whether the writer has given up.
    pub(crate) fn has_failed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Writes what is waiting and closes the recording.
    pub(crate) async fn finish(self) -> Result<(), RecordingError> {
        let Self { sender, thread, failure, .. } = self;
        drop(sender);
        // The thread ends when it has written what waits; it does not panic.
        drop(tokio::task::spawn_blocking(move || thread.join()).await);
        match failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

fn write_frames(mut receiver: mpsc::Receiver<Message>, mut output: Output) -> std::io::Result<()> {
    let mut compressor = zstd::bulk::Compressor::new(3)?;
    compressor.include_checksum(true)?;
    compressor.include_contentsize(true)?;
    let mut open: Vec<u8> = Vec::with_capacity(FRAME_BYTES);
    let mut opened = Instant::now();
    while let Some(message) = receiver.blocking_recv() {
        if let Message::Line(line) = message {
            if open.is_empty() {
                opened = Instant::now();
            }
            open.extend_from_slice(&line);
        }
        if open.len() >= FRAME_BYTES || (!open.is_empty() && opened.elapsed() >= FRAME_TIME) {
            output.append(&compressor.compress(&open)?)?;
            open.clear();
        }
    }
    if !open.is_empty() {
        output.append(&compressor.compress(&open)?)?;
    }
    Ok(())
}
