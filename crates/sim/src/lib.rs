//! A crash-faithful disk and a simulated machine.
//!
//! [`disk::Disk`] keeps what programs see and what would survive apart; [`machine::SimMachine`] is the port
//! `exec::machine::Machine` on it, with a fuse that ends the machine after any number of changes.

pub mod disk;
pub mod machine;
