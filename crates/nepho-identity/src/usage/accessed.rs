//! What IAM itself knows of use: the answers of `GetServiceLastAccessedDetails`, made with `ACTION_LEVEL`
//! (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLastAccessedDetails.html>).

use hashbrown::HashMap;
use jiff::Timestamp;
use serde_json::Value as Json;

/// When a principal last used services and actions. It has attempts, also those that were not allowed.
#[derive(Clone, Debug, Default)]
pub struct LastAccessed {
    /// By prefix in lower case.
    services: HashMap<Box<str>, Service>,
}

#[derive(Clone, Debug, Default)]
struct Service {
    last: Option<Timestamp>,
    /// By name in lower case; those that IAM keeps book of.
    actions: HashMap<Box<str>, Option<Timestamp>>,
}

impl LastAccessed {
    /// Out of the answer, or of a list of its pages. Fails with what is wrong with it.
    pub fn of(answer: &Json) -> Result<Self, String> {
        let mut all = Self::default();
        let pages = answer.as_array().map_or_else(|| std::slice::from_ref(answer), Vec::as_slice);
        for page in pages {
            match page.get("JobStatus").and_then(Json::as_str) {
                Some("COMPLETED") | None => {}
                Some(other) => return Err(format!("the job is not completed but {other}")),
            }
            let services = page.get("ServicesLastAccessed").and_then(Json::as_array);
            for service in services.ok_or("there is no list `ServicesLastAccessed`")? {
                all.add(service)?;
            }
        }
        Ok(all)
    }

    fn add(&mut self, service: &Json) -> Result<(), String> {
        let prefix =
            service.get("ServiceNamespace").and_then(Json::as_str).ok_or("a service has no `ServiceNamespace`")?;
        let into = self.services.entry(prefix.to_lowercase().into()).or_default();
        into.last = into.last.max(time(service.get("LastAuthenticated"))?);
        for action in service.get("TrackedActionsLastAccessed").and_then(Json::as_array).into_iter().flatten() {
            let name = action.get("ActionName").and_then(Json::as_str).ok_or("an action has no `ActionName`")?;
            let name = name.rsplit(':').next().unwrap_or(name).to_lowercase();
            into.actions.insert(name.into(), time(action.get("LastAccessedTime"))?);
        }
        Ok(())
    }

    /// Whether a service is known not to have been used in the time that IAM looks back on, at least 400 days.
    pub fn is_unused(&self, prefix: &str) -> bool {
        self.services.get(&*prefix.to_lowercase()).is_some_and(|service| service.last.is_none())
    }

    /// Whether an action, `s3:GetBucketAcl`, is known not to have been used in that time.
    pub fn is_action_unused(&self, action: &str) -> bool {
        let lower = action.to_lowercase();
        let Some((prefix, name)) = lower.split_once(':') else { return false };
        let service = self.services.get(prefix);
        service.is_some_and(|service| service.last.is_none() || service.actions.get(name).is_some_and(Option::is_none))
    }

    /// The services used since a time.
    pub fn services_since(&self, since: Timestamp) -> Vec<&str> {
        let recent = self.services.iter().filter(|(_, service)| service.last.is_some_and(|last| last >= since));
        let mut all: Vec<_> = recent.map(|(prefix, _)| &**prefix).collect();
        all.sort_unstable();
        all
    }

    /// The actions used since a time, in lower case, of services of which IAM keeps book by action.
    pub fn actions_since(&self, since: Timestamp) -> Vec<String> {
        let mut all: Vec<_> = self
            .services
            .iter()
            .flat_map(|(prefix, service)| service.actions.iter().map(move |(name, last)| (prefix, name, last)))
            .filter(|(.., last)| last.is_some_and(|last| last >= since))
            .map(|(prefix, name, _)| format!("{prefix}:{name}"))
            .collect();
        all.sort_unstable();
        all
    }

    /// Whether IAM keeps book of a service by action.
    pub fn knows_actions(&self, prefix: &str) -> bool {
        self.services.get(prefix).is_some_and(|service| !service.actions.is_empty())
    }
}

/// A time as the API's libraries write it, or in seconds.
fn time(value: Option<&Json>) -> Result<Option<Timestamp>, String> {
    let wrong = |text: &str| format!("`{text}` is no time");
    match value {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => text.parse().map(Some).map_err(|_| wrong(text)),
        Some(Json::Number(number)) => {
            #[expect(clippy::cast_possible_truncation, reason = "saturates, and then is no time")]
            let seconds = number.as_f64().map(|seconds| seconds as i64);
            let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
            time.map(Some).ok_or_else(|| wrong(&number.to_string()))
        }
        Some(other) => Err(wrong(&other.to_string())),
    }
}
