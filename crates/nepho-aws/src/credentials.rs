//! Credentials: where they come from, and one cache that renews them ahead of time.
//!
//! Sources and their order follow the AWS SDK and tools reference guide ("Standardized credential providers"), one file a
//! source. Secrets are in no `Debug` output, no message and no log.

pub mod assume_role;
mod chain;
pub mod container;
pub mod environment;
mod local;
pub mod metadata;
pub mod process;
pub mod profile;
pub mod sso;
pub mod web_identity;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures::future::BoxFuture;
use nepho_collect::{Failure, FailureKind};
use serde_json::Value as Json;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::exchange::Clock;
use crate::failure;
use crate::protocol::timestamp;

pub use chain::resolve;
pub use environment::Environment;
pub use profile::{Config, Profile};

/// Renewed so long before they expire; those that live shorter, at half of their time.
const AHEAD: Duration = Duration::from_secs(300);

/// Those at hand are not renewed again before this has passed, however short they live.
const AT_LEAST: Duration = Duration::from_secs(10);

/// Those at hand, which could not be renewed, do for so long before that is tried again.
const AFTER_FAILURE: Duration = Duration::from_secs(30);

/// With none at hand, a failure that may pass by itself is told to all who ask for so long.
const FAILED_FOR_NOW: Duration = Duration::from_secs(2);

/// And any other for so long.
const FAILED_FOR_GOOD: Duration = Duration::from_secs(60);

/// A key pair and maybe a session token.
#[derive(Clone)]
pub struct Credentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    expires: Option<SystemTime>,
    /// Whether they surely work in every region that the account has enabled. Session tokens of STS's global endpoint
    /// do not (IAM user guide, "Managing AWS STS in an AWS Region"), and nothing in a token says where it is from.
    in_all_regions: bool,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Credentials").field("expires", &self.expires).finish_non_exhaustive()
    }
}

impl Credentials {
    /// From their parts.
    pub fn new(id: &str, secret: &str, token: Option<String>, expires: Option<SystemTime>) -> Self {
        Self {
            access_key_id: id.to_owned(),
            secret_access_key: secret.to_owned(),
            in_all_regions: token.is_none(),
            session_token: token,
            expires,
        }
    }

    /// The same, from a service that gives tokens for all regions.
    fn for_all_regions(self) -> Self {
        Self { in_all_regions: true, ..self }
    }

    /// Whether they surely work in every region that the account has enabled.
    pub fn in_all_regions(&self) -> bool {
        self.in_all_regions
    }

    /// From an answer's fields; `None` where one is missing or the time can't be read.
    fn from_json(json: &Json, names: [&str; 4]) -> Option<Self> {
        let [id, secret, token, expires] = names.map(|name| json.get(name));
        let expires = match expires {
            None | Some(Json::Null) => None,
            Some(Json::Number(millis)) => SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis.as_u64()?)),
            Some(time) => Some(timestamp::to_system(timestamp::read(time)?)?),
        };
        Some(Self::new(id?.as_str()?, secret?.as_str()?, token.and_then(Json::as_str).map(str::to_owned), expires))
    }

    pub(crate) fn to_identity(&self) -> aws_credential_types::Credentials {
        aws_credential_types::Credentials::new(
            self.access_key_id.clone(),
            self.secret_access_key.clone(),
            self.session_token.clone(),
            self.expires,
            "nephoscope",
        )
    }

    fn expired(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// No credentials.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CredentialsError {
    /// Nothing to try.
    #[error(
        "no AWS credentials found; tried the environment, the profile `{profile}`, the container and the instance; run \
         `aws configure` or `aws sso login`, or set AWS_PROFILE"
    )]
    None {
        /// The profile looked into.
        profile: String,
    },
    /// The profile is not there.
    #[error(
        "no profile `{profile}` in `{config}` or `{credentials}`; `aws configure list-profiles` shows those there are"
    )]
    NoProfile {
        /// Its name.
        profile: String,
        /// The configuration file.
        config: String,
        /// The credentials file.
        credentials: String,
    },
    /// The profile says something that can't be followed.
    #[error("profile `{profile}`: {problem}")]
    Profile {
        /// Its name.
        profile: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A source was asked and gave none.
    #[error("{origin}: {problem}")]
    Source {
        /// Which.
        origin: &'static str,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A `credential_process` gave none.
    #[error("credential_process: {problem}{}{said}", if said.is_empty() { "" } else { ": " })]
    Process {
        /// What is wrong and what to do.
        problem: String,
        /// The end of what it said on stderr.
        said: String,
    },
    /// AWS refused.
    #[error("{operation} failed: {code}: {message}", operation = operation, code = failure.code, message = failure.message)]
    Api {
        /// Which call, for which role.
        operation: String,
        /// AWS's answer.
        failure: Failure,
    },
}

impl CredentialsError {
    /// The engine's form: what AWS refused stays what it is. What passes by itself counts as a fault of the provider's:
    /// tried again, but held against neither the address nor the rate of the call that wanted the credentials.
    pub fn to_failure(&self) -> Failure {
        match self {
            Self::Api { failure, .. } => {
                let kind = if failure::passes(failure) { FailureKind::ServerFault } else { failure.kind };
                Failure { kind, message: self.to_string(), ..failure.clone() }
            }
            // What a command printed may be anything; it must not get into a recording.
            Self::Process { problem, .. } => failure::ours("NoCredentials", format!("credential_process: {problem}")),
            _ => failure::ours("NoCredentials", self.to_string()),
        }
    }

    fn passes(&self) -> bool {
        matches!(self, Self::Api { failure, .. } if failure::passes(failure))
    }
}

/// Where credentials come from.
pub trait Source: Send + Sync + fmt::Debug {
    /// Gets them anew.
    fn fetch(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>>;
}

/// Fixed credentials.
#[derive(Debug)]
pub struct Fixed(pub Credentials);

impl Source for Fixed {
    fn fetch(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

/// What a source gave last.
#[derive(Debug)]
enum Held {
    Nothing,
    Credentials {
        credentials: Credentials,
        /// When to renew them, by AWS's clock …
        due: Option<SystemTime>,
        /// … but not before this. By a clock of its own: AWS's may turn out to be another.
        not_before: Instant,
    },
    /// Nothing at hand, and no use in asking again so soon.
    Failure {
        error: CredentialsError,
        until: Instant,
    },
}

/// A source behind a cache: asked once at a time, and again before what it gave expires.
#[derive(Debug)]
pub struct CredentialProvider {
    source: Arc<dyn Source>,
    clock: Arc<Clock>,
    held: Mutex<Held>,
}

impl CredentialProvider {
    /// Over a source, by AWS's clock.
    pub fn new(source: Arc<dyn Source>, clock: Arc<Clock>) -> Self {
        Self { source, clock, held: Mutex::new(Held::Nothing) }
    }

    /// Credentials with some time left. Whoever comes while they are being renewed waits for the same ones.
    pub async fn get(&self) -> Result<Credentials, CredentialsError> {
        let mut held = self.held.lock().await;
        match &*held {
            Held::Credentials { credentials, due, not_before }
                if Instant::now() < *not_before || due.is_none_or(|due| self.clock.now() < due) =>
            {
                return Ok(credentials.clone());
            }
            Held::Failure { error, until } if Instant::now() < *until => return Err(error.clone()),
            _ => {}
        }
        match self.source.fetch().await {
            Ok(credentials) => {
                let now = self.clock.now();
                let due = credentials.expires.map(|expires| {
                    let life = expires.duration_since(now).unwrap_or_default();
                    expires.checked_sub(AHEAD.min(life / 2)).unwrap_or(expires)
                });
                let not_before = Instant::now() + AT_LEAST;
                *held = Held::Credentials { credentials: credentials.clone(), due, not_before };
                Ok(credentials)
            }
            Err(error) => {
                if let Held::Credentials { credentials, not_before, .. } = &mut *held
                    && !credentials.expired(self.clock.now())
                {
                    // Those at hand still do for a while.
                    *not_before = Instant::now() + AFTER_FAILURE;
                    return Ok(credentials.clone());
                }
                let pause = if error.passes() { FAILED_FOR_NOW } else { FAILED_FOR_GOOD };
                *held = Held::Failure { error: error.clone(), until: Instant::now() + pause };
                Err(error)
            }
        }
    }

    /// Forgets credentials that AWS calls expired, unless they have been renewed since.
    pub async fn forget(&self, used: &Credentials) {
        let mut held = self.held.lock().await;
        if matches!(&*held, Held::Credentials { credentials, .. } if credentials.access_key_id == used.access_key_id) {
            *held = Held::Nothing;
        }
    }

    /// Does something with credentials; those that AWS calls expired are renewed once, and it is done again.
    pub async fn with<T, F: Future<Output = Result<T, Failure>>>(
        &self,
        act: impl Fn(Credentials) -> F,
    ) -> Result<Result<T, Failure>, CredentialsError> {
        let credentials = self.get().await?;
        let outcome = act(credentials.clone()).await;
        if !matches!(&outcome, Err(failure) if failure::is_expired(failure)) {
            return Ok(outcome);
        }
        self.forget(&credentials).await;
        let renewed = self.get().await?;
        // A source that has no others gives the same.
        if renewed.access_key_id == credentials.access_key_id && renewed.session_token == credentials.session_token {
            return Ok(outcome);
        }
        Ok(act(renewed).await)
    }
}

#[cfg(test)]
mod tests;
