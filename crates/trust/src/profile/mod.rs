//! Runtimes as data: each field with the place it was taken from.

mod fields;
mod gnutls;
mod go;
mod gskit;
mod java;
mod nss;
mod openssl;
mod webpki;

use crate::algorithm::{Curve, Hash, Key};
use crate::cert::Cert;
use crate::dn::{self, Naming};
use crate::extension::{General, KnownExtension};

pub use fields::Field;
pub use gnutls::GnuTls;
pub use go::Go;
pub use gskit::Gskit;
pub use java::{Java, JavaValidator};
pub use nss::Nss;
pub use openssl::{HostMatch, OpenSsl, OpenSslPrints};
pub use webpki::WebPki;

/// The curves that TLS libraries offer by default.
pub(crate) const COMMON_CURVES: Option<Cited<&'static [Curve]>> = Some(cited(
    &[Curve::P256, Curve::P384, Curve::P521],
    "verdicts alg:p224, alg:k256",
));

/// A value with the place it was taken from: a specification's section, a vendor's document or source, or the id
/// of a recorded verdict (`family:what`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cited<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub source: &'static str,
}

/// Makes a [`Cited`].
pub(crate) const fn cited<T>(value: T, source: &'static str) -> Cited<T> {
    Cited { value, source }
}

/// A runtime's behaviour as data.
#[derive(Debug)]
pub struct Profile {
    /// The name by which it is asked for.
    pub name: &'static str,
    /// What it stands for, in a few words.
    pub describes: &'static str,
    /// Whether it was measured, and on what.
    pub evidence: Evidence,
    /// How it searches and what it checks.
    pub search: Search,
    /// Curves of a peer's key that its handshakes offer; `None` where no handshake is asked.
    pub(crate) curves: Option<Cited<&'static [Curve]>>,
    /// What it does not even decode.
    pub refuses: Cited<&'static [Defect]>,
    /// Which entries of a store it takes as anchors.
    pub anchors: Cited<AnchorEntries>,
    /// Which identity it presents when the store has several and no alias is set.
    pub presents: Cited<PresentRule>,
    /// What it makes of revocation lists when it is set up to look at them.
    pub revocation: Cited<RevocationRule>,
    /// How a client of it answers a server's request for a certificate.
    pub answers: Cited<ClientRule>,
}

/// How well a profile is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// From documents only; shown so to the user.
    Documented,
    /// Compared with recorded verdicts of this version.
    Measured(&'static str),
}

/// The families of search, each with its data.
#[derive(Debug)]
pub enum Search {
    /// GnuTLS.
    GnuTls(GnuTls),
    /// Go.
    Go(Go),
    /// IBM GSKit.
    Gskit(Gskit),
    /// OpenJDK and its relatives.
    Java(Java),
    /// NSS.
    Nss(Nss),
    /// OpenSSL's `X509_verify_cert` and the programs around it.
    OpenSsl(OpenSsl),
    /// rustls-webpki.
    WebPki(WebPki),
}

/// Something about a certificate that makes some runtimes refuse to decode it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Defect {
    /// The algorithm inside the signed part is not the one outside.
    AlgorithmMismatch,
    /// A critical extension whose value is not what its type says.
    BrokenCritical,
    /// An extension whose value is not what its type says.
    BrokenExtension,
    /// A SAN that cannot be decoded.
    BrokenNames,
    /// The same extension twice.
    DuplicateExtension,
    /// The same extension twice, both of which can be decoded.
    DuplicateSound,
    /// No issuer.
    EmptyIssuer,
    /// nameConstraints that is empty, or has an empty list.
    EmptySubtrees,
    /// No subject, and no SAN that is critical and has a name.
    EmptySubjectWithoutNames,
    /// An RSA modulus that is even.
    EvenModulus,
    /// A serial number below zero.
    NegativeSerial,
    /// Bytes that are no certificate at all.
    NoCertificate,
    /// An iPAddress of a length that is no address.
    OddAddress,
    /// A key on a curve the runtime has not.
    UnknownCurve,
}

impl Defect {
    pub(crate) fn is_in(self, cert: &Cert<'_>) -> bool {
        match self {
            Self::AlgorithmMismatch => !cert.has_consistent_algorithm(),
            Self::BrokenCritical => {
                let broken = &cert.extensions.broken;
                broken.iter().any(|kind| cert.extensions.is_critical(*kind))
            }
            Self::BrokenExtension => !cert.extensions.broken.is_empty(),
            Self::BrokenNames => cert.extensions.broken.contains(&KnownExtension::SubjectAltName),
            Self::DuplicateExtension => cert.extensions.has_duplicate,
            Self::DuplicateSound => cert.extensions.has_sound_duplicate,
            Self::EmptyIssuer => dn::is_empty(cert.issuer),
            Self::EmptySubtrees => cert
                .extensions
                .subtrees
                .as_ref()
                .is_some_and(|set| set.is_empty_list),
            Self::OddAddress => cert
                .extensions
                .names
                .iter()
                .flatten()
                .any(|name| matches!(name, General::Ip(address) if !matches!(address.len(), 4 | 16))),
            Self::EmptySubjectWithoutNames => {
                let has_names = cert
                    .extensions
                    .names
                    .as_ref()
                    .is_some_and(|names| !names.is_empty());
                let is_critical = cert.extensions.is_critical(KnownExtension::SubjectAltName);
                dn::is_empty(cert.subject) && !(has_names && is_critical)
            }
            Self::EvenModulus => matches!(cert.key, Key::Rsa { is_odd: false, .. }),
            Self::NegativeSerial => cert.serial.first().is_some_and(|octet| octet & 0x80 != 0),
            Self::NoCertificate => false,
            Self::UnknownCurve => {
                matches!(cert.key, Key::Ec(Curve::K256 | Curve::P192 | Curve::Unknown))
            }
        }
    }

    /// In a few words.
    pub fn words(self) -> &'static str {
        match self {
            Self::AlgorithmMismatch => "signature algorithm mismatch",
            Self::BrokenCritical => "invalid encoding of a critical extension",
            Self::BrokenExtension => "an extension cannot be decoded",
            Self::BrokenNames => "the SAN cannot be decoded",
            Self::DuplicateExtension | Self::DuplicateSound => "the same extension twice",
            Self::EmptyIssuer => "Empty issuer DN not allowed in X509Certificates",
            Self::EmptySubjectWithoutNames => {
                "subject field is empty, and SubjectAlternativeName extension is absent, empty or not critical"
            }
            Self::EvenModulus => "invalid RSA public key",
            Self::EmptySubtrees => "empty name constraints extension",
            Self::OddAddress => "cannot parse IP address",
            Self::NegativeSerial => "negative serial number",
            Self::NoCertificate => "no certificate",
            Self::UnknownCurve => "unsupported elliptic curve",
        }
    }
}

/// Which entries of a store count as anchors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnchorEntries {
    /// Every certificate in the file, those of a key entry's chain too.
    Every,
    /// Trusted-certificate entries, and the first certificate of each key entry.
    TrustedAndFirstOfKey,
    /// Signer entries with the trust mark, and the certificates of personal entries.
    TrustedSignersAndPersonal,
}

/// Which identity goes out when a store has several private keys and no alias is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresentRule {
    /// The one marked as default, else the only one; several without a mark are a fault.
    Default,
    /// The first in the file.
    First,
    /// The first that fits key type and the peer's list of authorities, in an order the file does not fix.
    FirstThatFits,
}

/// How a client answers a server's request for a certificate when no alias is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientRule {
    /// With the identity that is configured, whatever the server's list says.
    Configured,
    /// With the first in the file that fits the list of authorities and the key types, else with none.
    FileOrder,
    /// The same in the order of a hash map of the aliases.
    HashOrder,
}

/// What a runtime makes of revocation lists that it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevocationRule {
    /// Each certificate below the anchor needs a list that is current.
    BelowAnchor,
    /// Each certificate below the anchor needs a list; its dates do not matter.
    BelowAnchorAnyAge,
    /// It never looks.
    Never,
    /// Lists count where there are some; a certificate without one passes.
    WhereListed,
    /// Each certificate, a self-signed anchor too, needs a list that is current.
    WholeChain,
}

impl RevocationRule {
    pub(crate) fn needs_list(self) -> bool {
        matches!(
            self,
            Self::BelowAnchor | Self::BelowAnchorAnyAge | Self::WholeChain
        )
    }

    pub(crate) fn minds_dates(self) -> bool {
        self != Self::BelowAnchorAnyAge
    }
}

impl Profile {
    /// When it takes two names as one, in path building.
    pub(crate) fn naming(&self) -> Naming {
        match self.search {
            Search::Java(_) => Naming::Java,
            Search::Gskit(_) | Search::OpenSsl(_) => Naming::Strings,
            Search::GnuTls(_) | Search::Go(_) | Search::Nss(_) | Search::WebPki(_) => Naming::Bytes,
        }
    }

    /// What it prints about a certificate of the chain that it cannot decode.
    pub(crate) fn unreadable(&self, index: usize, defect: Defect) -> String {
        let words = match (&self.search, defect) {
            (Search::Java(_), Defect::AlgorithmMismatch) => "Signature algorithm mismatch",
            (Search::Java(_), Defect::DuplicateSound) => {
                "java.io.IOException: Duplicate extensions not allowed"
            }
            _ => defect.words(),
        };
        match &self.search {
            Search::Java(_) => format!("CertificateException: certificate {index} not parsed: {words}"),
            Search::Gskit(_) => format!("GSK_ERROR_BAD_CERT (414): {words}"),
            Search::Go(_) => {
                format!("tls: failed to parse certificate from server: x509: {words} (certificate {index})")
            }
            Search::GnuTls(_) | Search::Nss(_) | Search::OpenSsl(_) | Search::WebPki(_) => {
                format!("certificate {index} not parsed: {words}")
            }
        }
    }
}

/// The profile of that name; `None` when there is none. Names: [`runtimes`].
pub fn runtime(name: &str) -> Option<&'static Profile> {
    runtimes().find(|profile| profile.name == name)
}

/// All profiles, by family.
pub fn runtimes() -> impl Iterator<Item = &'static Profile> {
    let families = [
        openssl::PROFILES,
        java::PROFILES,
        gnutls::PROFILES,
        go::PROFILES,
        webpki::PROFILES,
        nss::PROFILES,
        gskit::PROFILES,
    ];
    families.into_iter().flatten()
}

/// Whether one of the hashes was used.
pub(crate) fn uses(hashes: &[Hash], hash: Option<Hash>) -> bool {
    hash.is_some_and(|hash| hashes.contains(&hash))
}
