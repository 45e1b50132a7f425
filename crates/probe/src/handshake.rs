//! A handshake to its end, by OpenSSL at security level 0, and everything that it shows.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;
use std::time::Instant;

use hello::Flight;
use hello::Group;
use hello::Version;
use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::Error;
use openssl::ssl::ErrorCode;
use openssl::ssl::Ssl;
use openssl::ssl::SslContext;
use openssl::ssl::SslContextBuilder;
use openssl::ssl::SslMethod;
use openssl::ssl::SslOptions;
use openssl::ssl::SslSessionCacheMode;
use openssl::ssl::SslStream;
use openssl::ssl::SslVerifyMode;
use openssl::ssl::SslVersion;
use openssl::ssl::StatusType;
use openssl::x509::X509;

use crate::Identity;
use crate::Trouble;
use crate::line::Line;
use crate::tls13;
use crate::wire::Wire;

/// What is offered.
#[derive(Clone, Copy)]
pub(crate) struct Offer<'a> {
    /// The lowest and the highest version.
    pub versions: (Version, Version),
    /// The name in the hello.
    pub server_name: Option<&'a str>,
    /// Application protocols.
    pub protocols: &'a [&'a str],
    /// Shown when asked for.
    pub identity: Option<&'a Identity>,
    /// Whether to take tickets up to TLS 1.2: a server that gives one keeps no session by its id.
    pub takes_tickets: bool,
    /// Whether to wait for what comes after the handshake: tickets, or a late refusal.
    pub waits: bool,
}

/// What a handshake showed.
pub(crate) struct Shaken {
    /// Hello, chain, request, staple, protocol.
    pub flight: Flight,
    /// Our side came to its end.
    pub is_finished: bool,
    /// The alert that the server sent, during the handshake or after it.
    pub alert: Option<u8>,
    /// The server gave a sign after our last message that it goes on: its Finished up to TLS 1.2, else a ticket, its
    /// own clean end, or data.
    pub is_accepted: bool,
    /// OpenSSL's words where it ended otherwise.
    pub error: Option<String>,
    /// The group that was agreed.
    pub group: Option<Group>,
    /// Sessions that tickets of TLS 1.3 came for, in OpenSSL's encoding.
    pub sessions: Vec<Vec<u8>>,
    /// The session's id, up to TLS 1.2.
    pub session_id: Vec<u8>,
}

/// Shakes hands once.
pub(crate) fn shake(line: &mut Line<'_>, offer: &Offer<'_>) -> Result<Shaken, Trouble> {
    let noted = Arc::new(Noted::default());
    let local = |error: ErrorStack| Trouble::Unreachable {
        why: format!("OpenSSL refuses to begin: {error}"),
    };
    let context = context(offer, &noted).map_err(local)?;
    let mut wire = line.open()?;
    wire.record();
    let ssl = session(offer, &context).map_err(local)?;
    let mut stream = SslStream::new(ssl, wire).map_err(local)?;
    let outcome = stream.connect();
    let mut shaken = Shaken {
        flight: Flight::default(),
        is_finished: outcome.is_ok(),
        alert: None,
        is_accepted: false,
        error: None,
        group: None,
        sessions: Vec::new(),
        session_id: Vec::new(),
    };
    if let Err(error) = &outcome {
        note_error(&mut shaken, error);
        if let Some(trouble) = silence(error, stream.get_ref(), line.limits.answer) {
            return Err(trouble);
        }
    }
    read_flight(&mut shaken, &stream, &noted);
    if shaken.is_finished {
        shaken.is_accepted = stream.ssl().version2() != Some(SslVersion::TLS1_3);
        shaken.session_id = stream
            .ssl()
            .session()
            .map(|session| session.id().to_vec())
            .unwrap_or_default();
        if offer.waits {
            await_sign(&mut shaken, &mut stream, &noted, line.limits.answer);
        } else {
            let _ = stream.shutdown();
        }
    }
    shaken.sessions = noted
        .sessions
        .lock()
        .map(|mut all| std::mem::take(&mut *all))
        .unwrap_or_default();
    Ok(shaken)
}

/// What callbacks saw.
#[derive(Default)]
struct Noted {
    secret: Mutex<Option<Vec<u8>>>,
    sessions: Mutex<Vec<Vec<u8>>>,
}

fn context(offer: &Offer<'_>, noted: &Arc<Noted>) -> Result<SslContext, ErrorStack> {
    let mut builder = SslContextBuilder::new(SslMethod::tls_client())?;
    builder.set_security_level(0);
    builder.set_cipher_list("ALL:COMPLEMENTOFALL:!PSK:!SRP:@SECLEVEL=0")?;
    // `SSL_OP_LEGACY_SERVER_CONNECT` of openssl/ssl.h: servers without secure renegotiation are still asked.
    builder.set_options(SslOptions::from_bits_retain(0x4));
    if !offer.takes_tickets {
        builder.set_options(SslOptions::NO_TICKET);
    }
    builder.set_min_proto_version(openssl_version(offer.versions.0))?;
    builder.set_max_proto_version(openssl_version(offer.versions.1))?;
    builder.set_verify(SslVerifyMode::NONE);
    // Sessions are announced to the callback and kept nowhere.
    builder.set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
    let (secrets, sessions) = (Arc::clone(noted), Arc::clone(noted));
    builder.set_keylog_callback(move |_, line| {
        if let Some(hex) = line
            .strip_prefix("SERVER_HANDSHAKE_TRAFFIC_SECRET ")
            .and_then(|rest| rest.rsplit(' ').next())
            && let Ok(mut secret) = secrets.secret.lock()
        {
            *secret = unhex(hex);
        }
    });
    builder.set_new_session_callback(move |_, session| {
        if let (Ok(session), Ok(mut all)) = (session.to_der(), sessions.sessions.lock()) {
            all.push(session);
        }
    });
    if let Some(identity) = offer.identity {
        let mut chain = identity.chain.iter();
        if let Some(leaf) = chain.next() {
            builder.set_certificate(&*X509::from_der(leaf.der())?)?;
        }
        for issuer in chain {
            builder.add_extra_chain_cert(X509::from_der(issuer.der())?)?;
        }
        builder.set_private_key(&*PKey::private_key_from_pkcs8(identity.key.pkcs8_der())?)?;
    }
    if !offer.protocols.is_empty() {
        let mut list = Vec::new();
        for protocol in offer.protocols {
            list.push(u8::try_from(protocol.len()).unwrap_or(u8::MAX));
            list.extend(protocol.as_bytes());
        }
        builder.set_alpn_protos(&list)?;
    }
    Ok(builder.build())
}

fn session(offer: &Offer<'_>, context: &SslContext) -> Result<Ssl, ErrorStack> {
    let mut ssl = Ssl::new(context)?;
    if let Some(name) = offer.server_name {
        ssl.set_hostname(name)?;
    }
    ssl.set_status_type(StatusType::OCSP)?;
    Ok(ssl)
}

/// Reads what came in, in the clear and, in TLS 1.3, with the secret that OpenSSL told.
fn read_flight(shaken: &mut Shaken, stream: &SslStream<Wire>, noted: &Noted) {
    let incoming = stream.get_ref().incoming();
    shaken.flight.push(incoming);
    // A ticket comes after the end of the flight.
    for (kind, body) in hello::in_the_clear(incoming).0 {
        if kind == NEW_SESSION_TICKET {
            shaken.flight.take(hello::Message { kind, body: &body });
        }
    }
    let is_13 = shaken
        .flight
        .hello
        .as_ref()
        .is_some_and(|hello| hello.version() == Some(Version::Tls13));
    if is_13 {
        // After a HelloRetryRequest the second hello counts.
        let mut second = None;
        for (kind, content) in hello::records(incoming) {
            if kind == HANDSHAKE {
                second = Some(content);
            }
        }
        let mut rest = hello::Reading::new(second.unwrap_or_default());
        if let (Some(kind), Some(body)) = (rest.number(1), rest.vector(3)) {
            let kind = u8::try_from(kind).expect("one byte");
            shaken.flight.take(hello::Message { kind, body });
        }
        let secret = noted.secret.lock().ok().and_then(|secret| secret.clone());
        if let Some(secret) = secret {
            tls13::take_encrypted(&mut shaken.flight, incoming, &secret);
        }
    }
    shaken.group = shaken.flight.agreed_group();
    if shaken.flight.chain.is_none()
        && let Some(chain) = stream.ssl().peer_cert_chain()
    {
        let chain = chain.iter().filter_map(|one| one.to_der().ok()).collect();
        shaken.flight.chain = Some(chain);
    }
    if shaken.flight.status.is_none() {
        shaken.flight.status = stream.ssl().ocsp_status().map(<[u8]>::to_vec);
    }
}

/// Says goodbye and listens: a server of TLS 1.3 looks at our certificate only after our side is through.
fn await_sign(shaken: &mut Shaken, stream: &mut SslStream<Wire>, noted: &Noted, patience: Duration) {
    let _ = stream.shutdown();
    stream
        .get_mut()
        .set_deadline(Instant::now() + patience.min(SIGN_WITHIN));
    let mut rest = [0; 4096];
    for _ in 0..MAX_READS {
        match stream.ssl_read(&mut rest) {
            Ok(_) => shaken.is_accepted = true,
            Err(error) if error.code() == ErrorCode::ZERO_RETURN => {
                shaken.is_accepted = true;
                break;
            }
            Err(error) if error.code() == ErrorCode::SSL => {
                note_error(shaken, &error);
                shaken.is_accepted = false;
                break;
            }
            Err(_) => break,
        }
    }
    let has_ticket = noted.sessions.lock().is_ok_and(|all| !all.is_empty());
    if has_ticket && shaken.alert.is_none() {
        shaken.is_accepted = true;
    }
}

fn note_error(shaken: &mut Shaken, error: &Error) {
    let Some(stack) = error.ssl_error() else {
        shaken.error = Some(match error.io_error() {
            Some(error) if error.kind() == ErrorKind::ConnectionReset => "connection reset".to_owned(),
            Some(error) => error.to_string(),
            None => "the server hung up".to_owned(),
        });
        return;
    };
    for entry in stack.errors() {
        // OpenSSL numbers an alert that came in as 1000 and its code.
        if let Some(code) = u8::try_from(entry.reason_code() - 1000)
            .ok()
            .filter(|_| entry.reason_code() >= 1000)
        {
            shaken.alert = Some(code);
        } else if let Some(reason) = entry.reason() {
            shaken.error.get_or_insert_with(|| reason.to_owned());
        }
    }
}

/// Nothing at all came in: there is nobody to say anything about.
fn silence(error: &Error, wire: &Wire, waited: Duration) -> Option<Trouble> {
    if wire.count() > 0 {
        return None;
    }
    Some(match error.io_error().map(std::io::Error::kind) {
        Some(ErrorKind::WouldBlock | ErrorKind::TimedOut) => Trouble::Silent { waited },
        Some(ErrorKind::ConnectionReset) => Trouble::Reset,
        _ => Trouble::Closed,
    })
}

fn openssl_version(version: Version) -> Option<SslVersion> {
    Some(match version {
        Version::Ssl3 => SslVersion::SSL3,
        Version::Tls10 => SslVersion::TLS1,
        Version::Tls11 => SslVersion::TLS1_1,
        Version::Tls12 => SslVersion::TLS1_2,
        Version::Tls13 => SslVersion::TLS1_3,
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok()))
        .collect::<Option<_>>()?;
    Some(
        digits
            .chunks_exact(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect(),
    )
}

/// RFC 8446, 5.1 and 4.
const HANDSHAKE: u8 = 22;
const NEW_SESSION_TICKET: u8 = 4;
/// A server that goes on shows it at once; this is for slow ones.
const SIGN_WITHIN: Duration = Duration::from_secs(2);
const MAX_READS: usize = 64;
