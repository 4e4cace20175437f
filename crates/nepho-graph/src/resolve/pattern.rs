//! Patterns: which variables they bind and which they find bound.

use std::sync::Arc;

use super::group::{GroupVariable, Times, every, groups, hidden};
use super::types::Type;
use super::{Resolver, Variable, already_bound, type_conflict};
use crate::error::{ErrorCode, Outcome, QueryError, Span};
use crate::ir::{self, Name};
use crate::plan::{Expr, Filter, Kind, MatchPlan, Node, Path, Relation, Slot};

impl Resolver<'_> {
    /// `MATCH`: gives the pattern's number.
    pub(super) fn match_clause(
        &mut self,
        paths: &[ir::PathPattern],
        filter: Option<&ir::Expr>,
        optional: bool,
    ) -> Outcome<usize> {
        if let Some(group) = groups(paths).next() {
            let message = "parentheses that repeat a part of a path belong into MATCH";
            return Err(QueryError::new(ErrorCode::Unsupported, group.span, message)
                .with_help("write `COLLECT { MATCH … RETURN … }` or `EXISTS { MATCH … }`"));
        }
        if let Some(path) = paths.iter().find(|path| path.search.is_some()) {
            let message = "a choice among paths belongs into MATCH";
            return Err(QueryError::new(ErrorCode::Unsupported, path.span, message));
        }
        let mut plan = MatchPlan { optional, ..MatchPlan::default() };
        self.bind_paths(paths, &[], &mut plan, self.scope.len(), true)?;
        if let Some(filter) = filter {
            self.filter(filter, &mut plan)?;
        }
        self.program.matches.push(plan);
        Ok(self.program.matches.len() - 1)
    }

    /// A pattern as a predicate, which may bind nothing.
    pub(super) fn pattern_predicate(&mut self, paths: &[ir::PathPattern]) -> Outcome<usize> {
        let mut plan = MatchPlan::default();
        let outer = self.scope.clone();
        self.bind_paths(paths, &[], &mut plan, self.scope.len(), false)?;
        self.scope = outer;
        self.program.matches.push(plan);
        Ok(self.program.matches.len() - 1)
    }

    /// Splits a `WHERE` into what can be checked as early as possible.
    pub(super) fn filter(&mut self, filter: &ir::Expr, plan: &mut MatchPlan) -> Outcome<()> {
        let parts = match &filter.kind {
            ir::ExprKind::And(parts) => parts.as_slice(),
            _ => std::slice::from_ref(filter),
        };
        for part in parts {
            let start = self.reads.len();
            let expr = self.predicate(part)?;
            let reads = self.reads_since(start, &plan.binds);
            plan.filters.push(Filter { expr, reads });
        }
        Ok(())
    }

    /// A predicate: patterns may stand in it, and it must not be of another type than boolean.
    pub(super) fn predicate(&mut self, expr: &ir::Expr) -> Outcome<Expr> {
        let before = std::mem::replace(&mut self.predicate, true);
        let result = self.expr(expr);
        self.predicate = before;
        let (resolved, of) = result?;
        if !of.may_be(Type::Bool) {
            let message = format!("a predicate must be true or false; this is {}", of.word());
            return Err(QueryError::new(ErrorCode::InvalidArgumentType, expr.span, message));
        }
        Ok(resolved)
    }

    pub(super) fn reads_since(&self, start: usize, among: &[Slot]) -> Vec<Slot> {
        let mut reads: Vec<Slot> = self.reads.iter().skip(start).filter(|slot| among.contains(slot)).copied().collect();
        reads.sort_unstable();
        reads.dedup();
        reads
    }

    /// Binds patterns. `times` says of each repeated group, in order, how often it is gone through; gives the lists
    /// that its variables stand for.
    pub(super) fn bind_paths(
        &mut self,
        paths: &[ir::PathPattern],
        times: &[Times],
        plan: &mut MatchPlan,
        before: usize,
        may_bind: bool,
    ) -> Outcome<Vec<GroupVariable>> {
        let mut lists = Vec::new();
        let mut times = times.iter().copied();
        let mut property_maps: Vec<(Slot, Type, &ir::Expr)> = Vec::new();
        let mut filters: Vec<&ir::Expr> = Vec::new();
        // What is asked of each relation of a variable length: place in the plan, pattern.
        let mut long: Vec<(usize, &ir::RelationPattern)> = Vec::new();
        for path in paths {
            if path.shortest.is_some() && (path.relations.len() != 1 || path.nodes.len() != 2) {
                return Err(QueryError::new(
                    ErrorCode::UnexpectedSyntax,
                    path.span,
                    "a shortest path goes over exactly one relation pattern",
                ));
            }
            if path.shortest.is_some()
                && let Some((least, _)) = path.relations.first().and_then(|relation| relation.length)
                && least > 1
            {
                let message = "a shortest path begins with length 0 or 1";
                return Err(QueryError::new(ErrorCode::Unsupported, path.span, message)
                    .with_help("write `MATCH p = SHORTEST 1 (a)-[*3..]->(b)`"));
            }
            if let Some(variable) = &path.variable {
                let used = path.nodes.iter().filter_map(|node| node.variable.as_ref());
                let used = used.chain(path.relations.iter().filter_map(|relation| relation.variable.as_ref()));
                if self.lookup(&variable.text).is_some() || used.into_iter().any(|name| name.text == variable.text) {
                    return Err(already_bound(variable));
                }
                if !may_bind {
                    return Err(self.undefined(&variable.text, variable.span));
                }
            }
            let taken: Vec<Option<Times>> =
                path.relations.iter().map(|relation| relation.group.as_ref().and_then(|_| times.next())).collect();
            let mut nodes = Vec::new();
            for (at, node) in path.nodes.iter().enumerate() {
                let joined = |at: usize| taken.get(at).is_some_and(|taken| *taken == Some(Times::Exactly(0)));
                let left = nodes.last().copied().filter(|_| at > 0 && joined(at - 1));
                nodes.push(match (left, path.nodes.get(at + 1).filter(|_| joined(at))) {
                    (Some(left), _) => self.bind_joined(node, left, plan, before, may_bind)?,
                    (None, Some(next)) if self.is_bound(next) && !self.is_bound(node) => {
                        let next = self.bind_node(next, plan, before, may_bind)?;
                        self.bind_joined(node, next, plan, before, may_bind)?
                    }
                    _ => self.bind_node(node, plan, before, may_bind)?,
                });
                let slot = nodes.last().and_then(|at| plan.nodes.get(*at)).map_or(0, |node| node.slot);
                property_maps.extend(node.properties.iter().map(|map| (slot, Type::Node, map)));
                filters.extend(&node.filter);
            }
            let mut whole =
                Path { slot: 0, nodes: nodes.first().copied().into_iter().collect(), relations: Vec::new() };
            for (at, relation) in path.relations.iter().enumerate() {
                let ends = (nodes[at], nodes[at + 1]);
                if let (Some(group), Some(times)) = (&relation.group, taken[at]) {
                    let walked = self.bind_group(group, times, ends, plan, before)?;
                    lists.extend(walked.variables);
                    whole.nodes.extend(walked.nodes);
                    whole.relations.extend(walked.relations);
                    continue;
                }
                let index = self.bind_relation(relation, ends, path.shortest, plan, before, may_bind)?;
                whole.relations.push(index);
                whole.nodes.push(ends.1);
                if relation.length.is_none() && path.shortest.is_none() {
                    let slot = plan.relations.get(index).map_or(0, |of| of.slot);
                    property_maps.extend(relation.properties.iter().map(|map| (slot, Type::Relation, map)));
                    filters.extend(&relation.filter);
                } else {
                    long.push((index, relation));
                }
            }
            if let Some(variable) = &path.variable {
                whole.slot = self.declare(&variable.text, Type::Path).slot;
                plan.binds.push(whole.slot);
                plan.paths.push(whole);
            }
        }
        // Everything that the pattern binds is in scope of its property maps.
        for (slot, of, map) in property_maps {
            for (name, value) in property_entries(map)? {
                self.property_filter(slot, of, name, value, plan)?;
            }
        }
        for (at, relation) in long {
            self.ask_each(at, relation, plan)?;
        }
        for filter in filters {
            self.filter(filter, plan)?;
        }
        Ok(lists)
    }

    fn is_bound(&self, node: &ir::NodePattern) -> bool {
        node.variable.as_ref().is_some_and(|name| self.lookup(&name.text).is_some())
    }

    /// A node that is one with another of the pattern.
    fn bind_joined(
        &mut self,
        node: &ir::NodePattern,
        with: usize,
        plan: &mut MatchPlan,
        before: usize,
        may_bind: bool,
    ) -> Outcome<usize> {
        let slot = plan.nodes.get(with).map_or(0, |node| node.slot);
        if self.is_bound(node) {
            let at = self.bind_node(node, plan, before, may_bind)?;
            if at != with {
                let span = node.variable.as_ref().map_or_else(Span::default, |name| name.span);
                let own = plan.nodes.get(at).map_or(0, |node| node.slot);
                let side = |slot| Box::new(Expr { kind: Kind::Slot(slot), span });
                let kind = Kind::Compare(ir::CompareOp::Equal, side(slot), side(own));
                let reads = [slot, own].into_iter().filter(|slot| plan.binds.contains(slot)).collect();
                plan.filters.push(Filter { expr: Expr { kind, span }, reads });
            }
            return Ok(at);
        }
        let mut node = node.clone();
        let name = node.variable.get_or_insert_with(|| hidden(slot)).text.clone();
        self.alias(&name, slot);
        self.bind_node(&node, plan, before, may_bind)
    }

    /// Another name for the node in a slot.
    pub(super) fn alias(&mut self, name: &Arc<str>, slot: Slot) {
        let known = self.scope.iter().rfind(|variable| variable.slot == slot);
        let kinds = known.and_then(|variable| variable.kinds.clone());
        let (name, of) = (name.clone(), Type::Node);
        self.scope.push(Variable { name, slot, of, relations: false, kinds, types: Vec::new() });
    }

    /// What a pattern asks of every relation of a variable length.
    fn ask_each(&mut self, at: usize, relation: &ir::RelationPattern, plan: &mut MatchPlan) -> Outcome<()> {
        if let Some(map) = &relation.properties {
            let mut properties = Vec::new();
            for (name, value) in property_entries(map)? {
                properties.push((name.text.clone(), self.expr(value)?.0));
            }
            if let Some(relation) = plan.relations.get_mut(at) {
                relation.properties = properties;
            }
        }
        let Some(of) = plan.relations.get(at) else { return Ok(()) };
        let (list, types, shortest) = (of.slot, of.types.clone(), of.shortest.is_some());
        let span =
            relation.filter.as_ref().map(|filter| filter.span).or(relation.variable.as_ref().map(|name| name.span));
        let span = span.unwrap_or_default();
        let mut parts = Vec::new();
        let start = self.reads.len();
        let scope = self.scope.len();
        let name = relation.variable.as_ref().map_or_else(|| hidden(list).text, |name| name.text.clone());
        let labels = self.relation_labels(relation, &types);
        let variable = self.declare(&name, Type::Relation);
        variable.types = types;
        let element = variable.slot;
        if let Some(labels) = labels {
            let of = Box::new(Expr { kind: Kind::Slot(element), span });
            parts.push(Expr { kind: Kind::HasLabels { of, labels }, span });
        }
        if let Some(filter) = &relation.filter {
            parts.push(self.predicate(filter)?);
        }
        self.scope.truncate(scope);
        if parts.is_empty() {
            return Ok(());
        }
        if shortest {
            let message = "a shortest path takes types and properties of its relations, and no other condition on them";
            return Err(QueryError::new(ErrorCode::Unsupported, span, message));
        }
        let mut reads = self.reads_since(start, &plan.binds);
        reads.push(list);
        let expr = every(element, Expr { kind: Kind::Slot(list), span }, Expr { kind: Kind::And(parts), span });
        plan.filters.push(Filter { expr, reads });
        Ok(())
    }

    /// The number of a relation's type expression, where its types (as [`Resolver::types_of`] gives them) do not say it.
    pub(super) fn relation_labels(&mut self, relation: &ir::RelationPattern, types: &[Arc<str>]) -> Option<usize> {
        let labels = relation.labels.as_ref().filter(|_| types.is_empty())?;
        self.program.labels.push(super::relation_type(labels));
        Some(self.program.labels.len() - 1)
    }

    pub(super) fn property_filter(
        &mut self,
        slot: Slot,
        of: Type,
        name: &Name,
        value: &ir::Expr,
        plan: &mut MatchPlan,
    ) -> Outcome<()> {
        let start = self.reads.len();
        self.reads.push(slot);
        let variable = self.scope.iter().find(|variable| variable.slot == slot).cloned();
        let kind = if of == Type::Node {
            self.check_property(name, variable.as_ref().and_then(|variable| variable.kinds.as_deref()))?;
            Kind::NodeProperty { slot, property: self.property_number(&name.text) }
        } else {
            self.check_relation_property(name, variable.as_ref().map_or(&[], |variable| &variable.types))?;
            Kind::Property { of: Box::new(Expr { kind: Kind::Slot(slot), span: name.span }), name: name.text.clone() }
        };
        let left = Expr { kind, span: name.span };
        let (right, _) = self.expr(value)?;
        let span = Span { start: name.span.start, end: value.span.end };
        let kind = Kind::Compare(ir::CompareOp::Equal, Box::new(left), Box::new(right));
        let reads = self.reads_since(start, &plan.binds);
        plan.filters.push(Filter { expr: Expr { kind, span }, reads });
        Ok(())
    }

    pub(super) fn bind_node(
        &mut self,
        node: &ir::NodePattern,
        plan: &mut MatchPlan,
        before: usize,
        may_bind: bool,
    ) -> Outcome<usize> {
        let labels = node.labels.as_ref().map(|labels| self.labels(labels)).transpose()?;
        let (labels, kinds) = match labels {
            Some((number, kinds)) => (vec![number], kinds),
            None => (Vec::new(), None),
        };
        let known = node.variable.as_ref().and_then(|name| {
            let at = self.scope.iter().rposition(|variable| variable.name == name.text)?;
            Some((name, at))
        });
        if let Some((name, at)) = known {
            let variable = &mut self.scope[at];
            if !variable.of.may_be(Type::Node) || variable.relations {
                return Err(type_conflict(name, variable.of, Type::Node));
            }
            let slot = variable.slot;
            if let Some(kinds) = kinds {
                variable.kinds = Some(match variable.kinds.take() {
                    Some(known) => known.into_iter().filter(|kind| kinds.contains(kind)).collect(),
                    None => kinds,
                });
            }
            if at < before {
                self.reads.push(slot);
            }
            if let Some(index) = plan.nodes.iter().position(|node| node.slot == slot) {
                plan.nodes[index].labels.extend(labels);
                return Ok(index);
            }
            plan.nodes.push(Node { slot, labels, bound: at < before });
            return Ok(plan.nodes.len() - 1);
        }
        let name = match &node.variable {
            Some(name) if !may_bind => return Err(self.undefined(&name.text, name.span)),
            Some(name) => name.text.clone(),
            None => Arc::from(""),
        };
        let variable = self.declare(&name, Type::Node);
        variable.kinds = kinds;
        let slot = variable.slot;
        if name.is_empty() {
            self.hide_last();
        }
        plan.binds.push(slot);
        plan.nodes.push(Node { slot, labels, bound: false });
        Ok(plan.nodes.len() - 1)
    }

    /// The types that a relation may be of, checked; empty for any.
    fn types_of(&self, relation: &ir::RelationPattern) -> Outcome<Vec<Arc<str>>> {
        for name in &relation.types {
            self.check_type(name)?;
        }
        let Some(labels) = &relation.labels else {
            return Ok(relation.types.iter().map(|name| name.text.clone()).collect());
        };
        labels.names().into_iter().try_for_each(|name| self.check_type(name))?;
        if self.schema.is_open() {
            return Ok(Vec::new());
        }
        let wanted = super::relation_type(labels);
        let all = self.schema.relations().map(|relation| relation.name.clone());
        Ok(all.filter(|name| wanted.hold(&|wanted| *wanted == **name, true)).collect())
    }

    /// An element without a name stays in scope only for its own property map; no text can say its name.
    fn hide_last(&mut self) {
        if let Some(last) = self.scope.last_mut() {
            last.name = Arc::from(format!("\u{0}{}", last.slot));
        }
    }

    pub(super) fn bind_relation(
        &mut self,
        relation: &ir::RelationPattern,
        (from, to): (usize, usize),
        shortest: Option<ir::Shortest>,
        plan: &mut MatchPlan,
        before: usize,
        may_bind: bool,
    ) -> Outcome<usize> {
        let types = self.types_of(relation)?;
        let long = relation.length.is_some();
        let mut bound = false;
        let slot = match &relation.variable {
            Some(name) => {
                let known = self.scope.iter().rposition(|variable| variable.name == name.text);
                match known {
                    Some(at) => {
                        let variable = &self.scope[at];
                        let (of, slot) = (variable.of, variable.slot);
                        if at >= before && (of == Type::Relation || variable.relations) {
                            let message = format!("variable `{}` stands for two relations of one pattern", name.text);
                            let code = ErrorCode::RelationshipUniquenessViolation;
                            return Err(QueryError::new(code, name.span, message));
                        }
                        let wanted = if long { Type::List } else { Type::Relation };
                        if !of.may_be(wanted) {
                            return Err(type_conflict(name, of, wanted));
                        }
                        self.reads.push(slot);
                        bound = true;
                        slot
                    }
                    None if !may_bind => return Err(self.undefined(&name.text, name.span)),
                    None => {
                        let variable = self.declare(&name.text, if long { Type::List } else { Type::Relation });
                        variable.relations = long;
                        variable.types.clone_from(&types);
                        let slot = variable.slot;
                        plan.binds.push(slot);
                        slot
                    }
                }
            }
            None => {
                let slot = self.declare(&"".into(), Type::Relation).slot;
                self.hide_last();
                plan.binds.push(slot);
                slot
            }
        };
        if !long
            && shortest.is_none()
            && let Some(labels) = self.relation_labels(relation, &types)
        {
            let span = relation.variable.as_ref().map_or_else(Span::default, |name| name.span);
            let of = Box::new(Expr { kind: Kind::Slot(slot), span });
            let reads = [slot].into_iter().filter(|slot| plan.binds.contains(slot)).collect();
            plan.filters.push(Filter { expr: Expr { kind: Kind::HasLabels { of, labels }, span }, reads });
        }
        plan.relations.push(Relation {
            slot,
            from,
            to,
            types,
            direction: relation.direction,
            length: relation.length.or(shortest.map(|_| (1, Some(1)))),
            properties: Vec::new(),
            bound,
            shortest,
            ends_only: false,
        });
        Ok(plan.relations.len() - 1)
    }
}

pub(super) fn property_entries(map: &ir::Expr) -> Outcome<&[(Name, ir::Expr)]> {
    match &map.kind {
        ir::ExprKind::Map(entries) => Ok(entries),
        _ => Err(QueryError::new(
            ErrorCode::InvalidParameterUse,
            map.span,
            "a pattern takes its properties as a map written out, not as a parameter",
        )),
    }
}
