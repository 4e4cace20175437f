//! Calls of a provider: in flight within bounds, at a bearable rate, again where that helps.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nepho_model::CoverageState;
use serde_json::Value as Json;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::Options;
use super::limiter::Limiter;
use crate::recording::CallError;
use crate::{Call, Failure, FailureKind, Provider};

pub(super) struct Live {
    provider: Arc<dyn Provider>,
    options: Options,
    in_flight: Semaphore,
    limiters: Mutex<HashMap<LimiterKey, Arc<Limiter>>>,
    endpoints: Mutex<HashMap<Address, Endpoint>>,
    operations: Mutex<HashMap<Operation, Record>>,
    deadline: Option<Instant>,
    /// Set when the recording can no longer be written.
    pub stopped: AtomicBool,
    pub attempts: AtomicU64,
    pub throttled: AtomicU64,
}

/// Region and service.
type Address = (Arc<str>, Arc<str>);
/// Service and operation.
type Operation = (Arc<str>, Arc<str>);

/// Calls given up with a server fault before an operation that never answered is tried once only.
const GIVEN_UP_FAULTS: u32 = 2;

/// How an operation has done, wherever it was called.
#[derive(Default)]
struct Record {
    /// It answered, or refused, at least once.
    answered: bool,
    /// Calls given up with a server fault.
    faults: u32,
}

#[derive(PartialEq, Eq, Hash)]
struct LimiterKey {
    account: Arc<str>,
    region: Arc<str>,
    service: Arc<str>,
    operation: Arc<str>,
}

/// How one service's address in one region has done.
#[derive(Default)]
struct Endpoint {
    /// Attempts in a row that reached nothing.
    unreached: u32,
    /// The last such failure.
    last: Option<(CoverageState, String, String)>,
    /// When one may be tried again.
    closed_until: Option<Instant>,
}

impl Live {
    pub fn new(provider: Arc<dyn Provider>, options: &Options) -> Self {
        Self {
            provider,
            options: options.clone(),
            in_flight: Semaphore::new(options.in_flight.max(1)),
            limiters: Mutex::default(),
            endpoints: Mutex::default(),
            operations: Mutex::default(),
            deadline: options.collection_timeout.and_then(|limit| Instant::now().checked_add(limit)),
            stopped: AtomicBool::new(false),
            attempts: AtomicU64::new(0),
            throttled: AtomicU64::new(0),
        }
    }

    /// Asks until there is an answer, a final refusal, or no use in asking again.
    pub async fn ask(&self, call: &Call) -> Result<Json, CallError> {
        let limiter = self.limiter(call);
        let begun = Instant::now();
        let mut attempts = 0u32;
        let mut throttles = 0u32;
        let mut malformed = 0u32;
        loop {
            if let Some(cut) = self.cut() {
                return Err(cut);
            }
            if let Some(closed) = self.closed(call) {
                return Err(closed);
            }
            self.wait_until(limiter.slot()).await;
            let failure = match self.attempt(call).await {
                Ok(answer) => {
                    limiter.answered();
                    self.reached(call);
                    self.operation(call, |record| record.answered = true);
                    return Ok(answer);
                }
                Err(None) => continue,
                Err(Some(failure)) => failure,
            };
            let (count, limit) = match failure.kind {
                FailureKind::Denied | FailureKind::Failed => {
                    self.reached(call);
                    self.operation(call, |record| record.answered = true);
                    return Err(given_up(&failure, 0));
                }
                FailureKind::Throttled => {
                    self.reached(call);
                    self.throttled.fetch_add(1, Ordering::Relaxed);
                    limiter.throttled(failure.retry_after);
                    (&mut throttles, self.options.throttled_attempts)
                }
                FailureKind::Malformed => (&mut malformed, 2),
                FailureKind::ServerFault => {
                    self.reached(call);
                    // A fault that is always there does not pass.
                    let lasting = self.operation(call, |record| !record.answered && record.faults >= GIVEN_UP_FAULTS);
                    (&mut attempts, if lasting { 1 } else { self.options.attempts })
                }
                FailureKind::Unreachable | FailureKind::TimedOut => {
                    self.unreached(call, &failure);
                    (&mut attempts, self.options.attempts)
                }
            };
            *count = count.saturating_add(1);
            let tries = *count;
            let wait = self.backoff(tries, failure.retry_after);
            if tries >= limit || begun.elapsed().saturating_add(wait) > self.options.call_timeout {
                if failure.kind == FailureKind::ServerFault {
                    self.operation(call, |record| record.faults = record.faults.saturating_add(1));
                }
                return Err(given_up(&failure, tries));
            }
            self.wait_until(Instant::now() + wait).await;
        }
    }

    /// One attempt; `Err(None)` when the collection was cut off while it waited or ran.
    async fn attempt(&self, call: &Call) -> Result<Json, Option<Failure>> {
        let Ok(_permit) = self.in_flight.acquire().await else { return Err(None) };
        if self.cut().is_some() {
            return Err(None);
        }
        self.attempts.fetch_add(1, Ordering::Relaxed);
        let limit = Instant::now() + self.options.attempt_timeout;
        let until = self.deadline.map_or(limit, |deadline| deadline.min(limit));
        let mut attempt = self.provider.attempt(call);
        loop {
            let look = until.min(Instant::now() + Duration::from_millis(500));
            match tokio::time::timeout_at(look, &mut attempt).await {
                Ok(result) => return result.map_err(Some),
                Err(_) if self.cut().is_some() => return Err(None),
                Err(_) if Instant::now() < until => {}
                Err(_) => {
                    let seconds = self.options.attempt_timeout.as_secs_f64();
                    return Err(Some(Failure {
                        kind: FailureKind::TimedOut,
                        code: "TimedOut".to_owned(),
                        message: format!("no answer within {seconds} s"),
                        retry_after: None,
                    }));
                }
            }
        }
    }

    /// Why nothing is asked any more, if so.
    fn cut(&self) -> Option<CallError> {
        let cut = |code, message| Some(CallError::new(CoverageState::Cut, code, message));
        if self.stopped.load(Ordering::Relaxed) {
            return cut("RecordingFailed", "the recording could not be written");
        }
        if self.options.cancellation.is_cancelled() {
            return cut("Cancelled", "the collection was cancelled");
        }
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return cut("CollectionTimeLimit", "the time limit of the collection was reached");
        }
        None
    }

    /// Sleeps in small steps, so that cutting off takes effect.
    async fn wait_until(&self, until: Instant) {
        loop {
            let now = Instant::now();
            if now >= until || self.cut().is_some() {
                return;
            }
            tokio::time::sleep_until(until.min(now + Duration::from_millis(500))).await;
        }
    }

    fn backoff(&self, tries: u32, retry_after: Option<Duration>) -> Duration {
        let doubled = self.options.first_backoff.saturating_mul(1u32 << tries.saturating_sub(1).min(16));
        let most = doubled.min(self.options.longest_backoff);
        let jittered = most.mul_f64(0.5 + fastrand::f64() * 0.5);
        jittered.max(retry_after.unwrap_or_default().min(Duration::from_secs(60)))
    }

    fn limiter(&self, call: &Call) -> Arc<Limiter> {
        let key = LimiterKey {
            account: call.account.clone(),
            region: call.region.clone(),
            service: call.service.clone(),
            operation: call.operation.clone(),
        };
        let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        limiters.entry(key).or_insert_with(|| Arc::new(Limiter::new())).clone()
    }

    fn endpoint<T>(&self, call: &Call, change: impl FnOnce(&mut Endpoint) -> T) -> T {
        let mut endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        change(endpoints.entry((call.region.clone(), call.service.clone())).or_default())
    }

    fn operation<T>(&self, call: &Call, change: impl FnOnce(&mut Record) -> T) -> T {
        let mut operations = self.operations.lock().unwrap_or_else(PoisonError::into_inner);
        change(operations.entry((call.service.clone(), call.operation.clone())).or_default())
    }

    fn reached(&self, call: &Call) {
        self.endpoint(call, |endpoint| *endpoint = Endpoint::default());
    }

    fn unreached(&self, call: &Call, failure: &Failure) {
        let limit = self.options.unreachable_limit.max(1);
        let again = Instant::now() + self.options.longest_backoff;
        self.endpoint(call, |endpoint| {
            endpoint.unreached = endpoint.unreached.saturating_add(1);
            endpoint.last = Some((failure.kind.coverage(), failure.code.clone(), failure.message.clone()));
            if endpoint.unreached >= limit {
                endpoint.closed_until = Some(again);
            }
        });
    }

    /// The failure of calls to an address that is given up.
    fn closed(&self, call: &Call) -> Option<CallError> {
        self.endpoint(call, |endpoint| {
            let closed_until = endpoint.closed_until?;
            if Instant::now() >= closed_until {
                // One more round of attempts may show that it is back.
                endpoint.closed_until = None;
                endpoint.unreached = self.options.unreachable_limit.saturating_sub(1);
                return None;
            }
            let (state, code, message) = endpoint.last.clone()?;
            let count = endpoint.unreached;
            Some(CallError::new(state, &code, format!("given up after {count} attempts at this endpoint: {message}")))
        })
    }
}

fn given_up(failure: &Failure, tries: u32) -> CallError {
    let message = match tries {
        0 | 1 => failure.message.clone(),
        tries => format!("{} (after {tries} attempts)", failure.message),
    };
    CallError::new(failure.kind.coverage(), &failure.code, message)
}
