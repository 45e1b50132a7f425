//! The fleet file from outside: what is read, and what is said to a person who mistyped it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod documents;
mod mistakes;
