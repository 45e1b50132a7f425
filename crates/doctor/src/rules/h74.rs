//! H-74: the client's channel definition cannot have TLS.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-74",
    title: "the client's channel definition cannot have TLS",
    severity: Severity::Error,
    stage: Stage::Spoken,
    cause: "MQSERVER or ServerConnectionParms comes before the channel table, and neither can name a CipherSpec: the client asks for no TLS, and the channel refuses",
    fix: "take MQSERVER out of the environment and ServerConnectionParms out of mqclient.ini, and name the channel table (MQCCDTURL, ChannelDefinitionFile)",
    source: "IBM MQ client configuration; domain specification R-203, R-213; domain specification H-74",
    states: &[
        "sslciph(' ') ->",
        "sslciph( ) ->",
        "sslciph() ->",
        "amq9639e",
        "amq9641e && sslciph(' ')",
    ],
    hints: &[],
    explains: &["H-73", "H-72"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for settings in &inputs.settings {
        for key in ["ServerConnectionParms", "MQSERVER"] {
            let Some(item) = settings.last(key).filter(|item| !item.value.is_empty()) else {
                continue;
            };
            let tls = inputs.settings.iter().any(|other| {
                other.last("SSLKeyRepository").is_some()
                    || other.last("MQSSLKEYR").is_some()
                    || other.last("cipherSpecification").is_some()
            }) || inputs
                .mq
                .iter()
                .any(|object| object.get("SSLCIPH").is_some_and(|name| !name.is_empty()));
            if tls {
                let evidence = Evidence::line(&settings.file, item.line, format!("{key}={}", item.value));
                found.push(Finding::proven(&RULE, settings.file.clone(), evidence));
            }
        }
    }
    found
}
