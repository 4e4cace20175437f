//! The forms of a pattern whose parts repeat, one after the other.

use super::{Exec, Flow, Frame, Sink};
use crate::error::Outcome;
use crate::plan::{Op, Slot};
use crate::value::ResultValue as V;

impl Exec<'_> {
    /// [`Op::Alternatives`], and the operators after it.
    pub(super) fn alternatives(
        &self,
        number: usize,
        slots: &[Slot],
        optional: bool,
        rest: &[Op],
        frame: &mut Frame,
        sink: Sink<'_>,
    ) -> Outcome<Flow> {
        let Some(subquery) = self.program.subqueries.get(number) else { return Ok(Flow::Go) };
        let (mut found, mut flow) = (false, Flow::Go);
        let mut run = || {
            self.query(&subquery.plan, frame, &mut |frame, part| {
                found = true;
                for (from, to) in subquery.plan.outputs.get(part).into_iter().flatten().zip(slots) {
                    frame[*to] = frame[*from].clone();
                }
                flow = self.stream(rest, frame, sink)?;
                Ok(flow)
            })
        };
        if !optional {
            run()?;
            return Ok(flow);
        }
        let uncertain = self.searching(run)?;
        if uncertain && found {
            self.set_uncertain();
        }
        if found {
            return Ok(flow);
        }
        for slot in slots {
            frame[*slot] = if uncertain { V::Unknown } else { V::Null };
        }
        self.stream(rest, frame, sink)
    }
}
