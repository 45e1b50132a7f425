//! Certificates, stores and texts out of a case file.
//!
//! `cert NAME SUBJECT [by=NAME] [ca] [v1] [days=-10..300] [eku=server,client] [ku=sign,encipher,cert] [san=DNS:a,IP:b]
//! [key=rsa2048|p256|p521|brainpoolP256r1|same:NAME] [md=sha1] [critical] [ids]` makes a certificate. `--- PATH [mode=0644]
//! [= SPEC]` begins a file; without a SPEC its text follows.

use std::collections::BTreeMap;

use doctor::InputFile;
use keystore::Certificate;
use keystore::Edit;
use keystore::Entropy;
use keystore::Format;
use keystore::Password;
use keystore::Place;
use keystore::PrivateKey;
use keystore::Store;
use keystore::WriteEnv;
use openssl::asn1::Asn1Integer;
use openssl::asn1::Asn1Object;
use openssl::asn1::Asn1OctetString;
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::EcGroup;
use openssl::ec::EcKey;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::pkey::Private;
use openssl::rsa::Rsa;
use openssl::symm::Cipher;
use openssl::x509::X509;
use openssl::x509::X509Builder;
use openssl::x509::X509Extension;
use openssl::x509::X509NameBuilder;
use openssl::x509::X509Ref;
use openssl::x509::X509ReqBuilder;
use openssl::x509::extension::AuthorityKeyIdentifier;
use openssl::x509::extension::SubjectKeyIdentifier;

use crate::NOW;

/// A certificate with its key.
#[derive(Clone)]
pub struct Made {
    certificate: X509,
    key: PKey<Private>,
}

/// All certificates of a case, by name.
pub type Shelf = BTreeMap<String, Made>;

/// Reads the lines of one case into files.
pub fn files(lines: &[&str]) -> Vec<InputFile> {
    let mut shelf = Shelf::new();
    let mut files: Vec<InputFile> = Vec::new();
    let mut open = false;
    for line in lines {
        if let Some(words) = line.strip_prefix("cert ") {
            let (name, made) = certificate(words, &shelf, shelf.len());
            shelf.insert(name, made);
        } else if let Some(rest) = line.strip_prefix("--- ") {
            let (head, spec) = rest
                .split_once(" = ")
                .map_or((rest, None), |(head, spec)| (head, Some(spec)));
            let mut words = head.split(' ');
            let mut file = InputFile {
                path: words.next().unwrap_or_default().to_owned(),
                mode: 0o600,
                ..InputFile::default()
            };
            for word in words {
                let mode = word.strip_prefix("mode=").expect("only modes follow a path");
                file.mode = u32::from_str_radix(mode, 8).expect("an octal mode");
            }
            open = spec.is_none();
            if let Some(spec) = spec {
                file.bytes = content(spec, &shelf);
            }
            files.push(file);
        } else if open && let Some(file) = files.last_mut() {
            file.bytes.extend_from_slice(line.as_bytes());
            file.bytes.push(b'\n');
        }
    }
    files
}

fn certificate(words: &str, shelf: &Shelf, number: usize) -> (String, Made) {
    let mut words = words.split(' ');
    let name = words.next().expect("a name").to_owned();
    let subject = words.next().expect("a subject").replace('_', " ");
    let options: BTreeMap<&str, &str> = words
        .map(|word| word.split_once('=').unwrap_or((word, "")))
        .collect();
    let key = match options.get("key").copied().unwrap_or("p256") {
        same if same.starts_with("same:") => shelf[&same[5..]].key.clone(),
        rsa if rsa.starts_with("rsa") => {
            PKey::from_rsa(Rsa::generate(rsa[3..].parse().unwrap()).unwrap()).unwrap()
        }
        curve => PKey::from_ec_key(EcKey::generate(&EcGroup::from_curve_name(nid(curve)).unwrap()).unwrap())
            .unwrap(),
    };
    let issuer = options.get("by").map(|by| &shelf[*by]);
    let subject = subject_name(&subject);
    let mut builder = X509Builder::new().unwrap();
    builder
        .set_version(if options.contains_key("v1") { 0 } else { 2 })
        .unwrap();
    let serial = BigNum::from_u32(4096 + number as u32).unwrap();
    builder
        .set_serial_number(&Asn1Integer::from_bn(&serial).unwrap())
        .unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder
        .set_issuer_name(issuer.map_or(&subject, |issuer| issuer.certificate.subject_name()))
        .unwrap();
    builder.set_pubkey(&key).unwrap();
    let (from, until) = options
        .get("days")
        .and_then(|days| days.split_once(".."))
        .unwrap_or(("-30", "300"));
    let day = |text: &str| Asn1Time::from_unix(NOW + text.parse::<i64>().unwrap() * 86_400).unwrap();
    builder.set_not_before(&day(from)).unwrap();
    builder.set_not_after(&day(until)).unwrap();
    if !options.contains_key("v1") {
        extensions(&mut builder, &options);
    }
    if options.contains_key("ids") {
        identifiers(&mut builder, issuer.map(|issuer| issuer.certificate.as_ref()));
    }
    let md = match options.get("md").copied().unwrap_or("sha256") {
        "sha1" => MessageDigest::sha1(),
        "md5" => MessageDigest::md5(),
        _ => MessageDigest::sha256(),
    };
    builder
        .sign(issuer.map_or(&key, |issuer| &issuer.key), md)
        .unwrap();
    let certificate = builder.build();
    (name, Made { certificate, key })
}

/// With the deprecated text form on purpose: it takes any extension.
#[allow(deprecated)]
fn extensions(builder: &mut X509Builder, options: &BTreeMap<&str, &str>) {
    let mut add = |nid: Nid, text: String| {
        builder
            .append_extension(X509Extension::new_nid(None, None, nid, &text).unwrap())
            .unwrap();
    };
    add(
        Nid::BASIC_CONSTRAINTS,
        format!(
            "critical,CA:{}",
            if options.contains_key("ca") {
                "TRUE"
            } else {
                "FALSE"
            }
        ),
    );
    let usages = options
        .get("ku")
        .copied()
        .or(options.contains_key("ca").then_some("cert"));
    if let Some(usages) = usages {
        let names: Vec<&str> = usages
            .split(',')
            .map(|usage| match usage {
                "sign" => "digitalSignature",
                "encipher" => "keyEncipherment",
                "agree" => "keyAgreement",
                _ => "keyCertSign",
            })
            .collect();
        add(Nid::KEY_USAGE, names.join(","));
    }
    if let Some(purposes) = options.get("eku") {
        let names: Vec<String> = purposes
            .split(',')
            .map(|purpose| format!("{purpose}Auth"))
            .collect();
        add(Nid::EXT_KEY_USAGE, names.join(","));
    }
    if let Some(names) = options.get("san") {
        add(Nid::SUBJECT_ALT_NAME, (*names).to_owned());
    }
    if options.contains_key("critical") {
        let oid = Asn1Object::from_str("1.2.3.4.5").unwrap();
        let value = Asn1OctetString::new_from_bytes(&[5, 0]).unwrap();
        builder
            .append_extension(X509Extension::new_from_der(&oid, true, &value).unwrap())
            .unwrap();
    }
}

/// Subject and authority key identifiers, as every authority of today writes them.
fn identifiers(builder: &mut X509Builder, issuer: Option<&X509Ref>) {
    let own = SubjectKeyIdentifier::new()
        .build(&builder.x509v3_context(issuer, None))
        .unwrap();
    builder.append_extension(own).unwrap();
    if issuer.is_some_and(|issuer| issuer.subject_key_id().is_some()) {
        let authority = AuthorityKeyIdentifier::new()
            .keyid(true)
            .build(&builder.x509v3_context(issuer, None))
            .unwrap();
        builder.append_extension(authority).unwrap();
    }
}

fn subject_name(text: &str) -> openssl::x509::X509Name {
    let mut name = X509NameBuilder::new().unwrap();
    for part in text.rsplit(',') {
        let (kind, value) = part.split_once('=').expect("TYPE=value");
        name.append_entry_by_text(kind, value).unwrap();
    }
    name.build()
}

fn nid(curve: &str) -> Nid {
    match curve {
        "p256" => Nid::X9_62_PRIME256V1,
        "p384" => Nid::SECP384R1,
        "p521" => Nid::SECP521R1,
        "brainpoolP256r1" => Nid::BRAINPOOL_P256R1,
        other => panic!("no curve {other}"),
    }
}

/// The bytes behind a SPEC.
fn content(spec: &str, shelf: &Shelf) -> Vec<u8> {
    let words: Vec<&str> = spec.split(' ').collect();
    let made = |name: &str| shelf.get(name).unwrap_or_else(|| panic!("no certificate {name}"));
    let pem = |name: &str| String::from_utf8(made(name).certificate.to_pem().unwrap()).unwrap();
    let joined = |names: &[&str]| names.iter().map(|name| pem(name)).collect::<Vec<_>>();
    match words[0] {
        "pem" => joined(&words[1..]).concat().into_bytes(),
        "glued" => joined(&words[1..])
            .iter()
            .map(|one| one.trim_end())
            .collect::<String>()
            .into_bytes(),
        "bom" => format!("\u{feff}{}", pem(words[1])).into_bytes(),
        "typographic" => pem(words[1]).replace("-----", "\u{2014}\u{2014}-").into_bytes(),
        "der" => made(words[1]).certificate.to_der().unwrap(),
        "key" => made(words[1]).key.private_key_to_pem_pkcs8().unwrap(),
        "locked" => made(words[1])
            .key
            .private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), words[2].as_bytes())
            .unwrap(),
        "csr" => request(made(words[1])),
        "csr-as-certificate" => String::from_utf8(request(made(words[1])))
            .unwrap()
            .replace("CERTIFICATE REQUEST", "CERTIFICATE")
            .into_bytes(),
        "p7-as-certificate" => pkcs7(
            &words[1..]
                .iter()
                .map(|name| made(name).certificate.clone())
                .collect::<Vec<_>>(),
        ),
        "stash" => keystore::write_stash(
            &Password::new(words[1]),
            keystore::StashVersion::V2,
            &mut env(&mut Counting(7)),
        )
        .unwrap(),
        "wa" => keystore::write_wa_password(&Password::new(words[1])),
        "wa-echo" => format!(
            "{}\n",
            openssl::base64::encode_block(format!("{}\n", words[1]).as_bytes())
        )
        .into_bytes(),
        "empty" => Vec::new(),
        "flipped" => {
            let mut bytes = content(&words[1..].join(" "), shelf);
            let middle = bytes.len() / 3;
            bytes.truncate(middle * 2);
            bytes
        }
        "jks" | "p12" | "kdb" => store(words[0], words[1], &words[2..], shelf),
        other => panic!("no file of kind {other}"),
    }
}

fn request(made: &Made) -> Vec<u8> {
    let mut builder = X509ReqBuilder::new().unwrap();
    builder.set_subject_name(made.certificate.subject_name()).unwrap();
    builder.set_pubkey(&made.key).unwrap();
    builder.sign(&made.key, MessageDigest::sha256()).unwrap();
    builder.build().to_pem().unwrap()
}

/// A PKCS#7 collection under the label CERTIFICATE.
fn pkcs7(certificates: &[X509]) -> Vec<u8> {
    let all: Vec<u8> = certificates
        .iter()
        .flat_map(|one| one.to_der().unwrap())
        .collect();
    let oid =
        |last: u8| keystore::der::write(0x06, &[&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, last]]);
    let signed = keystore::der::write_sequence(&[
        &keystore::der::write_u64(1),
        &keystore::der::write(0x31, &[]),
        &keystore::der::write_sequence(&[&oid(1)]),
        &keystore::der::write(0xa0, &[&all]),
        &keystore::der::write(0x31, &[]),
    ]);
    let der = keystore::der::write_sequence(&[&oid(2), &keystore::der::write(0xa0, &[&signed])]);
    let text = openssl::base64::encode_block(&der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|chunk| std::str::from_utf8(chunk).unwrap())
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
    .into_bytes()
}

fn store(kind: &str, password: &str, entries: &[&str], shelf: &Shelf) -> Vec<u8> {
    let format = match kind {
        "jks" => Format::Jks,
        "p12" => Format::Pkcs12,
        _ => Format::CmsKdb,
    };
    let mut store = Store::empty(format).unwrap();
    let mut counting = Counting(1);
    let mut env = env(&mut counting);
    let old = None;
    let new = Password::new(password);
    store
        .edit(
            &Edit::SetPassword {
                old,
                new: new.clone(),
            },
            &mut env,
        )
        .unwrap();
    for entry in entries {
        let (alias, what) = entry.split_once('=').expect("alias=kind:names");
        let alias = Some(alias.replace('~', " "));
        let (kind, names) = what.split_once(':').expect("kind:names");
        let chain: Vec<Certificate> = names
            .split('+')
            .map(|name| {
                Certificate::parse(
                    &shelf[name.split('/').next().unwrap()]
                        .certificate
                        .to_der()
                        .unwrap(),
                )
                .unwrap()
            })
            .collect();
        // `key:leaf/other` puts the key of `other` under the certificate of `leaf`.
        let holder = names.split('+').next().unwrap().rsplit('/').next().unwrap();
        let edit = if kind == "key" {
            let key = PrivateKey::from_any_der(&shelf[holder].key.private_key_to_pkcs8().unwrap()).unwrap();
            Edit::PutKey {
                alias,
                key,
                chain,
                key_password: None,
                place: Place::Last,
            }
        } else {
            Edit::Trust {
                alias,
                certificate: chain[0].clone(),
                place: Place::Last,
            }
        };
        store.edit(&edit, &mut env).unwrap();
    }
    store.write(Some(&new), &mut env).unwrap()
}

fn env(counting: &mut Counting) -> WriteEnv<'_> {
    WriteEnv {
        now_ms: NOW * 1000,
        entropy: counting,
    }
}

/// Bytes that differ and repeat from run to run.
struct Counting(u64);

impl Entropy for Counting {
    fn fill(&mut self, into: &mut [u8]) {
        for byte in into {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = (self.0 >> 33) as u8;
        }
    }
}
