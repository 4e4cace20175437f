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

#[test]
fn a_choice_of_labels_may_stand_anywhere_in_a_pattern() {
    let graph = nepho_graph::fixture::graph_from_cypher(&[
        "CREATE (a:A {n: 1})-[:R]->(b:B {n: 2})-[:S]->(c:C {n: 3}), (a)-[:R]->(c)",
    ])
    .unwrap();
    let count = |text: &str| {
        let query = nepho_graph::Query::compile(&nepho_graph::Schema::open(), text).unwrap();
        let rows = query.run(&graph, &nepho_graph::Parameters::new(), &nepho_graph::Limits::default()).unwrap();
        format!("{:?}", rows.rows)
    };
    for (text, expected) in [
        ("MATCH (a:A|B)-->(b:C) RETURN count(*)", "[[Int(2)]]"),
        ("MATCH (a:A|B), (b:C)<--(c:B) RETURN count(*)", "[[Int(2)]]"),
        ("MATCH p = (:A|B)-[:R|S]->(c:(A|C)&!B {n: 3}) RETURN count(p)", "[[Int(2)]]"),
        ("MATCH (a:!(A|B)) RETURN a.n", "[[Int(3)]]"),
        ("MATCH (x:A|B|C) WHERE EXISTS { (x)-->(:B|C) } RETURN count(x)", "[[Int(2)]]"),
        ("MATCH (x) WHERE (x:A|B) AND (x)-->(:C) RETURN count(x)", "[[Int(2)]]"),
        (
            "MATCH (x:A|B) RETURN [y IN [1, 2] WHERE y > 1 | y] AS l, [(x)-->(z:B|C) | z.n] AS m ORDER BY size(m)",
            "[[List([Int(2)]), List([Int(3)])], [List([Int(2)]), List([Int(2), Int(3)])]]",
        ),
    ] {
        assert_eq!(count(text), expected, "{text}");
    }
}

#[test]
fn places_in_errors_are_those_of_the_text_as_it_was_written() {
    let text = "MATCH (a:A|B)-->(b:C|D) RETURN collect(a), c";
    let error = nepho_graph::Query::compile(&nepho_graph::Schema::open(), text).unwrap_err();
    assert_eq!(&text[error.span], "c");
}

#[test]
fn ends_of_a_long_relation_beside_a_subquery() {
    let graph = nepho_graph::fixture::graph_from_cypher(&["CREATE (a:A {n: 1})-[:R]->(b:B {n: 2})-[:R]->(c:B {n: 3})"]);
    let text = "MATCH (a:A)-[:R*1..3]->(b) WHERE b.n > 2 WITH DISTINCT b WHERE EXISTS { (b)<--() } RETURN b.n AS n \
                UNION MATCH (a:A)-[:R*0..3]->(b) WHERE b.n > 2 AND EXISTS { (a)-->() } RETURN b.n AS n";
    let query = nepho_graph::Query::compile(&nepho_graph::Schema::open(), text).unwrap();
    let rows = query.run(&graph.unwrap(), &nepho_graph::Parameters::new(), &nepho_graph::Limits::default()).unwrap();
    assert_eq!(format!("{:?}", rows.rows), "[[Int(3)]]");
}

#[test]
fn a_list_of_relations_that_is_passed_on_tells_rows_apart() {
    let graph = nepho_graph::fixture::graph_from_cypher(&["CREATE (a)-[:R]->(a), (a)-[:R]->(a)"]).unwrap();
    let text = "MATCH ()-[v*1..3]-() WITH DISTINCT v RETURN count(*)";
    let query = nepho_graph::Query::compile(&nepho_graph::Schema::open(), text).unwrap();
    let rows = query.run(&graph, &nepho_graph::Parameters::new(), &nepho_graph::Limits::default()).unwrap();
    assert_eq!(format!("{:?}", rows.rows), "[[Int(4)]]");
}

#[test]
fn a_count_beside_a_number_ends_where_that_is_decided() {
    let loops = "CREATE (n) ".to_owned() + &"CREATE (n)-[:R]->(n) ".repeat(14);
    for (condition, expected) in [("> 1", 1), ("<= 1", 0), ("= 3", 0), ("<> 3", 1), (">= 1", 1), ("< 100", 0)] {
        let text = format!("MATCH (m) WHERE COUNT {{ MATCH (a)-[:R*]-(b) }} {condition} RETURN count(*)");
        assert_eq!(rows(&loops, &text), format!("[[{expected}]]"), "{condition}");
    }
    let text = "UNWIND [0, 5, 1, 2] AS x RETURN COUNT { MATCH (a)-[:R]->(b) } > x";
    assert_eq!(rows("CREATE (n)-[:R]->(n), (n)-[:R]->()", text), "[[true],[false],[true],[false]]");
}

#[test]
fn circles_are_found_from_whichever_side_has_fewer_neighbours() {
    let graph = "CREATE (a:A {n: 1}), (b:A {n: 2}), (c:A {n: 3}), (d:A {n: 4}), \
                 (a)-[:R]->(b), (b)-[:R]->(c), (b)-[:R]->(c), (a)-[:R]->(c), (a)-[:S]->(c), (a)-[:S]->(d), (c)-[:R]->(a), \
                 (b)-[:R]->(b), (d)-[:R]->(c), (b)-[:R]->(d), (b)-[:S]->(d), (a)-[:R]->(a)";
    // The second clause is walked after the first, and says in words that no relation may be the same.
    for (open, closing, unlike) in [
        ("(a)-[r:R]->(b)-[s:R]->(c)", "(c)<-[t:R]-(a)", "t <> r AND t <> s"),
        ("(a)-[r:R]->(b)-[s:R]->(c)", "(c)<-[t:S]-(a)", "true"),
        ("(a)-[r:R]->(b)-[s:R]->(c)", "(c)<-[t:R|S]-(a)", "t <> r AND t <> s"),
        ("(a)-[r:R]->(b)-[s:R]->(c)", "(c)-[t:R]->(a)", "t <> r AND t <> s"),
        ("(a)-[r:R]-(b)-[s:R]-(c)", "(c)-[t:R]-(a)", "t <> r AND t <> s"),
        ("(a)-[r:S]->(b), (c)-[s:R]-(b)", "(a)-[t]-(c)", "t <> r AND t <> s"),
    ] {
        let once = rows(graph, &format!("MATCH {open}, {closing} RETURN count(*)"));
        let twice = rows(graph, &format!("MATCH {open} MATCH {closing} WHERE {unlike} RETURN count(*)"));
        assert_eq!(once, twice, "{open}, {closing}");
        assert_ne!(once, "[[0]]", "{open}, {closing}");
    }
    let four = "(a)-[r:R]->(b)-[s:R]->(c)<-[t:R|S]-(a), (a)-[u:R|S]->(d), (b)-[v:R|S]->(d)";
    let once = rows(graph, &format!("MATCH {four}, (c)-[w:R]-(d) RETURN count(*)"));
    let unlike = "NOT w IN [r, s, t, u, v]";
    let twice = rows(graph, &format!("MATCH {four} MATCH (c)-[w:R]-(d) WHERE {unlike} RETURN count(*)"));
    assert_eq!(once, twice);
    assert_ne!(once, "[[0]]");
}
