//! The read-only policy that scanning needs, generated from the calls that kinds make.

use std::collections::{BTreeMap, BTreeSet};

use nepho_catalog::Catalog;
use serde_json::{Value as Json, json};

use crate::tables::AwsTables;

/// Calls that are made besides those of kinds: who am I, which regions, which accounts. `sts:AssumeRole`, by which member
/// accounts are entered, is not among them: it is no reading, and only the scanning principal needs it
/// ([`entering_policy`]).
pub const SIGN_IN: [(&str, &str); 3] =
    [("sts", "GetCallerIdentity"), ("ec2", "DescribeRegions"), ("organizations", "ListAccounts")];

/// Signing names that are not what the service's IAM actions begin with (service authorization reference).
const PREFIXES: [(&str, &str); 2] = [("monitoring", "cloudwatch"), ("tagging", "tag")];

/// Most characters of a managed policy's document, white space not counted (IAM quotas, "IAM and STS character limits").
const MANAGED_POLICY_LIMIT: usize = 6144;

/// The IAM actions that each call needs, by (service, operation): what the kind says, else the service's prefix and the
/// operation's name.
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
    let signing_name = AwsTables.signing_name(service).unwrap_or(service);
    let special = PREFIXES.iter().find(|(name, _)| *name == signing_name);
    format!("{}:{operation}", special.map_or(signing_name, |(_, prefix)| prefix))
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

/// The policy cut into documents that each fit into one managed policy; a single statement each, without a name, because
/// every character counts.
pub fn parts(catalog: &Catalog) -> Vec<Json> {
    let actions: BTreeSet<String> = by_call(catalog).into_values().flatten().collect();
    let document = |actions: &[String]| json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]});
    let frame = document(&[]).to_string().len();
    let mut parts: Vec<Vec<String>> = Vec::new();
    let mut length = usize::MAX;
    for action in actions {
        // Quotes and a comma.
        let size = action.len() + 3;
        if length.saturating_add(size) > MANAGED_POLICY_LIMIT {
            parts.push(Vec::new());
            length = frame;
        }
        length += size;
        if let Some(part) = parts.last_mut() {
            part.push(action);
        }
    }
    parts.iter().map(|part| document(part)).collect()
}

/// What the scanning principal needs besides, to enter the member accounts of an organisation.
pub fn entering_policy(role_name: &str) -> Json {
    let role = format!("arn:aws:iam::*:role/{}", role_name.trim_start_matches('/'));
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "EnterMemberAccounts", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role},
        ],
    })
}

/// The trust policy of the role in each account: who may assume it, and with which external id.
pub fn trust_policy(principal: &str, external_id: Option<&str>) -> Json {
    let mut statement = json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"});
    if let Some(id) = external_id {
        statement["Condition"] = json!({"StringEquals": {"sts:ExternalId": id}});
    }
    json!({"Version": "2012-10-17", "Statement": [statement]})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_have_iams_prefix() {
        assert_eq!(default_action("cloudwatch", "DescribeAlarms"), "cloudwatch:DescribeAlarms");
        assert_eq!(default_action("elbv2", "DescribeLoadBalancers"), "elasticloadbalancing:DescribeLoadBalancers");
    }

    #[test]
    fn parts_fit_and_are_the_whole() {
        let catalog = Catalog::embedded().unwrap();
        let actions = |policy: &Json| {
            let statements = policy["Statement"].as_array().unwrap().clone();
            let lists = statements.into_iter().map(|statement| statement["Action"].as_array().unwrap().clone());
            lists.flatten().map(|action| action.as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
        };
        let parts = parts(&catalog);
        assert!(parts.len() <= 10, "a role takes 10 managed policies: {}", parts.len());
        for part in &parts {
            assert!(part.to_string().len() <= MANAGED_POLICY_LIMIT, "{}", part.to_string().len());
            assert_eq!(part["Statement"].as_array().unwrap().len(), 1);
        }
        let split: BTreeSet<String> = parts.iter().flat_map(actions).collect();
        assert_eq!(split, actions(&policy(&catalog)));
    }

    #[test]
    fn trust_with_and_without_an_external_id() {
        let plain = trust_policy("arn:aws:iam::111122223333:root", None);
        assert!(plain["Statement"][0].get("Condition").is_none());
        let with = trust_policy("arn:aws:iam::111122223333:root", Some("x"));
        assert_eq!(with["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"], "x");
        let entering = entering_policy("/audit/Reader");
        assert_eq!(entering["Statement"][0]["Resource"], "arn:aws:iam::*:role/audit/Reader");
    }
}
