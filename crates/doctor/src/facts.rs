//! Certificates and stores as facts: out of real files, or out of what a tool printed.

use keystore::Body;
use keystore::Certificate;
use keystore::Curve;
use keystore::Entry;
use keystore::GeneralName;
use keystore::Integrity;
use keystore::KeyKind;
use keystore::KeyUsage;
use keystore::Note;
use keystore::ParseError;
use keystore::PrivateKey;
use keystore::oid;

use crate::dn::Dn;

/// One certificate. What a listing does not print is `None`.
#[derive(Debug, Clone, Default)]
pub struct CertFacts {
    /// Whom it is for.
    pub subject: Dn,
    /// Who signed it.
    pub issuer: Dn,
    /// Lower-case hex without leading zeros.
    pub serial: Option<String>,
    /// Seconds since 1970.
    pub not_before: Option<i64>,
    /// Seconds since 1970.
    pub not_after: Option<i64>,
    /// The public key.
    pub key: Option<Key>,
    /// The signature algorithm, letters and digits in lower case: `sha256withrsa`.
    pub signature: Option<String>,
    /// Whether the fields below are known: `None` in them means absent then.
    pub has_extensions: bool,
    /// 1 or 3.
    pub version: Option<u8>,
    /// `DNS:host`, `IP:10.0.0.1`, ….
    pub names: Option<Vec<String>>,
    /// basicConstraints: whether it may sign others.
    pub authority: Option<bool>,
    /// keyUsage, the bits of [`KeyUsage`].
    pub key_usage: Option<u16>,
    /// extendedKeyUsage in words: `serverauth`, `clientauth`, `any`, or numbers.
    pub purposes: Option<Vec<String>>,
    /// Critical extensions that are not standard.
    pub unknown_critical: Vec<String>,
    /// Lower-case hex.
    pub sha256: Option<String>,
    /// The certificate itself, where it is at hand.
    pub certificate: Option<Certificate>,
}

/// A public key's kind and size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// Bits.
    Dsa(usize),
    /// The curve, as it is called: `secp256r1`.
    Ec(String),
    /// Something else.
    Other,
    /// Bits.
    Rsa(usize),
}

impl CertFacts {
    /// The facts of a certificate.
    pub fn of(certificate: &Certificate) -> Self {
        let names = certificate.subject_alt_names().ok().flatten();
        let purposes = certificate.extended_key_usage().ok().flatten();
        Self {
            subject: Dn::parse(&certificate.subject().to_string()),
            issuer: Dn::parse(&certificate.issuer().to_string()),
            serial: Some(certificate.serial_hex()),
            not_before: Some(certificate.validity().not_before),
            not_after: Some(certificate.validity().not_after),
            key: Some(key(certificate.public_key().kind())),
            signature: Some(plain(&certificate.signature_algorithm().to_string())),
            has_extensions: true,
            version: Some(certificate.version()),
            names: names.map(|names| names.iter().map(GeneralName::to_string).collect()),
            authority: certificate
                .basic_constraints()
                .ok()
                .flatten()
                .map(|constraints| constraints.is_authority),
            key_usage: certificate.key_usage().ok().flatten().map(|usage| usage.bits),
            purposes: purposes.map(|list| list.iter().map(|purpose| purpose_name(*purpose)).collect()),
            unknown_critical: certificate
                .extensions()
                .filter(|extension| {
                    extension.critical
                        && !KNOWN.contains(&extension.oid)
                        && extension.oid.to_string() != NETSCAPE_TYPE
                })
                .map(|extension| extension.oid.to_string())
                .collect(),
            sha256: Some(hex(&certificate.sha256())),
            certificate: Some(certificate.clone()),
        }
    }

    /// Whether issuer and subject are one name.
    pub fn is_self_signed(&self) -> bool {
        self.subject.same(&self.issuer)
    }

    /// Whether it may sign others, by its own words.
    pub fn is_authority(&self) -> bool {
        self.authority == Some(true)
    }

    /// Whether both are the same certificate, as far as that can be told.
    pub fn same(&self, other: &Self) -> bool {
        match (&self.sha256, &other.sha256) {
            (Some(one), Some(two)) => one == two,
            _ => {
                self.subject.same(&other.subject)
                    && self.issuer.same(&other.issuer)
                    && may_equal(&self.serial, &other.serial)
                    && may_equal(&self.not_after, &other.not_after)
            }
        }
    }

    /// Whether `issuer` is the name that signed this one; where both are at hand, key identifiers must agree.
    pub fn names_as_issuer(&self, issuer: &Self) -> bool {
        match (&self.certificate, &issuer.certificate) {
            (Some(one), Some(two)) => one.names_as_issuer(two),
            _ => self.issuer.same(&issuer.subject),
        }
    }

    /// Whether all of these keyUsage bits are allowed: without the extension everything is.
    pub fn allows(&self, bits: u16) -> bool {
        self.key_usage.is_none_or(|usage| usage & bits == bits)
    }

    /// Whether extendedKeyUsage allows `serverauth` or `clientauth`: without the extension everything is.
    pub fn is_for(&self, purpose: &str) -> bool {
        self.purposes
            .as_ref()
            .is_none_or(|list| list.iter().any(|one| one == purpose || one == "any"))
    }

    /// The host names and addresses in it, lower case, without their kind.
    pub fn hosts(&self) -> Vec<String> {
        let listed = self.names.iter().flatten();
        listed
            .filter_map(|name| name.strip_prefix("DNS:").or_else(|| name.strip_prefix("IP:")))
            .map(str::to_lowercase)
            .collect()
    }

    /// Its subject, or something to say when it has none.
    pub fn name(&self) -> &str {
        if self.subject.text.is_empty() {
            "(no subject)"
        } else {
            &self.subject.text
        }
    }
}

/// Whether two values are equal as far as both are known.
fn may_equal<T: PartialEq>(one: &Option<T>, other: &Option<T>) -> bool {
    one.is_none() || other.is_none() || one == other
}

/// One entry.
pub struct EntryFacts {
    /// As written or printed.
    pub alias: Option<String>,
    /// What it holds.
    pub kind: EntryKind,
    /// Leaf first; the one certificate of a trusted entry.
    pub chain: Vec<CertFacts>,
    /// Where a listing prints it.
    pub line: Option<usize>,
    /// Whether the store marks it as the default.
    pub is_default: bool,
    /// Its key, where it could be opened.
    pub opened: Option<PrivateKey>,
    /// How its key is protected; `None` where that is not known or there is none.
    pub protection: Option<String>,
    /// subjectPublicKeyInfo of a request.
    pub request_spki: Option<Vec<u8>>,
}

/// What an entry holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A private key.
    Key,
    /// Something else.
    Opaque,
    /// A request.
    Request,
    /// A symmetric key.
    Secret,
    /// A certificate; whether the store marks it as trusted.
    Trusted(bool),
}

/// One store.
pub struct StoreFacts {
    /// The file it is, or that lists it.
    pub file: String,
    /// The format's name, or the tool that listed it: `keytool`, `gskit`, `x509`, `racf`.
    pub format: &'static str,
    /// Whether a tool printed it.
    pub is_listing: bool,
    /// In file order.
    pub entries: Vec<EntryFacts>,
    /// Why it cannot be read.
    pub broken: Option<ParseError>,
    /// What is odd.
    pub notes: Vec<Note>,
    /// Whether its bytes were checked with a password.
    pub integrity: Option<Integrity>,
    /// Whether a password at hand opens it.
    pub is_opened: bool,
}

impl StoreFacts {
    /// An empty listing.
    pub fn listing(file: &str, tool: &'static str) -> Self {
        Self {
            file: file.to_owned(),
            format: tool,
            is_listing: true,
            entries: Vec::new(),
            broken: None,
            notes: Vec::new(),
            integrity: None,
            is_opened: false,
        }
    }

    /// The entries with a private key.
    pub fn keys(&self) -> impl Iterator<Item = &EntryFacts> {
        self.entries.iter().filter(|entry| entry.kind == EntryKind::Key)
    }

    /// All certificates with their entries.
    pub fn certificates(&self) -> impl Iterator<Item = (&EntryFacts, &CertFacts)> {
        self.entries
            .iter()
            .flat_map(|entry| entry.chain.iter().map(move |one| (entry, one)))
    }

    /// The entry of that name, by the format's own case rule.
    pub fn find(&self, alias: &str) -> Option<&EntryFacts> {
        let exact = matches!(self.format, "cms-kdb" | "gskit" | "racf");
        self.entries.iter().find(|entry| {
            entry.alias.as_deref().is_some_and(|own| {
                if exact {
                    own == alias
                } else {
                    own.eq_ignore_ascii_case(alias)
                }
            })
        })
    }

    /// Whether it is a file of loose PEM or DER pieces.
    pub fn is_loose(&self) -> bool {
        matches!(self.format, "pem" | "der")
    }
}

/// The facts of one entry, its key opened where that needs no password.
pub(crate) fn entry(entry: &Entry, is_default: bool, opened: Option<PrivateKey>) -> EntryFacts {
    let kind = match entry.body() {
        Body::PrivateKey { .. } => EntryKind::Key,
        Body::Request { .. } => EntryKind::Request,
        Body::SecretKey { .. } => EntryKind::Secret,
        Body::TrustedCert { trusted, .. } => EntryKind::Trusted(*trusted),
        _ => EntryKind::Opaque,
    };
    let request_spki = match entry.body() {
        Body::Request { der, .. } => keystore::Request::parse(der)
            .ok()
            .map(|request| request.spki.to_vec()),
        _ => None,
    };
    EntryFacts {
        alias: entry.alias().map(str::to_owned),
        kind,
        chain: entry.certificates().iter().map(CertFacts::of).collect(),
        line: None,
        is_default,
        opened,
        protection: entry.protection(),
        request_spki,
    }
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An algorithm's name with letters and digits only, in lower case.
pub(crate) fn plain(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase()
}

fn key(kind: KeyKind<'_>) -> Key {
    match kind {
        KeyKind::Dsa { bits } => Key::Dsa(bits),
        KeyKind::Ec { curve } => Key::Ec(match curve {
            Curve::Named(named) => CURVES
                .iter()
                .find(|(known, _)| *known == named)
                .map_or_else(|| named.to_string(), |(_, name)| (*name).to_owned()),
            _ => "explicit".to_owned(),
        }),
        KeyKind::Rsa { bits } | KeyKind::RsaPss { bits } => Key::Rsa(bits),
        _ => Key::Other,
    }
}

fn purpose_name(purpose: oid::Oid<'_>) -> String {
    match purpose {
        oid::SERVER_AUTH => "serverauth".to_owned(),
        oid::CLIENT_AUTH => "clientauth".to_owned(),
        oid::ANY_EXTENDED_KEY_USAGE => "any".to_owned(),
        other => other.to_string(),
    }
}

const CURVES: [(oid::Oid<'static>, &str); 9] = [
    (oid::P192, "secp192r1"),
    (oid::P224, "secp224r1"),
    (oid::P256, "secp256r1"),
    (oid::P384, "secp384r1"),
    (oid::P521, "secp521r1"),
    (oid::SECP256K1, "secp256k1"),
    (oid::BRAINPOOL_P256, "brainpoolP256r1"),
    (oid::BRAINPOOL_P384, "brainpoolP384r1"),
    (oid::BRAINPOOL_P512, "brainpoolP512r1"),
];

/// Extensions of RFC 5280 that every runtime processes when critical.
const KNOWN: [oid::Oid<'static>; 13] = [
    oid::AUTHORITY_KEY_IDENTIFIER,
    oid::BASIC_CONSTRAINTS,
    oid::CERTIFICATE_POLICIES,
    oid::CRL_DISTRIBUTION_POINTS,
    oid::EXTENDED_KEY_USAGE,
    oid::INHIBIT_ANY_POLICY,
    oid::ISSUER_ALT_NAME,
    oid::KEY_USAGE,
    oid::NAME_CONSTRAINTS,
    oid::POLICY_CONSTRAINTS,
    oid::POLICY_MAPPINGS,
    oid::SUBJECT_ALT_NAME,
    oid::SUBJECT_KEY_IDENTIFIER,
];

/// Netscape's certificate type, which OpenSSL and Java still process.
const NETSCAPE_TYPE: &str = "2.16.840.1.113730.1.1";

/// keyUsage bits by the names that tools print, blanks and case aside.
pub(crate) fn usage_bit(name: &str) -> Option<u16> {
    Some(match plain(name).as_str() {
        "digitalsignature" => KeyUsage::DIGITAL_SIGNATURE,
        "nonrepudiation" | "contentcommitment" => KeyUsage::NON_REPUDIATION,
        "keyencipherment" => KeyUsage::KEY_ENCIPHERMENT,
        "dataencipherment" => KeyUsage::DATA_ENCIPHERMENT,
        "keyagreement" => KeyUsage::KEY_AGREEMENT,
        "keycertsign" | "certificatesign" | "certsign" => KeyUsage::CERTIFICATE_SIGN,
        "crlsign" => KeyUsage::CRL_SIGN,
        // RACF's words stand for several bits. Source: z/OS RACF Command Language Reference, RACDCERT GENCERT KEYUSAGE.
        "handshake" => KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT,
        "dataencrypt" => KeyUsage::DATA_ENCIPHERMENT,
        "docsign" => KeyUsage::NON_REPUDIATION,
        "keyagree" => KeyUsage::KEY_AGREEMENT,
        _ => return None,
    })
}
