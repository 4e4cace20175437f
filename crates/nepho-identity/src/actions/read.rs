//! The table of actions read from its text, fields parted by tabs and lists by commas:
//!
//! ```text
//! key      NAME   TYPE
//! service  NAME   TITLE
//! type     NAME   TEMPLATE  KEYS
//! NAME     ACCESS TYPES     KEYS  DEPENDENT-ACTIONS
//! ```
//!
//! Types and actions belong to the service above them. A required type has a `*` behind its name, as in the reference.
//!
//! INVARIANT: actions are in the order of their names in lower case.

use hashbrown::HashMap;

use super::{Access, ActionRow, Catalogue, KeyType, ServiceRow, TypeRow, around_placeholder, order};

#[derive(Default)]
struct Reader {
    catalogue: Catalogue,
    /// Places of lists by their texts.
    names: HashMap<&'static str, u32>,
    /// The same of lists of resource types of the service that is being read.
    targets: HashMap<&'static str, u32>,
    /// Its resource types.
    types: HashMap<&'static str, u32>,
}

/// The catalogue in a table and the keys that all services share; of a key listed twice the first counts. Fails with the first
/// line that isn't understood.
pub(super) fn catalogue(table: &'static str, global_keys: &'static str) -> Result<Catalogue, String> {
    let mut reader = Reader::default();
    for line in global_keys.lines().chain(table.lines()).filter(|line| !line.starts_with('#')) {
        reader.line(line).ok_or_else(|| format!("`{line}` is not understood"))?;
    }
    let mut catalogue = reader.catalogue;
    catalogue.services.sort_by(|left, right| order(left.name, right.name));
    catalogue.keys.sort_by(|(left, _), (right, _)| order(left, right));
    catalogue.keys.dedup_by(|(later, _), (earlier, _)| later.eq_ignore_ascii_case(earlier));
    catalogue.key_templates =
        catalogue.keys.iter().filter(|(key, _)| around_placeholder(key).is_some()).copied().collect();
    Ok(catalogue)
}

impl Reader {
    fn line(&mut self, line: &'static str) -> Option<()> {
        let mut fields = line.split('\t');
        let first = fields.next()?;
        let mut next = || fields.next().unwrap_or_default();
        match first {
            "key" => self.catalogue.keys.push((next(), key_type(next())?)),
            "service" => {
                let actions = u32::try_from(self.catalogue.actions.len()).ok()?;
                let types = u32::try_from(self.catalogue.types.len()).ok()?;
                self.targets.clear();
                self.types.clear();
                self.catalogue.services.push(ServiceRow {
                    name: next(),
                    title: next(),
                    actions: actions..actions,
                    types: types..types,
                });
            }
            "type" => {
                let row = TypeRow { name: next(), template: next(), keys: self.names(next())? };
                let service = self.catalogue.services.last_mut()?;
                self.types.insert(row.name, service.types.end);
                service.types.end += 1;
                self.catalogue.types.push(row);
            }
            name => {
                let row = ActionRow {
                    name,
                    access: access(next())?,
                    targets: self.targets(next())?,
                    keys: self.names(next())?,
                    dependents: self.names(next())?,
                };
                self.catalogue.services.last_mut()?.actions.end += 1;
                self.catalogue.actions.push(row);
            }
        }
        Some(())
    }

    fn names(&mut self, text: &'static str) -> Option<u32> {
        if let Some(at) = self.names.get(text) {
            return Some(*at);
        }
        let at = u32::try_from(self.catalogue.names.len()).ok()?;
        self.catalogue.names.push(parts(text).collect());
        self.names.insert(text, at);
        Some(at)
    }

    fn targets(&mut self, text: &'static str) -> Option<u32> {
        if let Some(at) = self.targets.get(text) {
            return Some(*at);
        }
        let at = u32::try_from(self.catalogue.targets.len()).ok()?;
        let of_name = |name: &'static str| {
            let required = name.strip_suffix('*');
            Some((*self.types.get(required.unwrap_or(name))?, required.is_some()))
        };
        self.catalogue.targets.push(parts(text).map(of_name).collect::<Option<_>>()?);
        self.targets.insert(text, at);
        Some(at)
    }
}

fn parts(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.split(',').filter(|part| !part.is_empty())
}

fn access(text: &str) -> Option<Access> {
    Some(match text {
        "List" => Access::List,
        "Read" => Access::Read,
        "Write" => Access::Write,
        "Tagging" => Access::Tagging,
        "Permissions" => Access::PermissionsManagement,
        _ => return None,
    })
}

fn key_type(text: &str) -> Option<KeyType> {
    Some(match text {
        "String" => KeyType::String,
        "ArrayOfString" => KeyType::ArrayOfString,
        "Bool" => KeyType::Bool,
        "ArrayOfBool" => KeyType::ArrayOfBool,
        "Numeric" => KeyType::Numeric,
        "Date" => KeyType::Date,
        "ARN" => KeyType::Arn,
        "ArrayOfARN" => KeyType::ArrayOfArn,
        "IPAddress" => KeyType::IpAddress,
        "Binary" => KeyType::Binary,
        _ => return None,
    })
}
