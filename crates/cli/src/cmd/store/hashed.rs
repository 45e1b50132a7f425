//! Directories of CA certificates under hashed names, as OpenSSL searches them.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

use keystore::Certificate;
use keystore::Edit;
use keystore::Format;
use keystore::Limits;
use keystore::Place;
use keystore::Store;

use super::Edited;
use super::answer::Action;
use super::answer::Line;
use super::commit::Access;
use super::commit::Output;
use super::open::Opened;
use super::open::failed;
use super::open::with_env;
use crate::cmd::inspect;
use crate::cmd::inspect::hex;
use crate::print::Failure;

/// One new file for each certificate that the directory does not have.
///
/// # Errors
/// A directory that cannot be read, or that holds files and none with a hashed name.
pub fn add(directory: &Path, certificates: &[Certificate]) -> Result<Edited, Failure> {
    let files = files(directory)?;
    let known = keystore::read_hashed_directory(&files, &Limits::default());
    let is_hashed =
        !known.certificates.is_empty() || !known.revocations.is_empty() || !known.findings.is_empty();
    if !is_hashed && !files.is_empty() {
        return Err(failed(
            directory,
            "a directory whose files have no hashed names",
            "name the stores in it one by one; openssl rehash makes a directory of hashed names",
        ));
    }
    let mut edited = Edited {
        before: known.certificates.len(),
        opened: Opened {
            path: directory.to_owned(),
            was: None,
            bytes: Vec::new(),
            store: Store::empty(Format::Pem)
                .map_err(|error| super::open::says(directory, &error, "nothing was changed"))?,
            password: None,
            key_password: None,
            held_key: false,
            lock: None,
        },
        is_directory: true,
        lines: Vec::new(),
        notes: Vec::new(),
        beside: Vec::new(),
    };
    let line = |action, name: Option<String>, certificate: &Certificate| Line {
        action,
        alias: name,
        was: None,
        kind: "trusted-cert",
        sha256: Some(hex(&certificate.sha256())),
    };
    let (here, new): (Vec<&Certificate>, Vec<&Certificate>) = certificates
        .iter()
        .partition(|one| known.certificates.iter().any(|(_, there)| there == *one));
    for certificate in here {
        let name = known
            .certificates
            .iter()
            .find(|(_, there)| there == certificate)
            .map(|(name, _)| name.clone());
        edited.lines.push(line(Action::Kept, name, certificate));
    }
    let new: Vec<Certificate> = new.into_iter().cloned().collect();
    let taken: BTreeSet<String> = files.keys().cloned().collect();
    for (certificate, name) in new.iter().zip(keystore::hashed_names(&new, &taken)) {
        let Some(name) = name else { continue };
        edited.beside.push(Output {
            path: directory.join(&name),
            was: None,
            bytes: pem(certificate),
            access: Access::Public,
        });
        edited.lines.push(line(Action::Added, Some(name), certificate));
    }
    Ok(edited)
}

fn pem(certificate: &Certificate) -> Vec<u8> {
    with_env(None, |env| {
        let mut store = Store::empty(Format::Pem).expect("PEM can be created");
        let edit = Edit::Trust {
            alias: None,
            certificate: certificate.clone(),
            place: Place::Last,
        };
        store
            .edit(&edit, env)
            .expect("an empty PEM file takes a certificate");
        store.write(None, env).expect("PEM is written without a password")
    })
}

/// The regular files of the directory by name, links followed.
fn files(directory: &Path) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let cannot = |error: std::io::Error| Failure {
        what: format!("cannot read directory {}", directory.display()),
        hints: Vec::new(),
        source: Some(Box::new(error)),
    };
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(directory).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if path.is_file() {
            files.insert(name.to_owned(), inspect::read_file(&path)?.0);
        }
    }
    Ok(files)
}
