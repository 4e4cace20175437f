//! What a collection could and could not read.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// How one kind's reading in one account and region ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoverageState {
    /// Everything was read.
    Complete,
    /// The region does not offer the service: there is nothing to read. Counts as complete.
    NotOffered,
    /// The account has not switched the region on: there can be nothing in it. Counts as complete.
    RegionDisabled,
    /// The provider refused: permission lacking.
    Denied,
    /// Throttled until the retries were used up.
    Throttled,
    /// No answer within the time limit.
    TimedOut,
    /// The answer could not be understood, or its paging never ended.
    Malformed,
    /// The endpoint could not be reached, or the connection broke until the retries were used up.
    Unreachable,
    /// The provider answered with a fault of its own (5xx) until the retries were used up.
    ServerFault,
    /// The call is not in the recording that was replayed.
    NotRecorded,
    /// Any other error that the provider named.
    Failed,
    /// Cut off by a limit of ours (items, bytes, depth) or by cancellation.
    Cut,
}

impl CoverageState {
    /// Whether nothing is missing.
    pub fn is_complete(self) -> bool {
        matches!(self, Self::Complete | Self::NotOffered | Self::RegionDisabled)
    }

    /// The word used in every file and report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::NotOffered => "not_offered",
            Self::RegionDisabled => "region_disabled",
            Self::Denied => "denied",
            Self::Throttled => "throttled",
            Self::TimedOut => "timed_out",
            Self::Malformed => "malformed",
            Self::Unreachable => "unreachable",
            Self::ServerFault => "server_fault",
            Self::NotRecorded => "not_recorded",
            Self::Failed => "failed",
            Self::Cut => "cut",
        }
    }
}

/// One line of coverage: one call of one kind in one account and region, with one outcome.
///
/// A kind with a list call and further calls per item has one entry for the list call and, for each further call, one
/// entry per distinct outcome other than complete.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CoverageEntry {
    /// The account.
    pub account: Arc<str>,
    /// The region; for global kinds the partition's home region.
    pub region: Arc<str>,
    /// The kind id, `aws.s3.bucket`; empty for what concerns the whole account or region.
    pub kind: Arc<str>,
    /// `service:Operation`, for instance `s3:GetBucketPolicy`.
    pub call: Arc<str>,
    /// The outcome.
    pub state: CoverageState,
    /// The provider's own error code, empty when complete.
    pub code: Arc<str>,
    /// The provider's own words (of the first such answer), empty when complete.
    pub message: Arc<str>,
    /// Whether this is the call that lists the kind: when it is not complete, resources may be missing altogether.
    pub lists: bool,
    /// How many items were read (list call), or how many items the outcome concerns (further calls).
    pub items: u64,
}
