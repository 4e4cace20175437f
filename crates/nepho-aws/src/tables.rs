//! The committed tables: API models of the services that kinds use, decoded when first asked for.
//!
//! Written by `cargo xtask gen` (`xtask/src/gen_aws.rs`) out of botocore's data.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, OnceLock};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use nepho_collect::{Call, Failure, FailureKind, Pagination, Provider, Transform};
use serde_json::Value as Json;

use crate::endpoints;
use crate::model::Service;

/// Name and text of each table.
static TEXTS: &[(&str, &str)] = &include!("../tables/services.in");

type Cell = (&'static str, OnceLock<Option<Service>>);

static SERVICES: LazyLock<HashMap<&'static str, Cell>> =
    LazyLock::new(|| TEXTS.iter().map(|(name, text)| (*name, (*text, OnceLock::new()))).collect());

/// The model of a service by botocore's name; `None` when no kind uses it.
pub fn service(name: &str) -> Option<&'static Service> {
    let (text, cell) = SERVICES.get(name)?;
    // A test decodes every table, so a table that can't be decoded does not reach a user.
    cell.get_or_init(|| Service::from_text(name, text).ok()).as_ref()
}

/// Names of all services in the tables.
pub fn service_names() -> impl Iterator<Item = &'static str> {
    TEXTS.iter().map(|(name, _)| *name)
}

/// What the tables say, without a connection: for replays, checks and documentation.
#[derive(Clone, Copy, Debug, Default)]
pub struct AwsTables;

impl AwsTables {
    /// How the operation pages; `None` when it does not.
    pub fn pagination(self, service: &str, operation: &str) -> Option<Arc<Pagination>> {
        self::service(service)?.operation(operation)?.pagination.clone()
    }

    /// Whether the service is offered in the region; `None` when the tables do not say.
    pub fn offered(self, service: &str, region: &str) -> Option<bool> {
        endpoints::offered(self::service(service)?, region)
    }

    /// The transform of that name.
    pub fn transform(self, name: &str) -> Option<Transform> {
        crate::transforms::transform(name)
    }

    /// The name that IAM permissions of the service begin with (`s3` for `s3control`), as far as it is the signing name.
    pub fn signing_name(self, service: &str) -> Option<&'static str> {
        self::service(service).map(|service| service.signing_name.as_str())
    }
}

impl Provider for AwsTables {
    /// There is no connection: always fails.
    fn attempt<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Json, Failure>> {
        let message = format!("`{}:{}` was asked without a connection", call.service, call.operation);
        async move {
            Err(Failure { kind: FailureKind::Failed, code: "Offline".to_owned(), message, retry_after: None })
        }
        .boxed()
    }

    fn pagination(&self, service: &str, operation: &str) -> Option<Arc<Pagination>> {
        AwsTables::pagination(*self, service, operation)
    }

    fn offered(&self, service: &str, region: &str) -> Option<bool> {
        AwsTables::offered(*self, service, region)
    }

    fn transform(&self, name: &str) -> Option<Transform> {
        AwsTables::transform(*self, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_decodes() {
        for (name, text) in TEXTS {
            if let Err(error) = Service::from_text(name, text) {
                panic!("{error}");
            }
        }
    }

    #[test]
    fn tokens_in_step() {
        let pages = AwsTables.pagination("iam", "GetAccountAuthorizationDetails").or_else(|| {
            // Whatever the kinds use today, route53 or iam page with markers.
            AwsTables.pagination("iam", "ListUsers")
        });
        assert_eq!(pages.unwrap().input_tokens, ["Marker"]);
    }
}
