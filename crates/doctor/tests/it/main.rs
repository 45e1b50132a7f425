//! Rules on their cases, situations on their first finding, and what must stay silent.

mod cases;
mod corpus;
mod made;
mod pages;

/// 2026-11-20: all certificates of the cases are made around it.
pub const NOW: i64 = 1_795_207_076;
