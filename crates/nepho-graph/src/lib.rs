//! The security graph in memory, and openCypher's read language over it.
//!
//! [`GraphBuilder`] takes facts and gives a [`Graph`]; [`Condition`] judges the nodes of one kind (rules), [`Query`]
//! answers with rows (paths, reports, the explorer). Unknown is a value beside null throughout: see [`Truth`].
//!
//! Pure: no files, no network, no clock but the query's own deadline. Knows nothing of providers, rules and coverage
//! beyond the marks that the builder is given.

mod batch;
mod bind;
mod bits;
mod condition;
mod error;
mod eval;
mod exec;
mod explain;
pub mod fixture;
mod functions;
mod graph;
mod ir;
mod plan;
mod query;
pub mod reference;
mod resolve;
mod schema;
mod syntax;
mod truth;
mod value;

/// A graph in its pieces, for crates that write it down and read it back.
pub mod storage {
    pub use crate::bits::Bits;
    pub use crate::graph::Pair;
    pub use crate::graph::column::{Cells, Column};
    pub use crate::graph::parts::{GraphParts, KindPart, KindView, Place, RelationPart, RelationView};
    pub use crate::graph::source::Source;
    pub use crate::graph::texts::Texts;
}

pub use condition::{Condition, UnknownCause, Verdicts, judge_all};
pub use error::{ErrorCode, QueryError};
pub use explain::{Plan, PlanLine};
pub use graph::{Graph, GraphBuilder, NodeHandle, NodeId, NodeRef, RelationId, RelationRef, Walk};
pub use query::{Limits, Mode, Parameters, Query, Rows};
pub use schema::{BUILT_IN_PROPERTIES, KindSchema, PropertyType, RelationSchema, Schema};
pub use truth::Truth;
pub use value::{Date, DateTime, Duration, NoDate, PathValue, ResultValue, Temporal};
