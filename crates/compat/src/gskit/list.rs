//! `-cert -list`.

use crate::gskit::args::Args;
use crate::gskit::database::{Database, OWN};
use crate::gskit::details;
use crate::gskit::fault::{self, Result};
use crate::gskit::shelf::{self, Row, RowKind};
use crate::io::Io;

/// Lists the certificates of a store.
pub(crate) fn run(args: &Args, io: &mut Io) -> Result<()> {
    let wanted: fn(RowKind) -> bool = match args.selection.as_deref() {
        None | Some("all") => |_| true,
        Some("personal") => RowKind::is_personal,
        Some("ca" | "CA") => RowKind::is_signer,
        Some(other) => {
            return Err(fault::with(
                65,
                &format!("-list {other}: all, personal or ca is needed"),
            ));
        }
    };
    let days = match args.text("-expiry")? {
        None | Some("") => None,
        Some(_) => Some(args.number("-expiry", 0, 7300, 0)?),
    };
    let database = Database::open(args, OWN, io)?;
    let label = args.text("-label")?;
    let last = days.map(|days| io.now_ms() / 1000 + days * 86_400);
    let rows: Vec<Row> = shelf::rows(&database.store)
        .into_iter()
        .filter(|row| {
            wanted(row.kind)
                && label.is_none_or(|label| shelf::is_same_label(&database.store, &row.label, label))
        })
        .filter(|row| last.is_none_or(|last| ends_before(row, last)))
        .collect();
    if let Some(label) = label.filter(|label| !shelf::has_label(&database.store, label)) {
        return Err(fault::no_label(label));
    }
    let mut text = String::new();
    if rows.is_empty() {
        text.push_str("No certificates were found.\n");
    } else {
        text.push_str("Certificates found\n* default, - personal, ! trusted, # secret key\n");
    }
    for row in &rows {
        text += &line(row, args, io)?;
    }
    io.print_bytes(text.as_bytes());
    Ok(())
}

/// A label as lists show it: in quotes when it has a blank.
pub(crate) fn shown(label: &str) -> String {
    match label.contains(' ') {
        true => format!("\"{label}\""),
        false => label.to_owned(),
    }
}

fn ends_before(row: &Row, last: i64) -> bool {
    let end = row
        .certificate
        .as_ref()
        .map(|certificate| certificate.validity().not_after);
    end.is_some_and(|end| end <= last)
}

fn line(row: &Row, args: &Args, io: &Io) -> Result<String> {
    let mut text = format!("{}\t{}", row.kind.flag(), shown(&row.label));
    let Some(certificate) = &row.certificate else {
        return Ok(text + "\n");
    };
    if args.has("-v") {
        let (subject, issuer) = (
            certificate.subject().to_string(),
            certificate.issuer().to_string(),
        );
        text += &format!(" {} {}", shown(&subject), shown(&issuer));
    }
    text.push('\n');
    if args.has("-expiry") {
        let validity = certificate.validity();
        let (from, to) = (
            details::date(validity.not_before, args, io),
            details::date(validity.not_after, args, io),
        );
        text += &format!("\tNot Before : {from}\n\tNot After : {to}\n");
    }
    Ok(text)
}
