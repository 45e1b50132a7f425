//! Definitions that do not ask for TLS, or for another port than netman has: one change for all of them.
//!
//! Composer and the production plan hold them, no file does, so the product's commands make the change where they are
//! there; elsewhere a person does. Source, E-18, E-33, domain specification B.5 to B.7.

use super::definitions::Definitions;
use super::definitions::Workstation;
use super::layout::exists;
use super::links::option;
use super::parts::Kind;
use super::parts::Part;
use super::scan::FirstChange;
use super::scan::Found;
use crate::change::Change;
use crate::change::FileEdit;
use crate::files::HostFiles;
use crate::procedure::Again;
use crate::procedure::FILE;
use crate::procedure::Line;
use crate::procedure::Look;
use crate::procedure::Procedure;
use crate::procedure::Shown;
use crate::procedure::State;

/// What of the fleet a change of definitions needs to know.
pub(super) struct Asked<'a> {
    pub(super) hosts: &'a [&'a dyn HostFiles],
    pub(super) parts: &'a [Part],
    pub(super) definitions: &'a Definitions,
    /// The netman whose `composer` gave the definitions; none where a file did.
    pub(super) composer_of: Option<usize>,
    /// The answer of `optman ls`.
    pub(super) options: Option<&'a str>,
}

/// Adds to `found` the one procedure for all definitions that need it, or the steps for a person.
pub(super) fn security(asked: &Asked<'_>, found: &mut Found) {
    let mut wrong: Vec<(&Workstation, String)> = Vec::new();
    for part in asked.parts.iter().filter(|part| part.kind == Kind::Netman) {
        let name = part.workstation.as_deref().unwrap_or_default();
        let port = part.port.as_ref().and_then(|port| port.parse::<u16>().ok());
        let Some((seen, port)) = asked.definitions.workstation(name).zip(port) else {
            continue;
        };
        let Some(text) = asked.definitions.with_security(name, port, LEVEL) else {
            continue;
        };
        found.notes.push(said(part, seen, port));
        wrong.push((seen, text));
    }
    wrong.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    if wrong.is_empty() {
        return;
    }
    let after: String = wrong.iter().map(|(_, text)| text.as_str()).collect();
    match procedure(asked, &wrong, &after) {
        Some(change) => found.first.push(change),
        None => found.notes.push(format!(
            "{} workstation definitions need a change that no command here can make; by hand, before the first step: \
             `composer replace FILE` with the text below, `optman show cf`, `optman chg cf = all`, `JnextPlan -for \
             0000`, `optman chg cf = ` with the value that it had, `conman \"sc @!@\"` until they are linked\n{after}",
            wrong.len()
        )),
    }
}

/// What is wrong with one definition.
fn said(part: &Part, seen: &Workstation, port: u16) -> String {
    let id = &part.component.id;
    if seen.security_level.is_none() {
        return format!(
            "{id}: the definition of {} does not ask for TLS; should it not link after the change, the files Symphony, \
             Sinfonia, *.msg and pobox/*.msg of its host are of the mode before and have to go, which loses what is in \
             them",
            seen.name
        );
    }
    let defined = seen.secure_port.map_or("has no SECUREADDR".to_owned(), |port| {
        format!("says SECUREADDR {port}")
    });
    format!(
        "{id}: localopts says TLS port {port}, the definition of {} {defined}",
        seen.name
    )
}

/// `composer replace`, `cf` to `all`, one `JnextPlan` for all, `cf` as it was; the way back alike.
fn procedure(asked: &Asked<'_>, wrong: &[(&Workstation, String)], after: &str) -> Option<FirstChange> {
    let part = &asked.parts[asked.composer_of?];
    let host = *asked
        .hosts
        .iter()
        .find(|host| host.host() == part.component.host)?;
    let program = |names: &[&str]| {
        let path = part.site.program(host, names);
        exists(host, &path).then_some(path)
    };
    let composer = program(&["TWS/bin/composer", "TWS/bin/composer.exe"])?;
    let optman = program(&["TWS/bin/optman", "TWS/bin/optman.exe"])?;
    let conman = program(&["TWS/bin/conman", "TWS/bin/conman.exe"])?;
    let next_plan = program(&[
        "TWS/JnextPlan",
        "TWS/bin/JnextPlan",
        "TWS/JnextPlan.cmd",
        "TWS/bin/JnextPlan.cmd",
    ])?;
    let carry_forward = option(asked.options?, "enCarryForward", "cf")?;
    let before: String = wrong
        .iter()
        .filter_map(|(seen, _)| asked.definitions.text_of(&seen.name))
        .collect();
    let replace = |text: &str, from: Shown, to: Shown| Line {
        argv: words(&[&composer, "replace", FILE]),
        file: Some(text.to_owned()),
        state: Some(State {
            ask: words(&[&composer, "create", "/dev/stdout", "from", "cpu=@"]),
            before: from,
            after: to,
        }),
        again: Again::Harmless,
    };
    let forward = replace(
        after,
        Shown::Definitions(before.clone()),
        Shown::Security(after.to_owned()),
    );
    let back = replace(
        &before,
        Shown::Security(after.to_owned()),
        Shown::Definitions(before.clone()),
    );
    let in_force = || in_force(&optman, &next_plan, &carry_forward);
    let lines = |first: Line| std::iter::once(first).chain(in_force()).collect();
    let names: Vec<String> = wrong
        .iter()
        .filter(|(seen, _)| is_seen_by_the_master(asked.definitions, seen))
        .map(|(seen, _)| seen.name.clone())
        .collect();
    let edit = FileEdit::Run(Procedure {
        dir: part.site.work_dir(host),
        lines: lines(forward),
        undo: lines(back),
        seen: (!names.is_empty()).then(|| Look {
            ask: words(&[&conman, "sc @!@"]),
            shown: Shown::Linked(names),
        }),
    });
    let all: Vec<&str> = wrong.iter().map(|(seen, _)| seen.name.as_str()).collect();
    let why = format!(
        "the definitions of {} ask for TLS on netman's port; one JnextPlan for all, which stops and starts production \
         on every workstation (R-105 to R-113)",
        all.join(", ")
    );
    Some(FirstChange {
        component: part.component.id.clone(),
        change: Change {
            path: composer.clone(),
            edit,
            why,
        },
    })
}

/// Takes definitions into the plan. Nothing that is under way may get lost, so `cf` is `all` meanwhile (E-18).
fn in_force(optman: &str, next_plan: &str, carry_forward: &str) -> Vec<Line> {
    let carrying = |value: &str| Shown::Option {
        long: "enCarryForward".to_owned(),
        short: "cf".to_owned(),
        value: value.to_lowercase(),
    };
    let chg = |from: &str, to: &str| Line {
        argv: words(&[optman, "chg", "cf", "=", &to.to_lowercase()]),
        file: None,
        state: Some(State {
            ask: words(&[optman, "ls"]),
            before: carrying(from),
            after: carrying(to),
        }),
        again: Again::Harmless,
    };
    let extend = Line {
        argv: words(&[next_plan, "-for", "0000"]),
        file: None,
        state: None,
        again: Again::Harmless,
    };
    if carry_forward.eq_ignore_ascii_case(CARRY_ALL) {
        return vec![extend];
    }
    vec![
        chg(carry_forward, CARRY_ALL),
        extend,
        chg(CARRY_ALL, carry_forward),
    ]
}

/// `conman sc` shows T and W for direct links only: the master's own domain and the managers below it.
fn is_seen_by_the_master(definitions: &Definitions, seen: &Workstation) -> bool {
    let Some(master) = definitions.master_domain() else {
        return false;
    };
    let is_master = |name: &str| name.eq_ignore_ascii_case(&master);
    let Some(own) = seen.domain.as_deref() else {
        return true;
    };
    let parent = definitions.domain(own).and_then(|domain| domain.parent.clone());
    let manages = definitions
        .manager(own)
        .is_some_and(|manager| manager.name == seen.name);
    is_master(own) || (manages && parent.is_some_and(|parent| is_master(&parent)))
}

fn words(argv: &[&str]) -> Vec<String> {
    argv.iter().map(|word| (*word).to_owned()).collect()
}

/// Source: R-106, E-33.
const LEVEL: &str = "FORCE_ENABLED";
/// Source: domain specification B.7.
const CARRY_ALL: &str = "all";

#[cfg(test)]
mod tests;
