//! Revocation lists that are given: which runtime minds, and what it prints.

use keystore::{Certificate, RevocationList};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer, KeyIdMethod,
    KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use trust::{Computed, Purpose, Question, Reject, Verdict, runtime, verdict_with_lists};

const NOW: i64 = 1_795_262_400; // 2026-11-21T12:00:00Z

#[test]
fn a_revoked_leaf_is_refused_by_all_that_look() {
    for (name, want) in [
        ("openssl", Some("23: certificate revoked")),
        ("java17", Some("has been revoked")),
        ("gnutls", Some("0x22")),
        ("rustls", Some("Revoked")),
        ("nss-pkix", Some("-8180")),
        ("gskit8", Some("REVOKED")),
        ("go", None),
    ] {
        check(
            name,
            &["root: ", "int: leaf"],
            want,
            want.map(|_| Reject::Revoked),
        );
    }
}

#[test]
fn a_revoked_intermediate_is_refused_too() {
    for name in ["openssl", "java17", "gnutls", "rustls", "nss-pkix"] {
        check(name, &["root: int", "int: "], Some(""), Some(Reject::Revoked));
    }
}

#[test]
fn without_a_list_for_each_certificate_only_those_that_must_know_refuse() {
    for name in ["openssl", "java17", "rustls"] {
        check(name, &["root: "], Some(""), Some(Reject::RevocationUnknown));
        check(name, &["int: "], Some(""), Some(Reject::RevocationUnknown));
    }
    for name in ["gnutls", "nss-pkix", "go"] {
        check(name, &["root: "], None, None);
    }
}

#[test]
fn lists_that_say_nothing_against_it_let_it_pass() {
    for name in [
        "openssl", "java17", "gnutls", "rustls", "nss-pkix", "go", "gskit8",
    ] {
        check(name, &["root: ", "int: "], None, None);
    }
}

#[test]
fn an_old_list_is_none_except_where_its_age_does_not_matter() {
    let old = &["root: ", "int old: "];
    check(
        "openssl",
        old,
        Some("12: CRL has expired"),
        Some(Reject::RevocationUnknown),
    );
    check(
        "java17",
        old,
        Some("Could not determine"),
        Some(Reject::RevocationUnknown),
    );
    check("rustls", old, None, None);
    check("gnutls", old, Some("0x1002"), Some(Reject::RevocationUnknown));
    check(
        "gnutls",
        &["root: ", "int old: leaf"],
        Some("0x22"),
        Some(Reject::Revoked),
    );
}

#[test]
fn a_list_that_another_key_signed_counts_for_nothing() {
    check("gnutls", &["root: ", "int forged: leaf"], None, None);
    check(
        "java17",
        &["root: ", "int forged: leaf"],
        Some("Could not determine"),
        Some(Reject::RevocationUnknown),
    );
}

/// `lists`: `ISSUER [old|forged]: who is on it`.
#[track_caller]
fn check(name: &str, lists: &[&str], want: Option<&str>, reason: Option<Reject>) {
    let made = Made::new();
    let ders: Vec<Vec<u8>> = lists.iter().map(|list| made.list(list)).collect();
    let lists: Vec<RevocationList<'_>> = ders
        .iter()
        .map(|der| RevocationList::parse(der).unwrap())
        .collect();
    let chain = [made.leaf.clone(), made.int.clone()];
    let anchors = [made.root.clone()];
    let question = Question {
        chain: &chain,
        anchors: &anchors,
        intermediates_known: &[],
        purpose: Purpose::Server,
        name: None,
        at_unix: NOW,
    };
    let found = verdict_with_lists(runtime(name).unwrap(), &question, &lists, &Computed::new());
    assert_eq!(
        found.reason(),
        reason,
        "{name}: {}\n{}",
        found.prints(),
        found.trace()
    );
    match want {
        Some(want) => assert!(found.prints().contains(want), "{name}: {}", found.prints()),
        None => assert!(!matches!(found, Verdict::Reject(_)), "{name}: {}", found.prints()),
    }
    assert!(
        found.trace().to_string().contains("list"),
        "{name}: the trace says nothing of lists"
    );
}

struct Made {
    leaf: Certificate,
    int: Certificate,
    root: Certificate,
    keys: [KeyPair; 3],
    params: [CertificateParams; 2],
}

impl Made {
    fn new() -> Self {
        let keys = [0; 3].map(|_| KeyPair::generate().unwrap());
        let root = params("root", 1, true);
        let int = params("int", 2, true);
        let leaf = params("leaf", 3, false);
        let root_cert = root.self_signed(&keys[0]).unwrap();
        let int_cert = int
            .signed_by(&keys[1], &Issuer::from_params(&root, &keys[0]))
            .unwrap();
        let leaf_cert = leaf
            .signed_by(&keys[2], &Issuer::from_params(&int, &keys[1]))
            .unwrap();
        let read = |der: &[u8]| Certificate::parse(der).unwrap();
        Self {
            leaf: read(leaf_cert.der()),
            int: read(int_cert.der()),
            root: read(root_cert.der()),
            params: [root, int],
            keys,
        }
    }

    fn list(&self, text: &str) -> Vec<u8> {
        let (head, revoked) = text.split_once(':').unwrap();
        let (params, key) = match head.starts_with("root") {
            true => (&self.params[0], &self.keys[0]),
            false => (&self.params[1], &self.keys[1]),
        };
        let key = if head.contains("forged") {
            &self.keys[2]
        } else {
            key
        };
        let is_old = head.contains("old");
        let serial = |name: &str| SerialNumber::from(if name == "int" { 2 } else { 3 });
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, if is_old { 1 } else { 11 }, 1),
            next_update: date_time_ymd(2026, if is_old { 2 } else { 12 }, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked
                .split_whitespace()
                .map(|name| RevokedCertParams {
                    serial_number: serial(name),
                    revocation_time: date_time_ymd(2026, 1, 1),
                    reason_code: None,
                    invalidity_date: None,
                })
                .collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&Issuer::from_params(params, key))
            .unwrap()
            .der()
            .to_vec()
    }
}

fn params(name: &str, serial: u64, is_ca: bool) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(SerialNumber::from(serial));
    if is_ca {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    }
    params
}
