//! A provider that answers as a script says, and kinds to collect from it.
#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use nepho_catalog::{Catalog, SourceFile, SourceKind};
use nepho_collect::*;
use nepho_model::{CoverageEntry, Resource};
use serde_json::{Value as Json, json};

pub type Answer = Box<dyn Fn(&Call, usize) -> Result<Json, Failure> + Send + Sync>;

/// Answers by operation; the second argument counts the attempts at the same call.
#[derive(Default)]
pub struct Fake {
    pub answers: BTreeMap<&'static str, Answer>,
    pub attempts: Mutex<HashMap<String, usize>>,
    pub slow: Duration,
    /// Lists say by `IsTruncated` whether there is more.
    pub says_more: bool,
}

pub fn failure(kind: FailureKind, code: &str) -> Failure {
    Failure { kind, code: code.into(), message: format!("{code} it is"), retry_after: None }
}

impl Fake {
    pub fn on(
        mut self,
        operation: &'static str,
        answer: impl Fn(&Call, usize) -> Result<Json, Failure> + Send + Sync + 'static,
    ) -> Self {
        self.answers.insert(operation, Box::new(answer));
        self
    }

    pub fn attempts_at(&self, operation: &str) -> usize {
        self.attempts
            .lock()
            .unwrap()
            .iter()
            .filter(|(call, _)| call.starts_with(&format!("{operation} ")))
            .map(|(_, count)| count)
            .sum()
    }

    pub fn total(&self) -> usize {
        self.attempts.lock().unwrap().values().sum()
    }
}

impl Provider for Fake {
    fn attempt<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Json, Failure>> {
        Box::pin(async move {
            let key = format!(
                "{} {} {} {}",
                call.operation,
                call.account,
                call.region,
                Json::Object(call.parameters.clone())
            );
            let attempt = {
                let mut attempts = self.attempts.lock().unwrap();
                let count = attempts.entry(key).or_default();
                *count += 1;
                *count
            };
            tokio::time::sleep(self.slow).await;
            match self.answers.get(call.operation.as_ref()) {
                Some(answer) => answer(call, attempt),
                None => Err(failure(FailureKind::Failed, "UnknownOperation")),
            }
        })
    }

    fn pagination(&self, _: &str, operation: &str) -> Option<Arc<Pagination>> {
        operation.starts_with("List").then(|| {
            Arc::new(Pagination {
                input_tokens: vec!["NextToken".into()],
                output_tokens: vec!["NextToken".into()],
                more_results: self.says_more.then(|| "IsTruncated".into()),
                limit_key: Some("MaxResults".into()),
            })
        })
    }

    fn offered(&self, service: &str, region: &str) -> Option<bool> {
        Some(!(service == "rare" && region != "us-east-1"))
    }

    fn transform(&self, _: &str) -> Option<Transform> {
        None
    }
}

pub const THING: &str = r#"
kind: t.s.thing
title: Thing
scope: region
list: {service: s, action: ListThings, items: Things, page_size: 2, secret: ["Things[].Env"]}
key: "arn:{partition}:s:{region}:{account}:thing/{Id}"
name: Name
ids: [Id]
get:
  policy: {action: GetPolicy, params: {Id: "{Id}"}, absent_when: [NoPolicy]}
  account: {action: GetAccount}
tags: Tags
properties:
  size: {type: int, api: Size, doc: x}
  big: {type: bool, api: "Size > `10`", doc: x}
  policy: {type: json, get: policy, api: Policy, doc: x}
  limit: {type: int, get: account, api: Limit, doc: x}
  secrets: {type: json, api: Env, transform: secret-findings, doc: x}
relations:
  USES: {to: t.s.part, by: "PartIds"}
"#;
pub const PART: &str = r#"
kind: t.s.part
title: Part
scope: region
list: {for_each: t.s.thing, service: s, action: ListParts, params: {ThingId: "{parent.Id}"}, items: Parts, wrap: Name}
describe: {action: DescribeParts, item: Parts, batch: {param: Names, value: Name, size: 3, match: Name}}
key: "{parent_key}/part/{Name}"
name: Name
properties:
  color: {type: string, api: Color, doc: x}
  of: {type: string, api: parent.Name, doc: x}
"#;
pub const RARE: &str = r#"
kind: t.rare.gem
title: Gem
scope: region
list: {service: rare, action: ListGems, items: Gems}
key: "arn:{partition}:rare:{region}:{account}:gem/{Id}"
"#;
pub const BUCKET: &str = r#"
kind: t.b.bucket
title: Bucket
scope: global
list: {service: b, action: ListBuckets, items: Buckets}
region: Region
key: "arn:{partition}:b:::{Name}"
name: Name
get:
  acl: {action: GetAcl, params: {Name: "{Name}"}}
properties:
  acl: {type: string, get: acl, api: Acl, doc: x}
"#;
pub const SETTINGS: &str = r#"
kind: t.s.settings
title: Settings
scope: region
list: {singleton: true, service: s}
key: "arn:{partition}:s:{region}:{account}:settings"
get:
  account: {action: GetAccount}
properties:
  limit: {type: int, get: account, api: Limit, doc: x}
"#;

pub fn catalog(texts: &[&str]) -> Catalog {
    Catalog::load(texts.iter().map(|text| {
        let id = text.lines().find_map(|line| line.strip_prefix("kind: ")).unwrap().to_owned();
        SourceFile { kind: SourceKind::Kind, path: id.clone(), id, text: Arc::from(*text) }
    }))
    .unwrap()
}

pub fn all() -> Vec<&'static str> {
    vec![THING, PART, RARE, BUCKET, SETTINGS]
}

pub fn scope(account: &str) -> AccountScope {
    let region = |name: &str, enabled| RegionScope { name: name.into(), enabled };
    AccountScope {
        account: account.into(),
        partition: "aws".into(),
        home_region: "us-east-1".into(),
        regions: vec![region("us-east-1", true), region("eu-west-1", true), region("ap-east-1", false)],
    }
}

pub struct Run {
    pub resources: Vec<Resource>,
    pub summary: CollectionSummary,
}

impl Run {
    pub fn find(&self, key: &str) -> &Resource {
        self.resources.iter().find(|resource| &*resource.key == key).unwrap_or_else(|| panic!("no {key}"))
    }
    pub fn property(&self, key: &str, name: &str) -> Json {
        self.find(key).properties.iter().find(|(property, _)| &**property == name).unwrap().1.to_json()
    }
    pub fn entries(&self, call: &str) -> Vec<&CoverageEntry> {
        self.summary.coverage.iter().filter(|entry| &*entry.call == call).collect()
    }
    /// Everything in one text, independent of order.
    pub fn text(&self) -> String {
        let mut lines: Vec<String> = self.resources.iter().map(|resource| format!("{resource:#?}")).collect();
        lines.sort();
        lines.extend(self.summary.coverage.iter().map(|entry| serde_json::to_string(entry).unwrap()));
        lines.join("\n")
    }
}

pub fn collection(texts: &[&str], provider: Arc<Fake>, source: Source, recorder: Option<Recorder>) -> Collection {
    let catalog = catalog(texts);
    let kinds = CompiledKinds::compile(catalog.kinds.values(), provider.as_ref()).unwrap();
    Collection {
        kinds: Arc::new(kinds),
        accounts: vec![scope("111122223333")],
        provider,
        source,
        recorder,
        options: Options { salt: Some("pepper".into()), ..Options::default() },
    }
}

pub async fn run(collection: Collection) -> Run {
    let mut resources = Vec::new();
    let summary = collect(collection, |_| {}, |resource| resources.push(resource)).await.unwrap();
    Run { resources, summary }
}

pub const SECRET: &str = "SuperSecret123!";

/// A small world in which all is well.
pub fn world() -> Fake {
    Fake::default()
        .on("ListThings", |call, _| {
            let count = if &*call.region == "us-east-1" { 5 } else { 1 };
            let from: usize = call.parameters.get("NextToken").and_then(Json::as_str).map_or(0, |token| token.parse().unwrap());
            let size = call.parameters["MaxResults"].as_u64().unwrap() as usize;
            let to = (from + size).min(count);
            let things: Vec<Json> = (from..to)
                .map(|at| json!({"Id": format!("t{at}"), "Name": format!("thing {at}"), "Size": at * 6, "PartIds": [format!("p{at}")],
                    "Tags": [{"Key": "at", "Value": at.to_string()}], "Env": {"DB_PASSWORD": SECRET, "MODE": "x"}}))
                .collect();
            let mut answer = json!({"Things": things});
            if to < count {
                answer["NextToken"] = json!(to.to_string());
            }
            Ok(answer)
        })
        .on("GetPolicy", |call, _| match call.parameters["Id"].as_str().unwrap() {
            "t0" => Err(failure(FailureKind::Failed, "NoPolicy")),
            "t1" => Err(failure(FailureKind::Denied, "AccessDenied")),
            id => Ok(json!({"Policy": format!("%7B%22for%22%3A%22{id}%22%7D")})),
        })
        .on("GetAccount", |_, _| Ok(json!({"Limit": "7"})))
        .on("ListParts", |call, _| Ok(json!({"Parts": [format!("{}-a", call.parameters["ThingId"].as_str().unwrap()), "b"]})))
        .on("DescribeParts", |call, _| {
            let names = call.parameters["Names"].as_array().unwrap();
            Ok(json!({"Parts": names.iter().map(|name| json!({"Name": name, "Color": "red"})).collect::<Vec<_>>()}))
        })
        .on("ListGems", |_, _| Ok(json!({"Gems": [{"Id": "g"}]})))
        .on("ListBuckets", |_, _| Ok(json!({"Buckets": [{"Name": "one"}, {"Name": "two", "Region": "eu-west-1"}, {"Name": "one"}]})))
        .on("GetAcl", |call, _| Ok(json!({"Acl": call.region.as_ref()})))
}
