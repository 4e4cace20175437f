//! What a statement's conditions limit: who the caller is, or where the call comes from.
//!
//! The measure for "limits" is that of S3's own notion of a public policy, widened to every resource:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status>

use super::document::{Condition, Statement};
use crate::transforms::{account_of_arn, is_account_id};

/// Shapes that the value of a key must have to be a limit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// An account id.
    Account,
    /// An ARN with a fixed account, or a fixed name where the ARN has no account (S3 buckets).
    Arn,
    /// Any text without wildcards.
    Fixed,
    /// A path below a fixed organisation.
    OrganizationPath,
    /// A unique id, maybe with a wildcard for the session.
    UserId,
    /// Address ranges.
    Address,
    /// `true`.
    True,
}

/// Global and service keys that say who calls or whence.
const LIMITING: &[(&str, Shape)] = &[
    ("aws:principalaccount", Shape::Account),
    ("aws:principalarn", Shape::Arn),
    ("aws:principalisawsservice", Shape::True),
    ("aws:principalorgid", Shape::Fixed),
    ("aws:principalorgpaths", Shape::OrganizationPath),
    ("aws:principalservicename", Shape::Fixed),
    ("aws:principalservicenameslist", Shape::Fixed),
    ("aws:sourceaccount", Shape::Account),
    ("aws:sourcearn", Shape::Arn),
    ("aws:sourceip", Shape::Address),
    ("aws:sourceorgid", Shape::Fixed),
    ("aws:sourceorgpaths", Shape::OrganizationPath),
    ("aws:sourceowner", Shape::Account),
    ("aws:sourcevpc", Shape::Fixed),
    ("aws:sourcevpcarn", Shape::Arn),
    ("aws:sourcevpce", Shape::Fixed),
    ("aws:userid", Shape::UserId),
    ("aws:vpceaccount", Shape::Account),
    ("aws:vpceorgid", Shape::Fixed),
    ("aws:vpceorgpaths", Shape::OrganizationPath),
    ("aws:vpcsourceip", Shape::Address),
    ("elasticfilesystem:accessedviamounttarget", Shape::True),
    ("kms:calleraccount", Shape::Account),
    ("lambda:eventsourcetoken", Shape::Fixed),
    ("s3:dataaccesspointaccount", Shape::Account),
    ("s3:dataaccesspointarn", Shape::Arn),
];

/// Keys that bind a service's call to the resource or account it works for.
const SOURCE: &[(&str, Shape)] = &[
    ("aws:sourceaccount", Shape::Account),
    ("aws:sourcearn", Shape::Arn),
    ("aws:sourceorgid", Shape::Fixed),
    ("aws:sourceorgpaths", Shape::OrganizationPath),
    ("aws:sourceowner", Shape::Account),
    ("kms:calleraccount", Shape::Account),
    ("lambda:eventsourcetoken", Shape::Fixed),
];

/// Keys that guard trust in another account beside naming it.
const TRUST_GUARDS: &[(&str, Shape)] = &[
    ("aws:multifactorauthpresent", Shape::True),
    ("aws:principalorgid", Shape::Fixed),
    ("aws:principalorgpaths", Shape::OrganizationPath),
    ("aws:sourceaccount", Shape::Account),
    ("aws:sourcearn", Shape::Arn),
    ("aws:sourceip", Shape::Address),
    ("aws:sourceorgid", Shape::Fixed),
    ("aws:sourcevpc", Shape::Fixed),
    ("aws:sourcevpce", Shape::Fixed),
    ("sts:externalid", Shape::Fixed),
];

/// Conditions that do not narrow what a permission is good for: when, from where, how the caller signed in.
const CIRCUMSTANCES: &[&str] = &[
    "aws:currenttime",
    "aws:epochtime",
    "aws:multifactorauthage",
    "aws:multifactorauthpresent",
    "aws:requestedregion",
    "aws:securetransport",
    "aws:sourceip",
    "aws:tokenissuetime",
    "aws:viaawsservice",
];

impl Condition<'_> {
    /// Whether it holds only for a present key that equals one of the values.
    fn positive(&self) -> bool {
        !self.for_all
            && !self.if_exists
            && matches!(
                self.operator.as_str(),
                "stringequals"
                    | "stringlike"
                    | "stringequalsignorecase"
                    | "arnequals"
                    | "arnlike"
                    | "ipaddress"
                    | "bool"
            )
    }

    /// Whether it holds for all but some values, as in a Deny of everyone else.
    fn negative(&self) -> bool {
        matches!(
            self.operator.as_str(),
            "stringnotequals"
                | "stringnotlike"
                | "stringnotequalsignorecase"
                | "arnnotequals"
                | "arnnotlike"
                | "notipaddress"
        )
    }

    /// Whether wildcards in the values mean anything.
    fn has_wildcards(&self) -> bool {
        !matches!(
            self.operator.as_str(),
            "stringequals" | "stringequalsignorecase" | "stringnotequals" | "stringnotequalsignorecase"
        )
    }

    /// Whether the values are a limit for the key, by the table.
    fn limits(&self, keys: &[(&str, Shape)]) -> bool {
        let Some((_, shape)) = keys.iter().find(|(key, _)| *key == self.key) else { return false };
        !self.values.is_empty() && self.values.iter().all(|value| fits(value, *shape, self.has_wildcards()))
    }

    fn is_false(&self, key: &str) -> bool {
        self.operator == "bool"
            && self.key == key
            && self.values.iter().all(|value| value.eq_ignore_ascii_case("false"))
    }
}

/// Whether a Deny statement takes back what others get: it names everyone, and its conditions (if any) leave out only
/// callers that a limit would let in.
pub fn denies_outsiders(statement: &Statement<'_>) -> bool {
    !statement.allow
        && statement.principals.everyone
        && !statement.principals.negated
        && statement.conditions.iter().all(|condition| {
            (condition.negative() && !condition.for_all && condition.limits(LIMITING))
                || condition.is_false("aws:viaawsservice")
                || condition.is_false("aws:principalisawsservice")
        })
}

/// Whether the statement's conditions limit callers to accounts, organisations, networks or sources.
pub fn limits_callers(statement: &Statement<'_>) -> bool {
    statement.conditions.iter().any(|condition| condition.positive() && condition.limits(LIMITING))
}

/// Whether the statement's conditions bind a service to a source.
pub fn binds_source(statement: &Statement<'_>) -> bool {
    statement.conditions.iter().any(|condition| {
        condition.positive()
            && (condition.limits(SOURCE)
                || (condition.key.starts_with("kms:encryptioncontext:")
                    && !condition.values.is_empty()
                    && condition.values.iter().all(|value| fits(value, Shape::Arn, condition.has_wildcards()))))
    })
}

/// Whether the statement's conditions guard trust in another account.
pub fn guards_trust(statement: &Statement<'_>) -> bool {
    statement.conditions.iter().any(|condition| condition.positive() && condition.limits(TRUST_GUARDS))
}

/// Accounts that the statement's conditions name as callers.
pub fn named_accounts<'a>(statement: &'a Statement<'_>) -> impl Iterator<Item = &'a str> {
    statement.conditions.iter().filter(|condition| condition.positive()).flat_map(|condition| {
        let shape = LIMITING.iter().find(|(key, _)| *key == condition.key).map(|(_, shape)| *shape);
        condition.values.iter().filter_map(move |value| match shape {
            Some(Shape::Account) => is_account_id(value).then_some(value.as_ref()),
            Some(Shape::Arn) => account_of_arn(value),
            _ => None,
        })
    })
}

/// Whether all that the conditions ask for are circumstances, which leave the permission as wide as it is.
pub fn only_circumstances(statement: &Statement<'_>) -> bool {
    statement.conditions.iter().all(|condition| CIRCUMSTANCES.contains(&condition.key.as_str()))
}

/// Whether a Deny is for plain HTTP and nothing else.
pub fn is_plain_http(statement: &Statement<'_>) -> bool {
    match statement.conditions.as_slice() {
        [only] => {
            (only.is_false("aws:securetransport") && !only.values.is_empty())
                || (only.key == "s3:tlsversion" && only.operator == "numericlessthan" && only.if_exists)
        }
        _ => false,
    }
}

/// Values of positive conditions on keys of an OpenID Connect provider, as (claim, value, whether wildcards count).
pub fn claims<'a>(statement: &'a Statement<'_>, host: &str) -> Vec<(&'a str, &'a str, bool)> {
    let host = host.to_ascii_lowercase();
    let mut found = Vec::new();
    for condition in statement.conditions.iter().filter(|condition| condition.positive()) {
        let Some(claim) = condition.key.strip_prefix(host.as_str()).and_then(|rest| rest.strip_prefix(':')) else {
            continue;
        };
        // A list means any of its values, so the claim narrows only where all of them do.
        found.extend(condition.values.iter().map(|value| (claim, value.as_ref(), condition.has_wildcards())));
    }
    found
}

/// The part of a value before its first wildcard or policy variable, and whether that is all of it.
pub fn fixed_part(value: &str, wildcards: bool) -> (&str, bool) {
    let wildcard = if wildcards { value.find(['*', '?']) } else { None };
    let end = [wildcard, value.find("${")].into_iter().flatten().min();
    match end.and_then(|end| value.get(..end)) {
        Some(part) => (part, false),
        None => (value, true),
    }
}

fn fits(value: &str, shape: Shape, wildcards: bool) -> bool {
    let (part, whole) = fixed_part(value, wildcards);
    match shape {
        Shape::Account => is_account_id(value) || is_own_account(value),
        Shape::Fixed => whole && !part.is_empty(),
        Shape::OrganizationPath => {
            part.strip_prefix("o-").and_then(|rest| rest.split_once('/')).is_some_and(|(id, _)| !id.is_empty())
        }
        Shape::UserId => part.len() >= 12,
        Shape::True => value.eq_ignore_ascii_case("true"),
        Shape::Address => is_narrow(value),
        Shape::Arn => {
            let parts: Vec<&str> = value.splitn(6, ':').collect();
            let at = |place: usize| parts.get(place).copied().unwrap_or_default();
            let (service, account, resource) = (at(2), at(4), at(5));
            let bucket = service == "s3" && account.trim_matches('*').is_empty();
            if account.is_empty() || bucket {
                // Buckets and the like have no account in their ARN (some write wildcards there); their name must be
                // fixed, at least at its start.
                value.starts_with("arn:") && !fixed_part(resource, wildcards).0.is_empty()
            } else {
                is_account_id(account) || is_own_account(account)
            }
        }
    }
}

/// Policy variables that stand for the account that owns the resource.
fn is_own_account(value: &str) -> bool {
    value.eq_ignore_ascii_case("${aws:ResourceAccount}")
}

/// Address ranges that AWS does not call public: no wider than /8 (IPv4) or /32 (IPv6).
fn is_narrow(range: &str) -> bool {
    let (address, length) = match range.split_once('/') {
        Some((address, length)) => (address, length.parse::<u8>().ok()),
        None => (range, Some(u8::MAX)),
    };
    match (address.parse::<std::net::IpAddr>(), length) {
        (Ok(std::net::IpAddr::V4(_)), Some(length)) => length >= 8,
        (Ok(std::net::IpAddr::V6(_)), Some(length)) => length >= 32,
        _ => false,
    }
}
