//! Nodes and relations as callers see them.

use std::sync::Arc;

use nepho_model::Value;

use super::{Graph, NodeId, RelationId, RelationTable, Table, Walk, value_of};
use crate::value::ResultValue;

/// A node of a graph.
#[derive(Clone, Copy)]
pub struct NodeRef<'g> {
    pub(super) graph: &'g Graph,
    pub(super) table: &'g Table,
    pub(super) id: NodeId,
}

impl<'g> NodeRef<'g> {
    fn row(&self) -> usize {
        (self.id.0 - self.table.nodes.start) as usize
    }

    fn place(&self, codes: &'g [u32]) -> &'g str {
        codes.get(self.row()).and_then(|code| self.graph.places.get(*code as usize)).map_or("", |place| &**place)
    }

    /// Its number.
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// The provider's global name.
    pub fn key(&self) -> &'g str {
        self.table.keys().get(self.row()).unwrap_or_default()
    }

    /// The kind id.
    pub fn kind(&self) -> &'g str {
        &self.table.kind
    }

    /// The kind label, then the class labels.
    pub fn labels(&self) -> impl Iterator<Item = &'g str> + use<'g> {
        self.table.labels.iter().map(|label| &**label)
    }

    /// The account.
    pub fn account(&self) -> &'g str {
        self.place(&self.table.places().accounts)
    }

    /// The region; `global` where it is in none.
    pub fn region(&self) -> &'g str {
        self.place(&self.table.places().regions)
    }

    /// The name people know it by.
    pub fn name(&self) -> Value {
        self.property("name")
    }

    /// The tags.
    pub fn tags(&self) -> Value {
        self.property("tags")
    }

    /// A property, built-in ones too; null where there is none.
    pub fn property(&self, name: &str) -> Value {
        value_of(self.graph.node_property(self.id, name))
    }

    /// Every property in order: built-in ones first, then as declared.
    pub fn properties(&self) -> impl Iterator<Item = (&'g str, ResultValue)> + use<'g> {
        let row = self.row();
        self.table.each_column().map(move |(name, column)| (&**name, column.get(row)))
    }

    /// Neighbours over relations of a type (`None`: of any), with the relation; by type, then by number.
    pub fn neighbours(&self, relation: Option<&str>, walk: Walk) -> Vec<(RelationRef<'g>, NodeRef<'g>)> {
        let graph = self.graph;
        let kind = graph.kind_number(self.id);
        let mut found = Vec::new();
        for (of, table) in graph.relations.iter().enumerate() {
            if relation.is_some_and(|name| *name != *table.name) {
                continue;
            }
            let of = of as u32;
            let mut add = |index: u32, node: u32| {
                if let (Some(relation), Some(node)) =
                    (graph.relation(RelationId { of, index }), graph.node(NodeId(node)))
                {
                    found.push((relation, node));
                }
            };
            if walk != Walk::In {
                for position in table.forward().range(self.id.0, kind) {
                    if let Some(target) = table.forward().targets.get(position) {
                        add(position as u32, *target);
                    }
                }
            }
            if walk != Walk::Out {
                for position in table.backward().range(self.id.0, kind) {
                    if let Some(source) = table.backward().targets.get(position)
                        && !(walk == Walk::Both && *source == self.id.0)
                    {
                        add(table.backward().edge(position), *source);
                    }
                }
            }
        }
        found
    }

    /// The relation types of this node that could not be read.
    pub fn unknown_relations(&self) -> impl Iterator<Item = &'g str> + use<'g> {
        let id = self.id.0;
        self.graph
            .relations
            .iter()
            .filter(move |table| table.unknown.binary_search(&id).is_ok())
            .map(|table| &*table.name)
    }
}

/// A relation of a graph.
#[derive(Clone, Copy)]
pub struct RelationRef<'g> {
    pub(super) graph: &'g Graph,
    pub(super) table: &'g RelationTable,
    pub(super) id: RelationId,
}

impl<'g> RelationRef<'g> {
    /// Its number.
    pub fn id(&self) -> RelationId {
        self.id
    }

    /// The type, `ATTACHED_TO`.
    pub fn relation_type(&self) -> &'g Arc<str> {
        &self.table.name
    }

    /// Where it starts.
    pub fn from(&self) -> NodeId {
        self.graph.ends(self.id).map_or(NodeId(u32::MAX), |(from, _)| from)
    }

    /// Where it ends.
    pub fn to(&self) -> NodeId {
        self.graph.ends(self.id).map_or(NodeId(u32::MAX), |(_, to)| to)
    }

    /// A property; null where there is none.
    pub fn property(&self, name: &str) -> Value {
        self.table.column_named(name).map_or(Value::Null, |column| value_of(column.get(self.id.index as usize)))
    }

    /// Every property.
    pub fn properties(&self) -> impl Iterator<Item = (&'g str, ResultValue)> + use<'g> {
        let row = self.id.index as usize;
        self.table.each_column().map(move |(name, column)| (&**name, column.get(row)))
    }
}
