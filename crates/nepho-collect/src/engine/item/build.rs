//! A resource from an item and the answers to its further calls.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use nepho_model::{Direction, Link, Resource, UnknownFact, Value};
use serde_json::{Map, Value as Json};

use super::{Got, Item, Missing};
use crate::compile::{CompiledKind, PropertySpec};
use crate::engine::job::Parent;
use crate::engine::run::Shared;
use crate::provider::TransformContext;
use crate::recording::CallError;
use crate::template::{Lookup, Scene};
use crate::typed;

static NULL: Json = Json::Null;

/// What a property or relation reads.
enum Read<'a> {
    Value(Cow<'a, Json>),
    /// A `get` call that was not made, since `when` did not hold.
    NotAsked,
    Missing(Missing),
}

struct Building<'a> {
    shared: &'a Shared,
    kind: &'a CompiledKind,
    list_call: &'a Arc<str>,
    item: &'a Item<'a>,
    gets: &'a [Got],
    parent: Option<&'a Parent<'a>>,
    unknown: Vec<UnknownFact>,
}

impl Shared {
    pub(super) fn build(
        &self,
        kind: &CompiledKind,
        list_call: &Arc<str>,
        item: &Item<'_>,
        gets: &[Got],
        parent: Option<&Parent<'_>>,
    ) -> Resource {
        let mut building = Building { shared: self, kind, list_call, item, gets, parent, unknown: Vec::new() };
        let name = building.name();
        let tags = building.tags();
        let ids = building.ids();
        let properties =
            kind.properties.iter().map(|property| (property.name.clone(), building.property(property))).collect();
        let links = building.links();
        Resource {
            kind: kind.id.clone(),
            key: item.key.clone().unwrap_or_default(),
            account: item.location.account.clone(),
            region: item.resource_region.clone(),
            name,
            tags,
            ids,
            properties,
            links,
            unknown: building.unknown,
        }
    }
}

impl<'a> Building<'a> {
    fn scene<'s>(&'s self, item: &'s Json) -> Scene<'s> {
        self.item.location.scene(item, self.parent)
    }

    fn unknown(&mut self, name: &Arc<str>, missing: Missing) {
        if self.unknown.iter().any(|fact| fact.name == *name) {
            return;
        }
        self.unknown.push(UnknownFact {
            name: name.clone(),
            call: missing.call,
            state: missing.error.state,
            code: missing.error.code,
            message: missing.error.message,
        });
    }

    /// A value that does not fit: unknown, and said in coverage.
    fn malformed(&mut self, name: &Arc<str>, call: &Arc<str>, message: &str) {
        let error = CallError::malformed(name, message);
        self.shared.book.failed(self.item.location.place(&self.kind.id, call), &error, 1);
        self.unknown(name, Missing { call: call.clone(), error });
    }

    /// The call that a value comes from.
    fn call_of(&self, gets: &[usize]) -> Arc<str> {
        let get = gets.first().and_then(|get| self.kind.gets.get(*get));
        get.map_or_else(|| self.list_call.clone(), |get| get.call.name.clone())
    }

    /// What the lookup reads, from the item or the answers of `get` calls.
    fn read(&self, api: Option<&'a Lookup>, gets: &[usize]) -> Result<Read<'a>, String> {
        let source: Cow<'a, Json> = match gets {
            [] => {
                if let Some(missing) = &self.item.missing
                    && !api.is_some_and(|api| api.is_covered_by(&self.item.value))
                {
                    return Ok(Read::Missing(missing.clone()));
                }
                let item: &'a Item<'a> = self.item;
                Cow::Borrowed(&*item.value)
            }
            [get] => match self.gets.get(*get) {
                Some(Got::Answer(answer)) => Cow::Borrowed(answer.as_ref()),
                Some(Got::Tags(_) | Got::Absent) | None => Cow::Borrowed(&NULL),
                Some(Got::NotAsked) => return Ok(Read::NotAsked),
                Some(Got::Failed(missing)) => return Ok(Read::Missing(missing.clone())),
            },
            several => {
                if let Some(missing) = &self.item.missing {
                    return Ok(Read::Missing(missing.clone()));
                }
                let mut answers = Map::new();
                for get in several {
                    let Some(name) = self.kind.gets.get(*get).map(|get| get.name.to_string()) else { continue };
                    match self.gets.get(*get) {
                        Some(Got::Answer(answer)) => drop(answers.insert(name, answer.as_ref().clone())),
                        Some(Got::Failed(missing)) => return Ok(Read::Missing(missing.clone())),
                        _ => drop(answers.insert(name, Json::Null)),
                    }
                }
                answers.insert("item".to_owned(), self.item.value.as_ref().clone());
                Cow::Owned(Json::Object(answers))
            }
        };
        let Some(api) = api else { return Ok(Read::Value(source)) };
        let found = match &source {
            Cow::Borrowed(source) => {
                let scene: Scene<'a> = Scene {
                    account: &self.item.location.account,
                    region: &self.item.location.region,
                    partition: &self.item.location.partition,
                    item: source,
                    parent: self.parent.map(|parent| (parent.item, parent.key.as_ref())),
                };
                api.find(&scene)
            }
            Cow::Owned(source) => api.find(&self.scene(source)).map(|found| Cow::Owned(found.into_owned())),
        };
        match found {
            Ok(found) => Ok(Read::Value(found)),
            // A function over what an absent answer would have held.
            Err(_) if source.is_null() => Ok(Read::Value(Cow::Borrowed(&NULL))),
            Err(error) => Err(error.to_string()),
        }
    }

    fn name(&mut self) -> Value {
        let kind: &'a CompiledKind = self.kind;
        let Some(lookup) = &kind.name else { return Value::Null };
        match self.read(Some(lookup), &[]) {
            Ok(Read::Value(found)) => match &*found {
                Json::String(text) => Value::from(text.as_str()),
                Json::Number(number) => Value::from(number.to_string().as_str()),
                _ => Value::Null,
            },
            Ok(Read::NotAsked) => Value::Null,
            Ok(Read::Missing(missing)) => {
                self.unknown(&Arc::from("name"), missing);
                Value::Unknown
            }
            Err(message) => {
                let call = self.call_of(&[]);
                self.malformed(&Arc::from("name"), &call, &message);
                Value::Unknown
            }
        }
    }

    fn ids(&self) -> Vec<Arc<str>> {
        let kind: &'a CompiledKind = self.kind;
        let mut ids: Vec<Arc<str>> = Vec::new();
        for lookup in &kind.ids {
            if let Ok(found) = lookup.find(&self.scene(&self.item.value)) {
                let mut named = Vec::new();
                typed::identifiers(&found, &mut named);
                for id in named {
                    if !ids.iter().any(|known| **known == *id) {
                        ids.push(id.as_ref().into());
                    }
                }
            }
        }
        ids
    }

    fn tags(&mut self) -> Value {
        let kind: &'a CompiledKind = self.kind;
        let Some(tags) = &kind.tags else { return Value::Null };
        let gets: Vec<usize> = tags.get.into_iter().collect();
        let bulk = match tags.get.and_then(|at| self.gets.get(at)) {
            Some(Got::Tags(found)) => tags.bulk.as_ref().map(|bulk| (found, &bulk.call.name)),
            _ => None,
        };
        let result = match bulk {
            Some((found, _)) => typed::tags(found),
            None => match self.read(tags.api.as_ref(), &gets) {
                Ok(Read::Value(found)) => typed::tags(&found),
                Ok(Read::NotAsked) => Ok(Value::Null),
                Ok(Read::Missing(missing)) => {
                    self.unknown(&Arc::from("tags"), missing);
                    return Value::Unknown;
                }
                Err(message) => Err(message),
            },
        };
        result.unwrap_or_else(|message| {
            let call = bulk.map_or_else(|| self.call_of(&gets), |(_, call)| call.clone());
            self.malformed(&Arc::from("tags"), &call, &message);
            Value::Unknown
        })
    }

    fn property(&mut self, property: &'a PropertySpec) -> Value {
        let result = match self.read(property.api.as_ref(), &property.gets) {
            Ok(Read::Missing(missing)) => {
                self.unknown(&property.name, missing);
                return Value::Unknown;
            }
            Ok(Read::NotAsked) => return Value::Null,
            Ok(Read::Value(found)) => self.typed(property, &found),
            Err(message) => Err(message),
        };
        result.unwrap_or_else(|message| {
            let call = self.call_of(&property.gets);
            self.malformed(&property.name, &call, &message);
            Value::Unknown
        })
    }

    fn typed(&self, property: &PropertySpec, found: &Json) -> Result<Value, String> {
        let transformed;
        let found = match property.transform {
            Some(transform) if !found.is_null() => {
                let context = TransformContext {
                    account: &self.item.location.account,
                    region: &self.item.location.region,
                    item: &self.item.value,
                    args: &property.args,
                };
                transformed = transform(found, &context)?;
                &transformed
            }
            _ => found,
        };
        match (found, &property.default) {
            (Json::Null, Some(default)) => typed::value(property.kind, default),
            (found, _) => typed::value(property.kind, found),
        }
    }

    fn links(&mut self) -> Vec<Link> {
        let kind: &'a CompiledKind = self.kind;
        let mut links = Vec::new();
        let mut known: HashSet<(Arc<str>, bool, Arc<str>)> = HashSet::new();
        for relation in &kind.relations {
            let found = match self.read(Some(&relation.by), &relation.gets) {
                Ok(Read::Value(found)) => found,
                Ok(Read::NotAsked) => continue,
                Ok(Read::Missing(missing)) => {
                    self.unknown(&relation.name, missing);
                    continue;
                }
                Err(message) => {
                    let call = self.call_of(&relation.gets);
                    self.malformed(&relation.name, &call, &message);
                    continue;
                }
            };
            let mut targets = Vec::new();
            typed::identifiers(&found, &mut targets);
            for target in targets {
                let target: Arc<str> = target.as_ref().into();
                if known.insert((relation.name.clone(), relation.direction == Direction::Out, target.clone())) {
                    links.push(Link {
                        relation: relation.name.clone(),
                        direction: relation.direction,
                        kinds: relation.kinds.clone(),
                        target,
                    });
                }
            }
        }
        if let Some(parent) = self.parent {
            links.push(Link {
                relation: Arc::from("PART_OF"),
                direction: Direction::Out,
                kinds: Arc::from([parent.kind.clone()]),
                target: parent.key.clone(),
            });
        }
        links
    }
}
