//! Would this runtime accept this chain for this name at this time, and if not, why.
//!
//! [`runtime`] gives the profile of a runtime by name, [`verdict`] its answer to a [`Question`]: accept with the
//! path, reject with the most telling reason and the runtime's own words, or undecided where nobody can know.
//! [`anchors`] says which entries of a store the runtime takes as anchors, [`presents`] which identity it sends.
//!
//! The crate is pure: certificates, store and moment are arguments; signatures go through [`Signatures`].
#![deny(missing_docs)]

mod algorithm;
mod anchors;
mod answers;
mod asn1;
mod case;
mod cert;
mod check;
pub mod cipher;
mod constraints;
mod dn;
mod extension;
mod name;
mod path;
mod presents;
pub mod profile;
mod revocation;
mod signature;
pub mod vectors;
mod verdict;

pub use anchors::anchors;
pub use answers::{Request, Sent, mq_label, sends};
pub use case::{Purpose, Question};
pub use path::verdict;
pub use presents::{PresentError, Presented, presents};
pub use profile::{Profile, runtime, runtimes};
pub use revocation::verdict_with_lists;
pub use signature::{Claim, Computed, Recorded, Signatures, compute};
pub use verdict::{Accepted, Reject, Rejected, Step, Trace, Undecided, Verdict};
