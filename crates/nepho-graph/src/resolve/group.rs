//! Parts of a path in parentheses that repeat: `(a) ((x)-[:R]->(y) WHERE y.p > x.p){1,3} (b)`.
//!
//! Each number of repetitions is a pattern of its own, in which the part stands so many times, and the matches of all
//! these patterns are the matches of the whole. A part of one relation without an upper bound is walked as a relation of
//! variable length instead, and its conditions are asked of each step afterwards.

use std::sync::Arc;

use super::pattern::property_entries;
use super::types::Type;
use super::{Resolver, Variable, already_bound};
use crate::error::{ErrorCode, Outcome, QueryError, Span};
use crate::functions::Function;
use crate::ir::{self, BinaryOp, Group, Name, Quantifier};
use crate::plan::{Expr, Filter, Kind, MatchPlan, Op, Path, QueryPlan, Slot, Subquery};
use crate::value::ResultValue;

/// Most patterns that one is taken apart into.
const MAX_FORMS: usize = 64;
/// Most relations that a part may come to when it is written out.
const MAX_RELATIONS: usize = 400;
/// Up to so many repetitions a part of one relation with conditions is written out, so that they are asked early.
const WRITTEN_OUT: u32 = 12;

/// How often a part is gone through in one of the patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Times {
    Exactly(u32),
    /// As a relation of variable length.
    Any,
}

/// A variable within a part: what it stands for outside.
pub(super) struct GroupVariable {
    name: Arc<str>,
    value: Expr,
}

/// What a part adds to its path, and its variables.
pub(super) struct Walked {
    pub nodes: Vec<usize>,
    pub relations: Vec<usize>,
    pub variables: Vec<GroupVariable>,
}

/// The parts that repeat.
pub(super) fn groups(paths: &[ir::PathPattern]) -> impl Iterator<Item = &Group> {
    paths.iter().flat_map(|path| &path.relations).filter_map(|relation| relation.group.as_deref())
}

/// A name that no text can say.
pub(super) fn hidden(slot: Slot) -> Name {
    Name { text: Arc::from(format!("\u{0}{slot}")), span: Span::default() }
}

/// Whether a condition holds of every element of a list.
pub(super) fn every(slot: Slot, list: Expr, filter: Expr) -> Expr {
    let span = filter.span;
    let kind = Kind::Quantified { kind: Quantifier::All, slot, list: Box::new(list), filter: Box::new(filter) };
    Expr { kind, span }
}

impl Group {
    /// The names of its variables.
    fn names(&self) -> impl Iterator<Item = &Name> {
        let nodes = self.path.nodes.iter().filter_map(|node| node.variable.as_ref());
        let relations = self.path.relations.iter().filter_map(|relation| relation.variable.as_ref());
        self.path.variable.iter().chain(nodes).chain(relations)
    }

    /// The numbers of repetitions.
    fn forms(&self) -> Outcome<Vec<Times>> {
        let Some((least, most)) = self.times else { return Ok(vec![Times::Exactly(1)]) };
        let wrong = |code, message: &str| QueryError::new(code, self.span, message);
        if let [relation] = self.path.relations.as_slice()
            && relation.length.is_none()
            && self.path.variable.is_none()
        {
            let asks =
                |node: &ir::NodePattern| node.labels.is_some() || node.properties.is_some() || node.filter.is_some();
            let conditions = self.filter.is_some()
                || relation.labels.is_some()
                || relation.filter.is_some()
                || self.path.nodes.iter().any(asks);
            if !conditions || most.is_none_or(|most| most > WRITTEN_OUT) {
                return Ok(vec![Times::Any]);
            }
        }
        let Some(most) = most else {
            return Err(wrong(
                ErrorCode::Unsupported,
                "a repeated part of several relations, or with a path variable, needs an upper bound",
            )
            .with_help("write `{1,5}` instead of `+`"));
        };
        if most as usize * self.path.relations.len() > MAX_RELATIONS {
            return Err(wrong(ErrorCode::TooComplex, "the upper bound is too large"));
        }
        Ok((least..=most).map(Times::Exactly).collect())
    }
}

impl Resolver<'_> {
    /// `MATCH` of patterns in which parts repeat.
    pub(super) fn repeated(
        &mut self,
        paths: &[ir::PathPattern],
        filter: Option<&ir::Expr>,
        optional: bool,
        ops: &mut Vec<Op>,
    ) -> Outcome<()> {
        let mut forms: Vec<Vec<Times>> = vec![Vec::new()];
        for group in groups(paths) {
            let own = group.forms()?;
            if forms.len() * own.len() > MAX_FORMS {
                let message = "the repeated parts have too many forms together";
                return Err(QueryError::new(ErrorCode::TooComplex, group.span, message));
            }
            let longer =
                |form: &Vec<Times>| own.iter().map(|times| [&form[..], &[*times]].concat()).collect::<Vec<_>>();
            forms = forms.iter().flat_map(longer).collect();
        }
        let outer = self.scope.clone();
        let mut plan = QueryPlan::default();
        let mut variables: Vec<Variable> = Vec::new();
        let single = forms.len() == 1 && !optional;
        for form in &forms {
            let part = self.form(paths, form, filter)?;
            if single {
                ops.extend(part);
                return Ok(());
            }
            variables = self.scope.drain(outer.len()..).filter(|variable| !variable.name.starts_with('\0')).collect();
            // The parts declare the same names, not always in the same order.
            variables.sort_by(|left, right| left.name.cmp(&right.name));
            self.scope.clone_from(&outer);
            plan.outputs.push(variables.iter().map(|variable| variable.slot).collect());
            plan.parts.push(part);
        }
        let mut slots = Vec::new();
        for variable in variables {
            plan.columns.push(variable.name.clone());
            let slot = self.declare(&variable.name, variable.of).slot;
            slots.push(slot);
            if let Some(last) = self.scope.last_mut() {
                *last = Variable { slot, ..variable };
            }
        }
        ops.push(self.within(plan, slots, optional, false));
        Ok(())
    }

    /// The operator for a plan whose columns go into slots.
    pub(super) fn within(&mut self, plan: QueryPlan, slots: Vec<Slot>, optional: bool, blocking: bool) -> Op {
        self.program.subqueries.push(Subquery { plan, independent: false, blocking });
        Op::Alternatives { subquery: self.program.subqueries.len() - 1, slots, optional }
    }

    /// The operators of one form.
    fn form(&mut self, paths: &[ir::PathPattern], times: &[Times], filter: Option<&ir::Expr>) -> Outcome<Vec<Op>> {
        let mut plan = MatchPlan::default();
        let lists = self.bind_paths(paths, times, &mut plan, self.scope.len(), true)?;
        let mut items = Vec::new();
        for GroupVariable { name, value } in lists {
            let slot = self.declare(&name, Type::List).slot;
            items.push((value, slot));
        }
        let made: Vec<Slot> = items.iter().map(|(_, slot)| *slot).collect();
        let mut later = Vec::new();
        let parts = match filter.map(|filter| (&filter.kind, filter)) {
            Some((ir::ExprKind::And(parts), _)) => parts.as_slice(),
            Some((_, filter)) => std::slice::from_ref(filter),
            None => &[],
        };
        for part in parts {
            let start = self.reads.len();
            let expr = self.predicate(part)?;
            if self.reads.iter().skip(start).any(|slot| made.contains(slot)) {
                later.push(Op::Filter(expr));
            } else {
                let reads = self.reads_since(start, &plan.binds);
                plan.filters.push(Filter { expr, reads });
            }
        }
        self.program.matches.push(plan);
        let mut ops = vec![Op::Match(self.program.matches.len() - 1)];
        if !items.is_empty() {
            ops.push(Op::Let(items));
        }
        ops.extend(later);
        Ok(ops)
    }

    /// Binds a part between two nodes of the pattern.
    pub(super) fn bind_group(
        &mut self,
        group: &Group,
        times: Times,
        (from, to): (usize, usize),
        plan: &mut MatchPlan,
        before: usize,
    ) -> Outcome<Walked> {
        if let Some(name) = group.names().find(|name| self.lookup(&name.text).is_some()) {
            return Err(already_bound(name)
                .with_help("a variable of a repeated part cannot be one from outside: compare them in WHERE"));
        }
        let ends =
            [group.path.nodes.first(), group.path.nodes.last()].map(|node| node.and_then(|of| of.variable.as_ref()));
        if let [Some(first), Some(last)] = ends
            && first.text == last.text
        {
            let message = "a repeated part begins and ends with different variables";
            return Err(QueryError::new(ErrorCode::Unsupported, last.span, message));
        }
        match times {
            Times::Exactly(times) => self.bind_times(group, times, (from, to), plan, before),
            Times::Any => self.bind_any(group, (from, to), plan, before),
        }
    }

    fn bind_times(
        &mut self,
        group: &Group,
        times: u32,
        (from, to): (usize, usize),
        plan: &mut MatchPlan,
        before: usize,
    ) -> Outcome<Walked> {
        let mut ends = vec![from];
        for _ in 1..times {
            ends.push(self.bind_node(&ir::NodePattern::default(), plan, before, true)?);
        }
        ends.push(to);
        let mut walked = Walked { nodes: Vec::new(), relations: Vec::new(), variables: Vec::new() };
        let mut lists: Vec<(&Name, Vec<Expr>)> = Vec::new();
        for name in group.names() {
            if !lists.iter().any(|(known, _)| known.text == name.text) {
                lists.push((name, Vec::new()));
            }
        }
        for ends in ends.windows(2).take(times as usize) {
            let [first, last] = ends else { continue };
            let scope = self.scope.len();
            let mut path = group.path.clone();
            for (at, end) in [(0, first), (path.nodes.len() - 1, last)] {
                let slot = plan.nodes.get(*end).map_or(0, |node| node.slot);
                let name = path.nodes[at].variable.get_or_insert_with(|| hidden(slot)).text.clone();
                self.alias(&name, slot);
            }
            // A path of the whole is put together from the parts': every part has one, named or not.
            let wanted = path.variable.take();
            path.variable = Some(wanted.clone().unwrap_or_else(|| hidden(self.program.width)));
            self.bind_paths(std::slice::from_ref(&path), &[], plan, before, true)?;
            let Some(own) = plan.paths.pop() else { continue };
            if wanted.is_some() {
                plan.paths.push(Path { slot: own.slot, nodes: own.nodes.clone(), relations: own.relations.clone() });
            } else {
                plan.binds.retain(|slot| *slot != own.slot);
            }
            walked.nodes.extend(own.nodes.iter().skip(1));
            walked.relations.extend(own.relations);
            if let Some(filter) = &group.filter {
                self.filter(filter, plan)?;
            }
            if group.times.is_none() {
                continue;
            }
            for (name, list) in &mut lists {
                if let Some(variable) = self.lookup(&name.text) {
                    list.push(Expr { kind: Kind::Slot(variable.slot), span: name.span });
                }
            }
            // The next time the names are new ones.
            for variable in self.scope.iter_mut().skip(scope) {
                variable.name = hidden(variable.slot).text;
            }
        }
        if group.times.is_some() {
            walked.variables = lists
                .into_iter()
                .map(|(name, list)| GroupVariable {
                    name: name.text.clone(),
                    value: Expr { kind: Kind::List(list), span: name.span },
                })
                .collect();
        }
        Ok(walked)
    }

    fn bind_any(
        &mut self,
        group: &Group,
        ends: (usize, usize),
        plan: &mut MatchPlan,
        before: usize,
    ) -> Outcome<Walked> {
        let mut walked = Walked { nodes: vec![ends.1], relations: Vec::new(), variables: Vec::new() };
        let ([first, last], [relation]) = (group.path.nodes.as_slice(), group.path.relations.as_slice()) else {
            return Ok(walked);
        };
        let mut long = relation.clone();
        (long.length, long.variable, long.filter, long.properties) = (group.times, None, None, None);
        let index = self.bind_relation(&long, ends, None, plan, before, true)?;
        let (list, types) = plan.relations.get(index).map_or((0, Vec::new()), |of| (of.slot, of.types.clone()));
        walked.relations.push(index);
        let path = self.slot();
        plan.binds.push(path);
        plan.paths.push(Path { slot: path, nodes: vec![ends.0, ends.1], relations: vec![index] });
        let span = group.span;
        let of = |kind| Expr { kind, span };
        let int = |number| of(Kind::Constant(ResultValue::Int(number)));
        let nodes = || of(Kind::Call(Function::Nodes, vec![of(Kind::Slot(path))]));
        let without = |from: Option<i64>, to: Option<i64>| {
            let side = |at: Option<i64>| at.map(|at| Box::new(int(at)));
            of(Kind::Slice { of: Box::new(nodes()), from: side(from), to: side(to) })
        };
        // The conditions, of step number `step`.
        let start = self.reads.len();
        let scope = self.scope.len();
        let step = self.slot();
        let element = |from: Expr, offset: i64| {
            let at = of(Kind::Binary(BinaryOp::Add, Box::new(of(Kind::Slot(step))), Box::new(int(offset))));
            of(Kind::List(vec![of(Kind::Index { of: Box::new(from), index: Box::new(at) })]))
        };
        let mut conditions = MatchPlan::default();
        let mut elements = Vec::new();
        for (node, offset) in [(first, 0), (last, 1)] {
            let slot = self.slot();
            let mut node = node.clone();
            let name = node.variable.get_or_insert_with(|| hidden(slot)).text.clone();
            self.alias(&name, slot);
            self.bind_node(&node, &mut conditions, before, true)?;
            elements.push((slot, element(nodes(), offset)));
        }
        let name = relation.variable.as_ref().map_or_else(|| hidden(list).text, |name| name.text.clone());
        let labels = self.relation_labels(relation, &types);
        let variable = self.declare(&name, Type::Relation);
        variable.types = types;
        elements.push((variable.slot, element(of(Kind::Slot(list)), 0)));
        let own = variable.slot;
        for (slot, of, map) in [
            (elements[0].0, Type::Node, &first.properties),
            (elements[1].0, Type::Node, &last.properties),
            (own, Type::Relation, &relation.properties),
        ] {
            for (name, value) in map.iter().map(property_entries).collect::<Outcome<Vec<_>>>()?.into_iter().flatten() {
                self.property_filter(slot, of, name, value, &mut conditions)?;
            }
        }
        for filter in [&first.filter, &last.filter, &relation.filter, &group.filter].into_iter().flatten() {
            self.filter(filter, &mut conditions)?;
        }
        let mut parts: Vec<Expr> = Vec::new();
        for node in &conditions.nodes {
            parts.extend(
                node.labels
                    .iter()
                    .map(|labels| of(Kind::HasLabels { of: Box::new(of(Kind::Slot(node.slot))), labels: *labels })),
            );
        }
        if let Some(labels) = labels {
            parts.push(of(Kind::HasLabels { of: Box::new(of(Kind::Slot(own))), labels }));
        }
        parts.extend(conditions.filters.into_iter().map(|filter| filter.expr));
        let reads = self.reads_since(start, &plan.binds);
        self.scope.truncate(scope);
        if !parts.is_empty() {
            let body =
                elements.into_iter().rev().fold(of(Kind::And(parts)), |body, (slot, list)| every(slot, list, body));
            let size = of(Kind::Call(Function::Size, vec![of(Kind::Slot(list))]));
            let last = of(Kind::Binary(BinaryOp::Subtract, Box::new(size), Box::new(int(1))));
            let steps = of(Kind::Call(Function::Range, vec![int(0), last]));
            let reads = [reads, vec![list, path]].concat();
            plan.filters.push(Filter { expr: every(step, steps, body), reads });
        }
        let values = [
            (first.variable.as_ref(), without(None, Some(-1))),
            (last.variable.as_ref(), without(Some(1), None)),
            (relation.variable.as_ref(), of(Kind::Slot(list))),
        ];
        for (name, value) in values {
            walked.variables.extend(name.map(|name| GroupVariable { name: name.text.clone(), value }));
        }
        Ok(walked)
    }
}
