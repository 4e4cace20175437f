//! `shortestPath` and `allShortestPaths`: breadth first, with the relations by which each node was first reached.

use hashbrown::HashMap;

use super::matcher::Walk;
use super::{Exec, Flow, Frame, Sink};
use crate::bind::Expand;
use crate::error::Outcome;
use crate::graph::{NodeId, RelationId};
use crate::ir::Shortest;
use crate::plan::Relation;
use crate::value::ResultValue as V;

/// How a node was reached.
struct Reached {
    depth: usize,
    by: Vec<(RelationId, NodeId)>,
}

impl Exec<'_> {
    #[expect(clippy::too_many_arguments, reason = "one step's state, passed on as it is")]
    pub(super) fn shortest(
        &self,
        walk: &mut Walk<'_>,
        expand: &Expand,
        relation: &Relation,
        from: NodeId,
        at: usize,
        pending: bool,
        frame: &mut Frame,
        sink: Sink<'_>,
    ) -> Outcome<Flow> {
        let (least, most) = relation.length.unwrap_or((1, Some(1)));
        let most = most.map_or(usize::MAX, |most| most as usize);
        let all = relation.shortest == Some(Shortest::All);
        let to_slot = walk.plan.nodes[expand.to].slot;
        let goal = match frame[to_slot] {
            V::Node(id) if expand.closes => Some(id),
            _ => None,
        };
        let mut reached: HashMap<NodeId, Reached> = HashMap::new();
        reached.insert(from, Reached { depth: 0, by: Vec::new() });
        let mut level = vec![from];
        let mut order = vec![from];
        let mut depth = 0;
        while depth < most && !level.is_empty() && goal.is_none_or(|goal| goal == from || !reached.contains_key(&goal))
        {
            depth += 1;
            let mut next = Vec::new();
            for node in &level {
                self.look_for_unread(expand, *node);
                self.neighbours(expand, *node, &mut |id, target| {
                    self.tick()?;
                    if !self.has_properties(relation, id, frame)? {
                        return Ok(Flow::Go);
                    }
                    match reached.get_mut(&target) {
                        Some(known) if known.depth == depth && all => known.by.push((id, *node)),
                        Some(_) => {}
                        None => {
                            self.hold(1)?;
                            reached.insert(target, Reached { depth, by: vec![(id, *node)] });
                            next.push(target);
                        }
                    }
                    Ok(Flow::Go)
                })?;
            }
            order.extend(&next);
            level = next;
        }
        let held = reached.len();
        let targets: Vec<NodeId> = match goal {
            Some(goal) => vec![goal],
            None => order,
        };
        for target in targets {
            let Some(end) = reached.get(&target) else { continue };
            if end.depth < least as usize || !self.closes_at(walk, expand, target, frame) {
                continue;
            }
            // Back from the target, every way.
            let mut trails: Vec<(NodeId, Vec<RelationId>)> = vec![(target, Vec::new())];
            while let Some((node, trail)) = trails.pop() {
                self.tick()?;
                if node == from && trail.len() == end.depth {
                    let mut list: Vec<V> = trail.iter().map(|id| V::Relation(*id)).collect();
                    if expand.from == relation.from {
                        list.reverse();
                    }
                    let before = frame[to_slot].clone();
                    frame[relation.slot] = V::list(list);
                    frame[to_slot] = V::Node(target);
                    let flow = self.step(walk, at + 1, pending, frame, sink)?;
                    frame[to_slot] = before;
                    if flow == Flow::Stop {
                        return Ok(Flow::Stop);
                    }
                    continue;
                }
                for (id, before) in reached.get(&node).into_iter().flat_map(|node| &node.by).rev() {
                    let mut longer = trail.clone();
                    longer.push(*id);
                    trails.push((*before, longer));
                }
            }
        }
        self.release(held.saturating_sub(1));
        Ok(Flow::Go)
    }
}
