//! The crate from outside.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cipher;
mod replay;
mod stores;
mod verdicts;
