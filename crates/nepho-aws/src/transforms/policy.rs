//! Judgements on policy documents: who is let in, to what, and on what condition.
//!
//! They say what one document means on its own. What an identity may do in the end (boundaries, service control
//! policies, sessions) is the identity analyzer's work.

mod condition;
mod document;
mod escalation;

use std::collections::BTreeSet;

use nepho_collect::TransformContext;
use serde_json::Value as Json;

pub use document::parse_text;
pub(crate) use document::{Statement, documents, statements};

use super::{account_of_arn, is_account_id};
use document::{covers, is_every_action};

/// Null for null; else the judgement over all statements of the value's documents.
fn judge(value: &Json, judgement: impl FnOnce(&[Statement<'_>]) -> Json) -> Result<Json, String> {
    let Some(documents) = documents(value)? else { return Ok(Json::Null) };
    Ok(judgement(&statements(&documents)))
}

/// A sorted list without repetitions.
fn list<'a>(items: impl IntoIterator<Item = &'a str>) -> Json {
    items.into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().into()
}

/// Statements that let everyone in.
///
/// INVARIANT: an Allow for everyone counts unless a condition of its own limits the callers, or Deny statements for
/// everyone take all of its actions on all of its resources back from outsiders.
pub(crate) fn open_statements<'s, 'a>(statements: &'s [Statement<'a>]) -> Vec<&'s Statement<'a>> {
    let denies: Vec<_> = statements.iter().filter(|statement| condition::denies_outsiders(statement)).collect();
    statements
        .iter()
        .filter(|statement| statement.allow && statement.principals.everyone && !condition::limits_callers(statement))
        .filter(|statement| !denies.iter().any(|deny| takes_back(deny, statement)))
        .collect()
}

fn takes_back(deny: &Statement<'_>, allow: &Statement<'_>) -> bool {
    let actions = if allow.actions_negated {
        deny.covers_action("*")
    } else {
        allow.actions.iter().all(|action| deny.covers_action(action))
    };
    actions && covers_resources(deny, allow)
}

fn covers_resources(deny: &Statement<'_>, allow: &Statement<'_>) -> bool {
    if deny.resources_negated {
        return false;
    }
    if allow.resources_negated {
        return deny.resources.contains(&"*");
    }
    allow.resources.iter().all(|resource| deny.resources.iter().any(|denied| covers(denied, resource)))
}

/// Whether everyone may take the action on some resource of the policy.
pub(crate) fn is_open_to_everyone(statements: &[Statement<'_>], action: &str) -> bool {
    let denies = || statements.iter().filter(|statement| condition::denies_outsiders(statement));
    open_statements(statements).into_iter().any(|statement| {
        statement.covers_action(action)
            && !denies().any(|deny| deny.covers_action(action) && covers_resources(deny, statement))
    })
}

/// `policy-public`.
///
/// # Errors
/// This and all below: when the value is no policy document.
pub fn public(value: &Json, _: &TransformContext<'_>) -> Result<Json, String> {
    judge(value, |statements| Json::Bool(!open_statements(statements).is_empty()))
}

/// `policy-public-actions`.
pub fn public_actions(value: &Json, _: &TransformContext<'_>) -> Result<Json, String> {
    judge(value, |statements| {
        list(
            open_statements(statements)
                .into_iter()
                .flat_map(|statement| if statement.actions_negated { vec!["*"] } else { statement.actions.clone() }),
        )
    })
}

/// Accounts that a statement lets in, as principals or as conditions on everyone.
fn accounts<'a>(statement: &'a Statement<'_>) -> Vec<&'a str> {
    let principals = &statement.principals;
    let mut found = Vec::new();
    if !principals.negated {
        found.extend(principals.aws.iter().filter_map(|principal| {
            if is_account_id(principal) { Some(*principal) } else { account_of_arn(principal) }
        }));
    }
    if principals.everyone {
        found.extend(condition::named_accounts(statement));
    }
    found
}

/// `policy-external-accounts`.
pub fn external_accounts(value: &Json, context: &TransformContext<'_>) -> Result<Json, String> {
    judge(value, |statements| {
        list(
            statements
                .iter()
                .filter(|statement| statement.allow)
                .flat_map(accounts)
                .filter(|account| *account != context.account),
        )
    })
}

/// `policy-external-accounts-unguarded`.
pub fn external_accounts_unguarded(value: &Json, context: &TransformContext<'_>) -> Result<Json, String> {
    judge(value, |statements| {
        list(
            statements
                .iter()
                .filter(|statement| statement.allow && !condition::guards_trust(statement))
                .flat_map(accounts)
                .filter(|account| *account != context.account),
        )
    })
}

/// `policy-principals`.
pub fn principals(value: &Json, _: &TransformContext<'_>) -> Result<Json, String> {
    judge(value, |statements| {
        list(statements.iter().filter(|statement| statement.allow && !statement.principals.negated).flat_map(
            |statement| {
                statement.principals.everyone.then_some("*").into_iter().chain(statement.principals.aws.iter().copied())
            },
        ))
    })
}

/// `policy-service-principals`.
pub fn service_principals(value: &Json, _: &TransformContext<'_>) -> Result<Json, String> {
    judge(value, |statements| list(services(statements, |_| true)))
}

/// `policy-services-without-source`.
pub fn services_without_source(value: &Json, _: &TransformContext<'_>) -> Result<Json, String> {
    judge(value, |statements| list(services(statements, |statement| !condition::binds_source(statement))))
}

fn services<'s, 'a>(statements: &'s [Statement<'a>], wanted: impl Fn(&Statement<'a>) -> bool) -> Vec<&'s str> {
    statements
        .iter()
        .filter(|statement| statement.allow && !statement.principals.negated && wanted(statement))
        .flat_map(|statement| statement.principals.service.iter().copied())
        .collect()
}

/// `policy-federated-principals`.
pub fn federated_principals(value: &Json, _: &TransformContext<'_>) -> Result<Json, String> {
    judge(value, |statements| {
        list(
            statements
                .iter()
                .filter(|statement| statement.allow && !statement.principals.negated)
                .flat_map(|statement| statement.principals.federated.iter().copied()),
        )
    })
}

/// `policy-open-federation`; with the argument `clusters: true` that of the account's own clusters, else of the others.
pub fn open_federation(value: &Json, context: &TransformContext<'_>) -> Result<Json, String> {
    let clusters = context.args.get("clusters").and_then(Json::as_bool).unwrap_or_default();
    judge(value, |statements| {
        list(statements.iter().filter(|statement| statement.allow && !statement.principals.negated).flat_map(
            |statement| {
                statement
                    .principals
                    .federated
                    .iter()
                    .copied()
                    .filter(|provider| issuer(provider).starts_with(CLUSTER_ISSUERS.0) == clusters)
                    .filter(|provider| !is_narrowed(statement, provider))
            },
        ))
    })
}

/// The issuer of a provider's ARN; a provider that AWS names itself is its own issuer.
fn issuer(provider: &str) -> &str {
    provider.split_once(":oidc-provider/").map_or(provider, |(_, host)| host)
}

/// Claim, prefix of its value, and the separator after the name (`\0`: the name is the whole value).
type Claims = &'static [(&'static str, &'static str, char)];

/// Issuers whose tokens go to customers of all kinds, with the claims that tell those apart and what the fixed start of
/// their value must contain: a prefix, then a name, then a separator.
const SHARED_ISSUERS: &[(&str, Claims)] = &[
    (
        "token.actions.githubusercontent.com",
        &[
            ("sub", "repo:", '/'),
            ("sub", "repository:", '/'),
            ("sub", "repository_owner:", ':'),
            ("repository", "", '/'),
            ("job_workflow_ref", "", '/'),
            ("repository_owner", "", '\0'),
            ("repository_owner_id", "", '\0'),
            ("repository_id", "", '\0'),
            ("enterprise", "", '\0'),
            ("enterprise_id", "", '\0'),
        ],
    ),
    ("gitlab.com", &[("sub", "project_path:", '/'), ("namespace_path", "", '\0'), ("project_path", "", '/')]),
    ("app.terraform.io", &[("sub", "organization:", ':'), ("terraform_organization_id", "", '\0')]),
    ("agent.buildkite.com", &[("sub", "organization:", ':')]),
    ("cognito-identity.amazonaws.com", &[("aud", "", '\0'), ("sub", "", '\0')]),
    ("accounts.google.com", &[("aud", "", '\0'), ("oaud", "", '\0'), ("sub", "", '\0')]),
    ("graph.facebook.com", &[("app_id", "", '\0'), ("id", "", '\0')]),
    ("www.amazon.com", &[("app_id", "", '\0'), ("user_id", "", '\0')]),
];

/// Issuers of the account's own clusters: not strangers, but every pod.
const CLUSTER_ISSUERS: (&str, Claims) = ("oidc.eks.", &[("sub", "system:serviceaccount:", ':')]);

/// Whether the statement's conditions narrow whose tokens of the provider are taken.
fn is_narrowed(statement: &Statement<'_>, provider: &str) -> bool {
    let host = issuer(provider);
    if host.contains(":saml-provider/") {
        return true; // The provider is the account's own: its users are those of one directory.
    }
    let issuers = SHARED_ISSUERS.iter().chain([&CLUSTER_ISSUERS]);
    let claims = condition::claims(statement, host);
    let Some((_, needed)) = issuers.into_iter().find(|(shared, _)| host.starts_with(shared)) else {
        return claims.iter().any(|(_, value, wildcards)| !condition::fixed_part(value, *wildcards).0.is_empty());
    };
    let names: BTreeSet<&str> = claims.iter().map(|(claim, _, _)| *claim).collect();
    names.into_iter().any(|name| {
        claims.iter().filter(|(claim, _, _)| *claim == name).all(|(_, value, wildcards)| {
            let (part, whole) = condition::fixed_part(value, *wildcards);
            needed.iter().filter(|(claim, _, _)| *claim == name).any(|(_, prefix, separator)| {
                part.strip_prefix(prefix).is_some_and(|rest| {
                    let fixed = match separator {
                        '\0' => whole.then_some(rest),
                        separator => rest.split_once(*separator).map(|(name, _)| name).or(whole.then_some(rest)),
                    };
                    fixed.is_some_and(|name| !name.is_empty())
                })
            })
        })
    })
}

/// `policy-requires-tls`.
pub fn requires_tls(value: &Json, _: &TransformContext<'_>) -> Result<Json, String> {
    judge(value, |statements| {
        Json::Bool(statements.iter().any(|statement| {
            !statement.allow
                && statement.principals.everyone
                && !statement.principals.negated
                && !statement.actions_negated
                && statement.actions.iter().any(|action| is_every_action(action) || action.ends_with(":*"))
                && !statement.resources_negated
                && reaches_contents(&statement.resources)
                && condition::is_plain_http(statement)
        }))
    })
}

/// A Deny on a bucket's own ARN says nothing about its objects; other resources have no such second level.
fn reaches_contents(resources: &[&str]) -> bool {
    resources.is_empty()
        || resources
            .iter()
            .any(|resource| !resource.contains(":s3:::") || resource.contains('/') || resource.ends_with('*'))
}

/// Whether something is allowed by these identity policies on all resources of its type: an Allow without narrowing
/// conditions, and no unconditional Deny of the same on everything.
fn allowed(statements: &[Statement<'_>], action: &str) -> bool {
    allowed_where(statements, action, condition::only_circumstances)
}

fn allowed_where(statements: &[Statement<'_>], action: &str, condition_holds: impl Fn(&Statement<'_>) -> bool) -> bool {
    statements.iter().any(|statement| {
        statement.allow
            && statement.covers_action(action)
            && statement.all_resources(action)
            && condition_holds(statement)
    }) && !statements.iter().any(|statement| {
        !statement.allow
            && statement.conditions.is_empty()
            && statement.covers_action(action)
            && !statement.resources_negated
            && statement.all_resources(action)
    })
}

/// `policy-full-admin`. Conditions do not count against it: they say when, not what.
pub fn full_admin(value: &Json, _: &TransformContext<'_>) -> Result<Json, String> {
    judge(value, |statements| {
        let grants = statements.iter().any(|statement| {
            statement.allow
                && !statement.actions_negated
                && statement.actions.iter().any(|action| is_every_action(action))
                && !statement.resources_negated
                && statement.resources.iter().any(|resource| is_everything(resource))
        });
        let revoked = statements.iter().any(|statement| {
            !statement.allow
                && statement.conditions.is_empty()
                && !statement.actions_negated
                && statement.actions.iter().any(|action| is_every_action(action))
                && !statement.resources_negated
                && statement.resources.iter().any(|resource| is_everything(resource))
        });
        Json::Bool(grants && !revoked)
    })
}

/// `*`, `**`, `arn:*`, `arn:aws:*:*:*:*` …
fn is_everything(resource: &str) -> bool {
    let rest = resource.strip_prefix("arn:").unwrap_or(resource);
    let rest = rest.strip_prefix("aws:").unwrap_or(rest);
    rest.contains('*') && rest.bytes().all(|byte| matches!(byte, b'*' | b':' | b'/'))
}

/// `policy-wildcard-actions`.
pub fn wildcard_actions(value: &Json, _: &TransformContext<'_>) -> Result<Json, String> {
    judge(value, |statements| {
        let mut found = BTreeSet::new();
        for statement in statements.iter().filter(|statement| statement.allow) {
            if statement.actions_negated {
                // Everything but some: whole services are among it.
                found.insert("*".to_owned());
                continue;
            }
            for action in &statement.actions {
                if is_every_action(action) {
                    found.insert("*".to_owned());
                } else if let Some((service, "*")) = action.split_once(':') {
                    found.insert(format!("{}:*", service.to_ascii_lowercase()));
                }
            }
        }
        Json::from(found.into_iter().collect::<Vec<_>>())
    })
}

/// `policy-actions-on-all`.
pub fn actions_on_all(value: &Json, context: &TransformContext<'_>) -> Result<Json, String> {
    let wanted = texts(context.args);
    judge(value, |statements| list(wanted.iter().copied().filter(|action| allowed(statements, action))))
}

/// `policy-allows`.
pub fn allows(value: &Json, context: &TransformContext<'_>) -> Result<Json, String> {
    let wanted = context.args.get("actions").map(texts).unwrap_or_default();
    judge(value, |statements| Json::Bool(wanted.iter().any(|action| allowed(statements, action))))
}

fn texts(value: &Json) -> Vec<&str> {
    match value {
        Json::String(text) => vec![text.as_str()],
        Json::Array(items) => items.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    }
}

/// `policy-escalation-methods`.
pub fn escalation_methods(value: &Json, _: &TransformContext<'_>) -> Result<Json, String> {
    judge(value, |statements| {
        list(
            escalation::METHODS
                .iter()
                .filter(|(_, service, actions)| {
                    actions.iter().all(|action| {
                        allowed_where(statements, action, |statement| {
                            condition::only_circumstances(statement)
                                || (*action == "iam:PassRole"
                                    && service.is_some_and(|service| passes_only_to(statement, service)))
                        })
                    })
                })
                .map(|(name, _, _)| *name),
        )
    })
}

/// Whether the one narrowing condition is `iam:PassedToService`, and it names the service.
fn passes_only_to(statement: &Statement<'_>, service: &str) -> bool {
    match statement.conditions.as_slice() {
        [only] => {
            only.key == "iam:passedtoservice"
                && matches!(only.operator.as_str(), "stringequals" | "stringlike" | "stringequalsignorecase")
                && only.values.iter().any(|value| covers(value, service))
        }
        _ => false,
    }
}
