//! A security-shaped property graph from a seed: the same for everybody, made as it is asked for, kept nowhere.
//!
//! Nodes of one kind are ordered by account, and accounts are of very different sizes. Most relations stay within their
//! account; who is pointed to is half even and half skewed towards the first of the account (or of all accounts).

use nepho_model::{Timestamp, Value};

use super::shape::{ACCOUNT, Degree, Draw, ENVIRONMENTS, HUB_SHARE, HUBS, KINDS, Kind, REGIONS, Relation, WORDS};

/// The largest degree that is drawn.
const MOST: f64 = 2_000.0;
/// 2026-11-01, the last moment in the data, in microseconds.
const LATEST: i64 = 1_793_491_200_000_000;

/// Splitmix64 (Steele, Lea, Flood 2014).
pub struct Random(u64);

impl Random {
    /// The stream of one thing: `of` says of what, `which` says which.
    fn of(of: u64, which: u64) -> Self {
        let mut seeds = Self(of.wrapping_mul(0xd129_0b26_88d5_1c7d) ^ which);
        Self(seeds.next() ^ of)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// One of `0..length`, the first ones more often.
    fn early(&mut self, length: usize) -> usize {
        let share = self.share();
        ((share * share * length as f64) as usize).min(length.saturating_sub(1))
    }
}

/// A node.
pub struct Node {
    pub key: String,
    pub account: String,
    pub region: &'static str,
    pub name: String,
    /// Its number among all nodes.
    pub number: u64,
    /// A digest of its key, below 32,768: sums of marks tell whether two answers are of the same nodes.
    pub mark: u64,
    pub environment: &'static str,
    pub created: Timestamp,
    /// One value for each property of the kind.
    pub values: Vec<Value>,
}

/// A relation between the nodes of these indexes within their kinds.
#[derive(Clone, Copy)]
pub struct Edge {
    pub from: u32,
    pub to: u32,
    pub port: Option<u16>,
}

/// A graph of one size.
pub struct Generator {
    /// How many nodes each kind has.
    pub counts: Vec<u32>,
    /// Each kind's first number among all nodes.
    pub first: Vec<u64>,
    /// For each kind, the index at which each account's nodes begin, and the end.
    starts: Vec<Vec<u32>>,
}

/// The key of a node.
pub fn key(kind: &Kind, index: u32) -> String {
    format!("{}/{index:08}", kind.label.to_lowercase())
}

/// The number of an account, as its nodes' property has it.
pub fn account(index: usize) -> String {
    format!("{:012}", Random::of(1, index as u64).below(1_000_000_000_000))
}

impl Generator {
    /// A graph of this many nodes, five times as many relations.
    pub fn new(nodes: u64) -> Self {
        let counts: Vec<u32> =
            KINDS.iter().map(|kind| (u64::from(kind.share) * nodes / 1_000_000).max(1) as u32).collect();
        let first = counts.iter().scan(0, |next, count| {
            let first = *next;
            *next += u64::from(*count);
            Some(first)
        });
        let first = first.collect();
        // The first of a hundred accounts has 18 %, the last 0.3 %; of every further hundred the same.
        let weights: Vec<f64> = (0..counts[ACCOUNT]).map(|account| 1.0 / (f64::from(account % 100) + 1.5)).collect();
        let total: f64 = weights.iter().sum();
        let starts = KINDS.iter().zip(&counts).enumerate().map(|(kind, (_, count))| {
            if kind == ACCOUNT {
                return (0..=*count).collect();
            }
            let mut before = 0.0;
            let mut starts: Vec<u32> = weights
                .iter()
                .map(|weight| {
                    let start = (before / total * f64::from(*count)) as u32;
                    before += weight;
                    start
                })
                .collect();
            starts.push(*count);
            starts
        });
        let starts = starts.collect();
        Self { counts, first, starts }
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> u64 {
        self.counts.iter().map(|count| u64::from(*count)).sum()
    }

    fn account_of(&self, kind: usize, index: u32) -> usize {
        self.starts[kind].partition_point(|start| *start <= index) - 1
    }

    /// One node.
    pub fn node(&self, kind: usize, index: u32) -> Node {
        let of = &KINDS[kind];
        let mut random = Random::of(100 + kind as u64, u64::from(index));
        let at = self.account_of(kind, index);
        let mut home = Random::of(2, at as u64);
        let (home_region, home_environment) = (home.early(REGIONS.len()), home.early(ENVIRONMENTS.len()));
        let region = if random.share() < 0.6 { home_region } else { random.early(REGIONS.len()) };
        let environment = if random.share() < 0.7 { home_environment } else { random.early(ENVIRONMENTS.len()) };
        let (one, other, tail) =
            (WORDS[random.early(WORDS.len())], WORDS[random.early(WORDS.len())], random.below(10_000));
        let created = Timestamp(LATEST - random.below(190_000_000) as i64 * 1_000_000);
        let mark = random.below(32_768);
        let values = of.properties.iter().map(|property| {
            let (state, value) = (random.below(32), draw(property.draw, &mut random));
            match state {
                0 if property.sparse => Value::Null,
                1 if property.unread => Value::Unknown,
                _ => value,
            }
        });
        Node {
            values: values.collect(),
            key: key(of, index),
            account: account(at),
            region: REGIONS[region],
            name: format!("{one}-{other}-{tail}"),
            number: self.first[kind] + u64::from(index),
            mark,
            environment: ENVIRONMENTS[environment],
            created,
        }
    }

    /// Every relation of a type between two kinds; no two are between the same nodes, none is from a node to itself.
    pub fn edges<E>(
        &self,
        which: usize,
        relation: &Relation,
        visit: &mut dyn FnMut(Edge) -> Result<(), E>,
    ) -> Result<(), E> {
        let (this, other) = if relation.of_end { (relation.to, relation.from) } else { (relation.from, relation.to) };
        let mut ends: Vec<u32> = Vec::new();
        let mut at = 0;
        for index in 0..self.counts[this] {
            let mut random = Random::of(1_000 + which as u64, u64::from(index));
            while self.starts[this][at + 1] <= index {
                at += 1;
            }
            ends.clear();
            let hub = index < HUBS && matches!(relation.degree, Degree::Skewed(_));
            let ordinary = degree(relation.degree, &mut random);
            for _ in 0..if hub { self.counts[other] / HUB_SHARE } else { ordinary } {
                let inside = self.starts[other][at]..self.starts[other][at + 1];
                let range = if hub || inside.is_empty() || random.share() < relation.crossing {
                    0..self.counts[other]
                } else {
                    inside
                };
                let (even, share) = (random.next() & 1 == 0, random.share());
                let share = if even { share } else { share * share * share };
                let end = range.start + (share * f64::from(range.end - range.start)) as u32;
                let itself = this == other && end == index;
                if !itself && !ends.contains(&end) {
                    ends.push(end);
                }
            }
            for end in &ends {
                let (from, to) = if relation.of_end { (*end, index) } else { (index, *end) };
                let port = relation.port.then(|| [443, 22, 5432, 8080, 3306, 3389, 6379, 9200][random.early(8)]);
                visit(Edge { from, to, port })?;
            }
        }
        Ok(())
    }
}

fn degree(of: Degree, random: &mut Random) -> u32 {
    match of {
        Degree::Chance(chance) => u32::from(random.share() < chance),
        Degree::Skewed(mean) => {
            // No power but a root: it is exact on every machine.
            let drawn = mean * (1.0 / (1.0 - random.share()).sqrt() - 1.0);
            (drawn.min(MOST) + random.share()) as u32
        }
    }
}

fn draw(of: Draw, random: &mut Random) -> Value {
    match of {
        Draw::Word(words) => Value::from(words[random.early(words.len())]),
        Draw::Flag(chance) => Value::Bool(random.share() < chance),
        Draw::Small(end) => Value::Int(random.early(end as usize) as i64),
        Draw::Size(digits) => {
            let digits = random.below(u64::from(digits)) + 1;
            Value::Int(random.below(1 << digits) as i64)
        }
        // Hundredths, so that text and binary forms are of the same number.
        Draw::Score => Value::Float(random.below(1_001) as f64 / 100.0),
        Draw::Time => Value::Time(Timestamp(LATEST - random.below(190_000_000) as i64 * 1_000_000)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::shape::RELATIONS;
    use super::Generator;

    #[test]
    fn relations_are_within_their_kinds_and_each_is_there_once() {
        let generator = Generator::new(20_000);
        let mut count = 0;
        let mut digest = 0u64;
        for (which, relation) in RELATIONS.iter().enumerate() {
            let mut seen = HashSet::new();
            let made = generator.edges(which, relation, &mut |edge| {
                assert!(edge.from < generator.counts[relation.from] && edge.to < generator.counts[relation.to]);
                assert!(relation.from != relation.to || edge.from != edge.to, "{} to itself", relation.name);
                assert!(seen.insert((edge.from, edge.to)), "{} twice", relation.name);
                digest = (digest ^ (u64::from(edge.from) << 32 | u64::from(edge.to))).wrapping_mul(0x0100_0000_01b3);
                Ok::<(), std::convert::Infallible>(())
            });
            let Ok(()) = made;
            count += seen.len();
        }
        assert!((90_000..110_000).contains(&count), "{count} relations");
        // Figures of two machines can be held beside each other only where the graphs are the same.
        assert_eq!(digest, 0x6adc_3c31_1dc0_aa78, "the graph changed: so do all figures in docs/benchmarks.md");
    }
}
