//! NSS.

use super::{
    AnchorEntries, Cited, ClientRule, Evidence, PresentRule, Profile, RevocationRule, Search, cited,
};
use crate::algorithm::Hash;
use crate::extension::KnownExtension;
use crate::path::nss::{DISABLED, OLD_KNOWN, PKIX_KNOWN};

/// What differs between NSS' two verifiers.
#[derive(Debug)]
pub struct Nss {
    /// Whether other issuers are tried when one leads nowhere.
    pub backtracks: Cited<bool>,
    /// Whether an anchor's key usage must allow signing certificates.
    pub anchor_must_sign: Cited<bool>,
    /// Whether an end entity must have a subject or a SAN.
    pub wants_name: Cited<bool>,
    /// Whether an end entity's key must be of a kind it knows, whatever it is used for.
    pub wants_known_key: Cited<bool>,
    /// Hashes its policy disables.
    pub(crate) refused_hashes: Cited<&'static [Hash]>,
    /// Critical extensions it knows.
    pub(crate) known_extensions: Cited<&'static [KnownExtension]>,
}

const fn profile(name: &'static str, describes: &'static str, is_pkix: bool) -> Profile {
    Profile {
        name,
        describes,
        evidence: Evidence::Measured("NSS 3.87.1"),
        search: Search::Nss(Nss {
            backtracks: cited(is_pkix, "verdicts ca:xint-before/new, samedn:noski/new,old"),
            anchor_must_sign: cited(is_pkix, "verdict ku:root-no-certsign"),
            wants_name: cited(is_pkix, "verdict name:empty-subject-nosan"),
            wants_known_key: cited(
                is_pkix,
                "vfychain -pp of 3.87.1, error -8049 for an Ed25519 client",
            ),
            refused_hashes: cited(DISABLED, "verdict alg:leaf-md5"),
            known_extensions: cited(
                if is_pkix { PKIX_KNOWN } else { OLD_KNOWN },
                "verdicts odd:policy-critical, limbo:rfc5280::ee-critical-aia-invalid",
            ),
        }),
        curves: None,
        refuses: cited(
            &[],
            "certificates are decoded leniently; verdict odd:duplicate-san",
        ),
        anchors: cited(
            AnchorEntries::Every,
            "certutil -A -t CT,, for each certificate; corpus of recorded verdicts",
        ),
        presents: cited(
            PresentRule::FirstThatFits,
            "NSS_GetClientAuthData(3): nicknames in database order",
        ),
        revocation: cited(
            RevocationRule::WhereListed,
            "NSS lib/certdb/crl.c CERT_CheckCRL: a list in the database counts, none is needed",
        ),
        answers: cited(
            ClientRule::FileOrder,
            "NSS_GetClientAuthData(3): certificates issued below a name of the list",
        ),
    }
}

pub(super) const PROFILES: &[Profile] = &[
    profile("nss-classic", "vfychain, NSS' old verifier; no name check", false),
    profile("nss-pkix", "vfychain -pp, libpkix; no name check", true),
];
