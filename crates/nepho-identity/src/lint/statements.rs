//! Statements of a policy against each other: what one says already, and what another takes away.

use super::document::{Document, Element, Item, PrincipalType, Principals, Statement, Test};
use super::{Checker, checks};

/// Most statements that are compared with each other.
const MOST_COMPARED: usize = 300;

/// All statements of a policy.
pub fn document(checker: &mut Checker<'_>, document: &Document<'_>) {
    let whole: Vec<&Statement<'_>> =
        document.statements.iter().filter(|statement| statement.is_whole).take(MOST_COMPARED).collect();
    for (at, statement) in whole.iter().enumerate() {
        let others = || whole.iter().enumerate().filter(|(other_at, _)| *other_at != at);
        let start = statement.span.start..statement.span.start + 1;
        let denied = others().find(|(_, other)| statement.allows() && other.denies() && covers(other, statement));
        if let Some((_, other)) = denied {
            let message = format!("all that {} allows is denied by {}", statement.name(), other.name());
            checker.findings.add(&checks::STATEMENT_UNREACHABLE, &start, message);
            continue;
        }
        let said = others().find(|(other_at, other)| {
            other.effect == statement.effect
                && covers(other, statement)
                && (*other_at < at || !covers(statement, other))
        });
        if let Some((_, other)) = said {
            let message = format!("{} says all that {} says", other.name(), statement.name());
            checker.findings.add(&checks::STATEMENT_REDUNDANT, &start, message);
        }
    }
}

/// Whether all requests that a statement is about are among another's.
fn covers(wide: &Statement<'_>, narrow: &Statement<'_>) -> bool {
    let (Some(wide_actions), Some(narrow_actions)) = (&wide.actions, &narrow.actions) else { return false };
    if !elements(wide_actions, narrow_actions) {
        return false;
    }
    let resources = match (&wide.resources, &narrow.resources) {
        (Some(wide), Some(narrow)) => elements(wide, narrow),
        (None, None) => true,
        _ => false,
    };
    let principals = match (&wide.principals, &narrow.principals) {
        (Some(wide), Some(narrow)) => people(wide, narrow),
        (None, None) => true,
        _ => false,
    };
    resources && principals && wide.tests.iter().all(|test| narrow.tests.iter().any(|other| is_same(test, other)))
}

fn elements(wide: &Element<'_>, narrow: &Element<'_>) -> bool {
    // What a variable stands for is not known: it covers itself only, and what it may stand for has to be covered.
    let item = |wide: &Item<'_>, narrow: &Item<'_>| match wide.text.contains("${") {
        true => wide.text == narrow.text,
        false => wide.pattern.covers(&narrow.pattern),
    };
    let has_variables = |element: &Element<'_>| element.items.iter().any(|item| item.text.contains("${"));
    match (wide.not, narrow.not) {
        (false, false) => narrow.items.iter().all(|narrow| wide.items.iter().any(|wide| item(wide, narrow))),
        (false, true) => wide.items.iter().any(|item| item.pattern.is_everything()),
        (true, false) => {
            narrow.items.iter().all(|narrow| wide.items.iter().all(|wide| !wide.pattern.meets(&narrow.pattern)))
        }
        // What the wide one leaves out the narrow one has to leave out as well.
        (true, true) => {
            !has_variables(narrow) && wide.items.iter().all(|wide| narrow.items.iter().any(|narrow| item(narrow, wide)))
        }
    }
}

fn people(wide: &Principals<'_>, narrow: &Principals<'_>) -> bool {
    let is_same = |a: &(PrincipalType, Item<'_>), b: &(PrincipalType, Item<'_>)| a.0 == b.0 && a.1.text == b.1.text;
    let all_in = |some: &Principals<'_>, of: &Principals<'_>| {
        some.items.iter().all(|one| of.items.iter().any(|other| is_same(one, other)))
    };
    let is_everyone = |of: &Principals<'_>| {
        of.items
            .iter()
            .any(|(of, item)| *of == PrincipalType::Everyone || (*of == PrincipalType::Aws && item.text == "*"))
    };
    match (wide.not, narrow.not) {
        (false, _) if is_everyone(wide) => true,
        (false, false) => all_in(narrow, wide),
        (true, true) => all_in(wide, narrow),
        _ => false,
    }
}

fn is_same(test: &Test<'_>, other: &Test<'_>) -> bool {
    let all_in = |some: &Test<'_>, of: &Test<'_>| {
        some.values.iter().all(|value| of.values.iter().any(|other| other.text == value.text))
    };
    test.operator.is_some()
        && test.operator == other.operator
        && test.lower == other.lower
        && all_in(test, other)
        && all_in(other, test)
}
