//! Keys and certificates made on the spot.

use std::net::Ipv4Addr;

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName,
    SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Builder, X509Name};

use crate::LabError;

/// A key with its certificate.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) key: PKey<Private>,
    pub(crate) certificate: X509,
}

/// What a certificate is to be.
pub(crate) struct Request<'a> {
    /// Such as `[("CN", "ServerNew"), ("OU", "TWS")]`, in the order in which they are written.
    pub(crate) subject: &'a [(&'a str, &'a str)],
    pub(crate) bits: u32,
    pub(crate) days: u32,
    pub(crate) use_for: UseFor<'a>,
}

pub(crate) enum UseFor<'a> {
    Ca,
    /// Server and client, for these names and addresses.
    Leaf {
        names: &'a [String],
        addresses: &'a [Ipv4Addr],
    },
    /// As the default certificates are: no extension says anything.
    Plain,
}

/// Makes a key and a certificate; self-signed without an issuer.
pub(crate) fn make(request: &Request<'_>, issuer: Option<&Made>) -> Result<Made, LabError> {
    make_in_openssl(request, issuer).map_err(|source| LabError::OpenSsl {
        verb: "make a certificate",
        source,
    })
}

fn make_in_openssl(request: &Request<'_>, issuer: Option<&Made>) -> Result<Made, ErrorStack> {
    let key = PKey::from_rsa(Rsa::generate(request.bits)?)?;
    let mut subject = X509Name::builder()?;
    for (field, text) in request.subject {
        subject.append_entry_by_text(field, text)?;
    }
    let subject = subject.build();
    let mut builder = X509Builder::new()?;
    builder.set_version(2)?;
    let mut serial = BigNum::new()?;
    serial.rand(127, MsbOption::MAYBE_ZERO, false)?;
    builder.set_serial_number(Asn1Integer::from_bn(&serial)?.as_ref())?;
    builder.set_subject_name(&subject)?;
    builder.set_issuer_name(issuer.map_or(&subject, |i| i.certificate.subject_name()))?;
    builder.set_not_before(Asn1Time::days_from_now(0)?.as_ref())?;
    builder.set_not_after(Asn1Time::days_from_now(request.days)?.as_ref())?;
    builder.set_pubkey(&key)?;
    let above = issuer.map(|i| i.certificate.as_ref());
    match &request.use_for {
        UseFor::Plain => {}
        UseFor::Ca => {
            builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
            builder.append_extension(KeyUsage::new().critical().key_cert_sign().crl_sign().build()?)?;
        }
        UseFor::Leaf { names, addresses } => {
            builder.append_extension(BasicConstraints::new().critical().build()?)?;
            builder.append_extension(
                KeyUsage::new()
                    .critical()
                    .digital_signature()
                    .key_encipherment()
                    .build()?,
            )?;
            builder.append_extension(ExtendedKeyUsage::new().server_auth().client_auth().build()?)?;
            let mut alternatives = SubjectAlternativeName::new();
            for name in *names {
                alternatives.dns(name);
            }
            for address in *addresses {
                alternatives.ip(&address.to_string());
            }
            let extension = alternatives.build(&builder.x509v3_context(above, None))?;
            builder.append_extension(extension)?;
        }
    }
    if !matches!(request.use_for, UseFor::Plain) {
        let id = SubjectKeyIdentifier::new().build(&builder.x509v3_context(above, None))?;
        builder.append_extension(id)?;
        if above.is_some() {
            let of = AuthorityKeyIdentifier::new()
                .keyid(true)
                .build(&builder.x509v3_context(above, None))?;
            builder.append_extension(of)?;
        }
    }
    builder.sign(issuer.map_or(&key, |i| &i.key), MessageDigest::sha256())?;
    Ok(Made {
        key,
        certificate: builder.build(),
    })
}

/// The certificates one after the other in PEM.
pub(crate) fn pem_of(certificates: &[&X509]) -> Result<Vec<u8>, LabError> {
    let mut all = Vec::new();
    for certificate in certificates {
        let one = certificate.to_pem().map_err(|source| LabError::OpenSsl {
            verb: "write a certificate",
            source,
        })?;
        all.extend(one);
    }
    Ok(all)
}

/// A key as unencrypted PKCS#8 in PEM.
pub(crate) fn key_pem(key: &PKey<Private>) -> Result<Vec<u8>, LabError> {
    key.private_key_to_pem_pkcs8()
        .map_err(|source| LabError::OpenSsl {
            verb: "write a key",
            source,
        })
}
