//! How much a probe may take.

use std::time::Duration;

/// Bounds of a probe of one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For one connection to come up.
    pub connect: Duration,
    /// For one answer, from the last byte sent to the end of the flight.
    pub answer: Duration,
    /// For everything.
    pub whole: Duration,
    /// Connections at most.
    pub connections: usize,
    /// Connections in a second at most.
    pub per_second: u32,
}

impl Default for Limits {
    /// Five seconds for whoever is slow, a minute and a half for a target, a hundred connections a second: a server
    /// that takes real clients does not notice them.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(5),
            whole: Duration::from_secs(90),
            connections: 600,
            per_second: 100,
        }
    }
}
