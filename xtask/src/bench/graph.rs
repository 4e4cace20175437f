//! `cargo xtask bench graph`: generated security graphs, and queries on them, beside LadybugDB and FalkorDB on the same
//! data in the same run. Answers are held against each other; figures go to `docs/benchmarks.md`.
//!
//! Each database runs in a process of its own, one after the other, so that time and memory are its own.

mod data;
mod engines;
mod generator;
mod ours;
mod report;
mod shape;
mod work;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use self::engines::{Effort, Places};
use self::generator::Generator;
use self::report::Run;
use self::work::{Engine, WORKS, Work};
use super::{Release, in_release, page};

const SIZES: [(&str, u64); 2] = [("small", 1_000_000), ("large", 10_000_000)];

/// What a reader of the page has to know.
const ABOUT: &str = "Wall / CPU seconds of the best of three runs after one that warms up, in brackets the median's wall \
seconds; each database in a process of its own on the same generated data, its answers equal to ours. Bars are in CPU \
seconds. Loading: ours and LadybugDB's from Parquet, FalkorDB's by `GRAPH.BULK` with an index on keys. LadybugDB finds \
nodes by its primary key, a number. For reachability it is asked for one shortest path each, and FalkorDB level by level, \
since neither ends with `*1..6`.";

/// `[--size small|large|both] [--ours] [--peers NAME,…] [--only NAME,…] [--runs N] [--seconds N] [--load-seconds N]`.
///
/// `docs/benchmarks.md` is written when everything ran that is to be on it.
pub fn run(root: &Path, arguments: &[&str]) -> anyhow::Result<bool> {
    match arguments {
        ["--prepare", folder, nodes] => return ours::prepare(Path::new(folder), nodes),
        ["--child"] => return ours::run(),
        _ => {}
    }
    let options = Options::of(arguments)?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let xtask = match in_release(root, "graph", arguments)? {
        Release::Here(xtask) => xtask,
        Release::Ran(well) => return Ok(well),
    };
    let mut runs = Vec::new();
    let mut right = true;
    for (name, nodes) in options.sizes.iter().copied() {
        let places = Places {
            root: root.to_owned(),
            data: target.join("bench-graph").join(name),
            target: target.clone(),
            xtask: xtask.clone(),
        };
        let measured = measure(&places, nodes, &options)?;
        println!("\n{}", measured.table(&options.works));
        for outcome in &measured.outcomes {
            if let Some(fault) = &outcome.fault {
                println!("{}: {fault}", outcome.engine.title());
            }
        }
        let differences = measured.differences(&options.works);
        right &= differences.is_empty() && measured.met(&options.works);
        differences.iter().for_each(|one| println!("the answers differ: {one}"));
        if options.complete() && differences.is_empty() {
            let text = format!("{ABOUT}\n\n{}", measured.table(&options.works));
            page::write(root, &format!("bench graph --size {name}"), &text)?;
        }
        runs.push(measured);
    }
    if let [small, large] = runs.as_slice() {
        let (text, met) = report::growth(small, large, &options.works);
        println!("\n{text}");
        right &= met;
        if options.complete() {
            page::write(root, "bench graph --size both", &text)?;
        }
    }
    Ok(right)
}

fn measure(places: &Places, nodes: u64, options: &Options) -> anyhow::Result<Run> {
    let generator = Generator::new(nodes);
    let mut run = Run::new(&generator);
    if options.engines.iter().any(|engine| *engine != Engine::Ours) {
        eprintln!("xtask: the graph's files are in {}", places.data.display());
        data::write(&places.data, nodes)?;
    }
    for (which, relation) in shape::RELATIONS.iter().enumerate() {
        let Ok(()) = generator.edges(which, relation, &mut |_| {
            run.relations += 1;
            Ok::<(), std::convert::Infallible>(())
        });
    }
    for engine in &options.engines {
        run.outcomes.push(engines::run(places, *engine, &generator, &options.works, &options.effort));
    }
    Ok(run)
}

struct Options {
    sizes: Vec<(&'static str, u64)>,
    engines: Vec<Engine>,
    works: Vec<&'static Work>,
    effort: Effort,
}

impl Options {
    fn of(arguments: &[&str]) -> anyhow::Result<Self> {
        let mut options = Self {
            sizes: SIZES[..1].to_vec(),
            engines: vec![Engine::Ours, Engine::Ladybug, Engine::FalkorDb],
            works: WORKS.iter().collect(),
            effort: Effort { runs: 3, seconds: 120.0, load_seconds: 1_200.0 },
        };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().copied().with_context(|| format!("`{word}` wants a value"));
            match *word {
                "--size" => {
                    let name = value()?;
                    options.sizes = SIZES.iter().filter(|(size, _)| name == "both" || name == *size).copied().collect();
                    anyhow::ensure!(!options.sizes.is_empty(), "`{name}` is no size; there are small, large and both");
                }
                "--ours" => options.engines = vec![Engine::Ours],
                "--peers" => {
                    let names: Vec<&str> = value()?.split(',').collect();
                    let known = [Engine::Ladybug, Engine::FalkorDb];
                    if let Some(wrong) = names.iter().find(|name| known.iter().all(|known| known.name() != **name)) {
                        bail!("`{wrong}` is no peer; there are ladybug and falkordb");
                    }
                    options.engines.retain(|engine| *engine == Engine::Ours || names.contains(&engine.name()));
                }
                "--only" => {
                    let names: Vec<&str> = value()?.split(',').collect();
                    options.works.retain(|work| names.contains(&work.name));
                    anyhow::ensure!(
                        options.works.len() == names.len(),
                        "there are {}",
                        WORKS.map(|work| work.name).join(", ")
                    );
                }
                "--runs" => options.effort.runs = value()?.parse()?,
                "--seconds" => options.effort.seconds = value()?.parse()?,
                "--load-seconds" => options.effort.load_seconds = value()?.parse()?,
                other => bail!("`{other}` is no option of bench graph"),
            }
        }
        Ok(options)
    }

    /// Whether all of a page's figures are measured.
    fn complete(&self) -> bool {
        self.works.len() == WORKS.len() && self.engines.len() == 3
    }
}
