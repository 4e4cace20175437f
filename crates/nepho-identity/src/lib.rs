//! Who can really do what: policies in one form, the evaluation of requests by them, and what follows from it for the
//! identities and resources of an estate.
//!
//! Pure: reads policies and graphs, makes no call.

mod access;
pub mod actions;
mod arn;
mod aws;
mod context;
mod directory;
pub mod escalation;
mod evaluate;
pub mod lint;
mod pattern;
mod policy;
mod principal;
pub mod rightsize;
pub mod usage;
mod variables;

pub use access::{Answer, Asker};
pub use arn::{Arn, is_account};
pub use aws::resource_of;
pub use context::{Context, Known};
pub use directory::{Account, Directory, Document, DocumentId, Identity, IdentityId, IdentityKind};
pub use evaluate::{Attached, Decision, Formula, Ground, Layer, Literal, Outcome, Policies, Request};
pub use pattern::{Overlap, Pattern, Shape};
pub use policy::{
    Effect, Held, Named, Operator, Patterns, Policy, Principals, Problem, Quantifier, Statement, Test, Written,
};
pub use principal::{Meant, Principal};
