//! What several formats count, group and sort in the same way.

use std::collections::{BTreeMap, BTreeSet};

use nepho_model::{CoverageEntry, CoverageState, Severity, Verdict};

use crate::report::{FindingView, FrameworkView, MuteView, ReasonView, Report, RuleView};
use crate::text::one_line;

/// Findings in the order of every format: failed before unknown before passed, muted last, worst first, then by rule,
/// account, region, resource.
pub(crate) fn sorted(report: &Report) -> Vec<&FindingView> {
    let mut findings: Vec<_> = report.findings.iter().collect();
    findings.sort_by(|a, b| order(a).cmp(&order(b)));
    findings
}

fn order(finding: &FindingView) -> impl Ord + '_ {
    (
        (finding.muted.is_some(), finding.verdict, std::cmp::Reverse(finding.rule.severity), &finding.rule.id),
        (&finding.resource.account, &finding.resource.region, &finding.resource.key, &finding.id),
    )
}

/// Whether it is work to do: failed and not muted.
pub(crate) fn is_open(finding: &FindingView) -> bool {
    finding.verdict == Verdict::Fail && finding.muted.is_none()
}

/// Findings of one rule that share one fate.
pub(crate) struct Group<'a> {
    /// The rule.
    pub rule: &'a RuleView,
    /// Its findings, sorted; never empty.
    pub findings: Vec<&'a FindingView>,
}

impl Group<'_> {
    /// How many accounts are concerned.
    pub fn accounts(&self) -> usize {
        self.findings.iter().map(|finding| &finding.resource.account).collect::<BTreeSet<_>>().len()
    }
}

/// Groups the chosen findings by rule: worst first, then most resources, then by id.
pub(crate) fn by_rule<'a>(report: &'a Report, choose: impl Fn(&FindingView) -> bool) -> Vec<Group<'a>> {
    let mut groups: BTreeMap<&str, Group<'a>> = BTreeMap::new();
    for finding in sorted(report).into_iter().filter(|finding| choose(finding)) {
        groups
            .entry(&finding.rule.id)
            .or_insert_with(|| Group { rule: &finding.rule, findings: Vec::new() })
            .findings
            .push(finding);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|group| (std::cmp::Reverse((group.rule.severity, group.findings.len())), &group.rule.id));
    groups
}

/// Open findings per severity, worst first.
pub(crate) fn open_by_severity(report: &Report) -> [(Severity, u64); 5] {
    Severity::ALL.map(|severity| {
        (severity, report.open.iter().filter(|open| open.severity == severity).map(|open| open.count).sum())
    })
}

/// All open findings.
pub(crate) fn open_count(report: &Report) -> u64 {
    report.open.iter().map(|open| open.count).sum()
}

/// What to say where there are no findings: never more than what was read allows.
pub(crate) fn none(report: &Report, what: &str) -> String {
    match () {
        () if report.coverage.is_empty() => format!("No {what}: nothing was read"),
        () if report.coverage.iter().any(|entry| !entry.state.is_complete()) => {
            format!("No {what} in what could be read")
        }
        () => format!("No {what}"),
    }
}

/// What was missing, and in how far: `s3:GetBucketPolicy denied AccessDenied …`. The latter is empty where no call is to
/// blame.
pub(crate) fn reason(reason: &ReasonView) -> (String, String) {
    let words = [&reason.call, &reason.state, &reason.code, &reason.message];
    let words: Vec<String> = words.map(|word| one_line(word)).into_iter().filter(|word| !word.is_empty()).collect();
    (one_line(&reason.what), words.join(" "))
}

/// How complete the reading was, counted in reads: one kind in one account and region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Completeness {
    /// Reads of which nothing is missing.
    pub complete: u64,
    /// All reads.
    pub total: u64,
}

impl Completeness {
    /// Per cent, rounded down so that only all is 100; `None` when there was nothing to read.
    pub fn percent(self) -> Option<u64> {
        (self.complete.saturating_mul(100)).checked_div(self.total)
    }
}

/// Completeness overall and per account.
pub(crate) fn completeness(report: &Report) -> (Completeness, BTreeMap<&str, Completeness>) {
    let mut reads: BTreeMap<(&str, &str, &str), bool> = BTreeMap::new();
    for entry in &report.coverage {
        *reads.entry((&entry.account, &entry.region, &entry.kind)).or_insert(true) &= entry.state.is_complete();
    }
    let mut whole = Completeness::default();
    let mut by_account: BTreeMap<&str, Completeness> = BTreeMap::new();
    for ((account, ..), complete) in reads {
        let account = by_account.entry(account).or_default();
        for sum in [&mut whole, account] {
            sum.total = sum.total.saturating_add(1);
            sum.complete = sum.complete.saturating_add(u64::from(complete));
        }
    }
    (whole, by_account)
}

/// What could not be read: one call that ended in one way, wherever it did.
pub(crate) struct Gap<'a> {
    pub call: &'a str,
    pub state: CoverageState,
    pub code: &'a str,
    /// The provider's words, of the first such answer.
    pub message: &'a str,
    pub kinds: BTreeSet<&'a str>,
    pub accounts: BTreeSet<&'a str>,
    pub regions: BTreeSet<&'a str>,
    /// Items concerned; 0 where whole lists are missing.
    pub items: u64,
    /// Whether resources may be missing altogether.
    pub lists: bool,
}

/// What to do about a call that ended so.
pub(crate) fn advice(call: &str, state: CoverageState) -> &'static str {
    match state {
        CoverageState::Complete | CoverageState::NotOffered | CoverageState::RegionDisabled => "nothing to do",
        CoverageState::Denied if call == "sts:AssumeRole" => {
            "create the role `NephoscopeReadOnly` (or the one that you give with `--role`) in that account, with the policy that `nephoscope permissions aws` prints, and let it trust the principal that scans"
        }
        CoverageState::Denied => {
            "grant the read-only policy that `nephoscope permissions aws` prints, or check for a policy of the organisation that forbids the call"
        }
        CoverageState::Throttled => "scan again when less else is calling the account, or fewer regions at a time",
        CoverageState::TimedOut => "scan again with a longer time limit",
        CoverageState::Malformed => "please report it, with the recording if you may share it",
        CoverageState::Unreachable => "check the network, proxy and endpoint settings between here and the provider",
        CoverageState::ServerFault => "scan again later: the fault was the provider's",
        CoverageState::NotRecorded => "record again with this version: the recording does not hold this call",
        CoverageState::Failed => "see the provider's words",
        CoverageState::Cut => "scan again with a higher limit: ours cut it off",
    }
}

impl Gap<'_> {
    /// How it ended, for people.
    pub fn state_words(&self) -> String {
        self.state.as_str().replace('_', " ")
    }

    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        advice(self.call, self.state)
    }

    /// Where, every account and region by its name.
    pub fn place_in_full(&self) -> String {
        let all = |names: &BTreeSet<&str>| {
            names.iter().map(|name| one_line(name)).filter(|name| !name.is_empty()).collect::<Vec<_>>().join(", ")
        };
        match (all(&self.accounts), all(&self.regions)) {
            (accounts, regions) if regions.is_empty() => accounts,
            (accounts, regions) => format!("{accounts} ({regions})"),
        }
    }

    /// Where: `3 accounts, 2 regions`, or their names when there is one each.
    pub fn place(&self) -> String {
        let some = |names: &BTreeSet<&str>, many: &str| match names.first() {
            Some(only) if names.len() == 1 => one_line(only),
            _ => format!("{} {many}", names.len()),
        };
        match self.regions.iter().all(|region| region.is_empty()) {
            true => some(&self.accounts, "accounts"),
            false => format!("{}, {}", some(&self.accounts, "accounts"), some(&self.regions, "regions")),
        }
    }
}

/// The entries of coverage of which something is missing, sorted.
pub(crate) fn missing(report: &Report) -> Vec<&CoverageEntry> {
    let mut entries: Vec<_> = report.coverage.iter().filter(|entry| !entry.state.is_complete()).collect();
    entries.sort();
    entries
}

/// What could not be read, those that hide whole resources first, then by call.
pub(crate) fn gaps(report: &Report) -> Vec<Gap<'_>> {
    let entries = missing(report);
    let mut gaps: BTreeMap<(&str, CoverageState, &str), Gap<'_>> = BTreeMap::new();
    for entry in entries {
        let gap = gaps.entry((&entry.call, entry.state, &entry.code)).or_insert_with(|| Gap {
            call: &entry.call,
            state: entry.state,
            code: &entry.code,
            message: &entry.message,
            kinds: BTreeSet::new(),
            accounts: BTreeSet::new(),
            regions: BTreeSet::new(),
            items: 0,
            lists: false,
        });
        if !entry.kind.is_empty() {
            gap.kinds.insert(&entry.kind);
        }
        gap.accounts.insert(&entry.account);
        gap.regions.insert(&entry.region);
        gap.items = gap.items.saturating_add(entry.items);
        gap.lists |= entry.lists;
    }
    let mut gaps: Vec<_> = gaps.into_values().collect();
    gaps.sort_by_key(|gap| (!gap.lists, gap.state, gap.call, gap.code));
    gaps
}

/// The account's name where it is known.
pub(crate) fn account_name<'a>(report: &'a Report, id: &str) -> Option<&'a str> {
    report
        .accounts
        .iter()
        .find(|account| account.id == id)
        .map(|account| account.name.as_str())
        .filter(|n| !n.is_empty())
}

/// `1 resource`, `2 resources`, `12,345 resources`.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// `12,345`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Frameworks by id.
pub(crate) fn frameworks(report: &Report) -> Vec<&FrameworkView> {
    let mut frameworks: Vec<_> = report.compliance.iter().collect();
    frameworks.sort_by(|a, b| a.id.cmp(&b.id));
    frameworks
}

/// Mutes that a person should look at, by name, and why.
pub(crate) fn mute_warnings(report: &Report) -> Vec<(String, String)> {
    let warning = |mute: &&MuteView| {
        let expired = mute.expired.then(|| {
            let findings = count(mute.matched, "finding is", "findings are");
            format!("expired on {}: {findings} shown again", one_line(&mute.expires))
        });
        let problem = Some(one_line(&mute.problem)).filter(|problem| !problem.is_empty());
        let words: Vec<String> = expired.into_iter().chain(problem).collect();
        (!words.is_empty()).then(|| (format!("{} ({})", one_line(&mute.id), mute.scope()), words.join("; ")))
    };
    mutes(report).iter().filter_map(warning).collect()
}

/// Mutes, expired ones first.
pub(crate) fn mutes(report: &Report) -> Vec<&MuteView> {
    let mut mutes: Vec<_> = report.mutes.iter().collect();
    mutes.sort_by_key(|mute| (!mute.expired, &mute.id, &mute.rule));
    mutes
}
