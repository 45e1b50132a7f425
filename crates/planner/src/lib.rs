//! The untrusted search for the order with the fewest restarts, and its bound.
//!
//! [`plan_model`] turns a model into a plan document. Nothing here is trusted: `plan::check` reads the document
//! and decides. The way: `demand` says which events must precede which, `patterns` chooses how the events
//! of each component fall together, `waves` puts the steps in order, `bound` proves how cheap it could be.

mod arrangement;
mod bound;
mod by_hand;
mod circle;
mod conflict;
mod core;
mod demand;
mod digraph;
mod exact;
mod front;
mod local;
mod outage;
mod patterns;
mod plan_model;
mod rip;
mod settle;
mod standing;
mod timed;
mod undo;
mod waves;
mod ways;

pub use front::Choice;
pub use front::Front;
pub use front::plan_front;
pub use outage::Outage;
pub use outage::outages;
pub use plan_model::plan_model;
pub use plan_model::plan_quickest;
pub use rip::plan_rip;
pub use standing::Replanned;
pub use standing::Standing;
pub use undo::plan_undo;
