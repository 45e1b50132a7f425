//! `conman`: stops and starts production and netman, and shows the workstations as the handshakes of the last moments
//! show them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::LabError;
use crate::ctl::{On, optman};
use crate::life::pid_of;
use crate::place::{Part, Place, now_micros, read_text};
use crate::record::{End, Event, Outcome, Record, What, announce, link_name};
use crate::serve::settings::workstation_of;
use crate::workstations::{Definitions, Workstation};

/// One command, such as `stop;wait` or `sc @!@`.
pub(super) fn run(on: &On, command: &str) -> Result<ExitCode, LabError> {
    let command = command.trim().to_lowercase();
    let word = command.split([';', ' ']).next().unwrap_or_default();
    match word {
        "stop" => {
            let id = on.component(Part::Netman)?;
            if pid_of(&on.place, id).is_some() {
                announce(
                    &on.place,
                    What::Stop {
                        component: id.to_owned(),
                    },
                )?;
                on.signal(id, Signal::USR1);
                // What is under way ends in this time; nothing new is begun.
                thread::sleep(PAUSE);
            }
        }
        "shut" | "shutdown" => on.stop(on.component(Part::Netman)?)?,
        "start" => {
            let id = on.component(Part::Netman)?;
            if !on.signal(id, Signal::USR2) {
                eprintln!("AWSBHU099E {id} cannot be started: netman is not running.");
                return Ok(ExitCode::from(1));
            }
        }
        "startappserver" => on.start(on.component(Part::Engine)?, crate::life::Mode::Dialling)?,
        "stopappserver" => on.stop(on.component(Part::Engine)?)?,
        "sc" | "showcpus" => print!("{}", show(on)?),
        // Every workstation of this fleet links by itself.
        "link" => {}
        _ => {
            eprintln!("AWSBHU009E The command {command:?} is not valid here.");
            return Ok(ExitCode::from(1));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `sc`, in the standard format.
fn show(on: &On) -> Result<String, LabError> {
    let definitions = Definitions::parse(&read_text(&on.place.plan())?);
    let here = workstation_of(&on.place, &on.host)?;
    let seen = Seen::now(on, &definitions)?;
    let mut text =
        "CPUID            RUN NODE          LIMIT FENCE  DATE     TIME  STATE      METHOD   DOMAIN\n"
            .to_owned();
    let (date, time) = date_and_time(now_micros() / 1_000_000);
    for workstation in &definitions.workstations {
        let domain = definitions.domains.iter().find(|d| d.manager == workstation.name);
        let is_master = domain.is_some_and(|d| d.parent.is_empty());
        let kind = if is_master { "MASTER" } else { &workstation.kind };
        let star = if workstation.name == here { "*" } else { "" };
        let of = match workstation.kind.as_str() {
            "AGENT" => definitions
                .workstation(&workstation.host)
                .map_or("", |broker| broker.domain.as_str()),
            _ => workstation.domain.as_str(),
        };
        text.push_str(&format!(
            "{:<16} {:>3} {:<13} {:>5} {:>5}  {date} {time} {:<10}          {of}\n",
            workstation.name,
            1,
            format!("{star}UNIX {kind}"),
            10,
            0,
            seen.state(workstation, &here),
        ));
    }
    Ok(text)
}

/// What the last moments show.
struct Seen<'a> {
    on: &'a On,
    definitions: &'a Definitions,
    /// Whether full-status agents are to be linked among each other too.
    tolerant: bool,
    /// For each link whether its last handshake passed, just now and with both ends as they are.
    links: BTreeMap<String, bool>,
}

impl Seen<'_> {
    fn now<'a>(on: &'a On, definitions: &'a Definitions) -> Result<Seen<'a>, LabError> {
        let mut since: BTreeMap<String, u64> = BTreeMap::new();
        for event in read_text(&on.place.events())?.lines().filter_map(Event::parse) {
            if let What::Stop { component } | What::Up { component } = event.what {
                since.insert(component, event.at_micros);
            }
        }
        let mut links = BTreeMap::new();
        for component in &on.truth.components {
            for record in last_records(&on.place, &component.id) {
                if record.end != End::Client {
                    continue;
                }
                let (from, to) = crate::record::ends_of(&record.link).unwrap_or_default();
                let begin = since.get(from).max(since.get(to)).copied().unwrap_or(0);
                let fresh = record.at_micros > begin.max(now_micros().saturating_sub(FRESH));
                links.insert(
                    record.link.clone(),
                    fresh && matches!(record.outcome, Outcome::Pass { .. }),
                );
            }
        }
        Ok(Seen {
            on,
            definitions,
            tolerant: optman::value(&on.place, "sw")? == "YES",
            links,
        })
    }

    /// The flags of one workstation, each in its own column.
    fn state(&self, one: &Workstation, here: &str) -> String {
        match one.kind.as_str() {
            "AGENT" => {
                let (Some(id), Some(broker)) = (self.id(one, Part::Agent), self.broker_of(one)) else {
                    return String::new();
                };
                if !self.is_up(id) {
                    return String::new();
                }
                let linked = self.all(id, broker) && self.all(broker, id);
                if linked {
                    "LBI J".to_owned()
                } else {
                    "  I J".to_owned()
                }
            }
            "BROKER" => {
                let up = self.id(one, Part::Engine).is_some_and(|id| self.is_up(id));
                if up { "LTI JW".to_owned() } else { String::new() }
            }
            _ => {
                let Some(id) = self.id(one, Part::Netman).filter(|id| self.is_up(id)) else {
                    return String::new();
                };
                let linked = self
                    .definitions
                    .above(one)
                    .is_none_or(|above| self.are_linked(one, above));
                let beside = self.definitions.beside(one);
                let full =
                    self.tolerant && !beside.is_empty() && beside.iter().all(|b| self.are_linked(one, b));
                let near = one.name == here
                    || self
                        .definitions
                        .neighbours(one)
                        .iter()
                        .any(|n| n.name == here && self.are_linked(one, n));
                let link = if full && linked { 'F' } else { 'L' };
                let server = self.on.truth.components.iter().any(|c| {
                    c.part == Part::Engine && id.starts_with(&format!("{}-", c.host)) && self.is_up(&c.id)
                });
                format!(
                    "{}{}I J{}M{}",
                    if linked { link } else { ' ' },
                    if linked && near { 'T' } else { ' ' },
                    if linked && near { 'W' } else { ' ' },
                    if server { " DA" } else { "" },
                )
            }
        }
    }

    /// Both directions between two workstations.
    fn are_linked(&self, one: &Workstation, other: &Workstation) -> bool {
        let (Some(a), Some(b)) = (self.id(one, Part::Netman), self.id(other, Part::Netman)) else {
            return false;
        };
        let up = |from: &str, to: &str| self.links.get(&link_name(from, to, "netman", None)) == Some(&true);
        up(a, b) && up(b, a)
    }

    /// All ways in which one component dials another, and at least one.
    fn all(&self, from: &str, to: &str) -> bool {
        let prefix = format!("{from}>{to}.");
        let mut found = self
            .links
            .iter()
            .filter(|(link, _)| link.starts_with(&prefix))
            .peekable();
        found.peek().is_some() && found.all(|(_, up)| *up)
    }

    fn broker_of(&self, agent: &Workstation) -> Option<&str> {
        self.id(self.definitions.workstation(&agent.host)?, Part::Engine)
    }

    fn id(&self, one: &Workstation, part: Part) -> Option<&str> {
        let found = self
            .on
            .truth
            .components
            .iter()
            .find(|c| c.part == part && c.address.to_string() == one.node);
        found.map(|c| c.id.as_str())
    }

    fn is_up(&self, id: &str) -> bool {
        pid_of(&self.on.place, id).is_some()
    }
}

/// The last records of a component's log, without reading all of it.
fn last_records(place: &Place, component: &str) -> Vec<Record> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(place.handshakes(component))?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    String::from_utf8_lossy(&bytes)
        .lines()
        .filter_map(Record::parse)
        .collect()
}

/// `MM/DD/YY` and `HH:MM` in UTC.
fn date_and_time(seconds: u64) -> (String, String) {
    // Days to a civil date, after Howard Hinnant's "chrono-compatible low-level date algorithms".
    let days = seconds / 86_400 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let minutes = seconds % 86_400 / 60;
    (
        format!("{month:02}/{day:02}/{:02}", year % 100),
        format!("{:02}:{:02}", minutes / 60, minutes % 60),
    )
}

const PAUSE: Duration = Duration::from_millis(60);
/// In microseconds: longer than a link that is up is ever silent.
const FRESH: u64 = 1_500_000;
/// Enough for some seconds of the busiest component.
const TAIL: u64 = 128 * 1024;
