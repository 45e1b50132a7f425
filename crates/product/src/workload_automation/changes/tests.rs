//! The whole way on a fleet in memory: scan, changes, realised bytes, scan again, classified.

use std::collections::BTreeMap;

use super::super::state_table::State;
use super::super::state_table::classify;
use super::super::test_fleet::Event;
use super::super::test_fleet::TestFleet;
use super::super::test_fleet::certificate;
use super::super::test_fleet::defaults;
use super::super::test_fleet::pem;
use super::super::test_fleet::rotation;
use super::*;
use crate::change::Content;

fn plan(fleet: &TestFleet, rotation: &Rotation) -> BTreeMap<String, (Component, Changes)> {
    let found = fleet.scan();
    assert_eq!(found.questions, []);
    let one = |component: Component| {
        let changes = fleet.changes(&component, rotation);
        (component.id.clone(), (component, changes))
    };
    found.components.into_iter().map(one).collect()
}

#[track_caller]
fn all_are(fleet: &TestFleet, rotation: &Rotation, want: State) {
    for component in fleet.scan().components {
        let seen = classify(
            &component,
            fleet.host(&component.host),
            &fleet.contents(&component),
            Some(rotation),
        );
        assert_eq!(
            seen.state(),
            Some(want),
            "{}: {:#?}",
            component.id,
            seen.deviations(want)
        );
        assert_eq!(seen.extras, Vec::<String>::new());
    }
}

const IDS: [&str; 8] = [
    "da1-agent",
    "da3-agent",
    "dwc1-console",
    "fta1-netman",
    "fta2-netman",
    "mdm1-agent",
    "mdm1-engine",
    "mdm1-netman",
];

fn grow_and_switch(deferred: &str) -> Vec<(&'static str, Event)> {
    let grow = IDS.iter().map(|id| (*id, Event::Grow));
    let switch = IDS
        .iter()
        .filter(|id| **id != deferred)
        .map(|id| (*id, Event::Switch));
    grow.chain(switch).collect()
}

#[test]
fn coexistence_is_exactly_s1_and_retirement_exactly_s2() {
    let mut fleet = TestFleet::new();
    let rotation = rotation(&defaults());
    all_are(&fleet, &rotation, State::S0);
    let planned = plan(&fleet, &rotation);
    assert_eq!(planned.keys().collect::<Vec<_>>(), IDS);
    for (id, (_, changes)) in &planned {
        assert_eq!(changes.obstacles, Vec::<String>::new(), "{id}");
    }
    fleet.apply(&planned, &grow_and_switch("mdm1-engine"));
    all_are(&fleet, &rotation, State::S1);

    // Planned again from S1, nothing is grown or switched twice, but for the engine's own switch.
    let planned = plan(&fleet, &rotation);
    for (id, (component, changes)) in &planned {
        assert_eq!(changes.grow, [], "{id}");
        assert_eq!(
            changes.switch.is_empty(),
            !switches_at_retirement(component),
            "{id}: {:#?}",
            changes.switch
        );
    }
    let mut events = vec![("mdm1-engine", Event::Switch)];
    events.extend(IDS.iter().map(|id| (*id, Event::Retire)));
    fleet.apply(&planned, &events);
    all_are(&fleet, &rotation, State::S2);

    let done = plan(&fleet, &super::super::test_fleet::rotation(&[]));
    for (id, (_, changes)) in &done {
        assert_eq!(
            (&changes.grow, &changes.switch, &changes.retire),
            (&Vec::new(), &Vec::new(), &Vec::new()),
            "{id}"
        );
    }
}

#[test]
fn the_straight_way_ends_in_s2_too() {
    let mut fleet = TestFleet::new();
    let rotation = rotation(&defaults());
    let planned = plan(&fleet, &rotation);
    let mut events = grow_and_switch("");
    events.extend(IDS.iter().map(|id| (*id, Event::Retire)));
    fleet.apply(&planned, &events);
    all_are(&fleet, &rotation, State::S2);
}

#[test]
fn planned_again_halfway_a_retired_process_gets_no_default_back() {
    let mut fleet = TestFleet::new();
    let rotation = rotation(&defaults());
    let planned = plan(&fleet, &rotation);
    let mut events = grow_and_switch("");
    events.push(("da1-agent", Event::Retire));
    events.push(("fta1-netman", Event::Retire));
    fleet.apply(&planned, &events);
    let again = plan(&fleet, &rotation);
    for id in ["da1-agent", "fta1-netman"] {
        assert_eq!(
            (&again[id].1.grow, &again[id].1.retire),
            (&Vec::new(), &Vec::new()),
            "{id}"
        );
    }
}

#[test]
fn the_shared_database_gets_equal_edits_from_both_its_readers() {
    let fleet = TestFleet::new();
    let planned = plan(&fleet, &rotation(&defaults()));
    let of = |id: &str, list: fn(&Changes) -> &Vec<Change>| {
        list(&planned[id].1)
            .iter()
            .find(|change| change.path.ends_with(".kdb"))
            .cloned()
            .unwrap()
    };
    for list in [
        (|c| &c.grow) as fn(&Changes) -> &Vec<Change>,
        |c| &c.switch,
        |c| &c.retire,
    ] {
        assert_eq!(of("mdm1-agent", list), of("mdm1-netman", list));
    }
}

#[test]
fn the_alias_is_pinned_before_the_second_key_enters() {
    let fleet = TestFleet::new();
    let planned = plan(&fleet, &rotation(&defaults()));
    let paths: Vec<&str> = planned["mdm1-engine"]
        .1
        .grow
        .iter()
        .map(|change| change.path.rsplit('/').next().unwrap())
        .collect();
    let at = |name: &str| paths.iter().position(|path| *path == name).unwrap();
    assert!(at("TWSServerTrustFile.jks") < at("ssl_config.xml"), "{paths:?}");
    assert!(
        paths.iter().rposition(|path| *path == "ssl_config.xml").unwrap() < at("TWSServerKeyFile.jks"),
        "{paths:?}"
    );
}

#[test]
fn every_new_file_is_there_before_localopts_points_to_it() {
    let fleet = TestFleet::new();
    let planned = plan(&fleet, &rotation(&defaults()));
    let switch = &planned["fta1-netman"].1.switch;
    let names: Vec<&str> = switch
        .iter()
        .map(|change| change.path.rsplit('/').next().unwrap())
        .collect();
    assert_eq!(
        names,
        ["ca.crt", "tls.crt", "tls.key", "tls.sth", "tls.rnd", "localopts"]
    );
    assert!(switch.iter().all(|change| !matches!(
        &change.edit,
        FileEdit::Write {
            content: Content::Random(_),
            ..
        }
    )));
}

#[test]
fn entries_of_third_parties_stay_and_are_listed() {
    let mut fleet = TestFleet::new();
    let stranger = certificate("Corp LDAP CA", "Corp LDAP CA", 77);
    let path = "/opt/IBM/TWA/TWSDATA/ssl/OpenSSL/TWSTrustCertificates.cer";
    let fta = fleet.hosts.iter_mut().find(|host| host.host == "fta1").unwrap();
    fta.files.get_mut(path).unwrap().extend(pem(&[stranger]));
    let rotation = rotation(&defaults());
    let planned = plan(&fleet, &rotation);
    assert!(
        planned["fta1-netman"]
            .1
            .notes
            .iter()
            .any(|note| note.contains("Corp LDAP CA"))
    );
    let mut events = grow_and_switch("");
    events.extend(IDS.iter().map(|id| (*id, Event::Retire)));
    fleet.apply(&planned, &events);
    let component = fleet
        .scan()
        .components
        .into_iter()
        .find(|component| component.id == "fta1-netman")
        .unwrap();
    let seen = classify(
        &component,
        fleet.host("fta1"),
        &fleet.contents(&component),
        Some(&rotation),
    );
    assert_eq!((seen.state(), seen.extras.len()), (Some(State::S2), 1));
}

#[track_caller]
fn engine_obstacle(path: &str, from: &str, to: &str, want: &str) {
    let mut fleet = TestFleet::new();
    let host = fleet.hosts.iter_mut().find(|host| host.host == "mdm1").unwrap();
    let file = host
        .files
        .iter_mut()
        .find(|(name, _)| name.ends_with(path))
        .unwrap()
        .1;
    *file = String::from_utf8(file.clone())
        .unwrap()
        .replace(from, to)
        .into_bytes();
    let planned = plan(&fleet, &rotation(&defaults()));
    let obstacles = &planned["mdm1-engine"].1.obstacles;
    assert!(obstacles.iter().any(|text| text.contains(want)), "{obstacles:#?}");
}

#[test]
fn what_the_documents_do_not_foresee_is_an_obstacle() {
    engine_obstacle(
        "engineServer/server.xml",
        "<jwtBuilder id='c' keyAlias='server'/>",
        "",
        "keyAlias stands 2 times",
    );
    engine_obstacle(
        "BrokerWorkstation.properties",
        "Broker.AuthorizedCNs",
        "Broker.X",
        "is not there; it must stand there once",
    );
    engine_obstacle(
        "BrokerWorkstation.properties",
        "Broker.Workstation.Name",
        "Broker.AuthorizedCNs=x\nBroker.Workstation.Name",
        "stands on lines 1, 2",
    );
}

/// Adds text to a file of the fleet, or makes it.
fn with_file(fleet: &mut TestFleet, host: &str, path: &str, change: impl Fn(String) -> String) {
    let host = fleet.hosts.iter_mut().find(|seen| seen.host == host).unwrap();
    let old = String::from_utf8(host.files.get(path).cloned().unwrap_or_default()).unwrap();
    host.files.insert(path.to_owned(), change(old).into_bytes());
}

const ITA: &str = "/opt/IBM/TWA/TWSDATA/ITA/cpa/ita/ita.ini";

#[test]
fn an_agent_that_authenticates_by_jwt_goes_back_to_its_certificate_with_its_grow() {
    let mut fleet = TestFleet::new();
    with_file(&mut fleet, "da1", ITA, |old| {
        old.replace("[ITA SSL]", "[ITA SSL]\njwt_file = /opt/t.jwt")
    });
    let rotation = rotation(&defaults());
    let planned = plan(&fleet, &rotation);
    let (_, changes) = &planned["da1-agent"];
    let edits: Vec<&Change> = changes.grow.iter().filter(|change| change.path == ITA).collect();
    assert_eq!(edits.len(), 1, "{:#?}", changes.grow);
    assert!(
        edits[0].why.contains("R-289"),
        "before the signer changes: the engine's switch waits for the grow of all its agents"
    );
    fleet.apply(&planned, &[("da1-agent", Event::Grow)]);
    let text = String::from_utf8(fleet.host("da1").files[ITA].clone()).unwrap();
    assert!(text.contains("\n#jwt_file = /opt/t.jwt\n"), "{text}");
    fleet.apply(&planned, &[("da1-agent", Event::Switch)]);
    assert_eq!(
        plan(&fleet, &rotation)["da1-agent"].1.obstacles,
        Vec::<String>::new()
    );
    // Taken in again while the old signer still signs: no restart of it would come before the signer changes.
    with_file(&mut fleet, "da1", ITA, |old| old.replace("#jwt_file", "jwt_file"));
    let obstacles = &plan(&fleet, &rotation)["da1-agent"].1.obstacles;
    assert!(
        obstacles.iter().any(|text| text.contains("comment out jwt_file")),
        "{obstacles:?}"
    );
}

#[test]
fn what_the_old_key_signed_is_listed_with_those_who_use_it() {
    let mut fleet = TestFleet::new();
    with_file(&mut fleet, "mdm1", "/home/ops/.TWS/useropts", |_| {
        "JWT = \"ey.secret\"\n".to_owned()
    });
    let notes = plan(&fleet, &rotation(&defaults()))["mdm1-engine"]
        .1
        .notes
        .clone();
    let listed: Vec<&String> = notes.iter().filter(|note| note.contains("ends with")).collect();
    assert!(
        listed
            .iter()
            .any(|note| note.contains("CN=ServerNew") && note.contains("API key")),
        "{notes:#?}"
    );
    assert!(
        listed.iter().any(|note| note.contains("/home/ops/.TWS/useropts")),
        "{notes:#?}"
    );
    assert!(!notes.concat().contains("ey.secret"));
}

#[test]
fn a_depot_is_filled_on_the_master_and_kept_up_to_date_where_another_has_one() {
    let depot = "/opt/IBM/TWA/TWSDATA/ssl/depot";
    let mut fleet = TestFleet::new();
    let found = fleet.scan();
    let master = found
        .components
        .iter()
        .find(|one| one.id == "mdm1-engine")
        .unwrap();
    let mut other = master.clone();
    other.role = "BKM".to_owned();
    let rotation = rotation(&defaults());
    let names = |fleet: &TestFleet, component: &Component| -> Vec<String> {
        let changes = fleet.changes(component, &rotation);
        let below = changes
            .grow
            .iter()
            .filter_map(|change| change.path.strip_prefix(depot));
        below.map(str::to_owned).collect()
    };
    let all = names(&fleet, master);
    assert!(
        all.contains(&"/additionalCAs/ServerNew.crt".to_owned()) && all.contains(&"/ca.crt".to_owned()),
        "{all:?}"
    );
    assert_eq!(names(&fleet, &other), Vec::<String>::new());
    with_file(&mut fleet, "mdm1", &format!("{depot}/ca.crt"), |_| {
        "old".to_owned()
    });
    assert_eq!(names(&fleet, &other), all);
}

#[test]
fn an_agents_java_part_is_judged_as_java() {
    let found = TestFleet::new().scan();
    let agent = found.components.iter().find(|one| one.id == "da1-agent").unwrap();
    let of = |store: &str| crate::runtime_of(agent, store);
    assert_eq!((of("cms"), of("jks")), ("gskit8".to_owned(), "java8".to_owned()));
    let said = Component {
        runtime: "java17".to_owned(),
        ..agent.clone()
    };
    assert_eq!(
        crate::runtime_of(&said, "jks"),
        "java17",
        "what a person wrote counts"
    );
}
