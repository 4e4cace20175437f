//! Where AWS keeps who is who: the one place of this crate that knows kinds and properties of the catalogue.

use hashbrown::HashMap;
use nepho_graph::{Graph, NodeId, NodeRef, Walk};
use nepho_model::Value;

use crate::arn::Arn;
use crate::context::Context;
use crate::directory::{Account, Directory, DocumentId, Identity, IdentityId, IdentityKind};
use crate::principal::Principal;

const USER: &str = "aws.iam.user";
pub const ROLE: &str = "aws.iam.role";
const GROUP: &str = "aws.iam.group";
const POLICY: &str = "aws.iam.policy";
pub const INSTANCE_PROFILE: &str = "aws.iam.instance-profile";
pub const MFA_DEVICE: &str = "aws.iam.mfa-device";
pub const ACCESS_KEY: &str = "aws.iam.access-key";
pub const CREDENTIALS: &str = "aws.iam.credential-report-entry";
/// From what runs to the role, or the instance profile, that it is given.
pub const EXECUTES_AS: &str = "EXECUTES_AS";
const ACCOUNT: &str = "aws.account.account";
const ORGANIZATION: &str = "aws.organizations.organization";
const MEMBER: &str = "aws.organizations.account";
const UNIT: &str = "aws.organizations.organizational-unit";
const ROOT: &str = "aws.organizations.root";
const CONTROL_POLICY: &str = "aws.organizations.policy";

pub const MANAGED: &str = "aws.ssm.managed-instance";
/// From what Systems Manager manages to the machine.
pub const MANAGES: &str = "MANAGES";
const TASK: &str = "aws.ecs.task";
const TASK_DEFINITION: &str = "aws.ecs.task-definition";

/// Kinds whose `policy` is not about themselves as a resource.
const NO_RESOURCE_POLICY: [&str; 4] = [POLICY, CONTROL_POLICY, ORGANIZATION, "aws.ec2.vpc-endpoint"];

/// The property that holds a resource's policy.
const RESOURCE_POLICY: &str = "policy";

pub fn read(graph: &Graph, directory: &mut Directory) {
    directory.clock = graph.clock();
    directory.unlisted = [USER, ROLE, GROUP, POLICY].iter().any(|kind| !graph.is_listed(kind));
    directory.controls_unlisted =
        [ORGANIZATION, MEMBER, UNIT, ROOT, CONTROL_POLICY].iter().any(|kind| !graph.is_listed(kind));
    let managed = managed_policies(graph, directory);
    for node in graph.nodes_of(ACCOUNT) {
        directory.accounts.entry(node.account().into()).or_default().known = true;
    }
    organization(graph, directory);
    let mut groups: HashMap<NodeId, IdentityId> = HashMap::new();
    for node in graph.nodes_of(GROUP) {
        let identity = identity(directory, &managed, node, IdentityKind::Group);
        groups.insert(node.id(), directory.add_identity(identity));
    }
    for node in graph.nodes_of(USER) {
        let mut identity = identity(directory, &managed, node, IdentityKind::User);
        let of = node.neighbours(Some("MEMBER_OF"), Walk::Out);
        identity.groups = of.iter().filter_map(|(_, group)| groups.get(&group.id()).copied()).collect();
        if let Value::List(names) = node.property("groups") {
            identity.unread |= names.len() > identity.groups.len();
        }
        identity.unread |= identity.groups.iter().any(|group| directory.identity(*group).unread);
        directory.add_identity(identity);
    }
    for node in graph.nodes_of(ROLE) {
        let mut identity = identity(directory, &managed, node, IdentityKind::Role);
        let name = format!("{} trust policy", node.key());
        identity.trust = directory.add_document(&name, None, &node.property("trust_policy"));
        if let Some(trust) = identity.trust {
            directory.of_resource.entry(node.id()).or_default().push(trust);
        }
        directory.add_identity(identity);
    }
    resource_policies(graph, directory);
}

pub fn text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// Managed policies by node; the same one that several accounts see is read once.
fn managed_policies(graph: &Graph, directory: &mut Directory) -> HashMap<NodeId, DocumentId> {
    let mut managed = HashMap::new();
    let mut by_key: HashMap<&str, DocumentId> = HashMap::new();
    for node in graph.nodes_of(POLICY) {
        if let Some(id) = by_key.get(node.key()) {
            managed.insert(node.id(), *id);
        } else if let Some(id) = directory.add_document(node.key(), Some(node.id()), &node.property("policy")) {
            by_key.insert(node.key(), id);
            managed.insert(node.id(), id);
        }
    }
    managed
}

fn identity(
    directory: &mut Directory,
    managed: &HashMap<NodeId, DocumentId>,
    node: NodeRef<'_>,
    kind: IdentityKind,
) -> Identity {
    let arn = node.key();
    let mut documents = Vec::new();
    let mut unread = node.unknown_relations().any(|name| ["HAS_POLICY", "MEMBER_OF", "BOUNDED_BY"].contains(&name));
    match node.property("inline_policies") {
        Value::List(policies) => {
            for policy in policies.iter() {
                let Value::Map(fields) = policy else { continue };
                let name = fields.get("name").and_then(text).unwrap_or_default();
                let document = fields.get("document").cloned().unwrap_or_default();
                documents.extend(directory.add_document(&format!("{arn} policy {name}"), None, &document));
            }
        }
        Value::Unknown => unread = true,
        _ => {}
    }
    let attached = node.neighbours(Some("HAS_POLICY"), Walk::Out);
    // A policy that is attached and not in the graph may say anything.
    let listed = node.property("attached_policy_arns");
    if let Value::List(arns) = &listed {
        unread |= arns.len() > attached.len();
    }
    documents.extend(attached.iter().filter_map(|(_, policy)| managed.get(&policy.id()).copied()));
    let bounds = node.neighbours(Some("BOUNDED_BY"), Walk::Out);
    let boundary = bounds.iter().find_map(|(_, policy)| managed.get(&policy.id()).copied());
    // A boundary that is named and was not read allows nothing for certain.
    let boundary = boundary.or_else(|| {
        let named = node.property("permissions_boundary_arn");
        directory.add_document(text(&named)?, None, &Value::Unknown)
    });
    unread |= documents.iter().chain(&boundary).any(|id| directory.document(*id).unread);
    let principal = match kind {
        IdentityKind::User | IdentityKind::Group => Principal::User { arn: arn.into() },
        IdentityKind::Role => Principal::Role { arn: arn.into() },
    };
    let name = node.name();
    let context = context_of(directory, &node, &principal).into();
    Identity {
        node: node.id(),
        kind,
        arn: arn.into(),
        name: text(&name).unwrap_or_else(|| arn.rsplit('/').next().unwrap_or(arn)).into(),
        account: node.account().into(),
        principal,
        documents,
        boundary,
        groups: Vec::new(),
        trust: None,
        unread,
        context,
    }
}

fn context_of(directory: &Directory, node: &NodeRef<'_>, principal: &Principal) -> Context {
    let mut context = Context::open();
    context.of_principal(principal);
    match node.tags() {
        Value::Map(tags) => {
            for (name, value) in tags.iter() {
                context.set(&format!("aws:PrincipalTag/{name}"), text(value).unwrap_or_default());
            }
            // A role's session may bring tags of its own.
            if !matches!(principal, Principal::Role { .. }) {
                context.complete("aws:PrincipalTag/");
            }
        }
        Value::Null if !matches!(principal, Principal::Role { .. }) => {
            context.complete("aws:PrincipalTag/");
        }
        _ => {}
    }
    if let Value::String(id) = node.property("user_id") {
        context.set("aws:userid", &id);
    }
    let account = directory.accounts.get(node.account());
    if let Some(organization) = account.and_then(|account| account.organization.as_ref()) {
        context.set("aws:PrincipalOrgID", organization);
    }
    if let Some(path) = account.and_then(|account| account.path.as_ref()) {
        context.set("aws:PrincipalOrgPaths", path);
    }
    context.set("aws:ViaAWSService", "false");
    for key in ["aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast"] {
        context.set_absent(key);
    }
    context.set("aws:CurrentTime", &directory.clock.to_string());
    context.set("aws:EpochTime", &directory.clock.to_string());
    match principal {
        // A session is issued when it is needed.
        Principal::Role { .. } => context.set("aws:TokenIssueTime", &directory.clock.to_string()),
        _ => context.set_absent("aws:TokenIssueTime"),
    };
    context
}

/// Accounts below their organisation with the control policies above them.
fn organization(graph: &Graph, directory: &mut Directory) {
    let Some(organization) = graph.nodes_of(ORGANIZATION).next() else { return };
    let name = organization.name();
    let management = organization.property("management_account_id");
    let mut documents: HashMap<NodeId, (DocumentId, bool)> = HashMap::new();
    for node in graph.nodes_of(CONTROL_POLICY) {
        let kind = node.property("type");
        let is_service = text(&kind) == Some("SERVICE_CONTROL_POLICY");
        if !is_service && text(&kind) != Some("RESOURCE_CONTROL_POLICY") {
            continue;
        }
        if let Some(id) = directory.add_document(node.key(), Some(node.id()), &node.property("policy")) {
            documents.insert(node.id(), (id, is_service));
        }
    }
    for member in graph.nodes_of(MEMBER) {
        let number = member.property("account_id");
        let Some(number) = text(&number) else { continue };
        let mut account = Account { organization: text(&name).map(Into::into), ..Account::default() };
        account.known = directory.accounts.get(number).is_some_and(|known| known.known);
        // `o-…/r-…/ou-…/`, from the top; ids are the last parts of ARNs.
        let mut path: Vec<&str> = Vec::new();
        let mut level = Some(member);
        // Bounded, should the data say that units contain each other.
        for _ in 0..16 {
            let Some(node) = level else { break };
            let (mut services, mut resources) = (Vec::new(), Vec::new());
            for (_, policy) in node.neighbours(Some("HAS_POLICY"), Walk::Out) {
                match documents.get(&policy.id()) {
                    Some((id, true)) => services.push(*id),
                    Some((id, false)) => resources.push(*id),
                    None => {}
                }
            }
            // A level without any has them switched off: one at least is always attached.
            account.service_control.extend((!services.is_empty()).then_some(services));
            account.resource_control.extend((!resources.is_empty()).then_some(resources));
            level = above(&node);
            path.extend(level.and_then(|parent| parent.key().rsplit('/').next()));
        }
        path.extend(text(&name));
        path.reverse();
        account.path = (path.len() > 1).then(|| format!("{}/", path.join("/")).into());
        if text(&management) == Some(number) {
            account.service_control.clear();
            account.resource_control.clear();
        }
        directory.accounts.insert(number.into(), account);
    }
}

/// The unit or root that an account or a unit is in.
fn above<'g>(node: &NodeRef<'g>) -> Option<NodeRef<'g>> {
    let of = ["MEMBER_OF", "PART_OF"].map(|relation| node.neighbours(Some(relation), Walk::Out));
    of.into_iter().flatten().map(|(_, parent)| parent).find(|parent| [UNIT, ROOT].contains(&parent.kind()))
}

fn resource_policies(graph: &Graph, directory: &mut Directory) {
    for (kind, count) in graph.counts_by_kind() {
        if count == 0 || !kind.starts_with("aws.") || NO_RESOURCE_POLICY.contains(&kind) {
            continue;
        }
        for node in graph.nodes_of(kind) {
            let document = node.property(RESOURCE_POLICY);
            if !matches!(document, Value::Map(_) | Value::String(_) | Value::Unknown) {
                continue;
            }
            let id = directory.add_document(&format!("{} policy", node.key()), None, &document);
            if let Some(id) = id {
                directory.of_resource.entry(node.id()).or_default().push(id);
            }
        }
    }
}

/// The node that an ARN is about: its own, or that of what it is in (an object's bucket). `None` where there is none.
pub fn resource_of<'g>(graph: &'g Graph, arn: &str) -> Option<NodeRef<'g>> {
    let of = Arn::of(arn)?;
    let find = |key: &str| {
        let mut kinds = graph.counts_by_kind().filter(|(_, count)| *count > 0).map(|(kind, _)| kind);
        kinds.find_map(|kind| graph.find(kind, key))
    };
    find(arn).or_else(|| match of.service {
        "s3" => find(&format!("arn:{}:s3:::{}", of.partition, of.resource.split('/').next()?)),
        _ => find(arn.trim_end_matches(['*', ':', '/'])),
    })
}

/// What is in force without a statement of its own: a task runs as the role of its definition, unless it says otherwise.
pub fn inherits_role(graph: &Graph) -> Vec<(NodeId, NodeId)> {
    let mut found = Vec::new();
    for task in graph.nodes_of(TASK) {
        if task.neighbours(Some(EXECUTES_AS), Walk::Out).is_empty() {
            let used = task.neighbours(Some("USES"), Walk::Out).into_iter();
            let definitions = used.filter(|(_, of)| of.kind() == TASK_DEFINITION);
            let roles = definitions.flat_map(|(_, of)| of.neighbours(Some(EXECUTES_AS), Walk::Out));
            found.extend(roles.map(|(_, role)| (task.id(), role.id())));
        }
    }
    found
}
