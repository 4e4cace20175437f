//! Finds the recorded answer to a call.
//!
//! In this order: the same parameters; the same but for how a resource is named (ARN, URL, name); an answer that was
//! asked for without some of our parameters, where these only filter (none of them says which resource is meant), if
//! there is exactly one. For calls that describe many resources at once, an answer about more of them will do, since
//! what it holds is told apart by id.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Map, Value as Json};

use super::Replay;
use super::line::Body;
use super::names::{plain, same_text, service, tail};
use super::replay::is_no_region;
use crate::{Call, Provider};

/// Parameters of paging and page size, by any API's or tool's name for them (lower case, without separators).
const PAGING: [&str; 26] = [
    "nexttoken",
    "marker",
    "maxitems",
    "maxresults",
    "maxrecords",
    "pagesize",
    "startingtoken",
    "startingposition",
    "continuationtoken",
    "maxkeys",
    "exclusivestarttablename",
    "exclusivestartkey",
    "pagetoken",
    "maxpagesize",
    "nextmarker",
    "paginationtoken",
    "nextpagetoken",
    "position",
    "numberofresults",
    "perpage",
    "exclusivestartstreamname",
    "exclusivestartstreamarn",
    "nextforwardtoken",
    "fetchsize",
    "resultspertpage",
    "maxdatapoints",
];

/// Answers compared one by one when nothing matches exactly; with more, only exact names are looked up.
const COMPARED: usize = 20_000;

/// Operations that were never asked for, told by name.
const UNUSED_TOLD: usize = 20;

fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    match nepho_catalog::nearest(name, known) {
        Some(near) => format!("is `{near}` meant?"),
        None => "no kind asks for it".to_owned(),
    }
}

/// A recording's answers by call.
#[derive(Debug)]
pub(crate) struct Index {
    replay: Arc<Replay>,
    operations: HashMap<String, Operation>,
}

#[derive(Debug, Default)]
struct Operation {
    answers: Vec<Answer>,
    exact: HashMap<String, Vec<usize>>,
    by_tail: HashMap<String, Vec<usize>>,
}

/// All pages of one call.
#[derive(Debug)]
struct Answer {
    account: Arc<str>,
    region: Arc<str>,
    parameters: Vec<(String, Json)>,
    /// Positions of the recording's lines.
    pages: Vec<usize>,
    /// Whether a call was ever answered with it.
    used: AtomicBool,
}

/// What is known of a call beside its parameters.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hints<'a> {
    /// Parameters that say which resource is meant.
    pub identifying: &'a [String],
    /// The parameter that takes many values.
    pub batch: Option<&'a str>,
    /// The service has no regions of its own: whichever region was noted will do.
    pub any_region: bool,
    /// Only the same parameters and region will do.
    pub strict: bool,
}

fn operation_key(name: &str, operation: &str) -> String {
    format!("{} {}", plain(&service(name)), plain(operation))
}

impl Index {
    pub fn new(replay: Arc<Replay>, provider: &dyn Provider) -> Self {
        let mut operations: HashMap<String, Operation> = HashMap::new();
        for (at, line) in replay.lines.iter().enumerate() {
            let pagination = provider.pagination(&service(&line.service), &line.operation);
            let paging: Vec<String> = pagination
                .iter()
                .flat_map(|pagination| pagination.input_tokens.iter().chain(&pagination.limit_key))
                .map(|name| plain(name))
                .collect();
            let parameters = normal(&line.parameters, &paging, &line.account);
            let operation = operations.entry(operation_key(&line.service, &line.operation)).or_default();
            let key = format!("{} {}", line.account, canonical(&parameters, false));
            let known = operation.exact.entry(key).or_default();
            let same = known
                .iter()
                .copied()
                .find(|answer| operation.answers.get(*answer).is_some_and(|answer| answer.region == line.region));
            match same.and_then(|answer| operation.answers.get_mut(answer)) {
                Some(answer) => add_page(&replay, answer, at, line.page),
                None => {
                    let number = operation.answers.len();
                    known.push(number);
                    let tails = format!("{} {}", line.account, canonical(&parameters, true));
                    operation.by_tail.entry(tails).or_default().push(number);
                    operation.answers.push(Answer {
                        account: line.account.clone(),
                        region: line.region.clone(),
                        parameters,
                        pages: vec![at],
                        used: AtomicBool::new(false),
                    });
                }
            }
        }
        Self { replay, operations }
    }

    /// The pages of the answer to a call, as positions for [`Index::page`].
    pub fn find(&self, call: &Call, hints: Hints<'_>) -> Option<&[usize]> {
        let answer = self.answer(call, hints)?;
        answer.used.store(true, Ordering::Relaxed);
        Some(&answer.pages)
    }

    fn answer(&self, call: &Call, hints: Hints<'_>) -> Option<&Answer> {
        let operation = self.operations.get(&operation_key(&call.service, &call.operation))?;
        let parameters = normal(&call.parameters, &[], &call.account);
        let exact = format!("{} {}", call.account, canonical(&parameters, false));
        if let Some(known) = operation.exact.get(&exact)
            && let Some(answer) = operation.choose(known, call, hints)
        {
            return Some(answer);
        }
        if hints.strict {
            return None;
        }
        let tails = format!("{} {}", call.account, canonical(&parameters, true));
        if let Some(known) = operation.by_tail.get(&tails) {
            let same: Vec<usize> = known
                .iter()
                .copied()
                .filter(|answer| {
                    operation
                        .answers
                        .get(*answer)
                        .is_some_and(|answer| same_parameters(&parameters, &answer.parameters))
                })
                .collect();
            if let Some(answer) = operation.choose(&same, call, hints) {
                return Some(answer);
            }
        }
        if operation.answers.len() > COMPARED || parameters.is_empty() {
            return None;
        }
        let fitting: Vec<usize> = (0..operation.answers.len())
            .filter(|answer| {
                operation
                    .answers
                    .get(*answer)
                    .is_some_and(|answer| answer.account == call.account && answers_more(&parameters, answer, hints))
            })
            .collect();
        let one = |answer: usize| operation.choose(&[answer], call, hints);
        let fitting: Vec<&Answer> = fitting.into_iter().filter_map(one).collect();
        match fitting.as_slice() {
            [answer] => Some(answer),
            // Any answer about at least these resources says the same of them.
            [answer, ..] if hints.batch.is_some() => Some(answer),
            _ => None,
        }
    }

    /// What was recorded and never asked for, by operation, and why that may be; `wanted` are the services and
    /// operations that kinds ask for. `None` when all was used, and for recordings of collections, which hold what
    /// the kinds of their time asked for.
    pub fn unused(&self, wanted: &BTreeSet<(Arc<str>, Arc<str>)>) -> Option<String> {
        if !self.replay.is_made_by_hand() {
            return None;
        }
        let mut lines: BTreeMap<(&str, &str, bool), usize> = BTreeMap::new();
        let answers = self.operations.values().flat_map(|operation| &operation.answers);
        for answer in answers.filter(|answer| !answer.used.load(Ordering::Relaxed)) {
            if let Some(line) = answer.pages.first().and_then(|page| self.replay.lines.get(*page)) {
                let count = lines.entry((&line.service, &line.operation, line.region.is_empty())).or_default();
                *count = count.saturating_add(answer.pages.len());
            }
        }
        let wanted_keys: BTreeSet<String> =
            wanted.iter().map(|(service, operation)| operation_key(service, operation)).collect();
        let services: BTreeSet<&str> = wanted.iter().map(|(service, _)| service.as_ref()).collect();
        let told = |((name, operation, nowhere), count): (&(&str, &str, bool), &usize)| {
            let own = service(name);
            let is_service = services.iter().any(|known| plain(known) == plain(&own));
            let reason = if wanted_keys.contains(&operation_key(name, operation)) {
                match nowhere {
                    true => "its region is missing".to_owned(),
                    false => "not with these parameters in this account and region".to_owned(),
                }
            } else if is_service {
                let of_service = wanted.iter().filter(|(known, _)| plain(known) == plain(&own));
                // Most are real operations that no kind needs; only slips are mended.
                let alike = |known: &&str| known.len().abs_diff(plain(operation).len()) <= 2;
                near(&plain(operation), of_service.map(|(_, operation)| operation.as_ref()).filter(alike))
            } else {
                near(&own, services.iter().copied())
            };
            format!("`{name}:{operation}` ({count}; {reason})")
        };
        let mut told: Vec<String> = lines.iter().map(told).collect();
        let more = told.len().saturating_sub(UNUSED_TOLD);
        told.truncate(UNUSED_TOLD);
        if more > 0 {
            told.push(format!("and {more} more operations"));
        }
        (!told.is_empty()).then(|| format!("recorded answers that were never asked for: {}", told.join(", ")))
    }

    pub fn page(&self, position: usize) -> Option<(Option<u32>, &Body)> {
        self.replay.lines.get(position).map(|line| (line.page, &line.body))
    }
}

/// Adds a page. The first of a new answer takes the place of an earlier one, and so does a page of the same number;
/// without numbers, a repeated line counts once.
fn add_page(replay: &Replay, answer: &mut Answer, at: usize, page: Option<u32>) {
    let line = |at: usize| replay.lines.get(at);
    match page {
        Some(1) => answer.pages.clear(),
        Some(page) => {
            answer.pages.retain(|other| line(*other).is_none_or(|line| line.page != Some(page)));
            let later = |other: &usize| line(*other).and_then(|line| line.page).is_some_and(|other| other > page);
            if let Some(position) = answer.pages.iter().position(later) {
                answer.pages.insert(position, at);
                return;
            }
        }
        None => {
            if let (Some(last), Some(new)) = (answer.pages.last().copied().and_then(line), line(at)) {
                if last.page.is_none() && last.body == new.body {
                    return;
                }
                if matches!(last.body, Body::Error(_)) {
                    answer.pages.clear();
                }
            }
        }
    }
    answer.pages.push(at);
}

impl Operation {
    /// The answer of the call's own region, else (where regions do not matter) any.
    fn choose(&self, answers: &[usize], call: &Call, hints: Hints<'_>) -> Option<&Answer> {
        let all = || answers.iter().filter_map(|answer| self.answers.get(*answer));
        all()
            .find(|answer| answer.region == call.region)
            .or_else(|| all().find(|answer| !hints.strict && (hints.any_region || is_no_region(&answer.region))))
    }
}

/// Parameters that say whose resources are meant.
const OWNERS: [&str; 4] = ["owner", "owners", "ownerids", "resourceowner"];

/// Parameters without which an answer holds what is not the account's own, or what is there no more.
const SCOPES: [&str; 9] = [
    "isowned",
    "scope",
    "snapshottype",
    "includeshared",
    "includepublic",
    "type",
    "status",
    "clusterstates",
    "instancestates",
];

/// Whether what an answer holds is further narrowed by this parameter in a way that its items do not show.
fn narrows(name: &str, value: &Json) -> bool {
    fn says_own(value: &Json) -> bool {
        match value {
            Json::String(text) => text.eq_ignore_ascii_case("self"),
            Json::Array(items) => items.iter().any(says_own),
            Json::Object(fields) => fields.values().any(says_own),
            _ => false,
        }
    }
    OWNERS.contains(&name) || SCOPES.contains(&name) || says_own(value)
}

/// Owners by one name: the account's own id is `self`.
fn owners(value: &Json, account: &str) -> Json {
    match value {
        Json::Array(items) => Json::Array(items.iter().map(|item| owners(item, account)).collect()),
        Json::String(text) if text == account => Json::from("self"),
        Json::String(text) if text.eq_ignore_ascii_case("self") => Json::from("self"),
        Json::Number(number) if format!("{:0>12}", number.to_string()) == account => Json::from("self"),
        other => other.clone(),
    }
}

/// Parameters without those of paging and without empty ones, by name.
fn normal(parameters: &Map<String, Json>, paging: &[String], account: &str) -> Vec<(String, Json)> {
    let is_empty = |value: &Json| match value {
        Json::Null => true,
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => fields.is_empty(),
        Json::String(text) => text.is_empty(),
        _ => false,
    };
    let mut normal: Vec<(String, Json)> = parameters
        .iter()
        .filter(|(_, value)| !is_empty(value))
        .map(|(name, value)| {
            let name = plain(name);
            let value = if OWNERS.contains(&name.as_str()) { owners(value, account) } else { value.clone() };
            (name, value)
        })
        .filter(|(name, _)| !PAGING.contains(&name.as_str()) && !paging.contains(name))
        .collect();
    normal.sort_by(|left, right| left.0.cmp(&right.0));
    normal
}

fn canonical(parameters: &[(String, Json)], tails: bool) -> String {
    let mut text = String::new();
    for (name, value) in parameters {
        text.push_str(name);
        text.push('=');
        write_canonical(value, tails, &mut text);
        text.push(';');
    }
    text
}

fn write_canonical(value: &Json, tails: bool, text: &mut String) {
    match value {
        Json::Array(items) => {
            let mut parts: Vec<String> = items
                .iter()
                .map(|item| {
                    let mut part = String::new();
                    write_canonical(item, tails, &mut part);
                    part
                })
                .collect();
            parts.sort();
            text.push_str(&format!("{parts:?}"));
        }
        Json::Object(fields) => {
            let mut fields: Vec<(&String, &Json)> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (name, value) in fields {
                text.push_str(name);
                text.push(':');
                write_canonical(value, tails, text);
                text.push(',');
            }
            text.push('}');
        }
        scalar => {
            let scalar = scalar_text(scalar);
            text.push_str(if tails { tail(&scalar) } else { &scalar });
        }
    }
}

fn scalar_text(value: &Json) -> Cow<'_, str> {
    match value {
        Json::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

fn same_value(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Array(left), Json::Array(right)) => {
            left.len() == right.len() && left.iter().all(|item| right.iter().any(|other| same_value(item, other)))
        }
        (Json::Object(left), Json::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, value)| right.get(name).is_some_and(|other| same_value(value, other)))
        }
        // One value and a list of just it.
        (Json::Array(list), one) | (one, Json::Array(list)) => {
            matches!(list.as_slice(), [only] if same_value(only, one))
        }
        (Json::Object(_), _) | (_, Json::Object(_)) => false,
        (left, right) => same_text(&scalar_text(left), &scalar_text(right)),
    }
}

fn same_parameters(left: &[(String, Json)], right: &[(String, Json)]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).all(|(left, right)| left.0 == right.0 && same_value(&left.1, &right.1))
}

/// Whether an answer was asked for with some of our parameters only, those lacking being filters, or about more
/// resources at once than we ask for.
fn answers_more(ours: &[(String, Json)], answer: &Answer, hints: Hints<'_>) -> bool {
    let batch = hints.batch.map(plain);
    let is_batch = |name: &str| batch.as_deref() == Some(name);
    let is_identifying =
        |name: &str| !is_batch(name) && hints.identifying.iter().any(|identifying| plain(identifying) == name);
    let contains = |recorded: &Json, wanted: &Json| match (recorded, wanted) {
        (Json::Array(recorded), Json::Array(wanted)) => {
            wanted.iter().all(|item| recorded.iter().any(|other| same_value(item, other)))
        }
        _ => same_value(recorded, wanted),
    };
    let recorded_fit = answer.parameters.iter().all(|(name, recorded)| {
        ours.iter().any(|(own, value)| {
            own == name && if is_batch(name) { contains(recorded, value) } else { same_value(recorded, value) }
        })
    });
    let lacking_may_be = |(name, value): &(String, Json)| {
        is_batch(name)
            || !(is_identifying(name) || narrows(name, value))
            || answer.parameters.iter().any(|(recorded, _)| recorded == name)
    };
    recorded_fit && ours.iter().all(lacking_may_be)
}
