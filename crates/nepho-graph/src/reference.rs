//! What people are told of the language, and what the tests hold it to: functions, aggregations, and what unknown means
//! to each operator, function, aggregation and clause.
//!
//! Every example is an expression over one graph, `(a:A {n: 1})-[r:R {w: 1}]->(b:B {n: 2})` with `p` its path, whose
//! clock stands at 2026-11-01. The property `unread` of `a` and its relations of type `UNREAD` could not be read; `u` is
//! `a.unread`. The value of an example is an expression too.

pub use crate::functions::{FunctionDoc, function_docs};

/// An aggregation.
#[derive(Clone, Copy, Debug)]
pub struct AggregationDoc {
    /// How it is called; `x` takes the values 1, 2 and 3 in the example, and 1, 2 and unknown in the last column.
    pub call: &'static str,
    /// One line.
    pub doc: &'static str,
    /// Its value over 1, 2 and 3.
    pub value: &'static str,
    /// Its value over 1, 2 and unknown.
    pub with_unknown: &'static str,
}

/// What something does with unknown.
#[derive(Clone, Copy, Debug)]
pub struct UnknownRule {
    /// The operators, functions or clauses.
    pub of: &'static str,
    /// The rule in words.
    pub rule: &'static str,
    /// Expressions and their values.
    pub examples: &'static [(&'static str, &'static str)],
}

/// Every aggregation.
pub const AGGREGATIONS: &[AggregationDoc] = &[
    of("count(*)", "How many rows.", "3", "3"),
    of("count(x)", "How many values that are not null.", "3", "u"),
    of("count(DISTINCT x)", "How many different values that are not null.", "3", "u"),
    of("sum(x)", "The sum of numbers, or of durations; 0 over none.", "6", "u"),
    of("avg(x)", "The mean of numbers, or of durations; null over none.", "2.0", "u"),
    of("min(x)", "The least value in the order of ORDER BY; null over none.", "1", "u"),
    of("max(x)", "The greatest value in the order of ORDER BY; null over none.", "3", "u"),
    of("collect(x)", "The values that are not null, as a list.", "[1, 2, 3]", "[1, 2, u]"),
    of("collect(DISTINCT x)", "The different values that are not null, as a list.", "[1, 2, 3]", "[1, 2, u]"),
    of("stDev(x)", "The standard deviation of a sample.", "1.0", "u"),
    of("stDevP(x)", "The standard deviation of a population.", "sqrt(2.0 / 3.0)", "u"),
    of(
        "percentileCont(x, 0.25)",
        "The value at a share from 0 to 1, between two values where none is there.",
        "1.5",
        "u",
    ),
    of("percentileDisc(x, 0.25)", "The value at a share from 0 to 1, one of those that are there.", "1", "u"),
];

const fn of(call: &'static str, doc: &'static str, value: &'static str, with_unknown: &'static str) -> AggregationDoc {
    AggregationDoc { call, doc, value, with_unknown }
}

/// Functions that do not follow the rule that one unknown argument makes the value unknown.
pub const LENIENT_FUNCTIONS: &[&str] = &["coalesce"];

/// What unknown means. Functions that are not named follow the last rule but two; aggregations have a table of their own.
pub const UNKNOWN_RULES: &[UnknownRule] = &[
    UnknownRule {
        of: "`AND`",
        rule: "false where one side is false, else unknown",
        examples: &[("false AND u", "false"), ("u AND false", "false"), ("true AND u", "u"), ("null AND u", "u")],
    },
    UnknownRule {
        of: "`OR`",
        rule: "true where one side is true, else unknown",
        examples: &[("true OR u", "true"), ("u OR true", "true"), ("false OR u", "u"), ("null OR u", "u")],
    },
    UnknownRule {
        of: "`XOR`, `NOT`",
        rule: "unknown",
        examples: &[("true XOR u", "u"), ("u XOR null", "u"), ("u XOR u", "u"), ("NOT u", "u")],
    },
    UnknownRule {
        of: "`=`, `<>`, `<`, `<=`, `>`, `>=`",
        rule: "unknown, beside null and itself too",
        examples: &[
            ("u = 1", "u"),
            ("u <> u", "u"),
            ("null < u", "u"),
            ("u <= 'a'", "u"),
            ("1 > u", "u"),
            ("u >= [u]", "u"),
        ],
    },
    UnknownRule {
        of: "`=`, `<>` of lists and maps",
        rule: "what one pair of elements decides is decided, else unknown",
        examples: &[
            ("[1, u] = [2, 1]", "false"),
            ("[1, u] = [1, 2]", "u"),
            ("[u] = []", "false"),
            ("[u, null] = [1, 1]", "u"),
            ("{x: u} = {x: 1}", "u"),
            ("{x: u} = {y: 1}", "false"),
            ("[1, u] <> [2, 1]", "true"),
        ],
    },
    UnknownRule {
        of: "`IS NULL`, `IS NOT NULL`",
        rule: "unknown",
        examples: &[("u IS NULL", "u"), ("u IS NOT NULL", "u")],
    },
    UnknownRule {
        of: "`IN`",
        rule: "true where an element is equal, else unknown where an element, the value or the list is",
        examples: &[
            ("1 IN [1, u]", "true"),
            ("1 IN [2, u]", "u"),
            ("u IN [1]", "u"),
            ("u IN []", "false"),
            ("1 IN u", "u"),
            ("null IN [u]", "u"),
            ("u IN null", "u"),
        ],
    },
    UnknownRule {
        of: "`STARTS WITH`, `ENDS WITH`, `CONTAINS`, `=~`",
        rule: "unknown, beside null too",
        examples: &[
            ("u STARTS WITH 'a'", "u"),
            ("'a' ENDS WITH u", "u"),
            ("u CONTAINS null", "u"),
            ("u =~ 'a.*'", "u"),
            ("'a' =~ u", "u"),
        ],
    },
    UnknownRule {
        of: "`+`, `-`, `*`, `/`, `%`, `^`, `||`, signs",
        rule: "unknown, beside null too",
        examples: &[
            ("u + 1", "u"),
            ("null - u", "u"),
            ("u * 0", "u"),
            ("1 / u", "u"),
            ("u % 2", "u"),
            ("u ^ 0", "u"),
            ("'a' || u", "u"),
            ("'a' + u", "u"),
            ("[1] + u", "u"),
            ("[1] + [u]", "[1, u]"),
            ("date('2024-01-01') + u", "u"),
            ("-u", "u"),
            ("+u", "u"),
        ],
    },
    UnknownRule {
        of: "`.name`, `[index]`, `[from..to]`",
        rule: "unknown where what is read or the index is; an element or field that is unknown is only itself",
        examples: &[
            ("u.x", "u"),
            ("{x: u, y: 1}.y", "1"),
            ("{x: u}.x", "u"),
            ("[1, u][0]", "1"),
            ("[1, u][1]", "u"),
            ("[1, 2][u]", "u"),
            ("u[0]", "u"),
            ("{x: 1}[u]", "u"),
            ("null[u]", "u"),
            ("[1, 2][..u]", "u"),
            ("u[0..1]", "u"),
            ("[1, u, 2][0..2]", "[1, u]"),
        ],
    },
    UnknownRule { of: "`value:Label`", rule: "unknown", examples: &[("u:A", "u"), ("u:!A", "u")] },
    UnknownRule {
        of: "`[…]`, `{…}`, `value {.name}`",
        rule: "a list or map may hold unknown; a projection of unknown is unknown",
        examples: &[
            ("[1, u]", "[1, u]"),
            ("{x: u}", "{x: u}"),
            ("a {.n, .unread}", "{n: 1, unread: u}"),
            ("u {.n}", "u"),
        ],
    },
    UnknownRule {
        of: "`CASE`",
        rule: "unknown where the first arm that is not false or null is unknown",
        examples: &[
            ("CASE WHEN u THEN 1 ELSE 2 END", "u"),
            ("CASE WHEN true THEN 1 WHEN u THEN 2 END", "1"),
            ("CASE WHEN null THEN 1 WHEN u THEN 2 END", "u"),
            ("CASE u WHEN 1 THEN 1 ELSE 2 END", "u"),
            ("CASE 1 WHEN u THEN 1 ELSE 2 END", "u"),
            ("CASE 1 WHEN 1 THEN 1 WHEN u THEN 2 END", "1"),
            ("CASE WHEN false THEN u ELSE 2 END", "2"),
        ],
    },
    UnknownRule {
        of: "`[x IN list WHERE … | …]`",
        rule: "unknown where the list is, or whether an element belongs to it",
        examples: &[
            ("[x IN u | x]", "u"),
            ("[x IN [1, u] WHERE x > 0]", "u"),
            ("[x IN [1, u] | x + 1]", "[2, u]"),
            ("[x IN [] WHERE u]", "[]"),
        ],
    },
    UnknownRule {
        of: "`all`, `any`, `none`, `single`",
        rule: "decided by the elements that are known, else unknown",
        examples: &[
            ("all(x IN [1, u] WHERE x = 2)", "false"),
            ("all(x IN [1, u] WHERE x = 1)", "u"),
            ("any(x IN [1, u] WHERE x = 1)", "true"),
            ("any(x IN [1, u] WHERE x = 2)", "u"),
            ("none(x IN [1, u] WHERE x = 1)", "false"),
            ("none(x IN [1, u] WHERE x = 2)", "u"),
            ("single(x IN [1, 1, u] WHERE x = 1)", "false"),
            ("single(x IN [1, u] WHERE x = 1)", "u"),
            ("all(x IN u WHERE true)", "u"),
            ("any(x IN u WHERE true)", "u"),
            ("none(x IN u WHERE true)", "u"),
            ("single(x IN u WHERE true)", "u"),
        ],
    },
    UnknownRule {
        of: "`reduce`",
        rule: "unknown where the list is, else as its expression has it",
        examples: &[
            ("reduce(s = 0, x IN u | s)", "u"),
            ("reduce(s = 0, x IN [1, u] | s + x)", "u"),
            ("reduce(s = 0, x IN [1, u] | s + 1)", "2"),
            ("reduce(s = u, x IN [] | s)", "u"),
        ],
    },
    UnknownRule {
        of: "`EXISTS { … }`, a pattern as a condition",
        rule: "true where something is found, else unknown where something that it needs was not read, or a kind was not \
               completely listed",
        examples: &[
            ("EXISTS { (a)-[:R]->() }", "true"),
            ("EXISTS { (b)-[:R]->() }", "false"),
            ("EXISTS { (a)-[:UNREAD]->() }", "u"),
            ("EXISTS { (a)-[:R|UNREAD]->() }", "true"),
            ("EXISTS { MATCH (x:A) WHERE x.unread }", "u"),
            ("EXISTS { MATCH (x:A) WHERE x.unread AND x.n = 2 }", "false"),
            ("EXISTS { MATCH (a)-[:UNREAD]->(x) RETURN count(x) AS c }", "u"),
        ],
    },
    UnknownRule {
        of: "`COUNT { … }`",
        rule: "unknown where there may be more; beside a number, what no further row could change is decided",
        examples: &[
            ("COUNT { (a)-[:R]->() }", "1"),
            ("COUNT { (a)-[:UNREAD]->() }", "u"),
            ("COUNT { (a)-[:R|UNREAD]->() } >= 1", "true"),
            ("COUNT { (a)-[:R|UNREAD]->() } < 1", "false"),
            ("COUNT { (a)-[:R|UNREAD]->() } = 0", "false"),
            ("COUNT { (a)-[:R|UNREAD]->() } = 1", "u"),
        ],
    },
    UnknownRule {
        of: "`COLLECT { … }`, `[(a)-->(b) | …]`, `shortestPath`, `allShortestPaths`",
        rule: "unknown where there may be more",
        examples: &[
            ("COLLECT { MATCH (a)-[:R]->(x) RETURN x.n }", "[2]"),
            ("COLLECT { MATCH (a)-[:R|UNREAD]->(x) RETURN x.n }", "u"),
            ("[(a)-[:R]->(x) | x.n]", "[2]"),
            ("[(a)-[:UNREAD]->(x) | x.n]", "u"),
            ("length(shortestPath((a)-[:R*]->(b)))", "1"),
            ("shortestPath((a)-[:UNREAD*]->(b))", "u"),
            ("allShortestPaths((a)-[:UNREAD*]->(b))", "u"),
        ],
    },
    UnknownRule {
        of: "`coalesce`",
        rule: "unknown where no argument before the first unknown one is there",
        examples: &[("coalesce(1, u)", "1"), ("coalesce(u, 1)", "u"), ("coalesce(null, u)", "u")],
    },
    UnknownRule {
        of: "`keys`, `properties` of a node or relation",
        rule: "a property that was not read may be absent: the keys are unknown, and the map holds unknown",
        examples: &[
            ("keys(a)", "u"),
            ("keys(b)", "['n']"),
            ("keys({x: u})", "['x']"),
            ("properties(a)", "{n: 1, unread: u}"),
        ],
    },
    UnknownRule {
        of: "every other function",
        rule: "unknown where any argument is, beside null too; what a list or map holds does not matter",
        examples: &[
            ("abs(u)", "u"),
            ("substring('abc', u, null)", "u"),
            ("exists(a.unread)", "u"),
            ("nullif(1, u)", "u"),
            ("size([1, u])", "2"),
            ("head([1, u])", "1"),
            ("last([1, u])", "u"),
            ("reverse([1, u])", "[u, 1]"),
        ],
    },
    UnknownRule {
        of: "`WHERE`",
        rule: "a row whose condition is unknown is left out, and the answer is marked as incomplete (a list made of it is \
               unknown)",
        examples: &[
            ("COLLECT { UNWIND [1, 2] AS x WITH x WHERE x > 1 RETURN x }", "[2]"),
            ("COLLECT { UNWIND [1, u] AS x WITH x WHERE x > 1 RETURN x }", "u"),
        ],
    },
    UnknownRule {
        of: "`DISTINCT`, grouping, `UNION`, `ORDER BY`, `UNWIND`, `OPTIONAL MATCH`",
        rule: "unknown is equal to itself and comes last, after null; unwound it gives no row, and the answer is \
               incomplete; an optional pattern that may have missed something gives unknown, not null",
        examples: &[
            ("COLLECT { UNWIND [u, 1, u] AS x RETURN DISTINCT x }", "[u, 1]"),
            ("COLLECT { UNWIND [u, 1, u] AS x WITH x, count(*) AS c RETURN c }", "[2, 1]"),
            ("COLLECT { RETURN u AS x UNION RETURN u AS x }", "[u]"),
            ("COLLECT { UNWIND [u, null, 1] AS x RETURN x ORDER BY x }", "[1, null, u]"),
            ("COLLECT { UNWIND [u, null, 1] AS x RETURN x ORDER BY x DESC }", "[u, null, 1]"),
            ("COLLECT { UNWIND u AS x RETURN x }", "u"),
            ("COLLECT { OPTIONAL MATCH (a)-[:UNREAD]->(x) RETURN x }", "[u]"),
            ("COLLECT { OPTIONAL MATCH (b)-[:R]->(x) RETURN x }", "[null]"),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::{AGGREGATIONS, UNKNOWN_RULES};
    use crate::ir::{BinaryOp, CompareOp};
    use crate::plan::AggregateKind;

    /// The matches have no other arm: an operator or aggregation that is added does not compile until it is put in, and
    /// then it must be in a table.
    #[test]
    fn every_operator_and_aggregation_is_in_a_table() {
        use AggregateKind as A;
        use BinaryOp as B;
        use CompareOp as C;
        let binary = |op| match op {
            B::Regex => "=~",
            B::In => "IN",
            B::StartsWith => "STARTS WITH",
            B::EndsWith => "ENDS WITH",
            B::Contains => "CONTAINS",
            B::Add => "+",
            B::Subtract => "-",
            B::Multiply => "*",
            B::Divide => "/",
            B::Remainder => "%",
            B::Power => "^",
            B::Concat => "||",
        };
        let compare = |op| match op {
            C::Equal => "=",
            C::NotEqual => "<>",
            C::Less => "<",
            C::LessEqual => "<=",
            C::Greater => ">",
            C::GreaterEqual => ">=",
        };
        let aggregate = |kind| match kind {
            A::Count => "count",
            A::Sum => "sum",
            A::Avg => "avg",
            A::Min => "min",
            A::Max => "max",
            A::Collect => "collect",
            A::StDev => "stDev",
            A::StDevP => "stDevP",
            A::PercentileCont => "percentileCont",
            A::PercentileDisc => "percentileDisc",
        };
        let all =
            [B::Regex, B::In, B::StartsWith, B::EndsWith, B::Contains, B::Add, B::Subtract, B::Multiply, B::Divide];
        let signs = all.into_iter().chain([B::Remainder, B::Power, B::Concat]).map(binary);
        let comparisons = [C::Equal, C::NotEqual, C::Less, C::LessEqual, C::Greater, C::GreaterEqual];
        for sign in signs.chain(comparisons.into_iter().map(compare)).chain(["AND", "OR", "XOR", "NOT"]) {
            let named = |text: &str| text.contains(&format!("`{sign}`"));
            let tried = |text: &str| text.contains(sign);
            let rule = UNKNOWN_RULES.iter().find(|rule| named(rule.of)).unwrap_or_else(|| panic!("no rule for {sign}"));
            assert!(rule.examples.iter().any(|(example, _)| tried(example)), "no example for {sign}");
        }
        let kinds = [A::Count, A::Sum, A::Avg, A::Min, A::Max, A::Collect, A::StDev, A::StDevP, A::PercentileCont];
        for name in kinds.into_iter().chain([A::PercentileDisc]).map(aggregate) {
            assert!(AGGREGATIONS.iter().any(|of| of.call.starts_with(&format!("{name}("))), "{name} is in no table");
        }
    }
}
