//! One TLS handshake with somebody else's program, and everything that it shows.
//!
//! OpenSSL at security level 0 speaks here, so that old keys, ciphers and versions can still be asked. A dial goes on
//! when the peer's certificate is not acceptable and reports that; it never resumes a session.
//!
//! Whether the peer lets us in is the hard question: in TLS 1.3 the client's handshake ends before the peer has looked
//! at its certificate. Here a dial counts as let in only once something arrived that a peer sends after that.

mod http;
mod starttls;
mod verdict;
mod wire;

pub use starttls::StartTls;
pub use verdict::{Acceptance, Alert, Certificates, Evidence, Failure, Phase, Trust, TrustError};

use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{
    Error, ErrorCode, Ssl, SslContext, SslContextBuilder, SslMethod, SslOptions, SslSessionCacheMode,
    SslStream, SslVerifyMode, SslVersion,
};
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyFlags;
use std::io::{ErrorKind, Read};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use wire::Wire;

/// Whom to dial, as whom, and what to believe.
#[derive(Clone)]
pub struct DialSpec<'a> {
    /// `host:port`; the first address that connects is taken.
    pub address: &'a str,
    /// The local address to dial from; any when absent.
    pub source: Option<IpAddr>,
    /// The name in the ClientHello (SNI); none is sent for an address.
    pub server_name: Option<&'a str>,
    /// The name or address that the peer's certificate has to carry; not looked at when absent.
    pub expects: Option<&'a str>,
    /// Shown when the peer asks for a certificate.
    pub identity: Option<Identity<'a>>,
    /// The certificates (DER) that are believed, roots or not. `None`: any certificate is taken, and reported.
    pub anchors: Option<&'a [Vec<u8>]>,
    /// What is said in the clear before TLS begins.
    pub starttls: Option<StartTls>,
    /// The lowest and the highest version offered.
    pub versions: (Version, Version),
    /// For all of it, from the first packet to the last answer waited for.
    pub timeout: Duration,
    /// How long to wait after a TLS 1.2 handshake whether the peer hangs up; zero: not at all. In TLS 1.3 the wait for
    /// the peer's first sign is bounded by this where it is not zero, else by two seconds.
    pub linger: Duration,
    /// Offers HTTP/1.1 by ALPN and asks a peer that takes it for `/`: some (nginx) end every handshake well and
    /// refuse a certificate only in their answer. Not offered after a `starttls`.
    pub asks_http: bool,
}

/// Who we are. Both borrowed: the key is wiped by its owner.
#[derive(Clone, Copy)]
pub struct Identity<'a> {
    /// Certificates as DER, leaf first.
    pub chain: &'a [Vec<u8>],
    /// The unencrypted PKCS#8 key of the leaf.
    pub key_pkcs8: &'a [u8],
}

/// Protocol versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// TLS 1.0
    Tls10,
    /// TLS 1.1
    Tls11,
    /// TLS 1.2
    Tls12,
    /// TLS 1.3
    Tls13,
}

/// What one dial showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialReport {
    /// A TCP connection was made.
    pub connected: bool,
    /// Our side of the handshake came to its end.
    pub handshake: bool,
    /// `TLSv1.2` …
    pub protocol: Option<String>,
    /// OpenSSL's name of the cipher suite.
    pub cipher: Option<String>,
    /// The peer's certificates as DER, in the order in which they were sent.
    pub presented: Vec<Vec<u8>>,
    /// Whether the peer let us in.
    pub acceptance: Acceptance,
    /// Whether we would believe the peer.
    pub trust: Trust,
    /// Whether the peer asked for our certificate.
    pub asked_for: Certificates,
    /// The alert that the peer sent, if it did.
    pub alert: Option<Alert>,
    /// Why there was no full handshake.
    pub failure: Option<Failure>,
    /// From the first packet to the end.
    pub took: Duration,
}

impl DialReport {
    /// A full handshake in which both sides believed each other, as far as each looked.
    pub fn is_good(&self) -> bool {
        let let_in = matches!(self.acceptance, Acceptance::Accepted(_));
        self.handshake && let_in && !matches!(self.trust, Trust::Refused(_))
    }

    fn failed(started: Instant, connected: bool, phase: Phase, text: String) -> DialReport {
        DialReport {
            connected,
            handshake: false,
            protocol: None,
            cipher: None,
            presented: Vec::new(),
            acceptance: Acceptance::Unknown,
            trust: Trust::NotChecked,
            asked_for: Certificates::Unknown,
            alert: None,
            failure: Some(Failure { phase, text }),
            took: started.elapsed(),
        }
    }
}

/// Dials once with all versions of `spec`. Never panics on what the peer says; everything is in the report.
///
/// Cost: one connection, one key operation, one context.
pub fn dial(spec: &DialSpec<'_>) -> DialReport {
    let report = dial_once(spec);
    let wants_another_protocol = report
        .alert
        .as_ref()
        .is_some_and(|alert| alert.code == http::NO_APPLICATION_PROTOCOL);
    if spec.asks_http && wants_another_protocol {
        return dial_once(&DialSpec {
            asks_http: false,
            ..spec.clone()
        });
    }
    report
}

fn dial_once(spec: &DialSpec<'_>) -> DialReport {
    let started = Instant::now();
    let deadline = started + spec.timeout;
    let seen = Arc::new(Seen::default());
    let context = match context(spec, &seen) {
        Ok(context) => context,
        Err(error) => return DialReport::failed(started, false, Phase::Local, error.to_string()),
    };
    let mut wire = match Wire::connect(spec.address, spec.source, deadline) {
        Ok(wire) => wire,
        Err(error) => {
            return DialReport::failed(started, false, verdict::connect_phase(&error), error.to_string());
        }
    };
    if let Some(protocol) = spec.starttls
        && let Err(error) = starttls::negotiate(protocol, &mut wire)
    {
        return DialReport::failed(started, true, Phase::StartTls, error.to_string());
    }
    wire.record();
    wire.stop_reading_at(seen.clone());
    let stream = session(spec, &context).and_then(|ssl| SslStream::new(ssl, wire));
    let mut stream = match stream {
        Ok(stream) => stream,
        Err(error) => return DialReport::failed(started, true, Phase::Local, error.to_string()),
    };
    let outcome = stream.connect();
    let mut report = DialReport::failed(started, true, Phase::Protocol, String::new());
    describe(&mut report, &stream, spec, &seen);
    match outcome {
        Ok(()) => {
            report.handshake = true;
            report.failure = None;
            await_sign(&mut report, &mut stream, spec, &seen, deadline);
        }
        Err(error) => fail(&mut report, &stream, &error),
    }
    report.took = started.elapsed();
    report
}

/// Dials for a certain answer whether our certificate is accepted: with TLS 1.2 at most where `spec` allows that, since
/// its handshake ends with the peer's word; with all versions where the peer does not speak 1.2.
pub fn dial_for_acceptance(spec: &DialSpec<'_>) -> DialReport {
    let (lowest, highest) = spec.versions;
    if lowest <= Version::Tls12 && highest > Version::Tls12 {
        let report = dial(&DialSpec {
            versions: (lowest, Version::Tls12),
            ..spec.clone()
        });
        let no_common_version = report.connected
            && !report.handshake
            && report.presented.is_empty()
            && !matches!(
                report.failure.as_ref().map(|failure| failure.phase),
                Some(Phase::Timeout | Phase::Local)
            );
        if !no_common_version {
            return report;
        }
    }
    dial(spec)
}

/// What callbacks saw.
#[derive(Default)]
struct Seen {
    ticket: AtomicBool,
    connected: AtomicBool,
    refusals: Mutex<Vec<TrustError>>,
}

impl wire::Halt for Seen {
    fn halts(&self) -> bool {
        self.connected.load(Ordering::Relaxed) && self.ticket.load(Ordering::Relaxed)
    }
}

fn context(spec: &DialSpec<'_>, seen: &Arc<Seen>) -> Result<SslContext, ErrorStack> {
    let mut builder = SslContextBuilder::new(SslMethod::tls_client())?;
    builder.set_security_level(0);
    builder.set_cipher_list("ALL:!aNULL:!eNULL:@SECLEVEL=0")?;
    // `SSL_OP_LEGACY_SERVER_CONNECT` of openssl/ssl.h: peers without secure renegotiation are still asked.
    builder.set_options(SslOptions::from_bits_retain(0x4));
    builder.set_min_proto_version(Some(spec.versions.0.of_openssl()))?;
    builder.set_max_proto_version(Some(spec.versions.1.of_openssl()))?;
    // Sessions are announced to the callback and kept nowhere.
    builder.set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
    let sessions = Arc::clone(seen);
    builder.set_new_session_callback(move |_, _| sessions.ticket.store(true, Ordering::Relaxed));
    if let Some(identity) = &spec.identity {
        let mut chain = identity.chain.iter();
        if let Some(leaf) = chain.next() {
            builder.set_certificate(&*X509::from_der(leaf)?)?;
        }
        for issuer in chain {
            builder.add_extra_chain_cert(X509::from_der(issuer)?)?;
        }
        builder.set_private_key(&*PKey::private_key_from_pkcs8(identity.key_pkcs8)?)?;
    }
    if spec.asks_http && spec.starttls.is_none() {
        builder.set_alpn_protos(http::OFFER)?;
    }
    trust(&mut builder, spec, seen)?;
    Ok(builder.build())
}

/// Believes exactly the anchors; notes every objection and goes on.
fn trust(builder: &mut SslContextBuilder, spec: &DialSpec<'_>, seen: &Arc<Seen>) -> Result<(), ErrorStack> {
    let Some(anchors) = spec.anchors else {
        builder.set_verify(SslVerifyMode::NONE);
        return Ok(());
    };
    let mut store = X509StoreBuilder::new()?;
    for anchor in anchors {
        store.add_cert(X509::from_der(anchor)?)?;
    }
    store.set_flags(X509VerifyFlags::PARTIAL_CHAIN | X509VerifyFlags::TRUSTED_FIRST)?;
    builder.set_cert_store(store.build());
    let objections = Arc::clone(seen);
    builder.set_verify_callback(SslVerifyMode::PEER, move |fine, chain| {
        if !fine && let Ok(mut refusals) = objections.refusals.lock() {
            let error = chain.error();
            refusals.push(TrustError {
                code: error.as_raw(),
                depth: chain.error_depth(),
                text: error.error_string().to_owned(),
            });
        }
        true
    });
    Ok(())
}

fn session(spec: &DialSpec<'_>, context: &SslContext) -> Result<Ssl, ErrorStack> {
    let mut ssl = Ssl::new(context)?;
    if let Some(name) = spec.server_name
        && name.parse::<IpAddr>().is_err()
    {
        ssl.set_hostname(name)?;
    }
    if let Some(name) = spec.expects {
        match name.parse::<IpAddr>() {
            Ok(address) => ssl.param_mut().set_ip(address)?,
            Err(_) => ssl.param_mut().set_host(name)?,
        }
    }
    Ok(ssl)
}

/// What can be read off the session, whole or broken.
fn describe(report: &mut DialReport, stream: &SslStream<Wire>, spec: &DialSpec<'_>, seen: &Seen) {
    let ssl = stream.ssl();
    report.cipher = ssl.current_cipher().map(|cipher| cipher.name().to_owned());
    report.protocol = report.cipher.as_ref().map(|_| ssl.version_str().to_owned());
    if let Some(chain) = ssl.peer_cert_chain() {
        report.presented = chain
            .iter()
            .filter_map(|certificate| certificate.to_der().ok())
            .collect();
    }
    if spec.anchors.is_some() && !report.presented.is_empty() {
        let refusals = seen
            .refusals
            .lock()
            .map(|refusals| refusals.clone())
            .unwrap_or_default();
        report.trust = if refusals.is_empty() {
            Trust::Accepted
        } else {
            Trust::Refused(refusals)
        };
    }
    report.asked_for = stream.get_ref().asked_for(is_13(stream));
}

fn fail(report: &mut DialReport, stream: &SslStream<Wire>, error: &Error) {
    report.alert = verdict::alert_of(error);
    let (phase, text) = verdict::phase_of(error, stream.get_ref(), report.alert.as_ref());
    report.acceptance =
        verdict::acceptance_of_failure(report, phase, stream.get_ref().answered_with_certificate());
    report.failure = Some(Failure { phase, text });
}

/// Waits until the peer has shown what it thinks of us, then takes leave.
fn await_sign(
    report: &mut DialReport,
    stream: &mut SslStream<Wire>,
    spec: &DialSpec<'_>,
    seen: &Seen,
    deadline: Instant,
) {
    seen.connected.store(true, Ordering::Relaxed);
    let is_13 = is_13(stream);
    if http::is_spoken(stream.ssl()) {
        stream
            .get_mut()
            .set_deadline(deadline.min(Instant::now() + ANSWER_WITHIN));
        stream.get_mut().read_on();
        let answer = http::ask(stream, spec.server_name.unwrap_or(spec.address));
        judge(report, answer, is_13);
        take_leave(stream, Duration::ZERO);
        return;
    }
    if !is_13 && spec.linger.is_zero() {
        report.acceptance = Acceptance::Accepted(Evidence::Finished);
        take_leave(stream, Duration::ZERO);
        return;
    }
    let patience = if spec.linger.is_zero() {
        SIGN_WITHIN
    } else {
        spec.linger
    };
    stream
        .get_mut()
        .set_deadline(deadline.min(Instant::now() + patience));
    match (read_one(stream, seen), is_13) {
        (Sign::Byte, _) => report.acceptance = Acceptance::Accepted(Evidence::Byte),
        (Sign::Ticket, _) => report.acceptance = Acceptance::Accepted(Evidence::Ticket),
        (Sign::Silence, false) => report.acceptance = Acceptance::Accepted(Evidence::Finished),
        (Sign::Silence, true) => ask_by_leaving(report, stream, deadline),
        (Sign::End(error), _) => {
            report.alert = verdict::alert_of(&error);
            let after = if is_13 {
                Phase::AfterHandshake
            } else {
                Phase::HungUp
            };
            report.acceptance = Acceptance::Refused(report.alert.clone());
            report.failure = Some(Failure {
                phase: after,
                text: verdict::words(&error),
            });
            return;
        }
    }
    take_leave(stream, if is_13 { LEAVE_WITHIN } else { Duration::ZERO });
}

/// What an answer to our request says about our certificate.
fn judge(report: &mut DialReport, answer: Result<http::Status, Error>, is_13: bool) {
    match answer {
        Ok(status) if status.refuses_certificate() => {
            report.acceptance = Acceptance::Refused(None);
            report.failure = Some(Failure {
                phase: Phase::AfterHandshake,
                text: format!("the peer refuses the certificate with HTTP {}", status.0),
            });
        }
        Ok(_) => report.acceptance = Acceptance::Accepted(Evidence::Byte),
        // Slow to answer: the handshake alone is known.
        Err(error) if error.code() == ErrorCode::WANT_READ && !is_13 => {
            report.acceptance = Acceptance::Accepted(Evidence::Finished);
        }
        Err(error) if error.code() == ErrorCode::WANT_READ => {}
        Err(error) => {
            report.alert = verdict::alert_of(&error);
            report.acceptance = Acceptance::Refused(report.alert.clone());
            report.failure = Some(Failure {
                phase: if is_13 {
                    Phase::AfterHandshake
                } else {
                    Phase::HungUp
                },
                text: verdict::words(&error),
            });
        }
    }
}

/// A silent TLS 1.3 peer: a refusal would have to precede its answer to our close.
fn ask_by_leaving(report: &mut DialReport, stream: &mut SslStream<Wire>, deadline: Instant) {
    stream
        .get_mut()
        .set_deadline(deadline.min(Instant::now() + SIGN_WITHIN));
    let _ = stream.shutdown();
    let mut byte = [0];
    report.acceptance = match stream.ssl_read(&mut byte) {
        Ok(_) => Acceptance::Accepted(Evidence::Byte),
        Err(error) if error.code() == ErrorCode::ZERO_RETURN => Acceptance::Accepted(Evidence::CleanClose),
        // Its alert would have come before the end of its stream.
        Err(error) if verdict::is_end_of_file(&error) => Acceptance::Accepted(Evidence::Close),
        Err(error) => match verdict::alert_of(&error) {
            Some(alert) => {
                report.alert = Some(alert.clone());
                report.failure = Some(Failure {
                    phase: Phase::AfterHandshake,
                    text: verdict::words(&error),
                });
                Acceptance::Refused(Some(alert))
            }
            None => Acceptance::Unknown,
        },
    };
}

enum Sign {
    Byte,
    End(Error),
    Silence,
    Ticket,
}

fn read_one(stream: &mut SslStream<Wire>, seen: &Seen) -> Sign {
    let mut byte = [0];
    let outcome = stream.ssl_read(&mut byte);
    match outcome {
        Ok(_) => Sign::Byte,
        Err(_) if seen.ticket.load(Ordering::Relaxed) && is_13(stream) => Sign::Ticket,
        Err(error) if matches!(error.code(), ErrorCode::WANT_READ) => Sign::Silence,
        Err(error) => Sign::End(error),
    }
}

/// Says goodbye and, for a short while, lets the peer finish: hanging up on unread bytes would look like a failure to
/// it.
fn take_leave(stream: &mut SslStream<Wire>, patience: Duration) {
    stream.get_mut().set_deadline(Instant::now() + LEAVE_WITHIN);
    let _ = stream.shutdown();
    let wire = stream.get_mut();
    wire.finish_writing();
    if patience.is_zero() {
        return;
    }
    wire.set_deadline(Instant::now() + patience);
    wire.read_on();
    let mut rest = [0; 4096];
    for _ in 0..MAX_LEFT_OVER_READS {
        match wire.read(&mut rest) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

fn is_13(stream: &SslStream<Wire>) -> bool {
    stream.ssl().version2() == Some(SslVersion::TLS1_3)
}

impl Version {
    fn of_openssl(self) -> SslVersion {
        match self {
            Version::Tls10 => SslVersion::TLS1,
            Version::Tls11 => SslVersion::TLS1_1,
            Version::Tls12 => SslVersion::TLS1_2,
            Version::Tls13 => SslVersion::TLS1_3,
        }
    }
}

/// A TLS 1.3 peer that accepts sends its ticket at once; one that sends none may be slow to refuse.
const SIGN_WITHIN: Duration = Duration::from_secs(2);
/// An HTTP server that asks another one first may be slow.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);
const LEAVE_WITHIN: Duration = Duration::from_millis(250);
const MAX_LEFT_OVER_READS: usize = 64;
