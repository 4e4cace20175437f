//! Patterns: nodes, relations, parts in parentheses, and which of the paths are wanted.

use open_cypher::ast as cst;

use super::{Lowering, name, span, unsupported};
use crate::error::{ErrorCode, Outcome, QueryError, Span};
use crate::ir::*;

impl Lowering<'_> {
    pub(super) fn pattern(&mut self, pattern: &cst::Pattern) -> Outcome<Vec<PathPattern>> {
        pattern.parts.iter().map(|part| self.part(part)).collect()
    }

    fn part(&mut self, part: &cst::PatternPart) -> Outcome<PathPattern> {
        let mut shortest = None;
        let mut path = &part.kind.path;
        let mut condition = None;
        if let [factor] = path.kind.factors.as_slice() {
            match &factor.kind {
                cst::PathFactorKind::LegacyShortest { all, pattern } => {
                    shortest = Some(if *all { Shortest::All } else { Shortest::One });
                    path = pattern;
                }
                cst::PathFactorKind::Parenthesized { pattern, where_clause, quantifier: None } => {
                    path = pattern;
                    condition = where_clause.as_deref();
                }
                _ => {}
            }
        }
        let mut result = self.path(path)?;
        result.variable = part.kind.binding.as_ref().map(name);
        if let Some(selector) = &part.kind.selector {
            (shortest, result.search) = selected(selector, &result)?;
        }
        result.shortest = shortest;
        result.span = span(part.span);
        // The conditions of a node are looked at when the whole pattern is bound.
        if let (Some(condition), Some(first)) = (self.optional(condition)?, result.nodes.first_mut()) {
            let at = condition.span;
            first.filter = Some(match first.filter.take() {
                Some(own) => Expr { kind: ExprKind::And(vec![own, condition]), span: at },
                None => condition,
            });
        }
        Ok(result)
    }

    fn path(&mut self, path: &cst::PathPattern) -> Outcome<PathPattern> {
        let mut result = PathPattern {
            variable: None,
            shortest: None,
            search: None,
            nodes: Vec::new(),
            relations: Vec::new(),
            span: span(path.span),
        };
        // Two groups beside each other, and a group at an end, have a node between and after them.
        let fill = |result: &mut PathPattern| {
            if result.nodes.len() == result.relations.len() {
                result.nodes.push(NodePattern::default());
            }
        };
        let mut after_group = false;
        for factor in &path.kind.factors {
            let was_group = std::mem::take(&mut after_group);
            match &factor.kind {
                cst::PathFactorKind::Node(of) => {
                    if result.nodes.len() > result.relations.len() {
                        return Err(unsupported("two nodes beside each other in a pattern", factor.span));
                    }
                    result.nodes.push(NodePattern {
                        variable: of.variable.as_ref().map(name),
                        labels: of.labels.as_ref().map(|of| self.labels(of)).transpose()?,
                        properties: self.optional(of.properties.as_deref())?,
                        filter: self.optional(of.where_clause.as_deref())?,
                    });
                }
                cst::PathFactorKind::Relationship(of) => {
                    if was_group {
                        fill(&mut result);
                    }
                    if result.relations.len() >= result.nodes.len() {
                        return Err(unsupported("two relations beside each other in a pattern", factor.span));
                    }
                    let relation = self.relation(of)?;
                    result.relations.push(relation);
                }
                cst::PathFactorKind::Parenthesized { pattern, where_clause, quantifier } => {
                    fill(&mut result);
                    let path = self.deeper(span(factor.span), |lowering| lowering.path(pattern))?;
                    let condition = self.optional(where_clause.as_deref())?;
                    result.relations.push(group(path, condition, quantifier.as_ref(), span(factor.span))?);
                    after_group = true;
                }
                cst::PathFactorKind::Subpath { binding, pattern, where_clause, quantifier } => {
                    fill(&mut result);
                    let mut path = self.deeper(span(factor.span), |lowering| lowering.path(pattern))?;
                    path.variable = Some(name(binding));
                    let condition = self.optional(where_clause.as_deref())?;
                    result.relations.push(group(path, condition, quantifier.as_ref(), span(factor.span))?);
                    after_group = true;
                }
                cst::PathFactorKind::QuantifiedNode { .. } => {
                    return Err(unsupported("a node with a quantifier", factor.span));
                }
                _ => return Err(unsupported("this part of a pattern", factor.span)),
            }
        }
        if after_group {
            fill(&mut result);
        }
        if result.nodes.len() != result.relations.len() + 1 {
            return Err(QueryError::new(ErrorCode::UnexpectedSyntax, result.span, "a pattern ends in a node"));
        }
        Ok(result)
    }

    fn relation(&mut self, of: &cst::RelationshipPattern) -> Outcome<RelationPattern> {
        let mut types = Vec::new();
        let mut labels = None;
        if let Some(written) = &of.labels
            && !only_names(written, &mut types)
        {
            types.clear();
            labels = Some(self.labels(written)?);
        }
        let mut length = None;
        for (of, graph) in
            of.legacy_quantifier.iter().map(|of| (of, false)).chain(of.graph_quantifier.iter().map(|of| (of, true)))
        {
            length = Some(quantifier(of, graph)?);
        }
        Ok(RelationPattern {
            variable: of.variable.as_ref().map(name),
            types,
            labels,
            group: None,
            direction: match of.direction.kind {
                cst::RelationshipDirection::Left => Direction::In,
                cst::RelationshipDirection::Right => Direction::Out,
                _ => Direction::Both,
            },
            length,
            properties: self.optional(of.properties.as_deref())?,
            filter: self.optional(of.where_clause.as_deref())?,
        })
    }

    pub(super) fn labels(&mut self, of: &cst::LabelExpression) -> Outcome<LabelExpr> {
        use cst::LabelExpressionKind as L;
        self.deeper(span(of.span), |lowering| {
            let all = |lowering: &mut Self, parts: &[cst::LabelExpression]| {
                parts.iter().map(|part| lowering.labels(part)).collect::<Outcome<Vec<_>>>()
            };
            Ok(match &of.kind {
                L::Name(of) => LabelExpr::Name(name(of)),
                L::Wildcard => LabelExpr::Any,
                L::Not(inner) => not(lowering.labels(inner)?),
                L::And(parts) => LabelExpr::And(all(lowering, parts)?),
                L::Or(parts) => LabelExpr::Or(all(lowering, parts)?),
                L::Parenthesized(inner) => lowering.labels(inner)?,
                _ => return Err(unsupported("this label expression", of.span)),
            })
        })
    }
}

/// Not these labels. Not (not `A` and not `B`) is `A` or `B`, which is what was written.
fn not(labels: LabelExpr) -> LabelExpr {
    match labels {
        LabelExpr::And(parts) if parts.iter().all(|part| matches!(part, LabelExpr::Not(_))) => {
            let inner = |part| if let LabelExpr::Not(of) = part { *of } else { part };
            LabelExpr::Or(parts.into_iter().map(inner).collect())
        }
        labels => LabelExpr::Not(Box::new(labels)),
    }
}

/// Whether a relation's types are any, or one of some names, which are put into `types`.
fn only_names(labels: &cst::LabelExpression, types: &mut Vec<Name>) -> bool {
    use cst::LabelExpressionKind as L;
    match &labels.kind {
        L::Name(of) => {
            types.push(name(of));
            true
        }
        L::Or(parts) => parts.iter().all(|part| !matches!(part.kind, L::Wildcard) && only_names(part, types)),
        L::Parenthesized(inner) => only_names(inner, types),
        L::Wildcard => true,
        _ => false,
    }
}

/// The bounds of a quantifier; `graph` when it stands after the brackets.
fn quantifier(of: &cst::Quantifier, graph: bool) -> Outcome<(u32, Option<u32>)> {
    let bound = |text: &str| {
        text.parse::<u32>().map_err(|_| {
            QueryError::new(ErrorCode::InvalidRelationshipPattern, span(of.span), "the length is too large")
        })
    };
    Ok(match &of.kind {
        // A bare `*` inside the brackets means one or more; after them, zero or more.
        cst::QuantifierKind::ZeroOrMore => (if graph { 0 } else { 1 }, None),
        cst::QuantifierKind::OneOrMore => (1, None),
        cst::QuantifierKind::Optional => (0, Some(1)),
        cst::QuantifierKind::Fixed(count) => {
            let count = bound(count)?;
            (count, Some(count))
        }
        cst::QuantifierKind::Range { lower, upper } => {
            (lower.as_deref().map_or(Ok(if graph { 0 } else { 1 }), bound)?, upper.as_deref().map(bound).transpose()?)
        }
        _ => return Err(unsupported("this quantifier", of.span)),
    })
}

/// Which paths a selector asks for. One or all shortest over a single relation are searched for breadth first; of others
/// all paths are looked at.
fn selected(
    selector: &cst::Node<cst::PathSelector>,
    path: &PathPattern,
) -> Outcome<(Option<Shortest>, Option<Search>)> {
    let count = |count: &Option<String>| match count.as_deref().map_or(Ok(1), str::parse::<i64>) {
        Ok(count) if count > 0 => Ok(count),
        _ => {
            Err(QueryError::new(ErrorCode::NumberOutOfRange, span(selector.span), "the number of paths is at least 1"))
        }
    };
    let (count, groups) = match &selector.kind {
        cst::PathSelector::All => return Ok((None, None)),
        cst::PathSelector::AnyShortest => (1, false),
        cst::PathSelector::AllShortest => (1, true),
        cst::PathSelector::Any { count: of } => (count(of)?, false),
        cst::PathSelector::Shortest { count: of, groups } => (count(of)?, *groups),
        _ => return Err(unsupported("this path selector", selector.span)),
    };
    let simple = match path.relations.as_slice() {
        [of] => {
            of.group.is_none() && of.filter.is_none() && of.labels.is_none() && of.length.is_none_or(|of| of.0 <= 1)
        }
        _ => false,
    };
    Ok(match (simple && count == 1, groups) {
        (true, true) => (Some(Shortest::All), None),
        (true, false) => (Some(Shortest::One), None),
        _ => (None, Some(Search { count, groups })),
    })
}

/// A part of a path in parentheses. One that repeats a single relation and says no more is a relation of variable length.
fn group(
    mut path: PathPattern,
    filter: Option<Expr>,
    times: Option<&cst::Quantifier>,
    at: Span,
) -> Outcome<RelationPattern> {
    let wrong = |message: &str| Err(QueryError::new(ErrorCode::InvalidRelationshipPattern, at, message));
    if path.relations.is_empty() {
        return wrong("a part of a path in parentheses needs a relation");
    }
    if path.relations.iter().any(|relation| relation.group.is_some()) {
        return wrong("parentheses within parentheses of a path are not supported");
    }
    let times = times.map(|of| quantifier(of, true)).transpose()?;
    if matches!(times, Some((least, Some(most))) if least > most) {
        return wrong("the lower bound is above the upper");
    }
    let bare = |node: &NodePattern| {
        node.variable.is_none() && node.labels.is_none() && node.properties.is_none() && node.filter.is_none()
    };
    if let [relation] = path.relations.as_mut_slice()
        && times.is_some()
        && relation.length.is_none()
        && path.nodes.iter().all(bare)
        && filter.is_none()
        && path.variable.is_none()
    {
        relation.length = times;
        return Ok(std::mem::take(relation));
    }
    let group = Group { path, filter, times, span: at };
    Ok(RelationPattern { group: Some(Box::new(group)), ..RelationPattern::default() })
}
