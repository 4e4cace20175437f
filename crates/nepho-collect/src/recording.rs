//! Recordings: decoded answers, one JSON object a line (`docs/recordings.md`). Written by [`Recorder`], read by
//! [`Replay`].

mod frames;
mod line;
pub(crate) mod matching;
mod names;
mod recorder;
mod replay;

use std::collections::BTreeMap;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use nepho_model::{CoverageEntry, CoverageState, Timestamp};
use serde::{Deserialize, Serialize};

use crate::engine::{AccountScope, RegionScope};

pub use recorder::{Recorder, Resumption};
pub use replay::{Replay, ReplayOptions};

/// File of answers in a recording's folder.
pub const ANSWERS_FILE: &str = "answers.jsonl.zst";
/// File that describes the recording in its folder.
pub const MANIFEST_FILE: &str = "recording.json";

/// What stands in `recording.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the format, 1.
    pub version: u32,
    /// When the collection began.
    pub started: Timestamp,
    /// Salt of the hashes of found secrets.
    pub salt: String,
    /// Partition.
    #[serde(default)]
    pub partition: String,
    /// What was asked: accounts with their regions.
    #[serde(default)]
    pub scopes: Vec<RecordedScope>,
    /// The services asked, where not all were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// What was known to be missing before the first call: accounts that could not be entered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<CoverageEntry>,
    /// What people should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// One account that was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedScope {
    /// Its id.
    pub account: String,
    /// Where global kinds were read.
    pub home_region: String,
    /// Regions by name, and whether the account has switched them on.
    pub regions: BTreeMap<String, bool>,
}

impl RecordedScope {
    fn of(scope: &AccountScope) -> Self {
        Self {
            account: scope.account.to_string(),
            home_region: scope.home_region.to_string(),
            regions: scope.regions.iter().map(|region| (region.name.to_string(), region.enabled)).collect(),
        }
    }

    fn scope(&self, partition: &str) -> AccountScope {
        let region = |(name, enabled): (&String, &bool)| RegionScope { name: name.as_str().into(), enabled: *enabled };
        AccountScope {
            account: self.account.as_str().into(),
            partition: partition.into(),
            home_region: self.home_region.as_str().into(),
            regions: self.regions.iter().map(region).collect(),
        }
    }
}

impl Manifest {
    /// A manifest for a collection of these accounts that begins now, with a fresh salt.
    pub fn new(partition: String, scopes: &[AccountScope]) -> Result<Self, RecordingError> {
        let mut salt = [0u8; 16];
        getrandom::getrandom(&mut salt).map_err(|error| RecordingError::Salt { source: error.into() })?;
        Ok(Self {
            version: 1,
            started: Timestamp::now(),
            salt: salt.iter().map(|byte| format!("{byte:02x}")).collect(),
            partition,
            scopes: scopes.iter().map(RecordedScope::of).collect(),
            services: Vec::new(),
            gaps: Vec::new(),
            notes: Vec::new(),
        })
    }

    /// This manifest for a recording that was begun with another: what is asked, what is missing and what is noted are
    /// this one's; the start and the salt stay, so that clock and hashes are those of the answers that are there.
    fn going_on(&self, begun: Self, folder: &Path) -> Result<Self, RecordingError> {
        let is_asked = |scope: &RecordedScope| self.scopes.iter().any(|asked| asked.account == scope.account);
        if !self.scopes.is_empty() && !begun.scopes.is_empty() && !begun.scopes.iter().any(is_asked) {
            let named = |scopes: &[RecordedScope]| {
                scopes.iter().map(|scope| scope.account.as_str()).collect::<Vec<_>>().join(", ")
            };
            return Err(RecordingError::OtherAccounts {
                path: folder.display().to_string(),
                recorded: named(&begun.scopes),
                asked: named(&self.scopes),
            });
        }
        Ok(Self { version: begun.version, started: begun.started, salt: begun.salt, ..self.clone() })
    }

    fn write(&self, folder: &Path) -> io::Result<()> {
        let temporary = folder.join(format!("{MANIFEST_FILE}.new"));
        let text = serde_json::to_vec_pretty(self)?;
        let mut file = private_file().create(true).truncate(true).open(&temporary)?;
        file.write_all(&text)?;
        drop(file);
        std::fs::rename(&temporary, folder.join(MANIFEST_FILE))
    }

    fn read(folder: &Path) -> Result<Option<Self>, RecordingError> {
        let path = folder.join(MANIFEST_FILE);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(RecordingError::read(&path, error)),
        };
        serde_json::from_slice(&text).map(Some).map_err(|error| RecordingError::Format {
            path: path.display().to_string(),
            message: format!("no manifest of a recording: {error}"),
        })
    }
}

/// How a recording's files are opened for writing: what a cloud account holds is for nobody else on this machine.
fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes a recording's folder, with those above it. One that is there stays as it is.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// A recording cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// A file or folder cannot be read.
    #[error("cannot read the recording `{path}`: {source}")]
    Read {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written (disk full, no permission).
    #[error(
        "cannot write the recording `{path}`: {source}; what was written before is valid, `--resume` goes on from there"
    )]
    Write {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A recording cannot be begun: nothing was written, no call was made.
    #[error("cannot begin a recording in `{path}`: {source}; choose another folder with `--record`")]
    Begin {
        /// Where.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The system gives no random numbers.
    #[error("cannot make the recording's salt: {source}")]
    Salt {
        /// Why.
        source: io::Error,
    },
    /// What is to be gone on with is of other accounts.
    #[error(
        "`{path}` holds a recording of account {recorded}, not of {asked}; sign in to it with `--profile`, or choose another folder with `--record`"
    )]
    OtherAccounts {
        /// Where.
        path: String,
        /// The accounts of the recording.
        recorded: String,
        /// The accounts at hand.
        asked: String,
    },
    /// There is a recording already.
    #[error("`{path}` holds a recording already; choose another folder, or go on with it by `--resume`")]
    Exists {
        /// Where.
        path: String,
    },
    /// The file is in another format.
    #[error("`{path}`: {message}")]
    Format {
        /// Which.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// Nothing that could be replayed is in it.
    #[error(
        "no recorded answers in `{path}`{note}: lines of JSON with `account`, `region`, `service`, `operation` and `response` or `error` are expected"
    )]
    Empty {
        /// Where.
        path: String,
        /// What is there instead, in parentheses, where that is known.
        note: String,
    },
}

impl RecordingError {
    fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.display().to_string(), source }
    }

    fn begin(folder: &Path, source: io::Error) -> Self {
        Self::Begin { path: folder.display().to_string(), source }
    }

    fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.display().to_string(), source }
    }
}

/// How a call ended without an answer: what coverage and unknown facts say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallError {
    pub state: CoverageState,
    pub code: Arc<str>,
    pub message: Arc<str>,
}

impl CallError {
    pub fn new(state: CoverageState, code: &str, message: impl AsRef<str>) -> Self {
        Self { state, code: code.into(), message: message.as_ref().into() }
    }

    pub fn malformed(code: &str, message: impl AsRef<str>) -> Self {
        Self::new(CoverageState::Malformed, code, message)
    }

    /// Whether the provider said so itself; asking again would give the same. What is wrong with the credentials is
    /// no answer to the call: with others it is asked again.
    pub fn is_final(&self) -> bool {
        matches!(self.state, CoverageState::Denied | CoverageState::Failed) && !line::may_be_of_credentials(&self.code)
    }
}
