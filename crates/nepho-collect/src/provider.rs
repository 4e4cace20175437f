//! What the engine asks of a provider crate.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use nepho_model::CoverageState;
use serde_json::{Map, Value as Json};

/// One API call: where, what, with which parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The account it is made in.
    pub account: Arc<str>,
    /// The region it is made in; for global services the partition's home region.
    pub region: Arc<str>,
    /// The service by the provider's own name (botocore's for AWS).
    pub service: Arc<str>,
    /// The operation as the provider's API model spells it.
    pub operation: Arc<str>,
    /// Parameters as an SDK takes them.
    pub parameters: Map<String, Json>,
}

/// What kind of failure an attempt ended in; decides whether the engine tries again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// Permission lacking. Final.
    Denied,
    /// Too many calls. Tried again, and the limiter slows down.
    Throttled,
    /// No answer in time. Tried again.
    TimedOut,
    /// The answer could not be decoded. Tried again once (a body may be cut off), then final.
    Malformed,
    /// Connection refused, reset, broken. Tried again.
    Unreachable,
    /// 5xx. Tried again.
    ServerFault,
    /// The provider names another error. Final.
    Failed,
}

impl FailureKind {
    /// The coverage state that a failure of this kind ends in.
    pub fn coverage(self) -> CoverageState {
        match self {
            Self::Denied => CoverageState::Denied,
            Self::Throttled => CoverageState::Throttled,
            Self::TimedOut => CoverageState::TimedOut,
            Self::Malformed => CoverageState::Malformed,
            Self::Unreachable => CoverageState::Unreachable,
            Self::ServerFault => CoverageState::ServerFault,
            Self::Failed => CoverageState::Failed,
        }
    }
}

/// Why one attempt brought no answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// What kind of failure it is.
    pub kind: FailureKind,
    /// The provider's own error code (`AccessDenied`); a word of ours where no answer came (`ConnectionReset`).
    pub code: String,
    /// The provider's own words.
    pub message: String,
    /// How long the provider asks to wait, where it does.
    pub retry_after: Option<Duration>,
}

/// How an operation pages. Expressions are JMESPath over the answer.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Pagination {
    /// Parameters that take the tokens, in step with `output_tokens`.
    pub input_tokens: Vec<String>,
    /// Where the next tokens stand in an answer.
    pub output_tokens: Vec<String>,
    /// Where an answer says whether there is more; without it, a next token means there is.
    pub more_results: Option<String>,
    /// The page-size parameter.
    pub limit_key: Option<String>,
}

/// What a transform may know beside the value.
pub struct TransformContext<'a> {
    /// The resource's account.
    pub account: &'a str,
    /// The resource's region.
    pub region: &'a str,
    /// The item the value comes from.
    pub item: &'a Json,
    /// The `args` of the property, null without.
    pub args: &'a Json,
}

/// A named transform that kind files may use: value in, value out; an error says what is wrong with the value and makes
/// the property unknown (malformed).
pub type Transform = fn(&Json, &TransformContext<'_>) -> Result<Json, String>;

/// A cloud, as the engine sees it. Implemented by each provider crate for the live API and by tests for fakes; replays
/// need no provider but for its tables ([`Provider::pagination`] and below).
pub trait Provider: Send + Sync {
    /// Makes one attempt at one call: signs, sends, decodes. No retries here. The answer is in the shape that the
    /// provider's own SDKs and CLI print.
    fn attempt<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Json, Failure>>;

    /// How the operation pages; `None` when it does not.
    fn pagination(&self, service: &str, operation: &str) -> Option<Arc<Pagination>>;

    /// Whether the service is offered in the region; `None` when the tables do not say.
    fn offered(&self, service: &str, region: &str) -> Option<bool>;

    /// The transform of that name.
    fn transform(&self, name: &str) -> Option<Transform>;
}
