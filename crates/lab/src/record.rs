//! What both ends write down about each handshake, and what is announced about the processes: one appended line each.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use crate::LabError;
use crate::place::{Place, now_micros};

/// One handshake as one of its ends saw it.
///
/// The line is `MICROS ID LINK END ok VERSION` or `MICROS ID LINK END fail CLASS REASON…`; LINK is `-` when the
/// client did not name a link of the lab, as with dials by anybody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) at_micros: u64,
    /// The first half of the client's random bytes, which both ends see; `-` when there was no ClientHello.
    pub(crate) id: String,
    pub(crate) link: String,
    pub(crate) end: End,
    pub(crate) outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Client,
    Server,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Fail { class: Class, reason: String },
    Pass { version: String },
}

/// Why a handshake failed. `Refused` means refused or reset before a byte of the server was seen, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Refused,
    Other,
    Certificate,
}

impl Record {
    pub(crate) fn line(&self) -> String {
        let end = match self.end {
            End::Client => 'c',
            End::Server => 's',
        };
        let head = format!("{} {} {} {end}", self.at_micros, self.id, self.link);
        match &self.outcome {
            Outcome::Pass { version } => format!("{head} ok {version}\n"),
            Outcome::Fail { class, reason } => {
                let class = match class {
                    Class::Refused => "refused",
                    Class::Other => "other",
                    Class::Certificate => "certificate",
                };
                format!("{head} fail {class} {}\n", reason.replace(['\n', '\r'], " "))
            }
        }
    }

    /// Reads a line without its end; `None` for one that is not whole.
    pub(crate) fn parse(line: &str) -> Option<Record> {
        let mut words = line.splitn(7, ' ');
        let at_micros = words.next()?.parse().ok()?;
        let id = words.next()?.to_owned();
        let link = words.next()?.to_owned();
        let end = match words.next()? {
            "c" => End::Client,
            "s" => End::Server,
            _ => return None,
        };
        let outcome = match words.next()? {
            "ok" => Outcome::Pass {
                version: words.next()?.to_owned(),
            },
            "fail" => {
                let class = match words.next()? {
                    "refused" => Class::Refused,
                    "other" => Class::Other,
                    "certificate" => Class::Certificate,
                    _ => return None,
                };
                Outcome::Fail {
                    class,
                    reason: words.next().unwrap_or("").to_owned(),
                }
            }
            _ => return None,
        };
        Some(Record {
            at_micros,
            id,
            link,
            end,
            outcome,
        })
    }
}

/// Something announced about a process or the whole lab. The line is `MICROS WORD COMPONENT LINK,LINK…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) at_micros: u64,
    pub(crate) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// The whole fleet is being started.
    Boot,
    /// The process closed its ports and ended on request.
    Down { component: String },
    /// The whole fleet is being stopped.
    Halt,
    /// These are the links that the component dials from now on.
    Links { component: String, links: Vec<String> },
    /// A command that stops the component was given.
    Stop { component: String },
    /// The component listens, or dials again after it was told to pause.
    Up { component: String },
}

impl Event {
    pub(crate) fn line(&self) -> String {
        let at = self.at_micros;
        match &self.what {
            What::Boot => format!("{at} boot\n"),
            What::Down { component } => format!("{at} down {component}\n"),
            What::Halt => format!("{at} halt\n"),
            What::Links { component, links } => format!("{at} links {component} {}\n", links.join(",")),
            What::Stop { component } => format!("{at} stop {component}\n"),
            What::Up { component } => format!("{at} up {component}\n"),
        }
    }

    pub(crate) fn parse(line: &str) -> Option<Event> {
        let mut words = line.split(' ');
        let at_micros = words.next()?.parse().ok()?;
        let word = words.next()?;
        let component = words.next().map(str::to_owned);
        let what = match word {
            "boot" => What::Boot,
            "down" => What::Down {
                component: component?,
            },
            "halt" => What::Halt,
            "links" => {
                let links = words
                    .next()?
                    .split(',')
                    .filter(|l| !l.is_empty())
                    .map(str::to_owned)
                    .collect();
                What::Links {
                    component: component?,
                    links,
                }
            }
            "stop" => What::Stop {
                component: component?,
            },
            "up" => What::Up {
                component: component?,
            },
            _ => return None,
        };
        Some(Event { at_micros, what })
    }
}

/// The name of a link: `from>to.endpoint`, and `~how` where one component dials the same endpoint in two ways.
pub(crate) fn link_name(from: &str, to: &str, endpoint: &str, how: Option<&str>) -> String {
    match how {
        Some(how) => format!("{from}>{to}.{endpoint}~{how}"),
        None => format!("{from}>{to}.{endpoint}"),
    }
}

/// Both ends of a link, from its name.
pub(crate) fn ends_of(link: &str) -> Option<(&str, &str)> {
    let (from, rest) = link.split_once('>')?;
    let (to, _) = rest.rsplit_once('.')?;
    Some((from, to))
}

/// The server name that a dial of the lab sends, by which the server knows the link also when the handshake fails.
pub(crate) fn server_name_of(link: &str) -> String {
    format!("{}{SUFFIX}", link.replace(['>', '~'], "."))
}

/// The link of a server name; `None` for names that are not the lab's.
pub(crate) fn link_of(server_name: &str) -> Option<String> {
    let parts: Vec<&str> = server_name.strip_suffix(SUFFIX)?.split('.').collect();
    match parts.as_slice() {
        [from, to, endpoint] => Some(link_name(from, to, endpoint, None)),
        [from, to, endpoint, how] => Some(link_name(from, to, endpoint, Some(how))),
        _ => None,
    }
}

/// Appends an event to the lab's list.
pub(crate) fn announce(place: &Place, what: What) -> Result<(), LabError> {
    let event = Event {
        at_micros: now_micros(),
        what,
    };
    let path = place.events();
    append(&path)?
        .write_all(event.line().as_bytes())
        .map_err(|source| LabError::File {
            verb: "append to",
            path,
            source,
        })
}

/// Opens a log to append whole lines to.
pub(crate) fn append(path: &Path) -> Result<File, LabError> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|source| LabError::File {
            verb: "open",
            path: path.to_owned(),
            source,
        })
}

const SUFFIX: &str = ".lab.invalid";
