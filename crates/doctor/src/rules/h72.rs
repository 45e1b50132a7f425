//! H-72: the two ends share no cipher, or none that fits the key.

use crate::ciphers;
use crate::facts::Key;
use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::labels;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::text::mqsc::MqKind;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-72",
    title: "the two ends share no cipher, or none that fits the key",
    severity: Severity::Error,
    stage: Stage::Cipher,
    cause: "no suite is enabled at both ends, or all that are need another kind of key than the server's certificate has (an EC certificate with RSA suites), or the server has no usable private key",
    fix: "enable a suite of the certificate's kind at both ends (AllowedCipherSpecs, enabledCiphers, SSL ciphers), or give the server a certificate of the other kind",
    source: "IBM MQ AMQ9616E; JSSE; domain specification E.4; domain specification H-72",
    states: &[
        "no shared cipher",
        "no cipher suites in common",
        "amq9616e",
        "gsk_error_no_ciphers",
        "no ciphers available",
        "arithinsert1(412)",
        "arithinsert1(402)",
        "error code returned was '412'",
        "error code returned was '402'",
        "alert insufficient security",
        "insufficient_security",
        "no cipher match",
    ],
    hints: &[
        "handshake failure",
        "handshake_failure",
        "alert number 40",
        "no available authentication scheme",
    ],
    explains: &["H-87", "H-88"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for seen in &inputs.conversations {
        if seen.alerts.iter().any(|(_, alert)| matches!(alert, 40 | 71)) {
            let target = seen.target.clone().unwrap_or_else(|| seen.file.clone());
            let evidence = Evidence::file(
                &seen.file,
                format!(
                    "alert 40, handshake_failure, after {} suites were offered",
                    seen.offered_ciphers.len()
                ),
            );
            found.push(Finding::proven(&RULE, target, evidence).likely());
        }
    }
    let servers = inputs
        .mq
        .iter()
        .filter(|object| object.kind == MqKind::Channel && object.get("CHLTYPE") != Some("CLNTCONN"));
    for channel in servers {
        let Some(cipher) = channel.get("SSLCIPH").filter(|name| !name.is_empty()) else {
            continue;
        };
        let Some(wanted) = ciphers::key_of(cipher) else {
            continue;
        };
        let Some((store, entry)) = labels::presented_by(inputs, channel) else {
            continue;
        };
        let has = match entry.chain.first().and_then(|leaf| leaf.key.as_ref()) {
            Some(Key::Rsa(_)) => ciphers::KeyType::Rsa,
            Some(Key::Ec(_)) => ciphers::KeyType::Ec,
            _ => continue,
        };
        if has != wanted {
            let evidence = Evidence::line(
                &channel.file,
                channel.line,
                format!("{}: SSLCIPH({cipher})", channel.name()),
            );
            let own = Evidence::file(
                &store.file,
                format!(
                    "its key is {}",
                    if has == ciphers::KeyType::Rsa { "RSA" } else { "EC" }
                ),
            )
            .alias(entry.alias.as_deref())
            .at(entry.line);
            found.push(Finding::proven(&RULE, channel.name().to_owned(), evidence).and(own));
        }
    }
    for (server, client, outcome) in ciphers::pairs(inputs) {
        if outcome == ciphers::Outcome::NoneEnabled {
            let evidence = Evidence::line(
                &client.file,
                client.line,
                format!("the client offers {}", client.name),
            );
            let own = Evidence::line(
                &server.file,
                server.line,
                format!("the queue manager's channel takes {}", server.name),
            );
            found.push(Finding::proven(&RULE, server.channel.clone(), evidence).and(own));
        }
    }
    found
}
