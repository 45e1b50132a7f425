//! Extensions as Java prints them.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use keystore::der::{self, Der, Element, tag};
use keystore::oid::{self, Oid};
use keystore::{Extension, GeneralName, ReadError};

use crate::keytool::{dates, hex, name_text, oids};

/// All extensions, numbered, under a title; nothing when there are none. Known ones come by name, unknown ones before
/// them by number, and those that cannot be read last.
pub(crate) fn show<'a>(
    title: &str,
    extensions: impl Iterator<Item = Extension<'a>>,
    zone: &TimeZone,
) -> String {
    let (mut sound, mut damaged) = (BTreeMap::new(), BTreeMap::new());
    for extension in extensions {
        let dotted = extension.oid.to_string();
        match body(&extension, zone) {
            Some(Ok(text)) => {
                let name = known_name(extension.oid).unwrap_or(&dotted).to_owned();
                sound.insert(name, head(&extension) + &text);
            }
            None => {
                sound.insert(dotted, head(&extension) + &raw(&extension));
            }
            Some(Err(_)) => {
                damaged.insert(dotted, unparseable(&extension));
            }
        }
    }
    let mut out = String::new();
    for (number, text) in sound.into_values().chain(damaged.into_values()).enumerate() {
        if number == 0 {
            out.push_str(&format!("\n{title}\n\n"));
        }
        out.push_str(&format!("#{}: {text}\n", number + 1));
    }
    out
}

/// Extensions in the order in which Java keeps them: by their names, or numbers.
pub(crate) fn sorted<'a>(extensions: &[Extension<'a>]) -> Vec<Extension<'a>> {
    let key = |extension: &Extension<'a>| {
        known_name(extension.oid).map_or_else(|| extension.oid.to_string(), str::to_owned)
    };
    let mut sorted = extensions.to_vec();
    sorted.sort_by_key(key);
    sorted
}

/// One extension, with its identifier in front.
pub(crate) fn one(extension: &Extension<'_>, zone: &TimeZone) -> String {
    match body(extension, zone) {
        Some(Ok(text)) => head(extension) + &text,
        None => head(extension) + &raw(extension),
        Some(Err(_)) => unparseable(extension),
    }
}

fn head(extension: &Extension<'_>) -> String {
    format!("ObjectId: {} Criticality={}\n", extension.oid, extension.critical)
}

fn raw(extension: &Extension<'_>) -> String {
    match extension.value {
        [] => "(Empty value)
"
        .to_owned(),
        value => {
            hex::dump(value)
                + "
"
        }
    }
}

fn unparseable(extension: &Extension<'_>) -> String {
    let name = known_name(extension.oid).unwrap_or_default();
    let why = match name {
        "BasicConstraints" => "Invalid encoding of BasicConstraints".to_owned(),
        "ExtendedKeyUsage" => "Invalid encoding for ExtendedKeyUsageExtension.".to_owned(),
        "InhibitAnyPolicy" if !extension.critical => {
            "Criticality cannot be false for InhibitAnyPolicy".to_owned()
        }
        "IssuerAlternativeName" | "SubjectAlternativeName" => "Invalid encoding for GeneralNames.".to_owned(),
        "KeyUsage" => {
            let tag = extension.value.first().copied().unwrap_or(0);
            format!("DerValue.getBitString, not a bit string {tag}")
        }
        name => format!("Invalid encoding of {name}"),
    };
    let dump = hex::dump(extension.value);
    let head = head(extension);
    format!(
        "{head}Unparseable {name} extension due to
java.io.IOException: {why}

{dump}"
    )
}

/// Whether Java accepts a certificate with these extensions: what is critical, known and damaged it refuses.
pub(crate) fn are_accepted<'a>(mut extensions: impl Iterator<Item = Extension<'a>>) -> bool {
    extensions
        .all(|extension| !extension.critical || !matches!(body(&extension, &TimeZone::UTC), Some(Err(_))))
}

/// The name under which Java files an extension that it understands.
fn known_name(oid: Oid<'_>) -> Option<&'static str> {
    let dotted = oid.to_string();
    NAMES
        .iter()
        .find(|(known, _)| *known == dotted)
        .map(|(_, name)| *name)
}

/// The text of an extension; nothing for one that Java does not know.
fn body(extension: &Extension<'_>, zone: &TimeZone) -> Option<Result<String, ReadError>> {
    let text = match extension.oid {
        oid::AUTHORITY_KEY_IDENTIFIER => authority_key(extension),
        oid::SUBJECT_KEY_IDENTIFIER => extension
            .octets()
            .map(|id| format!("SubjectKeyIdentifier [\n{}]\n", key_id(id))),
        oid::BASIC_CONSTRAINTS => basic_constraints(extension),
        oid::KEY_USAGE => key_usage(extension),
        oid::EXTENDED_KEY_USAGE => extended_key_usage(extension),
        oid::SUBJECT_ALT_NAME => names_in("SubjectAlternativeName", extension),
        oid::ISSUER_ALT_NAME => names_in("IssuerAlternativeName", extension),
        oid::CRL_DISTRIBUTION_POINTS => distribution_points("CRLDistributionPoints", extension),
        oid::CERTIFICATE_POLICIES => policies(extension),
        oid::NAME_CONSTRAINTS => name_constraints(extension),
        other => match other.to_string().as_str() {
            "1.3.6.1.5.5.7.1.1" => access("AuthorityInfoAccess", extension),
            "1.3.6.1.5.5.7.1.11" => access("SubjectInfoAccess", extension),
            "2.5.29.16" => private_key_usage(extension, zone),
            "2.5.29.20" => crl_number(extension),
            "2.5.29.21" => reason(extension),
            "2.5.29.46" => distribution_points("FreshestCRL", extension),
            "2.5.29.54" => inhibit_any_policy(extension),
            "2.5.29.33" => policy_mappings(extension),
            "2.5.29.36" => policy_constraints(extension),
            "2.16.840.1.113730.1.1" => netscape_type(extension),
            _ => return None,
        },
    };
    Some(text)
}

fn key_id(id: &[u8]) -> String {
    format!("KeyIdentifier [\n{}]\n", hex::dump(id))
}

fn authority_key(extension: &Extension<'_>) -> Result<String, ReadError> {
    let parts = extension.authority_key_identifier()?;
    let mut out = "AuthorityKeyIdentifier [\n".to_owned();
    if let Some(id) = parts.key_identifier {
        out.push_str(&key_id(id));
    }
    if let Some(issuer) = parts.issuer {
        out.push_str(&format!("[{}]\n", general_names(Der::new(issuer))?.join("\n")));
    }
    if let Some(serial) = parts.serial {
        out.push_str(&format!(
            "SerialNumber: {}
",
            pairs(serial)
        ));
    }
    Ok(out + "]\n")
}

/// `0a:1b:2c`.
pub(crate) fn pairs(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(":")
}

/// Digits in groups of eight from the right, each with four blanks in front.
fn in_groups(digits: &str) -> String {
    let first = digits.len() % 8;
    let mut groups: Vec<&str> = Vec::new();
    if first > 0 {
        groups.push(&digits[..first]);
    }
    groups.extend((first..digits.len()).step_by(8).map(|at| &digits[at..at + 8]));
    groups.iter().map(|group| format!("    {group}")).collect()
}

fn basic_constraints(extension: &Extension<'_>) -> Result<String, ReadError> {
    let constraints = extension.basic_constraints()?;
    let length = match (constraints.is_authority, constraints.path_length) {
        (true, Some(length)) => length.to_string(),
        (true, None) => " no limit".to_owned(),
        (false, _) => " undefined".to_owned(),
    };
    let is_authority = constraints.is_authority;
    Ok(format!(
        "BasicConstraints:[
  CA:{is_authority}
  PathLen:{length}
]
"
    ))
}

fn key_usage(extension: &Extension<'_>) -> Result<String, ReadError> {
    let usage = extension.key_usage()?;
    let set = USAGES
        .iter()
        .enumerate()
        .filter(|(bit, _)| usage.bits & (1 << bit) != 0);
    let lines: String = set.map(|(_, name)| format!("  {name}\n")).collect();
    Ok(format!("KeyUsage [\n{lines}]\n"))
}

fn extended_key_usage(extension: &Extension<'_>) -> Result<String, ReadError> {
    let purposes = extension.extended_key_usage()?;
    let lines: String = purposes
        .iter()
        .map(|purpose| format!("  {}\n", oids::purpose(*purpose)))
        .collect();
    Ok(format!("ExtendedKeyUsages [\n{lines}]\n"))
}

fn names_in(title: &str, extension: &Extension<'_>) -> Result<String, ReadError> {
    let rows = der::only(extension.value, extension.offset, tag::SEQUENCE, "names")?.children();
    let lines: String = general_names(rows)?
        .iter()
        .map(|name| format!("  {name}\n"))
        .collect();
    Ok(format!("{title} [\n{lines}]\n"))
}

fn general_names(mut rows: Der<'_>) -> Result<Vec<String>, ReadError> {
    let mut names = Vec::new();
    while !rows.is_empty() {
        names.push(general_name(&rows.any("name")?)?);
    }
    Ok(names)
}

fn general_name(element: &Element<'_>) -> Result<String, ReadError> {
    let latin = |bytes: &[u8]| -> String { bytes.iter().map(|byte| char::from(*byte)).collect() };
    Ok(match GeneralName::from_element(element)? {
        GeneralName::Dns(name) => format!("DNSName: {}", latin(name)),
        GeneralName::Email(name) => format!("RFC822Name: {}", latin(name)),
        GeneralName::Uri(name) => format!("URIName: {}", latin(name)),
        GeneralName::Ip(address) => format!("IPAddress: {}", address_text(address)),
        GeneralName::Directory(name) => name_text::show(&name),
        GeneralName::Registered(content) => match Oid::from_content(content) {
            Some(oid) => format!("OIDName: {oid}"),
            None => "OIDName: ?".to_owned(),
        },
        GeneralName::Other(0xa0, content) => {
            let mut parts = Der::new(content);
            let kind = parts.expect(tag::OID, "other name")?.oid("other name")?;
            format!("Other-Name: Unrecognized ObjectIdentifier: {kind}")
        }
        _ => format!("Unrecognized GeneralName tag: ({})", element.tag & 0x1f),
    })
}

/// An address, or an address with its mask.
fn address_text(octets: &[u8]) -> String {
    let four = |octets: &[u8]| -> String {
        let parts: Vec<String> = octets.iter().map(u8::to_string).collect();
        parts.join(".")
    };
    let sixteen = |octets: &[u8]| -> String {
        let pairs = octets
            .chunks(2)
            .map(|pair| pair.iter().fold(0u16, |sum, byte| sum << 8 | u16::from(*byte)));
        let parts: Vec<String> = pairs.map(|pair| format!("{pair:x}")).collect();
        parts.join(":")
    };
    match octets.len() {
        4 => four(octets),
        8 => format!("{}/{}", four(&octets[..4]), four(&octets[4..])),
        16 => sixteen(octets),
        32 => {
            let ones: u32 = octets[16..].iter().map(|byte| byte.count_ones()).sum();
            format!("{}/{ones}", sixteen(&octets[..16]))
        }
        _ => "?".to_owned(),
    }
}

fn distribution_points(title: &str, extension: &Extension<'_>) -> Result<String, ReadError> {
    let mut rows = der::only(extension.value, extension.offset, tag::SEQUENCE, "points")?.children();
    let mut points = Vec::new();
    while !rows.is_empty() {
        let mut parts = rows.sequence("point")?;
        let mut text = "DistributionPoint:\n".to_owned();
        while !parts.is_empty() {
            let part = parts.any("point")?;
            match part.tag {
                0xa0 => {
                    let name = part.children().any("point name")?;
                    if name.tag == 0xa0 {
                        text.push_str(&format!(
                            "     [{}]\n",
                            general_names(name.children())?.join(", ")
                        ));
                    }
                }
                0x81 => text.push_str(&format!(
                    "   ReasonFlags:
{}",
                    reasons(&part)?
                )),
                0xa2 => text.push_str(&format!(
                    "   CRLIssuer:[{}]\n",
                    general_names(part.children())?.join(", ")
                )),
                _ => {}
            }
        }
        points.push(text);
    }
    Ok(format!("{title} [\n  [{}]]\n", points.join(", ")))
}

fn policies(extension: &Extension<'_>) -> Result<String, ReadError> {
    let mut rows = der::only(extension.value, extension.offset, tag::SEQUENCE, "policies")?.children();
    let mut out = "CertificatePolicies [\n".to_owned();
    while !rows.is_empty() {
        let mut parts = rows.sequence("policy")?;
        let policy = parts.expect(tag::OID, "policy")?.oid("policy")?;
        let mut qualifiers = Vec::new();
        if !parts.is_empty() {
            let mut all = parts.sequence("qualifiers")?;
            while !all.is_empty() {
                let mut one = all.sequence("qualifier")?;
                let kind = one.expect(tag::OID, "qualifier")?.oid("qualifier")?;
                let dump = hex::dump(one.rest());
                qualifiers.push(format!(
                    "PolicyQualifierInfo: [\n  qualifierID: {kind}\n  qualifier: {dump}\n]"
                ));
            }
        }
        out.push_str(&format!(
            "  [CertificatePolicyId: [{policy}]\n[{}]  ]\n",
            qualifiers.join(", ")
        ));
    }
    Ok(out + "]\n")
}

/// The flags of a BIT STRING with an implicit tag: unused bits first.
fn reasons(part: &Element<'_>) -> Result<String, ReadError> {
    let octets = part.content.get(1..).unwrap_or_default();
    let is_set = |bit: usize| {
        octets
            .get(bit / 8)
            .is_some_and(|octet| octet & (0x80 >> (bit % 8)) != 0)
    };
    let set = REASON_FLAGS.iter().enumerate().filter(|(bit, _)| is_set(*bit));
    Ok(set.map(|(_, name)| format!("    {name}\n")).collect())
}

fn name_constraints(extension: &Extension<'_>) -> Result<String, ReadError> {
    let mut parts = der::only(
        extension.value,
        extension.offset,
        tag::SEQUENCE,
        "name constraints",
    )?
    .children();
    let mut out = "NameConstraints: [".to_owned();
    while !parts.is_empty() {
        let part = parts.any("subtrees")?;
        let title = if part.tag == 0xa0 { "Permitted" } else { "Excluded" };
        let (mut trees, mut texts) = (part.children(), Vec::new());
        while !trees.is_empty() {
            let mut tree = trees.sequence("subtree")?;
            let base = general_name(&tree.any("base")?)?;
            texts.push(format!(
                "\n   GeneralSubtree: [\n    GeneralName: {base}\n    Minimum: 0\n    Maximum: undefined    ]\n"
            ));
        }
        out.push_str(&format!(
            "\n    {title}:   GeneralSubtrees:\n[{}]\n",
            texts.join(", ")
        ));
    }
    Ok(out + "   ]\n")
}

fn access(title: &str, extension: &Extension<'_>) -> Result<String, ReadError> {
    let mut rows = der::only(extension.value, extension.offset, tag::SEQUENCE, "access")?.children();
    let mut parts = Vec::new();
    while !rows.is_empty() {
        let mut one = rows.sequence("access description")?;
        let method = one.expect(tag::OID, "method")?.oid("method")?.to_string();
        let name = ACCESS
            .iter()
            .find(|(known, _)| *known == method)
            .map_or(method.as_str(), |(_, name)| *name);
        let location = general_name(&one.any("location")?)?;
        parts.push(format!(
            "\n   accessMethod: {name}\n   accessLocation: {location}\n"
        ));
    }
    Ok(format!("{title} [\n  [{}]\n]\n", parts.join(", ")))
}

fn crl_number(extension: &Extension<'_>) -> Result<String, ReadError> {
    let number = der::only(extension.value, extension.offset, tag::INTEGER, "number")?;
    let digits: String = number.content.iter().map(|byte| format!("{byte:02x}")).collect();
    let digits = match digits.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    Ok(format!(
        "CRL Number: {}
",
        in_groups(digits)
    ))
}

fn private_key_usage(extension: &Extension<'_>, zone: &TimeZone) -> Result<String, ReadError> {
    let what = "private key usage";
    let mut parts = der::only(extension.value, extension.offset, tag::SEQUENCE, what)?.children();
    let mut out = "PrivateKeyUsage: [
"
    .to_owned();
    if let Some(from) = parts.optional(tag::context(0), what)? {
        out.push_str(&format!("From: {}", generalized(&from, zone)));
        if !parts.is_empty() {
            out.push_str(", ");
        }
    }
    if let Some(to) = parts.optional(tag::context(1), what)? {
        out.push_str(&format!("To: {}", generalized(&to, zone)));
    }
    Ok(out
        + "]
")
}

/// A GeneralizedTime under an implicit tag.
fn generalized(element: &Element<'_>, zone: &TimeZone) -> String {
    let text = String::from_utf8_lossy(element.content);
    let read = jiff::civil::DateTime::strptime("%Y%m%d%H%M%SZ", text.as_bytes());
    let moment = read.and_then(|read| read.to_zoned(TimeZone::UTC));
    moment.map_or_else(
        |_| text.into_owned(),
        |moment| dates::full(moment.timestamp().as_second(), zone),
    )
}

fn policy_mappings(extension: &Extension<'_>) -> Result<String, ReadError> {
    let what = "policy mapping";
    let mut rows = der::only(extension.value, extension.offset, tag::SEQUENCE, what)?.children();
    let mut maps = Vec::new();
    while !rows.is_empty() {
        let mut pair = rows.sequence(what)?;
        let issuer = pair.expect(tag::OID, what)?.oid(what)?;
        let subject = pair.expect(tag::OID, what)?.oid(what)?;
        maps.push(format!(
            "CertificatePolicyMap: [
IssuerDomain:CertificatePolicyId: [{issuer}]
SubjectDomain:CertificatePolicyId: \
             [{subject}]
]
"
        ));
    }
    Ok(format!(
        "PolicyMappings [
[{}]]
",
        maps.join(", ")
    ))
}

fn reason(extension: &Extension<'_>) -> Result<String, ReadError> {
    let code = der::only(extension.value, extension.offset, tag::ENUMERATED, "reason")?;
    let code = code.content.first().copied().unwrap_or(0);
    let name = REASONS.get(usize::from(code)).copied().unwrap_or("Unspecified");
    Ok(format!("    Reason Code: {name}"))
}

fn inhibit_any_policy(extension: &Extension<'_>) -> Result<String, ReadError> {
    if !extension.critical {
        return Err(ReadError::BadValue {
            what: "inhibitAnyPolicy",
            offset: extension.offset,
        });
    }
    let skip = der::only(extension.value, extension.offset, tag::INTEGER, "skip")?.unsigned("skip")?;
    Ok(format!("InhibitAnyPolicy: {skip}\n"))
}

fn policy_constraints(extension: &Extension<'_>) -> Result<String, ReadError> {
    let mut parts = der::only(
        extension.value,
        extension.offset,
        tag::SEQUENCE,
        "policy constraints",
    )?
    .children();
    let mut part = |tag| -> Result<String, ReadError> {
        Ok(match parts.optional(tag, "policy constraints")? {
            Some(number) => number.unsigned("policy constraints")?.to_string(),
            None => "unspecified".to_owned(),
        })
    };
    let (require, inhibit) = (part(0x80)?, part(0x81)?);
    Ok(format!(
        "PolicyConstraints: [  Require: {require};\tInhibit: {inhibit} ]\n"
    ))
}

fn netscape_type(extension: &Extension<'_>) -> Result<String, ReadError> {
    let element = der::only(
        extension.value,
        extension.offset,
        tag::BIT_STRING,
        "netscape type",
    )?;
    let (_, octets) = element.bits("netscape type")?;
    let first = octets.first().copied().unwrap_or(0);
    let set = NETSCAPE
        .iter()
        .enumerate()
        .filter(|(bit, _)| first & (0x80 >> bit) != 0);
    let lines: String = set.map(|(_, name)| format!("   {name}\n")).collect();
    Ok(format!("NetscapeCertType [\n{lines}]\n"))
}

const NAMES: &[(&str, &str)] = &[
    ("2.5.29.35", "AuthorityKeyIdentifier"),
    ("2.5.29.14", "SubjectKeyIdentifier"),
    ("2.5.29.19", "BasicConstraints"),
    ("2.5.29.15", "KeyUsage"),
    ("2.5.29.37", "ExtendedKeyUsage"),
    ("2.5.29.17", "SubjectAlternativeName"),
    ("2.5.29.18", "IssuerAlternativeName"),
    ("2.5.29.31", "CRLDistributionPoints"),
    ("2.5.29.32", "CertificatePolicies"),
    ("2.5.29.30", "NameConstraints"),
    ("1.3.6.1.5.5.7.1.1", "AuthorityInfoAccess"),
    ("1.3.6.1.5.5.7.1.11", "SubjectInfoAccess"),
    ("2.5.29.16", "PrivateKeyUsage"),
    ("2.5.29.20", "CRLNumber"),
    ("2.5.29.33", "PolicyMappings"),
    ("2.5.29.21", "CRLReasonCode"),
    ("2.5.29.46", "FreshestCRL"),
    ("2.5.29.54", "InhibitAnyPolicy"),
    ("2.5.29.36", "PolicyConstraints"),
    ("2.16.840.1.113730.1.1", "NetscapeCertType"),
];

const USAGES: &[&str] = &[
    "DigitalSignature",
    "Non_repudiation",
    "Key_Encipherment",
    "Data_Encipherment",
    "Key_Agreement",
    "Key_CertSign",
    "Crl_Sign",
    "Encipher_Only",
    "Decipher_Only",
];

const ACCESS: &[(&str, &str)] = &[
    ("1.3.6.1.5.5.7.48.1", "ocsp"),
    ("1.3.6.1.5.5.7.48.2", "caIssuers"),
    ("1.3.6.1.5.5.7.48.3", "timeStamping"),
    ("1.3.6.1.5.5.7.48.5", "caRepository"),
];

const REASONS: &[&str] = &[
    "UNSPECIFIED",
    "KEY_COMPROMISE",
    "CA_COMPROMISE",
    "AFFILIATION_CHANGED",
    "SUPERSEDED",
    "CESSATION_OF_OPERATION",
    "CERTIFICATE_HOLD",
    "UNUSED",
    "REMOVE_FROM_CRL",
    "PRIVILEGE_WITHDRAWN",
    "AA_COMPROMISE",
];

const REASON_FLAGS: &[&str] = &[
    "unused",
    "key compromise",
    "CA compromise",
    "affiliation changed",
    "superseded",
    "cessation of operation",
    "certificate hold",
    "privilege withdrawn",
    "AA compromise",
];

const NETSCAPE: &[&str] = &[
    "SSL client",
    "SSL server",
    "S/MIME",
    "Object Signing",
    "Reserved",
    "SSL CA",
    "S/MIME CA",
    "Object Signing CA",
];
