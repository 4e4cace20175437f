//! Ways from identity to identity along what each can gain, shortest first.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::{Escalations, Gain};
use crate::directory::IdentityId;

/// One step of a way.
pub type Hop = Gain;

/// A way from one identity to another's permissions.
#[derive(Clone, Debug)]
pub struct Path<'e> {
    /// Where it starts.
    pub start: IdentityId,
    /// Where it ends.
    pub target: IdentityId,
    /// Its steps, in order.
    pub hops: Vec<&'e Hop>,
}

/// Ways that are told of one start.
const MOST_TARGETS: usize = 10;

impl Escalations {
    /// The shortest way from an identity to each of the nearest administrators: identities that are one, or that can make
    /// themselves one. With `possible`, ways count that hang on what is not known.
    pub fn to_administrator(&self, start: IdentityId, possible: bool) -> Vec<Path<'_>> {
        if self.administrators.contains(&start) {
            return Vec::new();
        }
        self.paths(start, possible, |id| self.administrators.contains(&id), true)
    }

    /// The shortest way from an identity to each of some others.
    pub fn to(&self, start: IdentityId, targets: &[IdentityId], possible: bool) -> Vec<Path<'_>> {
        self.paths(start, possible, |id| id != start && targets.contains(&id), false)
    }

    fn paths<'e>(
        &'e self,
        start: IdentityId,
        possible: bool,
        is_target: impl Fn(IdentityId) -> bool,
        raises_count: bool,
    ) -> Vec<Path<'e>> {
        let counts = |gain: &Gain| possible || gain.condition.is_none();
        let mut came: HashMap<IdentityId, Option<&Gain>> = HashMap::from_iter([(start, None)]);
        let mut queue = VecDeque::from([start]);
        let mut found = Vec::new();
        while let Some(at) = queue.pop_front() {
            if found.len() >= MOST_TARGETS {
                break;
            }
            let way = |last: Option<&'e Gain>, target: IdentityId| {
                let mut hops: Vec<&Gain> = last.into_iter().collect();
                let mut back = at;
                while let Some(Some(gain)) = came.get(&back) {
                    hops.push(gain);
                    back = gain.from;
                }
                hops.reverse();
                Path { start, target, hops }
            };
            // Beyond an administrator everything is a way.
            if is_target(at) {
                found.push(way(None, at));
                continue;
            }
            let raised: Vec<&Gain> =
                self.gains_of(at).iter().filter(|gain| raises_count && gain.raises && counts(gain)).collect();
            // Who can make itself an administrator needs no one else.
            match raised.iter().find(|gain| gain.to == at) {
                Some(own) => {
                    found.push(way(Some(own), at));
                    continue;
                }
                None => found.extend(raised.iter().map(|gain| way(Some(gain), gain.to))),
            }
            for gain in self.gains_of(at).iter().filter(|gain| gain.to != at && counts(gain)) {
                came.entry(gain.to).or_insert_with(|| {
                    queue.push_back(gain.to);
                    Some(gain)
                });
            }
        }
        found
    }

    /// What an identity can gain.
    pub fn gains_of(&self, id: IdentityId) -> &[Gain] {
        let start = self.gains.partition_point(|gain| gain.from < id);
        let end = self.gains.partition_point(|gain| gain.from <= id);
        &self.gains[start..end]
    }
}
