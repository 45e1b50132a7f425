//! Certificates and keys into a store and out of it: `-cert -add|-extract|-receive|-import|-export`.

use std::path::Path;

use keystore::{Body, Certificate, Edit, Format, Limits, Place, PrivateKey, Request};

use crate::gskit::args::Args;
use crate::gskit::chain;
use crate::gskit::database::{self, Database, Names, OWN, TARGET};
use crate::gskit::fault::{self, Result};
use crate::gskit::issue;
use crate::gskit::shelf::{self, Row};
use crate::io::Io;

/// Puts the certificates of a file in as trusted ones.
pub(crate) fn add(args: &Args, io: &mut Io) -> Result<()> {
    let path = io.path(args.file("-file")?);
    let mut database = Database::open_to_write(args, OWN, io)?;
    let certificates = certificates_of(&path, args)?;
    let label = args.text("-label")?;
    let is_trusted = args.switch("-trust")?.unwrap_or(true);
    let is_one = certificates.len() == 1;
    let mut text = String::new();
    for certificate in &certificates {
        if let Some(known) = shelf::label_of_signer(&database.store, certificate) {
            if is_one {
                return Err(fault::with(25, &known));
            }
            text += &format!("{known} is in the database already\n");
            continue;
        }
        let label = match label {
            Some(label) if is_one && shelf::has_label(&database.store, label) => {
                return Err(fault::with(29, label));
            }
            Some(label) => shelf::free_label(&database.store, label),
            None => shelf::free_label(&database.store, &certificate.subject().to_string()),
        };
        trust(&mut database, &label, certificate, io)?;
        if !is_trusted {
            let (row, _) = shelf::find_certificate(&database.store, &label)?;
            database.store.distrust(row.index.unwrap_or_default())?;
        }
        if !is_one {
            text += &format!("{label} added\n");
        }
    }
    database.save(io)?;
    io.print_bytes(text.as_bytes());
    Ok(())
}

/// Writes one certificate into a file.
pub(crate) fn extract(args: &Args, io: &mut Io) -> Result<()> {
    let label = args.needed("-label")?;
    let target = io.path(args.file("-target")?);
    let database = Database::open(args, OWN, io)?;
    let (_, certificate) = shelf::find_certificate(&database.store, label)?;
    issue::write_certificate(&target, &certificate, args)
}

/// Takes the certificate that answers a request, or that renews one with the same key.
///
/// # Errors
/// 108 without a key for it. 146 with the certificate in its place, where its chain is not sound: as the original, which
/// warns and goes on.
pub(crate) fn receive(args: &Args, io: &mut Io) -> Result<()> {
    let path = io.path(args.file("-file")?);
    let mut database = Database::open_to_write(args, OWN, io)?;
    let mut requests = database.requests(io)?;
    let certificates = certificates_of(&path, args)?;
    let waiting = |certificate: &&Certificate| waiting(&requests, certificate).is_some();
    let owned = |certificate: &&Certificate| owner(&database, certificate).is_some();
    let found = certificates
        .iter()
        .find(waiting)
        .or_else(|| certificates.iter().find(owned));
    let certificate = found.cloned().ok_or_else(|| fault::code(108))?;
    let label = match waiting_key(&requests, &certificate)? {
        Some((index, asked, key)) => {
            let label = args.text("-label")?.map_or(asked, str::to_owned);
            let chain = chain_of(&database, &certificate);
            put_key(&mut database, &label, key, &chain, io)?;
            mark_default(args, &mut database, &label, io)?;
            // First the key in its new place, then the request away: at no moment is the key nowhere.
            database.save(io)?;
            requests.edit(&Edit::Remove { index }, io)?;
            requests.save(io)?;
            label
        }
        None => {
            let index = owner(&database, &certificate).ok_or_else(|| fault::code(108))?;
            renew(&mut database, index, &certificate, io)?;
            let label = shelf::label(&database.store.entries()[index]);
            mark_default(args, &mut database, &label, io)?;
            database.save(io)?;
            label
        }
    };
    let others = certificates.len() - 1;
    if others > 0 {
        let text = format!(
            "{label} received; {others} more in the file not added, as nothing says that they are trusted\n"
        );
        io.print_bytes(text.as_bytes());
    }
    chain::check(&database.store, &certificate, io.now_ms() / 1000)
}

/// Brings entries of another store in.
pub(crate) fn import(args: &Args, io: &mut Io) -> Result<()> {
    let source_names = match args.has("-db") {
        true => OWN,
        false => Names { file: "-file", ..OWN },
    };
    let source = Database::open(args, source_names, io)?;
    let mut target = Database::open_to_write(args, TARGET, io)?;
    let text = copy(args, &source, &mut target, io)?;
    target.save(io)?;
    io.print_bytes(text.as_bytes());
    Ok(())
}

/// Puts an entry, or all of them, into another store, which is made where it is not there.
pub(crate) fn export(args: &Args, io: &mut Io) -> Result<()> {
    args.needed("-label")?;
    let source = Database::open(args, OWN, io)?;
    let path = io.path(args.file("-target")?);
    let mut target = match path.exists() {
        true => Database::open_to_write(args, TARGET, io)?,
        false => {
            let kind = match args.has("-target_type") || path.extension().is_some_and(|end| end == "kdb") {
                true => database::kind(args, "-target_type", &path)?,
                false => Format::Pkcs12,
            };
            let password = database::new_password(args, TARGET, &path, io)?;
            let mut made = Database::create(path, kind, password, io)?;
            if kind == Format::Pkcs12 {
                made.use_encryption(args, io)?;
            }
            made
        }
    };
    let text = copy(args, &source, &mut target, io)?;
    target.save(io)?;
    io.print_bytes(text.as_bytes());
    Ok(())
}

/// Copies the entry of `-label` under `-new_label`, or all.
fn copy(args: &Args, source: &Database, target: &mut Database, io: &Io) -> Result<String> {
    if let Some(label) = args.text("-label")? {
        let row = shelf::find(&source.store, label)?;
        let new = args.text("-new_label")?.unwrap_or(label);
        if shelf::has_label(&target.store, new) {
            return Err(fault::with(29, new));
        }
        copy_row(source, &row, target, new, io)?;
        return Ok(String::new());
    }
    copy_all(source, target, io)
}

/// Copies everything. What the target has already is passed over, and said.
pub(crate) fn copy_all(source: &Database, target: &mut Database, io: &Io) -> Result<String> {
    let mut text = String::new();
    let (personal, others): (Vec<Row>, Vec<Row>) = shelf::rows(&source.store)
        .into_iter()
        .partition(|row| row.kind.is_personal());
    for row in personal.iter().chain(&others) {
        if row.kind == shelf::RowKind::Secret && copy_secret(source, row, target, &row.label, io)? {
            continue;
        }
        let Some(certificate) = &row.certificate else {
            text += &format!("{} left out: it holds no certificate\n", row.label);
            continue;
        };
        if row.kind.is_signer() && shelf::label_of_signer(&target.store, certificate).is_some() {
            continue;
        }
        if shelf::has_label(&target.store, &row.label) {
            return Err(fault::with(29, &row.label));
        }
        copy_row(source, row, target, &row.label, io)?;
    }
    if let (Some(default), true) = (source.store.marked_default(), target.is_cms()) {
        make_default(target, &shelf::label(&source.store.entries()[default]), io)?;
    }
    Ok(text)
}

/// Copies a secret key. `false`: it is one that cannot be opened.
fn copy_secret(source: &Database, row: &Row, target: &mut Database, label: &str, io: &Io) -> Result<bool> {
    let entry = row.index.map(|index| &source.store.entries()[index]);
    let Some(entry) = entry.filter(|entry| matches!(entry.body(), Body::SecretKey { .. })) else {
        return Ok(false);
    };
    if shelf::has_label(&target.store, label) {
        return Err(fault::with(29, label));
    }
    let edit = Edit::PutSecret {
        alias: Some(label.to_owned()),
        key: entry.unlock_secret(Some(&source.password))?,
        key_password: None,
        place: Place::Last,
    };
    target.edit(&edit, io)?;
    Ok(true)
}

fn copy_row(source: &Database, row: &Row, target: &mut Database, label: &str, io: &Io) -> Result<()> {
    if row.kind == shelf::RowKind::Secret && copy_secret(source, row, target, label, io)? {
        return Ok(());
    }
    let certificate = row.certificate.as_ref().ok_or_else(|| fault::with(112, label))?;
    if let (true, Some(index)) = (row.kind.is_personal(), row.index) {
        let entry = &source.store.entries()[index];
        let key = entry.unlock(Some(&source.password))?;
        return put_key(target, label, key, entry.certificates(), io);
    }
    if let Some(known) = shelf::label_of_signer(&target.store, certificate) {
        return Err(fault::with(25, &known));
    }
    trust(target, label, certificate, io)?;
    if row.kind == shelf::RowKind::Untrusted && target.is_cms() {
        let (row, _) = shelf::find_certificate(&target.store, label)?;
        target.store.distrust(row.index.unwrap_or_default())?;
    }
    Ok(())
}

/// Puts a key in. Its chain goes along: in a key database as trusted certificates under their subjects' names.
fn put_key(
    target: &mut Database,
    label: &str,
    key: PrivateKey,
    chain: &[Certificate],
    io: &Io,
) -> Result<()> {
    if shelf::has_label(&target.store, label) {
        return Err(fault::with(29, label));
    }
    let (own, above) = match target.is_cms() {
        true => chain.split_at(chain.len().min(1)),
        false => (chain, &[][..]),
    };
    let edit = Edit::PutKey {
        alias: Some(label.to_owned()),
        key,
        chain: own.to_vec(),
        key_password: None,
        place: Place::Last,
    };
    target.edit(&edit, io)?;
    for certificate in above {
        if shelf::label_of_signer(&target.store, certificate).is_none() {
            let name = shelf::free_label(&target.store, &certificate.subject().to_string());
            trust(target, &name, certificate, io)?;
        }
    }
    Ok(())
}

fn trust(target: &mut Database, label: &str, certificate: &Certificate, io: &Io) -> Result<()> {
    let edit = Edit::Trust {
        alias: Some(label.to_owned()),
        certificate: certificate.clone(),
        place: Place::Last,
    };
    target.edit(&edit, io)
}

/// Does what `-default_cert yes` asks for, where the store knows a default certificate.
pub(crate) fn mark_default(args: &Args, database: &mut Database, label: &str, io: &mut Io) -> Result<()> {
    match args.switch("-default_cert")? {
        Some(true) if database.is_cms() => make_default(database, label, io),
        Some(true) => {
            let format = database.store.format().name();
            io.complain_line(&format!(
                "{label} is not marked as the default: {format} knows none"
            ));
            Ok(())
        }
        _ => Ok(()),
    }
}

fn make_default(database: &mut Database, label: &str, io: &Io) -> Result<()> {
    let (index, _) = shelf::find_personal(&database.store, label)?;
    database.edit(&Edit::SetDefault { index }, io)
}

/// Another certificate for the key of an entry.
fn renew(database: &mut Database, index: usize, certificate: &Certificate, io: &Io) -> Result<()> {
    let key = database.store.entries()[index].unlock(Some(&database.password))?;
    let mut chain = chain_of(database, certificate);
    if !database.is_cms() && chain.len() == 1 {
        let old = database.store.entries()[index].certificates();
        let is_same_issuer = old
            .get(1)
            .is_some_and(|issuer| certificate.names_as_issuer(issuer));
        chain.extend(old.iter().skip(1).filter(|_| is_same_issuer).cloned());
    }
    let edit = Edit::ReplaceIdentity {
        index,
        key,
        chain,
        key_password: None,
    };
    database.edit(&edit, io)
}

/// A certificate with its issuers among those of the store, where keys have their whole chain beside them. Key databases
/// and PKCS#12 find it by themselves.
fn chain_of(database: &Database, leaf: &Certificate) -> Vec<Certificate> {
    let mut chain = vec![leaf.clone()];
    if matches!(database.store.format(), Format::CmsKdb | Format::Pkcs12) {
        return chain;
    }
    let known: Vec<Certificate> = shelf::rows(&database.store)
        .into_iter()
        .filter_map(|row| row.certificate)
        .collect();
    while let Some(last) = chain.last().filter(|last| !last.names_as_issuer(last)) {
        let issuer = known
            .iter()
            .find(|one| last.names_as_issuer(one) && !chain.contains(one));
        match issuer {
            Some(issuer) => chain.push(issuer.clone()),
            None => break,
        }
    }
    chain
}

/// The request that asked for this public key, by its number.
fn waiting(requests: &Database, certificate: &Certificate) -> Option<usize> {
    requests
        .store
        .entries()
        .iter()
        .position(|entry| match entry.body() {
            Body::Request { der, .. } => {
                Request::parse(der).is_ok_and(|request| request.spki == certificate.spki())
            }
            _ => false,
        })
}

/// That request's number, label and key.
fn waiting_key(
    requests: &Database,
    certificate: &Certificate,
) -> Result<Option<(usize, String, PrivateKey)>> {
    let Some(index) = waiting(requests, certificate) else {
        return Ok(None);
    };
    let entry = &requests.store.entries()[index];
    let key = entry.unlock(Some(&requests.password))?;
    Ok(Some((index, shelf::label(entry), key)))
}

/// The personal certificate with the same public key.
fn owner(database: &Database, certificate: &Certificate) -> Option<usize> {
    let rows = shelf::rows(&database.store);
    let same = rows.into_iter().find(|row| {
        let spki = row.certificate.as_ref().map(Certificate::spki);
        row.kind.is_personal() && spki == Some(certificate.spki())
    });
    same.and_then(|row| row.index)
}

/// All certificates of a file: PEM, DER or PKCS#7, whatever `-format` says; the content decides.
pub(crate) fn certificates_of(path: &Path, args: &Args) -> Result<Vec<Certificate>> {
    issue::is_binary(args)?;
    let bytes = database::read_file(path)?;
    let store = keystore::read(&bytes, None, &Limits::default())
        .map_err(|error| fault::with(2, &format!("{}: {error}", path.display())))?;
    if !matches!(store.format(), Format::Der | Format::Pem | Format::Pkcs7) {
        let about = format!("{} is a store of its own: use -import", path.display());
        return Err(fault::with(2, &about));
    }
    let mut found: Vec<Certificate> = Vec::new();
    for certificate in store.entries().iter().flat_map(|entry| entry.certificates()) {
        if !found.contains(certificate) {
            found.push(certificate.clone());
        }
    }
    match found.is_empty() {
        true => Err(fault::with(
            2,
            &format!("{} holds no certificate", path.display()),
        )),
        false => Ok(found),
    }
}
