//! Certificates made on the spot.

use std::path::Path;
use std::path::PathBuf;
use std::sync::LazyLock;

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::EcGroup;
use openssl::ec::EcKey;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::Id;
use openssl::pkey::PKey;
use openssl::pkey::Private;
use openssl::rsa::Rsa;
use openssl::x509::X509;
use openssl::x509::X509Name;
use openssl::x509::extension::BasicConstraints;
use openssl::x509::extension::SubjectAlternativeName;

/// A certificate with its key.
pub struct Party {
    pub certificate: X509,
    pub key: PKey<Private>,
}

/// A root, an intermediate, leaves of three kinds and a client; on disk as PEM.
pub struct Material {
    _dir: tempfile::TempDir,
    pub middle: Party,
    pub rsa: Party,
    pub client: Party,
    pub path: PathBuf,
}

impl Material {
    pub fn at(&self, name: &str) -> String {
        self.path.join(name).display().to_string()
    }

    pub fn identity(&self) -> probe::Identity {
        let certificate = |party: &Party| {
            keystore::Certificate::parse(&party.certificate.to_der().expect("a certificate"))
                .expect("readable")
        };
        probe::Identity {
            chain: vec![certificate(&self.client)],
            key: keystore::PrivateKey::from_pkcs8_der(self.client.key.private_key_to_pkcs8().expect("a key"))
                .expect("a key"),
        }
    }
}

/// Made once for all tests.
pub static MATERIAL: LazyLock<Material> = LazyLock::new(make_all);

fn make_all() -> Material {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().to_owned();
    let root = make("probe root", &ec_key(), None, true, (0, 3650));
    let middle = make("probe middle", &ec_key(), Some(&root), true, (0, 3650));
    let rsa_key = PKey::from_rsa(Rsa::generate(2048).expect("a key")).expect("a key");
    let rsa = make("localhost", &rsa_key, Some(&middle), false, (0, 365));
    let ec = make("localhost", &ec_key(), Some(&middle), false, (0, 365));
    let other = make("other.example", &ec_key(), Some(&middle), false, (0, 365));
    let expired = make("localhost", &ec_key(), Some(&middle), false, (-20, -10));
    let edwards = PKey::generate_ed25519().expect("a key");
    let edwards = make("localhost", &edwards, Some(&middle), false, (0, 365));
    let client = make("a client", &ec_key(), Some(&root), false, (0, 365));
    let parties = [
        ("root", &root, vec![]),
        ("middle", &middle, vec![]),
        ("rsa", &rsa, vec![&middle]),
        ("ec", &ec, vec![&middle]),
        ("other", &other, vec![&middle]),
        ("expired", &expired, vec![&middle]),
        ("edwards", &edwards, vec![&middle]),
        ("client", &client, vec![]),
        ("alone", &rsa, vec![]),
        ("disorder", &rsa, vec![&root, &middle]),
    ];
    for (name, party, issuers) in parties {
        write(&path, name, party, &issuers);
    }
    Material {
        _dir: dir,
        middle,
        rsa,
        client,
        path,
    }
}

/// `NAME.pem` with the chain, `NAME.issuers` without the leaf, `NAME.key`.
fn write(path: &Path, name: &str, party: &Party, issuers: &[&Party]) {
    let pem = |party: &Party| party.certificate.to_pem().expect("a certificate");
    let rest: Vec<u8> = issuers.iter().flat_map(|issuer| pem(issuer)).collect();
    std::fs::write(
        path.join(format!("{name}.pem")),
        [pem(party), rest.clone()].concat(),
    )
    .expect("written");
    std::fs::write(path.join(format!("{name}.issuers")), rest).expect("written");
    let key = party.key.private_key_to_pem_pkcs8().expect("a key");
    std::fs::write(path.join(format!("{name}.key")), key).expect("written");
}

pub fn ec_key() -> PKey<Private> {
    let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve");
    PKey::from_ec_key(EcKey::generate(&curve).expect("a key")).expect("a key")
}

/// `days` is first and last day of validity from today.
fn make(name: &str, key: &PKey<Private>, issuer: Option<&Party>, is_ca: bool, days: (i64, i64)) -> Party {
    let mut subject = X509Name::builder().expect("a name");
    subject.append_entry_by_text("CN", name).expect("a name");
    let subject = subject.build();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970")
        .as_secs();
    let at = |days: i64| {
        let now = i64::try_from(now).expect("a few years");
        Asn1Time::from_unix(now + days * 86_400 - 3600).expect("a time")
    };
    let mut builder = X509::builder().expect("a builder");
    builder.set_version(2).expect("version 3");
    let mut serial = BigNum::new().expect("a number");
    serial
        .rand(100, openssl::bn::MsbOption::ONE, false)
        .expect("a number");
    builder
        .set_serial_number(&serial.to_asn1_integer().expect("a number"))
        .expect("a serial");
    builder.set_subject_name(&subject).expect("a subject");
    builder
        .set_issuer_name(issuer.map_or(&subject, |issuer| issuer.certificate.subject_name()))
        .expect("an issuer");
    builder.set_not_before(&at(days.0)).expect("a time");
    builder.set_not_after(&at(days.1)).expect("a time");
    builder.set_pubkey(key).expect("a key");
    let extension = if is_ca {
        BasicConstraints::new()
            .critical()
            .ca()
            .build()
            .expect("an extension")
    } else {
        SubjectAlternativeName::new()
            .dns(name)
            .build(&builder.x509v3_context(None, None))
            .expect("an extension")
    };
    builder.append_extension(extension).expect("an extension");
    let signer = issuer.map_or(key, |issuer| &issuer.key);
    let digest = if signer.id() == Id::ED25519 {
        MessageDigest::null()
    } else {
        MessageDigest::sha256()
    };
    builder.sign(signer, digest).expect("a signature");
    Party {
        certificate: builder.build(),
        key: key.clone(),
    }
}
