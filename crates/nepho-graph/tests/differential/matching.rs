//! Patterns by plain enumeration: every node for every node of the pattern, every relation for every relation.
//!
//! What a search may have missed is defined here twice, since the order in which an engine walks a pattern decides what
//! it comes across, and any order is right:
//!
//! - *At least* (`eager` off): a row may be missing when the pattern matches with one thing more than was read: a node
//!   of a kind not completely listed, or a relation of a node whose relations of that type could not be read, where
//!   relations of the type are known (or declared) to start and to end at nodes of such kinds; or when its conditions
//!   are unknown, and none is null or false.
//! - *At most* (`eager` on): a condition is unknown by the tables, or something that was not completely read is of a
//!   kind or type that the pattern names at all.

use super::evaluate::{Evaluator, Outcome, Row, Stop};
use super::graph::{KINDS, TYPES};
use super::query::{Direction, Expr, Labels, NodePattern, Path, RelationPattern, Shortest};
use super::value::{Truth, Value, equals};

/// The one thing that was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unread {
    /// Some node of this kind.
    Node(usize),
    Relation,
}

/// A pattern that is matched in part.
#[derive(Clone)]
struct Partial {
    row: Row,
    /// Relations in use in the whole pattern.
    used: Vec<usize>,
    /// The path at hand; `None` for a relation that was not read.
    nodes: Vec<usize>,
    relations: Vec<Option<usize>>,
    truth: Truth,
    unread: Option<Unread>,
}

/// One step over a relation.
struct Hop {
    relation: Option<usize>,
    node: usize,
    truth: Truth,
    unread: Option<Unread>,
}

impl Evaluator<'_> {
    /// Every way in which the paths match, and whether there may be more.
    pub fn matches(&mut self, row: &Row, paths: &[Path], filter: Option<&Expr>) -> Outcome<(Vec<Row>, bool)> {
        let (mut null, mut unknown, mut others_fit) = (false, false, true);
        for path in paths {
            for node in &path.nodes {
                match node.variable.as_ref().and_then(|name| row.get(name)) {
                    Some(Value::Null) => null = true,
                    Some(Value::Unknown) => unknown = true,
                    Some(Value::Node(at)) => others_fit &= self.fits(node.labels.as_ref(), *at),
                    Some(_) => return Err(Stop::Invalid),
                    None => {}
                }
            }
            for relation in &path.relations {
                match relation.variable.as_ref().and_then(|name| row.get(name)) {
                    Some(Value::Null) => null = true,
                    Some(Value::Unknown) => unknown = true,
                    Some(Value::Relation(_)) | None => {}
                    Some(_) => return Err(Stop::Invalid),
                }
            }
        }
        if null || unknown {
            let uncertain = if self.eager { unknown } else { unknown && !null && others_fit };
            return Ok((Vec::new(), uncertain));
        }
        let (rows, mut uncertain) = self.enumerate(row, paths, filter, false)?;
        if self.eager {
            uncertain |= self.names_what_was_not_read(row, paths)?;
        } else if !uncertain && (!self.graph.unread.is_empty() || !self.graph.incomplete.is_empty()) {
            // Too many ways to try proves nothing: then nothing is asked for. Within the search nothing more is searched
            // for, since one thing that was not read is enough.
            let budget = std::mem::take(&mut self.possible_steps);
            let rest = self.steps;
            self.steps = budget;
            match self.enumerate(row, paths, filter, true) {
                Ok((_, possible)) => uncertain = possible,
                Err(Stop::TooMuch) => self.steps = 0,
                Err(Stop::Invalid) => return Err(Stop::Invalid),
            }
            self.possible_steps = self.steps;
            self.steps = rest;
        }
        Ok((rows, uncertain))
    }

    fn fits(&self, labels: Option<&Labels>, node: usize) -> bool {
        labels.is_none_or(|labels| labels.hold(self.labels_of(node)))
    }

    /// Labels of a node; those past the last stand for one of each kind that was not listed.
    pub fn labels_of(&self, node: usize) -> &'static [&'static str] {
        KINDS[self.kind_of(node)].1
    }

    fn kind_of(&self, node: usize) -> usize {
        self.graph.nodes.get(node).map_or_else(|| node - self.graph.nodes.len(), |node| node.kind)
    }

    /// With `possible`, tells only whether there may be a row by one thing that was not read.
    fn enumerate(
        &mut self,
        row: &Row,
        paths: &[Path],
        filter: Option<&Expr>,
        possible: bool,
    ) -> Outcome<(Vec<Row>, bool)> {
        let mut partials = vec![Partial {
            row: row.clone(),
            used: Vec::new(),
            nodes: Vec::new(),
            relations: Vec::new(),
            truth: Truth::True,
            unread: None,
        }];
        for path in paths {
            let mut next = Vec::new();
            for partial in &partials {
                if path.shortest.is_some() {
                    self.shortest(partial, path, possible, &mut next)?;
                } else {
                    self.path(partial, path, possible, &mut next)?;
                }
            }
            for partial in &mut next {
                let nodes = std::mem::take(&mut partial.nodes);
                let relations: Option<Vec<usize>> = std::mem::take(&mut partial.relations).into_iter().collect();
                if let Some(variable) = &path.variable {
                    let value = relations.map_or(Value::Unknown, |relations| Value::Path(nodes, relations));
                    partial.row.set(variable, value);
                }
            }
            partials = next;
        }
        let (mut rows, mut open) = (Vec::new(), Vec::new());
        for partial in partials {
            let mut truth = Some(partial.truth);
            for part in filter.into_iter().flat_map(conjuncts) {
                let of = self.truth_as_part(part, &partial.row)?;
                truth = truth.and_then(|truth| self.both(truth, of));
            }
            match truth {
                Some(Truth::True) if partial.unread.is_none() => rows.push(partial.row),
                Some(Truth::True | Truth::Unknown) => open.push(partial.row),
                _ => {}
            }
        }
        if self.merges && !self.eager {
            open.retain(|row| !rows.iter().any(|known| row.has_nodes_of(known)));
        }
        Ok((rows, !open.is_empty()))
    }

    /// The truth of a part of a condition. A comparison with null is never true, whatever the unknown other side is.
    fn truth_as_part(&mut self, part: &Expr, row: &Row) -> Outcome<Truth> {
        let truth = self.truth(part, row)?;
        if let (Truth::Unknown, false, Expr::Compare(_, left, right) | Expr::Binary(_, left, right)) =
            (truth, self.eager, part)
            && [left, right].into_iter().any(|side| matches!(self.eval(side, row), Ok(Value::Null)))
        {
            return Ok(Truth::Null);
        }
        Ok(truth)
    }

    /// The same for a property map.
    fn equals_as_part(&self, has: &Value, wanted: &Value) -> Truth {
        match (has, wanted) {
            (_, Value::Null) | (Value::Null, _) if !self.eager => Truth::Null,
            _ => equals(has, wanted),
        }
    }

    /// `left AND right`; `None` where nothing beside it can bring a row.
    fn both(&self, left: Truth, right: Truth) -> Option<Truth> {
        match (left, right) {
            (Truth::False, _) | (_, Truth::False) => None,
            (Truth::Null, _) | (_, Truth::Null) if !self.eager => None,
            _ => Some(left.and(right)),
        }
    }

    fn path(&mut self, partial: &Partial, path: &Path, possible: bool, into: &mut Vec<Partial>) -> Outcome<()> {
        let mut partials = Vec::new();
        for (node, unread) in self.candidates(partial, possible) {
            self.step()?;
            if let Some(mut next) = self.take_node(partial, &path.nodes[0], node, unread)? {
                next.nodes.push(node);
                partials.push(next);
            }
        }
        for (relation, end) in path.relations.iter().zip(&path.nodes[1..]) {
            let mut next = Vec::new();
            for partial in &partials {
                if relation.length.is_some() {
                    self.trails(partial, relation, end, possible, &mut next)?;
                } else {
                    self.one_relation(partial, relation, end, possible, &mut next)?;
                }
            }
            partials = next;
        }
        into.extend(partials);
        Ok(())
    }

    /// Every node, and perhaps one of each kind that was not completely listed.
    fn candidates(&self, partial: &Partial, possible: bool) -> Vec<(usize, Option<Unread>)> {
        let count = self.graph.nodes.len();
        let mut found: Vec<_> = (0..count).map(|node| (node, partial.unread)).collect();
        for kind in self.graph.incomplete.iter().filter(|_| possible) {
            if partial.unread.is_none_or(|unread| unread == Unread::Node(*kind)) {
                found.push((count + kind, Some(Unread::Node(*kind))));
            }
        }
        found
    }

    /// The partial match with this node for a node of the pattern.
    fn take_node(
        &mut self,
        partial: &Partial,
        pattern: &NodePattern,
        node: usize,
        unread: Option<Unread>,
    ) -> Outcome<Option<Partial>> {
        if !self.fits(pattern.labels.as_ref(), node) {
            return Ok(None);
        }
        let mut next = partial.clone();
        next.unread = unread;
        if let Some(variable) = &pattern.variable {
            match partial.row.get(variable) {
                Some(Value::Node(known)) if *known == node => {}
                Some(_) => return Ok(None),
                None => next.row.set(variable, Value::Node(node)),
            }
        }
        for (name, wanted) in &pattern.properties {
            let wanted = self.eval(wanted, &next.row)?;
            let truth = self.equals_as_part(&self.property(&Value::Node(node), name)?, &wanted);
            let Some(truth) = self.both(next.truth, truth) else { return Ok(None) };
            next.truth = truth;
        }
        Ok(Some(next))
    }

    /// Every relation of the pattern's types and direction from a node, but those in use.
    fn hops(
        &mut self,
        from: usize,
        pattern: &RelationPattern,
        row: &Row,
        used: &[usize],
        unread: Option<Unread>,
        possible: bool,
    ) -> Outcome<Vec<Hop>> {
        let mut wanted = Vec::new();
        for (name, value) in &pattern.properties {
            wanted.push((name, self.eval(value, row)?));
        }
        let graph = self.graph;
        let of_type = |of: usize| pattern.types.is_empty() || pattern.types.iter().any(|name| name == TYPES[of]);
        let mut hops = Vec::new();
        for at in self.at_node.get(from).cloned().unwrap_or_default() {
            let relation = &graph.relations[at];
            self.step()?;
            if !of_type(relation.of) || used.contains(&at) {
                continue;
            }
            let along = pattern.direction != Direction::In && relation.from == from;
            let against = pattern.direction != Direction::Out && relation.to == from;
            let node = match (along, against) {
                (true, _) => relation.to,
                (false, true) => relation.from,
                (false, false) => continue,
            };
            let mut truth = Some(Truth::True);
            for (name, wanted) in &wanted {
                let of = self.equals_as_part(&graph.relation_property(at, name), wanted);
                truth = truth.and_then(|truth| self.both(truth, of));
            }
            if let Some(truth) = truth {
                hops.push(Hop { relation: Some(at), node, truth, unread });
            }
        }
        if !possible {
            return Ok(hops);
        }
        let truth = if wanted.iter().any(|(_, wanted)| matches!(wanted, Value::Null)) {
            return Ok(hops);
        } else if wanted.is_empty() {
            Truth::True
        } else {
            Truth::Unknown
        };
        let nodes = graph.nodes.len();
        let unlisted = graph.incomplete.iter().map(|kind| nodes + kind);
        for node in (0..nodes).chain(unlisted) {
            for of in (0..TYPES.len()).filter(|of| of_type(*of)) {
                self.step()?;
                let because = match (from >= nodes, node >= nodes) {
                    (true, true) => continue,
                    (true, false) => Unread::Node(from - nodes),
                    (false, true) => Unread::Node(node - nodes),
                    (false, false) => Unread::Relation,
                };
                let not_read = graph.unread.contains(&(from, of)) || graph.unread.contains(&(node, of));
                if (because == Unread::Relation && (!not_read || unread.is_some()))
                    || unread.is_some_and(|unread| unread != because)
                {
                    continue;
                }
                let (here, there) = (self.kind_of(from), self.kind_of(node));
                let between =
                    |start: usize, end: usize| graph.may_be_at(of, start, true) && graph.may_be_at(of, end, false);
                if (pattern.direction != Direction::In && between(here, there))
                    || (pattern.direction != Direction::Out && between(there, here))
                {
                    hops.push(Hop { relation: None, node, truth, unread: Some(because) });
                }
            }
        }
        Ok(hops)
    }

    fn one_relation(
        &mut self,
        partial: &Partial,
        relation: &RelationPattern,
        end: &NodePattern,
        possible: bool,
        into: &mut Vec<Partial>,
    ) -> Outcome<()> {
        let here = *partial.nodes.last().ok_or(Stop::Invalid)?;
        for hop in self.hops(here, relation, &partial.row, &partial.used, partial.unread, possible)? {
            let value = hop.relation.map_or(Value::Unknown, Value::Relation);
            let mut next = partial.clone();
            if let Some(variable) = &relation.variable {
                match (partial.row.get(variable), hop.relation) {
                    (Some(Value::Relation(known)), Some(relation)) if *known == relation => {}
                    (Some(_), _) => continue,
                    (None, _) => next.row.set(variable, value),
                }
            }
            let Some(truth) = self.both(next.truth, hop.truth) else { continue };
            next.truth = truth;
            if let Some(mut next) = self.take_node(&next, end, hop.node, hop.unread)? {
                next.used.extend(hop.relation);
                next.nodes.push(hop.node);
                next.relations.push(hop.relation);
                into.push(next);
            }
        }
        Ok(())
    }

    /// A variable-length relation: every trail of a length within the bounds.
    fn trails(
        &mut self,
        partial: &Partial,
        relation: &RelationPattern,
        end: &NodePattern,
        possible: bool,
        into: &mut Vec<Partial>,
    ) -> Outcome<()> {
        let (least, most) = bounds(relation);
        let mut open = vec![partial.clone()];
        let mut length = 0;
        while !open.is_empty() {
            if length >= least {
                for trail in &open {
                    let here = *trail.nodes.last().ok_or(Stop::Invalid)?;
                    if let Some(mut arrived) = self.take_node(trail, end, here, trail.unread)? {
                        self.bind_trail(&mut arrived, relation, partial.relations.len())?;
                        into.push(arrived);
                    }
                }
            }
            if most.is_some_and(|most| length >= most) {
                break;
            }
            open = self.longer(&open, relation, possible)?;
            length += 1;
        }
        Ok(())
    }

    /// Every trail with one relation more.
    fn longer(&mut self, open: &[Partial], relation: &RelationPattern, possible: bool) -> Outcome<Vec<Partial>> {
        let mut longer = Vec::new();
        for trail in open {
            let here = *trail.nodes.last().ok_or(Stop::Invalid)?;
            for hop in self.hops(here, relation, &trail.row, &trail.used, trail.unread, possible)? {
                let Some(truth) = self.both(trail.truth, hop.truth) else { continue };
                let mut next = trail.clone();
                next.truth = truth;
                next.unread = hop.unread;
                next.used.extend(hop.relation);
                next.nodes.push(hop.node);
                next.relations.push(hop.relation);
                longer.push(next);
            }
        }
        Ok(longer)
    }

    fn bind_trail(&mut self, arrived: &mut Partial, relation: &RelationPattern, from: usize) -> Outcome<()> {
        if let Some(variable) = &relation.variable {
            if arrived.row.get(variable).is_some() {
                return Err(Stop::Invalid);
            }
            let relations: Option<Vec<Value>> =
                arrived.relations[from..].iter().map(|of| of.map(Value::Relation)).collect();
            arrived.row.set(variable, relations.map_or(Value::Unknown, Value::List));
        }
        Ok(())
    }

    /// The shortest trails between every two nodes, by trying every trail of one length after the other. From a node to
    /// itself there is none but the empty one. Relations of a shortest path may be those of other paths too.
    fn shortest(&mut self, partial: &Partial, path: &Path, possible: bool, into: &mut Vec<Partial>) -> Outcome<()> {
        let [relation] = path.relations.as_slice() else { return Err(Stop::Invalid) };
        let (least, most) = bounds(relation);
        // A shortest path goes through no node twice.
        let most = most.unwrap_or(usize::MAX).min(self.graph.nodes.len() + 1);
        for (from, unread) in self.candidates(partial, possible) {
            let Some(mut start) = self.take_node(partial, &path.nodes[0], from, unread)? else { continue };
            start.nodes.push(from);
            let outer = std::mem::take(&mut start.used);
            for (to, unread) in self.candidates(&start, possible) {
                let Some(mut trail) = self.take_node(&start, &path.nodes[1], to, unread)? else { continue };
                let mut found = Vec::new();
                if from == to {
                    if least == 0 {
                        self.bind_trail(&mut trail, relation, 0)?;
                        found.push(trail);
                    }
                } else {
                    let mut open = vec![trail];
                    for _ in 0..most {
                        open = self.longer(&open, relation, possible)?;
                        let mut certain = Vec::new();
                        for trail in open.iter().filter(|trail| trail.nodes.last() == Some(&to)) {
                            let mut arrived = trail.clone();
                            self.bind_trail(&mut arrived, relation, 0)?;
                            if arrived.truth == Truth::True && arrived.unread.is_none() {
                                certain.push(arrived);
                            } else {
                                found.push(arrived);
                            }
                        }
                        if !certain.is_empty() {
                            if path.shortest == Some(Shortest::One) {
                                // One is as good as the other, and one that may be there brings nothing.
                                found.retain(|other| other.relations.len() < certain[0].relations.len());
                                certain.truncate(1);
                            }
                            found.append(&mut certain);
                            break;
                        }
                    }
                }
                for mut partial in found {
                    partial.used.clone_from(&outer);
                    into.push(partial);
                }
            }
        }
        Ok(())
    }

    /// Whether the pattern names a kind or type of which something was not read.
    fn names_what_was_not_read(&mut self, row: &Row, paths: &[Path]) -> Outcome<bool> {
        let graph = self.graph;
        let relations = || paths.iter().flat_map(|path| path.relations.iter().map(move |of| (path, of)));
        let is_long = |path: &Path, of: &RelationPattern| path.shortest.is_some() || of.length.is_some();
        let incomplete = graph.incomplete.iter().any(|kind| {
            let at = graph.nodes.len() + kind;
            paths.iter().flat_map(|path| &path.nodes).any(|node| self.fits(node.labels.as_ref(), at))
                || relations().any(|(path, of)| is_long(path, of))
        });
        let unread = graph.unread.iter().any(|(_, of)| {
            relations()
                .any(|(_, relation)| relation.types.is_empty() || relation.types.iter().any(|name| name == TYPES[*of]))
        });
        // A relation of unknown properties may be a part of a trail.
        let mut unknown = false;
        for (_, relation) in relations().filter(|(path, of)| is_long(path, of)) {
            for (name, wanted) in &relation.properties {
                let wanted = self.eval(wanted, row)?;
                unknown |= (0..graph.relations.len())
                    .any(|at| equals(&graph.relation_property(at, name), &wanted) == Truth::Unknown);
            }
        }
        Ok(incomplete || unread || unknown)
    }
}

fn bounds(relation: &RelationPattern) -> (usize, Option<usize>) {
    let (least, most) = relation.length.unwrap_or((Some(1), Some(1)));
    (least.unwrap_or(1), most)
}

/// The parts of a condition that are joined by `AND`.
fn conjuncts(filter: &Expr) -> Vec<&Expr> {
    match filter {
        Expr::And(left, right) => {
            let mut parts = conjuncts(left);
            parts.extend(conjuncts(right));
            parts
        }
        other => vec![other],
    }
}
