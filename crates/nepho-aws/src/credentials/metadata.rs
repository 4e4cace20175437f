//! The instance metadata service (IMDSv2).

use std::time::Duration;

use futures::future::BoxFuture;

use super::local::{Problem, patiently};
use super::{Credentials, CredentialsError, Environment, Profile, Source};
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
    /// From the environment, then the profile; `None` where it is switched off.
    pub fn find(environment: &Environment, profile: &Profile) -> Option<Self> {
        if environment.get("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return None;
        }
        let setting = |variable, key| environment.get(variable).or_else(|| profile.get(key));
        let ipv6 = setting("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode")
            .is_some_and(|mode| mode.eq_ignore_ascii_case("ipv6"));
        let default = if ipv6 { "http://[fd00:ec2::254]" } else { "http://169.254.169.254" };
        let endpoint = setting("AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint").unwrap_or(default);
        Some(Self { endpoint: endpoint.trim_end_matches('/').to_owned() })
    }

    /// Asks; tells whether the service is not there at all.
    pub(super) async fn ask(&self) -> Result<Credentials, Problem> {
        patiently(|| self.ask_once()).await
    }

    async fn ask_once(&self) -> Result<Credentials, Problem> {
        let client = exchange::local_client(Duration::from_secs(1)).map_err(|error| wrong(error.to_string()))?;
        let limit = Duration::from_secs(2);
        let token = client
            .put(format!("{}/latest/api/token", self.endpoint))
            .header("x-aws-ec2-metadata-token-ttl-seconds", "21600")
            .timeout(limit);
        let token = exchange::receive(token, 4096).await.map_err(|failure| Problem {
            error: wrong(failure.message),
            passes: false,
            absent: true,
        })?;
        let token = text(token)?;
        let get = |path: &str| {
            let request = client
                .get(format!("{}/latest/meta-data/iam/security-credentials/{path}", self.endpoint))
                .header("x-aws-ec2-metadata-token", &token)
                .timeout(limit);
            async move {
                let answer = exchange::receive(request, 1 << 16).await;
                text(answer.map_err(|failure| Problem {
                    error: wrong(failure.message),
                    passes: true,
                    absent: false,
                })?)
            }
        };
        let roles = get("").await?;
        let role = roles.lines().next().map(str::trim).filter(|role| !role.is_empty());
        let role = role.ok_or_else(|| wrong("the instance has no role"))?;
        let json = serde_json::from_str(&get(role).await?).map_err(|_| wrong("the answer is not JSON"))?;
        Credentials::from_json(&json, ["AccessKeyId", "SecretAccessKey", "Token", "Expiration"])
            .map(Credentials::for_all_regions)
            .ok_or_else(|| wrong("the answer holds no credentials").into())
    }
}

fn text(answer: Answer) -> Result<String, Problem> {
    match answer.status {
        200 => String::from_utf8(answer.body).map_err(|_| wrong("the answer is not text").into()),
        404 => Err(wrong("the instance has no role").into()),
        status => {
            let error = wrong(format!("the service answers {status}"));
            Err(Problem { error, passes: status == 429 || status >= 500, absent: false })
        }
    }
}

impl Source for Metadata {
    fn fetch(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
        Box::pin(async { self.ask().await.map_err(|problem| problem.error) })
    }
}
