//! A Liberty server, the master's with its broker or the console's: its XML files as the server merges them, the
//! broker's properties, and what the console's database says.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};

use crate::LabError;
use crate::place::{ComponentTruth, Part, Place, read_text, topology};
use crate::record::link_name;
use crate::secret::reveal;
use crate::serve::settings::{Dial, Listen, Reread, Setup, stores, variable_dir};
use crate::serve::tls::{Material, Sends};
use crate::workstations::Definitions;

pub(super) fn read_setup(place: &Place, me: &ComponentTruth) -> Result<Setup, LabError> {
    let root = place.host(&me.host);
    let name = if me.part == Part::Console {
        "dwcServer"
    } else {
        "engineServer"
    };
    let variable = variable_dir(&root, &format!("usr/servers/{name}/server.xml"))?;
    let server = Server::read(&root, &variable.join("usr/servers").join(name))?;
    let ssl = server.need("ssl", SSL)?;
    let keys = server.store(place, &server.value(ssl, "keyStoreRef")?)?;
    let trusted = match ssl.get("trustStoreRef") {
        Some(_) => server.store(place, &server.value(ssl, "trustStoreRef")?)?,
        None => keys.clone(),
    };
    let alias = ssl
        .get("serverKeyAlias")
        .map(|raw| server.resolve(raw))
        .transpose()?;
    let mut notes = Vec::new();
    let store = stores::open(&keys.path, &keys.password)?;
    let (key, chain) = stores::identity(&keys.path, &store, &keys.password, alias.as_deref(), &mut notes)?;
    let anchors = stores::anchors(&stores::open(&trusted.path, &trusted.password)?)?;
    let endpoint = server.need("httpEndpoint", "defaultHttpEndpoint")?;
    let host = server.value(endpoint, "host")?;
    let port = server.value(endpoint, "httpsPort")?;
    let address: Ipv4Addr = if host == "*" {
        me.address
    } else {
        server.number(&host)?
    };
    let broker = match me.part {
        Part::Engine => Some(Broker::read(&variable)?),
        _ => None,
    };
    Ok(Setup {
        listens: vec![Listen {
            address: SocketAddrV4::new(address, server.number(&port)?),
            material: 0,
            admits: broker.as_ref().map(Broker::admits),
        }],
        dials: match &broker {
            Some(broker) => engine_dials(place, me, broker)?,
            None => console_dials(place, me)?,
        },
        materials: vec![Material {
            key,
            chain,
            anchors,
            sends: Sends::AsStored,
        }],
        reread: if keys.is_polled || trusted.is_polled {
            Reread::Polled
        } else {
            Reread::AtStart
        },
        watched: vec![keys.path, trusted.path, place.plan()],
        notes,
    })
}

/// The links that a new plan gives to the broker.
pub(super) fn dials_again(place: &Place, me: &ComponentTruth) -> Result<Vec<Dial>, LabError> {
    let root = place.host(&me.host);
    let variable = variable_dir(&root, "broker/config/BrokerWorkstation.properties")?;
    engine_dials(place, me, &Broker::read(&variable)?)
}

/// The broker's agents, and the master of a backup or of a dynamic domain manager.
fn engine_dials(place: &Place, me: &ComponentTruth, broker: &Broker) -> Result<Vec<Dial>, LabError> {
    let truth = topology(place.dir())?;
    let id = |part: Part, at: &SocketAddrV4| {
        let found = truth
            .components
            .iter()
            .find(|c| c.part == part && c.address == *at.ip());
        found.map_or_else(|| at.ip().to_string().replace('.', "-"), |c| c.id.clone())
    };
    let definitions = Definitions::parse(&read_text(&place.plan())?);
    let mut dials = Vec::new();
    for agent in definitions.agents_of(broker.get("Broker.Workstation.Name")?) {
        if let Some(to) = agent.address() {
            let link = link_name(&me.id, &id(Part::Agent, &to), "agent", None);
            dials.push(Dial {
                link,
                to,
                path: "/ita/JobManager/job",
                material: 0,
            });
        }
    }
    let master = format!(
        "{}:{}",
        broker.get("MasterDomainManager.HostName")?,
        broker.get("MasterDomainManager.HttpsPort")?
    );
    let to: SocketAddrV4 = master
        .parse()
        .map_err(|_| broker.wrong(format!("{master:?} is no address")))?;
    if *to.ip() != me.address {
        let link = link_name(&me.id, &id(Part::Engine, &to), "https", None);
        dials.push(Dial {
            link,
            to,
            path: "/twsd",
            material: 0,
        });
    }
    Ok(dials)
}

/// The console's engine connection, which it keeps in its database.
fn console_dials(place: &Place, me: &ComponentTruth) -> Result<Vec<Dial>, LabError> {
    let path = place.database().join(&me.id);
    let text = read_text(&path)?;
    let to: SocketAddrV4 = text.trim().parse().map_err(|_| LabError::Content {
        path,
        what: format!("{:?} is no address", text.trim()),
    })?;
    let truth = topology(place.dir())?;
    let engine = truth
        .components
        .iter()
        .find(|c| c.part == Part::Engine && c.address == *to.ip());
    let link = link_name(&me.id, engine.map_or("engine", |c| c.id.as_str()), "https", None);
    Ok(vec![Dial {
        link,
        to,
        path: "/twsd",
        material: 0,
    }])
}

/// A server's configuration: `configDropins/defaults`, `server.xml`, `configDropins/overrides`; the later wins,
/// attribute by attribute.
struct Server {
    root: PathBuf,
    dir: PathBuf,
    variables: BTreeMap<String, String>,
    elements: BTreeMap<(String, String), Attributes>,
}

type Attributes = BTreeMap<String, String>;

#[derive(Clone)]
struct LibertyStore {
    path: PathBuf,
    password: Vec<u8>,
    is_polled: bool,
}

impl Server {
    fn read(root: &Path, dir: &Path) -> Result<Server, LabError> {
        let mut server = Server {
            root: root.to_owned(),
            dir: dir.to_owned(),
            variables: BTreeMap::new(),
            elements: BTreeMap::new(),
        };
        let below = dir.strip_prefix(root).unwrap_or(dir);
        for name in ["server.config.dir", "server.output.dir"] {
            server
                .variables
                .insert(name.to_owned(), format!("/{}", below.display()));
        }
        server.take_all(&dir.join("configDropins/defaults"))?;
        server.take(&dir.join("server.xml"), 0)?;
        server.take_all(&dir.join("configDropins/overrides"))?;
        Ok(server)
    }

    /// The `.xml` files of a directory by name; there may be no such directory.
    fn take_all(&mut self, dir: &Path) -> Result<(), LabError> {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries.map(|e| e.path()).collect();
        files.retain(|p| p.extension().is_some_and(|e| e.eq_ignore_ascii_case("xml")));
        files.sort();
        files.iter().try_for_each(|file| self.take(file, 0))
    }

    fn take(&mut self, path: &Path, depth: usize) -> Result<(), LabError> {
        let text = read_text(path)?;
        let wrong = |what: String| LabError::Content {
            path: path.to_owned(),
            what,
        };
        let document = roxmltree::Document::parse(text.trim_start_matches('\u{feff}'))
            .map_err(|e| wrong(e.to_string()))?;
        for node in document
            .root_element()
            .children()
            .filter(roxmltree::Node::is_element)
        {
            let tag = node.tag_name().name();
            let attributes: Attributes = node
                .attributes()
                .map(|a| (a.name().to_owned(), a.value().to_owned()))
                .collect();
            match tag {
                "include" => {
                    let location = attributes.get("location").map_or("", String::as_str);
                    let file = self.find(&self.resolve(location)?);
                    if depth < MOST_INCLUDES && file.is_file() {
                        self.take(&file, depth + 1)?;
                    } else if attributes.get("optional").is_none_or(|o| o != "true") {
                        return Err(wrong(format!("no file {location:?} to include")));
                    }
                }
                "variable" => {
                    let value = attributes.get("value").or_else(|| attributes.get("defaultValue"));
                    if let (Some(name), Some(value)) = (attributes.get("name"), value) {
                        self.variables.insert(name.clone(), value.clone());
                    }
                }
                _ => {
                    let id = attributes.get("id").cloned().unwrap_or_default();
                    self.elements
                        .entry((tag.to_owned(), id))
                        .or_default()
                        .extend(attributes);
                }
            }
        }
        Ok(())
    }

    fn need(&self, tag: &str, id: &str) -> Result<&Attributes, LabError> {
        let key = (tag.to_owned(), id.to_owned());
        self.elements
            .get(&key)
            .ok_or_else(|| self.wrong(format!("no <{tag} id=\"{id}\">")))
    }

    fn value(&self, element: &Attributes, name: &str) -> Result<String, LabError> {
        let raw = element
            .get(name)
            .ok_or_else(|| self.wrong(format!("no attribute {name:?}")))?;
        self.resolve(raw)
    }

    fn store(&self, place: &Place, id: &str) -> Result<LibertyStore, LabError> {
        let element = self.need("keyStore", id)?;
        Ok(LibertyStore {
            path: self.find(&self.value(element, "location")?),
            password: reveal(place, &self.value(element, "password")?)?,
            is_polled: element.get("updateTrigger").is_some_and(|t| t == "polled"),
        })
    }

    /// Replaces `${name}`, also within values.
    fn resolve(&self, raw: &str) -> Result<String, LabError> {
        let mut text = raw.to_owned();
        for _ in 0..MOST_VARIABLES {
            let Some(start) = text.find("${") else {
                return Ok(text);
            };
            let Some(length) = text[start..].find('}') else {
                return Ok(text);
            };
            let name = &text[start + 2..start + length];
            let value = self
                .variables
                .get(name)
                .ok_or_else(|| self.wrong(format!("no variable {name:?}")))?
                .clone();
            text.replace_range(start..=start + length, &value);
        }
        Err(self.wrong(format!("variables without end in {raw:?}")))
    }

    /// A path of the host; a relative one is below the server's directory.
    fn find(&self, path: &str) -> PathBuf {
        match path.strip_prefix('/') {
            Some(below) => self.root.join(below),
            None => self.dir.join(path),
        }
    }

    fn number<T: std::str::FromStr>(&self, text: &str) -> Result<T, LabError> {
        text.parse()
            .map_err(|_| self.wrong(format!("{text:?} is no address or port")))
    }

    fn wrong(&self, what: String) -> LabError {
        LabError::Content {
            path: self.dir.join("server.xml"),
            what,
        }
    }
}

/// `BrokerWorkstation.properties`.
struct Broker {
    path: PathBuf,
    values: BTreeMap<String, String>,
}

impl Broker {
    fn read(variable: &Path) -> Result<Broker, LabError> {
        let path = variable.join("broker/config/BrokerWorkstation.properties");
        let mut values = BTreeMap::new();
        for line in read_text(&path)?.lines().map(str::trim) {
            if line.starts_with(['#', '!']) {
                continue;
            }
            if let Some((key, value)) = line.split_once(['=', ':']) {
                values.insert(key.trim().to_owned(), value.trim().to_owned());
            }
        }
        Ok(Broker { path, values })
    }

    fn get(&self, key: &str) -> Result<&str, LabError> {
        let found = self.values.get(key).filter(|v| !v.is_empty());
        found
            .map(String::as_str)
            .ok_or_else(|| self.wrong(format!("no value for {key:?}")))
    }

    /// Beginnings of the names that are let in.
    fn admits(&self) -> Vec<String> {
        let list = self.values.get("Broker.AuthorizedCNs").map_or("", String::as_str);
        list.split(';')
            .map(|item| item.trim().to_owned())
            .filter(|item| !item.is_empty())
            .collect()
    }

    fn wrong(&self, what: String) -> LabError {
        LabError::Content {
            path: self.path.clone(),
            what,
        }
    }
}

const SSL: &str = "twaSSLSettings";
const MOST_INCLUDES: usize = 8;
const MOST_VARIABLES: usize = 32;
