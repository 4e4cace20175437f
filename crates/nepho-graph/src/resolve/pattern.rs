//! Patterns: which variables they bind and which they find bound.

use std::sync::Arc;

use super::types::Type;
use super::{Resolver, already_bound, type_conflict};
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
        let mut plan = MatchPlan { optional, ..MatchPlan::default() };
        self.bind_paths(paths, &mut plan, true)?;
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
        self.bind_paths(paths, &mut plan, false)?;
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

    fn reads_since(&self, start: usize, among: &[Slot]) -> Vec<Slot> {
        let mut reads: Vec<Slot> = self.reads.iter().skip(start).filter(|slot| among.contains(slot)).copied().collect();
        reads.sort_unstable();
        reads.dedup();
        reads
    }

    fn bind_paths(&mut self, paths: &[ir::PathPattern], plan: &mut MatchPlan, may_bind: bool) -> Outcome<()> {
        let before = self.scope.len();
        let mut property_maps: Vec<(Slot, Type, &ir::Expr)> = Vec::new();
        let mut filters: Vec<&ir::Expr> = Vec::new();
        for path in paths {
            if path.shortest.is_some() && (path.relations.len() != 1 || path.nodes.len() != 2) {
                return Err(QueryError::new(
                    ErrorCode::UnexpectedSyntax,
                    path.span,
                    "a shortest path goes over exactly one relation pattern",
                ));
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
            let mut nodes = Vec::new();
            for node in &path.nodes {
                nodes.push(self.bind_node(node, plan, before, may_bind)?);
                let slot = nodes.last().and_then(|at| plan.nodes.get(*at)).map_or(0, |node| node.slot);
                property_maps.extend(node.properties.iter().map(|map| (slot, Type::Node, map)));
                filters.extend(&node.filter);
            }
            let mut relations = Vec::new();
            for (at, relation) in path.relations.iter().enumerate() {
                let ends = (nodes[at], nodes[at + 1]);
                relations.push(self.bind_relation(relation, ends, path.shortest, plan, before, may_bind)?);
                let slot = relations.last().and_then(|at| plan.relations.get(*at)).map_or(0, |of| of.slot);
                if relation.length.is_none() && path.shortest.is_none() {
                    property_maps.extend(relation.properties.iter().map(|map| (slot, Type::Relation, map)));
                }
                filters.extend(&relation.filter);
            }
            if let Some(variable) = &path.variable {
                let slot = self.declare(&variable.text, Type::Path).slot;
                plan.binds.push(slot);
                plan.paths.push(Path { slot, nodes, relations });
            }
        }
        // Everything that the pattern binds is in scope of its property maps.
        for (slot, of, map) in property_maps {
            for (name, value) in property_entries(map)? {
                self.property_filter(slot, of, name, value, plan)?;
            }
        }
        for (relation, at) in paths.iter().flat_map(|path| &path.relations).zip(0..) {
            let long = plan.relations.get(at).is_some_and(|of: &Relation| of.length.is_some() || of.shortest.is_some());
            if let (true, Some(map)) = (long, &relation.properties) {
                let mut properties = Vec::new();
                for (name, value) in property_entries(map)? {
                    properties.push((name.text.clone(), self.expr(value)?.0));
                }
                if let Some(relation) = plan.relations.get_mut(at) {
                    relation.properties = properties;
                }
            }
        }
        for filter in filters {
            self.filter(filter, plan)?;
        }
        Ok(())
    }

    fn property_filter(
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

    fn bind_node(
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

    /// An element without a name stays in scope only for its own property map; no text can say its name.
    fn hide_last(&mut self) {
        if let Some(last) = self.scope.last_mut() {
            last.name = Arc::from(format!("\u{0}{}", last.slot));
        }
    }

    fn bind_relation(
        &mut self,
        relation: &ir::RelationPattern,
        (from, to): (usize, usize),
        shortest: Option<ir::Shortest>,
        plan: &mut MatchPlan,
        before: usize,
        may_bind: bool,
    ) -> Outcome<usize> {
        for name in &relation.types {
            self.check_type(name)?;
        }
        let types: Vec<Arc<str>> = relation.types.iter().map(|name| name.text.clone()).collect();
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

fn property_entries(map: &ir::Expr) -> Outcome<&[(Name, ir::Expr)]> {
    match &map.kind {
        ir::ExprKind::Map(entries) => Ok(entries),
        _ => Err(QueryError::new(
            ErrorCode::InvalidParameterUse,
            map.span,
            "a pattern takes its properties as a map written out, not as a parameter",
        )),
    }
}
