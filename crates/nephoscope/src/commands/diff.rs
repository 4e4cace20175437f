//! `nephoscope diff`

use nepho_snapshot::{Changes, Diff, PropertyChange, Relation, Resource, VerdictRow, diff};
use serde_json::{Value as Json, json};

use crate::arguments::{DiffArguments, TableFormat};
use crate::{Outcome, history, output};

/// How much of a value a table shows.
const SHOWN: usize = 60;

/// What changed from A to B. Tables are flat: a row a change, the first column says which (`+`, `-`, `~`; `?+` and `?-`
/// for what is not known to be new or gone).
pub fn run(options: DiffArguments) -> anyhow::Result<Outcome> {
    let store = history::readable(&options.store)?;
    let (a, b) = (store.find(&options.a)?, store.find(&options.b)?);
    let found = diff(&a, &b);
    match options.format {
        TableFormat::Json => {
            let mut json = json!({"schema": "nephoscope.diff/1", "from": a.id(), "to": b.id()});
            if let (Some(fields), Json::Object(more)) = (json.as_object_mut(), as_json(&found)) {
                fields.extend(more);
            }
            output::json(&json)?;
        }
        format => {
            output::table(format, &["", "what", "type", "subject", "property", "old", "new"], &rows(&found, format))?
        }
    }
    found.notes.iter().for_each(|note| eprintln!("note: {note}"));
    found.faults.iter().for_each(|fault| eprintln!("not compared: {fault}"));
    let unsure = [&found.resources.not_seen, &found.resources.newly_seen].iter().any(|of| !of.is_empty())
        || [&found.relations.not_seen, &found.relations.newly_seen].iter().any(|of| !of.is_empty());
    if unsure {
        eprintln!(
            "what is marked `?` was seen in one of the two only, but coverage was not complete there: it is not known to be new or gone"
        );
    }
    Ok(if unsure || !found.faults.is_empty() { Outcome::Incomplete } else { Outcome::Done })
}

fn rows(diff: &Diff, format: TableFormat) -> Vec<Vec<Json>> {
    let mut rows = Vec::new();
    lone(&mut rows, &diff.resources, |of| ("resource", of.kind.to_string(), of.key.to_string(), Json::Null));
    for changed in &diff.resources.changed {
        let (kind, key) = (&changed.resource.kind, &changed.resource.key);
        rows.extend(changed.properties.iter().map(|of| property("resource", kind, key, of, format)));
    }
    let ends = |of: &Relation| format!("{} -> {}", of.from.key, of.to.key);
    lone(&mut rows, &diff.relations, |of| ("relation", of.name.to_string(), ends(of), Json::Null));
    for changed in &diff.relations.changed {
        let (name, ends) = (&changed.relation.name, ends(&changed.relation));
        rows.extend(changed.properties.iter().map(|of| property("relation", name, &ends, of, format)));
    }
    lone(&mut rows, &diff.verdicts, |of| ("verdict", of.rule.to_string(), of.key.to_string(), json!(of.verdict)));
    for changed in &diff.verdicts.changed {
        let (old, new) = (json!(changed.old), json!(changed.row.verdict));
        rows.push(vec![
            json!("~"),
            json!("verdict"),
            json!(changed.row.rule),
            json!(changed.row.key),
            Json::Null,
            old,
            new,
        ]);
    }
    rows
}

/// Rows for what is on one side only; `told` gives sort, type, subject and value.
fn lone<T, C>(
    rows: &mut Vec<Vec<Json>>,
    changes: &Changes<T, C>,
    told: impl Fn(&T) -> (&'static str, String, String, Json),
) {
    let sides =
        [("+", &changes.added), ("-", &changes.removed), ("?+", &changes.newly_seen), ("?-", &changes.not_seen)];
    for (sign, items) in sides {
        for item in items {
            let (what, of, subject, value) = told(item);
            let (old, new) = if sign.ends_with('+') { (Json::Null, value) } else { (value, Json::Null) };
            rows.push(vec![json!(sign), json!(what), json!(of), json!(subject), Json::Null, old, new]);
        }
    }
}

fn property(what: &str, of: &str, subject: &str, change: &PropertyChange, format: TableFormat) -> Vec<Json> {
    let value = |value: &Json| match (format, value) {
        (TableFormat::Table, Json::String(_) | Json::Array(_) | Json::Object(_)) => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match text.char_indices().nth(SHOWN) {
                Some((end, _)) if !is_unknown(value) => json!(format!("{}…", text.get(..end).unwrap_or_default())),
                _ => value.clone(),
            }
        }
        _ => value.clone(),
    };
    let (old, new) = (value(&change.old), value(&change.new));
    vec![json!("~"), json!(what), json!(of), json!(subject), json!(change.name), old, new]
}

fn is_unknown(value: &Json) -> bool {
    value.as_object().is_some_and(|fields| fields.len() == 1 && fields.contains_key("unknown"))
}

fn as_json(diff: &Diff) -> Json {
    let resource = |of: &Resource| json!({"kind": of.kind, "key": of.key, "account": of.account, "region": of.region});
    let relation = |of: &Relation| json!({"type": of.name, "from": resource(&of.from), "to": resource(&of.to)});
    let verdict = |of: &VerdictRow| {
        json!({"rule": of.rule, "severity": of.severity, "kind": of.kind, "key": of.key, "account": of.account,
            "verdict": of.verdict, "reason": of.reason})
    };
    let properties = |all: &[PropertyChange]| {
        all.iter().map(|of| json!({"name": of.name, "old": of.old, "new": of.new})).collect::<Vec<_>>()
    };
    let with = |mut object: Json, name: &str, value: Json| {
        if let Some(fields) = object.as_object_mut() {
            fields.insert(name.to_owned(), value);
        }
        object
    };
    json!({
        "resources": sides(&diff.resources, resource, |of| with(resource(&of.resource), "properties", json!(properties(&of.properties)))),
        "relations": sides(&diff.relations, relation, |of| with(relation(&of.relation), "properties", json!(properties(&of.properties)))),
        "verdicts": sides(&diff.verdicts, verdict, |of| with(verdict(&of.row), "old", json!(of.old))),
        "notes": diff.notes,
        "faults": diff.faults,
    })
}

fn sides<T, C>(changes: &Changes<T, C>, one: impl Fn(&T) -> Json, changed: impl Fn(&C) -> Json) -> Json {
    let all = |items: &[T]| items.iter().map(&one).collect::<Vec<_>>();
    json!({
        "added": all(&changes.added),
        "removed": all(&changes.removed),
        "changed": changes.changed.iter().map(changed).collect::<Vec<_>>(),
        "newly_seen": all(&changes.newly_seen),
        "not_seen": all(&changes.not_seen),
    })
}
