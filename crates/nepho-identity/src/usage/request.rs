//! What one record says that a principal did: the actions, and on what.

use std::cell::LazyCell;
use std::rc::Rc;

use hashbrown::HashMap;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use super::names::{self, LONGEST_ARN, Names, Place, Rule};
use super::record::{self, Record, Text};
use super::{Circumstances, Logged, Used};
use crate::actions::{Action, Catalogue};
use crate::pattern::{Pattern, escaped};

/// What is asked of the catalogue for each record of an action.
#[derive(Debug)]
pub(super) struct OfAction {
    pub name: Box<str>,
    pub prefix: Box<str>,
    pub logged: Logged,
    /// Patterns of its resource types with their templates and whether they are required.
    types: Vec<(Pattern, Box<str>, bool)>,
    /// Patterns of all types of the service.
    all: Vec<Pattern>,
}

impl OfAction {
    fn of(action: Action<'_>, catalogue: &Catalogue) -> Self {
        let prefix = action.name().split(':').next().unwrap_or_default();
        let types = action.resource_types().map(|(of, required)| (of.pattern(), of.template().into(), required));
        let service = catalogue.service(prefix);
        let all = service.map(|service| service.resource_types().map(|of| of.pattern()).collect());
        Self {
            name: action.name().into(),
            prefix: prefix.into(),
            logged: Names::embedded().logged(action.name()),
            types: types.collect(),
            all: all.unwrap_or_default(),
        }
    }

    /// The templates of required types of which there is no resource.
    fn lacks<'a>(&'a self, found: &'a [Pattern]) -> impl Iterator<Item = &'a str> {
        let required = self.types.iter().filter(|(.., required)| *required);
        required.filter(|(of, ..)| !found.iter().any(|arn| of.covers(arn))).map(|(_, template, _)| &**template)
    }

    /// The resources among `candidates`. One that is of several types of the service is taken as of the longest: a
    /// bucket's pattern stands for the ARNs of objects too.
    fn fitting(&self, candidates: &[Pattern]) -> Vec<Pattern> {
        let longest = |types: &mut dyn Iterator<Item = &Pattern>, arn: &Pattern| {
            types.filter(|of| of.covers(arn)).map(|of| of.text().len()).max()
        };
        let own = |arn: &Pattern| longest(&mut self.types.iter().map(|(of, ..)| of), arn);
        let best = |arn: &&Pattern| own(arn).is_some() && own(arn) >= longest(&mut self.all.iter(), arn);
        let found: Vec<Pattern> = candidates.iter().filter(best).cloned().collect();
        if found.is_empty() { candidates.iter().filter(|arn| own(arn).is_some()).cloned().collect() } else { found }
    }
}

/// What was asked of the catalogue, by the action's name.
#[derive(Debug)]
pub(super) struct Actions<'c> {
    catalogue: &'c Catalogue,
    known: HashMap<Box<str>, Rc<OfAction>>,
}

impl<'c> Actions<'c> {
    pub fn new(catalogue: &'c Catalogue) -> Self {
        Self { catalogue, known: HashMap::new() }
    }

    pub fn get(&mut self, name: &str) -> Option<Rc<OfAction>> {
        if let Some(action) = self.known.get(name) {
            return Some(Rc::clone(action));
        }
        let action = Rc::new(OfAction::of(self.catalogue.action(name)?, self.catalogue));
        self.known.insert(name.into(), Rc::clone(&action));
        Some(action)
    }
}

pub(super) fn region<'r>(record: &'r Record<'_>) -> &'r str {
    record.aws_region.as_ref().and_then(Text::filled).unwrap_or_default()
}

/// A request that a record tells of.
pub(super) struct Request<'r> {
    pub record: &'r Record<'r>,
    pub source: &'r str,
    pub name: &'r str,
    pub account: &'r str,
    pub denied: bool,
}

impl Request<'_> {
    /// Adds it to what its principal did. `passes` says whether it can hand a role to the service.
    pub fn count(&self, rules: &[(Rule, Rc<OfAction>)], passes: bool, used: &mut Used, actions: &mut Actions<'_>) {
        let named: Vec<Pattern> = self
            .record
            .resources
            .iter()
            .flatten()
            .filter_map(|of| of.arn.as_ref()?.filled())
            .filter(|arn| arn.starts_with("arn:") && arn.len() <= LONGEST_ARN)
            .map(Pattern::literal)
            .collect();
        let parameters = LazyCell::new(|| {
            let raw = self.record.request_parameters.map(RawValue::get);
            raw.and_then(|raw| serde_json::from_str::<Json>(raw).ok()).unwrap_or_default()
        });
        let region = region(self.record);
        let place = Place { partition: partition(region), region, account: self.account };
        for (rule, action) in rules {
            let has = |path: &Option<String>| path.as_ref().map(|path| !names::values(&parameters, path).is_empty());
            if has(&rule.when) == Some(false) || has(&rule.unless) == Some(true) {
                continue;
            }
            if action.types.is_empty() {
                used.add(&action.name, "*", self.denied);
                continue;
            }
            let mut found = match &rule.on {
                Some(template) => names::fill(template, &parameters, place),
                None if rule.unnamed => Vec::new(),
                None => {
                    let mut found = action.fitting(&named);
                    if found.is_empty() || action.lacks(&found).next().is_some() {
                        let templates = Names::embedded().templates(&action.prefix);
                        let made = templates.iter().flat_map(|of| names::fill(of, &parameters, place));
                        found.extend(action.fitting(&made.collect::<Vec<_>>()));
                    }
                    found
                }
            };
            if found.is_empty() {
                used.add(&action.name, "", self.denied);
                continue;
            }
            found.extend(rule.also.iter().flat_map(|of| names::fill(of, &parameters, place)));
            // What a request needs but does not name, as the instance that is to be made: any of its type.
            let lacking: Vec<Pattern> = action.lacks(&found).map(|template| any_of(template, place)).collect();
            found.extend(lacking);
            found.sort();
            found.dedup();
            for arn in &found {
                used.add(&action.name, arn.text(), self.denied);
            }
        }
        if passes && let Some(raw) = self.record.request_parameters {
            self.count_passed(raw.get(), &parameters, used, actions);
        }
    }

    /// Roles that the request hands to the service: `iam:PassRole` has no record of its own.
    fn count_passed(&self, raw: &str, parameters: &Json, used: &mut Used, actions: &mut Actions<'_>) {
        if self.record.read_only.is_some_and(record::Flag::holds) {
            return;
        }
        let Some(pass) = actions.get("iam:PassRole") else { return };
        if raw.contains(":role/") || raw.contains(":role\\/") {
            let mut roles = Vec::new();
            texts(parameters, &mut |text| {
                let is_role = text.len() <= LONGEST_ARN && pass.types.iter().any(|(of, ..)| of.matches(text));
                if is_role && !text.contains(char::is_whitespace) {
                    roles.push(escaped(text));
                }
            });
            roles.sort();
            roles.dedup();
            roles.iter().for_each(|role| used.add(&pass.name, role, self.denied));
        }
        if Names::embedded().passes(self.source, self.name, parameters) {
            used.add(&pass.name, "", self.denied);
        }
    }
}

fn texts(value: &Json, each: &mut impl FnMut(&str)) {
    match value {
        Json::String(text) => each(text),
        Json::Array(items) => items.iter().for_each(|item| texts(item, each)),
        Json::Object(fields) => fields.values().for_each(|value| texts(value, each)),
        _ => {}
    }
}

/// Any resource of a type in a place.
fn any_of(template: &str, place: Place<'_>) -> Pattern {
    let text = template
        .replace("${Partition}", place.partition)
        .replace("${Region}", place.region)
        .replace("${Account}", place.account);
    let mut open = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("${") {
        open.push_str(before);
        open.push('*');
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    open.push_str(rest);
    Pattern::new(&open)
}

fn partition(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        region if region.starts_with("us-iso-") => "aws-iso",
        region if region.starts_with("us-isob-") => "aws-iso-b",
        _ => "aws",
    }
}

impl Circumstances {
    pub(super) fn add(&mut self, record: &Record<'_>, identity: &record::Identity<'_>) {
        self.requests += 1;
        let text = |text: &Option<Text<'_>>| text.as_ref().and_then(|text| text.filled().map(str::to_owned));
        // A request that a service makes for the principal has the service's name there.
        let address = text(&record.source_address).filter(|of| of.parse::<std::net::IpAddr>().is_ok());
        match address.filter(|_| identity.invoked_by.as_ref().and_then(Text::filled).is_none()) {
            Some(address) => self.addresses.add(&address),
            None => self.without_address += 1,
        }
        match text(&record.vpc_endpoint_id) {
            Some(endpoint) => self.endpoints.add(&endpoint),
            None => self.without_endpoint += 1,
        }
        self.regions.add(region(record));
        let suite = |raw: &str| raw.contains("\"CipherSuite\"") || raw.contains("\"cipherSuite\"");
        let encrypted = record.tls_details.as_ref().is_some_and(|of| of.tls_version.is_some())
            || record.additional_event_data.is_some_and(|raw| suite(raw.get()));
        self.encrypted += u64::from(encrypted);
        self.with_mfa += u64::from(identity.has_mfa());
    }
}
