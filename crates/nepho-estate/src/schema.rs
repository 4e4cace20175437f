//! The graph's schema as the catalogue declares it.

use nepho_catalog::Catalog;
use nepho_catalog::kind::PropertyType as Declared;
use nepho_graph::{PropertyType, Schema};

/// The kind that every resource's `IN_ACCOUNT` points to.
pub const ACCOUNT_KIND: &str = "aws.account.account";
/// From every resource to its account.
pub const IN_ACCOUNT: &str = "IN_ACCOUNT";
/// From a resource to the one it was listed for.
pub const PART_OF: &str = "PART_OF";

fn property_type(of: Declared) -> PropertyType {
    match of {
        Declared::Bool => PropertyType::Bool,
        Declared::Int => PropertyType::Int,
        Declared::Float => PropertyType::Float,
        Declared::String => PropertyType::String,
        Declared::Time => PropertyType::Time,
        Declared::List => PropertyType::List,
        Declared::Json => PropertyType::Json,
    }
}

/// A closed schema: a label, relation type or property that the catalogue does not declare is an error in a query.
pub fn schema_of(catalog: &Catalog) -> Schema {
    let mut schema = Schema::closed();
    for kind in catalog.kinds.values() {
        let properties = kind.properties.iter().map(|(name, property)| (name, property_type(property.kind)));
        schema.add_kind(&kind.id, &kind.classes, properties);
    }
    for kind in catalog.kinds.values() {
        for (name, relation) in
            kind.relations.iter().flat_map(|(name, all)| all.as_slice().iter().map(move |one| (name, one)))
        {
            for to in relation.to.as_slice() {
                schema.add_relation(name, &kind.id, to);
            }
            for from in relation.from.as_slice() {
                schema.add_relation(name, from, &kind.id);
            }
        }
        schema.add_relation(IN_ACCOUNT, &kind.id, ACCOUNT_KIND);
        for parent in kind.list.as_slice().iter().filter_map(|list| list.for_each.as_ref()) {
            schema.add_relation(PART_OF, &kind.id, parent);
        }
    }
    schema
}
