//! Crash-safe execution of a checked plan over a port.
