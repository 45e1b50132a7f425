//! A store as GSKit lists it: one row per certificate and key, each with a label.

use keystore::{Body, Certificate, Entry, Format, Store};

use crate::gskit::fault::{self, Result};

/// One row.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) label: String,
    pub(crate) kind: RowKind,
    /// The certificate; none for a secret key or a record that cannot be read.
    pub(crate) certificate: Option<Certificate>,
    /// The entry; `None` for a certificate that the store keeps as part of a key's chain only.
    pub(crate) index: Option<usize>,
}

/// What a row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowKind {
    Default,
    Personal,
    Secret,
    Trusted,
    /// A certificate without the mark of trust.
    Untrusted,
}

impl RowKind {
    /// In front of the label.
    pub(crate) fn flag(self) -> &'static str {
        match self {
            Self::Default => "*-",
            Self::Personal => "-",
            Self::Secret => "#",
            Self::Trusted => "!",
            Self::Untrusted => "",
        }
    }

    pub(crate) fn is_personal(self) -> bool {
        matches!(self, Self::Default | Self::Personal)
    }

    pub(crate) fn is_signer(self) -> bool {
        matches!(self, Self::Trusted | Self::Untrusted)
    }
}

/// All rows, in the order of the store. What PKCS#12 has in a chain only stands behind, under its subject's name.
pub(crate) fn rows(store: &Store) -> Vec<Row> {
    let default = store.marked_default();
    let mut rows: Vec<Row> = Vec::new();
    for (index, entry) in store.entries().iter().enumerate() {
        let kind = match entry.body() {
            Body::PrivateKey { .. } if default == Some(index) => RowKind::Default,
            Body::PrivateKey { .. } => RowKind::Personal,
            Body::TrustedCert { trusted, .. } => match *trusted || store.format() != Format::CmsKdb {
                true => RowKind::Trusted,
                false => RowKind::Untrusted,
            },
            Body::SecretKey { .. } => RowKind::Secret,
            Body::Opaque { what } if what == "secret key" => RowKind::Secret,
            _ => RowKind::Untrusted,
        };
        rows.push(Row {
            label: label(entry),
            kind,
            certificate: entry.certificates().first().cloned(),
            index: Some(index),
        });
    }
    for above in store
        .entries()
        .iter()
        .flat_map(|entry| entry.certificates().iter().skip(1))
    {
        if rows.iter().all(|row| row.certificate.as_ref() != Some(above)) {
            rows.push(Row {
                label: above.subject().to_string(),
                kind: RowKind::Trusted,
                certificate: Some(above.clone()),
                index: None,
            });
        }
    }
    rows
}

/// The row of that label, letter by letter; the later of two. Java's own types do not tell capital letters from small ones.
pub(crate) fn find(store: &Store, label: &str) -> Result<Row> {
    let rows = rows(store);
    let found = rows
        .into_iter()
        .rev()
        .find(|row| is_same_label(store, &row.label, label));
    found.ok_or_else(|| fault::no_label(label))
}

/// The personal certificate of that label.
pub(crate) fn find_personal(store: &Store, label: &str) -> Result<(usize, Certificate)> {
    let row = find(store, label)?;
    match (row.index, row.certificate) {
        (Some(index), Some(certificate)) if row.kind.is_personal() => Ok((index, certificate)),
        _ => Err(fault::with(111, label)),
    }
}

/// The certificate of that label.
pub(crate) fn find_certificate(store: &Store, label: &str) -> Result<(Row, Certificate)> {
    let row = find(store, label)?;
    match row.certificate.clone() {
        Some(certificate) => Ok((row, certificate)),
        None => Err(fault::with(112, label)),
    }
}

/// The name of an entry; one without a name goes by its subject.
pub(crate) fn label(entry: &Entry) -> String {
    match (entry.alias(), entry.certificates().first()) {
        (Some(alias), _) if !alias.is_empty() => alias.to_owned(),
        (_, Some(certificate)) => certificate.subject().to_string(),
        _ => String::new(),
    }
}

/// Whether a label is in use.
pub(crate) fn has_label(store: &Store, label: &str) -> bool {
    rows(store)
        .iter()
        .any(|row| is_same_label(store, &row.label, label))
}

/// Whether a store takes two labels for one.
pub(crate) fn is_same_label(store: &Store, left: &str, right: &str) -> bool {
    match store.format() {
        Format::Jks | Format::Jceks => left.to_lowercase() == right.to_lowercase(),
        _ => left == right,
    }
}

/// The label under which this certificate is in the store without being personal.
pub(crate) fn label_of_signer(store: &Store, certificate: &Certificate) -> Option<String> {
    let rows = rows(store);
    let same = rows
        .into_iter()
        .find(|row| row.kind.is_signer() && row.certificate.as_ref() == Some(certificate));
    same.map(|row| row.label)
}

/// `label`, or `label` with the first number that makes it free.
pub(crate) fn free_label(store: &Store, label: &str) -> String {
    let taken: Vec<String> = rows(store).into_iter().map(|row| row.label).collect();
    let is_free = |candidate: &String| !taken.contains(candidate);
    let numbered = (1..=taken.len() + 1).map(|number| format!("{label}_{number}"));
    std::iter::once(label.to_owned())
        .chain(numbered)
        .find(is_free)
        .unwrap_or_else(|| label.to_owned())
}
