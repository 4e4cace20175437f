//! Carrying out a bound program: rows are one flat frame of slots, pushed from operator to operator.
//!
//! Reading operators stream; `WITH` and `RETURN` that group, sort or cut gather what they need. Every loop looks at the
//! clock and at the number of rows held.

use std::cell::{Cell, OnceCell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use hashbrown::{HashMap, HashSet};

use crate::bind::{Bound, Gap};
use crate::condition::UnknownCause;
use crate::error::{ErrorCode, Outcome, QueryError, Span};
use crate::explain::Profile;
use crate::graph::{Graph, NodeId};
use crate::plan::{Op, Program, QueryPlan, Slot};
use crate::truth::Truth;
use crate::value::ResultValue as V;
use crate::value::compare::Key;

mod aggregate;
mod alternatives;
mod matcher;
mod project;
pub(crate) mod reach;
mod shortest;

pub(crate) use aggregate::Accumulator;
pub(crate) use project::Gathered;

/// Deepest nesting of lists and maps that a query may build.
const MAX_VALUE_DEPTH: usize = 100;

/// A row.
pub(crate) type Frame = Vec<V>;

/// Whether more rows are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Go,
    Stop,
}

/// What takes the rows of an operator.
pub(crate) type Sink<'a> = &'a mut dyn FnMut(&mut Frame) -> Outcome<Flow>;

/// One run of one program on one thread.
pub(crate) struct Exec<'g> {
    pub graph: &'g Graph,
    pub program: &'g Program,
    pub bound: &'g Bound,
    pub parameters: &'g HashMap<String, V>,
    pub deadline: Option<Instant>,
    pub cancel: Option<&'g AtomicBool>,
    pub max_rows: usize,
    ticks: Cell<u32>,
    /// Rows held, by all that work on one query.
    rows: Arc<AtomicUsize>,
    /// Something that the search at hand needed was unknown.
    uncertain: Cell<bool>,
    /// Whether anyone asks for `uncertain`.
    tracking: Cell<u32>,
    /// The node that a condition is about.
    pub subject: Cell<Option<NodeId>>,
    /// Results of subqueries that read nothing of the row.
    once: Vec<OnceCell<V>>,
    pub causes: Option<RefCell<Vec<UnknownCause>>>,
    /// A value that stands for one property of the node in a slot: a whole column is judged by its distinct values.
    pub substitute: RefCell<Option<(Slot, usize, V)>>,
    pub random: Cell<u64>,
    /// Whether an error in a predicate makes it unknown.
    pub lenient: bool,
    /// Where rows are counted, when someone asks.
    pub profile: Option<Arc<Profile>>,
    /// Room for searches, used again and again.
    seen: RefCell<reach::Seen>,
    lanes: RefCell<reach::Lanes>,
    sorter: RefCell<reach::Sorter>,
    near: RefCell<shortest::Depths>,
    far: RefCell<shortest::Depths>,
}

/// What several runs of one query share.
pub(crate) struct Shared<'g> {
    graph: &'g Graph,
    program: &'g Program,
    bound: &'g Bound,
    parameters: &'g HashMap<String, V>,
    deadline: Option<Instant>,
    cancel: Option<&'g AtomicBool>,
    max_rows: usize,
    rows: Arc<AtomicUsize>,
    profile: Option<Arc<Profile>>,
}

impl<'g> Exec<'g> {
    /// A run without limits.
    pub fn new(graph: &'g Graph, program: &'g Program, bound: &'g Bound, parameters: &'g HashMap<String, V>) -> Self {
        Self {
            graph,
            program,
            bound,
            parameters,
            deadline: None,
            cancel: None,
            max_rows: usize::MAX,
            ticks: Cell::new(0),
            rows: Arc::default(),
            uncertain: Cell::new(false),
            tracking: Cell::new(0),
            subject: Cell::new(None),
            once: program.subqueries.iter().map(|_| OnceCell::new()).collect(),
            causes: None,
            substitute: RefCell::new(None),
            random: Cell::new(0x9e37_79b9_7f4a_7c15),
            lenient: false,
            profile: None,
            seen: RefCell::default(),
            lanes: RefCell::default(),
            sorter: RefCell::default(),
            near: RefCell::default(),
            far: RefCell::default(),
        }
    }

    /// What others need to work on the same query.
    pub fn shared(&self) -> Shared<'g> {
        Shared {
            graph: self.graph,
            program: self.program,
            bound: self.bound,
            parameters: self.parameters,
            deadline: self.deadline,
            cancel: self.cancel,
            max_rows: self.max_rows,
            rows: self.rows.clone(),
            profile: self.profile.clone(),
        }
    }

    /// One of several that work on a query; keeps track of what is unknown.
    pub fn of(shared: &Shared<'g>) -> Self {
        let mut exec = Self::new(shared.graph, shared.program, shared.bound, shared.parameters);
        (exec.deadline, exec.cancel, exec.max_rows) = (shared.deadline, shared.cancel, shared.max_rows);
        exec.rows = shared.rows.clone();
        exec.profile = shared.profile.clone();
        exec.track();
        exec
    }

    /// Notes that something that was looked for was unknown.
    pub fn set_uncertain(&self) {
        self.uncertain.set(true);
    }

    /// From now on, what is unknown is kept track of.
    pub fn track(&self) {
        self.tracking.set(self.tracking.get() + 1);
    }

    /// Whether something that was looked for was unknown.
    pub fn was_uncertain(&self) -> bool {
        self.uncertain.get()
    }

    /// An empty row.
    pub fn frame(&self) -> Frame {
        vec![V::Null; self.program.width]
    }

    /// To be called in every loop.
    #[inline]
    pub fn tick(&self) -> Outcome<()> {
        let ticks = self.ticks.get().wrapping_add(1);
        self.ticks.set(ticks);
        if ticks & 1023 == 0 { self.look_at_limits() } else { Ok(()) }
    }

    #[cold]
    fn look_at_limits(&self) -> Outcome<()> {
        if self.deadline.is_some_and(|deadline| Instant::now() > deadline) {
            return Err(QueryError::new(
                ErrorCode::Limit,
                Span::default(),
                "the query took longer than its time limit",
            )
            .with_help("narrow it by a label or a condition, or raise the limit"));
        }
        if self.cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed)) {
            return Err(QueryError::new(ErrorCode::Cancelled, Span::default(), "the query was cancelled"));
        }
        Ok(())
    }

    /// To be called for every row (and list element made) that is held.
    pub fn hold(&self, rows: usize) -> Outcome<()> {
        let held = self.rows.fetch_add(rows, Ordering::Relaxed).saturating_add(rows);
        if held > self.max_rows {
            return Err(QueryError::new(
                ErrorCode::Limit,
                Span::default(),
                format!("the query holds more than {} rows, its memory limit", self.max_rows),
            )
            .with_help("narrow it, or raise the limit"));
        }
        Ok(())
    }

    /// Takes back what [`Exec::hold`] counted.
    pub fn release(&self, rows: usize) {
        self.rows.fetch_sub(rows, Ordering::Relaxed);
    }

    /// Checks a length before something of that length is made.
    pub fn check_length(&self, length: usize) -> Outcome<()> {
        if length > self.max_rows.clamp(1024, 100_000_000) {
            return Err(QueryError::new(ErrorCode::Limit, Span::default(), "a list or text would grow too large"));
        }
        Ok(())
    }

    /// Checks a list or map that was made of others: sharing makes it cheap to make and dear to walk.
    pub fn check_nested(&self, value: V, span: Span) -> Outcome<V> {
        let holds = |item: &V| matches!(item, V::List(_) | V::Map(_));
        let nests = match &value {
            V::List(items) => items.iter().any(holds),
            V::Map(fields) => fields.values().any(holds),
            _ => false,
        };
        let mut left = self.max_rows.clamp(1024, 100_000_000);
        if nests && !value.is_within(MAX_VALUE_DEPTH, &mut left) {
            let message = "a list or map would be nested too deeply or grow too large";
            return Err(QueryError::new(ErrorCode::Limit, span, message));
        }
        Ok(value)
    }

    /// Rows of a query plan; union parts one after the other. The sink reads the slots in `outputs[part]`.
    pub fn query(
        &self,
        plan: &QueryPlan,
        frame: &mut Frame,
        sink: &mut dyn FnMut(&mut Frame, usize) -> Outcome<Flow>,
    ) -> Outcome<()> {
        let mut seen: HashSet<Key> = HashSet::new();
        for (part, ops) in plan.parts.iter().enumerate() {
            let outputs = plan.outputs.get(part).map_or(&[][..], Vec::as_slice);
            let flow = self.run(ops, frame, &mut |frame| {
                if plan.distinct && plan.parts.len() > 1 {
                    self.hold(1)?;
                    let key = Key(outputs.iter().map(|slot| frame[*slot].clone()).collect());
                    if !seen.insert(key) {
                        return Ok(Flow::Go);
                    }
                }
                sink(frame, part)
            })?;
            if flow == Flow::Stop {
                break;
            }
        }
        Ok(())
    }

    /// Runs operators. The last gathering projection takes all rows of what is before it, gathering ones included.
    fn run(&self, ops: &[Op], frame: &mut Frame, sink: Sink<'_>) -> Outcome<Flow> {
        let gathers = |op: &Op| matches!(op, Op::Project(_));
        let Some((before, projection, rest)) = ops.iter().rposition(gathers).and_then(|at| match ops.get(at) {
            Some(Op::Project(projection)) => Some((&ops[..at], projection, &ops[at + 1..])),
            _ => None,
        }) else {
            return self.stream(ops, frame, sink);
        };
        let mut gathered = self.gather(projection, frame)?;
        self.run(before, frame, &mut |frame| gathered.add(self, frame))?;
        let rows = gathered.finish(self, frame)?;
        let count = rows.len();
        self.hold(count)?;
        let mut flow = Flow::Go;
        for row in rows {
            self.tick()?;
            for (slot, value) in projection.kept.iter().zip(row) {
                frame[*slot] = value;
            }
            flow = self.stream(rest, frame, sink)?;
            if flow == Flow::Stop {
                break;
            }
        }
        self.release(count);
        Ok(flow)
    }

    pub(crate) fn stream(&self, ops: &[Op], frame: &mut Frame, sink: Sink<'_>) -> Outcome<Flow> {
        let Some((op, rest)) = ops.split_first() else { return sink(frame) };
        self.tick()?;
        match op {
            Op::Match(number) => self.match_op(*number, rest, frame, sink),
            Op::Unwind { list, slot } => {
                let items = match self.eval(list, frame)? {
                    V::List(items) => items,
                    V::Null => return Ok(Flow::Go),
                    V::Unknown => {
                        self.uncertain.set(true);
                        return Ok(Flow::Go);
                    }
                    one => std::sync::Arc::new(vec![one]),
                };
                for item in items.iter() {
                    self.tick()?;
                    frame[*slot] = item.clone();
                    if self.stream(rest, frame, sink)? == Flow::Stop {
                        return Ok(Flow::Stop);
                    }
                }
                Ok(Flow::Go)
            }
            Op::Let(items) => {
                self.assign(items, frame)?;
                self.stream(rest, frame, sink)
            }
            Op::Filter(filter) => match self.truth(filter, frame)? {
                Truth::True => self.stream(rest, frame, sink),
                Truth::Unknown => {
                    self.uncertain.set(true);
                    Ok(Flow::Go)
                }
                _ => Ok(Flow::Go),
            },
            Op::Alternatives { subquery, slots, optional } => {
                self.alternatives(*subquery, slots, *optional, rest, frame, sink)
            }
            Op::Project(_) => Ok(Flow::Go),
        }
    }

    /// Computes items, all from the row before.
    fn assign(&self, items: &[(crate::plan::Expr, usize)], frame: &mut Frame) -> Outcome<()> {
        match items {
            [] => {}
            [(expr, slot)] => frame[*slot] = self.eval(expr, frame)?,
            _ => {
                let values = items.iter().map(|(expr, _)| self.eval(expr, frame)).collect::<Outcome<Vec<_>>>()?;
                for ((_, slot), value) in items.iter().zip(values) {
                    frame[*slot] = value;
                }
            }
        }
        Ok(())
    }

    fn match_op(&self, number: usize, rest: &[Op], frame: &mut Frame, sink: Sink<'_>) -> Outcome<Flow> {
        let Some(plan) = self.program.matches.get(number) else { return Ok(Flow::Go) };
        if !plan.optional {
            return self.matches(number, frame, &mut |frame| self.stream(rest, frame, sink));
        }
        let mut found = false;
        let before = self.uncertain.replace(false);
        self.tracking.set(self.tracking.get() + 1);
        let flow = self.matches(number, frame, &mut |frame| {
            found = true;
            self.stream(rest, frame, sink)
        });
        self.tracking.set(self.tracking.get() - 1);
        let uncertain = self.uncertain.replace(before);
        let flow = flow?;
        if found {
            self.uncertain.set(before || uncertain);
            return Ok(flow);
        }
        for slot in &plan.binds {
            frame[*slot] = if uncertain { V::Unknown } else { V::Null };
        }
        self.stream(rest, frame, sink)
    }

    /// Whether a subquery has a row.
    pub fn exists(&self, number: usize, frame: &mut Frame) -> Outcome<V> {
        self.subquery(number, frame, |exec, plan, blocking, frame| {
            let mut found = false;
            let uncertain = exec.searching(|| {
                exec.query(plan, frame, &mut |_, _| {
                    found = true;
                    Ok(if blocking { Flow::Go } else { Flow::Stop })
                })
            })?;
            Ok(match (found, uncertain) {
                (_, true) if blocking || !found => V::Unknown,
                _ => V::Bool(found),
            })
        })
    }

    /// How many rows a subquery has, and whether there may be more.
    pub fn count(&self, number: usize, most: Option<i64>, frame: &mut Frame) -> Outcome<(i64, bool)> {
        let value = self.subquery(number, frame, |exec, plan, _, frame| {
            let mut count = 0i64;
            let uncertain = exec.searching(|| {
                exec.query(plan, frame, &mut |_, _| {
                    count += 1;
                    Ok(if most.is_some_and(|most| count > most) { Flow::Stop } else { Flow::Go })
                })
            })?;
            Ok(V::list(vec![V::Int(count), V::Bool(uncertain)]))
        })?;
        match value {
            V::List(pair) => match pair.as_slice() {
                [V::Int(count), V::Bool(uncertain)] => Ok((*count, *uncertain)),
                _ => Ok((0, true)),
            },
            _ => Ok((0, true)),
        }
    }

    /// The values of a subquery's one column.
    pub fn collect(&self, number: usize, frame: &mut Frame) -> Outcome<V> {
        self.subquery(number, frame, |exec, plan, _, frame| {
            let mut values = Vec::new();
            let uncertain = exec.searching(|| {
                exec.query(plan, frame, &mut |frame, part| {
                    exec.check_length(values.len())?;
                    let slot = plan.outputs.get(part).and_then(|outputs| outputs.first()).copied().unwrap_or(0);
                    values.push(frame[slot].clone());
                    Ok(Flow::Go)
                })
            })?;
            if uncertain { Ok(V::Unknown) } else { exec.check_nested(V::list(values), Span::default()) }
        })
    }

    fn subquery(
        &self,
        number: usize,
        frame: &mut Frame,
        run: impl FnOnce(&Self, &QueryPlan, bool, &mut Frame) -> Outcome<V>,
    ) -> Outcome<V> {
        let Some(subquery) = self.program.subqueries.get(number) else { return Ok(V::Null) };
        let cell = self.once.get(number).filter(|_| subquery.independent && self.causes.is_none());
        if let Some(known) = cell.and_then(OnceCell::get) {
            return Ok(known.clone());
        }
        let subject = self.subject.get();
        if subquery.independent {
            self.subject.set(None);
        }
        let value = run(self, &subquery.plan, subquery.blocking, frame);
        self.subject.set(subject);
        let value = value?;
        if let Some(cell) = cell {
            let _ = cell.set(value.clone());
        }
        Ok(value)
    }

    /// Elements of a pattern comprehension.
    pub fn pattern_list(&self, number: usize, map: &crate::plan::Expr, frame: &mut Frame) -> Outcome<V> {
        let mut values = Vec::new();
        let uncertain = self.searching(|| {
            self.matches(number, frame, &mut |frame| {
                self.check_length(values.len())?;
                values.push(self.eval(map, frame)?);
                Ok(Flow::Go)
            })
            .map(|_| ())
        })?;
        if uncertain { Ok(V::Unknown) } else { self.check_nested(V::list(values), map.span) }
    }

    /// Runs a search and tells whether it may have missed something.
    fn searching(&self, search: impl FnOnce() -> Outcome<()>) -> Outcome<bool> {
        let before = self.uncertain.replace(false);
        self.tracking.set(self.tracking.get() + 1);
        let result = search();
        self.tracking.set(self.tracking.get() - 1);
        let uncertain = self.uncertain.replace(before);
        result.map(|()| uncertain)
    }

    /// A predicate's truth. In a condition an error makes it unknown, and no more: what stands beside it by `AND` or
    /// `OR` may still decide.
    pub fn truth(&self, expr: &crate::plan::Expr, frame: &mut Frame) -> Outcome<Truth> {
        match self.eval(expr, frame).and_then(|value| truth_of(&value, expr.span)) {
            Err(error) if self.lenient && !matches!(error.code, ErrorCode::Limit | ErrorCode::Cancelled) => {
                let (start, end) = (error.span.start, error.span.end);
                self.note(|| UnknownCause::Failed { message: error.message.as_str().into(), start, end });
                Ok(Truth::Unknown)
            }
            result => result,
        }
    }

    /// Notes why something is unknown, when someone asks.
    pub fn note(&self, cause: impl FnOnce() -> UnknownCause) {
        if let Some(causes) = &self.causes {
            let cause = cause();
            let mut causes = causes.borrow_mut();
            if !causes.contains(&cause) {
                causes.push(cause);
            }
        }
    }

    /// Whether any of the gaps concerns a search from `near` for the pattern's anchor.
    pub(crate) fn meets_gap(&self, gaps: &[Gap], anchor: Option<NodeId>, near: Option<NodeId>) -> bool {
        let graph = self.graph;
        let anchor = anchor.and_then(|node| graph.place(node));
        let near = near.and_then(|node| graph.place(node));
        let mut met = false;
        for gap in gaps {
            let account = match (gap.mark.account, anchor) {
                (None, _) | (_, None) => true,
                (Some(account), Some((of, _))) => account == of || near.is_some_and(|(of, _)| account == of),
            };
            let region = match (gap.mark.region, anchor) {
                (Some(region), Some((_, of))) => graph.is_global(of) || region == of,
                _ => true,
            };
            if account && region {
                met = true;
                self.note(|| UnknownCause::of_gap(graph, gap));
            }
        }
        met
    }
}

/// The truth of a value; anything but a boolean, null and unknown is an error.
pub(crate) fn truth_of(value: &V, span: Span) -> Outcome<Truth> {
    Ok(match value {
        V::Bool(flag) => (*flag).into(),
        V::Null => Truth::Null,
        V::Unknown => Truth::Unknown,
        other => {
            let message = format!("true or false is expected here; this is {}", other.type_name());
            return Err(QueryError::new(ErrorCode::InvalidArgumentType, span, message));
        }
    })
}
