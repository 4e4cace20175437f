//! Whom a statement is about: whether each is someone, and who is let in.

use super::document::{Item, PrincipalType as T, Principals, Statement, Test};
use super::{Checker, PolicyKind, checks, facts};
use crate::arn::Arn;
use crate::arn::is_account;
use crate::policy::{Operator as O, prefix};

/// The principals of a statement.
pub fn statement(checker: &mut Checker<'_>, statement: &Statement<'_>) {
    let Some(principals) = &statement.principals else { return };
    // Said already where the kind of policy has none.
    if matches!(checker.kind, PolicyKind::Identity | PolicyKind::ServiceControl) {
        return;
    }
    if *checker.kind == PolicyKind::ResourceControl {
        return of_resource_control(checker, statement, principals);
    }
    for (of, item) in &principals.items {
        match of {
            T::Aws => aws(checker, item),
            T::Service => service(checker, item),
            T::Federated => federated(checker, item),
            T::Everyone | T::Canonical => {}
        }
    }
    if statement.allows() {
        allowed(checker, statement, principals);
    }
    not_of_services(checker, statement, principals);
}

/// Deny, and everyone: nothing else is taken
/// (<https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html>).
fn of_resource_control(checker: &mut Checker<'_>, statement: &Statement<'_>, principals: &Principals<'_>) {
    if statement.allows() {
        let message = "a resource control policy of your own only denies";
        checker.findings.add(&checks::EFFECT_INVALID, &(statement.span.start..statement.span.start + 1), message);
    }
    if !principals.not && principals.items.iter().any(|(of, item)| *of != T::Everyone && item.text != "*") {
        let message = "a resource control policy has the principal `*` only";
        checker.findings.add(&checks::PRINCIPAL_INVALID, &principals.name_span, message);
    }
}

fn aws(checker: &mut Checker<'_>, item: &Item<'_>) {
    let text = &*item.text;
    if text == "*" || is_account(text) || text.contains("${") {
        return;
    }
    if text.contains(['*', '?']) {
        let message = format!("`{text}`: wildcards are not taken within a principal");
        return checker.findings.add(&checks::PRINCIPAL_WILDCARD, &item.span, message);
    }
    // The ids of roles and users, which no living principal is written with
    // (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>).
    let is_id = ["AIDA", "AROA"].iter().any(|beginning| text.starts_with(beginning))
        && (16..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if is_id {
        let message = format!("`{text}` is the id of a user or role that was deleted");
        return checker.findings.add(&checks::PRINCIPAL_DELETED, &item.span, message);
    }
    let wrong = match Arn::of(text) {
        None => format!("`{text}` is neither an account number nor the ARN of an identity"),
        Some(arn) if !facts::PARTITIONS.contains(&arn.partition) => {
            format!("there is no partition `{}`", arn.partition)
        }
        Some(arn) if !matches!(arn.service, "iam" | "sts") => format!("`{text}` is no identity: `{}`", arn.service),
        Some(arn) if !is_account(arn.account) && !matches!(arn.account, "cloudfront" | "aws") => {
            format!("`{}` is no account number", arn.account)
        }
        Some(arn) if !arn.region.is_empty() => "the ARN of an identity has no region".to_owned(),
        Some(arn) if arn.service == "iam" && arn.resource.starts_with("group/") => {
            "a group is no principal: name its users, or a role".to_owned()
        }
        Some(arn) => {
            let types: &[&str] = match arn.service {
                "iam" => &["user/", "role/"],
                _ => &["assumed-role/", "federated-user/", "self"],
            };
            let is_identity = arn.resource == "root" || types.iter().any(|of| arn.resource.starts_with(of));
            match is_identity {
                true => return,
                false => format!("`{text}` is neither a user, a role, a session nor an account's root"),
            }
        }
    };
    checker.findings.add(&checks::PRINCIPAL_INVALID, &item.span, wrong);
}

fn service(checker: &mut Checker<'_>, item: &Item<'_>) {
    let text = &*item.text;
    let is_name = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte))
    };
    let is_service = [".amazonaws.com", ".amazonaws.com.cn", ".amazon.com", ".aws.internal", ".amazonaws.eu"]
        .iter()
        .any(|end| text.strip_suffix(end).is_some_and(|name| !name.is_empty() && is_name(name)));
    if text == "*" || is_service {
        return;
    }
    let message = match text.contains(['*', '?']) {
        true => format!("`{text}`: wildcards are not taken within a principal"),
        false => format!("`{text}` is no service: services are written `name.amazonaws.com`, in lower case"),
    };
    let check = if text.contains(['*', '?']) { &checks::PRINCIPAL_WILDCARD } else { &checks::PRINCIPAL_INVALID };
    checker.findings.add(check, &item.span, message);
}

fn federated(checker: &mut Checker<'_>, item: &Item<'_>) {
    let text = &*item.text;
    if *checker.kind != PolicyKind::Trust {
        let message = format!("a {} takes no provider of identities", checker.kind);
        return checker.findings.add(&checks::FEDERATED_UNSUPPORTED, &item.span, message);
    }
    let is_provider = match Arn::of(text) {
        Some(arn) => {
            arn.service == "iam"
                && is_account(arn.account)
                && ["saml-provider/", "oidc-provider/"].iter().any(|of| arn.resource.starts_with(of))
        }
        None => text.contains('.') && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_/:".contains(&byte)),
    };
    if text == "*" {
        let message = "wildcards are not taken within a principal";
        checker.findings.add(&checks::PRINCIPAL_WILDCARD, &item.span, message);
    } else if !is_provider {
        let message = format!("`{text}` is neither the name of a provider nor the ARN of one");
        checker.findings.add(&checks::PRINCIPAL_INVALID, &item.span, message);
    }
}

/// Who is let in.
fn allowed(checker: &mut Checker<'_>, statement: &Statement<'_>, principals: &Principals<'_>) {
    if principals.not {
        let message = "everyone but those listed is allowed";
        return checker.findings.add(&checks::NOT_PRINCIPAL_ALLOWED, &principals.name_span, message);
    }
    for (of, item) in &principals.items {
        let is_everyone = *of == T::Everyone || (*of == T::Aws && item.text == "*");
        if is_everyone && !statement.tests.iter().any(narrows) {
            let message = match statement.tests.is_empty() {
                true => "everyone is allowed, in every account of AWS",
                false => "everyone is allowed: no condition says whose the principal is or where it comes from",
            };
            checker.findings.add(&checks::PRINCIPAL_EVERYONE, &item.span, message);
        }
        let is_resource = matches!(checker.kind, PolicyKind::Resource(_));
        if *of == T::Service && is_resource && !names_source(statement) {
            let message = format!("`{}` is allowed for every customer that it works for", item.text);
            checker.findings.add(&checks::SERVICE_SOURCE_MISSING, &item.span, message);
        }
    }
}

/// Whether a condition holds down who is let in.
fn narrows(test: &Test<'_>) -> bool {
    // Tags of the principal are not among them: whoever asks from an account of their own chooses them.
    test.requires()
        && facts::NARROWING_KEYS.contains(&&*test.lower)
        && !test.values.iter().any(|value| takes_everything(test, value))
}

/// Whether a value of a positive test is any value.
pub fn takes_everything(test: &Test<'_>, value: &Item<'_>) -> bool {
    match test.operator.map(|(_, operator, _)| operator) {
        Some(O::StringLike) => value.pattern.is_everything(),
        Some(O::ArnLike | O::ArnEquals) => value.text.split(':').all(|part| part == "*" || part == "arn"),
        Some(O::IpAddress) => prefix(&value.text).is_some_and(|(_, bits)| bits == 0),
        _ => false,
    }
}

/// Whether a condition says for whom a service works.
fn names_source(statement: &Statement<'_>) -> bool {
    // What services put into the encryption context names the resource that they work for.
    let is_context = |test: &Test<'_>| test.lower.starts_with("kms:encryptioncontext:") && test.requires();
    statement.tests.iter().any(|test| narrows(test) || is_context(test))
}

/// Conditions on the principal's account or organisation where only services are let in.
fn not_of_services(checker: &mut Checker<'_>, statement: &Statement<'_>, principals: &Principals<'_>) {
    let only_services = !principals.items.is_empty() && principals.items.iter().all(|(of, _)| *of == T::Service);
    if principals.not || !only_services {
        return;
    }
    for test in &statement.tests {
        if test.requires() && facts::PRINCIPAL_KEYS.contains(&&*test.lower) {
            let message = format!("requests of services have no `{}`, so this never holds", test.key);
            checker.findings.add(&checks::KEY_NOT_OF_SERVICES, &test.key_span, message);
        }
    }
}
