//! `build_chain` of OpenSSL 3.0: one candidate per step, the store first, no backtracking.

use crate::algorithm::Signed;
use crate::case::Case;
use crate::cert::Cert;
use crate::dn::{self, Naming};

/// What the search ended with.
pub(super) struct Built<'c, 'a> {
    pub chain: Vec<&'c Cert<'a>>,
    /// How many of them came from the peer and are not from the store.
    pub untrusted: usize,
    pub is_trusted: bool,
}

/// Builds the one chain OpenSSL builds.
///
/// Source: OpenSSL 3.0 crypto/x509/x509_vfy.c `build_chain`, `get1_trusted_issuer`, `find_issuer`, `check_trust`.
pub(super) fn build<'c, 'a>(case: &'c Case<'a>, partial: bool) -> Built<'c, 'a> {
    let mut chain: Vec<&Cert<'_>> = vec![&case.chain[0]];
    let mut untrusted = 1;
    let mut pool: Vec<&Cert<'_>> = case.chain.iter().chain(&case.known).collect();
    let (mut look_in_peer, mut look_in_store) = (true, true);
    while look_in_peer || look_in_store {
        case.spend(1);
        let current = chain[chain.len() - 1];
        if look_in_store && chain.len() <= MAX_CHAIN {
            match from_store(case, current) {
                Some(issuer) if !is_self_signed(current) => {
                    case.note(issuer, "taken from the store");
                    chain.push(issuer);
                    look_in_peer = false;
                    if partial || is_self_signed(issuer) {
                        return Built {
                            chain,
                            untrusted,
                            is_trusted: true,
                        };
                    }
                    continue;
                }
                Some(issuer) if current.is(issuer) => {
                    case.note(issuer, "self-signed and in the store");
                    untrusted = untrusted.min(chain.len() - 1);
                    return Built {
                        chain,
                        untrusted,
                        is_trusted: true,
                    };
                }
                Some(_) => case.note(
                    current,
                    "self-signed, and another certificate of that name is in the store",
                ),
                None => case.note(current, "no issuer in the store"),
            }
        }
        if !look_in_peer {
            break;
        }
        let found = match is_self_signed(current) || chain.len() > MAX_CHAIN {
            true => None,
            false => from_peer(case, &pool, &chain, current),
        };
        match found {
            Some(issuer) => {
                case.note(issuer, "taken from the peer");
                pool.retain(|candidate| !std::ptr::eq(*candidate, issuer));
                chain.push(issuer);
                untrusted += 1;
            }
            None => (look_in_peer, look_in_store) = (false, true),
        }
    }
    let is_pinned =
        partial && untrusted == chain.len() && case.anchors.iter().any(|anchor| anchor.is(chain[0]));
    if is_pinned {
        case.note(chain[0], "itself in the store");
        untrusted = 0;
    }
    Built {
        chain,
        untrusted,
        is_trusted: is_pinned,
    }
}

/// The first certificate of the store that fits and is valid now, else the one that expires last.
fn from_store<'c, 'a>(case: &'c Case<'a>, cert: &Cert<'_>) -> Option<&'c Cert<'a>> {
    best(
        case,
        case.anchors.iter().filter(|issuer| may_have_issued(issuer, cert)),
    )
}

fn from_peer<'c, 'a>(
    case: &'c Case<'a>,
    pool: &[&'c Cert<'a>],
    chain: &[&'c Cert<'a>],
    cert: &'c Cert<'a>,
) -> Option<&'c Cert<'a>> {
    let is_first = chain.len() == 1 && cert.is_self_issued();
    let fits = pool.iter().copied().filter(|issuer| {
        !std::ptr::eq(*issuer, cert)
            && may_have_issued(issuer, cert)
            && (is_first || !chain.iter().any(|used| used.is(issuer)))
    });
    best(case, fits)
}

fn best<'c, 'a>(case: &Case<'_>, candidates: impl Iterator<Item = &'c Cert<'a>>) -> Option<&'c Cert<'a>>
where
    'a: 'c,
{
    let mut last: Option<&Cert<'_>> = None;
    for candidate in candidates {
        case.spend(1);
        if candidate.not_before.unix <= case.now && case.now < candidate.not_after.unix {
            return Some(candidate);
        }
        if last.is_none_or(|last| candidate.not_after.unix > last.not_after.unix) {
            last = Some(candidate);
        }
    }
    last
}

/// Names, key identifiers and algorithm fit; the signature is not looked at.
///
/// Source: `ossl_x509_likely_issued`, `X509_check_akid`, `check_sig_alg_match`; verdicts of family `ski`.
pub(super) fn may_have_issued(issuer: &Cert<'_>, cert: &Cert<'_>) -> bool {
    issuer.subject_canonical == cert.issuer_canonical
        && akid_fits(issuer, cert)
        && algorithm_fits(issuer, cert)
}

fn akid_fits(issuer: &Cert<'_>, cert: &Cert<'_>) -> bool {
    let Some(authority) = &cert.extensions.authority else {
        return true;
    };
    let key_fits = match (authority.key_id, issuer.extensions.subject_key) {
        (Some(wanted), Some(present)) => wanted == present,
        _ => true,
    };
    let serial_fits = authority
        .serial
        .is_none_or(|serial| trimmed(serial) == trimmed(issuer.serial));
    let name_fits = authority.issuer.is_none_or(|name| {
        dn::canonical(name, Naming::Strings).is_none_or(|canonical| canonical == issuer.issuer_canonical)
    });
    key_fits && serial_fits && name_fits
}

fn trimmed(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&octet| octet == 0).count();
    number.get(zeros..).unwrap_or_default()
}

fn algorithm_fits(issuer: &Cert<'_>, cert: &Cert<'_>) -> bool {
    let inner = crate::asn1::only(cert.inner_algorithm, crate::asn1::SEQUENCE).map(Signed::read);
    inner.is_some_and(|signed| signed.fits(issuer.key))
}

/// OpenSSL's `EXFLAG_SS`: same names, key identifiers and algorithm fit. The signature is not looked at.
pub(super) fn is_self_signed(cert: &Cert<'_>) -> bool {
    may_have_issued(cert, cert)
}

/// `X509_VERIFY_PARAM_set_depth(3)`: default 100, plus the end entity.
const MAX_CHAIN: usize = 101;
