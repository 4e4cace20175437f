//! Builds the graph of an estate from its resources.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use nepho_catalog::Catalog;
use nepho_catalog::kind::Scope;
use nepho_graph::{Graph, GraphBuilder, NodeHandle};
use nepho_model::{CoverageEntry, Direction, Resource, Timestamp, UnknownFact, Value};

use crate::schema::{ACCOUNT_KIND, IN_ACCOUNT, schema_of};

/// A graph with what is known about what is not known.
pub struct Estate {
    /// The graph.
    pub graph: Graph,
    /// What the collection could and could not read, in order.
    pub coverage: Vec<CoverageEntry>,
    /// Why properties and relations of a resource are unknown, by the resource's key.
    unknown: HashMap<Arc<str>, Vec<UnknownFact>>,
    /// Accounts in order, with their names where known.
    pub accounts: Vec<(Arc<str>, Option<String>)>,
    /// Links whose other end was not found, by relation type.
    pub dangling: BTreeMap<Arc<str>, u64>,
    catalog: Arc<Catalog>,
}

/// Whether the kind is listed once an account; its incompleteness then concerns every region.
fn is_global(catalog: &Catalog, kind: &str) -> bool {
    catalog.kinds.get(kind).is_some_and(|kind| kind.scope == Scope::Global)
}

impl Estate {
    /// Why `name` (a property or relation type) of the resource is unknown.
    pub fn why_unknown(&self, key: &str, name: &str) -> Option<&UnknownFact> {
        self.unknown.get(key)?.iter().find(|fact| fact.name.as_ref() == name)
    }

    /// Coverage entries that make the list of a kind incomplete in an account (and, when both are regional, a region).
    pub fn missing<'a>(
        &'a self,
        kind: &'a str,
        account: &'a str,
        region: &'a str,
    ) -> impl Iterator<Item = &'a CoverageEntry> {
        self.coverage.iter().filter(move |entry| {
            entry.lists
                && !entry.state.is_complete()
                && entry.kind.as_ref() == kind
                && entry.account.as_ref() == account
                && (region == "global" || entry.region.as_ref() == region || is_global(&self.catalog, kind))
        })
    }
}

/// Takes resources in any order; the graph that comes out does not depend on it.
pub struct EstateBuilder {
    resources: Vec<Resource>,
    catalog: Arc<Catalog>,
}

/// (kind, id) → the resources that answer to it.
type Index<'a> = HashMap<(&'a str, &'a str), Vec<usize>>;

impl EstateBuilder {
    /// An empty estate.
    pub fn new(catalog: Arc<Catalog>) -> Self {
        Self { resources: Vec::new(), catalog }
    }

    /// Adds a resource.
    pub fn add(&mut self, resource: Resource) {
        self.resources.push(resource);
    }

    /// Looks up the links and builds the graph.
    pub fn finish(mut self, coverage: Vec<CoverageEntry>, clock: Timestamp) -> Estate {
        self.add_missing_accounts(&coverage);
        self.resources.sort_by(|left, right| (&left.kind, &left.key).cmp(&(&right.kind, &right.key)));
        self.resources.dedup_by(|left, right| left.kind == right.kind && left.key == right.key);

        let mut builder = GraphBuilder::new(schema_of(&self.catalog));
        builder.set_clock(clock);
        let nodes: Vec<NodeHandle> = self
            .resources
            .iter_mut()
            .map(|resource| {
                builder.add_node(
                    &resource.kind,
                    &resource.key,
                    &resource.account,
                    &resource.region,
                    resource.name.clone(),
                    resource.tags.clone(),
                    std::mem::take(&mut resource.properties),
                )
            })
            .collect();
        let dangling = self.add_relations(&mut builder, &nodes);
        for entry in coverage.iter().filter(|entry| entry.lists && !entry.state.is_complete()) {
            let global = is_global(&self.catalog, &entry.kind);
            builder.mark_incomplete(&entry.kind, &entry.account, if global { "global" } else { &entry.region });
        }

        let accounts = self
            .resources
            .iter()
            .filter(|resource| resource.kind.as_ref() == ACCOUNT_KIND)
            .map(|resource| (resource.account.clone(), resource.name.as_str().map(str::to_owned)))
            .collect();
        let unknown = self
            .resources
            .iter()
            .filter(|resource| !resource.unknown.is_empty())
            .map(|resource| (resource.key.clone(), resource.unknown.clone()))
            .collect();
        Estate { graph: builder.finish(), coverage, unknown, accounts, dangling, catalog: self.catalog }
    }

    /// Every account that was collected from has a node, even where nothing of the account itself could be read.
    fn add_missing_accounts(&mut self, coverage: &[CoverageEntry]) {
        if !self.catalog.kinds.contains_key(ACCOUNT_KIND) {
            return;
        }
        let present: BTreeSet<Arc<str>> = self
            .resources
            .iter()
            .filter(|resource| resource.kind.as_ref() == ACCOUNT_KIND)
            .map(|resource| resource.account.clone())
            .collect();
        let seen: BTreeSet<Arc<str>> = self
            .resources
            .iter()
            .map(|resource| &resource.account)
            .chain(coverage.iter().map(|entry| &entry.account))
            .filter(|account| !account.is_empty() && !present.contains(*account))
            .cloned()
            .collect();
        let properties: Vec<Arc<str>> = self
            .catalog
            .kinds
            .get(ACCOUNT_KIND)
            .map(|kind| kind.properties.keys().cloned().collect())
            .unwrap_or_default();
        for account in seen {
            self.resources.push(Resource {
                kind: ACCOUNT_KIND.into(),
                key: format!("arn:aws:iam::{account}:root").into(),
                name: Value::from(account.as_ref()),
                region: "global".into(),
                tags: Value::Unknown,
                ids: vec![account.clone()],
                properties: properties.iter().map(|name| (name.clone(), Value::Unknown)).collect(),
                links: Vec::new(),
                unknown: Vec::new(),
                account,
            });
        }
    }

    fn add_relations(&self, builder: &mut GraphBuilder, nodes: &[NodeHandle]) -> BTreeMap<Arc<str>, u64> {
        let mut index: Index<'_> = HashMap::new();
        for (at, resource) in self.resources.iter().enumerate() {
            let mut ids: BTreeSet<&str> = resource.ids.iter().map(AsRef::as_ref).collect();
            ids.insert(&resource.key);
            ids.extend(resource.name.as_str());
            for id in ids {
                index.entry((&resource.kind, id)).or_default().push(at);
            }
        }
        let mut dangling: BTreeMap<Arc<str>, u64> = BTreeMap::new();
        let mut edges: BTreeSet<(usize, Arc<str>, usize)> = BTreeSet::new();
        for (at, resource) in self.resources.iter().enumerate() {
            let account = index.get(&(ACCOUNT_KIND, resource.account.as_ref())).and_then(|found| {
                found.iter().find(|found| self.at(**found).is_some_and(|one| one.account == resource.account))
            });
            if let Some(account) = account
                && *account != at
            {
                edges.insert((at, IN_ACCOUNT.into(), *account));
            }
            for link in &resource.links {
                let ends = self.resolve(&index, resource, &link.kinds, &link.target);
                if ends.is_empty() {
                    *dangling.entry(link.relation.clone()).or_default() += 1;
                }
                for end in ends {
                    edges.insert(match link.direction {
                        Direction::Out => (at, link.relation.clone(), end),
                        Direction::In => (end, link.relation.clone(), at),
                    });
                }
            }
        }
        for (from, relation, to) in edges {
            if let (Some(from), Some(to)) = (nodes.get(from), nodes.get(to)) {
                builder.add_relation(*from, &relation, *to, Vec::new());
            }
        }
        for (resource, node) in self.resources.iter().zip(nodes) {
            let relations = self.catalog.kinds.get(&resource.kind).map(|kind| &kind.relations);
            for fact in &resource.unknown {
                if relations.is_some_and(|relations| relations.contains_key(&fact.name)) {
                    builder.mark_unknown_relation(*node, &fact.name);
                }
            }
        }
        dangling
    }

    fn at(&self, at: usize) -> Option<&Resource> {
        self.resources.get(at)
    }

    /// The resources that `target` names, nearest first: the same account and region, the same account, anywhere. Only
    /// the nearest ring counts; an ARN or another globally unique key is found wherever it is.
    fn resolve(&self, index: &Index<'_>, from: &Resource, kinds: &[Arc<str>], target: &str) -> Vec<usize> {
        let mut found: Vec<usize> = Vec::new();
        for named in kinds {
            // A class label stands for every kind that carries it.
            for kind in self.catalog.kinds_of(named) {
                found.extend(index.get(&(kind.id.as_ref(), target)).into_iter().flatten());
            }
        }
        found.sort_unstable();
        found.dedup();
        let ring = |near: &dyn Fn(&Resource) -> bool| -> Vec<usize> {
            found.iter().copied().filter(|at| self.at(*at).is_some_and(near)).collect()
        };
        let exact = ring(&|one| one.key.as_ref() == target);
        if !exact.is_empty() {
            return exact;
        }
        let here = ring(&|one| {
            one.account == from.account
                && (one.region == from.region || one.region.as_ref() == "global" || from.region.as_ref() == "global")
        });
        if !here.is_empty() {
            return here;
        }
        let account = ring(&|one| one.account == from.account);
        if !account.is_empty() {
            return account;
        }
        // In another account a bare name says nothing; an identifier that the provider makes up does.
        match target.starts_with("arn:") || target.chars().any(|character| character.is_ascii_digit()) {
            true => found,
            false => Vec::new(),
        }
    }
}
