//! Coverage in groups: calls of one outcome are told once, with the places that had it.

use std::collections::BTreeMap;

use nepho_model::CoverageEntry;

use crate::manifest::CoverageGroup;

/// The groups, in order of kind and call.
pub(crate) fn grouped(entries: &[CoverageEntry]) -> Vec<CoverageGroup> {
    type Places<'e> = BTreeMap<&'e str, Vec<(String, u64)>>;
    let mut sorted: Vec<&CoverageEntry> = entries.iter().collect();
    sorted.sort_by(|left, right| (&left.account, &left.region).cmp(&(&right.account, &right.region)));
    let mut groups: BTreeMap<_, Places<'_>> = BTreeMap::new();
    for entry in sorted {
        let group = (&entry.kind, &entry.call, entry.lists, entry.state, &entry.code, &entry.message);
        let regions = groups.entry(group).or_default().entry(&entry.account).or_default();
        regions.push((entry.region.to_string(), entry.items));
    }
    groups
        .into_iter()
        .map(|((kind, call, lists, state, code, message), places)| CoverageGroup {
            kind: kind.to_string(),
            call: call.to_string(),
            lists,
            state,
            code: code.to_string(),
            message: message.to_string(),
            places: places.into_iter().map(|(account, regions)| (account.to_owned(), regions)).collect(),
        })
        .collect()
}
