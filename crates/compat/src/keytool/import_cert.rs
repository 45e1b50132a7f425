//! `-importcert`: a certificate to trust, or the answer to a request.

use keystore::Certificate;

use crate::keytool::fault::{self, Result};
use crate::keytool::session::Session;
use crate::keytool::vault::{EntryKind, Vault};
use crate::keytool::{certificate_text, certificates_in, keys, unlock};

/// Puts a certificate in: into a key's entry where the alias has one, else as trusted.
pub(crate) fn run(session: &mut Session<'_>) -> Result<()> {
    let file = session.args.file.clone();
    let alias = session.alias();
    if let Some(file) = &file {
        // A missing file is said before anything else of the import.
        let path = session.io.path(file);
        std::fs::File::open(path).map_err(|error| fault::not_opened(&file.to_string_lossy(), &error))?;
    }
    let kind = session.vault.find(&alias).map(|item| item.kind);
    let (is_put, done) = match kind {
        // The original neither does nor says anything for the alias of a secret key.
        Some(EntryKind::SecretKey) => return Ok(()),
        Some(EntryKind::PrivateKey) => match install_reply(session, &alias)? {
            true => (true, "Certificate reply was installed in keystore"),
            false => (false, "Certificate reply was not installed in keystore"),
        },
        _ => match add_trusted(session, &alias)? {
            true => (true, "Certificate was added to keystore"),
            false => (false, "Certificate was not added to keystore"),
        },
    };
    session.must_save = is_put;
    session.say(done);
    Ok(())
}

fn add_trusted(session: &mut Session<'_>, alias: &str) -> Result<bool> {
    if session.vault.find(alias).is_some() {
        return Err(fault::plain(format!(
            "Certificate not imported, alias <{alias}> already exists"
        )));
    }
    let file = session.args.file.clone();
    let input = session.read_input(file.as_deref())?;
    let Some(certificate) = certificates_in::first(&input) else {
        return Err(fault::plain("Input not an X.509 certificate"));
    };
    if session.args.no_prompt {
        certificate_text::check(session, INPUT, &certificate);
        return put(session, alias, &certificate);
    }
    let is_self_signed = is_self_signed(&certificate);
    if let Some((known, _)) = session.vault.alias_of(&certificate) {
        let line = format!("Certificate already exists in keystore under alias <{known}>");
        session.say(&line);
        return asked(
            session,
            alias,
            &certificate,
            "Do you still want to add it? [no]:  ",
        );
    }
    if is_self_signed {
        let known = session
            .cacerts
            .as_ref()
            .and_then(|vault| vault.alias_of(&certificate));
        if let Some(known) = known.map(|(known, _)| known.to_owned()) {
            session.say(&format!(
                "Certificate already exists in system-wide CA keystore under alias <{known}>"
            ));
            let question = "Do you still want to add it to your own keystore? [no]:  ";
            return asked(session, alias, &certificate, question);
        }
        return shown_and_asked(session, alias, &certificate);
    }
    match chain_of_reply(session, None, &certificate) {
        Ok(_) => put(session, alias, &certificate),
        Err(_) => shown_and_asked(session, alias, &certificate),
    }
}

fn shown_and_asked(session: &mut Session<'_>, alias: &str, certificate: &Certificate) -> Result<bool> {
    let text = certificate_text::show(session, certificate);
    session.io.print(&text);
    asked(session, alias, certificate, "Trust this certificate? [no]:  ")
}

fn asked(session: &mut Session<'_>, alias: &str, certificate: &Certificate, question: &str) -> Result<bool> {
    certificate_text::check(session, INPUT, certificate);
    session.print_warnings(true);
    match session.asks_yes(question)? {
        true => put(session, alias, certificate),
        false => Ok(false),
    }
}

fn put(session: &mut Session<'_>, alias: &str, certificate: &Certificate) -> Result<bool> {
    session
        .vault
        .put_certificate(alias, certificate, session.io.now_ms())?;
    Ok(true)
}

/// Puts the answer of an authority in the place of a key's certificate.
fn install_reply(session: &mut Session<'_>, alias: &str) -> Result<bool> {
    let (item, opened) = unlock::private_key(session, alias)?;
    let Some(own) = session.vault.chain(&item).first().cloned() else {
        return Err(fault::plain(format!("{alias} has no public key (certificate)")));
    };
    let file = session.args.file.clone();
    let input = session.read_input(file.as_deref())?;
    let reply = certificates_in::all(&input).ok_or_else(|| match certificates_in::is_request(&input) {
        true => fault::of_class(
            "java.security.cert.CertificateParsingException",
            "java.io.IOException: DerValue.getOID, not an OID 49",
        ),
        false => fault::of_class(
            "java.security.cert.CertificateException",
            "Unable to initialize, java.io.IOException: Incomplete data",
        ),
    })?;
    let chain = match reply.as_slice() {
        [] => return Err(fault::plain("Reply has no certificates")),
        [only] => Some(chain_of_reply(session, Some(&own), only)?),
        several => chain_in_reply(session, alias, &own, several)?,
    };
    let Some(chain) = chain else {
        return Ok(false);
    };
    let now = session.io.now_ms();
    session
        .vault
        .put_key(alias, &opened.key, &chain, Some(&opened.password), now)?;
    Ok(true)
}

/// The chain of one certificate, by the certificates of the store.
fn chain_of_reply(
    session: &mut Session<'_>,
    own: Option<&Certificate>,
    reply: &Certificate,
) -> Result<Vec<Certificate>> {
    if let Some(own) = own {
        if own.spki() != reply.spki() {
            return Err(fault::plain("Public keys in reply and keystore don't match"));
        }
        if own == reply {
            return Err(fault::plain(
                "Certificate reply and certificate in keystore are identical",
            ));
        }
    }
    let mut known = labelled(&session.vault, "Issuer <", ">");
    if let Some(cacerts) = &session.cacerts {
        known.extend(labelled(cacerts, "Issuer <", "> in cacerts"));
    }
    let mut chain = Vec::new();
    let start = (INPUT.to_owned(), reply.clone());
    if !climb(&start, &known, &mut chain) {
        return Err(fault::plain("Failed to establish chain from reply"));
    }
    for (label, certificate) in &chain {
        certificate_text::check(session, label, certificate);
    }
    Ok(chain
        .into_iter()
        .rev()
        .map(|(_, certificate)| certificate)
        .collect())
}

type Labelled = (String, Certificate);

fn labelled(vault: &Vault, before: &str, after: &str) -> Vec<Labelled> {
    let first = |item| {
        let certificate = vault.chain(item).first()?.clone();
        Some((format!("{before}{}{after}", item.alias), certificate))
    };
    vault.items().iter().filter_map(first).collect()
}

/// Finds the way to a self-signed certificate; `chain` gets it with the root first.
fn climb(from: &Labelled, known: &[Labelled], chain: &mut Vec<Labelled>) -> bool {
    // A loop of cross-signed certificates would never end; each certificate is needed once at most.
    fn step(
        from: &Labelled,
        known: &[Labelled],
        path: &mut Vec<Certificate>,
        chain: &mut Vec<Labelled>,
    ) -> bool {
        if is_self_signed(&from.1) {
            chain.push(from.clone());
            return true;
        }
        if path.contains(&from.1) {
            return false;
        }
        path.push(from.1.clone());
        for issuer in known {
            let is_named = issuer.1.subject().is_same(&from.1.issuer());
            if is_named && keys::is_signed_by(&from.1, &issuer.1) && step(issuer, known, path, chain) {
                chain.push(from.clone());
                return true;
            }
        }
        path.pop();
        false
    }
    step(from, known, &mut Vec::new(), chain)
}

/// The chain that a reply of several certificates holds, leaf first; `None` when a person did not want it.
fn chain_in_reply(
    session: &mut Session<'_>,
    alias: &str,
    own: &Certificate,
    reply: &[Certificate],
) -> Result<Option<Vec<Certificate>>> {
    certificate_text::check_all(session, "Reply", reply);
    let mut reply: Vec<Certificate> = reply
        .iter()
        .enumerate()
        .filter(|(at, one)| !reply[..*at].contains(one))
        .map(|(_, one)| one.clone())
        .collect();
    let Some(leaf) = reply.iter().position(|one| one.spki() == own.spki()) else {
        return Err(fault::plain(format!(
            "Certificate reply does not contain public key for <{alias}>"
        )));
    };
    reply.swap(0, leaf);
    for at in 1..reply.len().saturating_sub(1) {
        let signs = |one: &Certificate| {
            reply[at - 1].issuer().is_same(&one.subject()) && keys::is_signed_by(&reply[at - 1], one)
        };
        match (at..reply.len()).find(|place| signs(&reply[*place])) {
            Some(place) => reply.swap(at, place),
            None => return Err(fault::plain("Incomplete certificate chain in reply")),
        }
    }
    if session.args.no_prompt {
        return Ok(Some(reply));
    }
    let Some(top) = reply.last().cloned() else {
        return Ok(None);
    };
    match signer(session, &top) {
        None => {
            session.io.complain("\nTop-level certificate in reply:\n\n");
            let text = certificate_text::show(session, &top);
            session.io.print(&text);
            session.io.complain("\n... is not trusted. ");
            session.print_warnings(true);
            Ok(session
                .asks_yes("Install reply anyway? [no]:  ")?
                .then_some(reply))
        }
        Some((_, root)) if root == top => Ok(Some(reply)),
        Some((label, root)) => {
            certificate_text::check(session, &label, &root);
            reply.push(root);
            Ok(Some(reply))
        }
    }
}

/// The certificate itself when a store has it, else one that signed it, with where it was found.
fn signer(session: &Session<'_>, certificate: &Certificate) -> Option<Labelled> {
    let stores = [
        (Some(&session.vault), ">"),
        (session.cacerts.as_ref(), "> in cacerts"),
    ];
    for (vault, after) in stores {
        let Some(vault) = vault else { continue };
        if vault.alias_of(certificate).is_some() {
            return Some((String::new(), certificate.clone()));
        }
        let known = labelled(vault, "Issuer <", after);
        if let Some(found) = known
            .into_iter()
            .find(|(_, one)| keys::is_signed_by(certificate, one))
        {
            return Some(found);
        }
    }
    None
}

/// Whether a certificate names itself as its issuer and its own key signed it.
pub(crate) fn is_self_signed(certificate: &Certificate) -> bool {
    certificate.is_self_issued() && keys::is_signed_by(certificate, certificate)
}

const INPUT: &str = "The input";
