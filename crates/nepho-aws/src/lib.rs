//! The AWS dialect: sign-in, endpoints, signatures and the five wire protocols, over tables generated from AWS's own API
//! models.
//!
//! Knows no kinds and no rules. One [`nepho_collect::Provider::attempt`] of [`AwsClient`] is one signed request; paging,
//! retries, limits and coverage are [`nepho_collect`]'s. [`AwsTables`] is what can be known without a connection.

mod client;
pub mod credentials;
pub mod endpoints;
mod exchange;
mod failure;
pub mod model;
pub mod permissions;
pub mod protocol;
pub mod signing;
pub mod tables;
pub mod transforms;

pub use client::{AwsClient, ConnectError, ConnectOptions, Identity, OrganizationAccount, Region};
pub use credentials::CredentialsError;
pub use exchange::{HttpError, Timeouts};
pub use tables::AwsTables;
