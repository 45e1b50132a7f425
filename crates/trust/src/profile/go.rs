//! Go's `crypto/x509`.

use super::{
    AnchorEntries, Cited, ClientRule, Defect, Evidence, PresentRule, Profile, RevocationRule, Search, cited,
};
use crate::algorithm::Hash;

/// What Go refuses by policy.
#[derive(Debug)]
pub struct Go {
    /// Hashes it does not verify with.
    pub(crate) refused_hashes: Cited<&'static [Hash]>,
}

pub(super) const PROFILES: &[Profile] = &[Profile {
    name: "go",
    describes: "Certificate.Verify as crypto/tls calls it",
    evidence: Evidence::Measured("go1.19.8"),
    search: Search::Go(Go {
        refused_hashes: cited(
            &[Hash::Md2, Hash::Md5, Hash::Sha1, Hash::Sha224],
            "Go 1.18 release notes (SHA-1); verdicts alg:leaf-sha1, alg:leaf-md5, alg:leaf-sha224",
        ),
    }),
    curves: None,
    refuses: cited(
        &[
            Defect::AlgorithmMismatch,
            Defect::DuplicateExtension,
            Defect::EmptySubtrees,
            Defect::BrokenExtension,
            Defect::OddAddress,
            Defect::UnknownCurve,
        ],
        "Go 1.19 crypto/x509/parser.go; verdicts odd:duplicate-san, alg:k256",
    ),
    anchors: cited(
        AnchorEntries::Every,
        "x509.CertPool.AppendCertsFromPEM; verdict mig:new-leaf-only/leaf",
    ),
    presents: cited(
        PresentRule::First,
        "tls.LoadX509KeyPair: the first certificate of the file",
    ),
    revocation: cited(
        RevocationRule::Never,
        "Go 1.19 crypto/x509: Verify looks at no revocation list",
    ),
    answers: cited(
        ClientRule::FileOrder,
        "Go 1.19 crypto/tls CertificateRequestInfo.SupportsCertificate",
    ),
}];
