//! `to = { csr = "out/" }` as its user meets it: requests, a CA that is not ours, answers good and bad.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use keystore::LinkName;
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::x509::X509;
use openssl::x509::X509Req;
use openssl::x509::extension::BasicConstraints;
use openssl::x509::extension::ExtendedKeyUsage;
use openssl::x509::extension::SubjectAlternativeName;

use crate::bad_input::Fleet;
use crate::bad_input::certificates::Made;
use crate::bad_input::certificates::Wanted;
use crate::bad_input::certificates::make;
use crate::bad_input::certificates::root;
use crate::corpus::Ran;
use crate::live::Kept;

/// A scanned fleet of a hub and an agent that asks for certificates in `out/`; nothing runs.
fn asking() -> Fleet {
    let fleet = Fleet::new();
    fleet.toml(
        "to    = { chain = \"new/chain.pem\", key = \"new/tls.key\" }",
        "to    = { csr = \"out/\" }",
    );
    fleet.check("scan", 0, &[]);
    fleet
}

/// As [`asking`], with requests, of which the agent's is answered.
fn half_answered(ca: &Made) -> Fleet {
    let fleet = asking();
    plan(&fleet, 1, &[]);
    answer(
        &fleet,
        "agent",
        &sign(&fleet.path(""), "agent", ca, &Answer::default()),
        &[ca],
    );
    fleet
}

/// One `plan` with its exit code and what it says (`! ` before a text = on stderr). It may write requests.
#[track_caller]
fn plan(fleet: &Fleet, code: i32, says: &[&str]) -> Ran {
    let ran = fleet.run("plan");
    let all = format!("--- stdout\n{}--- stderr\n{}", ran.stdout, ran.stderr);
    assert_eq!(ran.code, code, "{all}");
    for text in says {
        let found = match text.strip_prefix("! ") {
            Some(text) => ran.stderr.contains(text),
            None => ran.stdout.contains(text),
        };
        assert!(found, "`{text}` was not said by {all}");
    }
    assert!(!ran.stderr.contains("panicked"), "{all}");
    ran
}

/// A CA's answer: what differs from a good one.
struct Answer<'a> {
    /// Days from now.
    valid: (i64, i64),
    /// Server, client.
    purposes: (bool, bool),
    /// The name that is left out.
    without: Option<&'a str>,
}

impl Default for Answer<'_> {
    fn default() -> Self {
        Answer {
            valid: (-1, 300),
            purposes: (true, true),
            without: None,
        }
    }
}

fn names(dir: &Path, component: &str) -> Vec<LinkName> {
    let pem = std::fs::read_to_string(dir.join(format!("out/{component}.csr"))).unwrap();
    let request = X509Req::from_pem(pem.as_bytes()).unwrap();
    let der = request.to_der().unwrap();
    keystore::Request::parse(&der).unwrap().link_names().unwrap()
}

/// Signs the request of a component, whose own signature must be good.
fn sign(dir: &Path, component: &str, ca: &Made, answer: &Answer<'_>) -> X509 {
    let pem = std::fs::read_to_string(dir.join(format!("out/{component}.csr"))).unwrap();
    let request = X509Req::from_pem(pem.as_bytes()).unwrap();
    let key = request.public_key().unwrap();
    assert!(
        request.verify(&key).unwrap(),
        "the request verifies with its own key"
    );
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    let serial = BigNum::from_u32(7).unwrap().to_asn1_integer().unwrap();
    builder.set_serial_number(&serial).unwrap();
    builder.set_subject_name(request.subject_name()).unwrap();
    builder.set_issuer_name(ca.certificate.subject_name()).unwrap();
    builder.set_pubkey(&key).unwrap();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs() as i64;
    let at = |days: i64| Asn1Time::from_unix(now + days * 86_400).unwrap();
    builder.set_not_before(&at(answer.valid.0)).unwrap();
    builder.set_not_after(&at(answer.valid.1)).unwrap();
    builder
        .append_extension(BasicConstraints::new().build().unwrap())
        .unwrap();
    let mut usage = ExtendedKeyUsage::new();
    if answer.purposes.0 {
        usage.server_auth();
    }
    if answer.purposes.1 {
        usage.client_auth();
    }
    builder.append_extension(usage.build().unwrap()).unwrap();
    let mut alternatives = SubjectAlternativeName::new();
    for name in names(dir, component) {
        let text = name.to_string();
        match name {
            _ if answer.without == Some(&text) => continue,
            LinkName::Dns(_) => alternatives.dns(&text),
            LinkName::Ip(_) => alternatives.ip(&text),
        };
    }
    let extension = alternatives
        .build(&builder.x509v3_context(Some(&ca.certificate), None))
        .unwrap();
    builder.append_extension(extension).unwrap();
    builder.sign(&ca.key, MessageDigest::sha256()).unwrap();
    builder.build()
}

/// Puts the answer in its place, behind these certificates of the chain: their order does not count.
fn answer(fleet: &Fleet, component: &str, leaf: &X509, chain: &[&Made]) {
    let mut pem: Vec<u8> = chain.iter().rev().flat_map(|made| made.pem()).collect();
    pem.extend(leaf.to_pem().unwrap());
    fleet.write(&format!("out/{component}.pem"), pem);
}

/// Everything below `out/` and the keys, with modes and bytes.
fn made(fleet: &Fleet) -> Vec<(String, u32, Vec<u8>)> {
    let mut all = Vec::new();
    for dir in ["out", ".capgrow/keys"] {
        for entry in std::fs::read_dir(fleet.path(dir)).unwrap() {
            let path = entry.unwrap().path();
            let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
            all.push((path.display().to_string(), mode, std::fs::read(&path).unwrap()));
        }
    }
    all.sort();
    all
}

/// A wrong answer for the hub: no plan, and why.
#[track_caller]
fn refused(wrong: &Answer<'_>, reason: &str, remedy: &str) {
    let ca = root("New root");
    let fleet = half_answered(&ca);
    answer(&fleet, "hub", &sign(&fleet.path(""), "hub", &ca, wrong), &[&ca]);
    plan(
        &fleet,
        1,
        &["no plan", "out/hub.pem: ", reason, "remedy: ", remedy],
    );
}

#[test]
fn the_first_plan_writes_requests_and_waits() {
    let fleet = asking();
    let says = [
        "no plan",
        "out/agent.csr: waits for the answer of the CA: O=Lab,CN=agent for ",
        "out/hub.csr: waits for the answer of the CA: O=Lab,CN=hub for ",
        "remedy: have out/hub.csr signed, put the certificate with its chain at out/hub.pem (or .cer, .crt, .p7b",
    ];
    plan(&fleet, 1, &says);
    let first = made(&fleet);
    assert_eq!(first.len(), 4, "{first:?}");
    for (path, mode, _) in &first {
        let wanted = if path.ends_with(".key") { 0o600 } else { 0o644 };
        assert_eq!(*mode & !0o022, wanted & !0o022, "{path}");
    }
    let keys = std::fs::metadata(fleet.path(".capgrow/keys")).unwrap();
    assert_eq!(keys.permissions().mode() & 0o777, 0o700);
    plan(&fleet, 1, &says);
    assert!(made(&fleet) == first, "keys and requests are made once");
    let document = fleet.run("plan --json");
    let document = document.json();
    let blocked = document["blocked"].as_array().unwrap();
    assert_eq!(blocked.len(), 2, "{document}");
    assert_eq!(blocked[0]["component"], "out/agent.csr");
    assert!(
        blocked[0]["remedies"][0]
            .as_str()
            .unwrap()
            .contains("out/agent.pem")
    );
    let secret = |text: &[u8]| String::from_utf8_lossy(text).lines().nth(1).unwrap().to_owned();
    for (path, _, bytes) in first.iter().filter(|(path, ..)| path.ends_with(".key")) {
        assert!(
            !document.to_string().contains(&secret(bytes)),
            "{path} is not printed"
        );
    }
}

#[test]
fn a_request_asks_for_every_name_of_its_component_once() {
    let fleet = Fleet::new();
    fleet.toml(
        "to    = { chain = \"new/chain.pem\", key = \"new/tls.key\" }",
        "to    = { csr = \"out\" }",
    );
    fleet.toml(
        "to       = \"hub\"",
        "to       = \"hub\"\nexpects  = \"Ledger.example\"",
    );
    fleet.toml(
        "client-certificate = \"required\"",
        "client-certificate = \"required\"\nserver-name = \"sni.example\"",
    );
    let text = fleet.read("capgrow.toml");
    let address = text
        .split("address = \"")
        .nth(1)
        .unwrap()
        .split(':')
        .next()
        .unwrap()
        .to_owned();
    fleet.check("scan", 0, &[]);
    plan(&fleet, 1, &[]);
    let found: Vec<String> = names(&fleet.path(""), "hub")
        .iter()
        .map(LinkName::to_string)
        .collect();
    let want = [
        "sni.example",
        address.as_str(),
        "ledger.example",
        "hub",
        // Of the certificate of today.
        "hub.example",
        "agent.example",
    ];
    assert_eq!(found, want);
}

#[test]
fn with_all_answers_there_is_a_plan() {
    let ca = root("New root");
    let middle = make(
        &Wanted {
            common_name: "Middle",
            is_ca: true,
            ..Wanted::default()
        },
        Some(&ca),
    );
    let fleet = half_answered(&ca);
    let says = ["no plan", "out/hub.csr: waits for the answer"];
    let ran = plan(&fleet, 1, &says);
    assert!(!ran.stdout.contains("agent.csr"), "{}", ran.stdout);
    let leaf = sign(&fleet.path(""), "hub", &middle, &Answer::default());
    answer(&fleet, "hub", &leaf, &[&middle, &ca]);
    let before = made(&fleet);
    plan(&fleet, 0, &["proof: 4 trust edges", "digest "]);
    assert!(made(&fleet) == before);
    fleet.check("apply DIGEST", 0, &["trust.pem", "id.pem"]);
}

#[test]
fn the_answer_may_be_der_beside_a_pkcs7_with_the_chain() {
    let ca = root("New root");
    let fleet = half_answered(&ca);
    let leaf = sign(&fleet.path(""), "hub", &ca, &Answer::default());
    fleet.write("out/hub.cer", leaf.to_der().unwrap());
    plan(
        &fleet,
        1,
        &[
            "out/hub.cer: the chain is incomplete",
            "the issuer CN=New root is missing",
        ],
    );
    let mut stack = openssl::stack::Stack::new().unwrap();
    stack.push(ca.certificate.clone()).unwrap();
    let flags = openssl::pkcs7::Pkcs7Flags::BINARY;
    let chain = openssl::pkcs7::Pkcs7::sign(&ca.certificate, &ca.key, &stack, b"", flags).unwrap();
    fleet.write("out/hub.p7b", chain.to_der().unwrap());
    plan(&fleet, 0, &["proof: "]);
}

#[test]
fn the_issuers_of_all_answers_may_lie_in_one_file() {
    let ca = root("New root");
    let fleet = asking();
    plan(&fleet, 1, &[]);
    for name in ["hub", "agent"] {
        answer(
            &fleet,
            name,
            &sign(&fleet.path(""), name, &ca, &Answer::default()),
            &[],
        );
    }
    let says = [
        "out/agent.pem: the chain is incomplete",
        "out/hub.pem: the chain is incomplete",
    ];
    plan(&fleet, 1, &says);
    fleet.write("out/chain.crt", ca.pem());
    plan(&fleet, 0, &["proof: "]);
}

#[test]
fn the_root_may_be_given_as_trust() {
    let ca = root("New root");
    let fleet = half_answered(&ca);
    answer(
        &fleet,
        "hub",
        &sign(&fleet.path(""), "hub", &ca, &Answer::default()),
        &[],
    );
    plan(&fleet, 1, &["out/hub.pem: the chain is incomplete"]);
    fleet.write("root.pem", ca.pem());
    fleet.toml("to    = { csr", "trust = \"root.pem\"\nto    = { csr");
    plan(&fleet, 0, &["proof: "]);
}

#[test]
fn the_policy_says_which_key_is_made() {
    for (standards, kind) in [
        ("{ max-days = 800 }", "RSA 2048"),
        ("{ min-rsa = 3000 }", "RSA 3072"),
        ("{ min-ec = 256 }", "EC P-256"),
        ("{ min-ec = 384 }", "EC P-384"),
    ] {
        let fleet = asking();
        fleet.toml_more(&format!("[policy]\nstandards = {standards}"));
        plan(&fleet, 1, &[&format!("({kind})")]);
        let pem = fleet.read("out/hub.csr");
        let request = X509Req::from_pem(pem.as_bytes()).unwrap();
        let key = request.public_key().unwrap();
        assert!(request.verify(&key).unwrap(), "{kind}");
    }
    let fleet = asking();
    fleet.toml_more("[policy]\nstandards = { min-rsa = 9000 }");
    plan(
        &fleet,
        2,
        &["! [policy] standards: asks for keys longer", "! hint: RSA keys"],
    );
}

#[test]
fn an_answer_without_a_name_of_the_request_is_refused_with_the_name() {
    let wrong = Answer {
        without: Some("hub.example"),
        ..Answer::default()
    };
    refused(
        &wrong,
        "O=Lab,CN=hub lacks the names hub.example",
        "all names of out/hub.csr",
    );
}

#[test]
fn an_answer_that_has_expired_is_refused() {
    let wrong = Answer {
        valid: (-300, -1),
        ..Answer::default()
    };
    refused(&wrong, "O=Lab,CN=hub has expired", "ask the CA");
}

#[test]
fn an_answer_that_is_not_valid_yet_is_refused() {
    let wrong = Answer {
        valid: (2, 300),
        ..Answer::default()
    };
    refused(&wrong, "O=Lab,CN=hub is not valid yet", "wait until it is");
}

#[test]
fn an_answer_for_servers_alone_is_refused() {
    let wrong = Answer {
        purposes: (true, false),
        ..Answer::default()
    };
    refused(&wrong, "O=Lab,CN=hub is not for clientAuth", "ask the CA");
}

#[test]
fn an_answer_outside_the_standards_is_refused() {
    let ca = root("New root");
    let fleet = half_answered(&ca);
    answer(
        &fleet,
        "hub",
        &sign(&fleet.path(""), "hub", &ca, &Answer::default()),
        &[&ca],
    );
    fleet.toml_more("[policy]\nstandards = { max-days = 90 }");
    plan(
        &fleet,
        1,
        &[
            "out/hub.pem: O=Lab,CN=hub is valid for 301 days",
            "at most 90 days",
        ],
    );
}

#[test]
fn an_answer_for_another_key_is_refused() {
    let ca = root("New root");
    let fleet = half_answered(&ca);
    std::fs::copy(fleet.path("out/agent.pem"), fleet.path("out/hub.pem")).unwrap();
    let says = [
        "out/hub.pem: is for another key: O=Lab,CN=agent does not have the public key of out/hub.csr",
        "remedy: have out/hub.csr signed as it is",
    ];
    plan(&fleet, 1, &says);
}

#[test]
fn an_answer_of_another_ca_with_the_same_name_is_refused() {
    let (ca, other) = (root("New root"), root("New root"));
    let fleet = half_answered(&ca);
    let leaf = sign(&fleet.path(""), "hub", &other, &Answer::default());
    answer(&fleet, "hub", &leaf, &[&ca]);
    let says = [
        "no plan",
        "out/hub.pem: O=Lab,CN=hub was not signed with the key of CN=New root",
    ];
    plan(&fleet, 1, &says);
    // With both in one bundle the one that signed is taken.
    answer(&fleet, "hub", &leaf, &[&ca, &other]);
    let leaf = sign(&fleet.path(""), "agent", &other, &Answer::default());
    answer(&fleet, "agent", &leaf, &[&other, &ca]);
    plan(&fleet, 0, &["proof: "]);
}

#[test]
fn a_key_that_went_away_after_the_plan_stops_apply_before_anything_is_written() {
    let ca = root("New root");
    let fleet = half_answered(&ca);
    answer(
        &fleet,
        "hub",
        &sign(&fleet.path(""), "hub", &ca, &Answer::default()),
        &[&ca],
    );
    plan(&fleet, 0, &[]);
    for entry in std::fs::read_dir(fleet.path(".capgrow/keys")).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let says = [
        "! error: out/",
        "! its private key .capgrow/keys/",
        "! hint: put the key back",
    ];
    fleet.check("apply DIGEST --approve", 2, &says);
}

#[test]
fn an_answer_that_is_none_is_named() {
    let ca = root("New root");
    for (bytes, reason) in [("", "the file is empty"), ("hello\n", "out/hub.pem: ")] {
        let fleet = half_answered(&ca);
        fleet.write("out/hub.pem", bytes);
        plan(
            &fleet,
            1,
            &["out/hub.pem: ", reason, "remedy: put the CA's answer there"],
        );
    }
    let fleet = half_answered(&ca);
    std::fs::create_dir(fleet.path("out/hub.pem")).unwrap();
    plan(&fleet, 1, &["out/hub.pem: not a regular file"]);
}

#[test]
fn of_two_answers_the_one_that_ends_later_counts() {
    let ca = root("New root");
    let fleet = half_answered(&ca);
    let wrong = Answer {
        valid: (-300, -1),
        ..Answer::default()
    };
    answer(&fleet, "hub", &sign(&fleet.path(""), "hub", &ca, &wrong), &[&ca]);
    let renewed = sign(&fleet.path(""), "hub", &ca, &Answer::default());
    fleet.write("out/hub.crt", renewed.to_pem().unwrap());
    plan(&fleet, 0, &["proof: "]);
}

#[test]
fn a_directory_that_cannot_be_written_is_named_and_no_key_is_left() {
    for (dir, blocker) in [
        ("capgrow.toml/out", None),
        ("/proc/out", None),
        ("file", Some("file")),
    ] {
        let fleet = asking();
        fleet.toml("csr = \"out/\"", &format!("csr = \"{dir}\""));
        if let Some(name) = blocker {
            fleet.write(name, "in the way");
        }
        plan(
            &fleet,
            2,
            &[
                "! error: the request ",
                "! /agent.csr cannot be written: ",
                "! hint: name a directory",
            ],
        );
        let keys = std::fs::read_dir(fleet.path(".capgrow/keys")).map_or(0, Iterator::count);
        assert_eq!(keys, 0, "{dir}");
    }
}

#[test]
fn a_file_of_the_same_name_is_never_replaced() {
    let fleet = asking();
    std::fs::create_dir(fleet.path("out")).unwrap();
    fleet.write("out/hub.csr", "a letter\n");
    let says = [
        "! error: out/hub.csr: ",
        "! hint: move out/hub.csr away and plan again",
    ];
    plan(&fleet, 2, &says);
    assert_eq!(fleet.read("out/hub.csr"), "a letter\n");
    // A request of somebody else: its key is not here.
    let other = asking();
    plan(&other, 1, &[]);
    fleet.write("out/hub.csr", other.read("out/hub.csr"));
    let says = [
        "! its private key .capgrow/keys/hub-",
        "! cannot be read: No such file",
        "! hint: put the key back",
    ];
    plan(&fleet, 2, &says);
    std::fs::remove_file(fleet.path("out/hub.csr")).unwrap();
    plan(&fleet, 1, &["out/hub.csr: waits for"]);
}

#[test]
fn a_request_that_lacks_a_new_name_of_the_inventory_is_not_signed_in_vain() {
    let ca = root("New root");
    let fleet = asking();
    plan(&fleet, 1, &[]);
    fleet.toml(
        "to       = \"hub\"",
        "to       = \"hub\"\nexpects  = \"ledger.example\"",
    );
    fleet.check("scan", 0, &[]);
    let says = [
        "out/hub.csr: does not ask for ledger.example",
        "remedy: move out/hub.csr away and plan again",
    ];
    plan(&fleet, 1, &says);
    answer(
        &fleet,
        "hub",
        &sign(&fleet.path(""), "hub", &ca, &Answer::default()),
        &[&ca],
    );
    let says = [
        "out/hub.pem: O=Lab,CN=hub lacks the names ledger.example",
        "move out/hub.csr away",
    ];
    plan(&fleet, 1, &says);
}

#[test]
fn components_with_words_of_their_own_wait_alone() {
    let ca = root("New root");
    let fleet = Fleet::new();
    fleet.toml(
        "to    = { chain = \"new/chain.pem\", key = \"new/tls.key\" }\n",
        "",
    );
    fleet.toml_more("[components.hub.new]\ncsr = \"ask\"\n[components.agent.new]\nchain = \"new/chain.pem\"\nkey = \"new/tls.key\"");
    fleet.check("scan", 0, &[]);
    let ran = plan(&fleet, 1, &["ask/hub.csr: waits for the answer"]);
    assert!(!ran.stdout.contains("agent.csr"), "{}", ran.stdout);
    let leaf = {
        std::fs::create_dir(fleet.path("out")).unwrap();
        std::fs::copy(fleet.path("ask/hub.csr"), fleet.path("out/hub.csr")).unwrap();
        sign(&fleet.path(""), "hub", &ca, &Answer::default())
    };
    let mut pem = leaf.to_pem().unwrap();
    pem.extend(ca.pem());
    fleet.write("ask/hub.crt", pem);
    plan(&fleet, 0, &["proof: "]);
}

#[test]
fn words_that_do_not_go_together_are_refused() {
    let fleet = asking();
    fleet.toml("csr = \"out/\"", "csr = \"out/\", key = \"new/tls.key\"");
    fleet.check(
        "plan",
        2,
        &[
            "! `csr` does not go together with `key`",
            "! hint: take one of them out",
        ],
    );
    let fleet = asking();
    fleet.toml("csr = \"out/\"", "csr = \"\"");
    fleet.check("plan", 2, &["! `csr` is empty", "! hint: name the directory"]);
    let fleet = asking();
    fleet.toml("csr = \"out/\"", "ca = \"x\"");
    fleet.check("plan", 2, &["! to = { ca } (not offered yet)"]);
}

#[test]
fn the_openssl_program_signs_and_the_fleet_goes_on() {
    let there = Command::new("openssl").arg("version").output();
    if !there.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).starts_with("OpenSSL 3")) {
        println!("SKIPPED: no openssl program of version 3");
        return;
    }
    let fleet = asking();
    plan(&fleet, 1, &[]);
    let dir = fleet.path("");
    let ask = |words: &str| openssl(&dir, words);
    ask("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=Root -days 900");
    for name in ["hub", "agent"] {
        let shown = ask(&format!("req -in out/{name}.csr -noout -verify -text"));
        assert!(shown.contains("verify OK"), "{shown}");
        assert!(shown.contains(&format!("DNS:{name}.example")), "{shown}");
        assert!(
            shown.contains("TLS Web Server Authentication, TLS Web Client Authentication"),
            "{shown}"
        );
        ask(&format!(
            "x509 -req -in out/{name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -copy_extensions copy -days 300 -out {name}.pem"
        ));
        ask(&format!(
            "crl2pkcs7 -nocrl -certfile ca.pem -certfile {name}.pem -out out/{name}.p7b"
        ));
    }
    plan(&fleet, 0, &["proof: 4 trust edges"]);
}

fn openssl(dir: &Path, words: &str) -> String {
    let output = Command::new("openssl")
        .args(words.split(' '))
        .current_dir(dir)
        .output()
        .unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "openssl {words}: {said}");
    said
}

#[test]
fn a_live_fleet_moves_to_the_answers_without_a_failed_handshake_and_stays_there() {
    let kept = Kept::start("generic");
    let file = kept.dir.join("capgrow.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let old = "leave = { issuer = \"CN=Old Lab CA\" }\nto    = { chain = \"new/chain.pem\", key = \"new/tls.key\" }";
    assert!(text.contains(old), "{text}");
    let renew = |leave: &str| {
        let new = format!("leave = {leave}\nto    = {{ csr = \"out/\" }}");
        std::fs::write(&file, text.replace(old, &new)).unwrap();
    };
    renew("\"*\"");
    kept.json(&["scan"], 0);
    assert_eq!(kept.json(&["plan"], 1)["blocked"].as_array().unwrap().len(), 2);
    kept.json(&["status", "--state", "S0"], 0);
    let ca = root("New root");
    let answer = |days: i64| {
        for name in ["hub", "agent"] {
            let answer = Answer {
                valid: (-1, days),
                ..Answer::default()
            };
            let mut pem = sign(&kept.dir, name, &ca, &answer).to_pem().unwrap();
            pem.extend(ca.pem());
            std::fs::write(kept.dir.join(format!("out/{name}.pem")), pem).unwrap();
        }
    };
    answer(20);
    kept.json(&["apply", &kept.digest(&[]), "--approve"], 0);
    kept.json(&["verify", "--state", "S2"], 0);
    let done = kept.json(&["plan"], 0);
    assert_eq!(
        done["steps"].as_array().unwrap().len(),
        0,
        "at the goal the plan is empty: {done}"
    );
    // Later the answers come to their end: the same requests are signed again.
    renew("{ expiring-within = \"45d\" }");
    let waiting = kept.json(&["plan"], 1);
    let reason = waiting["blocked"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("expires within the time"), "{waiting}");
    answer(300);
    kept.json(&["apply", &kept.digest(&[]), "--approve"], 0);
    kept.json(&["verify", "--state", "S2"], 0);
    let count = kept.count();
    assert_eq!(count["failed"], 0, "{count}");
}
