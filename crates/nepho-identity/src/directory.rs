//! Everyone in an estate, and which policies count for them: read once out of the graph.

use std::sync::Arc;

use hashbrown::HashMap;
use nepho_graph::{Graph, NodeId};
use nepho_model::{Timestamp, Value};

use crate::context::Context;
use crate::evaluate::{Attached, Policies};
use crate::policy::Policy;
use crate::principal::Principal;

/// The number of a policy in a [`Directory`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocumentId(pub(crate) u32);

/// The number of an identity in a [`Directory`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdentityId(pub(crate) u32);

/// A policy of the estate.
#[derive(Debug)]
pub struct Document {
    /// ARN of a managed policy; of an inline one, the ARN of whom it is embedded in and its name.
    pub name: Box<str>,
    /// The managed policy's node.
    pub node: Option<NodeId>,
    /// What it says.
    pub policy: Policy,
    /// Whether it, or a statement of it, could not be read: then it may say anything.
    pub unread: bool,
}

/// What an identity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdentityKind {
    /// A user.
    User,
    /// A role.
    Role,
    /// A group: no principal, but the permissions of its members.
    Group,
}

/// A user, role or group.
#[derive(Debug)]
pub struct Identity {
    /// Its node.
    pub node: NodeId,
    /// What it is.
    pub kind: IdentityKind,
    /// Its ARN.
    pub arn: Box<str>,
    /// Its name.
    pub name: Box<str>,
    /// Its account.
    pub account: Box<str>,
    /// As who it makes requests; a group's is that of a user named like it, who does not exist.
    pub principal: Principal,
    /// Policies of its own.
    pub documents: Vec<DocumentId>,
    /// Its permissions boundary.
    pub boundary: Option<DocumentId>,
    /// Groups of a user.
    pub groups: Vec<IdentityId>,
    /// The trust policy of a role.
    pub trust: Option<DocumentId>,
    /// Whether some of its policies, its boundary or its groups could not be read.
    pub unread: bool,
    /// What is known of its requests whatever they are for.
    pub context: Arc<Context>,
}

/// What is known of an account.
#[derive(Debug, Default)]
pub struct Account {
    /// Service control policies above it, level by level; empty where they do not count.
    pub service_control: Vec<Vec<DocumentId>>,
    /// Resource control policies above it.
    pub resource_control: Vec<Vec<DocumentId>>,
    /// The organisation's id, where it is known.
    pub organization: Option<Box<str>>,
    /// Where it is in the organisation, as `aws:PrincipalOrgPaths` says it.
    pub path: Option<Box<str>>,
    /// Whether the account is part of the estate.
    pub known: bool,
}

/// Everyone in an estate.
#[derive(Debug, Default)]
pub struct Directory {
    /// When the facts were read.
    pub(crate) clock: Timestamp,
    pub(crate) documents: Vec<Document>,
    pub(crate) identities: Vec<Identity>,
    pub(crate) accounts: HashMap<Box<str>, Account>,
    by_arn: HashMap<Box<str>, IdentityId>,
    by_node: HashMap<NodeId, IdentityId>,
    pub(crate) of_resource: HashMap<NodeId, Vec<DocumentId>>,
    /// Whether identities or their policies were not listed everywhere.
    pub(crate) unlisted: bool,
    /// Whether it was not listed which organisation accounts are in and what it denies.
    pub(crate) controls_unlisted: bool,
}

impl Directory {
    /// Reads it out of a graph.
    pub fn of(graph: &Graph) -> Self {
        let mut directory = Self::default();
        crate::aws::read(graph, &mut directory);
        directory
    }

    pub(crate) fn add_document(&mut self, name: &str, node: Option<NodeId>, document: &Value) -> Option<DocumentId> {
        let (policy, unread) = match document {
            Value::Null => return None,
            Value::Unknown => (Policy::default(), true),
            value => {
                let policy = Policy::of(&value.to_json());
                let unread = !policy.problems.is_empty();
                (policy, unread)
            }
        };
        let id = DocumentId(self.documents.len() as u32);
        self.documents.push(Document { name: name.into(), node, policy, unread });
        Some(id)
    }

    pub(crate) fn add_identity(&mut self, identity: Identity) -> IdentityId {
        let id = IdentityId(self.identities.len() as u32);
        self.by_arn.insert(identity.arn.clone(), id);
        self.by_node.insert(identity.node, id);
        self.identities.push(identity);
        id
    }

    /// The policy.
    pub fn document(&self, id: DocumentId) -> &Document {
        &self.documents[id.0 as usize]
    }

    /// The identity.
    pub fn identity(&self, id: IdentityId) -> &Identity {
        &self.identities[id.0 as usize]
    }

    /// Every identity.
    pub fn identities(&self) -> impl Iterator<Item = (IdentityId, &Identity)> {
        (0..).map(IdentityId).zip(&self.identities)
    }

    /// Users and roles.
    pub fn principals(&self) -> impl Iterator<Item = (IdentityId, &Identity)> {
        self.identities().filter(|(_, identity)| identity.kind != IdentityKind::Group)
    }

    /// The identity with this ARN.
    pub fn by_arn(&self, arn: &str) -> Option<IdentityId> {
        self.by_arn.get(arn).copied()
    }

    /// The identity of this node.
    pub fn by_node(&self, node: NodeId) -> Option<IdentityId> {
        self.by_node.get(&node).copied()
    }

    /// Identities of this name or ARN; several where accounts share it.
    pub fn named(&self, name: &str) -> Vec<IdentityId> {
        if let Some(id) = self.by_arn(name) {
            return vec![id];
        }
        self.identities().filter(|(_, identity)| *identity.name == *name).map(|(id, _)| id).collect()
    }

    /// The account.
    pub fn account(&self, number: &str) -> Option<&Account> {
        self.accounts.get(number)
    }

    /// Whether what is above an account could not be read, so that more may be denied there.
    pub fn controls_unread(&self, account: &str) -> bool {
        match self.accounts.get(account) {
            Some(of) if of.organization.is_some() => {
                let mut all = of.service_control.iter().chain(&of.resource_control).flatten();
                all.any(|id| self.document(*id).unread)
            }
            _ => self.controls_unlisted,
        }
    }

    /// Whether there may be identities or policies that are not here: what is not found in it may still be.
    pub fn is_incomplete(&self) -> bool {
        let trust_unread = |identity: &Identity| identity.trust.is_some_and(|trust| self.document(trust).unread);
        self.unlisted
            || self
                .identities
                .iter()
                .any(|identity| identity.unread || trust_unread(identity) || self.controls_unread(&identity.account))
    }

    /// The policies by which a request of an identity is judged, those of the resource and of its account apart.
    pub fn policies_of(&self, id: IdentityId) -> Policies<'_> {
        let identity = self.identity(id);
        let mut documents: Vec<DocumentId> = identity.documents.clone();
        documents.extend(identity.groups.iter().flat_map(|group| &self.identity(*group).documents));
        let account = self.accounts.get(&identity.account);
        Policies {
            identity: self.attached(&documents),
            boundary: self.attached(identity.boundary.as_slice()),
            service_control: account.map(|of| self.levels(&of.service_control)).unwrap_or_default(),
            ..Policies::default()
        }
    }

    /// Adds the policies of a resource.
    pub fn with_resource<'d>(&'d self, policies: &mut Policies<'d>, node: Option<NodeId>, account: &str) {
        let own = node.and_then(|node| self.of_resource.get(&node));
        policies.resource = self.attached(own.map_or(&[], Vec::as_slice));
        let above = self.accounts.get(account).map(|of| self.levels(&of.resource_control));
        policies.resource_control = above.unwrap_or_default();
    }

    pub(crate) fn attached(&self, documents: &[DocumentId]) -> Vec<Attached<'_>> {
        let all = documents.iter().map(|id| self.document(*id));
        all.map(|of| Attached { name: &of.name, policy: &of.policy }).collect()
    }

    fn levels(&self, levels: &[Vec<DocumentId>]) -> Vec<Vec<Attached<'_>>> {
        levels.iter().map(|level| self.attached(level)).collect()
    }
}
