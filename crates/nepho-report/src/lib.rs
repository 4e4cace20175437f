//! Reports: one plain [`Report`] in, one file per format out (`docs/reports.md`).
//!
//! Pure: knows nothing of the graph, the rule engine, files or the terminal it may be shown on. Whatever came from a
//! cloud is taken to be hostile text and is made harmless by each format in its own way (`text`, `safe_json`).

mod csv;
mod digest;
mod format;
mod html;
mod json;
mod junit;
mod ocsf;
mod report;
mod safe_json;
mod sarif;
pub mod table;
mod text;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod schema_check;

pub use csv::harmless;
pub use format::{Format, ReportError, UnknownFormatError, render};
pub use json::SCHEMA;
pub use report::{
    AccountView, Counts, FindingView, FixView, FrameworkView, GeneratedBy, MuteView, MutedView, OpenCount, ReasonView,
    Report, RequirementState, RequirementView, ResourceView, RuleView, VerdictCounts,
};
pub use safe_json::write_pretty;
pub use text::one_line;
