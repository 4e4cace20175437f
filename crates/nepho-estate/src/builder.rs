//! Builds the graph of an estate from its resources.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use nepho_catalog::Catalog;
use nepho_graph::{Graph, GraphBuilder, NodeHandle};
use nepho_model::{CoverageEntry, CoverageState, Direction, Resource, Timestamp, UnknownFact, Value};

use crate::completeness::{Completeness, is_global};
use crate::schema::{ACCOUNT_KIND, IN_ACCOUNT, schema_of};

/// A graph with what is known about what is not known.
pub struct Estate {
    /// The graph.
    pub graph: Graph,
    /// What the collection could and could not read, in order.
    pub coverage: Vec<CoverageEntry>,
    /// Why properties and relations of a resource are unknown, by the resource's kind, key and account.
    unknown: HashMap<Identity, Vec<UnknownFact>>,
    completeness: Completeness,
    /// Accounts in order, with their names where known.
    pub accounts: Vec<(Arc<str>, Option<String>)>,
    /// Links whose other end was not found, by relation type.
    pub dangling: BTreeMap<Arc<str>, u64>,
    catalog: Arc<Catalog>,
}

/// Kind, key and account of a resource.
type Identity = (Arc<str>, Arc<str>, Arc<str>);

impl Estate {
    /// Why `name` (a property or relation type) of the resource is unknown.
    pub fn why_unknown(&self, kind: &str, key: &str, account: &str, name: &str) -> Option<&UnknownFact> {
        let identity = (kind.into(), key.into(), account.into());
        self.unknown.get(&identity)?.iter().find(|fact| fact.name.as_ref() == name)
    }

    /// Whether the kind was not listed completely somewhere that the scan was for.
    pub fn is_missing_somewhere(&self, kind: &str) -> bool {
        self.completeness.is_missing_somewhere(&self.catalog, kind)
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
                && (entry.kind.as_ref() == kind || entry.kind.is_empty())
                && entry.account.as_ref() == account
                && (region == "global"
                    || entry.kind.is_empty()
                    || entry.region.as_ref() == region
                    || is_global(&self.catalog, kind))
        })
    }
}

/// Takes resources in any order; the graph that comes out does not depend on it.
pub struct EstateBuilder {
    resources: Vec<Resource>,
    catalog: Arc<Catalog>,
    partition: String,
    all_listed: bool,
}

/// The account in an ARN.
fn owner(key: &str) -> Option<&str> {
    let rest = key.strip_prefix("arn:")?;
    rest.split(':').nth(3).filter(|account| !account.is_empty())
}

/// (kind, key) → accounts that see the resource beside its owner.
type Onlookers = HashMap<(Arc<str>, Arc<str>), Vec<Arc<str>>>;

/// (kind, id) → the resources that answer to it.
type Index<'a> = HashMap<(&'a str, &'a str), Vec<usize>>;

impl EstateBuilder {
    /// An empty estate.
    pub fn new(catalog: Arc<Catalog>) -> Self {
        Self { resources: Vec::new(), catalog, partition: "aws".to_owned(), all_listed: false }
    }

    /// The partition that accounts are in of which nothing could be read.
    pub fn in_partition(mut self, partition: &str) -> Self {
        self.partition = partition.to_owned();
        self
    }

    /// Kinds that coverage does not mention count as completely listed, where they else count as never asked.
    pub fn all_listed(mut self) -> Self {
        self.all_listed = true;
        self
    }

    /// Adds a resource.
    pub fn add(&mut self, resource: Resource) {
        self.resources.push(resource);
    }

    /// Looks up the links and builds the graph.
    pub fn finish(mut self, coverage: Vec<CoverageEntry>, clock: Timestamp) -> Estate {
        let completeness = Completeness::of(&self.catalog, &coverage, self.all_listed);
        self.leave_out_unasked(&completeness);
        self.add_missing_accounts(&coverage);
        let onlookers = self.unite();

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
        let dangling = self.add_relations(&mut builder, &nodes, &onlookers);
        let places: BTreeSet<(Arc<str>, Arc<str>)> =
            self.resources.iter().map(|one| (one.account.clone(), one.region.clone())).collect();
        completeness.mark(&self.catalog, &mut builder, &places);

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
            .map(|resource| {
                let identity = (resource.kind.clone(), resource.key.clone(), resource.account.clone());
                (identity, resource.unknown.clone())
            })
            .collect();
        Estate { graph: builder.finish(), coverage, unknown, completeness, accounts, dangling, catalog: self.catalog }
    }

    /// Leaves out resources that stand for a region, where the region is not part of the scan.
    fn leave_out_unasked(&mut self, completeness: &Completeness) {
        let catalog = &self.catalog;
        self.resources.retain(|resource| {
            let stands = catalog.kinds.get(&resource.kind).is_some_and(|kind| kind.stands_for_region);
            !stands || completeness.asked(&resource.account, &resource.region)
        });
    }

    /// Sorts, and makes one of what was seen several times. A resource that several accounts see is its owner's where
    /// the owner is among them; what nobody in the estate owns (an AWS-managed policy) is one for each account. Returns
    /// the accounts that see what another one owns (an organisation's trail, a shared subnet).
    fn unite(&mut self) -> Onlookers {
        self.resources.sort_by(|left, right| {
            (&left.kind, &left.key, &left.account).cmp(&(&right.kind, &right.key, &right.account))
        });
        self.resources
            .dedup_by(|left, right| left.kind == right.kind && left.key == right.key && left.account == right.account);
        let of = |one: &Resource| (one.kind.clone(), one.key.clone());
        let mut onlookers = Onlookers::new();
        let owned: BTreeSet<_> =
            self.resources.iter().filter(|one| owner(&one.key) == Some(one.account.as_ref())).map(of).collect();
        self.resources.retain(|one| {
            let keep = owner(&one.key) == Some(one.account.as_ref()) || !owned.contains(&of(one));
            if !keep {
                onlookers.entry(of(one)).or_default().push(one.account.clone());
            }
            keep
        });
        onlookers
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
            let why = coverage
                .iter()
                .find(|entry| entry.account == account && entry.kind.is_empty() && !entry.state.is_complete());
            let fact = |name: &Arc<str>| UnknownFact {
                name: name.clone(),
                call: why.map_or_else(|| "".into(), |entry| entry.call.clone()),
                state: why.map_or(CoverageState::NotRecorded, |entry| entry.state),
                code: why.map_or_else(|| "".into(), |entry| entry.code.clone()),
                message: why.map_or_else(|| "the account was not read".into(), |entry| entry.message.clone()),
            };
            self.resources.push(Resource {
                kind: ACCOUNT_KIND.into(),
                key: format!("arn:{}:iam::{account}:root", self.partition).into(),
                name: Value::from(account.as_ref()),
                region: "global".into(),
                tags: Value::Unknown,
                ids: vec![account.clone()],
                properties: properties.iter().map(|name| (name.clone(), Value::Unknown)).collect(),
                links: Vec::new(),
                unknown: properties.iter().map(fact).collect(),
                account,
            });
        }
    }

    fn add_relations(
        &self,
        builder: &mut GraphBuilder,
        nodes: &[NodeHandle],
        onlookers: &Onlookers,
    ) -> BTreeMap<Arc<str>, u64> {
        let mut index: Index<'_> = HashMap::new();
        for (at, resource) in self.resources.iter().enumerate() {
            let mut ids: BTreeSet<&str> = resource.ids.iter().map(AsRef::as_ref).collect();
            ids.insert(&resource.key);
            ids.extend(resource.name.as_str());
            for id in ids {
                index.entry((&resource.kind, id)).or_default().push(at);
            }
        }
        let accounts: HashMap<&str, usize> = self
            .resources
            .iter()
            .enumerate()
            .filter(|(_, one)| one.kind.as_ref() == ACCOUNT_KIND)
            .map(|(at, one)| (one.account.as_ref(), at))
            .collect();
        let mut dangling: BTreeMap<Arc<str>, u64> = BTreeMap::new();
        let mut edges: BTreeSet<(usize, Arc<str>, usize)> = BTreeSet::new();
        for (at, resource) in self.resources.iter().enumerate() {
            let others = onlookers.get(&(resource.kind.clone(), resource.key.clone()));
            for account in others.into_iter().flatten().chain([&resource.account]) {
                if let Some(account) = accounts.get(account.as_ref()).filter(|account| **account != at) {
                    edges.insert((at, IN_ACCOUNT.into(), *account));
                }
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
        let own = ring(&|one| one.key.as_ref() == target && one.account == from.account);
        if !exact.is_empty() {
            return if own.is_empty() { exact } else { own };
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
