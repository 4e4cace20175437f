//! Holds answers against each other, and figures against bars.

use std::fmt::Write as _;

use serde_json::Value;

use super::engines::{Outcome, Told};
use super::generator::Generator;
use super::work::{Bar, Engine, Work};

/// All databases on the graph of one size.
pub struct Run {
    pub nodes: u64,
    pub relations: u64,
    pub outcomes: Vec<Outcome>,
}

/// A line of the table: one figure of each database, and what came of it.
struct Row {
    what: String,
    figures: Vec<String>,
    ratio: String,
    bar: String,
    met: Option<bool>,
}

fn best(times: &[f64]) -> Option<f64> {
    times.iter().copied().reduce(f64::min)
}

fn median(times: &[f64]) -> Option<f64> {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

/// Rows in one form: whole numbers as such, in order unless the order is part of the answer.
fn answer(told: &Told, ordered: bool) -> Vec<String> {
    let cell = |cell: &Value| match cell.as_f64() {
        Some(number) if number.fract() == 0.0 => format!("{number:.0}"),
        Some(number) => format!("{number:.6}"),
        None => cell.to_string(),
    };
    let mut rows: Vec<String> =
        told.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(" | ")).collect();
    if !ordered {
        rows.sort();
    }
    rows
}

impl Run {
    /// A graph of which nothing is measured yet.
    pub fn new(generator: &Generator) -> Self {
        Self { nodes: generator.nodes(), relations: 0, outcomes: Vec::new() }
    }

    fn told(&self, engine: Engine, work: &str) -> Option<&Told> {
        self.outcomes.iter().find(|outcome| outcome.engine == engine)?.works.get(work).filter(|one| one.error.is_none())
    }

    /// Answers that are not the same everywhere, each in words.
    pub fn differences(&self, works: &[&Work]) -> Vec<String> {
        let mut found = Vec::new();
        for (name, ordered) in std::iter::once(("load", true)).chain(works.iter().map(|work| (work.name, work.ordered)))
        {
            let answers: Vec<(Engine, Vec<String>)> = self
                .outcomes
                .iter()
                .filter_map(|outcome| Some((outcome.engine, answer(self.told(outcome.engine, name)?, ordered))))
                .collect();
            for pair in answers.windows(2) {
                let [(one, left), (other, right)] = pair else { continue };
                if left != right {
                    let at = left.iter().zip(right).position(|(left, right)| left != right);
                    let shown = |rows: &[String]| {
                        rows.get(at.unwrap_or(left.len().min(right.len()))).map_or("no row", |row| row).to_owned()
                    };
                    found.push(format!(
                        "{name}: {} has {} rows, {} {}; first difference: {} against {}",
                        one.title(),
                        left.len(),
                        other.title(),
                        right.len(),
                        shown(left),
                        shown(right)
                    ));
                }
            }
        }
        found
    }

    fn row(&self, work: &Work) -> Row {
        let times = |engine, of: fn(&Told) -> &[f64]| self.told(engine, work.name).and_then(|told| best(of(told)));
        let ratio = |of: fn(&Told) -> &[f64]| {
            let peer = best(
                &[Engine::Ladybug, Engine::FalkorDb].into_iter().filter_map(|one| times(one, of)).collect::<Vec<_>>(),
            )?;
            Some(peer / times(Engine::Ours, of)?)
        };
        let (wall, cpu) = (ratio(|told| &told.wall), ratio(|told| &told.cpu));
        let wanted = match work.bar {
            Bar::Level => Some(1.0),
            Bar::Times(times) => Some(times),
            Bar::None => None,
        };
        Row {
            what: work.what.to_owned(),
            figures: self.outcomes.iter().map(|outcome| self.figure(outcome, work.name)).collect(),
            ratio: wall.zip(cpu).map_or("–".into(), |(wall, cpu)| format!("{wall:.1}× / {cpu:.1}×")),
            bar: wanted.map_or("–".into(), |wanted| format!("{wanted:.0}×")),
            met: wanted.map(|wanted| cpu.is_some_and(|cpu| cpu >= wanted)),
        }
    }

    /// Best wall and CPU seconds, with the median's wall seconds behind.
    fn figure(&self, outcome: &Outcome, work: &str) -> String {
        let Some(told) = outcome.works.get(work) else {
            return outcome.fault.clone().unwrap_or_else(|| "not run".into());
        };
        match (&told.error, best(&told.wall), best(&told.cpu), median(&told.wall)) {
            (Some(error), ..) => error.clone(),
            (None, Some(wall), Some(cpu), Some(_)) if told.wall.len() == 1 => format!("{wall:.1} / {cpu:.1}"),
            (None, Some(wall), Some(cpu), Some(median)) => format!("{wall:.4} / {cpu:.4} ({median:.4})"),
            _ => "not run".into(),
        }
    }

    fn rows(&self, works: &[&Work]) -> Vec<Row> {
        let large = self.nodes > 5_000_000;
        let ours = self.told(Engine::Ours, "load");
        let memory = |outcome: &Outcome| {
            let resident = outcome.works.get("load").and_then(|told| told.resident_mib);
            match (resident, outcome.peak_mib) {
                (Some(resident), Some(peak)) => format!("{resident:.0} / {peak:.0}"),
                (Some(resident), None) => format!("{resident:.0}"),
                _ => "–".into(),
            }
        };
        let mut rows = vec![
            Row {
                what: "load".into(),
                figures: self.outcomes.iter().map(|outcome| self.figure(outcome, "load")).collect(),
                ratio: "–".into(),
                bar: if large { "60 s".into() } else { "–".into() },
                met: large.then(|| ours.and_then(|told| best(&told.wall)).is_some_and(|seconds| seconds < 60.0)),
            },
            Row {
                what: "memory after loading / peak, MiB".into(),
                figures: self.outcomes.iter().map(memory).collect(),
                ratio: "–".into(),
                bar: if large { "8192 MiB".into() } else { "–".into() },
                met: large.then(|| ours.and_then(|told| told.resident_mib).is_some_and(|mib| mib < 8192.0)),
            },
        ];
        rows.extend(works.iter().map(|work| self.row(work)));
        rows
    }

    /// Whether every bar that applies is met.
    pub fn met(&self, works: &[&Work]) -> bool {
        self.rows(works).iter().all(|row| row.met != Some(false))
    }

    /// The table as Markdown, which a terminal shows well enough.
    pub fn table(&self, works: &[&Work]) -> String {
        let rows = self.rows(works);
        let mut cells: Vec<Vec<String>> = vec![vec!["work".into()]];
        let head = self.outcomes.iter().map(|outcome| {
            if outcome.version.is_empty() { outcome.engine.title().to_owned() } else { outcome.version.clone() }
        });
        cells[0].extend(head.chain(["faster peer / ours".into(), "bar".into(), "met".into()]));
        for row in rows {
            let met = match row.met {
                Some(true) => "yes",
                Some(false) => "**no**",
                None => "–",
            };
            let mut line = vec![row.what];
            line.extend(row.figures);
            line.extend([row.ratio, row.bar, met.into()]);
            cells.push(line);
        }
        let widths: Vec<usize> = (0..cells[0].len())
            .map(|at| cells.iter().filter_map(|line| line.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(3))
            .collect();
        let mut text = format!("{} nodes, {} relations\n\n", grouped(self.nodes), grouped(self.relations));
        for (number, line) in cells.iter().enumerate() {
            for (cell, width) in line.iter().zip(&widths) {
                write!(text, "| {cell:<width$} ").ok();
            }
            text.push_str("|\n");
            if number == 0 {
                text.push_str(&widths.iter().map(|width| format!("| {} ", "-".repeat(*width))).collect::<String>());
                text.push_str("|\n");
            }
        }
        text
    }
}

/// Time and memory per element of the large graph against the small one's, for us.
pub fn growth(small: &Run, large: &Run, works: &[&Work]) -> (String, bool) {
    let elements = (large.nodes + large.relations) as f64 / (small.nodes + small.relations) as f64;
    let load = |run: &Run| run.told(Engine::Ours, "load").and_then(|told| best(&told.cpu));
    let memory = |run: &Run| run.told(Engine::Ours, "load").and_then(|told| told.resident_mib);
    let mut lines = vec![
        ("load".to_owned(), load(small), load(large)),
        ("memory after loading".to_owned(), memory(small), memory(large)),
    ];
    lines.extend(works.iter().filter(|work| work.grows).map(|work| {
        let of = |run: &Run| run.told(Engine::Ours, work.name).and_then(|told| best(&told.cpu));
        (work.what.to_owned(), of(small), of(large))
    }));
    let mut text = "| per element, large / small | factor | bar | met |\n| --- | --- | --- | --- |\n".to_owned();
    let mut all = true;
    for (what, small, large) in lines {
        let factor = small.zip(large).map(|(small, large)| large / small / elements);
        let met = factor.is_some_and(|factor| factor <= 1.3);
        all &= met;
        let factor = factor.map_or("–".into(), |factor| format!("{factor:.2}"));
        writeln!(text, "| {what} | {factor} | 1.30 | {} |", if met { "yes" } else { "**no**" }).ok();
    }
    (text, all)
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
