//! The crate from outside.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cipher;
mod live;
mod oracle;
mod pages;
mod replay;
mod revocation;
mod rotation_made;
mod rotations;
mod stores;
mod verdicts;
