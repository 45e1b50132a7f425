//! Keys, chains and certificates out of several files, as if they were one store.

use keystore::Certificate;
use keystore::Format;
use keystore::KeyMatch;

use super::content;
use super::content::Content;
use super::content::Held;
use super::open::Opened;
use super::open::failed;
use crate::cmd::inspect::aliases;
use crate::cmd::inspect::is_authority;
use crate::print::Failure;

/// What the sources hold together.
pub struct Combined {
    /// Keys with their chains, symmetric keys, and certificates that their store marks as trusted.
    pub contents: Vec<Content>,
    /// Certificates of files without marks, which no chain took.
    pub loose: Vec<Certificate>,
}

/// Takes out what the sources hold. A key without a chain gets the one that the loose certificates make.
///
/// `wanted` are the entries of each source; those of files without names are always all meant.
///
/// # Errors
/// Every entry that cannot be taken out.
pub fn combine(sources: &[(Opened, Vec<usize>)]) -> Result<Combined, Vec<Failure>> {
    let mut combined = Combined {
        contents: Vec::new(),
        loose: Vec::new(),
    };
    let mut failures = Vec::new();
    for (opened, wanted) in sources {
        let names = aliases(&opened.store);
        for index in wanted {
            match content::take(opened, *index, names[*index].clone()) {
                Ok(content) => combined.sort_in(opened.store.format(), content),
                Err(stays) => {
                    let what = format!(
                        "{}: {}",
                        super::select::shown(&opened.store, *index),
                        fleet::rotation::chain_of(&stays)
                    );
                    let hint =
                        "a locked key: --from-key-password-file FILE; else name the entries that are meant";
                    failures.push(failed(&opened.path, &what, hint));
                }
            }
        }
    }
    combined.complete();
    if failures.is_empty() {
        Ok(combined)
    } else {
        Err(failures)
    }
}

impl Combined {
    fn sort_in(&mut self, format: Format, content: Content) {
        match content.body {
            Held::Certificate(certificate, _) if !content::has_names(format) => self.loose.push(certificate),
            _ => self.contents.push(content),
        }
    }

    /// Chains for keys that stand alone, out of the loose certificates; what a chain took is no longer loose.
    fn complete(&mut self) {
        for content in &mut self.contents {
            let Held::Key(key, chain) = &mut content.body else {
                continue;
            };
            if chain.is_empty() {
                let leaf = self
                    .loose
                    .iter()
                    .find(|one| key.matches(one) == KeyMatch::Matches && !is_authority(one))
                    .or_else(|| {
                        self.loose
                            .iter()
                            .find(|one| key.matches(one) == KeyMatch::Matches)
                    });
                chain.extend(leaf.cloned());
            }
            if !chain.is_empty() {
                *chain = chain_from(chain, &self.loose);
            }
        }
        let taken: Vec<&Certificate> = self
            .contents
            .iter()
            .filter_map(|content| match &content.body {
                Held::Key(_, chain) => Some(chain),
                _ => None,
            })
            .flatten()
            .collect();
        self.loose.retain(|one| !taken.contains(&one));
    }
}

/// The chain, lengthened by issuers among others; each certificate once.
pub fn chain_from(begun: &[Certificate], others: &[Certificate]) -> Vec<Certificate> {
    let mut chain = begun.to_vec();
    while let Some(next) = chain
        .last()
        .filter(|last| !last.is_self_issued())
        .and_then(|last| {
            others
                .iter()
                .find(|one| last.names_as_issuer(one) && !chain.contains(one))
        })
    {
        chain.push(next.clone());
    }
    chain
}
