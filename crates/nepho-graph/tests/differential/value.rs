//! Values of the reference evaluator: null and unknown beside the usual ones, and the four relations between values,
//! written from the openCypher specification and the tables of the query documentation.

use std::cmp::Ordering;

/// A value.
#[derive(Clone, Debug)]
pub enum Value {
    /// Known to be absent.
    Null,
    /// Could not be read.
    Unknown,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Value>),
    /// By place in the graph.
    Node(usize),
    /// By place in the graph.
    Relation(usize),
    /// Nodes and the relations between them.
    Path(Vec<usize>, Vec<usize>),
}

/// One of four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    False,
    True,
    Null,
    Unknown,
}

use Truth::{False as F, Null as N, True as T, Unknown as U};

const AND: [[Truth; 4]; 4] = [
    //      F  T  N  U
    /* F */ [F, F, F, F],
    /* T */ [F, T, N, U],
    /* N */ [F, N, N, U],
    /* U */ [F, U, U, U],
];

const OR: [[Truth; 4]; 4] = [
    //      F  T  N  U
    /* F */ [F, T, N, U],
    /* T */ [T, T, T, T],
    /* N */ [N, T, N, U],
    /* U */ [U, T, U, U],
];

const XOR: [[Truth; 4]; 4] = [
    //      F  T  N  U
    /* F */ [F, T, N, U],
    /* T */ [T, F, N, U],
    /* N */ [N, N, N, U],
    /* U */ [U, U, U, U],
];

const NOT: [Truth; 4] = [T, F, N, U];

impl Truth {
    pub fn and(self, other: Self) -> Self {
        AND[self as usize][other as usize]
    }

    pub fn or(self, other: Self) -> Self {
        OR[self as usize][other as usize]
    }

    pub fn xor(self, other: Self) -> Self {
        XOR[self as usize][other as usize]
    }

    pub fn not(self) -> Self {
        NOT[self as usize]
    }

    pub fn of(flag: bool) -> Self {
        if flag { T } else { F }
    }

    pub fn value(self) -> Value {
        match self {
            F => Value::Bool(false),
            T => Value::Bool(true),
            N => Value::Null,
            U => Value::Unknown,
        }
    }
}

/// `left = right`.
pub fn equals(left: &Value, right: &Value) -> Truth {
    use Value as V;
    match (left, right) {
        (V::Unknown, _) | (_, V::Unknown) => U,
        (V::Null, _) | (_, V::Null) => N,
        (V::List(left), V::List(right)) => {
            if left.len() != right.len() {
                return F;
            }
            left.iter().zip(right).fold(T, |all, (left, right)| all.and(equals(left, right)))
        }
        (V::Bool(left), V::Bool(right)) => Truth::of(left == right),
        (V::Text(left), V::Text(right)) => Truth::of(left == right),
        (V::Node(left), V::Node(right)) => Truth::of(left == right),
        (V::Relation(left), V::Relation(right)) => Truth::of(left == right),
        (V::Path(nodes, relations), V::Path(other_nodes, other_relations)) => {
            Truth::of(nodes == other_nodes && relations == other_relations)
        }
        _ => match (number(left), number(right)) {
            (Some(left), Some(right)) => Truth::of(left == right),
            _ => F,
        },
    }
}

/// Numbers of the tests are small: every one is exact as a floating-point number.
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(whole) => Some(*whole as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

/// How two values compare by `<`: `Err` says that they do not, NaN compares as `Ok(None)`.
pub fn compare(left: &Value, right: &Value) -> Result<Option<Ordering>, Truth> {
    use Value as V;
    match (left, right) {
        (V::Unknown, _) | (_, V::Unknown) => Err(U),
        (V::Null, _) | (_, V::Null) => Err(N),
        (V::Bool(left), V::Bool(right)) => Ok(Some(left.cmp(right))),
        (V::Text(left), V::Text(right)) => Ok(Some(left.cmp(right))),
        (V::List(left), V::List(right)) => {
            for (left, right) in left.iter().zip(right) {
                let order = compare(left, right)?;
                if order != Some(Ordering::Equal) {
                    return Ok(order);
                }
            }
            Ok(Some(left.len().cmp(&right.len())))
        }
        _ => match (number(left), number(right)) {
            (Some(left), Some(right)) => Ok(left.partial_cmp(&right)),
            _ => Err(N),
        },
    }
}

/// Where a type stands in `ORDER BY`, ascending.
fn rank(value: &Value) -> u8 {
    match value {
        Value::Node(_) => 1,
        Value::Relation(_) => 2,
        Value::List(_) => 3,
        Value::Path(..) => 4,
        Value::Text(_) => 5,
        Value::Bool(_) => 6,
        Value::Int(_) | Value::Float(_) => 7,
        Value::Null => 8,
        Value::Unknown => 9,
    }
}

/// The order of `ORDER BY`, total over all values.
pub fn order(left: &Value, right: &Value) -> Ordering {
    use Value as V;
    rank(left).cmp(&rank(right)).then_with(|| match (left, right) {
        (V::Node(left), V::Node(right)) | (V::Relation(left), V::Relation(right)) => left.cmp(right),
        (V::Bool(left), V::Bool(right)) => left.cmp(right),
        (V::Text(left), V::Text(right)) => left.cmp(right),
        (V::Path(left, over), V::Path(right, other)) => left.cmp(right).then_with(|| over.cmp(other)),
        (V::List(left), V::List(right)) => {
            for (left, right) in left.iter().zip(right) {
                let order = order(left, right);
                if order.is_ne() {
                    return order;
                }
            }
            left.len().cmp(&right.len())
        }
        _ => match (number(left), number(right)) {
            (Some(left), Some(right)) => match (left.is_nan(), right.is_nan()) {
                (false, false) => left.partial_cmp(&right).unwrap(),
                (left, right) => left.cmp(&right),
            },
            _ => Ordering::Equal,
        },
    })
}

/// Rows in the order of [`order`], column by column.
pub fn order_rows(left: &[Value], right: &[Value]) -> Ordering {
    left.iter()
        .zip(right)
        .map(|(left, right)| order(left, right))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Whether two rows are one for `DISTINCT`, grouping and `UNION`.
pub fn same_row(left: &[Value], right: &[Value]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| order(left, right).is_eq())
}

/// The value with every list sorted, for lists whose order is nobody's promise.
pub fn without_list_order(value: &Value) -> Value {
    match value {
        Value::List(items) => {
            let mut items: Vec<Value> = items.iter().map(without_list_order).collect();
            items.sort_by(order);
            Value::List(items)
        }
        other => other.clone(),
    }
}
