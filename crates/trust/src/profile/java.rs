//! OpenJDK, and IBM's JDK as far as its documents go.

use super::{
    AnchorEntries, COMMON_CURVES, Cited, ClientRule, Defect, Evidence, PresentRule, Profile, RevocationRule,
    Search, cited,
};
use crate::algorithm::{Curve, Hash};

/// What differs between ways of a Java program to judge a peer.
#[derive(Debug)]
pub struct Java {
    /// Which validator stands behind the trust manager.
    pub validator: Cited<JavaValidator>,
    /// Hashes refused below the anchor (`jdk.certpath.disabledAlgorithms`, `jdk.tls.disabledAlgorithms`).
    pub(crate) disabled_hashes: Cited<&'static [Hash]>,
    /// RSA and DSA keys below this are refused.
    pub min_rsa_bits: Cited<u32>,
    /// EC keys below this are refused.
    pub min_ec_bits: Cited<u32>,
    /// Curves on which it verifies signatures.
    pub(crate) curves: Cited<&'static [Curve]>,
    /// Intermediates that are not self-issued, at most, when a path has to be searched.
    pub max_searched: Cited<u32>,
    /// Whether a version 3 anchor must be CA:TRUE with keyCertSign (`jdk.security.allowNonCaAnchor` unset).
    pub anchor_must_be_ca: Cited<bool>,
}

/// Which validator judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JavaValidator {
    /// `CertPathBuilder` alone: no name, no EKU, no key usage of the end entity.
    CertPath,
    /// `TrustManagerFactory` PKIX, the default.
    Pkix,
    /// `TrustManagerFactory` SunX509.
    Simple,
}

const MEASURED: &str = "OpenJDK 17.0.15";
const POLICY: &str =
    "java.security of OpenJDK 17.0.15; verdicts alg:leaf-md5, alg:leaf-sha1, alg:leaf-rsa1024";
const ANCHORS: Cited<AnchorEntries> = cited(
    AnchorEntries::TrustedAndFirstOfKey,
    "OpenJDK sun.security.validator.TrustStoreUtil.getTrustedCerts",
);
const PRESENTS: Cited<PresentRule> = cited(
    PresentRule::FirstThatFits,
    "OpenJDK sun.security.ssl.SunX509KeyManagerImpl.chooseClientAlias: a HashMap's order",
);
const REFUSES: Cited<&[Defect]> = cited(
    &[
        Defect::AlgorithmMismatch,
        Defect::BrokenCritical,
        Defect::DuplicateSound,
        Defect::EmptyIssuer,
        Defect::EmptySubjectWithoutNames,
        Defect::EvenModulus,
    ],
    "OpenJDK 17 sun.security.x509.CertificateExtensions, X509CertInfo; verdicts odd:duplicate-san, name:empty-subject-nosan",
);

const fn rules(validator: JavaValidator) -> Java {
    Java {
        validator: cited(validator, "verdicts order:L12R, eku:leaf-client/server"),
        disabled_hashes: cited(&[Hash::Md2, Hash::Md5], POLICY),
        min_rsa_bits: cited(1024, POLICY),
        min_ec_bits: cited(224, POLICY),
        curves: cited(
            &[Curve::P256, Curve::P384, Curve::P521],
            "JDK 16 release notes, JDK-8235540: obsolete curves removed",
        ),
        max_searched: cited(
            5,
            "PKIXBuilderParameters.getMaxPathLength; verdict order:depth6-unordered",
        ),
        anchor_must_be_ca: cited(true, "verdicts bc:root-no-bc, ku:root-no-certsign"),
    }
}

/// In a real handshake, where the curves on offer decide as well.
const fn in_handshake(profile: Profile) -> Profile {
    Profile {
        curves: COMMON_CURVES,
        ..profile
    }
}

const fn profile(name: &'static str, describes: &'static str, evidence: Evidence, rules: Java) -> Profile {
    Profile {
        name,
        describes,
        evidence,
        search: Search::Java(rules),
        curves: None,
        refuses: REFUSES,
        anchors: ANCHORS,
        presents: PRESENTS,
        revocation: cited(
            RevocationRule::BelowAnchor,
            "OpenJDK 17 sun.security.provider.certpath.RevocationChecker, com.sun.net.ssl.checkRevocation=true",
        ),
        answers: cited(
            ClientRule::HashOrder,
            "OpenJDK 17 sun.security.ssl.SunX509KeyManagerImpl.chooseClientAlias; ssl.KeyManagerFactory.algorithm=SunX509",
        ),
    }
}

const fn java11() -> Java {
    let mut java = rules(JavaValidator::Pkix);
    java.curves = cited(
        &[
            Curve::K256,
            Curve::P192,
            Curve::P224,
            Curve::P256,
            Curve::P384,
            Curve::P521,
        ],
        "OpenJDK 11 sun.security.util.CurveDB",
    );
    java
}

/// Java 8 as it was released checks no CA flag of anchors and takes MD5-signed ones only from 8u77 on as refused.
const fn java8() -> Java {
    let mut java = java11();
    java.disabled_hashes = cited(&[Hash::Md2, Hash::Md5], "java.security of OpenJDK 8u, since 8u77");
    java.anchor_must_be_ca = cited(true, "release note of 8u261: jdk.security.allowNonCaAnchor");
    java
}

const fn ibm() -> Java {
    let mut java = java11();
    java.disabled_hashes = cited(
        &[Hash::Md2, Hash::Md5],
        "IBM SDK 8, security reference: jdk.certpath.disabledAlgorithms",
    );
    java.anchor_must_be_ca = cited(true, "not documented for IBM SDK 8: taken from OpenJDK 8u261");
    java
}

pub(super) const PROFILES: &[Profile] = &[
    profile(
        "java-pkix",
        "trust manager PKIX of OpenJDK 17",
        Evidence::Measured(MEASURED),
        rules(JavaValidator::Pkix),
    ),
    profile(
        "java-sunx509",
        "trust manager SunX509 of OpenJDK 17",
        Evidence::Measured(MEASURED),
        rules(JavaValidator::Simple),
    ),
    in_handshake(profile(
        "java-pkix-tls",
        "trust manager PKIX of OpenJDK 17 in a handshake",
        Evidence::Measured(MEASURED),
        rules(JavaValidator::Pkix),
    )),
    in_handshake(profile(
        "java-sunx509-tls",
        "trust manager SunX509 of OpenJDK 17 in a handshake",
        Evidence::Measured(MEASURED),
        rules(JavaValidator::Simple),
    )),
    profile(
        "java-certpath",
        "CertPathBuilder of OpenJDK 17: no name, no EKU, no key usage of the end entity",
        Evidence::Measured(MEASURED),
        rules(JavaValidator::CertPath),
    ),
    profile(
        "java8",
        "trust manager PKIX of OpenJDK 8u",
        Evidence::Documented,
        java8(),
    ),
    profile(
        "java11",
        "trust manager PKIX of OpenJDK 11",
        Evidence::Documented,
        java11(),
    ),
    profile(
        "java17",
        "trust manager PKIX of OpenJDK 17",
        Evidence::Measured(MEASURED),
        rules(JavaValidator::Pkix),
    ),
    profile(
        "java21",
        "trust manager PKIX of OpenJDK 21",
        Evidence::Documented,
        rules(JavaValidator::Pkix),
    ),
    profile(
        "ibmjdk8",
        "trust manager PKIX of IBM SDK 8",
        Evidence::Documented,
        ibm(),
    ),
];
