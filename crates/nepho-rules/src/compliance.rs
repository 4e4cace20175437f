//! The state of a framework's requirements, from the verdicts of the rules that point at them.

use std::collections::BTreeMap;
use std::sync::Arc;

use nepho_catalog::{Catalog, Framework, Requirement};

use crate::findings::{Judgement, Tally};

/// The state of one requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Every judged resource passes every rule.
    Pass,
    /// At least one resource fails a rule.
    Fail,
    /// None fails, but of at least one it cannot be known.
    Unknown,
    /// Rules exist; there was no resource to judge, and everything was read.
    NoResources,
    /// No rule points at it, or its rules find no defect but the framework wants a person's judgement besides: not
    /// automated here. Never counted as pass.
    NotAutomated,
}

impl State {
    /// The word used in every report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::NoResources => "no_resources",
            Self::NotAutomated => "not_automated",
        }
    }
}

/// One requirement and how it stands.
#[derive(Clone, Debug)]
pub struct RequirementState {
    /// The requirement.
    pub requirement: Requirement,
    /// Its state.
    pub state: State,
    /// Verdicts of its rules together.
    pub tally: Tally,
    /// Rules that point at it.
    pub rules: Vec<Arc<str>>,
}

/// A framework and how it stands.
#[derive(Clone, Debug)]
pub struct FrameworkState {
    /// The framework.
    pub framework: Arc<Framework>,
    /// Its requirements in order.
    pub requirements: Vec<RequirementState>,
}

impl FrameworkState {
    /// Passed requirements in hundred of those that pass, fail or are unknown; `None` when there are none of these.
    pub fn score(&self) -> Option<f64> {
        let count = |state| self.requirements.iter().filter(|one| one.state == state).count() as f64;
        let judged = count(State::Pass) + count(State::Fail) + count(State::Unknown);
        (judged > 0.0).then(|| 100.0 * count(State::Pass) / judged)
    }
}

/// How a framework stands. `unlisted` names kinds that could not be listed completely anywhere: a rule on such a kind
/// without a resource to judge is unknown, not "no resources".
pub fn assess(
    catalog: &Catalog,
    framework: &Arc<Framework>,
    judgement: &Judgement,
    unlisted: &dyn Fn(&str) -> bool,
) -> FrameworkState {
    let mut by_requirement: BTreeMap<&str, Vec<Arc<str>>> = BTreeMap::new();
    for rule in catalog.rules.values() {
        for control in rule.controls.iter().filter(|control| control.framework == framework.id) {
            by_requirement.entry(&control.requirement).or_default().push(rule.id.clone());
        }
    }
    let requirements = framework
        .requirements
        .iter()
        .filter(|requirement| !requirement.retired)
        .map(|requirement| {
            let rules = by_requirement.get(requirement.id.as_ref()).cloned().unwrap_or_default();
            let mut tally = Tally::default();
            let mut unlisted_kind = false;
            for id in &rules {
                tally.add(judgement.tallies.get(id).copied().unwrap_or_default());
                unlisted_kind |=
                    catalog.rules.get(id).is_some_and(|rule| catalog.kinds_of(&rule.on).any(|kind| unlisted(&kind.id)));
            }
            let state = match () {
                () if rules.is_empty() => State::NotAutomated,
                () if tally.fail > 0 => State::Fail,
                () if tally.unknown > 0 || unlisted_kind => State::Unknown,
                () if requirement.automated == Some(false) => State::NotAutomated,
                () if tally.pass > 0 => State::Pass,
                () => State::NoResources,
            };
            RequirementState { requirement: requirement.clone(), state, tally, rules }
        })
        .collect();
    FrameworkState { framework: framework.clone(), requirements }
}
