//! H-91: a Spectrum Protect client refuses the server's new certificate.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::inputs::name_of;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-91",
    title: "a Spectrum Protect client refuses the server's new certificate",
    severity: Severity::Error,
    stage: Stage::Trust,
    cause: "the node's session security became STRICT, and its dsmcert.kdb holds the old certificate of the server",
    fix: "UPDATE NODE n SESSIONSECURITY=TRANSITIONAL (UPDATE SERVER s FORCESYNC=YES between servers), delete the old entry from dsmcert.kdb and the file dsmcert.idx, connect once",
    source: "IBM APAR IT42905; domain specification A.12, F.2; domain specification H-91",
    states: &[
        "ans1592e",
        "ans8023e",
        "sessionsecurity && strict",
        "anr8599w && ssl",
        "ans1579e",
        "anr9951i",
    ],
    hints: &["anr8583e", "anr3336w"],
    explains: &["H-30", "H-31"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    let servers: Vec<_> = inputs
        .certificates()
        .filter(|(store, _, _)| ["cert256.arm", "cert.kdb", "cert.arm"].contains(&name_of(&store.file)))
        .collect();
    for (store, entry, old) in inputs
        .certificates()
        .filter(|(store, _, _)| name_of(&store.file) == "dsmcert.kdb")
    {
        let replaced = servers.iter().find(|(_, _, new)| new.subject.same(&old.subject));
        let same = servers.iter().any(|(_, _, new)| new.same(old));
        if let (Some((server, _, new)), false) = (replaced, same) {
            let evidence = Evidence::file(
                &store.file,
                format!(
                    "{} of serial {}",
                    old.name(),
                    old.serial.as_deref().unwrap_or("?")
                ),
            )
            .alias(entry.alias.as_deref());
            let own = Evidence::file(
                &server.file,
                format!("the server's has serial {}", new.serial.as_deref().unwrap_or("?")),
            );
            found.push(Finding::proven(&RULE, store.file.clone(), evidence).and(own));
        }
    }
    found
}
