//! Builds the graph of an estate from its resources. Properties go into the graph's columns as resources come; only what
//! links are looked up by is kept beside.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use nepho_catalog::Catalog;
use nepho_graph::{Graph, GraphBuilder, NodeHandle};
use nepho_model::{CoverageEntry, CoverageState, Link, Resource, Timestamp, UnknownFact, Value};

use crate::completeness::{Completeness, is_global};
use crate::links::Links;
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

/// What is kept of a resource until the graph is finished.
pub(crate) struct Row {
    pub kind: Arc<str>,
    pub key: Arc<str>,
    pub account: Arc<str>,
    pub region: Arc<str>,
    pub name: Option<Arc<str>>,
    pub ids: Box<[Arc<str>]>,
    pub links: Box<[Link]>,
    pub node: NodeHandle,
}

/// Takes resources in any order; the graph that comes out does not depend on it.
pub struct EstateBuilder {
    catalog: Arc<Catalog>,
    graph: GraphBuilder,
    rows: Vec<Row>,
    unknown: HashMap<Identity, Vec<UnknownFact>>,
    partition: String,
    all_listed: bool,
}

/// (kind, key) → accounts that see the resource beside its owner.
type Onlookers = HashMap<(Arc<str>, Arc<str>), Vec<Arc<str>>>;

/// The account in an ARN.
fn owner(key: &str) -> Option<&str> {
    let rest = key.strip_prefix("arn:")?;
    rest.split(':').nth(3).filter(|account| !account.is_empty())
}

impl Row {
    fn is_owners(&self) -> bool {
        owner(&self.key) == Some(self.account.as_ref())
    }

    fn identity(&self) -> Identity {
        (self.kind.clone(), self.key.clone(), self.account.clone())
    }
}

impl EstateBuilder {
    /// An empty estate.
    pub fn new(catalog: Arc<Catalog>) -> Self {
        Self {
            graph: GraphBuilder::new(schema_of(&catalog)),
            catalog,
            rows: Vec::new(),
            unknown: HashMap::new(),
            partition: "aws".to_owned(),
            all_listed: false,
        }
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

    /// Adds a resource. A second one of the same kind, key and account adds nothing.
    pub fn add(&mut self, resource: Resource) {
        let Resource { kind, key, account, region, name, tags, ids, properties, links, unknown } = resource;
        let before = self.graph.node_count();
        let label = name.as_str().map(Arc::from);
        let node = self.graph.add_node(&kind, key.clone(), &account, &region, name, tags, properties);
        if self.graph.node_count() == before {
            return;
        }
        if !unknown.is_empty() {
            self.unknown.insert((kind.clone(), key.clone(), account.clone()), unknown);
        }
        self.rows.push(Row { kind, key, account, region, name: label, ids: ids.into(), links: links.into(), node });
    }

    /// Looks up the links and builds the graph.
    pub fn finish(mut self, coverage: Vec<CoverageEntry>, clock: Timestamp) -> Estate {
        let completeness = Completeness::of(&self.catalog, &coverage, self.all_listed);
        self.leave_out_unasked(&completeness);
        self.add_missing_accounts(&coverage);
        let onlookers = self.unite();
        let dangling = self.add_relations(&onlookers);
        self.mark_unknown_relations();
        let Self { catalog, mut graph, rows, unknown, .. } = self;
        let places: BTreeSet<(Arc<str>, Arc<str>)> =
            rows.iter().map(|one| (one.account.clone(), one.region.clone())).collect();
        completeness.mark(&catalog, &mut graph, &places);
        let accounts = rows
            .iter()
            .filter(|row| row.kind.as_ref() == ACCOUNT_KIND)
            .map(|row| (row.account.clone(), row.name.as_deref().map(str::to_owned)))
            .collect();
        drop(rows);
        graph.set_clock(clock);
        Estate { graph: graph.finish(), coverage, unknown, completeness, accounts, dangling, catalog }
    }

    /// Keeps the rows that `keep` says; the others' nodes go, too.
    fn retain(&mut self, mut keep: impl FnMut(&Row) -> bool) {
        let Self { graph, rows, unknown, .. } = self;
        rows.retain(|row| {
            let kept = keep(row);
            if !kept {
                graph.remove(row.node);
                unknown.remove(&row.identity());
            }
            kept
        });
    }

    /// Leaves out resources that stand for a region, where the region is not part of the scan.
    fn leave_out_unasked(&mut self, completeness: &Completeness) {
        let catalog = self.catalog.clone();
        self.retain(|row| {
            let stands = catalog.kinds.get(&row.kind).is_some_and(|kind| kind.stands_for_region);
            !stands || completeness.asked(&row.account, &row.region)
        });
    }

    /// Sorts, and makes one of what several accounts see: it is its owner's where the owner is among them; what nobody in
    /// the estate owns (an AWS-managed policy) stays one for each account. Returns the accounts that see what another
    /// one owns (an organisation's trail, a shared subnet).
    fn unite(&mut self) -> Onlookers {
        self.rows.sort_by(|left, right| {
            (&left.kind, &left.key, &left.account).cmp(&(&right.kind, &right.key, &right.account))
        });
        let same = |left: &Row, right: &Row| left.kind == right.kind && left.key == right.key;
        let shared: HashSet<(Arc<str>, Arc<str>)> = self
            .rows
            .chunk_by(same)
            .filter(|seen| seen.len() > 1 && seen.iter().any(Row::is_owners))
            .filter_map(|seen| seen.first().map(|row| (row.kind.clone(), row.key.clone())))
            .collect();
        let mut onlookers = Onlookers::new();
        if !shared.is_empty() {
            self.retain(|row| {
                let of = (row.kind.clone(), row.key.clone());
                let keep = row.is_owners() || !shared.contains(&of);
                if !keep {
                    onlookers.entry(of).or_default().push(row.account.clone());
                }
                keep
            });
        }
        onlookers
    }

    /// Every account that was collected from has a node, even where nothing of the account itself could be read.
    fn add_missing_accounts(&mut self, coverage: &[CoverageEntry]) {
        if !self.catalog.kinds.contains_key(ACCOUNT_KIND) {
            return;
        }
        let is_account = |row: &&Row| row.kind.as_ref() == ACCOUNT_KIND;
        let present: HashSet<Arc<str>> = self.rows.iter().filter(is_account).map(|row| row.account.clone()).collect();
        let seen: BTreeSet<Arc<str>> = self
            .rows
            .iter()
            .map(|row| &row.account)
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
            self.add(Resource {
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

    fn add_relations(&mut self, onlookers: &Onlookers) -> BTreeMap<Arc<str>, u64> {
        let mut links = Links::new(&self.catalog, &self.rows);
        let accounts: HashMap<&str, u32> = (0..)
            .zip(&self.rows)
            .filter(|(_, one)| one.kind.as_ref() == ACCOUNT_KIND)
            .map(|(at, one)| (one.account.as_ref(), at))
            .collect();
        for (at, row) in (0..).zip(&self.rows) {
            let others = if onlookers.is_empty() { None } else { onlookers.get(&(row.kind.clone(), row.key.clone())) };
            for account in others.into_iter().flatten().chain([&row.account]) {
                if let Some(account) = accounts.get(account.as_ref()).filter(|account| **account != at) {
                    links.add(at, IN_ACCOUNT, *account);
                }
            }
            row.links.iter().for_each(|link| links.look_up(at, link));
        }
        let (edges, dangling) = links.finish();
        for (from, relation, to) in edges {
            if let (Some(from), Some(to)) = (self.rows.get(from as usize), self.rows.get(to as usize)) {
                self.graph.add_relation(from.node, &relation, to.node, Vec::new());
            }
        }
        dangling
    }

    fn mark_unknown_relations(&mut self) {
        let Self { catalog, graph, rows, unknown, .. } = self;
        for row in rows.iter().filter(|_| !unknown.is_empty()) {
            let Some(relations) = catalog.kinds.get(&row.kind).map(|kind| &kind.relations) else { continue };
            for fact in unknown.get(&row.identity()).into_iter().flatten() {
                if relations.contains_key(&fact.name) {
                    graph.mark_unknown_relation(row.node, &fact.name);
                }
            }
        }
    }
}
