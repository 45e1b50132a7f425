//! H-34: Java cannot load a RACF ring at all.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-34",
    title: "Java cannot load a RACF ring at all",
    severity: Severity::Error,
    stage: Stage::Stores,
    cause: "Java loads the whole ring or nothing: one certificate on it that cannot be read, a SITE usage, or no access to RDATALIB is enough",
    fix: "remove that certificate from the ring or connect it as CERTAUTH or PERSONAL, and PERMIT owner.ring.LST CLASS(RDATALIB) ACCESS(READ), CONTROL for keys of CERTAUTH and SITE",
    source: "domain specification F.1, F.5; IBM JCERACFKS; domain specification H-34",
    states: &[
        "safkeyring && exception",
        "safkeyring && not load",
        "safkeyring && unable",
        "r_datalib",
        "irrsdl00 && fail",
        "jceracfks && exception",
        "classnotfoundexception: com.ibm.crypto.provider.safkeyring",
    ],
    hints: &[],
    explains: &["H-01", "H-04", "H-07", "H-30"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let members = inputs
        .rings
        .iter()
        .flat_map(|ring| ring.members.iter().map(move |member| (ring, member)));
    members
        .filter(|(_, member)| member.usage == "SITE")
        .map(|(ring, member)| {
            let evidence = Evidence::line(
                &ring.file,
                member.line,
                format!("{} is connected with usage SITE", member.label),
            );
            Finding::proven(&RULE, format!("{}/{}", ring.owner, ring.name), evidence)
        })
        .collect()
}
