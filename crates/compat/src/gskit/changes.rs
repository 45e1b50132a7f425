//! What changes entries that are there: `-cert -delete|-rename|-setdefault|-getdefault|-modify`.

use keystore::{Edit, Place};

use crate::gskit::args::Args;
use crate::gskit::database::{Database, OWN};
use crate::gskit::details;
use crate::gskit::fault::{self, Result};
use crate::gskit::list::shown;
use crate::gskit::shelf::{self, RowKind};
use crate::io::Io;

/// Takes an entry out, a key with its certificate.
pub(crate) fn delete(args: &Args, io: &mut Io) -> Result<()> {
    let label = args.needed("-label")?;
    let mut database = Database::open_to_write(args, OWN, io)?;
    let index = own_entry(&database, label)?;
    database.edit(&Edit::Remove { index }, io)?;
    database.save(io)
}

/// Gives an entry another label.
pub(crate) fn rename(args: &Args, io: &mut Io) -> Result<()> {
    let (label, new) = (args.needed("-label")?, args.needed("-new_label")?);
    let mut database = Database::open_to_write(args, OWN, io)?;
    let index = own_entry(&database, label)?;
    let is_same = shelf::is_same_label(&database.store, label, new);
    if !is_same && shelf::has_label(&database.store, new) {
        return Err(fault::with(29, new));
    }
    let alias = new.to_owned();
    database.edit(&Edit::Rename { index, alias }, io)?;
    database.save(io)
}

/// Makes a personal certificate the default one.
pub(crate) fn set_default(args: &Args, io: &mut Io) -> Result<()> {
    let label = args.needed("-label")?;
    let mut database = Database::open_to_write(args, OWN, io)?;
    let (index, _) = shelf::find_personal(&database.store, label)?;
    database.edit(&Edit::SetDefault { index }, io)?;
    database.save(io)
}

/// Shows the default certificate.
pub(crate) fn show_default(args: &Args, io: &mut Io) -> Result<()> {
    let database = Database::open(args, OWN, io)?;
    let rows = shelf::rows(&database.store);
    let default = rows.into_iter().find(|row| row.kind == RowKind::Default);
    let (row, certificate) = match default.map(|row| (row.certificate.clone(), row)) {
        Some((Some(certificate), row)) => (row, certificate),
        _ => return Err(fault::code(110)),
    };
    let text = details::show(&certificate, args, io);
    let text = format!("Label : {}\n{text}Trust Status : Enabled\n", shown(&row.label));
    io.print_bytes(text.as_bytes());
    Ok(())
}

/// Gives a certificate the mark of trust, or takes it away.
pub(crate) fn modify(args: &Args, io: &mut Io) -> Result<()> {
    let label = args.needed("-label")?;
    let is_trusted = args.switch("-trust")?;
    let is_trusted = is_trusted.ok_or_else(|| fault::with(65, "-trust is needed"))?;
    let mut database = Database::open_to_write(args, OWN, io)?;
    let (row, certificate) = shelf::find_certificate(&database.store, label)?;
    let index = own_entry(&database, label)?;
    match (row.kind, is_trusted) {
        (RowKind::Default | RowKind::Personal, false) => {
            return Err(fault::with(65, "a personal certificate cannot lose its trust"));
        }
        (RowKind::Untrusted, true) => {
            let edit = Edit::Trust {
                alias: Some(label.to_owned()),
                certificate,
                place: Place::Last,
            };
            database.edit(&edit, io)?;
        }
        (RowKind::Trusted, false) => database.store.distrust(index)?,
        _ => return Ok(()),
    }
    database.save(io)
}

/// The entry of a label that is an entry of its own.
fn own_entry(database: &Database, label: &str) -> Result<usize> {
    let row = shelf::find(&database.store, label)?;
    row.index.ok_or_else(|| {
        let about =
            format!("{label} is part of the chain of a personal certificate and has no entry of its own");
        fault::with(65, &about)
    })
}
