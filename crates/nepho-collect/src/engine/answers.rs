//! One call's pages, from wherever they come. Every page is redacted, then recorded, then given out.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use nepho_model::CoverageState;
use serde_json::Value as Json;

use super::live::Live;
use super::paging::{Next, Paging, Watch};
use crate::recording::matching::{Hints, Index};
use crate::recording::{CallError, Recorder};
use crate::secrets::Redactor;
use crate::{Call, Provider};

/// Service and operation.
type Operation = (Arc<str>, Arc<str>);

/// Where answers come from and what happens to them on the way.
pub(super) struct Answers {
    pub provider: Arc<dyn Provider>,
    pub live: Live,
    /// Whether the provider may be asked.
    pub may_call: bool,
    pub index: Option<Index>,
    pub recorder: Option<Recorder>,
    pub redactor: Redactor,
    pub most_pages: u32,
    /// By service and operation; `None`: not paged.
    pub paginations: Mutex<HashMap<Operation, Option<Arc<Paging>>>>,
    pub answered: AtomicU64,
    pub failed: AtomicU64,
}

/// A call with what is known about it.
pub(super) struct Request<'a> {
    pub call: Call,
    pub hints: Hints<'a>,
    pub page_size: Option<u32>,
    pub paginate: bool,
}

/// The pages of one call that are still to come.
pub(super) struct Pages<'a> {
    request: Request<'a>,
    from: From,
}

enum From {
    /// Lines of the recording.
    Recorded {
        positions: VecDeque<usize>,
        page: u32,
        paging: Option<Arc<Paging>>,
        watch: Watch,
    },
    Live {
        paging: Option<Arc<Paging>>,
        tokens: Vec<(String, Json)>,
        page: u32,
        watch: Watch,
    },
    /// What is left to say.
    Failed(CallError),
    Done,
}

impl Answers {
    fn paging(&self, call: &Call) -> Result<Option<Arc<Paging>>, CallError> {
        let mut known = self.paginations.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (call.service.clone(), call.operation.clone());
        if let Some(paging) = known.get(&key) {
            return Ok(paging.clone());
        }
        let paging = match self.provider.pagination(&call.service, &call.operation) {
            Some(pagination) => Some(Arc::new(Paging::compile(&pagination)?)),
            None => None,
        };
        known.insert(key, paging.clone());
        Ok(paging)
    }

    /// The pages of the answer to a request.
    pub fn pages<'a>(&self, mut request: Request<'a>) -> Pages<'a> {
        let from = self.from(&mut request).unwrap_or_else(From::Failed);
        Pages { request, from }
    }

    fn from(&self, request: &mut Request<'_>) -> Result<From, CallError> {
        let paging = self.paging(&request.call)?;
        if let Some(index) = &self.index {
            request.hints.strict = self.may_call;
            if let Some(positions) = index.find(&request.call, request.hints)
                && (!self.may_call || is_final(index, positions, request.paginate, paging.as_deref()))
            {
                let positions = positions.iter().copied().collect();
                return Ok(From::Recorded { positions, page: 1, paging, watch: Watch::default() });
            }
        }
        if self.provider.offered(&request.call.service, &request.call.region) == Some(false) {
            let message = format!("{} does not offer {}", request.call.region, request.call.service);
            return Err(CallError::new(CoverageState::NotOffered, "", message));
        }
        if !self.may_call {
            return Err(CallError::new(CoverageState::NotRecorded, "", "the call is not in the recording"));
        }
        Ok(From::Live { paging, tokens: Vec::new(), page: 1, watch: Watch::default() })
    }

    /// All pages as one answer: lists at the same place are joined.
    pub async fn whole(&self, request: Request<'_>) -> Result<Json, CallError> {
        let mut pages = self.pages(request);
        let mut whole: Option<Json> = None;
        while let Some(page) = pages.next(self).await {
            let page = page?;
            match &mut whole {
                None => whole = Some(page),
                Some(whole) => merge(whole, page),
            }
        }
        Ok(whole.unwrap_or_default())
    }

    fn redact(&self, call: &Call, answer: &mut Json) {
        self.redactor.redact(&call.account, &call.service, &call.operation, answer);
    }

    fn redact_error(&self, call: &Call, error: CallError) -> CallError {
        let mut message = error.message.to_string();
        self.redactor.redact_text(&call.account, &mut message);
        CallError { message: message.into(), ..error }
    }

    async fn record(&self, call: &Call, page: u32, answer: Result<&Json, &CallError>) {
        if let Some(recorder) = &self.recorder
            && !recorder.write(call, page, answer).await
        {
            self.live.stopped.store(true, Ordering::Relaxed);
        }
    }

    /// One live page as it was recorded; fills in the tokens of the next.
    async fn live_page(
        &self,
        request: &Request<'_>,
        paging: Option<&Paging>,
        tokens: &mut Vec<(String, Json)>,
        page: u32,
    ) -> Result<Json, CallError> {
        let mut call = request.call.clone();
        call.parameters.extend(tokens.drain(..));
        if let (Some(size), Some(key)) = (request.page_size, paging.and_then(|paging| paging.limit_key.clone())) {
            call.parameters.insert(key, Json::from(size));
        }
        match self.live.ask(&call).await {
            Ok(mut answer) => {
                // Before redaction, which could take a token for a secret.
                if let Some(paging) = paging.filter(|_| request.paginate) {
                    *tokens = paging.next(&answer).tokens();
                }
                self.redact(&call, &mut answer);
                self.record(&request.call, page, Ok(&answer)).await;
                Ok(answer)
            }
            Err(error) => {
                let error = self.redact_error(&call, error);
                if error.state != CoverageState::Cut {
                    self.record(&request.call, page, Err(&error)).await;
                }
                Err(error)
            }
        }
    }

    fn count<T>(&self, result: &Result<T, CallError>) {
        if result.is_ok() {
            self.answered.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Whether recorded pages need not be asked for again: all of them are there, or the provider's own refusal is.
fn is_final(index: &Index, positions: &[usize], paginate: bool, paging: Option<&Paging>) -> bool {
    let mut left = positions.len();
    for (expected, position) in (1u32..).zip(positions) {
        left = left.saturating_sub(1);
        let Some((number, body)) = index.page(*position) else { return false };
        if number.is_some_and(|number| number != expected) {
            return false;
        }
        let next = match body.read() {
            Err(error) => return left == 0 && error.is_final(),
            Ok(_) if !paginate => return true,
            Ok(answer) => paging.map_or(Next::End, |paging| paging.next(&answer)),
        };
        match next {
            Next::End => return left == 0,
            Next::Page(_) if left > 0 => {}
            _ => return false,
        }
    }
    false
}

impl Pages<'_> {
    /// The next page, or the failure that ends them.
    pub async fn next(&mut self, answers: &Answers) -> Option<Result<Json, CallError>> {
        let result = self.advance(answers).await?;
        answers.count(&result);
        if result.is_err() {
            self.from = From::Done;
        }
        Some(result)
    }

    async fn advance(&mut self, answers: &Answers) -> Option<Result<Json, CallError>> {
        match &mut self.from {
            From::Done => None,
            From::Failed(error) => {
                let error = error.clone();
                Some(Err(error))
            }
            From::Recorded { positions, page, paging, watch } => {
                let position = positions.pop_front()?;
                let (number, body) = answers.index.as_ref()?.page(position)?;
                let expected = *page;
                if number.is_some_and(|number| number != expected) {
                    return Some(Err(not_recorded(expected)));
                }
                *page = expected.saturating_add(1);
                let mut answer = match body.read() {
                    Ok(answer) => answer,
                    Err(error) => return Some(Err(answers.redact_error(&self.request.call, error))),
                };
                answers.redact(&self.request.call, &mut answer);
                if !self.request.paginate {
                    positions.clear();
                } else if let Some(paging) = paging {
                    let wrong = watch.look(paging, &answer, expected);
                    let rest_is_missing = positions.is_empty() && matches!(paging.next(&answer), Next::Page(_));
                    if positions.is_empty()
                        && let Some(wrong) = wrong
                    {
                        self.from = From::Failed(wrong);
                    } else if rest_is_missing {
                        self.from = From::Failed(if expected >= answers.most_pages {
                            endless(answers.most_pages)
                        } else {
                            not_recorded(expected.saturating_add(1))
                        });
                    }
                }
                Some(Ok(answer))
            }
            From::Live { paging, tokens, page, watch } => {
                let number = *page;
                if number > answers.most_pages {
                    return Some(Err(endless(answers.most_pages)));
                }
                let result = answers.live_page(&self.request, paging.as_deref(), tokens, number).await;
                *page = number.saturating_add(1);
                let paging = paging.as_ref().filter(|_| self.request.paginate);
                let wrong = match (&result, paging) {
                    (Ok(answer), Some(paging)) => watch.look(paging, answer, number),
                    _ => None,
                };
                if let Some(wrong) = wrong {
                    // This page is still good.
                    self.from = From::Failed(wrong);
                } else if tokens.is_empty() {
                    self.from = From::Done;
                }
                Some(result)
            }
        }
    }
}

fn endless(pages: u32) -> CallError {
    CallError::malformed("EndlessPaging", format!("paging did not end within {pages} pages"))
}

fn not_recorded(page: u32) -> CallError {
    CallError::new(CoverageState::NotRecorded, "", format!("page {page} of the answer is not in the recording"))
}

/// Joins a further page to an answer: lists are appended, objects merged, the rest stays as the first page has it.
fn merge(whole: &mut Json, page: Json) {
    match (whole, page) {
        (Json::Array(whole), Json::Array(page)) => whole.extend(page),
        (Json::Object(whole), Json::Object(page)) => {
            for (name, value) in page {
                match whole.get_mut(&name) {
                    Some(known) => merge(known, value),
                    None => drop(whole.insert(name, value)),
                }
            }
        }
        _ => {}
    }
}
