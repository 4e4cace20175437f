//! The engine beside a naive evaluator that shares nothing with it, on random graphs and random queries.
//!
//! `NEPHO_DIFFERENTIAL_CASES` is how many queries (and how many conditions) are tried, `NEPHO_DIFFERENTIAL_SEED` the
//! seed; both tests print how many answers were compared. Without them, a run is short and always the same.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "helpers of tests")]

mod evaluate;
mod expression;
mod generate;
mod graph;
mod matching;
mod query;
mod shrink;
mod value;

use std::cell::Cell;
use std::time::Duration;

use nepho_graph::{Condition, Limits, Parameters};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestError, TestRunner};

use evaluate::{Answer, Evaluator, by_keys};
use graph::{Graph, KINDS};
use query::{Clause, Expr, Query};
use value::{Truth, Value, order_rows, same_row, without_list_order};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// The answers agree; how many rows (or nodes judged) there are.
    Same(usize),
    /// They cannot be compared: the reference gives up, or several answers are right.
    Open,
    /// They do not agree; the kind of difference, and the difference.
    Different(&'static str, String),
}

fn judge_query(graph: &Graph, query: &Query) -> Verdict {
    let Ok(least) = Evaluator::new(graph, false).query(query) else { return Verdict::Open };
    let Ok(most) = Evaluator::new(graph, true).query(query) else { return Verdict::Open };
    let engine = graph.build();
    let compiled = match nepho_graph::Query::compile(&graph.schema(), &query.to_string()) {
        Ok(compiled) => compiled,
        Err(error) => return Verdict::Different("is refused", error.to_string()),
    };
    let limits = Limits { time: Some(Duration::from_secs(20)), ..Limits::default() };
    let found = match compiled.run(&engine, &Parameters::new(), &limits) {
        Ok(rows) => rows,
        Err(error) => return Verdict::Different("ends in an error", error.to_string()),
    };
    let values = |row: &Vec<_>| row.iter().map(|value| Graph::from_engine(&engine, value)).collect::<Option<Vec<_>>>();
    let Some(rows) = found.rows.iter().map(values).collect::<Option<Vec<_>>>() else {
        return Verdict::Different("has values of no graph", format!("{:?}", found.rows));
    };
    if least.open || most.open || !same_rows(query, &plain(&least), &plain(&most)) {
        return Verdict::Open;
    }
    if let Err(why) = compare_rows(query, &least, &rows) {
        return Verdict::Different(
            "has other rows",
            format!("{why}\nexpected: {:?}\n   found: {rows:?}", plain(&least)),
        );
    }
    match (least.incomplete, found.incomplete, most.incomplete) {
        (true, false, _) => Verdict::Different("claims to be complete", "rows may be missing".to_owned()),
        // With what is unknown for certain, an optional pattern may find nothing where else it finds some of its rows.
        (false, true, false) => Verdict::Different("claims to be incomplete", "no row can be missing".to_owned()),
        _ => Verdict::Same(rows.len()),
    }
}

fn plain(answer: &Answer) -> Vec<Vec<Value>> {
    answer.rows.iter().map(|(row, _)| row.clone()).collect()
}

fn sorted(query: &Query, rows: &[Vec<Value>]) -> Vec<Vec<Value>> {
    let collects = query.parts.iter().flatten().any(|clause| match clause {
        Clause::With { projection, .. } | Clause::Return(projection) => {
            projection.items.iter().any(|(expr, _)| matches!(expr, Expr::Aggregate("collect", ..)))
        }
        _ => false,
    });
    let mut rows = rows.to_vec();
    if collects {
        rows = rows.iter().map(|row| row.iter().map(without_list_order).collect()).collect();
    }
    rows.sort_by(|left, right| order_rows(left, right));
    rows
}

fn same_rows(query: &Query, left: &[Vec<Value>], right: &[Vec<Value>]) -> bool {
    let (left, right) = (sorted(query, left), sorted(query, right));
    left.len() == right.len() && left.iter().zip(&right).all(|(left, right)| same_row(left, right))
}

fn compare_rows(query: &Query, wanted: &Answer, found: &[Vec<Value>]) -> Result<(), String> {
    if wanted.rows.len() != found.len() {
        return Err(format!("{} rows instead of {}", found.len(), wanted.rows.len()));
    }
    match &wanted.before_cut {
        // Any of the rows before the cut, none more often than it is there.
        Some(all) => {
            let mut rest = sorted(query, all);
            for row in sorted(query, found) {
                let Some(at) = rest.iter().position(|known| same_row(known, &row)) else {
                    return Err(format!("no row {row:?}"));
                };
                rest.remove(at);
            }
        }
        None if !same_rows(query, &plain(wanted), found) => return Err("other rows".to_owned()),
        None => {}
    }
    // Row by row, but rows of the same order may change places.
    if wanted.before_cut.is_none() && !wanted.descending.is_empty() {
        let mut at = 0;
        while at < wanted.rows.len() {
            let keys = &wanted.rows[at].1;
            let tied = wanted.rows[at..].iter().take_while(|row| by_keys(&row.1, keys, &wanted.descending).is_eq());
            let end = at + tied.count();
            let tied: Vec<_> = wanted.rows[at..end].iter().map(|(row, _)| row.clone()).collect();
            if !same_rows(query, &tied, &found[at..end]) {
                return Err(format!("rows {at} to {end} are in another order"));
            }
            at = end;
        }
    }
    Ok(())
}

/// The condition at every node of every kind, both ways in which the engine judges.
fn judge_condition(graph: &Graph, condition: &Expr) -> Verdict {
    let engine = graph.build();
    let mut judged = 0;
    for (kind, (id, _)) in KINDS.iter().enumerate() {
        if id.starts_with(':') || !graph.nodes.iter().any(|node| node.kind == kind) {
            continue;
        }
        let compiled = match Condition::compile(&graph.schema(), id, "r", &condition.to_string()) {
            Ok(compiled) => compiled,
            Err(error) => return Verdict::Different("is refused", error.to_string()),
        };
        let taken = std::sync::Mutex::new(None);
        nepho_graph::judge_all(&engine, &[&compiled], |_, verdicts| *taken.lock().unwrap() = Some(verdicts));
        let Some(verdicts) = taken.into_inner().unwrap() else {
            return Verdict::Different("is not judged", String::new());
        };
        for at in (0..graph.nodes.len()).filter(|at| graph.nodes[*at].kind == kind) {
            let truth = |eager: bool| {
                let mut row = evaluate::Row::default();
                row.set("r", Value::Node(at));
                Evaluator::new(graph, eager).truth(condition, &row)
            };
            let (Ok(least), Ok(most)) = (truth(false), truth(true)) else { continue };
            let id = engine.node_by_key(&Graph::key(at)).unwrap().id();
            let found = [verdicts.at(id).unwrap(), compiled.at(&engine, id)].map(|truth| match truth {
                nepho_graph::Truth::True => Truth::True,
                nepho_graph::Truth::False => Truth::False,
                nepho_graph::Truth::Null => Truth::Null,
                nepho_graph::Truth::Unknown => Truth::Unknown,
            });
            if found[0] != found[1] {
                return Verdict::Different(
                    "is judged in two ways",
                    format!("n{at}: all at once and one by one {found:?}"),
                );
            }
            if least == most {
                judged += 1;
                if found[0] != least {
                    return Verdict::Different(
                        "is judged otherwise",
                        format!("n{at}: expected {least:?}, found {:?}", found[0]),
                    );
                }
            }
        }
    }
    if judged == 0 { Verdict::Open } else { Verdict::Same(judged) }
}

/// The smallest graph and text that still differ in the same way.
fn smallest<T: Clone>(
    mut graph: Graph,
    mut of: T,
    smaller: impl Fn(&T) -> Vec<T>,
    judge: impl Fn(&Graph, &T) -> Verdict,
) -> (Graph, T, String) {
    let Verdict::Different(kind, mut what) = judge(&graph, &of) else {
        return (graph, of, "it differs only now and then".to_owned());
    };
    let reason = |text: &str| text.split('`').next().unwrap_or_default().to_owned();
    let first = reason(&what);
    let differs = |graph: &Graph, of: &T| match judge(graph, of) {
        // A query that is refused for another reason is another one.
        Verdict::Different(now, other) if now == kind && (now != "is refused" || reason(&other) == first) => {
            Some(other)
        }
        _ => None,
    };
    // What is small enough to read is small enough.
    let start = std::time::Instant::now();
    while start.elapsed() < Duration::from_secs(120) {
        let by_query = smaller(&of).into_iter().find_map(|of| Some((graph.clone(), differs(&graph, &of)?, of)));
        let found = by_query.or_else(|| {
            graph.smaller().into_iter().find_map(|graph| {
                let what = differs(&graph, &of)?;
                Some((graph, what, of.clone()))
            })
        });
        match found {
            Some(next) => (graph, what, of) = next,
            None => break,
        }
    }
    (graph, of, format!("{kind}: {what}"))
}

fn number_of(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Tries random numbers until one differs.
fn search<T: Clone + std::fmt::Display>(
    make: impl Fn(&[u16]) -> T,
    smaller: impl Fn(&T) -> Vec<T>,
    judge: impl Fn(&Graph, &T) -> Verdict,
    what: &str,
    graphs: impl Strategy<Value = Graph>,
    share: u64,
) {
    let cases = number_of("NEPHO_DIFFERENTIAL_CASES", 3_000) / share;
    let seed = number_of("NEPHO_DIFFERENTIAL_SEED", 1);
    let mut runner = TestRunner::new(ProptestConfig {
        cases: u32::try_from(cases).unwrap(),
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: 500,
        ..ProptestConfig::default()
    });
    let (same, rows, open) = (Cell::new(0u64), Cell::new(0), Cell::new(0u64));
    let numbers = prop::collection::vec(any::<u16>(), 1..120);
    let result = runner.run(&(graphs, numbers), |(graph, numbers)| {
        match judge(&graph, &make(&numbers)) {
            Verdict::Same(count) => {
                same.set(same.get() + 1);
                rows.set(rows.get() + count);
            }
            Verdict::Open => open.set(open.get() + 1),
            Verdict::Different(kind, _) => return Err(TestCaseError::fail(kind)),
        }
        Ok(())
    });
    println!("{} answers compared ({} {what} in them), {} open", same.get(), rows.get(), open.get());
    match result {
        Ok(()) => assert!(same.get() > cases / 2, "too few could be compared"),
        Err(TestError::Fail(_, (graph, numbers))) => {
            let (graph, of, what) = smallest(graph, make(&numbers), smaller, judge);
            panic!("after {} the same:\n{}\n{of}\n\n{what}", same.get(), graph.text());
        }
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

#[test]
fn queries_give_what_the_reference_gives() {
    search(generate::query, shrink::queries, judge_query, "rows", graph::graphs(), 1);
}

#[test]
fn queries_over_many_nodes_give_what_the_reference_gives() {
    search(generate::query, shrink::queries, judge_query, "rows", graph::wide_graphs(), 50);
}

#[test]
fn conditions_are_judged_as_the_reference_judges() {
    search(generate::condition, shrink::expr, judge_condition, "nodes", graph::graphs(), 1);
}
