//! The view model: everything that a report can say, as plain data.
//!
//! The caller fills it from the rule engine; the formats only read it. Order does not matter: every format sorts.

use std::collections::BTreeMap;
use std::sync::Arc;

use nepho_model::{CoverageEntry, Severity, Timestamp, Verdict};

/// One analysis, ready to be written in any format.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What wrote the report.
    pub generated_by: GeneratedBy,
    /// The time of the analysis: of the recording when replayed. Nothing else in a report depends on the clock.
    pub clock: Timestamp,
    /// Where the facts come from: a recording's name, or `aws`.
    pub source: String,
    /// The provider's partition, `aws`.
    pub partition: String,
    /// The accounts that were read, or should have been.
    pub accounts: Vec<AccountView>,
    /// The regions that were read.
    pub regions: Vec<String>,
    /// How much was looked at.
    pub counts: Counts,
    /// How all judgements ended, also those that `findings` leaves out.
    pub by_verdict: VerdictCounts,
    /// Failures that no mute hides, also those that `findings` leaves out.
    pub open: Vec<OpenCount>,
    /// Failures that a mute hides, also those that `findings` leaves out.
    pub muted: u64,
    /// The judgements to list; by default those that failed.
    pub findings: Vec<FindingView>,
    /// What could and could not be read.
    pub coverage: Vec<CoverageEntry>,
    /// Anything else a reader must know, one sentence each.
    pub notes: Vec<String>,
    /// The mutes in force and the expired ones.
    pub mutes: Vec<MuteView>,
    /// Paths that end in harm; empty until path rules exist.
    pub issues: Vec<serde_json::Value>,
    /// Per framework, the state of each requirement.
    pub compliance: Vec<FrameworkView>,
}

/// What wrote the report.
#[derive(Clone, Debug, Default)]
pub struct GeneratedBy {
    /// `nephoscope`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// An account.
#[derive(Clone, Debug, Default)]
pub struct AccountView {
    /// The provider's id, `111122223333`.
    pub id: String,
    /// The name people know it by; empty where it is not known.
    pub name: String,
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Resources in the graph.
    pub resources: u64,
    /// Relations in the graph.
    pub relations: u64,
    /// Kinds of which there is at least one resource.
    pub kinds: u64,
    /// Rules that were run.
    pub rules_run: u64,
}

/// How all judgements ended. Muted failures count as `fail`.
#[derive(Clone, Copy, Debug, Default)]
pub struct VerdictCounts {
    /// The defect is there.
    pub fail: u64,
    /// The defect is not there.
    pub pass: u64,
    /// Could not be judged.
    pub unknown: u64,
    /// The rule does not judge this resource.
    pub not_applicable: u64,
}

/// Open failures of one severity in one account.
#[derive(Clone, Debug)]
pub struct OpenCount {
    /// The account's id.
    pub account: String,
    /// The severity.
    pub severity: Severity,
    /// How many.
    pub count: u64,
}

/// What a rule says, shared by all its findings.
#[derive(Clone, Debug)]
pub struct RuleView {
    /// The rule's id, `aws.ec2.volume-unencrypted`.
    pub id: String,
    /// The defect in a few words.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// What an attacker does with it, or what goes wrong.
    pub why: String,
    /// What to do.
    pub fix: FixView,
    /// Requirements it bears on, `cis-aws-5.0/5.1.1`.
    pub controls: Vec<String>,
    /// Where to read more: URLs.
    pub references: Vec<String>,
}

/// What to do.
#[derive(Clone, Debug, Default)]
pub struct FixView {
    /// For a person.
    pub text: String,
    /// Commands; placeholders in angle brackets.
    pub cli: Option<String>,
    /// Terraform.
    pub terraform: Option<String>,
}

/// The judgement of one rule on one resource.
#[derive(Clone, Debug)]
pub struct FindingView {
    /// Stable identity: lower-case hex, the same in every scan.
    pub id: String,
    /// The rule.
    pub rule: Arc<RuleView>,
    /// The judgement.
    pub verdict: Verdict,
    /// The resource.
    pub resource: ResourceView,
    /// The facts that the judgement rests on: name and value, in the rule's order.
    pub evidence: Vec<(String, serde_json::Value)>,
    /// Why it is unknown; empty otherwise.
    pub reasons: Vec<ReasonView>,
    /// The mute that hides it.
    pub muted: Option<MutedView>,
    /// The path through the graph that leads here; empty until path rules exist.
    pub path: Vec<serde_json::Value>,
}

/// The resource that was judged.
#[derive(Clone, Debug, Default)]
pub struct ResourceView {
    /// The provider's global name, for AWS the ARN.
    pub key: String,
    /// Kind id, `aws.s3.bucket`.
    pub kind: String,
    /// The name people know it by, where it has one.
    pub name: Option<String>,
    /// The account that owns it.
    pub account: String,
    /// Its region; `global` where it belongs to none.
    pub region: String,
    /// Its tags; `None` where they could not be read or the kind has none.
    pub tags: Option<BTreeMap<String, String>>,
}

impl ResourceView {
    /// What to call it in a line of text: its name, else the last part of its key.
    pub fn label(&self) -> &str {
        match self.name.as_deref() {
            Some(name) if !name.trim().is_empty() => name,
            _ => self.key.rsplit(['/', ':']).find(|part| !part.is_empty()).unwrap_or(&self.key),
        }
    }
}

/// Why something could not be judged.
#[derive(Clone, Debug, Default)]
pub struct ReasonView {
    /// What was missing: a property, a relation or a kind.
    pub what: String,
    /// The call that would have told, `s3:GetBucketPolicy`.
    pub call: String,
    /// How it failed, `denied`.
    pub state: String,
    /// The provider's error code.
    pub code: String,
    /// The provider's words.
    pub message: String,
}

/// The mute on a finding.
#[derive(Clone, Debug, Default)]
pub struct MutedView {
    /// Why it is muted.
    pub reason: String,
    /// The last moment of the mute, or its date, as written.
    pub expires: String,
}

/// One mute of the user's file.
#[derive(Clone, Debug, Default)]
pub struct MuteView {
    /// Its id.
    pub id: String,
    /// The rule that it names, or a pattern, or empty for any.
    pub rule: String,
    /// The key or name of the resource, or a pattern, or empty for any.
    pub resource: String,
    /// The account, or a pattern, or empty for any.
    pub account: String,
    /// A tag as `name=value` or `name`, or a pattern, or empty for any.
    pub tag: String,
    /// Why.
    pub reason: String,
    /// Until when, as written.
    pub expires: String,
    /// How many failures it hides (or would hide, had it not expired).
    pub matched: u64,
    /// Whether it has expired: its findings are shown again.
    pub expired: bool,
    /// What is odd about it, in one sentence; empty where nothing is.
    pub problem: String,
}

impl MuteView {
    /// What it is about, in words: `rule aws.s3.bucket-public-read, account 111122223333`.
    pub fn scope(&self) -> String {
        [("rule", &self.rule), ("resource", &self.resource), ("account", &self.account), ("tag", &self.tag)]
            .into_iter()
            .filter(|(_, wanted)| !wanted.is_empty())
            .map(|(field, wanted)| format!("{field} {}", crate::text::one_line(wanted)))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// How the account stands against one framework.
#[derive(Clone, Debug, Default)]
pub struct FrameworkView {
    /// `cis-aws-5.0`.
    pub id: String,
    /// Its name.
    pub title: String,
    /// Its requirements, in the framework's own order.
    pub requirements: Vec<RequirementView>,
    /// Per cent of the judged requirements that pass, 0 to 100; `None` when none could be judged.
    pub score: Option<f64>,
}

impl FrameworkView {
    /// The score for people, rounded down so that only all is 100.
    pub fn percent(&self) -> Option<u64> {
        self.score.map(|score| score.clamp(0.0, 100.0) as u64)
    }
}

/// One requirement of a framework.
#[derive(Clone, Debug)]
pub struct RequirementView {
    /// `5.1.1`.
    pub id: String,
    /// Its title, in our own words.
    pub title: String,
    /// The section that it is in; empty where there are none.
    pub section: String,
    /// Its state.
    pub state: RequirementState,
    /// Judgements that passed.
    pub passed: u64,
    /// Judgements that failed.
    pub failed: u64,
    /// Judgements that could not be made.
    pub unknown: u64,
    /// The rules that bear on it.
    pub rules: Vec<String>,
}

/// The state of a requirement. Only `Pass` is a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequirementState {
    /// At least one judgement failed.
    Fail,
    /// None failed, but not everything could be judged.
    Unknown,
    /// Everything was judged and passed.
    Pass,
    /// There is nothing to judge.
    NoResources,
    /// No rule covers it: a person has to look.
    NotAutomated,
}

impl RequirementState {
    /// The word in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::Pass => "pass",
            Self::NoResources => "no_resources",
            Self::NotAutomated => "not_automated",
        }
    }

    /// The words for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::Pass => "pass",
            Self::NoResources => "no resources",
            Self::NotAutomated => "not automated",
        }
    }
}
