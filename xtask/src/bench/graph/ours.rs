//! Our side, in processes of their own: one makes the snapshot; one loads it, runs the queries, and prints one JSON line
//! for each.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use nepho_graph::{Graph, GraphBuilder, Limits, NodeHandle, Parameters, PropertyType, Query, Schema};
use nepho_model::Value;
use nepho_snapshot::{Store, WriteOptions};
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;
use serde_json::json;

use super::data::{COMMON, STAMP, type_of};
use super::generator::Generator;
use super::shape::{KINDS, RELATIONS};
use crate::bench::memory_mib;

/// What to do, as the peers get it too.
#[derive(Deserialize)]
struct Todo {
    folder: PathBuf,
    runs: usize,
    seconds: f64,
    works: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    ours: String,
}

/// Reads the work as a line of standard input.
pub fn run() -> anyhow::Result<bool> {
    let mut text = String::new();
    std::io::stdin().read_line(&mut text)?;
    let todo: Todo = serde_json::from_str(&text)?;
    println!("{}", json!({"version": format!("nephoscope {}", env!("CARGO_PKG_VERSION"))}));
    let clock = Clock::start();
    let schema = schema();
    let graph = load(&schema, &todo.folder)?;
    let (wall, cpu) = clock.read();
    let rows = [[graph.node_count(), graph.relation_count()]];
    println!(
        "{}",
        json!({"work": "load", "wall": [wall], "cpu": [cpu], "rows": rows, "resident_mib": memory_mib("VmRSS")})
    );
    let limits = Limits { time: Some(Duration::from_secs_f64(todo.seconds)), memory_rows: 200_000_000, cancel: None };
    for work in &todo.works {
        println!("{}", measure(&graph, &schema, work, &limits, todo.runs));
    }
    println!("{}", json!({"peak_mib": memory_mib("VmHWM")}));
    Ok(true)
}

fn measure(graph: &Graph, schema: &Schema, work: &Named, limits: &Limits<'_>, runs: usize) -> serde_json::Value {
    // Compiled every time, as the peers do.
    let once = || {
        let clock = Clock::start();
        let rows = Query::compile(schema, &work.ours).and_then(|query| query.run(graph, &Parameters::new(), limits));
        let times = clock.read();
        rows.map(|rows| (rows, times)).map_err(|error| match limits.time {
            Some(limit) if times.0 > limit.as_secs_f64() => format!("not finished in {:.0} s", limit.as_secs_f64()),
            _ => error.message,
        })
    };
    let answers: Result<Vec<_>, String> = std::iter::repeat_with(once).take(runs + 1).collect();
    let mut answers = match answers {
        Ok(answers) => answers.into_iter(),
        Err(error) => return json!({"work": work.name, "error": error}),
    };
    // The first one warms up.
    let rows = answers.next().map(|(rows, _)| rows.to_json(graph)["rows"].take());
    let (wall, cpu): (Vec<f64>, Vec<f64>) = answers.map(|(_, times)| times).unzip();
    json!({"work": work.name, "wall": wall, "cpu": cpu, "rows": rows})
}

/// Wall and CPU seconds of this process, since it was started.
struct Clock(Instant, f64);

impl Clock {
    fn start() -> Self {
        Self(Instant::now(), cpu_seconds())
    }

    fn read(&self) -> (f64, f64) {
        (self.0.elapsed().as_secs_f64(), cpu_seconds() - self.1)
    }
}

fn cpu_seconds() -> f64 {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    used.tv_sec as f64 + used.tv_nsec as f64 / 1e9
}

/// Kinds are `bench.machine` and so on, with the label that the peers use as a class.
fn schema() -> Schema {
    let mut schema = Schema::closed();
    for kind in &KINDS {
        let common = COMMON.iter().filter(|(name, _)| !nepho_graph::BUILT_IN_PROPERTIES.contains(name)).copied();
        let own = kind.properties.iter().map(|property| (property.name, type_of(property)));
        let properties = common.chain(own).map(|(name, of)| (name, of.parse().unwrap_or(PropertyType::Json)));
        schema.add_kind(&kind_id(kind.label), [kind.label], properties);
    }
    for relation in &RELATIONS {
        schema.add_relation(relation.name, KINDS[relation.from].label, KINDS[relation.to].label);
        if relation.port {
            schema.add_relation_property(relation.name, "port", PropertyType::Int);
        }
    }
    schema
}

fn kind_id(label: &str) -> String {
    format!("bench.{}", label.to_lowercase())
}

/// The graph of the snapshot in the folder, all of it in memory.
fn load(schema: &Schema, folder: &Path) -> anyhow::Result<Graph> {
    let snapshot = Store::open(&folder.join(STORE))?.latest()?.context("no snapshot is there")?;
    let graph = snapshot.graph(schema);
    graph.read_all();
    if let Some(fault) = graph.faults().first() {
        anyhow::bail!("{fault}");
    }
    Ok(graph)
}

/// Where the snapshot is.
const STORE: &str = "snapshots";

/// Makes the snapshot of a graph of this many nodes, where it is not there.
pub fn prepare(folder: &Path, nodes: &str) -> anyhow::Result<bool> {
    let store = folder.join(STORE);
    let stamp = store.join("stamp.txt");
    let wanted = format!("{STAMP}{}", nepho_snapshot::FORMAT);
    if std::fs::read_to_string(&stamp).is_ok_and(|stamp| stamp == wanted) {
        return Ok(true);
    }
    std::fs::remove_dir_all(&store).ok();
    let schema = schema();
    let graph = build(&schema, nodes.parse()?);
    let options = WriteOptions { tool: "xtask".into(), schema: Some(&schema), ..WriteOptions::default() };
    nepho_snapshot::write(&store, &graph, &options)?;
    std::fs::write(stamp, wanted)?;
    Ok(true)
}

/// The graph, from the generator.
fn build(schema: &Schema, nodes: u64) -> Graph {
    let generator = Generator::new(nodes);
    let mut builder = GraphBuilder::new(schema.clone());
    let common: [Arc<str>; 4] = ["number".into(), "mark".into(), "environment".into(), "created".into()];
    let mut handles: Vec<Vec<NodeHandle>> = Vec::with_capacity(KINDS.len());
    for (kind, of) in KINDS.iter().enumerate() {
        let id = kind_id(of.label);
        let names: Vec<Arc<str>> = of.properties.iter().map(|property| property.name.into()).collect();
        let added = (0..generator.counts[kind]).map(|index| {
            let node = generator.node(kind, index);
            let [number, mark, environment, created] = common.clone();
            let mut properties = Vec::with_capacity(names.len() + common.len());
            properties.push((number, Value::Int(node.number as i64)));
            properties.push((mark, Value::Int(node.mark as i64)));
            properties.push((environment, Value::from(node.environment)));
            properties.push((created, Value::Time(node.created)));
            properties.extend(names.iter().cloned().zip(node.values));
            let name = Value::from(node.name.as_str());
            builder.add_node(&id, node.key, &node.account, node.region, name, Value::Null, properties)
        });
        handles.push(added.collect());
    }
    let port: Arc<str> = "port".into();
    for (which, relation) in RELATIONS.iter().enumerate() {
        let (from, to) = (&handles[relation.from], &handles[relation.to]);
        let added = generator.edges(which, relation, &mut |edge| {
            let properties = edge.port.map(|number| (port.clone(), Value::Int(number.into()))).into_iter().collect();
            builder.add_relation(from[edge.from as usize], relation.name, to[edge.to as usize], properties);
            Ok::<(), std::convert::Infallible>(())
        });
        let Ok(()) = added;
    }
    builder.finish()
}
