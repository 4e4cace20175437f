//! The one collection engine: calls from kind files, paging, limits, retries, coverage, recordings.
//!
//! Knows no provider: what a call looks like on the wire, how its errors are called and how it pages is told by a
//! [`Provider`].
//!
//! ```text
//! Catalog ─ CompiledKinds::compile ─┐
//! Provider (live, or its tables) ───┼─ collect(Collection, progress, sink) ─→ Resource … + CollectionSummary
//! Source (live, replay, resume) ────┘
//! ```

pub mod cases;
pub mod compile;
mod engine;
pub mod expression;
pub mod provider;
pub mod recording;
pub mod secrets;
mod template;
mod typed;

pub use compile::{CompileError, CompiledKinds};
pub use engine::{
    AccountScope, Cancellation, CollectError, Collection, CollectionSummary, Options, Progress, RegionScope, Source,
    collect,
};
pub use provider::{Call, Failure, FailureKind, Pagination, Provider, Transform, TransformContext};
pub use recording::{Manifest, Recorder, RecordingError, Replay, ReplayOptions, Resumption};
