//! Stores that cannot be read, or do not hold what they should.

use keystore::Body;
use keystore::Format;
use keystore::Limits;

use super::Fleet;
use crate::made;

/// What stops the plan: the same words from `scan` (an error, exit code 0: the rest was looked at) and `plan`.
fn stops(fleet: &Fleet, says: &[&str]) {
    fleet
        .check("scan", 0, &["error: hub:/srv/hub/"])
        .check("scan", 0, says)
        .check("plan", 1, &["no plan", "remedy: "])
        .check("plan", 1, says)
        .check("status", 1, &["hub: hub:/srv/hub/", "not so"]);
}

/// The hub's identity in a store of this format.
fn with_store(format: Format, file_password: &str, source: &str) -> Fleet {
    let fleet = Fleet::new();
    let pem = std::fs::read(fleet.hub("id.pem")).unwrap();
    let store = keystore::read(&pem, None, &Limits::default()).unwrap();
    let entry = store
        .entries()
        .iter()
        .find(|entry| matches!(entry.body(), Body::PrivateKey { .. }))
        .unwrap();
    let key = entry.unlock(None).unwrap();
    let edit = made::key(Some("hub"), &key, entry.certificates(), None);
    let bytes = made::store(format, Some(file_password), &[edit]);
    std::fs::write(fleet.hub("id.store"), bytes).unwrap();
    use_store(&fleet, source);
    fleet
}

/// The hub reads `id.store` with the password from there.
fn use_store(fleet: &Fleet, source: &str) {
    let text = fleet.read("capgrow.toml");
    let (before, hub) = text.split_once("[components.hub]").unwrap();
    let hub = hub
        .replacen("runtime = \"openssl\"", "runtime = \"java17\"", 1)
        .replacen(
            "file  = \"/srv/hub/id.pem\"",
            &format!("file  = \"/srv/hub/id.store\"\n{source}"),
            1,
        );
    fleet.write("capgrow.toml", format!("{before}[components.hub]{hub}"));
}

#[test]
fn the_right_password_opens_even_with_letters_beyond_ascii() {
    for format in [Format::Jks, Format::Pkcs12] {
        let fleet = with_store(
            format,
            "s\u{e9}same \u{20ac}",
            "password = { literal = \"s\u{e9}same \u{20ac}\" }",
        );
        fleet
            .check("scan", 0, &["hub:/srv/hub/id.store", "O=Lab,CN=hub"])
            .check("plan", 0, &["proof: 4 trust edges"]);
        let shown = fleet.run("scan --json");
        assert!(!shown.stdout.contains("same"), "{}", shown.stdout);
    }
}

#[test]
fn a_wrong_missing_or_empty_password_stops_the_plan() {
    for format in [Format::Jks, Format::Pkcs12] {
        for source in [
            "password = { literal = \"wrong\" }",
            "password = { literal = \"\" }",
            "password = { literal = \"s\u{e9}same\" }",
        ] {
            let fleet = with_store(format, "changeit", source);
            stops(&fleet, &["hub:/srv/hub/id.store: ", "password", "store `id`"]);
            let shown = fleet.run("scan");
            assert!(!shown.stdout.contains("changeit"), "{}", shown.stdout);
            let states = fleet.run("status --json").json();
            assert_eq!(states["components"][1]["state"], "unknown", "{states}");
            assert_eq!(states["components"][0]["state"], "S0", "{states}");
        }
    }
}

#[test]
fn a_password_source_that_is_not_there_is_named() {
    for (source, named) in [
        ("password = { file = \"secrets/none\" }", "secrets/none"),
        ("password = { env = \"NO_SUCH_VARIABLE\" }", "NO_SUCH_VARIABLE"),
        (
            "password = { stash = \"/srv/hub/none.sth\" }",
            "/srv/hub/none.sth",
        ),
        ("password = { prompt = true }", "terminal"),
    ] {
        let fleet = with_store(Format::Pkcs12, "changeit", source);
        stops(&fleet, &["hub:/srv/hub/id.store: ", named, "name another source"]);
    }
}

#[test]
fn an_encrypted_store_without_any_password_stops_the_plan() {
    let fleet = with_store(Format::Pkcs12, "changeit", "");
    stops(&fleet, &["hub:/srv/hub/id.store: ", "password"]);
}

#[test]
fn truncated_empty_and_altered_stores_stop_the_plan() {
    for format in [Format::Jks, Format::Pkcs12] {
        let fleet = with_store(format, "changeit", "password = { literal = \"changeit\" }");
        let file = fleet.hub("id.store");
        let bytes = std::fs::read(&file).unwrap();
        std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
        stops(&fleet, &["hub:/srv/hub/id.store: ", "`capgrow inspect` shows it"]);
        std::fs::write(&file, b"").unwrap();
        stops(&fleet, &["hub:/srv/hub/id.store: the file is empty"]);
        let mut altered = bytes.clone();
        let middle = altered.len() / 2;
        altered[middle] ^= 1;
        std::fs::write(&file, altered).unwrap();
        stops(&fleet, &["hub:/srv/hub/id.store: ", "altered"]);
    }
}

#[test]
fn truncated_empty_and_altered_pem_files_stop_the_plan() {
    for name in ["id.pem", "trust.pem"] {
        let fleet = Fleet::new();
        let text = std::fs::read_to_string(fleet.hub(name)).unwrap();
        for (bytes, reason) in [
            (text[..text.len() / 2].to_owned(), "END"),
            (String::new(), "the file is empty"),
            (text.replacen("\nMII", "\n#II", 1), "base64"),
            ("hello\n".to_owned(), ""),
        ] {
            std::fs::write(fleet.hub(name), bytes).unwrap();
            stops(&fleet, &[&format!("hub:/srv/hub/{name}: "), reason]);
        }
        std::fs::remove_file(fleet.hub(name)).unwrap();
        stops(&fleet, &[&format!("/srv/hub/{name} is not there"), "of `hub`"]);
    }
}

#[test]
fn an_old_key_that_fits_no_certificate_stops_the_plan() {
    let fleet = Fleet::new();
    let other = fleet.read("hosts/agent/srv/agent/id.pem");
    let own = fleet.read("hosts/hub/srv/hub/id.pem");
    let (key, _) = other.split_once("-----BEGIN CERTIFICATE").unwrap();
    let (_, certificate) = own.split_once("-----BEGIN CERTIFICATE").unwrap();
    fleet.write(
        "hosts/hub/srv/hub/id.pem",
        format!("{key}-----BEGIN CERTIFICATE{certificate}"),
    );
    stops(
        &fleet,
        &["hub:/srv/hub/id.pem: the private key fits no certificate in it"],
    );
}

#[test]
fn an_old_key_in_a_file_of_its_own_that_fits_not_stops_the_plan() {
    let fleet = Fleet::new();
    let own = fleet.read("hosts/hub/srv/hub/id.pem");
    let other = fleet.read("hosts/agent/srv/agent/id.pem");
    let (key, _) = other.split_once("-----BEGIN CERTIFICATE").unwrap();
    let (_, certificate) = own.split_once("-----BEGIN CERTIFICATE").unwrap();
    fleet.write("hosts/hub/srv/hub/key.pem", key);
    fleet.write(
        "hosts/hub/srv/hub/cert.pem",
        format!("-----BEGIN CERTIFICATE{certificate}"),
    );
    fleet.toml(
        "file  = \"/srv/hub/id.pem\"",
        "cert-file = \"/srv/hub/cert.pem\"\nkey-file = \"/srv/hub/key.pem\"",
    );
    stops(
        &fleet,
        &["hub:/srv/hub/key.pem: the private key does not fit the certificate in /srv/hub/cert.pem"],
    );
}

#[test]
fn an_alias_that_is_not_in_the_store_stops_the_plan() {
    let fleet = with_store(
        Format::Jks,
        "changeit",
        "alias = \"nosuch\"\npassword = { literal = \"changeit\" }",
    );
    stops(
        &fleet,
        &[
            "alias \"nosuch\" is not in the store",
            "check `alias` of store `id` of `hub`",
        ],
    );
}

#[test]
fn two_private_keys_without_a_named_alias_stop_the_plan_where_chance_decides() {
    let (key, chain) = made::identity("server");
    let (other, other_chain) = made::identity("client");
    let edits = [
        made::key(Some("one"), &key, &chain, None),
        made::key(Some("two"), &other, &other_chain, None),
    ];
    for format in [Format::Jks, Format::Pkcs12] {
        let fleet = with_store(format, "changeit", "password = { literal = \"changeit\" }");
        std::fs::write(
            fleet.hub("id.store"),
            made::store(format, Some("changeit"), &edits),
        )
        .unwrap();
        stops(
            &fleet,
            &["2 private keys and no alias", "`alias` of store `id` of `hub`"],
        );
    }
}

#[test]
fn two_private_keys_in_a_pem_file_are_said_with_the_one_that_is_taken() {
    let fleet = Fleet::new();
    let both = fleet.read("hosts/hub/srv/hub/id.pem") + &fleet.read("hosts/agent/srv/agent/id.pem");
    fleet.write("hosts/hub/srv/hub/id.pem", both);
    let says = [
        "warning: hub:/srv/hub/id.pem: holds 2 private keys and no alias is named: openssl takes entry 1",
        "fix: name `alias` for store `id` of `hub`",
    ];
    fleet.check("scan", 0, &says);
}

#[test]
fn control_characters_in_aliases_are_escaped() {
    let (key, chain) = made::identity("server");
    let edits = [made::key(Some("a\u{1b}[31m\nb\u{202e}"), &key, &chain, None)];
    for format in [Format::Jks, Format::Pkcs12] {
        let fleet = with_store(
            format,
            "changeit",
            "alias = \"x\"\npassword = { literal = \"changeit\" }",
        );
        std::fs::write(
            fleet.hub("id.store"),
            made::store(format, Some("changeit"), &edits),
        )
        .unwrap();
        fleet.check("scan", 0, &["alias \"x\" is not in the store"]);
        fleet.check("status", 1, &[]);
        fleet.write("p", "changeit");
        let words = "inspect --password-file p hosts/hub/srv/hub/id.store";
        fleet.check(words, 0, &["a\\u{1b}[31m\\nb\\u{202e}"]);
    }
}

#[test]
fn control_characters_in_subjects_are_escaped() {
    let fleet = Fleet::new();
    let wanted = super::certificates::Wanted {
        common_name: "x\u{1b}[2J\ny\u{202e}",
        ..Default::default()
    };
    let odd = super::certificates::make(&wanted, None);
    let mut identity = odd.key_pem();
    identity.extend(odd.pem());
    fleet.write("hosts/hub/srv/hub/id.pem", identity);
    for words in ["scan", "status", "inspect hosts/hub/srv/hub/id.pem"] {
        let ran = fleet.run(words);
        let hidden = |letter: char| (letter.is_control() && letter != '\n') || letter == '\u{202e}';
        assert!(!ran.stdout.contains(hidden), "{words}: {:?}", ran.stdout);
        assert!(!ran.stderr.contains(hidden), "{words}: {:?}", ran.stderr);
        if words != "status" {
            assert!(ran.stdout.contains("CN=x"), "{words}: {:?}", ran.stdout);
        }
    }
}
