//! The rules, one function each. Which of them a runtime applies, and in what order, is its search's matter.

use crate::case::Purpose;
use crate::cert::Cert;
use crate::extension::{self as ext, KnownExtension};
use crate::verdict::Reject;

/// Whether `now` lies in the validity period. `end_exclusive`: expired *at* notAfter, as OpenSSL has it
/// (recorded verdict `time:leaf-notafter-exact`).
pub(crate) fn validity(cert: &Cert<'_>, now: i64, end_exclusive: bool) -> Result<(), Reject> {
    if now < cert.not_before.unix {
        return Err(Reject::NotYetValid);
    }
    let is_past = if end_exclusive {
        now >= cert.not_after.unix
    } else {
        now > cert.not_after.unix
    };
    if is_past { Err(Reject::Expired) } else { Ok(()) }
}

/// Whether extendedKeyUsage allows the purpose. `also`: identifiers that count as well.
pub(crate) fn extended_usage(cert: &Cert<'_>, purpose: Purpose, also: &[&[u8]]) -> Result<(), Reject> {
    let Some(usages) = &cert.extensions.extended else {
        return Ok(());
    };
    let wanted = purpose_oid(purpose);
    match usages
        .iter()
        .any(|usage| *usage == wanted || also.contains(usage))
    {
        true => Ok(()),
        false => Err(Reject::Purpose),
    }
}

/// The identifier in extendedKeyUsage that stands for a purpose.
pub(crate) fn purpose_oid(purpose: Purpose) -> &'static [u8] {
    match purpose {
        Purpose::Client => ext::CLIENT_AUTH,
        Purpose::Server => ext::SERVER_AUTH,
    }
}

/// keyUsage, when present, has at least one of the bits.
pub(crate) fn key_usage(cert: &Cert<'_>, bits: u16) -> Result<(), Reject> {
    if cert.may(bits) {
        Ok(())
    } else {
        Err(Reject::KeyUsage)
    }
}

/// No critical extension outside `known`.
pub(crate) fn critical_extensions(cert: &Cert<'_>, known: &[KnownExtension]) -> Result<(), Reject> {
    if cert.unknown_critical(known).is_empty() {
        Ok(())
    } else {
        Err(Reject::CriticalExtension)
    }
}
