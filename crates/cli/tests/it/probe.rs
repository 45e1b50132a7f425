//! `probe` as people and scripts meet it: exit codes, the document, records that `doctor` reads.

use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::thread;

use keystore::Format;
use openssl::ssl::SslAcceptor;
use openssl::ssl::SslMethod;
use openssl::ssl::SslVerifyMode;
use openssl::x509::X509;

use crate::bad_input::certificates::Made;
use crate::bad_input::certificates::Wanted;
use crate::bad_input::certificates::make;
use crate::bad_input::certificates::root;
use crate::corpus::Ran;
use crate::corpus::capgrow;
use crate::corpus::run;
use crate::made;

/// A server with that certificate, on a port of its own, for as long as the tests run.
fn server(party: &Made, clients_of: Option<&Made>) -> u16 {
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    acceptor.set_certificate(&party.certificate).unwrap();
    acceptor.set_private_key(&party.key).unwrap();
    if let Some(authority) = clients_of {
        let authority = X509::from_der(&authority.certificate.to_der().unwrap()).unwrap();
        acceptor.add_client_ca(&authority).unwrap();
        acceptor.cert_store_mut().add_cert(authority).unwrap();
        acceptor.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        acceptor.set_session_id_context(b"probe").unwrap();
    }
    let acceptor = acceptor.build();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let acceptor = acceptor.clone();
            thread::spawn(move || {
                if let Ok(mut tls) = acceptor.accept(stream) {
                    let _ = tls.read(&mut [0; 16]);
                    let _ = tls.shutdown();
                }
            });
        }
    });
    port
}

fn probe(dir: &Path, words: &str) -> Ran {
    run(capgrow(dir).arg("probe").args(words.split_whitespace()))
}

fn rules(ran: &Ran) -> Vec<String> {
    let document = ran.json();
    let findings = document["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["severity"] != "note")
        .map(|finding| finding["rule"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn fine_is_0_findings_are_1_and_what_cannot_be_asked_is_2() {
    let dir = tempfile::tempdir().unwrap();
    let authority = root("An authority");
    let good = server(&make(&Wanted::default(), Some(&authority)), None);
    let trusted = dir.path().join("root.pem");
    std::fs::write(&trusted, authority.certificate.to_pem().unwrap()).unwrap();
    let name = Wanted::default().names[0];
    let fine = probe(
        dir.path(),
        &format!("127.0.0.1:{good} --name {name} --trust root.pem --as java17,openssl,gskit8 --json"),
    );
    assert_eq!(fine.code, 0, "{}{}", fine.stdout, fine.stderr);
    let document = fine.json();
    assert_eq!(document["version"], 1);
    let target = &document["targets"][0];
    for runtime in ["java17", "openssl", "gskit8"] {
        assert_eq!(target["verdicts"][runtime]["ok"], true, "{runtime}: {target}");
    }
    assert_eq!(target["versions"][0]["version"], "TLSv1.3");
    assert_eq!(target["versions"][0]["handshake"]["ok"], true);
    assert_eq!(target["name_fits"], true);
    assert_eq!(target["resumption"]["tls13"], true);

    let wrong = probe(
        dir.path(),
        &format!("127.0.0.1:{good} --name another.example --quick --json"),
    );
    assert_eq!((wrong.code, rules(&wrong)), (1, vec!["P-51".to_owned()]));
    let finding = &wrong.json()["findings"][0];
    for key in ["severity", "target", "evidence", "cause", "fix"] {
        assert!(!finding[key].is_null(), "{key}");
    }
    for words in [
        "",
        "localhost",
        "localhost:0",
        "localhost:1 --as java17",
        "localhost:1 --trust absent.pem",
        "localhost:1 --trust root.pem --as cobol",
        "localhost:1 --identity root.pem",
        "localhost:1 --starttls gopher",
        "localhost:1 --timeout 0",
        "--targets absent.txt",
    ] {
        let refused = probe(dir.path(), words);
        assert_eq!(refused.code, 2, "{words}: {}", refused.stdout);
        assert!(refused.stderr.contains("error"), "{words}: {}", refused.stderr);
    }
}

#[test]
fn a_store_that_does_not_know_the_signer_rejects_in_its_own_words() {
    let dir = tempfile::tempdir().unwrap();
    let authority = root("An authority");
    let port = server(&make(&Wanted::default(), Some(&authority)), None);
    let other = root("Another authority");
    std::fs::write(dir.path().join("other.pem"), other.certificate.to_pem().unwrap()).unwrap();
    let name = Wanted::default().names[0];
    let ran = probe(
        dir.path(),
        &format!("127.0.0.1:{port} --quick --name {name} --trust other.pem --as java17 --json"),
    );
    assert_eq!((ran.code, rules(&ran)[0].as_str()), (1, "P-52"), "{}", ran.stdout);
    assert!(
        ran.json()["findings"][0]["evidence"][0]["text"]
            .as_str()
            .unwrap()
            .contains("PKIX path building failed")
    );
}

#[test]
fn an_identity_of_any_store_is_shown_and_its_password_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let authority = root("An authority");
    let port = server(&make(&Wanted::default(), Some(&authority)), Some(&authority));
    let client = make(
        &Wanted {
            common_name: "a client",
            ..Wanted::default()
        },
        Some(&authority),
    );
    let stranger = make(&Wanted::default(), Some(&root("Nobody")));
    let password = "canary-of-the-identity";
    std::fs::write(dir.path().join("pw"), password).unwrap();
    for (name, party, format) in [
        ("client.jks", &client, Format::Jks),
        ("client.p12", &client, Format::Pkcs12),
        ("client.kdb", &client, Format::CmsKdb),
        ("stranger.p12", &stranger, Format::Pkcs12),
    ] {
        let key = party.key.private_key_to_pkcs8().unwrap();
        let key = keystore::PrivateKey::from_pkcs8_der(key).unwrap();
        let chain = [keystore::Certificate::parse(&party.certificate.to_der().unwrap()).unwrap()];
        let bytes = made::store(
            format,
            Some(password),
            &[made::key(Some("own"), &key, &chain, None)],
        );
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    let ask = |file: &str| {
        let words =
            format!("127.0.0.1:{port} --quick --identity {file} --alias own --password-file pw --json");
        let ran = probe(dir.path(), &words);
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(password));
        let client = ran.json()["targets"][0]["client"].clone();
        (
            client["presented"]["accepted"].clone(),
            client["authorities"][0].clone(),
            rules(&ran),
        )
    };
    for file in ["client.jks", "client.p12", "client.kdb"] {
        let (accepted, authority, found) = ask(file);
        assert_eq!(accepted, true, "{file}");
        assert!(authority.as_str().unwrap().contains("An authority"));
        assert!(!found.iter().any(|rule| rule == "P-61"), "{file}: {found:?}");
    }
    let (accepted, _, found) = ask("stranger.p12");
    assert_eq!(accepted, false);
    assert!(
        found.contains(&"P-61".to_owned()) && found.contains(&"P-62".to_owned()),
        "{found:?}"
    );
    let words = format!("127.0.0.1:{port} --quick --identity client.p12");
    assert_eq!(probe(dir.path(), &words).code, 2, "no password");
}

#[test]
fn what_was_recorded_is_evidence_for_the_doctor_as_is_a_server_that_is_asked_now() {
    let dir = tempfile::tempdir().unwrap();
    let authority = root("An authority");
    let expired = make(
        &Wanted {
            valid: (-20, 0),
            seconds: -86_400,
            ..Wanted::default()
        },
        Some(&authority),
    );
    let port = server(&expired, None);
    let name = Wanted::default().names[0];
    std::fs::write(dir.path().join("targets"), format!("# one\n127.0.0.1:{port}\n\n")).unwrap();
    let recorded = probe(
        dir.path(),
        &format!("--targets targets --name {name} --record seen/ --quick"),
    );
    assert_eq!(recorded.code, 1);
    assert!(recorded.stdout.contains("P-46"), "{}", recorded.stdout);
    assert!(!recorded.stdout.contains('\x1b'), "no colour but on a terminal");
    let file = dir.path().join(format!("seen/probe-127.0.0.1_{port}.json"));
    assert!(file.is_file());
    for words in [
        vec!["doctor", "seen", "--json"],
        vec!["doctor", &format!("127.0.0.1:{port}"), "--json"],
    ] {
        let said = run(capgrow(dir.path()).args(&words));
        assert_eq!(said.code, 1, "{words:?}: {}", said.stderr);
        assert_eq!(
            said.json()["findings"][0]["rule"],
            "H-50",
            "{words:?}: {}",
            said.stdout
        );
    }
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let said = run(capgrow(dir.path()).args(["doctor", &dead.to_string(), "--json"]));
    assert_eq!(said.code, 1, "what could not be reached is not fine");
    assert!(said.json()["unreached"][0].as_str().unwrap().contains("refused"));
}
