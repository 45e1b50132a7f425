//! Crash-safe execution of a checked plan over a port.
//!
//! [`machine::Machine`] is the port: the few verbs that files are replaced with. [`journal::Journal`] is the durable
//! memory of a run, [`replace::apply`] the only writer of stores, [`command::carry`] what runs a
//! product's own commands, [`recover::recover`] what makes a crash harmless.
//! Everything here decides on values; the world is behind the port.

pub mod command;
pub mod digest;
pub mod journal;
pub mod log;
pub mod machine;
pub mod recover;
pub mod replace;
pub mod run;
