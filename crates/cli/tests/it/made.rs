//! Stores made on the spot, of what the copied ones hold.

use keystore::Body;
use keystore::Certificate;
use keystore::Edit;
use keystore::Entropy;
use keystore::Format;
use keystore::Limits;
use keystore::Password;
use keystore::Place;
use keystore::PrivateKey;
use keystore::Store;
use keystore::WriteEnv;

use crate::corpus::copies;

/// A root certificate that is valid for years.
pub fn root() -> Certificate {
    let bytes = std::fs::read(copies("jks17-mixed.jks")).unwrap();
    let store = keystore::read(&bytes, None, &Limits::default()).unwrap();
    store.entries()[store.find("root").unwrap()].certificates()[0].clone()
}

/// A key in the clear, with the chain that belongs to it.
pub fn identity(alias: &str) -> (PrivateKey, Vec<Certificate>) {
    let bytes = std::fs::read(copies("jks17-mixed.jks")).unwrap();
    let password = Password::new("changeit");
    let store = keystore::read(&bytes, Some(&password), &Limits::default()).unwrap();
    let entry = &store.entries()[store.find(alias).unwrap()];
    let Body::PrivateKey { chain, .. } = entry.body() else {
        panic!("{alias} is a key")
    };
    (entry.unlock(Some(&password)).unwrap(), chain.clone())
}

/// A store with these edits and this password, as bytes. The randomness is the seed 1.
pub fn store(format: Format, password: Option<&str>, edits: &[Edit]) -> Vec<u8> {
    let mut random = Counter(1);
    let mut env = WriteEnv {
        now_ms: 1_700_000_000_000,
        entropy: &mut random,
    };
    let mut store = Store::empty(format).unwrap();
    if let Some(password) = password {
        store
            .edit(
                &Edit::SetPassword {
                    old: None,
                    new: Password::new(password),
                },
                &mut env,
            )
            .unwrap();
    }
    for edit in edits {
        store.edit(edit, &mut env).unwrap();
    }
    store.write(None, &mut env).unwrap()
}

/// The edit that adds a trusted certificate.
pub fn trust(alias: Option<&str>, certificate: &Certificate) -> Edit {
    Edit::Trust {
        alias: alias.map(str::to_owned),
        certificate: certificate.clone(),
        place: Place::Last,
    }
}

/// The edit that adds a key.
pub fn key(alias: Option<&str>, key: &PrivateKey, chain: &[Certificate], key_password: Option<&str>) -> Edit {
    Edit::PutKey {
        alias: alias.map(str::to_owned),
        key: key.clone(),
        chain: chain.to_vec(),
        key_password: key_password.map(Password::new),
        place: Place::Last,
    }
}

/// A GSKit stash.
pub fn stash(password: &str) -> Vec<u8> {
    let mut random = Counter(1);
    let mut env = WriteEnv {
        now_ms: 0,
        entropy: &mut random,
    };
    keystore::write_stash(&Password::new(password), keystore::StashVersion::V2, &mut env).unwrap()
}

/// Splitmix64, so that a run can be repeated.
struct Counter(u64);

impl Entropy for Counter {
    fn fill(&mut self, into: &mut [u8]) {
        for byte in into {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *byte = (mixed >> 32) as u8;
        }
    }
}
