//! `store export`: certificates, or with `--key` keys and their chains, out of a store.

use std::io::Write;
use std::path::Path;

use keystore::Certificate;
use keystore::Format;
use keystore::Password;
use keystore::Store;

use super::all_or_none;
use super::answer::Action;
use super::answer::Line;
use super::combine;
use super::commit::Access;
use super::commit::Output;
use super::content;
use super::content::Content;
use super::content::Held;
use super::convert::Target;
use super::convert::lock_of;
use super::convert::target;
use super::finish;
use super::format_of;
use super::new_password;
use super::open;
use super::open::Purpose;
use super::open::failed;
use super::profile_of;
use super::select;
use crate::Answer;
use crate::args::Args;
use crate::args::store::Export;
use crate::cmd::inspect::aliases;
use crate::passwords;
use crate::print::failure;

/// Writes what is chosen, all entries without a choice. Keys go out only with `--key`, and never to stdout.
pub fn run(args: &Args, these: &Export) -> anyhow::Result<Answer> {
    let given = passwords::given(&these.passwords)?;
    let opened = open::open(&these.store, &given, Purpose::Read)?;
    let chosen = match select::is_given(&these.selection) {
        true => match select::entries(&opened, &these.selection) {
            Ok(chosen) => chosen,
            Err(failures) => return all_or_none(Answer::No, failures),
        },
        false => (0..opened.store.entries().len()).collect(),
    };
    let format = format_of(these.to);
    let out = these.out.as_deref().filter(|path| *path != Path::new("-"));
    if !these.key {
        let certificates = certificates(&opened.store, &chosen);
        if certificates.is_empty() {
            return Err(failed(&these.store, "no certificate is chosen", "--key writes keys, too").into());
        }
        if matches!(format, Format::Pem | Format::Der) {
            let bytes = loose(&these.store, &certificates, format)?;
            return write_certificates(args, these, out, &bytes, opened, &chosen);
        }
    }
    let Some(out) = out else {
        return Err(failure(
            "keys and stores are not written to stdout",
            "--out FILE, which is its owner's only",
        ));
    };
    let mut failures = Vec::new();
    let mut contents = Vec::new();
    if these.key {
        match combine::combine(&[(opened, chosen)]) {
            Ok(combined) => {
                contents = combined.contents;
                contents.extend(combined.loose.into_iter().map(alone));
            }
            Err(several) => failures = several,
        }
    } else {
        contents.extend(certificates(&opened.store, &chosen).into_iter().map(alone));
    }
    all_or_none((), failures)?;
    let password = new_password(&these.new_password)?;
    let (mut edited, refused) = target(
        &Target {
            out,
            format,
            profile: profile_of(these.reader),
            password,
            clear_key: these.clear_key,
            stash: false,
        },
        &contents,
    )?;
    all_or_none((), refused)?;
    edited.opened.lock = lock_of(out, None)?;
    finish(args, &these.keep, "export", vec![edited])
}

fn alone(certificate: Certificate) -> Content {
    Content {
        alias: None,
        created_ms: None,
        body: Held::Certificate(certificate, true),
    }
}

/// The certificates of the chosen entries, chains included, each once.
fn certificates(store: &Store, chosen: &[usize]) -> Vec<Certificate> {
    let mut all: Vec<Certificate> = Vec::new();
    for certificate in chosen
        .iter()
        .flat_map(|index| store.entries()[*index].certificates())
    {
        if !all.contains(certificate) {
            all.push(certificate.clone());
        }
    }
    all
}

fn loose(path: &Path, certificates: &[Certificate], format: Format) -> anyhow::Result<Vec<u8>> {
    if format == Format::Der {
        let [only] = certificates else {
            return Err(failed(
                path,
                &format!(
                    "{} certificates are chosen, and DER holds one",
                    certificates.len()
                ),
                "name one with --alias, --entry or --sha256; --to pem holds all",
            )
            .into());
        };
        return Ok(only.der().to_vec());
    }
    let mut store = Store::empty(Format::Pem)?;
    for certificate in certificates {
        let content = alone(certificate.clone());
        content::put(&mut store, &content, None, None)?;
    }
    content::bytes_of(&store, None::<&Password>)
        .map_err(|_| failed(path, "the certificates cannot be written", "--to der"))
        .map_err(Into::into)
}

fn write_certificates(
    args: &Args,
    these: &Export,
    out: Option<&Path>,
    bytes: &[u8],
    opened: open::Opened,
    chosen: &[usize],
) -> anyhow::Result<Answer> {
    let Some(out) = out else {
        std::io::stdout().lock().write_all(bytes)?;
        return Ok(Answer::Yes);
    };
    let mut edited = super::Edited::of(opened);
    edited.is_directory = true;
    let names = aliases(&edited.opened.store);
    for index in chosen {
        let entry = &edited.opened.store.entries()[*index];
        edited
            .lines
            .push(Line::about(Action::Written, entry, names[*index].clone()));
    }
    edited.beside.push(Output {
        path: out.to_owned(),
        was: open::digest_of(out)?,
        bytes: bytes.to_vec(),
        access: Access::Public,
    });
    finish(args, &these.keep, "export", vec![edited])
}
