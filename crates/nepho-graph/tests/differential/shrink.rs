//! Queries with one thing less, for the smallest that still shows a difference.

use super::query::{Clause, Expr, Labels, NodePattern, Path, Projection, Query, RelationPattern};
use super::value::Value;

/// Every list with one element left out or made smaller.
fn lists<T: Clone>(items: &[T], least: usize, smaller: impl Fn(&T) -> Vec<T>) -> Vec<Vec<T>> {
    let mut found = Vec::new();
    if items.len() > least {
        for at in 0..items.len() {
            let mut fewer = items.to_vec();
            fewer.remove(at);
            found.push(fewer);
        }
    }
    for (at, item) in items.iter().enumerate() {
        for smaller in smaller(item) {
            let mut changed = items.to_vec();
            changed[at] = smaller;
            found.push(changed);
        }
    }
    found
}

fn options<T: Clone>(item: &Option<T>, smaller: impl Fn(&T) -> Vec<T>) -> Vec<Option<T>> {
    let Some(item) = item else { return Vec::new() };
    std::iter::once(None).chain(smaller(item).into_iter().map(Some)).collect()
}

pub fn queries(query: &Query) -> Vec<Query> {
    let parts = lists(&query.parts, 1, |clauses| lists(clauses, 1, clause));
    parts.into_iter().map(|parts| Query { parts, all: query.all }).collect()
}

fn clause(of: &Clause) -> Vec<Clause> {
    let mut found = Vec::new();
    match of {
        Clause::Match { optional, paths, filter } => {
            if *optional {
                found.push(Clause::Match { optional: false, paths: paths.clone(), filter: filter.clone() });
            }
            for paths in lists(paths, 1, path) {
                found.push(Clause::Match { optional: *optional, paths, filter: filter.clone() });
            }
            for filter in options(filter, expr) {
                found.push(Clause::Match { optional: *optional, paths: paths.clone(), filter });
            }
        }
        Clause::Unwind { list, variable } => {
            found.extend(expr(list).into_iter().map(|list| Clause::Unwind { list, variable: variable.clone() }));
        }
        Clause::With { projection: of, filter } => {
            for projection in projection(of) {
                found.push(Clause::With { projection, filter: filter.clone() });
            }
            for filter in options(filter, expr) {
                found.push(Clause::With { projection: of.clone(), filter });
            }
        }
        Clause::Return(of) => found.extend(projection(of).into_iter().map(Clause::Return)),
    }
    found
}

fn projection(of: &Projection) -> Vec<Projection> {
    let mut found = Vec::new();
    if of.distinct {
        found.push(Projection { distinct: false, ..of.clone() });
    }
    if of.limit.is_some() {
        found.push(Projection { limit: None, ..of.clone() });
    }
    if of.skip.is_some() {
        found.push(Projection { skip: None, ..of.clone() });
    }
    for order in lists(&of.order, 0, |_| Vec::new()) {
        found.push(Projection { order, ..of.clone() });
    }
    let smaller = |(of, name): &(Expr, String)| expr(of).into_iter().map(|expr| (expr, name.clone())).collect();
    for items in lists(&of.items, 1, smaller) {
        found.push(Projection { items, ..of.clone() });
    }
    found
}

fn path(of: &Path) -> Vec<Path> {
    let mut found = Vec::new();
    if of.variable.is_some() {
        found.push(Path { variable: None, ..of.clone() });
    }
    if let (None, [_, ..], [_, nodes @ ..]) = (of.shortest, of.relations.as_slice(), of.nodes.as_slice()) {
        let last = of.relations.len() - 1;
        found.push(Path { nodes: nodes.to_vec(), relations: of.relations[1..].to_vec(), ..of.clone() });
        found.push(Path { nodes: of.nodes[..=last].to_vec(), relations: of.relations[..last].to_vec(), ..of.clone() });
    }
    for (at, pattern) in of.nodes.iter().enumerate() {
        for smaller in node(pattern) {
            let mut path = of.clone();
            path.nodes[at] = smaller;
            found.push(path);
        }
    }
    for (at, pattern) in of.relations.iter().enumerate() {
        for smaller in relation(pattern) {
            let mut path = of.clone();
            path.relations[at] = smaller;
            found.push(path);
        }
    }
    found
}

fn node(of: &NodePattern) -> Vec<NodePattern> {
    let mut found = Vec::new();
    if of.variable.is_some() {
        found.push(NodePattern { variable: None, ..of.clone() });
    }
    for labels in options(&of.labels, labels) {
        found.push(NodePattern { labels, ..of.clone() });
    }
    if !of.properties.is_empty() {
        found.push(NodePattern { properties: Vec::new(), ..of.clone() });
    }
    found
}

fn labels(of: &Labels) -> Vec<Labels> {
    match of {
        Labels::Name(_) => Vec::new(),
        Labels::Not(inner) => vec![(**inner).clone()],
        Labels::And(left, right) | Labels::Or(left, right) => vec![(**left).clone(), (**right).clone()],
    }
}

fn relation(of: &RelationPattern) -> Vec<RelationPattern> {
    let mut found = Vec::new();
    if of.variable.is_some() {
        found.push(RelationPattern { variable: None, ..of.clone() });
    }
    if of.length.is_some() {
        found.push(RelationPattern { length: None, ..of.clone() });
    }
    for types in lists(&of.types, 0, |_| Vec::new()) {
        found.push(RelationPattern { types, ..of.clone() });
    }
    if !of.properties.is_empty() {
        found.push(RelationPattern { properties: Vec::new(), ..of.clone() });
    }
    found
}

/// Parts of an expression in its place, and the expression with smaller parts.
pub fn expr(of: &Expr) -> Vec<Expr> {
    let mut found = Vec::new();
    let mut pair = |left: &Expr, right: &Expr, make: &dyn Fn(Box<Expr>, Box<Expr>) -> Expr| {
        found.extend([left.clone(), right.clone()]);
        found.extend(expr(left).into_iter().map(|left| make(Box::new(left), Box::new(right.clone()))));
        found.extend(expr(right).into_iter().map(|right| make(Box::new(left.clone()), Box::new(right))));
    };
    match of {
        Expr::And(left, right) => pair(left, right, &Expr::And),
        Expr::Or(left, right) => pair(left, right, &Expr::Or),
        Expr::Xor(left, right) => pair(left, right, &Expr::Xor),
        Expr::Compare(sign, left, right) => pair(left, right, &|left, right| Expr::Compare(sign, left, right)),
        Expr::Binary(word, left, right) => pair(left, right, &|left, right| Expr::Binary(word, left, right)),
        Expr::Not(inner) => {
            found.push((**inner).clone());
            found.extend(expr(inner).into_iter().map(|inner| Expr::Not(Box::new(inner))));
        }
        Expr::IsNull(inner, negated) => {
            found.push((**inner).clone());
            found.extend(expr(inner).into_iter().map(|inner| Expr::IsNull(Box::new(inner), *negated)));
        }
        Expr::HasLabels(inner, of) => {
            found.extend(labels(of).into_iter().map(|labels| Expr::HasLabels(inner.clone(), labels)));
        }
        Expr::List(items) => found.extend(lists(items, 0, expr).into_iter().map(Expr::List)),
        Expr::Call(name, arguments) => {
            found.extend(arguments.iter().cloned());
            found.extend(lists(arguments, 1, expr).into_iter().map(|arguments| Expr::Call(name, arguments)));
        }
        Expr::Case(when, then, otherwise) => {
            found.extend([(**when).clone(), (**then).clone(), (**otherwise).clone()]);
            for smaller in expr(when) {
                found.push(Expr::Case(Box::new(smaller), then.clone(), otherwise.clone()));
            }
        }
        Expr::Exists(paths, filter) => subquery(paths, filter, &mut found, &Expr::Exists),
        Expr::CountOf(paths, filter) => subquery(paths, filter, &mut found, &Expr::CountOf),
        Expr::Pattern(of) => found.extend(
            path(of).into_iter().filter(|path| !path.relations.is_empty()).map(|path| Expr::Pattern(Box::new(path))),
        ),
        Expr::PatternList(of, filter, map) => {
            for path in path(of).into_iter().filter(|path| !path.relations.is_empty()) {
                found.push(Expr::PatternList(Box::new(path), filter.clone(), map.clone()));
            }
            for filter in options(filter, |filter| expr(filter).into_iter().map(Box::new).collect()) {
                found.push(Expr::PatternList(of.clone(), filter, map.clone()));
            }
            if !matches!(**map, Expr::Literal(_)) {
                found.push(Expr::PatternList(of.clone(), filter.clone(), Box::new(Expr::Literal(Value::Int(1)))));
            }
        }
        Expr::Comprehension(name, list, filter, map) => {
            for list in expr(list) {
                found.push(Expr::Comprehension(name.clone(), Box::new(list), filter.clone(), map.clone()));
            }
            for filter in options(filter, |filter| expr(filter).into_iter().map(Box::new).collect()) {
                found.push(Expr::Comprehension(name.clone(), list.clone(), filter, map.clone()));
            }
        }
        Expr::Quantified(kind, name, list, filter) => {
            for list in expr(list) {
                found.push(Expr::Quantified(kind, name.clone(), Box::new(list), filter.clone()));
            }
            for filter in expr(filter) {
                found.push(Expr::Quantified(kind, name.clone(), list.clone(), Box::new(filter)));
            }
        }
        Expr::Aggregate(name, distinct, inner) => {
            if *distinct {
                found.push(Expr::Aggregate(name, false, inner.clone()));
            }
            found.extend(expr(inner).into_iter().map(|inner| Expr::Aggregate(name, *distinct, Box::new(inner))));
        }
        Expr::Property(inner, name) => {
            found.extend(expr(inner).into_iter().map(|inner| Expr::Property(Box::new(inner), name.clone())));
        }
        Expr::Literal(_) | Expr::Variable(_) | Expr::CountAll => {}
    }
    found
}

type Make<'a> = &'a dyn Fn(Vec<Path>, Option<Box<Expr>>) -> Expr;

fn subquery(paths: &[Path], filter: &Option<Box<Expr>>, found: &mut Vec<Expr>, make: Make<'_>) {
    found.extend(lists(paths, 1, path).into_iter().map(|paths| make(paths, filter.clone())));
    for filter in options(filter, |filter| expr(filter).into_iter().map(Box::new).collect()) {
        found.push(make(paths.to_vec(), filter));
    }
}
