//! A small fleet in memory with real stores, for tests that write.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use keystore::Certificate;
use keystore::Edit;
use keystore::Entropy;
use keystore::Format;
use keystore::Limits;
use keystore::Password;
use keystore::Place;
use keystore::PrivateKey;
use keystore::Store;
use keystore::WriteEnv;

use super::StoreContent;
use super::scan::Found;
use super::scan::ScanContext;
use crate::Bench;
use crate::Changes;
use crate::Component;
use crate::HostFiles;
use crate::Outcome;
use crate::Rotation;
use crate::Secret;
use crate::map_files::MapFiles;

pub(super) struct TestFleet {
    pub(super) hosts: Vec<MapFiles>,
    pub(super) definitions: String,
}

/// Which of the lists of a component's changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    Grow,
    Retire,
    Switch,
}

impl TestFleet {
    /// Master (GSKit, shared by netman and agent), console, PEM and PKCS#12 agents, all with default certificates.
    pub(super) fn new() -> Self {
        let mut fleet = TestFleet {
            hosts: Vec::new(),
            definitions: DEFINITIONS.to_owned(),
        };
        let data = "/opt/IBM/TWA/TWSDATA";
        let mut mdm = MapFiles::new(
            "mdm1",
            &format!("{ENGINE}{FIPS}{AGENT}{}", tools())
                .replace("$D", data)
                .replace("$HOST", "127.0.1.1"),
        );
        engine_stores(
            &mut mdm,
            &format!("{data}/usr/servers/engineServer/resources/security"),
        );
        agent_stores(&mut mdm, data);
        mdm.files.insert(
            format!("{data}/ssl/OpenSSL/TWSTrustCertificates.cer"),
            pem(&defaults()),
        );
        fleet.hosts.push(mdm);
        let mut console = MapFiles::new("dwc1", CONSOLE);
        engine_stores(
            &mut console,
            "/opt/IBM/DWC/usr/servers/dwcServer/resources/security",
        );
        fleet.hosts.push(console);
        let mut fta = MapFiles::new("fta1", &PEM.replace("$D", data));
        fta.files.insert(
            format!("{data}/ssl/OpenSSL/TWSClient.cer"),
            pem(&[default("ClientNew")]),
        );
        fta.files.insert(
            format!("{data}/ssl/OpenSSL/TWSTrustCertificates.cer"),
            pem(&defaults()),
        );
        fleet.hosts.push(fta);
        let mut fta = MapFiles::new("fta2", &P12.replace("$D", data));
        newer_stores(&mut fta, data);
        fleet.hosts.push(fta);
        let mut agent = MapFiles::new("da1", &AGENT.replace("$D", data).replace("$HOST", "127.0.1.4"));
        agent_stores(&mut agent, data);
        fleet.hosts.push(agent);
        let mut agent = MapFiles::new("da3", &AGENT.replace("$D", data).replace("$HOST", "127.0.1.5"));
        newer_stores(&mut agent, data);
        fleet.hosts.push(agent);
        fleet
    }

    pub(super) fn scan(&self) -> Found {
        let hosts: Vec<&dyn HostFiles> = self.hosts.iter().map(|host| host as &dyn HostFiles).collect();
        let context = ScanContext {
            definitions: vec![self.definitions.clone()],
            ..ScanContext::default()
        };
        super::scan(&hosts, &context)
    }

    pub(super) fn host(&self, name: &str) -> &MapFiles {
        self.hosts.iter().find(|host| host.host == name).unwrap()
    }

    pub(super) fn contents(&self, component: &Component) -> Vec<StoreContent> {
        let files = self.host(&component.host);
        let stores = component.stores.iter().filter_map(|store| {
            let bytes = files.read(&store.file).ok()?;
            let password = (!store.file.ends_with(".cer")
                && !store.file.ends_with(".crt")
                && !store.file.ends_with(".pem"))
            .then(password);
            let parsed = keystore::read(&bytes, password.as_ref(), &Limits::default()).unwrap();
            let mut content = StoreContent::of(&store.id, &parsed);
            let named = store
                .alias
                .as_ref()
                .and_then(|alias| parsed.find(alias))
                .map(|index| &parsed.entries()[index]);
            content.presented = named.and_then(|entry| entry.certificates().first().cloned());
            if store.key_file.is_some() {
                content.presented = parsed
                    .entries()
                    .first()
                    .and_then(|entry| entry.certificates().first().cloned());
            }
            Some(content)
        });
        stores.collect()
    }

    pub(super) fn changes(&self, component: &Component, rotation: &Rotation) -> Changes {
        super::changes(
            component,
            self.host(&component.host),
            &self.contents(component),
            rotation,
        )
    }

    /// Carries out these events of these components; equal changes of one file are one change.
    pub(super) fn apply(
        &mut self,
        planned: &BTreeMap<String, (Component, Changes)>,
        events: &[(&str, Event)],
    ) {
        let mut done: BTreeSet<String> = BTreeSet::new();
        for (id, event) in events {
            let (component, changes) = &planned[*id];
            let list = match event {
                Event::Grow => &changes.grow,
                Event::Retire => &changes.retire,
                Event::Switch => &changes.switch,
            };
            for change in list {
                let host = self
                    .hosts
                    .iter_mut()
                    .find(|host| host.host == component.host)
                    .unwrap();
                if !done.insert(format!("{} {event:?} {change:?}", component.host)) {
                    continue;
                }
                let mut entropy = Counting(0);
                let mut env = WriteEnv {
                    now_ms: 1,
                    entropy: &mut entropy,
                };
                let current = host.files.get(&change.path).cloned();
                let bench = Table { files: &host.files };
                let outcome = crate::realise(&change.edit, current.as_deref(), &bench, &mut env);
                match outcome.unwrap_or_else(|error| panic!("{id} {event:?} {change:?}: {error:?}")) {
                    Outcome::Bytes(bytes) => drop(host.files.insert(change.path.clone(), bytes)),
                    Outcome::Removed => drop(host.files.remove(&change.path)),
                    Outcome::Unchanged => {}
                }
            }
        }
    }
}

pub(super) fn rotation(old: &[Certificate]) -> Rotation {
    let chain = vec![
        certificate("glowfish", "InternalIssuingCA", 11),
        certificate("InternalIssuingCA", "RootCA", 12),
        certificate("RootCA", "RootCA", 13),
    ];
    Rotation {
        name: "r".to_owned(),
        anchors: vec![chain[2].clone(), chain[1].clone()],
        chain,
        old: old.to_vec(),
        alias: Some("glowfish".to_owned()),
        new_names: vec!["glowfish".to_owned()],
        old_names: vec!["ServerNew".to_owned(), "ClientNew".to_owned()],
        material: "m".to_owned(),
    }
}

pub(super) fn defaults() -> Vec<Certificate> {
    ["Server", "ServerNew", "Client", "ClientNew"]
        .map(default)
        .to_vec()
}

pub(super) fn default(name: &str) -> Certificate {
    let full = [("C", "US"), ("O", "IBM"), ("OU", "TWS"), ("CN", name)];
    let serial = name.len() as u8;
    build(&full, &full, serial)
}

pub(super) fn certificate(subject: &str, issuer: &str, serial: u8) -> Certificate {
    build(&[("CN", subject)], &[("CN", issuer)], serial)
}

pub(super) fn pem(certificates: &[Certificate]) -> Vec<u8> {
    let mut store = Store::empty(Format::Pem).unwrap();
    let mut entropy = Counting(7);
    let mut env = WriteEnv {
        now_ms: 1,
        entropy: &mut entropy,
    };
    for certificate in certificates {
        let edit = Edit::Trust {
            alias: None,
            certificate: certificate.clone(),
            place: Place::Last,
        };
        store.edit(&edit, &mut env).unwrap();
    }
    store.write(None, &mut env).unwrap()
}

fn engine_stores(host: &mut MapFiles, dir: &str) {
    let keys = store(Format::Jks, &[("server", true, "ServerNew")]);
    host.files.insert(format!("{dir}/TWSServerKeyFile.jks"), keys);
    let trusted = [
        ("twstrustkey", false, "ServerNew"),
        ("twstrustkeyold", false, "Server"),
        ("client", false, "ClientNew"),
        ("clientold", false, "Client"),
    ];
    host.files.insert(
        format!("{dir}/TWSServerTrustFile.jks"),
        store(Format::Jks, &trusted),
    );
}

fn agent_stores(host: &mut MapFiles, data: &str) {
    let java = [("server", false, "ServerNew"), ("client", true, "ClientNew")];
    host.files.insert(
        format!("{data}/ssl/TWSClientKeyStoreJKS.jks"),
        store(Format::Jks, &java),
    );
    let gskit = [
        ("server", false, "ServerNew"),
        ("serverold", false, "Server"),
        ("client", true, "ClientNew"),
    ];
    host.files.insert(
        format!("{data}/ssl/GSKit/TWSClientKeyStore.kdb"),
        store(Format::CmsKdb, &gskit),
    );
    for name in ["TWSClientKeyStoreJKS", "GSKit/TWSClientKeyStore"] {
        host.files
            .insert(format!("{data}/ssl/{name}.sth"), b"ZGVmYXVsdA==\n".to_vec());
    }
}

fn newer_stores(host: &mut MapFiles, data: &str) {
    let identity = store(Format::Pkcs12, &[("client", true, "ClientNew")]);
    host.files
        .insert(format!("{data}/ssl/certs/TWSClientKeyStore.p12"), identity);
    host.files.insert(
        format!("{data}/ssl/certs/TWSClientTrustStore.pem"),
        pem(&defaults()),
    );
    host.files
        .insert(format!("{data}/ssl/certs/tls.sth"), b"ZGVmYXVsdA==\n".to_vec());
}

fn store(format: Format, entries: &[(&str, bool, &str)]) -> Vec<u8> {
    let mut store = Store::empty(format).unwrap();
    let mut entropy = Counting(7);
    let mut env = WriteEnv {
        now_ms: 1,
        entropy: &mut entropy,
    };
    for (alias, is_key, name) in entries {
        let alias = Some((*alias).to_owned());
        let certificate = default(name);
        let edit = if *is_key {
            Edit::PutKey {
                alias,
                key: key(),
                chain: vec![certificate],
                key_password: Some(password()),
                place: Place::Last,
            }
        } else {
            Edit::Trust {
                alias,
                certificate,
                place: Place::Last,
            }
        };
        store.edit(&edit, &mut env).unwrap();
    }
    store.write(Some(&password()), &mut env).unwrap()
}

fn password() -> Password {
    Password::new("default")
}

struct Table<'a> {
    files: &'a BTreeMap<String, Vec<u8>>,
}

impl Bench for Table<'_> {
    fn password(&self, _secret: &Secret) -> Result<Password, String> {
        Ok(password())
    }

    fn private_key(&self, _material: &str) -> Result<PrivateKey, String> {
        Ok(key())
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        self.files
            .get(path)
            .cloned()
            .ok_or_else(|| format!("{path} is not there"))
    }
}

struct Counting(u8);

impl Entropy for Counting {
    fn fill(&mut self, into: &mut [u8]) {
        for byte in into {
            self.0 = self.0.wrapping_add(1);
            *byte = self.0;
        }
    }
}

/// Not a key anyone could use: the frame of one.
fn key() -> PrivateKey {
    let inner = der(0x30, &[integer(0), integer(3)].concat());
    let body = [
        integer(0),
        algorithm(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]),
        der(4, &inner),
    ]
    .concat();
    PrivateKey::from_pkcs8_der(der(0x30, &body)).unwrap()
}

/// A certificate with a signature of zeros.
fn build(subject: &[(&str, &str)], issuer: &[(&str, &str)], serial: u8) -> Certificate {
    let sha256_rsa = algorithm(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11]);
    let modulus = der(2, &[vec![0x00, 0xc0 | serial], vec![serial; 127]].concat());
    let public = der(0x30, &[modulus, integer(3)].concat());
    let spki = [
        algorithm(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]),
        der(3, &[vec![0], public].concat()),
    ]
    .concat();
    let validity = [der(0x17, b"200101000000Z"), der(0x17, b"400101000000Z")].concat();
    let tbs = [
        der(0xa0, &integer(2)),
        integer(serial),
        sha256_rsa.clone(),
        name(issuer),
        der(0x30, &validity),
        name(subject),
        der(0x30, &spki),
    ]
    .concat();
    let whole = [der(0x30, &tbs), sha256_rsa, der(3, &[0; 129])].concat();
    Certificate::parse(&der(0x30, &whole)).unwrap()
}

fn name(parts: &[(&str, &str)]) -> Vec<u8> {
    let rows = parts.iter().map(|(kind, text)| {
        let last = match *kind {
            "C" => 6,
            "O" => 10,
            "OU" => 11,
            _ => 3,
        };
        der(
            0x31,
            &der(
                0x30,
                &[der(6, &[0x55, 4, last]), der(0x13, text.as_bytes())].concat(),
            ),
        )
    });
    der(0x30, &rows.collect::<Vec<_>>().concat())
}

fn algorithm(oid: &[u8]) -> Vec<u8> {
    der(0x30, &[der(6, oid), vec![5, 0]].concat())
}

fn integer(value: u8) -> Vec<u8> {
    der(2, &[value])
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = match length {
        0..=127 => vec![tag, length as u8],
        128..=255 => vec![tag, 0x81, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [head, content.to_vec()].concat()
}

fn tools() -> &'static str {
    "== /opt/IBM/TWA/appservertools/stopAppServer.sh\n== /opt/IBM/TWA/TWS/bin/conman\n== /opt/IBM/TWA/TWS/StartUp\n"
}

const ENGINE: &str = "
== $D/usr/servers/engineServer/server.xml
<server><jwtBuilder id='a' keyAlias='server'/><jwtBuilder id='b' keyAlias='server'/><jwtBuilder id='c' keyAlias='server'/>
</server>
== $D/usr/servers/engineServer/configDropins/defaults/ssl_config.xml
<server><ssl id='twaSSLSettings' keyStoreRef='k' trustStoreRef='t' clientAuthentication='true'/>
<keyStore id='k' location='TWSServerKeyFile.jks' password='{xor}Ozo5Pio0Kw=='/>
<keyStore id='t' location='TWSServerTrustFile.jks' password='{xor}Ozo5Pio0Kw=='/><sslDefault sslRef='twaSSLSettings'/>
<httpEndpoint id='defaultHttpEndpoint' host='127.0.1.1' httpsPort='31116'/></server>
== $D/usr/servers/engineServer/configDropins/defaults/jwt_variables.xml
<server><variable name='mp.jwt.trust.key' value='none'/></server>
== $D/usr/servers/engineServer/configDropins/overrides/jwt_variables.xml
<server><variable name='mp.jwt.trust.key' value='twstrustkey'/></server>
== $D/broker/config/BrokerWorkstation.properties
Broker.AuthorizedCNs=Server;ServerNew
Broker.Workstation.Name=MDM1_DWB
MasterDomainManager.Name=MDM1
";
const CONSOLE: &str = "
== /opt/IBM/DWC/usr/servers/dwcServer/server.xml
<server><ssl id='s' keyStoreRef='k' trustStoreRef='t' clientAuthentication='true'/><sslDefault sslRef='s'/>
<keyStore id='k' location='TWSServerKeyFile.jks' password='{xor}Ozo5Pio0Kw==' updateTrigger='polled' pollingRate='1s'/>
<keyStore id='t' location='TWSServerTrustFile.jks' password='{xor}Ozo5Pio0Kw==' updateTrigger='polled' pollingRate='1s'/>
<httpEndpoint id='defaultHttpEndpoint' host='127.0.1.9' httpsPort='9443'/></server>
";
const FIPS: &str = "
== $D/localopts
thiscpu = MDM1
nm SSL full port = 31113
SSL FIPS compliance = yes
SSL CA certificate = \"$D/ssl/OpenSSL/TWSTrustCertificates.cer\"
SSL keystore file = \"$D/ssl/GSKit/TWSClientKeyStore.kdb\"
SSL certificate keystore label = client
SSL keystore pwd = \"$D/ssl/GSKit/TWSClientKeyStore.sth\"
";
const PEM: &str = "
== $D/localopts
thiscpu = FTA1
nm SSL full port = 31113
SSL key = \"$D/ssl/OpenSSL/TWSClient.key\"
SSL certificate = \"$D/ssl/OpenSSL/TWSClient.cer\"
SSL key pwd = \"$D/ssl/OpenSSL/password.sth\"
SSL CA certificate = \"$D/ssl/OpenSSL/TWSTrustCertificates.cer\"
SSL random seed = \"$D/ssl/OpenSSL/TWS.rnd\"
== $D/ssl/OpenSSL/password.sth
ZGVmYXVsdA==
== $D/ssl/OpenSSL/TWSClient.key
key
== $D/ssl/OpenSSL/TWS.rnd
seed
";
const P12: &str = "
== $D/localopts
thiscpu = FTA2
nm SSL full port = 31113
SSL key = \"\"
SSL cert type = P12
SSL certificate = \"$D/ssl/certs/TWSClientKeyStore.p12\"
SSL key pwd = \"$D/ssl/certs/tls.sth\"
SSL CA certificate = \"$D/ssl/certs/TWSClientTrustStore.pem\"
";
const AGENT: &str = "
== $D/ITA/cpa/ita/ita.ini
[ITA SSL]
ssl_port = 31114
cert_label = client
== $D/ITA/cpa/config/JobManager.ini
[ResourceAdvisorAgent]
ResourceAdvisorUrl = https://127.0.1.1:31116/JobManagerRESTWeb/JobScheduler/resource
FullyQualifiedHostname = $HOST
";
const DEFINITIONS: &str = "
CPUNAME MDM1 OS UNIX NODE 127.0.1.1 SECUREADDR 31113 DOMAIN MASTERDM FOR MAESTRO TYPE MANAGER SECURITYLEVEL FORCE_ENABLED END
CPUNAME FTA1 OS UNIX NODE 127.0.1.2 SECUREADDR 31113 DOMAIN MASTERDM FOR MAESTRO TYPE FTA SECURITYLEVEL FORCE_ENABLED END
CPUNAME FTA2 OS UNIX NODE 127.0.1.3 SECUREADDR 31113 DOMAIN MASTERDM FOR MAESTRO TYPE FTA SECURITYLEVEL FORCE_ENABLED END
";
