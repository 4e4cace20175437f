//! Today's policies asked about what was used.

use super::document::{self, Condition};
use crate::arn::Arn;
use crate::context::Context;
use crate::evaluate::{Attached, Decision, Ground, Layer, Policies, Request};
use crate::pattern::Pattern;
use crate::policy::{Effect, Policy, Statement};
use crate::principal::Principal;
use crate::usage::Target;

/// A statement of today's policies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbered<'p> {
    pub policy: Attached<'p>,
    pub statement: &'p Statement,
}

/// Who asks, and by which policies it is judged.
#[derive(Debug)]
pub(super) struct Today<'p> {
    pub principal: &'p Principal,
    pub account: &'p str,
    pub context: &'p Context,
    /// All statements.
    pub statements: Vec<Numbered<'p>>,
    policies: Policies<'p>,
}

impl<'p> Today<'p> {
    /// Only the principal's own policies count: what else limits it stays as it is. `trusting` is what the policies of
    /// resources are taken to say (see [`trusting`]).
    pub fn new(
        principal: &'p Principal,
        account: &'p str,
        context: &'p Context,
        identity: Vec<Attached<'p>>,
        trusting: &'p Policy,
    ) -> Self {
        let all = |attached: &Attached<'p>| {
            let policy = *attached;
            policy.policy.statements.iter().map(move |statement| Numbered { policy, statement })
        };
        let statements = identity.iter().flat_map(all).collect();
        let resource = vec![Attached { name: "", policy: trusting }];
        let policies = Policies { identity, resource, ..Policies::default() };
        Self { principal, account, context, statements, policies }
    }

    /// What comes of a request, as far as the principal's own policies go.
    pub fn decide(&self, action: &str, target: &Target) -> Decision<'p> {
        let resource = match target {
            Target::Of(pattern) => pattern.clone(),
            Target::Without | Target::Unknown => Pattern::new("*"),
        };
        self.policies.decide(&Request {
            principal: self.principal,
            action,
            resource,
            // Of another account's resource that account's policies say the rest.
            account: self.account,
            without_resource: *target == Target::Without,
            context: self.context,
        })
    }

    /// The partition that the principal is in.
    pub fn partition(&self) -> String {
        let arn = self.principal.arn();
        arn.as_deref().and_then(Arn::of).map_or("aws", |arn| arn.partition).to_owned()
    }

    /// The number of a statement.
    pub fn number(&self, statement: &Statement) -> Option<usize> {
        self.statements.iter().position(|of| std::ptr::eq(of.statement, statement))
    }

    /// The conditions of a statement, as they are written.
    pub fn conditions(&self, ground: &Ground<'_>) -> Vec<Condition> {
        let of = self.number(ground.statement).and_then(|number| self.statements.get(number));
        of.map_or(Vec::new(), |of| document::conditions(&of.statement.conditions, of.policy.policy.has_variables))
    }

    /// Numbers of the statements that allow.
    pub fn allowing(&self) -> impl Iterator<Item = (usize, Numbered<'p>)> + '_ {
        let all = self.statements.iter().copied().enumerate();
        all.filter(|(_, of)| of.statement.effect == Effect::Allow)
    }
}

/// The statements of the principal's own policies among those that counted.
pub(super) fn own<'d, 'p>(decision: &'d Decision<'p>) -> impl Iterator<Item = &'d Ground<'p>> {
    decision.grants.iter().filter(|ground| ground.layer == Layer::Identity)
}

/// A policy of resources that leaves all to the principal's own: the one that keys and roles need beside those, and that
/// allows nothing by itself.
pub(super) fn trusting(account: &str) -> Policy {
    Policy::of(&serde_json::json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"AWS": account}, "Action": "*", "Resource": "*"}]}))
}
