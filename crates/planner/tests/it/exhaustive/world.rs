//! A fleet as the model language describes it, in explicit states: every order of writes, every delay, every load that
//! a component makes by itself. It reads the text of a model and the JSON of a plan on its own, and shares no code with
//! planner or checker.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::BinaryHeap;

use plan::Json;

/// Bits of what lies in a component's files, or what its process has loaded.
pub const GROW: u8 = 1;
pub const SWITCH: u8 = 2;
pub const RETIRE: u8 = 4;
/// How many components there can be.
pub const MOST: usize = 6;

type Bytes = [u8; MOST];
type Ends = Vec<(usize, u8)>;

/// A fleet that a model describes.
#[derive(Debug, Clone, Default)]
pub struct World {
    pub names: Vec<String>,
    cost: Vec<u64>,
    /// How identity and trust become effective: 0 live, 1 reload, 2 restart.
    ways: Vec<[u8; 2]>,
    /// Who presents to whom.
    edges: Vec<(usize, usize)>,
    /// The set of files that each component reads.
    files: Vec<usize>,
    single: Vec<bool>,
    groups: Vec<(Vec<usize>, usize)>,
    orders: Vec<(Ends, Ends)>,
    one_steps: Vec<(usize, u8)>,
    cross: bool,
    /// Nothing is retired.
    pub coexistence: bool,
}

/// What is minimised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    Cost,
    Restarts,
}

/// Whether orders beside safety are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orders {
    Kept,
    Ignored,
}

/// A step as a plan's JSON has it.
#[derive(Debug, Clone)]
pub struct Step {
    pub wave: u64,
    pub component: usize,
    pub events: u8,
    pub cross: bool,
}

impl World {
    /// Reads the model language, of which it knows what the page on it says.
    pub fn read(text: &str) -> World {
        let mut world = World::default();
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split('#').next().unwrap().split_whitespace().collect())
            .collect();
        for line in lines.iter().filter(|l| l.first() == Some(&"component")) {
            world.declare(&line[1..]);
        }
        for line in &lines {
            world.line(line);
        }
        world
    }

    fn declare(&mut self, words: &[&str]) {
        let (mut cost, mut ways) = (1000, [2, 2]);
        let way = |word: &str| {
            ["live", "reload", "restart"]
                .iter()
                .position(|w| *w == word)
                .unwrap() as u8
        };
        for (key, value) in words.iter().filter_map(|word| word.split_once('=')) {
            match key {
                "cost" => cost = (value.parse::<f64>().unwrap() * 1000.0).round() as u64,
                "effective" => ways = [way(value); 2],
                "identity" => ways[0] = way(value),
                "trust" => ways[1] = way(value),
                _ => panic!("{key}"),
            }
        }
        for name in words.iter().filter(|word| !word.contains('=')) {
            self.files.push(self.names.len());
            self.names.push((*name).to_owned());
            self.cost.push(cost);
            self.ways.push(ways);
            self.single.push(false);
        }
    }

    fn line(&mut self, words: &[&str]) {
        let named = |word: &str| self.names.iter().position(|n| n == word).unwrap();
        let members = || -> Vec<usize> {
            let names = words[1..].iter().filter(|w| !w.contains('='));
            names.map(|w| named(w)).collect()
        };
        match words {
            [] | ["model" | "component", ..] => {}
            ["link", client, arrow, server] => {
                let (client, server) = (named(client), named(server));
                self.edges.push((server, client));
                if *arrow == "<->" {
                    self.edges.push((client, server));
                }
            }
            ["single-anchor", ..] => members().into_iter().for_each(|x| self.single[x] = true),
            ["shared", ..] => {
                let all = members();
                let sets: Vec<usize> = all.iter().map(|&x| self.files[x]).collect();
                for set in &mut self.files {
                    if sets.contains(set) {
                        *set = sets[0];
                    }
                }
            }
            ["group", .., max] => {
                let max = max.strip_prefix("max=").unwrap().parse().unwrap();
                self.groups.push((members(), max));
            }
            ["cross-sign", "allowed"] => self.cross = true,
            ["order", rest @ ..] => {
                let mut sides = rest.split(|w| *w == "<").map(|side| -> Ends {
                    let ends = side.iter().map(|w| w.split_once('.').unwrap());
                    ends.map(|(name, event)| (named(name), bits(event))).collect()
                });
                self.orders.push((sides.next().unwrap(), sides.next().unwrap()));
            }
            ["one-step", .., events] => {
                let events = bits(events.strip_prefix("events=").unwrap());
                self.one_steps.extend(members().into_iter().map(|x| (x, events)));
            }
            _ => panic!("{words:?}"),
        }
    }

    /// Who verifies grows and retires, who proves switches.
    pub fn needs(&self, x: usize) -> u8 {
        let verifies = self.edges.iter().any(|&(_, v)| v == x);
        let proves = self.edges.iter().any(|&(p, _)| p == x);
        let retire = verifies && !self.coexistence;
        [(GROW, verifies), (SWITCH, proves), (RETIRE, retire)]
            .into_iter()
            .fold(0, |all, (bit, is)| if is { all | bit } else { all })
    }

    fn mates(&self, x: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.files.len()).filter(move |&y| self.files[y] == self.files[x])
    }

    /// The files hold one anchor only.
    fn holds_one(&self, x: usize) -> bool {
        self.mates(x).any(|y| self.single[y])
    }

    /// What a verifier that has loaded `trust` says to one that has loaded `identity`.
    fn accepts(trust: u8, identity: u8, cross: bool) -> bool {
        let (old, new) = (trust & RETIRE == 0, trust & GROW != 0);
        match identity & SWITCH != 0 {
            false => old,
            true => new || (cross && old),
        }
    }

    /// The writes of a step, one after the other; `None` where files that hold one anchor cannot be written so.
    fn writes(&self, x: usize, events: u8) -> Option<Vec<u8>> {
        let trust = GROW | RETIRE;
        if !self.holds_one(x) || events & trust == 0 {
            let each = [GROW, SWITCH, RETIRE].into_iter();
            return Some(each.filter(|bit| events & bit != 0).collect());
        }
        let identity = (events & SWITCH != 0).then_some(SWITCH);
        (events & trust == trust).then(|| identity.into_iter().chain([trust]).collect())
    }

    /// What a step counts: the dearest way among its events.
    pub fn price(&self, x: usize, events: u8, count: Count) -> u64 {
        match (self.way(x, events), count) {
            (0, _) => 0,
            (_, Count::Restarts) => 1,
            (1, Count::Cost) => self.cost[x] / 10,
            (_, Count::Cost) => self.cost[x],
        }
    }

    fn way(&self, x: usize, events: u8) -> u8 {
        let [identity, trust] = self.ways[x];
        let identity = if events & SWITCH != 0 { identity } else { 0 };
        identity.max(if events & !SWITCH != 0 { trust } else { 0 })
    }

    /// The least that any safe plan counts; `None` where there is none. Steps one after the other are enough: whatever
    /// two steps of one wave may do, they may do in either order.
    pub fn least(&self, count: Count, orders: Orders) -> Option<u64> {
        let start = Known {
            disk: [0; MOST],
            loaded: [1; MOST],
            done: [0; MOST],
        };
        let mut best: BTreeMap<Known, u64> = BTreeMap::from([(start, 0)]);
        let mut open = BinaryHeap::from([(std::cmp::Reverse(0_u64), start)]);
        while let Some((std::cmp::Reverse(paid), known)) = open.pop() {
            if best[&known] < paid {
                continue;
            }
            if (0..self.names.len()).all(|x| known.done[x] == self.needs(x)) {
                return Some(paid);
            }
            for x in 0..self.names.len() {
                let left = self.needs(x) & !known.done[x];
                for events in (1..8).filter(|events| events & !left == 0) {
                    let Some(next) = self.after(&known, (x, events), orders) else {
                        continue;
                    };
                    let paid = paid + self.price(x, events, count);
                    if best.get(&next).is_none_or(|&known| known > paid) {
                        best.insert(next, paid);
                        open.push((std::cmp::Reverse(paid), next));
                    }
                }
            }
        }
        None
    }

    /// What is known after a step has been observed; `None` where something breaks on the way, or an order is not kept.
    fn after(&self, known: &Known, (x, events): (usize, u8), orders: Orders) -> Option<Known> {
        let way = self.way(x, events);
        let [identity, trust] = self.ways[x];
        let mut sure = if way >= identity { SWITCH } else { 0 };
        sure |= if way >= trust { GROW | RETIRE } else { 0 };
        // A step also loads what others have written into the same files.
        let loads = events | known.disk[self.files[x]] & sure;
        let due = |asked: u8| asked & self.needs(x) & !known.done[x];
        let torn = |&(y, asked): &(usize, u8)| y == x && due(asked) & loads != 0 && due(asked) & !events != 0;
        if orders == Orders::Kept && self.one_steps.iter().any(torn) {
            return None;
        }
        let mut next = *known;
        for write in self.writes(x, events)? {
            let new = write & !next.disk[self.files[x]];
            if orders == Orders::Kept && !self.in_order(known, x, new) {
                return None;
            }
            next.disk[self.files[x]] |= write;
            for y in self.mates(x) {
                next.loaded[y] |= 1 << next.disk[self.files[x]];
            }
            if !self.all_accept(&next) {
                return None;
            }
        }
        let disk = next.disk[self.files[x]];
        let before = (0..8_u8).filter(|value| next.loaded[x] & 1 << value != 0);
        next.loaded[x] = before.fold(0, |all, value| all | 1 << (value & !sure | disk & sure));
        next.done[x] |= events;
        Some(next)
    }

    /// Whether all that is to come before these first writes has been observed.
    fn in_order(&self, known: &Known, x: usize, new: u8) -> bool {
        let waits = |after: &Ends| {
            let same = |&&(y, event): &&(usize, u8)| self.files[y] == self.files[x] && event & new != 0;
            after.iter().any(|end| same(&end))
        };
        let done = |&(y, event): &(usize, u8)| event & self.needs(y) & !known.done[y] == 0;
        let mut concerned = self.orders.iter().filter(|(_, after)| waits(after));
        concerned.all(|(before, _)| before.iter().all(done))
    }

    fn all_accept(&self, known: &Known) -> bool {
        let values = |x: usize| (0..8_u8).filter(move |value| known.loaded[x] & 1 << value != 0);
        self.edges.iter().all(|&(p, v)| {
            values(p).all(|identity| values(v).all(|trust| World::accepts(trust, identity, self.cross)))
        })
    }

    /// The steps of a plan's JSON.
    pub fn steps(&self, plan: &Json) -> Vec<Step> {
        let step = |step: &Json| Step {
            wave: step["wave"].as_u64().unwrap(),
            component: self
                .names
                .iter()
                .position(|n| n == step["component"].as_str().unwrap())
                .unwrap(),
            events: step["events"]
                .as_array()
                .unwrap()
                .iter()
                .fold(0, |all, e| all | bits(e.as_str().unwrap())),
            cross: step["chain"].as_str() == Some("cross"),
        };
        plan["steps"].as_array().unwrap().iter().map(step).collect()
    }

    /// The edges that break; `None` where the steps cannot be made so at all: half a replacement of a store with one anchor.
    pub fn broken_if_possible(&self, steps: &[Step]) -> Option<BTreeSet<(usize, usize)>> {
        let torn = |step: &Step| self.writes(step.component, step.events).is_none();
        (!steps.iter().any(torn)).then(|| self.broken(steps))
    }

    /// The edges that break at some moment of some run of these steps.
    pub fn broken(&self, steps: &[Step]) -> BTreeSet<(usize, usize)> {
        let mut cross = [false; MOST];
        for step in steps.iter().filter(|s| s.cross && s.events & SWITCH != 0) {
            self.mates(step.component).for_each(|y| cross[y] = true);
        }
        let waves: BTreeSet<u64> = steps.iter().map(|s| s.wave).collect();
        let mut broken = BTreeSet::new();
        let mut barrier = BTreeSet::from([Moment::default()]);
        for wave in waves {
            let of_wave = steps.iter().filter(|s| s.wave == wave);
            let now: Vec<(usize, Vec<u8>)> = of_wave
                .map(|s| (s.component, self.writes(s.component, s.events).unwrap()))
                .collect();
            let mut seen: BTreeSet<Moment> = barrier.clone();
            let mut open: Vec<Moment> = barrier.into_iter().collect();
            barrier = BTreeSet::new();
            while let Some(moment) = open.pop() {
                for &(p, v) in &self.edges {
                    if !World::accepts(moment.loaded[v], moment.loaded[p], cross[p]) {
                        broken.insert((p, v));
                    }
                }
                let ended = |(at, (_, writes)): (usize, &(usize, Vec<u8>))| {
                    usize::from(moment.progress[at]) > writes.len()
                };
                if now.iter().enumerate().all(ended) {
                    barrier.insert(Moment {
                        progress: [0; 3 * MOST],
                        ..moment
                    });
                }
                let next = self.next(&moment, &now);
                open.extend(next.into_iter().filter(|&next| seen.insert(next)));
            }
        }
        broken
    }

    /// What can happen in one moment: a load by itself, a write, or the load that ends a step.
    fn next(&self, moment: &Moment, now: &[(usize, Vec<u8>)]) -> Vec<Moment> {
        let mut next = Vec::new();
        for x in 0..self.names.len() {
            let mut loaded = *moment;
            loaded.loaded[x] = moment.disk[self.files[x]];
            next.extend((loaded != *moment).then_some(loaded));
        }
        for (at, (x, writes)) in now.iter().enumerate() {
            let done = usize::from(moment.progress[at]);
            if done > writes.len() {
                continue;
            }
            let mut further = *moment;
            further.progress[at] += 1;
            match writes.get(done) {
                Some(write) => further.disk[self.files[*x]] |= write,
                None => further.loaded[*x] = moment.disk[self.files[*x]],
            }
            next.push(further);
        }
        next
    }

    /// What is wrong with the steps beside safety: what is missing, groups, orders, single steps.
    pub fn complaints(&self, steps: &[Step]) -> Vec<String> {
        let mut found = Vec::new();
        let wave = |x: usize, bit: u8| {
            let step = steps.iter().find(|s| s.component == x && s.events & bit != 0);
            step.map_or(u64::MAX, |s| s.wave)
        };
        for x in 0..self.names.len() {
            let done = steps
                .iter()
                .filter(|s| s.component == x)
                .fold(0, |all, s| all | s.events);
            if done != self.needs(x) {
                found.push(format!(
                    "{} does {done:03b} of {:03b}",
                    self.names[x],
                    self.needs(x)
                ));
            }
        }
        for (members, max) in &self.groups {
            for at in steps.iter().map(|s| s.wave) {
                let many = steps
                    .iter()
                    .filter(|s| s.wave == at && members.contains(&s.component))
                    .count();
                if many > *max {
                    found.push(format!("{many} of a group in wave {at}"));
                }
            }
        }
        for (before, after) in &self.orders {
            let due = before.iter().filter(|(x, bit)| self.needs(*x) & bit != 0);
            let last = due.map(|&(x, bit)| wave(x, bit)).max();
            let first = after
                .iter()
                .flat_map(|&(y, bit)| self.mates(y).map(move |y| (y, bit)));
            let first = first.map(|(y, bit)| wave(y, bit)).min();
            if let (Some(last), Some(first)) = (last, first.filter(|&first| first < u64::MAX))
                && last >= first
            {
                found.push(format!("an order: {last} is not before {first}"));
            }
        }
        for &(x, asked) in &self.one_steps {
            let due = asked & self.needs(x);
            if due != 0 && !steps.iter().any(|s| s.component == x && s.events & due == due) {
                found.push(format!("{} does not do {asked:03b} in one step", self.names[x]));
            }
        }
        found
    }
}

/// `grow+switch` as bits.
fn bits(words: &str) -> u8 {
    let bit = |word: &str| match word {
        "grow" => GROW,
        "switch" => SWITCH,
        "retire" => RETIRE,
        _ => panic!("{word}"),
    };
    words.split('+').fold(0, |all, word| all | bit(word))
}

/// What is known between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Known {
    /// By set of files.
    disk: Bytes,
    /// The values that each component may have loaded: bit v for value v.
    loaded: Bytes,
    /// What each component has been seen to do.
    done: Bytes,
}

/// One moment of one run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Moment {
    disk: Bytes,
    loaded: Bytes,
    /// How much of each step of this wave is done.
    progress: [u8; 3 * MOST],
}
