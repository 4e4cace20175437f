//! `nephoscope identity …`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use nepho_identity::lint::{PolicyKind, Severity};

use super::{ReplayArguments, TableFormat};

/// Questions about who can do what.
#[derive(Debug, Subcommand)]
pub enum IdentityAction {
    /// Whether a principal may do something on a resource: yes, no, or if; with the proof.
    Can(CanArguments),
    /// Who may do something on a resource.
    WhoCan(WhoCanArguments),
    /// The ways by which principals can gain all permissions of their account.
    PathsToAdmin(PathsArguments),
    /// The ways by which principals can gain a principal's permissions.
    PathsTo(PathsToArguments),
    /// What is wrong with policies as they are written, with the place of each mistake.
    Lint(LintArguments),
    /// The smallest policy that allows what a principal was seen to do. Writes nothing to the cloud.
    RightSize(RightSizeArguments),
}

/// Options of `identity can`.
#[derive(Debug, Args)]
pub struct CanArguments {
    /// A user or role: its name or ARN.
    pub principal: String,
    /// The action, s3:GetObject.
    pub action: String,
    /// The resource's ARN, or a pattern of ARNs.
    #[arg(default_value = "*")]
    pub resource: String,
    /// A condition key that the request carries (may be repeated).
    #[arg(long = "with", value_name = "KEY=VALUE", value_parser = pair)]
    pub with: Vec<(String, String)>,
    /// Where answers come from.
    #[command(flatten)]
    pub replay: ReplayArguments,
    /// table or json.
    #[arg(long, default_value = "table")]
    pub format: TableFormat,
}

/// Options of `identity who-can`.
#[derive(Debug, Args)]
pub struct WhoCanArguments {
    /// The action, kms:Decrypt.
    pub action: String,
    /// The resource's ARN, or a pattern of ARNs.
    #[arg(default_value = "*")]
    pub resource: String,
    /// Where answers come from.
    #[command(flatten)]
    pub replay: ReplayArguments,
    /// table, json or csv.
    #[arg(long, default_value = "table")]
    pub format: TableFormat,
}

/// Options of `identity paths-to-admin`.
#[derive(Debug, Args)]
pub struct PathsArguments {
    /// Only ways from this user or role: its name or ARN (may be repeated).
    #[arg(long, value_name = "PRINCIPAL")]
    pub from: Vec<String>,
    /// Also ways that hang on what is not known, with what must hold.
    #[arg(long)]
    pub possible: bool,
    /// Where answers come from.
    #[command(flatten)]
    pub replay: ReplayArguments,
    /// table or json.
    #[arg(long, default_value = "table")]
    pub format: TableFormat,
}

/// Options of `identity paths-to`.
#[derive(Debug, Args)]
pub struct PathsToArguments {
    /// A user or role, or a resource: its ARN, or a principal's name.
    pub target: String,
    /// All else.
    #[command(flatten)]
    pub paths: PathsArguments,
}

/// Options of `identity lint`.
#[derive(Debug, Args)]
pub struct LintArguments {
    /// Policies as JSON, a file each; `-` is standard input.
    #[arg(value_name = "POLICY.json", required_unless_present = "list")]
    pub policies: Vec<PathBuf>,
    /// What the policies are for: identity, resource, resource:SERVICE, trust, scp or rcp (default: guessed from each; an
    /// scp looks like identity).
    #[arg(long, value_name = "KIND")]
    pub kind: Option<PolicyKind>,
    /// List only what is at or above this: error, security, warning or suggestion.
    #[arg(long, value_name = "SEVERITY", default_value = "suggestion")]
    pub severity: Severity,
    /// Exit with 1 when there is something at or above this.
    #[arg(long, value_name = "SEVERITY", default_value = "security")]
    pub fail_on: Severity,
    /// List the checks instead.
    #[arg(long)]
    pub list: bool,
    /// table (with the place in the text), json or csv.
    #[arg(long, default_value = "table")]
    pub format: TableFormat,
}

/// Options of `identity right-size`.
#[derive(Debug, Args)]
pub struct RightSizeArguments {
    /// A user or role: its name or ARN.
    pub principal: String,
    /// CloudTrail events: files, compressed or not, or folders of them, as a trail writes them to S3 (`-` is standard input).
    #[arg(long, value_name = "PATH", num_args = 1.., required = true)]
    pub events: Vec<PathBuf>,
    /// The answer of GetServiceLastAccessedDetails for the principal, made with ACTION_LEVEL.
    #[arg(long, value_name = "FILE")]
    pub last_accessed: Option<PathBuf>,
    /// Days that the events have to cover at least.
    #[arg(long, default_value_t = 30, value_name = "N")]
    pub days: u32,
    /// Where today's policies come from.
    #[command(flatten)]
    pub replay: ReplayArguments,
    /// json, terraform or diff.
    #[arg(long, default_value = "json")]
    pub format: PolicyFormat,
}

/// How a policy is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PolicyFormat {
    /// The policy document; a list of them where one has no room for all.
    Json,
    /// Terraform's resources.
    Terraform,
    /// What becomes of each of today's statements.
    Diff,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("a key and a value are written KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}
