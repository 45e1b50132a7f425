//! `keytool -list`, short, `-v`, and `-printcert`. Source: domain specification D.3, recorded captures of OpenJDK 17.

use crate::dn::Dn;
use crate::facts::CertFacts;
use crate::facts::EntryFacts;
use crate::facts::EntryKind;
use crate::facts::Key;
use crate::facts::StoreFacts;
use crate::facts::plain;
use crate::facts::usage_bit;
use crate::moment;

/// The listing in a text; `None` where there is none.
pub fn read(file: &str, text: &str) -> Option<StoreFacts> {
    let verbose = text.contains("Alias name:") || text.contains("Owner:") && text.contains("Issuer:");
    let short = text.contains("PrivateKeyEntry,") || text.contains("trustedCertEntry,");
    if !verbose && !short {
        return None;
    }
    let mut listing = StoreFacts::listing(file, "keytool");
    for (index, line) in text.lines().enumerate() {
        if verbose {
            verbose_line(&mut listing, line, index + 1);
        } else {
            short_line(&mut listing, line, index + 1);
        }
    }
    Some(listing)
}

fn entry(alias: Option<&str>, kind: EntryKind, line: usize) -> EntryFacts {
    EntryFacts {
        alias: alias.map(str::to_owned),
        kind,
        chain: Vec::new(),
        line: Some(line),
        is_default: false,
        opened: None,
        protection: None,
        request_spki: None,
    }
}

fn short_line(listing: &mut StoreFacts, line: &str, number: usize) {
    for (word, kind) in [
        ("PrivateKeyEntry,", EntryKind::Key),
        ("trustedCertEntry,", EntryKind::Trusted(true)),
        ("SecretKeyEntry,", EntryKind::Secret),
    ] {
        if let (true, Some((alias, _))) = (line.contains(word), line.split_once(", ")) {
            listing.entries.push(entry(Some(alias), kind, number));
        }
    }
}

fn verbose_line(listing: &mut StoreFacts, line: &str, number: usize) {
    let trimmed = line.trim();
    if let Some(alias) = trimmed.strip_prefix("Alias name:") {
        listing
            .entries
            .push(entry(Some(alias.trim()), EntryKind::Trusted(true), number));
        return;
    }
    if let Some(kind) = trimmed.strip_prefix("Entry type:") {
        let kind = match kind.trim() {
            "PrivateKeyEntry" => EntryKind::Key,
            "SecretKeyEntry" => EntryKind::Secret,
            _ => EntryKind::Trusted(true),
        };
        if let Some(last) = listing.entries.last_mut() {
            last.kind = kind;
        }
        return;
    }
    if let Some(owner) = trimmed.strip_prefix("Owner:") {
        if listing.entries.is_empty() {
            listing
                .entries
                .push(entry(None, EntryKind::Trusted(true), number));
        }
        if let Some(last) = listing.entries.last_mut() {
            last.chain.push(CertFacts {
                subject: Dn::parse(owner),
                has_extensions: true,
                ..CertFacts::default()
            });
        }
        return;
    }
    if let Some(certificate) = listing
        .entries
        .last_mut()
        .and_then(|entry| entry.chain.last_mut())
    {
        certificate_line(certificate, trimmed);
    }
}

fn certificate_line(certificate: &mut CertFacts, line: &str) {
    let value = |name: &str| line.strip_prefix(name).map(str::trim);
    if let Some(issuer) = value("Issuer:") {
        certificate.issuer = Dn::parse(issuer);
    } else if let Some(serial) = value("Serial number:") {
        certificate.serial = Some(serial.trim_start_matches('0').to_lowercase());
    } else if let Some(dates) = value("Valid from:") {
        if let Some((from, until)) = dates.split_once(" until: ") {
            certificate.not_before = moment::parse(from);
            certificate.not_after = moment::parse(until);
        }
    } else if let Some(print) = value("SHA256:").or_else(|| value("SHA-256:")) {
        certificate.sha256 = Some(print.replace(':', "").to_lowercase());
    } else if let Some(name) = value("Signature algorithm name:") {
        certificate.signature = Some(plain(name.split(" (").next().unwrap_or(name)));
    } else if let Some(key) = value("Subject Public Key Algorithm:") {
        certificate.key = key_of(key);
    } else if let Some(version) = value("Version:") {
        certificate.version = version.parse().ok();
    } else {
        extension_line(certificate, line);
    }
}

/// `2048-bit RSA key (weak)`, `256-bit EC (secp256r1) key`.
fn key_of(text: &str) -> Option<Key> {
    let bits: usize = text.split("-bit").next()?.trim().parse().ok()?;
    Some(if text.contains("RSA") {
        Key::Rsa(bits)
    } else if text.contains("EC") {
        let named = text.split('(').nth(1).and_then(|rest| rest.split(')').next());
        Key::Ec(named.map_or_else(|| format!("secp{bits}r1"), str::to_owned))
    } else if text.contains("DSA") {
        Key::Dsa(bits)
    } else {
        Key::Other
    })
}

fn extension_line(certificate: &mut CertFacts, line: &str) {
    match line {
        "CA:true" => certificate.authority = Some(true),
        "CA:false" => certificate.authority = Some(false),
        "serverAuth"
        | "clientAuth"
        | "anyExtendedKeyUsage"
        | "codeSigning"
        | "emailProtection"
        | "timeStamping"
        | "OCSPSigning" => {
            let word = if line == "anyExtendedKeyUsage" {
                "any".to_owned()
            } else {
                line.to_lowercase()
            };
            certificate.purposes.get_or_insert_default().push(word);
        }
        _ => {
            if let Some(name) = line.strip_prefix("DNSName: ") {
                certificate
                    .names
                    .get_or_insert_default()
                    .push(format!("DNS:{name}"));
            } else if let Some(address) = line.strip_prefix("IPAddress: ") {
                certificate
                    .names
                    .get_or_insert_default()
                    .push(format!("IP:{address}"));
            } else if let Some(bit) = KEY_USAGES.contains(&line).then(|| usage_bit(line)).flatten() {
                certificate.key_usage = Some(certificate.key_usage.unwrap_or(0) | bit);
            }
        }
    }
}

/// As keytool prints them, one a line.
const KEY_USAGES: [&str; 7] = [
    "DigitalSignature",
    "Non_repudiation",
    "Key_Encipherment",
    "Data_Encipherment",
    "Key_Agreement",
    "Key_CertSign",
    "Crl_Sign",
];
