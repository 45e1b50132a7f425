//! H-68: without a server name the default certificate is shown.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-68",
    title: "without a server name the default certificate is shown",
    severity: Severity::Warning,
    stage: Stage::Presented,
    cause: "the client sends no server name (SNI), so the server shows its default certificate: an old client, or IBM MQ with OutboundSNI=HOSTNAME where the certificate is set on the channel",
    fix: "set the server name in the client (openssl s_client -servername); for IBM MQ OutboundSNI=CHANNEL, or the certificate on the queue manager",
    source: "RFC 6066; IBM MQ OutboundSNI; domain specification H-68",
    states: &[
        "unrecognized_name",
        "unrecognized name",
        "no sni",
        "without sni",
        "sni && missing",
        "sni && not",
        "did not send sni",
        "server_name && missing",
    ],
    hints: &[],
    explains: &["H-60", "H-05"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for settings in &inputs.settings {
        let off = settings
            .last("OutboundSNI")
            .filter(|item| item.value.eq_ignore_ascii_case("hostname"))
            .or_else(|| {
                settings
                    .last("AllowOutboundSNI")
                    .filter(|item| item.value.to_uppercase().starts_with('N'))
            });
        let labelled = inputs.mq.iter().find(|object| {
            object.name() != "?"
                && object.kind == crate::text::mqsc::MqKind::Channel
                && object.get("CERTLABL").is_some_and(|label| !label.is_empty())
        });
        if let (Some(item), Some(channel)) = (off, labelled) {
            let evidence = Evidence::line(&settings.file, item.line, format!("{}={}", item.key, item.value));
            let own = Evidence::line(
                &channel.file,
                channel.line,
                format!("channel {} has a certificate of its own", channel.name()),
            );
            found.push(
                Finding::proven(&RULE, channel.name().to_owned(), evidence)
                    .and(own)
                    .at(Severity::Error),
            );
        }
    }
    for seen in inputs.conversations.iter().filter(|seen| seen.has_no_server_name) {
        let other = inputs.conversations.iter().find(|other| {
            !other.has_no_server_name
                && other.server_name.is_some()
                && other
                    .sent
                    .first()
                    .zip(seen.sent.first())
                    .is_some_and(|(one, two)| !one.same(two))
        });
        if let Some(other) = other {
            let evidence = Evidence::file(&seen.file, "no server name was sent");
            found.push(
                Finding::proven(&RULE, seen.file.clone(), evidence)
                    .and(Evidence::file(
                        &other.file,
                        "with one, another certificate was shown",
                    ))
                    .at(Severity::Error),
            );
        }
    }
    found
}
