//! Keys and certificates as OpenSSL takes them, and what its errors mean.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;

use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{
    ErrorCode, Ssl, SslContext, SslContextBuilder, SslMethod, SslMode, SslOptions, SslRef,
    SslSessionCacheMode, SslVerifyMode, SslVersion,
};
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::{X509, X509VerifyResult};

use crate::LabError;
use crate::record::Class;

/// What one listen or dial presents and trusts.
#[derive(Clone)]
pub(super) struct Material {
    pub(super) key: PKey<Private>,
    /// Leaf first.
    pub(super) chain: Vec<X509>,
    pub(super) anchors: Vec<X509>,
    pub(super) sends: Sends,
}

/// Which chain a runtime sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sends {
    /// The one that lies beside the key, and no more: Java.
    AsStored,
    /// Where none lies beside the key, one that is built of what the process trusts: OpenSSL and GSKit.
    Completed,
}

/// A material made ready for both sides of a handshake.
#[derive(Clone)]
pub(super) struct Contexts {
    pub(super) server: SslContext,
    /// TLS 1.2 and 1.3, to be used in turn.
    pub(super) client: [SslContext; 2],
}

impl Contexts {
    pub(super) fn of(material: &Material) -> Result<Contexts, LabError> {
        let make = |only| {
            context(material, only).map_err(|source| LabError::OpenSsl {
                verb: "take a key",
                source,
            })
        };
        Ok(Contexts {
            server: make(None)?,
            client: [make(Some(SslVersion::TLS1_2))?, make(Some(SslVersion::TLS1_3))?],
        })
    }
}

/// Level 0, because default certificates of the field are 1024-bit and signed with SHA-1; a peer without a
/// certificate, or with one that OpenSSL does not trace to an anchor of this very store, is refused.
fn context(material: &Material, only: Option<SslVersion>) -> Result<SslContext, ErrorStack> {
    let mut builder = SslContextBuilder::new(SslMethod::tls())?;
    builder.set_security_level(0);
    builder.set_cipher_list("DEFAULT:@SECLEVEL=0")?;
    builder.set_min_proto_version(Some(only.unwrap_or(SslVersion::TLS1_2)))?;
    builder.set_max_proto_version(only)?;
    builder.set_session_cache_mode(SslSessionCacheMode::OFF);
    builder.set_options(SslOptions::NO_TICKET);
    if material.sends == Sends::AsStored {
        builder.set_mode(SslMode::NO_AUTO_CHAIN);
    }
    builder.set_num_tickets(0)?;
    if let Some((leaf, above)) = material.chain.split_first() {
        builder.set_certificate(leaf)?;
        for certificate in above {
            builder.add_extra_chain_cert(certificate.clone())?;
        }
        builder.set_private_key(&material.key)?;
        builder.check_private_key()?;
    }
    let mut store = X509StoreBuilder::new()?;
    for anchor in &material.anchors {
        store.add_cert(anchor.clone())?;
    }
    builder.set_cert_store(store.build());
    builder.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    Ok(builder.build())
}

/// A socket that knows whether the peer ever said anything.
pub(super) struct Watched {
    pub(super) stream: TcpStream,
    pub(super) bytes_read: u64,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        self.bytes_read += read as u64;
        Ok(read)
    }
}

impl Write for Watched {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.stream.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// The first half of the client's random bytes: the name that both ends give to a handshake.
pub(super) fn handshake_id(ssl: &SslRef) -> String {
    let mut random = [0; 32];
    let known = ssl.client_random(&mut random);
    if known < random.len() || random == [0; 32] {
        return "-".to_owned();
    }
    random[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a failed handshake or exchange was, and the reason in OpenSSL's words.
pub(super) fn judge(ssl: &SslRef, error: &openssl::ssl::Error, bytes_read: u64) -> (Class, String) {
    let refused_by_us = ssl.verify_result();
    if refused_by_us != X509VerifyResult::OK {
        return (Class::Certificate, refused_by_us.error_string().to_owned());
    }
    if let Some(stack) = error.ssl_error() {
        let reasons: Vec<&str> = stack.errors().iter().filter_map(|e| e.reason()).collect();
        if stack
            .errors()
            .iter()
            .any(|e| CERTIFICATE_REASONS.contains(&e.reason_code()))
        {
            return (Class::Certificate, reasons.join("; "));
        }
        if bytes_read > 0 || !is_end(error) {
            return (Class::Other, reasons.join("; "));
        }
    }
    let class = if bytes_read == 0 && is_end(error) {
        Class::Refused
    } else {
        Class::Other
    };
    (class, error.to_string())
}

/// Whether the connection was reset or closed by the peer.
fn is_end(error: &openssl::ssl::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};
    match error.io_error() {
        Some(io) => matches!(
            io.kind(),
            BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof
        ),
        // OpenSSL 3 says "unexpected eof while reading" as an error of its own.
        None => {
            error.code() == ErrorCode::SYSCALL
                || error.code() == ErrorCode::ZERO_RETURN
                || error
                    .ssl_error()
                    .is_some_and(|s| s.errors().iter().any(|e| e.reason_code() == UNEXPECTED_EOF))
        }
    }
}

/// A session of one side, not yet begun.
pub(super) fn session(context: &SslContext) -> Result<Ssl, LabError> {
    Ssl::new(context).map_err(|source| LabError::OpenSsl {
        verb: "begin a session",
        source,
    })
}

/// Key and chain of a PEM file that holds both; the leaf is the first certificate.
pub(super) fn identity_of_pem(
    path: &Path,
    bytes: &[u8],
    password: Option<&[u8]>,
) -> Result<(PKey<Private>, Vec<X509>), LabError> {
    let verb = "read a private key";
    let key = match password {
        Some(password) => PKey::private_key_from_pem_passphrase(bytes, password),
        None => PKey::private_key_from_pem(bytes),
    }
    .map_err(|source| LabError::OpenSsl { verb, source })?;
    Ok((key, certificates_of_pem(path, bytes)?))
}

/// All certificates of a PEM file, in its order.
pub(super) fn certificates_of_pem(path: &Path, bytes: &[u8]) -> Result<Vec<X509>, LabError> {
    let found = X509::stack_from_pem(bytes).map_err(|source| LabError::OpenSsl {
        verb: "read certificates",
        source,
    })?;
    if found.is_empty() {
        return Err(LabError::Content {
            path: path.to_owned(),
            what: "no certificate in it".to_owned(),
        });
    }
    Ok(found)
}

/// `SSL_R_UNEXPECTED_EOF_WHILE_READING`.
const UNEXPECTED_EOF: i32 = 294;

/// Reasons (`openssl/sslerr.h`; an alert is 1000 more than its number) that speak of a certificate: of the peer's,
/// or in an alert of ours.
const CERTIFICATE_REASONS: [i32; 15] = [
    134,  // certificate verify failed
    199,  // peer did not return a certificate
    1041, // no certificate
    1042, // bad certificate
    1043, // unsupported certificate
    1044, // certificate revoked
    1045, // certificate expired
    1046, // certificate unknown
    1048, // unknown ca
    1049, // access denied
    1051, // decrypt error
    1111, // certificate unobtainable
    1113, // bad certificate status response
    1114, // bad certificate hash value
    1116, // certificate required
];
