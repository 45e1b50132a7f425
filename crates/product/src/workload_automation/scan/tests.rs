//! Fleets as in-memory trees; the answer is printed as one line a component and one a link.

use super::*;
use crate::map_files::MapFiles;

/// A host of a fleet as text; `$I` is the installation directory, `$A` its address.
struct Tree {
    install: &'static str,
    hosts: Vec<MapFiles>,
    definitions: String,
}

impl Tree {
    fn new(install: &'static str) -> Self {
        Tree {
            install,
            hosts: Vec::new(),
            definitions: "DOMAIN MASTERDM MANAGER MDM1 END\n".to_owned(),
        }
    }

    fn host(&mut self, name: &str, parts: &[&str]) -> &mut Self {
        let address = address(name);
        let mut text = String::new();
        for part in parts {
            text.push_str(part);
        }
        let text = text
            .replace("$D", "$I/TWSDATA")
            .replace("$I", self.install)
            .replace("$A", &address)
            .replace("$CPU", &name.to_uppercase());
        self.hosts.push(MapFiles::new(name, &text));
        self
    }

    fn cpu(&mut self, name: &str, rest: &str) -> &mut Self {
        let node = address(&name.to_lowercase());
        self.definitions
            .push_str(&format!("CPUNAME {name} OS UNIX NODE {node} {rest} END\n"));
        self
    }

    fn scan(&self, context: &ScanContext) -> Found {
        let hosts: Vec<&dyn HostFiles> = self.hosts.iter().map(|host| host as &dyn HostFiles).collect();
        scan(&hosts, context)
    }

    fn with_definitions(&self) -> Found {
        let context = ScanContext {
            definitions: vec![self.definitions.clone()],
            ..ScanContext::default()
        };
        self.scan(&context)
    }
}

/// `mdm1` has 127.9.0.<sum of its letters>.
fn address(name: &str) -> String {
    format!("127.9.0.{}", name.bytes().map(u32::from).sum::<u32>() % 251)
}

fn links(found: &Found) -> Vec<String> {
    let mut all: Vec<String> = found
        .components
        .iter()
        .flat_map(|component| {
            component.dials.iter().map(|dial| {
                format!(
                    "{} -> {}.{} as {}",
                    component.id,
                    dial.to,
                    dial.endpoint,
                    dial.identity.clone().unwrap_or_default()
                )
            })
        })
        .collect();
    all.sort();
    all
}

fn roles(found: &Found) -> Vec<String> {
    found
        .components
        .iter()
        .map(|component| format!("{} {} {}", component.id, component.role, component.runtime))
        .collect()
}

const ENGINE: &str = "
== $D/usr/servers/engineServer/server.xml
<server><jwtBuilder id='a' keyAlias='server'/></server>
== $D/usr/servers/engineServer/configDropins/defaults/ssl_config.xml
<server><ssl id='twaSSLSettings' keyStoreRef='k' trustStoreRef='t' clientAuthentication='true'/>
<keyStore id='k' location='TWSServerKeyFile.jks' password='${keystore.password}'/>
<keyStore id='t' location='TWSServerTrustFile.jks' password='${keystore.password}'/><sslDefault sslRef='twaSSLSettings'/>
<variable name='keystore.password' value='{xor}Lz4sLA=='/>
<httpEndpoint id='defaultHttpEndpoint' host='${default.host}' httpsPort='31116'/></server>
== $D/usr/servers/engineServer/configDropins/overrides/host_variables.xml
<server><variable name='default.host' value='*'/></server>
== $D/broker/config/BrokerWorkstation.properties
Broker.AuthorizedCNs=Server;ServerNew
Broker.Workstation.Name=$CPU_DWB
MasterDomainManager.Name=MDM1
MasterDomainManager.HostName=127.9.0.116
MasterDomainManager.HttpsPort=31116
== $I/appservertools/startAppServer.sh
";
const NETMAN: &str = "
== $D/localopts
thiscpu = $CPU
nm port = 31111
nm SSL full port = 31113
SSL FIPS compliance = no
SSL key = \"$D/ssl/OpenSSL/TWSClient.key\"
SSL certificate = \"$D/ssl/OpenSSL/TWSClient.cer\"
SSL key pwd = \"$D/ssl/OpenSSL/password.sth\"
SSL CA certificate = \"$D/ssl/OpenSSL/TWSTrustCertificates.cer\"
SSL random seed = \"$D/ssl/OpenSSL/TWS.rnd\"
== $D/ssl/OpenSSL/password.sth
cGFzcw==
== $I/TWS/StartUp
== $I/TWS/bin/conman
";
const AGENT: &str = "
== $D/ITA/cpa/ita/ita.ini
[ITA]
tcp_port = 0
[ITA SSL]
ssl_port = 31114
cert_label = client
== $D/ITA/cpa/config/JobManager.ini
[ResourceAdvisorAgent]
ResourceAdvisorUrl = https://127.9.0.116:31116/JobManagerRESTWeb/JobScheduler/resource
FullyQualifiedHostname = $A
== $D/ssl/GSKit/TWSClientKeyStore.kdb
== $D/ssl/GSKit/TWSClientKeyStore.sth
== $D/ssl/TWSClientKeyStoreJKS.jks
== $D/ssl/TWSClientKeyStoreJKS.sth
";

fn manager(rest: &str) -> String {
    format!("TCPADDR 31111 SECUREADDR 31113 DOMAIN {rest} AUTOLINK ON SECURITYLEVEL FORCE_ENABLED")
}

fn flat(install: &'static str) -> Tree {
    let mut tree = Tree::new(install);
    tree.host("mdm1", &[ENGINE, NETMAN])
        .host("fta1", &[NETMAN])
        .host("da1", &[AGENT]);
    tree.cpu(
        "MDM1",
        &(manager("MASTERDM FOR MAESTRO TYPE MANAGER") + " FULLSTATUS ON"),
    );
    tree.cpu("FTA1", &manager("MASTERDM FOR MAESTRO TYPE FTA"));
    tree.cpu(
        "DA1",
        "SECUREADDR 31114 FOR MAESTRO HOST MDM1_DWB TYPE AGENT PROTOCOL HTTPS",
    );
    tree
}

#[test]
fn the_test_address_of_the_master_is_the_one_in_the_texts() {
    assert_eq!(address("mdm1"), "127.9.0.116");
}

#[test]
fn a_flat_domain_is_found_with_all_links_and_no_question() {
    let found = flat("/opt/IBM/TWA").with_definitions();
    assert_eq!(found.questions, []);
    assert_eq!(
        roles(&found),
        [
            "da1-agent DA gskit8",
            "fta1-netman FTA openssl",
            "mdm1-engine MDM java8",
            "mdm1-netman MDM openssl"
        ]
    );
    assert_eq!(
        links(&found),
        [
            "da1-agent -> mdm1-engine.https as cms",
            "da1-agent -> mdm1-engine.https as jks",
            "fta1-netman -> mdm1-netman.netman as id",
            "mdm1-engine -> da1-agent.agent as keystore",
            "mdm1-netman -> fta1-netman.netman as id",
        ]
    );
    let engine = found
        .components
        .iter()
        .find(|component| component.id == "mdm1-engine")
        .unwrap();
    assert_eq!(engine.listens[0].address, "127.9.0.116:31116");
    assert_eq!(
        engine.store("keystore").unwrap().file,
        "/opt/IBM/TWA/TWSDATA/usr/servers/engineServer/resources/security/TWSServerKeyFile.jks"
    );
    assert!(
        matches!(&engine.store("keystore").unwrap().password, Some(crate::Secret::Setting { key, .. }) if key == "variable[@name='keystore.password']/@value")
    );
    let fta = found
        .components
        .iter()
        .find(|component| component.id == "fta1-netman")
        .unwrap();
    assert!(
        matches!(&fta.effective.identity, crate::Means::Restart(commands) if commands[1].argv == ["/opt/IBM/TWA/TWS/bin/conman", "shut;wait"])
    );
    assert!(
        matches!(&fta.effective.healthy, Some(crate::Healthy::Linked { name, host, .. }) if name == "FTA1" && host == "mdm1")
    );
}

#[test]
fn the_same_tree_elsewhere_and_under_other_names_is_the_same_fleet() {
    let here = flat("/opt/IBM/TWA").with_definitions();
    let mut there = flat("/srv/x/wa95").with_definitions();
    let renamed = |text: String| text.replace("/srv/x/wa95", "/opt/IBM/TWA");
    assert_eq!(
        format!("{:?}", here.components),
        renamed(format!("{:?}", there.components))
    );
    // Other host names: the fleet file's, and those in settings and definitions.
    let mut tree = flat("/opt/IBM/TWA");
    for host in &mut tree.hosts {
        host.host = format!("x-{}", host.host);
        for bytes in host.files.values_mut() {
            *bytes = String::from_utf8(bytes.clone())
                .unwrap()
                .replace("127.9.0.", "10.1.1.")
                .into_bytes();
        }
    }
    tree.definitions = tree.definitions.replace("127.9.0.", "10.1.1.");
    there = tree.with_definitions();
    let renamed = format!("{:?}", there.components)
        .replace("x-", "")
        .replace("10.1.1.", "127.9.0.");
    assert_eq!(format!("{:?}", here.components), renamed);
}

#[test]
fn an_agent_below_a_domain_manager_links_with_it_alone() {
    let mut tree = Tree::new("/opt/IBM/TWA");
    tree.host("mdm1", &[ENGINE, NETMAN])
        .host("dm1", &[NETMAN])
        .host("fta1", &[NETMAN]);
    tree.cpu("MDM1", &manager("MASTERDM FOR MAESTRO TYPE MANAGER"));
    tree.cpu("DM1", &manager("DM1DOM FOR MAESTRO TYPE MANAGER"));
    tree.cpu("FTA1", &manager("DM1DOM FOR MAESTRO TYPE FTA"));
    tree.definitions
        .push_str("DOMAIN DM1DOM MANAGER DM1 PARENT MASTERDM END\n");
    let found = tree.with_definitions();
    assert_eq!(found.questions, []);
    assert_eq!(roles(&found)[0], "dm1-netman DM openssl");
    let asked = |id: &str| {
        let component = found
            .components
            .iter()
            .find(|component| component.id == id)
            .unwrap();
        match &component.effective.healthy {
            Some(crate::Healthy::Linked { host, name, .. }) => format!("{name} on {host}"),
            other => format!("{other:?}"),
        }
    };
    let all = ["fta1-netman", "dm1-netman", "mdm1-netman"].map(asked);
    assert_eq!(all, ["FTA1 on dm1", "DM1 on mdm1", "MDM1 on mdm1"]);
    assert_eq!(
        links(&found),
        [
            "dm1-netman -> fta1-netman.netman as id",
            "dm1-netman -> mdm1-netman.netman as id",
            "fta1-netman -> dm1-netman.netman as id",
            "mdm1-netman -> dm1-netman.netman as id",
        ]
    );
}

fn with_backup(optman: &str) -> Tree {
    let mut tree = Tree::new("/opt/IBM/TWA");
    tree.cpu(
        "MDM1",
        &(manager("MASTERDM FOR MAESTRO TYPE MANAGER") + " FULLSTATUS ON"),
    );
    tree.cpu(
        "BKM1",
        &(manager("MASTERDM FOR MAESTRO TYPE FTA") + " FULLSTATUS ON"),
    );
    tree.cpu(
        "FTA4",
        &(manager("MASTERDM FOR MAESTRO TYPE FTA") + " FULLSTATUS ON"),
    );
    tree.cpu("FTA5", &manager("MASTERDM FOR MAESTRO TYPE FTA"));
    let tools = format!(
        "== $I/TWS/bin/composer\n== $I/TWS/bin/optman\n$ $I/TWS/bin/composer create /dev/stdout from cpu=@\nbanner\n{}$ $I/TWS/bin/optman ls\n{optman}\n",
        tree.definitions
    );
    tree.host("bkm1", &[ENGINE, NETMAN])
        .host("fta4", &[NETMAN])
        .host("fta5", &[NETMAN])
        .host("mdm1", &[ENGINE, NETMAN, &tools]);
    tree
}

#[test]
fn secondary_links_come_from_the_global_option_and_full_status() {
    let found = with_backup("enSwfaultTol / sw = YES").scan(&ScanContext::default());
    assert_eq!(found.questions, []);
    let roles = roles(&found);
    assert_eq!(roles[..2], ["bkm1-engine BKM java8", "bkm1-netman BKM openssl"]);
    let links = links(&found);
    assert!(
        links.contains(&"fta4-netman -> bkm1-netman.netman as id".to_owned()),
        "{links:#?}"
    );
    assert!(links.contains(&"bkm1-netman -> fta4-netman.netman as id".to_owned()));
    assert!(!links.contains(&"fta5-netman -> bkm1-netman.netman as id".to_owned()));
    assert!(links.contains(&"bkm1-engine -> mdm1-engine.https as keystore".to_owned()));
    let without = with_backup("enSwfaultTol / sw = NO").scan(&ScanContext::default());
    assert_eq!(super::tests::links(&without).len(), links.len() - 2);
}

#[test]
fn what_optman_does_not_say_is_a_question() {
    let found = with_backup("nothing").scan(&ScanContext::default());
    let texts: Vec<&str> = found
        .questions
        .iter()
        .map(|question| question.text.as_str())
        .collect();
    assert_eq!(
        texts,
        [
            "do `bkm1-netman` and `fta4-netman` have a secondary link? `optman ls` (enSwfaultTol) does not answer"
        ]
    );
}

#[test]
fn without_composer_and_definitions_every_link_is_a_question() {
    let found = flat("/opt/IBM/TWA").scan(&ScanContext::default());
    let about: Vec<&str> = found
        .questions
        .iter()
        .map(|question| question.about.as_str())
        .collect();
    // The engine listens on all addresses, and so does netman; da1 names its own.
    assert_eq!(
        about,
        [
            "mdm1-engine",
            "mdm1-netman",
            "fta1-netman",
            "mdm1-netman",
            "fta1-netman",
            "da1-agent"
        ]
    );
    let names = BTreeMap::from([
        ("127.9.0.116".to_owned(), "mdm1".to_owned()),
        ("fta1.x".to_owned(), "fta1".to_owned()),
    ]);
    let found = flat("/opt/IBM/TWA").scan(&ScanContext {
        names,
        ..ScanContext::default()
    });
    let about: Vec<&str> = found
        .questions
        .iter()
        .map(|question| question.about.as_str())
        .collect();
    assert_eq!(about, ["mdm1-netman", "fta1-netman"]);
    assert_eq!(roles(&found)[2], "mdm1-engine MDM java8");
}

#[test]
fn two_masters_with_a_dynamic_domain_manager_are_told_apart() {
    let mut tree = Tree::new("/opt/IBM/TWA");
    tree.host("mdm1", &[ENGINE, NETMAN])
        .host("bkm1", &[ENGINE, NETMAN])
        .host("ddm1", &[ENGINE, NETMAN])
        .host("bddm1", &[ENGINE, NETMAN]);
    let other = AGENT.replace("127.9.0.116", &address("ddm1"));
    tree.host("da9", &[&other]);
    tree.cpu("MDM1", &manager("MASTERDM FOR MAESTRO TYPE MANAGER"));
    tree.cpu(
        "BKM1",
        &(manager("MASTERDM FOR MAESTRO TYPE FTA") + " FULLSTATUS ON"),
    );
    tree.cpu("DDM1", &manager("DDOM FOR MAESTRO TYPE MANAGER"));
    tree.cpu(
        "BDDM1",
        &(manager("DDOM FOR MAESTRO TYPE FTA") + " FULLSTATUS ON"),
    );
    tree.cpu("DA9", "SECUREADDR 31114 FOR MAESTRO HOST DDM1_DWB TYPE AGENT");
    tree.definitions
        .push_str("DOMAIN DDOM MANAGER DDM1 PARENT MASTERDM END\n");
    let found = tree.with_definitions();
    assert_eq!(found.questions, []);
    assert_eq!(
        roles(&found),
        [
            "bddm1-engine BDDM java8",
            "bddm1-netman BDM openssl",
            "bkm1-engine BKM java8",
            "bkm1-netman BKM openssl",
            "da9-agent DA gskit8",
            "ddm1-engine DDM java8",
            "ddm1-netman DM openssl",
            "mdm1-engine MDM java8",
            "mdm1-netman MDM openssl",
        ]
    );
    let links = links(&found);
    for want in [
        "bddm1-engine -> mdm1-engine.https as keystore",
        "ddm1-engine -> mdm1-engine.https as keystore",
        "ddm1-engine -> da9-agent.agent as keystore",
        "da9-agent -> ddm1-engine.https as cms",
        "bddm1-netman -> ddm1-netman.netman as id",
    ] {
        assert!(links.contains(&want.to_owned()), "{want} in {links:#?}");
    }
}

#[test]
fn versions_and_forms_may_be_mixed() {
    let mut tree = Tree::new("/opt/IBM/TWA");
    let p12 = NETMAN
        .replace(
            "SSL key = \"$D/ssl/OpenSSL/TWSClient.key\"",
            "SSL cert type = P12\nSSL key = \"\"",
        )
        .replace("OpenSSL/TWSClient.cer", "certs/TWSClientKeyStore.p12")
        .replace(
            "OpenSSL/TWSTrustCertificates.cer",
            "certs/TWSClientTrustStore.pem",
        );
    let fips = NETMAN.replace(
        "SSL FIPS compliance = no",
        "SSL FIPS compliance = yes\nSSL keystore file = \"$D/ssl/GSKit/TWSClientKeyStore.kdb\"\nSSL certificate keystore label = client\nSSL keystore pwd = \"$D/ssl/GSKit/TWSClientKeyStore.sth\"",
    );
    let newer = AGENT.split("== $D/ssl/GSKit").next().unwrap().to_owned()
        + "== $D/ssl/certs/TWSClientKeyStore.p12\n== $D/ssl/certs/tls.sth\n== $D/ssl/certs/TWSClientTrustStore.pem\n";
    let old_names = AGENT.replace("TWSClientKeyStore", "TWSClntKeyStore");
    let old_root = ENGINE.replace("$D/usr", "$I/usr");
    tree.host("mdm1", &[&old_root, &fips, AGENT])
        .host("fta2", &[&p12])
        .host("da3", &[&newer])
        .host("da2", &[&old_names]);
    tree.cpu("MDM1", &manager("MASTERDM FOR MAESTRO TYPE MANAGER"));
    tree.cpu("FTA2", &manager("MASTERDM FOR MAESTRO TYPE FTA"));
    let found = tree.with_definitions();
    assert_eq!(found.questions, []);
    let stores = |id: &str| {
        let component = found
            .components
            .iter()
            .find(|component| component.id == id)
            .unwrap();
        let stores = component
            .stores
            .iter()
            .map(|store| format!("{} {:?} {:?}", store.file, store.holds, store.password));
        stores.collect::<Vec<_>>()
    };
    let shared = "/opt/IBM/TWA/TWSDATA/ssl/GSKit/TWSClientKeyStore.kdb [Identity, Trust] Some(Stash(/opt/IBM/TWA/TWSDATA/ssl/GSKit/TWSClientKeyStore.sth))";
    assert_eq!(stores("mdm1-netman"), [shared]);
    assert_eq!(stores("mdm1-agent")[0], shared);
    assert_eq!(
        stores("fta2-netman"),
        [
            "/opt/IBM/TWA/TWSDATA/ssl/certs/TWSClientKeyStore.p12 [Identity] Some(Stash(/opt/IBM/TWA/TWSDATA/ssl/OpenSSL/password.sth))",
            "/opt/IBM/TWA/TWSDATA/ssl/certs/TWSClientTrustStore.pem [Trust] None",
        ]
    );
    assert_eq!(stores("da3-agent").len(), 2);
    assert_eq!(stores("da2-agent").len(), 2);
    assert!(
        found.notes.iter().any(|note| note.contains("old spellings")),
        "{:#?}",
        found.notes
    );
    assert!(
        stores("mdm1-engine")[0]
            .starts_with("/opt/IBM/TWA/usr/servers/engineServer/resources/security/TWSServerKeyFile.jks")
    );
}

#[test]
fn a_polling_console_is_live_and_its_encoded_password_is_asked_for() {
    let mut tree = Tree::new("/opt/IBM/DWC");
    tree.host("dwc1", &["
== $I/usr/servers/dwcServer/server.xml
<server><ssl id='s' keyStoreRef='k' trustStoreRef='t' clientAuthenticationSupported='true'/><sslDefault sslRef='s'/>
<keyStore id='k' location='TWSServerKeyFile.jks' password='{aes}AA' updateTrigger='polled' pollingRate='1s'/>
<keyStore id='t' location='TWSServerTrustFile.jks' password='{aes}AA' updateTrigger='polled' pollingRate='1s'/>
<httpEndpoint id='defaultHttpEndpoint' host='127.9.9.9' httpsPort='9443'/></server>
"]);
    let found = tree.scan(&ScanContext::default());
    let console = &found.components[0];
    assert_eq!(
        (
            console.id.as_str(),
            console.role.as_str(),
            console.keeps_no_old_identity
        ),
        ("dwc1-console", "DWC", true)
    );
    assert_eq!(
        console.effective.identity,
        crate::Means::Live(std::time::Duration::from_secs(2))
    );
    assert_eq!(console.stores[0].password, None);
    assert_eq!(
        found
            .notes
            .iter()
            .filter(|note| note.contains("name it in capgrow.toml"))
            .count(),
        2
    );
    assert_eq!(console.listens[0].address, "127.9.9.9:9443");
}

#[test]
fn names_are_resolved_by_host_id_and_by_the_trees_own_tables() {
    let mut tree = Tree::new("/opt/IBM/TWA");
    let agent = AGENT.replace("https://127.9.0.116:31116", "https://broker.example:31116");
    let table = "== /etc/hosts\n127.0.0.1 localhost\n127.9.0.116 mdm1.example broker.example # the master\n";
    tree.host("mdm1", &[ENGINE, NETMAN]).host("da1", &[&agent, table]);
    tree.host(
        "da2",
        &[&AGENT.replace("https://127.9.0.116:31116", "https://mdm1.corp.example:31116")],
    );
    tree.cpu("MDM1", &manager("MASTERDM FOR MAESTRO TYPE MANAGER"));
    let found = tree.with_definitions();
    assert_eq!(found.questions, []);
    let links = links(&found);
    for id in ["da1", "da2"] {
        assert!(
            links.contains(&format!("{id}-agent -> mdm1-engine.https as cms")),
            "{links:#?}"
        );
        assert!(
            links.contains(&format!("mdm1-engine -> {id}-agent.agent as keystore")),
            "{links:#?}"
        );
    }
}

#[test]
fn a_second_installation_on_a_host_has_ids_of_its_own() {
    let mut tree = Tree::new("/opt/IBM/TWA");
    let second = NETMAN
        .replace("$D", "/opt/two/TWSDATA")
        .replace("$I", "/opt/two")
        .replace("$CPU", "FTA9")
        .replace("31113", "41113");
    tree.host("fta1", &[NETMAN, &second]);
    tree.cpu("FTA1", &manager("MASTERDM FOR MAESTRO TYPE FTA"));
    let found = tree.with_definitions();
    let seen: Vec<(&str, Option<&str>)> = found
        .components
        .iter()
        .map(|component| (component.id.as_str(), component.dir.as_deref()))
        .collect();
    assert_eq!(
        seen,
        [
            ("fta1-netman", Some("/opt/IBM/TWA")),
            ("fta1-netman-2", Some("/opt/two"))
        ]
    );
}

#[test]
fn definitions_that_do_not_ask_for_tls_are_noted_with_the_text_to_replace() {
    let mut tree = Tree::new("/opt/IBM/TWA");
    tree.host("mdm1", &[ENGINE, NETMAN]);
    tree.cpu("MDM1", "TCPADDR 31111 DOMAIN MASTERDM FOR MAESTRO TYPE MANAGER");
    let found = tree.with_definitions();
    let note = found
        .notes
        .iter()
        .find(|note| note.contains("composer replace"))
        .unwrap();
    assert!(
        note.contains("SECUREADDR 31113") && note.contains("SECURITYLEVEL FORCE_ENABLED"),
        "{note}"
    );
}
