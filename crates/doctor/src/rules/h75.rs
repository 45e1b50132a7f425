//! H-75: the security level refuses a key or parameter.

use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-75",
    title: "the security level refuses a key or parameter",
    severity: Severity::Error,
    stage: Stage::Policy,
    cause: "OpenSSL's security level refuses short keys, short Diffie-Hellman parameters, and SHA-1 or MD5 signatures",
    fix: "stronger keys and signatures; for the while a lower level for this link only: DEFAULT@SECLEVEL=1",
    source: "OpenSSL SSL_CTX_set_security_level; domain specification H-75",
    states: &[
        "dh key too small",
        "ee key too small",
        "ca md too weak",
        "ca key too small",
        "dh_key_too_small",
        "ee_key_too_small",
        "ca_md_too_weak",
    ],
    hints: &[],
    explains: &["H-72", "H-30", "H-87", "H-88"],
    find,
};

fn find(_inputs: &Inputs) -> Vec<Finding> {
    Vec::new()
}
