//! Running rules over an estate.

use std::collections::BTreeMap;
use std::sync::Arc;

use nepho_catalog::Rule;
use nepho_estate::Estate;
use nepho_graph::{Graph, NodeId, Truth, UnknownCause};
use nepho_model::{CoverageState, Value, Verdict};
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::ruleset::{CompiledRule, RuleSet};

/// Why a verdict is unknown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason {
    /// The property, relation or kind that could not be read; or what the condition does not say.
    pub what: String,
    /// The call that would have told; empty where none is to blame.
    pub call: String,
    /// How it failed; empty where no call is to blame.
    pub state: String,
    /// The provider's own code.
    pub code: String,
    /// The provider's own words.
    pub message: String,
}

/// The verdict of one rule on one resource, with what it rests on.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Stable: follows from the rule's id and the resource's key.
    pub id: String,
    /// The rule.
    pub rule: Arc<Rule>,
    /// The resource.
    pub node: NodeId,
    /// The verdict.
    pub verdict: Verdict,
    /// Properties that the verdict rests on.
    pub evidence: Vec<(String, Value)>,
    /// For unknown verdicts: why.
    pub reasons: Vec<Reason>,
}

/// How often each verdict was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Resources with the defect.
    pub fail: u64,
    /// Resources without it.
    pub pass: u64,
    /// Resources of which it cannot be known.
    pub unknown: u64,
    /// Resources that the rule does not judge.
    pub not_applicable: u64,
}

impl Tally {
    /// Adds another.
    pub fn add(&mut self, other: Tally) {
        self.fail += other.fail;
        self.pass += other.pass;
        self.unknown += other.unknown;
        self.not_applicable += other.not_applicable;
    }
}

/// What a run of rules came to.
#[derive(Debug, Default)]
pub struct Judgement {
    /// Findings, worst first, then by rule and resource. Which verdicts are in it was asked of [`judge`].
    pub findings: Vec<Finding>,
    /// Verdicts by rule; rules without a resource to judge have all zeros.
    pub tallies: BTreeMap<Arc<str>, Tally>,
}

impl Judgement {
    /// Verdicts of all rules together.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        self.tallies.values().for_each(|tally| total.add(*tally));
        total
    }
}

/// The id of a finding: the first 16 hex digits of SHA-256 over rule id, line feed, resource key; and line feed, account
/// where the key names something that AWS owns (`arn:aws:iam::aws:policy/…`) and every account has as its own.
pub fn finding_id(rule: &str, key: &str, account: &str) -> String {
    let mut digest = Sha256::new().chain_update(rule).chain_update("\n").chain_update(key);
    if key.split(':').nth(4) == Some("aws") {
        digest = digest.chain_update("\n").chain_update(account);
    }
    digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// `None`: the rule does not judge the resource.
fn verdict(applies: Option<Truth>, fails: Truth) -> Option<Verdict> {
    match (applies, fails) {
        (Some(Truth::False), _) => None,
        (_, Truth::False) => Some(Verdict::Pass),
        (None | Some(Truth::True), Truth::True) => Some(Verdict::Fail),
        // INVARIANT: null and unknown are never pass.
        _ => Some(Verdict::Unknown),
    }
}

/// Judges every resource by every rule, in parallel. `verdicts` are those to return findings for; tallies count all.
pub fn judge(estate: &Estate, rules: &RuleSet, verdicts: &[Verdict]) -> Judgement {
    let judged: Vec<(Arc<str>, Tally, Vec<Finding>)> =
        rules.rules.par_iter().map(|rule| judge_one(estate, rule, verdicts)).collect();
    let mut judgement = Judgement::default();
    for (id, tally, findings) in judged {
        judgement.tallies.insert(id, tally);
        judgement.findings.extend(findings);
    }
    let graph = &estate.graph;
    judgement.findings.sort_by(|left, right| {
        (left.verdict, right.rule.severity, &left.rule.id)
            .cmp(&(right.verdict, left.rule.severity, &right.rule.id))
            .then_with(|| key_of(graph, left.node).cmp(key_of(graph, right.node)))
    });
    judgement
}

fn judge_one(estate: &Estate, rule: &CompiledRule, verdicts: &[Verdict]) -> (Arc<str>, Tally, Vec<Finding>) {
    let graph = &estate.graph;
    let fails = rule.fails.evaluate(graph);
    let applies = rule.applies.as_ref().map(|condition| condition.evaluate(graph));
    let mut tally = Tally::default();
    let mut findings = Vec::new();
    for (at, (node, failed)) in fails.iter().enumerate() {
        let applied = applies.as_ref().and_then(|all| all.get(at)).map(|(_, truth)| *truth);
        let Some(verdict) = verdict(applied, *failed) else {
            tally.not_applicable += 1;
            continue;
        };
        match verdict {
            Verdict::Fail => tally.fail += 1,
            Verdict::Pass => tally.pass += 1,
            Verdict::Unknown => tally.unknown += 1,
        }
        if verdicts.contains(&verdict) {
            let Some(shown) = graph.node(*node) else { continue };
            let reasons = match verdict {
                Verdict::Unknown => reasons(estate, rule, *node, applied, *failed),
                _ => Vec::new(),
            };
            findings.push(Finding {
                id: finding_id(&rule.rule.id, shown.key(), shown.account()),
                rule: rule.rule.clone(),
                node: *node,
                verdict,
                evidence: rule.evidence.iter().map(|name| (name.clone(), shown.property(name))).collect(),
                reasons,
            });
        }
    }
    (rule.rule.id.clone(), tally, findings)
}

fn reasons(estate: &Estate, rule: &CompiledRule, node: NodeId, applied: Option<Truth>, failed: Truth) -> Vec<Reason> {
    let mut causes = Vec::new();
    if matches!(failed, Truth::Unknown) {
        causes.extend(rule.fails.unknown_causes(&estate.graph, node));
    }
    if let (Some(Truth::Unknown), Some(condition)) = (applied, &rule.applies) {
        causes.extend(condition.unknown_causes(&estate.graph, node));
    }
    let mut reasons: Vec<Reason> = causes.iter().flat_map(|cause| explain(estate, node, cause)).collect();
    if matches!(failed, Truth::Null) || matches!(applied, Some(Truth::Null)) {
        reasons.push(Reason {
            what: "a property that the rule needs is absent, and the rule does not say what that means".to_owned(),
            call: String::new(),
            state: String::new(),
            code: String::new(),
            message: String::new(),
        });
    }
    reasons.sort();
    reasons.dedup();
    reasons
}

fn reason(what: String, call: &str, state: CoverageState, code: &str, message: &str) -> Reason {
    Reason {
        what,
        call: call.to_owned(),
        state: state.as_str().to_owned(),
        code: code.to_owned(),
        message: message.to_owned(),
    }
}

/// The key of a node; empty for an id that is not of this graph.
pub(crate) fn key_of(graph: &Graph, node: NodeId) -> &str {
    graph.node(node).map_or("", |node| node.key())
}

fn bare(what: String, state: &str, message: String) -> Reason {
    Reason { what, call: String::new(), state: state.to_owned(), code: String::new(), message }
}

fn explain(estate: &Estate, judged: NodeId, cause: &UnknownCause) -> Vec<Reason> {
    let graph = &estate.graph;
    let of = |node: NodeId, name: &str| {
        let key = key_of(graph, node);
        let what = if node == judged { name.to_owned() } else { format!("{name} of {key}") };
        let (kind, account) = graph.node(node).map_or(("", ""), |node| (node.kind(), node.account()));
        match estate.why_unknown(kind, key, account, name) {
            Some(fact) => vec![reason(what, &fact.call, fact.state, &fact.code, &fact.message)],
            None => vec![bare(what, "unknown", String::new())],
        }
    };
    match cause {
        UnknownCause::Property { node, property } => of(*node, property),
        UnknownCause::Relation { node, relation } => of(*node, relation),
        UnknownCause::KindIncomplete { kind, account, region } => {
            let region = if region.is_empty() { "global" } else { region.as_ref() };
            let mut found: Vec<Reason> = estate
                .missing(kind, account, region)
                .map(|entry| {
                    let what = format!("list of {kind} in {}", entry.region);
                    reason(what, &entry.call, entry.state, &entry.code, &entry.message)
                })
                .collect();
            if found.is_empty() {
                let message = "not part of what was scanned".to_owned();
                found.push(bare(format!("list of {kind} in {region}"), "not_asked", message));
            }
            found
        }
        UnknownCause::RelationsOfKind { kind, relation, .. } => {
            vec![bare(format!("{relation} of {kind}"), "incomplete", String::new())]
        }
        UnknownCause::Failed { message, .. } => {
            vec![bare("the condition".to_owned(), "failed", message.to_string())]
        }
    }
}
