//! The named transforms that AWS kind files may use (`docs/kinds.md`): pure functions from a found value to a property.
//!
//! Values come from the provider and from whoever wrote a policy: every function is total, bounded and quiet about shapes
//! it does not expect. `null` stays `null`, so that a property's `default` or a rule's `coalesce` says what absence means.

pub mod credential_report;
pub mod items;
pub mod policy;
pub mod public_access;

use nepho_collect::{Transform, TransformContext};
use serde_json::{Map, Value as Json};

/// Name, function and one line each; in alphabetical order, as `nephoscope kinds transforms` prints them.
pub const TRANSFORMS: &[(&str, Transform, &str)] = &[
    ("arn-account", arn_account, "The account id in an ARN (or in each ARN of a list); null where it names none."),
    (
        "arn-name",
        items::arn_name,
        "List: each item gains `ArnName`, the end of the ARN in its first field that is one.",
    ),
    ("arn-resource-id", arn_resource_id, "The last part of an ARN's resource (or of each ARN of a list)."),
    ("credential-report", credential_report::entries, "The IAM credential report's CSV as one object a user."),
    ("json", json, "Text parsed as JSON, URL-encoded text too."),
    ("lower", lower, "Text (or each text of a list) in lower case."),
    (
        "policy-actions-on-all",
        policy::actions_on_all,
        "Which of the actions in `args` an identity policy allows on all resources of their type.",
    ),
    (
        "policy-allows",
        policy::allows,
        "Whether an identity policy allows one of `args.actions` on all resources of their type.",
    ),
    (
        "policy-escalation-methods",
        policy::escalation_methods,
        "Known ways to gain more permissions that an identity policy (or a list of them together) allows.",
    ),
    ("policy-external-accounts", policy::external_accounts, "Accounts other than the own that an Allow names."),
    (
        "policy-external-accounts-unguarded",
        policy::external_accounts_unguarded,
        "Accounts other than the own that an Allow names without an external id, a source, an organisation or MFA as a condition.",
    ),
    ("policy-federated-principals", policy::federated_principals, "Federated principals that an Allow names."),
    ("policy-full-admin", policy::full_admin, "Whether an Allow gives every action on every resource."),
    (
        "policy-open-federation",
        policy::open_federation,
        "Federated principals that an Allow trusts without a condition which narrows whose tokens are taken.",
    ),
    ("policy-principals", policy::principals, "AWS principals that an Allow names, as they are written."),
    (
        "policy-public",
        policy::public,
        "Whether an Allow is for everyone, without a condition that limits it to accounts, organisations, VPCs, endpoints, source ARNs or narrow address ranges.",
    ),
    ("policy-public-actions", policy::public_actions, "The actions that everyone may take (see `policy-public`)."),
    ("policy-requires-tls", policy::requires_tls, "Whether everyone is denied every action over plain HTTP."),
    ("policy-service-principals", policy::service_principals, "Service principals that an Allow names."),
    (
        "policy-services-without-source",
        policy::services_without_source,
        "Service principals that an Allow names without a condition on the source's ARN, account or organisation.",
    ),
    ("policy-wildcard-actions", policy::wildcard_actions, "Whole-service actions (`s3:*`, `*`) that an Allow gives."),
    (
        "queue-url-parts",
        items::queue_url_parts,
        "List: each item gains `QueueName` and `QueueOwner` from its `QueueUrl`.",
    ),
    ("route53-zone-id", items::route53_zone_id, "List: each item's `Id` without `/hostedzone/` before it."),
    (
        "s3-public-access",
        public_access::s3,
        "Whether everyone may read or write (`args.access`) a bucket by its policy or ACL, after all public access blocks.",
    ),
    ("secret-findings", secret_findings, "The secrets found in redacted values: place, kind, sample, hash."),
    ("sort", sort, "A list in order."),
];

/// The transform of that name.
pub fn transform(name: &str) -> Option<Transform> {
    TRANSFORMS.iter().find(|(known, _, _)| *known == name).map(|(_, function, _)| *function)
}

/// Values nested deeper than this are left out of a search (policies and answers are a handful of levels deep).
const MAX_DEPTH: usize = 32;

/// Applies a function to a text or to each text of a list; other values become null.
fn each_text(value: &Json, function: impl Fn(&str) -> Json) -> Json {
    match value {
        Json::String(text) => function(text),
        Json::Array(items) => {
            Json::Array(items.iter().filter_map(Json::as_str).map(function).filter(|found| !found.is_null()).collect())
        }
        _ => Json::Null,
    }
}

/// The account part of an ARN, when it is an account id.
pub(crate) fn account_of_arn(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    (parts.next()? == "arn").then_some(())?;
    let account = parts.nth(3)?;
    is_account_id(account).then_some(account)
}

/// Whether the text is an account id: twelve digits.
pub(crate) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn arn_account(value: &Json, _: &TransformContext<'_>) -> Result<Json, String> {
    Ok(each_text(value, |arn| account_of_arn(arn).map_or(Json::Null, Json::from)))
}

fn arn_resource_id(value: &Json, _: &TransformContext<'_>) -> Result<Json, String> {
    Ok(each_text(value, |arn| {
        let resource = arn.splitn(6, ':').nth(5).unwrap_or(arn).trim_end_matches(":*");
        Json::from(resource.rsplit(['/', ':']).next().unwrap_or(resource))
    }))
}

fn lower(value: &Json, _: &TransformContext<'_>) -> Result<Json, String> {
    Ok(each_text(value, |text| Json::from(text.to_lowercase())))
}

fn json(value: &Json, _: &TransformContext<'_>) -> Result<Json, String> {
    match value {
        Json::String(text) => policy::parse_text(text),
        other => Ok(other.clone()),
    }
}

fn sort(value: &Json, _: &TransformContext<'_>) -> Result<Json, String> {
    let Json::Array(items) = value else { return Ok(value.clone()) };
    let mut sorted = items.clone();
    sorted.sort_by_cached_key(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned));
    Ok(Json::Array(sorted))
}

/// What was found, from values in which the collector has replaced all text by `[redacted]` or
/// `[redacted KIND SAMPLE HASH]` (`docs/recordings.md`).
fn secret_findings(value: &Json, _: &TransformContext<'_>) -> Result<Json, String> {
    if value.is_null() {
        return Ok(Json::Null);
    }
    let mut findings = Vec::new();
    find_redacted(value, &mut String::new(), 0, &mut findings);
    Ok(Json::Array(findings))
}

fn find_redacted(value: &Json, place: &mut String, depth: usize, findings: &mut Vec<Json>) {
    if depth > MAX_DEPTH {
        return;
    }
    let step = |name: &str, inner: &Json, place: &mut String, findings: &mut Vec<Json>| {
        let length = place.len();
        if !place.is_empty() {
            place.push('.');
        }
        place.push_str(name);
        find_redacted(inner, place, depth.saturating_add(1), findings);
        place.truncate(length);
    };
    match value {
        Json::String(text) => findings.extend(redacted_in(text).map(|(kind, sample, hash)| {
            let mut finding = Map::new();
            finding.insert("place".to_owned(), Json::from(place.as_str()));
            finding.insert("kind".to_owned(), Json::from(kind));
            finding.insert("sample".to_owned(), Json::from(sample));
            finding.insert("hash".to_owned(), Json::from(hash));
            Json::Object(finding)
        })),
        Json::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                step(&position.to_string(), item, place, findings);
            }
        }
        Json::Object(fields) => {
            for (name, item) in fields {
                step(name, item, place, findings);
            }
        }
        _ => {}
    }
}

/// Every `[redacted KIND SAMPLE HASH]` in a text as (kind, sample, hash); the sample may hold spaces.
fn redacted_in(text: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    text.split("[redacted ").skip(1).filter_map(|rest| {
        let inner = rest.split(']').next()?;
        let (kind, rest) = inner.split_once(' ')?;
        let (sample, hash) = rest.rsplit_once(' ')?;
        Some((kind, sample, hash))
    })
}

#[cfg(test)]
mod tests;
