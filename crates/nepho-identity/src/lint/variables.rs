//! `${…}`: whether it is well formed, and stands where it is replaced.

use super::document::{Document, Item};
use super::{Checker, checks};
use crate::policy::Operator as O;

/// All places of a policy in which variables can stand.
pub fn document(checker: &mut Checker<'_>, document: &Document<'_>) {
    for statement in &document.statements {
        for item in statement.actions.iter().flat_map(|actions| &actions.items) {
            misplaced(checker, item, "an action");
        }
        for (_, item) in statement.principals.iter().flat_map(|principals| &principals.items) {
            misplaced(checker, item, "a principal");
        }
        for item in statement.resources.iter().flat_map(|resources| &resources.items) {
            one(checker, document, item);
            // Only what stands after the fifth colon is replaced.
            let before_resource = item.text.splitn(6, ':').take(5);
            if item.text.starts_with("arn:") && before_resource.into_iter().any(|part| part.contains("${")) {
                let message = "variables are replaced after the fifth colon of an ARN only";
                checker.findings.add(&checks::VARIABLE_MISPLACED, &item.span, message);
            }
        }
        for test in &statement.tests {
            let replaces = match test.operator.map(|(_, operator, _)| operator.positive()) {
                Some(O::StringEquals | O::StringEqualsIgnoreCase | O::StringLike | O::ArnEquals | O::ArnLike)
                | None => true,
                Some(_) => false,
            };
            for value in &test.values {
                if replaces {
                    one(checker, document, value);
                } else if value.text.contains("${") {
                    let message = format!("`{}` replaces no variables", test.operator_text);
                    checker.findings.add(&checks::VARIABLE_MISPLACED, &value.span, message);
                }
            }
        }
    }
}

fn misplaced(checker: &mut Checker<'_>, item: &Item<'_>, of: &str) {
    if item.text.contains("${") {
        checker.findings.add(&checks::VARIABLE_MISPLACED, &item.span, format!("no variable is replaced in {of}"));
    }
}

fn one(checker: &mut Checker<'_>, document: &Document<'_>, item: &Item<'_>) {
    if !item.text.contains("${") {
        return;
    }
    if !document.has_variables {
        let message = "without version 2012-10-17 this is plain text";
        return checker.findings.add(&checks::VARIABLE_IGNORED, &item.span, message);
    }
    for wrong in broken(&item.text) {
        checker.findings.add(&checks::VARIABLE_BROKEN, &item.span, wrong);
    }
}

/// What is wrong with each variable of a text.
fn broken(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("${") {
        let Some((variable, after)) = after.split_once('}') else {
            wrong.push("`${` has no closing `}`".to_owned());
            break;
        };
        rest = after;
        let (key, default) = match variable.split_once(',') {
            Some((key, default)) => (key, Some(default.trim())),
            None => (variable, None),
        };
        if key.trim().is_empty() {
            wrong.push(format!("`${{{variable}}}` names no key"));
        } else if key.contains("${") {
            wrong.push("one variable stands within another".to_owned());
        } else if key.trim() != key || (key.contains(' ') && !key.contains('/')) {
            // The names of tags can have spaces.
            wrong.push(format!("`${{{variable}}}` has a space in the key's name"));
        } else if !matches!(key, "*" | "?" | "$") && !key.contains(':') {
            wrong.push(format!("`${{{variable}}}` names no key: keys are `service:name`"));
        }
        let quoted = |default: &str| default.len() >= 2 && default.starts_with('\'') && default.ends_with('\'');
        if default.is_some_and(|default| !quoted(default)) {
            wrong.push(format!("the default of `${{{variable}}}` does not stand in single quotes"));
        }
    }
    wrong
}
