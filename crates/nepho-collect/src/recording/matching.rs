//! Finds the recorded answer to a call.
//!
//! In this order: the same parameters; the same but for how a resource is named (ARN, URL, name); an answer that was
//! asked for without some of our parameters, where these only filter (none of them says which resource is meant), if
//! there is exactly one. For calls that describe many resources at once, an answer about more of them will do, since
//! what it holds is told apart by id.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::Replay;
use super::line::Body;
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

fn plain(name: &str) -> String {
    name.chars().filter(|character| !matches!(character, '-' | '_')).flat_map(char::to_lowercase).collect()
}

fn operation_key(service: &str, operation: &str) -> String {
    let service = match service {
        "s3api" => "s3",
        "configservice" => "config",
        other => other,
    };
    format!("{service} {}", plain(operation))
}

impl Index {
    pub fn new(replay: Arc<Replay>, provider: &dyn Provider) -> Self {
        let mut operations: HashMap<String, Operation> = HashMap::new();
        for (at, line) in replay.lines.iter().enumerate() {
            let pagination = provider.pagination(&line.service, &line.operation);
            let paging: Vec<String> = pagination
                .iter()
                .flat_map(|pagination| pagination.input_tokens.iter().chain(&pagination.limit_key))
                .map(|name| plain(name))
                .collect();
            let parameters = normal(&line.parameters, &paging);
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
                    });
                }
            }
        }
        Self { replay, operations }
    }

    /// The pages of the answer to a call, as positions for [`Index::page`].
    pub fn find(&self, call: &Call, hints: Hints<'_>) -> Option<&[usize]> {
        let operation = self.operations.get(&operation_key(&call.service, &call.operation))?;
        let parameters = normal(&call.parameters, &[]);
        let exact = format!("{} {}", call.account, canonical(&parameters, false));
        if let Some(known) = operation.exact.get(&exact)
            && let Some(answer) = operation.choose(known, call, hints)
        {
            return Some(&answer.pages);
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
                return Some(&answer.pages);
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
            [answer] => Some(&answer.pages),
            // Any answer about at least these resources says the same of them.
            [answer, ..] if hints.batch.is_some() => Some(&answer.pages),
            _ => None,
        }
    }

    pub fn page(&self, position: usize) -> Option<(Option<u32>, &Body)> {
        self.replay.lines.get(position).map(|line| (line.page, &line.body))
    }
}

/// Adds a page: the first of a new answer takes the place of an earlier one, a repeated line counts once.
fn add_page(replay: &Replay, answer: &mut Answer, at: usize, page: Option<u32>) {
    let body = |at: usize| replay.lines.get(at).map(|line| &line.body);
    let last = answer.pages.last().copied();
    if page == Some(1) {
        answer.pages.clear();
    } else if let (Some(last), Some(new)) = (last.and_then(body), body(at)) {
        if last == new {
            return;
        }
        if matches!(last, Body::Error(_)) && page.is_none() {
            answer.pages.clear();
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

/// Parameters without those of paging and without empty ones, by name.
fn normal(parameters: &Map<String, Json>, paging: &[String]) -> Vec<(String, Json)> {
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
        .map(|(name, value)| (plain(name), value.clone()))
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

/// The last part of a name.
fn tail(text: &str) -> &str {
    let text = text.strip_suffix(":*").unwrap_or(text).trim_end_matches('/');
    text.rsplit(['/', ':']).next().unwrap_or(text)
}

/// Whether a text names a resource by where it is, rather than by name.
fn is_locator(text: &str) -> bool {
    text.starts_with("arn:") || text.starts_with("https://") || text.starts_with("http://")
}

/// Whether two texts name the same resource.
fn same_text(left: &str, right: &str) -> bool {
    if left == right {
        return true;
    }
    let (left, right) = (left.strip_suffix(":*").unwrap_or(left), right.strip_suffix(":*").unwrap_or(right));
    let names = |locator: &str, name: &str| {
        !name.is_empty()
            && locator
                .strip_suffix(name)
                .is_some_and(|before| before.ends_with(['/', ':']) || name.starts_with('/') && before.ends_with(':'))
    };
    match (is_locator(left), is_locator(right)) {
        (false, false) => left == right,
        (true, false) => names(left, right),
        (false, true) => names(right, left),
        // Two ARNs differ in some part; an ARN and an address may still name the same.
        (true, true) => {
            left == right || (left.starts_with("arn:") != right.starts_with("arn:") && tail(left) == tail(right))
        }
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
    recorded_fit
        && ours
            .iter()
            .all(|(name, _)| !is_identifying(name) || answer.parameters.iter().any(|(recorded, _)| recorded == name))
}

#[cfg(test)]
mod tests {
    use super::same_text;

    #[test]
    fn names_of_the_same_resource() {
        for (left, right, same) in [
            ("arn:aws:sns:us-east-1:111122223333:alerts", "alerts", true),
            ("arn:aws:iam::1:role/path/r", "r", true),
            ("arn:aws:iam::1:role/path/r", "path/r", true),
            ("arn:aws:iam::1:role/a", "arn:aws:iam::2:role/a", false),
            ("https://sqs.us-east-1.amazonaws.com/1/q", "q", true),
            ("https://sqs.us-east-1.amazonaws.com/1/q", "arn:aws:sqs:us-east-1:1:q", true),
            ("arn:aws:logs:us-east-1:1:log-group:/aws/x:*", "/aws/x", true),
            ("/aws/lambda/x", "/aws/codebuild/x", false),
            ("ab", "b", false),
            ("arn:aws:sns:us-east-1:1:my-alerts", "alerts", false),
        ] {
            assert_eq!(same_text(left, right), same, "{left} {right}");
            assert_eq!(same_text(right, left), same, "{right} {left}");
        }
    }
}
