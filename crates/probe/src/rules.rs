//! The rules about servers, in the order in which a connection meets them.

mod chain;
mod clients;
mod connection;
mod protocol;
mod table;

use crate::Facts;
use crate::Finding;
use crate::Identity;
use crate::Judged;

pub use table::RULES;

/// What is wrong with a server, what ends a connection first coming first.
///
/// `verdicts` are those of [`crate::judge()`], `identity` what was shown to it. A server without fault gives notes at most.
pub fn findings(facts: &Facts, verdicts: &[Judged], identity: Option<&Identity>) -> Vec<Finding> {
    let mut found = connection::findings(facts);
    found.extend(protocol::findings(facts));
    found.extend(chain::findings(facts, verdicts));
    found.extend(clients::findings(facts, identity));
    found.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    found
}
