//! Protocols that begin in the clear: stubs that speak their words, with TLS behind them.

use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use openssl::ssl::SslAcceptor;
use openssl::ssl::SslMethod;
use openssl::x509::X509;
use probe::Limits;
use probe::StartTls;
use probe::Wants;

use crate::made::MATERIAL;
use crate::others;
use crate::servers::limits;
use crate::servers::now;
use crate::servers::rules;
use crate::servers::serve;
use crate::servers::target;

/// A step of a stub: it says something, or it waits for something that begins like this.
#[derive(Clone, Copy)]
enum Turn {
    Say(&'static [u8]),
    Hear(&'static [u8]),
}

use Turn::Hear;
use Turn::Say;

/// A server that speaks `words` and then TLS. Whoever says something else is hung up on.
fn stub(words: &'static [Turn]) -> u16 {
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).expect("a context");
    acceptor.set_private_key(&MATERIAL.rsa.key).expect("a key");
    acceptor
        .set_certificate(&MATERIAL.rsa.certificate)
        .expect("a certificate");
    let middle =
        X509::from_der(&MATERIAL.middle.certificate.to_der().expect("bytes")).expect("a certificate");
    acceptor.add_extra_chain_cert(middle).expect("a certificate");
    let acceptor = acceptor.build();
    serve(move |mut stream: TcpStream| {
        let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
        for turn in words {
            match turn {
                Say(bytes) => {
                    if stream.write_all(bytes).is_err() {
                        return;
                    }
                }
                Hear(bytes) => {
                    let mut heard = vec![0; bytes.len()];
                    if stream.read_exact(&mut heard).is_err() || heard != *bytes {
                        return;
                    }
                    // The rest of a line, or of a message whose length we know.
                    if bytes.is_ascii() && bytes[0].is_ascii_alphabetic() && !bytes.ends_with(b"\n") {
                        let mut byte = [0];
                        while stream.read_exact(&mut byte).is_ok() && byte != *b"\n" {}
                    }
                }
            }
        }
        if let Ok(mut tls) = acceptor.accept(stream) {
            let _ = tls.read(&mut [0; 16]);
            let _ = tls.shutdown();
        }
    })
}

#[track_caller]
fn check(protocol: StartTls, words: &'static [Turn], is_compared: bool) {
    let port = stub(words);
    let mut target = target(&format!("127.0.0.1:{port}"));
    target.starttls = Some(protocol);
    let facts = probe::probe(&target, None, Wants::Everything, &limits(), now());
    assert_eq!(facts.trouble, None, "{protocol:?}");
    let spoken: Vec<&str> = facts.spoken().map(|seen| seen.version.name()).collect();
    assert_eq!(spoken, ["TLSv1.3", "TLSv1.2"], "{protocol:?}");
    assert_eq!(facts.chain().map(|chain| chain.sent.len()), Some(2));
    assert_eq!(rules(&facts), "P-25", "{protocol:?}");
    if is_compared {
        others::agree_with_s_client(&facts, protocol.name());
        // Its LDAP message has a number of its own choice, and the stub takes ours only.
        if protocol != StartTls::Ldap {
            others::agree_with_sslscan(&facts, protocol.name());
        }
    }
}

const SMTP: &[Turn] = &[
    Say(b"220 stub ready\r\n"),
    Hear(b"EHLO "),
    Say(b"250-stub\r\n250-SIZE 1000\r\n250 STARTTLS\r\n"),
    Hear(b"STARTTLS\r\n"),
    Say(b"220 go ahead\r\n"),
];

#[test]
fn smtp() {
    check(StartTls::Smtp, SMTP, true);
}

#[test]
fn imap() {
    const WORDS: &[Turn] = &[
        Say(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] stub\r\n"),
        Hear(b"a STARTTLS\r\n"),
        Say(b"a OK begin\r\n"),
    ];
    check(StartTls::Imap, WORDS, false);
}

#[test]
fn pop3() {
    const WORDS: &[Turn] = &[Say(b"+OK stub\r\n"), Hear(b"STLS\r\n"), Say(b"+OK begin\r\n")];
    check(StartTls::Pop3, WORDS, true);
}

#[test]
fn ftp() {
    const WORDS: &[Turn] = &[
        Say(b"220-stub\r\n220 ready\r\n"),
        Hear(b"AUTH TLS\r\n"),
        Say(b"234 begin\r\n"),
    ];
    check(StartTls::Ftp, WORDS, false);
}

const LDAP_REQUEST: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";

#[test]
fn ldap() {
    const WORDS: &[Turn] = &[
        Hear(LDAP_REQUEST),
        Say(b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"),
    ];
    check(StartTls::Ldap, WORDS, true);
}

#[test]
fn ldap_with_lengths_in_the_long_form() {
    // As Active Directory writes them, with its name at the end.
    const WORDS: &[Turn] = &[
        Hear(LDAP_REQUEST),
        Say(b"\x30\x84\x00\x00\x00\x28\x02\x01\x01\x78\x84\x00\x00\x00\x1f\x0a\x01\x00\x04\x00\x04\x00\x8a\x161.3.6.1.4.1.1466.20037"),
    ];
    check(StartTls::Ldap, WORDS, false);
}

#[test]
fn mysql() {
    // Protocol 10, version, thread, salt, filler, capabilities with CLIENT_SSL, and the rest of a greeting.
    const WORDS: &[Turn] = &[
        Say(b"\x4a\0\0\0\x0a8.0.36\0\x08\0\0\0abcdefgh\0\xff\xff\x21\x02\0\xff\xdf\x15\0\0\0\0\0\0\0\0\0\0abcdefghijkl\0caching_sha2_password\0"),
        Hear(b"\x20\0\0\x01\x00\x8a\0\0\0\0\0\x01\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
    ];
    check(StartTls::Mysql, WORDS, false);
}

#[test]
fn postgres() {
    const WORDS: &[Turn] = &[Hear(b"\0\0\0\x08\x04\xd2\x16\x2f"), Say(b"S")];
    check(StartTls::Postgres, WORDS, true);
}

/// A server that does not want to: the finding says what it said.
#[track_caller]
fn refused(protocol: StartTls, words: &'static [Turn], said: &str) {
    let port = stub(words);
    let mut target = target(&format!("127.0.0.1:{port}"));
    target.starttls = Some(protocol);
    let limits = Limits {
        answer: Duration::from_millis(500),
        ..limits()
    };
    let facts = probe::probe(&target, None, Wants::Everything, &limits, now());
    assert_eq!(rules(&facts), "P-08", "{:?}", facts.trouble);
    let first = &probe::findings(&facts, &[], None)[0];
    assert!(first.evidence[0].contains(said), "{:?}", first.evidence);
}

#[test]
fn a_server_without_tls_says_so() {
    const SMTP_OFF: &[Turn] = &[
        Say(b"220 stub\r\n"),
        Hear(b"EHLO "),
        Say(b"250 stub\r\n"),
        Hear(b"STARTTLS\r\n"),
        Say(b"502 5.5.1 not here\r\n"),
    ];
    refused(StartTls::Smtp, SMTP_OFF, "502 5.5.1 not here");
    const POSTGRES_OFF: &[Turn] = &[Hear(b"\0\0\0\x08\x04\xd2\x16\x2f"), Say(b"N")];
    refused(StartTls::Postgres, POSTGRES_OFF, "switched off");
    const MYSQL_OFF: &[Turn] = &[Say(
        b"\x19\0\0\0\x0a5.5\0\x08\0\0\0abcdefgh\0\xff\xf7\x21\x02\0\0\0",
    )];
    refused(StartTls::Mysql, MYSQL_OFF, "CLIENT_SSL");
    const MYSQL_BLOCKED: &[Turn] = &[Say(b"\x16\0\0\0\xff\x69\x04Host is not allowed")];
    refused(StartTls::Mysql, MYSQL_BLOCKED, "Host is not allowed");
    const LDAP_OFF: &[Turn] = &[
        Hear(LDAP_REQUEST),
        Say(b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x02\x04\x00\x04\x00"),
    ];
    refused(StartTls::Ldap, LDAP_OFF, "result code 2");
    const SILENT: &[Turn] = &[Hear(b"nothing that anybody says")];
    refused(StartTls::Imap, SILENT, "no answer in time");
}
