//! Exhaustive search on a small core: branch and bound over bit masks.
//!
//! Each member takes one of its sides or pays. What a branch must still pay at least comes from sets of members that
//! cannot all find a side, which propagation along pairs that exclude each other finds (`conflict`).

use crate::conflict::Sides;
use crate::core::Menu;
use crate::core::Pattern;
use crate::core::Problem;

/// The cheapest patterns of a core of at most [`MAX_MEMBERS`] that cost less than `limit`. The search ends
/// after so many `visits` with what it has.
pub fn search(problem: &Problem<'_>, members: &[u32], limit: u64, visits: u64) -> Outcome {
    let mut search = Search::of(problem, members, limit, visits);
    let undecided = if members.len() == MAX_MEMBERS {
        u64::MAX
    } else {
        (1 << members.len()) - 1
    };
    let start = Branch {
        undecided,
        chosen: [0; 2],
        free: search.free_at_start(undecided),
        paid: 0,
    };
    search.branch(start);
    Outcome {
        best: search.found,
        complete: search.visits > 0,
        visits: visits - search.visits,
    }
}

/// What a search found.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The cheapest solution below the limit, if there is one.
    pub best: Option<Best>,
    /// Nothing was left unvisited: there is no cheaper one.
    pub complete: bool,
    /// What it took.
    pub visits: u64,
}

/// A solution of a core.
#[derive(Debug, Clone)]
pub struct Best {
    /// The pattern of each member, in their order.
    pub patterns: Vec<Pattern>,
    /// The sum of the weights of those apart.
    pub cost: u64,
}

/// How many members a core may have.
pub const MAX_MEMBERS: usize = 64;

/// A part of the search: who has a side, and who can still have which.
#[derive(Clone, Copy)]
struct Branch {
    undecided: u64,
    /// By side. The one side of a single is the first.
    chosen: [u64; 2],
    /// Of the undecided, by side.
    free: [u64; 2],
    paid: u64,
}

struct Search {
    menu: Vec<Menu>,
    weight: Vec<u64>,
    early: Vec<u64>,
    late: Vec<u64>,
    singles: u64,
    sides: Sides,
    /// Pairs that exclude each other say all: no longer cycle is without one.
    pairs_suffice: bool,
    symmetric: bool,
    limit: u64,
    visits: u64,
    found: Option<Best>,
}

impl Search {
    fn of(problem: &Problem<'_>, members: &[u32], limit: u64, visits: u64) -> Search {
        let mut by_id: Vec<(u32, usize)> = members.iter().enumerate().map(|(i, &m)| (m, i)).collect();
        by_id.sort_unstable();
        let mask = |heads: &[u32]| {
            let places = heads
                .iter()
                .filter_map(|y| by_id.binary_search_by_key(y, |&(m, _)| m).ok());
            places.fold(0_u64, |mask, at| mask | 1 << by_id[at].1)
        };
        let rows = |graph: &crate::digraph::Digraph| -> Vec<u64> {
            members.iter().map(|&m| mask(graph.out(m as usize))).collect()
        };
        let (early, late) = (rows(problem.early), rows(problem.late));
        let count = members.len();
        let menu: Vec<Menu> = members.iter().map(|&m| problem.menu[m as usize]).collect();
        let turned = |arcs: &[u64], x: usize| {
            (0..count)
                .filter(|&y| arcs[y] & 1 << x != 0)
                .fold(0_u64, |mask, y| mask | 1 << y)
        };
        let splits = menu.iter().all(|&m| m == Menu::Split);
        let symmetric = splits && (0..count).all(|x| late[x] == turned(&early, x));
        let mutual = (0..count).all(|x| early[x] == turned(&early, x) && late[x] == turned(&late, x));
        let singles = (0..count)
            .filter(|&x| menu[x] == Menu::Single)
            .fold(0, |mask, x| mask | 1 << x);
        Search {
            sides: Sides::of(&early, &late, singles),
            pairs_suffice: splits && mutual,
            weight: members.iter().map(|&m| problem.weight[m as usize]).collect(),
            menu,
            early,
            late,
            singles,
            symmetric,
            limit,
            visits,
            found: None,
        }
    }

    fn free_at_start(&self, all: u64) -> [u64; 2] {
        let mut free = [all, all & !self.singles];
        for x in bits(all) {
            for (side, free) in free.iter_mut().enumerate() {
                if self.menu[x] == Menu::Fixed || self.on_cycle(x, with([0; 2], x, side)) {
                    *free &= !(1 << x);
                }
            }
        }
        free
    }

    fn branch(&mut self, mut branch: Branch) {
        let slack = loop {
            if self.visits == 0 {
                return;
            }
            self.visits -= 1;
            let stuck = branch.undecided & !branch.free[0] & !branch.free[1];
            branch.paid += bits(stuck).map(|x| self.weight[x]).sum::<u64>();
            branch.undecided &= !stuck;
            let Some(room) = self.limit.checked_sub(branch.paid + 1) else {
                return;
            };
            let (toll, rest) = self.sides.toll(&self.weight, branch.undecided, branch.free, room);
            if toll > room {
                return;
            }
            // Whoever cannot pay has to take a side; where only one is left, at once.
            let must = bits(branch.undecided)
                .filter(|&x| toll + rest[x] > room)
                .fold(0_u64, |mask, x| mask | 1 << x);
            let forced = must & (branch.free[0] ^ branch.free[1]);
            if forced == 0 {
                break must;
            }
            let x = forced.trailing_zeros() as usize;
            let side = usize::from(branch.free[1] & 1 << x != 0);
            self.choose(&mut branch, x, side);
        };
        if branch.undecided == 0 {
            self.limit = branch.paid;
            self.found = Some(Best {
                patterns: self.patterns(branch.chosen),
                cost: branch.paid,
            });
            return;
        }
        let x = self.pick(&branch, slack);
        let once = self.symmetric && branch.chosen == [0; 2];
        for side in (0..2).filter(|&side| branch.free[side] & 1 << x != 0) {
            let mut next = branch;
            self.choose(&mut next, x, side);
            self.branch(next);
            if once {
                break;
            }
        }
        if slack & 1 << x == 0 {
            branch.undecided &= !(1 << x);
            branch.paid += self.weight[x];
            self.branch(branch);
        }
    }

    /// Whom to decide next: who has to take a side first, then who has the most in common with the undecided.
    fn pick(&self, branch: &Branch, must: u64) -> usize {
        let key = |&x: &usize| {
            let one = (branch.free[0] & branch.free[1] & 1 << x == 0) as u32;
            let near = ((self.early[x] | self.late[x]) & branch.undecided).count_ones();
            (must & 1 << x != 0, near + 2 * one, usize::MAX - x)
        };
        bits(branch.undecided).max_by_key(key).unwrap_or(0)
    }

    /// Gives `x` a side, and takes from the undecided what that excludes.
    fn choose(&self, branch: &mut Branch, x: usize, side: usize) {
        branch.undecided &= !(1 << x);
        branch.chosen = with(branch.chosen, x, side);
        for other in 0..2 {
            branch.free[other] &= branch.undecided & !self.sides.excluded(x, side, other);
        }
        if self.pairs_suffice {
            return;
        }
        for other in 0..2 {
            for y in bits(branch.free[other]) {
                if self.on_cycle(y, with(branch.chosen, y, other)) {
                    branch.free[other] &= !(1 << y);
                }
            }
        }
    }

    fn on_cycle(&self, x: usize, chosen: [u64; 2]) -> bool {
        let growing = chosen[0];
        let retiring = chosen[1] | (chosen[0] & self.singles);
        let all = chosen[0] | chosen[1];
        let (mut reached, mut open) = (0_u64, 1_u64 << x);
        while open != 0 {
            let y = open.trailing_zeros() as usize;
            open &= open - 1;
            let mut next = self.late[y] & retiring;
            if growing & 1 << y != 0 {
                next |= self.early[y] & all;
            }
            next &= !reached;
            reached |= next;
            open |= next;
        }
        reached & 1 << x != 0
    }

    fn patterns(&self, chosen: [u64; 2]) -> Vec<Pattern> {
        let pattern = |x: usize| match 1_u64 << x {
            bit if chosen[0] & self.singles & bit != 0 => Pattern::Together,
            bit if chosen[0] & bit != 0 => Pattern::GrowSwitch,
            bit if chosen[1] & bit != 0 => Pattern::SwitchRetire,
            _ => Pattern::Apart,
        };
        (0..self.menu.len()).map(pattern).collect()
    }
}

fn with(mut chosen: [u64; 2], x: usize, side: usize) -> [u64; 2] {
    chosen[side] |= 1 << x;
    chosen
}

/// The positions of the bits of a mask, ascending.
pub fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let x = (mask != 0).then(|| mask.trailing_zeros() as usize);
        mask &= mask.wrapping_sub(1);
        x
    })
}
