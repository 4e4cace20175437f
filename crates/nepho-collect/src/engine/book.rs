//! Coverage, as it comes about.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use nepho_model::{CoverageEntry, CoverageState};

use crate::recording::CallError;

#[derive(Default)]
pub(super) struct Book(Mutex<BTreeMap<Key, Entry>>);

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    account: Arc<str>,
    region: Arc<str>,
    kind: Arc<str>,
    call: Arc<str>,
    lists: bool,
    state: CoverageState,
    code: Arc<str>,
}

struct Entry {
    message: Arc<str>,
    items: u64,
}

/// Where and what for.
#[derive(Clone)]
pub(super) struct Place {
    pub account: Arc<str>,
    pub region: Arc<str>,
    pub kind: Arc<str>,
    pub call: Arc<str>,
}

impl Book {
    fn add(&self, place: Place, lists: bool, state: CoverageState, code: &Arc<str>, message: &Arc<str>, items: u64) {
        let Place { account, region, kind, call } = place;
        let key = Key { account, region, kind, call, lists, state, code: code.clone() };
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.entry(key).or_insert_with(|| Entry { message: message.clone(), items: 0 });
        // Of several the least, not the first: which comes first is chance, and a replay shall say the same.
        if *message < entry.message {
            entry.message = message.clone();
        }
        entry.items = entry.items.saturating_add(items);
    }

    /// A list call brought so many items and ended well.
    pub fn listed(&self, place: Place, items: u64) {
        let none: Arc<str> = Arc::from("");
        self.add(place, true, CoverageState::Complete, &none, &none, items);
    }

    /// A list call failed after so many items.
    pub fn list_failed(&self, place: Place, error: &CallError, items: u64) {
        self.add(place, true, error.state, &error.code, &error.message, items);
    }

    /// A further call failed for so many items.
    pub fn failed(&self, place: Place, error: &CallError, items: u64) {
        self.add(place, false, error.state, &error.code, &error.message, items);
    }

    /// The entries, sorted.
    pub fn entries(&self) -> Vec<CoverageEntry> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<CoverageEntry> = entries
            .iter()
            .map(|(key, entry)| CoverageEntry {
                account: key.account.clone(),
                region: key.region.clone(),
                kind: key.kind.clone(),
                call: key.call.clone(),
                state: key.state,
                code: key.code.clone(),
                message: entry.message.clone(),
                lists: key.lists,
                items: entry.items,
            })
            .collect();
        // An empty "complete" beside a failure of the same list call says nothing.
        let call_of = |entry: &CoverageEntry| {
            (entry.account.clone(), entry.region.clone(), entry.kind.clone(), entry.call.clone())
        };
        let failed: HashSet<_> =
            all.iter().filter(|entry| entry.lists && entry.state != CoverageState::Complete).map(call_of).collect();
        all.retain(|entry| {
            !(entry.lists
                && entry.state == CoverageState::Complete
                && entry.items == 0
                && failed.contains(&call_of(entry)))
        });
        all.sort();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_do_not_depend_on_the_order() {
        let [left, right] = [["a", "b"], ["b", "a"]].map(|messages| {
            let book = Book::default();
            for message in messages {
                let none: Arc<str> = Arc::from("");
                let place = Place { account: none.clone(), region: none.clone(), kind: none.clone(), call: none };
                book.failed(place, &CallError::new(CoverageState::Failed, "Code", message), 1);
            }
            book.entries()
        });
        assert_eq!(left, right);
        assert_eq!((left.len(), left[0].items), (1, 2));
    }
}
