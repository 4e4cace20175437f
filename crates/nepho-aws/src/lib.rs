//! The AWS dialect: sign-in, endpoints, signatures and the five wire protocols, over tables generated from AWS's own API
//! models.
//!
//! Knows no kinds and no rules. One [`AwsClient::attempt`](client::AwsClient) is one signed HTTP request; paging, retries
//! and coverage are [`nepho_collect`]'s.

pub mod model;
pub mod protocol;
