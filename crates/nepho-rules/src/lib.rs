//! Rules over an estate: verdicts, findings, mutes, compliance. Pure.
//!
//! Knows what a rule is and what its verdicts mean; conditions are compiled and evaluated by `nepho-graph`.

pub mod cases;
pub mod compliance;
pub mod findings;
pub mod mutes;
mod ruleset;

pub use findings::{Finding, Judgement, Reason, judge};
pub use mutes::{Mute, MuteState, Mutes, MutesError};
pub use ruleset::{RuleError, RuleSet};
