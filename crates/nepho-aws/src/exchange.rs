//! One request, one answer: serialise, sign, send, read (bounded in size and time), decode.
//!
//! Knows no retries, except that an expired token is renewed once by the caller, and no accounts.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use nepho_collect::{Failure, FailureKind};
use serde_json::{Map, Value as Json};

use crate::credentials::Credentials;
use crate::endpoints::{self, Overrides};
use crate::model::Service;
use crate::protocol::{self, ApiError, HttpAnswer, ParseError};
use crate::signing::{self, Unsigned};
use crate::{failure, tables};

/// Limits of one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To connect.
    pub connect: Duration,
    /// For the whole exchange, the body included.
    pub call: Duration,
    /// Bytes of a body at most.
    pub max_body: usize,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), call: Duration::from_secs(60), max_body: 64 << 20 }
    }
}

/// The HTTP client could not be made: mostly, the system's certificates can't be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up HTTPS; are the system's CA certificates installed?")]
pub struct HttpError(#[from] reqwest::Error);

/// Sends requests to AWS.
#[derive(Debug)]
pub struct Exchange {
    http: reqwest::Client,
    overrides: Overrides,
    timeouts: Timeouts,
    /// Seconds that AWS's clock is ahead of ours.
    skew: AtomicI64,
}

/// Clocks further apart than this are adjusted for (AWS accepts 5 minutes).
const SKEW_TOLERANCE: i64 = 240;

impl Exchange {
    /// Sets up the HTTP client.
    pub fn new(overrides: Overrides, timeouts: Timeouts) -> Result<Self, HttpError> {
        let http = http_client(timeouts.connect, true)?;
        Ok(Self { http, overrides, timeouts, skew: AtomicI64::new(0) })
    }

    fn now(&self) -> SystemTime {
        let skew = self.skew.load(Ordering::Relaxed);
        let now = SystemTime::now();
        let shift = Duration::from_secs(skew.unsigned_abs());
        let moved = if skew < 0 { now.checked_sub(shift) } else { now.checked_add(shift) };
        moved.unwrap_or(now)
    }

    /// One call; without credentials only where the operation needs none.
    pub async fn call(
        &self,
        service: &str,
        operation: &str,
        region: &str,
        parameters: &Map<String, Json>,
        credentials: Option<&Credentials>,
    ) -> Result<Json, Failure> {
        let model = tables::service(service)
            .ok_or_else(|| failure::ours("UnknownService", format!("the tables have no service `{service}`")))?;
        match tokio::time::timeout(self.timeouts.call, self.attempt(model, operation, region, parameters, credentials))
            .await
        {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure {
                kind: FailureKind::TimedOut,
                code: "TimedOut".to_owned(),
                message: format!("no answer to `{service}:{operation}` in {region} within {:?}", self.timeouts.call),
                retry_after: None,
            }),
        }
    }

    async fn attempt(
        &self,
        service: &Service,
        operation: &str,
        region: &str,
        parameters: &Map<String, Json>,
        credentials: Option<&Credentials>,
    ) -> Result<Json, Failure> {
        let invalid = |error: &dyn std::fmt::Display| failure::ours("InvalidRequest", error.to_string());
        let request = protocol::serialize(service, operation, parameters).map_err(|error| invalid(&error))?;
        let endpoint = endpoints::resolve(service, region, &self.overrides).map_err(|error| invalid(&error))?;
        let bucket = (service.name == "s3").then(|| parameters.get("Bucket").and_then(Json::as_str)).flatten();
        let url = endpoint
            .address(&request.target(), request.host_prefix.as_deref(), bucket)
            .map_err(|error| invalid(&error))?;
        let mut headers = request.headers;
        let unsigned = service.operation(operation).is_some_and(|operation| operation.unsigned);
        if let Some(credentials) = credentials.filter(|_| !unsigned) {
            let plain = Unsigned { method: &request.method, url: url.as_str(), headers: &headers, body: &request.body };
            let signature = signing::sign(plain, credentials, &endpoint.region, &service.signing_name, self.now())
                .map_err(|error| invalid(&error))?;
            headers.extend(signature);
        }
        let method = reqwest::Method::from_bytes(request.method.as_bytes()).map_err(|error| invalid(&error))?;
        let mut outgoing = self.http.request(method, url).body(request.body);
        for (name, value) in &headers {
            outgoing = outgoing.header(name, value);
        }
        let answer = receive(outgoing, self.timeouts.max_body).await?;
        let view = HttpAnswer { status: answer.status, headers: &answer.headers, body: &answer.body };
        protocol::parse(service, operation, view).map_err(|error| match error {
            ParseError::Malformed(problem) if answer.status < 500 => Failure {
                kind: FailureKind::Malformed,
                code: "MalformedAnswer".to_owned(),
                message: problem.to_string(),
                retry_after: None,
            },
            ParseError::Malformed(problem) => failure::ours("MalformedAnswer", problem.to_string()),
            ParseError::Api(error) => self.classify(&error, &answer),
        })
    }

    fn classify(&self, error: &ApiError, answer: &Answer) -> Failure {
        let mut failure = failure::of(error, answer.header("retry-after"));
        if failure::is_skew(error) && self.adjust(answer.header("date")) {
            failure.kind = FailureKind::ServerFault;
        }
        failure
    }

    /// Takes over AWS's clock; whether it was far from ours.
    fn adjust(&self, date: Option<&str>) -> bool {
        let theirs = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        let Some(theirs) = theirs else { return false };
        let ours = jiff::Timestamp::now().as_second();
        let skew = theirs.timestamp().as_second().saturating_sub(ours);
        let before = self.skew.swap(skew, Ordering::Relaxed);
        skew.saturating_sub(before).abs() > SKEW_TOLERANCE
    }
}

/// A client with our TLS provider, no redirects, and the environment's proxies where wanted.
pub(crate) fn http_client(connect: Duration, proxies: bool) -> Result<reqwest::Client, reqwest::Error> {
    // Err: some other part of the process has set a provider already; either serves.
    drop(rustls::crypto::ring::default_provider().install_default());
    let builder = reqwest::Client::builder()
        .connect_timeout(connect)
        .redirect(reqwest::redirect::Policy::none())
        .pool_idle_timeout(Duration::from_secs(20))
        .user_agent(concat!("nephoscope/", env!("CARGO_PKG_VERSION")));
    if proxies { builder.build() } else { builder.no_proxy().build() }
}

/// An answer as it came, within limits.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Sends a request and reads the answer, `max_body` bytes of it at most.
pub(crate) async fn receive(request: reqwest::RequestBuilder, max_body: usize) -> Result<Answer, Failure> {
    let mut response = request.send().await.map_err(|error| failure::of_transport(&error))?;
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure::of_transport(&error))? {
        if body.len().saturating_add(chunk.len()) > max_body {
            return Err(Failure {
                kind: FailureKind::Malformed,
                code: "AnswerTooLarge".to_owned(),
                message: format!("the answer is larger than {max_body} bytes"),
                retry_after: None,
            });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body })
}
