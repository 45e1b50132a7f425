//! `-exportcert`.

use crate::keytool::fault::{self, Result};
use crate::keytool::session::Session;
use crate::keytool::{certificate_text, list, pem_text};

/// Writes the certificate of an entry, DER or PEM.
pub(crate) fn run(session: &mut Session<'_>) -> Result<()> {
    let file = session.args.file.clone();
    session.check_output(file.as_deref())?;
    list::warn_of_unchecked(session);
    let alias = session.alias();
    let item = session
        .vault
        .find(&alias)
        .cloned()
        .ok_or_else(|| list::no_such(&alias))?;
    let Some(certificate) = session.vault.chain(&item).first().cloned() else {
        return Err(fault::plain(format!("Alias <{alias}> has no certificate")));
    };
    let bytes = match session.args.is_rfc {
        true => pem_text::certificate(certificate.der()).into_bytes(),
        false => certificate.der().to_vec(),
    };
    session.write_output(file.as_deref(), &bytes)?;
    certificate_text::check(session, "The certificate", &certificate);
    if let Some(file) = file {
        let line = format!("Certificate stored in file <{}>", file.to_string_lossy());
        session.say(&line);
    }
    Ok(())
}
