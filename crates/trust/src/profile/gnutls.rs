//! GnuTLS.

use super::{
    AnchorEntries, COMMON_CURVES, Cited, ClientRule, Defect, Evidence, PresentRule, Profile, RevocationRule,
    Search, cited,
};
use crate::algorithm::Hash;

/// What GnuTLS refuses by policy.
#[derive(Debug)]
pub struct GnuTls {
    /// Hashes that are not secure for certificates, unless self-signed.
    pub(crate) broken_hashes: Cited<&'static [Hash]>,
    /// RSA keys below this are insecure (profile LOW).
    pub min_rsa_bits: Cited<u32>,
    /// Whether it is the program: key usage checked in the handshake, one dot at the end of the name dropped.
    pub is_program: Cited<bool>,
}

const fn rules(in_handshake: bool) -> GnuTls {
    GnuTls {
        broken_hashes: cited(
            &[Hash::Md2, Hash::Md5, Hash::Sha1],
            "GnuTLS 3.7 lib/algorithms/sign.c GNUTLS_SIGN_FLAG_SECURE_FOR_CERTS; verdicts alg:leaf-sha1, ssdef:rsa2048-sha1:pinned",
        ),
        min_rsa_bits: cited(1024, "gnutls_sec_param_t LOW; verdict alg:leaf-rsa1024"),
        is_program: cited(
            in_handshake,
            "verdicts ku:leaf-ke-ec/server, ku:leaf-nr-rsa/server, name:trailing-dot-peer",
        ),
    }
}

const fn profile(name: &'static str, describes: &'static str, rules: GnuTls) -> Profile {
    Profile {
        name,
        describes,
        evidence: Evidence::Measured("GnuTLS 3.7.9-2+deb12u7"),
        curves: if rules.is_program.value {
            COMMON_CURVES
        } else {
            None
        },
        search: Search::GnuTls(rules),
        refuses: cited(
            &[
                Defect::AlgorithmMismatch,
                Defect::BrokenNames,
                Defect::DuplicateExtension,
            ],
            "GnuTLS 3.7 lib/x509/x509.c gnutls_x509_crt_import; verdict odd:duplicate-san",
        ),
        anchors: cited(
            AnchorEntries::Every,
            "gnutls_x509_trust_list_add_trust_mem(3); mig:new-leaf-only/leaf",
        ),
        presents: cited(PresentRule::First, "gnutls_certificate_set_x509_key_file(3)"),
        revocation: cited(
            RevocationRule::WhereListed,
            "gnutls_x509_trust_list_add_crls(3); lib/x509/crl.c",
        ),
        answers: cited(
            ClientRule::FileOrder,
            "gnutls_certificate_set_retrieve_function2(3): without a callback by issuer and key type",
        ),
    }
}

pub(super) const PROFILES: &[Profile] = &[
    profile(
        "gnutls",
        "gnutls_x509_trust_list_verify_crt2, profile LOW",
        rules(false),
    ),
    profile("gnutls-cli", "gnutls-cli against a server", rules(true)),
];
