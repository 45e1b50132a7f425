//! H-73: the CipherSpec that was agreed is not the channel's.

use crate::ciphers;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-73",
    title: "the CipherSpec that was agreed is not the channel's",
    severity: Severity::Error,
    stage: Stage::Cipher,
    cause: "the handshake agrees on a suite before IBM MQ knows the channel; what was agreed is then not among what SSLCIPH of the channel allows, most often TLS 1.3 against ANY_TLS12",
    fix: "set SSLCIPH(ANY_TLS12_OR_HIGHER) on the SVRCONN (preferred), or ANY_TLS12 on the client; then REFRESH SECURITY TYPE(SSL)",
    source: "IBM MQ AMQ9631E, AMQ9641E; domain specification E.4, R-195 to R-197 (rows beyond those three are derived from the algorithm); domain specification H-73",
    states: &["amq9631e", "amq9641e"],
    hints: &[],
    explains: &["H-80"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for (server, client, outcome) in ciphers::pairs(inputs) {
        if outcome == ciphers::Outcome::NotTheChannels {
            let evidence = Evidence::line(
                &client.file,
                client.line,
                format!("the client offers {}", client.name),
            );
            let own = Evidence::line(
                &server.file,
                server.line,
                format!("channel {} takes {}", server.channel, server.name),
            );
            found.push(Finding::proven(&RULE, server.channel.clone(), evidence).and(own));
        }
    }
    found
}
