//! Puts steps one after the other so that linked ones stand close: a link is down from the step of its first end to the
//! step of its second, so what is short is the sum of these distances (the minimum linear arrangement, with durations).
//!
//! That is NP-hard in general. Up to [`EXACT`] steps that hang together the best order is found by dynamic programming
//! over sets; beyond, a breadth-first order is improved by exchanging neighbours until nothing gets shorter.

use std::collections::BTreeMap;

/// Steps with durations, and the links between them.
pub struct Arrangement {
    takes: Vec<u64>,
    /// By step: the others it has links with, how many go down where it comes first, and where it comes second.
    near: Vec<BTreeMap<usize, [u64; 2]>>,
}

impl Arrangement {
    /// Steps that last so long, without links. A step without a duration counts one unit, so that order matters.
    pub fn new(takes: Vec<u64>) -> Arrangement {
        let near = vec![BTreeMap::new(); takes.len()];
        let takes = takes.into_iter().map(|ms| ms.max(1)).collect();
        Arrangement { takes, near }
    }

    /// Links between two steps: `first` of them go down where `a` comes first, `second` where `b` does.
    pub fn link(&mut self, (a, b): (usize, usize), first: u32, second: u32) {
        if first + second > 0 {
            self.near[a].insert(b, [u64::from(first), u64::from(second)]);
            self.near[b].insert(a, [u64::from(second), u64::from(first)]);
        }
    }

    /// What exchanging `x` with its right neighbour `y` gains; negative where it costs. Cost: O(links of the two).
    fn gain(&self, place: &[usize], x: usize, y: usize) -> i128 {
        let signed = |n: u64| i128::from(n);
        let (dx, dy) = (signed(self.takes[x]), signed(self.takes[y]));
        // y moves to the left by dx: links to what lies left get shorter, those to the right longer.
        let mut gain = 0;
        for (&z, [first, second]) in &self.near[y] {
            if z != x && place[z] < place[x] {
                gain += signed(*second) * dx;
            } else if z != x {
                gain -= signed(*first) * dx;
            }
        }
        for (&z, [first, second]) in &self.near[x] {
            if z != y && place[z] < place[x] {
                gain -= signed(*second) * dy;
            } else if z != y {
                gain += signed(*first) * dy;
            }
        }
        if let Some([first, second]) = self.near[x].get(&y) {
            gain += (signed(*first) - signed(*second)) * (dx + dy);
        }
        gain
    }
}

/// An order of all steps with little down time. Steps that hang together stand together.
pub fn arrange(arrangement: &Arrangement) -> Vec<usize> {
    let mut seen = vec![false; arrangement.takes.len()];
    let mut order = Vec::with_capacity(seen.len());
    for root in 0..seen.len() {
        if seen[root] {
            continue;
        }
        let members = breadth_first(arrangement, root, &mut seen);
        if members.len() <= EXACT {
            order.extend(exact(arrangement, &members));
        } else {
            order.extend(improved(arrangement, members));
        }
    }
    order
}

fn breadth_first(arrangement: &Arrangement, root: usize, seen: &mut [bool]) -> Vec<usize> {
    seen[root] = true;
    let mut members = vec![root];
    let mut next = 0;
    while next < members.len() {
        for &y in arrangement.near[members[next]].keys() {
            if !seen[y] {
                seen[y] = true;
                members.push(y);
            }
        }
        next += 1;
    }
    members
}

/// The best order: over all sets of steps that may come first, the cheapest way to fill them.
fn exact(arrangement: &Arrangement, members: &[usize]) -> Vec<usize> {
    let count = members.len();
    let weight = |i: usize, j: usize| {
        let pair = arrangement.near[members[i]].get(&members[j]);
        pair.map_or(0, |[first, _]| *first)
    };
    let weights: Vec<Vec<u64>> = (0..count)
        .map(|i| (0..count).map(|j| weight(i, j)).collect())
        .collect();
    let mut best = vec![(u64::MAX, 0_usize); 1 << count];
    best[0] = (0, 0);
    for set in 0..1_usize << count {
        let (so_far, _) = best[set];
        for last in (0..count).filter(|&i| set & 1 << i == 0) {
            let with = set | 1 << last;
            // While `last` is done, every link from what is done or being done to what is not yet is down.
            let mut down = 0;
            for i in (0..count).filter(|&i| with & 1 << i != 0) {
                let open = (0..count).filter(|&j| j != i && (with & 1 << j == 0 || (j == last && i != last)));
                down += open.map(|j| weights[i][j]).sum::<u64>();
            }
            let cost = so_far + down * arrangement.takes[members[last]];
            if cost < best[with].0 {
                best[with] = (cost, last);
            }
        }
    }
    let mut order = Vec::with_capacity(count);
    let mut set = (1_usize << count) - 1;
    while set != 0 {
        let last = best[set].1;
        order.push(members[last]);
        set &= !(1 << last);
    }
    order.reverse();
    order
}

fn improved(arrangement: &Arrangement, mut order: Vec<usize>) -> Vec<usize> {
    let mut place = vec![usize::MAX; arrangement.takes.len()];
    for (i, &x) in order.iter().enumerate() {
        place[x] = i;
    }
    for _ in 0..PASSES {
        let mut moved = false;
        for i in 1..order.len() {
            let (x, y) = (order[i - 1], order[i]);
            if arrangement.gain(&place, x, y) > 0 {
                order.swap(i - 1, i);
                place.swap(x, y);
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    order
}

/// The largest set of steps whose best order is searched: 2^13 sets of 13 steps are looked through in milliseconds.
const EXACT: usize = 13;
const PASSES: usize = 64;

#[cfg(test)]
mod tests;
