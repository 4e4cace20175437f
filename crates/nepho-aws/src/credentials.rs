//! Credentials: where they come from, and one cache that renews them ahead of time.
//!
//! Sources and their order follow the AWS SDK and tools reference guide ("Standardized credential providers"), one file a
//! source. Secrets are in no `Debug` output, no message and no log.

pub mod assume_role;
mod chain;
pub mod container;
pub mod environment;
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

use crate::protocol::timestamp;

pub use chain::resolve;
pub use environment::Environment;
pub use profile::{Config, Profile};

/// Renewed so long before they expire.
const AHEAD: Duration = Duration::from_secs(300);

/// A key pair and maybe a session token.
#[derive(Clone)]
pub struct Credentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    expires: Option<SystemTime>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Credentials").field("expires", &self.expires).finish_non_exhaustive()
    }
}

impl Credentials {
    /// From their parts.
    pub fn new(id: &str, secret: &str, token: Option<String>, expires: Option<SystemTime>) -> Self {
        Self { access_key_id: id.to_owned(), secret_access_key: secret.to_owned(), session_token: token, expires }
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

    fn fresh(&self, ahead: Duration) -> bool {
        let limit = SystemTime::now().checked_add(ahead);
        self.expires.is_none_or(|expires| limit.is_some_and(|limit| expires > limit))
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
    /// The engine's form: what AWS refused stays what it is.
    pub fn to_failure(&self) -> Failure {
        match self {
            Self::Api { failure, .. } => Failure { message: self.to_string(), ..failure.clone() },
            _ => Failure {
                kind: FailureKind::Failed,
                code: "NoCredentials".to_owned(),
                message: self.to_string(),
                retry_after: None,
            },
        }
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

/// A source behind a cache: asked once at a time, and again before what it gave expires.
#[derive(Debug)]
pub struct CredentialProvider {
    source: Arc<dyn Source>,
    held: Mutex<Option<Credentials>>,
}

impl CredentialProvider {
    /// Over a source.
    pub fn new(source: Arc<dyn Source>) -> Self {
        Self { source, held: Mutex::new(None) }
    }

    /// Credentials with some time left. Whoever comes while they are being renewed waits for the same ones.
    pub async fn get(&self) -> Result<Credentials, CredentialsError> {
        let mut held = self.held.lock().await;
        if let Some(credentials) = held.as_ref().filter(|credentials| credentials.fresh(AHEAD)) {
            return Ok(credentials.clone());
        }
        match self.source.fetch().await {
            Ok(credentials) => {
                *held = Some(credentials.clone());
                Ok(credentials)
            }
            // Those at hand may still do for a while.
            Err(error) => match held.as_ref().filter(|credentials| credentials.fresh(Duration::ZERO)) {
                Some(credentials) => Ok(credentials.clone()),
                None => Err(error),
            },
        }
    }

    /// Forgets credentials that AWS calls expired, unless they have been renewed since.
    pub async fn forget(&self, used: &Credentials) {
        let mut held = self.held.lock().await;
        if held.as_ref().is_some_and(|held| held.access_key_id == used.access_key_id) {
            *held = None;
        }
    }
}

#[cfg(test)]
mod tests;
