//! One request, one answer: serialise, sign, send, read (bounded in size and time), decode.
//!
//! Knows no accounts, and no retries but those that change the request itself: signed by AWS's clock where ours is wrong,
//! sent to the region that a bucket turns out to be in. What passes by itself is the engine's to try again; while signing
//! in, when there is no engine, [`Exchange::patient_call`] does.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use nepho_collect::{Failure, FailureKind};
use serde_json::{Map, Value as Json};

use crate::credentials::Credentials;
use crate::endpoints::{self, Overrides};
use crate::model::Service;
use crate::protocol::{self, HttpAnswer, ParseError};
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

/// The HTTP client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Mostly, the system's certificates can't be read.
    #[error("cannot set up HTTPS; are the system's CA certificates installed?")]
    Client(#[from] reqwest::Error),
    /// The certificates that the user names can't be.
    #[error("cannot read CA certificates from `{}` (AWS_CA_BUNDLE or `ca_bundle`): {problem}", path.display())]
    Bundle {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

/// AWS's clock: ours, moved by what AWS's answers show.
#[derive(Debug, Default)]
pub struct Clock {
    /// Seconds that AWS's clock is ahead of ours.
    skew: AtomicI64,
}

impl Clock {
    /// How far ahead AWS's clock is taken to be, in seconds.
    pub fn skew(&self) -> i64 {
        self.skew.load(Ordering::Relaxed)
    }

    /// The time by AWS's clock.
    pub fn now(&self) -> SystemTime {
        self.at(self.skew())
    }

    fn at(&self, skew: i64) -> SystemTime {
        let now = SystemTime::now();
        let shift = Duration::from_secs(skew.unsigned_abs());
        let moved = if skew < 0 { now.checked_sub(shift) } else { now.checked_add(shift) };
        moved.unwrap_or(now)
    }

    /// Takes AWS's clock to be so far ahead.
    pub(crate) fn set_skew(&self, seconds: i64) {
        self.skew.store(seconds, Ordering::Relaxed);
    }
}

/// Sends requests to AWS.
#[derive(Debug)]
pub struct Exchange {
    http: reqwest::Client,
    overrides: Overrides,
    timeouts: Timeouts,
    clock: Arc<Clock>,
}

/// Clocks further apart than this are adjusted for (AWS accepts 5 minutes).
const SKEW_TOLERANCE: i64 = 240;

/// Attempts at a call that nothing else tries again.
const PATIENT_ATTEMPTS: u32 = 5;
/// The longest that one of its waits may be.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What would make a failed attempt succeed.
#[derive(Debug, PartialEq, Eq)]
enum Mend {
    /// Nothing that we could do.
    None,
    /// It was signed by a clock that was wrong; the right time is known now.
    Clock,
    /// The bucket is in this region.
    Region(String),
}

type Unmended = (Failure, Mend);

fn unmended(failure: Failure) -> Unmended {
    (failure, Mend::None)
}

impl Exchange {
    /// Sets up the HTTP client. With a `ca_bundle`, a PEM file, servers are trusted by its certificates alone.
    pub fn new(overrides: Overrides, timeouts: Timeouts, ca_bundle: Option<&Path>) -> Result<Self, HttpError> {
        let mut builder = http_builder(timeouts.connect);
        if let Some(path) = ca_bundle {
            builder = builder.tls_certs_only(certificates(path)?);
        }
        let http = builder.build()?;
        Ok(Self { http, overrides, timeouts, clock: Arc::default() })
    }

    /// AWS's clock, as far as its answers have shown it.
    pub fn clock(&self) -> &Arc<Clock> {
        &self.clock
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
        self.call_within(self.timeouts.call, service, operation, region, parameters, credentials).await
    }

    async fn call_within(
        &self,
        limit: Duration,
        service: &str,
        operation: &str,
        region: &str,
        parameters: &Map<String, Json>,
        credentials: Option<&Credentials>,
    ) -> Result<Json, Failure> {
        let model = tables::service(service)
            .ok_or_else(|| failure::ours("UnknownService", format!("the tables have no service `{service}`")))?;
        let attempt = self.mended(model, operation, region, parameters, credentials);
        tokio::time::timeout(limit, attempt).await.unwrap_or_else(|_| {
            Err(Failure {
                kind: FailureKind::TimedOut,
                code: "TimedOut".to_owned(),
                message: format!("no answer to `{service}:{operation}` in {region} within {limit:?}"),
                retry_after: None,
            })
        })
    }

    /// The same, tried again where that may help: for calls for credentials, which no engine stands behind. All of it takes
    /// less than one call may, because a call waits for it.
    pub async fn patient_call(
        &self,
        service: &str,
        operation: &str,
        region: &str,
        parameters: &Map<String, Json>,
        credentials: Option<&Credentials>,
    ) -> Result<Json, Failure> {
        let begun = tokio::time::Instant::now();
        let most = self.timeouts.call.mul_f64(0.8);
        let mut wait = Duration::from_millis(200);
        let mut tries = 0;
        loop {
            let limit = most.saturating_sub(begun.elapsed()).min(self.timeouts.call / 3);
            let outcome = self.call_within(limit, service, operation, region, parameters, credentials).await;
            tries += 1;
            let failure = match outcome {
                Err(failure) if failure::passes(&failure) => failure,
                outcome => return outcome,
            };
            let jittered = wait.mul_f64(0.5 + fastrand::f64() * 0.5);
            let pause = jittered.max(failure.retry_after.unwrap_or_default().min(LONGEST_WAIT));
            if tries == PATIENT_ATTEMPTS || begun.elapsed() + pause >= most {
                return Err(failure);
            }
            tokio::time::sleep(pause).await;
            wait = wait.saturating_mul(2);
        }
    }

    /// One attempt, and one more for each way in which the first turned out to be wrong.
    async fn mended(
        &self,
        service: &Service,
        operation: &str,
        region: &str,
        parameters: &Map<String, Json>,
        credentials: Option<&Credentials>,
    ) -> Result<Json, Failure> {
        let mut region = region.to_owned();
        let (mut clock_mended, mut region_mended) = (false, false);
        loop {
            let (failure, mend) = match self.attempt(service, operation, &region, parameters, credentials).await {
                Ok(answer) => return Ok(answer),
                Err(unmended) => unmended,
            };
            match mend {
                Mend::Clock if !clock_mended => clock_mended = true,
                Mend::Region(right) if !region_mended => (region, region_mended) = (right, true),
                _ => return Err(failure),
            }
        }
    }

    async fn attempt(
        &self,
        service: &Service,
        operation: &str,
        region: &str,
        parameters: &Map<String, Json>,
        credentials: Option<&Credentials>,
    ) -> Result<Json, Unmended> {
        let invalid = |error: &dyn std::fmt::Display| unmended(failure::ours("InvalidRequest", error.to_string()));
        let request = protocol::serialize(service, operation, parameters).map_err(|error| invalid(&error))?;
        let endpoint = endpoints::resolve(service, region, &self.overrides).map_err(|error| invalid(&error))?;
        let bucket = (service.name == "s3").then(|| parameters.get("Bucket").and_then(Json::as_str)).flatten();
        let url = endpoint
            .address(&request.target(), request.host_prefix.as_deref(), bucket)
            .map_err(|error| invalid(&error))?;
        let mut headers = request.headers;
        let unsigned = service.operation(operation).is_some_and(|operation| operation.unsigned);
        let skew = self.clock.skew();
        if let Some(credentials) = credentials.filter(|_| !unsigned) {
            let plain = Unsigned { method: &request.method, url: url.as_str(), headers: &headers, body: &request.body };
            let time = self.clock.at(skew);
            let signature = signing::sign(plain, credentials, &endpoint.region, &service.signing_name, time)
                .map_err(|error| invalid(&error))?;
            headers.extend(signature);
        }
        let method = reqwest::Method::from_bytes(request.method.as_bytes()).map_err(|error| invalid(&error))?;
        let mut outgoing = self.http.request(method, url).body(request.body);
        for (name, value) in &headers {
            outgoing = outgoing.header(name, value);
        }
        let answer = receive(outgoing, self.timeouts.max_body).await.map_err(unmended)?;
        let view = HttpAnswer { status: answer.status, headers: &answer.headers, body: &answer.body };
        protocol::parse(service, operation, view).map_err(|error| match error {
            ParseError::Malformed(problem) if answer.status < 500 => unmended(Failure {
                kind: FailureKind::Malformed,
                code: "MalformedAnswer".to_owned(),
                message: problem.to_string(),
                retry_after: None,
            }),
            ParseError::Malformed(problem) => unmended(failure::ours("MalformedAnswer", problem.to_string())),
            ParseError::Api(error) => {
                let mend = match bucket.and_then(|_| other_region(&answer, &endpoint.region)) {
                    Some(region) => Mend::Region(region.to_owned()),
                    None if failure::is_skew(&error) && self.adjust(answer.header("date"), skew) => Mend::Clock,
                    None => Mend::None,
                };
                (failure::of(&error, answer.header("retry-after")), mend)
            }
        })
    }

    /// Takes over AWS's clock; whether a request that was signed with the skew `used` was signed by the wrong time. Many
    /// calls under way may all have been, although the first of them to fail has put the clock right already.
    fn adjust(&self, date: Option<&str>, used: i64) -> bool {
        let theirs = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        let Some(theirs) = theirs else { return false };
        let ours = jiff::Timestamp::now().as_second();
        let skew = theirs.timestamp().as_second().saturating_sub(ours);
        self.clock.set_skew(skew);
        skew.saturating_sub(used).saturating_abs() > SKEW_TOLERANCE
    }
}

/// The region that S3 says the bucket is in, where it is another than the one asked. It becomes part of a host name, so it
/// must be a region that the tables know.
fn other_region<'a>(answer: &'a Answer, asked: &str) -> Option<&'a str> {
    let region = answer.header("x-amz-bucket-region").map(str::trim)?;
    let refused = matches!(answer.status, 301 | 307 | 400 | 403);
    let known = endpoints::regions_of(endpoints::partition_of(asked)).contains(&region);
    (refused && known && region != asked).then_some(region)
}

/// The certificates in a PEM file.
fn certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, HttpError> {
    let wrong = |problem: String| HttpError::Bundle { path: path.to_owned(), problem };
    let text = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    match reqwest::Certificate::from_pem_bundle(&text) {
        Ok(found) if found.is_empty() => Err(wrong("there are none in it; it must be PEM".to_owned())),
        Ok(found) => Ok(found),
        Err(_) => Err(wrong("it is not PEM".to_owned())),
    }
}

/// A client with our TLS provider, no redirects, and the environment's proxies.
fn http_builder(connect: Duration) -> reqwest::ClientBuilder {
    // Err: some other part of the process has set a provider already; either serves.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder()
        .connect_timeout(connect)
        .redirect(reqwest::redirect::Policy::none())
        .pool_idle_timeout(Duration::from_secs(20))
        .user_agent(concat!("nephoscope/", env!("CARGO_PKG_VERSION")))
}

/// The same without proxies, for what is on this machine.
pub(crate) fn local_client(connect: Duration) -> Result<reqwest::Client, reqwest::Error> {
    http_builder(connect).no_proxy().build()
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
