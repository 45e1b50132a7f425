//! From the words of the fleet file to domain types and back. Parsed once, here; never re-validated.

use std::time::Duration;

use product::ClientCertificate;
use product::Command;
use product::Component;
use product::Dial;
use product::Effective;
use product::Healthy;
use product::Holds;
use product::Listen;
use product::Means;
use product::ProcessRef;
use product::Secret;
use product::Selects;
use product::Setting;
use product::StoreFile;
use product::Syntax;

use crate::file::CommandsDoc;
use crate::file::ComponentDoc;
use crate::file::EffectiveDoc;
use crate::file::HealthyDoc;
use crate::file::ListenDoc;
use crate::file::MeansDoc;
use crate::file::SecretDoc;
use crate::file::SettingDoc;
use crate::file::StoreDoc;
use crate::file::distance;
use crate::meaning::MeaningError;

/// Something in the fleet file that has no meaning, with the component it stands in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct DeclareError {
    /// Where: `components.billing.stores.id`.
    pub place: String,
    /// What is wrong with it.
    pub what: String,
}

/// Turns the words for one component into a [`Component`]. All mistakes are collected.
///
/// # Errors
/// Every [`DeclareError`] found in it.
pub fn component(id: &str, doc: &ComponentDoc) -> Result<Component, Vec<DeclareError>> {
    let mut reader = Reader {
        place: format!("components.{id}"),
        errors: Vec::new(),
    };
    let stores = doc
        .stores
        .iter()
        .enumerate()
        .filter_map(|(index, store)| reader.store(index, store))
        .collect();
    let component = Component {
        id: id.to_owned(),
        host: doc.host.clone().unwrap_or_default(),
        product: doc.product.clone().unwrap_or_else(|| "generic".to_owned()),
        role: doc.role.clone().unwrap_or_default(),
        runtime: reader.runtime(doc),
        dir: doc.dir.clone(),
        cost_milli: reader.cost(doc.cost),
        external: doc.external.unwrap_or(false),
        trusts_new_since: doc.trusts_new_since.as_ref().map(|day| day.as_str().to_owned()),
        keeps_no_old_identity: doc.keeps_no_old_identity.unwrap_or(false),
        stores,
        settings: doc
            .settings
            .iter()
            .filter_map(|setting| reader.setting(setting))
            .collect(),
        effective: reader.effective(doc),
        listens: doc
            .listens
            .iter()
            .filter_map(|listen| reader.listen(listen))
            .collect(),
        dials: doc.dials.iter().map(dial).collect(),
    };
    reader.references(&component);
    if component.host.is_empty() {
        reader.says("", "`host` is missing: name one of [hosts]".to_owned());
    }
    if reader.errors.is_empty() {
        Ok(component)
    } else {
        Err(reader.errors)
    }
}

/// The words for a component, as `scan` proposes them and the snapshot keeps them.
pub fn document(component: &Component) -> ComponentDoc {
    ComponentDoc {
        host: Some(component.host.clone()),
        product: Some(component.product.clone()),
        role: Some(component.role.clone()).filter(|role| !role.is_empty()),
        runtime: Some(component.runtime.clone()).filter(|runtime| !runtime.is_empty()),
        dir: component.dir.clone(),
        definitions: None,
        cost: (component.cost_milli != 1000).then_some(component.cost_milli as f64 / 1000.0),
        external: component.external.then_some(true),
        manual: None,
        trusts_new_since: component
            .trusts_new_since
            .as_deref()
            .and_then(|day| serde_json::from_value(day.into()).ok()),
        keeps_no_old_identity: component.keeps_no_old_identity.then_some(true),
        stores: component.stores.iter().map(store_doc).collect(),
        settings: component.settings.iter().map(setting_doc).collect(),
        effective: Some(effective_doc(&component.effective)),
        listens: component.listens.iter().map(listen_doc).collect(),
        dials: component
            .dials
            .iter()
            .map(|dial| crate::file::DialDoc {
                to: dial.to.clone(),
                endpoint: Some(dial.endpoint.clone()).filter(|name| !name.is_empty()),
                identity: dial.identity.clone(),
                trust: dial.trust.clone(),
                expects: dial.expects.clone(),
            })
            .collect(),
        new: None,
    }
}

struct Reader {
    place: String,
    errors: Vec<DeclareError>,
}

impl Reader {
    fn says(&mut self, part: &str, what: String) {
        let place = if part.is_empty() {
            self.place.clone()
        } else {
            format!("{}.{part}", self.place)
        };
        self.errors.push(DeclareError { place, what });
    }

    fn runtime(&mut self, doc: &ComponentDoc) -> String {
        let Some(name) = &doc.runtime else {
            return String::new();
        };
        if trust::runtime(name).is_none() {
            let known: Vec<&str> = trust::runtimes().map(|profile| profile.name).collect();
            self.says(
                "runtime",
                format!(
                    "`{name}` is not a runtime whose verdict is known here; known are {}",
                    known.join(", ")
                ),
            );
        }
        name.clone()
    }

    fn cost(&mut self, cost: Option<f64>) -> u64 {
        let cost = cost.unwrap_or(1.0);
        if !(cost.is_finite() && (0.001..=1_000_000.0).contains(&cost)) {
            self.says("cost", format!("{cost} is not between 0.001 and 1000000"));
            return 1000;
        }
        (cost * 1000.0).round() as u64
    }

    fn store(&mut self, index: usize, doc: &StoreDoc) -> Option<StoreFile> {
        let id = doc.id.clone().unwrap_or_else(|| format!("store{}", index + 1));
        let part = format!("stores.{id}");
        let mut holds = Vec::new();
        for word in &doc.holds {
            match word.as_str() {
                "identity" => holds.push(Holds::Identity),
                "trust" => holds.push(Holds::Trust),
                other => self.says(
                    &part,
                    format!("holds `{other}`: only \"identity\" and \"trust\" are known"),
                ),
            }
        }
        if holds.is_empty() {
            self.says(
                &part,
                "`holds` is missing: [\"identity\"], [\"trust\"] or both".to_owned(),
            );
        }
        let file = match (&doc.file, &doc.cert_file, &doc.key_file) {
            (Some(file), None, None) => Some(file.clone()),
            (None, Some(file), Some(_)) => Some(file.clone()),
            _ => {
                self.says(
                    &part,
                    "needs either `file`, or `key-file` and `cert-file`".to_owned(),
                );
                None
            }
        };
        Some(StoreFile {
            id,
            file: file?,
            key_file: doc.key_file.clone(),
            holds,
            alias: doc.alias.clone(),
            password: self.secret(&part, doc.password.as_ref()),
            key_password: self.secret(&part, doc.key_password.as_ref()),
            stash: doc
                .stash
                .clone()
                .or_else(|| doc.password.as_ref().and_then(|password| password.stash.clone())),
        })
    }

    fn secret(&mut self, part: &str, doc: Option<&SecretDoc>) -> Option<Secret> {
        let doc = doc?;
        match secret(doc) {
            Ok(secret) => Some(secret),
            Err(what) => {
                self.says(part, what.to_string());
                None
            }
        }
    }

    fn setting(&mut self, doc: &SettingDoc) -> Option<Setting> {
        let part = format!("settings.{}", doc.key);
        let Some(syntax) = syntax(&doc.syntax) else {
            self.says(
                &part,
                format!(
                    "syntax `{}` is not known: xml, properties, ini, localopts, toml, yaml or line",
                    doc.syntax
                ),
            );
            return None;
        };
        let selects = if doc.selects == "allowed-names" {
            Selects::AllowedNames {
                separator: doc.separator.clone().unwrap_or_else(|| ";".to_owned()),
            }
        } else if let Some(id) = doc.selects.strip_prefix("alias of ") {
            Selects::AliasOf(id.trim().to_owned())
        } else if let Some(id) = doc.selects.strip_prefix("path of ") {
            Selects::PathOf(id.trim().to_owned())
        } else {
            self.says(
                &part,
                format!(
                    "selects = \"{}\": known are \"alias of ID\", \"path of ID\" and \"allowed-names\"",
                    doc.selects
                ),
            );
            return None;
        };
        Some(Setting {
            file: doc.file.clone(),
            syntax,
            key: doc.key.clone(),
            selects,
        })
    }

    fn effective(&mut self, doc: &ComponentDoc) -> Effective {
        let empty = EffectiveDoc::default();
        let effective = doc.effective.as_ref().unwrap_or(&empty);
        let shared = MeansDoc {
            restart: effective.restart.clone(),
            reload: effective.reload.clone(),
            live: effective.live.clone(),
            each_run: effective.each_run,
            env: effective.env.clone(),
        };
        let identity = self.means(
            "effective.identity",
            effective.identity.as_ref().unwrap_or(&shared),
        );
        let trust = self.means("effective.trust", effective.trust.as_ref().unwrap_or(&shared));
        let takes = match effective.takes.as_deref().map(duration) {
            None => Duration::from_secs(30),
            Some(Some(takes)) => takes,
            Some(None) => {
                self.says("effective.takes", "is not a time such as \"20s\"".to_owned());
                Duration::from_secs(30)
            }
        };
        Effective {
            identity,
            trust,
            process: process(effective),
            healthy: self.healthy(effective),
            takes,
        }
    }

    fn means(&mut self, part: &str, doc: &MeansDoc) -> Means {
        let given = usize::from(doc.restart.is_some())
            + usize::from(doc.reload.is_some())
            + usize::from(doc.live.is_some())
            + usize::from(doc.each_run == Some(true));
        if given > 1 {
            self.says(
                part,
                "give one of `restart`, `reload`, `live`, `each-run`".to_owned(),
            );
        }
        if let Some(commands) = &doc.restart {
            return Means::Restart(self.commands(part, commands, doc));
        }
        if let Some(commands) = &doc.reload {
            return Means::Reload(self.commands(part, commands, doc));
        }
        if let Some(text) = &doc.live {
            let Some(within) = duration(text) else {
                self.says(part, format!("live = \"{text}\" is not a time such as \"10s\""));
                return Means::Live(Duration::from_secs(10));
            };
            return Means::Live(within);
        }
        if doc.each_run == Some(true) {
            return Means::EachRun;
        }
        Means::Restart(Vec::new())
    }

    fn commands(&mut self, part: &str, doc: &CommandsDoc, means: &MeansDoc) -> Vec<Command> {
        let lists = match doc {
            CommandsDoc::One(argv) => std::slice::from_ref(argv).to_vec(),
            CommandsDoc::Many(many) => many.clone(),
        };
        if lists.iter().any(Vec::is_empty) || lists.is_empty() {
            self.says(part, "a command needs at least its program".to_owned());
        }
        lists
            .into_iter()
            .map(|argv| Command {
                argv,
                env: means.env.clone(),
            })
            .collect()
    }

    fn healthy(&mut self, doc: &EffectiveDoc) -> Option<Healthy> {
        match doc.healthy.as_ref()? {
            HealthyDoc::Address(text) => match text.strip_prefix("tcp:") {
                Some(port) => Some(Healthy::Tcp(port.to_owned())),
                None => {
                    self.says(
                        "effective.healthy",
                        format!("`{text}` is neither \"tcp:PORT\" nor a command"),
                    );
                    None
                }
            },
            HealthyDoc::Command(argv) => Some(Healthy::Command(Command {
                argv: argv.clone(),
                env: doc.env.clone(),
            })),
            HealthyDoc::Linked {
                linked,
                command,
                host,
                dir,
            } => Some(Healthy::Linked {
                command: Command {
                    argv: command.clone(),
                    env: Default::default(),
                },
                host: host.clone(),
                dir: dir.clone(),
                name: linked.clone(),
            }),
        }
    }

    fn listen(&mut self, doc: &ListenDoc) -> Option<Listen> {
        let client_certificate = match doc.client_certificate.as_deref() {
            None | Some("none") => ClientCertificate::None,
            Some("requested") => ClientCertificate::Requested,
            Some("required") => ClientCertificate::Required,
            Some(other) => {
                self.says(
                    &format!("listens.{}", doc.name),
                    format!("client-certificate = \"{other}\": required, requested or none"),
                );
                return None;
            }
        };
        if doc
            .address
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse::<u16>().ok())
            .is_none()
        {
            self.says(
                &format!("listens.{}", doc.name),
                format!("address `{}` is not host:port", doc.address),
            );
        }
        Some(Listen {
            name: doc.name.clone(),
            address: doc.address.clone(),
            identity: doc.identity.clone(),
            trust: doc.trust.clone(),
            client_certificate,
            starttls: doc.starttls.clone(),
            server_name: doc.server_name.clone(),
        })
    }

    /// Store ids that settings, listens and dials name must exist.
    fn references(&mut self, component: &Component) {
        let known: Vec<&str> = component.stores.iter().map(|store| store.id.as_str()).collect();
        let mut wanted: Vec<(String, &str)> = Vec::new();
        for listen in &component.listens {
            for id in [&listen.identity, &listen.trust].into_iter().flatten() {
                wanted.push((format!("listens.{}", listen.name), id));
            }
        }
        for dial in &component.dials {
            for id in [&dial.identity, &dial.trust].into_iter().flatten() {
                wanted.push((format!("dials.{}", dial.to), id));
            }
        }
        for setting in &component.settings {
            if let Selects::AliasOf(id) | Selects::PathOf(id) = &setting.selects {
                wanted.push((format!("settings.{}", setting.key), id));
            }
        }
        for (part, id) in wanted {
            if known.contains(&id) || component.product != "generic" {
                continue;
            }
            let nearest = known.iter().min_by_key(|name| distance(name, id));
            let hint = nearest.map_or(String::new(), |name| format!("; the nearest is `{name}`"));
            self.says(
                &part,
                format!("names the store `{id}`, which this component does not have{hint}"),
            );
        }
    }
}

/// The one source that a password's words name.
///
/// # Errors
/// `NotOneSource`, `UnknownSyntax`.
pub fn secret(doc: &SecretDoc) -> Result<Secret, MeaningError> {
    let mut all = Vec::new();
    all.extend(doc.file.clone().map(Secret::File));
    all.extend(doc.env.clone().map(Secret::Env));
    all.extend(doc.command.clone().map(Secret::Command));
    all.extend(doc.stash.clone().map(Secret::Stash));
    all.extend(
        doc.literal
            .clone()
            .map(|text| Secret::Literal(keystore::Password::new(text.into_bytes()))),
    );
    all.extend(doc.in_fleet_file.clone().map(Secret::FleetFile));
    if doc.prompt == Some(true) {
        all.push(Secret::Prompt);
    }
    if let Some(setting) = &doc.setting {
        let syntax =
            syntax(&setting.syntax).ok_or_else(|| MeaningError::UnknownSyntax(setting.syntax.clone()))?;
        all.push(Secret::Setting {
            file: setting.file.clone(),
            syntax,
            key: setting.key.clone(),
        });
    }
    match all.len() {
        1 => Ok(all.remove(0)),
        _ => Err(MeaningError::NotOneSource),
    }
}

/// The syntax of that name.
pub fn syntax(word: &str) -> Option<Syntax> {
    const ALL: [Syntax; 7] = [
        Syntax::Ini,
        Syntax::Line,
        Syntax::Localopts,
        Syntax::Properties,
        Syntax::Toml,
        Syntax::Xml,
        Syntax::Yaml,
    ];
    ALL.into_iter().find(|syntax| syntax.name() == word)
}

/// `500ms`, `10s`, `5m`, `2h`, `45d`; a bare number counts seconds.
pub fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..split].parse().ok()?;
    let milliseconds = match text[split..].trim() {
        "ms" => 1,
        "" | "s" => 1000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(milliseconds).map(Duration::from_millis)
}

fn process(doc: &EffectiveDoc) -> Option<ProcessRef> {
    let process = doc.process.as_ref()?;
    process
        .pid_file
        .clone()
        .map(ProcessRef::PidFile)
        .or_else(|| process.address.clone().map(ProcessRef::Address))
}

fn dial(doc: &crate::file::DialDoc) -> Dial {
    Dial {
        to: doc.to.clone(),
        endpoint: doc.endpoint.clone().unwrap_or_default(),
        identity: doc.identity.clone(),
        trust: doc.trust.clone(),
        expects: doc.expects.clone(),
    }
}

fn store_doc(store: &StoreFile) -> StoreDoc {
    let (file, cert_file) = match &store.key_file {
        Some(_) => (None, Some(store.file.clone())),
        None => (Some(store.file.clone()), None),
    };
    StoreDoc {
        id: Some(store.id.clone()),
        file,
        key_file: store.key_file.clone(),
        cert_file,
        holds: store
            .holds
            .iter()
            .map(|holds| match holds {
                Holds::Identity => "identity".to_owned(),
                Holds::Trust => "trust".to_owned(),
            })
            .collect(),
        alias: store.alias.clone(),
        format: None,
        password: store.password.as_ref().map(secret_doc),
        key_password: store.key_password.as_ref().map(secret_doc),
        stash: store.stash.clone(),
    }
}

/// The words for a password's source; a literal stays in the fleet file.
pub fn secret_doc(secret: &Secret) -> SecretDoc {
    let mut doc = SecretDoc::default();
    match secret {
        Secret::Command(argv) => doc.command = Some(argv.clone()),
        Secret::Env(name) => doc.env = Some(name.clone()),
        Secret::File(path) => doc.file = Some(path.clone()),
        Secret::Prompt => doc.prompt = Some(true),
        Secret::Setting { file, syntax, key } => {
            doc.setting = Some(crate::file::SettingRefDoc {
                file: file.clone(),
                syntax: syntax.name().to_owned(),
                key: key.clone(),
            });
        }
        Secret::Stash(path) => doc.stash = Some(path.clone()),
        Secret::FleetFile(place) => doc.in_fleet_file = Some(place.clone()),
        _ => doc.in_fleet_file = Some(String::new()),
    }
    doc
}

fn setting_doc(setting: &Setting) -> SettingDoc {
    let (selects, separator) = match &setting.selects {
        Selects::AliasOf(id) => (format!("alias of {id}"), None),
        Selects::PathOf(id) => (format!("path of {id}"), None),
        Selects::AllowedNames { separator } => ("allowed-names".to_owned(), Some(separator.clone())),
    };
    SettingDoc {
        file: setting.file.clone(),
        syntax: setting.syntax.name().to_owned(),
        key: setting.key.clone(),
        selects,
        separator,
    }
}

fn listen_doc(listen: &Listen) -> ListenDoc {
    ListenDoc {
        name: listen.name.clone(),
        address: listen.address.clone(),
        identity: listen.identity.clone(),
        trust: listen.trust.clone(),
        client_certificate: Some(
            match listen.client_certificate {
                ClientCertificate::None => "none",
                ClientCertificate::Requested => "requested",
                ClientCertificate::Required => "required",
            }
            .to_owned(),
        ),
        starttls: listen.starttls.clone(),
        server_name: listen.server_name.clone(),
    }
}

fn effective_doc(effective: &Effective) -> EffectiveDoc {
    let mut doc = EffectiveDoc {
        takes: Some(format!("{}ms", effective.takes.as_millis())),
        ..EffectiveDoc::default()
    };
    if effective.identity == effective.trust {
        let means = means_doc(&effective.identity);
        (doc.restart, doc.reload, doc.live, doc.each_run, doc.env) =
            (means.restart, means.reload, means.live, means.each_run, means.env);
    } else {
        doc.identity = Some(means_doc(&effective.identity));
        doc.trust = Some(means_doc(&effective.trust));
    }
    doc.process = effective.process.as_ref().map(|process| match process {
        ProcessRef::Address(address) => crate::file::ProcessDoc {
            pid_file: None,
            address: Some(address.clone()),
        },
        ProcessRef::PidFile(path) => crate::file::ProcessDoc {
            pid_file: Some(path.clone()),
            address: None,
        },
    });
    doc.healthy = effective.healthy.as_ref().map(|healthy| match healthy {
        Healthy::Command(command) => HealthyDoc::Command(command.argv.clone()),
        Healthy::Tcp(port) => HealthyDoc::Address(format!("tcp:{port}")),
        Healthy::Linked {
            command,
            host,
            dir,
            name,
        } => HealthyDoc::Linked {
            linked: name.clone(),
            command: command.argv.clone(),
            host: host.clone(),
            dir: dir.clone(),
        },
    });
    doc
}

fn means_doc(means: &Means) -> MeansDoc {
    let commands = |list: &[Command]| match list {
        [] => None,
        [one] => Some(CommandsDoc::One(one.argv.clone())),
        many => Some(CommandsDoc::Many(
            many.iter().map(|command| command.argv.clone()).collect(),
        )),
    };
    let mut doc = MeansDoc::default();
    match means {
        Means::EachRun => doc.each_run = Some(true),
        Means::Live(within) => doc.live = Some(format!("{}ms", within.as_millis())),
        Means::Reload(list) => doc.reload = commands(list),
        Means::Restart(list) => doc.restart = commands(list),
    }
    if let Means::Reload(list) | Means::Restart(list) = means {
        doc.env = list
            .first()
            .map(|command| command.env.clone())
            .unwrap_or_default();
    }
    doc
}

/// What a setting selects, in the fleet file's words.
pub fn selects_text(selects: &Selects) -> String {
    match selects {
        Selects::AliasOf(id) => format!("alias of {id}"),
        Selects::PathOf(id) => format!("path of {id}"),
        Selects::AllowedNames { .. } => "allowed-names".to_owned(),
    }
}
