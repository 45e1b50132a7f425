//! H-42: the revocation check fails.

use keystore::RevocationList;

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-42",
    title: "the revocation check fails",
    severity: Severity::Error,
    stage: Stage::Revocation,
    cause: "the certificate is revoked, or whether it is cannot be found out: the responder is not reachable, the list is too old",
    fix: "make the responder reachable, fetch a current list (openssl ca -gencrl), or set the policy: OCSPAuthentication=OPTIONAL, ClientRevocationChecks",
    source: "IBM MQ AMQ9716E; OpenSSL 3, 12, 23; RFC 6960; domain specification H-42",
    states: &[
        "amq9716e",
        "certificate revoked",
        "certificate is revoked",
        "has been revoked",
        "crl has expired",
        "unable to get certificate crl",
        "ocsp && unreachable",
        "ocsp && fail",
        "ocsp && timed out",
        "ocsp && error",
        "revocation status && fail",
        "undetermined_revocation_status",
        "alert 44",
    ],
    hints: &[],
    explains: &["H-30", "H-80"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in &inputs.files {
        for der in lists(&file.bytes) {
            let Ok(list) = RevocationList::parse(&der) else {
                continue;
            };
            let issuer = crate::dn::Dn::parse(&list.issuer.to_string());
            if let Some(until) = list.next_update.filter(|until| *until < inputs.now) {
                let evidence = Evidence::file(
                    &file.path,
                    format!(
                        "the list of \"{}\" was good until {}",
                        issuer.text,
                        crate::moment::day_text(until)
                    ),
                );
                found.push(Finding::proven(&RULE, &file.path, evidence).because("the revocation list has expired: verifiers that need one refuse every certificate of this authority"));
            }
            for (store, entry, one) in inputs.certificates() {
                let revoked = one
                    .certificate
                    .as_ref()
                    .is_some_and(|own| list.revoked.iter().any(|(serial, _)| *serial == own.serial()));
                if revoked && one.issuer.same(&issuer) {
                    let evidence = Evidence::file(&store.file, format!("{} is revoked", one.name()))
                        .alias(entry.alias.as_deref());
                    found.push(
                        Finding::proven(&RULE, store.file.clone(), evidence)
                            .and(Evidence::file(&file.path, "the list")),
                    );
                }
            }
        }
    }
    found
}

/// The revocation lists in a file, DER or PEM.
fn lists(bytes: &[u8]) -> Vec<Vec<u8>> {
    if bytes.starts_with(&[0x30]) {
        return vec![bytes.to_vec()];
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Vec::new();
    };
    let pieces = text.split("-----BEGIN X509 CRL-----").skip(1).take(100);
    pieces
        .filter_map(|piece| {
            crate::base64::decode(
                &piece
                    .split("-----END")
                    .next()?
                    .split_whitespace()
                    .collect::<String>(),
            )
        })
        .collect()
}
