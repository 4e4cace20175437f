//! Where a snapshot would have shown a resource if there had been one.

use std::collections::{BTreeMap, BTreeSet};

use super::Resource;
use crate::manifest::{KindEntry, Manifest};

/// What a snapshot's coverage says.
pub(crate) struct Known<'m> {
    kinds: BTreeMap<&'m str, &'m KindEntry>,
    /// Kind → account → region → whether it was completely listed there.
    listed: BTreeMap<&'m str, BTreeMap<&'m str, BTreeMap<&'m str, bool>>>,
    accounts: BTreeSet<&'m str>,
    /// Graphs that were not collected have no coverage; their marks say all.
    collected: bool,
}

impl<'m> Known<'m> {
    pub fn new(manifest: &'m Manifest) -> Self {
        let mut listed: BTreeMap<&str, BTreeMap<&str, BTreeMap<&str, bool>>> = BTreeMap::new();
        let mut accounts = BTreeSet::new();
        for group in &manifest.coverage {
            for (account, regions) in &group.places {
                accounts.insert(account.as_str());
                if group.lists && !group.kind.is_empty() {
                    for (region, _) in regions {
                        let of = listed.entry(&group.kind).or_default().entry(account).or_default();
                        *of.entry(region).or_insert(true) &= group.state.is_complete();
                    }
                }
            }
        }
        let kinds = manifest.kinds.iter().map(|kind| (kind.kind.as_str(), kind)).collect();
        Self { kinds, listed, accounts, collected: !manifest.coverage.is_empty() }
    }

    /// Whether the resource would have been seen.
    pub fn completely(&self, resource: &Resource) -> bool {
        let anywhere = resource.region.is_empty() || &*resource.region == "global";
        let concerns = |mark: &crate::manifest::Place| {
            mark.account.as_ref().is_none_or(|account| **account == *resource.account)
                && mark.region.as_ref().is_none_or(|region| anywhere || **region == *resource.region)
        };
        let kind = self.kinds.get(&*resource.kind);
        if kind.is_some_and(|kind| kind.incomplete.iter().any(concerns)) {
            return false;
        }
        match self.listed.get(&*resource.kind) {
            // The kind has no list of its own: it comes with another, in the same account.
            None => kind.is_some() && (!self.collected || self.accounts.contains(&*resource.account)),
            Some(listed) => listed.get(&*resource.account).is_some_and(|regions| {
                match regions.get(&*resource.region) {
                    Some(complete) => *complete,
                    // Kinds that are listed once an account are so from a home region.
                    None => regions.values().all(|complete| *complete),
                }
            }),
        }
    }
}
