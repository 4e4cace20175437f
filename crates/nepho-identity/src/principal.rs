//! Who makes a request, and whether a policy means them.

use crate::arn::{Arn, is_account};
use crate::policy::{Named, Principals};

/// Who makes a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Principal {
    /// An IAM user.
    User {
        /// Its ARN.
        arn: Box<str>,
    },
    /// Some session of an IAM role, of which the name is not known.
    Role {
        /// The role's ARN.
        arn: Box<str>,
    },
    /// A session of a role.
    Session {
        /// `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`
        arn: Box<str>,
        /// The role's own ARN, where it is known: it has the role's path.
        role: Option<Box<str>>,
    },
    /// A federated user of `sts:GetFederationToken`.
    FederatedUser {
        /// `arn:aws:sts::ACCOUNT:federated-user/NAME`
        arn: Box<str>,
    },
    /// An account's root user.
    Root {
        /// The account's number.
        account: Box<str>,
    },
    /// Some principal of an account, of which nothing more is known.
    Account {
        /// The account's number.
        account: Box<str>,
    },
    /// An AWS service.
    Service {
        /// `lambda.amazonaws.com`
        name: Box<str>,
    },
    /// Whoever an identity provider vouches for.
    Federated {
        /// ARN or name of the provider.
        provider: Box<str>,
    },
    /// A request without a signature.
    Anonymous,
}

/// How a policy means a principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meant<'p> {
    /// Itself, or everyone: within an account nothing else has to allow.
    Itself,
    /// By its role: within an account no policy of the role has to allow, but its boundary and session policy must.
    ByRole,
    /// By its account, which hands on through its own policies.
    ByAccount,
    /// Itself, if its session has this name.
    IfSession(&'p str),
}

impl Principal {
    /// From an ARN, an account's number or a service's name.
    pub fn of(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Anonymous);
        }
        if is_account(text) {
            return Some(Self::Account { account: text.into() });
        }
        let Some(arn) = Arn::of(text) else {
            let is_service = text.ends_with(".amazonaws.com") || text.ends_with(".amazonaws.com.cn");
            return is_service.then(|| Self::Service { name: text.into() });
        };
        match (arn.service, arn.resource.split(['/', ':']).next()?) {
            ("iam", "user") => Some(Self::User { arn: text.into() }),
            ("iam", "role") => Some(Self::Role { arn: text.into() }),
            ("iam", "root") => Some(Self::Root { account: arn.account.into() }),
            ("iam", "oidc-provider" | "saml-provider") => Some(Self::Federated { provider: text.into() }),
            ("sts", "assumed-role") => Some(Self::Session { arn: text.into(), role: None }),
            ("sts", "federated-user") => Some(Self::FederatedUser { arn: text.into() }),
            _ => None,
        }
    }

    /// The account that it belongs to; `None` for services, providers and everyone.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::User { arn } | Self::Role { arn } | Self::Session { arn, .. } | Self::FederatedUser { arn } => {
                Arn::of(arn).map(|arn| arn.account)
            }
            Self::Root { account } | Self::Account { account } => Some(account),
            Self::Service { .. } | Self::Federated { .. } | Self::Anonymous => None,
        }
    }

    /// As `aws:PrincipalArn` says it: the role's ARN for its sessions.
    pub fn arn(&self) -> Option<String> {
        match self {
            Self::User { arn } | Self::Role { arn } | Self::FederatedUser { arn } => Some(arn.to_string()),
            Self::Session { role: Some(role), .. } => Some(role.to_string()),
            Self::Session { arn, role: None } => {
                let of = Arn::of(arn)?;
                let name = of.named("assumed-role")?.split('/').next()?;
                Some(format!("arn:{}:iam::{}:role/{name}", of.partition, of.account))
            }
            Self::Root { account } => Some(format!("arn:aws:iam::{account}:root")),
            _ => None,
        }
    }

    /// Whether AWS owns it for a service, so that service and resource control policies do not count.
    pub fn is_service_linked(&self) -> bool {
        let role = match self {
            Self::Role { arn } | Self::Session { role: Some(arn), .. } => arn,
            _ => return false,
        };
        Arn::of(role).is_some_and(|arn| arn.resource.starts_with("role/aws-service-role/"))
    }

    /// Role and session name of a session, the role's name alone of a role.
    fn role_and_session(&self) -> Option<(&str, Option<&str>)> {
        match self {
            Self::Role { arn } => Some((Arn::of(arn)?.named("role")?.rsplit('/').next()?, None)),
            Self::Session { arn, .. } => {
                let (role, session) = Arn::of(arn)?.named("assumed-role")?.split_once('/')?;
                Some((role, Some(session)))
            }
            _ => None,
        }
    }

    /// How a policy's principals mean it, the nearest way first. `open` says that a session's name is not known or can
    /// be chosen.
    pub fn meant<'p>(&self, principals: &'p Principals, open: bool) -> Option<Meant<'p>> {
        let mut all = principals.of.iter().filter_map(|named| self.meant_by(named, open));
        if principals.not {
            // An account that is left out leaves out those that are named themselves only.
            return all.next().is_none().then_some(Meant::Itself);
        }
        let rank = |meant: &Meant<'_>| match meant {
            Meant::Itself => 0,
            Meant::ByRole => 1,
            Meant::ByAccount => 2,
            Meant::IfSession(_) => 3,
        };
        all.min_by_key(rank)
    }

    fn meant_by<'p>(&self, named: &'p Named, open: bool) -> Option<Meant<'p>> {
        match named {
            Named::Everyone => Some(Meant::Itself),
            Named::Account(account) => (self.account() == Some(account)).then_some(match self {
                Self::Root { .. } => Meant::Itself,
                _ => Meant::ByAccount,
            }),
            Named::Service(name) => matches!(self, Self::Service { name: own } if own == name).then_some(Meant::Itself),
            Named::Federated(name) => {
                matches!(self, Self::Federated { provider } if provider == name).then_some(Meant::Itself)
            }
            Named::Canonical(_) => None,
            Named::Aws(arn) => match self {
                Self::User { arn: own } | Self::FederatedUser { arn: own } => (own == arn).then_some(Meant::Itself),
                Self::Role { .. } | Self::Session { .. } => self.role_meant_by(arn, open),
                _ => None,
            },
        }
    }

    fn role_meant_by<'p>(&self, named: &'p str, open: bool) -> Option<Meant<'p>> {
        if let Self::Session { arn, .. } = self
            && **arn == *named
        {
            return Some(Meant::Itself);
        }
        if self.arn().as_deref() == Some(named) {
            return Some(Meant::ByRole);
        }
        let of = Arn::of(named)?;
        if Some(of.account) != self.account() {
            return None;
        }
        let (role, _) = self.role_and_session()?;
        // A session's ARN does not say its role's path.
        if let (Self::Session { role: None, .. }, Some(path)) = (self, of.named("role")) {
            return (path.rsplit('/').next() == Some(role)).then_some(Meant::ByRole);
        }
        let (named_role, session) = of.named("assumed-role")?.split_once('/')?;
        (named_role == role && open).then_some(Meant::IfSession(session))
    }
}
