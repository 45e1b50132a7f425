//! `-cert -details`: a certificate in words.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keystore::oid::Oid;
use keystore::{Algorithm, Certificate, Curve, Extension, GeneralName, KeyKind, PublicKey, Request};

use crate::gskit::args::Args;
use crate::gskit::bring;
use crate::gskit::database::{Database, OWN};
use crate::gskit::fault::{self, Result};
use crate::gskit::list::shown;
use crate::gskit::shelf::{self, RowKind};
use crate::io::Io;
use crate::keytool::weak;

/// Shows a certificate of a store or of a file.
pub(crate) fn run(args: &Args, io: &mut Io) -> Result<()> {
    if !args.has("-db") && args.has("-file") {
        let path = io.path(args.file("-file")?);
        let certificates = bring::certificates_of(&path, args)?;
        for certificate in certificates {
            let text = show(&certificate, args, io);
            io.print_bytes(text.as_bytes());
        }
        return Ok(());
    }
    let label = args.needed("-label")?;
    let database = Database::open(args, OWN, io)?;
    let (row, certificate) = shelf::find_certificate(&database.store, label)?;
    let trust = match row.kind {
        RowKind::Untrusted => "Disabled",
        _ => "Enabled",
    };
    let text = format!(
        "Label : {}\n{}Trust Status : {trust}\n",
        shown(&row.label),
        show(&certificate, args, io)
    );
    io.print_bytes(text.as_bytes());
    Ok(())
}

/// A moment in words, in the zone of the caller.
pub(crate) fn date(unix: i64, args: &Args, io: &Io) -> String {
    let Ok(moment) = jiff::Timestamp::from_second(unix) else {
        return format!("{unix} seconds after 1970");
    };
    let moment = moment.to_zoned(io.zone());
    let format = match (args.has("-rfc3339"), is_british(args, io)) {
        (true, _) => "%Y-%m-%dT%H:%M:%S%:z",
        (false, true) => "%-d %B %Y %H:%M:%S GMT%:z",
        (false, false) => "%B %-d, %Y %I:%M:%S %p GMT%:z",
    };
    moment.strftime(format).to_string()
}

/// Whether days come before months: by `-locale`, else by the caller's environment.
fn is_british(args: &Args, io: &Io) -> bool {
    let asked = args.raw("-locale");
    let own = ["LC_ALL", "LC_TIME", "LANG"].map(|name| io.variable(name));
    let own = own.into_iter().flatten().find(|value| !value.is_empty());
    let locale = asked.or(own).and_then(|value| value.to_str()).unwrap_or_default();
    locale.starts_with("en_GB")
}

/// A request in words.
pub(crate) fn show_request(label: &str, request: &Request<'_>) -> String {
    let key = request.public_key();
    let mut text = format!("Label : {}\n", shown(label));
    text += &format!("Key Size : {}\n", weak::bits(&key).unwrap_or(0));
    text += &format!("Subject : {}\n", shown(&request.subject.to_string()));
    text += &public_key(&key);
    let digest = openssl::sha::sha1(request.der);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let (first, second) = hex.split_at(20);
    text += &format!("Fingerprint : \n    {first}\n    {second}\nAttributes\n");
    if !request.extensions.is_empty() {
        text.push_str("Extension Reqs\nExtensions\n");
    }
    for extension in &request.extensions {
        text += &show_extension(extension);
    }
    text += &signature_algorithm(&request.signature_algorithm);
    text.push_str("Value\n");
    text += &dump(request_signature(request.der));
    text
}

pub(crate) fn show(certificate: &Certificate, args: &Args, io: &Io) -> String {
    let key = certificate.public_key();
    let validity = certificate.validity();
    let serial: String = certificate
        .serial()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mut text = format!("Key Size : {}\n", weak::bits(&key).unwrap_or(0));
    text += &format!("Version : X509 V{}\nSerial : {serial}\n", certificate.version());
    text += &format!("Issuer : {}\n", shown(&certificate.issuer().to_string()));
    text += &format!("Subject : {}\n", shown(&certificate.subject().to_string()));
    text += &format!("Not Before : {}\n\n", date(validity.not_before, args, io));
    text += &format!("Not After : {}\n\n", date(validity.not_after, args, io));
    text += &public_key(&key);
    text += &format!("Fingerprint : SHA1 : \n{}", dump(&certificate.sha1()));
    let md5 = openssl::hash::hash(openssl::hash::MessageDigest::md5(), certificate.der());
    if let Ok(md5) = md5 {
        text += &format!("Fingerprint : MD5 : \n{}", dump(&md5));
    }
    text += &format!("Fingerprint : SHA256 : \n{}", dump(&certificate.sha256()));
    let pin = STANDARD.encode(certificate.spki_sha256());
    text += &format!("Fingerprint : HPKP : \n    {pin}\n");
    if certificate.extensions().len() > 0 {
        text.push_str("Extensions\n");
    }
    for extension in certificate.extensions() {
        let shown = show_extension(&extension);
        text += &match (args.has("-showOID"), shown.split_once('\n')) {
            (true, Some((first, rest))) => with_oid(first, rest, &extension),
            _ => shown,
        };
    }
    text += &signature_algorithm(&certificate.signature_algorithm());
    text.push_str("Value\n");
    text += &dump(certificate.signature());
    text
}

fn public_key(key: &PublicKey<'_>) -> String {
    let oid = key.algorithm.oid();
    let name = match key.kind() {
        KeyKind::Rsa { .. } => "RSA".to_owned(),
        KeyKind::Ec { .. } => "EC_ecPublicKey".to_owned(),
        KeyKind::Dsa { .. } => "DSA".to_owned(),
        other => other.to_string(),
    };
    let mut text = format!("Public Key\n{}Public Key Type : {name} ({oid})\n", dump(key.spki));
    if let KeyKind::Ec { curve } = key.kind() {
        text += &match curve {
            Curve::Named(_) => {
                let name = weak::key_name(key);
                let curve = name.trim_start_matches("EC (").trim_end_matches(')');
                format!("    Parameters: namedCurve: EC_NamedCurve_{curve}\n")
            }
            other => format!("    Parameters: {other}\n"),
        };
    }
    text
}

fn signature_algorithm(algorithm: &Algorithm<'_>) -> String {
    let oid = algorithm.oid();
    let name = SIGNATURES.iter().find(|(known, _)| *known == oid);
    let name = name.map_or_else(|| oid.to_string(), |(_, name)| (*name).to_owned());
    format!("Signature Algorithm : {name} ({oid})\n")
}

/// An extension by its name and content; one whose value cannot be read, or that has no words of its own, in hex.
fn show_extension(extension: &Extension<'_>) -> String {
    let text = known_extension(extension)
        .unwrap_or_else(|| format!("    {}\n{}", extension.oid, dump(extension.value)));
    match extension.critical {
        true => format!("{text}        critical\n"),
        false => text,
    }
}

/// The lines of an extension with its identifier behind its name.
fn with_oid(first: &str, rest: &str, extension: &Extension<'_>) -> String {
    let oid = extension.oid.to_string();
    match first.split_once(':') {
        _ if first.contains(&oid) => format!("{first}\n{rest}"),
        Some((name, value)) => format!("{name} ({oid}):{value}\n{rest}"),
        None => format!("{first} ({oid})\n{rest}"),
    }
}

fn known_extension(extension: &Extension<'_>) -> Option<String> {
    use keystore::oid;
    Some(match extension.oid {
        oid::AUTHORITY_KEY_IDENTIFIER => {
            let id = extension.authority_key_identifier().ok()?;
            let part = |name: &str, bytes: Option<&[u8]>| {
                format!("      {name}:\n{}", dump(bytes.unwrap_or_default()))
            };
            format!(
                "    AuthorityKeyIdentifier\n{}{}{}",
                part("keyIdentifier", id.key_identifier),
                part("authorityIdentifier", id.issuer),
                part("authorityCertSerialNumber", id.serial)
            )
        }
        oid::SUBJECT_KEY_IDENTIFIER => {
            let id = extension.octets().ok()?;
            format!("    SubjectKeyIdentifier\n      keyIdentifier:\n{}", dump(id))
        }
        oid::KEY_USAGE => format!("    key usage: {}\n", extension.key_usage().ok()?),
        oid::BASIC_CONSTRAINTS => {
            let constraints = extension.basic_constraints().ok()?;
            let length = constraints
                .path_length
                .map(|length| format!("        pathLen = {length}\n"))
                .unwrap_or_default();
            format!(
                "    basicConstraints\n        ca = {}\n{length}",
                constraints.is_authority
            )
        }
        oid::EXTENDED_KEY_USAGE => {
            let purposes = extension.extended_key_usage().ok()?;
            let rows: Vec<String> = purposes
                .iter()
                .map(|purpose| format!("        {}\n", purpose_name(*purpose)))
                .collect();
            format!("    eku\n{}", rows.concat())
        }
        oid::CERTIFICATE_POLICIES => {
            let mut rows = keystore::der::Der::new(extension.value)
                .sequence("policies")
                .ok()?;
            let mut text = "    certificatePolicies\n".to_owned();
            while !rows.is_empty() {
                let policy = rows.sequence("policy").ok()?.any("policy").ok()?;
                text += &format!("        {}\n", policy.oid("policy").ok()?);
            }
            text
        }
        oid::SUBJECT_ALT_NAME => {
            let names = extension.general_names().ok()?;
            let rows: Vec<String> = names.iter().map(general_name).collect();
            format!("    subjectAlternativeName\n{}", rows.concat())
        }
        _ => return None,
    })
}

fn general_name(name: &GeneralName<'_>) -> String {
    let text = name.to_string();
    let kind = match name {
        GeneralName::Dns(_) => "dNSName",
        GeneralName::Email(_) => "rfc822Name",
        GeneralName::Ip(_) => "iPAddress",
        GeneralName::Uri(_) => "uniformResourceIdentifier",
        GeneralName::Directory(_) => "directoryName",
        GeneralName::Registered(_) => "registeredID",
        _ => "otherName",
    };
    let value = text.split_once(':').map_or(text.as_str(), |(_, value)| value);
    // A line break in a name must not pass for another line of ours.
    let value: String = value
        .chars()
        .map(|character| if character.is_control() { '?' } else { character })
        .collect();
    format!("        {kind}: {value}\n")
}

fn purpose_name(purpose: Oid<'_>) -> String {
    let known = PURPOSES.iter().find(|(known, _)| *known == purpose);
    known.map_or_else(|| purpose.to_string(), |(_, name)| (*name).to_owned())
}

/// 16 bytes a line, four blanks in front.
fn dump(bytes: &[u8]) -> String {
    let line = |bytes: &[u8]| {
        let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        format!("    {}\n", pairs.join(" "))
    };
    bytes.chunks(16).map(line).collect()
}

/// The octets of a request's signature; empty where it cannot be walked.
fn request_signature(der: &[u8]) -> &[u8] {
    let walk = || {
        let mut parts = keystore::der::Der::new(der).sequence("request").ok()?;
        parts.any("body").ok()?;
        parts.any("algorithm").ok()?;
        parts.any("signature").ok()?.whole_bits("signature").ok()
    };
    walk().unwrap_or_default()
}

/// What a file with a request holds.
pub(crate) fn parse_request(der: &[u8]) -> Result<Request<'_>> {
    Request::parse(der).map_err(|error| fault::with(2, &error.to_string()))
}

const SIGNATURES: &[(Oid<'static>, &str)] = &[
    (keystore::oid::MD5_RSA, "MD5WithRSASignature"),
    (keystore::oid::SHA1_RSA, "SHA1WithRSASignature"),
    (keystore::oid::SHA224_RSA, "SHA224WithRSASignature"),
    (keystore::oid::SHA256_RSA, "SHA256WithRSASignature"),
    (keystore::oid::SHA384_RSA, "SHA384WithRSASignature"),
    (keystore::oid::SHA512_RSA, "SHA512WithRSASignature"),
    (keystore::oid::ECDSA_SHA1, "EC_ecdsa_with_SHA1"),
    (keystore::oid::ECDSA_SHA224, "EC_ecdsa_with_SHA224"),
    (keystore::oid::ECDSA_SHA256, "EC_ecdsa_with_SHA256"),
    (keystore::oid::ECDSA_SHA384, "EC_ecdsa_with_SHA384"),
    (keystore::oid::ECDSA_SHA512, "EC_ecdsa_with_SHA512"),
    (keystore::oid::DSA_SHA1, "SHA1WithDSASignature"),
    (keystore::oid::DSA_SHA256, "SHA256WithDSASignature"),
];

const PURPOSES: &[(Oid<'static>, &str)] = &[
    (keystore::oid::SERVER_AUTH, "serverAuth"),
    (keystore::oid::CLIENT_AUTH, "clientAuth"),
    (keystore::oid::CODE_SIGNING, "codeSigning"),
    (keystore::oid::EMAIL_PROTECTION, "emailProtection"),
    (keystore::oid::TIME_STAMPING, "timeStamping"),
    (keystore::oid::ANY_EXTENDED_KEY_USAGE, "anyExtendedKeyUsage"),
];
