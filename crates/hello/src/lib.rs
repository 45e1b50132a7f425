//! The first words of TLS: client hellos made by hand, and what a server says in the clear.
//!
//! [`ClientHello::bytes`] writes a hello of any version from SSL 3.0 to TLS 1.3 with any suites and groups, also those
//! that no library offers any more; [`Flight`] reads the answer as it comes in. No secret is involved and nothing is
//! encrypted: this asks what a server would choose, it never finishes a handshake.
//!
//! The crate is pure: bytes and randomness are arguments, and what comes in is bounded.
#![deny(missing_docs)]

mod alert;
mod client;
mod flight;
mod group;
mod reading;
mod scheme;
mod ssl2;
mod suites;
mod version;

pub use alert::{Alert, alert_name};
pub use client::{ClientHello, Heard, SharedKey, read_client_hello};
pub use flight::{
    CertificateRequest, Flight, Message, Progress, ServerHello, certificates, in_the_clear, records,
};
pub use group::{Group, groups};
pub use reading::Reading;
pub use scheme::scheme_name;
pub use ssl2::{Ssl2Hello, ssl2_hello, ssl2_kinds};
pub use suites::{Suite, suites};
pub use version::Version;
