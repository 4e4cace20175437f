//! Which kinds were listed completely, and where: from coverage, and from what was never asked.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use nepho_catalog::Catalog;
use nepho_catalog::kind::Scope;
use nepho_graph::GraphBuilder;
use nepho_model::CoverageEntry;

/// The region of kinds that are listed once an account.
const GLOBAL: &str = "global";

/// Kind, account, region.
type Listed = (Arc<str>, Arc<str>, Arc<str>);

/// How much of the estate was listed.
#[derive(Debug, Default)]
pub(crate) struct Completeness {
    /// (kind, account, region) → whether every list call there ended well.
    listed: HashMap<Listed, bool>,
    /// (account, region) that was asked for kinds that live in regions, or is switched off.
    places: BTreeSet<(Arc<str>, Arc<str>)>,
    /// Accounts with any entry.
    accounts: BTreeSet<Arc<str>>,
    /// What has no entry counts as listed.
    assumed: bool,
}

/// Whether the kind is listed once an account; its incompleteness then concerns every region.
pub(crate) fn is_global(catalog: &Catalog, kind: &str) -> bool {
    // A chain of parents is short; the bound only guards against a circle in a user's catalogue.
    let mut kind = catalog.kinds.get(kind);
    for _ in 0..8 {
        let Some(found) = kind else { return false };
        match found.list.as_slice().iter().find_map(|list| list.for_each.as_ref()) {
            Some(parent) => kind = catalog.kinds.get(parent),
            None => return found.scope == Scope::Global,
        }
    }
    false
}

impl Completeness {
    /// Reads coverage. With `assumed`, kinds and places without an entry count as listed; else as never asked.
    pub fn of(catalog: &Catalog, coverage: &[CoverageEntry], assumed: bool) -> Self {
        let mut this = Self { assumed, ..Self::default() };
        for entry in coverage {
            this.accounts.insert(entry.account.clone());
            if entry.kind.is_empty() {
                if entry.state.is_complete() {
                    this.places.insert((entry.account.clone(), entry.region.clone()));
                }
                continue;
            }
            let global = is_global(catalog, &entry.kind);
            if !global {
                this.places.insert((entry.account.clone(), entry.region.clone()));
            }
            if entry.lists {
                let region = if global { GLOBAL.into() } else { entry.region.clone() };
                let known = this.listed.entry((entry.kind.clone(), entry.account.clone(), region)).or_insert(true);
                *known &= entry.state.is_complete();
            }
        }
        // A region that is switched off holds nothing of any kind.
        let off = coverage.iter().filter(|entry| entry.kind.is_empty() && entry.state.is_complete());
        for entry in off {
            for kind in catalog.kinds.keys().filter(|kind| !is_global(catalog, kind)) {
                this.listed.entry((kind.clone(), entry.account.clone(), entry.region.clone())).or_insert(true);
            }
        }
        this
    }

    /// Whether anything that lives in regions was asked for there.
    pub fn asked(&self, account: &Arc<str>, region: &Arc<str>) -> bool {
        self.assumed || self.places.contains(&(account.clone(), region.clone()))
    }

    fn complete(&self, catalog: &Catalog, kind: &Arc<str>, account: &Arc<str>, region: &Arc<str>, depth: u8) -> bool {
        if let Some(listed) = self.listed.get(&(kind.clone(), account.clone(), region.clone())) {
            return *listed;
        }
        if self.assumed {
            return true;
        }
        // Without a resource of the parent kind no list call was made: complete when the parents are.
        let parents: Vec<&Arc<str>> = catalog
            .kinds
            .get(kind)
            .map(|kind| kind.list.as_slice().iter().filter_map(|list| list.for_each.as_ref()).collect())
            .unwrap_or_default();
        depth > 0
            && !parents.is_empty()
            && parents.iter().all(|parent| self.complete(catalog, parent, account, region, depth - 1))
    }

    /// Tells the graph where kinds are incomplete. `places` are the accounts and regions that resources are in.
    pub fn mark(&self, catalog: &Catalog, builder: &mut GraphBuilder, places: &BTreeSet<(Arc<str>, Arc<str>)>) {
        let mut by_account: BTreeMap<&Arc<str>, BTreeSet<&Arc<str>>> = BTreeMap::new();
        for (account, region) in places.iter().chain(&self.places) {
            let regions = by_account.entry(account).or_default();
            if region.as_ref() != GLOBAL {
                regions.insert(region);
            }
        }
        for account in &self.accounts {
            by_account.entry(account).or_default();
        }
        let global: Arc<str> = GLOBAL.into();
        for kind in catalog.kinds.keys() {
            let once = is_global(catalog, kind);
            for (account, regions) in &by_account {
                if once {
                    if !self.complete(catalog, kind, account, &global, 4) {
                        builder.mark_incomplete(kind, account, GLOBAL);
                    }
                    continue;
                }
                let gaps: Vec<&Arc<str>> = regions
                    .iter()
                    .copied()
                    .filter(|region| !self.complete(catalog, kind, account, region, 4))
                    .collect();
                if gaps.len() == regions.len() && !self.assumed {
                    builder.mark_incomplete(kind, account, GLOBAL);
                } else {
                    gaps.into_iter().for_each(|region| builder.mark_incomplete(kind, account, region));
                }
            }
        }
    }

    /// Whether the kind was not listed completely somewhere that the scan was for.
    pub fn is_missing_somewhere(&self, catalog: &Catalog, kind: &str) -> bool {
        let kind: Arc<str> = kind.into();
        if is_global(catalog, &kind) {
            let global: Arc<str> = GLOBAL.into();
            return self.accounts.iter().any(|account| !self.complete(catalog, &kind, account, &global, 4));
        }
        let regional = self.places.iter().any(|(account, region)| !self.complete(catalog, &kind, account, region, 4));
        let barred = self.accounts.iter().any(|account| !self.places.iter().any(|(known, _)| known == account));
        regional || (barred && !self.assumed)
    }
}
