//! OpenSSL and the programs that verify with it.

use super::{
    AnchorEntries, COMMON_CURVES, Cited, ClientRule, Defect, Evidence, PresentRule, Profile, RevocationRule,
    Search, cited,
};

/// What differs between callers of `X509_verify_cert`.
#[derive(Debug)]
pub struct OpenSsl {
    /// `X509_V_FLAG_PARTIAL_CHAIN`: any certificate of the store ends the path.
    pub partial_chain: Cited<bool>,
    /// Whether the flag reaches the verifier in servers too.
    pub partial_in_servers: Cited<bool>,
    /// `X509_V_FLAG_X509_STRICT`.
    pub strict: Cited<bool>,
    /// Authentication level: 1 = 80 bits, 2 = 112 bits of security.
    pub auth_level: Cited<u8>,
    /// Who matches the name.
    pub host: Cited<HostMatch>,
    /// How a rejection reads.
    pub prints: Cited<OpenSslPrints>,
}

/// Who compares the name with the certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostMatch {
    /// curl's own matcher.
    Curl,
    /// `X509_check_host`, stars only as a whole label.
    Library,
    /// `X509_check_host` with `agent*.example` as well.
    LibraryPartialStars,
    /// Node's `tls.checkServerIdentity`.
    Node,
}

/// How a rejection reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenSslPrints {
    /// `curl: (60) SSL certificate problem: …`
    Curl,
    /// `20: unable to get local issuer certificate (depth 0)`
    Library,
    /// `UNABLE_TO_GET_ISSUER_CERT_LOCALLY: …`
    Node,
    /// `20: unable to get local issuer certificate`
    Python,
    /// `verify error:num=20:unable to get local issuer certificate`
    SClient,
}

const DEBIAN: &str = "OpenSSL 3.0.19, Debian 12";
const FLAGS: &str = "verdict ssdef:ca-false:both-generations; X509_VERIFY_PARAM_set_flags(3)";
const LEVEL: &str = "verdicts alg:leaf-rsa1024, alg:leaf-sha1; SSL_CTX_set_security_level(3)";
const HOST: &str = "verdicts name:wild-partial, name:wild-tld, name:trailing-dot-peer";
const REFUSES: Cited<&[Defect]> = cited(&[], "X509 is decoded lazily: d2i_X509 takes any extension value");
const ANCHORS: Cited<AnchorEntries> = cited(
    AnchorEntries::Every,
    "X509_STORE_load_file(3): every certificate of the file; mig:new-leaf-only/leaf",
);
const PRESENTS: Cited<PresentRule> = cited(
    PresentRule::First,
    "SSL_CTX_use_certificate_chain_file(3): the first certificate, the first key",
);

const fn profile(
    name: &'static str,
    describes: &'static str,
    version: &'static str,
    search: OpenSsl,
) -> Profile {
    Profile {
        name,
        describes,
        evidence: Evidence::Measured(version),
        curves: match search.prints.value {
            OpenSslPrints::Library => None,
            _ => COMMON_CURVES,
        },
        search: Search::OpenSsl(search),
        refuses: REFUSES,
        anchors: ANCHORS,
        presents: PRESENTS,
        revocation: cited(
            RevocationRule::WholeChain,
            "X509_VERIFY_PARAM_set_flags(3): X509_V_FLAG_CRL_CHECK and X509_V_FLAG_CRL_CHECK_ALL; crypto/x509/x509_vfy.c check_revocation",
        ),
        answers: cited(
            ClientRule::Configured,
            "SSL_CTX_set_client_cert_cb(3): without a callback the certificate of the context is sent",
        ),
    }
}

const fn rules(partial: bool, strict: bool, level: u8, host: HostMatch, prints: OpenSslPrints) -> OpenSsl {
    OpenSsl {
        partial_chain: cited(partial, FLAGS),
        partial_in_servers: cited(!matches!(host, HostMatch::Node), "verdict pin:int-anchor-client"),
        strict: cited(strict, FLAGS),
        auth_level: cited(level, LEVEL),
        host: cited(host, HOST),
        prints: cited(prints, "error texts of the recorded verdicts"),
    }
}

pub(super) const PROFILES: &[Profile] = &[
    profile(
        "openssl",
        "libssl without flags at security level 2",
        DEBIAN,
        rules(false, false, 2, HostMatch::Library, OpenSslPrints::Library),
    ),
    profile(
        "openssl-partial",
        "libssl with X509_V_FLAG_PARTIAL_CHAIN at security level 2",
        DEBIAN,
        rules(true, false, 2, HostMatch::Library, OpenSslPrints::Library),
    ),
    profile(
        "openssl-seclevel1",
        "libssl without flags at security level 1",
        DEBIAN,
        rules(false, false, 1, HostMatch::Library, OpenSslPrints::Library),
    ),
    profile(
        "openssl-strict-partial",
        "libssl with the flags of Python 3.13",
        DEBIAN,
        rules(true, true, 2, HostMatch::Library, OpenSslPrints::Library),
    ),
    profile(
        "python-ssl",
        "Python up to 3.12, ssl.create_default_context",
        "Python 3.11.7, OpenSSL 3.0.19",
        rules(false, false, 2, HostMatch::Library, OpenSslPrints::Python),
    ),
    profile(
        "python-ssl-partial",
        "Python with VERIFY_X509_PARTIAL_CHAIN",
        "Python 3.11.7, OpenSSL 3.0.19",
        rules(true, false, 2, HostMatch::Library, OpenSslPrints::Python),
    ),
    profile(
        "python-ssl-313",
        "Python since 3.13, ssl.create_default_context",
        "Python 3.11.7 with the flags of 3.13, OpenSSL 3.0.19",
        rules(true, true, 2, HostMatch::Library, OpenSslPrints::Python),
    ),
    profile(
        "s_client",
        "openssl s_client -verify_return_error",
        DEBIAN,
        rules(
            false,
            false,
            2,
            HostMatch::LibraryPartialStars,
            OpenSslPrints::SClient,
        ),
    ),
    profile(
        "node",
        "Node.js tls, its own OpenSSL",
        "Node 20.20.2, OpenSSL 3.0.19",
        rules(false, false, 1, HostMatch::Node, OpenSslPrints::Node),
    ),
    profile(
        "node-partial",
        "Node.js tls with allowPartialTrustChain",
        "Node 20.20.2, OpenSSL 3.0.19",
        rules(true, false, 1, HostMatch::Node, OpenSslPrints::Node),
    ),
    profile(
        "curl",
        "curl with OpenSSL",
        "curl 7.88.1, OpenSSL 3.0.19",
        rules(true, false, 2, HostMatch::Curl, OpenSslPrints::Curl),
    ),
];
