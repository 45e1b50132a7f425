//! The binary as its user meets it: arguments, both streams, exit codes, files before and after.

mod corpus;
mod made;
mod pairs;
mod scripts;
mod secrets;
mod truth;
mod vectors;
