//! Verdicts as they are kept in a snapshot.

use std::sync::Arc;

use nepho_model::{Severity, Verdict};

/// The judgement of one rule on one resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VerdictRow {
    /// The rule's id.
    pub rule: Arc<str>,
    /// The kind of the resource.
    pub kind: Arc<str>,
    /// The resource's key.
    pub key: Arc<str>,
    /// The resource's account.
    pub account: Arc<str>,
    /// Pass, fail or unknown.
    pub verdict: Verdict,
    /// The rule's severity.
    pub severity: Severity,
    /// Why it is unknown, or why it does not count; empty where there is nothing to say.
    pub reason: Arc<str>,
}
