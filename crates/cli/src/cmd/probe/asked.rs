//! What the command line asks for: targets, stores, runtimes, identity.

use std::path::Path;

use ::probe::Identity;
use ::probe::StartTls;
use ::probe::Target;
use anyhow::Context;
use keystore::Body;
use keystore::Password;
use keystore::Store;
use trust::Computed;
use trust::Profile;

use crate::args;
use crate::cmd::verdict;
use crate::passwords;
use crate::passwords::Given;
use crate::print::failure;

/// Everything that a probe needs beside its bounds.
pub struct Asked {
    /// Whom to ask, in the order given.
    pub targets: Vec<Target>,
    /// Who judges the chain.
    pub runtimes: Vec<&'static Profile>,
    /// With what.
    pub stores: Vec<Store>,
    /// Whom to be.
    pub identity: Option<Identity>,
    /// Computes and remembers.
    pub signatures: Computed,
}

impl Asked {
    /// Reads targets, stores and identity.
    pub fn of(these: &args::Probe) -> anyhow::Result<Self> {
        let targets = targets(these)?;
        let given = passwords::given(&these.passwords)?;
        if !these.runtimes.is_empty() && these.trust.is_empty() {
            return Err(failure(
                "--as needs the stores of those who judge",
                "--trust FILE, as often as there are stores",
            ));
        }
        let stores = these
            .trust
            .iter()
            .map(|path| verdict::store(path, &given))
            .collect::<Result<Vec<Store>, _>>()?;
        let runtimes = match (these.runtimes.is_empty(), stores.is_empty()) {
            (true, true) => Vec::new(),
            _ => verdict::named(&these.runtimes, trust::runtimes())?,
        };
        let identity = match &these.identity {
            Some(path) => Some(identity(path, these.alias.as_deref(), &given)?),
            None => None,
        };
        Ok(Self {
            targets,
            runtimes,
            stores,
            identity,
            signatures: Computed::new(),
        })
    }
}

fn targets(these: &args::Probe) -> anyhow::Result<Vec<Target>> {
    let mut texts: Vec<String> = these.targets.clone();
    if let Some(path) = &these.targets_file {
        let text = if path.as_os_str() == "-" {
            std::io::read_to_string(std::io::stdin().lock()).context("cannot read standard input")?
        } else {
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?
        };
        let lines = text
            .lines()
            .map(|line| line.split('#').next().unwrap_or_default().trim());
        texts.extend(lines.filter(|line| !line.is_empty()).map(str::to_owned));
    }
    if texts.is_empty() {
        return Err(failure(
            "no target",
            "capgrow probe HOST:PORT…, or --targets FILE with one on each line",
        ));
    }
    let forced = match these.starttls.as_deref() {
        None => None,
        Some("none") => Some(None),
        Some(name) => Some(Some(StartTls::parse(name).with_context(|| {
            let known: Vec<&str> = StartTls::ALL.iter().map(|one| one.name()).collect();
            format!("--starttls {name}: known are {}, none", known.join(", "))
        })?)),
    };
    let one = |text: &String| -> anyhow::Result<Target> {
        let mut target = Target::parse(text).map_err(|error| {
            failure(
                error.to_string(),
                "write HOST:PORT, [ADDRESS]:PORT or SCHEME://HOST[:PORT], such as smtp://mail",
            )
        })?;
        if let Some(starttls) = forced {
            target.starttls = starttls;
        }
        target.name.clone_from(&these.name);
        Ok(target)
    };
    texts.iter().map(one).collect()
}

/// The identity under an alias, or the only one of the store, with the issuers that the store has.
fn identity(path: &Path, alias: Option<&str>, given: &Given) -> anyhow::Result<Identity> {
    let store = verdict::store(path, given)?;
    let keys: Vec<usize> = (0..store.entries().len())
        .filter(|at| matches!(store.entries()[*at].body(), Body::PrivateKey { .. }))
        .collect();
    let file = path.display();
    let at = match (alias, keys.as_slice()) {
        (Some(alias), _) => store
            .find(alias)
            .filter(|at| keys.contains(at))
            .ok_or_else(|| failure(format!("{file} has no private key under {alias:?}"), look(path)))?,
        (None, [only]) => *only,
        (None, []) => return Err(failure(format!("{file} has no private key"), look(path))),
        (None, many) => {
            return Err(failure(
                format!("{file} has {} private keys", many.len()),
                "name one: --alias NAME",
            ));
        }
    };
    let entry = &store.entries()[at];
    let stashed = crate::cmd::inspect::stashed_password(path);
    let candidates = [given.key.as_ref(), given.store.as_ref(), stashed.as_ref(), None];
    let unlocked = candidates
        .into_iter()
        .find_map(|password| entry.unlock(password).ok());
    let key = match unlocked {
        Some(key) => key,
        None => {
            let typed: Option<Password> = passwords::ask(&format!("the key in {file}"));
            entry.unlock(typed.as_ref()).map_err(|error| {
                failure(
                    format!("{file}: {error}"),
                    "--key-password-file FILE, --key-password-env VAR or --key-password-fd N",
                )
            })?
        }
    };
    // A PEM file may keep the certificate apart from its key.
    let own = match entry.certificates() {
        [] => store
            .entries()
            .iter()
            .flat_map(keystore::Entry::certificates)
            .cloned()
            .collect(),
        chain => chain.to_vec(),
    };
    let chain = fleet::with_issuers(&own, &store);
    if chain.is_empty() {
        return Err(failure(
            format!("{file} has a key and no certificate"),
            look(path),
        ));
    }
    Ok(Identity { chain, key })
}

fn look(path: &Path) -> String {
    format!("capgrow inspect {} shows what it holds", path.display())
}
