//! Web identity: a token in a file (EKS, GitHub Actions, …) exchanged for a role's credentials.

use std::path::PathBuf;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::{Map, Value as Json};

use super::{Credentials, CredentialsError, Environment, Profile, Source, assume_role};
use crate::exchange::Exchange;

/// A role and the file with the token.
#[derive(Debug)]
pub struct WebIdentity {
    exchange: Arc<Exchange>,
    region: String,
    role_arn: String,
    session_name: String,
    token_file: PathBuf,
}

impl WebIdentity {
    /// From the environment, or a profile; `None` where neither says so.
    pub fn find(
        environment: &Environment,
        profile: Option<&Profile>,
        region: &str,
        exchange: &Arc<Exchange>,
    ) -> Option<Self> {
        let setting = |variable, key| match profile {
            Some(profile) => profile.get(key),
            None => environment.get(variable),
        };
        Some(Self {
            exchange: exchange.clone(),
            region: region.to_owned(),
            role_arn: setting("AWS_ROLE_ARN", "role_arn")?.to_owned(),
            token_file: environment.path(setting("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file")?),
            session_name: setting("AWS_ROLE_SESSION_NAME", "role_session_name").unwrap_or("nephoscope").to_owned(),
        })
    }

    async fn exchange(&self) -> Result<Credentials, CredentialsError> {
        let token = std::fs::read_to_string(&self.token_file).map_err(|error| CredentialsError::Source {
            origin: "web identity",
            problem: format!("cannot read the token in `{}`: {error}", self.token_file.display()),
        })?;
        let mut parameters = Map::new();
        for (name, value) in [
            ("RoleArn", self.role_arn.as_str()),
            ("RoleSessionName", &self.session_name),
            ("WebIdentityToken", token.trim()),
        ] {
            parameters.insert(name.to_owned(), Json::from(value));
        }
        let operation = "AssumeRoleWithWebIdentity";
        let answer = self.exchange.patient_call("sts", operation, &self.region, &parameters, None).await;
        assume_role::credentials(operation, &self.role_arn, answer)
    }
}

impl Source for WebIdentity {
    fn fetch(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
        Box::pin(self.exchange())
    }
}
