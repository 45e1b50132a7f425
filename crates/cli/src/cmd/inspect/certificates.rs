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
use serde::Deserialize;
use serde::Serialize;
use trust::Signatures;

use super::finding::Severity;
use super::rules::Found;
use super::rules::Told;
use super::rules::place;
use super::short;
use crate::print;

/// Checks every certificate of the store once per rule.
pub fn check(found: &mut Found, store: &Store) {
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
            found.dates(Dates::of(&one));
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
    if matches!(store.format(), Format::Pem | Format::Pkcs7) {
        loose_certificates(found, store);
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

/// The dates of a certificate, to be held against the clock when they are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dates {
    place: String,
    /// Subject and fingerprint.
    name: String,
    is_leaf_of_key: bool,
    not_before: i64,
    not_after: i64,
}

impl Dates {
    fn of(one: &One<'_>) -> Dates {
        let validity = one.certificate.validity();
        Dates {
            place: one.place.to_owned(),
            name: one.name(),
            is_leaf_of_key: one.is_leaf_of_key,
            not_before: validity.not_before,
            not_after: validity.not_after,
        }
    }

    /// From when and until when nothing is wrong with them.
    pub fn quiet(&self) -> (i64, i64) {
        (self.not_before, self.not_after.saturating_sub(SOON_SECONDS))
    }

    /// Adds what is wrong with them `now`, in seconds since 1970.
    pub fn tell(&self, found: &mut Told<'_>, now: i64) {
        let cause = if self.is_leaf_of_key {
            "peers refuse whoever presents it"
        } else {
            "whatever it issued or anchors is refused by most verifiers"
        };
        let (name, left) = (&self.name, self.not_after.saturating_sub(now));
        if left < 0 {
            found.add(
                "expired",
                if self.is_leaf_of_key {
                    Severity::Error
                } else {
                    Severity::Warning
                },
                Some(&self.place),
                format!(
                    "{name} expired {}, {} days ago",
                    print::utc_time(self.not_after),
                    -left / DAY
                ),
                cause,
                "replace it, or remove it where nothing needs it: capgrow plan",
            );
        } else if left <= SOON_SECONDS {
            found.add(
                "expires-soon",
                Severity::Warning,
                Some(&self.place),
                format!(
                    "{name} expires {}, in {} days",
                    print::utc_time(self.not_after),
                    left / DAY
                ),
                cause,
                "replace it before: capgrow plan",
            );
        }
        if self.not_before > now {
            found.add(
                "not-yet-valid",
                Severity::Warning,
                Some(&self.place),
                format!("{name} is valid from {}", print::utc_time(self.not_before)),
                cause,
                "check this machine's clock, or wait with its use until then",
            );
        }
    }
}

fn weak_key(found: &mut Found, one: &One<'_>) {
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

fn weak_request(found: &mut Found, place: &str, der: &[u8]) {
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

fn weak_signature(found: &mut Found, one: &One<'_>) {
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

fn vendor_default(found: &mut Found, one: &One<'_>, defaults: &[(Vec<u8>, &'static str)]) {
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
fn chain(found: &mut Found, place: &str, chain: &[Certificate]) {
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

/// Certificates alone in a file: one chain, which servers send as it stands, or a bundle of anchors.
fn loose_certificates(found: &mut Found, store: &Store) {
    let all: Vec<&Certificate> = store.entries().iter().flat_map(Entry::certificates).collect();
    let has_key = store
        .entries()
        .iter()
        .any(|entry| matches!(entry.body(), Body::PrivateKey { .. }));
    if has_key || all.len() < 2 {
        return;
    }
    let leaves: Vec<&Certificate> = all
        .iter()
        .copied()
        .filter(|one| !is_authority(one) && !one.is_self_issued())
        .collect();
    let ordered = match leaves.as_slice() {
        [leaf] if all.len() <= MAX_CHAIN => from_leaf(leaf, &all),
        _ => Vec::new(),
    };
    let is_chain = ordered.len() == all.len();
    if is_chain && ordered != all && store.format() == Format::Pem {
        let leaf = ordered[0].subject();
        found.add(
            "chain-order",
            Severity::Warning,
            None,
            format!("the certificates of one chain stand out of order: {leaf} is not first, or its issuers not behind it"),
            "programs send them as they stand: OpenSSL presents the first as its own, GSKit refuses the rest",
            "put the leaf first, then its issuer, and so on",
        );
    }
    let (rule, evidence) = if is_chain {
        (
            "chain",
            format!(
                "one chain of {} certificates, for {}",
                all.len(),
                ordered[0].subject()
            ),
        )
    } else if leaves.is_empty() {
        ("ca-bundle", format!("a bundle of {} authorities", all.len()))
    } else {
        let (count, others) = (all.len(), leaves.len());
        (
            "ca-bundle",
            format!("a bundle of {count} certificates, {others} of them no authority: not one chain"),
        )
    };
    let cause = if is_chain {
        "a program presents it; as a trust store it trusts the leaf and its issuers"
    } else {
        "a program trusts it; none should present it"
    };
    found.add(rule, Severity::Note, None, evidence, cause, "nothing to do");
}

fn from_leaf<'a>(leaf: &'a Certificate, all: &[&'a Certificate]) -> Vec<&'a Certificate> {
    let mut ordered = vec![leaf];
    while let Some(next) = ordered
        .last()
        .filter(|last| !last.is_self_issued())
        .and_then(|last| {
            all.iter()
                .find(|one| !ordered.contains(one) && last.names_as_issuer(one))
        })
    {
        ordered.push(next);
    }
    ordered
}

/// Whether the key of the one signed the other.
pub fn is_signed_by(below: &Certificate, above: &Certificate) -> bool {
    trust::Computed::new().holds(&trust::Claim {
        tbs: below.tbs(),
        algorithm: below.signature_algorithm().der(),
        signature: below.signature(),
        issuer_spki: above.spki(),
    })
}

/// Algorithms for which "does not verify" is a fact and not a gap of ours.
pub fn can_verify(certificate: &Certificate) -> bool {
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
