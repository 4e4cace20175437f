//! Conditions of a statement on the same key, taken together: whether any request can meet them all.
//!
//! A key's possible values are tried on all its tests with the evaluator that decides requests: those that the policy names
//! itself, and for numbers and dates those just beside and between. If none passes, none can.

use std::net::IpAddr;

use super::document::{Statement, Test};
use super::values::unfit_for_operator;
use super::{Checker, checks};
use crate::actions::KeyType;
use crate::context::Context;
use crate::policy::{self, Held, Operator as O, Quantifier, prefix, time};

/// Most values that are tried of one key.
const MOST_TRIED: usize = 2_000;

/// All keys of a statement.
pub fn statement(checker: &mut Checker<'_>, statement: &Statement<'_>) {
    let mut seen: Vec<&str> = Vec::new();
    for test in &statement.tests {
        if !seen.contains(&&*test.lower) {
            seen.push(&test.lower);
            let tests: Vec<&Test<'_>> = statement.tests_of(&test.lower).collect();
            if let Some((at, message)) = never(checker, &tests) {
                let effect = if statement.denies() { "nothing is denied" } else { "nothing is allowed" };
                checker.findings.add(&checks::CONDITION_NEVER, &at.key_span, format!("{message}: {effect}"));
            }
        }
        date_passed(checker, statement, test);
    }
}

/// Why tests of one key cannot hold together, and which of them to point at.
fn never<'t, 'n>(checker: &Checker<'_>, tests: &[&'t Test<'n>]) -> Option<(&'t Test<'n>, String)> {
    let of_type = tests.first().and_then(|test| checker.catalogue.condition_key(test.key));
    let mut plain = Vec::new();
    for test in tests {
        let operator = test.operator?;
        let has_several = matches!(of_type, Some(KeyType::ArrayOfString | KeyType::ArrayOfArn | KeyType::ArrayOfBool));
        let has_variables = test.values.iter().any(|value| value.text.contains("${"));
        // One value cannot stand for several, and what a variable stands for is not known.
        if operator.0.is_some() || has_variables || (has_several && operator.1 != O::Null) {
            return empty_for_any(tests);
        }
        // What is wrong in itself is said already.
        if test.values.is_empty()
            || test.values.iter().any(|value| unfit_for_operator(operator.1, &value.text).is_some())
        {
            return None;
        }
        let values = test.values.iter().map(|value| (*value.text).into()).collect();
        plain.push(policy::Test::plain(operator, test.key, values));
    }
    let is_repeated = |at: usize, test: &policy::Test| {
        plain.iter().skip(at + 1).any(|other| (other.operator, other.if_exists) == (test.operator, test.if_exists))
    };
    if plain.iter().enumerate().any(|(at, test)| is_repeated(at, test)) {
        return None;
    }
    let holds = |context: &Context| plain.iter().all(|test| test.holds(context) == Held::Yes);
    let last = tests.last()?;
    let mut absent = Context::closed();
    absent.set_absent(last.key);
    let mut present = Context::closed();
    present.set_present(last.key);
    if holds(&absent) {
        return None;
    }
    // Whether it has to be there or not may already be asked for both ways.
    if plain.iter().any(|test| test.holds(&present) == Held::No) {
        return Some((last, format!("`{}` has to be there and not to be there", last.key)));
    }
    let candidates = candidates(tests)?;
    let fits = |value: &String| {
        let mut context = Context::closed();
        context.set(last.key, value);
        holds(&context)
    };
    if candidates.iter().any(fits) {
        return None;
    }
    Some((last, format!("no value of `{}` meets all that is asked of it", last.key)))
}

/// `ForAnyValue` without values.
fn empty_for_any<'t, 'n>(tests: &[&'t Test<'n>]) -> Option<(&'t Test<'n>, String)> {
    let is_empty =
        |test: &&&Test<'_>| matches!(test.operator, Some((Some(Quantifier::Any), _, _))) && test.values.is_empty();
    let test = tests.iter().find(is_empty)?;
    Some((test, format!("`{}` compares `{}` with nothing", test.operator_text, test.key)))
}

/// Values one of which meets all tests if any does; `None` where no such list can be made.
fn candidates(tests: &[&Test<'_>]) -> Option<Vec<String>> {
    let of = |wanted: &[O]| -> Vec<&str> {
        let those =
            tests.iter().filter(|test| test.operator.is_some_and(|(_, operator, _)| wanted.contains(&operator)));
        those.flat_map(|test| test.values.iter().map(|value| &*value.text)).collect()
    };
    let family = |positive: &[O]| {
        tests.iter().all(|test| {
            test.operator.is_some_and(|(_, operator, _)| operator == O::Null || positive.contains(&operator.positive()))
        })
    };
    // An equality names all that it takes, whatever the other tests are.
    let exact: Vec<&str> = of(&[O::StringEquals, O::BinaryEquals]);
    if !exact.is_empty() {
        return Some(exact.into_iter().take(MOST_TRIED).map(str::to_owned).collect());
    }
    if family(&[O::Bool]) {
        return Some(vec!["true".to_owned(), "false".to_owned()]);
    }
    // Patterns without wildcards name all that they take too.
    let is_plain = |text: &&str| !text.contains(['*', '?']);
    let like: Vec<&str> = of(&[O::StringLike, O::ArnEquals, O::ArnLike]);
    if !like.is_empty() && like.iter().all(is_plain) {
        return Some(like.into_iter().take(MOST_TRIED).map(str::to_owned).collect());
    }
    let numeric = [
        O::NumericEquals,
        O::NumericLessThan,
        O::NumericLessThanEquals,
        O::NumericGreaterThan,
        O::NumericGreaterThanEquals,
    ];
    if family(&numeric) {
        let bounds = all(tests).map(|text| text.trim().parse::<f64>().ok()).collect::<Option<Vec<f64>>>()?;
        return Some(around(bounds).into_iter().map(|number| number.to_string()).collect());
    }
    let dates = [O::DateEquals, O::DateLessThan, O::DateLessThanEquals, O::DateGreaterThan, O::DateGreaterThanEquals];
    if family(&dates) {
        let seconds = |text: &str| time(text).map(|time| time.as_second() as f64);
        let bounds = all(tests).map(seconds).collect::<Option<Vec<f64>>>()?;
        return Some(around(bounds).into_iter().map(|second| format!("{}", second as i64)).collect());
    }
    if family(&[O::IpAddress]) {
        // A range that all others take, or leave alone, is among those that are named; a range of which a part is taken out
        // is tried with its ends.
        let ranges = of(&[O::IpAddress]);
        if ranges.is_empty() {
            return None;
        }
        let taken_out = of(&[O::NotIpAddress]);
        if taken_out.iter().chain(&ranges).any(|range| prefix(range).is_none()) {
            return None;
        }
        return Some(ranges.iter().chain(&taken_out).flat_map(|range| ends(range)).collect());
    }
    None
}

/// The values of all tests but `Null`.
fn all<'t>(tests: &'t [&Test<'_>]) -> impl Iterator<Item = &'t str> {
    let compared = tests.iter().filter(|test| !matches!(test.operator, Some((_, O::Null, _))));
    compared.flat_map(|test| test.values.iter().map(|value| &*value.text))
}

/// Bounds, what is just beside them, and what is between each two.
fn around(mut bounds: Vec<f64>) -> Vec<f64> {
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    bounds.truncate(MOST_TRIED);
    let between = bounds.windows(2).map(|pair| pair.iter().sum::<f64>() / 2.0).collect::<Vec<f64>>();
    let beside = bounds.iter().flat_map(|bound| [bound - 1.0, *bound, bound + 1.0]);
    beside.chain(between).collect()
}

/// The range itself, its first and last address, and those just outside.
fn ends(range: &str) -> Vec<String> {
    let Some((address, bits)) = prefix(range) else { return Vec::new() };
    let around = |first: u128, last: u128, most: u128, text: &dyn Fn(u128) -> String| {
        let outside = [first.checked_sub(1), last.checked_add(1).filter(|address| *address <= most)];
        let mut all = vec![range.to_owned(), text(first), text(last)];
        all.extend(outside.into_iter().flatten().map(text));
        all
    };
    match address {
        IpAddr::V4(address) => {
            let size = u32::MAX.checked_shr(bits).unwrap_or(0);
            let first = u32::from(address) & !size;
            let text = |address: u128| std::net::Ipv4Addr::from(u32::try_from(address).unwrap_or(u32::MAX)).to_string();
            around(first.into(), (first | size).into(), u32::MAX.into(), &text)
        }
        IpAddr::V6(address) => {
            let size = u128::MAX.checked_shr(bits).unwrap_or(0);
            let first = u128::from(address) & !size;
            around(first, first | size, u128::MAX, &|address| std::net::Ipv6Addr::from(address).to_string())
        }
    }
}

/// A time by which requests had to come.
fn date_passed(checker: &mut Checker<'_>, statement: &Statement<'_>, test: &Test<'_>) {
    let Some((None, operator, _)) = test.operator else { return };
    let is_clock = matches!(&*test.lower, "aws:currenttime" | "aws:epochtime");
    let is_until = matches!(
        operator,
        O::DateLessThan | O::DateLessThanEquals | O::DateEquals | O::NumericLessThan | O::NumericLessThanEquals
    );
    let times: Option<Vec<jiff::Timestamp>> = test.values.iter().map(|value| time(&value.text)).collect();
    if let Some(last) = times.and_then(|times| times.into_iter().max())
        && is_clock
        && is_until
        && last < checker.now
    {
        let effect = if statement.denies() { "nothing is denied any more" } else { "nothing is allowed any more" };
        checker.findings.add(&checks::DATE_PASSED, &test.key_span, format!("this ended on {last}: {effect}"));
    }
}
