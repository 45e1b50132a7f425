//! New keys and chains that must not be used.

use super::Fleet;
use super::certificates::Made;
use super::certificates::Wanted;
use super::certificates::make;
use super::certificates::root;

/// A fleet whose new chain is this leaf and these certificates.
fn moving_to(leaf: &Made, others: &[&Made]) -> Fleet {
    let fleet = Fleet::new();
    let mut chain = leaf.pem();
    for other in others {
        chain.extend(other.pem());
    }
    fleet.write("new/chain.pem", chain);
    fleet.write("new/tls.key", leaf.key_pem());
    fleet.check("scan", 0, &[]);
    fleet
}

/// The new chain is not allowed: no plan, exit code 1, and why.
fn refused(wanted: &Wanted<'_>, reason: &str, remedy: &str) {
    let root = root("New root");
    let leaf = make(wanted, Some(&root));
    moving_to(&leaf, &[&root]).check(
        "plan",
        1,
        &["no plan", "new/chain.pem: ", reason, "remedy: ", remedy],
    );
}

#[test]
fn a_good_chain_is_planned() {
    let root = root("New root");
    let leaf = make(&Wanted::default(), Some(&root));
    moving_to(&leaf, &[&root]).check("plan", 0, &["proof: ", "digest "]);
}

#[test]
fn a_new_key_of_another_certificate_is_refused() {
    let root = root("New root");
    let leaf = make(&Wanted::default(), Some(&root));
    let other = make(&Wanted::default(), Some(&root));
    let fleet = moving_to(&leaf, &[&root]);
    fleet.write("new/tls.key", other.key_pem());
    let says = [
        "! error: new/tls.key: the private key does not fit the leaf of the new chain",
        "! hint: give the key",
    ];
    fleet.check("plan", 2, &says);
}

#[test]
fn a_chain_without_its_root_is_incomplete() {
    let root = root("New root");
    let leaf = make(&Wanted::default(), Some(&root));
    let says = [
        "no plan",
        "new/chain.pem: the chain is incomplete",
        "the issuer CN=New root is missing",
        "remedy: add the missing",
    ];
    moving_to(&leaf, &[]).check("plan", 1, &says);
}

#[test]
fn a_chain_without_its_middle_is_incomplete() {
    let root = root("New root");
    let middle = make(
        &Wanted {
            common_name: "Middle",
            is_ca: true,
            ..Wanted::default()
        },
        Some(&root),
    );
    let leaf = make(&Wanted::default(), Some(&middle));
    let says = ["no plan", "new/chain.pem: ", "CN=new", "remedy: "];
    moving_to(&leaf, &[&root]).check("plan", 1, &says);
}

#[test]
fn an_expired_leaf_is_refused() {
    let wanted = Wanted {
        valid: (-300, -1),
        ..Wanted::default()
    };
    refused(&wanted, "CN=new has expired", "ask the CA");
}

#[test]
fn a_leaf_that_is_not_valid_yet_is_refused() {
    let wanted = Wanted {
        valid: (2, 300),
        ..Wanted::default()
    };
    refused(&wanted, "CN=new is not valid yet", "wait until it is");
}

#[test]
fn a_leaf_for_servers_alone_is_refused() {
    let wanted = Wanted {
        purposes: (true, false),
        ..Wanted::default()
    };
    refused(&wanted, "CN=new is not for clientAuth", "ask the CA");
}

#[test]
fn a_leaf_for_clients_alone_is_refused() {
    let wanted = Wanted {
        purposes: (false, true),
        ..Wanted::default()
    };
    refused(&wanted, "CN=new is not for serverAuth", "ask the CA");
}

#[test]
fn a_ca_certificate_is_no_leaf() {
    let wanted = Wanted {
        is_ca: true,
        ..Wanted::default()
    };
    refused(&wanted, "CN=new is a CA certificate", "end-entity");
}

#[test]
fn material_outside_the_standards_is_refused_with_each_reason() {
    let fleet = Fleet::new();
    fleet.toml_more("[policy]\nstandards = { min-rsa = 3072, max-days = 90, issuers = [\"CN=Other CA\"] }");
    let says = [
        "no plan",
        "new/chain.pem: O=Lab,CN=lab has a key of RSA 2048",
        "is valid for 365 days",
        "is issued by CN=New Lab CA",
        "[policy] standards asks for RSA of at least 3072 bits, at most 90 days, issued by CN=Other CA",
    ];
    fleet.check("scan", 0, &[]).check("plan", 1, &says);
}

#[test]
fn a_new_certificate_without_the_name_that_is_dialled_is_refused_with_the_link() {
    let root = root("New root");
    let wanted = Wanted {
        names: &["agent.example"],
        ..Wanted::default()
    };
    let leaf = make(&wanted, Some(&root));
    let fleet = moving_to(&leaf, &[&root]);
    fleet.toml(
        "to       = \"hub\"",
        "to       = \"hub\"\nexpects = \"hub.example\"",
    );
    let says = ["no plan", "hub -> agent", "hub.example"];
    fleet.check("scan", 0, &[]).check("plan", 1, &says);
}

#[test]
fn with_the_name_that_is_dialled_it_is_planned() {
    let root = root("New root");
    let leaf = make(&Wanted::default(), Some(&root));
    let fleet = moving_to(&leaf, &[&root]);
    fleet.toml(
        "to       = \"hub\"",
        "to       = \"hub\"\nexpects = \"hub.example\"",
    );
    fleet
        .check("scan", 0, &[])
        .check("plan", 0, &["proof: 4 trust edges"]);
}

#[test]
fn new_files_that_are_absent_empty_or_something_else_are_named() {
    for (name, bytes, reason) in [
        ("new/chain.pem", None, "No such file"),
        ("new/tls.key", None, "No such file"),
        ("new/chain.pem", Some(""), "the file is empty"),
        ("new/tls.key", Some(""), "the file is empty"),
        ("new/chain.pem", Some("hello\n"), ""),
        ("new/tls.key", Some("hello\n"), ""),
        (
            "new/chain.pem",
            Some("-----BEGIN CERTIFICATE-----\nMIIB\n"),
            "END",
        ),
    ] {
        let fleet = Fleet::new();
        match bytes {
            None => std::fs::remove_file(fleet.path(name)).unwrap(),
            Some(bytes) => fleet.write(name, bytes),
        }
        let first = format!("! error: {name}: ");
        let reason = format!("! {reason}");
        fleet
            .check("scan", 0, &[])
            .check("plan", 2, &[&first, &reason, "! hint: "]);
    }
}

#[test]
fn an_encrypted_new_key_needs_its_password() {
    let root = root("New root");
    let leaf = make(&Wanted::default(), Some(&root));
    let fleet = moving_to(&leaf, &[&root]);
    let cipher = openssl::symm::Cipher::aes_256_cbc();
    let key = leaf
        .key
        .private_key_to_pem_pkcs8_passphrase(cipher, "gehe\u{ef}m".as_bytes())
        .unwrap();
    fleet.write("new/tls.key", key);
    fleet.check("plan", 2, &["! error: new/tls.key: ", "! hint: check `password`"]);
    fleet.write("secret", "wrong\n");
    fleet.toml(
        "key = \"new/tls.key\"",
        "key = \"new/tls.key\", password = { file = \"secret\" }",
    );
    fleet.check(
        "plan",
        2,
        &["! error: new/tls.key: ", "! wrong", "! hint: check `password`"],
    );
    fleet.write("secret", "gehe\u{ef}m\n");
    fleet.check("plan", 0, &["proof: "]);
    std::fs::remove_file(fleet.path("secret")).unwrap();
    fleet.check("plan", 2, &["! secret", "! No such file", "! hint: "]);
}

#[test]
fn new_files_that_are_no_files_are_named() {
    for name in ["new/chain.pem", "new/tls.key"] {
        let fleet = Fleet::new();
        let path = fleet.path(name);
        std::fs::remove_file(&path).unwrap();
        assert!(super::program(&["mkfifo".as_ref(), path.as_os_str()]));
        let first = format!("! error: {name}: not a regular file");
        fleet
            .check("scan", 0, &[])
            .check("plan", 2, &[&first, "! hint: "]);
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        fleet.check("plan", 2, &[&first, "! hint: "]);
    }
}
