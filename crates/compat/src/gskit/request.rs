//! `-certreq`: requests made, kept in the `.rdb` beside the store, shown and taken away.

use keystore::{Body, Edit};

use crate::gskit::args::Args;
use crate::gskit::database::{self, Database, OWN};
use crate::gskit::details;
use crate::gskit::fault::{self, Result};
use crate::gskit::issue::{self, SignatureChoice};
use crate::gskit::{list, shelf};
use crate::io::Io;
use crate::keytool::{extensions, issue as writer, keys, pem_text};

/// Makes a pair and a request; the key waits in the `.rdb`.
pub(crate) fn create(args: &Args, io: &mut Io) -> Result<()> {
    let label = args.needed("-label")?;
    let file = io.path(args.file("-file")?);
    let database = Database::open_to_write(args, OWN, io)?;
    let mut requests = database.requests(io)?;
    if shelf::has_label(&database.store, label) || requests.store.find(label).is_some() {
        return Err(fault::with(29, label));
    }
    let subject = issue::subject(args)?;
    let algorithm = SignatureChoice::of(args)?;
    let pair = algorithm.pair(args)?;
    let built = extensions::build(None, &[], &issue::asked_extensions(args)?, &pair.spki, None)?;
    let der = writer::request(&subject, &pair.spki, &built, &pair.private, &algorithm.name)?;
    let edit = Edit::PutRequest {
        alias: label.to_owned(),
        request: der.clone(),
        key: pair.private,
    };
    requests.edit(&edit, io)?;
    // The key is on disk before anybody can send its request away.
    requests.save(io)?;
    write(&file, &der, args)
}

/// Makes a request anew for a personal certificate, with its key and its name.
pub(crate) fn recreate(args: &Args, io: &mut Io) -> Result<()> {
    let label = args.needed("-label")?;
    let target = io.path(args.file("-target")?);
    let database = Database::open(args, OWN, io)?;
    let (index, own) = shelf::find_personal(&database.store, label)?;
    let key = database.store.entries()[index].unlock(Some(&database.password))?;
    let algorithm = match args.has("-sigalg") {
        true => SignatureChoice::of(args)?.name,
        false => keys::default_signature(&own.public_key())?,
    };
    let names: Vec<_> = own
        .extensions()
        .filter(|extension| extension.oid == keystore::oid::SUBJECT_ALT_NAME)
        .collect();
    let built = extensions::build(None, &names, &issue::asked_extensions(args)?, own.spki(), None)?;
    let der = writer::request(own.subject().der(), own.spki(), &built, &key, &algorithm)?;
    write(&target, &der, args)
}

/// Lists the labels.
pub(crate) fn list(args: &Args, io: &mut Io) -> Result<()> {
    let database = Database::open(args, OWN, io)?;
    let requests = database.requests(io)?;
    let mut text = match requests.store.entries().is_empty() {
        true => "No certificate requests were found.\n".to_owned(),
        false => "Certificates requests found\n".to_owned(),
    };
    for entry in requests.store.entries() {
        text += &format!("\t{}\n", list::shown(&shelf::label(entry)));
    }
    io.print_bytes(text.as_bytes());
    Ok(())
}

/// Shows one.
pub(crate) fn details(args: &Args, io: &mut Io) -> Result<()> {
    let label = args.needed("-label")?;
    let (_, _, der) = found(args, label, io)?;
    let text = details::show_request(label, &details::parse_request(&der)?);
    io.print_bytes(text.as_bytes());
    Ok(())
}

/// Writes one into a file again.
pub(crate) fn extract(args: &Args, io: &mut Io) -> Result<()> {
    let label = args.needed("-label")?;
    let target = io.path(args.file("-target")?);
    let (_, _, der) = found(args, label, io)?;
    write(&target, &der, args)
}

/// Takes one away, with its key.
pub(crate) fn delete(args: &Args, io: &mut Io) -> Result<()> {
    let label = args.needed("-label")?;
    let _lock = database::lock(&io.path(args.file("-db")?))?;
    let (mut requests, index, _) = found(args, label, io)?;
    requests.edit(&Edit::Remove { index }, io)?;
    requests.save(io)
}

fn found(args: &Args, label: &str, io: &mut Io) -> Result<(Database, usize, Vec<u8>)> {
    let database = Database::open(args, OWN, io)?;
    let requests = database.requests(io)?;
    let index = requests.store.find(label).ok_or_else(|| fault::no_label(label))?;
    let der = match requests.store.entries()[index].body() {
        Body::Request { der, .. } => der.clone(),
        _ => return Err(fault::with(106, label)),
    };
    Ok((requests, index, der))
}

fn write(path: &std::path::Path, der: &[u8], args: &Args) -> Result<()> {
    let bytes = match issue::is_binary(args)? {
        true => der.to_vec(),
        false => pem_text::block("NEW CERTIFICATE REQUEST", der, "\n").into_bytes(),
    };
    database::write_file(path, &bytes)
}
