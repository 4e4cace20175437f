//! The value of an expression over one row.

use std::sync::Arc;

use regex::Regex;

use crate::condition::UnknownCause;
use crate::error::{ErrorCode, Outcome, QueryError, Span};
use crate::exec::{Exec, Frame, truth_of};
use crate::graph::{NodeId, RelationId};
use crate::ir::{CompareOp, Quantifier};
use crate::plan::{Expr, Kind, Slot};
use crate::truth::Truth;
use crate::value::ResultValue as V;
use crate::value::compare::{equals, less};

mod functions;
mod lists;
mod network;
mod numbers;
mod operators;
mod temporal;
mod text;

/// A pattern that must match the whole text.
pub(crate) fn whole_regex(pattern: &str) -> Result<Regex, String> {
    regex::RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(1 << 20).build().map_err(|error| {
        let text = error.to_string();
        let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
        format!("`{pattern}` is no regular expression: {}", last.trim_start_matches("error: "))
    })
}

/// `op` between two values.
pub(crate) fn compare(op: CompareOp, left: &V, right: &V) -> Truth {
    match op {
        CompareOp::Equal => equals(left, right),
        CompareOp::NotEqual => !equals(left, right),
        CompareOp::Less => less(left, right, std::cmp::Ordering::is_lt),
        CompareOp::LessEqual => less(left, right, std::cmp::Ordering::is_le),
        CompareOp::Greater => less(left, right, std::cmp::Ordering::is_gt),
        CompareOp::GreaterEqual => less(left, right, std::cmp::Ordering::is_ge),
    }
}

pub(crate) fn wrong_type(span: Span, wanted: &str, value: &V) -> Box<QueryError> {
    let message = format!("{wanted} is expected here; this is {}", value.type_name());
    QueryError::new(ErrorCode::InvalidArgumentType, span, message)
}

impl Exec<'_> {
    /// The value of an expression.
    pub(crate) fn eval(&self, expr: &Expr, frame: &mut Frame) -> Outcome<V> {
        match &expr.kind {
            Kind::Constant(value) => Ok(value.clone()),
            Kind::Slot(slot) => Ok(frame[*slot].clone()),
            Kind::NodeProperty { slot, property } => self.node_property(*slot, *property, frame, expr.span),
            Kind::Property { of, name } => {
                let of = self.eval(of, frame)?;
                self.property(&of, name, expr.span)
            }
            Kind::And(parts) => self.conjunction(parts, frame, Truth::False),
            Kind::Or(parts) => self.conjunction(parts, frame, Truth::True),
            Kind::Not(of) => Ok((!self.truth(of, frame)?).into()),
            Kind::Xor(left, right) => {
                let left = self.truth(left, frame)?;
                Ok(left.xor(self.truth(right, frame)?).into())
            }
            Kind::Compare(op, left, right) => {
                let left = self.eval(left, frame)?;
                let right = self.eval(right, frame)?;
                Ok(compare(*op, &left, &right).into())
            }
            Kind::IsNull { of, negated } => Ok(match self.eval(of, frame)? {
                V::Unknown => V::Unknown,
                value => V::Bool(matches!(value, V::Null) != *negated),
            }),
            Kind::Regex(of, regex) => match self.eval(of, frame)? {
                V::String(text) => Ok(V::Bool(regex.is_match(&text))),
                V::Unknown => Ok(V::Unknown),
                _ => Ok(V::Null),
            },
            _ => self.eval_rare(expr, frame),
        }
    }

    /// The kinds that are seldom in the inner loop; apart, so that the frame of [`Exec::eval`] stays small.
    #[inline(never)]
    fn eval_rare(&self, expr: &Expr, frame: &mut Frame) -> Outcome<V> {
        match &expr.kind {
            Kind::Parameter(name) => self.parameters.get(&**name).cloned().ok_or_else(|| {
                let message = format!("parameter `${name}` is not given");
                QueryError::new(ErrorCode::MissingParameter, expr.span, message)
            }),
            Kind::Binary(op, left, right) => {
                let left = self.eval(left, frame)?;
                let right = self.eval(right, frame)?;
                self.binary(*op, &left, &right, expr.span)
            }
            Kind::Negate(of) => {
                let value = self.eval(of, frame)?;
                self.negate(&value, expr.span)
            }
            Kind::Plus(of) => match self.eval(of, frame)? {
                value @ (V::Int(_) | V::Float(_) | V::Null | V::Unknown) => Ok(value),
                other => Err(wrong_type(expr.span, "a number", &other)),
            },
            Kind::HasLabels { of, labels } => {
                let of = self.eval(of, frame)?;
                self.has_labels(&of, *labels, expr.span)
            }
            Kind::Index { of, index } => {
                let of = self.eval(of, frame)?;
                let index = self.eval(index, frame)?;
                self.index(&of, &index, expr.span)
            }
            Kind::Slice { of, from, to } => {
                let of = self.eval(of, frame)?;
                let from = from.as_ref().map(|from| self.eval(from, frame)).transpose()?;
                let to = to.as_ref().map(|to| self.eval(to, frame)).transpose()?;
                self.slice(&of, from.as_ref(), to.as_ref(), expr.span)
            }
            Kind::List(items) => {
                let items = items.iter().map(|item| self.eval(item, frame)).collect::<Outcome<_>>()?;
                self.check_nested(V::list(items), expr.span)
            }
            Kind::Map(entries) => {
                let fields = entries.iter().map(|(name, value)| Ok((name.clone(), self.eval(value, frame)?)));
                self.check_nested(V::Map(Arc::new(fields.collect::<Outcome<_>>()?)), expr.span)
            }
            Kind::MapProjection { of, all, items } => self.map_projection(of, *all, items, frame),
            Kind::Call(function, arguments) => self.call(*function, arguments, expr.span, frame),
            Kind::Case { operand, arms, otherwise } => self.case(operand.as_deref(), arms, otherwise.as_deref(), frame),
            Kind::Comprehension { slot, list, filter, map } => {
                self.comprehension(*slot, list, filter.as_deref(), map.as_deref(), frame)
            }
            Kind::Quantified { kind, slot, list, filter } => self.quantified(*kind, *slot, list, filter, frame),
            Kind::Reduce { accumulator, initial, slot, list, body } => {
                frame[*accumulator] = self.eval(initial, frame)?;
                let items = match self.eval(list, frame)? {
                    V::List(items) => items,
                    missing if missing.is_missing() => return Ok(missing),
                    other => return Err(wrong_type(list.span, "a list", &other)),
                };
                for item in items.iter() {
                    self.tick()?;
                    frame[*slot] = item.clone();
                    let value = self.eval(body, frame)?;
                    frame[*accumulator] = value;
                }
                Ok(std::mem::take(&mut frame[*accumulator]))
            }
            Kind::Exists(number) => self.exists(*number, frame),
            Kind::Count(number) => {
                let (count, uncertain) = self.count(*number, None, frame)?;
                Ok(if uncertain { V::Unknown } else { V::Int(count) })
            }
            Kind::CountCompare(op, number, other) => {
                let same_for_all = matches!(other.kind, Kind::Constant(_) | Kind::Parameter(_));
                let other = self.eval(other, frame)?;
                // What is more decides, by how much it is more does not.
                let most = match other {
                    V::Int(most) if same_for_all => Some(most),
                    _ => None,
                };
                let (count, uncertain) = self.count(*number, most, frame)?;
                Ok(compare_count(*op, count, uncertain, &other).into())
            }
            Kind::Collect(number) => self.collect(*number, frame),
            Kind::PatternList { pattern, map } => self.pattern_list(*pattern, map, frame),
            // The rest is in `eval`.
            _ => Ok(V::Null),
        }
    }

    fn conjunction(&self, parts: &[Expr], frame: &mut Frame, decides: Truth) -> Outcome<V> {
        let mut all = !decides;
        for part in parts {
            let truth = self.truth(part, frame)?;
            if truth == decides {
                return Ok(decides.into());
            }
            all = if decides == Truth::False { all.and(truth) } else { all.or(truth) };
        }
        Ok(all.into())
    }

    #[inline]
    fn node_property(&self, slot: Slot, property: usize, frame: &Frame, span: Span) -> Outcome<V> {
        if let Some((node, of, value)) = &*self.substitute.borrow()
            && *node == slot
            && *of == property
        {
            return Ok(value.clone());
        }
        match &frame[slot] {
            V::Node(node) => {
                let kind = self.graph.kind_number(*node);
                let value = match (self.bound.column(kind, property), self.graph.tables.get(kind as usize)) {
                    (Some(column), Some(table)) => match table.column(column) {
                        Some(column) => column.get((node.0 - table.nodes.start) as usize),
                        None => V::Null,
                    },
                    _ => V::Null,
                };
                if matches!(value, V::Unknown) {
                    self.note(|| UnknownCause::Property {
                        node: *node,
                        property: self.program.properties.get(property).cloned().unwrap_or_default(),
                    });
                }
                Ok(value)
            }
            V::Null => Ok(V::Null),
            V::Unknown => Ok(V::Unknown),
            other => match self.program.properties.get(property) {
                Some(name) => self.property(other, name, span),
                None => Ok(V::Null),
            },
        }
    }

    /// A property of a node by name, noting an unknown one.
    pub(crate) fn named_property(&self, node: NodeId, name: &Arc<str>) -> V {
        let value = self.graph.node_property(node, name);
        if matches!(value, V::Unknown) {
            self.note(|| UnknownCause::Property { node, property: name.clone() });
        }
        value
    }

    /// A property of a relation.
    pub(crate) fn relation_property(&self, id: RelationId, name: &str) -> V {
        let table = self.graph.relations.get(id.of as usize);
        table.and_then(|table| table.column_named(name)).map_or(V::Null, |column| column.get(id.index as usize))
    }

    /// `value.name`.
    pub(crate) fn property(&self, of: &V, name: &Arc<str>, span: Span) -> Outcome<V> {
        Ok(match of {
            V::Null => V::Null,
            V::Unknown => V::Unknown,
            V::Node(node) => self.named_property(*node, name),
            V::Relation(id) => self.relation_property(*id, name),
            V::Map(fields) => fields.get(name).cloned().unwrap_or_default(),
            V::Time(_) | V::Temporal(_) => temporal::component(of, name).ok_or_else(|| {
                let message = format!("{} has no `{name}`", of.type_name());
                QueryError::new(ErrorCode::InvalidArgumentValue, span, message)
            })?,
            other => return Err(wrong_type(span, "a node, relation or map", other)),
        })
    }

    fn has_labels(&self, of: &V, labels: usize, span: Span) -> Outcome<V> {
        Ok(match of {
            V::Null => V::Null,
            V::Unknown => V::Unknown,
            V::Node(node) => {
                let kind = self.graph.kind_number(*node) as usize;
                let holds = self.bound.labels.get(labels).and_then(|kinds| kinds.get(kind)).copied();
                V::Bool(holds.unwrap_or(false))
            }
            V::Relation(id) => {
                let name = self.graph.relations.get(id.of as usize).map(|table| table.name.clone());
                let name = name.unwrap_or_default();
                let labels = self.program.labels.get(labels);
                V::Bool(labels.is_some_and(|labels| labels.hold(&|wanted| *wanted == *name, true)))
            }
            other => return Err(wrong_type(span, "a node", other)),
        })
    }

    fn case(
        &self,
        operand: Option<&Expr>,
        arms: &[(Vec<Expr>, Expr)],
        otherwise: Option<&Expr>,
        frame: &mut Frame,
    ) -> Outcome<V> {
        let operand = operand.map(|operand| self.eval(operand, frame)).transpose()?;
        for (conditions, then) in arms {
            for condition in conditions {
                let value = self.eval(condition, frame)?;
                let truth = match &operand {
                    Some(operand) => equals(operand, &value),
                    None => truth_of(&value, condition.span)?,
                };
                match truth {
                    Truth::True => return self.eval(then, frame),
                    // Which arm is taken cannot be known.
                    Truth::Unknown => return Ok(V::Unknown),
                    _ => {}
                }
            }
        }
        otherwise.map_or(Ok(V::Null), |otherwise| self.eval(otherwise, frame))
    }

    fn comprehension(
        &self,
        slot: Slot,
        list: &Expr,
        filter: Option<&Expr>,
        map: Option<&Expr>,
        frame: &mut Frame,
    ) -> Outcome<V> {
        let items = match self.eval(list, frame)? {
            V::List(items) => items,
            missing if missing.is_missing() => return Ok(missing),
            other => return Err(wrong_type(list.span, "a list", &other)),
        };
        let mut values = Vec::new();
        for item in items.iter() {
            self.tick()?;
            frame[slot] = item.clone();
            match filter.map(|filter| self.truth(filter, frame)).transpose()? {
                // Whether the element belongs to the list cannot be known, nor so the list.
                Some(Truth::Unknown) => return Ok(V::Unknown),
                Some(Truth::True) | None => {}
                Some(_) => continue,
            }
            values.push(match map {
                Some(map) => self.eval(map, frame)?,
                None => item.clone(),
            });
        }
        self.check_nested(V::list(values), list.span)
    }

    fn quantified(&self, kind: Quantifier, slot: Slot, list: &Expr, filter: &Expr, frame: &mut Frame) -> Outcome<V> {
        let items = match self.eval(list, frame)? {
            V::List(items) => items,
            missing if missing.is_missing() => return Ok(missing),
            other => return Err(wrong_type(list.span, "a list", &other)),
        };
        let (mut all, mut any) = (Truth::True, Truth::False);
        let (mut certain, mut open) = (0, Truth::False);
        for item in items.iter() {
            self.tick()?;
            frame[slot] = item.clone();
            let truth = self.truth(filter, frame)?;
            all = all.and(truth);
            any = any.or(truth);
            match truth {
                Truth::True => certain += 1,
                Truth::False => {}
                missing => open = open.or(missing),
            }
            let decided = match kind {
                Quantifier::All => all == Truth::False,
                Quantifier::Any | Quantifier::None => any == Truth::True,
                Quantifier::Single => certain > 1,
            };
            if decided {
                break;
            }
        }
        Ok(match kind {
            Quantifier::All => all,
            Quantifier::Any => any,
            Quantifier::None => !any,
            Quantifier::Single if certain > 1 => Truth::False,
            Quantifier::Single if open != Truth::False => open,
            Quantifier::Single => (certain == 1).into(),
        }
        .into())
    }

    fn map_projection(
        &self,
        of: &Expr,
        all: bool,
        items: &[(Arc<str>, Option<Expr>)],
        frame: &mut Frame,
    ) -> Outcome<V> {
        let base = self.eval(of, frame)?;
        if base.is_missing() {
            return Ok(base);
        }
        let mut fields = std::collections::BTreeMap::new();
        if all && let V::Map(own) = self.properties(&base, of.span)? {
            fields.extend(own.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        for (name, value) in items {
            if let Some(value) = value {
                fields.insert(name.clone(), self.eval(value, frame)?);
            }
        }
        self.check_nested(V::Map(Arc::new(fields)), of.span)
    }
}

/// A count that may be too low, beside a number: decided where no further row could change it.
fn compare_count(op: CompareOp, count: i64, uncertain: bool, other: &V) -> Truth {
    let now = compare(op, &V::Int(count), other);
    if !uncertain || !matches!(now, Truth::True | Truth::False) {
        return now;
    }
    let settled = match op {
        CompareOp::Greater | CompareOp::GreaterEqual => now == Truth::True,
        CompareOp::Less | CompareOp::LessEqual => now == Truth::False,
        CompareOp::Equal | CompareOp::NotEqual => less(&V::Int(count), other, std::cmp::Ordering::is_gt) == Truth::True,
    };
    if settled { now } else { Truth::Unknown }
}
