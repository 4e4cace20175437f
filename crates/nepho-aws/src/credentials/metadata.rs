//! The instance metadata service (IMDSv2).

use std::time::Duration;

use futures::future::BoxFuture;

use super::{Credentials, CredentialsError, Environment, Source};
use crate::exchange::{self, Answer};

/// The role of the EC2 instance that this runs on.
#[derive(Debug)]
pub struct Metadata {
    endpoint: String,
}

fn wrong(problem: impl Into<String>) -> CredentialsError {
    CredentialsError::Source { origin: "instance metadata", problem: problem.into() }
}

impl Metadata {
    /// From the environment; `None` where it is switched off.
    pub fn from_environment(environment: &Environment) -> Option<Self> {
        if environment.get("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return None;
        }
        let ipv6 = environment
            .get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")
            .is_some_and(|mode| mode.eq_ignore_ascii_case("ipv6"));
        let default = if ipv6 { "http://[fd00:ec2::254]" } else { "http://169.254.169.254" };
        let endpoint = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or(default);
        Some(Self { endpoint: endpoint.trim_end_matches('/').to_owned() })
    }

    async fn ask(&self) -> Result<Credentials, CredentialsError> {
        let client = exchange::http_client(Duration::from_secs(1), false).map_err(|error| wrong(error.to_string()))?;
        let limit = Duration::from_secs(2);
        let token = client
            .put(format!("{}/latest/api/token", self.endpoint))
            .header("x-aws-ec2-metadata-token-ttl-seconds", "21600")
            .timeout(limit);
        let token = text(exchange::receive(token, 4096).await.map_err(|failure| wrong(failure.message))?)?;
        let get = |path: &str| {
            let request = client
                .get(format!("{}/latest/meta-data/iam/security-credentials/{path}", self.endpoint))
                .header("x-aws-ec2-metadata-token", &token)
                .timeout(limit);
            async move { text(exchange::receive(request, 1 << 16).await.map_err(|failure| wrong(failure.message))?) }
        };
        let roles = get("").await?;
        let role = roles.lines().next().map(str::trim).filter(|role| !role.is_empty());
        let role = role.ok_or_else(|| wrong("the instance has no role"))?;
        let json = serde_json::from_str(&get(role).await?).map_err(|_| wrong("the answer is not JSON"))?;
        Credentials::from_json(&json, ["AccessKeyId", "SecretAccessKey", "Token", "Expiration"])
            .ok_or_else(|| wrong("the answer holds no credentials"))
    }
}

fn text(answer: Answer) -> Result<String, CredentialsError> {
    match answer.status {
        200 => String::from_utf8(answer.body).map_err(|_| wrong("the answer is not text")),
        404 => Err(wrong("the instance has no role")),
        status => Err(wrong(format!("the service answers {status}"))),
    }
}

impl Source for Metadata {
    fn fetch(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
        Box::pin(self.ask())
    }
}
