//! What a method's names can stand for in an estate.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use nepho_catalog::escalation::{Escalation, Need, Permission};
use nepho_graph::{Graph, NodeId, NodeRef, Walk};
use nepho_model::Value;

use crate::access::Asker;
use crate::actions::Catalogue;
use crate::arn::Arn;
use crate::directory::{Directory, DocumentId, IdentityId, IdentityKind};
use crate::evaluate::Outcome;
use crate::policy::{Effect, Named, Policy};

/// What methods are about, indexed as they ask for it.
pub struct Objects<'a> {
    graph: &'a Graph,
    directory: &'a Directory,
    /// Account → its users, roles, groups.
    users: HashMap<&'a str, Vec<IdentityId>>,
    roles: HashMap<&'a str, Vec<IdentityId>>,
    groups: HashMap<&'a str, Vec<IdentityId>>,
    /// Service → roles that it may assume.
    trusting: HashMap<&'a str, Vec<IdentityId>>,
    /// ARN or account → roles whose trust policies name it.
    naming: HashMap<&'a str, Vec<IdentityId>>,
    /// Roles that a trust policy opens to everyone, or to all but some.
    naming_anyone: Vec<IdentityId>,
    /// Resource → roles it runs as.
    runs_as: HashMap<NodeId, Vec<IdentityId>>,
    in_instance_profile: HashSet<IdentityId>,
    /// The instance profile of a role.
    profiles: HashMap<IdentityId, Box<str>>,
    /// Whether what Systems Manager manages was not listed.
    unlisted_managers: bool,
    /// Users with a password; with an access key.
    with_password: HashMap<IdentityId, bool>,
    with_access_key: HashSet<IdentityId>,
}

/// What a name stands for.
#[derive(Clone, Debug)]
pub struct Object {
    pub arn: Box<str>,
    pub node: Option<NodeId>,
    pub identity: Option<IdentityId>,
}

/// What all names of a method stand for.
#[derive(Clone, Debug, Default)]
pub struct Binding<'m> {
    of: BTreeMap<&'m str, Object>,
    account: Box<str>,
}

impl Binding<'_> {
    /// The identity that a name stands for.
    pub fn identity(&self, name: &str) -> Option<IdentityId> {
        self.of.get(name)?.identity
    }

    /// Whose permissions are widened: the one user or role that a method is about, else who asks.
    pub fn subject(&self, directory: &Directory, id: IdentityId) -> IdentityId {
        let mut all = self.of.values().filter_map(|object| object.identity);
        let one = all.find(|one| directory.identity(*one).kind != IdentityKind::Group);
        one.unwrap_or(id)
    }

    /// What a permission is about: what it names, else one of each type of resources that its action needs.
    pub fn resources(&self, permission: &Permission) -> Vec<Object> {
        let plain = |arn: &str| Object { arn: arn.into(), node: None, identity: None };
        match &permission.on {
            Some(name) => match self.of.get(name.as_ref()) {
                Some(object) => vec![object.clone()],
                None => vec![plain(&name.replace("{account}", &self.account))],
            },
            None => {
                let action = Catalogue::embedded().action(&permission.action);
                let needed = action.iter().flat_map(|action| action.resource_types()).filter(|(_, required)| *required);
                let arns: Vec<Object> =
                    needed.map(|(of, _)| plain(&in_account(of.pattern().text(), &self.account))).collect();
                if arns.is_empty() { vec![plain("*")] } else { arns }
            }
        }
    }

    /// The resource through which a method goes: what is no principal.
    pub fn through(&self, method: &Escalation) -> Option<Box<str>> {
        let mut all = method.needs.iter().filter(|(_, need)| !["role", "user", "group"].contains(&need.kind.as_ref()));
        all.find_map(|(name, _)| self.of.get(name.as_ref())).map(|object| object.arn.clone())
    }
}

impl<'a> Objects<'a> {
    pub fn of(graph: &'a Graph, directory: &'a Directory) -> Self {
        let mut objects = Self {
            graph,
            directory,
            users: HashMap::new(),
            roles: HashMap::new(),
            groups: HashMap::new(),
            trusting: HashMap::new(),
            naming: HashMap::new(),
            naming_anyone: Vec::new(),
            runs_as: HashMap::new(),
            in_instance_profile: HashSet::new(),
            profiles: HashMap::new(),
            unlisted_managers: !graph.is_listed(crate::aws::MANAGED),
            with_password: HashMap::new(),
            with_access_key: HashSet::new(),
        };
        for (id, identity) in directory.identities() {
            let by_account = match identity.kind {
                IdentityKind::User => &mut objects.users,
                IdentityKind::Role => &mut objects.roles,
                IdentityKind::Group => &mut objects.groups,
            };
            by_account.entry(&identity.account).or_default().push(id);
            if let Some(trust) = identity.trust {
                objects.index_trust(id, trust);
            }
        }
        objects.index_runs_as();
        objects.index_credentials();
        objects
    }

    fn index_trust(&mut self, role: IdentityId, trust: DocumentId) {
        for statement in &self.directory.document(trust).policy.statements {
            let Some(principals) = statement.principals.as_ref().filter(|_| statement.effect == Effect::Allow) else {
                continue;
            };
            if principals.not {
                self.naming_anyone.push(role);
                continue;
            }
            for named in &principals.of {
                let into = match named {
                    Named::Service(name) | Named::Federated(name) => self.trusting.entry(name).or_default(),
                    Named::Aws(name) | Named::Account(name) => self.naming.entry(name).or_default(),
                    Named::Everyone => &mut self.naming_anyone,
                    Named::Canonical(_) => continue,
                };
                if into.last() != Some(&role) {
                    into.push(role);
                }
            }
        }
    }

    fn index_runs_as(&mut self) {
        let role = |node: NodeId| self.directory.by_node(node);
        for (id, roles) in runs_as(self.graph) {
            let roles: Vec<IdentityId> = roles.into_iter().filter_map(role).collect();
            self.runs_as.insert(id, roles);
        }
        for profile in self.graph.nodes_of(crate::aws::INSTANCE_PROFILE) {
            for role in self.runs_as.get(&profile.id()).into_iter().flatten() {
                self.in_instance_profile.insert(*role);
                self.profiles.entry(*role).or_insert_with(|| profile.key().into());
            }
        }
    }

    fn index_credentials(&mut self) {
        for (id, identity) in self.directory.identities().filter(|(_, of)| of.kind == IdentityKind::User) {
            let Some(node) = self.graph.node(identity.node) else { continue };
            for (_, other) in node.neighbours(None, Walk::In) {
                if other.kind() == crate::aws::ACCESS_KEY {
                    self.with_access_key.insert(id);
                }
                if other.kind() == crate::aws::CREDENTIALS
                    && let Value::Bool(enabled) = other.property("password_enabled")
                {
                    self.with_password.insert(id, enabled);
                }
            }
        }
    }

    /// Calls `f` with everything that a method's names can stand for when this identity tries it.
    pub fn each_binding(
        &self,
        asker: &Asker<'_>,
        id: IdentityId,
        method: &Escalation,
        f: &mut dyn FnMut(&Binding<'_>),
    ) {
        let mut names: Vec<(&str, &Need)> = method.needs.iter().map(|(name, need)| (name.as_ref(), need)).collect();
        // What others depend on comes first: resources before the roles they run as, principals before their policies.
        names.sort_by_key(|(name, need)| {
            let is_named_by_runs_as = method.needs.values().any(|other| other.runs_as.as_deref() == Some(name));
            match need.kind.as_ref() {
                "policy" => 3,
                "role" if is_named_by_runs_as => 2,
                "role" | "user" | "group" => 1,
                _ => 0,
            }
        });
        let mut binding = Binding { account: self.directory.identity(id).account.clone(), ..Binding::default() };
        self.bind(asker, id, method, &names, &mut binding, f);
    }

    fn bind<'m>(
        &self,
        asker: &Asker<'_>,
        id: IdentityId,
        method: &'m Escalation,
        rest: &[(&'m str, &'m Need)],
        binding: &mut Binding<'m>,
        f: &mut dyn FnMut(&Binding<'_>),
    ) {
        let Some(((name, need), rest)) = rest.split_first() else { return f(binding) };
        for object in self.candidates(asker, id, method, (name, need), binding) {
            binding.of.insert(name, object);
            self.bind(asker, id, method, rest, binding, f);
            binding.of.remove(name);
        }
    }

    fn candidates(
        &self,
        asker: &Asker<'_>,
        id: IdentityId,
        method: &Escalation,
        (name, need): (&str, &Need),
        binding: &Binding<'_>,
    ) -> Vec<Object> {
        let identity = self.directory.identity(id);
        let account: &str = &identity.account;
        let of_account = |by: &HashMap<&str, Vec<IdentityId>>| by.get(account).cloned().unwrap_or_default();
        let identities: Vec<IdentityId> = match need.kind.as_ref() {
            _ if need.is.is_some() => vec![id],
            "user" => of_account(&self.users),
            "group" if need.member.is_some() => identity.groups.clone(),
            "group" => of_account(&self.groups),
            "role" => self.roles_for(asker, id, method, (name, need), binding),
            "policy" => return self.policies_for(asker, id, need, binding),
            kind => {
                let nodes = self.graph.nodes_of(kind).filter(|node| node.account() == account);
                let object =
                    |node: NodeRef<'_>| Object { arn: node.key().into(), node: Some(node.id()), identity: None };
                let nodes = nodes.filter(|node| need.runs_as.is_none() || self.runs_as.contains_key(&node.id()));
                let nodes = nodes.filter(|node| self.is_as_needed(node, need));
                return nodes.map(object).collect();
            }
        };
        let fits = |one: &IdentityId| {
            let of = self.directory.identity(*one);
            let kind = match need.kind.as_ref() {
                "user" => of.kind == IdentityKind::User,
                "role" => of.kind == IdentityKind::Role,
                _ => of.kind == IdentityKind::Group,
            };
            kind && (need.is.is_some() || *one != id) && self.has_credentials(*one, need)
        };
        identities.into_iter().filter(fits).map(|one| self.object(one)).collect()
    }

    /// Whether a resource is in a state in which the method works. What is not known stands in no one's way.
    fn is_as_needed(&self, node: &NodeRef<'_>, need: &Need) -> bool {
        let managed = || {
            let managers = node.neighbours(Some(crate::aws::MANAGES), Walk::In);
            !managers.is_empty()
                || node.unknown_relations().any(|name| name == crate::aws::MANAGES)
                || self.unlisted_managers
        };
        (!need.managed || managed())
            && need.when.iter().all(|(property, values)| match node.property(property) {
                Value::String(value) => values.contains(&value),
                _ => true,
            })
    }

    /// What must be allowed first where there is as much already as can be: of five versions one must go, of two access
    /// keys one.
    pub fn makes_room(&self, permission: &Permission, binding: &Binding<'_>) -> Option<(Object, Arc<str>)> {
        let object = binding.of.get(permission.on.as_deref()?)?;
        let node = self.graph.node(object.node?)?;
        match permission.action.as_ref() {
            "iam:CreatePolicyVersion" => match node.property("version_count") {
                Value::Int(5..) => Some((object.clone(), "iam:DeletePolicyVersion".into())),
                _ => None,
            },
            "iam:CreateAccessKey" => {
                let keys = node.neighbours(None, Walk::Both);
                let keys = keys.iter().filter(|(_, other)| other.kind() == crate::aws::ACCESS_KEY).count();
                (keys >= 2).then(|| (object.clone(), "iam:DeleteAccessKey".into()))
            }
            _ => None,
        }
    }

    /// Condition keys that the request carries: those of the method, and the instance profile of the role that is given.
    pub fn given(&self, permission: &Permission, binding: &Binding<'_>) -> BTreeMap<Arc<str>, Arc<str>> {
        let mut given = permission.given.clone();
        let role = binding.of.values().filter_map(|object| object.identity).find_map(|id| self.profiles.get(&id));
        if let Some(profile) = role {
            given.entry("ec2:InstanceProfile".into()).or_insert_with(|| profile.as_ref().into());
        }
        given
    }

    fn object(&self, id: IdentityId) -> Object {
        let identity = self.directory.identity(id);
        Object { arn: identity.arn.clone(), node: Some(identity.node), identity: Some(id) }
    }

    fn has_credentials(&self, id: IdentityId, need: &Need) -> bool {
        let has = |what: &str| match what {
            // Where it is not known whether there is a password, there may be one, and there may be none.
            "login_profile" => self.with_password.get(&id).copied(),
            "access_key" => Some(self.with_access_key.contains(&id)),
            _ => None,
        };
        need.has.iter().all(|what| has(what) != Some(false)) && need.lacks.iter().all(|what| has(what) != Some(true))
    }

    fn roles_for(
        &self,
        asker: &Asker<'_>,
        id: IdentityId,
        method: &Escalation,
        (name, need): (&str, &Need),
        binding: &Binding<'_>,
    ) -> Vec<IdentityId> {
        let runs = method.needs.iter().filter(|(_, other)| other.runs_as.as_deref() == Some(name));
        let of_resources: Vec<NodeId> = runs.filter_map(|(other, _)| binding.of.get(other.as_ref())?.node).collect();
        let account = self.directory.identity(id).account.as_ref();
        let assumes =
            method.steps.iter().flat_map(|step| step.alternatives()).flatten().any(|permission| {
                permission.action.as_ref() == "sts:AssumeRole" && permission.on.as_deref() == Some(name)
            });
        let mut roles: Vec<IdentityId> = if let Some(first) = of_resources.first() {
            self.runs_as.get(first).cloned().unwrap_or_default()
        } else if let Some(service) = &need.trusts {
            self.trusting.get(service.as_ref()).cloned().unwrap_or_default()
        } else if need.assumable.is_some() || assumes {
            self.that_may_trust(id)
        } else {
            self.roles.get(account).cloned().unwrap_or_default()
        };
        if let Some(service) = &need.trusts {
            roles.retain(|role| asker.is_trusted(*role, service));
        }
        if need.instance_profile {
            roles.retain(|role| self.in_instance_profile.contains(role));
        }
        if need.assumable.is_some() {
            roles.retain(|role| {
                let object = self.object(*role);
                asker.ask(id, "sts:AssumeRole", &object.arn, object.node, &BTreeMap::new()).outcome == Outcome::Allowed
            });
        }
        // Only over a trust policy is an account left.
        if !assumes && need.assumable.is_none() {
            roles.retain(|role| *self.directory.identity(*role).account == *account);
        }
        roles
    }

    /// Roles whose trust policies may mean an identity.
    fn that_may_trust(&self, id: IdentityId) -> Vec<IdentityId> {
        let identity = self.directory.identity(id);
        let mut names: Vec<&str> = vec![&identity.arn, &identity.account];
        let session_prefix = Arn::of(&identity.arn)
            .filter(|_| identity.kind == IdentityKind::Role)
            .map(|arn| format!("arn:{}:sts::{}:assumed-role/{}/", arn.partition, arn.account, identity.name));
        if let Some(prefix) = &session_prefix {
            names.extend(self.naming.keys().filter(|name| name.starts_with(prefix.as_str())));
        }
        let mut roles: Vec<IdentityId> =
            names.iter().filter_map(|name| self.naming.get(name)).flatten().copied().collect();
        roles.extend(&self.naming_anyone);
        roles.sort_unstable();
        roles.dedup();
        roles
    }

    fn policies_for(&self, asker: &Asker<'_>, id: IdentityId, need: &Need, binding: &Binding<'_>) -> Vec<Object> {
        let of_identity = |id: IdentityId| -> Vec<DocumentId> {
            let identity = self.directory.identity(id);
            let of_groups = identity.groups.iter().flat_map(|group| &self.directory.identity(*group).documents);
            identity.documents.iter().chain(of_groups).copied().collect()
        };
        let who = match need.attached_to.as_deref() {
            Some("self") => id,
            Some(name) => match binding.identity(name) {
                Some(who) => who,
                None => return Vec::new(),
            },
            None => return Vec::new(),
        };
        let documents = of_identity(who);
        let objects = documents.into_iter().filter_map(|id| {
            let document = self.directory.document(id);
            // AWS's own policies cannot be changed.
            let own = Arn::of(&document.name).is_some_and(|arn| arn.account != "aws");
            let fits = |node: &NodeId| own && (!need.wider_version || self.has_wider_version(asker, who, *node));
            document.node.filter(fits).map(|node| Object {
                arn: document.name.clone(),
                node: Some(node),
                identity: None,
            })
        });
        objects.collect()
    }
}

impl Objects<'_> {
    /// Whether a policy has a version, not in force, with which an identity would be an administrator.
    fn has_wider_version(&self, asker: &Asker<'_>, who: IdentityId, policy: NodeId) -> bool {
        let Some(node) = self.graph.node(policy) else { return false };
        let Value::List(versions) = node.property("other_versions") else { return false };
        versions.iter().any(|version| {
            let Value::Map(fields) = version else { return false };
            let document = fields.get("document").map(|document| Policy::of(&document.to_json()));
            document
                .is_some_and(|document| super::TELLING.iter().all(|action| asker.with_document(who, action, &document)))
        })
    }
}

/// A pattern of ARNs, of one account where it says no other.
fn in_account(pattern: &str, account: &str) -> String {
    let parts: Vec<&str> = pattern.splitn(6, ':').collect();
    match parts.as_slice() {
        [arn, partition, service, region, "*", resource] => {
            [arn, partition, service, region, account, resource].join(":")
        }
        _ => pattern.to_owned(),
    }
}

/// What each resource runs as: its role, or that of its instance profile.
pub fn runs_as(graph: &Graph) -> HashMap<NodeId, Vec<NodeId>> {
    let mut found: HashMap<NodeId, Vec<NodeId>> = HashMap::new();
    let mut profiles: HashMap<NodeId, Vec<NodeId>> = HashMap::new();
    for profile in graph.nodes_of(crate::aws::INSTANCE_PROFILE) {
        let roles = profile.neighbours(None, Walk::Out).into_iter();
        let roles = roles.filter(|(_, role)| role.kind() == crate::aws::ROLE).map(|(_, role)| role.id());
        profiles.insert(profile.id(), roles.collect());
    }
    for (from, to) in graph.relations_of(crate::aws::EXECUTES_AS) {
        let roles = found.entry(from).or_default();
        match profiles.get(&to) {
            Some(of) => roles.extend(of),
            None => roles.push(to),
        }
    }
    for (from, to) in crate::aws::inherits_role(graph) {
        found.entry(from).or_default().push(to);
    }
    found.extend(profiles);
    found
}
