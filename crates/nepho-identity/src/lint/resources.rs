//! The resources of a statement: whether each is an ARN that something can have, and goes with the actions.

use std::ops::Range;

use super::actions::covered;
use super::document::{Item, Statement};
use super::{Checker, PolicyKind, checks, facts};
use crate::actions::{Action, Catalogue, ResourceType};
use crate::arn::Arn;
use crate::arn::is_account;
use crate::pattern::Pattern;

/// All resources of a statement.
pub fn statement(checker: &mut Checker<'_>, statement: &Statement<'_>) {
    let Some(resources) = &statement.resources else { return };
    for item in &resources.items {
        one(checker, item);
    }
    if resources.not && statement.allows() && matches!(checker.kind, PolicyKind::Identity | PolicyKind::Resource(_)) {
        let message = "every resource but those listed is allowed";
        checker.findings.add(&checks::NOT_RESOURCE_ALLOWED, &resources.name_span, message);
    }
    for (item, by) in covered(&resources.items) {
        // A variable may stand for what the other entry does not have.
        if by.text.contains("${") && by.text != item.text {
            continue;
        }
        let message = format!("`{}` has `{}` already", by.text, item.text);
        checker.findings.add(&checks::RESOURCE_REDUNDANT, &item.span, message);
    }
    if !resources.not {
        with_actions(checker, statement);
    }
}

/// Whether it is an ARN that something can have.
fn one(checker: &mut Checker<'_>, item: &Item<'_>) {
    if item.pattern.is_everything() {
        return;
    }
    let text = &*item.text;
    let Some(arn) = Arn::of(text) else {
        // A `*` at the end takes the parts that are missing.
        if !(text.starts_with("arn:") && text.ends_with('*')) {
            let message = format!("`{text}` is no ARN: it has no six parts that begin with `arn`");
            checker.findings.add(&checks::ARN_MALFORMED, &item.span, message);
        }
        return;
    };
    let findings = &mut checker.findings;
    let is_open = |part: &str| part.contains(['*', '?']) || part.contains("${");
    if !is_open(arn.partition) && !facts::PARTITIONS.contains(&arn.partition) {
        let message = format!("there is no partition `{}`", arn.partition);
        findings.add(&checks::ARN_PARTITION, &item.span, message);
    }
    if !arn.region.is_empty() && !is_open(arn.region) && !facts::is_region(arn.region) {
        findings.add(&checks::ARN_REGION, &item.span, format!("there is no region `{}`", arn.region));
    }
    // Resources of AWS's own have words: `aws`, `aws-marketplace`.
    let is_owner = |text: &str| {
        text.is_empty() || is_account(text) || text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    };
    if !is_open(arn.account) && !is_owner(arn.account) {
        findings.add(&checks::ARN_ACCOUNT, &item.span, format!("`{}` is no account number", arn.account));
    }
    service_and_shape(checker, item, &arn);
    if let PolicyKind::Resource(Some(own)) = checker.kind
        && !is_open(arn.service)
        && arn.service != &**own
        && checker.catalogue.service(own).is_some()
        // Some resources' ARNs name another service than their actions do.
        && !checker.catalogue.service(own).into_iter().flat_map(|service| service.resource_types()).any(|of_type| of_service(of_type, arn.service))
    {
        let message = format!("a policy of {own} is not about resources of `{}`", arn.service);
        checker.findings.add(&checks::RESOURCE_UNSUPPORTED, &item.span, message);
    }
}

fn of_service(of_type: ResourceType<'_>, service: &str) -> bool {
    of_type.template().split(':').nth(2) == Some(service)
}

/// Whether a service has resources with such ARNs.
fn service_and_shape(checker: &mut Checker<'_>, item: &Item<'_>, arn: &Arn<'_>) {
    let findings = &mut checker.findings;
    if arn.service.contains(['*', '?']) {
        if arn.service != "*" {
            let message = format!("`{}` takes every service with such a name", arn.service);
            findings.add(&checks::ARN_SERVICE_WILDCARD, &item.span, message);
        }
        return;
    }
    let types = || checker.catalogue.services().flat_map(|service| service.resource_types());
    if arn.service.bytes().any(|byte| byte.is_ascii_uppercase()) {
        let message = format!("services are in lower case: `{}`", arn.service.to_lowercase());
        return findings.add(&checks::ARN_SERVICE, &item.span, message);
    }
    let mut same_service = types().filter(|of_type| of_service(*of_type, arn.service)).peekable();
    if same_service.peek().is_none() {
        if checker.catalogue.service(arn.service).is_none() {
            let message = format!("AWS lists no service `{}`", arn.service);
            findings.add(&checks::ARN_SERVICE, &item.span, message);
        }
        return;
    }
    let same_service: Vec<ResourceType<'_>> = same_service.collect();
    if same_service.iter().any(|of_type| has_arn(*of_type, &item.pattern)) {
        return;
    }
    // The form that would fit if region or account were other than they are.
    let without = |text: &str| match text.splitn(6, ':').collect::<Vec<_>>().as_slice() {
        [a, b, c, _, _, resource] => Pattern::new(&format!("{a}:{b}:{c}:*:*:{resource}")),
        _ => Pattern::new(text),
    };
    let beginning = |of_type: &ResourceType<'_>| {
        let resource = of_type.template().splitn(6, ':').nth(5).unwrap_or_default();
        resource.split("${").next().map_or(0, |named| if arn.resource.starts_with(named) { named.len() } else { 0 })
    };
    let near = same_service
        .iter()
        .filter(|of_type| has_arn(**of_type, &without(item.pattern.text())))
        .max_by_key(|of_type| beginning(of_type));
    let message = match near {
        Some(of_type) => format!("the ARN of a {} {} is `{}`", arn.service, of_type.name(), of_type.template()),
        None => format!("no resource of `{}` has such an ARN", arn.service),
    };
    findings.add(&checks::ARN_SHAPE, &item.span, message);
}

/// Whether a resource of this type can have an ARN that the pattern takes.
pub fn fits(of_type: ResourceType<'_>, pattern: &Pattern) -> bool {
    // The pattern of a bucket would take the ARNs of objects, but no bucket's name has a slash.
    let is_object = |pattern: &Pattern| pattern.prefix().splitn(6, ':').nth(5).is_some_and(|name| name.contains('/'));
    if of_type.template().ends_with(":s3:::${BucketName}") && is_object(pattern) {
        return false;
    }
    has_arn(of_type, pattern)
}

/// Whether a resource of this type can have an ARN that the pattern takes. In a policy a `*` takes colons too, but partition,
/// region and account of a resource have none: so those of the pattern are put in their place, a sample where they are open.
fn has_arn(of_type: ResourceType<'_>, pattern: &Pattern) -> bool {
    let sample = |part: &str| if part.is_empty() { "x".to_owned() } else { part.replace(['*', '?'], "x") };
    let samples: Vec<String> = pattern.text().splitn(6, ':').map(sample).collect();
    let mut arn = String::new();
    for (at, part) in of_type.template().splitn(6, ':').enumerate() {
        if at > 0 {
            arn.push(':');
        }
        let sample = if at < 5 { samples.get(at).map_or("x", String::as_str) } else { "*" };
        let mut rest = part;
        while let Some((before, after)) = rest.split_once("${") {
            arn.push_str(before);
            arn.push_str(sample);
            rest = after.split_once('}').map_or("", |(_, after)| after);
        }
        arn.push_str(rest);
    }
    Pattern::new(&arn).meets(pattern)
}

fn goes_with(action: Action<'_>, resources: &[Item<'_>], catalogue: &Catalogue) -> bool {
    if action.without_resource() {
        return resources.iter().any(|resource| is_all_of_service(action, &resource.pattern, catalogue));
    }
    action.resource_types().any(|(of_type, _)| resources.iter().any(|resource| fits(of_type, &resource.pattern)))
}

/// Whether a pattern takes all resources of an action's service, or all of one type. An action about no resource is decided
/// on such an ARN: AWS's own examples allow `s3:ListAllMyBuckets` on `arn:aws:s3:::*`.
fn is_all_of_service(action: Action<'_>, pattern: &Pattern, catalogue: &Catalogue) -> bool {
    let service = action.name().split(':').next().unwrap_or_default();
    let Some([_, _, of, _, _, resource]) =
        pattern.text().splitn(6, ':').collect::<Vec<_>>().first_chunk::<6>().copied()
    else {
        return false;
    };
    let beginning = resource.trim_end_matches(['*', ':', '/']);
    let is_type = |of_type: ResourceType<'_>| {
        let named = of_type.template().splitn(6, ':').nth(5).and_then(|resource| resource.split("${").next());
        named.is_some_and(|named| named.trim_end_matches([':', '/']) == beginning)
    };
    let is_open = resource.ends_with('*');
    of == service
        && is_open
        && (beginning.is_empty()
            || catalogue.service(service).into_iter().flat_map(|of| of.resource_types()).any(is_type))
}

/// Actions without a resource, resources without an action.
fn with_actions(checker: &mut Checker<'_>, statement: &Statement<'_>) {
    let (actions, resources) = (statement.listed_actions(), statement.listed_resources());
    let is_wide =
        |item: &Item<'_>| item.pattern.is_everything() || Arn::of(&item.text).is_none_or(|arn| arn.service == "*");
    if actions.is_empty() || resources.is_empty() || resources.iter().any(is_wide) {
        return;
    }
    let mut mismatched: Vec<(Range<usize>, String)> = Vec::new();
    let is_foreign = |item: &Item<'_>| match checker.kind {
        PolicyKind::Resource(Some(own)) => item.pattern.text().split(':').next() != Some(own),
        _ => false,
    };
    for item in actions.iter().filter(|item| !is_foreign(item)) {
        let mut of_item = checker.catalogue.matching(&item.pattern).peekable();
        if of_item.peek().is_none() {
            return;
        }
        let listed: Vec<Action<'_>> = of_item.collect();
        if listed.iter().any(|action| goes_with(*action, resources, checker.catalogue)) {
            continue;
        }
        let message = match listed.as_slice() {
            [action] if action.without_resource() => format!("`{}` is about no resource: it needs `*`", action.name()),
            [action] => {
                let types: Vec<&str> = action.resource_types().map(|(of_type, _)| of_type.template()).take(3).collect();
                format!("`{}` is about `{}`, which is not among the resources", action.name(), types.join("`, `"))
            }
            _ => format!("no action of `{}` is about any of the resources", item.text),
        };
        mismatched.push((item.span.clone(), message));
    }
    for (span, message) in mismatched {
        checker.findings.add(&checks::ACTION_RESOURCE_MISMATCH, &span, message);
    }
    let mut unused = Vec::new();
    for resource in resources {
        let alone = std::slice::from_ref(resource);
        let is_used = actions.iter().any(|item| {
            checker.catalogue.matching(&item.pattern).any(|action| goes_with(action, alone, checker.catalogue))
        });
        if !is_used {
            unused.push((resource.span.clone(), format!("no action of the statement is about `{}`", resource.text)));
        }
    }
    // That an action has no resource says as much where it is the only one.
    if unused.len() < resources.len() {
        for (span, message) in unused {
            checker.findings.add(&checks::RESOURCE_UNUSED, &span, message);
        }
    }
}
