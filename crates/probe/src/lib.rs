//! What a TLS server speaks, presents and accepts.
//!
//! [`probe`] asks one server everything, [`sweep()`] many at once; [`Facts`] is what was seen, [`findings`] what is wrong
//! with it. Versions, suites and groups are asked with hellos made by hand (crate `hello`), so that those are seen, too,
//! which no library offers any more; handshakes that go to the end are OpenSSL's, at security level 0.
//!
//! A probe is bounded in time, connections and bytes and polite in its rate; it changes nothing at the server. A server
//! that is silent, hangs up or talks nonsense is a fact, never an error.
#![deny(missing_docs)]

mod chain;
mod clients;
mod enumerate;
mod extras;
mod facts;
mod finding;
mod handshake;
mod identity;
mod judge;
mod limits;
mod line;
mod name;
mod once;
mod resume;
mod rules;
mod starttls;
mod sweep;
mod target;
mod tls13;
mod trouble;
mod wire;

pub use chain::{ChainFault, chain_faults};
pub use facts::{
    ChainSeen, ClientAuth, Extras, Facts, Finished, NameAnswer, NameAsked, Order, Presented, Refusal,
    Resumption, Spoken, SuiteSeen, VersionFacts,
};
pub use finding::{Finding, Rule, Severity};
pub use identity::Identity;
pub use judge::{Judge, Judged, judge};
pub use limits::Limits;
pub use name::fits;
pub use once::{Wants, probe};
pub use rules::{RULES, findings};
pub use starttls::StartTls;
pub use sweep::{Event, sweep};
pub use target::{Target, TargetError};
pub use trouble::Trouble;
