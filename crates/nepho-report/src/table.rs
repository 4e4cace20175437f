//! Text for a terminal: the summary after a scan, and the tables of `nephoscope findings`, `coverage`, `compliance` and
//! of every other listing.
//!
//! Knows the width and whether to use colour; does not ask the terminal for either. Ids are never broken: a list that is
//! too wide for the terminal stays one to copy from.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anstyle::AnsiColor;
use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width,
    presets,
};
use nepho_model::{Severity, Verdict};

use crate::digest::{self, Completeness, Gap, Group, count, thousands};
use crate::report::{FindingView, FrameworkView, Report, RequirementState, RuleView};
use crate::text::{clean, cut, one_line, plain};

/// How to write for this terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to use colour and weight.
    pub colour: bool,
    /// Columns; less than 40 is taken as 40. Without it nothing is wrapped and every row of a list is one line.
    pub width: Option<usize>,
}

impl Default for Style {
    fn default() -> Self {
        Self { colour: false, width: Some(100) }
    }
}

/// One line, under the header.
const HEADER_LINE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

const BOLD: anstyle::Style = anstyle::Style::new().bold();
const DIM: anstyle::Style = anstyle::Style::new().dimmed();
const GOOD: anstyle::Style = AnsiColor::Green.on_default();
const WARNING: anstyle::Style = AnsiColor::Yellow.on_default();

/// The rules told in full in the summary, medium ones and worse; the others get a line each.
const RULES_IN_FULL: usize = 10;
/// The rules that get a line; the rest is a number.
const RULES_IN_LINES: usize = 25;
/// Gaps shown in the summary.
const GAPS_MAX: usize = 6;
/// Under a severity's name.
const INDENT: usize = 10;

impl Style {
    fn width(&self) -> usize {
        self.width.map_or(usize::from(u16::MAX), |width| width.max(40))
    }

    fn paint(&self, style: anstyle::Style, text: &str) -> String {
        match self.colour {
            true => format!("{style}{text}{style:#}"),
            false => text.to_owned(),
        }
    }

    /// `label`, then `text` wrapped beside it, at most `lines` lines.
    fn entry(&self, output: &mut String, indent: usize, label: &str, text: &str, lines: usize) {
        let label_width = if label.is_empty() { 0 } else { label.chars().count() + 2 };
        let start = indent + label_width;
        let mut wrapped = wrap(text, self.width().saturating_sub(start).max(20));
        if wrapped.len() > lines {
            wrapped.truncate(lines);
            if let Some(last) = wrapped.last_mut() {
                last.push('…');
            }
        }
        for (place, line) in wrapped.iter().enumerate() {
            let margin = match (place, label.is_empty()) {
                (0, false) => format!("{:indent$}{}  ", "", self.paint(DIM, label)),
                _ => " ".repeat(start),
            };
            push_line(output, &format!("{margin}{line}"));
        }
    }

    fn table(&self, header: &[&str]) -> Table {
        let mut table = Table::new();
        table
            .load_style(HEADER_LINE)
            .set_content_arrangement(match self.width {
                Some(_) => ContentArrangement::Dynamic,
                None => ContentArrangement::Disabled,
            })
            .set_width(u16::try_from(self.width()).unwrap_or(u16::MAX))
            .set_header(header.iter().map(|name| self.cell(name, None, true)));
        table.force_no_tty();
        if self.colour {
            table.enforce_styling();
        }
        table
    }

    fn cell(&self, text: &str, colour: Option<Color>, bold: bool) -> Cell {
        let mut cell = Cell::new(clean(text));
        if let Some(colour) = colour.filter(|_| self.colour) {
            cell = cell.fg(colour);
        }
        if bold && self.colour {
            cell = cell.add_attribute(Attribute::Bold);
        }
        cell
    }

    fn severity_cell(&self, severity: Severity) -> Cell {
        let colour = match severity {
            Severity::Critical => Color::Magenta,
            Severity::High => Color::Red,
            Severity::Medium => Color::Yellow,
            Severity::Low => Color::Blue,
            Severity::Info => Color::DarkGrey,
        };
        self.cell(severity.as_str(), Some(colour), severity >= Severity::High)
    }
}

fn severity_style(severity: Severity) -> anstyle::Style {
    match severity {
        Severity::Critical => AnsiColor::Magenta.on_default().bold(),
        Severity::High => AnsiColor::Red.on_default().bold(),
        Severity::Medium => AnsiColor::Yellow.on_default(),
        Severity::Low => AnsiColor::Blue.on_default(),
        Severity::Info => DIM,
    }
}

/// Words in lines of at most `width` columns; wide characters count as two.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width).unwrap_or(u16::MAX))
        .add_row([one_line(text)]);
    table.force_no_tty();
    if let Some(column) = table.column_mut(0) {
        column.set_padding((0, 0));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

fn push_line(output: &mut String, line: &str) {
    output.push_str(line.trim_end());
    output.push('\n');
}

/// What a scan ends with: what matters, worst first, and what could not be seen.
pub fn summary(report: &Report, style: &Style) -> String {
    let mut output = String::new();
    headline(&mut output, report, style);
    let groups = digest::by_rule(report, digest::is_open);
    // Worst first, so these are the first ones.
    let full = groups.iter().take_while(|group| group.rule.severity >= Severity::Medium).count().min(RULES_IN_FULL);
    for (place, group) in groups.iter().enumerate().take(RULES_IN_LINES) {
        match place < full {
            true => {
                output.push('\n');
                rule_in_full(&mut output, report, group, style);
            }
            false => {
                if place == full {
                    push_line(&mut output, &format!("\n{}", style.paint(BOLD, "Further")));
                }
                let text = format!(
                    "{} · {}",
                    one_line(&group.rule.title),
                    count(group.findings.len() as u64, "resource", "resources")
                );
                rule_line(&mut output, group.rule.severity, &text, style);
            }
        }
    }
    let rest = groups.len().saturating_sub(RULES_IN_LINES);
    if rest > 0 {
        push_line(&mut output, &format!("{:INDENT$}and {}", "", count(rest as u64, "more rule", "more rules")));
    }
    if groups.is_empty() {
        let words = match (report.counts.rules_run, digest::open_count(report)) {
            (0, _) => "No rules were run".to_owned(),
            (_, 0) => digest::none(report, "open findings"),
            _ => "The open findings are not among those listed here".to_owned(),
        };
        output.push_str(&format!("\n{words}.\n"));
    } else {
        push_line(&mut output, &format!("\nAll of them: {}", style.paint(BOLD, "nephoscope findings")));
    }
    frameworks_in_short(&mut output, report, style);
    coverage_in_short(&mut output, report, style);
    mutes_in_short(&mut output, report, style);
    for note in &report.notes {
        output.push('\n');
        style.entry(&mut output, 0, "Note", note, 4);
    }
    output
}

fn headline(output: &mut String, report: &Report, style: &Style) {
    let by = &report.generated_by;
    style.entry(output, 0, "", &format!("{} {} · {} · {}", by.name, by.version, report.source, report.clock), 2);
    style.entry(
        output,
        0,
        "",
        &format!(
            "{} in {}, {} · {} run",
            count(report.counts.resources, "resource", "resources"),
            count(report.accounts.len() as u64, "account", "accounts"),
            count(report.regions.len() as u64, "region", "regions"),
            count(report.counts.rules_run, "rule", "rules"),
        ),
        2,
    );
    output.push('\n');
    let counts: Vec<String> = digest::open_by_severity(report)
        .into_iter()
        .map(|(severity, number)| {
            let text = format!("{} {severity}", thousands(number));
            style.paint(if number == 0 { DIM } else { severity_style(severity) }, &text)
        })
        .collect();
    push_line(output, &counts.join(&style.paint(DIM, " · ")));
    let verdicts = &report.by_verdict;
    let mut line = format!("{} passed", thousands(verdicts.pass));
    if verdicts.unknown > 0 {
        let _ = write!(line, " · {} could not be judged (see coverage)", thousands(verdicts.unknown));
    }
    let muted = report.muted;
    if muted > 0 {
        let _ = write!(line, " · {} muted", thousands(muted));
    }
    push_line(output, &line);
}

fn rule_line(output: &mut String, severity: Severity, text: &str, style: &Style) {
    let name = severity.as_str().to_uppercase();
    let name = style.paint(severity_style(severity), &format!("{name:<INDENT$}"));
    for (place, line) in wrap(text, style.width() - INDENT).iter().enumerate() {
        let margin = if place == 0 { name.clone() } else { " ".repeat(INDENT) };
        push_line(output, &format!("{margin}{line}"));
    }
}

fn rule_in_full(output: &mut String, report: &Report, group: &Group<'_>, style: &Style) {
    let resources = count(group.findings.len() as u64, "resource", "resources");
    let accounts = count(group.accounts() as u64, "account", "accounts");
    let title = format!("{} · {resources}, {accounts}", one_line(&group.rule.title));
    rule_line(output, group.rule.severity, &title, style);
    let names: Vec<String> =
        group.findings.iter().take(3).map(|finding| resource_in_short(report, &group.findings, finding)).collect();
    let more = match group.findings.len().saturating_sub(3) {
        0 => String::new(),
        rest => format!(" and {} more", thousands(rest as u64)),
    };
    style.entry(output, INDENT, "", &format!("{}{more}", names.join(", ")), 3);
    style.entry(output, INDENT, "why", &group.rule.why, 2);
    style.entry(output, INDENT, "fix", &group.rule.fix.text, 2);
    let command = format!("nephoscope findings --rule {}", group.rule.id);
    // A command is for copying: it is not wrapped.
    push_line(output, &format!("{:INDENT$}{}  {}", "", style.paint(DIM, "see"), one_line(&command)));
}

/// Name and account; where another finding of the rule has both, also the region, or else the key.
fn resource_in_short(report: &Report, findings: &[&FindingView], finding: &FindingView) -> String {
    let resource = &finding.resource;
    let account = digest::account_name(report, &resource.account).unwrap_or(&resource.account);
    let account = cut(&one_line(account), 30).into_owned();
    let alike: Vec<_> = findings
        .iter()
        .map(|other| &other.resource)
        .filter(|other| other.label() == resource.label() && other.account == resource.account)
        .collect();
    let name = cut(&one_line(resource.label()), 60).into_owned();
    match (alike.len(), alike.iter().filter(|other| other.region == resource.region).count()) {
        (0 | 1, _) => format!("{name} ({account})"),
        (_, 0 | 1) => format!("{name} ({account}, {})", one_line(&resource.region)),
        _ => one_line(&resource.key),
    }
}

fn frameworks_in_short(output: &mut String, report: &Report, style: &Style) {
    if report.compliance.is_empty() {
        return;
    }
    push_line(output, &format!("\n{}", style.paint(BOLD, "Compliance")));
    for framework in digest::frameworks(report) {
        let line = format!("{}: {} · nephoscope compliance {}", framework.title, states(framework), framework.id);
        style.entry(output, 2, &format!("{:>4}", score(framework)), &line, 2);
    }
}

fn score(framework: &FrameworkView) -> String {
    framework.percent().map_or_else(|| "–".to_owned(), |percent| format!("{percent} %"))
}

/// `1 fail, 2 unknown, 3 pass, 4 not automated`.
fn states(framework: &FrameworkView) -> String {
    use RequirementState::{Fail, NoResources, NotAutomated, Pass, Unknown};
    let parts: Vec<String> = [Fail, Unknown, Pass, NoResources, NotAutomated]
        .into_iter()
        .map(|state| (state, framework.requirements.iter().filter(|requirement| requirement.state == state).count()))
        .filter(|(_, number)| *number > 0)
        .map(|(state, number)| format!("{number} {}", state.words()))
        .collect();
    parts.join(", ")
}

fn completeness_words(completeness: Completeness) -> String {
    match completeness.percent() {
        None => "nothing was read".to_owned(),
        Some(percent) => format!(
            "{} of {} complete ({percent} %)",
            thousands(completeness.complete),
            count(completeness.total, "read", "reads")
        ),
    }
}

fn coverage_in_short(output: &mut String, report: &Report, style: &Style) {
    let (whole, _) = digest::completeness(report);
    let colour = if whole.total > 0 && whole.complete == whole.total { GOOD } else { WARNING };
    let words = style.paint(colour, &completeness_words(whole));
    push_line(output, &format!("\n{}  {words}", style.paint(BOLD, "Coverage")));
    let gaps = digest::gaps(report);
    for gap in gaps.iter().take(GAPS_MAX) {
        gap_in_full(output, gap, &gap.place(), style);
    }
    let rest = gaps.len().saturating_sub(GAPS_MAX);
    if rest > 0 {
        push_line(output, &format!("  and {} more", thousands(rest as u64)));
    }
    if !gaps.is_empty() {
        push_line(output, &format!("  All of it: {}", style.paint(BOLD, "nephoscope coverage")));
    }
}

fn gap_in_full(output: &mut String, gap: &Gap<'_>, place: &str, style: &Style) {
    let missing = match (gap.lists, gap.items) {
        (true, 0) => "whole lists are missing".to_owned(),
        (true, items) => format!("lists are cut off after {}", count(items, "item", "items")),
        (false, items) => format!("missing for {}", count(items, "resource", "resources")),
    };
    let head = format!("{} in {place}: {missing}", gap.call);
    let state = gap.state_words();
    style.entry(output, 2, &format!("{state:<12}"), &head, 6);
    let words: Vec<&str> = [gap.code, gap.message].into_iter().filter(|part| !part.is_empty()).collect();
    if !words.is_empty() {
        style.entry(output, 16, "", &words.join(": "), 2);
    }
    style.entry(output, 16, "→", gap.advice(), 4);
}

fn mutes_in_short(output: &mut String, report: &Report, style: &Style) {
    let muted = report.muted;
    if muted > 0 {
        let mutes = report.mutes.iter().filter(|mute| !mute.expired && mute.matched > 0).count();
        let by = if mutes > 0 { format!(" by {}", count(mutes as u64, "mute", "mutes")) } else { String::new() };
        push_line(output, &format!("\n{}  {}{by}", style.paint(BOLD, "Muted"), count(muted, "finding", "findings")));
    }
    let mut section = String::new();
    for mute in digest::mutes(report) {
        if mute.expired {
            let text = format!(
                "{} ({}) on {}: {} shown again. Renew it or drop it. It said: {}",
                mute.id,
                mute.scope(),
                mute.expires,
                count(mute.matched, "finding is", "findings are"),
                mute.reason
            );
            style.entry(&mut section, 0, "Expired", &text, 3);
        }
        if !mute.problem.is_empty() {
            style.entry(&mut section, 0, "Mute", &format!("{} ({}): {}", mute.id, mute.scope(), mute.problem), 3);
        }
    }
    if !section.is_empty() {
        output.push('\n');
        output.push_str(&section);
    }
}

/// One row a finding. When all are of one rule, that rule is told in full above, and the evidence is shown; where there
/// are unknown ones, what could not be read and in whose words.
pub fn findings(report: &Report, style: &Style) -> String {
    let findings = digest::sorted(report);
    let Some(first) = findings.first() else {
        return match digest::open_count(report) {
            0 => format!("{}.\n", digest::none(report, "findings")),
            open => format!(
                "Nothing to list here; there {} {} besides (--verdicts, --severity).\n",
                if open == 1 { "is" } else { "are" },
                count(open, "open finding", "open findings")
            ),
        };
    };
    let one_rule = findings.iter().all(|finding| finding.rule.id == first.rule.id);
    let mixed = findings.iter().any(|finding| !digest::is_open(finding));
    let reasons = findings.iter().any(|finding| !finding.reasons.is_empty() || finding.muted.is_some());
    let keys = style.width.is_none() || names_repeat(&findings);
    let mut output = String::new();
    if one_rule {
        rule_heading(&mut output, &first.rule, style);
    }
    let mut header = Vec::new();
    if mixed {
        header.push("Verdict");
    }
    if !one_rule {
        header.extend(["Severity", "Rule"]);
    }
    header.extend(["Resource", "Account", "Region"]);
    if keys {
        header.push("Key");
    }
    match (one_rule, reasons) {
        (true, _) => header.push(BECAUSE_IN_FULL),
        (false, true) => header.push("Why"),
        (false, false) => {}
    }
    let mut table = style.table(&header);
    for finding in &findings {
        let mut row = Vec::new();
        if mixed {
            row.push(verdict_cell(finding, style));
        }
        if !one_rule {
            row.extend([
                style.severity_cell(finding.rule.severity),
                style.cell(&one_line(&finding.rule.id), None, false),
            ]);
        }
        let resource = &finding.resource;
        let account = digest::account_name(report, &resource.account).unwrap_or(&resource.account);
        let mut texts = vec![one_line(resource.label()), one_line(account), one_line(&resource.region)];
        if keys {
            texts.push(one_line(&resource.key));
        }
        if one_rule || reasons {
            texts.push(because(finding, one_rule).join(if style.width.is_some() { "\n" } else { "; " }));
        }
        row.extend(texts.iter().map(|text| style.cell(text, None, false)));
        table.add_row(row);
    }
    keep_words(&mut table, &header);
    push_table(&mut output, &table);
    push_line(&mut output, &count(findings.len() as u64, "finding", "findings"));
    output
}

/// The column of evidence, whose long words may be broken.
const BECAUSE_IN_FULL: &str = "Evidence";

/// Whether one rule found two resources of one name in one account and region.
fn names_repeat(findings: &[&FindingView]) -> bool {
    let mut seen: BTreeMap<_, &str> = BTreeMap::new();
    findings.iter().any(|finding| {
        let resource = &finding.resource;
        let place = (&finding.rule.id, resource.label(), &resource.account, &resource.region);
        seen.insert(place, &resource.key).is_some_and(|key| key != resource.key)
    })
}

/// Makes every column at least as wide as its longest word, so that no id is broken; what is short stays on one line.
fn keep_words(table: &mut Table, header: &[&str]) {
    const WORD_MAX: usize = 200;
    const EVIDENCE_MAX: usize = 40;
    const SHORT: usize = 16;
    /// A space on either side of a cell.
    const CELL_PADDING: u16 = 2;
    if matches!(table.content_arrangement(), ContentArrangement::Disabled) {
        return;
    }
    let mut longest = vec![0; header.len()];
    for row in table.row_iter() {
        for (length, cell) in longest.iter_mut().zip(row.cell_iter()) {
            let text = cell.content();
            let whole = Some(text.chars().count()).filter(|whole| *whole <= SHORT);
            let words = text.split_whitespace().map(|word| word.chars().count());
            *length = words.chain(whole).max().unwrap_or(0).max(*length);
        }
    }
    for ((column, length), name) in table.column_iter_mut().zip(longest).zip(header) {
        let most = if *name == BECAUSE_IN_FULL { EVIDENCE_MAX } else { WORD_MAX };
        let width = u16::try_from(length.max(name.chars().count()).min(most)).unwrap_or(u16::MAX);
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width.saturating_add(CELL_PADDING))));
    }
}

/// Any listing: column names and rows.
pub fn grid(header: &[&str], rows: &[Vec<String>], style: &Style) -> String {
    let mut table = style.table(header);
    for row in rows {
        table.add_row(row.iter().map(|text| style.cell(&one_line(text), None, false)));
    }
    keep_words(&mut table, header);
    let mut output = String::new();
    push_table(&mut output, &table);
    output
}

fn verdict_cell(finding: &FindingView, style: &Style) -> Cell {
    let (text, colour) = match (&finding.muted, finding.verdict) {
        (Some(_), _) => ("muted", Color::DarkGrey),
        (None, Verdict::Fail) => ("fail", Color::Red),
        (None, Verdict::Unknown) => ("unknown", Color::Yellow),
        (None, Verdict::Pass) => ("pass", Color::Green),
    };
    style.cell(text, Some(colour), false)
}

/// Why it is what it is, a line each: what could not be read, the mute, and with `evidence` the facts.
fn because(finding: &FindingView, evidence: bool) -> Vec<String> {
    let mut lines: Vec<String> = finding
        .reasons
        .iter()
        .map(|reason| match digest::reason(reason) {
            (what, words) if words.is_empty() => what,
            (what, words) => format!("{what} not known: {words}"),
        })
        .collect();
    if let Some(muted) = &finding.muted {
        lines.push(format!("muted until {}: {}", one_line(&muted.expires), one_line(&muted.reason)));
    }
    if evidence {
        let fact = |(name, value): &(String, serde_json::Value)| {
            format!("{} = {}", one_line(name), cut(&one_line(&plain(value)), 300))
        };
        lines.extend(finding.evidence.iter().map(fact));
    }
    lines
}

fn rule_heading(output: &mut String, rule: &RuleView, style: &Style) {
    rule_line(output, rule.severity, &rule.title, style);
    push_line(output, &format!("{:INDENT$}{}", "", one_line(&rule.id)));
    output.push('\n');
    style.entry(output, 0, "Why", &rule.why, usize::MAX);
    output.push('\n');
    style.entry(output, 0, "Fix", &rule.fix.text, usize::MAX);
    for (name, code) in [("CLI", &rule.fix.cli), ("Terraform", &rule.fix.terraform)] {
        if let Some(code) = code {
            push_line(output, &format!("\n{}", style.paint(DIM, name)));
            for line in clean(code.trim()).lines() {
                push_line(output, &format!("  {line}"));
            }
        }
    }
    if !rule.controls.is_empty() {
        output.push('\n');
        style.entry(output, 0, "Controls", &rule.controls.join(", "), usize::MAX);
    }
    for reference in &rule.references {
        push_line(output, &one_line(reference));
    }
    output.push('\n');
}

fn push_table(output: &mut String, table: &Table) {
    for line in table.lines() {
        push_line(output, &line);
    }
}

/// What could and could not be read: per account, then every gap with the provider's words.
pub fn coverage(report: &Report, style: &Style) -> String {
    let (whole, by_account) = digest::completeness(report);
    let mut output = String::new();
    push_line(&mut output, &completeness_words(whole));
    if by_account.is_empty() {
        return output;
    }
    let header = ["Account", "Name", "Complete", "Reads", "%"];
    let mut table = style.table(&header);
    for (account, completeness) in by_account {
        let colour = if completeness.complete == completeness.total { Color::Green } else { Color::Yellow };
        let percent = completeness.percent().map(|percent| percent.to_string()).unwrap_or_default();
        table.add_row([
            style.cell(&one_line(account), None, false),
            style.cell(&one_line(digest::account_name(report, account).unwrap_or_default()), None, false),
            style.cell(&thousands(completeness.complete), None, false).set_alignment(CellAlignment::Right),
            style.cell(&thousands(completeness.total), None, false).set_alignment(CellAlignment::Right),
            style.cell(&percent, Some(colour), false).set_alignment(CellAlignment::Right),
        ]);
    }
    keep_words(&mut table, &header);
    push_table(&mut output, &table);
    let gaps = digest::gaps(report);
    if gaps.is_empty() {
        return output;
    }
    push_line(&mut output, &format!("\n{}", style.paint(BOLD, "Not read")));
    for gap in &gaps {
        gap_in_full(&mut output, gap, &gap.place_in_full(), style);
    }
    output
}

/// The requirements of every framework in the report, with their states.
pub fn compliance(report: &Report, style: &Style) -> String {
    let mut output = String::new();
    for framework in digest::frameworks(report) {
        if !output.is_empty() {
            output.push('\n');
        }
        push_line(&mut output, &style.paint(BOLD, &format!("{} · {}", one_line(&framework.title), score(framework))));
        push_line(&mut output, &states(framework));
        let header = ["Requirement", "Title", "State", "Pass", "Fail", "Unknown", "Rules"];
        let mut table = style.table(&header);
        for requirement in &framework.requirements {
            let colour = match requirement.state {
                RequirementState::Fail => Color::Red,
                RequirementState::Unknown => Color::Yellow,
                RequirementState::Pass => Color::Green,
                RequirementState::NoResources | RequirementState::NotAutomated => Color::DarkGrey,
            };
            let number = |number: u64| {
                let text = if number == 0 { String::new() } else { thousands(number) };
                style.cell(&text, None, false).set_alignment(CellAlignment::Right)
            };
            table.add_row([
                style.cell(&one_line(&requirement.id), None, false),
                style.cell(&one_line(&requirement.title), None, false),
                style.cell(requirement.state.words(), Some(colour), false),
                number(requirement.passed),
                number(requirement.failed),
                number(requirement.unknown),
                style.cell(&one_line(&requirement.rules.join(" ")), None, false),
            ]);
        }
        keep_words(&mut table, &header);
        push_table(&mut output, &table);
    }
    if output.is_empty() {
        output.push_str("No frameworks.\n");
    }
    output
}

#[cfg(test)]
mod tests;
