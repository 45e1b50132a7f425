//! The configuration of one Liberty server, merged as the server merges it, with the file each value comes from.
//!
//! Order, later wins: `configDropins/defaults/*.xml`, `server.xml`, `configDropins/overrides/*.xml`, each folder by
//! name; an `<include>` counts where it stands. Variables: `value` of `<variable>`, then `bootstrap.properties`, then
//! `server.env`, then `defaultValue`. Source: Open Liberty reference, `include`, `variable`, configuration drop-ins;
//! domain specification F.1.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::component::Syntax;
use crate::edit;
use crate::files::FileKind;
use crate::files::HostFiles;

/// One server's configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// `…/usr/servers/NAME`.
    pub dir: String,
    /// The files that were read, in the order in which they count.
    pub files: Vec<String>,
    /// Elements with the same name and id merged, in order of their first appearance.
    pub elements: Vec<Element>,
    /// Includes that are not there, cycles, files that are not XML.
    pub notes: Vec<String>,
    variables: BTreeMap<String, Variable>,
}

/// One merged element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Its tag.
    pub name: String,
    /// Its id; absent for an element that has none.
    pub id: Option<String>,
    /// Attributes of the element; of its children as `child.attribute`.
    pub attributes: BTreeMap<String, Attribute>,
    /// The files in which it stands, in the order in which they count.
    pub files: Vec<String>,
}

/// One attribute as written, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// As written, variables not replaced.
    pub raw: String,
    /// The file whose value counts.
    pub file: String,
    /// Files that say another value and do not count, though one may think so.
    pub shadowed: Vec<String>,
}

/// Where a value must be edited so that it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The host path.
    pub file: String,
    /// The path of the attribute in that file.
    pub key: String,
    /// Its value now, variables replaced; `None` where the attribute is to be added.
    pub value: Option<String>,
    /// Files with the same attribute that this one shadows.
    pub shadowed: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Variable {
    value: String,
    /// The attribute that holds it, or the properties file.
    file: String,
    key: String,
    syntax: Syntax,
    rank: u8,
    shadowed: Vec<String>,
}

/// An `<ssl>` element with its stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ssl {
    /// Its id.
    pub id: String,
    /// Its key store.
    pub key_store: Option<KeyStore>,
    /// Its trust store; the key store where it names none.
    pub trust_store: Option<KeyStore>,
    /// `clientAuthentication`.
    pub client_authentication: bool,
    /// `clientAuthenticationSupported`.
    pub client_authentication_supported: bool,
    /// `serverKeyAlias`, variables replaced.
    pub server_key_alias: Option<String>,
}

/// A `<keyStore>` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyStore {
    /// Its id.
    pub id: String,
    /// The host path.
    pub location: String,
    /// Where its password stands: file, syntax and key.
    pub password: Option<(String, Syntax, String)>,
    /// Whether that password can be decoded without a key (`{aes}` and `{hash}` cannot).
    pub decodable: bool,
    /// The polling rate in milliseconds where `updateTrigger="polled"`.
    pub polled_millis: Option<u64>,
}

/// Reads the server in `dir` (`…/usr/servers/NAME`). What cannot be read is a note; the rest counts.
///
/// Cost: one read of each configuration file, at most 256 of them.
pub fn read(host: &dyn HostFiles, dir: &str) -> Config {
    let mut reader = Reader {
        host,
        config: Config {
            dir: dir.to_owned(),
            ..Config::default()
        },
        open: Vec::new(),
    };
    reader.environment();
    reader.folder(&format!("{dir}/configDropins/defaults"));
    reader.file(&format!("{dir}/server.xml"), Conflict::Merge);
    reader.folder(&format!("{dir}/configDropins/overrides"));
    reader.config
}

impl Config {
    /// The merged element of that name and id.
    pub fn element(&self, name: &str, id: &str) -> Option<&Element> {
        self.elements
            .iter()
            .find(|element| element.name == name && element.id.as_deref() == Some(id))
    }

    /// The value of a variable, other variables in it replaced.
    pub fn variable(&self, name: &str) -> Option<String> {
        self.variables
            .contains_key(name)
            .then(|| self.resolve(&format!("${{{name}}}")))
    }

    /// Where a variable's value stands so that it counts, with the files that also define it.
    pub fn variable_place(&self, name: &str) -> Option<Place> {
        let variable = self.variables.get(name)?;
        Some(Place {
            file: variable.file.clone(),
            key: variable.key.clone(),
            value: self.variable(name),
            shadowed: variable.shadowed.clone(),
        })
    }

    /// The text with `${…}` replaced; what is not defined stays as it is.
    pub fn resolve(&self, text: &str) -> String {
        self.resolve_within(text, 0)
    }

    fn resolve_within(&self, text: &str, depth: usize) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let Some((name, behind)) = after.split_once('}') else {
                out.push_str("${");
                rest = after;
                continue;
            };
            match self.lookup(name).filter(|_| depth < MAX_NESTED_VARIABLES) {
                Some(value) => out.push_str(&self.resolve_within(&value, depth + 1)),
                None => out.push_str(&format!("${{{name}}}")),
            }
            rest = behind;
        }
        out + rest
    }

    fn lookup(&self, name: &str) -> Option<String> {
        if let Some(variable) = self.variables.get(name) {
            return Some(variable.value.clone());
        }
        let plain: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect();
        let bare = name.strip_prefix("env.").unwrap_or(name);
        for form in [bare, &plain, &plain.to_uppercase()] {
            if let Some(variable) = self.variables.get(&format!("{ENVIRONMENT}{form}")) {
                return Some(variable.value.clone());
            }
        }
        let user_dir = parent(parent(&self.dir));
        match name {
            "server.config.dir" | "server.output.dir" => Some(self.dir.clone()),
            "shared.config.dir" => Some(format!("{user_dir}/shared/config")),
            "shared.resource.dir" => Some(format!("{user_dir}/shared/resources")),
            "wlp.server.name" => Some(self.dir.rsplit('/').next().unwrap_or_default().to_owned()),
            "wlp.user.dir" => Some(user_dir.to_owned()),
            _ => None,
        }
    }

    /// All `<ssl>` elements.
    pub fn ssl(&self) -> Vec<Ssl> {
        let all = self.elements.iter().filter(|element| element.name == "ssl");
        all.filter_map(|element| Some((element, element.id.clone()?)))
            .map(|(element, id)| {
                let store = |name: &str| {
                    let id = self.value(element, name)?;
                    self.key_store(&id)
                };
                let key_store = store("keyStoreRef");
                Ssl {
                    id,
                    trust_store: store("trustStoreRef").or_else(|| key_store.clone()),
                    key_store,
                    client_authentication: self.is_true(element, "clientAuthentication"),
                    client_authentication_supported: self.is_true(element, "clientAuthenticationSupported"),
                    server_key_alias: self
                        .value(element, "serverKeyAlias")
                        .filter(|alias| !alias.is_empty()),
                }
            })
            .collect()
    }

    /// The `<ssl>` that an endpoint uses: its own reference, else `<sslDefault>`, else the only one there is.
    pub fn endpoint_ssl(&self) -> Option<Ssl> {
        let all = self.ssl();
        let by_id = |id: String| all.iter().find(|ssl| ssl.id == id).cloned();
        let own = self
            .endpoint()
            .and_then(|endpoint| self.value(endpoint, "sslOptions.sslRef"));
        let default = self.elements.iter().find(|element| element.name == "sslDefault");
        let default = default.and_then(|element| self.value(element, "sslRef"));
        own.and_then(by_id)
            .or_else(|| default.and_then(by_id))
            .or_else(|| by_id("defaultSSLConfig".to_owned()))
            .or_else(|| {
                if let [only] = all.as_slice() {
                    Some(only.clone())
                } else {
                    None
                }
            })
    }

    /// Host and port of the HTTPS endpoint; the host is `None` where it listens on all addresses.
    pub fn https(&self) -> Option<(Option<String>, String)> {
        let endpoint = self.endpoint()?;
        let port = self
            .value(endpoint, "httpsPort")
            .filter(|port| port.parse::<u16>().is_ok_and(|port| port > 0))?;
        let host = self
            .value(endpoint, "host")
            .unwrap_or_else(|| "localhost".to_owned());
        Some(((host != "*" && !host.contains("${")).then_some(host), port))
    }

    fn endpoint(&self) -> Option<&Element> {
        let with_port =
            |element: &&Element| element.name == "httpEndpoint" && self.value(element, "httpsPort").is_some();
        self.element("httpEndpoint", "defaultHttpEndpoint")
            .filter(with_port)
            .or_else(|| self.elements.iter().find(with_port))
    }

    /// The `<keyStore>` of that id.
    pub fn key_store(&self, id: &str) -> Option<KeyStore> {
        let element = self.element("keyStore", id)?;
        let location = self
            .value(element, "location")
            .unwrap_or_else(|| "key.p12".to_owned());
        let location = match location.strip_prefix('/') {
            Some(_) => location,
            None => format!("{}/resources/security/{location}", self.dir),
        };
        let polled = self
            .value(element, "updateTrigger")
            .is_some_and(|trigger| trigger == "polled");
        let rate = self
            .value(element, "pollingRate")
            .map_or(Some(DEFAULT_POLLING_MILLIS), |rate| millis(&rate));
        let password = self
            .place("keyStore", id, "password")
            .filter(|place| place.value.is_some());
        let text = password
            .as_ref()
            .and_then(|place| place.value.clone())
            .unwrap_or_default();
        let decodable = !text.starts_with("{aes") && !text.starts_with("{hash}") && !text.contains("${");
        let syntax = |place: &Place| {
            if place.file.ends_with(".xml") {
                Syntax::Xml
            } else {
                Syntax::Properties
            }
        };
        Some(KeyStore {
            id: id.to_owned(),
            location,
            password: password.map(|place| (place.file.clone(), syntax(&place), place.key)),
            decodable,
            polled_millis: if polled {
                rate.or(Some(DEFAULT_POLLING_MILLIS))
            } else {
                None
            },
        })
    }

    /// Where to edit an attribute so that it counts. Where the value is one variable, that is where the variable is
    /// defined; where the attribute is not there, the last file that has the element.
    pub fn place(&self, name: &str, id: &str, attribute: &str) -> Option<Place> {
        let element = self.element(name, id)?;
        let key = format!("{name}[@id='{id}']/@{attribute}");
        let Some(seen) = element.attributes.get(attribute) else {
            let file = element.files.last()?.clone();
            return Some(Place {
                file,
                key,
                value: None,
                shadowed: Vec::new(),
            });
        };
        let variable = seen
            .raw
            .strip_prefix("${")
            .and_then(|rest| rest.strip_suffix('}'));
        if let Some(place) = variable.and_then(|variable| self.variable_place(variable)) {
            return Some(place);
        }
        Some(Place {
            file: seen.file.clone(),
            key,
            value: Some(self.resolve(&seen.raw)),
            shadowed: seen.shadowed.clone(),
        })
    }

    /// An attribute with its variables replaced.
    pub fn value(&self, element: &Element, attribute: &str) -> Option<String> {
        element
            .attributes
            .get(attribute)
            .map(|seen| self.resolve(&seen.raw))
    }

    fn is_true(&self, element: &Element, attribute: &str) -> bool {
        self.value(element, attribute)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// What an include does with elements that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Conflict {
    Ignore,
    Merge,
    Replace,
}

struct Reader<'a> {
    host: &'a dyn HostFiles,
    config: Config,
    /// The files being read, outermost first.
    open: Vec<String>,
}

/// What a file says, before it is merged.
enum Item {
    Element {
        name: String,
        id: Option<String>,
        attributes: Vec<(String, String)>,
    },
    Include {
        location: String,
        optional: bool,
        conflict: Conflict,
    },
    Variable {
        name: String,
        value: Option<String>,
        default: Option<String>,
    },
}

impl Reader<'_> {
    /// `server.env` and `bootstrap.properties`.
    fn environment(&mut self) {
        let dir = self.config.dir.clone();
        for (file, prefix, rank) in [("server.env", ENVIRONMENT, 1), ("bootstrap.properties", "", 2)] {
            let path = format!("{dir}/{file}");
            let Ok(bytes) = self.host.read(&path) else {
                continue;
            };
            for (name, value) in edit::all_properties(&bytes) {
                let variable = Variable {
                    value,
                    file: path.clone(),
                    key: name.clone(),
                    syntax: Syntax::Properties,
                    rank,
                    shadowed: Vec::new(),
                };
                self.define(&format!("{prefix}{name}"), variable);
            }
        }
    }

    fn folder(&mut self, dir: &str) {
        let mut names: Vec<String> = self
            .host
            .list(dir)
            .into_iter()
            .filter(|entry| matches!(entry.kind, FileKind::File | FileKind::Link))
            .map(|entry| entry.name)
            .filter(|name| name.to_ascii_lowercase().ends_with(".xml"))
            .collect();
        names.sort_by_key(|name| (name.to_lowercase(), name.clone()));
        for name in names {
            self.file(&format!("{dir}/{name}"), Conflict::Merge);
        }
    }

    fn file(&mut self, path: &str, conflict: Conflict) {
        if self.open.iter().any(|open| open == path) {
            return self.config.notes.push(format!("{path} includes itself"));
        }
        if self.open.len() >= MAX_NESTED_INCLUDES || self.config.files.len() >= MAX_FILES {
            return self
                .config
                .notes
                .push(format!("{path} is not read: too many includes"));
        }
        let bytes = match self.host.read(path) {
            Ok(bytes) => bytes,
            Err(error) => return self.config.notes.push(error.to_string()),
        };
        let items = match edit::with_document(&bytes, |document| items(document.root_element())) {
            Ok(items) => items,
            Err(error) => return self.config.notes.push(format!("{path}: {error}")),
        };
        self.config.files.push(path.to_owned());
        self.open.push(path.to_owned());
        for item in items {
            match item {
                Item::Element { name, id, attributes } => self.merge(path, name, id, attributes, conflict),
                Item::Include {
                    location,
                    optional,
                    conflict,
                } => self.include(path, &location, optional, conflict),
                Item::Variable { name, value, default } => self.variable(path, &name, value, default),
            }
        }
        self.open.pop();
    }

    fn include(&mut self, from: &str, location: &str, optional: bool, conflict: Conflict) {
        let location = self.config.resolve(location);
        if location.contains("://") || location.contains("${") {
            return self
                .config
                .notes
                .push(format!("{from} includes {location}, which is not read"));
        }
        let path = match location.strip_prefix('/') {
            Some(_) => location,
            None => format!("{}/{location}", parent(from)),
        };
        let path = normal(&path);
        if optional && self.host.head(&path, 1).is_err() && self.host.list(&path).is_empty() {
            return;
        }
        match path.to_ascii_lowercase().ends_with(".xml") || self.host.list(&path).is_empty() {
            true => self.file(&path, conflict),
            false => self.folder(path.trim_end_matches('/')),
        }
    }

    fn variable(&mut self, path: &str, name: &str, value: Option<String>, default: Option<String>) {
        for (attribute, text, rank) in [("value", value, 3), ("defaultValue", default, 0)] {
            let Some(value) = text else { continue };
            let key = format!("variable[@name='{name}']/@{attribute}");
            let variable = Variable {
                value,
                file: path.to_owned(),
                key,
                syntax: Syntax::Xml,
                rank,
                shadowed: Vec::new(),
            };
            self.define(name, variable);
        }
    }

    /// A value counts over one of the same rank that came before, and over any of a lower rank.
    fn define(&mut self, name: &str, mut variable: Variable) {
        let known = self.config.variables.remove(name);
        let kept = match known {
            Some(mut known) if known.rank > variable.rank => {
                known.shadowed.push(variable.file);
                known
            }
            Some(known) => {
                variable.shadowed = known.shadowed;
                if known.file != variable.file {
                    variable.shadowed.push(known.file);
                }
                variable
            }
            None => variable,
        };
        self.config.variables.insert(name.to_owned(), kept);
    }

    fn merge(
        &mut self,
        path: &str,
        name: String,
        id: Option<String>,
        attributes: Vec<(String, String)>,
        conflict: Conflict,
    ) {
        let alone = id.is_none() && SINGLETONS.contains(&name.as_str());
        let known = self
            .config
            .elements
            .iter_mut()
            .find(|element| element.name == name && element.id == id && (id.is_some() || alone));
        let element = match (known, conflict) {
            (Some(_), Conflict::Ignore) => return,
            (Some(element), Conflict::Merge) => element,
            (Some(element), Conflict::Replace) => {
                element.attributes.clear();
                element
            }
            (None, _) => {
                let element = Element {
                    name,
                    id,
                    attributes: BTreeMap::new(),
                    files: Vec::new(),
                };
                self.config.elements.push(element);
                self.config
                    .elements
                    .last_mut()
                    .expect("an element was just pushed")
            }
        };
        element.files.push(path.to_owned());
        for (key, raw) in attributes {
            let mut shadowed = Vec::new();
            if let Some(old) = element.attributes.remove(&key) {
                shadowed = old.shadowed;
                shadowed.push(old.file);
                shadowed.retain(|file| file != path);
            }
            element.attributes.insert(
                key,
                Attribute {
                    raw,
                    file: path.to_owned(),
                    shadowed,
                },
            );
        }
    }
}

fn items(root: roxmltree::Node<'_, '_>) -> Vec<Item> {
    root.children()
        .filter(roxmltree::Node::is_element)
        .map(item)
        .collect()
}

fn item(node: roxmltree::Node<'_, '_>) -> Item {
    let text = |name: &str| node.attribute(name).map(str::to_owned);
    match node.tag_name().name() {
        "include" => Item::Include {
            location: text("location").unwrap_or_default(),
            optional: node
                .attribute("optional")
                .is_some_and(|optional| optional.eq_ignore_ascii_case("true")),
            conflict: match node
                .attribute("onConflict")
                .map(str::to_ascii_lowercase)
                .as_deref()
            {
                Some("ignore") => Conflict::Ignore,
                Some("replace") => Conflict::Replace,
                _ => Conflict::Merge,
            },
        },
        "variable" => Item::Variable {
            name: text("name").unwrap_or_default(),
            value: text("value"),
            default: text("defaultValue"),
        },
        name => {
            let own = node
                .attributes()
                .map(|seen| (seen.name().to_owned(), seen.value().to_owned()));
            let children = node
                .children()
                .filter(roxmltree::Node::is_element)
                .flat_map(|child| {
                    let tag = child.tag_name().name().to_owned();
                    child
                        .attributes()
                        .map(move |seen| (format!("{tag}.{}", seen.name()), seen.value().to_owned()))
                });
            let attributes = own.chain(children).collect();
            Item::Element {
                name: name.to_owned(),
                id: text("id"),
                attributes,
            }
        }
    }
}

/// `500ms`, `1s`, `2m`, or a bare number of milliseconds.
fn millis(text: &str) -> Option<u64> {
    let digits = text.trim().trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok()?;
    match text.trim()[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "ms" => Some(number),
        "s" => number.checked_mul(1_000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        _ => None,
    }
}

/// `a/./b/../c` as `a/c`.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// The names of all files that a configuration names twice, for a note.
pub fn shadowed(places: &[&Place]) -> Vec<String> {
    let files: BTreeSet<String> = places
        .iter()
        .flat_map(|place| {
            place
                .shadowed
                .iter()
                .map(|file| format!("{} in {} is shadowed by {}", place.key, file, place.file))
        })
        .collect();
    files.into_iter().collect()
}

/// A name no configuration variable has.
const ENVIRONMENT: &str = "\u{0}env.";
/// Source: Open Liberty reference, `keyStore`, `pollingRate`.
const DEFAULT_POLLING_MILLIS: u64 = 500;
const MAX_FILES: usize = 256;
const MAX_NESTED_INCLUDES: usize = 16;
const MAX_NESTED_VARIABLES: usize = 16;
/// Elements of which a server has one, id or not.
const SINGLETONS: &[&str] = &["sslDefault", "ltpa", "webAppSecurity", "httpDispatcher"];

#[cfg(test)]
mod tests;
