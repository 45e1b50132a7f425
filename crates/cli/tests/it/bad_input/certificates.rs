//! Keys and certificates made on the spot.

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::EcGroup;
use openssl::ec::EcKey;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::pkey::Private;
use openssl::x509::X509;
use openssl::x509::X509Name;
use openssl::x509::extension::BasicConstraints;
use openssl::x509::extension::ExtendedKeyUsage;
use openssl::x509::extension::SubjectAlternativeName;

/// A certificate with its key.
pub struct Made {
    pub key: PKey<Private>,
    pub certificate: X509,
}

impl Made {
    pub fn key_pem(&self) -> Vec<u8> {
        self.key.private_key_to_pem_pkcs8().unwrap()
    }

    pub fn pem(&self) -> Vec<u8> {
        self.certificate.to_pem().unwrap()
    }
}

/// What is asked for; EC P-256.
pub struct Wanted<'a> {
    pub common_name: &'a str,
    /// Days from now.
    pub valid: (i64, i64),
    /// Added to the end.
    pub seconds: i64,
    pub is_ca: bool,
    /// Extended key usage: server, client.
    pub purposes: (bool, bool),
    pub names: &'a [&'a str],
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        Wanted {
            common_name: "new",
            valid: (-1, 300),
            seconds: 0,
            is_ca: false,
            purposes: (true, true),
            names: &["hub.example", "agent.example"],
        }
    }
}

/// A root that is valid for years.
pub fn root(common_name: &str) -> Made {
    make(
        &Wanted {
            common_name,
            valid: (-1000, 3000),
            is_ca: true,
            ..Wanted::default()
        },
        None,
    )
}

/// Makes a certificate; self-signed without an issuer.
pub fn make(wanted: &Wanted<'_>, issuer: Option<&Made>) -> Made {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    with_key(key, wanted, issuer)
}

/// Another certificate for the key of one that is there.
pub fn renewed(wanted: &Wanted<'_>, old: &Made, issuer: &Made) -> Made {
    with_key(old.key.clone(), wanted, Some(issuer))
}

fn with_key(key: PKey<Private>, wanted: &Wanted<'_>, issuer: Option<&Made>) -> Made {
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_text("CN", wanted.common_name).unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    let serial = std::process::id()
        .wrapping_add(wanted.common_name.len() as u32)
        .wrapping_add(wanted.valid.1 as u32);
    let serial = BigNum::from_u32(serial).unwrap();
    builder
        .set_serial_number(&serial.to_asn1_integer().unwrap())
        .unwrap();
    builder.set_subject_name(&name).unwrap();
    builder
        .set_issuer_name(issuer.map_or(&name, |issuer| issuer.certificate.subject_name()))
        .unwrap();
    builder.set_pubkey(&key).unwrap();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs() as i64;
    let at = |days: i64, seconds: i64| Asn1Time::from_unix(now + days * 86_400 + seconds).unwrap();
    builder.set_not_before(&at(wanted.valid.0, 0)).unwrap();
    builder
        .set_not_after(&at(wanted.valid.1, wanted.seconds))
        .unwrap();
    let mut constraints = BasicConstraints::new();
    if wanted.is_ca {
        constraints.ca();
    }
    builder.append_extension(constraints.build().unwrap()).unwrap();
    if !wanted.is_ca {
        let mut usage = ExtendedKeyUsage::new();
        if wanted.purposes.0 {
            usage.server_auth();
        }
        if wanted.purposes.1 {
            usage.client_auth();
        }
        builder.append_extension(usage.build().unwrap()).unwrap();
        let mut alternatives = SubjectAlternativeName::new();
        for name in wanted.names {
            alternatives.dns(name);
        }
        let extension = alternatives
            .build(&builder.x509v3_context(issuer.map(|issuer| issuer.certificate.as_ref()), None))
            .unwrap();
        builder.append_extension(extension).unwrap();
    }
    builder
        .sign(issuer.map_or(&key, |issuer| &issuer.key), MessageDigest::sha256())
        .unwrap();
    Made {
        key,
        certificate: builder.build(),
    }
}
