//! The orders of the published procedure that safety does not need, as data.
//!
//! They say in which section of the document something happens, for the parts that a domain has; whether the order can
//! be kept in a given topology is not said here: that is found by the plan. Source: domain specification A.2 to A.8.

use super::parts::Kind;
use crate::component::Component;
use crate::order::Order;
use crate::order::OrderEvent;
use crate::order::OrderEvent::Grow;
use crate::order::OrderEvent::Retire;
use crate::order::OrderEvent::Switch;

/// The orders as they concern these components, empty ones left out.
///
/// Cost: each row of the table once for each component.
pub fn document_orders(components: &[&Component]) -> Vec<Order> {
    let parts: Vec<(Part, &str)> = components
        .iter()
        .filter(|component| component.product == super::PRODUCT)
        .filter_map(|component| Some((part_of(component, components)?, component.id.as_str())))
        .collect();
    let all = |named: &[(Part, OrderEvent)]| -> Vec<(String, OrderEvent)> {
        let of = |&(part, event): &(Part, OrderEvent)| {
            let members = parts.iter().filter(move |(found, _)| *found == part);
            members.map(move |(_, id)| ((*id).to_owned(), event))
        };
        named.iter().flat_map(of).collect()
    };
    let mut orders = Vec::new();
    for row in DOCUMENT {
        match row.asks {
            Asks::Before(before, after) => {
                let (before, after) = (all(before), all(after));
                if !before.is_empty() && !after.is_empty() {
                    orders.push(Order::Before {
                        before,
                        after,
                        why: row.why.to_owned(),
                    });
                }
            }
            Asks::OneStep(members, events) => {
                let members = parts.iter().filter(|(part, _)| members.contains(part));
                orders.extend(members.map(|(_, id)| Order::OneStep {
                    component: (*id).to_owned(),
                    events: events.to_vec(),
                    why: row.why.to_owned(),
                }));
            }
        }
    }
    orders
}

/// What the document calls a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// A dynamic agent on any host but the master's.
    Agent,
    Console,
    /// The dynamic agent on the master's host.
    MasterAgent,
    /// The fault-tolerant agent on the master's host.
    MasterNetman,
    MasterServer,
    /// A fault-tolerant agent or domain manager, that of a backup among them.
    Netman,
    /// A server with an engine that is not the master: backup, dynamic domain manager.
    Server,
}

fn part_of(component: &Component, components: &[&Component]) -> Option<Part> {
    let is_master = |other: &&Component| {
        let names_it = other.product == super::PRODUCT && other.role == MASTER;
        names_it && other.host == component.host && other.dir == component.dir
    };
    let on_master = components.iter().copied().any(|other| is_master(&other));
    Some(match (super::kind_of(component)?, on_master) {
        (Kind::Agent, false) => Part::Agent,
        (Kind::Agent, true) => Part::MasterAgent,
        (Kind::Console, _) => Part::Console,
        (Kind::Engine, _) if component.role == MASTER => Part::MasterServer,
        (Kind::Engine, _) => Part::Server,
        (Kind::Netman, _) if component.role == MASTER => Part::MasterNetman,
        (Kind::Netman, _) => Part::Netman,
    })
}

/// One row of the procedure.
struct Row {
    asks: Asks,
    /// The words of the reason, with the place where the document says it.
    why: &'static str,
}

enum Asks {
    /// All of the first are effective before any of the second is written.
    Before(&'static [(Part, OrderEvent)], &'static [(Part, OrderEvent)]),
    /// These events of each such part are one step.
    OneStep(&'static [Part], &'static [OrderEvent]),
}

const MASTER: &str = "MDM";

/// In the order of the document.
const DOCUMENT: &[Row] = &[
    Row {
        asks: Asks::OneStep(&[Part::Console], &[Grow, Switch]),
        why: "document 4.2: the console changes trust and identity with one restart",
    },
    Row {
        asks: Asks::Before(&[(Part::MasterServer, Grow)], &[(Part::Server, Grow)]),
        why: "document 4.5: backups and dynamic domain managers follow the master",
    },
    Row {
        asks: Asks::Before(
            &[
                (Part::MasterServer, Grow),
                (Part::MasterNetman, Grow),
                (Part::Server, Grow),
            ],
            &[(Part::Agent, Grow), (Part::Netman, Grow)],
        ),
        why: "document 4.2 to 4.5: master and servers trust the new chain before agents are changed",
    },
    Row {
        asks: Asks::OneStep(&[Part::Agent, Part::MasterAgent], &[Grow, Switch]),
        why: "document 4.6: the download changes a dynamic agent's trust and identity in one step",
    },
    Row {
        asks: Asks::OneStep(&[Part::Netman], &[Grow, Switch]),
        why: "document 4.7: agents and domain managers change trust and identity in one step",
    },
    Row {
        asks: Asks::Before(
            &[
                (Part::Console, Switch),
                (Part::Agent, Switch),
                (Part::Netman, Switch),
            ],
            &[(Part::MasterAgent, Switch), (Part::MasterNetman, Switch)],
        ),
        why: "document 4.8: the master's own agents go last",
    },
    Row {
        asks: Asks::Before(
            &[
                (Part::MasterServer, Grow),
                (Part::Server, Grow),
                (Part::Console, Grow),
                (Part::Agent, Grow),
                (Part::Netman, Grow),
                (Part::MasterAgent, Grow),
                (Part::MasterNetman, Grow),
                (Part::Console, Switch),
                (Part::Agent, Switch),
                (Part::Netman, Switch),
                (Part::MasterAgent, Switch),
                (Part::MasterNetman, Switch),
            ],
            &[
                (Part::MasterServer, Switch),
                (Part::Server, Switch),
                (Part::MasterServer, Retire),
                (Part::Server, Retire),
                (Part::Console, Retire),
                (Part::Agent, Retire),
                (Part::Netman, Retire),
                (Part::MasterAgent, Retire),
                (Part::MasterNetman, Retire),
            ],
        ),
        why: "document 4.9 (R-114): nothing is retired before all are verified in coexistence",
    },
    Row {
        asks: Asks::Before(
            &[(Part::MasterServer, Switch), (Part::Server, Switch)],
            &[(Part::MasterServer, Retire), (Part::Server, Retire)],
        ),
        why: "document 4.9 (R-121): servers restart after the new alias is set and again after the defaults are deleted",
    },
    Row {
        asks: Asks::Before(
            &[(Part::MasterServer, Retire), (Part::Server, Retire)],
            &[(Part::Agent, Retire)],
        ),
        why: "document 4.9: servers are cleaned in step 2, dynamic agents in step 3",
    },
    Row {
        asks: Asks::Before(&[(Part::Agent, Retire)], &[(Part::Netman, Retire)]),
        why: "document 4.9: dynamic agents are cleaned in step 3, agents and domain managers in step 4",
    },
    Row {
        asks: Asks::Before(
            &[
                (Part::MasterServer, Retire),
                (Part::Server, Retire),
                (Part::Console, Retire),
                (Part::Agent, Retire),
                (Part::Netman, Retire),
            ],
            &[(Part::MasterNetman, Retire)],
        ),
        why: "document 4.9 (R-132): the master's own ca.crt is trimmed last of all",
    },
];

#[cfg(test)]
mod tests;
