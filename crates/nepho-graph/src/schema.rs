//! What a graph may hold: kinds with labels and typed properties, relation types with their ends.
//!
//! A schema is *closed* when it comes from the catalogue: a query that names anything else is wrong, and is told the
//! nearest right name. It is *open* for ad-hoc graphs: any name goes.

use std::sync::Arc;

use hashbrown::HashMap;
use nepho_model::label_of_kind;

/// The properties that every resource has beside those of its kind.
pub const BUILT_IN_PROPERTIES: [&str; 6] = ["key", "kind", "account", "region", "name", "tags"];

/// The declared type of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PropertyType {
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// A floating-point number.
    Float,
    /// Text.
    String,
    /// A point in time.
    Time,
    /// A list of strings.
    List,
    /// Any structure.
    Json,
}

impl std::str::FromStr for PropertyType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "bool" => Self::Bool,
            "int" => Self::Int,
            "float" => Self::Float,
            "string" => Self::String,
            "time" => Self::Time,
            "list" => Self::List,
            "json" => Self::Json,
            other => {
                return Err(format!("`{other}` is no property type; use bool, int, float, string, time, list or json"));
            }
        })
    }
}

/// One kind.
#[derive(Clone, Debug)]
pub struct KindSchema {
    /// The id, `aws.s3.bucket`.
    pub id: Arc<str>,
    /// The kind label, then the class labels.
    pub labels: Vec<Arc<str>>,
    /// Properties in order of declaration, without the built-in ones.
    pub properties: Vec<(Arc<str>, PropertyType)>,
}

/// One relation type.
#[derive(Clone, Debug)]
pub struct RelationSchema {
    /// The type, `ATTACHED_TO`.
    pub name: Arc<str>,
    /// Kind ids (or labels) at either end; none means anything.
    pub ends: Vec<(Arc<str>, Arc<str>)>,
    /// Properties; none declared means any.
    pub properties: Vec<(Arc<str>, PropertyType)>,
}

/// See the module's documentation.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    open: bool,
    pub(crate) kinds: Vec<KindSchema>,
    pub(crate) relations: Vec<RelationSchema>,
    kind_index: HashMap<Arc<str>, usize>,
    relation_index: HashMap<Arc<str>, usize>,
    /// Label (and kind id) → kinds that carry it.
    labels: HashMap<Arc<str>, Vec<usize>>,
}

impl Schema {
    /// A schema that allows any name.
    pub fn open() -> Self {
        Self { open: true, ..Self::default() }
    }

    /// A schema that allows only what is added to it.
    pub fn closed() -> Self {
        Self::default()
    }

    /// Whether any name goes.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Adds a kind with its class labels and properties; a second time, adds to it.
    pub fn add_kind<C, P, N>(&mut self, id: &str, classes: C, properties: P)
    where
        C: IntoIterator,
        C::Item: AsRef<str>,
        P: IntoIterator<Item = (N, PropertyType)>,
        N: AsRef<str>,
    {
        let index = match self.kind_index.get(id) {
            Some(index) => *index,
            None => {
                let id: Arc<str> = id.into();
                self.kinds.push(KindSchema { id: id.clone(), labels: Vec::new(), properties: Vec::new() });
                self.kind_index.insert(id.clone(), self.kinds.len() - 1);
                self.label(self.kinds.len() - 1, label_of_kind(&id).into());
                self.kinds.len() - 1
            }
        };
        for class in classes {
            self.label(index, class.as_ref().into());
        }
        if let Some(kind) = self.kinds.get_mut(index) {
            for (name, of) in properties {
                let name = name.as_ref();
                if !kind.properties.iter().any(|(known, _)| &**known == name) {
                    kind.properties.push((name.into(), of));
                }
            }
        }
    }

    fn label(&mut self, kind: usize, label: Arc<str>) {
        let carriers = self.labels.entry(label.clone()).or_default();
        if !carriers.contains(&kind) {
            carriers.push(kind);
            if let Some(kind) = self.kinds.get_mut(kind) {
                kind.labels.push(label);
            }
        }
    }

    /// Adds a relation type between two kinds (ids or labels); repeated calls add further ends.
    pub fn add_relation(&mut self, name: &str, from: &str, to: &str) {
        let ends = (Arc::from(from), Arc::from(to));
        let relation = self.relation_entry(name);
        if !relation.ends.contains(&ends) {
            relation.ends.push(ends);
        }
    }

    /// Declares a property of a relation type.
    pub fn add_relation_property(&mut self, name: &str, property: &str, of: PropertyType) {
        let relation = self.relation_entry(name);
        if !relation.properties.iter().any(|(known, _)| &**known == property) {
            relation.properties.push((property.into(), of));
        }
    }

    fn relation_entry(&mut self, name: &str) -> &mut RelationSchema {
        let index = match self.relation_index.get(name) {
            Some(index) => *index,
            None => {
                self.relation_index.insert(name.into(), self.relations.len());
                self.relations.push(RelationSchema { name: name.into(), ends: Vec::new(), properties: Vec::new() });
                self.relations.len() - 1
            }
        };
        &mut self.relations[index]
    }

    /// The kinds.
    pub fn kinds(&self) -> impl Iterator<Item = &KindSchema> {
        self.kinds.iter()
    }

    /// The relation types.
    pub fn relations(&self) -> impl Iterator<Item = &RelationSchema> {
        self.relations.iter()
    }

    /// The kind with this id.
    pub fn kind(&self, id: &str) -> Option<&KindSchema> {
        self.kind_index.get(id).and_then(|index| self.kinds.get(*index))
    }

    /// The relation type of this name.
    pub fn relation(&self, name: &str) -> Option<&RelationSchema> {
        self.relation_index.get(name).and_then(|index| self.relations.get(*index))
    }

    /// Indexes of the kinds that carry a label, or of the one kind with this id.
    pub(crate) fn kinds_named(&self, name: &str) -> Option<Vec<usize>> {
        self.labels.get(name).cloned().or_else(|| self.kind_index.get(name).map(|index| vec![*index]))
    }

    /// Whether the label exists.
    pub fn has_label(&self, name: &str) -> bool {
        self.labels.contains_key(name)
    }

    /// Every label.
    pub fn label_names(&self) -> impl Iterator<Item = &str> {
        self.labels.keys().map(|name| &**name)
    }
}

/// The candidate most like `name`, when it is like it at all.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (strsim::jaro_winkler(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|left, right| left.0.total_cmp(&right.0).then_with(|| right.1.cmp(left.1)))
        .map(|(_, candidate)| candidate)
}
