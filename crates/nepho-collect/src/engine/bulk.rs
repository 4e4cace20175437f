//! Tags of all resources of a type in one place, read by few calls instead of one an item.
//!
//! Where the bulk call fails, each item is asked for itself: nothing is lost, and nothing is said of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;
use tokio::sync::OnceCell;

use super::answers::Request;
use super::job::Location;
use super::run::Shared;
use crate::compile::BulkSpec;

/// Key of a resource → its tags as the bulk call gives them.
type Tags = HashMap<Box<str>, Json>;
type Slot = Arc<OnceCell<Option<Arc<Tags>>>>;
/// Account, region, kind.
type Place = (Arc<str>, Arc<str>, Arc<str>);

#[derive(Default)]
pub(super) struct Bulk(Mutex<HashMap<Place, Slot>>);

impl Bulk {
    fn slot(&self, place: Place) -> Slot {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(place).or_default().clone()
    }

    /// Lets go of what is held for a kind whose list in an account is at its end.
    pub fn forget(&self, account: &Arc<str>, kind: &Arc<str>) {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|(of, _, held), slot| !(of == account && held == kind && Arc::strong_count(slot) == 1));
    }
}

impl Shared {
    /// The tags of the resource, null where it has none; `None` where the bulk call does not tell.
    pub(super) async fn bulk_tags(
        &self,
        location: &Location,
        kind: &Arc<str>,
        bulk: &BulkSpec,
        key: &str,
    ) -> Option<Json> {
        let place = (location.account.clone(), location.region.clone(), kind.clone());
        let slot = self.bulk.slot(place);
        let tags = slot.get_or_init(|| self.read_bulk(location, bulk)).await.clone()?;
        Some(tags.get(key).cloned().unwrap_or_default())
    }

    async fn read_bulk(&self, location: &Location, bulk: &BulkSpec) -> Option<Arc<Tags>> {
        let nothing = Json::Null;
        let parameters = bulk.call.parameters.fill(&location.scene(&nothing, None)).ok()?;
        let mut pages = self.answers.pages(Request {
            call: location.call(&bulk.call, parameters),
            hints: location.hints(&bulk.call),
            page_size: bulk.page_size,
            paginate: true,
        });
        let mut tags = Tags::new();
        while let Some(page) = pages.next(&self.answers).await {
            let items = match bulk.items.search_owned(page.ok()?).ok()? {
                Json::Array(items) => items,
                Json::Null => continue,
                // An answer of another shape tells nothing.
                _ => return None,
            };
            for item in items {
                if let Some(key) = bulk.matches.search(&item).ok()?.as_str().map(Box::from) {
                    tags.insert(key, bulk.api.search(&item).ok()?.into_owned());
                }
            }
        }
        Some(Arc::new(tags))
    }
}
