//! `-cert -list` and `-cert -details` of GSKit's command lines (gsk8capicmd, runmqakm …).
//!
//! Source: domain specification C.3, C.4.

use keystore::KeyUsage;

use crate::dn::Dn;
use crate::facts::CertFacts;
use crate::facts::EntryFacts;
use crate::facts::EntryKind;
use crate::facts::Key;
use crate::facts::StoreFacts;
use crate::facts::plain;
use crate::facts::usage_bit;
use crate::moment;

/// The listing or details in a text; `None` where there are none.
pub fn read(file: &str, text: &str) -> Option<StoreFacts> {
    let has_list = text.contains("* default, - personal, ! trusted") || text.contains("Certificates found");
    let has_details = text.contains("Label :") && text.contains("Issuer :");
    if !has_list && !has_details && !text.contains("No certificates were found") {
        return None;
    }
    let mut listing = StoreFacts::listing(file, "gskit");
    for (index, line) in text.lines().enumerate() {
        listing.entries.extend(listed(line, index + 1));
    }
    if has_details {
        details(&mut listing, text);
    }
    Some(listing)
}

fn entry(alias: &str, kind: EntryKind, is_default: bool, line: usize) -> EntryFacts {
    EntryFacts {
        alias: Some(alias.to_owned()),
        kind,
        chain: Vec::new(),
        line: Some(line),
        is_default,
        opened: None,
        protection: None,
        request_spki: None,
    }
}

/// `*-<TAB>label`; tabs often become blanks on their way through a terminal. With `-v` names follow the label.
fn listed(line: &str, number: usize) -> Option<EntryFacts> {
    if line.contains("* default") {
        return None;
    }
    let (flags, rest) = line.split_once(['\t', ' '])?;
    if flags.is_empty() || flags.len() > 3 || !flags.chars().all(|flag| "*-!#".contains(flag)) {
        return None;
    }
    let rest = rest.trim();
    let (label, names) = match rest.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
        Some((label, names)) => (label, names),
        None => rest.split_once([' ', '\t']).unwrap_or((rest, "")),
    };
    if label.is_empty() || label == "-" {
        return None;
    }
    let kind = if flags.contains('-') {
        EntryKind::Key
    } else if flags.contains('#') {
        EntryKind::Secret
    } else {
        EntryKind::Trusted(true)
    };
    let mut entry = entry(label, kind, flags.contains('*'), number);
    entry.chain.extend(verbose_names(names));
    Some(entry)
}

/// Subject and issuer behind a label.
fn verbose_names(names: &str) -> Option<CertFacts> {
    let starts: Vec<usize> = names.match_indices("CN=").map(|(at, _)| at).collect();
    let (subject, issuer) = match starts.as_slice() {
        [first, second, ..] => names.split_at(*second.max(first)),
        _ => return None,
    };
    Some(CertFacts {
        subject: Dn::parse(subject),
        issuer: Dn::parse(issuer),
        ..CertFacts::default()
    })
}

/// The blocks that begin with `Label :`, or with `Key Size :` where a file was shown.
fn details(listing: &mut StoreFacts, text: &str) {
    let lines: Vec<&str> = text.lines().collect();
    let mut current: Option<(Option<String>, usize, CertFacts)> = None;
    let mut section = "";
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at].trim();
        let (name, value) = line.split_once(" :").unwrap_or((line, ""));
        let mut value = value.trim().to_owned();
        // A quoted name may be wrapped over two lines.
        while value.starts_with('"')
            && !value[1..].contains('"')
            && at + 1 < lines.len()
            && value.len() < 2000
        {
            at += 1;
            value.push(' ');
            value.push_str(lines[at].trim());
        }
        if name == "Label" {
            keep(listing, current.take());
            current = Some((Some(value), at + 1, fresh()));
        } else {
            let block = if name == "Key Size" && current.is_none() {
                Some(current.insert((None, at + 1, fresh())))
            } else {
                current.as_mut()
            };
            if let Some((_, _, certificate)) = block {
                section = detail(certificate, name, &value, section, line);
            }
        }
        at += 1;
    }
    keep(listing, current);
}

fn fresh() -> CertFacts {
    CertFacts {
        has_extensions: true,
        ..CertFacts::default()
    }
}

/// Details of a label that the list shows already complete that entry.
fn keep(listing: &mut StoreFacts, block: Option<(Option<String>, usize, CertFacts)>) {
    let Some((label, line, certificate)) = block else {
        return;
    };
    let label = label.map(|label| label.trim_matches('"').to_owned());
    let known = listing
        .entries
        .iter_mut()
        .find(|entry| label.is_some() && entry.alias == label);
    match known {
        Some(entry) => entry.chain = vec![certificate],
        None => {
            let mut new = entry(
                label.as_deref().unwrap_or_default(),
                EntryKind::Trusted(true),
                false,
                line,
            );
            new.alias = label;
            new.chain.push(certificate);
            listing.entries.push(new);
        }
    }
}

/// Takes one line of a block; the answer is the section that the next line belongs to.
fn detail<'a>(
    certificate: &mut CertFacts,
    name: &str,
    value: &str,
    section: &'a str,
    line: &'a str,
) -> &'a str {
    match name {
        "Key Size" => {
            if let Ok(bits) = value.parse() {
                certificate.key.get_or_insert(Key::Rsa(bits));
            }
        }
        "Version" => {
            certificate.version = value
                .chars()
                .last()
                .and_then(|last| last.to_digit(10))
                .map(|n| n as u8)
        }
        "Serial" => certificate.serial = Some(value.trim_start_matches('0').to_lowercase()),
        "Issuer" => certificate.issuer = Dn::parse(value),
        "Subject" => certificate.subject = Dn::parse(value),
        "Not Before" => certificate.not_before = moment::parse(value),
        "Not After" => certificate.not_after = moment::parse(value),
        "Public Key Type" => {
            if value.contains("ecPublicKey") {
                certificate.key = Some(Key::Ec(curve(value)));
            }
        }
        "Signature Algorithm" => {
            let word = value.split([' ', '(']).next().unwrap_or(value);
            certificate.signature = Some(plain(word).trim_end_matches("signature").to_owned());
        }
        _ => return extension(certificate, section, line),
    }
    ""
}

fn curve(value: &str) -> String {
    let named = value.split("EC_NamedCurve_").nth(1);
    named.map_or_else(String::new, |rest| {
        rest.split([' ', '(', ',']).next().unwrap_or(rest).to_owned()
    })
}

fn extension<'a>(certificate: &mut CertFacts, section: &'a str, line: &'a str) -> &'a str {
    if let Some(list) = line.strip_prefix("key usage:") {
        let bits = list.split(',').filter_map(usage_bit);
        certificate.key_usage = Some(bits.fold(0, |sum, bit| sum | bit));
        return "";
    }
    if let Some(curve_line) = line.strip_prefix("Parameters") {
        if let Some(Key::Ec(curve_name)) = &mut certificate.key {
            *curve_name = curve(curve_line);
        }
        return "";
    }
    match line {
        "eku" | "basicConstraints" | "subjectAlternativeName" => return line,
        "ca = true" => certificate.authority = Some(true),
        "ca = false" => certificate.authority = Some(false),
        _ if section == "eku" && !line.is_empty() && line != "critical" => {
            certificate.purposes.get_or_insert_default().push(plain(line));
        }
        _ if section == "subjectAlternativeName" => {
            if let Some(name) = line.strip_prefix("dNSName:") {
                certificate
                    .names
                    .get_or_insert_default()
                    .push(format!("DNS:{}", name.trim()));
            } else if let Some(address) = line.strip_prefix("iPAddress:") {
                certificate
                    .names
                    .get_or_insert_default()
                    .push(format!("IP:{}", address.trim()));
            }
        }
        _ => {}
    }
    debug_assert!(
        certificate
            .key_usage
            .is_none_or(|bits| bits < KeyUsage::DECIPHER_ONLY << 1)
    );
    if line.contains(" : ") { "" } else { section }
}
