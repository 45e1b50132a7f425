use crate::servers::{Party, Server, Tickets, Wish, YEAR, ca, expect, leaf, listen, make, web};
use agent::dial::{
    Acceptance, Certificates, DialReport, DialSpec, Evidence, Identity, Phase, StartTls, Trust, Version,
    dial, dial_for_acceptance,
};
use openssl::ssl::SslVersion;
use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

const V12: SslVersion = SslVersion::TLS1_2;
const V13: SslVersion = SslVersion::TLS1_3;

fn spec(address: &str) -> DialSpec<'_> {
    DialSpec {
        address,
        source: None,
        server_name: Some("server.example"),
        expects: None,
        identity: None,
        anchors: None,
        starttls: None,
        versions: (Version::Tls10, Version::Tls13),
        timeout: Duration::from_secs(20),
        linger: Duration::ZERO,
        asks_http: false,
    }
}

/// Dials a server that demands certificates of `demands`, as `client`, believing `anchor`.
fn mutual(
    version: SslVersion,
    demands: Option<&Party>,
    client: Option<&Party>,
    anchor: &Party,
) -> DialReport {
    let issuer = ca("server ca");
    let server = leaf("server.example", &issuer);
    let address = Server {
        identity: &server,
        demands,
        version,
        tickets: Tickets::Send,
    }
    .start();
    let anchors = [if anchor.der() == issuer.der() {
        issuer.der()
    } else {
        anchor.der()
    }];
    let parts = client.map(|client| ([client.der()], client.pkcs8()));
    let identity = parts.as_ref().map(|(chain, key)| Identity {
        chain,
        key_pkcs8: key,
    });
    let report = dial(&DialSpec {
        identity,
        anchors: Some(&anchors),
        ..spec(&address)
    });
    assert!(report.connected);
    assert_eq!(report.presented, [server.der()], "the chain as sent");
    report
}

#[test]
fn an_accepted_client_certificate_is_known_to_be_accepted() {
    let issuer = ca("client ca");
    let client = leaf("client", &issuer);
    for (version, evidence) in [(V12, Evidence::Finished), (V13, Evidence::Ticket)] {
        let report = mutual(version, Some(&issuer), Some(&client), &issuer);
        assert!(report.handshake, "{report:?}");
        assert_eq!(report.acceptance, Acceptance::Accepted(evidence));
        assert!(
            matches!(&report.asked_for, Certificates::AskedFor { .. }),
            "{:?}",
            report.asked_for
        );
        assert!(report.took < Duration::from_secs(15), "{:?}", report.took);
    }
}

#[test]
fn a_refused_client_certificate_is_a_refusal_in_every_version() {
    let (issuer, stranger) = (ca("client ca"), ca("stranger ca"));
    let client = leaf("client", &stranger);
    for version in [V12, V13] {
        let report = mutual(version, Some(&issuer), Some(&client), &issuer);
        let alert = report.alert.clone().unwrap();
        assert_eq!(alert.code, 48, "{alert:?}");
        assert_eq!(report.acceptance, Acceptance::Refused(Some(alert)));
        // In TLS 1.3 our side was done before the peer refused.
        assert_eq!(report.handshake, version == V13);
        assert!(!report.is_good());
    }
}

#[test]
fn no_certificate_where_one_is_demanded_is_a_refusal_in_every_version() {
    let issuer = ca("client ca");
    for (version, code, phase) in [(V12, 40, Phase::Alert), (V13, 116, Phase::AfterHandshake)] {
        let report = mutual(version, Some(&issuer), None, &issuer);
        assert_eq!(report.alert.as_ref().unwrap().code, code);
        assert!(
            matches!(report.acceptance, Acceptance::Refused(Some(_))),
            "{report:?}"
        );
        assert_eq!(report.failure.unwrap().phase, phase);
    }
}

#[test]
fn the_authorities_of_a_request_are_read_up_to_tls_1_2() {
    let issuer = ca("client ca");
    let name = issuer.certificate.subject_name().to_der().unwrap();
    let report = mutual(V12, Some(&issuer), None, &issuer);
    assert_eq!(
        report.asked_for,
        Certificates::AskedFor {
            authorities: Some(vec![name])
        }
    );
    let report = mutual(V13, Some(&issuer), None, &issuer);
    assert_eq!(report.asked_for, Certificates::AskedFor { authorities: None });
}

#[test]
fn a_one_way_server_asks_for_nothing() {
    let issuer = ca("client ca");
    let client = leaf("client", &issuer);
    for version in [V12, V13] {
        let report = mutual(version, None, Some(&client), &issuer);
        assert_eq!(report.asked_for, Certificates::NotAskedFor);
        assert!(matches!(report.acceptance, Acceptance::Accepted(_)));
    }
}

/// Dials a server with this identity and these anchors; what OpenSSL objects to.
fn trust(identity: &Party, anchors: &[Vec<u8>], expects: Option<&str>) -> Vec<String> {
    let mut answers = Vec::new();
    for version in [V12, V13] {
        let address = Server {
            identity,
            demands: None,
            version,
            tickets: Tickets::Send,
        }
        .start();
        let report = dial(&DialSpec {
            anchors: Some(anchors),
            expects,
            ..spec(&address)
        });
        assert!(report.handshake, "{report:?}");
        assert_eq!(report.is_good(), report.trust == Trust::Accepted);
        answers.push(match report.trust {
            Trust::Accepted => Vec::new(),
            Trust::NotChecked => panic!("not checked"),
            Trust::Refused(errors) => errors.into_iter().map(|error| error.text).collect(),
        });
    }
    assert_eq!(answers[0], answers[1], "both versions say the same");
    answers.remove(0)
}

#[test]
fn the_peer_is_believed_by_its_root_by_itself_and_by_no_stranger() {
    let (issuer, stranger) = (ca("server ca"), ca("stranger ca"));
    let server = leaf("server.example", &issuer);
    assert!(trust(&server, &[issuer.der()], Some("server.example")).is_empty());
    assert!(
        trust(&server, &[server.der()], None).is_empty(),
        "an anchor need not be self-signed"
    );
    let errors = trust(&server, &[stranger.der()], None);
    assert!(
        errors.contains(&"unable to get local issuer certificate".to_owned()),
        "{errors:?}"
    );
    let errors = trust(&server, &[issuer.der()], Some("other.example"));
    assert_eq!(errors, ["hostname mismatch"]);
    let own = make(&Wish {
        name: "server.example",
        bits: 2048,
        issuer: None,
        is_ca: false,
        valid: YEAR,
    });
    assert!(
        trust(&own, &[own.der()], None).is_empty(),
        "a self-signed certificate is its own anchor"
    );
}

#[test]
fn an_expired_certificate_is_named_and_does_not_hide_the_rest() {
    let issuer = ca("server ca");
    let wish = Wish {
        name: "server.example",
        bits: 2048,
        issuer: Some(&issuer),
        is_ca: false,
        valid: (-7200, -3600),
    };
    assert_eq!(
        trust(&make(&wish), &[issuer.der()], None),
        ["certificate has expired"]
    );
}

#[test]
fn keys_of_1024_bits_work_on_both_sides() {
    let wish = |name| Wish {
        name,
        bits: 1024,
        issuer: None,
        is_ca: true,
        valid: YEAR,
    };
    let (server, client) = (make(&wish("server.example")), make(&wish("client")));
    let (chain, key, anchors) = ([client.der()], client.pkcs8(), [server.der()]);
    for version in [SslVersion::TLS1, V12, V13] {
        let address = Server {
            identity: &server,
            demands: Some(&client),
            version,
            tickets: Tickets::Send,
        }
        .start();
        let identity = Some(Identity {
            chain: &chain,
            key_pkcs8: &key,
        });
        let report = dial(&DialSpec {
            identity,
            anchors: Some(&anchors),
            ..spec(&address)
        });
        assert!(report.is_good(), "{report:?}");
    }
}

#[test]
fn a_tls_1_3_server_without_tickets_is_asked_by_leaving() {
    let issuer = ca("ca");
    let (server, client) = (leaf("server.example", &issuer), leaf("client", &issuer));
    let (chain, key) = ([client.der()], client.pkcs8());
    let address = Server {
        identity: &server,
        demands: Some(&issuer),
        version: V13,
        tickets: Tickets::Suppress,
    }
    .start();
    let identity = Some(Identity {
        chain: &chain,
        key_pkcs8: &key,
    });
    let linger = Duration::from_millis(100);
    let report = dial(&DialSpec {
        identity,
        linger,
        ..spec(&address)
    });
    assert_eq!(
        report.acceptance,
        Acceptance::Accepted(Evidence::CleanClose),
        "{report:?}"
    );
}

#[test]
fn the_certain_answer_uses_1_2_where_it_can_and_1_3_where_it_must() {
    let issuer = ca("ca");
    let server = leaf("server.example", &issuer);
    for (version, protocol) in [(V12, "TLSv1.2"), (V13, "TLSv1.3")] {
        let address = Server {
            identity: &server,
            demands: None,
            version,
            tickets: Tickets::Send,
        }
        .start();
        let report = dial_for_acceptance(&spec(&address));
        assert_eq!(report.protocol.as_deref(), Some(protocol), "{report:?}");
        assert!(report.is_good());
    }
}

#[test]
fn absence_is_told_from_refusal_and_from_silence() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap().to_string();
    drop(closed);
    let phase = |report: DialReport| report.failure.unwrap().phase;
    assert_eq!(phase(dial(&spec(&address))), Phase::Refused);
    let address = listen(drop);
    assert_eq!(phase(dial(&spec(&address))), Phase::BeforeServerHello);
    let address = listen(|mut stream| stream.write_all(b"220 this is not TLS\r\n").unwrap());
    assert_eq!(phase(dial(&spec(&address))), Phase::Protocol);
    let address = listen(|_stream| std::thread::sleep(Duration::from_secs(40)));
    let report = dial(&DialSpec {
        timeout: Duration::from_millis(300),
        ..spec(&address)
    });
    assert!(report.took < Duration::from_secs(15), "{report:?}");
    assert_eq!(phase(report), Phase::Timeout);
}

#[test]
fn a_dial_comes_from_the_address_that_was_asked_for() {
    let (send, receive) = std::sync::mpsc::channel();
    let address = listen(move |stream| send.send(stream.peer_addr().unwrap().ip()).unwrap());
    let source = "127.0.0.9".parse().unwrap();
    dial(&DialSpec {
        source: Some(source),
        ..spec(&address)
    });
    assert_eq!(receive.recv().unwrap(), source);
}

#[test]
fn tls_begins_after_the_words_of_each_protocol() {
    let issuer = ca("ca");
    let server = leaf("server.example", &issuer);
    let start = |prelude: fn(&mut std::net::TcpStream)| {
        Server {
            identity: &server,
            demands: None,
            version: V12,
            tickets: Tickets::Send,
        }
        .start_after(prelude)
    };
    let postgres = start(|stream| expect(stream, &[0, 0, 0, 8, 4, 210, 22, 47], b"S"));
    let smtp = start(|stream| {
        stream.write_all(b"220-a\r\n220 b\r\n").unwrap();
        expect(stream, b"EHLO capgrow\r\n", b"250-x\r\n250 STARTTLS\r\n");
        expect(stream, b"STARTTLS\r\n", b"220 go\r\n");
    });
    let imap = start(|stream| {
        stream.write_all(b"* OK ready\r\n").unwrap();
        expect(stream, b"a STARTTLS\r\n", b"* something\r\na OK go\r\n");
    });
    let ldap = start(|stream| {
        let request = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
        expect(
            stream,
            request,
            b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00",
        );
    });
    let mysql = start(|stream| {
        stream.write_all(b"\x05\x00\x00\x00\x0a8.0\x00").unwrap();
        let mut request = b"\x20\x00\x00\x01\x00\x8a\x00\x00\x00\x00\x00\x01\x21".to_vec();
        request.resize(36, 0);
        expect(stream, &request, b"");
    });
    for (protocol, address) in [
        (StartTls::Imap, imap),
        (StartTls::Ldap, ldap),
        (StartTls::Mysql, mysql),
        (StartTls::Postgres, postgres),
        (StartTls::Smtp, smtp),
    ] {
        let report = dial(&DialSpec {
            starttls: Some(protocol),
            ..spec(&address)
        });
        assert!(report.handshake, "{protocol:?}: {report:?}");
    }
}

#[test]
fn a_refusal_that_only_the_http_answer_shows_is_seen() {
    let issuer = ca("server ca");
    let server = leaf("server.example", &issuer);
    let client = leaf("client", &issuer);
    let (chain, key) = ([client.der()], client.pkcs8());
    let judged = [
        ("400 Bad Request", Acceptance::Refused(None)),
        ("495 SSL Certificate Error", Acceptance::Refused(None)),
        ("200 OK", Acceptance::Accepted(Evidence::Byte)),
        ("404 Not Found", Acceptance::Accepted(Evidence::Byte)),
    ];
    for (status, expected) in judged {
        for version in [V12, V13] {
            let address = web(&server, version, b"\x08http/1.1", status);
            let report = dial(&DialSpec {
                identity: Some(Identity {
                    chain: &chain,
                    key_pkcs8: &key,
                }),
                asks_http: true,
                ..spec(&address)
            });
            assert!(report.handshake, "{report:?}");
            assert_eq!(report.acceptance, expected, "{status} {version:?}");
        }
    }
}

#[test]
fn a_peer_that_speaks_other_protocols_is_dialled_without_an_offer() {
    let issuer = ca("server ca");
    let server = leaf("server.example", &issuer);
    let address = web(&server, V13, b"\x02h2", "400 Bad Request");
    let report = dial(&DialSpec {
        asks_http: true,
        ..spec(&address)
    });
    assert!(report.handshake, "{report:?}");
    assert!(matches!(report.acceptance, Acceptance::Accepted(_)), "{report:?}");
}
