//! Every example of the reference, and the rule of unknown for every function: a new one cannot be forgotten.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "helpers of tests")]

use nepho_graph::reference::{AGGREGATIONS, LENIENT_FUNCTIONS, UNKNOWN_RULES, function_docs};
use nepho_graph::{Graph, GraphBuilder, Limits, Parameters, PropertyType, Query, Schema};
use nepho_model::{Timestamp, Value};
use serde_json::{Value as Json, json};

/// The graph of the examples, as `nepho_graph::reference` describes it.
struct World {
    schema: Schema,
    graph: Graph,
}

impl World {
    fn new() -> Self {
        let mut schema = Schema::closed();
        schema.add_kind("a", ["A"], [("n", PropertyType::Int), ("unread", PropertyType::Json)]);
        schema.add_kind("b", ["B"], [("n", PropertyType::Int)]);
        schema.add_relation("R", "a", "b");
        schema.add_relation("UNREAD", "a", "b");
        let mut builder = GraphBuilder::new(schema);
        builder.set_clock(Timestamp::parse("2026-11-01T00:00:00Z").unwrap());
        let null = || Value::Null;
        let properties = vec![("n".into(), Value::Int(1)), ("unread".into(), Value::Unknown)];
        let a = builder.add_node("a", "a", "", "", null(), null(), properties);
        let b = builder.add_node("b", "b", "", "", null(), null(), vec![("n".into(), Value::Int(2))]);
        builder.add_relation(a, "R", b, vec![("w".into(), Value::Int(1))]);
        builder.mark_unknown_relation(a, "UNREAD");
        Self { schema: Schema::open(), graph: builder.finish() }
    }

    fn values(&self, rest: &str) -> Vec<Json> {
        let text = format!("MATCH p = (a:A)-[r:R]->(b:B) WITH *, a.unread AS u {rest}");
        let query = Query::compile(&self.schema, &text).unwrap_or_else(|error| panic!("{rest}: {error}"));
        let found = query.run(&self.graph, &Parameters::new(), &Limits::default());
        let found = found.unwrap_or_else(|error| panic!("{rest}: {error}")).to_json(&self.graph);
        assert_eq!(found["rows"].as_array().map(Vec::len), Some(1), "{rest}");
        let mut row = found["rows"][0].as_array().unwrap().clone();
        row.iter_mut().for_each(without_built_ins);
        row
    }

    fn value(&self, text: &str) -> Json {
        self.values(&format!("RETURN {text} AS value")).remove(0)
    }

    fn check(&self, example: &str, value: &str) {
        assert_eq!(self.value(example), self.value(value), "`{example}` is not `{value}`");
    }
}

/// Every node has a key, an account and the like: the examples leave them out.
fn without_built_ins(value: &mut Json) {
    match value {
        Json::Object(fields) => {
            fields.retain(|name, _| !nepho_graph::BUILT_IN_PROPERTIES.contains(&name.as_str()));
            fields.values_mut().for_each(without_built_ins);
        }
        Json::Array(items) => {
            items.retain(|item| !item.as_str().is_some_and(|name| nepho_graph::BUILT_IN_PROPERTIES.contains(&name)));
            items.iter_mut().for_each(without_built_ins);
        }
        _ => {}
    }
}

fn unknown() -> Json {
    json!({"unknown": true})
}

/// The call at the start of an example, cut into its arguments: `substring('abc', 1) = …` gives `'abc'` and `1`.
fn arguments(name: &str, example: &str) -> Vec<String> {
    let inside = example.strip_prefix(name).and_then(|rest| rest.strip_prefix('('));
    let inside = inside.unwrap_or_else(|| panic!("`{example}` does not begin with a call of `{name}`"));
    let (mut depth, mut quoted, mut found) = (0, false, vec![String::new()]);
    for sign in inside.chars() {
        match sign {
            '\'' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => break,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(String::new());
                continue;
            }
            _ => {}
        }
        found.last_mut().unwrap().push(sign);
    }
    found.retain(|argument| !argument.is_empty());
    found
}

#[test]
fn functions_do_what_their_examples_say() {
    let world = World::new();
    for doc in function_docs() {
        world.check(doc.example, doc.value);
    }
    assert!(function_docs().count() > 80);
}

#[test]
fn the_clock_is_seen_from_a_zone() {
    let world = World::new();
    world.check("datetime({timezone: 'Asia/Tokyo'})", "datetime('2026-11-01T09:00+09:00[Asia/Tokyo]')");
    world.check("date({timezone: 'America/New_York'})", "date('2026-10-31')");
    world.check("time.statement('Asia/Tokyo')", "time('09:00+09:00')");
    world.check("localdatetime.realtime('Asia/Tokyo')", "localdatetime('2026-11-01T09:00')");
}

#[test]
fn one_unknown_argument_makes_every_function_unknown() {
    let world = World::new();
    for doc in function_docs().filter(|doc| !LENIENT_FUNCTIONS.contains(&doc.name)) {
        let own = arguments(doc.name, doc.example);
        let written = doc.arguments.split(", ").filter(|argument| !argument.is_empty()).count();
        assert!(own.len() <= written, "{}: more arguments than are described", doc.name);
        for at in 0..own.len() {
            for others in ["as in the example", "null", "u"] {
                let call = |of: &dyn Fn(usize) -> String| {
                    format!("{}({})", doc.name, (0..own.len()).map(of).collect::<Vec<_>>().join(", "))
                };
                let text = call(&|argument| match others {
                    _ if argument == at => "u".to_owned(),
                    "as in the example" => own[argument].clone(),
                    other => other.to_owned(),
                });
                assert_eq!(world.value(&text), unknown(), "{text}");
            }
        }
        // And null without unknown is null, but for what is about null.
        if !own.is_empty() && !["exists", "nullif"].contains(&doc.name) {
            let nulls = vec!["null"; own.len()].join(", ");
            assert_eq!(world.value(&format!("{}({nulls})", doc.name)), Json::Null, "{}", doc.name);
        }
    }
    for name in LENIENT_FUNCTIONS {
        let rule = format!("`{name}`");
        assert!(UNKNOWN_RULES.iter().any(|of| of.of.contains(&rule)), "`{name}` has no rule of its own");
    }
}

#[test]
fn unknown_follows_its_rules() {
    let world = World::new();
    for (example, value) in UNKNOWN_RULES.iter().flat_map(|rule| rule.examples) {
        world.check(example, value);
    }
}

#[test]
fn aggregations_do_what_is_said_of_them() {
    let world = World::new();
    for aggregation in AGGREGATIONS {
        for (values, expected) in [("[1, 2, 3]", aggregation.value), ("[1, 2, u]", aggregation.with_unknown)] {
            // Null counts nowhere but in `count(*)`.
            let values = if aggregation.call == "count(*)" { values.to_owned() } else { format!("{values} + [null]") };
            let found = world.values(&format!("UNWIND {values} AS x RETURN {} AS value", aggregation.call)).remove(0);
            assert_eq!(found, world.value(expected), "{} over {values}", aggregation.call);
        }
    }
}
