//! What analyses add to a graph: relations and properties that follow from its facts.

use std::sync::Arc;

use hashbrown::HashMap;
use nepho_model::Value;

use super::builder::{ColumnSet, RelationRows};
use super::{Graph, NodeId};

/// Relations of types that nothing else makes, and properties that no fact gives.
#[derive(Default)]
pub struct Additions {
    relations: Vec<RelationRows>,
    relation_index: HashMap<Arc<str>, usize>,
    /// Kind number → values by row.
    properties: HashMap<u32, ColumnSet>,
}

impl Additions {
    /// A relation type is known, even where it has no relations.
    pub fn declare(&mut self, relation: &str) {
        self.of(relation);
    }

    fn of(&mut self, relation: &str) -> &mut RelationRows {
        let index = match self.relation_index.get(relation) {
            Some(index) => *index,
            None => {
                let name: Arc<str> = relation.into();
                self.relation_index.insert(name.clone(), self.relations.len());
                self.relations.push(RelationRows { name, ..RelationRows::default() });
                self.relations.len() - 1
            }
        };
        &mut self.relations[index]
    }

    /// Adds a relation between nodes of the graph that this is for.
    pub fn relate(&mut self, from: NodeId, relation: &str, to: NodeId, properties: &[(Arc<str>, Value)]) {
        let rows = self.of(relation);
        for (position, (name, value)) in properties.iter().enumerate() {
            rows.columns.set(position, name, rows.edges.len(), value);
        }
        rows.edges.push((from.0, to.0));
    }

    /// Says that a node's relations of a type are not known.
    pub fn mark_unknown(&mut self, node: NodeId, relation: &str) {
        self.of(relation).unknown.insert(node.0);
    }

    /// Sets a property of a node.
    pub fn set(&mut self, graph: &Graph, node: NodeId, name: &Arc<str>, value: &Value) {
        let Some(kind) = graph.kind_of.get(node.0 as usize) else { return };
        let Some(table) = graph.tables.get(*kind as usize) else { return };
        let columns = self.properties.entry(*kind).or_default();
        columns.set(usize::MAX, name, (node.0 - table.nodes.start) as usize, value);
    }
}

impl Graph {
    /// The same graph with what an analysis adds. A relation type that has relations already keeps those it has.
    pub fn with(mut self, additions: Additions) -> Self {
        let ranges: Arc<Vec<_>> = Arc::new(self.tables.iter().map(|table| table.nodes.clone()).collect());
        for rows in additions.relations {
            let table = rows.finish(&|node| node, &ranges);
            match self.relation_index.get(&table.name) {
                Some(at) => {
                    if let Some(known) = self.relations.get_mut(*at as usize)
                        && known.len() == 0
                    {
                        *known = table;
                    }
                }
                None => self.relations.push(table),
            }
        }
        self.relations.sort_by(|left, right| left.name.cmp(&right.name));
        let numbered = self.relations.iter().enumerate();
        self.relation_index = numbered.map(|(at, of)| (of.name.clone(), at as u32)).collect();
        for (kind, columns) in additions.properties {
            let Some(table) = self.tables.get_mut(kind as usize) else { continue };
            let order: Vec<u32> = (0..table.nodes.len() as u32).collect();
            for (name, column) in columns.finish(table.nodes.len(), &order) {
                table.columns.put(name, column);
            }
        }
        self
    }
}
