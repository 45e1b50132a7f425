//! The operating system's side against real files and real TLS servers on loopback.

#![allow(clippy::unwrap_used)]

mod dial;
mod files;
mod processes;
mod servers;
