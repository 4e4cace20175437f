//! Random valid queries, drawn from a list of numbers: fewer and smaller numbers give simpler queries, so that
//! shrinking the list shrinks the query.

use super::graph::NODE_PROPERTIES;
use super::query::{
    COMPARISONS, Clause, Direction, Expr, Labels, NodePattern, Path, Projection, Query, RelationPattern, Shortest,
};
use super::value::Value;

/// What a variable holds, as far as it matters for where it may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Node,
    Relation,
    /// Relations of a variable length.
    Trail,
    Path,
    /// One of several shortest paths: only its length is told.
    ShortestPath,
    /// A scalar of any type, or a list of such.
    Any,
    Number,
    /// What `collect` gives, in no order.
    Bag,
}

pub struct Generator<'a> {
    numbers: &'a [u16],
    at: usize,
    scope: Vec<(String, Sort)>,
    /// Variables before this one were bound by earlier clauses.
    bound: usize,
    names: usize,
    /// Whether a pattern may stand for a truth value here.
    predicate: bool,
}

/// A query for these numbers.
pub fn query(numbers: &[u16]) -> Query {
    let mut generator = Generator { numbers, at: 0, scope: Vec::new(), bound: 0, names: 0, predicate: true };
    match generator.pick(12) {
        0..6 => generator.shaped(),
        11 => generator.union(),
        _ => Query { parts: vec![generator.general(None)], all: false },
    }
}

/// A condition on the node `r`.
pub fn condition(numbers: &[u16]) -> Expr {
    let mut generator =
        Generator { numbers, at: 0, scope: vec![("r".to_owned(), Sort::Node)], bound: 1, names: 0, predicate: true };
    generator.condition(3)
}

fn boxed(expr: Expr) -> Box<Expr> {
    Box::new(expr)
}

fn variable(name: &str) -> Expr {
    Expr::Variable(name.to_owned())
}

fn property(of: &str, name: &str) -> Expr {
    Expr::Property(boxed(variable(of)), name.to_owned())
}

impl Generator<'_> {
    fn pick(&mut self, count: usize) -> usize {
        let number = self.numbers.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(number) % count
    }

    /// True in `part` of `whole` cases.
    fn chance(&mut self, part: usize, whole: usize) -> bool {
        self.pick(whole) >= whole - part
    }

    fn one_of<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.pick(of.len())].clone()
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("v{}", self.names)
    }

    fn of_sort(&self, wanted: &[Sort]) -> Vec<String> {
        self.scope.iter().filter(|(_, sort)| wanted.contains(sort)).map(|(name, _)| name.clone()).collect()
    }

    fn one_in_scope(&mut self, wanted: &[Sort]) -> Option<String> {
        let names = self.of_sort(wanted);
        (!names.is_empty()).then(|| self.one_of(&names))
    }

    /// Shapes that an engine may have its own way for.
    fn shaped(&mut self) -> Query {
        let mut clauses = Vec::new();
        let node = |name: &str, labels: Option<Labels>| NodePattern {
            variable: Some(name.to_owned()),
            labels,
            properties: Vec::new(),
        };
        let shape = self.pick(7);
        let names: &[&str] = match shape {
            0 | 1 => &["a", "b"],
            2 => &["n"],
            3 => &["a", "b", "c"],
            _ => &["a", "b"],
        };
        let nodes: Vec<NodePattern> = names.iter().map(|name| node(name, self.some_labels())).collect();
        let mut paths = Vec::new();
        match shape {
            // Ends reachable over several types.
            0 | 1 => {
                let mut relation = self.relation(false);
                relation.variable = None;
                relation.length = Some(self.length());
                let mut path = Path { variable: None, shortest: None, nodes, relations: vec![relation] };
                if shape == 1 {
                    path.shortest = Some(if self.chance(1, 2) { Shortest::All } else { Shortest::One });
                    path.relations[0].length =
                        Some((self.one_of(&[None, Some(0), Some(1)]), self.one_of(&[None, Some(4), Some(2)])));
                    path.variable = Some("p".to_owned());
                    if self.chance(1, 2) {
                        // Both ends are bound first, once in a while to one node.
                        for node in &mut path.nodes {
                            let nodes = vec![node.clone()];
                            paths.push(Path { variable: None, shortest: None, nodes, relations: Vec::new() });
                            node.labels = None;
                        }
                    }
                }
                paths.push(path);
            }
            // A group by a property.
            2 => paths.push(Path { variable: None, shortest: None, nodes, relations: Vec::new() }),
            // A chain of single relations, or a cycle of them.
            3 | 4 => {
                let mut nodes =
                    if shape == 3 { nodes } else { [nodes.as_slice(), &[node("c", None), node("a", None)]].concat() };
                if self.chance(1, 4) {
                    nodes.push(node("d", None));
                }
                let relations = (1..nodes.len())
                    .map(|_| {
                        let mut relation = self.relation(false);
                        relation.length = None;
                        relation
                    })
                    .collect();
                paths.push(Path { variable: None, shortest: None, nodes, relations });
            }
            // Two sets joined by a value.
            _ => paths.extend(nodes.into_iter().map(|node| Path {
                variable: None,
                shortest: None,
                nodes: vec![node],
                relations: Vec::new(),
            })),
        }
        let mut known: Vec<(String, Sort)> = Vec::new();
        for node in paths.iter().flat_map(|path| &path.nodes) {
            if let Some(name) = &node.variable
                && !known.iter().any(|(other, _)| other == name)
            {
                known.push((name.clone(), Sort::Node));
            }
        }
        self.scope = known;
        self.bound = self.scope.len();
        let mut filter = None;
        let mut add = |part: Expr| {
            filter = Some(match filter.take() {
                Some(before) => Expr::And(boxed(before), boxed(part)),
                None => part,
            });
        };
        let first = self.scope[0].0.clone();
        if shape >= 5 {
            let name = self.one_of(&NODE_PROPERTIES);
            let other = if self.chance(1, 4) { self.one_of(&NODE_PROPERTIES) } else { name };
            add(Expr::Compare("=", boxed(property("a", name)), boxed(property("b", other))));
        }
        if self.chance(1, 3) {
            let key = Value::Text(format!("n{}", self.pick(6)));
            add(Expr::Compare("=", boxed(property(&first, "key")), boxed(Expr::Literal(key))));
        }
        if self.chance(1, 2) {
            add(self.condition(1));
        }
        if shape == 1 {
            let sort = if paths.iter().any(|path| path.shortest == Some(Shortest::One)) {
                Sort::ShortestPath
            } else {
                Sort::Path
            };
            self.scope.push(("p".to_owned(), sort));
        }
        for (name, sort) in paths.iter().flat_map(|path| &path.relations).filter_map(|relation| {
            Some((relation.variable.clone()?, if relation.length.is_some() { Sort::Trail } else { Sort::Relation }))
        }) {
            self.scope.push((name, sort));
        }
        clauses.push(Clause::Match { optional: self.chance(1, 10), paths, filter });
        let last = names[names.len() - 1];
        let named = |expr: Expr, at: usize| (expr, format!("c{at}"));
        let mut projection = Projection::default();
        match self.pick(7) {
            0 => {
                projection.distinct = true;
                projection.items = vec![named(variable(last), 0)];
            }
            1 => projection.items = vec![named(Expr::Aggregate("count", true, boxed(variable(last))), 0)],
            2 => projection.items = vec![named(Expr::CountAll, 0)],
            3 => {
                let name = self.one_of(&NODE_PROPERTIES);
                projection.items = vec![named(property(last, name), 0), named(Expr::CountAll, 1)];
            }
            4 => {
                projection.items =
                    vec![named(variable(&first), 0), named(Expr::Aggregate("count", true, boxed(variable(last))), 1)]
            }
            5 if shape == 1 => {
                let length = Expr::Call("length", vec![variable("p")]);
                projection.items = vec![named(variable(&first), 0), named(variable(last), 1), named(length, 2)];
            }
            _ => projection = self.projection(None, true),
        }
        self.order(&mut projection);
        clauses.push(Clause::Return(projection));
        Query { parts: vec![clauses], all: false }
    }

    fn union(&mut self) -> Query {
        let columns = 1 + self.pick(2);
        let mut parts = Vec::new();
        for _ in 0..2 {
            self.scope.clear();
            self.bound = 0;
            parts.push(self.general(Some(columns)));
        }
        Query { parts, all: self.chance(1, 2) }
    }

    fn general(&mut self, columns: Option<usize>) -> Vec<Clause> {
        let mut clauses = vec![self.match_clause(false)];
        for _ in 0..self.pick(4) {
            let clause = match self.pick(9) {
                0..4 => self.match_clause(false),
                4 | 5 => self.match_clause(true),
                6 => self.unwind(),
                _ => self.with(),
            };
            clauses.push(clause);
        }
        let mut projection = self.projection(columns, true);
        if columns.is_none() {
            self.order(&mut projection);
        }
        clauses.push(Clause::Return(projection));
        clauses
    }

    fn match_clause(&mut self, optional: bool) -> Clause {
        self.bound = self.scope.len();
        let (paths, filter) = if self.chance(1, 7) {
            self.shortest_clause()
        } else {
            let mut paths = vec![self.path(3, true)];
            if self.chance(1, 5) {
                paths.push(self.path(1, true));
            }
            let filter = self.chance(1, 2).then(|| self.condition(2));
            (paths, filter)
        };

        self.bound = self.scope.len();
        Clause::Match { optional, paths, filter }
    }

    fn shortest_clause(&mut self) -> (Vec<Path>, Option<Expr>) {
        let mut paths = Vec::new();
        let nodes: Vec<NodePattern> = (0..2).map(|_| self.node(true)).collect();
        if self.chance(1, 3) {
            // Both ends are bound first.
            for node in &nodes {
                if node.variable.is_some() {
                    let nodes = vec![node.clone()];
                    paths.push(Path { variable: None, shortest: None, nodes, relations: Vec::new() });
                }
            }
        }
        let filter = self.chance(1, 2).then(|| self.condition(1));
        let all = self.chance(1, 2);
        let mut relation = self.relation(false);
        relation.variable = None;
        relation.length =
            Some((self.one_of(&[None, Some(0), Some(1)]), self.one_of(&[None, Some(4), Some(3), Some(2)])));
        let variable = self.name();
        self.scope.push((variable.clone(), if all { Sort::Path } else { Sort::ShortestPath }));
        let shortest = Some(if all { Shortest::All } else { Shortest::One });
        paths.push(Path { variable: Some(variable), shortest, nodes, relations: vec![relation] });
        (paths, filter)
    }

    /// A path that binds what it names; without `binds`, only what is bound is named.
    fn path(&mut self, most: usize, binds: bool) -> Path {
        let count = self.one_of(&[1, 0, 1, 2, 1, 2, 3]).min(most);
        let mut nodes = vec![self.node(binds)];
        let mut relations = Vec::new();
        for _ in 0..count {
            let relation = self.relation(binds);
            if let (Some(name), true) = (&relation.variable, binds)
                && !self.scope.iter().any(|(known, _)| known == name)
            {
                self.scope.push((name.clone(), if relation.length.is_some() { Sort::Trail } else { Sort::Relation }));
            }
            relations.push(relation);
            nodes.push(self.node(binds));
        }
        let mut variable = None;
        if binds && self.chance(1, 7) {
            let name = self.name();
            self.scope.push((name.clone(), Sort::Path));
            variable = Some(name);
        }
        Path { variable, shortest: None, nodes, relations }
    }

    /// A path over one relation at least: what stands in an expression must have one.
    fn longer_path(&mut self, binds: bool) -> Path {
        let mut path = self.path(2, binds);
        if path.relations.is_empty() {
            path.relations.push(self.relation(false));
            path.nodes.push(self.node(false));
        }
        path
    }

    fn node(&mut self, binds: bool) -> NodePattern {
        let known = self.of_sort(&[Sort::Node]);
        let variable = match self.pick(6) {
            4 | 5 if !known.is_empty() => Some(self.one_of(&known)),
            1..4 if binds => {
                let name = self.name();
                self.scope.push((name.clone(), Sort::Node));
                Some(name)
            }
            _ => None,
        };
        let labels = self.some_labels();
        let properties = if self.chance(1, 9) {
            let name = self.one_of(&["p", "w", "s", "key"]);
            vec![(name.to_owned(), self.outer_scalar())]
        } else {
            Vec::new()
        };
        NodePattern { variable, labels, properties }
    }

    fn some_labels(&mut self) -> Option<Labels> {
        self.chance(2, 5).then(|| self.labels())
    }

    fn labels(&mut self) -> Labels {
        let name = |generator: &mut Self| Labels::Name(generator.one_of(&["A", "B", "X", "C", "Y", "D"]).to_owned());
        match self.pick(7) {
            4 => Labels::Or(Box::new(name(self)), Box::new(name(self))),
            5 => Labels::And(Box::new(name(self)), Box::new(name(self))),
            6 => Labels::Not(Box::new(name(self))),
            _ => name(self),
        }
    }

    fn relation(&mut self, binds: bool) -> RelationPattern {
        let types: &[&str] =
            self.one_of(&[&[][..], &["R"], &["S"], &["T"], &["R", "S"], &["S", "T"], &["R", "S", "T"]]);
        let types = types.iter().map(|name| (*name).to_owned()).collect();
        let direction = self.one_of(&[Direction::Out, Direction::Out, Direction::In, Direction::Both]);
        let length = self.chance(1, 4).then(|| self.length());
        let mut variable = None;
        if binds && self.chance(1, 3) {
            variable = Some(self.name());
        } else if binds && length.is_none() && self.chance(1, 12) {
            // A relation of an earlier clause, once in a clause at most.
            let known: Vec<String> = self.scope[..self.bound]
                .iter()
                .filter(|(_, sort)| *sort == Sort::Relation)
                .map(|(name, _)| name.clone())
                .collect();
            if !known.is_empty() {
                variable = Some(self.one_of(&known));
            }
        }
        let properties = if self.chance(1, 9) {
            let name = self.one_of(&["w", "s"]);
            vec![(name.to_owned(), self.outer_scalar())]
        } else {
            Vec::new()
        };
        RelationPattern { variable, types, direction, length, properties }
    }

    fn length(&mut self) -> (Option<usize>, Option<usize>) {
        self.one_of(&[
            (Some(1), Some(2)),
            (Some(1), Some(3)),
            (Some(0), Some(1)),
            (Some(0), Some(2)),
            (None, Some(3)),
            (Some(2), Some(3)),
            (Some(1), Some(6)),
            (Some(2), Some(2)),
            (None, None),
        ])
    }

    fn unwind(&mut self) -> Clause {
        let (list, sort) = match self.pick(5) {
            1 => match self.one_in_scope(&[Sort::Bag]) {
                Some(name) => (variable(&name), Sort::Any),
                None => (self.literal_list(), Sort::Any),
            },
            2 => match self.one_in_scope(&[Sort::Node]) {
                Some(name) => (property(&name, "l"), Sort::Any),
                None => (self.literal_list(), Sort::Any),
            },
            3 | 4 => match self.one_in_scope(&[Sort::Path]) {
                Some(name) if self.chance(1, 2) => (Expr::Call("relationships", vec![variable(&name)]), Sort::Relation),
                Some(name) => (Expr::Call("nodes", vec![variable(&name)]), Sort::Node),
                None => (self.literal_list(), Sort::Any),
            },
            _ => (self.literal_list(), Sort::Any),
        };
        let variable = self.name();
        self.scope.push((variable.clone(), sort));
        self.bound = self.scope.len();
        Clause::Unwind { list, variable }
    }

    fn with(&mut self) -> Clause {
        let mut projection = self.projection(None, false);
        self.order(&mut projection);
        let filter = self.chance(1, 4).then(|| self.condition(1));
        self.bound = self.scope.len();
        Clause::With { projection, filter }
    }

    /// The items of a projection; the scope becomes what they name.
    fn projection(&mut self, columns: Option<usize>, last: bool) -> Projection {
        let mut items: Vec<(Expr, String, Sort)> = Vec::new();
        let grouped = self.chance(1, 3);
        let distinct = self.chance(1, 4);
        let count = columns.unwrap_or_else(|| 1 + self.pick(3));
        let aggregates = if grouped { 1 + self.pick(count) } else { 0 };
        for at in 0..count {
            let (expr, sort) =
                if at >= count - aggregates { self.aggregate(distinct) } else { self.item(!grouped && !distinct) };
            let name = match &expr {
                Expr::Variable(name) if !last && !items.iter().any(|(_, known, _)| known == name) => name.clone(),
                _ if last => format!("c{at}"),
                _ => self.name(),
            };
            items.push((expr, name, sort));
        }
        self.scope = items.iter().map(|(_, name, sort)| (name.clone(), *sort)).collect();
        self.bound = self.scope.len();
        let items = items.into_iter().map(|(expr, name, _)| (expr, name)).collect();
        Projection { distinct, items, ..Projection::default() }
    }

    /// What a row is made of; what has no order of its own may not be a key.
    fn item(&mut self, unordered: bool) -> (Expr, Sort) {
        let scope: Vec<_> = self.scope.iter().filter(|(_, sort)| unordered || *sort != Sort::Bag).cloned().collect();
        match self.pick(8) {
            0..3 if !scope.is_empty() => match self.one_of(&scope) {
                (name, Sort::ShortestPath) => (Expr::Call("length", vec![variable(&name)]), Sort::Number),
                (name, sort) => (variable(&name), sort),
            },
            6 => (self.value(1), Sort::Any),
            7 => self.rare_item(),
            _ => (self.scalar(1), Sort::Any),
        }
    }

    fn rare_item(&mut self) -> (Expr, Sort) {
        match self.pick(6) {
            0 if self.one_in_scope(&[Sort::Path]).is_some() => {
                let name = self.one_in_scope(&[Sort::Path]).unwrap();
                let call = self.one_of(&["length", "nodes", "relationships"]);
                (Expr::Call(call, vec![variable(&name)]), if call == "length" { Sort::Number } else { Sort::Trail })
            }
            1 if self.one_in_scope(&[Sort::Relation]).is_some() => {
                let name = self.one_in_scope(&[Sort::Relation]).unwrap();
                match self.pick(3) {
                    0 => (Expr::Call("type", vec![variable(&name)]), Sort::Any),
                    1 => (Expr::Call("startNode", vec![variable(&name)]), Sort::Node),
                    _ => (Expr::Call("endNode", vec![variable(&name)]), Sort::Node),
                }
            }
            2 => {
                let (paths, filter) = self.inner();
                (Expr::CountOf(paths, filter), Sort::Number)
            }
            3 => {
                let (outer, bound) = (self.scope.clone(), self.bound);
                self.bound = self.scope.len();
                let path = self.longer_path(true);
                // Elements of a list have no order here: count them.
                let filter = self.chance(1, 2).then(|| boxed(self.condition(1)));
                let map = self.scalar(0);
                (self.scope, self.bound) = (outer, bound);
                let list = Expr::PatternList(Box::new(path), filter, boxed(map));
                (Expr::Call("size", vec![list]), Sort::Number)
            }
            4 => {
                let list = self.list();
                let name = self.name();
                self.scope.push((name.clone(), Sort::Any));
                let filter = self.chance(1, 2).then(|| boxed(self.condition(0)));
                let map = self.scalar(0);
                self.scope.pop();
                (Expr::Comprehension(name, boxed(list), filter, boxed(map)), Sort::Any)
            }
            _ => (self.list(), Sort::Any),
        }
    }

    fn aggregate(&mut self, distinct_rows: bool) -> (Expr, Sort) {
        let distinct = self.chance(1, 3);
        match self.pick(9) {
            0 | 1 => (Expr::CountAll, Sort::Number),
            2 | 3 => {
                let names: Vec<String> =
                    self.of_sort(&[Sort::Node, Sort::Relation, Sort::Trail, Sort::Path, Sort::Any, Sort::Number]);
                let of = if names.is_empty() { self.scalar(0) } else { variable(&self.one_of(&names)) };
                (Expr::Aggregate("count", distinct, boxed(of)), Sort::Number)
            }
            4 => (Expr::Aggregate("count", distinct, boxed(self.scalar(0))), Sort::Number),
            5 => (Expr::Aggregate(self.one_of(&["sum", "avg"]), distinct, boxed(self.number())), Sort::Number),
            6 | 7 => (Expr::Aggregate(self.one_of(&["min", "max"]), distinct, boxed(self.scalar(0))), Sort::Any),
            _ if distinct_rows => (Expr::CountAll, Sort::Number),
            _ => (Expr::Aggregate("collect", distinct, boxed(self.scalar(0))), Sort::Bag),
        }
    }

    /// An order over every column that has one, and perhaps a cut.
    fn order(&mut self, projection: &mut Projection) {
        if !self.chance(1, 3) {
            return;
        }
        let scope = self.scope.clone();
        for (_, name) in &projection.items {
            let sort = scope.iter().find(|(known, _)| known == name).map(|(_, sort)| *sort);
            // Where the shape gives the columns, these are no variables of the scope: nodes have keys, others values.
            let expr = match sort {
                Some(Sort::Node) => property(name, "key"),
                Some(Sort::Any | Sort::Number) => variable(name),
                _ => continue,
            };
            projection.order.push((expr, self.chance(1, 3)));
        }
        if self.chance(1, 2) {
            projection.limit = Some(self.pick(4));
        }
        if self.chance(1, 5) {
            projection.skip = Some(self.pick(3));
        }
    }

    /// The pattern and condition of a subquery.
    fn inner(&mut self) -> (Vec<Path>, Option<Box<Expr>>) {
        let (outer, bound) = (self.scope.clone(), self.bound);
        self.bound = self.scope.len();
        let path = self.path(2, true);
        let predicate = std::mem::replace(&mut self.predicate, true);
        let filter = self.chance(1, 2).then(|| boxed(self.condition(1)));
        self.predicate = predicate;
        (self.scope, self.bound) = (outer, bound);
        let paths = vec![path];
        (paths, filter)
    }

    /// A truth value that stands as a value.
    fn value(&mut self, depth: usize) -> Expr {
        let before = std::mem::replace(&mut self.predicate, false);
        let value = self.condition(depth);
        self.predicate = before;
        value
    }

    fn condition(&mut self, depth: usize) -> Expr {
        let choice = self.pick(if depth == 0 { 12 } else { 22 });
        match choice {
            2 => {
                let (left, right) = (self.scalar(0), self.scalar(0));
                Expr::Compare(self.one_of(&COMPARISONS), boxed(left), boxed(right))
            }
            3 => match self.one_in_scope(&[Sort::Node]) {
                Some(name) => property(&name, "f"),
                None => Expr::Literal(Value::Bool(true)),
            },
            4 => Expr::IsNull(boxed(self.scalar(0)), self.chance(1, 2)),
            5 => {
                let item = self.scalar(0);
                let list = self.list();
                Expr::Binary("IN", boxed(item), boxed(list))
            }
            6 => {
                let text = self.scalar(0);
                let part = Expr::Literal(Value::Text(self.one_of(&["a", "b", "n"]).to_owned()));
                Expr::Binary(self.one_of(&["STARTS WITH", "ENDS WITH", "CONTAINS"]), boxed(text), boxed(part))
            }
            7 => match self.one_in_scope(&[Sort::Node]) {
                Some(name) => Expr::HasLabels(boxed(variable(&name)), self.labels()),
                None => Expr::Literal(Value::Bool(true)),
            },
            8 => {
                let nodes = self.of_sort(&[Sort::Node]);
                if nodes.is_empty() {
                    return Expr::Literal(Value::Bool(false));
                }
                let (left, right) = (self.one_of(&nodes), self.one_of(&nodes));
                Expr::Compare(self.one_of(&["=", "<>"]), boxed(variable(&left)), boxed(variable(&right)))
            }
            9 => match self.one_in_scope(&[Sort::Node]) {
                Some(name) => {
                    let key = Expr::Literal(Value::Text(format!("n{}", self.pick(6))));
                    Expr::Compare("=", boxed(property(&name, "key")), boxed(key))
                }
                None => Expr::Literal(Value::Bool(true)),
            },
            10 => Expr::Literal(self.one_of(&[Value::Bool(true), Value::Bool(false), Value::Null])),
            12 | 13 => Expr::And(boxed(self.condition(depth - 1)), boxed(self.condition(depth - 1))),
            14 => Expr::Or(boxed(self.condition(depth - 1)), boxed(self.condition(depth - 1))),
            15 => Expr::Not(boxed(self.condition(depth - 1))),
            16 => Expr::Xor(boxed(self.condition(depth - 1)), boxed(self.condition(depth - 1))),
            18 if self.predicate => {
                let mut paths = vec![self.longer_path(false)];
                Expr::Pattern(Box::new(paths.remove(0)))
            }
            17 | 18 => {
                let (paths, filter) = self.inner();
                Expr::Exists(paths, filter)
            }
            19 => {
                let (paths, filter) = self.inner();
                let sign = self.one_of(&COMPARISONS);
                let count = Expr::Literal(Value::Int(self.pick(3) as i64));
                Expr::Compare(sign, boxed(Expr::CountOf(paths, filter)), boxed(count))
            }
            20 => {
                let list = self.list();
                let name = self.name();
                self.scope.push((name.clone(), Sort::Any));
                let filter = self.condition(0);
                self.scope.pop();
                Expr::Quantified(self.one_of(&["any", "all", "none", "single"]), name, boxed(list), boxed(filter))
            }
            21 => {
                let (when, then, otherwise) = (self.condition(0), self.value(depth - 1), self.value(0));
                Expr::Case(boxed(when), boxed(then), boxed(otherwise))
            }
            _ => {
                let left = self.scalar(0);
                let right = Expr::Literal(self.literal());
                Expr::Compare(self.one_of(&COMPARISONS), boxed(left), boxed(right))
            }
        }
    }

    /// A scalar over the scope.
    fn scalar(&mut self, depth: usize) -> Expr {
        if depth > 0 {
            match self.pick(8) {
                6 => return Expr::Call("coalesce", vec![self.scalar(0), self.scalar(0)]),
                7 => {
                    let when = self.condition(0);
                    return Expr::Case(boxed(when), boxed(self.scalar(0)), boxed(self.scalar(0)));
                }
                _ => {}
            }
        }
        let elements: Vec<_> = self
            .scope
            .iter()
            .filter(|(_, sort)| matches!(sort, Sort::Node | Sort::Relation | Sort::Any | Sort::Number))
            .cloned()
            .collect();
        if elements.is_empty() {
            return Expr::Literal(self.literal());
        }
        match self.one_of(&elements) {
            (name, Sort::Node) => {
                let of = self.one_of(&["p", "p", "w", "s", "f", "l", "key"]);
                property(&name, of)
            }
            (name, Sort::Relation) => property(&name, self.one_of(&["w", "s", "id"])),
            (name, _) => variable(&name),
        }
    }

    fn number(&mut self) -> Expr {
        match self.one_in_scope(&[Sort::Node, Sort::Relation, Sort::Number]) {
            Some(name) if self.of_sort(&[Sort::Number]).contains(&name) => variable(&name),
            Some(name) => property(&name, "w"),
            None => Expr::Literal(Value::Int(1)),
        }
    }

    /// A scalar that needs nothing of the pattern in which it stands.
    fn outer_scalar(&mut self) -> Expr {
        let outer: Vec<_> = self.scope[..self.bound]
            .iter()
            .filter(|(_, sort)| matches!(sort, Sort::Node | Sort::Any))
            .cloned()
            .collect();
        if outer.is_empty() || self.chance(1, 2) {
            return Expr::Literal(self.literal());
        }
        match self.one_of(&outer) {
            (name, Sort::Node) => property(&name, self.one_of(&["p", "w", "s"])),
            (name, _) => variable(&name),
        }
    }

    fn literal(&mut self) -> Value {
        self.one_of(&[
            Value::Int(1),
            Value::Int(0),
            Value::Int(2),
            Value::Text("a".to_owned()),
            Value::Text("b".to_owned()),
            Value::Float(1.0),
            Value::Float(0.5),
            Value::Bool(true),
            Value::Text(String::new()),
            Value::Int(-1),
            Value::Null,
        ])
    }

    fn literal_list(&mut self) -> Expr {
        let count = self.pick(4);
        Expr::List((0..count).map(|_| Expr::Literal(self.literal())).collect())
    }

    fn list(&mut self) -> Expr {
        match self.pick(4) {
            1 => match self.one_in_scope(&[Sort::Node]) {
                Some(name) => property(&name, "l"),
                None => self.literal_list(),
            },
            2 => Expr::List(vec![self.scalar(0), Expr::Literal(self.literal())]),
            _ => self.literal_list(),
        }
    }
}
