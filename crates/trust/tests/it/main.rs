//! The crate from outside.

mod replay;
