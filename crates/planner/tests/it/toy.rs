//! A second opinion that shares no code with planner or checker: explicit states, every interleaving, every
//! delay, every spontaneous load. Only fleets of a few components.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::BinaryHeap;

/// Bits of what a component's files hold, or its process has loaded.
pub const GROWN: u8 = 1;
pub const SWITCHED: u8 = 2;
pub const RETIRED: u8 = 4;
/// Bits of leniency of an edge.
pub const EARLY: u8 = 1;
pub const LATE: u8 = 2;

#[derive(Debug, Clone, Default)]
pub struct Toy {
    /// (prover, verifier)
    pub edges: Vec<(usize, usize)>,
    /// Cost in thousandths of making a change effective; `None` is live.
    pub price: Vec<Option<u64>>,
    pub single: Vec<bool>,
    /// Which files each component reads.
    pub files: Vec<usize>,
    pub cross: bool,
    pub groups: Vec<(Vec<usize>, usize)>,
    pub stops_at_coexistence: bool,
    /// By edge, when not the usual: `EARLY` if old anchors accept the new chain too, `LATE` if new ones the old.
    pub lenient: Vec<u8>,
    /// What has happened already, by component.
    pub start: Vec<u8>,
    pub text: String,
}

/// Whether steps make events happen or take them back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    Clear,
    Set,
}

#[derive(Debug, Clone)]
pub struct ToyStep {
    pub wave: u32,
    pub component: usize,
    pub events: u8,
    pub cross: bool,
}

impl Toy {
    pub fn required(&self, x: usize) -> u8 {
        let proves = self.edges.iter().any(|&(p, _)| p == x);
        let verifies =
            |leniency: u8| (0..self.edges.len()).any(|e| self.edges[e].1 == x && !self.is(e, leniency));
        let grow = if verifies(EARLY) { GROWN } else { 0 };
        let retire = if verifies(LATE) && !self.stops_at_coexistence {
            RETIRED
        } else {
            0
        };
        grow | retire | if proves { SWITCHED } else { 0 }
    }

    fn is(&self, edge: usize, leniency: u8) -> bool {
        self.lenient.get(edge).is_some_and(|l| l & leniency != 0)
    }

    fn begun(&self, x: usize) -> u8 {
        self.start.get(x).copied().unwrap_or(0)
    }

    fn holds_one_anchor(&self, x: usize) -> bool {
        (0..self.files.len()).any(|y| self.files[y] == self.files[x] && self.single[y])
    }

    fn accepts(&self, edge: usize, trust: u8, chain: u8, cross: bool) -> bool {
        let grown = trust & GROWN != 0 || self.required(self.edges[edge].1) & GROWN == 0;
        let kept = trust & RETIRED == 0;
        let old = kept || (grown && self.is(edge, LATE));
        let new = grown || (kept && self.is(edge, EARLY));
        match chain & SWITCHED != 0 {
            false => old,
            true if cross => old || new,
            true => new,
        }
    }

    /// The writes of a step, one after the other; `None` when a store with one anchor cannot do it.
    fn writes(&self, x: usize, events: u8) -> Option<Vec<u8>> {
        if self.holds_one_anchor(x) && events & (GROWN | RETIRED) != 0 {
            if events & GROWN == 0 || events & RETIRED == 0 {
                return None;
            }
            let mut writes = vec![GROWN | RETIRED];
            if events & SWITCHED != 0 {
                writes.insert(0, SWITCHED);
            }
            return Some(writes);
        }
        Some(
            [GROWN, SWITCHED, RETIRED]
                .into_iter()
                .filter(|e| events & e != 0)
                .collect(),
        )
    }

    /// The least cost of any safe plan, by Dijkstra over everything that can be known of the fleet.
    pub fn least_cost(&self) -> Option<u64> {
        let count = self.files.len();
        let declared: Vec<u8> = (0..count).map(|x| self.begun(x)).collect();
        let mut disk = vec![0; count];
        for x in 0..count {
            disk[self.files[x]] |= declared[x];
        }
        let loaded = (0..count)
            .map(|x| 1 << declared[x] | 1 << disk[self.files[x]])
            .collect();
        let start = Known {
            disk,
            loaded,
            declared,
        };
        let mut best: BTreeMap<Known, u64> = BTreeMap::new();
        let mut open = BinaryHeap::new();
        best.insert(start.clone(), 0);
        open.push((std::cmp::Reverse(0_u64), start));
        while let Some((std::cmp::Reverse(cost), known)) = open.pop() {
            if best.get(&known).is_some_and(|&b| b < cost) {
                continue;
            }
            if (0..count).all(|x| known.declared[x] & self.required(x) == self.required(x)) {
                return Some(cost);
            }
            for x in 0..count {
                let left = self.required(x) & !known.declared[x];
                for events in (1..8).filter(|e| e & !left == 0) {
                    let Some(next) = self.after(&known, x, events) else {
                        continue;
                    };
                    let cost = cost + self.price[x].unwrap_or(0);
                    if best.get(&next).is_none_or(|&b| b > cost) {
                        best.insert(next.clone(), cost);
                        open.push((std::cmp::Reverse(cost), next));
                    }
                }
            }
        }
        None
    }

    fn after(&self, known: &Known, x: usize, events: u8) -> Option<Known> {
        let mut next = known.clone();
        let set = self.files[x];
        for write in self.writes(x, events)? {
            next.disk[set] |= write;
            for y in (0..self.files.len()).filter(|&y| self.files[y] == set) {
                next.loaded[y] |= 1 << next.disk[set];
            }
            if !self.all_accept(&next) {
                return None;
            }
        }
        next.loaded[x] = 1 << next.disk[set];
        next.declared[x] |= events;
        Some(next)
    }

    fn all_accept(&self, known: &Known) -> bool {
        let values = |x: usize| (0..8_u8).filter(move |v| known.loaded[x] & 1 << v != 0);
        self.edges.iter().enumerate().all(|(e, &(p, v))| {
            values(p).all(|chain| values(v).all(|trust| self.accepts(e, trust, chain, self.cross)))
        })
    }

    /// The edges that break at some moment of some run of the plan.
    pub fn broken(&self, steps: &[ToyStep]) -> BTreeSet<(usize, usize)> {
        let start: Vec<u8> = (0..self.files.len()).map(|x| self.begun(x)).collect();
        self.broken_from(&start, steps, Turn::Set)
    }

    /// The same from a state in which all have loaded what is given, for steps that set or clear.
    pub fn broken_from(&self, start: &[u8], steps: &[ToyStep], turn: Turn) -> BTreeSet<(usize, usize)> {
        let count = self.files.len();
        let mut cross = vec![false; count];
        for step in steps.iter().filter(|s| s.cross && s.events & SWITCHED != 0) {
            for y in (0..count).filter(|&y| self.files[y] == self.files[step.component]) {
                cross[y] = true;
            }
        }
        let mut waves: Vec<u32> = steps.iter().map(|s| s.wave).collect();
        waves.sort_unstable();
        waves.dedup();
        let mut broken = BTreeSet::new();
        let mut disk = vec![0_u8; count];
        for x in 0..count {
            disk[self.files[x]] |= start[x];
        }
        let mut barrier = BTreeSet::from([(disk, start.to_vec())]);
        for wave in waves {
            let now: Vec<(usize, Vec<u8>)> = steps
                .iter()
                .filter(|s| s.wave == wave)
                .map(|s| {
                    let mut writes = self.writes(s.component, s.events).unwrap_or_default();
                    if turn == Turn::Clear {
                        writes.reverse();
                    }
                    (s.component, writes)
                })
                .collect();
            let mut seen = BTreeSet::new();
            let mut open: Vec<Moment> = barrier
                .into_iter()
                .map(|(disk, loaded)| (disk, loaded, vec![0; now.len()]))
                .collect();
            barrier = BTreeSet::new();
            while let Some(moment) = open.pop() {
                if !seen.insert(moment.clone()) {
                    continue;
                }
                let (disk, loaded, progress) = &moment;
                for (e, &(p, v)) in self.edges.iter().enumerate() {
                    if !self.accepts(e, loaded[v], loaded[p], cross[p]) {
                        broken.insert((p, v));
                    }
                }
                if progress
                    .iter()
                    .zip(&now)
                    .all(|(&done, (_, writes))| done > writes.len())
                {
                    barrier.insert((disk.clone(), loaded.clone()));
                }
                self.follow(&moment, (&now, turn), &mut open);
            }
        }
        broken
    }

    fn follow(
        &self,
        (disk, loaded, progress): &Moment,
        (now, turn): (&[(usize, Vec<u8>)], Turn),
        open: &mut Vec<Moment>,
    ) {
        for x in 0..loaded.len() {
            if loaded[x] != disk[self.files[x]] {
                let mut loaded = loaded.clone();
                loaded[x] = disk[self.files[x]];
                open.push((disk.clone(), loaded, progress.clone()));
            }
        }
        for (i, (x, writes)) in now.iter().enumerate() {
            let mut progress = progress.clone();
            progress[i] += 1;
            match progress[i].cmp(&(writes.len() + 1)) {
                std::cmp::Ordering::Less => {
                    let mut disk = disk.clone();
                    let files = &mut disk[self.files[*x]];
                    match turn {
                        Turn::Clear => *files &= !writes[progress[i] - 1],
                        Turn::Set => *files |= writes[progress[i] - 1],
                    }
                    open.push((disk, loaded.clone(), progress));
                }
                std::cmp::Ordering::Equal => {
                    let mut loaded = loaded.clone();
                    loaded[*x] = disk[self.files[*x]];
                    open.push((disk.clone(), loaded, progress));
                }
                std::cmp::Ordering::Greater => {}
            }
        }
    }
}

type Moment = (Vec<u8>, Vec<u8>, Vec<usize>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Known {
    disk: Vec<u8>,
    /// For each component the values that it may have loaded: bit v for value v.
    loaded: Vec<u8>,
    declared: Vec<u8>,
}
