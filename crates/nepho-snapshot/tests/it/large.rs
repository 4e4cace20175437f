//! What a large graph costs on disk, and to write and to read. Run by hand:
//! `cargo nextest run --release -p nepho-snapshot --run-ignored all large --no-capture`.

use std::sync::Arc;
use std::time::Instant;

use nepho_graph::{Graph, GraphBuilder, PropertyType, Schema};
use nepho_model::{Timestamp, Value};
use nepho_snapshot::{FileEntry, Store, WriteOptions, write};

/// A graph of about `size` resources and five times as many relations, the same each time.
fn graph(size: u64) -> Graph {
    let mut builder = GraphBuilder::new(schema());
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let regions = ["eu-west-1", "us-east-1", "eu-central-1", "ap-south-1"];
    let names: Vec<Arc<str>> = ["size", "encrypted", "created", "state", "score", "policy"].map(Arc::from).to_vec();
    let policies: Vec<Value> = (0..500)
        .map(|at| Value::List(vec![Value::from(format!("s3:Get{at}").as_str()), Value::from("*")].into()))
        .collect();
    let mut nodes = Vec::new();
    for kind in ["aws.ec2.instance", "aws.s3.bucket", "aws.iam.role", "aws.ec2.volume"] {
        for at in 0..size / 4 {
            let account = format!("{:012}", 111_111_111_111 + random(200));
            let region = regions[random(4) as usize];
            let key = format!("arn:{kind}:{region}:{account}:resource/{at:08x}");
            let properties = vec![
                (names[0].clone(), Value::Int(random(1000) as i64)),
                (names[1].clone(), if random(50) == 0 { Value::Unknown } else { Value::Bool(random(3) > 0) }),
                (names[2].clone(), Value::Time(Timestamp(1_700_000_000_000_000 + random(1 << 45) as i64))),
                (names[3].clone(), Value::from(["running", "stopped", "gone"][random(3) as usize])),
                (
                    names[4].clone(),
                    if random(4) == 0 { Value::Null } else { Value::Float(random(1 << 40) as f64 / 3.0) },
                ),
                (names[5].clone(), policies[random(500) as usize].clone()),
            ];
            let name = Value::from(format!("resource-{at}").as_str());
            nodes.push(builder.add_node(kind, key, &account, region, name, Value::Null, properties));
        }
    }
    for relation in ["ATTACHED_TO", "CAN_READ", "MEMBER_OF", "ROUTES_TO", "TRUSTS"] {
        for _ in 0..size {
            let (from, to) = (random(nodes.len() as u64), random(nodes.len() as u64));
            builder.add_relation(nodes[from as usize], relation, nodes[to as usize], Vec::new());
        }
    }
    builder.finish()
}

fn schema() -> Schema {
    let mut schema = Schema::open();
    for kind in ["aws.ec2.instance", "aws.s3.bucket", "aws.iam.role", "aws.ec2.volume"] {
        schema.add_kind(kind, ["Resource"], [("size", PropertyType::Int), ("score", PropertyType::Float)]);
    }
    schema
}

fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines = status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(", ")
}

#[test]
#[ignore = "takes minutes"]
fn large() {
    let size = std::env::var("NODES").map_or(1_000_000, |nodes| nodes.parse().unwrap());
    let folder = std::env::temp_dir().join(format!("nephoscope-large-{size}"));
    if !folder.exists() || std::env::var("WRITE").is_ok() {
        let start = Instant::now();
        let graph = graph(size);
        eprintln!(
            "built {} nodes, {} relations in {:.1?}; {}",
            graph.node_count(),
            graph.relation_count(),
            start.elapsed(),
            resident()
        );
        let start = Instant::now();
        let written = write(&folder, &graph, &WriteOptions::default()).unwrap();
        eprintln!("written in {:.1?}: {} MB; {}", start.elapsed(), written.bytes / 1_000_000, resident());
    }
    let store = Store::open(&folder).unwrap();
    let snapshot = store.latest().unwrap().unwrap();
    let size = |files: Vec<&FileEntry>| files.iter().map(|file| file.bytes).sum::<u64>() / 1_000_000;
    let manifest = snapshot.manifest();
    eprintln!(
        "kinds {} MB, relations {} MB",
        size(manifest.kinds.iter().filter_map(|kind| kind.file.as_ref()).collect()),
        size(manifest.relations.iter().filter_map(|relation| relation.file.as_ref()).collect())
    );
    let start = Instant::now();
    assert!(snapshot.verify().is_empty());
    eprintln!("checksums verified in {:.1?}; {}", start.elapsed(), resident());
    let snapshot = store.latest().unwrap().unwrap();
    let start = Instant::now();
    let graph = snapshot.graph(&schema());
    eprintln!("opened in {:.1?}; {}", start.elapsed(), resident());
    for view in graph.kind_views() {
        let start = Instant::now();
        view.keys();
        let keys = start.elapsed();
        view.accounts();
        eprintln!("{} nodes: keys in {keys:.1?}, places in {:.1?}", view.nodes().len(), start.elapsed() - keys);
        let mut columns = view.columns();
        loop {
            let start = Instant::now();
            let Some((name, _)) = columns.next() else { break };
            eprintln!("   {name} in {:.1?}", start.elapsed());
        }
    }
    for view in graph.relation_views() {
        let start = Instant::now();
        view.ends().next();
        eprintln!("{} relations in {:.1?}", view.len(), start.elapsed());
    }
    let adjacency = Instant::now();
    graph.read_all();
    eprintln!("backward adjacency in {:.1?}", adjacency.elapsed());
    eprintln!("loaded in {:.1?}; {}", start.elapsed(), resident());
    assert!(graph.faults().is_empty(), "{:?}", graph.faults());
}
