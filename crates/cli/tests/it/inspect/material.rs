//! Files made for one case: identities, trust stores, bundles and depots, in the format that their ending says.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::rc::Rc;

use keystore::Certificate;
use keystore::Format;
use keystore::Limits;
use keystore::PrivateKey;
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::EcGroup;
use openssl::ec::EcKey;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::pkey::Private;
use openssl::rsa::Rsa;
use openssl::x509::X509;
use openssl::x509::X509Name;
use openssl::x509::extension::BasicConstraints;
use openssl::x509::extension::ExtendedKeyUsage;

use crate::made;

/// What a certificate shall be.
#[derive(Clone)]
pub struct Asked {
    /// `CN=x, O=y`.
    pub name: &'static str,
    /// The certificate that issues it; empty = itself.
    pub issuer: &'static str,
    pub key: KeyKind,
    pub sha1: bool,
    /// From now.
    pub days: (i64, i64),
    pub is_ca: bool,
    pub server_only: bool,
}

type Named = BTreeMap<&'static str, (PKey<Private>, X509)>;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    P256,
    Rsa1024,
    Rsa2048,
}

/// A directory to make files in, and the certificates that have names in the cases.
#[derive(Clone)]
pub struct Files {
    dir: PathBuf,
    named: Rc<RefCell<Named>>,
}

impl Files {
    pub fn new() -> Files {
        let files = Files {
            dir: PathBuf::new(),
            named: Rc::default(),
        };
        let ca = |name, issuer| Asked {
            name,
            issuer,
            key: KeyKind::Rsa2048,
            sha1: false,
            days: (-100, 3000),
            is_ca: true,
            server_only: false,
        };
        for (name, asked) in [
            ("root", ca("CN=Root", "")),
            ("other root", ca("CN=Other root", "")),
            ("mid", ca("CN=Mid", "root")),
            ("false mid", ca("CN=Mid", "root")),
            ("leaf", files.leaf()),
            (
                "other leaf",
                Asked {
                    name: "CN=other",
                    ..files.leaf()
                },
            ),
            (
                "server only",
                Asked {
                    server_only: true,
                    ..files.leaf()
                },
            ),
        ] {
            let made = files.make(&asked);
            files.named.borrow_mut().insert(name, made);
        }
        files
    }

    pub fn at(&self, dir: &Path) -> Files {
        Files {
            dir: dir.to_owned(),
            named: Rc::clone(&self.named),
        }
    }

    /// A sound leaf that `mid` issues.
    pub fn leaf(&self) -> Asked {
        Asked {
            name: "CN=leaf, O=Cases",
            issuer: "mid",
            key: KeyKind::P256,
            sha1: false,
            days: (-10, 300),
            is_ca: false,
            server_only: false,
        }
    }

    /// A new key with its chain.
    pub fn identity(&self, name: &str, asked: &Asked) {
        let (key, leaf) = self.make(asked);
        let mut chain = vec![parsed(&leaf)];
        if !asked.issuer.is_empty() {
            chain.extend([self.certificate("mid"), self.certificate("root")]);
        }
        self.put(name, &opened(&key), &chain);
    }

    /// The key of `leaf` with these certificates.
    pub fn key_with(&self, name: &str, chain: &[&str]) {
        let key = opened(&self.named.borrow()["leaf"].0);
        let chain: Vec<Certificate> = chain.iter().map(|name| self.certificate(name)).collect();
        self.put(name, &key, &chain);
    }

    /// The key of `leaf` without a certificate.
    pub fn key_alone(&self, name: &str) {
        let key = opened(&self.named.borrow()["leaf"].0);
        self.put(name, &key, &[]);
    }

    /// Trusted certificates under names.
    pub fn trust(&self, name: &str, entries: &[(&'static str, &str)]) {
        let format = format_of(name);
        let alias = |alias| (format != Format::Pem).then_some(alias);
        let edits: Vec<keystore::Edit> = entries
            .iter()
            .map(|(own, certificate)| made::trust(alias(*own), &self.certificate(certificate)))
            .collect();
        self.write(name, &made::store(format, password(format), &edits));
    }

    /// Certificates in PEM.
    pub fn chain(&self, name: &str, certificates: &[&str]) {
        let edits: Vec<keystore::Edit> = certificates
            .iter()
            .map(|name| made::trust(None, &self.certificate(name)))
            .collect();
        self.write(name, &made::store(Format::Pem, None, &edits));
    }

    /// A depot as it should be, its key locked with the password in its stash.
    pub fn depot(&self) {
        self.chain("depot/ca.crt", &["root"]);
        self.chain("depot/tls.crt", &["leaf"]);
        self.chain("depot/additionalCAs/mid.crt", &["mid"]);
        let key = opened(&self.named.borrow()["leaf"].0);
        let edit = made::key(None, &key, &[], Some("changeit"));
        self.write("depot/tls.key", &made::store(Format::Pem, None, &[edit]));
        self.stash("depot/tls.sth", "changeit");
    }

    pub fn der(&self, name: &str, certificate: &str) {
        self.write(name, self.certificate(certificate).der());
    }

    pub fn stash(&self, name: &str, password: &str) {
        self.write(name, &made::stash(password));
    }

    pub fn glued(&self, name: &str, glued: bool) {
        let mut text = self.named.borrow()["root"].1.to_pem().unwrap();
        if glued {
            text.pop();
        }
        text.extend(self.named.borrow()["other root"].1.to_pem().unwrap());
        self.write(name, &text);
    }

    /// A store that ends too early.
    pub fn cut(&self, name: &str) {
        self.key_with(name, &["leaf"]);
        let bytes = std::fs::read(self.dir.join(name)).unwrap();
        self.write(name, &bytes[..bytes.len() / 2]);
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub fn moved(&self, from: &str, to: &str) {
        std::fs::rename(self.dir.join(from), self.dir.join(to)).unwrap();
    }

    pub fn remove(&self, name: &str) {
        std::fs::remove_file(self.dir.join(name)).unwrap();
    }

    fn put(&self, name: &str, key: &PrivateKey, chain: &[Certificate]) {
        let format = format_of(name);
        let alias = (format != Format::Pem).then_some("own");
        let edit = made::key(alias, key, chain, None);
        self.write(name, &made::store(format, password(format), &[edit]));
    }

    pub fn certificate(&self, name: &str) -> Certificate {
        parsed(&self.named.borrow()[name].1)
    }

    pub fn make(&self, asked: &Asked) -> (PKey<Private>, X509) {
        let key = match asked.key {
            KeyKind::P256 => {
                let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
                PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
            }
            KeyKind::Rsa1024 => PKey::from_rsa(Rsa::generate(1024).unwrap()).unwrap(),
            KeyKind::Rsa2048 => PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap(),
        };
        // Two leaves of one name are two certificates of one key, so that a depot's key goes on to fit.
        let key = match (asked.server_only, self.named.borrow().get("leaf")) {
            (true, Some((key, _))) => key.clone(),
            _ => key,
        };
        let mut name = X509Name::builder().unwrap();
        for part in asked.name.split(", ") {
            let (kind, value) = part.split_once('=').unwrap();
            name.append_entry_by_text(kind, value).unwrap();
        }
        let name = name.build();
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        let mut serial = BigNum::new().unwrap();
        serial.rand(80, openssl::bn::MsbOption::ONE, false).unwrap();
        builder
            .set_serial_number(&serial.to_asn1_integer().unwrap())
            .unwrap();
        builder.set_subject_name(&name).unwrap();
        builder.set_pubkey(&key).unwrap();
        let now = i64::try_from(
            std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap()
                .as_secs(),
        )
        .unwrap();
        let at = |days: i64| Asn1Time::from_unix(now + days * 86_400).unwrap();
        builder.set_not_before(&at(asked.days.0)).unwrap();
        builder.set_not_after(&at(asked.days.1)).unwrap();
        let mut constraints = BasicConstraints::new();
        if asked.is_ca {
            constraints.ca();
        } else {
            let mut usage = ExtendedKeyUsage::new();
            usage.server_auth();
            if !asked.server_only {
                usage.client_auth();
            }
            builder.append_extension(usage.build().unwrap()).unwrap();
        }
        builder.append_extension(constraints.build().unwrap()).unwrap();
        let digest = if asked.sha1 {
            MessageDigest::sha1()
        } else {
            MessageDigest::sha256()
        };
        let named = self.named.borrow();
        let (issuer_key, issuer_name) = match named.get(asked.issuer) {
            Some((key, issuer)) => (key, issuer.subject_name()),
            None => (&key, &*name),
        };
        builder.set_issuer_name(issuer_name).unwrap();
        builder.sign(issuer_key, digest).unwrap();
        (key.clone(), builder.build())
    }
}

fn opened(key: &PKey<Private>) -> PrivateKey {
    let pem = key.private_key_to_pem_pkcs8().unwrap();
    let store = keystore::read(&pem, None, &Limits::default()).unwrap();
    store.entries()[0].unlock(None).unwrap()
}

fn parsed(certificate: &X509) -> Certificate {
    Certificate::parse(&certificate.to_der().unwrap()).unwrap()
}

fn password(format: Format) -> Option<&'static str> {
    (format != Format::Pem).then_some("changeit")
}

fn format_of(name: &str) -> Format {
    let has = |end: &str| name.contains(end);
    match name {
        _ if has(".jks") => Format::Jks,
        _ if has(".jceks") => Format::Jceks,
        _ if has(".bks") => Format::Bks,
        _ if has(".uber") => Format::Uber,
        _ if has(".bcfks") => Format::Bcfks,
        _ if has(".p12") || has(".pfx") => Format::Pkcs12,
        _ if has(".kdb") => Format::CmsKdb,
        _ => Format::Pem,
    }
}
