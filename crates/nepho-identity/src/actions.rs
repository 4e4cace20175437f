//! What AWS's services can be asked to do: access level, resource types and condition keys of every action, as the Service
//! Authorization Reference lists them.
//!
//! Knows what the reference says on the day that the table was made, nothing else: an action that isn't listed can be new, and
//! the reference itself has mistakes. The table is `data/actions.txt`, written by `cargo xtask gen`; the condition keys that
//! all services share are in `data/global_keys.txt`.

mod read;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

use crate::pattern::{Pattern, Shape};

/// The table, compressed.
static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/actions.txt.zst"));
static GLOBAL_KEYS: &str = include_str!("../data/global_keys.txt");

/// All names in the catalogue are pieces of it.
static TEXT: LazyLock<String> =
    LazyLock::new(|| zstd::decode_all(PACKED).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default());

// A test reads the table, so one that can't be read does not reach a user.
static EMBEDDED: LazyLock<Catalogue> = LazyLock::new(|| read::catalogue(&TEXT, GLOBAL_KEYS).unwrap_or_default());

/// Services, their actions, resource types and condition keys.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// In the order of their names.
    services: Vec<ServiceRow>,
    /// In the order of their names in lower case.
    actions: Vec<ActionRow>,
    types: Vec<TypeRow>,
    /// Lists of condition keys or actions, each held once however many have it.
    names: Vec<Box<[&'static str]>>,
    /// Lists of resource types with whether they are required, likewise.
    targets: Vec<Box<[(u32, bool)]>>,
    /// In the order of their names in lower case.
    keys: Vec<(&'static str, KeyType)>,
    /// The keys with a placeholder in their names.
    key_templates: Vec<(&'static str, KeyType)>,
}

#[derive(Debug)]
struct ServiceRow {
    name: &'static str,
    title: &'static str,
    actions: Range<u32>,
    types: Range<u32>,
}

#[derive(Debug)]
struct ActionRow {
    name: &'static str,
    targets: u32,
    keys: u32,
    dependents: u32,
    access: Access,
}

#[derive(Debug)]
struct TypeRow {
    name: &'static str,
    template: &'static str,
    keys: u32,
}

/// How the reference classes an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Access {
    /// Sees that resources exist.
    List,
    /// Reads what is in them.
    Read,
    /// Makes, changes or deletes them.
    Write,
    /// Changes tags only.
    Tagging,
    /// Grants or changes permissions. Many actions by which permissions can be gained are not classed so: `iam:PassRole`
    /// and `iam:CreateAccessKey` are [`Access::Write`].
    PermissionsManagement,
}

/// What the values of a condition key are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the reference's own names")]
pub enum KeyType {
    String,
    ArrayOfString,
    Bool,
    ArrayOfBool,
    Numeric,
    Date,
    Arn,
    ArrayOfArn,
    IpAddress,
    Binary,
}

/// A service of the catalogue.
#[derive(Clone, Copy)]
pub struct Service<'c> {
    catalogue: &'c Catalogue,
    row: &'c ServiceRow,
}

/// An action of the catalogue.
#[derive(Clone, Copy)]
pub struct Action<'c> {
    catalogue: &'c Catalogue,
    row: &'c ActionRow,
}

/// A resource type of the catalogue.
#[derive(Clone, Copy)]
pub struct ResourceType<'c> {
    catalogue: &'c Catalogue,
    row: &'c TypeRow,
}

impl Catalogue {
    /// The catalogue that this crate carries; read when first asked for.
    pub fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// An action by its name, `s3:GetObject`, in any case.
    pub fn action(&self, name: &str) -> Option<Action<'_>> {
        let at = self.actions.binary_search_by(|row| order(row.name, name)).ok()?;
        self.actions.get(at).map(|row| Action { catalogue: self, row })
    }

    /// A service by what its actions begin with, `s3`, in any case.
    pub fn service(&self, name: &str) -> Option<Service<'_>> {
        let at = self.services.binary_search_by(|row| order(row.name, name)).ok()?;
        self.services.get(at).map(|row| Service { catalogue: self, row })
    }

    /// All services.
    pub fn services(&self) -> impl Iterator<Item = Service<'_>> {
        self.services.iter().map(|row| Service { catalogue: self, row })
    }

    /// The actions that a pattern in lower case stands for, in the order of their names.
    pub fn matching<'c>(&'c self, pattern: &Pattern) -> impl Iterator<Item = Action<'c>> {
        let beginning = pattern.prefix();
        let first = self.actions.partition_point(|row| order(row.name, beginning).is_lt());
        let run = self.actions.get(first..).unwrap_or_default();
        let run = run.get(..run.partition_point(|row| begins(row.name, beginning))).unwrap_or_default();
        let all = pattern.shape() == Shape::Prefix;
        let mut lower = String::new();
        let rows = run.iter().filter(move |row| {
            all || {
                lower.clear();
                lower.push_str(row.name);
                lower.make_ascii_lowercase();
                pattern.matches(&lower)
            }
        });
        rows.map(|row| Action { catalogue: self, row })
    }

    /// The type of a condition key, named in any case: one of a service, `s3:prefix`, or one that all share, `aws:SourceIp`;
    /// `aws:RequestTag/team` is one of `aws:RequestTag/${TagKey}`. `None` for others, among them what OpenID Connect
    /// providers of one's own say (`token.actions.githubusercontent.com:sub`).
    pub fn condition_key(&self, name: &str) -> Option<KeyType> {
        let listed = self.keys.binary_search_by(|(key, _)| order(key, name)).ok().and_then(|at| self.keys.get(at));
        let found = listed.or_else(|| self.key_templates.iter().find(|(key, _)| stands_for(key, name)));
        found.map(|(_, kind)| *kind)
    }

    fn names(&self, list: u32) -> &[&'static str] {
        self.names.get(list as usize).map_or(&[], |names| names)
    }
}

impl<'c> Service<'c> {
    /// What its actions begin with: `s3`.
    pub fn name(self) -> &'c str {
        self.row.name
    }

    /// What AWS calls it: `Amazon S3`.
    pub fn title(self) -> &'c str {
        self.row.title
    }

    /// Its actions, in the order of their names.
    pub fn actions(self) -> impl Iterator<Item = Action<'c>> {
        let Range { start, end } = self.row.actions;
        let rows = self.catalogue.actions.get(start as usize..end as usize).unwrap_or_default();
        rows.iter().map(move |row| Action { catalogue: self.catalogue, row })
    }

    /// Its resource types.
    pub fn resource_types(self) -> impl Iterator<Item = ResourceType<'c>> {
        let Range { start, end } = self.row.types;
        let rows = self.catalogue.types.get(start as usize..end as usize).unwrap_or_default();
        rows.iter().map(move |row| ResourceType { catalogue: self.catalogue, row })
    }
}

impl<'c> Action<'c> {
    /// As AWS writes it: `s3:GetObject`.
    pub fn name(self) -> &'c str {
        self.row.name
    }

    /// How the reference classes it.
    pub fn access(self) -> Access {
        self.row.access
    }

    /// What it can be asked on, each with whether a statement that limits the resources has to name one of it. Of those not
    /// required, one is enough.
    pub fn resource_types(self) -> impl Iterator<Item = (ResourceType<'c>, bool)> {
        let catalogue = self.catalogue;
        let targets: &'c [(u32, bool)] = catalogue.targets.get(self.row.targets as usize).map_or(&[], |list| list);
        targets
            .iter()
            .filter_map(move |(at, required)| Some((catalogue.types.get(*at as usize)?, *required)))
            .map(move |(row, required)| (ResourceType { catalogue, row }, required))
    }

    /// The condition keys that the reference lists with it, those with a placeholder as `aws:RequestTag/${TagKey}`. Those of
    /// its resource types and those that all services share come on top.
    pub fn condition_keys(self) -> impl Iterator<Item = &'c str> {
        self.catalogue.names(self.row.keys).iter().copied()
    }

    /// Whether the reference lists a condition key, named in any case, with it or with one of its resource types.
    pub fn has_condition_key(self, name: &str) -> bool {
        let of_types = self.resource_types().flat_map(|(of_type, _)| of_type.condition_keys());
        self.condition_keys().chain(of_types).any(|key| stands_for(key, name))
    }

    /// Actions that must be allowed too for it to succeed, as far as the reference says.
    pub fn dependent_actions(self) -> impl Iterator<Item = &'c str> {
        self.catalogue.names(self.row.dependents).iter().copied()
    }

    /// Whether the reference lists no resource type for it: then a statement has to name `*`.
    pub fn without_resource(self) -> bool {
        self.resource_types().next().is_none()
    }
}

impl<'c> ResourceType<'c> {
    /// As the reference calls it: `bucket`.
    pub fn name(self) -> &'c str {
        self.row.name
    }

    /// Its ARN with placeholders: `arn:${Partition}:s3:::${BucketName}`.
    pub fn template(self) -> &'c str {
        self.row.template
    }

    /// Its ARN with `*` for each placeholder. As in policies a `*` takes slashes and colons too, so a bucket's pattern stands
    /// for the ARNs of objects as well.
    pub fn pattern(self) -> Pattern {
        let mut text = String::with_capacity(self.row.template.len());
        let mut rest = self.row.template;
        while let Some((before, after)) = rest.split_once("${") {
            text.push_str(before);
            text.push('*');
            rest = after.split_once('}').map_or("", |(_, after)| after);
        }
        text.push_str(rest);
        Pattern::new(&text)
    }

    /// The condition keys that the reference lists with it.
    pub fn condition_keys(self) -> impl Iterator<Item = &'c str> {
        self.catalogue.names(self.row.keys).iter().copied()
    }
}

impl PartialEq for Action<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.row.name == other.row.name
    }
}

impl Eq for Action<'_> {}

impl fmt::Debug for Action<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row.name)
    }
}

impl fmt::Debug for Service<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row.name)
    }
}

impl fmt::Debug for ResourceType<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.row.name, self.row.template)
    }
}

/// The order of two names in lower case.
fn order(left: &str, right: &str) -> Ordering {
    let lower = |byte: u8| byte.to_ascii_lowercase();
    left.bytes().map(lower).cmp(right.bytes().map(lower))
}

fn begins(text: &str, beginning: &str) -> bool {
    text.as_bytes().get(..beginning.len()).is_some_and(|part| part.eq_ignore_ascii_case(beginning.as_bytes()))
}

fn ends(text: &str, end: &str) -> bool {
    let from = text.len().checked_sub(end.len());
    from.and_then(|from| text.as_bytes().get(from..)).is_some_and(|part| part.eq_ignore_ascii_case(end.as_bytes()))
}

/// The parts of a key's name before and behind its placeholder.
fn around_placeholder(key: &str) -> Option<(&str, &str)> {
    let (before, rest) = key.split_once("${")?;
    Some((before, rest.split_once('}')?.1))
}

/// Whether a key as the reference writes it stands for one as a policy or a request names it.
fn stands_for(key: &str, name: &str) -> bool {
    match around_placeholder(key) {
        Some((before, behind)) => {
            name.len() > before.len() + behind.len() && begins(name, before) && ends(name, behind)
        }
        None => key.eq_ignore_ascii_case(name),
    }
}
