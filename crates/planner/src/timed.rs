//! The cheapest ways whose steps fit into a number of waves. Exact for small pieces of a fleet, else a heuristic.
//!
//! A piece is what hangs together by orders. Each event is a node; a way makes one node of the events of a step. What
//! is undecided yet is taken apart, which is the weakest it can be: if that does not fit, no decision does.

use plan::Event;
use plan::Model;

use crate::demand::Demand;
use crate::waves::readers;
use crate::ways::Way;
use crate::ways::Ways;

/// The orders of a model between single events, piece by piece.
pub struct Timed<'a> {
    ways: &'a Ways<'a>,
    pieces: Vec<Piece>,
}

impl<'a> Timed<'a> {
    /// Takes the model apart. Near linear.
    pub fn of(model: &Model, demand: &Demand, ways: &'a Ways<'a>) -> Timed<'a> {
        Timed {
            ways,
            pieces: pieces(model, demand),
        }
    }

    /// Makes `chosen` fit into so many waves, as cheaply as it can; groups are not looked at. Whether that is proved to
    /// be the cheapest, or `None` where nothing was found that fits.
    pub fn fit(&self, waves: u32, chosen: &mut [Way]) -> Option<bool> {
        let mut exact = true;
        let mut budget = MAX_WORK;
        for piece in &self.pieces {
            // More waves than events are of no use.
            let waves = waves.min(piece.nodes as u32);
            if piece.members.len() <= MAX_EXACT {
                exact &= self.search(piece, waves, chosen, &mut budget)?;
            } else {
                exact = false;
                self.split(piece, waves, chosen)?;
                self.join(piece, waves, chosen);
            }
        }
        Some(exact)
    }

    /// Branch and bound over the ways of the members. Whether it came to its end.
    fn search(&self, piece: &Piece, waves: u32, chosen: &mut [Way], budget: &mut u64) -> Option<bool> {
        let mut search = Search {
            piece,
            waves,
            finest: piece.members.iter().map(|&x| self.ways.finest(x)).collect(),
            options: Vec::new(),
            rest: Vec::new(),
            taken: vec![None; piece.members.len()],
            best: None,
            budget: *budget,
        };
        if !search.fits() {
            return None;
        }
        for (m, &x) in piece.members.iter().enumerate() {
            let mut options: Vec<(u64, Way)> = Vec::new();
            for way in self.ways.all(x) {
                search.taken[m] = Some(way.clone());
                if search.fits() {
                    options.push((self.ways.price(x, &way), way));
                }
            }
            search.taken[m] = None;
            search.options.push(options);
        }
        search.rest = vec![0; piece.members.len() + 1];
        for m in (0..piece.members.len()).rev() {
            let least = search.options[m].first().map_or(0, |(price, _)| *price);
            search.rest[m] = search.rest[m + 1] + least;
        }
        search.branch(0, 0);
        let complete = search.budget > 0;
        *budget = search.budget;
        let now: Vec<Option<Way>> = piece.members.iter().map(|&x| Some(chosen[x].clone())).collect();
        let price = |ways: &[Option<Way>]| -> u64 {
            let of =
                |(&x, way): (&usize, &Option<Way>)| way.as_ref().map_or(0, |way| self.ways.price(x, way));
            piece.members.iter().zip(ways).map(of).sum()
        };
        let found = search.best.take().map(|(_, ways)| ways);
        search.taken.clone_from(&now);
        // What was chosen before may be cheaper than what a search without an end has found.
        let kept = search.fits() && found.as_ref().is_none_or(|found| price(&now) <= price(found));
        if !kept {
            let found = found.unwrap_or_else(|| search.finest.iter().cloned().map(Some).collect());
            for (&x, way) in piece.members.iter().zip(found) {
                chosen[x] = way.unwrap_or_default();
            }
        }
        Some(complete)
    }

    /// Takes apart what lies on the longest ways until everything fits.
    fn split(&self, piece: &Piece, waves: u32, chosen: &mut [Way]) -> Option<()> {
        loop {
            let ways: Vec<Option<&Way>> = piece.members.iter().map(|&x| Some(&chosen[x])).collect();
            let Some(late) = piece.late(&ways, waves) else {
                return Some(());
            };
            let mut changed = false;
            for m in late {
                let x = piece.members[m];
                let finest = self.ways.finest(x);
                changed |= chosen[x] != finest;
                chosen[x] = finest;
            }
            if !changed {
                return None;
            }
        }
    }

    /// Gives each member, the dearest first, the cheapest way with which all still fits; bounded by work.
    fn join(&self, piece: &Piece, waves: u32, chosen: &mut [Way]) {
        let mut work = MAX_WORK;
        let mut order: Vec<usize> = piece.members.clone();
        order.sort_by_key(|&x| (std::cmp::Reverse(self.ways.price(x, &chosen[x])), x));
        for x in order {
            let now = self.ways.price(x, &chosen[x]);
            for way in self.ways.all(x) {
                if self.ways.price(x, &way) >= now || work < piece.arcs.len() as u64 {
                    break;
                }
                work -= piece.arcs.len() as u64;
                let before = std::mem::replace(&mut chosen[x], way);
                let ways: Vec<Option<&Way>> = piece.members.iter().map(|&x| Some(&chosen[x])).collect();
                if piece.times(&ways, waves).is_some() {
                    break;
                }
                chosen[x] = before;
            }
        }
    }
}

struct Search<'a> {
    piece: &'a Piece,
    waves: u32,
    finest: Vec<Way>,
    /// Of each member: what fits when all others are apart, the cheapest first.
    options: Vec<Vec<(u64, Way)>>,
    /// What the members from here on cost at least.
    rest: Vec<u64>,
    taken: Vec<Option<Way>>,
    best: Option<(u64, Vec<Option<Way>>)>,
    budget: u64,
}

impl Search<'_> {
    fn fits(&self) -> bool {
        let ways: Vec<Option<&Way>> = self.taken.iter().map(Option::as_ref).collect();
        self.piece.loosely(&ways, &self.finest, self.waves)
    }

    fn branch(&mut self, m: usize, paid: u64) {
        let cost = self.piece.arcs.len() as u64 + 1;
        let hopeless = self
            .best
            .as_ref()
            .is_some_and(|(best, _)| paid + self.rest[m] >= *best);
        if hopeless || self.budget < cost {
            self.budget = if self.budget < cost { 0 } else { self.budget };
            return;
        }
        self.budget -= cost;
        if !self.fits() {
            return;
        }
        if m == self.taken.len() {
            self.best = Some((paid, self.taken.clone()));
            return;
        }
        for (price, way) in self.options[m].clone() {
            self.taken[m] = Some(way);
            self.branch(m + 1, paid + price);
        }
        self.taken[m] = None;
    }
}

/// Components that hang together, and the orders between their events.
struct Piece {
    members: Vec<usize>,
    /// From node to node, and by how many waves: nodes are three for each member, then gates.
    arcs: Vec<(u32, u32, u32)>,
    nodes: usize,
}

impl Piece {
    /// Whether members with a way and others apart, in any order of their own, fit.
    fn loosely(&self, ways: &[Option<&Way>], finest: &[Way], waves: u32) -> bool {
        let grouped: Vec<Option<&Way>> = ways
            .iter()
            .zip(finest)
            .map(|(way, finest)| Some(way.unwrap_or(finest)))
            .collect();
        self.spread(&grouped, |m| ways[m].is_some(), waves).is_some()
    }

    /// The wave of each node; `None` where they are not enough.
    fn times(&self, ways: &[Option<&Way>], waves: u32) -> Option<Vec<u32>> {
        self.spread(ways, |_| true, waves)
    }

    /// The earliest wave of each node, by going over the orders until nothing moves.
    fn spread(&self, ways: &[Option<&Way>], listed: impl Fn(usize) -> bool, waves: u32) -> Option<Vec<u32>> {
        let (group, own) = self.grouped(ways, listed);
        let mut wave: Vec<u32> = vec![0; self.nodes];
        wave[..self.members.len() * 3].fill(1);
        loop {
            let mut moved = false;
            for &(from, to, by) in self.arcs.iter().chain(&own) {
                let (from, to) = (group[from as usize] as usize, group[to as usize] as usize);
                if wave[from] + by > wave[to] {
                    wave[to] = wave[from] + by;
                    if wave[to] > waves {
                        return None;
                    }
                    moved = true;
                }
            }
            if !moved {
                return Some(group.iter().map(|&g| wave[g as usize]).collect());
            }
        }
    }

    /// For each node the one that stands for its step, and the orders among the steps of each member.
    fn grouped(
        &self,
        ways: &[Option<&Way>],
        listed: impl Fn(usize) -> bool,
    ) -> (Vec<u32>, Vec<(u32, u32, u32)>) {
        let mut group: Vec<u32> = (0..self.nodes as u32).collect();
        let mut own = Vec::new();
        for (m, way) in ways.iter().enumerate() {
            let mut last: Option<u32> = None;
            for events in way.iter().copied().flatten() {
                let first = events.iter().next().map(|e| node(m, e));
                for event in events.iter() {
                    group[node(m, event) as usize] = first.unwrap_or_default();
                }
                if let (Some(last), Some(first), true) = (last, first, listed(m)) {
                    own.push((last, first, 1));
                }
                last = first;
            }
        }
        (group, own)
    }

    /// The members whose steps lie on a way that is too long; `None` where all fits.
    fn late(&self, ways: &[Option<&Way>], waves: u32) -> Option<Vec<usize>> {
        let (group, own) = self.grouped(ways, |_| true);
        let mut head: Vec<u32> = vec![0; self.nodes];
        head[..self.members.len() * 3].fill(1);
        let mut tail: Vec<u32> = vec![0; self.nodes];
        // A circle never ends by itself; what is on it goes over the limit, and so does what follows.
        for _ in 0..=waves.saturating_add(1).min(MAX_ROUNDS) {
            let mut moved = false;
            for &(from, to, by) in self.arcs.iter().chain(&own) {
                let (from, to) = (group[from as usize] as usize, group[to as usize] as usize);
                moved |= head[from] + by > head[to] || tail[to] + by > tail[from];
                head[to] = head[to].max(head[from] + by);
                tail[from] = tail[from].max(tail[to] + by);
            }
            if !moved {
                break;
            }
        }
        let long = |m: usize| {
            Event::ALL
                .into_iter()
                .map(|e| group[node(m, e) as usize] as usize)
                .any(|g| head[g] + tail[g] > waves)
        };
        let late: Vec<usize> = (0..self.members.len()).filter(|&m| long(m)).collect();
        (!late.is_empty()).then_some(late)
    }
}

fn pieces(model: &Model, demand: &Demand) -> Vec<Piece> {
    let count = model.components.len();
    let mut roots: Vec<u32> = (0..(count + model.precedences.len()) as u32).collect();
    let mut arcs: Vec<(u32, u32, u32)> = Vec::new();
    let at = |x: u32, event: Event| node(x as usize, event);
    let due = |x: u32, event: Event| demand.pending[x as usize].has(event);
    let mut order = |roots: &mut [u32], (x, first): (u32, Event), (y, then): (u32, Event)| {
        if due(x, first) && due(y, then) {
            arcs.push((at(x, first), at(y, then), 1));
            unite(roots, x, y);
        }
    };
    for (x, y) in demand.early.arcs() {
        order(&mut roots, (x, Event::Grow), (y, Event::Switch));
    }
    for (x, y) in demand.late.arcs() {
        order(&mut roots, (x, Event::Switch), (y, Event::Retire));
    }
    for (k, precedence) in model.precedences.iter().enumerate() {
        let gate = (count + k) as u32;
        for &(x, event) in precedence.before.iter().filter(|(x, event)| due(x.0, *event)) {
            arcs.push((at(x.0, event), 3 * gate, 0));
            unite(&mut roots, x.0, gate);
        }
        for &(y, event) in &precedence.after {
            for y in readers(model, y).into_iter().filter(|y| due(y.0, event)) {
                arcs.push((3 * gate, at(y.0, event), 1));
                unite(&mut roots, y.0, gate);
            }
        }
    }
    split_up(count, &mut roots, &arcs, demand)
}

/// Nodes of each piece numbered anew: its members first, three each, then its gates.
fn split_up(count: usize, roots: &mut [u32], arcs: &[(u32, u32, u32)], demand: &Demand) -> Vec<Piece> {
    let mut piece_of = vec![u32::MAX; roots.len()];
    let mut place = vec![u32::MAX; roots.len()];
    let mut pieces: Vec<Piece> = Vec::new();
    for (x, place) in place.iter_mut().enumerate() {
        if x < count && demand.pending[x].is_empty() {
            continue;
        }
        let root = root(roots, x as u32) as usize;
        if piece_of[root] == u32::MAX {
            piece_of[root] = pieces.len() as u32;
            pieces.push(Piece {
                members: Vec::new(),
                arcs: Vec::new(),
                nodes: 0,
            });
        }
        let piece = &mut pieces[piece_of[root] as usize];
        *place = piece.nodes as u32;
        if x < count {
            piece.members.push(x);
            piece.nodes += 3;
        } else {
            piece.nodes += 1;
        }
    }
    for &(from, to, by) in arcs {
        let piece = &mut pieces[piece_of[root(roots, from / 3) as usize] as usize];
        let local = |node: u32| place[node as usize / 3] + node % 3;
        piece.arcs.push((local(from), local(to), by));
    }
    for piece in &mut pieces {
        for (m, &x) in piece.members.iter().enumerate() {
            if demand.pending[x].has(Event::Grow) && demand.pending[x].has(Event::Retire) {
                // Never retired before it is grown; in one step the two are one node.
                piece.arcs.push((node(m, Event::Grow), node(m, Event::Retire), 0));
            }
        }
    }
    pieces.retain(|piece| !piece.members.is_empty());
    pieces
}

fn node(x: usize, event: Event) -> u32 {
    3 * x as u32 + event as u32
}

fn unite(roots: &mut [u32], x: u32, y: u32) {
    let (x, y) = (root(roots, x), root(roots, y));
    roots[x.max(y) as usize] = x.min(y);
}

fn root(roots: &mut [u32], mut x: u32) -> u32 {
    while roots[x as usize] != x {
        let up = roots[roots[x as usize] as usize];
        roots[x as usize] = up;
        x = up;
    }
    x
}

const MAX_EXACT: usize = 64;
/// Orders looked at, over all decisions.
const MAX_WORK: u64 = 60_000_000;
const MAX_ROUNDS: u32 = 100_000;
