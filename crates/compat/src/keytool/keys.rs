//! Keys made, and signatures made and checked.

use keystore::der::{self, Der, tag};
use keystore::{Certificate, PrivateKey, PublicKey};
use openssl::dsa::Dsa;
use openssl::ec::{Asn1Flag, EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{RsaPssSaltlen, Signer};
use openssl::x509::X509;

use crate::keytool::fault::{self, Result, Stop};
use crate::keytool::{oids, weak};

/// A new pair.
pub(crate) struct Pair {
    pub(crate) private: PrivateKey,
    /// subjectPublicKeyInfo.
    pub(crate) spki: Vec<u8>,
}

/// A signature and the AlgorithmIdentifier that goes with it.
pub(crate) struct Signed {
    pub(crate) algorithm: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

/// Makes a pair. `size` in bits; `group` is the name of a curve.
///
/// # Errors
/// As the generators of Java refuse: unknown algorithm, unknown curve, a size that is not offered.
pub(crate) fn generate(algorithm: &str, size: Option<i32>, group: Option<&str>) -> Result<Pair> {
    let upper = algorithm.to_uppercase();
    if group.is_some() && matches!(upper.as_str(), "RSA" | "RSASSA-PSS" | "DSA") {
        return Err(refused("Inappropriate parameter"));
    }
    let key = match upper.as_str() {
        "RSA" | "RSASSA-PSS" => PKey::from_rsa(Rsa::generate(rsa_size(size)?).map_err(broken)?),
        "DSA" => PKey::from_dsa(Dsa::generate(dsa_size(size)?).map_err(broken)?),
        "EC" => PKey::from_ec_key(ec_key(size, group)?),
        "EDDSA" | "ED25519" | "ED448" | "XDH" | "X25519" | "X448" => Ok(modern_key(&upper, size, group)?),
        _ => return Err(no_generator(algorithm)),
    };
    let key = key.map_err(broken)?;
    let mut private = key.private_key_to_pkcs8().map_err(broken)?;
    let mut spki = key.public_key_to_der().map_err(broken)?;
    if upper == "RSASSA-PSS" {
        (private, spki) = (as_pss(&private)?, as_pss(&spki)?);
    }
    let private = PrivateKey::from_pkcs8_der(private).map_err(|error| fault::io_fault(error.to_string()))?;
    Ok(Pair { private, spki })
}

/// Whether pairs of this algorithm can be made at all.
///
/// # Errors
/// `NoSuchAlgorithmException`.
pub(crate) fn is_known(algorithm: &str) -> Result<()> {
    let known = [
        "RSA",
        "RSASSA-PSS",
        "DSA",
        "EC",
        "EDDSA",
        "ED25519",
        "ED448",
        "XDH",
        "X25519",
        "X448",
        "DH",
    ];
    if known.contains(&algorithm.to_uppercase().as_str()) {
        return Ok(());
    }
    Err(no_generator(algorithm))
}

/// Whether keys of this algorithm sign.
///
/// # Errors
/// `IllegalArgumentException` for those that only agree on secrets.
pub(crate) fn can_sign(algorithm: &str) -> Result<()> {
    match algorithm.to_uppercase().as_str() {
        "XDH" | "X25519" | "X448" => Err(refused("Cannot derive signature algorithm from XDH")),
        "DH" | "DIFFIEHELLMAN" => Err(refused("Cannot derive signature algorithm from DH")),
        _ => Ok(()),
    }
}

fn no_generator(algorithm: &str) -> Stop {
    fault::of_class(
        fault::NO_SUCH_ALGORITHM,
        format!("{algorithm} KeyPairGenerator not available"),
    )
}

/// The algorithm that Java takes for a key when none is named.
pub(crate) fn default_signature(key: &PublicKey<'_>) -> Result<String> {
    let bits = weak::bits(key).unwrap_or(0);
    let by_strength = match bits {
        7681.. => "SHA512",
        3073.. => "SHA384",
        _ => "SHA256",
    };
    Ok(match weak::key_name(key).as_str() {
        "RSA" => format!("{by_strength}withRSA"),
        "DSA" => format!("{by_strength}withDSA"),
        "RSASSA-PSS" => "RSASSA-PSS".to_owned(),
        "Ed25519" => "Ed25519".to_owned(),
        "Ed448" => "Ed448".to_owned(),
        name if name.starts_with("EC") => {
            let digest = match bits {
                512.. => "SHA512",
                384.. => "SHA384",
                _ => "SHA256",
            };
            format!("{digest}withECDSA")
        }
        _ => return Err(fault::plain("Cannot derive signature algorithm")),
    })
}

/// Java's name of a signature algorithm that the store library does not name.
pub(crate) fn signature_name(oid: &str) -> Option<String> {
    let row = |row: &Digest| match oid {
        _ if row.rsa == oid => Some(format!("{}withRSA", row.name)),
        _ if row.dsa == oid => Some(format!("{}withDSA", row.name)),
        _ if row.ecdsa == oid => Some(format!("{}withECDSA", row.name)),
        _ => None,
    };
    DIGESTS.iter().find_map(row)
}

/// Signs `content` by the algorithm named.
///
/// # Errors
/// `NoSuchAlgorithmException` for an unknown name, `InvalidKeyException` for a key of another kind.
pub(crate) fn sign(key: &PrivateKey, name: &str, content: &[u8]) -> Result<Signed> {
    let algorithm = SignatureKind::of(name)?;
    let pkcs8 = key;
    let mut key = PKey::private_key_from_pkcs8(pkcs8.pkcs8_der()).map_err(broken)?;
    if key.id() == Id::RSA_PSS && algorithm.takes(Id::RSA) {
        // To Java such a key is one of RSA; OpenSSL wants to be told.
        key = plain_rsa(pkcs8).unwrap_or(key);
    }
    if !algorithm.takes(key.id()) {
        return Err(match name.to_uppercase().starts_with("ED") {
            true => fault::of_class("java.security.InvalidKeyException", "Unsupported key type"),
            false => wrong_key(&key),
        });
    }
    let (algorithm, digest) = algorithm.settled(&key)?;
    let signature = match &digest {
        None => Signer::new_without_digest(&key).and_then(|mut signer| signer.sign_oneshot_to_vec(content)),
        Some((digest, is_pss)) => Signer::new(*digest, &key).and_then(|mut signer| {
            if *is_pss {
                signer.set_rsa_padding(Padding::PKCS1_PSS)?;
                signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
                signer.set_rsa_mgf1_md(*digest)?;
            }
            signer.sign_oneshot_to_vec(content)
        }),
    };
    let signature = signature.map_err(|_| {
        // The key is too small for the digest, the one thing left that can be wrong.
        fault::of_class(
            "java.security.InvalidKeyException",
            "Key is too short for this signature algorithm",
        )
    })?;
    Ok(Signed { algorithm, signature })
}

/// The RSA key in a key that is bound to PSS.
fn plain_rsa(key: &PrivateKey) -> Option<PKey<Private>> {
    let mut parts = Der::new(key.pkcs8_der()).sequence("key").ok()?;
    parts.any("version").ok()?;
    parts.any("algorithm").ok()?;
    let inner = parts.any("key").ok()?.content;
    PKey::from_rsa(Rsa::private_key_from_der(inner).ok()?).ok()
}

/// Whether `issuer`'s key made the signature of `certificate`.
pub(crate) fn is_signed_by(certificate: &Certificate, issuer: &Certificate) -> bool {
    let check = || -> std::result::Result<bool, ErrorStack> {
        let key = X509::from_der(issuer.der())?.public_key()?;
        X509::from_der(certificate.der())?.verify(&key)
    };
    check().unwrap_or(false)
}

/// Whether `issuer`'s key made a revocation list.
pub(crate) fn is_list_signed_by(list: &[u8], issuer: &Certificate) -> bool {
    let check = || -> std::result::Result<bool, ErrorStack> {
        let key = X509::from_der(issuer.der())?.public_key()?;
        openssl::x509::X509Crl::from_der(list)?.verify(&key)
    };
    check().unwrap_or(false)
}

/// Whether a request is signed by the key in it.
pub(crate) fn is_request_sound(der: &[u8]) -> bool {
    let check = || -> std::result::Result<bool, ErrorStack> {
        let request = openssl::x509::X509Req::from_der(der)?;
        request.verify(&*request.public_key()?)
    };
    check().unwrap_or(false)
}

/// An AlgorithmIdentifier; and the digest where there is one, with whether the padding is PSS.
type Way = (Vec<u8>, Option<(MessageDigest, bool)>);

enum SignatureKind {
    Edwards,
    /// Digest, key, both in Java's names.
    Digested(&'static Digest, &'static str),
    Pss,
}

struct Digest {
    name: &'static str,
    digest: fn() -> MessageDigest,
    rsa: &'static str,
    dsa: &'static str,
    ecdsa: &'static str,
    hash: &'static str,
}

impl SignatureKind {
    fn of(name: &str) -> Result<Self> {
        let upper = name.to_uppercase();
        let unknown = || {
            fault::of_class(
                fault::NO_SUCH_ALGORITHM,
                format!("{name} Signature not available"),
            )
        };
        match upper.as_str() {
            "ED25519" | "ED448" | "EDDSA" => return Ok(Self::Edwards),
            "RSASSA-PSS" => return Ok(Self::Pss),
            _ => {}
        }
        let (digest, key) = upper.split_once("WITH").ok_or_else(unknown)?;
        let key = match key {
            "RSA" | "RSAENCRYPTION" => "RSA",
            "DSA" => "DSA",
            "ECDSA" => "ECDSA",
            _ => return Err(unknown()),
        };
        let plain = digest.replacen("SHA-", "SHA", 1);
        let row = DIGESTS.iter().find(|row| row.name == plain).ok_or_else(unknown)?;
        let there = match key {
            "RSA" => row.rsa,
            "DSA" => row.dsa,
            _ => row.ecdsa,
        };
        if there.is_empty() {
            Err(unknown())
        } else {
            Ok(Self::Digested(row, key))
        }
    }

    fn takes(&self, id: Id) -> bool {
        match self {
            Self::Edwards => matches!(id, Id::ED25519 | Id::ED448),
            Self::Pss => matches!(id, Id::RSA | Id::RSA_PSS),
            Self::Digested(_, key) => match *key {
                "RSA" => id == Id::RSA,
                "DSA" => id == Id::DSA,
                _ => id == Id::EC,
            },
        }
    }

    /// The AlgorithmIdentifier, and how to sign.
    fn settled(&self, key: &PKey<Private>) -> Result<Way> {
        Ok(match self {
            Self::Edwards => {
                let oid = if key.id() == Id::ED25519 {
                    "1.3.101.112"
                } else {
                    "1.3.101.113"
                };
                (der::write_sequence(&[&oids::encode(oid)?]), None)
            }
            Self::Digested(row, kind) => {
                let (oid, parameters) = match *kind {
                    "RSA" => (row.rsa, der::write_null()),
                    "DSA" => (row.dsa, Vec::new()),
                    _ => (row.ecdsa, Vec::new()),
                };
                let algorithm = der::write_sequence(&[&oids::encode(oid)?, &parameters]);
                (algorithm, Some(((row.digest)(), false)))
            }
            Self::Pss => {
                let name = match key.bits() {
                    7681.. => "SHA512",
                    3073.. => "SHA384",
                    _ => "SHA256",
                };
                let row = DIGESTS
                    .iter()
                    .find(|row| row.name == name)
                    .expect("SHA-2 is in the table");
                let digest = (row.digest)();
                (pss_algorithm(row, digest.size() as u64)?, Some((digest, true)))
            }
        })
    }
}

/// `RSASSA-PSS-params` with the same digest for both and a salt as long as it.
fn pss_algorithm(row: &Digest, salt: u64) -> Result<Vec<u8>> {
    let hash = der::write_sequence(&[&oids::encode(row.hash)?, &der::write_null()]);
    let mask = der::write_sequence(&[&oids::encode("1.2.840.113549.1.1.8")?, &hash]);
    let parameters = der::write_sequence(&[
        &der::write(tag::context_constructed(0), &[&hash]),
        &der::write(tag::context_constructed(1), &[&mask]),
        &der::write(tag::context_constructed(2), &[&der::write_u64(salt)]),
    ]);
    Ok(der::write_sequence(&[&oids::encode(PSS)?, &parameters]))
}

/// The same key, private or public, under the identifier of RSASSA-PSS and without parameters.
fn as_pss(encoded: &[u8]) -> Result<Vec<u8>> {
    let damaged = |_| fault::io_fault("the key that was just made cannot be read");
    let mut parts = der::Der::new(encoded).sequence("key").map_err(damaged)?;
    let algorithm = der::write_sequence(&[&oids::encode(PSS)?]);
    let version = parts.optional(tag::INTEGER, "version").map_err(damaged)?;
    parts.any("algorithm").map_err(damaged)?;
    let version = version.map(|version| version.full).unwrap_or_default();
    Ok(der::write_sequence(&[version, &algorithm, parts.rest()]))
}

fn rsa_size(size: Option<i32>) -> Result<u32> {
    match size.unwrap_or(2048) {
        size @ 512..=16384 => Ok(size as u32),
        _ => Err(refused("Invalid key sizes")),
    }
}

fn dsa_size(size: Option<i32>) -> Result<u32> {
    match size.unwrap_or(2048) {
        size @ (2048 | 3072) => Ok(size as u32),
        size @ 512..=1024 if size % 64 == 0 => Ok(size as u32),
        size @ ..=1024 => Err(refused(&format!(
            "Unsupported prime and subprime size combination: {size}, 160"
        ))),
        size => Err(refused(&format!("Invalid DSA Prime Size: {size}"))),
    }
}

fn refused(why: &str) -> Stop {
    fault::of_class(fault::ILLEGAL_ARGUMENT, why)
}

fn ec_key(size: Option<i32>, group: Option<&str>) -> Result<EcKey<Private>> {
    let curve = match (group, size.unwrap_or(256)) {
        (Some(name), _) => match CURVES
            .iter()
            .find(|(known, _)| known.contains(&name.to_lowercase().as_str()))
        {
            Some((_, curve)) => *curve,
            None => return Err(unsupported_curve(name)),
        },
        (None, 256) => Nid::X9_62_PRIME256V1,
        (None, 384) => Nid::SECP384R1,
        (None, 521) => Nid::SECP521R1,
        (None, _) => return Err(no_such_curve()),
    };
    let mut group = EcGroup::from_curve_name(curve).map_err(broken)?;
    group.set_asn1_flag(Asn1Flag::NAMED_CURVE);
    EcKey::generate(&group).map_err(broken)
}

/// The curve that Java takes for a size.
pub(crate) fn curve_of_size(size: i32) -> Result<&'static str> {
    match size {
        256 => Ok("secp256r1"),
        384 => Ok("secp384r1"),
        521 => Ok("secp521r1"),
        _ => Err(no_such_curve()),
    }
}

fn unsupported_curve(name: &str) -> Stop {
    refused(&match weak::known_curve(name) {
        Some((oid, known)) => format!("Curve not supported: {known} ({oid})"),
        None => format!("Unknown curve name: {name}"),
    })
}

fn no_such_curve() -> Stop {
    let message = "Not a supported curve: sun.security.util.ECKeySizeParameterSpec";
    fault::of_class("java.security.spec.InvalidParameterSpecException", message)
}

fn modern_key(algorithm: &str, size: Option<i32>, group: Option<&str>) -> Result<PKey<Private>> {
    let kind = match (algorithm, group, size) {
        ("EDDSA" | "XDH", Some(group), _) => group.to_uppercase(),
        ("EDDSA", None, None | Some(255)) => "ED25519".to_owned(),
        ("EDDSA", None, Some(448)) => "ED448".to_owned(),
        ("XDH", None, None | Some(255)) => "X25519".to_owned(),
        ("XDH", None, Some(448)) => "X448".to_owned(),
        ("ED25519" | "X25519", _, None | Some(255)) | ("ED448" | "X448", _, None | Some(448)) => {
            algorithm.to_owned()
        }
        (_, _, size) => return Err(refused(&format!("Unsupported size: {}", size.unwrap_or(-1)))),
    };
    let made = match kind.as_str() {
        "ED25519" => PKey::generate_ed25519(),
        "ED448" => PKey::generate_ed448(),
        "X25519" => PKey::generate_x25519(),
        "X448" => PKey::generate_x448(),
        _ => {
            return Err(refused(&format!(
                "Unsupported name: {}",
                group.unwrap_or_default()
            )));
        }
    };
    made.map_err(broken)
}

fn wrong_key(key: &PKey<Private>) -> Stop {
    let class = match key.id() {
        Id::RSA | Id::RSA_PSS => "sun.security.rsa.RSAPrivateCrtKeyImpl",
        Id::EC => "sun.security.ec.ECPrivateKeyImpl",
        Id::DSA => "sun.security.provider.DSAPrivateKey",
        Id::ED25519 | Id::ED448 => "sun.security.ec.ed.EdDSAPrivateKeyImpl",
        _ => "sun.security.ec.XDHPrivateKeyImpl",
    };
    let message = format!("No installed provider supports this key: {class}");
    fault::of_class("java.security.InvalidKeyException", message)
}

fn broken(error: ErrorStack) -> Stop {
    let reasons: Vec<&str> = error.errors().iter().filter_map(|error| error.reason()).collect();
    fault::of_class("java.security.ProviderException", reasons.join("; "))
}

const PSS: &str = "1.2.840.113549.1.1.10";

const DIGESTS: &[Digest] = &[
    row(
        "MD5",
        MessageDigest::md5,
        "1.2.840.113549.1.1.4",
        "",
        "",
        "1.2.840.113549.2.5",
    ),
    row(
        "SHA1",
        MessageDigest::sha1,
        "1.2.840.113549.1.1.5",
        "1.2.840.10040.4.3",
        "1.2.840.10045.4.1",
        "1.3.14.3.2.26",
    ),
    row(
        "SHA224",
        MessageDigest::sha224,
        "1.2.840.113549.1.1.14",
        "2.16.840.1.101.3.4.3.1",
        "1.2.840.10045.4.3.1",
        "2.16.840.1.101.3.4.2.4",
    ),
    row(
        "SHA256",
        MessageDigest::sha256,
        "1.2.840.113549.1.1.11",
        "2.16.840.1.101.3.4.3.2",
        "1.2.840.10045.4.3.2",
        "2.16.840.1.101.3.4.2.1",
    ),
    row(
        "SHA384",
        MessageDigest::sha384,
        "1.2.840.113549.1.1.12",
        "2.16.840.1.101.3.4.3.3",
        "1.2.840.10045.4.3.3",
        "2.16.840.1.101.3.4.2.2",
    ),
    row(
        "SHA512",
        MessageDigest::sha512,
        "1.2.840.113549.1.1.13",
        "2.16.840.1.101.3.4.3.4",
        "1.2.840.10045.4.3.4",
        "2.16.840.1.101.3.4.2.3",
    ),
    row(
        "SHA512/224",
        || MessageDigest::from_name("SHA512-224").unwrap_or_else(MessageDigest::null),
        "1.2.840.113549.1.1.15",
        "",
        "",
        "2.16.840.1.101.3.4.2.5",
    ),
    row(
        "SHA512/256",
        || MessageDigest::from_name("SHA512-256").unwrap_or_else(MessageDigest::null),
        "1.2.840.113549.1.1.16",
        "",
        "",
        "2.16.840.1.101.3.4.2.6",
    ),
    row(
        "SHA3-256",
        MessageDigest::sha3_256,
        "2.16.840.1.101.3.4.3.14",
        "2.16.840.1.101.3.4.3.6",
        "2.16.840.1.101.3.4.3.10",
        "2.16.840.1.101.3.4.2.8",
    ),
    row(
        "SHA3-384",
        MessageDigest::sha3_384,
        "2.16.840.1.101.3.4.3.15",
        "2.16.840.1.101.3.4.3.7",
        "2.16.840.1.101.3.4.3.11",
        "2.16.840.1.101.3.4.2.9",
    ),
    row(
        "SHA3-512",
        MessageDigest::sha3_512,
        "2.16.840.1.101.3.4.3.16",
        "2.16.840.1.101.3.4.3.8",
        "2.16.840.1.101.3.4.3.12",
        "2.16.840.1.101.3.4.2.10",
    ),
];

const fn row(
    name: &'static str,
    digest: fn() -> MessageDigest,
    rsa: &'static str,
    dsa: &'static str,
    ecdsa: &'static str,
    hash: &'static str,
) -> Digest {
    Digest {
        name,
        digest,
        rsa,
        dsa,
        ecdsa,
        hash,
    }
}

/// Names of a curve, and OpenSSL's number.
const CURVES: &[(&[&str], Nid)] = &[
    (
        &["secp256r1", "nist p-256", "x9.62 prime256v1", "prime256v1"],
        Nid::X9_62_PRIME256V1,
    ),
    (&["secp384r1", "nist p-384"], Nid::SECP384R1),
    (&["secp521r1", "nist p-521"], Nid::SECP521R1),
];
