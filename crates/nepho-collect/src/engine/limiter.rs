//! How fast one operation may be called in one account and region: as fast as answers come until the provider
//! throttles, then additive increase and multiplicative decrease.
//!
//! The limits of a cloud's API are shared with everything else that the account does, so that a storm is ridden out
//! slowly, even where it would not pass for it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The slowest that throttling makes us, in calls a second.
const SLOWEST: f64 = 1.0;
/// A rate at which limiting ends.
const UNLIMITED: f64 = 500.0;
/// How much the rate grows in a second of answers.
const GROWTH: f64 = 5.0;
/// What a throttle leaves of the rate (the AWS SDKs' adaptive mode has the same).
const DECREASE: f64 = 0.7;
/// Throttles within this time of a decrease count as the same.
const SAME_THROTTLE: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(super) struct Limiter(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Calls a second; `None`: no limit.
    rate: Option<f64>,
    next: Instant,
    decreased: Option<Instant>,
    /// Begin of the current second and the calls begun in it: what the rate is when throttling begins.
    window: Instant,
    calls: u32,
}

impl Limiter {
    pub fn new() -> Self {
        let now = Instant::now();
        Self(Mutex::new(State { rate: None, next: now, decreased: None, window: now, calls: 0 }))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next slot; the call may begin at the time returned.
    pub fn slot(&self) -> Instant {
        let now = Instant::now();
        let mut state = self.state();
        if now.duration_since(state.window) >= Duration::from_secs(1) {
            state.window = now;
            state.calls = 0;
        }
        state.calls = state.calls.saturating_add(1);
        let slot = state.next.max(now);
        if let Some(rate) = state.rate {
            state.next = slot + Duration::from_secs_f64(1.0 / rate);
        }
        slot
    }

    /// The provider throttled.
    pub fn throttled(&self, retry_after: Option<Duration>) {
        let now = Instant::now();
        let mut state = self.state();
        let again = state.decreased.is_some_and(|last| now.duration_since(last) < SAME_THROTTLE);
        if !again {
            let current = state.rate.unwrap_or_else(|| f64::from(state.calls.max(4)));
            state.rate = Some((current * DECREASE).max(SLOWEST));
            state.decreased = Some(now);
        }
        if let Some(wait) = retry_after {
            state.next = state.next.max(now + wait.min(Duration::from_secs(60)));
        }
    }

    /// The provider answered.
    pub fn answered(&self) {
        let mut state = self.state();
        if let Some(rate) = state.rate {
            // `rate` answers a second make `GROWTH` in all.
            let faster = rate + GROWTH / rate.max(1.0);
            state.rate = (faster < UNLIMITED).then_some(faster);
        }
    }

    #[cfg(test)]
    pub fn rate(&self) -> Option<f64> {
        self.state().rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn slows_on_throttle_and_recovers() {
        let limiter = Limiter::new();
        for _ in 0..40 {
            limiter.slot();
        }
        limiter.throttled(None);
        limiter.throttled(None);
        assert_eq!(limiter.rate(), Some(28.0), "one storm counts once");
        tokio::time::advance(Duration::from_secs(1)).await;
        limiter.throttled(Some(Duration::from_secs(3)));
        let slow = limiter.rate().unwrap();
        assert!((19.5..=19.7).contains(&slow), "{slow}");
        assert!(limiter.slot() >= Instant::now() + Duration::from_secs(3));
        for _ in 0..20 {
            limiter.answered();
        }
        let rate = limiter.rate().unwrap();
        assert!((24.0..=24.7).contains(&rate), "a second of answers makes it 5 a second faster: {rate}");
    }
}
