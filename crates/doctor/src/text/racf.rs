//! `RACDCERT LIST` and `RACDCERT LISTRING`. Source: domain specification F.5.

use crate::dn::Dn;
use crate::facts::CertFacts;
use crate::facts::Key;
use crate::facts::plain;
use crate::facts::usage_bit;
use crate::moment;

/// One certificate of the RACF database.
#[derive(Debug, Clone, Default)]
pub struct RacfCertificate {
    /// The file that lists it.
    pub file: String,
    /// Where it begins.
    pub line: usize,
    /// `CERTAUTH`, `SITE` or the user.
    pub owner: String,
    /// As written: labels know upper and lower case.
    pub label: String,
    /// `TRUST`, `NOTRUST`, `HIGHTRUST`.
    pub status: String,
    /// Whether RACF holds the private key.
    pub has_key: Option<bool>,
    /// The rings it is connected to, `OWNER/RING`.
    pub rings: Vec<String>,
    /// What it says.
    pub facts: CertFacts,
}

/// One ring.
#[derive(Debug, Clone, Default)]
pub struct Ring {
    /// The file that lists it.
    pub file: String,
    /// Where it begins.
    pub line: usize,
    /// Whose it is.
    pub owner: String,
    /// Its name.
    pub name: String,
    /// In file order.
    pub members: Vec<RingMember>,
}

/// One certificate on a ring.
#[derive(Debug, Clone)]
pub struct RingMember {
    /// As printed, perhaps cut to the column.
    pub label: String,
    /// `CERTAUTH`, `SITE` or `ID(USER)`.
    pub owner: String,
    /// `PERSONAL`, `CERTAUTH`, `SITE`.
    pub usage: String,
    /// Whether it is the ring's default.
    pub is_default: bool,
    /// Where it stands.
    pub line: usize,
}

/// All certificates listed in a text.
pub fn certificates(file: &str, text: &str) -> Vec<RacfCertificate> {
    let mut found: Vec<RacfCertificate> = Vec::new();
    let mut owner = String::new();
    let mut field = String::new();
    if !text.contains("Digital certificate information") && !text.contains("Certificate ID:") {
        return found;
    }
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if let Some(who) = trimmed.strip_prefix("Digital certificate information for ") {
            owner = who
                .trim_end_matches(':')
                .trim_start_matches("user ")
                .trim()
                .to_owned();
        } else if let Some(label) = trimmed.strip_prefix("Label:") {
            found.push(RacfCertificate {
                file: file.to_owned(),
                line: index + 1,
                owner: owner.clone(),
                label: label.trim().to_owned(),
                ..RacfCertificate::default()
            });
            field.clear();
        } else if let Some(last) = found.last_mut() {
            take(last, trimmed, &mut field);
        }
    }
    for one in &mut found {
        one.facts.issuer = Dn::parse(&one.facts.issuer.text);
        one.facts.subject = Dn::parse(&one.facts.subject.text);
    }
    found
}

/// Values in `>…<` are wrapped; pieces belong together.
fn take(certificate: &mut RacfCertificate, line: &str, field: &mut String) {
    if let Some(piece) = line.strip_prefix('>') {
        let piece = piece.strip_suffix('<').unwrap_or(piece);
        match field.as_str() {
            "Issuer's Name" => certificate.facts.issuer.text.push_str(piece),
            "Subject's Name" => certificate.facts.subject.text.push_str(piece),
            "Serial Number" => certificate.facts.serial = Some(piece.trim_start_matches('0').to_lowercase()),
            "Ring" => {
                if let Some(last) = certificate.rings.last_mut() {
                    last.push_str(piece);
                }
            }
            _ => {}
        }
        return;
    }
    let Some((name, value)) = line.split_once(':') else {
        return;
    };
    let value = value.trim();
    match name {
        "Status" => value.clone_into(&mut certificate.status),
        "Start Date" => certificate.facts.not_before = moment::parse(value),
        "End Date" => certificate.facts.not_after = moment::parse(value),
        "Signing Algorithm" => certificate.facts.signature = Some(signature(value)),
        "Key Usage" => {
            let bits = value
                .split([',', ' '])
                .filter_map(usage_bit)
                .fold(0, |sum, bit| sum | bit);
            certificate.facts.key_usage = Some(bits);
        }
        "Key Type" => {
            certificate.facts.key = Some(if value.contains("RSA") {
                Key::Rsa(0)
            } else {
                Key::Ec(value.to_owned())
            });
        }
        "Key Size" => {
            if let (Some(Key::Rsa(bits)), Ok(size)) = (&mut certificate.facts.key, value.parse()) {
                *bits = size;
            }
        }
        "Private Key" => certificate.has_key = Some(value.starts_with("YES")),
        "Ring Owner" => certificate.rings.push(format!("{value}/")),
        "IP" | "Domain" => {
            let kind = if name == "IP" { "IP" } else { "DNS" };
            certificate
                .facts
                .names
                .get_or_insert_default()
                .push(format!("{kind}:{value}"));
        }
        _ => {}
    }
    name.clone_into(field);
}

/// `sha256RSA` in the words of Java.
fn signature(value: &str) -> String {
    let plain = plain(value);
    ["rsa", "ecdsa", "dsa"]
        .iter()
        .find_map(|kind| plain.strip_suffix(kind).map(|hash| format!("{hash}with{kind}")))
        .unwrap_or(plain)
}

/// All rings listed in a text.
pub fn rings(file: &str, text: &str) -> Vec<Ring> {
    let mut found: Vec<Ring> = Vec::new();
    let mut owner = String::new();
    let mut awaits_name = false;
    if !text.contains("Digital ring information") && !text.contains("Certificate Label Name") {
        return found;
    }
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if let Some(who) = trimmed.strip_prefix("Digital ring information for ") {
            owner = who
                .trim_end_matches(':')
                .trim_start_matches("user ")
                .trim()
                .to_owned();
        } else if trimmed.starts_with("Ring:") {
            found.push(Ring {
                file: file.to_owned(),
                line: index + 1,
                owner: owner.clone(),
                ..Ring::default()
            });
            awaits_name = true;
        } else if let (true, Some(name)) = (awaits_name, trimmed.strip_prefix('>')) {
            if let Some(last) = found.last_mut() {
                name.trim_end_matches('<').clone_into(&mut last.name);
            }
            awaits_name = false;
        } else if let Some(ring) = found.last_mut() {
            ring.members.extend(member(trimmed, index + 1));
        }
    }
    found
}

/// `label   owner   usage   YES|NO`; a label may have blanks.
fn member(line: &str, number: usize) -> Option<RingMember> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [label @ .., owner, usage, default] = words.as_slice() else {
        return None;
    };
    let known = ["PERSONAL", "CERTAUTH", "SITE"].contains(usage) && ["YES", "NO"].contains(default);
    (known && !label.is_empty()).then(|| RingMember {
        label: label.join(" "),
        owner: (*owner).to_owned(),
        usage: (*usage).to_owned(),
        is_default: *default == "YES",
        line: number,
    })
}
