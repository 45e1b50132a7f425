//! `-printcert`, `-printcrl`, `-showinfo`.

use std::net::TcpStream;
use std::time::Duration;

use keystore::{Certificate, RevocationList};
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};

use crate::keytool::certificates_in;
use crate::keytool::fault::{self, Result, Stop};
use crate::keytool::revocation_text;
use crate::keytool::session::Session;
use crate::keytool::vault::Vault;
use crate::keytool::{certificate_text, keys, list, pem_text, weak};

/// Prints the certificates of a file, or those that a server shows.
pub(crate) fn certificates(session: &mut Session<'_>) -> Result<()> {
    if let Some(jar) = session.args.jar.clone() {
        return Err(fault::of_class(
            fault::UNSUPPORTED,
            format!("signed jar files are not read here: {}", jar.to_string_lossy()),
        ));
    }
    if let Some(server) = session.args.server.clone() {
        return of_server(session, &server);
    }
    let file = session.args.file.clone();
    let input = session.read_input(file.as_deref())?;
    let Some(found) = certificates_in::all(&input) else {
        return Err(fault::plain("Failed to parse input"));
    };
    if found.is_empty() {
        return Err(fault::plain("Empty input"));
    }
    let count = found.len();
    for (number, certificate) in found.iter().enumerate() {
        if count > 1 {
            session
                .io
                .print(&format!("Certificate[{}]:\n", list::grouped(number as i64 + 1)));
        }
        print_one(session, certificate);
        if number + 1 < count {
            session.io.print("\n");
        }
        let label = certificate_text::one_of(CERTIFICATE, number, count);
        certificate_text::check(session, &label, certificate);
    }
    Ok(())
}

/// Prints the revocation lists of a file.
pub(crate) fn revocation_lists(session: &mut Session<'_>) -> Result<()> {
    let file = session.args.file.clone();
    let input = session.read_input(file.as_deref())?;
    let mut rest = input.as_slice();
    loop {
        let Some(next) = certificates_in::next(rest) else {
            return Err(not_a_list("Incomplete data"));
        };
        let Some((der, left)) = next else { return Ok(()) };
        rest = left;
        for list in certificates_in::lists_of_pkcs7(&der).unwrap_or_else(|| vec![der]) {
            print_list(session, &list)?;
        }
    }
}

/// `-showinfo`: there is no Java here, so it is the settings that Java 17 comes with.
pub(crate) fn info(session: &mut Session<'_>) -> Result<()> {
    if session.args.tls {
        let suites: String = SUITES.iter().map(|suite| format!("{suite}\n")).collect();
        session.io.print(&format!(
            "Enabled Protocols\n-----------------\nTLSv1.3\nTLSv1.2\n\nEnabled Cipher Suites\n---------------------\n{suites}"
        ));
        return Ok(());
    }
    session
        .io
        .print("Missing option for -showinfo. Try \"keytool -showinfo -tls\".\n");
    Ok(())
}

fn print_one(session: &mut Session<'_>, certificate: &Certificate) {
    let text = match session.args.is_rfc {
        true => pem_text::certificate(certificate.der()),
        false => certificate_text::show(session, certificate),
    };
    session.io.print(&text);
}

fn print_list(session: &mut Session<'_>, der: &[u8]) -> Result<()> {
    let list = RevocationList::parse(der).map_err(|_| match Certificate::parse(der) {
        Ok(_) => not_a_list("Parsing error: algid parse error, not a sequence"),
        Err(_) if keystore::Request::parse(der).is_ok() => not_a_list("Invalid version"),
        Err(_) => unreadable_list(),
    })?;
    let name = certificate_text::signature_name(&list.signature_algorithm);
    let text = match session.args.is_rfc {
        true => pem_text::block("X509 CRL", der, "\r\n"),
        false => revocation_text::show(&list, &session.io.zone())? + "\n",
    };
    session.io.print(&text);
    let signer = signer(session.cacerts.as_ref(), "cacerts", &list)
        .or_else(|| signer(Some(&session.vault), "keystore", &list));
    match signer {
        Some((alias, place, certificate)) => {
            let key = certificate.public_key();
            let words = weak::key_text(&key) + weak::key(&key).mark();
            session
                .io
                .print(&format!("Verified by {alias} in {place} with a {words}\n"));
            certificate_text::check_parts(session, "The CRL", Some(&name), false, Some(&key));
        }
        None => {
            let stars = "*******************************************";
            let more = if session.args.trust_cacerts {
                "."
            } else {
                " or specify -trustcacerts."
            };
            session.io.print(&format!(
                "{stars}\nWARNING: not verified. Make sure -keystore is correct{more}\n{stars}\n\n\n"
            ));
            certificate_text::check_parts(session, "The CRL", Some(&name), false, None);
        }
    }
    Ok(())
}

fn signer(
    vault: Option<&Vault>,
    place: &'static str,
    list: &RevocationList<'_>,
) -> Option<(String, &'static str, Certificate)> {
    let vault = vault?;
    vault.items().iter().find_map(|item| {
        let certificate = vault.chain(item).first()?;
        let fits =
            certificate.subject().is_same(&list.issuer) && keys::is_list_signed_by(list.der, certificate);
        fits.then(|| (item.alias.clone(), place, certificate.clone()))
    })
}

fn unreadable_list() -> Stop {
    not_a_list("java.io.IOException: Invalid encoding for CRL")
}

fn not_a_list(why: &str) -> Stop {
    fault::of_class("java.security.cert.CRLException", why)
}

/// Prints the chain that a TLS server sends. It is not verified: it is to be looked at.
fn of_server(session: &mut Session<'_>, server: &str) -> Result<()> {
    let chain = chain_of_server(server).ok_or_else(|| fault::plain("No certificate from the SSL server"))?;
    let count = chain.len();
    for (number, certificate) in chain.iter().enumerate() {
        if session.args.is_rfc {
            print_one(session, certificate);
        } else {
            session.io.print(&format!(
                "Certificate #{number}\n====================================\n"
            ));
            print_one(session, certificate);
            session.io.print("\n");
        }
        let label = certificate_text::one_of(CERTIFICATE, number, count);
        certificate_text::check(session, &label, certificate);
    }
    Ok(())
}

fn chain_of_server(server: &str) -> Option<Vec<Certificate>> {
    let (host, address) = match server.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => (host, server.to_owned()),
        _ => (server, format!("{server}:443")),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    let mut builder = SslConnector::builder(SslMethod::tls_client()).ok()?;
    builder.set_verify(SslVerifyMode::NONE);
    builder.set_security_level(0);
    let settings = builder.build().configure().ok()?.verify_hostname(false);
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    let settings = settings.use_server_name_indication(!is_address);
    // A server may end the handshake because it wants a certificate of ours: its own was sent by then.
    let chain = match settings.connect(host, stream) {
        Ok(stream) => stream.ssl().peer_cert_chain().map(read_chain),
        Err(openssl::ssl::HandshakeError::Failure(middle)) => middle.ssl().peer_cert_chain().map(read_chain),
        Err(_) => None,
    };
    chain.flatten().filter(|chain| !chain.is_empty())
}

fn read_chain(chain: &openssl::stack::StackRef<openssl::x509::X509>) -> Option<Vec<Certificate>> {
    chain
        .iter()
        .map(|one| Certificate::parse(&one.to_der().ok()?).ok())
        .collect()
}

const CERTIFICATE: &str = "The certificate";
const PATIENCE: Duration = Duration::from_secs(15);

/// What Java 17 offers with the settings it comes with.
const SUITES: &[&str] = &[
    "TLS_AES_256_GCM_SHA384",
    "TLS_AES_128_GCM_SHA256",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_DHE_DSS_WITH_AES_256_GCM_SHA384",
    "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_DHE_DSS_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
    "TLS_DHE_DSS_WITH_AES_256_CBC_SHA256",
    "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_DHE_DSS_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_DHE_DSS_WITH_AES_256_CBC_SHA",
    "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_DHE_DSS_WITH_AES_128_CBC_SHA",
    "TLS_EMPTY_RENEGOTIATION_INFO_SCSV",
];
