//! A certificate as Java prints it, and what is to be warned of in it.

use keystore::{Algorithm, Certificate, PublicKey};

use crate::keytool::session::Session;
use crate::keytool::weak::{self, Verdict};
use crate::keytool::{dates, extension_text, hex, keys, name_text};

/// The certificate in words.
pub(crate) fn show(session: &Session<'_>, certificate: &Certificate) -> String {
    let zone = session.io.zone();
    let validity = certificate.validity();
    let mut signature = signature_name(&certificate.signature_algorithm());
    if !session.is_trusted(certificate) {
        signature += weak::signature(&signature, weak::is_for_code(certificate)).mark();
    }
    let key = certificate.public_key();
    let text = format!(
        "Owner: {}\nIssuer: {}\nSerial number: {}\nValid from: {} until: {}\nCertificate fingerprints:\n\t SHA1: {}\n\t \
         SHA256: {}\nSignature algorithm name: {signature}\nSubject Public Key Algorithm: {}\nVersion: {}\n",
        name_text::show(&certificate.subject()),
        name_text::show(&certificate.issuer()),
        certificate.serial_hex(),
        dates::full(validity.not_before, &zone),
        dates::full(validity.not_after, &zone),
        hex::colons(&certificate.sha1()),
        hex::colons(&certificate.sha256()),
        weak::key_text(&key) + weak::key(&key).mark(),
        certificate.version(),
    );
    text + &extension_text::show("Extensions: ", certificate.extensions(), &zone)
}

/// Java's name of a signature algorithm.
pub(crate) fn signature_name(algorithm: &Algorithm<'_>) -> String {
    keys::signature_name(&algorithm.oid().to_string()).unwrap_or_else(|| algorithm.to_string())
}

/// Notes what is weak about one certificate under a label. The signature of a trusted one does not count.
pub(crate) fn check(session: &mut Session<'_>, label: &str, certificate: &Certificate) {
    let signature = match session.is_trusted(certificate) {
        true => None,
        false => Some(signature_name(&certificate.signature_algorithm())),
    };
    let is_for_code = weak::is_for_code(certificate);
    check_parts(
        session,
        label,
        signature.as_deref(),
        is_for_code,
        Some(&certificate.public_key()),
    );
}

/// Notes what is weak about a row of certificates: `LABEL #2 of 3`.
pub(crate) fn check_all(session: &mut Session<'_>, label: &str, certificates: &[Certificate]) {
    for (number, certificate) in certificates.iter().enumerate() {
        let label = one_of(label, number, certificates.len());
        check(session, &label, certificate);
    }
}

/// `LABEL`, or `LABEL #2 of 3` where there are several.
pub(crate) fn one_of(label: &str, number: usize, count: usize) -> String {
    match count {
        1 => label.to_owned(),
        _ => format!("{label} #{} of {count}", number + 1),
    }
}

/// Notes a weak signature algorithm and a weak key.
pub(crate) fn check_parts(
    session: &mut Session<'_>,
    label: &str,
    signature: Option<&str>,
    is_for_code: bool,
    key: Option<&PublicKey<'_>>,
) {
    if let Some(name) = signature {
        let what = format!("{label} uses the {name} signature algorithm which is considered a security risk");
        let verdict = weak::signature(name, is_for_code);
        match verdict {
            Verdict::Fine => {}
            Verdict::Weak => {
                session.warnings.push(format!(
                    "{what}. This algorithm will be disabled in a future update."
                ));
            }
            Verdict::Disabled if name.to_uppercase().starts_with("SHA1") => {
                session.warnings.push(format!(
                    "{what} and cannot be used to sign JARs after 2019-01-01."
                ));
            }
            Verdict::Disabled => session.warnings.push(format!("{what} and is disabled.")),
        }
    }
    if let Some(key) = key {
        let what = format!(
            "{label} uses a {} which is considered a security risk",
            weak::key_text(key)
        );
        match weak::key(key) {
            Verdict::Fine => {}
            Verdict::Weak => {
                session.warnings.push(format!(
                    "{what}. This key size will be disabled in a future update."
                ));
            }
            Verdict::Disabled => session.warnings.push(format!("{what} and is disabled.")),
        }
    }
}
