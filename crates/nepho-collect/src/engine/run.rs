//! A collection from beginning to end.

use std::collections::HashSet;
use std::hash::RandomState;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nepho_catalog::kind::Scope;
use nepho_model::{CoverageState, Resource};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::answers::Answers;
use super::book::{Book, Place};
use super::bulk::Bulk;
use super::job::{Job, Location};
use super::live::Live;
use super::memo::Memo;
use super::{CollectError, Collection, CollectionSummary, Progress, Source};
use crate::CompiledKinds;
use crate::recording::CallError;
use crate::recording::matching::Index;
use crate::secrets::Redactor;

/// Resources that may wait for the sink.
const WAITING_RESOURCES: usize = 1024;
/// Jobs at work at once, beside the bound of calls in flight.
const JOBS_PER_CALL_IN_FLIGHT: usize = 2;

/// What all jobs share.
pub(super) struct Shared {
    pub kinds: Arc<CompiledKinds>,
    pub answers: Answers,
    pub memo: Memo,
    pub bulk: Bulk,
    pub book: Book,
    /// Hashes of the keys of resources that were made.
    pub seen: Mutex<HashSet<u64>>,
    pub hasher: RandomState,
    pub sink: mpsc::Sender<Resource>,
    pub items: AtomicU64,
    pub resources: AtomicU64,
    pub items_at_once: usize,
}

/// Collects everything that the kinds name in the accounts. Resources are given to `sink` as they are made, in no
/// particular order when live, in the same order each time when replayed; `progress` is called a few times a second.
pub async fn collect(
    collection: Collection,
    mut progress: impl FnMut(&Progress),
    mut sink: impl FnMut(Resource),
) -> Result<CollectionSummary, CollectError> {
    let accounts = collection.accounts.clone();
    let (shared, mut receiver, jobs_at_once, mut notes) = prepare(collection);
    let jobs = plan(&shared, &accounts);
    let mut state = Progress { jobs: jobs.len(), ..Progress::default() };
    let mut waiting = jobs.into_iter();
    let mut running: JoinSet<()> = JoinSet::new();
    let mut ticks = tokio::time::interval(Duration::from_millis(200));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        while running.len() < jobs_at_once {
            let Some(job) = waiting.next() else { break };
            let shared = shared.clone();
            running.spawn(async move { shared.run(&job).await });
        }
        tokio::select! {
            Some(resource) = receiver.recv() => sink(resource),
            joined = running.join_next() => match joined {
                None => break,
                Some(Ok(())) => state.jobs_done = state.jobs_done.saturating_add(1),
                Some(Err(error)) => return Err(CollectError::Internal(error.to_string())),
            },
            _ = ticks.tick() => {
                shared.count(&mut state);
                progress(&state);
                if let Some(recorder) = &shared.answers.recorder {
                    recorder.tick();
                    if recorder.has_failed() {
                        shared.answers.live.stopped.store(true, Ordering::Relaxed);
                    }
                }
            }
        }
    }
    while let Ok(resource) = receiver.try_recv() {
        sink(resource);
    }
    shared.count(&mut state);
    progress(&state);
    let shared = Arc::into_inner(shared).ok_or_else(|| CollectError::Internal("a job did not end".to_owned()))?;
    let coverage = shared.book.entries();
    if let Some(index) = &shared.answers.index {
        notes.extend(index.unused(&shared.kinds.calls()));
    }
    if let Some(recorder) = shared.answers.recorder {
        recorder.finish().await?;
    }
    Ok(CollectionSummary { progress: state, coverage, notes })
}

fn prepare(collection: Collection) -> (Arc<Shared>, mpsc::Receiver<Resource>, usize, Vec<String>) {
    let Collection { kinds, provider, source, recorder, options, .. } = collection;
    let (replay, may_call) = match source {
        Source::Live => (None, true),
        Source::Replay(replay) => (Some(replay), false),
        Source::Resume(replay) => (Some(replay), true),
    };
    let notes = replay.as_ref().map(|replay| replay.notes().to_vec()).unwrap_or_default();
    let salt = options
        .salt
        .clone()
        .or_else(|| recorder.as_ref().map(|recorder| recorder.salt()))
        .or_else(|| replay.as_ref().and_then(|replay| replay.salt()));
    let (sender, receiver) = mpsc::channel(WAITING_RESOURCES);
    let answers = Answers {
        live: Live::new(provider.clone(), &options),
        may_call,
        index: replay.map(|replay| Index::new(replay, provider.as_ref())),
        provider,
        recorder,
        redactor: Redactor::new(kinds.secrets.clone(), salt),
        most_pages: options.pages.max(1),
        paginations: Mutex::default(),
        answered: AtomicU64::new(0),
        failed: AtomicU64::new(0),
    };
    let shared = Shared {
        kinds,
        answers,
        memo: Memo::default(),
        bulk: Bulk::default(),
        book: Book::default(),
        seen: Mutex::default(),
        hasher: RandomState::new(),
        sink: sender,
        items: AtomicU64::new(0),
        resources: AtomicU64::new(0),
        // One after the other in replays: nothing is waited for, and the order is the same each time.
        items_at_once: if may_call { options.items_at_once.max(1) } else { 1 },
    };
    let jobs_at_once = if may_call { options.in_flight.max(1).saturating_mul(JOBS_PER_CALL_IN_FLIGHT) } else { 1 };
    (Arc::new(shared), receiver, jobs_at_once, notes)
}

/// All jobs: each list call that has no parent, in each account and region it is for. Neighbours are in different
/// regions, so that no single region's limits are met first.
fn plan(shared: &Shared, accounts: &[super::AccountScope]) -> Vec<Job> {
    let mut jobs = Vec::new();
    for account in accounts {
        let disabled = CallError::new(CoverageState::RegionDisabled, "", "");
        for region in account.regions.iter().filter(|region| !region.enabled) {
            let none: Arc<str> = Arc::from("");
            let place =
                Place { account: account.account.clone(), region: region.name.clone(), kind: none.clone(), call: none };
            shared.book.failed(place, &disabled, 0);
        }
    }
    for (at, group) in shared.kinds.groups.iter().enumerate().filter(|(_, group)| group.parent.is_none()) {
        for account in accounts {
            let location = |region: &Arc<str>, global| Location {
                account: account.account.clone(),
                partition: account.partition.clone(),
                region: region.clone(),
                global,
            };
            match group.scope {
                Scope::Global => {
                    let own = group.region.as_ref().filter(|_| account.partition.as_ref() == "aws");
                    let region = own.unwrap_or(&account.home_region);
                    jobs.push(Job { location: location(region, true), group: at });
                }
                Scope::Region => {
                    let enabled = account.regions.iter().filter(|region| region.enabled);
                    jobs.extend(enabled.map(|region| Job { location: location(&region.name, false), group: at }));
                }
            }
        }
    }
    jobs
}

impl Shared {
    fn count(&self, state: &mut Progress) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        state.attempts = read(&self.answers.live.attempts);
        state.throttled = read(&self.answers.live.throttled);
        state.answered = read(&self.answers.answered);
        state.failed = read(&self.answers.failed);
        state.items = read(&self.items);
        state.resources = read(&self.resources);
    }
}
