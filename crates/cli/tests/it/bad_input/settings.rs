//! Settings files that are not as the fleet file says.

use super::Fleet;

const FILE: &str = "hosts/hub/srv/hub/hub.properties";

/// A fleet whose hub is told by this setting where its identity lies.
fn selected_by(key: &str) -> Fleet {
    let fleet = Fleet::new();
    fleet.toml_more(&format!(
        "[[components.hub.settings]]\nfile = \"/srv/hub/hub.properties\"\nsyntax = \"properties\"\n\
         key = \"{key}\"\nselects = \"path of id\""
    ));
    fleet
}

#[test]
fn a_settings_file_without_the_key_stops_the_plan() {
    let says = [
        "hub:/srv/hub/hub.properties: there is no keystore in it",
        "correct ",
    ];
    selected_by("keystore")
        .check("scan", 0, &["error: "])
        .check("scan", 0, &says)
        .check("plan", 1, &["no plan"])
        .check("plan", 1, &says);
}

#[test]
fn a_key_that_stands_twice_stops_the_plan_and_both_lines_are_named() {
    let fleet = selected_by("identity");
    let text = fleet.read(FILE);
    fleet.write(FILE, format!("{text}identity = /srv/hub/other.pem\n"));
    let says = ["hub:/srv/hub/hub.properties: identity stands in it 2 times (lines 2, 6)"];
    fleet.check("scan", 0, &says).check("plan", 1, &says);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_key() {
    let fleet = selected_by("listen");
    let text = fleet.read(FILE);
    fleet.write(FILE, format!("\u{feff}{text}"));
    let ran = fleet.run("scan --json");
    assert_eq!(ran.json()["findings"], serde_json::json!([]), "{}", ran.stdout);
}

#[test]
fn line_ends_of_windows_are_no_part_of_the_value() {
    let fleet = selected_by("identity");
    let text = fleet.read(FILE);
    fleet.write(FILE, text.replace('\n', "\r\n"));
    fleet
        .check("scan", 0, &["hub:/srv/hub/id.pem"])
        .check("plan", 0, &["proof: 4 trust edges"])
        .check("apply DIGEST", 0, &["dry run: nothing was changed"]);
}

#[test]
fn a_settings_file_edited_since_the_plan_is_named_by_plan_and_apply() {
    let fleet = selected_by("identity");
    fleet.check("scan", 0, &[]).check("plan", 0, &[]);
    let text = fleet.read(FILE);
    fleet.write(FILE, format!("# a word\n{text}"));
    let says = [
        "! error: changed since the last scan: hub:/srv/hub/hub.properties",
        "! hint: capgrow scan, then plan again",
    ];
    fleet
        .check("plan", 2, &says)
        .check("apply DIGEST", 2, &says)
        .check("apply DIGEST --approve", 2, &says);
}

#[test]
fn a_store_edited_since_the_plan_is_named_by_plan_and_apply() {
    let fleet = Fleet::new();
    fleet.check("scan", 0, &[]).check("plan", 0, &[]);
    let name = "hosts/agent/srv/agent/trust.pem";
    let text = fleet.read(name);
    fleet.write(name, format!("{text}\n"));
    let says = [
        "! error: changed since the last scan: agent:/srv/agent/trust.pem",
        "! hint: capgrow scan",
    ];
    fleet
        .check("plan", 2, &says)
        .check("apply DIGEST", 2, &says)
        .check("apply DIGEST --approve", 2, &says);
    fleet.check(
        "scan",
        0,
        &["changed since the last scan: agent:/srv/agent/trust.pem"],
    );
}

#[test]
fn a_settings_file_that_is_gone_is_named() {
    let fleet = selected_by("identity");
    std::fs::remove_file(fleet.path(FILE)).unwrap();
    let says = [
        "/srv/hub/hub.properties is not there",
        "correct settings.file of `hub`",
    ];
    fleet.check("scan", 0, &says).check("plan", 1, &says);
}

#[test]
fn new_material_changed_since_the_plan_stops_the_run() {
    let fleet = Fleet::new();
    fleet.check("scan", 0, &[]).check("plan", 0, &[]);
    let agent = fleet.read("hosts/agent/srv/agent/id.pem");
    let (key, chain) = agent.split_once("-----BEGIN CERTIFICATE").unwrap();
    fleet.write("new/tls.key", key);
    fleet.write("new/chain.pem", format!("-----BEGIN CERTIFICATE{chain}"));
    let says = ["! error: ", "! the new chain", "! hint: plan again"];
    fleet.check("apply DIGEST --approve", 2, &says);
}
