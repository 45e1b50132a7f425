//! Settings files as flat lists: which section, which key, which value, on which line.

use product::Syntax;

/// One settings file.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it lies.
    pub file: String,
    /// What reads it.
    pub kind: SettingsKind,
    /// In file order.
    pub items: Vec<Item>,
}

/// What reads a settings file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingsKind {
    /// Variables of a shell: `export NAME=value`.
    Environment,
    /// `[section]`, `key = value`.
    Ini,
    /// A channel table in JSON.
    JsonChannels,
    /// Liberty's XML; the section is the element's name.
    Liberty,
    /// Workload Automation's local options; keys without blanks, in lower case.
    Localopts,
    /// mqclient.ini, qm.ini: stanzas.
    MqIni,
    /// `key=value` of Java.
    Properties,
    /// WebSphere's security.xml.
    WebSphere,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The section, stanza or element; empty where there is none. In XML `element#n`, n counting elements of the file.
    pub section: String,
    /// The key or attribute.
    pub key: String,
    /// Unquoted.
    pub value: String,
    /// From 1.
    pub line: usize,
}

impl Settings {
    /// The last value of a key, by any case; sections are not looked at.
    pub fn last(&self, key: &str) -> Option<&Item> {
        self.items
            .iter()
            .rev()
            .find(|item| item.key.eq_ignore_ascii_case(key))
    }

    /// The XML elements of that name, each with its attributes.
    pub fn elements<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Element<'a>> {
        let mut sections: Vec<&str> = Vec::new();
        for item in &self.items {
            let own = item.section.split('#').next().unwrap_or_default();
            if own.eq_ignore_ascii_case(name) && sections.last() != Some(&item.section.as_str()) {
                sections.push(&item.section);
            }
        }
        sections.into_iter().map(move |section| Element {
            settings: self,
            section,
        })
    }
}

/// One element of an XML file.
#[derive(Debug, Clone, Copy)]
pub struct Element<'a> {
    /// The file it stands in.
    pub settings: &'a Settings,
    section: &'a str,
}

impl<'a> Element<'a> {
    /// An attribute, names without regard to case: Liberty's `filebased` and `fileBased` are one slip apart.
    pub fn attribute(&self, key: &str) -> Option<&'a Item> {
        self.settings
            .items
            .iter()
            .find(|item| item.section == self.section && item.key.eq_ignore_ascii_case(key))
    }

    /// The value of an attribute.
    pub fn value(&self, key: &str) -> Option<&'a str> {
        self.attribute(key).map(|item| item.value.as_str())
    }

    /// The line it starts at.
    pub fn line(&self) -> usize {
        self.settings
            .items
            .iter()
            .find(|item| item.section == self.section)
            .map_or(1, |item| item.line)
    }
}

/// Reads a file as settings; `None` where it is none that we know, by name and content.
pub fn read(file: &str, text: &str) -> Option<Settings> {
    let kind = recognise(file, text)?;
    let items = match kind {
        SettingsKind::Liberty | SettingsKind::WebSphere => xml(text),
        SettingsKind::Localopts => localopts(text),
        SettingsKind::MqIni => mq_ini(text),
        SettingsKind::Ini => ini(text),
        SettingsKind::Properties | SettingsKind::Environment => lines(text),
        SettingsKind::JsonChannels => json(text),
    };
    Some(Settings {
        file: file.to_owned(),
        kind,
        items,
    })
}

fn recognise(file: &str, text: &str) -> Option<SettingsKind> {
    let name = file.rsplit('/').next().unwrap_or(file).to_lowercase();
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if start.starts_with('<') {
        return if start.contains("<security:Security") || start.contains("<repertoire") {
            Some(SettingsKind::WebSphere)
        } else if ["<server", "<Server", "<client", "<ssl", "<keyStore", "<Connector"]
            .iter()
            .any(|mark| start.contains(mark))
        {
            Some(SettingsKind::Liberty)
        } else {
            None
        };
    }
    if start.starts_with('{') && start.contains("\"channel\"") && start.contains("\"clientConnection\"") {
        return Some(SettingsKind::JsonChannels);
    }
    let options = ["localopts", "useropts"];
    if options.iter().any(|known| name.starts_with(known)) || (!is_log(&name) && looks_like_localopts(text)) {
        return Some(SettingsKind::Localopts);
    }
    let stanza = |name: &str| text.lines().any(|line| line.trim_end() == name);
    if ["mqclient.ini", "qm.ini", "mqs.ini"].contains(&name.as_str())
        || (name.ends_with(".ini") && (stanza("SSL:") || stanza("CHANNELS:")))
    {
        return Some(SettingsKind::MqIni);
    }
    if name.ends_with(".properties") || text.contains("Broker.AuthorizedCNs") && !is_log(&name) {
        return Some(SettingsKind::Properties);
    }
    if name.ends_with(".ini") || start.starts_with("[ITA") {
        return Some(SettingsKind::Ini);
    }
    if [".env", "server.env", "jvm.options", "setupcmdline.sh"]
        .iter()
        .any(|end| name.ends_with(end))
        || name == "env"
        || name == "environment"
        || only_assignments(text)
    {
        return Some(SettingsKind::Environment);
    }
    None
}

fn is_log(name: &str) -> bool {
    [".log", ".out", ".err", ".fmt", ".trc"]
        .iter()
        .any(|end| name.ends_with(end))
}

fn looks_like_localopts(text: &str) -> bool {
    let known = |line: &str| {
        let key = squeezed(line.split('=').next().unwrap_or_default());
        line.contains('=')
            && [
                "nmport",
                "sslkey",
                "sslcertificate",
                "nmsslfullport",
                "sslcacertificate",
                "sslauthmode",
            ]
            .contains(&key.as_str())
    };
    text.lines().filter(|line| known(line)).count() >= 2
}

fn only_assignments(text: &str) -> bool {
    let mut any = false;
    for line in text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let body = line.strip_prefix("export ").unwrap_or(line);
        let Some((key, _)) = body.split_once('=') else {
            return false;
        };
        if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return false;
        }
        any = true;
    }
    any
}

fn xml(text: &str) -> Vec<Item> {
    let Ok(document) = roxmltree::Document::parse(text.trim_start_matches('\u{feff}')) else {
        return Vec::new();
    };
    let mut items = Vec::new();
    for (number, node) in document
        .descendants()
        .filter(roxmltree::Node::is_element)
        .enumerate()
    {
        for attribute in node.attributes() {
            items.push(Item {
                section: format!("{}#{number}", node.tag_name().name()),
                key: attribute.name().to_owned(),
                value: attribute.value().to_owned(),
                line: document.text_pos_at(attribute.range().start).row as usize,
            });
        }
    }
    items
}

/// Through the product's own reader for each key that occurs: names, comments and quotes are its rules.
fn localopts(text: &str) -> Vec<Item> {
    // One pass for each key: a file of more lines than any agent has is no such file.
    if text.lines().count() > 2_000 {
        return Vec::new();
    }
    let mut items: Vec<Item> = Vec::new();
    for line in text.lines() {
        let Some((name, _)) = line.split_once('=') else {
            continue;
        };
        let name = name.trim();
        let key = squeezed(name);
        if name.is_empty() || name.starts_with('#') || items.iter().any(|item| item.key == key) {
            continue;
        }
        let found = product::edit::find(Syntax::Localopts, text.as_bytes(), name).unwrap_or_default();
        items.extend(found.into_iter().map(|value| Item {
            section: String::new(),
            key: key.clone(),
            value: value.text,
            line: value.line,
        }));
    }
    items.sort_by_key(|item| item.line);
    items
}

fn mq_ini(text: &str) -> Vec<Item> {
    let mut section = String::new();
    let mut items = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';', '*']) {
            continue;
        }
        match line.split_once('=') {
            Some((key, value)) => items.push(Item {
                section: section.clone(),
                key: key.trim().to_owned(),
                value: value.trim().trim_matches('"').to_owned(),
                line: index + 1,
            }),
            None => line.trim_end_matches(':').clone_into(&mut section),
        }
    }
    items
}

fn ini(text: &str) -> Vec<Item> {
    let mut section = String::new();
    let mut items = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else if let Some((key, value)) = line.split_once('=') {
            items.push(Item {
                section: section.clone(),
                key: key.trim().to_owned(),
                value: value.trim().trim_matches('"').to_owned(),
                line: index + 1,
            });
        }
    }
    items
}

fn lines(text: &str) -> Vec<Item> {
    let mut items = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        let body = line.strip_prefix("export ").unwrap_or(line);
        let body = body.strip_prefix("-D").unwrap_or(body);
        if body.starts_with(['#', '!']) {
            continue;
        }
        if let Some((key, value)) = body.split_once('=') {
            items.push(Item {
                section: String::new(),
                key: key.trim().to_owned(),
                value: value.trim().trim_matches(['"', '\'']).to_owned(),
                line: index + 1,
            });
        }
    }
    items
}

/// `"key": "value"` pairs in file order; each `"name"` starts a new section of its own.
fn json(text: &str) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut section = 0;
    let mut names = 0;
    for (index, line) in text.lines().enumerate() {
        let mut rest = line;
        while let Some((key, after)) = next_quoted(rest) {
            rest = after;
            let Some(value) = after.trim_start().strip_prefix(':').map(str::trim_start) else {
                continue;
            };
            let (value, after) = match next_quoted(value) {
                Some((text, after)) if value.starts_with('"') => (text.to_owned(), after),
                _ => {
                    let end = value.find([',', '}', ']', '{', '[']).unwrap_or(value.len());
                    (value[..end].trim().to_owned(), &value[end..])
                }
            };
            rest = after;
            if key == "name" {
                names += 1;
                section = names;
            }
            items.push(Item {
                section: format!("channel#{section}"),
                key: key.to_owned(),
                value,
                line: index + 1,
            });
        }
    }
    items
}

fn next_quoted(text: &str) -> Option<(&str, &str)> {
    let start = text.find('"')? + 1;
    let end = start + text[start..].find('"')?;
    Some((&text[start..end], &text[end + 1..]))
}

/// An option's name as the product compares it.
pub(crate) fn squeezed(name: &str) -> String {
    name.chars()
        .filter(|letter| !letter.is_whitespace())
        .collect::<String>()
        .to_lowercase()
}
