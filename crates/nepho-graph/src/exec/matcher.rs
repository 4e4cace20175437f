//! Walking a pattern through the graph, depth first, one slot after the other.

use super::reach::Ends;
use super::{Exec, Flow, Frame, Sink};
use crate::bind::{BoundMatch, Expand, Step};
use crate::condition::UnknownCause;
use crate::error::Outcome;
use crate::graph::{NodeId, RelationId};
use crate::ir::Direction;
use crate::plan::{MatchPlan, Relation};
use crate::truth::Truth;
use crate::value::{PathValue, ResultValue as V};

/// One pattern being walked.
pub(super) struct Walk<'a> {
    /// The pattern's number.
    pub number: usize,
    pub plan: &'a MatchPlan,
    pub bound: &'a BoundMatch,
    /// Relations in use: none may be used twice in one pattern.
    pub used: Vec<RelationId>,
    /// The node from which the pattern starts, for what is said to be incomplete in its account.
    pub anchor: Option<NodeId>,
}

/// A relation of the pattern about to be walked from a node that is known.
#[derive(Clone, Copy)]
pub(super) struct Hop<'a> {
    pub expand: &'a Expand,
    pub relation: &'a Relation,
    pub from: NodeId,
    /// The step of the walk that it is.
    pub at: usize,
    /// Whether a condition before it was unknown.
    pub pending: bool,
}

impl Exec<'_> {
    /// Every way in which a pattern matches.
    pub(super) fn matches(&self, number: usize, frame: &mut Frame, sink: Sink<'_>) -> Outcome<Flow> {
        let (Some(plan), Some(bound)) = (self.program.matches.get(number), self.bound.matches.get(number)) else {
            return Ok(Flow::Go);
        };
        let anchor = self.anchor(plan, frame);
        let mut walk = Walk { number, plan, bound, used: Vec::new(), anchor };
        self.step(&mut walk, 0, false, frame, sink)
    }

    /// The rest of a pattern whose steps before `at` are carried out in the frame.
    pub(crate) fn match_from(
        &self,
        number: usize,
        at: usize,
        pending: bool,
        frame: &mut Frame,
        sink: Sink<'_>,
    ) -> Outcome<Flow> {
        let (Some(plan), Some(bound)) = (self.program.matches.get(number), self.bound.matches.get(number)) else {
            return Ok(Flow::Go);
        };
        let used = bound.steps.iter().take(at).filter_map(|step| match step {
            Step::Expand(expand) => match frame[plan.relations[expand.relation].slot] {
                V::Relation(id) => Some(id),
                _ => None,
            },
            _ => None,
        });
        let used = used.collect();
        let mut walk = Walk { number, plan, bound, used, anchor: self.anchor(plan, frame) };
        self.step(&mut walk, at, pending, frame, sink)
    }

    fn anchor(&self, plan: &MatchPlan, frame: &Frame) -> Option<NodeId> {
        plan.nodes
            .iter()
            .filter(|node| node.bound)
            .find_map(|node| match frame[node.slot] {
                V::Node(id) => Some(id),
                _ => None,
            })
            .or(self.subject.get())
    }

    /// Carries out step `at` and all after it. `pending`: a condition so far was unknown.
    pub(super) fn step(
        &self,
        walk: &mut Walk<'_>,
        at: usize,
        pending: bool,
        frame: &mut Frame,
        sink: Sink<'_>,
    ) -> Outcome<Flow> {
        self.tick()?;
        if let Some(profile) = &self.profile
            && at > 0
        {
            profile.count_step(walk.number, at - 1, 1);
        }
        let Some(step) = walk.bound.steps.get(at) else {
            if pending {
                self.uncertain.set(true);
                return Ok(Flow::Go);
            }
            return sink(frame);
        };
        match step {
            Step::Check { node } => match frame[walk.plan.nodes[*node].slot] {
                V::Node(id) if self.is_of(walk, *node, id) => self.step(walk, at + 1, pending, frame, sink),
                V::Unknown => {
                    self.uncertain.set(true);
                    Ok(Flow::Go)
                }
                _ => Ok(Flow::Go),
            },
            Step::Scan { node, kinds, gaps } => {
                if self.tracking.get() > 0 && self.meets_gap(gaps, walk.anchor, None) {
                    self.uncertain.set(true);
                }
                let slot = walk.plan.nodes[*node].slot;
                for kind in kinds {
                    let Some(table) = self.graph.tables.get(*kind as usize) else { continue };
                    for id in table.nodes.clone() {
                        frame[slot] = V::Node(NodeId(id));
                        if self.step(walk, at + 1, pending, frame, sink)? == Flow::Stop {
                            return Ok(Flow::Stop);
                        }
                    }
                }
                Ok(Flow::Go)
            }
            Step::Lookup { node, filter, kinds, gaps } => {
                if self.tracking.get() > 0 && self.meets_gap(gaps, walk.anchor, None) {
                    self.uncertain.set(true);
                }
                let slot = walk.plan.nodes[*node].slot;
                for id in self.looked_up(walk.plan, *node, *filter, kinds, frame)? {
                    frame[slot] = V::Node(NodeId(id));
                    if self.step(walk, at + 1, pending, frame, sink)? == Flow::Stop {
                        return Ok(Flow::Stop);
                    }
                }
                Ok(Flow::Go)
            }
            Step::Filter(number) => {
                let Some(filter) = walk.plan.filters.get(*number) else { return Ok(Flow::Go) };
                match self.truth(&filter.expr, frame)? {
                    Truth::True => self.step(walk, at + 1, pending, frame, sink),
                    // A later condition may still be false, which settles it.
                    Truth::Unknown if self.tracking.get() > 0 => self.step(walk, at + 1, true, frame, sink),
                    _ => Ok(Flow::Go),
                }
            }
            Step::Path(number) => {
                let slot = walk.plan.paths[*number].slot;
                frame[slot] = self.path(walk.plan, *number, frame);
                self.step(walk, at + 1, pending, frame, sink)
            }
            Step::Fixed { relation } => self.fixed(walk, *relation, at, pending, frame, sink),
            Step::Expand(expand) => {
                let Some(relation) = walk.plan.relations.get(expand.relation) else { return Ok(Flow::Go) };
                let V::Node(from) = frame[walk.plan.nodes[expand.from].slot] else { return Ok(Flow::Go) };
                if self.tracking.get() > 0
                    && !expand.gaps.is_empty()
                    && self.meets_gap(&expand.gaps, walk.anchor, Some(from))
                {
                    self.uncertain.set(true);
                }
                let hop = Hop { expand, relation, from, at, pending };
                if relation.shortest.is_some() {
                    self.shortest(walk, &hop, frame, sink)
                } else if expand.ends_only {
                    self.reach(walk, &hop, frame, sink)
                } else if relation.length.is_some() {
                    self.long(walk, &hop, frame, sink)
                } else {
                    self.expand(walk, &hop, frame, sink)
                }
            }
        }
    }

    /// The nodes of these kinds for which an equality can hold, in a frame that has its other side.
    pub(crate) fn looked_up(
        &self,
        plan: &MatchPlan,
        node: usize,
        filter: usize,
        kinds: &[u32],
        frame: &mut Frame,
    ) -> Outcome<Vec<u32>> {
        let slot = plan.nodes[node].slot;
        let Some((property, other)) = plan.filters.get(filter).and_then(|of| Step::equality(&of.expr, slot)) else {
            return Ok(Vec::new());
        };
        let wanted = self.eval(other, frame)?;
        let tables = kinds.iter().filter_map(|kind| self.graph.tables.get(*kind as usize));
        if matches!(wanted, V::Unknown) {
            // Each may equal it: the condition itself says so, and later ones may settle it.
            return Ok(tables.flat_map(|table| table.nodes.clone()).collect());
        }
        let is_key = self.program.properties.get(property).is_some_and(|name| **name == *"key");
        let mut nodes = Vec::new();
        for kind in kinds {
            let Some(table) = self.graph.tables.get(*kind as usize) else { continue };
            match (&wanted, self.bound.column(*kind, property)) {
                // Null equals nothing, but for what is unknown that is not known.
                (V::Null, Some(column)) => {
                    let unknown = table.column(column).and_then(|column| column.unknown.as_ref());
                    let rows = unknown.into_iter().flat_map(|unknown| unknown.ones());
                    nodes.extend(rows.map(|row| table.nodes.start + row as u32));
                }
                // Keys are text, and in order.
                (V::String(key), _) if is_key && table.built_in => nodes.extend(table.with_key(key)),
                (_, Some(column)) => nodes.extend(table.with_value(column, &wanted)),
                (_, None) => {}
            }
        }
        Ok(nodes)
    }

    /// Whether a node has the labels of a node of the pattern.
    pub(super) fn is_of(&self, walk: &Walk<'_>, node: usize, id: NodeId) -> bool {
        match walk.bound.kinds.get(node) {
            Some(Some(kinds)) => kinds.get(self.graph.kind_number(id) as usize).copied().unwrap_or(false),
            _ => true,
        }
    }

    /// Whether the node that a pattern's node has already is this one.
    pub(super) fn closes_at(&self, walk: &Walk<'_>, expand: &Expand, target: NodeId, frame: &Frame) -> bool {
        if expand.closes {
            matches!(frame[walk.plan.nodes[expand.to].slot], V::Node(id) if id == target)
        } else {
            self.is_of(walk, expand.to, target)
        }
    }

    /// Marks the search uncertain when the node's relations of one of the types could not be read.
    pub(crate) fn look_for_unread(&self, expand: &Expand, node: NodeId) {
        if self.tracking.get() == 0 {
            return;
        }
        for of in &expand.types {
            let Some(table) = self.graph.relations.get(*of as usize) else { continue };
            if !table.unknown.is_empty() && table.unknown.binary_search(&node.0).is_ok() {
                self.uncertain.set(true);
                self.note(|| UnknownCause::Relation { node, relation: table.name.clone() });
            }
        }
    }

    fn expand(&self, walk: &mut Walk<'_>, hop: &Hop<'_>, frame: &mut Frame, sink: Sink<'_>) -> Outcome<Flow> {
        let Hop { expand, relation, from, at, pending } = *hop;
        self.look_for_unread(expand, from);
        let to_slot = walk.plan.nodes[expand.to].slot;
        if expand.closes
            && let V::Node(to) = frame[to_slot]
        {
            self.look_for_unread(expand, to);
        }
        self.each_neighbour(&expand.types, expand.direction, from.0, |id, target| {
            self.tick()?;
            let target = NodeId(target);
            if !self.closes_at(walk, expand, target, frame) || walk.used.contains(&id) {
                return Ok(Flow::Go);
            }
            frame[relation.slot] = V::Relation(id);
            frame[to_slot] = V::Node(target);
            walk.used.push(id);
            let flow = self.step(walk, at + 1, pending, frame, sink);
            walk.used.pop();
            flow
        })
    }

    /// A variable-length relation of which only the ends matter.
    fn reach(&self, walk: &mut Walk<'_>, hop: &Hop<'_>, frame: &mut Frame, sink: Sink<'_>) -> Outcome<Flow> {
        let Hop { expand, relation, from, at, pending } = *hop;
        let to_slot = walk.plan.nodes[expand.to].slot;
        let goal = match frame[to_slot] {
            V::Node(id) if expand.closes => Some(id),
            _ if expand.closes => return Ok(Flow::Go),
            _ => None,
        };
        let kinds = walk.bound.kinds.get(expand.to).and_then(Option::as_deref);
        for end in self.ends(&Ends { expand, relation, from, goal, kinds }, frame)? {
            frame[to_slot] = V::Node(NodeId(end));
            if self.step(walk, at + 1, pending, frame, sink)? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::Go)
    }

    /// A relation whose variable is bound.
    fn fixed(
        &self,
        walk: &mut Walk<'_>,
        number: usize,
        at: usize,
        pending: bool,
        frame: &mut Frame,
        sink: Sink<'_>,
    ) -> Outcome<Flow> {
        let relation = &walk.plan.relations[number];
        let V::Relation(id) = frame[relation.slot] else { return Ok(Flow::Go) };
        let Some((start, end)) = self.graph.ends(id) else { return Ok(Flow::Go) };
        let of_type = relation.types.is_empty()
            || self.graph.relations.get(id.of as usize).is_some_and(|table| relation.types.contains(&table.name));
        if !of_type || walk.used.contains(&id) {
            return Ok(Flow::Go);
        }
        let ways = match relation.direction {
            Direction::Out => vec![(start, end)],
            Direction::In => vec![(end, start)],
            Direction::Both if start == end => vec![(start, end)],
            Direction::Both => vec![(start, end), (end, start)],
        };
        let (from, to) = (&walk.plan.nodes[relation.from], &walk.plan.nodes[relation.to]);
        let before = (frame[from.slot].clone(), frame[to.slot].clone());
        for (first, last) in ways {
            // An end that an earlier step has bound must be this one.
            let known = |node: usize, id: NodeId| {
                let slot = walk.plan.nodes[node].slot;
                !self.is_bound_by(walk, node, number, at) || matches!(frame[slot], V::Node(has) if has == id)
            };
            let fits = known(relation.from, first) && known(relation.to, last);
            if !fits || !self.is_of(walk, relation.from, first) || !self.is_of(walk, relation.to, last) {
                continue;
            }
            if relation.from == relation.to && first != last {
                continue;
            }
            frame[from.slot] = V::Node(first);
            frame[to.slot] = V::Node(last);
            walk.used.push(id);
            let flow = self.step(walk, at + 1, pending, frame, sink);
            walk.used.pop();
            if flow? == Flow::Stop {
                return Ok(Flow::Stop);
            }
            frame[from.slot] = before.0.clone();
            frame[to.slot] = before.1.clone();
        }
        Ok(Flow::Go)
    }

    /// Whether a node of the pattern has its value before step `at`.
    fn is_bound_by(&self, walk: &Walk<'_>, node: usize, own: usize, at: usize) -> bool {
        walk.plan.nodes[node].bound
            || walk.bound.steps.iter().take(at).any(|step| match step {
                Step::Check { node: of } | Step::Scan { node: of, .. } | Step::Lookup { node: of, .. } => *of == node,
                Step::Expand(expand) => expand.to == node || expand.from == node,
                Step::Fixed { relation } => {
                    *relation != own && {
                        let relation = &walk.plan.relations[*relation];
                        relation.from == node || relation.to == node
                    }
                }
                _ => false,
            })
    }

    /// A variable-length relation: every trail within the bounds, without recursion.
    fn long(&self, walk: &mut Walk<'_>, hop: &Hop<'_>, frame: &mut Frame, sink: Sink<'_>) -> Outcome<Flow> {
        let Hop { expand, relation, from, at, pending } = *hop;
        let (least, most) = relation.length.unwrap_or((1, Some(1)));
        let most = most.map_or(usize::MAX, |most| most as usize);
        let reversed = expand.from != relation.from;
        let to_slot = walk.plan.nodes[expand.to].slot;
        if relation.bound {
            return self.long_bound(walk, hop, frame, sink);
        }
        let base = walk.used.len();
        // For each depth the relations still to be tried.
        let mut open: Vec<Vec<(RelationId, NodeId)>> = Vec::new();
        let mut node = from;
        loop {
            let depth = walk.used.len() - base;
            // Arrived at `node` over `depth` relations.
            if depth >= least as usize && self.closes_at(walk, expand, node, frame) {
                let before = frame[to_slot].clone();
                let mut trail: Vec<V> = walk.used[base..].iter().map(|id| V::Relation(*id)).collect();
                if reversed {
                    trail.reverse();
                }
                frame[relation.slot] = V::list(trail);
                frame[to_slot] = V::Node(node);
                let flow = self.step(walk, at + 1, pending, frame, sink)?;
                frame[to_slot] = before;
                if flow == Flow::Stop {
                    walk.used.truncate(base);
                    return Ok(Flow::Stop);
                }
            }
            let mut next = Vec::new();
            if depth < most {
                self.look_for_unread(expand, node);
                self.each_neighbour(&expand.types, expand.direction, node.0, |id, target| {
                    self.tick()?;
                    if !walk.used.contains(&id) && self.has_properties(relation, id, frame)? {
                        next.push((id, NodeId(target)));
                    }
                    Ok(Flow::Go)
                })?;
                next.reverse();
            }
            self.hold(next.len())?;
            open.push(next);
            // The next relation to try, on the deepest level that has one.
            loop {
                self.tick()?;
                let Some(level) = open.last_mut() else { return Ok(Flow::Go) };
                match level.pop() {
                    Some((id, target)) => {
                        self.release(1);
                        walk.used.push(id);
                        node = target;
                        break;
                    }
                    None => {
                        open.pop();
                        if open.is_empty() {
                            return Ok(Flow::Go);
                        }
                        walk.used.pop();
                    }
                }
            }
        }
    }

    /// A variable-length relation whose list of relations is bound.
    fn long_bound(&self, walk: &mut Walk<'_>, hop: &Hop<'_>, frame: &mut Frame, sink: Sink<'_>) -> Outcome<Flow> {
        let Hop { expand, relation, from, at, pending } = *hop;
        let V::List(list) = frame[relation.slot].clone() else { return Ok(Flow::Go) };
        let mut trail: Vec<V> = list.to_vec();
        if expand.from != relation.from {
            trail.reverse();
        }
        let mut node = from;
        for item in &trail {
            let V::Relation(id) = item else { return Ok(Flow::Go) };
            let Some((start, end)) = self.graph.ends(*id) else { return Ok(Flow::Go) };
            node = match expand.direction {
                Direction::Out | Direction::Both if start == node => end,
                Direction::In | Direction::Both if end == node => start,
                _ => return Ok(Flow::Go),
            };
        }
        let (least, most) = relation.length.unwrap_or((1, Some(1)));
        let length = trail.len();
        if length < least as usize || most.is_some_and(|most| length > most as usize) {
            return Ok(Flow::Go);
        }
        if !self.closes_at(walk, expand, node, frame) {
            return Ok(Flow::Go);
        }
        frame[walk.plan.nodes[expand.to].slot] = V::Node(node);
        self.step(walk, at + 1, pending, frame, sink)
    }

    /// Whether a relation has the properties that the pattern asks of each relation of a variable length.
    pub(super) fn has_properties(&self, relation: &Relation, id: RelationId, frame: &mut Frame) -> Outcome<bool> {
        for (name, wanted) in &relation.properties {
            let wanted = self.eval(wanted, frame)?;
            let has = self.relation_property(id, name);
            match crate::value::compare::equals(&has, &wanted) {
                Truth::True => {}
                Truth::Unknown => {
                    self.uncertain.set(true);
                    return Ok(false);
                }
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// The value of a path variable.
    fn path(&self, plan: &MatchPlan, number: usize, frame: &Frame) -> V {
        let Some(path) = plan.paths.get(number) else { return V::Null };
        let node = |at: usize| match frame[plan.nodes[at].slot] {
            V::Node(id) => Some(id),
            _ => None,
        };
        let mut value = PathValue { nodes: Vec::new(), relations: Vec::new() };
        let Some(mut here) = path.nodes.first().and_then(|at| node(*at)) else { return V::Null };
        value.nodes.push(here);
        for (relation, next) in path.relations.iter().zip(path.nodes.iter().skip(1)) {
            let steps = match &frame[plan.relations[*relation].slot] {
                V::Relation(id) => vec![*id],
                V::List(list) => list
                    .iter()
                    .filter_map(|item| match item {
                        V::Relation(id) => Some(*id),
                        _ => None,
                    })
                    .collect(),
                _ => return V::Null,
            };
            for id in steps {
                let Some((start, end)) = self.graph.ends(id) else { return V::Null };
                here = if start == here { end } else { start };
                value.relations.push(id);
                value.nodes.push(here);
            }
            if let (Some(last), Some(end)) = (value.nodes.last_mut(), node(*next)) {
                *last = end;
            }
        }
        V::Path(std::sync::Arc::new(value))
    }
}
