//! Old and new certificates, made on the spot.

use std::time::SystemTime;

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::PKey;
use openssl::pkey::Private;
use openssl::rsa::Rsa;
use openssl::stack::Stack;
use openssl::x509::X509;
use openssl::x509::X509Name;
use openssl::x509::extension::BasicConstraints;
use openssl::x509::extension::SubjectAlternativeName;

/// A certificate, its key and who issued it.
#[derive(Clone)]
pub struct Party {
    pub certificate: X509,
    pub key: PKey<Private>,
    pub issuer: Option<X509>,
}

impl Party {
    /// A self-signed authority.
    pub fn authority(name: &str) -> Party {
        make(name, None)
    }

    /// Somebody with a certificate of this authority.
    pub fn leaf(&self, name: &str) -> Party {
        make(name, Some(self))
    }

    /// Another certificate for the same key.
    pub fn renewed(&self, party: &Party, name: &str) -> Party {
        made_with((name, Role::Leaf), Some(self), party.key.clone())
    }

    /// The same authority, certified by another.
    pub fn signed_by(&self, other: &Party) -> Party {
        let name = self.certificate.subject_name().entries().next().unwrap();
        let name = name.data().to_string().unwrap();
        made_with((&name, Role::Authority), Some(other), self.key.clone())
    }

    /// A self-signed certificate: whoever verifies it trusts it itself.
    pub fn alone(name: &str) -> Party {
        made_with((name, Role::Leaf), None, new_key())
    }

    /// Certificate and issuer.
    pub fn chain_pem(&self) -> Vec<u8> {
        let mut pem = self.certificate.to_pem().unwrap();
        if let Some(issuer) = &self.issuer {
            pem.extend(issuer.to_pem().unwrap());
        }
        pem
    }

    pub fn key_pem(&self) -> Vec<u8> {
        self.key.private_key_to_pem_pkcs8().unwrap()
    }

    pub fn pkcs12(&self, alias: &str, password: &str) -> Vec<u8> {
        let mut issuers = Stack::new().unwrap();
        if let Some(issuer) = &self.issuer {
            issuers.push(issuer.clone()).unwrap();
        }
        let mut builder = Pkcs12::builder();
        builder
            .name(alias)
            .pkey(&self.key)
            .cert(&self.certificate)
            .ca(issuers);
        builder.build2(password).unwrap().to_der().unwrap()
    }
}

fn make(name: &str, issuer: Option<&Party>) -> Party {
    let role = if issuer.is_none() {
        Role::Authority
    } else {
        Role::Leaf
    };
    made_with((name, role), issuer, new_key())
}

fn new_key() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
}

/// What a certificate is for.
enum Role {
    Authority,
    Leaf,
}

fn made_with((name, role): (&str, Role), issuer: Option<&Party>, key: PKey<Private>) -> Party {
    let mut subject = X509Name::builder().unwrap();
    subject.append_entry_by_text("CN", name).unwrap();
    let subject = subject.build();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let at = |days: i64| Asn1Time::from_unix(now.as_secs() as i64 + days * 86_400).unwrap();
    let mut serial = BigNum::new().unwrap();
    serial.rand(120, openssl::bn::MsbOption::ONE, false).unwrap();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder
        .set_serial_number(&serial.to_asn1_integer().unwrap())
        .unwrap();
    builder.set_subject_name(&subject).unwrap();
    let by = issuer.map_or(&*subject, |issuer| issuer.certificate.subject_name());
    builder.set_issuer_name(by).unwrap();
    builder.set_not_before(&at(-1)).unwrap();
    builder.set_not_after(&at(300)).unwrap();
    builder.set_pubkey(&key).unwrap();
    let extension = match role {
        Role::Authority => BasicConstraints::new().critical().ca().build().unwrap(),
        Role::Leaf => SubjectAlternativeName::new()
            .dns(name)
            .build(&builder.x509v3_context(None, None))
            .unwrap(),
    };
    builder.append_extension(extension).unwrap();
    let signer = issuer.map_or(&key, |issuer| &issuer.key);
    builder.sign(signer, MessageDigest::sha256()).unwrap();
    Party {
        certificate: builder.build(),
        key,
        issuer: issuer.map(|issuer| issuer.certificate.clone()),
    }
}
