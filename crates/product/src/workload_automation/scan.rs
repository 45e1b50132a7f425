//! From the trees of all hosts to components with their links.

use std::collections::BTreeMap;

use super::definitions::Definitions;
use super::layout;
use super::links;
use super::parts;
use super::parts::Kind;
use super::parts::Part;
use super::security;
use crate::change::Change;
use crate::component::Component;
use crate::files::HostFiles;

/// What a scan may know beside the trees.
#[derive(Debug, Clone, Default)]
pub struct ScanContext {
    /// Where to look, by host; a host without an entry is looked at whole.
    pub look_in: BTreeMap<String, Vec<String>>,
    /// Workstation definitions of the fleet file, used where no `composer` answers.
    pub definitions: Vec<String>,
    /// Further names and addresses of hosts: name to host.
    pub names: BTreeMap<String, String>,
}

/// What a scan found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// In order of their ids.
    pub components: Vec<Component>,
    /// What files, settings and commands do not say.
    pub questions: Vec<Question>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Changes for the whole fleet that come before every step of a plan.
    pub first: Vec<FirstChange>,
}

/// A change that one component's host makes for the whole fleet.
#[derive(Debug, Clone, PartialEq)]
pub struct FirstChange {
    /// The component on whose host it is made.
    pub component: String,
    /// The change.
    pub change: Change,
}

/// Something that only a person can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The component or host.
    pub about: String,
    /// The question.
    pub text: String,
    /// Lines for `capgrow.toml` that would answer it.
    pub proposal: Option<String>,
}

/// Finds all components and links. Never fails: what cannot be derived is a question.
///
/// Cost: one pass over the directories; reads configuration files only; asks `composer` and `optman` once.
pub fn scan(hosts: &[&dyn HostFiles], known: &ScanContext) -> Found {
    let mut found = Found::default();
    let mut parts: Vec<Part> = Vec::new();
    for host in hosts {
        let look_in = known
            .look_in
            .get(host.host())
            .cloned()
            .unwrap_or_else(|| vec!["/".to_owned()]);
        let mut own: Vec<Part> = layout::find(*host, &look_in)
            .iter()
            .flat_map(|site| parts::of(*host, site))
            .collect();
        number(&mut own);
        parts.extend(own);
    }
    if parts.is_empty() {
        return found;
    }
    let (definitions, composer_of) = definitions(hosts, known, &parts, &mut found);
    let options = links::global_options(hosts, &parts);
    let secondary = links::secondary(options.as_deref());
    links::connect(hosts, known, &mut parts, &definitions, secondary, &mut found);
    let asked = security::Asked {
        hosts,
        parts: &parts,
        definitions: &definitions,
        composer_of,
        options: options.as_deref(),
    };
    security::security(&asked, &mut found);
    for part in parts {
        found.notes.extend(part.notes);
        found.components.push(part.component);
    }
    found.components.sort_by(|a, b| a.id.cmp(&b.id));
    found
}

/// A second process of one kind on a host gets a number, in order of workstation and path.
fn number(parts: &mut [Part]) {
    for kind in [Kind::Agent, Kind::Console, Kind::Engine, Kind::Netman] {
        let mut same: Vec<&mut Part> = parts.iter_mut().filter(|part| part.kind == kind).collect();
        same.sort_by_key(|part| {
            (
                part.workstation.clone(),
                part.port.clone(),
                part.site.install.clone(),
            )
        });
        for (index, part) in same.into_iter().enumerate().skip(1) {
            part.component.id = format!("{}-{}", part.component.id, index + 1);
        }
    }
}

/// The definitions: of the first `composer` that answers, masters first, with the netman it belongs to; else those of
/// the fleet file.
fn definitions(
    hosts: &[&dyn HostFiles],
    known: &ScanContext,
    parts: &[Part],
    found: &mut Found,
) -> (Definitions, Option<usize>) {
    let mut texts: Vec<String> = Vec::new();
    let mut composer_of = None;
    let mut askable: Vec<usize> = (0..parts.len())
        .filter(|index| parts[*index].kind == Kind::Netman)
        .collect();
    askable.sort_by_key(|index| !links::says_it_is_master(parts, &parts[*index]));
    for index in askable {
        let part = &parts[index];
        let Some(host) = hosts.iter().find(|host| host.host() == part.component.host) else {
            continue;
        };
        let composer = part
            .site
            .program(*host, &["TWS/bin/composer", "TWS/bin/composer.exe"]);
        if !layout::exists(*host, &composer) {
            continue;
        }
        let argv = [composer.as_str(), "create", "/dev/stdout", "from", "cpu=@"];
        match host.ask(&part.site.work_dir(*host), &argv) {
            Ok(text) => {
                texts.push(text);
                composer_of = Some(index);
                break;
            }
            Err(error) => found.notes.push(format!("{}: {error}", part.component.host)),
        }
    }
    if texts.is_empty() {
        texts.clone_from(&known.definitions);
    }
    match Definitions::parse(&texts.join("\n")) {
        Ok(all) => (all, composer_of),
        Err(error) => {
            let text = format!("the workstation definitions cannot be read: {error}");
            let proposal =
                Some("definitions = \"FILE\"  # as `composer create FILE from cpu=@` writes them".to_owned());
            found.questions.push(Question {
                about: super::PRODUCT.to_owned(),
                text,
                proposal,
            });
            let none = Definitions::parse("").expect("no definitions are well-formed");
            (none, None)
        }
    }
}

#[cfg(test)]
mod tests;
