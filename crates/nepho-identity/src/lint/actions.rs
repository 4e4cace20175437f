//! The actions of a statement: whether each is one, and goes with this kind of policy.

use super::document::{Element, Item, Statement};
use super::{Checker, PolicyKind, checks, facts};
use crate::pattern::Pattern;

/// Most entries of one element that are compared with each other.
pub const MOST_COMPARED: usize = 1_000;

/// All actions of a statement.
pub fn statement(checker: &mut Checker<'_>, statement: &Statement<'_>) {
    let Some(actions) = &statement.actions else { return };
    for item in &actions.items {
        one(checker, item);
        if !actions.not {
            fits_kind(checker, item);
        }
    }
    if statement.allows() {
        allowed(checker, statement, actions);
    }
    redundant(checker, actions);
}

/// Whether it is an action.
fn one(checker: &mut Checker<'_>, item: &Item<'_>) {
    let text = &*item.text;
    if is_everything(item) || text.contains("${") {
        return;
    }
    let name_is_well_formed = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"*?-_".contains(&byte))
    };
    let (service, name) = match text.split_once(':') {
        Some((service, name)) if !service.is_empty() && name_is_well_formed(name) => (service, name),
        _ => {
            let message = format!("`{text}` is not `service:Action`");
            return checker.findings.add(&checks::ACTION_MALFORMED, &item.span, message);
        }
    };
    if service.contains(['*', '?']) {
        let services = checker.catalogue.services().filter(|of| Pattern::new(service).matches(of.name()));
        let count = services.count();
        let message = format!("`{service}` stands for {count} services");
        checker.findings.add(&checks::SERVICE_WILDCARD, &item.span, message);
    } else {
        let Some(found) = checker.catalogue.service(service) else {
            let names = checker.catalogue.services().map(|service| service.name());
            let message = format!("AWS lists no service `{service}`{}", meant(service, names));
            return checker.findings.add(&checks::SERVICE_UNKNOWN, &item.span, message);
        };
        // A service of which the reference lists no actions can have some.
        if found.actions().next().is_none() {
            return;
        }
    }
    if checker.catalogue.matching(&item.pattern).next().is_some() {
        return;
    }
    let message = match name.contains(['*', '?']) || service.contains(['*', '?']) {
        true => format!("AWS lists no action like `{text}`"),
        false => {
            let actions = checker.catalogue.service(service).into_iter().flat_map(|service| service.actions());
            format!("AWS lists no action `{text}`{}", meant(text, actions.map(|action| action.name())))
        }
    };
    checker.findings.add(&checks::ACTION_UNKNOWN, &item.span, message);
}

/// The end of a message that names what a wrong name is nearest to.
fn meant<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> String {
    let wrong = wrong.to_lowercase();
    let near = names
        .map(|name| (strsim::damerau_levenshtein(&wrong, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= (name.len().min(wrong.len()) / 4).max(1))
        .min();
    near.map_or_else(String::new, |(_, name)| format!(": did you mean `{name}`?"))
}

/// `*`, also as `*:*`.
pub fn is_everything(item: &Item<'_>) -> bool {
    item.pattern.is_everything() || item.pattern.text() == "*:*"
}

/// Whether the kind of policy can be about the action.
fn fits_kind(checker: &mut Checker<'_>, item: &Item<'_>) {
    let service = item.text.split_once(':').map_or("", |(service, _)| service).to_ascii_lowercase();
    let message = match checker.kind {
        PolicyKind::Trust if !service.is_empty() && service != "sts" && !service.contains('*') => {
            format!("a trust policy is about actions of `sts` only, not `{}`", item.text)
        }
        // Patterns over services are left alone: what else they stand for does no harm.
        PolicyKind::Resource(Some(own)) if !service.is_empty() && !service.contains('*') && *service != **own => {
            format!("a policy of {own} is not about `{}`", item.text)
        }
        PolicyKind::ResourceControl if is_everything(item) => {
            "a resource control policy of your own names the services of its actions".to_owned()
        }
        PolicyKind::ResourceControl
            if !service.is_empty()
                && !service.contains('*')
                && !facts::RESOURCE_CONTROLLED.contains(&&*service)
                && checker.catalogue.service(&service).is_some() =>
        {
            format!("resource control policies do not apply to `{service}`")
        }
        _ => return,
    };
    checker.findings.add(&checks::ACTION_UNSUPPORTED, &item.span, message);
}

/// What is allowed too widely by the form of the element alone.
fn allowed(checker: &mut Checker<'_>, statement: &Statement<'_>, actions: &Element<'_>) {
    // Organisations' policies allow nothing by themselves; a trust policy's actions are few.
    if !matches!(checker.kind, PolicyKind::Identity | PolicyKind::Resource(_)) {
        return;
    }
    if actions.not {
        let message = "every action but those listed is allowed";
        return checker.findings.add(&checks::NOT_ACTION_ALLOWED, &actions.name_span, message);
    }
    let on_everything = statement.listed_resources().iter().any(|resource| resource.pattern.is_everything());
    for item in &actions.items {
        if is_everything(item) {
            checker.findings.add(&checks::ACTION_EVERYTHING, &item.span, "every action is allowed");
        } else if let Some(service) = item.pattern.text().strip_suffix(":*")
            && on_everything
            && statement.tests.is_empty()
            && *checker.kind == PolicyKind::Identity
            && checker.catalogue.service(service).is_some()
        {
            let message = format!("every action of `{service}` is allowed on everything");
            checker.findings.add(&checks::SERVICE_EVERYTHING, &item.span, message);
        }
    }
}

/// Entries that another one has already.
fn redundant(checker: &mut Checker<'_>, actions: &Element<'_>) {
    for (item, by) in covered(&actions.items) {
        let message = format!("`{}` has `{}` already", by.text, item.text);
        checker.findings.add(&checks::ACTION_REDUNDANT, &item.span, message);
    }
}

/// Each entry that another one covers, of equal ones the later, and the other one.
pub fn covered<'i, 'n>(items: &'i [Item<'n>]) -> Vec<(&'i Item<'n>, &'i Item<'n>)> {
    let items = items.get(..MOST_COMPARED).unwrap_or(items);
    let by = |at: usize, item: &Item<'_>| {
        items.iter().enumerate().find(|(other_at, other)| {
            *other_at != at
                && other.pattern.covers(&item.pattern)
                && (*other_at < at || !item.pattern.covers(&other.pattern))
        })
    };
    items.iter().enumerate().filter_map(|(at, item)| Some((item, by(at, item)?.1))).collect()
}
