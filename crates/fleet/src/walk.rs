//! Stores found by content below the trees of a host, whoever reads them.

use std::collections::BTreeSet;

use keystore::Format;
use product::FileKind;
use product::HostFiles;

use crate::scan::Look;
use crate::scan::finding;
use crate::scan::host;
use crate::scan::password_for;
use crate::scan::trees;
use crate::snapshot::Snapshot;
use crate::store_facts;

/// More directories than this below one tree are not entered: a link loop or a wrong root.
const MAX_DIRECTORIES: usize = 200_000;

/// Enough to recognise every format.
const HEAD_BYTES: usize = 4096;

/// Adds every store below the host trees that no component named. FIFOs and devices are never opened,
/// links are not followed (what they lead to inside the tree is found where it lies).
pub(crate) fn stores(look: &Look<'_>, snapshot: &mut Snapshot) {
    for name in look.doc.hosts.keys() {
        let Some(files) = host(look, name) else { continue };
        let known: BTreeSet<String> = snapshot
            .stores
            .iter()
            .filter(|store| store.host == *name)
            .map(|store| store.path.clone())
            .collect();
        let found = candidates(files, &trees(look, name), snapshot);
        let new: Vec<String> = found.into_iter().filter(|path| !known.contains(path)).collect();
        for facts in read_all(look, name, files, &new) {
            match facts {
                Ok((facts, certificates)) => {
                    for certificate in &certificates {
                        snapshot.keep(certificate);
                    }
                    snapshot.stores.push(facts);
                }
                Err(text) => finding(snapshot, "warning", name, text, None),
            }
        }
    }
}

fn candidates(files: &dyn HostFiles, trees: &[String], snapshot: &mut Snapshot) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Vec<String> = trees
        .iter()
        .map(|tree| tree.trim_end_matches('/').to_owned())
        .collect();
    let mut entered = 0;
    while let Some(dir) = open.pop() {
        entered += 1;
        if entered > MAX_DIRECTORIES {
            finding(
                snapshot,
                "warning",
                files.host(),
                format!("more than {MAX_DIRECTORIES} directories: the rest was not looked at"),
                None,
            );
            break;
        }
        let shown = if dir.is_empty() { "/" } else { &dir };
        let entries = files.list(shown);
        if entries.is_empty()
            && let Some(why) = files.unlistable(shown)
        {
            let fix = "let the user who runs the scan enter it, or run it as one who may".to_owned();
            finding(
                snapshot,
                "warning",
                &format!("{}:{shown}", files.host()),
                why,
                Some(fix),
            );
        }
        for entry in entries {
            let path = format!("{dir}/{}", entry.name);
            if entry.name.contains(char::REPLACEMENT_CHARACTER) {
                finding(
                    snapshot,
                    "warning",
                    &format!("{}:{path}", files.host()),
                    "the name is not UTF-8: it was not looked at".to_owned(),
                    Some("rename it if it holds keys or certificates".to_owned()),
                );
                continue;
            }
            match entry.kind {
                FileKind::Directory => open.push(path),
                FileKind::File if is_store(files, &path) => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// Whether a file is a store by its first bytes. Single DER certificates and requests count only with a usual name,
/// so that the walk does not list every DER-like blob.
fn is_store(files: &dyn HostFiles, path: &str) -> bool {
    let Ok(head) = files.head(path, HEAD_BYTES) else {
        return false;
    };
    match keystore::sniff(&head) {
        Some(Format::Stash) | None => false,
        Some(Format::Der | Format::Pkcs7) => has_usual_name(path),
        Some(_) => true,
    }
}

fn has_usual_name(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    [".der", ".crt", ".cer", ".p7b", ".p7c", ".arm", ".csr", ".crl"]
        .iter()
        .any(|end| name.ends_with(end))
}

type Read = Result<(crate::snapshot::StoreFacts, Vec<keystore::Certificate>), String>;

/// Reads the stores on all cores: the derivations of PKCS#12 are most of the work.
fn read_all(look: &Look<'_>, host_name: &str, files: &dyn HostFiles, paths: &[String]) -> Vec<Read> {
    let workers = std::thread::available_parallelism()
        .map_or(1, std::num::NonZero::get)
        .min(paths.len().max(1));
    let share = paths.len().div_ceil(workers).max(1);
    std::thread::scope(|scope| {
        let threads: Vec<_> = paths
            .chunks(share)
            .map(|part| {
                scope.spawn(move || {
                    part.iter()
                        .map(|path| read_one(look, host_name, files, path))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_default())
            .collect()
    })
}

fn read_one(look: &Look<'_>, host_name: &str, files: &dyn HostFiles, path: &str) -> Read {
    let bytes = files.read(path).map_err(|error| error.to_string())?;
    let secret = password_for(look, host_name, path);
    let password = secret.and_then(|secret| look.secrets.open(host_name, &secret).ok());
    Ok(store_facts::facts(host_name, path, &bytes, password.as_ref()))
}
