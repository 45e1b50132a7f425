//! `-secretkey`: symmetric keys made, brought in, written into a file and taken away.

use keystore::{Body, Edit, Entropy, Place, SecretKey};
use zeroize::Zeroizing;

use crate::gskit::args::Args;
use crate::gskit::database::{self, Database, OWN};
use crate::gskit::fault::{self, Result};
use crate::gskit::{issue, shelf};
use crate::io::{Io, SystemEntropy};
use crate::keytool::{pem_text, request};
use crate::replace::replace_private;

/// Makes an AES key of 16, 24 or 32 bytes.
pub(crate) fn create(args: &Args, io: &mut Io) -> Result<()> {
    let size = args.needed("-size")?;
    let bytes = match size.parse() {
        Ok(bytes @ (16 | 24 | 32)) => bytes,
        _ => {
            let about = format!("-size {size}: 16, 24 or 32 is needed");
            return Err(fault::with(67, &about));
        }
    };
    let mut raw = Zeroizing::new(vec![0; bytes]);
    SystemEntropy.fill(&mut raw);
    put(args, raw, io)
}

/// Takes a key out of a file: one between lines that say `SECRET KEY`, or the bytes themselves.
pub(crate) fn add(args: &Args, io: &mut Io) -> Result<()> {
    let path = io.path(args.file("-file")?);
    let bytes = Zeroizing::new(database::read_file(&path)?);
    let body = request::body(&bytes, |line| {
        line.starts_with("-----BEGIN") && line.contains("SECRET KEY")
    });
    let raw = match body.is_empty() {
        true => bytes,
        false => {
            Zeroizing::new(request::decode(&body).map_err(|_| fault::with(93, "the key is not in base64"))?)
        }
    };
    if !matches!(raw.len(), 16 | 24 | 32) {
        let about = format!("{}: a key of 16, 24 or 32 bytes is needed", path.display());
        return Err(fault::with(67, &about));
    }
    put(args, raw, io)
}

/// Writes a key into a file that only its owner reads.
pub(crate) fn extract(args: &Args, io: &mut Io) -> Result<()> {
    let label = args.needed("-label")?;
    let target = io.path(args.file("-target")?);
    let database = Database::open(args, OWN, io)?;
    let index = own_key(&database, label)?;
    let key = database.store.entries()[index].unlock_secret(Some(&database.password))?;
    let bytes = Zeroizing::new(match issue::is_binary(args)? {
        true => key.raw().to_vec(),
        false => pem_text::block("SECRET KEY", key.raw(), "\n").into_bytes(),
    });
    replace_private(&target, &bytes).map_err(|error| database::not_written(&target, &error))
}

/// Takes a key away.
pub(crate) fn delete(args: &Args, io: &mut Io) -> Result<()> {
    let label = args.needed("-label")?;
    let mut database = Database::open_to_write(args, OWN, io)?;
    let index = own_key(&database, label)?;
    database.edit(&Edit::Remove { index }, io)?;
    database.save(io)
}

fn put(args: &Args, raw: Zeroizing<Vec<u8>>, io: &mut Io) -> Result<()> {
    let label = args.needed("-label")?;
    let mut database = Database::open_to_write(args, OWN, io)?;
    if shelf::has_label(&database.store, label) {
        return Err(fault::with(29, label));
    }
    let edit = Edit::PutSecret {
        alias: Some(label.to_owned()),
        key: SecretKey::new("AES", raw.to_vec()),
        key_password: None,
        place: Place::Last,
    };
    database.edit(&edit, io)?;
    database.save(io)
}

/// The entry of that label, when it is a secret key that can be opened.
fn own_key(database: &Database, label: &str) -> Result<usize> {
    let index = shelf::find(&database.store, label)?.index;
    let is_secret = |index: &usize| match database.store.entries()[*index].body() {
        Body::SecretKey { .. } => true,
        Body::Opaque { what } => what == "secret key",
        _ => false,
    };
    index
        .filter(is_secret)
        .ok_or_else(|| fault::with(105, &format!("{label} is no secret key")))
}
