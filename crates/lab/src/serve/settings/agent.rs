//! A dynamic agent: `ita.ini`, `JobManager.ini` and its stores. Its native part presents one store, its Java part
//! another one where the host has both.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};

use crate::LabError;
use crate::place::{ComponentTruth, Part, Place, read_text, topology};
use crate::record::link_name;
use crate::serve::listen::AGENTS_ASK;
use crate::serve::settings::{Dial, Listen, Reread, Setup, stores, variable_dir};
use crate::serve::tls::{Material, Sends};

pub(super) fn read_setup(place: &Place, me: &ComponentTruth) -> Result<Setup, LabError> {
    let root = place.host(&me.host);
    let variable = variable_dir(&root, "ITA/cpa/ita/ita.ini")?;
    let ita = Ini::read(&variable.join("ITA/cpa/ita/ita.ini"))?;
    let manager = Ini::read(&variable.join("ITA/cpa/config/JobManager.ini"))?;
    let mut notes = Vec::new();
    let materials = materials(&root, &variable, &ita, &mut notes)?;
    let port = ita.need("ITA SSL", "ssl_port")?;
    let port = port
        .parse()
        .map_err(|_| ita.wrong(format!("{port:?} is no port")))?;
    let url = manager.need("ResourceAdvisorAgent", "ResourceAdvisorUrl")?;
    let broker = url
        .strip_prefix("https://")
        .and_then(|rest| rest.split('/').next());
    let to: SocketAddrV4 = broker
        .and_then(|address| address.parse().ok())
        .ok_or_else(|| manager.wrong(format!("no address in {url:?}")))?;
    let truth = topology(place.dir())?;
    let engine = truth
        .components
        .iter()
        .find(|c| c.part == Part::Engine && c.address == *to.ip());
    let engine = engine.map_or("broker", |c| c.id.as_str());
    let dial = |material: usize| {
        let how = (material == 1).then_some("java");
        Dial {
            link: link_name(&me.id, engine, "https", how),
            to,
            path: AGENTS_ASK,
            material,
        }
    };
    Ok(Setup {
        listens: vec![Listen {
            address: SocketAddrV4::new(me.address, port),
            material: 0,
            admits: None,
        }],
        dials: (0..materials.len()).map(dial).collect(),
        materials,
        watched: Vec::new(),
        reread: Reread::AtStart,
        notes,
    })
}

/// The store of the native part, then that of the Java part where there is one.
fn materials(
    root: &Path,
    variable: &Path,
    ita: &Ini,
    notes: &mut Vec<String>,
) -> Result<Vec<Material>, LabError> {
    let label = ita.get("ITA SSL", "cert_label").unwrap_or("client");
    let named = ita
        .get("ITA SSL", "key_repository_dir")
        .or_else(|| ita.get("ITA SSL", "keyrepository_path"));
    let dir = named.map_or_else(
        || variable.join("ssl/GSKit"),
        |path| root.join(path.trim_start_matches('/')),
    );
    let stem = ita.get("ITA SSL", "key_db_name").unwrap_or("TWSClientKeyStore");
    let kdb = dir.join(format!("{}.kdb", stem.trim_end_matches(".kdb")));
    if !kdb.exists() {
        let (key, chain) = stores::identity_of_pkcs12(
            &dir.join("TWSClientKeyStore.p12"),
            &stores::password_of(&dir.join("tls.sth"))?,
        )?;
        let anchors = stores::anchors_of_pem(&dir.join("TWSClientTrustStore.pem"))?;
        return Ok(vec![Material {
            key,
            chain,
            anchors,
            sends: Sends::Completed,
        }]);
    }
    let password = stores::stashed(&kdb.with_extension("sth"))?;
    let store = stores::open(&kdb, &password)?;
    let (key, chain) = stores::identity(&kdb, &store, &password, Some(label), notes)?;
    let native = Material {
        key,
        chain,
        anchors: stores::anchors(&store)?,
        sends: Sends::Completed,
    };
    let jks = variable.join("ssl/TWSClientKeyStoreJKS.jks");
    let password = stores::password_of(&jks.with_extension("sth"))?;
    let store = stores::open(&jks, &password)?;
    let (key, chain) = stores::identity(&jks, &store, &password, None, notes)?;
    Ok(vec![
        native,
        Material {
            key,
            chain,
            anchors: stores::anchors(&store)?,
            sends: Sends::AsStored,
        },
    ])
}

/// Sections of `key = value`; both without regard to case.
struct Ini {
    path: PathBuf,
    values: BTreeMap<(String, String), String>,
}

impl Ini {
    fn read(path: &Path) -> Result<Ini, LabError> {
        let mut values = BTreeMap::new();
        let mut section = String::new();
        for line in read_text(path)?.lines().map(str::trim) {
            if line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                section = name.trim().to_lowercase();
            } else if let Some((key, value)) = line.split_once('=') {
                values.insert(
                    (section.clone(), key.trim().to_lowercase()),
                    value.trim().to_owned(),
                );
            }
        }
        Ok(Ini {
            path: path.to_owned(),
            values,
        })
    }

    fn get(&self, section: &str, key: &str) -> Option<&str> {
        let found = self.values.get(&(section.to_lowercase(), key.to_lowercase()))?;
        (!found.is_empty()).then_some(found.as_str())
    }

    fn need(&self, section: &str, key: &str) -> Result<&str, LabError> {
        self.get(section, key)
            .ok_or_else(|| self.wrong(format!("no value for [{section}] {key}")))
    }

    fn wrong(&self, what: String) -> LabError {
        LabError::Content {
            path: self.path.clone(),
            what,
        }
    }
}
