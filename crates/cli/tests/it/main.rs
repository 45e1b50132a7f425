//! The binary as its user meets it: arguments, both streams, exit codes, files before and after.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod constraints;
mod corpus;
mod csr;
mod doctor;
mod domain;
mod foreign;
mod inspect;
mod live;
mod made;
mod models;
mod orders;
mod page;
mod pairs;
mod probe;
mod prune;
mod rip;
mod rotations;
mod runbook;
mod scripts;
mod secrets;
mod stand_in;
mod store;
mod style;
mod topologies;
mod truth;
mod vectors;
mod windows;
