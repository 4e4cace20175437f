//! Asking the services that give credentials to this machine: a few attempts, in little time.

use std::time::Duration;

use super::{Credentials, CredentialsError};

/// Attempts in all.
const ATTEMPTS: u32 = 3;

/// Why there are none.
#[derive(Debug)]
pub(super) struct Problem {
    pub error: CredentialsError,
    /// Whether asking again may help.
    pub passes: bool,
    /// Whether the service is not there at all.
    pub absent: bool,
}

impl From<CredentialsError> for Problem {
    fn from(error: CredentialsError) -> Self {
        Self { error, passes: false, absent: false }
    }
}

/// Asks until there is an answer, or no use in asking again.
pub(super) async fn patiently<F: Future<Output = Result<Credentials, Problem>>>(
    ask: impl Fn() -> F,
) -> Result<Credentials, Problem> {
    let mut wait = Duration::from_millis(100);
    for _ in 1..ATTEMPTS {
        match ask().await {
            Err(problem) if problem.passes => tokio::time::sleep(wait).await,
            outcome => return outcome,
        }
        wait = wait.saturating_mul(3);
    }
    ask().await
}
