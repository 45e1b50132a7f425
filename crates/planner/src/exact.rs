//! Exhaustive search on a small core: branch and bound over bit masks.

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
    search.branch(undecided, Chosen::default(), 0);
    Outcome {
        best: search.found,
        complete: search.visits > 0,
    }
}

/// What a search found.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The cheapest solution below the limit, if there is one.
    pub best: Option<Best>,
    /// Nothing was left unvisited: there is no cheaper one.
    pub complete: bool,
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

#[derive(Clone, Copy, Default)]
struct Chosen {
    grow_switch: u64,
    switch_retire: u64,
    together: u64,
}

impl Chosen {
    fn all(self) -> u64 {
        self.grow_switch | self.switch_retire | self.together
    }
}

struct Search {
    menu: Vec<Menu>,
    weight: Vec<u64>,
    early: Vec<u64>,
    late: Vec<u64>,
    /// Two that can never both go the same way: pairs of arcs in both graphs.
    mutual: Vec<u64>,
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
        let early: Vec<u64> = members
            .iter()
            .map(|&m| mask(problem.early.out(m as usize)))
            .collect();
        let late: Vec<u64> = members
            .iter()
            .map(|&m| mask(problem.late.out(m as usize)))
            .collect();
        let menu: Vec<Menu> = members.iter().map(|&m| problem.menu[m as usize]).collect();
        let turned = |x: usize| {
            (0..members.len())
                .filter(|&y| early[y] & 1 << x != 0)
                .fold(0_u64, |mask, y| mask | 1 << y)
        };
        let symmetric =
            menu.iter().all(|&m| m == Menu::Split) && (0..members.len()).all(|x| late[x] == turned(x));
        let excluded = |x: usize, y: usize| {
            let pair = |arcs: &[u64]| arcs[x] & 1 << y != 0 && arcs[y] & 1 << x != 0;
            match (menu[x], menu[y]) {
                (Menu::Split, Menu::Split) => pair(&early) && pair(&late),
                (Menu::Single, Menu::Single) => pair(&early) || pair(&late),
                _ => false,
            }
        };
        let mutual = (0..members.len())
            .map(|x| {
                (0..members.len())
                    .filter(|&y| excluded(x, y))
                    .fold(0_u64, |mask, y| mask | 1 << y)
            })
            .collect();
        let weight = members.iter().map(|&m| problem.weight[m as usize]).collect();
        Search {
            menu,
            weight,
            early,
            late,
            mutual,
            symmetric,
            limit,
            visits,
            found: None,
        }
    }

    fn branch(&mut self, undecided: u64, chosen: Chosen, paid: u64) {
        if self.visits == 0 {
            return;
        }
        self.visits -= 1;
        let mut paid = paid;
        let mut left = 0_u64;
        let mut tightest = (usize::MAX, 0_u32, 0_usize);
        for x in bits(undecided) {
            let ways = self.ways(x, chosen).count();
            if ways == 0 {
                paid += self.weight[x];
                continue;
            }
            left |= 1 << x;
            let ties = ((self.early[x] | self.late[x]) & undecided).count_ones();
            if (ways, u32::MAX - ties) < (tightest.0, u32::MAX - tightest.1) {
                tightest = (ways, ties, x);
            }
        }
        if paid + self.toll(left) >= self.limit {
            return;
        }
        if left == 0 {
            self.limit = paid;
            self.found = Some(Best {
                patterns: self.patterns(chosen),
                cost: paid,
            });
            return;
        }
        let x = tightest.2;
        let rest = left & !(1 << x);
        let ways: Vec<Chosen> = self.ways(x, chosen).collect();
        let once = self.symmetric && chosen.all() == 0;
        for next in ways.into_iter().take(if once { 1 } else { 2 }) {
            self.branch(rest, next, paid);
        }
        self.branch(rest, chosen, paid + self.weight[x]);
    }

    /// What disjoint odd triangles (of splits) and pairs (of singles) must still cost.
    fn toll(&self, mut left: u64) -> u64 {
        let mut toll = 0;
        while left != 0 {
            let x = left.trailing_zeros() as usize;
            left &= left - 1;
            let near = self.mutual[x] & left;
            if self.menu[x] == Menu::Single {
                if near != 0 {
                    let y = near.trailing_zeros() as usize;
                    left &= !(1 << y);
                    toll += self.weight[x].min(self.weight[y]);
                }
                continue;
            }
            let triangle = bits(near).find_map(|y| {
                let third = self.mutual[y] & near;
                (third != 0).then(|| (y, third.trailing_zeros() as usize))
            });
            if let Some((y, z)) = triangle {
                left &= !(1 << y | 1 << z);
                toll += self.weight[x].min(self.weight[y]).min(self.weight[z]);
            }
        }
        toll
    }

    fn ways(&self, x: usize, chosen: Chosen) -> impl Iterator<Item = Chosen> + '_ {
        let bit = 1_u64 << x;
        let options = match self.menu[x] {
            Menu::Fixed => [None, None],
            Menu::Single => [
                Some(Chosen {
                    together: chosen.together | bit,
                    ..chosen
                }),
                None,
            ],
            Menu::Split => [
                Some(Chosen {
                    grow_switch: chosen.grow_switch | bit,
                    ..chosen
                }),
                Some(Chosen {
                    switch_retire: chosen.switch_retire | bit,
                    ..chosen
                }),
            ],
        };
        options
            .into_iter()
            .flatten()
            .filter(move |next| !self.on_cycle(x, *next))
    }

    fn on_cycle(&self, x: usize, chosen: Chosen) -> bool {
        let growing = chosen.grow_switch | chosen.together;
        let retiring = chosen.switch_retire | chosen.together;
        let all = chosen.all();
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

    fn patterns(&self, chosen: Chosen) -> Vec<Pattern> {
        let pattern = |x: usize| match 1_u64 << x {
            bit if chosen.grow_switch & bit != 0 => Pattern::GrowSwitch,
            bit if chosen.switch_retire & bit != 0 => Pattern::SwitchRetire,
            bit if chosen.together & bit != 0 => Pattern::Together,
            _ => Pattern::Apart,
        };
        (0..self.menu.len()).map(pattern).collect()
    }
}

fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let x = (mask != 0).then(|| mask.trailing_zeros() as usize);
        mask &= mask.wrapping_sub(1);
        x
    })
}
