//! From collected resources to the graph: the schema that the catalogue declares, links looked up by id, accounts,
//! and what coverage says about completeness.
//!
//! Pure. Knows no provider and makes no call; derived relations (reachability, permissions) are the analyzers' work.

mod builder;
mod completeness;
mod links;
mod schema;

pub use builder::{Estate, EstateBuilder};
pub use schema::{ACCOUNT_KIND, IN_ACCOUNT, PART_OF, schema_of};
