//! Who may assume a role: identities of providers, and the actions that go with each.

use super::document::{Item, PrincipalType as T, Statement, Test};
use super::{Checker, PolicyKind, checks, facts};
use crate::arn::Arn;

const WEB_IDENTITY: &str = "sts:assumerolewithwebidentity";
const SAML: &str = "sts:assumerolewithsaml";
const ASSUME: &str = "sts:assumerole";

/// A statement of a trust policy.
pub fn statement(checker: &mut Checker<'_>, statement: &Statement<'_>) {
    if *checker.kind != PolicyKind::Trust || !statement.allows() {
        return;
    }
    let Some(principals) = statement.principals.as_ref().filter(|principals| !principals.not) else { return };
    for (of, item) in &principals.items {
        let provider = (*of == T::Federated).then(|| Provider::of(&item.text));
        action_of(checker, statement, item, provider.as_ref());
        if let Some(Provider::Oidc(name)) = provider
            && statement.names_action(WEB_IDENTITY).is_some()
        {
            claims(checker, statement, item, &name);
        }
        if *of == T::Service && item.text.starts_with("rolesanywhere.") {
            roles_anywhere(checker, statement, item);
        }
    }
}

enum Provider {
    Saml,
    /// By what its claims begin with.
    Oidc(String),
}

impl Provider {
    fn of(text: &str) -> Self {
        match Arn::of(text) {
            Some(arn) if arn.resource.starts_with("saml-provider/") => Self::Saml,
            Some(arn) => Self::Oidc(arn.named("oidc-provider").unwrap_or(arn.resource).to_lowercase()),
            None => Self::Oidc(text.to_lowercase()),
        }
    }
}

/// The action by which such a principal assumes a role.
fn action_of(checker: &mut Checker<'_>, statement: &Statement<'_>, item: &Item<'_>, provider: Option<&Provider>) {
    let (wanted, others) = match provider {
        Some(Provider::Oidc(_)) => (WEB_IDENTITY, [SAML, ASSUME]),
        Some(Provider::Saml) => (SAML, [WEB_IDENTITY, ASSUME]),
        None => (ASSUME, [WEB_IDENTITY, SAML]),
    };
    if statement.names_action(wanted).is_some() {
        return;
    }
    if let Some(at) = others.iter().find_map(|other| statement.names_action(other)) {
        let written = match wanted {
            WEB_IDENTITY => "sts:AssumeRoleWithWebIdentity",
            SAML => "sts:AssumeRoleWithSAML",
            _ => "sts:AssumeRole",
        };
        let message = format!("`{}` assumes roles with `{written}`, which the statement does not allow", item.text);
        checker.findings.add(&checks::TRUST_ACTION_MISMATCH, at, message);
    }
}

/// What a token has to say.
fn claims(checker: &mut Checker<'_>, statement: &Statement<'_>, item: &Item<'_>, name: &str) {
    let of_claim = |claim: &str| {
        let key = format!("{name}:{claim}");
        statement.tests.iter().filter(move |test| test.lower == key && test.requires())
    };
    let of_provider = statement.tests.iter().any(|test| test.lower.starts_with(&format!("{name}:")) && test.requires());
    if !of_provider {
        let message = format!("no condition says for whom or to whom `{name}` issued the token");
        return checker.findings.add(&checks::OIDC_CONDITION_MISSING, &item.span, message);
    }
    let wide: Vec<(&Test<'_>, &Item<'_>)> = of_claim("sub")
        .flat_map(|test| test.values.iter().map(move |value| (test, value)))
        .filter(|(_, value)| is_wide_subject(name, &value.text))
        .collect();
    for (test, value) in &wide {
        let message = format!("`{}` in `{}` is met by others than you mean", value.text, test.key);
        checker.findings.add(&checks::OIDC_SUBJECT_WIDE, &value.span, message);
    }
    let shared = facts::SHARED_PROVIDERS.iter().find(|(shared, _)| *shared == name).map(|(_, claim)| *claim);
    // A cluster issues tokens to each of its service accounts
    // (<https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html>).
    let claim = shared.or_else(|| name.starts_with("oidc.eks.").then_some("sub"));
    if let Some(claim) = claim
        && of_claim(claim).next().is_none()
    {
        let message = format!("no condition on `{name}:{claim}` says whose the token is");
        checker.findings.add(&checks::OIDC_SUBJECT_MISSING, &item.span, message);
    }
}

/// Whether a value of `sub` leaves open whose it is.
fn is_wide_subject(name: &str, value: &str) -> bool {
    let Some(wildcard) = value.find(['*', '?']) else { return false };
    let before = value.get(..wildcard).unwrap_or_default();
    match name {
        // `repo:organisation/repository:…`: the organisation has to be whole.
        "token.actions.githubusercontent.com" => !before.starts_with("repo:") || !before.contains('/'),
        // `project_path:group/project:…`
        "gitlab.com" => !before.starts_with("project_path:") || !before.contains('/'),
        // `organization:name:project:…`
        "app.terraform.io" => before.strip_prefix("organization:").is_none_or(|rest| !rest.contains(':')),
        // `system:serviceaccount:namespace:name`: the namespace has to be whole.
        _ if name.starts_with("oidc.eks.") => {
            before.strip_prefix("system:serviceaccount:").is_none_or(|rest| !rest.contains(':'))
        }
        _ => before.is_empty(),
    }
}

/// <https://docs.aws.amazon.com/rolesanywhere/latest/userguide/trust-model.html>
fn roles_anywhere(checker: &mut Checker<'_>, statement: &Statement<'_>, item: &Item<'_>) {
    let needed = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"];
    let missing: Vec<&str> =
        needed.into_iter().filter(|action| statement.names_action(&action.to_lowercase()).is_none()).collect();
    if !missing.is_empty() {
        let message = format!("IAM Roles Anywhere also needs `{}`", missing.join("`, `"));
        checker.findings.add(&checks::ROLES_ANYWHERE_ACTIONS, &item.span, message);
    }
}
