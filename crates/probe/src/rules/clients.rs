//! The client's own certificate.

use keystore::Certificate;
use keystore::Name;

use crate::ClientAuth;
use crate::Facts;
use crate::Finding;
use crate::Identity;
use crate::Presented;
use crate::rules::table;

pub(super) fn findings(facts: &Facts, identity: Option<&Identity>) -> Vec<Finding> {
    let mut found = Vec::new();
    let ClientAuth::Asked { request, required } = &facts.client else {
        return found;
    };
    let names: Vec<String> = request
        .authorities
        .iter()
        .filter_map(|der| Name::parse(der, 0).ok())
        .map(|name| name.to_string())
        .collect();
    let of_whom = if names.is_empty() {
        "of any authority".to_owned()
    } else {
        format!("of {}", names.join("; "))
    };
    match identity {
        None => {
            let words = match required {
                Some(true) => format!("the server refuses clients without a certificate {of_whom}"),
                Some(false) => format!("the server asks for a certificate {of_whom} and goes on without"),
                None => format!(
                    "the server asks for a certificate {of_whom}; whether it goes on without is not seen"
                ),
            };
            found.push(Finding::new(&table::ASKS, words));
        }
        Some(identity) => with_identity(facts, identity, &request.authorities, &names, &mut found),
    }
    found
}

fn with_identity(
    facts: &Facts,
    identity: &Identity,
    authorities: &[Vec<u8>],
    names: &[String],
    found: &mut Vec<Finding>,
) {
    if let Some(Presented::Refused(alert)) = facts.presented {
        let words = match alert {
            Some(code) => format!("alert {code} ({})", hello::alert_name(code)),
            None => "the server hung up".to_owned(),
        };
        found.push(Finding::new(&table::IDENTITY_REFUSED, words));
    } else if facts.presented == Some(Presented::Unclear) {
        found.push(
            Finding::new(
                &table::IDENTITY_REFUSED,
                "the server gave no sign after the handshake",
            )
            .at(crate::Severity::Note)
            .because("whether the identity is accepted could not be seen"),
        );
    }
    let issued_by_one = authorities
        .iter()
        .filter_map(|der| Name::parse(der, 0).ok())
        .any(|name| {
            identity
                .chain
                .iter()
                .any(|one: &Certificate| one.issuer().is_same(&name))
        });
    if !authorities.is_empty() && !issued_by_one {
        let issuer = identity
            .chain
            .first()
            .map_or_else(String::new, |leaf| leaf.issuer().to_string());
        found.push(Finding::new(
            &table::ISSUER_NOT_LISTED,
            format!(
                "the identity was issued by {issuer}; the server lists {}",
                names.join("; ")
            ),
        ));
    }
}
