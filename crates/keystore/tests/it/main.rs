//! The keystore crate against stores that other tools wrote, and against those tools themselves.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::disallowed_types)]

mod bad;
mod corpus;
mod edits;
mod gskit;
mod interop;
mod kdb;
mod keys;
mod made;
mod mutations;
mod openssl;
mod pem;
mod random;
mod text_files;
mod truth;
