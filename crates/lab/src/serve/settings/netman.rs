//! A netman: `localopts`, and the links of the plan.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};

use crate::LabError;
use crate::place::{ComponentTruth, Part, Place, read, read_text, topology};
use crate::record::link_name;
use crate::serve::settings::{Dial, Listen, Reread, Setup, stores, variable_dir};
use crate::serve::tls::{Material, Sends, identity_of_pem};
use crate::workstations::{Definitions, Workstation};

pub(super) fn read_setup(place: &Place, me: &ComponentTruth) -> Result<Setup, LabError> {
    let root = place.host(&me.host);
    let options = Options::read(&variable_dir(&root, "localopts")?.join("localopts"))?;
    let mut notes = Vec::new();
    let material = if options.says("sslfipscompliance", "yes") {
        let kdb = below(&root, options.need("sslkeystorefile")?);
        let password = stores::stashed(&below(&root, options.need("sslkeystorepwd")?))?;
        let store = stores::open(&kdb, &password)?;
        let label = options.get("sslcertificatekeystorelabel");
        let (key, chain) = stores::identity(&kdb, &store, &password, label, &mut notes)?;
        Material {
            key,
            chain,
            anchors: stores::anchors(&store)?,
            sends: Sends::Completed,
        }
    } else {
        let certificate = below(&root, options.need("sslcertificate")?);
        let password = match options.get("sslkeypwd") {
            Some(path) => Some(stores::password_of(&below(&root, path))?),
            None => None,
        };
        let anchors = stores::anchors_of_pem(&below(&root, options.need("sslcacertificate")?))?;
        let (key, chain) = if options.says("sslcerttype", "P12") {
            stores::identity_of_pkcs12(&certificate, &password.unwrap_or_default())?
        } else {
            let mut both = read(&below(&root, options.need("sslkey")?))?;
            both.push(b'\n');
            both.extend(read(&certificate)?);
            identity_of_pem(&certificate, &both, password.as_deref())?
        };
        Material {
            key,
            chain,
            anchors,
            sends: Sends::Completed,
        }
    };
    let port = match options.get("nmsslfullport") {
        Some("0") | None => options.need("nmsslport")?,
        Some(port) => port,
    };
    let port = port
        .parse()
        .map_err(|_| options.wrong(format!("{port:?} is no port")))?;
    Ok(Setup {
        listens: vec![Listen {
            address: SocketAddrV4::new(me.address, port),
            material: 0,
            admits: None,
        }],
        dials: dials(place, me, options.need("thiscpu")?)?,
        materials: vec![material],
        watched: vec![place.plan()],
        reread: Reread::AtStart,
        notes,
    })
}

/// The links that the plan gives to this workstation.
pub(super) fn dials_again(place: &Place, me: &ComponentTruth) -> Result<Vec<Dial>, LabError> {
    let root = place.host(&me.host);
    let options = Options::read(&variable_dir(&root, "localopts")?.join("localopts"))?;
    dials(place, me, options.need("thiscpu")?)
}

/// The workstation of a netman, from its own settings.
pub(crate) fn workstation_of(place: &Place, host: &str) -> Result<String, LabError> {
    let root = place.host(host);
    let options = Options::read(&variable_dir(&root, "localopts")?.join("localopts"))?;
    Ok(options.need("thiscpu")?.to_uppercase())
}

fn dials(place: &Place, me: &ComponentTruth, workstation: &str) -> Result<Vec<Dial>, LabError> {
    let definitions = Definitions::parse(&read_text(&place.plan())?);
    let Some(own) = definitions.workstation(workstation) else {
        return Err(LabError::Content {
            path: place.plan(),
            what: format!("no workstation {workstation}"),
        });
    };
    let truth = topology(place.dir())?;
    let dial = |peer: &Workstation| {
        let to = peer.address()?;
        let at = truth
            .components
            .iter()
            .find(|c| c.part == Part::Netman && c.address == *to.ip());
        let name = at.map_or_else(|| peer.name.to_lowercase(), |c| c.id.clone());
        let link = link_name(&me.id, &name, "netman", None);
        Some(Dial {
            link,
            to,
            path: "/netman",
            material: 0,
        })
    };
    Ok(definitions.neighbours(own).into_iter().filter_map(dial).collect())
}

/// `localopts`: names without regard to case and blanks, `#` to the end of the line, values perhaps quoted.
struct Options {
    path: PathBuf,
    values: BTreeMap<String, String>,
}

impl Options {
    fn read(path: &Path) -> Result<Options, LabError> {
        let mut values = BTreeMap::new();
        for line in read_text(path)?.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let Some((name, value)) = line.split_once('=') else {
                continue;
            };
            let name: String = name.to_lowercase().split_whitespace().collect();
            values.insert(name, value.trim().trim_matches('"').to_owned());
        }
        Ok(Options {
            path: path.to_owned(),
            values,
        })
    }

    /// A value that is not empty.
    fn get(&self, name: &str) -> Option<&str> {
        self.values
            .get(name)
            .map(String::as_str)
            .filter(|v| !v.is_empty())
    }

    fn need(&self, name: &str) -> Result<&str, LabError> {
        self.get(name)
            .ok_or_else(|| self.wrong(format!("no value for {name:?}")))
    }

    fn says(&self, name: &str, value: &str) -> bool {
        self.get(name).is_some_and(|v| v.eq_ignore_ascii_case(value))
    }

    fn wrong(&self, what: String) -> LabError {
        LabError::Content {
            path: self.path.clone(),
            what,
        }
    }
}

fn below(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}
