//! Kind files made ready for collecting: expressions compiled, transforms looked up, equal list calls put together.

mod kind;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use nepho_catalog::Kind;
use nepho_catalog::kind::{ListCall, Scope};
use serde_json::Value as Json;

use crate::Provider;
use crate::expression::Expression;
use crate::provider::Transform;
use crate::secrets::SecretPaths;
use crate::template::Parameters;
pub(crate) use kind::{BulkSpec, CallSpec, CompiledKind, DescribeSpec, GetSpec, PropertySpec};

/// Something in a kind file cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("kind `{kind}`, {place}: {message}")]
pub struct CompileError {
    /// The kind.
    pub kind: Arc<str>,
    /// Where in its file: ``property `encrypted` ``, `list.items`.
    pub place: String,
    /// What is wrong, with the expression.
    pub message: String,
}

/// All kinds of a collection.
#[derive(Debug)]
pub struct CompiledKinds {
    pub(crate) kinds: Vec<CompiledKind>,
    pub(crate) groups: Vec<ListGroup>,
    /// Groups listed for each resource of a kind, by the kind's position.
    pub(crate) children: Vec<Vec<usize>>,
    pub(crate) secrets: Arc<SecretPaths>,
}

/// One list call (or the lack of one: singletons) and the kinds that read its answer.
#[derive(Debug)]
pub(crate) struct ListGroup {
    pub scope: Scope,
    /// Where a global list is answered, when that is not the home region.
    pub region: Option<Arc<str>>,
    pub parent: Option<usize>,
    /// `None` for singletons.
    pub call: Option<CallSpec>,
    pub page_size: Option<u32>,
    pub prepare: Option<PrepareSpec>,
    pub members: Vec<Member>,
}

#[derive(Debug)]
pub(crate) struct PrepareSpec {
    pub call: CallSpec,
    pub until: Expression,
}

/// One kind's reading of a list answer.
#[derive(Debug)]
pub(crate) struct Member {
    pub kind: usize,
    pub items: Option<Expression>,
    pub wrap: Option<String>,
    pub transform: Option<(Arc<str>, Transform)>,
    pub absent_when: Vec<String>,
}

/// Collects errors with their place.
pub(crate) struct Context<'a> {
    pub kind: Arc<str>,
    pub provider: &'a dyn Provider,
    pub errors: Vec<CompileError>,
}

impl Context<'_> {
    pub fn error(&mut self, place: impl Into<String>, message: impl ToString) {
        self.errors.push(CompileError { kind: self.kind.clone(), place: place.into(), message: message.to_string() });
    }

    /// The value, or the error noted.
    pub fn check<T, E: ToString>(&mut self, place: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.error(place, error.to_string())).ok()
    }

    pub fn transform(&mut self, place: &str, name: &Option<String>) -> Option<(Arc<str>, Transform)> {
        let name = name.as_ref()?;
        let own: Option<Transform> =
            (name == "secret-findings").then_some(|value, _| Ok(crate::secrets::findings(value)));
        match self.provider.transform(name).or(own) {
            Some(transform) => Some((Arc::from(name.as_str()), transform)),
            None => {
                self.error(place, format!("no transform `{name}`"));
                None
            }
        }
    }
}

impl CompiledKinds {
    /// Service and operation of every call that the kinds make.
    pub(crate) fn calls(&self) -> BTreeSet<(Arc<str>, Arc<str>)> {
        let lists = self
            .groups
            .iter()
            .flat_map(|group| group.call.iter().chain(group.prepare.iter().map(|prepare| &prepare.call)));
        let further = self.kinds.iter().flat_map(|kind| {
            kind.describe.iter().map(|describe| &describe.call).chain(kind.gets.iter().map(|get| &get.call))
        });
        lists.chain(further).map(|call| (call.service.clone(), call.operation.clone())).collect()
    }

    /// Compiles kinds. The parent of a `for_each` kind must be among them. All errors are reported at once.
    pub fn compile<'k>(
        kinds: impl IntoIterator<Item = &'k Arc<Kind>>,
        provider: &dyn Provider,
    ) -> Result<Self, Vec<CompileError>> {
        let sources: Vec<&Arc<Kind>> = kinds.into_iter().collect();
        let positions: HashMap<Arc<str>, usize> =
            sources.iter().enumerate().map(|(at, kind)| (kind.id.clone(), at)).collect();
        let uses = count_uses(&sources);
        let mut secrets = SecretPaths::default();
        let mut errors = Vec::new();
        let mut compiled = Vec::with_capacity(sources.len());
        let mut groups: BTreeMap<String, ListGroup> = BTreeMap::new();
        for (position, source) in sources.iter().enumerate() {
            let mut context = Context { kind: source.id.clone(), provider, errors: Vec::new() };
            kind::add_secrets(source, &mut secrets, &mut context);
            compiled.extend(CompiledKind::compile(source, &uses, &mut context));
            for list in source.list.as_slice() {
                add_list(position, source, list, &positions, &mut groups, &mut context);
            }
            errors.append(&mut context.errors);
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let groups: Vec<ListGroup> = groups.into_values().collect();
        let mut children = vec![Vec::new(); compiled.len()];
        for (at, group) in groups.iter().enumerate() {
            if let Some(children) = group.parent.and_then(|parent| children.get_mut(parent)) {
                children.push(at);
            }
        }
        Ok(Self { kinds: compiled, groups, children, secrets: Arc::new(secrets) })
    }

    /// Number of kinds.
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }
}

/// How many `get` calls of all kinds use each operation: those used more than once may be shared.
fn count_uses(kinds: &[&Arc<Kind>]) -> HashMap<(Arc<str>, Arc<str>), usize> {
    let mut uses: HashMap<(Arc<str>, Arc<str>), usize> = HashMap::new();
    for kind in kinds {
        for get in kind.get.values() {
            let service = get.service.clone().unwrap_or_else(|| kind::default_service(kind));
            let count = uses.entry((service, get.action.clone())).or_default();
            *count = count.saturating_add(1);
        }
    }
    uses
}

fn add_list(
    position: usize,
    kind: &Kind,
    list: &ListCall,
    positions: &HashMap<Arc<str>, usize>,
    groups: &mut BTreeMap<String, ListGroup>,
    context: &mut Context<'_>,
) {
    let parent = match &list.for_each {
        None => None,
        Some(parent) => match positions.get(parent) {
            Some(parent) => Some(*parent),
            None => return context.error("list.for_each", format!("the parent kind `{parent}` is not collected")),
        },
    };
    let items = list.items.as_deref().and_then(|items| context.check("list.items", Expression::compile(items)));
    let transform = context.transform("list.transform", &list.transform);
    let scope = list.scope.unwrap_or(kind.scope);
    let call = if list.singleton {
        None
    } else {
        if list.service.is_empty() || list.action.is_empty() {
            return context.error("list", "`service` and `action` are missing");
        }
        let Some(parameters) = context.check("list.params", Parameters::compile(&list.params)) else { return };
        Some(CallSpec::new(&list.service, &list.action, parameters))
    };
    let prepare = match &list.prepare {
        None => None,
        Some(prepare) => {
            let Some(until) = context.check("list.prepare.until", Expression::compile(&prepare.until)) else { return };
            Some(PrepareSpec { call: CallSpec::new(&list.service, &prepare.action, Parameters::default()), until })
        }
    };
    let parameters = Json::Object(list.params.clone());
    let region = list.region.as_deref().unwrap_or_default();
    let parent_id = list.for_each.as_deref().unwrap_or_default();
    let key = match &call {
        // Groups run in the order of their keys: by service, operation, parameters; singletons last.
        Some(call) => format!("{}\u{0}{parent_id}\u{0}{scope:?}\u{0}{parameters}\u{0}{region}", call.name),
        None => format!("\u{10ffff}{}\u{0}{parent_id}\u{0}{scope:?}", kind.id),
    };
    let group = groups.entry(key).or_insert_with(|| ListGroup {
        scope,
        region: list.region.clone(),
        parent,
        call,
        page_size: None,
        prepare: None,
        members: Vec::new(),
    });
    group.page_size = group.page_size.max(list.page_size);
    group.prepare = group.prepare.take().or(prepare);
    group.members.push(Member {
        kind: position,
        items,
        wrap: list.wrap.clone(),
        transform,
        absent_when: list.absent_when.clone(),
    });
}
