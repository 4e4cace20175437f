//! What the conformance kit does not try: repeated parts of paths, choices among paths, type expressions, paths as
//! values, time zones, and what errors say.
//!
//! The graph is small enough to see every answer:
//!
//! ```text
//! (a:A 1) -R 1-> (b:B 2) -R 2-> (c:C 3) -S-> (d:D 4) -R 3-> (a)      (a) -S-> (c)
//! ```

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "helpers of tests")]

use nepho_graph::{ErrorCode, Graph, GraphBuilder, Limits, Parameters, PropertyType, Query, Schema};
use nepho_model::Value;

const GRAPH: &str = "CREATE (a:A {n: 1})-[:R {w: 1}]->(b:B {n: 2})-[:R {w: 2}]->(c:C {n: 3})-[:S]->(d:D {n: 4})-[:R {w: \
                     3}]->(a), (a)-[:S]->(c)";

fn graph() -> Graph {
    nepho_graph::fixture::graph_from_cypher(&[GRAPH]).unwrap()
}

fn rows(graph: &Graph, text: &str) -> String {
    let query = Query::compile(&Schema::open(), text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let found = query.run(graph, &Parameters::new(), &Limits::default());
    let found = found.unwrap_or_else(|error| panic!("{text}: {error}"));
    let mut rows: Vec<String> =
        found.to_json(graph)["rows"].as_array().unwrap().iter().map(ToString::to_string).collect();
    if !text.contains("ORDER BY") {
        rows.sort();
    }
    rows.join(" ")
}

fn check(cases: &[(&str, &str)]) {
    let graph = graph();
    for (text, expected) in cases {
        assert_eq!(rows(&graph, text), *expected, "{text}");
    }
}

#[test]
fn parts_of_a_path_repeat() {
    const LISTS: &str = "RETURN [i IN x | i.n], [i IN y | i.n], z.n";
    let lists = |pattern: &str| format!("MATCH (a:A) {pattern} (z) {LISTS}");
    let graph = graph();
    for (pattern, expected) in [
        ("((x)-[:R]->(y)){1,3}", "[[1,2],[2,3],3] [[1],[2],2]"),
        ("((x)-[:R]->(y)){0,2}", "[[1,2],[2,3],3] [[1],[2],2] [[],[],1]"),
        ("((x)-[:R]->(y))+", "[[1,2],[2,3],3] [[1],[2],2]"),
        ("((x)-[:R]->(y))*", "[[1,2],[2,3],3] [[1],[2],2] [[],[],1]"),
        ("((x)-[:R]->(y)){2}", "[[1,2],[2,3],3]"),
        // Conditions of every step, written out and (without an upper bound) afterwards.
        ("((x)-[r:R]->(y) WHERE r.w < 2){1,3}", "[[1],[2],2]"),
        ("((x)-[r:R]->(y) WHERE r.w < 2)+", "[[1],[2],2]"),
        ("((x)-[r:R WHERE r.w < 2]->(y))+", "[[1],[2],2]"),
        ("((x)-[:R {w: 1}]->(y))+", "[[1],[2],2]"),
        ("((x)-[:R]->(y {n: 2}))+", "[[1],[2],2]"),
        ("((x)-[:R]->(y:B))+", "[[1],[2],2]"),
        ("((x)-[:R]->(y:B)){1,2}", "[[1],[2],2]"),
        ("((x:A)-[]->(y) WHERE x.n < y.n)+", "[[1],[2],2] [[1],[3],3]"),
        ("((x)-[:!R]->(y))+", "[[1,3],[3,4],4] [[1],[3],3]"),
        // Backwards.
        ("((x)<-[:R]-(y))+", "[[1],[4],4]"),
        // Several relations.
        ("((x)-[:R]->()-[:R]->(y)){1,2}", "[[1],[3],3]"),
        ("((x)-[:S]->()-[:S]->(y)){0,1}", "[[1],[4],4] [[],[],1]"),
        // Two parts beside each other.
        ("((x)-[:R]->()){2} (()-[:S]->(y))", "[[1,2],4,4]"),
    ] {
        let text = lists(pattern);
        let text = if pattern.ends_with("(y))") { text.replace("[i IN y | i.n]", "y.n") } else { text };
        assert_eq!(rows(&graph, &text), expected, "{pattern}");
    }
    check(&[
        ("MATCH p = (:A) ((x)-[:R]->(y)){1,3} (z) RETURN length(p), size(x)", "[1,1] [2,2]"),
        ("MATCH p = (:A) (()-[:R]->(m)-[:R]->()){1} (z) RETURN [i IN nodes(p) | i.n], [i IN m | i.n]", "[[1,2,3],[2]]"),
        ("MATCH (:A) (q = (x)-[:R]->(y)){1,2} (z) RETURN [i IN q | length(i)], z.n", "[[1,1],3] [[1],2]"),
        ("MATCH (:A) ((x)-[r:R]->(y)){2} RETURN [i IN r | i.w]", "[[1,2]]"),
        // The variables stand in WHERE too.
        ("MATCH (:A) ((x)-[:R]->(y)){1,3} (z) WHERE size(x) = 2 AND z:C RETURN z.n", "[3]"),
        // In parentheses, and not repeated: no lists.
        ("MATCH (:A) ((x)-[:R]->(y)) (z) RETURN x.n, y.n, z.n", "[1,2,2]"),
        ("MATCH ((x)-[:R]->(y) WHERE x.n > 1) RETURN x.n, y.n", "[2,3] [4,1]"),
        // Both ends bound before; none taken: they are one.
        ("MATCH (a:A), (d:D) MATCH (a) ((x)-[:S]->(y)){0,2} (d) RETURN [i IN x | i.n]", "[[1,3]]"),
        ("MATCH (d:D) MATCH (a) ((x)-[:S]->(y)){0,2} (d) RETURN a.n, size(x)", "[1,2] [3,1] [4,0]"),
        ("MATCH (a:A) MATCH (a) ((x)-->(y)){0,4} (a) RETURN size(x)", "[0] [3] [4]"),
        // OPTIONAL over all the forms together.
        (
            "MATCH (a) OPTIONAL MATCH (a) ((x)-[:S]->(y)){1,2} (z) RETURN a.n, z.n",
            "[1,3] [1,4] [2,null] [3,4] [4,null]",
        ),
        ("MATCH (a) WHERE EXISTS { (a) ((x)-[:S]->(y)){2} (:D) } RETURN a.n", "[1]"),
        (
            "MATCH (a) RETURN a.n, COUNT { (a) ((x)-[:S]->(y) WHERE y.n > 0){1,2} (z) } AS c ORDER BY a.n",
            "[1,2] [2,0] [3,1] [4,0]",
        ),
        // Each relation once in the whole pattern.
        ("MATCH (:A)-[:R]->() ((x)-[:R]->(y)){1,3} (z) RETURN z.n", "[3]"),
    ]);
}

/// A repeated part is the same as its repetitions written by hand.
#[test]
fn a_repeated_part_is_what_it_is_written_out() {
    let graph = graph();
    let condition = "coalesce(r.w, 0) < 3 AND x.n <> 2 OR y.n = 3";
    let step = |at: usize| {
        condition
            .replace("r.", &format!("r{at}."))
            .replace("x.", &format!("n{}.", at - 1))
            .replace("y.", &format!("n{at}."))
    };
    let mut by_hand = Vec::new();
    for times in 1..=4 {
        let path: String = (1..=times).map(|at| format!("-[r{at}]-(n{at})")).collect();
        let conditions: Vec<String> = (1..=times).map(|at| format!("({})", step(at))).collect();
        let text = format!("MATCH (n0){path} WHERE {} RETURN n0.n, n{times}.n, {times}", conditions.join(" AND "));
        by_hand.extend(rows(&graph, &text).split_whitespace().map(str::to_owned));
    }
    by_hand.sort();
    assert!(by_hand.len() > 20);
    for times in ["{1,4}", "{1,}"] {
        let text = format!(
            "MATCH (a) ((x)-[r]-(y) WHERE {condition}){times} (z) WITH a, z, size(r) AS s WHERE s < 5 RETURN a.n, z.n, s"
        );
        assert_eq!(rows(&graph, &text), by_hand.join(" "), "{times}");
    }
}

#[test]
fn paths_are_chosen() {
    check(&[
        ("MATCH p = ANY SHORTEST (:A)-[*]->(:D) RETURN length(p)", "[2]"),
        ("MATCH p = ALL SHORTEST (:A)-[*]->(:D) RETURN length(p)", "[2]"),
        ("MATCH p = SHORTEST 2 (:A)-[*]->(:D) RETURN length(p)", "[2] [3]"),
        ("MATCH p = SHORTEST 1 (:A)-[*3..]->(:D) RETURN length(p)", "[3]"),
        ("MATCH p = SHORTEST 1 GROUP (:A)-[*]->(:D) RETURN length(p)", "[2]"),
        ("MATCH p = SHORTEST 2 GROUPS (:A)-[*]->(:D) RETURN length(p)", "[2] [3]"),
        ("MATCH p = ANY 2 (:A)-[*]->(:D) RETURN length(p)", "[2] [3]"),
        ("MATCH p = ANY SHORTEST (:A)-[:R]->()-[*]->(:D) RETURN length(p)", "[3]"),
        ("MATCH p = ANY SHORTEST (:A) ((x)-->(y) WHERE x.n < y.n)+ (z) RETURN z.n, length(p)", "[2,1] [3,1] [4,2]"),
        // The condition asks of what was chosen, one for each pair of ends.
        ("MATCH p = SHORTEST 2 (:A)-[*]->(z) WHERE length(p) = 2 RETURN z.n", "[3] [4]"),
        ("MATCH p = SHORTEST 1 (:A)-[*]->(z) WHERE length(p) > 1 RETURN z.n", "[4]"),
        ("MATCH (b:B) OPTIONAL MATCH p = SHORTEST 2 (b)-[:S*]->(z) RETURN b.n, z", "[2,null]"),
        // Paths as values.
        ("MATCH (a:A), (d:D) RETURN length(shortestPath((a)-[*]->(d)))", "[2]"),
        ("MATCH (a:A), (d:D) RETURN shortestPath((d)-[:S*]->(a))", "[null]"),
        ("MATCH (a:A), (c:C) RETURN size(allShortestPaths((a)-[*]-(c)))", "[1]"),
        ("MATCH (a:A), (d) WHERE length(shortestPath((a)-[*]->(d))) = 1 RETURN d.n", "[2] [3]"),
    ]);
}

#[test]
fn types_are_expressions() {
    check(&[
        ("MATCH ()-[r:!R]->() RETURN type(r)", r#"["S"] ["S"]"#),
        ("MATCH ()-[r:R&!S]->() RETURN count(r)", "[3]"),
        ("MATCH ()-[r:R|S]->() RETURN count(r)", "[5]"),
        ("MATCH ()-[r:%]->() RETURN count(r)", "[5]"),
        ("MATCH (:A)-[r:!R*1..2]->(z) RETURN z.n", "[3] [4]"),
        ("MATCH (:A)-[r:R*1..3 WHERE r.w < 3]->(z) RETURN z.n", "[2] [3]"),
    ]);
    // A catalogue knows which types there are: a name that it lacks is a mistake.
    let mut schema = Schema::closed();
    schema.add_kind("k", ["K"], [("p", PropertyType::Int)]);
    schema.add_relation("R", "k", "k");
    schema.add_relation("S", "k", "k");
    let mut builder = GraphBuilder::new(schema.clone());
    let null = || Value::Null;
    let (a, b) = (
        builder.add_node("k", "a", "1", "", null(), null(), vec![]),
        builder.add_node("k", "b", "1", "", null(), null(), vec![]),
    );
    builder.add_relation(a, "S", b, vec![]);
    let graph = builder.finish();
    let query = Query::compile(&schema, "MATCH (x)-[:!R]->(y) RETURN x.key, y.key").unwrap();
    let found = query.run(&graph, &Parameters::new(), &Limits::default()).unwrap();
    assert_eq!(found.to_json(&graph)["rows"].to_string(), r#"[["a","b"]]"#);
    let error = Query::compile(&schema, "MATCH (x)-[:!Q]->(y) RETURN x").unwrap_err();
    assert_eq!((error.code, error.message.as_str()), (ErrorCode::UnknownName, "there is no relation type `Q`"));
}

/// Changes of the clocks in Stockholm in 2017: 26 March 02:00 to 03:00, 29 October 03:00 back to 02:00.
#[test]
fn time_zones_have_their_days() {
    const ZONE: &str = "[Europe/Stockholm]";
    let value = |text: &str| rows(&graph(), &format!("RETURN toString({text})"));
    for (text, expected) in [
        ("datetime('2017-03-26T02:30[Europe/Stockholm]')", "2017-03-26T03:30+02:00[Europe/Stockholm]"),
        ("datetime('2017-10-29T02:30[Europe/Stockholm]')", "2017-10-29T02:30+02:00[Europe/Stockholm]"),
        ("datetime('2017-10-29T02:30+01:00[Europe/Stockholm]')", "2017-10-29T02:30+01:00[Europe/Stockholm]"),
        (
            "datetime('2017-10-28T12:00[Europe/Stockholm]') + duration('P1D')",
            "2017-10-29T12:00+01:00[Europe/Stockholm]",
        ),
        (
            "datetime('2017-10-28T12:00[Europe/Stockholm]') + duration('PT24H')",
            "2017-10-29T11:00+01:00[Europe/Stockholm]",
        ),
        (
            "datetime('2017-03-26T12:00[Europe/Stockholm]') - duration('P1D')",
            "2017-03-25T12:00+01:00[Europe/Stockholm]",
        ),
        (
            "duration.inSeconds(datetime('2017-10-29T00:00[Europe/Stockholm]'), datetime('2017-10-30T00:00[Europe/Stockholm]'))",
            "PT25H",
        ),
        (
            "duration.between(datetime('2017-10-28T00:00[Europe/Stockholm]'), datetime('2017-10-29T12:00[Europe/Stockholm]'))",
            "P1DT13H",
        ),
        (
            "duration.inDays(datetime('2017-10-28T00:00[Europe/Stockholm]'), datetime('2017-10-29T00:00[Europe/Stockholm]'))",
            "P1D",
        ),
        (
            "datetime.truncate('day', datetime('2017-10-29T12:00[Europe/Stockholm]'))",
            "2017-10-29T00:00+02:00[Europe/Stockholm]",
        ),
        (
            "datetime({datetime: datetime('2017-10-29T12:00Z'), timezone: 'europe/stockholm'})",
            "2017-10-29T13:00+01:00[Europe/Stockholm]",
        ),
        (
            "datetime({datetime: datetime('2017-01-01T12:00[Europe/Stockholm]'), month: 7})",
            "2017-07-01T12:00+02:00[Europe/Stockholm]",
        ),
        ("datetime('2017-07-01T12:00[Europe/Stockholm]') = datetime('2017-07-01T10:00Z')", "true"),
    ] {
        assert_eq!(value(text), format!(r#"["{expected}"]"#), "{text}");
    }
    for (text, message) in [
        ("datetime('2017-10-29T12:00+05:00[Europe/Stockholm]')", "`Europe/Stockholm` has another offset at that time"),
        ("datetime('2017-10-29T12:00[Europe/Nowhere]')", "there is no time zone `Europe/Nowhere`"),
        (
            "time('12:00[Europe/Stockholm]')",
            "which offset `Europe/Stockholm` has depends on the day, and a time of day has none",
        ),
    ] {
        let query = Query::compile(&Schema::open(), &format!("RETURN {text}")).unwrap();
        let error = query.run(&graph(), &Parameters::new(), &Limits::default()).unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (ErrorCode::InvalidArgumentValue, message), "{text} {ZONE}");
    }
}

#[test]
fn errors_say_what_to_do() {
    for (text, code, at, message, help) in [
        (
            "MATCH (n) RETURN DISTINCT n.s ORDER BY n.n",
            ErrorCode::UndefinedVariable,
            "n",
            "after DISTINCT or an aggregation ORDER BY sees only the columns, and `n` is not one of them",
            "make `n`, or what is asked of it, a column",
        ),
        (
            "MATCH (n) WITH count(n) AS c WHERE n.n > 1 RETURN c",
            ErrorCode::UndefinedVariable,
            "n",
            "after DISTINCT or an aggregation WHERE sees only the columns, and `n` is not one of them",
            "make `n`, or what is asked of it, a column",
        ),
        (
            "MATCH (n) WITH n.n AS x RETURN n",
            ErrorCode::UndefinedVariable,
            "n",
            "variable `n` is not defined",
            "WITH passes on only what it names: add `n` to it",
        ),
        (
            "MATCH (n) RETURN n.n ORDER BY n.s NULLS FIRST",
            ErrorCode::Unsupported,
            "NULLS",
            "NULLS FIRST and NULLS LAST are not supported",
            "nulls come last; order by `x IS NOT NULL, x` to have them first",
        ),
        (
            "FOREACH (x IN [1] | CREATE (n))",
            ErrorCode::Write,
            "FOREACH",
            "FOREACH writes, and queries only read the graph",
            "use MATCH, WITH, UNWIND and RETURN",
        ),
        (
            "MATCH (n) SET n.x = 1",
            ErrorCode::Write,
            "SET n.x = 1",
            "SET writes, and queries only read the graph",
            "use MATCH, WITH, UNWIND and RETURN",
        ),
        (
            "MATCH (n) CALL { WITH n RETURN 1 AS x } RETURN x",
            ErrorCode::Unsupported,
            "{",
            "CALL with a query in braces is not supported",
            "use `EXISTS { … }`, `COUNT { … }` or `COLLECT { … }`, or WITH",
        ),
        (
            "MATCH (n) ((x)-->()-->(y))+ (z) RETURN 1",
            ErrorCode::Unsupported,
            "((x)-->()-->(y))+",
            "a repeated part of several relations, or with a path variable, needs an upper bound",
            "write `{1,5}` instead of `+`",
        ),
        (
            "MATCH (x) ((x)-->(y)){1,2} (z) RETURN 1",
            ErrorCode::VariableAlreadyBound,
            "x",
            "variable `x` is already bound",
            "a variable of a repeated part cannot be one from outside: compare them in WHERE",
        ),
        (
            "MATCH p = shortestPath((a)-[*3..]->(b)) RETURN p",
            ErrorCode::Unsupported,
            "p = shortestPath((a)-[*3..]->(b))",
            "a shortest path begins with length 0 or 1",
            "write `MATCH p = SHORTEST 1 (a)-[*3..]->(b)`",
        ),
    ] {
        let error = Query::compile(&Schema::open(), text).unwrap_err();
        assert_eq!(error.code, code, "{text}: {error}");
        assert_eq!(text.get(error.span.clone()), Some(at), "{text}");
        assert_eq!((error.message.as_str(), error.help.as_deref()), (message, Some(help)), "{text}");
    }
    for (text, message, help) in [
        ("MATCH (n) RETRUN n", "unexpected `RETRUN`; expected `WHERE`, ", Some("did you mean `RETURN`?")),
        ("MATCH (n RETURN n", "unclosed delimiter `(`", Some("add `)`")),
        ("MATCH (n) WHERE", "unexpected end of input; expected an expression", None),
    ] {
        let error = Query::compile(&Schema::open(), text).unwrap_err();
        assert!(error.message.starts_with(message), "{text}: {}", error.message);
        assert_eq!((error.code, error.help.as_deref()), (ErrorCode::UnexpectedSyntax, help), "{text}");
    }
    let nested =
        Query::compile(&Schema::open(), "MATCH (n) WHERE EXISTS { MATCH (n) SET n.x = 1 } RETURN n").unwrap_err();
    assert_eq!(nested.code, ErrorCode::InvalidClauseComposition);
}

/// What a form misses may make a row of it: then the answer says so, and what is optional is unknown, not null.
#[test]
fn what_was_not_read_counts_in_every_form() {
    let mut schema = Schema::closed();
    schema.add_kind("k", ["K"], [("p", PropertyType::Int)]);
    schema.add_relation("R", "k", "k");
    let mut builder = GraphBuilder::new(schema.clone());
    let a = builder.add_node("k", "a", "1", "", Value::Null, Value::Null, vec![]);
    builder.mark_unknown_relation(a, "R");
    let graph = builder.finish();
    for (text, expected) in [
        (
            "MATCH (a) OPTIONAL MATCH (a) ((x)-[:R]->(y) WHERE y.name IS NULL){1,2} (z) RETURN z",
            r#"[[{"unknown":true}]]"#,
        ),
        ("MATCH (a) OPTIONAL MATCH (a) ((x)-[:R]->(y) WHERE y.name IS NULL){0,2} (z) RETURN z.key", r#"[["a"]]"#),
        ("MATCH (a) RETURN EXISTS { (a) ((x)-[:R]->(y)-[:R]->()){1,2} (z) } AS e", r#"[[{"unknown":true}]]"#),
    ] {
        let query = Query::compile(&schema, text).unwrap();
        let found = query.run(&graph, &Parameters::new(), &Limits::default()).unwrap();
        assert_eq!(found.to_json(&graph)["rows"].to_string(), expected, "{text}");
        assert_eq!(found.incomplete, !text.contains("EXISTS") && expected.contains("\"a\""), "{text}");
    }
}
