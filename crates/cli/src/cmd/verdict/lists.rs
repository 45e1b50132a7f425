//! Revocation lists for `capgrow verdict --crl`.

use std::path::Path;
use std::path::PathBuf;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keystore::RevocationList;

use crate::print::failure;

/// A list's bytes with the file they come from.
pub type Found = (PathBuf, Vec<u8>);

/// The lists of the files as DER: each file is one list, or PEM with any number of them.
pub fn read(files: &[PathBuf]) -> anyhow::Result<Vec<Found>> {
    let mut found = Vec::new();
    for file in files {
        let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let ders = match std::str::from_utf8(&bytes) {
            Ok(text) if text.contains(BEGIN) => armoured(file, text)?,
            _ => vec![bytes],
        };
        found.extend(ders.into_iter().map(|der| (file.clone(), der)));
    }
    Ok(found)
}

/// Decodes them.
pub fn parse<'a>(found: &'a [Found]) -> anyhow::Result<Vec<RevocationList<'a>>> {
    let one =
        |(file, der): &'a Found| RevocationList::parse(der).map_err(|error| refuse(file, &error.to_string()));
    found.iter().map(one).collect()
}

fn armoured(file: &Path, text: &str) -> anyhow::Result<Vec<Vec<u8>>> {
    let blocks = text.split(BEGIN).skip(1);
    blocks
        .map(|block| {
            let (body, _) = block
                .split_once(END)
                .ok_or_else(|| refuse(file, "a list without its end line"))?;
            let body: String = body.split_whitespace().collect();
            STANDARD
                .decode(body)
                .map_err(|_| refuse(file, "a list that is not base64"))
        })
        .collect()
}

fn refuse(file: &Path, why: &str) -> anyhow::Error {
    failure(
        format!("{}: {why}", file.display()),
        "give revocation lists as DER, or as PEM with -----BEGIN X509 CRL-----",
    )
}

const BEGIN: &str = "-----BEGIN X509 CRL-----";
const END: &str = "-----END X509 CRL-----";
