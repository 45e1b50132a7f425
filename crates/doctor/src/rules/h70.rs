//! H-70: the port does not speak TLS.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-70",
    title: "the port does not speak TLS",
    severity: Severity::Error,
    stage: Stage::Spoken,
    cause: "the answer to a TLS hello (or the hello itself) is plain text: the port is the one without TLS, such as 31111 for 31113, 31115 for 31116, 9080 for 9443, 3448 for 3449",
    fix: "dial the TLS port; where the port should speak TLS, switch it on there",
    source: "OpenSSL wrong version number; JSSE plaintext connection; domain specification B.2; domain specification H-70",
    states: &[
        "wrong version number",
        "unrecognized ssl message, plaintext connection",
        "unsupported or unrecognized ssl message",
        "ssl_error_rx_record_too_long",
        "record_too_long && ssl",
        "packet length too long",
        ":http request",
        "plain http request was sent to https port",
        "unknown protocol",
        "first record does not look like a tls handshake",
        "not an ssl/tls record",
    ],
    hints: &["ssl_error_syscall", "amq9207e"],
    explains: &["H-71", "H-72", "H-87", "H-88"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for seen in inputs.conversations.iter().filter(|seen| seen.is_plain_answer) {
        let target = seen.target.clone().unwrap_or_else(|| seen.file.clone());
        found.push(Finding::proven(
            &RULE,
            target,
            Evidence::file(&seen.file, "the answer to the TLS hello is no TLS"),
        ));
    }
    for settings in &inputs.settings {
        for item in &settings.items {
            let Some(rest) = item.value.strip_prefix("https://") else {
                continue;
            };
            let host = rest.split('/').next().unwrap_or(rest);
            let port = host
                .rsplit_once(':')
                .and_then(|(_, port)| port.parse::<u16>().ok());
            if let Some((plain, tls)) = port.and_then(|port| PLAIN.iter().find(|(plain, _)| *plain == port)) {
                let evidence = Evidence::line(
                    &settings.file,
                    item.line,
                    format!("{} = {}", item.key, item.value),
                );
                found.push(
                    Finding::proven(&RULE, settings.file.clone(), evidence).because(format!(
                        "{plain} is the port without TLS; {tls} is the one with it"
                    )),
                );
            }
        }
        let port = |key: &str| {
            settings
                .last(key)
                .filter(|item| item.value.parse::<u16>().is_ok_and(|port| port > 0))
        };
        if let (Some(plain), Some(tls)) = (
            port("nmport"),
            port("nmsslfullport").or_else(|| port("nmsslport")),
        ) && plain.value == tls.value
        {
            let evidence = Evidence::line(
                &settings.file,
                tls.line,
                format!("the TLS port is {}, and so is nm port", tls.value),
            );
            found.push(
                Finding::proven(&RULE, settings.file.clone(), evidence)
                    .because("one port cannot be both: nm port answers in plain text"),
            );
        }
    }
    found
}

/// Default ports without TLS and their neighbours with it. Source: domain specification B.2, F.4.
const PLAIN: [(u16, u16); 5] = [
    (31111, 31113),
    (31115, 31116),
    (9080, 9443),
    (3448, 3449),
    (9444, 9443),
];
