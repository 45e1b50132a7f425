//! Writes the requests that the rotations need: a fresh private key and what a CA has to sign, once.

use std::path::Path;

use anyhow::Context;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::encoding::Pkcs8V1Der;
use aws_lc_rs::encoding::PublicKeyX509Der;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1_SIGNING;
use aws_lc_rs::signature::ECDSA_P384_SHA384_ASN1_SIGNING;
use aws_lc_rs::signature::ECDSA_P521_SHA512_ASN1_SIGNING;
use aws_lc_rs::signature::EcdsaKeyPair;
use aws_lc_rs::signature::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use aws_lc_rs::signature::RsaKeyPair;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleet::Snapshot;
use fleet::requests::NewKey;
use fleet::requests::WantedRequest;
use fleet::rotation::Refusal;
use keystore::RequestBody;
use keystore::oid;
use keystore::oid::Oid;
use zeroize::Zeroizing;

use crate::cmd::now;
use crate::document;
use crate::document::Made;
use crate::fleet_dir::FleetDir;
use crate::print::Failure;
use crate::print::failure;

/// Makes key and request wherever one is wanted and nothing lies in its place. What is there is never replaced.
///
/// The key is on disk before the request that names it, so a request without key cannot come of a crash here.
///
/// # Errors
/// Words of the fleet file that do not go together; a directory that cannot be made or written.
pub fn write_missing(dir: &FleetDir, snapshot: &Snapshot) -> anyhow::Result<()> {
    let wanted = fleet::requests::wanted(&dir.doc, snapshot, now()).map_err(|refusals| words(&refusals))?;
    for request in &wanted {
        let path = dir.path.join(request.place.request());
        if std::fs::symlink_metadata(&path).is_err() {
            write(dir, request, &path)?;
        }
    }
    Ok(())
}

fn words(refusals: &[Refusal]) -> anyhow::Error {
    let all: Vec<String> = refusals.iter().map(Refusal::to_string).collect();
    let fix = refusals
        .first()
        .map(|refusal| refusal.fix.clone())
        .unwrap_or_default();
    failure(all.join("; "), fix)
}

fn write(dir: &FleetDir, request: &WantedRequest, path: &Path) -> anyhow::Result<()> {
    let out = dir.path.join(request.place.dir());
    let refused = |error: anyhow::Error| Failure {
        what: format!("the request {} cannot be written", request.place.request()),
        hints: vec!["name a directory that can be written as `csr` in capgrow.toml".to_owned()],
        source: Some(error.into()),
    };
    std::fs::create_dir_all(&out)
        .with_context(|| format!("cannot make directory {}", out.display()))
        .map_err(refused)?;
    let fresh = FreshKey::make(request.key).map_err(|Unspecified| {
        failure(
            "no private key could be made",
            "try again: the system gave no randomness",
        )
    })?;
    let spki = fresh.spki();
    let body = RequestBody::new(&request.subject, &spki, &request.names)
        .context("a subject that was read is written again")?;
    let (algorithm, signature) = fresh
        .sign(body.der())
        .map_err(|Unspecified| failure("the new key does not sign", "try again"))?;
    dir.inside("keys")?;
    let key_path = dir.path.join(request.place.key(&spki));
    let key = fresh.pem();
    let made = document::write_new(&key_path, key.as_bytes(), 0o600)?;
    anyhow::ensure!(made == Made::New, "{} is there already", key_path.display());
    let pem = body.pem(algorithm, &signature);
    let made = document::write_new(path, pem.as_bytes(), 0o644).map_err(|error| {
        let _ = std::fs::remove_file(&key_path);
        refused(error)
    })?;
    match made {
        // Another plan was quicker: its request and its key are the ones that count.
        Made::Before => {
            std::fs::remove_file(&key_path).with_context(|| format!("cannot remove {}", key_path.display()))
        }
        Made::New => Ok(()),
    }
}

/// A key pair of the machine's own randomness; wiped when dropped, by the library.
enum FreshKey {
    Ec(EcdsaKeyPair, Oid<'static>),
    Rsa(RsaKeyPair),
}

impl FreshKey {
    fn make(kind: NewKey) -> Result<Self, Unspecified> {
        Ok(match kind {
            NewKey::Rsa(bits) => Self::Rsa(RsaKeyPair::generate(match bits {
                0..=2048 => KeySize::Rsa2048,
                2049..=3072 => KeySize::Rsa3072,
                3073..=4096 => KeySize::Rsa4096,
                _ => KeySize::Rsa8192,
            })?),
            NewKey::Ec(bits) => {
                let (curve, signs) = match bits {
                    0..=256 => (&ECDSA_P256_SHA256_ASN1_SIGNING, oid::ECDSA_SHA256),
                    257..=384 => (&ECDSA_P384_SHA384_ASN1_SIGNING, oid::ECDSA_SHA384),
                    _ => (&ECDSA_P521_SHA512_ASN1_SIGNING, oid::ECDSA_SHA512),
                };
                Self::Ec(EcdsaKeyPair::generate(curve)?, signs)
            }
        })
    }

    fn spki(&self) -> Vec<u8> {
        let encoded: Result<PublicKeyX509Der<'_>, Unspecified> = match self {
            Self::Ec(pair, _) => pair.public_key().as_der(),
            Self::Rsa(pair) => pair.public_key().as_der(),
        };
        encoded
            .expect("a key that was made has an encoding")
            .as_ref()
            .to_vec()
    }

    fn sign(&self, body: &[u8]) -> Result<(Oid<'static>, Vec<u8>), Unspecified> {
        let random = SystemRandom::new();
        match self {
            Self::Ec(pair, signs) => Ok((*signs, pair.sign(&random, body)?.as_ref().to_vec())),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, body, &mut signature)?;
                Ok((oid::SHA256_RSA, signature))
            }
        }
    }

    /// PKCS#8 in PEM.
    fn pem(&self) -> Zeroizing<String> {
        let made = "a key that was made has an encoding";
        let text = Zeroizing::new(match self {
            Self::Ec(pair, _) => STANDARD.encode(pair.to_pkcs8v1().expect(made).as_ref()),
            Self::Rsa(pair) => {
                let der: Pkcs8V1Der<'_> = pair.as_der().expect(made);
                STANDARD.encode(der.as_ref())
            }
        });
        let mut pem = Zeroizing::new(String::with_capacity(text.len() + text.len() / 64 + 64));
        pem.push_str("-----BEGIN PRIVATE KEY-----\n");
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (line, behind) = rest.split_at(rest.len().min(64));
            pem.push_str(line);
            pem.push('\n');
            rest = behind;
        }
        pem.push_str("-----END PRIVATE KEY-----\n");
        pem
    }
}
