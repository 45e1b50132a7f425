//! The crate from outside.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cipher;
mod live;
mod pages;
mod replay;
mod revocation;
mod stores;
mod verdicts;
