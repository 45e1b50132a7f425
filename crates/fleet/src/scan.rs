//! Looks at every host and writes down what is there: a [`Snapshot`].
//!
//! The whole input is the fleet file, the files below each host's root (or the directories it names), and
//! the answers of the product's own read-only commands. What these do not say becomes a question.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use globset::Glob;
use product::Component;
use product::HostFiles;
use product::Secret;
use product::Secrets;

use crate::assemble;
use crate::connections;
use crate::declare::DeclareError;
use crate::file::FleetDoc;
use crate::snapshot::FileFacts;
use crate::snapshot::FindingFacts;
use crate::snapshot::HostFacts;
use crate::snapshot::QuestionFacts;
use crate::snapshot::SettingFacts;
use crate::snapshot::Snapshot;
use crate::snapshot::sha256_hex;
use crate::store_facts;
use crate::walk;

/// What a scan may know.
pub struct Look<'a> {
    /// `capgrow.toml`.
    pub doc: &'a FleetDoc,
    /// One for each host of the file that can be reached.
    pub hosts: &'a [&'a dyn HostFiles],
    /// Where passwords come from.
    pub secrets: &'a dyn Secrets,
    /// Trees to look at beside what the file names, by host.
    pub extra: &'a BTreeMap<String, Vec<String>>,
    /// Workstation definitions given in the fleet file, by host.
    pub definitions: &'a BTreeMap<String, String>,
    /// Seconds since 1970.
    pub now: i64,
}

/// Scans the fleet. Everything that could not be read is a finding; the rest is there all the same.
///
/// # Errors
/// All mistakes of the fleet file's components.
///
/// Cost: one head read for each file below the trees, one full read and the key derivations for each store.
pub fn scan(look: &Look<'_>) -> Result<Snapshot, Vec<DeclareError>> {
    let mut snapshot = Snapshot {
        version: 1,
        taken_at: look.now,
        ..Snapshot::default()
    };
    for (name, host) in &look.doc.hosts {
        let reach = host.reach.clone().unwrap_or_else(|| "local".to_owned());
        snapshot.hosts.insert(
            name.clone(),
            HostFacts {
                root: host.root.clone(),
                reach,
            },
        );
    }
    let mut components = assemble::components(look, &mut snapshot)?;
    for component in &mut components {
        passwords(look, component);
    }
    store_facts::uses(look, &mut components, &mut snapshot);
    walk::stores(look, &mut snapshot);
    for component in &components {
        settings(look, component, &mut snapshot);
    }
    assemble::links(&components, &mut snapshot);
    connections::undeclared(look, &components, &mut snapshot);
    for component in &components {
        let doc = crate::declare::document(component);
        let value = serde_json::to_value(doc).expect("a component's words are plain JSON");
        snapshot.components.insert(component.id.clone(), value);
    }
    snapshot
        .stores
        .sort_by(|a, b| (&a.host, &a.path).cmp(&(&b.host, &b.path)));
    snapshot.partial = !snapshot.questions.is_empty();
    Ok(snapshot)
}

/// The components as they are now, without a look at their stores: settings may have moved a store or an alias.
///
/// # Errors
/// All mistakes of the fleet file's components.
///
/// Cost: the layout and settings of every product; no store is opened.
pub fn components_now(look: &Look<'_>) -> Result<Vec<Component>, Vec<DeclareError>> {
    let mut unused = Snapshot::default();
    let mut components = assemble::components(look, &mut unused)?;
    for component in &mut components {
        passwords(look, component);
    }
    Ok(components)
}

/// The files of the host of that name.
pub(crate) fn host<'a>(look: &Look<'a>, name: &str) -> Option<&'a dyn HostFiles> {
    look.hosts.iter().copied().find(|host| host.host() == name)
}

/// Where the fleet file gives a password by pattern, or a stash lies beside the store, that is the source.
fn passwords(look: &Look<'_>, component: &mut Component) {
    let id = component.id.clone();
    let host_name = component.host.clone();
    for store in &mut component.stores {
        for (part, secret) in [
            ("password", &mut store.password),
            ("key-password", &mut store.key_password),
        ] {
            if matches!(secret, Some(Secret::Literal(_))) {
                *secret = Some(Secret::FleetFile(format!(
                    "components.{id}.stores.{}.{part}",
                    store.id
                )));
            }
        }
        if store.password.is_none() {
            store.password = password_for(look, &host_name, &store.file);
        }
    }
}

/// The source that the fleet file or a sibling stash gives for a store of that path.
pub(crate) fn password_for(look: &Look<'_>, host_name: &str, path: &str) -> Option<Secret> {
    let rules = look
        .doc
        .hosts
        .get(host_name)
        .map(|host| host.passwords.as_slice())
        .unwrap_or_default();
    for (index, rule) in rules.iter().enumerate() {
        let matches = Glob::new(&rule.r#for).is_ok_and(|glob| glob.compile_matcher().is_match(path));
        if !matches {
            continue;
        }
        return match crate::declare::secret(&rule.password) {
            Ok(Secret::Literal(_)) => Some(Secret::FleetFile(format!("hosts.{host_name}.passwords.{index}"))),
            Ok(secret) => Some(secret),
            Err(_) => None,
        };
    }
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    let stash = format!("{stem}.sth");
    let there = host(look, host_name).is_some_and(|files| files.head(&stash, 1).is_ok());
    there.then_some(Secret::Stash(stash))
}

fn settings(look: &Look<'_>, component: &Component, snapshot: &mut Snapshot) {
    let Some(files) = host(look, &component.host) else {
        return;
    };
    for setting in &component.settings {
        let bytes = match files.read(&setting.file) {
            Ok(bytes) => bytes,
            Err(error) => {
                finding(
                    snapshot,
                    "error",
                    &component.id,
                    error.to_string(),
                    Some(format!("correct settings.file of `{}`", component.id)),
                );
                continue;
            }
        };
        keep_file(snapshot, &component.host, &setting.file, &bytes);
        let (value, problem) = match product::edit::find(setting.syntax, &bytes, &setting.key) {
            Ok(values) if values.len() == 1 => (values.into_iter().next().map(|value| value.text), None),
            Ok(values) if values.is_empty() => (None, Some(format!("there is no {} in it", setting.key))),
            Ok(values) => {
                let lines: Vec<String> = values.iter().map(|value| value.line.to_string()).collect();
                let text = format!(
                    "{} stands in it {} times (lines {})",
                    setting.key,
                    values.len(),
                    lines.join(", ")
                );
                (values.into_iter().next_back().map(|value| value.text), Some(text))
            }
            Err(error) => (None, Some(error.to_string())),
        };
        let facts = SettingFacts {
            component: component.id.clone(),
            file: setting.file.clone(),
            key: setting.key.clone(),
            selects: crate::declare::selects_text(&setting.selects),
            value,
        };
        snapshot.settings.push(facts);
        if let Some(text) = problem {
            let fix = format!(
                "correct {} or the setting's key in capgrow.toml, then scan again",
                setting.file
            );
            finding(
                snapshot,
                "error",
                &format!("{}:{}", component.host, setting.file),
                text,
                Some(fix),
            );
        }
    }
}

/// Remembers the content of a settings file.
pub(crate) fn keep_file(snapshot: &mut Snapshot, host: &str, path: &str, bytes: &[u8]) {
    if snapshot
        .files
        .iter()
        .any(|file| file.host == host && file.path == path)
    {
        return;
    }
    let sha256 = sha256_hex(bytes);
    snapshot.files.push(FileFacts {
        host: host.to_owned(),
        path: path.to_owned(),
        sha256,
    });
}

/// Adds a finding once.
pub(crate) fn finding(
    snapshot: &mut Snapshot,
    severity: &str,
    target: &str,
    text: String,
    fix: Option<String>,
) {
    let new = FindingFacts {
        severity: severity.to_owned(),
        target: target.to_owned(),
        text,
        fix,
    };
    if !snapshot.findings.contains(&new) {
        snapshot.findings.push(new);
    }
}

/// Adds a question once.
pub(crate) fn question(snapshot: &mut Snapshot, about: &str, text: String, proposal: Option<String>) {
    let new = QuestionFacts {
        about: about.to_owned(),
        text,
        proposal,
    };
    if !snapshot.questions.contains(&new) {
        snapshot.questions.push(new);
    }
}

/// The trees to look at on a host: all of it where it has a root, else what the file names.
pub(crate) fn trees(look: &Look<'_>, name: &str) -> Vec<String> {
    let mut trees: BTreeSet<String> = look.extra.get(name).into_iter().flatten().cloned().collect();
    if let Some(host) = look.doc.hosts.get(name) {
        if host.root.is_some() {
            return vec!["/".to_owned()];
        }
        trees.extend(host.look_in.iter().cloned());
    }
    for component in look.doc.components.values() {
        if component.host.as_deref() == Some(name) {
            trees.extend(component.dir.clone());
        }
    }
    trees.into_iter().collect()
}
