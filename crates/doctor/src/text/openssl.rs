//! `openssl x509 -text` and `openssl s_client`.

use crate::dn::Dn;
use crate::facts::CertFacts;
use crate::facts::EntryFacts;
use crate::facts::EntryKind;
use crate::facts::Key;
use crate::facts::StoreFacts;
use crate::facts::plain;
use crate::facts::usage_bit;
use crate::moment;
use crate::text::conversation::Conversation;

/// The certificates that `x509 -text` printed; `None` where there are none.
pub fn certificates(file: &str, text: &str) -> Option<StoreFacts> {
    if !text.lines().any(|line| line.trim() == "Certificate:") {
        return None;
    }
    let mut listing = StoreFacts::listing(file, "x509");
    let mut header = String::new();
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if trimmed == "Certificate:" {
            listing.entries.push(EntryFacts {
                alias: None,
                kind: EntryKind::Trusted(true),
                chain: vec![CertFacts {
                    has_extensions: true,
                    ..CertFacts::default()
                }],
                line: Some(index + 1),
                is_default: false,
                opened: None,
                protection: None,
                request_spki: None,
            });
            header.clear();
        } else if let Some(certificate) = listing
            .entries
            .last_mut()
            .and_then(|entry| entry.chain.last_mut())
        {
            take(certificate, trimmed, &mut header);
        }
    }
    Some(listing)
}

fn take(certificate: &mut CertFacts, line: &str, header: &mut String) {
    let value = |name: &str| {
        line.strip_prefix(name)
            .map(|rest| rest.trim_start_matches([':', '=', ' ']).trim())
    };
    if let Some(issuer) = value("Issuer:") {
        certificate.issuer = Dn::parse(issuer);
    } else if let Some(subject) = value("Subject:") {
        certificate.subject = Dn::parse(subject);
    } else if let Some(date) = value("Not Before") {
        certificate.not_before = moment::parse(date);
    } else if let Some(date) = value("Not After") {
        certificate.not_after = moment::parse(date);
    } else if let Some(version) = value("Version:") {
        certificate.version = version.split(' ').next().and_then(|number| number.parse().ok());
    } else if let Some(name) = value("Signature Algorithm:") {
        certificate.signature.get_or_insert_with(|| signature(name));
    } else if let Some(bits) = bits(line) {
        certificate.key.get_or_insert(Key::Rsa(bits));
    } else if line.contains("id-ecPublicKey") {
        certificate.key = Some(Key::Ec(String::new()));
    } else if let Some(curve) = value("ASN1 OID:") {
        let curve = if curve == "prime256v1" { "secp256r1" } else { curve };
        certificate.key = Some(Key::Ec(curve.to_owned()));
    } else if line.starts_with("X509v3 ")
        || line.ends_with("critical")
        || line.ends_with(':') && line.contains('.')
    {
        let unknown = line
            .split(':')
            .next()
            .is_some_and(|name| name.contains('.') && !name.contains(' '));
        if unknown && line.ends_with("critical") {
            certificate
                .unknown_critical
                .push(line.split(':').next().unwrap_or(line).to_owned());
        }
        line.clone_into(header);
    } else {
        extension(certificate, header, line);
    }
}

fn extension(certificate: &mut CertFacts, header: &str, line: &str) {
    if header.starts_with("X509v3 Basic Constraints") && line.starts_with("CA:") {
        certificate.authority = Some(line.starts_with("CA:TRUE"));
    } else if header.starts_with("X509v3 Key Usage") {
        let bits = line
            .split(',')
            .filter_map(usage_bit)
            .fold(0, |sum, bit| sum | bit);
        certificate.key_usage.get_or_insert(bits);
    } else if header.starts_with("X509v3 Extended Key Usage") {
        let purposes = line.split(',').map(|word| match word.trim() {
            "TLS Web Server Authentication" => "serverauth".to_owned(),
            "TLS Web Client Authentication" => "clientauth".to_owned(),
            "Any Extended Key Usage" => "any".to_owned(),
            other => plain(other),
        });
        certificate.purposes.get_or_insert_with(|| purposes.collect());
    } else if header.starts_with("X509v3 Subject Alternative Name") {
        let names = line
            .split(", ")
            .map(|name| name.trim().replace("IP Address:", "IP:"))
            .filter(|name| name.contains(':'));
        certificate.names.get_or_insert_with(|| names.collect());
    }
}

/// `sha256WithRSAEncryption`, `ecdsa-with-SHA256`, in the words of Java.
fn signature(name: &str) -> String {
    let name = plain(name);
    match name.strip_prefix("ecdsawith") {
        Some(hash) => format!("{hash}withecdsa"),
        None => name.replace("encryption", ""),
    }
}

/// `Public-Key: (2048 bit)`.
fn bits(line: &str) -> Option<usize> {
    let (_, rest) = line.split_once("Public-Key: (")?;
    rest.split(' ').next()?.parse().ok()
}

/// What `s_client` saw; `None` where the text is none of its.
pub fn conversation(file: &str, text: &str) -> Option<Conversation> {
    let marks = [
        "CONNECTED(",
        "SSL handshake has read",
        "Verify return code:",
        "verify error:num=",
        "no peer certificate available",
    ];
    if !marks.iter().any(|mark| text.contains(mark)) || text.contains("BEGIN RSA") {
        return None;
    }
    let mut seen = Conversation::new(file);
    let mut in_chain = false;
    let mut in_authorities = false;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if let Some(at) = line.find("s_client") {
            command(&mut seen, &line[at..]);
        }
        match trimmed {
            "Certificate chain" => in_chain = true,
            "Acceptable client certificate CA names" => {
                in_authorities = true;
                seen.authorities = Some(Vec::new());
            }
            "No client certificate CA names sent" => in_authorities = false,
            "no peer certificate available" => seen.has_no_certificate = Some(index + 1),
            _ if in_authorities && (trimmed.starts_with('/') || trimmed.contains('=')) => {
                seen.authorities.get_or_insert_default().push(Dn::parse(trimmed));
            }
            _ => in_authorities = false,
        }
        let asks = [
            "Client Certificate Types:",
            "Requested Signature Algorithms:",
            "Acceptable client certificate CA names",
        ];
        seen.was_asked = seen.was_asked || asks.iter().any(|mark| trimmed.starts_with(mark));
        if trimmed.starts_with("---") || trimmed == "Server certificate" {
            in_chain = in_chain && seen.sent.is_empty();
        } else if in_chain {
            chain_line(&mut seen, trimmed);
        }
        end_line(&mut seen, trimmed, index + 1);
    }
    Some(seen)
}

fn command(seen: &mut Conversation, line: &str) {
    let words: Vec<&str> = line.split_whitespace().collect();
    for pair in words.windows(2) {
        match pair[0] {
            "-connect" => seen.target = Some(pair[1].to_owned()),
            "-servername" => seen.server_name = Some(pair[1].to_owned()),
            "-verify_hostname" | "-verify_ip" => seen.checked_name = Some(pair[1].to_owned()),
            "-cert" => seen.has_client_certificate = true,
            _ => {}
        }
    }
    seen.has_no_server_name = seen.has_no_server_name || words.contains(&"-noservername");
}

/// ` 0 s:CN = host`, `   i:CN = CA`, `   a:PKEY: RSA, 2048 (bit); sigalg: …`, `   v:NotBefore: …; NotAfter: …`.
fn chain_line(seen: &mut Conversation, line: &str) {
    if let Some((number, subject)) = line.split_once(" s:") {
        if number.trim().parse::<usize>().is_ok() {
            seen.sent.push(CertFacts {
                subject: Dn::parse(subject),
                ..CertFacts::default()
            });
        }
        return;
    }
    let Some(last) = seen.sent.last_mut() else { return };
    if let Some(issuer) = line.strip_prefix("i:") {
        last.issuer = Dn::parse(issuer);
    } else if let Some(dates) = line.strip_prefix("v:NotBefore:") {
        let (from, until) = dates.split_once("; NotAfter:").unwrap_or((dates, ""));
        last.not_before = moment::parse(from);
        last.not_after = moment::parse(until);
    } else if let Some(about) = line.strip_prefix("a:PKEY:") {
        let bits = about
            .split([',', '('])
            .find_map(|word| word.trim().parse::<usize>().ok());
        last.key = bits.map(|bits| {
            if about.to_lowercase().contains("rsa") && !about.trim_start().starts_with("id-ec") {
                Key::Rsa(bits)
            } else {
                Key::Ec(String::new())
            }
        });
        last.signature = about.split("sigalg: ").nth(1).map(signature);
    }
}

fn end_line(seen: &mut Conversation, line: &str, number: usize) {
    if let Some(code) = line
        .strip_prefix("Verify return code:")
        .or_else(|| line.strip_prefix("verify error:num="))
    {
        let digits: String = code.trim().chars().take_while(char::is_ascii_digit).collect();
        if let Ok(code) = digits.parse() {
            seen.verify.push((code, number));
        }
    } else if let Some(protocol) = line
        .strip_prefix("Protocol")
        .map(|rest| rest.trim_start_matches([' ', ':']))
    {
        seen.protocol = Some(protocol.trim().to_owned());
    } else if let Some((protocol, cipher)) = line
        .strip_prefix("New, ")
        .and_then(|rest| rest.split_once(", Cipher is "))
    {
        seen.protocol = Some(protocol.to_owned());
        seen.cipher = Some(cipher.trim().to_owned());
    }
}
