//! The keystore crate against stores that other tools wrote, and against those tools themselves.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::disallowed_types)]

mod bad;
mod corpus;
mod edits;
mod gskit;
mod hashed_directories;
mod interop;
mod kdb;
mod key_forms;
mod keys;
mod made;
mod mutations;
mod openssl;
mod pem;
mod profiles;
mod random;
mod readers;
mod secrets;
mod text_files;
mod truth;
mod unchanged;
mod whole_corpus;
