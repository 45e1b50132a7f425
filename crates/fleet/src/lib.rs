//! What is there and what is wrong with it: fleet file, snapshot, links.
//!
//! [`mod@file`] is `capgrow.toml` as written, [`declare`] its meaning, [`scan`] looks at the hosts through
//! `product::HostFiles` and writes a [`snapshot::Snapshot`], [`mod@format`] holds the serialised form of changes.

mod assemble;
mod changes;
mod connections;
pub mod date;
pub mod declare;
pub mod file;
pub mod format;
mod material;
mod meaning;
pub mod requests;
pub mod rotation;
mod scan;
pub mod snapshot;
pub mod state;
mod store_facts;
mod unmatched;
mod walk;
pub mod window;

pub use assemble::store_of;
pub use changes::changes;
pub use changes::rotation as rotation_of;
pub use meaning::MeaningError;
pub use scan::Look;
pub use scan::components_now;
pub use scan::scan;
pub use snapshot::Snapshot;
pub use store_facts::alias_of;
pub use store_facts::with_issuers;
