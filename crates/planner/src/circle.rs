//! Why steps wait for each other in a circle, in words: the links and the orders that make it.

use std::collections::BTreeMap;

use plan::Blocked;
use plan::ComponentId;
use plan::Event;
use plan::EventSet;
use plan::Model;

use crate::demand::Demand;
use crate::waves::readers;

/// The shortest circles among the steps of these components, each with its links and orders; at most a few.
/// `steps` are the ways that were tried, the finest that there are.
pub fn circles(model: &Model, demand: &Demand, steps: &[Vec<EventSet>], among: &[u32]) -> Vec<Blocked> {
    let mut knot = Knot::of(model, demand, steps, among);
    let mut found = Vec::new();
    while found.len() < MAX_CIRCLES
        && let Some(circle) = knot.shortest()
    {
        found.push(knot.told(&circle));
        knot.cut(&circle);
    }
    found
}

/// What makes one step wait for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// The verifier grows before the prover switches.
    Early,
    /// The prover switches before the verifier retires.
    Late,
    /// An order asked for, by its position.
    Order(usize),
    /// Growing before retiring.
    Own,
}

#[derive(Debug, Clone, Copy)]
struct Arc {
    from: u32,
    to: u32,
    cause: Cause,
    /// The event of the step that `from` is, and that of `to`; of a gate none.
    ends: [Option<Event>; 2],
    cut: bool,
}

struct Knot<'a> {
    model: &'a Model,
    /// Component of each node; a gate between the sides of an order has none.
    owner: Vec<Option<u32>>,
    arcs: Vec<Arc>,
}

impl<'a> Knot<'a> {
    fn of(model: &'a Model, demand: &Demand, steps: &[Vec<EventSet>], among: &[u32]) -> Knot<'a> {
        let mut owner = Vec::new();
        let mut node_of: BTreeMap<(u32, Event), u32> = BTreeMap::new();
        let mut arcs = Vec::new();
        let add = |arcs: &mut Vec<Arc>, from: Option<&u32>, to: Option<&u32>, cause, ends| {
            if let (Some(&from), Some(&to)) = (from, to) {
                arcs.push(Arc {
                    from,
                    to,
                    cause,
                    ends,
                    cut: false,
                });
            }
        };
        for &x in among {
            for events in &steps[x as usize] {
                for event in events.iter() {
                    node_of.insert((x, event), owner.len() as u32);
                }
                owner.push(Some(x));
            }
            let own = [Event::Grow, Event::Retire].map(|e| node_of.get(&(x, e)));
            if own[0] != own[1] {
                let ends = [Some(Event::Grow), Some(Event::Retire)];
                add(&mut arcs, own[0], own[1], Cause::Own, ends);
            }
        }
        let trust = [
            (&demand.early, [Event::Grow, Event::Switch], Cause::Early),
            (&demand.late, [Event::Switch, Event::Retire], Cause::Late),
        ];
        for (graph, [first, then], cause) in trust {
            for &x in among {
                for &y in graph.out(x as usize) {
                    let ends = [Some(first), Some(then)];
                    add(
                        &mut arcs,
                        node_of.get(&(x, first)),
                        node_of.get(&(y, then)),
                        cause,
                        ends,
                    );
                }
            }
        }
        for (at, order) in model.precedences.iter().enumerate() {
            let gate = owner.len() as u32;
            owner.push(None);
            for &(x, event) in &order.before {
                let ends = [Some(event), None];
                add(
                    &mut arcs,
                    node_of.get(&(x.0, event)),
                    Some(&gate),
                    Cause::Order(at),
                    ends,
                );
            }
            for &(y, event) in &order.after {
                for y in readers(model, y) {
                    let ends = [None, Some(event)];
                    add(
                        &mut arcs,
                        Some(&gate),
                        node_of.get(&(y.0, event)),
                        Cause::Order(at),
                        ends,
                    );
                }
            }
        }
        Knot { model, owner, arcs }
    }

    /// The arcs of a shortest circle through one of the first steps, in its order.
    fn shortest(&self) -> Option<Vec<usize>> {
        let mut out: Vec<Vec<usize>> = vec![Vec::new(); self.owner.len()];
        for (i, arc) in self.arcs.iter().enumerate().filter(|(_, arc)| !arc.cut) {
            out[arc.from as usize].push(i);
        }
        let starts = (0..self.owner.len()).filter(|&n| self.owner[n].is_some());
        let mut best: Option<Vec<usize>> = None;
        for start in starts.take(MAX_STARTS) {
            let found = self.round(&out, start);
            if let Some(found) = found
                && best.as_ref().is_none_or(|best| found.len() < best.len())
            {
                best = Some(found);
            }
        }
        best
    }

    /// The arcs of a shortest way from a node back to itself.
    fn round(&self, out: &[Vec<usize>], start: usize) -> Option<Vec<usize>> {
        let mut came: Vec<Option<usize>> = vec![None; self.owner.len()];
        let mut open = std::collections::VecDeque::from([start]);
        while let Some(node) = open.pop_front() {
            for &i in &out[node] {
                let to = self.arcs[i].to as usize;
                if came[to].is_some() {
                    continue;
                }
                came[to] = Some(i);
                if to == start {
                    let mut circle = vec![i];
                    let mut at = self.arcs[i].from as usize;
                    while at != start {
                        let i = came[at]?;
                        circle.push(i);
                        at = self.arcs[i].from as usize;
                    }
                    circle.reverse();
                    return Some(circle);
                }
                open.push_back(to);
            }
        }
        None
    }

    /// Takes the links of a circle out, so that the next one found is another; without links, its first order.
    fn cut(&mut self, circle: &[usize]) {
        let trust = |arc: &Arc| matches!(arc.cause, Cause::Early | Cause::Late);
        let any = circle.iter().any(|&i| trust(&self.arcs[i]));
        for (n, &i) in circle.iter().enumerate() {
            if trust(&self.arcs[i]) || (!any && n == 0) {
                self.arcs[i].cut = true;
            }
        }
    }

    fn told(&self, circle: &[usize]) -> Blocked {
        let (mut parts, mut links) = (Vec::new(), Vec::new());
        for (n, &i) in circle.iter().enumerate() {
            let arc = &self.arcs[i];
            let next = &self.arcs[circle[(n + 1) % circle.len()]];
            match (self.owner[arc.from as usize], self.owner[arc.to as usize]) {
                (Some(x), Some(y)) => parts.push(self.link(arc, x, y, &mut links)),
                // Both halves of an order are one sentence.
                (Some(x), None) => parts.push(self.order(arc, x, next)),
                _ => {}
            }
            if let (Some(y), Some(enters), Some(leaves)) =
                (self.owner[arc.to as usize], arc.ends[1], next.ends[0])
                && enters != leaves
            {
                parts.push(self.joint(y, EventSet::of(&[enters, leaves])));
            }
        }
        let first = circle
            .iter()
            .find_map(|&i| self.owner[self.arcs[i].from as usize]);
        let canary = circle.iter().any(|&i| match self.arcs[i].cause {
            Cause::Order(at) => {
                self.model.reasons[self.model.precedences[at].reason.at()].contains("is the canary of")
            }
            _ => false,
        });
        let asked = match canary {
            true => "plan without `canary`, or take the other order out",
            false => "drop the orders that safety does not need (style = \"proof\")",
        };
        Blocked {
            component: first.map(|x| self.name(x).to_owned()),
            link: links.first().cloned(),
            reason: format!("a circle of orders: {}", parts.join("; ")),
            remedies: vec![asked.to_owned()],
        }
    }

    fn link(&self, arc: &Arc, x: u32, y: u32, links: &mut Vec<String>) -> String {
        let (one, other) = (self.name(x), self.name(y));
        let (prover, verifier, words) = match arc.cause {
            Cause::Early => (
                y,
                x,
                format!("{one} must trust the new chain before {other} presents it"),
            ),
            Cause::Late => (
                x,
                y,
                format!("{one} must present the new chain before {other} stops trusting the old one"),
            ),
            Cause::Order(_) | Cause::Own => return format!("{one} grows before it retires"),
        };
        // An arc may stand for the link of another reader of the same files.
        let of = |end: u32| readers(self.model, ComponentId(end));
        let (provers, verifiers) = (of(prover), of(verifier));
        let edge = self
            .model
            .edges
            .iter()
            .find(|edge| provers.contains(&edge.prover) && verifiers.contains(&edge.verifier));
        let Some(edge) = edge else { return words };
        let link = format!("{} -> {}", self.name(edge.prover.0), self.name(edge.verifier.0));
        links.push(link.clone());
        format!("{words} (link {link})")
    }

    fn order(&self, arc: &Arc, x: u32, next: &Arc) -> String {
        let Cause::Order(at) = arc.cause else {
            return String::new();
        };
        let event = |event: Option<Event>| event.map_or("", Event::word);
        let after = self.owner[next.to as usize].map_or("", |y| self.name(y));
        let reason = &self.model.reasons[self.model.precedences[at].reason.at()];
        format!(
            "{} {} comes before {after} {} ({reason})",
            self.name(x),
            event(arc.ends[0]),
            event(next.ends[1])
        )
    }

    /// Why two events of a component cannot be taken apart.
    fn joint(&self, x: u32, events: EventSet) -> String {
        let words: Vec<&str> = events.iter().map(Event::word).collect();
        let asked = self
            .model
            .one_steps
            .iter()
            .find(|asked| asked.component.0 == x && events.without(asked.events).is_empty());
        let why = match asked {
            Some(asked) => self.model.reasons[asked.reason.at()].as_str(),
            None => "its trust store holds one anchor only",
        };
        format!(
            "{}: {} fall in one step ({why})",
            self.name(x),
            words.join(" and ")
        )
    }

    fn name(&self, x: u32) -> &'a str {
        &self.model.components[x as usize].name
    }
}

const MAX_CIRCLES: usize = 16;
const MAX_STARTS: usize = 200;
