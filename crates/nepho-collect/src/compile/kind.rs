//! One kind, compiled.

use std::collections::HashMap;
use std::sync::Arc;

use nepho_catalog::Kind;
use nepho_catalog::kind::{Batch, BulkTags, PropertyType, SecretEncoding, Tags};
use nepho_model::Direction;
use serde_json::Value as Json;

use super::Context;
use crate::expression::Expression;
use crate::provider::Transform;
use crate::secrets::SecretPaths;
use crate::template::{Lookup, Parameters, Template};

/// A call as a kind file writes it.
#[derive(Clone, Debug)]
pub(crate) struct CallSpec {
    pub service: Arc<str>,
    pub operation: Arc<str>,
    /// `service:Operation`.
    pub name: Arc<str>,
    pub parameters: Parameters,
    /// Parameters that say which resource is meant.
    pub identifying: Arc<[String]>,
}

impl CallSpec {
    pub fn new(service: &Arc<str>, operation: &Arc<str>, parameters: Parameters) -> Self {
        Self {
            service: service.clone(),
            operation: operation.clone(),
            name: format!("{service}:{operation}").into(),
            identifying: parameters.identifying().into(),
            parameters,
        }
    }
}

#[derive(Debug)]
pub(crate) struct DescribeSpec {
    pub call: CallSpec,
    pub item: Option<Expression>,
    pub when: Option<Lookup>,
    pub absent_when: Vec<String>,
    pub batch: Option<BatchSpec>,
}

#[derive(Debug)]
pub(crate) struct BatchSpec {
    pub parameter: String,
    pub value: Expression,
    pub size: usize,
    pub matches: Expression,
}

#[derive(Debug)]
pub(crate) struct GetSpec {
    pub name: Arc<str>,
    pub call: CallSpec,
    pub when: Option<Lookup>,
    pub absent_when: Vec<String>,
    /// Position of another call, and what its answer must hold for there to be anything to ask for.
    pub needs: Option<(usize, Expression)>,
    pub paginate: bool,
    /// The answer may serve several items or kinds.
    pub shared: bool,
}

#[derive(Debug)]
pub(crate) struct PropertySpec {
    pub name: Arc<str>,
    pub kind: PropertyType,
    /// Positions of the `get` calls it reads; none: the item.
    pub gets: Vec<usize>,
    pub api: Option<Lookup>,
    pub transform: Option<Transform>,
    pub args: Json,
    pub default: Option<Json>,
}

#[derive(Debug)]
pub(crate) struct RelationSpec {
    pub name: Arc<str>,
    pub direction: Direction,
    pub kinds: Arc<[Arc<str>]>,
    pub by: Lookup,
    pub gets: Vec<usize>,
}

#[derive(Debug)]
pub(crate) struct TagsSpec {
    pub get: Option<usize>,
    pub api: Option<Lookup>,
    pub bulk: Option<BulkSpec>,
}

/// The tags of many resources in one call.
#[derive(Debug)]
pub(crate) struct BulkSpec {
    pub call: CallSpec,
    pub page_size: Option<u32>,
    pub items: Expression,
    pub matches: Expression,
    pub api: Expression,
}

/// A kind with everything compiled.
#[derive(Debug)]
pub(crate) struct CompiledKind {
    pub id: Arc<str>,
    pub global: bool,
    pub region: Option<Lookup>,
    pub key: Template,
    pub name: Option<Lookup>,
    pub ids: Vec<Lookup>,
    pub describe: Option<DescribeSpec>,
    pub gets: Vec<GetSpec>,
    pub tags: Option<TagsSpec>,
    pub properties: Vec<PropertySpec>,
    pub relations: Vec<RelationSpec>,
}

/// The service of `describe` and `get` calls without one: that of the (first) list.
pub(super) fn default_service(kind: &Kind) -> Arc<str> {
    let services = kind.list.as_slice().iter().map(|list| &list.service);
    services.clone().find(|service| !service.is_empty()).cloned().unwrap_or_default()
}

pub(super) fn add_secrets(kind: &Kind, secrets: &mut SecretPaths, context: &mut Context<'_>) {
    let default = default_service(kind);
    let is_base64 = |encoding: Option<SecretEncoding>| encoding == Some(SecretEncoding::Base64);
    let mut add = |place: &str, service: &Arc<str>, action: &Arc<str>, paths: &[String], encoding| {
        for path in paths {
            if let Err(message) = secrets.add(service, action, path, is_base64(encoding)) {
                context.error(place, message);
            }
        }
    };
    for list in kind.list.as_slice() {
        add("list.secret", &list.service, &list.action, &list.secret, list.secret_encoding);
    }
    if let Some(describe) = &kind.describe {
        let service = describe.service.as_ref().unwrap_or(&default);
        add("describe.secret", service, &describe.action, &describe.secret, describe.secret_encoding);
    }
    for (name, get) in &kind.get {
        let service = get.service.as_ref().unwrap_or(&default);
        add(&format!("get `{name}`.secret"), service, &get.action, &get.secret, get.secret_encoding);
    }
}

impl CompiledKind {
    pub(super) fn compile(
        kind: &Kind,
        uses: &HashMap<(Arc<str>, Arc<str>), usize>,
        context: &mut Context<'_>,
    ) -> Option<Self> {
        let default = default_service(kind);
        let has_parent = kind.list.as_slice().iter().any(|list| list.for_each.is_some());
        let lookup = |text: &str| Lookup::over_item(text, has_parent);
        if let Some(console) = &kind.console {
            context.check("console", Template::compile(console));
        }
        let region = kind.region.as_deref().and_then(|region| context.check("region", lookup(region)));
        let name = kind.name.as_deref().and_then(|name| context.check("name", lookup(name)));
        let ids = kind.ids.iter().filter_map(|id| context.check("ids", lookup(id))).collect();
        let describe = compile_describe(kind, &default, has_parent, context);
        let gets = compile_gets(kind, &default, has_parent, uses, context);
        let position = |name: &Arc<str>| kind.get.get_index_of(name);
        let mut positions = |place: &str, names: &[Arc<str>]| -> Vec<usize> {
            let found = names.iter().map(|name| position(name).ok_or_else(|| format!("no get call `{name}`")));
            found.filter_map(|at| context.check(place, at)).collect()
        };
        let tags = kind.tags.as_ref().map(|tags| match tags {
            Tags::Item(path) => (Vec::new(), Some(path), None),
            Tags::Call { get, api, bulk } => {
                (positions("tags", std::slice::from_ref(get)), api.as_ref(), bulk.as_deref())
            }
        });
        let property_gets: Vec<Vec<usize>> = kind
            .properties
            .iter()
            .map(|(name, property)| positions(&format!("property `{name}`"), property.get.as_slice()))
            .collect();
        let relation_gets: Vec<Vec<Vec<usize>>> = kind
            .relations
            .iter()
            .map(|(name, all)| {
                let each = all.as_slice().iter();
                each.map(|one| positions(&format!("relation `{name}`"), one.get.as_slice())).collect()
            })
            .collect();
        let tags = tags.map(|(gets, path, bulk)| TagsSpec {
            get: gets.first().copied(),
            api: path.and_then(|path| context.check("tags", lookup(path))),
            bulk: bulk.and_then(|bulk| {
                let read_elsewhere = kind.properties.values().any(|property| match &kind.tags {
                    Some(Tags::Call { get, .. }) => property.get.as_slice().contains(get),
                    _ => false,
                });
                if read_elsewhere {
                    context
                        .error("tags.bulk", "a property reads the answer of the call that `bulk` takes the place of");
                }
                compile_bulk(bulk, context)
            }),
        });
        let mut properties = Vec::with_capacity(kind.properties.len());
        for ((name, property), gets) in kind.properties.iter().zip(property_gets) {
            let place = format!("property `{name}`");
            properties.push(PropertySpec {
                name: name.clone(),
                kind: property.kind,
                gets,
                api: property.api.as_deref().and_then(|api| context.check(&place, lookup(api))),
                transform: context.transform(&place, &property.transform).map(|(_, transform)| transform),
                args: property.args.clone(),
                default: property.default.clone(),
            });
        }
        let mut relations = Vec::new();
        for ((name, all), gets) in kind.relations.iter().zip(relation_gets) {
            for (relation, gets) in all.as_slice().iter().zip(gets) {
                let place = format!("relation `{name}`");
                let (direction, kinds) = match (relation.to.as_slice(), relation.from.as_slice()) {
                    (to, []) if !to.is_empty() => (Direction::Out, to),
                    ([], from) if !from.is_empty() => (Direction::In, from),
                    _ => {
                        context.error(place, "exactly one of `to` and `from` must be given");
                        continue;
                    }
                };
                let Some(by) = context.check(&place, lookup(&relation.by)) else { continue };
                relations.push(RelationSpec { name: name.clone(), direction, kinds: kinds.into(), by, gets });
            }
        }
        Some(Self {
            id: kind.id.clone(),
            global: kind.scope == nepho_catalog::kind::Scope::Global,
            region,
            key: context.check("key", Template::compile(&kind.key))?,
            name,
            ids,
            describe,
            gets,
            tags,
            properties,
            relations,
        })
    }
}

fn compile_bulk(bulk: &BulkTags, context: &mut Context<'_>) -> Option<BulkSpec> {
    let parameters = context.check("tags.bulk.params", Parameters::compile(&bulk.params))?;
    Some(BulkSpec {
        call: CallSpec::new(&bulk.service, &bulk.action, parameters),
        page_size: bulk.page_size,
        items: context.check("tags.bulk.items", Expression::compile(&bulk.items))?,
        matches: context.check("tags.bulk.match", Expression::compile(&bulk.matches))?,
        api: context.check("tags.bulk.api", Expression::compile(&bulk.api))?,
    })
}

fn compile_describe(
    kind: &Kind,
    default: &Arc<str>,
    has_parent: bool,
    context: &mut Context<'_>,
) -> Option<DescribeSpec> {
    let describe = kind.describe.as_ref()?;
    let parameters = context.check("describe.params", Parameters::compile(&describe.params))?;
    let item = describe.item.as_deref().and_then(|item| context.check("describe.item", Expression::compile(item)));
    let when = describe.when.as_deref();
    let when = when.and_then(|when| context.check("describe.when", Lookup::over_item(when, has_parent)));
    let batch = describe.batch.as_ref().and_then(|batch: &Batch| {
        Some(BatchSpec {
            parameter: batch.param.clone(),
            value: context.check("describe.batch.value", Expression::compile(&batch.value))?,
            size: batch.size.max(1),
            matches: context.check("describe.batch.match", Expression::compile(&batch.matches))?,
        })
    });
    let mut call = CallSpec::new(describe.service.as_ref().unwrap_or(default), &describe.action, parameters);
    if let Some(batch) = &batch {
        let names = call.identifying.iter().cloned().chain([batch.parameter.clone()]);
        call.identifying = names.collect();
    }
    Some(DescribeSpec { call, item, when, absent_when: describe.absent_when.clone(), batch })
}

fn compile_gets(
    kind: &Kind,
    default: &Arc<str>,
    has_parent: bool,
    uses: &HashMap<(Arc<str>, Arc<str>), usize>,
    context: &mut Context<'_>,
) -> Vec<GetSpec> {
    let mut gets = Vec::with_capacity(kind.get.len());
    for (name, get) in &kind.get {
        let parameters = context.check(&format!("get `{name}`.params"), Parameters::compile(&get.params));
        let when = get.when.as_deref();
        let when =
            when.and_then(|when| context.check(&format!("get `{name}`.when"), Lookup::over_item(when, has_parent)));
        let service = get.service.as_ref().unwrap_or(default);
        if service.is_empty() {
            context.error(format!("get `{name}`"), "`service` is missing, and the list has none");
        }
        let used = uses.get(&(service.clone(), get.action.clone())).copied().unwrap_or_default();
        let parameters = parameters.unwrap_or_default();
        let place = format!("get `{name}`.needs");
        let needs = get.needs.as_ref().and_then(|needs| {
            let other = kind.get.get_full(&needs.call).filter(|(_, _, other)| other.needs.is_none());
            let other = other.ok_or_else(|| format!("no call `{}` that needs no other", needs.call));
            let (at, ..) = context.check(&place, other)?;
            Some((at, context.check(&place, Expression::compile(&needs.holds))?))
        });
        gets.push(GetSpec {
            name: name.clone(),
            shared: used > 1 || !parameters.read_item(),
            call: CallSpec::new(service, &get.action, parameters),
            when,
            absent_when: get.absent_when.clone(),
            needs,
            paginate: get.paginate,
        });
    }
    gets
}
