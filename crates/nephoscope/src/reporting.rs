//! From an analysis to the report's view model, and to files and the terminal.

mod target;

use std::collections::{BTreeMap, HashMap};
use std::io::IsTerminal as _;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use nepho_catalog::{Catalog, Rule};
use nepho_estate::Estate;
use nepho_model::{Severity, Value, Verdict};
use nepho_report::{
    AccountView, Counts, FindingView, FixView, Format, FrameworkView, GeneratedBy, MuteView, MutedView, OpenCount,
    ReasonView, Report, RequirementState, RequirementView, ResourceView, RuleView, VerdictCounts, table,
};
use nepho_rules::compliance::{self, FrameworkState, State};
use nepho_rules::{Finding, MuteState, Mutes, RuleSet, judge};

pub use self::target::Target;
use crate::Outcome;
use crate::arguments::{ReportArguments, Verdicts};
use crate::pipeline::{self, Analysis};

/// What to report and where to, checked: made before anything is read, so that mistakes are told at once.
pub struct Plan {
    outputs: Vec<(Target, Format)>,
    /// What standard output gets in place of the usual text.
    format: Option<Format>,
    rules: RuleSet,
    /// How many rules there are; more than are run when some were chosen.
    rules_known: usize,
    mutes: Mutes,
    verdicts: Verdicts,
    severity: Option<Severity>,
    fail_on: Option<Severity>,
}

/// The usual text of a command on standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// What a scan ends with.
    Summary,
    /// One row a finding.
    List,
}

impl Plan {
    /// Checks all that can be without a scan: rules, formats, files of mutes, places of reports.
    pub fn new(catalog: &Catalog, options: &ReportArguments) -> anyhow::Result<Self> {
        let mut format = options.format;
        let mut outputs = Vec::new();
        for path in &options.out {
            let of_file = match (Format::from_path(path), options.format) {
                (Some(of_file), _) => of_file,
                (None, Some(given)) => {
                    format = None;
                    given
                }
                (None, None) => bail!(
                    "the ending of `{}` names no format; use .json, .csv, .sarif, .ocsf.json, .junit.xml, .html or .txt, or say --format",
                    path.display()
                ),
            };
            outputs.push((Target::of(path)?, of_file));
        }
        let mut rules = pipeline::compile_rules(catalog)?;
        let rules_known = rules.len();
        if !options.rules.is_empty() {
            rules = rules.only(&options.rules).map_err(anyhow::Error::msg)?;
        }
        let mutes = match &options.mutes {
            None => Mutes::default(),
            Some(path) => {
                let name = path.display().to_string();
                let text = std::fs::read_to_string(path).with_context(|| format!("reading the mutes file `{name}`"))?;
                Mutes::parse(&name, &text, catalog)?
            }
        };
        let (verdicts, severity, fail_on) = (options.verdicts, options.severity, options.fail_on);
        Ok(Self { outputs, format, rules, rules_known, mutes, verdicts, severity, fail_on })
    }

    /// Whether a judgement is among those to list.
    fn lists(&self, verdict: Verdict, severity: Severity) -> bool {
        let wanted = match self.verdicts {
            Verdicts::Fail => verdict == Verdict::Fail,
            Verdicts::Unknown => verdict == Verdict::Unknown,
            Verdicts::Pass => verdict == Verdict::Pass,
            Verdicts::All => true,
        };
        wanted && self.severity.is_none_or(|least| severity >= least)
    }

    /// What a reader must know who sees findings that are chosen.
    fn notes(&self) -> Vec<String> {
        let verdicts = match self.verdicts {
            Verdicts::Unknown => Some("what could not be judged".to_owned()),
            Verdicts::Pass => Some("what passed".to_owned()),
            Verdicts::Fail | Verdicts::All => None,
        };
        let severity = self.severity.map(|least| format!("severity {least} and worse"));
        let listed: Vec<String> = verdicts.into_iter().chain(severity).collect();
        let mut notes = Vec::new();
        if !listed.is_empty() {
            notes.push(format!("Listed is only {}; the counts are of everything.", listed.join(", of ")));
        }
        if !self.runs_all_rules() {
            notes.push(format!(
                "Only {} of {} rules were run (--rule), so nothing is said about compliance.",
                self.rules.len(),
                self.rules_known
            ));
        }
        notes
    }

    /// The rules to run.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// Whether none were left out.
    pub fn runs_all_rules(&self) -> bool {
        self.rules.len() == self.rules_known
    }
}

/// Judges and reports: the part that every scan and replay shares.
pub fn report(analysis: &Analysis, plan: &Plan, view: View, quiet: bool) -> anyhow::Result<Outcome> {
    let report = build(analysis, plan);
    for (target, format) in &plan.outputs {
        target.write(*format, &report)?;
        if !quiet && *target != Target::Output {
            eprintln!("wrote {target}");
        }
    }
    let taken = plan.outputs.iter().any(|(target, _)| *target == Target::Output);
    // Quiet: only what was asked for. A list is, unless a file was asked for; a summary is not.
    let asked = !quiet || view == View::List && plan.outputs.is_empty();
    match plan.format {
        _ if taken => {}
        Some(format) if format != Format::Table => {
            nepho_report::render(format, &report, &mut std::io::stdout().lock())?
        }
        None if !asked => {}
        _ => crate::output::text(&match view {
            View::Summary => table::summary(&report, &style()),
            View::List => table::findings(&report, &list_style()),
        })?,
    }
    Ok(outcome(&report, plan.fail_on))
}

/// For running text. Colour only where a person looks, and not against their will.
pub fn style() -> table::Style {
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let given = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let width = given.or_else(|| comfy_table::Table::new().width().map(usize::from)).unwrap_or(100);
    table::Style { colour, width: Some(width) }
}

/// For lists: where no person looks, a row is a line, for `grep` and its like.
pub fn list_style() -> table::Style {
    let style = style();
    table::Style { width: style.width.filter(|_| std::io::stdout().is_terminal()), ..style }
}

/// What a report means for the exit code. Whatever is listed, all that was judged counts.
pub fn outcome(report: &Report, fail_on: Option<Severity>) -> Outcome {
    let found = fail_on.is_some_and(|least| report.open.iter().any(|open| open.severity >= least));
    let complete = report.coverage.iter().all(|entry| entry.state.is_complete());
    match (found, complete) {
        (true, _) => Outcome::Findings,
        (false, false) => Outcome::Incomplete,
        (false, true) => Outcome::Done,
    }
}

/// What can be said before anything is judged.
pub fn outline(analysis: &Analysis) -> Report {
    let estate = &analysis.estate;
    let kinds = estate.graph.counts_by_kind().filter(|(_, count)| *count > 0).count();
    Report {
        generated_by: GeneratedBy { name: "nephoscope".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        clock: analysis.clock,
        source: analysis.source.clone(),
        partition: analysis.partition.clone(),
        accounts: estate
            .accounts
            .iter()
            .map(|(id, name)| AccountView { id: id.to_string(), name: name.clone().unwrap_or_default() })
            .collect(),
        regions: analysis.regions.clone(),
        counts: Counts {
            resources: estate.graph.node_count() as u64,
            relations: estate.graph.relation_count() as u64,
            kinds: kinds as u64,
            rules_run: 0,
        },
        coverage: estate.coverage.clone(),
        notes: analysis.notes.clone(),
        ..Report::default()
    }
}

/// Runs the rules and fills the view model.
pub fn build(analysis: &Analysis, plan: &Plan) -> Report {
    let estate = &analysis.estate;
    let mut report = outline(analysis);
    let wanted = [Verdict::Fail, Verdict::Unknown, Verdict::Pass];
    // Failures are always looked at: they are counted whether they are listed or not.
    let wanted: Vec<Verdict> = wanted
        .into_iter()
        .filter(|verdict| *verdict == Verdict::Fail || plan.lists(*verdict, Severity::Critical))
        .collect();
    let judgement = judge(estate, &plan.rules, &wanted);
    let mut mutes = plan.mutes.clone().as_of(analysis.clock);
    let mut open: BTreeMap<(&str, Severity), u64> = BTreeMap::new();
    let mut views: HashMap<Arc<str>, Arc<RuleView>> = HashMap::new();
    for finding in &judgement.findings {
        let severity = finding.rule.severity;
        let mut muted = None;
        if finding.verdict == Verdict::Fail {
            muted = mutes
                .apply(estate, finding)
                .map(|mute| MutedView { reason: mute.reason.clone(), expires: mute.expires.to_string() });
            match (&muted, estate.graph.node(finding.node)) {
                (Some(_), _) => report.muted += 1,
                (None, Some(node)) => *open.entry((node.account(), severity)).or_default() += 1,
                (None, None) => {}
            }
        }
        if plan.lists(finding.verdict, severity) {
            let view = || Arc::new(rule_view(&finding.rule));
            let rule = views.entry(finding.rule.id.clone()).or_insert_with(view).clone();
            report.findings.extend(finding_view(estate, finding, rule, muted));
        }
    }
    report.open = open
        .into_iter()
        .map(|((account, severity), count)| OpenCount { account: account.to_owned(), severity, count })
        .collect();
    let total = judgement.total();
    report.by_verdict = VerdictCounts {
        fail: total.fail,
        pass: total.pass,
        unknown: total.unknown,
        not_applicable: total.not_applicable,
    };
    report.counts.rules_run = plan.rules.len() as u64;
    report.notes.extend(plan.notes());
    report.mutes = mutes.all.iter().enumerate().map(|(at, state)| mute_view(at, state, &report, plan)).collect();
    // Rules that were not run would make requirements look as if there were nothing to judge.
    if plan.runs_all_rules() {
        let unlisted = |kind: &str| estate.is_missing_somewhere(kind);
        let frameworks = analysis.catalog.frameworks.values();
        report.compliance = frameworks
            .map(|framework| framework_view(&compliance::assess(&analysis.catalog, framework, &judgement, &unlisted)))
            .collect();
    }
    report
}

fn mute_view(at: usize, state: &MuteState, report: &Report, plan: &Plan) -> MuteView {
    let mute = &state.mute;
    let complete = report.coverage.iter().all(|entry| entry.state.is_complete());
    let problem = match &state.problem {
        Some(problem) => problem.clone(),
        None if state.matched == 0 && !state.expired && plan.runs_all_rules() => {
            format!("it matches no finding{}", if complete { "" } else { " in what could be read" })
        }
        None => String::new(),
    };
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    MuteView {
        id: format!("mute {}", at + 1),
        rule: text(&mute.rule),
        resource: text(&mute.resource),
        account: text(&mute.account),
        tag: text(&mute.tag),
        reason: mute.reason.clone(),
        expires: mute.expires.to_string(),
        matched: state.matched,
        expired: state.expired,
        problem,
    }
}

fn rule_view(rule: &Rule) -> RuleView {
    RuleView {
        id: rule.id.to_string(),
        title: rule.title.clone(),
        severity: rule.severity,
        why: rule.why.trim().to_owned(),
        fix: FixView {
            text: rule.fix.text.trim().to_owned(),
            cli: rule.fix.cli.clone(),
            terraform: rule.fix.terraform.clone(),
        },
        controls: rule.controls.iter().map(ToString::to_string).collect(),
        references: rule.references.clone(),
    }
}

fn finding_view(
    estate: &Estate,
    finding: &Finding,
    rule: Arc<RuleView>,
    muted: Option<MutedView>,
) -> Option<FindingView> {
    let node = estate.graph.node(finding.node)?;
    let tags = match node.tags() {
        Value::Map(tags) => Some(
            tags.iter()
                .map(|(name, value)| (name.to_string(), value.as_str().unwrap_or_default().to_owned()))
                .collect::<BTreeMap<_, _>>(),
        ),
        _ => None,
    };
    Some(FindingView {
        id: finding.id.clone(),
        rule,
        verdict: finding.verdict,
        resource: ResourceView {
            key: node.key().to_owned(),
            kind: node.kind().to_owned(),
            name: node.name().as_str().map(str::to_owned),
            account: node.account().to_owned(),
            region: node.region().to_owned(),
            tags,
        },
        evidence: finding.evidence.iter().map(|(name, value)| (name.clone(), value.to_json())).collect(),
        reasons: finding
            .reasons
            .iter()
            .map(|reason| ReasonView {
                what: reason.what.clone(),
                call: reason.call.clone(),
                state: reason.state.clone(),
                code: reason.code.clone(),
                message: reason.message.clone(),
            })
            .collect(),
        muted,
        path: Vec::new(),
    })
}

/// A framework in the report's words.
pub fn framework_view(state: &FrameworkState) -> FrameworkView {
    FrameworkView {
        id: state.framework.id.to_string(),
        title: state.framework.title.clone(),
        score: state.score(),
        requirements: state
            .requirements
            .iter()
            .map(|one| RequirementView {
                id: one.requirement.id.to_string(),
                title: one.requirement.title.clone(),
                section: one.requirement.section.clone().unwrap_or_default(),
                state: match one.state {
                    State::Pass => RequirementState::Pass,
                    State::Fail => RequirementState::Fail,
                    State::Unknown => RequirementState::Unknown,
                    State::NoResources => RequirementState::NoResources,
                    State::NotAutomated => RequirementState::NotAutomated,
                },
                passed: one.tally.pass,
                failed: one.tally.fail,
                unknown: one.tally.unknown,
                rules: one.rules.iter().map(ToString::to_string).collect(),
            })
            .collect(),
    }
}
