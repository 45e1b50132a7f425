//! Secret keys in a key database, in records of our own making.
//!
//! The layout of GSKit's records of secret keys is known to nobody but GSKit, which refuses a database as a whole when one
//! record is not as it should be. So a secret key stands where GSKit looks at nothing: in an extension of a certificate
//! that is not trusted, and that vouches for nothing.
//!
//! | part of the certificate | what stands there |
//! |---|---|
//! | subject and issuer | `CN=secret key,O=capgrow` |
//! | serial number, public key, signature | random: GSKit wants them to differ from those of other records |
//! | extension 2.25.168964703428538699816375145177478500532 | EncryptedPrivateKeyInfo: the key, under the store's password |
//!
//! Source: docs/formats/kdb.md, section 3.

use crate::certificate::Certificate;
use crate::der::{self, tag};
use crate::entry::Unlock;
use crate::error::UnlockError;
use crate::keys::EncryptedKey;
use crate::oid::{self, Oid};
use crate::secret::{Password, PrivateKey, SecretKey, WriteEnv};
use crate::secret_names;

/// The certificate that carries an encrypted key.
pub(super) fn wrap(sealed: &[u8], env: &mut WriteEnv<'_>) -> Vec<u8> {
    let name = |kind, text: &str| {
        let value = der::write(tag::UTF8_STRING, &[text.as_bytes()]);
        der::write(
            tag::SET,
            &[&der::write_sequence(&[&der::write_oid(kind), &value])],
        )
    };
    let name = der::write_sequence(&[
        &name(oid::COMMON_NAME, "secret key"),
        &name(oid::ORGANIZATION, "capgrow"),
    ]);
    let algorithm = der::write_algorithm(oid::SHA256_RSA, &der::write_null());
    let always = der::write_sequence(&[
        &der::write(tag::UTC_TIME, &[b"000101000000Z"]),
        &der::write(tag::UTC_TIME, &[b"491231235959Z"]),
    ]);
    let mut modulus = env.random::<128>();
    modulus[0] |= 0x80;
    modulus[127] |= 1;
    let key = der::write_sequence(&[&der::write_unsigned(&modulus), &der::write_u64(65_537)]);
    let key = der::write_sequence(&[
        &der::write_algorithm(oid::RSA, &der::write_null()),
        &der::write_bits(&key),
    ]);
    let extension = der::write_sequence(&[&der::write(tag::OID, &[&CARRIER]), &der::write_octets(sealed)]);
    let extensions = der::write(
        tag::context_constructed(3),
        &[&der::write_sequence(&[&extension])],
    );
    let mut serial = env.random::<8>();
    serial[0] |= 0x40;
    let body = der::write_sequence(&[
        &der::write(tag::context_constructed(0), &[&der::write_u64(2)]),
        &der::write_unsigned(&serial),
        &algorithm,
        &name,
        &always,
        &name,
        &key,
        &extensions,
    ]);
    der::write_sequence(&[&body, &algorithm, &der::write_bits(&env.random::<128>())])
}

/// The encrypted key in such a certificate; nothing for any other.
pub(super) fn sealed_in(certificate: &Certificate) -> Option<Vec<u8>> {
    let carrier = Oid::from_content(&CARRIER)?;
    let extension = certificate.extension(carrier)?;
    Some(extension.value.to_vec())
}

/// A secret key under the store's password.
pub(super) struct SealedSecret(pub(super) EncryptedKey);

impl Unlock for SealedSecret {
    fn private_key(&self, _password: Option<&Password>) -> Result<PrivateKey, UnlockError> {
        Err(UnlockError::NoKey)
    }

    fn secret_key(&self, password: Option<&Password>) -> Result<SecretKey, UnlockError> {
        let frame = self.0.private_key(password)?;
        let what = "secret key's frame";
        secret_names::read_frame(frame.pkcs8_der()).map_err(|_| UnlockError::Malformed { what })
    }

    fn protection(&self) -> String {
        self.0.protection()
    }
}

/// 2.25.168964703428538699816375145177478500532, of a UUID, as ITU-T X.667 allows anybody to make one.
const CARRIER: [u8; 20] = [
    0x69, 0x81, 0xfe, 0x9d, 0xb5, 0xc3, 0xcb, 0xa4, 0x9a, 0xb0, 0x97, 0x9d, 0x97, 0x8f, 0x83, 0xf8, 0xd3,
    0xba, 0xa1, 0x34,
];
