//! Verdicts of both snapshots side by side.

use std::cmp::Ordering;

use super::{ChangedVerdict, Diff, Side};
use crate::read::Snapshot;
use crate::verdict::VerdictRow;

/// Verdicts added, removed and changed. A change of the reason alone is none.
pub(crate) fn compare(earlier: &Snapshot, later: &Snapshot, diff: &mut Diff) {
    let mut read = |snapshot: &Snapshot| match snapshot.verdicts() {
        Ok(Some(rows)) => Some(rows),
        Ok(None) => {
            diff.notes.push(format!("no rules were run for `{}`: verdicts are not compared", snapshot.id()));
            None
        }
        Err(error) => {
            diff.faults.push(error.full_text());
            None
        }
    };
    let (Some(old), Some(new)) = (read(earlier), read(later)) else { return };
    let identity = |row: &VerdictRow| (row.rule.clone(), row.kind.clone(), row.key.clone(), row.account.clone());
    let (mut left, mut right) = (old.into_iter().peekable(), new.into_iter().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (Some(left), Some(right)) => identity(left).cmp(&identity(right)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return,
        };
        let was = if order.is_le() { left.next() } else { None };
        let is = if order.is_ge() { right.next() } else { None };
        match (was, is) {
            (Some(was), Some(is)) if was.verdict != is.verdict => {
                diff.verdicts.changed.push(ChangedVerdict { old: was.verdict, row: is });
            }
            (Some(was), None) => diff.verdicts.push(Side::Earlier, true, was),
            (None, Some(is)) => diff.verdicts.push(Side::Later, true, is),
            _ => {}
        }
    }
}
