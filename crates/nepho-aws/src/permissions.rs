//! The read-only policy that scanning needs, generated from the calls that kinds make.

use std::collections::{BTreeMap, BTreeSet};

use nepho_catalog::Catalog;
use serde_json::{Value as Json, json};

use crate::tables::AwsTables;

/// Calls that are made besides those of kinds: who am I, which regions, which accounts.
const SIGN_IN: [(&str, &str); 3] =
    [("sts", "GetCallerIdentity"), ("ec2", "DescribeRegions"), ("organizations", "ListAccounts")];

/// Most characters of a managed policy's document, white space not counted (IAM quotas, "IAM and STS character limits").
const MANAGED_POLICY_LIMIT: usize = 6144;

/// The IAM actions that each call needs, by (service, operation): what the kind says, else the service's signing name and
/// the operation's.
pub fn by_call(catalog: &Catalog) -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut calls: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let declared = catalog.kinds.values().flat_map(|kind| kind.calls());
    for (service, operation, explicit) in declared {
        let actions = calls.entry((service.to_string(), operation.to_string())).or_default();
        match explicit {
            [] => {
                actions.insert(default_action(&service, &operation));
            }
            explicit => actions.extend(explicit.iter().cloned()),
        }
    }
    for (service, operation) in SIGN_IN {
        calls
            .entry((service.to_owned(), operation.to_owned()))
            .or_insert_with(|| BTreeSet::from([default_action(service, operation)]));
    }
    calls
}

fn default_action(service: &str, operation: &str) -> String {
    format!("{}:{operation}", AwsTables.signing_name(service).unwrap_or(service))
}

/// The policy document: one statement a service. It may be longer than one managed policy takes; [`parts`] says how many
/// are needed.
pub fn policy(catalog: &Catalog) -> Json {
    let mut services: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for action in by_call(catalog).into_values().flatten() {
        let service = action.split(':').next().unwrap_or_default().to_owned();
        services.entry(service).or_default().insert(action);
    }
    let statements: Vec<Json> = services
        .into_iter()
        .map(|(service, actions)| {
            let name: String = service
                .split(|character: char| !character.is_ascii_alphanumeric())
                .map(|word| {
                    let mut letters = word.chars();
                    letters
                        .next()
                        .map(|first| first.to_ascii_uppercase())
                        .into_iter()
                        .chain(letters)
                        .collect::<String>()
                })
                .collect();
            json!({"Sid": format!("Read{name}"), "Effect": "Allow", "Action": actions, "Resource": "*"})
        })
        .collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// The policy cut into documents that each fit into one managed policy.
pub fn parts(catalog: &Catalog) -> Vec<Json> {
    let whole = policy(catalog);
    let statements = whole.get("Statement").and_then(Json::as_array).cloned().unwrap_or_default();
    let mut parts: Vec<Vec<Json>> = Vec::new();
    let mut length = usize::MAX;
    for statement in statements {
        let size = statement.to_string().len() + 1;
        if length.saturating_add(size) > MANAGED_POLICY_LIMIT - 48 {
            parts.push(Vec::new());
            length = 0;
        }
        length += size;
        if let Some(part) = parts.last_mut() {
            part.push(statement);
        }
    }
    parts.into_iter().map(|statements| json!({"Version": "2012-10-17", "Statement": statements})).collect()
}
