//! Who calls whom: from settings, definitions and global options. Source: domain specification B.1, B.4, B.5, E-50.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::definitions::Definitions;
use super::definitions::Workstation;
use super::layout::exists;
use super::parts::Kind;
use super::parts::Part;
use super::scan::Found;
use super::scan::Question;
use super::scan::ScanContext;
use crate::component::Command;
use crate::component::Dial;
use crate::component::Healthy;
use crate::component::ProcessRef;
use crate::files::HostFiles;

/// The answer of `optman ls`, of the first that answers, masters first; `None` where none does.
pub(super) fn global_options(hosts: &[&dyn HostFiles], parts: &[Part]) -> Option<String> {
    let mut askable: Vec<&Part> = parts.iter().filter(|part| part.kind == Kind::Netman).collect();
    askable.sort_by_key(|part| !says_it_is_master(parts, part));
    askable.iter().find_map(|part| {
        let host = hosts.iter().find(|host| host.host() == part.component.host)?;
        let optman = part
            .site
            .program(*host, &["TWS/bin/optman", "TWS/bin/optman.exe"]);
        if !exists(*host, &optman) {
            return None;
        }
        host.ask(&part.site.work_dir(*host), &[&optman, "ls"]).ok()
    })
}

/// Whether fault-tolerant switching gives secondary links (`enSwfaultTol`); `None` where no option says it.
pub(super) fn secondary(options: Option<&str>) -> Option<bool> {
    option(options?, "enSwfaultTol", "sw").map(|value| value.eq_ignore_ascii_case("yes"))
}

/// One line of `optman ls`: `longName / short = value`. Source: domain specification B.7.
pub(crate) fn option(answer: &str, long: &str, short: &str) -> Option<String> {
    answer.lines().find_map(|line| {
        let (names, value) = line.split_once('=')?;
        let mut names = names.split('/').map(str::trim);
        let hit = names.any(|name| name.eq_ignore_ascii_case(long) || name.eq_ignore_ascii_case(short));
        hit.then(|| value.trim().to_owned())
    })
}

/// Whether the engine beside this netman names it as the master.
pub(super) fn says_it_is_master(parts: &[Part], netman: &Part) -> bool {
    beside(parts, netman, Kind::Engine)
        .and_then(|engine| engine.broker.as_ref())
        .is_some_and(|broker| broker.master.is_some() && alike(&broker.master, &netman.workstation))
}

/// Gives every part its address, role, dials and the sign of its health.
pub(super) fn connect(
    hosts: &[&dyn HostFiles],
    known: &ScanContext,
    parts: &mut [Part],
    definitions: &Definitions,
    secondary: Option<bool>,
    found: &mut Found,
) {
    addresses(known, parts, definitions, found);
    let roles: Vec<String> = parts.iter().map(|part| role(parts, part, definitions)).collect();
    for (part, role) in parts.iter_mut().zip(roles) {
        part.component.role = role;
    }
    let names = Names::of(hosts, known, parts, definitions);
    let mut web = Web {
        parts,
        definitions,
        names,
        calls: BTreeSet::new(),
        seen_by: BTreeMap::new(),
        found,
    };
    web.tree();
    web.secondary(secondary);
    web.agents();
    web.engines();
    let calls = std::mem::take(&mut web.calls);
    let seen_by = std::mem::take(&mut web.seen_by);
    let workstations: Vec<Option<String>> = (0..web.parts.len())
        .map(|index| web.workstation(index).map(|seen| seen.name.clone()))
        .collect();
    for (from, to) in calls {
        let (target, endpoint) = (parts[to].component.id.clone(), parts[to].kind.names().1);
        for (identity, trust) in parts[from].dial_stores() {
            parts[from].component.dials.push(Dial {
                to: target.clone(),
                endpoint: endpoint.to_owned(),
                identity: Some(identity),
                trust: Some(trust),
                expects: None,
            });
        }
    }
    health(hosts, parts, &workstations, &seen_by);
}

/// Every listening address gets a host: its own setting, its workstation's node, what another process of the host
/// says, what the fleet file knows.
fn addresses(known: &ScanContext, parts: &mut [Part], definitions: &Definitions, found: &mut Found) {
    let hints: Vec<Option<String>> = parts
        .iter()
        .map(|part| {
            let netman = if part.kind == Kind::Netman {
                Some(part)
            } else {
                beside(parts, part, Kind::Netman)
            };
            let node = netman
                .and_then(|netman| netman.workstation.as_ref())
                .and_then(|name| definitions.workstation(name))
                .and_then(|seen| seen.node.clone());
            let said = || {
                let same_host = parts
                    .iter()
                    .filter(|other| other.component.host == part.component.host);
                same_host
                    .filter_map(|other| other.said_host.clone())
                    .find(|name| !is_loopback(name))
            };
            let listed = || {
                let own = known
                    .names
                    .iter()
                    .filter(|(_, host)| **host == part.component.host);
                // The fleet file's word for a host is no address.
                let mut own: Vec<&String> = own
                    .map(|(name, _)| name)
                    .filter(|name| **name != part.component.host)
                    .collect();
                own.sort_by_key(|name| name.parse::<std::net::IpAddr>().is_err());
                own.first().map(|name| (*name).clone())
            };
            part.said_host.clone().or(node).or_else(said).or_else(listed)
        })
        .collect();
    for (part, hint) in parts.iter_mut().zip(hints) {
        let id = part.component.id.clone();
        let Some(listen) = part.component.listens.first_mut() else {
            let text = format!("{id}: no TLS port is set; it accepts no TLS connections");
            found.notes.push(text);
            continue;
        };
        if let (Some(name), Some(port)) = (hint, &part.port) {
            listen.address = format!("{name}:{port}");
            part.component.effective.process = Some(ProcessRef::Address(listen.address.clone()));
            continue;
        }
        let port = part.port.clone().unwrap_or_default();
        let proposal = format!(
            "[[components.{id}.listens]]\nname = \"{}\"\naddress = \"HOST:{port}\"",
            part.kind.names().1
        );
        let text = format!("on which address does `{id}` listen (port {port})? its settings say all or none");
        part.component.listens.clear();
        part.component.effective.process = None;
        part.component.effective.healthy = None;
        found.questions.push(Question {
            about: id,
            text,
            proposal: Some(proposal),
        });
    }
}

/// The other process of the same installation, else of the same host where there is one only.
fn beside<'a>(parts: &'a [Part], part: &Part, kind: Kind) -> Option<&'a Part> {
    let on_host = |other: &&Part| other.component.host == part.component.host && other.kind == kind;
    let mut all = parts.iter().filter(on_host);
    let same = parts
        .iter()
        .filter(on_host)
        .find(|other| other.site.install == part.site.install);
    same.or_else(|| all.next().filter(|_| all.next().is_none()))
}

/// The product's word for a part. Source: R-003, domain specification B.1.
fn role(parts: &[Part], part: &Part, definitions: &Definitions) -> String {
    let word = match part.kind {
        Kind::Agent => "DA",
        Kind::Console => "DWC",
        Kind::Engine => engine_role(parts, part, definitions),
        Kind::Netman => netman_role(parts, part, definitions),
    };
    word.to_owned()
}

fn engine_role(parts: &[Part], engine: &Part, definitions: &Definitions) -> &'static str {
    let workstation = beside(parts, engine, Kind::Netman).and_then(|netman| netman.workstation.clone());
    let broker = engine.broker.clone().unwrap_or_default();
    let place = workstation
        .as_ref()
        .and_then(|name| definitions.workstation(name));
    if let Some((seen, master)) = place.zip(definitions.master_domain()) {
        let in_master = seen
            .domain
            .as_ref()
            .is_none_or(|domain| domain.eq_ignore_ascii_case(&master));
        let manages_master = definitions
            .manager(&master)
            .is_some_and(|manager| manager.name == seen.name);
        return match (manages_master, in_master, seen.kind.as_str()) {
            (true, ..) => "MDM",
            (false, _, "MANAGER") => "DDM",
            (false, true, _) => "BKM",
            (false, false, _) => "BDDM",
        };
    }
    if broker.master.is_some() && alike(&broker.master, &workstation) {
        "MDM"
    } else if alike(&broker.domain, &Some("MASTERDM".to_owned())) {
        // A backup may name itself as the manager of the master domain.
        "BKM"
    } else if broker.manager.is_some() && alike(&broker.manager, &workstation) {
        "DDM"
    } else if alike(&broker.manager, &broker.master) {
        "BKM"
    } else {
        "BDDM"
    }
}

fn netman_role(parts: &[Part], netman: &Part, definitions: &Definitions) -> &'static str {
    let engine = beside(parts, netman, Kind::Engine).map(|engine| engine_role(parts, engine, definitions));
    let place = netman
        .workstation
        .as_ref()
        .and_then(|name| definitions.workstation(name));
    let Some((seen, master)) = place.zip(definitions.master_domain()) else {
        return match engine {
            Some("MDM") => "MDM",
            Some("BKM") => "BKM",
            Some("DDM") => "DM",
            Some(_) => "BDM",
            None => "FTA",
        };
    };
    let in_master = seen
        .domain
        .as_ref()
        .is_none_or(|domain| domain.eq_ignore_ascii_case(&master));
    if definitions
        .manager(&master)
        .is_some_and(|manager| manager.name == seen.name)
    {
        return "MDM";
    }
    match (seen.kind.as_str(), in_master, engine) {
        ("MANAGER", ..) => "DM",
        (_, true, Some("BKM")) => "BKM",
        (_, false, _) if seen.full_status || engine.is_some() => "BDM",
        _ => "FTA",
    }
}

/// The names of hosts.
struct Names {
    /// Name in lower case to hosts.
    hosts: BTreeMap<String, BTreeSet<String>>,
    /// Lines of `/etc/hosts`, of all trees: names that stand together.
    aliases: Vec<Vec<String>>,
}

impl Names {
    fn of(hosts: &[&dyn HostFiles], known: &ScanContext, parts: &[Part], definitions: &Definitions) -> Self {
        let mut names = Names {
            hosts: BTreeMap::new(),
            aliases: Vec::new(),
        };
        for (name, host) in &known.names {
            names.put(name, host);
        }
        for host in hosts {
            names.put(host.host(), host.host());
            let table = host.read("/etc/hosts").unwrap_or_default();
            for line in String::from_utf8_lossy(&table).lines() {
                let line = line.split('#').next().unwrap_or_default();
                let words: Vec<String> = line.split_whitespace().map(str::to_lowercase).collect();
                let own = words
                    .first()
                    .is_some_and(|address| address != "127.0.0.1" && address != "::1");
                if own && words.len() > 1 {
                    names.aliases.push(words);
                }
            }
        }
        for part in parts {
            let node = part
                .workstation
                .as_ref()
                .and_then(|name| definitions.workstation(name));
            let node = node.and_then(|seen| seen.node.clone());
            for name in part.said_host.iter().chain(&node) {
                names.put(name, &part.component.host);
            }
        }
        names
    }

    fn put(&mut self, name: &str, host: &str) {
        if !is_loopback(name) {
            self.hosts
                .entry(name.to_lowercase())
                .or_default()
                .insert(host.to_owned());
        }
    }

    /// The hosts that `name` may mean, as seen from `from`.
    fn resolve(&self, name: &str, from: &str) -> BTreeSet<String> {
        if is_loopback(name) {
            return BTreeSet::from([from.to_owned()]);
        }
        let name = name.to_lowercase();
        let direct = |name: &String| self.hosts.get(name).cloned().unwrap_or_default();
        let mut hit = direct(&name);
        if hit.is_empty() {
            let together = self.aliases.iter().filter(|words| words.contains(&name));
            hit = together.flatten().flat_map(direct).collect();
        }
        let is_address = name.parse::<std::net::IpAddr>().is_ok();
        if let (true, false, Some((short, _))) = (hit.is_empty(), is_address, name.split_once('.')) {
            hit = direct(&short.to_owned());
        }
        hit
    }
}

struct Web<'a> {
    parts: &'a [Part],
    definitions: &'a Definitions,
    names: Names,
    /// Indices: who calls whom.
    calls: BTreeSet<(usize, usize)>,
    /// By index: the netman whose `conman` sees this part's link directly.
    seen_by: BTreeMap<usize, usize>,
    found: &'a mut Found,
}

impl Web<'_> {
    fn ask(&mut self, about: &str, text: String, proposal: Option<String>) {
        self.found.questions.push(Question {
            about: about.to_owned(),
            text,
            proposal,
        });
    }

    fn both_ways(&mut self, a: usize, b: usize) {
        self.calls.insert((a, b));
        self.calls.insert((b, a));
    }

    fn netman_of(&self, workstation: &str) -> Option<usize> {
        self.parts.iter().position(|part| {
            part.kind == Kind::Netman
                && part
                    .workstation
                    .as_ref()
                    .is_some_and(|name| name.eq_ignore_ascii_case(workstation))
        })
    }

    /// The definition of a part: by `thiscpu`, for an agent by address and port.
    fn workstation(&self, index: usize) -> Option<&Workstation> {
        let part = &self.parts[index];
        if part.kind == Kind::Netman {
            return self.definitions.workstation(part.workstation.as_ref()?);
        }
        self.definitions.workstations.iter().find(|seen| {
            let port = seen.secure_port.map(|port| port.to_string());
            seen.kind == "AGENT"
                && part.kind == Kind::Agent
                && (port == part.port || port.is_none())
                && seen.node.as_ref().is_some_and(|node| {
                    self.names
                        .resolve(node, &part.component.host)
                        .contains(&part.component.host)
                })
        })
    }

    /// The part that listens at that host and port.
    fn listener(&self, name: &str, port: &str, kind: Kind, from: &str) -> Option<usize> {
        let hosts = self.names.resolve(name, from);
        self.parts.iter().position(|part| {
            part.kind == kind && part.port.as_deref() == Some(port) && hosts.contains(&part.component.host)
        })
    }

    /// The tree of domains: each manager with the members of its domain and with the manager above.
    fn tree(&mut self) {
        if self.definitions.workstations.is_empty() {
            return self.without_definitions();
        }
        for index in 0..self.parts.len() {
            if self.parts[index].kind == Kind::Netman {
                self.up(index);
            }
        }
        let fta = |seen: &&Workstation| matches!(seen.kind.as_str(), "FTA" | "MANAGER");
        let strangers: Vec<Workstation> = self
            .definitions
            .workstations
            .iter()
            .filter(fta)
            .filter(|seen| self.netman_of(&seen.name).is_none())
            .cloned()
            .collect();
        for seen in strangers {
            let node = seen.node.clone().unwrap_or_else(|| "no node".to_owned());
            let text = format!(
                "workstation {} ({node}) is defined, and no host of the fleet has it",
                seen.name
            );
            let proposal = format!("[hosts.{}]\nreach = \"ssh://…\"", seen.name.to_lowercase());
            self.ask(&seen.name, text, Some(proposal));
        }
    }

    /// The link of one netman with the manager above it.
    fn up(&mut self, index: usize) {
        let id = self.parts[index].component.id.clone();
        let Some(name) = self.parts[index].workstation.clone() else {
            return self.ask(
                &id,
                format!("`{id}`: its localopts has no thiscpu; which workstation is it?"),
                None,
            );
        };
        let Some(seen) = self.definitions.workstation(&name).cloned() else {
            let text = format!("workstation {name} of `{id}` has no definition; with whom does it link?");
            return self.ask(&id, text, link_proposal(&id, "netman"));
        };
        let master = self.definitions.master_domain().unwrap_or_default();
        let domain = seen.domain.clone().unwrap_or_else(|| master.clone());
        let manages = self
            .definitions
            .manager(&domain)
            .is_some_and(|manager| manager.name == seen.name);
        let above = match (manages, domain.eq_ignore_ascii_case(&master)) {
            (true, true) => return,
            (true, false) => match self
                .definitions
                .domain(&domain)
                .and_then(|domain| domain.parent.clone())
            {
                Some(parent) => parent,
                None => {
                    let text =
                        format!("domain {domain} of `{id}` has no definition; which domain is above it?");
                    return self.ask(&id, text, link_proposal(&id, "netman"));
                }
            },
            (false, _) => domain.clone(),
        };
        let Some(manager) = self
            .definitions
            .manager(&above)
            .map(|manager| manager.name.clone())
        else {
            let text =
                format!("domain {above} has no manager in the definitions; with whom does `{id}` link?");
            return self.ask(&id, text, link_proposal(&id, "netman"));
        };
        if let Some(manager) = self.netman_of(&manager) {
            self.both_ways(index, manager);
            self.seen_by.insert(index, manager);
        }
        // A manager that no host has is asked about once, as a workstation.
    }

    fn without_definitions(&mut self) {
        let ids: Vec<String> = self
            .parts
            .iter()
            .filter(|part| part.kind == Kind::Netman)
            .map(|part| part.component.id.clone())
            .collect();
        if ids.len() < 2 {
            return;
        }
        for id in ids {
            let text = format!(
                "with which workstations does `{id}` link? neither `composer` nor `definitions` says it"
            );
            self.ask(&id, text, link_proposal(&id, "netman"));
        }
    }

    /// Fault-tolerant agents with full status also link with the backup of their domain.
    fn secondary(&mut self, secondary: Option<bool>) {
        let mut pairs: BTreeSet<(usize, usize)> = BTreeSet::new();
        let full: Vec<(usize, String, bool)> = (0..self.parts.len())
            .filter(|index| self.parts[*index].kind == Kind::Netman)
            .filter_map(|index| {
                let seen = self.workstation(index)?;
                let domain = seen.domain.clone().or_else(|| self.definitions.master_domain())?;
                let engine = beside(self.parts, &self.parts[index], Kind::Engine).is_some();
                (seen.kind == "FTA" && seen.full_status).then(|| (index, domain.to_uppercase(), engine))
            })
            .collect();
        for (a, domain, with_engine) in &full {
            for (b, _, other_engine) in full.iter().filter(|(b, other, _)| b > a && other == domain) {
                let has_backup = full.iter().any(|(_, other, engine)| other == domain && *engine);
                if !has_backup || *with_engine || *other_engine {
                    pairs.insert((*a, *b));
                }
            }
        }
        match secondary {
            Some(true) => pairs.into_iter().for_each(|(a, b)| self.both_ways(a, b)),
            Some(false) => {}
            None => {
                for (a, b) in pairs {
                    let (a, b) = (
                        self.parts[a].component.id.clone(),
                        self.parts[b].component.id.clone(),
                    );
                    let text = format!(
                        "do `{a}` and `{b}` have a secondary link? `optman ls` (enSwfaultTol) does not answer"
                    );
                    self.ask(&a, text, link_proposal(&a, &format!("netman\"  # of {b}")));
                }
            }
        }
    }

    /// Agents call their broker, and the broker calls them.
    fn agents(&mut self) {
        for index in 0..self.parts.len() {
            let part = &self.parts[index];
            if part.kind != Kind::Agent {
                continue;
            }
            let (id, host) = (part.component.id.clone(), part.component.host.clone());
            let calls = part.calls.clone();
            let mut first = None;
            for (name, port) in &calls {
                match self.listener(name, port, Kind::Engine, &host) {
                    Some(engine) => {
                        first = first.or(Some(engine));
                        self.calls.insert((index, engine));
                    }
                    None => {
                        let text = format!("`{id}` calls {name}:{port}, which is no engine of this fleet");
                        self.ask(&id, text, link_proposal(&id, "https"));
                    }
                }
            }
            if calls.is_empty() {
                let text = format!("which broker does `{id}` call? its JobManager.ini names none");
                self.ask(&id, text, link_proposal(&id, "https"));
            }
            let broker = self.workstation(index).and_then(|seen| seen.hosted_by.clone());
            let by_name = broker.and_then(|name| self.broker_named(name, first));
            if let Some(engine) = by_name.or(first) {
                self.calls.insert((engine, index));
                let netman = beside(self.parts, &self.parts[engine], Kind::Netman);
                let netman = netman.map(|netman| netman.component.id.clone());
                let at = self
                    .parts
                    .iter()
                    .position(|part| Some(&part.component.id) == netman.as_ref());
                self.seen_by.extend(at.map(|at| (index, at)));
            }
        }
    }

    /// The engine that is this broker now. A backup bears the name of the broker that it would take over: the one that is
    /// called comes before others, and a backup last.
    fn broker_named(&self, name: String, called: Option<usize>) -> Option<usize> {
        let name = Some(name);
        let bears = |part: &Part| {
            part.broker
                .as_ref()
                .is_some_and(|broker| alike(&broker.name, &name))
        };
        let bearers = (0..self.parts.len()).filter(|index| bears(&self.parts[*index]));
        bearers.min_by_key(|index| {
            let backup = ["BDDM", "BKM"].contains(&self.parts[*index].component.role.as_str());
            (Some(*index) != called, backup, *index)
        })
    }

    /// Backups and dynamic domain managers call the master's engine.
    fn engines(&mut self) {
        for index in 0..self.parts.len() {
            let part = &self.parts[index];
            if part.kind != Kind::Engine || part.component.role == "MDM" {
                continue;
            }
            let (id, host) = (part.component.id.clone(), part.component.host.clone());
            let broker = part.broker.clone().unwrap_or_default();
            let by_address = broker
                .master_host
                .as_ref()
                .zip(broker.master_port.as_ref())
                .and_then(|(name, port)| self.listener(name, port, Kind::Engine, &host));
            let by_name = || {
                let netman = self.netman_of(broker.master.as_ref()?)?;
                let engine = beside(self.parts, &self.parts[netman], Kind::Engine)?;
                self.parts
                    .iter()
                    .position(|part| part.component.id == engine.component.id)
            };
            match by_address.or_else(by_name) {
                Some(master) if master == index => {}
                Some(master) => {
                    self.calls.insert((index, master));
                }
                None => {
                    let text = format!(
                        "which engine is the master of `{id}`? {} names none of this fleet",
                        super::BROKER_PROPERTIES
                    );
                    self.ask(&id, text, link_proposal(&id, "https"));
                }
            }
        }
    }
}

/// Netman and agents are well when `conman sc` shows them linked: asked of the manager above, as T and W are shown
/// for direct links only (domain specification B.6); the master is asked about itself.
fn health(
    hosts: &[&dyn HostFiles],
    parts: &mut [Part],
    workstations: &[Option<String>],
    seen_by: &BTreeMap<usize, usize>,
) {
    let askable = |part: &Part| {
        let host = hosts.iter().find(|host| host.host() == part.component.host)?;
        let conman = part
            .site
            .program(*host, &["TWS/bin/conman", "TWS/bin/conman.exe"]);
        exists(*host, &conman).then(|| (conman, part.component.host.clone(), part.site.work_dir(*host)))
    };
    let asked: Vec<_> = (0..parts.len())
        .map(
            |index| match (seen_by.get(&index), parts[index].component.role.as_str()) {
                (Some(manager), _) => askable(&parts[*manager]),
                (None, "MDM") => askable(&parts[index]),
                _ => None,
            },
        )
        .collect();
    for ((part, workstation), asked) in parts.iter_mut().zip(workstations).zip(asked) {
        if !matches!(part.kind, Kind::Agent | Kind::Netman) {
            continue;
        }
        part.component.effective.healthy = match (asked, workstation) {
            (Some((conman, host, dir)), Some(name)) => Some(Healthy::Linked {
                command: Command {
                    argv: vec![conman, "sc @!@".to_owned()],
                    env: BTreeMap::new(),
                },
                host,
                dir,
                name: name.clone(),
            }),
            _ => part
                .port
                .clone()
                .filter(|_| !part.component.listens.is_empty())
                .map(Healthy::Tcp),
        };
    }
}

fn link_proposal(id: &str, endpoint: &str) -> Option<String> {
    Some(format!(
        "[[components.{id}.dials]]\nto = \"…\"\nendpoint = \"{endpoint}\""
    ))
}

fn alike(a: &Option<String>, b: &Option<String>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if a.eq_ignore_ascii_case(b))
}

fn is_loopback(name: &str) -> bool {
    matches!(
        name.to_ascii_lowercase().as_str(),
        "" | "localhost" | "127.0.0.1" | "::1" | "0.0.0.0" | "*"
    )
}
