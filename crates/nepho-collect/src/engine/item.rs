//! From an item in a list answer to a resource: further calls, then everything the kind reads from their answers.

mod build;

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use nepho_model::CoverageState;
use serde_json::{Map, Value as Json};

use super::answers::Request;
use super::job::{Location, Parent, expression_failed, is_code};
use super::run::Shared;
use crate::compile::{CompiledKind, DescribeSpec, GetSpec, Member};
use crate::expression::Expression;
use crate::recording::CallError;
use crate::recording::matching::Hints;

/// An item on its way.
struct Item<'a> {
    value: Cow<'a, Json>,
    location: Location,
    /// What the resource says its region is.
    resource_region: Arc<str>,
    /// The key, where the list answer brings it.
    key: Option<Arc<str>>,
    /// Why what `describe` would have brought is unknown.
    missing: Option<Missing>,
    /// The provider says that the item does not exist (any more).
    gone: bool,
}

/// A failed call, by name.
#[derive(Clone, Debug)]
struct Missing {
    call: Arc<str>,
    error: CallError,
}

/// How a `get` call ended.
#[derive(Clone, Debug)]
enum Got {
    Answer(Arc<Json>),
    /// The provider says that there is none.
    Absent,
    /// `when` did not hold.
    NotAsked,
    /// The call was not needed: the tags that it would have brought.
    Tags(Json),
    Failed(Missing),
}

impl Shared {
    /// Makes resources of items, and lists their children.
    pub(super) async fn items<'a>(
        &'a self,
        location: &'a Location,
        member: &'a Member,
        list_call: &'a Arc<str>,
        values: Vec<Cow<'a, Json>>,
        parent: Option<&'a Parent<'a>>,
    ) {
        let Some(kind) = self.kinds.kinds.get(member.kind) else { return };
        let mut items = Vec::with_capacity(values.len());
        for value in values {
            match self.begin(location, member.kind, kind, value, parent) {
                Ok(item) => items.extend(item),
                Err(error) => {
                    self.book.list_failed(location.place(&kind.id, list_call), &error, 1);
                }
            }
        }
        if let Some(describe) = &kind.describe
            && describe.batch.is_some()
        {
            self.describe_batches(kind, describe, &mut items, parent).await;
        }
        let work: Vec<BoxFuture<'_, ()>> = items
            .into_iter()
            .map(|item| Box::pin(self.item(member.kind, kind, list_call, item, parent)) as BoxFuture<'_, ()>)
            .collect();
        let mut waiting = work.into_iter();
        let mut running: FuturesUnordered<BoxFuture<'_, ()>> = waiting.by_ref().take(self.items_at_once).collect();
        while running.next().await.is_some() {
            running.extend(waiting.next());
        }
    }

    /// Where the item lives and what its key is; `None` when it was seen already.
    fn begin<'a>(
        &self,
        location: &Location,
        position: usize,
        kind: &CompiledKind,
        value: Cow<'a, Json>,
        parent: Option<&Parent<'_>>,
    ) -> Result<Option<Item<'a>>, CallError> {
        let mut location = location.clone();
        let mut resource_region = match parent {
            Some(parent) => parent.resource_region.clone(),
            None if kind.global => Arc::from("global"),
            None => location.region.clone(),
        };
        if let Some(region) = &kind.region {
            let found = region.find(&location.scene(&value, parent)).map_err(|error| expression_failed(&error))?;
            if let Some(region) = found.as_str().filter(|region| !region.is_empty()) {
                resource_region = Arc::from(region);
                if region != "global" {
                    location.region = resource_region.clone();
                }
            }
        }
        let key = kind.key.text(&location.scene(&value, parent)).map_err(|error| expression_failed(&error))?;
        let key: Option<Arc<str>> = key.map(Arc::from);
        if let Some(key) = &key
            && !self.claim(position, key)
        {
            return Ok(None);
        }
        Ok(Some(Item { value, location, resource_region, key, missing: None, gone: false }))
    }

    /// Whether this is the first time that the key is seen. The same resource may stand in several lists.
    fn claim(&self, position: usize, key: &Arc<str>) -> bool {
        let hash = self.hasher.hash_one((position, key));
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(hash)
    }

    async fn item<'a>(
        &'a self,
        position: usize,
        kind: &'a CompiledKind,
        list_call: &'a Arc<str>,
        mut item: Item<'a>,
        parent: Option<&'a Parent<'a>>,
    ) {
        if let Some(describe) = &kind.describe
            && describe.batch.is_none()
        {
            self.describe(kind, describe, &mut item, parent).await;
        }
        if item.gone {
            return;
        }
        if item.key.is_none() {
            let found = kind.key.text(&item.location.scene(&item.value, parent)).ok().flatten();
            let Some(key) = found else {
                let error = CallError::malformed("NoKey", "an item lacks what its key is made of");
                self.book.list_failed(item.location.place(&kind.id, list_call), &error, 1);
                return;
            };
            let key = Arc::from(key);
            if !self.claim(position, &key) {
                return;
            }
            item.key = Some(key);
        }
        let bulk = kind.tags.as_ref().and_then(|tags| Some((tags.get?, tags.bulk.as_ref()?)));
        let tags = match (bulk, &item.key) {
            (Some((at, bulk)), Some(key)) => {
                self.bulk_tags(&item.location, &kind.id, bulk, key).await.map(|tags| (at, tags))
            }
            _ => None,
        };
        // What other calls' answers decide about comes after them; until then it stands as not asked for.
        let first = kind.gets.iter().enumerate().map(|(at, get)| match &tags {
            Some((of, tags)) if *of == at => {
                Box::pin(std::future::ready(Got::Tags(tags.clone()))) as BoxFuture<'_, Got>
            }
            _ if get.needs.is_some() => Box::pin(std::future::ready(Got::NotAsked)) as BoxFuture<'_, Got>,
            _ => Box::pin(self.get(kind, get, &item, parent)) as BoxFuture<'_, Got>,
        });
        let mut gets = self.in_turn(first).await;
        if kind.gets.iter().any(|get| get.needs.is_some()) {
            let second = kind.gets.iter().zip(&gets).map(|(get, got)| match &get.needs {
                None => Box::pin(std::future::ready(got.clone())) as BoxFuture<'_, Got>,
                Some((at, holds)) if is_none(gets.get(*at), holds) => {
                    Box::pin(std::future::ready(Got::Absent)) as BoxFuture<'_, Got>
                }
                Some(_) => Box::pin(self.get(kind, get, &item, parent)) as BoxFuture<'_, Got>,
            });
            gets = self.in_turn(second).await;
        }
        let resource = self.build(kind, list_call, &item, &gets, parent);
        let key = resource.key.clone();
        self.resources.fetch_add(1, Ordering::Relaxed);
        // The receiver lives as long as the jobs do.
        drop(self.sink.send(resource).await);
        let Some(children) = self.kinds.children.get(position).filter(|children| !children.is_empty()) else { return };
        let own =
            Parent { kind: kind.id.clone(), item: &item.value, key, resource_region: item.resource_region.clone() };
        for group in children.iter().filter_map(|group| self.kinds.groups.get(*group)) {
            self.list(&item.location, group, Some(&own)).await;
        }
    }

    /// The calls' ends: all at once when live, one after the other in replays.
    async fn in_turn(&self, asked: impl Iterator<Item = BoxFuture<'_, Got>>) -> Vec<Got> {
        if self.items_at_once > 1 {
            return futures::future::join_all(asked).await;
        }
        let mut gets = Vec::new();
        for get in asked {
            gets.push(get.await);
        }
        gets
    }

    fn call_failed(&self, kind: &CompiledKind, item: &Item<'_>, missing: Missing) -> Missing {
        self.answers.failed.fetch_add(1, Ordering::Relaxed);
        self.book.failed(item.location.place(&kind.id, &missing.call), &missing.error, 1);
        missing
    }

    async fn describe(
        &self,
        kind: &CompiledKind,
        describe: &DescribeSpec,
        item: &mut Item<'_>,
        parent: Option<&Parent<'_>>,
    ) {
        let result = self.described(describe, item, parent).await;
        match result {
            Ok(Some(described)) => merge_over(item, described),
            Ok(None) => {}
            Err(error) if is_code(&describe.absent_when, &error) => item.gone = true,
            Err(error) => {
                let missing = Missing { call: describe.call.name.clone(), error };
                item.missing = Some(self.call_failed(kind, item, missing));
            }
        }
    }

    async fn described(
        &self,
        describe: &DescribeSpec,
        item: &Item<'_>,
        parent: Option<&Parent<'_>>,
    ) -> Result<Option<Json>, CallError> {
        let parameters = {
            let scene = item.location.scene(&item.value, parent);
            if let Some(when) = &describe.when {
                let holds = when.find(&scene).map_err(|error| expression_failed(&error))?;
                if !crate::expression::is_truthy(&holds) {
                    return Ok(None);
                }
            }
            describe.call.parameters.fill(&scene).map_err(|error| expression_failed(&error))?
        };
        let request = Request {
            call: item.location.call(&describe.call, parameters),
            hints: item.location.hints(&describe.call),
            page_size: None,
            paginate: true,
        };
        let answer = self.answers.whole(request).await?;
        let found = match &describe.item {
            None => answer,
            Some(path) => path.search_owned(answer).map_err(|error| expression_failed(&error))?,
        };
        match found {
            Json::Array(items) => match items.into_iter().next() {
                Some(first) => Ok(Some(first)),
                None => Err(CallError::new(CoverageState::Failed, "NotInAnswer", "the answer does not hold the item")),
            },
            Json::Null => Err(CallError::malformed("NotInAnswer", "the answer does not hold the item")),
            other => Ok(Some(other)),
        }
    }

    async fn describe_batches(
        &self,
        kind: &CompiledKind,
        describe: &DescribeSpec,
        items: &mut [Item<'_>],
        parent: Option<&Parent<'_>>,
    ) {
        let Some(batch) = &describe.batch else { return };
        let mut wanted: Vec<(Json, &mut Item<'_>)> = Vec::new();
        for item in items.iter_mut() {
            let holds = match &describe.when {
                None => true,
                Some(when) => when
                    .find(&item.location.scene(&item.value, parent))
                    .is_ok_and(|found| crate::expression::is_truthy(&found)),
            };
            let value = batch.value.search(&item.value).ok().map(Cow::into_owned).filter(|value| !value.is_null());
            match value {
                Some(value) if holds => wanted.push((value, item)),
                _ => {}
            }
        }
        // Items that moved to another region are asked for there.
        wanted.sort_by(|left, right| left.1.location.region.cmp(&right.1.location.region));
        for run in wanted.chunk_by_mut(|left, right| left.1.location.region == right.1.location.region) {
            for chunk in run.chunks_mut(batch.size) {
                self.describe_batch(kind, describe, chunk, parent).await;
            }
        }
    }

    /// One batch. If it fails as a whole for a reason that may be one item's, each half is tried.
    fn describe_batch<'s>(
        &'s self,
        kind: &'s CompiledKind,
        describe: &'s DescribeSpec,
        chunk: &'s mut [(Json, &mut Item<'_>)],
        parent: Option<&'s Parent<'_>>,
    ) -> BoxFuture<'s, ()> {
        Box::pin(async move {
            let Some(batch) = &describe.batch else { return };
            let Some((_, first)) = chunk.first() else { return };
            let values: Vec<Json> = chunk.iter().map(|(value, _)| value.clone()).collect();
            let filled = describe.call.parameters.fill(&first.location.scene(&first.value, parent));
            let answer = match filled {
                Err(error) => Err(expression_failed(&error)),
                Ok(mut parameters) => {
                    parameters.insert(batch.parameter.clone(), Json::Array(values));
                    let request = Request {
                        call: first.location.call(&describe.call, parameters),
                        hints: Hints { batch: Some(&batch.parameter), ..first.location.hints(&describe.call) },
                        page_size: None,
                        paginate: true,
                    };
                    self.answers.whole(request).await
                }
            };
            let found = answer.and_then(|answer| match &describe.item {
                None => Ok(answer),
                Some(path) => path.search_owned(answer).map_err(|error| expression_failed(&error)),
            });
            let described = match found {
                Ok(Json::Array(described)) => described,
                Ok(Json::Null) => Vec::new(),
                Ok(one) => vec![one],
                Err(error) => {
                    let may_be_one = matches!(error.state, CoverageState::Failed | CoverageState::NotRecorded);
                    if may_be_one && chunk.len() > 1 {
                        let (left, right) = chunk.split_at_mut(chunk.len() / 2);
                        self.describe_batch(kind, describe, left, parent).await;
                        self.describe_batch(kind, describe, right, parent).await;
                        return;
                    }
                    for (_, item) in chunk.iter_mut() {
                        if is_code(&describe.absent_when, &error) {
                            item.gone = true;
                        } else {
                            let missing = Missing { call: describe.call.name.clone(), error: error.clone() };
                            item.missing = Some(self.call_failed(kind, item, missing));
                        }
                    }
                    return;
                }
            };
            let mut by_value: std::collections::HashMap<String, Json> = std::collections::HashMap::new();
            for one in described {
                if let Ok(value) = batch.matches.search(&one) {
                    let value = value.to_string();
                    by_value.insert(value, one);
                }
            }
            for (value, item) in chunk.iter_mut() {
                match by_value.get(&value.to_string()) {
                    Some(one) => merge_over(item, one.clone()),
                    None => {
                        let message = "the answer does not hold the item";
                        let error = CallError::new(CoverageState::Failed, "NotInAnswer", message);
                        let missing = Missing { call: describe.call.name.clone(), error };
                        item.missing = Some(self.call_failed(kind, item, missing));
                    }
                }
            }
        })
    }

    async fn get(&self, kind: &CompiledKind, get: &GetSpec, item: &Item<'_>, parent: Option<&Parent<'_>>) -> Got {
        let failed = |error| {
            let missing = Missing { call: get.call.name.clone(), error };
            Got::Failed(self.call_failed(kind, item, missing))
        };
        let parameters = {
            let scene = item.location.scene(&item.value, parent);
            if let Some(missing) = &item.missing {
                let covered = get.when.as_ref().is_none_or(|when| when.is_covered_by(&item.value))
                    && get.call.parameters.is_covered_by(&item.value);
                if !covered {
                    return Got::Failed(missing.clone());
                }
            }
            if let Some(when) = &get.when {
                match when.find(&scene) {
                    Ok(found) if !crate::expression::is_truthy(&found) => return Got::NotAsked,
                    Ok(_) => {}
                    Err(error) => return failed(expression_failed(&error)),
                }
            }
            match get.call.parameters.fill(&scene) {
                Ok(parameters) => parameters,
                Err(error) => return failed(expression_failed(&error)),
            }
        };
        let answer = self.ask(get, item, parameters).await;
        match answer {
            Ok(answer) => Got::Answer(answer),
            Err(error) if is_code(&get.absent_when, &error) => Got::Absent,
            Err(error) => failed(error),
        }
    }

    async fn ask(&self, get: &GetSpec, item: &Item<'_>, parameters: Map<String, Json>) -> Result<Arc<Json>, CallError> {
        let call = item.location.call(&get.call, parameters);
        let request =
            |call| Request { call, hints: item.location.hints(&get.call), page_size: None, paginate: get.paginate };
        if get.shared {
            let ask = async { self.answers.whole(request(call.clone())).await.map(Arc::new) };
            self.memo.get(&call, get.paginate, ask).await
        } else {
            self.answers.whole(request(call)).await.map(Arc::new)
        }
    }
}

/// Whether another call's answer says that there is none. One that failed says nothing.
fn is_none(other: Option<&Got>, holds: &Expression) -> bool {
    match other {
        Some(Got::Absent) => true,
        Some(Got::Answer(answer)) => holds.search(answer).is_ok_and(|found| !crate::expression::is_truthy(&found)),
        _ => false,
    }
}

/// Puts the fields of a describing answer over those of the item.
fn merge_over(item: &mut Item<'_>, described: Json) {
    match (item.value.to_mut(), described) {
        (Json::Object(fields), Json::Object(described)) => fields.extend(described),
        (value, described) => *value = described,
    }
}
