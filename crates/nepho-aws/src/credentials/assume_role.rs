//! A role assumed with other credentials: profiles with `role_arn`, and the accounts of an organisation.

use std::sync::Arc;

use futures::future::BoxFuture;
use nepho_collect::Failure;
use serde_json::{Map, Value as Json};

use super::{CredentialProvider, Credentials, CredentialsError, Source};
use crate::exchange::Exchange;

/// A role to assume.
#[derive(Debug)]
pub struct AssumeRole {
    /// How to ask.
    pub exchange: Arc<Exchange>,
    /// Whose credentials to ask with.
    pub base: Arc<CredentialProvider>,
    /// Region of the STS endpoint.
    pub region: String,
    /// The role.
    pub role_arn: String,
    /// Shows in the other account's CloudTrail.
    pub session_name: String,
    /// The other side's safeguard against confused deputies.
    pub external_id: Option<String>,
    /// How long the credentials last, where not the default hour.
    pub duration_seconds: Option<u32>,
}

impl AssumeRole {
    async fn ask(&self) -> Result<Credentials, CredentialsError> {
        let mut parameters = Map::new();
        parameters.insert("RoleArn".to_owned(), Json::from(self.role_arn.as_str()));
        parameters.insert("RoleSessionName".to_owned(), Json::from(self.session_name.as_str()));
        if let Some(id) = &self.external_id {
            parameters.insert("ExternalId".to_owned(), Json::from(id.as_str()));
        }
        if let Some(seconds) = self.duration_seconds {
            parameters.insert("DurationSeconds".to_owned(), Json::from(seconds));
        }
        let ask = |base: Credentials| {
            let parameters = &parameters;
            async move { self.exchange.patient_call("sts", "AssumeRole", &self.region, parameters, Some(&base)).await }
        };
        // The base may itself be a role that has expired.
        let answer = self.base.with(ask).await?;
        credentials("AssumeRole", &self.role_arn, answer)
    }
}

/// The credentials in an answer of STS.
pub(super) fn credentials(
    operation: &str,
    role_arn: &str,
    answer: Result<Json, Failure>,
) -> Result<Credentials, CredentialsError> {
    let answer = answer
        .map_err(|failure| CredentialsError::Api { operation: format!("sts:{operation} for `{role_arn}`"), failure })?;
    answer
        .get("Credentials")
        .and_then(|found| {
            Credentials::from_json(found, ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"])
        })
        // Regional endpoints give tokens that work in all regions.
        .map(Credentials::for_all_regions)
        .ok_or_else(|| CredentialsError::Source {
            origin: "sts",
            problem: format!("the answer to {operation} for `{role_arn}` holds no credentials"),
        })
}

impl Source for AssumeRole {
    fn fetch(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
        Box::pin(self.ask())
    }
}
