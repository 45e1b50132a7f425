//! Local search on cores that are too large to search exhaustively.
//!
//! One order of the members is fixed; two of them exclude each other where an arc runs against it. With that,
//! whether a member can join a side depends on its neighbours alone.

use crate::core::Menu;
use crate::core::Pattern;
use crate::core::Problem;
use crate::digraph::Digraph;

/// Good patterns for a core, and what they cost.
pub fn improve(problem: &Problem<'_>, members: &[u32]) -> (Vec<Pattern>, u64) {
    let mut sides = Sides::of(problem, members);
    if !sides.two_colour() {
        sides.fill();
        for _ in 0..MAX_PASSES {
            if !sides.pass() {
                break;
            }
        }
    }
    let patterns: Vec<Pattern> = (0..members.len()).map(|x| sides.pattern(x)).collect();
    let cost = (0..members.len())
        .filter(|&x| sides.side[x] == APART)
        .map(|x| sides.weight[x])
        .sum();
    (patterns, cost)
}

/// Whether all members of a core can be seen to go their cheapest way together.
pub fn all_fit(problem: &Problem<'_>, members: &[u32]) -> bool {
    Sides::of(problem, members).two_colour()
}

struct Sides {
    menu: Vec<Menu>,
    weight: Vec<u64>,
    /// Who excludes whom on each side. A node that excludes itself cannot be there at all.
    against: [Digraph; 2],
    side: Vec<u8>,
}

impl Sides {
    fn of(problem: &Problem<'_>, members: &[u32]) -> Sides {
        let places = Places::of(members, problem.menu.len());
        let inner = |graph: &Digraph| -> Vec<(u32, u32)> {
            let mut arcs = Vec::new();
            for (i, &m) in members.iter().enumerate() {
                let heads = graph.out(m as usize).iter().filter_map(|&y| places.find(y));
                arcs.extend(heads.map(|y| (i as u32, y)));
            }
            arcs
        };
        let (early, late) = (inner(problem.early), inner(problem.late));
        let rank = rank(members.len(), &early, &late);
        let clashes = |arcs: &[(u32, u32)], forward: bool| {
            let against = |&&(x, y): &&(u32, u32)| x == y || (rank[x as usize] < rank[y as usize]) != forward;
            let pairs: Vec<(u32, u32)> = arcs
                .iter()
                .filter(against)
                .flat_map(|&(x, y)| [(x, y), (y, x)])
                .collect();
            Digraph::new(members.len(), &pairs)
        };
        Sides {
            menu: members.iter().map(|&m| problem.menu[m as usize]).collect(),
            weight: members.iter().map(|&m| problem.weight[m as usize]).collect(),
            against: [clashes(&early, true), clashes(&late, false)],
            side: vec![APART; members.len()],
        }
    }

    fn options(&self, x: usize) -> &'static [u8] {
        match self.menu[x] {
            Menu::Fixed => &[],
            Menu::Single => &[BOTH],
            Menu::Split => &[0, 1],
        }
    }

    /// Those that keep `x` from a side.
    fn clashing(&self, x: usize, side: u8) -> impl Iterator<Item = usize> + '_ {
        let on = move |graph: u8| side == graph || side == BOTH;
        (0..2_u8).filter(move |&g| on(g)).flat_map(move |g| {
            let there = move |&y: &usize| self.side[y] == g || self.side[y] == BOTH || y == x;
            self.against[g as usize]
                .out(x)
                .iter()
                .map(|&y| y as usize)
                .filter(there)
        })
    }

    fn fits(&self, x: usize, side: u8) -> bool {
        self.clashing(x, side).next().is_none()
    }

    /// Whether nobody needs to be apart; then all are placed.
    fn two_colour(&mut self) -> bool {
        for root in 0..self.side.len() {
            if self.side[root] != APART {
                continue;
            }
            let Some(&side) = self.options(root).iter().find(|&&s| self.fits(root, s)) else {
                return false;
            };
            self.side[root] = side;
            let mut open = vec![root];
            while let Some(x) = open.pop() {
                for graph in 0..2 {
                    for i in 0..self.against[graph].out(x).len() {
                        let y = self.against[graph].out(x)[i] as usize;
                        if self.side[y] != APART {
                            continue;
                        }
                        let Some(&side) = self.options(y).iter().find(|&&s| self.fits(y, s)) else {
                            return false;
                        };
                        self.side[y] = side;
                        open.push(y);
                    }
                }
            }
        }
        true
    }

    /// Places whoever fits, the dear and those with few neighbours first.
    fn fill(&mut self) {
        self.side.fill(APART);
        let ties = |x: usize| (self.against[0].out(x).len() + self.against[1].out(x).len() + 1) as u64;
        let mut order: Vec<usize> = (0..self.side.len()).collect();
        order.sort_by_key(|&x| (std::cmp::Reverse(self.weight[x].saturating_mul(64) / ties(x)), x));
        for x in order {
            if let Some(&side) = self.options(x).iter().find(|&&s| self.fits(x, s)) {
                self.side[x] = side;
            }
        }
    }

    /// Lets everyone who is apart in where those in its way cost less or can move over; whether it helped.
    fn pass(&mut self) -> bool {
        let mut helped = false;
        for x in 0..self.side.len() {
            if self.side[x] != APART {
                continue;
            }
            for &side in self.options(x) {
                let blocking: Vec<usize> = self.clashing(x, side).take(MAX_BLOCKING).collect();
                if blocking.contains(&x) || blocking.len() == MAX_BLOCKING {
                    continue;
                }
                if self.admit(x, side, &blocking) {
                    helped = true;
                    break;
                }
            }
        }
        helped
    }

    fn admit(&mut self, x: usize, side: u8, blocking: &[usize]) -> bool {
        let before: Vec<u8> = blocking.iter().map(|&y| self.side[y]).collect();
        for &y in blocking {
            self.side[y] = APART;
        }
        self.side[x] = side;
        let mut lost = 0_u64;
        for &y in blocking {
            match self.options(y).iter().find(|&&s| self.fits(y, s)) {
                Some(&other) => self.side[y] = other,
                None => lost += self.weight[y],
            }
        }
        if lost < self.weight[x] {
            return true;
        }
        self.side[x] = APART;
        for (&y, &side) in blocking.iter().zip(&before) {
            self.side[y] = side;
        }
        false
    }

    fn pattern(&self, x: usize) -> Pattern {
        match self.side[x] {
            0 => Pattern::GrowSwitch,
            1 => Pattern::SwitchRetire,
            BOTH => Pattern::Together,
            _ => Pattern::Apart,
        }
    }
}

/// Where a component stands among the members of a core.
enum Places {
    /// Sorted, for a core that is a small part of the fleet.
    Few(Vec<(u32, u32)>),
    /// By component, for one that is not.
    Many(Vec<u32>),
}

impl Places {
    fn of(members: &[u32], components: usize) -> Places {
        let numbered = members.iter().zip(0_u32..).map(|(&m, i)| (m, i));
        if members.len() < components / 64 {
            let mut few: Vec<(u32, u32)> = numbered.collect();
            few.sort_unstable();
            return Places::Few(few);
        }
        let mut many = vec![u32::MAX; components];
        for (m, i) in numbered {
            many[m as usize] = i;
        }
        Places::Many(many)
    }

    fn find(&self, x: u32) -> Option<u32> {
        match self {
            Places::Few(few) => few.binary_search_by_key(&x, |&(m, _)| m).ok().map(|at| few[at].1),
            Places::Many(many) => Some(many[x as usize]).filter(|&i| i != u32::MAX),
        }
    }
}

/// A place in line for everyone: along the arcs that have no counterpart, where these make no cycle.
fn rank(count: usize, early: &[(u32, u32)], late: &[(u32, u32)]) -> Vec<u32> {
    let mut arcs: Vec<(u32, u32)> = early.to_vec();
    arcs.extend(late.iter().map(|&(x, y)| (y, x)));
    let graph = Digraph::new(count, &arcs);
    let one_way = |x: usize, y: u32| !graph.has(y as usize, x);
    let mut rank = vec![u32::MAX; count];
    let mut entered = vec![false; count];
    let mut next = count as u32;
    for root in 0..count {
        if entered[root] {
            continue;
        }
        entered[root] = true;
        let mut path = vec![(root, 0)];
        while let Some((x, position)) = path.last_mut() {
            let x = *x;
            match graph.out(x).get(*position) {
                Some(&y) => {
                    *position += 1;
                    if !entered[y as usize] && one_way(x, y) {
                        entered[y as usize] = true;
                        path.push((y as usize, 0));
                    }
                }
                None => {
                    next -= 1;
                    rank[x] = next;
                    path.pop();
                }
            }
        }
    }
    rank
}

const BOTH: u8 = 2;
const APART: u8 = 3;
const MAX_PASSES: usize = 12;
const MAX_BLOCKING: usize = 24;
