//! Whether a request is allowed, as AWS documents it: an explicit deny wins; then every kind of policy that applies must
//! allow, but that a resource's policy may do without the principal's own within one account.
//!
//! What hangs on keys that are not known stays in the answer as a formula over the tests that ask for them.

mod exceptions;
mod formula;

pub use formula::{Formula, Literal};

use crate::context::Context;
use crate::pattern::{Overlap, Pattern};
use crate::policy::{Effect, Held, Patterns, Policy, Statement, Written};
use crate::principal::{Meant, Principal};
use crate::variables;

/// A request.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// What for, `s3:GetObject`.
    pub action: &'a str,
    /// On what: an ARN, or a pattern that stands for any of its ARNs.
    pub resource: Pattern,
    /// The account that the resource belongs to.
    pub account: &'a str,
    /// Whether the action is about no resource of its own, so that policies allow it with `*` only.
    pub without_resource: bool,
    /// What else is known.
    pub context: &'a Context,
}

/// A policy and how people name it.
#[derive(Clone, Copy, Debug)]
pub struct Attached<'p> {
    /// Name or ARN.
    pub name: &'p str,
    /// What it says.
    pub policy: &'p Policy,
}

/// The policies that a request is judged by.
#[derive(Clone, Debug, Default)]
pub struct Policies<'p> {
    /// Of the principal: managed, inline, of its groups.
    pub identity: Vec<Attached<'p>>,
    /// The principal's permissions boundary; several are all of them.
    pub boundary: Vec<Attached<'p>>,
    /// Session policies, all of which must allow.
    pub session: Vec<Attached<'p>>,
    /// Service control policies above the principal's account, level by level; empty where they do not count.
    pub service_control: Vec<Vec<Attached<'p>>>,
    /// Resource control policies above the resource's account, level by level.
    pub resource_control: Vec<Vec<Attached<'p>>>,
    /// Of the resource: its own, that of its access point, the trust policy of a role.
    pub resource: Vec<Attached<'p>>,
    /// Of the VPC endpoint that the request comes through.
    pub endpoint: Vec<Attached<'p>>,
}

/// The kind of policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layer {
    /// Policies of the principal.
    Identity,
    /// The permissions boundary.
    Boundary,
    /// Session policies.
    Session,
    /// Service control policies.
    ServiceControl,
    /// Resource control policies.
    ResourceControl,
    /// The resource's own policy.
    Resource,
    /// The VPC endpoint's policy.
    Endpoint,
    /// A rule of the service itself.
    Service,
}

impl Layer {
    /// As people name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
            Self::ServiceControl => "service control policy",
            Self::ResourceControl => "resource control policy",
            Self::Resource => "resource policy",
            Self::Endpoint => "VPC endpoint policy",
            Self::Service => "rule of the service",
        }
    }
}

/// What comes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It is allowed.
    Allowed,
    /// It is allowed if [`Decision::formula`] holds.
    Conditional,
    /// Nothing allows it.
    ImplicitlyDenied,
    /// A statement denies it.
    ExplicitlyDenied,
}

/// A statement that counted.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'p> {
    /// The kind of its policy.
    pub layer: Layer,
    /// The policy's name.
    pub policy: &'p str,
    /// The statement.
    pub statement: &'p Statement,
    /// Whether its conditions hold; else they are not known.
    pub certain: bool,
}

/// What comes of a request, and why.
#[derive(Clone, Debug)]
pub struct Decision<'p> {
    /// In a word.
    pub outcome: Outcome,
    /// What must hold for it to be allowed.
    pub formula: Formula<'p>,
    /// Statements that allow.
    pub grants: Vec<Ground<'p>>,
    /// Statements that deny.
    pub denies: Vec<Ground<'p>>,
    /// Kinds of policies that would have had to allow and do not.
    pub missing: Vec<Layer>,
}

impl<'p> Policies<'p> {
    /// Judges a request.
    pub fn decide(&self, request: &Request<'_>) -> Decision<'p> {
        let mut judge =
            Judge { request, action: request.action.to_ascii_lowercase(), grants: Vec::new(), denies: Vec::new() };
        judge.decide(self)
    }
}

struct Judge<'r, 'p> {
    request: &'r Request<'r>,
    action: String,
    grants: Vec<Ground<'p>>,
    denies: Vec<Ground<'p>>,
}

/// What a resource's policies allow, by how they mean the principal.
struct ByResource<'p> {
    itself: Formula<'p>,
    by_role: Formula<'p>,
    by_account: Formula<'p>,
}

impl<'p> Judge<'_, 'p> {
    fn decide(&mut self, policies: &Policies<'p>) -> Decision<'p> {
        let request = self.request;
        let principal = request.principal;
        let controlled = !principal.is_service_linked();
        let none: &[Vec<Attached<'p>>] = &[];
        let service_control = if controlled { &policies.service_control } else { none };
        let resource_control = if controlled { &policies.resource_control } else { none };
        // Denies first: each is a formula of which the opposite must hold.
        let mut denied = Vec::new();
        denied.push(self.denied(Layer::Identity, &policies.identity, false));
        denied.push(self.denied(Layer::Boundary, &policies.boundary, false));
        denied.push(self.denied(Layer::Session, &policies.session, false));
        for level in service_control {
            denied.push(self.denied(Layer::ServiceControl, level, false));
        }
        for level in resource_control {
            denied.push(self.denied(Layer::ResourceControl, level, false));
        }
        denied.push(self.denied(Layer::Endpoint, &policies.endpoint, false));
        denied.push(self.denied(Layer::Resource, &policies.resource, !policies.boundary.is_empty()));
        let denied = Formula::any(denied);
        let explicitly = denied.is_always();

        let mut missing = Vec::new();
        let mut needs = vec![denied.opposite()];
        let mut must = |layer: Layer, formula: Formula<'p>, missing: &mut Vec<Layer>| {
            if formula.is_never() {
                missing.push(layer);
            }
            needs.push(formula);
        };
        for level in service_control {
            must(Layer::ServiceControl, self.allowed(Layer::ServiceControl, level), &mut missing);
        }
        // Of resource control policies only the denies count: the one that allows everything cannot be detached
        // (<https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html>).
        if !policies.endpoint.is_empty() {
            must(Layer::Endpoint, self.allowed(Layer::Endpoint, &policies.endpoint), &mut missing);
        }
        if exceptions::is_refused(&self.action, request) {
            must(Layer::Service, Formula::never(), &mut missing);
        }
        let allowed = if exceptions::is_open_to_all(&self.action) {
            Formula::always()
        } else {
            self.allowed_by_principal_and_resource(policies, &mut missing)
        };
        needs.push(allowed);
        let formula = Formula::all(needs);
        let outcome = if formula.is_always() {
            Outcome::Allowed
        } else if !formula.is_never() {
            Outcome::Conditional
        } else if explicitly {
            Outcome::ExplicitlyDenied
        } else {
            Outcome::ImplicitlyDenied
        };
        let (grants, denies) = (std::mem::take(&mut self.grants), std::mem::take(&mut self.denies));
        if matches!(outcome, Outcome::Allowed | Outcome::Conditional) {
            missing.clear();
        }
        Decision { outcome, formula, grants, denies, missing }
    }

    fn allowed_by_principal_and_resource(&mut self, policies: &Policies<'p>, missing: &mut Vec<Layer>) -> Formula<'p> {
        let request = self.request;
        let by_resource = self.allowed_by_resource(&policies.resource);
        let any_of_resource =
            Formula::any(vec![by_resource.itself.clone(), by_resource.by_role.clone(), by_resource.by_account.clone()]);
        let Some(account) = request.principal.account() else {
            // Services, providers and everyone have no policies of their own.
            if any_of_resource.is_never() {
                missing.push(Layer::Resource);
            }
            return by_resource.itself;
        };
        let identity = match request.principal {
            Principal::Root { .. } => Formula::always(),
            // Someone of that account: what its own policies say is not ours to know.
            Principal::Account { .. } => Formula::always(),
            _ => self.allowed(Layer::Identity, &policies.identity),
        };
        let boundary = match policies.boundary.is_empty() {
            true => Formula::always(),
            false => self.allowed(Layer::Boundary, &policies.boundary),
        };
        let session = policies.session.iter().map(|one| self.allowed(Layer::Session, std::slice::from_ref(one)));
        let session = Formula::all(session.collect());
        for (layer, formula) in [(Layer::Identity, &identity), (Layer::Boundary, &boundary), (Layer::Session, &session)]
        {
            if formula.is_never() {
                missing.push(layer);
            }
        }
        let same_account = account == request.account || exceptions::belongs_to_all(request);
        let needs_resource = !same_account || exceptions::needs_trust(&self.action, request);
        if needs_resource && any_of_resource.is_never() {
            missing.push(Layer::Resource);
        }
        if !same_account {
            return Formula::all(vec![any_of_resource, identity, boundary, session]);
        }
        let by_role = Formula::all(vec![by_resource.by_role, boundary.clone(), session.clone()]);
        let own = Formula::all(vec![identity, boundary, session]);
        let own = if needs_resource { Formula::all(vec![by_resource.by_account, own]) } else { own };
        Formula::any(vec![by_resource.itself, by_role, own])
    }

    /// What the statements that deny ask for, any of which denies.
    fn denied(&mut self, layer: Layer, policies: &[Attached<'p>], bounded: bool) -> Formula<'p> {
        let mut any = Vec::new();
        for Attached { name, policy } in policies.iter().copied() {
            for statement in policy.statements.iter().filter(|of| of.effect == Effect::Deny) {
                let means = if layer == Layer::Resource { self.means(statement, bounded) } else { Formula::always() };
                if means.is_never() {
                    continue;
                }
                let formula = Formula::all(vec![means, self.applies(policy, statement)]);
                if !formula.is_never() {
                    self.denies.push(Ground { layer, policy: name, statement, certain: formula.is_always() });
                    any.push(formula);
                }
            }
        }
        Formula::any(any)
    }

    /// Whether a statement of a resource's policy that denies means the principal.
    fn means(&self, statement: &'p Statement, bounded: bool) -> Formula<'p> {
        let Some(principals) = &statement.principals else { return Formula::never() };
        // AWS documents that a deny with `NotPrincipal` meets every principal that has a boundary
        // (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html>).
        if principals.not && bounded {
            return Formula::always();
        }
        match self.request.principal.meant(principals, self.request.context.is_open()) {
            Some(Meant::IfSession(name)) => Formula::of(Literal::SessionName(name)),
            Some(_) => Formula::always(),
            None => Formula::never(),
        }
    }

    /// What the statements that allow ask for, any of which allows.
    fn allowed(&mut self, layer: Layer, policies: &[Attached<'p>]) -> Formula<'p> {
        let mut any = Vec::new();
        for Attached { name, policy } in policies.iter().copied() {
            for statement in policy.statements.iter().filter(|of| of.effect == Effect::Allow) {
                let formula = self.applies(policy, statement);
                if !formula.is_never() {
                    self.grants.push(Ground { layer, policy: name, statement, certain: formula.is_always() });
                    any.push(formula);
                }
            }
        }
        Formula::any(any)
    }

    fn allowed_by_resource(&mut self, policies: &[Attached<'p>]) -> ByResource<'p> {
        let (mut itself, mut by_role, mut by_account) = (Vec::new(), Vec::new(), Vec::new());
        for Attached { name, policy } in policies.iter().copied() {
            for statement in policy.statements.iter().filter(|of| of.effect == Effect::Allow) {
                let Some(principals) = &statement.principals else { continue };
                let Some(meant) = self.request.principal.meant(principals, self.request.context.is_open()) else {
                    continue;
                };
                let formula = self.applies(policy, statement);
                if formula.is_never() {
                    continue;
                }
                let (into, formula) = match meant {
                    Meant::Itself => (&mut itself, formula),
                    Meant::ByRole => (&mut by_role, formula),
                    Meant::ByAccount => (&mut by_account, formula),
                    Meant::IfSession(name) => {
                        (&mut itself, Formula::all(vec![Formula::of(Literal::SessionName(name)), formula]))
                    }
                };
                let layer = Layer::Resource;
                self.grants.push(Ground { layer, policy: name, statement, certain: formula.is_always() });
                into.push(formula);
            }
        }
        ByResource {
            itself: Formula::any(itself),
            by_role: Formula::any(by_role),
            by_account: Formula::any(by_account),
        }
    }

    /// What a statement asks for to apply to the request, its principals apart.
    fn applies(&self, policy: &Policy, statement: &'p Statement) -> Formula<'p> {
        if !self.acts(&statement.actions) {
            return Formula::never();
        }
        let on = self.is_on(policy, statement);
        if on.is_never() {
            return on;
        }
        let mut all = vec![on];
        for test in &statement.conditions {
            match test.holds(self.request.context) {
                Held::Yes => {}
                Held::No => return Formula::never(),
                Held::Unknown => all.push(Formula::of(Literal::Test { test, holds: true })),
            }
        }
        Formula::all(all)
    }

    fn acts(&self, actions: &Patterns) -> bool {
        let any = actions.of.iter().any(|pattern| match pattern {
            Written::Fixed(pattern) => pattern.matches(&self.action),
            Written::Variable(_) => false,
        });
        any != actions.not
    }

    /// Whether a statement is about the resource. Of a pattern of resources an allow is about it when it is about some, a
    /// deny when it is about all.
    fn is_on(&self, policy: &Policy, statement: &'p Statement) -> Formula<'p> {
        let Some(resources) = &statement.resources else { return Formula::always() };
        let mut overlap = Overlap::None;
        // Patterns of which it is not known what they are.
        let mut open: Vec<&'p str> = Vec::new();
        for written in &resources.of {
            let this = match written {
                Written::Fixed(pattern) => self.overlap(pattern),
                Written::Variable(text) if policy.has_variables => match variables::fill(text, self.request.context) {
                    Ok(Some(filled)) => self.overlap(&filled.pattern()),
                    Ok(None) => Overlap::None,
                    Err(variables::Unknown) => {
                        if self.overlap(&variables::open(text)) != Overlap::None {
                            open.push(text);
                        }
                        Overlap::None
                    }
                },
                Written::Variable(text) => self.overlap(&Pattern::new(text)),
            };
            match this {
                Overlap::All => overlap = Overlap::All,
                Overlap::Some if overlap == Overlap::None => overlap = Overlap::Some,
                _ => {}
            }
        }
        let counts = match (statement.effect, resources.not) {
            (Effect::Allow, false) => overlap != Overlap::None,
            (Effect::Allow, true) => overlap != Overlap::All,
            (Effect::Deny, false) => overlap == Overlap::All,
            (Effect::Deny, true) => overlap == Overlap::None,
        };
        let of = |is| open.iter().map(move |written| Formula::of(Literal::Resource { written, is })).collect();
        match (counts, resources.not) {
            (true, true) => Formula::all(of(false)),
            (false, false) => Formula::any(of(true)),
            (true, false) => Formula::always(),
            (false, true) => Formula::never(),
        }
    }

    fn overlap(&self, pattern: &Pattern) -> Overlap {
        let asked = &self.request.resource;
        if self.request.without_resource {
            return if pattern.covers(asked) { Overlap::All } else { Overlap::None };
        }
        match pattern.overlap(asked) {
            Overlap::Some if are_apart(pattern, asked) => Overlap::None,
            overlap => overlap,
        }
    }
}

/// Whether two patterns of ARNs have nothing in common since a part of theirs has not: a text of both would have to take
/// a colon for more than the end of a part, as no ARN's first five parts do.
fn are_apart(left: &Pattern, right: &Pattern) -> bool {
    let parts = |pattern: &Pattern| pattern.text().splitn(6, ':').map(Pattern::new).collect::<Vec<_>>();
    let (left, right) = (parts(left), parts(right));
    left.len() == 6 && right.len() == 6 && left.iter().zip(&right).any(|(left, right)| !left.meets(right))
}
