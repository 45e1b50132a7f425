//! `-genkeypair`.

use keystore::{Certificate, PublicKey};

use crate::keytool::fault::{self, Result};
use crate::keytool::issue::{self, Draft};
use crate::keytool::keys::Pair;
use crate::keytool::session::Session;
use crate::keytool::{certificate_text, dates, extensions, keys, list, name_text, unlock, weak};

/// Makes a pair and its certificate, signed by itself or by another key of the store.
pub(crate) fn run(session: &mut Session<'_>) -> Result<()> {
    let Some(algorithm) = session.args.key_algorithm.clone() else {
        return Err(fault::plain("The -keyalg option must be specified."));
    };
    check_size(session, &algorithm)?;
    let alias = session.alias();
    if session.vault.find(&alias).is_some() {
        return Err(fault::plain(format!(
            "Key pair not generated, alias <{alias}> already exists"
        )));
    }
    let signer = signer(session)?;
    keys::is_known(&algorithm)?;
    let subject = match session.args.dname.clone() {
        Some(name) => name_text::encode(&name)?,
        None => {
            session.print_warnings(true);
            ask_name(session)?
        }
    };
    if signer.is_none() && session.args.signature_algorithm.is_none() {
        keys::can_sign(&algorithm)?;
    }
    if subject == [0x30, 0] && signer.is_none() {
        // The original writes such a certificate, and then no store with it can be read again.
        let message = "Empty issuer DN not allowed in X509Certificates";
        return Err(fault::of_class(
            "java.security.cert.CertificateParsingException",
            message,
        ));
    }
    let pair = keys::generate(&algorithm, session.args.key_size, session.args.group.as_deref())?;
    let certificate = issue(session, &pair, &subject, signer.as_ref())?;
    say_what(session, &certificate, &algorithm);
    let same = session.store_password.clone();
    let password = match session.key_password.clone() {
        Some(password) => Some(password),
        None => unlock::ask_new(session, &alias, None, same)?,
    };
    let mut chain = vec![certificate];
    chain.extend(signer.map(|signer| signer.chain).unwrap_or_default());
    certificate_text::check_all(session, "The generated certificate", &chain);
    session.vault.put_key(
        &alias,
        &pair.private,
        &chain,
        password.as_ref(),
        session.io.now_ms(),
    )?;
    session.must_save = true;
    Ok(())
}

/// What of size and curve cannot be, and what is out of use.
fn check_size(session: &mut Session<'_>, algorithm: &str) -> Result<()> {
    if session.args.group.is_some() && session.args.key_size.is_some() {
        return Err(fault::plain("Cannot specify both -groupname and -keysize"));
    }
    if let Some(size) = session
        .args
        .key_size
        .filter(|_| algorithm.eq_ignore_ascii_case("EC"))
    {
        let curve = keys::curve_of_size(size)?;
        session.warnings.push(format!(
            "Specifying -keysize for generating EC keys is deprecated, please use \"-groupname {curve}\" instead."
        ));
    }
    Ok(())
}

/// The certificate of a new pair.
fn issue(session: &Session<'_>, pair: &Pair, subject: &[u8], signer: Option<&Signer>) -> Result<Certificate> {
    let spki = pair.spki.clone();
    let public = PublicKey::parse(&spki, 0).map_err(|error| fault::io_fault(error.to_string()))?;
    let authority = signer.map(|signer| authority_of(&signer.chain[0]));
    let asked = extensions::build(None, &[], &session.args.extensions, &spki, authority.as_deref())?;
    let not_before = dates::start(
        session.args.start_date.as_deref(),
        session.io.now_ms(),
        &session.io.zone(),
    )?;
    let not_after = dates::end(not_before, session.args.validity_days).map_err(|year| {
        let message = format!("Validity period ends at calendar year {year} which is greater than 9999");
        fault::of_class("java.security.cert.CertificateException", message)
    })?;
    let (key, issuer, signature) = match signer {
        Some(signer) => (
            &signer.key,
            signer.chain[0].subject().der(),
            keys::default_signature(&signer.chain[0].public_key()),
        ),
        None => (&pair.private, subject, keys::default_signature(&public)),
    };
    let signature = match session.args.signature_algorithm.clone() {
        Some(name) => name,
        None => signature?,
    };
    let draft = Draft {
        subject,
        issuer,
        spki: &spki,
        not_before,
        not_after,
        extensions: &asked,
    };
    issue::certificate(&draft, key, &signature)
}

/// The key identifier that a certificate signed by this one names.
pub(crate) fn authority_of(issuer: &Certificate) -> Vec<u8> {
    let own = issuer.subject_key_identifier().ok().flatten().map(<[u8]>::to_vec);
    own.unwrap_or_else(|| extensions::key_identifier(issuer.spki()))
}

struct Signer {
    key: keystore::PrivateKey,
    chain: Vec<Certificate>,
}

fn signer(session: &mut Session<'_>) -> Result<Option<Signer>> {
    let Some(alias) = session.args.signer.clone() else {
        return Ok(None);
    };
    let given = session.args.signer_key_password.clone();
    let (item, opened) = unlock::private_key_with(session, &alias, given)?;
    let chain = session.vault.chain(&item).to_vec();
    if chain.is_empty() {
        return Err(fault::plain(format!("{alias} has no public key (certificate)")));
    }
    Ok(Some(Signer {
        key: opened.key,
        chain,
    }))
}

fn say_what(session: &mut Session<'_>, certificate: &Certificate, algorithm: &str) {
    let key = certificate.public_key();
    let size = match (session.args.key_size, &session.args.group) {
        (Some(size), _) => i64::from(size),
        // Java has no default size for this one, and says so.
        (None, None) if algorithm.eq_ignore_ascii_case("RSASSA-PSS") => -1,
        _ => weak::bits(&key).unwrap_or(0) as i64,
    };
    let what = format!(
        "Generating {} bit {} key pair",
        list::grouped(size),
        weak::key_name(&key)
    );
    let signature = certificate_text::signature_name(&certificate.signature_algorithm());
    let certificate_words = match &session.args.signer {
        Some(signer) => format!("a certificate ({signature}) issued by <{signer}>"),
        None => format!("self-signed certificate ({signature})"),
    };
    let days = list::grouped(session.args.validity_days);
    let name = name_text::show(&certificate.subject());
    session.say(&format!(
        "{what} and {certificate_words} with a validity of {days} days\n\tfor: {name}"
    ));
}

/// Asks for the parts of a name until they are said to be right.
fn ask_name(session: &mut Session<'_>) -> Result<Vec<u8>> {
    let mut answers = ["Unknown"; 6].map(str::to_owned);
    let mut lines = session.io.lines();
    for _ in 0..=20 {
        for (question, answer) in QUESTIONS.iter().zip(&mut answers) {
            session.io.complain(&format!("{question}\n  [{answer}]:  "));
            if let Some(typed) = lines.next(session.io).filter(|typed| !typed.is_empty()) {
                *answer = typed;
            }
        }
        let keywords = ["CN", "OU", "O", "L", "ST", "C"];
        let parts: Vec<(&str, &str)> = keywords
            .into_iter()
            .zip(answers.iter().map(String::as_str))
            .collect();
        let name = name_text::of_parts(&parts)?;
        let shown = keystore::Name::parse(&name, 0)
            .map(|name| name_text::show(&name))
            .unwrap_or_default();
        session.io.complain(&format!("Is {shown} correct?\n  [no]:  "));
        let answer = lines.next(session.io).unwrap_or_default();
        if matches!(answer.to_lowercase().as_str(), "y" | "yes") {
            session.io.drop_read_ahead(lines);
            session.say("");
            return Ok(name);
        }
    }
    let message = "Too many retries, program terminated";
    Err(fault::of_class("java.lang.RuntimeException", message))
}

const QUESTIONS: &[&str] = &[
    "What is your first and last name?",
    "What is the name of your organizational unit?",
    "What is the name of your organization?",
    "What is the name of your City or Locality?",
    "What is the name of your State or Province?",
    "What is the two-letter country code for this unit?",
];
