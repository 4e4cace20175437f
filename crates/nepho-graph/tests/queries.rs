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

#[test]
fn values_that_share_their_parts_are_bounded_by_what_they_would_be_written_out() {
    let graph = fixture::graph_from_cypher(&["CREATE ()"]).unwrap();
    for text in [
        "RETURN size(reduce(a = [1], x IN range(1, 100) | [a, a]))",
        "RETURN size(reduce(a = {x: 1}, x IN range(1, 90) | {x: a, y: a}))",
        "RETURN size(reduce(a = [[1]], x IN range(1, 200) | a + a + [a]))",
        "WITH range(1, 100000) AS a RETURN size([x IN a | a])",
        "WITH range(1, 100000) AS a UNWIND a AS x RETURN size(collect(a))",
    ] {
        let query = Query::compile(&Schema::open(), text).unwrap();
        let limits = Limits { memory_rows: 200_000, ..Limits::default() };
        let error = query.run(&graph, &Parameters::new(), &limits).unwrap_err();
        assert_eq!(error.message, "a list or map would be nested too deeply or grow too large", "{text}");
    }
    assert_eq!(rows("CREATE ()", "RETURN size(reduce(a = [], x IN range(1, 90) | [a]))"), "[[1]]");
}

#[test]
fn a_message_is_one_line_whatever_it_quotes() {
    let graph = fixture::graph_from_cypher(&["CREATE ()"]).unwrap();
    let query = Query::compile(&Schema::open(), "RETURN time('12:00\n+01')").unwrap();
    let error = query.run(&graph, &Parameters::new(), &Limits::default()).unwrap_err();
    assert_eq!(error.message, "`12:00 +01` is no ISO 8601 date or time");
}
