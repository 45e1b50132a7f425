//! The Workload Automation domain.

use std::fs;
use std::time::{Duration, Instant};

use lab::Kind;

use crate::{Fleet, replace, stranger};

const CONMAN: &str = "/opt/IBM/TWA/TWS/bin/conman";

#[test]
fn a_domain_of_fourteen_processes_runs_without_a_failure() {
    let fleet = Fleet::start(Kind::Wa { components: 14 });
    let topology = lab::topology(fleet.dir.path()).unwrap();
    assert_eq!(topology.components.len(), 14);
    let count = fleet.wait_until(|c| c.handshakes >= 600);
    assert_eq!(count.failed, 0, "{:?}", count.failures);
    assert_eq!(count.excused.count, 0);
    assert_eq!(count.links.len(), 27, "{:?}", count.links);
    let begin = Instant::now();
    fleet.count();
    println!("count took {:?}", begin.elapsed());
}

#[test]
fn conman_shows_the_flags_of_linked_workstations_and_follows_a_restart() {
    let fleet = Fleet::start(Kind::Wa { components: 14 });
    let shown = |host: &str| fleet.run(host, CONMAN, &["sc @!@"]);
    let flags = |text: &str, name: &str| -> String {
        let line = text
            .lines()
            .find(|l| l.split_whitespace().next() == Some(name))
            .unwrap()
            .to_owned();
        let at = text.find("STATE").unwrap();
        line[at..at + 10].trim_end().to_owned()
    };
    let text = shown("mdm1");
    assert!(text.starts_with("CPUID"), "{text}");
    assert!(flags(&text, "FTA3").starts_with("LTI JW"), "{text}");
    assert!(flags(&text, "DM1").starts_with("LTI JW"), "{text}");
    assert!(flags(&text, "FTA4").starts_with("FTI JW"), "{text}");
    assert!(flags(&text, "FTA1").starts_with("L I J "), "{text}");
    assert_eq!(flags(&text, "DA1"), "LBI J");
    assert_eq!(flags(&text, "DA3"), "LBI J");
    assert_eq!(flags(&text, "MDM1_1"), "LBI J");
    assert!(flags(&shown("dm1"), "FTA1").starts_with("LTI JW"));
    fleet.run("fta3", CONMAN, &["stop;wait"]);
    assert!(!flags(&shown("mdm1"), "FTA3").starts_with('L'));
    fleet.run("fta3", CONMAN, &["shut;wait"]);
    // Long enough for somebody to be refused.
    std::thread::sleep(Duration::from_millis(600));
    fleet.run("fta3", "/opt/IBM/TWA/TWS/StartUp", &[]);
    fleet.run("fta3", CONMAN, &["start"]);
    let end = Instant::now() + Duration::from_secs(30);
    while !flags(&shown("mdm1"), "FTA3").starts_with("LTI JW") {
        assert!(Instant::now() < end, "{}", shown("mdm1"));
    }
    let count = fleet.wait_until(|c| c.excused.count > 0);
    assert_eq!(count.failed, 0, "{:?}", count.failures);
}

#[test]
fn every_component_is_restarted_by_the_products_commands_without_a_failure() {
    let fleet = Fleet::start(Kind::Wa { components: 14 });
    for host in ["mdm1", "bkm1", "dwc1"] {
        let install = if host == "dwc1" {
            "/opt/IBM/DWC"
        } else {
            "/opt/IBM/TWA"
        };
        fleet.run(host, &format!("{install}/appservertools/stopAppServer.sh"), &[]);
        fleet.run(host, &format!("{install}/appservertools/startAppServer.sh"), &[]);
    }
    for host in ["da1", "da3", "mdm1"] {
        fleet.run(host, "/opt/IBM/TWA/TWS/ShutDownLwa", &[]);
        fleet.run(host, "/opt/IBM/TWA/TWS/StartUpLwa", &[]);
    }
    for host in ["mdm1", "bkm1", "dm1", "fta2", "fta4"] {
        fleet.run(host, CONMAN, &["stop;wait"]);
        fleet.run(host, CONMAN, &["shut;wait"]);
        fleet.run(host, "/opt/IBM/TWA/TWS/StartUp", &[]);
        fleet.run(host, CONMAN, &["start"]);
    }
    let before = fleet.count();
    let count = fleet.wait_until(|c| c.handshakes >= before.handshakes + 300);
    assert_eq!(count.failed, 0, "{:?}", count.failures);
    // How many are refused meanwhile is chance: a quick restart falls between two dials.
    assert!(count.excused.longest_seconds < 5.0, "{:?}", count.excused);
}

#[test]
fn a_strangers_anchor_in_the_stores_of_the_console_counts_within_two_seconds() {
    let fleet = Fleet::start(Kind::Wa { components: 14 });
    let trust = fleet
        .host("dwc1")
        .join("opt/IBM/DWC/TWSDATA/usr/servers/dwcServer/resources/security/TWSServerTrustFile.jks");
    let password = fs::read_to_string(fleet.dir.path().join("secrets/dwc1.pw")).unwrap();
    replace(&trust, &jks_of(&stranger(), password.trim()));
    let count = fleet.wait_beats(2, |c| c.failed > 0);
    assert_eq!(count.failed_by.certificate, count.failed, "{:?}", count.failures);
}

#[test]
fn a_name_that_the_broker_does_not_know_is_refused() {
    let fleet = Fleet::start(Kind::Wa { components: 14 });
    let agent = fleet.host("da3").join("opt/IBM/TWA/TWSDATA/ssl/certs");
    // An identity that everybody trusts and nobody authorised.
    let root = fs::read_to_string(fleet.dir.path().join("new/chain.pem")).unwrap();
    let engine = fleet
        .host("mdm1")
        .join("opt/IBM/TWA/TWSDATA/usr/servers/engineServer/resources/security/TWSServerTrustFile.jks");
    let new: Vec<openssl::x509::X509> = openssl::x509::X509::stack_from_pem(root.as_bytes()).unwrap();
    let mut store = keystore::read(
        &fs::read(&engine).unwrap(),
        Some(&keystore::Password::new("default")),
        &Default::default(),
    )
    .unwrap();
    let mut entropy = Fixed;
    let mut env = keystore::WriteEnv {
        now_ms: 0,
        entropy: &mut entropy,
    };
    let trust = keystore::Edit::Trust {
        alias: Some("root".to_owned()),
        certificate: keystore::Certificate::parse(&new[2].to_der().unwrap()).unwrap(),
        place: keystore::Place::Last,
    };
    store.edit(&trust, &mut env).unwrap();
    replace(&engine, &store.write(None, &mut env).unwrap());
    fleet.run("mdm1", "/opt/IBM/TWA/appservertools/stopAppServer.sh", &[]);
    fleet.run("mdm1", "/opt/IBM/TWA/appservertools/startAppServer.sh", &[]);
    let mut trusted = fs::read(agent.join("TWSClientTrustStore.pem")).unwrap();
    trusted.extend(root.as_bytes());
    replace(&agent.join("TWSClientTrustStore.pem"), &trusted);
    let key =
        openssl::pkey::PKey::private_key_from_pem(&fs::read(fleet.dir.path().join("new/tls.key")).unwrap());
    let mut made = openssl::pkcs12::Pkcs12::builder();
    made.name("client").pkey(&key.unwrap()).cert(&new[0]);
    let mut above = openssl::stack::Stack::new().unwrap();
    above.push(new[1].clone()).unwrap();
    made.ca(above);
    replace(
        &agent.join("TWSClientKeyStore.p12"),
        &made.build2("default").unwrap().to_der().unwrap(),
    );
    fleet.run("da3", "/opt/IBM/TWA/TWS/ShutDownLwa", &[]);
    fleet.run("da3", "/opt/IBM/TWA/TWS/StartUpLwa", &[]);
    let count = fleet.wait_beats(3, |c| c.failures.iter().any(|f| f.contains("authorised")));
    // The engine, which does not dial with the new root, is not heard by the agent's name but by its certificate.
    assert!(count.failed_by.other > 0, "{:?}", count.failures);
    assert!(
        count.failures.iter().any(|f| f.contains("\"glowfish\"")),
        "{:?}",
        count.failures
    );
}

#[test]
fn composer_optman_and_jnextplan_work_on_the_database() {
    let fleet = Fleet::start(Kind::Wa { components: 14 });
    let run = |name: &str, args: &[&str]| fleet.run("mdm1", &format!("/opt/IBM/TWA/TWS/bin/{name}"), args);
    let all = run("composer", &["create", "/dev/stdout", "from", "cpu=@"]);
    assert!(
        all.contains("CPUNAME FTA1") && all.contains("DOMAIN DM1DOM"),
        "{all}"
    );
    let one = run("composer", &["display", "cpu=FTA3"]);
    assert!(one.contains("CPUNAME FTA3") && !one.contains("FTA1"), "{one}");
    let file = fleet.dir.path().join("one.txt");
    fs::write(&file, one.replace("AUTOLINK ON", "AUTOLINK OFF")).unwrap();
    run("composer", &["replace", file.to_str().unwrap()]);
    assert!(run("composer", &["display", "cpu=FTA3"]).contains("AUTOLINK OFF"));
    assert_eq!(run("optman", &["show", "cf"]).trim(), "enCarryForward / cf = ALL");
    run("optman", &["chg", "cf", "=", "yes"]);
    assert_eq!(
        run("optman", &["show", "enCarryForward"]).trim(),
        "enCarryForward / cf = YES"
    );
    run("JnextPlan", &["-for", "0000"]);
    let count = fleet.count();
    assert_eq!(count.failed, 0, "{:?}", count.failures);
}

#[test]
fn a_domain_of_twenty_has_a_dynamic_domain_manager_and_a_backup_domain_manager() {
    let fleet = Fleet::start(Kind::Wa { components: 20 });
    let topology = lab::topology(fleet.dir.path()).unwrap();
    let roles: Vec<&str> = topology.components.iter().map(|c| c.role.as_str()).collect();
    assert!(
        topology.components.len() >= 20 && roles.contains(&"DDM") && roles.contains(&"BDM"),
        "{roles:?}"
    );
    let count = fleet.wait_until(|c| c.handshakes >= 300);
    assert_eq!(count.failed, 0, "{:?}", count.failures);
}

fn jks_of(pem: &[u8], password: &str) -> Vec<u8> {
    let der = openssl::x509::X509::from_pem(pem).unwrap().to_der().unwrap();
    let mut entropy = Fixed;
    let mut env = keystore::WriteEnv {
        now_ms: 0,
        entropy: &mut entropy,
    };
    let mut store = keystore::Store::empty(keystore::Format::Jks).unwrap();
    let trust = keystore::Edit::Trust {
        alias: Some("stranger".to_owned()),
        certificate: keystore::Certificate::parse(&der).unwrap(),
        place: keystore::Place::Last,
    };
    store.edit(&trust, &mut env).unwrap();
    store
        .write(Some(&keystore::Password::new(password)), &mut env)
        .unwrap()
}

/// Trust entries need no randomness.
struct Fixed;

impl keystore::Entropy for Fixed {
    fn fill(&mut self, into: &mut [u8]) {
        into.fill(7);
    }
}
