//! Questions about an estate: may this identity do this here, and what hangs on what is not known.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use hashbrown::HashSet;
use nepho_graph::{Graph, NodeId, Walk};
use nepho_model::Value;

use crate::actions::Catalogue;
use crate::arn::{Arn, is_account};
use crate::context::Context;
use crate::directory::{Directory, IdentityId, IdentityKind};
use crate::evaluate::{Attached, Decision, Ground, Layer, Literal, Outcome, Policies, Request};
use crate::pattern::Pattern;
use crate::policy::{Held, Policy};
use crate::principal::Principal;

/// Asks about the identities of one estate.
pub struct Asker<'a> {
    graph: &'a Graph,
    directory: &'a Directory,
    /// Users who have a device for a second factor.
    with_mfa: HashSet<IdentityId>,
}

/// What comes of a question.
#[derive(Clone, Debug)]
pub struct Answer<'a> {
    /// In a word. What who asks can choose freely is taken as chosen so that it is allowed.
    pub outcome: Outcome,
    /// What must hold that is not known and cannot be chosen.
    pub condition: Option<String>,
    /// The condition keys in it.
    pub keys: Vec<String>,
    /// Statements that allow.
    pub grants: Vec<Ground<'a>>,
    /// Statements that deny, or may.
    pub denies: Vec<Ground<'a>>,
    /// Kinds of policies that would have had to allow.
    pub missing: Vec<Layer>,
    /// Whether a policy that counts could not be read.
    pub unread: bool,
}

/// Allows everything: what someone gives themselves who may write policies.
static EVERYTHING: LazyLock<Policy> = LazyLock::new(|| {
    Policy::of(&serde_json::json!({
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"},
    }))
});

impl<'a> Asker<'a> {
    /// For the identities of a graph.
    pub fn new(graph: &'a Graph, directory: &'a Directory) -> Self {
        let devices = graph.nodes_of(crate::aws::MFA_DEVICE);
        let owners = devices.flat_map(|device| device.neighbours(None, Walk::Both));
        let with_mfa = owners.filter_map(|(_, owner)| directory.by_node(owner.id())).collect();
        Self { graph, directory, with_mfa }
    }

    /// May an identity do this on a resource (an ARN or a pattern of ARNs), with these condition keys in the request?
    pub fn ask(
        &self,
        id: IdentityId,
        action: &str,
        resource: &str,
        node: Option<NodeId>,
        given: &BTreeMap<Arc<str>, Arc<str>>,
    ) -> Answer<'a> {
        let identity = self.directory.identity(id);
        let of_node = node.and_then(|node| self.graph.node(node));
        let in_arn = Arn::of(resource).map(|arn| arn.account).filter(|account| is_account(account));
        let account = of_node.map(|node| node.account()).or(in_arn).unwrap_or(&identity.account);
        let mut context = Context::over(&identity.context);
        context.of_resource(account);
        context.set("kms:CallerAccount", &identity.account);
        // A resource of a region is asked for there.
        if let Some(region) = Arn::of(resource).map(|arn| arn.region).filter(|of| !of.is_empty() && !of.contains('*')) {
            context.set("aws:RequestedRegion", region);
        }
        if let Some(node) = node {
            self.of_node(&mut context, node);
        }
        for (key, value) in given {
            context.set(key, value);
        }
        let mut policies = self.directory.policies_of(id);
        self.directory.with_resource(&mut policies, node, account);
        let decision = policies.decide(&Request {
            principal: &identity.principal,
            action,
            resource: Pattern::new(resource),
            account,
            without_resource: resource == "*" && self.is_without_resource(action),
            context: &context,
        });
        let unread = identity.unread || self.is_unread(node) || self.directory.controls_unread(&identity.account);
        answer(decision, &self.asked(id, action), unread)
    }

    fn asked<'q>(&self, id: IdentityId, action: &'q str) -> Asked<'q> {
        let is_role = self.directory.identity(id).kind == IdentityKind::Role;
        Asked { action, has_mfa: self.with_mfa.contains(&id), is_role }
    }

    /// Whether a role's trust policy lets a service assume it, for whoever sets the service up in the role's account.
    pub fn is_trusted(&self, role: IdentityId, service: &str) -> bool {
        let identity = self.directory.identity(role);
        // Identity pools vouch for their users, who take the role themselves.
        let (principal, action) = match service {
            "cognito-identity.amazonaws.com" => {
                (Principal::Federated { provider: service.into() }, "sts:AssumeRoleWithWebIdentity")
            }
            _ => (Principal::Service { name: service.into() }, "sts:AssumeRole"),
        };
        let mut context = Context::open();
        context.of_principal(&principal).of_resource(&identity.account);
        context.set("aws:SourceAccount", &identity.account);
        let mut policies = Policies::default();
        self.directory.with_resource(&mut policies, Some(identity.node), &identity.account);
        let decision = policies.decide(&Request {
            principal: &principal,
            action,
            resource: Pattern::literal(&identity.arn),
            account: &identity.account,
            without_resource: false,
            context: &context,
        });
        // A service tells where a request comes from; that it comes from the role's account is seen to by who sets the
        // service up there.
        let formula = decision.formula.given(&|literal| match literal {
            Literal::Test { test, holds: true } if *test.lower == *"aws:sourcearn" => {
                let fits =
                    |value: &str| Arn::of(value).is_none_or(|arn| Pattern::new(arn.account).matches(&identity.account));
                Some(test.operator.is_negated() || test.values.iter().any(|value| fits(value)))
            }
            _ => None,
        });
        decision.outcome == Outcome::Allowed || (decision.outcome == Outcome::Conditional && !formula.is_never())
    }

    fn is_without_resource(&self, action: &str) -> bool {
        Catalogue::embedded().action(action).is_some_and(|action| action.without_resource())
    }

    /// What follows from the resource: its tags, and a principal's boundary.
    fn of_node(&self, context: &mut Context, node: NodeId) {
        let Some(of) = self.graph.node(node) else { return };
        match of.tags() {
            Value::Map(tags) => {
                for (name, value) in tags.iter() {
                    if let Value::String(value) = value {
                        context.set(&format!("aws:ResourceTag/{name}"), value);
                        context.set(&format!("{}:ResourceTag/{name}", service_of(of.key())), value);
                    }
                }
                context.complete("aws:ResourceTag/");
            }
            Value::Null => {
                context.complete("aws:ResourceTag/");
            }
            _ => {}
        }
        if let Some(identity) = self.directory.by_node(node) {
            match self.directory.identity(identity).boundary {
                Some(boundary) => context.set("iam:PermissionsBoundary", &self.directory.document(boundary).name),
                None => context.set_absent("iam:PermissionsBoundary"),
            };
        }
    }

    fn is_unread(&self, node: Option<NodeId>) -> bool {
        let own = node.and_then(|node| self.directory.of_resource.get(&node));
        own.into_iter().flatten().any(|id| self.directory.document(*id).unread)
    }

    /// Whether an identity may do this on every resource of its account, what is above the account apart.
    pub fn on_everything(&self, id: IdentityId, action: &str) -> bool {
        self.everywhere(id, action, self.directory.policies_of(id))
    }

    /// Whether it might, were its own policies one that allows everything.
    pub fn if_allowed_everything(&self, id: IdentityId, action: &str) -> bool {
        let identity = vec![Attached { name: "", policy: &EVERYTHING }];
        self.everywhere(id, action, Policies { identity, ..self.directory.policies_of(id) })
    }

    /// Whether it might, were a document to be added to its own policies.
    pub fn with_document(&self, id: IdentityId, action: &str, document: &Policy) -> bool {
        let mut policies = self.directory.policies_of(id);
        policies.identity.push(Attached { name: "", policy: document });
        self.everywhere(id, action, policies)
    }

    fn everywhere(&self, id: IdentityId, action: &str, mut policies: Policies<'_>) -> bool {
        let identity = self.directory.identity(id);
        policies.service_control.clear();
        let decision = policies.decide(&Request {
            principal: &identity.principal,
            action,
            resource: Pattern::new("*"),
            account: &identity.account,
            without_resource: true,
            context: &identity.context,
        });
        answer(decision, &self.asked(id, action), false).outcome == Outcome::Allowed
    }
}

fn service_of(arn: &str) -> &str {
    Arn::of(arn).map_or("", |arn| arn.service)
}

fn answer<'p>(decision: Decision<'p>, asked: &Asked<'_>, unread: bool) -> Answer<'p> {
    let formula = decision.formula.given(&|literal| settled(literal, asked));
    let outcome = match decision.outcome {
        Outcome::Conditional if formula.is_always() => Outcome::Allowed,
        Outcome::Conditional if formula.is_never() => Outcome::ImplicitlyDenied,
        other => other,
    };
    let open = outcome == Outcome::Conditional;
    Answer {
        outcome,
        condition: open.then(|| formula.to_string()),
        keys: if open { formula.keys().into_iter().map(str::to_owned).collect() } else { Vec::new() },
        grants: decision.grants,
        denies: decision.denies,
        missing: decision.missing,
        unread,
    }
}

/// What is known of a thing that the policies ask for, once it is known who asks for what: whether they can see to it
/// that it holds, or whether it never does. `None` where neither is known.
fn settled(literal: &Literal<'_>, asked: &Asked<'_>) -> Option<bool> {
    let (test, holds) = match literal {
        Literal::Test { test, holds } => (test, holds),
        Literal::SessionName(_) | Literal::OtherSession(_) => return Some(true),
        Literal::Resource { .. } => return None,
    };
    let when = |context: &Context| match test.holds(context) {
        Held::Yes => Some(*holds),
        Held::No => Some(!*holds),
        Held::Unknown => None,
    };
    let with = |key: &str, value: &str| {
        let mut context = Context::closed();
        context.set(key, value);
        when(&context)
    };
    let (service, name) = test.lower.split_once(':')?;
    match (service, name) {
        ("aws", "multifactorauthpresent") => {
            // A long-term key sends no such key, a console session says what it is.
            let mut possible = vec![when(&Context::closed()), with(&test.lower, "false")];
            if asked.has_mfa {
                possible.push(with(&test.lower, "true"));
            }
            possible.contains(&Some(true)).then_some(true).or((!asked.is_role).then_some(false))
        }
        ("aws", "multifactorauthage") => asked.has_mfa.then_some(true),
        ("aws", "securetransport" | "useragent" | "referer") => Some(true),
        ("aws", "requestedregion") => match is_global(asked.action) {
            true => with(&test.lower, "us-east-1"),
            false => Some(true),
        },
        ("sts", "externalid" | "rolesessionname" | "durationseconds" | "transitivetagkeys") => Some(true),
        // Which policy, which boundary and for which service say what is gained.
        ("iam", "awsservicename") => Some(true),
        ("iam", _) => None,
        // What a provider of identities says of someone.
        _ if service.contains('.') || service.contains('/') || ["saml", "graph", "accounts"].contains(&service) => None,
        ("kms", "viaservice" | "calleraccount") => None,
        _ if name.starts_with("resourcetag/") || name.starts_with("sourceinstancearn") => None,
        ("aws", _) if name != "tagkeys" && !name.starts_with("requesttag/") => None,
        _ => {
            // A request carries only what its action has.
            let action = Catalogue::embedded().action(asked.action);
            match action.is_none_or(|action| action.has_condition_key(&test.key)) {
                true => Some(true),
                false => when(&Context::closed()),
            }
        }
    }
}

/// Who asks for what, as far as conditions hang on it.
struct Asked<'a> {
    action: &'a str,
    has_mfa: bool,
    is_role: bool,
}

/// Services that are asked in one region only.
fn is_global(action: &str) -> bool {
    let service = action.split(':').next().unwrap_or_default();
    ["iam", "organizations", "account", "route53", "cloudfront", "globalaccelerator", "shield"].contains(&service)
}

impl Answer<'_> {
    /// Whether it is allowed, or may be.
    pub fn is_possible(&self) -> bool {
        matches!(self.outcome, Outcome::Allowed | Outcome::Conditional)
    }
}
