//! Files that settings name, and whether they are there.

use crate::inputs::InputFile;
use crate::inputs::Inputs;
use crate::inputs::dir_of;
use crate::inputs::name_of;
use crate::inputs::shared_end;
use crate::settings::SettingsKind;
use crate::text::mqsc::MqKind;

/// A file that a setting names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPath {
    /// The settings file.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// The option.
    pub key: String,
    /// As it stands there, variables filled in.
    pub path: String,
    kind: SettingsKind,
}

/// All files of TLS that settings name.
pub fn named(inputs: &Inputs) -> Vec<NamedPath> {
    let mut found = Vec::new();
    for settings in &inputs.settings {
        let keys: &[&str] = match settings.kind {
            SettingsKind::Localopts if !settings.file.contains(".orig") => &LOCALOPTS,
            SettingsKind::MqIni => &["SSLKeyRepository"],
            SettingsKind::Environment => &["MQSSLKEYR"],
            _ => &[],
        };
        for key in keys {
            if let Some(item) = settings.last(key).filter(|item| !item.value.is_empty()) {
                found.push(NamedPath {
                    file: settings.file.clone(),
                    line: item.line,
                    key: (*key).to_owned(),
                    path: item.value.clone(),
                    kind: settings.kind,
                });
            }
        }
    }
    for element in inputs.elements("keyStore") {
        let Some(item) = element.attribute("location") else {
            continue;
        };
        let path = inputs.filled(&item.value);
        if !path.contains("://") && !name_of(&path).contains("${") && !path.is_empty() {
            found.push(NamedPath {
                file: element.settings.file.clone(),
                line: item.line,
                key: "location".to_owned(),
                path,
                kind: SettingsKind::Liberty,
            });
        }
    }
    for object in inputs
        .mq
        .iter()
        .filter(|object| object.kind == MqKind::QueueManager)
    {
        if let Some(path) = object.get("SSLKEYR").filter(|path| !path.is_empty()) {
            found.push(NamedPath {
                file: object.file.clone(),
                line: object.line,
                key: "SSLKEYR".to_owned(),
                path: path.to_owned(),
                kind: SettingsKind::MqIni,
            });
        }
    }
    found
}

/// The file at hand that a setting means: of the same name, sharing the longest way.
pub fn at<'a>(inputs: &'a Inputs, settings: &str, path: &str) -> Option<&'a InputFile> {
    let close = |file: &InputFile| (shared_end(&file.path, path), shared_start(&file.path, settings));
    inputs
        .files
        .iter()
        .filter(|file| shared_end(&file.path, path) > 0)
        .max_by_key(|file| close(file))
}

fn shared_start(one: &str, other: &str) -> usize {
    one.split('/')
        .zip(other.split('/'))
        .take_while(|(a, b)| a == b)
        .count()
}

/// Why the file that a setting names cannot be read; `None` where it is there, or may lie where nobody looked.
pub fn why_absent(inputs: &Inputs, named: &NamedPath) -> Option<String> {
    if named.kind == SettingsKind::MqIni {
        return key_repository(inputs, named);
    }
    let found = at(inputs, &named.file, &named.path);
    let group: Vec<NamedPath> = self::named(inputs)
        .into_iter()
        .filter(|other| other.file == named.file && other.key != named.key)
        .collect();
    match (found, named.kind) {
        (Some(found), _) => elsewhere(inputs, named, &group, found),
        (None, SettingsKind::Localopts) => {
            let present = group
                .iter()
                .filter(|other| at(inputs, &other.file, &other.path).is_some())
                .count();
            (present > 0).then(|| {
                format!(
                    "{} is not there, though {present} of the other files that {} names are",
                    named.path, named.file
                )
            })
        }
        (None, _) => {
            let near = inputs
                .stores
                .iter()
                .find(|store| !store.is_listing && is_near(name_of(&store.file), name_of(&named.path)))?;
            Some(format!("{} is not there; {} is", named.path, near.file))
        }
    }
}

/// The file of that name lies elsewhere: beside the others, while the setting points away from them.
fn elsewhere(inputs: &Inputs, named: &NamedPath, group: &[NamedPath], found: &InputFile) -> Option<String> {
    if named.path.contains("/TWS/ssl") && format!("/{}", found.path).contains("/TWSDATA/ssl") {
        return Some(format!(
            "{} is under TWS, and the file lies under TWSDATA: {}",
            named.path, found.path
        ));
    }
    if let Some(root) = root_of(&named.file, &named.path) {
        let wanted = format!("{root}{}", named.path);
        let bare = wanted.trim_start_matches('/');
        if inputs
            .files
            .iter()
            .all(|file| file.path.trim_start_matches('/') != bare)
        {
            return Some(format!(
                "{} is not there; a file of that name is {}",
                named.path, found.path
            ));
        }
    }
    let parent = |path: &str| name_of(dir_of(path)).to_owned();
    let above = |path: &str| name_of(dir_of(dir_of(path))).to_owned();
    if parent(&named.path) != parent(&found.path)
        && above(&named.path) == above(&found.path)
        && !above(&found.path).is_empty()
    {
        return Some(format!(
            "{} is not there: the file lies in {}",
            named.path,
            dir_of(&found.path)
        ));
    }
    let own = dir_of(&named.path);
    let others: Vec<&NamedPath> = group.iter().filter(|other| dir_of(&other.path) != own).collect();
    let with = group.iter().filter(|other| dir_of(&other.path) == own).count();
    let same_place = others
        .iter()
        .filter(|other| {
            at(inputs, &other.file, &other.path).is_some_and(|file| dir_of(&file.path) == dir_of(&found.path))
        })
        .count();
    (with == 0 && same_place >= 2).then(|| {
        format!(
            "{} is not there: the file lies beside the others, {}",
            named.path, found.path
        )
    })
}

/// Where a copied tree begins, when the settings file lies in it and the setting names a place in the same tree.
fn root_of<'a>(settings: &'a str, path: &str) -> Option<&'a str> {
    let start: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).take(2).collect();
    if start.len() < 2 || !path.starts_with('/') {
        return None;
    }
    let at = format!("/{settings}").find(&format!("/{}/", start.join("/")))?;
    // One letter was put in front.
    Some(&settings[..at.saturating_sub(1)])
}

/// IBM MQ appends `.kdb` by itself.
fn key_repository(inputs: &Inputs, named: &NamedPath) -> Option<String> {
    let heard = inputs.says(&["amq9657e", "amq9660e", "amq9657:", "amq9660:"]);
    if named.path.ends_with(".kdb") && heard {
        return Some(format!(
            "{} is named with its ending: before 9.3 the program looks for {}.kdb",
            named.path, named.path
        ));
    }
    let wanted = name_of(&named.path).trim_end_matches(".kdb");
    let stores: Vec<&str> = inputs
        .stores
        .iter()
        .filter(|store| !store.is_listing && matches!(store.format, "cms-kdb" | "pkcs12"))
        .map(|store| {
            name_of(&store.file)
                .trim_end_matches(".kdb")
                .trim_end_matches(".p12")
        })
        .collect();
    if wanted.is_empty() || stores.is_empty() || stores.contains(&wanted) {
        return None;
    }
    let near = stores
        .iter()
        .find(|name| heard && stores.len() == 1 || is_near(name, wanted))?;
    Some(format!("{} is not there; {near}.kdb is", named.path))
}

/// Names that differ by a slip of the hand: case, one or two letters, or the ending.
fn is_near(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_lowercase(), other.to_lowercase());
    let stem = |name: &str| {
        name.rsplit_once('.')
            .map_or(name.to_owned(), |(stem, _)| stem.to_owned())
    };
    stem(&one) == stem(&other) || one.len() < 64 && other.len() < 64 && distance(&one, &other) <= 2
}

/// Letters to insert, remove or replace.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let replaced = before + usize::from(a != *b);
            before = row[j + 1];
            row[j + 1] = replaced.min(before + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

const LOCALOPTS: [&str; 7] = [
    "sslkey",
    "sslcertificate",
    "sslkeypwd",
    "sslcacertificate",
    "sslrandomseed",
    "sslkeystorefile",
    "sslkeystorepwd",
];
