//! Runs the case files of kinds (`<resource>.cases.yaml`): answers in, resources compared.

use std::collections::BTreeSet;
use std::sync::Arc;

use nepho_catalog::case::{CaseAnswer, ExpectedResource, KindCase, KindCases};
use nepho_catalog::{Catalog, Kind};
use nepho_model::{Resource, Timestamp, Value};
use serde_json::{Value as Json, json};

use crate::{AccountScope, Collection, CompiledKinds, Options, Provider, RegionScope, Replay, Source, collect};

/// Account of answers that name none.
const ACCOUNT: &str = "111122223333";
/// Region of answers that name none.
const REGION: &str = "us-east-1";

/// A case that did not come out as it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseFailure {
    /// The kind.
    pub kind: String,
    /// The case; empty when all of the file is concerned.
    pub case: String,
    /// What is different.
    pub message: String,
}

impl std::fmt::Display for CaseFailure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}, case `{}`: {}", self.kind, self.case, self.message)
    }
}

/// Runs all cases of one kind through a replay. The provider serves for its tables only.
pub async fn run(kind_id: &str, cases: &KindCases, catalog: &Catalog, provider: Arc<dyn Provider>) -> Vec<CaseFailure> {
    let failure =
        |case: &str, message: String| CaseFailure { kind: kind_id.to_owned(), case: case.to_owned(), message };
    let kinds = with_parents(kind_id, catalog);
    let Some(kind) = kinds.first() else { return vec![failure("", "there is no such kind".to_owned())] };
    let compiled = match CompiledKinds::compile(kinds.iter().copied(), provider.as_ref()) {
        Ok(compiled) => Arc::new(compiled),
        Err(errors) => return errors.into_iter().map(|error| failure("", error.to_string())).collect(),
    };
    let mut failures = Vec::new();
    for case in &cases.cases {
        let resources = match replay(&kinds, case, compiled.clone(), provider.clone()).await {
            Ok(resources) => resources,
            Err(message) => {
                failures.push(failure(&case.name, message));
                continue;
            }
        };
        let resources: Vec<&Resource> = resources.iter().filter(|resource| resource.kind == kind.id).collect();
        for expected in &case.expect {
            let messages = match resources.iter().find(|resource| *resource.key == *expected.key) {
                Some(resource) => compare(expected, resource),
                None => {
                    let keys: Vec<&str> = resources.iter().map(|resource| resource.key.as_ref()).collect();
                    vec![format!("no resource `{}`; there are {keys:?}", expected.key)]
                }
            };
            failures.extend(messages.into_iter().map(|message| failure(&case.name, message)));
        }
    }
    failures
}

/// The kind, its parents and their parents.
fn with_parents<'c>(kind_id: &str, catalog: &'c Catalog) -> Vec<&'c Arc<Kind>> {
    let mut kinds: Vec<&Arc<Kind>> = Vec::new();
    let mut wanted = vec![kind_id.to_owned()];
    while let Some(id) = wanted.pop() {
        if kinds.iter().any(|kind| *kind.id == *id) {
            continue;
        }
        if let Some(kind) = catalog.kinds.get(id.as_str()) {
            kinds.push(kind);
            wanted.extend(kind.list.as_slice().iter().filter_map(|list| list.for_each.as_deref()).map(str::to_owned));
        }
    }
    kinds
}

/// The service of an answer: as it says, else that of the kind's own call of that name, else the kind's.
fn service_of(answer: &CaseAnswer, kinds: &[&Arc<Kind>]) -> String {
    if let Some(service) = &answer.service {
        return service.clone();
    }
    let calls = kinds.iter().flat_map(|kind| kind.calls());
    let mut named = calls.filter(|(_, operation, _)| **operation == *answer.operation).map(|(service, _, _)| service);
    let first_list = kinds.first().and_then(|kind| kind.list.as_slice().iter().find(|list| !list.service.is_empty()));
    named.next().or(first_list.map(|list| list.service.clone())).unwrap_or_default().to_string()
}

async fn replay(
    kinds: &[&Arc<Kind>],
    case: &KindCase,
    compiled: Arc<CompiledKinds>,
    provider: Arc<dyn Provider>,
) -> Result<Vec<Resource>, String> {
    let mut text = String::new();
    let mut regions: BTreeSet<String> = BTreeSet::from([REGION.to_owned()]);
    let mut accounts: BTreeSet<String> = BTreeSet::from([ACCOUNT.to_owned()]);
    for answer in &case.answers {
        let region = answer.region.clone().unwrap_or_else(|| REGION.to_owned());
        let account = answer.account.clone().unwrap_or_else(|| ACCOUNT.to_owned());
        let mut line = json!({
            "account": account,
            "region": region,
            "service": service_of(answer, kinds),
            "operation": answer.operation,
            "parameters": answer.parameters,
        });
        match (&answer.error, &answer.response) {
            (Some(error), _) => line["error"] = json!({"code": error.code, "message": error.message}),
            (None, Some(response)) => line["response"] = response.clone(),
            (None, None) => return Err(format!("{}: neither `response` nor `error`", answer.operation)),
        }
        text.push_str(&line.to_string());
        text.push('\n');
        regions.insert(region);
        accounts.insert(account);
    }
    let replay = Replay::from_text(&text, None);
    if let Some(note) = replay.notes().first() {
        return Err(note.clone());
    }
    let accounts = accounts.into_iter().map(|account| AccountScope {
        account: account.into(),
        partition: "aws".into(),
        home_region: REGION.into(),
        regions: regions.iter().map(|name| RegionScope { name: name.as_str().into(), enabled: true }).collect(),
    });
    let collection = Collection {
        kinds: compiled,
        accounts: accounts.collect(),
        provider,
        source: Source::Replay(Arc::new(replay)),
        recorder: None,
        options: Options::default(),
    };
    let mut resources = Vec::new();
    collect(collection, |_| {}, |resource| resources.push(resource)).await.map_err(|error| error.to_string())?;
    Ok(resources)
}

fn compare(expected: &ExpectedResource, resource: &Resource) -> Vec<String> {
    let mut messages = Vec::new();
    let mut check = |what: &str, expected: Option<Json>, found: Json| {
        if let Some(expected) = expected
            && !equal(&expected, &found)
        {
            messages.push(format!("`{}`: {what} is {found}, not {expected}", resource.key));
        }
    };
    let text = |text: &Option<String>| text.as_ref().map(|text| Json::from(text.as_str()));
    check("region", text(&expected.region), Json::from(resource.region.as_ref()));
    check("name", text(&expected.name), resource.name.to_json());
    check("tags", expected.tags.clone(), resource.tags.to_json());
    for (name, value) in &expected.properties {
        match resource.properties.iter().find(|(property, _)| **property == **name) {
            Some((_, found)) => check(name, Some(value.clone()), found.to_json()),
            None => check(name, Some(value.clone()), Json::from("no such property")),
        }
    }
    for (relation, targets) in &expected.links {
        let found: BTreeSet<&str> = resource
            .links
            .iter()
            .filter(|link| *link.relation == **relation)
            .map(|link| link.target.as_ref())
            .collect();
        let wanted: BTreeSet<&str> = targets.iter().map(String::as_str).collect();
        check(relation, Some(json!(wanted)), json!(found));
    }
    for name in &expected.unknown {
        let is_unknown = match name.as_str() {
            "tags" => resource.tags == Value::Unknown,
            "name" => resource.name == Value::Unknown,
            name => {
                let property = resource.properties.iter().find(|(property, _)| **property == *name);
                match property {
                    Some((_, value)) => *value == Value::Unknown,
                    // A relation.
                    None => resource.unknown.iter().any(|fact| *fact.name == *name),
                }
            }
        };
        if !is_unknown {
            messages.push(format!("`{}`: {name} is known", resource.key));
        }
    }
    messages
}

/// Equal as facts: numbers by value, times by instant.
fn equal(expected: &Json, found: &Json) -> bool {
    match (expected, found) {
        (Json::String(left), Json::String(right)) => {
            left == right
                || matches!((Timestamp::parse(left), Timestamp::parse(right)), (Ok(left), Ok(right)) if left == right)
        }
        (Json::Number(left), Json::Number(right)) => left.as_f64() == right.as_f64(),
        (Json::Array(left), Json::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Json::Object(left), Json::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, value)| right.get(name).is_some_and(|found| equal(value, found)))
        }
        _ => expected == found,
    }
}
