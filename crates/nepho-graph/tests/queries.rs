//! Single queries over small graphs: what the conformance kit does not ask, and what once went wrong.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "helpers of tests")]

use nepho_graph::{Limits, Parameters, Query, Schema, fixture};

/// The rows as JSON.
fn rows(create: &str, text: &str) -> String {
    let graph = fixture::graph_from_cypher(&[create]).unwrap();
    let query = Query::compile(&Schema::open(), text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let rows = query.run(&graph, &Parameters::new(), &Limits::default()).unwrap();
    rows.to_json(&graph)["rows"].to_string()
}

#[test]
fn one_aggregation_may_stand_in_several_columns() {
    let text = "MATCH (n) WITH min(n.p) AS least RETURN least, count(*) AS one, count(*) AS other";
    assert_eq!(rows("CREATE ({p: 2}), ({p: 3})", text), "[[2,1,1]]");
}
