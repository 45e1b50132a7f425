//! The abstract fleet that is planned and checked: components, trust edges, and what each edge accepts.
//!
//! Everything is addressed by dense index, so that a hundred thousand components fit easily. A concrete
//! fleet is lowered to this; `text.rs` reads it from the model language.

use std::fmt;

use crate::circumstances::Calendar;
use crate::circumstances::EndedWaiver;
use crate::circumstances::Waiting;

/// One of the three things that can happen to a component, in the order in which they fall inside a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// The component also accepts the new identities of its peers.
    Grow,
    /// The component presents its new identity.
    Switch,
    /// The component no longer accepts the old identities.
    Retire,
}

impl Event {
    /// All events, in the order in which they fall inside a step.
    pub const ALL: [Event; 3] = [Event::Grow, Event::Switch, Event::Retire];

    /// The word used in plans: `grow`, `switch` or `retire`.
    pub fn word(self) -> &'static str {
        match self {
            Event::Grow => "grow",
            Event::Switch => "switch",
            Event::Retire => "retire",
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A set of events, as a small bit set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord)]
pub struct EventSet(u8);

impl EventSet {
    /// No event.
    pub const EMPTY: EventSet = EventSet(0);
    /// Grow, switch and retire.
    pub const ALL: EventSet = EventSet(7);

    /// The set of the listed events.
    pub fn of(events: &[Event]) -> EventSet {
        EventSet(events.iter().fold(0, |bits, &e| bits | 1 << e as u8))
    }

    /// Whether `event` is in the set.
    pub fn has(self, event: Event) -> bool {
        self.0 & (1 << event as u8) != 0
    }

    /// Whether the set is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many events are in the set.
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The set with `event` added.
    #[must_use]
    pub fn with(self, event: Event) -> EventSet {
        EventSet(self.0 | 1 << event as u8)
    }

    /// The set with everything of `other` taken out.
    #[must_use]
    pub fn without(self, other: EventSet) -> EventSet {
        EventSet(self.0 & !other.0)
    }

    /// What is in either set.
    #[must_use]
    pub fn union(self, other: EventSet) -> EventSet {
        EventSet(self.0 | other.0)
    }

    /// The events of the set, in the order grow, switch, retire.
    pub fn iter(self) -> impl Iterator<Item = Event> {
        Event::ALL.into_iter().filter(move |&e| self.has(e))
    }
}

/// How a component makes changed stores effective, cheapest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Effective {
    /// It re-reads its files by itself: free.
    Live,
    /// A command, signal or API that keeps its sockets: a tenth of a restart, and counts as one.
    Reload,
    /// The process is stopped and started.
    #[default]
    Restart,
}

impl Effective {
    /// The word used in models and plans: `live`, `reload` or `restart`.
    pub fn word(self) -> &'static str {
        match self {
            Effective::Live => "live",
            Effective::Reload => "reload",
            Effective::Restart => "restart",
        }
    }
}

/// What a verifier's trust stores hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrustState {
    /// The old anchors only.
    Old,
    /// Old and new anchors.
    Both,
    /// The new anchors only.
    New,
}

/// The form of the chain that a prover presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChainForm {
    /// The old identity.
    Old,
    /// The new identity.
    New,
    /// The new identity with a chain that leads to an old anchor as well.
    Cross,
}

impl ChainForm {
    /// The word used in plans: `old`, `new` or `cross`.
    pub fn word(self) -> &'static str {
        match self {
            ChainForm::Cross => "cross",
            ChainForm::New => "new",
            ChainForm::Old => "old",
        }
    }
}

/// Index of a component in [`Model::components`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ComponentId(pub u32);

/// Index of a text in [`Model::reasons`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReasonId(pub u32);

/// Index of a table in [`Model::acceptances`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AcceptanceId(pub u32);

/// Index of a set of components in [`Model::shared`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SharedId(pub u32);

macro_rules! index {
    ($($id:ident)*) => {$(
        impl $id {
            /// The index as a position in its table.
            pub fn at(self) -> usize {
                self.0 as usize
            }

            /// The id of a position in its table. Tables hold fewer than 2^32 entries.
            pub fn new(position: usize) -> $id {
                $id(u32::try_from(position).expect("tables hold fewer than 2^32 entries"))
            }
        }
    )*};
}
index! { ComponentId ReasonId AcceptanceId SharedId }

/// What a verifier in each trust state says to each chain form: accepted (`None`), or the reason it would print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Acceptance {
    cells: [[Option<ReasonId>; 3]; 3],
}

impl Acceptance {
    /// The table that accepts everything: renewal under a CA that stays trusted.
    pub const EVERYTHING: Acceptance = Acceptance {
        cells: [[None; 3]; 3],
    };

    /// The table with one cell set to a rejection for `reason`.
    #[must_use]
    pub fn rejecting(mut self, trust: TrustState, chain: ChainForm, reason: ReasonId) -> Acceptance {
        self.cells[trust as usize][chain as usize] = Some(reason);
        self
    }

    /// `None` where the verifier accepts, else its reason.
    pub fn rejection(&self, trust: TrustState, chain: ChainForm) -> Option<ReasonId> {
        self.cells[trust as usize][chain as usize]
    }

    /// Whether the verifier accepts.
    pub fn accepts(&self, trust: TrustState, chain: ChainForm) -> bool {
        self.rejection(trust, chain).is_none()
    }
}

/// One running process with its stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// The name that people use; unique in the model.
    pub name: String,
    /// How a changed identity becomes effective.
    pub identity: Effective,
    /// How changed trust becomes effective.
    pub trust: Effective,
    /// Cost of one restart, in thousandths.
    pub cost_milli: u64,
    /// Its trust store holds one anchor only: grow and retire are one replacement.
    pub single_anchor: bool,
    /// A partner whose stores nobody here can touch. Only explains why an event is missing.
    pub external: bool,
    /// It can present a cross-signed chain.
    pub cross: bool,
    /// The set of components that read the same files, if any.
    pub shared: Option<SharedId>,
    /// What has to happen to it until everything old is retired.
    pub events: EventSet,
    /// Of `events`, what the goal *coexistence* leaves for later; `retire` always is.
    pub at_retirement: EventSet,
    /// What has happened to it already.
    pub done: EventSet,
}

impl Component {
    /// A component with the given name and the defaults of the model language: restart, cost 1.
    pub fn named(name: &str) -> Component {
        Component {
            name: name.to_owned(),
            identity: Effective::Restart,
            trust: Effective::Restart,
            cost_milli: 1000,
            single_anchor: false,
            external: false,
            cross: false,
            shared: None,
            events: EventSet::EMPTY,
            at_retirement: EventSet::of(&[Event::Retire]),
            done: EventSet::EMPTY,
        }
    }

    /// How a step with these events becomes effective: the most expensive way among them.
    pub fn effective(&self, events: EventSet) -> Effective {
        let class = |e| {
            if e == Event::Switch {
                self.identity
            } else {
                self.trust
            }
        };
        events.iter().map(class).max().unwrap_or(Effective::Live)
    }

    /// Cost in thousandths of one step that becomes effective in this way.
    pub fn step_cost_milli(&self, effective: Effective) -> u64 {
        match effective {
            Effective::Live => 0,
            Effective::Reload => self.cost_milli / 10,
            Effective::Restart => self.cost_milli,
        }
    }

    /// The events that `goal` asks for, whether done already or not.
    pub fn wanted(&self, goal: Goal) -> EventSet {
        match goal {
            Goal::Coexistence => self.events.without(self.at_retirement.with(Event::Retire)),
            Goal::Retired => self.events,
        }
    }
}

/// The verifier must accept the identity that the prover presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// Who presents.
    pub prover: ComponentId,
    /// Who verifies.
    pub verifier: ComponentId,
    /// What the verifier says.
    pub acceptance: AcceptanceId,
    /// A waiver allows this edge to break.
    pub waived: bool,
}

/// Components of which at most `max` may have a step in the same wave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The members, each once.
    pub members: Vec<ComponentId>,
    /// At most so many of them in one wave; 0: none of them may have a step.
    pub max: u32,
}

/// An order that is asked for beside safety: all of `before` are effective strictly before the first write of any
/// of `after`. An event that is not called for waits for nothing, and nothing waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precedence {
    /// What comes first.
    pub before: Vec<(ComponentId, Event)>,
    /// What comes later.
    pub after: Vec<(ComponentId, Event)>,
    /// Why, in words.
    pub reason: ReasonId,
}

/// Events of one component that are to fall in one step, asked for beside safety. Those that are not called for, or
/// have happened, are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OneStep {
    /// The component.
    pub component: ComponentId,
    /// The events; at least two.
    pub events: EventSet,
    /// Why, in words.
    pub reason: ReasonId,
}

/// How far a plan goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Goal {
    /// Everything trusts both generations and presents the new one.
    Coexistence,
    /// Nothing old is trusted or presented any more.
    #[default]
    Retired,
}

impl Goal {
    /// The word used on the command line and in plans.
    pub fn word(self) -> &'static str {
        match self {
            Goal::Coexistence => "coexistence",
            Goal::Retired => "retired",
        }
    }
}

/// An abstract fleet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Model {
    /// The components; their position is their id.
    pub components: Vec<Component>,
    /// The trust edges.
    pub edges: Vec<Edge>,
    /// The distinct acceptance tables of the edges.
    pub acceptances: Vec<Acceptance>,
    /// Texts of validators, of precedences and of events in one step.
    pub reasons: Vec<String>,
    /// Sets of components that read the same files.
    pub shared: Vec<Vec<ComponentId>>,
    /// Groups with a maximum per wave.
    pub groups: Vec<Group>,
    /// Orders asked for beside safety.
    pub precedences: Vec<Precedence>,
    /// Events asked to fall in one step beside safety.
    pub one_steps: Vec<OneStep>,
    /// What time has to do with it.
    pub calendar: Calendar,
    /// Events that are left for later. They are in no component's `events`.
    pub waiting: Vec<Waiting>,
    /// Components whose steps a person makes on a host that nobody else reaches.
    pub by_hand: Vec<ComponentId>,
    /// Links whose waiver has ended.
    pub ended_waivers: Vec<EndedWaiver>,
}

impl Model {
    /// Adds a component and returns its id. Names must be unique; the caller sees to it.
    pub fn add_component(&mut self, component: Component) -> ComponentId {
        self.components.push(component);
        ComponentId::new(self.components.len() - 1)
    }

    /// The id of a reason text, added if it is new. Costs a scan of the texts, which are few.
    pub fn intern_reason(&mut self, text: &str) -> ReasonId {
        let found = self.reasons.iter().position(|r| r == text);
        ReasonId::new(found.unwrap_or_else(|| {
            self.reasons.push(text.to_owned());
            self.reasons.len() - 1
        }))
    }

    /// The id of an acceptance table, added if it is new. Costs a scan of the tables, which are few.
    pub fn intern_acceptance(&mut self, table: Acceptance) -> AcceptanceId {
        let found = self.acceptances.iter().position(|t| *t == table);
        AcceptanceId::new(found.unwrap_or_else(|| {
            self.acceptances.push(table);
            self.acceptances.len() - 1
        }))
    }

    /// The usual table: old anchors accept the old chain, new anchors the new one, both accept both;
    /// a cross-signed chain is accepted always when `cross` says so, else as the new one.
    pub fn usual_acceptance(&mut self, cross: CrossSign) -> AcceptanceId {
        let early = self.intern_reason("no trust anchor for the new chain: the issuer is unknown");
        let late = self.intern_reason("no trust anchor for the old chain: the issuer is no longer trusted");
        let mut table = Acceptance::EVERYTHING
            .rejecting(TrustState::Old, ChainForm::New, early)
            .rejecting(TrustState::New, ChainForm::Old, late);
        if cross == CrossSign::Refused {
            table = table.rejecting(TrustState::Old, ChainForm::Cross, early);
        }
        self.intern_acceptance(table)
    }

    /// Adds one trust edge. A repeated edge is kept: it is checked twice and costs nothing.
    pub fn add_edge(&mut self, prover: ComponentId, verifier: ComponentId, acceptance: AcceptanceId) {
        self.edges.push(Edge {
            prover,
            verifier,
            acceptance,
            waived: false,
        });
    }

    /// Makes the components readers of the same files. Sets that overlap become one.
    pub fn share(&mut self, members: &[ComponentId]) {
        let mut all: Vec<ComponentId> = members.to_vec();
        for &member in members {
            if let Some(old) = self.components[member.at()].shared {
                all.append(&mut self.shared[old.at()]);
            }
        }
        all.sort_unstable();
        all.dedup();
        let id = SharedId::new(self.shared.len());
        for member in &all {
            self.components[member.at()].shared = Some(id);
        }
        self.shared.push(all);
    }

    /// Sets each component's events from its edges: *switch* where it proves, *grow* where its old trust refuses
    /// a prover's new chain, *retire* where its new trust will refuse a prover's old chain. Waived edges count too.
    /// A file that is grown for one reader is grown before any other reader retires: call this after `share`.
    pub fn derive_events(&mut self) {
        for edge in &self.edges {
            let table = self.acceptances[edge.acceptance.at()];
            let prover = &mut self.components[edge.prover.at()];
            prover.events = prover.events.with(Event::Switch);
            let verifier = &mut self.components[edge.verifier.at()];
            if !table.accepts(TrustState::Old, ChainForm::New) {
                verifier.events = verifier.events.with(Event::Grow);
            }
            if !table.accepts(TrustState::New, ChainForm::Old) {
                verifier.events = verifier.events.with(Event::Retire);
            }
        }
        for members in &self.shared {
            if members
                .iter()
                .any(|m| self.components[m.at()].events.has(Event::Grow))
            {
                for member in members {
                    let component = &mut self.components[member.at()];
                    if component.events.has(Event::Retire) {
                        component.events = component.events.with(Event::Grow);
                    }
                }
            }
        }
    }
}

/// Whether verifiers accept a cross-signed chain in every trust state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrossSign {
    /// They do.
    Accepted,
    /// Those with the old anchors only do not.
    Refused,
}
