//! The trusted kernel: plans, what a step does, and the independent checker.
//!
//! [`Model`] is the abstract fleet, [`PlanDocument`] a plan as it is stored, and [`check`] the only way to a
//! [`CheckedPlan`]. The checker shares types with the planner, and no logic.
#![deny(missing_docs)]

mod alike;
mod bound;
mod canon;
mod check;
mod circumstances;
mod document;
mod effect;
mod lower;
mod model;
mod names;
mod orders;
mod partial;
mod read;
mod text;

pub use bound::BoundStatus;
pub use canon::PlanDigest;
pub use canon::canonical_bytes;
pub use check::CheckReport;
pub use check::CheckedPlan;
pub use check::Refusal;
pub use check::Violation;
pub use check::check;
pub use check::examine;
pub use circumstances::Calendar;
pub use circumstances::EndedWaiver;
pub use circumstances::Waiting;
pub use document::Blocked;
pub use document::Certificate;
pub use document::Claims;
pub use document::Direction;
pub use document::Obstruction;
pub use document::PlanDocument;
pub use document::Step;
pub use effect::effect;
pub use lower::Lowered;
pub use lower::lower;
pub use model::*;
pub use orders::add_document_orders;
pub use partial::set_aside;
pub use read::ReadPlanError;
pub use read::read_plan;
pub use serde_json::Value as Json;
pub use text::ModelError;
pub use text::put_canary;
pub use text::read_model;
