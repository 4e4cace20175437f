//! What of today's statements stays and what goes.

use std::fmt::Write as _;

use super::document::{self, Rule};
use super::judge::Today;

/// A statement of today's and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its policy.
    pub policy: String,
    /// Its name.
    pub statement: String,
    /// What becomes of its actions.
    pub actions: Vec<Line>,
    /// What becomes of its resources.
    pub resources: Vec<Line>,
}

/// A line of a difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Line {
    /// It stays as it is written.
    Same(String),
    /// It is written today only.
    Removed(String),
    /// It is written in the new policies only: a part of what was there.
    Added(String),
}

/// What becomes of each of today's statements.
pub(super) fn changes(today: &Today<'_>, rules: &[Rule]) -> Vec<Change> {
    let mut changes = Vec::new();
    for (number, of) in today.statements.iter().enumerate() {
        let parts: Vec<&Rule> = rules.iter().filter(|rule| rule.from.contains(&number)).collect();
        let not = |not: bool, items: Vec<String>| -> Vec<String> {
            if not { items.into_iter().map(|item| format!("all but {item}")).collect() } else { items }
        };
        let resources = of.statement.resources.clone().unwrap_or_default();
        let before = not(of.statement.actions.not, document::actions(&of.statement.actions));
        let after = parts.iter().flat_map(|rule| not(rule.not_actions, rule.actions.clone())).collect();
        let before_on = not(resources.not, document::written(&resources));
        let after_on = parts.iter().flat_map(|rule| not(rule.not_resources, rule.resources.clone())).collect();
        changes.push(Change {
            policy: of.policy.name.to_owned(),
            statement: of.statement.name(),
            actions: lines(before, after),
            resources: lines(before_on, after_on),
        });
    }
    changes
}

fn lines(before: Vec<String>, mut after: Vec<String>) -> Vec<Line> {
    after.sort();
    after.dedup();
    let mut lines: Vec<Line> = before
        .iter()
        .map(|of| if after.contains(of) { Line::Same(of.clone()) } else { Line::Removed(of.clone()) })
        .collect();
    let added = after.into_iter().filter(|of| !before.contains(of));
    lines.extend(added.map(Line::Added));
    lines
}

/// As text, in the form of `diff -u`.
pub(super) fn text(changes: &[Change]) -> String {
    let mut text = String::new();
    for change in changes {
        let _ = writeln!(text, "--- {}, {}\n+++ right-sized", change.policy, change.statement);
        for (name, lines) in [("Action", &change.actions), ("Resource", &change.resources)] {
            let _ = writeln!(text, "@@ {name} @@");
            for line in lines {
                let (sign, of) = match line {
                    Line::Same(of) => (' ', of),
                    Line::Removed(of) => ('-', of),
                    Line::Added(of) => ('+', of),
                };
                // A key of an object can have a line's end in it.
                let _ = writeln!(text, "{sign}{}", of.replace(['\n', '\r'], "\u{fffd}"));
            }
        }
    }
    text
}
