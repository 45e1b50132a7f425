//! Why a handshake fails, and what to do about it.
//!
//! [`Inputs::gather`] reads what was handed over: stores, settings, logs, pasted output, captures. [`diagnose`] asks
//! every rule of [`RULES`] and puts the findings in order: what is the cause comes before what is only a consequence.
//!
//! The crate is pure: files, passwords and the moment are arguments.

mod base64;
mod capture;
mod ciphers;
mod dn;
pub mod facts;
mod finding;
pub mod inputs;

mod labels;
pub mod locks;
mod moment;
mod page;
mod paths;
mod peers;
mod rank;
mod rule;
mod rules;
pub mod settings;
pub mod text;

pub use dn::Dn;
pub use finding::Certainty;
pub use finding::Evidence;
pub use finding::Finding;
pub use inputs::InputFile;
pub use inputs::Inputs;
pub use page::page;
pub use rank::diagnose;
pub use rule::Rule;
pub use rule::Severity;
pub use rule::Stage;
pub use rules::RULES;

/// The rule of that name, in any case.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES
        .iter()
        .copied()
        .find(|rule| rule.id.eq_ignore_ascii_case(id))
}
