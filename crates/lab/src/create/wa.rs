//! A Workload Automation domain, from its hosts to every file below them.

mod agent;
mod definitions;
mod fleet_file;
mod liberty;
mod netman;
mod stores;

use std::net::Ipv4Addr;
use std::path::Path;

use crate::LabError;
use crate::create::block::Block;
use crate::create::wa::stores::Defaults;
use crate::create::write_command;
use crate::material::{Request, UseFor, key_pem, make, pem_of};
use crate::place::{ComponentTruth, Part, Place, Topology, write, write_mode};

/// Writes the whole domain with at least `components` processes.
pub(super) fn create(place: &Place, exe: &Path, components: usize) -> Result<Topology, LabError> {
    let hosts = hosts(place, components)?;
    let defaults = Defaults::make()?;
    let console_password = stores::random_word()?;
    for host in &hosts {
        if host.has(Part::Engine) || host.has(Part::Console) {
            liberty::write_liberty(place, host, &hosts, &defaults, &console_password)?;
        }
        if host.has(Part::Netman) {
            netman::write_netman(place, host, &defaults)?;
        }
        if host.has(Part::Agent) {
            agent::write_agent(place, host, &hosts, &defaults)?;
        }
        write_commands(place, host, exe)?;
    }
    write_new(place, &hosts)?;
    let secret = place.dir().join("secrets/dwc1.pw");
    write_mode(&secret, format!("{console_password}\n").as_bytes(), 0o600)?;
    let text = definitions::text(&hosts);
    write(&place.database().join("definitions"), text.as_bytes())?;
    write(&place.database().join("options"), OPTIONS.as_bytes())?;
    write(&place.plan(), text.as_bytes())?;
    write_mode(
        &place.dir().join("capgrow.toml"),
        fleet_file::text(&hosts).as_bytes(),
        0o644,
    )?;
    let components: Vec<ComponentTruth> = hosts.iter().flat_map(Host::components).collect();
    // Often enough that a second never passes without a success, and not more than the machine can do.
    let every_ms = (components.len() as u64 * 12).clamp(250, 480);
    Ok(Topology {
        exe: exe.to_owned(),
        components,
        every_ms,
    })
}

/// One host of the domain and what runs on it.
pub(super) struct Host {
    pub(super) name: String,
    /// The role of its main part.
    pub(super) role: &'static str,
    pub(super) address: Ipv4Addr,
    pub(super) parts: &'static [Part],
    pub(super) generation: Generation,
    /// The domain of its workstation.
    pub(super) domain: String,
    /// The host whose broker its agent belongs to.
    pub(super) broker: String,
    /// An FTA that keeps the state of all others.
    pub(super) full_status: bool,
}

/// Which formats a host's stores have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Generation {
    /// JKS, CMS and PEM.
    V101,
    /// PKCS#12 and PEM.
    V102,
}

impl Host {
    pub(super) fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    /// The workstation of its netman.
    pub(super) fn workstation(&self) -> String {
        self.name.to_uppercase()
    }

    /// The workstation of its dynamic agent: beside another one on the host it has a name of its own.
    pub(super) fn agent_workstation(&self) -> String {
        if self.has(Part::Netman) {
            format!("{}_1", self.workstation())
        } else {
            self.workstation()
        }
    }

    /// The workstation of its broker.
    pub(super) fn broker_workstation(&self) -> String {
        format!("{}_DWB", self.workstation())
    }

    /// The install directory.
    pub(super) fn install(&self) -> &'static str {
        if self.has(Part::Console) {
            "/opt/IBM/DWC"
        } else {
            "/opt/IBM/TWA"
        }
    }

    /// The directory for what changes.
    pub(super) fn variable(&self) -> String {
        format!("{}/TWSDATA", self.install())
    }

    fn components(&self) -> Vec<ComponentTruth> {
        let one = |part: &Part| {
            let (suffix, role) = match part {
                Part::Agent => ("agent", "DA"),
                Part::Console => ("console", "DWC"),
                Part::Engine => ("engine", self.role),
                Part::Generic => ("generic", self.role),
                // The netman of a dynamic domain manager is that of a domain manager.
                Part::Netman => ("netman", if self.role == "DDM" { "DM" } else { self.role }),
            };
            ComponentTruth {
                id: format!("{}-{suffix}", self.name),
                host: self.name.clone(),
                role: role.to_owned(),
                part: *part,
                address: self.address,
            }
        };
        self.parts.iter().map(one).collect()
    }
}

/// Puts the domain together and gives every host an address.
fn hosts(place: &Place, components: usize) -> Result<Vec<Host>, LabError> {
    let mut hosts = Vec::new();
    let mut add = |name: &str, role, parts: &'static [Part], domain: &str| {
        let number = hosts.len();
        hosts.push(Host {
            name: name.to_owned(),
            role,
            address: Ipv4Addr::LOCALHOST,
            parts,
            generation: Generation::V101,
            domain: domain.to_owned(),
            broker: "mdm1".to_owned(),
            full_status: false,
        });
        number
    };
    let (fta, da): (&[Part], &[Part]) = (&[Part::Netman], &[Part::Agent]);
    let all: &[Part] = &[Part::Engine, Part::Netman, Part::Agent];
    add("mdm1", "MDM", all, MASTER_DOMAIN);
    let backup = add("bkm1", "BKM", &[Part::Engine, Part::Netman], MASTER_DOMAIN);
    add("dwc1", "DWC", &[Part::Console], MASTER_DOMAIN);
    add("dm1", "DM", fta, "DM1DOM");
    add("fta1", "FTA", fta, "DM1DOM");
    let second = add("fta2", "FTA", fta, "DM1DOM");
    add("fta3", "FTA", fta, MASTER_DOMAIN);
    let fourth = add("fta4", "FTA", fta, MASTER_DOMAIN);
    add("da1", "DA", da, MASTER_DOMAIN);
    add("da2", "DA", da, MASTER_DOMAIN);
    let third = add("da3", "DA", da, MASTER_DOMAIN);
    let mut wide = None;
    if components >= WIDE {
        let dynamic = add("ddm1", "DDM", all, "DDM1DOM");
        let agent = add("da4", "DA", da, MASTER_DOMAIN);
        let below = add("bdm1", "BDM", fta, "DM1DOM");
        wide = Some((dynamic, agent, below));
    }
    let mut have: usize = if wide.is_some() { 19 } else { 14 };
    let (mut ftas, mut das): (usize, usize) = (4, if wide.is_some() { 4 } else { 3 });
    while have < components {
        if have.is_multiple_of(2) {
            das += 1;
            add(&format!("da{das}"), "DA", da, MASTER_DOMAIN);
        } else {
            ftas += 1;
            let domain = if ftas.is_multiple_of(2) {
                "DM1DOM"
            } else {
                MASTER_DOMAIN
            };
            add(&format!("fta{ftas}"), "FTA", fta, domain);
        }
        have += 1;
    }
    hosts[backup].full_status = true;
    hosts[fourth].full_status = true;
    hosts[second].generation = Generation::V102;
    hosts[third].generation = Generation::V102;
    if let Some((dynamic, agent, below)) = wide {
        hosts[dynamic].broker = "ddm1".to_owned();
        hosts[agent].broker = "ddm1".to_owned();
        hosts[below].full_status = true;
    }
    let block = Block::find(place.dir(), hosts.len(), &[31113, 31114, 31116, 9443])?;
    for (number, host) in hosts.iter_mut().enumerate() {
        host.address = block.address(number);
    }
    Ok(hosts)
}

/// The product's own commands, where the product puts them.
fn write_commands(place: &Place, host: &Host, exe: &Path) -> Result<(), LabError> {
    let install = host.install();
    let command =
        |path: &str, words: &str| write_command(place, &host.name, &format!("{install}/{path}"), words, exe);
    if host.has(Part::Engine) || host.has(Part::Console) {
        command("appservertools/stopAppServer.sh", "stopAppServer")?;
        command("appservertools/startAppServer.sh", "startAppServer")?;
    }
    if host.has(Part::Agent) {
        command("TWS/ShutDownLwa", "ShutDownLwa")?;
        command("TWS/StartUpLwa", "StartUpLwa")?;
    }
    if host.has(Part::Netman) {
        command("TWS/StartUp", "StartUp")?;
        command("TWS/bin/conman", "conman")?;
    }
    if host.has(Part::Engine) {
        for name in ["composer", "optman", "JnextPlan"] {
            command(&format!("TWS/bin/{name}"), name)?;
        }
    }
    Ok(())
}

/// The material to move to: a leaf for all, its issuer and the root.
fn write_new(place: &Place, hosts: &[Host]) -> Result<(), LabError> {
    let authority = |name: &str, issuer| {
        let subject = [("C", "US"), ("O", "Example"), ("CN", name)];
        make(
            &Request {
                subject: &subject,
                bits: 2048,
                days: 3650,
                use_for: UseFor::Ca,
            },
            issuer,
        )
    };
    let root = authority("RootCA", None)?;
    let issuing = authority("InternalIssuingCA", Some(&root))?;
    let names: Vec<String> = hosts.iter().map(|h| h.name.clone()).collect();
    let addresses: Vec<Ipv4Addr> = hosts.iter().map(|h| h.address).collect();
    let subject = [("C", "US"), ("O", "Example"), ("CN", "glowfish")];
    let use_for = UseFor::Leaf {
        names: &names,
        addresses: &addresses,
    };
    let leaf = make(
        &Request {
            subject: &subject,
            bits: 2048,
            days: 398,
            use_for,
        },
        Some(&issuing),
    )?;
    let new = place.dir().join("new");
    let chain = pem_of(&[&leaf.certificate, &issuing.certificate, &root.certificate])?;
    write(&new.join("chain.pem"), &chain)?;
    write_mode(&new.join("tls.key"), &key_pem(&leaf.key)?, 0o600)
}

const MASTER_DOMAIN: &str = "MASTERDM";
/// From this size on there are a dynamic domain manager and a backup domain manager.
const WIDE: usize = 20;
const OPTIONS: &str = "enCarryForward / cf = ALL\nenSSLFullConnection / sf = YES\nenSwfaultTol / sw = YES\n\
                       startOfDay / sd = 0000\nenEventDrivenWorkloadAutomation / ed = YES\n";
