//! What is known of a request beside who, what and on what: the condition keys.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::principal::Principal;

/// The condition keys of a request.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// What holds where nothing is said here.
    base: Option<Arc<Context>>,
    keys: HashMap<Box<str>, Value>,
    /// Beginnings of keys that are all known: one that is not among the keys is absent.
    complete: Vec<Box<str>>,
    /// Whether what is not among the keys is unknown, not absent.
    open: bool,
}

#[derive(Clone, Debug)]
enum Value {
    Of(Vec<Box<str>>),
    Present,
    Absent,
    Unknown,
}

/// What is known of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known<'a> {
    /// These values; several only for keys that can have several.
    Values(&'a [Box<str>]),
    /// It is there, with which value is not known.
    Present,
    /// The request has no such key.
    Absent,
    /// Nothing is known.
    Unknown,
}

impl Context {
    /// A request all of whose keys are known.
    pub fn closed() -> Self {
        Self::default()
    }

    /// A request of which only the keys to be set are known.
    pub fn open() -> Self {
        Self { open: true, ..Self::default() }
    }

    /// A request of which all is known that is known of another, and more.
    pub fn over(base: &Arc<Self>) -> Self {
        Self { base: Some(base.clone()), ..Self::default() }
    }

    /// Sets a key's value.
    pub fn set(&mut self, key: &str, value: &str) -> &mut Self {
        self.set_all(key, [value])
    }

    /// Sets a key's values.
    pub fn set_all<'v>(&mut self, key: &str, values: impl IntoIterator<Item = &'v str>) -> &mut Self {
        let values = Value::Of(values.into_iter().map(Into::into).collect());
        self.keys.insert(key.to_ascii_lowercase().into(), values);
        self
    }

    /// Says that a request has no such key.
    pub fn set_absent(&mut self, key: &str) -> &mut Self {
        self.keys.insert(key.to_ascii_lowercase().into(), Value::Absent);
        self
    }

    /// Says that a request has the key, with a value that is not known.
    pub fn set_present(&mut self, key: &str) -> &mut Self {
        self.keys.insert(key.to_ascii_lowercase().into(), Value::Present);
        self
    }

    /// Says that nothing is known of a key.
    pub fn set_unknown(&mut self, key: &str) -> &mut Self {
        self.keys.insert(key.to_ascii_lowercase().into(), Value::Unknown);
        self
    }

    /// Says that all keys that begin so are known: those not set are absent.
    pub fn complete(&mut self, beginning: &str) -> &mut Self {
        self.complete.push(beginning.to_ascii_lowercase().into());
        self
    }

    /// Whether something is said of a key.
    pub fn has(&self, key: &str) -> bool {
        self.keys.contains_key(key.to_ascii_lowercase().as_str())
            || self.base.as_ref().is_some_and(|base| base.has(key))
    }

    /// What is known of a key, named in lower case.
    pub fn get(&self, lower: &str) -> Known<'_> {
        match self.keys.get(lower) {
            Some(Value::Of(values)) => Known::Values(values),
            Some(Value::Present) => Known::Present,
            Some(Value::Absent) => Known::Absent,
            Some(Value::Unknown) => Known::Unknown,
            None if self.complete.iter().any(|beginning| lower.starts_with(&**beginning)) => Known::Absent,
            None if self.open => Known::Unknown,
            None => self.base.as_ref().map_or(Known::Absent, |base| base.get(lower)),
        }
    }

    /// Whether keys that are not set are unknown.
    pub fn is_open(&self) -> bool {
        self.open || self.base.as_ref().is_some_and(|base| base.is_open())
    }
}

impl Context {
    /// Sets what follows from who asks, where nothing is said of it.
    pub fn of_principal(&mut self, principal: &Principal) -> &mut Self {
        let mut say = |key: &str, value: Option<&str>| {
            if !self.has(key) {
                match value {
                    Some(value) => self.set(key, value),
                    None => self.set_absent(key),
                };
            }
        };
        let kind = match principal {
            Principal::User { .. } => Some("User"),
            Principal::Role { .. } | Principal::Session { .. } => Some("AssumedRole"),
            Principal::FederatedUser { .. } => Some("FederatedUser"),
            Principal::Root { .. } => Some("Account"),
            Principal::Anonymous => Some("Anonymous"),
            Principal::Account { .. } | Principal::Service { .. } | Principal::Federated { .. } => None,
        };
        // A request without a signature says so in this key
        // (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>).
        let anonymous = matches!(principal, Principal::Anonymous).then_some("anonymous");
        say("aws:PrincipalAccount", principal.account().or(anonymous));
        if !matches!(principal, Principal::Account { .. }) {
            let arn = principal.arn();
            say("aws:PrincipalArn", arn.as_deref());
            say("aws:PrincipalType", kind);
            let name = match principal {
                Principal::User { arn } => arn.rsplit('/').next(),
                _ => None,
            };
            say("aws:username", name);
        }
        let service = match principal {
            Principal::Service { name } => Some(&**name),
            _ => None,
        };
        say("aws:PrincipalServiceName", service);
        say("aws:PrincipalIsAWSService", Some(if service.is_some() { "true" } else { "false" }));
        self
    }

    /// Sets what follows from the account that the resource belongs to, where nothing is said of it.
    pub fn of_resource(&mut self, account: &str) -> &mut Self {
        for key in ["aws:ResourceAccount", "s3:ResourceAccount"] {
            if !self.has(key) {
                self.set(key, account);
            }
        }
        self
    }
}
