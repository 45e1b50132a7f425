//! H-31: a self-signed certificate is not trusted.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-31",
    title: "a self-signed certificate is not trusted",
    severity: Severity::Error,
    stage: Stage::Trust,
    cause: "the certificate (or the root that was sent with it) is self-signed, and the verifier has not been told to trust this very one: often the certificate that Liberty or the product made by itself",
    fix: "replace it by one that an authority signed, or import this very certificate into the verifier's trust store",
    source: "OpenSSL 18 and 19; Liberty CWPKI0803A; domain specification H-31",
    states: &[
        "self-signed certificate",
        "self signed certificate",
        "mozilla_pkix_error_self_signed_cert",
        "arithinsert1(417)",
        "gsk_error_self_signed",
        "depth_zero_self_signed_cert",
        "self_signed_cert_in_chain",
    ],
    hints: &["cwpki0803a && error"],
    explains: &["H-30", "H-60", "H-87", "H-84"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for seen in &inputs.conversations {
        if let Some((code, line)) = seen.verify.iter().find(|(code, _)| matches!(code, 18 | 19)) {
            let target = seen.target.clone().unwrap_or_else(|| seen.file.clone());
            let who = seen
                .sent
                .last()
                .map_or(String::new(), |one| format!(": {}", one.name()));
            found.push(
                Finding::proven(
                    &RULE,
                    target,
                    Evidence::line(&seen.file, *line, format!("verify code {code}{who}")),
                )
                .stated(),
            );
        } else if let Some(leaf) = seen.sent.first().filter(|leaf| leaf.is_self_signed())
            && seen
                .alerts
                .iter()
                .any(|(from_server, alert)| !from_server && matches!(alert, 42 | 46 | 48))
        {
            let target = seen.target.clone().unwrap_or_else(|| seen.file.clone());
            let evidence = Evidence::file(
                &seen.file,
                format!("{} is self-signed, and was refused", leaf.name()),
            );
            found.push(Finding::proven(&RULE, target, evidence).stated());
        }
    }
    found
}
