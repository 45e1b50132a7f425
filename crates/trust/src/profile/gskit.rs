//! IBM GSKit 8, from its documents: nothing here was measured.

use super::{
    AnchorEntries, Cited, ClientRule, Evidence, PresentRule, Profile, RevocationRule, Search, cited,
};

/// GSKit's two certificate validation policies.
#[derive(Debug)]
pub struct Gskit {
    /// Whether the basic policy is tried first; the standard one decides when it fails.
    pub basic_first: Cited<bool>,
    /// Whether extendedKeyUsage is looked at by the standard policy.
    pub checks_extended_usage: Cited<bool>,
}

pub(super) const PROFILES: &[Profile] = &[Profile {
    name: "gskit8",
    describes: "IBM GSKit 8 with basic, then standard validation",
    evidence: Evidence::Documented,
    search: Search::Gskit(Gskit {
        basic_first: cited(true, "IBM MQ: Certificate validation policies in IBM MQ"),
        checks_extended_usage: cited(
            false,
            "IBM MQ: Certificate Extended Key Usage (EKU), before 9.4.5",
        ),
    }),
    curves: None,
    refuses: cited(&[], "not documented"),
    anchors: cited(
        AnchorEntries::TrustedSignersAndPersonal,
        "IBM MQ: Certificate validation and trust policy design, trust status",
    ),
    presents: cited(
        PresentRule::Default,
        "GSKCapiCmd user's guide: default certificate; gsk_environment_init without GSK_KEYRING_LABEL",
    ),
    revocation: cited(
        RevocationRule::WhereListed,
        "IBM MQ: Working with revoked certificates; the order of its checks is not documented",
    ),
    answers: cited(
        ClientRule::Configured,
        "GSKit: the label that is set, else the default certificate; the list is not documented to matter",
    ),
}];
