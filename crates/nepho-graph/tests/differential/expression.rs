//! Values of expressions over one row.

use std::cmp::Ordering;

use super::evaluate::{Evaluator, Outcome, Row, Stop};
use super::query::{Expr, Path};
use super::value::{Truth, Value, compare, equals};

impl Evaluator<'_> {
    /// The truth of a condition.
    pub fn truth(&mut self, expr: &Expr, row: &Row) -> Outcome<Truth> {
        Ok(match self.eval(expr, row)? {
            Value::Bool(flag) => Truth::of(flag),
            Value::Null => Truth::Null,
            Value::Unknown => Truth::Unknown,
            _ => return Err(Stop::Invalid),
        })
    }

    /// `of.name`.
    pub fn property(&self, of: &Value, name: &str) -> Outcome<Value> {
        Ok(match of {
            Value::Null => Value::Null,
            Value::Node(at) if *at < self.graph.nodes.len() => self.graph.node_property(*at, name),
            Value::Unknown | Value::Node(_) => Value::Unknown,
            Value::Relation(at) => self.graph.relation_property(*at, name),
            _ => return Err(Stop::Invalid),
        })
    }

    pub fn eval(&mut self, expr: &Expr, row: &Row) -> Outcome<Value> {
        Ok(match expr {
            Expr::Literal(value) => value.clone(),
            Expr::Variable(name) => row.get(name).cloned().ok_or(Stop::Invalid)?,
            Expr::Property(of, name) => {
                let of = self.eval(of, row)?;
                self.property(&of, name)?
            }
            Expr::And(left, right) => self.truth(left, row)?.and(self.truth(right, row)?).value(),
            Expr::Or(left, right) => self.truth(left, row)?.or(self.truth(right, row)?).value(),
            Expr::Xor(left, right) => self.truth(left, row)?.xor(self.truth(right, row)?).value(),
            Expr::Not(of) => self.truth(of, row)?.not().value(),
            Expr::Compare(sign, left, right) => self.comparison(sign, left, right, row)?,
            Expr::Binary("IN", item, list) => {
                let (item, list) = (self.eval(item, row)?, self.eval(list, row)?);
                match list {
                    Value::List(items) => items.iter().fold(Truth::False, |any, of| any.or(equals(&item, of))).value(),
                    Value::Unknown => Value::Unknown,
                    Value::Null if matches!(item, Value::Unknown) => Value::Unknown,
                    Value::Null => Value::Null,
                    _ => return Err(Stop::Invalid),
                }
            }
            Expr::Binary(word, left, right) => {
                let (left, right) = (self.eval(left, row)?, self.eval(right, row)?);
                match (left, right) {
                    (Value::Unknown, _) | (_, Value::Unknown) => Value::Unknown,
                    (Value::Text(text), Value::Text(part)) => Value::Bool(match *word {
                        "STARTS WITH" => text.starts_with(&part),
                        "ENDS WITH" => text.ends_with(&part),
                        _ => text.contains(&part),
                    }),
                    _ => Value::Null,
                }
            }
            Expr::IsNull(of, negated) => match self.eval(of, row)? {
                Value::Unknown => Value::Unknown,
                value => Value::Bool(matches!(value, Value::Null) != *negated),
            },
            Expr::HasLabels(of, labels) => match self.eval(of, row)? {
                Value::Null => Value::Null,
                Value::Unknown => Value::Unknown,
                Value::Node(at) => Value::Bool(labels.hold(self.labels_of(at))),
                _ => return Err(Stop::Invalid),
            },
            Expr::List(items) => Value::List(items.iter().map(|item| self.eval(item, row)).collect::<Outcome<_>>()?),
            Expr::Call(name, arguments) => self.call(name, arguments, row)?,
            Expr::Case(when, then, otherwise) => match self.truth(when, row)? {
                Truth::True => self.eval(then, row)?,
                // Which it is cannot be known.
                Truth::Unknown => Value::Unknown,
                _ => self.eval(otherwise, row)?,
            },
            Expr::Exists(paths, filter) => self.exists(paths, filter.as_deref(), row)?,
            Expr::Pattern(path) => self.exists(std::slice::from_ref(path), None, row)?,
            Expr::CountOf(paths, filter) => match self.every_match(row, paths, filter.as_deref())? {
                (_, true) => Value::Unknown,
                (rows, false) => Value::Int(rows.len() as i64),
            },
            Expr::PatternList(path, filter, map) => {
                match self.every_match(row, std::slice::from_ref(path), filter.as_deref())? {
                    (_, true) => Value::Unknown,
                    (rows, false) => Value::List(rows.iter().map(|row| self.eval(map, row)).collect::<Outcome<_>>()?),
                }
            }
            Expr::Comprehension(variable, list, filter, map) => {
                let items = match self.eval(list, row)? {
                    Value::List(items) => items,
                    missing @ (Value::Null | Value::Unknown) => return Ok(missing),
                    _ => return Err(Stop::Invalid),
                };
                let mut values = Vec::new();
                for item in items {
                    let mut inner = row.clone();
                    inner.set(variable, item);
                    match filter.as_ref().map_or(Ok(Truth::True), |filter| self.truth(filter, &inner))? {
                        Truth::True => values.push(self.eval(map, &inner)?),
                        // Whether it belongs to the list cannot be known, nor so the list.
                        Truth::Unknown => return Ok(Value::Unknown),
                        _ => {}
                    }
                }
                Value::List(values)
            }
            Expr::Quantified(kind, variable, list, filter) => {
                let items = match self.eval(list, row)? {
                    Value::List(items) => items,
                    missing @ (Value::Null | Value::Unknown) => return Ok(missing),
                    _ => return Err(Stop::Invalid),
                };
                let mut truths = Vec::new();
                for item in items {
                    let mut inner = row.clone();
                    inner.set(variable, item);
                    truths.push(self.truth(filter, &inner)?);
                }
                quantified(kind, &truths).value()
            }
            Expr::CountAll | Expr::Aggregate(..) => return Err(Stop::Invalid),
        })
    }

    fn exists(&mut self, paths: &[Path], filter: Option<&Expr>, row: &Row) -> Outcome<Value> {
        let (rows, uncertain) = self.matches(row, paths, filter)?;
        Ok(match (rows.is_empty(), uncertain) {
            (false, _) => Value::Bool(true),
            (true, true) => Value::Unknown,
            (true, false) => Value::Bool(false),
        })
    }

    /// Matches of which each one counts.
    fn every_match(&mut self, row: &Row, paths: &[Path], filter: Option<&Expr>) -> Outcome<(Vec<Row>, bool)> {
        let merges = std::mem::replace(&mut self.merges, false);
        let result = self.matches(row, paths, filter);
        self.merges = merges;
        result
    }

    fn comparison(&mut self, sign: &str, left: &Expr, right: &Expr, row: &Row) -> Outcome<Value> {
        // A count that may be higher is compared as every number from it on: what all of them say is known.
        if let (Expr::CountOf(paths, filter), Expr::Literal(other @ (Value::Int(_) | Value::Float(_)))) = (left, right)
        {
            let (rows, uncertain) = self.every_match(row, paths, filter.as_deref())?;
            let count = rows.len() as i64;
            let last = if uncertain { count + 20 } else { count };
            let mut truths = (count..=last).map(|count| by_sign(sign, &Value::Int(count), other));
            let first = truths.next().unwrap_or(Truth::Unknown);
            let settled = truths.all(|truth| truth == first);
            return Ok(if settled { first } else { Truth::Unknown }.value());
        }
        let (left, right) = (self.eval(left, row)?, self.eval(right, row)?);
        Ok(by_sign(sign, &left, &right).value())
    }

    fn call(&mut self, name: &str, arguments: &[Expr], row: &Row) -> Outcome<Value> {
        if name == "coalesce" {
            for argument in arguments {
                match self.eval(argument, row)? {
                    Value::Null => {}
                    value => return Ok(value),
                }
            }
            return Ok(Value::Null);
        }
        let argument = self.eval(arguments.first().ok_or(Stop::Invalid)?, row)?;
        Ok(match (name, argument) {
            (_, missing @ (Value::Null | Value::Unknown)) => missing,
            ("size", Value::List(items)) => Value::Int(items.len() as i64),
            ("size", Value::Text(text)) => Value::Int(text.chars().count() as i64),
            ("head", Value::List(items)) => items.into_iter().next().unwrap_or(Value::Null),
            ("length", Value::Path(_, relations)) => Value::Int(relations.len() as i64),
            ("nodes", Value::Path(nodes, _)) => Value::List(nodes.into_iter().map(Value::Node).collect()),
            ("relationships", Value::Path(_, relations)) => {
                Value::List(relations.into_iter().map(Value::Relation).collect())
            }
            ("type", Value::Relation(at)) => Value::Text(super::graph::TYPES[self.graph.relations[at].of].to_owned()),
            ("startNode", Value::Relation(at)) => Value::Node(self.graph.relations[at].from),
            ("endNode", Value::Relation(at)) => Value::Node(self.graph.relations[at].to),
            ("labels", Value::Node(at)) => {
                Value::List(self.labels_of(at).iter().map(|label| Value::Text((*label).to_owned())).collect())
            }
            _ => return Err(Stop::Invalid),
        })
    }
}

fn by_sign(sign: &str, left: &Value, right: &Value) -> Truth {
    let holds: fn(Ordering) -> bool = match sign {
        "=" => return equals(left, right),
        "<>" => return equals(left, right).not(),
        "<" => Ordering::is_lt,
        "<=" => Ordering::is_le,
        ">" => Ordering::is_gt,
        _ => Ordering::is_ge,
    };
    match compare(left, right) {
        Ok(Some(order)) => Truth::of(holds(order)),
        Ok(None) => Truth::False,
        Err(truth) => truth,
    }
}

fn quantified(kind: &str, truths: &[Truth]) -> Truth {
    let any = truths.iter().fold(Truth::False, |any, truth| any.or(*truth));
    match kind {
        "all" => truths.iter().fold(Truth::True, |all, truth| all.and(*truth)),
        "any" => any,
        "none" => any.not(),
        _ => {
            let count = |wanted: Truth| truths.iter().filter(|truth| **truth == wanted).count();
            match count(Truth::True) {
                0 | 1 if count(Truth::Unknown) > 0 => Truth::Unknown,
                0 | 1 if count(Truth::Null) > 0 => Truth::Null,
                found => Truth::of(found == 1),
            }
        }
    }
}
