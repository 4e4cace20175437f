//! AWS's errors by what the engine does about them.
//!
//! Codes: botocore's `retries/standard.py` and `_retry.json`, and the "Common errors" pages of the services.

use std::error::Error as _;
use std::time::Duration;

use nepho_collect::{Failure, FailureKind};

use crate::protocol::ApiError;

const THROTTLED: &[&str] = &[
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

const DENIED: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "AccessDeniedFault",
    "AuthorizationError",
    "AuthorizationErrorException",
    "Client.UnauthorizedOperation",
    "Forbidden",
    "ForbiddenException",
    "NotAuthorized",
    "NotAuthorizedException",
    "UnauthorizedAccess",
    "UnauthorizedException",
    "UnauthorizedOperation",
];

/// The account or the credentials are at fault, not a permission; 403 or not.
const NOT_DENIED: &[&str] = &[
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "OptInRequired",
    "RegionDisabledException",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "SubscriptionRequiredException",
    "UnrecognizedClientException",
];

/// Server-side failures that come with a 4xx status.
const SERVER: &[&str] = &[
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
];

const EXPIRED: &[&str] = &["ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"];

const SKEW: &[&str] = &[
    "AuthFailure",
    "InvalidSignatureException",
    "RequestExpired",
    "RequestInTheFuture",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
];

fn has(error: &ApiError, codes: &[&str]) -> bool {
    codes.contains(&error.code.as_str()) || error.other_code.as_deref().is_some_and(|code| codes.contains(&code))
}

/// Whether the error may come from clocks that differ.
pub(crate) fn is_skew(error: &ApiError) -> bool {
    has(error, SKEW)
}

/// Whether the credentials are past their time.
pub(crate) fn is_expired(failure: &Failure) -> bool {
    EXPIRED.contains(&failure.code.as_str())
}

/// Whether an account whose credentials work elsewhere has the region switched off.
pub(crate) fn is_region_off(failure: &Failure) -> bool {
    ["AuthFailure", "InvalidClientTokenId", "RegionDisabledException", "UnrecognizedClientException"]
        .contains(&failure.code.as_str())
}

/// Whether the failure may pass by itself, so that asking again may help.
pub(crate) fn passes(failure: &Failure) -> bool {
    use FailureKind::{Malformed, ServerFault, Throttled, TimedOut, Unreachable};
    matches!(failure.kind, Throttled | TimedOut | Unreachable | ServerFault | Malformed)
}

/// What kind of failure an error is.
pub(crate) fn kind_of(error: &ApiError) -> FailureKind {
    if has(error, THROTTLED) || error.status == 429 {
        FailureKind::Throttled
    } else if has(error, DENIED) {
        FailureKind::Denied
    } else if has(error, NOT_DENIED) {
        FailureKind::Failed
    } else if error.status == 403 {
        FailureKind::Denied
    } else if error.status >= 500 || has(error, SERVER) {
        FailureKind::ServerFault
    } else {
        FailureKind::Failed
    }
}

/// The engine's form of an error.
pub(crate) fn of(error: &ApiError, retry_after: Option<&str>) -> Failure {
    Failure {
        kind: kind_of(error),
        code: error.code.clone(),
        message: error.message.clone(),
        retry_after: retry_after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs),
    }
}

/// A final failure that no answer of AWS's is behind.
pub(crate) fn ours(code: &str, message: String) -> Failure {
    Failure { kind: FailureKind::Failed, code: code.to_owned(), message, retry_after: None }
}

/// The engine's form of a failed connection. Of the address only the origin is told: the rest may hold parameters.
pub(crate) fn of_transport(error: &reqwest::Error) -> Failure {
    let (kind, code) = if error.is_timeout() {
        (FailureKind::TimedOut, "TimedOut")
    } else if error.is_connect() {
        (FailureKind::Unreachable, "ConnectionFailed")
    } else if error.is_builder() {
        (FailureKind::Failed, "InvalidRequest")
    } else {
        (FailureKind::Unreachable, "ConnectionBroken")
    };
    let mut cause = error.source();
    let mut message = String::new();
    while let Some(error) = cause {
        message = error.to_string();
        cause = error.source();
    }
    if message.is_empty() {
        message = "the connection failed".to_owned();
    }
    if let Some(url) = error.url() {
        message = format!("{}: {message}", url.origin().ascii_serialization());
    }
    Failure { kind, code: code.to_owned(), message, retry_after: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status: u16, code: &str) -> FailureKind {
        kind_of(&ApiError { status, code: code.to_owned(), message: String::new(), other_code: None })
    }

    #[test]
    fn kinds() {
        assert_eq!(kind(403, "AccessDenied"), FailureKind::Denied);
        assert_eq!(kind(400, "AccessDeniedException"), FailureKind::Denied);
        assert_eq!(kind(403, "UnauthorizedOperation"), FailureKind::Denied);
        assert_eq!(kind(403, "SomethingElse"), FailureKind::Denied);
        assert_eq!(kind(400, "ThrottlingException"), FailureKind::Throttled);
        assert_eq!(kind(429, "429"), FailureKind::Throttled);
        assert_eq!(kind(503, "SlowDown"), FailureKind::Throttled);
        assert_eq!(kind(503, "503"), FailureKind::ServerFault);
        assert_eq!(kind(403, "OptInRequired"), FailureKind::Failed);
        assert_eq!(kind(403, "InvalidClientTokenId"), FailureKind::Failed);
        assert_eq!(kind(404, "NoSuchBucketPolicy"), FailureKind::Failed);
    }
}
