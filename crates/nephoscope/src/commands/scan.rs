//! `nephoscope scan aws`

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use futures::StreamExt as _;
use nepho_aws::{AwsClient, ConnectError, ConnectOptions, OrganizationAccount, Timeouts, endpoints};
use nepho_catalog::Catalog;
use nepho_collect::{
    AccountScope, Cancellation, FailureKind, Manifest, Options, Recorder, RegionScope, ReplayOptions, Source,
};
use nepho_model::{CoverageEntry, CoverageState, Timestamp};

use crate::arguments::ScanAwsArguments;
use crate::pipeline::{self, Analysis, Task};
use crate::reporting::{Plan, View};
use crate::{Outcome, history, reporting, state};

/// Member accounts that are entered at the same time.
const ACCOUNTS_AT_ONCE: usize = 16;

/// Collects or replays, then judges and reports.
pub fn run(catalog: Arc<Catalog>, options: ScanAwsArguments, quiet: bool) -> anyhow::Result<Outcome> {
    // A broken rule, a mistake in the mutes or a folder that is not there is told before an hour of collecting.
    let plan = Plan::new(&catalog, &options.report)?;
    check_services(&options.services)?;
    let store = history::writable(&options.store)?;
    let analysis = match options.replay.replay.as_slice() {
        [] => pipeline::runtime()?.block_on(live(&catalog, &options, quiet))?,
        _ => pipeline::replay_services(&catalog, &options.replay, &options.services)?,
    };
    let outcome = reporting::report(&analysis, &plan, View::Summary, quiet)?;
    history::save(store.as_ref(), &analysis, &plan, quiet)?;
    Ok(outcome)
}

fn check_services(services: &[String]) -> anyhow::Result<()> {
    let known: BTreeSet<&str> = nepho_aws::tables::service_names().collect();
    for service in services {
        if !known.contains(service.as_str()) {
            match nepho_catalog::nearest(service, known.iter().copied()) {
                Some(near) => bail!("there is no service `{service}`; did you mean `{near}`?"),
                None => bail!("there is no service `{service}`; services are named as in the AWS CLI"),
            }
        }
    }
    Ok(())
}

/// Accounts that were asked for and are not in the organisation are a mistake, not an empty scan.
fn check_members(wanted: &[String], own: &str, members: &[OrganizationAccount]) -> anyhow::Result<()> {
    for account in wanted {
        if account != own && members.iter().all(|member| member.id != *account) {
            match nepho_catalog::nearest(account, members.iter().map(|member| member.id.as_str())) {
                Some(near) => bail!("account `{account}` is not in the organisation; did you mean `{near}`?"),
                None => bail!("account `{account}` is not in the organisation; leave out --accounts to scan all of it"),
            }
        }
    }
    Ok(())
}

/// Tries again what may pass by itself, four times at most; the same backoff as the engine's, without its limiter.
async fn patiently<T, F: Future<Output = Result<T, ConnectError>>>(ask: impl Fn() -> F) -> Result<T, ConnectError> {
    let mut wait = Duration::from_millis(200);
    for _ in 0..4 {
        match ask().await {
            Err(error) if passing(&error) => tokio::time::sleep(wait).await,
            other => return other,
        }
        wait *= 2;
    }
    ask().await
}

fn passing(error: &ConnectError) -> bool {
    error.failure().is_some_and(|failure| {
        use FailureKind::{Malformed, ServerFault, Throttled, TimedOut, Unreachable};
        matches!(failure.kind, Throttled | TimedOut | Unreachable | ServerFault | Malformed)
    })
}

async fn live(catalog: &Arc<Catalog>, options: &ScanAwsArguments, quiet: bool) -> anyhow::Result<Analysis> {
    let timeout = Duration::from_secs(options.call_timeout);
    let connect = ConnectOptions {
        profile: options.profile.clone(),
        external_id: options.external_id.clone(),
        timeouts: Timeouts { call: timeout, ..Timeouts::default() },
        ..ConnectOptions::default()
    };
    let client = AwsClient::connect(connect).await?;
    let identity = patiently(|| client.identity()).await?;
    let mut notes = Vec::new();
    let mut barred = Vec::new();

    let mut accounts = vec![identity.account.clone()];
    if options.organization {
        let members = patiently(|| client.organization_accounts())
            .await
            .context("listing the organisation's accounts (run it from the management or a delegated account)")?;
        check_members(&options.accounts, &identity.account, &members)?;
        let wanted = members.iter().filter(|member| {
            member.id != identity.account && (options.accounts.is_empty() || options.accounts.contains(&member.id))
        });
        let (active, others): (Vec<_>, Vec<_>) = wanted.partition(|member| member.status == "ACTIVE");
        for member in others {
            notes.push(format!("account {} ({}) is {}: not scanned", member.id, member.name, member.status));
        }
        let entered = futures::stream::iter(active)
            .map(async |member| (member, patiently(|| client.enter_account(&member.id, &options.role)).await))
            .buffered(ACCOUNTS_AT_ONCE);
        for (member, entered) in entered.collect::<Vec<_>>().await {
            match entered {
                Ok(()) => accounts.push(member.id.clone()),
                // A member that cannot be entered is coverage, not failure.
                Err(error) => barred.push(not_entered(&member.id, &error)),
            }
        }
        if !options.accounts.is_empty() && !options.accounts.contains(&identity.account) {
            accounts.retain(|account| *account != identity.account);
        }
    }
    let home: Arc<str> = endpoints::home_region(&identity.partition).into();
    let mut scopes = Vec::new();
    let asked = futures::stream::iter(&accounts)
        .map(async |account| (account, regions(&client, account, &identity.partition, &options.regions).await))
        .buffered(ACCOUNTS_AT_ONCE);
    for (account, asked) in asked.collect::<Vec<_>>().await {
        let (regions, note) = asked?;
        notes.extend(note);
        scopes.push(AccountScope {
            account: account.as_str().into(),
            partition: identity.partition.as_str().into(),
            home_region: home.clone(),
            regions,
        });
    }

    let now = Timestamp::now();
    let folder = match &options.record {
        Some(folder) => folder.clone(),
        None => state::new_recording(now)?,
    };
    let manifest = Manifest {
        services: options.services.clone(),
        gaps: barred.clone(),
        notes: notes.clone(),
        ..Manifest::new(identity.partition.clone(), &scopes)?
    };
    let (source, recorder, started) = match options.resume {
        true => {
            let resumed = Recorder::resume(&folder, &manifest, ReplayOptions::default())?;
            (Source::Resume(Arc::new(resumed.replay)), resumed.recorder, resumed.manifest.started)
        }
        false => (Source::Live, Recorder::create(&folder, &manifest)?, manifest.started),
    };
    let clock = options.replay.at.unwrap_or(started);
    let task = Task {
        accounts: scopes,
        provider: Arc::new(client),
        source,
        options: Options {
            in_flight: options.concurrency.max(1),
            attempt_timeout: timeout,
            call_timeout: timeout.saturating_mul(5),
            collection_timeout: Some(Duration::from_secs(options.timeout)),
            cancellation: on_interrupt(),
            ..Options::default()
        },
        recorder: Some(recorder),
        services: options.services.clone(),
        quiet,
        name: "aws".to_owned(),
        clock,
        notes,
        coverage: barred,
    };
    let (mut analysis, summary) = pipeline::analyse(catalog, task).await?;
    analysis.recordings = vec![folder.clone()];
    if summary.nothing_reached() {
        let first = summary.coverage.iter().find(|entry| !entry.state.is_complete());
        bail!(
            "no endpoint could be reached{}; check the network, a proxy or AWS_ENDPOINT_URL",
            first.map(|entry| format!(" ({}: {})", entry.call, entry.message)).unwrap_or_default()
        );
    }
    state::remember(&folder)?;
    if !quiet {
        eprintln!("recording: {}", folder.display());
    }
    Ok(analysis)
}

/// Ctrl-C ends the collection: what was read is reported, the rest is coverage. A second one ends the program.
fn on_interrupt() -> Cancellation {
    let cancellation = Cancellation::default();
    let asked = cancellation.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_err() {
            return;
        }
        asked.cancel();
        eprintln!(
            "stopping: what was read so far is reported, `--resume` goes on from there; once more to end at once"
        );
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(130);
        }
    });
    cancellation
}

/// The gap that an account leaves that could not be entered.
fn not_entered(account: &str, error: &ConnectError) -> CoverageEntry {
    let failure = error.failure();
    CoverageEntry {
        account: account.into(),
        region: "global".into(),
        kind: "".into(),
        call: "sts:AssumeRole".into(),
        state: failure.map_or(CoverageState::Failed, |failure| failure.kind.coverage()),
        code: failure.map_or("", |failure| failure.code.as_str()).into(),
        message: failure.map_or_else(|| error.to_string(), |failure| failure.message.clone()).into(),
        lists: true,
        items: 0,
    }
}

/// The regions to read in an account. Where the account will not say which are on, all of the partition's are tried but for
/// those that do not know the account's credentials.
async fn regions(
    client: &AwsClient,
    account: &str,
    partition: &str,
    wanted: &[String],
) -> anyhow::Result<(Vec<RegionScope>, Option<String>)> {
    let all = wanted.iter().any(|name| name == "all");
    let known = endpoints::regions_of(partition);
    if let Some(name) = wanted.iter().find(|name| *name != "all" && !known.contains(&name.as_str())) {
        match nepho_catalog::nearest(name, known.iter().copied()) {
            Some(near) => bail!("there is no region `{name}` in partition {partition}; did you mean `{near}`?"),
            None => bail!("there is no region `{name}` in partition {partition}; there are {}", known.join(", ")),
        }
    }
    let mut note = None;
    let listed = match patiently(|| client.regions(account)).await {
        Ok(regions) => regions.into_iter().map(|region| (region.name, region.enabled)).collect(),
        Err(error) => {
            let tried: Vec<&str> =
                known.iter().copied().filter(|name| all || wanted.iter().any(|wanted| wanted == name)).collect();
            let off = client.regions_off(account, &tried).await;
            note = Some(match off.as_slice() {
                [] => format!("account {account} does not say which regions are on ({error}): all are tried"),
                off => format!(
                    "account {account} does not say which regions are on ({error}): all are tried but {}, where its \
                     credentials are not known",
                    off.join(", ")
                ),
            });
            tried.into_iter().map(|name| (name.to_owned(), !off.iter().any(|off| off == name))).collect::<Vec<_>>()
        }
    };
    let regions = listed
        .into_iter()
        .filter(|(name, _)| all || wanted.contains(name))
        .map(|(name, enabled)| RegionScope { name: name.into(), enabled })
        .collect();
    Ok((regions, note))
}
