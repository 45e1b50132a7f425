//! The planner from outside: known values, text-driven cases, and an exhaustive second opinion.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod brute;
mod cases;
mod cores;
mod exhaustive;
mod front;
mod known;
mod mutants;
mod rip;
mod standing;
mod toy;
