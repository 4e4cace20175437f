//! What an identity may do to anything: pass and assume roles, raise its own rights, give resources away, read data.

use std::ops::Range;

use super::actions::is_everything;
use super::document::{Item, Statement};
use super::{Checker, PolicyKind, checks, facts};
use crate::actions::{Access, Action, ResourceType};
use crate::pattern::Pattern;

/// An Allow of an identity.
pub fn statement(checker: &mut Checker<'_>, statement: &Statement<'_>) {
    if *checker.kind != PolicyKind::Identity || !statement.allows() || statement.resources.is_none() {
        return;
    }
    pass_role(checker, statement);
    service_roles(checker, statement);
    // All that follows is a part of what is said of such a statement already, or held down in ways that only the key's own
    // meaning tells.
    let allows_everything = statement.listed_actions().iter().any(is_everything);
    let takes_all_but = statement.actions.as_ref().is_none_or(|actions| actions.not);
    if allows_everything || takes_all_but || !statement.tests.is_empty() {
        return;
    }
    named(checker, statement, &["sts:assumerole"], &checks::ASSUME_ROLE_ANY, "roles can be assumed");
    named(checker, statement, &facts::ESCALATING, &checks::ESCALATION_ANY, "rights can be raised");
    named(checker, statement, &facts::DATA_READING, &checks::DATA_READ_ANY, "data can be read");
    classed(checker, statement);
}

/// Whether a statement takes every resource of a type, whatever its account and region.
fn is_any(statement: &Statement<'_>, of_type: ResourceType<'_>) -> bool {
    let Some(resources) = &statement.resources else { return false };
    let widened = |item: &Item<'_>| match item.pattern.text().splitn(6, ':').collect::<Vec<_>>().as_slice() {
        ["arn", _, service, _, _, resource] => Pattern::new(&format!("arn:*:{service}:*:*:{resource}")),
        _ => item.pattern.clone(),
    };
    let pattern = of_type.pattern();
    match resources.not {
        // All but some: of most types all.
        true => !resources.items.iter().any(|item| widened(item).covers(&pattern)),
        false => resources.items.iter().any(|item| !item.text.contains("${") && widened(item).covers(&pattern)),
    }
}

/// Whether a statement takes every resource of a type, in all regions and accounts of a partition.
fn is_all(statement: &Statement<'_>, of_type: ResourceType<'_>) -> bool {
    let in_any_partition = |item: &Item<'_>| match item.pattern.text().splitn(3, ':').collect::<Vec<_>>().as_slice() {
        ["arn", _, rest] => Pattern::new(&format!("arn:*:{rest}")),
        _ => item.pattern.clone(),
    };
    let pattern = of_type.pattern();
    statement.listed_resources().iter().any(|item| in_any_partition(item).covers(&pattern))
}

fn takes_any(statement: &Statement<'_>, action: Action<'_>) -> bool {
    action.resource_types().any(|(of_type, _)| is_any(statement, of_type))
}

/// Whether a condition holds a key down to certain values.
fn is_held_by(statement: &Statement<'_>, keys: &[&str]) -> bool {
    statement.tests.iter().any(|test| {
        let is_key = keys.iter().any(|key| test.lower == *key || (key.ends_with('/') && test.lower.starts_with(key)));
        is_key && test.requires() && !test.values.iter().any(|value| value.pattern.is_everything())
    })
}

fn pass_role(checker: &mut Checker<'_>, statement: &Statement<'_>) {
    let (Some(at), Some(action)) = (statement.names_action("iam:passrole"), checker.catalogue.action("iam:PassRole"))
    else {
        return;
    };
    let held = ["iam:passedtoservice", "iam:associatedresourcearn", "aws:resourcetag/", "iam:resourcetag/"];
    if takes_any(statement, action) && !is_held_by(statement, &held) {
        checker.findings.add(&checks::PASS_ROLE_ANY, at, "any role can be passed to any service");
    }
}

fn service_roles(checker: &mut Checker<'_>, statement: &Statement<'_>) {
    let at = statement.names_action("iam:createservicelinkedrole");
    let (Some(at), Some(action)) = (at, checker.catalogue.action("iam:CreateServiceLinkedRole")) else { return };
    if takes_any(statement, action) && !is_held_by(statement, &["iam:awsservicename"]) {
        let message = "a service-linked role of any service can be made";
        checker.findings.add(&checks::SERVICE_ROLE_ANY, at, message);
    }
}

/// Actions of a list.
fn named(
    checker: &mut Checker<'_>,
    statement: &Statement<'_>,
    actions: &[&str],
    check: &'static super::Check,
    what: &str,
) {
    let mut first: Option<Range<usize>> = None;
    let mut names = Vec::new();
    for action in actions {
        if let Some(at) = statement.names_action(action)
            && let Some(action) = checker.catalogue.action(action)
            && takes_any(statement, action)
        {
            first.get_or_insert_with(|| at.clone());
            names.push(action.name());
        }
    }
    if let Some(at) = first {
        let message = format!("{what} with {}", listed(&names));
        checker.findings.add(check, &at, message);
    }
}

/// Said with checks of their own, in lower case.
const SAID: [&str; 3] = ["iam:passrole", "iam:createservicelinkedrole", "sts:assumerole"];

/// The reference classes some actions as permissions management that only read.
fn only_reads(action: Action<'_>) -> bool {
    let name = action.name().split(':').next_back().unwrap_or_default();
    ["Get", "Describe", "List", "Search", "BatchGet", "Validate", "Test"].iter().any(|verb| name.starts_with(verb))
}

/// Actions that the catalogue classes as changing permissions or resources.
fn classed(checker: &mut Checker<'_>, statement: &Statement<'_>) {
    let mut permissions: Vec<(&Range<usize>, &str)> = Vec::new();
    let mut writes: Vec<(&Range<usize>, &str)> = Vec::new();
    for item in statement.listed_actions() {
        for action in checker.catalogue.matching(&item.pattern) {
            let is_named = SAID.iter().chain(&facts::ESCALATING).any(|named| action.name().eq_ignore_ascii_case(named));
            match action.access() {
                Access::PermissionsManagement if !is_named && !only_reads(action) && takes_any(statement, action) => {
                    permissions.push((&item.span, action.name()));
                }
                // A region or an account holds it down already.
                Access::Write
                    if !is_named
                        && action
                            .resource_types()
                            .any(|(of_type, required)| required && is_all(statement, of_type)) =>
                {
                    writes.push((&item.span, action.name()));
                }
                _ => {}
            }
        }
    }
    let mut say = |found: &[(&Range<usize>, &str)], check, what: &str| {
        if let Some((at, _)) = found.first() {
            let names: Vec<&str> = found.iter().map(|(_, name)| *name).collect();
            checker.findings.add(check, at, format!("{what} with {}", listed(&names)));
        }
    };
    say(&permissions, &checks::PERMISSIONS_ANY, "permissions of any resource can be changed");
    say(&writes, &checks::WRITE_ANY, "any resource can be changed");
}

/// The first three, and how many more.
fn listed(names: &[&str]) -> String {
    let first: Vec<String> = names.iter().take(3).map(|name| format!("`{name}`")).collect();
    match names.len() {
        ..=3 => first.join(", "),
        more => format!("{} and {} more", first.join(", "), more - 3),
    }
}
