//! Who can gain whose permissions: each published method tried for each identity that has its actions at all, then the
//! ways along them.

mod binding;
mod paths;

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use nepho_catalog::Catalog;
use nepho_catalog::escalation::{Escalation, Permission};
use nepho_graph::Graph;

use crate::access::Asker;
use crate::directory::{Directory, IdentityId, IdentityKind};
use crate::evaluate::{Ground, Outcome};

pub use paths::{Hop, Path};

/// One identity can gain the permissions of another.
#[derive(Clone, Debug)]
pub struct Gain {
    /// Whose request it is.
    pub from: IdentityId,
    /// Whose permissions are gained.
    pub to: IdentityId,
    /// Whether it makes that identity an administrator: it can be given any permission.
    pub raises: bool,
    /// The method's id.
    pub method: Arc<str>,
    /// What is done, in a few words.
    pub title: Arc<str>,
    /// The resource through which it goes, where there is one: a function, a policy.
    pub through: Option<Box<str>>,
    /// Statements that allow its steps.
    pub grants: Vec<Grant>,
    /// What must hold that is not known; `None` where nothing must.
    pub condition: Option<String>,
}

/// A statement that allows a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What it allows.
    pub action: Arc<str>,
    /// On what.
    pub resource: Box<str>,
    /// The policy.
    pub policy: Box<str>,
    /// The statement: its `Sid`, else its number.
    pub statement: String,
}

impl Grant {
    pub(crate) fn of(action: &Arc<str>, resource: &str, ground: &Ground<'_>) -> Self {
        Self {
            action: action.clone(),
            resource: resource.into(),
            policy: ground.policy.into(),
            statement: ground.statement.name(),
        }
    }
}

/// Who can gain whose permissions in an estate.
#[derive(Debug, Default)]
pub struct Escalations {
    /// In order of who gains, then of whom.
    pub gains: Vec<Gain>,
    /// Identities that may do everything in their account.
    pub administrators: HashSet<IdentityId>,
}

/// Actions of several services, all of which an administrator may do on everything.
const TELLING: [&str; 8] = [
    "iam:AttachRolePolicy",
    "iam:CreateAccessKey",
    "iam:CreatePolicyVersion",
    "s3:GetObject",
    "ec2:RunInstances",
    "kms:PutKeyPolicy",
    "lambda:UpdateFunctionCode",
    "secretsmanager:GetSecretValue",
];

impl Escalations {
    /// Tries every method of the catalogue for every identity.
    pub fn of(graph: &Graph, directory: &Directory, catalog: &Catalog) -> Self {
        let asker = Asker::new(graph, directory);
        let administrators: HashSet<IdentityId> = directory
            .identities()
            .filter(|(id, _)| TELLING.iter().all(|action| asker.on_everything(*id, action)))
            .map(|(id, _)| id)
            .collect();
        let actions = Actions::of(catalog);
        let bound: HashSet<IdentityId> =
            directory.identities().filter(|(id, _)| !could_do_everything(&asker, *id)).map(|(id, _)| id).collect();
        let search = Search {
            directory,
            asker: &asker,
            has: directory.documents.iter().map(|document| actions.of_policy(&document.policy)).collect(),
            actions: &actions,
            objects: binding::Objects::of(graph, directory),
            administrators: &administrators,
            bound: &bound,
        };
        let mut gains = Vec::new();
        for (id, identity) in directory.identities() {
            if administrators.contains(&id) || identity.principal.is_service_linked() {
                continue;
            }
            let own = search.actions_of(id);
            for method in catalog.escalations.values() {
                search.try_method(id, method, &own, &mut gains);
            }
        }
        drop(search);
        gains.sort_by(|left: &Gain, right| {
            (left.from, left.to, &left.method, &left.through).cmp(&(
                right.from,
                right.to,
                &right.method,
                &right.through,
            ))
        });
        gains.dedup_by(|left, right| (left.from, left.to, &left.method) == (right.from, right.to, &right.method));
        Self { gains, administrators }
    }
}

/// Whether an identity that could give itself any policy would be an administrator: its boundary and what is above its
/// account allow it.
fn could_do_everything(asker: &Asker<'_>, id: IdentityId) -> bool {
    TELLING.iter().all(|action| asker.if_allowed_everything(id, action))
}

/// The actions that methods need, numbered.
struct Actions {
    names: Vec<Box<str>>,
    numbers: HashMap<Box<str>, usize>,
}

/// Some of the numbered actions.
type ActionSet = Vec<u64>;

impl Actions {
    fn of(catalog: &Catalog) -> Self {
        let mut all = Self { names: Vec::new(), numbers: HashMap::new() };
        let steps = catalog.escalations.values().flat_map(|method| &method.steps);
        for permission in steps.flat_map(|step| step.alternatives()).flatten() {
            let name: Box<str> = permission.action.to_ascii_lowercase().into();
            if !all.numbers.contains_key(&name) {
                all.numbers.insert(name.clone(), all.names.len());
                all.names.push(name);
            }
        }
        all
    }

    /// The actions that a policy allows on something, perhaps.
    fn of_policy(&self, policy: &crate::Policy) -> ActionSet {
        let mut set = vec![0; self.names.len().div_ceil(64)];
        for statement in policy.statements.iter().filter(|of| of.effect == crate::Effect::Allow) {
            for (number, name) in self.names.iter().enumerate() {
                let any = statement.actions.of.iter().any(|pattern| match pattern {
                    crate::Written::Fixed(pattern) => pattern.matches(name),
                    crate::Written::Variable(_) => false,
                });
                if any != statement.actions.not {
                    set[number / 64] |= 1 << (number % 64);
                }
            }
        }
        set
    }

    fn has(&self, set: &ActionSet, action: &str) -> bool {
        let number = self.numbers.get(action.to_ascii_lowercase().as_str());
        number.is_some_and(|number| set.get(number / 64).is_some_and(|word| word >> (number % 64) & 1 == 1))
    }
}

struct Search<'a> {
    directory: &'a Directory,
    asker: &'a Asker<'a>,
    actions: &'a Actions,
    /// By policy.
    has: Vec<ActionSet>,
    objects: binding::Objects<'a>,
    administrators: &'a HashSet<IdentityId>,
    /// Identities that a boundary or control policies keep from everything, whatever they give themselves.
    bound: &'a HashSet<IdentityId>,
}

impl Search<'_> {
    fn actions_of(&self, id: IdentityId) -> ActionSet {
        let identity = self.directory.identity(id);
        let of_groups = identity.groups.iter().flat_map(|group| &self.directory.identity(*group).documents);
        let mut set: ActionSet = vec![0; self.actions.names.len().div_ceil(64)];
        for document in identity.documents.iter().chain(of_groups) {
            for (word, more) in set.iter_mut().zip(&self.has[document.0 as usize]) {
                *word |= more;
            }
        }
        set
    }

    /// Whether the identity has the actions at all: what a role's trust policy may allow alone is not asked for.
    fn may(&self, method: &Escalation, own: &ActionSet) -> bool {
        let has = |one: &Permission| one.action.starts_with("sts:AssumeRole") || self.actions.has(own, &one.action);
        method.steps.iter().all(|step| step.alternatives().iter().any(|all| all.iter().all(has)))
    }

    fn try_method(&self, id: IdentityId, method: &Escalation, own: &ActionSet, gains: &mut Vec<Gain>) {
        let identity = self.directory.identity(id);
        // A group asks for nothing; it only stands for what joining it gives.
        if identity.kind == IdentityKind::Group || !self.may(method, own) {
            return;
        }
        self.objects.each_binding(self.asker, id, method, &mut |binding| {
            let own = method.becomes.as_ref() == "administrator";
            let to = match own {
                true => binding.subject(self.directory, id),
                false => match binding.identity(&method.becomes) {
                    Some(to) => to,
                    None => return,
                },
            };
            if (own && (self.bound.contains(&to) || self.administrators.contains(&to))) || (!own && to == id) {
                return;
            }
            // What a group gives is bounded by the boundary of who joins it.
            let joins = self.directory.identity(to).kind == IdentityKind::Group;
            if joins && (self.bound.contains(&id) || identity.groups.contains(&to)) {
                return;
            }
            let Some((grants, condition)) = self.allowed(id, method, binding) else { return };
            gains.push(Gain {
                from: id,
                to,
                raises: own,
                method: method.id.clone(),
                title: method.title.as_str().into(),
                through: binding.through(method),
                grants,
                condition,
            });
        });
    }

    /// The statements that allow every step of a method, and what must hold for it.
    fn allowed(
        &self,
        id: IdentityId,
        method: &Escalation,
        binding: &binding::Binding<'_>,
    ) -> Option<(Vec<Grant>, Option<String>)> {
        let mut grants = Vec::new();
        let mut conditions: Vec<String> = Vec::new();
        for step in &method.steps {
            let mut best: Option<(Vec<Grant>, Vec<String>)> = None;
            for all in step.alternatives() {
                let mut of: (Vec<Grant>, Vec<String>) = (Vec::new(), Vec::new());
                let mut needed: Vec<(&Permission, binding::Object, Option<Arc<str>>)> = Vec::new();
                for one in all {
                    needed.extend(
                        self.objects.makes_room(one, binding).map(|(object, action)| (one, object, Some(action))),
                    );
                    needed.extend(binding.resources(one).into_iter().map(|object| (one, object, None)));
                }
                let allowed = needed.iter().all(|(one, object, instead)| {
                    let action = instead.as_ref().unwrap_or(&one.action);
                    let given = self.objects.given(one, binding);
                    let answer = self.asker.ask(id, action, &object.arn, object.node, &given);
                    if matches!(answer.outcome, Outcome::ImplicitlyDenied | Outcome::ExplicitlyDenied) {
                        return false;
                    }
                    of.0.extend(answer.grants.iter().map(|ground| Grant::of(action, &object.arn, ground)));
                    of.1.extend(answer.condition);
                    true
                });
                if allowed && best.as_ref().is_none_or(|(_, conditions)| of.1.len() < conditions.len()) {
                    best = Some(of);
                }
            }
            let (of, more) = best?;
            for grant in of {
                if !grants.contains(&grant) {
                    grants.push(grant);
                }
            }
            conditions.extend(more);
        }
        conditions.sort();
        conditions.dedup();
        let condition = (!conditions.is_empty()).then(|| conditions.join(" and "));
        Some((grants, condition))
    }
}
