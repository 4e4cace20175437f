//! `SHORTEST k`, `SHORTEST k GROUPS` and `ANY k` over any pattern: all paths, the shortest first, and of those between the
//! same two ends the first ones.

use std::sync::Arc;

use super::group::{groups, hidden};
use super::{Resolver, Variable};
use crate::error::{ErrorCode, Outcome, QueryError, Span};
use crate::ir::{self, ExprKind, Item, Name, Projection};
use crate::plan::{Expr, Kind, Op, QueryPlan};
use crate::value::ResultValue;

impl Resolver<'_> {
    /// `MATCH` of one pattern that chooses among its paths.
    pub(super) fn searched(
        &mut self,
        paths: &[ir::PathPattern],
        filter: Option<&ir::Expr>,
        optional: bool,
        ops: &mut Vec<Op>,
    ) -> Outcome<()> {
        let ([path], Some(search)) = (paths, paths.iter().find_map(|path| path.search)) else {
            let span = paths.first().map_or_else(Span::default, |path| path.span);
            let message = "a pattern that chooses among its paths stands alone in its MATCH";
            return Err(QueryError::new(ErrorCode::Unsupported, span, message).with_help("use a second MATCH"));
        };
        let span = path.span;
        let mut path = ir::PathPattern { search: None, ..path.clone() };
        let whole = path.variable.get_or_insert_with(|| hidden(self.program.width)).clone();
        let mut ends = Vec::new();
        for node in [0, path.nodes.len() - 1] {
            let unnamed = Name { text: Arc::from(format!("\u{0}end {node}")), span };
            ends.extend(path.nodes.get_mut(node).map(|node| node.variable.get_or_insert(unnamed).clone()));
        }
        let outer = self.scope.clone();
        let mut part = Vec::new();
        let path = std::slice::from_ref(&path);
        if groups(path).next().is_some() {
            self.repeated(path, None, false, &mut part)?;
        } else {
            part.push(Op::Match(self.match_clause(path, None, false)?));
        }
        let found: Vec<Variable> = self.scope.iter().skip(outer.len()).cloned().collect();
        let found: Vec<Variable> = found.into_iter().filter(|variable| !variable.name.starts_with('\0')).collect();

        let expr = |kind| ir::Expr { kind, span: Span::default() };
        let variable = |name: &Arc<str>| expr(ExprKind::Variable(name.clone()));
        let item = |expr: ir::Expr, alias: &str| {
            let name = Name { text: alias.into(), span };
            Item { expr, alias: Some(name), text: alias.into() }
        };
        let call = |name: &str, argument: ir::Expr| {
            let name = Name { text: name.into(), span };
            expr(ExprKind::Call { name, distinct: false, arguments: vec![argument] })
        };
        let mut project = |resolver: &mut Self, items: Vec<Item>, order: Option<&str>| {
            let order = order.map(|name| (variable(&name.into()), false)).into_iter().collect();
            resolver.with(&Projection { items, order, ..Projection::default() }, None, span, &mut part)
        };
        const FROM: &str = "\u{0}from";
        const TO: &str = "\u{0}to";
        const LENGTH: &str = "\u{0}length";
        const ROWS: &str = "\u{0}rows";
        const CHOSEN: &str = "\u{0}chosen";
        let row = expr(ExprKind::List(found.iter().map(|of| variable(&of.name)).collect()));
        let length = call("length", variable(&whole.text));
        let side = |at: usize, alias| ends.get(at).map(|name: &Name| item(variable(&name.text), alias));
        let pair: Vec<Item> = side(0, FROM).into_iter().chain(side(1, TO)).collect();
        let with = |more: Vec<Item>| [pair.clone(), more].concat();
        project(self, with(vec![item(length, LENGTH), item(row, ROWS)]), Some(LENGTH))?;
        let same = |name: &str| item(variable(&name.into()), name);
        let pair = || vec![same(FROM), same(TO)];
        let collected = |alias: &str| item(call("collect", variable(&ROWS.into())), alias);
        if search.groups {
            project(self, [pair(), vec![same(LENGTH), collected(ROWS)]].concat(), Some(LENGTH))?;
        }
        project(self, [pair(), vec![collected(CHOSEN)]].concat(), None)?;

        let slot_of = |resolver: &Self, name: &str| resolver.lookup(name).map_or(0, |variable| variable.slot);
        let of = |kind| Expr { kind, span };
        let int = |number| of(Kind::Constant(ResultValue::Int(number)));
        let chosen = Box::new(of(Kind::Slot(slot_of(self, CHOSEN))));
        let list = of(Kind::Slice { of: chosen, from: None, to: Some(Box::new(int(search.count))) });
        let mut row = self.slot();
        part.push(Op::Unwind { list, slot: row });
        if search.groups {
            let list = of(Kind::Slot(row));
            row = self.slot();
            part.push(Op::Unwind { list, slot: row });
        }
        self.scope = outer;
        let mut items = Vec::new();
        let mut columns = Vec::new();
        for (variable, at) in found.into_iter().zip(0..) {
            let slot = self.declare(&variable.name, variable.of).slot;
            let value = Kind::Index { of: Box::new(of(Kind::Slot(row))), index: Box::new(int(at)) };
            items.push((of(value), slot));
            columns.push((variable.name.clone(), slot));
            if let Some(last) = self.scope.last_mut() {
                *last = Variable { slot, ..variable };
            }
        }
        part.push(Op::Let(items));
        // Paths are chosen first: a condition asks of the chosen.
        if let Some(filter) = filter {
            part.push(Op::Filter(self.predicate(filter)?));
        }
        let (names, slots): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        let plan = QueryPlan { parts: vec![part], distinct: false, outputs: vec![slots.clone()], columns: names };
        let op = self.within(plan, slots, optional, true);
        ops.push(op);
        Ok(())
    }
}
