//! The graph's schema as the catalogue declares it.

use nepho_catalog::Catalog;
use nepho_catalog::kind::PropertyType;
use nepho_graph::{Schema, ValueType};

/// The kind that every resource's `IN_ACCOUNT` points to.
pub const ACCOUNT_KIND: &str = "aws.account.account";
/// From every resource to its account.
pub const IN_ACCOUNT: &str = "IN_ACCOUNT";
/// From a resource to the one it was listed for.
pub const PART_OF: &str = "PART_OF";

fn value_type(of: PropertyType) -> ValueType {
    match of {
        PropertyType::Bool => ValueType::Bool,
        PropertyType::Int => ValueType::Int,
        PropertyType::Float => ValueType::Float,
        PropertyType::String => ValueType::String,
        PropertyType::Time => ValueType::Time,
        PropertyType::List | PropertyType::Json => ValueType::Any,
    }
}

/// A closed schema: a label, relation type or property that the catalogue does not declare is an error in a query.
pub fn schema_of(catalog: &Catalog) -> Schema {
    let mut schema = Schema::closed();
    for kind in catalog.kinds.values() {
        let classes: Vec<&str> = kind.classes.iter().map(AsRef::as_ref).collect();
        let properties: Vec<(&str, ValueType)> =
            kind.properties.iter().map(|(name, property)| (name.as_ref(), value_type(property.kind))).collect();
        schema.add_kind(&kind.id, &kind.label(), &classes, &properties);
        for relation in kind.relations.keys() {
            schema.add_relation_type(relation);
        }
    }
    schema.add_relation_type(IN_ACCOUNT);
    schema.add_relation_type(PART_OF);
    schema
}
