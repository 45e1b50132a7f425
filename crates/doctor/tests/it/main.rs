//! Rules on their cases, situations on their first finding, and what must stay silent.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "cases and corpus lie in files")]

mod cases;
mod corpus;
mod healthy;
mod made;
mod pages;

/// 2026-11-20: all certificates of the cases are made around it.
pub const NOW: i64 = 1_795_207_076;
