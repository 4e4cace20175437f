//! What was used, made into statements that today's policies have in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use hashbrown::{HashMap, HashSet};

use super::document::{self, Reason, Rule};
use super::generalise::{Group, Width, generalise};
use super::judge::{Numbered, Today, own};
use crate::actions::Catalogue;
use crate::evaluate::{Decision, Outcome};
use crate::pattern::{Overlap, Pattern};
use crate::policy::{Effect, Statement, Written};
use crate::usage::{Names, Target};
use crate::variables;

/// An action on a resource that must stay allowed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Need {
    /// `s3:GetObject`
    pub action: String,
    /// On what.
    pub target: Target,
}

impl Need {
    /// Whether it stands for any resource of a pattern.
    pub(super) fn is_open(&self) -> bool {
        matches!(&self.target, Target::Of(pattern) if pattern.text().contains('*'))
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.action)?;
        match &self.target {
            Target::Without => Ok(()),
            Target::Of(pattern) => write!(f, " on {}", document::pattern(pattern)),
            Target::Unknown => f.write_str(" on a resource that the events do not name"),
        }
    }
}

/// By statement of today's and action, what it was used on.
pub(super) type Plan<'n> = BTreeMap<(usize, &'n str), Vec<&'n Target>>;

/// Which of today's statements are for what was used, and what none of them allows.
pub(super) fn plan<'n>(
    needs: &'n [Need],
    today: &Today<'_>,
    kept: &HashSet<(usize, String)>,
    catalogue: &Catalogue,
) -> (Plan<'n>, Vec<&'n Need>) {
    let mut plan = Plan::new();
    let mut refused = Vec::new();
    for need in needs {
        let decision = today.decide(&need.action, &need.target);
        if matches!(decision.outcome, Outcome::ImplicitlyDenied | Outcome::ExplicitlyDenied) {
            refused.push(need);
            continue;
        }
        let mut chosen = statements(&decision, &need.target, today);
        if need.target == Target::Unknown {
            chosen.retain(|number| {
                today.statements.get(*number).is_some_and(|of| !related(of, &need.action, today, catalogue).is_empty())
            });
        }
        if chosen.is_empty() {
            refused.push(need);
            continue;
        }
        // One that stays as it is allows it already.
        let lower = need.action.to_lowercase();
        if chosen.iter().any(|number| kept.contains(&(*number, lower.clone()))) {
            continue;
        }
        for number in chosen {
            plan.entry((number, &need.action)).or_default().push(&need.target);
        }
    }
    (plan, refused)
}

/// The statements that a request needs: where one allows it whatever is not known, the one with the fewest conditions and
/// resources; else all that may allow it.
fn statements(decision: &Decision<'_>, target: &Target, today: &Today<'_>) -> Vec<usize> {
    let rank = |number: &usize| {
        let Some(Numbered { statement, .. }) = today.statements.get(*number) else { return (0, true, 0) };
        let resources = statement.resources.as_ref();
        let is_wide = resources.is_none_or(|of| of.not || of.of.iter().any(is_everything));
        (statement.conditions.len(), is_wide, *number)
    };
    match sure(decision, target, today).into_iter().min_by_key(rank) {
        Some(number) => vec![number],
        None => own(decision).filter_map(|ground| today.number(ground.statement)).collect(),
    }
}

/// Whether some statement allows a request whatever is not known.
pub(super) fn is_sure(decision: &Decision<'_>, target: &Target, today: &Today<'_>) -> bool {
    !sure(decision, target, today).is_empty()
}

/// The statements that allow a request whatever is not known, variables in their resources among it.
fn sure(decision: &Decision<'_>, target: &Target, today: &Today<'_>) -> Vec<usize> {
    let is_on = |number: &usize| match (target, today.statements.get(*number)) {
        (Target::Without, Some(_)) => true,
        (Target::Of(pattern), Some(numbered)) => within(numbered, pattern, today).is_some(),
        _ => false,
    };
    let certain = own(decision).filter(|ground| ground.certain);
    certain.filter_map(|ground| today.number(ground.statement)).filter(is_on).collect()
}

fn is_everything(written: &Written) -> bool {
    matches!(written, Written::Fixed(of) if of.is_everything())
}

/// Statements that allow what is planned.
pub(super) fn rules(plan: &Plan<'_>, today: &Today<'_>, catalogue: &Catalogue, width: Option<Width>) -> Vec<Rule> {
    // By conditions and resources: the actions, and the statements that they come from.
    type Merged = BTreeMap<(String, Vec<String>), (BTreeSet<String>, BTreeSet<usize>, Rule)>;
    let mut merged = Merged::new();
    // Many actions are used on the same resources.
    let mut generalised: HashMap<Vec<&Target>, Vec<Group>> = HashMap::new();
    for ((number, action), targets) in plan {
        let Some(numbered) = today.statements.get(*number) else { continue };
        let mut rule = Rule::of(numbered.statement, numbered.policy.policy.has_variables, *number, Reason::Used);
        rule.sid = None;
        rule.not_actions = false;
        rule.actions = Vec::new();
        let unknown = targets.contains(&&Target::Unknown);
        if unknown || width.is_none() && **targets != [&Target::Without] {
            rule.resources = related(numbered, action, today, catalogue);
        } else {
            let width = width.unwrap_or(Width { most_listed: 0, most_regions: 0 });
            let single = action.split_once(':').is_some_and(|(prefix, _)| Names::embedded().is_single(prefix));
            let groups = generalised.entry(targets.clone()).or_insert_with(|| {
                let of = |target: &&&Target| match target {
                    Target::Without => Some(Pattern::new("*")),
                    Target::Of(pattern) => Some(pattern.clone()),
                    Target::Unknown => None,
                };
                let arns: Vec<Pattern> = targets.iter().filter_map(|target| of(&target)).collect();
                if single { arns.into_iter().map(Group::one).collect() } else { generalise(&arns, width) }
            });
            match narrowed(numbered, groups, today) {
                Some(narrow) => (rule.not_resources, rule.resources) = (false, narrow),
                None => rule.resources = related(numbered, action, today, catalogue),
            }
        }
        let key = (format!("{:?}{}", rule.conditions, rule.not_resources), rule.resources.clone());
        let entry = merged.entry(key).or_insert_with(|| (BTreeSet::new(), BTreeSet::new(), rule));
        entry.0.insert((*action).to_owned());
        entry.1.insert(*number);
    }
    let mut rules: Vec<Rule> = merged
        .into_values()
        .map(|(actions, from, rule)| Rule {
            actions: actions.into_iter().collect(),
            from: from.into_iter().collect(),
            ..rule
        })
        .collect();
    rules.sort_by(|a, b| (&a.actions, &a.resources).cmp(&(&b.actions, &b.resources)));
    rules
}

/// The resources of a statement that an action can be about at all; none where it cannot.
pub(super) fn related(numbered: &Numbered<'_>, action: &str, today: &Today<'_>, catalogue: &Catalogue) -> Vec<String> {
    let Some(resources) = &numbered.statement.resources else { return Vec::new() };
    if resources.not {
        return document::written(resources);
    }
    // A `*` takes colons too: with the partition open, `arn:aws:lambda:*` would have something of `arn:*:s3:*`.
    let partition = format!("arn:{}:", today.partition());
    let of_type = |pattern: Pattern| Pattern::new(&pattern.text().replacen("arn:*:", &partition, 1));
    let types: Vec<Pattern> = catalogue
        .action(action)
        .map(|action| action.resource_types().map(|(of, _)| of_type(of.pattern())).collect())
        .unwrap_or_default();
    let fits = |written: &&Written| match written {
        written if types.is_empty() => is_everything(written),
        Written::Fixed(pattern) => types.iter().any(|of| of.meets(pattern)),
        Written::Variable(text) => types.iter().any(|of| of.meets(&variables::open(text))),
    };
    let mut all: Vec<String> = resources.of.iter().filter(fits).map(document::one).collect();
    all.sort();
    all.dedup();
    all
}

/// Resources for some groups, none of which a statement does not have. Where it names what it leaves out, and that is a part
/// of what was used, nothing but that says the same.
fn narrowed(numbered: &Numbered<'_>, groups: &[Group], today: &Today<'_>) -> Option<Vec<String>> {
    let mut all = BTreeSet::new();
    for group in groups {
        let found = within(numbered, &group.pattern, today);
        match found {
            Some(text) => {
                all.insert(text);
            }
            // Not all of the group's pattern is allowed: then what was used, one by one.
            None => {
                for member in &group.members {
                    let covering = covering(numbered, member, today);
                    if covering.is_empty() {
                        return None;
                    }
                    all.extend(covering);
                }
            }
        }
    }
    let patterns: Vec<(String, Pattern)> = all.iter().map(|text| (text.clone(), variables::open(text))).collect();
    // What another one has already goes.
    let is_spare = |text: &String, pattern: &Pattern| {
        patterns.iter().any(|(other, by)| other != text && !by_variable(other) && by.covers(pattern))
    };
    Some(patterns.iter().filter(|(text, pattern)| !is_spare(text, pattern)).map(|(text, _)| text.clone()).collect())
}

/// Whether a resource as written has a variable: what it takes in hangs on the request.
fn by_variable(text: &str) -> bool {
    text.replace("${*}", "").replace("${?}", "").replace("${$}", "").contains("${")
}

/// A pattern, where a statement allows all of it.
fn within(numbered: &Numbered<'_>, pattern: &Pattern, today: &Today<'_>) -> Option<String> {
    let Some(resources) = &numbered.statement.resources else { return Some(document::pattern(pattern)) };
    let mut overlaps = resources.of.iter().map(|written| overlap(written, pattern, today));
    let is_within = match resources.not {
        false => overlaps.any(|overlap| overlap == Overlap::All),
        true => overlaps.all(|overlap| overlap == Overlap::None),
    };
    is_within.then(|| document::pattern(pattern))
}

/// How what a statement names relates to a pattern. With a variable that is not known it has some of it at most.
fn overlap(written: &Written, pattern: &Pattern, today: &Today<'_>) -> Overlap {
    match written {
        Written::Fixed(of) => of.overlap(pattern),
        Written::Variable(text) => match variables::fill(text, today.context) {
            Ok(Some(filled)) => filled.pattern().overlap(pattern),
            Ok(None) => Overlap::None,
            Err(variables::Unknown) if variables::open(text).meets(pattern) => Overlap::Some,
            Err(variables::Unknown) => Overlap::None,
        },
    }
}

/// What of a statement is about a resource that was used.
fn covering(numbered: &Numbered<'_>, member: &Pattern, today: &Today<'_>) -> Vec<String> {
    if let Some(text) = within(numbered, member, today) {
        return vec![text];
    }
    let Some(resources) = &numbered.statement.resources else { return Vec::new() };
    if resources.not {
        return Vec::new();
    }
    let some = resources.of.iter().filter(|written| overlap(written, member, today) != Overlap::None);
    some.map(document::one).collect()
}

/// Statements that deny, where they are about an action that is allowed.
pub(super) fn denying(today: &Today<'_>, rules: &[Rule]) -> Vec<Rule> {
    let allowed: Vec<Pattern> =
        rules.iter().flat_map(|rule| &rule.actions).map(|action| Pattern::new(&action.to_lowercase())).collect();
    let is_about = |numbered: &Numbered<'_>| {
        let actions = &numbered.statement.actions;
        actions.not
            || rules.iter().any(|rule| rule.not_actions)
            || actions.of.iter().any(|written| match written {
                Written::Fixed(pattern) => allowed.iter().any(|allowed| allowed.meets(pattern)),
                Written::Variable(_) => true,
            })
    };
    let all = today.statements.iter().enumerate();
    let denying = all.filter(|(_, of)| of.statement.effect == Effect::Deny && is_about(of));
    denying.map(|(number, of)| Rule::of(of.statement, of.policy.policy.has_variables, number, Reason::Denies)).collect()
}

/// Whether some resource of a statement of today's can be one of an action's.
pub(super) fn can_be_about(today: &Today<'_>, statement: &Statement, action: &str, catalogue: &Catalogue) -> bool {
    let numbered = today.number(statement).and_then(|number| today.statements.get(number));
    numbered.is_some_and(|of| !related(of, action, today, catalogue).is_empty())
}
