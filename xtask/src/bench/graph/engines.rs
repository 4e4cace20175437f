//! Runs each database in a process of its own and takes down what it says.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::{Value, json};

use super::generator::Generator;
use super::work::{Engine, Work};
use crate::python;

/// One work item of one database, as it says it.
#[derive(Clone, Default, Deserialize)]
pub struct Told {
    #[serde(default)]
    pub wall: Vec<f64>,
    #[serde(default)]
    pub cpu: Vec<f64>,
    #[serde(default)]
    pub rows: Vec<Vec<Value>>,
    pub resident_mib: Option<f64>,
    pub error: Option<String>,
}

/// What a line may hold.
#[derive(Deserialize)]
struct Line {
    work: Option<String>,
    version: Option<String>,
    peak_mib: Option<f64>,
    #[serde(flatten)]
    told: Told,
}

/// All that a database said.
pub struct Outcome {
    pub engine: Engine,
    pub version: String,
    pub works: BTreeMap<String, Told>,
    pub peak_mib: Option<f64>,
    /// Why it ended early.
    pub fault: Option<String>,
}

/// How long and how often.
pub struct Effort {
    pub runs: usize,
    /// For one run of one query.
    pub seconds: f64,
    /// For loading.
    pub load_seconds: f64,
}

/// Where things are.
pub struct Places {
    pub root: PathBuf,
    /// `target/`
    pub target: PathBuf,
    /// The files of the graph at hand.
    pub data: PathBuf,
    /// The release build of this command.
    pub xtask: PathBuf,
}

impl Places {
    fn script(&self, environment: &Path, name: &str) -> Command {
        let mut command = Command::new(environment.join("bin/python"));
        command.arg(self.root.join("bench/graph").join(name));
        command
    }

    fn environment(&self) -> anyhow::Result<PathBuf> {
        python::environment(&self.root, "bench-graph-python", &self.root.join("xtask/requirements-graph.txt"))
    }
}

/// Runs the work on one database; what goes wrong is in the outcome.
pub fn run(places: &Places, engine: Engine, generator: &Generator, works: &[&Work], effort: &Effort) -> Outcome {
    let mut outcome = Outcome { engine, version: String::new(), works: BTreeMap::new(), peak_mib: None, fault: None };
    if let Err(error) = try_run(places, generator, works, effort, &mut outcome) {
        outcome.fault = Some(format!("{error:#}"));
    }
    outcome
}

fn try_run(
    places: &Places,
    generator: &Generator,
    works: &[&Work],
    effort: &Effort,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let engine = outcome.engine;
    let queries: Vec<Value> =
        works.iter().map(|work| json!({"name": work.name, engine.name(): work.query(engine, generator)})).collect();
    let mut todo = json!({
        "folder": places.data, "runs": effort.runs, "seconds": effort.seconds,
        "works": queries, "indexed": ["Machine", "Bucket"],
    });
    let command = match engine {
        Engine::Ours => {
            let nodes = generator.nodes().to_string();
            finish(Command::new(&places.xtask).args(["bench", "graph", "--prepare"]).arg(&places.data).arg(nodes))?;
            let mut command = Command::new(&places.xtask);
            command.args(["bench", "graph", "--child"]);
            command
        }
        Engine::Ladybug => {
            let environment = places.environment()?;
            finish(places.script(&environment, "to_parquet.py").arg(&places.data))?;
            places.script(&environment, "peer_ladybug.py")
        }
        Engine::FalkorDb => {
            let environment = places.environment()?;
            let server =
                finish(places.script(&environment, "get_falkordb.py").arg(places.target.join("bench-graph-falkordb")))?;
            todo["server"] = serde_json::from_str(&server)?;
            finish(places.script(&environment, "to_parquet.py").arg(&places.data))?;
            finish(places.script(&environment, "falkordb_bulk.py").arg(&places.data))?;
            places.script(&environment, "peer_falkordb.py")
        }
    };
    let process = Process::start(command, &todo)?;
    let mut limit = effort.load_seconds;
    loop {
        let Some(line) = process.line(limit)? else { break };
        let line: Line = serde_json::from_str(&line).with_context(|| format!("{} said `{line}`", engine.title()))?;
        outcome.version = line.version.unwrap_or(std::mem::take(&mut outcome.version));
        outcome.peak_mib = line.peak_mib.or(outcome.peak_mib);
        if let Some(work) = line.work {
            // Queries have a limit of their own; this one is for those that do not keep it.
            limit = effort.seconds * (effort.runs + 1) as f64 + 30.0;
            let best = line.told.wall.iter().copied().reduce(f64::min);
            match (&line.told.error, best) {
                (Some(error), _) => eprintln!("  {:<10} {work:<10} {error}", engine.title()),
                (None, best) => eprintln!("  {:<10} {work:<10} {:.3} s", engine.title(), best.unwrap_or_default()),
            }
            outcome.works.insert(work, line.told);
        }
    }
    process.end()
}

/// Runs a script that prepares something; gives what it printed.
fn finish(command: &mut Command) -> anyhow::Result<String> {
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        bail!("{:?} failed: {}", command.get_args().next().unwrap_or_default(), output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// What is left to the rest of the machine.
const SPARE_MIB: f64 = 1_024.0;

fn available_mib() -> f64 {
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = memory.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.map_or(f64::MAX, |kib| kib / 1024.0)
}

/// A running database; ended with all that it started when dropped.
struct Process {
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    fn start(mut command: Command, todo: &Value) -> anyhow::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take();
        // It stays open: the scripts end themselves and their servers when it closes, whatever becomes of us.
        writeln!(child.stdin.as_mut().context("standard input")?, "{todo}")?;
        let (sender, lines) = channel();
        let output = output.context("standard output")?;
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, lines })
    }

    /// The next line; none when it ended. One that takes too long, or all of the machine's memory, is an error.
    fn line(&self, limit: f64) -> anyhow::Result<Option<String>> {
        let started = Instant::now();
        while started.elapsed().as_secs_f64() < limit {
            match self.lines.recv_timeout(Duration::from_millis(500)) {
                Ok(line) => return Ok(Some(line)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) if available_mib() < SPARE_MIB => {
                    bail!("stopped, since the machine had less than {SPARE_MIB} MiB of memory left");
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        bail!("not finished in {limit:.0} s")
    }

    fn end(mut self) -> anyhow::Result<()> {
        // Waiting would close its standard input first, and end it before its own end.
        let status = loop {
            match self.child.try_wait()? {
                Some(status) => break status,
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        if !status.success() {
            bail!("ended with {status}");
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let started = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if started.elapsed() > Duration::from_secs(10) {
                self.child.kill().ok();
                self.child.wait().ok();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
