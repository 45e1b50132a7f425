use super::super::test_fleet::TestFleet;
use super::super::test_fleet::certificate;
use super::super::test_fleet::defaults;
use super::super::test_fleet::pem;
use super::super::test_fleet::rotation;
use super::*;
use crate::files::HostFiles;

#[track_caller]
fn check(fleet: &TestFleet, id: &str, want: Option<State>, nearest: &[&str]) {
    let rotation = rotation(&defaults());
    let component = fleet
        .scan()
        .components
        .into_iter()
        .find(|component| component.id == id)
        .unwrap();
    let seen = classify(
        &component,
        fleet.host(&component.host),
        &fleet.contents(&component),
        Some(&rotation),
    );
    assert_eq!(seen.state(), want);
    assert_eq!(seen.deviations(seen.nearest()), nearest);
}

fn edit(fleet: &mut TestFleet, host: &str, path: &str, change: impl Fn(Vec<u8>) -> Vec<u8>) {
    let host = fleet.hosts.iter_mut().find(|seen| seen.host == host).unwrap();
    let name = host
        .files
        .keys()
        .find(|name| name.ends_with(path))
        .unwrap()
        .clone();
    let bytes = host.read(&name).unwrap();
    host.files.insert(name, change(bytes));
}

#[test]
fn a_missing_and_an_early_anchor_are_named() {
    let mut fleet = TestFleet::new();
    check(&fleet, "fta1-netman", Some(State::S0), &[]);
    let root = certificate("RootCA", "RootCA", 13);
    edit(&mut fleet, "fta1", "TWSTrustCertificates.cer", |_| {
        pem(&[&defaults()[..3], std::slice::from_ref(&root)].concat())
    });
    let file = "/opt/IBM/TWA/TWSDATA/ssl/OpenSSL/TWSTrustCertificates.cer";
    let lacks = format!("{file}: lacks CN=ClientNew (default)");
    let early = format!("{file}: still or already trusts CN=RootCA");
    check(&fleet, "fta1-netman", None, &[&lacks, &early]);
}

#[test]
fn a_setting_that_differs_is_named_with_its_value() {
    let mut fleet = TestFleet::new();
    edit(&mut fleet, "mdm1", "BrokerWorkstation.properties", |bytes| {
        String::from_utf8(bytes)
            .unwrap()
            .replace("Server;ServerNew", "ServerNew;odd")
            .into_bytes()
    });
    let text = "/opt/IBM/TWA/TWSDATA/broker/config/BrokerWorkstation.properties: Broker.AuthorizedCNs is \"ServerNew;odd\", expected \"Server;ServerNew\"";
    check(&fleet, "mdm1-engine", None, &[text]);
}

#[test]
fn without_a_new_chain_only_s0_can_fit() {
    let fleet = TestFleet::new();
    for component in fleet.scan().components {
        let seen = classify(
            &component,
            fleet.host(&component.host),
            &fleet.contents(&component),
            None,
        );
        assert_eq!(
            seen.state(),
            Some(State::S0),
            "{}: {:#?}",
            component.id,
            seen.deviations(State::S0)
        );
        assert!(
            seen.deviations(State::S2)
                .iter()
                .any(|text| text.contains("the new chain is not known"))
        );
    }
}

#[test]
fn the_table_has_every_row_that_is_asked_for() {
    for (component, store) in [
        ("MDM", "TWSServerKeyFile.jks"),
        ("DDM", "TWSServerTrustFile.jks"),
        ("DWC", "TWSServerKeyFile.jks"),
        ("DWC", "TWSServerTrustFile.jks"),
        ("DA", "TWSClientKeyStoreJKS.jks"),
        ("DA", "TWSClientKeyStore.kdb"),
    ] {
        let row = rows::row(component, store).unwrap();
        for state in STATES {
            assert!(
                !rows::entries(row, state).is_empty(),
                "{component} {store} {state:?}"
            );
        }
    }
    for (component, store) in [
        ("MDM", "BrokerWorkstation.properties"),
        ("MDM", "ssl_config.xml"),
        ("MDM", "jwt_variables.xml"),
        ("MDM", "server.xml"),
        ("FTA", "TWSDATA/localopts"),
        ("FTA", "ca.crt / TWSTrustCertificates.cer (content)"),
        ("MDM depot", "TWSDATA/ssl/depot"),
    ] {
        assert!(rows::row(component, store).is_some(), "{component} {store}");
    }
}
