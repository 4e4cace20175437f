use serde_json::json;

use super::*;

/// Our evaluation and the jmespath crate's agree, or both fail.
fn same(expression: &str, value: &Json) {
    let ours = Expression::compile(expression).unwrap().search(value).map(Cow::into_owned);
    let theirs =
        jmespath::compile(expression).unwrap().search(value).map(|found| serde_json::to_value(&*found).unwrap());
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => assert!(evaluate::equal(&ours, &theirs), "{expression}: {ours} and {theirs}"),
        (Err(_), Err(_)) => {}
        (ours, theirs) => panic!("{expression}: {ours:?} and {theirs:?}"),
    }
}

#[test]
fn agrees_with_the_jmespath_crate() {
    let value = json!({
        "a": {"b": [{"c": 1, "n": "x"}, {"c": 2, "n": "y"}, {"n": null}], "e": [], "t": "text"},
        "l": [[1, 2], [3], 4, null], "s": ["b", "a"], "f": true, "z": null, "o": {"k": {"v": 1}, "m": {"v": 2}}
    });
    for expression in [
        "a",
        "a.b",
        "a.b[].c",
        "a.b[0].c",
        "a.b[-1]",
        "a.b[5]",
        "l[]",
        "l[][]",
        "l[*]",
        "a.b[?c==`1`].n | [0]",
        "a.b[?n=='x'].n | [0] || 'none'",
        "a.b[*].[c, n]",
        "a.b[].{c: c, n: n}",
        "o.*.v",
        "*.t",
        "a.missing.b",
        "not_null(z, a.t)",
        "z || a.t",
        "f && a.t",
        "!f",
        "!z",
        "length(a.b)",
        "length(z)",
        "contains(s, 'a')",
        "contains(a.t, 'ex')",
        "starts_with(a.t, 'te')",
        "starts_with(z, 'te')",
        "join(',', s)",
        "sort(s)",
        "sort_by(a.b[?c], &c)[-1].n",
        "max_by(a.b[?c], &c).n",
        "min_by(a.b[?c], &c).n",
        "map(&c, a.b)",
        "keys(o)",
        "values(o)[].v",
        "to_number('12')",
        "to_string(a.b[0])",
        "type(l)",
        "merge(o, {x: `1`})",
        "s[::-1]",
        "l[1:3]",
        "l[:-1]",
        "a.b[?c > `1`]",
        "a.b[?c >= `1` && n == 'y']",
        "@",
        "a.e != `[]`",
        "z != `null`",
        "to_array(f)",
        "[a.t, f]",
        "[s, l[]][]",
        "sum(a.b[].c)",
        "avg(a.b[].c)",
        "max(a.b[].c)",
        "reverse(s)",
        "abs(`-2`)",
        "ceil(`1.2`)",
        "floor(`1.8`)",
        "(a || o).b",
        "a.b[].c | [0]",
        "length(not_null(z, `[]`)) == `0`",
        "a.t < a.t",
        "ends_with(a.t, 'xt')",
        "a.t == 'text'",
        "l[*][0]",
        "a.b[*].c | length(@)",
        "o.k.v == `1.0`",
    ] {
        same(expression, &value);
    }
}

#[test]
fn finds_roots() {
    let roots = |text: &str| {
        Expression::compile(text)
            .unwrap()
            .roots()
            .map(|roots| roots.iter().map(|root| root.to_string()).collect::<Vec<_>>())
    };
    assert_eq!(roots("a.b[?c].d"), Some(vec!["a".into()]));
    assert_eq!(roots("x == 'y' || z[].q"), Some(vec!["x".into(), "z".into()]));
    assert_eq!(roots("@"), None);
}

#[test]
fn refuses_what_it_does_not_know() {
    assert!(Expression::compile("nope(a)").is_err());
    assert!(Expression::compile("length(a, b)").is_err());
    assert!(Expression::compile("a[").is_err());
}
