//! H-33: a certificate is in RACF and still not trusted.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;
use crate::rules::h30;
use crate::text::racf::Ring;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-33",
    title: "a certificate is in RACF and still not trusted",
    severity: Severity::Error,
    stage: Stage::Trust,
    cause: "RACF shows a certificate to a program only when its status is TRUST and it is connected to the ring with the right usage: added before its authority it gets NOTRUST",
    fix: "RACDCERT CERTAUTH ALTER(LABEL('…')) TRUST (or ID(user)), RACDCERT ID(owner) CONNECT(CERTAUTH LABEL('…') RING(ring) USAGE(CERTAUTH)), SETROPTS RACLIST(DIGTCERT,DIGTRING) REFRESH, restart",
    source: "RACF Command Language Reference; domain specification F.5, R-254, R-255; domain specification H-33",
    states: &["status: notrust", "notrust && certificate"],
    hints: &[],
    explains: &["H-04", "H-30", "H-34", "H-80"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for one in inputs.racf.iter().filter(|one| one.status == "NOTRUST") {
        let evidence = Evidence::line(
            &one.file,
            one.line,
            format!("Status: NOTRUST, owner {}", one.owner),
        )
        .alias(Some(&one.label));
        found.push(Finding::proven(&RULE, one.label.clone(), evidence));
    }
    for (ring, member) in inputs
        .rings
        .iter()
        .flat_map(|ring| ring.members.iter().map(move |member| (ring, member)))
    {
        let authority = member.owner == "CERTAUTH"
            || inputs
                .racf
                .iter()
                .any(|one| one.label == member.label && one.has_key == Some(false));
        if authority && member.usage == "PERSONAL" {
            let evidence = Evidence::line(
                &ring.file,
                member.line,
                format!("{} is connected as PERSONAL, not as CERTAUTH", member.label),
            );
            found.push(Finding::proven(
                &RULE,
                format!("{}/{}", ring.owner, ring.name),
                evidence,
            ));
        }
    }
    if inputs.says(h30::RULE.states) {
        found.extend(inputs.rings.iter().filter_map(without_authority));
    }
    if !inputs.rings.is_empty() {
        for one in inputs
            .racf
            .iter()
            .filter(|one| one.owner == "CERTAUTH" && one.status != "NOTRUST" && one.rings.is_empty())
        {
            let member = inputs
                .rings
                .iter()
                .any(|ring| ring.members.iter().any(|member| member.label == one.label));
            if !member {
                let evidence =
                    Evidence::line(&one.file, one.line, "connected to no ring").alias(Some(&one.label));
                found.push(Finding::proven(&RULE, one.label.clone(), evidence));
            }
        }
    }
    found
}

/// Somebody is not trusted, and a ring has identities and nobody to trust.
fn without_authority(ring: &Ring) -> Option<Finding> {
    let first = ring.members.first()?;
    if ring.members.iter().any(|member| member.usage == "CERTAUTH") {
        return None;
    }
    let evidence = Evidence::line(
        &ring.file,
        first.line,
        "no certificate with usage CERTAUTH is connected",
    );
    Some(Finding::proven(
        &RULE,
        format!("{}/{}", ring.owner, ring.name),
        evidence,
    ))
}
