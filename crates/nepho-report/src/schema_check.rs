//! The part of JSON Schema (draft 2020-12) that `docs/report.schema.json` uses; an unknown keyword is a fault too, so
//! that the schema can't say what is not checked.

use serde_json::Value;

/// Everything in which `value` is not what `schema` says.
pub(crate) fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    check(schema, schema, value, "$", &mut faults);
    faults
}

fn check(root: &Value, schema: &Value, value: &Value, path: &str, faults: &mut Vec<String>) {
    for (keyword, expected) in schema.as_object().expect("a schema is an object") {
        let holds = match keyword.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" | "examples" => true,
            "$ref" => {
                let pointer = expected.as_str().unwrap().trim_start_matches('#');
                check(root, root.pointer(pointer).expect("the reference resolves"), value, path, faults);
                true
            }
            "type" => match expected {
                Value::Array(types) => types.iter().any(|name| is_a(name, value)),
                name => is_a(name, value),
            },
            "const" => value == expected,
            "enum" => expected.as_array().unwrap().contains(value),
            "minimum" => value.as_f64().is_none_or(|number| number >= expected.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|number| number <= expected.as_f64().unwrap()),
            "required" => value.as_object().is_none_or(|object| {
                expected.as_array().unwrap().iter().all(|name| object.contains_key(name.as_str().unwrap()))
            }),
            "items" => {
                for (place, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, expected, item, &format!("{path}[{place}]"), faults);
                }
                true
            }
            "properties" => {
                for (name, property) in expected.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        check(root, property, value, &format!("{path}.{name}"), faults);
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = |name: &str| schema["properties"].get(name).is_some();
                for (name, value) in value.as_object().into_iter().flatten().filter(|(name, _)| !known(name)) {
                    match expected {
                        Value::Bool(true) => {}
                        Value::Bool(false) => faults.push(format!("{path}.{name} is not in the schema")),
                        property => check(root, property, value, &format!("{path}.{name}"), faults),
                    }
                }
                true
            }
            other => panic!("`{other}` is a keyword that this check does not know"),
        };
        if !holds {
            faults.push(format!("{path} breaks {keyword}: {expected}; it is {value}"));
        }
    }
}

fn is_a(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        other => panic!("no type `{other}`"),
    }
}
