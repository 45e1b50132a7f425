//! Aliases and labels that settings name, and the stores that should have them.

use crate::facts::EntryFacts;
use crate::facts::EntryKind;
use crate::facts::StoreFacts;
use crate::inputs::Inputs;
use crate::inputs::name_of;
use crate::rules::is_backup;
use crate::settings::Element;
use crate::settings::SettingsKind;
use crate::text::mqsc::MqKind;
use crate::text::mqsc::MqObject;

/// A label that a setting names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The settings file.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// The option.
    pub key: String,
    /// The alias or label.
    pub label: String,
    /// The store that should have it; empty where that is not said.
    pub path: String,
}

/// All aliases and labels that settings name.
pub fn named(inputs: &Inputs) -> Vec<Named> {
    let mut found = liberty(inputs);
    found.extend(tomcat(inputs));
    found.extend(agents(inputs));
    found.extend(clients(inputs));
    found.extend(queue_managers(inputs));
    found
}

/// `<ssl>` elements that name a store and no alias for a server.
pub fn unnamed(inputs: &Inputs) -> Vec<Named> {
    let mut found = Vec::new();
    for element in effective(inputs, "ssl") {
        let named = inputs.elements("ssl").any(|other| {
            other.value("id") == element.value("id") && other.attribute("serverKeyAlias").is_some()
        });
        if let (false, Some(path)) = (named, key_store(inputs, &element)) {
            found.push(Named {
                file: element.settings.file.clone(),
                line: element.line(),
                key: "serverKeyAlias".to_owned(),
                label: String::new(),
                path,
            });
        }
    }
    for connector in inputs.elements("Connector") {
        if let (Some(place), None) = (
            connector.attribute("keystoreFile"),
            connector.attribute("keyAlias"),
        ) {
            found.push(Named {
                file: connector.settings.file.clone(),
                line: place.line,
                key: "keyAlias".to_owned(),
                label: String::new(),
                path: place.value.clone(),
            });
        }
    }
    found
}

/// The store that should have a label.
pub fn store_of<'a>(inputs: &'a Inputs, named: &Named) -> Option<&'a StoreFacts> {
    let mut near = candidates(inputs, &named.path);
    let shared = |store: &&StoreFacts| {
        store
            .file
            .split('/')
            .zip(named.file.split('/'))
            .take_while(|(one, other)| one == other)
            .count()
    };
    near.sort_by_key(|store| std::cmp::Reverse(shared(store)));
    near.first().copied().or_else(|| listing(inputs))
}

/// The store at a path, or the only listing there is.
pub fn store_at<'a>(inputs: &'a Inputs, path: &str) -> Option<&'a StoreFacts> {
    candidates(inputs, path)
        .first()
        .copied()
        .or_else(|| listing(inputs))
}

fn candidates<'a>(inputs: &'a Inputs, path: &str) -> Vec<&'a StoreFacts> {
    if path.is_empty() {
        return Vec::new();
    }
    for end in ["", ".kdb", ".p12"] {
        let found: Vec<&StoreFacts> = inputs
            .stores_at(&format!("{path}{end}"))
            .into_iter()
            .filter(|store| store.broken.is_none() && !store.entries.is_empty())
            .collect();
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// The only list of a store that somebody pasted; else the only store with names.
fn listing(inputs: &Inputs) -> Option<&StoreFacts> {
    let lists: Vec<&StoreFacts> = inputs
        .stores
        .iter()
        .filter(|store| matches!(store.format, "keytool" | "gskit") && store.keys().next().is_some())
        .collect();
    match lists.as_slice() {
        [only] => Some(only),
        _ => None,
    }
}

/// The entries of a store in a few words.
pub fn list(store: &StoreFacts) -> String {
    let words: Vec<String> = store
        .entries
        .iter()
        .take(MAX_LISTED)
        .map(|entry| {
            let kind = match entry.kind {
                EntryKind::Key => "key",
                EntryKind::Trusted(_) => "trusted",
                EntryKind::Request => "request",
                EntryKind::Secret => "secret",
                EntryKind::Opaque => "?",
            };
            format!("\"{}\" ({kind})", entry.alias.as_deref().unwrap_or("-"))
        })
        .collect();
    match (words.is_empty(), store.entries.len().saturating_sub(MAX_LISTED)) {
        (true, _) => "no entries".to_owned(),
        (false, 0) => words.join(", "),
        (false, more) => format!("{} and {more} more", words.join(", ")),
    }
}

/// Keystores of Db2 Query Monitor's CAE server.
pub fn cae_stores(inputs: &Inputs) -> Vec<&StoreFacts> {
    let is_cae = inputs
        .files
        .iter()
        .any(|file| file.name().eq_ignore_ascii_case("cqm.server.properties"))
        || inputs.says(&[
            "cae_agent_portal",
            "cae server",
            "cae agent",
            "cqm_import_certs",
            "caeagent",
        ]);
    inputs
        .stores
        .iter()
        .filter(|store| store.broken.is_none() && matches!(store.format, "jks" | "keytool" | "pkcs12"))
        .filter(|store| {
            let name = name_of(&store.file).to_lowercase();
            name.starts_with("defaultkeystore")
                || is_cae && !name.contains("cacerts") && !name.contains("trust")
        })
        .filter(|store| store.keys().next().is_some())
        .collect()
}

/// The key that a channel presents, with its store.
pub fn presented_by<'a>(inputs: &'a Inputs, channel: &MqObject) -> Option<(&'a StoreFacts, &'a EntryFacts)> {
    let own = channel.get("CERTLABL").filter(|label| !label.is_empty());
    let named = queue_managers(inputs);
    let wanted = match own {
        Some(label) => named.iter().find(|named| named.label == label),
        None => named
            .iter()
            .find(|named| named.file == channel.file)
            .or_else(|| named.first()),
    };
    let (store, label) = match wanted {
        Some(named) => (store_of(inputs, named)?, named.label.clone()),
        None => {
            let keys: Vec<&StoreFacts> = inputs
                .stores
                .iter()
                .filter(|store| matches!(store.format, "cms-kdb" | "gskit") && store.keys().count() == 1)
                .collect();
            let [store] = keys.as_slice() else { return None };
            (*store, store.keys().next()?.alias.clone()?)
        }
    };
    let entry = store.find(&label).filter(|entry| !entry.chain.is_empty())?;
    Some((store, entry))
}

/// Elements of a name, of each id the one that counts: overrides before server.xml before defaults, no backups.
fn effective<'a>(inputs: &'a Inputs, name: &'a str) -> Vec<Element<'a>> {
    let rank = |element: &Element<'_>| match &element.settings.file {
        file if file.contains("/overrides/") => 2,
        file if file.contains("/defaults/") => 0,
        _ => 1,
    };
    let server = |element: &Element<'_>| {
        let file = &element.settings.file;
        file.split("/configDropins/")
            .next()
            .map_or_else(String::new, |dir| {
                if dir == file {
                    crate::inputs::dir_of(file).to_owned()
                } else {
                    dir.to_owned()
                }
            })
    };
    let all: Vec<Element<'a>> = inputs
        .elements(name)
        .filter(|element| !is_backup(name_of(&element.settings.file)))
        .collect();
    all.iter()
        .filter(|one| {
            !all.iter().any(|other| {
                other.value("id") == one.value("id")
                    && server(other) == server(one)
                    && rank(other) > rank(one)
            })
        })
        .copied()
        .collect()
}

fn key_store(inputs: &Inputs, ssl: &Element<'_>) -> Option<String> {
    let wanted = ssl.value("keyStoreRef").unwrap_or("defaultKeyStore");
    let store = effective(inputs, "keyStore")
        .into_iter()
        .find(|store| store.value("id") == Some(wanted))?;
    let place = store.value("location").unwrap_or("key.p12");
    Some(inputs.filled(place))
}

fn liberty(inputs: &Inputs) -> Vec<Named> {
    let mut found = Vec::new();
    for ssl in effective(inputs, "ssl") {
        let path = key_store(inputs, &ssl).unwrap_or_default();
        for key in ["serverKeyAlias", "clientKeyAlias"] {
            let Some(item) = ssl.attribute(key) else { continue };
            let label = inputs.filled(&item.value);
            if !label.is_empty() && !label.contains("${") && !path.contains("://") {
                found.push(Named {
                    file: ssl.settings.file.clone(),
                    line: item.line,
                    key: key.to_owned(),
                    label,
                    path: path.clone(),
                });
            }
        }
    }
    found
}

fn tomcat(inputs: &Inputs) -> Vec<Named> {
    let mut found = Vec::new();
    for (element, alias, place) in [
        ("Connector", "keyAlias", "keystoreFile"),
        ("Certificate", "certificateKeyAlias", "certificateKeystoreFile"),
    ] {
        for connector in inputs.elements(element) {
            if let (Some(item), Some(path)) = (connector.attribute(alias), connector.value(place)) {
                found.push(Named {
                    file: connector.settings.file.clone(),
                    line: item.line,
                    key: alias.to_owned(),
                    label: item.value.clone(),
                    path: path.to_owned(),
                });
            }
        }
    }
    found
}

fn agents(inputs: &Inputs) -> Vec<Named> {
    let mut found = Vec::new();
    for settings in &inputs.settings {
        let pair = match settings.kind {
            SettingsKind::Localopts => settings
                .last("sslcertificatekeystorelabel")
                .zip(settings.last("sslkeystorefile")),
            SettingsKind::Ini => settings.last("cert_label").zip(
                settings
                    .last("key_db_name")
                    .or_else(|| settings.last("cert_label")),
            ),
            _ => None,
        };
        if let Some((label, place)) = pair.filter(|(label, _)| !label.value.is_empty()) {
            let path = if place.key == "cert_label" {
                "TWSClientKeyStore.kdb"
            } else {
                &place.value
            };
            found.push(Named {
                file: settings.file.clone(),
                line: label.line,
                key: label.key.clone(),
                label: label.value.clone(),
                path: path.to_owned(),
            });
        }
    }
    found
}

/// A client's label by its order of sources, or the one that follows from its user.
///
/// Source: domain specification E.1: channel table, `MQCERTLABL`, mqclient.ini, `ibmwebspheremq` and the user.
fn clients(inputs: &Inputs) -> Vec<Named> {
    let place = inputs
        .setting(SettingsKind::Environment, "MQSSLKEYR")
        .or_else(|| inputs.setting(SettingsKind::MqIni, "SSLKeyRepository"));
    let path = place.map_or_else(String::new, |(_, item)| item.value.clone());
    let set = inputs
        .setting(SettingsKind::JsonChannels, "certificateLabel")
        .or_else(|| inputs.setting(SettingsKind::Environment, "MQCERTLABL"))
        .or_else(|| inputs.setting(SettingsKind::MqIni, "CertificateLabel"));
    if let Some((settings, item)) = set.filter(|(_, item)| !item.value.is_empty()) {
        return vec![Named {
            file: settings.file.clone(),
            line: item.line,
            key: item.key.clone(),
            label: item.value.clone(),
            path,
        }];
    }
    let Some((settings, item)) = place else {
        return Vec::new();
    };
    let user = inputs.texts.iter().find_map(|text| {
        text.speaking_of("amq9642").next()?;
        let (_, words) = text.speaking_of(" user(").next()?;
        let after = &words[words.find("User(")? + 5..];
        after.split(')').next().map(str::to_lowercase)
    });
    user.map(|user| Named {
        file: settings.file.clone(),
        line: item.line,
        key: "label that follows from the user".to_owned(),
        label: format!("ibmwebspheremq{user}"),
        path,
    })
    .into_iter()
    .collect()
}

/// Labels of queue managers and their channels.
fn queue_managers(inputs: &Inputs) -> Vec<Named> {
    let mut found = Vec::new();
    let managers: Vec<&MqObject> = inputs
        .mq
        .iter()
        .filter(|object| object.kind == MqKind::QueueManager)
        .collect();
    let path = managers
        .iter()
        .find_map(|object| object.get("SSLKEYR"))
        .unwrap_or_default()
        .to_owned();
    for manager in &managers {
        let label = match (manager.get("CERTLABL"), manager.get("QMNAME")) {
            (Some(label), _) if !label.is_empty() => label.to_owned(),
            (_, Some(name)) => format!("ibmwebspheremq{}", name.to_lowercase()),
            _ => continue,
        };
        found.push(Named {
            file: manager.file.clone(),
            line: manager.line,
            key: "CERTLABL of the queue manager".to_owned(),
            label,
            path: path.clone(),
        });
    }
    for channel in inputs.mq.iter().filter(|object| object.kind == MqKind::Channel) {
        let client = channel.get("CHLTYPE") == Some("CLNTCONN");
        if let Some(label) = channel
            .get("CERTLABL")
            .filter(|label| !label.is_empty() && !client)
        {
            found.push(Named {
                file: channel.file.clone(),
                line: channel.line,
                key: format!("CERTLABL of channel {}", channel.name()),
                label: label.to_owned(),
                path: path.clone(),
            });
        }
    }
    found
}

const MAX_LISTED: usize = 12;
