//! Which state of the published procedure a process is in: S0 default, S1 coexistence, S2 retired.
//!
//! The table is data (`data/workload_automation_states.json`); a process is in a state when every row that concerns it
//! equals the state's cell. Entries are compared by kind and certificate, and by alias except where the table marks a
//! cell doubtful; trusted certificates of third parties are allowed and listed.

use super::content::NewChain;
use super::content::StoreContent;
use crate::change::Rotation;
use crate::component::Component;
use crate::files::HostFiles;

mod rows;
mod settings;
mod stores;

/// A state of the procedure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// The product's own default certificates.
    S0,
    /// Trusts both; agents present the new identity, servers with an engine still the old one.
    S1,
    /// New certificates only.
    S2,
}

impl State {
    /// `S0`, `S1` or `S2`.
    pub fn name(self) -> &'static str {
        match self {
            State::S0 => "S0",
            State::S1 => "S1",
            State::S2 => "S2",
        }
    }
}

/// All states, in order.
pub const STATES: [State; 3] = [State::S0, State::S1, State::S2];

/// How a process compares with each state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Classified {
    against: [Vec<String>; 3],
    /// Trusted certificates that belong to others; they deviate from no state.
    pub extras: Vec<String>,
    /// Rows of the table that concern this process.
    pub rows: usize,
}

impl Classified {
    /// The state it is in. `None` = mixed, or no row concerns it.
    pub fn state(&self) -> Option<State> {
        let fits = |state: &&State| self.against[**state as usize].is_empty();
        STATES.iter().rev().find(fits).copied().filter(|_| self.rows > 0)
    }

    /// What differs from that state, one sentence each.
    pub fn deviations(&self, state: State) -> &[String] {
        &self.against[state as usize]
    }

    /// The state with the fewest deviations; the earlier where two are alike.
    pub fn nearest(&self) -> State {
        let count = |state: &State| self.against[*state as usize].len();
        STATES.into_iter().min_by_key(count).unwrap_or(State::S0)
    }

    fn differs(&mut self, state: State, text: String) {
        self.against[state as usize].push(text);
    }
}

/// Compares a process with the table. `files` is its host, `stores` what its stores hold; without a `rotation` nothing
/// is new, and only S0 can fit.
///
/// Cost: reads the settings files and the depot of that process.
pub fn classify(
    component: &Component,
    files: &dyn HostFiles,
    stores: &[StoreContent],
    rotation: Option<&Rotation>,
) -> Classified {
    let new = rotation.map(NewChain::of).unwrap_or_default();
    let name = new
        .leaf
        .as_ref()
        .and_then(|leaf| leaf.subject().common_name())
        .unwrap_or_default();
    let alias = rotation
        .and_then(|rotation| rotation.alias.clone())
        .unwrap_or_else(|| name.clone());
    let mut look = Look {
        component,
        files,
        stores,
        new,
        name,
        alias,
        result: Classified::default(),
    };
    match super::kind_of(component) {
        Some(super::parts::Kind::Agent) => look.agent(),
        Some(super::parts::Kind::Console) => look.console(),
        Some(super::parts::Kind::Engine) => look.engine(),
        Some(super::parts::Kind::Netman) => look.netman(),
        None => {}
    }
    if look.new.leaf.is_none() {
        for state in [State::S1, State::S2] {
            let text = format!("{}: the new chain is not known", component.id);
            look.result.differs(state, text);
        }
    }
    look.result.extras.sort();
    look.result.extras.dedup();
    look.result
}

struct Look<'a> {
    component: &'a Component,
    files: &'a dyn HostFiles,
    stores: &'a [StoreContent],
    new: NewChain,
    /// NEWCN.
    name: String,
    /// NEW.
    alias: String,
    result: Classified,
}

impl Look<'_> {
    fn engine(&mut self) {
        self.server_stores();
        self.authorized_names();
        self.server_settings();
        if self.component.role == "MDM" {
            self.depot();
        }
    }

    fn console(&mut self) {
        self.server_stores();
    }

    fn server_stores(&mut self) {
        for (id, row) in [
            ("keystore", "TWSServerKeyFile.jks"),
            ("truststore", "TWSServerTrustFile.jks"),
        ] {
            self.store_row(
                id,
                &self.component.role.clone(),
                row,
                stores::Part::All,
                stores::Form::NoCase,
            );
        }
    }

    fn agent(&mut self) {
        self.store_row(
            "jks",
            "DA",
            "TWSClientKeyStoreJKS.jks",
            stores::Part::All,
            stores::Form::NoCase,
        );
        self.store_row(
            "cms",
            "DA",
            "TWSClientKeyStore.kdb",
            stores::Part::All,
            stores::Form::Case,
        );
        self.openssl_form();
    }

    /// PKCS#12 for the identity and a PEM bundle for trust: the rows of the database, its keys here, the rest there.
    fn openssl_form(&mut self) {
        self.store_row(
            "id",
            "DA",
            "TWSClientKeyStore.kdb",
            stores::Part::Keys,
            stores::Form::NoAlias,
        );
        self.bundle("ca", stores::Defaults::Some);
    }

    fn netman(&mut self) {
        if self.component.store("cms").is_some() {
            self.store_row(
                "cms",
                "DA",
                "TWSClientKeyStore.kdb",
                stores::Part::All,
                stores::Form::Case,
            );
            return self.unread_bundle();
        }
        let apart = self
            .component
            .store("id")
            .is_some_and(|store| store.key_file.is_some());
        if !apart {
            return self.openssl_form();
        }
        self.localopts();
        self.presented("id");
        self.bundle("ca", stores::Defaults::All);
    }

    fn content(&self, id: &str) -> Option<StoreContent> {
        self.stores.iter().find(|store| store.id == id).cloned()
    }
}

#[cfg(test)]
mod tests;
