//! Grouping a batch at a time. Keys that lie in columns as codes are looked up by code, and by value only once.

use foldhash::fast::RandomState;
use hashbrown::hash_table::Entry;
use hashbrown::{HashMap, HashTable};

use super::{Batch, Vector};
use crate::error::Outcome;
use crate::exec::{Accumulator, Exec, Frame, Gathered};
use crate::graph::NodeId;
use crate::graph::column::Cells;
use crate::plan::{Expr, Grouping, Kind, Slot};
use crate::value::ResultValue as V;
use crate::value::compare::{hash_row, same_row};

/// Groups of one morsel.
#[derive(Default)]
pub(crate) struct Groups {
    keys: Vec<Numbers>,
    /// For each key after the first: (group by the keys before, own number) → group.
    joined: Vec<HashMap<(u32, u32), u32>>,
    count: usize,
    /// For each group after the other: by key, the number of its value.
    numbers: Vec<u32>,
    carried: Vec<V>,
    accumulators: Vec<Accumulator>,
}

impl Groups {
    /// Takes a batch.
    pub fn add(&mut self, exec: &Exec<'_>, grouping: &Grouping, batch: &Batch, frame: &mut Frame) -> Outcome<()> {
        self.keys.resize_with(grouping.keys.len(), Numbers::default);
        self.joined.resize_with(grouping.keys.len(), HashMap::new);
        let mut numbers: Vec<Vec<u32>> = Vec::with_capacity(grouping.keys.len());
        // Groups, and numbers of values, count up in the order in which they appear.
        let mut groups: Vec<u32> = vec![0; batch.rows];
        for (at, (expr, _)) in grouping.keys.iter().enumerate() {
            let own = self.keys[at].of(exec, expr, batch, frame)?;
            if at == 0 {
                groups.clone_from(&own);
            } else {
                let joined = &mut self.joined[at];
                for (group, number) in groups.iter_mut().zip(&own) {
                    let next = joined.len() as u32;
                    *group = *joined.entry((*group, *number)).or_insert(next);
                }
            }
            numbers.push(own);
        }
        for (row, group) in groups.iter().enumerate() {
            if *group as usize == self.count {
                self.numbers.extend(numbers.iter().filter_map(|numbers| numbers.get(row)));
                self.open(exec, grouping, batch, row, frame)?;
            }
        }
        let width = grouping.aggregates.len();
        for (at, aggregate) in grouping.aggregates.iter().enumerate() {
            let Some(argument) = &aggregate.argument else {
                for group in &groups {
                    self.accumulators[*group as usize * width + at].add_rows(1);
                }
                continue;
            };
            let values = exec.vector(argument, batch, frame)?;
            for (row, group) in groups.iter().enumerate() {
                exec.tick()?;
                self.accumulators[*group as usize * width + at].add_value(aggregate, exec, values.get(row))?;
            }
        }
        Ok(())
    }

    /// Starts a group with its first row.
    fn open(
        &mut self,
        exec: &Exec<'_>,
        grouping: &Grouping,
        batch: &Batch,
        row: usize,
        frame: &mut Frame,
    ) -> Outcome<()> {
        exec.hold(1)?;
        self.count += 1;
        let value = |slot: &Slot| batch.slot(*slot).map(|vector| vector.get(row)).unwrap_or_default();
        self.carried.extend(grouping.carried.iter().map(value));
        let reads_more = grouping.aggregates.iter().any(|aggregate| aggregate.extra.is_some());
        if reads_more {
            batch.load(row, frame);
        }
        for aggregate in &grouping.aggregates {
            let mut accumulator = Accumulator::new(aggregate);
            if reads_more {
                accumulator.read_extra(aggregate, exec, frame)?;
            }
            self.accumulators.push(accumulator);
        }
        Ok(())
    }

    /// Gives the groups to the projection.
    pub fn give(self, exec: &Exec<'_>, grouping: &Grouping, gathered: &mut Gathered<'_>) -> Outcome<()> {
        exec.release(self.count);
        let mut numbers = self.numbers.into_iter();
        let mut carried = self.carried.into_iter();
        let mut accumulators = self.accumulators.into_iter();
        for _ in 0..self.count {
            let number = |of: &Numbers| {
                let number = numbers.next()?;
                of.values.get(number as usize).cloned()
            };
            let keys = self.keys.iter().map(number).map(Option::unwrap_or_default).collect();
            let carried = carried.by_ref().take(grouping.carried.len()).collect();
            let accumulators = accumulators.by_ref().take(grouping.aggregates.len()).collect();
            gathered.add_group(exec, keys, carried, accumulators)?;
        }
        Ok(())
    }
}

/// The different values of one key, numbered as they appear.
#[derive(Default)]
struct Numbers {
    values: Vec<V>,
    by_value: HashTable<u32>,
    hasher: RandomState,
    by_node: HashMap<u32, u32>,
    by_int: HashMap<i64, u32>,
    /// By code, for the column of one kind at a time.
    kind: Option<u32>,
    by_code: Vec<u32>,
}

const NONE: u32 = u32::MAX;

impl Numbers {
    /// The number of the key's value in each row.
    fn of(&mut self, exec: &Exec<'_>, expr: &Expr, batch: &Batch, frame: &mut Frame) -> Outcome<Vec<u32>> {
        let nodes = |slot: usize| match batch.slot(slot) {
            Some(Vector::Nodes(nodes)) => Some(nodes),
            _ => None,
        };
        match &expr.kind {
            Kind::NodeProperty { slot, property } if nodes(*slot).is_some() => {
                let nodes = nodes(*slot).map(Vec::as_slice).unwrap_or_default();
                return Ok(nodes.iter().map(|node| self.of_property(exec, *node, *property)).collect());
            }
            Kind::Slot(slot) if nodes(*slot).is_some() => {
                let nodes = nodes(*slot).map(Vec::as_slice).unwrap_or_default();
                return Ok(nodes.iter().map(|node| self.of_node(*node)).collect());
            }
            _ => {}
        }
        let values = exec.vector(expr, batch, frame)?;
        Ok((0..batch.rows).map(|row| self.of_value(values.get(row))).collect())
    }

    fn of_node(&mut self, node: u32) -> u32 {
        if let Some(number) = self.by_node.get(&node) {
            return *number;
        }
        let number = self.of_value(V::Node(NodeId(node)));
        self.by_node.insert(node, number);
        number
    }

    fn of_property(&mut self, exec: &Exec<'_>, node: u32, property: usize) -> u32 {
        let kind = exec.graph.kind_number(NodeId(node));
        let Some(table) = exec.graph.tables.get(kind as usize) else { return self.of_value(V::Null) };
        let Some(column) = exec.bound.column(kind, property).and_then(|at| table.column(at)) else {
            return self.of_value(V::Null);
        };
        let row = (node - table.nodes.start) as usize;
        let code = match &column.cells {
            _ if column.is_missing(row) => return self.of_value(column.get(row)),
            Cells::Same(_) | Cells::None => 0,
            Cells::Bool(bits) => u32::from(bits.get(row)),
            Cells::Text { codes, .. } => codes.get(row).copied().unwrap_or(0),
            Cells::Any { codes, .. } => codes.get(row).copied().unwrap_or(0),
            Cells::Int(cells) => {
                let whole = cells.get(row).copied().unwrap_or(0);
                if let Some(number) = self.by_int.get(&whole) {
                    return *number;
                }
                let number = self.of_value(V::Int(whole));
                self.by_int.insert(whole, number);
                return number;
            }
            Cells::Float(_) | Cells::Time(_) => return self.of_value(column.get(row)),
            Cells::PlainText(_) => {
                if let Some(number) = self.by_node.get(&node) {
                    return *number;
                }
                let number = self.of_value(column.get(row));
                self.by_node.insert(node, number);
                return number;
            }
        };
        if self.kind != Some(kind) {
            self.kind = Some(kind);
            self.by_code.clear();
        }
        if let Some(number) = self.by_code.get(code as usize).copied().filter(|number| *number != NONE) {
            return number;
        }
        let number = self.of_value(column.get(row));
        if self.by_code.len() <= code as usize {
            self.by_code.resize(code as usize + 1, NONE);
        }
        self.by_code[code as usize] = number;
        number
    }

    fn of_value(&mut self, value: V) -> u32 {
        let Self { values, by_value, hasher, .. } = self;
        let row = std::slice::from_ref(&value);
        let known = |number: u32| values.get(number as usize).map(std::slice::from_ref).unwrap_or_default();
        let place = by_value.entry(
            hash_row(row, hasher),
            |number| same_row(known(*number), row),
            |number| hash_row(known(*number), hasher),
        );
        match place {
            Entry::Occupied(number) => *number.get(),
            Entry::Vacant(place) => {
                let number = values.len() as u32;
                place.insert(number);
                values.push(value);
                number
            }
        }
    }
}
