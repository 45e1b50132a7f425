//! Stores against their cells.

use keystore::Certificate;

use super::Look;
use super::STATES;
use super::State;
use super::rows;
use super::rows::Expected;
use super::rows::What;
use crate::component::Syntax;
use crate::edit;
use crate::workload_automation::changes::pem_content;
use crate::workload_automation::content::DEFAULT_NAMES;
use crate::workload_automation::content::EntryContent;
use crate::workload_automation::content::EntryKind;
use crate::workload_automation::content::StoreContent;
use crate::workload_automation::content::default_name;

/// Which entries of a row count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    All,
    Keys,
}

/// How aliases compare. Source: state table, `alias_compare`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Case,
    NoAlias,
    NoCase,
}

/// How many of the default certificates a bundle must have in S0 and S1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Defaults {
    /// All four.
    All,
    /// At least one: later versions deliver fewer.
    Some,
}

/// What a certificate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Default(&'static str),
    Intermediate(usize),
    Leaf,
    Root(usize),
    Stranger,
}

impl Look<'_> {
    /// One store against its row.
    pub(super) fn store_row(&mut self, id: &str, component: &str, row: &str, part: Part, form: Form) {
        let Some(store) = self.component.store(id).cloned() else {
            return;
        };
        let Some(row) = rows::row(component, row) else {
            return;
        };
        self.result.rows += 1;
        let Some(content) = self.content(id) else {
            for state in STATES {
                self.result
                    .differs(state, format!("{}: its entries are not known", store.file));
            }
            return;
        };
        let mut counted = content;
        // PKCS#12 may carry certificates that nobody reads as anchors.
        counted
            .entries
            .retain(|entry| part == Part::All || entry.kind == EntryKind::Key);
        for state in STATES {
            let mut wanted: Vec<(Expected, Class)> = Vec::new();
            for expected in rows::entries(row, state) {
                if part == Part::All || expected.is_key {
                    wanted.extend(
                        self.classes(&expected.what)
                            .into_iter()
                            .map(|class| (expected.clone(), class)),
                    );
                }
            }
            self.compare(state, &store.file, &counted, wanted, form);
        }
    }

    fn compare(
        &mut self,
        state: State,
        file: &str,
        content: &StoreContent,
        wanted: Vec<(Expected, Class)>,
        form: Form,
    ) {
        let mut left: Vec<&EntryContent> = content.entries.iter().collect();
        for (expected, class) in wanted {
            let alias = self.alias_of(&expected, class);
            let fits = |entry: &&EntryContent| {
                (entry.kind == EntryKind::Key) == expected.is_key
                    && entry.kind != EntryKind::Other
                    && entry.chain.first().is_some_and(|seen| self.class(seen) == class)
            };
            let same = |entry: &&EntryContent| same_alias(entry.alias.as_deref(), &alias, form);
            let free = expected.is_doubtful || form == Form::NoAlias;
            let at = left
                .iter()
                .position(|entry| fits(entry) && same(entry))
                .or_else(|| left.iter().position(fits));
            let kind = if expected.is_key {
                "private key"
            } else {
                "trusted certificate"
            };
            let Some(at) = at else {
                let text = format!("{file}: lacks the {kind} {} ({alias:?})", self.words(class));
                self.result.differs(state, text);
                continue;
            };
            let entry = left.remove(at);
            if !free && !same(&entry) {
                let seen = entry.alias.clone().unwrap_or_default();
                let text = format!(
                    "{file}: the {kind} {} has alias {seen:?}, expected {alias:?}",
                    self.words(class)
                );
                self.result.differs(state, text);
            }
        }
        for entry in left {
            let class = entry
                .chain
                .first()
                .map_or(Class::Stranger, |seen| self.class(seen));
            let alias = entry.alias.clone().unwrap_or_default();
            match (entry.kind, class) {
                (EntryKind::Trusted, Class::Stranger) => {
                    let subject = entry
                        .chain
                        .first()
                        .map(|seen| seen.subject().to_string())
                        .unwrap_or_default();
                    self.result.extras.push(format!("{file}: {alias:?} {subject}"));
                }
                (EntryKind::Other, _) => {}
                (EntryKind::Key, _) => {
                    let text = format!(
                        "{file}: has a private key {alias:?} too many ({})",
                        self.words(class)
                    );
                    self.result.differs(state, text);
                }
                (EntryKind::Trusted, _) => {
                    let text = format!(
                        "{file}: still or already trusts {} ({alias:?})",
                        self.words(class)
                    );
                    self.result.differs(state, text);
                }
            }
        }
    }

    /// The CA bundle of netman: defaults, then both with the chain first, then the chain alone.
    pub(super) fn bundle(&mut self, id: &str, defaults: Defaults) {
        let Some(store) = self.component.store(id).cloned() else {
            return;
        };
        let content = self.content(id);
        self.bundle_content(&store.file, content, defaults);
    }

    /// The PEM bundle that netman does not read while GSKit's database counts.
    pub(super) fn unread_bundle(&mut self) {
        let Some(path) = self.site().and_then(|site| site.localopts) else {
            return;
        };
        let bytes = self.files.read(&path).unwrap_or_default();
        let Ok(Some(file)) = edit::value(Syntax::Localopts, &bytes, "SSL CA certificate") else {
            return;
        };
        if let Ok(bytes) = self.files.read(&file) {
            self.bundle_content(&file, pem_content(Some(&bytes)), Defaults::All);
        }
    }

    fn bundle_content(&mut self, file: &str, content: Option<StoreContent>, defaults: Defaults) {
        self.result.rows += 1;
        let seen: Vec<Class> = content
            .iter()
            .flat_map(|content| content.trusted())
            .map(|(_, certificate)| self.class(certificate))
            .collect();
        let row = rows::row("FTA", "ca.crt / TWSTrustCertificates.cer (content)");
        for state in STATES {
            let cell = row.map(|row| rows::texts(row, state)).unwrap_or_default();
            let wanted: Vec<Class> = cell
                .into_iter()
                .flat_map(|text| self.classes(&What::of(text)))
                .collect();
            let lenient = defaults == Defaults::Some;
            for class in &wanted {
                let skip = lenient && matches!(class, Class::Default(_));
                if !skip && !seen.contains(class) {
                    self.result
                        .differs(state, format!("{file}: lacks {}", self.words(*class)));
                }
            }
            let any = |classes: &[Class]| classes.iter().any(|class| matches!(class, Class::Default(_)));
            if lenient && any(&wanted) && !any(&seen) {
                self.result
                    .differs(state, format!("{file}: lacks the default certificates"));
            }
            for class in seen
                .iter()
                .filter(|class| **class != Class::Stranger && !wanted.contains(class))
            {
                self.result.differs(
                    state,
                    format!("{file}: still or already trusts {}", self.words(*class)),
                );
            }
            let is_chain = |class: &Class| matches!(class, Class::Intermediate(_) | Class::Root(_));
            let first_other = seen
                .iter()
                .position(|class| !is_chain(class))
                .unwrap_or(seen.len());
            if state == State::S1 && seen[first_other..].iter().any(is_chain) {
                self.result
                    .differs(state, format!("{file}: the new chain does not stand first"));
            }
        }
        let strangers: Vec<String> = content
            .iter()
            .flat_map(|content| content.trusted())
            .filter(|(_, certificate)| self.class(certificate) == Class::Stranger)
            .map(|(_, certificate)| format!("{file}: {}", certificate.subject()))
            .collect();
        self.result.extras.extend(strangers);
    }

    /// What a PEM identity presents: the default client, later the new certificate.
    pub(super) fn presented(&mut self, id: &str) {
        let Some(store) = self.component.store(id).cloned() else {
            return;
        };
        let content = self.content(id);
        let leaf = content.and_then(|content| {
            content.presented.clone().or_else(|| {
                content
                    .entries
                    .first()
                    .and_then(|entry| entry.chain.first().cloned())
            })
        });
        let class = leaf.map_or(Class::Stranger, |leaf| self.class(&leaf));
        for state in STATES {
            let wanted = if state == State::S0 {
                Class::Default("ClientNew")
            } else {
                Class::Leaf
            };
            if class != wanted {
                let text = format!(
                    "{}: presents {}, expected {}",
                    store.file,
                    self.words(class),
                    self.words(wanted)
                );
                self.result.differs(state, text);
            }
        }
    }

    /// The certificates that a cell's word stands for; a chain may have several intermediates, or none.
    fn classes(&self, what: &What) -> Vec<Class> {
        match what {
            What::Default(name) => DEFAULT_NAMES
                .iter()
                .filter(|known| *known == name)
                .map(|name| Class::Default(name))
                .collect(),
            What::Intermediates => (0..self.new.intermediates.len())
                .map(Class::Intermediate)
                .collect(),
            What::Leaf => vec![Class::Leaf],
            What::Roots => (0..self.new.roots.len()).map(Class::Root).collect(),
        }
    }

    fn class(&self, certificate: &Certificate) -> Class {
        let at = |list: &[Certificate]| list.iter().position(|seen| seen == certificate);
        if self.new.leaf.as_ref() == Some(certificate) {
            return Class::Leaf;
        }
        if let Some(index) = at(&self.new.intermediates) {
            return Class::Intermediate(index);
        }
        if let Some(index) = at(&self.new.roots) {
            return Class::Root(index);
        }
        default_name(certificate).map_or(Class::Stranger, Class::Default)
    }

    /// The alias of a cell with the names of this rotation; further intermediates count on.
    fn alias_of(&self, expected: &Expected, class: Class) -> String {
        let alias = expected.alias.replace("${NEW}", &self.alias);
        let (Class::Intermediate(index) | Class::Root(index)) = class else {
            return alias;
        };
        match (index, alias.strip_prefix('1')) {
            (0, _) => alias,
            (_, Some(word)) => format!("{}{word}", index + 1),
            (_, None) => format!("{alias}{}", index + 1),
        }
    }

    fn words(&self, class: Class) -> String {
        let subject =
            |list: &[Certificate], index: usize| list.get(index).map(|seen| seen.subject().to_string());
        match class {
            Class::Default(name) => format!("CN={name} (default)"),
            Class::Intermediate(index) => subject(&self.new.intermediates, index).unwrap_or_default(),
            Class::Leaf => format!("CN={}", self.name),
            Class::Root(index) => subject(&self.new.roots, index).unwrap_or_default(),
            Class::Stranger => "another certificate".to_owned(),
        }
    }
}

fn same_alias(seen: Option<&str>, wanted: &str, form: Form) -> bool {
    match (seen, form) {
        (_, Form::NoAlias) => true,
        (Some(seen), Form::Case) => seen == wanted,
        (Some(seen), Form::NoCase) => seen.eq_ignore_ascii_case(wanted),
        (None, _) => false,
    }
}
