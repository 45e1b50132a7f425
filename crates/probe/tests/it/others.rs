//! What `sslscan` and `openssl s_client` say about the same server.

use std::collections::BTreeSet;
use std::process::Command;
use std::process::Stdio;

use hello::Version;
use probe::ClientAuth;
use probe::Facts;
use probe::Spoken;

use crate::made::MATERIAL;
use crate::servers::program;

/// Versions, suites of each, groups, fallback, renegotiation, compression: the same.
#[track_caller]
pub fn agree_with_sslscan(facts: &Facts, what: &str) {
    let Some(sslscan) = program("sslscan") else { return };
    let mut command = Command::new(sslscan);
    command.args([
        "--xml=-",
        "--no-colour",
        "--sni-name=localhost",
        "--no-heartbleed",
    ]);
    // Groups of finite fields take the server seconds; one server shows them all.
    if facts.groups.iter().any(|(_, groups)| groups.len() > 6) && !what.contains("groups") {
        command.arg("--no-groups");
    }
    if let ClientAuth::Asked {
        required: Some(true), ..
    } = facts.client
    {
        let (chain, key) = (MATERIAL.at("client.pem"), MATERIAL.at("client.key"));
        command.args([format!("--certs={chain}"), format!("--pk={key}")]);
    }
    if let Some(protocol) = facts.target.starttls {
        let name = match protocol.name() {
            "postgres" => "psql",
            other => other,
        };
        command.arg(format!("--starttls-{name}"));
    }
    let output = command
        .arg(format!("127.0.0.1:{}", facts.target.port))
        .output()
        .expect("sslscan runs");
    let xml = String::from_utf8_lossy(&output.stdout).into_owned();
    let theirs = Theirs::read(&xml);
    assert!(!theirs.enabled.is_empty(), "{what}: sslscan says nothing: {xml}");
    let ours: BTreeSet<String> = facts
        .versions
        .iter()
        .filter(|seen| seen.spoken == Spoken::Yes)
        .map(|seen| seen.version.name().to_owned())
        .collect();
    assert_eq!(ours, theirs.enabled, "{what}: versions");
    let suites: BTreeSet<(String, String)> = facts
        .spoken()
        .flat_map(|seen| {
            let name = seen.version.name().to_owned();
            seen.suites
                .iter()
                .filter_map(move |one| Some((name.clone(), one.suite?.openssl_name().to_owned())))
        })
        .collect();
    assert_eq!(suites, theirs.suites, "{what}: suites");
    if !theirs.groups.is_empty() {
        let groups: BTreeSet<(String, String)> = facts
            .groups
            .iter()
            .flat_map(|(version, groups)| {
                let name = version.name().to_owned();
                groups
                    .iter()
                    .map(move |group| (name.clone(), group.name.to_lowercase()))
            })
            .collect();
        // It offers one curve at a time, which a server with a certificate on another curve cannot take.
        let is_rsa = suites.iter().any(|(_, name)| name.contains("RSA"));
        if is_rsa {
            assert_eq!(groups, theirs.groups, "{what}: groups");
        } else {
            assert!(
                groups.is_superset(&theirs.groups),
                "{what}: groups {groups:?}, theirs {:?}",
                theirs.groups
            );
        }
    }
    if facts
        .version(Version::Tls12)
        .is_some_and(|seen| seen.spoken == Spoken::Yes)
        && let (Some(ours), Some(theirs)) = (facts.extras.fallback_scsv, theirs.fallback)
    {
        assert_eq!(ours, theirs, "{what}: fallback");
    }
    if let Some(theirs) = theirs.compression {
        assert_eq!(
            facts.extras.compression.unwrap_or(false),
            theirs,
            "{what}: compression"
        );
    }
}

/// What the XML of sslscan says.
#[derive(Debug, Default)]
struct Theirs {
    enabled: BTreeSet<String>,
    suites: BTreeSet<(String, String)>,
    groups: BTreeSet<(String, String)>,
    fallback: Option<bool>,
    compression: Option<bool>,
}

impl Theirs {
    /// The elements are one to a line, with attributes in double quotes.
    fn read(xml: &str) -> Theirs {
        let mut theirs = Theirs::default();
        for line in xml.lines().map(str::trim) {
            let is = |name: &str| line.starts_with(&format!("<{name} "));
            let value = |name: &str| -> Option<String> {
                let begin = line.find(&format!(" {name}=\""))? + name.len() + 3;
                let end = line[begin..].find('"')?;
                Some(line[begin..begin + end].to_owned())
            };
            if is("protocol") && value("enabled").as_deref() == Some("1") {
                let kind = if value("type").as_deref() == Some("ssl") {
                    "SSLv"
                } else {
                    "TLSv"
                };
                theirs
                    .enabled
                    .insert(format!("{kind}{}", value("version").unwrap_or_default()));
            } else if is("cipher") {
                if let (Some(version), Some(name)) = (value("sslversion"), value("cipher")) {
                    theirs.suites.insert((version, name));
                }
            } else if is("group") {
                if let (Some(version), Some(name)) = (value("sslversion"), value("name")) {
                    let name = name.split(' ').next().unwrap_or_default().to_lowercase();
                    theirs.groups.insert((version, name));
                }
            } else if is("fallback") {
                theirs.fallback = value("supported").map(|word| word == "1");
            } else if is("compression") {
                theirs.compression = value("supported").map(|word| word == "1");
            }
        }
        theirs
    }
}

/// The chain as sent and the authorities for clients: the same.
#[track_caller]
pub fn agree_with_s_client(facts: &Facts, what: &str) {
    let Some(openssl) = program("openssl") else { return };
    let Some(newest) = facts.spoken().next() else {
        return;
    };
    let version = match newest.version {
        Version::Tls13 => "-tls1_3",
        Version::Tls12 => "-tls1_2",
        Version::Tls11 => "-tls1_1",
        _ => "-tls1",
    };
    let mut command = Command::new(openssl);
    command.args([
        "s_client",
        "-showcerts",
        "-servername",
        "localhost",
        "-cipher",
        "ALL:COMPLEMENTOFALL:@SECLEVEL=0",
    ]);
    command.args([version, "-connect", &format!("127.0.0.1:{}", facts.target.port)]);
    if let Some(protocol) = facts.target.starttls {
        command.args(["-starttls", protocol.name()]);
    }
    let output = command.stdin(Stdio::null()).output().expect("s_client runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let sent = text.split("Server certificate").next().unwrap_or_default();
    let theirs: Vec<Vec<u8>> = openssl::x509::X509::stack_from_pem(sent.as_bytes())
        .map(|all| {
            all.iter()
                .map(|one| one.to_der().expect("a certificate"))
                .collect()
        })
        .unwrap_or_default();
    let ours: Vec<Vec<u8>> = facts
        .chain()
        .map(|chain| chain.sent.iter().map(|one| one.der().to_vec()).collect())
        .unwrap_or_default();
    assert_eq!(ours.len(), theirs.len(), "{what}: certificates sent\n{text}");
    assert!(ours == theirs, "{what}: the chain");
    let begins = text.find("Acceptable client certificate CA names");
    let names: Vec<&str> = begins
        .map(|at| {
            text[at..]
                .lines()
                .skip(1)
                .take_while(|line| line.contains('='))
                .collect()
        })
        .unwrap_or_default();
    let listed = match &facts.client {
        ClientAuth::Asked { request, .. } => request.authorities.len(),
        _ => 0,
    };
    assert_eq!(listed, names.len(), "{what}: authorities");
}
