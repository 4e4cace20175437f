//! How much is permitted: the number of (action, resource) pairs.
//!
//! Counted are the known actions that today's policies are about, each with
//! - the resources of its types that are known: those that were used and those of the estate, up to
//!   [`MOST_KNOWN`] of a service in the order of their names;
//! - for each of its resource types one more, in the principal's account, that has a name nobody gave: it is permitted where
//!   resources that do not exist yet are;
//! - for an action without resource types, one: that it is done at all.
//!
//! A pair counts where the principal's own policies allow it, be it under conditions.

use std::collections::BTreeMap;

use super::judge::{Today, own};
use crate::actions::{Action, Catalogue};
use crate::pattern::Pattern;
use crate::policy::Written;
use crate::usage::Target;

/// So many known resources of a service are counted.
pub const MOST_KNOWN: usize = 1_000;
/// The name that nobody gave.
const UNSEEN: &str = "nephoscope-unseen";

/// Pairs permitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pairs {
    /// By today's policies.
    pub before: u64,
    /// By the new ones.
    pub after: u64,
}

/// Counts them. `known` are the ARNs.
pub(super) fn count(
    before: &Today<'_>,
    after: &Today<'_>,
    known: &[Pattern],
    region: &str,
    catalogue: &Catalogue,
) -> Pairs {
    let mut by_service: BTreeMap<&str, Vec<&Pattern>> = BTreeMap::new();
    for arn in known {
        if let Some(service) = arn.text().split(':').nth(2) {
            by_service.entry(service).or_default().push(arn);
        }
    }
    for arns in by_service.values_mut() {
        arns.sort();
        arns.dedup();
        arns.truncate(MOST_KNOWN);
    }
    let mut pairs = Pairs::default();
    for service in catalogue.services() {
        for action in service.actions().filter(|action| is_about(before, *action)) {
            for target in targets(action, &by_service, region, before.account) {
                let permits = |today: &Today<'_>| {
                    let decision = today.decide(action.name(), &target);
                    !decision.formula.is_never() && own(&decision).next().is_some()
                };
                if permits(before) {
                    pairs.before += 1;
                    pairs.after += u64::from(permits(after));
                }
            }
        }
    }
    pairs
}

fn is_about(today: &Today<'_>, action: Action<'_>) -> bool {
    let lower = action.name().to_lowercase();
    today.allowing().any(|(_, of)| {
        let actions = &of.statement.actions;
        actions.not != actions.of.iter().any(|of| matches!(of, Written::Fixed(of) if of.matches(&lower)))
    })
}

fn targets(action: Action<'_>, known: &BTreeMap<&str, Vec<&Pattern>>, region: &str, account: &str) -> Vec<Target> {
    if action.without_resource() {
        return vec![Target::Without];
    }
    let mut targets = Vec::new();
    for (of_type, _) in action.resource_types() {
        let pattern = of_type.pattern();
        let service = of_type.template().split(':').nth(2).unwrap_or_default();
        let own = known.get(service).into_iter().flatten().filter(|arn| pattern.covers(arn));
        targets.extend(own.map(|arn| Target::Of((*arn).clone())));
        targets.push(Target::Of(Pattern::literal(&unseen(of_type.template(), region, account))));
    }
    targets.sort();
    targets.dedup();
    targets
}

fn unseen(template: &str, region: &str, account: &str) -> String {
    let text = template.replace("${Partition}", "aws").replace("${Region}", region).replace("${Account}", account);
    let mut arn = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("${") {
        arn.push_str(before);
        arn.push_str(UNSEEN);
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    arn.push_str(rest);
    arn
}
