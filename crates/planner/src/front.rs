//! What can be chosen between: fewer restarts, fewer phases, fewer at once.

use plan::Effective;
use plan::Goal;
use plan::Group;
use plan::Model;
use plan::PlanDocument;

use crate::bound::Bound;
use crate::bound::bound;
use crate::demand::Demand;
use crate::patterns::Price;
use crate::plan_model::plan_model;
use crate::plan_model::proposed;
use crate::settle::settle;
use crate::timed::Timed;
use crate::waves::OwnOrder;
use crate::waves::Placed;
use crate::waves::place;
use crate::ways::Way;
use crate::ways::Ways;

/// The plans of which none is better than another in everything. Each is a proposal, like that of [`plan_model`].
pub struct Front<'a> {
    model: &'a Model,
    goal: Goal,
    demand: Demand,
    bound: Bound,
    /// Cost against phases: the fewest phases first, the cheapest last.
    pub choices: Vec<Choice>,
    /// Those that take more phases so that fewer are disturbed at once.
    pub narrower: Vec<Choice>,
    /// No plan has fewer phases at the cost of one of `choices`, or costs less in as many phases.
    pub exact: bool,
}

/// One plan of a front, in numbers.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Waves.
    pub phases: u64,
    /// Restarts and reloads.
    pub restarts: u64,
    /// In thousandths.
    pub cost_milli: u64,
    /// The most restarts and reloads in one wave.
    pub at_once: u64,
    placed: Vec<Placed>,
}

impl Front<'_> {
    /// The plan behind a choice.
    pub fn plan(&self, choice: &Choice) -> PlanDocument {
        let placed = choice.placed.clone();
        proposed(self.model, &self.demand, self.goal, (placed, &self.bound))
    }
}

/// Finds the front of a model. The last of its choices is what [`plan_model`] gives, or costs as much.
///
/// Exact where what hangs together is small and no group narrows the waves; else a heuristic whose plans are all real.
///
/// # Errors
/// The document that says why there is no plan.
///
/// Cost: a search for each number of phases between the fewest and those of the cheapest plan, of these at most a few.
pub fn plan_front(model: &Model, goal: Goal) -> Result<Front<'_>, Box<PlanDocument>> {
    let demand = Demand::of(model, goal);
    let cheapest = match settle(model, &demand) {
        Ok(placed) if demand.blocked.is_empty() => placed,
        _ => return Err(Box::new(plan_model(model, goal))),
    };
    let ways = Ways::of(model, &demand);
    let timed = Timed::of(model, &demand, &ways);
    let start = ways_of(model, &cheapest);
    let most = waves(&cheapest);
    let finest: Vec<Way> = (0..model.components.len()).map(|x| ways.finest(x)).collect();
    let mut exact = model.groups.is_empty();
    let mut found: Vec<Choice> = vec![choice(model, cheapest)];
    let apart = place(model, &demand, &finest, OwnOrder::AsListed).ok();
    found.extend(apart.map(|apart| choice(model, apart)));
    let mut searched = 0;
    for phases in 1..=most {
        let mut chosen = start.clone();
        let Some(proved) = timed.fit(phases, &mut chosen) else {
            continue;
        };
        searched += 1;
        exact &= proved && searched <= MAX_PHASES;
        if searched > MAX_PHASES {
            break;
        }
        if let Ok(placed) = place(model, &demand, &chosen, OwnOrder::AsListed) {
            found.push(choice(model, placed));
        }
    }
    let choices = best(found, |c| [c.phases, price(c), 0]);
    let mut wide: Vec<Choice> = choices.clone();
    for base in &choices {
        wide.extend(narrowed(model, &demand, base));
    }
    let mut narrower = best(wide, |c| [c.phases, price(c), c.at_once]);
    narrower.retain(|c| {
        choices
            .iter()
            .all(|known| (known.phases, price(known)) != (c.phases, price(c)) || c.at_once < known.at_once)
    });
    Ok(Front {
        model,
        goal,
        bound: bound(model, &demand),
        demand,
        choices,
        narrower,
        exact,
    })
}

/// The same steps with half as many at once, a quarter, and so on.
fn narrowed(model: &Model, demand: &Demand, base: &Choice) -> Vec<Choice> {
    let ways = ways_of(model, &base.placed);
    let members: Vec<plan::ComponentId> = (0..model.components.len())
        .filter(|&x| model.components[x].effective(plan::EventSet::ALL) != Effective::Live)
        .map(plan::ComponentId::new)
        .collect();
    let mut found = Vec::new();
    let mut width = base.at_once / 2;
    while width >= 1 && found.len() < MAX_WIDTHS {
        let mut narrow = model.clone();
        narrow.groups.push(Group {
            members: members.clone(),
            max: u32::try_from(width).unwrap_or(u32::MAX),
        });
        if let Ok(placed) = place(&narrow, demand, &ways, OwnOrder::AsListed) {
            found.push(choice(model, placed));
        }
        width /= 2;
    }
    found
}

/// Those that no other beats or equals in everything, by the first number and then the others.
fn best(mut all: Vec<Choice>, of: impl Fn(&Choice) -> [u64; 3]) -> Vec<Choice> {
    all.sort_by_key(|c| of(c));
    let mut kept: Vec<Choice> = Vec::new();
    for choice in all {
        let numbers = of(&choice);
        let beaten = |known: &Choice| of(known).iter().zip(&numbers).all(|(a, b)| a <= b);
        if !kept.iter().any(beaten) {
            kept.push(choice);
        }
    }
    kept
}

/// Cost, and among equals the number of restarts.
fn price(choice: &Choice) -> u64 {
    choice
        .cost_milli
        .saturating_mul(1 << 20)
        .saturating_add(choice.restarts)
}

fn choice(model: &Model, placed: Vec<Placed>) -> Choice {
    let component = |p: &Placed| &model.components[p.component as usize];
    let sum = |price: Price| -> u64 { placed.iter().map(|p| price.of(component(p), p.events)).sum() };
    let mut at_once: Vec<u64> = vec![0; waves(&placed) as usize + 1];
    for p in &placed {
        at_once[p.wave as usize] += u64::from(component(p).effective(p.events) != Effective::Live);
    }
    Choice {
        phases: u64::from(waves(&placed)),
        restarts: sum(Price::Restarts) / 1000,
        cost_milli: sum(Price::Cost),
        at_once: at_once.into_iter().max().unwrap_or(0),
        placed,
    }
}

fn waves(placed: &[Placed]) -> u32 {
    placed.iter().map(|p| p.wave).max().unwrap_or(0)
}

fn ways_of(model: &Model, placed: &[Placed]) -> Vec<Way> {
    let mut sorted: Vec<&Placed> = placed.iter().collect();
    sorted.sort_by_key(|p| p.wave);
    let mut ways = vec![Way::new(); model.components.len()];
    for p in sorted {
        ways[p.component as usize].push(p.events);
    }
    ways
}

const MAX_PHASES: usize = 16;
const MAX_WIDTHS: usize = 8;
