//! `identity right-size`

use std::ffi::OsStr;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use nepho_catalog::Catalog;
use nepho_graph::Graph;
use nepho_identity::actions::Catalogue;
use nepho_identity::rightsize::{Options, RightSized, Subject, right_size};
use nepho_identity::usage::{LastAccessed, Reader, Usage};
use nepho_identity::{Context, Directory, Identity, is_account};
use nepho_model::Value;
use nepho_report::one_line;
use serde_json::Value as Json;

use super::principal;
use crate::arguments::{PolicyFormat, RightSizeArguments};
use crate::{Outcome, output, pipeline};

pub fn run(catalog: &Arc<Catalog>, options: &RightSizeArguments) -> anyhow::Result<Outcome> {
    let accessed = options.last_accessed.as_deref().map(last_accessed).transpose()?;
    let analysis = pipeline::replay(catalog, &options.replay)?;
    let graph = &analysis.estate.graph;
    let directory = Directory::of(graph);
    let id = principal(&directory, &options.principal)?;
    let identity = directory.identity(id);
    let usage = read(options, identity)?;
    report_troubles(&usage);

    let mut context = Context::over(&identity.context);
    // Services act for the principal in some of the events.
    context.set_unknown("aws:ViaAWSService");
    let tags = tags(graph, identity);
    let known: Vec<Box<str>> =
        graph.nodes().map(|node| node.key()).filter(|key| key.starts_with("arn:")).map(Into::into).collect();
    let subject = Subject {
        principal: &identity.principal,
        policies: directory.policies_of(id).identity,
        context: &context,
        tags: &tags,
        known: &known,
    };
    let least = Options { least_days: options.days, ..Options::default() };
    let result = match right_size(&subject, &usage, accessed.as_ref(), Catalogue::embedded(), least) {
        Ok(result) => result,
        Err(refusal) => bail!("no policy is proposed for {}: {refusal}", identity.arn),
    };
    if let Some(lost) = result.proof.lost.first() {
        // A mistake of ours: better no policy than one that breaks something.
        bail!("the policy would not allow `{}` any more, which was used: nothing is proposed", lost.action);
    }
    match options.format {
        PolicyFormat::Json => {
            let mut documents = result.documents();
            match documents.len() {
                1 => output::json(&documents.remove(0))?,
                _ => output::json(&Json::Array(documents))?,
            }
        }
        PolicyFormat::Terraform => output::text(&result.terraform(&format!("{}-right-sized", identity.name)))?,
        PolicyFormat::Diff => result.diff().lines().try_for_each(|line| {
            let (sign, text) = line.split_at_checked(1).unwrap_or_default();
            output::line(&format!("{sign}{}", one_line(text)))
        })?,
    }
    explain(&result, &usage, identity);
    let is_incomplete = identity.unread || !usage.troubles.is_empty();
    Ok(if is_incomplete { Outcome::Incomplete } else { Outcome::Done })
}

fn last_accessed(path: &Path) -> anyhow::Result<LastAccessed> {
    let name = path.display();
    let text = std::fs::read(path).with_context(|| format!("reading `{name}`"))?;
    let answer = serde_json::from_slice(&text).with_context(|| format!("`{name}` is no JSON"))?;
    LastAccessed::of(&answer)
        .map_err(|error| anyhow::anyhow!("`{name}` is no answer of GetServiceLastAccessedDetails: {error}"))
}

fn tags(graph: &Graph, identity: &Identity) -> Vec<(Box<str>, Box<str>)> {
    let tags = graph.node(identity.node).map(|node| node.tags());
    let Some(Value::Map(tags)) = tags else { return Vec::new() };
    let text = |value: &Value| match value {
        Value::String(text) => Some((**text).into()),
        _ => None,
    };
    tags.iter().filter_map(|(name, value)| Some(((**name).into(), text(value)?))).collect()
}

/// Reads the events of the principal's account.
fn read(options: &RightSizeArguments, identity: &Identity) -> anyhow::Result<Usage> {
    let mut reader = Reader::new(Catalogue::embedded(), Some(identity.principal.clone()));
    for path in &options.events {
        if path.as_os_str() == "-" {
            reader.read("standard input", std::io::stdin().lock());
            continue;
        }
        let of = std::fs::metadata(path).with_context(|| format!("opening the events `{}`", path.display()))?;
        let mut files = vec![path.clone()];
        if of.is_dir() {
            files.clear();
            walk(path, &identity.account, 0, &mut files)
                .with_context(|| format!("listing the folder `{}`", path.display()))?;
        }
        for file in files {
            let name = file.display().to_string();
            match File::open(&file) {
                Ok(file) => reader.read(&name, BufReader::with_capacity(256 << 10, file)),
                Err(_) => reader.unreadable(&name),
            }
        }
    }
    Ok(reader.finish())
}

/// Folders below this many others are not a trail's.
const MOST_LEVELS: usize = 40;

/// The files of events in a folder, in the order of their names. Of a trail's folders (`AWSLogs/ACCOUNT/CloudTrail/…`) those
/// of other accounts, of digests and of insights have nothing of the principal's.
fn walk(folder: &Path, account: &str, level: usize, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        // Links are followed to files only, so that folders can't go round in circles.
        if entry.file_type()?.is_dir() {
            let is_other = is_account(&name) && *name != *account && is_below_logs(folder);
            let is_no_trail = ["CloudTrail-Digest", "CloudTrail-Insight"].contains(&&*name);
            if !is_other && !is_no_trail && level < MOST_LEVELS {
                walk(&path, account, level + 1, files)?;
            }
        } else if is_of_events(&path, &name) {
            files.push(path);
        }
    }
    Ok(())
}

/// Whether a folder has one for each account: `AWSLogs`, with an organisation's id below it or not.
fn is_below_logs(folder: &Path) -> bool {
    let is = |folder: Option<&Path>| folder.and_then(Path::file_name) == Some(OsStr::new("AWSLogs"));
    is(Some(folder)) || is(folder.parent())
}

fn is_of_events(path: &Path, name: &str) -> bool {
    let is = |ending: &str| path.extension().is_some_and(|of| of.eq_ignore_ascii_case(ending));
    // The signature beside the results of a query.
    name != "result_sign.json" && ["json", "jsonl", "ndjson", "gz", "csv"].into_iter().any(is)
}

fn report_troubles(usage: &Usage) {
    /// More are only counted.
    const SHOWN: usize = 20;
    for trouble in usage.troubles.iter().take(SHOWN) {
        let times = if trouble.count > 1 { format!(" ({} times)", trouble.count) } else { String::new() };
        eprintln!("warning: `{}` {}{times}", one_line(&trouble.file), trouble.fault);
    }
    let more = usage.troubles.len().saturating_sub(SHOWN) as u64 + usage.more_troubles;
    if more > 0 {
        eprintln!("warning: {more} more faults like these");
    }
}

/// What the policy rests on, to standard error: the policy itself can be passed on.
fn explain(result: &RightSized, usage: &Usage, identity: &Identity) {
    let say = |text: String| eprintln!("{}", one_line(&text));
    if let Some((first, last)) = usage.time {
        say(format!("{} events of {} files, from {first} to {last}", usage.events, usage.files));
    }
    if identity.unread {
        say("warning: not all of today's policies could be read: what only they allow is missing here".to_owned());
    }
    say(format!("all {} uses that today's policies allow stay allowed", result.proof.asked));
    let (before, after) = (result.pairs.before, result.pairs.after);
    say(format!("permitted (action, resource) pairs: {before} before, {after} after"));
    for kept in &result.kept {
        let actions = if kept.actions == 1 { "1 action".to_owned() } else { format!("{} actions", kept.actions) };
        say(format!("kept: {actions} of {}: {}", kept.service, kept.gap.describe()));
    }
    for need in &result.not_today {
        say(format!("used, but not allowed by the principal's own policies today: {need}"));
    }
    for (action, dependent) in &result.dependents {
        say(format!(
            "perhaps needed: {dependent}, which {action} can need too, was not seen in use and is not in the policy"
        ));
    }
    for note in &result.notes {
        say(format!("note: {note}"));
    }
    for of in &result.suggestions {
        say(format!("could be added: {} {} {}: {}", of.operator, of.key, of.values.join(", "), of.note));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::walk;

    #[test]
    fn of_a_trails_folders_those_of_the_account_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = [
            "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/02/a.json.gz",
            "AWSLogs/111122223333/CloudTrail-Lake/Query/2026/03/02/id/result_1.csv.gz",
            "AWSLogs/o-abc/111122223333/CloudTrail/eu-west-1/2026/03/02/b.json",
            "by-hand/444455556666/c.jsonl",
        ];
        let others = [
            "AWSLogs/444455556666/CloudTrail/eu-west-1/2026/03/02/d.json.gz",
            "AWSLogs/o-abc/444455556666/CloudTrail/eu-west-1/2026/03/02/e.json.gz",
            "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/03/02/f.json.gz",
            "AWSLogs/111122223333/CloudTrail-Lake/Query/2026/03/02/id/result_sign.json",
            "notes.txt",
        ];
        for name in wanted.iter().chain(&others) {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let mut files = Vec::new();
        walk(folder.path(), "111122223333", 0, &mut files).unwrap();
        let found = |name: &&str| files.contains(&folder.path().join(name));
        assert!(wanted.iter().all(found), "{files:?}");
        assert_eq!(files.len(), wanted.len(), "{files:?}");
    }
}
