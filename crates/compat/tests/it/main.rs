//! The front ends against recorded runs of the originals, and against the originals themselves where they are.

#![allow(clippy::unwrap_used)]

mod recorded;
