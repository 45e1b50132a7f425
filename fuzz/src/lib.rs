//! Targets: each takes any bytes and must neither panic, nor hang, nor take more memory than [`memory_limit`].
//!
//! A target is a plain function, so that the tests here and a coverage-guided fuzzer run the same. Every one also checks
//! what must hold for bytes that are accepted: written without an edit they are the same, and after an edit they are read
//! again.
#![deny(missing_docs)]

pub mod mutation;
pub mod seeds;

use keystore::{Edit, Entropy, Format, Limits, ParseError, Password, Store, WriteEnv};

/// How far a reader came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Refused at its first bytes, or taken for another format.
    Header,
    /// Refused later.
    Body,
    /// Read to its end.
    Accepted,
}

/// A target and its name.
pub type Target = (&'static str, fn(&[u8]) -> Depth);

/// Every target, in the order of their names.
pub const TARGETS: &[Target] = &[
    ("bcfks", bcfks),
    ("bks", bks),
    ("certificate", certificate),
    ("cms", cms),
    ("der", der),
    ("jceks", jceks),
    ("jks", jks),
    ("names", names),
    ("pem", pem),
    ("pkcs12", pkcs12),
    ("pkcs7", pkcs7),
    ("request", request),
    ("revocation-list", revocation_list),
    ("stash", stash),
    ("uber", uber),
];

/// Most bytes that reading an input may take beside the input itself.
pub fn memory_limit(input_bytes: usize) -> usize {
    8 * input_bytes + (1 << 20)
}

/// Rounds of a key derivation are capped, as what is searched for is not in them.
pub fn limits() -> Limits {
    Limits {
        max_kdf_rounds: 1000,
        ..Limits::default()
    }
}

/// BCFKS.
pub fn bcfks(data: &[u8]) -> Depth {
    store(data, &[Format::Bcfks], 8)
}

/// BKS of both versions.
pub fn bks(data: &[u8]) -> Depth {
    store(data, &[Format::Bks], 32)
}

/// One certificate, and every view that is made of it later.
pub fn certificate(data: &[u8]) -> Depth {
    let certificate = match keystore::Certificate::parse(data) {
        Ok(certificate) => certificate,
        Err(error) => return depth_of(error.offset(), 4),
    };
    let _ = (
        certificate.subject().to_string(),
        certificate.issuer().canonical(),
    );
    let _ = (
        certificate.public_key().kind().to_string(),
        certificate.serial_hex(),
    );
    let _ = (certificate.basic_constraints(), certificate.subject_alt_names());
    let _ = (
        certificate.subject_key_identifier(),
        certificate.authority_key_identifier(),
    );
    let _ = (certificate.extended_key_usage(), certificate.is_self_issued());
    assert_eq!(certificate.der(), data);
    Depth::Accepted
}

/// GSKit's databases: keys, requests, revocation lists.
pub fn cms(data: &[u8]) -> Depth {
    store(data, &[Format::CmsCrl, Format::CmsKdb, Format::CmsRdb], 0x30)
}

/// Bare DER objects.
pub fn der(data: &[u8]) -> Depth {
    store(data, &[Format::Der], 4)
}

/// JCEKS with its object streams.
pub fn jceks(data: &[u8]) -> Depth {
    store(data, &[Format::Jceks], 12)
}

/// JKS.
pub fn jks(data: &[u8]) -> Depth {
    store(data, &[Format::Jks], 12)
}

/// Names as text, as DER, and as the hash of a directory.
pub fn names(data: &[u8]) -> Depth {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(encoded) = keystore::name::encode(text)
    {
        let name = keystore::Name::parse(&encoded, 0).expect("what was encoded can be walked");
        let _ = (name.to_string(), keystore::name_hash(&name));
        return Depth::Accepted;
    }
    match keystore::Name::parse(data, 0) {
        Ok(name) => {
            let _ = (
                name.to_string(),
                name.common_name(),
                keystore::old_name_hash(&name),
            );
            assert!(name.is_same(&name));
            Depth::Accepted
        }
        Err(error) => depth_of(error.offset(), 2),
    }
}

/// PEM.
pub fn pem(data: &[u8]) -> Depth {
    store(data, &[Format::Pem], 11)
}

/// PKCS#12.
pub fn pkcs12(data: &[u8]) -> Depth {
    store(data, &[Format::Pkcs12], 8)
}

/// PKCS#7 in DER.
pub fn pkcs7(data: &[u8]) -> Depth {
    store(data, &[Format::Pkcs7], 20)
}

/// One certificate request.
pub fn request(data: &[u8]) -> Depth {
    match keystore::Request::parse(data) {
        Ok(request) => {
            let _ = (
                request.subject.to_string(),
                request.public_key().kind().to_string(),
            );
            Depth::Accepted
        }
        Err(error) => depth_of(error.offset(), 4),
    }
}

/// One revocation list.
pub fn revocation_list(data: &[u8]) -> Depth {
    match keystore::RevocationList::parse(data) {
        Ok(list) => {
            let _ = list.issuer.to_string();
            Depth::Accepted
        }
        Err(error) => depth_of(error.offset(), 4),
    }
}

/// GSKit's stash, and the two ways in which passwords stand in settings.
pub fn stash(data: &[u8]) -> Depth {
    let mut depth = Depth::Header;
    if let Ok((password, version)) = keystore::read_stash(data) {
        let again = keystore::write_stash(&password, version, &mut Source(1).env());
        if let Ok(again) = again {
            let (read, _) = keystore::read_stash(&again).expect("what was written can be read");
            assert!(read == password);
        }
        depth = Depth::Accepted;
    }
    let _ = keystore::read_wa_password(data);
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = keystore::read_xor(text);
    }
    depth
}

/// UBER.
pub fn uber(data: &[u8]) -> Depth {
    store(data, &[Format::Uber, Format::Bks], 32)
}

/// Reads a store, with or without its password as the bytes themselves say, so that a case repeats.
fn store(data: &[u8], formats: &[Format], header_bytes: usize) -> Depth {
    let sum = data.iter().fold(0u32, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u32::from(*byte))
    });
    let password = (sum % 4 != 0).then(|| Password::new("changeit"));
    let store = match keystore::read(data, password.as_ref(), &limits()) {
        Ok(store) => store,
        Err(error) => return depth_of_refusal(&error, formats, header_bytes),
    };
    if !formats.contains(&store.format()) {
        return Depth::Header;
    }
    let written = store.write(None, &mut Source(2).env());
    assert!(
        written.as_deref() == Ok(data),
        "written without an edit, a {} store has other bytes",
        store.format().name()
    );
    for note in store.notes() {
        let _ = note.to_string();
    }
    if sum % 8 == 1 {
        unlock(&store, password.as_ref());
    }
    if sum % 8 == 2 {
        edit(&store, sum as usize / 8, password.as_ref());
    }
    Depth::Accepted
}

fn unlock(store: &Store, password: Option<&Password>) {
    for entry in store.entries().iter().take(3) {
        let _ = (entry.protection(), entry.kind_name());
        let _ = entry.unlock(password);
        let _ = entry.unlock_secret(password);
    }
}

/// Takes one entry away or gives it another name; what is written is read again.
fn edit(store: &Store, number: usize, password: Option<&Password>) {
    let count = store.entries().len();
    if count == 0 {
        return;
    }
    let index = number % count;
    let edit = match number % 2 {
        0 => Edit::Remove { index },
        _ => Edit::Rename {
            index,
            alias: "another name".to_owned(),
        },
    };
    let mut edited = store.clone();
    if edited.edit(&edit, &mut Source(3).env()).is_err() {
        return;
    }
    let Ok(written) = edited.write(password, &mut Source(4).env()) else {
        return;
    };
    match keystore::read(&written, password, &limits()) {
        Ok(again) => assert_eq!(again.entries().len(), edited.entries().len()),
        // The last block of a PEM file may have gone.
        Err(_) if written.trim_ascii().is_empty() || edited.entries().is_empty() => {}
        Err(error) => panic!("written after an edit, {}: {error}", store.format().name()),
    }
}

fn depth_of_refusal(error: &ParseError, formats: &[Format], header_bytes: usize) -> Depth {
    let text = error.to_string();
    let is_of = |format: &Format| text.starts_with(format.name());
    match error.offset() {
        _ if !formats.iter().any(is_of) => Depth::Header,
        Some(offset) => depth_of(offset, header_bytes),
        None => Depth::Body,
    }
}

fn depth_of(offset: usize, header_bytes: usize) -> Depth {
    if offset < header_bytes {
        Depth::Header
    } else {
        Depth::Body
    }
}

/// Splitmix64, for salts.
pub struct Source(pub u64);

impl Source {
    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, which is not zero.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.draw() % limit as u64) as usize
    }

    fn env(&mut self) -> WriteEnv<'_> {
        WriteEnv {
            now_ms: 1_700_000_000_000,
            entropy: self,
        }
    }
}

impl Entropy for Source {
    fn fill(&mut self, into: &mut [u8]) {
        into.iter_mut().for_each(|byte| *byte = self.draw() as u8);
    }
}
