//! Small answers that several items or kinds ask for, asked once.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;
use tokio::sync::OnceCell;

use crate::Call;
use crate::recording::CallError;

type Slot = Arc<OnceCell<Result<Arc<Json>, CallError>>>;

/// Answers kept at most.
const KEPT: usize = 4096;

#[derive(Default)]
pub(super) struct Memo(Mutex<Slots>);

#[derive(Default)]
struct Slots {
    by_call: HashMap<String, Slot>,
    order: VecDeque<String>,
}

impl Memo {
    /// The answer to the call, made by `ask` if nobody has it or is asking for it.
    pub async fn get<F>(&self, call: &Call, paginate: bool, ask: F) -> Result<Arc<Json>, CallError>
    where
        F: Future<Output = Result<Arc<Json>, CallError>>,
    {
        let parameters = Json::Object(call.parameters.clone());
        let key =
            format!("{} {} {} {} {paginate} {parameters}", call.account, call.region, call.service, call.operation);
        let slot = {
            let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match slots.by_call.get(&key) {
                Some(slot) => slot.clone(),
                None => {
                    if slots.order.len() >= KEPT
                        && let Some(oldest) = slots.order.pop_front()
                    {
                        slots.by_call.remove(&oldest);
                    }
                    let slot = Slot::default();
                    slots.by_call.insert(key.clone(), slot.clone());
                    slots.order.push_back(key.clone());
                    slot
                }
            }
        };
        let answer = slot.get_or_init(|| ask).await.clone();
        if answer.as_ref().is_ok_and(|answer| !is_small(answer)) {
            let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            slots.by_call.remove(&key);
            slots.order.retain(|kept| *kept != key);
        }
        answer
    }
}

/// Whether an answer is small enough to be kept: at most some thousand values.
fn is_small(answer: &Json) -> bool {
    fn count(value: &Json, left: &mut usize) -> bool {
        let text = value.as_str().map_or(0, |text| text.len() / 32);
        match left.checked_sub(text.saturating_add(1)) {
            None => return false,
            Some(rest) => *left = rest,
        }
        match value {
            Json::Array(items) => items.iter().all(|item| count(item, left)),
            Json::Object(fields) => fields.values().all(|field| count(field, left)),
            _ => true,
        }
    }
    count(answer, &mut 4000)
}
