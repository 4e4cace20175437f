//! The engine: every kind, account and region through one way, whatever the answers come from.
//!
//! Work is cut into jobs, one per account, region and distinct list call. A job streams pages; each page becomes items,
//! each item its further calls, then a resource, then the lists of its children. Nothing is kept but counts, a hash per
//! key and a bounded memo of shared small answers.

mod answers;
mod book;
mod bulk;
mod item;
mod job;
mod limiter;
mod live;
mod memo;
mod paging;
mod run;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nepho_model::{CoverageEntry, CoverageState};

use crate::recording::{Recorder, RecordingError, Replay};
use crate::{CompiledKinds, Provider};

pub use run::collect;

/// One account to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountScope {
    /// The account's id.
    pub account: Arc<str>,
    /// Its partition (`aws`, `aws-us-gov`, `aws-cn`).
    pub partition: Arc<str>,
    /// Where global kinds are read.
    pub home_region: Arc<str>,
    /// Where regional kinds are read.
    pub regions: Vec<RegionScope>,
}

/// One region of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionScope {
    /// Its name.
    pub name: Arc<str>,
    /// Whether the account has switched it on; a region that is off gets one coverage entry and no call.
    pub enabled: bool,
}

/// Where answers come from.
#[derive(Clone, Default)]
pub enum Source {
    /// The provider is called.
    #[default]
    Live,
    /// A recording; nothing is ever called. The provider serves for its tables only.
    Replay(Arc<Replay>),
    /// A recording first, the provider for what it has no final answer to.
    Resume(Arc<Replay>),
}

/// What to collect, with what, from where.
pub struct Collection {
    /// The compiled kinds.
    pub kinds: Arc<CompiledKinds>,
    /// The accounts.
    pub accounts: Vec<AccountScope>,
    /// The provider: its API when live, its tables always.
    pub provider: Arc<dyn Provider>,
    /// Where answers come from.
    pub source: Source,
    /// Where live answers are recorded.
    pub recorder: Option<Recorder>,
    /// Limits.
    pub options: Options,
}

/// Limits of a collection. The defaults suit a real cloud.
#[derive(Clone, Debug)]
pub struct Options {
    /// Calls in flight at once, over all accounts.
    pub in_flight: usize,
    /// Time limit of one attempt.
    pub attempt_timeout: Duration,
    /// Time limit of one call with all its retries and waits.
    pub call_timeout: Duration,
    /// Time limit of the collection; what is not read by then is `cut`.
    pub collection_timeout: Option<Duration>,
    /// Attempts at a call that ends in a server fault, a broken connection or a time-out.
    pub attempts: u32,
    /// Attempts at a call that is throttled.
    pub throttled_attempts: u32,
    /// Wait before the second attempt; doubles each time, with jitter.
    pub first_backoff: Duration,
    /// The longest wait between attempts.
    pub longest_backoff: Duration,
    /// Pages of one call; more count as paging that never ends.
    pub pages: u32,
    /// Items of a page whose further calls run at the same time.
    pub items_at_once: usize,
    /// Attempts in a row that find a service's endpoint in a region unreachable before it is given up.
    pub unreachable_limit: u32,
    /// Salt of the hashes of found secrets; without it the recording's, or one derived from the account id.
    pub salt: Option<Arc<str>>,
    /// Stops the collection early when set; what is not read by then is `cut`.
    pub cancellation: Cancellation,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            in_flight: 64,
            attempt_timeout: Duration::from_secs(60),
            call_timeout: Duration::from_secs(300),
            collection_timeout: None,
            attempts: 5,
            throttled_attempts: 12,
            first_backoff: Duration::from_millis(100),
            longest_backoff: Duration::from_secs(20),
            pages: 10_000,
            items_at_once: 32,
            unreachable_limit: 10,
            salt: None,
            cancellation: Cancellation::default(),
        }
    }
}

/// A flag that stops a collection early (Ctrl-C).
#[derive(Clone, Debug, Default)]
pub struct Cancellation(Arc<AtomicBool>);

impl Cancellation {
    /// Asks the collection to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked to.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How far a collection is. Given to the progress callback a few times a second and once at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Jobs (account × region × list call) in all.
    pub jobs: usize,
    /// Jobs done.
    pub jobs_done: usize,
    /// Attempts made at calls of the provider.
    pub attempts: u64,
    /// Attempts that were throttled.
    pub throttled: u64,
    /// Calls answered, from wherever.
    pub answered: u64,
    /// Calls that ended without a usable answer (facts such as "there is none" not counted).
    pub failed: u64,
    /// Items in list answers.
    pub items: u64,
    /// Resources made.
    pub resources: u64,
}

/// How a collection ended.
#[derive(Clone, Debug, Default)]
pub struct CollectionSummary {
    /// Final counts.
    pub progress: Progress,
    /// Coverage, sorted.
    pub coverage: Vec<CoverageEntry>,
    /// What people should know (about the recording, mostly).
    pub notes: Vec<String>,
}

impl CollectionSummary {
    /// Whether everything was read.
    pub fn is_complete(&self) -> bool {
        self.coverage.iter().all(|entry| entry.state.is_complete())
    }

    /// Whether no list call was answered and at least one endpoint was unreachable: the address or the network is wrong.
    pub fn nothing_reached(&self) -> bool {
        self.progress.answered == 0
            && self
                .coverage
                .iter()
                .any(|entry| matches!(entry.state, CoverageState::Unreachable | CoverageState::TimedOut))
    }
}

/// The collection could not go on. What was recorded before stays valid.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The recording could not be written.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// A part of the engine broke down; a defect of ours.
    #[error("collecting broke down: {0}")]
    Internal(String),
}
