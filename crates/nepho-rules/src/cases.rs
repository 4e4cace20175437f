//! Runs the cases beside a rule: builds the little estate that a case describes, judges it, compares.

use std::collections::BTreeSet;
use std::sync::Arc;

use nepho_catalog::case::{CaseVerdict, RuleCase, RuleCases};
use nepho_catalog::kind::{Kind, PropertyType, Scope};
use nepho_catalog::{Catalog, Rule};
use nepho_estate::{ACCOUNT_KIND, EstateBuilder, schema_of};
use nepho_model::{CoverageEntry, CoverageState, Direction, Link, Resource, Timestamp, UnknownFact, Value, Verdict};
use serde_json::{Map, Value as Json};

use crate::findings::judge;
use crate::ruleset::RuleSet;

const ACCOUNT: &str = "111122223333";
const REGION: &str = "us-east-1";

/// A case that did not come out as it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseFailure {
    /// The rule.
    pub rule: String,
    /// The case, or empty where the file itself is at fault.
    pub case: String,
    /// What is wrong.
    pub message: String,
}

/// Runs all cases of one rule; returns how many ran and those that failed. A file without a pass, a fail and an unknown
/// case fails as a whole.
pub fn run(catalog: &Arc<Catalog>, rule: &Arc<Rule>, cases: &RuleCases) -> (usize, Vec<CaseFailure>) {
    let mut failures = Vec::new();
    let fail = |case: &str, message: String| CaseFailure { rule: rule.id.to_string(), case: case.to_owned(), message };
    for (wanted, word) in [(CaseVerdict::Pass, "pass"), (CaseVerdict::Fail, "fail"), (CaseVerdict::Unknown, "unknown")]
    {
        if !cases.cases.iter().any(|case| case.verdict == wanted) {
            failures.push(fail("", format!("no case with verdict {word}; every rule needs one of each")));
        }
    }
    let mut names = BTreeSet::new();
    for case in &cases.cases {
        if !names.insert(&case.name) {
            failures.push(fail(&case.name, "two cases have this name".to_owned()));
        }
        if let Err(message) = run_case(catalog, rule, cases, case) {
            failures.push(fail(&case.name, message));
        }
    }
    (cases.cases.len(), failures)
}

fn run_case(catalog: &Arc<Catalog>, rule: &Arc<Rule>, cases: &RuleCases, case: &RuleCase) -> Result<(), String> {
    let clock = case.clock.as_deref().or(cases.clock.as_deref()).unwrap_or("2026-11-01T00:00:00Z");
    let clock = Timestamp::parse(clock).map_err(|error| error.to_string())?;
    let (builder, coverage, key) = estate_of(catalog, rule, case)?;
    let estate = builder.finish(coverage, clock);
    let mut only = Catalog::default();
    only.kinds.clone_from(&catalog.kinds);
    only.rules.insert(rule.id.clone(), rule.clone());
    let (rules, errors) = RuleSet::compile(&only, &schema_of(catalog));
    if let Some(error) = errors.first() {
        return Err(format!("{}: {}", error.field, error.message));
    }
    let judgement = judge(&estate, &rules, &[Verdict::Pass, Verdict::Fail, Verdict::Unknown]);
    let found = judgement
        .findings
        .iter()
        .find(|finding| crate::findings::key_of(&estate.graph, finding.node) == key)
        .map_or(CaseVerdict::NotApplicable, |finding| match finding.verdict {
            Verdict::Pass => CaseVerdict::Pass,
            Verdict::Fail => CaseVerdict::Fail,
            Verdict::Unknown => CaseVerdict::Unknown,
        });
    match found == case.verdict {
        true => Ok(()),
        false => Err(format!("expected {:?}, got {found:?}", case.verdict).to_lowercase()),
    }
}

/// The estate of a case and the key of its `r`.
fn estate_of(
    catalog: &Arc<Catalog>,
    rule: &Rule,
    case: &RuleCase,
) -> Result<(EstateBuilder, Vec<CoverageEntry>, String), String> {
    let on = match &case.kind {
        Some(kind) => kind.as_ref(),
        None if catalog.kinds.contains_key(&rule.on) => rule.on.as_ref(),
        None => return Err(format!("the rule is on the class {}; say `kind:`", rule.on)),
    };
    let account: Arc<str> = case.account.clone().unwrap_or_else(|| ACCOUNT.into());
    let judges_account = on == ACCOUNT_KIND;

    let mut resources: Vec<(String, Resource)> = Vec::new();
    let subject = resource(catalog, "r", on, &case.resource, &case.unknown, Some(&account), case.region.as_ref())?;
    resources.push(("r".to_owned(), subject));
    if !judges_account {
        let node = resource(catalog, "account", ACCOUNT_KIND, &case.account_properties, &[], Some(&account), None)?;
        resources.push(("account".to_owned(), node));
    } else if !case.account_properties.is_empty() {
        return Err("the rule judges the account: put its properties under `resource:`".to_owned());
    }
    for (name, further) in &case.with {
        let mut properties = further.properties.clone();
        if let Some(given) = &further.name {
            properties.insert("name".to_owned(), Json::from(given.as_str()));
        }
        let made = resource(
            catalog,
            name,
            &further.kind,
            &properties,
            &further.unknown,
            further.account.as_ref(),
            further.region.as_ref(),
        )?;
        resources.push((name.clone(), made));
    }
    for (from, relation, to) in &case.relations {
        let end = |name: &str| {
            let name = if judges_account && name == "account" { "r" } else { name };
            resources
                .iter()
                .position(|(given, _)| given == name)
                .ok_or_else(|| format!("relation names `{name}`, which is neither r, account nor under `with:`"))
        };
        let (from_at, to_at) = (end(from)?, end(to)?);
        let (target, kind) =
            resources.get(to_at).map(|(_, one)| (one.key.clone(), one.kind.clone())).unwrap_or_default();
        if let Some((_, one)) = resources.get_mut(from_at) {
            one.links.push(Link {
                relation: relation.as_str().into(),
                direction: Direction::Out,
                kinds: [kind].into(),
                target,
            });
        }
    }

    let mut coverage = Vec::new();
    for kind in &case.incomplete {
        if !catalog.kinds.contains_key(kind) {
            return Err(format!("`incomplete:` names the kind `{kind}`, which does not exist"));
        }
        coverage.push(CoverageEntry {
            account: account.clone(),
            region: case.region.clone().unwrap_or_else(|| REGION.into()),
            kind: kind.clone(),
            call: "case".into(),
            state: CoverageState::Denied,
            code: "AccessDenied".into(),
            message: "not authorised".into(),
            lists: true,
            items: 0,
        });
    }
    let key = resources.first().map(|(_, one)| one.key.to_string()).unwrap_or_default();
    let mut builder = EstateBuilder::new(catalog.clone()).all_listed();
    resources.into_iter().for_each(|(_, one)| builder.add(one));
    Ok((builder, coverage, key))
}

const BUILT_IN: [&str; 5] = ["key", "name", "tags", "account", "region"];

fn resource(
    catalog: &Catalog,
    name: &str,
    kind_id: &str,
    properties: &Map<String, Json>,
    unknown: &[Arc<str>],
    account: Option<&Arc<str>>,
    region: Option<&Arc<str>>,
) -> Result<Resource, String> {
    let kind = catalog.kinds.get(kind_id).ok_or_else(|| {
        let near = nepho_catalog::nearest(kind_id, catalog.kinds.keys().map(AsRef::as_ref));
        format!(
            "kind `{kind_id}` does not exist{}",
            near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
        )
    })?;
    for given in properties.keys() {
        if !kind.properties.contains_key(given.as_str()) && !BUILT_IN.contains(&given.as_str()) {
            let near = nepho_catalog::nearest(given, kind.properties.keys().map(AsRef::as_ref));
            return Err(format!(
                "{kind_id} has no property `{given}`{}",
                near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
            ));
        }
    }
    for given in unknown {
        let known = kind.properties.contains_key(given)
            || kind.relations.contains_key(given)
            || BUILT_IN.contains(&given.as_ref());
        if !known {
            return Err(format!("{kind_id} has neither property nor relation `{given}`"));
        }
    }
    let is_unknown = |property: &str| unknown.iter().any(|given| given.as_ref() == property);
    let built_in = |property: &str| match is_unknown(property) {
        true => Value::Unknown,
        false => properties.get(property).map_or(Value::Null, Value::from_json),
    };
    let account: Arc<str> = account.cloned().unwrap_or_else(|| ACCOUNT.into());
    let key = match properties.get("key").and_then(Json::as_str) {
        Some(key) => key.to_owned(),
        None if kind_id == ACCOUNT_KIND => format!("arn:aws:iam::{account}:root"),
        None => format!("case:{name}"),
    };
    let region: Arc<str> = match (region, kind.scope) {
        (Some(region), _) => region.clone(),
        (None, Scope::Global) => "global".into(),
        (None, Scope::Region) => REGION.into(),
    };
    let values = kind
        .properties
        .iter()
        .map(|(property, declared)| {
            let value = match is_unknown(property) {
                true => Value::Unknown,
                false => typed(declared.kind, property, properties.get(property.as_ref()).unwrap_or(&Json::Null))?,
            };
            Ok((property.clone(), value))
        })
        .collect::<Result<Vec<_>, String>>()?;
    Ok(Resource {
        kind: kind.id.clone(),
        key: key.into(),
        ids: if kind_id == ACCOUNT_KIND { vec![account.clone()] } else { Vec::new() },
        account,
        region,
        name: built_in("name"),
        tags: built_in("tags"),
        properties: values,
        links: Vec::new(),
        unknown: facts(kind, unknown),
    })
}

fn facts(kind: &Kind, unknown: &[Arc<str>]) -> Vec<UnknownFact> {
    unknown
        .iter()
        .map(|name| UnknownFact {
            name: name.clone(),
            call: format!("{}:case", kind.id).into(),
            state: CoverageState::Denied,
            code: "AccessDenied".into(),
            message: "not authorised".into(),
        })
        .collect()
}

/// A case's value must be of the property's type: a case that can never occur proves nothing.
fn typed(declared: PropertyType, name: &str, json: &Json) -> Result<Value, String> {
    let fits = match (declared, json) {
        (_, Json::Null) | (PropertyType::Json, _) => true,
        (PropertyType::Bool, json) => json.is_boolean(),
        (PropertyType::Int, json) => json.is_i64(),
        (PropertyType::Float, json) => json.is_number(),
        (PropertyType::String, json) => json.is_string(),
        (PropertyType::List, json) => json.as_array().is_some_and(|items| items.iter().all(Json::is_string)),
        (PropertyType::Time, json) => {
            let text = json.as_str().ok_or_else(|| format!("`{name}` must be a time"))?;
            return Timestamp::parse(text).map(Value::Time).map_err(|error| error.to_string());
        }
    };
    match fits {
        true => Ok(Value::from_json(json)),
        false => Err(format!("`{name}` must be of type {}", declared.as_str())),
    }
}
