//! Keys and certificates made: `-cert -create`, `-cert -sign`, and what `-certreq -create` shares with them.

use keystore::der;
use keystore::{Certificate, Edit, Extension, Place};

use crate::gskit::args::Args;
use crate::gskit::bring;
use crate::gskit::chain;
use crate::gskit::database::{self, Database, OWN};
use crate::gskit::details;
use crate::gskit::fault::{self, Result};
use crate::gskit::shelf;
use crate::io::Io;
use crate::keytool::issue::{self, Draft};
use crate::keytool::keys::{self, Pair};
use crate::keytool::{extensions, generate, name_text, oids, pem_text};

/// Makes a pair and a certificate that it signs itself.
pub(crate) fn create(args: &Args, io: &mut Io) -> Result<()> {
    let version = version(args)?;
    let label = args.needed("-label")?;
    let mut database = Database::open_to_write(args, OWN, io)?;
    if shelf::has_label(&database.store, label) {
        return Err(fault::with(29, label));
    }
    let subject = subject(args)?;
    let algorithm = SignatureChoice::of(args)?;
    let days = args.number("-expire", 1, 7300, 365)?;
    let pair = algorithm.pair(args)?;
    let asked = asked_extensions(args)?;
    if version < 3 && !asked.is_empty() {
        return Err(fault::with(65, "only certificates of version 3 have extensions"));
    }
    let built = match version {
        3 => extensions::build(None, &[], &asked, &pair.spki, None)?,
        _ => Vec::new(),
    };
    let (not_before, not_after) = validity(io, days);
    let draft = Draft {
        subject: &subject,
        issuer: &subject,
        spki: &pair.spki,
        not_before,
        not_after,
        extensions: &built,
    };
    let certificate = issue::certificate_as(&draft, (version, None), &pair.private, &algorithm.name)?;
    let edit = Edit::PutKey {
        alias: Some(label.to_owned()),
        key: pair.private,
        chain: vec![certificate],
        key_password: None,
        place: Place::Last,
    };
    database.edit(&edit, io)?;
    bring::mark_default(args, &mut database, label, io)?;
    database.save(io)
}

/// Signs the certificate that a request asks for.
pub(crate) fn sign(args: &Args, io: &mut Io) -> Result<()> {
    let number = serial_number(args)?;
    let label = args.needed("-label")?;
    let target = io.path(args.file("-target")?);
    let database = Database::open(args, OWN, io)?;
    let (index, issuer) = shelf::find_personal(&database.store, label)?;
    let bytes = database::read_file(&io.path(args.file("-file")?))?;
    let der = request_of(&bytes)?;
    let request = details::parse_request(&der)?;
    if !keys::is_request_sound(&der) {
        return Err(fault::with(36, "the request is not signed by its own key"));
    }
    let key = database.store.entries()[index].unlock(Some(&database.password))?;
    let algorithm = match args.has("-sigalg") {
        true => SignatureChoice::of(args)?.name,
        false => keys::default_signature(&issuer.public_key())?,
    };
    let days = args.number("-expire", 1, 7300, 365)?;
    let kept: &[Extension<'_>] = match args.has("-preserve") {
        true => &request.extensions,
        false => &[],
    };
    let authority = generate::authority_of(&issuer);
    let built = extensions::build(
        None,
        kept,
        &asked_extensions(args)?,
        request.spki,
        Some(&authority),
    )?;
    let (not_before, not_after) = validity(io, days);
    let draft = Draft {
        subject: request.subject.der(),
        issuer: issuer.subject().der(),
        spki: request.spki,
        not_before,
        not_after: not_after.min(issuer.validity().not_after),
        extensions: &built,
    };
    if not_before > draft.not_after {
        return Err(fault::code(47));
    }
    let certificate = issue::certificate_as(&draft, (3, number.as_deref()), &key, &algorithm)?;
    write_certificate(&target, &certificate, args)
}

/// Puts a certificate into a file, in the form that `-format` asks for.
pub(crate) fn write_certificate(
    path: &std::path::Path,
    certificate: &Certificate,
    args: &Args,
) -> Result<()> {
    let bytes = match is_binary(args)? {
        true => certificate.der().to_vec(),
        false => pem_text::block("CERTIFICATE", certificate.der(), "\n").into_bytes(),
    };
    database::write_file(path, &bytes)
}

/// What `-format` says: `ascii` is PEM, `binary` is DER.
pub(crate) fn is_binary(args: &Args) -> Result<bool> {
    match args.text("-format")?.map(str::to_lowercase).as_deref() {
        None | Some("ascii") => Ok(false),
        Some("binary") => Ok(true),
        Some(other) => Err(fault::with(
            65,
            &format!("-format {other}: ascii or binary is needed"),
        )),
    }
}

/// The name of `-dn`.
pub(crate) fn subject(args: &Args) -> Result<Vec<u8>> {
    let text = args.needed("-dn")?;
    let encoded = name_text::encode(text).map_err(|_| fault::with(116, text))?;
    match encoded == [0x30, 0] {
        true => Err(fault::with(116, "it is empty")),
        false => Ok(encoded),
    }
}

/// The extensions that options ask for, as text that the encoder takes.
pub(crate) fn asked_extensions(args: &Args) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    if let Some(policies) = args.text("-certpolicy")? {
        texts.push(format!("2.5.29.32={}", policy_hex(policies)?));
    }
    if let Some(is_authority) = args.switch("-ca")? {
        texts.push(format!("BasicConstraints:critical=ca:{is_authority}"));
    }
    if let Some(usages) = args.text("-ku")? {
        texts.push(format!("KeyUsage:critical={}", without_blanks(usages)));
    }
    if let Some(purposes) = args.text("-eku")? {
        texts.push(format!("ExtendedKeyUsage={}", without_blanks(purposes)));
    }
    let mut names = Vec::new();
    for (option, kind) in [
        ("-san_dnsname", "dns"),
        ("-san_emailaddr", "email"),
        ("-san_ipaddr", "ip"),
    ] {
        let values = args.text(option)?.unwrap_or_default();
        let values = values.split([',', ' ']).filter(|value| !value.is_empty());
        names.extend(values.map(|value| format!("{kind}:{value}")));
    }
    if !names.is_empty() {
        texts.push(format!("SubjectAlternativeName={}", names.join(",")));
    }
    Ok(texts)
}

/// The request in a file, PEM or DER.
pub(crate) fn request_of(bytes: &[u8]) -> Result<Vec<u8>> {
    if bytes.first() == Some(&0x30) {
        return Ok(bytes.to_vec());
    }
    let body = crate::keytool::request::body(bytes, |line| {
        line.starts_with("-----BEGIN") && line.contains("REQUEST")
    });
    if body.is_empty() {
        return Err(fault::with(2, "the file holds no certificate request"));
    }
    crate::keytool::request::decode(&body).map_err(|_| fault::with(93, "the request is not in base64"))
}

/// Which key and which digest `-sigalg` and `-size` ask for.
pub(crate) struct SignatureChoice {
    /// In the form `SHA256withRSA`.
    pub(crate) name: String,
    digest: String,
    /// `RSA`, `ECDSA` or `DSA`.
    key: &'static str,
}

impl SignatureChoice {
    /// # Errors
    /// 133 for a name that nobody knows.
    pub(crate) fn of(args: &Args) -> Result<Self> {
        let typed = args.text("-sigalg")?.unwrap_or("SHA256WithRSA");
        let plain: String = typed.to_uppercase().replace(['_', '-'], "");
        let unknown = || fault::with(133, typed);
        let (digest, key) = match plain.split_once("WITH") {
            Some(("ECECDSA" | "ECDSA", digest)) => (digest, "ECDSA"),
            Some((digest, key)) => (digest, key),
            None => (plain.as_str(), "RSA"),
        };
        let digest = match digest {
            "SHA" => "SHA1",
            "SHA2" => "SHA256",
            "MD5" | "SHA1" | "SHA224" | "SHA256" | "SHA384" | "SHA512" => digest,
            _ => return Err(unknown()),
        };
        let key = match key {
            "RSA" | "RSASIGNATURE" => "RSA",
            "ECDSA" | "EC" => "ECDSA",
            "DSA" if matches!(digest, "SHA1" | "SHA224" | "SHA256") => "DSA",
            _ => return Err(unknown()),
        };
        Ok(Self {
            name: format!("{digest}with{key}"),
            digest: digest.to_owned(),
            key,
        })
    }

    /// A new pair of that kind.
    ///
    /// # Errors
    /// 41 for a size that is not offered.
    pub(crate) fn pair(&self, args: &Args) -> Result<Pair> {
        let size = args.text("-size")?;
        let bad = || fault::with(41, size.unwrap_or_default());
        let number = size
            .map(|text| text.parse::<i32>().map_err(|_| bad()))
            .transpose()?;
        if self.key == "DSA" {
            let default = if self.digest == "SHA1" { 1024 } else { 2048 };
            return match number.unwrap_or(default) {
                bits @ (1024 | 2048 | 3072) => Ok(keys::generate("DSA", Some(bits), None)?),
                _ => Err(bad()),
            };
        }
        if self.key == "RSA" {
            return match number.unwrap_or(2048) {
                bits @ 512..=8192 => Ok(keys::generate("RSA", Some(bits), None)?),
                _ => Err(bad()),
            };
        }
        let by_digest = match self.digest.as_str() {
            "SHA384" => 384,
            "SHA512" => 521,
            _ => 256,
        };
        match number.unwrap_or(by_digest) {
            512 => Ok(keys::generate("EC", Some(521), None)?),
            bits @ (256 | 384 | 521) => Ok(keys::generate("EC", Some(bits), None)?),
            _ => Err(bad()),
        }
    }
}

/// From a day ago, so that clocks that are behind take it, as the original does.
fn validity(io: &Io, days: i64) -> (i64, i64) {
    let now = io.now_ms() / 1000;
    (now - chain::DAY, now + days * chain::DAY)
}

fn version(args: &Args) -> Result<u8> {
    match args.text("-x509version")? {
        None | Some("3") => Ok(3),
        Some("2") => Ok(2),
        Some("1") => Ok(1),
        Some(other) => Err(fault::with(
            65,
            &format!("-x509version {other}: 1, 2 or 3 is needed"),
        )),
    }
}

/// The number of `-sernum`: decimal, or hexadecimal behind `0x`.
fn serial_number(args: &Args) -> Result<Option<Vec<u8>>> {
    let Some(text) = args.text("-sernum")? else {
        return Ok(None);
    };
    let bad = || {
        fault::with(
            65,
            &format!("-sernum {text}: a number of at most 20 bytes is needed"),
        )
    };
    let (digits, is_hex) = match text.strip_prefix("0x") {
        Some(digits) => (digits, true),
        None => (text, false),
    };
    let is_digit = |byte: u8| {
        if is_hex {
            byte.is_ascii_hexdigit()
        } else {
            byte.is_ascii_digit()
        }
    };
    if digits.is_empty() || !digits.bytes().all(is_digit) {
        return Err(bad());
    }
    let number = match is_hex {
        true => openssl::bn::BigNum::from_hex_str(digits),
        false => openssl::bn::BigNum::from_dec_str(digits),
    };
    let bytes = number.map_err(|_| bad())?.to_vec();
    match bytes.len() {
        1..=20 => Ok(Some(bytes)),
        _ => Err(bad()),
    }
}

/// `SEQUENCE OF PolicyInformation` for a list of identifiers.
fn policy_hex(policies: &str) -> Result<String> {
    let words = policies.split([',', ' ']).filter(|word| !word.is_empty());
    let rows = words
        .map(|word| Ok(der::write_sequence(&[&oids::encode(word)?])))
        .collect::<Result<Vec<Vec<u8>>>>()?;
    let rows: Vec<&[u8]> = rows.iter().map(Vec::as_slice).collect();
    let encoded = der::write_sequence(&rows);
    Ok(encoded.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn without_blanks(list: &str) -> String {
    let words = list.split([',', ' ']).filter(|word| !word.is_empty());
    words.collect::<Vec<&str>>().join(",")
}
