//! The values that conditions compare with: whether each can be compared at all.

use std::borrow::Cow;

use super::document::{Item, Test};
use super::json::{Node, Value};
use super::{Checker, checks, facts};
use crate::arn::Arn;
use crate::arn::is_account;
use crate::pattern::Pattern;
use crate::policy::{Operator as O, prefix, time};

/// The values under a key: texts, numbers or booleans, one or a list.
pub fn of<'n>(checker: &mut Checker<'_>, key: &str, node: &'n Node) -> Vec<Item<'n>> {
    let mut values = Vec::new();
    let mut one = |checker: &mut Checker<'_>, node: &'n Node| {
        let text: Cow<'n, str> = match &node.value {
            Value::Text(text) => Cow::Borrowed(text),
            Value::Number(number) => Cow::Borrowed(number),
            Value::Bool(truth) => Cow::Borrowed(if *truth { "true" } else { "false" }),
            _ => {
                let message = format!("`{key}` is compared with texts, not with {}", node.kind());
                checker.findings.add(&checks::ELEMENT_TYPE, &node.span, message);
                return;
            }
        };
        let pattern = Pattern::new(&text);
        values.push(Item { text, span: node.span.clone(), pattern });
    };
    match &node.value {
        Value::List(items) => {
            if items.is_empty() {
                checker.findings.add(&checks::LIST_EMPTY, &node.span, format!("`{key}` is compared with nothing"));
            }
            items.iter().for_each(|item| one(checker, item));
        }
        _ => one(checker, node),
    }
    values
}

/// Whether the values are what the operator compares, and what the key has.
pub fn check(checker: &mut Checker<'_>, test: &Test<'_>, operator: O) {
    for value in &test.values {
        let text = &*value.text;
        if text.contains("${") {
            continue;
        }
        if let Some(wanted) = unfit_for_operator(operator, text).or_else(|| unfit_for_key(operator, &test.lower, text))
        {
            checker.findings.add(&checks::VALUE_INVALID, &value.span, format!("`{text}` is no {wanted}"));
        }
    }
}

/// What an operator wants that a value is not.
pub fn unfit_for_operator(operator: O, text: &str) -> Option<&'static str> {
    let (fits, wanted) = match operator.positive() {
        O::NumericEquals
        | O::NumericLessThan
        | O::NumericLessThanEquals
        | O::NumericGreaterThan
        | O::NumericGreaterThanEquals => (text.trim().parse::<f64>().is_ok_and(f64::is_finite), "number"),
        O::DateEquals | O::DateLessThan | O::DateLessThanEquals | O::DateGreaterThan | O::DateGreaterThanEquals => {
            (time(text).is_some(), "date (such as 2030-01-31 or 2030-01-31T12:00:00Z)")
        }
        O::Bool | O::Null => {
            let is_bool = ["true", "false"].iter().any(|word| text.eq_ignore_ascii_case(word));
            (is_bool, "boolean (`true` or `false`)")
        }
        O::IpAddress => (prefix(text).is_some(), "address or range (such as 203.0.113.0/24)"),
        O::BinaryEquals => (is_base64(text), "base64"),
        O::ArnEquals | O::ArnLike => {
            let is_arn =
                Arn::of(text).is_some() || (text.ends_with('*') && "arn:".starts_with(text.trim_end_matches('*')));
            (is_arn || (text.starts_with("arn:") && text.ends_with('*')), "ARN, which has six parts")
        }
        _ => (true, ""),
    };
    (!fits).then_some(wanted)
}

/// What a key's values look like that a value is not: compared as texts, it would equal none.
fn unfit_for_key(operator: O, lower: &str, text: &str) -> Option<&'static str> {
    match operator.positive() {
        O::StringEquals | O::StringEqualsIgnoreCase => {}
        O::StringLike if !text.contains(['*', '?']) => {}
        _ => return None,
    }
    if text.contains(['*', '?']) {
        return None;
    }
    let has_id = |beginning: &str| {
        let id = text.strip_prefix(beginning).unwrap_or_default();
        (id.len() == 8 || id.len() == 17) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let (fits, wanted) = match lower {
        "aws:sourceaccount"
        | "aws:resourceaccount"
        | "aws:vpceaccount"
        | "kms:calleraccount"
        | "s3:resourceaccount" => (is_account(text), "account number of twelve digits"),
        // Requests that are not signed have `anonymous`.
        "aws:principalaccount" => (is_account(text) || text == "anonymous", "account number of twelve digits"),
        "aws:principalorgid" | "aws:resourceorgid" | "aws:sourceorgid" | "aws:vpceorgid" => {
            let id = text.strip_prefix("o-").unwrap_or_default();
            let fits = (10..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
            (fits, "organisation's id (such as o-a1b2c3d4e5)")
        }
        // Global services have regions of their own partition's.
        "aws:requestedregion" => (facts::is_region(text) || text.ends_with("-global"), "region"),
        "aws:sourcevpc" => (has_id("vpc-"), "id of a VPC (vpc- and 8 or 17 characters)"),
        "aws:sourcevpce" => (has_id("vpce-"), "id of a VPC endpoint (vpce- and 8 or 17 characters)"),
        _ => return None,
    };
    (!fits).then_some(wanted)
}

fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len() - body.len() <= 2
        && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
}
