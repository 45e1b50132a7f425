//! Certificates made on the spot, and OpenSSL servers in threads.

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::ssl::{
    AlpnError, Ssl, SslContext, SslContextBuilder, SslMethod, SslStream, SslVerifyMode, SslVersion,
};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::{X509, X509Name};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// A certificate with its key; self-signed or issued.
pub struct Party {
    pub certificate: X509,
    pub key: PKey<Private>,
}

impl Party {
    pub fn der(&self) -> Vec<u8> {
        self.certificate.to_der().unwrap()
    }

    pub fn pkcs8(&self) -> Vec<u8> {
        self.key.private_key_to_pkcs8().unwrap()
    }
}

pub struct Wish<'a> {
    pub name: &'a str,
    pub bits: u32,
    pub issuer: Option<&'a Party>,
    pub is_ca: bool,
    /// First and last second of validity, from now.
    pub valid: (i64, i64),
}

pub fn make(wish: &Wish<'_>) -> Party {
    let key = PKey::from_rsa(Rsa::generate(wish.bits).unwrap()).unwrap();
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_text("CN", wish.name).unwrap();
    let name = name.build();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let at = |seconds: i64| Asn1Time::from_unix(i64::try_from(now).unwrap() + seconds).unwrap();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    let serial = BigNum::from_u32(7).unwrap().to_asn1_integer().unwrap();
    builder.set_serial_number(&serial).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder
        .set_issuer_name(
            wish.issuer
                .map_or(&name, |issuer| issuer.certificate.subject_name()),
        )
        .unwrap();
    builder.set_not_before(&at(wish.valid.0)).unwrap();
    builder.set_not_after(&at(wish.valid.1)).unwrap();
    builder.set_pubkey(&key).unwrap();
    if wish.is_ca {
        builder
            .append_extension(BasicConstraints::new().critical().ca().build().unwrap())
            .unwrap();
    } else {
        let names = SubjectAlternativeName::new()
            .dns(wish.name)
            .build(&builder.x509v3_context(None, None))
            .unwrap();
        builder.append_extension(names).unwrap();
    }
    builder
        .sign(
            wish.issuer.map_or(&key, |issuer| &issuer.key),
            MessageDigest::sha256(),
        )
        .unwrap();
    Party {
        certificate: builder.build(),
        key,
    }
}

pub fn ca(name: &str) -> Party {
    make(&Wish {
        name,
        bits: 2048,
        issuer: None,
        is_ca: true,
        valid: YEAR,
    })
}

pub fn leaf(name: &str, issuer: &Party) -> Party {
    make(&Wish {
        name,
        bits: 2048,
        issuer: Some(issuer),
        is_ca: false,
        valid: YEAR,
    })
}

pub const YEAR: (i64, i64) = (-3600, 365 * 86400);

/// How a server behaves.
pub struct Server<'a> {
    pub identity: &'a Party,
    /// The issuers whose certificates are demanded; none: no client certificate is asked for.
    pub demands: Option<&'a Party>,
    pub version: SslVersion,
    pub tickets: Tickets,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tickets {
    Send,
    Suppress,
}

impl Server<'_> {
    fn context(&self) -> SslContext {
        self.builder().build()
    }

    fn builder(&self) -> SslContextBuilder {
        let mut builder = SslContextBuilder::new(SslMethod::tls_server()).unwrap();
        builder.set_security_level(0);
        builder.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
        builder.set_min_proto_version(Some(self.version)).unwrap();
        builder.set_max_proto_version(Some(self.version)).unwrap();
        builder.set_certificate(&self.identity.certificate).unwrap();
        builder.set_private_key(&self.identity.key).unwrap();
        builder.set_session_id_context(b"test").unwrap();
        if self.tickets == Tickets::Suppress {
            builder.set_num_tickets(0).unwrap();
        }
        if let Some(issuer) = self.demands {
            let mut store = X509StoreBuilder::new().unwrap();
            store.add_cert(issuer.certificate.clone()).unwrap();
            builder.set_cert_store(store.build());
            builder.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
            let mut names = openssl::stack::Stack::new().unwrap();
            names
                .push(issuer.certificate.subject_name().to_owned().unwrap())
                .unwrap();
            builder.set_client_ca_list(names);
        }
        builder
    }

    /// Serves connections until the test ends. After a handshake it waits for the client's close.
    pub fn start(&self) -> String {
        self.start_after(|_| {})
    }

    /// The same, with a conversation in the clear before each handshake.
    pub fn start_after(&self, prelude: impl Fn(&mut TcpStream) + Send + 'static) -> String {
        let context = self.context();
        listen(move |mut stream| {
            prelude(&mut stream);
            let mut stream = SslStream::new(Ssl::new(&context).unwrap(), stream).unwrap();
            if stream.accept().is_ok() {
                let _ = stream.read(&mut [0; 100]);
                let _ = stream.shutdown();
            }
        })
    }
}

/// A listener that gives each connection to `serve`, one after the other.
pub fn listen(serve: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            serve(stream);
        }
    });
    address
}

/// A server that speaks one protocol by ALPN, insists on it, and answers every request with this status.
pub fn web(identity: &Party, version: SslVersion, protocol: &'static [u8], status: &'static str) -> String {
    let server = Server {
        identity,
        demands: None,
        version,
        tickets: Tickets::Send,
    };
    let mut builder = server.builder();
    builder.set_alpn_select_callback(move |_, offered| {
        openssl::ssl::select_next_proto(protocol, offered).ok_or(AlpnError::ALERT_FATAL)
    });
    let context = builder.build();
    listen(move |stream| {
        let mut stream = SslStream::new(Ssl::new(&context).unwrap(), stream).unwrap();
        if stream.accept().is_err() {
            return;
        }
        if stream.ssl().selected_alpn_protocol().is_some() {
            let _ = stream.read(&mut [0; 500]);
            let _ = stream.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes());
        }
        let _ = stream.shutdown();
    })
}

pub fn expect(stream: &mut TcpStream, wanted: &[u8], answer: &[u8]) {
    let mut found = vec![0; wanted.len()];
    stream.read_exact(&mut found).unwrap();
    assert_eq!(found, wanted);
    stream.write_all(answer).unwrap();
}
