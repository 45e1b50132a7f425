//! H-80: the server asks for a client certificate and gets none.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-80",
    title: "the server asks for a client certificate and gets none",
    severity: Severity::Error,
    stage: Stage::Client,
    cause: "the server requires a certificate of the client (clientAuthentication, SSLCAUTH(REQUIRED)), and the client sent none, or one that the server refuses",
    fix: "give the client a key and certificate (its alias or label too), and look at the list of authorities that the server sends; or let the server ask without requiring",
    source: "RFC 8446 alerts 42 and 116; IBM MQ AMQ9637E; domain specification H-80",
    states: &[
        "certificate_required",
        "alert certificate required",
        "amq9637e",
        "peer did not return a certificate",
        "null cert chain",
        "empty client certificate chain",
        "client certificate required",
        "alert number 116",
        "csqx637e",
        "client did not && certificate",
    ],
    hints: &[
        "bad_certificate",
        "alert bad certificate",
        "ssl_error_bad_cert_alert",
        "alert number 42",
    ],
    explains: &["H-72", "H-83"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for seen in &inputs.conversations {
        let ended = seen.was_asked
            && !seen.has_client_certificate
            && inputs.texts.iter().any(|text| {
                text.file == seen.file
                    && super::h72::RULE
                        .hints
                        .iter()
                        .any(|pattern| text.speaking_of(pattern).next().is_some())
            });
        if ended {
            let target = seen.target.clone().unwrap_or_else(|| seen.file.clone());
            let what =
                "the server asked for a certificate, the client was given none, and the server ended it";
            found.push(Finding::proven(&RULE, target, Evidence::file(&seen.file, what)));
            continue;
        }
        let sent_none = seen.client_sent.as_ref().is_some_and(Vec::is_empty);
        let refused = seen
            .alerts
            .iter()
            .any(|(from_server, alert)| *from_server && matches!(alert, 40 | 42 | 116));
        if sent_none && refused || seen.alerts.iter().any(|(_, alert)| *alert == 116) {
            let target = seen.target.clone().unwrap_or_else(|| seen.file.clone());
            found.push(Finding::proven(
                &RULE,
                target,
                Evidence::file(
                    &seen.file,
                    "the client was asked for a certificate and sent none; the server ended it",
                ),
            ));
        }
    }
    found
}
