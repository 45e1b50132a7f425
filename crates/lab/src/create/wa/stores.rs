//! Stores with the default certificates, written by `keystore`, and the password files beside them.

use std::time::{SystemTime, UNIX_EPOCH};

use keystore::{Certificate, Edit, Entropy, Format, Password, PrivateKey, Store, WriteEnv};

use crate::LabError;
use crate::material::{Made, Request, UseFor, make};

/// The product's four default identities, made on the spot with its subject names.
pub(super) struct Defaults {
    /// 1024 bits, trusted, presented by nobody.
    pub(super) server: Made,
    /// 1024 bits, trusted, presented by nobody.
    pub(super) client: Made,
    pub(super) server_new: Made,
    pub(super) client_new: Made,
}

impl Defaults {
    pub(super) fn make() -> Result<Defaults, LabError> {
        let one = |name: &str, bits| {
            let subject = [("C", "US"), ("O", "IBM"), ("OU", "TWS"), ("CN", name)];
            make(
                &Request {
                    subject: &subject,
                    bits,
                    days: 3650,
                    use_for: UseFor::Plain,
                },
                None,
            )
        };
        Ok(Defaults {
            server: one("Server", 1024)?,
            client: one("Client", 1024)?,
            server_new: one("ServerNew", 2048)?,
            client_new: one("ClientNew", 2048)?,
        })
    }

    /// In the order of the product's own bundle.
    pub(super) fn all(&self) -> [&Made; 4] {
        [&self.server, &self.server_new, &self.client, &self.client_new]
    }
}

/// What goes into a store.
pub(super) enum Item<'a> {
    Key(&'a str, &'a Made),
    Trust(&'a str, &'a Made),
}

/// Writes a new store with these entries, in this order.
pub(super) fn store(format: Format, password: &str, items: &[Item<'_>]) -> Result<Vec<u8>, LabError> {
    let wrong = |what: String| LabError::Content {
        path: format.name().into(),
        what,
    };
    let password = Password::new(password);
    let mut entropy = FromOpenSsl;
    let mut env = WriteEnv {
        now_ms: now_ms(),
        entropy: &mut entropy,
    };
    let mut store = Store::empty(format).map_err(|e| wrong(e.to_string()))?;
    for item in items {
        let (Item::Key(alias, made) | Item::Trust(alias, made)) = item;
        let der = made
            .certificate
            .to_der()
            .map_err(openssl("write a certificate"))?;
        let certificate = Certificate::parse(&der).map_err(|e| wrong(e.to_string()))?;
        let alias = Some((*alias).to_owned());
        let edit = match item {
            Item::Key(..) => {
                let der = made.key.private_key_to_pkcs8().map_err(openssl("write a key"))?;
                let key = PrivateKey::from_pkcs8_der(der).map_err(|e| wrong(e.to_string()))?;
                let key_password = Some(password.clone());
                Edit::PutKey {
                    alias,
                    key,
                    chain: vec![certificate],
                    key_password,
                    place: keystore::Place::Last,
                }
            }
            Item::Trust(..) => Edit::Trust {
                alias,
                certificate,
                place: keystore::Place::Last,
            },
        };
        store.edit(&edit, &mut env).map_err(|e| wrong(e.to_string()))?;
    }
    store
        .write(Some(&password), &mut env)
        .map_err(|e| wrong(e.to_string()))
}

/// GSKit's own disguise of a password.
pub(super) fn stash(password: &str) -> Result<Vec<u8>, LabError> {
    let mut entropy = FromOpenSsl;
    let mut env = WriteEnv {
        now_ms: now_ms(),
        entropy: &mut entropy,
    };
    keystore::write_stash(&Password::new(password), keystore::StashVersion::V2, &mut env).map_err(|e| {
        LabError::Content {
            path: "stash".into(),
            what: e.to_string(),
        }
    })
}

/// The product's password file: base64 in one line.
pub(super) fn base64_line(password: &str) -> Vec<u8> {
    format!("{}\n", openssl::base64::encode_block(password.as_bytes())).into_bytes()
}

/// Liberty's `{xor}` form of a password.
pub(super) fn xor(password: &str) -> String {
    let turned: Vec<u8> = password.bytes().map(|b| b ^ 0x5f).collect();
    format!("{{xor}}{}", openssl::base64::encode_block(&turned))
}

/// A password that nobody chose.
pub(super) fn random_word() -> Result<String, LabError> {
    let mut bytes = [0; 12];
    openssl::rand::rand_bytes(&mut bytes).map_err(openssl("draw random bytes"))?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

fn openssl(verb: &'static str) -> impl Fn(openssl::error::ErrorStack) -> LabError {
    move |source| LabError::OpenSsl { verb, source }
}

struct FromOpenSsl;

impl Entropy for FromOpenSsl {
    fn fill(&mut self, into: &mut [u8]) {
        openssl::rand::rand_bytes(into)
            .expect("the random generator of OpenSSL works once keys could be made");
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(0)
}

/// The password with which the product is delivered.
pub(super) const DELIVERED: &str = "default";
