//! What a store holds, and what its reader makes of it: identity presented, anchors.

use keystore::Body;
use keystore::Certificate;
use keystore::Limits;
use keystore::Password;
use keystore::Store;
use product::Component;
use product::HostFiles;
use product::Selects;
use product::StoreFile;

use crate::scan::Look;
use crate::scan::finding;
use crate::scan::host;
use crate::scan::keep_file;
use crate::snapshot::EntryFacts;
use crate::snapshot::Snapshot;
use crate::snapshot::StoreFacts;
use crate::snapshot::UseFacts;
use crate::snapshot::hex;
use crate::snapshot::sha256_hex;

/// Reads the stores of all components, once each, and says what each reader makes of them.
/// A component without a runtime gets the one its stores speak for.
pub(crate) fn uses(look: &Look<'_>, components: &mut [Component], snapshot: &mut Snapshot) {
    for component in components {
        let Some(files) = host(look, &component.host) else {
            let text = format!("host `{}` cannot be looked at", component.host);
            finding(
                snapshot,
                "error",
                &component.id,
                text,
                Some("check `reach` and `root` of the host".to_owned()),
            );
            continue;
        };
        for index in 0..component.stores.len() {
            one_use(look, files, component, index, snapshot);
        }
    }
}

fn one_use(
    look: &Look<'_>,
    files: &dyn HostFiles,
    component: &mut Component,
    index: usize,
    snapshot: &mut Snapshot,
) {
    let store = component.stores[index].clone();
    let path = files.real(&store.file);
    let target = format!("{}:{}", component.host, store.file);
    let bytes = match files.read(&path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let fix = format!("correct the path of store `{}` of `{}`", store.id, component.id);
            return finding(snapshot, "error", &target, error.to_string(), Some(fix));
        }
    };
    let password = match store
        .password
        .as_ref()
        .map(|secret| look.secrets.open(&component.host, secret))
        .transpose()
    {
        Ok(password) => password,
        Err(error) => {
            return finding(
                snapshot,
                "error",
                &target,
                error.to_string(),
                Some("name another source for the password".to_owned()),
            );
        }
    };
    if !snapshot
        .stores
        .iter()
        .any(|known| known.host == component.host && known.path == path)
    {
        let (facts, certificates) = facts(&component.host, &path, &bytes, password.as_ref());
        for certificate in &certificates {
            snapshot.keep(certificate);
        }
        if let Some(problem) = &facts.problem {
            let fix = format!(
                "`capgrow inspect` shows it; check file and password of store `{}`",
                store.id
            );
            finding(snapshot, "error", &target, problem.clone(), Some(fix));
        }
        snapshot.stores.push(facts);
    }
    let Ok(parsed) = keystore::read(&bytes, password.as_ref(), &Limits::default()) else {
        return;
    };
    if component.runtime.is_empty() {
        component.runtime = usual_runtime(&parsed).to_owned();
    }
    let alias = alias_of(files, component, &store);
    let mut facts = reading(component, &store, &parsed, alias.as_deref(), snapshot);
    facts.path = path;
    if let Some(key_file) = &store.key_file {
        key_apart(look, files, component, &store, key_file, &mut facts, snapshot);
    }
    snapshot.uses.push(facts);
}

/// The alias that counts: what a setting selects, else what the fleet file says.
pub fn alias_of(files: &dyn HostFiles, component: &Component, store: &StoreFile) -> Option<String> {
    for setting in &component.settings {
        if setting.selects != Selects::AliasOf(store.id.clone()) {
            continue;
        }
        let value = files
            .read(&setting.file)
            .ok()
            .and_then(|bytes| product::edit::value(setting.syntax, &bytes, &setting.key).ok());
        if let Some(Some(alias)) = value {
            return Some(alias).filter(|alias| !alias.is_empty());
        }
    }
    store.alias.clone()
}

/// The facts of one store file and the certificates it holds.
pub(crate) fn facts(
    host: &str,
    path: &str,
    bytes: &[u8],
    password: Option<&Password>,
) -> (StoreFacts, Vec<Certificate>) {
    let format = keystore::sniff(bytes).map_or("unknown", keystore::Format::name);
    let mut facts = StoreFacts {
        host: host.to_owned(),
        path: path.to_owned(),
        format: format.to_owned(),
        sha256: sha256_hex(bytes),
        entries: Vec::new(),
        problem: None,
    };
    let mut certificates = Vec::new();
    match keystore::read(bytes, password, &Limits::default()) {
        Err(error) => facts.problem = Some(error.to_string()),
        Ok(store) => {
            for entry in store.entries() {
                certificates.extend(entry.certificates().iter().cloned());
                facts.entries.push(EntryFacts {
                    alias: entry.alias().map(str::to_owned),
                    kind: entry.kind_name().to_owned(),
                    chain: entry
                        .certificates()
                        .iter()
                        .map(|certificate| hex(&certificate.sha256()))
                        .collect(),
                    trusted: matches!(entry.body(), Body::TrustedCert { trusted: true, .. }),
                });
            }
        }
    }
    (facts, certificates)
}

/// A store's own tools, where the fleet file names no runtime.
fn usual_runtime(store: &Store) -> &'static str {
    use keystore::Format;
    match store.format() {
        Format::CmsKdb => "gskit8",
        Format::Pem | Format::Der | Format::Pkcs7 => "openssl",
        _ => "java17",
    }
}

fn reading(
    component: &Component,
    store: &StoreFile,
    parsed: &Store,
    alias: Option<&str>,
    snapshot: &mut Snapshot,
) -> UseFacts {
    let mut facts = UseFacts {
        component: component.id.clone(),
        id: store.id.clone(),
        host: component.host.clone(),
        path: store.file.clone(),
        presented: Vec::new(),
        alias: None,
        anchors: Vec::new(),
        anchors_with_key: Vec::new(),
        keys: parsed
            .entries()
            .iter()
            .filter(|entry| matches!(entry.body(), Body::PrivateKey { .. }))
            .count(),
    };
    let Some(profile) = trust::runtime(&product::runtime_of(component, &store.id)) else {
        return facts;
    };
    if store.holds_trust() {
        let anchors = trust::anchors(parsed, profile);
        facts.anchors = anchors.iter().map(|anchor| snapshot.keep(anchor)).collect();
        let of_keys: Vec<&Certificate> = parsed
            .entries()
            .iter()
            .filter(|entry| matches!(entry.body(), Body::PrivateKey { .. }))
            .flat_map(|entry| entry.certificates())
            .collect();
        let trusted_too = |anchor: &Certificate| {
            parsed.entries().iter().any(|entry| matches!(entry.body(), Body::TrustedCert { certificate, .. } if certificate == anchor))
        };
        facts.anchors_with_key = anchors
            .iter()
            .filter(|anchor| of_keys.contains(anchor) && !trusted_too(anchor))
            .map(|anchor| hex(&anchor.sha256()))
            .collect();
    }
    if store.holds_identity() && store.key_file.is_none() {
        presented(component, store, parsed, (profile, alias), &mut facts, snapshot);
    }
    facts
}

fn presented(
    component: &Component,
    store: &StoreFile,
    parsed: &Store,
    (profile, alias): (&'static trust::Profile, Option<&str>),
    facts: &mut UseFacts,
    snapshot: &mut Snapshot,
) {
    let target = format!("{}:{}", component.host, store.file);
    match trust::presents(parsed, alias, profile) {
        Ok(choice) => {
            let entry = &parsed.entries()[choice.entry];
            facts.alias = entry.alias().map(str::to_owned);
            facts.presented = with_issuers(entry.certificates(), parsed)
                .iter()
                .map(|certificate| snapshot.keep(certificate))
                .collect();
            if facts.presented.is_empty() {
                let (text, fix) = match (parsed.format(), &store.password) {
                    (keystore::Format::Pkcs12, None) => (
                        "its certificates cannot be read: no password is named",
                        format!("name `password` for store `{}` of `{}`", store.id, component.id),
                    ),
                    _ => (
                        "the private key fits no certificate in it",
                        "put the pair that belongs together in place".to_owned(),
                    ),
                };
                finding(snapshot, "error", &target, text.to_owned(), Some(fix));
            }
            if alias.is_none() && facts.keys > 1 {
                let text = format!(
                    "holds {} private keys and no alias is named: {} takes entry {}",
                    facts.keys,
                    product::runtime_of(component, &store.id),
                    choice.entry + 1
                );
                finding(
                    snapshot,
                    "warning",
                    &target,
                    text,
                    Some(format!(
                        "name `alias` for store `{}` of `{}`",
                        store.id, component.id
                    )),
                );
            }
        }
        Err(why) => {
            let fix = format!("check `alias` of store `{}` of `{}`", store.id, component.id);
            finding(snapshot, "error", &target, why.to_string(), Some(fix));
        }
    }
}

/// The chain that is sent: CMS key databases keep issuers as entries of their own, and their reader adds them.
pub fn with_issuers(chain: &[Certificate], store: &Store) -> Vec<Certificate> {
    let mut chain = chain.to_vec();
    if store.format() != keystore::Format::CmsKdb {
        return chain;
    }
    while let Some(last) = chain.last().filter(|last| !last.is_self_issued()) {
        let issuer = store
            .entries()
            .iter()
            .filter(|entry| matches!(entry.body(), Body::TrustedCert { .. }))
            .flat_map(|entry| entry.certificates())
            .find(|candidate| last.names_as_issuer(candidate) && !chain.contains(candidate))
            .cloned();
        match issuer {
            Some(issuer) => chain.push(issuer),
            None => break,
        }
    }
    chain
}

/// Key and certificate in two files: the chain is the certificate file, in its order.
fn key_apart(
    look: &Look<'_>,
    files: &dyn HostFiles,
    component: &Component,
    store: &StoreFile,
    key_file: &str,
    facts: &mut UseFacts,
    snapshot: &mut Snapshot,
) {
    let target = format!("{}:{key_file}", component.host);
    let Ok(bytes) = files.read(&store.file) else {
        return;
    };
    if let Ok(parsed) = keystore::read(&bytes, None, &Limits::default()) {
        facts.presented = parsed
            .entries()
            .iter()
            .flat_map(|entry| entry.certificates())
            .map(|certificate| snapshot.keep(certificate))
            .collect();
    }
    let key_bytes = match files.read(key_file) {
        Ok(bytes) => bytes,
        Err(error) => {
            return finding(
                snapshot,
                "error",
                &target,
                error.to_string(),
                Some("correct `key-file`".to_owned()),
            );
        }
    };
    keep_file(snapshot, &component.host, key_file, &key_bytes);
    let secret = store.key_password.as_ref().or(store.password.as_ref());
    let password = secret.and_then(|secret| look.secrets.open(&component.host, secret).ok());
    let key = keystore::read(&key_bytes, password.as_ref(), &Limits::default())
        .ok()
        .and_then(|parsed| {
            parsed
                .entries()
                .iter()
                .find_map(|entry| entry.unlock(password.as_ref()).ok())
        });
    let leaf = facts
        .presented
        .first()
        .and_then(|name| snapshot.certificate(name));
    match (key, leaf) {
        (Some(key), Some(leaf)) if (key.matches(&leaf) == keystore::KeyMatch::Differs) => {
            let text = format!("the private key does not fit the certificate in {}", store.file);
            finding(
                snapshot,
                "error",
                &target,
                text,
                Some("put the pair that belongs together in place".to_owned()),
            );
        }
        (None, _) => finding(
            snapshot,
            "warning",
            &target,
            "holds no private key that can be opened".to_owned(),
            Some("check the file and its password".to_owned()),
        ),
        _ => facts.keys = 1,
    }
}
