//! AWS authorisation requests: the policies that count, the request, and what comes of it.

use std::path::Path;

use anyhow::Context as _;
use nepho_identity::{Attached, Context, Outcome, Pattern, Policies, Policy, Principal, Request};
use serde_json::Value;

use super::SuiteResult;

/// Runs all cases. Cases in discovery mode leave keys open that their context does not name.
pub fn run(path: &Path, verbose: bool) -> anyhow::Result<SuiteResult> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut result = SuiteResult::default();
    for (at, line) in text.lines().enumerate() {
        let case: Value = serde_json::from_str(line).with_context(|| format!("line {}", at + 1))?;
        let id = format!("{}: {}", text_of(&case["_file"]), text_of(&case["name"]));
        let expected = text_of(&case["expected"]["response"]);
        match decide(&case) {
            Some(found) if found == expected => result.passed += 1,
            found => {
                if verbose {
                    println!("{id}: expected {expected}, found {}", found.unwrap_or("nothing"));
                }
                result.failed.push(id);
            }
        }
    }
    Ok(result)
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn decide(case: &Value) -> Option<&'static str> {
    let asked = &case["request"];
    let principal = match &asked["principal"] {
        Value::String(text) => Principal::of(text)?,
        other if other["type"] == "Anonymous" => Principal::Anonymous,
        _ => return None,
    };
    let account = text_of(&asked["resource"]["accountId"]);
    let context = context_of(case, &principal, account);
    let request = Request {
        principal: &principal,
        action: text_of(&asked["action"]),
        resource: Pattern::new(text_of(&asked["resource"]["resource"])),
        account,
        without_resource: asked["wildcardOnlyAction"] == true,
        context: &context,
    };
    let read = |value: &Value| -> Vec<Policy> {
        match value {
            Value::Array(policies) => policies.iter().map(Policy::of).collect(),
            Value::Null => Vec::new(),
            one => vec![Policy::of(one)],
        }
    };
    let levels = |value: &Value| -> Vec<Vec<Policy>> {
        value.as_array().into_iter().flatten().map(|level| read(&level["policies"])).collect()
    };
    let identity = read(&case["identityPolicies"]);
    let boundary = read(&case["permissionBoundaries"]);
    let session = read(&case["sessionPolicy"]);
    let endpoint: Vec<Policy> = levels_or_policies(&case["endpointPolicies"]);
    let resource = [read(&case["resourcePolicy"]), read(&case["resourcePolicies"])].concat();
    let service_control = levels(&case["serviceControlPolicies"]);
    let resource_control = levels(&case["resourceControlPolicies"]);
    let policies = Policies {
        identity: attached(&identity),
        boundary: attached(&boundary),
        session: attached(&session),
        service_control: service_control.iter().map(|level| attached(level)).collect(),
        resource_control: resource_control.iter().map(|level| attached(level)).collect(),
        resource: attached(&resource),
        endpoint: attached(&endpoint),
    };
    Some(match policies.decide(&request).outcome {
        // The suite says `Allowed` and names the conditions.
        Outcome::Allowed | Outcome::Conditional => "Allowed",
        Outcome::ImplicitlyDenied => "ImplicitlyDenied",
        Outcome::ExplicitlyDenied => "ExplicitlyDenied",
    })
}

fn levels_or_policies(value: &Value) -> Vec<Policy> {
    let all = value.as_array().into_iter().flatten();
    all.flat_map(|item| match item.get("policies").or(item.get("policy")) {
        Some(Value::Array(policies)) => policies.iter().map(Policy::of).collect(),
        Some(one) => vec![Policy::of(one)],
        None => vec![Policy::of(item)],
    })
    .collect()
}

fn attached(policies: &[Policy]) -> Vec<Attached<'_>> {
    policies.iter().map(|policy| Attached { name: "", policy }).collect()
}

fn context_of(case: &Value, principal: &Principal, account: &str) -> Context {
    let discovers = case["simulation"]["mode"] == "Discovery";
    let mut context = if discovers { Context::open() } else { Context::closed() };
    let given = |wanted: &str| {
        let mut all = case["request"]["context"].as_object().into_iter().flatten();
        all.find(|(key, _)| key.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
    };
    let set = |context: &mut Context, key: &str, value: &Value| {
        match value {
            Value::Array(values) => context.set_all(key, values.iter().map(text_of)),
            value => context.set(key, text_of(value)),
        };
    };
    if !discovers {
        for (key, value) in case["request"]["context"].as_object().into_iter().flatten() {
            set(&mut context, key, value);
        }
    }
    // In discovery a key counts only where it is said to be known.
    for constraint in case["simulation"]["discoveryContextKeyConstraints"].as_array().into_iter().flatten() {
        let key = text_of(&constraint["keyName"]);
        match (constraint["presenceIsKnown"] == true, constraint["valueIsKnown"] == true, given(key)) {
            (true, true, Some(value)) => set(&mut context, key, value),
            (true, false, Some(_)) => {
                context.set_present(key);
            }
            (true, _, None) => {
                context.set_absent(key);
            }
            (false, ..) => {}
        }
    }
    context.of_principal(principal).of_resource(account);
    context
}
