//! Workstation definitions as composer writes them, and the links that follow from them.

use std::net::{Ipv4Addr, SocketAddrV4};

/// All definitions of a fleet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Definitions {
    pub(crate) workstations: Vec<Workstation>,
    pub(crate) domains: Vec<Domain>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Workstation {
    pub(crate) name: String,
    pub(crate) node: String,
    /// Absent or 0 where it takes no TLS.
    pub(crate) secure_port: u16,
    pub(crate) domain: String,
    /// In upper case: `MANAGER`, `FTA`, `AGENT`, `BROKER`.
    pub(crate) kind: String,
    pub(crate) full_status: bool,
    /// The broker of an agent.
    pub(crate) host: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Domain {
    pub(crate) name: String,
    pub(crate) manager: String,
    /// Empty for the topmost.
    pub(crate) parent: String,
}

impl Definitions {
    /// Reads the blocks that it knows; everything else is passed over.
    pub(crate) fn parse(text: &str) -> Definitions {
        let mut found = Definitions::default();
        for block in blocks(text) {
            let words: Vec<String> = block.text.split_whitespace().map(str::to_uppercase).collect();
            let after = |key: &str| {
                let at = words.iter().skip(2).position(|w| w == key)?;
                words.get(at + 3).cloned()
            };
            if block.kind == "DOMAIN" {
                found.domains.push(Domain {
                    name: block.name,
                    manager: after("MANAGER").unwrap_or_default(),
                    parent: after("PARENT").unwrap_or_default(),
                });
                continue;
            }
            // With a security level and no port of its own it is the usual one.
            let usual = after("SECURITYLEVEL").map_or(0, |_| USUAL_SECURE_PORT);
            found.workstations.push(Workstation {
                name: block.name,
                node: after("NODE").unwrap_or_default(),
                secure_port: after("SECUREADDR").and_then(|p| p.parse().ok()).unwrap_or(usual),
                domain: after("DOMAIN").unwrap_or_default(),
                kind: after("TYPE").unwrap_or_else(|| "FTA".to_owned()),
                full_status: after("FULLSTATUS").is_some_and(|w| w == "ON"),
                host: after("HOST").unwrap_or_default(),
            });
        }
        found
    }

    pub(crate) fn workstation(&self, name: &str) -> Option<&Workstation> {
        self.workstations
            .iter()
            .find(|w| w.name.eq_ignore_ascii_case(name))
    }

    /// The workstation to which this one's primary link goes: its domain manager, or its parent's.
    pub(crate) fn above(&self, one: &Workstation) -> Option<&Workstation> {
        let domain = self.domains.iter().find(|d| d.name == one.domain)?;
        let manager = self.workstation(&domain.manager)?;
        if manager.name != one.name {
            return Some(manager);
        }
        let parent = self.domains.iter().find(|d| d.name == domain.parent)?;
        self.workstation(&parent.manager)
    }

    /// The workstations with a secondary link to this one: full-status agents of one domain keep in touch, so that
    /// the backup among them can take over.
    pub(crate) fn beside(&self, one: &Workstation) -> Vec<&Workstation> {
        let full = |w: &Workstation| w.full_status && w.kind == "FTA";
        let others = self
            .workstations
            .iter()
            .filter(|w| w.name != one.name && w.domain == one.domain);
        if full(one) {
            others.filter(|w| full(w)).collect()
        } else {
            Vec::new()
        }
    }

    /// Every workstation that exchanges messages with this one; both ends dial.
    pub(crate) fn neighbours(&self, one: &Workstation) -> Vec<&Workstation> {
        let mut found: Vec<&Workstation> = Vec::new();
        found.extend(self.above(one));
        found.extend(
            self.workstations
                .iter()
                .filter(|w| self.above(w).is_some_and(|a| a.name == one.name)),
        );
        found.extend(self.beside(one));
        found.retain(|w| w.kind == "FTA" || w.kind == "MANAGER");
        found
    }

    /// The agents of a broker.
    pub(crate) fn agents_of(&self, broker: &str) -> Vec<&Workstation> {
        let of = |w: &&Workstation| w.kind == "AGENT" && w.host.eq_ignore_ascii_case(broker);
        self.workstations.iter().filter(of).collect()
    }
}

impl Workstation {
    /// Where it takes TLS connections, if it does.
    pub(crate) fn address(&self) -> Option<SocketAddrV4> {
        let node: Ipv4Addr = self.node.parse().ok()?;
        (self.secure_port != 0).then(|| SocketAddrV4::new(node, self.secure_port))
    }
}

/// One definition as text, with its keyword and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) text: String,
}

/// The definitions in a text, in its order; each goes from its keyword to `END`.
pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for line in text.lines() {
        let mut words = line.split_whitespace().map(str::to_uppercase);
        let (first, second) = (words.next().unwrap_or_default(), words.next());
        if open.is_none() {
            let kind = match first.as_str() {
                "CPUNAME" => "CPUNAME",
                "DOMAIN" => "DOMAIN",
                _ => continue,
            };
            let name = second.unwrap_or_default();
            let name = name.rsplit('/').next().unwrap_or_default().to_owned();
            open = Some(Block {
                kind,
                name,
                text: String::new(),
            });
        }
        if let Some(block) = &mut open {
            block.text.push_str(line);
            block.text.push('\n');
            let ends = line
                .split_whitespace()
                .next_back()
                .is_some_and(|w| w.eq_ignore_ascii_case("END"));
            if ends {
                found.extend(open.take());
            }
        }
    }
    found
}

const USUAL_SECURE_PORT: u16 = 31113;
