//! The operating system's side against real files and real TLS servers on loopback.

#![allow(clippy::unwrap_used)]

mod agree;
mod dial;
mod files;
mod made_fleet;
mod processes;
mod servers;
