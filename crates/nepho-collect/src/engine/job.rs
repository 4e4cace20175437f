//! One list call: its pages, their items, and the lists of the items' children.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::future::BoxFuture;
use nepho_model::CoverageState;
use serde_json::{Map, Value as Json, json};

use super::answers::Request;
use super::book::Place;
use super::run::Shared;
use crate::Call;
use crate::compile::{CallSpec, ListGroup, Member};
use crate::expression::ExpressionError;
use crate::provider::TransformContext;
use crate::recording::CallError;
use crate::recording::matching::Hints;
use crate::template::Scene;

/// Times that a `prepare` call is made before the list call is tried anyway.
const PREPARATIONS: u32 = 30;

/// A list call in one account and region.
pub(super) struct Job {
    pub location: Location,
    pub group: usize,
}

/// Where calls are made.
#[derive(Clone)]
pub(super) struct Location {
    pub account: Arc<str>,
    pub partition: Arc<str>,
    pub region: Arc<str>,
    /// The kind is global: recorded answers of any region will do.
    pub global: bool,
}

/// The resource that a list call is made for.
#[derive(Clone)]
pub(super) struct Parent<'a> {
    pub kind: Arc<str>,
    pub item: &'a Json,
    pub key: Arc<str>,
    /// The region that the parent says it is in, which may be `global`.
    pub resource_region: Arc<str>,
}

impl Location {
    pub fn scene<'a>(&'a self, item: &'a Json, parent: Option<&'a Parent<'_>>) -> Scene<'a> {
        Scene {
            account: &self.account,
            region: &self.region,
            partition: &self.partition,
            item,
            parent: parent.map(|parent| (parent.item, parent.key.as_ref())),
        }
    }

    pub fn place(&self, kind: &Arc<str>, call: &Arc<str>) -> Place {
        Place { account: self.account.clone(), region: self.region.clone(), kind: kind.clone(), call: call.clone() }
    }

    pub fn call(&self, spec: &CallSpec, parameters: Map<String, Json>) -> Call {
        Call {
            account: self.account.clone(),
            region: self.region.clone(),
            service: spec.service.clone(),
            operation: spec.operation.clone(),
            parameters,
        }
    }

    pub fn hints<'a>(&self, spec: &'a CallSpec) -> Hints<'a> {
        Hints { identifying: &spec.identifying, batch: None, any_region: self.global, strict: false }
    }
}

pub(super) fn expression_failed(error: &ExpressionError) -> CallError {
    CallError::malformed("Expression", error.to_string())
}

/// The call of singletons, which need none.
pub(super) fn no_call() -> Arc<str> {
    Arc::from("")
}

impl Shared {
    pub async fn run(&self, job: &Job) {
        if let Some(group) = self.kinds.groups.get(job.group) {
            self.list(&job.location, group, None).await;
            for kind in group.members.iter().filter_map(|member| self.kinds.kinds.get(member.kind)) {
                self.bulk.forget(&job.location.account, &kind.id);
            }
        }
    }

    /// Lists a group's kinds in one place (for one parent).
    pub fn list<'a>(
        &'a self,
        location: &'a Location,
        group: &'a ListGroup,
        parent: Option<&'a Parent<'a>>,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let Some(spec) = &group.call else {
                for member in &group.members {
                    self.items(location, member, &no_call(), vec![Cow::Owned(json!({}))], parent).await;
                    self.end(location, member, &no_call(), Ok(()), 1, 0);
                }
                return;
            };
            let mut counts = vec![0u64; group.members.len()];
            let mut failures: Vec<Option<CallError>> = vec![None; group.members.len()];
            let result = self.list_pages(location, group, spec, parent, &mut counts, &mut failures).await;
            if result.is_err() {
                self.answers.failed.fetch_add(1, Ordering::Relaxed);
            }
            for ((member, count), failure) in group.members.iter().zip(counts).zip(failures) {
                let result = match (failure, &result) {
                    (Some(error), _) => Err(error),
                    (None, Ok(())) => Ok(()),
                    (None, Err(error)) if is_code(&member.absent_when, error) => Ok(()),
                    (None, Err(error)) => Err(error.clone()),
                };
                self.end(location, member, &spec.name, result, count, 0);
            }
        })
    }

    async fn list_pages<'a>(
        &'a self,
        location: &'a Location,
        group: &'a ListGroup,
        spec: &'a CallSpec,
        parent: Option<&'a Parent<'a>>,
        counts: &mut [u64],
        failures: &mut [Option<CallError>],
    ) -> Result<(), CallError> {
        let nothing = Json::Null;
        let filled = spec.parameters.fill(&location.scene(&nothing, parent));
        let parameters = filled.map_err(|error| expression_failed(&error))?;
        self.prepare(location, group).await;
        let mut pages = self.answers.pages(Request {
            call: location.call(spec, parameters),
            hints: location.hints(spec),
            page_size: group.page_size,
            paginate: true,
        });
        let mut page = pages.next(&self.answers).await;
        while let Some(answer) = page {
            let answer = answer?;
            // The next page is asked for while this one's items are at work.
            let work = async {
                for ((member, count), failure) in group.members.iter().zip(counts.iter_mut()).zip(failures.iter_mut()) {
                    match items_of(location, member, &answer, parent) {
                        Ok(items) => {
                            let found = u64::try_from(items.len()).unwrap_or(u64::MAX);
                            *count = count.saturating_add(found);
                            self.items.fetch_add(found, Ordering::Relaxed);
                            self.items(location, member, &spec.name, items, parent).await;
                        }
                        Err(error) => *failure = Some(error),
                    }
                }
            };
            let ((), next) = futures::join!(work, pages.next(&self.answers));
            page = next;
        }
        Ok(())
    }

    /// Makes the call that has to come before the list call, until its condition holds. If it cannot be made, the list
    /// call itself will show what is there.
    async fn prepare(&self, location: &Location, group: &ListGroup) {
        let Some(prepare) = &group.prepare else { return };
        for attempt in 1..=PREPARATIONS {
            let request = Request {
                call: location.call(&prepare.call, Map::new()),
                hints: location.hints(&prepare.call),
                page_size: None,
                paginate: true,
            };
            match self.answers.whole(request).await {
                Ok(answer) if prepare.until.holds(&answer).unwrap_or(true) => return,
                Ok(_) if self.answers.may_call && attempt < PREPARATIONS => {
                    tokio::time::sleep(Duration::from_secs(1).saturating_mul(attempt.min(5))).await;
                }
                Ok(_) => return,
                Err(error) => {
                    self.answers.failed.fetch_add(1, Ordering::Relaxed);
                    for kind in group.members.iter().filter_map(|member| self.kinds.kinds.get(member.kind)) {
                        if error.state != CoverageState::NotRecorded {
                            self.book.failed(location.place(&kind.id, &prepare.call.name), &error, 0);
                        }
                    }
                    return;
                }
            }
        }
    }

    /// Notes how the list of one kind ended, for its children's kinds, too.
    fn end(
        &self,
        location: &Location,
        member: &Member,
        call: &Arc<str>,
        result: Result<(), CallError>,
        items: u64,
        depth: u32,
    ) {
        let Some(kind) = self.kinds.kinds.get(member.kind) else { return };
        match &result {
            Ok(()) => self.book.listed(location.place(&kind.id, call), items),
            Err(error) => self.book.list_failed(location.place(&kind.id, call), error, items),
        }
        // Kinds do not nest deeper; this ends what would be a circle of parents.
        if depth > 8 {
            return;
        }
        let for_children = result.map_err(|error| {
            let told = error.message.starts_with("its parent ");
            let message = if told {
                error.message.to_string()
            } else {
                format!("its parent {} could not be listed: {}", kind.id, error.message)
            };
            CallError { message: message.into(), ..error }
        });
        for group in self.kinds.children.get(member.kind).into_iter().flatten() {
            let Some(group) = self.kinds.groups.get(*group) else { continue };
            let call = group.call.as_ref().map_or_else(no_call, |call| call.name.clone());
            for child in &group.members {
                self.end(location, child, &call, for_children.clone(), 0, depth.saturating_add(1));
            }
        }
    }
}

pub(super) fn is_code(codes: &[String], error: &CallError) -> bool {
    codes.iter().any(|code| code.as_str() == error.code.as_ref())
}

/// The items of a kind in a list answer.
fn items_of<'a>(
    location: &Location,
    member: &'a Member,
    answer: &'a Json,
    parent: Option<&Parent<'_>>,
) -> Result<Vec<Cow<'a, Json>>, CallError> {
    let found = match &member.items {
        None => Cow::Borrowed(answer),
        Some(items) => items.search(answer).map_err(|error| expression_failed(&error))?,
    };
    let mut items = match found {
        Cow::Borrowed(Json::Array(items)) => items.iter().map(Cow::Borrowed).collect(),
        Cow::Owned(Json::Array(items)) => items.into_iter().map(Cow::Owned).collect(),
        other if other.is_null() => Vec::new(),
        other => vec![other],
    };
    items.retain(|item| !item.is_null());
    if let Some(field) = &member.wrap {
        for item in items.iter_mut().filter(|item| !item.is_object()) {
            let mut wrapped = Map::new();
            wrapped.insert(field.clone(), std::mem::take(item).into_owned());
            *item = Cow::Owned(Json::Object(wrapped));
        }
    }
    if let Some((name, transform)) = &member.transform {
        let list = Json::Array(items.into_iter().map(Cow::into_owned).collect());
        let nothing = Json::Null;
        let context = TransformContext {
            account: &location.account,
            region: &location.region,
            item: parent.map_or(&nothing, |parent| parent.item),
            args: &nothing,
        };
        let transformed = transform(&list, &context)
            .map_err(|message| CallError::malformed("Transform", format!("{name}: {message}")))?;
        items = match transformed {
            Json::Array(items) => items.into_iter().map(Cow::Owned).collect(),
            Json::Null => Vec::new(),
            other => vec![Cow::Owned(other)],
        };
    }
    Ok(items)
}
