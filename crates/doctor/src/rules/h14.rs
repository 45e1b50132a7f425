//! H-14: a PKCS#12 file in algorithms that the product does not know.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-14",
    title: "a PKCS#12 file in algorithms that the product does not know",
    severity: Severity::Error,
    stage: Stage::Stores,
    cause: "the file is protected with algorithms newer (or older) than its reader: AES-256 or PBMAC1 for an old JRE or GSKit, RC2 or 3DES for OpenSSL 3",
    fix: "export it again in the compatible form: openssl pkcs12 -export -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1 -name ALIAS, or keytool -J-Dkeystore.pkcs12.legacy",
    source: "OpenSSL 3 migration guide; JDK 8u301 release notes; domain specification B.13; domain specification H-14",
    states: &[
        "hmacpbesha256 not available",
        "hmacpbesha && not available",
        "pbewithhmacsha256andaes_256 && not",
        "algid parse error",
        "1.2.840.113549.1.5.13 && not",
        "1.2.840.113549.1.5.12 && not",
        "rc2-40-cbc",
        "inner_evp_generic_fetch:unsupported",
        "pbmac1 && unsupported",
        "ctgsk2122w",
        "alert decode error",
        "decode_error",
        "decode error && keystore",
        "decode error && pbes2",
        "private key decryption error",
    ],
    hints: &[],
    explains: &["H-01", "H-72"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    if !inputs.says(RULE.states) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for store in inputs
        .stores
        .iter()
        .filter(|store| store.format == "pkcs12" && !store.is_listing)
    {
        let protection = store.entries.iter().find_map(|entry| entry.protection.clone());
        let Some(words) = protection.filter(|words| words.contains("AES") || words.contains("RC2")) else {
            continue;
        };
        let evidence = Evidence::file(&store.file, format!("its key is protected with {words}"));
        found.push(Finding::proven(&RULE, store.file.clone(), evidence));
    }
    found
}
