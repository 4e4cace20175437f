//! The one collection engine: calls from kind files, paging, limits, retries, coverage, recordings.
//!
//! Knows no provider: what a call looks like on the wire, how its errors are called and how it pages is told by a
//! [`Provider`].

pub mod provider;

pub use provider::{Call, Failure, FailureKind, Pagination, Provider, Transform, TransformContext};
