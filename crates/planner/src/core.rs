//! Takes the fleet apart until only small hard cores are left.
//!
//! Components that cannot lie on a cycle of steps go their cheapest way at once. A component whose only
//! neighbour is another one can always take the side that the neighbour does not. What is left falls into
//! cores that have nothing to do with each other.

use crate::digraph::Digraph;

/// How a component can go at its cheapest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Menu {
    /// One way, and it is on no cycle.
    Fixed,
    /// All events in one step.
    Single,
    /// Grow and switch together, or switch and retire together.
    Split,
}

/// How the events of a component fall together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// Each apart from the others, where that matters.
    Apart,
    /// Grow with switch; retire later: the leaf style.
    GrowSwitch,
    /// Grow first; switch with retire: the hub style.
    SwitchRetire,
    /// All in one step.
    Together,
}

/// Whom may be spared how much, and the orders between them.
pub struct Problem<'a> {
    /// The menu of each component.
    pub menu: &'a [Menu],
    /// What a component costs more when it cannot take its cheapest way.
    pub weight: Vec<u64>,
    /// Grow of x before switch of y.
    pub early: &'a Digraph,
    /// Switch of x before retire of y.
    pub late: &'a Digraph,
}

/// A set of components of which not all can go their cheapest way, and what that costs at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toll {
    /// The components; of an odd cycle, in its order.
    pub members: Vec<u32>,
    /// The cost.
    pub extra: u64,
}

/// What is left of a problem, and how to go back.
pub struct Reduced<'a> {
    /// The problem; weights are what is left of them.
    pub problem: Problem<'a>,
    /// The hard cores, each a set of components.
    pub cores: Vec<Vec<u32>>,
    /// Tolls that were met on the way.
    pub tolls: Vec<Toll>,
    settled: Vec<Option<Pattern>>,
    undo: Vec<Undo>,
}

enum Undo {
    /// Takes the side that the neighbour does not.
    Opposite(u32, u32),
    /// Pays unless the neighbour does.
    Unless(u32, u32),
}

impl Reduced<'_> {
    /// The patterns of all components, given those of the members of the cores.
    pub fn complete(&self, core_patterns: &[(u32, Pattern)]) -> Vec<Pattern> {
        let mut patterns: Vec<Pattern> = self.settled.iter().map(|s| s.unwrap_or(Pattern::Apart)).collect();
        for &(x, pattern) in core_patterns {
            patterns[x as usize] = pattern;
        }
        for undo in self.undo.iter().rev() {
            match *undo {
                Undo::Opposite(x, y) => {
                    patterns[x as usize] = match patterns[y as usize] {
                        Pattern::GrowSwitch => Pattern::SwitchRetire,
                        _ => Pattern::GrowSwitch,
                    }
                }
                Undo::Unless(x, y) => {
                    patterns[x as usize] = match patterns[y as usize] {
                        Pattern::Apart => Pattern::Together,
                        _ => Pattern::Apart,
                    }
                }
            }
        }
        patterns
    }
}

/// Takes a problem apart. Near linear.
pub fn reduce(problem: Problem<'_>) -> Reduced<'_> {
    let mut peeling = Peeling::of(problem);
    for _ in 0..MAX_ROUNDS {
        if !peeling.round() {
            break;
        }
    }
    let cores = peeling.cores();
    Reduced {
        problem: peeling.problem,
        cores,
        tolls: peeling.tolls,
        settled: peeling.settled,
        undo: peeling.undo,
    }
}

/// Who has an order with whom, whichever way it goes.
fn neighbours(problem: &Problem<'_>, into_early: &Digraph, into_late: &Digraph) -> Digraph {
    // Where all links are mutual the four graphs are one.
    let mut near = problem.early.clone();
    for graph in [into_early, problem.late, into_late] {
        if near != *graph {
            near = near.union(graph);
        }
    }
    near.filtered(|x, y| x != y)
}

struct Peeling<'a> {
    problem: Problem<'a>,
    into_early: Digraph,
    into_late: Digraph,
    near: Digraph,
    alive: Vec<bool>,
    strong: Vec<u32>,
    /// The strong component holds components whose menu is `Single`.
    mixed: Vec<bool>,
    counts: Vec<Counts>,
    settled: Vec<Option<Pattern>>,
    undo: Vec<Undo>,
    tolls: Vec<Toll>,
    open: Vec<u32>,
    removed: usize,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    early_in: u32,
    early_out: u32,
    late_in: u32,
    late_out: u32,
    near: u32,
}

impl<'a> Peeling<'a> {
    fn of(problem: Problem<'a>) -> Peeling<'a> {
        let count = problem.menu.len();
        let (into_early, into_late) = (problem.early.reversed(), problem.late.reversed());
        let near = neighbours(&problem, &into_early, &into_late);
        let menu = |x: usize| problem.menu[x];
        let mut settled = vec![None; count];
        let mut alive = vec![false; count];
        for x in 0..count {
            let looped = (problem.early.has(x, x), problem.late.has(x, x));
            match (menu(x), looped) {
                _ if problem.weight[x] == 0 => settled[x] = Some(Pattern::Apart),
                (Menu::Fixed, _) => settled[x] = Some(Pattern::Apart),
                _ => alive[x] = true,
            }
        }
        Peeling {
            into_early,
            into_late,
            near,
            alive,
            strong: vec![0; count],
            mixed: Vec::new(),
            counts: vec![Counts::default(); count],
            settled,
            undo: Vec::new(),
            tolls: Vec::new(),
            open: Vec::new(),
            removed: 0,
            problem,
        }
    }

    /// One round over what is alive; whether another may find more.
    fn round(&mut self) -> bool {
        let live = |x: u32, y: u32| self.alive[x as usize] && self.alive[y as usize];
        let early = self.problem.early.filtered(live);
        let (strong, found) = match self.problem.early == self.problem.late {
            true => early.strong_components(),
            false => early.union(&self.problem.late.filtered(live)).strong_components(),
        };
        self.strong = strong;
        self.mixed = vec![false; found];
        for x in 0..self.alive.len() {
            if self.alive[x] && self.problem.menu[x] == Menu::Single {
                self.mixed[self.strong[x] as usize] = true;
            }
        }
        for x in 0..self.alive.len() {
            let count = |graph: &Digraph| {
                graph
                    .out(x)
                    .iter()
                    .filter(|&&y| y as usize != x && self.linked(x, y as usize))
                    .count() as u32
            };
            self.counts[x] = Counts {
                early_in: count(&self.into_early),
                early_out: count(self.problem.early),
                late_in: count(&self.into_late),
                late_out: count(self.problem.late),
                near: count(&self.near),
            };
        }
        self.removed = 0;
        self.open = (0..self.alive.len() as u32)
            .rev()
            .filter(|&x| self.alive[x as usize])
            .collect();
        while let Some(x) = self.open.pop() {
            if self.alive[x as usize] {
                self.examine(x as usize);
            }
        }
        self.removed > 0
    }

    fn linked(&self, x: usize, y: usize) -> bool {
        self.alive[y] && self.strong[x] == self.strong[y]
    }

    fn examine(&mut self, x: usize) {
        let Counts {
            early_in,
            early_out,
            late_in,
            late_out,
            near,
        } = self.counts[x];
        let (early_loop, late_loop) = (self.problem.early.has(x, x), self.problem.late.has(x, x));
        let pure = !self.mixed[self.strong[x] as usize];
        match self.problem.menu[x] {
            Menu::Fixed => {}
            Menu::Split => {
                let first = early_in == 0 || (early_out == 0 && (pure || late_out == 0));
                let last = late_out == 0 || (late_in == 0 && (pure || early_in == 0));
                if first && !early_loop {
                    self.settle(x, Pattern::GrowSwitch);
                } else if last && !late_loop {
                    self.settle(x, Pattern::SwitchRetire);
                } else if early_loop && late_loop {
                    self.tolls.push(Toll {
                        members: vec![x as u32],
                        extra: self.problem.weight[x],
                    });
                    self.settle(x, Pattern::Apart);
                } else if near == 1
                    && pure
                    && !early_loop
                    && !late_loop
                    && let Some(y) = self.neighbour(x)
                {
                    self.undo.push(Undo::Opposite(x as u32, y as u32));
                    self.remove(x);
                }
            }
            Menu::Single => {
                if early_loop || late_loop {
                    self.tolls.push(Toll {
                        members: vec![x as u32],
                        extra: self.problem.weight[x],
                    });
                    self.settle(x, Pattern::Apart);
                } else if early_in + late_in == 0 || early_out + late_out == 0 {
                    self.settle(x, Pattern::Together);
                } else if near == 1 {
                    self.fold(x);
                }
            }
        }
    }

    /// A single whose only neighbour is a single: of the two one pays, and it can as well be the neighbour.
    fn fold(&mut self, x: usize) {
        let Some(y) = self
            .neighbour(x)
            .filter(|&y| self.problem.menu[y] == Menu::Single)
        else {
            return;
        };
        let extra = self.problem.weight[x].min(self.problem.weight[y]);
        self.tolls.push(Toll {
            members: vec![x as u32, y as u32],
            extra,
        });
        self.problem.weight[x] -= extra;
        self.problem.weight[y] -= extra;
        if self.problem.weight[y] == 0 {
            self.settle(y, Pattern::Apart);
        } else {
            self.undo.push(Undo::Unless(x as u32, y as u32));
            self.remove(x);
        }
    }

    fn neighbour(&self, x: usize) -> Option<usize> {
        self.near
            .out(x)
            .iter()
            .map(|&y| y as usize)
            .find(|&y| self.linked(x, y))
    }

    fn settle(&mut self, x: usize, pattern: Pattern) {
        self.settled[x] = Some(pattern);
        self.remove(x);
    }

    fn remove(&mut self, x: usize) {
        self.alive[x] = false;
        self.removed += 1;
        for i in 0..self.near.out(x).len() {
            let y = self.near.out(x)[i] as usize;
            if !self.linked(x, y) {
                continue;
            }
            let counts = &mut self.counts[y];
            counts.near -= 1;
            counts.early_in -= u32::from(self.problem.early.has(x, y));
            counts.late_in -= u32::from(self.problem.late.has(x, y));
            counts.early_out -= u32::from(self.into_early.has(x, y));
            counts.late_out -= u32::from(self.into_late.has(x, y));
            self.open.push(y as u32);
        }
    }

    /// What is alive, by connected component.
    fn cores(&mut self) -> Vec<Vec<u32>> {
        let mut seen = vec![false; self.alive.len()];
        let mut cores = Vec::new();
        for root in 0..self.alive.len() {
            if !self.alive[root] || seen[root] {
                continue;
            }
            seen[root] = true;
            let mut members = vec![root as u32];
            let mut next = 0;
            while next < members.len() {
                let x = members[next] as usize;
                next += 1;
                for &y in self.near.out(x) {
                    if self.linked(x, y as usize) && !seen[y as usize] {
                        seen[y as usize] = true;
                        members.push(y);
                    }
                }
            }
            cores.push(members);
        }
        cores
    }
}

const MAX_ROUNDS: usize = 4;
