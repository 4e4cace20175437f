//! From an analysis to the report's view model, and to files and the terminal.

use std::collections::{BTreeMap, HashMap};
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use nepho_catalog::Rule;
use nepho_estate::Estate;
use nepho_model::{Value, Verdict};
use nepho_report::{
    AccountView, Counts, FindingView, FixView, Format, FrameworkView, GeneratedBy, MuteView, MutedView, ReasonView,
    Report, RequirementState, RequirementView, ResourceView, RuleView, VerdictCounts, table,
};
use nepho_rules::compliance::{self, FrameworkState, State};
use nepho_rules::{Finding, Mutes, judge};

use crate::Outcome;
use crate::arguments::{ReportArguments, Verdicts};
use crate::pipeline::{self, Analysis};

/// Judges and reports: the part that every scan and replay shares.
pub fn report(analysis: &Analysis, options: &ReportArguments, quiet: bool) -> anyhow::Result<Outcome> {
    let terminal = options.format.as_deref().map(str::parse::<Format>).transpose()?.unwrap_or(Format::Table);
    let outputs: Vec<(&Path, Format)> = options
        .out
        .iter()
        .map(|path| {
            let format = Format::from_path(path).or(options.format.is_some().then_some(terminal));
            match format {
                Some(format) => Ok((path.as_path(), format)),
                None => bail!(
                    "the ending of `{}` names no format; use .json, .csv, .sarif, .ocsf.json, .junit.xml or .html, or say --format",
                    path.display()
                ),
            }
        })
        .collect::<Result<_, _>>()?;
    let report = build(analysis, options)?;
    for (path, format) in outputs {
        write_file(path, format, &report)?;
        if !quiet {
            eprintln!("wrote {}", path.display());
        }
    }
    // With --out, the terminal gets the summary; with --format alone, stdout gets that format.
    let mut stdout = std::io::stdout().lock();
    if options.out.is_empty() && options.format.is_some() {
        nepho_report::render(terminal, &report, &mut stdout)?;
    } else if !quiet {
        stdout.write_all(table::summary(&report, &style()).as_bytes())?;
    }
    Ok(outcome(&report, options))
}

/// Colour only where a person looks, and not against their will.
pub fn style() -> table::Style {
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let width = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(100);
    table::Style { colour, width }
}

/// What a report means for the exit code.
pub fn outcome(report: &Report, options: &ReportArguments) -> Outcome {
    let found = options.fail_on.is_some_and(|least| {
        report.findings.iter().any(|finding| {
            finding.verdict == Verdict::Fail && finding.muted.is_none() && finding.rule.severity >= least
        })
    });
    let complete = report.coverage.iter().all(|entry| entry.state.is_complete());
    match (found, complete) {
        (true, _) => Outcome::Findings,
        (false, false) => Outcome::Incomplete,
        (false, true) => Outcome::Done,
    }
}

/// Written beside the target first: a reader never sees half a report.
pub fn write_file(path: &Path, format: Format, report: &Report) -> anyhow::Result<()> {
    let cannot = || format!("writing the report `{}`", path.display());
    let mut name = path.file_name().with_context(cannot)?.to_owned();
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    let mut file = std::io::BufWriter::new(std::fs::File::create(&temporary).with_context(cannot)?);
    nepho_report::render(format, report, &mut file)?;
    file.flush().with_context(cannot)?;
    std::fs::rename(&temporary, path).with_context(cannot)
}

/// Runs the rules and fills the view model.
pub fn build(analysis: &Analysis, options: &ReportArguments) -> anyhow::Result<Report> {
    let estate = &analysis.estate;
    let mut rules = pipeline::compile_rules(&analysis.catalog)?;
    if !options.rules.is_empty() {
        rules = rules.only(&options.rules).map_err(anyhow::Error::msg)?;
    }
    let verdicts: &[Verdict] = match options.verdicts {
        Verdicts::Fail => &[Verdict::Fail],
        Verdicts::Unknown => &[Verdict::Unknown],
        Verdicts::Pass => &[Verdict::Pass],
        Verdicts::All => &[Verdict::Fail, Verdict::Unknown, Verdict::Pass],
    };
    let mut mutes = match &options.mutes {
        None => Mutes::default(),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("reading the mutes file `{}`", path.display()))?;
            Mutes::parse(&path.display().to_string(), &text, analysis.clock)?
        }
    };
    let judgement = judge(estate, &rules, verdicts);
    let total = judgement.total();
    let mut views: HashMap<Arc<str>, Arc<RuleView>> = HashMap::new();
    let findings = judgement
        .findings
        .iter()
        .filter(|finding| options.severity.is_none_or(|least| finding.rule.severity >= least))
        .filter_map(|finding| {
            let rule =
                views.entry(finding.rule.id.clone()).or_insert_with(|| Arc::new(rule_view(&finding.rule))).clone();
            let muted = (finding.verdict == Verdict::Fail).then(|| mutes.apply(estate, finding)).flatten();
            let muted = muted.map(|mute| MutedView { reason: mute.reason.clone(), expires: mute.expires.to_string() });
            finding_view(estate, finding, rule, muted)
        })
        .collect();
    let kinds = estate.graph.counts_by_kind().filter(|(_, count)| *count > 0).count();
    let unlisted = |kind: &str| estate.is_missing_somewhere(kind);
    let compliance = analysis
        .catalog
        .frameworks
        .values()
        .map(|framework| framework_view(&compliance::assess(&analysis.catalog, framework, &judgement, &unlisted)))
        .collect();
    Ok(Report {
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
            rules_run: rules.len() as u64,
        },
        by_verdict: VerdictCounts {
            fail: total.fail,
            pass: total.pass,
            unknown: total.unknown,
            not_applicable: total.not_applicable,
        },
        findings,
        coverage: estate.coverage.clone(),
        notes: analysis.notes.clone(),
        mutes: mutes
            .all
            .iter()
            .enumerate()
            .map(|(at, state)| MuteView {
                id: format!("mute {}", at + 1),
                rule: state.mute.rule.clone().unwrap_or_default(),
                reason: state.mute.reason.clone(),
                expires: state.mute.expires.to_string(),
                matched: state.matched,
                expired: state.expired,
            })
            .collect(),
        issues: Vec::new(),
        compliance,
    })
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
