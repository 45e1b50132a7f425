//! From chosen patterns to steps in waves, with the orders that are asked for beside safety.

use plan::Blocked;
use plan::EventSet;
use plan::Model;

use crate::circle::circles;
use crate::demand::Demand;
use crate::patterns::choose;
use crate::patterns::steps;
use crate::timed::Timed;
use crate::waves::OwnOrder;
use crate::waves::Placed;
use crate::waves::place;
use crate::ways::Way;
use crate::ways::Ways;

/// The steps in their waves. Where chosen patterns wait for each other (orders beside safety can do that), the
/// components concerned are taken apart, and then put together again as far as it goes.
///
/// # Errors
/// The circles that are left when everything concerned is apart.
pub fn settle(model: &Model, demand: &Demand) -> Result<Vec<Placed>, Vec<Blocked>> {
    let ways = Ways::of(model, demand);
    let patterns = choose(model, demand);
    let mut chosen: Vec<Way> = model
        .components
        .iter()
        .enumerate()
        .map(|(x, c)| ways.nearest(x, steps(c, demand.local(x), patterns[x])))
        .collect();
    loop {
        let circle = match place(model, demand, &chosen, OwnOrder::AsListed) {
            Ok(_) => break,
            Err(circle) => circle,
        };
        let mut changed = false;
        for &x in &circle {
            let finest = ways.finest(x as usize);
            changed |= chosen[x as usize] != finest;
            chosen[x as usize] = finest;
        }
        if !changed {
            return reordered(model, demand, &ways, chosen);
        }
    }
    if !model.precedences.is_empty() || !model.one_steps.is_empty() {
        if chosen.len() <= MAX_TIMED {
            Timed::of(model, demand, &ways).fit(u32::MAX, &mut chosen);
        } else {
            join(model, demand, &ways, &mut chosen);
        }
    }
    place(model, demand, &chosen, OwnOrder::AsListed)
        .map_err(|circle| circles(model, demand, &chosen, &circle))
}

/// Everything concerned is apart, and only the order among a component's own steps is in the way, or there is none.
fn reordered(
    model: &Model,
    demand: &Demand,
    ways: &Ways<'_>,
    mut chosen: Vec<Way>,
) -> Result<Vec<Placed>, Vec<Blocked>> {
    let free = place(model, demand, &chosen, OwnOrder::Free)
        .map_err(|circle| circles(model, demand, &chosen, &circle))?;
    if chosen.len() <= MAX_TIMED {
        Timed::of(model, demand, ways).fit(u32::MAX, &mut chosen);
    }
    Ok(place(model, demand, &chosen, OwnOrder::AsListed).unwrap_or(free))
}

/// Gives each component, the dearest first, the cheapest way that leaves no circle. Bounded by work, not by time.
fn join(model: &Model, demand: &Demand, ways: &Ways<'_>, chosen: &mut [Vec<EventSet>]) {
    let cost = (model.components.len() + model.edges.len() + 1) as u64;
    let mut work = MAX_WORK;
    let mut order: Vec<usize> = (0..chosen.len()).filter(|&x| chosen[x].len() > 1).collect();
    order.sort_by_key(|&x| (std::cmp::Reverse(ways.price(x, &chosen[x])), x));
    for x in order {
        let now = ways.price(x, &chosen[x]);
        for way in ways.all(x) {
            if ways.price(x, &way) >= now || work < cost {
                break;
            }
            work -= cost;
            let before = std::mem::replace(&mut chosen[x], way);
            if place(model, demand, chosen, OwnOrder::AsListed).is_ok() {
                break;
            }
            chosen[x] = before;
        }
    }
}

/// So many components are searched with all their orders.
const MAX_TIMED: usize = 64;
const MAX_WORK: u64 = 20_000_000;
