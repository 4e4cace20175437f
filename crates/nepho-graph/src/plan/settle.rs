//! What can be told of a program once it is whole: of which variable-length relations only the ends matter.

use super::{AggregateKind, Expr, Kind, Op, Program, Projection, QueryPlan, Relation};

impl Program {
    /// Sets [`Relation::ends_only`]. `query` is the query itself, `exprs` the conditions, that the program belongs to.
    pub(crate) fn settle(&mut self, query: Option<&QueryPlan>, exprs: &[Expr]) {
        let mut read = vec![false; self.width];
        let mut note = |expr: &Expr| {
            // What patterns and queries within read is noted with their own expressions.
            expr.slots(&mut |slot| read[slot] = true);
        };
        exprs.iter().for_each(&mut note);
        query.iter().flat_map(|query| &query.parts).flatten().for_each(|op| op.each_expr(&mut note));
        self.each_expr(&mut note);
        let plans = query.into_iter().chain(self.subqueries.iter().map(|subquery| &subquery.plan));
        plans.flat_map(|plan| &plan.outputs).flatten().for_each(|slot| read[*slot] = true);
        // What a projection passes on is computed by no expression.
        let queries = query.into_iter().chain(self.subqueries.iter().map(|subquery| &subquery.plan));
        for op in queries.flat_map(|plan| &plan.parts).flatten() {
            if let Op::Project(of) = op {
                let carried = of.grouped.iter().flat_map(|grouping| &grouping.carried);
                of.kept.iter().chain(&of.visible).chain(carried).for_each(|slot| read[*slot] = true);
            }
        }
        for plan in &self.matches {
            plan.paths.iter().flat_map(|path| &path.relations).for_each(|at| read[plan.relations[*at].slot] = true);
            plan.relations.iter().filter(|relation| relation.bound).for_each(|relation| read[relation.slot] = true);
        }

        // Matches whose rows may as well come once as many times.
        let mut merged = vec![false; self.matches.len()];
        let mut judge = |plan: &QueryPlan, at_end: bool| {
            for ops in &plan.parts {
                for (at, op) in ops.iter().enumerate() {
                    if let Op::Match(number) = op
                        && let Some(place) = merged.get_mut(*number)
                    {
                        *place = merges(&ops[at + 1..], at_end);
                    }
                }
            }
        };
        query.iter().for_each(|query| judge(query, query.distinct && query.parts.len() > 1));
        let mut exists = vec![false; self.subqueries.len()];
        let mut find = |expr: &Expr| {
            expr.visit(&mut |part| {
                if let Kind::Exists(number) = &part.kind {
                    exists[*number] = true;
                }
            });
        };
        exprs.iter().for_each(&mut find);
        query.iter().flat_map(|query| &query.parts).flatten().for_each(|op| op.each_expr(&mut find));
        self.each_expr(&mut find);
        for (subquery, exists) in self.subqueries.iter().zip(exists) {
            judge(&subquery.plan, exists);
        }

        for (plan, merged) in self.matches.iter_mut().zip(merged) {
            let alone: Vec<bool> = (0..plan.relations.len())
                .map(|at| {
                    let others = plan.relations.iter().enumerate().filter(|(other, _)| *other != at);
                    others.into_iter().all(|(_, other)| !may_share(&plan.relations[at], other))
                })
                .collect();
            for (relation, alone) in plan.relations.iter_mut().zip(alone) {
                relation.ends_only = merged
                    && alone
                    && relation.length.is_some_and(|(least, _)| least <= 1)
                    && relation.shortest.is_none()
                    && !relation.bound
                    && !read[relation.slot];
            }
        }
    }
}

/// Whether one relation of a graph could stand for both.
fn may_share(left: &Relation, right: &Relation) -> bool {
    left.types.is_empty() || right.types.is_empty() || left.types.iter().any(|of| right.types.contains(of))
}

/// Whether what follows treats equal rows as one.
fn merges(after: &[Op], at_end: bool) -> bool {
    for op in after {
        let Op::Project(projection) = op else { continue };
        let Projection { grouped, distinct, skip, limit, .. } = &**projection;
        if let Some(grouping) = grouped {
            return grouping.aggregates.iter().all(|aggregate| {
                aggregate.distinct || matches!(aggregate.kind, AggregateKind::Min | AggregateKind::Max)
            });
        }
        if *distinct {
            return true;
        }
        if skip.is_some() || limit.is_some() {
            return false;
        }
    }
    at_end
}
