//! HTML: one self-contained page that asks the network for nothing.
//!
//! The server side of the page (this file and `templates/report.html`) writes everything but the rows of findings; those
//! are in a JSON block, from which `templates/report.js` makes only the rows that are looked at. The page's policy
//! (CSP) allows exactly our script and our style by their hashes, so that even a mistake in escaping would run nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use askama::Template;
use base64::Engine;
use nepho_model::{Severity, Verdict};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::digest::{self, Completeness, count, thousands};
use crate::format::{Format, ReportError};
use crate::report::{FindingView, FrameworkView, MuteView, Report, RequirementView, RuleView};
use crate::safe_json::{self, Layout};
use crate::text::{clean, cut, one_line, plain};

const STYLE: &str = include_str!("../templates/report.css");
const SCRIPT: &str = include_str!("../templates/report.js");

/// Accounts that get a bar of their own in the header.
const ACCOUNT_BARS: usize = 6;
/// A longer value of evidence is cut: the page is for reading, the JSON report has all of it.
const EVIDENCE_MAX: usize = 4_000;

pub(crate) fn write(report: &Report, output: &mut dyn Write) -> Result<(), ReportError> {
    let encode = |source: askama::Error| ReportError::Encode { format: Format::Html, source: source.into() };
    let page = Page::of(report)?.render().map_err(encode)?;
    output.write_all(page.as_bytes()).map_err(ReportError::write(Format::Html))
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    policy: String,
    style: &'static str,
    script: &'static str,
    data: String,
    generator: String,
    source: String,
    clock: String,
    clock_words: String,
    scope: String,
    headline: String,
    /// What to say where no rule is listed.
    nothing: String,
    calm: bool,
    severities: Vec<SeverityCount>,
    open_total: String,
    passed: String,
    unknown: String,
    muted: String,
    rules_run: String,
    coverage: Bar,
    account_bars: Vec<AccountBar>,
    accounts_more: usize,
    cards: Vec<Card>,
    notes: Vec<String>,
    gaps: Vec<GapRow>,
    coverage_accounts: Vec<CoverageAccount>,
    frameworks: Vec<Framework>,
    mutes: Vec<Mute>,
    expired: usize,
}

/// A severity in the ring and its legend.
struct SeverityCount {
    name: &'static str,
    /// For people.
    number: String,
    /// Length of the arc and its start, in per mille of the ring.
    arc: u64,
    start: u64,
}

struct Bar {
    words: String,
    percent: u64,
    /// Whether nothing is missing.
    whole: bool,
    known: bool,
}

struct AccountBar {
    label: String,
    title: String,
    total: String,
    /// Class, start and width in per mille.
    parts: Vec<(&'static str, u64, u64)>,
}

/// A rule and what it found.
struct Card {
    place: usize,
    id: String,
    title: String,
    severity: &'static str,
    why: String,
    fix: String,
    codes: Vec<Code>,
    controls: Vec<String>,
    references: Vec<Reference>,
    count: String,
}

struct Code {
    name: &'static str,
    text: String,
}

struct Reference {
    url: String,
    label: String,
}

struct GapRow {
    call: String,
    state: String,
    words: String,
    place: String,
    kinds: String,
    missing: String,
    /// Whether it is code, and the words.
    advice: Vec<(bool, &'static str)>,
    lists: bool,
}

struct CoverageAccount {
    id: String,
    name: String,
    bar: Bar,
}

struct Framework {
    id: String,
    title: String,
    score: String,
    /// Per mille of the ring.
    arc: u64,
    states: Vec<(&'static str, &'static str, usize)>,
    sections: Vec<Section>,
}

struct Section {
    title: String,
    requirements: Vec<Requirement>,
}

struct Requirement {
    id: String,
    title: String,
    state: &'static str,
    words: &'static str,
    counts: String,
    rules: Vec<String>,
}

struct Mute {
    id: String,
    scope: String,
    reason: String,
    expires: String,
    matched: String,
    expired: bool,
    problem: String,
}

impl Page {
    fn of(report: &Report) -> Result<Self, ReportError> {
        let rules = rules_in_order(report);
        let (whole, by_account) = digest::completeness(report);
        let (account_bars, accounts_more) = account_bars(report);
        let clock = report.clock.to_string();
        let mutes: Vec<_> = digest::mutes(report).into_iter().map(Mute::of).collect();
        Ok(Self {
            policy: policy(),
            style: STYLE,
            script: SCRIPT,
            data: data(report, &rules)?,
            generator: one_line(&format!("{} {}", report.generated_by.name, report.generated_by.version)),
            source: one_line(&report.source),
            clock_words: clock
                .get(..16)
                .map_or_else(|| clock.clone(), |minute| format!("{} UTC", minute.replace('T', " "))),
            clock,
            scope: format!(
                "{} in {}, {}",
                count(report.counts.resources, "resource", "resources"),
                count(report.accounts.len() as u64, "account", "accounts"),
                count(report.regions.len() as u64, "region", "regions")
            ),
            headline: headline(report),
            nothing: match digest::open_count(report) {
                0 => headline(report),
                _ => "The open findings are not among those listed here".to_owned(),
            },
            calm: digest::open_by_severity(report).iter().take(2).all(|(_, number)| *number == 0),
            severities: severities(report),
            open_total: thousands(digest::open_count(report)),
            passed: thousands(report.by_verdict.pass),
            unknown: thousands(report.by_verdict.unknown),
            muted: thousands(report.muted),
            rules_run: thousands(report.counts.rules_run),
            coverage: Bar::of(whole),
            account_bars,
            accounts_more,
            cards: rules.iter().enumerate().map(|(place, rule)| Card::of(report, place, rule)).collect(),
            notes: report.notes.iter().map(|note| one_line(note)).collect(),
            gaps: digest::gaps(report).iter().map(GapRow::of).collect(),
            coverage_accounts: by_account
                .into_iter()
                .map(|(id, completeness)| CoverageAccount {
                    id: one_line(id),
                    name: one_line(digest::account_name(report, id).unwrap_or_default()),
                    bar: Bar::of(completeness),
                })
                .collect(),
            frameworks: digest::frameworks(report).into_iter().map(|f| Framework::of(f, &rules)).collect(),
            expired: mutes.iter().filter(|mute| mute.expired).count(),
            mutes,
        })
    }
}

/// Only our own script and style, known by their hashes, and nothing from anywhere.
fn policy() -> String {
    let hash = |text: &str| base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
}

/// Rules of all findings: those with open findings first, worst first, then those with the most resources.
fn rules_in_order(report: &Report) -> Vec<&RuleView> {
    let mut rules: BTreeMap<&str, (&RuleView, usize, bool)> = BTreeMap::new();
    for finding in &report.findings {
        let rule = rules.entry(&finding.rule.id).or_insert((&finding.rule, 0, false));
        rule.1 += usize::from(digest::is_open(finding));
        rule.2 |= finding.verdict == Verdict::Unknown;
    }
    let mut rules: Vec<_> = rules.into_values().collect();
    rules.sort_by_key(|(rule, open, unknown)| {
        (std::cmp::Reverse((*open > 0, rule.severity, *open, *unknown)), rule.id.as_str())
    });
    rules.into_iter().map(|(rule, ..)| rule).collect()
}

fn headline(report: &Report) -> String {
    let [critical, high, ..] = digest::open_by_severity(report).map(|(_, number)| number);
    let open = digest::open_count(report);
    let findings = |number: u64| if number == 1 { "finding is" } else { "findings are" };
    match (critical, high, open) {
        (0, 0, 0) => digest::none(report, "open findings"),
        (0, 0, _) => format!("{} {} open, none critical or high", thousands(open), findings(open)),
        (0, _, _) => format!("{} high {} open", thousands(high), findings(high)),
        (_, 0, _) => format!("{} critical {} open", thousands(critical), findings(critical)),
        _ => format!("{} critical and {} high {} open", thousands(critical), thousands(high), findings(high)),
    }
}

fn severities(report: &Report) -> Vec<SeverityCount> {
    let counts = digest::open_by_severity(report);
    let total: u64 = counts.iter().map(|(_, number)| number).sum();
    let mut before = 0;
    counts
        .into_iter()
        .map(|(severity, number)| {
            let per_mille = |part: u64| part.saturating_mul(1000).checked_div(total).unwrap_or(0);
            let start = per_mille(before);
            before += number;
            SeverityCount {
                name: severity.as_str(),
                number: thousands(number),
                start,
                arc: per_mille(before).saturating_sub(start),
            }
        })
        .collect()
}

fn account_bars(report: &Report) -> (Vec<AccountBar>, usize) {
    let mut open: BTreeMap<&str, BTreeMap<std::cmp::Reverse<Severity>, u64>> =
        report.accounts.iter().map(|account| (account.id.as_str(), BTreeMap::new())).collect();
    for count in &report.open {
        *open.entry(&count.account).or_default().entry(std::cmp::Reverse(count.severity)).or_default() += count.count;
    }
    let mut accounts: Vec<_> = open.into_iter().collect();
    // Worst first: more critical ones, then more high ones, and so on.
    let rank = |counts: &BTreeMap<_, u64>| {
        std::cmp::Reverse(Severity::ALL.map(|severity| counts.get(&std::cmp::Reverse(severity)).copied().unwrap_or(0)))
    };
    accounts.sort_by(|(a_id, a), (b_id, b)| rank(a).cmp(&rank(b)).then(a_id.cmp(b_id)));
    let most = accounts.iter().map(|(_, counts)| counts.values().sum::<u64>()).max().unwrap_or(0);
    let more = accounts.len().saturating_sub(ACCOUNT_BARS);
    let bars = accounts
        .into_iter()
        .take(ACCOUNT_BARS)
        .map(|(id, counts)| {
            let mut start = 0;
            let parts = counts
                .iter()
                .map(|(severity, number)| {
                    // A single finding among thousands is still to be seen.
                    let width = number.saturating_mul(1000).checked_div(most).unwrap_or(0).max(6);
                    let part = (severity.0.as_str(), start, width);
                    start += width;
                    part
                })
                .collect();
            let words: Vec<_> =
                counts.iter().map(|(severity, number)| format!("{} {}", thousands(*number), severity.0)).collect();
            let label = one_line(digest::account_name(report, id).unwrap_or(id));
            AccountBar {
                title: format!(
                    "{label} ({}): {}",
                    one_line(id),
                    if words.is_empty() { "no open findings".to_owned() } else { words.join(", ") }
                ),
                label,
                total: thousands(counts.values().sum()),
                parts,
            }
        })
        .collect();
    (bars, more)
}

impl Bar {
    fn of(completeness: Completeness) -> Self {
        Self {
            words: format!("{} of {}", thousands(completeness.complete), count(completeness.total, "read", "reads")),
            percent: completeness.percent().unwrap_or(0),
            whole: completeness.complete == completeness.total,
            known: completeness.total > 0,
        }
    }
}

impl Card {
    fn of(report: &Report, place: usize, rule: &RuleView) -> Self {
        let findings = || report.findings.iter().filter(|finding| finding.rule.id == rule.id);
        let open = findings().filter(|finding| digest::is_open(finding)).count();
        let accounts: BTreeSet<_> =
            findings().filter(|finding| digest::is_open(finding)).map(|finding| &finding.resource.account).collect();
        let codes = [("CLI", &rule.fix.cli), ("Terraform", &rule.fix.terraform)]
            .into_iter()
            .filter_map(|(name, code)| code.as_ref().map(|code| Code { name, text: clean(code.trim()).into_owned() }))
            .collect();
        Self {
            place,
            id: one_line(&rule.id),
            title: one_line(&rule.title),
            severity: rule.severity.as_str(),
            why: one_line(&rule.why),
            fix: clean(rule.fix.text.trim()).into_owned(),
            codes,
            controls: rule.controls.iter().map(|control| one_line(control)).collect(),
            references: rule.references.iter().filter_map(|url| Reference::of(url)).collect(),
            count: format!(
                "{} · {}",
                count(open as u64, "resource", "resources"),
                count(accounts.len() as u64, "account", "accounts")
            ),
        }
    }
}

impl Reference {
    /// A link to follow, of the web only: never `javascript:`.
    fn of(url: &str) -> Option<Self> {
        let url = one_line(url);
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
        Some(Self { label: cut(rest, 70).into_owned(), url })
    }
}

impl GapRow {
    fn of(gap: &digest::Gap<'_>) -> Self {
        let kinds: Vec<_> = gap.kinds.iter().map(|kind| one_line(kind)).collect();
        Self {
            call: one_line(gap.call),
            state: gap.state_words(),
            words: [gap.code, gap.message]
                .map(one_line)
                .into_iter()
                .filter(|w| !w.is_empty())
                .collect::<Vec<_>>()
                .join(": "),
            place: gap.place(),
            kinds: match kinds.len() {
                0..=3 => kinds.join(", "),
                more => count(more as u64, "kind", "kinds"),
            },
            missing: match (gap.lists, gap.items) {
                (true, 0) => "whole lists".to_owned(),
                (true, items) => format!("lists cut off after {}", count(items, "item", "items")),
                (false, items) => format!("facts of {}", count(items, "resource", "resources")),
            },
            // Between backticks is code: every second part.
            advice: gap.advice().split('`').enumerate().map(|(place, part)| (place % 2 == 1, part)).collect(),
            lists: gap.lists,
        }
    }
}

impl Framework {
    fn of(framework: &FrameworkView, shown: &[&RuleView]) -> Self {
        use crate::report::RequirementState::{Fail, NoResources, NotAutomated, Pass, Unknown};
        let mut sections: Vec<Section> = Vec::new();
        for requirement in &framework.requirements {
            let title = one_line(&requirement.section);
            if sections.last().is_none_or(|section| section.title != title) {
                sections.push(Section { title, requirements: Vec::new() });
            }
            if let Some(section) = sections.last_mut() {
                section.requirements.push(Requirement::of(requirement, shown));
            }
        }
        Self {
            id: one_line(&framework.id),
            title: one_line(&framework.title),
            score: framework.percent().map_or_else(|| "–".to_owned(), |percent| format!("{percent}%")),
            arc: framework.score.map_or(0, |score| (score.clamp(0.0, 100.0) * 10.0) as u64),
            states: [Fail, Unknown, Pass, NoResources, NotAutomated]
                .into_iter()
                .map(|state| {
                    let number = framework.requirements.iter().filter(|r| r.state == state).count();
                    (state.as_str(), state.words(), number)
                })
                .filter(|(_, _, number)| *number > 0)
                .collect(),
            sections,
        }
    }
}

impl Requirement {
    fn of(requirement: &RequirementView, shown: &[&RuleView]) -> Self {
        let counts: Vec<String> =
            [(requirement.failed, "failed"), (requirement.unknown, "unknown"), (requirement.passed, "passed")]
                .into_iter()
                .filter(|(number, _)| *number > 0)
                .map(|(number, word)| format!("{} {word}", thousands(number)))
                .collect();
        Self {
            id: one_line(&requirement.id),
            title: one_line(&requirement.title),
            state: requirement.state.as_str(),
            words: requirement.state.words(),
            counts: counts.join(" · "),
            // Only rules with a card on this page can be linked to.
            rules: requirement
                .rules
                .iter()
                .filter(|rule| shown.iter().any(|shown| shown.id == **rule))
                .map(|rule| one_line(rule))
                .collect(),
        }
    }
}

impl Mute {
    fn of(mute: &MuteView) -> Self {
        Self {
            id: one_line(&mute.id),
            scope: mute.scope(),
            reason: one_line(&mute.reason),
            expires: one_line(&mute.expires),
            matched: count(mute.matched, "finding", "findings"),
            expired: mute.expired,
            problem: one_line(&mute.problem),
        }
    }
}

/// The rows of findings, with what repeats written once.
#[derive(Serialize)]
struct Data<'a> {
    rules: Vec<DataRule<'a>>,
    accounts: Vec<(String, String)>,
    regions: Vec<String>,
    kinds: Vec<String>,
    findings: Vec<Row>,
}

#[derive(Serialize)]
struct DataRule<'a> {
    id: &'a str,
    title: String,
    severity: Severity,
    frameworks: BTreeSet<&'a str>,
}

#[derive(Serialize)]
struct Row(
    /// Place of the rule.
    usize,
    /// 0 open, 1 unknown, 2 passed, 3 muted.
    u8,
    /// Place of the account, the region, the kind.
    usize,
    usize,
    usize,
    /// Key, name.
    String,
    String,
    /// Evidence: name and value.
    Vec<(String, String)>,
    /// Reasons: what, the words.
    Vec<(String, String)>,
    /// The mute's words, or nothing.
    String,
);

/// Places of distinct texts in order.
fn places<'a>(texts: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    let distinct: BTreeSet<_> = texts.collect();
    distinct.into_iter().enumerate().map(|(place, text)| (text, place)).collect()
}

fn data(report: &Report, rules: &[&RuleView]) -> Result<String, ReportError> {
    let findings = digest::sorted(report);
    let rule_places: BTreeMap<&str, usize> =
        rules.iter().enumerate().map(|(place, rule)| (rule.id.as_str(), place)).collect();
    let accounts = places(findings.iter().map(|finding| finding.resource.account.as_str()));
    let regions = places(findings.iter().map(|finding| finding.resource.region.as_str()));
    let kinds = places(findings.iter().map(|finding| finding.resource.kind.as_str()));
    let place = |places: &BTreeMap<&str, usize>, text: &str| places.get(text).copied().unwrap_or(0);
    let row = |finding: &&FindingView| {
        let resource = &finding.resource;
        Row(
            place(&rule_places, &finding.rule.id),
            match (&finding.muted, finding.verdict) {
                (Some(_), _) => 3,
                (None, Verdict::Fail) => 0,
                (None, Verdict::Unknown) => 1,
                (None, Verdict::Pass) => 2,
            },
            place(&accounts, &resource.account),
            place(&regions, &resource.region),
            place(&kinds, &resource.kind),
            one_line(&resource.key),
            one_line(resource.label()),
            finding
                .evidence
                .iter()
                .map(|(name, value)| (one_line(name), cut(&plain(value), EVIDENCE_MAX).into_owned()))
                .collect(),
            finding
                .reasons
                .iter()
                .map(|reason| {
                    let words = [&reason.call, &reason.state, &reason.code, &reason.message];
                    let words: Vec<_> =
                        words.map(|word| one_line(word)).into_iter().filter(|w| !w.is_empty()).collect();
                    (one_line(&reason.what), words.join(" · "))
                })
                .collect(),
            finding
                .muted
                .as_ref()
                .map(|muted| one_line(&format!("{} (until {})", muted.reason, muted.expires)))
                .unwrap_or_default(),
        )
    };
    let data = Data {
        rules: rules
            .iter()
            .map(|rule| DataRule {
                id: &rule.id,
                title: one_line(&rule.title),
                severity: rule.severity,
                frameworks: rule
                    .controls
                    .iter()
                    .filter_map(|control| control.split_once('/'))
                    .map(|(f, _)| f)
                    .collect(),
            })
            .collect(),
        accounts: accounts
            .keys()
            .map(|id| (one_line(id), one_line(digest::account_name(report, id).unwrap_or_default())))
            .collect(),
        regions: regions.keys().map(|region| one_line(region)).collect(),
        kinds: kinds.keys().map(|kind| one_line(kind)).collect(),
        findings: findings.iter().map(row).collect(),
    };
    let mut bytes = Vec::new();
    safe_json::write(&mut bytes, &data, Layout::Html).map_err(ReportError::json(Format::Html))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests;
