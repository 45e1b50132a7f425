//! The chain of a certificate within its store: `-cert -validate`, and what `-cert -receive` warns of.

use keystore::{Certificate, KeyMatch, Store};

use crate::gskit::args::Args;
use crate::gskit::database::{Database, OWN};
use crate::gskit::fault::{self, Fault, Result};
use crate::gskit::shelf::{self, RowKind};
use crate::io::Io;
use crate::keytool::keys;

/// Says whether the chain of a certificate is sound and ends in what the store trusts.
pub(crate) fn validate(args: &Args, io: &mut Io) -> Result<()> {
    let label = args.needed("-label")?;
    let database = Database::open(args, OWN, io)?;
    let (row, certificate) = shelf::find_certificate(&database.store, label)?;
    if let (true, Some(index), true) = (args.has("-keymatch"), row.index, row.kind.is_personal()) {
        let key = database.store.entries()[index].unlock(Some(&database.password))?;
        if key.matches(&certificate) == KeyMatch::Differs {
            return Err(fault::with(109, label));
        }
    }
    check(&database.store, &certificate, io.now_ms() / 1000)?;
    io.print_bytes(b"OK\n");
    Ok(())
}

/// Walks from `leaf` up to a trusted certificate that is signed by itself.
///
/// # Errors
/// 47 for a date, 50 where an issuer is missing, 52 for an issuer that is no authority, 53 for a wrong signature, 54 where
/// the root is not trusted; each with the lines of 43 and 146 as the original prints them.
pub(crate) fn check(store: &Store, leaf: &Certificate, now: i64) -> Result<()> {
    let signers: Vec<(Certificate, bool)> = shelf::rows(store)
        .into_iter()
        .filter_map(|row| Some((row.certificate?, row.kind != RowKind::Untrusted)))
        .collect();
    let mut current = leaf.clone();
    for _ in 0..=MAX_DEPTH {
        if !current.validity().contains(now) {
            return Err(invalid(47, &current));
        }
        if current.is_self_issued() && keys::is_signed_by(&current, &current) {
            let is_trusted = signers
                .iter()
                .any(|(known, trusted)| *trusted && *known == current);
            return match is_trusted {
                true => Ok(()),
                false => Err(invalid(54, &current)),
            };
        }
        let named: Vec<&Certificate> = signers
            .iter()
            .filter(|(known, trusted)| *trusted && *known != current && current.names_as_issuer(known))
            .map(|(known, _)| known)
            .collect();
        if named.is_empty() {
            return Err(invalid(50, &current));
        }
        let mut signing = named
            .into_iter()
            .filter(|issuer| keys::is_signed_by(&current, issuer));
        let Some(issuer) = signing.next() else {
            return Err(invalid(53, &current));
        };
        if is_no_authority(issuer) {
            return Err(invalid(52, issuer));
        }
        current = issuer.clone();
    }
    Err(invalid(50, &current))
}

/// Version 1 knows no authorities; roots of that version are in use.
fn is_no_authority(issuer: &Certificate) -> bool {
    let constraints = issuer.basic_constraints().ok().flatten();
    match constraints {
        Some(constraints) => !constraints.is_authority,
        None => issuer.version() >= 3 && !issuer.is_self_issued(),
    }
}

/// The chain's own code is 146; why stands below.
fn invalid(code: u8, certificate: &Certificate) -> Fault {
    let serial: String = certificate
        .serial()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let subject = format!(
        "GSKKM_VALIDATIONFAIL_SUBJECT: [Class=]GSKVALMethod::PKIX[Issuer=]{}[#=]{serial}[Subject=]{}",
        certificate.issuer(),
        certificate.subject()
    );
    let lines = [fault::code(146), fault::with(43, &subject), fault::code(code)];
    Fault {
        code: 146,
        text: lines.map(|line| line.text).concat(),
    }
}

/// Seconds.
pub(crate) const DAY: i64 = 86_400;

/// As OpenSSL builds paths.
const MAX_DEPTH: usize = 100;
