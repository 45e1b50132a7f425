//! The counter: what the logs of both ends amount to.
//!
//! A handshake counts as passed only if both ends say so. It is a failure if one end has no counterpart, if either
//! end failed, and a link is one failure for every second in which it had no success. Excused is only what was
//! refused or reset before the server said a byte, between the command that stops one of its ends and the link's
//! first success after that end is up again, for at most 15 s. An error about a certificate is never excused.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;

use crate::LabError;
use crate::place::{Place, Topology, now_micros, topology};
use crate::record::{Class, End, Event, Outcome, Record, What, ends_of};

/// What was counted since the start of the fleet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Count {
    /// Handshakes that passed or failed; those excused are not among them.
    pub handshakes: u64,
    /// Failed ones, and seconds of a link without a success.
    pub failed: u64,
    /// The same by the kind of failure.
    pub failed_by: FailedBy,
    /// Refused during announced restarts.
    pub excused: Excused,
    /// Dials by anybody else: they are nobody's failure.
    pub foreign: u64,
    /// When the fleet was started, in seconds since 1970.
    pub since: u64,
    /// How long it has been counted for.
    pub seconds: f64,
    /// Each link.
    pub links: Vec<LinkCount>,
    /// The first failures in words, at most a hundred.
    pub failures: Vec<String>,
}

/// Failures by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct FailedBy {
    /// An error or alert about a certificate, or none sent where one is required.
    pub certificate: u64,
    /// Refused or reset before the server said a byte, outside of announced restarts.
    pub refused: u64,
    /// All else: no counterpart, no success in a second, not authorised, cut off in the middle.
    pub other: u64,
}

/// What announced restarts excuse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Excused {
    /// How many dials were refused.
    pub count: u64,
    /// The longest time from a stop command to the first success of a link that was refused meanwhile.
    pub longest_seconds: f64,
}

/// One link, in one direction.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LinkCount {
    /// `from>to.endpoint`.
    pub link: String,
    /// As in [`Count`].
    pub handshakes: u64,
    /// As in [`Count`].
    pub failed: u64,
    /// As in [`Count`].
    pub excused: u64,
    /// Seconds since 1970 of the last success, if there was one.
    pub last_success: Option<f64>,
}

/// Counts what the fleet in `dir` wrote down since it was started; it may be running.
///
/// # Errors
/// `NoLab`; `File` when a log cannot be read.
///
/// Cost: one pass over the logs, about 2 MB for a minute of a fleet of 14.
pub fn count(dir: &Path) -> Result<Count, LabError> {
    let truth = topology(dir)?;
    let history = read_history(&Place::of(dir), &truth)?;
    Ok(tally(&history, now_micros()))
}

/// All that was written down, each list in the order of time.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) records: Vec<Record>,
    pub(crate) events: Vec<Event>,
}

/// Reads all logs. A last line without its end is left for the next time.
pub(crate) fn read_history(place: &Place, truth: &Topology) -> Result<History, LabError> {
    let mut history = History::default();
    for component in &truth.components {
        let text = read_log(&place.handshakes(&component.id))?;
        history.records.extend(text.lines().filter_map(Record::parse));
    }
    history
        .events
        .extend(read_log(&place.events())?.lines().filter_map(Event::parse));
    history.records.sort_by_key(|r| r.at_micros);
    history.events.sort_by_key(|e| e.at_micros);
    Ok(history)
}

fn read_log(path: &Path) -> Result<String, LabError> {
    match fs::read(path) {
        Ok(mut bytes) => {
            let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |end| end + 1);
            bytes.truncate(whole);
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        }
        Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(LabError::File {
            verb: "read",
            path: path.to_owned(),
            source,
        }),
    }
}

/// Applies the rules to what was written down until `now_micros`.
pub(crate) fn tally(history: &History, now_micros: u64) -> Count {
    let at = |wanted: fn(&What) -> bool| {
        history
            .events
            .iter()
            .rev()
            .find(|e| wanted(&e.what))
            .map(|e| e.at_micros)
    };
    let boot = at(|w| matches!(w, What::Boot)).unwrap_or(0);
    let halt = at(|w| matches!(w, What::Halt)).filter(|halt| *halt >= boot);
    let until = halt.unwrap_or(now_micros);
    let mut servers: HashMap<&str, &Record> = HashMap::new();
    let mut by_link: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    let mut foreign = 0;
    // What is dialled while the fleet is being stopped says nothing.
    let counts = |r: &&Record| r.at_micros >= boot && halt.is_none_or(|halt| r.at_micros < halt);
    for record in history.records.iter().filter(counts) {
        match record.end {
            _ if record.link == "-" => foreign += 1,
            End::Client => by_link.entry(&record.link).or_default().push(record),
            End::Server => {
                servers.insert(&record.id, record);
            }
        }
    }
    let announced = announced_links(history, boot);
    for link in announced.keys() {
        by_link.entry(link).or_default();
    }
    let mut count = Count {
        handshakes: 0,
        failed: 0,
        failed_by: FailedBy::default(),
        excused: Excused::default(),
        foreign,
        since: boot / SECOND,
        seconds: seconds(until.saturating_sub(boot)),
        links: Vec::new(),
        failures: Vec::new(),
    };
    for (link, clients) in by_link {
        let mut ledger = Ledger::of(link, boot, until);
        for client in clients {
            let server = servers.remove(client.id.as_str());
            ledger.weigh(client, server);
        }
        ledger.windows = windows(link, history, boot, &ledger.successes, until);
        ledger.excuse();
        if let Some(spans) = announced.get(link) {
            ledger.find_silence(spans);
        }
        ledger.add_to(&mut count);
    }
    let mut lone: Vec<&Record> = servers
        .into_values()
        .filter(|s| s.at_micros + GRACE < until)
        .collect();
    lone.sort_by_key(|r| r.at_micros);
    for server in lone {
        let mut ledger = Ledger::of(&server.link, boot, until);
        let (class, reason) = match &server.outcome {
            Outcome::Pass { .. } => (Class::Other, "the client knows nothing of it".to_owned()),
            Outcome::Fail { class, reason } => ((*class).max(Class::Other), reason.clone()),
        };
        ledger.fail(server.at_micros, class, &format!("{reason} (server alone)"));
        ledger.add_to(&mut count);
    }
    count
}

/// From when to when each link was to be dialled.
fn announced_links(history: &History, boot: u64) -> BTreeMap<&str, Vec<(u64, u64)>> {
    let mut spans: BTreeMap<&str, Vec<(u64, u64)>> = BTreeMap::new();
    let mut current: BTreeMap<&str, &[String]> = BTreeMap::new();
    for event in history.events.iter().filter(|e| e.at_micros >= boot) {
        let What::Links { component, links } = &event.what else {
            continue;
        };
        let before = current.insert(component, links).unwrap_or_default();
        for gone in before.iter().filter(|l| !links.contains(l)) {
            if let Some(span) = spans.get_mut(gone.as_str()).and_then(|s| s.last_mut()) {
                span.1 = event.at_micros;
            }
        }
        for new in links.iter().filter(|l| !before.contains(l)) {
            spans.entry(new).or_default().push((event.at_micros, u64::MAX));
        }
    }
    spans
}

/// The announced restarts of both ends, as far as they concern this link: from the stop command to the first success
/// once the end is up again, at most 15 s.
fn windows(link: &str, history: &History, boot: u64, successes: &[u64], until: u64) -> Vec<(u64, u64)> {
    let Some((from, to)) = ends_of(link) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for end in [from, to] {
        let mut stopped: Option<u64> = None;
        let mut close = |stop: u64, up: Option<u64>| {
            let first = up.and_then(|up| {
                let after = successes.partition_point(|at| *at <= up);
                successes.get(after).copied()
            });
            found.push((stop, first.unwrap_or(until).min(stop + LONGEST)));
        };
        for event in history.events.iter().filter(|e| e.at_micros >= boot) {
            match &event.what {
                // A second stop of what is down already begins no new time.
                What::Stop { component } if component == end => stopped = stopped.or(Some(event.at_micros)),
                What::Up { component } if component == end => {
                    if let Some(stop) = stopped.take() {
                        close(stop, Some(event.at_micros));
                    }
                }
                _ => {}
            }
        }
        if let Some(stop) = stopped {
            close(stop, None);
        }
    }
    found
}

/// One link while it is being counted.
struct Ledger<'a> {
    link: &'a str,
    boot: u64,
    until: u64,
    passed: u64,
    by: FailedBy,
    excused: u64,
    longest: u64,
    successes: Vec<u64>,
    failed_at: Vec<u64>,
    refused: Vec<(u64, String)>,
    windows: Vec<(u64, u64)>,
    failures: Vec<(u64, String)>,
}

impl<'a> Ledger<'a> {
    fn of(link: &'a str, boot: u64, until: u64) -> Ledger<'a> {
        Ledger {
            link,
            boot,
            until,
            passed: 0,
            by: FailedBy::default(),
            excused: 0,
            longest: 0,
            successes: Vec::new(),
            failed_at: Vec::new(),
            refused: Vec::new(),
            windows: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// Puts both ends of a handshake together.
    fn weigh(&mut self, client: &Record, server: Option<&Record>) {
        let at = client.at_micros;
        match (&client.outcome, server.map(|s| &s.outcome)) {
            (Outcome::Pass { .. }, Some(Outcome::Pass { .. })) => {
                self.passed += 1;
                self.successes.push(at);
            }
            (Outcome::Pass { .. }, Some(Outcome::Fail { class, reason })) => {
                self.fail(at, *class, &format!("{reason} (server)"));
            }
            // The last moments of a fleet that runs: the other end may still be writing.
            (Outcome::Pass { .. }, None) if at + GRACE >= self.until => {}
            (Outcome::Pass { .. }, None) => {
                self.fail(at, Class::Other, "the server knows nothing of it (client alone)");
            }
            (
                Outcome::Fail {
                    class: Class::Refused,
                    reason,
                },
                None,
            ) => self.refused.push((at, reason.clone())),
            (
                Outcome::Fail { class, reason },
                Some(Outcome::Fail {
                    class: theirs,
                    reason: why,
                }),
            ) => {
                let worst = (*class).max(*theirs).max(Class::Other);
                self.fail(at, worst, &format!("{reason} (client); {why} (server)"));
            }
            (Outcome::Fail { class, reason }, _) => {
                self.fail(at, (*class).max(Class::Other), &format!("{reason} (client)"));
            }
        }
    }

    fn fail(&mut self, at: u64, class: Class, reason: &str) {
        match class {
            Class::Refused => self.by.refused += 1,
            Class::Other => self.by.other += 1,
            Class::Certificate => self.by.certificate += 1,
        }
        self.failed_at.push(at);
        self.failures.push((at, reason.to_owned()));
    }

    /// Decides about the refusals: before the first success while the fleet comes up they are no handshakes at all.
    fn excuse(&mut self) {
        let came_up = self.came_up();
        for (at, reason) in std::mem::take(&mut self.refused) {
            if at <= came_up {
                continue;
            }
            match self.windows.iter().find(|(from, to)| *from <= at && at <= *to) {
                Some((from, to)) => {
                    self.excused += 1;
                    self.longest = self.longest.max(to - from);
                }
                None => self.fail(at, Class::Refused, &reason),
            }
        }
    }

    /// Finds the whole seconds without a success in which nothing else failed and no restart was announced.
    fn find_silence(&mut self, spans: &[(u64, u64)]) {
        self.failed_at.sort_unstable();
        let came_up = self.came_up();
        let mut silent = Vec::new();
        for (from, to) in spans {
            // A link that is new gets as long as one whose end restarts.
            let first = self.successes.partition_point(|at| at < from);
            let first = self
                .successes
                .get(first)
                .copied()
                .unwrap_or(u64::MAX)
                .min(from + LONGEST);
            let begin = first.max(came_up) / SECOND + 1;
            let end = (*to).min(self.until.saturating_sub(SECOND)) / SECOND;
            for second in begin..end {
                let (start, stop) = (second * SECOND, (second + 1) * SECOND);
                let any = |times: &[u64]| {
                    let next = times.partition_point(|at| *at < start);
                    times.get(next).is_some_and(|at| *at < stop)
                };
                let excused = self.windows.iter().any(|(from, to)| *from < stop && *to >= start);
                if !excused && !any(&self.successes) && !any(&self.failed_at) {
                    silent.push(start);
                }
            }
        }
        for start in silent {
            self.fail(start, Class::Other, "no success in this second");
        }
    }

    /// The first success, or the end of the time that a fleet has to come up.
    fn came_up(&self) -> u64 {
        self.successes
            .first()
            .copied()
            .unwrap_or(u64::MAX)
            .min(self.boot + LONGEST)
    }

    fn add_to(self, count: &mut Count) {
        let failed = self.by.certificate + self.by.refused + self.by.other;
        count.handshakes += self.passed + failed;
        count.failed += failed;
        count.failed_by.certificate += self.by.certificate;
        count.failed_by.refused += self.by.refused;
        count.failed_by.other += self.by.other;
        count.excused.count += self.excused;
        count.excused.longest_seconds = count.excused.longest_seconds.max(seconds(self.longest));
        let mut failures = self.failures;
        failures.sort();
        for (at, reason) in failures {
            if count.failures.len() < 100 {
                let after = seconds(at.saturating_sub(self.boot));
                count
                    .failures
                    .push(format!("{} at {after:.1} s: {reason}", self.link));
            }
        }
        match count.links.iter_mut().find(|l| l.link == self.link) {
            Some(held) => {
                held.handshakes += failed;
                held.failed += failed;
            }
            None => count.links.push(LinkCount {
                link: self.link.to_owned(),
                handshakes: self.passed + failed,
                failed,
                excused: self.excused,
                last_success: self.successes.last().map(|at| seconds(*at)),
            }),
        }
    }
}

#[allow(clippy::cast_precision_loss)]
fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

const SECOND: u64 = 1_000_000;
/// How long a counterpart may take to be written.
const GRACE: u64 = 6 * SECOND;
/// The most that a restart excuses.
const LONGEST: u64 = 15 * SECOND;

#[cfg(test)]
mod tests;
