//! What is wrong with certificates: dates, keys, signatures, order, the vendor's own.

use std::collections::BTreeSet;

use keystore::Body;
use keystore::Certificate;
use keystore::Curve;
use keystore::Entry;
use keystore::Format;
use keystore::KeyKind;
use keystore::Store;
use keystore::oid;
use trust::Signatures;

use super::finding::Severity;
use super::rules::Found;
use super::rules::place;
use super::short;
use crate::print;

/// Checks every certificate of the store once per rule.
pub fn check(found: &mut Found<'_>, store: &Store, now: i64) {
    let mut seen = BTreeSet::new();
    let defaults = vendor_defaults();
    for (index, entry) in store.entries().iter().enumerate() {
        let place = place(index, entry);
        let presented = matches!(entry.body(), Body::PrivateKey { .. });
        for (position, certificate) in entry.certificates().iter().enumerate() {
            if !seen.insert((presented && position == 0, certificate.sha256())) {
                continue;
            }
            let one = One {
                place: &place,
                certificate,
                is_leaf_of_key: presented && position == 0,
            };
            dates(found, &one, now);
            weak_key(found, &one);
            weak_signature(found, &one);
            vendor_default(found, &one, &defaults);
        }
        if presented {
            chain(found, &place, entry.certificates());
        }
        if let Body::Request { der, .. } = entry.body() {
            weak_request(found, &place, der);
        }
    }
    if store.format() == Format::Pem {
        bundle_order(found, store);
    }
}

/// Whether it may issue certificates, by its own words.
pub fn is_authority(certificate: &Certificate) -> bool {
    certificate
        .basic_constraints()
        .ok()
        .flatten()
        .is_some_and(|constraints| constraints.is_authority)
}

struct One<'a> {
    place: &'a str,
    certificate: &'a Certificate,
    is_leaf_of_key: bool,
}

impl One<'_> {
    fn name(&self) -> String {
        format!(
            "{} ({})",
            self.certificate.subject(),
            short(&self.certificate.sha256())
        )
    }
}

fn dates(found: &mut Found<'_>, one: &One<'_>, now: i64) {
    let validity = one.certificate.validity();
    let cause = if one.is_leaf_of_key {
        "peers refuse whoever presents it"
    } else {
        "whatever it issued or anchors is refused by most verifiers"
    };
    let left = validity.not_after.saturating_sub(now);
    if left < 0 {
        found.add(
            "expired",
            if one.is_leaf_of_key {
                Severity::Error
            } else {
                Severity::Warning
            },
            Some(one.place),
            format!(
                "{} expired {}, {} days ago",
                one.name(),
                print::utc_time(validity.not_after),
                -left / DAY
            ),
            cause,
            "replace it, or remove it where nothing needs it: capgrow plan",
        );
    } else if left <= SOON_SECONDS {
        found.add(
            "expires-soon",
            Severity::Warning,
            Some(one.place),
            format!(
                "{} expires {}, in {} days",
                one.name(),
                print::utc_time(validity.not_after),
                left / DAY
            ),
            cause,
            "replace it before: capgrow plan",
        );
    }
    if validity.not_before > now {
        found.add(
            "not-yet-valid",
            Severity::Warning,
            Some(one.place),
            format!(
                "{} is valid from {}",
                one.name(),
                print::utc_time(validity.not_before)
            ),
            cause,
            "check this machine's clock, or wait with its use until then",
        );
    }
}

fn weak_key(found: &mut Found<'_>, one: &One<'_>) {
    let kind = one.certificate.public_key().kind();
    if !is_weak(&kind) {
        return;
    }
    found.add(
        "weak-key",
        Severity::Warning,
        Some(one.place),
        format!("{} has a key of {kind}", one.name()),
        "current runtimes refuse it by default, and its private key can be computed by the well-equipped",
        "replace it by one with RSA 2048 or more, or EC P-256 or more",
    );
}

fn weak_request(found: &mut Found<'_>, place: &str, der: &[u8]) {
    let Ok(request) = keystore::Request::parse(der) else {
        return;
    };
    let kind = request.public_key().kind();
    if is_weak(&kind) {
        found.add(
            "weak-key",
            Severity::Warning,
            Some(place),
            format!("the request of {} is for a key of {kind}", request.subject),
            "no authority issues a certificate for it, and current runtimes refuse it",
            "make a new request with RSA 2048 or more, or EC P-256 or more",
        );
    }
}

/// 112 bits of security at least. Source: NIST SP 800-57 part 1, table 2; a size of 0 is a key we could not read.
fn is_weak(kind: &KeyKind<'_>) -> bool {
    match kind {
        KeyKind::Rsa { bits } | KeyKind::RsaPss { bits } | KeyKind::Dsa { bits } => (1..2048).contains(bits),
        KeyKind::Ec {
            curve: Curve::Named(name),
        } => *name == oid::P192,
        _ => false,
    }
}

fn weak_signature(found: &mut Found<'_>, one: &One<'_>) {
    let algorithm = one.certificate.signature_algorithm();
    let hash = match algorithm.oid() {
        oid::MD2_RSA => "MD2",
        oid::MD5_RSA => "MD5",
        oid::SHA1_RSA | oid::SHA1_RSA_OIW | oid::ECDSA_SHA1 | oid::DSA_SHA1 => "SHA-1",
        _ => return,
    };
    // Nobody checks the signature of an anchor.
    let anchor = one.certificate.is_self_issued() && !one.is_leaf_of_key;
    found.add(
        "weak-signature",
        if anchor { Severity::Note } else { Severity::Warning },
        Some(one.place),
        format!("{} is signed with {algorithm}", one.name()),
        if anchor {
            format!("{hash} can be forged; as an anchor its own signature is not looked at")
        } else {
            format!("{hash} can be forged, and current runtimes refuse it")
        },
        "have it issued again with SHA-256 or better",
    );
}

fn vendor_default(found: &mut Found<'_>, one: &One<'_>, defaults: &[(Vec<u8>, &'static str)]) {
    if !one.certificate.is_self_issued() {
        return;
    }
    let subject = one.certificate.subject();
    let is_same = |der: &[u8]| keystore::Name::parse(der, 0).is_ok_and(|name| name.is_same(&subject));
    let Some((_, product)) = defaults.iter().find(|(der, _)| is_same(der)) else {
        return;
    };
    found.add(
        "vendor-default",
        Severity::Warning,
        Some(one.place),
        format!("{} is a default certificate of {product}", one.name()),
        if one.is_leaf_of_key {
            "its private key lies in every installation of the product: anybody can pretend to be this host"
        } else {
            "its private key lies in every installation of the product: who trusts it trusts everybody"
        },
        "[[rotate]] leave = { default-of = \"workload-automation\" } in capgrow.toml, then capgrow plan",
    );
}

fn vendor_defaults() -> Vec<(Vec<u8>, &'static str)> {
    let product = "workload-automation";
    let subjects = product::default_subjects(product).unwrap_or_default();
    subjects
        .into_iter()
        .filter_map(|text| Some((keystore::name::encode(text).ok()?, product)))
        .collect()
}

/// A key's chain must lead from the leaf upwards, each signed by the next.
fn chain(found: &mut Found<'_>, place: &str, chain: &[Certificate]) {
    for (position, pair) in chain.windows(2).enumerate() {
        let [below, above] = pair else { continue };
        if !below.names_as_issuer(above) {
            found.add(
                "chain-order",
                Severity::Warning,
                Some(place),
                format!(
                    "certificate {} of the chain, {}, was not issued by number {}, {}",
                    position + 1,
                    below.subject(),
                    position + 2,
                    above.subject()
                ),
                "GSKit and older Java verifiers take the chain as it comes and refuse it",
                "import the chain again in order: leaf, its issuer, and so on",
            );
            return;
        }
        if can_verify(below) && !is_signed_by(below, above) {
            found.add(
                "chain-signature",
                Severity::Error,
                Some(place),
                format!("the key of {} did not sign {}", above.subject(), below.subject()),
                "an authority of the same name with another key: no verifier accepts this chain",
                "put the authority's certificate with the right key into the chain",
            );
            return;
        }
    }
    if let [leaf] = chain
        && !leaf.is_self_issued()
    {
        found.add(
            "chain-short",
            Severity::Note,
            Some(place),
            format!(
                "the chain of {} ends with itself; its issuer is {}",
                leaf.subject(),
                leaf.issuer()
            ),
            "right where a root issued it, else peers miss what lies between",
            "import the chain up to the last intermediate",
        );
    }
}

/// Certificates alone in a PEM file: if they make one chain, servers send them as they stand.
fn bundle_order(found: &mut Found<'_>, store: &Store) {
    let all: Vec<&Certificate> = store.entries().iter().flat_map(Entry::certificates).collect();
    let has_key = store
        .entries()
        .iter()
        .any(|entry| matches!(entry.body(), Body::PrivateKey { .. }));
    if has_key || !(2..=MAX_CHAIN).contains(&all.len()) {
        return;
    }
    let mut leaves = all
        .iter()
        .filter(|one| !is_authority(one) && !one.is_self_issued());
    let (Some(leaf), None) = (leaves.next(), leaves.next()) else {
        return;
    };
    let mut ordered = vec![*leaf];
    while let Some(next) = ordered
        .last()
        .filter(|last| !last.is_self_issued())
        .and_then(|last| {
            all.iter()
                .find(|one| !ordered.contains(one) && last.names_as_issuer(one))
        })
    {
        ordered.push(*next);
    }
    if ordered.len() == all.len() && ordered != all {
        found.add(
            "chain-order",
            Severity::Warning,
            None,
            format!("the certificates of one chain stand out of order: {} is not first, or its issuers not behind it", leaf.subject()),
            "programs send them as they stand: OpenSSL presents the first as its own, GSKit refuses the rest",
            "put the leaf first, then its issuer, and so on",
        );
    }
}

fn is_signed_by(below: &Certificate, above: &Certificate) -> bool {
    trust::Computed::new().holds(&trust::Claim {
        tbs: below.tbs(),
        algorithm: below.signature_algorithm().der(),
        signature: below.signature(),
        issuer_spki: above.spki(),
    })
}

/// Algorithms for which "does not verify" is a fact and not a gap of ours.
fn can_verify(certificate: &Certificate) -> bool {
    matches!(
        certificate.signature_algorithm().oid(),
        oid::SHA1_RSA | oid::SHA256_RSA | oid::SHA384_RSA | oid::SHA512_RSA
    )
}

const DAY: i64 = 86_400;
/// The horizon of "soon": 30 days.
pub const SOON_SECONDS: i64 = 30 * DAY;
/// Longer bundles are trust stores, whose order means nothing.
const MAX_CHAIN: usize = 10;
