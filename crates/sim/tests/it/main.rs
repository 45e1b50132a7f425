//! What replacement and recovery promise, tried at every point at which a machine can die.

#![allow(clippy::unwrap_used)]

mod broken;
mod commands;
mod crash;
mod disturbed;
mod steps;
