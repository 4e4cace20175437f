//! Policies as Terraform's resources
//! (<https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document>).

use std::fmt::Write as _;

use super::document::{Reason, Rule};
use crate::policy::Effect;

/// One document and one policy for each, named `name` and, where there are several, a number.
pub(super) fn terraform(policies: &[Vec<Rule>], name: &str) -> String {
    let mut text = String::new();
    for (at, rules) in policies.iter().enumerate() {
        let number = if policies.len() > 1 { format!("-{}", at + 1) } else { String::new() };
        let full = format!("{name}{number}");
        let id = identifier(&full);
        if at > 0 {
            text.push('\n');
        }
        let _ = writeln!(text, "data \"aws_iam_policy_document\" \"{id}\" {{");
        for (at, rule) in rules.iter().enumerate() {
            if at > 0 {
                text.push('\n');
            }
            statement(rule, &mut text);
        }
        let _ = writeln!(text, "}}\n\nresource \"aws_iam_policy\" \"{id}\" {{");
        let _ = writeln!(text, "  name   = {}", quoted(&full));
        let _ = writeln!(text, "  policy = data.aws_iam_policy_document.{id}.json\n}}");
    }
    text
}

fn statement(rule: &Rule, text: &mut String) {
    if rule.reason == Reason::Kept {
        text.push_str("  # Stays as it is today: whether it is used is not known.\n");
    }
    text.push_str("  statement {\n");
    if let Some(sid) = &rule.sid {
        let _ = writeln!(text, "    sid    = {}", quoted(sid));
    }
    let _ = writeln!(text, "    effect = \"{}\"", if rule.effect == Effect::Allow { "Allow" } else { "Deny" });
    list(if rule.not_actions { "not_actions" } else { "actions" }, &rule.actions, "    ", text);
    list(if rule.not_resources { "not_resources" } else { "resources" }, &rule.resources, "    ", text);
    for (operator, key, values) in &rule.conditions {
        let _ = writeln!(text, "\n    condition {{\n      test     = {}", quoted(operator));
        let _ = writeln!(text, "      variable = {}", quoted(key));
        list("values", values, "      ", text);
        text.push_str("    }\n");
    }
    text.push_str("  }\n");
}

fn list(name: &str, items: &[String], indent: &str, text: &mut String) {
    let _ = writeln!(text, "{indent}{name} = [");
    for item in items {
        let _ = writeln!(text, "{indent}  {},", quoted(item));
    }
    let _ = writeln!(text, "{indent}]");
}

/// A text of Terraform's: `${` and `%{` would be expressions.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '$' | '%' if rest.peek() == Some(&'{') => {
                quoted.push(c);
                quoted.push(c);
            }
            // What would not be seen, or would turn the direction of the text.
            c if c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}') =>
            {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn identifier(name: &str) -> String {
    let mut id: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '_' })
        .collect();
    if !id.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        id.insert(0, '_');
    }
    id
}
