//! Questions about an estate: may this identity do this here, and what hangs on what is not known.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use nepho_graph::{Graph, NodeId};
use nepho_model::Value;

use crate::arn::Arn;
use crate::context::Context;
use crate::directory::{Directory, IdentityId};
use crate::evaluate::{Attached, Decision, Ground, Layer, Literal, Outcome, Policies, Request};
use crate::pattern::Pattern;
use crate::policy::Policy;
use crate::principal::Principal;

/// Asks about the identities of one estate.
pub struct Asker<'a> {
    graph: &'a Graph,
    directory: &'a Directory,
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
        Self { graph, directory }
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
        let in_arn = Arn::of(resource).map(|arn| arn.account).filter(|account| account.len() == 12);
        let account = of_node.map(|node| node.account()).or(in_arn).unwrap_or(&identity.account);
        let mut context = Context::over(&identity.context);
        context.of_resource(account);
        context.set("kms:CallerAccount", &identity.account);
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
            without_resource: false,
            context: &context,
        });
        let unread = identity.unread || self.is_unread(node);
        answer(decision, unread)
    }

    /// Whether a role's trust policy lets a service or a provider of identities assume it.
    pub fn is_trusted(&self, role: IdentityId, principal: &Principal) -> bool {
        let identity = self.directory.identity(role);
        let mut context = Context::open();
        context.of_principal(principal).of_resource(&identity.account);
        let mut policies = Policies::default();
        self.directory.with_resource(&mut policies, Some(identity.node), &identity.account);
        let decision = policies.decide(&Request {
            principal,
            action: "sts:AssumeRole",
            resource: Pattern::literal(&identity.arn),
            account: &identity.account,
            without_resource: false,
            context: &context,
        });
        // A service tells where a request comes from; a source condition is met by who sets the service up.
        matches!(decision.outcome, Outcome::Allowed | Outcome::Conditional)
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

    /// Whether an identity may do this on every resource of its account.
    pub fn on_everything(&self, id: IdentityId, action: &str) -> bool {
        let policies = self.directory.policies_of(id);
        self.everywhere(id, action, policies)
    }

    /// Whether it might, were its own policies to allow everything.
    pub fn if_allowed_everything(&self, id: IdentityId, action: &str) -> bool {
        let own = vec![Attached { name: "", policy: &EVERYTHING }];
        let policies = Policies { identity: own, ..self.directory.policies_of(id) };
        self.everywhere(id, action, policies)
    }

    fn everywhere(&self, id: IdentityId, action: &str, policies: Policies<'a>) -> bool {
        let identity = self.directory.identity(id);
        let decision = policies.decide(&Request {
            principal: &identity.principal,
            action,
            resource: Pattern::new("*"),
            account: &identity.account,
            without_resource: true,
            context: &identity.context,
        });
        answer(decision, false).outcome == Outcome::Allowed
    }
}

fn service_of(arn: &str) -> &str {
    Arn::of(arn).map_or("", |arn| arn.service)
}

fn answer(decision: Decision<'_>, unread: bool) -> Answer<'_> {
    let formula = decision.formula.given(&|literal| chosen(literal).then_some(true));
    let outcome = match decision.outcome {
        Outcome::Conditional if formula.is_always() => Outcome::Allowed,
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

/// Whether who makes the request can see to it that a thing holds: it is about what they put into the request.
fn chosen(literal: &Literal<'_>) -> bool {
    let Literal::Test { test, .. } = literal else { return true };
    let Some((service, name)) = test.lower.split_once(':') else { return false };
    match service {
        "aws" => {
            ["requestedregion", "securetransport", "tagkeys", "useragent", "referer"].contains(&name)
                || name.starts_with("requesttag/")
        }
        "sts" => ["rolesessionname", "durationseconds", "transitivetagkeys"].contains(&name),
        // Which policy, which boundary and for which service say what is gained.
        "iam" => name == "awsservicename",
        "kms" => !["viaservice", "calleraccount"].contains(&name) && !name.starts_with("resourcetag/"),
        // What a provider of identities says of someone.
        _ if service.contains('.') || service.contains('/') || ["saml", "graph", "accounts"].contains(&service) => {
            false
        }
        _ => !name.starts_with("resourcetag/") && !name.starts_with("sourceinstancearn") && !name.starts_with("vpc"),
    }
}

impl Answer<'_> {
    /// Whether it is allowed, or may be.
    pub fn is_possible(&self) -> bool {
        matches!(self.outcome, Outcome::Allowed | Outcome::Conditional)
    }
}
