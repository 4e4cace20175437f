//! What of today's policies stays because nobody can say whether it is used.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashSet;

use super::document::{Reason, Rule};
use super::judge::{Numbered, Today};
use super::plan::related;
use crate::actions::{Action, Catalogue, Service};
use crate::pattern::Pattern;
use crate::policy::{Statement, Written};
use crate::usage::{LastAccessed, Logged, Names, Usage};

/// Why it is not known whether an action was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Gap {
    /// Its uses are data events, and the trail has none of the service.
    NoDataEvents,
    /// Its uses are in no trail.
    NotLogged,
    /// The trail has no events of the service at all, which it can be told to leave out.
    LeftOut,
    /// IAM says that the service was used, the trail does not say how.
    OnlyLastAccessed,
}

impl Gap {
    /// In words.
    pub fn describe(self) -> &'static str {
        match self {
            Self::NoDataEvents => "the trail has no data events of the service",
            Self::NotLogged => "CloudTrail does not log all uses",
            Self::LeftOut => "the trail has no events of the service, which it can be told to leave out",
            Self::OnlyLastAccessed => "last accessed data says that the service was used, the trail not how",
        }
    }
}

/// A service of which something stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its prefix.
    pub service: String,
    /// Why.
    pub gap: Gap,
    /// How many known actions stay.
    pub actions: usize,
}

pub(super) struct Keeping<'a> {
    pub today: &'a Today<'a>,
    pub usage: &'a Usage,
    pub accessed: Option<&'a LastAccessed>,
    pub catalogue: &'a Catalogue,
    /// Prefixes of services that the principal was seen to use.
    pub used: &'a HashSet<String>,
}

/// Statements that stay, what they are of, and the numbers of today's statements with the actions (in lower case) that need
/// no other statement therefore.
pub(super) type Stays = (Vec<Rule>, Vec<Kept>, HashSet<(usize, String)>);

impl Keeping<'_> {
    /// All that stays.
    pub fn stays(&self) -> Stays {
        let names = Names::embedded();
        let mut prefixes: BTreeSet<String> = names.not_always_logged().map(str::to_owned).collect();
        let recent = self.recent();
        prefixes.extend(recent.iter().cloned());
        let mut counted: BTreeMap<(String, Gap), BTreeSet<&str>> = BTreeMap::new();
        let mut covered = HashSet::new();
        // By statement and resources, so that one statement is enough for several services.
        let mut rules: BTreeMap<(usize, Vec<String>), Rule> = BTreeMap::new();
        for prefix in &prefixes {
            let Some(service) = self.catalogue.service(prefix) else { continue };
            let only_accessed = recent.contains(prefix) && !self.used.contains(prefix);
            let actions: Vec<(Action<'_>, Gap)> = service
                .actions()
                .filter_map(|action| Some((action, self.gap(action, prefix, only_accessed)?)))
                .filter(|(action, _)| !self.accessed.is_some_and(|of| of.is_action_unused(action.name())))
                .collect();
            for (number, numbered) in self.today.allowing() {
                let is_about = |(action, _): &&(Action<'_>, Gap)| {
                    let name = action.name();
                    acts(numbered.statement, name) && !related(&numbered, name, self.today, self.catalogue).is_empty()
                };
                let kept: Vec<&(Action<'_>, Gap)> = actions.iter().filter(is_about).collect();
                if kept.is_empty() || !self.may_allow(&numbered) {
                    continue;
                }
                let mut resources: Vec<String> = kept
                    .iter()
                    .flat_map(|(action, _)| related(&numbered, action.name(), self.today, self.catalogue))
                    .collect();
                resources.sort();
                resources.dedup();
                for (action, gap) in &kept {
                    counted.entry((prefix.clone(), *gap)).or_default().insert(action.name());
                    covered.insert((number, action.name().to_lowercase()));
                }
                let all: Vec<&str> = kept.iter().map(|(action, _)| action.name()).collect();
                let variables = numbered.policy.policy.has_variables;
                let rule = rules.entry((number, resources.clone())).or_insert_with(|| Rule {
                    sid: Some("KeptUseNotKnown".to_owned()),
                    not_actions: false,
                    actions: Vec::new(),
                    resources,
                    ..Rule::of(numbered.statement, variables, number, Reason::Kept)
                });
                rule.actions.extend(compact(&all, service, numbered.statement, self.catalogue));
            }
        }
        let kept = counted
            .into_iter()
            .map(|((service, gap), actions)| Kept { service, gap, actions: actions.len() })
            .collect();
        (rules.into_values().collect(), kept, covered)
    }

    /// Services that IAM says were used since the trail began.
    fn recent(&self) -> BTreeSet<String> {
        let since = self.usage.time.map(|(first, _)| first);
        let Some((accessed, since)) = self.accessed.zip(since) else { return BTreeSet::new() };
        accessed.services_since(since).into_iter().map(str::to_owned).collect()
    }

    /// Why it is not known whether an action was used, if it is not.
    fn gap(&self, action: Action<'_>, prefix: &str, only_accessed: bool) -> Option<Gap> {
        if self.accessed.is_some_and(|accessed| accessed.is_unused(prefix)) {
            return None;
        }
        let seen = self.usage.seen(self.today.account, prefix);
        match Names::embedded().logged(action.name()) {
            Logged::Never => Some(Gap::NotLogged),
            Logged::Data => (seen.data == 0).then_some(Gap::NoDataEvents),
            Logged::Excludable => (seen.data + seen.management == 0).then_some(Gap::LeftOut),
            Logged::Always => None,
        }
        // Of what IAM keeps book of by action it says itself what was used.
        .or_else(|| {
            let by_action = self.accessed.is_some_and(|accessed| accessed.knows_actions(prefix));
            (only_accessed && !by_action).then_some(Gap::OnlyLastAccessed)
        })
    }

    /// Whether the statement can allow anything: its conditions are not known not to hold.
    fn may_allow(&self, numbered: &Numbered<'_>) -> bool {
        let tests = &numbered.statement.conditions;
        !tests.iter().any(|test| test.holds(self.today.context) == crate::policy::Held::No)
    }
}

/// Whether a statement is about an action.
fn acts(statement: &Statement, action: &str) -> bool {
    let lower = action.to_lowercase();
    let any = statement.actions.of.iter().any(|of| matches!(of, Written::Fixed(of) if of.matches(&lower)));
    any != statement.actions.not
}

/// Patterns of actions that stand for these known actions of a service and no others, and that a statement has.
fn compact(actions: &[&str], service: Service<'_>, statement: &Statement, catalogue: &Catalogue) -> Vec<String> {
    let wanted: HashSet<&str> = actions.iter().copied().collect();
    let prefix = service.name();
    let is_within = |pattern: &Pattern| {
        let mut overlaps = statement.actions.of.iter().filter_map(|of| match of {
            Written::Fixed(of) => Some(of),
            Written::Variable(_) => None,
        });
        match statement.actions.not {
            false => overlaps.any(|of| of.covers(pattern)),
            true => !overlaps.any(|of| of.meets(pattern)),
        }
    };
    let is_exact = |text: &str| {
        let pattern = Pattern::new(&text.to_lowercase());
        is_within(&pattern) && catalogue.matching(&pattern).all(|action| wanted.contains(action.name()))
    };
    let all = format!("{prefix}:*");
    if is_exact(&all) {
        return vec![all];
    }
    let mut compact: Vec<String> = Vec::new();
    for name in actions {
        let lower = name.to_lowercase();
        if compact.iter().any(|of| Pattern::new(&of.to_lowercase()).matches(&lower)) {
            continue;
        }
        // The shortest beginning that ends before a capital letter and has no other action.
        let starts = name.char_indices().filter(|(at, c)| *at > prefix.len() + 1 && c.is_ascii_uppercase());
        let beginnings = starts.filter_map(|(at, _)| name.get(..at)).chain([*name]);
        let found = beginnings.map(|beginning| format!("{beginning}*")).find(|text| {
            let beginning = text.trim_end_matches('*');
            actions.iter().filter(|of| of.starts_with(beginning)).count() > 1 && is_exact(text)
        });
        compact.push(found.unwrap_or_else(|| (*name).to_owned()));
    }
    compact
}
