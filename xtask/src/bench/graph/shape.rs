//! What the generated graph is made of: kinds with their properties, relation types with their degrees.
//!
//! Numbers are for a graph of one million nodes; ten million have ten times as many of each, accounts too, so that an
//! account stays as large as it was.

/// What a property's values are drawn from.
#[derive(Clone, Copy)]
pub enum Draw {
    /// One of these; earlier ones more often.
    Word(&'static [&'static str]),
    /// True with this chance.
    Flag(f64),
    /// A whole number below this, small ones more often.
    Small(u64),
    /// A whole number of at most this many binary digits, each length as likely.
    Size(u32),
    /// Between 0 and 10.
    Score,
    /// A point in time of the last six years.
    Time,
}

/// A property of a kind. Chances of 1/32 each: absent, when `sparse`; unknown, when `unread`.
#[derive(Clone, Copy)]
pub struct Property {
    pub name: &'static str,
    pub draw: Draw,
    pub sparse: bool,
    pub unread: bool,
}

const fn full(name: &'static str, draw: Draw) -> Property {
    Property { name, draw, sparse: false, unread: false }
}

const fn sparse(name: &'static str, draw: Draw) -> Property {
    Property { name, draw, sparse: true, unread: false }
}

const fn unread(name: &'static str, draw: Draw) -> Property {
    Property { name, draw, sparse: true, unread: true }
}

/// A kind; its nodes have `key`, `account`, `region`, `name`, `number`, `mark`, `environment` and `created` beside these.
pub struct Kind {
    pub label: &'static str,
    /// Nodes of a million.
    pub share: u32,
    pub properties: &'static [Property],
}

pub const ACCOUNT: usize = 0;
const NETWORK: usize = 1;
const SUBNET: usize = 2;
const SECURITY_GROUP: usize = 3;
const USER: usize = 4;
const GROUP: usize = 5;
const ROLE: usize = 6;
const POLICY: usize = 7;
pub const MACHINE: usize = 8;
const FUNCTION: usize = 9;
pub const BUCKET: usize = 10;
const KEY: usize = 11;

/// The kinds, by the numbers above.
pub const KINDS: [Kind; 12] = [
    Kind { label: "Account", share: 100, properties: &[full("suspended", Draw::Flag(0.02))] },
    Kind { label: "Network", share: 400, properties: &[full("peered", Draw::Flag(0.2))] },
    Kind {
        label: "Subnet",
        share: 4_000,
        properties: &[full("public", Draw::Flag(0.3)), full("free", Draw::Small(250))],
    },
    Kind {
        label: "SecurityGroup",
        share: 20_000,
        properties: &[unread("open", Draw::Flag(0.1)), full("rules", Draw::Small(60))],
    },
    Kind {
        label: "User",
        share: 60_000,
        properties: &[unread("mfa", Draw::Flag(0.7)), sparse("last_used", Draw::Time), sparse("risk", Draw::Score)],
    },
    Kind { label: "Group", share: 6_000, properties: &[full("managed", Draw::Flag(0.3))] },
    Kind {
        label: "Role",
        share: 120_000,
        properties: &[unread("admin", Draw::Flag(0.05)), sparse("last_used", Draw::Time), sparse("risk", Draw::Score)],
    },
    Kind {
        label: "Policy",
        share: 50_000,
        properties: &[full("managed", Draw::Flag(0.4)), full("statements", Draw::Small(40))],
    },
    Kind {
        label: "Machine",
        share: 250_000,
        properties: &[
            unread("public", Draw::Flag(0.15)),
            full("size", Draw::Size(7)),
            full("state", Draw::Word(&["running", "stopped", "terminated"])),
            sparse("image", Draw::Word(&["debian-13", "ubuntu-26", "alma-10", "windows-2025", "flatcar", "custom"])),
            sparse("risk", Draw::Score),
        ],
    },
    Kind {
        label: "Function",
        share: 140_000,
        properties: &[
            unread("public", Draw::Flag(0.05)),
            full("runtime", Draw::Word(&["python3.14", "nodejs24", "java25", "go1", "dotnet10"])),
            full("size", Draw::Size(28)),
        ],
    },
    Kind {
        label: "Bucket",
        share: 300_000,
        properties: &[
            unread("public", Draw::Flag(0.04)),
            unread("sensitive", Draw::Flag(0.12)),
            sparse("size", Draw::Size(42)),
            full("versioned", Draw::Flag(0.5)),
            sparse("risk", Draw::Score),
        ],
    },
    Kind {
        label: "Key",
        share: 49_500,
        properties: &[full("rotated", Draw::Flag(0.6)), sparse("last_used", Draw::Time)],
    },
];

/// The first so many nodes of a kind are hubs (bastions, deployment roles, scanners): they have one relation to every
/// `HUB_SHARE` nodes of the other kind, wherever these are.
pub const HUBS: u32 = 10;
/// See [`HUBS`].
pub const HUB_SHARE: u32 = 100;

/// How many relations of a type a node has.
#[derive(Clone, Copy)]
pub enum Degree {
    /// One with this chance, else none.
    Chance(f64),
    /// Many here, few there (a Lomax distribution of exponent 2), this many in the mean.
    Skewed(f64),
}

/// A relation type between two kinds.
pub struct Relation {
    pub name: &'static str,
    pub from: usize,
    pub to: usize,
    pub degree: Degree,
    /// Whether the degree is that of the end, not of the start.
    pub of_end: bool,
    /// The chance that it leaves the account.
    pub crossing: f64,
    /// Whether it has the property `port`.
    pub port: bool,
}

const fn relation(name: &'static str, from: usize, to: usize, degree: Degree, crossing: f64) -> Relation {
    Relation { name, from, to, degree, of_end: false, crossing, port: false }
}

const fn within(from: usize) -> Relation {
    relation("IN_ACCOUNT", from, ACCOUNT, Degree::Chance(1.0), 0.0)
}

const fn contains(from: usize, to: usize, chance: f64) -> Relation {
    Relation { of_end: true, ..relation("CONTAINS", from, to, Degree::Chance(chance), 0.0) }
}

/// The relations: five million of a million nodes.
pub const RELATIONS: [Relation; 31] = [
    within(NETWORK),
    within(SUBNET),
    within(SECURITY_GROUP),
    within(USER),
    within(GROUP),
    within(ROLE),
    within(POLICY),
    within(MACHINE),
    within(FUNCTION),
    within(BUCKET),
    within(KEY),
    contains(NETWORK, SUBNET, 1.0),
    contains(SUBNET, MACHINE, 1.0),
    contains(SUBNET, FUNCTION, 0.4),
    relation("MEMBER_OF", USER, GROUP, Degree::Skewed(2.0), 0.02),
    relation("ATTACHED", ROLE, POLICY, Degree::Skewed(1.5), 0.0),
    relation("ATTACHED", GROUP, POLICY, Degree::Skewed(3.0), 0.0),
    relation("ATTACHED", USER, POLICY, Degree::Skewed(0.5), 0.0),
    relation("CAN_ASSUME", ROLE, ROLE, Degree::Skewed(3.0), 0.15),
    relation("CAN_ASSUME", USER, ROLE, Degree::Skewed(1.0), 0.1),
    relation("CAN_ASSUME", GROUP, ROLE, Degree::Skewed(5.0), 0.2),
    relation("RUNS_AS", MACHINE, ROLE, Degree::Chance(0.8), 0.0),
    relation("RUNS_AS", FUNCTION, ROLE, Degree::Chance(1.0), 0.0),
    relation("CAN_READ", ROLE, BUCKET, Degree::Skewed(6.3), 0.1),
    relation("CAN_READ", USER, BUCKET, Degree::Skewed(2.0), 0.05),
    relation("CAN_WRITE", ROLE, BUCKET, Degree::Skewed(3.0), 0.05),
    relation("PROTECTED_BY", MACHINE, SECURITY_GROUP, Degree::Skewed(1.0), 0.0),
    Relation { port: true, ..relation("CAN_REACH", MACHINE, MACHINE, Degree::Skewed(3.0), 0.1) },
    relation("ENCRYPTED_WITH", BUCKET, KEY, Degree::Chance(0.6), 0.02),
    relation("ENCRYPTED_WITH", FUNCTION, KEY, Degree::Chance(0.2), 0.0),
    relation("CAN_USE", ROLE, KEY, Degree::Skewed(0.2), 0.02),
];

/// Regions; earlier ones have more.
pub const REGIONS: &[&str] = &[
    "eu-west-1",
    "us-east-1",
    "eu-central-1",
    "us-west-2",
    "ap-southeast-1",
    "eu-north-1",
    "us-east-2",
    "ap-northeast-1",
    "sa-east-1",
    "ca-central-1",
    "af-south-1",
    "me-central-1",
];

/// Environments.
pub const ENVIRONMENTS: &[&str] = &["production", "staging", "development", "test"];

/// First and second words of names.
pub const WORDS: [&str; 32] = [
    "web", "api", "auth", "billing", "search", "cart", "mail", "feed", "image", "video", "audit", "report", "event",
    "batch", "stream", "cache", "core", "edge", "inner", "outer", "blue", "green", "north", "south", "alpha", "omega",
    "prime", "lite", "fast", "cold", "main", "spare",
];
