//! The smallest policy that still allows what a principal did.
//!
//! What was used is looked up in today's policies, statement by statement; each new statement is a part of one of them
//! with its conditions, so that the result allows nothing that they do not. Resources are put together under wildcards
//! where that is sensible and within what is allowed today. What a trail cannot say anything about stays as it is and
//! is marked. The result proves itself: [`Proof`] asks the new policies for every use, [`Pairs`] says how much less they
//! permit.
//!
//! Does not know: what other policies (boundaries, service control policies, those of resources) say; they stay as they are.
//! Uses that are rarer than the trail is long.

mod diff;
mod document;
mod generalise;
mod judge;
mod keep;
mod pairs;
mod plan;
mod suggest;
mod terraform;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use hashbrown::HashSet;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value as Json;

pub use diff::{Change, Line};
pub use document::{Condition, MOST_CHARACTERS, MOST_POLICIES, Reason, Rule};
pub use keep::{Gap, Kept};
pub use pairs::{MOST_KNOWN, Pairs};
pub use plan::Need;
pub use suggest::Suggestion;

use crate::actions::Catalogue;
use crate::context::Context;
use crate::evaluate::{Attached, Outcome};
use crate::pattern::Pattern;
use crate::policy::Policy;
use crate::principal::Principal;
use crate::usage::{LastAccessed, Target, Usage, Used};
use generalise::Width;
use judge::Today;
use keep::Keeping;

/// Whose policies are to become smaller.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// A user or a role.
    pub principal: &'a Principal,
    /// Its policies: managed, inline, of its groups.
    pub policies: Vec<Attached<'a>>,
    /// What is known of its requests whatever they are for; open.
    pub context: &'a Context,
    /// Its tags.
    pub tags: &'a [(Box<str>, Box<str>)],
    /// ARNs of resources that are known, for the number of pairs.
    pub known: &'a [Box<str>],
}

/// How much has to be known.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Days, by the calendar and UTC, from the first record of the trail to the last.
    pub least_days: u32,
    /// Allowed requests of the principal.
    pub least_requests: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { least_days: 30, least_requests: 1 }
    }
}

/// Why nothing is proposed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is neither a user nor a role.
    #[error("only users and roles have policies of their own that can be made smaller")]
    NoPolicies,
    /// There is no record.
    #[error("the events have no record that can be read: what is used is not known")]
    NoRecords,
    /// The records are of a short time.
    #[error(
        "the events are of {days} days only, from {first} to {last}, with {requests} allowed requests of this principal; at \
         least {least} days are needed: pass more events, or fewer days"
    )]
    TooShort {
        /// How many days there are.
        days: i64,
        /// How many there have to be.
        least: u32,
        /// The first record.
        first: Timestamp,
        /// The last.
        last: Timestamp,
        /// Allowed requests of the principal.
        requests: u64,
    },
    /// The principal did too little.
    #[error(
        "the events from {first} to {last} have {requests} allowed requests of this principal, and {records} records of it in \
         all; at least {least} requests are needed"
    )]
    TooFew {
        /// The first record.
        first: Timestamp,
        /// The last.
        last: Timestamp,
        /// Allowed requests of the principal.
        requests: u64,
        /// Records of it.
        records: u64,
        /// How many requests there have to be.
        least: u64,
    },
}

/// Whether all uses are still allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// Uses (an action on a resource) that were asked again.
    pub asked: usize,
    /// Those that are no longer allowed as they are today. There are none, or the result must not be used.
    pub lost: Vec<Need>,
}

/// The result.
#[derive(Clone, Debug)]
pub struct RightSized {
    /// Policies, by their statements.
    pub policies: Vec<Vec<Rule>>,
    /// Whether they allow all that was used.
    pub proof: Proof,
    /// How much is permitted.
    pub pairs: Pairs,
    /// What stays although it is not known to be used.
    pub kept: Vec<Kept>,
    /// Uses that today's policies do not allow: other policies did, or they were others then.
    pub not_today: Vec<Need>,
    /// Used actions with others that they may need beside them, which today's policies allow and the new ones do not.
    pub dependents: Vec<(String, String)>,
    /// Conditions that held for all uses.
    pub suggestions: Vec<Suggestion>,
    /// What becomes of today's statements.
    pub changes: Vec<Change>,
    /// What else there is to say.
    pub notes: Vec<String>,
}

impl RightSized {
    /// The policies' documents.
    pub fn documents(&self) -> Vec<Json> {
        self.policies.iter().map(|rules| document::document(rules)).collect()
    }

    /// The policies as Terraform's resources.
    pub fn terraform(&self, name: &str) -> String {
        terraform::terraform(&self.policies, name)
    }

    /// The difference from today's.
    pub fn diff(&self) -> String {
        diff::text(&self.changes)
    }
}

/// How far ARNs are put together, from the least on; `None` is: as today's policies write them.
const WIDTHS: [Option<Width>; 4] = [
    Some(Width { most_listed: 10, most_regions: 3 }),
    Some(Width { most_listed: 4, most_regions: 1 }),
    Some(Width { most_listed: 1, most_regions: 1 }),
    None,
];

/// Makes the policy.
///
/// # Errors
/// Where too little is known, it says what there is.
pub fn right_size(
    subject: &Subject<'_>,
    usage: &Usage,
    accessed: Option<&LastAccessed>,
    catalogue: &Catalogue,
    options: Options,
) -> Result<RightSized, Refusal> {
    let mut result = propose(subject, usage, accessed, catalogue, options)?;
    let Some(account) = account(subject.principal) else { return Err(Refusal::NoPolicies) };
    let trusting = judge::trusting(account);
    let today = Today::new(subject.principal, account, subject.context, subject.policies.clone(), &trusting);
    let read = read(&result.policies);
    let after = Today::new(subject.principal, account, subject.context, attached(&read), &trusting);
    let used = usage.of(subject.principal);
    let mut regions = used.into_iter().flat_map(|used| &used.circumstances.regions.of);
    let region = regions.find(|region| !region.is_empty()).map_or("us-east-1", |region| region);
    let needs = used.map(|used| needs(usage, used, accessed, catalogue)).unwrap_or_default();
    result.pairs = pairs::count(&today, &after, &known(subject, &needs), region, catalogue);
    Ok(result)
}

/// The policies as they will be read.
fn read(policies: &[Vec<Rule>]) -> Vec<Policy> {
    policies.iter().map(|rules| Policy::of(&document::document(rules))).collect()
}

fn attached(policies: &[Policy]) -> Vec<Attached<'_>> {
    policies.iter().map(|policy| Attached { name: "right-sized", policy }).collect()
}

/// All but the number of pairs, which takes the most time.
fn propose(
    subject: &Subject<'_>,
    usage: &Usage,
    accessed: Option<&LastAccessed>,
    catalogue: &Catalogue,
    options: Options,
) -> Result<RightSized, Refusal> {
    let Some(account) = account(subject.principal) else { return Err(Refusal::NoPolicies) };
    let none = Used::default();
    let used = usage.of(subject.principal).unwrap_or(&none);
    enough(usage, used, options)?;
    let trusting = judge::trusting(account);
    let today = Today::new(subject.principal, account, subject.context, subject.policies.clone(), &trusting);
    let needs = needs(usage, used, accessed, catalogue);
    let services: HashSet<String> =
        needs.iter().filter_map(|need| need.action.split(':').next()).map(str::to_lowercase).collect();
    let keeping = Keeping { today: &today, usage, accessed, catalogue, used: &services };
    let (stays, kept, covered) = keeping.stays();
    let (plan, refused) = plan::plan(&needs, &today, &covered, catalogue);
    let refused: HashSet<&Need> = refused.into_iter().collect();

    let mut notes = Vec::new();
    let mut policies = Vec::new();
    for (at, width) in WIDTHS.into_iter().enumerate() {
        let mut rules = plan::rules(&plan, &today, catalogue, width);
        rules.extend(stays.iter().cloned());
        rules.extend(plan::denying(&today, &rules));
        policies = document::packed(rules);
        if policies.len() <= MOST_POLICIES {
            if at > 0 {
                notes.push(format!(
                    "resources are put together under wider patterns than needed, so that the result fits into \
                     {MOST_POLICIES} managed policies"
                ));
            }
            break;
        }
    }
    if policies.len() > 1 {
        notes.push(format!(
            "the result is {} policies, since one has room for {MOST_CHARACTERS} characters only",
            policies.len()
        ));
    }
    if policies.len() > MOST_POLICIES {
        notes.push(format!("no more than {MOST_POLICIES} managed policies can be attached without a raised quota"));
    }

    let read = read(&policies);
    let after = Today::new(subject.principal, account, subject.context, attached(&read), &trusting);
    let proof = prove(&needs, &refused, &today, &after, catalogue);
    let rules: Vec<Rule> = policies.iter().flatten().cloned().collect();
    notes.extend(remarks(usage, used, &kept));
    Ok(RightSized {
        pairs: Pairs::default(),
        kept,
        dependents: dependents(&needs, &refused, &today, &after, catalogue),
        suggestions: suggest::suggestions(&used.circumstances, &needs, subject.tags),
        changes: diff::changes(&today, &rules),
        policies,
        proof,
        // Of what may be one of several resources (a role with a path or without) the others say enough.
        not_today: needs.iter().filter(|need| refused.contains(need) && !need.is_open()).cloned().collect(),
        notes,
    })
}

fn account(principal: &Principal) -> Option<&str> {
    match principal {
        Principal::User { .. } | Principal::Role { .. } => principal.account(),
        _ => None,
    }
}

fn enough(usage: &Usage, used: &Used, options: Options) -> Result<(), Refusal> {
    let Some((first, last)) = usage.time else { return Err(Refusal::NoRecords) };
    let date = |time: Timestamp| TimeZone::UTC.to_datetime(time).date();
    let days = date(first).until(date(last)).map_or(0, |span| i64::from(span.get_days())) + 1;
    let requests = used.circumstances.requests;
    if days < i64::from(options.least_days) {
        return Err(Refusal::TooShort { days, least: options.least_days, first, last, requests });
    }
    if requests < options.least_requests {
        let least = options.least_requests;
        return Err(Refusal::TooFew { first, last, requests, records: used.events, least });
    }
    Ok(())
}

/// What must stay allowed.
fn needs(usage: &Usage, used: &Used, accessed: Option<&LastAccessed>, catalogue: &Catalogue) -> Vec<Need> {
    let allowed = used.actions().into_iter().filter(|(.., tally)| tally.allowed > 0);
    let mut needs: Vec<Need> = allowed.map(|(action, target, _)| Need { action: action.to_owned(), target }).collect();
    if let Some((accessed, (first, _))) = accessed.zip(usage.time) {
        let seen: HashSet<String> = needs.iter().map(|need| need.action.to_lowercase()).collect();
        let more = accessed.actions_since(first).into_iter().filter(|action| !seen.contains(action));
        needs.extend(more.filter_map(|action| {
            let action = catalogue.action(&action)?;
            let target = if action.without_resource() { Target::Without } else { Target::Unknown };
            Some(Need { action: action.name().to_owned(), target })
        }));
    }
    needs.sort();
    needs
}

/// Asks the new policies for all that was used and is allowed today.
fn prove(
    needs: &[Need],
    refused: &HashSet<&Need>,
    today: &Today<'_>,
    after: &Today<'_>,
    catalogue: &Catalogue,
) -> Proof {
    let mut proof = Proof::default();
    for need in needs.iter().filter(|need| !refused.contains(need)) {
        proof.asked += 1;
        let (before, now) = (today.decide(&need.action, &need.target), after.decide(&need.action, &need.target));
        let is_allowed = !matches!(now.outcome, Outcome::ImplicitlyDenied | Outcome::ExplicitlyDenied);
        // Where today hangs on what is not known, every way in which it may be allowed must be there still.
        let is_kept = if plan::is_sure(&before, &need.target, today) {
            plan::is_sure(&now, &need.target, after)
        } else {
            judge::own(&before).all(|ground| {
                judge::own(&now).any(|other| after.conditions(other) == today.conditions(ground))
                    || !plan::can_be_about(today, ground.statement, &need.action, catalogue)
            })
        };
        let is_kept = is_allowed && is_kept;
        if !is_kept {
            proof.lost.push(need.clone());
        }
    }
    proof
}

fn known(subject: &Subject<'_>, needs: &[Need]) -> Vec<Pattern> {
    let used = needs.iter().filter_map(|need| match &need.target {
        Target::Of(pattern) if !pattern.text().contains('*') => Some(pattern.clone()),
        _ => None,
    });
    used.chain(subject.known.iter().map(|arn| Pattern::literal(arn))).collect()
}

/// Actions that used ones may need beside them and that the new policies no longer allow at all.
fn dependents(
    needs: &[Need],
    refused: &HashSet<&Need>,
    today: &Today<'_>,
    after: &Today<'_>,
    catalogue: &Catalogue,
) -> Vec<(String, String)> {
    let used: BTreeSet<&str> =
        needs.iter().filter(|need| !refused.contains(need)).map(|need| need.action.as_str()).collect();
    let mut all = Vec::new();
    for action in used.iter().filter_map(|name| catalogue.action(name)) {
        for dependent in action.dependent_actions().filter_map(|name| catalogue.action(name)) {
            let target = if dependent.without_resource() { Target::Without } else { Target::Unknown };
            let allows = |of: &Today<'_>| !of.decide(dependent.name(), &target).formula.is_never();
            if allows(today) && !allows(after) {
                all.push((action.name().to_owned(), dependent.name().to_owned()));
            }
        }
    }
    all
}

fn remarks(usage: &Usage, used: &Used, kept: &[Kept]) -> Vec<String> {
    let mut notes = Vec::new();
    if !used.unmapped.is_empty() {
        let mut events: Vec<&str> = used.unmapped.keys().map(|name| &**name).collect();
        events.sort_unstable();
        let more = events.len().saturating_sub(10);
        events.truncate(10);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        notes.push(format!(
            "not known is which actions these events ask for, so that the result may lack them: {}{more}",
            events.join(", ")
        ));
    }
    if used.denied > 0 {
        notes.push(format!("{} requests of the principal were not allowed and count for nothing", used.denied));
    }
    if !usage.buckets.of.is_empty() && !kept.iter().any(|of| of.service == "s3" && of.gap == Gap::NoDataEvents) {
        let mut buckets: Vec<&str> = usage.buckets.of.iter().map(|of| &**of).collect();
        let more = buckets.len() > 10 || usage.buckets.more;
        buckets.truncate(10);
        notes.push(format!(
            "the trail has data events of these buckets: {}{}; of others it may be told not to have them, so that use of \
             their objects would be missing here",
            buckets.join(", "),
            if more { " and more" } else { "" }
        ));
    }
    notes
}
