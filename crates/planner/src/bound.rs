//! How cheap any plan could be, and what proves it. This code never sees a plan.

use plan::Certificate;
use plan::Component;
use plan::Effective;
use plan::Event;
use plan::EventSet;
use plan::Model;
use plan::Obstruction;

use crate::core::Menu;
use crate::core::Problem;
use crate::core::Toll;
use crate::core::reduce;
use crate::demand::Demand;
use crate::demand::Local;
use crate::digraph::Digraph;
use crate::exact;
use crate::local;
use crate::patterns::Price;

/// Lower bounds and their certificate.
pub struct Bound {
    /// On the cost, in thousandths.
    pub cost_milli: u64,
    /// On the number of restarts and reloads.
    pub restarts: u64,
    /// What proves both.
    pub certificate: Certificate,
    /// Those whom the certificate names.
    pub named: Vec<u32>,
}

/// Finds lower bounds on cost and restarts.
pub fn bound(model: &Model, demand: &Demand) -> Bound {
    let (cost_milli, cost) = prove(model, demand, Price::Cost);
    let plain = |c: &plan::Component| {
        c.cost_milli == 1000 && c.identity != Effective::Reload && c.trust != Effective::Reload
    };
    let (restarts, obstructions) = match model.components.iter().all(plain) {
        true => (cost_milli, cost.clone()),
        false => prove(model, demand, Price::Restarts),
    };
    let concerned = cost.iter().chain(&obstructions);
    let concerned = concerned.flat_map(|toll| toll.members.iter().copied()).collect();
    let named = |tolls: Vec<Toll>| -> Vec<Obstruction> {
        let name = |x: u32| model.components[x as usize].name.clone();
        let obstruction = |toll: Toll| Obstruction {
            components: toll.members.into_iter().map(name).collect(),
            extra_milli: toll.extra,
        };
        tolls.into_iter().map(obstruction).collect()
    };
    let certificate = Certificate {
        cost: named(cost),
        restarts: named(obstructions),
    };
    Bound {
        cost_milli,
        restarts: restarts / 1000,
        certificate,
        named: concerned,
    }
}

fn prove(model: &Model, demand: &Demand, price: Price) -> (u64, Vec<Toll>) {
    let count = model.components.len();
    let menu: Vec<Menu> = (0..count).map(|x| menu(demand.local(x))).collect();
    let base = |x: usize| base(&model.components[x], demand.local(x), price);
    let total: u64 = (0..count).map(base).sum();
    let early = demand.early_always.as_ref().unwrap_or(&demand.early);
    let weight = model.components.iter().map(|c| price.extra(c)).collect();
    let mut reduced = reduce(Problem {
        menu: &menu,
        weight,
        early,
        late: &demand.late,
    });
    let mut tolls = std::mem::take(&mut reduced.tolls);
    let mut visits = MAX_VISITS;
    let mut exclusions: Option<Exclusions> = None;
    for core in &reduced.cores {
        if local::all_fit(&reduced.problem, core) {
            continue;
        }
        let exclusions = exclusions.get_or_insert_with(|| Exclusions::of(&reduced.problem));
        let packed = pack(&reduced.problem, core, exclusions.among(core));
        let least: u64 = packed.iter().map(|toll| toll.extra).sum();
        if core.len() <= exact::MAX_MEMBERS && visits > 0 {
            let (_, reachable) = local::improve(&reduced.problem, core);
            let budget = visits.min(MAX_CORE_VISITS);
            let outcome = exact::search(&reduced.problem, core, reachable, budget);
            visits -= outcome.visits;
            let extra = outcome.best.map_or(reachable, |best| best.cost);
            if outcome.complete && extra > least {
                // Of a core that is too large to be searched again the bound is true, and stays unproven.
                tolls.push(Toll {
                    members: core.clone(),
                    extra,
                });
                continue;
            }
        }
        tolls.extend(packed);
    }
    tolls.retain(|toll| toll.extra > 0);
    let extra: u64 = tolls.iter().map(|toll| toll.extra).sum();
    (total + extra, tolls)
}

fn menu(local: Local) -> Menu {
    let pending = local.pending;
    let both = pending.has(Event::Grow) && pending.has(Event::Retire);
    match (both && local.apart, pending.has(Event::Switch)) {
        (true, true) => Menu::Split,
        (false, true) if pending.len() > 1 => Menu::Single,
        _ => Menu::Fixed,
    }
}

/// The least that a component can cost on its own.
pub fn base(component: &Component, local: Local, price: Price) -> u64 {
    let pending = local.pending;
    let of = |events: &[Event]| price.of(component, EventSet::of(events));
    match menu(local) {
        Menu::Split => of(&[Event::Grow, Event::Switch]) + of(&[Event::Retire]),
        Menu::Fixed if local.apart => pending.iter().map(|e| of(&[e])).sum(),
        Menu::Fixed | Menu::Single => price.of(component, pending),
    }
}

/// Packs what must be paid in a core: odd cycles of splits, pairs of singles. No weight is counted twice.
fn pack(problem: &Problem<'_>, core: &[u32], against: Digraph) -> Vec<Toll> {
    let mut against = Thinning::of(&against);
    let mut weight: Vec<u64> = core.iter().map(|&m| problem.weight[m as usize]).collect();
    let split: Vec<bool> = core
        .iter()
        .map(|&m| problem.menu[m as usize] == Menu::Split)
        .collect();
    let mut level: Vec<u32> = weight
        .iter()
        .map(|&w| if w > 0 { UNSEEN } else { GONE })
        .collect();
    let mut hopeless = vec![false; core.len()];
    let mut tolls = Vec::new();
    // A search in breadth meets the triangles of its root first anyway; in a small core none is to be missed for another's.
    let shortest = if core.len() <= TRIANGLES_FIRST { 1 } else { 2 };
    for depth in shortest..=MAX_DEPTH {
        for root in 0..core.len() {
            while weight[root] > 0 && !hopeless[root] {
                let members = match split[root] {
                    true => match odd_cycle(&mut against, (root as u32, depth), &mut level) {
                        Ok(members) => Some(members),
                        Err(deeper) => {
                            hopeless[root] = !deeper;
                            None
                        }
                    },
                    false => against.out(root, &level).first().map(|&y| vec![root as u32, y]),
                };
                let Some(members) = members else { break };
                let extra = members.iter().map(|&m| weight[m as usize]).min().unwrap_or(0);
                for &member in &members {
                    weight[member as usize] -= extra;
                    if weight[member as usize] == 0 {
                        level[member as usize] = GONE;
                    }
                }
                let members = members.into_iter().map(|m| core[m as usize]).collect();
                tolls.push(Toll { members, extra });
            }
        }
    }
    tolls
}

/// A graph whose nodes go one after the other: who has nothing left to pay is taken out of a row when it is next read.
struct Thinning {
    start: Vec<u32>,
    len: Vec<u32>,
    to: Vec<u32>,
}

impl Thinning {
    fn of(graph: &Digraph) -> Thinning {
        let mut thinning = Thinning {
            start: Vec::with_capacity(graph.nodes()),
            len: Vec::with_capacity(graph.nodes()),
            to: Vec::new(),
        };
        for x in 0..graph.nodes() {
            thinning.start.push(thinning.to.len() as u32);
            thinning.len.push(graph.out(x).len() as u32);
            thinning.to.extend_from_slice(graph.out(x));
        }
        thinning
    }

    /// The neighbours that have something left to pay, in a fixed order.
    fn out(&mut self, x: usize, place: &[u32]) -> &[u32] {
        let start = self.start[x] as usize;
        let row = &mut self.to[start..start + self.len[x] as usize];
        let mut kept = 0;
        for i in 0..row.len() {
            let y = row[i];
            if place[y as usize] != GONE {
                if kept < i {
                    row[kept] = y;
                }
                kept += 1;
            }
        }
        self.len[x] = kept as u32;
        &self.to[start..start + kept]
    }
}

/// Who can never go together: splits that exclude each other both ways, and singles with an order in both directions.
struct Exclusions<'a> {
    menu: &'a [Menu],
    /// Orders in both directions.
    early: Digraph,
    /// The same of `late`; `None` where it is the same graph.
    late: Option<Digraph>,
    /// Of the members at hand.
    place: Vec<u32>,
}

impl<'a> Exclusions<'a> {
    fn of(problem: &Problem<'a>) -> Exclusions<'a> {
        let mutual = |graph: &Digraph| graph.intersection(&graph.reversed());
        let late = (problem.early != problem.late).then(|| mutual(problem.late));
        Exclusions {
            menu: problem.menu,
            early: mutual(problem.early),
            late,
            place: vec![UNSEEN; problem.menu.len()],
        }
    }

    /// Among the members of a core, by their places in it.
    fn among(&mut self, core: &[u32]) -> Digraph {
        for (i, &member) in core.iter().enumerate() {
            self.place[member as usize] = i as u32;
        }
        let mut pairs = Vec::new();
        for (i, &x) in core.iter().enumerate() {
            let menu = self.menu[x as usize];
            let mut put = |y: u32| {
                let j = self.place[y as usize];
                if y != x && j != UNSEEN && self.menu[y as usize] == menu {
                    pairs.push((i as u32, j));
                }
            };
            let (early, late) = (self.early.out(x as usize), self.late.as_ref());
            let in_late = |y: &&u32| late.is_none_or(|late| late.has(x as usize, **y as usize));
            match menu {
                Menu::Fixed => {}
                Menu::Split => early.iter().filter(in_late).for_each(|&y| put(y)),
                Menu::Single => {
                    let late = late.map_or(&[][..], |late| late.out(x as usize));
                    early.iter().chain(late).for_each(|&y| put(y));
                }
            }
        }
        for &member in core {
            self.place[member as usize] = UNSEEN;
        }
        Digraph::new(core.len(), &pairs)
    }
}

/// An odd cycle near `root`, at most `depth` away, of members with something left to pay: a search in breadth.
///
/// # Errors
/// Where there is none: whether a deeper search could see more.
fn odd_cycle(against: &mut Thinning, (root, depth): (u32, u32), place: &mut [u32]) -> Result<Vec<u32>, bool> {
    let mut seen: Vec<(u32, u32, u32)> = vec![(root, UNSEEN, 0)];
    place[root as usize] = 0;
    let mut found = None;
    let mut next = 0;
    let mut cut = false;
    'search: while next < seen.len() && seen.len() < MAX_SEEN {
        let (x, _, level) = seen[next];
        for &y in against.out(x as usize, place) {
            let at = place[y as usize];
            if at == UNSEEN {
                if level < depth {
                    place[y as usize] = seen.len() as u32;
                    seen.push((y, next as u32, level + 1));
                } else {
                    cut = true;
                }
            } else if seen[at as usize].2 == level {
                found = Some((next as u32, at));
                break 'search;
            }
        }
        next += 1;
    }
    for &(x, ..) in &seen {
        place[x as usize] = UNSEEN;
    }
    let (mut a, mut b) = found.ok_or(cut && seen.len() < MAX_SEEN)?;
    let (mut left, mut right) = (Vec::new(), Vec::new());
    while a != b {
        left.push(seen[a as usize].0);
        right.push(seen[b as usize].0);
        a = seen[a as usize].1;
        b = seen[b as usize].1;
    }
    left.push(seen[a as usize].0);
    left.extend(right.into_iter().rev());
    Ok(left)
}

const MAX_VISITS: u64 = 100_000;
const MAX_CORE_VISITS: u64 = 50_000;
const MAX_DEPTH: u32 = 5;
const TRIANGLES_FIRST: usize = 20_000;
const MAX_SEEN: usize = 400;
const UNSEEN: u32 = u32::MAX;
/// Has nothing left to pay.
const GONE: u32 = u32::MAX - 1;
