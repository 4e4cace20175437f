//! Lists and maps: index, slice, range, and what reads properties as a map.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Exec, wrong_type};
use crate::error::{ErrorCode, Outcome, QueryError, Span};
use crate::value::ResultValue as V;

impl Exec<'_> {
    /// `of[index]`.
    pub(super) fn index(&self, of: &V, index: &V, span: Span) -> Outcome<V> {
        if let Some(missing) = V::missing([of, index]) {
            return Ok(missing);
        }
        match (of, index) {
            (V::List(items), V::Int(at)) => {
                let at = if *at < 0 { *at + items.len() as i64 } else { *at };
                Ok(usize::try_from(at).ok().and_then(|at| items.get(at)).cloned().unwrap_or_default())
            }
            (V::List(_), other) => Err(wrong_type(span, "a whole number", other)),
            (V::Map(_) | V::Node(_) | V::Relation(_), V::String(name)) => self.property(of, name, span),
            (V::Map(_), _) => Err(QueryError::new(
                ErrorCode::MapElementAccessByNonString,
                span,
                format!("a map is read by text, not by {}", index.type_name()),
            )),
            (V::Node(_) | V::Relation(_), other) => Err(wrong_type(span, "a string", other)),
            (V::Time(_) | V::Temporal(_), V::String(name)) => self.property(of, name, span),
            (other, _) => Err(wrong_type(span, "a list or map", other)),
        }
    }

    /// `of[from..to]`.
    pub(super) fn slice(&self, of: &V, from: Option<&V>, to: Option<&V>, span: Span) -> Outcome<V> {
        if let Some(missing) = V::missing([Some(of), from, to].into_iter().flatten()) {
            return Ok(missing);
        }
        let V::List(items) = of else { return Err(wrong_type(span, "a list", of)) };
        let length = items.len() as i64;
        let place = |at: Option<&V>, otherwise: i64| match at {
            None => Ok(otherwise),
            Some(V::Int(at)) => Ok((if *at < 0 { at.saturating_add(length) } else { *at }).clamp(0, length)),
            Some(other) => Err(wrong_type(span, "a whole number", other)),
        };
        let (from, to) = (place(from, 0)?, place(to, length)?);
        Ok(V::list(items.get(from as usize..to.max(from) as usize).unwrap_or_default().to_vec()))
    }

    /// `range(first, last, step)`.
    pub(super) fn range(&self, first: i64, last: i64, step: i64, span: Span) -> Outcome<V> {
        if step == 0 {
            return Err(QueryError::new(ErrorCode::NumberOutOfRange, span, "a range needs a step other than 0"));
        }
        let count = ((i128::from(last) - i128::from(first)) / i128::from(step)).saturating_add(1);
        if (step > 0 && first > last) || (step < 0 && first < last) {
            return Ok(V::list(Vec::new()));
        }
        self.check_length(usize::try_from(count).unwrap_or(usize::MAX))?;
        Ok(V::list((0..count as i64).map(|at| V::Int(first + at * step)).collect()))
    }

    /// Properties that are there, as a map.
    pub(super) fn properties(&self, of: &V, span: Span) -> Outcome<V> {
        let mut fields: BTreeMap<Arc<str>, V> = BTreeMap::new();
        match of {
            V::Null | V::Unknown => return Ok(of.clone()),
            V::Map(_) => return Ok(of.clone()),
            V::Node(id) => {
                let Some(table) = self.graph.tables.get(self.graph.kind_number(*id) as usize) else {
                    return Ok(V::Null);
                };
                let row = (id.0 - table.nodes.start) as usize;
                for (name, column) in table.each_column() {
                    fields.insert(name.clone(), column.get(row));
                }
            }
            V::Relation(id) => {
                let Some(table) = self.graph.relations.get(id.of as usize) else { return Ok(V::Null) };
                for (name, column) in table.each_column() {
                    fields.insert(name.clone(), column.get(id.index as usize));
                }
            }
            other => return Err(wrong_type(span, "a node, relation or map", other)),
        }
        fields.retain(|_, value| !matches!(value, V::Null));
        Ok(V::Map(Arc::new(fields)))
    }
}
