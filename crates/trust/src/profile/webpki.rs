//! rustls with rustls-webpki and the ring provider.

use super::{
    AnchorEntries, Cited, ClientRule, Evidence, PresentRule, Profile, RevocationRule, Search, cited,
};
use crate::algorithm::{Curve, Hash};

/// What rustls-webpki allows.
#[derive(Debug)]
pub struct WebPki {
    /// Hashes it does not verify RSA signatures with.
    pub(crate) refused_hashes: Cited<&'static [Hash]>,
    /// Pairs of curve and hash for ECDSA.
    pub(crate) ecdsa: Cited<&'static [(Curve, Hash)]>,
    /// RSA keys of issuers below this fail as bad signatures.
    pub min_rsa_bits: Cited<u32>,
    /// Intermediates in a path, at most.
    pub max_intermediates: Cited<u32>,
}

pub(super) const PROFILES: &[Profile] = &[Profile {
    name: "rustls",
    describes: "rustls 0.23 with rustls-webpki and ring",
    evidence: Evidence::Measured("rustls 0.23, rustls-webpki 0.103.16, ring"),
    search: Search::WebPki(WebPki {
        refused_hashes: cited(
            &[Hash::Md2, Hash::Md5, Hash::Sha1, Hash::Sha224],
            "rustls 0.23 src/crypto/ring/mod.rs SUPPORTED_SIG_ALGS; verdicts alg:leaf-sha1, alg:leaf-sha224",
        ),
        ecdsa: cited(
            &[
                (Curve::P256, Hash::Sha256),
                (Curve::P256, Hash::Sha384),
                (Curve::P384, Hash::Sha256),
                (Curve::P384, Hash::Sha384),
            ],
            "rustls 0.23 src/crypto/ring/mod.rs SUPPORTED_SIG_ALGS; verdicts alg:p256-sha512, alg:p521",
        ),
        min_rsa_bits: cited(2048, "ring RSA_PKCS1_2048_8192_SHA256; verdict alg:root-rsa1024"),
        max_intermediates: cited(
            6,
            "rustls-webpki MAX_SUB_CA_COUNT; verdict order:depth7-unordered",
        ),
    }),
    curves: None,
    refuses: cited(&[], "certificates are decoded as the search reaches them"),
    anchors: cited(
        AnchorEntries::Every,
        "rustls RootCertStore::add_parsable_certificates",
    ),
    presents: cited(
        PresentRule::First,
        "rustls ConfigBuilder::with_client_auth_cert: one chain, one key",
    ),
    revocation: cited(
        RevocationRule::BelowAnchorAnyAge,
        "rustls 0.23 WebPkiServerVerifier::with_crls: RevocationCheckDepth::Chain, UnknownStatusPolicy::Deny, ExpirationPolicy::Ignore",
    ),
    answers: cited(
        ClientRule::Configured,
        "rustls 0.23 client ResolvesClientCert of with_client_auth_cert: the list of issuers is not looked at",
    ),
}];
