//! The credentials endpoint of ECS tasks and EKS pods.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use futures::future::BoxFuture;
use url::Url;

use super::local::{Problem, patiently};
use super::{Credentials, CredentialsError, Environment, Source};
use crate::exchange;

/// The endpoint, and how to show who asks.
#[derive(Debug)]
pub struct Container {
    url: Url,
    token_file: Option<PathBuf>,
    token: Option<Token>,
}

struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Token")
    }
}

fn wrong(problem: impl Into<String>) -> CredentialsError {
    CredentialsError::Source { origin: "container credentials", problem: problem.into() }
}

impl Container {
    /// From the environment; `None` outside of containers that have one.
    pub fn from_environment(environment: &Environment) -> Option<Result<Self, CredentialsError>> {
        let address = match environment.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
            Some(path) => format!("http://169.254.170.2{path}"),
            None => environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")?.to_owned(),
        };
        let url = match Url::parse(&address) {
            Ok(url) if allowed(&url) => url,
            _ => {
                return Some(Err(wrong(
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or http to a loopback or container address",
                )));
            }
        };
        let token_file = environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").map(PathBuf::from);
        let token = environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(|token| Token(token.to_owned()));
        Some(Ok(Self { url, token_file, token }))
    }

    async fn ask(&self) -> Result<Credentials, CredentialsError> {
        patiently(|| self.ask_once()).await.map_err(|problem| problem.error)
    }

    async fn ask_once(&self) -> Result<Credentials, Problem> {
        let client = exchange::local_client(Duration::from_secs(2)).map_err(|error| wrong(error.to_string()))?;
        let mut request = client.get(self.url.clone()).timeout(Duration::from_secs(5));
        let token = match &self.token_file {
            Some(path) => Some(
                std::fs::read_to_string(path)
                    .map_err(|error| wrong(format!("cannot read the token in `{}`: {error}", path.display())))?,
            ),
            None => self.token.as_ref().map(|token| token.0.clone()),
        };
        if let Some(token) = token {
            request = request.header("Authorization", token.trim());
        }
        let answer = exchange::receive(request, 1 << 20).await.map_err(|failure| Problem {
            error: wrong(failure.message),
            passes: true,
            absent: false,
        })?;
        if answer.status != 200 {
            let error = wrong(format!("the endpoint answers {}", answer.status));
            return Err(Problem { error, passes: answer.status == 429 || answer.status >= 500, absent: false });
        }
        let json = serde_json::from_slice(&answer.body).map_err(|_| wrong("the answer is not JSON"))?;
        Credentials::from_json(&json, ["AccessKeyId", "SecretAccessKey", "Token", "Expiration"])
            .map(Credentials::for_all_regions)
            .ok_or_else(|| wrong("the answer holds no credentials").into())
    }
}

/// Plain HTTP only to this machine and the link-local addresses of ECS and EKS.
fn allowed(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let link_local = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"].contains(&host);
    let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    url.scheme() == "https" || (url.scheme() == "http" && (link_local || loopback))
}

impl Source for Container {
    fn fetch(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
        Box::pin(self.ask())
    }
}
