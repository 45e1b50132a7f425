//! Whether new material may be used: complete, valid now, fit for both purposes, inside the policy's standards.

use keystore::Certificate;
use keystore::Curve;
use keystore::KeyKind;
use keystore::oid;
use trust::Signatures;

use crate::file::StandardsDoc;
use crate::rotation::Refusal;
use crate::rotation::standards_text;

/// Every reason against a new chain (leaf first). `target` is the file it came from.
pub(crate) fn judge(
    target: &str,
    chain: &[Certificate],
    standards: Option<&StandardsDoc>,
    now: i64,
) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let mut says = |what: String, fix: &str| {
        refusals.push(Refusal {
            target: target.to_owned(),
            what,
            fix: fix.to_owned(),
            unusable: false,
        });
    };
    for certificate in chain {
        let name = certificate.subject().to_string();
        let validity = certificate.validity();
        if validity.not_after < now {
            says(format!("{name} has expired"), "ask the CA for a new certificate");
        }
        if validity.not_before > now {
            says(
                format!("{name} is not valid yet"),
                "wait until it is, or correct this machine's clock",
            );
        }
    }
    for pair in chain.windows(2) {
        if !pair[0].is_self_issued() && !pair[0].names_as_issuer(&pair[1]) {
            let what = format!("{} is not the issuer of {}", pair[1].subject(), pair[0].subject());
            says(
                what,
                "give the chain leaf first, each certificate followed by its issuer",
            );
        } else if !pair[0].is_self_issued() && !is_signed_by(&pair[0], &pair[1]) {
            let what = format!(
                "{} was not signed with the key of {}: its issuer is another of the same name, or its bytes were altered",
                pair[0].subject(),
                pair[1].subject()
            );
            says(
                what,
                "ask the CA for its certificate that belongs to the key it signs with",
            );
        }
    }
    if let Some(leaf) = chain.first() {
        purpose(leaf, &mut says);
        if let Some(standards) = standards {
            inside(leaf, standards, &mut says);
        }
    }
    refusals
}

/// Whether the signature of a certificate is its issuer's, whatever the names say.
pub(crate) fn is_signed_by(certificate: &Certificate, issuer: &Certificate) -> bool {
    trust::Computed::new().holds(&trust::Claim {
        tbs: certificate.tbs(),
        algorithm: certificate.signature_algorithm().der(),
        signature: certificate.signature(),
        issuer_spki: issuer.spki(),
    })
}

fn purpose(leaf: &Certificate, says: &mut impl FnMut(String, &str)) {
    let name = leaf.subject().to_string();
    if let Ok(Some(purposes)) = leaf.extended_key_usage() {
        let any = purposes.contains(&oid::ANY_EXTENDED_KEY_USAGE);
        for (wanted, word) in [(oid::SERVER_AUTH, "serverAuth"), (oid::CLIENT_AUTH, "clientAuth")] {
            if !any && !purposes.contains(&wanted) {
                says(
                    format!("{name} is not for {word} (extended key usage)"),
                    "ask the CA for serverAuth and clientAuth: most components are both",
                );
            }
        }
    }
    if let Ok(Some(constraints)) = leaf.basic_constraints()
        && constraints.is_authority
    {
        says(
            format!("{name} is a CA certificate"),
            "present an end-entity certificate",
        );
    }
}

fn inside(leaf: &Certificate, standards: &StandardsDoc, says: &mut impl FnMut(String, &str)) {
    let name = leaf.subject().to_string();
    let asked = standards_text(standards);
    let fix = format!("[policy] standards asks for {asked}");
    let key = leaf.public_key().kind();
    let too_small = match &key {
        KeyKind::Rsa { bits } | KeyKind::RsaPss { bits } => {
            standards.min_rsa.is_some_and(|least| *bits < least as usize)
        }
        KeyKind::Ec { curve } => standards
            .min_ec
            .is_some_and(|least| curve_bits(curve) < least as usize),
        _ => false,
    };
    if too_small {
        says(format!("{name} has a key of {key}"), &fix);
    }
    let validity = leaf.validity();
    let days = (validity.not_after - validity.not_before) / 86_400;
    if standards.max_days.is_some_and(|most| days > i64::from(most)) {
        says(format!("{name} is valid for {days} days"), &fix);
    }
    let issuer = leaf.issuer().to_string();
    if !standards.issuers.is_empty()
        && !standards
            .issuers
            .iter()
            .any(|allowed| allowed.replace(", ", ",") == issuer)
    {
        says(format!("{name} is issued by {issuer}"), &fix);
    }
}

fn curve_bits(curve: &Curve<'_>) -> usize {
    let text = curve.to_string();
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}
