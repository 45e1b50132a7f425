//! Who presents what, whom a message refuses, and whether names fit.

use std::net::IpAddr;

use keystore::KeyMatch;

use crate::dn::Dn;
use crate::facts::CertFacts;
use crate::facts::EntryKind;
use crate::facts::StoreFacts;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::inputs::dir_of;
use crate::inputs::name_of;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rules;
use crate::settings::SettingsKind;

/// The leaves that programs present: of every private key, and of files that hold a program's certificate.
///
/// In a file of loose certificates it is the first, where that is no authority and the file is no trust bundle by its
/// name. In details of one label it is that one.
pub fn identities(inputs: &Inputs) -> Vec<(&StoreFacts, &CertFacts)> {
    let mut found: Vec<(&StoreFacts, &CertFacts)> = Vec::new();
    for store in &inputs.stores {
        let own = store.keys().filter_map(|entry| entry.chain.first());
        found.extend(
            own.filter(|leaf| !leaf.subject.is_empty())
                .map(|leaf| (store, leaf)),
        );
        let shows_kinds = store.entries.iter().any(|entry| entry.kind == EntryKind::Key);
        let loose = store.is_loose() || store.is_listing && !shows_kinds && store.format != "keytool";
        if loose
            && !is_bundle(&store.file)
            && is_in_use(inputs, &store.file)
            && let Some(leaf) = store.certificates().map(|(_, one)| one).next()
            && (!leaf.is_authority() || is_presented(inputs, &store.file, leaf))
            && !leaf.subject.is_empty()
        {
            found.push((store, leaf));
        }
    }
    found
}

/// Whether an authority is a program's own all the same: it is for hosts or for TLS, and its key lies beside it.
fn is_presented(inputs: &Inputs, file: &str, leaf: &CertFacts) -> bool {
    let Some(certificate) = &leaf.certificate else {
        return false;
    };
    let for_programs = !leaf.hosts().is_empty() || leaf.purposes.as_ref().is_some_and(|all| !all.is_empty());
    let mut beside = inputs
        .stores
        .iter()
        .filter(|store| store.is_loose() && dir_of(&store.file) == dir_of(file))
        .flat_map(StoreFacts::keys)
        .filter_map(|entry| entry.opened.as_ref());
    for_programs && beside.any(|key| key.matches(certificate) == KeyMatch::Matches)
}

/// Whether an agent's certificate file is the one that the nearest localopts names; others are left over.
pub fn is_in_use(inputs: &Inputs, file: &str) -> bool {
    let name = name_of(file);
    if !["tls.crt", "TWSClient.cer"].contains(&name) {
        return true;
    }
    let shared = |other: &str| {
        file.split('/')
            .zip(other.split('/'))
            .take_while(|(one, two)| one == two)
            .count()
    };
    let nearest = inputs
        .settings
        .iter()
        .filter(|settings| settings.kind == SettingsKind::Localopts && !settings.file.ends_with(".orig"))
        .filter(|settings| {
            settings
                .file
                .rsplit_once('/')
                .is_none_or(|(dir, _)| file.starts_with(dir))
        })
        .max_by_key(|settings| shared(&settings.file));
    let named = nearest.and_then(|settings| settings.last("sslcertificate"));
    named.is_none_or(|item| name_of(&item.value) == name || dir_of(file).ends_with("depot"))
}

/// A file that holds what is trusted, by its name.
fn is_bundle(file: &str) -> bool {
    let name = name_of(file).to_lowercase();
    let dir = name_of(dir_of(file)).to_lowercase();
    [
        "trust",
        "cacert",
        "root",
        "ca-bundle",
        "cabundle",
        "issuer",
        "intermediate",
    ]
    .iter()
    .any(|mark| name.contains(mark))
        || ["ca.", "ca-", "ca_"].iter().any(|mark| name.starts_with(mark))
        || ["-ca.", "_ca."].iter().any(|mark| name.contains(mark))
        || ["additionalcas", "certs", "trust", "cacerts"].contains(&dir.as_str()) && !name.starts_with("tls")
}

/// A certificate that a message refuses.
pub struct Refused {
    subject: Option<Dn>,
    issuer: Option<Dn>,
}

impl Refused {
    /// Who signed it; itself where the message names nothing else.
    pub fn issuer(&self) -> &Dn {
        static NOBODY: std::sync::LazyLock<Dn> = std::sync::LazyLock::new(Dn::default);
        self.issuer.as_ref().or(self.subject.as_ref()).unwrap_or(&NOBODY)
    }
}

/// Certificates that messages refuse for want of a signer: file, line, and who it is.
pub fn refused(inputs: &Inputs) -> Vec<(String, usize, Refused)> {
    let mut found = Vec::new();
    for text in &inputs.texts {
        for (line, words) in &text.lines {
            if let Some(at) = words.find("SubjectDN [") {
                let subject = Dn::parse(words[at + 11..].split(']').next().unwrap_or_default());
                let known = inputs
                    .certificates()
                    .find(|(_, _, one)| one.subject.same(&subject));
                let issuer = known.map(|(_, _, one)| one.issuer.clone());
                found.push((
                    text.file.clone(),
                    *line,
                    Refused {
                        subject: Some(subject),
                        issuer,
                    },
                ));
            } else if let (Some(at), true) = (words.find("issued by "), words.contains("is not trusted")) {
                let issuer = words[at + 10..]
                    .split(" is not trusted")
                    .next()
                    .unwrap_or_default();
                found.push((
                    text.file.clone(),
                    *line,
                    Refused {
                        subject: None,
                        issuer: Some(Dn::parse(issuer)),
                    },
                ));
            } else if let Some(at) = words.find("[Issuer=]") {
                let rest = &words[at + 9..];
                let issuer = Dn::parse(rest.split('[').next().unwrap_or_default());
                let subject = rest
                    .find("[Subject=]")
                    .map(|at| Dn::parse(rest[at + 10..].split('[').next().unwrap_or_default()));
                found.push((
                    text.file.clone(),
                    *line,
                    Refused {
                        subject,
                        issuer: Some(issuer),
                    },
                ));
            }
        }
    }
    found.retain(|(_, _, refused)| !refused.issuer().is_empty());
    found
}

/// Identities that may not be used for a purpose they are needed for.
///
/// Workload Automation needs both of every identity; of others the name of the file, the alias or what a message says
/// tells the role. A `tls.crt` that may be anybody's is a note.
pub fn without_purpose(inputs: &Inputs, purpose: &str, rule: &'static Rule) -> Vec<Finding> {
    let role = purpose.trim_end_matches("auth");
    let heard = inputs.says(rules::PURPOSE_STATES) || inputs.says(rule.states) || inputs.says(rule.hints);
    let mut found = Vec::new();
    for seen in &inputs.conversations {
        if let Some(leaf) = seen
            .sent
            .first()
            .filter(|leaf| role == "server" && !leaf.is_for(purpose))
        {
            let evidence = Evidence::file(
                &seen.file,
                format!("the server's {}: {}", leaf.name(), words(leaf)),
            );
            found.push(Finding::proven(
                rule,
                seen.target.clone().unwrap_or_else(|| seen.file.clone()),
                evidence,
            ));
        }
    }
    for (store, leaf) in identities(inputs)
        .into_iter()
        .filter(|(_, leaf)| !leaf.is_for(purpose))
    {
        let name = name_of(&store.file).to_lowercase();
        let agents = ["twsclient", "twsserver"]
            .iter()
            .any(|mark| name.starts_with(mark));
        let shared_name = name.starts_with("tls.crt");
        let alias = store.entries.iter().any(|entry| {
            entry.chain.first().is_some_and(|one| one.same(leaf))
                && entry
                    .alias
                    .as_deref()
                    .is_some_and(|alias| alias.to_lowercase().contains(role))
        });
        let needed =
            agents || shared_name && is_agents(inputs, &store.file) || heard || name.contains(role) || alias;
        if needed || shared_name {
            let evidence = Evidence::file(&store.file, format!("{}: {}", leaf.name(), words(leaf)));
            let finding = Finding::proven(rule, store.file.clone(), evidence);
            found.push(if needed {
                finding
            } else {
                finding.at(Severity::Note)
            });
        }
    }
    found
}

/// Whether a `tls.crt` is that of a Workload Automation agent or depot. Others use the name too, for servers only.
fn is_agents(inputs: &Inputs, file: &str) -> bool {
    let dir = dir_of(file);
    let beside = |name: &str| {
        let path = if dir.is_empty() {
            name.to_owned()
        } else {
            format!("{dir}/{name}")
        };
        inputs.files.iter().any(|one| one.path == path)
    };
    let below = |part: &str| ["twa", "tws", "depot", "openssl"].contains(&part.to_lowercase().as_str());
    beside("tls.sth")
        || beside("tls.rnd")
        || dir.split('/').any(below)
        || inputs
            .settings
            .iter()
            .any(|settings| settings.kind == SettingsKind::Localopts)
}

fn words(leaf: &CertFacts) -> String {
    format!(
        "extended key usage {}",
        leaf.purposes
            .iter()
            .flatten()
            .cloned()
            .collect::<Vec<_>>()
            .join(", ")
    )
}

/// Where a suite with RSA key exchange is set.
pub fn static_rsa(inputs: &Inputs) -> Option<Evidence> {
    let channels = inputs.mq.iter().filter_map(|object| {
        let name = object
            .get("SSLCIPH")
            .filter(|name| name.starts_with("TLS_RSA_WITH_"))?;
        Some(Evidence::line(
            &object.file,
            object.line,
            format!("SSLCIPH({name})"),
        ))
    });
    let settings = inputs.settings.iter().flat_map(|settings| {
        settings.items.iter().filter_map(|item| {
            let only = ["cipherSpecification", "enabledCiphers"].contains(&item.key.as_str())
                && item
                    .value
                    .split([' ', ','])
                    .all(|name| name.starts_with("TLS_RSA_WITH_") || name.starts_with("SSL_RSA_WITH_"));
            (only && !item.value.is_empty()).then(|| {
                Evidence::line(
                    &settings.file,
                    item.line,
                    format!("{} = {}", item.key, item.value),
                )
            })
        })
    });
    channels.chain(settings).next()
}

/// In which way a name does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misnamed {
    /// An address, and no address in the certificate.
    Address,
    /// No alternative names at all.
    CommonNameOnly,
    /// Names, and none of them fits.
    Listed,
    /// A wildcard that would have to stand for more or less than one label.
    Wildcard,
}

/// Names that were dialled and are not in the certificate, of one way of not fitting.
pub fn misnamed(inputs: &Inputs, way: Misnamed, rule: &'static Rule) -> Vec<Finding> {
    let mut found = Vec::new();
    for seen in &inputs.conversations {
        let (Some(host), Some(leaf)) = (seen.host(), seen.sent.first()) else {
            continue;
        };
        let checked = seen.verify.iter().find(|(code, _)| matches!(code, 62 | 64));
        let local = host == "localhost" || host.starts_with("127.") || host == "::1";
        if !leaf.has_extensions || local && checked.is_none() {
            continue;
        }
        if fit(host, leaf) == Some(way) {
            let evidence = Evidence::file(
                &seen.file,
                format!("{host} was dialled; the certificate is for {}", listed(leaf)),
            )
            .at(checked.map(|(_, line)| *line));
            found.push(Finding::proven(rule, host.to_owned(), evidence));
        }
    }
    for (file, line, host) in dialled(inputs) {
        let leaf = named_leaf(inputs);
        let how = match leaf {
            Some((_, leaf)) => fit(&host, leaf),
            None => host.parse::<IpAddr>().is_ok().then_some(Misnamed::Address),
        };
        if how != Some(way) {
            continue;
        }
        let evidence = Evidence::line(&file, line, format!("{host} was dialled"));
        let finding = Finding::proven(rule, host.clone(), evidence);
        found.push(match leaf {
            Some((store, leaf)) => finding.and(Evidence::file(
                &store.file,
                format!("{} is for {}", leaf.name(), listed(leaf)),
            )),
            None => finding.stated(),
        });
    }
    found
}

fn listed(leaf: &CertFacts) -> String {
    let hosts = leaf.hosts();
    if hosts.is_empty() {
        "no name (no subject alternative names)".to_owned()
    } else {
        hosts.join(", ")
    }
}

/// The only certificate that a server can have shown.
fn named_leaf(inputs: &Inputs) -> Option<(&StoreFacts, &CertFacts)> {
    let all: Vec<_> = identities(inputs)
        .into_iter()
        .filter(|(_, leaf)| leaf.has_extensions)
        .collect();
    let (first, rest) = all.split_first()?;
    rest.iter()
        .all(|(_, other)| other.same(first.1))
        .then_some(*first)
}

/// Names in messages about names.
fn dialled(inputs: &Inputs) -> Vec<(String, usize, String)> {
    let mut found: Vec<(String, usize, String)> = Vec::new();
    for text in &inputs.texts {
        for (line, words) in &text.lines {
            let lower = words.to_lowercase();
            let host = BEFORE_NAME.iter().find_map(|mark| {
                let rest = &lower[lower.find(mark)? + mark.len()..];
                let rest = rest.trim_start_matches(['\'', '"', '[', '<']);
                let end = rest
                    .find([' ', '\'', '"', ']', '>', ',', ';', ')'])
                    .unwrap_or(rest.len());
                let host = rest[..end].trim_end_matches(['.', ':']);
                let host = host
                    .rsplit_once(':')
                    .filter(|(_, port)| port.parse::<u16>().is_ok())
                    .map_or(host, |(host, _)| host);
                (!host.is_empty()
                    && (host.contains('.') || host.contains(':') || host == "localhost" || host.len() > 2))
                    .then(|| host.to_owned())
            });
            if let Some(host) = host
                && !found.iter().any(|(_, _, known)| *known == host)
            {
                found.push((text.file.clone(), *line, host));
            }
        }
    }
    found
}

/// Whether a name fits, and if not, why. `None` where it fits. Source: RFC 6125 6.4, RFC 5280 4.2.1.6.
fn fit(host: &str, leaf: &CertFacts) -> Option<Misnamed> {
    let host = host.to_lowercase();
    let hosts = leaf.hosts();
    if let Ok(address) = host.parse::<IpAddr>() {
        let fits = hosts
            .iter()
            .any(|name| name.parse::<IpAddr>().is_ok_and(|own| own == address));
        return (!fits).then_some(Misnamed::Address);
    }
    let host = host.trim_end_matches('.');
    if hosts.is_empty() {
        return Some(Misnamed::CommonNameOnly);
    }
    let one_label = |pattern: &str| {
        pattern
            .strip_prefix("*.")
            .is_some_and(|end| host.split_once('.').is_some_and(|(_, rest)| rest == end))
    };
    if hosts.iter().any(|name| name == host || one_label(name)) {
        return None;
    }
    let reaches = |pattern: &str| {
        pattern
            .strip_prefix("*.")
            .is_some_and(|end| host == end || host.ends_with(&format!(".{end}")))
    };
    Some(if hosts.iter().any(|name| reaches(name)) {
        Misnamed::Wildcard
    } else {
        Misnamed::Listed
    })
}

/// What stands before the name that was dialled, in messages of Java, Liberty, curl, Go, Node and z/OS Explorer.
const BEFORE_NAME: [&str; 9] = [
    "dns name matching ",
    "no name matching ",
    "matching ip address ",
    "connecting to host ",
    "target host name ",
    "does not match target hostname ",
    "altnames: host: ",
    "hostname mismatch, certificate is not valid for ",
    "ip address mismatch, certificate is not valid for ",
];
