//! The catalogue: what we know about clouds, as data. Embeds `catalog/`, reads a user's own folder beside it, validates
//! both.
//!
//! Knows the formats (`docs/kinds.md`, `docs/rules.md`), not what they mean: calls are made by `nepho-collect`,
//! conditions compiled by `nepho-graph`.

mod access;
pub mod case;
pub mod escalation;
mod framework;
pub mod kind;
mod load;
mod place;
mod rule;

pub use access::{Access, AccessGroup};
pub use escalation::Escalation;
pub use framework::{Framework, Requirement};
pub use kind::Kind;
pub use load::{Catalog, CatalogError, SourceFile, SourceKind, nearest};
pub use place::{Place, YamlError, read_yaml};
pub use rule::{ControlId, Fix, Rule};
