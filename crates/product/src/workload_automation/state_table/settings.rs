//! Settings and the depot against their cells.

use serde_json::Value;

use super::Look;
use super::STATES;
use super::State;
use super::rows;
use crate::component::Syntax;
use crate::edit;
use crate::liberty;
use crate::workload_automation::AUTHORIZED_CNS;
use crate::workload_automation::BROKER_PROPERTIES;
use crate::workload_automation::changes::JWT_VARIABLE;
use crate::workload_automation::changes::KEY_ALIAS;
use crate::workload_automation::changes::pem_content;
use crate::workload_automation::content::default_name;
use crate::workload_automation::layout;

impl Look<'_> {
    pub(super) fn site(&self) -> Option<layout::Site> {
        layout::at(self.files, self.component.dir.as_ref()?)
    }

    /// A cell's text with the names of this rotation.
    fn filled(&self, text: &str) -> String {
        text.replace("${NEWCN}", &self.name)
            .replace("${NEW}", &self.alias)
    }

    /// The broker's list, as a set.
    pub(super) fn authorized_names(&mut self) {
        let Some(row) = rows::row("MDM", "BrokerWorkstation.properties") else {
            return;
        };
        let Some(site) = self.site() else { return };
        self.result.rows += 1;
        let path = format!("{}/{BROKER_PROPERTIES}", site.data);
        let bytes = self.files.read(&path).unwrap_or_default();
        let value = edit::value(Syntax::Properties, &bytes, AUTHORIZED_CNS)
            .ok()
            .flatten()
            .unwrap_or_default();
        let mut seen: Vec<&str> = value
            .split(';')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .collect();
        seen.sort_unstable();
        for state in STATES {
            let mut wanted: Vec<String> = rows::texts(row, state)
                .into_iter()
                .map(|text| self.filled(text))
                .collect();
            wanted.sort();
            if seen != wanted {
                let text = format!(
                    "{path}: {AUTHORIZED_CNS} is {value:?}, expected {:?}",
                    wanted.join(";")
                );
                self.result.differs(state, text);
            }
        }
    }

    /// `serverKeyAlias`, `mp.jwt.trust.key` and `keyAlias`.
    pub(super) fn server_settings(&mut self) {
        let Some(dir) = self.site().and_then(|site| site.engine) else {
            return;
        };
        let config = liberty::read(self.files, &dir);
        if let Some(ssl) = config.endpoint_ssl() {
            let seen = ssl.server_key_alias.as_deref();
            // Absent is as good as `server` while there is one key only.
            self.setting("ssl_config.xml", "serverKeyAlias", seen, Absent::IsDefault);
        }
        let variable = config.variable(JWT_VARIABLE);
        if variable.is_some() {
            self.setting(
                "jwt_variables.xml",
                JWT_VARIABLE,
                variable.as_deref(),
                Absent::Differs,
            );
        }
        self.key_aliases(&config);
    }

    fn setting(&mut self, store: &str, key: &str, seen: Option<&str>, absent: Absent) {
        let Some(row) = rows::row("MDM", store) else {
            return;
        };
        self.result.rows += 1;
        for state in STATES {
            let wanted = self.filled(rows::text(row, state).unwrap_or_default());
            let fits = match seen {
                Some(seen) => seen == wanted,
                None => absent == Absent::IsDefault && state == State::S0,
            };
            if !fits {
                let seen = seen.unwrap_or("not set");
                self.result
                    .differs(state, format!("{store}: {key} is {seen}, expected {wanted}"));
            }
        }
    }

    fn key_aliases(&mut self, config: &liberty::Config) {
        let Some(row) = rows::row("MDM", "server.xml") else {
            return;
        };
        let count = row
            .get("count")
            .and_then(Value::as_u64)
            .and_then(|count| usize::try_from(count).ok());
        for file in &config.files {
            let Ok(bytes) = self.files.read(file) else {
                continue;
            };
            let found = edit::find(Syntax::Xml, &bytes, KEY_ALIAS).unwrap_or_default();
            if found.is_empty() {
                continue;
            }
            self.result.rows += 1;
            for state in STATES {
                // The cell says in brackets that the reference is literal.
                let cell = rows::text(row, state).unwrap_or_default();
                let wanted = self.filled(cell.split(' ').next().unwrap_or_default());
                if Some(found.len()) != count {
                    let text = format!(
                        "{file}: keyAlias occurs {} times, expected {}",
                        found.len(),
                        count.unwrap_or(0)
                    );
                    self.result.differs(state, text);
                }
                for value in found.iter().filter(|value| value.text != wanted) {
                    let text = format!(
                        "{file}: keyAlias on line {} is {}, expected {wanted}",
                        value.line, value.text
                    );
                    self.result.differs(state, text);
                }
            }
        }
    }

    /// The file names in `localopts`.
    pub(super) fn localopts(&mut self) {
        let Some(row) = rows::row("FTA", "TWSDATA/localopts") else {
            return;
        };
        let Some(path) = self.site().and_then(|site| site.localopts) else {
            return;
        };
        self.result.rows += 1;
        let bytes = self.files.read(&path).unwrap_or_default();
        for state in STATES {
            for (key, wanted) in rows::pairs(row, state) {
                let wanted = wanted.as_str().unwrap_or_default();
                let value = edit::value(Syntax::Localopts, &bytes, key)
                    .ok()
                    .flatten()
                    .unwrap_or_default();
                let name = value.rsplit(['/', '\\']).next().unwrap_or_default();
                if name != wanted {
                    let text = format!("{path}: {key} is {value:?}, expected a file named {wanted}");
                    self.result.differs(state, text);
                }
            }
        }
    }

    /// The master's depot: nothing, or exactly the files of the table.
    pub(super) fn depot(&mut self) {
        let Some(row) = rows::row("MDM depot", "TWSDATA/ssl/depot") else {
            return;
        };
        let Some(site) = self.site() else { return };
        self.result.rows += 1;
        let dir = format!("{}/ssl/depot", site.data);
        let names = |dir: &str| {
            self.files
                .list(dir)
                .into_iter()
                .map(|entry| entry.name)
                .collect::<Vec<_>>()
        };
        let mut seen = names(&dir);
        seen.retain(|name| name != ADDITIONAL);
        seen.extend(
            names(&format!("{dir}/{ADDITIONAL}"))
                .into_iter()
                .map(|name| format!("{ADDITIONAL}/{name}")),
        );
        for state in STATES {
            let wanted = self.depot_files(row, state);
            for name in wanted.iter().filter(|name| !seen.contains(name)) {
                self.result.differs(state, format!("{dir}: lacks {name}"));
            }
            for name in seen.iter().filter(|name| !wanted.contains(name)) {
                self.result
                    .differs(state, format!("{dir}: {name} does not belong there"));
            }
        }
        self.depot_certificates(&dir, &seen);
    }

    fn depot_files(&self, row: &'static Value, state: State) -> Vec<String> {
        let mut wanted = Vec::new();
        for (name, cell) in rows::pairs(row, state) {
            match (name, cell.as_array()) {
                ("note", _) => {}
                (ADDITIONAL, Some(files)) => {
                    for file in files.iter().filter_map(Value::as_str) {
                        match file.strip_prefix('1') {
                            Some(word) => wanted.extend(
                                (0..self.new.intermediates.len())
                                    .map(|index| format!("{ADDITIONAL}/{}{word}", index + 1)),
                            ),
                            None => wanted.push(format!("{ADDITIONAL}/{file}")),
                        }
                    }
                }
                _ => wanted.push(name.to_owned()),
            }
        }
        wanted
    }

    /// The certificates in the depot are those that the names promise, one a file.
    fn depot_certificates(&mut self, dir: &str, seen: &[String]) {
        for name in seen.iter().filter(|name| name.ends_with(".crt")) {
            let content = pem_content(self.files.read(&format!("{dir}/{name}")).ok().as_deref());
            let held: Vec<_> = content
                .iter()
                .flat_map(|content| content.trusted())
                .map(|(_, seen)| seen.clone())
                .collect();
            let stem = name
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .trim_end_matches(".crt");
            let number: String = stem.chars().take_while(char::is_ascii_digit).collect();
            let fits = match (name.as_str(), number.parse::<usize>(), held.as_slice()) {
                ("ca.crt", _, [one]) => self.new.roots.first() == Some(one),
                ("tls.crt", _, [one]) => self.new.leaf.as_ref() == Some(one),
                (_, Ok(number), [one]) => self.new.intermediates.get(number.wrapping_sub(1)) == Some(one),
                (_, Err(_), [one]) => default_name(one) == Some(stem),
                _ => false,
            };
            if !fits {
                for state in [State::S1, State::S2] {
                    self.result.differs(
                        state,
                        format!("{dir}/{name}: does not hold the one certificate that its name says"),
                    );
                }
            }
        }
    }
}

/// What an absent setting means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Absent {
    Differs,
    IsDefault,
}

const ADDITIONAL: &str = "additionalCAs";
