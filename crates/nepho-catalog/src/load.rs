//! Reads catalogue files, embedded or a user's, and holds them together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::case::{KindCases, RuleCases};
use crate::place::{Place, YamlError, read_yaml};
use crate::{Access, Escalation, Framework, Kind, Rule};

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// What a catalogue file holds, by its folder and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// `kinds/**/<resource>.yaml`
    Kind,
    /// `kinds/**/<resource>.cases.yaml`
    KindCases,
    /// `rules/**/<defect>.yaml`
    Rule,
    /// `rules/**/<defect>.cases.yaml`
    RuleCases,
    /// `frameworks/<id>.yaml`
    Framework,
    /// `escalations/<provider>/<method>.yaml`
    Escalation,
    /// `access/<provider>/<service>.yaml`
    Access,
}

/// One catalogue file.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// What it holds.
    pub kind: SourceKind,
    /// The id that follows from its path.
    pub id: String,
    /// Its path as shown to people.
    pub path: String,
    /// Its text.
    pub text: Arc<str>,
}

/// Something is wrong with a catalogue file.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// A user's folder or file could not be read.
    #[error("cannot read `{path}`: {source}")]
    Read {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not in its format.
    #[error("{place}: not a valid {what} file: {message}", place = source.place, message = source.message)]
    Format {
        /// `kind`, `rule`, `framework`, `cases`.
        what: &'static str,
        /// What and where.
        source: YamlError,
    },
    /// The id in the file is not the one its path says.
    #[error("{place}: the file says id `{found}`, its path says `{expected}`: rename one of them")]
    Id {
        /// Where.
        place: Box<Place>,
        /// In the file.
        found: String,
        /// By the path.
        expected: String,
    },
    /// A file names something that does not exist.
    #[error("{place}: the {what} `{name}` does not exist{}", help.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    Unresolved {
        /// Where.
        place: Box<Place>,
        /// What is missing.
        what: &'static str,
        /// Its name.
        name: String,
        /// The nearest right name.
        help: Option<String>,
    },
    /// A user's folder in which there is nothing to read.
    #[error(
        "no file in `{path}` is a kind, a rule or a framework: they stand in `kinds/`, `rules/`, `frameworks/`, `escalations/` and `access/` there and end in `.yaml`"
    )]
    Nothing {
        /// The folder.
        path: String,
    },
}

impl CatalogError {
    /// What is wrong, where it is, and what to do, each for itself; `None` where it is wrong nowhere in a file.
    pub fn at(&self) -> Option<(String, &Place, Option<String>)> {
        match self {
            Self::Read { .. } | Self::Nothing { .. } => None,
            Self::Format { what, source } => {
                Some((format!("not a valid {what} file: {}", source.message), &source.place, None))
            }
            Self::Id { place, found, expected } => Some((
                format!("the file says id `{found}`, its path says `{expected}`"),
                place,
                Some("rename one of them".to_owned()),
            )),
            Self::Unresolved { place, what, name, help } => Some((
                format!("the {what} `{name}` does not exist"),
                place,
                help.as_ref().map(|near| format!("did you mean `{near}`?")),
            )),
        }
    }
}

/// The nearest of `names` to `wrong`, when one is near enough to suggest.
pub fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let wrong_lower = wrong.to_lowercase();
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&wrong_lower, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= (name.len().max(wrong.len()) / 3).max(1))
        .min()
        .map(|(_, name)| name.to_owned())
}

/// Kinds, rules and frameworks, by id.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Kinds.
    pub kinds: BTreeMap<Arc<str>, Arc<Kind>>,
    /// Rules, without deprecated ones.
    pub rules: BTreeMap<Arc<str>, Arc<Rule>>,
    /// Frameworks.
    pub frameworks: BTreeMap<Arc<str>, Arc<Framework>>,
    /// Ways to gain more permissions.
    pub escalations: BTreeMap<Arc<str>, Arc<Escalation>>,
    /// What access means, by kind.
    pub access: BTreeMap<Arc<str>, Arc<Access>>,
    /// What is odd about a user's folder, one sentence each.
    pub warnings: Vec<String>,
    /// Where each file stands, for messages about it: (what, id) → path.
    sources: BTreeMap<(&'static str, String), (String, Arc<str>)>,
}

fn classify(path: &str) -> Option<(SourceKind, String)> {
    let stem = path.strip_suffix(".yaml")?;
    let (stem, cases) = match stem.strip_suffix(".cases") {
        Some(stem) => (stem, true),
        None => (stem, false),
    };
    let (folder, rest) = stem.split_once('/')?;
    let id = rest.replace('/', ".");
    match (folder, cases) {
        ("kinds", false) => Some((SourceKind::Kind, id)),
        ("kinds", true) => Some((SourceKind::KindCases, id)),
        ("rules", false) => Some((SourceKind::Rule, id)),
        ("rules", true) => Some((SourceKind::RuleCases, id)),
        ("frameworks", false) => Some((SourceKind::Framework, rest.to_owned())),
        ("escalations", false) => Some((SourceKind::Escalation, id)),
        ("access", false) => Some((SourceKind::Access, id)),
        _ => None,
    }
}

fn parse<T: DeserializeOwned>(file: &SourceFile, what: &'static str) -> Result<T, CatalogError> {
    read_yaml(&file.path, &file.text).map_err(|source| CatalogError::Format { what, source })
}

/// Why a file is passed over that looks as if it were meant to be read.
fn stray(relative: &str) -> Option<&'static str> {
    let hidden = relative.split('/').any(|part| part.starts_with('.'));
    match relative {
        _ if hidden => None,
        _ if relative.ends_with(".yml") => Some("it ends in `.yml`; rename it to `.yaml`"),
        _ if relative.ends_with(".yaml") => {
            Some("it is not in `kinds/`, `rules/`, `frameworks/`, `escalations/` or `access/`")
        }
        _ => None,
    }
}

impl SourceFile {
    /// The files that are part of the binary.
    pub fn embedded() -> impl Iterator<Item = SourceFile> {
        EMBEDDED.iter().filter_map(|(path, text)| {
            let (kind, id) = classify(path)?;
            Some(SourceFile { kind, id, path: format!("catalog/{path}"), text: Arc::from(*text) })
        })
    }

    /// The files of a user's folder, laid out like `catalog/`. Other files are passed over.
    pub fn folder(root: &Path) -> Result<Vec<SourceFile>, CatalogError> {
        Ok(Self::folder_and_strays(root)?.0)
    }

    /// The same, and a sentence for each file that was passed over though it looks as if it were meant to be read.
    fn folder_and_strays(root: &Path) -> Result<(Vec<SourceFile>, Vec<String>), CatalogError> {
        let read = |path: &Path, source| CatalogError::Read { path: path.display().to_string(), source };
        let (mut files, mut strays) = (Vec::new(), Vec::new());
        let mut folders: Vec<PathBuf> = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).map_err(|error| read(&folder, error))? {
                let path = entry.map_err(|error| read(&folder, error))?.path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let relative = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                if let Some((kind, id)) = classify(&relative) {
                    let text = std::fs::read_to_string(&path).map_err(|error| read(&path, error))?;
                    files.push(SourceFile { kind, id, path: path.display().to_string(), text: text.into() });
                } else if let Some(why) = stray(&relative) {
                    strays.push(format!("`{}` is passed over: {why}", path.display()));
                }
            }
        }
        if files.is_empty() {
            return Err(CatalogError::Nothing { path: root.display().to_string() });
        }
        files.sort_by(|left, right| left.path.cmp(&right.path));
        strays.sort();
        Ok((files, strays))
    }

    /// Reads it as a rule's cases.
    pub fn rule_cases(&self) -> Result<RuleCases, CatalogError> {
        parse(self, "cases")
    }

    /// Reads it as a kind's cases.
    pub fn kind_cases(&self) -> Result<KindCases, CatalogError> {
        parse(self, "cases")
    }
}

impl Catalog {
    /// The catalogue in the binary.
    pub fn embedded() -> Result<Self, CatalogError> {
        Self::load(SourceFile::embedded())
    }

    /// The catalogue in the binary with a user's folder over it: a file with the same id takes the place of ours.
    pub fn with_folder(root: &Path) -> Result<Self, CatalogError> {
        let (own, strays) = SourceFile::folder_and_strays(root)?;
        let mut catalog = Self::load(SourceFile::embedded().chain(own))?;
        catalog.warnings = strays;
        Ok(catalog)
    }

    /// A catalogue of the given files; later ones take the place of earlier ones with the same id.
    pub fn load(files: impl IntoIterator<Item = SourceFile>) -> Result<Self, CatalogError> {
        let mut catalog = Self::default();
        for file in files {
            let (what, found): (&'static str, Arc<str>) = match file.kind {
                SourceKind::Kind => {
                    let kind: Kind = parse(&file, "kind")?;
                    let id = kind.id.clone();
                    catalog.kinds.insert(id.clone(), Arc::new(kind));
                    ("kind", id)
                }
                SourceKind::Rule => {
                    let rule: Rule = parse(&file, "rule")?;
                    let id = rule.id.clone();
                    if rule.deprecated.is_none() {
                        catalog.rules.insert(id.clone(), Arc::new(rule));
                    }
                    ("rule", id)
                }
                SourceKind::Framework => {
                    let framework: Framework = parse(&file, "framework")?;
                    let id = framework.id.clone();
                    catalog.frameworks.insert(id.clone(), Arc::new(framework));
                    ("framework", id)
                }
                SourceKind::Escalation => {
                    let escalation: Escalation = parse(&file, "escalation")?;
                    // The file is named `<service>-<method>`, the id `<provider>.<service>.<method>`.
                    let id = escalation.id.clone();
                    if id.replace('.', "-") != file.id.replace('.', "-") {
                        let place = Box::new(Place::of_word(&file.path, &file.text, &id));
                        return Err(CatalogError::Id { place, found: id.to_string(), expected: file.id });
                    }
                    catalog.escalations.insert(id.clone(), Arc::new(escalation));
                    catalog.sources.insert(("escalation", id.to_string()), (file.path, file.text));
                    continue;
                }
                SourceKind::Access => {
                    let all: Vec<Access> = parse(&file, "access")?;
                    for access in all {
                        catalog
                            .sources
                            .insert(("access", access.kind.to_string()), (file.path.clone(), file.text.clone()));
                        catalog.access.insert(access.kind.clone(), Arc::new(access));
                    }
                    continue;
                }
                SourceKind::KindCases | SourceKind::RuleCases => continue,
            };
            if found.as_ref() != file.id {
                let place = Box::new(Place::of_word(&file.path, &file.text, &found));
                return Err(CatalogError::Id { place, found: found.to_string(), expected: file.id });
            }
            catalog.sources.insert((what, found.to_string()), (file.path, file.text));
        }
        catalog.check_names()?;
        Ok(catalog)
    }

    /// Path and text of the file that defines a `kind`, `rule` or `framework`, for messages about it.
    pub fn source(&self, what: &'static str, id: &str) -> Option<(&str, &str)> {
        self.sources.get(&(what, id.to_owned())).map(|(path, text)| (path.as_str(), text.as_ref()))
    }

    /// All class labels that kinds carry.
    pub fn classes(&self) -> std::collections::BTreeSet<Arc<str>> {
        self.kinds.values().flat_map(|kind| kind.classes.iter().cloned()).collect()
    }

    /// Kinds that carry the class label, or the one kind with the id.
    pub fn kinds_of<'a>(&'a self, kind_or_class: &'a str) -> impl Iterator<Item = &'a Arc<Kind>> {
        self.kinds.values().filter(move |kind| {
            kind.id.as_ref() == kind_or_class || kind.classes.iter().any(|class| class.as_ref() == kind_or_class)
        })
    }

    fn unresolved<'a>(
        &self,
        file: (&'static str, &str),
        what: &'static str,
        name: &str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> CatalogError {
        let unknown = || (file.1.to_owned(), Arc::from(""));
        let (path, text) = self.sources.get(&(file.0, file.1.to_owned())).cloned().unwrap_or_else(unknown);
        let place = Box::new(Place::of_word(&path, &text, name));
        CatalogError::Unresolved { place, what, name: name.to_owned(), help: nearest(name, names) }
    }

    /// Every name that a file uses must exist: parent kinds, kinds of relations, `get` calls, kinds of rules, frameworks.
    fn check_names(&self) -> Result<(), CatalogError> {
        let kind_ids = || self.kinds.keys().map(AsRef::as_ref);
        for kind in self.kinds.values() {
            let at = ("kind", kind.id.as_ref());
            for list in kind.list.as_slice() {
                if let Some(parent) = &list.for_each
                    && !self.kinds.contains_key(parent)
                {
                    return Err(self.unresolved(at, "kind", parent, kind_ids()));
                }
            }
            let gets = kind
                .properties
                .values()
                .flat_map(|property| property.get.as_slice())
                .chain(kind.relations.values().flat_map(|all| all.as_slice().iter().flat_map(|one| one.get.as_slice())))
                .chain(match &kind.tags {
                    Some(crate::kind::Tags::Call { get, .. }) => Some(get),
                    _ => None,
                });
            for get in gets {
                if !kind.get.contains_key(get) {
                    return Err(self.unresolved(at, "get call", get, kind.get.keys().map(AsRef::as_ref)));
                }
            }
            for relation in kind.relations.values().flat_map(|all| all.as_slice()) {
                for end in relation.to.as_slice().iter().chain(relation.from.as_slice()) {
                    if !self.kinds.contains_key(end) && !self.classes().contains(end) {
                        return Err(self.unresolved(at, "kind", end, kind_ids()));
                    }
                }
            }
        }
        for access in self.access.values() {
            if !self.kinds.contains_key(&access.kind) {
                return Err(self.unresolved(("access", &access.kind), "kind", &access.kind, kind_ids()));
            }
        }
        for escalation in self.escalations.values() {
            let at = ("escalation", escalation.id.as_ref());
            let names = || escalation.needs.keys().map(AsRef::as_ref);
            if escalation.becomes.as_ref() != "administrator" && !escalation.needs.contains_key(&escalation.becomes) {
                return Err(self.unresolved(at, "name", &escalation.becomes, names()));
            }
            for need in escalation.needs.values() {
                let own = ["role", "user", "group", "policy"].contains(&need.kind.as_ref());
                if !own && !self.kinds.contains_key(&need.kind) {
                    return Err(self.unresolved(at, "kind", &need.kind, kind_ids()));
                }
                let named = [&need.attached_to, &need.runs_as].into_iter().flatten();
                for name in named.filter(|name| name.as_ref() != "self") {
                    if !escalation.needs.contains_key(name) {
                        return Err(self.unresolved(at, "name", name, names()));
                    }
                }
            }
            for permission in escalation.steps.iter().flat_map(|step| step.alternatives()).flatten() {
                if let Some(on) = &permission.on
                    && !on.contains([':', '*'])
                    && !escalation.needs.contains_key(on)
                {
                    return Err(self.unresolved(at, "name", on, names()));
                }
            }
        }
        let classes = self.classes();
        for rule in self.rules.values() {
            if !self.kinds.contains_key(&rule.on) && !classes.contains(&rule.on) {
                let names = kind_ids().chain(classes.iter().map(AsRef::as_ref));
                return Err(self.unresolved(("rule", &rule.id), "kind or class", &rule.on, names));
            }
            for control in &rule.controls {
                let Some(framework) = self.frameworks.get(&control.framework) else {
                    let names = self.frameworks.keys().map(AsRef::as_ref);
                    return Err(self.unresolved(("rule", &rule.id), "framework", &control.framework, names));
                };
                if !framework.requirements.iter().any(|requirement| requirement.id == control.requirement) {
                    let names = framework.requirements.iter().map(|requirement| requirement.id.as_ref());
                    return Err(self.unresolved(("rule", &rule.id), "requirement", &control.to_string(), names));
                }
            }
        }
        Ok(())
    }
}
