//! Rip and replace: what breaks, who waived it, and the lines that would.

use std::collections::BTreeMap;

use fleet::Snapshot;
use fleet::file::FleetDoc;
use fleet::file::WaiverDoc;
use plan::Blocked;
use plan::Goal;
use plan::Lowered;
use plan::PlanDocument;
use planner::Outage;
use serde_json::Value;
use serde_json::json;

use crate::print::failure;
use crate::timeline::Down;
use crate::timeline::Timeline;
use crate::timeline::takes_ms;

/// How the fleet file wants its certificates replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// No link breaks.
    CapAndGrow,
    /// Everything of a component in one step, with its downtime.
    RipAndReplace,
}

impl Strategy {
    /// The strategy of all `[[rotate]]`.
    ///
    /// # Errors
    /// A word that is none, two different ones, and orders beside safety that one step for all cannot keep.
    pub fn of(doc: &FleetDoc) -> anyhow::Result<Strategy> {
        let mut found: Option<(Strategy, &str)> = None;
        for rotate in &doc.rotate {
            let strategy = match rotate.strategy.as_deref() {
                None | Some("cap-and-grow") => Strategy::CapAndGrow,
                Some("rip-and-replace") => Strategy::RipAndReplace,
                Some(other) => {
                    return Err(failure(
                        format!("[[rotate]] {}: strategy = \"{other}\" is not known", rotate.name),
                        "write \"cap-and-grow\" (no link breaks) or \"rip-and-replace\"",
                    ));
                }
            };
            match found {
                Some((before, name)) if before != strategy => {
                    return Err(failure(
                        format!(
                            "[[rotate]] {name} and {} have different strategies: a component has one order for both",
                            rotate.name
                        ),
                        "give both the same strategy, or take one out and plan them one after the other",
                    ));
                }
                _ => found = Some((strategy, &rotate.name)),
            }
        }
        let strategy = found.map_or(Strategy::CapAndGrow, |(strategy, _)| strategy);
        if strategy == Strategy::RipAndReplace && doc.policy.style.as_deref() == Some("document") {
            return Err(failure(
                "strategy = \"rip-and-replace\" does everything of a component at once and cannot keep the orders of style = \"document\"",
                "take one of the two out",
            ));
        }
        Ok(strategy)
    }
}

/// The waivers that still run at that moment: the whole of their last day counts, in UTC.
pub fn running(doc: &FleetDoc, now: i64) -> impl Iterator<Item = &WaiverDoc> {
    doc.waiver
        .iter()
        .filter(move |waiver| waiver.until.unix() + 86_400 > now)
}

/// The links of every waiver that still runs.
pub fn waived_now(doc: &FleetDoc, now: i64) -> Vec<String> {
    running(doc, now)
        .flat_map(|waiver| waiver.links.clone())
        .collect()
}

/// A waiver is a person's word: who, why and for which links must be said.
///
/// # Errors
/// The first waiver that leaves one of them out.
pub fn waivers_say_who_and_why(doc: &FleetDoc) -> anyhow::Result<()> {
    for (number, waiver) in doc.waiver.iter().enumerate() {
        for (key, empty) in [
            ("links", waiver.links.is_empty()),
            ("who", waiver.who.trim().is_empty()),
            ("why", waiver.why.trim().is_empty()),
        ] {
            if empty {
                return Err(failure(
                    format!("[[waiver]] {}: `{key}` is empty", number + 1),
                    "a waiver names its links, who grants it, why, and until when",
                ));
            }
        }
    }
    Ok(())
}

/// Plans everything of a component at once. The edges of `lowered` that break are the waived ones afterwards.
pub fn rip(snapshot: &Snapshot, lowered: &mut Lowered, goal: Goal) -> (PlanDocument, Vec<Outage>) {
    let takes: Vec<u64> = lowered
        .model
        .components
        .iter()
        .map(|component| {
            let events: Vec<_> = component.wanted(goal).iter().collect();
            takes_ms(snapshot, &component.name, &events)
        })
        .collect();
    let (mut document, outages) = planner::plan_rip(&lowered.model, goal, &takes);
    document
        .extra
        .insert("strategy".to_owned(), "rip-and-replace".into());
    let broken: Vec<String> = outages
        .iter()
        .filter_map(|outage| Some(snapshot.links.get(*lowered.links.get(outage.edge)?)?.text()))
        .collect();
    for (edge, &link) in lowered.model.edges.iter_mut().zip(&lowered.links) {
        edge.waived = snapshot
            .links
            .get(link)
            .is_some_and(|link| broken.contains(&link.text()));
    }
    lowered.waived = broken;
    lowered.waived.sort();
    lowered.waived.dedup();
    (document, outages)
}

/// One entry for each waived link: who waived it and when it is down.
pub fn entries(
    doc: &FleetDoc,
    now: i64,
    links: &[String],
    timeline: &Timeline<'_>,
    downs: &BTreeMap<String, Down>,
) -> Vec<Value> {
    let entry = |link: &String| {
        let waiver = running(doc, now).find(|waiver| waiver.links.contains(link));
        let mut value = json!({
            "link": link,
            "who": waiver.map(|waiver| waiver.who.clone()),
            "why": waiver.map(|waiver| waiver.why.clone()),
            "until": waiver.map(|waiver| waiver.until.as_str().to_owned()),
        });
        timeline.put(&mut value, downs.get(link));
        value
    };
    links.iter().map(entry).collect()
}

/// What stands in the way of a plan that breaks links which no running waiver covers: each link, and at the end the
/// lines that would let it go.
pub fn not_waived(
    doc: &FleetDoc,
    now: i64,
    who: &str,
    timeline: &Timeline<'_>,
    downs: &BTreeMap<String, Down>,
) -> Vec<Blocked> {
    let covered = waived_now(doc, now);
    let missing: Vec<(&String, &Down)> = downs.iter().filter(|(link, _)| !covered.contains(link)).collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let mut blocked: Vec<Blocked> = Vec::new();
    for (link, down) in &missing {
        let ended = doc.waiver.iter().find(|waiver| waiver.links.contains(link));
        let why = match ended {
            Some(waiver) => format!("its waiver ended on {}", waiver.until.as_str()),
            None => "no waiver covers it".to_owned(),
        };
        blocked.push(Blocked {
            component: None,
            link: Some((*link).clone()),
            reason: format!("would be down {}, and {why}", timeline.words(down)),
            remedies: Vec::new(),
        });
    }
    let links: Vec<&String> = missing.iter().map(|(link, _)| *link).collect();
    blocked.push(Blocked {
        component: None,
        link: None,
        reason: format!(
            "rip and replace takes {} links down, {} of them without a waiver",
            downs.len(),
            missing.len()
        ),
        remedies: vec![
            lines(&links, who, now),
            "strategy = \"cap-and-grow\": no link breaks".to_owned(),
        ],
    });
    blocked
}

/// The `[[waiver]]` to paste into the fleet file. It runs for two weeks.
fn lines(links: &[&String], who: &str, now: i64) -> String {
    let quoted = |text: &str| Value::from(text).to_string();
    let mut text = "[[waiver]]\nlinks = [\n".to_owned();
    for link in links {
        text.push_str(&format!("    {},\n", quoted(link)));
    }
    let until = jiff::Timestamp::from_second(now + TWO_WEEKS).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let until = until.to_zoned(jiff::tz::TimeZone::UTC).date();
    text.push_str(&format!(
        "]\nwho   = {}\nwhy   = \"rip and replace: these links are down while it runs\"\nuntil = {until}",
        quoted(who)
    ));
    text
}

const TWO_WEEKS: i64 = 14 * 86_400;
