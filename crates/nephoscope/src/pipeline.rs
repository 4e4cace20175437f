//! Joins the crates: answers (live or recorded) → resources → graph; and the rules ready to run.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use nepho_aws::AwsTables;
use nepho_catalog::Catalog;
use nepho_collect::{
    AccountScope, Collection, CollectionSummary, CompiledKinds, Options, Progress, Provider, Recorder, Replay, Source,
    collect,
};
use nepho_estate::{Estate, EstateBuilder, schema_of};
use nepho_model::{CoverageEntry, Timestamp};
use nepho_rules::RuleSet;

use crate::arguments::ReplayArguments;
use crate::diagnostics::SourceErrors;
use crate::state;

/// What a scan or a replay came to, before it is judged.
pub struct Analysis {
    /// The catalogue it was made with.
    pub catalog: Arc<Catalog>,
    /// The graph and its gaps.
    pub estate: Estate,
    /// The time to judge by.
    pub clock: Timestamp,
    /// Where the answers come from, in a word.
    pub source: String,
    /// The recordings of those answers; none where they lie in the binary.
    pub recordings: Vec<PathBuf>,
    /// The provider's partition.
    pub partition: String,
    /// Regions that were read.
    pub regions: Vec<String>,
    /// What people should know.
    pub notes: Vec<String>,
}

/// What is to be collected.
pub struct Task {
    /// Accounts and regions.
    pub accounts: Vec<AccountScope>,
    /// The API, or its tables.
    pub provider: Arc<dyn Provider>,
    /// Where answers come from.
    pub source: Source,
    /// Where they are recorded.
    pub recorder: Option<Recorder>,
    /// Limits.
    pub options: Options,
    /// Only these services, when not empty.
    pub services: Vec<String>,
    /// Whether to show no progress.
    pub quiet: bool,
    /// For the report.
    pub name: String,
    /// The time to judge by.
    pub clock: Timestamp,
    /// What is known already.
    pub notes: Vec<String>,
    /// Gaps that are known already.
    pub coverage: Vec<CoverageEntry>,
}

/// Compiles all rules; every error is shown with its place in its file.
pub fn compile_rules(catalog: &Catalog) -> Result<RuleSet, SourceErrors> {
    let (rules, errors) = RuleSet::compile(catalog, &schema_of(catalog));
    match errors.is_empty() {
        true => Ok(rules),
        false => Err(SourceErrors::of_rules(catalog, errors)),
    }
}

/// Runs a collection and builds the graph. `None` for the estate never happens: what could not be read is coverage.
pub async fn analyse(catalog: &Arc<Catalog>, task: Task) -> anyhow::Result<(Analysis, CollectionSummary)> {
    let wanted = |kind: &nepho_catalog::Kind| {
        task.services.is_empty()
            || kind.calls().iter().any(|(service, ..)| task.services.iter().any(|name| name == service.as_ref()))
    };
    let kinds = CompiledKinds::compile(catalog.kinds.values().filter(|kind| wanted(kind)), task.provider.as_ref())
        .map_err(|errors| SourceErrors::of_kinds(catalog, &errors))?;
    let bar = progress_bar(task.quiet);
    let mut builder = EstateBuilder::new(catalog.clone()).in_partition(&partition_of(&task.accounts));
    let (partition, regions) = (partition_of(&task.accounts), regions_of(&task.accounts));
    let collection = Collection {
        kinds: Arc::new(kinds),
        accounts: task.accounts,
        provider: task.provider,
        source: task.source,
        recorder: task.recorder,
        options: task.options,
    };
    let mut summary =
        collect(collection, |progress: &Progress| show(&bar, progress), |resource| builder.add(resource)).await?;
    bar.finish_and_clear();
    summary.coverage.extend(task.coverage);
    summary.coverage.sort();
    let estate = builder.finish(summary.coverage.clone(), task.clock);
    let mut notes = task.notes;
    for note in &summary.notes {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    let analysis = Analysis {
        catalog: catalog.clone(),
        estate,
        clock: task.clock,
        source: task.name,
        recordings: Vec::new(),
        partition,
        regions,
        notes,
    };
    Ok((analysis, summary))
}

fn partition_of(accounts: &[AccountScope]) -> String {
    accounts.first().map_or_else(|| "aws".to_owned(), |scope| scope.partition.to_string())
}

fn regions_of(accounts: &[AccountScope]) -> Vec<String> {
    let all = accounts.iter().flat_map(|scope| &scope.regions).filter(|region| region.enabled);
    let names: std::collections::BTreeSet<String> = all.map(|region| region.name.to_string()).collect();
    names.into_iter().collect()
}

fn progress_bar(quiet: bool) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(
        Some(1),
        if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() },
    );
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} lists  {msg}") {
        bar.set_style(style);
    }
    bar
}

fn show(bar: &ProgressBar, progress: &Progress) {
    bar.set_length(progress.jobs as u64);
    bar.set_position(progress.jobs_done as u64);
    let throttled = match progress.throttled {
        0 => String::new(),
        some => format!(", {some} throttled"),
    };
    bar.set_message(format!("{} resources, {} calls{throttled}", progress.resources, progress.answered));
}

/// The runtime that collections run on.
pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// Replays what was asked for, or the last scan.
pub fn replay(catalog: &Arc<Catalog>, options: &ReplayArguments) -> anyhow::Result<Analysis> {
    replay_services(catalog, options, &[])
}

/// The same, with only these services when there are any.
pub fn replay_services(
    catalog: &Arc<Catalog>,
    options: &ReplayArguments,
    services: &[String],
) -> anyhow::Result<Analysis> {
    let paths: Vec<PathBuf> = match options.replay.as_slice() {
        [] => vec![state::last()?],
        given => given.to_vec(),
    };
    let name = paths
        .iter()
        .map(|path| {
            path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
        })
        .collect::<Vec<_>>()
        .join(", ");
    let replay = Replay::open(&paths, options.at)?;
    let analysis = replay_opened(catalog, name, replay, services, true)?;
    Ok(Analysis { recordings: paths, ..analysis })
}

/// Replays a recording that is held in memory.
pub fn replay_bytes(
    catalog: &Arc<Catalog>,
    name: &str,
    answers: &[u8],
    manifest: &[u8],
    quiet: bool,
) -> anyhow::Result<Analysis> {
    let replay = Replay::from_bytes(name, answers, manifest)?;
    replay_opened(catalog, name.to_owned(), replay, &[], quiet)
}

/// Replays an opened recording.
pub fn replay_opened(
    catalog: &Arc<Catalog>,
    name: String,
    replay: Replay,
    services: &[String],
    quiet: bool,
) -> anyhow::Result<Analysis> {
    let (accounts, clock, coverage) = (replay.accounts(), replay.clock(), replay.gaps());
    let services = if services.is_empty() { replay.services() } else { services.to_vec() };
    let task = Task {
        accounts,
        provider: Arc::new(AwsTables),
        source: Source::Replay(Arc::new(replay)),
        recorder: None,
        // A replay waits for nothing.
        options: Options { collection_timeout: None, call_timeout: Duration::from_secs(600), ..Options::default() },
        services,
        quiet,
        name,
        clock,
        // What is noted in the recording comes with the collection.
        notes: Vec::new(),
        coverage,
    };
    let (analysis, _) = runtime()?.block_on(analyse(catalog, task))?;
    Ok(analysis)
}
