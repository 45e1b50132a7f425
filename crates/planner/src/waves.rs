//! Puts the steps into as few waves as the orders allow.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use plan::ComponentId;
use plan::Event;
use plan::EventSet;
use plan::Model;

use crate::demand::Demand;

/// One step before it has a name: a component, its events, its wave.
#[derive(Debug, Clone, Copy)]
pub struct Placed {
    /// The component.
    pub component: u32,
    /// What happens.
    pub events: EventSet,
    /// When, from 1.
    pub wave: u32,
}

/// How the steps of one component stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnOrder {
    /// As in its way.
    AsListed,
    /// In any order that is never two at once; growing comes before retiring all the same.
    Free,
}

/// Gives each step its wave. `steps` are those of each component, in order.
///
/// # Errors
/// The components on which the steps wait for each other in a circle.
pub fn place(
    model: &Model,
    demand: &Demand,
    steps: &[Vec<EventSet>],
    own: OwnOrder,
) -> Result<Vec<Placed>, Vec<u32>> {
    let order = Order::of(model, demand, steps, own);
    let sequence = order.sequence()?;
    let mut groups_of: Vec<Vec<u32>> = vec![Vec::new(); model.components.len()];
    for (g, group) in model.groups.iter().enumerate() {
        for member in &group.members {
            groups_of[member.at()].push(g as u32);
        }
    }
    let mut used: BTreeMap<(u32, u32), u32> = BTreeMap::new();
    let mut taken: BTreeSet<(u32, u32)> = BTreeSet::new();
    let mut placed = order.placed;
    let mut earliest = vec![1_u32; placed.len()];
    for node in sequence {
        let component = placed[node].component;
        if component == GATE {
            placed[node].wave = earliest[node] - 1;
        } else {
            let groups = &groups_of[component as usize];
            let full = |wave: u32| {
                own == OwnOrder::Free && taken.contains(&(component, wave))
                    || groups.iter().any(|&g| {
                        used.get(&(g, wave))
                            .is_some_and(|&n| n >= model.groups[g as usize].max)
                    })
            };
            let mut wave = earliest[node];
            while full(wave) {
                wave += 1;
            }
            for &g in groups {
                *used.entry((g, wave)).or_default() += 1;
            }
            if own == OwnOrder::Free {
                taken.insert((component, wave));
            }
            placed[node].wave = wave;
        }
        for &next in order.after.out(node) {
            earliest[next as usize] = earliest[next as usize].max(placed[node].wave + 1);
        }
    }
    placed.retain(|step| step.component != GATE);
    Ok(placed)
}

struct Order {
    placed: Vec<Placed>,
    after: crate::digraph::Digraph,
}

impl Order {
    fn of(model: &Model, demand: &Demand, steps: &[Vec<EventSet>], own: OwnOrder) -> Order {
        let mut placed = Vec::new();
        let mut node_of = vec![[NO_NODE; 3]; steps.len()];
        let mut arcs = Vec::new();
        for (x, events) in steps.iter().enumerate() {
            for (i, &events) in events.iter().enumerate() {
                let node = placed.len() as u32;
                placed.push(Placed {
                    component: x as u32,
                    events,
                    wave: 0,
                });
                for event in events.iter() {
                    node_of[x][event as usize] = node;
                }
                if i > 0 && own == OwnOrder::AsListed {
                    arcs.push((node - 1, node));
                }
            }
            let [grow, _, retire] = node_of[x];
            if own == OwnOrder::Free && grow != NO_NODE && retire != NO_NODE && grow != retire {
                arcs.push((grow, retire));
            }
        }
        let mut order = |(x, before): (u32, Event), (y, after): (u32, Event)| {
            let (a, b) = (
                node_of[x as usize][before as usize],
                node_of[y as usize][after as usize],
            );
            if a != NO_NODE && b != NO_NODE {
                arcs.push((a, b));
            }
        };
        for (x, y) in demand.early.arcs() {
            order((x, Event::Grow), (y, Event::Switch));
        }
        for (x, y) in demand.late.arcs() {
            order((x, Event::Switch), (y, Event::Retire));
        }
        for precedence in &model.precedences {
            // A gate between the two sides: its wave is the last of what comes before.
            let gate = placed.len() as u32;
            placed.push(Placed {
                component: GATE,
                events: EventSet::EMPTY,
                wave: 0,
            });
            let node = |x: ComponentId, event: Event| node_of[x.at()][event as usize];
            for &(x, event) in &precedence.before {
                arcs.push((node(x, event), gate));
            }
            for &(y, event) in &precedence.after {
                arcs.extend(readers(model, y).into_iter().map(|y| (gate, node(y, event))));
            }
        }
        arcs.retain(|&(a, b)| a != NO_NODE && b != NO_NODE);
        Order {
            after: crate::digraph::Digraph::new(placed.len(), &arcs),
            placed,
        }
    }

    /// The steps in an order in which each comes after what it waits for.
    fn sequence(&self) -> Result<Vec<usize>, Vec<u32>> {
        let mut waits = vec![0_u32; self.placed.len()];
        for (_, y) in self.after.arcs() {
            waits[y as usize] += 1;
        }
        let mut sequence: Vec<usize> = (0..waits.len()).filter(|&n| waits[n] == 0).collect();
        let mut next = 0;
        while next < sequence.len() {
            let node = sequence[next];
            next += 1;
            for &y in self.after.out(node) {
                waits[y as usize] -= 1;
                if waits[y as usize] == 0 {
                    sequence.push(y as usize);
                }
            }
        }
        if sequence.len() == waits.len() {
            return Ok(sequence);
        }
        let (strong, found) = self.after.strong_components();
        let mut size = vec![0_u32; found];
        for &s in &strong {
            size[s as usize] += 1;
        }
        let circular = |&n: &usize| size[strong[n] as usize] > 1 || self.after.has(n, n);
        let mut components: Vec<u32> = (0..waits.len())
            .filter(circular)
            .map(|n| self.placed[n].component)
            .filter(|&component| component != GATE)
            .collect();
        components.dedup();
        Err(components)
    }
}

/// Who reads the same files.
pub fn readers(model: &Model, id: ComponentId) -> Vec<ComponentId> {
    match model.components[id.at()].shared {
        Some(shared) => model.shared[shared.at()].clone(),
        None => vec![id],
    }
}

const NO_NODE: u32 = u32::MAX;
/// In place of the component of a node that is no step.
const GATE: u32 = u32::MAX;
