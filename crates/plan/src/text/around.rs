//! Statements about what surrounds the fleet: time, partners, waivers, canaries, what nobody reaches.

use std::collections::BTreeMap;

use super::Problem;
use super::Reading;
use super::nearest;
use crate::circumstances::EndedWaiver;
use crate::model::Acceptance;
use crate::model::ComponentId;
use crate::model::Event;
use crate::model::EventSet;
use crate::model::Precedence;
use crate::partial::set_aside;

/// What these statements said, until all lines are read.
#[derive(Default)]
pub struct Around {
    unreachable: Vec<ComponentId>,
    /// With the day of its owner's word.
    partners: Vec<(ComponentId, Option<i64>)>,
    waivers: Vec<Waiver>,
    /// By store type, by site.
    canary: Option<(bool, bool)>,
    stores: BTreeMap<ComponentId, String>,
    sites: BTreeMap<ComponentId, String>,
    /// The first line that needs a `now`, and what for.
    needs_now: Option<(usize, &'static str)>,
}

struct Waiver {
    from: ComponentId,
    to: ComponentId,
    until: i64,
    written: String,
}

impl Reading {
    /// An option of `component` that is kept beside it. `None` where it is none of these.
    pub(super) fn around_option(&mut self, line: usize, option: &str, value: &str) -> Option<Kept> {
        let bad = |expected: &'static str, option: &'static str| Problem::BadValue {
            option,
            value: value.to_owned(),
            expected,
        };
        let kept = match option {
            "not-after" => moment(value)
                .map(Kept::NotAfter)
                .ok_or_else(|| bad(MOMENT, "not-after")),
            "site" => Ok(Kept::Site(value.to_owned())),
            "store" => Ok(Kept::Store(value.to_owned())),
            "takes" => takes_ms(value)
                .map(Kept::Takes)
                .ok_or_else(|| bad(TAKES, "takes")),
            _ => return None,
        };
        if option == "not-after" {
            self.needs_now(line, "not-after");
        }
        Some(kept.unwrap_or_else(|problem| {
            self.fail(line, problem, None);
            Kept::Nothing
        }))
    }

    pub(super) fn keep(&mut self, id: ComponentId, kept: &Kept) {
        match kept {
            Kept::NotAfter(at) => {
                self.model.calendar.expires.insert(id, *at);
            }
            Kept::Nothing => {}
            Kept::Site(site) => {
                self.around.sites.insert(id, site.clone());
            }
            Kept::Store(store) => {
                self.around.stores.insert(id, store.clone());
            }
            Kept::Takes(ms) => {
                self.model.calendar.takes_ms.insert(id, *ms);
            }
        }
    }

    /// One of these statements; false where the word is none of them.
    pub(super) fn around(&mut self, words: &[&str]) -> bool {
        match words[0] {
            "canary" => self.canary(&words[1..]),
            "deadline" => self.deadline(&words[1..]),
            "manual" => self.manual(&words[1..]),
            "now" => self.now(&words[1..]),
            "partner" => self.partner(&words[1..]),
            "unreachable" => self.unreachable(&words[1..]),
            "waive" => self.waive(&words[1..]),
            "window" => self.window(&words[1..]),
            _ => return false,
        }
        true
    }

    fn now(&mut self, words: &[&str]) {
        match words {
            [text] if moment(text).is_some() => self.model.calendar.now = moment(text),
            _ => self.shape("now 2026-11-21T20:00Z"),
        }
    }

    fn deadline(&mut self, words: &[&str]) {
        match words {
            [text] if moment(text).is_some() => {
                self.model.calendar.deadline = moment(text);
                self.needs_now(self.line, "deadline");
            }
            _ => self.shape("deadline 2026-11-28T06:00Z"),
        }
    }

    fn window(&mut self, words: &[&str]) {
        let text = words.join(" ");
        if fleet::window::Window::parse(&text).is_err() {
            return self.shape("window Sat 22:00-04:00 Europe/Berlin");
        }
        self.model.calendar.windows.push(text);
        self.needs_now(self.line, "window");
    }

    fn unreachable(&mut self, words: &[&str]) {
        if words.is_empty() {
            return self.shape("unreachable NAME…");
        }
        let named: Vec<ComponentId> = words.iter().filter_map(|word| self.named(word)).collect();
        self.around.unreachable.extend(named);
    }

    fn manual(&mut self, words: &[&str]) {
        if words.is_empty() {
            return self.shape("manual NAME…");
        }
        let named: Vec<ComponentId> = words.iter().filter_map(|word| self.named(word)).collect();
        self.model.by_hand.extend(named);
        self.model.by_hand.sort_unstable();
        self.model.by_hand.dedup();
    }

    fn partner(&mut self, words: &[&str]) {
        let shape = "partner NAME… [trusts-new-since=DATE]";
        let (mut named, mut since) = (Vec::new(), None);
        for word in words {
            match word.split_once('=') {
                Some(("trusts-new-since", text)) => {
                    since = moment(text);
                    self.needs_now(self.line, "trusts-new-since");
                    if since.is_none() {
                        return self.shape(shape);
                    }
                }
                Some((option, _)) => {
                    let problem = Problem::UnknownOption {
                        option: option.to_owned(),
                    };
                    let hint = nearest(option, ["trusts-new-since"].into_iter());
                    return self.fail(self.line, problem, hint);
                }
                None => named.extend(self.named(word)),
            }
        }
        if named.is_empty() {
            return self.shape(shape);
        }
        self.around
            .partners
            .extend(named.into_iter().map(|id| (id, since)));
    }

    fn waive(&mut self, words: &[&str]) {
        let shape = "waive CLIENT -> SERVER who=NAME until=DATE why=WORDS";
        let [from, "->" | "<->", to, rest @ ..] = words else {
            return self.shape(shape);
        };
        let (Some(from), Some(to)) = (self.named(from), self.named(to)) else {
            return;
        };
        let option = |name: &str| {
            rest.iter()
                .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
        };
        let written = option("until").unwrap_or_default().to_owned();
        let said = |name: &str| option(name).is_some_and(|text| !text.is_empty());
        let Some(until) = day(&written).filter(|_| said("who") && said("why")) else {
            return self.shape(shape);
        };
        self.needs_now(self.line, "until");
        self.around.waivers.push(Waiver {
            from,
            to,
            until,
            written,
        });
    }

    fn canary(&mut self, words: &[&str]) {
        let by = match words {
            ["by=store"] => (true, false),
            ["by=site"] => (false, true),
            ["by=store+site" | "by=site+store"] => (true, true),
            _ => return self.shape("canary by=store|site|store+site"),
        };
        self.around.canary = Some(by);
    }

    fn needs_now(&mut self, line: usize, what: &'static str) {
        self.around.needs_now.get_or_insert((line, what));
    }

    /// Before the edges are made: a moment is there where one is needed.
    pub(super) fn check_now(&mut self) {
        if let (Some((line, option)), None) = (self.around.needs_now, self.model.calendar.now) {
            let problem = Problem::BadValue {
                option,
                value: String::new(),
                expected: "a `now` line somewhere, such as `now 2026-11-21T20:00Z`",
            };
            self.fail(line, problem, None);
        }
    }

    /// Once edges are there and before events are derived: who a partner is, and which links may break.
    pub(super) fn put_partners_and_waivers(&mut self) {
        let now = self.model.calendar.now.unwrap_or(i64::MIN);
        let anything = self.model.intern_acceptance(Acceptance::EVERYTHING);
        for &(id, since) in &self.around.partners {
            self.model.components[id.at()].external = true;
            let confirmed = since.is_some_and(|since| since <= now);
            for edge in &mut self.model.edges {
                // It goes on presenting what it presents, and that stays trusted.
                if edge.prover == id || (edge.verifier == id && confirmed) {
                    edge.acceptance = anything;
                }
            }
        }
        for waiver in &self.around.waivers {
            if waiver.until + DAY <= now {
                self.model.ended_waivers.push(EndedWaiver {
                    from: waiver.from,
                    to: waiver.to,
                    until: waiver.written.clone(),
                });
                continue;
            }
            for edge in &mut self.model.edges {
                let ends = (edge.prover, edge.verifier);
                edge.waived |= ends == (waiver.from, waiver.to) || ends == (waiver.to, waiver.from);
            }
        }
    }

    /// Once events are derived: partners have none, canaries go first, and what nobody reaches waits.
    pub(super) fn put_canaries_and_waiting(&mut self) {
        for &(id, _) in &self.around.partners {
            self.model.components[id.at()].events = EventSet::EMPTY;
        }
        if let Some(by) = self.around.canary {
            self.put_canaries(by);
        }
        let stuck: Vec<(ComponentId, String)> = self
            .around
            .unreachable
            .iter()
            .map(|&id| (id, "it cannot be reached".to_owned()))
            .collect();
        if !stuck.is_empty() {
            set_aside(&mut self.model, &stuck);
        }
    }

    fn put_canaries(&mut self, (by_store, by_site): (bool, bool)) {
        let mut classes: BTreeMap<(&str, &str), Vec<ComponentId>> = BTreeMap::new();
        for at in 0..self.model.components.len() {
            let id = ComponentId::new(at);
            let store = if by_store {
                self.around.stores.get(&id).map(String::as_str)
            } else {
                Some("")
            };
            let site = if by_site {
                self.around.sites.get(&id).map(String::as_str)
            } else {
                Some("")
            };
            if let (Some(store), Some(site)) = (store, site) {
                classes.entry((store, site)).or_default().push(id);
            }
        }
        let classes: Vec<(String, Vec<ComponentId>)> = classes
            .into_iter()
            .filter(|(_, members)| members.len() > 1)
            .map(|((store, site), members)| (format!("{store} {site}").trim().to_owned(), members))
            .collect();
        for (class, members) in classes {
            put_canary(&mut self.model, &class, &members);
        }
    }
}

/// The cheapest of a class goes first: each of its events is effective before that event of the others is written.
pub fn put_canary(model: &mut crate::model::Model, class: &str, members: &[ComponentId]) {
    let moves = |id: &&ComponentId| !model.components[id.at()].events.is_empty();
    let Some(&first) = members
        .iter()
        .filter(moves)
        .min_by_key(|id| (model.components[id.at()].cost_milli, **id))
    else {
        return;
    };
    let set = model.components[first.at()].shared;
    let apart =
        |id: &&ComponentId| **id != first && (set.is_none() || model.components[id.at()].shared != set);
    let others: Vec<ComponentId> = members.iter().filter(apart).copied().collect();
    if others.is_empty() {
        return;
    }
    let name = model.components[first.at()].name.clone();
    let reason = model.intern_reason(&format!("{name} is the canary of {class}"));
    for event in Event::ALL {
        if model.components[first.at()].events.has(event) {
            model.precedences.push(Precedence {
                before: vec![(first, event)],
                after: others.iter().map(|&id| (id, event)).collect(),
                reason,
            });
        }
    }
}

/// What an option says about a component and is kept beside it.
#[derive(Debug, Clone)]
pub enum Kept {
    NotAfter(i64),
    Nothing,
    Site(String),
    Store(String),
    Takes(u64),
}

/// `30s`, `5m`, `2h`.
fn takes_ms(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at(text.len().checked_sub(1)?);
    let number: u64 = number.parse().ok().filter(|number| *number <= 1_000_000)?;
    let seconds = match unit {
        "h" => 3600,
        "m" => 60,
        "s" => 1,
        _ => return None,
    };
    Some(number * seconds * 1000)
}

/// A day, or a moment of it in UTC, in seconds since 1970.
fn moment(text: &str) -> Option<i64> {
    let Some((date, time)) = text.split_once('T') else {
        return day(text);
    };
    let mut parts = time
        .strip_suffix('Z')?
        .split(':')
        .map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    let whole = parts.next().is_none()
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..60).contains(&second);
    Some(day(date).filter(|_| whole)? + hour * 3600 + minute * 60 + second)
}

fn day(text: &str) -> Option<i64> {
    let day = serde_json::from_value::<fleet::date::DateDoc>(text.into()).ok()?;
    (day.as_str() == text).then(|| day.unix())
}

const DAY: i64 = 86_400;
const MOMENT: &str = "a day such as 2027-01-31 or a moment such as 2027-01-31T22:00Z";
const TAKES: &str = "a time such as 30s, 5m or 2h";
