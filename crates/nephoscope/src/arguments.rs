//! The command line's shape.

mod identity;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use nepho_model::{Severity, Timestamp};
use nepho_report::Format;

pub use identity::{
    CanArguments, IdentityAction, LintArguments, PathsArguments, PathsToArguments, PolicyFormat, RightSizeArguments,
    WhoCanArguments,
};

/// Reads your clouds, joins what it finds into one graph, and shows what matters, with proof and fix.
#[derive(Debug, Parser)]
#[command(name = "nephoscope", version, propagate_version = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// A folder laid out like the project's `catalog/`, with kinds, rules and frameworks of your own.
    // Not read as a path by clap, which refuses an empty one: an empty variable counts as none.
    #[arg(long, global = true, value_name = "DIR", env = "NEPHOSCOPE_CATALOG")]
    pub catalog: Option<OsString>,
    /// No progress, no summary: only what was asked for.
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// Commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Scan an environment: collect, judge, report.
    Scan {
        /// Which environment.
        #[command(subcommand)]
        target: ScanTarget,
    },
    /// Ask the graph an openCypher question.
    Query(QueryArguments),
    /// List the snapshots of a store.
    Snapshots(SnapshotsArguments),
    /// Show what changed between two snapshots.
    Diff(DiffArguments),
    /// List findings of the last scan or of a recording.
    Findings(FindingsArguments),
    /// Show what could and could not be read.
    Coverage(CoverageArguments),
    /// Show how a compliance framework stands.
    Compliance(ComplianceArguments),
    /// List, show and test rules.
    Rules {
        /// What to do with them.
        #[command(subcommand)]
        action: RulesAction,
    },
    /// List, show and test kinds of resources.
    Kinds {
        /// What to do with them.
        #[command(subcommand)]
        action: KindsAction,
    },
    /// Say who can do what, and who can become who.
    Identity {
        /// The question.
        #[command(subcommand)]
        action: IdentityAction,
    },
    /// Print the read-only permissions that scanning needs.
    Permissions(PermissionsArguments),
    /// Scan the bundled recording of a small organisation and write a report.
    Demo(DemoArguments),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Environments that can be scanned.
#[derive(Debug, Subcommand)]
pub enum ScanTarget {
    /// AWS accounts.
    Aws(Box<ScanAwsArguments>),
}

/// Cloud providers.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Provider {
    /// Amazon Web Services.
    Aws,
}

/// Options of `permissions`.
#[derive(Debug, Args)]
pub struct PermissionsArguments {
    /// The provider.
    pub provider: Provider,
    /// In parts that each fit into one managed policy: one a line, or one a file in DIR.
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    pub split: Option<Option<PathBuf>>,
    /// Instead, what whoever scans an organisation needs besides, to assume this role in the member accounts.
    #[arg(long, value_name = "ROLE", conflicts_with = "split")]
    pub assume: Option<String>,
    /// Instead, the trust policy of that role: the ARN of whoever may assume it.
    #[arg(long, value_name = "ARN", conflicts_with_all = ["split", "assume"])]
    pub trust: Option<String>,
    /// External id that the trust policy asks for.
    #[arg(long, value_name = "ID", requires = "trust")]
    pub external_id: Option<String>,
}

/// Options of `scan aws`.
#[derive(Debug, Args)]
pub struct ScanAwsArguments {
    /// Profile of your AWS configuration.
    #[arg(long, value_name = "NAME", conflicts_with = "replay")]
    pub profile: Option<String>,
    /// Regions to scan, separated by commas, or `all`.
    #[arg(long, default_value = "all", value_delimiter = ',', conflicts_with = "replay")]
    pub regions: Vec<String>,
    /// Scan every active member account of the organisation.
    #[arg(long, conflicts_with = "replay")]
    pub organization: bool,
    /// The role to assume in each member account.
    #[arg(long, default_value = "NephoscopeReadOnly", value_name = "ROLE", requires = "organization")]
    pub role: String,
    /// External id for assuming the role.
    #[arg(long, value_name = "ID", requires = "organization")]
    pub external_id: Option<String>,
    /// Only these accounts of the organisation.
    #[arg(long, value_delimiter = ',', value_name = "ID,…", requires = "organization")]
    pub accounts: Vec<String>,
    /// Only these services, by their API names.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    pub services: Vec<String>,
    /// Where to write the recording (default: the data folder).
    #[arg(long, value_name = "DIR", conflicts_with = "replay")]
    pub record: Option<PathBuf>,
    /// Go on with an interrupted recording in the --record folder.
    #[arg(long, requires = "record")]
    pub resume: bool,
    /// API calls under way at once.
    #[arg(long, default_value_t = 64, value_name = "N", conflicts_with = "replay")]
    pub concurrency: usize,
    /// Time limit of one API call, in seconds.
    #[arg(long, default_value_t = 60, value_name = "SECONDS", conflicts_with = "replay")]
    pub call_timeout: u64,
    /// Time limit of the whole collection, in seconds.
    #[arg(long, default_value_t = 7200, value_name = "SECONDS", conflicts_with = "replay")]
    pub timeout: u64,
    /// What to read from instead of the cloud.
    #[command(flatten)]
    pub replay: ReplayArguments,
    /// What to report.
    #[command(flatten)]
    pub report: ReportArguments,
    /// Where to save a snapshot.
    #[command(flatten)]
    pub store: StoreArguments,
}

/// Where snapshots are.
#[derive(Debug, Args, Clone)]
pub struct StoreArguments {
    /// The folder of snapshots. A scan saves one in it; without it none is saved.
    // As with the catalogue: an empty variable counts as none.
    #[arg(long, value_name = "DIR", env = "NEPHOSCOPE_STORE")]
    pub store: Option<OsString>,
}

/// Where recorded answers are.
#[derive(Debug, Args, Clone)]
pub struct ReplayArguments {
    /// Read recorded answers instead of asking the cloud: a file or a folder (may be repeated).
    #[arg(long = "replay", value_name = "FILE|DIR")]
    pub replay: Vec<PathBuf>,
    /// The time to judge by (default: the recording's own).
    #[arg(long, value_name = "TIME", value_parser = timestamp)]
    pub at: Option<Timestamp>,
}

/// Options of `snapshots`.
#[derive(Debug, Args)]
pub struct SnapshotsArguments {
    /// What to do, instead of listing them.
    #[command(subcommand)]
    pub action: Option<SnapshotsAction>,
    /// Where snapshots are.
    #[command(flatten)]
    pub store: StoreArguments,
    /// table, json or csv.
    #[arg(long, default_value = "table")]
    pub format: TableFormat,
}

/// What to do with snapshots.
#[derive(Debug, Subcommand)]
pub enum SnapshotsAction {
    /// Remove all but the newest.
    Prune {
        /// How many to keep.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        keep: u32,
        /// Where snapshots are.
        #[command(flatten)]
        store: StoreArguments,
    },
}

/// Options of `diff`.
#[derive(Debug, Args)]
pub struct DiffArguments {
    /// The earlier snapshot: an id, a time (the newest not later), `latest` or `latest~1` (the one before).
    pub a: String,
    /// The later snapshot.
    pub b: String,
    /// Where snapshots are.
    #[command(flatten)]
    pub store: StoreArguments,
    /// table, json or csv.
    #[arg(long, default_value = "table")]
    pub format: TableFormat,
}

/// Reads a time, for options.
pub fn timestamp(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).map_err(|error| error.to_string())
}

/// Which verdicts to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Verdicts {
    /// Failed ones.
    #[default]
    Fail,
    /// Unknown ones.
    Unknown,
    /// Passed ones.
    Pass,
    /// All.
    All,
}

/// What to report, and where to.
#[derive(Debug, Args, Clone, Default)]
pub struct ReportArguments {
    /// Write a report; the ending says which: .json .csv .sarif .ocsf.json .junit.xml .html .txt; `-` is standard
    /// output (may be repeated).
    #[arg(long = "out", value_name = "FILE")]
    pub out: Vec<PathBuf>,
    /// Write this format to standard output: table, json, csv, sarif, ocsf, junit or html. Where an --out file's ending
    /// says none, it is that file's instead.
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Which verdicts to list. Counts and --fail-on do not depend on it.
    #[arg(long, value_enum, default_value = "fail")]
    pub verdicts: Verdicts,
    /// Run only these rules (may be repeated). Compliance is then left out.
    #[arg(long = "rule", value_name = "ID")]
    pub rules: Vec<String>,
    /// List only what is at or above this severity. Counts and --fail-on do not depend on it.
    #[arg(long, value_name = "SEVERITY")]
    pub severity: Option<Severity>,
    /// Exit with 1 when there are findings at or above this severity that are not muted.
    #[arg(long, value_name = "SEVERITY")]
    pub fail_on: Option<Severity>,
    /// A file of mutes.
    #[arg(long, value_name = "FILE")]
    pub mutes: Option<PathBuf>,
}

/// Options of `query`.
#[derive(Debug, Args)]
pub struct QueryArguments {
    /// openCypher, for instance: MATCH (b:AwsS3Bucket) WHERE b.public_read RETURN b.name
    pub query: String,
    /// Read recorded answers instead of the last scan: a file or a folder (may be repeated).
    #[arg(long = "replay", value_name = "FILE|DIR", conflicts_with = "between")]
    pub replay: Vec<PathBuf>,
    /// Ask the snapshot of this time: the newest that is not later (also an id, `latest`, `latest~1`). With --replay, the
    /// time to judge by.
    #[arg(long, value_name = "TIME", conflicts_with = "between")]
    pub at: Option<String>,
    /// Ask two snapshots, and show which rows only the first has (-) and only the second (+).
    #[arg(long, num_args = 2, value_names = ["A", "B"])]
    pub between: Vec<String>,
    /// Where snapshots are.
    #[command(flatten)]
    pub store: StoreArguments,
    /// table, json or csv.
    #[arg(long, default_value = "table")]
    pub format: TableFormat,
    /// Time limit, in seconds.
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    pub timeout: u64,
}

/// Formats of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    /// For people.
    Table,
    /// JSON.
    Json,
    /// Comma-separated values.
    Csv,
}

/// Options of `findings`.
#[derive(Debug, Args)]
pub struct FindingsArguments {
    /// What to read from instead of the last scan.
    #[command(flatten)]
    pub replay: ReplayArguments,
    /// What to report.
    #[command(flatten)]
    pub report: ReportArguments,
}

/// Options of `coverage`.
#[derive(Debug, Args)]
pub struct CoverageArguments {
    /// What to read from instead of the last scan.
    #[command(flatten)]
    pub replay: ReplayArguments,
    /// Also what is complete.
    #[arg(long)]
    pub all: bool,
    /// table, json or csv.
    #[arg(long, default_value = "table")]
    pub format: TableFormat,
}

/// Options of `compliance`.
#[derive(Debug, Args)]
pub struct ComplianceArguments {
    /// The framework's id; without it: all, a line each.
    pub framework: Option<String>,
    /// What to read from instead of the last scan.
    #[command(flatten)]
    pub replay: ReplayArguments,
    /// table, json or csv.
    #[arg(long, default_value = "table")]
    pub format: TableFormat,
}

/// What to do with rules.
#[derive(Debug, Subcommand)]
pub enum RulesAction {
    /// List them.
    List {
        /// table, json or csv.
        #[arg(long, default_value = "table")]
        format: TableFormat,
    },
    /// Show one.
    Show {
        /// Its id.
        id: String,
    },
    /// Run the cases of all rules, or of those whose id begins so.
    Test {
        /// Beginnings of ids.
        prefixes: Vec<String>,
    },
}

/// What to do with kinds.
#[derive(Debug, Subcommand)]
pub enum KindsAction {
    /// List them.
    List {
        /// table, json or csv.
        #[arg(long, default_value = "table")]
        format: TableFormat,
    },
    /// Show one.
    Show {
        /// Its id or label.
        id: String,
    },
    /// Run the cases of all kinds, or of those whose id begins so.
    Test {
        /// Beginnings of ids.
        prefixes: Vec<String>,
    },
    /// List the named functions that a kind's properties may use.
    Transforms {
        /// table, json or csv.
        #[arg(long, default_value = "table")]
        format: TableFormat,
    },
}

/// Options of `demo`.
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Where to write the report.
    #[arg(long, default_value = "nephoscope-demo.html", value_name = "FILE")]
    pub out: PathBuf,
    /// Where to save a snapshot.
    #[command(flatten)]
    pub store: StoreArguments,
}
