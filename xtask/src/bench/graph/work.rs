//! The work that is measured: one query in the words of each database, and the bar for it.

use super::generator::{Generator, account, key};
use super::shape::{BUCKET, KINDS, MACHINE};

/// What is asked of us, against the faster of the peers.
#[derive(Clone, Copy, PartialEq)]
pub enum Bar {
    /// At least as fast.
    Level,
    /// This many times as fast.
    Times(f64),
    /// Nothing: it is shown for interest.
    None,
}

/// One query.
pub struct Work {
    pub name: &'static str,
    pub what: &'static str,
    pub bar: Bar,
    /// Whether the order of rows is part of the answer.
    pub ordered: bool,
    /// Whether the work grows with the graph, so that its time per element can be compared.
    pub grows: bool,
    ours: &'static str,
    /// Where LadybugDB needs other words.
    ladybug: Option<&'static str>,
    /// Where FalkorDB needs other words.
    falkordb: Option<&'static str>,
}

/// The databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Ours,
    Ladybug,
    FalkorDb,
}

impl Engine {
    /// As tables say it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Ours => "nephoscope",
            Self::Ladybug => "LadybugDB",
            Self::FalkorDb => "FalkorDB",
        }
    }

    /// As arguments say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Ladybug => "ladybug",
            Self::FalkorDb => "falkordb",
        }
    }
}

/// Relation types that an attacker can follow.
const STEPS: &str = "CAN_REACH|RUNS_AS|CAN_ASSUME|CAN_READ|CAN_WRITE";

/// Answers of many rows are summed up where they are made: their number, and a sum of the marks of what they hold.
pub const WORKS: [Work; 8] = [
    Work {
        name: "filter",
        what: "filter and one hop",
        bar: Bar::Level,
        ordered: false,
        grows: true,
        ours: "MATCH (m:Machine)-[:RUNS_AS]->(r:Role) \
               WHERE m.public = true AND m.environment = 'production' AND m.region = 'eu-west-1' \
               RETURN count(*) AS n, sum(m.mark * r.mark) AS digest",
        ladybug: None,
        falkordb: None,
    },
    Work {
        name: "hops",
        what: "three fixed hops with filters",
        bar: Bar::Level,
        ordered: false,
        grows: true,
        ours: "MATCH (m:Machine)-[:RUNS_AS]->(r:Role)-[:CAN_ASSUME]->(s:Role)-[:CAN_READ]->(b:Bucket) \
               WHERE m.public = true AND s.environment = 'production' AND b.sensitive = true \
               RETURN count(*) AS n, sum(m.mark * b.mark) AS digest",
        ladybug: None,
        falkordb: None,
    },
    Work {
        name: "groups",
        what: "count by group",
        bar: Bar::Level,
        ordered: false,
        grows: true,
        ours: "MATCH (b:Bucket) \
               RETURN b.account AS account, b.environment AS environment, count(*) AS n, sum(b.mark) AS digest",
        ladybug: None,
        falkordb: None,
    },
    Work {
        name: "reach",
        what: "reachable within 1..6 hops of five types",
        bar: Bar::Times(5.0),
        ordered: false,
        grows: true,
        ours: "MATCH (a:Machine {$start})-[:$steps*1..6]->(b:Bucket) \
               WITH DISTINCT b RETURN count(*) AS n, sum(b.mark) AS digest",
        // With `*1..6` it goes every walk, and does not end. One shortest path to each says the same.
        ladybug: Some(
            "MATCH (a:Machine {$start})-[:$steps* SHORTEST 1..6]->(b:Bucket) \
             RETURN count(*) AS n, sum(b.mark) AS digest",
        ),
        // The same with every trail: level by level it ends.
        falkordb: Some("CALL { $levels } RETURN count(*) AS n, sum(b.mark) AS digest"),
    },
    Work {
        name: "path",
        what: "one shortest path",
        bar: Bar::Times(5.0),
        ordered: false,
        grows: false,
        ours: "MATCH p = shortestPath((a:Machine {$from})-[:$steps*1..10]->(b:Bucket {$to})) RETURN length(p) AS hops",
        ladybug: Some(
            "MATCH p = (a:Machine {$from})-[:$steps* SHORTEST 1..10]->(b:Bucket {$to}) RETURN length(p) AS hops",
        ),
        falkordb: Some(
            "MATCH (a:Machine {$from}), (b:Bucket {$to}) \
             WITH shortestPath((a)-[:$steps*1..10]->(b)) AS p RETURN length(p) AS hops",
        ),
    },
    Work {
        name: "paths",
        what: "all shortest paths to the sensitive buckets of an account",
        bar: Bar::Times(5.0),
        ordered: false,
        grows: false,
        ours: "MATCH p = allShortestPaths((a:Machine {$start})-[:$steps*1..10]->(b:Bucket)) \
               WHERE b.account = '$account' AND b.sensitive = true \
               RETURN b.key AS bucket, length(p) AS hops, count(*) AS paths",
        ladybug: Some(
            "MATCH p = (a:Machine {$start})-[:$steps* ALL SHORTEST 1..10]->(b:Bucket) \
             WHERE b.account = '$account' AND b.sensitive = true \
             RETURN b.key AS bucket, length(p) AS hops, count(*) AS paths",
        ),
        falkordb: Some(
            "MATCH (a:Machine {$start}), (b:Bucket) WHERE b.account = '$account' AND b.sensitive = true \
             WITH a, b MATCH p = allShortestPaths((a)-[:$steps*1..10]->(b)) \
             RETURN b.key AS bucket, length(p) AS hops, count(*) AS paths",
        ),
    },
    Work {
        name: "triangles",
        what: "triangles of machines",
        bar: Bar::None,
        ordered: false,
        grows: true,
        ours: "MATCH (a:Machine)-[:CAN_REACH]->(b:Machine)-[:CAN_REACH]->(c:Machine), (a)-[:CAN_REACH]->(c) \
               RETURN count(*) AS n, sum(a.mark * c.mark) AS digest",
        ladybug: None,
        falkordb: None,
    },
    Work {
        name: "degrees",
        what: "the ten most read buckets",
        bar: Bar::None,
        ordered: true,
        grows: true,
        ours: "MATCH (r:Role)-[:CAN_READ]->(b:Bucket) \
               RETURN b.key AS bucket, count(*) AS n ORDER BY n DESC, bucket LIMIT 10",
        ladybug: None,
        falkordb: None,
    },
];

/// Where the searches start and end, so chosen that from the first about 95 of 100 buckets are within six hops, and that
/// the other two are six hops apart.
struct Places {
    start: u32,
    from: u32,
    to: u32,
    account: usize,
}

impl Places {
    fn of(generator: &Generator) -> Self {
        match generator.nodes() {
            5_000_001.. => Self { start: 0, from: 3_000, to: 1_402_843, account: 60 },
            _ => Self { start: 0, from: 3_000, to: 137_614, account: 60 },
        }
    }
}

impl Work {
    /// The query for a database on a graph.
    pub fn query(&self, engine: Engine, generator: &Generator) -> String {
        let text = match engine {
            Engine::Ours => None,
            Engine::Ladybug => self.ladybug,
            Engine::FalkorDb => self.falkordb,
        };
        // LadybugDB's primary key, the one index it has, is the number.
        let node = |kind: usize, index: u32| match engine {
            Engine::Ladybug => format!("number: {}", generator.first[kind] + u64::from(index)),
            Engine::Ours | Engine::FalkorDb => format!("key: '{}'", key(&KINDS[kind], index)),
        };
        let places = Places::of(generator);
        text.unwrap_or(self.ours)
            .replace("$levels", &(1..=6).map(level).collect::<Vec<_>>().join(" UNION "))
            .replace("$steps", STEPS)
            .replace("$start", &node(MACHINE, places.start))
            .replace("$from", &node(MACHINE, places.from))
            .replace("$to", &node(BUCKET, places.to))
            .replace("$account", &account(places.account))
    }
}

/// The buckets at the end of walks of this many hops.
fn level(hops: usize) -> String {
    let between: String =
        (1..hops).map(|at| format!("-[:$steps]->(n{at}) WITH DISTINCT n{at} MATCH (n{at})")).collect();
    format!("MATCH (a:Machine {{$start}}){between}-[:$steps]->(b:Bucket) RETURN DISTINCT b")
}
