//! The front against a search through every wave of every event.

use plan::ComponentId;
use plan::Event;
use plan::Goal;
use plan::Model;
use plan::check;
use plan::read_model;
use planner::plan_front;
use planner::plan_model;

use crate::brute::Dice;
use crate::brute::name;

/// For each number of phases up to `most` the least cost in thousandths, by trying everything.
struct Everything<'a> {
    model: &'a Model,
    events: Vec<(usize, Event)>,
    /// Positions in `events`: the first strictly before the second.
    before: Vec<(usize, usize)>,
    same: Vec<(usize, usize)>,
    wave: Vec<u64>,
}

impl<'a> Everything<'a> {
    fn of(model: &'a Model) -> Everything<'a> {
        let events: Vec<(usize, Event)> = model
            .components
            .iter()
            .enumerate()
            .flat_map(|(x, c)| c.events.iter().map(move |e| (x, e)))
            .collect();
        let at = |x: ComponentId, e: Event| events.iter().position(|&(y, f)| (x.at(), e) == (y, f));
        let mut before = Vec::new();
        let mut add = |a: Option<usize>, b: Option<usize>| before.extend(a.zip(b));
        for edge in &model.edges {
            let (p, v) = (edge.prover, edge.verifier);
            add(at(v, Event::Grow), at(p, Event::Switch));
            add(at(p, Event::Switch), at(v, Event::Retire));
        }
        for order in &model.precedences {
            for &(x, e) in &order.before {
                for &(y, f) in &order.after {
                    add(at(x, e), at(y, f));
                }
            }
        }
        let mut same = Vec::new();
        for asked in &model.one_steps {
            let all: Vec<usize> = asked
                .events
                .iter()
                .filter_map(|e| at(asked.component, e))
                .collect();
            same.extend(all.windows(2).map(|pair| (pair[0], pair[1])));
        }
        let wave = vec![0; events.len()];
        Everything {
            model,
            events,
            before,
            same,
            wave,
        }
    }

    fn least(&mut self, phases: u64) -> Option<u64> {
        let mut best = None;
        self.place(0, phases, &mut best);
        best
    }

    fn place(&mut self, k: usize, phases: u64, best: &mut Option<u64>) {
        if k == self.events.len() {
            let mut steps: Vec<(usize, u64)> = self
                .events
                .iter()
                .zip(&self.wave)
                .map(|(e, &w)| (e.0, w))
                .collect();
            steps.sort_unstable();
            steps.dedup();
            let cost = steps
                .iter()
                .map(|&(x, _)| self.model.components[x].cost_milli)
                .sum();
            if best.is_none_or(|best| cost < best) {
                *best = Some(cost);
            }
            return;
        }
        for wave in 1..=phases {
            self.wave[k] = wave;
            let kept = self
                .before
                .iter()
                .all(|&(a, b)| a.max(b) > k || self.wave[a] < self.wave[b])
                && self
                    .same
                    .iter()
                    .all(|&(a, b)| a.max(b) > k || self.wave[a] == self.wave[b])
                && self.grown_first(k);
            if kept {
                self.place(k + 1, phases, best);
            }
        }
    }

    /// Nothing is retired before it is grown.
    fn grown_first(&self, k: usize) -> bool {
        let (x, event) = self.events[k];
        let grow = self.events[..k]
            .iter()
            .position(|&(y, e)| (y, e) == (x, Event::Grow));
        event != Event::Retire || grow.is_none_or(|grow| self.wave[grow] <= self.wave[k])
    }
}

fn random_text(dice: &mut Dice) -> String {
    let count = 2 + dice.below(2) as usize;
    let mut text = String::from("model 1\n");
    for x in 0..count {
        text += &format!("component {} cost={}\n", name(x), 1 + dice.below(3));
    }
    for a in 0..count {
        for b in a + 1..count {
            match dice.below(5) {
                0 => {}
                1 => text += &format!("link {} -> {}\n", name(a), name(b)),
                2 => text += &format!("link {} -> {}\n", name(b), name(a)),
                _ => text += &format!("link {} <-> {}\n", name(a), name(b)),
            }
        }
    }
    let word = |dice: &mut Dice| ["grow", "switch", "retire"][dice.below(3) as usize];
    for _ in 0..dice.below(3) {
        let [a, b] = [0, 0].map(|_: u64| name(dice.below(count as u64) as usize));
        text += &format!("order {a}.{} < {b}.{}\n", word(dice), word(dice));
    }
    if dice.below(3) == 0 {
        let pair = ["grow+switch", "switch+retire", "grow+retire"][dice.below(3) as usize];
        text += &format!(
            "one-step {} events={pair}\n",
            name(dice.below(count as u64) as usize)
        );
    }
    text
}

#[test]
fn the_front_is_what_trying_every_wave_of_every_event_gives() {
    let (mut blocked, mut wide) = (0, 0);
    for seed in 0..1500 {
        let text = random_text(&mut Dice(seed));
        let about = format!("seed {seed}\n{text}");
        let model = read_model(&text).unwrap();
        let mut everything = Everything::of(&model);
        let mut want: Vec<(u64, u64)> = Vec::new();
        for phases in 0..=MOST {
            if let Some(cost) = everything.least(phases)
                && want.last().is_none_or(|&(_, last)| cost < last)
            {
                want.push((phases, cost));
            }
        }
        let front = match plan_front(&model, Goal::Retired) {
            Ok(front) => front,
            Err(document) => {
                assert!(
                    !document.blocked.is_empty() && want.is_empty(),
                    "{about}{document:#?}"
                );
                blocked += 1;
                continue;
            }
        };
        assert!(front.exact, "{about}");
        let found: Vec<(u64, u64)> = front.choices.iter().map(|c| (c.phases, c.cost_milli)).collect();
        assert_eq!(found, want, "{about}");
        wide += usize::from(found.len() > 1);
        let cheapest = plan_model(&model, Goal::Retired).claims;
        assert_eq!(cheapest.cost_milli, want.last().map(|last| last.1), "{about}");
        assert!(cheapest.cost_lower_bound_milli <= cheapest.cost_milli, "{about}");
        for choice in front.choices.iter().chain(&front.narrower) {
            let document = front.plan(choice);
            check(&model, &document).unwrap_or_else(|refusal| panic!("{about}{refusal:?}{document:#?}"));
        }
    }
    assert!(
        blocked > 80 && wide > 80,
        "{blocked} blocked, {wide} with a choice"
    );
}

/// More than any of these fleets needs.
const MOST: u64 = 7;
