//! What the files of one installation say about its processes, before names are resolved.

use std::collections::BTreeMap;
use std::time::Duration;

use super::layout::Site;
use super::layout::exists;
use crate::component::ClientCertificate;
use crate::component::Command;
use crate::component::Component;
use crate::component::Effective;
use crate::component::Healthy;
use crate::component::Holds;
use crate::component::Listen;
use crate::component::Means;
use crate::component::ProcessRef;
use crate::component::Secret;
use crate::component::Selects;
use crate::component::Setting;
use crate::component::StoreFile;
use crate::component::Syntax;
use crate::edit;
use crate::files::HostFiles;
use crate::liberty;

/// One process with what it calls itself and others.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) component: Component,
    pub(crate) kind: Kind,
    /// The installation, for its commands.
    pub(crate) site: Site,
    /// Its listening port.
    pub(crate) port: Option<String>,
    /// The name or address under which it says that it listens.
    pub(crate) said_host: Option<String>,
    /// `thiscpu`.
    pub(crate) workstation: Option<String>,
    /// `Broker.Workstation.Name` and what the engine knows of the master.
    pub(crate) broker: Option<Broker>,
    /// Whom it calls: host and port as written, with the store it presents from.
    pub(crate) calls: Vec<(String, String)>,
    /// What a person should know.
    pub(crate) notes: Vec<String>,
}

/// Which process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Agent,
    Console,
    Engine,
    Netman,
}

impl Kind {
    /// The end of the component's id, and the name of its listening address.
    pub(crate) fn names(self) -> (&'static str, &'static str) {
        match self {
            Kind::Agent => ("agent", "agent"),
            Kind::Console => ("console", "https"),
            Kind::Engine => ("engine", "https"),
            Kind::Netman => ("netman", "netman"),
        }
    }
}

/// What `BrokerWorkstation.properties` says. Source: domain specification B.4.
#[derive(Debug, Clone, Default)]
pub(crate) struct Broker {
    pub(crate) name: Option<String>,
    pub(crate) manager: Option<String>,
    pub(crate) domain: Option<String>,
    pub(crate) master: Option<String>,
    pub(crate) master_host: Option<String>,
    pub(crate) master_port: Option<String>,
}

/// All processes of one installation.
pub(crate) fn of(host: &dyn HostFiles, site: &Site) -> Vec<Part> {
    let mut parts = Vec::new();
    parts.extend(
        site.engine
            .as_ref()
            .map(|dir| server(host, site, dir, Kind::Engine)),
    );
    parts.extend(site.localopts.as_ref().map(|path| netman(host, site, path)));
    parts.extend(site.agent.as_ref().map(|dir| agent(host, site, dir)));
    parts.extend(
        site.console
            .as_ref()
            .map(|dir| server(host, site, dir, Kind::Console)),
    );
    if let Some(first) = parts.first_mut() {
        first.notes.extend(site.notes.iter().cloned());
    }
    parts
}

fn part(host: &dyn HostFiles, site: &Site, kind: Kind, runtime: &str, identity: Means, trust: Means) -> Part {
    let effective = Effective {
        identity,
        trust,
        process: None,
        healthy: None,
        takes: match kind {
            Kind::Engine | Kind::Console => LIBERTY_TAKES,
            Kind::Agent | Kind::Netman => AGENT_TAKES,
        },
    };
    let component = Component {
        id: format!("{}-{}", host.host(), kind.names().0),
        host: host.host().to_owned(),
        product: super::PRODUCT.to_owned(),
        role: String::new(),
        runtime: runtime.to_owned(),
        dir: Some(site.install.clone()),
        cost_milli: 1000,
        external: false,
        trusts_new_since: None,
        keeps_no_old_identity: kind == Kind::Console,
        stores: Vec::new(),
        settings: Vec::new(),
        effective,
        listens: Vec::new(),
        dials: Vec::new(),
    };
    Part {
        component,
        kind,
        site: site.clone(),
        port: None,
        said_host: None,
        workstation: None,
        broker: None,
        calls: Vec::new(),
        notes: Vec::new(),
    }
}

impl Part {
    /// Adds the listening address.
    pub(crate) fn listen(&mut self, address: &str, client_certificate: ClientCertificate) {
        let Some(port) = &self.port else { return };
        let address = format!("{address}:{port}");
        let id_of = |holds: Holds| {
            self.component
                .stores
                .iter()
                .find(|store| store.holds.contains(&holds))
                .map(|store| store.id.clone())
        };
        self.component.listens = vec![Listen {
            name: self.kind.names().1.to_owned(),
            identity: id_of(Holds::Identity),
            trust: id_of(Holds::Trust),
            address: address.clone(),
            client_certificate,
            starttls: None,
            server_name: None,
        }];
        self.component.effective.process = Some(ProcessRef::Address(address));
        if matches!(self.kind, Kind::Engine | Kind::Console) {
            self.component.effective.healthy = Some(Healthy::Tcp(port.clone()));
        }
    }

    /// The pairs of stores with which it dials: `(identity, trust)`.
    pub(crate) fn dial_stores(&self) -> Vec<(String, String)> {
        let id_of = |store: &StoreFile| store.id.clone();
        let both: Vec<String> = self
            .component
            .stores
            .iter()
            .filter(|store| store.holds_identity() && store.holds_trust())
            .map(id_of)
            .collect();
        if !both.is_empty() {
            return both.into_iter().map(|id| (id.clone(), id)).collect();
        }
        let identity = self
            .component
            .stores
            .iter()
            .find(|store| store.holds_identity())
            .map(id_of);
        let trust = self
            .component
            .stores
            .iter()
            .find(|store| store.holds_trust())
            .map(id_of);
        identity.zip(trust).into_iter().collect()
    }
}

/// A Liberty server: engine or console.
fn server(host: &dyn HostFiles, site: &Site, dir: &str, kind: Kind) -> Part {
    let config = liberty::read(host, dir);
    let ssl = config.endpoint_ssl();
    let key_store = ssl.as_ref().and_then(|ssl| ssl.key_store.clone());
    let trust_store = ssl.as_ref().and_then(|ssl| ssl.trust_store.clone());
    let restart = || {
        let stop = site.program(
            host,
            &[
                "appservertools/stopAppServer.sh",
                "appservertools/stopAppServer.bat",
            ],
        );
        let start = site.program(
            host,
            &[
                "appservertools/startAppServer.sh",
                "appservertools/startAppServer.bat",
            ],
        );
        Means::Restart(vec![command(&[&stop]), command(&[&start])])
    };
    let means = |store: &Option<liberty::KeyStore>| {
        let polled = store.as_ref().and_then(|store| store.polled_millis);
        polled.map_or_else(restart, |millis| Means::Live(Duration::from_millis(millis * 2)))
    };
    let newer = key_store
        .as_ref()
        .is_some_and(|store| store.location.to_ascii_lowercase().ends_with(".p12"));
    let runtime = if newer { "java17" } else { JAVA_OLD };
    let mut part = part(host, site, kind, runtime, means(&key_store), means(&trust_store));
    part.notes.extend(
        config
            .notes
            .iter()
            .map(|note| format!("{}: {note}", part.component.id)),
    );
    let alias = ssl.as_ref().and_then(|ssl| ssl.server_key_alias.clone());
    server_stores(&mut part, dir, &key_store, &trust_store, alias.as_deref());
    if let Some((ssl, _)) = ssl.as_ref().zip(alias)
        && let Some(place) = config.place("ssl", &ssl.id, "serverKeyAlias")
    {
        part.notes.extend(liberty::shadowed(&[&place]));
        let selects = Selects::AliasOf("keystore".to_owned());
        part.component
            .settings
            .push(setting(&place.file, Syntax::Xml, &place.key, selects));
    }
    if let Some((said_host, port)) = config.https() {
        part.said_host = said_host;
        part.port = Some(port);
    }
    if kind == Kind::Engine {
        broker(host, site, &mut part);
    } else {
        part.component.role = "DWC".to_owned();
    }
    let asks = match ssl {
        Some(ssl) if ssl.client_authentication => ClientCertificate::Required,
        Some(ssl) if ssl.client_authentication_supported => ClientCertificate::Requested,
        _ => ClientCertificate::None,
    };
    let address = part.said_host.clone().unwrap_or_default();
    part.listen(&address, asks);
    part
}

fn server_stores(
    part: &mut Part,
    dir: &str,
    key_store: &Option<liberty::KeyStore>,
    trust_store: &Option<liberty::KeyStore>,
    alias: Option<&str>,
) {
    let same = key_store == trust_store;
    for (id, store) in [("keystore", key_store), ("truststore", trust_store)] {
        let Some(store) = store else {
            part.notes
                .push(format!("{}: its {id} is not named in {dir}", part.component.id));
            continue;
        };
        if id == "truststore" && same {
            continue;
        }
        let identity = id == "keystore";
        let mut holds = vec![if identity { Holds::Identity } else { Holds::Trust }];
        if same {
            holds = vec![Holds::Identity, Holds::Trust];
        }
        let password = store.password.clone().filter(|_| store.decodable);
        if store.password.is_some() && !store.decodable {
            part.notes.push(format!(
                "{}: the password of {} is encoded with a key that is not known here; name it in capgrow.toml",
                part.component.id, store.location
            ));
        }
        part.component.stores.push(StoreFile {
            id: id.to_owned(),
            file: store.location.clone(),
            key_file: None,
            holds,
            alias: alias.map(str::to_owned).filter(|_| identity),
            password: password.map(|(file, syntax, key)| Secret::Setting { file, syntax, key }),
            key_password: None,
            stash: None,
        });
    }
}

fn broker(host: &dyn HostFiles, site: &Site, part: &mut Part) {
    let path = format!("{}/{}", site.data, super::BROKER_PROPERTIES);
    let Ok(bytes) = host.read(&path) else {
        return part
            .notes
            .push(format!("{}: {path} is not there", part.component.id));
    };
    let read = |key: &str| {
        let value = edit::value(Syntax::Properties, &bytes, key).ok().flatten()?;
        Some(value.trim().to_owned()).filter(|value| !value.is_empty())
    };
    part.broker = Some(Broker {
        name: read("Broker.Workstation.Name"),
        manager: read("DomainManager.Workstation.Name"),
        domain: read("DomainManager.Workstation.Domain"),
        master: read("MasterDomainManager.Name"),
        master_host: read("MasterDomainManager.HostName"),
        master_port: read("MasterDomainManager.HttpsPort"),
    });
    let selects = Selects::AllowedNames {
        separator: ";".to_owned(),
    };
    part.component
        .settings
        .push(setting(&path, Syntax::Properties, super::AUTHORIZED_CNS, selects));
}

/// The fault-tolerant part: netman with mailman, writer, batchman, jobman.
fn netman(host: &dyn HostFiles, site: &Site, path: &str) -> Part {
    let bytes = host.read(path).unwrap_or_default();
    let read = |key: &str| {
        let value = edit::value(Syntax::Localopts, &bytes, key).ok().flatten()?;
        Some(value).filter(|value| !value.is_empty())
    };
    let conman = site.program(host, &["TWS/bin/conman", "TWS/bin/conman.exe"]);
    let start_up = site.program(host, &["TWS/StartUp", "TWS/StartUp.cmd"]);
    // Source: domain specification B.10, R-111.
    let restart = Means::Restart(vec![
        command(&[&conman, "stop;wait"]),
        command(&[&conman, "shut;wait"]),
        command(&[&start_up]),
        command(&[&conman, "start"]),
    ]);
    let gskit = [FIPS_OLD, FIPS_NEW]
        .iter()
        .any(|key| read(key).is_some_and(|yes| yes.eq_ignore_ascii_case("yes")));
    let gskit = gskit && read("SSL keystore file").is_some();
    let runtime = if gskit { GSKIT } else { "openssl" };
    let mut part = part(host, site, Kind::Netman, runtime, restart.clone(), restart);
    part.workstation = read("thiscpu");
    part.port = ["nm SSL full port", "nm SSL port"]
        .iter()
        .filter_map(|key| read(key))
        .find(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    let there = |key: &str| read(key).filter(|file| exists(host, file));
    part.component.stores = if gskit {
        cms_stores(&read, &there)
    } else {
        pem_stores(&read, &there)
    };
    if gskit && read(CMS_LABEL).is_some() {
        let selects = Selects::AliasOf("cms".to_owned());
        part.component
            .settings
            .push(setting(path, Syntax::Localopts, CMS_LABEL, selects));
    }
    if part.component.stores.is_empty() {
        part.notes
            .push(format!("{}: {path} names no certificate", part.component.id));
    }
    part.listen("", ClientCertificate::Required);
    part
}

type Read<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// With `SSL FIPS compliance = yes`, GSKit's database for everything.
fn cms_stores(read: &Read<'_>, there: &Read<'_>) -> Vec<StoreFile> {
    let stash = there("SSL keystore pwd");
    vec![StoreFile {
        id: "cms".to_owned(),
        file: read("SSL keystore file").unwrap_or_default(),
        key_file: None,
        holds: vec![Holds::Identity, Holds::Trust],
        alias: read(CMS_LABEL),
        password: stash.clone().map(Secret::Stash),
        key_password: None,
        stash,
    }]
}

/// PEM files, or from 10.2 on PKCS#12 beside a PEM bundle.
fn pem_stores(read: &Read<'_>, there: &Read<'_>) -> Vec<StoreFile> {
    let as_p12 = read("SSL cert type").is_some_and(|kind| kind.eq_ignore_ascii_case("P12"));
    let password = there("SSL key pwd").map(Secret::Stash);
    let identity = read("SSL certificate").map(|file| StoreFile {
        id: "id".to_owned(),
        file,
        key_file: read("SSL key").filter(|_| !as_p12),
        holds: vec![Holds::Identity],
        alias: None,
        password: password.clone().filter(|_| as_p12),
        key_password: password.filter(|_| !as_p12),
        stash: None,
    });
    let trust = read("SSL CA certificate").map(|file| trust_pem("ca", &file));
    identity.into_iter().chain(trust).collect()
}

/// The dynamic agent.
fn agent(host: &dyn HostFiles, site: &Site, dir: &str) -> Part {
    let ita = format!("{dir}/ita/ita.ini");
    let bytes = host.read(&ita).unwrap_or_default();
    let stop = site.program(host, &["TWS/ShutDownLwa", "TWS/ShutDownLwa.cmd"]);
    let start = site.program(host, &["TWS/StartUpLwa", "TWS/StartUpLwa.cmd"]);
    let restart = Means::Restart(vec![command(&[&stop]), command(&[&start])]);
    let label = ini(&bytes, &["ITA SSL/cert_label", "ITA/cert_label"]);
    // An upgraded host keeps the old databases; the folder that `ita.ini` names decides.
    let named = ini(&bytes, FOLDER_KEYS);
    let newer = openssl_stores(host, site, &bytes);
    let decided = named.is_some_and(|folder| {
        newer
            .iter()
            .any(|store| store.file.starts_with(folder.trim_end_matches('/')))
    });
    let older = if decided {
        Vec::new()
    } else {
        gskit_stores(host, site, dir, &bytes)
    };
    let stores = if older.is_empty() { newer } else { older };
    let gskit = stores.iter().any(|store| store.id == "cms");
    let runtime = if gskit { GSKIT } else { "openssl" };
    let mut part = part(host, site, Kind::Agent, runtime, restart.clone(), restart);
    part.component.role = "DA".to_owned();
    let id = part.component.id.clone();
    if stores.is_empty() {
        part.notes.push(format!(
            "{id}: no key store of the agent is where {ita} or the layout says"
        ));
    }
    if gskit && label.is_some() {
        let inner = ini(&bytes, &["ITA SSL/cert_label"]).is_some();
        let key = if inner {
            "ITA SSL/cert_label"
        } else {
            "ITA/cert_label"
        };
        let selects = Selects::AliasOf("cms".to_owned());
        part.component
            .settings
            .push(setting(&ita, Syntax::Ini, key, selects));
    }
    let old_spelling = |file: &str| SPELLINGS.iter().skip(1).any(|wrong| file.contains(wrong));
    for store in stores.iter().filter(|store| old_spelling(&store.file)) {
        part.notes.push(format!(
            "{id}: {} has one of the old spellings of its name",
            store.file
        ));
    }
    part.component.stores = stores;
    part.port = ini(&bytes, &["ITA SSL/ssl_port", "ITA/ssl_port"]).filter(|port| port != "0");
    job_manager(host, dir, &mut part);
    if ini(&bytes, JWT_FILE).is_some() {
        part.notes.push(format!(
            "{id}: it authenticates by JWT (jwt_file in {ita}); a plan takes it back to certificates before the signer \
             changes (R-289)"
        ));
    }
    let address = part.said_host.clone().unwrap_or_default();
    part.listen(&address, ClientCertificate::Required);
    part
}

/// Its own name and whom it calls. Source: domain specification B.1, B.4.
fn job_manager(host: &dyn HostFiles, dir: &str, part: &mut Part) {
    let bytes = host
        .read(&format!("{dir}/config/JobManager.ini"))
        .unwrap_or_default();
    part.said_host = ini(&bytes, &["ResourceAdvisorAgent/FullyQualifiedHostname"]);
    for key in [
        "ResourceAdvisorAgent/ResourceAdvisorUrl",
        "ResourceAdvisorAgent/BackupResourceAdvisorUrls",
    ] {
        let urls = ini(&bytes, &[key]).unwrap_or_default();
        let called = urls
            .split([',', ';', ' ', '"'])
            .filter_map(|url| address_of(host, dir, url));
        part.calls.extend(called);
    }
    part.calls.dedup();
}

/// The first of these keys that has a value.
pub(crate) fn ini(bytes: &[u8], keys: &[&str]) -> Option<String> {
    let one = |key: &&str| edit::value(Syntax::Ini, bytes, key).ok().flatten();
    keys.iter().filter_map(one).find(|value| !value.is_empty())
}

/// Up to 10.1: a CMS database for the agent and a JKS for its Java part. Source: domain specification B.3, E-01.
fn gskit_stores(host: &dyn HostFiles, site: &Site, dir: &str, ita: &[u8]) -> Vec<StoreFile> {
    let ssl = format!("{}/ssl", site.data);
    let name = ini(ita, &["ITA SSL/key_db_name", "ITA/key_db_name"]);
    let mut folders: Vec<String> = ini(ita, FOLDER_KEYS).into_iter().collect();
    folders.extend([format!("{ssl}/GSKit"), format!("{dir}/ita/cert")]);
    let mut databases: Vec<String> = Vec::new();
    for folder in &folders {
        let folder = folder.trim_end_matches('/');
        databases.push(format!("{folder}.kdb"));
        let names = name.as_deref().into_iter().chain(SPELLINGS.iter().copied());
        databases.extend(names.flat_map(|name| [format!("{folder}/{name}"), format!("{folder}/{name}.kdb")]));
    }
    let database = databases
        .into_iter()
        .find(|file| file.ends_with(".kdb") && exists(host, file));
    let java = [ssl, format!("{dir}/ita/cert")];
    let mut java = java.iter().flat_map(|folder| {
        SPELLINGS
            .iter()
            .map(move |name| format!("{folder}/{name}JKS.jks"))
    });
    let java = java.find(|file| exists(host, file));
    let label = ini(ita, &["ITA SSL/cert_label", "ITA/cert_label"]);
    let both = [("cms", database, label), ("jks", java, None)];
    both.into_iter()
        .filter_map(|(id, file, alias)| {
            let file = file?;
            let stash = Some(with_ending(&file, "sth")).filter(|stash| exists(host, stash));
            Some(StoreFile {
                id: id.to_owned(),
                file,
                key_file: None,
                holds: vec![Holds::Identity, Holds::Trust],
                alias,
                password: stash.clone().map(Secret::Stash),
                key_password: None,
                stash,
            })
        })
        .collect()
}

/// From 10.2 on: PKCS#12 and a PEM bundle. Source: domain specification B.3.
fn openssl_stores(host: &dyn HostFiles, site: &Site, ita: &[u8]) -> Vec<StoreFile> {
    let mut folders: Vec<String> = ini(ita, FOLDER_KEYS).into_iter().collect();
    folders.push(format!("{}/ssl/certs", site.data));
    let found = folders.iter().find_map(|folder| {
        let folder = folder.trim_end_matches('/');
        let files = SPELLINGS.iter().map(|name| format!("{folder}/{name}.p12"));
        files
            .into_iter()
            .find(|file| exists(host, file))
            .map(|file| (folder, file))
    });
    let Some((folder, file)) = found else {
        return Vec::new();
    };
    let stashes = [with_ending(&file, "sth"), format!("{folder}/tls.sth")];
    let identity = StoreFile {
        id: "id".to_owned(),
        file,
        key_file: None,
        holds: vec![Holds::Identity],
        alias: None,
        password: stashes
            .into_iter()
            .find(|file| exists(host, file))
            .map(Secret::Stash),
        key_password: None,
        stash: None,
    };
    let pem = format!("{folder}/TWSClientTrustStore.pem");
    let trust = exists(host, &pem).then(|| trust_pem("ca", &pem));
    std::iter::once(identity).chain(trust).collect()
}

fn trust_pem(id: &str, file: &str) -> StoreFile {
    StoreFile {
        id: id.to_owned(),
        file: file.to_owned(),
        key_file: None,
        holds: vec![Holds::Trust],
        alias: None,
        password: None,
        key_password: None,
        stash: None,
    }
}

/// Host and port of an agent's URL; behind a local gateway the gateway's own.
fn address_of(host: &dyn HostFiles, dir: &str, url: &str) -> Option<(String, String)> {
    if url.contains("/JobManagerGW/") {
        let bytes = host.read(&format!("{dir}/config/JobManagerGW.ini")).ok()?;
        let key = "ResourceAdvisorAgent/ResourceAdvisorUrl";
        let behind = edit::value(Syntax::Ini, &bytes, key).ok().flatten()?;
        return if behind.contains("/JobManagerGW/") {
            None
        } else {
            address_of(host, dir, &behind)
        };
    }
    let rest = url.trim().strip_prefix("https://")?;
    let authority = rest.split('/').next().unwrap_or(rest);
    let (name, port) = authority.rsplit_once(':').unwrap_or((authority, "443"));
    (!name.is_empty()).then(|| (name.to_owned(), port.to_owned()))
}

/// The path with another ending.
pub(crate) fn with_ending(path: &str, ending: &str) -> String {
    let stem = path
        .rsplit_once('.')
        .filter(|(_, old)| !old.contains('/'))
        .map_or(path, |(stem, _)| stem);
    format!("{stem}.{ending}")
}

fn command(argv: &[&str]) -> Command {
    Command {
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        env: BTreeMap::new(),
    }
}

fn setting(file: &str, syntax: Syntax, key: &str, selects: Selects) -> Setting {
    Setting {
        file: file.to_owned(),
        syntax,
        key: key.to_owned(),
        selects,
    }
}

/// Names of the agent's stores; the first is right. Source: E-01.
pub(crate) const SPELLINGS: &[&str] = &["TWSClientKeyStore", "TWSCientKeyStore", "TWSClntKeyStore"];
const CMS_LABEL: &str = "SSL certificate keystore label";
/// Up to 10.1.
pub(crate) const GSKIT: &str = "gskit8";
/// Of the product's Java up to 10.1.
pub(crate) const JAVA_OLD: &str = "java8";
/// Where `ita.ini` names the token of an agent that authenticates by JWT. Source: domain specification B.4.
pub(crate) const JWT_FILE: &[&str] = &["ITA SSL/jwt_file", "ITA/jwt_file"];
/// Where `ita.ini` may name the folder of the stores.
const FOLDER_KEYS: &[&str] = &[
    "ITA SSL/key_repository_dir",
    "ITA SSL/keyrepository_path",
    "ITA/key_repository_dir",
    "ITA/keyrepository_path",
];
const FIPS_OLD: &str = "SSL FIPS compliance";
const FIPS_NEW: &str = "SSL Fips enabled";
const AGENT_TAKES: Duration = Duration::from_secs(90);
const LIBERTY_TAKES: Duration = Duration::from_secs(300);
